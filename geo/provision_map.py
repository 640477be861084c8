"""Draws provision and how far children travel to it, as one self-contained Folium page.

The map's own data are plain tables; the text below it is the caller's, already escaped. Minutes
are drawn in classes that end at the council's two limits, so that colour says what the tables say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import folium
import geopandas as gpd
import numpy as np
import pandas as pd
from markupsafe import Markup

from geo import map_ground as ground
from geo.map_parts import context, embedded, layer, styles, template, text_of
from geo.offline import OfflineMap

SCRIPTS = (
    *("map_shapes.js", "map_basics.js", "map_ground.js", "map_print.js", "provision_shapes.js"),
    "provision_map.js",
)
COLOURS = ("#ffffd4", "#fed98e", "#fe9929", "#d95f0e", "#993404")
"""From near to far: YlOrBr of ColorBrewer (Brewer, Harrower and Penn State, colorbrewer2.org),
which people with any colour vision can put in order."""
FAR = 4 / 3
"""The last class begins at so many times the last limit."""
SIGNS = ("", "none", "part", "visited")
"""What stands instead of minutes: none open to them, none open to some, visited at their school."""
CHANGES = ("", "better", "worse")
STATUSES = ("open", "new", "closed")


@dataclass(frozen=True, eq=False)
class ProvisionMapData:
    """Everything the map of provision shows; nothing else reaches its drawing.

    choices: index any label; columns type, phase (labels), type_words, phase_words. What readers
        choose from, in this order.
    states: index any label, today's first; column heading.
    limits: columns state, phase, first, second (minutes).
    provisions: a row a state and provision: state, provision, number (shown on the map), name,
        kind, kind_words, status (`STATUSES`), easting, northing (EPSG:27700 metres), choices
        (labels it is open to), types (labels it is for), details (pairs for the card).
    kinds: words by kind, in the order of the legend.
    points: index point; name, easting, northing.
    reached: a row a state, choice and point: children, minutes (door to door; inf with the signs
        "none" and "part"), sign (`SIGNS`), nearest (words), change (`CHANGES`, against today's).
    pathways: state, type, provision, next ("" = none), broken, words.
    sentences: state, choice, words.
    areas, context: as of `geo.map_data.MapData`.
    banners, hints: lines that must not be overlooked, and lines that help to read the figures.
    """

    title: str
    subtitle: str
    choices: pd.DataFrame
    states: pd.DataFrame
    limits: pd.DataFrame
    provisions: pd.DataFrame
    kinds: Mapping[str, str]
    points: pd.DataFrame
    reached: pd.DataFrame
    pathways: pd.DataFrame
    sentences: pd.DataFrame
    areas: gpd.GeoDataFrame
    context: gpd.GeoDataFrame | None = None
    banners: Sequence[str] = ()
    hints: Sequence[str] = ()
    estimated: bool = False
    words: Mapping[str, str] = field(default_factory=dict)


def draw_provision(data: ProvisionMapData, below: Markup, own_styles: str = "") -> folium.Map:
    """Return the page: the map with its panel, then `below`, which the caller has escaped.

    It makes no request, and is the same byte for byte for the same data.
    """
    payload = _payload(data)
    body = template("provision_map.html").render(
        data=data,
        types=_once(data.choices, "type", "type_words"),
        phases=_once(data.choices, "phase", "phase_words"),
        headings=list(data.states["heading"]),
        has=_has(data, payload),
        below=below,
        payload=Markup(embedded(payload)),
    )
    (south, west), (north, east) = payload["bounds"]
    return OfflineMap(
        f"{data.title} – {data.subtitle}" if data.subtitle else data.title,
        ((south + north) / 2, (west + east) / 2),
        name="provision",
        styles="\n".join([styles(), text_of("provision_map.css"), own_styles]),
        body=body,
        script="\n".join(text_of(name) for name in SCRIPTS),
        zoomSnap=0.25,
        zoomDelta=0.75,
        minZoom=6,
    )


def edges(first: float, second: float) -> list[float]:
    """Return where the classes of minutes end, all but the last: half the first limit, both limits,
    and a third beyond the last; fewer where two of them are one."""
    return sorted({round(first / 2, 1), first, second, round(second * FAR, 1)})


def _once(table: pd.DataFrame, key: str, words: str) -> dict[str, str]:
    return dict(zip(table[key], table[words], strict=True))


def _has(data: ProvisionMapData, payload: Mapping[str, Any]) -> dict[str, bool]:
    return {
        "choices": not data.choices.empty,
        "scenarios": len(data.states) > 1,
        "pathways": not data.pathways.empty,
        "areas": bool(payload["areas"]),
        "roads": bool(payload["roads"]),
        "places": bool(payload["places"]),
    }


def _payload(data: ProvisionMapData) -> dict[str, Any]:
    points = data.points.sort_index()
    lat, lon = ground.to_degrees(points["easting"], points["northing"])
    types, phases = _once(data.choices, "type", "type_words"), _once(
        data.choices, "phase", "phase_words"
    )  # fmt: skip
    nearest = sorted({str(name) for name in data.reached["nearest"]})
    everywhere = pd.concat([points, data.provisions])[["easting", "northing"]]
    return {
        "bounds": ground.bounds([data.areas], everywhere),
        "areas": layer(data.areas.sort_index()),
        **context(data.context),
        "words": dict(data.words),
        "colours": list(COLOURS),
        "estimated": data.estimated,
        "kinds": dict(data.kinds),
        "types": list(types.values()),
        "phases": list(phases.values()),
        "choices": [
            [list(types).index(row.type), list(phases).index(row.phase)]
            for row in data.choices.itertuples()
        ],
        "points": [
            [name, *at]
            for name, *at in zip(points["name"], lat.tolist(), lon.tolist(), strict=True)
        ],
        "nearest": nearest,
        "states": _states(data, points.index, list(types), nearest),
    }


def _states(
    data: ProvisionMapData, points: pd.Index, types: list[str], nearest: list[str]
) -> list[dict[str, Any]]:
    """Return each state's provisions, pathways and reach; null where reach is as it is today."""
    found: list[dict[str, Any]] = []
    for label, state in data.states.iterrows():
        own = data.provisions[data.provisions["state"] == label]
        ways = data.pathways[data.pathways["state"] == label]
        limits = data.limits[data.limits["state"] == label].set_index("phase")
        found.append(
            {
                "heading": str(state["heading"]),
                "edges": [
                    edges(float(limits.at[phase, "first"]), float(limits.at[phase, "second"]))
                    for phase in dict.fromkeys(data.choices["phase"])
                ],
                "provisions": _provisions(own, list(data.choices.index), types),
                "pathways": _pathways(ways, own["provision"], types),
                "reach": _reach(data, str(label), points, nearest),
            }
        )  # fmt: skip
    for state in found[1:]:
        state["reach"] = [
            {key: None if own[key] == first[key] else own[key] for key in own}
            for own, first in zip(state["reach"], found[0]["reach"], strict=True)
        ]
    return found


def _provisions(rows: pd.DataFrame, choices: list[Any], types: list[str]) -> list[dict[str, Any]]:
    lat, lon = ground.to_degrees(rows["easting"], rows["northing"])
    return [
        {
            "no": int(row.number),
            "name": str(row.name),
            "kind": str(row.kind),
            "status": STATUSES.index(str(row.status)),
            "at": [y, x],
            "choices": sorted(choices.index(one) for one in row.choices),
            "types": sorted(types.index(one) for one in row.types if one in types),
            "details": [list(pair) for pair in row.details],
        }
        for row, y, x in zip(
            rows.itertuples(index=False), lat.tolist(), lon.tolist(), strict=True
        )
    ]  # fmt: skip


def _pathways(ways: pd.DataFrame, provisions: pd.Series, types: list[str]) -> list[list[Any]]:
    """Return pathways by positions: from, to (-1 = nowhere), type, broken, words."""
    at = {name: k for k, name in enumerate(provisions)}
    return [
        [at[way.provision], at.get(way.next, -1), types.index(way.type), int(way.broken), way.words]
        for way in ways.itertuples()
        if way.provision in at and way.type in types
    ]


def _reach(
    data: ProvisionMapData, state: str, points: pd.Index, nearest: list[str]
) -> list[dict[str, Any]]:
    """Return for each choice, aligned with the points: children, minutes or a sign, nearest,
    change, and the sentence about it."""
    told = data.sentences[data.sentences["state"] == state].set_index("choice")["words"]
    rows = data.reached[data.reached["state"] == state]
    parts = dict(list(rows.groupby("choice")))
    place = {name: k for k, name in enumerate(nearest)}
    found = []
    for choice in data.choices.index:
        part = parts.get(choice, rows.iloc[:0]).set_index("point").reindex(points)
        sign = part["sign"].fillna("")
        # Upwards, so that what is beyond a limit never looks as if it were within.
        up = np.ceil((part["minutes"].where(sign == "") * 10).round(4)) / 10
        minutes = up.fillna(0.0 - sign.map(SIGNS.index).astype(float))
        found.append(
            {
                "children": [round(float(n), 2) for n in part["children"].fillna(0.0)],
                "minutes": [float(m) for m in minutes],
                "nearest": [place.get(name, -1) for name in part["nearest"].fillna("")],
                "change": "".join(str(CHANGES.index(c)) for c in part["change"].fillna("")),
                "words": str(told.get(choice, "")),
            }
        )
    return found
