"""Keeps a network that was read as arrays (`.npz`) beside a manifest that says what it is."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from geo.roads import Roads

FORM = 1
"""Goes up when the arrays or the rules that make them change: old files are then not read."""
ARRAYS = ("xy", "a", "b", "metres", "road_class", "signed_kmh", "forward", "backward", "line_at",
          "line_xy", "junction")  # fmt: skip
TOLD = ("classes", "mode", "source", "date", "osm", "notes")


def place(folder: Path, sources: tuple[Path, ...], options: object) -> Path:
    """Return where the network made from these files with these options is kept."""
    total = hashlib.sha256(repr((FORM, options)).encode())
    for source in sources:
        with source.open("rb") as file:
            total.update(hashlib.file_digest(file, "sha256").digest())
    return folder / f"roads-{total.hexdigest()[:16]}.npz"


def save(path: Path, roads: Roads) -> None:
    """Write the arrays, and the manifest as JSON under the same name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    told = {key: getattr(roads, key) for key in TOLD}
    half = path.with_suffix(".part.npz")
    np.savez(half, **{key: getattr(roads, key) for key in ARRAYS})
    manifest = {**told, "digest": roads.digest, "nodes": len(roads.xy), "streets": len(roads.a)}
    text = json.dumps(manifest, indent=2, ensure_ascii=False)
    path.with_suffix(".json").write_text(text + "\n", encoding="utf-8")
    half.replace(path)


def load(path: Path) -> dict[str, Any] | None:
    """Return the fields of a kept network; `None` where there is none, or it is half written."""
    beside = path.with_suffix(".json")
    if not (path.is_file() and beside.is_file()):
        return None
    try:
        told = json.loads(beside.read_text(encoding="utf-8"))
        with np.load(path, allow_pickle=False) as arrays:
            kept = {key: arrays[key] for key in ARRAYS}
    except (ValueError, KeyError, OSError, zipfile.BadZipFile):
        return None
    kept |= {key: told[key] for key in TOLD}
    return {**kept, "classes": tuple(kept["classes"]), "notes": tuple(kept["notes"])}
