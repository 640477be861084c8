"""Reads a page of a pack as a stranger would: what it asks for, where it leads, what it counts."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

from clustering.publish.pages import SHORT

LOADING = {"src", "srcset", "poster", "data", "background", "action", "formaction", "ping"}
"""Attributes that make a browser ask for something, whatever the element."""
LOADING_HREF = {"link", "image", "use", "base", "feimage"}
"""Elements whose `href` does."""
FORBIDDEN = {"base", "iframe", "frame", "object", "embed", "applet", "portal"}
COUNTED = frozenset(SHORT[name] for name in ("ehc_plans", "sen_support", "fsm6"))
"""Heads of columns in which nothing but released cells may stand."""
VOID = frozenset(
    (
        *("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param"),
        *("source", "track", "wbr"),
    )
)


@dataclass
class Page:
    """What a page holds. `cells` are released cells by their key, in the order of the page."""

    language: str = ""
    policy: str = ""
    ids: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    cells: list[tuple[str, str]] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    scripts: list[str] = field(default_factory=list)


def scan(html: str) -> Page:
    """Return what a page holds and what is wrong with it by itself."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.page


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.page = Page()
        self.open: list[str] = []
        self.cell: str | None = None
        self.told: list[str] = []
        self.heads: list[str] = []
        self.column = -1
        self.bare: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag not in VOID:
            self.open.append(tag)
        if tag in FORBIDDEN:
            self.page.faults.append(f"<{tag}> is on the page")
        for name, value in values.items():
            self._attribute(tag, name, value)
        if tag == "html":
            self.page.language = values.get("lang", "")
        if tag == "meta":
            self._meta(values)
        if "data-cell" in values:
            self.cell, self.told = values["data-cell"], []
        if tag == "table":
            self.heads = []
        if tag == "tr":
            self.column = -1
        if tag in ("th", "td"):
            self.column += 1
            self.bare = []

    def _meta(self, values: dict[str, str]) -> None:
        kind = values.get("http-equiv", "").lower()
        if kind == "content-security-policy":
            self.page.policy = values.get("content", "")
        elif kind == "refresh":
            self.page.faults.append("the page sends readers elsewhere by itself")

    def _attribute(self, tag: str, name: str, value: str) -> None:
        address = value.strip()
        if name.startswith("on"):
            self.page.faults.append(f'the inline handler {name}="{address[:40]}"')
        if name == "id":
            if address in self.page.ids:
                self.page.faults.append(f'the id "{address}" stands twice')
            self.page.ids.add(address)
        if name in ("href", "xlink:href"):
            if tag in LOADING_HREF and not address.startswith(("data:", "#")):
                self.page.faults.append(f"<{tag}> asks for {address[:60]}")
            elif tag == "a" or tag == "area":
                self.page.links.append(address)
        elif name in LOADING and not address.startswith("data:"):
            self.page.faults.append(f"<{tag}> asks for {address[:60]}")
        if name == "style":
            self._style(value)

    def _style(self, text: str) -> None:
        for found in re.findall(r"(?i)url\(\s*['\"]?([^'\")]{1,60})", text):
            if not found.startswith(("data:", "#")):
                self.page.faults.append(f"styles ask for {found}")
        if "@import" in text.lower():
            self.page.faults.append("styles ask for other styles")

    def handle_endtag(self, tag: str) -> None:
        if self.cell is not None and tag in ("span", "td", "data"):
            self.page.cells.append((self.cell, "".join(self.told).strip()))
            self.cell = None
        if tag in ("th", "td") and "thead" in self.open:
            self.heads += [""] * (self.column + 1 - len(self.heads))
            self.heads[self.column] = " ".join("".join(self.bare).split())
        elif tag == "td" and self._is_counted() and re.search(r"\d", "".join(self.bare)):
            number = "".join(self.bare).strip()
            self.page.faults.append(
                f'"{number}" under {self.heads[self.column]} was never released'
            )
        while tag in self.open and self.open.pop() != tag:
            pass

    def _is_counted(self) -> bool:
        return self.column < len(self.heads) and self.heads[self.column] in COUNTED

    def handle_data(self, data: str) -> None:
        inside = self.open[-1] if self.open else ""
        if inside == "script":
            self.page.scripts.append(data)
        elif inside == "style":
            self._style(data)
        elif self.cell is not None:
            self.told.append(data)
            self.page.text.append(data)
        else:
            self.bare.append(data)
            self.page.text.append(data)
