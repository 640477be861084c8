"""Ranks the ways out of a contradiction by what they cost: the best plan each makes possible."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from clustering.problem import Part, Problem
from clustering.rules import CENTS
from clustering.solve.checks import eased, possible_counts
from clustering.solve.model import build_model
from clustering.solve.part import Effort, solve_part
from clustering.solve.reasons import Reason, Remedy

GLANCE = Effort(moves=150_000, restarts=1, prove=False)
"""Enough to tell a cheap remedy from a dear one."""


def ranked(problem: Problem, reasons: Sequence[Reason], seed: int) -> list[Reason]:
    """Return reasons with their remedies in the order of cost, the cheapest first.

    The cost is the objective of the best plan of the place that a short search finds with the
    remedy. A remedy that opens the borders, that leaves another contradiction of the place as it
    is, or with which the search found nothing has no cost and stands at the end.
    """
    parts = {part.name: part for part in problem.parts()}
    found = []
    for reason in reasons:
        part = parts.get(reason.place)
        remedies = [
            replace(remedy, cost=None if part is None else _cost(problem, part, remedy, seed))
            for remedy in reason.remedies
        ]
        found.append(replace(reason, remedies=in_order(remedies)))
    return found


def in_order(remedies: Sequence[Remedy]) -> tuple[Remedy, ...]:
    """Return remedies by cost, those without one at the end, each in the order given."""
    return tuple(sorted(remedies, key=lambda r: (r.cost is None, r.cost or 0.0)))


def _cost(problem: Problem, part: Part, remedy: Remedy, seed: int) -> float | None:
    changed = remedy.mended
    if changed is None and not remedy.toml.startswith("[rules"):
        return None
    if changed is None:
        changed = problem.with_rules(eased(problem.rules, remedy.toml))
    same = [own for own in changed.parts() if own.members == part.members]
    return least_objective(changed, same[0], seed) if same else None


def least_objective(
    problem: Problem, part: Part, seed: int, effort: Effort = GLANCE
) -> float | None:
    """Return the least objective of a part in minutes that a short search finds; None for none."""
    model = build_model(problem, part)
    counts, reasons = possible_counts(problem, part, model)
    if reasons:
        return None
    answers = [solve_part(model, k, seed=seed, effort=effort).objective for k in counts]
    found = [answer for answer in answers if answer is not None]
    return min(found) / CENTS if found else None
