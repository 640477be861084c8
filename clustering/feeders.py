"""Feeder links: how many pupils a year move from which school to which, counted or estimated."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from geo.errors import InputError

ELSEWHERE = ("OUT", "IND", "SPEC", "UNK")
"""Destinations that are no school of the study: other council, independent, special, unknown."""
COLUMNS = ("from_urn", "to_urn", "pupils", "estimated")


class FlowsError(InputError):
    """A file of flows cannot be used as it stands."""


@dataclass(frozen=True, eq=False)
class Feeders:
    """Flows between schools.

    `links` has `from_urn, to_urn` (both schools of the study), `pupils` (float, mean a year) and
    `estimated` (bool: nobody counted this link); `elsewhere` has the same columns for leavers to
    places that are not a school of the study (`to_urn` one of `ELSEWHERE`, or a URN as in the
    file); `small` those of an estimate that are too small to draw or to design by, and that count
    all the same in how many leavers a plan keeps. All are sorted by `from_urn, to_urn`, one row a
    pair, no NaN. `source` is a sentence for every output, `notes` what was done on the way.
    """

    links: pd.DataFrame
    elsewhere: pd.DataFrame
    source: str
    notes: tuple[str, ...]
    small: pd.DataFrame = field(default_factory=lambda: flow_table())

    @property
    def estimated(self) -> bool:
        """Is any link estimated, so that every output must say so?"""
        return bool(self.links["estimated"].any())

    @property
    def reporting(self) -> frozenset[str]:
        """URNs of the schools whose leavers are known."""
        tables = (self.links, self.elsewhere, self.small)
        return frozenset(urn for table in tables for urn in table["from_urn"])


def no_feeders() -> Feeders:
    """Return the value for a study without flows."""
    return Feeders(flow_table(), flow_table(), "", ("No feeder flows are given.",))


def flow_table(flows: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return flows with exactly the columns of `Feeders.links`, their types and order of rows."""
    if flows is None:
        flows = pd.DataFrame({name: [] for name in COLUMNS})
    table = flows[list(COLUMNS)].astype(
        {"from_urn": object, "to_urn": object, "pupils": float, "estimated": bool}
    )
    return table.sort_values(["from_urn", "to_urn"]).reset_index(drop=True)


def some_schools(number: int) -> str:
    """Return a number of schools in words: "1 school", "1,204 schools"."""
    return f"{number:,} school{'' if number == 1 else 's'}"


def filled(counted: Feeders, estimate: Feeders) -> Feeders:
    """Return counted flows, and estimated ones for the schools that reported none."""
    known = counted.reporting
    links = _joined(counted.links, estimate.links, known)
    elsewhere = _joined(counted.elsewhere, estimate.elsewhere, known)
    small = _joined(counted.small, estimate.small, known)
    notes = (*counted.notes, *estimate.notes)
    new = len(set(links["from_urn"]) - known)
    if not new:
        return Feeders(links, elsewhere, counted.source, notes, small)
    note = f"The leavers of {some_schools(new)} of which the file says nothing are estimated."
    source = f"{counted.source}; for {some_schools(new)} {estimate.source}"
    return Feeders(links, elsewhere, source, (*notes, note), small)


def _joined(own: pd.DataFrame, other: pd.DataFrame, known: frozenset[str]) -> pd.DataFrame:
    parts = [part for part in (own, other[~other["from_urn"].isin(known)]) if len(part)]
    return flow_table(pd.concat(parts) if parts else None)
