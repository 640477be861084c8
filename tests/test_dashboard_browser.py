"""The District Dashboard in a real browser: valid, accessible at both widths, nothing cut off."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from clustering.publish.pack_write import publish
from tests.packs import told
from tests.page_checks import (
    PHONE,
    assert_accessible,
    assert_valid,
    chromium,
    needs_browser,
    offline,
)
from tests.test_dashboard import with_outcomes

pytestmark = needs_browser

CUT_OFF = """
    () => [...document.querySelectorAll('.chart:not(.wide)')]
        .filter(one => one.scrollWidth > one.clientWidth + 1)
        .map(one => one.querySelector('caption').textContent)
"""


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dashboard")
    publish(told(folder / "study", with_outcomes()), folder / "pack")
    return folder / "pack"


def test_dashboard_is_accessible_and_whole_on_a_telephone(pack: Path) -> None:
    with chromium() as browser:
        for name in ("index", "westmoor"):
            path = pack / "dashboard" / f"{name}.html"
            assert_valid(path.read_text(encoding="utf-8"), path.name)
            with offline(browser) as opener:
                assert_accessible(opener(path))
            with offline(browser, PHONE) as opener:
                page: Any = opener(path)
                assert page.evaluate(CUT_OFF) == []


def test_files_of_the_dashboard_are_a_click_away(pack: Path) -> None:
    with chromium() as browser, offline(browser) as opener:
        page = opener(pack / "dashboard" / "index.html")
        for link in page.locator("#files + p + ul a").all():
            address = str(link.get_attribute("href"))
            assert (pack / "dashboard" / address).resolve().is_file()
