"""The arrays of a `Model` laid out for compiled code, and the judge of a single cluster.

The kernels (search, pricing) read one bundle of arrays, `Tables`. `judge` is the compiled twin of
`Model.cost` and `Model.faults`; the tests hold the two together on random models.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from clustering.rules import cents
from clustering.solve.kernels import compiled, lean
from clustering.solve.model import NO_LIMIT, Model

Ints = NDArray[np.int64]
BROKEN = np.int64(2**60)
"""Cost that `judge` gives to a cluster that breaks a rule."""


class Tables(NamedTuple):
    """A model for a fixed number of clusters K. n atoms, m schools, A areas, O old clusters.

    `arcs` is symmetric: what is saved when two atoms share a cluster; `out` is what an atom's
    leavers would cost if it were alone. So the leavers of a cluster cost Σ out − Σ arcs of pairs.
    """

    size: Ints
    primaries: Ints
    secondaries: Ints
    pupils: Ints
    need: Ints
    area_count: Ints
    old_count: Ints
    placed: Ints
    travel: Ints
    far: NDArray[np.float64]
    hub_allowed: NDArray[np.uint8]
    """(classes, m) schools that can be the hub of a cluster of each limit class."""
    atom_of: Ints
    first_school: Ints
    """(n+1,) where the schools of each atom start in `schools_of`."""
    schools_of: Ints
    pin: Ints
    out: Ints
    arcs: Ints
    first_arc: Ints
    """(n+1,) where the arcs of each atom start in the three arrays below."""
    arc_to: Ints
    arc_price: Ints
    arc_back: Ints
    """The same arc seen from its other end."""
    adjacent: NDArray[np.uint8]
    apart: NDArray[np.uint8]
    first_neighbour: Ints
    neighbours: Ints
    anchor_class: Ints
    area_class: Ints
    limits: Ints
    """(classes, 8) schools low/high, pupils low/high, secondaries, primaries, need low/high."""
    minutes: NDArray[np.float64]
    """(classes,) widest minutes to the hub."""
    loan_school: Ints
    loan_atom: Ints
    loan_area: Ints
    loan_count: Ints
    loan_cut: Ints
    school_travel: Ints
    school_minutes: NDArray[np.float64]
    prices: Ints
    """crossing, change, cluster, 100·balance, 100·size, total need, total pupils, K."""


CROSSING, CHANGE, CLUSTER, BALANCE, SIZE_BALANCE, TOTAL_NEED, TOTAL_PUPILS, COUNT = range(8)


def make_tables(model: Model, clusters: int) -> Tables:
    """Return the arrays of a model for a number of clusters, all C-contiguous."""
    n = len(model)
    order = np.argsort(model.atom_of, kind="stable").astype(np.int64)
    starts = np.searchsorted(model.atom_of[order], np.arange(n + 1)).astype(np.int64)
    rows, columns = np.nonzero(model.adjacent)
    arcs = np.ascontiguousarray(model.cut + model.cut.T) * (1 - np.eye(n, dtype=np.int64))
    ends, others = np.nonzero(arcs)
    apart = np.zeros((n, n), np.uint8)
    for a, b in model.apart:
        apart[a, b] = apart[b, a] = 1
    areas = model.area_count
    old = model.old_count if model.old_count.shape[1] else np.zeros((n, 1), np.int64)
    loans = model.loans
    return Tables(
        size=model.size,
        primaries=model.primaries,
        secondaries=model.secondaries,
        pupils=model.pupils,
        need=model.need,
        area_count=np.ascontiguousarray(areas),
        old_count=np.ascontiguousarray(old),
        placed=old.sum(axis=1),
        travel=np.ascontiguousarray(model.travel),
        far=np.ascontiguousarray(model.far),
        hub_allowed=(model.hub_allowed & model.in_reach).astype(np.uint8),
        atom_of=model.atom_of,
        first_school=starts,
        schools_of=order,
        pin=model.pin,
        out=model.cut.sum(axis=1),
        arcs=arcs,
        first_arc=np.searchsorted(ends, np.arange(n + 1)).astype(np.int64),
        arc_to=others.astype(np.int64),
        arc_price=arcs[ends, others],
        arc_back=np.lexsort((ends, others)).astype(np.int64),
        adjacent=model.adjacent.astype(np.uint8),
        apart=apart,
        first_neighbour=np.searchsorted(rows, np.arange(n + 1)).astype(np.int64),
        neighbours=columns.astype(np.int64),
        anchor_class=model.anchor_class,
        area_class=model.area_class,
        limits=_limits(model, clusters),
        minutes=np.array([c.max_minutes for c in model.classes], float),
        loan_school=np.array([x.school for x in loans], np.int64),
        loan_atom=np.array([x.atom for x in loans], np.int64),
        loan_area=np.array([x.area for x in loans], np.int64),
        loan_count=np.array([x.count for x in loans], np.int64),
        loan_cut=np.ascontiguousarray(model.loan_cut.reshape(len(loans), n)),
        school_travel=np.ascontiguousarray(model.school_travel),
        school_minutes=np.ascontiguousarray(model.school_minutes),
        prices=np.array(
            [
                model.crossing,
                model.change,
                model.price_cluster,
                cents(model.balance) * 100 if model.balance > 0 and model.total_need > 0 else 0,
                (
                    cents(model.size_balance) * 100
                    if model.size_balance > 0 and model.total_pupils > 0
                    else 0
                ),
                model.total_need,
                model.total_pupils,
                clusters,
            ],
            np.int64,
        ),
    )


def _limits(model: Model, clusters: int) -> Ints:
    """Turn the tolerance into the least and the greatest need a cluster may have."""
    total = model.total_need
    rows = []
    for one in model.classes:
        low, high = 0, total
        if one.need_permille < NO_LIMIT:
            # |need·K·1000 − total·1000| ≤ permille·total, solved for whole needs
            low = max(0, -((-total * (1000 - one.need_permille)) // (1000 * clusters)))
            high = min(total, (total * (1000 + one.need_permille)) // (1000 * clusters))
        low = max(low, one.least_need)
        schools = (one.schools[0], min(one.schools[1], len(model.schools)))
        pupils = (one.pupils[0], min(one.pupils[1], model.total_pupils))
        rows.append((*schools, *pupils, one.secondaries, one.primaries, low, high))
    return np.array(rows, np.int64)


@lean
def deviation(price, total, mean_of, clusters):
    """Return the price of missing the mean, as `rules.balance_price` defines it."""
    if price == 0:
        return 0
    return price * abs(total * clusters - mean_of) // mean_of


@compiled
def class_of(t, members, count):
    """Return the limit class and the main area of a cluster, as `Model.class_of` defines them."""
    anchor, first = -1, 1 << 40
    main, most = 0, -1
    for a in range(t.area_count.shape[1]):
        total = 0
        for k in range(count):
            total += t.area_count[members[k], a]
        if total > most:
            main, most = a, total
    for k in range(count):
        i = members[k]
        if t.anchor_class[i] >= 0 and i < first:
            anchor, first = t.anchor_class[i], i
    if anchor < 0:
        anchor = t.area_class[main]
    return anchor, main, most


@compiled
def joined(t, members, count):
    """Return whether a cluster is one piece in the neighbour graph."""
    seen = np.zeros(count, np.uint8)
    stack = np.empty(count, np.int64)
    seen[0], stack[0], top, found = 1, 0, 1, 1
    while top > 0:
        top -= 1
        at = members[stack[top]]
        for k in range(count):
            if seen[k] == 0 and t.adjacent[at, members[k]] == 1:
                seen[k] = 1
                stack[top] = k
                top += 1
                found += 1
    return found == count


@compiled
def secondaries_kept(t, members, count, hub, loan, own, wanted, main, minutes):
    """Return whether a cluster has the secondaries it needs, its own or through the loan."""
    if own >= wanted:
        return loan < 0
    if loan < 0 or (t.loan_area[loan] != -1 and t.loan_area[loan] != main):
        return False
    lent = t.loan_school[loan]
    if lent < 0:
        return True
    for k in range(count):
        if members[k] == t.loan_atom[loan]:
            return False
    return t.school_minutes[lent, hub] <= minutes and own + 1 >= wanted


@compiled
def judge(t, members, count, hub, loan):
    """Return the cost of a cluster, or `BROKEN` if it breaks a rule."""
    schools = primaries = own = pupils = need = placed = 0
    cost = t.prices[CLUSTER]
    for k in range(count):
        i = members[k]
        schools += t.size[i]
        primaries += t.primaries[i]
        own += t.secondaries[i]
        pupils += t.pupils[i]
        need += t.need[i]
        placed += t.placed[i]
        cost += t.travel[i, hub] + t.out[i]
    kind, main, most = class_of(t, members, count)
    limit = t.limits[kind]
    if schools < limit[0] or schools > limit[1] or pupils < limit[2] or pupils > limit[3]:
        return BROKEN
    if primaries < limit[5] or need < limit[6] or need > limit[7]:
        return BROKEN
    if t.hub_allowed[kind, hub] == 0:
        return BROKEN
    if not secondaries_kept(t, members, count, hub, loan, own, limit[4], main, t.minutes[kind]):
        return BROKEN
    home = False
    for k in range(count):
        i = members[k]
        home = home or i == t.atom_of[hub]
        if t.far[i, hub] > t.minutes[kind] or (t.pin[i] >= 0 and t.pin[i] != hub):
            return BROKEN
        for other in range(k):
            if t.apart[i, members[other]] == 1:
                return BROKEN
            cost -= t.arcs[i, members[other]]
    if not home or not joined(t, members, count):
        return BROKEN
    p = t.prices
    cost += deviation(p[BALANCE], need, p[TOTAL_NEED], p[COUNT])
    cost += deviation(p[SIZE_BALANCE], pupils, p[TOTAL_PUPILS], p[COUNT])
    cost += p[CROSSING] * (schools - most)
    if p[CHANGE] != 0:
        best = 0
        for o in range(t.old_count.shape[1]):
            total = 0
            for k in range(count):
                total += t.old_count[members[k], o]
            best = max(best, total)
        cost += p[CHANGE] * (placed - best)
    if loan >= 0 and t.loan_school[loan] >= 0:
        cost += t.school_travel[t.loan_school[loan], hub]
        for k in range(count):
            cost -= t.loan_cut[loan, members[k]]
    return cost


@compiled
def best_hub(t, members, count, loan):
    """Return the cheapest hub that keeps the rules and the cost with it, or (−1, `BROKEN`)."""
    best, cost = -1, BROKEN
    kind = class_of(t, members, count)[0]
    for k in range(count):
        i = members[k]
        for place in range(t.first_school[i], t.first_school[i + 1]):
            hub = t.schools_of[place]
            if t.hub_allowed[kind, hub] == 1:
                found = judge(t, members, count, hub, loan)
                if found < cost or (found == cost and found < BROKEN and hub < best):
                    best, cost = hub, found
    return best, cost
