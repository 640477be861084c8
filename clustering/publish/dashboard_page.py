"""The pages of the District Dashboard: all districts side by side, and one page for each.

Charts are tables with a bar in a cell, so that there is nothing to see that is not also written.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from clustering.publish import dashboard_files
from clustering.publish.consultation import AREA, COUNTY, Consultation
from clustering.publish.dashboard import DISTRICT, GROUPS, SCHOOLS, Dashboard, dashboard_of
from clustering.publish.dashboard_charts import COUNTY_PAGE, Bar, Chart, Figure
from clustering.publish.dashboard_groups import FEWEST
from clustering.publish.dashboard_reach import PART as REACH
from clustering.publish.dashboard_trends import UNIT_WORDS, Trend
from clustering.publish.dashboard_words import headline, no_reach_words, reach_words
from clustering.publish.outcomes_file import CLUSTER, PUPILS
from clustering.publish.pages import area_page, areas_of, marked, page, root_of

INDEX = "dashboard/index.html"
DOWNLOADS = (
    (dashboard_files.WORKBOOK, "All tables behind the charts (Excel)"),
    (dashboard_files.CSV_FILES[0], "Figures of districts, school groups and clusters (CSV)"),
    (dashboard_files.CSV_FILES[1], "Outcomes by year (CSV)"),
)
HEADS = {CLUSTER: "Cluster", AREA: "District", "need type": "Need"}
NARROW = 3
"""Charts with more columns than this scroll on a telephone."""
WIDE, HIGH, EDGE = 112, 28, 5
"""Size of the picture of a trend, and its margin, in its own units."""

files = dashboard_files.files


def pages(consultation: Consultation) -> Iterator[tuple[str, str]]:
    """Yield the address and the text of each page; the same for the same consultation."""
    found = dashboard_of(consultation)
    slugs = areas_of(consultation)
    addresses = {area: f"dashboard/{slug}.html" for area, slug in slugs.items()}
    sentences = {area: headline(consultation, found, area) for area in found.areas}
    about = [(area, f"{slugs[area]}.html", sentences[area][0]) for area in found.areas]
    own = _context(consultation, found, INDEX, COUNTY_PAGE, addresses)
    contents = [
        ("pages", "A page for each district"),
        ("districts", "Districts side by side"),
        *([("groups", "School groups of the county")] if own["parts"][GROUPS] else []),
        ("clusters", "Ways and leavers, today and in every option"),
        ("reach", "Reach of SRPs"),
        ("outcomes", "Outcomes over the years"),
        ("files", "Files"),
        ("words", "What the words mean"),
    ]
    title = "District Dashboard"
    yield page(
        consultation, INDEX, title, "dashboard_index.html", areas=about, contents=contents, **own
    )
    for area, address in addresses.items():
        yield page(
            consultation,
            address,
            f"{area}: District Dashboard",
            "dashboard_area.html",
            area=area,
            area_address=area_page(consultation, area),
            sentences=sentences[area],
            fewest=FEWEST,
            **_context(consultation, found, address, area, addresses),
        )


def _context(
    consultation: Consultation,
    found: Dashboard,
    address: str,
    name: str,
    addresses: dict[str, str],
) -> dict[str, Any]:
    """Return what a template needs of one page: its charts by part, trends, words."""
    drawing = _Drawing(found, root_of(address), addresses if name == COUNTY_PAGE else {})
    own = [chart for chart in found.charts if chart.page == name]
    shown: dict[str, list[dict[str, Any]]] = {}
    for number, chart in enumerate(own, start=1):
        shown.setdefault(chart.part, []).append(drawing.chart(chart, f"chart-{number}"))
    trends = [trend for trend in found.trends if trend.page == name]
    return {
        "parts": {
            DISTRICT: [*shown.get(SCHOOLS, []), *shown.get(DISTRICT, [])],
            GROUPS: shown.get(GROUPS, []),
            REACH: shown.get(REACH, []),
        },
        "options": [(option, shown.get(option.key, [])) for option in consultation.options],
        "reach_words": reach_words(consultation),
        "no_reach": no_reach_words(consultation),
        "trends": [_trend(trend, f"trend-{k}") for k, trend in enumerate(trends, start=1)],
        "missing": found.missing,
        "downloads": DOWNLOADS,
    }


class _Drawing:
    """Turns charts into what a template writes: texts, widths and places in per cent."""

    def __init__(self, found: Dashboard, root: str, addresses: dict[str, str]) -> None:
        self.tops, self.root, self.addresses = found.tops, root, addresses

    def chart(self, chart: Chart, name: str) -> dict[str, Any]:
        """Return a chart for the template."""
        top = self.tops.get(chart.measure, 0.0) if chart.measure else 0.0
        kinds = {bar.kind for bar in chart.bars} - {COUNTY}
        heads = [HEADS[kind] for kind in HEADS if kind in kinds]
        return {
            "id": name,
            "title": chart.title,
            "head": heads[0] if heads else "Group",
            "columns": chart.columns,
            "drawn": bool(chart.measure),
            "wide": len(chart.columns) + 1 > NARROW,
            "marks": [
                {
                    "kind": mark.name,
                    "words": mark.words or _name(mark.name),
                    "text": _text(mark.figure),
                    "at": _part(mark.figure, top),
                }
                for mark in chart.marks
            ],
            "rows": [self._row(bar, top) for bar in chart.bars],
            "note": chart.note,
        }

    def _row(self, bar: Bar, top: float) -> dict[str, Any]:
        address = f"{self.root}{bar.address}" if bar.address else ""
        if bar.kind == AREA and bar.group in self.addresses:
            address = f"{self.root}{self.addresses[bar.group]}"
        return {
            "kind": bar.kind.replace(" ", "-"),
            "name": _name(bar.group),
            "address": address,
            "texts": [_text(figure) for figure in bar.figures],
            "width": _part(bar.figures[0], top),
        }


def _part(figure: Figure, top: float) -> str | None:
    """Return where a value lies on its scale, in per cent; None where there is nothing to draw."""
    if figure.value is None or top <= 0:
        return None
    return f"{100 * max(figure.value, 0.0) / top:.1f}"


def _name(group: str) -> str:
    return group[:1].upper() + group[1:]


def _text(figure: Figure) -> Any:
    """Return a figure as it stands on a page; a released one with the mark that verifies it."""
    return marked(figure.cell, *figure.key) if figure.key else figure.text


def _trend(trend: Trend, name: str) -> dict[str, Any]:
    rows = []
    for line in trend.lines:
        at = _points(trend, [figure.value for figure in line.figures])
        rows.append(
            {
                "kind": line.kind,
                "name": _name(line.group),
                "texts": [figure.text for figure in line.figures],
                "dots": [point for point in at if point],
                "lines": [" ".join(f"{x},{y}" for x, y in run) for run in _runs(at)],
            }
        )
    unit = UNIT_WORDS[trend.unit]
    own = {"id": name, "title": trend.title, "unit": unit, "years": trend.years, "rows": rows}
    digits = 0 if trend.unit == PUPILS else 1
    ends = [f"{end:,.{digits}f}" for end in (trend.low, trend.high)]
    return {**own, "ends": ends if any(row["dots"] for row in rows) else []}


Point = tuple[str, str]


def _points(trend: Trend, values: Sequence[float | None]) -> list[Point | None]:
    """Return where each year's dot stands; None where nothing is shown, which is a gap."""
    step = (WIDE - 2 * EDGE) / max(len(values) - 1, 1)
    span = trend.high - trend.low
    found: list[Point | None] = []
    for k, value in enumerate(values):
        if value is None:
            found.append(None)
            continue
        part = (value - trend.low) / span if span > 0 else 0.5
        found.append((f"{EDGE + k * step:.1f}", f"{HIGH - EDGE - part * (HIGH - 2 * EDGE):.1f}"))
    return found


def _runs(points: Sequence[Point | None]) -> Iterator[list[Point]]:
    """Yield the runs of two dots or more between gaps."""
    run: list[Point] = []
    for point in (*points, None):
        if point is not None:
            run.append(point)
            continue
        if len(run) > 1:
            yield run
        run = []
