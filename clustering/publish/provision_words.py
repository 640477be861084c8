"""Words and numbers of the page of provision: what things are called, and how exact a figure is."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd

from clustering.provision.reach import VISITED, Reach
from clustering.provision.register import types_of
from clustering.provision.settings import KINDS, NEED_TYPES
from geo.map_data import WORDS

PHASE_WORDS = {"primary": "Primary", "secondary": "Secondary"}
NOT_KNOWN = "not known"
NONE = "–"
SMALL = 20
"""So many children and more are told as whole numbers, fewer to one decimal."""


def kind_words(words: Mapping[str, str]) -> dict[str, str]:
    """Return what each kind of provision is called; `[words] srp` of a study renames the SRP."""
    return {**KINDS, "srp": words.get("srp", WORDS["srp"])}


def capital(text: str) -> str:
    """Return a text with its first letter as a capital; the others stay."""
    return text[:1].upper() + text[1:]


def type_words(code: str) -> str:
    """Return a need type in words with its code: "Autistic spectrum disorder (ASD)"."""
    return f"{capital(NEED_TYPES.get(code, code))} ({code})" if code in NEED_TYPES else code


def types_words(text: str) -> str:
    """Return the need types of a provision as the council lists them: "ASD, SLCN"."""
    return ", ".join(types_of(text)) or NOT_KNOWN


def children(number: float) -> str:
    """Return a number of children: to one decimal under 20, else whole; NaN is not known."""
    if number != number:
        return NOT_KNOWN
    if 0 < number < 0.05:
        return "under 0.1"
    return f"{number:.1f}" if 0 < number < SMALL - 0.05 else f"{number:,.0f}"


def whole(number: float) -> str:
    """Return a count, such as places on a list; NaN is not known."""
    return NOT_KNOWN if number != number else f"{number:,.0f}"


def minutes(number: float) -> str:
    """Return whole minutes; inf means that none is open to them, NaN that there is nobody."""
    if number != number:
        return NONE
    return "none open to them" if math.isinf(number) else f"{number:.0f}"


def share(part: float) -> str:
    """Return a share in whole per cent; what is not quite nothing or all is said to be so."""
    if part != part:
        return NONE
    if 0 < part < 0.005:
        return "under 1%"
    if 0.995 <= part < 1 - 1e-9:
        return "over 99%"
    return f"{100 * part:.0f}%"


def pounds(number: float) -> str:
    """Return pounds to the nearest 1,000; NaN is not known."""
    return NOT_KNOWN if number != number else f"£{1000 * round(number / 1000):,.0f}"


def decimal(number: float) -> str:
    """Return a measure to two decimals; a dash where it does not exist."""
    return NONE if number != number or math.isinf(number) else f"{number:.2f}".replace("-", "−")


def place_words(point: str, name: str) -> str:
    """Return a place as people call it: what follows its code, if something does."""
    return name.removeprefix(f"{point}, ") or name


def headline(found: Reach, row: pd.Series, worst: pd.DataFrame, estimated: bool) -> str:
    """Return the sentences about one kind, need type and phase.

    `row` of `reach_table`; `worst` rows of `worst_served` of the same.
    """
    about = "about " if estimated else ""
    need = children(row["children"])
    start = f"{capital(f'{about}{need}')} {'child needs' if need == '1.0' else 'children need'}"
    own = found.rows[
        (found.rows["kind"] == row["kind"])
        & (found.rows["need_type"] == row["need_type"])
        & (found.rows["phase"] == row["phase"])
    ]
    if (own["nearest"] == VISITED).all():
        return f"{start} a place; all are visited at their own schools."
    if not np.isfinite(own["minutes"]).any():
        return f"{start} a place; no provision is open to them."
    first, second = (own[name].iloc[0] for name in ("limit_first", "limit_second"))
    places = "an unknown number of" if row["places"] != row["places"] else whole(row["places"])
    many = "provision" if row["provisions"] == 1 else "provisions"
    text = (
        f"{start} a place; {share(row['within_first'])} have the nearest provision within "
        f"{first:g} minutes and {share(row['within_second'])} within {second:g}. "
        f"{whole(row['provisions'])} {many} with {places} places; "
        f"{about}{children(row['without_place'])} children are without a place."
    )
    far = _far(worst)
    return f"{text} Farthest away: {far}." if far else text


def _far(worst: pd.DataFrame) -> str:
    told: dict[str, str] = {}
    for row in worst.itertuples():
        name = place_words(str(row.point), str(row.name))
        far = minutes(row.minutes)
        told.setdefault(name, far if math.isinf(row.minutes) else f"{far} minutes")
    return "; ".join(f"{name} ({far})" for name, far in told.items())
