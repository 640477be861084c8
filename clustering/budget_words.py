"""What a budget says in sentences: who pays for protection, what is held, which figures are odd."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pandas as pd

from clustering.budget_rules import BudgetRules
from clustering.feeders import some_schools
from clustering.protection import CLOSE, Protection

NOTIONAL_RANGES: Mapping[str, tuple[float, float]] = {
    "primary": (59_000.0, 347_000.0),
    "secondary": (12_000.0, 433_000.0),
}
"""Notional SEN budgets of schools in Kingston, 2022/23: figures far beyond want a second look."""

NAMED = 6
"""So many clusters a sentence names; of more it says how many."""


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
        notes += _who_pays(rows, rules, protection, baseline_words)
    out = each[(each["cluster"] == "") & (each["share"] > 0)]
    if len(out):
        notes.append(
            f"In no cluster: {some_schools(len(out))}; the council holds that share, "
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


def unprotected(rules: BudgetRules, year: int, *, known: bool) -> list[str]:
    """Say that a floor or cap of the rules is not in force, and why; `known`: is a baseline?"""
    named = "no floor" if rules.cap is None else "neither floor nor cap"
    if not known and any(loss is not None for loss in rules.floors):
        return [f"No baseline is given, so {named} is in force."]
    if known and rules.loss_of(year) is None and rules.cap is not None:
        return [f"The floors have ended by {rules.label(year)}, and the cap with them."]
    return []


def _who_pays(
    rows: pd.DataFrame, rules: BudgetRules, protection: Protection, words: str
) -> list[str]:
    """Say who is protected, who pays for it from gains, and what a cap takes and holds."""
    up = rows["difference"][rows["difference"] > CLOSE]
    ceiling = math.inf if rules.cap is None else (1 + rules.cap) * rows["baseline"]
    cut = (rows["formula"] - ceiling).clip(lower=0.0)
    cut = cut[cut > CLOSE]
    down = rows["difference"].add(cut, fill_value=0.0)
    down = down[down < -CLOSE]
    said = []
    if len(up):
        said.append(f"£{up.sum():,.0f} of protection against {words} goes to {_named(up.index)}.")
    if len(down):
        keep = f"{protection.gains_paid:.1%}"
        said.append(f"{_named(down.index)} pay for it: they keep {keep} of every pound gained.")
    if len(cut):
        held, took = protection.surplus, cut.sum()
        use = "it is held" if held > took - 1 else f"£{held:,.0f} is held, the rest pays for floors"
        said.append(
            f"The cap on gains over {words} takes £{took:,.0f} from {_named(cut.index)}: "
            f"{'it pays for floors' if held < CLOSE else use}."
        )
    if protection.above_floor_paid < 1:
        said.append(
            "Gains alone are not enough: all that stands above a floor is paid at "
            f"{protection.above_floor_paid:.1%}."
        )
    if not said:
        return [f"No cluster is below its floor against {words}; the formula stands."]
    return [" ".join(said)]


def _named(labels: pd.Index) -> str:
    """Return clusters by name, or how many where a sentence would drown in them."""
    return ", ".join(map(str, labels)) if len(labels) <= NAMED else f"{len(labels)} clusters"


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
