"""Checks of pages for everybody: a browser without a network, axe-core, and HTML as the standard
wants it.

A page or a folder of pages is opened from disk in Chromium, with every request refused. What the
browser says, and what it asks for, fails the test.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from tests.html_rules import address_faults, faults_of, links_of

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run")
TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
PHONE, DESK = 320, 1280
"""Widths in CSS pixels: the narrowest that WCAG asks for, and a desk."""
Opener = Callable[[Path], Any]
needs_browser = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
]
"""`pytestmark = needs_browser` in a module that opens pages."""


@contextmanager
def chromium() -> Iterator[Any]:
    """Run Chromium; for a fixture of a module: `with chromium() as browser: yield browser`."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as play:
        running = play.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield running
        running.close()


@contextmanager
def offline(browser: Any, width: int = DESK, height: int = 900, **options: Any) -> Iterator[Opener]:
    """Open pages of a folder without a network.

    Yields a function that opens a file (`"#part"` of its address kept) in the same tab. At the end
    it fails on any message of the browser, any error of a script and any request beside the pages
    themselves.
    """
    said: list[str] = []
    asked: list[str] = []
    context = browser.new_context(
        viewport={"width": width, "height": height}, offline=True, **options
    )
    page = context.new_page()
    page.on("console", lambda message: said.append(f"{page.url}: {message.text}"))
    page.on("pageerror", lambda error: said.append(f"{page.url}: {error}"))
    page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: None if _own(request) else asked.append(request.url))

    def opener(path: Path, part: str = "") -> Any:
        page.goto(path.resolve().as_uri() + part)
        return page

    try:
        yield opener
    finally:
        context.close()
    assert said == []
    assert asked == []


def _own(request: Any) -> bool:
    """Is this a page from disk that somebody opens, or a picture within the page?"""
    opened = request.is_navigation_request() and request.url.startswith("file://")
    return opened or request.url.startswith("data:")


def assert_accessible(page: Any, widths: Iterable[int] = (PHONE, DESK)) -> None:
    """Fail on a violation of WCAG 2.2 AA that axe-core finds, and on a page wider than the phone.

    Both widths are tried on the page as it stands; the size of before comes back.
    """
    before = page.viewport_size
    for width in widths:
        page.set_viewport_size({"width": width, "height": before["height"]})
        found = axe(page)
        assert not found, f"{page.url} at {width} px:\n" + "\n".join(found)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{page.url} is {wide} px wide on a screen of {width} px"
    page.set_viewport_size(before)


def axe(page: Any) -> list[str]:
    """Return what axe-core finds against WCAG 2.2 AA: rule, sentence, and where it stands."""
    base = pytest.importorskip("axe_playwright_python.base", reason="axe-core is not installed")
    page.evaluate(base.AXE_SCRIPT)
    wish = {
        "runOnly": {"type": "tag", "values": TAGS},
        "rules": {"target-size": {"enabled": True}},
        "resultTypes": ["violations"],
    }
    found = page.evaluate(f"axe.run(document, {json.dumps(wish)})")["violations"]
    return [
        f"{rule['id']}: {rule['help']}: {' '.join(map(str, node['target']))}: {node['html'][:200]}"
        for rule in found
        for node in rule["nodes"]
    ]


def assert_valid(html: str, name: str = "the page") -> None:
    """Fail on HTML that the standard does not allow (see `tests.html_rules`)."""
    found = faults_of(html)
    assert not found, f"{name}:\n" + "\n".join(found)


def assert_folder_holds_together(folder: Path, without: Iterable[str] = ()) -> None:
    """Fail where a link of a page in a folder leads nowhere, or out of it by a path.

    Links within the folder must be relative and lead to a file and, with `#`, to an element of it.
    `without` names files that are not written yet.
    """
    pages = {path: path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*.html"))}
    marks = {path.resolve(): links_of(text)[1] for path, text in pages.items()}
    wrong = []
    for path, text in pages.items():
        for link in links_of(text)[0]:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                wrong += [f"{path.name}: {fault}" for fault in address_faults(link)]
                continue
            aim = (path.parent / unquote(parts.path)).resolve() if parts.path else path.resolve()
            inside = aim.is_relative_to(folder.resolve())
            if inside and aim.relative_to(folder.resolve()).as_posix() in without:
                continue
            if not (inside and aim.is_file()):
                wrong.append(f"{path.relative_to(folder)}: {link} leads nowhere")
            elif "=" in parts.fragment:  # what a map is to show
                continue
            elif parts.fragment and unquote(parts.fragment) not in marks.get(aim, ()):
                wrong.append(f"{path.relative_to(folder)}: {link}: the page has no such place")
    assert not wrong, "\n".join(wrong)


def kinds(folder: Path, each: int = 2) -> list[Path]:
    """Return the pages of a folder: all at its top, `each` of every subfolder, and its index."""
    found = []
    for home in (folder, *sorted(path for path in folder.rglob("*") if path.is_dir())):
        pages = sorted(home.glob("*.html"))
        few = pages if home == folder else [*pages[: each - 1], *pages[-1:]]
        found += [page for page in pages if page in few or page.name == "index.html"]
    return found
