"""Which atoms around a hub can be in a cluster below a threshold, and a bound on all such clusters.

Every arc between two atoms is shared out between its ends: a cluster with both gains the whole arc,
one with a single end gains less than its share, so the best sum of schools bounds the reduced cost
from below, whatever the shares. They are chosen by subgradient steps. A cluster that holds an atom
far from its hub holds a way to it, and pays for that way.
"""

from __future__ import annotations

import heapq
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from clustering.solve.around import FAR_OFF
from clustering.solve.bits import smallest_sum
from clustering.solve.kernels import compiled

SHARINGS = 12
"""Most steps in sharing out the arcs around one hub."""


class Net(NamedTuple):
    """Some atoms with the arcs and links among them, numbered anew; `atoms` are their old numbers.

    The fields mean what they mean in `Tables`.
    """

    atoms: NDArray[np.int64]
    size: NDArray[np.int64]
    first_arc: NDArray[np.int64]
    arc_to: NDArray[np.int64]
    arc_price: NDArray[np.int64]
    arc_back: NDArray[np.int64]
    first_neighbour: NDArray[np.int64]
    neighbours: NDArray[np.int64]


@compiled
def net_of(t, names, inside):
    """Return the net of the atoms inside; `names` are their numbers in the tables."""
    old = np.flatnonzero(inside)
    n = len(old)
    new = np.full(len(inside), -1, np.int64)
    for k in range(n):
        new[old[k]] = k
    links, arcs = 0, 0
    for i in old:
        links += t.first_neighbour[i + 1] - t.first_neighbour[i]
        arcs += t.first_arc[i + 1] - t.first_arc[i]
    first_arc, first_neighbour = np.zeros(n + 1, np.int64), np.zeros(n + 1, np.int64)
    neighbours, arc_to = np.empty(links, np.int64), np.empty(arcs, np.int64)
    price, back = np.empty(arcs, np.int64), np.empty(arcs, np.int64)
    place = np.full(len(t.arc_to), -1, np.int64)
    links, arcs = 0, 0
    for k in range(n):
        for at in range(t.first_neighbour[old[k]], t.first_neighbour[old[k] + 1]):
            if new[t.neighbours[at]] >= 0:
                neighbours[links] = new[t.neighbours[at]]
                links += 1
        first_neighbour[k + 1] = links
        for e in range(t.first_arc[old[k]], t.first_arc[old[k] + 1]):
            if new[t.arc_to[e]] >= 0:
                place[e] = arcs
                arc_to[arcs], price[arcs], back[arcs] = (
                    new[t.arc_to[e]],
                    t.arc_price[e],
                    t.arc_back[e],
                )
                arcs += 1
        first_arc[k + 1] = arcs
    for e in range(arcs):
        back[e] = place[back[e]]
    return Net(
        names[old],
        t.size[old],
        first_arc,
        arc_to[:arcs],
        price[:arcs],
        back[:arcs],
        first_neighbour,
        neighbours[:links],
    )


@compiled
def least_sum(net, held, inside, own, low, high):
    """Return the least sum of `low`..`high` schools beside those held, and the price λ of the last.

    Everything priced below λ a school is in the sum. `FAR_OFF` if there are too few schools.
    """
    slices = np.empty(int(net.size.sum()), np.int64)
    count = 0
    for i in range(len(own)):
        if inside[i] == 1 and held[i] == 0:
            for _ in range(net.size[i]):
                slices[count] = own[i] // net.size[i]
                count += 1
    total = smallest_sum(slices, count, low, high)
    if total >= FAR_OFF:
        return FAR_OFF, 0
    # the smallest stand first now, in order
    taken = 0
    while taken < min(high, count) and (taken < low or slices[taken] < 0):
        taken += 1
    if taken == high and taken > 0 and slices[taken - 1] < 0:
        return total, slices[taken - 1]
    if taken == low and taken > 0:
        return total, max(slices[taken - 1], 0)
    return total, 0


@compiled
def lean_on(net, inside, v, share, own):
    """Put into `own` the value of every atom less its shares of the arcs to atoms inside."""
    for i in range(len(v)):
        if inside[i] == 1:
            own[i] = v[i]
            for e in range(net.first_arc[i], net.first_arc[i + 1]):
                if inside[net.arc_to[e]] == 1:
                    own[i] -= share[e]


@compiled
def share_out(net, held, inside, v, share, own, base, low, high, threshold):
    """Share every arc out between its ends so that the bound is high; return the bound.

    Any shares ≥ 0 that add up to the arc give a bound. An end inside the best sum whose other end
    is outside gives some of its share away (a subgradient step; Held, Wolfe & Crowder 1974).
    """
    best, kept = -FAR_OFF, share.copy()
    for step in range(SHARINGS):
        lean_on(net, inside, v, share, own)
        rest, line = least_sum(net, held, inside, own, low, high)
        if rest >= FAR_OFF:
            return FAR_OFF
        found = base + rest
        for i in range(len(v)):
            if held[i] == 1:
                found += own[i]
        if found > best:
            best = found
            kept[:] = share
            if best >= threshold:
                return best
        moved = False
        for i in range(len(v)):
            if inside[i] == 0 or (held[i] == 0 and own[i] > line * net.size[i]):
                continue
            for e in range(net.first_arc[i], net.first_arc[i + 1]):
                j = net.arc_to[e]
                if inside[j] == 1 and held[j] == 0 and own[j] > line * net.size[j] and share[e] > 0:
                    given = min(share[e], net.arc_price[e] // (step + 2) + 1)
                    share[e] -= given
                    share[net.arc_back[e]] += given
                    moved = True
        if not moved:
            break
    share[:] = kept
    lean_on(net, inside, v, share, own)
    return best


@compiled
def prune(net, home, held, inside, v, const, low, high, threshold, share, own, extra):
    """Leave out atoms that no cluster below the threshold can hold; return a bound on all of them.

    All atoms `held` are in the cluster. One that holds an atom holds a way to it: what the atoms of
    the cheapest way cost more than the dearest of the best sum is paid on top of it (`extra`).
    `share` and `own` take the shares of the arcs and the values that follow.
    """
    n = len(v)
    for e in range(len(share)):
        share[e] = net.arc_price[e] // 2
        if net.arc_price[e] % 2 == 1 and e < net.arc_back[e]:
            share[e] += 1
    bound = -FAR_OFF
    done = np.empty(n, np.uint8)
    room, least = high, low
    for i in range(n):
        if held[i] == 1:
            room, least = room - net.size[i], max(least - net.size[i], 0)
    for _ in range(6):
        bound = max(
            bound, share_out(net, held, inside, v, share, own, const, least, room, threshold)
        )
        if bound >= threshold:
            return bound
        total, line = least_sum(net, held, inside, own, least, room)
        spare = threshold - const - total
        for i in range(n):
            if held[i] == 1:
                spare -= own[i]
        cheapest_ways(net, home, held, inside, own, line, spare, extra, done)
        changed = False
        for i in range(n):
            if inside[i] == 1 and done[i] == 0:
                if held[i] == 1:
                    return threshold
                inside[i] = 0
                changed = True
        if not changed:
            break
    return bound


@compiled
def cheapest_ways(net, home, held, inside, own, line, spare, extra, done):
    """Flag in `done` the atoms that a way from home reaches for less than `spare` (Dijkstra 1959).

    An atom on the way costs what its value exceeds `line` a school; those held cost nothing more.
    """
    n = len(own)
    for i in range(n):
        extra[i], done[i] = FAR_OFF, 0
    heap = [(np.int64(0), np.int64(home))]
    extra[home] = 0
    while len(heap) > 0:
        far, i = heapq.heappop(heap)
        if done[i] == 1:
            continue
        done[i] = 1
        for place in range(net.first_neighbour[i], net.first_neighbour[i + 1]):
            j = net.neighbours[place]
            if inside[j] == 0 or done[j] == 1:
                continue
            there = far
            if held[j] == 0:
                there += max(own[j] - line * net.size[j], 0)
            if there < extra[j] and there < spare:
                extra[j] = there
                heapq.heappush(heap, (there, j))


@compiled
def arranged(net, home, held, inside, core):
    """Return the atoms around a hub: home, others held, the core, the rest; and where those begin.

    Within core and rest they stand by their distance from home in the neighbour graph, so that
    leaving one out early cuts off what lies behind it.
    """
    n = len(inside)
    depth = np.full(n, -1, np.int64)
    queue = np.empty(n, np.int64)
    queue[0], depth[home], count = home, 0, 1
    at = 0
    while at < count:
        i = queue[at]
        at += 1
        for place in range(net.first_neighbour[i], net.first_neighbour[i + 1]):
            j = net.neighbours[place]
            if inside[j] == 1 and depth[j] < 0:
                depth[j] = depth[i] + 1
                queue[count] = j
                count += 1
    order = np.empty(count, np.int64)
    order[0], size = home, 1
    for k in range(1, count):
        if held[queue[k]] == 1:
            order[size] = queue[k]
            size += 1
    for k in range(1, count):
        if core[queue[k]] == 1 and held[queue[k]] == 0:
            order[size] = queue[k]
            size += 1
    first = size
    for k in range(1, count):
        if core[queue[k]] == 0 and held[queue[k]] == 0:
            order[size] = queue[k]
            size += 1
    return order, first
