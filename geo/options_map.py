"""Draws several ways to cluster the same schools as one Folium page, to switch and to compare.

The map's own data are plain tables without any number of pupils; the text around it, its tables
among it, is the caller's, already escaped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

import folium
import geopandas as gpd
import numpy as np
import pandas as pd
from markupsafe import Markup

from geo import map_ground as ground
from geo.colours import PALETTE, neighbour_colours
from geo.map_data import PHASES
from geo.map_parts import context, embedded, layer, marks, template, text_of
from geo.offline import POLICY, OfflineMap

BANDS = (5, 10, 15, 20, 30)
"""Classes of whole minutes to the hub end here; the last has no end."""
BOARD = ("map_ground.js", "options_board.js")
"""Everything of one of the two maps."""
PAGE = ("options_state.js", "options_panel.js", "options_start.js")
"""What joins both maps to the panel, the tables and the address."""


@dataclass(frozen=True, eq=False)
class OptionLayer:
    """One way to cluster the schools.

    `key` stands in addresses ("a"), `name` is for people. `clusters`: index label; columns number,
    name, hub (URN), page (relative address), geometry (EPSG:27700, may be empty). `cluster_of`:
    label by URN, none for a school in no cluster. `minutes`: to the hub by URN, NaN = not known.
    """

    key: str
    name: str
    clusters: gpd.GeoDataFrame
    cluster_of: Mapping[str, str]
    minutes: pd.Series


@dataclass(frozen=True, eq=False)
class OptionsMapData:
    """Everything the map of options shows; nothing else reaches its drawing.

    schools: index `urn`, in the order of the page's table of schools; columns name, phase, area,
        sector (of the postcode, "" = not known), easting, northing (EPSG:27700
        metres), selective (NA = not recorded).
    options: at least one; the first is shown first, unless `first` names another.
    moves: URNs of the schools that move, by the keys of two options in the order of `options`.
    links: from_urn, to_urn, estimated, kept (keys of the options that keep both in one cluster);
        without a number, in no order that tells of one.
    provisions: name, kind, kind_words, types (codes), types_words, easting, northing.
    types: words of the need types, by code, in the order of the choice.
    areas, context: as of `geo.map_data.MapData`.
    tiles: https address of tiles with {z}, {x}, {y}; "" for none. They are off until switched on.
    school_page: relative address of what is said of a school, ending where its URN follows.
    """

    title: str
    heading: str
    schools: pd.DataFrame
    options: Sequence[OptionLayer]
    moves: Mapping[tuple[str, str], Sequence[str]]
    links: pd.DataFrame
    provisions: pd.DataFrame
    areas: gpd.GeoDataFrame
    sentence: str
    school_page: str
    first: str = ""
    types: Mapping[str, str] = field(default_factory=dict)
    context: gpd.GeoDataFrame | None = None
    tiles: str = ""
    tiles_credit: str = ""

    @property
    def host(self) -> str:
        """The third party that is asked for pictures where tiles are switched on."""
        return urlsplit(self.tiles).netloc


def draw_options(
    data: OptionsMapData, top: Markup, below: Markup, foot: Markup, own_styles: str = ""
) -> folium.Map:
    """Return the page: `top`, the maps with their panel, `below` and `foot`, escaped by the caller.

    It makes no request (but to the host of `tiles`, once a reader switches them on), and is the
    same byte for byte for the same data.
    """
    payload = _payload(data)
    body = template("options_map.html").render(
        data=data,
        first=data.first or data.options[0].key,
        bands=_band_words(),
        has=_has(data, payload),
        phases=_phases(data.schools),
        colours=list(enumerate(PALETTE)),
        top=top,
        below=below,
        foot=foot,
        payload=Markup(embedded(payload)),
    )
    (south, west), (north, east) = payload["bounds"]
    return OfflineMap(
        data.title,
        ((south + north) / 2, (west + east) / 2),
        name="options",
        styles="\n".join([marks(), own_styles, text_of("options_map.css")]),
        body=body,
        script=_script(),
        policy=_policy(data),
        zoomSnap=0.25,
        zoomDelta=0.75,
        minZoom=6,
    )


def _script() -> str:
    """Return the page's script; what draws one map is a function, as there are two of them."""
    board = "\n".join(text_of(name) for name in BOARD)
    parts = [
        *(text_of(n) for n in ("map_shapes.js", "provision_shapes.js", "map_basics.js")),
        text_of("map_search.js"),
        f"function boardOn(map, frame) {{\n{board}}}",
        *(text_of(name) for name in PAGE),
    ]
    return "\n".join(parts)


def _policy(data: OptionsMapData) -> str:
    """Return what the page may load: pictures of the host of the tiles, if there is one."""
    host = f" https://{data.host}" if data.tiles else ""
    return POLICY.replace("img-src data:", f"img-src data:{host}")


def _band_words() -> list[str]:
    first, *_ = BANDS
    inner = [f"{low + 1} to {high}" for low, high in pairwise(BANDS)]
    return [f"{first} or fewer", *inner, f"more than {BANDS[-1]}"]


def _phases(schools: pd.DataFrame) -> dict[str, str]:
    present = set(schools["phase"])
    return {phase: words for phase, words in PHASES.items() if phase in present}


def _has(data: OptionsMapData, payload: Mapping[str, Any]) -> dict[str, bool]:
    return {
        "links": bool(payload["links"]),
        "estimated": any(link[2] for link in payload["links"]),
        "provisions": bool(payload["provisions"]),
        "selective": any(payload["selective"]),
        "alone": any(-1 in option["of"] for option in payload["options"]),
        "areas": bool(payload["areas"]),
        "roads": bool(payload["roads"]),
        "places": bool(payload["places"]),
        "sectors": payload["sectors"],
        "several": len(data.options) > 1,
    }


def _payload(data: OptionsMapData) -> dict[str, Any]:
    """Return the drawing's own data; schools are named by their place in the table of schools."""
    schools = data.schools
    at = {str(urn): k for k, urn in enumerate(schools.index)}
    lat, lon = ground.to_degrees(schools["easting"], schools["northing"])
    return {
        "bounds": ground.bounds([data.areas], schools),
        "words": {},
        "sectors": bool((schools["sector"] != "").any()),
        "colours": list(PALETTE),
        "bands": list(BANDS),
        "places_of_schools": [list(pair) for pair in zip(lat.tolist(), lon.tolist(), strict=True)],
        "phases": list(schools["phase"]),
        "selective": [int(value is not pd.NA and bool(value)) for value in schools["selective"]],
        "options": [_option(option, schools, at) for option in data.options],
        "moves": {
            f"{one} {other}": sorted(at[str(urn)] for urn in urns)
            for (one, other), urns in data.moves.items()
        },
        "links": _links(data, at),
        "provisions": _provisions(data.provisions),
        "areas": layer(data.areas.sort_index()),
        **context(data.context),
        "tiles": data.tiles,
        "school_page": data.school_page,
        "sentence": data.sentence,
    }


def _option(option: OptionLayer, schools: pd.DataFrame, at: Mapping[str, int]) -> dict[str, Any]:
    clusters = option.clusters.sort_values("number", kind="stable")
    place = {str(label): k for k, label in enumerate(clusters.index)}
    colours = neighbour_colours(clusters.geometry) if len(clusters) else {}
    points = schools[["easting", "northing"]].to_numpy(float)
    of = [place.get(option.cluster_of.get(str(urn), ""), -1) for urn in schools.index]
    minutes = option.minutes.reindex(schools.index)
    return {
        "key": option.key,
        "name": option.name,
        "of": of,
        "minutes": [int(m) if np.isfinite(m) else -1 for m in np.round(minutes)],
        "clusters": [
            {
                "no": int(row.number),
                "name": str(row.name),
                "page": str(row.page),
                "hub": at.get(str(row.hub), -1),
                "colour": colours[str(row.Index)] % len(PALETTE),
                "shape": shape,
                "at": ground.label_place(row.geometry, points),
            }
            for row, shape in zip(
                clusters.itertuples(), ground.outlines(clusters.geometry), strict=True
            )
        ],
    }  # fmt: skip


def _links(data: OptionsMapData, at: Mapping[str, int]) -> list[list[Any]]:
    """Return links as from, to, estimated, positions of the options that keep it; by school."""
    found = []
    for link in data.links.itertuples(index=False):
        start, end = at.get(str(link.from_urn)), at.get(str(link.to_urn))
        if start is None or end is None:
            continue
        kept = [k for k, option in enumerate(data.options) if option.key in link.kept]
        found.append([start, end, int(bool(link.estimated)), kept])
    return sorted(found)


def _provisions(table: pd.DataFrame) -> list[dict[str, Any]]:
    lat, lon = ground.to_degrees(table["easting"], table["northing"])
    rows = zip(table.itertuples(index=False), lat.tolist(), lon.tolist(), strict=True)
    return [
        {
            "name": str(row.name),
            "kind": str(row.kind),
            "said": f"{row.kind_words}. {row.types_words}",
            "types": list(row.types),
            "at": [y, x],
        }
        for row, y, x in rows
    ]
