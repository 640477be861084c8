"""A plan in the making, and what a change of one cluster would cost.

The sums in `State` make it cheap to judge a move; `tables.judge` says the same from scratch.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from clustering.solve.kernels import lean
from clustering.solve.tables import (
    BALANCE,
    CHANGE,
    CLUSTER,
    COUNT,
    CROSSING,
    SIZE_BALANCE,
    TOTAL_NEED,
    TOTAL_PUPILS,
    Ints,
    deviation,
)


class State(NamedTuple):
    """A plan in the making, with the sums that make a move cheap to judge. K clusters."""

    label: Ints
    members: Ints
    held: Ints
    """(K,) atoms of each cluster."""
    where: Ints
    """(n,) place of an atom in the members of its cluster."""
    sums: Ints
    """(K, 6) schools, primaries, secondaries, pupils, need, placed."""
    areas: Ints
    olds: Ints
    travel: Ints
    """(m,) price of the minutes to each school of all members of its own cluster."""
    late: Ints
    """(classes, m) members of a school's own cluster that are too far from it."""
    inner: Ints
    """(K,) Σ out − Σ arcs inside: the price of the leavers of a cluster."""
    cost: Ints
    wrong: NDArray[np.float64]
    hub: Ints
    loan: Ints
    split: Ints
    """(K,) 1 for a cluster that is not in one piece (only at the start)."""
    torn: Ints
    """(K,) pairs of members that must be apart."""
    has: Ints
    """(7,) which parts of the cost and of the rules the model has at all; see `PINS` to `WHOLE`."""
    first_near: Ints
    near: Ints
    """Atoms that a move looks at from each atom, from `first_near[i]` on."""
    work: Ints
    """(2, n) work space."""
    penalty: NDArray[np.float64]
    """Price of a broken rule as it stands, its least and its greatest."""
    used: Ints
    """(loans,) clusters that use each loan."""
    random: NDArray[np.uint64]
    names: NDArray[np.uint64]
    """(n,) a random name of each atom; a cluster is known by the xor of its members'."""
    best: Ints
    """(3, n) label, hub and loan of the cluster of each atom in the best plan so far."""
    best_cost: Ints
    pool: NDArray[np.int16]
    """(columns, widest) members of clusters that keep all rules, −1 beyond the last."""
    pool_size: Ints
    seen: NDArray[np.uint64]
    """Open-addressed table of the names of the clusters in the pool."""


PINS, APART, ANCHORS, MINUTES, REACH, ARCS, WHOLE = range(7)
"""Places in `State.has`: pinned hubs; pairs to be apart; atoms that bring limits; minutes that cost
or that are limited; minutes that are limited; feeders; every atom a neighbour of every other."""


@lean
def draw(random):
    """Return the next 64 random bits."""
    x = random[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    random[0] = x
    return x * np.uint64(2685821657736338717)


@lean
def below(random, end):
    """Return a random whole number in 0..end−1 (end < 2³¹)."""
    return (np.int64(draw(random) >> np.uint64(33)) * end) >> 31


@lean
def uniform(random):
    """Return a random number in (0, 1]."""
    return (np.float64(draw(random) >> np.uint64(11)) + 1.0) * 1.1102230246251565e-16


@lean
def gap_to(value, low, high):
    """Return how far a value lies outside a range."""
    return max(low - value, value - high, 0)


@lean
def one_piece(t, members, count):
    """Return whether the atoms listed are one piece; reorders the list, so as to need no space."""
    found, at = 1, 0
    while at < found and found < count:
        for k in range(found, count):
            if t.adjacent[members[at], members[k]] == 1:
                members[k], members[found] = members[found], members[k]
                found += 1
        at += 1
    return found == count


@lean
def listed(s, c, gone, come, buffer):
    """Write the members of cluster c without `gone` and with `come` (−1: none); return how many."""
    count = 0
    for k in range(s.held[c]):
        if s.members[c, k] != gone:
            buffer[count] = s.members[c, k]
            count += 1
    if come >= 0:
        buffer[count] = come
        count += 1
    return count


@lean
def way_to(t, s, c, h):
    """Return the price of the minutes of all members of cluster c to school h."""
    total = 0
    for k in range(s.held[c]):
        total += t.travel[s.members[c, k], h]
    return total


@lean
def late_at(t, s, c, h, kind):
    """Return how many members of cluster c are farther from school h than a limit class allows."""
    count = 0
    for k in range(s.held[c]):
        count += t.far[s.members[c, k], h] > t.minutes[kind]
    return count


@lean
def spared(t, s, c, i):
    """Return what the leavers of atom i and of the members of cluster c save by being together."""
    total = 0
    if s.has[ARCS] == 1:
        for k in range(s.held[c]):
            total += t.arcs[i, s.members[c, k]]
    return total


@lean
def hub_of(t, s, c, gone, come, kind, pin, loan, penalty):
    """Return the hub of a cluster, the price of its minutes, and how many atoms are too far."""
    lent = -1 if loan < 0 else t.loan_school[loan]
    best, price, far, least = -1, 0, 0, 1e300
    reach = s.has[REACH] == 1
    for k in range(s.held[c] + 1):
        i = s.members[c, k] if k < s.held[c] else come
        if i == gone or i < 0:
            continue
        for place in range(t.first_school[i], t.first_school[i + 1]):
            h = t.schools_of[place]
            if t.hub_allowed[kind, h] == 0 or (pin >= 0 and h != pin):
                continue
            if s.has[MINUTES] == 0:
                return h, 0, 0
            total, late = (s.travel[h] if i != come else way_to(t, s, c, h)), 0
            if gone >= 0:
                total -= t.travel[gone, h]
            if come >= 0:
                total += t.travel[come, h]
            if lent >= 0:
                total += t.school_travel[lent, h]
            if total >= least:
                continue
            if reach:
                late = s.late[kind, h] if i != come else late_at(t, s, c, h, kind)
                if gone >= 0:
                    late -= t.far[gone, h] > t.minutes[kind]
                if come >= 0:
                    late += t.far[come, h] > t.minutes[kind]
                if lent >= 0:
                    late += t.school_minutes[lent, h] > t.minutes[kind]
            if total + penalty * late < least:
                best, price, far, least = h, total, late, total + penalty * late
    return best, price, far


@lean
def main_area(t, s, c, gone, come):
    """Return limit class, main area and its schools, from the sums (see `tables.class_of`)."""
    main, most = 0, -1
    for a in range(s.areas.shape[1]):
        total = s.areas[c, a]
        if gone >= 0:
            total -= t.area_count[gone, a]
        if come >= 0:
            total += t.area_count[come, a]
        if total > most:
            main, most = a, total
    kind = t.area_class[main]
    if s.has[ANCHORS] == 1:
        first = 1 << 40
        for k in range(s.held[c] + 1):
            i = s.members[c, k] if k < s.held[c] else come
            if i != gone and i >= 0 and t.anchor_class[i] >= 0 and i < first:
                kind, first = t.anchor_class[i], i
    return kind, main, most


@lean
def pinned(t, s, c, gone, come):
    """Return the hub that pinned atoms of a cluster ask for (−1: none), and how many disagree."""
    pin, wrong = -1, 0
    for k in range(s.held[c] + 1):
        i = s.members[c, k] if k < s.held[c] else come
        if i != gone and i >= 0 and t.pin[i] >= 0:
            wrong += pin >= 0 and pin != t.pin[i]
            pin = t.pin[i]
    return pin, wrong


@lean
def torn_by(t, s, c, i, gone):
    """Return how many members of cluster c, `gone` set aside, must be apart from atom i."""
    count = 0
    for k in range(s.held[c]):
        if s.members[c, k] != gone:
            count += t.apart[i, s.members[c, k]]
    return count


@lean
def weigh(t, s, c, gone, come, penalty):
    """Return cost, broken rules, hub, loan and leavers of cluster c after a change."""
    p = t.prices
    schools, primaries, own = s.sums[c, 0], s.sums[c, 1], s.sums[c, 2]
    pupils, need, placed = s.sums[c, 3], s.sums[c, 4], s.sums[c, 5]
    inner = s.inner[c]
    if gone >= 0:
        schools -= t.size[gone]
        primaries -= t.primaries[gone]
        own -= t.secondaries[gone]
        pupils -= t.pupils[gone]
        need -= t.need[gone]
        placed -= t.placed[gone]
        inner -= t.out[gone] - spared(t, s, c, gone)
    if come >= 0:
        schools += t.size[come]
        primaries += t.primaries[come]
        own += t.secondaries[come]
        pupils += t.pupils[come]
        need += t.need[come]
        placed += t.placed[come]
        inner += t.out[come] - spared(t, s, c, come)
        if gone >= 0:
            inner += t.arcs[gone, come]
    kind, main, most = main_area(t, s, c, gone, come)
    limit = t.limits[kind]
    wrong = float(gap_to(schools, limit[0], limit[1]) + max(limit[5] - primaries, 0))
    n = len(t.size)
    wrong += gap_to(pupils, limit[2], limit[3]) * n / max(p[TOTAL_PUPILS], 1)
    wrong += gap_to(need, limit[6], limit[7]) * n / max(p[TOTAL_NEED], 1)
    pin = -1
    if s.has[PINS] == 1:
        pin, disagree = pinned(t, s, c, gone, come)
        wrong += disagree
    if s.has[APART] == 1:
        torn = s.torn[c]
        if gone >= 0:
            torn -= torn_by(t, s, c, gone, -1)
        if come >= 0:
            torn += torn_by(t, s, c, come, gone)
        wrong += torn
    cost = p[CLUSTER] + inner + p[CROSSING] * (schools - most)
    cost += deviation(p[BALANCE], need, p[TOTAL_NEED], p[COUNT])
    cost += deviation(p[SIZE_BALANCE], pupils, p[TOTAL_PUPILS], p[COUNT])
    if p[CHANGE] != 0:
        kept = 0
        for o in range(s.olds.shape[1]):
            total = s.olds[c, o]
            if gone >= 0:
                total -= t.old_count[gone, o]
            if come >= 0:
                total += t.old_count[come, o]
            kept = max(kept, total)
        cost += p[CHANGE] * (placed - kept)
    hub, price, late, loan = -1, 0, 0, -1
    if own >= limit[4]:
        hub, price, late = hub_of(t, s, c, gone, come, kind, pin, -1, penalty)
    else:
        least = 1e300
        for one in range(len(t.loan_school)):
            usable = t.loan_area[one] == -1 or t.loan_area[one] == main
            if not usable or s.used[one] >= t.loan_count[one]:
                continue
            saved = 0
            if t.loan_school[one] >= 0:
                usable = own + 1 >= limit[4]
                for k in range(s.held[c] + 1):
                    i = s.members[c, k] if k < s.held[c] else come
                    if i != gone and i >= 0:
                        usable = usable and i != t.loan_atom[one]
                        saved += t.loan_cut[one, i]
            if usable:
                h, a, b = hub_of(t, s, c, gone, come, kind, pin, one, penalty)
                if h >= 0 and a - saved + penalty * b < least:
                    hub, price, late, loan = h, a - saved, b, one
                    least = price + penalty * late
        if loan < 0:
            wrong += limit[4] - own
            hub, price, late = hub_of(t, s, c, gone, come, kind, pin, -1, penalty)
    if hub < 0:
        wrong += 2.0
    return cost + price, wrong + late, hub, loan, inner
