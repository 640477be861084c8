"""Draws a plan as one Folium page that is self-contained, accessible and fit to be published.

The page's tables are plain HTML and hold every school once; a small script reads them and builds
the markers, so that the map and its text can never tell two stories, and the text stays where
scripts do not run.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import folium
import geopandas as gpd
import numpy as np
import pandas as pd

from geo import map_ground as ground
from geo.colours import PALETTE, neighbour_colours
from geo.map_data import PHASES, SENTENCE, WORDS, MapData, Source
from geo.map_parts import context, embedded, layer, names, styles, template, text_of
from geo.offline import OfflineMap

__all__ = ["MapData", "Source", "draw", "embedded", "save"]

SCRIPTS = (
    *("map_shapes.js", "map_basics.js", "map_ground.js", "map_page.js", "map_search.js"),
    *("map_print.js", "map_start.js"),
)


def draw(data: MapData) -> folium.Map:
    """Return the map of one plan, for a notebook cell or for `save`.

    Its page makes no request, holds every URN of `data.schools` exactly once, and is the same byte
    for byte for the same data.
    """
    words = {**WORDS, **data.words}
    schools = _ordered(data)
    sections = _sections(data, schools)
    payload, notes = _payload(data, schools, words)
    body = template("map_page.html").render(
        data=data,
        words=words,
        sections=sections,
        columns=_detail_labels(schools["details"]),
        aside=_aside(data.set_aside),
        existing=_existing(data.existing),
        phases={phase: PHASES.get(phase, phase) for phase in _phases(schools)},
        has=_has(data, schools, payload),
        notes=(*data.notes, *notes),
        sentence=SENTENCE,
        least=ground.LEAST_PUPILS,
        payload=embedded(payload),
    )
    (south, west), (north, east) = payload["bounds"]
    return OfflineMap(
        f"{data.title} – {data.subtitle}" if data.subtitle else data.title,
        ((south + north) / 2, (west + east) / 2),
        styles=styles(),
        body=body,
        script="\n".join(text_of(name) for name in SCRIPTS),
        zoomSnap=0.25,
        zoomDelta=0.75,
        minZoom=6,
    )


def save(map_or_data: folium.Map | MapData, path: Path) -> Path:
    """Write one self-contained HTML file and return its path.

    The file appears whole or not at all: it is written beside its place and then moved there.
    """
    drawn = draw(map_or_data) if isinstance(map_or_data, MapData) else map_or_data
    html = drawn.get_root().render()
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.stem, suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(html)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return path


def _ordered(data: MapData) -> pd.DataFrame:
    """Return the schools in the order of the page: by cluster number, hubs first, then name."""
    schools = data.schools.copy()
    schools.index = schools.index.map(str)
    number = data.clusters["number"].astype(float).to_dict()
    schools["_number"] = [number.get(label, np.inf) for label in schools["cluster"]]
    schools["_hub"] = [not bool(hub) for hub in schools["is_hub"]]
    schools["lat"], schools["lon"] = ground.to_degrees(schools["easting"], schools["northing"])
    schools = schools.rename_axis("urn").reset_index()
    order = ["_number", "cluster", "_hub", "name", "urn"]
    return schools.sort_values(order, ignore_index=True, kind="stable")


def _sections(data: MapData, schools: pd.DataFrame) -> list[dict[str, Any]]:
    """Return one entry per cluster, in the order of their numbers, and one for all the others."""
    colours = _colours(data.clusters)
    sections: list[dict[str, Any]] = []
    members = dict(list(schools.groupby("cluster", sort=False)))
    for label, cluster in _by_number(data.clusters).iterrows():
        sections.append(
            {
                "number": int(cluster["number"]),
                "colour": colours[str(label)] % len(PALETTE),
                "name": str(cluster["name"] or label),
                "summary": _plain(cluster["summary"]),
                "facts": cluster["details"],
                "rows": _rows(members.get(label)),
            }
        )
    if "" in members:
        sections.append(
            {"number": None, "name": "", "summary": "", "facts": (), "rows": _rows(members[""])}
        )
    return sections


def _rows(schools: pd.DataFrame | None) -> list[dict[str, Any]]:
    if schools is None:
        return []
    rows = schools.to_dict("records")
    for row in rows:
        row["selective"] = row["selective"] is not pd.NA and bool(row["selective"])
        row["known"] = dict(row["details"])
        row["phase_text"] = PHASES.get(row["phase"], row["phase"])
    return rows


def _by_number(clusters: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    return clusters.sort_index().sort_values("number", kind="stable")


def _colours(clusters: gpd.GeoDataFrame) -> dict[str, int]:
    if clusters.empty:
        return {}
    return {str(label): at for label, at in neighbour_colours(clusters.geometry).items()}


def _detail_labels(details: Iterable[Iterable[tuple[str, str]]]) -> list[str]:
    """Return every label of the schools' details once, in the order of first appearance."""
    return list(dict.fromkeys(label for pairs in details for label, _ in pairs))


def _plain(value: Any) -> str:
    return "" if value is None or value is pd.NA or value != value else str(value)


def _phases(schools: pd.DataFrame) -> list[str]:
    present = set(schools["phase"])
    return [p for p in PHASES if p in present] + sorted(present - set(PHASES))


def _aside(table: pd.DataFrame | None) -> list[dict[str, Any]]:
    if table is None or table.empty:
        return []
    rows = table.sort_values(["name", "easting", "northing"], kind="stable").copy()
    placed = rows["easting"].notna() & rows["northing"].notna()
    rows["lat"], rows["lon"] = None, None
    if placed.any():
        lat, lon = ground.to_degrees(rows.loc[placed, "easting"], rows.loc[placed, "northing"])
        rows.loc[placed, "lat"], rows.loc[placed, "lon"] = lat, lon
    return rows[["name", "reason", "lat", "lon"]].to_dict("records")


def _existing(table: gpd.GeoDataFrame | None) -> list[dict[str, Any]]:
    if table is None:
        return []
    rows = table.sort_index()
    details = rows["details"] if "details" in rows else [()] * len(rows)
    return [
        {"name": str(name), "facts": tuple(facts)}
        for name, facts in zip(names(rows), details, strict=True)
    ]


def _payload(
    data: MapData, schools: pd.DataFrame, words: Mapping[str, str]
) -> tuple[dict[str, Any], list[str]]:
    """Return the drawing's own data (geometry and links), and notes on what it had to leave out."""
    clusters, points = _by_number(data.clusters), schools[["easting", "northing"]].to_numpy(float)
    colours = _colours(clusters)
    links, away = ground.links(data.feeders, list(schools["urn"]))
    notes = []
    if away:
        notes.append(
            f"Some {words['feeder_links']} lead to {words['schools']} that are not on this map "
            f"({away} in all); they are not drawn."
        )
    if colours and max(colours.values()) >= len(PALETTE):
        notes.append(f"Some neighbouring {words['clusters']} share a colour; go by their numbers.")
    labels = [str(label) for label in clusters.index]
    routes = [[] for _ in labels] if data.routes is None else _routes(data.routes, labels)
    return {
        "bounds": ground.bounds([data.clusters, data.areas], schools),
        "clusters": [
            {"shape": shape, "at": ground.label_place(outline, points), "routes": bundle}
            for shape, outline, bundle in zip(
                ground.outlines(clusters.geometry), clusters.geometry, routes, strict=True
            )
        ],
        "areas": layer(data.areas.sort_index()),
        "existing": layer(data.existing.sort_index()) if data.existing is not None else [],
        **context(data.context),
        "links": links,
        "colours": list(PALETTE),
        "words": dict(words),
    }, notes


def _routes(routes: gpd.GeoDataFrame, labels: list[str]) -> list[list[list[list[float]]]]:
    return ground.bundles(routes.set_index("cluster").geometry, labels)


def _has(data: MapData, schools: pd.DataFrame, payload: Mapping[str, Any]) -> dict[str, bool]:
    """Return which parts of the legend have something to explain."""
    links = payload["links"]
    return {
        "hubs": any(bool(hub) for hub in schools["is_hub"]),
        "selective": any(row["selective"] for row in _rows(schools)),
        "alone": bool((schools["cluster"] == "").any()),
        "kept": any(link[3] for link in links),
        "cut": any(not link[3] for link in links),
        "estimated": any(link[4] for link in links),
        "areas": bool(payload["areas"]),
        "routes": any(cluster["routes"] for cluster in payload["clusters"]),
        "existing": bool(payload["existing"]),
        "roads": bool(payload["roads"]),
        "places": bool(payload["places"]),
        "aside": data.set_aside is not None and not data.set_aside.empty,
    }
