"""Minutes for every pair of 600 points: the product's search beside networkx, igraph, pandana, CCH.

    python benchmarks/routing.py [--points 600] [--roads file.osm.pbf] [--growth]

All engines get the same directed graph with the places already on it, each in a process of its own,
so that the peak of memory is its own. Slow ones search from fewer points and are scaled; the table
says so. Packages that are not installed are named, not skipped silently. The generated network is a
grid with jittered corners, one street in ten missing, and a main road on every twelfth line.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import machine  # noqa: E402
from geo.road_raw import RawRoads  # noqa: E402
from geo.road_search import (  # noqa: E402
    Net,
    between,
    dijkstra_search,
    hierarchy_search,
    ready_net,
)
from geo.road_snap import snap  # noqa: E402
from geo.roads import Roads, build, read_roads  # noqa: E402
from geo.speeds import read_speeds  # noqa: E402

RESULT = Path(__file__).with_name("results") / "routing.md"
GRID_METRES = 120.0
FEW = {"networkx": 12, "rustworkx": 60}
"""Slow engines search from so many points; their time is scaled to all."""
ENGINES = ("scipy", "CCH", "igraph", "pandana", "rustworkx", "networkx")
PACKAGE = {"CCH": "pyroutingkit"}


def grid(
    side: int,
    seed: int = 1,
    *,
    metres: float = GRID_METRES,
    origin: tuple[float, float] = (100_000.0, 100_000.0),
) -> RawRoads:
    """Return an invented town of side × side corners, two-way, with main roads between."""
    rng = np.random.default_rng(seed)
    east, north = np.meshgrid(np.arange(side), np.arange(side), indexing="ij")
    xy = np.column_stack([east.ravel(), north.ravel()]) * metres
    xy += rng.uniform(-0.3, 0.3, xy.shape) * metres + np.array(origin)
    node = np.arange(side * side).reshape(side, side)
    a = np.concatenate([node[:-1].ravel(), node[:, :-1].ravel()])
    b = np.concatenate([node[1:].ravel(), node[:, 1:].ravel()])
    line = np.concatenate([north[:-1].ravel(), east[:, :-1].ravel()])
    main = line % 12 == 0
    kept = main | (rng.random(len(a)) > 0.1)
    a, b, main = a[kept], b[kept], main[kept]
    yes = np.ones(len(a), dtype=bool)
    return RawRoads(
        xy=xy,
        a=a,
        b=b,
        metres=np.hypot(*(xy[a] - xy[b]).T) * rng.uniform(1.0, 1.2, len(a)),
        road_class=np.where(main, "primary", "residential").astype(object),
        signed_kmh=np.full(len(a), np.nan),
        forward=yes,
        backward=yes,
        line_at=2 * np.arange(len(a) + 1),
        line_xy=np.stack([xy[a], xy[b]], axis=1).reshape(-1, 2),
        osm=False,
    )


def network(name: str) -> Roads:
    """Return the network to search: a file, or `grid:<side>`."""
    if name.startswith("grid:"):
        return build(grid(int(name.split(":")[1])), "drive", "generated")
    return read_roads(Path(name))


def on_net(roads: Roads, points: int, seed: int = 1) -> Net:
    """Put so many points, drawn near streets, on a network."""
    rng = np.random.default_rng(seed)
    at = roads.xy[np.sort(rng.choice(len(roads.xy), points, replace=False))]
    spots = at + rng.uniform(-60, 60, at.shape)
    return ready_net(roads, snap(roads, spots), read_speeds())


def by_networkx(net: Net) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    import networkx as nx

    cells = net.graph.tocoo()
    graph = nx.DiGraph()
    graph.add_weighted_edges_from(
        zip(cells.row.tolist(), cells.col.tolist(), cells.data.tolist(), strict=True)
    )

    def search(sources: np.ndarray, targets: np.ndarray) -> np.ndarray:
        rows = [nx.single_source_dijkstra_path_length(graph, int(s)) for s in sources]
        return np.array([[row.get(int(t), np.inf) for t in targets] for row in rows])

    return search


def by_igraph(net: Net) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    import igraph

    cells = net.graph.tocoo()
    pairs = np.column_stack([cells.row, cells.col])
    graph = igraph.Graph(n=net.graph.shape[0], edges=pairs, directed=True)

    def search(sources: np.ndarray, targets: np.ndarray) -> np.ndarray:
        return np.array(graph.distances(sources.tolist(), targets.tolist(), weights=cells.data))

    return search


def by_rustworkx(net: Net) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    import rustworkx

    cells = net.graph.tocoo()
    graph = rustworkx.PyDiGraph()
    graph.add_nodes_from(range(net.graph.shape[0]))
    graph.add_edges_from(
        list(zip(cells.row.tolist(), cells.col.tolist(), cells.data.tolist(), strict=True))
    )

    def search(sources: np.ndarray, targets: np.ndarray) -> np.ndarray:
        rows = [
            dict(rustworkx.dijkstra_shortest_path_lengths(graph, int(s), float)) for s in sources
        ]
        return np.array([[row.get(int(t), np.inf) for t in targets] for row in rows])

    return search


def by_pandana(net: Net) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    import pandana
    import pandas as pd

    cells = net.graph.tocoo()
    place = pd.RangeIndex(net.graph.shape[0])
    graph = pandana.Network(
        pd.Series(net.xy[:, 0], place),
        pd.Series(net.xy[:, 1], place),
        pd.Series(cells.row),
        pd.Series(cells.col),
        pd.DataFrame({"minutes": cells.data}),
        twoway=False,
    )

    def search(sources: np.ndarray, targets: np.ndarray) -> np.ndarray:
        one, two = np.repeat(sources, len(targets)), np.tile(targets, len(sources))
        found = graph.shortest_path_lengths(one.tolist(), two.tolist(), imp_name="minutes")
        return np.array(found).reshape(len(sources), len(targets))

    return search


def by_own(engine: str, net: Net) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    own = hierarchy_search if engine == "CCH" else dijkstra_search

    def search(sources: np.ndarray, targets: np.ndarray) -> np.ndarray:
        size = len(sources) if engine == "CCH" else max(1, 16_000_000 // net.graph.shape[0])
        parts = [
            own(net, sources[k : k + size], targets, np.inf) for k in range(0, len(sources), size)
        ]
        return np.vstack(parts)

    return search


def peak_mb() -> float:
    """Return the most memory this process held, in MB."""
    status = Path("/proc/self/status")
    if status.exists():  # what getrusage says there is inherited from the parent process
        line = next(x for x in status.read_text("utf-8").splitlines() if x.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    try:
        import resource
    except ImportError:  # Windows
        return float("nan")
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1024 * 1024 if sys.platform == "darwin" else 1024)


def run_engine(engine: str, folder: Path, points: int) -> dict[str, float]:
    """Search with one engine over the network kept in a folder; keep its matrix beside it."""
    with np.load(folder / "net.npz") as kept:
        from scipy.sparse import csr_array

        shape = (int(kept["size"]),) * 2
        graph = csr_array((kept["data"], kept["indices"], kept["indptr"]), shape=shape)
        count = np.zeros(points)
        net = Net(graph, int(kept["first"]), kept["leave"], kept["arrive"], kept["xy"],
                  count, count, count, count, count)  # fmt: skip
    makers = {
        "networkx": by_networkx,
        "igraph": by_igraph,
        "pandana": by_pandana,
        "rustworkx": by_rustworkx,
    }
    before = peak_mb()
    begin = time.process_time()
    search = makers[engine](net) if engine in makers else by_own(engine, net)
    ready = time.process_time()
    few = min(FEW.get(engine, points), points)
    sources = net.leave[np.linspace(0, points - 1, few).astype(int)]
    found = search(sources, net.arrive)
    done = time.process_time()
    np.save(folder / f"{engine}.npy", found)
    return {
        "build": ready - begin,
        "search": (done - ready) * points / few,
        "sources": few,
        "memory": peak_mb() - before,
    }


def installed(engine: str) -> str:
    name = PACKAGE.get(engine, engine)
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def compare(name: str, points: int) -> str:
    """Run every engine on one network, each in its own process; return a Markdown section."""
    begin = time.process_time()
    roads = network(name)
    read = time.process_time() - begin
    begin = time.process_time()
    net = on_net(roads, points)
    snapped = time.process_time() - begin
    rows, own = [], 0.0
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        graph = net.graph
        np.savez(folder / "net.npz", data=graph.data, indices=graph.indices, indptr=graph.indptr,
                 size=graph.shape[0], first=net.first, leave=net.leave, arrive=net.arrive,
                 xy=net.xy)  # fmt: skip
        for engine in ENGINES:
            if not installed(engine):
                rows.append([engine, "not installed", "", "", "", "", ""])
                continue
            command = [sys.executable, __file__, "--engine", engine, "--folder", place]
            run = subprocess.run(
                [*command, "--points", str(points)], capture_output=True, text=True, check=False
            )
            if run.returncode:
                last = (run.stderr.strip().splitlines() or ["no word"])[-1]
                rows.append([f"{engine} {installed(engine)}", f"failed: {last}", *[""] * 5])
                continue
            told = json.loads((folder / "told.json").read_text(encoding="utf-8"))
            found = np.load(folder / f"{engine}.npy")
            if engine == "scipy":
                truth, own = found, told["build"] + told["search"]
            same = truth[np.linspace(0, points - 1, int(told["sources"])).astype(int)]
            apart = np.nanmax(np.abs(found - same)) * 60.0
            total = told["build"] + told["search"]
            scaled = "" if told["sources"] == points else f" (from {told['sources']:.0f}, scaled)"
            rows.append(
                [
                    f"{engine} {installed(engine)}",
                    f"{told['build']:.1f}",
                    f"{told['search']:.1f}{scaled}",
                    f"{told['search'] / points * 1000:.2f}",
                    f"{total / own:.2f} ×",
                    f"{told['memory']:.0f}",
                    f"{apart:.3f}",
                ]
            )
            print(rows[-1], flush=True)
    title = "generated grid" if name.startswith("grid:") else Path(name).name
    columns = ["engine", "build s", "search s", "ms a source", "time against scipy", "MB more",
               "largest disagreement, s"]  # fmt: skip
    return (
        f"## {points} × {points} on {title}: {len(roads.xy):,} nodes, {len(roads.a):,} streets\n\n"
        f"Network ready in {read:.1f} s, points put on it in {snapped:.2f} s.\n\n"
        + machine.table(columns, rows)
    )


def growth(sides: tuple[int, ...] = (430, 1000, 1733), sources: int = 20) -> str:
    """Time bounded searches on ever larger networks; return a Markdown section."""
    rows = []
    for side in sides:
        begin = time.process_time()
        roads = build(grid(side), "drive", "generated")
        built = time.process_time() - begin
        begin = time.process_time()
        net = on_net(roads, sources)
        put = time.process_time() - begin
        times = []
        every = np.arange(sources)
        for limit in (20.0, 45.0, None):
            begin = time.process_time()
            between(net, every, every, limit=limit)
            times.append((time.process_time() - begin) / sources * 1000)
        rows.append(
            [
                f"{len(roads.xy):,}",
                f"{len(roads.a):,}",
                f"{built:.1f}",
                f"{put:.1f}",
                *(f"{t:.1f}" for t in times),
                f"{peak_mb() / 1024:.1f}",
            ]
        )
        print(rows[-1], flush=True)
    columns = ["nodes", "streets", "network ready s", "points on it s", "20 min, ms a source",
               "45 min", "no limit", "peak GB"]  # fmt: skip
    return (
        "## Growth: bounded searches on generated networks\n\n"
        + machine.table(columns, rows)
        + "\nA compiled Dijkstra of our own, that clears only what it touched, was tried and not "
        "kept: at 45 minutes it took 28, 46 and 51 ms a source where scipy took 22, 38 and 57.\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=600)
    parser.add_argument("--roads", default="../shared/data/roads/newport-2023-06-13.osm.pbf")
    parser.add_argument("--side", type=int, default=429)
    parser.add_argument("--growth", action="store_true")
    parser.add_argument("--engine")
    parser.add_argument("--folder")
    chosen = parser.parse_args()
    if chosen.engine:
        folder = Path(chosen.folder)
        told = json.dumps(run_engine(chosen.engine, folder, chosen.points))
        (folder / "told.json").write_text(told, encoding="utf-8")
        return
    parts = [
        "# Minutes over roads: engines side by side\n",
        machine.header(scipy=version("scipy"), busy=machine.busy()),
        "The product uses scipy, with nodes numbered by reverse Cuthill–McKee; CCH is the optional "
        "accelerator behind the same call (its search includes building the hierarchy). Every "
        "engine got the same graph. Seconds are of the processor, all threads together: others "
        "worked on the machine too. Of the packages with such a hierarchy, pyroutingkit 0.2.1 "
        "has no wheel for Windows, and the wheel of routingkit-cch 0.1.4 for Linux needs glibc "
        "2.34; neither is kept well enough to require, and at county size neither is needed.\n",
    ]
    RESULT.parent.mkdir(exist_ok=True)
    steps = [
        lambda: compare(chosen.roads, chosen.points),
        lambda: compare(f"grid:{chosen.side}", chosen.points),
        *([growth] if chosen.growth else []),
    ]
    for step in steps:
        parts.append(step())
        RESULT.write_text("\n".join(parts), encoding="utf-8")
    print(RESULT.name)


if __name__ == "__main__":
    main()
