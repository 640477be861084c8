"""Reach told in tables: for the council, its districts, fifths of deprivation, and by name.

Every measure of inequality stands beside the absolute level, because levelling down lowers it too.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from clustering.provision.measures import (
    concentration_index,
    gini,
    p90_p10,
    share_within,
    theil,
    weighted_quantile,
)
from clustering.provision.reach import KEY, VISITED, Reach
from clustering.provision.register import for_type, serves
from clustering.provision.settings import SERVES

ALL = "all"
WORST = 5
"""So many of the worst-served places are named."""


def reach_table(found: Reach, by: Sequence[str] = ()) -> pd.DataFrame:
    """Return a row for each kind, need type and phase, and one for each kind and phase together.

    `by` adds columns of the rows, "area" or "fifth". Columns: children; provisions and places (of
    the type, as far as they are known, NaN = of none; a place for two types counts for both; not
    with `by` fifth); within_first and
    within_second (share of children whose nearest provision is within the limit); mean_minutes,
    median_minutes, p90_minutes to the nearest (of those who have one); placed_within, placed_beyond
    (share of children with a place), without_place (children); placed_minutes (mean); per_100_2sfca
    and per_100 (places per 100 children in reach, mean). Shares NaN without children.
    """
    rows = found.rows
    parts = [
        _summaries(rows, [*KEY, *by]),
        _summaries(rows.assign(need_type=ALL), [*KEY, *by]),
    ]
    table = pd.concat(parts, ignore_index=True)
    if "fifth" not in by:
        counts = [_offered(found.provisions, row, row.get("area")) for _, row in table.iterrows()]
        at = list(table.columns).index("children") + 1
        table.insert(at, "provisions", [n for n, _ in counts])
        table.insert(at + 1, "places", [p for _, p in counts])
    return table.sort_values([*KEY, *by], key=_all_last, ignore_index=True)


def _all_last(column: pd.Series) -> pd.Series:
    return column.map(lambda v: "~" if v == ALL else v) if column.name == "need_type" else column


def _summaries(rows: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    told = [
        {**dict(zip(keys, key, strict=True)), **_summary(part)}
        for key, part in rows.groupby(keys, sort=True)
    ]
    return pd.DataFrame(told, columns=None if told else [*keys, *_summary(rows)])


def _summary(rows: pd.DataFrame) -> dict[str, float]:
    children, minutes = rows["children"], rows["minutes"]
    there = np.isfinite(minutes)
    total = children.sum()

    def share(amount: float) -> float:
        return float(amount / total) if total > 0 else np.nan

    travelling = rows[there & (rows["nearest"] != VISITED)]
    placed = rows["placed"].sum() - rows.loc[rows["nearest"] == VISITED, "placed"].sum()
    travel = (rows["placed"] * rows["placed_minutes"]).sum()
    return {
        "children": float(total),
        "within_first": share_within(minutes, children, rows["limit_first"]),
        "within_second": share_within(minutes, children, rows["limit_second"]),
        "mean_minutes": _mean(travelling["minutes"], travelling["children"]),
        "median_minutes": weighted_quantile(travelling["minutes"], travelling["children"], 0.5),
        "p90_minutes": weighted_quantile(travelling["minutes"], travelling["children"], 0.9),
        "placed_within": share(rows["placed_within"].sum()),
        "placed_beyond": share((rows["placed"] - rows["placed_within"]).sum()),
        "without_place": float(rows["unmet"].sum()),
        "placed_minutes": float(travel / placed) if placed > 0 else np.nan,
        "per_100_2sfca": 100 * _mean(rows["access_2sfca"], children),
        "per_100": 100 * _mean(rows["access"], children),
    }


def _mean(values: pd.Series, weights: pd.Series) -> float:
    known = values.notna() & (weights > 0)
    total = weights[known].sum()
    return float((values[known] * weights[known]).sum() / total) if total > 0 else np.nan


def _offered(provisions: pd.DataFrame, row: pd.Series, area: object) -> tuple[int, float]:
    """Return how many provisions there are of a row's kind, type and phase, and their places."""
    fits = (provisions["kind"].map(SERVES) == row["kind"]) & serves(provisions, row["phase"])
    if row["need_type"] != ALL:
        fits &= for_type(provisions, row["need_type"])
    if area is not None:
        fits &= provisions["area"] == area
    return int(fits.sum()), float(provisions.loc[fits, "places"].sum(min_count=min(fits.sum(), 1)))


def inequality(found: Reach) -> pd.DataFrame:
    """Return how unequal reach is across children, by kind, need type and phase.

    Columns: children, level (places per child in reach, mean), gini, theil, theil_between and
    theil_within districts, p90_p10 of places per child; minutes_p90_p10; concentration of places
    (above 0: the poorer have less) and of minutes (below 0: the poorer travel longer) by IDACI.
    """
    told = []
    for key, part in found.rows[found.rows["nearest"] != VISITED].groupby(KEY, sort=True):
        children, access = part["children"], part["access"]
        minutes = part["minutes"].where(np.isfinite(part["minutes"]))
        t = theil(access, children, part["area"])
        told.append(
            {
                **dict(zip(KEY, key, strict=True)),
                "children": float(children.sum()),
                "level": _mean(access, children),
                "gini": gini(access, children),
                "theil": t.total,
                "theil_between": t.between,
                "theil_within": t.within,
                "p90_p10": p90_p10(access, children),
                "minutes_p90_p10": p90_p10(part["minutes"], children),
                "places_concentration": concentration_index(access, children, part["fifth"]),
                "minutes_concentration": concentration_index(minutes, children, part["fifth"]),
            }
        )
    return pd.DataFrame(told)


def worst_served(found: Reach, names: pd.Series, count: int = WORST) -> pd.DataFrame:
    """Return the places from which the way to the nearest provision is longest, by name.

    A row for each kind, need type and phase and place: place, name, area, children, nearest,
    minutes (inf = none open to them). `names` by point.
    """
    rows = found.rows.sort_values(["minutes", "children", "point"], ascending=[False, False, True])
    rows = rows.drop_duplicates([*KEY, "point"]).groupby(KEY, sort=True).head(count)
    labels = found.provisions["name"].to_dict()
    table = rows.assign(
        name=rows["point"].map(names), nearest=rows["nearest"].map(lambda n: labels.get(n, n))
    )
    columns = [*KEY, "point", "name", "area", "children", "nearest", "minutes"]
    return table.sort_values(KEY, kind="stable", ignore_index=True)[columns]


def without_a_place(found: Reach, names: pd.Series) -> pd.DataFrame:
    """Return the children without a place, by kind, type, phase, area and reason, most first."""
    rows = found.rows[found.rows["unmet"] > 0]
    table = rows.groupby([*KEY, "area", "reason"], as_index=False)["unmet"].sum()
    most = rows.sort_values(["unmet", "point"], ascending=[False, True])
    most = most.drop_duplicates([*KEY, "area", "reason"])
    most = most.assign(most_at=most["point"].map(names))[[*KEY, "area", "reason", "most_at"]]
    table = table.merge(most, on=[*KEY, "area", "reason"]).rename(columns={"unmet": "children"})
    return table.sort_values(
        ["children", *KEY, "area"], ascending=[False, True, True, True, True], ignore_index=True
    )


def places_per_pupils(
    provisions: pd.DataFrame, pupils: pd.DataFrame, plans: pd.Series
) -> pd.DataFrame:
    """Return places per 1,000 pupils and per 100 EHC plans by area and kind.

    `pupils` columns area, pupils of mainstream schools; `plans` EHC plans by area (NaN = unknown).
    Columns area, kind, places (those that are known; NaN = of no provision there), per_1000_pupils,
    per_100_plans. A row for each area and kind, 0 places where there is none.
    """
    areas = pupils.groupby("area")["pupils"].sum()
    kinds = provisions["kind"].map(SERVES)
    sums = provisions["places"].groupby([provisions["area"], kinds]).sum(min_count=1)
    every = pd.MultiIndex.from_product([areas.index, sorted(set(kinds))], names=["area", "kind"])
    out = sums.reindex(every).mask(~every.isin(sums.index), 0.0).rename("places").reset_index()
    out["per_1000_pupils"] = 1000 * out["places"] / out["area"].map(areas).astype(float)
    out["per_100_plans"] = 100 * out["places"] / out["area"].map(plans).astype(float)
    return out.sort_values(["area", "kind"], ignore_index=True)
