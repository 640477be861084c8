"""The ground of a map as light as it can be: degrees, simplified outlines, places for labels.

The only step from metres to degrees. Every coordinate is rounded to five decimals (about a metre).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import Transformer

DECIMALS = 5
OUTLINE_TOLERANCE_METRES = 40.0
LINE_TOLERANCE_METRES = 30.0
ROUTE_TOLERANCE_METRES = 10.0
"""Ways along the roads start this fine, so that they lie on the streets of a town,"""
ROUTE_POINTS = 12_000
"""and get coarser until they have no more points than this (a quarter of a megabyte),"""
COARSEST_METRES = 160.0
"""or are as coarse as makes sense."""
LEAST_PUPILS = 5
"""A feeder link of fewer pupils could point at a child; it never enters a page."""


@cache
def _turn() -> Transformer:
    return Transformer.from_crs("EPSG:27700", "EPSG:4326", always_xy=True)


def to_degrees(eastings: Any, northings: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return latitudes and longitudes (WGS 84, rounded) of points in EPSG:27700 metres."""
    longitude, latitude = _turn().transform(
        np.asarray(eastings, dtype=float), np.asarray(northings, dtype=float)
    )
    return np.round(latitude, DECIMALS), np.round(longitude, DECIMALS)


def _rings(geometry: Any) -> list[list[list[list[float]]]]:
    """Return the polygons of a geometry in metres as lists of rings of [lat, lon]."""
    found = []
    for part in shapely.get_parts(shapely.force_2d(geometry)):
        if part.geom_type == "GeometryCollection":
            found += _rings(part)
        elif part.geom_type == "Polygon" and not part.is_empty:
            rings = [part.exterior, *part.interiors]
            found.append([_line(ring) for ring in rings])
    return found


def _line(line: Any) -> list[list[float]]:
    coordinates = shapely.get_coordinates(line)
    latitude, longitude = to_degrees(coordinates[:, 0], coordinates[:, 1])
    points = np.column_stack([latitude, longitude])
    keep = np.ones(len(points), dtype=bool)
    keep[1:] = (points[1:] != points[:-1]).any(axis=1)
    return points[keep].tolist()


def outlines(shapes: gpd.GeoSeries) -> list[list[list[list[list[float]]]]]:
    """Return each outline, simplified, as polygons of rings of [lat, lon]; [] where it is empty.

    Shared borders are simplified together, so that no sliver opens between two neighbours.
    """
    whole = [shape if shape is not None else shapely.Polygon() for shape in shapes]
    polygonal = np.array([_polygonal(shape) for shape in whole], dtype=object)
    if not len(polygonal):
        return []
    simple = shapely.coverage_simplify(polygonal, OUTLINE_TOLERANCE_METRES)
    # A coverage that overlaps is left alone by the common step; the plain one is then enough.
    return [_rings(shape) for shape in simple]


def _polygonal(shape: Any) -> Any:
    parts = [
        part
        for part in shapely.get_parts(shapely.make_valid(shapely.force_2d(shape)))
        if part.geom_type in ("Polygon", "MultiPolygon")
    ]
    return shapely.union_all(parts) if parts else shapely.MultiPolygon()


def lines(
    shapes: gpd.GeoSeries, tolerance: float = LINE_TOLERANCE_METRES
) -> list[list[list[float]]]:
    """Return a layer's simplified lines as lists of [lat, lon]; what lies twice stands once."""
    parts = shapely.get_parts(shapely.line_merge(shapely.union_all(shapes.to_numpy())))
    simple = shapely.simplify(parts, tolerance)
    return [_line(part) for part in simple if not part.is_empty]


def bundles(shapes: gpd.GeoSeries, groups: Sequence[str]) -> list[list[list[list[float]]]]:
    """Return the lines of each group (index of `shapes`), coarser until all keep their budget."""
    whole = dict(list(shapes[shapes.notna()].groupby(level=0)))
    tolerance = ROUTE_TOLERANCE_METRES
    while True:
        found = [lines(whole[group], tolerance) if group in whole else [] for group in groups]
        if sum(len(line) for bundle in found for line in bundle) <= ROUTE_POINTS:
            return found
        if tolerance > COARSEST_METRES:
            return found
        tolerance *= 2


def label_place(shape: Any, points: np.ndarray) -> list[float] | None:
    """Return [lat, lon] of a calm place for a label: well inside the outline, away from points.

    `shape`: outline in metres; `points`: n × 2 metres of what the label should not cover. None for
    an outline without area.
    """
    shape = _polygonal(shape) if shape is not None else shapely.MultiPolygon()
    if shape.is_empty:
        return None
    largest = max(shapely.get_parts(shape), key=lambda part: part.area)
    left, bottom, right, top = largest.bounds
    x, y = np.meshgrid(np.linspace(left, right, 25), np.linspace(bottom, top, 25))
    grid = shapely.points(np.column_stack([x.ravel(), y.ravel()]))
    grid = np.append(grid[shapely.contains(largest, grid)], largest.representative_point())
    room = shapely.distance(grid, largest.boundary)
    if len(points):
        near = shapely.distance(grid[:, None], shapely.points(points)[None, :]).min(axis=1)
        room = np.minimum(room, near)
    # Among equally roomy places the one nearest the middle reads best.
    middle = shapely.distance(grid, largest.centroid)
    best = grid[int(np.argmax(room - 0.25 * middle))]
    latitude, longitude = to_degrees([best.x], [best.y])
    return [float(latitude[0]), float(longitude[0])]


def bounds(frames: Sequence[Any], schools: pd.DataFrame) -> list[list[float]]:
    """Return [[south, west], [north, east]] in degrees around the schools and all the outlines."""
    boxes = [frame.total_bounds for frame in frames if frame is not None and len(frame)]
    if len(schools):
        x, y = schools["easting"], schools["northing"]
        boxes.append(np.array([x.min(), y.min(), x.max(), y.max()], dtype=float))
    boxes = [box for box in boxes if np.isfinite(box).all()]
    if not boxes:
        return [[49.9, -6.4], [55.8, 1.8]]  # all of England
    west, south = np.min(boxes, axis=0)[:2]
    east, north = np.max(boxes, axis=0)[2:]
    latitude, longitude = to_degrees([west, east, west, east], [south, south, north, north])
    return [
        [float(latitude.min()), float(longitude.min())],
        [float(latitude.max()), float(longitude.max())],
    ]


def links(feeders: pd.DataFrame, order: Sequence[str]) -> tuple[list[list[int]], int]:
    """Return feeder links as [from, to, pupils, kept, estimated], and how many lead off the map.

    `order`: URNs in the order of the page; links name schools by position, so that a URN stands in
    the page once. Links of fewer than `LEAST_PUPILS` (or unknown) pupils are left out before
    anything else, and are not counted either.
    """
    position = {urn: index for index, urn in enumerate(order)}
    found: list[list[int]] = []
    away = 0
    for link in feeders.itertuples(index=False):
        if pd.isna(link.pupils) or link.pupils < LEAST_PUPILS:
            continue
        start, end = position.get(str(link.from_urn)), position.get(str(link.to_urn))
        if start is None or end is None:
            away += 1
            continue
        pupils = round(float(link.pupils))
        found.append([start, end, pupils, int(bool(link.kept)), int(bool(link.estimated))])
    return sorted(found, key=lambda row: (row[2], row[0], row[1])), away
