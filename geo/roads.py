"""A road network for driving or walking, from a saved file or live, ready for minutes.

Files: OpenStreetMap extracts (`.osm.pbf`, `.osm`), GraphML and GeoPackage saved by OSMnx, and two
tables of nodes and edges. Live: OSMnx, behind one callable that tests replace.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from pyproj import Transformer
from shapely import STRtree
from shapely.geometry.base import BaseGeometry

from geo import road_cache
from geo.errors import Fault, TravelError
from geo.road_crossings import added
from geo.road_live import osmnx_fetch
from geo.road_network import compact, junctions, main_part, near_numbers, simplified
from geo.road_raw import RawRoads, lines_of
from geo.road_rules import MODES, NO_FRONTAGE, Mode
from geo.water import Crossing

Source = Path | str | tuple[Path | str, Path | str]
Fetch = Callable[[BaseGeometry, Mode], Any]
BUFFER_METRES = 20_000.0
"""Roads are fetched this far beyond the areas: the quick way may lead through the neighbours'."""
ISLANDS_TOLD = 0.001


@dataclass(frozen=True, eq=False)
class Roads:
    """Streets between nodes (EPSG:27700, metres) in which every place is reached from every other.

    `xy`: (n, 2) nodes. Of every street k: `a`, `b` nodes; `metres`; `road_class`, position in
    `classes`; `signed_kmh`, NaN where no limit is signed; `forward` (a to b may be used) and
    `backward`; its line, from a to b, is `line_xy[line_at[k]:line_at[k + 1]]`. `junction`: (n,)
    whether three or more streets meet. `source`, `date`, `mode` and `notes` say what it was made
    from; `digest` changes with any of it.
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
    junction: np.ndarray
    classes: tuple[str, ...]
    mode: Mode
    source: str
    date: str = ""
    osm: bool = True
    notes: tuple[str, ...] = ()

    @cached_property
    def directed(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """From-node, to-node and street of every direction that may be used."""
        with_it, against = np.flatnonzero(self.forward), np.flatnonzero(self.backward)
        return (
            np.concatenate([self.a[with_it], self.b[against]]),
            np.concatenate([self.b[with_it], self.a[against]]),
            np.concatenate([with_it, against]),
        )

    @cached_property
    def lines(self) -> np.ndarray:
        """The drawn streets as shapely lines."""
        return lines_of(self.line_at, self.line_xy)

    @cached_property
    def frontage(self) -> np.ndarray:
        """Positions of the streets that a gate may open on to: no motorways, no crossings."""
        never = [k for k, name in enumerate(self.classes) if name in (*NO_FRONTAGE, "crossing")]
        return np.flatnonzero(~np.isin(self.road_class, never))

    @cached_property
    def tree(self) -> STRtree:
        """Index over the lines of `frontage`."""
        return STRtree(self.lines[self.frontage])

    @cached_property
    def digest(self) -> str:
        """Ten hex digits over every array, and what the network is for."""
        total = hashlib.sha256(repr((self.mode, self.classes)).encode())
        for array in (self.xy, self.a, self.b, self.metres, self.road_class, self.signed_kmh,
                      self.forward, self.backward, self.line_xy):  # fmt: skip
            total.update(np.ascontiguousarray(array).tobytes())
        return total.hexdigest()[:10]

    @property
    def called(self) -> str:
        """What the network is, for the foot of an output: `OpenStreetMap roads of 2022-07-20`."""
        name = "OpenStreetMap roads" if self.osm else f"the roads in {self.source}"
        return f"{name} of {self.date}" if self.date else f"{name}, date not known"


def read_roads(
    source: Source,
    *,
    mode: Mode = "drive",
    ferries: bool = False,
    tolls: bool = False,
    crossings: Sequence[Crossing] = (),
    date: str = "",
    cache: Path | str | None = None,
) -> Roads:
    """Read a network from a file, or from a pair of tables (nodes, edges).

    Ferries and toll roads are left out unless wanted; roads closed to the public always are. Of
    `crossings`, one that the roads lack is added; a closed one is cut (schools then stand where
    they stand, and minutes say who is cut off). `date`: of the data, where the file does not say.
    `cache`: a folder in which the network is kept, so that the next reading takes milliseconds.
    Raises TravelError naming file and row.
    """
    paths = tuple(map(Path, source)) if isinstance(source, tuple) else (Path(source),)
    _check(paths, mode)
    key = None
    if cache is not None:
        options = (mode, ferries, tolls, date, tuple(c for c in crossings if not c.closed))
        key = road_cache.place(Path(cache), paths, options)
        kept = road_cache.load(key)
        if kept is not None:
            return _shut(Roads(**kept), crossings)
    raw = _read(paths, mode, ferries, tolls)
    roads = build(raw, mode, " and ".join(p.name for p in paths), date=date, crossings=crossings)
    if key is not None:
        road_cache.save(key, roads)
    return _shut(roads, crossings)


def live_roads(
    area: BaseGeometry,
    *,
    mode: Mode = "drive",
    buffer_metres: float = BUFFER_METRES,
    fetch: Fetch | None = None,
    ferries: bool = False,
    tolls: bool = False,
    crossings: Sequence[Crossing] = (),
    cache: Path | str | None = None,
) -> Roads:
    """Fetch a network for an area (EPSG:27700) and `buffer_metres` round it.

    `fetch(polygon in degrees, mode)` returns an OSMnx graph; without one OSMnx asks the Overpass
    service (`geo.road_live`); with `cache` it is asked once.
    """
    from geo.road_tables import from_graph

    wide = area.buffer(buffer_metres).simplify(100.0)
    key = None
    if cache is not None:
        options = (
            mode,
            ferries,
            tolls,
            tuple(c for c in crossings if not c.closed),
            wide.wkb.hex(),
        )
        key = road_cache.place(Path(cache), (), options)
        kept = road_cache.load(key)
        if kept is not None:
            return _shut(Roads(**kept), crossings)
    turn = Transformer.from_crs("EPSG:27700", "EPSG:4326", always_xy=True)
    degrees = shapely.transform(wide, lambda c: np.column_stack(turn.transform(*c.T)))
    graph = (fetch or osmnx_fetch)(degrees, mode)
    raw = from_graph(graph, mode, ferries=ferries, tolls=tolls)
    roads = build(raw, mode, "OpenStreetMap, fetched with OSMnx", crossings=crossings)
    if key is not None:
        road_cache.save(key, roads)
    return _shut(roads, crossings)


def hull_of(spots: np.ndarray) -> BaseGeometry:
    """Return the convex hull of places (p, 2): the ground to fetch roads for where no area is."""
    return shapely.MultiPoint(spots).convex_hull


def build(
    raw: RawRoads,
    mode: Mode,
    source: str,
    *,
    date: str = "",
    crossings: Sequence[Crossing] = (),
) -> Roads:
    """Make a network of streets as read: open crossings added, islands dropped, chains joined."""
    raw, notes = added(compact(raw), [c for c in crossings if not c.closed])
    raw, share = main_part(raw, mode)
    if share > ISLANDS_TOLD:
        notes.append(
            f"{share:.1%} of the length of the roads hangs together with the rest in one direction "
            "only or not at all, and is left out."
        )
    raw = near_numbers(compact(simplified(compact(raw))))
    classes = tuple(sorted(set(raw.road_class)))
    return Roads(
        xy=raw.xy,
        a=raw.a.astype(np.int32),
        b=raw.b.astype(np.int32),
        metres=raw.metres,
        road_class=np.searchsorted(np.array(classes), raw.road_class.astype(str)).astype(np.int8),
        signed_kmh=raw.signed_kmh,
        forward=raw.forward,
        backward=raw.backward,
        line_at=raw.line_at,
        line_xy=raw.line_xy,
        junction=junctions(raw),
        classes=classes,
        mode=mode,
        source=source,
        date=raw.date or date,
        osm=raw.osm,
        notes=(*raw.notes, *notes),
    )


def _shut(roads: Roads, crossings: Sequence[Crossing]) -> Roads:
    """Cut the roads at the closed crossings."""
    from geo.road_crossings import cut

    for crossing in crossings:
        if crossing.closed:
            arrays, note = cut(roads, crossing)
            roads = replace(roads, **arrays, notes=(*roads.notes, note))
    return roads


def _check(paths: tuple[Path, ...], mode: Mode) -> None:
    if mode not in MODES:
        raise TravelError(Fault(f'The mode is "{mode}".', 'Give "drive" or "walk".'))
    missing = [
        Fault("The file of roads is not there.", "Check the path.", p.name)
        for p in paths
        if not p.is_file()
    ]
    if missing:
        raise TravelError(missing)


def _read(paths: tuple[Path, ...], mode: Mode, ferries: bool, tolls: bool) -> RawRoads:
    """Choose the reader by the ending of the file."""
    from geo.road_files import read_osm
    from geo.road_tables import read_csv_roads, read_osmnx_file

    name = paths[0].name.lower()
    if len(paths) == 2:
        return read_csv_roads(*paths, mode, ferries=ferries, tolls=tolls)
    if name.endswith((".graphml", ".gpkg")):
        return read_osmnx_file(paths[0], mode, ferries=ferries, tolls=tolls)
    if name.endswith((".pbf", ".osm", ".osm.gz", ".osm.bz2", ".o5m")):
        return read_osm(paths[0], mode, ferries=ferries, tolls=tolls)
    raise TravelError(
        Fault(
            "is no kind of road file that can be read.",
            "Give .osm.pbf, .osm, .graphml, .gpkg, or two tables: nodes and edges.",
            paths[0].name,
        )
    )
