"""The atoms that can share a cluster with a given hub, ordered and numbered for the pricer.

For duals π (one per atom) the reduced cost of a cluster C with hub h is

    rc(C) = const + Σ_{i∈C} v_i − Σ_{i<j∈C} arcs_ij
            + balance(need) + size(pupils) + Σ_T ρ_T [|C∩T| ≥ 2]

with v_i = travel[i,h] + out_i − π_i (+ the prices of crossing, change and loan, which are linear in
C once the main area, the main old cluster and the loan are fixed: a *mode*). Every arc is shared
out between its ends, which can only flatter a cluster; the best sum of schools under that
relaxation bounds rc from below. An atom whose every cluster is bounded above the threshold is left
out.
"""

from __future__ import annotations

import numpy as np

from clustering.solve.kernels import compiled
from clustering.solve.tables import CHANGE, CLUSTER, CROSSING

WIDEST = 64
"""Atoms around a hub that fit the bit masks of the pricer."""
FAR_OFF = np.int64(2**60)


@compiled
def can_hold(t, kind, area, anchor):
    """Return whether a limit class can hold for a cluster in a mode: an anchor decides alone."""
    if anchor >= 0:
        return t.anchor_class[anchor] == kind
    for a in range(len(t.area_class)):
        if t.area_class[a] == kind and (area < 0 or a == area):
            return True
    return False


@compiled
def can_lead(t, hub, area, anchor):
    """Return whether a school can be the hub under any limit class that can hold in a mode."""
    for kind in range(len(t.limits)):
        if t.hub_allowed[kind, hub] == 1 and can_hold(t, kind, area, anchor):
            return True
    return False


@compiled
def ranges(t, area, anchor):
    """Return the union of the limits that can hold for a cluster in a mode.

    An anchor decides alone; without one the main area does (any, if `area` is −1).
    Rows: schools low/high, pupils low/high, secondaries low/high, primaries, need low/high.
    """
    wide = np.array([1 << 40, 0, 1 << 40, 0, 1 << 40, 0, 1 << 40, 1 << 60, 0], np.int64)
    late = 0.0
    for kind in range(len(t.limits)):
        if not can_hold(t, kind, area, anchor):
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
def candidates(t, hub, area, loan, anchor, late):
    """Return a flag for every atom that the rules allow around a hub, none if the hub cannot be.

    Without an anchor no atom that is one can be inside; with one, none that would go before it.
    """
    n = len(t.size)
    home = t.atom_of[hub]
    inside = np.zeros(n, np.uint8)
    barred = not can_lead(t, hub, area, anchor) or (t.pin[home] >= 0 and t.pin[home] != hub)
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
        if t.anchor_class[i] >= 0:
            fits = fits and anchor >= 0 and i >= anchor
        inside[i] = fits
    if inside[home] == 0 or (anchor >= 0 and inside[anchor] == 0):
        inside[:] = 0
        return inside
    reachable(t, home, inside)
    if anchor >= 0 and inside[anchor] == 0:
        inside[:] = 0
    return inside
