"""Everything that a pack will publish, in one order: what a release hands over to be protected."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from clustering.publish.disclosure_sets import Floats


@dataclass(frozen=True, eq=False)
class Money:
    """An amount by school, what a pupil of each measure adds to it, its rounding and its sign."""

    values: Floats
    rates: Mapping[str, float]
    step: float
    unit: str


@dataclass(frozen=True, eq=False)
class Asked:
    """A release as `Release` hands it over: sorted by name, schools by position in `urns`.

    `counts` are NaN where nothing is known; `wholes` are total, parts, whether these are all.
    """

    threshold: int
    show_zeros: bool
    school_amounts: bool
    urns: tuple[str, ...]
    counts: Mapping[str, Floats]
    public: frozenset[str]
    wholes: tuple[tuple[str, tuple[str, ...], bool], ...]
    money: Mapping[str, Money]
    groups: Mapping[str, Mapping[str, tuple[int, ...]]]
    keep: Mapping[str, float]
    tables: Mapping[tuple[str, str], int]
    rates: tuple[tuple[str, str, str], ...]

    @property
    def small(self) -> range:
        """Counts that nobody may work out."""
        return range(int(self.show_zeros), self.threshold)

    def rest(self, total: str, parts: tuple[str, ...]) -> Floats:
        """Return by school what is in no part of a whole; NaN where any count is not known."""
        return self.counts[total] - np.sum([self.counts[part] for part in parts], axis=0)

    def cells(self) -> Iterator[tuple[str, str, str, tuple[int, ...]]]:
        """Yield grouping, group, name and schools of every number asked for."""
        for grouping, name in self.tables:
            for group, schools in self.groups[grouping].items():
                yield grouping, group, name, schools
