"""The two shapes of a sheet of flows: a list of pairs, or a matrix of schools."""

from __future__ import annotations

import re

import pandas as pd

from clustering.feeders import ELSEWHERE
from geo.errors import Faults

_FROM = ("fromurn", "fromlaestab", "from", "origin", "originurn")
_TO = ("tourn", "tolaestab", "to", "destination", "destinationurn")
_PUPILS = ("pupils", "numberofpupils", "count", "number")
_YEAR = ("year", "academicyear", "entryyear")
_SCHOOL = ("urn", "schoolurn", "laestab", "dfenumber", "dfeno")
HEADINGS = (*_FROM, *_SCHOOL)
"""Headings, lower case without punctuation, of which a sheet of flows has at least one."""
REMEDY = (
    "A list of flows has the columns from_urn, to_urn, year and pupils; a matrix has URN over its "
    "first column and a URN or LAESTAB over each other column."
)
_CODE = re.compile(r"(\d{3}\s*/\s*\d{4}|\d{5,7})(?:\.0+)?(?=$|[\s,;:(–-])")
_TOTAL = re.compile(r"\s*(grand\s+)?total", re.IGNORECASE)


def code(cell: str) -> str:
    """Return the code a cell begins with, "" if there is none: "886/2345 Ivy Lane" → 8862345."""
    found = _CODE.match(cell.strip())
    return re.sub(r"\D", "", found.group(1)) if found else ""


def flow_rows(sheet: pd.DataFrame, tray: Faults, notes: list[str]) -> pd.DataFrame:
    """Return one row a flow, as text: `row` (its line), `left`, `joined`, `when`, `raw`, `sort`.

    Rows and columns of totals are left out. What is wrong with the headings goes on the tray.
    """
    named = {re.sub(r"[^a-z0-9]", "", str(name).lower()): str(name) for name in sheet.columns[::-1]}
    found = {
        what: next((named[n] for n in names if n in named), None)
        for what, names in (("from", _FROM), ("to", _TO), ("pupils", _PUPILS), ("year", _YEAR))
    }
    if found["to"] is None and found["pupils"] is None:
        rows = _wide(sheet, found["year"], tray, notes)
    else:
        missing = [
            {"from": "from_urn", "to": "to_urn", "pupils": "pupils"}[what]
            for what in ("from", "to", "pupils")
            if found[what] is None
        ]
        if missing:
            seen = ", ".join(str(name) for name in sheet.columns)
            tray.add(f"{', '.join(missing)} is missing among the headings {seen}.", REMEDY)
            return pd.DataFrame()
        empty = pd.Series("", index=sheet.index)
        rows = pd.DataFrame(
            {
                "row": sheet.index,
                "left": sheet[found["from"]],
                "joined": sheet[found["to"]],
                "when": sheet[found["year"]] if found["year"] else empty,
                "raw": sheet[found["pupils"]],
                "sort": sheet[named["kind"]] if "kind" in named else empty,
            }
        )
    if rows.empty:
        if not tray:
            tray.add("holds no flow.", REMEDY)
        return rows
    totals = rows["left"].str.match(_TOTAL) | rows["joined"].str.match(_TOTAL)
    if totals.any():
        notes.append("Rows and columns of totals in the file of flows are left out.")
    return rows[~totals].reset_index(drop=True)


def _wide(sheet: pd.DataFrame, year: str | None, tray: Faults, notes: list[str]) -> pd.DataFrame:
    first, *others = [str(name) for name in sheet.columns]
    plain_first = re.sub(r"[^a-z0-9]", "", first.lower())
    joined = [n for n in others if code(n) or n.upper() in ELSEWHERE or _TOTAL.match(n)]
    if plain_first not in HEADINGS or not joined:
        tray.add(f"the headings {', '.join([first, *others][:8])} are no list of flows.", REMEDY)
        return pd.DataFrame()
    codes = [code(name) for name in joined if code(name)]
    for twice in sorted({c for c in codes if codes.count(c) > 1}):
        tray.add("stands over two columns of the matrix.", "Keep one column.", urn=twice)
    left_out = [n for n in others if n not in joined and n != year]
    if left_out:
        notes.append(f"Columns of the matrix of flows that name no school: {', '.join(left_out)}.")
    long = pd.DataFrame(
        {
            "row": [row for row in sheet.index for _ in joined],
            "left": [cell for cell in sheet[first] for _ in joined],
            "joined": joined * len(sheet),
            "when": [cell for cell in (sheet[year] if year else [""] * len(sheet)) for _ in joined],
            "raw": sheet[joined].to_numpy().ravel(),
            "sort": "",
        }
    )
    notes.append("Blank cells of the matrix of flows are read as no pupils.")
    return long[(long["raw"] != "") & (long["raw"] != "0")]
