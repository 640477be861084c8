"""Shortest minutes over a network with places joined to it: one search for each place.

Method: Dijkstra's algorithm as in `scipy.sparse.csgraph`, in chunks, bounded by a limit. A search
is a plain callable, so that a faster engine, or a counting one in a test, can stand in its place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import shapely
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import dijkstra

from geo.errors import Fault, TravelError
from geo.road_snap import Snaps
from geo.roads import Roads
from geo.speeds import Speeds

Progress = Callable[[int, int], None]
CELLS = 16_000_000
"""A chunk of searches holds at most this many distances (8 bytes each)."""
LEAST = 1e-9
"""scipy reads a stored zero as no edge, so that no edge takes no time."""


class Search(Protocol):
    """Minutes from each of `sources` to each of `targets` (nodes); inf beyond `limit`."""

    def __call__(
        self, net: Net, sources: np.ndarray, targets: np.ndarray, limit: float
    ) -> np.ndarray: ...


@dataclass(frozen=True, eq=False)
class Net:
    """A network with places on it.

    `graph`: minutes between its nodes. A place has two nodes, one it is left by (`leave`) and one
    it is reached at (`arrive`), so that no way leads through it; they come after the `first` nodes
    of the roads. `xy`: (n, 2) metres. `share`, `along`, `against`: of each place its share of the
    street, and the minutes of the whole street in both directions (inf = not allowed); `street`:
    which. `gate`: minutes between place and road.
    """

    graph: csr_array
    first: int
    leave: np.ndarray
    arrive: np.ndarray
    xy: np.ndarray
    street: np.ndarray
    share: np.ndarray
    along: np.ndarray
    against: np.ndarray
    gate: np.ndarray

    @property
    def turned(self) -> Net:
        """The same network with every direction turned round: ways to instead of ways from."""
        return replace(
            self,
            graph=self.graph.T.tocsr(),
            leave=self.arrive,
            arrive=self.leave,
            share=1.0 - self.share,
        )


def ready_net(roads: Roads, snaps: Snaps, speeds: Speeds, peak: float = 1.0) -> Net:
    """Put places on a network; each is joined to both ends of its street, as traffic may go."""
    minutes, at_node = speeds.minutes(roads, peak)
    size, count = len(roads.xy), len(snaps.street)
    leave, arrive = size + np.arange(count), size + count + np.arange(count)
    tail, head, street = roads.directed
    k, share = snaps.street, snaps.share
    a, b, whole = roads.a[k], roads.b[k], minutes[k]
    to_b, to_a = roads.forward[k], roads.backward[k]
    # A place at a corner may also set off down the other streets, and be reached from them.
    at_a, at_b = share <= 0.0, share >= 1.0
    to_start, to_end = share * whole, (1.0 - share) * whole
    legs = [
        (tail, head, minutes[street] + at_node[head], np.ones(len(tail), dtype=bool)),
        (leave, b, np.where(at_b, 0.0, to_end + at_node[b]), to_b | at_b),
        (leave, a, np.where(at_a, 0.0, to_start + at_node[a]), to_a | at_a),
        (a, arrive, to_start, to_b | at_a),
        (b, arrive, to_end, to_a | at_b),
    ]
    tails, heads, costs = (np.concatenate([leg[part][leg[3]] for leg in legs]) for part in range(3))
    spots = _on_road(roads, snaps)
    return Net(
        graph=lightest(size + 2 * count, tails, heads, costs),
        first=size,
        leave=leave,
        arrive=arrive,
        xy=np.vstack([roads.xy, spots, spots]),
        street=k,
        share=share,
        along=np.where(to_b, whole, np.inf),
        against=np.where(to_a, whole, np.inf),
        gate=snaps.metres / speeds.gate_kmh(roads) * 0.06,
    )


def _on_road(roads: Roads, snaps: Snaps) -> np.ndarray:
    """Return the points on the road where places join it; (p, 2) metres."""
    lines = roads.lines[snaps.street]
    return np.asarray(
        shapely.get_coordinates(shapely.line_interpolate_point(lines, snaps.share, normalized=True))
    )


def lightest(size: int, tail: np.ndarray, head: np.ndarray, cost: np.ndarray) -> csr_array:
    """Return a directed sparse graph with the cheapest of parallel edges and no loops."""
    open_ones = tail != head
    tail, head, cost = tail[open_ones], head[open_ones], cost[open_ones]
    order = np.lexsort((cost, head, tail))
    tail, head, cost = tail[order], head[order], cost[order]
    new = np.ones(len(tail), dtype=bool)
    new[1:] = (tail[1:] != tail[:-1]) | (head[1:] != head[:-1])
    cells = (np.maximum(cost[new], LEAST), (tail[new], head[new]))
    return csr_array(coo_array(cells, shape=(size, size)))


def dijkstra_search(
    net: Net, sources: np.ndarray, targets: np.ndarray, limit: float = np.inf
) -> np.ndarray:
    """Search with scipy: exact, everywhere installed."""
    reached = dijkstra(net.graph, directed=True, indices=sources, limit=limit)
    return np.asarray(reached[:, targets])


def hierarchy_search(
    net: Net, sources: np.ndarray, targets: np.ndarray, limit: float = np.inf
) -> np.ndarray:
    """Search with a customisable contraction hierarchy (package `pyroutingkit`), if it is there.

    Dibbelt, Strasser and Wagner (2016), "Customizable Contraction Hierarchies", JEA 21. Whole
    milliseconds: after a hundred streets a way may be wrong by a tenth of a second.
    """
    try:
        import pyroutingkit
    except ImportError as error:
        raise TravelError(
            Fault("The package `pyroutingkit` is not here.", "Use the usual search instead.")
        ) from error
    graph = net.graph.tocoo()
    east, north = net.xy.T
    engine = pyroutingkit.CCH()
    # It only orders nodes by these, so any plane coordinates of the size of degrees will do.
    engine.build_topology(
        graph.row.astype(np.uint32),
        graph.col.astype(np.uint32),
        (north / 111_000.0).astype(np.float32),
        (east / 111_000.0).astype(np.float32),
        graph.shape[0],
    )
    engine.customize_weights(np.round(graph.data * 60_000.0).astype(np.uint32))
    found = engine.distances_many_to_many(sources.astype(np.uint32), targets.astype(np.uint32))
    minutes = np.asarray(found, dtype=float).reshape(len(sources), len(targets)) / 60_000.0
    lost = np.asarray(found).reshape(minutes.shape) >= pyroutingkit.INF_WEIGHT
    return np.where(lost | (minutes > limit), np.inf, minutes)


def between(
    net: Net,
    sources: np.ndarray,
    targets: np.ndarray,
    *,
    limit: float | None = None,
    search: Search = dijkstra_search,
    progress: Progress | None = None,
) -> np.ndarray:
    """Return minutes from places to places (positions), gates included; inf = no way in `limit`.

    Places that join the road at one point are searched from once. Fewer targets than sources are
    searched from the far end, on the network turned round.
    """
    if len(targets) < len(sources):
        return between(
            net.turned, targets, sources, limit=limit, search=search, progress=progress
        ).T
    bound = np.inf if limit is None else limit
    spots = np.column_stack([net.street[sources], net.share[sources]])
    _, first, again = np.unique(spots, axis=0, return_index=True, return_inverse=True)
    alone = sources[first]
    chunk = _at_once(search, net, len(alone))
    rows = []
    for begin in range(0, len(alone), chunk):
        part = alone[begin : begin + chunk]
        rows.append(search(net, net.leave[part], net.arrive[targets], bound))
        if progress:
            progress(min(begin + chunk, len(alone)), len(alone))
    road = np.vstack(rows)[again.ravel()] if rows else np.zeros((0, len(targets)))
    road = np.minimum(road, _on_one_street(net, sources, targets))
    total = road + net.gate[sources][:, None] + net.gate[targets][None, :]
    return np.asarray(np.where(total > bound, np.inf, total), dtype=float)


def _at_once(search: Search, net: Net, sources: int) -> int:
    """Return how many sources to search from in one call."""
    if search is hierarchy_search:  # builds its hierarchy for each call
        return max(1, sources)
    return max(1, CELLS // net.graph.shape[0])


def _on_one_street(net: Net, sources: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Return minutes straight along the street that two places share; inf where none."""
    found = np.full((len(sources), len(targets)), np.inf)
    i, j = np.nonzero(net.street[sources][:, None] == net.street[targets][None, :])
    s, t = sources[i], targets[j]
    step = net.share[t] - net.share[s]
    with np.errstate(invalid="ignore"):
        ahead = np.where(step > 0, step * net.along[s], np.inf)
        back = np.where(step < 0, -step * net.against[s], np.inf)
    found[i, j] = np.where(step == 0, 0.0, np.minimum(ahead, back))
    return found
