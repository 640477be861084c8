"""The work on one part: which numbers of clusters are tried, in which order, and how far.

Kept apart from `whole`, which shares the work out and joins the answers.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from clustering.problem import Part
from clustering.rules import CENTS
from clustering.solve.model import Model
from clustering.solve.part import QUICK, Chosen, Effort, PartAnswer, at_least, solve_part
from clustering.solve.part import Progress as PartProgress


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


@dataclass
class Work:
    """One part with its model and the answers found so far."""

    part: Part
    model: Model
    counts: list[int]
    answers: dict[int, PartAnswer] = field(default_factory=dict)


class Desk:
    """Passes on progress from several threads, one word at a time."""

    def __init__(self, parts: int, progress: Callable[[Tick], None]) -> None:
        self._parts, self._progress = parts, progress
        self._done, self._lock = 0.0, threading.Lock()

    def finished(self) -> None:
        """Count one part more as done."""
        with self._lock:
            self._done += 1

    def tell(self, part: str, clusters: int, step: PartProgress) -> None:
        """Pass on how far one part is."""
        cost = None if step.objective is None else step.objective / CENTS
        bound = None if step.bound is None else step.bound / CENTS
        with self._lock:
            share = self._done / self._parts
            self._progress(Tick(part, clusters, step.phase, cost, bound, share))


HURRIED = replace(QUICK, moves=100_000)
"""The search in a part that is reached only after the work was told to stop: a few hundredths of a
second. It runs to its end, for the hot beginning of a longer one leaves hardly a plan."""


@dataclass
class PartRun:
    """The work on one part: every number of clusters, or only what the best one needs."""

    work: Work
    seed: int
    effort: Effort
    gap: float
    start: tuple[Chosen, ...]
    halt: threading.Event
    desk: Desk

    def all_counts(self) -> None:
        """Solve the part with every number of clusters."""
        for clusters in self.work.counts:
            self.work.answers[clusters] = self._solve(clusters, self.effort, self.start)

    def best_count(self) -> None:
        """Find the best number of clusters and prove it; stop on others once they cannot win.

        A quick search ranks the numbers. The most promising is solved in full; of each other one
        only as much is proven as shows that it is no better.
        """
        first = QUICK if self.effort.prove else self.effort
        quick = self._quick(first)
        self.work.answers |= quick
        if not self.effort.prove:
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

    def _quick(self, effort: Effort) -> dict[int, PartAnswer]:
        """Search with every number of clusters; once told to stop, only until there is a plan."""
        out: dict[int, PartAnswer] = {}
        for clusters in self.work.counts:
            halted = self.halt.is_set()
            if halted and any(answer.chosen for answer in out.values()):
                known = at_least(self.work.model, clusters)
                out[clusters] = PartAnswer("interrupted", clusters, (), None, known, ())
            else:
                out[clusters] = self._solve(clusters, HURRIED if halted else effort, self.start)
        return out

    def _solve(
        self,
        clusters: int,
        effort: Effort,
        start: tuple[Chosen, ...],
        enough: int | None = None,
    ) -> PartAnswer:
        """Solve with one number of clusters, until a bound of `enough` shows it cannot win."""

        def tell(step: PartProgress) -> None:
            self.desk.tell(self.work.part.name, clusters, step)

        return solve_part(
            self.work.model,
            clusters,
            seed=self.seed,
            effort=effort,
            start=start if len(start) == clusters else (),
            stop=self.halt.is_set,
            progress=tell,
            gap=self.gap,
            enough=enough,
        )
