"""Feeder links: how many pupils a year move from which school to which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from geo.errors import Faults, InputError

ELSEWHERE = ("OUT", "IND", "SPEC", "UNK")
"""Destinations that are no school of the county: other council, independent, special, unknown."""
YEARS = 3
"""Flows are the mean of this many of the latest years."""


class FlowsError(InputError):
    """A file of flows cannot be used as it stands."""


@dataclass(frozen=True, eq=False)
class Feeders:
    """Flows between schools: `links` has `from_urn, to_urn, pupils` (mean a year).

    `elsewhere` has the same columns for leavers to places that are not a school of the table
    (`to_urn` as in the file). `estimated` is true where nobody counted them.
    """

    links: pd.DataFrame
    elsewhere: pd.DataFrame
    estimated: bool
    source: str
    notes: tuple[str, ...]


def no_feeders() -> Feeders:
    """Return the value for a study without flows."""
    empty = pd.DataFrame({"from_urn": [], "to_urn": [], "pupils": []})
    return Feeders(empty, empty, False, "", ("No feeder flows are given.",))


def read_flows(
    path: Path | str,
    schools: pd.DataFrame,
    *,
    suppressed: float = 2.5,
    replaced: Mapping[str, str] | None = None,
) -> Feeders:
    """Read a file of flows: `from_urn,to_urn,year,pupils[,kind,source]`, one row a pair and year.

    Either end may be a URN or a LAESTAB (`8862345`, `886/2345`); `replaced` maps URNs of closed
    schools to their successors. `to_urn` may be OUT, IND, SPEC or UNK. A cell `c` (1 to 4 pupils,
    suppressed) counts as `suppressed` pupils. The flow is the mean over the latest years in which
    the first school reports any; a pair that is absent in such a year is a 0 of that year. Raises
    `FlowsError` naming every row that cannot be read.
    """
    path = Path(path)
    faults = Faults(FlowsError, path.name)
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (UnicodeDecodeError, ValueError):
        faults.add("cannot be read as CSV in UTF-8.", "Save it as CSV UTF-8.")
    faults.raise_if_any()
    table.columns = [str(c).strip().lower() for c in table.columns]
    missing = sorted({"from_urn", "to_urn", "pupils"} - set(table.columns))
    if missing:
        faults.add(
            f"the columns {', '.join(missing)} are missing; found {', '.join(table.columns)}.",
            "A file of flows has from_urn, to_urn, year, pupils.",
        )
    faults.raise_if_any()
    key = _keys(schools, replaced or {})
    kind = table["kind"].str.lower() if "kind" in table else pd.Series("", index=table.index)
    table = pd.DataFrame(
        {
            "from_urn": table["from_urn"].map(lambda cell: _urn(cell, key)),
            "to_urn": table["to_urn"].map(lambda cell: _urn(cell, key)),
            "year": table["year"].str.strip() if "year" in table else "",
            "raw": table["pupils"].str.strip(),
        }
    )
    table["pupils"] = pd.to_numeric(table["raw"].str.replace(",", ""), errors="coerce")
    hidden = table["raw"].str.lower().isin({"c", "x", "*", "<5", "low", "supp"})
    table.loc[hidden, "pupils"] = suppressed
    for index in table.index[table["pupils"].isna() | (table["pupils"] < 0)]:
        faults.add(
            f'pupils is "{table.at[index, "raw"]}", which is no count.',
            'Give a number, or "c" for a suppressed count.',
            row=int(index) + 2,
            urn=str(table.at[index, "from_urn"]),
        )
    faults.raise_if_any()
    notes = _notes(table, schools, hidden, suppressed)
    flows = _mean_of_years(table[table["from_urn"].isin(schools.index)])
    inside = flows["to_urn"].isin(schools.index)
    estimated = bool((kind == "estimated").any())
    words = "estimated feeder flows" if estimated else "feeder flows as counted by the council"
    years = sorted(set(table["year"]) - {""})[-YEARS:]
    return Feeders(
        links=flows[inside].reset_index(drop=True),
        elsewhere=flows[~inside].reset_index(drop=True),
        estimated=estimated,
        source=f"{words}{', ' + ', '.join(years) if years else ''}",
        notes=notes,
    )


def _mean_of_years(table: pd.DataFrame) -> pd.DataFrame:
    latest = sorted(set(table["year"]))[-YEARS:]
    recent = table[table["year"].isin(latest)]
    reported = recent.groupby("from_urn")["year"].nunique()
    total = recent.groupby(["from_urn", "to_urn"], as_index=False)["pupils"].sum()
    total["pupils"] = (total["pupils"] / total["from_urn"].map(reported)).round(2)
    return total[total["from_urn"] != total["to_urn"]].sort_values(["from_urn", "to_urn"])


def _keys(schools: pd.DataFrame, replaced: Mapping[str, str]) -> dict[str, str]:
    """Return every name of a school that a flows file may use, with its URN."""
    keys = {old: new for old, new in replaced.items() if new in schools.index}
    if "laestab" in schools:
        keys |= {str(code): str(urn) for urn, code in schools["laestab"].items() if code}
    return keys | {str(urn): str(urn) for urn in schools.index}


def _urn(cell: str, keys: Mapping[str, str]) -> str:
    text = cell.strip().removesuffix(".0")
    if text.upper() in ELSEWHERE:
        return text.upper()
    return keys.get(text) or keys.get(text.replace("/", "")) or text


def _notes(
    table: pd.DataFrame, schools: pd.DataFrame, hidden: pd.Series, suppressed: float
) -> tuple[str, ...]:
    notes = []
    if hidden.any():
        notes.append(
            f"{int(hidden.sum()):,} suppressed flows (1 to 4 pupils) are counted as "
            f"{suppressed:g} pupils each."
        )
    strange = sorted(set(table["from_urn"]) - set(schools.index))
    if strange:
        notes.append(
            f"Flows from {len(strange)} schools that are not in the study are left out: "
            f"{', '.join(strange[:10])}{' and others' if len(strange) > 10 else ''}."
        )
    return tuple(notes)
