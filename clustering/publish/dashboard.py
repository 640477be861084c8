"""What the District Dashboard says: every group beside its district and the county, never ranked.

Counts, rates and pounds come from `Consultation.numbers` alone. How even need is between clusters
is told through the released pounds, which follow need, and not through need units: a need unit is
made of counts that have passed no gate.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

import pandas as pd

from clustering.audit import Audit
from clustering.publish.consultation import AREA, BUDGET, COUNTY, Consultation, Option
from clustering.publish.dashboard_charts import (
    COUNTY_PAGE,
    Bar,
    Chart,
    Figure,
    Mark,
    count_of,
    rate_of,
    scales,
    share,
    whole,
)
from clustering.publish.dashboard_groups import (
    AREA_PHASE,
    PHASE,
    SPECIAL_AREA,
    SPECIAL_COUNTY,
    SPECIAL_PLANS,
    area_phase,
    area_phases_of,
    phases_of,
)
from clustering.publish.dashboard_reach import reach_charts, reach_of
from clustering.publish.dashboard_trends import Trend, trends_of
from clustering.publish.disclosed import NOT_SHOWN
from clustering.publish.outcomes_file import CLUSTER, SCHOOL_GROUP
from clustering.publish.pack_rows import ClusterRow, cluster_rows, told
from clustering.publish.pages import MEASURES, areas_of, cluster_page, leavers_share, phase_words

SCHOOLS, DISTRICT, GROUPS = "schools", "district", "groups"
"""Parts of a page, beside the options' keys and the reach of SRPs."""
NONE_IN = "no school in a cluster"
RATE_HEADS = ("Share of pupils", "Pupils")
EVEN_STEP = 5
MEAN = "Mean cluster of the county"


@dataclass(frozen=True, eq=False)
class Dashboard:
    """Charts and trends of all pages; `tops` the end of each measure's scale."""

    areas: tuple[str, ...]
    charts: tuple[Chart, ...]
    trends: tuple[Trend, ...]
    missing: tuple[str, ...]
    """Outcomes nobody supplied, by name."""
    notes: tuple[str, ...]
    """What a planner must know of the outcomes; not for the pages."""
    tops: Mapping[str, float]


@lru_cache(maxsize=1)
def dashboard_of(consultation: Consultation) -> Dashboard:
    """Return what the dashboard says; kept, as pages and files ask for the same.

    Raises `OutcomesError` for a table of outcomes that cannot be used.
    """
    charts = (*_charts(consultation),)
    trends, missing, notes = trends_of(consultation)
    return Dashboard(tuple(areas_of(consultation)), charts, trends, missing, notes, scales(charts))


def _charts(consultation: Consultation) -> Iterator[Chart]:
    yield from _schools(consultation)
    yield from _measures(consultation)
    yield from _mainstream(consultation)
    for option in consultation.options:
        yield from _option(consultation, option)
    found = reach_of(consultation.inputs)
    if found is not None:
        yield from reach_charts(consultation, found)


# -- districts and school groups ------------------------------------------------------------------


def _schools(consultation: Consultation) -> Iterator[Chart]:
    """Yield how many schools there are, by phase."""
    table = consultation.inputs.table
    phases = [p for p in ("primary", "secondary") if (table["phase"] == p).any()]
    phases += sorted(set(table["phase"]) - set(phases))

    def bar(kind: str, group: str, own: pd.DataFrame) -> Bar:
        counts = (len(own), *((own["phase"] == phase).sum() for phase in phases))
        return Bar(kind, group, tuple(whole(n) for n in counts))

    heads = ("Schools", *(phase_words(phase).capitalize() for phase in phases))
    every = bar(COUNTY, COUNTY, table)
    own = {area: bar(AREA, area, rows) for area, rows in table.groupby("area", sort=True)}
    title = "Schools that take part, by phase"
    yield Chart(COUNTY_PAGE, SCHOOLS, "", title, heads, (*own.values(), every))
    for area in areas_of(consultation):
        yield Chart(area, SCHOOLS, "", title, heads, (own[area], every))


def _measures(consultation: Consultation) -> Iterator[Chart]:
    """Yield each measure by district, and by school group of county and district."""
    numbers, table = consultation.numbers, consultation.inputs.table
    groups = sorted(set(phases_of(table).values()))
    inside = set(area_phases_of(table).values())
    for measure in told(consultation):
        if measure == "pupils":
            continue
        title = _title(measure)

        def bar(kind: str, grouping: str, group: str, name: str, m: str = measure) -> Bar:
            figures = (rate_of(numbers, grouping, group, m), count_of(numbers, grouping, group, m))
            return Bar(kind, name, figures)

        every = bar(COUNTY, COUNTY, COUNTY, COUNTY)
        own = {area: bar(AREA, AREA, area, area) for area in areas_of(consultation)}
        phase = [bar(SCHOOL_GROUP, PHASE, g, f"{g}, county") for g in groups]
        county = Mark("county", every.figures[0])
        bars = (*own.values(), every)
        yield Chart(COUNTY_PAGE, DISTRICT, measure, title, RATE_HEADS, bars, (county,))
        if phase:
            yield Chart(COUNTY_PAGE, GROUPS, measure, title, RATE_HEADS, tuple(phase), (county,))
        for area in areas_of(consultation):
            marks = (county,)
            yield Chart(area, DISTRICT, measure, title, RATE_HEADS, (own[area], every), marks)
            here = [
                bar(SCHOOL_GROUP, AREA_PHASE, area_phase(area, g), f"{g}, {area}")
                for g in ("primary", "secondary", "secondary and all-through", "all-through")
                if area_phase(area, g) in inside
            ]
            if here:
                marks = (county, Mark("district", own[area].figures[0]))
                bars = (*here, *phase)
                yield Chart(area, GROUPS, measure, title, RATE_HEADS, bars, marks)


def _title(measure: str) -> str:
    words = MEASURES[measure]
    return words[:1].upper() + words[1:]


def _mainstream(consultation: Consultation) -> Iterator[Chart]:
    """Yield what part of children with an EHC plan learn in mainstream schools."""
    numbers = consultation.numbers
    if (SPECIAL_COUNTY, SPECIAL_PLANS) not in numbers.asked.tables:
        return
    districts = numbers.asked.groups.get(SPECIAL_AREA, {})

    def bar(kind: str, grouping: str, group: str, special: tuple[str, str]) -> Bar:
        here = numbers.shown(grouping, group, "ehc_plans")
        if special[0] == SPECIAL_AREA and special[1] not in districts:
            return Bar(kind, group, (Figure(NOT_SHOWN),))
        there = numbers.shown(*special, SPECIAL_PLANS)
        return Bar(kind, group, (_part(here.value, there.value, here.text, there.text),))

    every = bar(COUNTY, COUNTY, COUNTY, (SPECIAL_COUNTY, COUNTY))
    own = {a: bar(AREA, AREA, a, (SPECIAL_AREA, a)) for a in areas_of(consultation)}
    title = "Pupils with an EHC plan who are in mainstream schools"
    heads = ("Part of those in the county’s state schools",)
    note = (
        "By where the school is, not where the child lives. A district with one or two special "
        "schools is not shown, so that no figure is of a single school."
    )
    mark = Mark("county", every.figures[0])
    bars = (*own.values(), every)
    yield Chart(COUNTY_PAGE, DISTRICT, "mainstream", title, heads, bars, (mark,), note)
    for area, mine in own.items():
        yield Chart(area, DISTRICT, "mainstream", title, heads, (mine, every), (mark,), note)


def _part(here: float | None, there: float | None, *words: str) -> Figure:
    """Return a share of two released counts in whole per cent; the words of what is hidden."""
    if here is None or there is None:
        return Figure(words[0] if here is None else words[1])
    if here + there < 10:
        return Figure(NOT_SHOWN)
    return Figure(f"{100 * here / (here + there):.0f}%", round(100 * here / (here + there)))


# -- options --------------------------------------------------------------------------------------


def _option(consultation: Consultation, option: Option) -> Iterator[Chart]:
    """Yield the charts of an option: districts side by side, then each district's clusters."""
    rows = cluster_rows(consultation, option)
    areas = consultation.inputs.table["area"]
    ways, kept = _ways(consultation, option), _leavers(consultation, option)
    summary = option.report.summary
    travel = (whole(summary["mean_minutes"]), whole(summary["max_minutes"]))
    stay = share(leavers_share(*kept.sum().to_numpy(float))) if len(kept) else None
    known = stay is not None and stay.value is not None
    estimated = " (flows estimated)" if consultation.inputs.feeders.estimated else ""
    titles = {
        "minutes": "Minutes from schools to their hub",
        "leavers": f"Leavers who go on to a school of their cluster{estimated}",
    }
    heads = {"minutes": ("On average", "Longest way"), "leavers": ("Part of leavers",)}
    county = {"minutes": travel} | ({"leavers": (stay,)} if known and stay else {})

    def of_area(area: str, what: str) -> Bar:
        if what == "minutes":
            own = ways[ways["area"] == area]["minutes"]
            mean = round(float(own.mean()), 1) if len(own) else float("nan")
            return Bar(AREA, area, (whole(mean, NONE_IN), whole(own.max(), NONE_IN)))
        pair = kept.loc[area].to_numpy(float) if area in kept.index else (0.0, 0.0)
        return Bar(AREA, area, (share(leavers_share(*pair)),))

    for what, every in county.items():
        bars = [of_area(area, what) for area in areas_of(consultation)]
        bars.append(Bar(COUNTY, COUNTY, every))
        mark = (Mark("county", every[0]),)
        yield Chart(COUNTY_PAGE, option.key, what, titles[what], heads[what], tuple(bars), mark)
    for area in areas_of(consultation):
        urns = set(areas.index[areas == area])
        own = [row for row in rows if urns & set(option.plan[row.label].schools)]
        if not own:
            continue
        yield from _clusters(consultation, option, area, own)
        for what, every in county.items():
            bars = [
                _bar(option, row, (whole(row.mean_minutes), whole(row.max_minutes)))
                if what == "minutes"
                else _bar(option, row, (share(row.kept),))
                for row in own
            ]
            here = of_area(area, what)
            marks = (Mark("county", every[0]), Mark("district", here.figures[0]))
            bars += [here, Bar(COUNTY, COUNTY, every)]
            yield Chart(area, option.key, what, titles[what], heads[what], tuple(bars), marks)


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
        yield Chart(area, option.key, measure, _title(measure), RATE_HEADS, tuple(bars), marks)
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


def _leavers(consultation: Consultation, option: Option) -> pd.DataFrame:
    """Return leavers a year by the district they leave in: `kept, leavers`."""
    problem = consultation.inputs.problem
    moves = Audit(option.plan, problem).moves
    moves = moves[moves["home"] != ""]
    area = consultation.inputs.table["area"].loc[[problem.urns[i] for i in moves["origin"]]]
    pupils = moves["pupils"].to_numpy(float)
    table = pd.DataFrame({"kept": pupils * moves["kept"].to_numpy(bool), "leavers": pupils})
    return table.groupby(area.to_numpy(dtype=object)).sum()
