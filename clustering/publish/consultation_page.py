"""The map of a consultation: all options in one file, to switch and compare, and the same in words.

Numbers of pupils stand in its tables only, and come from `Consultation.numbers`; what the map is
drawn from has none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import folium
import geopandas as gpd
import pandas as pd
from markupsafe import Markup

from clustering.pairs import journeys
from clustering.provision.register import types_of
from clustering.provision.settings import KINDS, NEED_TYPES
from clustering.publish.consultation import Consultation, Option
from clustering.publish.pack_pages import QUESTIONS
from clustering.publish.pack_rows import cluster_rows, compared, school_rows, told
from clustering.publish.pack_words import srp_table, srps_of, type_words
from clustering.publish.pages import (
    CHANGES_NOTHING,
    SHORT,
    cluster_page,
    marked,
    pack_of,
    render,
    school_link,
    styles,
    whole_minutes,
)
from clustering.publish.plan_map import areas_of, cluster_outlines, context_of, feeder_links
from geo.areas import NATIONAL_GRID
from geo.options_map import OptionLayer, OptionsMapData, draw_options

ADDRESS = "consultation.html"
TITLE = "Map of the options"
NO_CLUSTER = "in no cluster"


def pages(consultation: Consultation) -> Iterator[tuple[str, str]]:
    """Yield the address and the text of the page."""
    yield ADDRESS, consultation_map(consultation).get_root().render()


def consultation_map(consultation: Consultation) -> folium.Map:
    """Return the page as a map, for a notebook cell."""
    pack = pack_of(consultation)
    frame = {"pack": pack, "root": "", "here": ADDRESS}
    return draw_options(
        _data(consultation),
        Markup(render("page_header.html", **frame)),
        Markup(render("consultation_words.html", pack=pack, **_words(consultation))),
        Markup(render("page_footer.html", **frame)),
        styles(),
    )


def _data(consultation: Consultation) -> OptionsMapData:
    inputs, own = consultation.inputs, consultation.settings
    rows = school_rows(consultation)
    table = inputs.table.loc[[row.urn for row in rows]]
    schools = table[["name", "phase", "area", "easting", "northing", "selective"]].assign(
        sector=[row.sector for row in rows]
    )
    provisions = srp_table(inputs)
    return OptionsMapData(
        title=f"{TITLE} – {consultation.title}{' (draft)' if own.draft else ''}",
        heading=TITLE,
        schools=schools,
        options=[_layer(consultation, option) for option in consultation.options],
        moves={keys: list(found.moves["urn"]) for keys, found in consultation.pairs.items()},
        links=_links(consultation),
        provisions=provisions.assign(
            kind_words=[KINDS[kind] for kind in provisions["kind"]],
            types=[types_of(codes) for codes in provisions["need_types"]],
            types_words=[type_words(codes) for codes in provisions["need_types"]],
        ),
        areas=areas_of(inputs),
        sentence=CHANGES_NOTHING,
        school_page=school_link(""),
        first=(consultation.proposals or consultation.options)[0].key,
        types=_types(provisions),
        context=context_of(inputs),
        tiles=own.tiles or "",
        tiles_credit=own.tiles_credit,
    )


def _layer(consultation: Consultation, option: Option) -> OptionLayer:
    plan = option.plan
    shapes = cluster_outlines(consultation.inputs, plan.cluster_of).reindex(list(plan.labels))
    clusters = gpd.GeoDataFrame(
        {
            "number": [option.numbers[label] for label in plan.labels],
            "name": list(plan.labels),
            "hub": [cluster.hub for cluster in plan.clusters],
            "page": [cluster_page(option, label) for label in plan.labels],
        },
        index=pd.Index(plan.labels, dtype=object),
        geometry=shapes.to_numpy(),
        crs=NATIONAL_GRID,
    )
    minutes = journeys(plan, consultation.inputs.problem)
    return OptionLayer(option.key, option.name, clusters, plan.cluster_of, minutes)


def _links(consultation: Consultation) -> pd.DataFrame:
    """Return the feeder links of enough pupils without their number, and who keeps them."""
    inputs, kept = consultation.inputs, {}
    for option in consultation.options:
        found = feeder_links(inputs, option.plan, option.report)
        wide = found["pupils"] >= consultation.settings.least_flow
        kept[option.key] = found.loc[wide, "kept"]
    wide = inputs.feeders.links["pupils"] >= consultation.settings.least_flow
    links = inputs.feeders.links.loc[wide, ["from_urn", "to_urn", "estimated"]]
    return links.assign(
        kept=[tuple(key for key, of in kept.items() if of[row]) for row in links.index]
    )


def _types(provisions: pd.DataFrame) -> Mapping[str, str]:
    present = {code for codes in provisions["need_types"] for code in types_of(codes)}
    return {code: type_words(code) for code in NEED_TYPES if code in present}


# -- the same in words ----------------------------------------------------------------------------


def _words(consultation: Consultation) -> dict[str, Any]:
    inputs, own = consultation.inputs, consultation.settings
    rows, links, near = school_rows(consultation), _links(consultation), _near(consultation)
    options = consultation.options
    return {
        "consultation": consultation,
        "own": own,
        "facts": compared(consultation),
        "schools": [
            (row, school_link(row.urn), [_place(o, row.urn, near[o.key]) for o in options])
            for row in rows
        ],
        "sectors": any(row.sector for row in rows),
        "columns": _columns(consultation),
        "clusters": {option.key: _clusters(consultation, option) for option in options},
        "changes": list(_changes(consultation)),
        "links": _link_rows(consultation, links),
        "estimated": bool(links["estimated"].any()),
        "srps": srps_of(inputs),
        "questions": own.questions or QUESTIONS,
    }


def _near(consultation: Consultation) -> dict[str, Mapping[str, float]]:
    """Return the minutes of each school to its hub, by option."""
    problem = consultation.inputs.problem
    return {o.key: journeys(o.plan, problem).to_dict() for o in consultation.options}


def _place(option: Option, urn: str, near: Mapping[str, float]) -> tuple[str, str]:
    """Return a school's cluster in an option, and how far its hub is."""
    label = option.label_of(urn)
    if not label:
        return NO_CLUSTER, ""
    is_hub = option.plan[label].hub == urn
    return _numbered(option, label), "hub" if is_hub else whole_minutes(near[urn])


def _numbered(option: Option, label: str) -> str:
    return f"{option.numbers[label]} · {label}" if label else NO_CLUSTER


def _columns(consultation: Consultation) -> list[str]:
    money = [SHORT["budget"]] if consultation.has_budget else []
    facts = ["Hub", "Schools", "Primaries", "Secondaries", "Minutes to the hub"]
    return [*facts, *(SHORT[name] for name in told(consultation)), *money]


def _clusters(consultation: Consultation, option: Option) -> list[dict[str, Any]]:
    return [
        {
            "number": row.number,
            "label": row.label,
            "address": cluster_page(option, row.label),
            "cells": [
                row.hub_name,
                row.schools,
                row.primaries,
                row.secondaries,
                f"{row.mean_minutes:.0f} on average, {row.max_minutes:.0f} most",
                *(marked(n.cell, n.grouping, n.group, n.measure) for n in row.numbers),
            ],
        }
        for row in cluster_rows(consultation, option)
    ]


def _changes(consultation: Consultation) -> Iterator[dict[str, Any]]:
    """Yield who moves between any two options, from where to where, by name."""
    options = {option.key: option for option in consultation.options}
    for (one, other), found in consultation.pairs.items():
        before, after = options[one], options[other]
        moves = found.moves.sort_values(["name", "urn"])
        yield {
            "before": before.name,
            "after": after.name,
            "rows": [
                (row.name, _numbered(before, row.from_cluster), _numbered(after, row.to_cluster))
                for row in moves.itertuples(index=False)
            ],
        }


def _link_rows(
    consultation: Consultation, links: pd.DataFrame
) -> list[tuple[str, str, bool, list[str]]]:
    """Return feeder links by name, whether each is estimated, and which options keep it."""
    names = consultation.inputs.table["name"]
    found = [
        (
            str(names[row.from_urn]),
            str(names[row.to_urn]),
            bool(row.estimated),
            [option.name for option in consultation.options if option.key in row.kept],
        )
        for row in links.itertuples(index=False)
    ]
    return sorted(found)
