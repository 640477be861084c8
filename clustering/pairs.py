"""Two plans side by side: who moves, who comes nearer to a hub or farther, what each place gains.

Minutes are estimates, so a difference within a tolerance counts as none: "within 1 minute:
unchanged". Nothing here solves anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from clustering.audit import Audit
from clustering.plan import Plan
from clustering.problem import Problem
from clustering.report import Report, assess, follows, moves

TOLERANCE = 1.0
"""Minutes by which a journey may differ and still count as unchanged."""
BANDS = ("nearer", "unchanged", "farther")
SIDES = ("before", "after")


@dataclass(frozen=True, eq=False)
class Pair:
    """What is different between two plans.

    `schools` has a row for each school in either: `urn, name, area, pupils, from_cluster,
    to_cluster, follows` (the cluster of the first plan that `to_cluster` continues), `moves`,
    `minutes_before, minutes_after` (to its hub; NaN: in no cluster), `difference`, `band` (nearer,
    unchanged, farther; "" where one side is missing). `clusters` and `areas` sum it up: schools and
    pupils by band, minutes, and `leavers_split`, pupils a year who go on to a school outside their
    cluster; clusters also by need and pupils on roll. `figures` is the whole plan in one row.
    """

    tolerance: float
    schools: pd.DataFrame
    clusters: pd.DataFrame
    areas: pd.DataFrame
    figures: Mapping[str, float]

    @property
    def moves(self) -> pd.DataFrame:
        """The schools that move: rows of `schools`."""
        return self.schools[self.schools["moves"]].reset_index(drop=True)


def pair(before: Plan, after: Plan, problem: Problem, *, tolerance: float = TOLERANCE) -> Pair:
    """Compare two plans of a problem; journeys within `tolerance` minutes count as unchanged.

    Raises `ValueError` for a tolerance below 0 and `PlanError` for schools the problem lacks.
    """
    if not tolerance >= 0:
        raise ValueError(f"a tolerance of {tolerance} minutes is below 0")
    plans = (before, after)
    reports = tuple(assess(plan, problem) for plan in plans)
    schools = _schools(plans, problem, tolerance)
    split = [leavers_split(plan, problem) for plan in plans]
    lost = pd.DataFrame(dict(zip(SIDES, split, strict=True)))
    lost = lost.reindex(schools["urn"]).fillna(0.0)
    return Pair(
        tolerance,
        schools,
        _clusters(plans, reports, schools),
        _areas(schools, lost),
        _figures(reports, schools, lost),
    )


def journeys(plan: Plan, problem: Problem) -> pd.Series:
    """Return the minutes of each clustered school to its hub, by URN; 0 for a hub."""
    found = {
        problem.urns[i]: float(problem.minutes[i, problem.position[cluster.hub]])
        for cluster in plan.clusters
        for i in problem.positions(cluster.schools)
    }
    return pd.Series(found, dtype=float)


def _schools(plans: tuple[Plan, Plan], problem: Problem, tolerance: float) -> pd.DataFrame:
    urns = sorted({*plans[0].cluster_of, *plans[1].cluster_of})
    places = problem.positions(urns)
    minutes = [journeys(plan, problem).reindex(urns).to_numpy() for plan in plans]
    difference = np.round(minutes[1] - minutes[0], 1)
    labels = [[plan.cluster_of.get(urn, "") for urn in urns] for plan in plans]
    continued = follows(*plans)
    moving = set(moves(*plans)["urn"])
    band = np.select(
        [difference < -tolerance, difference > tolerance, ~np.isnan(difference)],
        ["nearer", "farther", "unchanged"],
        "",
    )
    return pd.DataFrame(
        {
            "urn": urns,
            "name": [problem.names[i] for i in places],
            "area": [problem.area_names[problem.area[i]] for i in places],
            "pupils": problem.pupils[places],
            "from_cluster": labels[0],
            "to_cluster": labels[1],
            "follows": [continued.get(label, "") for label in labels[1]],
            "moves": [urn in moving for urn in urns],
            "minutes_before": minutes[0],
            "minutes_after": minutes[1],
            "difference": difference,
            "band": band,
        }
    )


def leavers_split(plan: Plan, problem: Problem) -> pd.Series:
    """Return the leavers a year of each school who go on to a school outside its cluster."""
    audit = Audit(plan, problem)
    split = audit.moves[~audit.moves["kept"]]
    urns = [audit.problem.urns[i] for i in split["origin"]]
    lost = split.set_axis(urns)["pupils"].groupby(level=0).sum()
    return lost.reindex(list(plan.cluster_of)).fillna(0.0)


def _bands(schools: pd.DataFrame) -> dict[str, int]:
    """Return schools and pupils by band."""
    found: dict[str, int] = {}
    for band in BANDS:
        chosen = schools[schools["band"] == band]
        found[f"schools_{band}"] = len(chosen)
        found[f"pupils_{band}"] = int(chosen["pupils"].sum())
    return found


def _mean(minutes: pd.Series) -> float:
    """Return the mean minutes of schools to their hub, hubs included; NaN for none."""
    return round(float(minutes.mean()), 2) if minutes.notna().any() else float("nan")


def _clusters(
    plans: tuple[Plan, Plan], reports: tuple[Report, ...], schools: pd.DataFrame
) -> pd.DataFrame:
    """Return a row for each cluster of the second plan, then for those of the first that ended."""
    old, new = (report.clusters.set_index("cluster") for report in reports)
    continued = follows(*plans)
    pairs = [(label, continued.get(label, "")) for label in plans[1].labels]
    pairs += [("", label) for label in plans[0].labels if label not in continued.values()]
    rows = []
    for label, was in pairs:
        inside = schools[schools["to_cluster"] == label] if label else schools.iloc[:0]
        gone = schools[(schools["from_cluster"] == was) & schools["moves"]] if was else ()
        row: dict[str, object] = {"cluster": label, "follows": was}
        row |= {"joined": int(inside["moves"].sum()), "left": len(gone), **_bands(inside)}
        for column, name in CLUSTER_FIGURES.items():
            row[f"{name}_before"] = old.at[was, column] if was else np.nan
            row[f"{name}_after"] = new.at[label, column] if label else np.nan
        rows.append(row)
    return pd.DataFrame(rows)


CLUSTER_FIGURES = {
    "schools": "schools",
    "pupils": "pupils",
    "need": "need",
    "mean_minutes": "mean_minutes",
    "feeder_pupils_lost": "leavers_split",
}
"""Columns of `clusters.csv` that are shown before and after, and what they are called here."""


def _areas(schools: pd.DataFrame, lost: pd.DataFrame) -> pd.DataFrame:
    rows = []
    split = lost.groupby(schools.set_index("urn")["area"]).sum()
    for area, inside in schools.groupby("area"):
        row: dict[str, object] = {"area": area, "schools": len(inside)}
        row |= {"moved": int(inside["moves"].sum()), **_bands(inside)}
        for side in SIDES:
            row[f"mean_minutes_{side}"] = _mean(inside[f"minutes_{side}"])
            row[f"leavers_split_{side}"] = round(float(split.at[area, side]), 1)
        rows.append(row)
    return pd.DataFrame(rows)


def _figures(
    reports: tuple[Report, ...], schools: pd.DataFrame, lost: pd.DataFrame
) -> dict[str, float]:
    moved = schools[schools["moves"]]
    found: dict[str, float] = {"schools_moved": len(moved)}
    found |= {"pupils_moved": int(moved["pupils"].sum()), **_bands(schools)}
    spread = "largest_to_smallest_need"
    for side, report in zip(SIDES, reports, strict=True):
        minutes = schools[f"minutes_{side}"]
        found[f"minutes_{side}"] = round(float(minutes.sum()), 1)
        found[f"mean_minutes_{side}"] = _mean(minutes)
        found[f"leavers_split_{side}"] = round(float(lost[side].sum()), 1)
        found[f"{spread}_{side}"] = report.summary.get(spread, float("nan"))
        found[f"objective_{side}"] = round(report.objective, 1)
        found[f"rules_broken_{side}"] = len(report.breaches)
    return found
