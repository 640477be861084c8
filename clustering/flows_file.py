"""Reads a sheet of flows as councils have it: one row a pair and year, or a matrix of schools.

The sheet comes as text cells (`geo.sheets.read_sheet`, which has already refused files on pupils).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from clustering.feeders import ELSEWHERE, Feeders, FlowsError, flow_table, some_schools
from clustering.flows_shapes import code, flow_rows
from geo.errors import Faults, did_you_mean

YEARS = 3
"""Flows are the mean of this many of the latest years of the file."""
SUPPRESSED = 2.5
"""Pupils a suppressed cell stands for: half-way between 1 and 4."""
KINDS = {
    "actual": "counted by the council",
    "offer": "as offered on offer day",
    "named_feeder": "of feeder schools named in admission arrangements",
    "estimated": "estimated, not counted",
}
"""Kinds of flow, the best first; of one school only its best kind counts."""
_HIDDEN = re.compile(r"c|k|low|supp|suppressed|[*~#]|[<≤]=?\s*\d+|1\s*(-|–|to)\s*4", re.IGNORECASE)
_COUNT = re.compile(r"\d{1,3}(,\d{3})+(\.\d*)?|\d+(\.\d*)?|\.\d+")
_FIRST_YEAR = re.compile(r"\s*(?P<year>(?:19|20)\d{2})(?:\.0+|\s*[/–-]?\s*(?:20)?\d{2})?\s*")
_LISTED = 10


def read_flows(
    sheet: pd.DataFrame,
    schools: pd.DataFrame,
    *,
    file: str,
    suppressed: float = SUPPRESSED,
    replaced: Mapping[str, str] | None = None,
) -> Feeders:
    """Read text cells (index: line of the file) as flows between the schools of the study.

    Long: columns `from_urn, to_urn, pupils` and, if wanted, `year, kind, source`. Wide: the first
    column names the school left, each heading the school joined, a blank cell is no pupil. Schools
    are named by URN or LAESTAB (`8862345`, `886/2345`), or by either followed by a name; `replaced`
    maps URNs of closed schools to their successors; `OUT, IND, SPEC, UNK` are no school.

    A suppressed cell (`c`, `<5`, `*`) counts as `suppressed` pupils. A flow is the mean over those
    of the latest `YEARS` years of the file in which the first school reports anything; a pair that
    is absent in such a year is a 0 of that year. Of each school only its best kind counts
    (`KINDS`). Flows to a school outside the study count as elsewhere; flows from one are left out;
    a move from a school to itself is no move. Raises `FlowsError` with every fault.
    """
    tray = Faults(FlowsError, file)
    notes: list[str] = []
    rows = flow_rows(sheet, tray, notes)
    tray.raise_if_any()
    _ends(rows, schools, _Codes.of(schools, replaced or {}), tray)
    rows["pupils"] = _counts(rows, suppressed, tray, notes)
    rows["year"] = _years(rows, tray)
    rows["kind"] = _kinds(rows, tray)
    if rows["pupils"].eq(0).all():
        tray.add("every flow is 0, so nobody was counted.", "Leave out [feeders] file.")
    _repeated(rows, tray)
    _strangers(rows, schools, tray, notes)
    tray.raise_if_any()
    rows = rows[rows["from_urn"].isin(schools.index)]
    rows = _best_kind(_recent(rows, notes), notes)
    flows = _mean(rows)
    unknown = flows.loc[flows["to_urn"] == "UNK", "pupils"].sum()
    if unknown:
        notes.append(
            f"{unknown:,.0f} leavers a year go to an unknown school (UNK): they count neither as "
            "kept nor as split, so the shares kept are of those whose next school is known."
        )
    inside = flows["to_urn"].isin(schools.index)
    return Feeders(
        flow_table(flows[inside]), flow_table(flows[~inside]), _source(rows), tuple(notes)
    )


# -- cells ---------------------------------------------------------------------------------------


def _counts(rows: pd.DataFrame, suppressed: float, tray: Faults, notes: list[str]) -> pd.Series:
    raw = rows["raw"].str.strip()
    hidden = raw.str.fullmatch(_HIDDEN)
    number = raw.str.fullmatch(_COUNT)
    for at in rows.index[~hidden & ~number]:
        _fault(
            tray,
            rows,
            at,
            f'the number of pupils is "{raw[at]}", which is no count.',
            'Give a number, or "c" for a suppressed count; leave out a row nobody counted.',
        )
    if hidden.any():
        notes.append(
            f"{int(hidden.sum()):,} suppressed flows (1 to 4 pupils) are counted as "
            f"{suppressed:g} pupils each."
        )
    pupils = pd.to_numeric(raw.where(number).str.replace(",", ""), errors="coerce")
    return pupils.mask(hidden, suppressed).astype(float)


def _years(rows: pd.DataFrame, tray: Faults) -> pd.Series:
    """Return the calendar year a flow begins in; 0 throughout where the file names no years."""
    when = rows["when"].str.strip()
    if (when == "").all():
        return pd.Series(0, index=rows.index)
    year = when.str.extract(f"^{_FIRST_YEAR.pattern}$")["year"]
    for at in rows.index[year.isna()]:
        what = f'the year is "{when[at]}".' if when[at] else "the year is missing."
        _fault(tray, rows, at, what, 'Give it as 2025 or "2025/26".')
    return year.fillna("0").astype(int)


def _kinds(rows: pd.DataFrame, tray: Faults) -> pd.Series:
    kind = rows["sort"].str.strip().str.lower().str.replace(" ", "_").replace({"": "actual"})
    for at in rows.index[~kind.isin(list(KINDS))]:
        hint = did_you_mean(kind[at], KINDS) or f"Kinds: {', '.join(KINDS)}."
        _fault(tray, rows, at, f'the kind is "{rows.at[at, "sort"]}".', hint)
    return kind


def _fault(tray: Faults, rows: pd.DataFrame, at: object, what: str, fix: str) -> None:
    """Put a fault on the tray with the row and the school that is left."""
    left = str(rows.at[at, "left"])
    name = str(rows.at[at, "name"])
    tray.add(what, fix, row=int(rows.at[at, "row"]), urn=code(left) or left, name=name)


# -- schools -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Codes:
    """Every name of a school of the study that a file may use, with its URN."""

    urns: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, schools: pd.DataFrame, replaced: Mapping[str, str]) -> _Codes:
        keys = {old: new for old, new in replaced.items() if new in schools.index}
        if "laestab" in schools:
            keys |= {str(code): str(urn) for urn, code in schools["laestab"].items() if code}
        return cls(keys | {str(urn): str(urn) for urn in schools.index})

    def read(self, cell: str) -> str:
        """Return the URN of the study's school, another code as it stands, or "" if it is none."""
        text = cell.strip()
        if text.upper() in ELSEWHERE:
            return text.upper()
        found = code(text)
        return self.urns.get(text) or self.urns.get(found) or found


def _ends(rows: pd.DataFrame, schools: pd.DataFrame, codes: _Codes, tray: Faults) -> None:
    known = {cell: codes.read(cell) for cell in {*rows["left"], *rows["joined"]}}
    rows["from_urn"] = rows["left"].map(known)
    rows["to_urn"] = rows["joined"].map(known)
    rows["name"] = rows["from_urn"].map(schools["name"]).fillna("")
    lost = (rows["from_urn"] == "") | rows["from_urn"].isin(ELSEWHERE)
    for at in rows.index[lost].unique():
        _fault(tray, rows, at, "the school that is left has no URN.", "Give its URN or LAESTAB.")
    for at in rows.index[rows["to_urn"] == ""]:
        joined = str(rows.at[at, "joined"])
        hint = did_you_mean(joined.upper(), ELSEWHERE) or (
            "Give a URN or LAESTAB, or OUT (another council), IND (independent), SPEC (special), "
            "UNK (unknown)."
        )
        _fault(tray, rows, at, f'the school that is joined is "{joined}".', hint)


def _repeated(rows: pd.DataFrame, tray: Faults) -> None:
    """Refuse a pair that stands twice; two old schools that became one are added up instead."""
    key = ["left", "joined", "year", "kind"]
    for at in rows.index[rows.duplicated(key)]:
        _fault(
            tray,
            rows,
            at,
            f"the flow to {rows.at[at, 'joined']} stands twice for the same year and kind.",
            "Keep one row, or add them up.",
        )


def _strangers(rows: pd.DataFrame, schools: pd.DataFrame, tray: Faults, notes: list[str]) -> None:
    left = sorted(set(rows["from_urn"]) - set(schools.index) - {*ELSEWHERE, ""})
    if left and not rows["from_urn"].isin(schools.index).any():
        tray.add("no flow starts at a school of this study.", "Is it the file of another council?")
    elif left:
        notes.append(
            f"Flows from {some_schools(len(left))} not in the study are left out: {_some(left)}."
        )
    ours = rows[rows["from_urn"].isin(schools.index)]
    joined = sorted(set(ours["to_urn"]) - set(schools.index) - {*ELSEWHERE, ""})
    if joined:
        notes.append(
            f"Flows to {some_schools(len(joined))} not in the study count as leavers to "
            f"elsewhere: {_some(joined)}."
        )


def _some(urns: list[str]) -> str:
    more = len(urns) - _LISTED
    return ", ".join(urns[:_LISTED]) + (f" and {more} more" if more > 0 else "")


# -- years and kinds -----------------------------------------------------------------------------


def _recent(rows: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    latest = sorted(set(rows["year"]))[-YEARS:]
    recent = rows[rows["year"].isin(latest)]
    old = sorted(set(rows["from_urn"]) - set(recent["from_urn"]))
    if old:
        notes.append(
            f"Without a flow in {latest[0]} or later, and so not used: {some_schools(len(old))}: "
            f"{_some(old)}."
        )
    return recent


def _best_kind(rows: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    rank = rows["kind"].map({kind: k for k, kind in enumerate(KINDS)})
    best = rank == rank.groupby(rows["from_urn"]).transform("min")
    mixed = rows.loc[~best, "from_urn"].nunique()
    if mixed:
        notes.append(
            f"Flows of several kinds are given for {some_schools(mixed)}; only the best "
            f"counts (in the order {', '.join(KINDS)})."
        )
    return rows[best]


def _mean(rows: pd.DataFrame) -> pd.DataFrame:
    reported = rows.groupby("from_urn")["year"].nunique()
    total = rows.groupby(["from_urn", "to_urn"], as_index=False).agg(
        pupils=("pupils", "sum"), kind=("kind", "first")
    )
    total["pupils"] = (total["pupils"] / total["from_urn"].map(reported)).round(2)
    total["estimated"] = total["kind"] == "estimated"
    return total[total["from_urn"] != total["to_urn"]]


def _source(rows: pd.DataFrame) -> str:
    kinds = [words for kind, words in KINDS.items() if (rows["kind"] == kind).any()]
    years = sorted(set(rows["year"]) - {0})
    if not years:
        return f"feeder flows {' and '.join(kinds)}"
    span = f"{years[0]}" if len(years) == 1 else f"mean of {years[0]} to {years[-1]}"
    return f"feeder flows {' and '.join(kinds)}, {span}"
