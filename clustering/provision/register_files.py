"""Reads the council's own list of provisions.

Sheets come in as text cells (index: line of the file); `sites` is every school a provision may
stand at, mainstream or not: index urn; name, setting ("mainstream", "special", "alternative"),
easting, northing, area, low_age, high_age, sex, selective, faith, and of the record srp_kind,
srp_places, srp_on_roll, need_types, pupils, capacity.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import pandas as pd

from clustering.need_files import Parse, bare
from clustering.provision.register import (
    COLUMNS,
    COUNCIL,
    ProvisionError,
    joined,
)
from clustering.provision.settings import AGES, ALIASES, NEED_TYPES
from geo.errors import Faults, did_you_mean

HEADINGS: Mapping[str, tuple[str, ...]] = {
    "urn": ("urn", "schoolurn"),
    "name": ("name", "school", "schoolname", "provision"),
    "kind": ("kind", "type", "provisiontype", "typeofprovision"),
    "phase": ("phase",),
    "years": ("years", "yeargroups", "year"),
    "low_age": ("lowage", "agefrom", "minage"),
    "high_age": ("highage", "ageto", "maxage"),
    "need_types": ("needtypes", "needtype", "need", "designation", "needs"),
    "places": ("places", "commissionedplaces", "srpplaces", "numberofplaces"),
    "on_roll": ("onroll", "roll", "pupils", "srponroll", "numberonroll"),
    "opened": ("opened", "opendate", "open"),
    "closes": ("closes", "closed", "closedate", "close"),
    "sex": ("sex", "gender"),
    "selective": ("selective",),
    "faith": ("faith",),
    "easting": ("easting",),
    "northing": ("northing",),
}
KIND_WORDS = {
    **dict.fromkeys(("srp", "rp", "arp", "inclusionbase", "hub", "both"), "srp"),
    **dict.fromkeys(("resourcedprovision", "additionallyresourcedprovision"), "srp"),
    **dict.fromkeys(("specialistresourceprovision", "resourcedprovisionandsenunit"), "srp"),
    **dict.fromkeys(("senunit", "unit", "specialunit"), "sen_unit"),
    **dict.fromkeys(("special", "specialschool"), "special"),
    **dict.fromkeys(("alternative", "alternativeprovision", "ap", "pru", "pupilreferralunit"),
                    "alternative"),
}  # fmt: skip
PHASE_WORDS = {
    "primary": AGES["primary"],
    "infant": (4, 7),
    "junior": (7, 11),
    "secondary": AGES["secondary"],
    "allthrough": (4, 16),
    "both": (4, 16),
    "primaryandsecondary": (4, 16),
}
MOST_YEAR = 14
"""The last school year that a provision may take, of young people of 19."""
YES, NO = {"yes", "true", "y", "1", "selective"}, {"no", "false", "n", "0", "", "nonselective"}
_DATE = re.compile(r"(?P<d>\d{1,2})[-/.](?P<m>\d{1,2})[-/.](?P<y>\d{4})")
_ISO = re.compile(r"(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})(?: .*|T.*)?")
_YEARS = re.compile(
    r"(?:years?|y)?\s*(?P<a>r|n|\d{1,2})\s*(?:-|–|to)\s*(?:years?|y)?\s*(?P<b>\d{1,2})",
    re.IGNORECASE,
)


def read_council(
    sheet: pd.DataFrame, sites: pd.DataFrame, parse: Parse, *, file: str,
    replaced: Mapping[str, str],
) -> pd.DataFrame:  # fmt: skip
    """Read the council's list of provisions, one row each; index provision, columns `COLUMNS`.

    A provision stands at a school of the study, at a special school or alternative provision of
    the schools file, or elsewhere if easting and northing are given. Where it says nothing of
    ages, sex or admission, the school's own count. Raises `ProvisionError` with every fault.
    """
    tray = Faults(ProvisionError, file)
    names = {bare(name): str(name) for name in reversed(sheet.columns)}
    found = {
        ours: names[next(one for one in spellings if one in names)]
        for ours, spellings in HEADINGS.items()
        if any(one in names for one in spellings)
    }
    missing = [c for c in ("urn", "need_types", "places") if c not in found]
    if missing:
        tray.add(
            f"has no column {', '.join(missing)}; found {', '.join(map(str, sheet.columns))}.",
            "Wanted: urn, kind, phase or years, need_types, places, on_roll.",
        )
        tray.raise_if_any()
    empty = pd.Series("", index=sheet.index, dtype=str)
    cells = pd.DataFrame(
        {ours: sheet[found[ours]].str.strip() if ours in found else empty for ours in HEADINGS}
    )
    cells["urn"] = cells["urn"].str.replace(r"\.0+$", "", regex=True)
    cells["urn"] = cells["urn"].replace(dict(replaced))
    numbers = {
        column: _numbers(cells, column, parse, tray)
        for column in ("places", "on_roll", "low_age", "high_age", "easting", "northing")
    }
    rows = [
        _council_row(int(at), row, sites, {c: float(v[at]) for c, v in numbers.items()}, tray)
        for at, row in cells.iterrows()
    ]
    table = pd.DataFrame(rows, columns=[*COLUMNS, "row"])
    _twice(table, tray)
    tray.raise_if_any()
    return numbered(table)


def _numbers(cells: pd.DataFrame, column: str, parse: Parse, tray: Faults) -> pd.Series:
    read = parse(cells[column])
    for at in cells.index[read.unreadable | (read.values < 0)]:
        tray.add(
            f'{column} is "{cells.at[at, column]}", which is no count.',
            "Give a number, or leave the cell empty where it is not known.",
            row=int(at),
            urn=cells.at[at, "urn"],
            name=cells.at[at, "name"],
        )
    return read.values


def _council_row(
    at: int, cells: pd.Series, sites: pd.DataFrame, number: dict[str, float], tray: Faults
) -> dict[str, object]:
    """Return one provision; what cannot be read goes on the tray."""
    urn, name = cells["urn"], cells["name"]

    def fault(what: str, fix: str = "") -> None:
        tray.add(what, fix, row=at, urn=urn, name=name)

    site = sites.loc[urn] if urn in sites.index else None
    if site is None and not number["easting"] * number["northing"] > 0:
        near = did_you_mean(urn, sites.index)
        fault("is no school of the schools file.", f"{near} Or give easting and northing.".strip())
    if site is not None and pd.isna(site["easting"]):
        fault("has no place in the schools file.", "Give easting and northing.")
    kind = KIND_WORDS.get(bare(cells["kind"]), "")
    if not cells["kind"]:
        own = site["setting"] if site is not None else "mainstream"
        kind = "srp" if own == "mainstream" else str(own)
    elif not kind:
        near = did_you_mean(bare(cells["kind"]), KIND_WORDS)
        fault(f'the kind is "{cells["kind"]}".', near or "Kinds: SRP, SEN unit, special, AP.")
    if (number["easting"] > 0) != (number["northing"] > 0):
        fault("has only one of easting and northing.", "Give both, or neither.")
    codes, unknown = codes_in(cells["need_types"])
    for word in unknown:
        fault(f'"{word}" is no need type.', f"Known are {', '.join(NEED_TYPES)}.")
    low, high = _ages(cells, number, site, fault)
    opened, closes = (_day(cells[c], c, fault) for c in ("opened", "closes"))
    if opened and closes and closes <= opened:
        fault(f"closes on {closes}, not after it opened on {opened}.")
    selective = cells["selective"].lower()
    if selective not in YES | NO:
        fault(f'selective is "{cells["selective"]}".', "Give yes or no.")
    by_site = site is not None and selective == ""
    selects = is_yes(site["selective"]) if site is not None and by_site else selective in YES
    here = pd.Series(number) if site is None or number["easting"] > 0 else site
    return {
        "urn": urn,
        "name": name or ("" if site is None else str(site["name"])),
        "kind": kind,
        "need_types": joined(codes),
        "low_age": low,
        "high_age": high,
        "places": number["places"],
        "on_roll": number["on_roll"],
        "sex": cells["sex"].lower() or ("" if site is None else str(site["sex"])),
        "selective": selects,
        "faith": cells["faith"] or ("" if site is None else str(site["faith"])),
        "opened": opened,
        "closes": closes,
        "easting": float(here["easting"]),
        "northing": float(here["northing"]),
        "area": "" if site is None else str(site["area"]),
        "source": COUNCIL,
        "row": at,
    }


def codes_in(text: str) -> tuple[list[str], list[str]]:
    """Return the need types named in a cell, and the words in it that are none."""
    words = [word for word in re.split(r"[;,/+&|\s]+|\band\b", text.upper()) if word]
    codes = [ALIASES.get(word, word) for word in words if word not in ("AND",)]
    return [c for c in codes if c in NEED_TYPES], [c for c in codes if c not in NEED_TYPES]


def _ages(
    cells: pd.Series, number: dict[str, float], site: pd.Series | None, fault: object
) -> tuple[float, float]:
    """Return the ages a provision takes: as given, by years, by phase, else the school's own."""
    assert callable(fault)
    low, high = number["low_age"], number["high_age"]
    if (low == low) != (high == high):
        fault("has only one of low_age and high_age.", "Give both, or neither.")
        return np.nan, np.nan
    if low == low:
        if not 2 <= low < high <= 25:
            fault(f"takes ages {low:g} to {high:g}.", "Give the lowest and the highest age.")
        return low, high
    if cells["years"]:
        match = _YEARS.fullmatch(cells["years"].strip())
        if match is None:
            fault(f'the years are "{cells["years"]}".', "Give for instance R-6 or 7-11.")
            return np.nan, np.nan
        first = {"r": 0, "n": -1}.get(match["a"].lower())
        first, last = int(match["a"]) if first is None else first, int(match["b"])
        if not first <= last <= MOST_YEAR:
            fault(f'the years are "{cells["years"]}".', "Give the first and the last, as in 7-11.")
        return first + 4.0, last + 5.0
    own = (4.0, 16.0) if site is None else school_ages(site)
    if not cells["phase"]:
        return own
    named = PHASE_WORDS.get(bare(cells["phase"]))
    if named is None:
        near = did_you_mean(bare(cells["phase"]), PHASE_WORDS)
        fault(f'the phase is "{cells["phase"]}".', near or "Give primary or secondary.")
        return np.nan, np.nan
    # A junior school's provision for primary takes its own years only.
    within = max(float(named[0]), own[0]), min(float(named[1]), own[1])
    return within if within[0] < within[1] else (float(named[0]), float(named[1]))


def school_ages(site: pd.Series) -> tuple[float, float]:
    """Return the ages of a school; 4 and 16 where they are not known."""
    low, high = float(site["low_age"]), float(site["high_age"])
    return (low if low == low else 4.0), (high if high == high else 16.0)


def is_yes(value: object) -> bool:
    """Say whether a value that may be missing is true."""
    return value is not pd.NA and bool(value)


def _day(text: str, what: str, fault: object) -> str:
    """Return a date as `2026-09-01`, "" for none; 31 August for a lone year it closes in."""
    assert callable(fault)
    if not text:
        return ""
    if re.fullmatch(r"\d{4}", text):
        return f"{text}-09-01" if what == "opened" else f"{text}-08-31"
    match = _ISO.fullmatch(text) or _DATE.fullmatch(text)
    if match is None or not (1 <= int(match["m"]) <= 12 and 1 <= int(match["d"]) <= 31):
        fault(f'{what} is "{text}", which is no date.', "Give it as 2026-09-01.")
        return ""
    return f"{match['y']}-{int(match['m']):02d}-{int(match['d']):02d}"


def _twice(table: pd.DataFrame, tray: Faults) -> None:
    key = ["urn", "kind", "need_types", "low_age", "opened"]
    for _, row in table[table.duplicated(key)].iterrows():
        tray.add(
            "stands twice with the same kind, need types and ages.",
            "Keep one row, with all its places.",
            row=int(row["row"]),
            urn=str(row["urn"]),
            name=str(row["name"]),
        )


def numbered(table: pd.DataFrame) -> pd.DataFrame:
    """Return provisions by their label: the URN, or `URN/2` for a second one of a school."""
    key = ["urn", "kind", "low_age", "need_types", "opened"]
    table = table.sort_values(key, ignore_index=True)
    nth = table.groupby("urn").cumcount() + 1
    several = table["urn"].map(table["urn"].value_counts()) > 1
    table.index = pd.Index(
        [f"{u}/{n}" if s else u for u, n, s in zip(table["urn"], nth, several, strict=True)],
        name="provision",
        dtype=object,
    )
    return table[list(COLUMNS)]
