"""Which school stands in which area: by its coordinates, or by a column of the table."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from shapely import STRtree

from geo.areas import Areas
from geo.errors import AreasError, Faults

LISTED = 12
"""At most so many schools are written out in one note."""


@dataclass(frozen=True, eq=False)
class Placing:
    """The area of each school: `area` is a Series urn → area name, sorted by URN, none missing.

    `notes` say which schools were placed by nearness and where the file's own district disagrees.
    """

    area: pd.Series
    notes: tuple[str, ...] = ()


def place(
    schools: pd.DataFrame, areas: Areas, *, near_metres: float = 250.0, file: str = ""
) -> Placing:
    """Place each school of the schools table in the area whose polygon holds its coordinates.

    On a shared border the first area by name wins. A school outside every area but within
    `near_metres` of one (a drawn coast is coarser than a pier) is placed there and noted.
    Raises AreasError listing every school that cannot be placed; `file` names the schools file.
    """
    schools = schools.sort_index()
    names = areas.table.index.to_numpy()
    tree = STRtree(areas.table.geometry.values)
    spots = schools[["easting", "northing"]].to_numpy(float)
    tray = Faults(AreasError, file)
    found: list[str] = []
    near: list[str] = []
    for (urn, school), (east, north), inside in zip(
        schools.iterrows(), spots, _holding(tree, spots), strict=True
    ):
        area, problem, fix = "", _unusable(east, north), ""
        if not problem and inside is not None:
            area = str(names[inside])
        elif not problem:
            nearest, metres = _nearest(tree, east, north)
            if metres <= near_metres:
                area = str(names[nearest])
                near.append(f"{school['name']} ({urn}), {metres:.0f} m from {area}")
            else:
                problem, fix = _outside(tree, names, east, north, near_metres)
        if problem:
            remedy = f"Mend it in [schools.fix.{urn}]{fix} or leave it out with exclude."
            tray.add(problem, remedy, row=_row(school), urn=str(urn), name=str(school["name"]))
        found.append(area)
    tray.raise_if_any()
    area_of = pd.Series(found, index=schools.index, name="area", dtype=object)
    notes = []
    if near:
        notes.append(f"Just outside every area, so placed in the nearest: {_listed(near)}.")
    return Placing(area_of, (*notes, *_disagreements(schools, area_of)))


def place_by_column(schools: pd.DataFrame, column: str, *, file: str = "") -> Placing:
    """Place each school in the area named in a column of the schools table (no polygons needed).

    Raises AreasError if the column is absent, or naming every row where it is blank.
    """
    schools = schools.sort_index()
    tray = Faults(AreasError, file)
    if column not in schools.columns:
        columns = ", ".join(map(str, schools.columns))
        tray.add(f'There is no column "{column}". Columns: {columns}.')
        tray.raise_if_any()
    text = schools[column].astype("string").fillna("").str.strip().astype(object)
    for urn, school in schools[(text == "").to_numpy()].iterrows():
        tray.add(
            f"The column {column} is blank, so the school is in no area.",
            f"Fill it in, mend it in [schools.fix.{urn}] or leave it out with exclude.",
            row=_row(school),
            urn=str(urn),
            name=str(school["name"]),
        )
    tray.raise_if_any()
    return Placing(text.rename("area"))


def _holding(tree: STRtree, spots: np.ndarray) -> list[int | None]:
    """Return for each spot the first polygon that holds or touches it."""
    finite = np.flatnonzero(np.isfinite(spots).all(axis=1))
    hits, polygons = tree.query(shapely.points(spots[finite]), predicate="intersects")
    holding: list[int | None] = [None] * len(spots)
    for hit, polygon in zip(finite[hits].tolist(), polygons.tolist(), strict=True):
        before = holding[hit]
        holding[hit] = polygon if before is None else min(before, polygon)
    return holding


def _nearest(tree: STRtree, east: float, north: float) -> tuple[int, float]:
    """Return the nearest polygon (the first by name among equals) and its distance in metres."""
    polygons, metres = tree.query_nearest(shapely.Point(east, north), return_distance=True)
    return int(polygons.min()), float(metres.min())


def _unusable(east: float, north: float) -> str:
    """Say what is wrong with coordinates that cannot be a place in metres, or nothing."""
    if not (math.isfinite(east) and math.isfinite(north)):
        return "The school has no coordinates."
    if east == 0 or north == 0:
        return "The coordinates are zero, which means not recorded."
    if abs(east) <= 180 and abs(north) <= 180:
        return f"The coordinates ({east:g}, {north:g}) are degrees where metres should be."
    return ""


def _outside(
    tree: STRtree, names: np.ndarray, east: float, north: float, near_metres: float
) -> tuple[str, str]:
    """Say why a school stands in no area, and what would mend it."""
    if _nearest(tree, north, east)[1] <= near_metres:
        return (
            f"Easting and northing are swapped ({east:.0f}, {north:.0f}).",
            f" (easting = {north:.0f}, northing = {east:.0f})",
        )
    nearest, metres = _nearest(tree, east, north)
    return (
        f"The school is in the sea or outside every area: {metres / 1000:.1f} km "
        f"from {names[nearest]}.",
        "",
    )


def _disagreements(schools: pd.DataFrame, area: pd.Series) -> list[str]:
    """Note the schools whose own district differs from the polygon, if the areas are districts."""
    if "district" not in schools.columns:
        return []
    said = schools["district"].astype("string").fillna("").str.strip()
    known = set(area.str.casefold())
    distinct = set(said.str.casefold()) - {""}
    # Care networks or wards share no names with districts: nothing to compare.
    if 2 * len(distinct & known) < len(distinct) or not distinct:
        return []
    differs = (said != "") & (said.str.casefold() != area.str.casefold())
    if not differs.any():
        return []
    lines = [
        f"{schools.at[urn, 'name']} ({urn}) says {said[urn]}, stands in {area[urn]}"
        for urn in schools.index[differs.to_numpy()]
    ]
    return [f"The district in the file differs from the boundary: {_listed(lines)}."]


def _listed(lines: list[str]) -> str:
    more = f"; and {len(lines) - LISTED} more" if len(lines) > LISTED else ""
    return "; ".join(lines[:LISTED]) + more


def _row(school: pd.Series) -> int | None:
    row = school.get("row")
    return None if row is None or pd.isna(row) else int(row)
