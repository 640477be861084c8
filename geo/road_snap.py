"""Joins places to the nearest street of a network: to the middle of it, not only to its ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geo.errors import Faults, TravelError
from geo.roads import Roads

FAR_METRES = 250.0
"""A place farther than this from a road is named in a note."""
OFF_METRES = 2_000.0
"""A place farther than this from every road is a fault."""
WATER_METRES = 40.0
"""The way from a gate to the road may lead over this much water (a ditch, a coarse shore)."""
LISTED = 100
"""So many far places are named; a county with more has the wrong roads."""


@dataclass(frozen=True, eq=False)
class Snaps:
    """Where each place joins the network: `street` (p,), `share` of the way from its a to its b
    (p,), and `metres` off the road (p,). `notes` name the far ones."""

    street: np.ndarray
    share: np.ndarray
    metres: np.ndarray
    notes: tuple[str, ...] = ()


def snap(
    roads: Roads,
    spots: np.ndarray,
    names: Sequence[str] = (),
    *,
    land: BaseGeometry | None = None,
) -> Snaps:
    """Join places (p, 2) to the nearest street with frontage; never over water where `land` is.

    `names` stand in faults and notes. Raises TravelError naming every place without coordinates or
    more than 2 km from a road.
    """
    spots = np.asarray(spots, dtype=float)
    names = list(names) or [f"Place {k + 1}" for k in range(len(spots))]
    tray = Faults(TravelError)
    for k in np.flatnonzero(~np.isfinite(spots).all(axis=1)):
        tray.add("has no coordinates.", "Mend it in [schools.fix] or leave it out.", name=names[k])
    tray.raise_if_any()
    points = shapely.points(spots)
    lines = roads.lines[roads.frontage]
    if not len(lines):
        tray.add("The roads hold no street that a gate could open on to.")
        tray.raise_if_any()
    place, found = roads.tree.query_nearest(points, all_matches=True)
    # Of streets equally near the first counts, whatever order the index gives them in.
    nearest = np.full(len(spots), len(lines))
    np.minimum.at(nearest, place, found)
    foot = shapely.get_point(shapely.shortest_line(points, lines[nearest]), -1)
    if land is not None:
        _keep_ashore(roads, points, nearest, foot, lines, land)
    gap = shapely.distance(points, foot)
    gap[shapely.is_empty(foot)] = np.inf
    for k in np.flatnonzero(~(gap <= OFF_METRES)):
        far = f"{gap[k] / 1000:.1f} km" if np.isfinite(gap[k]) else "more than 2 km"
        tray.add(
            f"stands {far} from the nearest road that can be used.",
            "Check its coordinates, give roads that reach it, or declare the crossing that leads "
            "there ([[travel.crossing]]).",
            name=names[k],
        )
    tray.raise_if_any()
    share = shapely.line_locate_point(lines[nearest], foot, normalized=True)
    return Snaps(roads.frontage[nearest], share, gap, _far(gap, names))


def _keep_ashore(
    roads: Roads,
    points: np.ndarray,
    nearest: np.ndarray,
    foot: np.ndarray,
    lines: np.ndarray,
    land: BaseGeometry,
) -> None:
    """Where the way to the road leads over water, join the nearest road on the same shore instead.

    Changes `nearest` (streets) and `foot` (points on them); an empty point where that shore has no
    road within 2 km.
    """
    shapely.prepare(land)
    for k in np.flatnonzero(~shapely.covers(land, shapely.shortest_line(points, foot))):
        if _wet(shapely.shortest_line(points[k], foot[k]), land) <= WATER_METRES:
            continue
        parts = shapely.get_parts(shapely.intersection(land, points[k].buffer(OFF_METRES)))
        foot[k] = shapely.Point()
        if not len(parts):
            continue
        shore = parts[shapely.distance(parts, points[k]).argmin()]
        about = np.sort(roads.tree.query(shore, predicate="intersects"))
        dry = shapely.intersection(lines[about], shore)
        gap = shapely.distance(dry, points[k])
        if len(gap):
            nearest[k] = about[gap.argmin()]
            foot[k] = shapely.get_point(shapely.shortest_line(dry[gap.argmin()], points[k]), 0)


def _wet(way: BaseGeometry, land: BaseGeometry) -> float:
    return float(shapely.length(shapely.difference(way, land)))


def _far(gap: np.ndarray, names: Sequence[str]) -> tuple[str, ...]:
    far = np.flatnonzero(gap > FAR_METRES)
    if not len(far):
        return ()
    far = far[np.argsort(-gap[far], kind="stable")]
    told = ", ".join(f"{names[k]} ({gap[k]:.0f} m)" for k in far[:LISTED])
    more = f" and {len(far) - LISTED} more" if len(far) > LISTED else ""
    return (f"More than {FAR_METRES:.0f} m from the nearest road: {told}{more}.",)
