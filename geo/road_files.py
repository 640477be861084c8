"""Reads OpenStreetMap extracts (`.osm.pbf`, `.osm`, `.osm.bz2`) with pyosmium into arrays."""

from __future__ import annotations

from array import array
from collections import Counter
from pathlib import Path
from types import ModuleType

import numpy as np

from geo.errors import Fault, TravelError
from geo.road_raw import RawRoads, left_out, lengths, slices, to_grid
from geo.road_rules import ACCESS, Mode, Tags, Verdict, blocks, judge, limit_kmh


def read_osm(path: Path, mode: Mode, *, ferries: bool, tolls: bool) -> RawRoads:
    """Read an extract: ways that may be used, cut where they meet, coordinates in metres.

    A way is also cut, without joining on, where a bollard or a locked gate stops cars.
    """
    osmium = _osmium()
    try:
        ways = _Ways.of(osmium, path, mode, ferries, tolls)
        blocked = _blocked(osmium, path) if mode == "drive" else np.zeros(0, np.int64)
    except RuntimeError as error:
        raise TravelError(
            Fault(f"cannot be read as an OpenStreetMap extract ({error}).", "", path.name)
        ) from error
    if not ways.verdicts:
        raise TravelError(
            Fault("holds no road that can be used.", "Give an extract with roads.", path.name)
        )
    return _cut(ways, blocked, path.name)


def _osmium() -> ModuleType:
    try:
        import osmium
    except ImportError as error:
        raise TravelError(
            Fault(
                "OpenStreetMap extracts are read with the package `osmium`, which is not here.",
                "Install it (pip install osmium), or give GraphML or tables of nodes and edges.",
            )
        ) from error
    return osmium  # type: ignore[no-any-return, unused-ignore]


class _Ways:
    """The usable ways of an extract, one after another, in plain arrays."""

    def __init__(self) -> None:
        self.refs = array("q")
        self.lon = array("d")
        self.lat = array("d")
        self.ends = array("q", [0])
        self.verdicts: list[Verdict] = []
        self.signed = array("d")
        self.reasons: Counter[str] = Counter()
        self.newest = ""
        self.mode: Mode = "drive"

    @classmethod
    def of(cls, osmium: ModuleType, path: Path, mode: Mode, ferries: bool, tolls: bool) -> _Ways:
        """Go through the file once; ways with nodes outside the extract end where it ends."""
        self = cls()
        self.mode = mode
        self.newest = _header_date(osmium, path)
        chosen = (
            osmium.FileProcessor(str(path))
            .with_locations()
            .with_filter(osmium.filter.EntityFilter(osmium.osm.WAY))
            .with_filter(osmium.filter.KeyFilter("highway", "route"))
        )
        newest = None
        for way in chosen:
            tags = Tags(*(way.tags.get(key, "") for key in Tags._fields))
            verdict = judge(tags, mode, ferries, tolls)
            newest = max(newest, way.timestamp) if newest else way.timestamp
            if verdict.reason:
                self.reasons[verdict.reason] += 1
                continue
            self._add(way, verdict, limit_kmh(way.tags.get("maxspeed", "")))
        if not self.newest and newest is not None and newest.year > 1970:
            self.newest = newest.date().isoformat()
        return self

    def _add(self, way: object, verdict: Verdict, signed: float) -> None:
        nodes = [n for n in way.nodes if n.location.valid()]  # type: ignore[attr-defined]
        if len(nodes) < 2:
            return
        for node in nodes:
            self.refs.append(node.ref)
            self.lon.append(node.location.lon)
            self.lat.append(node.location.lat)
        self.ends.append(len(self.refs))
        self.verdicts.append(verdict)
        self.signed.append(signed)


def _header_date(osmium: ModuleType, path: Path) -> str:
    with osmium.io.Reader(str(path)) as reader:
        stamp: str = reader.header().get("osmosis_replication_timestamp", "")
    return stamp[:10]


def _blocked(osmium: ModuleType, path: Path) -> np.ndarray:
    """Return the nodes that no car passes: bollards, and gates closed to the public."""
    found = array("q")
    nodes = (
        osmium.FileProcessor(str(path), osmium.osm.NODE)
        .with_filter(osmium.filter.KeyFilter("barrier"))
    )  # fmt: skip
    for node in nodes:
        tags = node.tags
        said = next((tags[key] for key in ACCESS if key in tags), "")
        if blocks(tags["barrier"], said):
            found.append(node.id)
    return np.array(found, dtype=np.int64)


def _cut(ways: _Ways, blocked: np.ndarray, file: str) -> RawRoads:
    """Cut the ways into streets at ends, meeting points and blocks."""
    refs = np.array(ways.refs, dtype=np.int64)
    ends = np.array(ways.ends, dtype=np.int64)
    spots = to_grid(np.column_stack([ways.lon, ways.lat]), file=file)
    _, first, node = np.unique(refs, return_index=True, return_inverse=True)
    used = np.bincount(node)
    barred = np.isin(refs, blocked)
    stop = used[node] > 1
    stop[ends[:-1]] = stop[ends[1:] - 1] = True
    stop |= barred
    at = np.flatnonzero(stop)
    way = np.searchsorted(ends, at, side="right") - 1
    same = way[1:] == way[:-1]
    start, end, way = at[:-1][same], at[1:][same], way[1:][same]
    # At a block every street gets an end of its own, so that nothing leads through.
    xy = spots[first]
    a, b = node[start].copy(), node[end].copy()
    for ends_here, at_row in ((a, start), (b, end)):
        shut = np.flatnonzero(barred[at_row])
        ends_here[shut] = len(xy) + np.arange(len(shut))
        xy = np.vstack([xy, spots[at_row[shut]]])
    offsets = np.empty(2 * len(start), dtype=np.int64)
    offsets[0::2], offsets[1::2] = start, end + 1
    line_at, rows = slices(offsets, 2 * np.arange(len(start)))
    line_xy = spots[rows]
    verdicts = ways.verdicts
    return RawRoads(
        xy=xy,
        a=a,
        b=b,
        metres=lengths(line_at, line_xy),
        road_class=np.array([v.road_class for v in verdicts], dtype=object)[way],
        signed_kmh=np.array(ways.signed)[way],
        forward=np.array([v.forward for v in verdicts])[way],
        backward=np.array([v.backward for v in verdicts])[way],
        line_at=line_at,
        line_xy=line_xy,
        date=ways.newest,
        notes=left_out(ways.reasons, ways.mode),
    )
