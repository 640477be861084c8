"""The money of a plan: asked at once, under the study's rules or any others, and written."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any, Literal

import pandas as pd
from pydantic import ValidationError

from clustering.budget import Budget, budgets
from clustering.budget_rules import BudgetRules
from clustering.budget_sheet import write_budget_sheet
from clustering.inputs import Inputs
from clustering.need import Need
from clustering.need_inputs import strangers
from clustering.outlook import Outlook, outlook
from clustering.panel import panel
from clustering.plan import Plan
from clustering.report import follows
from clustering.sensitivity import rank_sentence, sensitivity
from clustering.sheet_schools import SheetInputs
from clustering.study import PanelTable
from geo.errors import Fault, Faults, StudyError

BUDGET_COLUMNS = (
    *("cluster", "schools", "pupils", "share", "formula", "baseline", "floor", "protected"),
    *("difference", "budget", "project", "individual", "running_cost", "total", "per_pupil"),
    "notional_sen",
)
TODAY_COLUMNS = ("follows", "today_budget", "against_today")
"""Beside `BUDGET_COLUMNS` where the study names today's clusters."""
BUDGET_FILES = ("budget.csv", "budget.xlsx", "panel.csv")
OWN_FORMULA = "the formula of the study"


@dataclass(frozen=True, eq=False)
class Money:
    """A budget, the need behind it, and the baseline it is protected against.

    `own_shares` are the schools' shares by the study's own weights, which stand for a baseline that
    is not given. `study_own` is the budget by the study's own weights and rules, where other ones
    were asked: out of the same pot, so that it shows what the other ones do, or out of its own
    where only a pot was asked. `today` is that of today's clusters by the same weights and rules as
    `budget`, where the study names them, and `follows` the cluster of today that each cluster
    continues, where it does.
    """

    budget: Budget
    need: Need
    baseline: pd.DataFrame | None
    own_shares: pd.Series
    study_own: Budget | None = None
    today: Budget | None = None
    follows: Mapping[str, str] = field(default_factory=dict)

    @property
    def table(self) -> pd.DataFrame:
        """The budgets, a row a cluster; with `against_study` where something else was asked, and
        with `TODAY_COLUMNS` where there are clusters today (NaN for a new one)."""
        table = self.budget.table
        if self.today is not None:
            old = table.index.map(lambda label: self.follows.get(label, ""))
            before = self.today.table["budget"].reindex(old).to_numpy(float)
            table = table.assign(
                follows=old, today_budget=before, against_today=table["budget"] - before
            )
        if self.study_own is not None:
            own = self.study_own.table["budget"]
            table = table.assign(study_budget=own, against_study=table["budget"] - own)
        return table

    def _repr_html_(self) -> str:
        """Show in a notebook what is said of the budget, and who gains by what is asked."""
        need, budget = self.need, self.budget
        said = (*budget.reasons, need.banner, *need.notes, *budget.notes)
        table: str = self.table.round(2).to_html(border=0)
        return f"<ul>{''.join(f'<li>{escape(one)}</li>' for one in said)}</ul>{table}"


def money_of(
    inputs: Inputs,
    plan: Plan,
    *,
    weights: Mapping[str, float] | None = None,
    floor: float | Literal["off"] | None = None,
    year: int = 0,
    **rules: Any,
) -> Money:
    """Return the budgets of a plan; anything not given is as the study says.

    `weights` by factor, scaled to sum to one; `floor` is the greatest loss allowed, as a part of
    the baseline, or "off"; `rules` are keys of `BudgetRules`, such as `pot=12e6`. Without a
    baseline file, a floor or cap asked for is measured from the study's own formula. Raises
    `StudyError` for rules and weights that cannot be.
    """
    own, named = inputs.study.config.budget, inputs.study.path.name
    asked = {**rules, **({} if floor is None else {"floors": (floor,)})}
    if own is None and not asked:
        raise StudyError(Fault("has no [budget], so nothing can be shared.", "Give a pot.", named))
    known = own.model_dump(exclude={"baseline"}) if own else {}
    if "pot" in rules:
        known |= {"high_needs_block": None, "devolved_share": None}
    chosen = _rules({**known, **asked}, named)
    need = inputs.need
    try:
        if weights is not None:
            need = need.reweighted(weights)
        base = _rules(known | {k: v for k, v in rules.items() if k == "pot"}, named)
        before = None
        if own is not None and (weights is not None or asked):
            only_pot = weights is None and set(asked) == {"pot"}
            before = _of(
                inputs, plan, inputs.need, own if only_pot else base, year, inputs.baseline
            )
        baseline, words = inputs.baseline, "the baseline"
        pure = _of(inputs, plan, inputs.need, base, year, None)
        if baseline is None and (floor is not None or "cap" in rules):
            baseline, words = pure.schools[["formula"]].set_axis(["baseline"], axis=1), OWN_FORMULA
        found = _of(inputs, plan, need, chosen, year, baseline, words)
        old = inputs.existing
        today = None if old is None else _of(inputs, old, need, chosen, year, baseline, words)
    except ValueError as error:
        raise StudyError(Fault(f"{error}.", "See [need] and [budget].", named)) from error
    continued = {} if old is None else follows(old, plan)
    return Money(found, need, baseline, pure.schools["share"], before, today, continued)


def _rules(values: Mapping[str, Any], file: str) -> BudgetRules:
    try:
        return BudgetRules(**values)
    except ValidationError as error:
        faults = Faults(StudyError, file)
        for one in error.errors():
            key = ".".join(str(part) for part in one["loc"] if isinstance(part, str))
            said = one["msg"].removeprefix("Value error, ")
            faults.add(f"[budget] {key}: {said}." if key else f"[budget] {said}.")
        raise StudyError(faults.found) from error


def _of(
    inputs: Inputs,
    plan: Plan,
    need: Need,
    rules: BudgetRules,
    year: int,
    baseline: pd.DataFrame | None,
    words: str = "the baseline",
) -> Budget:
    return budgets(
        plan,
        need.shares,
        rules,
        schools=inputs.table,
        year=year,
        baseline=baseline,
        notional=inputs.notional,
        baseline_words=words,
    )


def years_of(inputs: Inputs, plan: Plan, money: Money) -> Outlook:
    """Return the budgets of several years under the rules of one."""
    rules = money.budget.rules
    return outlook(lambda y: _of(inputs, plan, money.need, rules, y, money.baseline), rules)


def budget_table(money: Money) -> pd.DataFrame:
    """Return the table that `budget.csv` holds: pounds to the penny, shares to a millionth."""
    today = TODAY_COLUMNS if money.today is not None else ()
    table = money.table.reset_index()[[*BUDGET_COLUMNS, *today]]
    return table.round({"share": 6, **dict.fromkeys((*BUDGET_COLUMNS[4:], *today[1:]), 2)})


def plain_budgets(inputs: Inputs, plan: Plan) -> pd.Series | None:
    """Return the budget of each cluster in pounds; NaN: none can be set; None: no pot."""
    if inputs.study.config.budget is None:
        return None
    return money_of(inputs, plan).budget.table["budget"]


def rounded_budgets(inputs: Inputs, plan: Plan) -> Mapping[str, str]:
    """Return the budget of each cluster to £1,000 in words, for a map; empty without [budget]."""
    found = plain_budgets(inputs, plan)
    if found is None:
        return {}
    return {label: f"£{round(pounds, -3):,.0f}" for label, pounds in found.dropna().items()}


def write_money(folder: Path, inputs: Inputs, plan: Plan, money: Money | None = None) -> None:
    """Write `budget.csv` and `budget.xlsx` into a folder, and `panel.csv` beside.

    Without `money` they are by the study's rules; nothing is written where it has no `[budget]`,
    and no panel without `[panel]` or `[budget]`.
    """
    config = inputs.study.config
    if money is None and config.budget is not None:
        money = money_of(inputs, plan)
    if money is not None:
        _csv(budget_table(money), folder / "budget.csv")
        shown = SheetInputs(
            money.budget,
            money.need,
            inputs.baseline,
            money.own_shares,
            years_of(inputs, plan, money),
            sensitivity(money.need, plan, seed=config.solve.seed),
            tuple(sentences_on(inputs, plan, money)),
        )
        write_budget_sheet(folder / "budget.xlsx", shown)
    if money is not None or config.panel is not None:
        seats = panel_table(inputs, plan).assign(minutes_from=inputs.minutes.source)
        _csv(seats, folder / "panel.csv")


def panel_table(inputs: Inputs, plan: Plan) -> pd.DataFrame:
    """Return the table that `panel.csv` holds."""
    own = inputs.study.config.panel or PanelTable()
    return panel(
        plan,
        inputs.table,
        inputs.minutes.table,
        federation_one_seat=own.federation_one_seat,
        trust_share=own.trust_share,
    )


def _csv(table: pd.DataFrame, path: Path) -> None:
    table.to_csv(path, index=False, encoding="utf-8", lineterminator="\n")


def budget_json(inputs: Inputs, plan: Plan) -> dict[str, Any] | None:
    """Return the key `budget` of `report.json`: pounds by cluster; None without `[budget]`."""
    if inputs.study.config.budget is None:
        return None
    money = money_of(inputs, plan)
    budget, years = money.budget, years_of(inputs, plan, money)
    found = sensitivity(money.need, plan, seed=inputs.study.config.solve.seed)
    factors = ("gains_paid", "above_floor_paid")
    paid = {key: _number(getattr(budget.protection, key, None)) for key in factors}
    return {
        "year": budget.label,
        "weights": dict(money.need.weights),
        "lines": {name: _number(value) for name, value in budget.lines.items()},
        **paid,
        "clusters": _records(budget.table[["formula", "protected", "budget", "total"]]),
        "years": _records(years.clusters),
        **({} if years.deficit is None else {"deficit": _records(years.deficit)}),
        "reasons": list(budget.reasons),
        **_today_json(money),
        "notes": [*budget.notes, *years.notes],
        "ranks_that_change": rank_sentence(found),
    }


def _today_json(money: Money) -> dict[str, Any]:
    """Return what changes against today's clusters, as a key of `report.json`."""
    if money.today is None:
        return {}
    records = _records(money.table[list(TODAY_COLUMNS[1:])])
    return {"today": {k: {"follows": money.follows.get(k, ""), **v} for k, v in records.items()}}


def today_sentence(money: Money) -> list[str]:
    """Say what changes against today's clusters by the same rules; nothing without them."""
    if money.today is None or not money.budget.ok or not money.today.ok:
        return []
    change = money.table["against_today"].dropna().sort_values(kind="stable")
    new = len(money.table) - len(change)
    if change.empty:
        return []
    least, most = change.index[0], change.index[-1]
    text = (
        f"Against today's {len(money.today.table)} clusters under the same rules: {most} has "
        f"£{change[most]:+,.0f}, {least} £{change[least]:+,.0f}".replace("£+", "+£")
    ).replace("£-", "−£")
    return [f"{text}; {new} continue none of today's." if new else f"{text}."]


def sentences_on(inputs: Inputs, plan: Plan, money: Money) -> list[str]:
    """Return all that is to be said beside a budget: how need was measured and which figures were
    not used, who pays, later years, what changes against today, ranks that change."""
    years = years_of(inputs, plan, money)
    found = sensitivity(money.need, plan, seed=inputs.study.config.solve.seed)
    said = [money.need.banner, *money.need.notes]
    said += strangers("baseline", inputs.baseline, inputs.table)
    said += [*money.budget.notes, *years.notes, *today_sentence(money)]
    return [*said, rank_sentence(found)]


def parts_of(words: str) -> dict[str, float]:
    """Return weights from words such as "pupils=0.5,ehc_plans=0.3"; `StudyError` if they are none.

    Per cents may be written as 50% or 0.5, not mixed up: they are scaled to sum to one.
    """
    found: dict[str, float] = {}
    for part in words.split(","):
        name, _, value = part.partition("=")
        try:
            number = float(value.strip().removesuffix("%"))
        except ValueError:
            number = math.nan
        if not math.isfinite(number) or name.strip() in found:
            what = f'--weights: "{part.strip()}" is not a factor and its weight.'
            raise StudyError(Fault(what, "Write for instance pupils=0.5,fsm6=0.2,ehc_plans=0.3."))
        found[name.strip()] = number / 100 if value.strip().endswith("%") else number
    return found


def floor_of(words: str) -> float | Literal["off"]:
    """Return a greatest loss from words: "0.03", "3%" or "off"; `StudyError` if it is none."""
    if words.strip() == "off":
        return "off"
    try:
        part = float(words.strip().removesuffix("%")) / (100 if words.strip().endswith("%") else 1)
    except ValueError:
        part = math.nan
    if not 0 <= part <= 1:
        what = f'--floor: "{words}" is no part of the baseline.'
        raise StudyError(Fault(what, "Write for instance 0.03, 3% or off."))
    return part


def _records(table: pd.DataFrame) -> dict[str, dict[str, float | None]]:
    return {
        str(label): {str(key): _number(value) for key, value in row.items()}
        for label, row in table.iterrows()
    }


def _number(value: Any) -> float | None:
    if value is None or not math.isfinite(value):
        return None
    return round(float(value), 2 if abs(value) > 2 else 6)
