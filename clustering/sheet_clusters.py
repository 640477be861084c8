"""The sheets `clusters` and `check` of the budget workbook: sums, protection, rounding, proof."""

from __future__ import annotations

from openpyxl.worksheet.worksheet import Worksheet

from clustering.budget import Budget
from clustering.sheet_cells import HEAD, PART, PENCE, POUNDS, Columns, Labelled, put, text

OUTSIDE, CAP = "held for schools in no cluster", "held by the cap"


def write_clusters(cells: Labelled, budget: Budget, schools: Columns, clusters: Columns) -> None:
    """Write a row a cluster, then two of what is held back, which are rounded with them."""
    for row, label in enumerate(budget.table.index, start=clusters.first):
        text(clusters.cell("cluster", row), label)
        _sums(schools, clusters, row)
        _protected(cells, clusters, row)
        _money(cells, clusters, row)
    for row, name in ((clusters.last - 1, OUTSIDE), (clusters.last, CAP)):
        text(clusters.cell("cluster", row), name)
    no_cluster = f'--({schools.all("cluster")}="")'
    outside = f"=SUMPRODUCT({no_cluster},{schools.all('formula £')})"
    put(clusters.cell("protected £", clusters.last - 1), outside, PENCE)
    letter, end = clusters.letter("protected £"), clusters.last - 2
    paid = f"SUM({letter}{clusters.first}:{letter}{end})"
    surplus = f"{cells['money for clusters £']}-{paid}"
    put(
        clusters.cell("protected £", clusters.last),
        f'=IF(AND({cells["feasible"]}="yes",{surplus}>0.000001),{surplus},0)',
        PENCE,
    )
    for row in range(clusters.first, clusters.last + 1):
        _rounded(cells, clusters, row)
    clusters.widen(["cluster"], 30)


def _sums(schools: Columns, clusters: Columns, row: int) -> None:
    same = f"--({schools.all('cluster')}={clusters.at('cluster', row)})"
    put(clusters.cell("schools", row), f"=SUMPRODUCT({same})", "0")
    for name, source, style in (
        ("roll", "roll", POUNDS),
        ("share", "share", PART),
        ("formula £", "formula £", PENCE),
        ("baseline £", "baseline £", PENCE),
        ("notional SEN £", "notional SEN £", POUNDS),
    ):
        put(clusters.cell(name, row), f"=SUMPRODUCT({same},{schools.all(source)})", style)
    for name in clusters.names:
        if name.startswith("share "):  # what each factor adds to the need of the cluster
            put(clusters.cell(name, row), f"=SUMPRODUCT({same},{schools.all(name)})", PART)


def _protected(cells: Labelled, clusters: Columns, row: int) -> None:
    formula, baseline, floor, target, kept, gain = (
        clusters.at(name, row)
        for name in ("formula £", "baseline £", "floor £", "target £", "kept £", "gain £")
    )
    loss, cap = cells["greatest loss allowed"], cells["greatest gain allowed"]
    steps = {
        "floor £": f'=IF(ISNUMBER({loss}),(1-{loss})*{baseline},"")',
        "target £": f"=IF(ISNUMBER({cap}),MIN({formula},(1+{cap})*{baseline}),{formula})",
        "kept £": f'=IF(ISNUMBER({loss}),MAX({floor},MIN({target},{baseline})),"")',
        "gain £": f'=IF(ISNUMBER({loss}),MAX(0,{target}-{baseline}),"")',
        "protected £": (
            f'=IF({cells["feasible"]}<>"yes","",IF(ISNUMBER({loss}),{floor}+'
            f"{cells['paid above floors (h)']}*({kept}-{floor})+{cells['gains paid (g)']}*{gain},"
            f"{formula}))"
        ),
    }
    for name, step in steps.items():
        put(clusters.cell(name, row), step, PENCE)


def _rounded(cells: Labelled, clusters: Columns, row: int) -> None:
    """Write the largest remainder, step by step: whole steps, what is over, who goes up."""
    step, fine = cells["rounded to £"], f'{cells["feasible"]}="yes"'
    amount, down, over, rank = (
        clusters.at(name, row) for name in ("protected £", "whole steps", "remainder £", "rank")
    )
    put(clusters.cell("whole steps", row), f'=IF({fine},INT({amount}/{step}+1E-9),"")', "0")
    put(
        clusters.cell("remainder £", row),
        f'=IF({fine},ROUND({amount}-{down}*{step},6),"")',
        "0.00####",
    )
    before = "0" if row == clusters.first else (
        f"SUMPRODUCT(--({_part(clusters, 'remainder £', row - 1)}={over}))")  # fmt: skip
    larger = f"SUMPRODUCT(--({_part(clusters, 'remainder £', clusters.last)}>{over}))"
    put(clusters.cell("rank", row), f'=IF({fine},1+{larger}+{before},"")', "0")
    more = f"{cells['to be shared £']}/{step}-SUM({_part(clusters, 'whole steps', clusters.last)})"
    put(
        clusters.cell("budget £", row),
        f'=IF({fine},({down}+IF({rank}<=ROUND({more},0),1,0))*{step},"")',
        POUNDS,
    )


def _part(clusters: Columns, name: str, last: int) -> str:
    letter = clusters.letter(name)
    return f"${letter}${clusters.first}:${letter}${last}"


def _money(cells: Labelled, clusters: Columns, row: int) -> None:
    budget, cost = clusters.at("budget £", row), clusters.at("running cost £", row)
    fine = f'{cells["feasible"]}="yes"'
    projects, roll = clusters.at("projects £", row), clusters.at("roll", row)
    part = cells["part for whole-school projects"]
    put(
        clusters.cell("running cost £", row),
        f"=INT({cells['running cost a cluster £']}+0.5)",
        POUNDS,
    )
    put(clusters.cell("total £", row), f'=IF({fine},{budget}+{cost},"")', POUNDS)
    put(clusters.cell("projects £", row), f'=IF({fine},INT({budget}*{part}+0.5),"")', POUNDS)
    put(clusters.cell("single pupils £", row), f'=IF({fine},{budget}-{projects},"")', POUNDS)
    before, after = clusters.at("formula £", row), clusters.at("protected £", row)
    put(clusters.cell("difference £", row), f'=IF({fine},{after}-{before},"")', PENCE)
    each = f'=IF(AND({fine},{roll}>0),{budget}/{roll},"")'
    put(clusters.cell("£ per pupil", row), each, PENCE)


def write_check(
    sheet: Worksheet, cells: Labelled, budget: Budget, schools: Columns, clusters: Columns
) -> None:
    """Write the program's own figures beside the sheet's, and their differences."""
    sheet["A1"] = "Every difference is 0 as long as no input of this workbook was changed."
    sheet["A1"].font = HEAD
    for number, name in enumerate(("figure", "this workbook", "the program", "difference"), 1):
        sheet.cell(4, number, name).font = HEAD
    rows: list[tuple[str, str, float]] = []
    for row, label in enumerate(budget.table.index, start=clusters.first):
        record = budget.table.loc[label]
        rows += [
            (f"{label}: share", f"clusters!{clusters.at('share', row)}", record["share"]),
            (f"{label}: formula £", f"clusters!{clusters.at('formula £', row)}", record["formula"]),
            (f"{label}: budget £", f"clusters!{clusters.at('budget £', row)}", record["budget"]),
            (f"{label}: total £", f"clusters!{clusters.at('total £', row)}", record["total"]),
        ]
    rows += [
        (f"{name} £", cells[f"{name} £"], float(budget.lines[name]))
        for name in ("pot", "contingency", "running cost")
    ]
    if budget.ok:
        for row, name in ((clusters.last - 1, OUTSIDE), (clusters.last, CAP)):
            rows.append((name, f"clusters!{clusters.at('budget £', row)}", budget.lines[name]))
    if budget.protection is not None and budget.ok:
        rows.append(("gains paid (g)", cells["gains paid (g)"], budget.protection.gains_paid))
    for row, (name, place, figure) in enumerate(rows, start=5):
        text(sheet.cell(row, 1), name)
        put(sheet.cell(row, 2), f"={place}", PENCE)
        put(sheet.cell(row, 3), figure, PENCE)
        difference = (
            f'=IF(AND(B{row}="",C{row}=""),0,IF(OR(B{row}="",C{row}=""),1,ROUND(B{row}-C{row},4)))'
        )
        put(sheet.cell(row, 4), difference, PENCE)
    last = 4 + len(rows)
    sheet["A2"] = "largest difference"
    put(sheet["D2"], f"=MAX(MAX(D5:D{last}),-MIN(D5:D{last}))", PENCE)
    sheet["A3"] = "pot less all that is paid or held (0 where budgets are set)"
    letter = clusters.letter("budget £")
    everything = f"SUM(clusters!{letter}{clusters.first}:{letter}{clusters.last})"
    spent = f"{cells['contingency £']}+{cells['running cost £']}+{everything}"
    put(sheet["D3"], f'=IF({cells["feasible"]}="yes",{cells["pot £"]}-({spent}),0)', POUNDS)
    sheet.column_dimensions["A"].width = 52
    for column in "BCD":
        sheet.column_dimensions[column].width = 18
    sheet.freeze_panes = "B5"
