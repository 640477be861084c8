"""Attacks a pack: what can a patient reader with a computer work out from everything it says?

Takes the plain values of `Released.published` - cells, their words, rates, groupings, wholes - and,
where given, what else anybody may know, and bounds by linear programmes every count of every
school, group, difference and intersection of two groups. Shares no code with the protection and
does not know the true counts. Two kinds of leak are reported:

- a count that lies between 1 (or 0, where zeros are hidden) and the threshold, narrower than the
  words for a small count say, or a number in a table that is itself small;
- a sum of several such counts that follows exactly from numbers shown, by adding and subtracting.

A reader who knows only the pack is weaker than one who knows public rolls: give the knowledge.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array, eye_array, hstack

from clustering.publish.attack_reader import NEAR, Key, Reader


@dataclass(frozen=True)
class Leak:
    """A small count that the pack gives away: of which schools, and between what it must lie."""

    measure: str
    schools: tuple[str, ...]
    low: float
    high: float

    def __str__(self) -> str:
        """Say it in a sentence, schools by URN."""
        one = round(self.low) if round(self.low) == round(self.high) else None
        found = f"is {one}" if one is not None else f"lies in {self.low:.1f} to {self.high:.1f}"
        shown = ", ".join(self.schools[:6]) + (" …" if len(self.schools) > 6 else "")
        return f"{self.measure} of {len(self.schools)} schools ({shown}) {found}."


def attack(
    published: Mapping[str, Any], knowledge: Mapping[str, Any] | None = None
) -> tuple[Leak, ...]:
    """Return every leak found, the smallest groups first; empty: the pack withstood."""
    reader = Reader(published, knowledge or {})
    public = Reader({**published, "cells": [], "rates": []}, knowledge or {})
    found: dict[tuple[str, tuple[str, ...]], Leak] = {}
    for leak in itertools.chain(
        _in_tables(reader), _Bounds(reader, public).leaks(), _sums(reader, public)
    ):
        found.setdefault((leak.measure, leak.schools), leak)
    return tuple(sorted(found.values(), key=lambda x: (len(x.schools), x.measure, x.schools)))


def _in_tables(reader: Reader) -> Iterator[Leak]:
    """Yield numbers in tables that are themselves small."""
    for cell in reader.said["cells"]:
        value, name = cell["value"], cell["name"]
        if value is None or name in reader.said["amounts"] or name in reader.told:
            continue
        if reader.least <= value < reader.limit:
            yield Leak(name, tuple(sorted(reader.schools(cell))), value, value)


class _Bounds:
    """What the linear programme narrows to a small count, set by set."""

    def __init__(self, reader: Reader, public: Reader) -> None:
        self.reader, self.public, self.solver = reader, public, reader.solver
        self.measures = sorted({measure for measure, _ in reader.variables})
        self.worlds: list[dict[Key, float]] = []
        # One world in which as many counts as can be reach the threshold clears most sets at once.
        reached = []
        for key, variable in sorted(reader.variables.items()):
            extra = self.solver.NumVar(0, reader.limit, f"up to the threshold: {key}")
            self.solver.Add(extra <= variable)
            reached.append(extra)
        self._extreme(reached, largest=True)

    def leaks(self) -> Iterator[Leak]:
        """Yield every leak; a set that may reach the threshold is none."""
        limit, least = self.reader.limit, self.reader.least
        for schools, measure in itertools.product(self._sets(), self.measures):
            keys = [(measure, urn) for urn in sorted(schools)]
            if any(key not in self.reader.variables for key in keys):
                continue
            if self._cleared(keys):
                continue
            variables = [self.reader.variables[key] for key in keys]
            high = self._extreme(variables, largest=True)
            if high >= limit - NEAR:
                continue
            low = self._extreme(variables, largest=False)
            known_low, known_high = _before(self.public, keys)
            widest = (max(least, known_low), min(limit - 1, known_high))
            as_wide_as_words = low <= widest[0] + NEAR and high >= widest[1] - NEAR
            if low >= least - NEAR and not as_wide_as_words:
                yield Leak(measure, tuple(sorted(schools)), low, high)

    def _sets(self) -> Iterable[frozenset[str]]:
        groups = self.reader.groups()
        found = {frozenset([urn]): None for urn in sorted({u for _, u in self.reader.variables})}
        found |= dict.fromkeys(groups)
        for one, other in itertools.permutations(groups, 2):
            if one & other:
                found |= dict.fromkeys(s for s in (one & other, one - other) if s)
        return found

    def _cleared(self, keys: list[Key]) -> bool:
        limit = self.reader.limit - NEAR
        return any(sum(world[key] for key in keys) >= limit for world in self.worlds)

    def _extreme(self, variables: Iterable[Any], *, largest: bool) -> float:
        found = self.reader.extreme_of(variables, largest=largest)
        world = {key: v.solution_value() for key, v in self.reader.variables.items()}
        self.worlds.append(world)
        return found


def _before(public: Reader, keys: list[Key]) -> tuple[float, float]:
    """Return between what a sum lies by public measures alone, without the pack."""
    if any(key not in public.variables for key in keys):
        return 0.0, math.inf
    low, high = (public.extreme(keys, largest=largest) for largest in (False, True))
    return low, high


def _sums(reader: Reader, public: Reader) -> Iterator[Leak]:
    """Yield for each measure schools whose small sum follows by adding and subtracting.

    Weights of the known sums, whatever they are, that leave each school's count once or not at all.
    """
    place = {key: k for k, key in enumerate(sorted(reader.variables))}
    known = len(reader.exact)
    entries = [
        (place[key], r, w) for r, (sums, _) in enumerate(reader.exact) for key, w in sums.items()
    ]
    at, row, weight = zip(*entries, strict=True) if entries else ((), (), ())
    matrix = csr_array((weight, (at, row)), shape=(len(place), known))
    values = np.array([value for _, value in reader.exact])
    for measure in sorted({name for name, _ in place}):
        mine = np.array([float(name == measure) for name, _ in sorted(place)])
        marks = np.concatenate([np.zeros(known), np.ones(len(place))])
        answer = milp(
            marks,
            integrality=marks,
            bounds=Bounds(
                np.concatenate([np.full(known, -np.inf), np.zeros(len(place))]),
                np.concatenate([np.full(known, np.inf), mine]),
            ),
            constraints=[
                LinearConstraint(hstack([matrix, -eye_array(len(place))]).tocsr(), 0, 0),
                LinearConstraint(
                    np.concatenate([values, np.zeros(len(place))]), reader.least, reader.limit - 1
                ),
                LinearConstraint(marks, 1, np.inf),
            ],
            options={"node_limit": 500},
        )
        if answer.x is not None:
            value = float(values @ answer.x[:known])
            keys = [key for key, k in place.items() if answer.x[known + k] > 0.5]
            low, high = _before(public, keys)
            if high - low > NEAR:
                schools = sorted(urn for _, urn in keys)
                yield Leak(measure, tuple(schools), value, value)
