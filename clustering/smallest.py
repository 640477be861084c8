"""What a smallest budget means before anybody knows how many clusters there will be.

A cluster's formula budget is its part of the need times the money that is left once contingency
and running costs are taken off. Running costs grow with the number of clusters, so a need unit is
counted at what it is worth with the most clusters the rules allow: a cluster that is rich enough
then is rich enough with fewer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pandas as pd

from clustering.budget_rules import PHASES, BudgetRules, whole
from clustering.rules import Rules, asks_for_budget


def most_clusters(rules: Rules, schools: Mapping[str, int]) -> int:
    """Return the most clusters that the rules allow; `schools` says how many each area has."""
    if rules.clusters != "free":
        return rules.clusters[1]
    if rules.areas != "never":
        least = min(rules.for_area(name).schools[0] for name in schools)
        return sum(schools.values()) // max(least, 1)
    return sum(_most_of(rules, name, count) for name, count in schools.items())


def _most_of(rules: Rules, area: str, schools: int) -> int:
    own = rules.area.get(area)
    if own is not None and own.clusters is not None:
        return own.clusters[1]
    named = [c.schools[0] for c in rules.cluster.values() if c.schools is not None]
    least = min([rules.for_area(area).schools[0], *named])
    return schools // max(least, 1)


def pounds_a_unit(budget: BudgetRules, clusters: int, need: pd.Series) -> float:
    """Return the pounds by formula of one need unit in the first year, with so many clusters.

    `need` is that of all schools, NaN where it is not known. Below 0 where the pot cannot pay its
    own topslice.
    """
    pot = budget.pot_of(0)
    topslice = whole(pot * budget.contingency) + whole(budget.running_cost) * clusters
    return float((pot - topslice - budget.round_to) / need.sum())


def faults(rules: Rules, budget: BudgetRules | None) -> Iterator[tuple[str, str]]:
    """Yield why a smallest budget cannot be kept, each with what to do."""
    if not asks_for_budget(rules):
        return
    if budget is None:
        yield "[rules] min_budget needs a pot, and there is no [budget].", "Give [budget] pot = …"
        return
    weights = {budget.phase_weight(phase) for phase in PHASES}
    if budget.ring_fence is not None or len(weights) > 1:
        yield (
            "[rules] min_budget cannot be kept together with [budget] ring_fence or phase_weights: "
            "there a budget is not in proportion to need.",
            "Ask for a smallest need instead: [rules] min_need = …",
        )
