"""From published files of schools to one checked table, keyed by URN, in metres.

A GIAS extract, the DfE census and SEN tables, a plain CSV or an Excel sheet come in by this door.
Everything it did to them (set aside, mended, taken over, guessed) goes out again as notes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from geo.census import Census, Joined, match, pour, read_census
from geo.checks import (
    Note3,
    check_cells,
    check_places,
    keep_areas,
    key_by_urn,
    mend,
    odd_figures,
)
from geo.columns import FIGURES, TABLE, is_known, recognise
from geo.errors import Faults, PersonalDataError, SchoolsError, did_you_mean, short_path
from geo.mainstream import CLOSED, MAINSTREAM, NOT_LISTED, read_type
from geo.places import disagreeing
from geo.shape import Shaped, shape
from geo.sheets import read_sheet
from geo.twins import (
    POLICIES,
    Links,
    Pair,
    follow,
    linked_pairs,
    read_links,
    unlinked_pairs,
    without_successor,
)

REPLACED = "stands twice, newer record kept"
REPLACED_OLDER = "stands twice, older record kept"
ON_RECORD = "left out on record"


@dataclass(frozen=True)
class Note:
    """One thing the door did or noticed: its kind, a plain sentence, the schools concerned."""

    kind: str
    text: str
    urns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Schools:
    """The schools of a study, and an account of everything that did not become one.

    `table` index urn (str, sorted, unique); columns name, laestab, la_code, la, phase, type,
    status, low_age, high_age, sex, faith, selective, nursery, sixth_form, postcode, district,
    district_code, ward, lsoa, easting, northing (EPSG:27700, metres), pupils, ehc_plans,
    sen_support, fsm6, fsm, eal, capacity (float counts, NaN = missing), trust, federation,
    srp_kind, srp_places, srp_on_roll, need_types, predecessors, row (line of the source file).
    `set_aside` columns urn, name, reason, detail, easting, northing (NaN = unknown), row.
    `missing` columns urn, column, reason, raw: every missing figure of a school in `table`.
    `notes` in the order in which things were done; `files` every file read.
    """

    table: pd.DataFrame
    set_aside: pd.DataFrame
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
    notes: list[Note3] = []
    la = (la,) if isinstance(la, str) else tuple(str(one) for one in la)
    census = (census,) if isinstance(census, str | Path) else tuple(census)
    if twins not in POLICIES:
        tray.add(f'twins = "{twins}" is not known.', did_you_mean(twins, POLICIES))
    frame, headings, tables, linked = _read_files(path, census, links, tray)
    frame = keep_areas(frame, la, tray, notes)
    frame = key_by_urn(frame, tray, notes)
    frame, touched = mend(frame, fix or {}, tray, notes)
    shaped = shape(frame)
    _tell_columns(frame, notes)
    reason, detail = shaped.sorted.reason.copy(), shaped.sorted.detail.copy()
    _leave_out(exclude or {}, shaped.table, reason, detail, tray)
    shaped = _with_links(shaped, linked, reason)
    decided = {str(old): str(new) for old, new in (successors or {}).items()}
    _twins(shaped, reason, detail, twins, decided, tables, tray, notes)
    kept = reason == ""
    check_cells(shaped, kept, headings, tray)
    check_places(shaped, kept, tray, notes)
    tray.raise_if_any()
    _tell_sorting(shaped, reason, notes)
    table, why, raw = (part[kept].copy() for part in (shaped.table, shaped.why, shaped.raw))
    _need_some(table, shaped.table, reason, tray)
    present = {column for column in FIGURES if column in frame}
    for one in tables:
        present |= set(one.figures.columns)
        joined = match(one, table, shaped.table.index)
        told = pour(one, joined, table, why, raw, census_wins, touched)
        _tell_census(one, joined, told, table, census_wins, notes)
    odd_figures(table, notes)
    _tell_figures(table, present, notes)
    files = (Path(path), *map(Path, census), *([Path(links)] if links is not None else []))
    return Schools(
        table[list(TABLE)],
        _set_aside(shaped.table, reason, detail),
        _missing(table, why, raw, present),
        tuple(Note(*note) for note in notes),
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


def _with_links(shaped: Shaped, links: Links, reason: pd.Series) -> Shaped:
    """Add older URNs from the links file to the predecessors of kept schools."""
    if links.older:
        for urn in reason.index[reason == ""]:
            older = set(links.ancestors(urn)) | set(shaped.table.at[urn, "predecessors"].split(";"))
            shaped.table.at[urn, "predecessors"] = ";".join(sorted(older - {"", urn}))
    return shaped


def _twins(
    shaped: Shaped,
    reason: pd.Series,
    detail: pd.Series,
    policy: str,
    decided: dict[str, str],
    tables: list[Census],
    tray: Faults,
    notes: list[Note3],
) -> None:
    """Settle every school that stands twice: by hand, by link, by name and place, in this order."""
    table = shaped.table

    def replace(pair: Pair, word: str) -> None:
        if reason[pair.new] != "" or (reason[pair.old] != "" and pair.how != "by hand"):
            return  # one of the two has already given way
        filled = follow(table, shaped.why, pair)
        reason[pair.old] = word
        detail[pair.old] = f"replaced by {pair.new}"
        took = f"; it took over {', '.join(filled)}" if filled else ""
        text = f"{table.at[pair.new, 'name']} stands twice: {pair.new} is kept for {pair.old}"
        notes.append(("twin", f"{text} ({pair.how}){took}.", (pair.old, pair.new)))

    _by_hand(table, reason, decided, tables, tray, notes, replace)
    sure, unsure = linked_pairs(table, reason == "")
    for pair in sure:
        replace(pair, REPLACED)
    for pair in unsure:
        text = f"{_named(table, pair.new)} names {_named(table, pair.old)} as its predecessor; "
        text += "both are open and differ, so both are kept."
        notes.append(("link", text, (pair.old, pair.new)))
    for pair in unlinked_pairs(table, reason == ""):
        if policy == "newer":
            replace(pair, REPLACED)
        elif policy == "older":
            replace(Pair(pair.new, pair.old, pair.how), REPLACED_OLDER)
        elif policy == "ask":
            what = f"It stands a second time as {pair.new}, row {table.at[pair.new, 'row']}."
            line = f'Write successors = {{"{pair.old}" = "{pair.new}"}} in [schools].'
            row, name = int(table.at[pair.old, "row"]), table.at[pair.old, "name"]
            tray.add(what, line, row=row, urn=pair.old, name=name)
        else:
            text = f"{_named(table, pair.old)} and {pair.new} may be one school; both are kept."
            notes.append(("twin", text, (pair.old, pair.new)))
    _hint_at_successors(shaped, reason, notes)


def _by_hand(table, reason, decided, tables, tray, notes, replace) -> None:  # type: ignore[no-untyped-def]
    known = set(table.index).union(*(one.figures.index for one in tables))
    for old, new in decided.items():
        if new not in table.index or reason[new] != "":
            what = f"successors names {new}, which is not a mainstream school of this file."
            tray.add(what, did_you_mean(new, reason.index[reason == ""]), urn=old)
        elif old not in known or old == new:
            what = "successors names an old school that is in none of the files."
            tray.add(what, did_you_mean(old, known - {new}), urn=old)
        elif old not in table.index:
            older = {*table.at[new, "predecessors"].split(";"), old} - {""}
            table.at[new, "predecessors"] = ";".join(sorted(older))
            notes.append(("twin", f"{_named(table, new)} follows {old} (by hand).", (old, new)))
        else:
            replace(Pair(old, new, "by hand"), REPLACED)


def _hint_at_successors(shaped: Shaped, reason: pd.Series, notes: list[Note3]) -> None:
    table = shaped.table
    mainstream = table["type"].map({t: read_type(t)[1] for t in set(table["type"])}) == MAINSTREAM
    gone = reason.isin([CLOSED, NOT_LISTED]) & mainstream
    for pair in without_successor(table, reason, gone):
        pupils = table.at[pair.old, "pupils"]
        text = (
            f"{_named(table, pair.old)} is set aside as {reason[pair.old]} with {pupils:g} pupils; "
            f"{_named(table, pair.new)} stands at its place and may have taken them. If so, write "
            f'successors = {{"{pair.old}" = "{pair.new}"}} (empty figures are then taken over) '
            f"or give the new roll in [schools.fix.{pair.new}]."
        )
        notes.append(("possible successor", text, (pair.old, pair.new)))


def _named(table: pd.DataFrame, urn: str) -> str:
    return f"{table.at[urn, 'name']} ({urn})" if table.at[urn, "name"] else urn


def _tell_columns(frame: pd.DataFrame, notes: list[Note3]) -> None:
    lost = [column for column in ("type", "status", "phase") if column not in frame]
    lost = [column for column in lost if f"{column}_code" not in frame]
    if lost:
        text = f"The file has no column of {', '.join(lost)}; such rows are taken as they come."
        notes.append(("columns", text, ()))
    if "selective" not in frame:
        text = "The file has no admissions policy, so it is not known which schools are selective."
        notes.append(("columns", text, ()))


def _tell_sorting(shaped: Shaped, reason: pd.Series, notes: list[Note3]) -> None:
    kept = reason == ""
    for kind, text, index in shaped.sorted.unsure:
        some = [urn for urn in index if kept[urn] or kind == "type"]
        if some:
            notes.append((kind, f"{len(some)} rows: {text}.", tuple(some)))
    closing = shaped.table.index[kept & shaped.table["status"].str.contains("proposed to close")]
    if len(closing):
        text = f"{len(closing)} schools are open but proposed to close; they are kept."
        notes.append(("status", text, tuple(closing)))
    apart = disagreeing(shaped.places, kept)
    if len(apart):
        text = (
            f"{len(apart)} schools have a grid reference over 250 m from their latitude and "
            "longitude; the grid reference was used."
        )
        notes.append(("place", text, tuple(apart)))
    doubled = shaped.doubled[kept[shaped.doubled].to_numpy()]
    if len(doubled):
        text = (
            f"{len(doubled)} schools give the same places and roll for resourced provision and "
            "SEN unit; they were counted once. Give srp_places and srp_on_roll in fix if not so."
        )
        notes.append(("srp", text, tuple(doubled)))


def _tell_census(
    one: Census,
    joined: Joined,
    told: dict[str, tuple[int, int]],
    table: pd.DataFrame,
    wins: bool,
    notes: list[Note3],
) -> None:
    notes += [("census", f"{one.file}: {remark}.", ()) for remark in one.remarks]
    older = tuple(f"{new} from {'+'.join(old)}" for new, old in joined.by_older.items())
    text = (
        f"{one.file}: {len(joined.by_urn)} schools found by URN, {len(joined.by_laestab)} by "
        f"LAESTAB, {len(older)} by an older URN"
    )
    text += f" ({', '.join(older[:12])})" if older else ""
    notes.append(("census", f"{text}.", (*joined.by_laestab, *joined.by_older)))
    if joined.unmatched_schools:
        who = ", ".join(_named(table, urn) for urn in joined.unmatched_schools[:12])
        text = f"{one.file}: {len(joined.unmatched_schools)} schools are not in it: {who}."
        notes.append(("census", text, joined.unmatched_schools))
    if joined.unmatched_rows:
        who = ", ".join(
            f"{one.about.at[urn, 'name'] or one.about.at[urn, 'laestab']} ({urn}, row "
            f"{one.about.at[urn, 'row']})"
            for urn in joined.unmatched_rows[:12]
        )
        text = f"{one.file}: {len(joined.unmatched_rows)} rows belong to no school here: {who}."
        notes.append(("census", text, joined.unmatched_rows))
    filled = [f"{column} {count}" for column, (count, _) in told.items() if count]
    if filled:
        notes.append(("census", f"{one.file}: figures filled: {', '.join(filled)}.", ()))
    differ = [f"{column} {count}" for column, (_, count) in told.items() if count]
    if differ:
        kept = "the census was followed" if wins else "the schools file was followed"
        notes.append(
            ("census", f"{one.file}: figures that differ: {', '.join(differ)}; {kept}.", ())
        )


def _tell_figures(table: pd.DataFrame, present: set[str], notes: list[Note3]) -> None:
    absent = [column for column in FIGURES if column not in present]
    if absent:
        notes.append(("columns", f"No file has a column of {', '.join(absent)}.", ()))
    for column in ("pupils", "ehc_plans", "sen_support"):
        gone = table.index[table[column].isna()] if column in present else table.index[:0]
        if len(gone):
            notes.append(("missing", f"{len(gone)} schools have no {column}.", tuple(gone)))


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
    out = table.loc[reason != "", ["name", "easting", "northing", "row"]]
    out = out.assign(reason=reason, detail=detail).rename_axis("urn").reset_index()
    return out[["urn", "name", "reason", "detail", "easting", "northing", "row"]]


def _missing(
    table: pd.DataFrame, why: pd.DataFrame, raw: pd.DataFrame, present: set[str]
) -> pd.DataFrame:
    """List missing figures; outside the figures only a published symbol is worth a line."""
    rows = []
    for column in why.columns:
        if column not in table:
            continue
        gone = table[column].isna()
        if column not in FIGURES:
            gone &= raw[column] != ""
        elif column not in present:
            continue
        for urn in table.index[gone]:
            reason = why.at[urn, column] or "not in the file"
            rows.append((urn, column, reason, raw.at[urn, column]))
    out = pd.DataFrame(rows, columns=["urn", "column", "reason", "raw"], dtype=str)
    return out.sort_values(["urn", "column"], ignore_index=True)
