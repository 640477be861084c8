"""What plans that stand side by side give each cluster: budgets by the study's rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from clustering.comparing import Comparison
from clustering.inputs import Inputs
from clustering.pairs import Pair
from clustering.plan import Plan
from clustering.publish.money import plain_budgets


def with_budgets(found: Comparison, inputs: Inputs, plans: Mapping[str, Plan]) -> Comparison:
    """Return a comparison with budgets before and after by cluster, and their ends by plan.

    Pounds, NaN where a plan has no such cluster or no budget can be set. A study without a pot
    leaves the comparison as it is.
    """
    pounds: dict[str, pd.Series] = {}
    for name, plan in plans.items():
        budgets = plain_budgets(inputs, plan)
        if budgets is None:
            return found
        pounds[name] = budgets
    ends = pd.DataFrame(
        {name: [one.min(), one.max()] for name, one in pounds.items()},
        index=["smallest budget", "largest budget"],
    )
    pairs = {(a, b): _pair(pair, pounds[a], pounds[b]) for (a, b), pair in found.pairs.items()}
    return replace(found, figures=pd.concat([found.figures, ends]), pairs=pairs)


def _pair(pair: Pair, before: pd.Series, after: pd.Series) -> Pair:
    table = pair.clusters
    columns = {
        "budget_before": before.reindex(table["follows"]).to_numpy(float),
        "budget_after": after.reindex(table["cluster"]).to_numpy(float),
    }
    return replace(pair, clusters=table.assign(**columns))
