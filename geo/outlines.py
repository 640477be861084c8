"""The outline of a cluster on a map: the ground nearer to its schools than to anyone else's.

An outline is a drawing, not a catchment: it shows which schools belong together and bounds no
pupil. Voronoi cells of the schools are clipped to land and joined by cluster.

Each connected piece of land that holds schools is shared out among those schools only, so no
outline reaches over water to an island with schools of its own. Scraps of ground below
`SCRAP_SQUARE_METRES` without a school (the far bank of a creek) go to the cluster they touch.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely import STRtree
from shapely.geometry.base import BaseGeometry

from geo.areas import NATIONAL_GRID, Areas
from geo.errors import AreasError, Faults

SCRAP_SQUARE_METRES = 500_000.0
"""Ground smaller than this without a school of the cluster is given to the neighbour it touches."""
APART_METRES = 1.0
"""Schools on one spot but in different clusters are drawn this far from it."""


class _Part(NamedTuple):
    """One connected polygon of ground, its cluster, and whether a school of it stands there."""

    cluster: int
    ground: BaseGeometry
    holds: bool


def outlines(
    schools: pd.DataFrame, land: Areas | BaseGeometry, *, inside_areas: bool = False
) -> gpd.GeoDataFrame:
    """Return one outline per cluster: index `cluster`, `geometry` MultiPolygon, EPSG:27700.

    `schools`: index urn; columns easting, northing (metres), cluster, and `area` where
    `inside_areas`. `land` is a layer or a geometry in EPSG:27700. Outlines cover the land and never
    overlap; with `inside_areas` each area is shared out among its own schools, so that outlines
    follow its border (an area without schools goes to the nearest). A school off the drawn coast
    stands outside its outline. Raises AreasError if there is nothing to draw with.
    """
    _check(schools, land, inside_areas)
    schools = schools.sort_index()
    clusters = sorted(schools["cluster"].unique())
    cluster = np.searchsorted(np.array(clusters), schools["cluster"].to_numpy())
    spots = _apart(schools[["easting", "northing"]].to_numpy(float), cluster)
    grounds: list[list[BaseGeometry]] = [[] for _ in clusters]
    for ground, members in _pieces(schools, spots, land, inside_areas):
        for part in _tidied(_shared_out(ground, spots[members], cluster[members])):
            grounds[part.cluster].append(part.ground)
    shapes = [_multi(shapely.union_all(shapes)) for shapes in grounds]
    index = pd.Index(clusters, name="cluster")
    return gpd.GeoDataFrame(geometry=shapes, index=index, crs=NATIONAL_GRID)


def _check(schools: pd.DataFrame, land: Areas | BaseGeometry, inside_areas: bool) -> None:
    """Fault what cannot be drawn."""
    tray = Faults(AreasError)
    if schools.empty:
        tray.add("There are no schools to draw outlines around.")
    for urn, school in schools[schools[["easting", "northing"]].isna().any(axis=1)].iterrows():
        tray.add("The school has no coordinates.", urn=str(urn), name=str(school.get("name", "")))
    for urn, school in schools[schools["cluster"].isna()].iterrows():
        tray.add("The school is in no cluster.", urn=str(urn), name=str(school.get("name", "")))
    if inside_areas and not isinstance(land, Areas):
        tray.add("Outlines inside areas need the layer of areas, not only the land.")
    elif inside_areas and "area" not in schools.columns:
        tray.add("Outlines inside areas need the area of each school.", "Place the schools first.")
    tray.raise_if_any()


def _apart(spots: np.ndarray, cluster: np.ndarray) -> np.ndarray:
    """Move schools of different clusters off a shared spot, evenly round it.

    The borders of their cells then meet in the spot itself. Clusters are taken in order, so the
    result hangs on nothing else.
    """
    moved = spots.copy()
    together = pd.DataFrame({"x": spots[:, 0], "y": spots[:, 1], "cluster": cluster})
    for _, group in together.groupby(["x", "y"]):
        ranks = group["cluster"].rank(method="dense").to_numpy(float)
        if ranks.max() > 1:
            turn = 2 * np.pi * ranks / ranks.max()
            step = APART_METRES * np.column_stack([np.cos(turn), np.sin(turn)])
            moved[group.index.to_numpy()] += step
    return moved


def _pieces(
    schools: pd.DataFrame, spots: np.ndarray, land: Areas | BaseGeometry, inside_areas: bool
) -> Iterator[tuple[BaseGeometry, np.ndarray]]:
    """Yield connected ground and the positions of the schools it is shared out among."""
    everyone = np.arange(len(spots))
    if not inside_areas:
        whole = land.land if isinstance(land, Areas) else land
        yield from _connected(whole, spots, everyone, everyone)
        return
    assert isinstance(land, Areas)  # checked at the door
    taken: BaseGeometry = shapely.MultiPolygon()
    for name, ground in land.table.geometry.items():
        own = np.flatnonzero((schools["area"] == name).to_numpy())
        free = ground.difference(taken) if ground.intersects(taken) else ground
        taken = taken.union(ground)
        yield from _connected(free, spots, own, own if len(own) else everyone)


def _connected(
    ground: BaseGeometry, spots: np.ndarray, own: np.ndarray, others: np.ndarray
) -> Iterator[tuple[BaseGeometry, np.ndarray]]:
    """Split ground where water does; a piece without a school looks to `others`."""
    parts = [part for part in shapely.get_parts(ground) if part.area > 0]
    points = shapely.points(spots)
    nearest: np.ndarray = np.full(len(spots), -1)
    if parts and len(own):
        which, part = STRtree(parts).query_nearest(points[own], all_matches=False)
        nearest[own[which]] = part
    for number, part in enumerate(parts):
        members = np.flatnonzero(nearest == number)
        if not len(members) and part.area < SCRAP_SQUARE_METRES:
            members = others[[int(np.argmin(shapely.distance(part, points[others])))]]
        yield part, members if len(members) else others


def _shared_out(ground: BaseGeometry, spots: np.ndarray, cluster: np.ndarray) -> list[_Part]:
    """Cut one connected piece of ground into Voronoi cells joined by cluster."""
    if len(set(cluster.tolist())) == 1:
        return [_Part(int(cluster[0]), ground, True)]
    spots, first = np.unique(spots, axis=0, return_index=True)
    cluster = cluster[first]
    cells = shapely.get_parts(
        shapely.voronoi_polygons(shapely.MultiPoint(spots), extend_to=ground, ordered=True)
    )
    shapely.prepare(ground)
    parts = []
    for number in sorted(set(cluster.tolist())):
        mine = shapely.union_all(cells[cluster == number])
        points = shapely.points(spots[cluster == number])
        for part in shapely.get_parts(ground.intersection(mine)):
            if part.area > 0:
                holds = bool(shapely.dwithin(part, points, 2 * APART_METRES).any())
                parts.append(_Part(number, part, holds))
    return parts


def _tidied(parts: list[_Part]) -> list[_Part]:
    """Give scraps to the cluster with which they share the longest border."""
    staying = [part for part in parts if part.holds or part.ground.area >= SCRAP_SQUARE_METRES]
    tree = STRtree([part.ground for part in staying])
    tidy = list(staying)
    for part in parts:
        if part.holds or part.ground.area >= SCRAP_SQUARE_METRES:
            continue
        # Cells cut from the same land need not share every corner to the last digit.
        rim = part.ground.boundary.buffer(0.01)
        borders = [
            (staying[near].ground.intersection(rim).area, -near)
            for near in tree.query(part.ground, predicate="dwithin", distance=0.01).tolist()
        ]
        longest, near = max(borders, default=(0.0, 0))
        tidy.append(part._replace(cluster=staying[-near].cluster) if longest > 0 else part)
    return tidy


def _multi(shape: BaseGeometry) -> shapely.MultiPolygon:
    """Return polygons only, always as one MultiPolygon."""
    parts = shapely.get_parts(shapely.get_parts(shape))
    return shapely.MultiPolygon([part for part in parts if part.geom_type == "Polygon"])
