"""Looks for small counts of pupils in a pack: in sentences, in data inside pages, in tables."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from clustering.publish.pack_scan import Page
from clustering.publish.pack_tables import PUBLISHED

PROTECTED = ("ehc_plans", "sen_support", "fsm6", "leavers")
"""Columns and keys, in tables and in data inside pages, that count pupils."""
TOLD = ("shown", "number")
"""Columns of the dashboard's tables in which a number stands."""
PEOPLE = r"(?:pupils?|child(?:ren)?|learners?|leavers?|EHC plans?)"


def key_of(cell: Mapping[str, Any]) -> str:
    """Return the key of a released cell, as it is marked on pages."""
    return "|".join((cell["grouping"], cell["group"], cell["name"]))


def small_in_pages(pages: Mapping[str, Page], published: Mapping[str, Any]) -> Iterator[str]:
    """Yield small counts of pupils in sentences and in data inside pages."""
    small = _small(published)
    for address, page in pages.items():
        text = " ".join(" ".join(page.text).split())
        for found in re.finditer(rf"(?<![\d.,£–-])(\d+) {PEOPLE}\b", text):
            # "0 to 4 pupils", "fewer than 5 pupils" and "one in 4 pupils" count nobody.
            before = text[max(0, found.start() - 12) : found.start()]
            if int(found[1]) in small and not before.endswith((" to ", " than ", " in ")):
                yield f'{address}: "{found[0]}" is a small number of pupils.'
        for script in page.scripts:
            for name, number in re.findall(
                rf'"({"|".join(PROTECTED)})"\s*:\s*"?(\d+)(?![\d,.%])', script
            ):
                if int(number) in small:
                    yield f"{address}: {name} is {number} in the data of the page."


def _small(published: Mapping[str, Any]) -> range:
    return range(int(published["zeros_shown"]), int(published["threshold"]))


def small_in_files(files: Mapping[str, bytes], published: Mapping[str, Any]) -> Iterator[str]:
    """Yield small counts in CSV, Excel and JSON files."""
    small = _small(published)
    for cell in published["cells"]:
        value, name = cell["value"], cell["name"]
        counts = name not in published["public"] and name not in published["amounts"]
        if counts and value is not None and value in small:
            yield f"{PUBLISHED}: {key_of(cell)} is {value}, a small number of pupils."
    for address, data in files.items():
        for table, row in _rows(address, data):
            for name, text in _counts(row):
                number = re.fullmatch(r"'?(\d+)(?:\.0+)?", text.replace(",", ""))
                if number and int(number[1]) in small:
                    yield f"{address}{table}: {name} is {text}, a small number of pupils."
        if address.endswith(".json") and address not in (PUBLISHED, "manifest.json"):
            for name, value in _leaves(json.loads(data)):
                if name in PROTECTED and isinstance(value, int | float) and value in small:
                    yield f"{address}: {name} is {value}, a small number of pupils."


def _counts(row: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the counts of pupils in a row: by their columns, or a row a number, of "Pupils"."""
    yield from ((name, row[name] or "") for name in PROTECTED if name in row)
    if row.get("what") == "Pupils":
        yield from (
            (f"{row['what']} of {row.get('group')}", row[n] or "") for n in TOLD if n in row
        )


def _rows(address: str, data: bytes) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the rows of a table as text by column, with the name of the sheet."""
    if address.endswith(".csv"):
        for row in csv.DictReader(io.StringIO(data.decode("utf-8-sig"))):
            yield "", row
    elif address.endswith(".xlsx"):
        sheets = pd.read_excel(io.BytesIO(data), sheet_name=None, dtype=str, keep_default_na=False)
        for name, sheet in sheets.items():
            for record in sheet.to_dict("records"):
                yield f" ({name})", {str(k): str(v) for k, v in record.items()}


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, str(key))
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner, name)
    else:
        yield name, value
