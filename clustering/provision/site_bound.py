"""Which candidates can be in a good set at all: a bound on every set, and on those with each one.

The rule that a child goes to one site only is priced (Lagrangian relaxation of the p-median:
Cornuéjols, Fisher & Nemhauser 1977; Beasley 1993). With a price u(d) <= stay(d) for a unit of
children of point d, what candidate c could be worth on its own is

    ρ(c) = Σ_d min(0, near(d, c) − u(d)) · children(d)       as far as its places go

and no set of at most k sites loses less than Σ children · u + (the k least ρ). A set that holds c
loses at least the same with ρ(c) in the place of the k-th. Floors and the budget are priced too:
a floor by λ >= 0 for a unit of its children beyond the limit, less λ · (those it allows), and the
budget by β >= 0 for a pound, less β · budget. All are whole numbers, or whole parts of 1 /
`BINARY`, so the sums are exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from clustering.provision.site_choice import NEVER, Bools, Floats, Ints, Whole
from clustering.provision.site_model import Ceiling, Loss, beyond_limit

ROUNDS = 400
"""Steps of the search for prices where places do not limit."""
ROUNDS_WITH_PLACES = 150
PATIENCE = 20
"""Steps without a better bound after which steps become half as long."""
BINARY = 1_024
"""Parts of a unit in which the price of a pound is counted; sums of these are exact."""
KEEP = 0.85
"""Part of the last direction that the next one keeps (Camerini, Fratta & Maffioli 1975)."""
PULL = 20.0
"""Points of mean weight that a point weighs in a step if all its children must have a place."""
STEEP = 1_000
"""Longest journeys that a unit of children costs who must have a place and do not."""
FINE = 1_000
"""Parts of a loss of one in which prices are counted where losses are only 0 and 1."""


@dataclass(frozen=True, eq=False)
class Bound:
    """What no set can better."""

    any_set: int
    """Least loss of any set of sites."""
    with_site: Ints
    """[C] least loss of any set that holds the candidate; `NEVER` squared for one ruled out."""


RULED_OUT = NEVER * 2**20


def bound(whole: Whole, loss: Loss, ceilings: Sequence[Ceiling] = ()) -> Bound:
    """Return the best bound that a fixed number of steps finds; the same for the same numbers.

    Of ceilings only those that allow nobody are used.
    """
    allowed = np.array(whole.allowed, np.int64)
    rows = whole.weight > 0
    if not rows.any():
        return Bound(0, np.zeros(loss.near.shape[1], np.int64))
    here = np.ix_(rows, allowed)
    fine = FINE if loss.stay.max(initial=0) <= 1 else 1
    near, stay = np.where(loss.near[here] < NEVER, loss.near[here] * fine, NEVER), loss.stay[rows]
    stay = stay * fine
    steep = STEEP * int(near[near < NEVER].max(initial=1))
    for ceiling, most in ceilings:
        if most == 0:
            near = np.where(ceiling.near[here] > 0, NEVER, near)
            stay = np.where(ceiling.stay[rows] > 0, steep, stay)
    must = np.zeros(len(stay), bool)
    for ceiling, most in ceilings:
        must |= (most == 0) & (ceiling.stay[rows] > 0)
    beyond = beyond_limit(whole)
    search = _Prices(
        near=near.astype(float),
        stay=stay.astype(float),
        weight=whole.weight[rows].astype(float),
        room=None if whole.room is None else whole.room[allowed].astype(float),
        forced=np.isin(allowed, whole.forced),
        free=_most_sites(whole) - len(whole.forced),
        pounds=whole.pounds[allowed].astype(float),
        budget=np.inf if whole.budget is None else float(whole.budget),
        must=must,
        far=beyond.near[here].astype(float),
        far_now=beyond.stay[rows].astype(float),
        floors=np.array([f.rows[rows] for f in whole.floors] or np.zeros((0, rows.sum())), float),
        allowance=np.array([floor.allowance for floor in whole.floors], float),
    )
    lowest, each = search.run()
    with_site = np.full(loss.near.shape[1], RULED_OUT)
    with_site[allowed] = np.ceil(each / fine).astype(np.int64)
    return Bound(int(np.ceil(lowest / fine)), with_site)


def _most_sites(whole: Whole) -> int:
    """Return how many sites the budget and the number of sites allow at most."""
    if whole.budget is None:
        return whole.sites
    free = sorted(int(whole.pounds[c]) for c in whole.allowed if c not in whole.forced)
    left = whole.budget - sum(int(whole.pounds[c]) for c in whole.forced)
    fit = int((np.cumsum(free) <= left).sum())
    return min(whole.sites, len(whole.forced) + fit)


@dataclass
class _Prices:
    """The relaxed question; arrays over points with children, allowed candidates and floors."""

    near: Floats
    stay: Floats
    weight: Floats
    room: Floats | None
    forced: Bools
    free: int
    """Sites beside the forced ones."""
    pounds: Floats
    budget: float
    must: Bools
    """[D] points whose children must have a place at a site."""
    far: Floats
    far_now: Floats
    floors: Floats
    """[F, D] 1 where the point counts for the floor."""
    allowance: Floats

    def run(self) -> tuple[float, Floats]:
        """Return the bound on any set, and on those with each candidate."""
        price, target = self._greedy()
        floor, pound = np.zeros(len(self.floors)), 0.0
        counted = np.maximum(self.floors @ self.weight, 1.0)
        easy = self.weight.sum() / max(self.budget, 1.0) ** 2
        pace = np.where(self.must, PULL * self.weight.mean() / self.weight, 1.0)
        lowest, each = -np.inf, np.full(self.near.shape[1], -np.inf)
        stride, since = 1.0, 0
        way: tuple = (0.0, 0.0, 0.0)
        for _ in range(ROUNDS if self.room is None else ROUNDS_WITH_PLACES):
            dear = floor @ self.floors
            near = self.near + dear[:, None] * self.far if dear.any() else self.near
            stay = self.stay + dear * self.far_now
            price = np.minimum(price, stay)
            worth, used = self._worth(near, price)
            worth = worth + np.floor(pound * self.pounds)
            fixed = float(self.weight @ price - floor @ self.allowance)
            fixed -= np.ceil(pound * self.budget) if pound else 0.0
            value, with_each, taken = self._least(fixed, worth)
            each = np.maximum(each, with_each)
            since = 0 if value > lowest else since + 1
            lowest = max(lowest, value)
            if since >= PATIENCE:
                stride, since = stride / 2, 0
            now = self._breaches(price >= stay, used[:, taken], taken, floor, pound)
            slack, over, spent = way = tuple(
                new + KEEP * old for new, old in zip(now, way, strict=True)
            )
            length = float(
                (self.weight * pace) @ slack**2 + (over**2 / counted).sum() + easy * spent**2
            )
            if not length or stride < 1e-3:
                break
            step = stride * max(target - value, 0.002 * abs(target), 1.0) / length
            price = np.maximum(np.rint(price + step * pace * slack), 0.0)
            floor = np.maximum(np.rint(floor + step * over / counted), 0.0)
            pound = max(np.rint((pound + step * easy * spent) * BINARY) / BINARY, 0.0)
        return lowest, np.maximum(each, lowest)

    def _breaches(
        self, dearest: Bools, used: Floats | Bools, taken: Ints, floor: Floats, pound: float
    ) -> tuple[Floats, Floats, float]:
        """Return by how much points are not sent just once, floors are missed, and money is.

        `used` [D, taken] is the share of each point that each site takes, `dearest` says whether a
        point's price is at its highest: then it may stay where it is, and nothing pulls it up. What
        is kept with room to spare and has no price counts as 0.
        """
        slack = 1.0 - used.sum(axis=1)
        stays = np.where(dearest, np.maximum(slack, 0.0), 0.0)
        late = (used * self.far[:, taken]).sum(axis=1) + stays * self.far_now
        over = self.floors @ (self.weight * late) - self.allowance
        spent = float(self.pounds[taken].sum()) - self.budget
        over[(over < 0) & (floor <= 0)] = 0.0
        return slack - stays, over, 0.0 if spent < 0 and pound <= 0 else spent

    def _greedy(self) -> tuple[Floats, float]:
        """Return prices to begin with, and about what the best set loses.

        What each point loses with sites added one by one; where places limit, that is far too
        little, and what it loses without a site is the better start.
        """
        now = self.stay.copy()
        if self.room is not None:
            now = np.minimum(now, self._dearest())
            worth, _ = self._worth(self.near, now)
            return now, 1.02 * self._least(float(self.weight @ now), worth)[0]
        for column in np.flatnonzero(self.forced):
            now = np.minimum(now, self.near[:, column])
        for _ in range(self.free if self.near.shape[1] else 0):
            saved = self.weight @ np.maximum(now[:, None] - self.near, 0.0)
            if saved.max() <= 0:
                break
            now = np.minimum(now, self.near[:, int(saved.argmax())])
        now = np.minimum(now, self._dearest())
        return now, float(self.weight @ now)

    def _dearest(self) -> float:
        """Return a price to begin with for those who must have a place."""
        return 2.0 * float(self.near[self.near < NEVER].max(initial=0.0)) + FINE

    def _worth(self, near: Floats, price: Floats) -> tuple[Floats, Floats | Bools]:
        """Return ρ [C], and the share of each point that each candidate would take [D, C]."""
        reduced = np.minimum(near - price[:, None], 0.0)
        if self.room is None:
            return self.weight @ reduced, reduced < 0
        order = np.argsort(reduced, axis=0, kind="stable")
        asked = np.where(reduced < 0, self.weight[:, None], 0.0)
        asked = np.take_along_axis(asked, order, axis=0)
        given = np.minimum(asked, np.maximum(self.room - (np.cumsum(asked, axis=0) - asked), 0.0))
        units = np.empty_like(given)
        np.put_along_axis(units, order, given, axis=0)
        return (units * reduced).sum(axis=0), units / self.weight[:, None]

    def _least(self, fixed: float, worth: Floats) -> tuple[float, Floats, Ints]:
        """Return the bound with these prices, that with each candidate, and the sites behind it."""
        loose = np.where(self.forced, np.inf, worth)
        order = np.argsort(loose, kind="stable")[: max(self.free, 0)]
        order = order[loose[order] < 0]
        value = fixed + float(worth[self.forced].sum() + loose[order].sum())
        last = loose[order[-1]] if len(order) == self.free and len(order) else 0.0
        with_each = value + (np.maximum(worth - last, 0.0) if self.free > 0 else 0.0 * worth)
        with_each[self.forced] = value
        with_each[order] = value
        return value, with_each, np.append(order, np.flatnonzero(self.forced))
