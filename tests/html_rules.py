"""What the HTML standard asks of a page, as far as ours are concerned.

A strict parser (html5lib) names what is written wrongly; the rules here name what is written
rightly in the wrong place: blocks within sentences, ids twice, references to nothing, attributes
that an element does not have.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from xml.etree.ElementTree import Element

import html5lib
from html5lib.constants import E as WORDS


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


XHTML = "{http://www.w3.org/1999/xhtml}"
HEADINGS = _names("h1 h2 h3 h4 h5 h6")
BLOCKS = HEADINGS | _names(
    "address article aside blockquote details dialog div dl fieldset figure footer form header hr "
    "main nav ol p pre search section table ul"
)
SENTENCES = HEADINGS | _names(
    "abbr b bdi button caption code em i label legend mark output p pre q small span strong sub "
    "summary sup"
)
"""Elements that hold words, never blocks."""
MAY = {"caption": {"p", "div", "ul", "ol"}, "summary": HEADINGS, "legend": HEADINGS}
"""Blocks that such an element may hold all the same."""
CLICKED = {"a", "button", "details", "input", "label", "select", "textarea"}
CHILDREN = {
    "ul": {"li"},
    "ol": {"li"},
    "dl": {"dt", "dd", "div"},
    "table": {"caption", "colgroup", "thead", "tbody", "tfoot", "tr"},
    "tr": {"th", "td"},
    "select": {"option", "optgroup", "hr"},
    "datalist": {"option"},
}
PARENTS = {
    "li": {"ul", "ol"},
    "dt": {"dl", "div"},
    "dd": {"dl", "div"},
    "summary": {"details"},
    "figcaption": {"figure"},
    "legend": {"fieldset"},
}
OWN = {
    "a": "href download rel target hreflang type",
    "button": "type disabled name value",
    "col": "span",
    "colgroup": "span",
    "details": "open name",
    "form": "action method novalidate autocomplete name",
    "html": "",
    "iframe": "src srcdoc title width height loading sandbox",
    "img": "src alt width height loading decoding",
    "input": "type name value checked disabled readonly placeholder autocomplete min max step list"
    " required size maxlength",
    "label": "for",
    "link": "rel href",
    "li": "value",
    "meta": "charset name content http-equiv",
    "ol": "start reversed type",
    "optgroup": "label disabled",
    "option": "value selected label disabled",
    "output": "for name",
    "progress": "value max",
    "script": "type src async defer",
    "select": "name multiple size disabled required",
    "td": "colspan rowspan headers",
    "textarea": "name rows cols disabled readonly placeholder",
    "th": "scope colspan rowspan abbr headers",
    "time": "datetime",
}
"""Attributes that an element has of its own."""
PLAIN = BLOCKS | SENTENCES | set(OWN) | set(CHILDREN) | set(PARENTS)
KNOWN = PLAIN | _names(
    "base body br cite data dfn del ins head hgroup kbd meter noscript picture samp source style "
    "tbody template tfoot thead title u var wbr menu canvas"
)
EVERYWHERE = _names(
    "class id lang dir title hidden tabindex style role translate inert draggable spellcheck "
    "autofocus inputmode enterkeyhint popover accesskey"
)
REFERENCES = (
    *("for", "headers", "list", "aria-labelledby", "aria-describedby", "aria-controls"),
    *("aria-owns", "aria-activedescendant", "aria-details", "aria-errormessage"),
)
SCOPES = {"col", "row", "colgroup", "rowgroup"}


def faults_of(html: str) -> list[str]:
    """Return what is wrong with a page, each with a hint of where; empty where nothing is."""
    parser = html5lib.HTMLParser()
    root = parser.parse(html)
    found = [f"line {line}: {WORDS[code] % given}" for (line, _), code, given in parser.errors]
    for rule in (_whole, _ids, _places, _attributes):
        found += rule(root)
    return found


def links_of(html: str) -> tuple[list[str], set[str]]:
    """Return the addresses that a page names and the ids that one can lead to."""
    root = html5lib.parse(html)
    links = [
        value
        for node in root.iter()
        for key, value in node.attrib.items()
        if key in ("href", "src", "action") and isinstance(node.tag, str)
    ]
    return links, {node.get("id", "") for node in root.iter()}


def address_faults(link: str) -> Iterator[str]:
    """Name an address that a page of ours must not hold: only the web, letters and calls."""
    if not re.match(r"https://[^/]|mailto:[^@\s]+@|tel:[+0-9]|data:image/", link):
        yield f"{link} is neither a page of ours nor an address for people"


def _name(node: Element) -> str:
    """Return the name of an HTML element; "" for a comment and for parts of a drawing."""
    tag = node.tag
    return tag.removeprefix(XHTML) if isinstance(tag, str) and tag.startswith(XHTML) else ""


def _shown(node: Element) -> str:
    words = " ".join("".join(node.itertext()).split())[:60]
    given = "".join(f' {key}="{value[:40]}"' for key, value in list(node.attrib.items())[:3])
    return f"<{_name(node)}{given}> {words}".rstrip()


def _whole(root: Element) -> Iterator[str]:
    count = Counter(_name(node) for node in root.iter())
    if not re.fullmatch(r"[a-z]{2}(-[A-Z]{2})?", root.get("lang", "")):
        yield "the page does not say its language"
    for name in ("title", "main", "h1"):
        if count[name] != 1:
            yield f"the page has {count[name]} <{name}>, and should have one"
    for title in root.iter(f"{XHTML}title"):
        if not (title.text or "").strip():
            yield "the title is empty"


def _ids(root: Element) -> Iterator[str]:
    ids = Counter(node.get("id") for node in root.iter() if node.get("id") is not None)
    yield from (f'the id "{one}" stands {n} times' for one, n in ids.items() if n > 1)
    yield from (f'"{one}" cannot be an id' for one in ids if not one or re.search(r"\s", one))
    for node in root.iter():
        for key in REFERENCES:
            if _name(node) == "output" and key == "for":
                continue
            for aim in node.get(key, "").split():
                if aim not in ids:
                    yield f'{key}="{aim}" refers to nothing: {_shown(node)}'
        if node.get("href", "").startswith("#") and node.get("href", "")[1:] not in ids:
            yield f"the link leads nowhere: {_shown(node)}"


def _places(root: Element) -> Iterator[str]:
    yield from _placed(root, "", "", "")


def _placed(node: Element, parent: str, words: str, clicked: str) -> Iterator[str]:
    """Say what stands where it must not.

    `words` is the nearest element around that holds no blocks, `clicked` the nearest one that is
    clicked itself; "" for none.
    """
    name = _name(node)
    if name:
        if name not in KNOWN:
            yield f"there is no such element: {_shown(node)}"
        if words and name in BLOCKS and name not in MAY.get(words, ()):
            yield f"a block within <{words}>: {_shown(node)}"
        if name in ({"label"} if clicked == "label" else CLICKED if clicked else ()):
            yield f"something to click within <{clicked}>: {_shown(node)}"
        if parent in CHILDREN and name not in CHILDREN[parent] | {"script", "template"}:
            yield f"<{parent}> does not hold this: {_shown(node)}"
        if name in PARENTS and parent not in PARENTS[name]:
            yield f"stands in <{parent}>: {_shown(node)}"
        yield from _first(node, name)
    words = name if name in SENTENCES else words
    clicked = name if name in {"a", "button", "label"} else clicked
    for child in node:
        yield from _placed(child, name or parent, words, clicked)


def _first(node: Element, name: str) -> Iterator[str]:
    """Say what must come first and does not: the summary of details, the caption of a table."""
    inner = [_name(child) for child in node if _name(child)]
    if name == "details" and inner[:1] != ["summary"]:
        yield f"details without a summary at their head: {_shown(node)}"
    if name == "table" and "caption" in inner[1:]:
        yield f"the caption does not stand at the head: {_shown(node)}"
    if name == "table" and len({sum(_wide(row)) for row in _rows(node)}) > 1:
        yield f"rows of different width: {_shown(node)}"
    direct = [node.text or "", *(child.tail or "" for child in node)]
    if name in CHILDREN and "".join(direct).strip():
        yield f"bare words in <{name}>: {_shown(node)}"


def _rows(table: Element) -> list[Element]:
    rows = list(table.iter(f"{XHTML}tr"))
    spans = any(cell.get("rowspan") for row in rows for cell in row)
    return [] if spans else rows


def _wide(row: Element) -> Iterator[int]:
    for cell in row:
        span = cell.get("colspan", "1")
        yield int(span) if span.isdigit() else 0


def _attributes(root: Element) -> Iterator[str]:
    for node in root.iter():
        name = _name(node)
        allowed = EVERYWHERE | set(OWN.get(name, "").split())
        for key, value in node.attrib.items():
            if key.startswith("on"):
                yield f"a script within {key}: {_shown(node)}"
            elif name and key not in allowed and not key.startswith(("data-", "aria-")):
                yield f"<{name}> has no {key}: {_shown(node)}"
            elif key == "scope" and value not in SCOPES:
                yield f'scope="{value}": {_shown(node)}'
        if name == "img" and node.get("alt") is None:
            yield f"a picture without alt: {_shown(node)}"
