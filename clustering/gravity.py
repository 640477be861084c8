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
from numpy.typing import NDArray
from scipy.optimize import brentq

from clustering.feeders import Feeders, FlowsError, flow_table
from clustering.furness import Balanced, balance
from clustering.gravity_settings import GravitySettings
from clustering.intake import faith_factor, intake, is_urban
from geo.errors import Fault

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
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
    off the places. For each school links, `OUT` (elsewhere) and `UNK` (links too small to name)
    sum to its leavers, to a tenth of a pupil; those who stay in an all-through school do not leave.
    """
    settings = settings or GravitySettings()
    schools = schools.sort_index()
    steps = list(_steps(schools, minutes, settings, known))
    rows = [row for step in steps for row in _kept(step, settings)]
    flows = pd.DataFrame(rows, columns=["from_urn", "to_urn", "pupils", "estimated"])
    inside = flows["to_urn"].isin(schools.index)
    notes = [_account(step) for step in steps]
    without = int(schools["pupils"].isna().sum())
    if without:
        notes.append(f"The estimate of flows has no figures for {without} schools without a roll.")
    return Feeders(flow_table(flows[inside]), flow_table(flows[~inside]), SOURCE, tuple(notes))


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
    if links.empty:
        raise FlowsError(Fault("no known flow to a secondary school to calibrate the estimate on."))
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
    minutes: Floats
    flows: Floats
    out: Floats
    balanced: Balanced
    fill: float


def _steps(
    schools: pd.DataFrame, minutes: pd.DataFrame, settings: GravitySettings, known: Feeders | None
) -> Iterator[_Step]:
    table = intake(schools, settings).assign(faith=schools["faith"])
    square = minutes.reindex(index=table.index, columns=table.index).to_numpy(float)
    table["urban"] = is_urban(square, settings)
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
        if len(goals):
            yield _step(float(str(age)), origins, goals, minutes, settings)


def _step(
    age: float,
    origins: pd.DataFrame,
    goals: pd.DataFrame,
    minutes: pd.DataFrame,
    settings: GravitySettings,
) -> _Step:
    t = minutes.loc[origins.index, goals.index].to_numpy(float)
    t = np.maximum(t, settings.floor_minutes)
    segments = _segments(origins, goals, t, settings)
    pull = _pull(age, origins, goals, t, segments, settings)
    out = np.where(pull.sum(axis=1) > 0, 0.0, 1.0)
    for selective in (True, False):
        rows = (segments.selective == selective) & (out < 1)
        out[rows] = _out_shares(pull[rows].sum(axis=1), segments.pupils[rows], settings)
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
        minutes=t,
        flows=member @ balanced.flows,
        out=member @ balanced.out,
        balanced=balanced,
        fill=fill,
    )


@dataclass(frozen=True, eq=False)
class _Segments:
    """Leavers of one school, sex and bent: each array runs over segments with any pupils."""

    origin: NDArray[np.int64]
    girls: Bools
    selective: Bools
    pupils: Floats
    fits: Bools
    """(r, c): may the segment go to the school at all?"""


def _segments(
    origins: pd.DataFrame, goals: pd.DataFrame, t: Floats, settings: GravitySettings
) -> _Segments:
    """Split leavers by sex and bent; the grammar-bound without a grammar in reach go elsewhere."""
    n = len(origins)
    takes_girls, takes_boys = goals["girls"].to_numpy() > 0, goals["girls"].to_numpy() < 1
    grammar = goals["selective"].to_numpy(bool)
    itself = origins.index.to_numpy()[:, None] == goals.index.to_numpy()[None, :]
    sexes = [
        (True, origins["girls"].to_numpy(float), takes_girls),
        (False, 1 - origins["girls"].to_numpy(float), takes_boys),
    ]
    leavers = origins["leavers"].to_numpy(float)
    ways = np.stack(
        [np.where(fits & grammar & ~itself, t, np.inf).min(axis=1) for _, _, fits in sexes]
    )
    ways[ways > settings.truncate_minutes] = np.inf
    amounts = np.stack([leavers * part for _, part, _ in sexes])
    share = _selective_shares(ways, amounts, origins["fsm6"], goals, settings)
    parts = []
    for s, (girls, _, fits) in enumerate(sexes):
        for selective in (True, False):
            pupils = amounts[s] * (share[s] if selective else 1 - share[s])
            open_to = fits & (grammar == selective) & ~itself
            parts.append((np.arange(n), girls, selective, pupils, open_to))
    origin = np.concatenate([part[0] for part in parts])
    pupils = np.concatenate([part[3] for part in parts])
    some = pupils > 0
    return _Segments(
        origin=origin[some],
        girls=np.repeat([part[1] for part in parts], n)[some],
        selective=np.repeat([part[2] for part in parts], n)[some],
        pupils=pupils[some],
        fits=np.concatenate([part[4] for part in parts])[some],
    )


def _selective_shares(
    ways: Floats, amounts: Floats, fsm6: pd.Series, goals: pd.DataFrame, settings: GravitySettings
) -> Floats:
    """Return the grammar-bound share (2, r) by sex and school, which is right on average.

    It falls with FSM6 and with the minutes `ways` to the nearest grammar school of one's sex; the
    share over all `amounts` is the setting's, or what the grammar schools' places allow.
    """
    places, grammar = goals["places"].to_numpy(float), goals["selective"].to_numpy(bool)
    mean = settings.selective_share
    if mean is None:
        mean = places[grammar].sum() / places.sum() * (1 - settings.outside_selective)
    known = fsm6.fillna(fsm6.mean() if fsm6.notna().any() else 0.0).to_numpy(float)
    tilt = np.exp(-settings.fsm6_tilt * known)[None, :] * np.exp(-ways / settings.truncate_minutes)
    most = settings.most_selective
    wanted = mean * amounts.sum()

    def bound(scale: float) -> Floats:
        shares: Floats = np.minimum(most, scale * tilt)
        return shares

    able = most * amounts[tilt > 0].sum()
    if wanted <= 0 or able <= 0:
        return np.zeros_like(tilt)
    if able <= wanted:
        return np.where(tilt > 0, most, 0.0)
    top = most / tilt[tilt > 0].min()
    scale = brentq(lambda s: float((bound(s) * amounts).sum() - wanted), 0.0, top, xtol=1e-12)
    return bound(scale)


def _pull(
    age: float,
    origins: pd.DataFrame,
    goals: pd.DataFrame,
    t: Floats,
    segments: _Segments,
    settings: GravitySettings,
) -> Floats:
    """Return the pull (segments, goals): within reach, or of the nearest school if none is."""
    tau = np.where(origins["urban"], settings.tau_urban, settings.tau_rural)
    if age < YOUNG:
        tau = np.full(len(origins), settings.tau_young)
    row_tau = tau[segments.origin] * np.where(segments.selective, settings.selective_stretch, 1.0)
    way = t[segments.origin]
    near = segments.fits & (way <= settings.truncate_minutes)
    nearest = np.where(segments.fits, way, np.inf).min(axis=1)
    lonely = ~near.any(axis=1) & np.isfinite(nearest)
    near[lonely] = segments.fits[lonely] & (way[lonely] == nearest[lonely, None])
    faith = faith_factor(origins["faith"], goals["faith"], settings)[segments.origin]
    pull: Floats = near * faith * goals["places"].to_numpy(float) * np.exp(-way / row_tau[:, None])
    return pull


def _out_shares(pull: Floats, pupils: Floats, settings: GravitySettings) -> Floats:
    """Return the part of each segment that goes elsewhere: one outside pull, right on average."""
    if not len(pull):
        return pull
    mean, most = min(settings.out_share, settings.most_out), settings.most_out

    def shares(log_outside: float) -> Floats:
        found: Floats = np.minimum(most, 1 / (1 + pull / np.exp(log_outside)))
        return found

    def miss(log_outside: float) -> float:
        return float((shares(log_outside) * pupils).sum() / pupils.sum() - mean)

    ends = (float(np.log(pull.min())) - 20, float(np.log(pull.max())) + 20)
    return shares(float(brentq(miss, *ends))) if miss(ends[1]) > 0 else np.full_like(pull, most)


def _filled_places(
    goals: pd.DataFrame, segments: _Segments, out: Floats, settings: GravitySettings
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


def _kept(step: _Step, settings: GravitySettings) -> Iterator[tuple[str, str, float, bool]]:
    """Yield links worth naming, OUT and UNK of each school, in tenths that sum to its leavers."""
    for i, urn in enumerate(step.origins):
        flow, leavers = step.flows[i], step.leavers[i]
        named = (flow >= settings.keep_pupils) | (flow >= settings.keep_share * leavers)
        named &= flow > 0
        names = [*(step.goals[j] for j in np.flatnonzero(named)), "OUT", "UNK"]
        exact = np.array([*flow[named], step.out[i], flow[~named].sum()])
        for name, tenths in zip(names, _whole(exact * TENTHS), strict=True):
            if tenths > 0:
                yield urn, name, tenths / TENTHS, True


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
    return (
        f"Estimated flows at age {step.age:g}: {leavers:,.0f} leavers a year of "
        f"{len(step.origins)} schools, {step.out.sum() / leavers:.0%} to elsewhere; "
        f"{step.fill:.0%} of the places at {len(step.goals)} schools filled, "
        f"{found.into.sum():,.0f} from elsewhere; balanced in {found.iterations} rounds, no school "
        f"more than {max(found.residual, 0.01):.2f} pupils off."
    )
