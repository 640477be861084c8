"""What the command line shows of provision: tables for people, rounded to what is known."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from rich.table import Table

from clustering.provision.pathways import NOBODY
from clustering.provision.settings import KINDS, NEED_TYPES
from clustering.provision.tables import ALL, reach_table, without_a_place, worst_served
from clustering.provision.viability import FINE
from clustering.provision_desk import Review, State
from clustering.provision_sites import WhereNext
from clustering.show import table_shown

PRIVATE = (
    "Private: a scenario is not a proposal to open or close anything. Changes to SRPs are "
    "statutory proposals with a consultation of their own."
)
SOME = 20
"""Below this many children one decimal is told, above none: estimates are no better."""


def review_shown(review: Review) -> Iterator[Table]:
    """Yield the tables of a review, from the whole council to single provisions."""
    counts = review.provision.register.disagreements
    if len(counts):
        yield table_shown(counts, "Where the sources disagree")
    if not review.side_by_side.empty:
        yield table_shown(_sided(review.side_by_side), f"Side by side, autumn {review.today.year}")
    if review.today.reach is not None:
        yield table_shown(_reached(review.today), "Who can reach a place")
    for state in review.scenarios:
        if not state.by_area.empty:
            yield table_shown(_before_after(state), f"{state.heading}: before and after")
    if review.today.reach is not None:
        yield table_shown(_worst(review), "Farthest from the nearest provision")
        lost = without_a_place(review.today.reach, review.names).head(12)
        if len(lost):
            lost["children"] = lost["children"].map(children)
            yield table_shown(lost, "Children without a place")
    yield from _provisions_shown(review)


def _provisions_shown(review: Review) -> Iterator[Table]:
    flagged = review.viability()
    flagged = flagged[flagged["flag"] != FINE]
    if len(flagged):
        flagged = flagged.assign(
            kind=flagged["kind"].map(KINDS),
            places=flagged["places"].map(whole),
            on_roll=flagged["on_roll"].map(whole),
            empty_cost=flagged["empty_cost"].map(lambda v: "–" if v != v else f"£{v:,.0f}"),
        )
        columns = ["name", "kind", "need_types", "places", "on_roll", "empty_cost", "flag", "words"]
        yield table_shown(flagged[columns], "Flags, no verdicts")
    ways = review.pathways()
    broken = ways[~ways["within"]]
    if len(broken):
        broken = broken.assign(
            next=broken["next"].replace("", NOBODY), minutes=broken["minutes"].map(minutes)
        )
        columns = ["name", "area", "need_type", "next", "minutes"]
        yield table_shown(broken[columns], "No secondary provision to go on to within the limit")


def sites_shown(found: WhereNext) -> Table:
    """Return the best sites and others nearly as good."""
    table = found.table.copy()
    if not table.empty:
        for column in ("within", "least_area_within"):
            table[column] = table[column].map(percent)
        for column in ("mean_minutes", "greatest_minutes"):
            table[column] = table[column].map(minutes)
        for column in ("newly_within", "without"):
            table[column] = table[column].map(children)
        table["pounds"] = table["pounds"].map("£{:,.0f}".format)
        if (table["least_area_within"] == "–").all():
            table = table.drop(columns="least_area_within")
    return table_shown(table, found.question)


def children(value: float) -> str:
    """Return a number of children, as exactly as an estimate is."""
    if value != value:
        return "–"
    return f"{value:,.1f}" if 0 < abs(value) < SOME else f"{value:,.0f}"


def whole(value: float) -> str:
    """Return a count, or a dash for one that is not known."""
    return "not known" if value != value else f"{value:,.0f}"


def minutes(value: float) -> str:
    """Return whole minutes; "none" where no way or no provision is."""
    return "–" if value != value else "none" if np.isinf(value) else f"{value:,.0f}"


def percent(value: float) -> str:
    """Return a share in whole per cent."""
    return "–" if value != value else f"{100 * value:.0f} %"


def _sided(table: pd.DataFrame) -> pd.DataFrame:
    told = table.copy().astype(object)
    for figure in table.index:
        for name in table.columns:
            value = float(table.at[figure, name])
            pounds = "pounds" in figure or "capital" in figure
            shown = f"£{value:,.0f}" if pounds else children(value)
            told.at[figure, name] = "not known" if value != value else shown
    return told.reset_index(names="")


def _reached(state: State) -> pd.DataFrame:
    assert state.reach is not None
    table = reach_table(state.reach)
    return pd.DataFrame(
        {
            "kind": table["kind"],
            "need": table["need_type"],
            "phase": table["phase"],
            "children": table["children"].map(children),
            "provisions": table["provisions"],
            "places": table["places"].map(whole),
            "nearest within first limit": table["within_first"].map(percent),
            "within last": table["within_second"].map(percent),
            "mean min": table["mean_minutes"].map(minutes),
            "placed within last": table["placed_within"].map(percent),
            "without a place": table["without_place"].map(children),
            "places per 100 in reach": table["per_100"].map(whole),
        }
    )


def _before_after(state: State) -> pd.DataFrame:
    table = state.by_area
    table = table[(table["better"] > 0) | (table["worse"] > 0) | (table["area"] == "")]
    out = pd.DataFrame(
        {
            "area": table["area"].replace("", ALL),
            "need": table["need_type"].map(lambda code: NEED_TYPES.get(code, code)),
            "phase": table["phase"],
            "children": table["children"].map(children),
            "better": table["better"].map(children),
            "worse": table["worse"].map(children),
        }
    )
    for column, told in (("within", percent), ("minutes", minutes), ("without", children)):
        out[column] = [
            f"{told(a)} → {told(b)}"
            for a, b in zip(table[f"{column}_before"], table[f"{column}_after"], strict=True)
        ]
    return out


def _worst(review: Review) -> pd.DataFrame:
    assert review.today.reach is not None
    table = worst_served(review.today.reach, review.names, count=2)
    table = table.assign(minutes=table["minutes"].map(minutes))
    return table[["need_type", "phase", "name", "area", "nearest", "minutes"]]
