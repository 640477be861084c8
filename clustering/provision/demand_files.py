"""Reads what demand is made from: counts by school or LSOA, published primary need, rates, places.

Sheets come in as text cells (index: line of the file) with a function that reads numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from clustering.need_files import Parse, bare
from clustering.provision.register import ProvisionError
from clustering.provision.register_files import KIND_WORDS
from clustering.provision.settings import AGES, ALIASES, NEED_TYPES, PHASES, SERVES
from geo.errors import Faults, did_you_mean

COUNT_WORDS = ("children", "pupils", "count", "numberofpupils", "numberofchildren")
PHASE_KEYS = {
    "primary": "primary",
    "statefundedprimary": "primary",
    "secondary": "secondary",
    "statefundedsecondary": "secondary",
}
_NEED_WORDS = {
    "autisticspectrumdisorder": "ASD",
    "hearingimpairment": "HI",
    "moderatelearningdifficulty": "MLD",
    "multisensoryimpairment": "MSI",
    "otherdifficultydisability": "OTH",
    "physicaldisability": "PD",
    "profoundmultiplelearningdifficulty": "PMLD",
    "profoundandmultiplelearningdifficulty": "PMLD",
    "senSupportbutnospecialistassessmentoftypeofneed".lower(): "NSA",
    "severelearningdifficulty": "SLD",
    "socialemotionalandmentalhealth": "SEMH",
    "specificlearningdifficulty": "SPLD",
    "speechlanguageandcommunicationsneeds": "SLCN",
    "speechlanguageandcommunicationneeds": "SLCN",
    "visualimpairment": "VI",
    "visionimpairment": "VI",
    "downssyndrome": "DS",
    "downsyndrome": "DS",
}
_HIDDEN = "suppressed"


def code_of(word: str) -> str:
    """Return the need type that a code or its published words name; "" for none."""
    text = word.strip().upper()
    text = ALIASES.get(text, text)
    return text if text in NEED_TYPES else _NEED_WORDS.get(bare(word), "")


def read_counts(
    sheet: pd.DataFrame,
    parse: Parse,
    *,
    file: str,
    suppressed: float,
    schools: Iterable[str],
    places: Iterable[str],
    replaced: Mapping[str, str],
) -> tuple[pd.DataFrame, list[str]]:
    """Read the council's counts: `urn` or `lsoa`, `need_type`, `phase`, `children`, perhaps `kind`.

    Return columns point, need_type, phase, children, kind ("" where the file does not say what
    place the children need), and notes. A suppressed cell counts as `suppressed` children, a cell
    without a number as unknown, not 0: it is told and left out. Raises `ProvisionError` with every
    fault; codes of neighbourhoods that `places` does not have are one, as vintages must not be
    mixed.
    """
    tray = Faults(ProvisionError, file)
    names = {bare(name): str(name) for name in reversed(sheet.columns)}
    lsoa = next(
        (n for b, n in names.items() if b.startswith("lsoa") and not b.endswith("nm")), None
    )
    urn = names.get("urn") or names.get("schoolurn")
    where = urn or lsoa
    number = next((names[b] for b in COUNT_WORDS if b in names), None)
    need = names.get("needtype") or names.get("primaryneed") or names.get("need")
    phase = names.get("phase") or names.get("phasetypegrouping")
    if not (where and number and need and phase):
        tray.add(
            f"needs urn or lsoa, need_type, phase and children; found {', '.join(names.values())}.",
            "One row for each place, need type and phase.",
        )
        tray.raise_if_any()
    assert where is not None
    assert number is not None
    assert need is not None
    assert phase is not None
    point = sheet[where].str.strip().str.replace(r"\.0+$", "", regex=True)
    point = point.replace(dict(replaced)) if urn else point.str.upper()
    kind = sheet[names["kind"]].map(bare) if "kind" in names else pd.Series("", index=sheet.index)
    read = parse(sheet[number])
    hidden = read.reason.str.contains(_HIDDEN)
    table = pd.DataFrame(
        {
            "point": point,
            "need_type": sheet[need].map(code_of),
            "phase": sheet[phase].map(lambda word: PHASE_KEYS.get(bare(word), "")),
            "children": read.values.mask(hidden, suppressed),
            "kind": kind.map(lambda w: SERVES.get(KIND_WORDS.get(w, ""), "") if w else ""),
        }
    )
    for at in sheet.index[read.unreadable | (read.values < 0)]:
        tray.add(f'{number} is "{sheet.at[at, number]}".', "Give a count, or c.", row=int(at))
    for at in sheet.index[table["need_type"] == ""]:
        tray.add(
            f'"{sheet.at[at, need]}" is no need type.',
            f"Known: {', '.join(NEED_TYPES)}.",
            row=int(at),
        )
    for at in sheet.index[table["phase"] == ""]:
        tray.add(f'the phase is "{sheet.at[at, phase]}".', "primary or secondary.", row=int(at))
    for at in sheet.index[(kind != "") & (table["kind"] == "")]:
        tray.add(f'the kind is "{kind[at]}".', did_you_mean(kind[at], KIND_WORDS), row=int(at))
    known = set(schools) if urn else set(places)
    _check_points(table["point"], known, bool(urn), tray)
    for at in table.index[table.duplicated(["point", "need_type", "phase", "kind"])]:
        tray.add(
            f"{point[at]} stands twice with the same need type and phase.", "Keep one row.",
            row=int(at),
        )  # fmt: skip
    tray.raise_if_any()
    notes = []
    if hidden.any():
        notes.append(f"{int(hidden.sum()):,} suppressed counts are taken as {suppressed:g} each.")
    gone = table["children"].isna()
    if gone.any():
        notes.append(f"{int(gone.sum()):,} counts of demand are not known and left out.")
    return table[~gone].reset_index(drop=True), notes


def _check_points(points: pd.Series, known: set[str], schools: bool, tray: Faults) -> None:
    lost = points[~points.isin(known)]
    if lost.empty:
        return
    if schools:
        for at, urn in lost.items():
            tray.add("is no school of the study.", "Check the URN.", row=int(str(at)), urn=urn)
    elif not known:
        tray.add(
            "has neighbourhoods, but the study does not say where they are.",
            "Give [provision.demand] places: LSOA codes with coordinates.",
        )
    else:
        tray.add(
            f"{lost.nunique()} neighbourhoods are not in [provision.demand] places: "
            f"{', '.join(sorted(set(lost))[:5])}. LSOAs of 2011 and 2021 cannot be mixed.",
            "Use one vintage in both files.",
        )


def read_school_needs(
    sheet: pd.DataFrame,
    parse: Parse,
    schools: pd.DataFrame,
    *,
    file: str,
    suppressed: float,
    replaced: Mapping[str, str],
) -> tuple[pd.DataFrame, list[str]]:
    """Read the DfE's SEN file by school: `EHC_Primary_need_…` and `SUP_Primary_need_…`, added up.

    `schools` index urn with phase, low_age, high_age. `z` (does not apply) is nothing; other
    missing cells are not known and told. A school of both phases is split by year groups. Columns
    as from `read_counts`. Raises `ProvisionError` with every fault, such as a school on two rows.
    """
    tray = Faults(ProvisionError, file)
    names = {bare(name): str(name) for name in reversed(sheet.columns)}
    columns = {
        heading: code
        for code in NEED_TYPES
        for kind in ("ehc", "sup")
        if (heading := names.get(f"{kind}primaryneed{code.lower()}"))
    }
    if "urn" not in names or not columns:
        tray.add("has no URN or no EHC_Primary_need columns.", "Take the DfE's SEN file by school.")
        tray.raise_if_any()
    urns = sheet[names["urn"]].str.strip().str.replace(r"\.0+$", "", regex=True)
    told, urns = urns, urns.replace(dict(replaced))
    here = urns.isin(schools.index)
    # Two schools that have become one are added up; one school of two years is not.
    for at in urns.index[here & told.duplicated()]:
        tray.add("stands on two rows.", "Keep one year.", row=int(at), urn=told[at])
    total: dict[tuple[str, str], float] = {}
    unknown = hidden_cells = 0
    for heading, code in columns.items():
        cells = sheet.loc[here, heading]
        read = parse(cells)
        for at in cells.index[read.unreadable | (read.values < 0)]:
            tray.add(f'{heading} is "{cells[at]}".', "Give a count.", row=int(at), urn=urns[at])
        hidden = read.reason.str.contains(_HIDDEN)
        nothing = cells.str.strip().str.lower().eq("z")
        values = read.values.mask(hidden, suppressed).mask(nothing, 0.0)
        hidden_cells += int(hidden.sum())
        unknown += int(values.isna().sum())
        for urn, number in zip(urns[here], values, strict=True):
            if number == number:
                total[urn, code] = total.get((urn, code), 0.0) + float(number)
    tray.raise_if_any()
    parts = phase_parts(schools)
    rows = [
        (urn, code, phase, number * parts.at[urn, phase], "")
        for (urn, code), number in sorted(total.items())
        for phase in PHASES
        if number * parts.at[urn, phase] > 0
    ]
    notes = []
    if hidden_cells:
        notes.append(f"{hidden_cells:,} suppressed counts are taken as {suppressed:g} each.")
    if unknown:
        notes.append(f"{unknown:,} counts of primary need are not known and left out.")
    return pd.DataFrame(rows, columns=["point", "need_type", "phase", "children", "kind"]), notes


def phase_parts(schools: pd.DataFrame) -> pd.DataFrame:
    """Return the part of each school's year groups in each phase; without ages, by its phase."""
    low, high = schools["low_age"].astype(float), schools["high_age"].astype(float)
    first = schools["phase"].map({"secondary": 11.0, "middle_secondary": 9.0}).fillna(4.0)
    last = schools["phase"].map({"primary": 11.0, "middle_primary": 12.0}).fillna(16.0)
    low, high = low.fillna(first), high.fillna(last)
    years = pd.DataFrame(
        {
            phase: (high.clip(upper=end) - low.clip(lower=start)).clip(lower=0)
            for phase, (start, end) in AGES.items()
        }
    )
    return years.div(years.sum(axis=1).replace(0, np.nan), axis=0).fillna(0.0)
