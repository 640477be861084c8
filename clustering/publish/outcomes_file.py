"""Reads the table of outcomes: attendance, suspensions and whatever else a council follows by year.

One row is one figure of one group in one year: `group_type, group, year, measure, value` and, where
wanted, `numerator, denominator, unit, source`. Files on pupils are refused by `geo.sheets` before
anything is read; figures of single schools are refused here.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from clustering.publish.consultation import AREA, COUNTY
from geo.errors import Faults, InputError, did_you_mean, short_path
from geo.sheets import plain, read_sheet
from geo.symbols import parse_numbers

SCHOOL_GROUP, CLUSTER = "school_group", "cluster"
GROUP_TYPES = (COUNTY, AREA, SCHOOL_GROUP, CLUSTER)
SCHOOL_GROUPS = ("primary", "secondary", "all-through")
NEEDED = ("group_type", "group", "year", "measure", "value")
WANTED = (*NEEDED, "numerator", "denominator", "unit", "source")
PER_CENT, PER_100, PUPILS = "%", "per 100", "pupils"
UNITS = (PER_CENT, PER_100, PUPILS)
"""Per cent; events for every 100 pupils, which may be more than 100; a number of pupils."""
SLOTS: Mapping[str, str] = {
    "attendance": "Attendance",
    "suspensions": "Suspensions",
    "exclusions": "Permanent exclusions",
    "support": "Outcomes of support",
}
"""Measures that the dashboard keeps a place for, and what they are called."""
REMEDY = (
    f"A file of outcomes has the columns {', '.join(NEEDED)} and, better, numerator, denominator."
)
_YEAR = re.compile(r"((?:19|20)\d{2})(?:\s*[/–-]\s*((?:20)?\d{2}))?")
_HIDDEN = ("suppressed", "rounds to zero", "too few")
_NEAR = 0.06
"""By so much a value may differ from numerator over denominator: rounding to one decimal."""


class OutcomesError(InputError):
    """A file of outcomes cannot be used as it stands."""


@dataclass(frozen=True, eq=False)
class Outcomes:
    """Figures by group and year.

    `rows` has `group_type` (one of `GROUP_TYPES`), `group`, `year` (text: "2025" or "2024/25"),
    `measure`, `unit`, `value`, `numerator`, `denominator` (float, NaN where not given) and `hidden`
    (bool: whoever gave the figure suppressed it), sorted, one row a figure. `measures` gives what
    each is called, in the order of `SLOTS`, then of the alphabet; `notes` what a planner must know.
    """

    rows: pd.DataFrame
    measures: Mapping[str, str]
    notes: tuple[str, ...]


def read_outcomes(path: Path, groups: Mapping[str, Collection[str]]) -> Outcomes:
    """Read a file of outcomes; `groups` are the names that there are, by group type.

    A value may be a symbol of the Department (`c`, `x`, `z`, blank): hidden or not known, never 0.
    Raises `OutcomesError` with every fault; `SchoolsError` for a file that is no table, and
    `PersonalDataError` for one about pupils.
    """
    sheet = read_sheet(path, ("grouptype",), remedy=REMEDY)
    tray = Faults(OutcomesError, short_path(path))
    cells = _columns(sheet, tray)
    tray.raise_if_any()
    rows = pd.DataFrame(index=cells.index)
    rows["group_type"] = _types(cells["group_type"], tray)
    rows["group"] = _groups(cells["group"], rows["group_type"], groups, tray)
    rows["year"] = _years(cells["year"], tray)
    rows["measure"] = _measures(cells["measure"], tray)
    rows["unit"] = _units(cells["unit"], rows["measure"], tray)
    for name in ("value", "numerator", "denominator"):
        rows[name], reason = _numbers(cells[name], name, tray)
        hidden = reason.str.startswith(_HIDDEN)
        rows["hidden"] = hidden if name == "value" else rows["hidden"] | hidden
    _check(rows, tray)
    _twice(rows, tray)
    tray.raise_if_any()
    order = ["measure", "group_type", "group", "year"]
    rows = rows.sort_values(order, ignore_index=True)
    given = sorted(set(rows["measure"]))
    found = [m for m in SLOTS if m in given] + [m for m in given if m not in SLOTS]
    names = {m: SLOTS.get(m, m[:1].upper() + m[1:]) for m in found}
    return Outcomes(rows, names, _notes(rows))


def _columns(sheet: pd.DataFrame, tray: Faults) -> pd.DataFrame:
    """Return the columns by their own names; a misspelt one must not be overlooked."""
    spelt = {plain(name): name for name in WANTED}
    heads = {name: spelt.get(plain(name), "") for name in sheet.columns}
    for name, own in heads.items():
        if plain(name) in ("urn", "laestab", "school", "schoolname"):
            fix = "Give figures of groups of schools: those of one school may tell of few."
            tray.add(f'the column "{name}" is of single schools.', fix)
        elif not own and (name or (sheet[name] != "").any()):
            hint = did_you_mean(name, WANTED) or f"Known columns: {', '.join(WANTED)}."
            tray.add(f'the column "{name}" is not known.', hint)
    for name in NEEDED:
        if name not in heads.values():
            tray.add(f"the column {name} is missing.", REMEDY)
    named = {name: own for name, own in heads.items() if own}
    table = sheet[list(named)].rename(columns=named)
    return table.reindex(columns=list(WANTED), fill_value="")


def _types(cells: pd.Series, tray: Faults) -> pd.Series:
    found = cells.str.lower().str.replace(r"[ -]+", "_", regex=True).replace("district", AREA)
    for row in found.index[~found.isin(GROUP_TYPES)]:
        hint = did_you_mean(found[row], GROUP_TYPES) or f"One of {', '.join(GROUP_TYPES)}."
        tray.add(f'group_type is "{cells[row]}".', hint, row=int(row))
    return found


def _groups(
    cells: pd.Series, types: pd.Series, groups: Mapping[str, Collection[str]], tray: Faults
) -> pd.Series:
    """Return the names as the study has them, whatever their case."""
    known: dict[str, dict[str, str]] = {
        COUNTY: {"": COUNTY, "county": COUNTY},
        SCHOOL_GROUP: {name: name for name in SCHOOL_GROUPS} | {"all_through": "all-through"},
    }
    for kind in (AREA, CLUSTER):
        known[kind] = {name.casefold(): name for name in groups.get(kind, ())}
    found = []
    for row, name, kind in zip(cells.index, cells, types, strict=True):
        names = known.get(kind, {})
        own = names.get(name.casefold())
        if own is None and kind in known:
            tray.add(f'"{name}" is no {kind} of this study.', _meant(name, kind, names), row=row)
        found.append(own or "")
    return pd.Series(found, index=cells.index, dtype=object)


def _meant(name: str, kind: str, names: Mapping[str, str]) -> str:
    real = sorted(set(names.values()))
    if kind == COUNTY:
        return "Leave the cell empty, or write county."
    if kind == CLUSTER and not real:
        return "Clusters are those of today, and the study names none: [existing] file."
    return did_you_mean(name, real) or f"There are: {', '.join(real[:12])}."


def _years(cells: pd.Series, tray: Faults) -> pd.Series:
    """Return "2025" or "2024/25"."""
    found = []
    for row, text in cells.items():
        match = _YEAR.fullmatch(text)
        follows = match and (not match[2] or int(match[2]) % 100 == (int(match[1]) + 1) % 100)
        if not match or not follows:
            tray.add(f'year is "{text}".', "Write 2025, or 2024/25 for a school year.", row=row)
        found.append("" if not match else f"{match[1]}/{match[2][-2:]}" if match[2] else match[1])
    return pd.Series(found, index=cells.index, dtype=object)


def _measures(cells: pd.Series, tray: Faults) -> pd.Series:
    found = cells.str.casefold().str.replace(r"[\s_]+", " ", regex=True)
    other = {"permanent exclusions": "exclusions", "outcomes of support": "support"}
    for row in found.index[found == ""]:
        tray.add("no measure is named.", f"For instance {', '.join(SLOTS)}.", row=int(row))
    for row in found.index[found.str.len() > 60]:
        tray.add("the measure's name is longer than 60 letters.", "Shorten it.", row=int(row))
    return found.replace(other)


def _units(cells: pd.Series, measures: pd.Series, tray: Faults) -> pd.Series:
    bare = cells.str.lower().str.strip()
    found = bare.replace({"": PER_CENT, "per cent": PER_CENT, "per 100 pupils": PER_100})
    for row in found.index[~found.isin(UNITS)]:
        hint = did_you_mean(found[row], UNITS) or f"One of {', '.join(UNITS)}."
        tray.add(f'unit is "{cells[row]}".', hint, row=int(row))
    for measure, units in found.groupby(measures):
        if units.isin(UNITS).all() and units.nunique() > 1:
            words = " and ".join(sorted(set(units)))
            tray.add(f'"{measure}" is given in {words}.', "Give a measure in one unit.")
    return found


def _numbers(cells: pd.Series, name: str, tray: Faults) -> tuple[pd.Series, pd.Series]:
    parsed = parse_numbers(cells)
    for row in cells.index[parsed.unreadable]:
        what = f'{name} is "{cells[row]}", which is no number.'
        tray.add(what, "Give a number, or c where it is suppressed.", row=int(row))
    for row in cells.index[parsed.values < 0]:
        tray.add(f"{name} is {cells[row]}, less than 0.", "Mend it.", row=int(row))
    return parsed.values, parsed.reason


def _check(rows: pd.DataFrame, tray: Faults) -> None:
    """Refuse figures that cannot be, or that contradict their own numerator and denominator."""
    for row, one in rows.iterrows():
        at, value = int(str(row)), one["value"]
        over, under = one["numerator"], one["denominator"]
        if one["unit"] == PUPILS:
            if value != round(value) and not np.isnan(value):
                tray.add(f"{value:g} pupils is no count.", "Give a whole number.", row=at)
            continue
        if one["unit"] == PER_CENT and value > 100:
            tray.add(f"{value:g}% is more than all.", 'Events a pupil are unit "per 100".', row=at)
        if np.isnan(over) != np.isnan(under) and not one["hidden"]:
            given, lacks = ("denominator", "numerator")[:: 1 if np.isnan(over) else -1]
            tray.add(f"a {given} is given and no {lacks}.", "Give both or neither.", row=at)
        elif under == 0 and not np.isnan(value):
            tray.add("a rate of nobody: the denominator is 0.", "Leave the value empty.", row=at)
        elif under > 0 and abs(value - 100 * over / under) > _NEAR:
            made = 100 * over / under
            what = f"the value is {value:g}, and {over:g} of {under:g} make {made:.1f}."
            tray.add(what, "One of the three is wrong.", row=at)


def _twice(rows: pd.DataFrame, tray: Faults) -> None:
    key = ["group_type", "group", "year", "measure"]
    first = {tuple(v): k for k, v in reversed(list(zip(rows.index, rows[key].values, strict=True)))}
    for row in rows.index[rows.duplicated(key)]:
        one = rows.loc[row, key]
        words = f"{one['measure']} of {one['group']} in {one['year']}"
        what = f"{words} stands in row {first[tuple(one)]} already."
        tray.add(what, "Keep one row.", row=int(row))


def _notes(rows: pd.DataFrame) -> tuple[str, ...]:
    bare = rows["denominator"].isna() & ~rows["hidden"] & rows["value"].notna()
    bare &= rows["unit"] != PUPILS
    if not bare.any():
        return ()
    return (
        f"{int(bare.sum()):,} rates of outcomes come without numerator and denominator: nobody can "
        "check here whether they are of few pupils; whoever supplies them must have done so.",
    )
