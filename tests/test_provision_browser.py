"""The page of provision in a real browser: without a network, by mouse, by keyboard, on a phone."""

from __future__ import annotations

from typing import Any

import pytest

from clustering.provision_desk import Review
from clustering.publish.provision_layers import keys_of
from clustering.publish.provision_page import provision_page
from geo.maps import save
from tests.conftest import Opener
from tests.page_checks import needs_browser
from tests.provision_county import NASTY, provision_county

pytestmark = needs_browser
DOTS = ".leaflet-dots-pane path"


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Review:
    return provision_county(tmp_path_factory.mktemp("county"))


@pytest.fixture(scope="module")
def address(county: Review, tmp_path_factory: pytest.TempPathFactory) -> str:
    return save(provision_page(county), tmp_path_factory.mktemp("page") / "p.html").as_uri()


def fills(page: Any) -> list[str]:
    """Return the colours of the dots, in the order in which they were drawn."""
    return page.eval_on_selector_all(DOTS, "all => all.map(e => e.getAttribute('fill'))")


def shapes(page: Any) -> set[int]:
    """Return how many strokes each kind of sign on the map has."""
    letters = "all => all.map(e => e.getAttribute('d').replace(/[^A-Za-z]/g, ''))"
    return set(page.eval_on_selector_all(DOTS, letters))


def test_every_place_with_children_is_a_dot(open_page: Opener, county: Review) -> None:
    page = open_page()
    rows = county.today.reach.rows
    own = rows[(rows["need_type"] == "ASD") & (rows["phase"] == "primary")]
    assert page.locator(DOTS).count() == own["point"].nunique()
    assert len(set(fills(page))) >= 4
    provisions = county.today.register.open_in(county.today.year).table
    assert page.locator(".sign").count() == len(provisions)


def test_selects_change_dots_words_and_signs(open_page: Opener, county: Review) -> None:
    page = open_page()
    before, said = fills(page), page.inner_text("#told")
    page.select_option("#phase", label="Secondary")
    assert fills(page) != before
    assert page.inner_text("#told") != said
    page.select_option("#type", label="Vision impairment (VI)")
    assert page.inner_text("#told").endswith("no provision is open to them.")
    assert shapes(page) == {"MlMl"}  # crosses: a sign and no colour
    page.select_option("#phase", label="Primary")
    page.select_option("#state", label="A visiting service for vision impairment")
    assert page.inner_text("#told").endswith("all are visited at their own schools.")
    assert "visited at their own school" in page.inner_text("#legend")


def test_a_scenario_shows_who_is_nearer_and_what_opens(open_page: Opener, county: Review) -> None:
    page = open_page()
    at = [state.name for state in county.states].index("close_and_open")
    page.select_option("#state", value=f"change-{at}")
    own = county.states[at].differences
    own = own[(own["need_type"] == "ASD") & (own["phase"] == "primary")]
    nearer = (own["change"] == "better").sum()
    assert nearer > 0
    assert fills(page).count("#0b6bc2") == nearer
    assert "new in this scenario" in page.inner_text("#signs")
    page.select_option("#type", label="Speech, language and communication needs (SLCN)")
    assert "nowhere to go on to" in page.inner_text("#signs")
    dashed = page.locator(".leaflet-paths-pane path[stroke-dasharray]")
    assert dashed.count() == 1


def test_every_choice_and_state_can_be_shown(open_page: Opener, county: Review) -> None:
    page = open_page()
    kinds = page.locator("#type option").count()
    assert kinds * 2 == len(keys_of(county))
    for state in page.eval_on_selector_all("#state option", "all => all.map(e => e.value)"):
        page.select_option("#state", value=state)
        for kind in range(kinds):
            page.select_option("#type", index=kind)
            assert page.locator(DOTS).count() > 300
            assert page.inner_text("#told")


def test_a_provision_is_read_by_keyboard(open_page: Opener) -> None:
    page = open_page()
    page.focus("#map_provision")
    for _ in range(8):  # past the buttons to a provision
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.classList.contains('sign')"):
            break
    popup = page.locator(".leaflet-popup-content")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')")
    for word in ("Need types", "Places", "On roll"):
        assert word in popup.inner_text()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.closest('.leaflet-popup-content') !== null")
    page.keyboard.press("Escape")
    page.wait_for_selector(".leaflet-popup", state="detached")
    assert page.evaluate("document.activeElement.classList.contains('sign')")


def test_from_the_table_to_the_map_a_name_is_only_a_name(open_page: Opener) -> None:
    page = open_page()
    row = page.locator("tr[data-number]", has_text="alert(1)")
    row.locator("button").click()
    popup = page.locator(".leaflet-popup-content")
    assert NASTY in popup.inner_text()
    assert popup.locator("script").count() == 0
    assert "93%" in popup.inner_text()


def test_every_dot_has_a_row_of_words(open_page: Opener) -> None:
    page = open_page()
    page.click("#all-places summary")
    rows = page.locator("#all-places tbody tr")
    rows.first.wait_for()  # the table is filled when the browser says that it is open
    assert rows.count() == page.locator(DOTS).count()
    far = rows.first.locator("td").nth(1).inner_text()
    assert far == "56 minutes"
    page.select_option("#state", index=1)
    assert page.locator("#all-places thead th").count() == 5
    assert rows.first.locator("td").nth(1).inner_text() == "None open to them"


def test_a_place_tells_its_minutes(open_page: Opener) -> None:
    page = open_page()
    page.locator(DOTS).first.dispatch_event("click")
    text = page.locator(".leaflet-popup-content").inner_text()
    assert "minutes" in text
    assert "Autistic spectrum disorder" in text


@pytest.mark.parametrize("size", [(1280, 900), (320, 700)])
def test_nothing_overflows_and_every_target_can_be_hit(
    open_page: Opener, size: tuple[int, int]
) -> None:
    page = open_page(*size)
    page.evaluate("document.querySelectorAll('details').forEach(e => { e.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    small = page.evaluate(
        """() => Array.from(document.querySelectorAll(
             'button, summary, input, select, a[href]:not(.skip), .sign'))
           .map(e => [e.outerHTML.slice(0, 90), (e.closest('label') || e).getBoundingClientRect()])
           .filter(([, box]) => box.width && (box.width < 24 || box.height < 24))
           .map(([html]) => html)"""
    )
    assert small == []


def test_every_control_has_a_name(open_page: Opener) -> None:
    page = open_page()
    nameless = page.evaluate(
        """() => Array.from(document.querySelectorAll('button, input, select, a[href], .sign'))
           .filter(e => !(e.getAttribute('aria-label') || (e.labels && e.labels.length) ||
             (e.tagName !== 'SELECT' && e.textContent.trim()))).map(e => e.outerHTML)"""
    )
    assert nameless == []


def test_without_scripts_the_tables_are_the_page(open_page: Opener) -> None:
    page = open_page(wait=False, java_script_enabled=False)
    assert page.get_by_text("The drawing needs JavaScript").is_visible()
    assert not page.locator("#panel").is_visible()
    assert page.locator("tr[data-number]").first.is_visible()
