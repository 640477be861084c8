"""Keeps minutes between places on disk, so that only new or moved places are searched again.

One long Parquet file for each network, table of speeds and peak; a place is its coordinates to a
tenth of a metre, so a school that moves is a new place, and one that is renamed is not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

FORM = 1
"""Goes up when the way minutes are made changes: old files are then not read."""
COLUMNS = ["from_x", "from_y", "to_x", "to_y"]
Between = Callable[[np.ndarray, np.ndarray], np.ndarray]


def store_path(folder: Path | str, *parts: object) -> Path:
    """Return the file that holds minutes made from these parts (digests and numbers)."""
    total = hashlib.sha256(repr((FORM, parts)).encode()).hexdigest()[:16]
    return Path(folder) / f"minutes-{total}.parquet"


def completed(path: Path, spots: np.ndarray, between: Between) -> np.ndarray:
    """Return minutes between places (p, 2), searching only what the file does not hold; (p, p).

    `between(sources, targets)` searches positions of `spots`. The file is rewritten when something
    was added; a file that cannot be read is made anew.
    """
    marks = np.round(spots * 10).astype(np.int64)
    unique, first, again = np.unique(marks, axis=0, return_index=True, return_inverse=True)
    again = again.ravel()
    known = _read(path)
    minutes, seen = _square(known, unique)
    _search(minutes, seen, lambda s, t: between(first[s], first[t]))
    if known is None or not seen.all():
        _write(path, known, unique, minutes)
    return minutes[np.ix_(again, again)]


def _read(path: Path) -> pd.DataFrame | None:
    if not path.is_file():
        return None
    try:
        table = pd.read_parquet(path)
        return table[[*COLUMNS, "minutes"]]
    except (OSError, ValueError, KeyError):
        return None


def _square(known: pd.DataFrame | None, unique: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return minutes (p, p) with NaN where the file has none, and which places it knows."""
    count = len(unique)
    minutes = np.full((count, count), np.nan, dtype=np.float32)
    if known is None:
        return minutes, np.zeros(count, dtype=bool)
    place = pd.MultiIndex.from_arrays(unique.T)
    i = place.get_indexer(pd.MultiIndex.from_frame(known[COLUMNS[:2]]))
    j = place.get_indexer(pd.MultiIndex.from_frame(known[COLUMNS[2:]]))
    both = (i >= 0) & (j >= 0)
    minutes[i[both], j[both]] = known["minutes"].to_numpy()[both]
    seen = ~np.isnan(np.diag(minutes))
    # Two runs over different schools may each know their own pairs but not those between.
    gaps = np.isnan(minutes[np.ix_(seen, seen)]).any(axis=1)
    seen[np.flatnonzero(seen)[gaps]] = False
    return minutes, seen


def _search(minutes: np.ndarray, seen: np.ndarray, between: Between) -> None:
    """Fill rows and columns of the places not seen, by whichever takes fewer searches."""
    new, old = np.flatnonzero(~seen), np.flatnonzero(seen)
    every = np.arange(len(seen))
    if not len(new):
        return
    if 2 * len(new) >= len(seen):
        minutes[:] = between(every, every)
        return
    minutes[new] = between(new, every)
    minutes[np.ix_(old, new)] = between(old, new)


def _write(path: Path, known: pd.DataFrame | None, unique: np.ndarray, minutes: np.ndarray) -> None:
    count = len(unique)
    i, j = np.repeat(np.arange(count), count), np.tile(np.arange(count), count)
    table = pd.DataFrame(
        np.column_stack([unique[i], unique[j]]).astype(np.int32), columns=COLUMNS
    ).assign(minutes=minutes.ravel())
    if known is not None:
        table = pd.concat([known, table]).drop_duplicates(COLUMNS, keep="last")
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(".part")
    table.sort_values(COLUMNS).to_parquet(half, index=False, compression="zstd")
    half.replace(path)
