"""The map of a consultation: what its one file says, what it never says, and that it is light."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from clustering.publish.consultation import Consultation
from clustering.publish.consultation_page import pages
from clustering.publish.pages import CHANGES_NOTHING
from geo.offline import POLICY
from tests.consultation_county import MOVED, NASTY, NASTY_URN, consult, consultation_county
from tests.consultation_county import whole_county as whole

Table = list[list[str]]


class Reader(HTMLParser):
    """Reads tables by id as rows of texts, text by id, and all links."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tables: dict[str, Table] = {}
        self.links: list[str] = []
        self.now: Table | None = None
        self.cell = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        own = dict(attrs)
        if tag == "table":
            self.now = self.tables.setdefault(str(own.get("id")), [])
        elif self.now is not None and tag == "tr":
            self.now.append([])
        elif self.now is not None and tag in ("td", "th"):
            self.now[-1].append("")
            self.cell = True
        elif tag == "a":
            self.links.append(str(own.get("href")))
        if tag == "a" and self.cell:
            self.links.append(str(own.get("href")))

    def handle_endtag(self, tag: str) -> None:
        if tag == "table":
            self.now = None
        if tag in ("td", "th"):
            self.cell = False

    def handle_data(self, data: str) -> None:
        if self.now is not None and self.cell:
            self.now[-1][-1] += data


def payload(html: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="map-data">(.*?)</script>', html, re.S)
    assert found
    return json.loads(found[1])


def text_of(consultation: Consultation) -> str:
    [(path, html)] = pages(consultation)
    assert path == "consultation.html"
    return html


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Consultation:
    return consultation_county(tmp_path_factory.mktemp("county"))


@pytest.fixture(scope="module")
def html(county: Consultation) -> str:
    return text_of(county)


@pytest.fixture(scope="module")
def tables(html: str) -> dict[str, Table]:
    return Reader(html).tables


def test_every_school_stands_once_with_its_cluster_in_every_option(
    county: Consultation, tables: dict[str, Table]
) -> None:
    head, *rows = tables["schools-table"]
    assert head[5:] == ["Today’s clusters", "Option A", "Option B"]
    assert sorted(row[1] for row in rows) == sorted(county.inputs.table.index)
    for row in rows:
        for option, said in zip(county.options, row[5:], strict=True):
            label = option.label_of(row[1])
            place, near = said.split(", ")
            assert place == f"{option.numbers[label]} · {label}"
            assert (near == "hub") == (option.plan[label].hub == row[1])
            assert near == "hub" or re.fullmatch(r"about \d+ minutes?", near)


def test_the_drawing_says_what_the_table_says(
    county: Consultation, html: str, tables: dict[str, Table]
) -> None:
    data, rows = payload(html), tables["schools-table"][1:]
    for at, option in enumerate(data["options"]):
        for k, row in enumerate(rows):
            cluster = option["clusters"][option["of"][k]]
            assert row[5 + at].startswith(f"{cluster['no']} · {cluster['name']}, ")
            assert (cluster["hub"] == k) == row[5 + at].endswith(", hub")
            assert cluster["hub"] == k or f" {option['minutes'][k]} " in row[5 + at]
    assert [option["key"] for option in data["options"]] == [o.key for o in county.options]


def test_numbers_of_clusters_are_the_released_ones(
    county: Consultation, tables: dict[str, Table]
) -> None:
    for option in county.options:
        head, *rows = tables[f"clusters-{option.key}"]
        for row, label in zip(rows, option.plan.labels, strict=True):
            said = dict(zip(head, row, strict=True))
            assert said["Cluster"] == f"{option.numbers[label]} · {label}"
            for title, measure in (
                ("Pupils", "pupils"),
                ("EHC plans", "ehc_plans"),
                ("SEN support", "sen_support"),
                ("FSM6", "fsm6"),
                ("By formula", "budget"),
            ):
                assert said[title] == county.cell(option, label, measure).text


def test_who_moves_is_told_for_any_two_options(
    html: str, tables: dict[str, Table], county: Consultation
) -> None:
    moves = payload(html)["moves"]
    order = [row[1] for row in tables["schools-table"][1:]]
    assert {key: sorted(order[k] for k in found) for key, found in moves.items()} == {
        "today a": sorted(MOVED["a"]),
        "today b": sorted(MOVED["b"]),
        "a b": sorted(set(MOVED["b"]) - set(MOVED["a"])),
    }
    name = county.inputs.table.at["910006", "name"]
    assert tables["moves-1"][1:] == [[name, "2 · Community 2", "1 · Community 1"]]


def test_feeder_links_have_no_number_and_few_pupils_make_none(
    county: Consultation, html: str, tables: dict[str, Table]
) -> None:
    links = county.inputs.feeders.links
    wide = links[links["pupils"] >= 10]
    assert 0 < len(wide) < len(links)
    data = payload(html)
    order = [row[1] for row in tables["schools-table"][1:]]
    found = {(order[start], order[end]) for start, end, _, _ in data["links"]}
    assert found == set(zip(wide["from_urn"], wide["to_urn"], strict=True))
    assert data["links"] == sorted(data["links"])  # by school, which tells of no number
    for start, end, guess, kept in data["links"]:
        both = [o["of"][start] == o["of"][end] for o in data["options"]]
        assert (guess, kept) == (0, [k for k, same in enumerate(both) if same])
    assert len(tables["links-table"]) == len(wide) + 1


ALLOWED = {
    *("bounds", "words", "sectors", "colours", "bands", "places_of_schools", "phases"),
    *("selective", "options", "moves", "links", "provisions", "areas", "land", "roads", "places"),
    *("tiles", "school_page", "sentence"),
}


def test_the_drawing_has_no_number_of_pupils(html: str, tmp_path: Path) -> None:
    data = payload(html)
    assert set(data) == ALLOWED
    assert set(data["options"][0]) == {"key", "name", "of", "minutes", "clusters"}
    assert set(data["options"][0]["clusters"][0]) == {
        *("no", "name", "page", "hub", "colour", "shape", "at")
    }
    assert set(data["provisions"][0]) == {"name", "kind", "said", "types", "at"}
    other = whole()
    for column in ("pupils", "ehc_plans", "sen_support", "fsm6"):
        other.schools[column] = other.schools[column].astype(int) + 10
    again = payload(text_of(consult(other, tmp_path)))
    assert again == data


def test_provision_is_told_without_roll_and_places(html: str, tables: dict[str, Table]) -> None:
    found = payload(html)["provisions"]
    assert [(one["kind"], one["types"]) for one in found] == [
        ("sen_unit", ["HI"]),
        ("srp", ["SLCN", "ASD"]),
    ]
    assert not re.search(r"\d", " ".join(one["said"] for one in found))
    assert [len(row) for row in tables["srps-table"]] == [4, 4, 4]


def test_a_name_with_tags_is_only_a_name(html: str, tables: dict[str, Table]) -> None:
    assert "<script>alert" not in html
    assert NASTY in {row[0] for row in tables["schools-table"] if row[1] == NASTY_URN}


def test_postcodes_are_cut_to_their_sector(html: str, tables: dict[str, Table]) -> None:
    assert not re.search(r"ZZ\d \d[A-Z]", html)
    assert all(re.fullmatch(r"ZZ\d \d", row[4]) for row in tables["schools-table"][1:])


def test_the_page_says_what_it_must(county: Consultation, html: str) -> None:
    for words in (
        "DRAFT FOR CONSULTATION",
        CHANGES_NOTHING,
        "The consultation closes on 3 March 2027.",
        "clusters@moorshire.example",
        "County Hall, Moorton",
    ):
        assert words in html
    plain = html.replace("&#34;", '"')
    assert all(sentence in plain for sentence in county.numbers.words())


def test_nothing_is_asked_of_anybody(html: str) -> None:
    assert f'content="{POLICY}"' in html
    links = Reader(html).links
    assert not [link for link in links if re.match(r"(?!mailto:)[a-z]+:|/", link)]
    assert "schools.html#u910001" in links
    assert "clusters/a-1.html" in links
    assert "third party" not in html
    assert not re.search(r"<[^>]+\son\w+=", html.partition("<body>")[2].partition("<script")[0])


def test_tiles_are_off_named_and_the_only_door(tmp_path: Path) -> None:
    more = """
    [publish]
    tiles = "https://tiles.example/{z}/{x}/{y}.png"
    tiles_credit = "© Example Survey"
    """
    html = text_of(consultation_county(tmp_path, more))
    assert f"{POLICY.replace('data:', 'data: https://tiles.example')}" in html
    box = re.search(r'<input type="checkbox" data-layer="tiles"([^>]*)>', html)
    assert box
    assert "checked" not in box[1]
    assert "asks a third party (tiles.example) for pictures" in html
    assert "© Example Survey" in html


def test_the_same_inputs_make_the_same_bytes(html: str, tmp_path: Path) -> None:
    assert text_of(consultation_county(tmp_path, seed=3)) == html


def test_the_file_is_light(html: str) -> None:
    assert len(html.encode()) < 400_000


def test_one_plan_alone_has_nothing_to_compare(tmp_path: Path) -> None:
    own = whole()
    del own.study["existing"]
    html = text_of(consult(own, tmp_path, only=("a",)))
    assert "What changes" not in html
    assert payload(html)["moves"] == {}
