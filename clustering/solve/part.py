"""Solve one part for a fixed number of clusters: find a plan, then prove how good it is.

Found by annealing (`search`), proved by set partitioning over clusters (`close`). All limits are
counts, never seconds, so that the same question gets the same answer on any machine and however
many others are being solved beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from clustering.solve.model import Model
from clustering.solve.seeds import Found, labels_of, run
from clustering.solve.tables import BROKEN, Tables, best_hub, judge, make_tables

Status = Literal["optimal", "feasible", "infeasible", "not_found", "interrupted"]


@dataclass(frozen=True)
class Chosen:
    """One cluster of a plan: its atoms, its hub (index into `Model.schools`), its loan or −1."""

    atoms: tuple[int, ...]
    hub: int
    loan: int


@dataclass(frozen=True)
class PartAnswer:
    """What is known about a part with a number of clusters.

    `objective` and `bound` are hundredths of a minute and hold `Model.base`; no plan can be better
    than `bound`. "infeasible" is said only when proved; "not_found" when nothing is known.
    """

    status: Status
    clusters: int
    chosen: tuple[Chosen, ...]
    objective: int | None
    bound: int | None
    log: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Effort:
    """How long to try, in counts: of moves and runs of annealing, columns, rounds and nodes."""

    moves: int = 3_000_000
    restarts: int = 2
    max_columns: int = 60_000
    max_rounds: int = 400
    max_cut_rounds: int = 12
    node_limit: int = 20_000_000
    """Nodes of one search for columns around one hub."""
    prove: bool = True


QUICK = Effort(moves=1_000_000, restarts=1, prove=False)
STANDARD = Effort()
THOROUGH = Effort(
    moves=20_000_000,
    restarts=4,
    max_columns=300_000,
    max_rounds=2000,
    max_cut_rounds=30,
    node_limit=500_000_000,
)


@dataclass(frozen=True)
class Progress:
    """Where the work stands; `done` is the share of the phase, None where it is not known."""

    phase: str
    objective: int | None
    bound: int | None
    done: float | None


def never() -> bool:
    """Never stop early."""
    return False


def ignore(progress: Progress) -> None:
    """Tell nobody."""


def solve_part(
    model: Model,
    clusters: int,
    *,
    seed: int = 0,
    effort: Effort = STANDARD,
    start: Sequence[Chosen] = (),
    stop: Callable[[], bool] = never,
    progress: Callable[[Progress], None] = ignore,
    gap: float = 0.0,
) -> PartAnswer:
    """Return the best plan found for a part with a number of clusters, and a bound on all plans."""
    if clusters < 1 or clusters > len(model):
        return PartAnswer("infeasible", clusters, (), None, None, (("arithmetic", "count"),))
    tables = make_tables(model, clusters)
    best = exact_plan(model, tables, start)
    pools = []
    interrupted = False
    starts = [labels_of([c.atoms for c in start], len(model))] if len(start) == clusters else []
    for restart in range(effort.restarts + len(starts)):
        labels = starts[restart] if restart < len(starts) else None
        found: Found | None = None
        for share, found in run(tables, seed * 1000 + restart, effort.moves, 2**15, stop, labels):
            low = found.cost if best is None else min(found.cost or 2**60, _cost(model, best))
            shown = None if low is None else low + model.base
            whole = (restart + share) / (effort.restarts + len(starts))
            progress(Progress("search", shown, None, whole))
        if found is not None:
            best = better(model, best, exact_plan(model, tables, chosen_of(found)))
            pools.append(found.pool)
        interrupted = interrupted or stop()
        if interrupted:
            break
    objective = None if best is None else _cost(model, best) + model.base
    status: Status = "feasible" if best else "not_found"
    if interrupted:
        status = "interrupted"
    return PartAnswer(status, clusters, best or (), objective, None, ())


def _cost(model: Model, chosen: Iterable[Chosen]) -> int:
    picked = tuple(chosen)
    return sum(model.cost(c.atoms, c.hub, len(picked), c.loan) for c in picked)


def chosen_of(found: Found) -> tuple[Chosen, ...]:
    """Return the clusters of the best plan of a run; empty if it found none."""
    if found.cost is None:
        return ()
    label, hub, loan = found.plan
    out = []
    for c in range(int(label.max()) + 1):
        atoms = np.flatnonzero(label == c)
        out.append(Chosen(tuple(atoms.tolist()), int(hub[atoms[0]]), int(loan[atoms[0]])))
    return tuple(out)


def exact_plan(model: Model, tables: Tables, chosen: Sequence[Chosen]) -> tuple[Chosen, ...] | None:
    """Return a plan with the best hub of each cluster, in order; None if it breaks a rule."""
    used = [0] * len(model.loans)
    out = []
    if sorted(i for c in chosen for i in c.atoms) != list(range(len(model))):
        return None
    for c in chosen:
        atoms = np.array(sorted(c.atoms), np.int64)
        hub, cost = best_hub(tables, atoms, len(atoms), c.loan)
        if cost >= BROKEN or model.faults(c.atoms, int(hub), len(chosen), c.loan):
            return None
        if c.loan >= 0:
            used[c.loan] += 1
        out.append(Chosen(tuple(atoms.tolist()), int(hub), c.loan))
    if any(u > loan.count for u, loan in zip(used, model.loans, strict=True)):
        return None
    return tuple(sorted(out, key=lambda c: c.atoms))


def better(
    model: Model, a: tuple[Chosen, ...] | None, b: tuple[Chosen, ...] | None
) -> tuple[Chosen, ...] | None:
    """Return the cheaper of two plans; of two as cheap, the first in the order of their atoms."""
    plans = [plan for plan in (a, b) if plan]
    key = [(_cost(model, plan), [(c.atoms, c.hub, c.loan) for c in plan]) for plan in plans]
    return plans[key.index(min(key))] if plans else None


__all__ = [
    "QUICK",
    "STANDARD",
    "THOROUGH",
    "Chosen",
    "Effort",
    "PartAnswer",
    "Progress",
    "judge",
    "solve_part",
]
