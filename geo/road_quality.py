"""What to look at before minutes over roads are believed: long ways round, schools off the road."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from geo.road_minutes import minutes_between
from geo.roads import Roads
from geo.speeds import read_speeds
from geo.travel import DECIMALS, Minutes, straightline_ratio

USUAL_DETOUR = 1.3
COLUMNS = ["from_urn", "from_name", "to_urn", "to_name", "km", "road_km", "minutes", "ratio"]


@dataclass(frozen=True, eq=False)
class Quality:
    """`pairs`: pairs of one cluster with a far longer way than the straight line, worst first.

    Columns: cluster, from_urn, from_name, to_urn, to_name, km (straight), road_km (the shortest way
    by road, where the roads were given), minutes (both ways averaged), ratio. `basis` says what the
    ratio is; `notes` everything the doors said: schools far from a road, roads left out.
    """

    pairs: pd.DataFrame
    basis: str
    notes: tuple[str, ...]


def quality(
    minutes: Minutes,
    schools: pd.DataFrame,
    cluster_of: pd.Series,
    *,
    roads: Roads | None = None,
    above: float = 2.0,
    beyond_km: float = 1.0,
) -> Quality:
    """List pairs of schools in one cluster whose way is more than `above` times the straight line.

    With `roads` the ratio is kilometres by road over straight kilometres. Without, it is taken from
    the minutes, at the speed at which the usual journey of this table is 1.3 times its straight
    line, and is coarser: slow streets look like a long way. Pairs nearer than `beyond_km` are left
    out. `schools`: index urn; name, easting, northing (EPSG:27700). `cluster_of`: urn → cluster;
    schools without one are left out.
    """
    urns = [u for u in minutes.table.index if u in cluster_of.index]
    table = Minutes(minutes.table.loc[urns, urns], minutes.source, minutes.kind)
    if roads is None:
        kmh = usual_kmh(table, schools, beyond_km)
        pairs = straightline_ratio(table, schools, above=above, kmh=kmh, beyond_km=beyond_km)
        basis = f"minutes at {kmh:.0f} km/h over the straight line"
    else:
        pairs = _by_length(table, schools, roads, above, beyond_km)
        basis = "kilometres by road over the straight line"
    first = pairs["from_urn"].map(cluster_of)
    inside = (first == pairs["to_urn"].map(cluster_of)).to_numpy(bool)
    pairs.insert(0, "cluster", first)
    return Quality(pairs[inside].reset_index(drop=True), basis, minutes.notes)


def road_km(schools: pd.DataFrame, roads: Roads) -> pd.DataFrame:
    """Return the shortest way by road between all schools in km, one-way streets kept; urn × urn.

    It is the shortest, not the quickest way, from gate to gate.
    """
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
    return minutes_between(schools, schools, alike, speeds=even)


def usual_kmh(minutes: Minutes, schools: pd.DataFrame, beyond_km: float = 1.0) -> float:
    """Return the road speed at which the median journey is 1.3 times its straight line, km/h."""
    km, (i, j) = _straight_km(schools.loc[minutes.table.index])
    both = minutes.table.to_numpy(float)
    mean = (both[i, j] + both[j, i]) / 2
    far = km > beyond_km
    if not far.any():
        return 40.0
    return float(np.median(km[far] / mean[far])) * 60.0 * USUAL_DETOUR


def _by_length(
    minutes: Minutes, schools: pd.DataFrame, roads: Roads, above: float, beyond_km: float
) -> pd.DataFrame:
    """Return the pairs whose road is too long for their distance, as `straightline_ratio` does."""
    schools = schools.loc[minutes.table.index]
    km, (i, j) = _straight_km(schools)
    by_road = road_km(schools, roads).to_numpy(float)
    road = (by_road[i, j] + by_road[j, i]) / 2
    both = minutes.table.to_numpy(float)
    ratio = np.divide(road, km, out=np.zeros_like(km), where=km > beyond_km)
    chosen = np.flatnonzero(ratio > above)
    chosen = chosen[np.argsort(-ratio[chosen], kind="stable")]
    i, j = i[chosen], j[chosen]
    names = schools["name"].to_numpy()
    values = [
        schools.index[i],
        names[i],
        schools.index[j],
        names[j],
        km[chosen].round(1),
        road[chosen].round(1),
        ((both[i, j] + both[j, i]) / 2).round(DECIMALS),
        ratio[chosen].round(2),
    ]
    return pd.DataFrame(dict(zip(COLUMNS, values, strict=True)))


def _straight_km(schools: pd.DataFrame) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """Return straight kilometres of every pair, and the pair's positions."""
    places = schools[["easting", "northing"]].to_numpy(float)
    i, j = np.triu_indices(len(places), 1)
    return np.hypot(*(places[i] - places[j]).T) / 1000.0, (i, j)
