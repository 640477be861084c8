"""How much a cluster's place depends on the exact weights: draws of weights around the chosen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from clustering.need import Need
from clustering.plan import Plan

CONCENTRATION = 100.0
"""How close draws lie to the chosen weights: a weight of 50 % has a standard deviation of 5 %."""


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """What other weights would do to the clusters of a plan.

    `table` (index cluster, by share): share and rank (1 = most need) under the chosen weights, the
    lowest and highest rank in any draw, the 5th and 95th percentile of the share, and whether the
    rank ever changes. `draws` has the weights of each draw.
    """

    table: pd.DataFrame
    draws: pd.DataFrame

    @property
    def changing(self) -> tuple[str, ...]:
        """Clusters whose rank changes in some draw."""
        return tuple(self.table.index[self.table["changes"]])


def sensitivity(
    need: Need,
    plan: Plan,
    *,
    draws: int = 200,
    seed: int = 1,
    concentration: float = CONCENTRATION,
) -> Sensitivity:
    """Return how the need of clusters, and so their formula budget, moves with the weights.

    Weights are drawn from a Dirichlet distribution whose mean are the chosen ones. The same seed
    gives the same table, in whatever order schools and clusters stand.
    """
    factors = sorted(need.weights)
    chosen = np.array([need.weights[f] for f in factors])
    drawn = np.random.default_rng(seed).dirichlet(chosen * concentration, size=draws)
    measures = need.measures.table[factors]
    label = pd.Series(dict(plan.cluster_of), dtype=object).reindex(measures.index)
    part = (measures / measures.sum()).groupby(label).sum()
    part = part.reindex(sorted(plan.labels)).fillna(0.0)
    shares = part.to_numpy() @ drawn.T
    now = part.to_numpy() @ chosen
    ranks = np.apply_along_axis(_ranks, 0, shares)
    table = pd.DataFrame(
        {
            "share": now,
            "rank": _ranks(now),
            "rank_from": ranks.min(axis=1),
            "rank_to": ranks.max(axis=1),
            "share_p5": np.quantile(shares, 0.05, axis=1),
            "share_p95": np.quantile(shares, 0.95, axis=1),
        },
        index=part.index.rename("cluster"),
    )
    table["changes"] = (table["rank_from"] != table["rank"]) | (table["rank_to"] != table["rank"])
    return Sensitivity(table.sort_values("rank"), pd.DataFrame(drawn, columns=factors))


def rank_sentence(found: Sensitivity) -> str:
    """Say how many clusters change rank under other weights, and which move farthest."""
    table = found.table
    if not len(found.changing):
        return "No cluster changes its rank by need under slightly different weights."
    span = (table["rank_to"] - table["rank_from"]).sort_values(ascending=False, kind="stable")
    most = ", ".join(
        f"{label} ({table.at[label, 'rank_from']} to {table.at[label, 'rank_to']})"
        for label in span.index[:3]
        if span[label] > 0
    )
    return (
        f"In {len(found.draws)} draws of slightly different weights, {len(found.changing)} of "
        f"{len(table)} clusters change rank by need; most of all {most}."
    )


def _ranks(shares: np.ndarray) -> np.ndarray:
    """Return ranks from 1, the largest share first; of equal shares the first in order."""
    order = np.argsort(-np.round(shares, 12), kind="stable")
    ranks = np.empty(len(shares), dtype=np.int64)
    ranks[order] = np.arange(1, len(shares) + 1)
    return ranks
