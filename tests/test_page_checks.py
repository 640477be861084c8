"""The checks of pages find what they are for: every one is shown a page that it must refuse."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.html_rules import faults_of
from tests.page_checks import (
    assert_accessible,
    assert_folder_holds_together,
    assert_valid,
    axe,
    chromium,
    kinds,
    needs_browser,
    offline,
)


def page(body: str = "<p>Words.</p>", head: str = "") -> str:
    return (
        '<!DOCTYPE html>\n<html lang="en-GB">\n<head><meta charset="utf-8"><title>A page</title>'
        f"{head}</head>\n<body><main><h1>A page</h1>\n{body}\n</main></body>\n</html>\n"
    )


RIGHT = """<p id="a">A <a href="#a">link</a>, a
<label>box <span><input type="checkbox"></span></label>
and &lt;a sign&gt;.</p><ul><li><div>One<p>more</p></div></li></ul>
<dl><dt>What</dt><dd><p>This</p></dd></dl>
<table><caption>Rows</caption><thead><tr><th scope="col">A</th><th scope="col">B</th></tr></thead>
<tbody><tr><td colspan="2">c</td></tr></tbody></table>
<details><summary><h2>More</h2></summary><p>Text <!-- a word aside --></p></details>
<svg viewBox="0 0 2 2" role="img" aria-labelledby="t"><title id="t">Dot</title><circle r="1"/></svg>
<p hidden data-x="1" aria-live="polite">Later</p><script>var x = "<p>";</script>"""


def test_a_right_page_passes() -> None:
    assert faults_of(page(RIGHT)) == []


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("<p>a<div>b</div></p>", "Unexpected end tag"),
        ("<p><b>x</p>", "Unexpected end tag"),
        ("<div>", "too early"),
        ("<p id=a id=b>x</p>", "duplicate attribute"),
        ("<p>fish &chips</p>", "Named entity"),
        ("<p>a < b</p>", "Expected tag name"),
        ('<a href="x">b<a href="y">c</a></a>', "implies end tag"),
        ("<p>a</p><p id='x'>b</p><p id='x'>c</p>", 'the id "x" stands 2 times'),
        ("<p aria-labelledby='no'>x</p>", "refers to nothing"),
        ("<label for='no'>x</label>", "refers to nothing"),
        ("<p><a href='#no'>x</a></p>", "the link leads nowhere"),
        ("<span><div>x</div></span>", "a block within <span>"),
        ("<h2><div>x</div></h2>", "a block within <h2>"),
        ("<ul><p>x</p></ul>", "<ul> does not hold this"),
        ("<ul>x<li>y</li></ul>", "bare words"),
        ("<div><li>x</li></div>", "stands in <div>"),
        ("<details><p>x</p></details>", "without a summary"),
        ("<button type='button'><a href='#'>x</a></button>", "something to click"),
        ("<foo>x</foo>", "no such element"),
        ("<p align='left'>x</p>", "<p> has no align"),
        ("<p onclick='x()'>x</p>", "a script within onclick"),
        ("<img src='data:,'>", "without alt"),
        ("<table><tr><th scope='up'>x</th></tr></table>", 'scope="up"'),
        ("<table><tr><td>x</td></tr><tr><td>x</td><td>y</td></tr></table>", "different width"),
        ("<main>x</main>", "2 <main>"),
        ("<h1>x</h1>", "2 <h1>"),
    ],
)
def test_a_wrong_page_is_refused(body: str, fault: str) -> None:
    assert fault in "\n".join(faults_of(page(body)))
    with pytest.raises(AssertionError, match="the page"):
        assert_valid(page(body))


def test_language_and_doctype_are_asked_for() -> None:
    assert "the page does not say its language" in faults_of(page().replace(' lang="en-GB"', ""))
    assert faults_of(page().replace("<!DOCTYPE html>\n", ""))


def test_links_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b.html").write_text(page("<p id='x'>b</p>"), encoding="utf-8")
    good = "<p><a href='sub/b.html#x'>b</a> <a href='mailto:a@example.org?subject=A'>us</a></p>"
    (tmp_path / "a.html").write_text(page(good), encoding="utf-8")
    assert_folder_holds_together(tmp_path)
    assert [p.name for p in kinds(tmp_path)] == ["a.html", "b.html"]
    for link in ("sub/c.html", "sub/b.html#y", "../a.html", "http://example.org/", "//example.org"):
        bad = page(f"<p><a href='{link}'>b</a></p>")
        (tmp_path / "a.html").write_text(bad, encoding="utf-8")
        with pytest.raises(AssertionError, match=r"a\.html"):
            assert_folder_holds_together(tmp_path)
    (tmp_path / "a.html").write_text(page("<p><a href='later.html'>b</a></p>"), encoding="utf-8")
    assert_folder_holds_together(tmp_path, without=["later.html"])


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as running:
        yield running


def _opened(browser: Any, file: Path, text: str, check: Any) -> None:
    file.write_text(text, encoding="utf-8")
    with offline(browser) as open_page:
        check(open_page(file))


class TestInTheBrowser:
    pytestmark = needs_browser

    def test_a_right_page_is_accessible(self, browser: Any, tmp_path: Path) -> None:
        _opened(browser, tmp_path / "a.html", page(RIGHT), assert_accessible)

    @pytest.mark.parametrize(
        ("body", "rule"),
        [
            ('<p style="color: #aaa">Pale words</p>', "color-contrast"),
            ('<button type="button"></button>', "button-name"),
            (
                '<p style="line-height: 12px; font-size: 10px"><a href="#a" style="display: '
                'inline-block">a</a><a href="#a" style="display: inline-block">b</a></p><p id="a">',
                "target-size",
            ),
            ('<div style="width: 900px">Wide</div>', "px wide"),
        ],
    )
    def test_a_wrong_page_is_not(self, browser: Any, tmp_path: Path, body: str, rule: str) -> None:
        with pytest.raises(AssertionError, match=rule):
            _opened(browser, tmp_path / "a.html", page(body), assert_accessible)

    @pytest.mark.parametrize(
        "body",
        [
            '<img src="https://example.org/a.png" alt="">',
            "<script>console.error('no')</script>",
            "<script>missing()</script>",
        ],
    )
    def test_requests_and_errors_fail(self, browser: Any, tmp_path: Path, body: str) -> None:
        with pytest.raises(AssertionError):
            _opened(browser, tmp_path / "a.html", page(body), axe)
