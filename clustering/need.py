"""Need units of each school: a weighted sum of published figures that can be checked by hand.

For school s and factor f with weight w_f and measure x[s, f]:

    share[s] = Σ_f w_f · x[s, f] / Σ_s x[s, f]        need[s] = share[s] · Σ_s pupils[s]

so that an average pupil counts 1.0 and moving a school moves exactly its own need. The factors and
default weights follow the proxies of the national funding formula for high needs (population,
deprivation, low attainment); recorded SEN has little weight because it records past decisions and
invites identification.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

FULL: Mapping[str, float] = {
    "pupils": 0.50,
    "fsm6": 0.10,
    "idaci": 0.10,
    "low_prior_attainment": 0.20,
    "recorded_sen": 0.10,
}
"""Weights where every factor is known."""

PUBLIC: Mapping[str, float] = {"pupils": 0.50, "fsm6": 0.25, "recorded_sen": 0.25}
"""Weights where only the public census is known."""

FACTOR_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "pupils": ("pupils",),
    "fsm6": ("fsm6",),
    "idaci": ("idaci",),
    "low_prior_attainment": ("low_prior_attainment",),
    "recorded_sen": ("sen_support", "ehc_plans"),
}
EHC_PLAN_WEIGHT = 2.0
"""A pupil with an EHC plan counts as two pupils with SEN support in recorded SEN."""
WINSOR = (0.05, 0.95)
"""Rates of recorded SEN beyond these shares of all schools of a phase are drawn in to them."""


@dataclass(frozen=True, eq=False)
class Need:
    """Need units by URN, how they come about, and what was assumed.

    `units` is NaN for a school whose roll is not known. `factors` has a column of need units for
    each factor and sums to `units`. `imputed` lists `urn, column` of figures that were not
    published and were estimated at the rate of the school's kind.
    """

    units: pd.Series
    factors: pd.DataFrame
    weights: Mapping[str, float]
    imputed: pd.DataFrame
    banner: str
    notes: tuple[str, ...]


def need_units(schools: pd.DataFrame, weights: Mapping[str, float] | None = None) -> Need:
    """Return the need units of the schools of a county.

    `schools` is the schools table; a factor's column that is absent or empty moves the formula to
    the public weights, which the banner says. `weights` by factor override the defaults and are
    scaled to sum to one. A missing figure is estimated from schools of the same phase and
    selection at their rate per pupil; it is never taken as 0. Raises `ValueError` for an unknown
    factor, for weights that are negative or all zero, or for a weighted factor with no data.
    """
    table = schools.sort_index()
    chosen, banner = _weights(table, weights)
    pupils = table["pupils"].astype(float)
    known = pupils.notna() & (pupils > 0)
    notes: list[str] = []
    imputed: list[tuple[str, str]] = []
    measures = {}
    for factor in chosen:
        filled = {
            column: _filled(table, column, known, imputed) for column in FACTOR_COLUMNS[factor]
        }
        measures[factor] = _measure(factor, filled, table, known)
    if "srp_places" in table and table["srp_places"].notna().any():
        places = table["srp_places"].sum()
        notes.append(
            f"{places:,.0f} SRP places are netted off pupils and EHC plans: they are funded apart."
        )
    total = float(measures.get("pupils", pupils[known]).sum())
    factors = pd.DataFrame(
        {
            factor: weight * measures[factor] / measures[factor].sum() * total
            for factor, weight in chosen.items()
        }
    ).reindex(table.index)
    if imputed:
        schools_imputed = len({urn for urn, _ in imputed})
        notes.append(
            f"Figures of {schools_imputed} schools were not published and are estimated at the "
            "rate of schools of the same phase."
        )
    notes += [
        f"{name} ({urn}) has no roll: it counts as a school, and its need is not known."
        for urn, name in table.loc[~known, "name"].items()
    ]
    return Need(
        units=factors.sum(axis=1, skipna=False).rename("need"),
        factors=factors,
        weights=dict(chosen),
        imputed=pd.DataFrame(sorted(imputed), columns=["urn", "column"]),
        banner=banner,
        notes=tuple(notes),
    )


def _weights(
    table: pd.DataFrame, weights: Mapping[str, float] | None
) -> tuple[dict[str, float], str]:
    """Return the weights in force, scaled to one, and the sentence that says which they are."""
    present = {
        factor
        for factor, columns in FACTOR_COLUMNS.items()
        if all(c in table and table[c].notna().any() for c in columns)
    }
    if weights is None:
        chosen = FULL if set(FULL) <= present else PUBLIC
        origin = "the default formula" if chosen is FULL else "the formula for public data"
    else:
        chosen, origin = weights, "weights set in the study"
    unknown = sorted(set(chosen) - set(FACTOR_COLUMNS))
    if unknown:
        raise ValueError(
            f"the need formula knows no factor {', '.join(unknown)}; "
            f"it knows {', '.join(FACTOR_COLUMNS)}"
        )
    if min(chosen.values(), default=0) < 0 or sum(chosen.values()) <= 0:
        raise ValueError("the weights of the need formula must be positive and not all zero")
    absent = sorted(f for f, w in chosen.items() if w > 0 and f not in present)
    if absent:
        raise ValueError(
            f"the need formula weighs {', '.join(absent)}, but the data hold no such figures"
        )
    scale = sum(chosen.values())
    scaled = {factor: weight / scale for factor, weight in chosen.items() if weight > 0}
    words = ", ".join(f"{weight:.0%} {LABELS[factor]}" for factor, weight in scaled.items())
    missing = [LABELS[f] for f in FULL if f not in present]
    gap = f"; {' and '.join(missing)} are not in the data" if missing and weights is None else ""
    return scaled, f"Need by {origin}: {words}{gap}."


LABELS: Mapping[str, str] = {
    "pupils": "pupils",
    "fsm6": "FSM6",
    "idaci": "IDACI",
    "low_prior_attainment": "low prior attainment",
    "recorded_sen": "recorded SEN",
}


def _filled(
    table: pd.DataFrame, column: str, known: pd.Series, imputed: list[tuple[str, str]]
) -> pd.Series:
    """Return a column with missing figures estimated at the rate per pupil of the same kind."""
    values = table[column].astype(float).where(known)
    gaps = known & values.isna()
    if not gaps.any():
        return values
    pupils = table["pupils"].astype(float)
    kind = table["phase"].astype(str) + np.where(table["selective"].fillna(False), " selective", "")
    has = known & values.notna()
    overall = values[has].sum() / pupils[has].sum() if pupils[has].sum() else np.nan
    rate = values[has].groupby(kind[has]).sum() / pupils[has].groupby(kind[has]).sum()
    estimate = pupils * kind.map(rate).astype(float).fillna(overall)
    imputed += [(str(urn), column) for urn in table.index[gaps]]
    return values.where(~gaps, estimate)


def _measure(
    factor: str, filled: Mapping[str, pd.Series], table: pd.DataFrame, known: pd.Series
) -> pd.Series:
    """Return the measure x[s, f] of one factor; NaN where the roll is not known."""
    places = (
        table["srp_places"].astype(float).fillna(0.0)  # no entry means no SRP, hence no places
        if "srp_places" in table
        else pd.Series(0.0, index=table.index)
    )
    if factor == "pupils":
        return (filled["pupils"] - places).clip(lower=0.0)
    if factor != "recorded_sen":
        return filled[factor]
    outside = (filled["ehc_plans"] - places).clip(lower=0.0)
    recorded = filled["sen_support"] + EHC_PLAN_WEIGHT * outside
    pupils = table["pupils"].astype(float).where(known)
    rate = recorded / pupils
    phase = table["phase"].astype(str)
    low = rate.groupby(phase).transform(lambda r: r.quantile(WINSOR[0]))
    high = rate.groupby(phase).transform(lambda r: r.quantile(WINSOR[1]))
    return rate.clip(lower=low, upper=high) * pupils
