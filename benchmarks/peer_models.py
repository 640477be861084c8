"""The plain assignment model x[i, h]: atom i goes to hub h; for CP-SAT and for HiGHS.

One text of the model for both. A cluster has the hub h where x[atom of h, h] = 1. It is connected
along shortest ways in the neighbour graph: an atom may only go to a hub if a neighbour nearer to
that hub does. That forbids some shapes the rules allow, and so helps the solvers. Cut feeder flows
are written in the form that suits each solver better: for CP-SAT u[i, j] ≥ x[i, h] − x[j, h], for
HiGHS z[i, j, h] ≤ x[i, h], x[j, h], the share of a flow that is kept.

The two solvers cannot be imported in one process; each is imported in its own function.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from benchmarks.peer_methods import OFF, Answer, Given

Terms = Sequence[tuple[int, int]]
"""(column, whole-number coefficient)."""


INFINITE = 1e19
"""HiGHS says a number beyond this for "none known"."""


class Plain:
    """Columns with cost and range, rows with range: a mixed-integer programme in plain lists."""

    def __init__(self, given: Given, *, kept: bool) -> None:
        self.given = given
        self.cost: list[float] = []
        self.high: list[int] = []
        self.whole: list[bool] = []
        self.rows: list[tuple[Terms, int, int]] = []
        self.offset = float(given.base + given.clusters * given.price_cluster)
        self.x = self._assign()
        self._limits()
        self._connect()
        self._flows(kept)

    def column(self, cost: float, high: int = 1, whole: bool = True) -> int:
        """Add a column from 0 to `high`; return its number."""
        self.cost.append(float(cost))
        self.high.append(high)
        self.whole.append(whole)
        return len(self.cost) - 1

    def row(self, terms: Iterable[tuple[int, int]], low: int = -OFF, high: int = OFF) -> None:
        """Add low ≤ Σ coefficient · column ≤ high; a column may be named more than once."""
        joined: dict[int, int] = {}
        for column, value in terms:
            joined[column] = joined.get(column, 0) + value
        self.rows.append(([(c, v) for c, v in joined.items() if v], low, high))

    def _assign(self) -> dict[tuple[int, int], int]:
        given = self.given
        reach = given.limits[given.area_class[0], 7]
        home = given.atom_of.tolist()
        pin = given.pin[:, None]
        can = (given.far <= reach) & ((pin < 0) | (pin == np.arange(len(home)))) & given.hub_allowed
        self.hubs = [h for h, a in enumerate(home) if can[a, h]]
        self.into = {h: np.flatnonzero(can[:, h]).tolist() for h in self.hubs}
        x = {(i, h): self.column(given.travel[i, h]) for h in self.hubs for i in self.into[h]}
        self.at = {h: x[home[h], h] for h in self.hubs}
        for i in range(len(given)):
            self.row([(x[i, h], 1) for h in self.hubs if (i, h) in x], 1, 1)
        self.row([(self.at[h], 1) for h in self.hubs], given.clusters, given.clusters)
        for (i, h), c in x.items():
            if i != home[h]:
                self.row([(c, 1), (self.at[h], -1)], high=0)
        for a, b in given.apart.tolist():
            for h in self.hubs:
                both = [(x[i, h], 1) for i in (a, b) if (i, h) in x]
                self.row([*both, (self.at[h], -1)], high=0)
        return x

    def _sum(self, values: Any, h: int, factor: int = 1) -> list[tuple[int, int]]:
        return [(self.x[i, h], factor * int(values[i])) for i in self.into[h] if values[i]]

    def _limit(self, h: int, limits: Sequence[int]) -> list[tuple[int, int]]:
        """Return a limit of the cluster at h as terms: the general one, or its named cluster's."""
        given = self.given
        general = int(limits[given.area_class[0]])
        terms = [(self.at[h], general)]
        for a in np.flatnonzero(given.anchor_class >= 0).tolist():
            other = int(limits[given.anchor_class[a]]) - general
            if other and (a, h) in self.x:
                terms.append((self.x[a, h], other))
        return terms

    def _limits(self) -> None:
        given = self.given
        sums = (
            (given.size, 0, 1),
            (given.pupils, 2, 3),
            (given.secondaries, 4, None),
            (given.primaries, 5, None),
        )
        for h in self.hubs:
            for values, least, most in sums:
                own, top = self._sum(values, h), int(values.sum())
                self.row([*own, *_minus(self._limit(h, given.limits[:, least]))], low=0)
                if most is not None and given.limits[:, most].min() < top:
                    bound = np.minimum(given.limits[:, most], top)
                    self.row([*own, *_minus(self._limit(h, bound))], high=0)
            self._even(h, given.need, given.balance, given.limits[:, 6])
            self._even(h, given.pupils, given.size_balance, np.full(len(given.limits), OFF))

    def _even(self, h: int, values: Any, price: int, permille: Any) -> None:
        """Keep |K · own sum − total| within its limit and price it."""
        total, clusters = int(values.sum()), self.given.clusters
        if not total:
            return
        off = [*self._sum(values, h, clusters), (self.at[h], -total)]
        widest = clusters * total
        allowed = [min(widest, int(p) * total // 1000) for p in permille]
        limit = self._limit(h, allowed)
        if min(allowed) < widest:
            self.row([*off, *_minus(limit)], high=0)
            self.row([*off, *limit], low=0)
        if price:
            missed = self.column(price * 100 / total, widest, whole=False)
            self.row([(missed, 1), *_minus(off)], low=0)
            self.row([(missed, 1), *off], low=0)

    def _connect(self) -> None:
        given = self.given
        ways = shortest(np.where(given.adjacent, given.between(np.minimum, math.inf), math.inf))
        for h in self.hubs:
            root = int(given.atom_of[h])
            for i in self.into[h]:
                if i == root:
                    continue
                near = np.flatnonzero(given.adjacent[i] & (ways[:, root] < ways[i, root])).tolist()
                steps = [(self.x[j, h], -1) for j in near if (j, h) in self.x]
                self.row([(self.x[i, h], 1), *steps], high=0)

    def _flows(self, kept: bool) -> None:
        given = self.given
        both = np.triu(given.cut + given.cut.T, 1)
        for i, j in zip(*(place.tolist() for place in np.nonzero(both)), strict=True):
            price = float(both[i, j])
            if kept:
                self.offset += price
            else:
                cut = self.column(price)
            for h in self.hubs:
                ends = [self.x.get((i, h)), self.x.get((j, h))]
                if kept and None not in ends:
                    share = self.column(-price, whole=False)
                    for end in ends:
                        self.row([(share, 1), (end, -1)], high=0)
                elif not kept and ends[0] is not None:
                    other = [] if ends[1] is None else [(ends[1], 1)]
                    self.row([(cut, 1), (ends[0], -1), *other], low=0)

    def labels(self, values: Any) -> list[int]:
        """Return the label of each school from the values of the columns."""
        of = {i: h for (i, h), c in self.x.items() if values[c] > 0.5}
        return [of[int(a)] for a in self.given.atom_of]


def _minus(terms: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    return ((c, -v) for c, v in terms)


def shortest(steps: Any) -> Any:
    """Return the shortest ways between all atoms along a graph of steps (Floyd, Warshall)."""
    ways = steps.copy()
    np.fill_diagonal(ways, 0.0)
    for k in range(len(ways)):
        ways = np.minimum(ways, ways[:, k, None] + ways[None, k])
    return ways


def unfit(given: Given) -> str:
    """Say why the plain model cannot express a part; empty if it can."""
    if given.area_count.shape[1] > 1:
        return "the plain model knows one area only"
    if len(set(given.limits[:, 7].tolist())) > 1:
        return "the plain model knows one limit on minutes only"
    return ""


def as_cp(plain: Plain) -> tuple[Any, list[Any]]:
    """Return the plain model as CP-SAT takes it, and its columns."""
    from ortools.sat.python import cp_model

    model = cp_model.CpModel()
    columns = [model.new_int_var(0, high, "") for high in plain.high]
    for terms, low, high in plain.rows:
        row = cp_model.LinearExpr.weighted_sum(
            [columns[c] for c, _ in terms], [v for _, v in terms]
        )
        model.add_linear_constraint(row, low, high)
    model.minimize(cp_model.LinearExpr.weighted_sum(columns, plain.cost))
    return model, columns


def cp_sat(given: Given) -> Answer:
    """Solve the plain model with CP-SAT."""
    from ortools.sat.python import cp_model

    if why := unfit(given):
        return Answer(failed=why)
    began = time.perf_counter()
    plain = Plain(given, kept=False)
    model, columns = as_cp(plain)
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = given.seconds
    solver.parameters.num_workers = given.workers
    solver.parameters.random_seed = given.seed
    trace: list[tuple[float, float | None, float | None]] = []
    best: list[float | None] = [None, None]

    def note(place: int, value: float) -> None:
        best[place] = value + plain.offset
        trace.append((time.perf_counter() - began, best[0], best[1]))

    class Plans(cp_model.CpSolverSolutionCallback):
        def on_solution_callback(self) -> None:
            note(0, self.objective_value)

    solver.best_bound_callback = lambda value: note(1, value)
    status = solver.solve(model, Plans())
    found = status in (cp_model.OPTIMAL, cp_model.FEASIBLE)
    bound = solver.best_objective_bound + plain.offset
    value = solver.objective_value + plain.offset if found else None
    trace.append((time.perf_counter() - began, value, bound))
    labels = plain.labels([solver.value(c) for c in columns]) if found else []
    return Answer(labels, bound, value, trace, failed="" if found else solver.status_name(status))


def highs(given: Given) -> Answer:
    """Solve the plain model with HiGHS."""
    import highspy

    if why := unfit(given):
        return Answer(failed=why)
    began = time.perf_counter()
    plain = Plain(given, kept=True)
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("time_limit", float(given.seconds))
    solver.setOptionValue("threads", given.workers)
    solver.setOptionValue("random_seed", given.seed)
    solver.setOptionValue("mip_rel_gap", 0.0)
    solver.setOptionValue("mip_min_logging_interval", 0.2)
    solver.passModel(_lp(highspy, plain))
    trace: list[tuple[float, float | None, float | None]] = []

    def note(event: Any) -> None:
        out = event.data_out
        best, bound = (
            value + plain.offset if abs(value) < INFINITE else None
            for value in (out.mip_primal_bound, out.mip_dual_bound)
        )
        trace.append((time.perf_counter() - began, best, bound))

    solver.cbMipImprovingSolution.subscribe(note)
    solver.cbMipLogging.subscribe(note)
    solver.run()
    info = solver.getInfo()
    found = info.primal_solution_status == int(highspy.SolutionStatus.kSolutionStatusFeasible)
    bound = info.mip_dual_bound + plain.offset if abs(info.mip_dual_bound) < INFINITE else None
    value = info.objective_function_value + plain.offset if found else None
    trace.append((time.perf_counter() - began, value, bound))
    labels = plain.labels(solver.getSolution().col_value) if found else []
    status = "" if found else solver.modelStatusToString(solver.getModelStatus())
    return Answer(labels, bound, value, trace, failed=status)


def _lp(highspy: Any, plain: Plain) -> Any:
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = len(plain.cost), len(plain.rows)
    lp.col_cost_ = np.array(plain.cost)
    lp.col_lower_, lp.col_upper_ = np.zeros(lp.num_col_), np.array(plain.high, float)
    kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
    lp.integrality_ = [kinds[whole] for whole in plain.whole]
    ends = {-OFF: -highspy.kHighsInf, OFF: highspy.kHighsInf}
    lp.row_lower_ = np.array([ends.get(low, low) for _, low, _ in plain.rows], float)
    lp.row_upper_ = np.array([ends.get(high, high) for _, _, high in plain.rows], float)
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_ = np.cumsum([0, *(len(terms) for terms, _, _ in plain.rows)])
    lp.a_matrix_.index_ = np.array([c for terms, _, _ in plain.rows for c, _ in terms])
    lp.a_matrix_.value_ = np.array([v for terms, _, _ in plain.rows for _, v in terms], float)
    return lp
