"""First plans for the annealing, and the runs of annealing themselves.

A first plan takes K atoms far from one another as seeds (farthest-first, Gonzalez 1985) and lets
the lightest cluster grow by its nearest free neighbour until no atom is free.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clustering.solve.kernels import compiled
from clustering.solve.search import anneal, measure, settle
from clustering.solve.tables import COUNT, Ints, Tables
from clustering.solve.weighing import MINUTES, WHOLE, State, below

CHUNK = 200_000
"""Moves between two looks at `stop`: about a tenth of a second."""
WARM, COOL = 0.25, 0.07
"""Temperatures between which a run in waves goes up and down, in steps of a random move."""
NEAREST = 12
"""Nearest atoms, and strongest links, that a move looks at where all atoms are neighbours."""


@dataclass(frozen=True)
class Found:
    """The best plan of one run: label, hub and loan of each atom's cluster; `cost` None if none."""

    plan: Ints
    cost: int | None
    pool: NDArray[np.int16]


@compiled
def grow(t, clusters, random):
    """Return the cluster of each atom of a first plan; K ≤ n."""
    n = len(t.size)
    label = np.full(n, -1, np.int64)
    seeds = np.empty(clusters, np.int64)
    near = np.full(n, 1 << 60, np.int64)
    weight = np.zeros(clusters, np.float64)
    need = max(t.need.sum(), 1)
    at = below(random, n)
    for c in range(clusters):
        seeds[c], label[at] = at, c
        weight[c] = t.size[at] / t.size.sum() + t.need[at] / need
        home = t.schools_of[t.first_school[at]]
        farthest = -1
        for i in range(n):
            near[i] = min(near[i], t.travel[i, home])
            if label[i] < 0 and (farthest < 0 or near[i] > near[farthest]):
                farthest = i
        at = farthest
    closed = np.zeros(clusters, np.uint8)
    for _ in range(n + clusters):
        lightest = -1
        for c in range(clusters):
            if closed[c] == 0 and (lightest < 0 or weight[c] < weight[lightest]):
                lightest = c
        if lightest < 0:
            break
        home = t.schools_of[t.first_school[seeds[lightest]]]
        pick = -1
        for i in range(n):
            if label[i] >= 0 or (pick >= 0 and t.travel[i, home] >= t.travel[pick, home]):
                continue
            for place in range(t.first_neighbour[i], t.first_neighbour[i + 1]):
                if label[t.neighbours[place]] == lightest:
                    pick = i
                    break
        if pick < 0:
            closed[lightest] = 1
            continue
        label[pick] = lightest
        weight[lightest] += t.size[pick] / t.size.sum() + t.need[pick] / need
    for i in range(n):
        if label[i] < 0:
            # cut off from every seed: starts as a broken cluster, which the search must mend
            label[i] = 0
            for c in range(clusters):
                home = t.schools_of[t.first_school[seeds[c]]]
                if t.travel[i, home] < t.travel[i, t.schools_of[t.first_school[seeds[label[i]]]]]:
                    label[i] = c
    return label


def new_state(t: Tables, seed: int, columns: int) -> State:
    """Return an empty state; `columns` is room for the clusters to remember (a power of two)."""
    n, m, clusters = len(t.size), len(t.atom_of), int(t.prices[COUNT])
    mixed = np.random.default_rng(seed).integers(1, 2**63, size=n + 1, dtype=np.uint64)
    widest = int(min(n, t.limits[:, 1].max()))
    has = features(t)
    first_near, near = lookout(t, bool(has[WHOLE]))
    return State(
        label=np.full(n, -1, np.int64),
        members=np.zeros((clusters, n), np.int64),
        held=np.zeros(clusters, np.int64),
        where=np.zeros(n, np.int64),
        sums=np.zeros((clusters, 6), np.int64),
        areas=np.zeros((clusters, t.area_count.shape[1]), np.int64),
        olds=np.zeros((clusters, t.old_count.shape[1]), np.int64),
        travel=np.zeros(m, np.int64),
        late=np.zeros((len(t.limits), m), np.int64),
        inner=np.zeros(clusters, np.int64),
        cost=np.zeros(clusters, np.int64),
        wrong=np.zeros(clusters, np.float64),
        hub=np.full(clusters, -1, np.int64),
        loan=np.full(clusters, -1, np.int64),
        split=np.zeros(clusters, np.int64),
        torn=np.zeros(clusters, np.int64),
        has=has,
        first_near=first_near,
        near=near,
        work=np.zeros((2, n), np.int64),
        penalty=np.ones(3),
        used=np.zeros(len(t.loan_school), np.int64),
        random=mixed[:1].copy(),
        names=mixed[1:].copy(),
        best=np.full((3, n), -1, np.int64),
        best_cost=np.full(1, 2**60, np.int64),
        pool=np.full((columns // 2, widest), -1, np.int16),
        pool_size=np.zeros(1, np.int64),
        seen=np.zeros(columns, np.uint64),
    )


def features(t: Tables) -> Ints:
    """Return which parts of the cost and of the rules a model has; see `State.has`.

    What it has not need not be looked at in any move.
    """
    n, widest = len(t.size), t.minutes.min()
    lent = t.school_minutes[t.loan_school[t.loan_school >= 0]]
    reach = bool((t.far > widest).any() or (lent > widest).any())
    return np.array(
        [
            (t.pin >= 0).any(),
            t.apart.any(),
            (t.anchor_class >= 0).any(),
            reach or t.travel.any() or (len(lent) and t.school_travel.any()),
            reach,
            t.arcs.any(),
            t.adjacent.sum() == n * (n - 1),
        ],
        np.int64,
    )


def links_only(t: Tables) -> bool:
    """Return whether all atoms are neighbours and no minutes count: nothing is near anything.

    Then warming a good plan gains more than beginning anew; where minutes count it gains less.
    """
    has = features(t)
    return bool(has[WHOLE]) and not has[MINUTES]


def lookout(t: Tables, whole: bool) -> tuple[Ints, Ints]:
    """Return the atoms that a move looks at from each atom, and where each one's list starts.

    These are its neighbours; where all atoms are neighbours and minutes count, only the nearest and
    those with the strongest links, for most others are hopeless (a move now and then tries one all
    the same).
    """
    n = len(t.size)
    if not whole or n <= 2 * NEAREST or not t.travel.any():
        return t.first_neighbour, t.neighbours
    home = t.schools_of[t.first_school[:n]]
    way = t.travel[:, home] + t.travel[:, home].T
    lists = []
    for i in range(n):
        near: set[int] = set()
        if way[i].any():
            near |= set(np.argsort(way[i], kind="stable")[: NEAREST + 1].tolist())
        if t.arcs[i].any():
            near |= set(np.argsort(-t.arcs[i], kind="stable")[:NEAREST].tolist())
        lists.append(sorted(near - {i}))
    first = np.cumsum([0, *map(len, lists)])
    return first.astype(np.int64), np.array([j for row in lists for j in row], np.int64)


def run(
    t: Tables,
    seed: int,
    moves: int,
    columns: int,
    stop: Callable[[], bool],
    labels: Ints | None = None,
    waves: int = 1,
) -> Iterator[tuple[float, Found]]:
    """Anneal once; yields the share done and what was found after every chunk of moves.

    `labels` is a plan to start from; the run then starts cool, so as not to forget it. With `waves`
    the moves are shared among as many spells of warming and cooling, each from where the last one
    ended and none so cold that it stands still; no rule is then broken on the way.
    """
    state = new_state(t, seed, columns)
    first = grow(t, int(t.prices[COUNT]), state.random)
    settle(t, state, first, 1.0)
    # The scale comes from a first plan always: in a good plan most moves are far more costly.
    step = max(measure(t, state, 2000, 1.0), 1.0)
    first = first if labels is None else labels
    hot, cold = step * (2.0 if labels is None else 0.3), step * 0.02
    if waves > 1:
        hot, cold = step * WARM, step * COOL
    least, most = (0.1, 100.0) if state.has[WHOLE] else (10.0, 10.0)
    if waves > 1:
        least = most
    state.penalty[:] = step * max(least, 10.0), step * least, step * most
    _seat_again(t, state, first, state.penalty[0])
    _keep_first(state)
    if len(state.held) == 1:  # one cluster of everything: there is nothing to move
        moves = 1
    done, wave = 0, -(-moves // waves)
    while done < moves:
        chunk = min(CHUNK, moves - done, wave - done % wave)
        anneal(t, state, chunk, done % wave, wave, hot, cold, wave // 3)
        done += chunk
        cost = int(state.best_cost[0])
        yield (
            done / moves,
            Found(state.best, cost if cost < 2**60 else None, state.pool[: state.pool_size[0]]),
        )
        if stop():
            return


def _seat_again(t: Tables, state: State, labels: Ints, penalty: float) -> None:
    """Build the sums anew, now that the price of a broken rule is known."""
    sums = ("members", "held", "sums", "areas", "olds", "travel", "late", "inner", "torn")
    for name in (*sums, "used"):
        getattr(state, name)[...] = 0
    settle(t, state, labels, penalty)


def _keep_first(state: State) -> None:
    """Take the first plan for the best so far where it keeps the rules: no move may better it."""
    if state.wrong.sum() == 0.0 and not state.split.any():
        state.best[0] = state.label
        state.best[1], state.best[2] = state.hub[state.label], state.loan[state.label]
        state.best_cost[0] = state.cost.sum()


def labels_of(clusters: Sequence[Sequence[int]], n: int) -> Ints:
    """Return the cluster of each atom from lists of atoms."""
    label = np.full(n, -1, np.int64)
    for c, atoms in enumerate(clusters):
        label[list(atoms)] = c
    return label
