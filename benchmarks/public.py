"""Solves the public instances with the product's own engine, in one configuration for all.

    python benchmarks/public.py [family...] [--seconds 60] [--seed 1] [--data ../shared/bench]

Each instance becomes a `Model` (the same value that a study becomes): pairwise benefit is the
price of cut feeders, the distance to a median is the minutes to a hub, a capacity is the limit on
pupils. Seconds are those of the processor (one core, one thread), so that other work on the machine
does not count. Answers are scored by `scoring`, which reads the file again and knows nothing of
the engine.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pyproj import Geod

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import machine, scoring  # noqa: E402
from clustering.solve.model import NO_LIMIT, LimitClass, Model  # noqa: E402
from clustering.solve.part import STANDARD, Progress, solve_part  # noqa: E402

EFFORT = replace(STANDARD, restarts=100_000, prove=False)
"""One configuration for all: the standard effort, begun again until the time is up."""
KINDS = {
    "ccplib": "ccplib",
    "pmedcap": "pmedcap",
    "cpmp": "cpmp",
    "min sum pop*d^2": "districting inertia",
    "min cut edges": "districting edges",
    "min total cut perimeter": "districting perimeter",
}
"""A word of the folder or of the problem in best_known.csv → the kind of instance."""


@dataclass(frozen=True)
class Instance:
    """An instance as a model: literature value = (constant + sign · objective) / scale."""

    model: Model
    clusters: int
    scale: float
    constant: int = 0
    sign: int = 1

    def value(self, objective: float) -> float:
        """Return an objective (or a bound) of the model in the units of the literature."""
        return (self.constant + self.sign * objective) / self.scale


@dataclass(frozen=True)
class Row:
    """One line of the table of best-known values."""

    file: str
    kind: str
    largest: bool
    clusters: int
    best: float
    status: str


@dataclass(frozen=True)
class Outcome:
    """What a run of an instance gave; `value` is the checker's, None if there is no plan."""

    row: Row
    seconds: float
    value: float | None
    bound: float | None
    checked: str

    @property
    def gap(self) -> float | None:
        """Per cent by which the value misses the best one known; negative if it is better."""
        if self.value is None:
            return None
        miss = self.row.best - self.value if self.row.largest else self.value - self.row.best
        return 100 * miss / self.row.best


def plain_model(name: str, weights: NDArray, low: int, high: int) -> Model:
    """Return a model of n nodes that may form any clusters of a weight from `low` to `high`."""
    n = len(weights)
    zero = np.zeros(n, np.int64)
    return Model(
        name=name,
        schools=tuple(range(n)),
        atom_of=np.arange(n, dtype=np.int64),
        size=np.ones(n, np.int64),
        primaries=zero,
        secondaries=zero,
        pupils=np.asarray(weights, np.int64),
        need=zero,
        area_count=np.ones((n, 1), np.int64),
        old_count=np.zeros((n, 0), np.int64),
        travel=np.zeros((n, n), np.int64),
        far=np.zeros((n, n)),
        hub_allowed=np.ones(n, bool),
        pin=np.full(n, -1, np.int64),
        cut=np.zeros((n, n), np.int64),
        adjacent=~np.eye(n, dtype=bool),
        apart=(),
        anchor_class=np.full(n, -1, np.int64),
        area_class=np.zeros(1, np.int64),
        classes=(LimitClass((1, n), (low, high), 0, 0, NO_LIMIT, math.inf),),
        loans=(),
        loan_cut=np.zeros((0, n), np.int64),
        school_travel=np.zeros((n, n), np.int64),
        school_minutes=np.zeros((n, n)),
        crossing=0,
        change=0,
        price_cluster=0,
        balance=0.0,
        size_balance=0.0,
        base=0,
        reach=np.zeros((n, 0)),
    )


def with_distances(model: Model, prices: NDArray) -> Model:
    """Return a model with the price of each node's way to each hub."""
    whole = np.rint(prices).astype(np.int64)
    return replace(model, travel=whole, school_travel=whole)


def read_ccplib(path: Path) -> Instance:
    """Read an instance of CCPLIB: `M C ds L1 U1 … W w1 … wM`, then `i j benefit`."""
    head, _, rest = path.read_text("utf-8").partition("\n")
    before, after = head.split("W")
    n, clusters, kind, *limits = before.split()
    if kind != "ds" or len({*limits[::2]}) > 1 or len({*limits[1::2]}) > 1:
        raise ValueError(f"{path.name}: clusters of different limits are not supported")
    weights = np.array([int(w) for w in after.split()])
    table = np.array([float(w) for w in rest.split()]).reshape(-1, 3)
    cut = np.zeros((int(n), int(n)), np.int64)
    cut[table[:, 0].astype(int), table[:, 1].astype(int)] = np.rint(table[:, 2] * 10_000)
    model = plain_model(path.stem, weights, int(limits[0]), int(limits[1]))
    return Instance(replace(model, cut=cut), int(clusters), 10_000, int(cut.sum()), -1)


def read_pmedcap(path: Path) -> Instance:
    """Read a capacitated p-median of Osman and Christofides: whole distances, rounded down."""
    numbers = np.array(path.read_text("utf-8").split(), float)
    n, clusters, capacity = (int(v) for v in numbers[2:5])
    table = numbers[5 : 5 + 4 * n].reshape(n, 4)
    model = plain_model(path.stem, table[:, 3], 0, capacity)
    return Instance(with_distances(model, np.floor(_apart(table[:, 1:3])) * 100), clusters, 100)


def read_cpmp(path: Path) -> Instance:
    """Read a capacitated p-median with real distances and one capacity for all medians."""
    numbers = np.array(path.read_text("utf-8").split(), float)
    n, clusters = int(numbers[0]), int(numbers[1])
    table = numbers[2 : 2 + 4 * n].reshape(n, 4)
    if len(set(table[:, 2])) > 1:
        raise ValueError(f"{path.name}: medians of different capacities are not supported")
    model = plain_model(path.stem, table[:, 3], 0, int(table[0, 2]))
    return Instance(with_distances(model, _apart(table[:, :2]) * 1000), clusters, 1000)


def _apart(points: NDArray) -> NDArray:
    return np.hypot(*(points[:, None] - points[None]).transpose(2, 0, 1))


def read_districting(path: Path, kind: str) -> Instance:
    """Read the counties of a state: contiguous districts with nearly equal population."""
    atlas = json.loads(path.read_text("utf-8"))
    counties = atlas["nodes"]
    people = np.array([c["P0010001"] for c in counties], float)
    n = len(counties)
    border = np.zeros((n, n))
    for i, links in enumerate(atlas["adjacency"]):
        for link in links:
            border[i, link["id"]] = border[link["id"], i] = link["shared_perim"]
    linked = np.zeros((n, n), bool)
    for i, links in enumerate(atlas["adjacency"]):
        linked[i, [link["id"] for link in links]] = True
    model = plain_model(f"{path.stem} {kind}", people, 783_952, 799_789)
    model = replace(model, adjacent=linked | linked.T)
    if kind == "districting inertia":
        lon = np.array([float(c["INTPTLON20"]) for c in counties])
        lat = np.array([float(c["INTPTLAT20"]) for c in counties])
        pairs = (np.repeat(lon, n), np.repeat(lat, n), np.tile(lon, n), np.tile(lat, n))
        miles = Geod(ellps="WGS84").inv(*pairs)[2].reshape(n, n) / 1609.344
        return Instance(with_distances(model, 100 * people[:, None] * miles**2), 5, 100)
    length = border if kind == "districting perimeter" else (linked | linked.T).astype(float)
    cut = np.rint(np.triu(length) * 1_000_000).astype(np.int64)
    return Instance(replace(model, cut=cut), 5, 1_000_000)


def read(kind: str, path: Path) -> Instance:
    """Read an instance of a kind (see `KINDS`)."""
    if kind.startswith("districting"):
        return read_districting(path, kind)
    return {"ccplib": read_ccplib, "pmedcap": read_pmedcap, "cpmp": read_cpmp}[kind](path)


def known(data: Path) -> list[Row]:
    """Return the best-known values of the instances that a model can express."""
    rows = []
    with (data / "best_known.csv").open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            kind = next(
                (k for w, k in KINDS.items() if w in line["file"] or w in line["problem"]), None
            )
            if kind:
                rows.append(
                    Row(
                        line["file"],
                        kind,
                        line["sense"] == "max",
                        int(line["k"]),
                        float(line["best_known"]),
                        line["status"],
                    )
                )
    return rows


def solve(row: Row, data: Path, seconds: float, seed: int) -> Outcome:
    """Solve one instance within a time and have the answer scored."""
    instance = read(row.kind, data / row.file)
    began = time.process_time()
    best = [began, math.inf]

    def note(step: Progress) -> None:
        if step.objective is not None and step.objective < best[1]:
            best[:] = [time.process_time(), step.objective]

    answer = solve_part(
        instance.model,
        instance.clusters,
        seed=seed,
        effort=EFFORT,
        stop=lambda: time.process_time() - began >= seconds,
        progress=note,
    )
    spent = time.process_time() - began
    bound = None if answer.bound is None else instance.value(answer.bound)
    if not answer.chosen:
        return Outcome(row, spent, None, bound, "no plan")
    labels = [-1] * len(instance.model)
    for number, cluster in enumerate(answer.chosen):
        for atom in cluster.atoms:
            labels[atom] = number
    try:
        value = scoring.score(row.kind, data / row.file, labels)
    except scoring.Unfit as fault:
        return Outcome(row, spent, None, bound, str(fault))
    return Outcome(row, spent, value, bound, "yes")


def line(outcome: Outcome, seed: int) -> list[str]:
    """Return an outcome as the cells of the table."""
    row = outcome.row
    places = 0 if float(row.best).is_integer() and row.best < 1e4 else 2
    places = 6 if row.kind == "districting perimeter" else places
    return [
        Path(row.file).stem + (f" ({row.kind.split()[1]})" if " " in row.kind else ""),
        str(seed),
        f"{outcome.seconds:.0f}",
        "none" if outcome.value is None else f"{outcome.value:,.{places}f}",
        f"{row.best:,.{places}f}",
        "" if outcome.gap is None else f"{outcome.gap + 0.0:.3f}".replace("-0.000", "0.000"),
        "none" if outcome.bound is None else f"{outcome.bound:,.{places}f}",
        outcome.checked,
    ]


COLUMNS = ("instance", "seed", "seconds", "value", "best known", "gap %", "proven bound", "checked")


def main(words: Sequence[str] | None = None) -> int:
    """Run the families asked for (all by default), print the table and write it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("family", nargs="*", help="ccplib, pmedcap, cpmp, districting, or a file")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "bench")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results" / "public.md")
    asked = parser.parse_args(words)
    rows = [r for r in known(asked.data) if not asked.family or _wanted(r, asked.family)]
    warm(asked.data, rows)
    lines, loads = [], []
    for row in rows:
        outcome = solve(row, asked.data, asked.seconds, asked.seed)
        lines.append(line(outcome, asked.seed))
        loads.append(machine.busy())
        print(" | ".join(lines[-1]), flush=True)
    machine.page(
        asked.out,
        "Public instances",
        COLUMNS,
        lines,
        seconds_each=f"{asked.seconds:.0f}",
        effort=f"{EFFORT.moves:,} moves a run, begun again until the time is up",
        load_a_core=f"{min(loads)} to {max(loads)}" if loads else "",
    )
    return 0


def _wanted(row: Row, words: Sequence[str]) -> bool:
    return any(word in row.file for word in words)


def warm(data: Path, rows: Sequence[Row]) -> None:
    """Compile the kernels before any clock is started."""
    for row in rows[:1]:
        instance = read(row.kind, data / row.file)
        quick = replace(EFFORT, moves=1000, restarts=1, prove=False)
        solve_part(instance.model, instance.clusters, effort=quick)


if __name__ == "__main__":
    sys.exit(main())
