"""Any polygon layer — districts, care networks, wards — as one checked table in metres.

The layer may be GeoJSON, GeoPackage or Shapefile in any coordinate system. What had to be mended
or guessed is told in the notes; what cannot be guessed is a fault.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyogrio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError
from shapely.geometry.base import BaseGeometry

from geo.errors import AreasError, Faults, did_you_mean, short_path

NATIONAL_GRID = "EPSG:27700"
GRID_EXTENT = (0.0, 0.0, 700_000.0, 1_300_000.0)
"""Metres: the rectangle of the British National Grid."""
DEGREE_EXTENT = (-9.5, 49.0, 2.5, 61.5)
"""Degrees: longitude and latitude of Great Britain."""
OVERLAP_SHARE = 0.01
"""Two areas sharing more than this part of the smaller one are told; less is drawing error."""

_ONS_FIELD = re.compile(r"^(LAD|LSOA|WD|MSOA|PCN|CTYUA|UTLA)\d\d(CD|NM)$", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class Areas:
    """A checked polygon layer.

    `table`: GeoDataFrame in EPSG:27700 (metres), index `area` (name, text, sorted, unique), columns
    `code` (text, "" = none) and `geometry` (valid Polygon or MultiPolygon).
    `file` is where it came from, `notes` say in plain words what was mended on reading.
    """

    table: gpd.GeoDataFrame
    file: Path | None = None
    notes: tuple[str, ...] = ()

    @cached_property
    def land(self) -> BaseGeometry:
        """All areas as one geometry (EPSG:27700, metres)."""
        return self.table.geometry.union_all()


def read_areas(
    path: Path | str,
    *,
    name_field: str | None = None,
    code_field: str | None = None,
    layer: str | None = None,
    keep: Collection[str] | None = None,
) -> Areas:
    """Read a polygon layer and return it checked, repaired and in metres.

    Name and code are found in fields such as `LAD24NM`/`LAD24CD` or `name`/`code` unless given.
    `layer` chooses within a GeoPackage; `keep` leaves only the areas so named.
    Raises AreasError with every fault found in the file.
    """
    path = Path(path)
    tray = Faults(AreasError, short_path(path))
    notes: list[str] = []
    frame = _open(path, layer, tray)
    tray.raise_if_any()
    names = _field(frame, name_field, "NM", "name", tray)
    codes = _field(frame, code_field, "CD", "code", tray)
    _check_shapes(frame, tray)
    tray.raise_if_any()
    frame = _in_metres(frame, tray, notes)
    assert names is not None  # otherwise a fault was raised above
    named = _named(frame, names, codes, tray)
    tray.raise_if_any()
    table = _one_row_per_name(_repaired(named, notes), notes)
    if keep is not None:
        table = _only(table, keep, tray)
        tray.raise_if_any()
    notes += _overlaps(table)
    return Areas(table, path, tuple(notes))


def read_land(
    path: Path | str, *, layer: str | None = None
) -> tuple[BaseGeometry, tuple[str, ...]]:
    """Read a layer of dry land without names: its union (EPSG:27700, metres) and notes.

    For `geo.travel.straight_line`, where routes should be able to leave the county.
    """
    path = Path(path)
    tray = Faults(AreasError, short_path(path))
    notes: list[str] = []
    frame = _open(path, layer, tray)
    tray.raise_if_any()
    _check_shapes(frame, tray)
    tray.raise_if_any()
    frame = _in_metres(frame, tray, notes)
    frame["area"] = "land"
    return _repaired(frame, notes).geometry.union_all(), tuple(notes)


def _open(path: Path, layer: str | None, tray: Faults) -> gpd.GeoDataFrame:
    """Open the file, or put on the tray why it cannot be opened."""
    empty = gpd.GeoDataFrame(geometry=[])
    if not path.exists():
        tray.add("There is no such file.", "Check the path of the boundary layer.")
        return empty
    try:
        layers = [str(name) for name in pyogrio.list_layers(path)[:, 0]]
        if layer is None and len(layers) > 1:
            tray.add(
                f"The file holds several layers: {', '.join(layers)}.", "Say which: layer = …."
            )
            return empty
        if layer is not None and layer not in layers:
            tray.add(
                f'There is no layer "{layer}"; the file holds {", ".join(layers)}.',
                did_you_mean(layer, layers),
            )
            return empty
        frame = gpd.read_file(path, layer=layer, engine="pyogrio")
    except (DataSourceError, DataLayerError, ValueError) as error:
        tray.add(
            f"The file cannot be read as a boundary layer ({str(error).splitlines()[0][:120]}).",
            "It must be GeoJSON, GeoPackage, or a Shapefile with its .shx and .dbf beside it.",
        )
        return empty
    if not isinstance(frame, gpd.GeoDataFrame) or len(frame) == 0:
        tray.add("The file holds no area.", "Export the layer again with its polygons.")
        return empty
    return frame


def _field(
    frame: gpd.GeoDataFrame, asked: str | None, ending: str, plain: str, tray: Faults
) -> str | None:
    """Find the field of names ("NM") or codes ("CD"); a layer may go without codes."""
    fields = [str(column) for column in frame.columns if column != frame.geometry.name]
    listed = ", ".join(fields) or "none"
    key = "name_field" if ending == "NM" else "code_field"
    if asked is not None:
        if asked in fields:
            return asked
        tray.add(f'There is no field "{asked}". Fields: {listed}.', did_you_mean(asked, fields))
        return None
    ons = [f for f in fields if (match := _ONS_FIELD.match(f)) and match[2].upper() == ending]
    found = ons or [field for field in fields if field.lower() == plain]
    if len(found) > 1:
        tray.add(
            f"More than one field could hold the {plain} of an area: {', '.join(found)}.",
            f'Say which: {key} = "{found[0]}".',
        )
    elif not found and ending == "NM":
        tray.add(f"No field holds the names of areas. Fields: {listed}.", f"Say which: {key} = ….")
    return found[0] if len(found) == 1 else None


def _check_shapes(frame: gpd.GeoDataFrame, tray: Faults) -> None:
    """Fault every row that is not a polygon. Row numbers count features from 1."""
    for number, shape in enumerate(frame.geometry, start=1):
        if shape is None or shape.is_empty:
            tray.add("This area has no outline.", "Export the layer again.", row=number)
        elif shape.geom_type not in ("Polygon", "MultiPolygon"):
            tray.add(
                f"This is a {shape.geom_type}, not a polygon.",
                "Use a layer of polygons.",
                row=number,
            )


def _in_metres(frame: gpd.GeoDataFrame, tray: Faults, notes: list[str]) -> gpd.GeoDataFrame:
    """Return the layer in EPSG:27700; believe the numbers where they contradict the label."""
    bounds = tuple(float(value) for value in frame.total_bounds)
    degrees, metres = _within(bounds, DEGREE_EXTENT), _within(bounds, GRID_EXTENT)
    label = frame.crs
    if label is None or (label.is_geographic and max(map(abs, bounds)) > 360):
        why = "names no coordinate system" if label is None else "says degrees but holds metres"
        if degrees or metres:
            guess = "EPSG:4326" if degrees else NATIONAL_GRID
            words = "longitude and latitude" if degrees else "British National Grid metres"
            notes.append(f"{tray.file} {why}; its numbers were read as {words} ({guess}).")
            frame = frame.set_crs(guess, allow_override=True)
        else:
            tray.add(
                f"The layer {why}, and its numbers (x {bounds[0]:g} to {bounds[2]:g}, "
                f"y {bounds[1]:g} to {bounds[3]:g}) fit neither British metres nor degrees.",
                "Export it again as EPSG:27700 or EPSG:4326.",
            )
    elif not label.is_geographic and degrees:
        notes.append(
            f"{tray.file} says metres but holds degrees; it was read as longitude and latitude."
        )
        frame = frame.set_crs("EPSG:4326", allow_override=True)
    tray.raise_if_any()
    frame = frame.to_crs(NATIONAL_GRID)
    if not _within(tuple(frame.total_bounds), GRID_EXTENT, slack=50_000):
        swapped = _within((bounds[1], bounds[0], bounds[3], bounds[2]), DEGREE_EXTENT)
        tray.add(
            "The layer lies outside Great Britain"
            + (": latitude and longitude are swapped." if swapped else "."),
            "Export it again as EPSG:27700.",
        )
        tray.raise_if_any()
    return frame


def _within(
    box: tuple[float, ...], extent: tuple[float, float, float, float], slack: float = 0.0
) -> bool:
    """Whether a box (min x, min y, max x, max y) lies in an extent."""
    return (
        box[0] >= extent[0] - slack
        and box[1] >= extent[1] - slack
        and box[2] <= extent[2] + slack
        and box[3] <= extent[3] + slack
    )


def _named(
    frame: gpd.GeoDataFrame, names: str, codes: str | None, tray: Faults
) -> gpd.GeoDataFrame:
    """Return columns area, code, geometry; fault blank names; tell namesakes apart by code."""
    name = frame[names].astype("string").fillna("").str.strip().astype(str)
    code = frame[codes].astype("string").fillna("") if codes else pd.Series("", index=frame.index)
    for number, text in enumerate(name, start=1):
        if not text:
            tray.add(f"The field {names} is blank.", "Every area needs a name.", row=number)
    table = gpd.GeoDataFrame(
        {"area": name, "code": code.str.strip().astype(str)},
        geometry=frame.geometry.values,
        crs=frame.crs,
    )
    # Two wards called St Mary's are two areas: only the code tells, so it joins the name.
    namesakes = table.groupby("area")["code"].transform("nunique") > 1
    table.loc[namesakes, "area"] = table["area"] + " (" + table["code"] + ")"
    return table


def _repaired(frame: gpd.GeoDataFrame, notes: list[str]) -> gpd.GeoDataFrame:
    """Repair outlines that cross themselves, keeping only their polygons."""
    broken = ~frame.geometry.is_valid
    if broken.any():
        frame = frame.copy()
        mended = shapely.make_valid(frame.geometry.values[broken.to_numpy()])
        frame.loc[broken, "geometry"] = [_polygons(shape) for shape in mended]
        names = ", ".join(sorted(frame.loc[broken, "area"]))
        notes.append(f"Outlines that crossed themselves were repaired: {names}.")
    return frame


def _polygons(shape: BaseGeometry) -> BaseGeometry:
    """Leave out the stray lines and points that a repair may leave behind."""
    parts = [part for part in shapely.get_parts(shape) if part.geom_type.endswith("Polygon")]
    return shapely.union_all(parts)


def _one_row_per_name(table: gpd.GeoDataFrame, notes: list[str]) -> gpd.GeoDataFrame:
    """Join the pieces of an area that stands in several rows; sort by name."""
    repeated = table["area"][table["area"].duplicated()].unique()
    if len(repeated):
        names = ", ".join(sorted(repeated))
        notes.append(f"Areas standing in several rows were joined into one: {names}.")
        table = table.dissolve("area", aggfunc="first").reset_index()
    told_apart = table.loc[table["area"].str.endswith(")"), "area"].map(_without_code)
    shared = sorted(told_apart[told_apart.duplicated()].unique())
    if shared:
        notes.append(f"Areas of the same name carry their code: {', '.join(shared)}.")
    return table.set_index("area").sort_index()[["code", "geometry"]]


def _without_code(name: str) -> str:
    return name.rsplit(" (", 1)[0]


def _only(table: gpd.GeoDataFrame, keep: Collection[str], tray: Faults) -> gpd.GeoDataFrame:
    """Leave the areas named; fault a name the layer does not hold."""
    for name in sorted(set(keep) - set(table.index)):
        hint = did_you_mean(name, table.index) or f"The layer holds: {', '.join(table.index)}."
        tray.add(f'There is no area called "{name}".', hint)
    return table.loc[table.index.isin(list(keep))]


def _overlaps(table: gpd.GeoDataFrame) -> list[str]:
    """Name the pairs of areas that share more ground than drawing error explains."""
    shapes = table.geometry.values
    left, right = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    notes = []
    for i, j in sorted((int(i), int(j)) for i, j in zip(left, right, strict=True) if i < j):
        shared = shapes[i].intersection(shapes[j]).area / min(shapes[i].area, shapes[j].area)
        if shared > OVERLAP_SHARE:
            notes.append(
                f"{table.index[i]} and {table.index[j]} overlap by {shared:.0%} of the smaller; "
                "a school there counts for the first by name."
            )
    return notes
