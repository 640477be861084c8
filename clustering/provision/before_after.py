"""What a scenario changes: who is better and who worse off, by district, and money by year."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from clustering.provision.reach import KEY, VISITED, Reach
from clustering.provision.settings import SERVES, CostTable

TOLERANCE = 1.0
"""Minutes within which a journey counts as unchanged."""


def by_point(found: Reach) -> pd.DataFrame:
    """Return children, mean minutes to the nearest and children without a place of every point.

    Index point, kind, need_type, phase. Minutes are inf as soon as some of the children have none
    open to them.
    """
    rows = found.rows.assign(
        travel=found.rows["children"] * found.rows["minutes"],
        ride=found.rows["placed"] * found.rows["placed_minutes"].fillna(0.0),
    )
    table = rows.groupby(["point", *KEY])[["children", "travel", "unmet", "placed", "ride"]].sum()
    return pd.DataFrame(
        {
            "children": table["children"],
            "minutes": table["travel"] / table["children"],
            "unmet": table["unmet"],
            "placed": table["placed"],
            "ride": table["ride"],
        }
    )


def differences(before: Reach, after: Reach, tolerance: float = TOLERANCE) -> pd.DataFrame:
    """Return who is better and who is worse off, point by point, where anything changes.

    Columns point, kind, need_type, phase, area, children, minutes_before, minutes_after, change
    (`better`, `worse`: by more than `tolerance` minutes to the nearest provision),
    without_before and without_after (children without a place).
    """
    one, other = by_point(before), by_point(after)
    both = one.add_suffix("_before").join(other.add_suffix("_after"), how="outer")
    was, now = both["minutes_before"].fillna(np.inf), both["minutes_after"].fillna(np.inf)
    shorter = (now < was - tolerance) | (np.isinf(was) & np.isfinite(now))
    longer = (now > was + tolerance) | (np.isfinite(was) & np.isinf(now))
    table = pd.DataFrame(
        {
            "area": both.index.get_level_values("point").map(
                pd.concat([before.rows, after.rows])
                .drop_duplicates("point")
                .set_index("point")["area"]
            ),
            "children": both["children_after"].fillna(both["children_before"]),
            "minutes_before": was,
            "minutes_after": now,
            "change": np.select([shorter, longer], ["better", "worse"], "unchanged"),
            "without_before": both["unmet_before"].fillna(0.0),
            "without_after": both["unmet_after"].fillna(0.0),
        },
        index=both.index,
    ).reset_index()
    moved = (table["without_before"] - table["without_after"]).abs() > 1e-6
    table = table[(table["change"] != "unchanged") | moved]
    return table.sort_values([*KEY, "point"], ignore_index=True)


def by_area(before: Reach, after: Reach, tolerance: float = TOLERANCE) -> pd.DataFrame:
    """Return a row for each area, kind, need type and phase that a scenario touches, and in all.

    Columns area ("" first: the whole council), KEY, children, better, worse (children), within
    before and after (share within the second limit), mean minutes before and after (of those who
    travel to a provision that is open to them, NaN = nobody), without_before and without_after
    (children without a place).
    """
    changed = differences(before, after, tolerance)
    touched = changed[KEY].drop_duplicates()
    parts = []
    for whole in (True, False):
        keys = KEY if whole else ["area", *KEY]
        left, right = (_figures(found.rows, keys) for found in (before, after))
        both = left.add_suffix("_before").join(right.add_suffix("_after"), how="outer")
        for word in ("better", "worse"):
            own = changed[changed["change"] == word].groupby(keys)["children"].sum()
            both[word] = own.reindex(both.index).fillna(0.0)
        parts.append(both.reset_index().assign(**({"area": ""} if whole else {})))
    table = pd.concat(parts, ignore_index=True).merge(touched, on=KEY)
    table["children"] = table["children_after"].fillna(table["children_before"])
    columns = [
        *("area", *KEY, "children", "better", "worse", "within_before", "within_after"),
        *("minutes_before", "minutes_after", "without_before", "without_after"),
    ]
    return table[columns].sort_values(["area", *KEY], ignore_index=True)


def _figures(rows: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    there = _travelling(rows)
    within = rows["children"] * (rows["minutes"] <= rows["limit_second"])
    sums = (
        rows.assign(
            some=rows["children"].where(there, 0.0),
            travel=(rows["children"] * rows["minutes"]).where(there, 0.0),
            within=within,
        )
        .groupby(list(keys))[["children", "some", "travel", "within", "unmet"]]
        .sum()
    )
    return pd.DataFrame(
        {
            "children": sums["children"],
            "within": sums["within"] / sums["children"],
            "minutes": sums["travel"] / sums["some"].where(sums["some"] > 0),
            "without": sums["unmet"],
        }
    )


def cost_of_year(
    found: Reach, costs: CostTable, year: int, capital: pd.DataFrame | None = None,
    visiting: float = 0.0,
) -> dict[str, float]:  # fmt: skip
    """Return what the places of a year cost, in pounds, as the assignment fills them.

    Only kinds of provision count for which there is demand: without it, nobody knows how full they
    are. Keys year, places, filled, empty, funding (of filled and empty places), top_up (for the
    types whose amount is given), visiting (teachers of outreach), capital (NaN: a cost is not
    known) and total (without capital). A place in an SRP is paid at one rate filled and at another
    empty; a place in a special school or alternative provision at one.
    """
    table = found.provisions
    asked = table["kind"].map(SERVES).isin(found.rows["kind"].unique())
    known = table[asked & table["places"].notna()]
    filled = found.filled.reindex(known.index).fillna(0.0)
    places = known["places"].astype(float)
    own = known["kind"].isin(["special", "alternative"])
    each = (filled * costs.filled + (places - filled) * costs.empty).where(
        ~own, places * costs.special
    )
    types = found.rows["need_type"].iloc[found.flows["row"]].map(costs.top_up).fillna(0.0)
    top_up = float((found.flows["children"].to_numpy() * types.to_numpy()).sum())
    spent = 0.0
    if capital is not None:
        now = capital.loc[capital["year"] == year, "pounds"]
        spent = float("nan") if now.isna().any() else float(now.sum())
    return {
        "year": float(year),
        "places": float(places.sum()),
        "filled": float(filled.sum()),
        "empty": float((places - filled).sum()),
        "funding": float(each.sum()),
        "top_up": top_up,
        "visiting": visiting,
        "capital": spent,
        "total": float(each.sum()) + top_up + visiting,
    }


def side_by_side(
    states: Mapping[str, tuple[Reach, Reach | None, dict[str, float]]],
) -> pd.DataFrame:
    """Return several scenarios in one table: a column each, a row a figure.

    `states` by name: what is reached, what was before it (None for today's provision), and the cost
    of the year, its capital that of all years so far.
    """
    told = {}
    for name, (found, before, cost) in states.items():
        rows = found.rows
        total = rows["children"].sum()
        there = _travelling(rows)
        figures = {
            "children who need a place": total,
            "provisions": float(
                found.provisions["kind"].map(SERVES).isin(rows["kind"].unique()).sum()
            ),
            "places": cost["places"],
            "places filled": cost["filled"],
            "children without a place": rows["unmet"].sum(),
            "% with the nearest within the first limit": 100 * _part(rows, "limit_first"),
            "% with the nearest within the last limit": 100 * _part(rows, "limit_second"),
            "% placed within the last limit": 100 * rows["placed_within"].sum() / total
            if total > 0
            else np.nan,
            "mean minutes to the nearest": float(
                np.average(rows.loc[there, "minutes"], weights=rows.loc[there, "children"])
            )
            if rows.loc[there, "children"].sum() > 0
            else np.nan,
            "children better off": 0.0,
            "children worse off": 0.0,
            "pounds a year": cost["total"],
            "capital, once": cost["capital"],
        }
        if before is not None:
            changed = differences(before, found)
            for word in ("better", "worse"):
                amount = changed.loc[changed["change"] == word, "children"].sum()
                figures[f"children {word} off"] = float(amount)
        told[name] = figures
    return pd.DataFrame(told)


def _travelling(rows: pd.DataFrame) -> pd.Series:
    """Say who travels: children with a provision open to them who are not visited."""
    return np.isfinite(rows["minutes"]) & (rows["nearest"] != VISITED)


def _part(rows: pd.DataFrame, limit: str) -> float:
    total = rows["children"].sum()
    within = rows.loc[rows["minutes"] <= rows[limit], "children"].sum()
    return float(within / total) if total > 0 else np.nan
