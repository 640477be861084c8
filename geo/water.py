"""Shortest ways over land: straight where land allows, bent round water where it does not.

Method: a visibility graph. A shortest way round obstacles bends only at corners of the shore that
stick out into it, and touches each such corner without crossing it (Lozano-Pérez and Wesley, 1979,
"An algorithm for planning collision-free paths among polyhedral obstacles", CACM 22(10)). So the
nodes are the places, the ends of crossings and those corners of a simplified shore; the edges are
the segments that stay on land; Dijkstra's algorithm does the rest. Inland distances are exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import dijkstra
from shapely import STRtree
from shapely.geometry.base import BaseGeometry

SHORE_METRES = 50.0
"""The shore is simplified to this tolerance: finer detail does not change a drive."""
CREEK_METRES = 40.0
"""Water narrower than this is taken as bridged: creeks and rivers that every road crosses."""
_SKIN_METRES = 1.0
"""A segment may graze the shore by this much, so that it can run along it."""
_CHUNK = 200_000


@dataclass(frozen=True)
class Crossing:
    """A bridge, tunnel or ferry that a road takes over water.

    `start`, `end`: easting and northing (EPSG:27700, metres) on the two shores. `minutes` for the
    way between them; None means that its length counts as road. A `closed` crossing is not used,
    but is named where its closing cuts schools off. Both directions alike.
    """

    name: str
    start: tuple[float, float]
    end: tuple[float, float]
    minutes: float | None = None
    closed: bool = False

    @property
    def metres(self) -> float:
        """Straight length in metres."""
        return float(np.hypot(self.end[0] - self.start[0], self.end[1] - self.start[1]))


@dataclass(frozen=True, eq=False)
class Ground:
    """Land made ready for routing (EPSG:27700).

    `land`: simplified MultiPolygon, pieces without a place left out. `corners`: (k, 2) metres,
    where ways can bend; `arms`: (k, 2, 2), the two neighbours of each corner on the shore.
    """

    land: BaseGeometry
    corners: np.ndarray
    arms: np.ndarray


def ready_ground(
    land: BaseGeometry,
    places: np.ndarray,
    *,
    creek_metres: float = CREEK_METRES,
    shore_metres: float = SHORE_METRES,
) -> Ground:
    """Bridge creeks, simplify the shore and leave out pieces that are nearest to no place.

    `places`: (n, 2) metres, schools and ends of crossings.
    """
    if creek_metres > 0:
        reach = creek_metres / 2
        # Round going out, so that no spike leaps a channel; sharp coming in, to leave corners as
        # they were.
        land = land.buffer(reach, quad_segs=4)
        land = land.buffer(-reach, join_style="mitre", mitre_limit=2.0)
    if shore_metres > 0:
        land = land.simplify(shore_metres, preserve_topology=True)
    parts = shapely.get_parts(shapely.union_all(shapely.get_parts(land)))
    nearest = STRtree(parts).query_nearest(shapely.points(places), all_matches=False)[1]
    kept = shapely.orient_polygons(shapely.MultiPolygon(parts[np.unique(nearest)].tolist()))
    return Ground(kept, *_corners(kept))


def metres_off(ground: Ground, places: np.ndarray) -> np.ndarray:
    """Return how far each place stands off the land (0 = on it), metres."""
    return np.asarray(shapely.distance(ground.land, shapely.points(places)))


def ways(
    ground: Ground,
    places: np.ndarray,
    crossings: Sequence[Crossing],
    *,
    detour: float,
) -> np.ndarray:
    """Return road metres of the shortest way between all places: (n, n), symmetric, inf = no way.

    Metres over land count × `detour`, those of `crossings` as they are. A place a little off the
    drawn shore joins at the nearest shore. Straight segments that stay on land are exact.
    """
    ends = np.array([end for c in crossings for end in (c.start, c.end)]).reshape(-1, 2)
    free = np.vstack([places, ends])
    anchors = _on_land(ground, free)
    n, m, k = len(places), len(free), len(ground.corners)

    shore = ground.land.buffer(_SKIN_METRES, join_style="mitre", mitre_limit=2.0).boundary
    shapely.prepare(shore)
    at = np.vstack([anchors, ground.corners])
    true_at = np.vstack([free, ground.corners])
    i, j = _candidates(ground, anchors)
    clear = _clear(shore, at, i, j)
    i, j = i[clear], j[clear]
    weight = np.hypot(*(true_at[i] - true_at[j]).T) * detour

    direct = np.full((n, n), np.inf)
    both = (i < n) & (j < n)
    direct[i[both], j[both]] = direct[j[both], i[both]] = weight[both]
    np.fill_diagonal(direct, 0.0)

    bridge = np.array([c.metres for c in crossings])
    start = n + 2 * np.arange(len(crossings))
    graph = _graph(
        m + k,
        np.concatenate([i[~both], start]),
        np.concatenate([j[~both], start + 1]),
        np.concatenate([weight[~both], bridge]),
    )
    bent = dijkstra(graph, directed=False, indices=np.arange(n))[:, :n]
    best = np.minimum(direct, bent)
    # Sums in opposite order differ in the last digit; a distance has no direction.
    return np.minimum(best, best.T)


def _corners(land: BaseGeometry) -> tuple[np.ndarray, np.ndarray]:
    """Return the corners of the shore that stick out into the way, and their neighbours.

    With land on the left of every ring these are the right turns.
    """
    spots, arms = [], []
    for ring in shapely.get_rings(shapely.get_parts(land)):
        here = shapely.get_coordinates(ring)[:-1]
        before, after = np.roll(here, 1, axis=0), np.roll(here, -1, axis=0)
        inward, outward = here - before, after - here
        right = inward[:, 0] * outward[:, 1] - inward[:, 1] * outward[:, 0] < 0
        spots.append(here[right])
        arms.append(np.stack([before, after], axis=1)[right])
    return np.concatenate(spots), np.concatenate(arms)


def _on_land(ground: Ground, places: np.ndarray) -> np.ndarray:
    """Return each place, or the nearest point of the shore where it stands off the land."""
    points = shapely.points(places)
    off = shapely.distance(ground.land, points) > 0
    moved = places.copy()
    if off.any():
        lines = shapely.shortest_line(ground.land, points[off])
        moved[off] = shapely.get_coordinates(shapely.get_point(lines, 0))
    return moved


def _candidates(ground: Ground, anchors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the pairs of nodes worth testing: all pairs of places, and taut ones at corners."""
    m = len(anchors)
    first, second = np.triu_indices(m, 1)
    place, corner = np.nonzero(_taut(anchors, ground))
    taut = _taut(ground.corners, ground)
    one, other = np.nonzero(np.triu(taut & taut.T, 1))
    return (
        np.concatenate([first, place, one + m]),
        np.concatenate([second, corner + m, other + m]),
    )


def _taut(origin: np.ndarray, ground: Ground) -> np.ndarray:
    """Whether a way from an origin could bend at a corner: both arms on one side of it. (n, k)."""
    along = ground.corners[None, :, :] - origin[:, None, :]
    sides = [
        along[:, :, 0] * arm[:, 1] - along[:, :, 1] * arm[:, 0]
        for arm in (ground.arms[:, 0] - ground.corners, ground.arms[:, 1] - ground.corners)
    ]
    slack = 1e-6 * np.abs(along).sum(axis=2) + 1e-9
    left = (sides[0] >= -slack) & (sides[1] >= -slack)
    right = (sides[0] <= slack) & (sides[1] <= slack)
    return np.asarray(left | right)


def _clear(shore: BaseGeometry, at: np.ndarray, i: np.ndarray, j: np.ndarray) -> np.ndarray:
    """Whether each segment i→j stays on land (meets no shore)."""
    clear = np.ones(len(i), dtype=bool)
    for begin in range(0, len(i), _CHUNK):
        part = slice(begin, begin + _CHUNK)
        segments = shapely.linestrings(np.stack([at[i[part]], at[j[part]]], axis=1))
        clear[part] = ~shapely.intersects(shore, segments)
    return clear


def _graph(size: int, i: np.ndarray, j: np.ndarray, weight: np.ndarray) -> csr_array:
    """Return a sparse graph keeping the lightest of parallel edges; zero-length edges survive."""
    low, high = np.minimum(i, j), np.maximum(i, j)
    order = np.lexsort((weight, high, low))
    low, high, weight = low[order], high[order], weight[order]
    new = np.ones(len(low), dtype=bool)
    new[1:] = (low[1:] != low[:-1]) | (high[1:] != high[:-1])
    # scipy reads a stored zero as no edge.
    light = np.maximum(weight[new], 1e-9)
    return csr_array(coo_array((light, (low[new], high[new])), shape=(size, size)))
