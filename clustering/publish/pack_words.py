"""Rules, wishes and broken rules of a pack in plain words, and in numbers that may be public."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pandas as pd

from clustering.audit import Breach
from clustering.inputs import Inputs
from clustering.provision.register import types_of
from clustering.provision.settings import KINDS, NEED_TYPES
from clustering.publish.pages import counted
from clustering.rules import Goals, Rules

NEED_RULES = {
    "need_tolerance": "its need is farther from the mean than the rule allows",
    "spread": "its need is farther from the mean than the rule allows",
    "min_need": "its need is less than the rule asks for",
    "min_budget": "its money by formula is less than the rule asks for",
}
"""Broken rules whose sentence names need or pounds to the last one, which a pack does not."""
OPEN_RULES = frozenset(
    ("schools", "pupils", "secondaries", "primaries", "areas", "connected", "together", "apart",
     "locked", "assigned", "clusters", "hub", "max_minutes_to_hub", "max_minutes_to_srp")
)  # fmt: skip
"""Broken rules whose sentence holds public facts only: schools, places, rolls, minutes."""


PLAIN_RULES = {
    "its secondary": "a secondary in every cluster",
    "its primaries": "the number of primaries",
    "the tolerance on need": "clusters of about equal need",
    "the smallest need or budget": "clusters that are not too small",
    "clusters that hang together": "clusters of neighbours",
}
"""Rules as `reasons_of_schools` names them, in words for everybody; others are plain already."""


def plain_rules(names: str) -> str:
    """Return a list of rules, with `, ` between, in words for everybody."""
    return ", ".join(PLAIN_RULES.get(name, name) for name in names.split(", "))


def breach_words(breach: Breach) -> str:
    """Return a broken rule in a sentence without need units or pounds."""
    if breach.rule in NEED_RULES:
        return f"{breach.cluster}: {NEED_RULES[breach.rule]}."
    if breach.rule not in OPEN_RULES:
        return f"{breach.cluster}: a rule is not kept ({breach.rule.replace('_', ' ')})."
    return breach.text


def rules_words(rules: Rules) -> tuple[str, ...]:
    """Return what every cluster has to satisfy, a sentence a rule."""
    return tuple(_rules(rules))


def _rules(rules: Rules) -> Iterator[str]:
    low, high = rules.schools
    size = f"{low}" if low == high else f"{low} to {high}"
    yield f"A cluster has {size} schools, primaries and secondaries together."
    if rules.pupils is not None:
        yield f"A cluster has {rules.pupils[0]:,} to {rules.pupils[1]:,} pupils on roll."
    if rules.secondaries:
        least = "secondary" if rules.secondaries == 1 else "secondaries"
        yield f"At least {rules.secondaries} non-selective {least}; grammar schools are extra."
    if rules.primaries:
        yield f"At least {rules.primaries} primar{'y' if rules.primaries == 1 else 'ies'}."
    if rules.areas == "never":
        yield "No cluster crosses the border of a district."
    elif rules.areas == "price":
        yield "A cluster may cross the border of a district, but each school that does counts."
    yield f"No school is more than {rules.max_minutes_to_hub:g} minutes from the hub."
    if rules.connected:
        yield "The schools of a cluster are neighbours; none lies apart from the rest."
    if rules.need_tolerance is not None:
        yield (
            f"The need of a cluster is within {rules.need_tolerance:.0%} of the mean of its "
            f"{'district' if rules.areas == 'never' else 'county'}."
        )
    if rules.min_need or rules.min_budget:
        yield "A cluster is not so small that it has too little need, or money, to share."
    if "infant_junior" in rules.keep_together:
        yield "Infant and junior schools that belong together stay together."
    if "same_site" in rules.keep_together:
        yield "Schools on one site stay together."
    if rules.together or rules.cluster:
        yield "Some schools that belong together by geography are kept in one cluster."
    if rules.apart:
        yield "Some schools are kept in different clusters."
    if rules.area or rules.cluster:
        places = ", ".join(sorted({*rules.area, *rules.cluster}))
        yield f"Some places have rules of their own: {places}."


WISHES = {
    "minutes": "each minute between a school and its hub",
    "feeders": "each leaver a year who goes on to a school outside the cluster",
    "balance": "each per cent by which a cluster’s need misses the mean",
    "size": "each per cent by which a cluster’s pupils miss the mean",
    "crossing": "each school outside the district of most of its cluster",
    "change": "each school that leaves its cluster of today",
    "cluster": "each cluster, for its chair, clerk and meetings",
}


def goals_words(goals: Goals) -> tuple[tuple[str, str], ...]:
    """Return what is wished for with its price in minutes: ("each minute …", "1 minute")."""
    found = []
    for name, words in WISHES.items():
        price = getattr(goals, name)
        if price:
            found.append((words, "1 minute" if price == 1 else f"{price:g} minutes"))
    return tuple(found)


OBJECTIVE = (
    "Plans are compared by one sum, counted in minutes: the minutes from every school to its hub, "
    "plus a price in minutes for everything else that is wished for, such as leavers who go on to "
    "a school outside the cluster. The smaller the sum, the better the plan."
)
"""The objective in one breath, for people who read a price in minutes."""


def price_words(minutes: float, pupil: float = 1.0) -> str:
    """Return a price coarsely, for it also holds the moves of single pupils: "about 10 minutes".

    To 5 minutes up to 20, to 10 up to 100, else to 50. Where one `pupil` is worth more than a
    minute, each of these is as many times as large, so that it still hides as many.
    """
    size, pupil = abs(minutes), max(1, math.ceil(pupil))
    step = pupil * (5 if size < 20 * pupil else 10 if size < 100 * pupil else 50)
    return f"about {counted(step * round(size / step), 'minute')}"


def cost_of_move(minutes: float, pupil: float = 1.0) -> str:
    """Return what moving a school would cost the whole plan, as a predicate.

    `pupil`: minutes that one leaver is worth.
    """
    least = 5 * max(1, math.ceil(pupil))
    if abs(minutes) < least:
        return f"would make hardly any difference to the whole plan: less than {least} minutes"
    if minutes < 0:
        return f"would make the whole plan better, by {price_words(minutes, pupil)}"
    return f"would cost the whole plan {price_words(minutes, pupil)} more"


def left_out_words(inputs: Inputs) -> tuple[str, ...]:
    """Return which schools take no part, by kind, and by name those left out on record."""
    aside = inputs.schools.set_aside
    found = []
    for reason, rows in aside.groupby("reason", sort=True):
        names = ", ".join(sorted(rows["name"])) if len(rows) <= 12 else ""
        found.append(f"{counted(len(rows), 'school')}: {reason}{f' ({names})' if names else ''}.")
    return tuple(found)


def srps_of(inputs: Inputs) -> tuple[tuple[str, str, str, str, str], ...]:
    """Return today's SRPs and SEN units as public facts: URN, name, kind, need types, district.

    Neither rolls nor places, and nothing of any scenario.
    """
    rows = srp_table(inputs).rename(columns={"name": "name_"})
    return tuple(
        (row.urn, row.name_, KINDS[row.kind], type_words(row.need_types), row.area)
        for row in rows.itertuples(index=False)
    )


def srp_table(inputs: Inputs) -> pd.DataFrame:
    """Return the register's SRPs and SEN units of today by name, without rolls and places."""
    columns = ["urn", "name", "kind", "need_types", "area", "easting", "northing"]
    if inputs.provision is None:
        return pd.DataFrame(columns=columns)
    demand, register = inputs.provision.settings.demand, inputs.provision.register
    table = register.table if demand is None else register.open_in(demand.year).table
    return table[table["kind"].isin(["srp", "sen_unit"])].sort_values(["name", "urn"])[columns]


def type_words(codes: str) -> str:
    """Return need types in words, with their codes: "autistic spectrum disorder (ASD)"."""
    found = [f"{NEED_TYPES[code]} ({code})" for code in types_of(codes)]
    return "; ".join(found) or "need types not recorded"
