"""What must hold (`Rules`) and what is wished for (`Goals`), validated on construction.

Every goal is priced in minutes, so that a planner can say what a thing is worth: "a pupil whose
move to secondary school leaves the cluster is worth one minute of travel to the hub".
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

CENTS = 100
"""Solver integers are hundredths of a minute; a price is rounded once, when a problem is built."""


class Frozen(BaseModel):
    """A value that cannot be changed and refuses keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _as_range(value: Any) -> Any:
    """Read `[8, 14]` as it stands; a lone number means exactly that many."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return (value, value)
    return tuple(value) if isinstance(value, list) else value


def _as_tolerance(value: Any) -> Any:
    return None if value == "off" else value


def _as_reach(value: Any) -> Any:
    """Let minutes to an SRP be a number for all types, a table by type, or "off"."""
    if value is None or value == "off":
        return None
    each = list(value.values()) if isinstance(value, Mapping) else [value]
    if each and all(_is_minutes(one) for one in each):
        return value
    raise ValueError('give minutes above 0, a table such as { "ASD primary" = 45 }, or "off"')


def _is_minutes(value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and 0 < value < math.inf


IntRange = Annotated[tuple[int, int], BeforeValidator(_as_range)]
Tolerance = Annotated[Annotated[float, Field(gt=0, le=10)] | None, BeforeValidator(_as_tolerance)]
Amount = Annotated[
    Annotated[float, Field(ge=0, allow_inf_nan=False)] | None, BeforeValidator(_as_tolerance)
]
ReachLimit = Annotated[float | dict[str, float] | None, BeforeValidator(_as_reach)]
UrnGroups = tuple[tuple[str, ...], ...]
OPTED_OUT = "opted out"
"""The reason on record where nobody gives one."""


def _as_reasons(value: Any) -> Any:
    """Let a list of URNs stand for a table of URNs and reasons."""
    return dict.fromkeys(value, OPTED_OUT) if isinstance(value, list | tuple) else value


class Limits(Frozen):
    """The rules on one cluster that an area or a named cluster may set for itself.

    A value of `None` means "as in the general rules".
    """

    schools: IntRange | None = None
    pupils: IntRange | None = None
    secondaries: int | None = Field(None, ge=0)
    primaries: int | None = Field(None, ge=0)
    max_minutes_to_hub: float | None = Field(None, gt=0)
    max_minutes_to_srp: ReachLimit = None
    need_tolerance: Tolerance = None
    spread: Tolerance = None
    min_need: Amount = None
    min_budget: Amount = None

    @model_validator(mode="after")
    def _ordered(self) -> Limits:
        for key in ("schools", "pupils"):
            value = getattr(self, key)
            if value is not None and not 0 <= value[0] <= value[1]:
                raise ValueError(
                    f"{key} = [{value[0]}, {value[1]}] is not a range from low to high"
                )
        return self


class AreaRules(Limits):
    """Rules for one area in place of the general ones."""

    clusters: IntRange | None = None
    without_secondary: int = Field(0, ge=0)
    """How many clusters of the area need no secondary: a waiver."""
    associates: tuple[str, ...] = ()
    """URNs of secondaries that also serve one further cluster: counted once, shared by two."""


class ClusterRules(Limits):
    """Rules for the one cluster that holds a given school."""

    contains: str
    """URN of the school by which the cluster is known."""


@dataclass(frozen=True)
class Filled:
    """The limits on one cluster with nothing left open."""

    schools: tuple[int, int]
    pupils: tuple[int, int] | None
    secondaries: int
    primaries: int
    max_minutes_to_hub: float
    max_minutes_to_srp: float | Mapping[str, float] | None
    need_tolerance: float | None
    spread: float | None
    min_need: float | None
    min_budget: float | None

    @property
    def need_permille(self) -> int | None:
        """Widest deviation of need from the mean in thousandths, by tolerance and spread.

        A spread is kept by holding every cluster within half of it of the mean: the sum over pairs
        of clusters is then within it, and each cluster can be judged by itself.
        """
        both = (self.need_tolerance, None if self.spread is None else self.spread / 2)
        found = [round(share * 1000) for share in both if share is not None]
        return min(found) if found else None

    def reach_limits(self, types: Sequence[str]) -> tuple[float, ...]:
        """Return the most minutes from a hub to an SRP of each type; infinite where none is set."""
        own = self.max_minutes_to_srp
        if isinstance(own, Mapping):
            return tuple(float(own.get(name, math.inf)) for name in types)
        return (math.inf if own is None else float(own),) * len(types)

    def least_need(self, pounds_a_unit: float) -> float:
        """Return the least need units a cluster may have, where a unit is worth so many pounds."""
        by_budget = (self.min_budget or 0.0) / pounds_a_unit if self.min_budget else 0.0
        return max(self.min_need or 0.0, by_budget)


def _fill(own: Limits, general: Rules | Filled) -> Filled:
    return Filled(
        **{
            key: getattr(own if key in own.model_fields_set else general, key)
            for key in Limits.model_fields
        }
    )


class Rules(Frozen):
    """What every cluster of a plan must satisfy."""

    schools: IntRange = (8, 14)
    pupils: IntRange | None = None
    secondaries: int = Field(1, ge=0)
    """Least number of non-selective secondaries in a cluster; an all-through school counts."""
    primaries: int = Field(1, ge=0)
    """Least number of primaries in a cluster; an all-through school counts."""
    areas: Literal["never", "price", "ignore"] = "never"
    """May a cluster cross the border of an area: never, at the goal's price, or freely?"""
    max_minutes_to_hub: float = Field(45.0, gt=0)
    max_minutes_to_srp: ReachLimit = None
    """Widest minutes from a hub to the nearest open SRP of each type: one number for all types, or
    a table by type; "off" for none. Needs `[provision]`."""
    connected: bool = True
    need_tolerance: Tolerance = 0.20
    """Widest deviation of a cluster's need from its area's mean, as a share; "off" for none."""
    spread: Tolerance = None
    """Widest difference between the largest and the smallest need, as a share of the area's mean;
    kept by holding every cluster within half of it of the mean."""
    min_need: Amount = None
    """Least need units of a cluster."""
    min_budget: Amount = None
    """Least pounds of a cluster by formula, before protection and rounding; needs `[budget]`."""
    clusters: Literal["free"] | IntRange = "free"
    keep_together: tuple[Literal["infant_junior", "same_site"], ...] = (
        "infant_junior",
        "same_site",
    )
    together: UrnGroups = ()
    apart: UrnGroups = ()
    hub: Literal["any", "secondary"] = "any"
    """Which school of a cluster can be its hub."""
    pinned_hubs: tuple[str, ...] = ()
    """URNs of schools that are the hub of whatever cluster they are in."""
    opt_out: Annotated[dict[str, str], BeforeValidator(_as_reasons)] = {}
    """Schools that take no part, URN to reason: on the map and in the lists, in no count."""
    area: dict[str, AreaRules] = {}
    cluster: dict[str, ClusterRules] = {}

    @model_validator(mode="after")
    def _ordered(self) -> Rules:
        low, high = self.schools
        if not 1 <= low <= high:
            raise ValueError(f"schools = [{low}, {high}] is not a range from low to high")
        if self.pupils is not None and not 0 <= self.pupils[0] <= self.pupils[1]:
            raise ValueError(f"pupils = {list(self.pupils)} is not a range from low to high")
        if self.clusters != "free" and not 1 <= self.clusters[0] <= self.clusters[1]:
            raise ValueError(f"clusters = {list(self.clusters)} is not a range from low to high")
        for key in ("together", "apart"):
            for group in getattr(self, key):
                if len(group) < 2:
                    raise ValueError(
                        f"{key} names a group of fewer than two schools: {list(group)}"
                    )
        return self

    def leaving_out(self, urns: Collection[str]) -> Rules:
        """Return the rules without what they ask of some schools, for these take no part."""

        def rest(groups: UrnGroups) -> UrnGroups:
            left = (tuple(urn for urn in group if urn not in urns) for group in groups)
            return tuple(group for group in left if len(group) > 1)

        areas = {
            name: own.model_copy(
                update={"associates": tuple(u for u in own.associates if u not in urns)}
                if own.associates
                else {}
            )
            for name, own in self.area.items()
        }
        return self.model_copy(
            update={
                "together": rest(self.together),
                "apart": rest(self.apart),
                "pinned_hubs": tuple(urn for urn in self.pinned_hubs if urn not in urns),
                "area": areas,
                "cluster": {k: v for k, v in self.cluster.items() if v.contains not in urns},
            }
        )

    def for_area(self, area: str) -> Filled:
        """Return the limits of a cluster in an area, which may set its own."""
        return _fill(self.area.get(area, AreaRules()), self)

    def for_cluster(self, name: str, area: str) -> Filled:
        """Return the limits of a named cluster in an area."""
        return _fill(self.cluster[name], self.for_area(area))


class Goals(Frozen):
    """What is wished for, each at its price in minutes of travel to the hub.

    The objective of a plan is the sum of the prices below; smaller is better.
    """

    minutes: float = Field(1.0, ge=0)
    """Price of one minute between a school and the hub of its cluster."""
    feeders: float = Field(1.0, ge=0)
    """Price of one leaver a year who moves to a school outside the cluster."""
    balance: float = Field(0.7, ge=0)
    """Price of one per cent by which the need of a cluster misses the mean."""
    size: float = Field(0.0, ge=0)
    """Price of one per cent by which the pupils of a cluster miss the mean."""
    crossing: float = Field(10.0, ge=0)
    """Price of one school outside the area to which most of its cluster belongs."""
    change: float = Field(0.0, ge=0)
    """Price of one school that leaves the existing cluster with which its new one shares most."""
    srp: float = Field(0.0, ge=0)
    """Price of an SRP ten minutes from a hub, for each type; it grows with the square of the
    minutes, so that the worst cluster is mended first. Needs `[provision]`."""
    cluster: float = Field(30.0, ge=0)
    """Price of one more cluster (a chair, a clerk, meetings); decides how many a free plan has."""


def asks_for_budget(rules: Rules) -> bool:
    """Does any cluster, in any area, have a smallest budget?"""
    tables: list[Limits | Rules] = [rules, *rules.area.values(), *rules.cluster.values()]
    return any(own.min_budget for own in tables)


def reach_rules(rules: Rules) -> dict[str, float | Mapping[str, float]]:
    """Return every limit on minutes to SRPs by its key in the study, headings included."""
    tables: dict[str, Limits | Rules] = {"[rules]": rules}
    tables |= {f'[rules.area."{name}"]': own for name, own in sorted(rules.area.items())}
    tables |= {f'[rules.cluster."{name}"]': own for name, own in sorted(rules.cluster.items())}
    return {
        f"{heading} max_minutes_to_srp": own.max_minutes_to_srp
        for heading, own in tables.items()
        if own.max_minutes_to_srp is not None
    }


def cents(minutes: float) -> int:
    """Return a price in hundredths of a minute, halves rounded up."""
    return math.floor(minutes * CENTS + 0.5)


def priced(amount: float, goal: float) -> int:
    """Return the price in hundredths of a minute of an amount (minutes, pupils), rounded once."""
    return math.floor(amount * cents(goal) + 0.5)


def srp_price(goal: float, minutes: float) -> int:
    """Return the price in hundredths of a minute of an SRP so many minutes from a hub.

    goal · (minutes / 10)²: twice as far is four times as dear. Minutes count to a tenth; all in
    whole numbers, halves rounded up, so that search, proof and audit agree on every plan.
    """
    tenths = round(minutes * 10)
    return (cents(goal) * tenths * tenths + 5_000) // 10_000


def balance_price(goal: float, total: int, mean_of: int, clusters: int) -> int:
    """Return the price in hundredths of a minute of a cluster's deviation from the mean.

    `total` is the cluster's own sum (need or pupils), `mean_of` the sum over all `clusters` of its
    part. The deviation is |total − mean| / mean in per cent; the product is rounded down, in whole
    numbers, so that search, proof and audit agree on every plan.
    """
    if mean_of <= 0 or goal <= 0:
        return 0
    return (cents(goal) * 100 * abs(total * clusters - mean_of)) // mean_of
