"""What a set of sites does, told in children, minutes and pounds as they were given."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clustering.provision.site_choice import Bools, Floats, Ints, SiteChoice, Whole
from clustering.provision.site_model import Found

NOBODY = 1e-9
"""Children below which nobody is there: what is left when all of a point are sent elsewhere."""


@dataclass(frozen=True)
class Figures:
    """What a set of sites does, from the numbers as given."""

    newly_within: float
    """Children within their limit who are not today."""
    share_within: float
    """Share (0..1) of all children within their limit; NaN with no children."""
    least_group_share: float
    """The same in the group where it is least; NaN without groups."""
    mean_minutes: float
    """Of the children with a provision; NaN if there are none."""
    greatest_minutes: float
    """Of the child with most among those with a provision; NaN if there are none."""
    without: float
    """Children without any provision."""
    child_minutes: float
    """Minutes of all children with a provision, one way, summed."""
    pounds: float
    """Cost of the sites; 0 if none is given."""


def figures_of(choice: SiteChoice, whole: Whole, found: Found) -> Figures:
    """Return the figures of a set of sites; where places limit, by the flows that came with it."""
    children, limit = np.asarray(choice.children, float), np.asarray(choice.limit, float)
    minutes, now = np.asarray(choice.minutes, float), np.asarray(choice.minutes_now, float)
    chosen = list(found.chosen)
    if whole.room is None:
        point = np.arange(len(children))
        child, minute = children, np.minimum(now, minutes[:, chosen].min(axis=1, initial=np.inf))
    else:
        flows = np.array(found.flows, np.int64).reshape(-1, 3)
        part = flows[:, 2] / np.maximum(whole.weight, 1)[flows[:, 0]]
        stays = 1.0 - np.bincount(flows[:, 0], part, len(children))
        point = np.append(flows[:, 0], np.arange(len(children)))
        child = np.append(part, np.maximum(stays, 0.0)) * children[point]
        minute = np.append(minutes[flows[:, 0], flows[:, 1]], now)
    within = np.isfinite(minute) & (minute <= limit[point])
    served = np.isfinite(minute) & (child > NOBODY)
    total = child[served].sum()
    sums = float(child[served] @ minute[served])
    cost = np.zeros(minutes.shape[1]) if choice.cost is None else np.asarray(choice.cost, float)
    today = np.isfinite(now) & (now <= limit)
    return Figures(
        newly_within=float(child[within].sum() - children[today].sum()),
        share_within=_share(child, within),
        least_group_share=_least(choice, child, within, point),
        mean_minutes=sums / float(total) if total else np.nan,
        greatest_minutes=float(minute[served].max()) if served.any() else np.nan,
        without=float(child[~np.isfinite(minute)].sum()),
        child_minutes=sums,
        pounds=float(cost[chosen].sum()),
    )


def _share(child: Floats, within: Bools) -> float:
    return float(child[within].sum() / child.sum()) if child.sum() else np.nan


def _least(choice: SiteChoice, child: Floats, within: Bools, point: Ints) -> float:
    if choice.groups is None:
        return np.nan
    group = np.asarray(choice.groups)[point]
    shares = [_share(child[group == one], within[group == one]) for one in np.unique(group)]
    known = [share for share in shares if not np.isnan(share)]
    return min(known, default=np.nan)
