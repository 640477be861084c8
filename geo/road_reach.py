"""For maps: how far one gets in so many minutes."""

from __future__ import annotations

import numpy as np
import shapely
from scipy.ndimage import binary_closing
from scipy.sparse.csgraph import dijkstra
from shapely.geometry.base import BaseGeometry

from geo.road_minutes import one_net
from geo.road_search import Net
from geo.roads import Roads
from geo.speeds import Speeds

GRID_METRES = 150.0
STEP_METRES = 50.0
"""Streets are sampled this often; less than half a cell, so that no cell on the way is missed."""


def reach_area(
    point: tuple[float, float],
    minutes: float,
    roads: Roads,
    *,
    speeds: Speeds | None = None,
    peak: float = 1.0,
    towards: bool = False,
    grid_metres: float = GRID_METRES,
) -> BaseGeometry:
    """Return the area reached from a point (EPSG:27700) within `minutes`, as cells of a grid.

    `towards`: from where the point is reached, instead. Cells that hold a reached piece of road,
    with gaps of up to four cells between them closed; no hull, which would overstate the area by
    half. MultiPolygon or Polygon in metres.
    """
    net, speeds = one_net(roads, np.array([point], dtype=float), speeds, peak)
    net = net.turned if towards else net
    left = minutes - float(net.gate[0])
    spots = [net.xy[net.first :]]
    if left > 0:
        reached = dijkstra(net.graph, directed=True, indices=int(net.leave[0]), limit=left)
        spots.append(_reached_spots(roads, net, reached, speeds.minutes(roads, peak)[0], left,
                                    towards))  # fmt: skip
    cells = np.unique(np.floor(np.vstack(spots) / grid_metres).astype(np.int64), axis=0)
    return _outline(cells, grid_metres)


def _reached_spots(
    roads: Roads, net: Net, reached: np.ndarray, along: np.ndarray, left: float, towards: bool
) -> np.ndarray:
    """Return points on every piece of street reached in time; (s, 2) metres."""
    ahead, back = (roads.backward, roads.forward) if towards else (roads.forward, roads.backward)
    at_a, at_b = reached[roads.a], reached[roads.b]
    some = np.isfinite(at_a) | np.isfinite(at_b) | (np.arange(len(at_a)) == net.street[0])
    streets = np.flatnonzero(some)
    count = np.ceil(roads.metres[streets] / STEP_METRES).astype(int) + 1
    street = np.repeat(streets, count)
    place = np.arange(len(street)) - np.repeat(np.cumsum(count) - count, count)
    share = place / np.repeat(np.maximum(count - 1, 1), count)
    time = np.minimum(
        np.where(ahead[street], at_a[street] + share * along[street], np.inf),
        np.where(back[street], at_b[street] + (1 - share) * along[street], np.inf),
    )
    # The street the place stands on is left from the middle.
    own = street == net.street[0]
    start = 1.0 - net.share[0] if towards else net.share[0]
    gap = share[own] - start
    allowed = np.where(gap > 0, ahead[street[own]], back[street[own]])
    near = np.where(allowed, np.abs(gap) * along[street[own]], np.inf)
    time[own] = np.minimum(time[own], near)
    inside = time <= left
    points = shapely.line_interpolate_point(
        roads.lines[street[inside]], share[inside], normalized=True
    )
    return np.asarray(shapely.get_coordinates(points))


def _outline(cells: np.ndarray, grid_metres: float) -> BaseGeometry:
    """Return the union of cells, small gaps closed; one box for each run of cells in a row."""
    edge = 3
    low = cells.min(axis=0) - edge
    grid = np.zeros(tuple(cells.max(axis=0) - low + edge + 1), dtype=bool)
    grid[tuple((cells - low).T)] = True
    grid = binary_closing(grid, np.ones((3, 3)), iterations=2) | grid
    steps = np.diff(grid.astype(np.int8), axis=0, prepend=0, append=0)
    start, row = np.nonzero(steps.T == 1)[::-1]
    end = np.nonzero(steps.T == -1)[1]
    west, south = low * grid_metres
    boxes = shapely.box(
        west + start * grid_metres,
        south + row * grid_metres,
        west + end * grid_metres,
        south + (row + 1) * grid_metres,
    )
    return shapely.union_all(boxes)
