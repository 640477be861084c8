"""The page of a plan in a real browser: without a network, by keyboard, on a phone, on paper."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from geo.colours import neighbours
from geo.map_data import MapData
from geo.maps import save
from tests.conftest import Opener
from tests.fake_county import NASTY, fake_county
from tests.page_checks import needs_browser

pytestmark = needs_browser


@pytest.fixture(scope="module")
def county() -> MapData:
    return fake_county()


@pytest.fixture(scope="module")
def address(county: MapData, tmp_path_factory: pytest.TempPathFactory) -> str:
    return save(county, tmp_path_factory.mktemp("map") / "map.html").as_uri()


def test_every_school_becomes_one_marker(open_page: Opener, county: MapData) -> None:
    page = open_page()
    assert page.locator(".leaflet-schools-pane .mark").count() == len(county.schools)
    assert page.locator(".number").count() == len(county.clusters)
    page.check('[data-layer="aside"]')
    assert page.locator(".leaflet-schools-pane .mark").count() == len(county.schools) + 1
    page.uncheck('[data-layer="phase-primary"]')
    left = (county.schools["phase"] != "primary").sum() + 1
    assert page.locator(".leaflet-schools-pane .mark").count() == left


def test_search_by_keyboard_opens_the_school(open_page: Opener) -> None:
    page = open_page()
    page.focus("#find")
    page.keyboard.type("quillbury g")
    assert page.get_attribute("#find", "aria-expanded") == "true"
    assert page.inner_text("#status") == "1 found."
    page.keyboard.press("ArrowDown")
    assert page.get_attribute("#find", "aria-activedescendant") == "found-0"
    page.keyboard.press("Enter")
    popup = page.locator(".leaflet-popup-content")
    assert "Quillbury Gorse School" in popup.inner_text()
    assert "900027" in popup.inner_text()
    assert page.inner_text("#status").startswith("Shown on the map: Quillbury Gorse School")
    assert page.locator(".mark.chosen").count() == 1
    page.keyboard.type("zzz")
    assert page.inner_text("#status").startswith("Nothing found")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")


def test_a_cluster_is_found_by_name_and_from_the_list(open_page: Opener) -> None:
    page = open_page()
    scale = page.inner_text(".leaflet-control-scale")
    page.fill("#find", "otterwick 1")
    page.keyboard.press("Enter")
    assert page.inner_text(".leaflet-control-scale") != scale
    page.click('[aria-label="Show the whole map"]')
    assert page.inner_text(".leaflet-control-scale") == scale
    page.click("#list li:nth-child(2) button")
    assert page.inner_text("#status").startswith("Shown on the map: 2 ·")


def test_a_name_with_tags_is_only_a_name(open_page: Opener) -> None:
    page = open_page()
    page.fill("#find", "alert")
    assert "<script>alert(1)</script>" in page.inner_text("#found li")
    page.keyboard.press("Enter")
    assert page.text_content(".leaflet-popup-content h3") == NASTY
    assert page.locator(".leaflet-popup-content script").count() == 0


def test_from_the_table_to_the_map_and_back(open_page: Opener) -> None:
    page = open_page()
    page.click("#unfold")
    button = page.locator("tr[data-urn='900014'] .go")
    button.focus()
    page.keyboard.press("Enter")
    inside = "document.activeElement.closest('.leaflet-popup-content') !== null"
    assert page.evaluate(inside)
    page.keyboard.press("Escape")
    page.wait_for_selector(".leaflet-popup", state="detached")
    assert page.evaluate("document.activeElement.closest('tr').dataset.urn") == "900014"


def test_the_feeder_links_have_a_text_twin(open_page: Opener, county: MapData) -> None:
    page = open_page()
    page.click("#links summary")
    known = county.feeders["to_urn"] != "OUT"
    large = county.feeders["pupils"] >= 5
    assert page.locator("#links tbody tr").count() == (known & large).sum()


@pytest.mark.parametrize("size", [(1280, 900), (768, 1024), (320, 700)])
def test_nothing_overflows_and_every_target_can_be_hit(
    open_page: Opener, size: tuple[int, int]
) -> None:
    page = open_page(*size)
    page.click("#unfold")
    page.click("#links summary")
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    small = page.evaluate(
        """() => Array.from(document.querySelectorAll(
             'button, summary, input, a[href]:not(.skip), .mark, .number, [role=option]'))
           .map(e => [e.outerHTML.slice(0, 90), e.closest('label') || e])
           .map(([html, e]) => [html, e.getBoundingClientRect()])
           .filter(([, box]) => box.width && (box.width < 24 || box.height < 24))
           .map(([html, box]) => html + ' ' + box.width + '×' + box.height)"""
    )
    assert small == []


def test_on_a_phone_the_panel_stands_below_the_map(open_page: Opener) -> None:
    page = open_page(320, 700)
    frame, panel = page.locator(".frame").bounding_box(), page.locator("#panel").bounding_box()
    assert panel["y"] >= frame["y"] + frame["height"] - 1
    assert frame["width"] == 320


def test_the_panel_folds_and_the_map_takes_its_room(open_page: Opener) -> None:
    page = open_page()
    before = page.locator(".frame").bounding_box()["width"]
    page.click("#fold")
    assert page.get_attribute("#fold", "aria-expanded") == "false"
    assert page.locator(".frame").bounding_box()["width"] > before


def test_neighbours_are_drawn_in_different_colours(open_page: Opener, county: MapData) -> None:
    page = open_page()
    chips = page.locator("#list .chip")
    colours = [
        chips.nth(at).evaluate("e => getComputedStyle(e).borderTopColor")
        for at in range(chips.count())
    ]
    graph = neighbours(county.clusters.geometry)
    number = county.clusters["number"]
    assert graph.number_of_edges() >= 6
    for one, other in graph.edges:
        assert colours[number[one] - 1] != colours[number[other] - 1]


def test_everything_has_a_name_and_the_headings_descend(open_page: Opener) -> None:
    page = open_page()
    nameless = page.evaluate(
        """() => Array.from(document.querySelectorAll('button, input, a[href]')).filter(e =>
             !(e.textContent.trim() || e.getAttribute('aria-label') ||
               (e.labels && e.labels.length))).map(e => e.outerHTML)"""
    )
    assert nameless == []
    levels = page.evaluate(
        "() => Array.from(document.querySelectorAll('h1, h2, h3')).map(e => +e.tagName[1])"
    )
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert page.evaluate("document.documentElement.lang") == "en-GB"


def test_without_scripts_the_tables_are_the_page(open_page: Opener, county: MapData) -> None:
    page = open_page(wait=False, java_script_enabled=False)
    page.click("details.cluster summary >> nth=0")
    assert page.locator("tr[data-urn]").count() == len(county.schools)
    assert page.locator("details.cluster[open] tbody tr").first.is_visible()
    assert not page.locator("#panel").is_visible()
    assert page.get_by_text("The drawing needs JavaScript").is_visible()


def test_on_paper_the_map_is_whole_and_the_tables_are_open(
    open_page: Opener, tmp_path: Path
) -> None:
    page = open_page()
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    frame = page.locator(".frame").bounding_box()
    assert frame["width"] <= 690  # an A4 page between its margins
    for box in (each.bounding_box() for each in page.locator(".number").all()):
        assert frame["x"] <= box["x"] <= frame["x"] + frame["width"]
        assert frame["y"] <= box["y"] <= frame["y"] + frame["height"]
    assert page.locator("details.cluster:not([open])").count() == 0
    assert not page.locator("#find").is_visible()
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.locator("details.cluster[open]").count() == 0
    page.pdf(path=tmp_path / "map.pdf", prefer_css_page_size=True)
    assert (tmp_path / "map.pdf").stat().st_size > 50_000


def test_stillness_is_respected(open_page: Opener) -> None:
    page = open_page(reduced_motion="reduce")
    assert page.evaluate("map_plan.options.zoomAnimation") is False
    assert page.locator(".leaflet-zoom-anim").count() == 0
