"""How many leavers stay in their cluster: Kent's districts, the plan of the study, and plans that
wish for feeders less or more; a part of benchmarks/results/budget.md.

Flows are estimated, for no council publishes them, so the figures say what clusters can do, not
what children do.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from clustering.inputs import Inputs
from clustering.plan import Plan
from clustering.problem import Problem
from clustering.report import assess
from clustering.solve.whole import solve

EFFORT = "quick"
"""Search only, limited by counts: the same plans on every machine."""
PRICES = {"the plan of the study": 1.0, "without the feeder goal": 0.0, "feeders at 4 minutes": 4.0}
"""Minutes of travel that a leaver who stays in the cluster is worth."""


def retention(inputs: Inputs, districts: Plan) -> list[str]:
    """Return the lines of the page: plans side by side, and how the flows came about."""
    rows = {"districts as clusters": _row(districts, inputs.problem)}
    for words, price in PRICES.items():
        goals = inputs.problem.goals.model_copy(update={"feeders": price})
        found = solve(replace(inputs.problem, goals=goals), effort=EFFORT)
        assert found.plan is not None
        assert assess(found.plan, inputs.problem).ok
        rows[words] = _row(found.plan, inputs.problem)
    feeders = inputs.feeders
    inside = feeders.links["pupils"].sum() + feeders.small["pupils"].sum()
    table = pd.DataFrame(rows).T
    lines = [
        "## Leavers who stay in their cluster",
        "",
        f"Of {inside:,.0f} leavers a year who go on to another school of Kent. **Every flow is "
        "estimated**, so this compares plans and measures no child. Non-selective leaves out those "
        "who go to a grammar school. The districts are far larger than any cluster: no plan that "
        "keeps their borders can keep more than they do.",
        "",
        f"| | clusters | {' | '.join(table.columns[1:])} |",
        f"|---|--:|{'--:|' * (len(table.columns) - 1)}",
    ]
    for words, row in table.iterrows():
        cells = " | ".join(row.iloc[1:])
        lines.append(f"| {words} | {row.iloc[0]} | {cells} |")
    named = feeders.links["pupils"].sum()
    lines += [
        "",
        f"“Named links” leaves out {len(feeders.small):,} links that are each below a tenth of a "
        f"school's leavers and below five pupils: {1 - named / inside:.0%} of all leavers. Without "
        "them every plan looks better than it is. Plans are searched for by effort "
        f'"{EFFORT}", without proof.',
        "",
        *(f"- {note}" for note in feeders.notes),
    ]
    return lines


def _row(plan: Plan, problem: Problem) -> dict[str, str]:
    none = np.zeros(0, np.int64)
    by_name = replace(problem, small_from=none, small_to=none, small_pupils=np.zeros(0))
    plain, named = assess(plan, problem).summary, assess(plan, by_name).summary
    return {
        "clusters": f"{len(plan)}",
        "all": f"{plain['feeders_kept_all']:.1%}",
        "non-selective": f"{plain['feeders_kept_non_selective']:.1%}",
        "all, named links": f"{named['feeders_kept_all']:.1%}",
        "non-selective, named links": f"{named['feeders_kept_non_selective']:.1%}",
        "mean minutes": f"{plain['mean_minutes']:.1f}",
    }
