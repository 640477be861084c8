"""Subset rows that a fractional solution of the master breaks.

For a set T of three or five atoms a plan satisfies Σ_C ⌊|C∩T|/2⌋ x_C ≤ ⌊|T|/2⌋ (a Chvátal–Gomory
cut with multipliers ½; Jepsen et al. 2008). Triples are found by looking at all of them, sets of
five by adding the best two atoms to promising triples.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from clustering.solve.columns import WIDTH, Columns
from clustering.solve.tables import Ints

LEAST = 0.02
"""Violation from which a row is worth its price in the search for columns."""
STARTS = 150
"""Triples that are extended to sets of five."""
Scored = list[tuple[float, tuple[int, ...]]]


def violated(columns: Columns, weights: NDArray[np.float64], known: Ints, most: int = 20) -> Ints:
    """Return the most violated subset rows, at most five with the same atom so that they differ."""
    used = np.flatnonzero(weights > 1e-6)
    holds, share = columns.holds[used].astype(np.float64), weights[used]
    taken = {tuple(i for i in row if i >= 0) for row in known.tolist()}
    scored = _triples(holds, share)
    found = [one for one in scored if one[0] < -LEAST and one[1] not in taken]
    if len(found) < most:
        found += [s for s in _fives(holds, share, scored) if s[0] < -LEAST and s[1] not in taken]
    often = np.zeros(columns.n, np.int64)
    picked: list[tuple[int, ...]] = []
    for _, row in sorted(found):
        if len(picked) < most and row not in picked and all(often[i] < 5 for i in row):
            picked.append(row)
            often[list(row)] += 1
    out = np.full((len(picked), WIDTH), -1, np.int64)
    for r, row in enumerate(picked):
        out[r, : len(row)] = row
    return out


def _triples(holds: NDArray[np.float64], share: NDArray[np.float64]) -> Scored:
    """Return (−violation, triple) of all triples that are violated or nearly so."""
    found: Scored = []
    for i, j in combinations(range(holds.shape[1]), 2):
        two = holds[:, i] + holds[:, j]
        both = float(share[two == 2].sum())
        value = both + (share * (two == 1)) @ holds[:, j + 1 :] - 1.0
        near = np.flatnonzero(value > -0.1).tolist()
        found += [(-float(value[k]), (i, j, j + 1 + k)) for k in near]
    return sorted(found)


def _fives(holds: NDArray[np.float64], share: NDArray[np.float64], starts: Scored) -> Scored:
    """Return (−violation, set) of the best set of five around each of the first triples."""
    found: Scored = []
    n = holds.shape[1]
    pair = holds[:, :, None] + holds[:, None, :]
    for _, triple in starts[:STARTS]:
        inside = holds[:, triple].sum(axis=1)
        value = np.tensordot(share, (pair + inside[:, None, None]) // 2, axes=1)
        value[list(triple), :] = value[:, list(triple)] = 0.0
        np.fill_diagonal(value, 0.0)
        i, j = divmod(int(value.argmax()), n)
        found.append((2.0 - float(value[i, j]), tuple(sorted((*triple, i, j)))))
    return sorted(set(found))
