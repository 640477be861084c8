"""The atoms that can share a cluster with a given hub, ordered and numbered for the pricer.

For duals π (one per atom) the reduced cost of a cluster C with hub h is

    rc(C) = const + Σ_{i∈C} v_i − Σ_{i<j∈C} arcs_ij
            + balance(need) + size(pupils) + Σ_T ρ_T [|C∩T| ≥ 2]

with v_i = travel[i,h] + out_i − π_i (+ the prices of crossing, change and loan, which are linear in
C once the main area, the main old cluster and the loan are fixed: a *mode*). Half of every arc goes
to each end, which can only flatter a cluster; the best sum of schools under that relaxation bounds
rc from below. An atom whose every cluster is bounded above the threshold is left out.
"""

from __future__ import annotations

import numpy as np

from clustering.solve.kernels import compiled
from clustering.solve.tables import CHANGE, CLUSTER, CROSSING

WIDEST = 64
"""Atoms around a hub that fit the bit masks of the pricer."""
FAR_OFF = np.int64(2**60)


@compiled
def ranges(t, area):
    """Return the union of the limits that can hold for a cluster whose main area is `area`.

    Rows: schools low/high, pupils low/high, secondaries low/high, primaries, need low/high.
    """
    wide = np.array([1 << 40, 0, 1 << 40, 0, 1 << 40, 0, 1 << 40, 1 << 60, 0], np.int64)
    late = 0.0
    for kind in range(len(t.limits)):
        possible = False
        for a in range(len(t.area_class)):
            possible = possible or (t.area_class[a] == kind and (area < 0 or a == area))
        for i in range(len(t.anchor_class)):
            possible = possible or t.anchor_class[i] == kind
        if not possible:
            continue
        limit = t.limits[kind]
        wide[0] = min(wide[0], limit[0])
        wide[1] = max(wide[1], limit[1])
        wide[2] = min(wide[2], limit[2])
        wide[3] = max(wide[3], limit[3])
        wide[4] = min(wide[4], limit[4])
        wide[5] = max(wide[5], limit[4])
        wide[6] = min(wide[6], limit[5])
        wide[7] = min(wide[7], limit[6])
        wide[8] = max(wide[8], limit[7])
        late = max(late, t.minutes[kind])
    return wide, late


@compiled
def values(t, hub, area, old, loan, pi, mu):
    """Return v of every atom and the constant of a mode; see the module's head."""
    n = len(t.size)
    v = np.empty(n, np.int64)
    const = t.prices[CLUSTER]
    for i in range(n):
        v[i] = t.travel[i, hub] + t.out[i] - pi[i]
        if area >= 0:
            v[i] += t.prices[CROSSING] * (t.size[i] - t.area_count[i, area])
        if old >= 0:
            v[i] += t.prices[CHANGE] * (t.placed[i] - t.old_count[i, old])
        if loan >= 0:
            v[i] -= t.loan_cut[loan, i]
    if loan >= 0:
        const += mu[loan]
        if t.loan_school[loan] >= 0:
            const += t.school_travel[t.loan_school[loan], hub]
    return v, const


@compiled
def best_sum(slices, count, low, high):
    """Return the least sum of `low`..`high` of the `count` numbers; `FAR_OFF` if too few.

    `slices` is sorted in place as far as needed.
    """
    if high < 0 or low > count:
        return FAR_OFF
    total = 0
    for k in range(min(high, count)):
        least = k
        for other in range(k + 1, count):
            if slices[other] < slices[least]:
                least = other
        slices[k], slices[least] = slices[least], slices[k]
        if k >= low and slices[k] >= 0:
            break
        total += slices[k]
    return total


@compiled
def reachable(t, start, inside):
    """Keep in `inside` only the atoms that are connected to `start` through others inside."""
    n = len(inside)
    seen = np.zeros(n, np.uint8)
    stack = np.empty(n, np.int64)
    seen[start], stack[0], top = 1, start, 1
    while top > 0:
        top -= 1
        at = stack[top]
        for place in range(t.first_neighbour[at], t.first_neighbour[at + 1]):
            j = t.neighbours[place]
            if inside[j] == 1 and seen[j] == 0:
                seen[j] = 1
                stack[top] = j
                top += 1
    for i in range(n):
        inside[i] = seen[i]


@compiled
def candidates(t, hub, loan, late):
    """Return a flag for every atom that the rules allow around a hub."""
    n = len(t.size)
    home = t.atom_of[hub]
    inside = np.zeros(n, np.uint8)
    barred = t.hub_allowed[hub] == 0 or (t.pin[home] >= 0 and t.pin[home] != hub)
    if loan >= 0:
        lent = t.loan_school[loan]
        barred = barred or home == t.loan_atom[loan]
        barred = barred or (lent >= 0 and t.school_minutes[lent, hub] > late)
    if barred or t.far[home, hub] > late:
        return inside
    for i in range(n):
        fits = t.far[i, hub] <= late and (t.pin[i] < 0 or t.pin[i] == hub)
        fits = fits and t.apart[i, home] == 0
        if loan >= 0:
            fits = fits and i != t.loan_atom[loan]
        inside[i] = fits
    reachable(t, home, inside)
    return inside


@compiled
def prune(t, home, inside, v, const, low, high, threshold):
    """Leave out atoms that no cluster below the threshold can hold; return a bound on all of them.

    Works on doubled numbers so that half an arc is whole. An atom of several schools counts as
    that many slices of its value, rounded down.
    """
    n = len(v)
    slices = np.empty(int(t.size.sum()), np.int64)
    half = np.empty(n, np.int64)
    bound = FAR_OFF
    for _ in range(5):
        count = 0
        for i in range(n):
            if inside[i] == 0:
                continue
            half[i] = 2 * v[i]
            for j in range(n):
                if inside[j] == 1:
                    half[i] -= t.arcs[i, j]
            if i != home:
                for _ in range(t.size[i]):
                    slices[count] = half[i] // t.size[i]
                    count += 1
        room, least = high - t.size[home], low - t.size[home]
        base = 2 * const + half[home]
        rest = best_sum(slices, count, max(least, 0), room)
        if rest >= FAR_OFF:
            return FAR_OFF
        bound = (base + rest) // 2
        if bound >= threshold:
            return bound
        changed = False
        slices[:count].sort()
        for i in range(n):
            if inside[i] == 0 or i == home:
                continue
            # the atom itself may be among the slices: a weaker bound, still a bound
            rest = best_sum(slices, count, max(least - t.size[i], 0), room - t.size[i])
            if rest >= FAR_OFF or base + half[i] + rest >= 2 * threshold:
                inside[i] = 0
                changed = True
        if not changed:
            break
        reachable(t, home, inside)
    return bound


@compiled
def arranged(t, home, inside, core):
    """Return the atoms around a hub: home first, then the core, then the rest; and both counts.

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
        for place in range(t.first_neighbour[i], t.first_neighbour[i + 1]):
            j = t.neighbours[place]
            if inside[j] == 1 and depth[j] < 0:
                depth[j] = depth[i] + 1
                queue[count] = j
                count += 1
    order = np.empty(count, np.int64)
    order[0], size = home, 1
    for k in range(1, count):
        if core[queue[k]] == 1:
            order[size] = queue[k]
            size += 1
    first = size
    for k in range(1, count):
        if core[queue[k]] == 0:
            order[size] = queue[k]
            size += 1
    return order, first
