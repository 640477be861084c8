"""What the door for schools says about what it did: sentences a planner can act on."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from geo.census import Census, Joined
from geo.columns import FIGURES
from geo.places import disagreeing
from geo.shape import Shaped


@dataclass(frozen=True)
class Note:
    """One thing the door did or noticed: its kind, a plain sentence, the schools concerned."""

    kind: str
    text: str
    urns: tuple[str, ...] = ()


def named(table: pd.DataFrame, urn: str) -> str:
    """Return a school as a person would say it: its name and its URN."""
    return f"{table.at[urn, 'name']} ({urn})" if table.at[urn, "name"] else urn


def tell_columns(frame: pd.DataFrame, notes: list[Note]) -> None:
    """Say which columns the schools file lacks altogether."""
    lost = [column for column in ("type", "status", "phase") if column not in frame]
    lost = [column for column in lost if f"{column}_code" not in frame]
    if lost:
        text = f"The file has no column of {', '.join(lost)}; such rows are taken as they come."
        notes.append(Note("columns", text))
    if "selective" not in frame:
        text = "The file has no admissions policy, so it is not known which schools are selective."
        notes.append(Note("columns", text))


def tell_sorting(shaped: Shaped, reason: pd.Series, notes: list[Note]) -> None:
    """Say what was guessed of type, phase, place and SRP places; `reason` "" marks kept rows."""
    kept = reason == ""
    for kind, text, index in shaped.sorted.unsure:
        some = [urn for urn in index if kept[urn] or kind == "type"]
        if some:
            notes.append(Note(kind, f"{len(some)} rows: {text}.", tuple(some)))
    closing = shaped.table.index[kept & shaped.table["status"].str.contains("proposed to close")]
    if len(closing):
        text = f"{len(closing)} schools are open but proposed to close; they are kept."
        notes.append(Note("status", text, tuple(closing)))
    apart = disagreeing(shaped.places, kept)
    if len(apart):
        text = (
            f"{len(apart)} schools have a grid reference over 250 m from their latitude and "
            "longitude; the grid reference was used."
        )
        notes.append(Note("place", text, tuple(apart)))
    doubled = shaped.doubled[kept[shaped.doubled].to_numpy()]
    if len(doubled):
        text = (
            f"{len(doubled)} schools give the same places and roll for resourced provision and "
            "SEN unit; they were counted once. Give srp_places and srp_on_roll in fix if not so."
        )
        notes.append(Note("srp", text, tuple(doubled)))


def tell_census(
    one: Census,
    joined: Joined,
    told: dict[str, tuple[int, int]],
    table: pd.DataFrame,
    wins: bool,
    notes: list[Note],
) -> None:
    """Say by which key a census table was joined, what it filled, and who was left over."""
    notes += [Note("census", f"{one.file}: {remark}.") for remark in one.remarks]
    older = tuple(f"{new} from {'+'.join(old)}" for new, old in joined.by_older.items())
    text = (
        f"{one.file}: {len(joined.by_urn)} schools found by URN, {len(joined.by_laestab)} by "
        f"LAESTAB, {len(older)} by an older URN"
    )
    text += f" ({', '.join(older[:12])})" if older else ""
    notes.append(Note("census", f"{text}.", (*joined.by_laestab, *joined.by_older)))
    if joined.unmatched_schools:
        who = ", ".join(named(table, urn) for urn in joined.unmatched_schools[:12])
        text = f"{one.file}: {len(joined.unmatched_schools)} schools are not in it: {who}."
        notes.append(Note("census", text, joined.unmatched_schools))
    if joined.unmatched_rows:
        who = ", ".join(
            f"{one.about.at[urn, 'name'] or one.about.at[urn, 'laestab']} ({urn}, row "
            f"{one.about.at[urn, 'row']})"
            for urn in joined.unmatched_rows[:12]
        )
        text = f"{one.file}: {len(joined.unmatched_rows)} rows belong to no school here: {who}."
        notes.append(Note("census", text, joined.unmatched_rows))
    filled = [f"{column} {count}" for column, (count, _) in told.items() if count]
    if filled:
        notes.append(Note("census", f"{one.file}: figures filled: {', '.join(filled)}."))
    differ = [f"{column} {count}" for column, (_, count) in told.items() if count]
    if differ:
        kept = "the census was followed" if wins else "the schools file was followed"
        text = f"{one.file}: figures that differ: {', '.join(differ)}; {kept}."
        notes.append(Note("census", text))


def tell_figures(table: pd.DataFrame, present: set[str], notes: list[Note]) -> None:
    """Say which figures no file has and how many schools lack one; `present` are columns."""
    absent = [column for column in FIGURES if column not in present]
    if absent:
        notes.append(Note("columns", f"No file has a column of {', '.join(absent)}."))
    for column in ("pupils", "ehc_plans", "sen_support"):
        gone = table.index[table[column].isna()] if column in present else table.index[:0]
        if len(gone):
            notes.append(Note("missing", f"{len(gone)} schools have no {column}.", tuple(gone)))
