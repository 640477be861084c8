"""Row by row: what is wrong with a school that would be kept, and what is merely odd."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from geo.columns import FIGURES, NUMBERS, TABLE, clean_urns
from geo.errors import Faults, did_you_mean
from geo.places import REMEDY, strangers
from geo.shape import Shaped
from geo.telling import Note

_COUNTS = (*FIGURES, "srp_places", "srp_on_roll")
_MENDABLE = (set(TABLE) | {"latitude", "longitude"}) - {"row"}
_WORDS = {
    "selective": "Selective, Non-selective or Not recorded",
    "nursery": "yes, no, or the words of GIAS",
    "sixth_form": "yes, no, or the words of GIAS",
    "sex": "Mixed, Boys or Girls",
    "srp_kind": "Resourced provision, SEN unit, or Resourced provision and SEN unit",
}


def keep_areas(
    frame: pd.DataFrame, la: tuple[str, ...], tray: Faults, notes: list[Note]
) -> pd.DataFrame:
    """Keep the rows of the local authorities asked for, by code or name; say how many went."""
    if not la:
        return frame
    empty = pd.Series("", index=frame.index, dtype=str)
    code, name = frame.get("la_code", empty), frame.get("la", empty).str.lower()
    from_laestab = frame.get("laestab", empty).str.replace(r"\D", "", regex=True).str[:3]
    code = code.where(code != "", from_laestab)
    keep = pd.Series(False, index=frame.index)
    for one in la:
        hit = (code == one.strip()) | (name == one.strip().lower())
        if not hit.any():
            known = (set(frame.get("la", empty)) | set(code)) - {""}
            tray.add(
                f'No school of the local authority "{one}" is in the file.',
                did_you_mean(one, known) or f"The file holds: {', '.join(sorted(known)[:8])}.",
            )
        keep |= hit
    if not keep.all():
        notes.append(Note("la", f"{(~keep).sum()} rows of other local authorities were not read."))
    return frame[keep]


def key_by_urn(frame: pd.DataFrame, tray: Faults, notes: list[Note]) -> pd.DataFrame:
    """Make the URN the index, sorted; identical rows are read once, conflicting ones are faults."""
    frame = frame.copy()
    frame["urn"] = clean_urns(frame["urn"])
    names = frame.get("name", pd.Series("", index=frame.index, dtype=str))
    sound = frame["urn"].str.fullmatch(r"[0-9]{5,7}").astype(bool)
    for row in frame.index[~sound]:
        shown = frame.at[row, "urn"][:20]
        what = f'"{shown}" is not a URN.' if shown else "This row has no URN."
        tray.add(
            what,
            "A URN has 6 digits; look it up on Get Information about Schools, or delete the row "
            "if it is a total or a footnote.",
            row=int(row),
            name=names[row],
        )
    frame = frame[sound]
    same = frame.duplicated()
    if same.any():
        urns = tuple(sorted(set(frame["urn"][same])))
        text = f"{same.sum()} rows stand twice, word for word, and were read once."
        notes.append(Note("duplicate", text, urns))
    frame = frame[~same]
    twice = frame["urn"].duplicated(keep=False)
    for urn, group in frame[twice].groupby("urn"):
        differ = [str(column) for column in group.columns if group[column].nunique() > 1]
        rows = " and ".join(str(row) for row in group.index)
        tray.add(
            f"The URN stands on rows {rows} with different {', '.join(differ[:4])}.",
            "Delete the wrong row.",
            row=int(group.index[0]),
            urn=str(urn),
            name=names[group.index[0]],
        )
    frame = frame[~frame["urn"].duplicated()]
    frame.insert(0, "row", frame.index)
    return frame.set_index("urn").sort_index()


def mend(
    frame: pd.DataFrame,
    fix: Mapping[str, Mapping[str, object]],
    tray: Faults,
    notes: list[Note],
) -> tuple[pd.DataFrame, set[tuple[str, str]]]:
    """Override cells on record; return the mended frame and the (urn, column) pairs touched."""
    frame = frame.copy()
    touched: set[tuple[str, str]] = set()
    for urn, cells in fix.items():
        urn = str(urn)
        if urn not in frame.index:
            tray.add(
                "fix names a school that is not in the file.",
                did_you_mean(urn, frame.index) or "Check its URN.",
                urn=urn,
            )
            continue
        told = []
        for column, value in cells.items():
            if column not in _MENDABLE:
                tray.add(
                    f'fix names a column "{column}" that does not exist.',
                    did_you_mean(column, _MENDABLE) or f"Known: {', '.join(sorted(_MENDABLE))}.",
                    urn=urn,
                    name=frame.get("name", pd.Series("", frame.index))[urn],
                )
                continue
            if column not in frame:
                frame[column] = ""
            text = "" if value is None else str(value).strip()
            told.append(f'{column} "{frame.at[urn, column]}" became "{text}"')
            frame.at[urn, column] = text
            touched.add((urn, column))
        if {"latitude", "longitude"} & set(cells) and not {"easting", "northing"} & set(cells):
            for column in {"easting", "northing"} & set(frame.columns):
                frame.at[urn, column] = ""
        if told:
            notes.append(Note("fix", f"Mended on record: {'; '.join(told)}.", (urn,)))
    return frame, touched


def check_cells(shaped: Shaped, kept: pd.Series, headings: Mapping[str, str], tray: Faults) -> None:
    """Put on the tray every cell of a kept school that cannot be right."""
    table, some = shaped.table, kept.index[kept]

    def fault(urn: str, what: str, fix: str) -> None:
        row, name = int(table.at[urn, "row"]), table.at[urn, "name"]
        tray.add(what, fix, row=row, urn=urn, name=name)

    for column in NUMBERS:
        heading = headings.get(column, column)
        bad = shaped.unreadable.loc[some, column]
        if column in ("latitude", "longitude"):  # of no matter where metres are given
            bad &= table.loc[some, "easting"].isna()
        for urn in some[bad.to_numpy()]:
            shown = shaped.raw.at[urn, column][:30]
            what = f'"{shown}" in column "{heading}" is neither a number nor a known symbol.'
            fault(urn, what, f"Correct the cell, or give it in [schools.fix.{urn}].")
    for column in _COUNTS:
        heading = headings.get(column, column)
        count = table.loc[some, column]
        for urn in some[((count < 0) | (count % 1 > 0)).to_numpy()]:
            what = f'{count[urn]:g} in column "{heading}" is not a count of pupils or places.'
            fault(urn, what, f"Correct the cell, or give it in [schools.fix.{urn}].")
    for column, urns in shaped.words:
        heading = headings.get(column, column)
        for urn in urns.intersection(some):
            fault(
                urn,
                f'The word in column "{heading}" is not one we know.',
                f"Use {_WORDS[column]}.",
            )
    low, high = table.loc[some, "low_age"], table.loc[some, "high_age"]
    wrong = (low > high) | (low < 0) | (high > 99)
    for urn in some[wrong.to_numpy()]:
        fault(
            urn,
            f"The ages {low[urn]:g} to {high[urn]:g} cannot be right.",
            f"Give low_age and high_age in [schools.fix.{urn}].",
        )
    for urn in some[(table.loc[some, "phase"] == "").to_numpy()]:
        fault(
            urn,
            "Its phase is missing and can be told neither from its type nor its ages.",
            f'Write for example phase = "Primary" in [schools.fix.{urn}], or leave it out with '
            "exclude.",
        )


def check_places(shaped: Shaped, kept: pd.Series, tray: Faults, notes: list[Note]) -> None:
    """Put on the tray every kept school without a believable place; a whole column once."""
    table = shaped.table
    problem = shaped.places.problem[kept & table["easting"].isna()]
    for what, group in problem.groupby(problem):
        many = len(group) > 5 and len(group) >= 0.9 * int(kept.sum())
        for urn in group.index[: 1 if many else None]:
            more = f" So have {len(group) - 1} other schools." if many else ""
            row, name = int(table.at[urn, "row"]), table.at[urn, "name"]
            tray.add(f"{what}{more}", REMEDY.format(urn=urn), row=row, urn=urn, name=name)
    far, turned = strangers(table, kept)
    for urn in turned:
        row, name = int(table.at[urn, "row"]), table.at[urn, "name"]
        what = "Easting and northing seem to be in each other's columns."
        tray.add(what, REMEDY.format(urn=urn), row=row, urn=urn, name=name)
    if len(far):
        text = f"{len(far)} schools stand over 100 km from the middle of their local authority."
        notes.append(Note("place", text, tuple(far)))


def odd_figures(table: pd.DataFrame, notes: list[Note]) -> None:
    """Note kept schools whose figures are possible but unlikely."""
    pupils = table["pupils"]
    more_sen = table["sen_support"] + table["ehc_plans"] > pupils
    cases = [
        (pupils == 0, "have a roll of 0."),
        (more_sen, "have more pupils with SEN support or an EHC plan than pupils."),
        (table["fsm6"] > pupils, "have more FSM6 pupils than pupils."),
        (table["srp_on_roll"] > pupils, "have more pupils in their SRP than pupils."),
        (table["name"] == "", "have no name."),
    ]
    for odd, text in cases:
        if odd.any():
            notes.append(Note("figures", f"{odd.sum()} schools {text}", tuple(table.index[odd])))
