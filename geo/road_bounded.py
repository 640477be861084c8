"""Searches that stop at a limit, for very large networks: the work is what is reached, not the map.

Method: Dijkstra's algorithm with a binary heap and lazy deletion; one workspace for all searches,
of which only the places touched are cleared. scipy clears a whole row for every source, which on
three million nodes costs more than a search of twenty minutes. Compiled by numba at the first call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np


def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile on first use, and keep the machine code where the folders allow it."""
    try:
        return numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:  # numba finds no place for its files
        return numba.njit(cache=False, nogil=True)(function)


@_compiled
def bounded_rows(
    indptr: np.ndarray,
    indices: np.ndarray,
    data: np.ndarray,
    sources: np.ndarray,
    targets: np.ndarray,
    limit: float,
) -> np.ndarray:
    """Return minutes (sources, targets) over a sparse graph (CSR); inf beyond `limit`."""
    size = len(indptr) - 1
    best = np.full(size, np.inf)
    wanted = np.zeros(size, dtype=np.uint8)
    for t in targets:
        wanted[t] = 1
    different = 0
    for t in range(size):
        different += wanted[t]
    touched = np.empty(1024, dtype=np.int32)
    keys = np.empty(1024, dtype=np.float64)
    nodes = np.empty(1024, dtype=np.int32)
    found = np.full((len(sources), len(targets)), np.inf)
    for row in range(len(sources)):
        source = sources[row]
        best[source] = 0.0
        touched[0] = source
        count = 1
        keys[0], nodes[0] = 0.0, source
        heap = 1
        left = different
        while heap > 0:
            key, node = keys[0], nodes[0]
            heap -= 1
            last_key, last_node = keys[heap], nodes[heap]
            hole = 0
            child = 1
            while child < heap:
                if child + 1 < heap and keys[child + 1] < keys[child]:
                    child += 1
                if keys[child] >= last_key:
                    break
                keys[hole], nodes[hole] = keys[child], nodes[child]
                hole = child
                child = 2 * hole + 1
            keys[hole], nodes[hole] = last_key, last_node
            if key > best[node]:
                continue
            if wanted[node]:
                left -= 1
                if left == 0:
                    break
            for edge in range(indptr[node], indptr[node + 1]):
                there = indices[edge]
                cost = key + data[edge]
                if cost > limit or cost >= best[there]:
                    continue
                if best[there] == np.inf:
                    if count == len(touched):
                        touched = np.concatenate((touched, np.empty_like(touched)))
                    touched[count] = there
                    count += 1
                best[there] = cost
                if heap == len(keys):
                    keys = np.concatenate((keys, np.empty_like(keys)))
                    nodes = np.concatenate((nodes, np.empty_like(nodes)))
                place = heap
                heap += 1
                while place > 0:
                    above = (place - 1) // 2
                    if keys[above] <= cost:
                        break
                    keys[place], nodes[place] = keys[above], nodes[above]
                    place = above
                keys[place], nodes[place] = cost, there
        for k in range(len(targets)):
            found[row, k] = best[targets[k]]
        for k in range(count):
            best[touched[k]] = np.inf
    return found
