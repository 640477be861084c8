"""What readers could reckon with: parts of groups, the sums that may be shown, what must be safe.

Schools that every grouping treats alike are one *part*. A pack then is a system of sums over the
unknown counts of parts, a variable for each protected measure and part:

- a *count row* for each set of parts that is published as a group, and a measure;
- an *amount row* for each group's rounded money, as a sum of counts times pounds a pupil;
- a *whole row* for each part, always known: parts of a whole and the rest of it make the whole.

A count row stands at one of three levels: shown; hidden behind a word that tells its range; hidden
behind a word that tells nothing. An amount row is shown to its rounding, or not at all.

A quantity is sensitive where its true count is small: every part, every published group, what two
groups share or do not share, and what is left of a group without the groups inside it - the last
two are what comparing two options shows. It is safe where what is published tells no more of it
than the words "fewer than 5": a pack as it stands would also come of a small and of a great count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csr_array

from clustering.publish.disclosure_sets import Floats, Whole, family, parts_of

SHOWN, WORDS, SILENT = 0, 1, 2
"""Levels of a row: the number; a word that tells its range; a word that tells nothing."""
NO_LIMIT = np.inf
ANY = 1_000.0
"""More than any count that is small: what nothing public bounds may come to it."""


@dataclass(frozen=True, eq=False)
class Amount:
    """Money by school, and the pounds a pupil of each protected measure brings (a public rate).

    What is not a protected count times its rate, `fixed` by school, is taken as known to anybody.
    """

    fixed: Floats
    rates: Mapping[str, float]
    step: float


@dataclass(frozen=True)
class Row:
    """A published sum: its measure or amount, the schools it adds up, what hiding it would cost."""

    name: str
    schools: tuple[int, ...]
    cost: float
    barred: bool = False


@dataclass(frozen=True, eq=False)
class System:
    """The sums as matrices: rows by variables, quantities by variables.

    `low` and `high` bound the rows, one column a level; `least` is the lowest level a row may have
    and `cost` what a higher one loses. `need_low` and `need_high` are the range that each sensitive
    quantity must be able to take. `fixed` rows hold always: `fixed @ x == fixed_to`. `measure` is
    that of each variable and `truth` its count, 0 where nothing is known or published of it.
    """

    rows: csr_array
    low: Floats
    high: Floats
    least: NDArray[np.int64]
    cost: Floats
    fixed: csr_array
    fixed_to: Floats
    quantities: csr_array
    need_low: Floats
    need_high: Floats
    truth: Floats
    measure: NDArray[np.int64]
    small: range


def build_system(
    counts: Mapping[str, Floats],
    wholes: Sequence[Whole],
    amounts: Mapping[str, Amount],
    groupings: Sequence[Sequence[tuple[int, ...]]],
    rows: Sequence[Row],
    small: range,
) -> System:
    """Return the system of a pack.

    `counts` by protected measure, rests included, a number a school, NaN where it is not known;
    `groupings` are lists of groups of schools, by position; `small` are the counts that nobody may
    work out, such as `range(1, 5)`.
    """
    part = parts_of(groupings, counts, wholes, small)
    number = int(part.max()) + 1
    place = {name: k * number for k, name in enumerate(counts)}
    summed = {name: _sum(part, values, number) for name, values in counts.items()}
    truth = np.concatenate(list(summed.values()))
    fixed, fixed_to = _whole_rows(wholes, part, number, place, truth)
    entries, bounds, least = [], [], []
    for row in rows:
        at = np.unique(part[list(row.schools)])
        if row.name in amounts:
            amount = amounts[row.name]
            terms = [(place[m] + p, rate) for m, rate in sorted(amount.rates.items()) for p in at]
            terms = [(at, rate) for at, rate in terms if not np.isnan(truth[at])]
            bounds.append(_amount_bounds(amount, counts, row))
            least.append(WORDS if row.barred else SHOWN)
        else:
            terms = [(place[row.name] + p, 1.0) for p in at]
            value = float(truth[[v for v, _ in terms]].sum())
            bounds.append(_count_bounds(value, small))
            least.append(WORDS if value in small else SHOWN)
        entries.append(terms)
    chosen = []
    sets = family(part, groupings)
    for name, values in summed.items():
        known_low, known_high = _before(fixed, fixed_to, slice(place[name], place[name] + number))
        told = _told_small(rows, name, part, values, small)
        for members in sets:
            if values[members].sum() not in small:  # as NaN never is
                continue
            inside = any(set(members) <= few for few in told)
            low = max(small[0], known_low[members].sum())
            high = min(small[-1] + (not inside), known_high[members].sum())
            if high > low:
                terms = [(place[name] + int(p), 1.0) for p in members]
                chosen.append((terms, float(low), float(high)))
    return System(
        rows=_matrix(entries, len(truth)),
        low=np.array([low for low, _ in bounds]).reshape(-1, 3),
        high=np.array([high for _, high in bounds]).reshape(-1, 3),
        least=np.array(least, int),
        cost=np.array([row.cost for row in rows], float),
        fixed=fixed,
        fixed_to=fixed_to,
        quantities=_matrix([terms for terms, _, _ in chosen], len(truth)),
        need_low=np.array([low for _, low, _ in chosen]),
        need_high=np.array([high for _, _, high in chosen]),
        truth=np.nan_to_num(truth),
        measure=np.repeat(np.arange(len(counts)), number),
        small=small,
    )


def _before(fixed: csr_array, fixed_to: Floats, mine: slice) -> tuple[Floats, Floats]:
    """Return the least and the most that a measure's parts can be before anything is published.

    No whole joins two parts, so the extreme of the sum of all is the extreme of each.
    """
    found = []
    for sign in (1.0, -1.0):
        aim = np.zeros(fixed.shape[1])
        aim[mine] = sign
        most = (0, fixed_to.sum() + ANY)
        answer = linprog(aim, A_eq=fixed, b_eq=fixed_to, bounds=most, method="highs")
        found.append(np.round(answer.x[mine], 6))
    return found[0], found[1]


def _told_small(
    rows: Sequence[Row], name: str, part: NDArray[np.int64], values: Floats, small: range
) -> list[frozenset[int]]:
    """Return the published groups, as parts, of which a word says that their count is small."""
    found = [np.unique(part[list(row.schools)]) for row in rows if row.name == name]
    return [frozenset(at.tolist()) for at in found if values[at].sum() in small]


def _sum(part: NDArray[np.int64], values: Floats, number: int) -> Floats:
    return np.bincount(part, weights=values, minlength=number).astype(float)


def _whole_rows(
    wholes: Sequence[Whole],
    part: NDArray[np.int64],
    number: int,
    place: Mapping[str, int],
    truth: Floats,
) -> tuple[csr_array, Floats]:
    """Return the rows that hold always, and what they come to.

    Where a count is not known nothing is published of it, so no row is made of it.
    """
    entries: list[list[tuple[int, float]]] = []
    sums: list[float] = []
    for whole in wholes:
        inner = [*whole.parts, *([whole.rest] if whole.rest else [])]
        known = None if whole.known is None else _sum(part, whole.known, number)
        for p in range(number):
            terms = [(place[name] + p, 1.0) for name in inner]
            if known is None:
                terms.append((place[whole.total] + p, -1.0))
            if any(np.isnan(truth[at]) for at, _ in terms):
                continue
            entries.append(terms)
            sums.append(0.0 if known is None else float(known[p]))
    return _matrix(entries, len(truth)), np.array(sums, float)


def _count_bounds(value: float, small: range) -> tuple[list[float], list[float]]:
    """Return the bounds of a count shown, behind words, behind a word that tells nothing."""
    if value in small:
        return [value, small[0], -NO_LIMIT], [value, small[-1], NO_LIMIT]
    # Where zeros may be shown, a zero that has to be hidden gets the word that tells nothing.
    above = float(small[-1] + 1) if value else -NO_LIMIT
    return [value, above, -NO_LIMIT], [value, NO_LIMIT, NO_LIMIT]


def _amount_bounds(
    amount: Amount, counts: Mapping[str, Floats], row: Row
) -> tuple[list[float], list[float]]:
    at = list(row.schools)
    fixed = float(amount.fixed[at].sum())
    moving = sum(rate * float(np.nansum(counts[m][at])) for m, rate in amount.rates.items())
    middle = rounded(fixed + moving, amount.step) - fixed
    half = amount.step / 2
    return [middle - half, -NO_LIMIT, -NO_LIMIT], [middle + half, NO_LIMIT, NO_LIMIT]


def rounded(value: float, step: float) -> float:
    """Return a value to the nearest multiple of a step, as it is published."""
    return round(value / step) * step


def _matrix(entries: Sequence[Sequence[tuple[int, float]]], width: int) -> csr_array:
    rows = [k for k, terms in enumerate(entries) for _ in terms]
    columns = [at for terms in entries for at, _ in terms]
    values = [value for terms in entries for _, value in terms]
    return csr_array((values, (rows, columns)), shape=(len(entries), width), dtype=float)
