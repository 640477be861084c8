"""What to look at before minutes over roads are believed: slow pairs, schools far from a road."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from geo.travel import Minutes, straightline_ratio

USUAL_DETOUR = 1.3


@dataclass(frozen=True, eq=False)
class Quality:
    """`pairs`: table of pairs of one cluster with a far longer way than the straight line, worst
    first (cluster, from_urn, from_name, to_urn, to_name, km, minutes, ratio); `kmh` the speed the
    ratio was taken at; `notes` everything the doors said: far schools, roads left out."""

    pairs: pd.DataFrame
    kmh: float
    notes: tuple[str, ...]


def quality(
    minutes: Minutes,
    schools: pd.DataFrame,
    cluster_of: pd.Series,
    *,
    above: float = 2.0,
    beyond_km: float = 1.0,
) -> Quality:
    """List pairs of schools in one cluster whose way is more than `above` times the straight line.

    The ratio is taken at the speed at which the usual journey of this table is 1.3 times its
    straight line, so slow towns and quick country are judged alike. `schools`: index urn; name,
    easting, northing. `cluster_of`: urn → cluster; schools without one are left out.
    """
    urns = [u for u in minutes.table.index if u in cluster_of.index]
    table = Minutes(minutes.table.loc[urns, urns], minutes.source, minutes.kind)
    kmh = usual_kmh(table, schools, beyond_km)
    pairs = straightline_ratio(table, schools, above=above, kmh=kmh, beyond_km=beyond_km)
    first = pairs["from_urn"].map(cluster_of)
    inside = (first == pairs["to_urn"].map(cluster_of)).to_numpy(bool)
    pairs.insert(0, "cluster", first)
    return Quality(pairs[inside].reset_index(drop=True), kmh, minutes.notes)


def usual_kmh(minutes: Minutes, schools: pd.DataFrame, beyond_km: float = 1.0) -> float:
    """Return the road speed at which the median journey is 1.3 times its straight line, km/h."""
    places = schools.loc[minutes.table.index, ["easting", "northing"]].to_numpy(float)
    i, j = np.triu_indices(len(places), 1)
    km = np.hypot(*(places[i] - places[j]).T) / 1000.0
    both = minutes.table.to_numpy(float)
    mean = (both[i, j] + both[j, i]) / 2
    far = km > beyond_km
    if not far.any():
        return 40.0
    return float(np.median(km[far] / mean[far])) * 60.0 * USUAL_DETOUR
