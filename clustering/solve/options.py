"""Realistic options: good plans that differ, and what one goal costs in terms of another.

Consultation needs more than one plan. An alternative is found by paying for difference: the price
of change counts from the plans already chosen and is negative, so the search is drawn away from
them, and only plans within the allowed distance of the best are kept. Differences are counted in
schools that would have to move between two plans (after matching the clusters).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from clustering.plan import Plan
from clustering.problem import Problem
from clustering.report import assess, moves
from clustering.solve.whole import Solution, Tick, solve

REWARDS = (2.0, 5.0, 10.0, 20.0)
"""Minutes that a school's move is worth to a search that looks for a different plan."""


@dataclass(frozen=True, eq=False)
class Alternative:
    """A plan near the best: its objective in the study's own goals, its price, its difference.

    `price` is the share by which its objective exceeds the best one's; `moved` is the least number
    of schools in which it differs from any plan chosen before it.
    """

    plan: Plan
    objective: float
    price: float
    moved: int


def alternatives(
    problem: Problem,
    best: Plan,
    *,
    count: int = 3,
    within: float = 0.05,
    seed: int = 1,
    effort: str = "quick",
    progress: Callable[[Tick], None] = lambda tick: None,
    stop: Callable[[], bool] = lambda: False,
) -> list[Alternative]:
    """Return up to `count` plans within a share of the best that differ as much as possible.

    Every plan keeps every rule, by the audit. Fewer are returned where the search finds no more;
    none is ever returned that does not differ from the others.
    """
    if count < 1 or within < 0:
        raise ValueError("alternatives need count ≥ 1 and within ≥ 0")
    base = assess(best, problem).objective
    found: dict[Plan, float] = {}
    for round_, reward in enumerate(REWARDS):
        if stop():
            break
        for start in (best, *sorted(found, key=lambda plan: found[plan])[:1]):
            drawn = _drawn_away(problem, start, reward)
            solution = solve(drawn, seed=seed + round_, effort=effort, progress=progress, stop=stop)
            _keep(found, solution, problem, base * (1 + within))
    return _most_different(found, best, base, count)


def _drawn_away(problem: Problem, plan: Plan, reward: float) -> Problem:
    """Return the problem in which every school that leaves its cluster of `plan` is a gain."""
    drawn = problem.redrawn_from(plan.cluster_of, change=0.0)
    goals = drawn.goals.model_copy(update={"change": -reward})
    return replace(drawn, goals=goals)


def _keep(found: dict[Plan, float], solution: Solution, problem: Problem, most: float) -> None:
    if solution.plan is None:
        return
    report = assess(solution.plan, problem)
    if report.ok and report.objective <= most:
        found[solution.plan] = report.objective


def _most_different(
    found: dict[Plan, float], best: Plan, base: float, count: int
) -> list[Alternative]:
    """Choose greedily the plan farthest from all chosen so far; the cheaper one of two."""
    chosen: list[Plan] = [best]
    picked: list[Alternative] = []
    left = dict(found)
    while left and len(picked) < count:
        scored = [
            (min(len(moves(other, plan)) for other in chosen), -cost, plan)
            for plan, cost in left.items()
        ]
        moved, negative, plan = max(scored, key=lambda s: (s[0], s[1], s[2].labels))
        if moved == 0:
            break
        picked.append(Alternative(plan, -negative, -negative / base - 1, moved))
        chosen.append(plan)
        del left[plan]
    return picked


def trade_off(
    problem: Problem,
    goal: str,
    *,
    against: str = "minutes",
    factors: Sequence[float] = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0),
    seed: int = 1,
    effort: str = "quick",
    progress: Callable[[Tick], None] = lambda tick: None,
    stop: Callable[[], bool] = lambda: False,
) -> pd.DataFrame:
    """Return what more weight on one goal buys and costs: a row a factor on its price.

    Columns: `factor`, the amount of `goal` and of `against` (minutes at the study's own prices),
    `feeders_kept_non_selective`, `mean_minutes`, `largest_to_smallest_need`, `moved` (schools that
    move against factor 1). Rows in which no plan was found are left out.
    """
    prices = problem.goals.model_dump()
    for name in (goal, against):
        if name not in prices:
            raise ValueError(f"there is no goal {name}; goals are {', '.join(prices)}")
    plans: dict[float, Plan] = {}
    for factor in sorted({*factors, 1.0}):
        if stop():
            break
        goals = problem.goals.model_copy(update={goal: prices[goal] * factor})
        solution = solve(
            replace(problem, goals=goals), seed=seed, effort=effort, progress=progress, stop=stop
        )
        if solution.plan is not None:
            plans[factor] = solution.plan
    rows = []
    for factor, plan in plans.items():
        report = assess(plan, problem)
        row: dict[str, object] = {
            "factor": factor,
            goal: round(report.goals.get(goal, 0.0), 1),
            against: round(report.goals.get(against, 0.0), 1),
        }
        row |= {k: v for k, v in report.summary.items() if k != "max_minutes"}
        row["moved"] = len(moves(plans[1.0], plan)) if 1.0 in plans else None
        rows.append(row)
    return pd.DataFrame(rows)
