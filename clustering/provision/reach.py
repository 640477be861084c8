"""Who can reach which place: nearest, capacity-aware and by catchment, for every kind and type.

Three views stand side by side, because each is believed by somebody: the nearest provision, full or
not (what the public sees); the assignment of children to places (what the council can do); and
places per child by floating catchment (where places and children are out of step).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from clustering.provision.assignment import assign
from clustering.provision.demand import Demand, fifths
from clustering.provision.measures import PRIMARY_BANDS, SECONDARY_BANDS, two_step
from clustering.provision.register import Register, named, serves, types_of, years_of
from clustering.provision.settings import PHASES, SERVES, ProvisionTable

KEY = ["kind", "need_type", "phase"]
BANDS = {"primary": PRIMARY_BANDS, "secondary": SECONDARY_BANDS}
VISITED = "visited at their own school"
UNKNOWN_PLACES = "places not known"


@dataclass(frozen=True)
class Outreach:
    """Teachers who visit children at their own schools: no places, no journey."""

    need_types: tuple[str, ...]
    phases: tuple[str, ...] = PHASES


@dataclass(frozen=True, eq=False)
class Reach:
    """What every child needing a place can reach.

    `rows` one row for each point, kind, need_type, phase and, where a provision is for one sex
    only, sex: children; area, fifth (of IDACI, 1 poorest); nearest (label of the provision, "" =
    none open to them) and minutes (door to door, inf = none); limit_first, limit_second; placed
    (children with a place), placed_within (within the second limit), placed_minutes (mean, NaN =
    none placed), unmet (children without), reason; access_2sfca and access (places per child).
    `flows` columns row, provision, children, minutes. `filled` children by provision of known
    places. `provisions` the register's table that was used.
    """

    rows: pd.DataFrame
    flows: pd.DataFrame
    filled: pd.Series
    provisions: pd.DataFrame
    notes: tuple[str, ...]


def door_to_door(minutes: pd.DataFrame, settings: ProvisionTable) -> pd.DataFrame:
    """Return minutes from door to door in a shared vehicle; NaN (no way) as inf."""
    return (minutes * settings.pickup_factor + settings.pickup_minutes).fillna(np.inf)


def reach(
    register: Register,
    demand: Demand,
    minutes: pd.DataFrame,
    settings: ProvisionTable,
    outreach: tuple[Outreach, ...] = (),
) -> Reach:
    """Return what children can reach; `minutes` driving, points × provisions, NaN = no way.

    The register is used as it stands: take `register.open_in(year)` first.
    """
    provisions = register.table
    rows = by_sex(demand, provisions, settings)
    rows["area"] = rows["point"].map(demand.points["area"])
    children = rows.groupby("point")["children"].sum()
    # A column that is mapped from no rows is text; numbers are said to be such.
    rows["fifth"] = rows["point"].map(fifths(demand.points, children)).astype(float)
    for at, name in enumerate(("limit_first", "limit_second")):
        limits = {phase: settings.limits.of(phase)[at] for phase in PHASES}
        rows[name] = rows["phase"].map(limits).astype(float)
    way = door_to_door(minutes.reindex(columns=provisions.index), settings)
    open_minutes = way.loc[rows["point"]].to_numpy(float, copy=True)
    open_minutes[~open_to(rows, provisions, settings)] = np.inf
    visited = _visited(rows, outreach)
    rows, flows, filled = _placed(rows, provisions, open_minutes, visited)
    rows = _nearest(rows, provisions, open_minutes, visited)
    rows = _access(rows, provisions, open_minutes, visited)
    notes = [*_noted(provisions, demand, settings)]
    return Reach(rows, flows, filled, provisions, tuple(notes))


def by_sex(demand: Demand, provisions: pd.DataFrame, settings: ProvisionTable) -> pd.DataFrame:
    """Split the demand that a provision for boys or for girls may serve; sex is "" elsewhere."""
    rows = demand.rows.assign(sex="")
    single = provisions[provisions["sex"].isin(["boys", "girls"])]
    single = single[admits_all(single, settings)]
    wanted = {
        (SERVES[kind], code, phase)
        for kind, types, *takes in zip(
            single["kind"],
            single["need_types"].map(types_of),
            *(serves(single, phase) for phase in PHASES),
            strict=True,
        )
        for code in types
        for phase, taken in zip(PHASES, takes, strict=True)
        if taken
    }
    split = pd.Series([key in wanted for key in zip(*(rows[k] for k in KEY), strict=True)],
                      index=rows.index, dtype=bool)  # fmt: skip
    parts, own = [rows[~split]], rows[split]
    boys = np.array(
        [demand.boys_share(t, p) for t, p in zip(own["need_type"], own["phase"], strict=True)]
    )
    for sex, share in (("boys", boys), ("girls", 1 - boys)):
        part = own.assign(sex=sex, children=own["children"] * share)
        parts.append(part[part["children"] > 0])
    return pd.concat(parts).sort_values([*KEY, "point", "sex"], ignore_index=True)


def admits_all(provisions: pd.DataFrame, settings: ProvisionTable) -> pd.Series:
    """Say which provisions take a child whatever its ability and faith."""
    free = ~provisions["selective"].astype(bool)
    if "selective" in settings.open_to_all:
        free |= True
    if "faith" not in settings.open_to_all:
        free &= provisions["faith"].fillna("") == ""
    return free


def open_to(rows: pd.DataFrame, provisions: pd.DataFrame, settings: ProvisionTable) -> np.ndarray:
    """Return which provisions (columns) are open to the children of each row; bool, rows × P.

    By kind, need type, phase and sex; and not where admission is selective, or by faith, unless
    the settings say that this bars nobody.
    """
    admits = admits_all(provisions, settings).to_numpy()
    types = provisions["need_types"].map(types_of)
    kinds = provisions["kind"].map(SERVES)
    found = np.zeros((len(rows), len(provisions)), bool)
    for (kind, code, phase, sex), at in rows.groupby([*KEY, "sex"]).indices.items():
        fits = (
            admits
            & (kinds == kind).to_numpy()
            & np.array([code in own for own in types], bool)
            & serves(provisions, str(phase)).to_numpy()
            & (~provisions["sex"].isin(["boys", "girls"]) | (provisions["sex"] == sex)).to_numpy()
        )
        found[at] = fits
    return found


def _visited(rows: pd.DataFrame, outreach: tuple[Outreach, ...]) -> np.ndarray:
    found = np.zeros(len(rows), bool)
    for one in outreach:
        found |= (
            (rows["kind"] == "srp")
            & rows["need_type"].isin(one.need_types)
            & rows["phase"].isin(one.phases)
        ).to_numpy()
    return found


def _nearest(
    rows: pd.DataFrame, provisions: pd.DataFrame, minutes: np.ndarray, visited: np.ndarray
) -> pd.DataFrame:
    if len(provisions):
        at = minutes.argmin(axis=1)
        least = minutes[np.arange(len(rows)), at]
        names = np.where(np.isfinite(least), provisions.index.to_numpy(dtype=object)[at], "")
    else:
        least, names = np.full(len(rows), np.inf), np.full(len(rows), "", object)
    return rows.assign(
        nearest=np.where(visited, VISITED, names), minutes=np.where(visited, 0.0, least)
    )


def _placed(
    rows: pd.DataFrame, provisions: pd.DataFrame, minutes: np.ndarray, visited: np.ndarray
) -> tuple[pd.DataFrame, pd.DataFrame, pd.Series]:
    """Assign children to places; provisions whose places are not known take nobody."""
    known = provisions["places"].notna().to_numpy()
    room = provisions["places"].to_numpy(float)[known]
    wanting = np.flatnonzero(~visited)
    children = rows["children"].to_numpy(float)
    limit = rows["limit_second"].to_numpy(float)
    done = assign(children[wanting], minutes[np.ix_(wanting, known)], room, limit[wanting])
    labels = provisions.index[known]
    flows = pd.DataFrame(
        {
            "row": wanting[done.point],
            "provision": labels[done.place],
            "children": done.children,
            "minutes": done.minutes,
            "beyond": done.beyond,
        }
    )
    n = len(rows)
    placed = np.bincount(flows["row"], flows["children"], n)
    within = np.bincount(flows["row"], flows["children"] * ~flows["beyond"], n)
    travel = np.bincount(flows["row"], flows["children"] * flows["minutes"], n)
    unmet, reason = np.zeros(n), np.full(n, "", object)
    unmet[wanting], reason[wanting] = done.unmet, done.reason
    some_open = np.isfinite(minutes).any(axis=1)
    unknown = (unmet > 0) & some_open & ~np.isfinite(minutes[:, known]).any(axis=1)
    reason[unknown] = UNKNOWN_PLACES
    placed[visited] = within[visited] = children[visited]
    mean = np.divide(travel, placed, out=np.full(n, np.nan), where=placed > 0)
    out = rows.assign(
        placed=placed, placed_within=within, placed_minutes=mean, unmet=unmet, reason=reason
    )
    return out, flows, pd.Series(done.filled, index=labels, dtype=float)


def _access(
    rows: pd.DataFrame, provisions: pd.DataFrame, minutes: np.ndarray, visited: np.ndarray
) -> pd.DataFrame:
    """Return places per child by 2SFCA (one band to the second limit) and E2SFCA (`BANDS`).

    A provision that takes both phases offers each its part of the year groups. Children who are
    visited need no place and have no figure.
    """
    two, enhanced = np.full(len(rows), np.nan), np.full(len(rows), np.nan)
    both = sum(years_of(provisions, phase) for phase in PHASES)
    kinds = provisions["kind"].map(SERVES)
    for (kind, phase), at in rows[~visited].groupby(["kind", "phase"]).groups.items():
        part = years_of(provisions, str(phase)) / both
        offered = (provisions["places"] * part).where(kinds == kind, 0.0).fillna(0.0).to_numpy()
        children = rows.loc[at, "children"].to_numpy(float)
        limit = float(rows.loc[at, "limit_second"].iloc[0])
        two[at] = two_step(minutes[at], children, offered, ((limit, 1.0),))
        enhanced[at] = two_step(minutes[at], children, offered, BANDS[str(phase)])
    return rows.assign(access_2sfca=two, access=enhanced)


def _noted(provisions: pd.DataFrame, demand: Demand, settings: ProvisionTable) -> Iterator[str]:
    yield (
        f"Minutes are from door to door: driving × {settings.pickup_factor:g} + "
        f"{settings.pickup_minutes:g} for a shared vehicle and waiting."
    )
    barred = provisions[~admits_all(provisions, settings)]
    if len(barred):
        yield f"Counted as open to nobody, as they choose their pupils: {named(barred)}."
    single = provisions[provisions["sex"].isin(["boys", "girls"])]
    if len(single) and not demand.boys:
        yield (
            "The share of boys is not known; half of the children are taken to be boys where a "
            "provision is for one sex."
        )
