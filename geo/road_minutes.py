"""Minutes people believe: between schools, or any points, by car or on foot over real roads."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pandas as pd
from shapely.geometry.base import BaseGeometry

from geo.errors import Fault, Faults, TravelError
from geo.road_search import Net, Progress, Search, between, dijkstra_search, ready_net
from geo.road_snap import snap
from geo.road_store import completed, store_path
from geo.roads import Roads
from geo.speeds import Speeds, read_speeds
from geo.travel import DECIMALS, FLOOR_MINUTES, Minutes, as_table, counted

LISTED = 100
"""So many schools that no road joins to the rest are named."""
Points: TypeAlias = pd.DataFrame | np.ndarray | Sequence[tuple[float, float]]


def road_minutes(
    schools: pd.DataFrame,
    roads: Roads,
    *,
    speeds: Speeds | None = None,
    peak: float = 1.0,
    floor_minutes: float = FLOOR_MINUTES,
    limit: float | None = None,
    land: BaseGeometry | None = None,
    search: Search = dijkstra_search,
    progress: Progress | None = None,
    cache: Path | str | None = None,
) -> Minutes:
    """Minutes between all schools, to 0.1, never below `floor_minutes`; not symmetric.

    `schools`: index urn; name, easting, northing (EPSG:27700, metres). `speeds`: those of the
    project unless given; `peak` multiplies driving minutes (1.3 = a third slower). `limit`: search
    no farther than so many minutes; a longer journey then stands as `limit`, and a note counts
    them. `land`: no school is joined to a road over water. `progress(done, of)` is called between
    searches. `cache`: a folder; only new and moved schools are searched again. Raises TravelError
    naming schools far from any road, and schools that no road joins to the rest.
    """
    schools = schools.sort_index()
    speeds = speeds or read_speeds()
    _check(peak, floor_minutes, limit)
    names = [f"{name} ({urn})" for urn, name in schools["name"].items()]
    spots = schools[["easting", "northing"]].to_numpy(float)
    snaps = snap(roads, spots, names, land=land)
    net = ready_net(roads, snaps, speeds, peak)

    def ways(sources: np.ndarray, targets: np.ndarray) -> np.ndarray:
        return between(net, sources, targets, limit=limit, search=search, progress=progress)

    every = np.arange(len(schools))
    if cache is None:
        found = ways(every, every).astype(np.float32)
    else:
        shore = "" if land is None else hashlib.sha256(land.wkb).hexdigest()
        path = store_path(cache, roads.digest, speeds.digest, float(peak), limit, shore)
        found = completed(path, spots, ways)
    notes = [*roads.notes, *snaps.notes]
    found = _finished(found.astype(float), schools, roads, limit, notes)
    minutes = np.maximum(found.round(DECIMALS), floor_minutes)
    table = as_table(minutes, schools.index.astype(str))
    return Minutes(table, described(roads, speeds, peak), "roads", tuple(notes))


def minutes_between(
    points_a: Points,
    points_b: Points,
    roads: Roads,
    *,
    speeds: Speeds | None = None,
    peak: float = 1.0,
    limit: float | None = None,
    land: BaseGeometry | None = None,
    search: Search = dijkstra_search,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Minutes from any points to any points: rows `points_a`, columns `points_b`, not rounded.

    Points are a table with easting and northing (its index labels the answer) or pairs of metres.
    NaN: no way, or none within `limit`. Zero is kept: no floor, no diagonal.
    """
    _check(peak, 0.0, limit)
    tables = [as_points(points_a), as_points(points_b)]
    both = pd.concat(tables)
    snaps = snap(roads, both.to_numpy(float), [str(label) for label in both.index], land=land)
    net = ready_net(roads, snaps, speeds or read_speeds(), peak)
    rows = np.arange(len(tables[0]))
    columns = len(rows) + np.arange(len(tables[1]))
    found = between(net, rows, columns, limit=limit, search=search, progress=progress)
    return pd.DataFrame(
        np.where(np.isinf(found), np.nan, found), index=tables[0].index, columns=tables[1].index
    )


def described(roads: Roads, speeds: Speeds, peak: float = 1.0) -> str:
    """Return the sentence that every output bears on where the minutes come from."""
    whose = " (© OpenStreetMap contributors)" if roads.osm else ""
    if roads.mode == "walk":
        return f"walking over {roads.called}{whose} at {speeds.walk_kmh:g} km/h"
    slow = f", peak × {peak:g}" if peak != 1 else ", light traffic"
    factor = f" × {speeds.factor:g}" if speeds.factor != 1 else ""
    return f"driving over {roads.called}{whose} at speeds by class of {speeds.date}{factor}{slow}"


def one_net(
    roads: Roads, spots: np.ndarray, speeds: Speeds | None, peak: float
) -> tuple[Net, Speeds]:
    """Put a few points on a network; for maps, that draw one way or one reach at a time."""
    speeds = speeds or read_speeds()
    return ready_net(roads, snap(roads, spots), speeds, peak), speeds


def as_points(points: Points) -> pd.DataFrame:
    """Return points as a table of easting and northing, whichever form they were given in."""
    if isinstance(points, pd.DataFrame):
        return points[["easting", "northing"]]
    spots = np.asarray(points, dtype=float).reshape(-1, 2)
    return pd.DataFrame(spots, columns=["easting", "northing"])


def _check(peak: float, floor_minutes: float, limit: float | None) -> None:
    """Fault numbers that cannot be right, all at once."""
    tray = Faults(TravelError)
    if not (np.isfinite(peak) and 0.2 <= peak <= 5):
        tray.add(f"The peak factor is {peak:g}.", "Give 1 for light traffic, 1.3 for a busy hour.")
    if not (np.isfinite(floor_minutes) and floor_minutes >= 0):
        tray.add(f"The shortest journey is {floor_minutes:g} minutes.", "Give 0 or more.")
    if limit is not None and not limit > 0:
        tray.add(f"The limit is {limit:g} minutes.", "Give more than 0, or leave it out.")
    tray.raise_if_any()


def _finished(
    found: np.ndarray,
    schools: pd.DataFrame,
    roads: Roads,
    limit: float | None,
    notes: list[str],
) -> np.ndarray:
    """Put the limit where a journey is longer; raise where there is none at all."""
    beyond = np.isinf(found)
    if not beyond.any():
        return found
    if limit is not None:
        notes.append(
            f"{counted(int(beyond.sum()), 'journey')} of more than "
            f"{limit:g} minutes stand as {limit:g}: the search went no farther."
        )
        return np.where(beyond, limit, found)
    mutual = ~beyond & ~beyond.T
    first = mutual.argmax(axis=1)
    main = int(np.bincount(first).argmax())
    shut = [note for note in roads.notes if note.startswith("Declared closed")]
    faults = []
    for group in np.unique(first[first != main]):
        names = [f"{n} ({urn})" for urn, n in schools.loc[first == group, "name"].items()]
        more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
        told = " ".join([f"{', '.join(names[:LISTED])}{more}.", *shut])
        faults.append(
            Fault(
                f"No road joins {counted(len(names), 'school')} to the rest, both ways: {told}",
                "Declare the bridge or ferry that does ([[travel.crossing]] with minutes), give "
                "roads that reach farther, or leave the schools out with exclude.",
            )
        )
    raise TravelError(faults)
