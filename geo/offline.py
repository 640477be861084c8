"""Makes a Folium page self-contained: no request leaves it, and the page itself forbids any.

Folium links its scripts and styles from the internet, so a page opened without a network is blank
and a page opened with one tells strangers who reads it. Here Leaflet comes from the installed
package, the rest of Folium's default list is left out, and a content security policy closes the
door behind them.
"""

from __future__ import annotations

import base64
import re
from functools import cache
from importlib.metadata import files
from typing import Any

import folium
from branca.element import CssLink, Figure, JavascriptLink
from jinja2 import Template

POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data:; base-uri 'none'; form-action 'none'"
)
"""What the page may load: its own inline parts and nothing else."""


class NeedsNetworkError(ValueError):
    """Something added to the map would have to be fetched from the internet."""


def _asset(name: str) -> bytes:
    """Return one file of the installed Leaflet; read from its metadata, without importing it."""
    for entry in files("XStatic-Leaflet") or ():
        if entry.as_posix().endswith(f"leaflet/data/{name}"):
            return entry.read_binary()
    raise FileNotFoundError(f"The installed package XStatic-Leaflet holds no file {name}.")


def _data_uri(name: str) -> str:
    return "data:image/png;base64," + base64.b64encode(_asset(name)).decode("ascii")


@cache
def leaflet_script() -> str:
    """Return Leaflet's script, safe to stand between script tags, with its default pin inlined."""
    script = _asset("leaflet.js").decode("utf-8")
    script = re.sub(r"//# sourceMappingURL=\S*", "", script).replace("</script", r"<\/script")
    pin = (
        "\nL.Icon.Default.mergeOptions({imagePath: ' ', "
        f"iconUrl: '{_data_uri('images/marker-icon.png')}', "
        f"shadowUrl: '{_data_uri('images/marker-shadow.png')}', iconRetinaUrl: null}});"
        "\nL.Icon.Default.prototype._getIconUrl = function (name) "
        "{ return this.options[name + 'Url']; };"
    )
    return script + pin


@cache
def leaflet_style() -> str:
    """Return Leaflet's style sheet with its pictures as data URIs."""
    style = _asset("leaflet.css").decode("utf-8")
    style = re.sub(r"\s*behavior:\s*url\(#default#VML\);", "", style)
    return re.sub(
        r"url\((images/[\w.-]+\.png)\)", lambda found: f"url({_data_uri(found[1])})", style
    )


class OfflineFigure(Figure):
    """The page around an offline map: language, title, policy, and no link to anywhere."""

    _template = Template(
        """<!DOCTYPE html>
<html lang="{{ this.language | e }}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{{ this.policy }}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{{ this.title | e }}</title>
{{ this.header.render(**kwargs) }}
</head>
<body>
{{ this.html.render(**kwargs) }}
<script>
{{ this.script.render(**kwargs) }}
</script>
</body>
</html>
"""
    )

    def __init__(
        self, title: str, language: str = "en-GB", height: str = "760px", policy: str = POLICY
    ) -> None:
        super().__init__(height=height, title=title)
        self.language, self.policy = language, policy
        self.header._children.clear()  # branca's own charset line; ours stands first

    def render(self, **kwargs: Any) -> str:
        """Return the whole page as text; raise `NeedsNetworkError` where a part is not at hand."""
        html = super().render(**kwargs)
        links = [
            child.url
            for child in self.header._children.values()
            if isinstance(child, JavascriptLink | CssLink)
        ]
        if links:
            raise NeedsNetworkError(
                "Something added to this map must be fetched from the internet: "
                + ", ".join(sorted(links))
                + ". Remove it, or add a plain Folium layer (GeoJson, Circle, PolyLine) instead."
            )
        if re.search(r"\$\(", self.script.render(**kwargs)):
            raise NeedsNetworkError(
                "Something added to this map (often folium.Popup) needs jQuery, which an offline "
                "page does not carry. Use a tooltip, or put the text into the map's own details."
            )
        return html


class OfflineMap(folium.Map):
    """A Folium map whose page needs no network.

    `body` is the HTML of the page, with the map's element in it under the id `get_name()`; left
    empty, the map fills the page. `styles` and `script` are added after Leaflet's own; the script
    sees the Leaflet map under the name `map`. `policy` is what the page may load.
    """

    default_js: list[tuple[str, str]] = []
    default_css: list[tuple[str, str]] = []
    _template = Template(
        """
{% macro header(this, kwargs) %}
<style>{{ this.leaflet_style }}</style>
<style>{{ this.styles }}</style>
<script>{{ this.leaflet_script }}</script>
{% endmacro %}
{% macro html(this, kwargs) %}{{ this.body }}{% endmacro %}
{% macro script(this, kwargs) %}
var {{ this.get_name() }} = (function () {
  var still = window.matchMedia('(prefers-reduced-motion: reduce)').matches;
  return L.map({{ this.get_name() | tojson }}, Object.assign({
    center: {{ this.location | tojson }}, zoomAnimation: !still, fadeAnimation: !still,
    markerZoomAnimation: !still, inertia: !still, attributionControl: false
  }, {{ this.options | tojson }}));
}());
(function (map) {
{{ this.script }}
}({{ this.get_name() }}));
{% endmacro %}
"""
    )

    def __init__(
        self,
        title: str,
        location: tuple[float, float],
        *,
        name: str = "plan",
        styles: str = "html, body { height: 100%; margin: 0; }",
        body: str = "",
        script: str = "",
        policy: str = POLICY,
        **options: Any,
    ) -> None:
        super().__init__(location=location, tiles=None)
        self._id = name  # a random one would make every page differ from the last
        self.options = {"zoom": 9, "maxZoom": 17, **options}
        self.styles, self.script = styles, script
        self.body = body or f'<div id="{self.get_name()}" style="height: 100%"></div>'
        self.leaflet_script, self.leaflet_style = leaflet_script(), leaflet_style()
        figure = OfflineFigure(title, policy=policy)
        figure.add_child(self, name=self.get_name())
