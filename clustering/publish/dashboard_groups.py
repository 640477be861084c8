"""The groups of the District Dashboard beside clusters, districts and county, asked of the gate.

School groups are schools of one phase, in the county and in each district. A group of one or two
schools would tell of single schools, so it is joined with its neighbour or not told at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

import pandas as pd

from clustering.budget import phase_group
from clustering.inputs import Inputs
from clustering.publish.disclosure import Release

PHASE, AREA_PHASE = "school group", "district and school group"
"""Names of the groupings: schools by phase in the county, and in each district."""
SPECIAL_AREA, SPECIAL_COUNTY = "special schools by district", "special schools"
SPECIAL_PLANS = "ehc_plans in special schools"
"""EHC plans of special schools and alternative provision, for the part that learns in mainstream
schools; a measure of its own, as those schools are in no cluster."""
EVERY = "county"
FEWEST = 3
"""So many schools make a group; of fewer, single schools would be told."""
KEEP: Mapping[str, float] = MappingProxyType({PHASE: 2.0, AREA_PHASE: 0.5})
"""How dear these numbers are to lose beside a cluster's 1: those of districts go first."""


def ask(release: Release, inputs: Inputs, measures: Iterable[str]) -> None:
    """Ask the gate for what only the dashboard shows, before it protects.

    `pupils` and each measure, with its rate, by school group; EHC plans of special schools where
    the study has any. `pupils` and `measures` must have been given to the release already.
    """
    named = tuple(measures)
    for grouping, groups in (
        (PHASE, phases_of(inputs.table)),
        (AREA_PHASE, area_phases_of(inputs.table)),
    ):
        if groups:
            release.grouping(grouping, groups, keep=KEEP[grouping])
            release.table(grouping, "pupils")
            for name in named:
                release.table(grouping, name)
                release.rate(grouping, name, "pupils")
    special = special_schools(inputs)
    if "ehc_plans" in named and len(special) >= FEWEST:
        release.measure(SPECIAL_PLANS, special["ehc_plans"])
        release.grouping(SPECIAL_COUNTY, dict.fromkeys(special.index, EVERY))
        release.table(SPECIAL_COUNTY, SPECIAL_PLANS)
        districts = special_areas(special)
        if districts:
            release.grouping(SPECIAL_AREA, districts)
            release.table(SPECIAL_AREA, SPECIAL_PLANS)


def phases_of(schools: pd.DataFrame) -> dict[str, str]:
    """Return the school group of each school in the county; {} where there is but one group.

    All-through schools are a group where they are `FEWEST` or more, else they count as secondary.
    """
    phase = phase_group(schools["phase"])
    through = schools["phase"] == "all_through"
    phase = phase.mask(through, "all-through" if through.sum() >= FEWEST else "secondary")
    if through.any() and through.sum() < FEWEST:
        phase = phase.replace("secondary", "secondary and all-through")
    return phase.to_dict() if _can_be_told(phase) else {}


def area_phases_of(schools: pd.DataFrame) -> dict[str, str]:
    """Return the school group of each school of the districts that can be told by group.

    Groups are called "Westmoor: primary"; a district with a group of fewer than `FEWEST` schools
    is left out as a whole, for what is left of it would tell of that group.
    """
    found: dict[str, str] = {}
    for area, own in schools.groupby("area", sort=True):
        found |= {urn: area_phase(str(area), group) for urn, group in phases_of(own).items()}
    return found


def area_phase(area: str, group: str) -> str:
    """Return the name of a school group of a district."""
    return f"{area}: {group}"


def _can_be_told(phase: pd.Series) -> bool:
    sizes = phase.value_counts()
    return len(sizes) > 1 and int(sizes.min()) >= FEWEST


def special_areas(special: pd.DataFrame) -> dict[str, str]:
    """Return the district of each special school, where there are enough of them in it.

    None at all where the districts that are left out have so few together that the county's number
    would tell of them.
    """
    size = special.groupby("area")["area"].transform("size")
    enough = special.loc[size >= FEWEST, "area"]
    rest = len(special) - len(enough)
    return {} if 0 < rest < FEWEST else enough.to_dict()


def special_schools(inputs: Inputs) -> pd.DataFrame:
    """Return special schools and alternative provision of the county: `area, ehc_plans` by URN.

    Empty where the study's schools have none with EHC plans; NaN is not known, never none.
    """
    if inputs.provision is None:
        return pd.DataFrame({"area": [], "ehc_plans": []})
    sites = inputs.provision.sites
    own = sites[(sites["setting"] != "mainstream") & sites["area"].isin(inputs.table["area"])]
    plans = own["ehc_plans"].astype(float) if "ehc_plans" in own else pd.Series(dtype=float)
    if plans.notna().sum() == 0:
        return pd.DataFrame({"area": [], "ehc_plans": []})
    return own[["area"]].assign(ehc_plans=plans)
