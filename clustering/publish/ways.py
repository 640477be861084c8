"""Along the roads: the lines from schools to their hubs, and pairs that go a long way round."""

from __future__ import annotations

from collections.abc import Mapping

import geopandas as gpd
import numpy as np
import pandas as pd

from clustering.inputs import Inputs
from clustering.plan import Plan
from geo.areas import NATIONAL_GRID
from geo.road_quality import Quality, quality

NEIGHBOURS_KM = 8.0
"""Before there is a plan, pairs of one area this near are looked at: they may share a cluster."""
SLACK_MINUTES = 1.0
COLUMNS = ("urn", "cluster", "hub", "minutes", "km")


def hub_routes(inputs: Inputs, plan: Plan) -> gpd.GeoDataFrame | None:
    """Return the quickest way of every school to its hub along the roads; None without roads.

    Columns `urn, cluster, hub, minutes, km` and the line (EPSG:27700), gate to gate.
    """
    if inputs.ways is None:
        return None
    urns = sorted(plan.cluster_of)
    position = {urn: k for k, urn in enumerate(urns)}
    hub_of = {urn: c.hub for c in plan.clusters for urn in c.schools if urn != c.hub}
    spots = inputs.table.loc[urns, ["easting", "northing"]].to_numpy(float)
    going = [urn for urn in urns if urn in hub_of]
    minutes = [float(inputs.minutes.table.at[urn, hub_of[urn]]) for urn in going]
    lines = inputs.ways.routes(
        spots,
        [(position[urn], position[hub_of[urn]]) for urn in going],
        limit=max(minutes, default=0.0) + SLACK_MINUTES,
    )
    frame = gpd.GeoDataFrame(
        {
            "urn": going,
            "cluster": [plan.cluster_of[urn] for urn in going],
            "hub": [hub_of[urn] for urn in going],
            "minutes": minutes,
        },
        geometry=np.array(lines, dtype=object),
        crs=NATIONAL_GRID,
    )
    frame.insert(4, "km", (frame.geometry.length / 1000.0).round(2))
    return frame


def long_ways(inputs: Inputs, cluster_of: Mapping[str, str] | None = None) -> Quality:
    """Return the pairs of one cluster whose way is more than twice the straight line.

    Without `cluster_of` today's clusters are looked at, or where there are none the near pairs of
    every area.
    """
    if cluster_of is None and inputs.existing is not None:
        cluster_of = inputs.existing.cluster_of
    groups = pd.Series(
        dict(cluster_of) if cluster_of is not None else inputs.table["area"].to_dict(), dtype=object
    )
    return quality(
        inputs.minutes,
        inputs.table,
        groups,
        roads=inputs.ways.roads if inputs.ways else None,
        land=inputs.ways.land if inputs.ways else None,
        within_km=np.inf if cluster_of is not None else NEIGHBOURS_KM,
    )
