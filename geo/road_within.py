"""Minutes from every place to those near it: for a country, where a square table is too big."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
from shapely.geometry.base import BaseGeometry

from geo.errors import Fault, TravelError
from geo.road_minutes import Points, as_points
from geo.road_search import Net, Progress, Search, between, dijkstra_search, ready_net
from geo.road_snap import snap
from geo.roads import Roads
from geo.speeds import Speeds, read_speeds

COLUMNS = ("from", "to", "minutes")
TILE_METRES = 25_000.0
"""Places are searched from tile by tile, each on the part of the roads that it can see."""


def minutes_within(
    points: Points,
    roads: Roads,
    *,
    limit: float,
    speeds: Speeds | None = None,
    peak: float = 1.0,
    land: BaseGeometry | None = None,
    search: Search = dijkstra_search,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Minutes from every point to all others that are reached within `limit`, one row a journey.

    `points` as in `minutes_between` (EPSG:27700, metres). Columns: from, to (labels of the points),
    minutes (float32, not rounded; no floor), in the order of the points. Journeys that are longer,
    or have no way, are not there. Memory grows with the journeys found, never with the square of
    the points; `progress(done, of)` is called between searches. Raises TravelError as
    `minutes_between` does.
    """
    if not (np.isfinite(limit) and limit > 0):
        raise TravelError(Fault(f"The limit is {limit:g} minutes.", "Give more than 0."))
    table = as_points(points)
    spots = table.to_numpy(float)
    snaps = snap(roads, spots, [str(label) for label in table.index], land=land)
    net = ready_net(roads, snaps, speeds or read_speeds(), peak)
    seen = limit * _fastest(net)
    done, found = 0, [np.zeros((0, 3))]
    for sources in _tiles(spots):
        targets, part = _around(net, sources, seen)
        inside = np.searchsorted(targets, sources)
        minutes = between(
            part,
            inside,
            np.arange(len(targets)),
            limit=limit,
            search=search,
            progress=_onwards(progress, done, len(sources), len(table)),
        )
        minutes[np.arange(len(sources)), inside] = np.inf
        row, column = np.nonzero(np.isfinite(minutes))
        found.append(np.column_stack([sources[row], targets[column], minutes[row, column]]))
        done += len(sources)
    rows = np.vstack(found)
    start, end = rows[:, 0].astype(int), rows[:, 1].astype(int)
    order = np.lexsort((end, start))
    values = (table.index[start], table.index[end], rows[:, 2].astype(np.float32))
    return pd.DataFrame({key: value[order] for key, value in zip(COLUMNS, values, strict=True)})


def _tiles(spots: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the positions of the places of one tile after another."""
    if not len(spots):
        return
    tile = np.floor(spots / TILE_METRES).astype(np.int64)
    _, group = np.unique(tile, axis=0, return_inverse=True)
    order = np.argsort(group.ravel(), kind="stable")
    ends = np.flatnonzero(np.diff(group.ravel()[order])) + 1
    yield from np.split(order, ends)


def _fastest(net: Net) -> float:
    """Return the most metres, as the crow flies, that any step of the network gains in a minute."""
    steps = net.graph.tocoo()
    metres = np.hypot(*(net.xy[steps.row] - net.xy[steps.col]).T)
    # A step of less than a metre is a place beside a corner: it gains nothing.
    return float((metres / steps.data)[metres > 1.0].max(initial=0.0))


def _around(net: Net, sources: np.ndarray, metres: float) -> tuple[np.ndarray, Net]:
    """Return the places within so many metres of some, and the network there with those on it.

    What lies farther off as the crow flies cannot be reached in time, nor lie on a way that is.
    """
    here = net.xy[net.leave[sources]]
    reach = metres + 1_000.0
    low, high = here.min(axis=0) - reach, here.max(axis=0) + reach
    near = ((net.xy >= low) & (net.xy <= high)).all(axis=1)
    places = np.flatnonzero(near[net.leave])
    nodes = np.flatnonzero(near)
    new = np.cumsum(near) - 1
    fields = ("street", "share", "along", "against", "gate")
    part = replace(
        net,
        graph=net.graph[nodes][:, nodes],
        first=int(near[: net.first].sum()),
        leave=new[net.leave[places]],
        arrive=new[net.arrive[places]],
        xy=net.xy[nodes],
        **{key: getattr(net, key)[places] for key in fields},
    )
    return places, part


def _onwards(progress: Progress | None, begin: int, count: int, of: int) -> Progress | None:
    """Return a progress that goes on counting from tile to tile.

    Places at one spot are searched from once, so that a tile counts its searches, not its places.
    """
    if progress is None:
        return None
    tell = progress
    return lambda done, searches: tell(begin + count * done // searches, of)
