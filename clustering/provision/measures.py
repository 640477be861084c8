"""How well children reach provisions, and how unequally: plain numbers from plain arrays.

Everywhere `weights` are children (0 or more, may be fractional) and a value is what one of them
has: minutes to a provision, or places per child. `inf` minutes mean that no provision is open to
the child. NaN means unknown: such values are left out together with their weight, never read as
0. A measure that has nobody to measure, or that is not defined, is NaN.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Bands = tuple[tuple[float, float], ...]
"""Pairs of outer limit in minutes and weight, nearest first."""

PRIMARY_BANDS: Bands = ((15.0, 1.00), (30.0, 0.68), (45.0, 0.22))
"""Three zones to 45 minutes. The weights are those of Luo & Qi (2009) for their three zones, which
are of 10 minutes each. Stretching them to 15 minutes, so that they end at the 45 minutes of the
school travel guidance for primary age, is ours."""
SECONDARY_BANDS: Bands = ((25.0, 1.00), (50.0, 0.68), (75.0, 0.22))
"""As `PRIMARY_BANDS`, stretched (by us) to the 75 minutes of the guidance for secondary age."""
SLACK = 1e-12
"""Share of all children by which a running sum may miss a quantile through rounding."""


class Theil(NamedTuple):
    """Theil's T and its two parts; `total` = `between` + `within`, all 0 or more."""

    total: float
    between: float
    within: float


def weighted_quantile(values: ArrayLike, weights: ArrayLike, q: float) -> float:
    """Return the least value that at least a share `q` of the children do not exceed.

    The inverse of the weighted distribution function (definition 1 of Hyndman & Fan 1996), so the
    answer is always one of the values, and a weight of 3 is the same as three children. `q` is
    0..1; 0 gives the least value. `inf` sorts last and can be the answer; NaN with no children.
    """
    value, weight = _known(values, weights)
    if not len(value):
        return np.nan
    order = np.argsort(value, kind="stable")
    running = np.cumsum(weight[order])
    wanted = (q - SLACK) * running[-1]
    return float(value[order][min(np.searchsorted(running, wanted), len(value) - 1)])


def share_within(minutes: ArrayLike, weights: ArrayLike, limit: ArrayLike) -> float:
    """Return the share (0..1) of children with at most `limit` minutes; NaN with no children.

    `limit` is one number or one per value. Children with `inf` minutes count as beyond it.
    """
    minute, bound = np.broadcast_arrays(np.asarray(minutes, float), np.asarray(limit, float))
    value, weight = _known(np.where(np.isnan(minute), np.nan, minute <= bound), weights)
    return float(value @ weight / weight.sum()) if len(value) else np.nan


def gini(values: ArrayLike, weights: ArrayLike) -> float:
    """Return the Gini index over children: 0 all alike, towards 1 all with one child.

    Half the mean absolute difference between two children over the mean (Gini 1912), computed
    from the Lorenz curve. Values are 0 or more; NaN if the mean is 0 or not finite.
    """
    value, weight = _known(values, weights)
    if not _has_mean(value, weight):
        return np.nan
    order = np.argsort(value, kind="stable")
    value, weight = value[order], weight[order]
    held = np.cumsum(value * weight)
    before = np.concatenate(([0.0], held[:-1]))
    area = float((weight * (before + held)).sum() / (weight.sum() * held[-1]))
    return max(1.0 - area, 0.0)


def theil(values: ArrayLike, weights: ArrayLike, groups: ArrayLike) -> Theil:
    """Return Theil's T over children, split into between and within `groups` (such as districts).

    T = Σ w/W · x/μ · ln(x/μ) with 0 ln 0 = 0 (Theil 1967); `between` is T with everybody at the
    mean of the group, `within` the sum of the groups' own T weighted by their share of all that is
    held (Bourguignon 1979). Values are 0 or more; NaN if the mean is 0 or not finite.
    """
    value, weight, group = _known(values, weights, groups)
    if not _has_mean(value, weight):
        return Theil(np.nan, np.nan, np.nan)
    _, of = np.unique(group, return_inverse=True)
    children = np.bincount(of, weight)
    mean = np.bincount(of, weight * value) / children
    overall = float(value @ weight / weight.sum())
    # A group that holds nothing has everybody alike; its own T is 0 and so is its share.
    own = np.bincount(of, weight * _t(value, np.where(mean > 0, mean, 1.0)[of])) / children
    share = children * mean / (weight.sum() * overall)
    between = float(children @ _t(mean, overall) / children.sum())
    total = float(weight @ _t(value, overall) / weight.sum())
    return Theil(*(max(part, 0.0) for part in (total, between, float(share @ own))))


def p90_p10(values: ArrayLike, weights: ArrayLike) -> float:
    """Return the value that 90 % of children do not exceed over the one that 10 % do not exceed.

    NaN where there is no such ratio: the lower is 0, or the upper is `inf` (one child in ten has
    no provision at all; the share within the limit says that better).
    """
    low, high = (weighted_quantile(values, weights, q) for q in (0.1, 0.9))
    return high / low if low > 0 and np.isfinite(high) else np.nan


def concentration_index(values: ArrayLike, weights: ArrayLike, rank: ArrayLike) -> float:
    """Return the concentration index of `values` over children ranked by deprivation, −1..1.

    C = 2 cov(x, R) / μ with R the weighted fractional rank of a child, tied children at the middle
    of their ties (Kakwani, Wagstaff & van Doorslaer 1997; Wagstaff & van Doorslaer 2000). `rank`
    only orders the children and rises from the most to the least deprived, as ranks of IDACI do;
    give minus the score where a high score is deprived. Above 0: the least deprived have more of
    it (of places: against the poor; of minutes: in their favour). NaN if the mean is 0 or not
    finite; a child without a rank (NaN) is left out.
    """
    value, weight, order = _known(values, weights, rank)
    known = ~np.isnan(order)
    value, weight, order = value[known], weight[known], order[known]
    if not _has_mean(value, weight):
        return np.nan
    _, of = np.unique(order, return_inverse=True)
    tied = np.bincount(of, weight)
    fraction = ((np.cumsum(tied) - tied / 2) / weight.sum())[of]
    share = weight / weight.sum()
    mean = float(share @ value)
    # The weighted mean of the fractional rank is exactly one half.
    return float(2.0 * (share @ ((value - mean) * (fraction - 0.5))) / mean)


def two_step(minutes: ArrayLike, children: ArrayLike, places: ArrayLike, bands: Bands) -> Floats:
    """Return places per child that each point reaches, [D], by floating catchment areas.

    First, of each provision p, R_p = places_p / Σ_d children_d W(t_dp): places per child that may
    come to it. Then, of each point d, A_d = Σ_p R_p W(t_dp). W is the weight of the first band
    whose limit is at least t, else 0. One band is 2SFCA (Luo & Wang 2003), several E2SFCA (Luo &
    Qi 2009). If every place is within reach of a child, Σ children · A = Σ places.

    `minutes` [D, P] lead from the point to the provision and are used that way in both steps,
    whatever the way back takes; `inf` or NaN is out of reach. A provision that no child can reach
    adds nothing to anybody.
    """
    minute = np.asarray(minutes, float)
    child, place = np.asarray(children, float), np.asarray(places, float)
    weight = np.zeros(minute.shape)
    for limit, worth in sorted(bands, reverse=True):
        weight[minute <= limit] = worth
    coming = child @ weight
    ratio = np.divide(place, coming, out=np.zeros(len(place)), where=coming > 0)
    return np.asarray(weight @ ratio)


def _known(values: ArrayLike, weights: ArrayLike, *more: ArrayLike) -> tuple[NDArray, ...]:
    """Return the entries that have a value and children, of every array."""
    value, weight = np.asarray(values, float), np.asarray(weights, float)
    keep = ~np.isnan(value) & (weight > 0)
    return value[keep], weight[keep], *(np.asarray(one)[keep] for one in more)


def _has_mean(value: Floats, weight: Floats) -> bool:
    return bool(len(value) and np.isfinite(value).all() and value @ weight > 0)


def _t(value: Floats, mean: float | Floats) -> Floats:
    """Return x/μ · ln(x/μ), 0 where x is 0."""
    ratio = value / mean
    return ratio * np.log(np.where(ratio > 0, ratio, 1.0))
