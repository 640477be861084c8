"""Outcomes by year on the dashboard, with small numbers hidden so that they stay hidden.

The figures come aggregated, so the gate of `disclosure` cannot see the schools behind them. What is
hidden here is hidden by the rule of thumb of official statistics: a rate of fewer pupils than the
threshold, of all but so few, or of fewer than ten in all, and then as many more of the groups that
make up a shown whole as it takes that no difference is of fewer than the threshold.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from clustering.budget import phase_group
from clustering.publish.consultation import AREA, COUNTY, TODAY, Consultation
from clustering.publish.dashboard_charts import COUNTY_PAGE, Figure
from clustering.publish.disclosed import EITHER, NOT_KNOWN, SMALLEST_WHOLE
from clustering.publish.outcomes_file import (
    CLUSTER,
    PER_CENT,
    PUPILS,
    SCHOOL_GROUP,
    SCHOOL_GROUPS,
    SLOTS,
    Outcomes,
    read_outcomes,
)

UNIT_WORDS: Mapping[str, str] = {
    PER_CENT: "per cent",
    "per 100": "for every 100 pupils",
    PUPILS: "pupils",
}
Key = tuple[str, str]
"""A group: its type and its name."""


@dataclass(frozen=True)
class Line:
    """A group's figures, one a year of the trend."""

    kind: str
    group: str
    figures: tuple[Figure, ...]


@dataclass(frozen=True)
class Trend:
    """A measure over years on one page: lines of groups, and the ends of the scale they share."""

    page: str
    measure: str
    title: str
    unit: str
    years: tuple[str, ...]
    lines: tuple[Line, ...]
    low: float
    high: float


def trends_of(
    consultation: Consultation,
) -> tuple[tuple[Trend, ...], tuple[str, ...], tuple[str, ...]]:
    """Return the trends of all pages, the names of outcomes nobody supplied, and notes.

    Clusters of outcomes are today's, for proposals have no past. Raises `OutcomesError`.
    """
    own = consultation.settings
    if own.outcomes is None:
        return (), tuple(SLOTS.values()), ()
    clusters = _clusters(consultation)
    areas = sorted(set(consultation.inputs.table["area"]))
    path = consultation.inputs.study.resolve(own.outcomes)
    outcomes = read_outcomes(path, {AREA: areas, CLUSTER: sorted(clusters)})
    families = families_of(areas, clusters, _school_groups(consultation))
    shown = protect(outcomes.rows, families, own.threshold)
    pages = {
        COUNTY_PAGE: [*((AREA, area) for area in areas), (COUNTY, COUNTY), *_phases(outcomes)],
        **{
            area: [
                (AREA, area),
                (COUNTY, COUNTY),
                *((CLUSTER, name) for name, there in clusters.items() if area in there),
            ]
            for area in areas
        },
    }
    missing = tuple(words for name, words in SLOTS.items() if name not in outcomes.measures)
    return tuple(_trends(outcomes, shown, pages)), missing, outcomes.notes


def _clusters(consultation: Consultation) -> dict[str, tuple[str, ...]]:
    """Return today's clusters and the districts their schools stand in."""
    today = next((o for o in consultation.options if o.key == TODAY), None)
    if today is None:
        return {}
    area = consultation.inputs.table["area"]
    return {
        cluster.label: tuple(sorted(set(area.loc[list(cluster.schools)])))
        for cluster in today.plan.clusters
    }


def _school_groups(consultation: Consultation) -> list[str]:
    """Return the school groups that the county has, as a file of outcomes calls them."""
    phase = consultation.inputs.table["phase"]
    through = phase == "all_through"
    return sorted(set(phase_group(phase).mask(through, "all-through")))


def _phases(outcomes: Outcomes) -> list[Key]:
    own = outcomes.rows[outcomes.rows["group_type"] == SCHOOL_GROUP]
    return [(SCHOOL_GROUP, name) for name in sorted(set(own["group"]))]


def families_of(
    areas: Sequence[str],
    clusters: Mapping[str, tuple[str, ...]],
    phases: Sequence[str] = SCHOOL_GROUPS,
) -> dict[tuple[Key, str], list[Key]]:
    """Return which groups make up which: by the whole and the type of its parts.

    `clusters` with the districts they stand in; `phases` the school groups that there are. A
    district is made up of clusters only where none of them reaches into another.
    """
    county: Key = (COUNTY, COUNTY)
    found: dict[tuple[Key, str], list[Key]] = {
        (county, AREA): [(AREA, area) for area in areas],
        (county, SCHOOL_GROUP): [(SCHOOL_GROUP, name) for name in phases],
        (county, CLUSTER): [(CLUSTER, name) for name in clusters],
    }
    for area in areas:
        here = {name: there for name, there in clusters.items() if area in there}
        if all(there == (area,) for there in here.values()):
            found[(AREA, area), CLUSTER] = [(CLUSTER, name) for name in here]
    return found


def protect(
    rows: pd.DataFrame, families: Mapping[tuple[Key, str], list[Key]], threshold: int
) -> pd.Series:
    """Return what each row may say: `Figure`, by its index.

    A figure of few, and one whose giver suppressed it, is `EITHER`; so is what would give it away.
    What is not known stays `NOT_KNOWN` and hides nothing.
    """
    few = rows["numerator"] < threshold
    few |= rows["denominator"] < SMALLEST_WHOLE
    # "48 of 50" tells of the two as "2 of 50" would.
    few |= (rows["unit"] == PER_CENT) & (rows["denominator"] - rows["numerator"] < threshold)
    few |= (rows["unit"] == PUPILS) & (rows["value"] < threshold)
    known = rows["value"].notna() | rows["hidden"]
    hidden = set(rows.index[(few & known) | rows["hidden"]])
    for _, part in rows[known].groupby(["measure", "year"], sort=True):
        at = {
            (k, g): i for i, k, g in zip(part.index, part["group_type"], part["group"], strict=True)
        }
        sizes = {i: _size(rows.loc[i], threshold) for i in part.index}
        while (more := _exposing(at, sizes, families, hidden, threshold)) is not None:
            hidden.add(more)
    figures = [
        Figure(NOT_KNOWN) if not ok else Figure(EITHER) if i in hidden else _figure(rows.loc[i])
        for i, ok in known.items()
    ]
    return pd.Series(figures, index=rows.index, dtype=object)


def _size(row: pd.Series, threshold: int) -> float:
    """Return how many pupils a row is of, or leaves out, whichever are fewer.

    As far as its file says: at least 1 where it hides it.
    """
    if row["unit"] == PUPILS and not np.isnan(row["value"]):
        return float(row["value"])
    if not np.isnan(row["numerator"]):
        rest = row["denominator"] - row["numerator"] if row["unit"] == PER_CENT else np.nan
        return float(np.fmin(row["numerator"], rest))
    return float(threshold) if not row["hidden"] else 1.0


def _exposing(
    at: Mapping[Key, int],
    sizes: Mapping[int, float],
    families: Mapping[tuple[Key, str], list[Key]],
    hidden: set[int],
    threshold: int,
) -> int | None:
    """Return the row that must be hidden next; None where nothing can be worked out any more."""
    for (whole, _), parts in families.items():
        if whole not in at or at[whole] in hidden:
            continue
        rows = [at[part] for part in parts if part in at]
        if len(rows) < len(parts):
            continue  # what is not in the file cannot be taken from the whole
        dark = [i for i in rows if i in hidden]
        if not dark or (len(dark) > 1 and sum(sizes[i] for i in dark) >= threshold):
            continue
        left = sorted((i for i in rows if i not in hidden), key=lambda i: (sizes[i], i))
        return left[0] if left else at[whole]
    return None


def _figure(row: pd.Series) -> Figure:
    value = float(row["value"])
    if row["unit"] == PUPILS:
        return Figure(f"{value:,.0f}", value)
    return Figure(f"{value:.1f}{'%' if row['unit'] == PER_CENT else ''}", round(value, 1))


def _trends(
    outcomes: Outcomes, shown: pd.Series, pages: Mapping[str, list[Key]]
) -> Iterator[Trend]:
    for measure, title in outcomes.measures.items():
        rows = outcomes.rows[outcomes.rows["measure"] == measure]
        years = tuple(sorted(set(rows["year"])))
        keys = zip(rows["group_type"], rows["group"], rows["year"], strict=True)
        figures = dict(zip(keys, shown.loc[rows.index], strict=True))
        values = [figure.value for figure in figures.values() if figure.value is not None]
        low, high = (min(values), max(values)) if values else (0.0, 0.0)
        unit = str(rows["unit"].iloc[0])
        for page, groups in pages.items():
            lines = tuple(
                Line(
                    kind,
                    name,
                    tuple(figures.get((kind, name, y), Figure(NOT_KNOWN)) for y in years),
                )
                for kind, name in groups
                if any((kind, name, year) in figures for year in years)
            )
            if lines:
                yield Trend(page, measure, title, unit, years, lines, low, high)
