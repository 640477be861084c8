"""What all pages of a pack share: their frame, their addresses, and words for numbers.

Every page is one file: its styles stand inside, it asks nobody for anything, and its own policy
forbids it to. Templates escape whatever they are given.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

import jinja2
from markupsafe import Markup

from clustering.publish.consultation import Consultation, Option
from clustering.publish.disclosed import Cell
from clustering.publish.sources import sources_of
from geo.map_data import Source
from geo.offline import POLICY

NAV: tuple[tuple[str, str], ...] = (
    ("index.html", "Overview"),
    ("consultation.html", "Map"),
    ("schools.html", "Find your school"),
    ("dashboard/index.html", "District Dashboard"),
    ("respond.html", "How to respond"),
    ("easy-read.html", "Easy Read"),
)
"""Addresses of the main pages and what they are called."""

CHANGES_NOTHING = (
    "This page is about how schools work together and share money for special educational needs. "
    "It does not change admissions, catchments or any child’s plan."
)
MEASURES: Mapping[str, str] = {
    "pupils": "pupils on roll",
    "ehc_plans": "pupils with an EHC plan",
    "sen_support": "pupils with SEN support",
    "fsm6": "pupils who had free school meals in the last six years",
    "budget": "pounds by formula, before any protection against losses",
}
"""What a measure of the pack is called."""
SHORT: Mapping[str, str] = {
    "pupils": "Pupils",
    "ehc_plans": "EHC plans",
    "sen_support": "SEN support",
    "fsm6": "FSM6",
    "budget": "By formula",
}
"""The same in the head of a column."""
PHASES: Mapping[str, str] = {"all_through": "all-through"}
FEW_LEAVERS = 50
"""Shares of fewer leavers than this are not told."""
LONGEST_SLUG = 60
TAKEN = frozenset(
    (
        "index",
        "con",
        "prn",
        "aux",
        "nul",
        *(f"{d}{n}" for d in ("com", "lpt") for n in range(1, 10)),
    )
)
"""Ends of addresses that no place may have: a page of ours, and names that Windows keeps."""


@dataclass(frozen=True)
class Pack:
    """What stands in the head and foot of every page."""

    title: str
    council: str
    draft: bool
    version: str
    dates: str
    sources: tuple[Source, ...]
    minutes: str
    nav: tuple[tuple[str, str], ...] = NAV
    changes_nothing: str = CHANGES_NOTHING


def pack_of(consultation: Consultation, *, nav: bool = True) -> Pack:
    """Return head and foot of the pages; without `nav` for a page that is sent on its own."""
    own, inputs = consultation.settings, consultation.inputs
    return Pack(
        title=consultation.title,
        council=own.council,
        draft=own.draft,
        version=own.version,
        dates=consultation_days(own.opens, own.closes),
        sources=sources_of(inputs),
        minutes=f"Minutes between schools: {inputs.minutes.source}",
        nav=NAV if nav else (),
    )


def page(
    consultation: Consultation, path: str, title: str, template: str, **context: Any
) -> tuple[str, str]:
    """Return the address of a page and its text.

    `template` is a file of this package that extends `page_base.html`; in it stand `consultation`,
    `root` (the way from the page to the top of the pack: "" or "../"), `title`, `here`, `pack` and
    whatever `context` gives.
    """
    own = {"consultation": consultation, "pack": pack_of(consultation), "title": title}
    frame = {"root": root_of(path), "here": path, "policy": POLICY, "css": styles()}
    return path, render(template, **{**own, **frame, **context})


def render(template: str, **context: Any) -> str:
    """Return a template of this package, filled; everything that is put in is escaped."""
    text = _tongue().get_template(template).render(**context)
    return text if text.endswith("\n") else text + "\n"


@cache
def _tongue() -> jinja2.Environment:
    tongue = jinja2.Environment(
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        loader=jinja2.FunctionLoader(_text),
    )
    tongue.filters |= {"day": day, "whole_minutes": whole_minutes, "counted": counted}
    tongue.globals |= {"cell": cell, "rate": rate, "phase": phase_words, "MEASURES": MEASURES}
    return tongue


def _text(name: str) -> str:
    return files("clustering.publish").joinpath(name).read_text(encoding="utf-8")


def styles() -> Markup:
    """Return the styles of all pages; they are ours and hold no text of anybody's."""
    return Markup(_text("page.css"))


def root_of(path: str) -> str:
    """Return the way from a page to the top of its pack: `../` for each folder it stands in."""
    return "../" * path.count("/")


# -- numbers --------------------------------------------------------------------------------------


def cell(consultation: Consultation, grouping: str, group: str, measure: str) -> Markup:
    """Return a released number for a page, marked so that `clusters verify` finds it again."""
    found = consultation.numbers.shown(grouping, group, measure)
    return marked(found, grouping, group, measure)


def rate(consultation: Consultation, grouping: str, group: str, part: str, total: str) -> Markup:
    """Return a released rate for a page, marked as `cell` does it."""
    found = consultation.numbers.rate(grouping, group, part, total)
    return marked(found, grouping, group, f"{part} of {total}")


def marked(found: Cell, grouping: str, group: str, measure: str) -> Markup:
    """Return a released cell with the mark `data-cell`: grouping, group and measure, by `|`."""
    key = "|".join((grouping, group, measure))
    return Markup('<span data-cell="{}">{}</span>').format(key, found.text)


def whole_minutes(minutes: float) -> str:
    """Return minutes as a person says them: "about 12 minutes"; "not known" for NaN."""
    if math.isnan(minutes):
        return "not known"
    whole = round(minutes)
    return "less than a minute" if whole == 0 else f"about {counted(whole, 'minute')}"


def counted(number: float, noun: str) -> str:
    """Return a number with its noun: "1 school", "1,200 schools"."""
    plural = noun if number == 1 else noun[:-1] + "ies" if noun.endswith("y") else noun + "s"
    return f"{number:,.0f} {plural}"


def leavers_share(kept: float, leavers: float) -> str:
    """Return which part of leavers stay in their cluster, to 5%; "" for fewer than 50."""
    if not leavers >= FEW_LEAVERS:
        return ""
    return f"about {5 * round(20 * kept / leavers)}%"


def phase_words(phase: str) -> str:
    """Return a phase as people write it."""
    return PHASES.get(phase, phase)


def day(date_: date | None) -> str:
    """Return a date as it is written in a letter: "3 March 2027"; "" for none."""
    return "" if date_ is None else f"{date_.day} {date_:%B} {date_.year}"


def consultation_days(opens: date | None, closes: date | None) -> str:
    """Return a sentence on the days of a consultation, "" where none is given."""
    if opens and closes:
        return f"The consultation runs from {day(opens)} to {day(closes)}."
    if closes:
        return f"The consultation closes on {day(closes)}."
    return f"The consultation opens on {day(opens)}." if opens else ""


# -- addresses ------------------------------------------------------------------------------------


def slug(name: str) -> str:
    """Return a name as the end of an address: small letters, digits and `-`; "place" for none.

    It is cut to `LONGEST_SLUG`, and those of `TAKEN` have `-place` behind them, so that it is the
    name of a file anywhere.
    """
    plain = unicodedata.normalize("NFKD", name.replace("&", " and "))
    plain = plain.encode("ascii", "ignore").decode("ascii").lower().replace("'", "")
    short = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:LONGEST_SLUG].strip("-")
    return f"{short}-place" if short in TAKEN else short or "place"


def slugs(names: Iterable[str]) -> dict[str, str]:
    """Return the slug of each name, no two alike: a later one of the same has -2, -3 …"""
    found: dict[str, str] = {}
    for name in sorted(set(names)):
        short, number = slug(name), 1
        while (own := short if number == 1 else f"{short}-{number}") in found.values():
            number += 1
        found[name] = own
    return found


def areas_of(consultation: Consultation) -> dict[str, str]:
    """Return the districts of a pack with the ends of their addresses."""
    return slugs(consultation.inputs.table["area"])


def cluster_page(option: Option, label: str) -> str:
    """Return the address of a cluster's page."""
    return f"clusters/{option.page_of(label)}.html"


def area_page(consultation: Consultation, area: str) -> str:
    """Return the address of a district's page."""
    return f"areas/{areas_of(consultation)[area]}.html"


def school_link(urn: str) -> str:
    """Return the address of what is said of a school."""
    return f"schools.html#u{urn}"
