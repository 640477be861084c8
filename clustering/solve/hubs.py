"""All hubs priced for one set of duals, and the bound that follows.

For any prices π (atoms), μ ≥ 0 (loans), ρ ≥ 0 (subset rows) and any plan of K clusters,

    cost ≥ Σ π − Σ μ·count − Σ ρ·⌊|T|/2⌋ + Σ_{clusters} rc ≥ … + (K least hub minima),

since the clusters of a plan have hubs in different atoms. All numbers are whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clustering.solve.around import FAR_OFF, WIDEST
from clustering.solve.bits import rows_of
from clustering.solve.columns import Duals, right_sides
from clustering.solve.halt import Halt
from clustering.solve.pricing import price
from clustering.solve.tables import CHANGE, COUNT, CROSSING, Ints, Tables

STEPS = 256
"""Steps of need in the table of completions: finer ones bound better, coarser ones fill faster."""


@dataclass(frozen=True)
class Priced:
    """Clusters below the threshold as (atoms, loan), and the least reduced cost at each atom.

    `minima` is a lower bound in any case; `complete` says whether every search ran to its end,
    `overflow` that there were more clusters than asked for.
    """

    clusters: list[tuple[Ints, int]]
    minima: Ints
    complete: bool
    overflow: bool
    nodes: int

    def sum_of_least(self, count: int, without: int = -1) -> int:
        """Return the sum of the `count` least minima; `FAR_OFF` if there are not so many hubs.

        −`FAR_OFF` if the round was given up, so that nothing is known.
        """
        usable = np.sort(np.delete(self.minima, without) if without >= 0 else self.minima)
        if count and usable[0] <= -FAR_OFF:
            return -int(FAR_OFF)
        if count > len(usable) or (count and usable[count - 1] >= FAR_OFF):
            return int(FAR_OFF)
        return int(usable[:count].sum())


@dataclass(frozen=True)
class Lane:
    """Work space for one thread: table of completions, clusters written, their costs."""

    table: NDArray[np.int32]
    rows: Ints
    costs: Ints


class Pricer:
    """Prices all hubs of a model; keeps the work space between calls.

    The hubs of a large part are dealt out to two lanes that run side by side, each with half of
    the nodes and half of the room, so that the answer is the same on one core and on many.
    """

    def __init__(self, tables: Tables, node_limit: int, room: int) -> None:
        self.tables = tables
        self.node_limit = node_limit
        self.core = core_atoms(tables)
        widest = int(tables.limits[:, 1].max())
        n = min(len(tables.size), WIDEST)
        lanes = 1 if len(tables.size) <= WIDEST else 2
        self.lanes = [
            Lane(
                np.zeros((n + 1, widest + 1, STEPS + 1), np.int32),
                np.zeros((room // lanes, min(widest, len(tables.size))), np.int64),
                np.zeros(room // lanes, np.int64),
            )
            for _ in range(lanes)
        ]
        self.modes = modes_of(tables)

    def run(
        self,
        duals: Duals,
        triples: Ints,
        thresholds: Ints,
        keep: bool,
        stop: Halt,
        *,
        node_limit: int | None = None,
        total: int = 2**62,
        tables: Tables | None = None,
    ) -> Priced:
        """Price every hub (one threshold for each atom); `duals` must be whole.

        `node_limit` is for one hub; a low one serves while the duals are still far off and some
        good clusters are all that is wanted. After `total` nodes the round is given up.
        """
        t = self.tables if tables is None else tables
        round_ = _Round(
            t,
            self.modes,
            self.core,
            duals,
            triples,
            rows_of(len(t.size), triples[: len(duals.rows)], duals.rows),
            thresholds,
            keep,
            stop,
            self.node_limit if node_limit is None else min(node_limit, self.node_limit),
            total // len(self.lanes),
        )
        hubs = np.flatnonzero(t.hub_allowed.any(axis=0)).tolist()
        count = len(self.lanes)
        if count == 1:
            done = [round_.work(hubs, self.lanes[0])]
        else:
            with ThreadPoolExecutor(count) as pool:
                shares = [hubs[k::count] for k in range(count)]
                done = list(pool.map(round_.work, shares, self.lanes))
        minima = np.minimum.reduce([d.minima for d in done])
        if any(d.overflow for d in done) or stop():
            minima = np.full_like(minima, -FAR_OFF)
        return Priced(
            [cluster for d in done for cluster in d.clusters],
            minima,
            all(d.complete for d in done),
            any(d.overflow for d in done),
            sum(d.nodes for d in done),
        )


@dataclass(frozen=True)
class _Round:
    """What is asked of every hub in one round."""

    tables: Tables
    modes: list[tuple[int, int, int, int]]
    core: NDArray[np.uint8]
    duals: Duals
    triples: Ints
    row_lists: tuple[Ints, Ints]
    thresholds: Ints
    keep: bool
    stop: Halt
    node_limit: int
    total: int

    def work(self, hubs: Sequence[int], lane: Lane) -> Priced:
        """Price some of the hubs."""
        t = self.tables
        minima = np.full(len(t.size), FAR_OFF, np.int64)
        clusters: list[tuple[Ints, int]] = []
        complete, nodes = True, 0
        for hub in hubs:
            home = int(t.atom_of[hub])
            for area, old, loan, anchor in self.modes:
                written, lowest, spent, cut = price(
                    t,
                    hub,
                    area,
                    old,
                    loan,
                    anchor,
                    self.duals.atoms,
                    self.duals.loans,
                    self.core,
                    self.triples,
                    self.duals.rows,
                    *self.row_lists,
                    self.thresholds[home],
                    int(self.keep),
                    min(self.node_limit, max(self.total - nodes, 0) + 1),
                    self.stop.flag,
                    lane.table,
                    lane.rows,
                    lane.costs,
                )
                nodes += spent
                complete = complete and not cut
                if written < 0 or len(clusters) + written > len(lane.rows):
                    return Priced(clusters, minima, False, True, nodes)
                clusters += [(r[r >= 0], loan) for r in lane.rows[:written].copy()]
                minima[home] = min(minima[home], lowest)
            if self.stop() or nodes > self.total:
                return Priced(clusters, np.full_like(minima, -FAR_OFF), False, False, nodes)
        return Priced(clusters, minima, complete, False, nodes)


def fixed_part(duals: Duals, triples: Ints, loan_count: Ints) -> int:
    """Return what the prices of the rows say that every plan pays at least, reduced costs aside.

    `triples` are the subset rows; those beyond the prices in `duals` are new and have none yet.
    """
    paid = int(duals.atoms.sum())
    paid -= int((duals.rows * right_sides(triples[: len(duals.rows)])).sum())
    return paid - int((duals.loans * loan_count).sum())


def core_atoms(tables: Tables) -> np.ndarray:
    """Flag the atoms with secondaries, and a greedy cover of the arcs between the others.

    Arcs that are not covered cost the pricer speed, never exactness; small ones are left.
    """
    core = (tables.secondaries > 0).astype(np.uint8)
    while True:
        open_ = tables.arcs * np.outer(1 - core, 1 - core)
        weight = open_.sum(axis=1)
        if weight.max(initial=0) * 20 <= tables.arcs.sum() // max(len(core), 1):
            return core
        core[int(weight.argmax())] = 1


def modes_of(tables: Tables) -> list[tuple[int, int, int, int]]:
    """Return the modes (main area, main old cluster, loan, anchor) that make the cost linear.

    The anchor is the first atom of the cluster that brings a limit class of its own.
    """
    kinds = {
        (*tables.limits[k].tolist(), tables.minutes[k], tables.hub_allowed[k].tobytes())
        for k in tables.area_class.tolist()
    }
    several = len(tables.area_class) > 1 and (tables.prices[CROSSING] > 0 or len(kinds) > 1)
    areas = range(len(tables.area_class)) if several else [-1]
    old = range(tables.old_count.shape[1]) if tables.prices[CHANGE] > 0 else [-1]
    loans = [-1, *range(len(tables.loan_school))]
    anchors = [-1, *np.flatnonzero(tables.anchor_class >= 0).tolist()]
    return [
        (a, o, loan, anchor)
        for a in areas
        for o in old
        for loan in loans
        for anchor in anchors
        if loan < 0 or a < 0 or tables.loan_area[loan] in (-1, a)
    ]


def without_cost(tables: Tables) -> Tables:
    """Return the same rules with every price zero: whether any plan exists at all."""
    prices = tables.prices.copy()
    prices[: COUNT - 2] = 0
    return tables._replace(
        travel=np.zeros_like(tables.travel),
        out=np.zeros_like(tables.out),
        arcs=np.zeros_like(tables.arcs),
        arc_price=np.zeros_like(tables.arc_price),
        loan_cut=np.zeros_like(tables.loan_cut),
        school_travel=np.zeros_like(tables.school_travel),
        prices=prices,
    )
