"""What a map is drawn from: plain tables keyed by URN, checked once at the door."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import geopandas as gpd
import pandas as pd

from geo.errors import Faults, InputError, did_you_mean

SENTENCE = "This map does not change admissions, catchments or any child’s plan."
"""Stands on every map: an outline looks like a catchment and is none."""

WORDS: Mapping[str, str] = {
    "school": "school",
    "schools": "schools",
    "cluster": "cluster",
    "clusters": "clusters",
    "hub": "hub",
    "hubs": "hubs",
    "area": "area",
    "areas": "areas",
    "feeder_links": "feeder links",
    "existing": "today’s clusters",
    "set_aside": "schools outside this plan",
    "selective": "selective",
    "srp": "SRP",  # what a specialist resource provision is called where pages tell of provision
    "alone": "",  # what grey stands for; empty for "in no cluster"
}
"""The nouns shown to readers; a caller may hand in its own for any of them."""

PHASES: Mapping[str, str] = {
    "primary": "Primary",
    "middle_primary": "Middle (deemed primary)",
    "secondary": "Secondary",
    "middle_secondary": "Middle (deemed secondary)",
    "all_through": "All-through",
}
"""Phases in the order of the legend, and what readers call them."""


@dataclass(frozen=True)
class Source:
    """One source of the facts on the map: what it is, its date, its licence, whom to credit."""

    what: str
    date: str = ""
    licence: str = ""
    attribution: str = ""
    url: str = ""


@dataclass(frozen=True, eq=False)
class MapData:
    """Everything one map shows; nothing else reaches the page.

    schools: index `urn`; columns name, phase, area, easting, northing (EPSG:27700 metres), cluster
        (label, "" = in none), is_hub, selective (NA = not recorded), details (pairs of label and
        value for the popup and the table).
    clusters: index label; columns number (shown on the map), name, geometry (EPSG:27700), details,
        summary. A cluster without an outline may have an empty or missing geometry.
    areas: index name; geometry in EPSG:27700.
    feeders: columns from_urn, to_urn, pupils, kept, estimated. Links below five pupils never
        reach the page; NaN pupils neither.
    existing: like `clusters` (only name, geometry and details are read); None = not shown.
    context: geometry with columns kind ("land", "road", "place") and name; None = none.
    routes: lines along the roads with the column cluster (label); None = none.
    set_aside: columns name, reason, easting, northing; None = none.
    banner: a word or two that must not be overlooked, such as "DRAFT".
    words: other nouns for the keys of `WORDS`.

    Raises `InputError` with every fault found. Numbers that could identify a child are the
    caller's to withhold, except small feeder links.
    """

    title: str
    schools: pd.DataFrame
    clusters: gpd.GeoDataFrame
    areas: gpd.GeoDataFrame
    feeders: pd.DataFrame
    subtitle: str = ""
    existing: gpd.GeoDataFrame | None = None
    context: gpd.GeoDataFrame | None = None
    routes: gpd.GeoDataFrame | None = None
    set_aside: pd.DataFrame | None = None
    sources: tuple[Source, ...] = ()
    travel_source: str = ""
    notes: tuple[str, ...] = ()
    banner: str = ""
    words: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        faults = Faults(InputError)
        _check_words(self.words, faults)
        _check_columns(self, faults)
        faults.raise_if_any()
        _check_schools(self.schools, self.clusters, faults)
        for name in ("clusters", "areas", "existing", "context", "routes"):
            _check_crs(name, getattr(self, name), faults)
        faults.raise_if_any()


COLUMNS: Mapping[str, tuple[str, ...]] = {
    "schools": (
        *("name", "phase", "area", "easting", "northing"),
        *("cluster", "is_hub", "selective", "details"),
    ),
    "clusters": ("number", "name", "details", "summary"),
    "feeders": ("from_urn", "to_urn", "pupils", "kept", "estimated"),
    "context": ("kind", "name"),
    "routes": ("cluster",),
    "set_aside": ("name", "reason", "easting", "northing"),
}


def _check_words(words: Mapping[str, str], faults: Faults) -> None:
    for word in words:
        if word not in WORDS:
            faults.add(f'The map knows no word "{word}".', did_you_mean(word, WORDS))


def _check_columns(data: MapData, faults: Faults) -> None:
    for table, columns in COLUMNS.items():
        frame = getattr(data, table)
        if frame is None:
            continue
        missing = [column for column in columns if column not in frame.columns]
        if missing:
            faults.add(f"The table {table} lacks the column {', '.join(missing)}.")


def _check_schools(schools: pd.DataFrame, clusters: gpd.GeoDataFrame, faults: Faults) -> None:
    for urn in sorted(set(schools.index[schools.index.duplicated()])):
        faults.add("stands twice in the table of schools.", "Keep one line.", urn=str(urn))
    if clusters.index.has_duplicates:
        faults.add("Two clusters share a label.", "Give each its own.")
    for urn, school in schools.sort_index().iterrows():
        if pd.isna(school["easting"]) or pd.isna(school["northing"]):
            faults.add(
                "has no place on the map.",
                "Give it an easting and a northing.",
                urn=str(urn),
                name=str(school["name"]),
            )
        if school["cluster"] and school["cluster"] not in clusters.index:
            faults.add(
                f'is in "{school["cluster"]}", which is not among the clusters of the map.',
                did_you_mean(str(school["cluster"]), map(str, clusters.index)),
                urn=str(urn),
                name=str(school["name"]),
            )


def _check_crs(name: str, frame: gpd.GeoDataFrame | None, faults: Faults) -> None:
    if frame is None or frame.empty:
        return
    if frame.crs is None or frame.crs.to_epsg() != 27700:
        faults.add(
            f"The layer {name} is not in British National Grid metres (EPSG:27700).",
            'Convert it with `.to_crs("EPSG:27700")`.',
        )
