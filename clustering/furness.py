"""Furness balancing: scales a first guess of flows until it meets the totals of both sides."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Balanced:
    """Flows whose totals are met.

    `flows` (r, c); `out` (r,) leaves every row for outside; `into` (c,) comes from outside to every
    column; all in the unit of the totals. `iterations` until `residual`, the largest amount by
    which any total is missed.
    """

    flows: Floats
    out: Floats
    into: Floats
    iterations: int
    residual: float


def balance(
    flows: Floats,
    out: Floats,
    into: Floats,
    rows: Floats,
    columns: Floats,
    *,
    tolerance: float = 0.005,
    most_iterations: int = 5000,
) -> Balanced:
    """Return the flows nearest to a first guess that meet `rows` (r,) and `columns` (c,).

    Each row loses `out` to and each column gains `into` from an outside whose own total is free,
    so that the two sides need not sum to the same and a solution always exists where `out` and
    `into` are positive. Nearest means least relative entropy; rows and columns are scaled in turn
    (Furness 1965; Wilson 1970; Deming & Stephan 1940). All values are ≥ 0 and none is NaN.
    """
    row_scale, column_scale = np.ones(len(rows)), np.ones(len(columns))
    iterations, residual = 0, np.inf
    while residual > tolerance and iterations < most_iterations:
        iterations += 1
        reach = row_scale @ flows + into
        column_scale = np.divide(columns, reach, out=np.zeros_like(reach), where=reach > 0)
        reach = flows @ column_scale + out
        row_scale = np.divide(rows, reach, out=np.zeros_like(reach), where=reach > 0)
        met = column_scale * (row_scale @ flows + into)
        residual = float(np.abs(met - columns).max(initial=0.0))
    return Balanced(
        flows=row_scale[:, None] * flows * column_scale[None, :],
        out=row_scale * out,
        into=column_scale * into,
        iterations=iterations,
        residual=residual,
    )
