"""Solves a whole problem: part by part, number of clusters by number of clusters.

Parts are independent when no cluster crosses a border. Within a part every number of clusters that
counting allows is a problem of its own, because the mean that balance is measured from depends on
it. A number of clusters fixed for the whole county is shared out among the parts by dynamic
programming over what each part costs with each number.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace

from clustering.plan import Plan, make_plan
from clustering.problem import Part, Problem
from clustering.rules import CENTS
from clustering.solve.checks import Reason, Remedy, possible_counts
from clustering.solve.model import Model, build_model
from clustering.solve.part import (
    QUICK,
    STANDARD,
    THOROUGH,
    Chosen,
    Effort,
    PartAnswer,
    solve_part,
)
from clustering.solve.part import Progress as PartProgress

EFFORTS = {"quick": QUICK, "standard": STANDARD, "thorough": THOROUGH}
WORKERS = 2
"""Parts solved side by side; the answer does not depend on it."""


@dataclass(frozen=True)
class Tick:
    """A word on how far a long solve is: where, in which phase, best plan and bound in minutes."""

    part: str
    clusters: int
    phase: str
    objective: float | None
    bound: float | None
    done: float
    """Share of the whole work, 0 to 1."""


@dataclass(frozen=True)
class PartResult:
    """The answer for one part: status, number of clusters, objective and proven bound in minutes.

    `tried` gives the status for every number of clusters that counting allows.
    """

    name: str
    status: str
    clusters: int
    objective: float | None
    bound: float | None
    tried: Mapping[int, str]
    reasons: tuple[Reason, ...] = ()

    @property
    def gap(self) -> float | None:
        """Share of the objective that is not proven; NaN-free: None where there is no bound."""
        return gap(self.objective, self.bound)


@dataclass(frozen=True)
class Solution:
    """What a solve found: status, plan if any, objective, proven bound, and reasons if none."""

    status: str
    plan: Plan | None
    objective: float | None
    bound: float | None
    parts: tuple[PartResult, ...]
    reasons: tuple[Reason, ...]
    seed: int
    seconds: float

    @property
    def gap(self) -> float | None:
        """Share of the objective that is not proven; None where there is no bound."""
        return gap(self.objective, self.bound)


def gap(objective: float | None, bound: float | None) -> float | None:
    """Return (objective − bound) / objective, at least 0; None where either is not known."""
    if objective is None or bound is None:
        return None
    return max(0.0, (objective - bound) / objective) if objective > 0 else 0.0


@dataclass
class _Work:
    """One part with its model and the answers found so far."""

    part: Part
    model: Model
    counts: list[int]
    answers: dict[int, PartAnswer] = field(default_factory=dict)


def solve(
    problem: Problem,
    *,
    seed: int = 1,
    effort: str = "standard",
    seconds: float | None = None,
    gap: float = 0.0,
    start: Plan | None = None,
    progress: Callable[[Tick], None] = lambda tick: None,
    stop: Callable[[], bool] = lambda: False,
) -> Solution:
    """Find the best plan of a problem and prove how good it is, or say why there is none.

    `effort` is quick (search only), standard or thorough, all limited by counts so that the answer
    is the same on every machine; `seconds` cuts the work short and keeps the best plan so far.
    `gap` stops a part once its proven gap is that small. `stop` is asked from time to time.
    """
    began = time.monotonic()
    works, reasons = _prepared(problem)
    if reasons:
        return _no_plan(problem, works, reasons, seed, time.monotonic() - began)

    def must_stop() -> bool:
        return stop() or (seconds is not None and time.monotonic() - began >= seconds)

    starts = _starts(problem, works, start)
    interrupted = _run(problem, works, seed, effort, gap, starts, progress, must_stop)
    choice, bound = _chosen(problem, works)
    spent = time.monotonic() - began
    if choice is None:
        return _not_found(problem, works, interrupted, seed, spent)
    groups = [
        ([w.model.schools[s] for s in _schools(w.model, c)], w.model.schools[c.hub])
        for w in works
        for c in w.answers[choice[w.part.name]].chosen
    ]
    parts = tuple(_part_result(w, choice[w.part.name], problem) for w in works)
    objective = sum(w.answers[choice[w.part.name]].objective or 0 for w in works)
    proven = bound is not None and objective <= bound
    status = "optimal" if proven else ("interrupted" if interrupted else "feasible")
    return Solution(
        status,
        make_plan(problem, groups),
        objective / CENTS,
        None if bound is None else bound / CENTS,
        parts,
        (),
        seed,
        spent,
    )


def _prepared(problem: Problem) -> tuple[list[_Work], list[Reason]]:
    works, reasons = [], []
    for part in problem.parts():
        model = build_model(problem, part)
        counts, why = possible_counts(problem, part, model)
        works.append(_Work(part, model, counts))
        reasons += why
    if not reasons and problem.rules.areas == "never" and problem.rules.clusters != "free":
        reasons += _total_clash(problem, works)
    return works, reasons


def _total_clash(problem: Problem, works: Sequence[_Work]) -> list[Reason]:
    """Return why a number of clusters fixed for the whole county cannot be shared out."""
    if problem.rules.clusters == "free":
        return []
    low, high = problem.rules.clusters
    least, most = sum(w.counts[0] for w in works), sum(w.counts[-1] for w in works)
    if low <= most and high >= least:
        return []
    text = (
        f"The study asks for {low} to {high} clusters in all, but the areas together need "
        f"{least} to {most}."
    )
    remedy = Remedy("Leave the number of clusters free.", '[rules]\nclusters = "free"')
    return [Reason("all areas", ("clusters",), text, (remedy,))]


def _run(
    problem: Problem,
    works: Sequence[_Work],
    seed: int,
    effort: str,
    gap: float,
    starts: Mapping[str, tuple[Chosen, ...]],
    progress: Callable[[Tick], None],
    must_stop: Callable[[], bool],
) -> bool:
    """Solve every part; return whether the work was cut short.

    Parts run side by side on threads (the kernels let go of the interpreter). What happens within
    a part depends on that part alone, so their order does not matter to the answer.
    """
    halt = threading.Event()
    desk = _Desk(len(works), progress)
    all_counts = _every_count_matters(problem)

    def one(work: _Work) -> None:
        own = _PartRun(work, seed, EFFORTS[effort], gap, starts.get(work.part.name, ()), halt, desk)
        own.all_counts() if all_counts else own.best_count()
        desk.finished()

    order = sorted(works, key=lambda w: (-len(w.model), w.part.name))
    with ThreadPoolExecutor(WORKERS) as pool:
        futures: list[Future[None]] = [pool.submit(one, work) for work in order]
        try:
            while wait(futures, timeout=0.2).not_done:
                if must_stop():
                    halt.set()
        except KeyboardInterrupt:
            # The first one keeps the best plan so far; whoever presses again wants out.
            again = halt.is_set() or must_stop()
            halt.set()
            if again:
                raise
        for future in futures:
            future.result()
    return halt.is_set()


def _every_count_matters(problem: Problem) -> bool:
    """Is a number of clusters shared out among several parts, so that each may need any number?"""
    return problem.rules.areas == "never" and problem.rules.clusters != "free"


class _Desk:
    """Passes on progress from several threads, one word at a time."""

    def __init__(self, parts: int, progress: Callable[[Tick], None]) -> None:
        self._parts, self._progress = parts, progress
        self._done, self._lock = 0.0, threading.Lock()

    def finished(self) -> None:
        with self._lock:
            self._done += 1

    def tell(self, part: str, clusters: int, step: PartProgress) -> None:
        cost = None if step.objective is None else step.objective / CENTS
        bound = None if step.bound is None else step.bound / CENTS
        with self._lock:
            share = self._done / self._parts
            self._progress(Tick(part, clusters, step.phase, cost, bound, share))


@dataclass
class _PartRun:
    """The work on one part: every number of clusters, or only what the best one needs."""

    work: _Work
    seed: int
    effort: Effort
    gap: float
    start: tuple[Chosen, ...]
    halt: threading.Event
    desk: _Desk

    def all_counts(self) -> None:
        """Solve the part with every number of clusters."""
        for clusters in self.work.counts:
            self.work.answers[clusters] = self._solve(clusters, self.effort, self.start)

    def best_count(self) -> None:
        """Find the best number of clusters and prove it; stop on others once they cannot win.

        A quick search ranks the numbers. The most promising is solved in full; of each other one
        only as much is proven as shows that it is no better.
        """
        quick = {k: self._solve(k, QUICK, self.start) for k in self.work.counts}
        self.work.answers |= quick
        if self.effort is QUICK:
            return
        cost = {k: a.objective for k, a in quick.items() if a.objective is not None}
        ranked = sorted(self.work.counts, key=lambda k: (k not in cost, cost.get(k, 0), k))
        best: int | None = None
        for clusters in ranked:
            if self.halt.is_set():
                return
            start = quick[clusters].chosen or self.start
            # A number that cannot win by more than the gap need not be looked at further.
            enough = None if best is None else math.ceil(best * (1.0 - self.gap))
            answer = self._solve(clusters, self.effort, start, enough=enough)
            self.work.answers[clusters] = answer
            if answer.objective is not None:
                best = answer.objective if best is None else min(best, answer.objective)

    def _solve(
        self,
        clusters: int,
        effort: Effort,
        start: tuple[Chosen, ...],
        enough: int | None = None,
    ) -> PartAnswer:
        """Solve with one number of clusters, until a bound of `enough` shows it cannot win."""
        latest: list[int | None] = [None]

        def tell(step: PartProgress) -> None:
            latest[0] = step.bound
            self.desk.tell(self.work.part.name, clusters, step)

        def stop() -> bool:
            beaten = enough is not None and latest[0] is not None and latest[0] >= enough
            return beaten or self.halt.is_set()

        answer = solve_part(
            self.work.model,
            clusters,
            seed=self.seed,
            effort=effort,
            start=start if len(start) == clusters else (),
            stop=stop,
            progress=tell,
            gap=self.gap,
        )
        beaten = enough is not None and answer.bound is not None and answer.bound >= enough
        if beaten and answer.status == "interrupted":
            return replace(answer, status="feasible" if answer.chosen else "not_found")
        return answer


def _starts(
    problem: Problem, works: Sequence[_Work], start: Plan | None
) -> dict[str, tuple[Chosen, ...]]:
    """Return a start plan as clusters of atoms for each part it covers wholly."""
    if start is None:
        return {}
    found = {}
    for work in works:
        local = {p: s for s, p in enumerate(work.model.schools)}
        chosen = []
        for cluster in start.clusters:
            inside = [local[p] for p in problem.positions(cluster.schools) if p in local]
            if inside:
                hub = local.get(problem.position[cluster.hub], inside[0])
                atoms = sorted({int(work.model.atom_of[s]) for s in inside})
                chosen.append(Chosen(tuple(atoms), hub, -1))
        covered = [a for c in chosen for a in c.atoms]
        if sorted(covered) == list(range(len(work.model))):
            found[work.part.name] = tuple(chosen)
    return found


def _schools(model: Model, cluster: Chosen) -> Iterator[int]:
    inside = set(cluster.atoms)
    return (s for s, atom in enumerate(model.atom_of.tolist()) if atom in inside)


def _chosen(problem: Problem, works: Sequence[_Work]) -> tuple[dict[str, int] | None, int | None]:
    """Return the number of clusters for each part and a bound on the whole, both at their best."""
    values = [
        {k: a.objective for k, a in w.answers.items() if a.objective is not None} for w in works
    ]
    bounds = [{k: a.bound for k, a in w.answers.items() if a.status != "infeasible"} for w in works]
    fixed = problem.rules.clusters
    wanted = (0, 10**9) if fixed == "free" or not _every_count_matters(problem) else fixed
    best = _share_out(values, wanted)
    low = None
    if all(b and all(v is not None for v in b.values()) for b in bounds):
        low = _share_out(bounds, wanted)
    if best is None:
        return None, None
    choice = {w.part.name: k for w, k in zip(works, best[1], strict=True)}
    return choice, None if low is None else low[0]


def _share_out(
    values: Sequence[Mapping[int, int | None]], wanted: tuple[int, int]
) -> tuple[int, tuple[int, ...]] | None:
    """Return the least sum of one value a part, keys adding up to within `wanted`, and the keys."""
    states: dict[int, tuple[int, tuple[int, ...]]] = {0: (0, ())}
    for options in values:
        fresh: dict[int, tuple[int, tuple[int, ...]]] = {}
        for total, (cost, keys) in states.items():
            for k, value in sorted(options.items()):
                if value is None:
                    continue
                candidate = (cost + value, (*keys, k))
                if total + k not in fresh or candidate < fresh[total + k]:
                    fresh[total + k] = candidate
        states = fresh
    fitting = [state for total, state in states.items() if wanted[0] <= total <= wanted[1]]
    return min(fitting, default=None)


def _part_result(work: _Work, clusters: int, problem: Problem) -> PartResult:
    answer = work.answers[clusters]
    others = [a.bound for a in work.answers.values() if a.status != "infeasible"]
    free = problem.rules.clusters == "free" or problem.rules.areas != "never"
    if not free:
        others = [answer.bound]
    known = [b for b in others if b is not None]
    bound = min(known) if len(known) == len(others) else None
    proven = bound is not None and answer.objective is not None and answer.objective <= bound
    return PartResult(
        work.part.name,
        "optimal" if proven else answer.status if answer.status != "optimal" else "feasible",
        clusters,
        None if answer.objective is None else answer.objective / CENTS,
        None if bound is None else bound / CENTS,
        {k: a.status for k, a in sorted(work.answers.items())},
    )


def _no_plan(
    problem: Problem, works: Sequence[_Work], reasons: Sequence[Reason], seed: int, spent: float
) -> Solution:
    by_place: dict[str, list[Reason]] = {}
    for reason in reasons:
        by_place.setdefault(reason.place, []).append(reason)
    parts = tuple(
        PartResult(
            w.part.name,
            "infeasible" if w.part.name in by_place else "not solved",
            0,
            None,
            None,
            {},
            tuple(by_place.get(w.part.name, ())),
        )
        for w in works
    )
    return Solution("infeasible", None, None, None, parts, tuple(reasons), seed, spent)


def _not_found(
    problem: Problem, works: Sequence[_Work], interrupted: bool, seed: int, spent: float
) -> Solution:
    """Return the answer when a part has no plan although no count forbids one."""
    from clustering.solve.explain import explain

    parts: list[PartResult] = []
    reasons: list[Reason] = []
    for work in works:
        statuses = {k: a.status for k, a in sorted(work.answers.items())}
        solved = [k for k, a in work.answers.items() if a.objective is not None]
        if solved:
            best = min(solved, key=lambda k: (work.answers[k].objective or 0, k))
            parts.append(_part_result(work, best, problem))
            continue
        proven = all(status == "infeasible" for status in statuses.values())
        status = "infeasible" if proven else "interrupted" if interrupted else "not_found"
        why = () if interrupted else explain(problem, work.part, proven=proven, seed=seed)
        reasons += why
        parts.append(PartResult(work.part.name, status, 0, None, None, statuses, tuple(why)))
    found = [p.status for p in parts]
    status = (
        "interrupted" if interrupted else "infeasible" if "infeasible" in found else "not_found"
    )
    return Solution(status, None, None, None, tuple(parts), tuple(reasons), seed, spent)
