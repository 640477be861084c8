"""Searches for sites: a bound ranks the candidates, CP-SAT chooses among those that can matter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from clustering.provision.site_bound import RULED_OUT, bound
from clustering.provision.site_choice import NEVER, Whole
from clustering.provision.site_model import (
    Ceiling,
    Expr,
    Found,
    Loss,
    OutOfEffortError,
    SiteModel,
    farther_than,
    minutes_up_to,
    settled,
)

FIRST = 25
"""Candidates among which a good set is looked for first."""


@dataclass(frozen=True)
class Ranked:
    """Sets of sites by a loss, best first, and a bound on the loss of every set."""

    found: list[Found]
    bound: int

    @property
    def proven(self) -> bool:
        """Whether the first is the best of all."""
        return self.bound == self.found[0].value


@dataclass(frozen=True)
class Searcher:
    """Answers questions about one `Whole`, all with the same seed and effort."""

    whole: Whole
    seed: int
    effort: float

    def search(
        self,
        loss: Loss,
        ceilings: Sequence[Ceiling] = (),
        others: int = 0,
        enough: Callable[[int], int] | None = None,
        without: tuple[int, ...] | None = None,
    ) -> Ranked | None:
        """Return the set of least loss and others of at most `enough` loss; None if there is none.

        A candidate that is left out is one with which no set is as good as the last of those.
        """
        limits = bound(self.whole, loss, ceilings)
        ranked = sorted(self.whole.allowed, key=lambda c: (limits.with_site[c], c))
        job = (loss, ceilings, others, enough, without)
        found, tired, size = list[Found](), False, FIRST
        while not found and not tired:
            keep = {*self.whole.forced, *ranked[:size]}
            try:
                found = self._among(keep, *job)
            except OutOfEffortError:
                tired = True
            if size >= len(ranked):
                break
            size *= 2
        most = RULED_OUT - 1
        if len(found) > others:
            most = found[-1].value
        elif found and enough:
            most = enough(found[0].value)
        left = {c for c in self.whole.allowed if limits.with_site[c] <= most}
        if tired or not left <= keep:
            known = found[0].chosen if found else ()
            found = self._among(left.union(known, self.whole.forced), *job, known)
        if not found:
            return None
        lowest = max(limits.any_set, min(found[0].bound, most))
        return Ranked(found, min(lowest, found[0].value))

    def _among(
        self,
        keep: set[int],
        loss: Loss,
        ceilings: Sequence[Ceiling],
        others: int,
        enough: Callable[[int], int] | None,
        without: tuple[int, ...] | None,
        hint: tuple[int, ...] = (),
    ) -> list[Found]:
        model = SiteModel(self.whole, sorted(keep), [loss, *(one for one, _ in ceilings)])
        for one, most in ceilings:
            model.model.add(model.total(one) <= most)
        if without is not None:
            model.forbid(without)
        aim = model.total(loss)
        best = model.best(aim, self.seed, self.effort, hint)
        if best is None:
            return []
        if enough and others:
            model.model.add(aim <= enough(best.value))
        return [best, *self.others(model, aim, best.chosen, others)]

    def others(self, model: SiteModel, aim: Expr, last: tuple[int, ...], n: int) -> list[Found]:
        """Return up to n sets more, best first."""
        found: list[Found] = []
        while len(found) < n:
            model.forbid(last)
            try:
                other = model.best(aim, self.seed, self.effort)
            except OutOfEffortError:
                break
            if other is None:
                break
            found.append(other)
            last = other.chosen
        return found

    def fewest_without(self) -> int | None:
        """Return the least units of children without any provision; None if there is no set."""
        loss = farther_than(self.whole, NEVER - 1)
        if not self.whole.weight @ loss.stay:
            return 0
        search = self.search(loss)
        return None if search is None else search.found[0].value

    def least_greatest(self, least: int) -> tuple[int, int]:
        """Return the least greatest minutes with `least` children without, and a proved bound."""
        rows = self.whole.weight > 0
        seen = np.append(
            self.whole.minutes[np.ix_(rows, np.array(self.whole.allowed, np.int64))],
            self.whole.now[rows],
        )
        levels = np.unique(seen[seen < NEVER])
        low, high, lowest = 0, len(levels) - 1, 0
        while low < high:
            middle = (low + high) // 2
            far = farther_than(self.whole, int(levels[middle]))
            model = SiteModel(self.whole, self.whole.allowed, [far])
            model.model.add(model.total(far) <= least)
            try:
                possible = model.best(0, self.seed, self.effort)
            except OutOfEffortError:
                low = middle + 1
                continue
            if possible:
                high = middle
            else:
                low = lowest = middle + 1
        return (int(levels[high]), int(levels[lowest])) if len(levels) else (0, 0)

    def polished(self, found: Found, loss: Loss) -> Found:
        """Return the same sites with children sent as near as the loss allows."""
        if self.whole.room is None:
            return found
        near, _ = minutes_up_to(self.whole)
        model = SiteModel(settled(self.whole, found.chosen), found.chosen, [loss, near])
        least = model.best(model.total(loss), self.seed, self.effort)
        if least is None:
            return found
        model.model.add(model.total(loss) <= least.value)
        return model.best(model.total(near), self.seed, self.effort) or found
