"""Schools that belong together: an infant school and its junior school, and shared sites."""

from __future__ import annotations

import re
from collections.abc import Collection

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

SAME_SITE_METRES = 60.0
"""Two schools nearer than this share a site; gates of one campus stand some way apart."""
PAIR_METRES = 400.0
"""An infant and a junior school nearer than this are a pair whatever their names."""
NAMESAKE_METRES = 1500.0
"""An infant and a junior school of one name may stand this far apart."""

_COMMON = re.compile(
    r"\b(infants?|juniors?|primary|school|academy|nursery|community|voluntary|aided|controlled|"
    r"church|of|england|catholic|roman|cofe|ce|rc|va|vc|c|e|and|the|st|saint)\b"
)


def infant_junior_pairs(schools: pd.DataFrame) -> list[tuple[str, str]]:
    """Return (infant, junior) pairs by URN, each junior with its infant schools.

    An infant school ends at age 7, a junior school starts at 7. They are a pair when they stand
    within `PAIR_METRES`, or within `NAMESAKE_METRES` and share their distinctive name. `schools`
    has easting and northing in metres (EPSG:27700); ages that are NaN pair with nothing.
    """
    infants = schools[schools["high_age"] == 7].sort_index()
    juniors = schools[(schools["low_age"] == 7) & (schools["high_age"] <= 13)].sort_index()
    pairs = []
    for junior, j in juniors.iterrows():
        for infant, i in infants.iterrows():
            metres = float(np.hypot(j["easting"] - i["easting"], j["northing"] - i["northing"]))
            namesake = _stem(j["name"]) == _stem(i["name"]) != ""
            if metres <= PAIR_METRES or (namesake and metres <= NAMESAKE_METRES):
                pairs.append((str(infant), str(junior)))
    return pairs


def same_site_pairs(schools: pd.DataFrame) -> list[tuple[str, str]]:
    """Return pairs of schools that stand within `SAME_SITE_METRES` of each other."""
    table = schools.sort_index()
    tree = cKDTree(table[["easting", "northing"]].to_numpy(float))
    pairs = sorted(tree.query_pairs(SAME_SITE_METRES))
    return [(str(table.index[i]), str(table.index[j])) for i, j in pairs]


def ties(schools: pd.DataFrame, kinds: Collection[str]) -> list[tuple[str, str]]:
    """Return the pairs that a study's `keep_together` asks for."""
    pairs: list[tuple[str, str]] = []
    if "infant_junior" in kinds:
        pairs += infant_junior_pairs(schools)
    if "same_site" in kinds:
        pairs += same_site_pairs(schools)
    return sorted(set(pairs))


def _stem(name: object) -> str:
    """Return what is distinctive in a school's name: "Ivy Lane Infant School" → "ivy lane"."""
    plain = re.sub(r"[^a-z ]", " ", str(name).lower().replace("'", "").replace("’", ""))
    return " ".join(_COMMON.sub(" ", plain).split())
