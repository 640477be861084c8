"""Scores answers to the public instances: reads each file again and shares no code with the solver.

Plain Python, exact fractions where the file gives decimals. A labelling is a list with the number
of the cluster of each node, in the order of the file. Every function raises `Unfit` with the rule
that is broken, or returns the value of the answer in the units of the literature.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from pyproj import Geod

METRES_A_MILE = 1609.344


class Unfit(ValueError):
    """An answer that breaks a rule of its instance."""


def score(kind: str, path: Path, labels: Sequence[int]) -> float:
    """Return the value of a labelling of the instance `path`; `kind` as in `public.KINDS`."""
    rules = {
        "ccplib": benefit_kept,
        "pmedcap": median_floor,
        "cpmp": median_real,
        "districting inertia": moment_of_inertia,
        "districting edges": cut_edges,
        "districting perimeter": cut_perimeter,
    }
    return rules[kind](path, labels)


def benefit_kept(path: Path, labels: Sequence[int]) -> float:
    """Return the benefit of all pairs that share a cluster (CCPLIB; larger is better)."""
    first, *pairs = path.read_text("utf-8").splitlines()
    words = first.split()
    split = words.index("W")
    nodes, wanted = int(words[0]), int(words[1])
    limits = [int(w) for w in words[3:split]]
    weights = [Fraction(w) for w in words[split + 1 :]]
    groups = _groups(labels, nodes, wanted)
    totals = sorted(sum(weights[i] for i in group) for group in groups)
    ranges = sorted(zip(limits[0::2], limits[1::2], strict=True))
    if len(set(ranges)) != 1:
        raise Unfit("the checker knows only instances whose clusters have equal limits")
    for total, (low, high) in zip(totals, ranges, strict=True):
        if not low <= total <= high:
            raise Unfit(f"a cluster weighs {float(total)}, outside {low} to {high}")
    value = Fraction(0)
    for line in pairs:
        if line.strip():
            i, j, benefit = line.split()
            if labels[int(i)] == labels[int(j)]:
                value += Fraction(benefit)
    return float(value)


def median_floor(path: Path, labels: Sequence[int]) -> float:
    """Return the sum of whole-number distances to the best median of each cluster (pmedcap)."""
    words = path.read_text("utf-8").split()
    nodes, medians, capacity = int(words[2]), int(words[3]), int(words[4])
    rows = [words[5 + 4 * k : 9 + 4 * k] for k in range(nodes)]
    points = [(int(x), int(y)) for _, x, y, _ in rows]
    demand = [int(d) for *_, d in rows]
    distances = [
        [float(math.isqrt((a - c) ** 2 + (b - d) ** 2)) for c, d in points] for a, b in points
    ]
    return _medians(_groups(labels, nodes, medians), distances, demand, [capacity] * nodes)


def median_real(path: Path, labels: Sequence[int]) -> float:
    """Return the sum of real distances to the best median of each cluster (SJC, lin318)."""
    words = path.read_text("utf-8").split()
    nodes, medians = int(words[0]), int(words[1])
    rows = [words[2 + 4 * k : 6 + 4 * k] for k in range(nodes)]
    points = [(float(x), float(y)) for x, y, _, _ in rows]
    distances = [[math.dist(a, b) for b in points] for a in points]
    demand = [int(row[3]) for row in rows]
    capacity = [int(row[2]) for row in rows]
    return _medians(_groups(labels, nodes, medians), distances, demand, capacity)


def moment_of_inertia(path: Path, labels: Sequence[int]) -> float:
    """Return Σ population · miles² to the best centre county of each district (Oklahoma)."""
    counties = _districts(path, labels)
    places = [(float(c["INTPTLON20"]), float(c["INTPTLAT20"])) for c in counties]
    geod = Geod(ellps="WGS84")
    value = 0.0
    for group in _groups(labels, len(counties), 5):
        sums = []
        for centre in group:
            there = 0.0
            for i in group:
                metres = geod.inv(*places[i], *places[centre])[2]
                there += int(counties[i]["P0010001"]) * (metres / METRES_A_MILE) ** 2
            sums.append(there)
        value += min(sums)
    return value


def cut_edges(path: Path, labels: Sequence[int]) -> float:
    """Return how many borders between counties lie between districts (Oklahoma)."""
    _districts(path, labels)
    return float(len(_cut(path, labels)))


def cut_perimeter(path: Path, labels: Sequence[int]) -> float:
    """Return the length of the borders between districts, in the units of the file (Oklahoma)."""
    _districts(path, labels)
    return math.fsum(_cut(path, labels).values())


def _districts(path: Path, labels: Sequence[int]) -> list[dict]:
    """Check balance and contiguity of five districts; return the counties."""
    atlas = json.loads(path.read_text("utf-8"))
    counties = atlas["nodes"]
    beside: dict[int, set[int]] = defaultdict(set)
    for i, links in enumerate(atlas["adjacency"]):
        for link in links:
            beside[i].add(link["id"])
            beside[link["id"]].add(i)
    for group in _groups(labels, len(counties), 5):
        people = sum(int(counties[i]["P0010001"]) for i in group)
        if not 783_952 <= people <= 799_789:
            raise Unfit(f"a district has {people} people, outside 783,952 to 799,789")
        left, reached = set(group), [group[0]]
        while reached:
            here = reached.pop()
            left.discard(here)
            reached += [j for j in beside[here] if j in left]
            left -= set(reached)
        if left:
            raise Unfit("a district is not in one piece")
    return counties


def _cut(path: Path, labels: Sequence[int]) -> dict[tuple[int, int], float]:
    atlas = json.loads(path.read_text("utf-8"))
    cut = {}
    for i, links in enumerate(atlas["adjacency"]):
        for link in links:
            j = link["id"]
            if labels[i] != labels[j]:
                cut[min(i, j), max(i, j)] = float(link["shared_perim"])
    return cut


def _groups(labels: Sequence[int], nodes: int, wanted: int) -> list[list[int]]:
    if len(labels) != nodes:
        raise Unfit(f"{len(labels)} labels for {nodes} nodes")
    groups: dict[int, list[int]] = defaultdict(list)
    for i, label in enumerate(labels):
        groups[int(label)].append(i)
    if len(groups) != wanted:
        raise Unfit(f"{len(groups)} clusters, {wanted} wanted")
    return [groups[label] for label in sorted(groups)]


def _medians(
    groups: list[list[int]],
    distances: list[list[float]],
    demand: list[int],
    capacity: list[int],
) -> float:
    value = []
    for group in groups:
        load = sum(demand[i] for i in group)
        able = [h for h in group if capacity[h] >= load]
        if not able:
            raise Unfit(f"a cluster has a demand of {load}, beyond the capacity of any of its own")
        value.append(min(math.fsum(distances[i][h] for i in group) for h in able))
    return math.fsum(value)
