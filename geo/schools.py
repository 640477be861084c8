"""From published files of schools to one checked table, keyed by URN, in metres.

A GIAS extract, the DfE census and SEN tables, a plain CSV or an Excel sheet come in by this door.
Everything it did to them (set aside, mended, taken over, guessed) goes out again as notes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from geo.census import Census, match, pour, read_census
from geo.checks import check_cells, check_places, keep_areas, key_by_urn, mend, odd_figures
from geo.columns import FIGURES, TABLE, is_known, recognise
from geo.errors import Faults, PersonalDataError, SchoolsError, did_you_mean, short_path
from geo.mainstream import ALTERNATIVE, NON_MAINTAINED, SPECIAL
from geo.settling import Desk
from geo.shape import shape
from geo.sheets import read_sheet
from geo.telling import Note, tell_census, tell_columns, tell_figures, tell_sorting
from geo.twins import POLICIES, Links, read_links

__all__ = ["Note", "Schools", "read_schools"]

ON_RECORD = "left out on record"
PROVISIONS = (SPECIAL, NON_MAINTAINED, ALTERNATIVE)
"""Reasons for which a school is set aside that make it a provision of another kind."""


@dataclass(frozen=True)
class Schools:
    """The schools of a study, and an account of everything that did not become one.

    `table` index urn (str, sorted, unique); columns name, laestab, la_code, la, phase, type,
    status, low_age, high_age, sex, faith, selective, nursery, sixth_form, postcode, district,
    district_code, ward, lsoa, easting, northing (EPSG:27700, metres), pupils, ehc_plans,
    sen_support, fsm6, fsm, eal, capacity (float counts, NaN = missing), trust, federation,
    srp_kind, srp_places, srp_on_roll, need_types, predecessors, row (line of the source file).
    `set_aside` columns urn, name, reason, detail, easting, northing (NaN = unknown), row.
    `others` the same columns for special schools and alternative provision, which take no part in
    clusters but are provisions; without a place where none is known.
    `missing` columns urn, column, reason, raw: every missing figure of a school in `table`.
    `notes` in the order in which things were done; `files` every file read.
    """

    table: pd.DataFrame
    set_aside: pd.DataFrame
    others: pd.DataFrame
    missing: pd.DataFrame
    notes: tuple[Note, ...]
    files: tuple[Path, ...]

    @property
    def replaced(self) -> dict[str, str]:
        """Return older URN -> URN of the school in `table` that follows it.

        An older URN that two schools name (a split), or that is itself in `table`, is left out.
        """
        heirs: dict[str, set[str]] = {}
        for urn, text in self.table["predecessors"].items():
            for old in filter(None, text.split(";")):
                heirs.setdefault(old, set()).add(str(urn))
        alive = set(self.table.index)
        return {
            old: next(iter(new))
            for old, new in sorted(heirs.items())
            if len(new) == 1 and old not in alive
        }

    def summary(self) -> pd.DataFrame:
        """Return counts by phase and reason: columns part ("in", "set aside"), what, schools."""
        phases = self.table["phase"].value_counts().sort_index()
        reasons = self.set_aside["reason"].value_counts().sort_index()
        rows = [("in", str(what), int(count)) for what, count in phases.items()]
        rows += [("set aside", str(what), int(count)) for what, count in reasons.items()]
        return pd.DataFrame(rows, columns=["part", "what", "schools"])


def read_schools(
    path: Path | str,
    *,
    la: Sequence[str] = (),
    census: Sequence[Path | str] = (),
    links: Path | str | None = None,
    twins: str = "newer",
    successors: Mapping[str, str] | None = None,
    exclude: Mapping[str, str] | None = None,
    fix: Mapping[str, Mapping[str, object]] | None = None,
    census_wins: bool = False,
) -> Schools:
    """Read state-funded mainstream schools from a GIAS extract, a composite, a CSV or Excel sheet.

    `la` codes or names to keep (all if empty). `census` DfE tables joined by URN, LAESTAB and
    older URNs in turn; they fill missing figures, or replace all figures if `census_wins`.
    `links` a GIAS links file. `twins` what to do with two open rows of one name and place: "newer",
    "older", "ask" (raise) or "both". `successors` decides pairs by hand, old URN to new URN.
    `exclude` URN to reason, left out on record. `fix` URN to columns to override on record.

    Raises SchoolsError with every fault found, or PersonalDataError if a file is about pupils.
    """
    tray = Faults(SchoolsError, short_path(path))
    notes: list[Note] = []
    la = (la,) if isinstance(la, str) else tuple(str(one) for one in la)
    census = (census,) if isinstance(census, str | Path) else tuple(census)
    if twins not in POLICIES:
        tray.add(f'twins = "{twins}" is not known.', did_you_mean(twins, POLICIES))
    frame, headings, tables, linked = _read_files(path, census, links, tray)
    frame = keep_areas(frame, la, tray, notes)
    frame = key_by_urn(frame, tray, notes)
    frame, touched = mend(frame, fix or {}, tray, notes)
    shaped = shape(frame)
    tell_columns(frame, notes)
    reason, detail = shaped.sorted.reason.copy(), shaped.sorted.detail.copy()
    _leave_out(exclude or {}, shaped.table, reason, detail, tray)
    decided = {str(old): str(new) for old, new in (successors or {}).items()}
    elsewhere = {urn for one in tables for urn in one.figures.index}
    Desk(shaped, reason, detail, tray, notes).settle(twins, decided, linked, elsewhere)
    kept = reason == ""
    check_cells(shaped, kept, headings, tray)
    check_places(shaped, kept, tray, notes)
    tray.raise_if_any()
    tell_sorting(shaped, reason, notes)
    table, why, raw = (part[kept].copy() for part in (shaped.table, shaped.why, shaped.raw))
    _need_some(table, shaped.table, reason, tray)
    present = {column for column in FIGURES if column in frame}
    for one in tables:
        present |= set(one.figures.columns)
        joined = match(one, table, shaped.table.index)
        told = pour(one, joined, table, why, raw, census_wins, touched)
        tell_census(one, joined, told, table, census_wins, notes)
    odd_figures(table, notes)
    tell_figures(table, present, notes)
    files = (Path(path), *map(Path, census), *([Path(links)] if links is not None else []))
    return Schools(
        table[list(TABLE)],
        _set_aside(shaped.table, reason, detail),
        shaped.table.loc[reason.isin(PROVISIONS), list(TABLE)].sort_index(),
        _missing(table, why, raw, present),
        tuple(notes),
        files,
    )


def _read_files(
    path: Path | str, census: Sequence[Path | str], links: Path | str | None, tray: Faults
) -> tuple[pd.DataFrame, dict[str, str], list[Census], Links]:
    """Read all files before complaining about any, except that pupils' data stop everything."""
    frame, tables, linked = pd.DataFrame(), [], Links({})
    headings: dict[str, str] = {}
    try:
        frame, headings = recognise(read_sheet(path, ("urn", "schoolurn"), is_known))
    except PersonalDataError:
        raise
    except SchoolsError as error:
        tray.found.extend(error.faults)
    for one in census:
        try:
            tables.append(read_census(one))
        except PersonalDataError:
            raise
        except SchoolsError as error:
            tray.found.extend(error.faults)
    if links is not None:
        try:
            sheet, _ = recognise(read_sheet(links, ("linkurn",), is_known))
            if {"urn", "link_type"} <= set(sheet):
                linked = read_links(sheet)
            else:
                own = Faults(SchoolsError, short_path(links))
                own.add("URN or LinkType is missing.", "Wanted: URN, LinkURN, LinkName, LinkType.")
                tray.found.extend(own.found)
        except PersonalDataError:
            raise
        except SchoolsError as error:
            tray.found.extend(error.faults)
    if frame.empty and not tray:
        tray.add("The file has a heading but no rows.", "Download it again.")
    if frame.empty:
        tray.raise_if_any()
    return frame, headings, tables, linked


def _leave_out(
    exclude: Mapping[str, str],
    table: pd.DataFrame,
    reason: pd.Series,
    detail: pd.Series,
    tray: Faults,
) -> None:
    for urn, words in exclude.items():
        urn = str(urn)
        if urn not in table.index:
            help_ = did_you_mean(urn, table.index) or "Check its URN."
            tray.add("exclude names a school that is not in the file.", help_, urn=urn)
        elif reason[urn] == "":
            reason[urn], detail[urn] = ON_RECORD, str(words)


def _need_some(
    table: pd.DataFrame, everyone: pd.DataFrame, reason: pd.Series, tray: Faults
) -> None:
    if table.empty:
        counts = reason.value_counts()
        found = ", ".join(f"{count} × {what}" for what, count in counts.items()) or "no rows"
        tray.add(
            f"No mainstream school is left of {len(everyone)} rows: {found}.",
            "Check that it is the right file and the right local authority.",
        )
    tray.raise_if_any()


def _set_aside(table: pd.DataFrame, reason: pd.Series, detail: pd.Series) -> pd.DataFrame:
    gone = reason != ""
    out = table.loc[gone, ["name", "easting", "northing", "row"]]
    out = out.assign(reason=reason[gone], detail=detail[gone]).rename_axis("urn").reset_index()
    return out[["urn", "name", "reason", "detail", "easting", "northing", "row"]]


def _missing(
    table: pd.DataFrame, why: pd.DataFrame, raw: pd.DataFrame, present: set[str]
) -> pd.DataFrame:
    """List missing figures; outside the figures only a published symbol is worth a line."""
    parts = []
    for column in why.columns.intersection(table.columns):
        gone = table[column].isna() & ((column in present) | (raw[column] != ""))
        part = pd.DataFrame({"urn": table.index[gone], "column": column})
        part["reason"] = why.loc[gone, column].replace("", "not in the file").to_numpy()
        part["raw"] = raw.loc[gone, column].to_numpy()
        parts.append(part)
    return pd.concat(parts).astype(str).sort_values(["urn", "column"], ignore_index=True)
