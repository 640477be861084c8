"""Estimates feeder flows nobody counted: a segmented Huff model, balanced to places and leavers.

A leaver's pull to a school is `places × faith factor × exp(-minutes / tau)` (Huff 1963, production
constrained as in Wilson 1971), apart for girls and boys and for the grammar-bound and all others;
the flows are then balanced to both totals (`clustering.furness`). Every number is in
`clustering.gravity_settings`. Whatever comes from here is labelled as estimated.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.optimize import brentq

from clustering.feeders import Feeders, FlowsError, flow_table, some_schools
from clustering.furness import Balanced, Floats, balance
from clustering.gravity_choice import Bools, Segments, out_shares, pull_of, segments_of
from clustering.gravity_settings import GravitySettings
from clustering.intake import intake, is_urban
from clustering.together import infant_junior_pairs
from geo.errors import Fault

SOURCE = "feeder flows estimated by a gravity model, not counted"
YOUNG = 9
"""Who changes school below this age is of an infant or first school."""
TENTHS = 10
"""Estimated pupils are kept to a tenth: more is not known."""


def estimate_flows(
    schools: pd.DataFrame,
    minutes: pd.DataFrame,
    *,
    settings: GravitySettings | None = None,
    known: Feeders | None = None,
) -> Feeders:
    """Return estimated flows of all schools whose pupils move on at some age.

    `schools` is the schools table; `minutes` is labelled by URN on both sides and complete. Where
    some flows are `known`, the schools that report them are left out and their pupils are taken
    off the places. For each school links, small links (below `keep_share` and `keep_pupils`) and
    `OUT` (elsewhere) sum to its leavers, to a tenth of a pupil; those who stay in an all-through
    school do not leave.
    """
    settings = settings or GravitySettings()
    schools = schools.sort_index()
    steps = list(_steps(schools, minutes, settings, known))
    rows = [row for step in steps for row in _told(step, settings)]
    flows = pd.DataFrame(rows, columns=["from_urn", "to_urn", "pupils", "named"])
    flows["estimated"] = True
    inside, named = flows["to_urn"].isin(schools.index), flows["named"].astype(bool)
    notes = [_account(step) for step in steps]
    small = flow_table(flows[inside & ~named])
    if len(small):
        notes.append(_on_small(small, flows.loc[inside, "pupils"].sum(), settings))
    without = int(schools["pupils"].isna().sum())
    if without:
        notes.append(f"Not in the estimate of flows: {some_schools(without)} without a roll.")
    return Feeders(
        flow_table(flows[inside & named]),
        flow_table(flows[~inside]),
        SOURCE,
        tuple(notes),
        small,
    )


def calibrate(
    known: Feeders,
    schools: pd.DataFrame,
    minutes: pd.DataFrame,
    settings: GravitySettings | None = None,
) -> GravitySettings:
    """Return settings whose taus give the mean minutes travelled that known flows have.

    Counts moves at 9 and over between schools of the study; both taus are scaled by one factor
    between 1/8 and 8, found by bisection (Hyman 1969). Raises `FlowsError` if no such move is known
    or if no factor gives its mean.
    """
    settings = settings or GravitySettings()
    schools = schools.sort_index()
    old = intake(schools, settings)["leave_age"] >= YOUNG
    links = known.links[known.links["from_urn"].isin(old.index[old])]
    if not links["pupils"].sum() > 0:
        raise FlowsError(
            Fault(
                "there is no known flow to a secondary school to calibrate the estimate on.",
                "Set tau_urban and tau_rural in [feeders].",
            )
        )
    origins = frozenset(links["from_urn"])
    target = _mean([minutes.at[a, b] for a, b in _pairs(links)], links["pupils"].to_numpy(float))

    def scaled(log_factor: float) -> GravitySettings:
        factor = float(np.exp(log_factor))
        return replace(
            settings,
            tau_urban=settings.tau_urban * factor,
            tau_rural=settings.tau_rural * factor,
        )

    def miss(log_factor: float) -> float:
        travelled, pupils = [0.0], [0.0]
        for step in _steps(schools, minutes, scaled(log_factor), None):
            mine = np.array([urn in origins for urn in step.origins]) & (step.age >= YOUNG)
            flow = step.flows * mine[:, None]
            travelled.append(float((flow * step.minutes).sum()))
            pupils.append(float(flow.sum()))
        return sum(travelled) / max(sum(pupils), 1e-9) - target

    ends = (float(np.log(1 / 8)), float(np.log(8)))
    if miss(ends[0]) > 0 or miss(ends[1]) < 0:
        raise FlowsError(
            Fault(
                f"the known flows travel {target:.1f} minutes on average, which no tau explains.",
                "Check the minutes and the flows, or set tau_urban and tau_rural.",
            )
        )
    found = scaled(float(brentq(miss, *ends, xtol=1e-3)))
    return replace(found, tau_urban=round(found.tau_urban, 2), tau_rural=round(found.tau_rural, 2))


def _mean(values: list[float], weights: Floats) -> float:
    return float(np.average(np.array(values, dtype=float), weights=weights))


def _pairs(links: pd.DataFrame) -> Iterator[tuple[str, str]]:
    return zip(links["from_urn"], links["to_urn"], strict=True)


# -- one change of school ------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Step:
    """Everybody who changes school at one age: flows (r, c) between `origins` and `goals`."""

    age: float
    origins: tuple[str, ...]
    goals: tuple[str, ...]
    leavers: Floats
    year_group: Floats
    """Leavers and those who stay in an all-through school."""
    minutes: Floats
    flows: Floats
    out: Floats
    balanced: Balanced
    selective: Bools
    fill: float


def _steps(
    schools: pd.DataFrame, minutes: pd.DataFrame, settings: GravitySettings, known: Feeders | None
) -> Iterator[_Step]:
    table = intake(schools, settings).assign(faith=schools["faith"])
    square = minutes.reindex(index=table.index, columns=table.index).to_numpy(float)
    town = is_urban(square, settings)
    table["tau"] = np.where(town, settings.tau_urban, settings.tau_rural)
    if known is not None:
        joined = known.links.groupby("to_urn")["pupils"].sum().reindex(table.index).fillna(0.0)
        table["places"] = (table["places"] - joined).clip(lower=0.0)
        table.loc[table.index.isin(known.reporting), "leavers"] = 0.0
    table["places"] = (table["places"] - table["stays"]).clip(lower=0.0)
    table["leavers"] -= table["stays"].where(table["leavers"] > 0, 0.0)
    leaving = table[table["leavers"] > 0]
    ages = np.sort(table.loc[table["places"] > 0, "entry_age"].unique())
    for age, origins in leaving.groupby("leave_age"):
        near = ages[np.abs(ages - age) <= 1]
        entry = near[np.argmin(np.abs(near - age))] if len(near) else None
        goals = table[(table["entry_age"] == entry) & (table["places"] > 0)]
        if float(str(age)) < YOUNG:
            origins = origins.assign(tau=settings.tau_young)
            goals = _with_primaries(origins, goals, table, minutes, settings)
        if len(goals):
            paired = np.ones((len(origins), len(goals)))
            if float(str(age)) < YOUNG:
                paired = _paired(schools, origins.index, goals.index, settings)
            yield _step(float(str(age)), origins, goals, minutes, paired, settings)


def _paired(
    schools: pd.DataFrame, infants: pd.Index, juniors: pd.Index, settings: GravitySettings
) -> Floats:
    """Return the factor on the pull of the junior school that belongs to an infant school."""
    factor = pd.DataFrame(1.0, index=infants, columns=juniors)
    for infant, junior in infant_junior_pairs(schools):
        if infant in infants and junior in juniors:
            factor.at[infant, junior] = settings.own_junior
    return factor.to_numpy(float)


def _with_primaries(
    origins: pd.DataFrame,
    goals: pd.DataFrame,
    table: pd.DataFrame,
    minutes: pd.DataFrame,
    settings: GravitySettings,
) -> pd.DataFrame:
    """Add the nearest primary school for each infant school that has no junior school near."""
    way = minutes.loc[origins.index, goals.index].min(axis=1)
    lonely = origins.index[~(way <= settings.young_minutes)]
    older = table["leave_age"] > origins["leave_age"].max()
    through = table[older & table["entry_age"].isna()].copy()
    if lonely.empty or through.empty:
        return goals
    through["places"] = 0.0
    for urn in lonely:
        nearest = minutes.loc[urn, through.index].idxmin()
        through.loc[nearest, "places"] += origins.at[urn, "leavers"]
    return pd.concat([goals, through[through["places"] > 0]]).sort_index()


def _step(
    age: float,
    origins: pd.DataFrame,
    goals: pd.DataFrame,
    minutes: pd.DataFrame,
    paired: Floats,
    settings: GravitySettings,
) -> _Step:
    t = minutes.loc[origins.index, goals.index].to_numpy(float)
    t = np.maximum(t, settings.floor_minutes)
    segments = segments_of(origins, goals, t, settings)
    pull = pull_of(origins, goals, t, segments, settings) * paired[segments.origin]
    out = np.where(pull.sum(axis=1) > 0, 0.0, 1.0)
    for selective in (True, False):
        rows = (segments.selective == selective) & (out < 1)
        out[rows] = out_shares(pull[rows].sum(axis=1), segments.pupils[rows], settings)
    first = pull / np.maximum(pull.sum(axis=1), 1e-300)[:, None]
    first *= (segments.pupils * (1 - out))[:, None]
    places, into, fill = _filled_places(goals, segments, out, settings)
    balanced = balance(first, segments.pupils * out, into, segments.pupils, places)
    member = segments.origin[None, :] == np.arange(len(origins))[:, None]
    return _Step(
        age=age,
        origins=tuple(origins.index),
        goals=tuple(goals.index),
        leavers=origins["leavers"].to_numpy(float),
        year_group=(origins["leavers"] + origins["stays"]).to_numpy(float),
        minutes=t,
        flows=member @ balanced.flows,
        out=member @ balanced.out,
        balanced=balanced,
        selective=goals["selective"].to_numpy(bool),
        fill=fill,
    )


def _filled_places(
    goals: pd.DataFrame, segments: Segments, out: Floats, settings: GravitySettings
) -> tuple[Floats, Floats, float]:
    """Return places that are filled, those filled from outside, and the part of all that is.

    Where there are more places than pupils, all grammar schools and all others alike stay empty in
    the same part; where there are fewer, the balancing sends more pupils elsewhere.
    """
    places = goals["places"].to_numpy(float).copy()
    all_places = places.sum()
    into = np.zeros_like(places)
    for selective, outside in (
        (True, settings.outside_selective),
        (False, settings.outside_open),
    ):
        mine = goals["selective"].to_numpy(bool) == selective
        rows = segments.selective == selective
        come = float((segments.pupils * (1 - out))[rows].sum())
        offered = float(places[mine].sum()) * (1 - outside)
        if offered > 0:
            places[mine] *= min(1.0, come / offered)
        into[mine] = outside * places[mine]
    return places, into, float(places.sum() / all_places)


# -- what is told --------------------------------------------------------------------------------


def _told(step: _Step, settings: GravitySettings) -> Iterator[tuple[str, str, float, bool]]:
    """Yield the flows of each school, OUT among them, in tenths that sum to its leavers.

    The last of each says whether the link is large enough to be named.
    """
    for i, urn in enumerate(step.origins):
        flow = step.flows[i]
        least = min(settings.keep_pupils, settings.keep_share * step.year_group[i])
        named = [*((flow >= least) & (flow > 0)).tolist(), True]
        exact = np.array([*flow, step.out[i]])
        tenths = _whole(exact * TENTHS)
        for name, amount, large in zip([*step.goals, "OUT"], tenths, named, strict=True):
            if amount > 0:
                yield urn, name, amount / TENTHS, large


def _on_small(small: pd.DataFrame, all_pupils: float, settings: GravitySettings) -> str:
    """Say what the links below the threshold come to, and where they count."""
    return (
        f"{len(small):,} estimated links are below {settings.keep_share:.0%} of a school's leavers "
        f"and below {settings.keep_pupils:g} pupils: {small['pupils'].sum():,.0f} of "
        f"{all_pupils:,.0f} leavers a year. They are not drawn and no plan is designed by them, "
        "but they count in the leavers that a plan keeps or splits."
    )


def _whole(values: Floats) -> list[int]:
    """Round to whole numbers that keep the rounded sum (largest remainders, first come first)."""
    low = np.floor(values + 1e-9)
    short = round(float(values.sum())) - int(low.sum())
    order = np.argsort(-(values - low), kind="stable")
    low[order[:short]] += 1
    return [int(value) for value in low]


def _account(step: _Step) -> str:
    """Return what the balancing did, in a sentence."""
    found = step.balanced
    leavers = step.leavers.sum()
    selective = step.flows[:, step.selective].sum() / leavers
    grammar = f", {selective:.0%} to grammar schools" if selective else ""
    return (
        f"Estimated flows at age {step.age:g}: {leavers:,.0f} leavers a year of "
        f"{some_schools(len(step.origins))}, {step.out.sum() / leavers:.0%} to elsewhere"
        f"{grammar}; "
        f"{step.fill:.0%} of the places at {some_schools(len(step.goals))} filled, "
        f"{found.into.sum():,.0f} from elsewhere; balanced in {found.iterations} rounds, no school "
        f"more than {max(found.residual, 0.01):.2f} pupils off."
    )
