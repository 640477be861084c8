"""Sites as a model of CP-SAT: one yes or no a candidate, and what children lose by the choice.

Symbols
-------
x_c = 1 if candidate c is chosen. A `Loss` says what a unit of children of point d loses at
candidate c (`near[d, c]`) and where it is today (`stay[d]`): 0 or 1 for being out of reach, or
minutes. Only pairs with near < stay matter.

Where places do not limit, everybody goes to the best site, and with the candidates of point d in
order of loss, n_1 < n_2 < ... < stay,

    loss(d) = n_1 + Σ_r (n_{r+1} − n_r) z(N_r),    z(N) = 1 if no candidate of N is chosen

with N_r the first r levels of the order (Church 2003; Elloumi 2010). Points that see the same
candidates first share z(N), which is what keeps a county small. Where places limit, f(d, c) units
go from d to c, Σ_c f <= children(d) and Σ_d f <= places(c) x_c.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from ortools.sat.python import cp_model

from clustering.provision.site_choice import NEVER, Bools, Ints, Whole

Expr = cp_model.LinearExpr | int


@dataclass(frozen=True, eq=False)
class Loss:
    """What a unit of children loses at a candidate [D, C] and today [D]; `NEVER` is not allowed."""

    near: Ints
    stay: Ints


Ceiling = tuple[Loss, int]
"""A loss and the most of it that is allowed."""


@dataclass(frozen=True)
class Found:
    """A set of sites, the value of the aim, and what is proved about it."""

    chosen: tuple[int, ...]
    value: int
    bound: int
    proven: bool
    flows: tuple[tuple[int, int, int], ...] = ()
    """Point, candidate and units, where places limit."""


class OutOfEffortError(Exception):
    """The search ended before it found a set or proved that there is none."""


def beyond_limit(whole: Whole) -> Loss:
    """Return the loss that counts children beyond their limit."""
    return Loss((~whole.within).astype(np.int64), (~whole.within_now).astype(np.int64))


def farther_than(whole: Whole, most: int) -> Loss:
    """Return the loss that counts children with more minutes than `most` units."""
    return Loss((whole.minutes > most).astype(np.int64), (whole.now > most).astype(np.int64))


def minutes_up_to(whole: Whole, most: int = NEVER - 1) -> tuple[Loss, int]:
    """Return the loss in minutes where no journey is longer than `most`, and that of no place.

    A unit of children without a place loses ten times the longest journey. How many they are is
    held at the least by a ceiling of its own, so that this number only steers.
    """
    near = np.where(whole.minutes <= most, whole.minutes, NEVER)
    ok = np.append(near[near < NEVER], whole.now[whole.now <= most])
    without = 10 * int(ok.max(initial=0)) + 1
    return Loss(near, np.where(whole.now <= most, whole.now, without)), without


class SiteModel:
    """The choice among the candidates `keep`, with every rule of `whole`."""

    def __init__(self, whole: Whole, keep: Sequence[int], losses: Iterable[Loss]) -> None:
        self.whole, self.keep = whole, np.array(sorted(keep), np.int64)
        self.model = cp_model.CpModel()
        self.x = {int(c): self.model.new_bool_var(f"x{c}") for c in self.keep}
        self._missed: dict[int, cp_model.IntVar] = {}
        self._flow: dict[tuple[int, int], cp_model.IntVar] = {}
        self._alike: dict[int, Ints] = {}
        self.model.add(self.sites() <= whole.sites)
        for candidate in whole.forced:
            self.model.add(self.x[candidate] == 1)
        if whole.budget is not None:
            self.model.add(self.pounds() <= whole.budget)
        beyond = beyond_limit(whole)
        if whole.room is not None:
            self._send([*losses, beyond] if whole.floors else [*losses])
        for floor in whole.floors:
            self.model.add(self.total(beyond, floor.rows) <= floor.allowance)

    def sites(self) -> Expr:
        """Return the number of the chosen."""
        return cp_model.LinearExpr.sum(list(self.x.values()))

    def pounds(self) -> Expr:
        """Return the pounds of the chosen."""
        pounds = [int(self.whole.pounds[c]) for c in self.x]
        return cp_model.LinearExpr.weighted_sum(list(self.x.values()), pounds)

    def total(self, loss: Loss, rows: Bools | None = None) -> Expr:
        """Return the loss of all children, or of those at some points."""
        there = self.whole.weight > 0
        points = np.flatnonzero(there if rows is None else there & rows)
        if self.whole.room is not None:
            return self._sent(loss, points)
        fixed, price = 0, dict[int, int]()
        for d in points:
            weight, stay = int(self.whole.weight[d]), int(loss.stay[d])
            near = loss.near[d, self.keep]
            order = np.argsort(near, kind="stable")[: int((near < stay).sum())]
            levels = [*near[order].tolist(), stay]
            fixed += weight * levels[0]
            seen, parent, new = 0, 0, list[int]()
            for at, position in enumerate(order.tolist()):
                seen |= 1 << position
                new.append(position)
                step = levels[at + 1] - levels[at]
                if step:
                    self._miss(seen, parent, new)
                    price[seen] = price.get(seen, 0) + weight * step
                    parent, new = seen, []
        variables = [self._missed[one] for one in price]
        return fixed + cp_model.LinearExpr.weighted_sum(variables, list(price.values()))

    def _miss(self, seen: int, parent: int, new: list[int]) -> None:
        """Make the variable of missing all of a set of candidates, given the one of a smaller."""
        if seen in self._missed:
            return
        variable = self.model.new_bool_var("")
        chosen = [self.x[int(self.keep[position])] for position in new]
        above = [~self._missed[parent]] if parent else []
        self.model.add_bool_or([variable, *above, *chosen])
        self._missed[seen] = variable

    def _send(self, losses: Sequence[Loss]) -> None:
        whole, room = self.whole, self.whole.room
        assert room is not None
        usable = np.zeros((len(whole.weight), len(self.keep)), bool)
        for loss in losses:
            usable |= loss.near[:, self.keep] < loss.stay[:, None]
        for loss in losses:
            usable &= loss.near[:, self.keep] < NEVER
        usable &= (whole.weight > 0)[:, None] & (room[self.keep] > 0)
        # Points that lose alike everywhere and count for the same floors are sent as one.
        looks: list[NDArray] = [one.near[:, self.keep] for one in losses] + [
            one.stay[:, None] for one in losses
        ]
        looks += [floor.rows[:, None] for floor in whole.floors] + [usable]
        points = np.flatnonzero(usable.any(axis=1))
        _, first, of = np.unique(
            np.hstack(looks)[points], axis=0, return_index=True, return_inverse=True
        )
        for kind, at in enumerate(points[first].tolist()):
            self._alike[at] = points[of == kind]
        demand = {at: int(whole.weight[members].sum()) for at, members in self._alike.items()}
        for d, position in np.argwhere(usable).tolist():
            if d in demand:
                c = int(self.keep[position])
                most = min(demand[d], int(room[c]))
                flow = self._flow[d, c] = self.model.new_int_var(0, most, "")
                self.model.add(flow <= most * self.x[c])
        out: dict[int, list[cp_model.IntVar]] = {}
        into: dict[int, list[cp_model.IntVar]] = {}
        for (d, c), flow in self._flow.items():
            out.setdefault(d, []).append(flow)
            into.setdefault(c, []).append(flow)
        for d, flows in out.items():
            self.model.add(sum(flows) <= demand[d])
        for c, flows in into.items():
            self.model.add(sum(flows) <= int(room[c]) * self.x[c])

    def _sent(self, loss: Loss, points: Ints) -> Expr:
        here = set(points.tolist())
        flows = [(d, c, flow) for (d, c), flow in self._flow.items() if d in here]
        saved = [int(loss.near[d, c] - loss.stay[d]) for d, c, _ in flows]
        fixed = int(self.whole.weight[points] @ loss.stay[points])
        return fixed + cp_model.LinearExpr.weighted_sum([flow for *_, flow in flows], saved)

    def _each(self, sent: dict[tuple[int, int], int]) -> Iterator[tuple[int, int, int]]:
        """Yield what each point sends to each candidate, of what those alike send together."""
        left = self.whole.weight.tolist()
        for (kind, c), units in sent.items():
            for d in self._alike[kind].tolist():
                part = min(left[d], units)
                if part:
                    yield d, c, part
                left[d] -= part
                units -= part

    def forbid(self, chosen: Iterable[int]) -> None:
        """Rule out one set of sites."""
        inside = set(chosen)
        if inside <= set(self.x):
            self.model.add_bool_or([~x if c in inside else x for c, x in self.x.items()])

    def best(self, aim: Expr, seed: int, effort: float, hint: Iterable[int] = ()) -> Found | None:
        """Return the set of least `aim`, of fewest sites among equals; None if there is none.

        `effort` is CP-SAT's deterministic time. Raises OutOfEffortError if that tells nothing.
        """
        scale = len(self.x) + 1
        self.model.minimize(scale * aim + self.sites())
        self.model.clear_hints()
        wanted = set(hint)
        for c, x in self.x.items() if wanted else ():
            self.model.add_hint(x, c in wanted)
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = seed
        solver.parameters.max_deterministic_time = effort
        status = solver.solve(self.model)
        if status == cp_model.INFEASIBLE:
            return None
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            raise OutOfEffortError(solver.status_name(status))
        chosen = tuple(c for c, x in self.x.items() if solver.value(x))
        value = (round(solver.objective_value) - len(chosen)) // scale
        # The aim is whole: what the number of sites adds to the bound is less than one.
        bound = -((scale - 1 - int(np.ceil(solver.best_objective_bound - 1e-6))) // scale)
        flows = tuple(self._each({k: solver.value(f) for k, f in self._flow.items()}))
        proven = status == cp_model.OPTIMAL
        return Found(chosen, value, value if proven else min(bound, value), proven, flows)


def settled(whole: Whole, chosen: tuple[int, ...]) -> Whole:
    """Return the question with exactly these sites chosen."""
    return replace(whole, forced=chosen, allowed=chosen, sites=len(chosen))
