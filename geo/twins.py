"""The same school twice: an old URN and a new one that both call themselves open."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from geo.columns import FIGURES

POLICIES = ("newer", "older", "ask", "both")
NEAR_METRES = 150.0
# What an empty cell of the successor takes over from its predecessor.
FOLLOWING = (
    *FIGURES,
    *("laestab", "low_age", "high_age", "sex", "faith", "selective", "nursery", "sixth_form"),
    *("district", "district_code", "ward", "lsoa", "postcode", "srp_kind", "srp_places"),
    *("srp_on_roll", "need_types", "federation"),
)


@dataclass(frozen=True)
class Pair:
    """Two rows for one school: `old` gives way to `new`; `how` says in words what told us."""

    old: str
    new: str
    how: str


@dataclass(frozen=True)
class Links:
    """Predecessors from a GIAS links file: URN -> older URNs, without those of split schools."""

    older: Mapping[str, tuple[str, ...]]

    def ancestors(self, urn: str) -> tuple[str, ...]:
        """All older URNs of a school, nearest first; a circle in the links ends the walk."""
        found: list[str] = []
        queue = list(self.older.get(urn, ()))
        while queue:
            one = queue.pop(0)
            if one != urn and one not in found:
                found.append(one)
                queue.extend(self.older.get(one, ()))
        return tuple(found)


def same_name(name: str) -> str:
    """Return a name without the words that change when a school becomes an academy."""
    text = name.lower().replace("’", "'").replace("'", "").replace("&", " and ")
    text = re.sub(r"\bchurch of england\b|\bc of e\b|\bcofe\b|\bc\.?e\.?(?=\s|$)", " ce ", text)
    text = re.sub(r"\broman catholic\b|\br\.?c\.?(?=\s|$)", " catholic ", text)
    words = re.findall(r"[a-z0-9]+", text)
    dropped = {"the", "school", "academy", "voluntary", "aided", "controlled", "va", "vc", "and"}
    return " ".join(sorted(word for word in words if word not in dropped))


_Row = dict[str, Any]
_COMPARED = ["name", "postcode", "easting", "northing", "low_age", "high_age", "sex", "phase"]


def _near(one: _Row, other: _Row) -> bool:
    if one["postcode"] and one["postcode"] == other["postcode"]:
        return True
    metres = np.hypot(one["easting"] - other["easting"], one["northing"] - other["northing"])
    return bool(metres < NEAR_METRES)


def _compatible(one: _Row, other: _Row) -> bool:
    """Whether two rows may be one school: pupils of the same age and sex."""
    if {one["sex"], other["sex"]} == {"boys", "girls"}:
        return False
    ages = [one["low_age"], one["high_age"], other["low_age"], other["high_age"]]
    if not any(pd.isna(age) for age in ages):
        return bool(min(ages[1], ages[3]) - max(ages[0], ages[2]) > 1)
    phases = {one["phase"], other["phase"]} - {""}
    return len(phases) < 2 or "all_through" in phases


def linked_pairs(table: pd.DataFrame, kept: pd.Series) -> tuple[list[Pair], list[Pair]]:
    """Return pairs where a kept row names another kept row as its predecessor.

    The first list holds those that are one school; the second those that stay two: a split, a
    primary founded by a secondary, a new site. A link alone does not say which it was, so a pair
    is one school only if it is near, of the same ages, and either bears the same name or the
    newer row has no figures of its own.
    """
    sure: list[Pair] = []
    unsure: list[Pair] = []
    present = set(table.index[kept])
    for new, text in table.loc[kept & (table["predecessors"] != ""), "predecessors"].items():
        for old in text.split(";"):
            if old not in present or old == new:
                continue
            mine, theirs = table.loc[new].to_dict(), table.loc[old].to_dict()
            named = same_name(mine["name"]) == same_name(theirs["name"])
            bare = pd.isna(mine["ehc_plans"]) and pd.isna(mine["pupils"])
            one = _near(mine, theirs) and _compatible(mine, theirs) and (named or bare)
            (sure if one else unsure).append(Pair(old, str(new), "linked in the file"))
    return sure, unsure


def unlinked_groups(table: pd.DataFrame, kept: pd.Series) -> list[tuple[str, ...]]:
    """Return groups of kept rows of one name, one place and the same ages, URNs rising.

    Name as `same_name`; place: same postcode or less than 150 m apart.
    """
    some = table.loc[kept & (table["name"] != ""), _COMPARED]
    names = some["name"].map(same_name)
    names = names[(names != "") & names.duplicated(keep=False)]
    rows = some.loc[names.index].to_dict("index")
    groups: list[tuple[str, ...]] = []
    for urns in names.groupby(names).groups.values():
        clumps: list[list[str]] = []
        for urn in sorted(urns, key=lambda urn: (len(urn), urn)):
            mine = rows[urn]
            for clump in clumps:
                other = rows[clump[0]]
                if _near(mine, other) and _compatible(mine, other):
                    clump.append(urn)
                    break
            else:
                clumps.append([urn])
        groups += [tuple(clump) for clump in clumps if len(clump) > 1]
    return groups


def without_successor(table: pd.DataFrame, kept: pd.Series, gone: pd.Series) -> list[Pair]:
    """Return closed mainstream rows beside a kept school that may have taken their pupils.

    `gone` marks rows set aside for their status alone. Same place and ages are needed, a roll
    above 0, and that no kept row names the old one yet. This is a hint for the planner; nothing
    follows from it.
    """
    named = {old for text in table.loc[kept, "predecessors"] for old in text.split(";")}
    placed = table["easting"].notna()
    alive = table.loc[kept & placed, _COMPARED]
    closed = table.loc[gone & placed & (table["pupils"] > 0) & ~table.index.isin(named), _COMPARED]
    if alive.empty or closed.empty:
        return []
    ground = ["easting", "northing"]
    near = cKDTree(alive[ground]).query_ball_point(closed[ground].to_numpy(), NEAR_METRES)
    one, other = closed.to_dict("index"), alive.to_dict("index")
    return [
        Pair(str(old), str(new), "closed, same place and ages")
        for old, places in zip(closed.index, near, strict=True)
        for new in sorted(alive.index[places])
        if _compatible(one[old], other[new])
    ]


def follow(table: pd.DataFrame, why: pd.DataFrame, pair: Pair) -> list[str]:
    """Fill the empty cells of the newer row from the older one, in place; return their columns.

    `table` as the schools table for all rows; `why` str, the reason of every missing number.
    """
    filled = []
    for column in FOLLOWING:
        mine, theirs = table.at[pair.new, column], table.at[pair.old, column]
        if (pd.isna(mine) or mine == "") and not (pd.isna(theirs) or theirs == ""):
            table.at[pair.new, column] = theirs
            if column in why:
                why.at[pair.new, column] = ""
            filled.append(column)
    if pd.isna(table.at[pair.new, "easting"]) and pd.notna(table.at[pair.old, "easting"]):
        for column in ("easting", "northing"):
            table.at[pair.new, column] = table.at[pair.old, column]
        filled.append("easting and northing")
    older = [pair.old, *table.at[pair.old, "predecessors"].split(";")]
    older += table.at[pair.new, "predecessors"].split(";")
    table.at[pair.new, "predecessors"] = ";".join(
        sorted({urn for urn in older if urn and urn != pair.new})
    )
    return filled


def read_links(sheet: pd.DataFrame) -> Links:
    """Read a GIAS links file, recognised into urn, link_urn and link_type (str cells).

    A predecessor and its successor are usually both listed, once from each side; either is enough.
    Splits are left out, because the pupils of one school cannot be given to two.
    """
    kind = sheet["link_type"].str.lower()
    sound = sheet["urn"].str.fullmatch(r"\d{5,7}") & sheet["link_urn"].str.fullmatch(r"\d{5,7}")
    whole = sound & ~kind.str.contains("split")
    back = sheet[whole & kind.str.startswith("predecessor")]
    forth = sheet[whole & (kind.str.startswith("successor") | kind.str.startswith("result of"))]
    pairs = set(zip(back["urn"], back["link_urn"], strict=True))
    pairs |= set(zip(forth["link_urn"], forth["urn"], strict=True))
    older: dict[str, list[str]] = {}
    for new, old in sorted(pairs):
        older.setdefault(new, []).append(old)
    return Links({new: tuple(old) for new, old in older.items()})
