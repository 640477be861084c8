"""The quickest way from one place to another as a line that follows the roads, for maps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely
from scipy.sparse.csgraph import dijkstra
from shapely.geometry.base import BaseGeometry
from shapely.ops import substring

from geo.errors import Fault, TravelError
from geo.road_search import Net, ready_net
from geo.road_snap import snap
from geo.roads import Roads
from geo.speeds import Speeds, read_speeds


@dataclass(frozen=True, eq=False)
class Ways:
    """Roads as minutes were made from them: for lines on a map and kilometres beside minutes.

    `speeds` and `peak` as in `road_minutes`; `land` (EPSG:27700), where no gate is joined over
    water.
    """

    roads: Roads
    speeds: Speeds
    peak: float = 1.0
    land: BaseGeometry | None = None

    def routes(
        self, spots: np.ndarray, pairs: Sequence[tuple[int, int]], *, limit: float = np.inf
    ) -> list[shapely.LineString | None]:
        """Return the quickest way of each pair of places: `routes`, over these roads."""
        return routes(
            spots,
            pairs,
            self.roads,
            speeds=self.speeds,
            peak=self.peak,
            limit=limit,
            land=self.land,
        )


def route(
    a: tuple[float, float],
    b: tuple[float, float],
    roads: Roads,
    *,
    speeds: Speeds | None = None,
    peak: float = 1.0,
) -> shapely.LineString:
    """Return the quickest way from one point to another, following the roads (EPSG:27700).

    From gate to gate: it begins and ends at the points themselves. Raises TravelError where no road
    leads.
    """
    spots = np.array([a, b], dtype=float)
    found = routes(spots, [(0, 1)], roads, speeds=speeds, peak=peak)[0]
    if found is None:
        raise TravelError(Fault("No road leads from the one place to the other."))
    return found


def routes(
    spots: np.ndarray,
    pairs: Sequence[tuple[int, int]],
    roads: Roads,
    *,
    speeds: Speeds | None = None,
    peak: float = 1.0,
    limit: float = np.inf,
    land: BaseGeometry | None = None,
) -> list[shapely.LineString | None]:
    """Return the quickest way of each pair (from, to) of places, gate to gate; EPSG:27700, metres.

    `spots`: (p, 2); pairs are positions in it. One search leads to each place that is led to. None
    where no way takes less than `limit` minutes on the road. `land` as in `road_minutes`.
    """
    speeds = speeds or read_speeds()
    net = ready_net(roads, snap(roads, spots, land=land), speeds, peak)
    streets = _Streets(roads, net, speeds.minutes(roads, peak)[0])
    back = net.graph.T.tocsr()
    sources = defaultdict(set)
    for start, end in pairs:
        sources[end].add(start)
    found: dict[tuple[int, int], shapely.LineString | None] = {}
    for end, starts in sources.items():
        cost, after = dijkstra(
            back, indices=int(net.arrive[end]), limit=limit, return_predecessors=True
        )
        for start in starts:
            found[start, end] = _line(spots, start, end, streets, cost, after)
    return [found[pair] for pair in pairs]


class _Streets:
    """Finds the street that leads from one node of a network to the next."""

    def __init__(self, roads: Roads, net: Net, minutes: np.ndarray) -> None:
        tail, head, street = roads.directed
        order = np.lexsort((minutes[street], head, tail))  # the quickest of parallel ones first
        self.roads, self.net = roads, net
        self.keys = tail[order].astype(np.int64) * len(roads.xy) + head[order]
        self.street = street[order]

    def between(self, tail: int, head: int) -> int:
        """Return the quickest street from node to node."""
        key = tail * len(self.roads.xy) + head
        return int(self.street[np.searchsorted(self.keys, key)])


def _line(
    spots: np.ndarray, start: int, end: int, streets: _Streets, cost: np.ndarray, after: np.ndarray
) -> shapely.LineString | None:
    """Return the way of one pair; `after`: the next node on the way to the place led to."""
    net, roads = streets.net, streets.roads
    straight = _straight(net, start, end)
    begin, last = int(net.leave[start]), int(net.arrive[end])
    if np.isinf(cost[begin]) and np.isinf(straight):
        return None
    if straight <= cost[begin]:
        k = int(net.street[start])
        pieces = [_piece(roads, k, float(net.share[start]), float(net.share[end]))]
    else:
        nodes = [begin]
        while nodes[-1] != last:
            nodes.append(int(after[nodes[-1]]))
        pieces = _pieces(streets, nodes)
    line = np.vstack([spots[start : start + 1], *pieces, spots[end : end + 1]])
    new = np.ones(len(line), dtype=bool)
    new[1:] = np.abs(np.diff(line, axis=0)).max(axis=1) > 1e-6
    line = line[new]
    return shapely.LineString(line if len(line) > 1 else np.vstack([line, line]))


def _straight(net: Net, start: int, end: int) -> float:
    """Minutes along one street, where both places stand on it and may go so."""
    if net.street[start] != net.street[end]:
        return float("inf")
    step = float(net.share[end] - net.share[start])
    if step == 0:
        return 0.0
    return float(step * net.along[start] if step > 0 else -step * net.against[start])


def _piece(roads: Roads, street: int, start: float, end: float) -> np.ndarray:
    """Return the points of a street from one share of it to another, in that order."""
    piece = substring(roads.lines[street], start, end, normalized=True)
    return np.asarray(shapely.get_coordinates(piece))


def _pieces(streets: _Streets, nodes: list[int]) -> list[np.ndarray]:
    """Return the drawn street of every step of a way."""
    roads, net = streets.roads, streets.net
    found = []
    for u, v in pairwise(nodes):
        if u >= net.first and v >= net.first:
            continue
        if u >= net.first or v >= net.first:
            place, node = (u, v) if u >= net.first else (v, u)
            which = (place - net.first) % len(net.street)
            k, share = int(net.street[which]), float(net.share[which])
            far = _end_share(roads, k, share, node, leaving=u >= net.first)
            piece = _piece(roads, k, share, far)
            found.append(piece if u >= net.first else piece[::-1])
            continue
        k = streets.between(u, v)
        forward = roads.a[k] == u
        found.append(_piece(roads, k, 0.0, 1.0) if forward else _piece(roads, k, 1.0, 0.0))
    return found


def _end_share(roads: Roads, street: int, share: float, node: int, *, leaving: bool) -> float:
    """Return 0 or 1: at which end of its street a place is left for a node, or reached from it."""
    is_a, is_b = roads.a[street] == node, roads.b[street] == node
    if is_a and is_b:  # a loop: the nearer way that is allowed
        to_b = roads.forward[street] if leaving else roads.backward[street]
        to_a = roads.backward[street] if leaving else roads.forward[street]
        return 1.0 if to_b and (not to_a or share >= 0.5) else 0.0
    return 0.0 if is_a else 1.0
