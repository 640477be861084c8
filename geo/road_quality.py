"""What to look at before minutes over roads are believed: long ways round, schools off the road."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from shapely.geometry.base import BaseGeometry

from geo.pace import Pace, pace_at
from geo.road_search import between, ready_net
from geo.road_snap import snap
from geo.roads import Roads
from geo.speeds import read_speeds
from geo.travel import DECIMALS, Minutes

USUAL_DETOUR = 1.3
FIRST_LOOK = 2.5
"""Kilometres by road are first looked for within so many times the longest straight line."""
COLUMNS = ["group", "from_urn", "from_name", "to_urn", "to_name", "km", "road_km", "minutes",
           "ratio"]  # fmt: skip


@dataclass(frozen=True, eq=False)
class Quality:
    """`pairs`: pairs of one group with a far longer way than the straight line, worst first.

    Columns: group, from_urn, from_name, to_urn, to_name, km (straight), road_km (the shortest way
    by road, both ways averaged; NaN without roads, or where no road leads), minutes (both ways
    averaged), ratio. `basis` says what the ratio is; `looked_at` how many pairs there were.
    """

    pairs: pd.DataFrame
    basis: str
    looked_at: int

    def sentences(self, most: int = 10) -> tuple[str, ...]:
        """Return the pairs in words, by names of schools, the worst `most` of them."""
        shown = [
            f"{row.from_name} ({row.from_urn}) and {row.to_name} ({row.to_urn}), {row.group}: "
            f"{row.km:g} km apart, "
            + (f"{row.road_km:g} km by road, " if row.road_km == row.road_km else "")
            + f"{row.minutes:g} minutes"
            for row in self.pairs.head(most).itertuples()
        ]
        return tuple(shown)


def quality(
    minutes: Minutes,
    schools: pd.DataFrame,
    group_of: pd.Series,
    *,
    roads: Roads | None = None,
    land: BaseGeometry | None = None,
    above: float = 2.0,
    beyond_km: float = 1.0,
    within_km: float = np.inf,
) -> Quality:
    """List pairs of schools in one group whose way is more than `above` times the straight line.

    With `roads` the ratio is kilometres by road over straight kilometres. Without, it is taken from
    the minutes: at the pace they were made with, or, where they were supplied, at the speed at
    which the usual journey of this table is 1.3 times its straight line, which is coarser: slow
    streets look like a long way. Pairs nearer than `beyond_km` or
    farther than `within_km` are left out. `schools`: index urn; name, easting, northing
    (EPSG:27700). `group_of`: urn → cluster or area; schools without one are left out. `land` as in
    `road_minutes`.
    """
    urns = [u for u in minutes.table.index if group_of.get(u, "") not in ("", None)]
    everyone, schools = schools, schools.loc[urns]
    groups = group_of.loc[urns].to_numpy()
    km, (i, j) = _straight_km(schools)
    chosen = (groups[i] == groups[j]) & (km > beyond_km) & (km <= within_km)
    km, i, j = km[chosen], i[chosen], j[chosen]
    table = minutes.table.loc[urns, urns].to_numpy(float)
    taken = (table[i, j] + table[j, i]) / 2
    if roads is None:
        pace = minutes.pace or _usual_pace(minutes, everyone, beyond_km)
        road, ratio = np.full(len(km), np.nan), pace.road_km(taken) / km
        basis = f"minutes {pace.words} over the straight line"
    else:
        road = road_km(schools, roads, i, j, km, land=land)
        ratio = road / km
        basis = "kilometres by road over the straight line"
    long = np.flatnonzero(ratio > above)
    long = long[np.argsort(-ratio[long], kind="stable")]
    i, j = i[long], j[long]
    names = schools["name"].to_numpy()
    values = [
        groups[i],
        schools.index[i],
        names[i],
        schools.index[j],
        names[j],
        km[long].round(1),
        np.where(np.isinf(road[long]), np.nan, road[long]).round(1),
        taken[long].round(DECIMALS),
        ratio[long].round(2),
    ]
    return Quality(pd.DataFrame(dict(zip(COLUMNS, values, strict=True))), basis, len(km))


def road_km(
    schools: pd.DataFrame,
    roads: Roads,
    i: np.ndarray,
    j: np.ndarray,
    straight_km: np.ndarray,
    *,
    land: BaseGeometry | None = None,
) -> np.ndarray:
    """Return the shortest way by road of pairs of schools (positions), km, both ways averaged.

    It is the shortest, not the quickest way, from gate to gate, one-way streets kept. inf: no road
    leads. Looked for first within a few times the longest straight line, and without a bound only
    from where that was not enough.
    """
    spots = schools[["easting", "northing"]].to_numpy(float)
    names = [f"{name} ({urn})" for urn, name in schools["name"].items()]
    alike = replace(
        roads,
        classes=("road",),
        road_class=np.zeros(len(roads.a), dtype=np.int8),
        signed_kmh=np.full(len(roads.a), np.nan),
    )
    # At 60 km/h without junctions a minute is a kilometre.
    even = replace(
        read_speeds(),
        drive=(("road", 60.0),),
        walk_kmh=60.0,
        access_kmh=60.0,
        junction_seconds=0.0,
        factor=1.0,
    )
    net = ready_net(alike, snap(alike, spots, names, land=land), even)
    used = np.unique(np.concatenate([i, j]))
    if not len(used):
        return np.zeros(0)
    found = np.full((len(spots), len(spots)), np.inf)
    first = FIRST_LOOK * max(float(straight_km.max()), 1.0)
    found[np.ix_(used, used)] = between(net, used, used, limit=first)
    for a, b in ((i, j), (j, i)):
        lost = np.unique(a[np.isinf(found[a, b])])
        if len(lost):
            found[np.ix_(lost, used)] = between(net, lost, used)
    return np.asarray((found[i, j] + found[j, i]) / 2, dtype=float)


def usual_kmh(minutes: Minutes, schools: pd.DataFrame, beyond_km: float = 1.0) -> float:
    """Return the road speed at which the median journey is 1.3 times its straight line, km/h."""
    km, (i, j) = _straight_km(schools.loc[minutes.table.index])
    both = minutes.table.to_numpy(float)
    mean = (both[i, j] + both[j, i]) / 2
    far = km > beyond_km
    if not far.any():
        return 40.0
    return float(np.median(km[far] / mean[far])) * 60.0 * USUAL_DETOUR


def _usual_pace(minutes: Minutes, schools: pd.DataFrame, beyond_km: float) -> Pace:
    kmh = usual_kmh(minutes, schools, beyond_km)
    return replace(pace_at(kmh), words=f"at {kmh:.0f} km/h")


def _straight_km(schools: pd.DataFrame) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """Return straight kilometres of every pair, and the pair's positions."""
    places = schools[["easting", "northing"]].to_numpy(float)
    i, j = np.triu_indices(len(places), 1)
    return np.hypot(*(places[i] - places[j]).T) / 1000.0, (i, j)
