"""The tables of the page of provision, in words: a heading, rows of cells, bars where they help."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from clustering.provision.reach import KEY
from clustering.provision.tables import ALL
from clustering.provision_desk import Review, State
from clustering.publish import provision_words as say
from clustering.publish.provision_layers import now, numbers, way_on

WORDS_OF_FLAG = {
    "red": "Below a threshold",
    "amber": "Below a threshold twice",
    "over-full": "Over-full",
    "small": "Small",
    "none": "No flag",
    "not known": "Not known",
}
"""Flags in words, never a colour alone and never a verdict."""


@dataclass(frozen=True)
class Bar:
    """A cell with a bar: shares from 0 to 1 that lie one after another, and their words."""

    words: str
    parts: tuple[float, ...]

    @property
    def pieces(self) -> list[tuple[int, float, float]]:
        """Number, start and width of each part, in per cent."""
        start, found = 0.0, []
        for at, part in enumerate(self.parts):
            width = round(100 * part, 2) if part == part else 0.0
            found.append((at, round(start, 2), width))
            start += width
        return found


@dataclass(frozen=True)
class Strong:
    """A cell that must not be overlooked."""

    words: str


Cell = str | Bar | Strong


@dataclass(frozen=True)
class Table:
    """One table: what it shows, its columns, and rows whose first cell is their heading."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    name: str = ""
    numbers: tuple[int, ...] = ()
    """Numbers on the map, one a row, where the rows are provisions."""


def within(first: float, second: float) -> Bar:
    """Return the bar of the shares within the first and within the last limit."""
    words = f"{say.share(first)} / {say.share(second)}"
    return Bar(words, (first, second - first))


def placed(inside: float, beyond: float) -> Bar:
    """Return the bar of the shares placed within and beyond the last limit."""
    return Bar(f"{say.share(inside)} / {say.share(beyond)}", (inside, beyond))


REACH_HEAD = (
    *("Children", "Nearest within first / last limit", "Minutes, mean", "Minutes, 9 in 10 within"),
    *("Placed within / beyond the limit", "Without a place"),
)


def reach_cells(row: pd.Series) -> tuple[Cell, ...]:
    """Return the cells of one row of `reach_table`, as in `REACH_HEAD`."""
    return (
        say.children(row["children"]),
        within(row["within_first"], row["within_second"]),
        say.minutes(row["mean_minutes"]),
        say.minutes(row["p90_minutes"]),
        placed(row["placed_within"], row["placed_beyond"]),
        say.children(row["without_place"]),
    )


def reach(table: pd.DataFrame, kinds: Mapping[str, str], heading: str) -> Table:
    """Return reach by need type and phase, all types of a kind last."""
    several = table["kind"].nunique() > 1
    rows = []
    for _, row in table.iterrows():
        code, phase = row["need_type"], say.PHASE_WORDS[row["phase"]].lower()
        name = "All types together" if code == ALL else say.type_words(code)
        kind = f" ({kinds[row['kind']]})" if several else ""
        offered = f"{say.whole(row['provisions'])} / {say.whole(row['places'])}"
        cells = reach_cells(row)
        rows.append((f"{name}{kind}, {phase}", cells[0], offered, *cells[1:]))
    head = ("Need type and phase", REACH_HEAD[0], "Provisions / places", *REACH_HEAD[1:])
    return Table(heading, head, tuple(rows))


def reach_by(table: pd.DataFrame, by: str, first: str, caption: str) -> Table:
    """Return reach of one need type and phase by area or by fifth of deprivation."""
    names = {1.0: "1 (most deprived)", 5.0: "5 (least deprived)"}
    rows = [
        (
            (str(row[by]) or "outside")
            if by == "area"
            else names.get(row[by], f"{row[by]:.0f}"),
            *reach_cells(row),
        )
        for _, row in table.iterrows()
    ]  # fmt: skip
    return Table(caption, (first, *REACH_HEAD), tuple(rows))


def worst(table: pd.DataFrame) -> Table:
    """Return the places from which the way is longest."""
    rows = [
        (
            str(row["name"]), str(row["area"]) or "outside", say.children(row["children"]),
            str(row["nearest"]) or say.NONE, say.minutes(row["minutes"]),
        )
        for _, row in table.iterrows()
    ]  # fmt: skip
    head = ("Place", "Area", "Children", "Nearest", "Minutes")
    return Table("The five places with the longest way", head, tuple(rows))


def without(table: pd.DataFrame) -> Table:
    """Return the children without a place and why, most first."""
    rows = [
        (str(row["area"]) or "outside", say.children(row["children"]),
         say.capital(str(row["reason"])), str(row["most_at"]))
        for _, row in table.iterrows()
    ]  # fmt: skip
    head = ("Area", "Children", "Why", "Most of them at")
    return Table("Children without a place", head, tuple(rows))


FIGURES = {
    "%": lambda x: say.share(x / 100),
    "pounds": say.pounds,
    "capital": say.pounds,
    "mean minutes": say.minutes,
    "children": say.children,
}


def together(review: Review) -> Table:
    """Return today and the scenarios side by side."""
    table = review.side_by_side
    rows = []
    for figure, cells in table.iterrows():
        name = str(figure)
        told = next((f for start, f in FIGURES.items() if name.startswith(start)), say.whole)
        rows.append((say.capital(name.replace("%", "share", 1).strip()), *map(told, cells)))
    caption = f"Provision as it is and the scenarios, autumn {review.today.year}"
    return Table(caption, ("Figure", *map(str, table.columns)), tuple(rows))


def inequality(table: pd.DataFrame, kinds: Mapping[str, str]) -> Table:
    """Return how unequal reach is, always beside its level."""
    several = table["kind"].nunique() > 1 if len(table) else False
    rows = []
    for _, row in table.iterrows():
        kind = f" ({kinds[row['kind']]})" if several else ""
        name = f"{say.type_words(row['need_type'])}{kind}, {row['phase']}"
        figures = (
            *("gini", "theil", "theil_between", "minutes_p90_p10"),
            *("places_concentration", "minutes_concentration"),
        )
        rows.append((name, f"{100 * row['level']:.0f}", *(say.decimal(row[c]) for c in figures)))
    head = (
        *("Need type and phase", "Level: places in reach per 100 children", "Gini of places"),
        *("Theil of places", "Theil between areas", "Minutes: farthest tenth over nearest tenth"),
        *("Places by deprivation (above 0: the poorer have less)",),
        *("Minutes by deprivation (below 0: the poorer travel longer)",),
    )
    return Table("Inequality between children, beside the level", head, tuple(rows))


def provisions(review: Review, kinds: Mapping[str, str]) -> Table:
    """Return today's provisions by number: how full and how large each is, with its flag."""
    number = numbers(review)
    table = review.viability()
    table = table.assign(number=table["provision"].map(number)).sort_values("number")
    ages = review.today.register.table[["low_age", "high_age"]]
    rows = []
    for _, row in table.iterrows():
        low, high = ages.loc[row["provision"]]
        flag = row["flag"]
        told = WORDS_OF_FLAG.get(flag, flag) + (f": {row['words']}" if row["words"] else "")
        earlier = say.share(row["earlier"])
        rows.append(
            (
                str(row["number"]), row["name"], row["area"] or "outside", kinds[row["kind"]],
                say.types_words(row["need_types"]), f"{low:.0f} to {high:.0f}",
                say.whole(row["places"]), say.whole(row["on_roll"]),
                Bar(say.share(row["occupancy"]), (min(row["occupancy"], 1.0),)), earlier,
                say.pounds(row["empty_cost"]),
                told if flag == "none" else Strong(told),
            )
        )  # fmt: skip
    head = (
        *("Number", "School", "Area", "Kind", "Need types", "Ages", "Places", "On roll", "Filled"),
        *("Filled before", "Empty places, a year", "Flag"),
    )
    caption = "Provisions by their number on the map: how full and how large"
    return Table(caption, head, tuple(rows), "provisions", tuple(int(r[0]) for r in rows))


def pathway_table(review: Review, state: State) -> Table:
    """Return where the children of each primary provision go on to, broken ways first."""
    found = review.pathways(state).sort_values("within", kind="stable")
    clusters = found["same_cluster"].notna().any()
    rows = []
    for row in found.itertuples():
        told: Cell = way_on(row).split(": ", 1)[1]
        cells: list[Cell] = [
            str(row.name), row.area or "outside", say.type_words(row.need_type),
            say.children(row.leavers), told if row.within else Strong(str(told)),
            "yes" if row.same_area else "no", str(row.choices),
        ]  # fmt: skip
        if clusters:
            same = row.same_cluster
            cells.append(say.NONE if pd.isna(same) else "yes" if same else "no")
        rows.append(tuple(cells))
    head = (
        *("Primary provision", "Area", "Need type", "Leavers a year", "Goes on to"),
        *("In the same area", "Choices within the limit"),
        *(("In the same cluster",) if clusters else ()),
    )
    caption = "From each primary provision to the nearest secondary one"
    return Table(caption, head, tuple(rows))


def pathway_gaps(review: Review, state: State) -> Table:
    """Return leavers, places to go on to and leavers without one, year by year."""
    found = review.pathway_years(state)
    years = sorted(set(found["year"]))
    rows = []
    for (area, kind, code), part in found.groupby(["area", "kind", "need_type"]):
        own = part.set_index("year")
        kept = f" ({say.KINDS[kind]})" if found["kind"].nunique() > 1 else ""
        cells: list[Cell] = [f"{area or 'outside'}, {code}{kept}"]
        for year in years:
            if year not in own.index:
                cells.append(say.NONE)
                continue
            row = own.loc[year]
            text = f"{say.children(row['leavers'])} leave, {say.children(row['intake'])} places"
            lost = row["without"]
            bad = lost >= 0.05
            cells.append(Strong(f"{text}, {say.children(lost)} without") if bad else text)
        rows.append(tuple(cells))
    caption = "Leavers, and places a year to go on to, by area and need type"
    return Table(caption, ("Area and need type", *map(str, years)), tuple(rows))


def costs(states: Iterable[State]) -> Table:
    """Return pounds by year of each state, to £1,000."""
    rows = [
        (
            f"{state.heading}, {row['year']:.0f}", say.whole(row["places"]),
            say.whole(row["filled"]), say.whole(row["empty"]), say.pounds(row["funding"]),
            say.pounds(row["top_up"]), say.pounds(row["visiting"]), say.pounds(row["total"]),
            say.pounds(row["capital"]),
        )
        for state in states
        for _, row in state.costs.iterrows()
        if "total" in state.costs
    ]  # fmt: skip
    head = (
        *("Provision and year", "Places", "Filled", "Empty", "Funding of places", "Top-up"),
        *("Visiting teachers", "Total a year", "Capital, once"),
    )
    return Table("What the places cost, to the nearest £1,000", head, tuple(rows))


def changed_provisions(review: Review, state: State) -> Table:
    """Return the provisions that a scenario ends or begins, by their number on the map.

    One that only changes ends as it was and begins as it will be.
    """
    number, before, after = numbers(review), now(review.today), now(state)
    parts = (
        (before[~before.index.isin(after.index)], "ends"),
        (after[~after.index.isin(before.index)], "begins"),
    )
    rows = [
        (
            *(f"{number[str(label)]} · {base['name']}", word, base["area"] or "outside"),
            *(say.types_words(base["need_types"]), say.whole(base["places"])),
        )
        for table, word in parts
        for label, base in table.iterrows()
    ]
    head = ("Provision", "What", "Area", "Need types", "Places")
    return Table("Provisions that end or begin, by their number on the map", head, tuple(rows))


def before_after(state: State) -> Table:
    """Return what a scenario changes, by need type, phase and area."""
    rows = []
    for _, row in state.by_area.iterrows():
        told = f"{row['need_type']}, {row['phase']}"
        rows.append(
            (
                f"{told}: {row['area'] or 'all areas'}", say.children(row["children"]),
                say.children(row["better"]), say.children(row["worse"]),
                *(f"{say.share(row['within_before'])} → {say.share(row['within_after'])}",),
                *(f"{say.minutes(row['minutes_before'])} → {say.minutes(row['minutes_after'])}",),
                *(f"{say.children(row['without_before'])} → {say.children(row['without_after'])}",),
            )
        )  # fmt: skip
    head = (
        *("Need type, phase and area", "Children", "Nearer", "Farther"),
        *("Within the last limit", "Minutes, mean", "Without a place"),
    )
    return Table("Before and after, where anything changes", head, tuple(rows))


def reconciliation(table: pd.DataFrame) -> Table:
    """Return where the lists of provision disagree, and what was used."""
    rows = [
        (f"{row['name']} ({row['urn']})", *(str(row[c]) for c in columns))
        for columns in (("what", "council", "record", "census", "used"),)
        for _, row in table.iterrows()
    ]
    head = ("School", "What", "Council’s list", "Schools’ record", "School census", "Used")
    return Table("Where the lists of provision disagree", head, tuple(rows))


def per_pupils(table: pd.DataFrame, kinds: Mapping[str, str]) -> Table:
    """Return places per 1,000 pupils and per 100 EHC plans by area."""
    rows = [
        (f"{row['area'] or 'outside'}, {kinds[row['kind']]}", say.whole(row["places"]),
         f"{row['per_1000_pupils']:.1f}",
         say.NOT_KNOWN if pd.isna(row["per_100_plans"]) else f"{row['per_100_plans']:.0f}")
        for _, row in table.iterrows()
    ]  # fmt: skip
    head = ("Area and kind", "Places", "Per 1,000 pupils", "Per 100 EHC plans")
    return Table("Places against pupils and EHC plans of mainstream schools", head, tuple(rows))


def only(table: pd.DataFrame, key: Sequence[str]) -> pd.DataFrame:
    """Return the rows of one kind, need type and phase."""
    return table[(table[KEY] == list(key)).all(axis=1)]
