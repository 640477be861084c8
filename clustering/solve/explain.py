"""Why a part has no plan although no count forbids one: each rule in turn is eased and tried.

A rule whose easing alone yields a plan is a reason, and the plan shows by how much it has to give.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from clustering.plan import make_plan
from clustering.problem import Part, Problem
from clustering.report import assess
from clustering.rules import AreaRules, Rules
from clustering.solve.checks import possible_counts
from clustering.solve.model import build_model
from clustering.solve.part import QUICK, solve_part
from clustering.solve.reasons import Reason, Remedy, area_lines, raised_reach
from clustering.solve.remedies import in_order, least_objective


@dataclass(frozen=True)
class _Easing:
    """One rule eased: its name, what it becomes, in words and as a line for the study."""

    rule: str
    rules: Rules
    text: str
    toml: str


def explain(problem: Problem, part: Part, *, proven: bool, seed: int) -> tuple[Reason, ...]:
    """Return why a part has no plan: which rules, eased one at a time, would give one.

    `proven` says whether it is certain that there is none, or only that none was found. What each
    easing must be is read off the plan it yields, so the line for the study is enough.
    """
    remedies, broken = [], []
    for easing in _easings(problem, part):
        # The mildest easing of a rule that works is the one to offer.
        eased = problem.with_rules(easing.rules)
        if easing.rule not in broken and _has_plan(eased, part, seed):
            cost = least_objective(eased, part, seed)
            remedies.append(Remedy(easing.text, easing.toml, cost))
            broken.append(easing.rule)
    certainty = (
        "has no plan that keeps every rule"
        if proven
        else ("has, as far as the search could tell, no plan that keeps every rule")
    )
    if remedies:
        names = ", ".join(_WORDS[rule] for rule in broken)
        text = f"{part.name} {certainty}. Easing any one of these gives one: {names}."
    else:
        text = f"{part.name} {certainty}, and easing no single rule gives one."
    return (Reason(part.name, tuple(broken) or ("several",), text, in_order(remedies)),)


_WORDS = {
    "schools": "the number of schools in a cluster",
    "need_tolerance": "the tolerance on need",
    "spread": "the spread of need",
    "min_need": "the smallest need of a cluster",
    "min_budget": "the smallest budget of a cluster",
    "max_minutes_to_hub": "the longest journey to the hub",
    "max_minutes_to_srp": "the minutes from hubs to SRPs",
    "primaries": "the number of primaries",
    "secondaries": "the number of secondaries",
    "connected": "that clusters are connected",
    "pupils": "the number of pupils in a cluster",
    "together": "which schools are kept together",
}


def _easings(problem: Problem, part: Part) -> Iterator[_Easing]:
    rules = problem.rules
    now = rules.for_area(part.name)
    low, high = now.schools

    def area(rule: str, value: Any, text: str, line: str) -> _Easing:
        if part.name == "all areas":
            eased = rules.model_copy(update={rule: value})
        else:
            own = rules.area.get(part.name, AreaRules())
            changed = AreaRules(**{**own.model_dump(exclude_unset=True), rule: value})
            eased = rules.model_copy(update={"area": {**rules.area, part.name: changed}})
        return _Easing(rule, eased, text, area_lines(part, line))

    for step in (1, 2, 4):
        wider = (max(low - step, 1), high + step)
        yield area(
            "schools",
            wider,
            f"Allow {wider[0]} to {wider[1]} schools a cluster in {part.name}.",
            f"schools = [{wider[0]}, {wider[1]}]",
        )
    if now.need_tolerance is not None:
        for factor in (1.25, 1.5, 2.0):
            share = round(now.need_tolerance * factor, 3)
            yield area(
                "need_tolerance",
                share,
                f"Allow need to differ by {100 * share:g}% from the mean in {part.name}.",
                f"need_tolerance = {share:g}",
            )
    if now.spread is not None:
        for factor in (1.25, 1.5, 2.0):
            share = round(now.spread * factor, 3)
            yield area(
                "spread",
                share,
                f"Allow the largest and the smallest need to lie {100 * share:g}% of the mean "
                f"apart in {part.name}.",
                f"spread = {share:g}",
            )
    for rule, unit in (("min_need", "{:,.0f} need units"), ("min_budget", "£{:,.0f}")):
        least = getattr(now, rule)
        for factor in (0.8, 0.6, 0.4) if least else ():
            less = math.floor(least * factor)
            yield area(
                rule,
                float(less),
                f"Allow a cluster of {part.name} as little as {unit.format(less)}.",
                f"{rule} = {less}",
            )
    for factor in (1.25, 1.5, 2.0):
        minutes = round(now.max_minutes_to_hub * factor)
        yield area(
            "max_minutes_to_hub",
            float(minutes),
            f"Allow {minutes} minutes to the hub in {part.name}.",
            f"max_minutes_to_hub = {minutes}",
        )
    reach = now.max_minutes_to_srp
    if reach is not None:
        for factor in (1.25, 1.5, 2.0):
            each = reach if isinstance(reach, Mapping) else {"all": reach}
            more = {name: float(math.ceil(most * factor)) for name, most in each.items()}
            line = raised_reach(reach, more)
            yield area(
                "max_minutes_to_srp",
                more if isinstance(reach, Mapping) else more["all"],
                f"Let hubs of {part.name} be farther from an SRP: {line}.",
                line,
            )
    for rule, one in (("secondaries", "secondary"), ("primaries", "primary")):
        if getattr(now, rule):
            fewer = getattr(now, rule) - 1
            yield area(
                rule,
                fewer,
                f"Ask for {fewer or 'no'} {rule if fewer != 1 else one} a cluster in {part.name}.",
                f"{rule} = {fewer}",
            )
    if now.pupils is not None:
        eased = (int(now.pupils[0] * 0.8), int(now.pupils[1] * 1.2))
        yield area(
            "pupils",
            eased,
            f"Allow {eased[0]:,} to {eased[1]:,} pupils a cluster in {part.name}.",
            f"pupils = [{eased[0]}, {eased[1]}]",
        )
    if rules.connected:
        yield _Easing(
            "connected",
            rules.model_copy(update={"connected": False}),
            "Let clusters consist of pieces that are not neighbours.",
            "[rules]\nconnected = false",
        )


def _has_plan(problem: Problem, part: Part, seed: int) -> bool:
    """Does a quick search find a plan of the part that the audit accepts?"""
    model = build_model(problem, part)
    counts, reasons = possible_counts(problem, part, model)
    if reasons:
        return False
    for clusters in counts:
        answer = solve_part(model, clusters, seed=seed, effort=QUICK)
        if answer.objective is None:
            continue
        groups = [
            (
                [
                    p
                    for p, a in zip(model.schools, model.atom_of.tolist(), strict=True)
                    if a in c.atoms
                ],
                model.schools[c.hub],
            )
            for c in answer.chosen
        ]
        report = assess(make_plan(problem, groups), problem)
        if all(breach.rule in ("assigned", "clusters") for breach in report.breaches):
            return True
    return False
