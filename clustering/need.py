"""Need units of each school: a weighted sum of published figures that can be checked by hand.

For school s and factor f with weight w_f and measure x[s, f] (see `clustering.need_factors`):

    share[s] = Σ_f w_f · x[s, f] / Σ_s x[s, f]        need[s] = share[s] · Σ_s pupils[s]

so that an average pupil counts 1.0 and moving a school moves exactly its own need. The factors and
default weights follow the proxies of the national funding formula for high needs (population,
deprivation, low attainment); recorded SEN has little weight because it records past decisions and
invites identification.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from clustering.need_factors import LABELS, Measures, Settings, measure
from clustering.nff import UnitValues
from clustering.plan import Plan
from geo.errors import did_you_mean

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


@dataclass(frozen=True, eq=False)
class Need:
    """Need units by URN, how they come about, and what was assumed.

    `units` is NaN for a school whose roll is not known. `factors` has a column of need units for
    each factor and sums to `units`. `imputed` lists `urn, column` of figures that were not
    published and were estimated at the rate of the school's kind. `measures` holds the figures
    themselves, also of factors without a weight, so that other weights can be asked at once.
    """

    units: pd.Series
    factors: pd.DataFrame
    weights: Mapping[str, float]
    imputed: pd.DataFrame
    banner: str
    notes: tuple[str, ...]
    measures: Measures
    unknown: tuple[str, ...] = ()

    @property
    def shares(self) -> pd.Series:
        """Share of each school in the need of all; sums to 1, NaN where the roll is not known."""
        return (self.units / self.units.sum()).rename("share")

    def reweighted(self, weights: Mapping[str, float]) -> Need:
        """Return the need under other weights, on the same figures, at once."""
        return weigh(self.measures, weights, self.unknown, origin="the weights asked for")

    def by_cluster(self, plan: Plan) -> pd.DataFrame:
        """Return need units of each cluster by factor, with their sum; schools outside left out."""
        label = pd.Series(dict(plan.cluster_of), dtype=object).reindex(self.factors.index)
        table = self.factors.groupby(label).sum().reindex(list(plan.labels)).fillna(0.0)
        return table.assign(need=table.sum(axis=1)).rename_axis("cluster")


def need_units(
    schools: pd.DataFrame,
    weights: Mapping[str, float] | None = None,
    *,
    settings: Settings | None = None,
    values: UnitValues | None = None,
    years: Sequence[pd.DataFrame] = (),
    warnings: Mapping[str, str] | None = None,
) -> Need:
    """Return the need units of the schools of a county.

    `schools` is the schools table, with further columns as `measure` names them; a factor whose
    figures are absent hands its weight on, which the banner says. `weights` by factor override the
    defaults and are scaled to sum to one. `warnings` (by factor) are said in the banner where the
    factor has a weight. Raises `ValueError` for an unknown factor, for weights that are negative
    or all zero, or for a weighted factor with no data.
    """
    measures = measure(schools, settings, values=values, years=years)
    measures = replace(measures, warnings={**measures.warnings, **(warnings or {})})
    names = schools["name"].sort_index()
    lost = measures.table["pupils"].isna()
    unknown = tuple(
        f"{name} ({urn}) has no roll: it counts as a school, and its need is not known."
        for urn, name in names[lost].items()
    )
    return weigh(measures, weights, unknown)


def weigh(
    measures: Measures,
    weights: Mapping[str, float] | None,
    unknown: tuple[str, ...] = (),
    *,
    origin: str = "weights set in the study",
) -> Need:
    """Return the need that weights make of measures; `None` weighs by default.

    `origin` says for the banner whose weights they are; `unknown` are notes to pass on.
    """
    chosen, banner = _weights(measures, weights, origin)
    table = measures.table
    total = float(table["pupils"].sum())
    factors = pd.DataFrame(
        {f: weight * table[f] / table[f].sum() * total for f, weight in chosen.items()}
    )
    used = {column for factor in chosen for column in COLUMNS_OF[factor]}
    imputed = measures.imputed[measures.imputed["column"].isin(used)].reset_index(drop=True)
    notes = list(measures.notes)
    if len(imputed):
        notes.append(
            f"Figures of {imputed['urn'].nunique()} schools were not published and are estimated "
            "at the rate of schools of the same phase."
        )
    return Need(
        units=factors.sum(axis=1, skipna=False).rename("need"),
        factors=factors,
        weights=dict(chosen),
        imputed=imputed,
        banner=banner,
        notes=(*notes, *unknown),
        measures=measures,
        unknown=unknown,
    )


COLUMNS_OF: Mapping[str, tuple[str, ...]] = {
    "pupils": ("pupils",),
    "fsm6": ("fsm6", "fsm"),
    "idaci": ("idaci",),
    "low_prior_attainment": ("low_prior_attainment",),
    "recorded_sen": ("sen_support", "ehc_plans"),
    "sen_support": ("sen_support",),
    "ehc_plans": ("ehc_plans",),
}


def default_weights(present: Sequence[str]) -> dict[str, float]:
    """Return the default weights for the factors that the data hold.

    IDACI that is absent gives its weight to FSM6; low prior attainment half to FSM6 and half to
    recorded SEN; without both, the formula for public data holds.
    """
    if "idaci" not in present and "low_prior_attainment" not in present:
        return dict(PUBLIC)
    chosen = dict(FULL)
    if "idaci" not in present:
        chosen["fsm6"] += chosen.pop("idaci")
    if "low_prior_attainment" not in present:
        weight = chosen.pop("low_prior_attainment")
        chosen["fsm6"] += weight / 2
        chosen["recorded_sen"] += weight / 2
    return chosen


def check_weights(weights: Mapping[str, float], present: Sequence[str]) -> dict[str, float]:
    """Return weights scaled to sum to one, without those of 0; `ValueError` where they cannot be.

    `present` are the factors that the data hold.
    """
    unknown = sorted(set(weights) - set(LABELS))
    if unknown:
        hint = did_you_mean(unknown[0], LABELS)
        raise ValueError(
            f"the need formula knows no factor {', '.join(unknown)}; "
            f"it knows {', '.join(LABELS)}{f' ({hint})' if hint else ''}"
        )
    if min(weights.values(), default=0) < 0 or not 0 < sum(weights.values()) < float("inf"):
        raise ValueError("the weights of the need formula must be positive and not all zero")
    absent = sorted(f for f, w in weights.items() if w > 0 and f not in present)
    if absent:
        raise ValueError(
            f"the need formula weighs {', '.join(absent)}, but the data hold no such figures "
            "above 0"
        )
    scale = sum(weights.values())
    return {factor: weight / scale for factor, weight in weights.items() if weight > 0}


def _weights(
    measures: Measures, weights: Mapping[str, float] | None, origin: str
) -> tuple[dict[str, float], str]:
    """Return the weights in force, scaled to one, and the sentences that say which they are."""
    present = [f for f in measures.factors if measures.table[f].sum() > 0]
    if weights is None:
        chosen = default_weights(present)
        origin = (
            "the default formula"
            if set(chosen) == set(FULL)
            else "the formula for public data"
            if chosen == PUBLIC
            else "the default formula with fallbacks"
        )
    else:
        chosen = dict(weights)
    scaled = check_weights(chosen, present)
    words = ", ".join(f"{100 * weight:.3g}% {LABELS[f]}" for f, weight in scaled.items())
    gap = ""
    if weights is None:
        nil = [f for f in FULL if f in measures.factors and f not in present]
        gap = _lacking([f for f in FULL if f not in measures.factors], "not in the data")
        gap += _lacking(nil, "0 at every school")
    said = dict.fromkeys(w for f, w in measures.warnings.items() if f in scaled)
    warned = f" Note: {'; '.join(said)}." if said else ""
    return scaled, f"Need by {origin}: {words}{gap}.{warned}"


def _lacking(factors: Sequence[str], what: str) -> str:
    verb = "are" if len(factors) > 1 else "is"
    return f"; {' and '.join(LABELS[f] for f in factors)} {verb} {what}" if factors else ""
