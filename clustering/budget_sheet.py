"""The budget as a workbook with live formulas: every pound can be followed and changed by hand.

Sheets: `formula` (pot, weights, protection), `schools` (figures, measures, shares), `clusters`
(sums, protection, rounding), `check` (differences to what the program worked out, all 0), `bars`
(what each factor adds to a cluster), then `years` and `sensitivity` as plain values, and
`notes`. Cells with a coloured ground are inputs.
"""

from __future__ import annotations

from pathlib import Path

from openpyxl import Workbook
from openpyxl.worksheet.formula import ArrayFormula

from clustering.budget_rules import BudgetRules
from clustering.need_factors import FUNDING, LABELS
from clustering.sheet_beside import write_bars, write_beside
from clustering.sheet_cells import PART, PENCE, POUNDS, Columns, Labelled, without_clock
from clustering.sheet_clusters import write_check, write_clusters
from clustering.sheet_schools import SheetInputs, school_columns, write_schools

WARNING = (
    "Not for publication: this workbook holds figures of single schools, from which the number of "
    "pupils with EHC plans can be read."
)


def write_budget_sheet(path: Path, given: SheetInputs) -> None:
    """Write the workbook; formulas are worked out when a spreadsheet program opens it."""
    book = Workbook()
    first = book.active
    assert first is not None
    first.title = "formula"
    cells = Labelled(first)
    schools = school_columns(book, given)
    clusters = Columns(
        book.create_sheet("clusters"),
        (*CLUSTER_COLUMNS, *(f"share {f}" for f in given.need.measures.factors)),
        head=1,
        rows=len(given.budget.table) + 2,
    )
    _pot(cells, given, clusters)
    _weights(cells, given, schools)
    _units(cells, given)
    _phases(cells, given, schools)
    _limits(cells, given, schools)
    _protection(cells, given, clusters)
    write_schools(cells, given, schools)
    write_clusters(cells, given.budget, schools, clusters)
    write_check(book.create_sheet("check"), cells, given.budget, schools, clusters)
    write_bars(book, given, clusters)
    write_beside(book, given)
    book.calculation.fullCalcOnLoad = True
    book.save(path)
    without_clock(path)


CLUSTER_COLUMNS = (
    *("cluster", "schools", "roll", "share", "formula £", "baseline £", "floor £", "target £"),
    *("kept £", "gain £", "protected £", "whole steps", "remainder £", "rank", "budget £"),
    *("running cost £", "total £", "projects £", "single pupils £", "difference £"),
    *("£ per pupil", "notional SEN £"),
)


def _pot(cells: Labelled, given: SheetInputs, clusters: Columns) -> None:
    rules, year = given.budget.rules, given.budget.year
    cells.sheet["A1"] = f"Budgets of clusters, {given.budget.label}"
    cells.sheet["A2"] = WARNING
    cells.sheet["A3"] = given.need.banner
    cells.row = 4
    cells.head("Pot")
    first: object = rules.pot
    if rules.pot is None:
        block = cells.add("high-needs block £", rules.high_needs_block, PENCE, given=True)
        part = cells.add("part of it devolved", rules.devolved_share, PART, given=True)
        first = f"={block}*{part}"
    at = cells.add("pot of the first year £", first, PENCE, given=rules.pot is not None)
    growth = cells.add("growth a year", rules.growth, PART, given=True)
    number = cells.add("years since the first", year, "0", given=True)
    pot = cells.add("pot £", f"=INT({at}*(1+{growth})^{number}+0.5)", POUNDS)
    part = cells.add("contingency as part of the pot", rules.contingency, PART, given=True)
    cost = cells.add("running cost a cluster £", rules.running_cost, PENCE, given=True)
    last = clusters.last - 2
    rows = f"clusters!$A${clusters.first}:$A${last}"
    count = cells.add("clusters", f"=COUNTA({rows})", "0")
    step = cells.add("rounded to £", rules.round_to, "0", given=True)
    held = cells.add("contingency before rounding £", f"=INT({pot}*{part}+0.5)", POUNDS)
    running = cells.add("running cost £", f"=INT({cost}+0.5)*{count}", POUNDS)
    left = cells.add("left £", f"={pot}-{held}-{running}", POUNDS)
    odd = cells.add(
        "cannot be shared in whole steps £",
        f"=IF({left}>0,MOD({left},{step}),0)",
        POUNDS,
        why="stays in the contingency",
    )
    cells.add("contingency £", f"={held}+{odd}", POUNDS)
    cells.add("to be shared £", f"=MAX(0,{left}-{odd})", POUNDS)
    cells.add("part for whole-school projects", rules.project_share, PART, given=True)
    cells.add("schools in no cluster", rules.outside, given=True, why='"held" or "shared"')


def _weights(cells: Labelled, given: SheetInputs, schools: Columns) -> None:
    cells.head("Weights of the need formula (any numbers; they are scaled to sum to 1)")
    need = given.need
    for factor in need.measures.factors:
        weight = round(need.weights.get(factor, 0.0), 15)
        cells.add(f"weight {factor}", weight, PART, given=True, why=LABELS[factor])
    places = [cells[f"weight {f}"] for f in need.measures.factors]
    total = cells.add("sum of weights", f"={'+'.join(places)}", PART)
    for factor, place in zip(need.measures.factors, places, strict=True):
        cells.add(f"part {factor}", f"={place}/{total}", PART)
    for factor in need.measures.factors:
        cells.add(f"total {factor}", f"=SUM({schools.all(f'x {factor}')})", PENCE)


def _units(cells: Labelled, given: SheetInputs) -> None:
    """Write the unit values that turn published allocations back into pupils."""
    measures = given.need.measures
    if FUNDING not in measures.raw:
        return
    cells.head("Low prior attainment: funding over its unit value is pupils")
    unit = measures.values.low_prior_attainment
    why = measures.values.note
    for phase, value in (("primary", unit.primary), ("secondary", unit.secondary)):
        cells.add(f"£ a pupil, {phase}", value, PENCE, given=True, why=why)


def _phases(cells: Labelled, given: SheetInputs, schools: Columns) -> None:
    rules = given.budget.rules
    cells.head("Phases (an all-through school counts as secondary)")
    fence = {str(k): v for k, v in (rules.ring_fence or {}).items()}
    cells.add("ring-fence", "yes" if fence else "no", given=True, why='"yes" or "no"')
    for phase in ("primary", "secondary"):
        cells.add(f"phase weight {phase}", rules.phase_weight(phase), PART, given=True)
        cells.add(f"ring-fenced for {phase}", fence.get(phase, 0.5), PART, given=True)
        same = f'--({schools.all("group")}="{phase}")'
        cells.add(f"counted {phase}", f"=SUMPRODUCT({same},{schools.all('counted')})", PART)


def _limits(cells: Labelled, given: SheetInputs, schools: Columns) -> None:
    """Write the limits of recorded SEN by phase as percentiles of the rates."""
    measures = given.need.measures
    cells.head("Recorded SEN")
    cells.add("weight of an EHC plan", measures.settings.ehc_weight, PART, given=True)
    if measures.settings.winsor is None or "recorded_sen" not in measures.factors:
        return
    low, high = measures.settings.winsor
    cells.add("rates drawn in below", low, PART, given=True, why="percentile of the phase")
    cells.add("rates drawn in above", high, PART, given=True)
    for phase in measures.limits.index:
        for end, side in (("below", "lowest"), ("above", "highest")):
            name = f"{side} rate {phase}"
            cells.add(name, None, PART)
            cell = cells.sheet.cell(cells.row, 2)
            formula = (
                f'=PERCENTILE(IF({schools.all("phase")}="{phase}",{schools.all("mean rate")}),'
                f"{cells[f'rates drawn in {end}']})"
            )
            cells.sheet[cell.coordinate] = ArrayFormula(cell.coordinate, formula)
            cell.number_format = PART


def _protection(cells: Labelled, given: SheetInputs, clusters: Columns) -> None:
    budget = given.budget
    cells.head("Protection against losses")

    def total(name: str) -> str:
        letter, last = clusters.letter(name), clusters.last - 2
        return f"SUM(clusters!${letter}${clusters.first}:${letter}${last})"

    cells.add(
        "baseline",
        "the study's own formula" if given.baseline is None else "as given",
        why="what losses and gains are measured from: schools, baseline paid £",
    )
    floors_in_force = budget.loss is not None or given.baseline is not None
    loss = cells.add(
        "greatest loss allowed",
        _floor_of_year(cells, budget.rules) if floors_in_force else "off",
        PART,
        given=True,
        why='part of the baseline, or "off"',
    )
    cap = "none" if budget.rules.cap is None else budget.rules.cap
    cells.add("greatest gain allowed", cap, PART, given=True, why='part of the baseline, or "none"')
    money = cells.add("money for clusters £", f"={total('formula £')}", PENCE)
    floors = cells.add("sum of floors £", f"={total('floor £')}", PENCE)
    short = cells.add(
        "floors cost too much by £",
        f"=IF(ISNUMBER({loss}),MAX(0,{floors}-{money}),0)",
        PENCE,
        why="above 0: the pot cannot pay the floors, and no budget is set",
    )
    kept = cells.add("sum kept £", f"={total('kept £')}", PENCE)
    gain = cells.add("sum of gains £", f"={total('gain £')}", PENCE)
    cells.add(
        "gains paid (g)",
        f"=IF({gain}>0,MIN(1,MAX(0,({money}-{kept})/{gain})),1)",
        PART,
        why="part of every pound gained over the baseline that is paid",
    )
    cells.add(
        "paid above floors (h)",
        f"=IF(AND({kept}>{money},{kept}>{floors}),1-({kept}-{money})/({kept}-{floors}),1)",
        PART,
        why="below 1 only where gains alone cannot pay for the floors",
    )
    cells.add(
        "feasible",
        f'=IF(AND({cells["left £"]}>0,{short}<=0.000001),"yes","no")',
        why="no: the pot cannot pay its topslice or the floors",
    )


def _floor_of_year(cells: Labelled, rules: BudgetRules) -> str:
    """Write the floors year by year; return the formula of the one of the year in question."""
    places = []
    for year, loss in enumerate(rules.floors):
        after = " and after" if year == len(rules.floors) - 1 else ""
        shown = "off" if loss is None else loss
        name = f"greatest loss in {rules.label(year)}{after}"
        places.append(cells.add(name, shown, PART, given=True))
    last = places[-1].partition("!")[2]
    number = f"MIN({cells['years since the first']},{len(places) - 1})+1"
    return f"=INDEX({places[0]}:{last},{number})"
