"""Sentences of the dashboard: what a district is like, in words, beside the county."""

from __future__ import annotations

from collections.abc import Iterator

from clustering.publish.consultation import AREA, COUNTY, Consultation
from clustering.publish.dashboard import Dashboard
from clustering.publish.dashboard_charts import Chart
from clustering.publish.dashboard_options import NONE_IN
from clustering.publish.disclosed import NOT_KNOWN, Cell
from clustering.publish.pack_rows import told
from clustering.publish.pages import counted, phase_words

WHAT = {
    "ehc_plans": ("have an EHC plan", "with an EHC plan"),
    "sen_support": ("have SEN support", "with SEN support"),
    "fsm6": (
        "had free school meals at some time in the last six years",
        "who had free school meals in the last six years",
    ),
}
NEAR = 0.05
"""Rates that differ by less than this part of the county's are about the same."""


def headline(consultation: Consultation, found: Dashboard, area: str) -> tuple[str, ...]:
    """Return a district in sentences: schools, rates beside the county's, ways in each option."""
    return (
        _schools(consultation, area),
        *_rates(consultation, area),
        *_ways(consultation, found, area),
    )


def _schools(consultation: Consultation, area: str) -> str:
    table = consultation.inputs.table
    phase = table.loc[table["area"] == area, "phase"].value_counts()
    order = [p for p in ("primary", "secondary") if p in phase] + sorted(
        set(phase.index) - {"primary", "secondary"}
    )
    parts = [f"{phase[p]} {phase_words(p)}" for p in order]
    listed = " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
    take = "takes" if phase.sum() == 1 else "take"
    return f"{counted(float(phase.sum()), 'school')} of {area} {take} part: {listed}."


def _rates(consultation: Consultation, area: str) -> Iterator[str]:
    numbers = consultation.numbers
    for measure in told(consultation):
        if measure == "pupils":
            continue
        own = numbers.rate(AREA, area, measure, "pupils")
        every = numbers.rate(COUNTY, COUNTY, measure, "pupils")
        predicate, noun = WHAT[measure]
        if own.value is None:
            word = "not known" if own.text == NOT_KNOWN else f"given as “{own.text}”"
            yield f"The share of pupils {noun} is {word}."
        else:
            yield f"{own.text} of pupils {predicate}{_beside(own.value, every)}."


def _beside(own: float, every: Cell) -> str:
    if every.value is None:
        return f"; for the county this is {every.text}" if every.text == NOT_KNOWN else ""
    if abs(own - every.value) <= NEAR * every.value:
        return f", about as many as in the county ({every.text})"
    return f", {'more' if own > every.value else 'fewer'} than in the county ({every.text})"


def _ways(consultation: Consultation, found: Dashboard, area: str) -> Iterator[str]:
    for option in consultation.options:
        figures = _minutes(found, option.key, area)
        if figures is None:
            continue
        mean, longest = figures
        if mean.text == NONE_IN:
            yield f"{option.name}: no school of the district is in a cluster."
            continue
        yield (
            f"{option.name}: schools are about {counted(mean.value or 0, 'minute')} from their "
            f"hub on average; the longest way takes {counted(longest.value or 0, 'minute')}."
        )


def _minutes(found: Dashboard, part: str, area: str) -> tuple[Cell, ...] | None:
    """Return the minutes of a district in an option, as the chart of all districts has them."""
    charts: list[Chart] = [
        c for c in found.charts if (c.page, c.part, c.measure) == ("", part, "minutes")
    ]
    bars = [bar for chart in charts for bar in chart.bars if (bar.kind, bar.group) == (AREA, area)]
    return tuple(figure.cell for figure in bars[0].figures) if bars else None


def reach_words(consultation: Consultation) -> str:
    """Return what the reach of SRPs is measured by."""
    provision = consultation.inputs.provision
    if provision is None or provision.demand is None:
        return ""
    return (
        f"SRPs as they are in {provision.demand.year}, and children who need a place: "
        f"{provision.demand.source}. Minutes are from door to door in a shared vehicle. The "
        "nearest SRP counts, whether or not it has a free place. Shares of fewer than ten "
        "children are not shown. No change to any SRP is proposed here."
    )


def no_reach_words(consultation: Consultation) -> str:
    """Return why there is no chart of reach."""
    if consultation.inputs.provision is None:
        return "Not supplied: the study holds no list of SRPs."
    return "Not supplied: the study does not say how many children need a place in an SRP."
