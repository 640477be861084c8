"""Schools that opted out: in no cluster and no count, but named with who moves to and from them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pandas as pd

from clustering.feeders import some_schools

FEW = 5
"""Fewer leavers than this are told as such, never as a number."""
COLUMNS = ("urn", "name", "phase", "area", "reason", "leavers_come", "leavers_go", "from_schools")


def opted_out_table(
    opted_out: Iterable[tuple[str, str]], schools: pd.DataFrame, links: pd.DataFrame
) -> pd.DataFrame:
    """Return a row for each school that opted out, with its reason and its leavers a year.

    `leavers_come` are pupils from the study's schools, of which there are `from_schools`;
    `leavers_go` are pupils to them. A plan counts neither as kept nor as lost. `schools` is the
    schools table with `area`, by URN; `links` are the feeder links of the study.
    """
    rows = []
    for urn, reason in opted_out:
        school = schools.loc[urn]
        come, go = links[links["to_urn"] == urn], links[links["from_urn"] == urn]
        sums = (float(come["pupils"].sum()), float(go["pupils"].sum()), len(come))
        rows.append((urn, school["name"], school["phase"], school["area"], reason, *sums))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def opted_out_words(table: pd.DataFrame) -> Iterator[str]:
    """Yield a sentence on each school of `opted_out_table`, fit to be published."""
    for row in table.itertuples():
        reason = "" if row.reason == "opted out" else f" ({row.reason})"
        text = f"{row.name} ({row.urn}) has opted out{reason}: it is in no cluster and in no count."
        moves = []
        if row.leavers_come:
            schools = some_schools(int(row.from_schools))
            moves.append(f"{_leavers(row.leavers_come)} a year come to it from {schools}")
        if row.leavers_go:
            moves.append(f"{_leavers(row.leavers_go)} a year go from it to other schools")
        if moves:
            told = " and ".join(moves)
            text += f" {told[0].upper()}{told[1:]}; they count neither as kept nor as lost."
        yield text


def _leavers(pupils: float) -> str:
    return f"fewer than {FEW} leavers" if pupils < FEW else f"about {pupils:,.0f} leavers"
