"""Schools that every grouping treats alike, and the sets of them that comparing groups shows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Groups = Sequence[tuple[int, ...]]
"""The groups of a grouping: positions of their schools; a school is in one of them, or in none."""


@dataclass(frozen=True, eq=False)
class Whole:
    """A whole and its parts: `total` (a measure) is the sum of `parts` (measures) and of a rest.

    `known` are the totals of the schools where the total is public, NaN where it is missing, else
    None. `rest` names the measure of what is in no part; empty where the parts are all there is.
    """

    total: str
    parts: tuple[str, ...]
    rest: str
    known: Floats | None


def parts_of(
    groupings: Sequence[Groups],
    counts: Mapping[str, Floats],
    wholes: Sequence[Whole],
    small: range,
) -> NDArray[np.int64]:
    """Return the part of each school, in the order of first schools.

    Merged schools must be interchangeable: what one of them can have in the pack, another can take
    or give. Where a public whole binds them, they are not, and stay apart: where the rest of the
    part is less than its largest school, or the rest of one school is small.
    """
    size = len(next(iter(counts.values())))
    keys: list[list[int]] = [[] for _ in range(size)]
    for groups in groupings:
        label = dict.fromkeys(range(size), -1)
        label.update({school: k for k, group in enumerate(groups) for school in group})
        for school, key in enumerate(keys):
            key.append(label[school])
    for school, key in enumerate(keys):
        key += [int(np.isnan(values[school])) for values in counts.values()]
        key += [int(w.known is not None and np.isnan(w.known[school])) for w in wholes]
    together: dict[tuple[int, ...], list[int]] = {}
    for school, key in enumerate(keys):
        together.setdefault(tuple(key), []).append(school)
    found: list[list[int]] = []
    for schools in together.values():
        apart = any(_bind(w, counts, schools, small) for w in wholes)
        found += [[school] for school in schools] if apart else [schools]
    part = np.zeros(size, int)
    for k, schools in enumerate(sorted(found)):
        part[schools] = k
    return part


def _bind(whole: Whole, counts: Mapping[str, Floats], schools: list[int], small: range) -> bool:
    if whole.known is None:
        return False
    if not whole.rest:
        return True
    rest = counts[whole.rest][schools]
    return bool(rest.sum() < whole.known[schools].max() or np.isin(rest, small).any())


def family(part: NDArray[np.int64], groupings: Iterable[Groups]) -> list[NDArray[np.int64]]:
    """Return every set of parts to look at, each once.

    Every part, every group, what two groups share or do not share, a group less the groups inside
    it, and the groups that cover it less the group.
    """
    number = int(part.max()) + 1
    levels = [[_members(part, number, group) for group in groups] for groups in groupings]
    groups = [group for level in levels for group in level]
    found: dict[bytes, NDArray[np.int64]] = {}
    for mask in _masks(groups, levels, number):
        if mask.any():
            found.setdefault(mask.tobytes(), np.flatnonzero(mask))
    return list(found.values())


def _masks(groups: list[Bools], levels: list[list[Bools]], number: int) -> Iterator[Bools]:
    yield from np.eye(number, dtype=bool)
    yield from groups
    for one in groups:
        for level in levels:
            touching = [other for other in level if (one & other).any()]
            for other in touching:
                yield one & other
                yield one & ~other
                yield other & ~one
            inside = np.zeros(number, bool)
            cover = np.zeros(number, bool)
            for other in touching:
                cover |= other
                if not (other & ~one).any():
                    inside |= other
            yield one & ~inside
            yield cover & ~one


def _members(part: NDArray[np.int64], number: int, group: tuple[int, ...]) -> Bools:
    mask = np.zeros(number, bool)
    mask[part[list(group)]] = True
    return mask
