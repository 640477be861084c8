"""The rows of a pack's tables, for its pages and for its files alike."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from clustering.publish.consultation import AREA, BUDGET, COUNTY, TODAY, Consultation, Option
from clustering.publish.disclosed import NOT_KNOWN, Cell
from clustering.publish.pack_numbers import SCHOOL
from clustering.publish.pages import leavers_share, phase_words

NO_ROLL = "no roll yet"


@dataclass(frozen=True)
class Number:
    """A released cell with the key under which it stands in the pack."""

    cell: Cell
    grouping: str
    group: str
    measure: str


@dataclass(frozen=True)
class SchoolRow:
    """What is said of a school: public facts, and its cluster's label by option key."""

    urn: str
    name: str
    sector: str
    phase: str
    area: str
    roll: str
    clusters: Mapping[str, str]


def school_rows(consultation: Consultation, urns: Iterable[str] | None = None) -> list[SchoolRow]:
    """Return the schools of the study, or those named, by name and then by URN."""
    table = consultation.inputs.table
    chosen = table if urns is None else table.loc[sorted(urns)]
    rows = [
        SchoolRow(
            str(urn),
            str(row["name"]),
            sector(str(row.get("postcode") or "")),
            phase_words(str(row["phase"])),
            str(row["area"]),
            roll(consultation, str(urn), float(row["pupils"])),
            {option.key: option.label_of(str(urn)) for option in consultation.options},
        )
        for urn, row in chosen.iterrows()
    ]
    return sorted(rows, key=lambda row: (row.name.casefold(), row.urn))


def sector(postcode: str) -> str:
    """Return the sector of a school's postcode: "CT1 2" of "CT1 2AB"; "" where none is known."""
    outward, _, inward = postcode.strip().upper().rpartition(" ")
    return f"{outward} {inward[0]}" if outward and inward[:1].isdigit() else ""


def roll(consultation: Consultation, urn: str, pupils: float) -> str:
    """Return a school's roll to ten, as it is released."""
    return NO_ROLL if math.isnan(pupils) else consultation.numbers.shown(SCHOOL, urn, "pupils").text


def told(consultation: Consultation) -> tuple[str, ...]:
    """Return the measures of which anything is known, `pupils` first."""
    names = ("pupils", *consultation.settings.measures)
    shown = consultation.numbers.shown
    districts = sorted(set(consultation.inputs.table["area"]))
    return tuple(
        name
        for name in names
        if any(shown(AREA, area, name).text != NOT_KNOWN for area in districts)
    )


def numbers_of(
    consultation: Consultation, grouping: str, group: str, *, rates: bool = False
) -> list[Number]:
    """Return what is released of a group: its measures, and their rates against pupils."""
    numbers = consultation.numbers
    found = []
    for name in told(consultation):
        found.append(Number(numbers.shown(grouping, group, name), grouping, group, name))
        if rates and name != "pupils":
            rate = numbers.rate(grouping, group, name, "pupils")
            found.append(Number(rate, grouping, group, f"{name} of pupils"))
    return found


def pounds_of(consultation: Consultation, option: Option, label: str) -> list[Number]:
    """Return the pounds of a cluster by formula, where pounds are released."""
    if not consultation.has_budget:
        return []
    cell = consultation.cell(option, label, BUDGET)
    return [Number(cell, option.key, label, f"{BUDGET} {option.key}")]


@dataclass(frozen=True)
class ClusterRow:
    """What is said of a cluster: facts of schools and minutes, and released numbers."""

    label: str
    number: int
    hub: str
    hub_name: str
    area: str
    schools: int
    primaries: int
    secondaries: int
    mean_minutes: float
    max_minutes: float
    kept: str
    numbers: tuple[Number, ...]


def cluster_rows(consultation: Consultation, option: Option) -> list[ClusterRow]:
    """Return the clusters of an option in the order of their labels."""
    facts = option.report.clusters.set_index("cluster").to_dict("index")
    return [_cluster_row(consultation, option, label, facts[label]) for label in option.plan.labels]


def _cluster_row(
    consultation: Consultation, option: Option, label: str, facts: Mapping[Any, Any]
) -> ClusterRow:
    table = consultation.inputs.table
    kept, lost = facts["feeder_pupils_kept"], facts["feeder_pupils_lost"]
    return ClusterRow(
        label,
        option.numbers[label],
        facts["hub"],
        str(table.at[facts["hub"], "name"]),
        main_area(consultation, option, label),
        int(facts["schools"]),
        int(facts["primaries"]),
        int(facts["secondaries"]),
        float(facts["mean_minutes"]),
        float(facts["max_minutes"]),
        leavers_share(kept, kept + lost),
        (
            *numbers_of(consultation, option.key, label),
            *pounds_of(consultation, option, label),
        ),
    )


def main_area(consultation: Consultation, option: Option, label: str) -> str:
    """Return the district of most schools of a cluster, the first by name of equals."""
    areas = consultation.inputs.table["area"].loc[list(option.plan[label].schools)]
    return str(areas.mode().sort_values().iloc[0])


@dataclass(frozen=True)
class Fact:
    """A line of the comparison of options: what, and its words for each option in order."""

    what: str
    words: tuple[str, ...]


def compared(consultation: Consultation) -> list[Fact]:
    """Return the options side by side, a line for each fact that any of them has."""
    columns = [dict(_facts(consultation, option)) for option in consultation.options]
    names = dict.fromkeys(name for column in columns for name in column)
    return [Fact(n, tuple(column.get(n, "–") for column in columns)) for n in names]


def _facts(consultation: Consultation, option: Option) -> Iterator[tuple[str, str]]:
    rows = option.report.clusters
    summary = option.report.summary
    yield "Clusters", str(len(rows))
    few, many = int(rows["schools"].min()), int(rows["schools"].max())
    yield "Schools in a cluster", str(few) if few == many else f"{few} to {many}"
    yield "Minutes to the hub, on average", f"{summary['mean_minutes']:.0f}"
    yield "Minutes to the hub, longest way", f"{summary['max_minutes']:.0f}"
    kept = leavers_share(rows["feeder_pupils_kept"].sum(), _leavers(rows))
    if kept:
        said = " (flows estimated)" if consultation.inputs.feeders.estimated else ""
        yield f"Leavers who go on to a school of their cluster{said}", kept
    if consultation.today is not None and not option.is_today:
        figures = consultation.pairs[TODAY, option.key].figures
        yield "Schools that change their cluster from today", f"{figures['schools_moved']:.0f}"
        yield "Schools nearer to their hub than today", f"{figures['schools_nearer']:.0f}"
        yield "Schools as near as today, within a minute", f"{figures['schools_unchanged']:.0f}"
        yield "Schools farther from their hub than today", f"{figures['schools_farther']:.0f}"
    yield "Rules broken", str(len(option.report.breaches)) if option.report.breaches else "none"


def _leavers(rows: Any) -> float:
    return float(rows["feeder_pupils_kept"].sum() + rows["feeder_pupils_lost"].sum())


def county_numbers(consultation: Consultation) -> list[Number]:
    """Return what is released of the whole county."""
    return numbers_of(consultation, COUNTY, COUNTY, rates=True)
