"""What a chart of the dashboard is made of: figures, bars, marks and a scale all pages share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from clustering.publish.disclosed import NOT_KNOWN, NOT_SHOWN, Cell, Released
from clustering.publish.pages import MEASURES

COUNTY_PAGE = ""
"""The page on which all districts stand side by side; other pages have the name of a district."""
RATE_HEADS = ("Share of pupils", "Pupils")


@dataclass(frozen=True)
class Figure:
    """A number as it stands on a page: its text, its value where it is shown, else None.

    `key` is where a released number stands in the pack: grouping, group, measure; () for a fact.
    """

    text: str
    value: float | None = None
    key: tuple[str, ...] = ()

    @property
    def cell(self) -> Cell:
        """The figure as a released cell."""
        return Cell(self.text, self.value)


@dataclass(frozen=True)
class Bar:
    """A row of a chart: a group and its figures, of which the first is drawn.

    `option` is the key of the option whose cluster it is, "" for other groups; `address` the page
    that says more of it, "" for none.
    """

    kind: str
    group: str
    figures: tuple[Figure, ...]
    option: str = ""
    address: str = ""


@dataclass(frozen=True)
class Mark:
    """A line across all bars of a chart, "county" or "district", its figure, and its name in words
    where that is another."""

    name: str
    figure: Figure
    words: str = ""


@dataclass(frozen=True)
class Chart:
    """A chart that is a table: one bar a group, with every number written beside it.

    `page` is a district, or `COUNTY_PAGE`; `part` the part of the page; `measure` what is drawn,
    and the scale it shares with all charts of that measure ("" draws nothing); `columns` the heads
    of the figures.
    """

    page: str
    part: str
    measure: str
    title: str
    columns: tuple[str, ...]
    bars: tuple[Bar, ...]
    marks: tuple[Mark, ...] = ()
    note: str = ""

    def values(self) -> list[float]:
        """Return everything that is drawn."""
        drawn = [bar.figures[0] for bar in self.bars] + [mark.figure for mark in self.marks]
        return [figure.value for figure in drawn if figure.value is not None]


def scales(charts: Iterable[Chart]) -> Mapping[str, float]:
    """Return the greatest value of each measure over all charts; 100 for shares of everybody."""
    found: dict[str, float] = {}
    for chart in charts:
        for value in chart.values():
            found[chart.measure] = max(found.get(chart.measure, 0.0), value)
    return found


def count_of(numbers: Released, grouping: str, group: str, measure: str) -> Figure:
    """Return a released count or amount with its place in the pack."""
    cell = numbers.shown(grouping, group, measure)
    return Figure(cell.text, cell.value, (grouping, group, measure))


def rate_of(numbers: Released, grouping: str, group: str, measure: str) -> Figure:
    """Return a released rate against pupils with its place in the pack."""
    cell = numbers.rate(grouping, group, measure, "pupils")
    return Figure(cell.text, cell.value, (grouping, group, f"{measure} of pupils"))


def whole(value: float, nothing: str = NOT_KNOWN) -> Figure:
    """Return a public fact as a whole number; `nothing` in its place for NaN."""
    return Figure(nothing) if value != value else Figure(f"{value:,.0f}", round(value))


def share(text: str) -> Figure:
    """Return a share that is already in words ("about 85%") with its value; "" is not shown."""
    digits = text.strip("about %")
    return Figure(text, float(digits)) if digits else Figure(NOT_SHOWN)


def title_of(measure: str) -> str:
    """Return what a released measure is called above a chart."""
    words = MEASURES[measure]
    return words[:1].upper() + words[1:]
