"""What every reader of roads hands on: streets as arrays, before anything is chosen or joined."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import shapely
from pyproj import Transformer

from geo.errors import Fault, TravelError

BRITAIN = (-100_000.0, -100_000.0, 800_000.0, 1_300_000.0)
REASONS = {"ferry": "ferries", "toll": "toll roads", "private": "closed to the public"}


@dataclass(frozen=True, eq=False)
class RawRoads:
    """Streets between nodes, as a file has them (EPSG:27700, metres).

    `xy`: (n, 2). Of every street k: `a`, `b` its nodes, `metres`, `road_class` (text), `signed_kmh`
    (NaN = no limit signed), `forward` (a to b) and `backward`; its drawn line is
    `line_xy[line_at[k]:line_at[k + 1]]`, from a to b. `date` of the data, `osm` whether it is
    OpenStreetMap's.
    """

    xy: np.ndarray
    a: np.ndarray
    b: np.ndarray
    metres: np.ndarray
    road_class: np.ndarray
    signed_kmh: np.ndarray
    forward: np.ndarray
    backward: np.ndarray
    line_at: np.ndarray
    line_xy: np.ndarray
    date: str = ""
    osm: bool = True
    notes: tuple[str, ...] = ()

    def taken(self, streets: np.ndarray) -> RawRoads:
        """Return the chosen streets (positions or mask) in that order, nodes untouched."""
        streets = np.flatnonzero(streets) if streets.dtype == bool else streets
        line_at, rows = slices(self.line_at, streets)
        return RawRoads(
            self.xy,
            self.a[streets],
            self.b[streets],
            self.metres[streets],
            self.road_class[streets],
            self.signed_kmh[streets],
            self.forward[streets],
            self.backward[streets],
            line_at,
            self.line_xy[rows],
            self.date,
            self.osm,
            self.notes,
        )


def slices(offsets: np.ndarray, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return new offsets and the rows of the chosen slices, one after another."""
    sizes = offsets[chosen + 1] - offsets[chosen]
    new = np.concatenate([[0], np.cumsum(sizes)])
    rows = np.arange(new[-1]) + np.repeat(offsets[chosen] - new[:-1], sizes)
    return new, rows


def lengths(line_at: np.ndarray, line_xy: np.ndarray) -> np.ndarray:
    """Return the length of each drawn line in metres."""
    steps = np.hypot(*np.diff(line_xy, axis=0).T)
    run = np.concatenate([[0.0], np.cumsum(steps)])
    inner = run[line_at[1:] - 1] - run[line_at[:-1]]
    return np.asarray(inner, dtype=float)


def lines_of(line_at: np.ndarray, line_xy: np.ndarray) -> np.ndarray:
    """Return the lines as shapely geometries."""
    index = np.repeat(np.arange(len(line_at) - 1), np.diff(line_at))
    return np.asarray(shapely.linestrings(line_xy, indices=index))


@lru_cache(maxsize=4)
def _to_grid(crs: str) -> Transformer:
    return Transformer.from_crs(crs, "EPSG:27700", always_xy=True)


def to_grid(spots: np.ndarray, crs: str = "EPSG:4326", *, file: str = "") -> np.ndarray:
    """Turn coordinates (x or longitude first) into metres; fault what is outside Great Britain."""
    if crs != "EPSG:27700":
        spots = np.column_stack(_to_grid(crs).transform(spots[:, 0], spots[:, 1]))
    west, south, east, north = BRITAIN
    x, y = spots.T
    inside = (x > west) & (x < east) & (y > south) & (y < north)
    if not inside.all():
        raise TravelError(
            Fault(
                f"{int((~inside).sum()):,} of {len(spots):,} points lie outside Great Britain.",
                "Give an extract of Great Britain; longitude stands before latitude.",
                file,
            )
        )
    return np.asarray(spots, dtype=float)


def left_out(reasons: Counter[str], mode: str) -> tuple[str, ...]:
    """Return a note on the ways that a reader did not take, if there were any."""
    parts = [f"{reasons[key]:,} {words}" for key, words in REASONS.items() if reasons[key]]
    if not parts:
        return ()
    return (
        f"Roads left out for {'driving' if mode == 'drive' else mode + 'ing'}: {', '.join(parts)}.",
    )
