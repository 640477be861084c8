"""Who gets a place where: the best assignment of children to provisions with limited places.

The nearest provision may be full. This assigns children so that, in this order, the fewest are
without a place, the fewest travel beyond their limit, and the total of minutes is least.

Symbols
-------
With f(d, p) the children of point d at provision p, over the pairs that are open (t(d, p) finite):

    max Σ f, then min Σ_{t(d,p) > limit(d)} f, then min Σ t f
    Σ_p f(d, p) <= children(d),  Σ_d f(d, p) <= places(p),  f >= 0

It is a flow through a network: a maximum flow of least cost (Ahuja, Magnanti & Orlin 1993, ch. 9),
solved to proven optimality by the cost-scaling method of OR-Tools. The minutes of a flow change by
at most P · (longest minutes) along any cycle by which two flows differ, since a cycle visits a
provision once. A child beyond the limit that costs more than this is therefore never accepted for
any saving of minutes, and one cost serves both aims.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from ortools.graph.python import min_cost_flow

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CHILD_UNITS = 100_000
"""Whole units of one child in the solver. Demand rounds up and places round down, so no rounding
hands out more than the places; at most this small part of a child a row stays without one."""
MINUTE_UNITS = 100
"""Whole units of one minute in the solver; pairs that are closer than this are alike."""
NOISE_DIGITS = 6
"""Decimals of a unit that are kept; finer ones are the noise of floating point (0.1 · 3)."""
MOST = 1e9
"""More places than a solver's whole number could ever need."""

NONE_OPEN = "no provision open to them"
ALL_FULL = "all full"


@dataclass(frozen=True, eq=False)
class Assignment:
    """Children at provisions; the answer of `assign`.

    `point`, `place` and `children` are one entry a flow, by point and then provision, all above 0.
    """

    point: Ints
    """Position of the point that each flow comes from."""
    place: Ints
    """Position of the provision that it goes to."""
    children: Floats
    """Children of the flow."""
    minutes: Floats
    """Minutes of the flow, one way."""
    beyond: NDArray[np.bool_]
    """Whether these minutes are more than the limit of the point."""
    unmet: Floats
    """[D] children without a place; exactly 0 where all have one."""
    filled: Floats
    """[P] places taken; never more than there are."""
    reason: NDArray[np.str_]
    """[D] why children are without a place: `NONE_OPEN`, `ALL_FULL`, or empty where none are."""

    @property
    def placed(self) -> float:
        """Children with a place."""
        return float(self.children.sum())

    @property
    def beyond_limit(self) -> float:
        """Children with a place who travel beyond their limit."""
        return float(self.children[self.beyond].sum())

    @property
    def child_minutes(self) -> float:
        """Minutes of all children with a place, one way, summed."""
        return float(self.children @ self.minutes)


def assign(
    children: ArrayLike, minutes: ArrayLike, places: ArrayLike, limits: ArrayLike
) -> Assignment:
    """Assign children to places: fewest without, then fewest beyond the limit, then least minutes.

    Parameters
    ----------
    children : [D]
        Children at each point, 0 to a million; may be fractional, as estimated demand is.
    minutes : [D, P]
        Minutes from the point to the provision, 0 or more; `inf` where it is not open to these
        children. NaN is refused.
    places : [P]
        Places of each provision, 0 or more; `inf` for one that is never full.
    limits : [D]
        Minutes beyond which a journey is too long; `inf` for no limit.

    Notes
    -----
    Optimal to 1 / `CHILD_UNITS` of a child and 1 / `MINUTE_UNITS` of a minute. Points that are
    alike in all minutes are one to the solver and share what it gives them in proportion to their
    children. The answer does not depend on the order of the points.
    """
    child, place = np.asarray(children, float), np.asarray(places, float)
    minute = np.asarray(minutes, float).reshape(len(child), len(place))
    limit = np.asarray(limits, float)
    for name, array in (("children", child), ("minutes", minute), ("places", place)):
        if not (array >= 0).all():
            raise ValueError(f"{name} must be known numbers, 0 or more")
    late = minute > limit[:, None]
    units = _whole(child, up=True)
    room = np.minimum(_whole(place, up=False), units.sum())
    kind, of = _alike(_costs(minute, late))
    demand = np.bincount(of, units, len(kind)).astype(np.int64)
    row, column, flow = _flow(demand, kind, room)
    point, to, part = _share(row, column, flow / demand[row], of)
    given = child[point] * part
    keep = given > 0
    point, to, given = point[keep], to[keep], given[keep]
    left = demand - np.bincount(row, flow, len(kind)).astype(np.int64)
    unmet = child * (left / np.maximum(demand, 1))[of]
    closed = ~np.isfinite(minute).any(axis=1)
    return Assignment(
        point=point,
        place=to,
        children=given,
        minutes=minute[point, to],
        beyond=late[point, to],
        unmet=unmet,
        filled=np.minimum(np.bincount(to, given, len(place)), place),
        reason=np.where(unmet > 0, np.where(closed, NONE_OPEN, ALL_FULL), ""),
    )


def _whole(amount: Floats, *, up: bool) -> Ints:
    """Return amounts in units, rounded up or down once the noise is gone."""
    units = np.round(np.minimum(amount, MOST) * CHILD_UNITS, NOISE_DIGITS)
    return (np.ceil(units) if up else np.floor(units)).astype(np.int64)


def _costs(minute: Floats, late: NDArray[np.bool_]) -> Ints:
    """Return the cost of a unit at each pair, −1 where the provision is not open."""
    open_to = np.isfinite(minute)
    cost = np.rint(np.where(open_to, minute, 0.0) * MINUTE_UNITS).astype(np.int64)
    too_far = minute.shape[1] * int(cost.max(initial=0)) + 1
    return np.where(open_to, cost + too_far * late, -1)


def _alike(cost: Ints) -> tuple[Ints, Ints]:
    """Return the different rows, in an order of their own, and which of them each row is."""
    if not cost.size:
        return cost[:1], np.zeros(len(cost), np.int64)
    row = np.ascontiguousarray(cost).view(np.dtype((np.void, cost.itemsize * cost.shape[1])))
    _, first, of = np.unique(row.ravel(), return_index=True, return_inverse=True)
    return cost[first], of


def _flow(demand: Ints, cost: Ints, room: Ints) -> tuple[Ints, Ints, Ints]:
    """Return row, column and units of the flows above 0 of the best assignment."""
    row, column = np.nonzero((cost >= 0) & (demand[:, None] > 0) & (room > 0))
    solver = min_cost_flow.SimpleMinCostFlow()
    arcs = solver.add_arcs_with_capacity_and_unit_cost(
        row, column + len(demand), np.minimum(demand[row], room[column]), cost[row, column]
    )
    nodes = np.arange(len(demand) + len(room))
    solver.set_nodes_supplies(nodes, np.concatenate((demand, -room)))
    status = solver.solve_max_flow_with_min_cost()
    if status != solver.OPTIMAL:
        raise ValueError(f"the numbers are too large for the flow: {status}")
    flow = np.asarray(solver.flows(arcs), np.int64)
    return row[flow > 0], column[flow > 0], flow[flow > 0]


def _share(row: Ints, column: Ints, part: Floats, of: Ints) -> tuple[Ints, Ints, Floats]:
    """Return the flows of rows that are alike as flows of their points, in order."""
    order = np.argsort(row, kind="stable")
    row, column, part = row[order], column[order], part[order]
    start, end = np.searchsorted(row, of), np.searchsorted(row, of, side="right")
    point = np.repeat(np.arange(len(of)), end - start)
    # Position of each flow of a point among the flows of its kind, without a loop over points.
    within = np.arange(len(point)) - np.repeat(np.cumsum(end - start) - (end - start), end - start)
    at = start[point] + within
    return point, column[at], part[at]
