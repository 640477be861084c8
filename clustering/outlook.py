"""Several years at once: the pot, every cluster's budget, and the way of the deficit to balance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from clustering.budget import Budget
from clustering.budget_rules import BudgetRules, DeficitPlan

LOSS, PART_OF_BLOCK = "greatest loss allowed", "pot as part of the block"
"""Rows of an outlook that are parts of one; the others are pounds."""


@dataclass(frozen=True, eq=False)
class Outlook:
    """`clusters`: whole pounds by cluster and year (NaN where a year's floors cannot be paid);
    `lines`: the lines of the pot by year; `deficit`: the high-needs block by year, or None;
    `notes`: what stands out, in sentences."""

    clusters: pd.DataFrame
    lines: pd.DataFrame
    deficit: pd.DataFrame | None
    notes: tuple[str, ...]


def outlook(budget_of_year: Callable[[int], Budget], rules: BudgetRules) -> Outlook:
    """Return the budgets of `rules.years` years; the figures behind the shares stay as they are."""
    found = [budget_of_year(year) for year in range(rules.years)]
    labels = [one.label for one in found]
    failing: dict[str, list[str]] = {}
    for one in found:
        for reason in one.reasons:
            failing.setdefault(reason, []).append(one.label)
    notes = [f"{', '.join(years)}: {reason}" for reason, years in failing.items()]
    clusters = pd.DataFrame(
        {label: one.table["budget"] for label, one in zip(labels, found, strict=True)}
    )
    lines = pd.DataFrame(
        {label: pd.Series(one.lines, dtype=float) for label, one in zip(labels, found, strict=True)}
    )
    lines.loc[LOSS] = [float("nan") if one.loss is None else one.loss for one in found]
    deficit = None
    if rules.deficit is not None:
        deficit, said = way_to_balance(rules.deficit, rules)
        notes += said
    return Outlook(clusters, lines, deficit, tuple(notes))


def way_to_balance(plan: DeficitPlan, rules: BudgetRules) -> tuple[pd.DataFrame, list[str]]:
    """Return spend, block, contributions and deficit year by year, in pounds, and what follows.

    The pot of clusters is part of the spend: devolving it changes who decides, not the balance.
    """
    rows = []
    deficit = plan.opening
    for year in range(rules.years):
        spend = plan.spend * (1 + plan.spend_growth) ** year
        block = plan.block * (1 + plan.block_growth) ** year
        given = plan.contributions[year] if year < len(plan.contributions) else 0.0
        opening, deficit = deficit, deficit + spend - block - given
        rows.append(
            {
                "year": rules.label(year),
                "opening deficit": opening,
                "spend": spend,
                "block": block,
                "contributions": given,
                "closing deficit": deficit,
                "pot of clusters": float(rules.pot_of(year)),
                PART_OF_BLOCK: rules.pot_of(year) / block if block else float("nan"),
            }
        )
    table = pd.DataFrame(rows).set_index("year")
    notes = []
    if plan.target_year is not None:
        at = plan.target_year - rules.first_year
        if not 0 <= at < rules.years:
            notes.append(f"The target year {plan.target_year} lies outside the years shown.")
        else:
            left, label = float(table["closing deficit"].iloc[at]), rules.label(at)
            notes.append(
                f"At the end of {label} the block is in balance."
                if left <= 0
                else f"At the end of {label} a deficit of £{left:,.0f} is left, "
                f"£{left / (at + 1):,.0f} a year too much."
            )
    return table, notes
