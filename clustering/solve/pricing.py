"""The exact pricer: every cluster around a hub whose reduced cost lies below a threshold.

Three nested searches, each bounded from below (see `around` for the reduced cost):

1. depth-first over the *core* atoms (those with secondaries, and a cover of the remaining feeder
   arcs): once the core of a cluster is fixed, the arcs to the other atoms are linear in them;
2. for a fixed core, a table by dynamic programming over (atom, schools, need) of the cheapest
   completion, deviation of need included; need is counted in steps, and each step is taken in the
   direction that flatters, so the table is a lower bound (exact when a step is one unit);
3. depth-first over the other atoms, cut by that table, by connectivity within the atoms that are
   not yet left out, and by what the table leaves out: prices of subset rows, arcs between two
   atoms outside the core.

What is in none of the bounds (limits on pupils, primaries, the class of the cluster, size and
anchors) is checked where a cluster is complete, by `tables.judge`. Sets of atoms are bits of one
unsigned 64-bit word, numbered by their place around the hub.
"""

from __future__ import annotations

import numpy as np

from clustering.solve.around import FAR_OFF, WIDEST, candidates, ranges, reachable, values
from clustering.solve.bits import (
    NONE,
    ONE,
    completions,
    conflicts,
    flood,
    rows_around,
    smallest_sum,
)
from clustering.solve.kernels import compiled
from clustering.solve.narrowing import arranged, net_of, prune
from clustering.solve.resting import Around, Ask, Rest, put_in_order, search_rest

ROUGH = 20_000
"""Nodes around one hub up to which the search is a rough one."""


@compiled
def price(
    t,
    hub,
    area,
    old,
    loan,
    anchor,
    pi,
    mu,
    core,
    triples,
    rho,
    row_start,
    row_list,
    threshold,
    keep,
    nodes,
    halt,
    table,
    rows,
    costs,
):
    """Find clusters with reduced cost below the threshold around one hub in one mode.

    With `keep` = 0 the threshold falls to the best cluster found: the few clusters that are written
    are ever better ones. With `keep` = 1 all are written whose best hub this is. Returns how many
    were written to `rows` (atoms, −1 beyond the last) and `costs` (−1: too many for `rows`), a
    lower bound on the reduced cost of every cluster of this hub and mode, the nodes used, and
    whether the search was cut off.

    Where more atoms come into question than a word has bits, the one that is hardest to reach is
    put in, then left out, until few enough are left; with at most `ROUGH` nodes those that are
    hardest to reach are only left out, which counts as cut off.
    """
    wide, late = ranges(t, area, anchor)
    inside = candidates(t, hub, area, loan, anchor, late)
    home = t.atom_of[hub]
    if inside[home] == 0:
        return 0, FAR_OFF, 0, False
    v, const = values(t, hub, area, old, loan, pi, mu)
    held = np.zeros(len(v), np.uint8)
    held[home] = 1
    if anchor >= 0:
        held[anchor] = 1
    net = net_of(t, np.arange(len(v)), inside)
    v, held, inside = v[net.atoms], held[net.atoms], inside[net.atoms]
    home = np.searchsorted(net.atoms, home)
    share, lean = np.empty(len(net.arc_to), np.int64), np.empty(len(v), np.int64)
    extra = np.empty(len(v), np.int64)
    bound = prune(
        net, home, held, inside, v, const, wide[0], wide[1], threshold, share, lean, extra
    )
    if bound >= threshold:
        return 0, bound, 0, False
    home = inside[:home].sum()
    net = net_of(net, net.atoms, inside)
    v, held, inside = v[inside == 1], held[inside == 1], inside[inside == 1]
    share, lean = share[: len(net.arc_to)], lean[: len(v)]
    extra = extra[: len(v)]
    ask = Ask(
        hub,
        loan,
        wide,
        pi,
        mu,
        triples,
        rho,
        row_start,
        row_list,
        keep,
        nodes,
        halt,
        table,
        rows,
        costs,
    )
    spent, written, lowest = 0, 0, threshold
    waiting = [(inside, held)]
    cut = False
    while len(waiting) > 0:
        inside, held = waiting.pop()
        spent += 1
        low = prune(
            net, home, held, inside, v, const, wide[0], wide[1], threshold, share, lean, extra
        )
        if low >= threshold:
            continue
        if inside.sum() > WIDEST:
            if spent >= nodes or halt[0] == 1:
                return written, bound, spent, True
            if nodes <= ROUGH:
                cut = True
                leave_nearest(net, home, held, inside, extra)
                waiting.append((inside, held))
                continue
            far = -1
            for i in range(len(v)):
                if inside[i] == 1 and held[i] == 0 and (far < 0 or extra[i] > extra[far]):
                    far = i
            without, within = inside.copy(), held.copy()
            without[far], within[far] = 0, 1
            if kept_whole(net, home, held, without):
                waiting.append((without, held))
            waiting.append((inside, within))
            continue
        threshold, spent, written, lowest = explore(
            t,
            ask,
            net,
            home,
            held,
            inside,
            v,
            const,
            share,
            lean,
            core,
            threshold,
            spent,
            written,
            lowest,
        )
        if written < 0:
            return -1, lowest, spent, True
        if spent >= nodes or halt[0] == 1:
            return written, bound, spent, True
    if cut:
        lowest = bound
    return written, lowest, spent, cut


@compiled
def leave_nearest(net, home, held, inside, extra):
    """Leave inside only the atoms easiest to reach, as many as a word has bits."""
    far = np.empty(len(held), np.int64)
    count = 0
    for i in range(len(held)):
        if inside[i] == 1:
            far[count] = -1 if held[i] == 1 else extra[i]
            count += 1
    far[:count].sort()
    line = far[WIDEST]
    for i in range(len(held)):
        if inside[i] == 1 and held[i] == 0 and extra[i] >= line:
            inside[i] = 0
    reachable(net, home, inside)


@compiled
def kept_whole(net, home, held, inside):
    """Drop the atoms that are cut off from home; return whether all that are held are left."""
    reachable(net, home, inside)
    return not (held & (1 - inside)).any()


@compiled
def explore(
    t,
    ask,
    net,
    home,
    held,
    inside,
    v,
    const,
    share,
    lean,
    core,
    threshold,
    spent,
    written,
    lowest,
):
    """Search the clusters that hold all atoms `held` and others inside, at most `WIDEST` in all.

    Returns threshold, nodes, clusters written (−1: too many) and least found.
    """
    wide, nodes = ask.wide, ask.nodes
    local, first_rest = arranged(net, home, held, inside, core[net.atoms])
    order = net.atoms[local]
    n, forced = len(order), int(held.sum()) - 1
    where = np.full(len(t.size), -1, np.int64)
    for k in range(n):
        where[order[k]] = k
    links, bars, partners = np.zeros(n, np.uint64), np.zeros(n, np.uint64), np.zeros(n, np.uint64)
    arcs = np.zeros((n, n), np.int64)
    for a in range(n):
        for b in range(n):
            if t.adjacent[order[a], order[b]] == 1:
                links[a] |= ONE << np.uint64(b)
            if t.apart[order[a], order[b]] == 1:
                bars[a] |= ONE << np.uint64(b)
            arcs[a, b] = t.arcs[order[a], order[b]]
            if arcs[a, b] != 0:
                partners[a] |= ONE << np.uint64(b)
    row_first, row_mask, row_price = rows_around(
        order, where, ask.triples, ask.rho, ask.row_start, ask.row_list
    )
    size, need, own = t.size[order], t.need[order], t.secondaries[order]
    value = v[local]
    # -- 1. the core, depth first: worth[d, k] is the value of k with its shares of open arcs
    worth, part = np.zeros((n + 1, n), np.int64), np.zeros((n, n), np.int64)
    for k in range(n):
        for e in range(net.first_arc[local[k]], net.first_arc[local[k] + 1]):
            other = where[net.atoms[net.arc_to[e]]]
            if other >= 0:
                part[k, other] = share[e]
    for k in range(n):
        worth[0, k] = lean[local[k]] - part[0, k]
    fixed = np.zeros(n + 1, np.int64)
    chosen, out = np.zeros(n + 1, np.uint64), np.zeros(n + 1, np.uint64)
    taken, load, have = (
        np.zeros(n + 1, np.int64),
        np.zeros(n + 1, np.int64),
        np.zeros(n + 1, np.int64),
    )
    state = np.zeros(n + 1, np.int64)
    fixed[0], chosen[0] = const + value[0], ONE
    taken[0], load[0], have[0] = size[0], need[0], own[0]
    own_low = 0 if ask.loan >= 0 else wide[4]
    own_high = wide[5] - 1 if ask.loan >= 0 else 1 << 40
    slices = np.empty(int(size.sum()) + 1, np.int64)
    around = Around(
        ask,
        order,
        links,
        bars,
        arcs,
        partners,
        row_first,
        row_mask,
        row_price,
        size,
        need,
    )
    rest = Rest(
        np.empty(n, np.int64),
        np.empty(n, np.int64),
        np.empty(n + 1, np.uint64),
        np.empty(n + 1, np.uint64),
        np.empty(n, np.int64),
        np.empty(n + 1, np.int64),
        np.empty(n + 1, np.int64),
        np.empty(n + 1, np.uint64),
        np.empty(n + 1, np.int64),
        np.empty(n + 1, np.int64),
    )
    table = ask.table
    depth = 0
    while depth >= 0:
        if state[depth] == 0:
            # judge this node once
            spent += 1
            if spent >= nodes or ask.halt[0] == 1:
                return threshold, nodes, written, lowest
            everything = ~NONE if n == 64 else (ONE << np.uint64(n)) - ONE
            reach = flood(links, everything & ~out[depth])
            alive = chosen[depth] & ~reach == NONE and taken[depth] <= wide[1]
            alive = alive and load[depth] <= wide[8] and have[depth] <= own_high
            if alive:
                count, coming = 0, have[depth]
                for k in range(depth + 1, n):
                    if reach >> np.uint64(k) & ONE:
                        coming += own[k]
                        each = worth[depth, k] // size[k]
                        for _ in range(size[k]):
                            slices[count] = each
                            count += 1
                room = wide[1] - taken[depth]
                total = smallest_sum(slices, count, max(wide[0] - taken[depth], 0), room)
                alive = coming >= own_low and fixed[depth] + total < threshold
            if not alive:
                depth -= 1
                continue
            if depth < first_rest - 1:
                state[depth] = 1
                k = depth + 1
                # first with atom k
                if reach >> np.uint64(k) & ONE and bars[k] & chosen[depth] == NONE:
                    gain = value[k]
                    for other in range(depth + 1):
                        if chosen[depth] >> np.uint64(other) & ONE:
                            gain -= arcs[k, other]
                    gain += conflicts(row_first, row_mask, row_price, k, chosen[depth])
                    fixed[k] = fixed[depth] + gain
                    chosen[k], out[k] = chosen[depth] | ONE << np.uint64(k), out[depth]
                    taken[k], load[k] = taken[depth] + size[k], load[depth] + need[k]
                    have[k] = have[depth] + own[k]
                    for other in range(k + 1, n):
                        worth[k, other] = worth[depth, other] - part[k, other]
                    state[k] = 0
                    depth = k
                continue
        elif depth < first_rest - 1:
            if state[depth] == 1 and depth >= forced:
                # then without it
                state[depth] = 2
                k = depth + 1
                fixed[k], chosen[k] = fixed[depth], chosen[depth]
                out[k] = out[depth] | ONE << np.uint64(k)
                taken[k], load[k], have[k] = taken[depth], load[depth], have[depth]
                for other in range(k + 1, n):
                    worth[k, other] = worth[depth, other] + part[other, k]
                state[k] = 0
                depth = k
                continue
            depth -= 1
            continue
        # -- 2. the core is complete: table of completions
        if have[depth] < own_low:
            depth -= 1
            continue
        room = wide[1] - taken[depth]
        least = max(wide[0] - taken[depth], 0)
        count = 0
        for k in range(first_rest, n):
            if (
                reach >> np.uint64(k) & ONE
                and size[k] <= room
                and need[k] + load[depth] <= wide[8]
                and bars[k] & chosen[depth] == NONE
            ):
                rest.atoms[count] = k
                gain = value[k]
                for other in range(first_rest):
                    if chosen[depth] >> np.uint64(other) & ONE:
                        gain -= arcs[k, other]
                # an arc to an earlier atom outside the core counts here as if that one were in
                for earlier in range(count):
                    gain -= arcs[k, rest.atoms[earlier]]
                rest.value[count] = gain
                count += 1
        heaviest, largest = 0, 0
        for k in range(count):
            heaviest = max(heaviest, -(-need[rest.atoms[k]] // size[rest.atoms[k]]))
            largest = max(largest, abs(rest.value[k]))
        shift = 0
        while (largest >> shift) * (room + 1) >= 2**28:
            shift += 1
        span = min(wide[8] - load[depth], heaviest * room) + 1
        width = max(1, -(-span // (table.shape[2] - 1)))
        steps = -(-span // width)
        completions(
            rest.value,
            size[rest.atoms[:count]],
            need[rest.atoms[:count]],
            count,
            room,
            least,
            steps,
            load[depth],
            width,
            wide[7],
            wide[8],
            shift,
            t,
            table,
        )
        # -- 3. the other atoms, depth first
        put_in_order(rest, count)
        threshold, spent, written, lowest = search_rest(
            t,
            around,
            rest,
            count,
            chosen[depth],
            fixed[depth],
            load[depth],
            taken[depth],
            width,
            shift,
            threshold,
            spent,
            written,
            lowest,
        )
        if written < 0 or spent >= nodes or ask.halt[0] == 1:
            return threshold, max(spent, nodes), written, lowest
        depth -= 1
    return threshold, spent, written, lowest
