"""Where next? The best sites for new or larger provisions, proved, with others nearly as good.

The best set is found by CP-SAT in three steps: a bound ranks the candidates (`site_bound`); the
best choice among the first of them is found; then only the candidates that the bound cannot
exclude from a set as good are let in, and the choice among those is proved (`site_model`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from clustering.provision.site_choice import (
    MINUTE_UNITS,
    NEVER,
    SiteChoice,
    Whole,
    in_whole_numbers,
)
from clustering.provision.site_figures import Figures, figures_of
from clustering.provision.site_model import (
    Found,
    Loss,
    OutOfEffortError,
    SiteModel,
    beyond_limit,
    farther_than,
    minutes_up_to,
)
from clustering.provision.site_reasons import at_once, reasons
from clustering.provision.site_search import Ranked, Searcher

__all__ = ["Figures", "SiteChoice", "SiteSet", "Sites", "choose"]


@dataclass(frozen=True)
class SiteSet:
    """One set of sites: positions of candidates in order, and what it does."""

    chosen: tuple[int, ...]
    value: float
    figures: Figures


@dataclass(frozen=True)
class Sites:
    """The answer of `choose`.

    `value` and `bound` are children newly within the limit (`coverage`; the bound is above),
    child-minutes (`minutes`), minutes (`worst_off`) or pounds (`cost`; bounds are below). They are
    the solver's and may differ from the figures by its rounding of children.
    """

    status: Literal["optimal", "feasible", "infeasible", "unknown"]
    """`feasible`: found but not proved best; `unknown`: the effort ended before either."""
    chosen: tuple[int, ...] = ()
    value: float = math.nan
    bound: float = math.nan
    figures: Figures | None = None
    alternatives: tuple[SiteSet, ...] = ()
    """Other sets nearly as good, best first."""
    reasons: tuple[str, ...] = ()
    """Why there is no set, in words."""
    remedies: tuple[str, ...] = ()
    """What would make one possible, in words."""


def choose(
    choice: SiteChoice,
    *,
    alternatives: int = 3,
    within: float = 0.05,
    seed: int = 1,
    effort: float = 60.0,
) -> Sites:
    """Return the best set of sites, the proof of it, and other sets nearly as good.

    `within` is the share of the best value by which an alternative may be worse (of the greatest
    minutes for `worst_off`, whose alternatives come by child-minutes). `effort` limits each search
    of the solver in its deterministic time, about a second a unit. Among equals the fewest sites
    win. An impossible question is an answer with status `infeasible`.
    """
    whole = in_whole_numbers(choice)
    why, remedy = at_once(whole)
    if why:
        return Sites("infeasible", reasons=why, remedies=remedy)
    desk = _Desk(choice, whole, Searcher(whole, seed, effort), alternatives, within)
    try:
        answer = desk.answer()
        if answer is None:
            why, remedy = reasons(whole, seed, effort)
            return Sites("infeasible", reasons=why, remedies=remedy)
        return answer
    except OutOfEffortError:
        return Sites(
            "unknown",
            reasons=("The search ended before it found a set of sites that keeps every rule.",),
            remedies=("Allow it more effort.",),
        )


@dataclass(frozen=True)
class _Desk:
    """One question on its way through the solver."""

    choice: SiteChoice
    whole: Whole
    search: Searcher
    wanted: int
    within: float

    def answer(self) -> Sites | None:
        """Return the answer, or None if there is no set."""
        if self.choice.objective == "coverage":
            return self._most_within()
        if self.choice.objective == "cost":
            return self._cheapest()
        least = self.search.fewest_without()
        if least is None:
            return None
        return self._nearest(least) if self.choice.objective == "minutes" else self._worst(least)

    def _most_within(self) -> Sites | None:
        loss = beyond_limit(self.whole)
        today = int(self.whole.weight @ loss.stay)

        def enough(best: int) -> int:
            return today - math.ceil((today - best) * (1.0 - self.within))

        ranked = self.search.search(loss, (), self.wanted, enough)
        return (
            None
            if ranked is None
            else self._told(ranked, loss, lambda v: (today - v) * self.whole.unit)
        )

    def _nearest(self, least: int) -> Sites | None:
        loss, without = minutes_up_to(self.whole)
        ceilings, fixed = ((farther_than(self.whole, NEVER - 1), least),), without * least

        def enough(best: int) -> int:
            return fixed + math.floor((best - fixed) * (1.0 + self.within))

        ranked = self.search.search(loss, ceilings, self.wanted, enough)
        unit = self.whole.unit / MINUTE_UNITS
        return None if ranked is None else self._told(ranked, loss, lambda v: (v - fixed) * unit)

    def _worst(self, least: int) -> Sites | None:
        """Return the set with the least greatest minutes, and of those the one of least minutes."""
        most, lowest = self.search.least_greatest(least)
        loss, _ = minutes_up_to(self.whole, most)
        ranked = self.search.search(loss, ((farther_than(self.whole, most), least),))
        if ranked is None:
            return None
        best, others = ranked.found[0], list[Found]()
        if self.wanted:
            wide = math.floor(most * (1.0 + self.within))
            near, _ = minutes_up_to(self.whole, wide)
            ceiling = (farther_than(self.whole, wide), least)
            more = self.search.search(near, (ceiling,), self.wanted - 1, without=best.chosen)
            others = more.found if more else []
        return Sites(
            status="optimal" if ranked.proven and lowest == most else "feasible",
            chosen=best.chosen,
            value=most / MINUTE_UNITS,
            bound=lowest / MINUTE_UNITS,
            figures=self._figures(best),
            alternatives=tuple(
                SiteSet(one.chosen, figures.greatest_minutes, figures)
                for one in others
                for figures in (self._figures(one),)
            ),
        )

    def _cheapest(self) -> Sites | None:
        """Return the set of least pounds, and of those the one with most within the limit."""
        loss = beyond_limit(self.whole)
        model = SiteModel(self.whole, self.whole.allowed, [loss])
        best = model.best(model.pounds(), self.search.seed, self.search.effort)
        if best is None:
            return None
        model.model.add(model.pounds() <= math.floor(best.value * (1.0 + self.within)))
        same = SiteModel(self.whole, self.whole.allowed, [loss])
        same.model.add(same.pounds() <= best.value)
        good = (
            same.best(same.total(loss), self.search.seed, self.search.effort, best.chosen) or best
        )
        found = [replace(best, chosen=good.chosen)]
        found += self.search.others(model, model.pounds(), good.chosen, self.wanted)
        return self._told(Ranked(found, best.bound), loss, float)

    def _told(self, ranked: Ranked, loss: Loss, value: Callable[[int], float]) -> Sites:
        polish = self.choice.objective != "minutes"
        sent = [self.search.polished(one, loss) if polish else one for one in ranked.found]
        figures = [self._figures(one) for one in sent]
        best = ranked.found[0]
        return Sites(
            status="optimal" if ranked.proven else "feasible",
            chosen=best.chosen,
            value=value(best.value),
            bound=value(ranked.bound),
            figures=figures[0],
            alternatives=tuple(
                SiteSet(one.chosen, value(one.value), figure)
                for one, figure in zip(ranked.found[1:], figures[1:], strict=True)
            ),
        )

    def _figures(self, found: Found) -> Figures:
        return figures_of(self.choice, self.whole, found)
