"""The innermost search of the pricer: the atoms outside the core, once the core is fixed.

Depth first, each atom taken or left out, cut by the table of completions (`bits.completions`), by
connectivity within what is not yet left out, and by what the table leaves out: prices of subset
rows, arcs between two atoms outside the core.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from clustering.solve.bits import NONE, ONE, conflicts, flood, place_of
from clustering.solve.kernels import lean
from clustering.solve.tables import (
    BALANCE,
    BROKEN,
    COUNT,
    TOTAL_NEED,
    Ints,
    best_hub,
    deviation,
    judge,
)

Bits = NDArray[np.uint64]


class Ask(NamedTuple):
    """What is asked of the search around one hub: limits, prices, what to keep and where."""

    hub: int
    loan: int
    wide: Ints
    """Limits, as `around.ranges` gives them."""
    pi: Ints
    mu: Ints
    triples: Ints
    rho: Ints
    row_start: Ints
    row_list: Ints
    """The priced rows of each atom, as `bits.rows_of` gives them."""
    keep: int
    nodes: int
    halt: NDArray[np.uint8]
    table: NDArray[np.int32]
    rows: Ints
    costs: Ints


class Around(NamedTuple):
    """The atoms around one hub, by their place in its order (n of them)."""

    ask: Ask
    order: Ints
    links: Bits
    bars: Bits
    arcs: Ints
    partners: Bits
    """Atoms with an arc to each atom."""
    row_first: Ints
    row_mask: Bits
    row_price: Ints
    size: Ints
    need: Ints


class Rest(NamedTuple):
    """Work space for the atoms outside the core: who they are, and the stacks of the search."""

    atoms: Ints
    value: Ints
    before: Bits
    """The atoms earlier in the list than each, as bits."""
    behind: Bits
    """Each atom and those later in the list."""
    members: Ints
    at: Ints
    total: Ints
    inside: Bits
    load: Ints
    taken: Ints


@lean
def put_in_order(rest, count):
    """Note for each of the `count` atoms which come before it and which behind."""
    rest.before[0] = NONE
    for k in range(count):
        rest.before[k + 1] = rest.before[k] | ONE << np.uint64(rest.atoms[k])
    rest.behind[count] = NONE
    for k in range(count - 1, -1, -1):
        rest.behind[k] = rest.behind[k + 1] | ONE << np.uint64(rest.atoms[k])


@lean
def reduced_cost(t, a, inside, members):
    """Return the number of atoms in a set of bits (put into `members`), cost and reduced cost."""
    amount, left, rows = 0, inside, 0
    while left != NONE:
        low = left & (~left + ONE)
        left ^= low
        k = place_of(low)
        rows += conflicts(a.row_first, a.row_mask, a.row_price, k, inside & (low - ONE))
        members[amount] = a.order[k]
        amount += 1
    cost = judge(t, members, amount, a.ask.hub, a.ask.loan)
    if cost >= BROKEN:
        return amount, cost, cost
    found = cost + rows
    for x in range(amount):
        found -= a.ask.pi[members[x]]
    if a.ask.loan >= 0:
        found += a.ask.mu[a.ask.loan]
    return amount, cost, found


@lean
def search_rest(
    t, a, rest, count, core, fixed, load, taken, width, shift, threshold, spent, written, lowest
):
    """Search all completions of a core; return threshold, nodes, clusters written, least found.

    `core` is the core as bits, `fixed`, `load` and `taken` its cost, need and schools; `width` and
    `shift` are those of the table. See `pricing.price` for what is written; −1: too many.
    """
    low, high, room = a.ask.wide[0], a.ask.wide[8], a.ask.wide[1] - taken
    top = 0
    rest.at[0], rest.total[0], rest.inside[0] = 0, fixed, core
    rest.load[0], rest.taken[0] = load, taken
    fresh = True
    while top >= 0:
        inside = rest.inside[top]
        if fresh:
            fresh = False
            spent += 1
            here = rest.load[top]
            kept = rest.taken[top] >= low and a.ask.wide[7] <= here <= high
            if kept and rest.total[top] < threshold and flood(a.links, inside) == inside:
                p = t.prices
                guess = rest.total[top] + deviation(p[BALANCE], here, p[TOTAL_NEED], p[COUNT])
                if guess < threshold:
                    amount, cost, found = reduced_cost(t, a, inside, rest.members)
                    own = a.ask.keep == 0
                    if found < threshold and not own:
                        own = best_hub(t, rest.members, amount, a.ask.loan)[0] == a.ask.hub
                    if found < threshold and own:
                        if written >= a.ask.rows.shape[0]:
                            return threshold, spent, -1, lowest
                        for x in range(a.ask.rows.shape[1]):
                            a.ask.rows[written, x] = rest.members[x] if x < amount else -1
                        a.ask.costs[written] = cost
                        written += 1
                        lowest = min(lowest, found)
                        if a.ask.keep == 0:
                            threshold = found
            if spent >= a.ask.nodes or a.ask.halt[0] == 1:
                break
        k = rest.at[top]
        c = rest.taken[top] - taken
        if k >= count:
            top -= 1
            continue
        u = (rest.load[top] - load) // width
        if rest.total[top] + (np.int64(a.ask.table[k, c, u]) << shift) >= threshold:
            top -= 1
            continue
        rest.at[top] = k + 1
        atom = rest.atoms[k]
        c += a.size[atom]
        heavy = rest.load[top] + a.need[atom]
        if c > room or heavy > high or a.bars[atom] & inside != NONE:
            continue
        total = rest.total[top] + rest.value[k]
        total += conflicts(a.row_first, a.row_mask, a.row_price, atom, inside)
        lost = a.partners[atom] & rest.before[k] & ~inside
        while lost != NONE:
            one = lost & (~lost + ONE)
            lost ^= one
            total += a.arcs[atom, place_of(one)]
        u = (heavy - load) // width
        if total + (np.int64(a.ask.table[k + 1, c, u]) << shift) >= threshold:
            continue
        bit = ONE << np.uint64(atom)
        linked = flood(a.links, inside | rest.behind[k])
        if inside & ~linked != NONE:
            # what was left out cuts the cluster in two: so will everything after it
            top -= 1
            continue
        if bit & linked == NONE:
            continue
        top += 1
        rest.at[top], rest.total[top], rest.inside[top] = k + 1, total, inside | bit
        rest.load[top], rest.taken[top] = heavy, taken + c
        fresh = True
    return threshold, spent, written, lowest
