"""What stands beside the formulas of the budget workbook: bars, years, other weights, notes."""

from __future__ import annotations

import pandas as pd
from openpyxl import Workbook
from openpyxl.chart import BarChart, Reference, Series
from openpyxl.styles import Alignment

from clustering.need_factors import LABELS
from clustering.sheet_cells import COUNT, Columns, put, text
from clustering.sheet_schools import SheetInputs


def write_bars(book: Workbook, given: SheetInputs, clusters: Columns) -> None:
    """Draw what each factor adds to a cluster's share as stacked bars; they follow the weights."""
    chart = BarChart(barDir="bar", grouping="stacked", overlap=100, gapWidth=40)
    chart.title = "Share of the need of all clusters, by factor"
    chart.height, chart.width = 4 + 0.6 * len(given.budget.table), 26
    last = clusters.last - 2
    for factor in given.need.measures.factors:  # also those without a weight: one may be typed in
        column = clusters.names.index(f"share {factor}") + 1
        values = Reference(clusters.sheet, column, clusters.first, column, last)
        chart.append(Series(values, title=LABELS[factor]))
    names = clusters.names.index("cluster") + 1
    chart.set_categories(Reference(clusters.sheet, names, clusters.first, names, last))
    chart.x_axis.scaling.orientation = "maxMin"
    chart.x_axis.delete = chart.y_axis.delete = False
    chart.y_axis.number_format = "0%"
    sheet = book.create_sheet("bars")
    sheet["A1"] = "The numbers stand in the sheet clusters, columns share …"
    sheet.add_chart(chart, "A3")


def write_beside(book: Workbook, given: SheetInputs) -> None:
    """Write the sheets of plain values: several years, other weights, and notes."""
    if given.outlook is not None:
        tables = [given.outlook.clusters, given.outlook.lines]
        if given.outlook.deficit is not None:
            tables.append(given.outlook.deficit.T)
        _values(book, "years", pd.concat(tables).rename_axis("cluster or line"))
    if given.sensitivity is not None:
        _values(book, "sensitivity", given.sensitivity.table)
    notes = book.create_sheet("notes")
    notes.column_dimensions["A"].width = 140
    for row, note in enumerate((*given.budget.reasons, *given.notes), start=1):
        text(notes.cell(row, 1), note).alignment = Alignment(wrap_text=True, vertical="top")


def _values(book: Workbook, title: str, table: pd.DataFrame) -> None:
    flat = table.reset_index()
    columns = Columns(
        book.create_sheet(title), [str(c) for c in flat.columns], head=1, rows=len(flat)
    )
    for row, record in enumerate(flat.itertuples(index=False), start=columns.first):
        for name, value in zip(columns.names, record, strict=True):
            if isinstance(value, str | bool):
                text(columns.cell(name, row), value)
            else:
                put(columns.cell(name, row), float(value), COUNT)
    columns.widen([columns.names[0]], 34)
