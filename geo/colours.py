"""Colours of the map: a small palette, and neighbours that never share one of its colours."""

from __future__ import annotations

import geopandas as gpd
import networkx as nx

LAND = "#f7f5ee"
"""Ground colour against which every outline keeps a contrast of at least 3:1."""

PALETTE: tuple[str, ...] = (
    "#1d9387",
    "#db551d",
    "#072c99",
    "#9269e4",
    "#4f0050",
    "#223500",
    "#8d4441",
    "#46619c",
)
"""Eight outline colours, ordered so that the first few are the easiest to tell apart.

Found by a search in Oklab for the widest least distance between any two, seen with full colour
vision and with simulated protanopia, deuteranopia and tritanopia (Machado, Oliveira and Fernandes,
2009), under the condition that each is dark enough to stand out from `LAND`.
"""

TOUCHING_METRES = 50.0
"""Outlines nearer than this count as neighbours: simplified borders rarely meet exactly."""


def relative_luminance(colour: str) -> float:
    """Return the relative luminance of `#rrggbb`, 0 to 1, as WCAG 2.2 defines it."""
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Return the WCAG 2.2 contrast ratio of two `#rrggbb` colours, 1 to 21."""
    dark, light = sorted((relative_luminance(one), relative_luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def neighbours(outlines: gpd.GeoSeries, within: float = TOUCHING_METRES) -> nx.Graph:
    """Return the graph of outlines that touch, overlap or lie within some metres of one another.

    `outlines`: geometries in metres, indexed by unique label. Nodes are the labels, in order.
    An empty or missing outline has no neighbours.
    """
    shapes = outlines.sort_index()
    graph = nx.Graph()
    graph.add_nodes_from(shapes.index)
    real = shapes[~(shapes.isna() | shapes.is_empty)]
    left, right = real.sindex.query(real.geometry, predicate="dwithin", distance=within)
    labels = list(real.index)
    graph.add_edges_from(
        sorted((labels[a], labels[b]) for a, b in zip(left, right, strict=True) if a < b)
    )
    return graph


def neighbour_colours(outlines: gpd.GeoSeries, colours: int = len(PALETTE)) -> dict[str, int]:
    """Return a palette position for every outline, so that no two neighbours share one.

    `outlines`: geometries in metres, indexed by unique label. The same outlines give the same
    answer whatever their order. Colours by largest saturation first (Brelaz 1979, DSATUR); where
    that needs too many, tries other orders, and gives the best of them: positions may then
    exceed `colours`, which the caller must tell the reader.
    """
    graph = neighbours(outlines, TOUCHING_METRES)
    best: dict[str, int] = {}
    for strategy in ("DSATUR", "smallest_last", "largest_first"):
        found = nx.greedy_color(graph, strategy=strategy)
        if not best or max(found.values()) < max(best.values()):
            best = {label: int(found[label]) for label in sorted(found)}
        if best and max(best.values()) < colours:
            break
    return best
