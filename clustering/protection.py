"""The arithmetic of protection and rounding, in closed form: every step fits a spreadsheet cell.

For cluster c with formula f, baseline b, floor l = (1 − loss) · b and, with a cap, t = min(f, (1 +
cap) · b), else t = f:

    kept = max(l, min(t, b))        gain = max(0, t − b)
    protected = l + h · (kept − l) + g · gain

g = 1 and h = 1 when Σ kept + Σ gain is within the money. Else gains pay first: g is the part of
them that can be paid. Where even g = 0 is too much, all that stands above the floors is scaled by
h. What caps free beyond that is held back.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

CLOSE = 1e-6
"""Pounds below which two sums are the same."""
TINY = 1e-9
"""Part of a rounding step that a floating-point sum may be short of a whole step."""


@dataclass(frozen=True, eq=False)
class Protection:
    """What protection makes of the formula, in pounds, cluster by cluster.

    `gains_paid` is g, `above_floor_paid` is h, `surplus` what caps freed. Where the floors cost
    more than there is, `short` is by how much, and `protected` is NaN.
    """

    floor: np.ndarray
    kept: np.ndarray
    gain: np.ndarray
    protected: np.ndarray
    gains_paid: float
    above_floor_paid: float
    surplus: float
    short: float


def protect(
    formula: np.ndarray, baseline: np.ndarray, loss: float, cap: float | None = None
) -> Protection:
    """Return the formula with no loss beyond `loss` of the baseline, paid for from gains."""
    money = float(formula.sum())
    floor = (1 - loss) * baseline
    target = formula if cap is None else np.minimum(formula, (1 + cap) * baseline)
    kept = np.maximum(floor, np.minimum(target, baseline))
    gain = np.maximum(0.0, target - baseline)
    short = float(floor.sum()) - money
    if short > CLOSE:
        none = np.full(len(formula), np.nan)
        return Protection(floor, kept, gain, none, np.nan, np.nan, 0.0, short)
    over = float(kept.sum()) - money
    room = float((kept - floor).sum())
    h = 1 - over / room if over > 0 and room > 0 else 1.0
    g = 1.0 if gain.sum() <= 0 else min(1.0, max(0.0, -over / float(gain.sum())))
    protected = floor + h * (kept - floor) + g * gain
    surplus = max(0.0, money - float(protected.sum()))
    return Protection(floor, kept, gain, protected, g, h, surplus, 0.0)


def apportion(amounts: np.ndarray, total: int, step: int) -> np.ndarray:
    """Return amounts rounded to whole steps that sum to `total`, by the largest remainder.

    `total` is a multiple of `step`, and the amounts sum to it. Of equal remainders, to a millionth
    of a pound, the first in order goes up.
    """
    steps = np.floor(amounts / step + TINY).astype(np.int64)
    remainder = np.round(amounts - steps * step, 6)
    more = total // step - int(steps.sum())
    order = np.argsort(-remainder, kind="stable")
    steps[order[:more]] += 1
    rounded: np.ndarray = steps * step
    return rounded
