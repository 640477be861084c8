"""The audit: what a plan is like, which rules it breaks, and its objective, from the problem alone.

Nothing here knows how a plan came about; it imports no solver. The objective is computed again
from schools, minutes and flows in whole hundredths of a minute, by the definitions in
`clustering.rules`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

from clustering.audit import Audit, Breach
from clustering.plan import Plan
from clustering.problem import Problem
from clustering.rules import CENTS


@dataclass(frozen=True, eq=False)
class Report:
    """What the audit found.

    `clusters` has one row a cluster (columns as in `clusters.csv`); `goals` is the price of each
    goal in minutes and sums to `objective`; `parts` is the objective of each part in minutes;
    `lent` names, by cluster, the associate secondary that serves it too ("" for a waiver).
    """

    clusters: pd.DataFrame
    breaches: tuple[Breach, ...]
    objective: float
    goals: Mapping[str, float]
    parts: Mapping[str, float]
    lent: Mapping[str, str]
    summary: Mapping[str, float]

    @property
    def ok(self) -> bool:
        """Does the plan keep every rule?"""
        return not self.breaches

    def _repr_html_(self) -> str:
        """Show the table of clusters and the breaches in a notebook."""
        table: str = self.clusters.to_html(index=False, border=0)
        if self.ok:
            return f"<p>Every rule is kept.</p>{table}"
        broken = "".join(f"<li>{escape(b.text)}</li>" for b in self.breaches)
        return f"<p>Rules broken:</p><ul>{broken}</ul>{table}"


def assess(plan: Plan, problem: Problem) -> Report:
    """Judge a plan: a table for each cluster, every breach in a sentence, the objective by goal.

    Any plan can be judged, also one that breaks rules or leaves schools out. Raises `PlanError` if
    it names a school that the problem does not hold.
    """
    audit = Audit(plan, problem)
    breaches = tuple(audit.breaches())
    goals = audit.goals()
    rows = [audit.row(cluster, breaches) for cluster in plan.clusters]
    parts = audit.parts()
    return Report(
        clusters=pd.DataFrame(rows),
        breaches=breaches,
        objective=sum(goals.values()) / CENTS,
        goals={name: value / CENTS for name, value in goals.items()},
        parts={name: value / CENTS for name, value in parts.items()},
        lent={label: problem.urns[i] if i >= 0 else "" for label, i in audit.lent.items()},
        summary=audit.summary(rows),
    )


def leavers_kept(report: Report, *, estimated: bool) -> str:
    """Say which part of the leavers stays in a cluster, "" where no flow is known.

    Of those to non-selective schools first, for grammar schools draw across many clusters; of all
    beside it where that is another figure. `estimated`: are any of the flows?
    """
    every = report.summary.get("feeders_kept_all")
    free = report.summary.get("feeders_kept_non_selective", every)
    if every is None or free is None:
        return ""
    label = " (flows estimated)" if estimated else ""
    if free == every:
        return f"{every:.0%} of leavers stay in their cluster{label}"
    return (
        f"{free:.0%} of leavers to non-selective schools stay in their cluster, {every:.0%} of all "
        f"leavers{label}"
    )


def compare(reports: Mapping[str, Report]) -> pd.DataFrame:
    """Return the county-wide figures of several plans side by side, one column a plan."""
    columns = {
        name: {
            "rules broken": len(report.breaches),
            "objective": round(report.objective, 1),
            **{f"price of {goal}": round(value, 1) for goal, value in report.goals.items()},
            **report.summary,
        }
        for name, report in reports.items()
    }
    return pd.DataFrame(columns)


def follows(before: Plan, after: Plan) -> dict[str, str]:
    """Return which cluster of `before` each cluster of `after` continues, by label.

    Matched by the largest overlap in sum (an assignment); a new cluster is left out.
    """
    overlap = np.zeros((len(after), len(before)), dtype=np.int64)
    row = {label: k for k, label in enumerate(after.labels)}
    column = {label: k for k, label in enumerate(before.labels)}
    for urn, label in after.cluster_of.items():
        if urn in before.cluster_of:
            overlap[row[label], column[before.cluster_of[urn]]] += 1
    rows, columns = linear_sum_assignment(-overlap)
    return {
        after.labels[r]: before.labels[c]
        for r, c in zip(rows.tolist(), columns.tolist(), strict=True)
        if overlap[r, c]
    }


def moves(before: Plan, after: Plan) -> pd.DataFrame:
    """Return who moves between two plans: `urn, from_cluster, to_cluster, follows`.

    Labels of `after` are matched to those of `before` by the largest overlap (an assignment), so a
    renamed cluster is not a move. `follows` is the cluster of `before` that `to_cluster` continues
    ("" for a new one).
    """
    continued = follows(before, after)
    found = []
    for urn in sorted(set(before.cluster_of) | set(after.cluster_of)):
        old, new = before.cluster_of.get(urn, ""), after.cluster_of.get(urn, "")
        if continued.get(new, "") != old or not new:
            found.append((urn, old, new, continued.get(new, "")))
    return pd.DataFrame(found, columns=["urn", "from_cluster", "to_cluster", "follows"])
