"""Subset rows that a fractional solution of the master breaks.

For a set T of three or five atoms a plan satisfies Σ_C ⌊|C∩T|/2⌋ x_C ≤ ⌊|T|/2⌋ (a Chvátal–Gomory
cut with multipliers ½; Jepsen et al. 2008). Triples are found by looking at all that share columns
in the solution, sets of five by adding the best two atoms to promising triples.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clustering.solve.columns import WIDTH, Columns
from clustering.solve.kernels import compiled
from clustering.solve.tables import Ints

LEAST = 0.02
"""Violation from which a row is worth its price in the search for columns."""
NEAR = -0.1
"""Violation from which a triple may grow into a violated set of five."""
STARTS = 150
"""Triples that are extended to sets of five."""
Scored = list[tuple[float, tuple[int, ...]]]


def violated(columns: Columns, weights: NDArray[np.float64], known: Ints, most: int = 20) -> Ints:
    """Return the most violated subset rows, at most five with the same atom so that they differ.

    `most` is meant for a part of up to 64 atoms; a larger one gets more in proportion.
    """
    most, starts = (x * max(1, columns.n // 64) for x in (most, STARTS))
    used = np.flatnonzero(weights > 1e-6)
    holds, share = columns.holds[used], weights[used]
    taken = {tuple(i for i in row if i >= 0) for row in known.tolist()}
    scored = _triples(holds, share)
    found = [one for one in scored if one[0] < -LEAST and one[1] not in taken]
    if len(found) < most:
        fives = _fives(holds, share, scored[:starts])
        found += [s for s in fives if s[0] < -LEAST and s[1] not in taken]
    often = np.zeros(columns.n, np.int64)
    picked: list[tuple[int, ...]] = []
    for _, row in sorted(found):
        if len(picked) < most and all(often[i] < 5 for i in row):
            picked.append(row)
            often[list(row)] += 1
    out = np.full((len(picked), WIDTH), -1, np.int64)
    for r, row in enumerate(picked):
        out[r, : len(row)] = row
    return out


def _triples(holds: NDArray[np.uint8], share: NDArray[np.float64]) -> Scored:
    """Return (−violation, triple) of all triples that are violated or nearly so."""
    near, amount = broken_triples(holds, share, NEAR)
    return sorted(
        (-value, (i, j, k)) for (i, j, k), value in zip(near.tolist(), amount.tolist(), strict=True)
    )


def _fives(holds: NDArray[np.uint8], share: NDArray[np.float64], starts: Scored) -> Scored:
    """Return (−violation, set) of the best set of five around each of the triples."""
    found: Scored = []
    for _, triple in starts:
        i, j, value = best_pair(holds, share, np.array(triple, np.int64))
        if i >= 0:
            found.append((2.0 - value, tuple(sorted((*triple, i, j)))))
    return sorted(set(found))


@compiled
def shares_of_pairs(holds, share):
    """Return (n, n) the share of the columns that hold both atoms."""
    n = holds.shape[1]
    both = np.zeros((n, n))
    inside = np.empty(n, np.int64)
    for c in range(len(share)):
        count = 0
        for i in range(n):
            if holds[c, i] == 1:
                inside[count] = i
                count += 1
        for x in range(count):
            for y in range(count):
                both[inside[x], inside[y]] += share[c]
    return both


@compiled
def broken_triples(holds, share, near):
    """Return triples of atoms and by how much each is violated, where that is more than `near`."""
    n = holds.shape[1]
    both = shares_of_pairs(holds, share)
    all_three = np.zeros(n)
    rows, amounts = [(0, 0, 0)], [0.0]
    for i in range(n):
        for j in range(i + 1, n):
            if both[i, j] <= 1e-9:
                # of a triple with any violation two pairs share columns; (i, j) may be the third
                usable = False
                for k in range(n):
                    if both[i, k] > 1e-9 and both[j, k] > 1e-9:
                        usable = True
                        break
                if not usable:
                    continue
            all_three[:] = 0.0
            if both[i, j] > 1e-9:
                for c in range(len(share)):
                    if holds[c, i] == 1 and holds[c, j] == 1:
                        for k in range(j + 1, n):
                            if holds[c, k] == 1:
                                all_three[k] += share[c]
            for k in range(j + 1, n):
                value = both[i, j] + both[i, k] + both[j, k] - 2.0 * all_three[k] - 1.0
                if value > near:
                    rows.append((i, j, k))
                    amounts.append(value)
    out = np.empty((len(rows) - 1, 3), np.int64)
    for r in range(1, len(rows)):
        out[r - 1, 0], out[r - 1, 1], out[r - 1, 2] = rows[r]
    return out, np.array(amounts[1:])


@compiled
def best_pair(holds, share, triple):
    """Return the two atoms whose joining a triple makes the largest left side, and that side."""
    n = holds.shape[1]
    value = np.zeros((n, n))
    alone = np.zeros(n)
    plain = 0.0
    members = np.empty(n, np.int64)
    for c in range(len(share)):
        inside, count = 0, 0
        for i in range(n):
            if holds[c, i] == 1:
                if i == triple[0] or i == triple[1] or i == triple[2]:
                    inside += 1
                else:
                    members[count] = i
                    count += 1
        # how many pairs there are with none, one or both of the two
        none, one, two = inside // 2, (inside + 1) // 2, (inside + 2) // 2
        plain += none * share[c]
        for x in range(count):
            alone[members[x]] += (one - none) * share[c]
            for y in range(count):
                value[members[x], members[y]] += (two - 2 * one + none) * share[c]
    first, second, best = -1, -1, -1.0
    for i in range(n):
        if i == triple[0] or i == triple[1] or i == triple[2]:
            continue
        for j in range(i + 1, n):
            if j == triple[0] or j == triple[1] or j == triple[2]:
                continue
            found = plain + alone[i] + alone[j] + value[i, j]
            if found > best + 1e-12:
                first, second, best = i, j, found
    return first, second, best
