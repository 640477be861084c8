"""Which candidates can be in a good set at all: a bound on every set, and on those with each one.

The rule that a child goes to one site only is priced (Lagrangian relaxation of the p-median:
Cornuéjols, Fisher & Nemhauser 1977; Beasley 1993). With a price u(d) <= stay(d) for a unit of
children of point d, what candidate c could be worth on its own is

    ρ(c) = Σ_d min(0, near(d, c) − u(d)) · children(d)       as far as its places go

and no set of at most k sites loses less than Σ children · u + (the k least ρ). A set that holds c
loses at least the same with ρ(c) in the place of the k-th. Prices are whole numbers, so the sums
are exact. Budget and floors are left out, which only lowers the bound.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clustering.provision.site_choice import NEVER, Floats, Ints, Whole
from clustering.provision.site_model import Loss

ROUNDS = 400
"""Steps of the search for prices where places do not limit."""
ROUNDS_WITH_PLACES = 150
PATIENCE = 12
"""Steps without a better bound after which steps become half as long."""
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


def bound(whole: Whole, loss: Loss) -> Bound:
    """Return the best bound that a fixed number of steps finds; the same for the same numbers."""
    allowed = np.array(whole.allowed, np.int64)
    rows = whole.weight > 0
    near = loss.near[np.ix_(rows, allowed)]
    fine = FINE if loss.stay.max(initial=0) <= 1 else 1
    search = _Prices(
        near=np.where(near < NEVER, near * fine, NEVER).astype(float),
        stay=loss.stay[rows].astype(float) * fine,
        weight=whole.weight[rows].astype(float),
        room=None if whole.room is None else whole.room[allowed].astype(float),
        forced=np.isin(allowed, whole.forced),
        free=_most_sites(whole) - len(whole.forced),
    )
    lowest, each = search.run()
    with_site = np.full(len(loss.near[0]) if len(loss.near) else len(allowed), RULED_OUT)
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
    near: Floats
    stay: Floats
    weight: Floats
    room: Floats | None
    forced: np.ndarray
    free: int

    def run(self) -> tuple[float, Floats]:
        """Return the bound on any set, and on those with each candidate."""
        price, target = self._greedy()
        lowest, each = -np.inf, np.full(self.near.shape[1], -np.inf)
        stride, since = 1.0, 0
        for _ in range(ROUNDS if self.room is None else ROUNDS_WITH_PLACES):
            worth, used = self._worth(price)
            value, with_each, taken = self._least(price, worth)
            each = np.maximum(each, with_each)
            since = 0 if value > lowest else since + 1
            lowest = max(lowest, value)
            if since >= PATIENCE:
                stride, since = stride / 2, 0
            slack = 1.0 - used[:, taken].sum(axis=1)
            # A point at its highest price may stay where it is: nothing pulls the price up.
            slack[(slack > 0) & (price >= self.stay)] = 0.0
            length = float(self.weight @ slack**2)
            if not length or stride < 1e-3:
                break
            gap = max(target - value, 0.002 * abs(target), 1.0)
            step = stride * gap / length * slack
            price = np.minimum(np.maximum(np.rint(price + step), 0.0), self.stay)
        return lowest, np.maximum(each, lowest)

    def _greedy(self) -> tuple[Floats, float]:
        """Return what each point loses with sites added one by one, and the sum."""
        now = self.stay.copy()
        for column in np.flatnonzero(self.forced):
            now = np.minimum(now, self.near[:, column])
        for _ in range(self.free if self.near.shape[1] else 0):
            saved = self.weight @ np.maximum(now[:, None] - self.near, 0.0)
            if saved.max() <= 0:
                break
            now = np.minimum(now, self.near[:, int(saved.argmax())])
        return now, float(self.weight @ now)

    def _worth(self, price: Floats) -> tuple[Floats, Floats]:
        """Return ρ [C], and the share of each point that each candidate would take [D, C]."""
        reduced = np.minimum(self.near - price[:, None], 0.0)
        if self.room is None:
            return self.weight @ reduced, (reduced < 0).astype(float)
        order = np.argsort(reduced, axis=0, kind="stable")
        asked = np.where(reduced < 0, self.weight[:, None], 0.0)
        asked = np.take_along_axis(asked, order, axis=0)
        given = np.minimum(asked, np.maximum(self.room - (np.cumsum(asked, axis=0) - asked), 0.0))
        units = np.empty_like(given)
        np.put_along_axis(units, order, given, axis=0)
        return (units * reduced).sum(axis=0), units / self.weight[:, None]

    def _least(self, price: Floats, worth: Floats) -> tuple[float, Floats, np.ndarray]:
        """Return the bound with these prices, that with each candidate, and the sites behind it."""
        loose = np.where(self.forced, np.inf, worth)
        order = np.argsort(loose, kind="stable")[: max(self.free, 0)]
        order = order[loose[order] < 0]
        base = float(self.weight @ price + worth[self.forced].sum())
        value = base + float(loose[order].sum())
        last = loose[order[-1]] if len(order) == self.free and len(order) else 0.0
        with_each = value + np.maximum(worth - last, 0.0)
        if self.free <= 0:
            with_each = np.full(len(worth), value)
        with_each[self.forced] = value
        with_each[order] = value
        return value, with_each, np.append(order, np.flatnonzero(self.forced))
