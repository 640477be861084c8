"""How full and how large each provision is: flags against the council's thresholds, no verdict."""

from __future__ import annotations

import numpy as np
import pandas as pd

from clustering.need_files import Parse, bare
from clustering.provision.register import ProvisionError, years_taken
from clustering.provision.settings import CostTable, ViabilityTable
from geo.errors import Faults

RED, AMBER, OVER, SMALL, FINE, UNKNOWN = "red", "amber", "over-full", "small", "none", "not known"
BELOW = "below the threshold set by the council"


def read_history(sheet: pd.DataFrame, parse: Parse, *, file: str) -> pd.DataFrame:
    """Read children on roll of earlier years: columns urn, year, on_roll, places (NaN = as now).

    `year` is the calendar year of the January census. Raises `ProvisionError` with every fault.
    """
    tray = Faults(ProvisionError, file)
    names = {bare(name): str(name) for name in reversed(sheet.columns)}
    missing = [c for c in ("urn", "year", "onroll") if c not in names]
    if missing:
        tray.add(f"needs urn, year and on_roll; found {', '.join(map(str, sheet.columns))}.")
        tray.raise_if_any()
    urn = sheet[names["urn"]].str.strip().str.replace(r"\.0+$", "", regex=True)
    found = {"urn": urn}
    for ours, key in (("year", "year"), ("on_roll", "onroll"), ("places", "places")):
        if key not in names:
            found[ours] = pd.Series(np.nan, index=sheet.index)
            continue
        read = parse(sheet[names[key]])
        for at in sheet.index[read.unreadable | (read.values < 0)]:
            tray.add(f'{names[key]} is "{sheet.at[at, names[key]]}".', "Give a number.",
                     row=int(at), urn=urn[at])  # fmt: skip
        found[ours] = read.values
    table = pd.DataFrame(found)
    for at in table.index[table["year"].isna()]:
        tray.add("the year is missing.", "Give the year of the census.", row=int(at), urn=urn[at])
    for at in table.index[table.duplicated(["urn", "year"])]:
        tray.add("stands twice for the same year.", "Keep one row.", row=int(at), urn=urn[at])
    tray.raise_if_any()
    return table.astype({"year": int}).sort_values(["urn", "year"], ignore_index=True)


def viability(
    provisions: pd.DataFrame,
    thresholds: ViabilityTable,
    costs: CostTable,
    history: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return a row a provision: how full, how large, what empty places cost, and a flag.

    Columns provision, name, area, kind, need_types, places, on_roll, occupancy (NaN = not known),
    earlier (occupancy of the year before, from `history`), empty (places), empty_cost (pounds a
    year), flag (red, amber, over-full, small, none, not known) and words. Amber needs two years
    running, so without a history no provision is amber.
    """
    rows, of_school = [], _of_school(provisions)
    for label, base in provisions.iterrows():
        places, roll = float(base["places"]), float(base["on_roll"])
        occupancy = roll / places if places > 0 else np.nan
        earlier = _earlier(base, float(of_school[label]), history)
        empty = max(places - roll, 0.0)
        rate = costs.special if base["kind"] in ("special", "alternative") else costs.empty
        flag, words = _flag(base, occupancy, earlier, thresholds)
        rows.append(
            {
                "provision": label,
                "name": base["name"],
                "area": base["area"],
                "kind": base["kind"],
                "need_types": base["need_types"],
                "places": places,
                "on_roll": roll,
                "occupancy": occupancy,
                "earlier": earlier,
                "empty": empty,
                "empty_cost": empty * rate,
                "flag": flag,
                "words": words,
            }
        )
    columns = [
        *("provision", "name", "area", "kind", "need_types", "places", "on_roll", "occupancy"),
        *("earlier", "empty", "empty_cost", "flag", "words"),
    ]
    return pd.DataFrame(rows, columns=columns)


def occupancy_by_year(provisions: pd.DataFrame, history: pd.DataFrame | None) -> pd.DataFrame:
    """Return how full each provision was, a row a provision and year: provision, name, year,
    on_roll, places, occupancy (NaN = places not known). A history is by school: one with several
    provisions has them all in each row. The places of now stand in where a year has none. Empty
    without a history.
    """
    columns = ["provision", "name", "year", "on_roll", "places", "occupancy"]
    if history is None:
        return pd.DataFrame(columns=columns)
    own = provisions.assign(places=_of_school(provisions)).rename_axis("provision").reset_index()
    own = own[["provision", "urn", "name", "places"]]
    told = own.merge(history, on="urn", suffixes=("_now", ""))
    told["places"] = told["places"].fillna(told["places_now"])
    told["occupancy"] = told["on_roll"] / told["places"].where(told["places"] > 0)
    return told[columns].sort_values(["provision", "year"], ignore_index=True)


def _of_school(provisions: pd.DataFrame) -> pd.Series:
    """Return the places of all provisions of a provision's school; NaN where one is not known."""
    parts = provisions.groupby("urn")["places"]
    return provisions["urn"].map({urn: part.sum(min_count=len(part)) for urn, part in parts})


def _earlier(base: pd.Series, now: float, history: pd.DataFrame | None) -> float:
    """Return how full the provision's school was at its latest earlier census; NaN: not known.

    `now` its places of today, for a year without its own.
    """
    if history is None:
        return np.nan
    own = history[history["urn"] == base["urn"]]
    if own.empty:
        return np.nan
    last = own.iloc[-1]
    places = now if last["places"] != last["places"] else last["places"]
    return float(last["on_roll"] / places) if places > 0 else np.nan


def _flag(
    base: pd.Series, occupancy: float, earlier: float, thresholds: ViabilityTable
) -> tuple[str, str]:
    """Return the flag and the sentence; the first that fits, the gravest first."""
    roll = float(base["on_roll"])
    phase = "primary" if years_taken(base, "primary") > 0 else "secondary"
    least = thresholds.least_places.get(phase, 0)  # type: ignore[call-overload]
    if occupancy != occupancy:
        return UNKNOWN, "places or children on roll are not known"
    full = f"{occupancy:.0%} filled"
    if roll < thresholds.least_children:
        return RED, f"{roll:.0f} children, {BELOW} ({thresholds.least_children})"
    if occupancy < thresholds.red:
        return RED, f"{full}, {BELOW} ({thresholds.red:.0%})"
    if occupancy < thresholds.amber and earlier < thresholds.amber:
        return AMBER, f"{full} and {earlier:.0%} before, {BELOW} ({thresholds.amber:.0%})"
    if occupancy > thresholds.over:
        return OVER, f"{full}, beyond the threshold set by the council ({thresholds.over:.0%})"
    if base["kind"] in ("srp", "sen_unit") and base["places"] < least:
        return SMALL, f"{base['places']:.0f} places, {BELOW} for {phase} ({least})"
    return FINE, ""
