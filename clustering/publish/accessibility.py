"""The accessibility statement of a pack: what was tested and how, what is known to be missing."""

from __future__ import annotations

from collections.abc import Iterator

from clustering.publish.consultation import Consultation
from clustering.publish.pages import page

TESTED = (
    "Pages of every kind with axe-core, against its rules for levels A and AA of the Web Content "
    "Accessibility Guidelines (WCAG) 2.2, on screens 320 and 1,280 pixels wide, in Chromium.",
    "The HTML of the pages, with a strict parser (html5lib) and with rules on their structure.",
    "The main journey by keyboard alone: find a school, open its cluster, change the option.",
    "That pages ask no server for anything, show no error, and print without their menus.",
)
"""What the tests of the program that makes a pack do, on an invented county."""
GAPS = (
    "A program finds only part of what can be wrong. People who use a screen reader, magnification "
    "or speech input have not yet tried this pack.",
    "On the map, places and lines can be told only by sight. Everything that it says stands in "
    "words and tables as well: on the overview, on the page of each cluster and of each district, "
    "and on the page to find your school.",
    "The Easy Read page has not been tried with people who have learning disabilities.",
    "Without JavaScript the map does not move and search boxes do not show; the tables are whole.",
    "The pages are in English only.",
)
"""What is known to be missing in every pack."""


def pages(consultation: Consultation) -> Iterator[tuple[str, str]]:
    """Yield `accessibility.html`."""
    yield page(
        consultation,
        "accessibility.html",
        "Accessibility statement",
        "page_accessibility.html",
        own=consultation.settings,
        tested=TESTED,
        gaps=GAPS,
    )
