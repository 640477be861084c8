"""The money of each cluster: a pot shared by need, protected, and rounded to the last pound.

    topslice    = contingency + running cost × clusters
    formula[c]  = (pot − topslice) × Σ_{s in c} share[s]
    protected   = see `clustering.protection`
    budget[c]   = protected, rounded by the largest remainder, so that all sums to the pot

Shares come from `clustering.need`; moving a school moves exactly its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from clustering.budget_rules import PHASES, BudgetRules, whole
from clustering.budget_words import notes_on, unprotected
from clustering.feeders import some_schools
from clustering.plan import Plan, label_order
from clustering.protection import CLOSE, Protection, apportion, protect


@dataclass(frozen=True, eq=False)
class Budget:
    """The budgets of a plan in one year, and everything they are made of.

    `table` (index cluster, in the order of labels): schools, pupils, share; in pounds formula,
    baseline, floor, protected and `difference`, which is protected less formula; in whole pounds
    budget, project, individual, running_cost, total; `per_pupil` is budget over roll;
    `notional_sen` stands in the schools' own budgets and is no part of the pot (NaN = not known).
    NaN baseline and floor mean that no floor is in force. `schools` (index urn) has cluster, group,
    share, formula, baseline. `lines` are whole pounds that sum to the pot. Where the pot cannot pay
    the topslice or the floors,
    `reasons` say so and no budget is set: `budget` and what follows from it is NaN.
    """

    table: pd.DataFrame
    schools: pd.DataFrame
    lines: Mapping[str, float]
    rules: BudgetRules
    year: int
    loss: float | None
    protection: Protection | None
    reasons: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Can the pot pay everything it must?"""
        return not self.reasons

    @property
    def label(self) -> str:
        """The financial year as "2025-26"."""
        return self.rules.label(self.year)


def phase_group(phase: pd.Series) -> pd.Series:
    """Return "primary" or "secondary" for each school; an all-through school is secondary."""
    primary = phase.astype(str).isin(["primary", "middle_primary"])
    return pd.Series(np.where(primary, *PHASES), index=phase.index)


def final_shares(
    shares: pd.Series, group: pd.Series, rules: BudgetRules, inside: pd.Series
) -> pd.Series:
    """Return shares under the phase weights or ring-fence, which sum to 1.

    A school without a share (no roll) has 0. `inside` says which schools are in a cluster; the
    others have 0 where `rules.outside` is "shared". A ring-fenced phase without any school that
    needs money would leave its part unspent, which is a `ValueError`.
    """
    held = shares.fillna(0.0).clip(lower=0.0)
    if rules.outside == "shared":
        held = held.where(inside, 0.0)
    weighted = held * group.map(rules.phase_weight)
    if weighted.sum() <= 0:
        raise ValueError("no school of the plan has a share of the need, so nothing can be shared")
    if rules.ring_fence is None:
        return weighted / weighted.sum()
    fence = {str(phase): part for phase, part in rules.ring_fence.items()}
    sums = weighted.groupby(group).sum()
    for phase, part in fence.items():
        if part > 0 and not sums.get(phase, 0.0) > 0:
            raise ValueError(
                f"{part:.0%} is ring-fenced for {phase} schools, but none of them has a share"
            )
    return weighted / group.map(sums).where(lambda total: total > 0, 1.0) * group.map(fence)


def budgets(
    plan: Plan,
    shares: pd.Series,
    rules: BudgetRules,
    *,
    schools: pd.DataFrame,
    year: int = 0,
    baseline: pd.DataFrame | None = None,
    notional: pd.Series | None = None,
    baseline_words: str = "the baseline",
) -> Budget:
    """Return the budget of each cluster of a plan in a year (0 is the first).

    `shares` by URN as `Need.shares`; `schools` the schools table (`name, phase, pupils`);
    `baseline` by URN with `baseline` in pounds and, if the rolls of that time are known,
    `baseline_pupils`, by which it is brought to today's pupils. A school without a baseline has
    its formula share as baseline. Raises `ValueError` where nothing can be shared at all.
    """
    table = schools[["name", "phase", "pupils"]].sort_index()
    label = pd.Series(dict(plan.cluster_of), dtype=object).reindex(table.index).fillna("")
    group = phase_group(table["phase"])
    share = final_shares(shares.reindex(table.index), group, rules, label != "")
    lines = _topslice(rules, year, len(plan))
    money = lines["to be shared"]
    each = table.assign(cluster=label, group=group, share=share, formula=share * max(money, 0))
    loss = rules.loss_of(year) if baseline is not None else None
    notes = unprotected(rules, year, known=baseline is not None)
    each["baseline"] = np.nan if loss is None else _rebased(each, baseline, notes)
    each["notional_sen"] = np.nan if notional is None else notional.reindex(table.index)
    rows = _clusters(plan, each, loss)
    reasons, protection = _protected(rows, rules, loss, money, lines, baseline_words)
    _round(rows, each, rules, protection, money, lines, ok=not reasons)
    notes += notes_on(rows, each, rules, protection, lines, baseline_words)
    return Budget(rows, each, lines, rules, year, loss, protection, tuple(reasons), tuple(notes))


def _topslice(rules: BudgetRules, year: int, clusters: int) -> dict[str, float]:
    """Return the lines of the pot; what rounding cannot share stays in the contingency."""
    pot = rules.pot_of(year)
    contingency = whole(pot * rules.contingency)
    running = whole(rules.running_cost) * clusters
    left = pot - contingency - running
    odd = left % rules.round_to if left > 0 else 0
    return {
        "pot": pot,
        "contingency": contingency + odd,
        "running cost": running,
        "to be shared": left - odd,
    }


def _rebased(each: pd.DataFrame, baseline: pd.DataFrame | None, notes: list[str]) -> pd.Series:
    """Return each school's baseline in pounds at today's pupils; its formula where it has none."""
    assert baseline is not None
    past = baseline.reindex(each.index)
    pounds = past["baseline"].astype(float)
    if "baseline_pupils" in past:
        then = past["baseline_pupils"].astype(float)
        factor = (each["pupils"] / then.where(then > 0)).fillna(1.0)
        pounds = pounds * factor
    new = pounds.isna() & (each["cluster"] != "")
    if new.any():
        notes.append(
            f"Without a baseline: {some_schools(int(new.sum()))}; the formula share stands for it."
        )
    return pounds.fillna(each["formula"])


def _clusters(plan: Plan, each: pd.DataFrame, loss: float | None) -> pd.DataFrame:
    placed = each[each["cluster"] != ""].groupby("cluster")
    rows = pd.DataFrame(
        {
            "schools": placed.size(),
            "pupils": placed["pupils"].sum(),
            "share": placed["share"].sum(),
            "formula": placed["formula"].sum(),
            "baseline": placed["baseline"].sum(min_count=1),
            "notional_sen": placed["notional_sen"].sum(min_count=1),
        }
    ).reindex([cluster.label for cluster in sorted(plan.clusters, key=label_order)])
    rows["floor"] = np.nan if loss is None else (1 - loss) * rows["baseline"]
    return rows.rename_axis("cluster")


def _protected(
    rows: pd.DataFrame,
    rules: BudgetRules,
    loss: float | None,
    money: float,
    lines: Mapping[str, float],
    baseline_words: str,
) -> tuple[list[str], Protection | None]:
    """Fill in `protected`; return why it cannot be, and the protection where one is in force."""
    rows["protected"] = np.nan
    if money <= 0:
        topslice = lines["contingency"] + lines["running cost"]
        return [
            f"The pot of £{lines['pot']:,.0f} cannot pay its topslice of £{topslice:,.0f}: "
            f"contingency £{lines['contingency']:,.0f} and running costs "
            f"£{lines['running cost']:,.0f} for {len(rows)} clusters."
        ], None
    if loss is None:
        rows["protected"] = rows["formula"]
        return [], None
    found = protect(
        rows["formula"].to_numpy(float), rows["baseline"].to_numpy(float), loss, rules.cap
    )
    rows["protected"] = found.protected
    if not found.short:
        return [], found
    payable = 1 - float(rows["formula"].sum()) / float(rows["baseline"].sum())
    return [
        f"The pot cannot pay the floors: no cluster below {1 - loss:.1%} of {baseline_words} takes "
        f"£{found.floor.sum():,.0f}, and there is £{rows['formula'].sum():,.0f}, which is "
        f"£{found.short:,.0f} too little. It could pay a floor at a loss of {payable:.1%}."
    ], found


def _round(
    rows: pd.DataFrame,
    each: pd.DataFrame,
    rules: BudgetRules,
    protection: Protection | None,
    money: float,
    lines: dict[str, float],
    *,
    ok: bool,
) -> None:
    """Fill in the columns in whole pounds, and the lines of what is held back."""
    rows["difference"] = rows["protected"] - rows["formula"]
    rows["running_cost"] = float(whole(rules.running_cost))
    del lines["to be shared"]
    if not ok:
        for column in ("budget", "total", "project", "individual", "per_pupil"):
            rows[column] = np.nan
        return
    outside = float(each.loc[each["cluster"] == "", "formula"].sum())
    surplus = protection.surplus if protection and protection.surplus > CLOSE else 0.0
    amounts = np.array([*rows["protected"], outside, surplus])
    rounded = apportion(amounts, int(money), rules.round_to).astype(float)
    rows["budget"] = rounded[:-2]
    rows["total"] = rows["budget"] + rows["running_cost"]
    rows["project"] = np.floor(rows["budget"] * rules.project_share + 0.5)
    rows["individual"] = rows["budget"] - rows["project"]
    rows["per_pupil"] = rows["budget"] / rows["pupils"].where(rows["pupils"] > 0)
    lines["clusters"] = float(rows["budget"].sum())
    lines["held for schools in no cluster"] = float(rounded[-2])
    lines["held by the cap"] = float(rounded[-1])
