"""Other worlds that would give the same pack: the proof that a quantity is safe, or why it is not.

A *world* is a whole number for every variable that agrees with everything published. A quantity is
safe if one world holds it as low, and another as high, as the words "fewer than 5" allow. Where no
world does, the dual of a linear programme names the published rows that forbid it: at least one of
them must say less, whatever else is hidden. Where only whole numbers forbid it (the programme over
fractions allows it), every shown row that touches the quantity is named instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import block_array, csr_array, eye_array, vstack
from scipy.sparse.csgraph import connected_components

from clustering.publish.disclosure_sets import Bools, Floats
from clustering.publish.disclosure_system import SHOWN, SILENT, System

EXACT = 1e-6
"""Solvers answer to this; counts are whole numbers, and money is published to £1 at the finest."""
FAR = 3
"""How many times a small count a first search goes away from the true counts."""
NODES = 200
"""Branches a search for a world may take: a count, not seconds, so that every machine agrees."""
Reason = tuple[tuple[int, int], ...]
"""Rows, each with the level at which it must at least stand, of which one has to be chosen."""


def blocks(system: System) -> Iterator[tuple[System, NDArray[np.int64]]]:
    """Yield the parts of a system that no row and no quantity joins, with their rows."""
    joined = vstack([system.rows, system.fixed, system.quantities]).tocsr()
    number, label = connected_components((abs(joined).T @ abs(joined)).tocsr(), directed=False)
    for k in range(number):
        variables = np.flatnonzero(label == k)
        rows, fixed, asked = (
            np.flatnonzero(abs(matrix[:, variables]).sum(axis=1) > 0)
            for matrix in (system.rows, system.fixed, system.quantities)
        )
        if len(rows) and len(asked):
            yield (
                System(
                    rows=system.rows[rows][:, variables],
                    low=system.low[rows],
                    high=system.high[rows],
                    least=system.least[rows],
                    cost=system.cost[rows],
                    fixed=system.fixed[fixed][:, variables],
                    fixed_to=system.fixed_to[fixed],
                    quantities=system.quantities[asked][:, variables],
                    need_low=system.need_low[asked],
                    need_high=system.need_high[asked],
                    truth=system.truth[variables],
                    measure=system.measure[variables],
                    small=system.small,
                ),
                rows,
            )


@dataclass(eq=False)
class Worlds:
    """The worlds found so far for a system, whatever was shown when they were found."""

    system: System
    found: Floats = field(init=False)

    def __post_init__(self) -> None:
        self.found = self.system.truth[None, :]

    def reasons(self, level: NDArray[np.int64], *, first: bool = False) -> list[Reason]:
        """Return why quantities are not safe with the rows at these levels; nothing: all are.

        `first`: the first reason will do.
        """
        every = np.arange(len(level))
        view = _View(self.system, self.system.low[every, level], self.system.high[every, level])
        seen = self.found[view.agrees(self.found)]
        told: dict[Reason, None] = {}
        for sign, need in ((1.0, self.system.need_high), (-1.0, -self.system.need_low)):
            asked = sign * self.system.quantities
            reached = (asked @ seen.T).max(axis=1) >= need - EXACT
            while not reached.all():
                world = view.for_many(asked[~reached], need[~reached])
                if world is None:
                    break
                seen, self.found = np.vstack([seen, world]), np.vstack([self.found, world])
                news = (asked @ world >= need - EXACT) & ~reached
                reached |= news
                if not news.any():
                    break
            for k in np.flatnonzero(~reached):
                if reached[k]:
                    continue
                world, reason = view.for_one(asked[[k]], need[k], level)
                if world is None:
                    told.setdefault(reason)
                    if first:
                        return list(told)
                else:
                    self.found = np.vstack([self.found, world])
                    reached |= asked @ world >= need - EXACT
        return list(told) or list(_sums(self.system, level))


def _sums(system: System, level: NDArray[np.int64]) -> Iterator[Reason]:
    """Yield rows that add up, with signs, to the small count of any set of parts.

    A weight a row, `y`, and a mark a variable, `s`: `rows.T @ y == s`. Whole rows may be used, too.
    """
    shown = np.flatnonzero((level == SHOWN) & (system.low[:, SHOWN] == system.high[:, SHOWN]))
    matrix = vstack([system.rows[shown], system.fixed]).T.tocsr()
    width, number = matrix.shape
    for measure in np.unique(system.measure):
        mine = (system.measure == measure) & (system.truth <= system.small[-1])
        weighs = np.concatenate([np.zeros(number), system.truth])
        marks = np.concatenate([np.zeros(number), np.ones(width)])
        answer = milp(
            marks,
            integrality=marks,
            bounds=Bounds(
                np.concatenate([np.full(number, -np.inf), np.zeros(width)]),
                np.concatenate([np.full(number, np.inf), mine.astype(float)]),
            ),
            constraints=[
                LinearConstraint(block_array([[matrix, -eye_array(width)]]).tocsr(), 0, 0),
                LinearConstraint(weighs, system.small[0], system.small[-1]),
                LinearConstraint(marks, 1, np.inf),
            ],
            options={"node_limit": NODES},
        )
        if answer.x is None:
            continue
        used = abs(answer.x[: len(shown)]) > EXACT
        if used.any():
            yield tuple((int(row), int(level[row]) + 1) for row in shown[used])


class _View:
    """The programmes over one choice of what is shown."""

    def __init__(self, system: System, low: Floats, high: Floats) -> None:
        self.system, self.low, self.high = system, low, high
        self.width = system.rows.shape[1]
        self.equal = np.flatnonzero(low == high)
        self.below = np.flatnonzero((high < np.inf) & (low != high))
        self.above = np.flatnonzero((low > -np.inf) & (low != high))

    def agrees(self, worlds: Floats) -> Bools:
        sums = self.system.rows @ worlds.T
        inside = (sums >= self.low[:, None] - EXACT) & (sums <= self.high[:, None] + EXACT)
        return inside.all(axis=0)

    def for_many(self, asked: csr_array, need: Floats) -> Floats | None:
        """Return a world in which as many quantities as possible come as near as they need."""
        number = asked.shape[0]
        matrix = block_array([[asked, -eye_array(number)]])
        extra = LinearConstraint(matrix.tocsr(), 0, np.inf)
        cost = np.concatenate([np.zeros(self.width), -np.ones(number)])
        bounds = Bounds(
            np.concatenate([np.zeros(self.width), np.full(number, -np.inf)]),
            np.concatenate([np.full(self.width, np.inf), need]),
        )
        return self._whole(cost, bounds, [extra], number, gap=0.02)

    def for_one(
        self, asked: csr_array, need: float, level: NDArray[np.int64]
    ) -> tuple[Floats | None, Reason]:
        """Return a world in which one quantity reaches what it needs, or the rows that forbid."""
        s = self.system
        answer = linprog(
            -asked.toarray()[0],
            A_ub=vstack([s.rows[self.below], -s.rows[self.above]]),
            b_ub=np.concatenate([self.high[self.below], -self.low[self.above]]),
            A_eq=vstack([s.rows[self.equal], s.fixed]),
            b_eq=np.concatenate([self.low[self.equal], s.fixed_to]),
            method="highs",
        )
        if answer.status == 0 and -answer.fun < need - EXACT:
            weight = np.zeros(len(level))
            weight[self.equal] += abs(answer.eqlin.marginals[: len(self.equal)])
            one_sided = abs(answer.ineqlin.marginals)
            weight[self.below] += one_sided[: len(self.below)]
            weight[self.above] += one_sided[len(self.below) :]
            forbids = np.flatnonzero((weight > EXACT) & (level < SILENT))
            if len(forbids):
                return None, tuple((int(row), int(level[row]) + 1) for row in forbids)
        else:
            reach = LinearConstraint(asked, need, np.inf)
            for away in (FAR * s.small[-1], np.inf):  # near the truth there is less to search
                bounds = Bounds(np.maximum(s.truth - away, 0), s.truth + away)
                world = self._whole(np.zeros(self.width), bounds, [reach], 0, gap=1.0)
                if world is not None:
                    return world, ()
        touching = abs(s.rows) @ abs(asked).T.toarray()[:, 0] > 0
        near = np.flatnonzero(touching & (level < SILENT))
        near = near if len(near) else np.flatnonzero(level < SILENT)
        return None, tuple((int(row), int(level[row]) + 1) for row in near)

    def _whole(
        self,
        cost: Floats,
        bounds: Bounds,
        extra: list[LinearConstraint],
        more: int,
        gap: float,
    ) -> Floats | None:
        """Return whole numbers that agree with everything, by least cost as far as found."""
        s = self.system
        rows, fixed = (
            csr_array((m.data, m.indices, m.indptr), shape=(m.shape[0], self.width + more))
            for m in (s.rows, s.fixed)
        )
        limits = [LinearConstraint(rows, self.low, self.high)]
        if fixed.shape[0]:
            limits.append(LinearConstraint(fixed, s.fixed_to, s.fixed_to))
        whole = np.concatenate([np.ones(self.width), np.zeros(more)])
        answer = milp(
            cost,
            integrality=whole,
            bounds=bounds,
            constraints=[*limits, *extra],
            options={"node_limit": NODES, "mip_rel_gap": gap},
        )
        if answer.x is None:
            return None
        world = np.round(answer.x[: self.width])
        exact = abs(s.fixed @ world - s.fixed_to) <= EXACT
        return world if exact.all() and self.agrees(world[None, :])[0] else None
