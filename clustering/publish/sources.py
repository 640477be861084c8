"""Sources, dates and licences of an output, from the files that were really used."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

from clustering.inputs import Inputs
from clustering.study import SourceTable, Study
from geo.map_data import Source

LIBRARIES = ("folium", "geopandas", "numba", "numpy", "ortools", "pandas", "scipy", "shapely")

NOT_STATED = "not stated"

OSM = "OpenStreetMap contributors"
OSM_LICENCE = "Open Database License (ODbL) 1.0"
OSM_URL = "https://www.openstreetmap.org/copyright"


def sources_of(inputs: Inputs) -> tuple[Source, ...]:
    """Return the sources for the foot of a map: one for each kind of file the study reads.

    What a file is, its date and its licence are what the study's `[[sources]]` say of it; a file
    the study says nothing of is named as it is, with "licence not stated". Roads of OpenStreetMap
    are credited whatever the study says: their licence asks for it.
    """
    found: dict[Source, None] = {}
    osm = osm_roads(inputs)
    for key, path in _files(inputs.study):
        own = _described(inputs.study, path)
        if own is None and osm is not None and key.startswith("travel.roads"):
            continue
        source = Source(
            what=own.what if own else path.name,
            date=own.date if own else "",
            licence=own.licence if own else "licence not stated",
            attribution=own.attribution if own else "",
        )
        found[source] = None
    if osm is not None and not any(OSM in f"{s.attribution} {s.what}" for s in found):
        found[osm] = None
    return tuple(found)


def osm_roads(inputs: Inputs) -> Source | None:
    """Return the credit that OpenStreetMap's roads call for; None for other minutes."""
    if inputs.ways is None or not inputs.ways.roads.osm:
        return None
    roads = inputs.ways.roads
    return Source(
        what=f"Roads: OpenStreetMap ({roads.source})",
        date=roads.date or "date not known",
        licence=OSM_LICENCE,
        attribution=f"© {OSM}",
        url=OSM_URL,
    )


def manifest(inputs: Inputs) -> dict[str, Any]:
    """Return what a run was made from: files with size and SHA-256, licences, versions."""
    files = []
    for key, path in _files(inputs.study):
        own = _described(inputs.study, path)
        files.append(
            {
                "key": key,
                "file": path.name,
                "bytes": path.stat().st_size,
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
                "what": own.what if own else "",
                "date": own.date if own else "",
                "licence": own.licence if own else NOT_STATED,
                "attribution": own.attribution if own else "",
            }
        )
    return {
        "study": inputs.study.name,
        "study_sha256": hashlib.sha256(inputs.study.text.encode()).hexdigest(),
        "files": files,
        "minutes": inputs.minutes.source,
        **({"roads": _roads(inputs)} if inputs.ways else {}),
        "need": inputs.need.banner,
        "feeders": inputs.feeders.source,
        "versions": {
            "python": platform.python_version(),
            "school-clusters": version("school-clusters"),
            **{name: version(name) for name in LIBRARIES},
        },
    }


def _roads(inputs: Inputs) -> dict[str, Any]:
    """Return what the roads were: for whoever wants to make the same minutes again."""
    assert inputs.ways is not None
    roads, speeds, osm = inputs.ways.roads, inputs.ways.speeds, osm_roads(inputs)
    return {
        "source": roads.source,
        "date": roads.date,
        "mode": roads.mode,
        "nodes": len(roads.xy),
        "streets": len(roads.a),
        "digest": roads.digest,
        "speeds": {"date": speeds.date, "digest": speeds.digest, "evidence": speeds.evidence},
        "peak": inputs.ways.peak,
        "licence": osm.licence if osm else "not stated",
        "attribution": osm.attribution if osm else "",
    }


def _files(study: Study) -> Iterator[tuple[str, Path]]:
    seen: set[Path] = set()
    for key, path in study.files().items():
        if path not in seen:
            seen.add(path)
            yield key, path


def _described(study: Study, path: Path) -> SourceTable | None:
    """Return what the study says of a file; its pattern may end in `*`."""
    for own in study.config.sources:
        if path.match(own.file) or study.resolve(own.file) == path:
            return own
    return None
