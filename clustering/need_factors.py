"""What the need formula measures at each school: one column a factor, every figure accounted for.

| factor | measure of a school |
|---|---|
| `pupils` | pupils of Reception to Year 11, less SRP places |
| `fsm6` | pupils with free school meals in the last six years |
| `idaci` | pupils, each at the value of the IDACI band of the home |
| `low_prior_attainment` | pupils who had not reached the expected standard |
| `recorded_sen` | SEN support + 2 × EHC plans outside SRPs: mean rate of years, drawn in |
| `sen_support` | pupils with SEN support, as counted |
| `ehc_plans` | EHC plans less SRP places, never below 0, as counted |
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from clustering.feeders import some_schools
from clustering.nff import UnitValues, unit_values

LABELS: Mapping[str, str] = {
    "pupils": "pupils",
    "fsm6": "FSM6",
    "idaci": "IDACI",
    "low_prior_attainment": "low prior attainment",
    "recorded_sen": "recorded SEN",
    "sen_support": "SEN support",
    "ehc_plans": "EHC plans",
}
"""Every factor the formula knows, and its name for people."""
EHC_PLAN_WEIGHT = 2.0
"""A pupil with an EHC plan counts as two pupils with SEN support in recorded SEN."""
WINSOR = (0.05, 0.95)
"""Rates of recorded SEN beyond these shares of all schools of a phase are drawn in to them."""
YOUNGER, SIXTH_FORM = ("nursery_pupils", "early_years_pupils"), "sixth_form_pupils"
FUNDING, RATE = "prior attainment funding £", "IDACI a pupil"
"""Columns of `Measures.raw` from which low prior attainment and IDACI are worked out, where they
are: the first over the unit value of the phase, the second times pupils."""
NO_LIMITS = pd.DataFrame(columns=["low", "high"], dtype=float)


@dataclass(frozen=True)
class Settings:
    """How measures are taken: the weight of an EHC plan, and which rates are drawn in."""

    ehc_weight: float = EHC_PLAN_WEIGHT
    winsor: tuple[float, float] | None = WINSOR


@dataclass(frozen=True, eq=False)
class Measures:
    """The measure of every factor that the data hold, school by school.

    `table` has a column a factor, NaN where the roll is not known. `raw` holds the figures they
    are worked out from, after estimates, in the words of a spreadsheet's headings. `limits` has
    the lowest and highest rate of recorded SEN by phase. `values` are the unit values in use.
    `imputed` lists `urn, column`. `warnings` (by factor) belong in the banner; `notes` are plain
    sentences.
    """

    table: pd.DataFrame
    raw: pd.DataFrame
    limits: pd.DataFrame
    imputed: pd.DataFrame
    settings: Settings
    values: UnitValues
    warnings: Mapping[str, str]
    notes: tuple[str, ...]

    @property
    def factors(self) -> tuple[str, ...]:
        """Factors that can be weighed."""
        return tuple(self.table.columns)


@dataclass
class _Desk:
    """What the steps below share while the measures of one county are taken."""

    table: pd.DataFrame
    settings: Settings
    values: UnitValues
    known: pd.Series = field(init=False)
    kind: pd.Series = field(init=False)
    places: pd.Series = field(init=False)
    raw: dict[str, pd.Series] = field(default_factory=dict)
    imputed: list[tuple[str, str]] = field(default_factory=list)
    warnings: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.roll = self.table["pupils"].astype(float)
        self.known = self.roll.notna() & (self.roll > 0)
        self.roll = self.roll.where(self.known)
        selective = self.table["selective"].fillna(False)
        self.kind = self.table["phase"].astype(str) + np.where(selective, " selective", "")
        # No entry means no SRP, hence no places.
        self.places = self.column("srp_places").fillna(0.0)

    def has(self, *columns: str) -> bool:
        return all(c in self.table and self.table[c].notna().any() for c in columns)

    def column(self, name: str) -> pd.Series:
        if name in self.table:
            return self.table[name].astype(float)
        return pd.Series(np.nan, index=self.table.index)

    def filled(self, name: str, values: pd.Series | None = None) -> pd.Series:
        """Return a column with missing figures estimated at the rate per pupil of its kind."""
        values = (self.column(name) if values is None else values).where(self.known)
        gaps = self.known & values.isna()
        if not gaps.any():
            return values
        has = self.known & values.notna()
        overall = values[has].sum() / self.roll[has].sum() if has.any() else np.nan
        sums = values[has].groupby(self.kind[has]).sum()
        rate = sums / self.roll[has].groupby(self.kind[has]).sum()
        estimate = self.roll * self.kind.map(rate).astype(float).fillna(overall)
        self.imputed += [(str(urn), name) for urn in self.table.index[gaps]]
        return values.where(~gaps, estimate)


def measure(
    schools: pd.DataFrame,
    settings: Settings | None = None,
    *,
    values: UnitValues | None = None,
    years: Sequence[pd.DataFrame] = (),
) -> Measures:
    """Take the measures of every factor that the data hold.

    `schools` is the schools table; it may also have `pupils_r11`, `nursery_pupils`,
    `early_years_pupils`, `sixth_form_pupils`, `low_prior_attainment`, `prior_attainment_funding`
    (pounds), `idaci` (weighted pupils) and `idaci_rate` (what one pupil counts). `years` are
    earlier censuses, index urn, columns `pupils, sen_support, ehc_plans`. A missing figure is
    estimated from schools of the same phase and selection at their rate per pupil, never 0.
    """
    table = schools.sort_index()
    desk = _Desk(table, settings or Settings(), values or unit_values())
    desk.raw["roll"] = desk.roll
    desk.raw["SRP places"] = desk.places.where(desk.known)
    measures = {"pupils": _pupils(desk)}
    if desk.has("fsm6") or desk.has("fsm"):
        measures["fsm6"] = _fsm6(desk)
    if desk.has("idaci") or desk.has("idaci_rate"):
        measures["idaci"] = _idaci(desk, measures["pupils"])
    if desk.has("low_prior_attainment") or desk.has("prior_attainment_funding"):
        measures["low_prior_attainment"] = _attainment(desk)
    if desk.has("ehc_plans"):
        measures["ehc_plans"] = _plans(desk)
    limits = NO_LIMITS
    if desk.has("sen_support"):
        measures["sen_support"] = desk.raw["SEN support"] = desk.filled("sen_support")
        measures["recorded_sen"], limits = _recorded(desk, measures.get("ehc_plans"), years)
    order = [factor for factor in LABELS if factor in measures]
    _notes_on_places(desk)
    return Measures(
        table=pd.DataFrame({f: measures[f].where(desk.known) for f in order}, index=table.index),
        raw=pd.DataFrame(desk.raw, index=table.index),
        limits=limits,
        imputed=pd.DataFrame(sorted(set(desk.imputed)), columns=["urn", "column"]),
        settings=desk.settings,
        values=desk.values,
        warnings=desk.warnings,
        notes=tuple(desk.notes),
    )


def _pupils(desk: _Desk) -> pd.Series:
    """Return pupils of Reception to Year 11 less SRP places; the whole roll where that is all."""
    parts = [c for c in (*YOUNGER, SIXTH_FORM) if desk.has(c)]
    counted = desk.column("pupils_r11")
    if parts:
        others = sum((desk.column(c).fillna(0.0) for c in parts), pd.Series(0.0, desk.table.index))
        told = pd.concat([desk.column(c) for c in parts], axis=1).notna().any(axis=1)
        counted = counted.fillna((desk.roll - others).clip(lower=0.0).where(told))
    missing = desk.known & counted.isna()
    if (missing == desk.known).all():
        words = "pupils are the whole roll, with nursery and sixth form"
        desk.warnings["pupils"] = words
    elif missing.any():
        desk.notes.append(
            f"Pupils of {int(missing.sum())} schools are their whole roll: their nursery and sixth "
            "form are not in the figures."
        )
    if parts and SIXTH_FORM not in parts:
        desk.warnings["pupils"] = "sixth forms are counted in, as their pupils are not in the data"
    base = counted.where(~missing, desk.roll).where(desk.known)
    desk.raw["pupils R-11"] = base
    return (base - desk.places).clip(lower=0.0)


def _fsm6(desk: _Desk) -> pd.Series:
    if desk.has("fsm6"):
        values = desk.filled("fsm6")
    else:
        values = desk.filled("fsm")
        desk.warnings["fsm6"] = "free school meals of today stand for those of six years"
    desk.raw["FSM6"] = values
    return values


def _idaci(desk: _Desk, pupils: pd.Series) -> pd.Series:
    if desk.has("idaci"):
        values = desk.filled("idaci")
    else:
        desk.raw[RATE] = desk.column("idaci_rate").where(desk.known)
        values = desk.filled("idaci", desk.column("idaci_rate") * pupils)
    desk.raw["IDACI"] = values
    return values


def _attainment(desk: _Desk) -> pd.Series:
    """Return pupils with low prior attainment, counted, or from the money published for them."""
    counted = desk.column("low_prior_attainment")
    if desk.has("prior_attainment_funding"):
        unit = desk.values.low_prior_attainment.of(desk.table["phase"])
        derived = desk.column("prior_attainment_funding") / unit
        used = counted.isna() & derived.notna()
        if used.any():
            desk.raw[FUNDING] = desk.column("prior_attainment_funding").where(used & desk.known)
            desk.notes.append(
                f"Low prior attainment of {int(used.sum())} schools is worked back from published "
                f"allocations. {desk.values.note}"
            )
        counted = counted.fillna(derived)
    values = desk.filled("low_prior_attainment", counted)
    desk.raw["low prior attainment"] = values
    return values


def _plans(desk: _Desk) -> pd.Series:
    desk.raw["EHC plans"] = desk.filled("ehc_plans")
    return (desk.raw["EHC plans"] - desk.places).clip(lower=0.0)


def _recorded(
    desk: _Desk, outside: pd.Series | None, years: Sequence[pd.DataFrame]
) -> tuple[pd.Series, pd.DataFrame]:
    """Return recorded SEN as pupils: the mean rate of the years known, drawn in, times the roll."""
    weight = desk.settings.ehc_weight
    recorded = desk.raw["SEN support"]
    if outside is not None:
        recorded = recorded + weight * outside
    else:
        desk.warnings["recorded_sen"] = "recorded SEN is SEN support alone"
    rates = [recorded / desk.roll]
    for number, year in enumerate(years, start=1):
        past = year.reindex(desk.table.index)
        roll = past["pupils"].where(past["pupils"] > 0)
        plans = (past["ehc_plans"] - desk.places).clip(lower=0.0)
        extra = 0.0 if outside is None else weight * plans
        rates.append((past["sen_support"] + extra) / roll)
        desk.raw[f"recorded SEN rate, earlier census {number}"] = rates[-1].where(desk.known)
    rate = pd.concat(rates, axis=1).mean(axis=1).where(desk.known)
    if years:
        short = int((pd.concat(rates, axis=1).isna().any(axis=1) & desk.known).sum())
        desk.notes.append(
            f"Recorded SEN is the mean rate of {len(rates)} censuses; {short} schools are not in "
            "all of them and have the mean of those they are in."
        )
    phase = desk.table["phase"].astype(str)
    if desk.settings.winsor is None:
        return rate * desk.roll, NO_LIMITS
    low, high = desk.settings.winsor
    groups = rate.groupby(phase)
    limits = pd.DataFrame({"low": groups.quantile(low), "high": groups.quantile(high)})
    drawn = rate.clip(lower=phase.map(limits["low"]), upper=phase.map(limits["high"]))
    return drawn * desk.roll, limits


def _notes_on_places(desk: _Desk) -> None:
    if desk.has("srp_places"):
        desk.notes.insert(
            0,
            f"{desk.places.sum():,.0f} SRP places are netted off pupils and EHC plans: "
            "they are funded apart.",
        )
        over = desk.table.index[desk.places > desk.raw["pupils R-11"]]
        if len(over):
            names = ", ".join(f"{desk.table.at[u, 'name']} ({u})" for u in over[:5])
            desk.notes.insert(
                1, f"More SRP places than pupils at {some_schools(len(over))}, such as {names}."
            )
    elif desk.has("ehc_plans"):
        for factor in ("recorded_sen", "ehc_plans"):
            words = "no SRP places are in the data, so EHC plans of SRPs count in full"
            known = desk.warnings.get(factor)
            desk.warnings[factor] = f"{known}; {words}" if known else words
