"""A whole pack in a real browser: every kind of page for everybody, by keyboard, on paper."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clustering.publish.pack_write import publish
from tests.packs import SCRIPT, told
from tests.page_checks import (
    PHONE,
    assert_accessible,
    assert_folder_holds_together,
    assert_valid,
    chromium,
    kinds,
    needs_browser,
    offline,
)

KINDS = (
    *("index.html", "consultation.html", "schools.html", "respond.html", "response-sheet.html"),
    *("easy-read.html", "accessibility.html", "dashboard/index.html", "dashboard/eastmoor.html"),
    *("dashboard/westmoor.html", "areas/eastmoor.html", "areas/westmoor.html"),
    *("clusters/a-1.html", "clusters/a-2.html", "clusters/today-4.html"),
)
"""All pages at the top, and of each folder the first ones and the last."""


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("pack")
    return publish(told(home / "county"), home / "pack")[0]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as running:
        yield running


def test_the_kinds_are_all_there_are(pack: Path) -> None:
    found = {path.relative_to(pack).as_posix() for path in kinds(pack, each=3)}
    assert found == set(KINDS)


def test_html_is_valid_on_every_page(pack: Path) -> None:
    pages = sorted(pack.rglob("*.html"))
    assert len(pages) == 7 + 12 + 2 + 3
    for page in pages:
        assert_valid(page.read_text(encoding="utf-8"), page.relative_to(pack).as_posix())


def test_every_link_leads_somewhere(pack: Path) -> None:
    assert_folder_holds_together(pack)


def focused(page: Any, selector: str) -> bool:
    return bool(page.evaluate("s => document.activeElement.matches(s)", selector))


def tab_to(page: Any, selector: str, most: int = 80) -> None:
    """Press Tab until an element has the focus; every stop on the way must be seen."""
    seen = """() => { const e = document.activeElement, s = getComputedStyle(e);
        const box = e.getBoundingClientRect();
        return s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 1 && box.width > 0 }"""
    for _ in range(most):
        page.keyboard.press("Tab")
        where = page.evaluate("document.activeElement.outerHTML.slice(0, 120)")
        assert page.evaluate(seen), f"{page.url}: the focus is not seen on {where}"
        if focused(page, selector):
            return
    raise AssertionError(f"{page.url}: no way to {selector} by Tab")


class TestInTheBrowser:
    pytestmark = needs_browser

    @pytest.mark.parametrize("name", KINDS)
    def test_accessible_without_a_request(self, browser: Any, pack: Path, name: str) -> None:
        with offline(browser) as open_page:
            assert_accessible(open_page(pack / name))

    def test_accessible_while_it_is_used(self, browser: Any, pack: Path) -> None:
        with offline(browser) as open_page:
            page = open_page(pack / "schools.html", "#u910003")
            assert page.locator("#u910003").get_attribute("open") is not None
            page.fill("#query", "zzzz")
            assert_accessible(page)
            page.fill("#query", "script")
            assert page.locator("#list tbody tr:visible").count() == 1
            assert SCRIPT in page.inner_text("#list tbody tr:visible")
            assert_accessible(page)
            used = "#option=b&cluster=3&with=a&view=two"
            page = open_page(pack / "consultation.html", used)
            page.wait_for_selector("#card h2")
            assert_accessible(page)
            page.fill("#find", "west")
            page.wait_for_selector("#found li")
            assert_accessible(page)

    def test_the_journey_by_keyboard(self, browser: Any, pack: Path) -> None:
        """Search a school, open its cluster, go to the map, switch the option, then answer."""
        with offline(browser) as open_page:
            page = open_page(pack / "index.html")
            page.keyboard.press("Tab")
            assert focused(page, "a.skip")
            page.keyboard.press("Enter")
            assert focused(page, "#main")
            page = open_page(pack / "index.html")
            tab_to(page, 'nav a[href="schools.html"]')
            page.keyboard.press("Enter")
            page.wait_for_url("**/schools.html")
            tab_to(page, "#query")
            page.keyboard.type("west fir")
            assert page.inner_text("#found") == "1 school fits."
            tab_to(page, 'a[href="clusters/b-2.html"]')
            page.keyboard.press("Enter")
            page.wait_for_url("**/clusters/b-2.html")
            assert "Option B" in page.inner_text("h1")
            assert "West Fir Primary School" in page.inner_text("main")
            tab_to(page, 'nav a[href="../consultation.html"]')
            page.keyboard.press("Enter")
            page.wait_for_url("**/consultation.html*")
            page.wait_for_selector("#main[data-ready]")
            tab_to(page, "input[name=option]")
            assert page.inner_text("#left-name") == "Option A"
            page.keyboard.press("ArrowRight")
            page.wait_for_selector("#left-name:text-is('Option B')")
            assert page.inner_text("#status") == "Option B."
            page = open_page(pack / "respond.html")
            tab_to(page, 'a[href^="mailto:clusters@example.org?subject="]')

    def test_focus_does_not_get_caught_or_hidden(self, browser: Any, pack: Path) -> None:
        """On a phone every stop is on the screen, and after the last one comes the end."""
        for name in KINDS:
            with offline(browser, width=PHONE, height=640) as open_page:
                page = open_page(pack / name)
                for _ in range(400):
                    page.keyboard.press("Tab")
                    if focused(page, "body"):
                        break
                    seen = page.evaluate(
                        "() => { const b = document.activeElement.getBoundingClientRect();"
                        "return b.bottom > 0 && b.top < innerHeight && b.right > 0"
                        " && b.left < innerWidth }"
                    )
                    where = page.evaluate("document.activeElement.outerHTML.slice(0, 120)")
                    assert seen, f"{name}: {where} has the focus out of sight"
                else:
                    raise AssertionError(f"{name}: no end by Tab")

    @pytest.mark.parametrize("name", KINDS)
    def test_prints_without_its_menus(self, browser: Any, pack: Path, name: str) -> None:
        with offline(browser) as open_page:
            page = open_page(pack / name)
            page.emulate_media(media="print")
            assert page.locator("h1").is_visible()
            for part in page.locator("nav.main, .skip, .screen").all():
                assert not part.is_visible()
            words = page.inner_text("body")
            assert "DRAFT FOR CONSULTATION" in words
            assert "does not change admissions, catchments or any child’s plan" in words
            assert page.pdf(format="A4", landscape=True).startswith(b"%PDF")

    @pytest.mark.parametrize("name", KINDS)
    def test_works_without_script(self, browser: Any, pack: Path, name: str) -> None:
        with offline(browser, width=PHONE, java_script_enabled=False) as open_page:
            page = open_page(pack / name)
            assert page.locator("h1").is_visible()
            assert len(page.inner_text("main")) > 400
            for field in page.locator("input, select, button").all():
                assert not field.is_visible()

    def test_all_schools_stand_there_without_script(self, browser: Any, pack: Path) -> None:
        with offline(browser, java_script_enabled=False) as open_page:
            page = open_page(pack / "schools.html")
            assert page.locator("#list tbody tr:visible").count() == 24
            page = open_page(pack / "consultation.html")
            assert page.locator("details").get_by_text("East Larch Primary School").count()
