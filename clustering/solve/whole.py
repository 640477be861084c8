"""Solves a whole problem: part by part, number of clusters by number of clusters.

Parts are independent when no cluster crosses a border. Within a part every number of clusters that
counting allows is a problem of its own, because the mean that balance is measured from depends on
it. A number of clusters fixed for the whole county is shared out among the parts by dynamic
programming over what each part costs with each number.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace

from clustering.plan import Plan, make_plan
from clustering.problem import Problem
from clustering.rules import CENTS
from clustering.solve.checks import Reason, Remedy, possible_counts
from clustering.solve.model import Model, build_model
from clustering.solve.part import (
    QUICK,
    STANDARD,
    THOROUGH,
    Chosen,
)
from clustering.solve.remedies import ranked
from clustering.solve.runs import Desk, PartRun, Tick, Work

EFFORTS = {
    "sketch": replace(QUICK, moves=200_000),
    "quick": QUICK,
    "standard": STANDARD,
    "thorough": THOROUGH,
}
WORKERS = 2
"""Parts solved side by side; the answer does not depend on it."""


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

    `effort` is sketch (a tenth of quick), quick (search only), standard or thorough, all limited by
    counts so that the answer is the same on every machine; `seconds` cuts the work short and keeps
    the best plan so far.
    `gap` stops a part once its proven gap is that small. `stop` is asked from time to time.
    """
    began = time.monotonic()
    works, reasons = _prepared(problem)
    if reasons:
        reasons = ranked(problem, reasons, seed)
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


def _prepared(problem: Problem) -> tuple[list[Work], list[Reason]]:
    works, reasons = [], []
    for part in problem.parts():
        model = build_model(problem, part)
        counts, why = possible_counts(problem, part, model)
        works.append(Work(part, model, counts))
        reasons += why
    if not reasons and problem.rules.areas == "never" and problem.rules.clusters != "free":
        reasons += _total_clash(problem, works)
    return works, reasons


def _total_clash(problem: Problem, works: Sequence[Work]) -> list[Reason]:
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
    works: Sequence[Work],
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
    desk = Desk(len(works), progress)
    all_counts = _every_count_matters(problem)

    def one(work: Work) -> None:
        own = PartRun(work, seed, EFFORTS[effort], gap, starts.get(work.part.name, ()), halt, desk)
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


def _starts(
    problem: Problem, works: Sequence[Work], start: Plan | None
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


def _chosen(problem: Problem, works: Sequence[Work]) -> tuple[dict[str, int] | None, int | None]:
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


def _part_result(work: Work, clusters: int, problem: Problem) -> PartResult:
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
    problem: Problem, works: Sequence[Work], reasons: Sequence[Reason], seed: int, spent: float
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
    problem: Problem, works: Sequence[Work], interrupted: bool, seed: int, spent: float
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
