"""DfE census and SEN tables joined to the schools: by URN, by LAESTAB, by an older URN."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from geo.columns import FIGURES, clean_urns, is_known, laestabs, recognise
from geo.errors import Faults, SchoolsError, short_path
from geo.sheets import read_sheet
from geo.symbols import parse_numbers

Used = dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class Census:
    """One table of figures per school.

    `figures` float, index urn (str, unique), columns a part of FIGURES, NaN where missing; `why`
    and `raw` str, same shape; `about` str columns laestab, la_code, name and int row; `remarks`
    plain sentences on what was left out.
    """

    file: str
    figures: pd.DataFrame
    why: pd.DataFrame
    raw: pd.DataFrame
    about: pd.DataFrame
    remarks: tuple[str, ...]


def read_census(path: Path | str) -> Census:
    """Read a DfE census, SEN or pupils table (CSV, gzip or Excel) with a URN column.

    Rows that are not schools (national totals) and years before the newest are left out and said.
    Raises SchoolsError for two different rows of one URN or a cell that is no number or symbol.
    """
    path = Path(path)
    tray = Faults(SchoolsError, short_path(path))
    frame, headings = recognise(read_sheet(path, wanted=is_known))
    columns = [column for column in FIGURES if column in frame]
    if not columns:
        tray.add(
            "No column of pupils, EHC plans, SEN support or FSM was found.",
            "Wanted are for example NOR, TSENELSE, TSENELK, NUMFSMEVER.",
        )
    tray.raise_if_any()
    frame["urn"] = clean_urns(frame["urn"])
    frame, remarks = _schools_only(frame)
    same = frame.duplicated()
    if same.any():
        remarks.append(f"{same.sum()} rows stand twice, word for word, and were read once")
        frame = frame[~same]
    for row, urn in frame["urn"][frame["urn"].duplicated(keep="first")].items():
        tray.add("This URN stands on two different rows.", "Delete one.", row=int(row), urn=urn)
    about = pd.DataFrame({"laestab": laestabs(frame)}, index=frame.index)
    for column in ("la_code", "name"):
        about[column] = frame.get(column, pd.Series("", index=frame.index, dtype=str))
    about["row"] = frame.index
    figures, why = pd.DataFrame(index=frame.index), pd.DataFrame(index=frame.index)
    for column in columns:
        parsed = parse_numbers(frame[column])
        odd = (parsed.values < 0) | (parsed.values % 1 > 0)
        for row in frame.index[parsed.unreadable | odd][:50]:
            tray.add(
                f'"{frame.at[row, column][:30]}" in column "{headings[column]}" '
                "is neither a whole number nor a known symbol.",
                "Correct the cell.",
                row=int(row),
                urn=frame.at[row, "urn"],
            )
        figures[column], why[column] = parsed.values, parsed.reason
    tray.raise_if_any()
    urns = frame["urn"].to_numpy()
    return Census(
        short_path(path),
        figures.set_axis(urns),
        why.set_axis(urns),
        frame[columns].set_axis(urns),
        about.set_axis(urns),
        tuple(remarks),
    )


def _schools_only(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    remarks = []
    school = frame["urn"].str.fullmatch(r"[0-9]{5,7}").astype(bool)
    if "level" in frame:
        school &= frame["level"].str.lower().isin(["school", ""])
    if not school.all():
        remarks.append(f"{(~school).sum()} rows that are not schools (no URN) were left out")
        frame = frame[school]
    if "time_period" in frame and frame["time_period"].nunique() > 1:
        newest = frame["time_period"].max()
        remarks.append(f"only the newest period, {newest}, was read")
        frame = frame[frame["time_period"] == newest]
    return frame, remarks


@dataclass(frozen=True)
class Joined:
    """What a join did: per kept school the census URNs used; by which key; and who was left."""

    by_urn: Used
    by_laestab: Used
    by_older: Used
    unmatched_schools: tuple[str, ...]
    unmatched_rows: tuple[str, ...]


def match(census: Census, kept: pd.DataFrame, everyone: pd.Index) -> Joined:
    """Find the census rows of every kept school; a row is never used for two schools.

    `kept` has laestab, la_code and predecessors; `everyone` all URNs of the schools file, so that
    rows of schools set aside are not called unmatched.
    """
    rows = census.figures.index
    by_urn: Used = {str(urn): (str(urn),) for urn in kept.index.intersection(rows)}
    free = census.about.drop(index=list(by_urn))
    left = kept.drop(index=list(by_urn))
    codes = free["laestab"][(free["laestab"] != "") & ~free["laestab"].duplicated(keep=False)]
    urn_of = dict(zip(codes, codes.index, strict=True))
    own = left["laestab"][(left["laestab"] != "") & ~left["laestab"].duplicated(keep=False)]
    by_laestab: Used = {str(urn): (urn_of[code],) for urn, code in own.items() if code in urn_of}
    left = left.drop(index=list(by_laestab))
    free = free.drop(index=[row for used in by_laestab.values() for row in used])
    wanted: dict[str, list[str]] = {}
    for urn, text in left["predecessors"].items():
        for old in text.split(";"):
            if old in free.index:
                wanted.setdefault(old, []).append(str(urn))
    by_older: Used = {}
    for old, claims in wanted.items():
        if len(claims) == 1:  # two claims: a split, whose pupils cannot be shared out
            by_older[claims[0]] = (*by_older.get(claims[0], ()), old)
    used = {
        row for part in (by_urn, by_laestab, by_older) for rows in part.values() for row in rows
    }
    here = census.about["la_code"].isin(set(kept["la_code"]) - {""})
    lost = census.about.index[here & ~census.about.index.isin(used)].difference(everyone)
    return Joined(
        by_urn, by_laestab, by_older, tuple(left.index.difference(list(by_older))), tuple(lost)
    )


def pour(
    census: Census,
    joined: Joined,
    table: pd.DataFrame,
    why: pd.DataFrame,
    raw: pd.DataFrame,
    wins: bool,
    fixed: set[tuple[str, str]],
) -> dict[str, tuple[int, int]]:
    """Write census figures into `table` in place; return per column (cells filled, differing).

    Only empty cells are filled unless `wins`; cells mended on record are never touched. Two older
    schools that became one are added up, and only if neither figure is missing.
    """
    told: dict[str, tuple[int, int]] = {}
    sources = {**joined.by_urn, **joined.by_laestab, **joined.by_older}
    if not sources:
        return told
    single = {urn: rows[0] for urn, rows in sources.items() if len(rows) == 1}
    several = {urn: rows for urn, rows in sources.items() if len(rows) > 1}
    target = pd.Index([*single, *several])
    for column in census.figures.columns:
        values = census.figures[column]
        new = pd.Series(
            [values[row] for row in single.values()]
            + [values[list(rows)].sum(skipna=False) for rows in several.values()],
            index=target,
            dtype=float,
        )
        reasons = pd.Series(
            [census.why.at[rows[0], column] for rows in sources.values()], index=pd.Index(sources)
        )
        raws = pd.Series(
            [census.raw.at[rows[0], column] for rows in sources.values()], index=pd.Index(sources)
        )
        mine = table.loc[target, column]
        open_ = pd.Series([(urn, column) not in fixed for urn in target], index=target)
        write = open_ & new.notna() & (mine.isna() | wins)
        differ = int((mine.notna() & new.notna() & ~np.isclose(mine, new)).sum())
        table.loc[target[write], column] = new[write]
        why.loc[target[write], column] = ""
        silent = target[mine.isna() & new.isna()]
        why.loc[silent, column] = reasons[silent]
        raw.loc[silent, column] = raws[silent]
        told[column] = (int((write & mine.isna()).sum()), differ)
    return told
