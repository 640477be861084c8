"""How to answer, Easy Read and the accessibility statement: words, links, hostile names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from clustering.publish import accessibility, easy_read, respond
from clustering.publish.consultation import Consultation
from clustering.publish.easy_read import PICTURES, Sentence, picture_of
from clustering.publish.pages import NAV
from clustering.publish_settings import PublishTable
from tests.page_checks import (
    DESK,
    PHONE,
    assert_accessible,
    assert_folder_holds_together,
    assert_valid,
    chromium,
    needs_browser,
    offline,
)
from tests.talkative_pack import talkative

NAMES = ("respond.html", "response-sheet.html", "easy-read.html", "accessibility.html")


def said(consultation: Consultation) -> dict[str, str]:
    modules = (respond, easy_read, accessibility)
    return {path: text for module in modules for path, text in module.pages(consultation)}


def told(**settings: Any) -> Consultation:
    """Return the consultation with other settings, and with none where none are given."""
    return replace(talkative(), settings=PublishTable(**settings))


@pytest.fixture(scope="module")
def whole() -> Consultation:
    return talkative()


@pytest.fixture(scope="module")
def folder(whole: Consultation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("answers")
    for path, text in said(whole).items():
        (home / path).write_text(text, encoding="utf-8")
    return home


def test_the_pages_are_these_and_always_the_same(whole: Consultation) -> None:
    first = said(whole)
    assert tuple(first) == NAMES
    assert said(whole) == first


@pytest.mark.parametrize("settings", [{}, {"email": "a@b.example"}, {"post": "A\nB"}])
def test_html_is_valid_with_all_and_with_nothing(settings: dict[str, str]) -> None:
    for path, text in {**said(told(**settings)), **said(talkative())}.items():
        assert_valid(text, path)


def test_links_lead_somewhere(folder: Path) -> None:
    assert_folder_holds_together(folder, without=[path for path, _ in NAV])


def test_nothing_can_be_sent_from_a_page(whole: Consultation) -> None:
    for text in said(whole).values():
        assert "form-action &#39;none&#39;" in text
        assert not re.search(r"<(form|input|textarea|script|iframe|img)\b", text)


def test_the_link_opens_a_letter_with_all_questions(whole: Consultation) -> None:
    link = urlsplit(respond.mail_link(whole))
    assert (link.scheme, unquote(link.path)) == ("mailto", "send.views+2027@moorshire.example")
    asked = parse_qs(link.query, strict_parsing=True)
    assert asked["subject"] == ["Response: Moorshire: an invented county"]
    body = asked["body"][0]
    assert "1. Which option do you prefer, and why?\r\n" in body
    assert "2. Is 100% of what you need in a cluster?" in body
    assert "Option (Today’s clusters, Option A, Option B, none):" in body
    assert "School, with its URN" in body
    assert "Cluster, if" in body
    assert "do not name a child" in body
    assert "\n" not in body.replace("\r\n", "")


def test_a_long_letter_names_its_questions_by_number() -> None:
    long = told(email="a@b.example", questions=tuple(f"{k} " + "why? " * 90 for k in range(9)))
    link = respond.mail_link(long)
    assert len(link) < respond.LONGEST_LINK
    assert "Question 9" in unquote(link)
    assert "why?" not in unquote(link)
    assert "why?" in said(long)["respond.html"]


def test_an_address_cannot_add_to_the_letter() -> None:
    title = "A&bcc=x@y.example#\r\nBcc: x@y.example"
    link = respond.mail_link(told(email="a=x+1@b.example", title=title))
    query = parse_qs(urlsplit(link).query)
    assert set(query) == {"subject", "body"}
    assert query["subject"] == ["Response: A&bcc=x@y.example# Bcc: x@y.example"]
    assert urlsplit(link).path == "a%3Dx%2B1@b.example"


@pytest.mark.parametrize("sign", "%#,;:?& ")
def test_an_address_is_one_address_and_nothing_else(sign: str) -> None:
    with pytest.raises(ValueError, match="email"):
        PublishTable(email=f"a{sign}26bcc=x@b.example")


def test_what_is_not_given_is_not_said() -> None:
    pages = said(told())
    assert "mailto:" not in "".join(pages.values())
    assert "has not yet said where answers go" in pages["respond.html"]
    assert "has not yet said where answers go" in pages["response-sheet.html"]
    assert "has not yet said how to reach it" in pages["accessibility.html"]
    assert "By telephone" not in pages["respond.html"]
    with_phone = said(told(phone="01632 960 000"))
    assert "has not yet said" not in "".join(with_phone.values())


def test_what_the_council_writes_is_only_text() -> None:
    evil = "<b onmouseover=x()>&"
    own = told(
        council=evil, post=evil, phone=evil, title=evil, questions=(evil,), easy_read=(evil,),
        accessibility=(evil,), version=evil,
    )  # fmt: skip
    for path, text in said(own).items():
        assert "<b" not in text.replace("<body", "")
        assert_valid(text, path)


def test_easy_read_is_easy(whole: Consultation) -> None:
    parts = easy_read.parts_of(whole)
    own = [s for part in parts for s in part.sentences]
    assert Sentence("Option A has 4 clusters.", "group") in own
    assert Sentence("Now there are 4 clusters.", "group") in own
    assert Sentence("There are 2 new plans. We call them options.", "group") in own
    assert Sentence("You can answer until 30 April 2027.", "calendar") in own
    assert all(len(s.words.split()) <= 14 for s in own)
    given = easy_read.parts_of(told(easy_read=("We have a plan.", "It has 2 clusters.")))
    assert [s.words for s in given[0].sentences] == ["We have a plan.", "It has 2 clusters."]
    assert given[1].heading == "What stays the same"


def test_every_picture_is_drawn_and_hidden_from_readers(whole: Consultation) -> None:
    text = said(whole)["easy-read.html"]
    drawn = re.findall(r'<svg viewBox="0 0 64 64" aria-hidden="true"[^>]*>(.*?)</svg>', text)
    used = {s.picture for part in easy_read.parts_of(whole) for s in part.sentences}
    assert used == {name for name, _ in PICTURES} | {"people"}
    assert len(set(drawn)) == len(used)
    assert picture_of("Nothing of the kind.") == "people"


def test_one_proposal_is_not_called_options(whole: Consultation) -> None:
    one = replace(whole, options=whole.options[1:2])
    words = [s.words for part in easy_read.parts_of(one) for s in part.sentences]
    assert "There is one new plan." in words
    assert not [sentence for sentence in words if sentence.startswith("Now there")]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as running:
        yield running


class TestInTheBrowser:
    pytestmark = needs_browser

    @pytest.mark.parametrize("name", NAMES)
    def test_accessible_at_both_widths(self, browser: Any, folder: Path, name: str) -> None:
        with offline(browser) as open_page:
            assert_accessible(open_page(folder / name), (PHONE, DESK))

    def test_the_sheet_is_for_a4_and_large(self, browser: Any, folder: Path) -> None:
        with offline(browser, width=794) as open_page:
            page = open_page(folder / "response-sheet.html")
            page.emulate_media(media="print")
            assert not page.locator("nav.main").is_visible()
            size = page.locator(".sheet p").first.evaluate("e => getComputedStyle(e).fontSize")
            assert float(size.removesuffix("px")) > 21  # 16 points
            assert page.locator(".box").count() == 6 + 3 + 1
            pdf = page.pdf(format="A4")
            assert 2 <= len(re.findall(rb"/Type\s*/Page\b", pdf)) <= 4
