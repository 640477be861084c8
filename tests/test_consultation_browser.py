"""The map of a consultation in a real browser: no network, keyboard, addresses, phone, paper."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from clustering.publish.consultation_page import pages
from tests.consultation_county import NASTY, consultation_county
from tests.page_checks import assert_accessible, assert_valid, chromium, needs_browser, offline

pytestmark = needs_browser
Opener = Callable[..., Any]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    [(_, html)] = pages(consultation_county(tmp_path_factory.mktemp("county")))
    path = tmp_path_factory.mktemp("page") / "consultation.html"
    path.write_text(html, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as running:
        yield running


@pytest.fixture
def open_page(browser: Any, file: Path) -> Iterator[Opener]:
    """Open the page without a network; fail at the end on any request, message or error."""
    with ExitStack() as stack:

        def opener(part: str = "", width: int = 1280, wait: bool = True, **options: Any) -> Any:
            page = stack.enter_context(offline(browser, width, **options))(file, part)
            if wait:
                page.wait_for_selector("#main[data-ready]", timeout=20_000)
            return page

        yield opener


def hash_of(page: Any) -> str:
    return page.evaluate("location.hash")


def wait_for_hash(page: Any, part: str) -> None:
    page.wait_for_function("part => location.hash.includes(part)", arg=part)
    page.wait_for_timeout(50)


def lit(page: Any) -> int:
    return page.locator("#left .mark.moves").count()


def shown_whole(page: Any, board: str = "left") -> bool:
    """Are all schools of a board within its frame, once it is at rest?"""
    page.wait_for_timeout(400)
    return page.evaluate(
        """board => {
             const frame = document.querySelector(`#${board} .frame`).getBoundingClientRect();
             return Array.from(document.querySelectorAll(`#${board} .mark`)).every(mark => {
               const box = mark.getBoundingClientRect();
               return box.left >= frame.left && box.right <= frame.right
                 && box.top >= frame.top && box.bottom <= frame.bottom;
             });
           }""",
        board,
    )


@pytest.mark.parametrize("width", [1280, 320])
def test_the_whole_county_is_shown_first(open_page: Opener, width: int) -> None:
    page = open_page("", width)
    assert shown_whole(page)
    page.check("input[name=view][value=two]")
    wait_for_hash(page, "view=two")
    assert shown_whole(page, "left")
    assert shown_whole(page, "right")


def test_options_are_switched_by_keyboard(open_page: Opener) -> None:
    page = open_page()
    assert page.locator("#left-name").inner_text() == "Option A"
    assert page.locator("#left .mark").count() == 24
    assert page.locator("#left .number").count() == 4
    page.focus("input[name=option]:checked")
    page.keyboard.press("ArrowRight")
    wait_for_hash(page, "option=b")
    assert page.locator("#left-name").inner_text() == "Option B"
    assert page.inner_text("#status") == "Option B."
    assert "Option B" in page.inner_text("#list-title")
    page.go_back()
    page.wait_for_selector("#left-name:text-is('Option A')")
    assert page.is_checked("input[name=option][value=a]")


def test_a_school_is_found_by_keyboard_and_its_cluster_opened(open_page: Opener) -> None:
    page = open_page()
    page.focus("#find")
    page.keyboard.type("west fir")
    assert page.get_attribute("#find", "aria-expanded") == "true"
    assert page.inner_text("#status") == "1 found."
    page.keyboard.press("ArrowDown")
    assert page.get_attribute("#find", "aria-activedescendant") == "found-0"
    page.keyboard.press("Enter")
    wait_for_hash(page, "school=910006")
    assert page.evaluate("document.activeElement.id") == "card"
    card = page.inner_text("#card")
    assert "West Fir Primary School" in card
    assert "2 · Community 2" in card
    assert "does not change admissions, catchments or any child’s plan" in card
    assert page.get_attribute("#card a", "href") == "schools.html#u910006"
    assert page.locator("#left .mark.chosen").count() == 1
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # Close
    page.wait_for_selector("#card", state="hidden")
    assert page.evaluate("document.activeElement.id") == "find"
    page.focus("#list li:nth-child(2) button")
    page.keyboard.press("Enter")
    wait_for_hash(page, "cluster=2")
    assert page.evaluate("document.activeElement.id") == "card"
    assert page.inner_text("#card-title") == "2 · Community 2 (Option A)"
    assert page.get_attribute("#card a", "href") == "clusters/a-2.html"
    assert page.locator("#card .plain li").count() == 4


def test_a_postcode_is_cut_to_its_sector(open_page: Opener) -> None:
    page = open_page()
    page.focus("#find")
    page.keyboard.type("zz1 2xy")
    assert page.input_value("#find") == "ZZ1 2"
    assert page.locator("#found li").count() == 2
    assert "Only ZZ1 2 of the postcode is used" in page.inner_text("#find-help")
    page.fill("#find", "ZZ19AA")
    assert page.input_value("#find") == "ZZ1 9"
    assert page.locator("#found li").count() == 6  # nobody there, so all of ZZ1
    page.fill("#find", "910004")
    assert NASTY in page.inner_text("#found li")
    assert "zz1" not in hash_of(page).lower()


def test_who_moves_is_ringed_and_listed(open_page: Opener) -> None:
    page = open_page()
    assert lit(page) == 0
    page.select_option("#beside", "today")
    wait_for_hash(page, "with=today")
    assert lit(page) == 1
    assert page.inner_text("#changes-title") == "From Today’s clusters to Option A"
    assert "from 2 · Community 2 to 1 · Community 1" in page.inner_text("#changes-list")
    page.check("input[name=option][value=b]")
    wait_for_hash(page, "option=b")
    assert lit(page) == 2
    assert page.inner_text("#changes-said") == "2 schools move to another cluster."


def test_two_maps_stand_side_by_side_and_move_together(open_page: Opener) -> None:
    page = open_page()
    page.check("input[name=view][value=two]")
    wait_for_hash(page, "view=two")
    left, right = (page.locator(f"#{side} .frame").bounding_box() for side in ("left", "right"))
    assert left["x"] + left["width"] <= right["x"]
    assert page.locator("#right .mark").count() == 24
    page.select_option("#right-option", "b")
    wait_for_hash(page, "with=b")
    assert page.locator("#right .mark.moves").count() == lit(page) == 1
    scale = page.inner_text("#right .leaflet-control-scale")
    page.click("#left .leaflet-control-zoom-in")
    changed = "old => document.querySelector('#right .leaflet-control-scale').innerText !== old"
    page.wait_for_function(changed, arg=scale)
    assert page.inner_text("#right .leaflet-control-scale") == page.inner_text(
        "#left .leaflet-control-scale"
    )
    page.select_option("#left-option", "b")
    wait_for_hash(page, "option=b")
    assert page.input_value("#right-option") == "a"
    page.check("input[name=view][value=one]")
    page.wait_for_selector("#right", state="hidden")


def test_an_address_leads_to_what_it_names(open_page: Opener) -> None:
    page = open_page("#option=b&cluster=3&with=a&view=two")
    assert page.locator("#left-option").input_value() == "b"
    assert page.inner_text("#card-title") == "3 · Community 3 (Option B)"
    assert page.locator("#right").is_visible()
    page = open_page("#school=910102&option=today")
    assert page.inner_text("#card-title").startswith("East ")
    assert page.is_checked("input[name=option][value=today]")
    page = open_page("#option=zz&cluster=99&school=constructor&with=a")
    assert page.locator("#card").is_hidden()
    assert page.is_checked("input[name=option][value=a]")


def test_layers_are_switched_on(open_page: Opener) -> None:
    page = open_page()
    assert page.locator("#left .leaflet-reach-pane path").count() == 0
    page.check("[data-layer=reach]")
    assert page.locator("#left .leaflet-reach-pane path").count() == 24
    page.check("[data-layer=links]")
    page.select_option("#signs", "HI")
    assert page.locator("#left .sign").count() == 1
    page.select_option("#signs", "all")
    assert page.locator("#left .sign").count() == 2
    page.locator("#left .sign").first.click(force=True)
    assert "SEN unit" in page.inner_text("#card")


@pytest.mark.parametrize("width", [1280, 320])
def test_nothing_overflows_and_every_target_can_be_hit(open_page: Opener, width: int) -> None:
    page = open_page("#option=a&with=today&school=910004", width)
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    small = page.evaluate(
        """() => Array.from(document.querySelectorAll(
             'button, summary, input, select, .mark, .number, [role=option], .choose a'))
           .map(e => [e.outerHTML.slice(0, 90), e.closest('label') || e])
           .map(([html, e]) => [html, e.getBoundingClientRect()])
           .filter(([, box]) => box.width && (box.width < 24 || box.height < 24))
           .map(([html, box]) => html + ' ' + box.width + '×' + box.height)"""
    )
    assert small == []
    assert page.text_content("#card-title") == NASTY


def test_it_is_valid_and_accessible_whatever_is_open(open_page: Opener, file: Path) -> None:
    assert_valid(file.read_text(encoding="utf-8"))
    page = open_page("#option=b&with=today&view=two&school=910006")
    page.check("[data-layer=links]")
    page.check("[data-layer=reach]")
    page.select_option("#signs", "all")
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    assert_accessible(page)
    page = open_page("#option=a&cluster=2")
    page.fill("#find", "primary")
    assert_accessible(page)


def test_without_scripts_the_words_are_the_page(open_page: Opener) -> None:
    page = open_page(wait=False, java_script_enabled=False)
    assert page.get_by_text("The map needs JavaScript").is_visible()
    assert not page.locator("#stage").is_visible()
    page.click("summary:has-text('All 24 schools')")
    assert page.locator("#schools-table tbody tr").first.is_visible()


def test_on_paper_it_is_one_sheet_of_a3_with_map_and_clusters(
    open_page: Opener, tmp_path: Path
) -> None:
    page = open_page()
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert not page.locator("#find").is_visible()
    assert page.locator("#list li").count() == 4
    frame = page.locator("#left .frame").bounding_box()
    assert frame["width"] <= 1140
    for box in (each.bounding_box() for each in page.locator("#left .number").all()):
        assert frame["x"] <= box["x"] <= frame["x"] + frame["width"]
    grey = page.evaluate("getComputedStyle(document.querySelector('#fill-0 path')).stroke")
    assert grey == "rgb(0, 0, 0)"
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    page.pdf(path=tmp_path / "map.pdf", prefer_css_page_size=True)
    assert (tmp_path / "map.pdf").read_bytes().count(b"/MediaBox [0 0 1191") >= 1
