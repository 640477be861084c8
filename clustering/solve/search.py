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

import numpy as np

from clustering.solve.kernels import lean
from clustering.solve.weighing import (
    APART,
    MINUTES,
    REACH,
    WHOLE,
    below,
    late_at,
    listed,
    one_piece,
    torn_by,
    uniform,
    way_to,
    weigh,
)


@lean
def reach(t, s, c, i, sign):
    """Keep the minutes to each possible hub of cluster c up to date when atom i comes or goes."""
    for k in range(s.held[c]):
        j = s.members[c, k]
        for place in range(t.first_school[j], t.first_school[j + 1]):
            h = t.schools_of[place]
            s.travel[h] += sign * t.travel[i, h]
            if s.has[REACH] == 1:
                for kind in range(s.late.shape[0]):
                    s.late[kind, h] += sign * (t.far[i, h] > t.minutes[kind])
    if sign > 0:
        for place in range(t.first_school[i], t.first_school[i + 1]):
            h = t.schools_of[place]
            s.travel[h] = t.travel[i, h] + way_to(t, s, c, h)
            if s.has[REACH] == 1:
                for kind in range(s.late.shape[0]):
                    s.late[kind, h] = late_at(t, s, c, h, kind)
                    s.late[kind, h] += t.far[i, h] > t.minutes[kind]


@lean
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
    if s.has[MINUTES] == 1:
        reach(t, s, c, i, sign)
    if s.has[APART] == 1:
        s.torn[c] += sign * torn_by(t, s, c, i, i)
    if sign > 0:
        s.label[i], s.where[i] = c, s.held[c]
        s.members[c, s.held[c]] = i
        s.held[c] += 1
    else:
        last = s.members[c, s.held[c] - 1]
        s.members[c, s.where[i]] = last
        s.where[last] = s.where[i]
        s.held[c] -= 1


@lean
def seat(t, s, c, penalty):
    """Judge cluster c as it stands and note what was found."""
    cost, wrong, hub, loan, _ = weigh(t, s, c, -1, -1, penalty)
    s.cost[c], s.wrong[c], s.hub[c], s.loan[c] = cost, wrong + s.split[c], hub, loan
    if loan >= 0:
        s.used[loan] += 1


@lean
def settle(t, s, label, penalty):
    """Build the sums of a plan from the cluster of each atom."""
    for i in range(len(label)):
        put(t, s, label[i], i, 1)
    for c in range(len(s.held)):
        for k in range(s.held[c]):
            i = s.members[c, k]
            s.inner[c] += t.out[i]
            for other in range(k):
                s.inner[c] -= t.arcs[i, s.members[c, other]]
        count = listed(s, c, -1, -1, s.work[0])
        s.split[c] = 0 if one_piece(t, s.work[0], count) else 1
        seat(t, s, c, penalty)


@lean
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


@lean
def propose(t, s):
    """Return a random move: atom i, its cluster c, another cluster d, and an atom to swap or −1."""
    n = len(s.label)
    i = below(s.random, n)
    first, last = s.first_near[i], s.first_near[i + 1]
    if first == last:
        return -1, 0, 0, -1
    j = s.near[first + below(s.random, last - first)]
    if s.has[WHOLE] == 1 and below(s.random, 16) == 0:
        j = below(s.random, n)
    c, d = s.label[i], s.label[j]
    if c == d:
        return -1, 0, 0, -1
    if below(s.random, 100) < 55:
        return (i if s.held[c] > 1 else -1), c, d, -1
    if s.has[WHOLE] == 1 and (s.has[MINUTES] == 0 or below(s.random, 3) == 0):
        return i, c, d, s.members[d, below(s.random, s.held[d])]
    swap = j
    if below(s.random, 2) == 0:
        # an atom of d that also borders on c, found through a random member of c
        r = s.members[c, below(s.random, s.held[c])]
        first, last = s.first_near[r], s.first_near[r + 1]
        if first < last:
            q = s.near[first + below(s.random, last - first)]
            if s.label[q] == d and r != i:
                swap = q
    return i, c, d, swap


@lean
def measure(t, s, tries, penalty):
    """Return the mean size of the change in cost that random moves make (rules set aside)."""
    total, count = 0.0, 0
    for _ in range(tries):
        i, c, d, swap = propose(t, s)
        if i < 0:
            continue
        a = weigh(t, s, c, i, swap, penalty)
        b = weigh(t, s, d, swap, i, penalty)
        total += abs(a[0] + b[0] - s.cost[c] - s.cost[d])
        count += 1
    return total / max(count, 1)


@lean
def lend(s, loan, sign):
    """Count a use of a loan, or take it back; −1 is none."""
    if loan >= 0:
        s.used[loan] += sign


@lean
def follow(penalty, broken):
    """Let the penalty follow whether rules are broken."""
    raised = penalty[0] * (1.02 if broken else 0.98)
    penalty[0] = min(max(raised, penalty[1]), penalty[2])


@lean
def anneal(t, s, moves, done, total, hot, cold, keep_from):
    """Make `moves` moves of a run of `total`, of which `done` are made; keeps the best plan.

    From move `keep_from` on, clusters that keep the rules go to the pool. The penalty rises while
    rules are broken and falls while all are kept, within its limits: plans stay at the edge of the
    rules, where the best ones are.
    """
    n, clusters = len(s.label), len(s.held)
    temperature, penalty = hot, s.penalty[0]
    whole, broken, cost = s.has[WHOLE] == 1, 0, 0
    for k in range(clusters):
        broken += s.wrong[k] > 0.0
        cost += s.cost[k]
    for move in range(done, done + moves):
        if move % 128 == 0 or move == done:
            temperature = hot * (cold / hot) ** ((move - move % 128) / total)
        if move % 1024 == 0:
            follow(s.penalty, broken > 0)
            penalty = s.penalty[0]
        i, c, d, swap = propose(t, s)
        if i < 0:
            continue
        allowed = -temperature * np.log(uniform(s.random))
        old_c, old_d = s.loan[c], s.loan[d]
        lend(s, old_c, -1)
        lend(s, old_d, -1)
        a = weigh(t, s, c, i, swap, penalty)
        lend(s, a[3], 1)
        b = weigh(t, s, d, swap, i, penalty)
        lend(s, b[3], 1)
        change = a[0] + b[0] - s.cost[c] - s.cost[d]
        taken = change + penalty * (a[1] + b[1] - s.wrong[c] - s.wrong[d]) <= allowed
        if taken and not whole:
            here = listed(s, c, i, swap, s.work[0])
            there = listed(s, d, swap, i, s.work[1])
            taken = one_piece(t, s.work[0], here) and one_piece(t, s.work[1], there)
        if not taken:
            lend(s, a[3], -1)
            lend(s, b[3], -1)
            lend(s, old_c, 1)
            lend(s, old_d, 1)
            continue
        put(t, s, c, i, -1)
        if swap >= 0:
            put(t, s, d, swap, -1)
            put(t, s, c, swap, 1)
        put(t, s, d, i, 1)
        broken += (a[1] > 0.0) + (b[1] > 0.0) - (s.wrong[c] > 0.0) - (s.wrong[d] > 0.0)
        cost += change
        s.cost[c], s.wrong[c], s.hub[c], s.loan[c], s.inner[c] = a
        s.cost[d], s.wrong[d], s.hub[d], s.loan[d], s.inner[d] = b
        s.split[c] = s.split[d] = 0
        if move >= keep_from:
            if a[1] == 0.0:
                remember(s, c)
            if b[1] == 0.0:
                remember(s, d)
        if broken == 0 and cost < s.best_cost[0]:
            s.best_cost[0] = cost
            for k in range(n):
                s.best[0, k] = s.label[k]
                s.best[1, k] = s.hub[s.label[k]]
                s.best[2, k] = s.loan[s.label[k]]
