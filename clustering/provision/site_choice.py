"""The question "where next?": who needs a provision, where one could be, and what must hold.

`SiteChoice` is the question as a caller puts it, in children, minutes and pounds; `Whole` is the
same in the whole numbers of the solver.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Objective = Literal["coverage", "minutes", "worst_off", "cost"]

CHILD_UNITS = 1_000
"""Whole units of one child in the solver. Children round up and places down: a site is never
overfilled, and a total is too high by at most this small part of a child a point."""
MINUTE_UNITS = 100
"""Whole units of one minute in the solver."""
NOISE_DIGITS = 6
"""Decimals of a unit that are kept before rounding up or down."""
NEVER = 2**40
"""Units of minutes that stand for no provision at all."""


@dataclass(frozen=True, eq=False)
class SiteChoice:
    """What to choose and what must hold; D points with children, C candidates.

    A candidate is a new site or an expansion. Positions are those of the arrays. Raises ValueError
    for arrays that do not fit, numbers that are not known and options that lack what they need.
    """

    objective: Objective
    """`coverage`: most children within their limit who are not today (Church & ReVelle 1974).
    `minutes`: least child-minutes in total (p-median, Hakimi 1964). `worst_off`: least minutes of
    the child with most (p-centre, Hakimi 1964), then least child-minutes. `cost`: least pounds
    that reach `target`. In `minutes` and `worst_off` the fewest children are left without any
    provision first."""
    children: Floats
    """[D] children at each point, fractional or not; give those not served today for `places`."""
    minutes_now: Floats
    """[D] minutes to the provision they have today, which has room for them; `inf` for none."""
    minutes: Floats
    """[D, C] minutes from each point to each candidate; `inf` where it is not open to them."""
    limit: Floats
    """[D] minutes beyond which a journey is too long."""
    sites: int | None = None
    """At most this many are chosen; None for any number."""
    places: Floats | None = None
    """[C] places of each candidate, each filled at most once; None where places do not limit."""
    cost: Floats | None = None
    """[C] pounds; rounded up to whole ones."""
    budget: float | None = None
    """Most pounds in all."""
    target: float | None = None
    """Least share (0..1) of all children who must be within their limit, today's included."""
    groups: NDArray | None = None
    """[D] the district of each point."""
    fair_share: float | None = None
    """Least share (0..1) of the children of every group who must be within their limit."""
    forced_in: tuple[int, ...] = ()
    """Candidates that must be chosen; they count as sites and cost."""
    forced_out: tuple[int, ...] = ()
    """Candidates that must not be chosen."""

    def __post_init__(self) -> None:
        """Gather every fault of the arrays and options, and raise once."""
        points, candidates = np.shape(self.minutes)
        faults = []
        for name, wanted in (
            ("children", points),
            ("minutes_now", points),
            ("limit", points),
            ("places", candidates),
            ("cost", candidates),
            ("groups", points),
        ):
            array = getattr(self, name)
            if array is None:
                continue
            if np.shape(array) != (wanted,):
                faults.append(f"{name} must have {wanted} entries to fit the minutes")
            elif name != "groups" and not (np.asarray(array, float) >= 0).all():
                faults.append(f"{name} must be known numbers, 0 or more")
        if not (np.asarray(self.minutes) >= 0).all():
            faults.append("minutes must be known numbers, 0 or more")
        if self.objective not in ("coverage", "minutes", "worst_off", "cost"):
            faults.append(f"there is no objective {self.objective!r}")
        if self.cost is None and (self.budget is not None or self.objective == "cost"):
            faults.append("a budget or the objective cost needs the cost of each candidate")
        if self.objective == "cost" and self.target is None:
            faults.append("the objective cost needs a target share of children")
        if self.groups is None and self.fair_share is not None:
            faults.append("a fair share needs the group of each point")
        faults += [
            f"candidate {candidate} is not one of the {candidates}"
            for candidate in sorted({*self.forced_in, *self.forced_out})
            if not 0 <= candidate < candidates
        ]
        if self.sites is not None and self.sites < 1:
            faults.append("at least one site must be allowed")
        if faults:
            raise ValueError("; ".join(faults))


@dataclass(frozen=True)
class Floor:
    """Children of some points who must be within their limit."""

    name: str
    """Of the district, or empty for all children."""
    share: float
    rows: Bools
    """[D] the points."""
    children: int
    """Units of children there."""

    @property
    def allowance(self) -> int:
        """Units of children who may be beyond the limit."""
        return math.floor(round(self.children * (1.0 - self.share), NOISE_DIGITS))


@dataclass(frozen=True, eq=False)
class Whole:
    """A `SiteChoice` in whole numbers: units of children and minutes, pounds."""

    unit: float
    """Children in one unit."""
    weight: Ints
    """[D]"""
    now: Ints
    """[D] `NEVER` for none."""
    minutes: Ints
    """[D, C] `NEVER` where not open."""
    within_now: Bools
    within: Bools
    room: Ints | None
    pounds: Ints
    budget: int | None
    sites: int
    floors: tuple[Floor, ...]
    forced: tuple[int, ...]
    allowed: tuple[int, ...]
    """Candidates that may be chosen, the forced ones among them."""
    total: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "total", int(self.weight.sum()))


def in_whole_numbers(choice: SiteChoice) -> Whole:
    """Return the question in whole numbers, in the largest unit of children that loses nothing."""
    children = _units(choice.children, up=True)
    room = None
    if choice.places is not None:
        room = np.minimum(_units(choice.places, up=False), children.sum())
    # Where places limit, what a floor leaves over may be a part of a child.
    leaves = [floor.allowance for floor in _floors(choice, children)]
    parts = children if room is None else np.concatenate((children, room, leaves)).astype(np.int64)
    unit = max(int(np.gcd.reduce(parts)), 1) if len(parts) else 1
    children, candidates = children // unit, np.shape(choice.minutes)[1]
    cost = np.zeros(candidates) if choice.cost is None else np.asarray(choice.cost, float)
    now, minutes = np.asarray(choice.minutes_now, float), np.asarray(choice.minutes, float)
    limit = np.asarray(choice.limit, float)
    forced, out = sorted(set(choice.forced_in)), set(choice.forced_out)
    return Whole(
        unit=unit / CHILD_UNITS,
        weight=children,
        now=_minutes(now),
        minutes=_minutes(minutes),
        within_now=(now <= limit) & np.isfinite(now),
        within=(minutes <= limit[:, None]) & np.isfinite(minutes),
        room=None if room is None else room // unit,
        pounds=np.ceil(np.round(cost, NOISE_DIGITS)).astype(np.int64),
        budget=None if choice.budget is None else math.floor(choice.budget),
        sites=candidates if choice.sites is None else min(choice.sites, candidates),
        floors=tuple(_floors(choice, children)),
        forced=tuple(forced),
        allowed=tuple(c for c in range(candidates) if c not in out),
    )


def _floors(choice: SiteChoice, weight: Ints) -> list[Floor]:
    floors = []
    if choice.target is not None:
        rows = np.ones(len(weight), bool)
        floors.append(Floor("", choice.target, rows, int(weight.sum())))
    if choice.fair_share is not None and choice.groups is not None:
        for group in np.unique(choice.groups):
            rows = np.asarray(choice.groups) == group
            floors.append(Floor(str(group), choice.fair_share, rows, int(weight[rows].sum())))
    return floors


def _units(amount: Floats, *, up: bool) -> Ints:
    units = np.round(np.minimum(np.asarray(amount, float), 1e9) * CHILD_UNITS, NOISE_DIGITS)
    return (np.ceil(units) if up else np.floor(units)).astype(np.int64)


def _minutes(minutes: Floats) -> Ints:
    known = np.where(np.isfinite(minutes), minutes, 0.0)
    whole = np.rint(known * MINUTE_UNITS).astype(np.int64)
    return np.where(np.isfinite(minutes), whole, NEVER)
