"""Asks OpenStreetMap for roads through OSMnx: the one place where roads touch the network.

By itself OSMnx drops the tags that tell a toll road, a ferry or a barred street from another, and
it keeps answers in a folder of its own. So it is asked for every way of the mode with all its tags,
unsimplified, and what may be used is decided where files are judged too, in `geo.road_rules`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from shapely.geometry.base import BaseGeometry

from geo.errors import Fault, TravelError
from geo.road_rules import ACCESS, DRIVEN, WALKED, Mode, Tags

WAY_TAGS = (*Tags._fields, "maxspeed")
NODE_TAGS = ("barrier", *ACCESS)


def osmnx_fetch(polygon: BaseGeometry, mode: Mode) -> Any:
    """Return every way of a mode, and every ferry, in a polygon (degrees) as an OSMnx graph.

    Raises TravelError where the service does not answer, or has no roads there.
    """
    import osmnx

    classes = "|".join(DRIVEN if mode == "drive" else WALKED)
    asked = [f'["highway"~"^({classes})$"]', '["route"="ferry"]']
    try:
        with _own_settings(osmnx.settings):
            return osmnx.graph_from_polygon(
                polygon,
                network_type=mode,
                custom_filter=asked,
                simplify=False,
                retain_all=True,
            )
    except Exception as error:  # the network, the service or the answer: the remedy is the same
        raise TravelError(
            Fault(
                f"The roads could not be fetched ({type(error).__name__}).",
                "Try again later, or give a saved file: [travel] roads = …",
            )
        ) from error


@contextmanager
def _own_settings(settings: Any) -> Iterator[None]:
    """Lend OSMnx the settings needed here, and give back those that were."""
    ours = {"useful_tags_way": list(WAY_TAGS), "useful_tags_node": list(NODE_TAGS),
            "use_cache": False}  # fmt: skip
    before = {key: getattr(settings, key) for key in ours}
    try:
        for key, value in ours.items():
            setattr(settings, key, value)
        yield
    finally:
        for key, value in before.items():
            setattr(settings, key, value)
