"""The page an analyst opens: the map of provision and of its scenarios, and every table in words.

It is a working paper. Figures are small and often estimated, so it says that it is not for
publication, and names a scenario that is not public as what it is: no proposal.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import folium
import jinja2
import pandas as pd
from markupsafe import Markup

from clustering.provision.settings import PHASES
from clustering.provision.tables import reach_table
from clustering.provision_desk import Review, State
from clustering.publish import provision_layers as layers
from clustering.publish import provision_tables as tables
from clustering.publish import provision_words as say
from clustering.publish.plan_map import areas_of, context_of
from clustering.publish.sources import sources_of
from geo.provision_map import ProvisionMapData, draw_provision

WORKING = "Working paper, not for publication: small numbers{estimates}."
PRIVATE = (
    "PRIVATE: not a proposal to open or close any provision; changes to {srp}s are statutory "
    "proposals with a consultation of their own."
)
ESTIMATED = "Demand is an estimate, not a count"


def provision_page(review: Review) -> folium.Map:
    """Return the page of a review, for a notebook cell or for `geo.maps.save`."""
    own = files("clustering.publish")
    tongue = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    template = own.joinpath("provision_page.html").read_text(encoding="utf-8")
    told = layers.sentences(review)
    below = tongue.from_string(template).render(**_text(review, told))
    styles = own.joinpath("provision_page.css").read_text(encoding="utf-8")
    return draw_provision(_data(review, told), Markup(below), styles)


def _data(review: Review, told: pd.DataFrame) -> ProvisionMapData:
    config = review.inputs.study.config
    kinds = say.kind_words(config.words)
    keys = layers.keys_of(review)
    demand = review.provision.demand
    points = pd.DataFrame(columns=["name", "easting", "northing"], dtype=object)
    states = [str(at) for at in range(len(review.states))]
    return ProvisionMapData(
        title="Specialist provision: who can reach it",
        subtitle=f"{config.title or config.name} · autumn {review.today.year}",
        choices=layers.choices(keys, kinds),
        states=pd.DataFrame({"heading": [s.heading for s in review.states]}, index=states),
        limits=layers.limits(review),
        provisions=layers.provisions(review, keys, kinds),
        kinds=kinds,
        points=points if demand is None else demand.points[["name", "easting", "northing"]],
        reached=layers.reached(review),
        pathways=layers.pathway_lines(review),
        sentences=told,
        areas=areas_of(review.inputs),
        context=context_of(review.inputs),
        banners=(banner(review),),
        hints=tuple(hints(review)),
        estimated=demand is not None and demand.estimated,
    )


def banner(review: Review) -> str:
    """Return the line that must not be overlooked."""
    demand = review.provision.demand
    estimated = demand is not None and demand.estimated
    line = WORKING.format(estimates=" and estimates" if estimated else "")
    if all(state.public for state in review.states):
        return line
    srp = say.kind_words(review.inputs.study.config.words)["srp"]
    return f"{line} {PRIVATE.format(srp=srp)}"


def hints(review: Review) -> Iterator[str]:
    """Yield where the figures come from, as far as it changes how to read them."""
    demand, own = review.provision.demand, review.inputs.study.config.map.banner
    if own:
        yield own
    if demand is not None and demand.estimated:
        yield f"{ESTIMATED}: {demand.source}."


def _text(review: Review, told: pd.DataFrame) -> dict[str, Any]:
    """Return everything the template needs."""
    kinds = say.kind_words(review.inputs.study.config.words)
    today = review.tables()
    reached = review.today.reach is not None
    return {
        "short": tuple(_short(review)),
        "together": tables.together(review) if reached else None,
        "limits": _limits(review),
        "reach": tables.reach(today["reach"], kinds, "Provision as it is") if reached else None,
        "types": _types(review, today, kinds, told) if reached else (),
        "inequality": tables.inequality(today["inequality"], kinds) if reached else None,
        "provisions": tables.provisions(review, kinds),
        "per_pupils": tables.per_pupils(today["places_per_pupils"], kinds) if reached else None,
        "broken": _broken(review, review.today),
        "pathways": tables.pathway_table(review, review.today),
        "gaps": tables.pathway_gaps(review, review.today),
        "scenarios": [_scenario(review, state, kinds) for state in review.scenarios],
        "costs": tables.costs(review.states),
        "reconciliation": tables.reconciliation(today["reconciliation"]),
        "notes": tuple(dict.fromkeys(_notes(review))),
        "sources": sources_of(review.inputs),
    }


def _short(review: Review) -> Iterator[str]:
    demand, found = review.provision.demand, review.today.reach
    if demand is None or found is None:
        yield (
            "The study names no demand, so the page tells of provision alone: where it is, how "
            "full, and where the way on breaks."
        )
        return
    about = "about " if demand.estimated else ""
    rows = found.rows
    yield (
        f"{say.capital(about + say.children(rows['children'].sum()))} children need a place; "
        f"{about}{say.children(rows['unmet'].sum())} are without one. "
        f"{_broken(review, review.today)}"
    )
    if demand.estimated:
        yield f"{ESTIMATED}, so read differences rather than decimals."


def _limits(review: Review) -> str:
    own = review.provision.settings.limits
    told = [f"{own.of(p)[0]:g} and {own.of(p)[1]:g} minutes for {p} age" for p in PHASES]
    return f"The council’s limits are {', '.join(told)}, from door to door."


def _broken(review: Review, state: State) -> str:
    found = review.pathways(state)
    lost = found[~found["within"].astype(bool)]
    if found.empty:
        return "There is no primary provision."
    if lost.empty:
        return "From every primary provision there is a secondary one within the last limit."
    names = "; ".join(
        f"{name} ({', '.join(part['need_type'])})"
        for name, part in lost.groupby("name", sort=False)
    )
    return f"No secondary provision of the type within the last limit from: {names}."


def _types(
    review: Review, today: dict[str, pd.DataFrame], kinds: dict[str, str], sentences: pd.DataFrame
) -> list[dict[str, Any]]:
    """Return a section for each need type and phase: in words, by area, by fifth, the worst."""
    keys = layers.keys_of(review)
    labels = layers.choices(keys, kinds)
    told = sentences.set_index(["choice", "state"])["words"]
    found = []
    for key in keys:
        name = layers.label(key)
        own = told[name]
        others = [
            (state.heading, own[str(at)])
            for at, state in enumerate(review.states)
            if at and own[str(at)] != own["0"]
        ]
        parts = [
            tables.reach_by(tables.only(today["reach_areas"], key), "area", "Area", "By area"),
            *_fifths(tables.only(today["reach_fifths"], key)),
            tables.worst(tables.only(today["worst_served"], key)),
            tables.without(tables.only(today["without_a_place"], key)),
        ]
        choice = labels.loc[name]
        found.append(
            {
                "heading": f"{choice['type_words']}, {choice['phase_words'].lower()}",
                "words": own["0"],
                "scenarios": others,
                "tables": parts,
            }
        )
    return found


def _fifths(table: pd.DataFrame) -> list[tables.Table]:
    if table["fifth"].isna().all():
        return []
    caption = "By fifth of deprivation (IDACI) of the place"
    return [tables.reach_by(table, "fifth", "Fifth", caption)]


def _scenario(review: Review, state: State, kinds: dict[str, str]) -> dict[str, Any]:
    parts = [tables.changed_provisions(review, state)]
    if state.reach is not None:
        found = reach_table(state.reach)
        reach = tables.reach(found, kinds, "Who can reach what")
        parts += [tables.before_after(state), reach]
    parts += [tables.pathway_table(review, state), tables.pathway_gaps(review, state)]
    told = [*state.told]
    if state.scenario is not None and state.scenario.shut:
        told.append(f"Closed to traffic: {', '.join(state.scenario.shut)}.")
    if not state.public:
        told.append("Private: this is no proposal.")
    return {
        "heading": state.heading,
        "lines": [*told, _broken(review, state)],
        "tables": parts,
    }


def _notes(review: Review) -> Iterator[str]:
    """Yield what a reader must know to read the figures."""
    demand = review.provision.demand
    yield f"Driving minutes: {review.inputs.minutes.source}."
    for state in review.states:
        if state.reach is not None:
            yield from state.reach.notes
    if demand is not None:
        yield from demand.notes
        own = review.provision.settings.demand.shares()
        given = {k: v for k, v in own.items() if v}
        for kind, shares in given.items():
            told = ", ".join(f"{code} {100 * part:g}%" for code, part in shares.items())
            yield f"Share of the children of a type that is taken to need a place ({kind}): {told}."
    yield from review.provision.register.notes
    yield (
        "Places are given out so that the fewest children are without one, then the fewest beyond "
        "the last limit, then in the fewest minutes; that is what the council could do, not what "
        "it does."
    )
