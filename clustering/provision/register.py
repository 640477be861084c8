"""The register of provisions: the council's list, the schools' record and the census as one table.

The council's list goes before the record (GIAS), and the record before the census. Where they
disagree, nothing is mended in silence: every difference is a row of `disagreements`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from clustering.provision.settings import AGES, KINDS, NEED_TYPES
from geo.errors import InputError

COLUMNS = (
    *("urn", "name", "kind", "need_types", "low_age", "high_age", "places", "on_roll", "sex"),
    *("selective", "faith", "opened", "closes", "easting", "northing", "area", "source"),
)
COUNCIL, RECORD, CENSUS = "council", "record", "census"
SOURCES = {
    COUNCIL: "the council's list",
    RECORD: "the schools' record",
    CENSUS: "the school census",
}
COMPARED = {"kind": "kind", "need_types": "need types", "places": "places", "on_roll": "on roll"}
NO_WORD = "–"
LISTED = 8
"""So many provisions are named in one note."""


class ProvisionError(InputError):
    """A list of provisions, of demand or a scenario cannot be used as it stands."""


@dataclass(frozen=True, eq=False)
class Register:
    """The provisions of a council.

    `table` index provision (the URN, or `URN/2` for a second provision of a school); columns urn,
    name, kind (`KINDS`), need_types (codes with `;` between, "" = not known), low_age, high_age (up
    to but not with), places and on_roll (NaN = not known), sex, selective, faith, opened, closes
    (`2026-09-01`, "" = none), easting, northing (EPSG:27700), area ("" = outside) and source.
    `disagreements` columns urn, name, what, council, record, census, used.
    """

    table: pd.DataFrame
    disagreements: pd.DataFrame
    notes: tuple[str, ...] = ()

    def open_in(self, year: int) -> Register:
        """Return the register of the provisions that are open in September of a year."""
        return Register(self.table[open_in(self.table, year)], self.disagreements, self.notes)


def open_in(table: pd.DataFrame, year: int) -> pd.Series:
    """Say which provisions are open in September of a year: from its first day, or opened in it."""
    opened = pd.Series([opens_by(day, year) for day in table["opened"]], table.index, dtype=bool)
    return opened & ((table["closes"] == "") | (table["closes"] > f"{year}-09-01"))


def opens_by(opened: str, year: int) -> bool:
    """Say whether a day of opening ("" = long ago) is not after September of a year.

    Many schools open on the first day of term, some days into September.
    """
    return opened <= f"{year}-09-30"


def types_of(text: str) -> tuple[str, ...]:
    """Return the need types of a provision."""
    return tuple(filter(None, text.split(";")))


def for_type(table: pd.DataFrame, code: str) -> pd.Series:
    """Say which provisions are for a need type."""
    found = [code in types_of(text) for text in table["need_types"]]
    return pd.Series(found, index=table.index, dtype=bool)


def joined(codes: Iterable[str]) -> str:
    """Return need types as the register writes them: in the census's order, each once."""
    found = set(codes)
    return ";".join(code for code in NEED_TYPES if code in found)


def serves(table: pd.DataFrame, phase: str) -> pd.Series:
    """Say which provisions take children of a phase: at least one of its year groups."""
    return years_of(table, phase) > 0


def takes_age(table: pd.DataFrame, age: int) -> pd.Series:
    """Say which provisions take children of an age at the start of the school year."""
    return (table["low_age"] <= age) & (age < table["high_age"])


def years_of(table: pd.DataFrame, phase: str) -> pd.Series:
    """Return how many year groups of a phase each provision takes."""
    low, high = AGES[phase]
    return (table["high_age"].clip(upper=high) - table["low_age"].clip(lower=low)).clip(lower=0)


def years_taken(base: pd.Series, phase: str) -> float:
    """Return how many year groups of a phase one provision takes."""
    low, high = AGES[phase]
    return max(min(float(base["high_age"]), high) - max(float(base["low_age"]), low), 0.0)


def reconcile(
    council: pd.DataFrame | None,
    record: pd.DataFrame,
    census: pd.DataFrame | None,
    *,
    count_unlisted: bool,
) -> Register:
    """Join the sources into one register; each is a table in `COLUMNS`, index provision.

    With a council's list, what it does not have is left out unless `count_unlisted`; special
    schools and alternative provision of the record always count, as councils list them elsewhere.
    Without a list the record counts, and what only the census has is told, not counted: a flag is
    no provision with places. A record without a single SRP says nothing of SRPs: it disagrees with
    nobody.
    """
    empty = record.iloc[:0]
    listed = empty if council is None else council
    flagged = empty if census is None else census
    ours = record["kind"].isin(["special", "alternative"])
    silent = bool(ours.all())
    more = ours | (council is None) | count_unlisted
    kept = record[more & ~record["urn"].isin(listed["urn"])]
    parts = [part for part in (listed, kept) if len(part)]
    table = pd.concat(parts).sort_index() if parts else empty
    rows = [
        row
        for urn in sorted({*listed["urn"], *record["urn"], *flagged["urn"]})
        for row in _differences(urn, council, None if silent else record, census, table)
    ]
    differences = pd.DataFrame(rows, columns=["urn", "name", "what", *SOURCES, "used"])
    return Register(table[list(COLUMNS)], differences, _notes(table, differences))


def _differences(
    urn: str,
    council: pd.DataFrame | None,
    record: pd.DataFrame | None,
    census: pd.DataFrame | None,
    table: pd.DataFrame,
) -> Iterable[tuple[str, ...]]:
    """Yield what the sources say differently of the provisions of one school."""
    known = {COUNCIL: council, RECORD: record, CENSUS: census}
    at = {s: t[t["urn"] == urn] for s, t in known.items() if t is not None}
    used = table[table["urn"] == urn]
    named = [str(t["name"].iloc[0]) for t in at.values() if len(t)]
    if not named:
        return
    name = named[0]
    if all(set(t["kind"]) <= {"special", "alternative"} for t in at.values()):
        # The council's list may leave these to another list, and the census flags SRPs only.
        at = {s: t for s, t in at.items() if len(t) and s != CENSUS}
    there = {s: bool(len(t)) for s, t in at.items()}
    if len(set(there.values())) > 1:
        words = {s: "listed" if there[s] else "not listed" for s in at}
        yield (urn, name, "listed", *_cells(words), "counted" if len(used) else "left out")
    for column, what in COMPARED.items():
        told = {s: _told(t, column) for s, t in at.items() if len(t)}
        told = {s: cell for s, cell in told.items() if cell}
        if len(set(told.values())) > 1:
            yield (urn, name, what, *_cells(told), _told(used, column) or NO_WORD)


def _cells(told: dict[str, str]) -> tuple[str, ...]:
    return tuple(told.get(source, NO_WORD) for source in SOURCES)


def _told(rows: pd.DataFrame, column: str) -> str:
    """Return what a source says of a school's provisions together; "" where it does not say."""
    if rows.empty:
        return ""
    if column == "kind":
        return ", ".join(sorted({KINDS[kind] for kind in rows[column]}))
    if column == "need_types":
        return joined(code for text in rows[column] for code in types_of(text))
    total = rows[column].sum(min_count=len(rows))
    return "" if total != total else f"{total:g}"


def named(provisions: pd.DataFrame) -> str:
    """Return the names of provisions with their URNs, the first of many."""
    told = [f"{n} ({u})" for n, u in zip(provisions["name"], provisions["urn"], strict=True)]
    more = f" and {len(told) - LISTED} more" if len(told) > LISTED else ""
    return ", ".join(told[:LISTED]) + more


def _notes(table: pd.DataFrame, differences: pd.DataFrame) -> tuple[str, ...]:
    notes = []
    counts = table["kind"].value_counts()
    told = ", ".join(f"{counts[k]} × {words}" for k, words in KINDS.items() if k in counts)
    notes.append(f"Provisions: {told or 'none'}.")
    if len(differences):
        schools = differences["urn"].nunique()
        notes.append(
            f"The sources disagree on {schools} school{'' if schools == 1 else 's'} "
            f"({len(differences)} differences): see the reconciliation."
        )
    for column, words in (
        ("places", "The number of places is not known; they are reached but fill no demand"),
        ("need_types", "The need types are not known; they count for none"),
    ):
        gone = table[table[column].isna() if column == "places" else table[column] == ""]
        if len(gone):
            notes.append(f"{words}: {named(gone)}.")
    return tuple(notes)
