"""What others would use to group schools, each given the same arrays; knows nothing of the project.

    PYTHON -m benchmarks.peer_methods NAME given.npz answer.json

`peers.py` writes the arrays of one part, starts this with the interpreter that holds the peers'
packages, one process a peer, and reads the label of each school back. Packages are imported before
the clock starts. The plain assignment models are in `peer_models`.
"""

from __future__ import annotations

import importlib
import json
import math
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, fields
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import machine

OFF = 2**40
"""A limit that does not bind, as in the engine's own arrays."""
BROKEN = 150_000
"""Hundredths of a minute that a chain pays for each unit by which it breaks a rule."""
BURST = 20
"""Steps of a burst before the chain goes back to its best plan."""
STARTS = 100
CONSTRUCTIONS = 20
"""Starts of max-p in place of its 99, which take minutes in a district of 60 schools."""


@dataclass(frozen=True, eq=False)
class Given:
    """One part of a study as arrays over its n atoms (schools tied together) and m schools.

    Names and units are those of `clustering.solve.model.Model`: prices in hundredths of a minute,
    need in tenths. `limits` has a row for each limit class: schools low and high, pupils low and
    high, secondaries, primaries, need in thousandths of the mean, minutes to the hub.
    """

    clusters: int
    seed: int
    steps: int
    """Steps of a chain."""
    seconds: float
    """Limit of an exact model."""
    workers: int
    minutes: Any
    """(m, m) minutes from school to school."""
    points: Any
    """(m, d) the minutes laid out as points: what a method is given that knows only places."""
    atom_of: Any
    size: Any
    primaries: Any
    secondaries: Any
    pupils: Any
    need: Any
    area_count: Any
    travel: Any
    far: Any
    hub_allowed: Any
    pin: Any
    cut: Any
    adjacent: Any
    apart: Any
    anchor_class: Any
    area_class: Any
    limits: Any
    crossing: int
    price_cluster: int
    balance: int
    """Price of one per cent by which the need of a cluster misses the mean."""
    size_balance: int
    base: int

    def write(self, path: Path) -> None:
        """Write every field into a file of arrays."""
        np.savez(path, **{f.name: np.asarray(getattr(self, f.name)) for f in fields(self)})

    @classmethod
    def read(cls, path: Path) -> Given:
        """Read what `write` wrote."""
        with np.load(path) as held:
            return cls(**{name: a if (a := held[name]).ndim else a.item() for name in held.files})

    def __len__(self) -> int:
        return len(self.size)

    def over_atoms(self, values: Any) -> Any:
        """Return the mean over the schools of each atom of an array over schools."""
        out = np.zeros((len(self), *values.shape[1:]))
        np.add.at(out, self.atom_of, values)
        return out / self.size.reshape(-1, *[1] * (values.ndim - 1))

    def between(self, choose: Any, none: float) -> Any:
        """Return minutes between atoms: of their nearest (np.minimum) or farthest schools."""
        out = np.full((len(self), len(self)), none)
        choose.at(out, (self.atom_of[:, None], self.atom_of[None, :]), self.minutes)
        return choose(out, out.T)

    def class_of(self, atoms: Sequence[int]) -> int:
        """Return the limit class of a cluster: its anchor's, else its main area's."""
        anchors = [int(self.anchor_class[i]) for i in atoms if self.anchor_class[i] >= 0]
        main = int(self.area_count[list(atoms)].sum(axis=0).argmax())
        return anchors[0] if anchors else int(self.area_class[main])


@dataclass
class Answer:
    """What a peer said: the label of each school, perhaps a bound, and its way there.

    `trace` has (seconds, objective, bound) in hundredths of a minute, None for what is not known.
    """

    labels: list[int] = field(default_factory=list)
    bound: float | None = None
    objective: float | None = None
    trace: list[tuple[float, float | None, float | None]] = field(default_factory=list)
    seconds: float = math.nan
    cpu: float = math.nan
    """Seconds of processor time, all threads together: how much of a shared machine it got."""
    peak: float = math.nan
    version: str = ""
    failed: str = ""

    def write(self, path: Path) -> None:
        """Write as JSON."""
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Answer:
        """Read what `write` wrote."""
        return cls(**json.loads(path.read_text("utf-8")))


def schools_of(given: Given, labels: Iterable[int]) -> list[int]:
    """Return the label of each school from the label of each atom."""
    return np.asarray(list(labels))[given.atom_of].tolist()


# -- by hand ----------------------------------------------------------------------------------


def greedy(given: Given) -> Answer:
    """Each school to its nearest secondary; merge the smallest; move schools over until it fits."""
    near = given.between(np.minimum, math.inf)
    seeds = np.flatnonzero(given.secondaries > 0)
    labels = seeds[near[:, seeds].argmin(axis=1)]
    labels[seeds] = seeds
    while len(groups := np.unique(labels)) > given.clusters:
        sizes = {g: int(given.size[labels == g].sum()) for g in groups}
        small = min(groups, key=lambda g: (sizes[g], g))
        inside = labels == small
        rest = [g for g in groups if g != small and given.adjacent[inside][:, labels == g].any()]
        rest = rest or [g for g in groups if g != small]
        high = given.limits[given.area_class[0], 1]

        def price(g: int, own: int = small, sizes: dict = sizes, high: int = high) -> tuple:
            over = max(0, sizes[g] + sizes[own] - high)
            return over, near[labels == own][:, labels == g].mean(), g

        labels[inside] = min(rest, key=price)
    return Answer(schools_of(given, _levelled(given, near, labels)))


def _levelled(given: Given, near: Any, labels: Any) -> Any:
    """Move the cheapest atom at a border as long as that brings the sizes nearer to the limits."""
    for _ in range(2 * len(given)):
        now, best = _missed(given, labels), None
        for i in range(len(given)):
            for g in {int(labels[j]) for j in np.flatnonzero(given.adjacent[i])} - {labels[i]}:
                tried = labels.copy()
                tried[i] = g
                left = np.flatnonzero(labels == labels[i])
                left = left[left != i]
                if not len(left) or not connected(given.adjacent, left):
                    continue
                if given.secondaries[i] and not given.secondaries[left].any():
                    continue
                miss = _missed(given, tried)
                key = (miss, near[i][labels == g].mean(), i, g)
                if miss < now and (best is None or key < best):
                    best = key
        if best is None:
            return labels
        labels = labels.copy()
        labels[best[2]] = best[3]
    return labels


def _missed(given: Given, labels: Any) -> int:
    """Return by how many schools the clusters miss their limits on size."""
    missed = 0
    for g in np.unique(labels):
        atoms = np.flatnonzero(labels == g)
        low, high = given.limits[given.class_of(atoms), :2]
        size = int(given.size[atoms].sum())
        missed += max(0, low - size, size - high)
    return int(missed)


def connected(adjacent: Any, atoms: Any) -> bool:
    """Are the atoms in one piece?"""
    wanted = {int(i) for i in atoms}
    seen = frontier = {min(wanted)}
    while frontier:
        near = set(np.flatnonzero(adjacent[sorted(frontier)].any(axis=0)).tolist())
        frontier = (near & wanted) - seen
        seen = seen | frontier
    return seen == wanted


# -- general clustering -----------------------------------------------------------------------


def agglomerative(given: Given) -> Answer:
    """scikit-learn: complete linkage on minutes, along the neighbour graph."""
    from sklearn.cluster import AgglomerativeClustering

    farthest = given.between(np.maximum, 0.0)
    np.fill_diagonal(farthest, 0.0)
    model = AgglomerativeClustering(
        given.clusters,
        metric="precomputed",
        connectivity=given.adjacent.astype(int),
        linkage="complete",
    )
    return Answer(schools_of(given, model.fit_predict(farthest)))


def k_means(given: Given) -> Answer:
    """k-means-constrained: clusters of the least and most schools, on points, tied or not."""
    from k_means_constrained import KMeansConstrained

    low, high = (int(v) for v in given.limits[given.area_class[0], :2])
    model = KMeansConstrained(given.clusters, low, high, random_state=given.seed, n_init=10)
    return Answer(model.fit_predict(given.points).tolist())


# -- regions, with spopt ----------------------------------------------------------------------


def _frame(given: Given) -> tuple[Any, Any, list[str]]:
    """Return the atoms as spopt wants them: a table with places, weights, columns to compare."""
    import geopandas
    from libpysal.weights import W

    places = given.over_atoms(given.points)
    names = [f"p{k}" for k in range(places.shape[1])]
    frame = geopandas.GeoDataFrame(
        dict(zip(names, places.T, strict=True)) | {"schools": given.size},
        geometry=geopandas.points_from_xy(places[:, 0], places[:, min(1, len(names) - 1)]),
    )
    links = {i: np.flatnonzero(row).tolist() for i, row in enumerate(given.adjacent)}
    return frame, W(links, silence_warnings=True), names


def max_p(given: Given) -> Answer:
    """spopt max-p regions: as many regions as can be of at least the least schools."""
    from spopt.region import MaxPHeuristic

    frame, weights, names = _frame(given)
    np.random.seed(given.seed)  # noqa: NPY002 - spopt draws from numpy's global state
    low = int(given.limits[given.area_class[0], 0])
    model = MaxPHeuristic(
        frame, weights, names, "schools", low, top_n=2, max_iterations_construction=CONSTRUCTIONS
    )
    model.solve()
    return Answer(schools_of(given, model.labels_))


def skater(given: Given) -> Answer:
    """spopt SKATER: cut a spanning tree into clusters of a least number of atoms."""
    from sklearn.metrics import pairwise
    from spopt.region import Skater

    frame, weights, names = _frame(given)
    tree = {
        "dissimilarity": pairwise.euclidean_distances,
        "affinity": None,
        "reduction": np.sum,
        "center": np.mean,
    }
    low = int(given.limits[given.area_class[0], 0])
    low = min(low, len(given) // given.clusters)
    model = Skater(frame, weights, names, given.clusters, low, spanning_forest_kwds=tree)
    model.solve()
    return Answer(schools_of(given, model.labels_))


def azp(given: Given) -> Answer:
    """spopt AZP: move atoms between connected regions while the places grow more alike."""
    from spopt.region import AZP

    frame, weights, names = _frame(given)
    model = AZP(frame, weights, names, given.clusters, random_state=given.seed)
    model.solve()
    return Answer(schools_of(given, model.labels_))


def ward(given: Given) -> Answer:
    """spopt WardSpatial: Ward's linkage on places, along the neighbour graph."""
    from spopt.region import WardSpatial

    frame, weights, names = _frame(given)
    model = WardSpatial(frame, weights, names, given.clusters)
    model.solve()
    return Answer(schools_of(given, model.labels_))


def region_k_means(given: Given) -> Answer:
    """spopt region k-means: k-means on places that keeps regions connected."""
    from spopt.region import RegionKMeansHeuristic

    frame, weights, names = _frame(given)
    model = RegionKMeansHeuristic(frame[names].to_numpy(), given.clusters, weights, seed=given.seed)
    model.solve()
    return Answer(schools_of(given, model.labels_))


# -- a chain with our score -------------------------------------------------------------------


def short_bursts(given: Given) -> Answer:
    """GerryChain: short bursts of ReCom, our objective plus a price for each broken rule."""
    from gerrychain.constraints import contiguous
    from gerrychain.optimization import SingleMetricOptimizer
    from gerrychain.proposals import build_recom_proposal_fn

    mean = float(given.size.sum()) / given.clusters
    low, high = given.limits[given.area_class[0], :2]
    width = max(mean - low, high - mean) / mean + 1e-9  # the limits themselves are allowed
    score = scorer(given)
    chain = SingleMetricOptimizer(
        build_recom_proposal_fn("schools", mean, width),
        [contiguous],
        _start(given, width),
        lambda plan: sum(score(frozenset(atoms)) for atoms in plan.parts.values()),
        maximize=False,
        rng=given.seed,
    )
    for _ in chain.short_bursts(BURST, given.steps // BURST):
        pass
    names = dict(chain.best_part.assignment.items())
    return Answer(schools_of(given, [names[i] for i in range(len(given))]))


def _start(given: Given, width: float) -> Any:
    """Return a random plan to start a chain from; one seed after the other until one has a plan."""
    import networkx
    from gerrychain import Graph, Partition
    from gerrychain.tree import PopulationBalanceError

    graph = networkx.from_numpy_array(given.adjacent.astype(int))
    networkx.set_node_attributes(graph, dict(enumerate(given.size.tolist())), "schools")
    for seed in range(given.seed, given.seed + STARTS):
        try:
            return Partition.from_random_assignment(
                Graph.from_networkx(graph), given.clusters, width, "schools", rng=seed
            )
        except PopulationBalanceError:
            continue
    raise PopulationBalanceError(f"no start from {STARTS} seeds")


def scorer(given: Given) -> Callable[[frozenset[int]], float]:
    """Return the price of a cluster: our objective, and `BROKEN` for each unit of a breach."""
    need, pupils = int(given.need.sum()), int(given.pupils.sum())

    def missed(price: int, own: int, total: int) -> int:
        return price * 100 * abs(own * given.clusters - total) // total if total else 0

    @lru_cache(maxsize=200_000)
    def score(cluster: frozenset[int]) -> float:
        atoms = np.array(sorted(cluster))
        low, high, few, many, seconds, firsts, share, most = given.limits[given.class_of(atoms)]
        hubs = np.isin(given.atom_of, atoms) & given.hub_allowed
        pins = {int(p) for p in given.pin[atoms]} - {-1}
        if pins:
            hubs &= np.isin(np.arange(len(hubs)), sorted(pins)[:1])
        ways = given.travel[atoms].sum(axis=0) + BROKEN * (given.far[atoms] > most).sum(axis=0)
        cost = int(ways[hubs].min()) if hubs.any() else BROKEN * len(given)
        cost += given.price_cluster + int(given.cut[atoms].sum())
        cost -= int(given.cut[np.ix_(atoms, atoms)].sum())
        own, roll = int(given.need[atoms].sum()), int(given.pupils[atoms].sum())
        cost += missed(given.balance, own, need) + missed(given.size_balance, roll, pupils)
        schools = int(given.size[atoms].sum())
        cost += given.crossing * (schools - int(given.area_count[atoms].sum(axis=0).max()))
        broken = max(0, low - schools, schools - high) + max(0, few - roll, roll - many) / 100
        broken += max(0, seconds - int(given.secondaries[atoms].sum()))
        broken += max(0, firsts - int(given.primaries[atoms].sum()))
        off = abs(own * given.clusters - need) / need if need else 0.0
        broken += max(0.0, off - share / 1000) * 100
        broken += sum(a in cluster and b in cluster for a, b in given.apart.tolist())
        return cost + BROKEN * broken

    return score


# -- the front desk ---------------------------------------------------------------------------

METHODS: dict[str, tuple[str, str, str]] = {
    "nearest secondary, merged by hand": ("greedy", "numpy", ""),
    "scikit-learn agglomerative": ("agglomerative", "sklearn.cluster", "scikit-learn"),
    "k-means-constrained": ("k_means", "k_means_constrained", "k-means-constrained"),
    "spopt max-p": ("max_p", "spopt.region", "spopt"),
    "spopt SKATER": ("skater", "spopt.region", "spopt"),
    "spopt AZP": ("azp", "spopt.region", "spopt"),
    "spopt WardSpatial": ("ward", "spopt.region", "spopt"),
    "spopt RegionKMeans": ("region_k_means", "spopt.region", "spopt"),
    "GerryChain short bursts": ("short_bursts", "gerrychain.optimization", "gerrychain"),
    "plain model, CP-SAT": ("cp_sat", "ortools.sat.python.cp_model", "ortools"),
    "plain model, HiGHS": ("highs", "highspy", "highspy"),
}
"""A peer's name → the function here or in `peer_models`, what it imports, its distribution."""
PLAIN = ("plain model, CP-SAT", "plain model, HiGHS")


def answer(name: str, given: Given) -> Answer:
    """Ask a peer; one whose package is missing, or that fails in its own way, says so."""
    function, module, package = METHODS[name]
    home = importlib.import_module("benchmarks.peer_models") if name in PLAIN else None
    try:
        importlib.import_module(module)
    except ImportError as error:
        return Answer(failed=f"{package} is not installed ({error})")
    began, busy = time.perf_counter(), time.process_time()
    try:
        said: Answer = getattr(home, function)(given) if home else globals()[function](given)
    except Exception as error:  # whatever a peer raises is its answer, and stands in the table
        said = Answer(failed=f"{type(error).__name__}: {error}")
    said.seconds, said.cpu = time.perf_counter() - began, time.process_time() - busy
    said.peak, said.version = machine.peak(), version(package) if package else ""
    return said


def main(words: Sequence[str]) -> int:
    """Read the arrays, ask the peer, write its answer."""
    name, given, out = words
    answer(name, Given.read(Path(given))).write(Path(out))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
