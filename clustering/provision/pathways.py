"""Where the way from primary to secondary provision breaks: by provision, and year by year.

A primary provision's leavers of a year are its places over its year groups; a secondary one takes
its places over its own. These are places, not children: they say what the commissioned pattern can
carry on, whoever fills it. The way on is that from Year 6 to Year 7: an infant provision, whose
children go on to another primary one, has no leavers here, and one that begins after Year 7 takes
none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from clustering.provision.assignment import assign
from clustering.provision.reach import admits_all, door_to_door
from clustering.provision.register import for_type, open_in, takes_age, types_of, years_taken
from clustering.provision.settings import AGES, PHASES, SERVES, ProvisionTable

NOBODY = "none within the limit"
LAST_PRIMARY, FIRST_SECONDARY = AGES["primary"][1] - 1, AGES["secondary"][0]
"""Ages of Year 6 and of Year 7, at the start of the year."""


def pathways(
    provisions: pd.DataFrame,
    minutes: pd.DataFrame,
    settings: ProvisionTable,
    cluster_of: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Return, for each provision with Year 6 and need type, the one with Year 7 to go on to.

    `minutes` driving between provisions (label × label, NaN = no way). Columns provision, name,
    area, kind, need_type, leavers (a year, of all the provision's types), next (name of the nearest
    secondary provision of that type and kind, "" = there is none), next_provision (its label),
    minutes (door to door, inf = none), within (the second secondary limit), same_area, same_cluster
    (of its school; missing without a plan) and choices (how many are within the limit). A provision
    that takes both phases goes on in itself, in no time.
    """
    limit = settings.limits.of("secondary")[1]
    way = door_to_door(minutes, settings)
    clusters = dict(cluster_of or {})
    taking = takes_age(provisions, FIRST_SECONDARY) & admits_all(provisions, settings)
    secondary = provisions[taking]
    rows = []
    for label, base in provisions[takes_age(provisions, LAST_PRIMARY)].iterrows():
        for code in types_of(base["need_types"]):
            fits = secondary[
                for_type(secondary, code) & (secondary["kind"].map(SERVES) == SERVES[base["kind"]])
            ]
            far = way.loc[label, fits.index].to_numpy(float)
            far = np.where(fits.index == label, 0.0, far)
            at = int(np.argmin(far)) if len(far) else -1
            next_ = fits.iloc[at] if at >= 0 and np.isfinite(far[at]) else None
            least = float(far[at]) if next_ is not None else np.inf
            rows.append(
                {
                    "provision": label,
                    "name": base["name"],
                    "area": base["area"],
                    "kind": SERVES[base["kind"]],
                    "need_type": code,
                    "leavers": _a_year(base, "primary"),
                    "next": "" if next_ is None else next_["name"],
                    "next_provision": "" if next_ is None else str(next_.name),
                    "minutes": least,
                    "within": least <= limit,
                    "same_area": next_ is not None and next_["area"] == base["area"],
                    "same_cluster": _same(clusters, base, next_),
                    "choices": int((far <= limit).sum()),
                }
            )
    columns = [
        *("provision", "name", "area", "kind", "need_type", "leavers", "next", "next_provision"),
        *("minutes", "within", "same_area", "same_cluster", "choices"),
    ]
    return pd.DataFrame(rows, columns=columns)


def _same(clusters: Mapping[str, str], base: pd.Series, next_: pd.Series | None) -> object:
    if next_ is None or base["urn"] not in clusters or next_["urn"] not in clusters:
        return pd.NA
    return clusters[base["urn"]] == clusters[next_["urn"]]


def _a_year(base: pd.Series, phase: str) -> float:
    """Return the places of a provision for one year group of a phase; NaN where not known."""
    years = sum(years_taken(base, one) for one in PHASES)
    return float(base["places"]) / years if years_taken(base, phase) > 0 else np.nan


def pathway_years(
    register: pd.DataFrame,
    minutes: pd.DataFrame,
    settings: ProvisionTable,
    years: Sequence[int],
) -> pd.DataFrame:
    """Return leavers, places to go on to and leavers without one, by area and need type and year.

    Columns year, area, kind, need_type, leavers (of primary provisions of the area; those of a
    provision for several types are shared out equally), intake (places a year in secondary
    provisions of the area) and without (leavers for whom no place of their type is left within the
    second secondary limit, when places are given out to leave the fewest without). Provisions whose
    places are not known are left out.
    """
    way = door_to_door(minutes, settings)
    limit = settings.limits.of("secondary")[1]
    told = []
    for year in years:
        now = register[open_in(register, year) & register["places"].notna()]
        leaving = _by_type(now[takes_age(now, LAST_PRIMARY)], "primary")
        taking = now[takes_age(now, FIRST_SECONDARY) & admits_all(now, settings)]
        intake = np.array([_a_year(base, "secondary") for _, base in taking.iterrows()], float)
        if leaving.empty:
            continue
        ways = np.full((len(leaving), len(taking)), np.inf)
        types = taking["need_types"].map(types_of).tolist()
        kinds = taking["kind"].map(SERVES).tolist()
        for i, row in enumerate(leaving.itertuples()):
            for j, label in enumerate(taking.index):
                if row.need_type in types[j] and kinds[j] == row.kind:
                    far = 0.0 if label == row.provision else float(way.at[row.provision, label])
                    ways[i, j] = far if far <= limit else np.inf
        done = assign(leaving["leavers"], ways, intake, np.full(len(leaving), limit))
        table = leaving.assign(without=done.unmet)
        keys = ["area", "kind", "need_type"]
        sums = table.groupby(keys)[["leavers", "without"]].sum()
        offered = _by_type(taking, "secondary").groupby(keys)["leavers"].sum().rename("intake")
        both = sums.join(offered, how="outer").fillna(0.0).reset_index()
        told.append(both.assign(year=year))
    columns = ["year", "area", "kind", "need_type", "leavers", "intake", "without"]
    if not told:
        return pd.DataFrame(columns=columns)
    return pd.concat(told, ignore_index=True)[columns].sort_values(columns[:4], ignore_index=True)


def _by_type(provisions: pd.DataFrame, phase: str) -> pd.DataFrame:
    """Return the places a year of each provision, shared out equally among its need types."""
    rows = [
        (label, base["area"], SERVES[base["kind"]], code, _a_year(base, phase) / len(types))
        for label, base in provisions.iterrows()
        for types in (types_of(base["need_types"]),)
        for code in types
    ]
    return pd.DataFrame(rows, columns=["provision", "area", "kind", "need_type", "leavers"])
