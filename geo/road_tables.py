"""Reads roads from tables: nodes and edges in CSV, and GeoPackage or GraphML saved by OSMnx."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely

from geo.errors import Fault, Faults, TravelError
from geo.road_raw import RawRoads, left_out, lengths, slices, to_grid
from geo.road_rules import ACCESS, Mode, Tags, Verdict, blocks, judge, limit_kmh

NODE = ("node", "osmid", "id", "node_id")
FROM = ("u", "from", "from_node", "start_node", "source")
TO = ("v", "to", "to_node", "end_node", "target")
METRES = ("length_m", "length", "metres")
CLASS = ("highway", "class", "road_class")
FREE_TEXT = ("geometry_lonlat", "geometry")
YES = frozenset({"1", "true", "yes", "1.0"})
_SPOTS = (("easting", "northing"), ("lon", "lat"), ("longitude", "latitude"), ("x", "y"))


def read_csv_roads(
    nodes_path: Path, edges_path: Path, mode: Mode, *, ferries: bool, tolls: bool
) -> RawRoads:
    """Read two tables, `.csv` or `.csv.gz`: nodes with coordinates, edges between them.

    Nodes: `node`, and `easting, northing` or `lon, lat`. Edges: `u, v, highway`, and where known
    `length_m, maxspeed, oneway, toll, access, geometry_lonlat` ("lon,lat lon,lat"). An edge that is
    not one-way leads both ways, whether or not it stands a second time the other way round.
    """
    nodes = _csv(nodes_path)
    edges = _csv(edges_path)
    return from_frames(
        nodes,
        edges,
        mode,
        ferries=ferries,
        tolls=tolls,
        both_ways=True,
        files=(nodes_path.name, edges_path.name),
    )


def read_osmnx_file(path: Path, mode: Mode, *, ferries: bool, tolls: bool) -> RawRoads:
    """Read a GraphML or GeoPackage that OSMnx saved (`save_graphml`, `save_graph_geopackage`)."""
    if path.suffix.lower() == ".gpkg":
        import geopandas as gpd

        try:
            nodes = gpd.read_file(path, layer="nodes")
            edges = gpd.read_file(path, layer="edges")
        except Exception as error:  # pyogrio's own errors have no common parent with a promise
            raise TravelError(
                Fault(
                    "needs the layers nodes and edges, as OSMnx saves them.",
                    "Save it with osmnx.save_graph_geopackage(graph, directed=True).",
                    path.name,
                )
            ) from error
        crs = str(nodes.crs) if nodes.crs else "EPSG:4326"
        spots = shapely.get_coordinates(nodes.geometry.to_numpy())
        nodes = pd.DataFrame({"osmid": nodes["osmid"], "x": spots[:, 0], "y": spots[:, 1]})
        return from_frames(
            nodes,
            pd.DataFrame(edges),
            mode,
            ferries=ferries,
            tolls=tolls,
            both_ways=False,
            crs=crs,
            files=(path.name, path.name),
        )
    import osmnx

    try:
        graph = osmnx.load_graphml(path)
    except Exception as error:  # whatever the parser stumbles on, the file is not a saved graph
        raise TravelError(
            Fault("cannot be read as GraphML saved by OSMnx.", "Save it again.", path.name)
        ) from error
    return from_graph(graph, mode, ferries=ferries, tolls=tolls, file=path.name)


def from_graph(
    graph: Any, mode: Mode, *, ferries: bool = False, tolls: bool = False, file: str = ""
) -> RawRoads:
    """Turn an OSMnx graph (networkx MultiDiGraph, degrees or metres) into streets."""
    nodes = pd.DataFrame(
        [(node, float(d["x"]), float(d["y"])) for node, d in graph.nodes(data=True)],
        columns=["osmid", "x", "y"],
    )
    edges = pd.DataFrame([{"u": u, "v": v, **d} for u, v, d in graph.edges(data=True)])
    if mode == "drive":
        nodes, edges = _barred(graph, nodes, edges)
    date = str(graph.graph.get("created_date", ""))[:10]
    raw = from_frames(
        nodes,
        edges,
        mode,
        ferries=ferries,
        tolls=tolls,
        both_ways=False,
        crs=str(graph.graph.get("crs", "EPSG:4326")),
        files=(file, file),
        date=date,
    )
    return raw


def _barred(
    graph: Any, nodes: pd.DataFrame, edges: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give every street its own end at a bollard or a locked gate, so that no car passes it."""
    shut = {
        node
        for node, tags in graph.nodes(data=True)
        if blocks(
            _text(tags.get("barrier")), next((_text(tags[k]) for k in ACCESS if k in tags), "")
        )
    }
    if not shut or edges.empty:
        return nodes, edges
    ends = {
        end: [
            f"{here} beside {there}" if here in shut else here
            for here, there in zip(edges[end], edges[other], strict=True)
        ]
        for end, other in (("u", "v"), ("v", "u"))
    }
    # Two barred nodes side by side keep a street between them, joined to nothing.
    spot = nodes.set_index("osmid")
    own = {
        (new, old)
        for end in ("u", "v")
        for new, old in zip(ends[end], edges[end], strict=True)
        if old in shut
    }
    fresh = [(new, *spot.loc[old, ["x", "y"]]) for new, old in sorted(own)]
    more = pd.DataFrame(fresh, columns=["osmid", "x", "y"])
    return pd.concat([nodes.astype({"osmid": object}), more]), edges.assign(**ends)


def from_frames(
    nodes: pd.DataFrame,
    edges: pd.DataFrame,
    mode: Mode,
    *,
    ferries: bool,
    tolls: bool,
    both_ways: bool,
    crs: str = "EPSG:4326",
    files: tuple[str, str] = ("", ""),
    date: str = "",
) -> RawRoads:
    """Turn tables of nodes and edges into streets; every fault of both is told at once.

    `both_ways`: an edge that is not one-way leads both ways; otherwise each row is one direction.
    """
    tray = Faults(TravelError, files[1])
    ids, spots = _nodes(nodes, crs, files[0], tray)
    columns = {str(c).strip().lower(): c for c in edges.columns}
    found = {
        what: next((columns[n] for n in names if n in columns), None)
        for what, names in (("u", FROM), ("v", TO), ("highway", CLASS))
    }
    for what, column in found.items():
        if column is None:
            tray.add(f"The table of edges lacks the column {what}.")
    tray.raise_if_any()
    ends = [pd.Index(ids).get_indexer(edges[found[key]].astype(str)) for key in ("u", "v")]
    for place in np.flatnonzero((ends[0] < 0) | (ends[1] < 0))[:10]:
        tray.add("The edge ends at a node that the nodes lack.", row=int(place) + 2)
    tray.raise_if_any()
    verdicts = _judged(edges, columns, str(found["highway"]), mode, ferries, tolls)
    kept = np.array([not v.reason for v in verdicts], dtype=bool)
    if not kept.any():
        tray.add("holds no road that can be used.", "Check the column highway.")
        tray.raise_if_any()
    line_at, line_xy = _lines(edges, columns, spots, ends, crs)
    metres = lengths(line_at, line_xy)
    given = next((columns[n] for n in METRES if n in columns), None)
    if given is not None:
        said = pd.to_numeric(edges[given], errors="coerce").to_numpy(float)
        metres = np.where(said >= 0, said, metres)
    speeds = edges[columns["maxspeed"]] if "maxspeed" in columns else pd.Series([""] * len(edges))
    forward = np.array([v.forward for v in verdicts], dtype=bool)
    backward = np.array([v.backward for v in verdicts], dtype=bool)
    if not both_ways:
        forward, backward = np.ones_like(forward), np.zeros_like(backward)
    notes = left_out(_reasons(edges, columns, verdicts), mode)
    if mode == "drive" and not tolls and "toll" not in columns:
        notes += ("The roads say nothing of tolls, so toll roads are not left out.",)
    raw = RawRoads(
        xy=spots,
        a=ends[0],
        b=ends[1],
        metres=metres,
        road_class=np.array([v.road_class for v in verdicts], dtype=object),
        signed_kmh=np.array([limit_kmh(_text(s)) for s in speeds]),
        forward=forward,
        backward=backward,
        line_at=line_at,
        line_xy=line_xy,
        date=date,
        osm="osmid" in columns or "osm_way" in columns,
        notes=notes,
    )
    return paired(raw.taken(kept))


def paired(raw: RawRoads) -> RawRoads:
    """Join the two directions of one street where they stand as two rows."""
    turned = raw.a > raw.b
    low, high = np.minimum(raw.a, raw.b), np.maximum(raw.a, raw.b)
    # Two one-way streets of one length but unlike class or limit are two streets.
    kind = np.unique(raw.road_class.astype(str), return_inverse=True)[1]
    signed = np.round(np.nan_to_num(raw.signed_kmh, nan=-1.0) * 10)
    sizes = [low, high, np.round(raw.metres * 10), kind, signed]
    keys = np.column_stack(sizes).astype(np.int64)
    _, first, group = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    group = group.ravel()
    leads = np.zeros((2, len(first)), dtype=bool)
    # A loop ends where it begins, so nothing tells its directions apart but the second row.
    head = turned[first]
    for way, flag in ((0, raw.forward), (1, raw.backward)):
        against = (turned != head[group]).astype(int)
        np.logical_or.at(leads, (np.where(against, 1 - way, way), group), flag)
    second = np.bincount(group) > 1
    loop = low[first] == high[first]
    leads[:, second & loop] = True
    joined = raw.taken(first)
    return RawRoads(**{**vars(joined), "forward": leads[0], "backward": leads[1]})


def _csv(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (UnicodeDecodeError, ValueError) as error:
        raise TravelError(
            Fault("cannot be read as CSV in UTF-8.", "Save it as CSV UTF-8.", path.name)
        ) from error


def _nodes(nodes: pd.DataFrame, crs: str, file: str, tray: Faults) -> tuple[np.ndarray, np.ndarray]:
    """Return node ids as text and their coordinates in metres."""
    columns = {str(c).strip().lower(): c for c in nodes.columns}
    node = next((columns[n] for n in NODE if n in columns), None)
    pair = next((p for p in _SPOTS if p[0] in columns and p[1] in columns), None)
    if node is None or pair is None:
        tray.add(
            "The table of nodes lacks the column node, or coordinates.",
            "Give node, and easting and northing, or lon and lat.",
        )
        tray.raise_if_any()
    assert pair is not None
    spots = nodes[[columns[pair[0]], columns[pair[1]]]].apply(pd.to_numeric, errors="coerce")
    for place in np.flatnonzero(spots.isna().any(axis=1))[:10]:
        tray.add("The node has no coordinates.", row=int(place) + 2)
    ids = nodes[node].astype(str).to_numpy()
    twice = pd.Series(ids).duplicated().to_numpy()
    for place in np.flatnonzero(twice)[:10]:
        tray.add(f"The node {ids[place]} stands twice.", row=int(place) + 2)
    tray.raise_if_any()
    system = "EPSG:27700" if pair[0] == "easting" else crs
    return ids, to_grid(spots.to_numpy(float), system, file=file)


def _text(value: object) -> str:
    """Return a tag as text; of a list (OSMnx joins tags of merged ways) all values."""
    if isinstance(value, list):
        return ";".join(map(str, value))
    return "" if value is None or value != value else str(value)


def _judged(
    edges: pd.DataFrame,
    columns: dict[str, Any],
    highway: str,
    mode: Mode,
    ferries: bool,
    tolls: bool,
) -> list[Verdict]:
    """Judge every edge by the tags that the table has."""
    parts = {
        tag: edges[columns[tag]].map(_text) if tag in columns else pd.Series([""] * len(edges))
        for tag in Tags._fields
    }
    parts["highway"] = edges[highway].map(_first_class)
    # Tables say whether an edge is one-way; what follows from a roundabout they have worked out.
    if "oneway" in columns:
        said = parts["oneway"].str.lower()
        parts["oneway"] = said.where(~said.isin(YES), "yes").where(said != "", "no")
    rows = zip(*(parts[tag] for tag in Tags._fields), strict=True)
    return [judge(Tags(*row), mode, ferries, tolls) for row in rows]


def _reasons(edges: pd.DataFrame, columns: dict[str, Any], verdicts: list[Verdict]) -> Counter[str]:
    """Count the ways left out, by reason: one way may stand in many rows, and both ways round."""
    way = edges[columns["osmid"]].map(_text) if "osmid" in columns else range(len(edges))
    left = {(w, v.reason) for w, v in zip(way, verdicts, strict=True) if v.reason}
    return Counter(reason for _, reason in left)


def _first_class(value: object) -> str:
    """Return the class of an edge; of a merged edge's several the first by name."""
    return min(re.findall(r"[a-z_]+", _text(value)), default="")


def _lines(
    edges: pd.DataFrame,
    columns: dict[str, Any],
    spots: np.ndarray,
    ends: list[np.ndarray],
    crs: str,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the drawn lines; a straight one from node to node where the table draws none."""
    count = len(edges)
    straight = np.stack([spots[ends[0]], spots[ends[1]]], axis=1).reshape(-1, 2)
    line_at, line_xy = 2 * np.arange(count + 1), straight
    key = next((k for k in FREE_TEXT if k in columns), None)
    if key is None:
        return line_at, line_xy
    column = edges[columns[key]]
    if key == "geometry_lonlat":
        texts = column.map(_text)
        sizes = texts.str.count(",").to_numpy()
        flat = np.array(" ".join(texts).replace(",", " ").split(), dtype=float).reshape(-1, 2)
    else:
        shapes = [g if isinstance(g, shapely.LineString) else None for g in column]
        sizes = shapely.get_num_coordinates(np.array(shapes, dtype=object))
        flat = shapely.get_coordinates(np.array(shapes, dtype=object))
    drawn = sizes >= 2
    if not drawn.any():
        return line_at, line_xy
    flat = to_grid(flat, crs)
    # Both kinds of line stand in one array; each street takes its own slice.
    own = np.concatenate([[0], np.cumsum(sizes)])
    start = np.where(drawn, own[:-1], len(flat) + line_at[:-1])
    end = np.where(drawn, own[1:], len(flat) + line_at[1:])
    offsets = np.column_stack([start, end]).ravel()
    line_at, rows = slices(offsets, 2 * np.arange(count))
    return line_at, np.vstack([flat, straight])[rows]
