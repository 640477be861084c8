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


def sources_of(inputs: Inputs) -> tuple[Source, ...]:
    """Return the sources for the foot of a map: one for each kind of file the study reads.

    What a file is, its date and its licence are what the study's `[[sources]]` say of it; a file
    the study says nothing of is named as it is, with "licence not stated".
    """
    found: dict[Source, None] = {}
    for _, path in _files(inputs.study):
        own = _described(inputs.study, path)
        source = Source(
            what=own.what if own else path.name,
            date=own.date if own else "",
            licence=own.licence if own else "licence not stated",
            attribution=own.attribution if own else "",
        )
        found[source] = None
    return tuple(found)


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
                "licence": own.licence if own else "not stated",
                "attribution": own.attribution if own else "",
            }
        )
    return {
        "study": inputs.study.name,
        "study_sha256": hashlib.sha256(inputs.study.text.encode()).hexdigest(),
        "files": files,
        "minutes": inputs.minutes.source,
        "need": inputs.need.banner,
        "feeders": inputs.feeders.source,
        "versions": {
            "python": platform.python_version(),
            "school-clusters": version("school-clusters"),
            **{name: version(name) for name in LIBRARIES},
        },
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
