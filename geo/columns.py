"""The names of columns as they are published, and what this project calls them."""

from __future__ import annotations

import pandas as pd

from geo.sheets import plain
from geo.symbols import per_word

FIGURES = ("pupils", "ehc_plans", "sen_support", "fsm6", "fsm", "eal", "capacity")
NUMBERS = (
    *("low_age", "high_age", "easting", "northing", *FIGURES, "srp_places", "srp_on_roll"),
    *("latitude", "longitude", "rp_places", "rp_on_roll", "unit_places", "unit_on_roll"),
)
TABLE = (
    *("name", "laestab", "la_code", "la", "phase", "type", "status", "low_age", "high_age", "sex"),
    *("faith", "selective", "nursery", "sixth_form", "postcode", "district", "district_code"),
    *("ward", "lsoa", "easting", "northing", *FIGURES, "trust", "federation", "srp_kind"),
    *("srp_places", "srp_on_roll", "need_types", "predecessors", "row"),
)

# Ours -> published spellings, as `plain` writes them, in order of preference. GIAS names first,
# then this project's own, then the DfE census, SEN and performance tables.
PUBLISHED: dict[str, tuple[str, ...]] = {
    "urn": ("urn", "schoolurn", "uniquereferencenumber"),
    "name": ("establishmentname", "name", "schoolname", "school"),
    "la_code": ("lacode", "oldlacode", "localauthoritycode"),
    "la": ("laname", "la", "localauthority", "localauthorityname", "lea"),
    "estab": ("establishmentnumber", "estab"),
    "laestab": ("laestab", "dfenumber", "dfeno"),
    "type": ("typeofestablishmentname", "typeofestablishment", "type", "schooltype"),
    "type_code": ("typeofestablishmentcode",),
    "group": ("establishmenttypegroupname",),
    "census_type": ("schooltypecensus202425", "phasetypegrouping"),
    "status": ("establishmentstatusname", "establishmentstatus", "status"),
    "status_code": ("establishmentstatuscode",),
    "phase": ("phaseofeducationname", "phaseofeducation", "phase", "broadphaseofschool"),
    "phase_code": ("phaseofeducationcode",),
    "low_age": ("statutorylowage", "lowage", "agelow"),
    "high_age": ("statutoryhighage", "highage", "agehigh"),
    "sex": ("gendername", "gender", "sex", "sexofschooldescription"),
    "faith": ("religiouscharactername", "religiouscharacter", "faith", "denomination"),
    "selective": ("admissionspolicyname", "admissionspolicy", "selective"),
    "nursery": ("nurseryprovisionname", "nurseryprovision", "nursery"),
    "sixth_form": ("officialsixthformname", "officialsixthform", "sixthform"),
    "postcode": ("postcode", "schoolpostcode"),
    "district": ("districtadministrativename", "district"),
    "district_code": ("districtadministrativecode", "districtcode"),
    "ward": ("administrativewardname", "ward", "wardname"),
    "lsoa": ("lsoacode", "lsoa", "lsoa21", "lsoa11"),
    "easting": ("easting", "eastings"),
    "northing": ("northing", "northings"),
    "latitude": ("latitude", "lat"),
    "longitude": ("longitude", "long", "lon", "lng"),
    "pupils": ("numberofpupils", "pupils", "nor", "totalpupils", "numpupils", "numberonroll"),
    "ehc_plans": ("ehcplanpupils", "ehcplans", "ehcplan", "tsenelse", "ehcp", "ehcps"),
    "sen_support": ("sensupportpupils", "sensupport", "tsenelk"),
    "fsm6": ("fsmever6pupils", "fsm6", "numfsmever", "fsmever6"),
    "fsm": ("numberfsm", "fsm", "numfsm", "numberpupilseligiblefsms"),
    "eal": ("ealpupils", "eal", "numeal"),
    "capacity": ("schoolcapacity", "capacity"),
    "trust": ("trustsname", "trusts", "trust"),
    "federation": ("federationsname", "federations", "federation"),
    "srp_kind": ("typeofresourcedprovisionname", "typeofresourcedprovision", "srpkind"),
    "rp_places": ("resourcedprovisioncapacity",),
    "rp_on_roll": ("resourcedprovisiononroll",),
    "unit_places": ("senunitcapacity",),
    "unit_on_roll": ("senunitonroll",),
    "srp_places": ("srpplaces",),
    "srp_on_roll": ("srponroll",),
    "need_types": ("needtypes",),
    **{f"sen{n}": (f"sen{n}name", f"sen{n}") for n in range(1, 14)},
    "predecessors": ("predecessorurn", "predecessors", "predecessorurns"),
    "time_period": ("timeperiod",),
    "level": ("geographiclevel",),
    "link_urn": ("linkurn",),
    "link_type": ("linktype",),
}
_KNOWN = frozenset(spelling for spellings in PUBLISHED.values() for spelling in spellings)
_BLANK = frozenset(("", "not applicable", "nan", "none", "null"))


def is_known(heading: str) -> bool:
    """Say whether a heading, in `plain` spelling, is one this project reads."""
    return heading in _KNOWN


def recognise(sheet: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, str]]:
    """Rename published columns to ours; return the frame and, per column, its published heading.

    `sheet` str cells, index `row`. Where two columns mean the same, the first spelling of
    `PUBLISHED` counts, so a GIAS name goes before a census name.
    """
    by_plain: dict[str, str] = {}
    for name in sheet.columns:
        by_plain.setdefault(plain(str(name)), str(name))
    chosen: dict[str, str] = {}
    for ours, spellings in PUBLISHED.items():
        found = next((by_plain[spelling] for spelling in spellings if spelling in by_plain), None)
        if found is not None:
            chosen[ours] = found
    frame = pd.DataFrame({ours: sheet[name] for ours, name in chosen.items()}, index=sheet.index)
    # A column "LA" is a name in a council's own list and a code in the census.
    if "la" in frame and "la_code" not in frame:
        digits = frame["la"].str.fullmatch(r"[0-9]{3}")
        if digits.any() and (digits | (frame["la"] == "")).all():
            frame["la_code"] = frame.pop("la")
            chosen["la_code"] = chosen.pop("la")
    return frame, chosen


def tidy(cells: pd.Series) -> pd.Series:
    """Collapse white space and turn "Not applicable" and its kin into an empty text."""
    return per_word(cells, _tidy_one)


def _tidy_one(cell: str) -> str:
    text = " ".join(cell.split())
    return "" if text.lower() in _BLANK else text


def clean_urns(cells: pd.Series) -> pd.Series:
    """Return URNs as text, without the ".0" that a spreadsheet may have hung on them."""
    return cells.str.strip().str.replace(r"^([0-9]+)\.0+$", r"\1", regex=True)


def laestabs(frame: pd.DataFrame) -> pd.Series:
    """Return LA and establishment number as one text of seven digits, "" where either is missing.

    `frame` may hold `laestab`, or `la_code` and `estab`.
    """
    empty = pd.Series("", index=frame.index, dtype=str)
    joined = empty
    if "la_code" in frame and "estab" in frame:
        joined = frame["la_code"] + frame["estab"].str.zfill(4)
    given = frame.get("laestab", empty).str.replace(r"[^0-9]", "", regex=True)
    best = given.where(given.str.len() == 7, joined)
    return best.where(best.str.fullmatch(r"[0-9]{7}") & ~best.str.endswith("0000"), "")
