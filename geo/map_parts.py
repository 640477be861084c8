"""Parts that every map page is made of: its files, its ground, and data inside a script element."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import geopandas as gpd
import jinja2
import numpy as np

from geo import map_ground as ground
from geo.colours import LAND, PALETTE


def embedded(value: Any) -> str:
    """Return JSON that may stand inside a script element whatever the names in it contain."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def text_of(name: str) -> str:
    """Return the text of one of the files beside this module."""
    return files("geo").joinpath(name).read_text(encoding="utf-8")


def template(name: str) -> jinja2.Template:
    """Return a template beside this module; whatever is put into it is escaped."""
    tongue = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    return tongue.from_string(text_of(name))


def styles() -> str:
    """Return the style sheet of a page that is a map, with the colours of `geo.colours`."""
    return f"{marks()}\n{text_of('map_page.css')}"


def marks() -> str:
    """Return the styles of what stands on a map, for a page that has its own around it."""
    colours = "".join(f"--c{index}:{colour};" for index, colour in enumerate(PALETTE))
    return f":root{{--land:{LAND};{colours}}}\n{text_of('map_marks.css')}"


def names(frame: gpd.GeoDataFrame) -> list[str]:
    """Return what the shapes of a layer are called: its column name, or else its index."""
    return [str(name) for name in frame.get("name", frame.index)]


def layer(frame: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    """Return each shape of a layer with its name and a calm place for it, in degrees."""
    none = np.empty((0, 2))
    rows = zip(frame.index, ground.outlines(frame.geometry), frame.geometry, strict=True)
    own = names(frame)
    return [
        {"name": own[at], "shape": shape, "at": ground.label_place(outline, none)}
        for at, (_, shape, outline) in enumerate(rows)
    ]


def context(frame: gpd.GeoDataFrame | None) -> dict[str, Any]:
    """Return land, roads and places in degrees, from a table with the columns kind and name."""
    if frame is None or frame.empty:
        return {"land": [], "roads": [], "places": []}
    kinds = dict(list(frame.groupby("kind")))
    places = kinds.get("place")
    found: dict[str, Any] = {
        "land": ground.outlines(kinds["land"].geometry) if "land" in kinds else [],
        "roads": ground.lines(kinds["road"].geometry) if "road" in kinds else [],
        "places": [],
    }
    if places is not None:
        middle = places.geometry.centroid
        lat, lon = ground.to_degrees(middle.x, middle.y)
        own = [str(name) for name in places["name"]]
        found["places"] = sorted(zip(own, lat.tolist(), lon.tolist(), strict=True))
    return found
