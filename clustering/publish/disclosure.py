"""The one gate that every public number passes: small counts are hidden, and stay hidden.

A pack builder says what is known (`measure`, `whole`, `amount`, `grouping`) and which tables the
pack will hold, over all its files (`table`, `rate`); `protect` decides once for all of them which
numbers are hidden; and what is public is read from its answer and from nowhere else:

    release = Release(threshold=5)
    release.measure("pupils", schools["pupils"], public=True)
    release.measure("ehc_plans", schools["ehc_plans"])
    release.whole("pupils", ["ehc_plans"])
    release.grouping("option A", plan.cluster_of)
    release.table("option A", "ehc_plans")
    release.rate("option A", "ehc_plans", "pupils")
    safe = release.protect()
    safe.shown("option A", "Westby 1", "ehc_plans")     # Cell(text="37", value=37)

What holds of the answer, for every set of schools (a *part* that all groupings treat alike, a
group, what two groups share or do not share, a group less the groups inside it):

1. No count from 1 to 4 (from 0, unless zeros may be shown) stands anywhere.
2. Whatever is published, over all groupings and measures together, would also come of whole
   numbers with which the set's small count is as low, and of others with which it is as high, as
   the words "fewer than 5" say - as far as public totals allow, whatever is published. Outside a
   group with those words nobody can tell that it is small. Both are found, not argued.
3. No set whatever has a small count that follows by adding and subtracting shown counts.

The rest of a whole (pupils without FSM6) is protected as the parts are. Rates come of shown counts
alone, from `threshold` pupils of at least `SMALLEST_WHOLE`. Money is bounded by its rounding: by
published rates a pupil it reveals counts, so it is hidden where 2 would fail. What is not known, or
imputed, is never published nor counted as 0; a group with such a school is "not known".

Not covered: what people know of single schools beyond public measures, what the choice of cells
itself betrays to one who runs the same choice, and two packs that were not one release. Money that
is not a sum over schools (floors, gains scaled) is safe only as far as its published `rates` say
what a pupil adds. Counts protected by school are slow to choose: minutes for a whole county.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from clustering.opting import FEW
from clustering.publish.disclosed import Cell, Released, answer
from clustering.publish.disclosure_asked import Asked, Money
from clustering.publish.disclosure_choice import Unsafe
from geo.errors import Fault, Faults, InputError, did_you_mean

__all__ = ["THRESHOLD", "Cell", "DisclosureError", "Release", "Released"]

THRESHOLD = FEW
"""Fewer than this is small, as leavers in `feeders.csv` are."""


class DisclosureError(InputError):
    """What a release was given cannot be protected, or was never asked for."""


class Release:
    """Everything that one pack will publish; filled, then protected at once.

    `threshold`: counts below it are small. `show_zeros`: a zero may be shown where no other number
    suffers; otherwise it is told as any small count. `school_amounts`: money of a group of one
    school may be shown.
    """

    def __init__(
        self, threshold: int = THRESHOLD, *, show_zeros: bool = False, school_amounts: bool = False
    ) -> None:
        if threshold < 2:
            raise DisclosureError(Fault("A threshold below 2 hides nothing.", "Use 5 or 10."))
        self._rules = (threshold, show_zeros, school_amounts)
        self._counts: dict[str, pd.Series] = {}
        self._public: set[str] = set()
        self._wholes: set[tuple[str, tuple[str, ...], bool]] = set()
        self._money: dict[str, tuple[pd.Series, Money]] = {}
        self._groups: dict[str, dict[str, list[str]]] = {}
        self._keep: dict[str, float] = {}
        self._tables: dict[tuple[str, str], int] = {}
        self._rates: set[tuple[str, str, str]] = set()

    def measure(
        self,
        name: str,
        counts: pd.Series,
        *,
        public: bool = False,
        imputed: Collection[str] = (),
    ) -> None:
        """Add a count of pupils by URN; NaN: not known, as are the URNs of `imputed`.

        `public`: anybody has it by school, as the Department publishes rolls. Its small counts are
        not shown, but nothing else is hidden for it. Raises for what is no count.
        """
        values = counts.astype(float).mask(counts.index.isin(list(imputed)))
        faults = _twice(name, values)
        for urn, value in values.dropna().items():
            if value < 0 or value != round(value):
                faults.add(f"{name} is {value:g}.", "Give whole numbers from 0.", urn=str(urn))
        faults.raise_if_any()
        self._counts[name] = values
        if public:
            self._public.add(name)

    def whole(self, total: str, parts: Sequence[str], *, complete: bool = False) -> None:
        """Say that `parts` (measures) are disjoint parts of `total` (a measure).

        `complete`: they are all of it, as EHC plans and SEN support are all pupils with SEN. The
        rest of a whole that is not complete is protected, too.
        """
        self._wholes.add((total, tuple(sorted(parts)), complete))

    def amount(
        self,
        name: str,
        values: pd.Series,
        *,
        rates: Mapping[str, float],
        step: float,
        unit: str = "£",
    ) -> None:
        """Add an amount by URN that adds up by group, published to the nearest `step`.

        `rates`: what a pupil of each protected measure adds, as anyone can work out from published
        weights; all else in `values` is taken as known. NaN: not known.
        """
        faults = _twice(name, values)
        if step < 1:
            faults.add(f"{name} is rounded to {step:g}.", "Give a step of 1 or more, such as 1000.")
        faults.raise_if_any()
        money = Money(np.zeros(0), dict(sorted(rates.items())), step, unit)
        self._money[name] = (values.astype(float), money)

    def grouping(self, name: str, group_of: Mapping[str, str], *, keep: float = 1.0) -> None:
        """Add a grouping: the group of each URN; a school that is not named is in none.

        `keep`: how much dearer than others its numbers are to lose.
        """
        groups: dict[str, list[str]] = {}
        for urn in sorted(group_of):
            groups.setdefault(group_of[urn], []).append(urn)
        self._groups[name], self._keep[name] = groups, keep

    def table(self, grouping: str, name: str, *, step: int = 1) -> None:
        """Ask for a measure or an amount by the groups of a grouping.

        `step`: public measures may be rounded, as pupils by school to 10.
        """
        self._tables[grouping, name] = step

    def rate(self, grouping: str, part: str, total: str) -> None:
        """Ask for the per cent that `part` is of `total`, by group; both are tabled with it."""
        self._rates.add((grouping, part, total))
        for name in (part, total):
            self._tables.setdefault((grouping, name), 1)

    def protect(self) -> Released:
        """Return what may be public: the same whatever the order in which it was asked for.

        Raises `DisclosureError` for names that nobody gave and parts that exceed their whole.
        """
        self._check_names()
        asked = self._asked()
        _check_wholes(asked)
        try:
            return answer(asked)
        except Unsafe:
            what = "A small count follows from public measures alone, whatever is hidden."
            raise DisclosureError(Fault(what, "Ask fewer measures to be public.")) from None

    def _check_names(self) -> None:
        faults = Faults(DisclosureError)
        measures = set(self._counts)
        used = [
            *((grouping, "grouping") for grouping, _ in self._tables),
            *((name, "measure or amount") for _, name in self._tables),
            *((name, "measure") for _, part, total in self._rates for name in (part, total)),
            *((name, "measure") for total, parts, _ in self._wholes for name in (total, *parts)),
            *((name, "measure") for _, money in self._money.values() for name in money.rates),
        ]
        known = {
            "grouping": set(self._groups),
            "measure": measures,
            "measure or amount": measures | set(self._money),
        }
        for word, kind in sorted(set(used)):
            if word not in known[kind]:
                faults.add(f'"{word}" is no {kind} of this pack.', did_you_mean(word, known[kind]))
        for (grouping, name), step in sorted(self._tables.items()):
            if step != 1 and name not in self._public:
                faults.add(f"{name} by {grouping}: only public measures are rounded.", "No step.")
        urns = {urn for table in self._counts.values() for urn in table.index}
        for name, groups in sorted(self._groups.items()):
            for urn in sorted({u for members in groups.values() for u in members} - urns):
                faults.add(f'is in "{name}" and in no measure.', "Add its row.", urn=urn)
        faults.raise_if_any()

    def _asked(self) -> Asked:
        """Return everything in one order, by position of the sorted URNs."""
        urns = sorted({str(urn) for table in self._counts.values() for urn in table.index})
        place = {urn: k for k, urn in enumerate(urns)}
        threshold, show_zeros, school_amounts = self._rules
        return Asked(
            threshold=threshold,
            show_zeros=show_zeros,
            school_amounts=school_amounts,
            urns=tuple(urns),
            counts={n: self._counts[n].reindex(urns).to_numpy() for n in sorted(self._counts)},
            public=frozenset(self._public),
            wholes=tuple(sorted(self._wholes)),
            money={
                name: replace(money, values=values.reindex(urns).to_numpy())
                for name, (values, money) in sorted(self._money.items())
            },
            groups={
                name: {group: tuple(place[u] for u in groups[group]) for group in sorted(groups)}
                for name, groups in sorted(self._groups.items())
            },
            keep=self._keep,
            tables=dict(sorted(self._tables.items())),
            rates=tuple(sorted(self._rates)),
        )


def _twice(name: str, values: pd.Series) -> Faults:
    faults = Faults(DisclosureError)
    for urn in sorted(set(values.index[values.index.duplicated()])):
        faults.add(f"has two rows of {name}.", "Keep one.", urn=str(urn))
    return faults


def _check_wholes(asked: Asked) -> None:
    faults = Faults(DisclosureError)
    for total, parts, complete in asked.wholes:
        if total not in asked.public and asked.public & set(parts):
            faults.add(f"{total} is protected and a part of it is public.", "Make both public.")
        rest = asked.rest(total, parts)
        for k in np.flatnonzero((rest < 0) | (complete & (rest > 0))):
            words = "do not make" if complete else "exceed"
            faults.add(f"{' + '.join(parts)} {words} {total}.", "Mend it.", urn=asked.urns[k])
    faults.raise_if_any()
