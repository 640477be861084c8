"""Simulated annealing over plans: a good plan in a second, and the first columns of the proof.

A move shifts one atom to the cluster of a neighbour, or swaps two atoms of neighbouring clusters
(Kirkpatrick, Gelatt & Vecchi 1983). Connectivity is kept by every move; the other rules may be
broken on the way at a price, the penalty, for each school, pupil-school or need-school too
many or too few. A change that makes the plan dearer by d is accepted with probability exp(−d/T),
and T falls geometrically. T and the penalty are set from the changes that random moves make
(as in Johnson et al. 1989), never from constants: objectives differ by orders of magnitude.

Everything is counted in moves and drawn from one xorshift64* stream (Marsaglia 2003; Vigna 2016),
so the same seed gives the same plan however the work is cut into chunks.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

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
    compiled,
    deviation,
    joined,
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
    """(K, m) price of the minutes of all members to each school."""
    late: Ints
    """(classes, K, m) members that are too far from each school."""
    pull: Ints
    """(K, n) what each atom's leavers and the members of a cluster save by being together."""
    inner: Ints
    """(K,) Σ out − Σ arcs inside: the price of the leavers of a cluster."""
    cost: Ints
    wrong: NDArray[np.float64]
    hub: Ints
    loan: Ints
    split: Ints
    """(K,) 1 for a cluster that is not in one piece (only at the start)."""
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


@compiled
def draw(random):
    """Return the next 64 random bits."""
    x = random[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    random[0] = x
    return x * np.uint64(2685821657736338717)


@compiled
def below(random, end):
    """Return a random whole number in 0..end−1 (end < 2³¹)."""
    return (np.int64(draw(random) >> np.uint64(33)) * end) >> 31


@compiled
def uniform(random):
    """Return a random number in (0, 1]."""
    return (np.float64(draw(random) >> np.uint64(11)) + 1.0) * 1.1102230246251565e-16


@compiled
def gap_to(value, low, high):
    """Return how far a value lies outside a range."""
    return max(low - value, value - high, 0)


@compiled
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


@compiled
def hub_of(t, s, c, gone, come, members, count, kind, pin, loan, penalty):
    """Return the hub of a cluster, the price of its minutes, and how many atoms are too far."""
    lent = -1 if loan < 0 else t.loan_school[loan]
    best, price, far, least = -1, 0, 0, 1e300
    for k in range(count):
        i = members[k]
        for place in range(t.first_school[i], t.first_school[i + 1]):
            h = t.schools_of[place]
            if t.hub_allowed[h] == 0 or (pin >= 0 and h != pin):
                continue
            total, late = s.travel[c, h], s.late[kind, c, h]
            if gone >= 0:
                total -= t.travel[gone, h]
                late -= t.far[gone, h] > t.minutes[kind]
            if come >= 0:
                total += t.travel[come, h]
                late += t.far[come, h] > t.minutes[kind]
            if lent >= 0:
                total += t.school_travel[lent, h]
                late += t.school_minutes[lent, h] > t.minutes[kind]
            if total + penalty * late < least:
                best, price, far, least = h, total, late, total + penalty * late
    return best, price, far


@compiled
def main_area(t, s, c, gone, come, members, count):
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
    kind, first = t.area_class[main], 1 << 40
    for k in range(count):
        i = members[k]
        if t.anchor_class[i] >= 0 and i < first:
            kind, first = t.anchor_class[i], i
    return kind, main, most


@compiled
def weigh(t, s, c, gone, come, buffer, penalty):
    """Return cost, broken rules, hub, loan and leavers of cluster c after a change."""
    p = t.prices
    count = listed(s, c, gone, come, buffer)
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
        inner -= t.out[gone] - s.pull[c, gone]
    if come >= 0:
        schools += t.size[come]
        primaries += t.primaries[come]
        own += t.secondaries[come]
        pupils += t.pupils[come]
        need += t.need[come]
        placed += t.placed[come]
        inner += t.out[come] - s.pull[c, come]
        if gone >= 0:
            inner += t.arcs[gone, come]
    kind, main, most = main_area(t, s, c, gone, come, buffer, count)
    limit = t.limits[kind]
    wrong = float(gap_to(schools, limit[0], limit[1]) + max(limit[5] - primaries, 0))
    n = len(t.size)
    wrong += gap_to(pupils, limit[2], limit[3]) * n / max(p[TOTAL_PUPILS], 1)
    wrong += gap_to(need, limit[6], limit[7]) * n / max(p[TOTAL_NEED], 1)
    pin = -1
    for k in range(count):
        i = buffer[k]
        if t.pin[i] >= 0:
            if pin >= 0 and pin != t.pin[i]:
                wrong += 1.0
            pin = t.pin[i]
    for k in range(count):
        for other in range(k):
            wrong += t.apart[buffer[k], buffer[other]]
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
        hub, price, late = hub_of(t, s, c, gone, come, buffer, count, kind, pin, -1, penalty)
    else:
        least = 1e300
        for one in range(len(t.loan_school)):
            usable = t.loan_area[one] == -1 or t.loan_area[one] == main
            if not usable or s.used[one] >= t.loan_count[one]:
                continue
            saved = 0
            if t.loan_school[one] >= 0:
                usable = own + 1 >= limit[4]
                for k in range(count):
                    usable = usable and buffer[k] != t.loan_atom[one]
                    saved += t.loan_cut[one, buffer[k]]
            if usable:
                h, a, b = hub_of(t, s, c, gone, come, buffer, count, kind, pin, one, penalty)
                if h >= 0 and a - saved + penalty * b < least:
                    hub, price, late, loan = h, a - saved, b, one
                    least = price + penalty * late
        if loan < 0:
            wrong += limit[4] - own
            hub, price, late = hub_of(t, s, c, gone, come, buffer, count, kind, pin, -1, penalty)
    if hub < 0:
        wrong += 2.0
    return cost + price, wrong + late, hub, loan, inner


@compiled
def put(t, s, c, i, sign):
    """Add (+1) or take away (−1) an atom in the sums of a cluster."""
    s.sums[c, 0] += sign * t.size[i]
    s.sums[c, 1] += sign * t.primaries[i]
    s.sums[c, 2] += sign * t.secondaries[i]
    s.sums[c, 3] += sign * t.pupils[i]
    s.sums[c, 4] += sign * t.need[i]
    s.sums[c, 5] += sign * t.placed[i]
    for a in range(s.areas.shape[1]):
        s.areas[c, a] += sign * t.area_count[i, a]
    for o in range(s.olds.shape[1]):
        s.olds[c, o] += sign * t.old_count[i, o]
    for h in range(s.travel.shape[1]):
        s.travel[c, h] += sign * t.travel[i, h]
    for kind in range(s.late.shape[0]):
        for h in range(s.travel.shape[1]):
            s.late[kind, c, h] += sign * (t.far[i, h] > t.minutes[kind])
    for j in range(len(t.size)):
        s.pull[c, j] += sign * t.arcs[i, j]
    if sign > 0:
        s.label[i], s.where[i] = c, s.held[c]
        s.members[c, s.held[c]] = i
        s.held[c] += 1
    else:
        last = s.members[c, s.held[c] - 1]
        s.members[c, s.where[i]] = last
        s.where[last] = s.where[i]
        s.held[c] -= 1


@compiled
def seat(t, s, c, buffer, penalty):
    """Judge cluster c as it stands and note what was found."""
    cost, wrong, hub, loan, _ = weigh(t, s, c, -1, -1, buffer, penalty)
    s.cost[c], s.wrong[c], s.hub[c], s.loan[c] = cost, wrong + s.split[c], hub, loan
    if loan >= 0:
        s.used[loan] += 1


@compiled
def settle(t, s, label, penalty):
    """Build the sums of a plan from the cluster of each atom."""
    buffer = np.empty(len(label), np.int64)
    for i in range(len(label)):
        put(t, s, label[i], i, 1)
    for c in range(len(s.held)):
        for k in range(s.held[c]):
            i = s.members[c, k]
            s.inner[c] += t.out[i]
            for other in range(k):
                s.inner[c] -= t.arcs[i, s.members[c, other]]
        s.split[c] = 0 if joined(t, s.members[c], s.held[c]) else 1
        seat(t, s, c, buffer, penalty)


@compiled
def remember(s, c):
    """Keep a cluster for the proof, once."""
    size = s.pool_size[0]
    if size >= s.pool.shape[0] or s.held[c] > s.pool.shape[1]:
        return
    name = np.uint64(0)
    for k in range(s.held[c]):
        name ^= s.names[s.members[c, k]]
    last = np.uint64(len(s.seen) - 1)
    at = name & last
    while s.seen[at] != np.uint64(0):
        if s.seen[at] == name:
            return
        at = (at + np.uint64(1)) & last
    s.seen[at] = name
    for k in range(s.held[c]):
        s.pool[size, k] = s.members[c, k]
    s.pool_size[0] += 1


@compiled
def propose(t, s):
    """Return a random move: atom i, its cluster c, another cluster d, and an atom to swap or −1."""
    i = below(s.random, len(s.label))
    first, last = t.first_neighbour[i], t.first_neighbour[i + 1]
    if first == last:
        return -1, 0, 0, -1
    j = t.neighbours[first + below(s.random, last - first)]
    c, d = s.label[i], s.label[j]
    if c == d:
        return -1, 0, 0, -1
    if below(s.random, 100) < 55:
        return (i if s.held[c] > 1 else -1), c, d, -1
    swap = j
    if below(s.random, 2) == 0:
        # an atom of d that also borders on c, found through a random member of c
        r = s.members[c, below(s.random, s.held[c])]
        first, last = t.first_neighbour[r], t.first_neighbour[r + 1]
        if first < last:
            q = t.neighbours[first + below(s.random, last - first)]
            if s.label[q] == d and r != i:
                swap = q
    return i, c, d, swap


@compiled
def measure(t, s, tries, penalty):
    """Return the mean size of the change in cost that random moves make (rules set aside)."""
    buffer = np.empty(len(s.label), np.int64)
    total, count = 0.0, 0
    for _ in range(tries):
        i, c, d, swap = propose(t, s)
        if i < 0:
            continue
        a = weigh(t, s, c, i, swap, buffer, penalty)
        b = weigh(t, s, d, swap, i, buffer, penalty)
        total += abs(a[0] + b[0] - s.cost[c] - s.cost[d])
        count += 1
    return total / max(count, 1)


@compiled
def anneal(t, s, moves, done, total, hot, cold, penalty, keep_from):
    """Make `moves` moves of a run of `total`, of which `done` are made; keeps the best plan.

    From move `keep_from` on, clusters that keep the rules go to the pool.
    """
    n, clusters = len(s.label), len(s.held)
    one, two = np.empty(n, np.int64), np.empty(n, np.int64)
    temperature = hot
    for move in range(done, done + moves):
        if move % 128 == 0 or move == done:
            temperature = hot * (cold / hot) ** ((move - move % 128) / total)
        i, c, d, swap = propose(t, s)
        if i < 0:
            continue
        allowed = -temperature * np.log(uniform(s.random))
        old_c, old_d = s.loan[c], s.loan[d]
        if old_c >= 0:
            s.used[old_c] -= 1
        if old_d >= 0:
            s.used[old_d] -= 1
        a = weigh(t, s, c, i, swap, one, penalty)
        if a[3] >= 0:
            s.used[a[3]] += 1
        b = weigh(t, s, d, swap, i, two, penalty)
        if b[3] >= 0:
            s.used[b[3]] += 1
        change = a[0] + b[0] - s.cost[c] - s.cost[d]
        change += penalty * (a[1] + b[1] - s.wrong[c] - s.wrong[d])
        taken = change <= allowed
        if taken:
            here = s.held[c] - 1 + (swap >= 0)
            there = s.held[d] + 1 - (swap >= 0)
            taken = joined(t, one, here) and joined(t, two, there)
        if not taken:
            if a[3] >= 0:
                s.used[a[3]] -= 1
            if b[3] >= 0:
                s.used[b[3]] -= 1
            if old_c >= 0:
                s.used[old_c] += 1
            if old_d >= 0:
                s.used[old_d] += 1
            continue
        put(t, s, c, i, -1)
        if swap >= 0:
            put(t, s, d, swap, -1)
            put(t, s, c, swap, 1)
        put(t, s, d, i, 1)
        s.cost[c], s.wrong[c], s.hub[c], s.loan[c], s.inner[c] = a
        s.cost[d], s.wrong[d], s.hub[d], s.loan[d], s.inner[d] = b
        s.split[c] = s.split[d] = 0
        if move >= keep_from:
            if a[1] == 0.0:
                remember(s, c)
            if b[1] == 0.0:
                remember(s, d)
        if a[1] > 0.0 or b[1] > 0.0:
            continue
        cost, wrong = 0, 0.0
        for k in range(clusters):
            cost += s.cost[k]
            wrong += s.wrong[k]
        if wrong == 0.0 and cost < s.best_cost[0]:
            s.best_cost[0] = cost
            for k in range(n):
                s.best[0, k] = s.label[k]
                s.best[1, k] = s.hub[s.label[k]]
                s.best[2, k] = s.loan[s.label[k]]
