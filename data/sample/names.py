"""Invented names, the schools to be set aside, and the provisions, all listed by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator
from secondaries import BEACON, LANTERN, TIDAL, WATER

FIELDS = (
    *("urn", "name", "laestab", "la_code", "la", "type", "status", "phase", "low_age", "high_age"),
    *("sex", "faith", "selective", "nursery", "sixth_form", "postcode", "district", "lsoa"),
    *("easting", "northing", "pupils", "ehc_plans", "sen_support", "fsm6", "fsm", "eal"),
    *("capacity", "trust", "federation", "srp_kind", "srp_places", "srp_on_roll", "need_types"),
    "predecessors",
)
TRUSTS = (
    LANTERN, TIDAL, WATER, BEACON, "Lantern Learning Trust",
    "Diocese of Merechester Schools Trust", "St Brannoc Catholic Academies",
)  # fmt: skip
PLACE_SAINTS = ("St Aldwin's", "St Ysolde's", "St Merewen's", "Holy Isle", "St Osmere's")
STREETS = (
    "Anchor Lane", "Lantern Hill", "Rope Walk", "Heron Close", "Sailmakers", "Old Granary",
    "Kingfisher", "Windpump", "Pebble Row", "Tollhouse", "Saltpan", "Larkfield", "Cooper's Yard",
    "Chalk Steps", "Orchard Bank", "Beacon Rise", "Lime Avenue", "Ferryman's", "Swan Meadow",
    "Cob Lane", "Driftwood", "Hazel Bank", "North Gate", "Otter Brook", "Plum Tree", "Weavers",
    "Dune Road", "Bellfield", "Sluice Road", "Warren",
)  # fmt: skip
BIRDS_AND_HERBS = (
    "Plover", "Curlew", "Dunlin", "Godwit", "Pipit", "Linnet", "Wheatear", "Samphire", "Whimbrel",
    "Wigeon", "Lapwing", "Siskin", "Dotterel", "Fulmar", "Petrel", "Avocet", "Bittern", "Bunting",
    "Fieldfare", "Redstart", "Whinchat", "Marram", "Sedge", "Teasel", "Thrift", "Bramble",
    "Campion", "Yarrow", "Sorrel", "Clover", "Tansy", "Mallow", "Burdock", "Cowslip", "Fescue",
    "Harebell", "Bracken", "Juniper", "Speedwell", "Bilberry",
)  # fmt: skip
ENDS = ("by", "wick", "stow", "holme", "ham", "thorpe", "combe", "worth")

SPECIAL, AP = "Community special school", "Pupil referral unit"
OTHER, PRIVATE, NEW = "not applicable", "Other independent school", "Proposed to open"
SET_ASIDE: tuple[tuple[str, str, str, str, tuple[int, int], str, int | str], ...] = (
    ("Oystercatcher School", SPECIAL, "Open", OTHER, (4, 16), "Ousemouth", 142),
    ("The Heronry School", SPECIAL, "Open", OTHER, (3, 19), "Merechester", 188),
    ("Thornwold Vale School", SPECIAL, "Open", OTHER, (5, 19), "Thornwold", 96),
    ("Saltings School", "Academy special converter", "Open", OTHER, (4, 19), "Saltby", 164),
    ("Reed Court School", SPECIAL, "Open", OTHER, (11, 16), "Reedholme", 78),
    ("Mead Lodge School", "Non-maintained special school", "Open", OTHER, (7, 19), "Larkford", 54),
    ("The Slipway Centre", AP, "Open", OTHER, (11, 16), "Ousemouth", 48),
    (
        "The Causeway",
        "Academy alternative provision converter",
        "Open",
        OTHER,
        (5, 16),
        "Merechester",
        62,
    ),
    (
        "Little Terns Nursery School",
        "Local authority nursery school",
        "Open",
        "nursery",
        (2, 5),
        "Saltby",
        71,
    ),
    ("Larkford Court School", PRIVATE, "Open", OTHER, (3, 13), "Larkford", 211),
    ("Abbotsmere College", PRIVATE, "Open", OTHER, (11, 18), "Abbotsmere", 388),
    ("Dovebridge House", PRIVATE, "Open", OTHER, (2, 11), "Dovebridge", 127),
    (
        "The Stillwater School",
        "Other independent special school",
        "Open",
        OTHER,
        (8, 18),
        "Millwater",
        36,
    ),
    (
        "Saltby Pier Road Primary School",
        "Community school",
        "Closed",
        "primary",
        (4, 11),
        "Saltby",
        "",
    ),
    (
        "Ousemouth Staithe Junior School",
        "Community school",
        "Closed",
        "primary",
        (7, 11),
        "Ousemouth",
        "",
    ),
    (
        "Millwater Garden Village Primary Academy",
        "Free schools",
        NEW,
        "primary",
        (4, 11),
        "Millwater",
        "",
    ),
)


def _srp(
    town: str, phase: str, types: str, places: int, on_roll: int, opened: int, **more: Any
) -> dict[str, Any]:
    known = {"kind": "resourced provision", "closes": "", "notes": ""}
    return (
        known
        | {
            "town": town,
            "phase": phase,
            "need_types": types,
            "places": places,
            "on_roll": on_roll,
            "opened": f"{opened}-09-01",
        }
        | more
    )


P, S = "primary", "secondary"
# No primary provision in Saltby or Coldsands (the south-east corner);
# no secondary ASD in Ousemouth.
SRPS = (
    _srp("Thornwold", P, "ASD", 12, 11, 2016),
    _srp("Upper Larrick", P, "SLCN", 12, 4, 2009, notes="Roll falling since 2022; under review"),
    _srp("Thornwold", S, "ASD;SLCN", 20, 19, 2017),
    _srp("Marshside", P, "ASD", 16, 16, 2018),
    _srp("Ternhaven", P, "HI", 8, 6, 2005),
    _srp("Gannet Quay", P, "SLCN", 10, 9, 2019),
    _srp("Marshside", S, "ASD", 24, 23, 2015),
    _srp("Ternhaven", S, "SLCN;MLD", 15, 13, 2014, kind="sen unit"),
    _srp("Merechester", P, "ASD;SLCN", 20, 21, 2013, notes="One place over number by agreement"),
    _srp("Merechester", P, "PD", 8, 7, 2008),
    _srp("Abbotsmere", P, "ASD", 12, 12, 2021, told_places=10),
    _srp("Merechester", S, "ASD", 25, 25, 2016, host="Park Academy"),
    _srp("Merechester", S, "PD;HI", 12, 9, 2010, host="The Weir"),
    _srp("Merechester", S, "HI", 6, 4, 2011, host="Boys' Grammar", notes="Boys only; by selection"),
    _srp("Ousemouth", P, "ASD", 16, 15, 2017),
    _srp("Southferry", P, "SLCN", 12, 10, 2012),
    _srp("Ousemouth", S, "SLCN", 18, 16, 2014),
    _srp("Whin Cross", P, "ASD;SLCN", 14, 13, 2020),
    _srp("Saltby", S, "ASD", 20, 21, 2018),
    _srp("Larkford", P, "ASD", 12, 11, 2022, untold=True,
         notes="Opened after the last school record"),
    _srp("Dovebridge", P, "VI;HI", 8, 5, 2006, closes="2028-08-31",
         notes="Moves to a visiting service"),
    _srp("Wrenmead", S, "ASD;SLCN", 20, 18, 2019),
)  # fmt: skip


def village_names(rng: Generator) -> list[str]:
    """Village names made of a bird or herb and an old ending, each once, in drawn order."""
    names = [f"{stem}{ENDS[i % len(ENDS)]}" for i, stem in enumerate(BIRDS_AND_HERBS)]
    return [str(name) for name in rng.permutation(np.array(names))]
