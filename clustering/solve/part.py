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

from clustering.solve.close import NOTHING, Proof, prove
from clustering.solve.columns import Columns
from clustering.solve.halt import Halt
from clustering.solve.hubs import Pricer
from clustering.solve.model import Model
from clustering.solve.seeds import Found, labels_of, links_only, run
from clustering.solve.tables import BROKEN, COUNT, Ints, Tables, best_hub, make_tables

ORDINARY = 100
"""Atoms of a part up to which the moves of an effort are what it says."""
POOL = 2**15
"""Places in the table of clusters met by one run of annealing; half of them are used."""

ANEW = 3
"""Where no proof follows, one run in so many begins anew."""
WAVES = 6
"""Spells of warming and cooling of a run that goes on from the best plan."""

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

    moves: int = 6_000_000
    """Moves of one run in a part of up to `ORDINARY` atoms; in a larger one, more in proportion."""
    restarts: int = 2
    max_columns: int = 60_000
    max_rounds: int = 400
    max_cut_rounds: int = 12
    node_limit: int = 20_000_000
    """Nodes of one search for columns around one hub."""
    max_nodes: int = 150_000_000
    """Nodes of all those searches together: about a minute of one core."""
    max_choice: float = 40.0
    """Deterministic time of CP-SAT for choosing among columns, all calls together."""
    prove: bool = True


QUICK = Effort(moves=2_000_000, restarts=1, prove=False)
STANDARD = Effort()
THOROUGH = Effort(
    moves=20_000_000,
    restarts=4,
    max_columns=300_000,
    max_rounds=2000,
    max_cut_rounds=30,
    node_limit=500_000_000,
    max_nodes=2_000_000_000,
    max_choice=1000.0,
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
    enough: int | None = None,
) -> PartAnswer:
    """Return the best plan found for a part with a number of clusters, and a bound on all plans.

    The proof ends where the bound is within the share `gap` of the cost, or has reached `enough`.
    `stop` is asked from a thread of its own too.
    """
    reason = impossible(model, clusters)
    if reason:
        return PartAnswer("infeasible", clusters, (), None, None, (("arithmetic", reason),))
    with Halt(stop) as halt:
        work = _Work(model, clusters, seed, effort, halt, progress)
        work.search(start)
        if effort.prove and not halt():
            work.prove(gap, enough)
        return work.answer()


class _Work:
    """One call of `solve_part`."""

    def __init__(
        self,
        model: Model,
        clusters: int,
        seed: int,
        effort: Effort,
        halt: Halt,
        progress: Callable[[Progress], None],
    ) -> None:
        self.model, self.seed, self.effort, self.progress = model, seed, effort, progress
        self.halt = halt
        self.tables = make_tables(model, clusters)
        self.columns = Columns(self.tables)
        self.proof = Proof(
            self.tables,
            self.columns,
            Pricer(self.tables, effort.node_limit, effort.max_columns),
            effort.max_rounds,
            effort.max_cut_rounds,
            effort.max_nodes,
            effort.max_choice,
            halt,
            self.tell,
        )
        self.best: tuple[Chosen, ...] | None = None

    def tell(self, phase: str, cost: int | None, bound: int | None, done: float | None) -> None:
        """Report where the work stands, in the units of the answer."""
        base = self.model.base
        shown = None if cost is None or cost >= NOTHING else cost + base
        known = None if bound is None or bound <= -NOTHING else bound + base
        self.progress(Progress(phase, shown, known, done))

    def take(self, chosen: Sequence[Chosen]) -> None:
        """Keep a plan if it keeps the rules and is better than the best so far."""
        self.best = better(self.model, self.best, exact_plan(self.model, self.tables, chosen))
        if self.best:
            self.proof.offer([self.columns.add(np.array(c.atoms), c.loan) for c in self.best])

    def search(self, start: Sequence[Chosen]) -> None:
        """Anneal, first from the given plan if there is one, then from scratch.

        Where a proof follows, two runs that end with the same cost are enough. Where none does
        and only links count, two runs of three go on from the best plan so far.
        """
        n, costs = len(self.model), []
        waves = not self.effort.prove and links_only(self.tables)
        self.take(start)
        plans: list[Ints | None] = [None] * self.effort.restarts
        if len(start) == self.proof.clusters:
            plans.insert(0, labels_of([c.atoms for c in start], n))
        for number, labels in enumerate(plans):
            found: Found | None = None
            own = number - (len(plans) - self.effort.restarts)  # a given plan's run does not count
            again = own > 0 and own % ANEW != 0 and waves and bool(self.best)
            if again and self.best:
                labels = labels_of([c.atoms for c in self.best], n)
            for share, found in run(
                self.tables,
                self.seed * 1000 + number,
                self.effort.moves * max(n, ORDINARY) // ORDINARY,
                POOL,
                self.halt,
                labels,
                WAVES if again else 1,
            ):
                cost = min(self.proof.best_cost, NOTHING if found.cost is None else found.cost)
                self.tell("search", cost, None, (number + share) / len(plans))
            if found is not None:
                self.take(chosen_of(found))
                costs.append(found.cost)
                if self.effort.prove:
                    self.remember(found)
            known = [cost for cost in costs if cost is not None]
            agreed = bool(known) and known.count(min(known)) > 1
            if self.halt() or (self.effort.prove and agreed):
                return

    def remember(self, found: Found) -> None:
        """Hand the clusters met on the way to the proof."""
        for row in found.pool:
            if self.halt():
                return
            atoms = row[row >= 0]
            if self.columns.add(atoms, -1) < 0:
                for loan in range(len(self.model.loans)):
                    self.columns.add(atoms, loan)

    def prove(self, gap: float, enough: int | None) -> None:
        """Prove how good the best plan is, or that there is none."""
        self.proof.gap = gap
        if enough is not None:
            self.proof.enough = enough - self.model.base
        prove(self.proof)
        if self.proof.best:
            picked = [
                Chosen(
                    tuple(np.flatnonzero(self.columns.holds[k]).tolist()),
                    int(self.columns.hub[k]),
                    int(self.columns.loan[k]),
                )
                for k in self.proof.best
            ]
            self.best = better(self.model, self.best, exact_plan(self.model, self.tables, picked))

    def answer(self) -> PartAnswer:
        """Say what is known."""
        model, clusters = self.model, int(self.tables.prices[COUNT])
        log = tuple((fact, str(number)) for fact, number in self.proof.facts.items())
        if self.proof.infeasible and not self.best:
            return PartAnswer("infeasible", clusters, (), None, None, log)
        bound = at_least(model, clusters)
        if self.proof.bound >= 0:
            bound = max(bound or 0, self.proof.bound + model.base)
        status: Status = "interrupted" if self.halt() else "not_found"
        if not self.best:
            return PartAnswer(status, clusters, (), None, bound, log)
        objective = _cost(model, self.best) + model.base
        if bound is not None:
            bound = min(bound, objective)
        if bound == objective:
            status = "optimal"
        elif not self.halt():
            status = "feasible"
        return PartAnswer(status, clusters, self.best, objective, bound, log)


def at_least(model: Model, clusters: int) -> int | None:
    """Return what every plan costs by counting alone; None where costs can be negative.

    An atom without the hub pays at least its way to the nearest other school; K atoms hold a hub.
    """
    if model.change < 0:
        return None
    own = model.atom_of[None, :] == np.arange(len(model))[:, None]
    outside = np.where(own, np.iinfo(np.int64).max, model.travel).min(axis=1)
    inside = np.where(own, model.travel, np.iinfo(np.int64).max).min(axis=1)
    if len(model) == 1:
        outside = inside
    saved = np.sort(np.maximum(outside - inside, 0))[::-1][:clusters]
    travel = int(outside.sum() - saved.sum())
    return model.base + clusters * model.price_cluster + max(travel, 0)


def impossible(model: Model, clusters: int) -> str:
    """Return the sum that already shows that no plan exists; empty if none does."""
    schools = int(model.size.sum())
    low = min(c.schools[0] for c in model.classes)
    high = max(c.schools[1] for c in model.classes)
    wanted = min(c.secondaries for c in model.classes)
    helped = min(sum(loan.count for loan in model.loans), clusters)
    if not 1 <= clusters <= len(model):
        return f"{clusters} clusters of {len(model)} schools or groups of tied schools"
    if not clusters * low <= schools <= clusters * high:
        return f"{schools} schools do not make {clusters} clusters of {low} to {high}"
    if int(model.secondaries.sum()) < wanted * (clusters - helped):
        return f"{int(model.secondaries.sum())} secondaries for {clusters} clusters"
    return ""


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
    "solve_part",
]
