"""What a budget says in sentences: who pays for protection, what is held, which figures are odd."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from clustering.budget_rules import BudgetRules
from clustering.protection import CLOSE, Protection

NOTIONAL_RANGES: Mapping[str, tuple[float, float]] = {
    "primary": (59_000.0, 347_000.0),
    "secondary": (12_000.0, 433_000.0),
}
"""Notional SEN budgets of schools in Kingston, 2022/23: figures far beyond want a second look."""


def notes_on(
    rows: pd.DataFrame,
    each: pd.DataFrame,
    rules: BudgetRules,
    protection: Protection | None,
    lines: Mapping[str, float],
    baseline_words: str,
) -> list[str]:
    """Return the notes on a budget's clusters (`rows`) and schools (`each`)."""
    notes = []
    if protection is not None and not protection.short:
        notes += _who_pays(rows, protection, baseline_words)
    out = each[(each["cluster"] == "") & (each["share"] > 0)]
    if len(out):
        notes.append(
            f"{len(out)} schools are in no cluster; the council holds their share, "
            f"£{lines.get('held for schools in no cluster', 0):,.0f}."
        )
    if each["share"].eq(0).any() and rules.outside == "held":
        names = ", ".join(f"{each.at[u, 'name']} ({u})" for u in each.index[each["share"] == 0][:5])
        notes.append(f"Without a share, as their need is not known or nil: {names}.")
    if rows["notional_sen"].notna().any():
        notes.append(
            f"Notional SEN of £{rows['notional_sen'].sum():,.0f} stands in the schools' own "
            "budgets; it is shown beside and is no part of the pot."
        )
        notes += _odd_notional(each)
    return notes


def _who_pays(rows: pd.DataFrame, protection: Protection, words: str) -> list[str]:
    up = rows["difference"][rows["difference"] > CLOSE]
    down = rows["difference"][rows["difference"] < -CLOSE]
    if not len(up) and not len(down):
        return [f"No cluster is below its floor against {words}; the formula stands."]
    text = f"£{up.sum():,.0f} of protection against {words} goes to {', '.join(up.index)}."
    if not len(up):
        text = f"The cap on gains over {words} holds back £{-down.sum():,.0f}."
    elif len(down):
        text += f" {', '.join(down.index)} pay for it: they keep {protection.gains_paid:.1%} of "
        text += "every pound gained."
    if protection.above_floor_paid < 1:
        text += (
            f" Gains alone are not enough: all that stands above a floor is paid at "
            f"{protection.above_floor_paid:.1%}."
        )
    return [text]


def _odd_notional(each: pd.DataFrame) -> list[str]:
    odd = []
    for phase, (low, high) in NOTIONAL_RANGES.items():
        own = each[(each["group"] == phase) & each["notional_sen"].notna()]
        odd += [
            f"{school['name']} ({urn}) £{school['notional_sen']:,.0f}"
            for urn, school in own.iterrows()
            if not low <= school["notional_sen"] <= high
        ]
    if not odd:
        return []
    more = f" and {len(odd) - 5} more" if len(odd) > 5 else ""
    return [
        "Notional SEN outside the range of Kingston's schools in 2022/23 (primary £59,000 to "
        f"£347,000, secondary £12,000 to £433,000): {', '.join(odd[:5])}{more}. Check the figures."
    ]
