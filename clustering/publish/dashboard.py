"""What the District Dashboard says: every group beside its district and the county, never ranked.

Counts, rates and pounds come from `Consultation.numbers` alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

import pandas as pd

from clustering.publish.consultation import AREA, COUNTY, Consultation
from clustering.publish.dashboard_charts import (
    COUNTY_PAGE,
    RATE_HEADS,
    Bar,
    Chart,
    Figure,
    Mark,
    count_of,
    rate_of,
    scales,
    title_of,
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
from clustering.publish.dashboard_options import option_charts
from clustering.publish.dashboard_reach import reach_charts, reach_of
from clustering.publish.dashboard_trends import Trend, trends_of
from clustering.publish.disclosed import NOT_SHOWN
from clustering.publish.outcomes_file import SCHOOL_GROUP
from clustering.publish.pack_rows import told
from clustering.publish.pages import areas_of, phase_words

SCHOOLS, DISTRICT, GROUPS = "schools", "district", "groups"
"""Parts of a page, beside the options' keys and the reach of SRPs."""


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
        yield from option_charts(consultation, option)
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
        title = title_of(measure)

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
            bars = (own[area], every)
            yield Chart(area, DISTRICT, measure, title, RATE_HEADS, bars, (county,))
            here = [
                bar(SCHOOL_GROUP, AREA_PHASE, area_phase(area, g), f"{g}, {area}")
                for g in ("primary", "secondary", "secondary and all-through", "all-through")
                if area_phase(area, g) in inside
            ]
            if here:
                marks = (county, Mark("district", own[area].figures[0]))
                bars = (*here, *phase)
                yield Chart(area, GROUPS, measure, title, RATE_HEADS, bars, marks)


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
    heads = ("Share",)
    note = (
        "Of those in mainstream schools, special schools and alternative provision of the study, "
        "by where the school is, not where the child lives. A district with one or two special "
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
