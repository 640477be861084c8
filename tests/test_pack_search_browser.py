"""Finding a school in a pack: by name, URN, postcode and district, and from page to map."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clustering.publish.pack_write import publish
from tests.packs import told
from tests.page_checks import PHONE, chromium, needs_browser, offline

pytestmark = needs_browser


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("browser")
    publish(told(folder / "study"), folder / "pack")
    return folder / "pack"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as running:
        yield running


@pytest.mark.parametrize(
    ("asked", "answer", "first"),
    [
        ("", "", "<script>alert(1)</script> Primary"),
        ("east elder", "1 school fits.", "East Elder Primary School"),
        ("EAST elder'", "1 school fits.", "East Elder Primary School"),
        ("910105", "1 school fits.", "East Elder Primary School"),
        ("westmoor academy", "3 schools fit.", "West Birch Academy"),
        ("MR1 1XY", "1 school fits.", "West Alder Primary School"),
        ("mr11xy", "1 school fits.", "West Alder Primary School"),
        ("MR1", "6 schools fit.", "East Alder Primary School"),
        ("MR4 9ZZ", "6 schools fit.", "=HYPERLINK"),
        ("no such school", "No school fits.", None),
        ("<script>", "1 school fits.", "<script>alert(1)</script> Primary"),
        ("(", "", "<script>alert(1)</script> Primary"),
    ],
)
def test_a_school_is_found_by_name_urn_postcode_or_district(browser, pack, asked, answer, first):
    with offline(browser, PHONE) as opener:
        page = opener(pack / "schools.html")
        page.keyboard.press("Tab")
        page.focus("#query")
        page.keyboard.type(asked)
        assert page.inner_text("#found") == answer
        rows = page.locator("#list tbody tr:visible")
        assert (rows.count() == 0) == (first is None)
        if first:
            assert any(name.startswith(first) for name in rows.locator("th").all_inner_texts())
        if asked:
            assert page.locator("details.school:visible").count() == rows.count()


def test_an_address_leads_to_the_reasons_of_a_school(browser, pack):
    with offline(browser) as opener:
        page = opener(pack / "schools.html", "#u910105")
        assert page.locator("details[open]").count() == 1
        assert page.evaluate("document.activeElement.textContent").startswith("East Elder")
        page.fill("#query", "west")
        page.evaluate("location.hash = '#u910104'")
        page.wait_for_selector("#u910104[open]")
        assert page.locator("#u910104").is_visible()


def test_without_script_there_is_the_whole_table(browser, pack):
    with offline(browser, java_script_enabled=False) as opener:
        page = opener(pack / "schools.html")
        assert not page.locator("#find").is_visible()
        assert page.locator("#list tbody tr:visible").count() == 24
        page.click("#u910105 summary")
        assert page.locator("#u910105 h3").first.is_visible()


def test_a_cluster_leads_to_its_place_on_the_map(browser, pack):
    with offline(browser) as opener:
        page = opener(pack / "clusters" / "b-2.html")
        page.click("text=the map")
        page.wait_for_load_state()
        assert "option=b" in page.url
        assert page.locator('input[name="option"]:checked').get_attribute("value") == "b"
