"""What may be public of a release: texts and values of cells, and what was said in all."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clustering.publish.disclosure_asked import Asked, Money
from clustering.publish.disclosure_choice import choose
from clustering.publish.disclosure_sets import Floats, Whole
from clustering.publish.disclosure_system import (
    SHOWN,
    SILENT,
    Amount,
    Row,
    build_system,
    rounded,
)

SMALLEST_WHOLE = 10
"""Rates of fewer than this are not shown."""
NOT_KNOWN, NOT_SHOWN, EITHER = "not known", "not shown", "small or not shown"


@dataclass(frozen=True)
class Cell:
    """What may be public of one number: its text, and its value where it is shown, else None."""

    text: str
    value: float | None = None


@dataclass(frozen=True, eq=False)
class Released:
    """The only source of public numbers: every cell that was asked for, shown or in words."""

    asked: Asked
    _cells: Mapping[tuple[str, str, str], Cell]
    _rates: Mapping[tuple[str, str, str, str], Cell]

    def shown(self, grouping: str, group: str, name: str) -> Cell:
        """Return a measure or an amount of a group; `KeyError` if nobody asked for its table."""
        return self._cells[grouping, group, name]

    def rate(self, grouping: str, group: str, part: str, total: str) -> Cell:
        """Return a rate in per cent to one decimal; `KeyError` if nobody asked for it."""
        return self._rates[grouping, group, part, total]

    def words(self) -> tuple[str, ...]:
        """Return a sentence on each word that stands in place of a number, for every page."""
        few, low = few_words(self.asked.threshold), "1" if self.asked.show_zeros else "0"
        return (
            f'"{few}": {low} to {self.asked.threshold - 1} pupils, who could be told apart.',
            f'"{NOT_SHOWN}": {self.asked.threshold} or more, or money; with it a small number '
            "could be worked out.",
            f'"{EITHER}": hidden for one of these two reasons; which one would say too much.',
            f'"{NOT_KNOWN}": not recorded for every school; it does not mean none.',
        )

    def published(self) -> dict[str, Any]:
        """Return what the pack says, in plain values, with what explains it; fit to be public."""
        asked = self.asked
        used = {grouping for grouping, _ in asked.tables}
        return {
            "threshold": asked.threshold,
            "zeros_shown": asked.show_zeros,
            "public": sorted(asked.public),
            "wholes": [
                {"total": total, "parts": list(parts), "complete": complete}
                for total, parts, complete in asked.wholes
            ],
            "amounts": {
                name: {"rates": dict(money.rates), "step": money.step}
                for name, money in asked.money.items()
            },
            "groupings": {
                name: {group: [asked.urns[k] for k in at] for group, at in groups.items()}
                for name, groups in asked.groups.items()
                if name in used
            },
            "cells": [
                {"grouping": g, "group": k, "name": n, "text": c.text, "value": c.value}
                for (g, k, n), c in self._cells.items()
            ],
            "rates": [
                {"grouping": g, "group": k, "part": p, "total": t, "text": c.text, "value": c.value}
                for (g, k, p, t), c in self._rates.items()
            ],
        }

    def knowledge(self) -> dict[str, Any]:
        """Return what anybody is taken to know beside the pack; for its audit, not for the pack.

        `public`: measures by URN; `unknown`: URNs without a count, by measure; `fixed`: by amount
        and URN, what does not come of protected counts.
        """
        asked = self.asked
        return {
            "public": {n: _by_urn(asked, asked.counts[n]) for n in sorted(asked.public)},
            "unknown": {
                name: [asked.urns[k] for k in np.flatnonzero(np.isnan(values))]
                for name, values in asked.counts.items()
            },
            "fixed": {n: _by_urn(asked, _fixed(asked, money)) for n, money in asked.money.items()},
        }


def few_words(threshold: int) -> str:
    """Return the words for a small count."""
    return f"fewer than {threshold}"


def answer(asked: Asked) -> Released:
    """Return what may be public; raises `Unsafe` where public totals alone give counts away."""
    counts = {n: values for n, values in asked.counts.items() if n not in asked.public}
    wholes = []
    for total, parts, complete in asked.wholes:
        protected = tuple(part for part in parts if part not in asked.public)
        rest = "" if complete else f"{total} without {', '.join(parts)}"
        if not protected:
            continue
        known = None
        if total in asked.public:
            others = [asked.counts[part] for part in parts if part in asked.public]
            known = asked.counts[total] - np.sum(others, axis=0)
        wholes.append(Whole(total, protected, rest, known))
        if rest:
            counts[rest] = asked.rest(total, parts)
    rows = _rows(asked)
    amounts = {
        name: Amount(_fixed(asked, m), {k: v for k, v in m.rates.items() if k in counts}, m.step)
        for name, m in asked.money.items()
    }
    level: NDArray[np.int64] = np.zeros(0, int)
    if rows and counts:
        levels = {g for g, n in asked.tables if n not in asked.public}
        groupings = [tuple(asked.groups[name].values()) for name in sorted(levels)]
        system = build_system(counts, wholes, amounts, groupings, list(rows.values()), asked.small)
        level = choose(system)
    at = {key: int(level[k]) for k, key in enumerate(rows)} if len(level) else {}
    cells = {
        (grouping, group, name): _cell(asked, grouping, name, schools, at.get((name, schools)))
        for grouping, group, name, schools in asked.cells()
    }
    rates = {
        (grouping, group, part, total): _rate(asked, cells, grouping, group, part, total)
        for grouping, part, total in asked.rates
        for group in asked.groups[grouping]
    }
    return Released(asked, cells, rates)


def _rows(asked: Asked) -> dict[tuple[str, tuple[int, ...]], Row]:
    """Return every protected sum once, though several groupings may publish it."""
    found: dict[tuple[str, tuple[int, ...]], Row] = {}
    for grouping, _, name, schools in asked.cells():
        if name in asked.public or np.isnan(_values(asked, name)[list(schools)]).any():
            continue
        # A number of many schools is a greater loss, though not by as much as it is greater.
        cost = asked.keep[grouping] * (1 + math.log2(len(schools)))
        barred = name in asked.money and len(schools) == 1 and not asked.school_amounts
        old = found.get((name, schools))
        found[name, schools] = Row(name, schools, cost + (old.cost if old else 0.0), barred)
    return dict(sorted(found.items()))


def _values(asked: Asked, name: str) -> Floats:
    return asked.money[name].values if name in asked.money else asked.counts[name]


def _fixed(asked: Asked, money: Money) -> Floats:
    """Return what is left by school without protected counts; a count not known adds nothing."""
    left = money.values.copy()
    for name, rate in money.rates.items():
        if name not in asked.public:
            left -= rate * np.nan_to_num(asked.counts[name])
    return left


def _cell(
    asked: Asked, grouping: str, name: str, schools: tuple[int, ...], level: int | None
) -> Cell:
    value = float(_values(asked, name)[list(schools)].sum())
    if math.isnan(value):
        return Cell(NOT_KNOWN)
    if name in asked.money:
        money = asked.money[name]
        if level is not None and level > SHOWN:
            return Cell(NOT_SHOWN)
        value = rounded(value, money.step)
        return Cell(f"{money.unit}{value:,.0f}", value)
    if level == SILENT:
        return Cell(EITHER)
    if value in asked.small:
        return Cell(few_words(asked.threshold))
    if level is not None and level > SHOWN:
        return Cell(NOT_SHOWN if value >= asked.threshold else EITHER)
    value = rounded(value, asked.tables[grouping, name])
    return Cell(f"{value:,.0f}", int(value))


def _rate(
    asked: Asked,
    cells: Mapping[tuple[str, str, str], Cell],
    grouping: str,
    group: str,
    part: str,
    total: str,
) -> Cell:
    """Return a rate of two shown counts; a public one is taken exact, though shown rounded."""
    over, under = cells[grouping, group, part], cells[grouping, group, total]
    if over.value is None:
        return Cell(over.text)
    if under.value is None:
        return Cell(under.text)
    at = list(asked.groups[grouping][group])
    counted, of = (float(asked.counts[name][at].sum()) for name in (part, total))
    if counted < asked.threshold or of < SMALLEST_WHOLE:
        return Cell(NOT_SHOWN)
    per_cent = round(100 * counted / of, 1)
    return Cell(f"{per_cent:.1f}%", per_cent)


def _by_urn(asked: Asked, values: Floats) -> dict[str, float | None]:
    numbers = (None if math.isnan(v) else float(v) for v in values)
    return dict(zip(asked.urns, numbers, strict=True))
