"""The tables behind the charts of the dashboard as CSV and Excel, word for word as on the pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pandas as pd

from clustering.publish.consultation import Consultation
from clustering.publish.dashboard import Dashboard, dashboard_of
from clustering.publish.dashboard_charts import Figure
from clustering.publish.pack_tables import csv_bytes, workbook_bytes

CSV_FILES = ("data/dashboard-figures.csv", "data/dashboard-trends.csv")
WORKBOOK = "data/dashboard.xlsx"
FIGURE_COLUMNS = (
    *("page", "option", "chart", "group_type", "group", "what", "shown", "number"),
)  # fmt: skip
TREND_COLUMNS = ("page", "measure", "unit", "group_type", "group", "year", "shown", "number")
ALL_DISTRICTS = "all districts"


def files(consultation: Consultation) -> Iterator[tuple[str, bytes]]:
    """Yield the address and the contents of each file behind the charts."""
    found = dashboard_of(consultation)
    tables = {"figures": figure_table(consultation, found), "trends": trend_table(found)}
    for address, table in zip(CSV_FILES, tables.values(), strict=True):
        yield address, csv_bytes(table)
    yield WORKBOOK, workbook_bytes(tables)


def figure_table(consultation: Consultation, found: Dashboard) -> pd.DataFrame:
    """Return every number of every chart, a row a number: `FIGURE_COLUMNS`.

    `shown` is what stands on the page; `number` its value, empty where a word stands for it.
    """
    names = {option.key: option.name for option in consultation.options}
    rows = []
    for chart in found.charts:
        for bar in chart.bars:
            for what, figure in zip(chart.columns, bar.figures, strict=True):
                head = (chart.page or ALL_DISTRICTS, names.get(chart.part, ""), chart.title)
                rows.append((*head, bar.kind, bar.group, what, *_told(figure)))
    return _table(rows, FIGURE_COLUMNS)


def trend_table(found: Dashboard) -> pd.DataFrame:
    """Return every outcome that is told, a row a group and year: `TREND_COLUMNS`."""
    rows = [
        (trend.page or ALL_DISTRICTS, trend.title, trend.unit, line.kind, line.group, year,
         *_told(figure))
        for trend in found.trends
        for line in trend.lines
        for year, figure in zip(trend.years, line.figures, strict=True)
    ]  # fmt: skip
    return _table(rows, TREND_COLUMNS)


def _told(figure: Figure) -> tuple[str, Any]:
    value = figure.value
    return figure.text, "" if value is None else int(value) if value == int(value) else value


def _table(rows: Iterable[tuple[Any, ...]], columns: tuple[str, ...]) -> pd.DataFrame:
    return pd.DataFrame([*rows], columns=list(columns), dtype=object)
