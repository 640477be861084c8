"""The pages of a pack that need no map: overview, clusters, districts, and schools with reasons."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from markupsafe import Markup

from clustering.publish.consultation import AREA, TODAY, Consultation, Option
from clustering.publish.pack_reasons import Why
from clustering.publish.pack_rows import (
    ClusterRow,
    Number,
    cluster_rows,
    compared,
    county_numbers,
    numbers_of,
    pounds_of,
    school_rows,
    told,
)
from clustering.publish.pack_tables import FILES
from clustering.publish.pack_words import (
    OBJECTIVE,
    breach_words,
    goals_words,
    left_out_words,
    rules_words,
    srps_of,
)
from clustering.publish.pages import (
    MEASURES,
    SHORT,
    areas_of,
    cluster_page,
    counted,
    marked,
    page,
    school_link,
    whole_minutes,
)

QUESTIONS = (
    "Which option do you think is best, and why?",
    "Is there a school that should be in another cluster? Please say which, and why.",
    "Is there anything else that we should know?",
)
"""What is asked where the study asks nothing of its own."""


def pages(consultation: Consultation) -> Iterator[tuple[str, str]]:
    """Yield the address and the text of each page: overview, schools, clusters, districts."""
    yield index_page(consultation)
    yield schools_page(consultation)
    for option in consultation.options:
        for row in cluster_rows(consultation, option):
            yield _cluster_page(consultation, option, row)
    for area in areas_of(consultation):
        yield _area_page(consultation, area)


def index_page(consultation: Consultation) -> tuple[str, str]:
    """Return the overview: the options side by side, how they were made, how to respond."""
    inputs, own = consultation.inputs, consultation.settings
    config = inputs.study.config
    return page(
        consultation,
        "index.html",
        consultation.title,
        "page_index.html",
        own=own,
        facts=compared(consultation),
        clusters={
            option.key: [_cluster_cells(consultation, option, row) for row in rows]
            for option in consultation.options
            for rows in [cluster_rows(consultation, option)]
        },
        columns=_columns(consultation),
        broken={o.key: [breach_words(b) for b in o.report.breaches] for o in consultation.options},
        rules=rules_words(config.rules),
        goals=goals_words(config.goals),
        objective=OBJECTIVE,
        need=inputs.need.banner,
        flows=inputs.feeders.source,
        left_out=left_out_words(inputs),
        no_roll=[row.name for row in school_rows(consultation, inputs.problem.no_roll)],
        county=_shown(county_numbers(consultation)),
        areas=[_area_cells(consultation, area) for area in areas_of(consultation)],
        area_columns=["District", "Schools", *_heads(consultation)],
        questions=own.questions or QUESTIONS,
        files=FILES,
    )


def schools_page(consultation: Consultation) -> tuple[str, str]:
    """Return the page on which everybody finds a school, its clusters, and why."""
    why = Why(consultation)
    rows = school_rows(consultation)
    return page(
        consultation,
        "schools.html",
        "Find your school",
        "page_schools.html",
        rows=rows,
        places={row.urn: why.places(row.urn) for row in rows},
        pages={
            option.key: {label: cluster_page(option, label) for label in option.plan.labels}
            for option in consultation.options
        },
        slugs=areas_of(consultation),
        objective=OBJECTIVE,
        postcodes=any(row.sector for row in rows),
    )


def _cluster_page(consultation: Consultation, option: Option, row: ClusterRow) -> tuple[str, str]:
    inputs, label = consultation.inputs, row.label
    cluster = option.plan[label]
    minutes = inputs.minutes.table
    near = {urn: whole_minutes(float(minutes.at[urn, cluster.hub])) for urn in cluster.schools}
    members = set(cluster.schools)
    labels = option.plan.labels
    at = labels.index(label)
    return page(
        consultation,
        cluster_page(option, label),
        f"{label} ({option.name})",
        "page_cluster.html",
        option=option,
        row=row,
        schools=school_rows(consultation, cluster.schools),
        near={**near, cluster.hub: "the hub"},
        summary=_summary(row),
        numbers=_shown(
            [
                *numbers_of(consultation, option.key, label, rates=True),
                *pounds_of(consultation, option, label),
            ]
        ),
        broken=[breach_words(b) for b in option.report.breaches if b.cluster == label],
        changes=_changes(consultation, option, label),
        links=_links(consultation, members),
        estimated=inputs.feeders.estimated,
        srps=[srp for srp in srps_of(inputs) if srp[0] in members],
        before=(cluster_page(option, labels[at - 1]), labels[at - 1]) if at else None,
        after=(cluster_page(option, labels[at + 1]), labels[at + 1])
        if at + 1 < len(labels)
        else None,
        slugs=areas_of(consultation),
    )


def _area_page(consultation: Consultation, area: str) -> tuple[str, str]:
    inputs = consultation.inputs
    inside = inputs.table.index[inputs.table["area"] == area]
    found = {}
    for option in consultation.options:
        here = {option.label_of(urn) for urn in inside}
        rows = [row for row in cluster_rows(consultation, option) if row.label in here]
        found[option.key] = [_cluster_cells(consultation, option, row) for row in rows]
    return page(
        consultation,
        f"areas/{areas_of(consultation)[area]}.html",
        area,
        "page_area.html",
        area=area,
        schools=school_rows(consultation, inside),
        pages={
            option.key: {label: cluster_page(option, label) for label in option.plan.labels}
            for option in consultation.options
        },
        clusters=found,
        columns=_columns(consultation),
        numbers=_shown(numbers_of(consultation, AREA, area, rates=True)),
        srps=[srp for srp in srps_of(inputs) if srp[4] == area],
        slug=areas_of(consultation)[area],
    )


def _heads(consultation: Consultation) -> list[str]:
    return [SHORT[name] for name in told(consultation)]


def _columns(consultation: Consultation) -> list[str]:
    money = [SHORT["budget"]] if consultation.has_budget else []
    facts = ["Cluster", "Hub", "Schools", "Primaries", "Secondaries", "Minutes to the hub"]
    return [*facts, *_heads(consultation), *money]


def _cluster_cells(consultation: Consultation, option: Option, row: ClusterRow) -> dict[str, Any]:
    return {
        "address": cluster_page(option, row.label),
        "label": row.label,
        "cells": [
            row.hub_name,
            row.schools,
            row.primaries,
            row.secondaries,
            f"{row.mean_minutes:.0f}",
            *(_mark(number) for number in row.numbers),
        ],
    }


def _area_cells(consultation: Consultation, area: str) -> dict[str, Any]:
    schools = int((consultation.inputs.table["area"] == area).sum())
    numbers = numbers_of(consultation, AREA, area)
    return {
        "address": f"areas/{areas_of(consultation)[area]}.html",
        "label": area,
        "cells": [schools, *(_mark(number) for number in numbers)],
    }


def _mark(number: Number) -> Markup:
    return marked(number.cell, number.grouping, number.group, number.measure)


def _shown(numbers: list[Number]) -> list[tuple[str, Markup]]:
    """Return released numbers with their names, a rate as "… as a share of pupils"."""
    found = []
    for number in numbers:
        name, of, _ = number.measure.partition(" of pupils")
        words = MEASURES[name.split()[0]]
        words = f"{words}, as a share of pupils on roll" if of else words
        found.append((words[0].upper() + words[1:], _mark(number)))
    return found


def _summary(row: ClusterRow) -> str:
    kinds = f"{counted(row.primaries, 'primary')} and {counted(row.secondaries, 'secondary')}"
    return (
        f"{counted(row.schools, 'school')}: {kinds}, an all-through school counted as both. "
        f"The hub is {row.hub_name}. Schools are {whole_minutes(row.mean_minutes)} from it on "
        f"average, the farthest {whole_minutes(row.max_minutes)}."
    )


def _changes(consultation: Consultation, option: Option, label: str) -> dict[str, Any] | None:
    """Return who joins and who leaves against the cluster of today that this one continues."""
    if consultation.today is None or option.is_today:
        return None
    found = consultation.pairs[TODAY, option.key]
    table = found.schools
    follows = dict(zip(found.clusters["cluster"], found.clusters["follows"], strict=True))[label]
    joined = table[(table["to_cluster"] == label) & table["moves"]]
    gone = table[(table["from_cluster"] == follows) & table["moves"]] if follows else joined[:0]
    return {
        "follows": follows,
        "address": cluster_page(consultation.today, follows) if follows else "",
        "joined": [(urn, name, old) for urn, name, old, _ in _named(joined)],
        "left": [(urn, name, new) for urn, name, _, new in _named(gone)],
    }


def _named(moved: Any) -> list[tuple[str, str, str, str]]:
    """Return URN, name, cluster before and after of schools, by name."""
    rows = moved.sort_values(["name", "urn"])[["urn", "name", "from_cluster", "to_cluster"]]
    return [(str(u), str(n), str(a), str(b)) for u, n, a, b in rows.itertuples(index=False)]


def _links(consultation: Consultation, members: set[str]) -> list[tuple[str, str, str, str]]:
    """Return feeder links inside a cluster that are wide enough to be told, without a number."""
    links, names = consultation.inputs.feeders.links, consultation.inputs.table["name"]
    wide = links[links["pupils"] >= consultation.settings.least_flow]
    wide = wide[wide["from_urn"].isin(members) & wide["to_urn"].isin(members)]
    found = [
        (str(names[a]), school_link(a), str(names[b]), school_link(b))
        for a, b in zip(wide["from_urn"], wide["to_urn"], strict=True)
    ]
    return sorted(found)
