"""`Problem`: everything a plan is judged by, as sorted URNs and arrays without geometry.

This is the one door from labels to positions. Positions never leave the solver: a `Plan` speaks of
URNs again.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clustering.rules import Goals, Rules, asks_for_budget, reach_rules
from geo.errors import Fault, Faults, PlanError, StudyError, did_you_mean

PRIMARY_PHASES = ("primary", "middle_primary", "all_through")
SECONDARY_PHASES = ("secondary", "middle_secondary", "all_through")
BETWEEN_MINUTES = 1.0
"""A third school parts two others where going by it is this much nearer; see `neighbours`."""
BETWEEN_FIRST = (32, 256)
"""How many of the nearest schools are tried first and next as schools between two others."""
NEED_STEPS = 10
"""Need units are kept to a tenth inside a problem, so that sums of need are exact whole numbers."""


@dataclass(frozen=True)
class Bond:
    """Schools that must share a cluster, and what says so.

    `rule` is "together", "infant_junior", "same_site", "locked" (one of today's clusters) or "plan"
    (a lock in a plan that is redrawn), with its `name`. `closed`: nobody else may join them.
    """

    urns: tuple[str, ...]
    rule: str
    name: str = ""
    closed: bool = False


Groups = Iterable[Iterable[str]] | Mapping[str, Iterable[str]]


@dataclass(frozen=True, eq=False)
class Problem:
    """Schools, minutes, need, feeders, ties, rules and goals: one question, frozen.

    All arrays run over `urns` (sorted). `minutes[i, j]` is from school *i* to school *j*, in
    minutes, to a tenth. `need` is in need units to a tenth (an average pupil is 1.0). Pupils and
    need of a school whose roll is not known are 0 here and its URN is listed in `no_roll`: it
    counts as a school and nothing else. `existing[i]` is the index into `existing_names`, −1 for
    none.
    """

    urns: tuple[str, ...]
    names: tuple[str, ...]
    area_names: tuple[str, ...]
    area: NDArray[np.int64]
    primary: NDArray[np.bool_]
    secondary: NDArray[np.bool_]
    selective: NDArray[np.bool_]
    pupils: NDArray[np.int64]
    need: NDArray[np.float64]
    minutes: NDArray[np.float64]
    feeder_from: NDArray[np.int64]
    feeder_to: NDArray[np.int64]
    feeder_pupils: NDArray[np.float64]
    existing: NDArray[np.int64]
    existing_names: tuple[str, ...]
    ties: tuple[tuple[str, ...], ...]
    rules: Rules
    goals: Goals
    no_roll: tuple[str, ...] = ()
    pinned_hubs: tuple[str, ...] = ()
    sealed: tuple[tuple[str, ...], ...] = ()
    """Groups of URNs that are a cluster each, as they stand: nobody leaves and nobody joins."""
    feeders_estimated: bool = False
    notes: tuple[str, ...] = field(default=())
    opted_out: tuple[tuple[str, str], ...] = ()
    """URN and reason of schools that take no part; no array above holds them."""
    bonds: tuple[Bond, ...] = ()
    """What the ties are made of, so that a contradiction can be named."""
    small_from: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    """Flows too small to be priced, as in the three arrays of feeders: they only count as kept or
    split."""
    small_to: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    small_pupils: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    pounds_a_unit: float = float("nan")
    """Pounds by formula of one need unit, however many clusters a plan has; NaN without a pot."""
    reach: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 0)))
    """(schools, types) minutes to the nearest open SRP of each type, to a tenth; no types where the
    study has no provision."""
    reach_names: tuple[str, ...] = ()
    """The types of `reach`: need and phase, such as "ASD primary"."""

    def __len__(self) -> int:
        return len(self.urns)

    @cached_property
    def position(self) -> Mapping[str, int]:
        """Position of each URN; the way in for labels."""
        return {urn: i for i, urn in enumerate(self.urns)}

    @cached_property
    def non_selective_secondary(self) -> NDArray[np.bool_]:
        """Schools that can satisfy the rule on secondaries."""
        return self.secondary & ~self.selective

    @cached_property
    def need_steps(self) -> NDArray[np.int64]:
        """Need in whole tenths of a unit, as the solver and the balance price count it."""
        return np.round(self.need * NEED_STEPS).astype(np.int64)

    def positions(self, urns: Iterable[str]) -> list[int]:
        """Return the positions of URNs; a `PlanError` names every one the problem does not hold."""
        urns = list(urns)
        unknown = [urn for urn in urns if urn not in self.position]
        if unknown:
            raise PlanError(self._unknown(urn) for urn in unknown)
        return [self.position[urn] for urn in urns]

    def _unknown(self, urn: str) -> Fault:
        if urn in dict(self.opted_out):
            fix = "Take it out of [rules] opt_out to bring it back."
            return Fault("has opted out and takes no part in any cluster.", fix, urn=urn)
        fix = "Check the URN; `clusters check` lists the schools set aside, and why."
        return Fault("is not a school of this study.", fix, urn=urn)

    def without(self, opted_out: Iterable[tuple[str, str]]) -> Problem:
        """Return the problem without schools that opt out, given as URN and reason.

        They count in no size, mean or flow, and rules that name them no longer do.
        """
        gone = tuple(sorted((urn, why) for urn, why in opted_out if urn in self.position))
        return _without(self, gone) if gone else self

    def _without(self, gone: Mapping[str, str]) -> Problem:
        keep = np.array([i for i, urn in enumerate(self.urns) if urn not in gone], np.int64)
        place = np.full(len(self), -1, np.int64)
        place[keep] = np.arange(len(keep))
        flows = (place[self.feeder_from] >= 0) & (place[self.feeder_to] >= 0)
        small = (place[self.small_from] >= 0) & (place[self.small_to] >= 0)
        stay = tuple(tuple(u for u in group if u not in gone) for group in self.sealed)
        bonds = [
            replace(bond, urns=tuple(u for u in bond.urns if u not in gone)) for bond in self.bonds
        ]
        return replace(
            self,
            urns=tuple(self.urns[i] for i in keep),
            names=tuple(self.names[i] for i in keep),
            area=self.area[keep],
            primary=self.primary[keep],
            secondary=self.secondary[keep],
            selective=self.selective[keep],
            pupils=self.pupils[keep],
            need=self.need[keep],
            minutes=self.minutes[np.ix_(keep, keep)],
            feeder_from=place[self.feeder_from[flows]],
            feeder_to=place[self.feeder_to[flows]],
            feeder_pupils=self.feeder_pupils[flows],
            small_from=place[self.small_from[small]],
            small_to=place[self.small_to[small]],
            small_pupils=self.small_pupils[small],
            existing=self.existing[keep],
            ties=merge_groups([u for u in group if u not in gone] for group in self.ties),
            rules=self.rules.leaving_out(gone),
            no_roll=tuple(u for u in self.no_roll if u not in gone),
            pinned_hubs=tuple(u for u in self.pinned_hubs if u not in gone),
            sealed=tuple(group for group in stay if group),
            opted_out=tuple(sorted({**dict(self.opted_out), **gone}.items())),
            bonds=tuple(bond for bond in bonds if len(bond.urns) > (not bond.closed)),
            reach=self.reach[keep] if self.reach_names else self.reach,
        )

    def parts(self) -> list[Part]:
        """Split into parts that no cluster may span: the areas, or all schools as one."""
        if self.rules.areas != "never":
            return [Part("all areas", tuple(range(len(self))))]
        return [
            Part(name, tuple(np.flatnonzero(self.area == a).tolist()))
            for a, name in enumerate(self.area_names)
            if (self.area == a).any()
        ]

    def with_rules(self, rules: Rules) -> Problem:
        """Return the same problem under other rules."""
        return replace(self, rules=rules)

    def redrawn_from(
        self,
        cluster_of: Mapping[str, str],
        *,
        change: float,
        sealed: Groups = (),
        ties: Groups = (),
        pinned_hubs: Iterable[str] = (),
    ) -> Problem:
        """Return the problem of redrawing a plan: change is counted from it, locks are added.

        `change` is the price in minutes of a school that leaves its cluster of `cluster_of`.
        """
        old, names = _existing(pd.Series(dict(cluster_of), dtype=object), self.urns)
        bonds = (*self.bonds, *_bonds(sealed, "plan", closed=True), *_bonds(ties, "plan"))
        new = (bond.urns for bond in bonds if bond.closed)
        closed = tuple(sorted({*self.sealed, *new}))
        return replace(
            self,
            existing=old,
            existing_names=names,
            goals=self.goals.model_copy(update={"change": change}),
            sealed=closed,
            ties=merge_groups([*self.ties, *(bond.urns for bond in bonds)]),
            bonds=bonds,
            pinned_hubs=tuple(sorted({*self.pinned_hubs, *pinned_hubs})),
        )


@dataclass(frozen=True)
class Part:
    """Schools that are solved as one problem: an area, or the whole county."""

    name: str
    members: tuple[int, ...]


@lru_cache(maxsize=16)
def _without(problem: Problem, gone: tuple[tuple[str, str], ...]) -> Problem:
    """Return a problem without some schools: the same one each time, for what it has worked out."""
    return problem._without(dict(gone))


def build_problem(
    schools: pd.DataFrame,
    minutes: pd.DataFrame,
    need: pd.Series,
    *,
    rules: Rules | None = None,
    goals: Goals | None = None,
    feeders: pd.DataFrame | None = None,
    small_feeders: pd.DataFrame | None = None,
    existing: pd.Series | None = None,
    ties: Iterable[Iterable[str] | Bond] = (),
    pinned_hubs: Iterable[str] = (),
    sealed: Groups = (),
    feeders_estimated: bool = False,
    pounds_a_unit: float = float("nan"),
    reach: pd.DataFrame | None = None,
) -> Problem:
    """Join the tables of a study into a problem.

    `schools` is the schools table with a column `area`; `minutes` is labelled by URN on both sides;
    `need` is need units by URN (NaN: roll not known); `feeders` has `from_urn, to_urn, pupils`
    (pupils a year; links to schools outside the table are left out: no plan can keep them), and
    `small_feeders` the same for flows that no plan is designed by;
    `ties` are groups that share a cluster, `sealed` groups that are one, by name if they have one;
    `existing` is the name of today's cluster by URN ("" or NaN: none). Schools that opt out by the
    rules are left out of everything and kept on record. `pounds_a_unit` is what a need unit is
    worth to a smallest budget. `reach` is minutes to the nearest open SRP by URN, one column a type
    ("ASD primary"); a column of NaN, a type of which there is none anywhere, is left out with a
    note. Row order does not matter. Raises `StudyError` where rules or goals ask for minutes to
    SRPs that there are not.
    """
    table = schools.sort_index()
    urns = tuple(table.index.astype(str))
    square = minutes.reindex(index=list(urns), columns=list(urns)).to_numpy(float)
    square = np.round(square, 1)
    np.fill_diagonal(square, 0.0)
    if np.isnan(square).any():
        raise ValueError(
            "minutes are missing for some pairs; the door for minutes must have let them by"
        )
    if math.isnan(pounds_a_unit) and rules and asks_for_budget(rules):
        raise ValueError("a smallest budget needs to know what a need unit is worth")
    types, far, missing = _reach(reach, urns)
    _check_reach(rules or Rules(), goals or Goals(), None if reach is None else (*types, *missing))
    area_names = tuple(sorted(set(table["area"])))
    position = {urn: i for i, urn in enumerate(urns)}
    need = need.reindex(list(urns))
    bonds = (
        *(tie if isinstance(tie, Bond) else Bond(tuple(tie), "keep_together") for tie in ties),
        *(Bond(tuple(group), "together") for group in (rules.together if rules else ())),
        *_bonds(sealed, "locked", closed=True),
    )
    closed = tuple(sorted(bond.urns for bond in bonds if bond.closed))
    pupils = table["pupils"].astype(float)
    no_roll = tuple(urn for urn in urns if np.isnan(pupils[urn]) or np.isnan(need[urn]))
    links = _links(feeders, position)
    small = _links(small_feeders, position)
    old, old_names = _existing(existing, urns)
    phase = table["phase"]
    whole = Problem(
        urns=urns,
        names=tuple(table["name"]),
        area_names=area_names,
        area=np.array([area_names.index(a) for a in table["area"]], dtype=np.int64),
        primary=phase.isin(PRIMARY_PHASES).to_numpy(bool),
        secondary=phase.isin(SECONDARY_PHASES).to_numpy(bool),
        selective=table["selective"].fillna(False).to_numpy(bool),
        pupils=pupils.fillna(0).round().to_numpy(np.int64),
        need=np.round(need.fillna(0.0).to_numpy(float), 1),
        minutes=square,
        feeder_from=links[0],
        feeder_to=links[1],
        feeder_pupils=links[2],
        small_from=small[0],
        small_to=small[1],
        small_pupils=small[2],
        existing=old,
        existing_names=old_names,
        ties=merge_groups(bond.urns for bond in bonds),
        bonds=bonds,
        sealed=closed,
        rules=rules or Rules(),
        goals=goals or Goals(),
        no_roll=no_roll,
        pinned_hubs=tuple(sorted({*pinned_hubs, *(rules.pinned_hubs if rules else ())})),
        feeders_estimated=feeders_estimated,
        pounds_a_unit=pounds_a_unit,
        reach=far,
        reach_names=types,
        notes=tuple(f"No SRP for {name} is open: no rule or price counts it." for name in missing),
    )
    return whole.without(rules.opt_out.items() if rules else ())


def _links(
    feeders: pd.DataFrame | None, position: Mapping[str, int]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    none = np.zeros(0, np.int64)
    if feeders is None or feeders.empty:
        return none, none, np.zeros(0)
    inside = feeders[feeders["from_urn"].isin(position) & feeders["to_urn"].isin(position)]
    inside = inside.groupby(["from_urn", "to_urn"], as_index=False)["pupils"].sum()
    inside = inside[(inside["pupils"] > 0) & (inside["from_urn"] != inside["to_urn"])]
    inside = inside.sort_values(["from_urn", "to_urn"])
    return (
        inside["from_urn"].map(position).to_numpy(np.int64),
        inside["to_urn"].map(position).to_numpy(np.int64),
        inside["pupils"].to_numpy(float),
    )


def _reach(
    reach: pd.DataFrame | None, urns: tuple[str, ...]
) -> tuple[tuple[str, ...], NDArray[np.float64], tuple[str, ...]]:
    """Return the types of SRP, minutes from each school to each, and types that stand nowhere."""
    if reach is None:
        return (), np.zeros((len(urns), 0)), ()
    table = reach.reindex(list(urns))[sorted(reach.columns)]
    nowhere = reach.isna().all()
    missing = tuple(name for name in table.columns if nowhere[name])
    table = table.drop(columns=list(missing))
    minutes = np.round(table.to_numpy(float), 1)
    if not np.isfinite(minutes).all():
        raise ValueError("minutes to an SRP are missing for some schools")
    return tuple(map(str, table.columns)), minutes, tuple(map(str, missing))


def _check_reach(rules: Rules, goals: Goals, types: Collection[str] | None) -> None:
    """Fault rules and prices on SRPs that the study does not have; `types` are those it names."""
    faults = Faults(StudyError)
    limits = reach_rules(rules)
    for key in (*limits, *(["[goals] srp"] if goals.srp > 0 else [])) if types is None else ():
        faults.add(
            f"{key} needs [provision]: without it no minutes to an SRP are known.",
            "Give [provision], or take the key out.",
        )
    for key, limit in limits.items() if types is not None else ():
        for name in sorted(set(limit) - set(types or ())) if isinstance(limit, Mapping) else ():
            faults.add(
                f'{key} names "{name}", which is no type of SRP in [provision].',
                did_you_mean(name, types or ()) or f"Types: {', '.join(types or ('none',))}.",
            )
    faults.raise_if_any()


def _existing(
    existing: pd.Series | None, urns: tuple[str, ...]
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    if existing is None:
        return np.full(len(urns), -1, np.int64), ()
    named = existing.reindex(list(urns)).fillna("").astype(str)
    names = tuple(sorted(set(named) - {""}))
    index = {name: i for i, name in enumerate(names)}
    return np.array([index.get(name, -1) for name in named], dtype=np.int64), names


def _bonds(groups: Groups, rule: str, *, closed: bool = False) -> list[Bond]:
    """Return groups as bonds, named by their key or by their first school."""
    pairs = (
        groups.items()
        if isinstance(groups, Mapping)
        else ((min(group), group) for group in map(tuple, groups))
    )
    return [Bond(tuple(sorted(group)), rule, str(name), closed) for name, group in pairs]


def least_steps(need: float) -> int:
    """Return the fewest whole steps of need that make up some need units."""
    return math.ceil(round(need * NEED_STEPS, 6))


def merge_groups(groups: Iterable[Iterable[str]]) -> tuple[tuple[str, ...], ...]:
    """Return groups of URNs that must stay together, overlapping ones joined, in sorted order."""
    merged: list[set[str]] = []
    for group in groups:
        joined = set(group)
        apart = []
        for other in merged:
            if other & joined:
                joined |= other
            else:
                apart.append(other)
        merged = [*apart, joined]
    return tuple(sorted(tuple(sorted(group)) for group in merged if len(group) > 1))


def neighbours(minutes: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which schools are neighbours: no third school lies between them on the way.

    *i* and *j* are neighbours unless some *k* has √(t(i,k)² + t(k,j)²) < t(i,j) − 1, with the 1 of
    `BETWEEN_MINUTES`. Without it this is the Gabriel graph (Gabriel & Sokal 1969) in minutes; the
    minute forgives a school that lies only just between, which estimated minutes cannot tell. It
    holds the minimum spanning tree, so schools that can reach one another are always connected.
    `minutes` is a square array; the longer of the two directions counts.
    """
    way = np.maximum(minutes, minutes.T)
    t, least = way**2, np.maximum(way - BETWEEN_MINUTES, 0.0) ** 2
    n = len(t)
    linked = np.zeros((n, n), bool)
    for i in range(n):
        # Some of the schools nearest to i lie on the way to most others; all the rest need be
        # looked at only for the few pairs that are left.
        near, left = np.argsort(t[i], kind="stable"), np.arange(n)
        for between in np.split(near, BETWEEN_FIRST):
            through = t[i, between, None] + t[np.ix_(between, left)]
            ends = (between[:, None] == left) | (between[:, None] == i)
            through[ends] = np.inf
            left = left[least[i, left] <= through.min(axis=0, initial=np.inf)]
        linked[i, left] = True
    np.fill_diagonal(linked, False)
    return linked | linked.T


@lru_cache(maxsize=64)
def neighbours_among(problem: Problem, members: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return who is whose neighbour among some schools of a problem; worked out once."""
    return neighbours(problem.minutes[np.ix_(members, members)])
