"""The dashboard of an option: ways, leavers, and each district's clusters with their numbers.

How even need is between clusters is told through the released pounds, which follow need, and not
through need units: a need unit is made of counts that have passed no gate.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pandas as pd

from clustering.audit import Audit
from clustering.publish.consultation import AREA, BUDGET, COUNTY, Consultation, Option
from clustering.publish.dashboard_charts import (
    COUNTY_PAGE,
    RATE_HEADS,
    Bar,
    Chart,
    Figure,
    Mark,
    count_of,
    rate_of,
    share,
    title_of,
    whole,
)
from clustering.publish.disclosed import NOT_SHOWN
from clustering.publish.outcomes_file import CLUSTER
from clustering.publish.pack_rows import ClusterRow, cluster_rows, told
from clustering.publish.pages import areas_of, cluster_page, leavers_share

NONE_IN = "no school in a cluster"
EVEN_STEP = 5
"""How pounds stand to the mean cluster is told to so many per cent."""
MEAN = "Mean cluster of the county"


@dataclass(frozen=True)
class _Fact:
    """A fact of an option that needs no gate, with its figures by district and by cluster."""

    measure: str
    title: str
    heads: tuple[str, ...]
    county: tuple[Figure, ...]
    areas: Mapping[str, tuple[Figure, ...]]
    clusters: Mapping[str, tuple[Figure, ...]]

    def of_county(self, option: Option) -> Chart:
        """Return the chart of all districts."""
        bars = [Bar(AREA, area, figures) for area, figures in self.areas.items()]
        bars.append(Bar(COUNTY, COUNTY, self.county))
        marks = (Mark("county", self.county[0]),)
        return Chart(
            COUNTY_PAGE, option.key, self.measure, self.title, self.heads, tuple(bars), marks
        )

    def of_area(self, option: Option, area: str, rows: list[ClusterRow]) -> Chart:
        """Return the chart of a district and its clusters."""
        own = self.areas[area]
        bars = [_bar(option, row, self.clusters[row.label]) for row in rows]
        bars += [Bar(AREA, area, own), Bar(COUNTY, COUNTY, self.county)]
        marks = (Mark("county", self.county[0]), Mark("district", own[0]))
        return Chart(area, option.key, self.measure, self.title, self.heads, tuple(bars), marks)


def option_charts(consultation: Consultation, option: Option) -> Iterator[Chart]:
    """Yield the charts of an option: districts side by side, then each district's clusters."""
    rows = cluster_rows(consultation, option)
    areas = consultation.inputs.table["area"]
    facts = [_minutes(consultation, option, rows), _leavers(consultation, option, rows)]
    known = [fact for fact in facts if fact.county[0].value is not None]
    for fact in known:
        yield fact.of_county(option)
    for area in areas_of(consultation):
        urns = set(areas.index[areas == area])
        own = [row for row in rows if urns & set(option.plan[row.label].schools)]
        if own:
            yield from _clusters(consultation, option, area, own)
            for fact in known:
                yield fact.of_area(option, area, own)


def _minutes(consultation: Consultation, option: Option, rows: list[ClusterRow]) -> _Fact:
    """Return the minutes of schools to their hubs, hubs aside."""
    ways, summary = _ways(consultation, option), option.report.summary

    def figures(mean: float, longest: float) -> tuple[Figure, ...]:
        return whole(mean, NONE_IN), whole(longest, NONE_IN)

    by_area = ways.groupby("area")["minutes"].agg(["mean", "max"]).round(1)
    by_area = by_area.reindex(list(areas_of(consultation)))
    return _Fact(
        "minutes",
        "Minutes from schools to their hub",
        ("On average", "Longest way"),
        figures(summary["mean_minutes"], summary["max_minutes"]),
        {str(area): figures(row["mean"], row["max"]) for area, row in by_area.iterrows()},
        {row.label: figures(row.mean_minutes, row.max_minutes) for row in rows},
    )


def _leavers(consultation: Consultation, option: Option, rows: list[ClusterRow]) -> _Fact:
    """Return which part of leavers go on to a school of their cluster, by where they leave."""
    inputs = consultation.inputs
    moves = Audit(option.plan, inputs.problem).moves
    moves = moves[moves["home"] != ""]
    urns = [inputs.problem.urns[i] for i in moves["origin"]]
    pupils = moves["pupils"].to_numpy(float)
    table = pd.DataFrame({"kept": pupils * moves["kept"].to_numpy(bool), "leavers": pupils})
    by_area = table.groupby(inputs.table["area"].loc[urns].to_numpy(dtype=object)).sum()
    by_area = by_area.reindex(list(areas_of(consultation)), fill_value=0.0)
    estimated = " (flows estimated)" if inputs.feeders.estimated else ""
    return _Fact(
        "leavers",
        f"Leavers who go on to a school of their cluster{estimated}",
        ("Part of leavers",),
        (share(leavers_share(table["kept"].sum(), table["leavers"].sum())),),
        {
            str(area): (share(leavers_share(row["kept"], row["leavers"])),)
            for area, row in by_area.iterrows()
        },
        {row.label: (share(row.kept),) for row in rows},
    )


def _clusters(
    consultation: Consultation, option: Option, area: str, rows: list[ClusterRow]
) -> Iterator[Chart]:
    """Yield schools, released measures and pounds of a district's clusters in an option."""
    numbers = consultation.numbers
    bars = [
        _bar(option, r, (whole(r.schools), whole(r.primaries), whole(r.secondaries))) for r in rows
    ]
    heads = ("Schools", "Primary", "Secondary")
    yield Chart(area, option.key, "", "Schools of each cluster, by phase", heads, tuple(bars))
    for measure in told(consultation):
        if measure == "pupils":
            continue
        bars = [
            _bar(
                option,
                row,
                (
                    rate_of(numbers, option.key, row.label, measure),
                    count_of(numbers, option.key, row.label, measure),
                ),
            )
            for row in rows
        ]
        marks = (
            Mark("county", rate_of(numbers, COUNTY, COUNTY, measure)),
            Mark("district", rate_of(numbers, AREA, area, measure)),
        )
        yield Chart(area, option.key, measure, title_of(measure), RATE_HEADS, tuple(bars), marks)
    if consultation.has_budget:
        yield _pounds(consultation, option, area, rows)


def _pounds(consultation: Consultation, option: Option, area: str, rows: list[ClusterRow]) -> Chart:
    """Return the released pounds of a district's clusters, and how they stand to the mean."""
    every = [consultation.cell(option, label, BUDGET).value for label in option.plan.labels]
    known = [value for value in every if value is not None]
    # A mean of some clusters would be of no use; with one hidden it could tell of it, too.
    mean = sum(known) / len(known) if len(known) == len(every) and sum(known) > 0 else None
    bars = []
    for row in rows:
        cell = consultation.cell(option, row.label, BUDGET)
        pounds = Figure(cell.text, cell.value, (option.key, row.label, f"{BUDGET} {option.key}"))
        bars.append(_bar(option, row, (pounds, _against(cell.value, mean))))
    marks: tuple[Mark, ...] = ()
    if mean is not None:
        step = consultation.settings.round_pounds
        marks = (Mark("county", Figure(f"about £{step * round(mean / step):,}", mean), MEAN),)
    return Chart(
        area, option.key, f"{BUDGET} {option.key}", "Money by formula, before any protection",
        ("By formula", "Against the mean cluster"), tuple(bars), marks,
        "The money follows need, so this shows how evenly need is shared between clusters.",
    )  # fmt: skip


def _against(pounds: float | None, mean: float | None) -> Figure:
    """Return how pounds stand to the mean cluster, to `EVEN_STEP` per cent, in words."""
    if pounds is None or mean is None:
        return Figure(NOT_SHOWN)
    apart = EVEN_STEP * round((100 * pounds / mean - 100) / EVEN_STEP)
    if not apart:
        return Figure("about the mean", 0)
    return Figure(f"about {abs(apart)}% {'more' if apart > 0 else 'less'}", apart)


def _bar(option: Option, row: ClusterRow, figures: tuple[Figure, ...]) -> Bar:
    return Bar(CLUSTER, row.label, figures, option.key, cluster_page(option, row.label))


def _ways(consultation: Consultation, option: Option) -> pd.DataFrame:
    """Return the minutes of each school to its hub, hubs aside: `area, minutes` by URN."""
    inputs, plan = consultation.inputs, option.plan
    hubs = {urn: plan[label].hub for urn, label in plan.cluster_of.items()}
    urns = [urn for urn in sorted(hubs) if hubs[urn] != urn]
    minutes = [float(inputs.minutes.table.at[urn, hubs[urn]]) for urn in urns]
    return pd.DataFrame({"area": inputs.table["area"].reindex(urns), "minutes": minutes}, urns)
