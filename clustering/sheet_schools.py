"""The sheet `schools` of the budget workbook: figures, measures and shares, school by school."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
from openpyxl import Workbook
from openpyxl.styles import PatternFill

from clustering.budget import Budget
from clustering.need import Need
from clustering.need_factors import FUNDING, RATE
from clustering.outlook import Outlook
from clustering.sensitivity import Sensitivity
from clustering.sheet_cells import COUNT, PART, PENCE, POUNDS, Columns, Labelled, put, text

RECORDED = "recorded SEN rate"


@dataclass(frozen=True, eq=False)
class SheetInputs:
    """What the workbook shows: a budget, the need behind it, and what goes beside.

    Without a `baseline`, what `own_shares` (by URN) of the money come to stands for it, so that a
    floor typed into the workbook protects against losses from the study's own formula.
    """

    budget: Budget
    need: Need
    baseline: pd.DataFrame | None = None
    own_shares: pd.Series | None = None
    outlook: Outlook | None = None
    sensitivity: Sensitivity | None = None
    notes: tuple[str, ...] = ()


def school_columns(book: Workbook, given: SheetInputs) -> Columns:
    """Return the columns of the sheet `schools`, which the other sheets refer to."""
    measures = given.need.measures
    names = ["urn", "school", "cluster", "phase", "group", "estimated figures"]
    names += list(measures.raw.columns)
    if "recorded_sen" in measures.factors:
        names += [RECORDED, "mean rate"]
    names += [f"x {f}" for f in measures.factors] + [f"share {f}" for f in measures.factors]
    names += ["need share", "counted", "share", "formula £"]
    names += ["baseline paid £", "roll then", "baseline £", "notional SEN £"]
    return Columns(book.create_sheet("schools"), names, head=1, rows=len(given.budget.schools))


def write_schools(cells: Labelled, given: SheetInputs, schools: Columns) -> None:
    """Write a row a school: figures, measures, shares, and pounds."""
    budget, measures = given.budget, given.need.measures
    names = given.need.measures.raw.columns
    estimated = measures.imputed.groupby("urn")["column"].agg(", ".join)
    for row, (urn, school) in enumerate(budget.schools.iterrows(), start=schools.first):
        text(schools.cell("urn", row), urn)
        text(schools.cell("school", row), school["name"])
        text(schools.cell("cluster", row), school["cluster"])
        text(schools.cell("phase", row), school["phase"])
        text(schools.cell("group", row), school["group"])
        text(schools.cell("estimated figures", row), estimated.get(urn, ""))
        for name in names:
            style = PART if name == RATE or " rate, " in name else COUNT
            put(schools.cell(name, row), measures.raw.at[urn, name], style, given=True)
        _worked_back(cells, given, schools, row, str(school["phase"]))
        _measures(cells, given, schools, row, str(school["phase"]))
        _school_money(cells, given, schools, row, str(urn), str(school["group"]))
    schools.widen(["school"], 40)
    schools.widen(["cluster"], 22)


def _worked_back(
    cells: Labelled, given: SheetInputs, schools: Columns, row: int, phase: str
) -> None:
    """Write as formulas the figures that are worked out from funding or from a rate a pupil."""
    names, urn = given.need.measures.raw.columns, schools.cell("urn", row).value
    raw = given.need.measures.raw.loc[urn]
    pupils = f"MAX(0,{schools.at('pupils R-11', row)}-{schools.at('SRP places', row)})"
    young, old = (cells.place.get(f"£ a pupil, {side}") for side in ("primary", "secondary"))
    unit = {"primary": young, "middle_primary": young, "all_through": f"(({young}+{old})/2)"}
    formulas = {
        FUNDING: ("low prior attainment", f"={{}}/{unit.get(phase, old)}"),
        RATE: ("IDACI", f"={{}}*{pupils}"),
    }
    for name, (result, formula) in formulas.items():
        if name in names and raw[name] == raw[name]:
            cell = schools.cell(result, row)
            cell.fill = PatternFill()
            put(cell, formula.format(schools.at(name, row)), PENCE)


def _measures(cells: Labelled, given: SheetInputs, schools: Columns, row: int, phase: str) -> None:
    measures = given.need.measures

    def at(name: str) -> str:
        return schools.at(name, row)

    roll = at("roll")
    plans = f"MAX(0,{at('EHC plans')}-{at('SRP places')})" if "ehc_plans" in measures.factors else 0
    formulas = {
        "pupils": f"MAX(0,{at('pupils R-11')}-{at('SRP places')})",
        "fsm6": at("FSM6") if "fsm6" in measures.factors else "",
        "idaci": at("IDACI") if "idaci" in measures.factors else "",
        "low_prior_attainment": at("low prior attainment")
        if "low_prior_attainment" in measures.factors
        else "",
        "sen_support": at("SEN support") if "sen_support" in measures.factors else "",
        "ehc_plans": plans,
    }
    if "recorded_sen" in measures.factors:
        weight = cells["weight of an EHC plan"]
        rate = f"({at('SEN support')}+{weight}*{plans})/{roll}"
        put(schools.cell(RECORDED, row), f'=IF(ISNUMBER({roll}),{rate},"")', PART)
        earlier = [at(n) for n in measures.raw.columns if n.startswith("recorded SEN rate, ")]
        mean = f"AVERAGE({','.join([at(RECORDED), *earlier])})"
        put(schools.cell("mean rate", row), f'=IF(ISNUMBER({roll}),{mean},"")', PART)
        drawn = at("mean rate")
        if phase in measures.limits.index:
            low, high = cells[f"lowest rate {phase}"], cells[f"highest rate {phase}"]
            drawn = f"MIN(MAX({drawn},{low}),{high})"
        formulas["recorded_sen"] = f"{drawn}*{roll}"
    for factor in measures.factors:
        formula = f'=IF(ISNUMBER({roll}),{formulas[factor]},"")'
        put(schools.cell(f"x {factor}", row), formula, PENCE)
        x, part, total = at(f"x {factor}"), cells[f"part {factor}"], cells[f"total {factor}"]
        share = f"=IF(AND(ISNUMBER({x}),{total}>0),{part}*{x}/{total},0)"
        put(schools.cell(f"share {factor}", row), share, PART)


def _school_money(
    cells: Labelled, given: SheetInputs, schools: Columns, row: int, urn: str, group: str
) -> None:
    def at(name: str) -> str:
        return schools.at(name, row)

    factors = given.need.measures.factors
    first, last = at(f"share {factors[0]}"), at(f"share {factors[-1]}")
    put(schools.cell("need share", row), f"=SUM({first}:{last})", PART)
    inside = f'IF(AND({cells["schools in no cluster"]}="shared",{at("cluster")}=""),0,1)'
    weight = cells[f"phase weight {group}"]
    put(schools.cell("counted", row), f"={at('need share')}*{weight}*{inside}", PART)
    fence = f"{cells[f'ring-fenced for {group}']}*{at('counted')}/{cells[f'counted {group}']}"
    both = f"({cells['counted primary']}+{cells['counted secondary']})"
    share = f'=IF({cells["ring-fence"]}="yes",{fence},{at("counted")}/{both})'
    put(schools.cell("share", row), share, PART)
    money = f"={at('share')}*{cells['to be shared £']}"
    put(schools.cell("formula £", row), money, PENCE)
    if given.baseline is None and given.own_shares is not None:
        own = f"={float(given.own_shares.get(urn, 0.0))!r}*{cells['to be shared £']}"
        put(schools.cell("baseline paid £", row), own, PENCE)
    elif given.baseline is not None and urn in given.baseline.index:
        past = given.baseline.loc[urn]
        put(schools.cell("baseline paid £", row), past["baseline"], PENCE, given=True)
        put(schools.cell("roll then", row), past.get("baseline_pupils"), COUNT, given=True)
    paid, then, roll = at("baseline paid £"), at("roll then"), at("roll")
    factor = f"IF(AND(ISNUMBER({roll}),{then}>0),{roll}/{then},1)"
    baseline = f"=IF(ISNUMBER({paid}),{paid}*{factor},{at('formula £')})"
    put(schools.cell("baseline £", row), baseline, PENCE)
    notional = given.budget.schools.at[urn, "notional_sen"]
    put(schools.cell("notional SEN £", row), notional, POUNDS, given=True)
