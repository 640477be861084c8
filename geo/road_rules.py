"""Which ways of a map may be driven or walked, in which direction, and what limit is signed.

The tags are OpenStreetMap's; a table of roads with fewer columns is judged by those it has.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache
from typing import Literal, NamedTuple

Mode = Literal["drive", "walk"]
MODES: tuple[Mode, ...] = ("drive", "walk")

DRIVEN = (
    "motorway",
    "motorway_link",
    "trunk",
    "trunk_link",
    "primary",
    "primary_link",
    "secondary",
    "secondary_link",
    "tertiary",
    "tertiary_link",
    "unclassified",
    "residential",
    "living_street",
    "road",
    "service",
)
WALKED = (
    *DRIVEN[2:],
    "pedestrian",
    "footway",
    "path",
    "steps",
    "bridleway",
    "track",
    "cycleway",
    "corridor",
)
NO_FRONTAGE = ("motorway", "motorway_link", "trunk_link")
"""Roads that no gate opens on to: no school is joined to them."""
MINOR_SERVICE = (
    "parking_aisle",
    "driveway",
    "drive-through",
    "emergency_access",
    "alley",
    "private",
)
SHUT = frozenset({"no", "private", "agricultural", "forestry", "delivery", "military"})
BLOCKS = frozenset({"bollard", "block", "jersey_barrier", "planter", "debris", "cycle_barrier"})
"""Barriers that stop a car, whatever else is said of them."""
ACCESS = ("motorcar", "motor_vehicle", "vehicle", "access")
"""Tags that say whether a car may pass, the most special first."""
KMH_PER_MPH = 1.609344
_NATIONAL = {"nsl_single": 60.0, "nsl_dual": 70.0, "motorway": 70.0, "nsl_restricted": 30.0}


def blocks(barrier: str, said: str) -> bool:
    """Whether no car passes a node with this barrier; `said` is its most special access tag."""
    return bool(barrier) and (said in {"no", "private"} or (not said and barrier in BLOCKS))


class Tags(NamedTuple):
    """The tags of a way that decide whether and how it is used; an absent tag is empty."""

    highway: str = ""
    route: str = ""
    service: str = ""
    access: str = ""
    vehicle: str = ""
    motor_vehicle: str = ""
    motorcar: str = ""
    foot: str = ""
    oneway: str = ""
    junction: str = ""
    toll: str = ""
    area: str = ""


class Verdict(NamedTuple):
    """Whether a way is used: its class, its directions, or the reason it is left out.

    `reason` is empty for a way that is used, "other" for one that was never a road of this mode.
    """

    road_class: str = ""
    forward: bool = False
    backward: bool = False
    reason: str = ""


@lru_cache(maxsize=20_000)
def judge(tags: Tags, mode: Mode, ferries: bool, tolls: bool) -> Verdict:
    """Decide on one way. Reasons: "ferry", "toll", "private", "other"."""
    ferry = tags.route == "ferry"
    classes = DRIVEN if mode == "drive" else WALKED
    if not ferry and tags.highway not in classes:
        return Verdict(reason="other")
    if ferry and not ferries:
        return Verdict(reason="ferry")
    if tags.toll == "yes" and not tolls and mode == "drive":
        return Verdict(reason="toll")
    if tags.area == "yes" and mode == "drive":
        return Verdict(reason="other")
    if tags.service in MINOR_SERVICE and mode == "drive":
        return Verdict(reason="other")
    if _shut(tags, mode):
        return Verdict(reason="private")
    forward, backward = directions(tags) if mode == "drive" else (True, True)
    return Verdict("ferry" if ferry else tags.highway, forward, backward)


def _shut(tags: Tags, mode: Mode) -> bool:
    """Whether the public may not use the way; the most special tag decides."""
    special = (
        (tags.motorcar, tags.motor_vehicle, tags.vehicle, tags.access)
        if mode == "drive"
        else (tags.foot, tags.access)
    )
    said = next((value for value in special if value), "")
    return said in SHUT


def directions(tags: Tags) -> tuple[bool, bool]:
    """Return whether a way is driven as drawn, and against it."""
    oneway = tags.oneway
    if oneway in {"-1", "reverse"}:
        return False, True
    if oneway in {"yes", "true", "1"}:
        return True, False
    if oneway:
        return True, True
    round_about = tags.junction in {"roundabout", "circular"}
    return True, not (round_about or tags.highway == "motorway")


@lru_cache(maxsize=2_000)
def limit_kmh(text: str) -> float:
    """Return a signed speed limit in km/h; NaN where none can be read (`"signals"`, `"none"`).

    A bare number is km/h, as OpenStreetMap has it; `GB:nsl_single` and its kin are the national
    limits. Of several limits in one text the lowest counts.
    """
    text = text.strip().lower()
    found = [
        float(number) * (KMH_PER_MPH if unit == "mph" else 1.0)
        for number, unit in re.findall(r"(\d+(?:\.\d+)?)\s*(mph)?", text)
    ]
    found = [kmh for kmh in found if kmh > 0]
    if found and not text.startswith("gb:"):
        return min(found)
    mph = next((limit for key, limit in _NATIONAL.items() if key in text), math.nan)
    return mph * KMH_PER_MPH
