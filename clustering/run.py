"""The front desk: from a study to a result that a planner can look at, keep and compare."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from clustering.changes import Change, change
from clustering.comparing import Comparison, compare_all
from clustering.inputs import Inputs, load_inputs
from clustering.outputs import write_run
from clustering.pairs import TOLERANCE
from clustering.plan import Plan, read_plan
from clustering.problem import Problem
from clustering.publish.money import Money, money_of
from clustering.publish.pair_budgets import with_budgets
from clustering.publish.plan_map import plan_map
from clustering.publish.ways import long_ways
from clustering.report import Report, assess
from clustering.solve.checks import Reason
from clustering.solve.options import Alternative, alternatives, trade_off
from clustering.solve.prices import rule_prices
from clustering.solve.whole import Solution, Tick, solve
from clustering.solve.why import reasons_of_schools
from clustering.study import Study
from clustering.trade_off import TradeOff
from geo.maps import draw
from geo.road_quality import Quality

if TYPE_CHECKING:
    import folium


REDRAW_PRICE = 15.0
"""Minutes that a school's move must save before a redrawn plan makes it."""


@dataclass(frozen=True, eq=False)
class Result:
    """What a design came to: the plan if there is one, its audit, and the proven bound."""

    inputs: Inputs
    solution: Solution
    report: Report | None
    start: Plan | None = None
    """The plan it was redrawn from, if any."""

    @property
    def status(self) -> str:
        """`optimal`, `feasible`, `infeasible`, `not_found` or `interrupted`."""
        return self.solution.status

    @property
    def plan(self) -> Plan:
        """The plan; a `ValueError` in words where there is none.

        Every plan drawn from it (`move`, `swap`, `lock`, `opt_out`) tells what has changed.
        """
        if self.solution.plan is None:
            raise ValueError("There is no plan: " + " ".join(r.text for r in self.reasons))
        return drawn(self.solution.plan, self.inputs.problem)

    @property
    def changed(self) -> Change:
        """What the design changed in the plan it started from; a `ValueError` without one."""
        if self.start is None:
            raise ValueError("This design started from no plan: design(study, start=plan).")
        return change(self.plan, self.start, self.inputs.problem)

    @property
    def bound(self) -> float | None:
        """No plan has a smaller objective than this, in minutes; None where nothing is proven."""
        return self.solution.bound

    @property
    def gap(self) -> float | None:
        """Share of the objective that is not proven."""
        return self.solution.gap

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Why there is no plan, with remedies; empty where there is one."""
        return self.solution.reasons

    @cached_property
    def long_ways(self) -> Quality | None:
        """Pairs of one cluster whose way is more than twice the straight line; None: no plan."""
        plan = self.solution.plan
        return None if plan is None else long_ways(self.inputs, plan.cluster_of)

    def map(self) -> folium.Map:
        """Return the map of the plan, for a notebook cell."""
        assert self.report is not None, "a result without a plan has no map"
        return draw(plan_map(self.inputs, self.plan, self.report))

    def why(self) -> pd.DataFrame:
        """Return for each school why it is where it is, its next-best cluster and that price."""
        table = reasons_of_schools(self.plan, self.inputs.problem)
        table.insert(1, "name", [self.inputs.table.at[urn, "name"] for urn in table["urn"]])
        return table

    def prices(
        self,
        *,
        effort: str = "quick",
        rules: Sequence[str] | None = None,
        progress: Callable[[Tick], None] = lambda tick: None,
        stop: Callable[[], bool] = lambda: False,
    ) -> pd.DataFrame:
        """Return what each rule costs, for which the plan is solved again without it.

        One row a rule and place; columns as in `clustering.solve.prices.rule_prices`. It takes as
        long as several designs; `rules` names those to look at.
        """
        return rule_prices(
            self.inputs.problem,
            self.plan,
            proven=[part.name for part in self.solution.parts if part.status == "optimal"],
            rules=rules,
            seed=self.solution.seed,
            effort=effort,
            progress=progress,
            stop=stop,
        )

    def alternatives(
        self,
        k: int = 3,
        within: float = 0.05,
        *,
        effort: str = "quick",
        progress: Callable[[Tick], None] = lambda tick: None,
        stop: Callable[[], bool] = lambda: False,
    ) -> list[Alternative]:
        """Return up to `k` plans within a share of the best that differ as much as possible."""
        found = alternatives(
            self.inputs.problem,
            self.plan,
            count=k,
            within=within,
            seed=self.solution.seed,
            effort=effort,
            progress=progress,
            stop=stop,
        )
        return [replace(one, plan=drawn(one.plan, self.inputs.problem)) for one in found]

    def trade_off(
        self,
        against: str = "minutes",
        goal: str = "balance",
        *,
        factors: Sequence[float] = (0.25, 0.5, 1.0, 2.0, 4.0),
        effort: str = "quick",
        progress: Callable[[Tick], None] = lambda tick: None,
        stop: Callable[[], bool] = lambda: False,
    ) -> TradeOff:
        """Return the curve between two goals: what a higher price of `goal` costs in `against`."""
        table = trade_off(
            self.inputs.problem,
            goal,
            against=against,
            factors=factors,
            seed=self.solution.seed,
            effort=effort,
            progress=progress,
            stop=stop,
        )
        return TradeOff(against, goal, table)

    def money(self, plan: Plan | None = None, **asked: Any) -> Money:
        """Share the pot among the clusters: `money_of`, for this plan or another, at once.

        For instance `money(weights={"pupils": 0.7, "ehc_plans": 0.3}, floor=0.03, pot=12e6)`.
        """
        return money_of(self.inputs, self.plan if plan is None else plan, **asked)

    def compare(self, *others: Plan, tolerance: float = TOLERANCE) -> Comparison:
        """Compare the plan with others and with today's: figures, who moves, who comes nearer."""
        named = {f"changed {k}" if k > 1 else "changed": p for k, p in enumerate(others, start=1)}
        if self.inputs.existing is not None:
            named["today"] = self.inputs.existing
        return compare_plans(self.inputs, {"design": self.plan, **named}, tolerance=tolerance)

    def write(self, out: Path | str, *, prices: pd.DataFrame | None = None) -> Path:
        """Write every file of the run into a folder, all or nothing; `prices` if there are any."""
        return write_run(Path(out), self.inputs, self.solution, self.report, prices, self.long_ways)


def design(
    study: Study | Path | str,
    *,
    seed: int | None = None,
    seconds: float | None = None,
    gap: float | None = None,
    effort: str | None = None,
    start: Plan | None = None,
    change: float = REDRAW_PRICE,
    progress: Callable[[Tick], None] = lambda tick: None,
    stop: Callable[[], bool] = lambda: False,
    inputs: Inputs | None = None,
) -> Result:
    """Design the clusters of a study: read, solve, audit.

    Whatever is not given is as the study's `[solve]` says. `start` is a plan to redraw: its locks
    hold, and every school that leaves its cluster costs `change` minutes.
    `inputs` saves reading the files again. Raises an `InputError` for bad input; that no plan
    exists is an answer (`result.reasons`), and a plan that the audit finds in breach is an error of
    this program and raises `AssertionError`.
    """
    if not isinstance(study, Study):
        study = Study.load(study)
    inputs = inputs or load_inputs(study)
    own = study.config.solve
    if start is not None:
        inputs = replace(inputs, problem=redrawn(inputs.problem, start, change))
    solution = solve(
        inputs.problem,
        seed=own.seed if seed is None else seed,
        effort=effort or own.effort,
        seconds=seconds,
        gap=own.gap if gap is None else gap,
        start=start,
        progress=progress,
        stop=stop,
    )
    return Result(inputs, solution, audited(solution, inputs), start)


def redrawn(problem: Problem, start: Plan, change: float) -> Problem:
    """Return the problem of redrawing a plan under its locks; who opted out stays out."""
    problem = problem.without(start.opted_out)
    sealed = {name: start[name].schools for name in sorted(start.locked) if name in start.labels}
    hubs = [start[name].hub for name in sorted(start.locked) if name in start.labels]
    ties = {
        urn: (urn, start[start.cluster_of[urn]].hub)
        for urn in sorted(start.locked)
        if urn in start.cluster_of
    }
    return problem.redrawn_from(
        start.cluster_of, change=change, sealed=sealed, ties=ties, pinned_hubs=hubs
    )


def audited(solution: Solution, inputs: Inputs) -> Report | None:
    """Return the independent audit of a solution, and insist that both agree."""
    if solution.plan is None:
        return None
    report = assess(solution.plan, inputs.problem)
    broken = "; ".join(breach.text for breach in report.breaches)
    if not report.ok:
        raise AssertionError(f"the solver returned a plan that breaks rules: {broken}")
    if solution.objective is None or abs(report.objective - solution.objective) > 0.005:
        raise AssertionError(
            f"the audit's objective {report.objective} is not the solver's {solution.objective}"
        )
    return report


def judge(inputs: Inputs, path: Path | str) -> tuple[Plan, Report]:
    """Read a plan file (CSV or Excel) and assess it against a study."""
    plan = drawn(read_plan(path, inputs.problem), inputs.problem)
    return plan, assess(plan, inputs.problem)


def compare_plans(
    inputs: Inputs, plans: Mapping[str, Plan], *, tolerance: float = TOLERANCE
) -> Comparison:
    """Compare two or more plans by name, each with each other one.

    Journeys that differ by no more than `tolerance` minutes count as unchanged.
    """
    found = compare_all(plans, inputs.problem, tolerance=tolerance)
    return with_budgets(found, inputs, plans)


def drawn(plan: Plan, problem: Problem) -> Plan:
    """Return a plan from which others can be drawn by hand, each of which tells what changed."""
    return replace(plan, teller=lambda after: change(after, plan, problem))
