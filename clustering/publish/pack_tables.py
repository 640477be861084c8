"""The public tables of a pack as CSV and Excel: the same cells as on its pages, word for word.

The files do not depend on the clock or on the order of rows, and text that a spreadsheet would take
for a formula stays text.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable, Iterator
from typing import Any

import pandas as pd

from clustering.outputs import fit_sheet
from clustering.publish.consultation import AREA, COUNTY, TODAY, Consultation
from clustering.publish.pack_reasons import rows_by_urn
from clustering.publish.pack_rows import Number, cluster_rows, numbers_of, school_rows
from clustering.sheet_cells import clockless

PUBLISHED = "data/published.json"
WORKBOOK = "data/consultation.xlsx"
FILES: tuple[tuple[str, str], ...] = (
    (WORKBOOK, "All tables (Excel)"),
    ("data/schools.csv", "Schools and their clusters (CSV)"),
    ("data/clusters.csv", "Clusters of every option with their numbers (CSV)"),
    ("data/districts.csv", "Districts and the county with their numbers (CSV)"),
    ("data/changes.csv", "What changes for each school from today (CSV)"),
    (PUBLISHED, "Every number of pupils and of pounds in this pack (JSON)"),
)
"""Addresses of the files and what people read on the link."""
RISKY = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet takes a text that begins so for a formula."""
LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""The date of every file in an archive: the earliest there can be, never today's."""


def files(consultation: Consultation) -> Iterator[tuple[str, bytes]]:
    """Yield the address and the contents of each file of tables."""
    tables = tables_of(consultation)
    for name, table in tables.items():
        yield f"data/{name}.csv", csv_bytes(table)
    yield WORKBOOK, workbook_bytes(tables)
    text = json.dumps(consultation.numbers.published(), ensure_ascii=False, indent=1)
    yield PUBLISHED, (text + "\n").encode("utf-8")


def tables_of(consultation: Consultation) -> dict[str, pd.DataFrame]:
    """Return the public tables by name: schools, clusters, districts, changes."""
    return {
        "schools": _schools(consultation),
        "clusters": _clusters(consultation),
        "districts": _districts(consultation),
        "changes": _changes(consultation),
    }


def _schools(consultation: Consultation) -> pd.DataFrame:
    minutes = consultation.inputs.minutes.table
    rows = []
    for school in school_rows(consultation):
        row: dict[str, Any] = {
            "urn": school.urn,
            "school": school.name,
            "postcode_sector": school.sector,
            "phase": school.phase,
            "district": school.area,
            "pupils_to_10": school.roll,
        }
        for option in consultation.options:
            label = school.clusters[option.key]
            row[f"cluster_{option.key}"] = label
            far = float(minutes.at[school.urn, option.plan[label].hub]) if label else None
            row[f"minutes_to_hub_{option.key}"] = "" if far is None else f"{far:.0f}"
        rows.append(row)
    return pd.DataFrame(rows)


def _clusters(consultation: Consultation) -> pd.DataFrame:
    rows = [
        {
            "option": option.key,
            "cluster": row.label,
            "number": row.number,
            "hub_urn": row.hub,
            "hub": row.hub_name,
            "district": row.area,
            "schools": row.schools,
            "primaries": row.primaries,
            "secondaries": row.secondaries,
            "mean_minutes_to_hub": f"{row.mean_minutes:.0f}",
            "longest_minutes_to_hub": f"{row.max_minutes:.0f}",
            "leavers_kept": row.kept,
            **_told(row.numbers),
        }
        for option in consultation.options
        for row in cluster_rows(consultation, option)
    ]
    return pd.DataFrame(rows)


def _districts(consultation: Consultation) -> pd.DataFrame:
    table = consultation.inputs.table
    rows = [
        {"district": area, "schools": int(count), **_told(numbers_of(consultation, AREA, area))}
        for area, count in table.groupby("area").size().items()
    ]
    county = _told(numbers_of(consultation, COUNTY, COUNTY))
    return pd.DataFrame([*rows, {"district": "all", "schools": len(table), **county}])


def _changes(consultation: Consultation) -> pd.DataFrame:
    columns = ["option", "urn", "school", "cluster_today", "cluster", "continues", "changes"]
    columns += ["minutes_to_hub", "against_today"]
    if consultation.today is None:
        return pd.DataFrame(columns=columns)
    rows = [
        (option.key, urn, *_change(row))
        for option in consultation.proposals
        for urn, row in rows_by_urn(consultation.pairs[TODAY, option.key].schools).items()
    ]
    return pd.DataFrame(rows, columns=columns)


def _change(row: dict[str, Any]) -> tuple[str, ...]:
    after, apart = row["minutes_after"], row["difference"]
    return (
        row["name"],
        row["from_cluster"],
        row["to_cluster"],
        row["follows"],
        "yes" if row["moves"] else "no",
        "" if after != after else f"{after:.0f}",
        row["band"] if apart == apart else "",
    )


def _told(numbers: Iterable[Number]) -> dict[str, Any]:
    """Return released numbers by column: the number where it is shown, else the words for it."""
    return {
        number.measure.split()[0]: number.cell.text
        if number.cell.value is None
        else int(number.cell.value)
        for number in numbers
    }


def csv_bytes(table: pd.DataFrame) -> bytes:
    """Return a table as CSV (UTF-8, LF), with an apostrophe before what looks like a formula."""
    safe = table.map(lambda value: _safe(value) if isinstance(value, str) else value)
    safe.columns = [_safe(str(column)) for column in table.columns]
    return bytes(safe.to_csv(index=False, lineterminator="\n").encode("utf-8"))


def _safe(text: str) -> str:
    return f"'{text}" if text.startswith(RISKY) else text


def workbook_bytes(tables: dict[str, pd.DataFrame]) -> bytes:
    """Return tables as an Excel workbook, a sheet each, the same bytes whenever it is made."""
    made = io.BytesIO()
    with pd.ExcelWriter(made, engine="openpyxl") as writer:
        for name, table in tables.items():
            table.to_excel(writer, sheet_name=name, index=False, freeze_panes=(1, 0))
            fit_sheet(writer.sheets[name], table)
    return clockless(made.getvalue())


def zip_bytes(parts: dict[str, bytes]) -> bytes:
    """Return files as an archive that depends on their names and contents alone."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            entry = zipfile.ZipInfo(name, LONG_AGO)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o444 << 16
            entry.create_system = 3
            archive.writestr(entry, data)
    return made.getvalue()
