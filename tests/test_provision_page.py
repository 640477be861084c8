"""The page of provision: what stands there is what is so, and a name stays a name."""

from __future__ import annotations

import json
import math
import re
from html.parser import HTMLParser
from itertools import pairwise

import numpy as np
import pytest

from clustering.provision.before_after import by_point
from clustering.provision.reach import KEY
from clustering.provision_desk import Review
from clustering.publish import provision_words as say
from clustering.publish.provision_layers import (
    choices,
    keys_of,
    label,
    numbers,
    provisions,
    reached,
    sentences,
)
from clustering.publish.provision_page import provision_page
from clustering.publish.provision_tables import Bar, changed_provisions
from clustering.publish.provision_tables import provisions as provisions_table
from geo.colours import LAND, contrast
from geo.provision_map import COLOURS, edges
from tests.provision_county import NASTY, provision_county


class Reader(HTMLParser):
    """Reads tables by caption (the first of a name: today's), and every tag that was opened."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tables: dict[str, list[list[str]]] = {}
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self._caption, self._cell = False, False
        self._now: list[list[str]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "table":
            self._now = []
        self._caption = tag == "caption"
        if tag == "tr":
            self._now.append([])
        if tag in ("th", "td"):
            self._cell = True
            self._now[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("th", "td"):
            self._cell = False
        if tag == "caption":
            self._caption = False

    def handle_data(self, data: str) -> None:
        self.text.append(data)
        if self._caption:
            self.tables.setdefault(data, self._now)
        if self._cell:
            self._now[-1][-1] += data


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Review:
    return provision_county(tmp_path_factory.mktemp("county"))


@pytest.fixture(scope="module")
def page(county: Review) -> str:
    return provision_page(county).get_root().render()


@pytest.fixture(scope="module")
def read(page: str) -> Reader:
    return Reader(page)


@pytest.fixture(scope="module")
def payload(page: str) -> dict:
    found = re.search(r'<script type="application/json" id="map-data">(.*?)</script>', page, re.S)
    assert found
    return json.loads(found[1])


def test_every_point_choice_and_state_is_on_the_map_with_its_minutes(county, payload):
    keys = keys_of(county)
    points = sorted(county.provision.demand.points.index)
    assert len(payload["choices"]) == len(keys)
    assert len(payload["states"]) == 4
    for at, state in enumerate(county.states):
        exact = by_point(state.reach)
        for k, key in enumerate(keys):
            today, own = (payload["states"][s]["reach"][k] for s in (0, at))
            told = {n: today[n] if own[n] is None else own[n] for n in own}
            truth = exact.xs(key, level=KEY).reindex(points)
            assert told["children"] == pytest.approx(truth["children"].tolist(), abs=0.006)
            visited = (state.reach.rows.set_index(KEY).loc[[key], "nearest"] ==
                       "visited at their own school").all()  # fmt: skip
            for shown, real in zip(told["minutes"], truth["minutes"], strict=True):
                if visited:
                    assert shown == -3
                elif math.isinf(real):
                    assert shown in (-1, -2)
                else:
                    assert -1e-6 < shown - real < 0.1 + 1e-6


def test_a_class_never_hides_that_a_limit_is_passed(county, payload):
    for at, state in enumerate(county.states):
        rows = state.reach.rows
        assert payload["states"][at]["edges"] == [[15, 30, 45, 60], [22.5, 45, 75, 100]]
        for k, key in enumerate(keys_of(county)):
            told = payload["states"][at]["reach"][k]["minutes"]
            if told is None:
                continue
            own = rows[(rows[KEY] == list(key)).all(axis=1)]
            limit = own["limit_second"].iloc[0]
            single = own.groupby("point")["minutes"].agg(["min", "size"])
            within = [0 <= m <= limit or m == -3 for m in told]
            one = (single["size"] == 1).to_numpy()
            assert (np.array(within)[one] == (single["min"] <= limit).to_numpy()[one]).all()


def test_changes_on_the_map_are_those_of_the_scenario(county, payload):
    table = reached(county)
    for at, state in enumerate(county.states[1:], start=1):
        own = state.differences
        for k, key in enumerate(keys_of(county)):
            exact = own[(own[KEY] == list(key)).all(axis=1)]["change"].value_counts()
            told = payload["states"][at]["reach"][k]["change"]
            if told is None:
                assert not {"better", "worse"} & set(exact.index)
                continue
            assert told.count("1") == exact.get("better", 0)
            assert told.count("2") == exact.get("worse", 0)
    assert set(table["change"]) == {"", "better", "worse"}
    assert payload["states"][0]["reach"][0]["change"].strip("0") == ""


def test_provisions_stand_on_the_map_and_in_the_table_by_one_number(county, read, payload):
    number = numbers(county)
    table = read.tables["Provisions by their number on the map: how full and how large"]
    named = {row[1]: int(row[0]) for row in table[1:]}
    assert len(named) == len(table) - 1 == len(county.today.register.open_in(2027).table)
    for one in payload["states"][0]["provisions"]:
        assert named[one["name"]] == one["no"]
    assert sorted(number.values()) == list(range(1, len(number) + 1))
    with_buttons = [a for tag, a in read.tags if tag == "tr" and "data-number" in a]
    assert len(with_buttons) == len(named)


def test_a_scenario_shows_what_it_opens_and_closes(county):
    table = provisions(county, keys_of(county), say.kind_words({}))
    at = [state.name for state in county.states].index("close_and_open")
    own = table[table["state"] == str(at)].set_index("provision")
    assert own.at["900056", "status"] == "closed"
    assert own.at["900056", "choices"] == ()
    assert own.at["900231", "status"] == "new"
    assert set(table.loc[table["state"] == "0", "status"]) == {"open"}
    told = {row[0]: row[1] for row in changed_provisions(county, county.states[at]).rows}
    assert sorted(told.values()) == ["begins", "ends"]
    closed = own.loc["900056"]
    assert told[f"{closed['number']} · {closed['name']}"] == "ends"
    selective = table[(table["state"] == "0") & (table["provision"] == "900024")]
    assert selective["choices"].tolist() == [()]


def test_flags_are_words_and_no_verdict(county, read):
    rows = provisions_table(county, say.kind_words({})).rows
    viability = county.viability().set_index("name")
    flags = {row[1]: row[-1] for row in rows}
    for name, row in viability.iterrows():
        told = flags[name] if isinstance(flags[name], str) else flags[name].words
        assert told.endswith(row["words"] or "No flag")
    assert "below the threshold set by the council" in "".join(read.text)
    assert "not a verdict" in " ".join("".join(read.text).split())


def test_a_broken_pathway_is_said_and_ringed(county, read, payload):
    lost = county.pathways()
    lost = lost[~lost["within"].astype(bool)]
    broken = [way for way in payload["states"][0]["pathways"] if way[3]]
    assert len(broken) == len(lost) > 0
    table = read.tables["From each primary provision to the nearest secondary one"]
    assert sum("broken" in row[4] for row in table[1:]) == len(lost)
    assert "no secondary provision to go on to" in "".join(read.text)


def test_the_warnings_cannot_be_overlooked(page, county, tmp_path):
    assert "not for publication" in page
    assert "PRIVATE: not a proposal to open or close any provision" in page
    assert "Demand is an estimate, not a count" in page
    alone = provision_county(tmp_path, ())
    public = provision_page(alone).get_root().render()
    assert "PRIVATE" not in public
    assert "not for publication" in public


def test_a_name_is_only_a_name(page, read, payload):
    assert NASTY in {one["name"] for one in payload["states"][0]["provisions"]}
    assert NASTY in "".join(read.text)
    assert "<script>alert" not in page
    assert [a.get("type") for tag, a in read.tags if tag == "script"].count(None) == 2


def test_the_words_are_the_study_s_own(tmp_path):
    own = provision_county(tmp_path, ("close_and_open",), extra='[words]\nsrp = "inclusion base"')
    page = provision_page(own).get_root().render()
    assert "changes to inclusion bases are statutory" in page
    assert "<td>inclusion base</td>" in page
    assert "<td>SRP</td>" not in page


def test_the_page_is_the_same_whatever_the_order_of_rows(page, tmp_path):
    again = provision_page(provision_county(tmp_path, backwards=True)).get_root().render()
    assert again == page
    assert len(page.encode()) < 1_500_000


def test_without_demand_there_is_still_provision(tmp_path):
    bare = provision_county(tmp_path, (), without_demand=True)
    page = Reader(provision_page(bare).get_root().render())
    assert "The study names no demand" in "".join(page.text)
    assert "select" not in {tag for tag, _ in page.tags}
    assert len(page.tables["Provisions by their number on the map: how full and how large"]) > 5


def test_tables_and_headings_are_in_order(read):
    levels = [int(tag[1]) for tag, _ in read.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert all(a.get("scope") in ("col", "row") for tag, a in read.tags if tag == "th")
    tags = [tag for tag, _ in read.tags]
    assert tags.count("table") == tags.count("caption")
    assert ("html", {"lang": "en-GB"}) in read.tags
    ids = [a["id"] for _, a in read.tags if "id" in a]
    assert len(ids) == len(set(ids))
    for tables in read.tables.values():
        assert len({len(row) for row in tables}) == 1


def test_headline_says_shares_places_and_the_worst(county):
    told = sentences(county).set_index(["state", "choice"])["words"]
    first = told["0", "srp/ASD/primary"]
    assert first.startswith("About 125 children need a place; 54% have the nearest provision "
                            "within 30 minutes and 84% within 45.")  # fmt: skip
    assert "7 provisions with 102 places; about 35 children are without a place." in first
    assert first.count("minutes);") + first.count("minutes).") >= 3
    assert told["0", "srp/VI/secondary"].endswith("no provision is open to them.")
    assert told["3", "srp/VI/primary"].endswith("all are visited at their own schools.")


def test_choices_name_the_kind_only_where_there_are_several():
    kinds = say.kind_words({})
    one = choices([("srp", "ASD", "primary")], kinds)
    assert one["type_words"].tolist() == ["Autistic spectrum disorder (ASD)"]
    two = choices([("srp", "ASD", "primary"), ("special", "ASD", "primary")], kinds)
    assert two["type_words"].tolist() == [
        "Autistic spectrum disorder (ASD): SRP",
        "Autistic spectrum disorder (ASD): special school",
    ]
    assert two.index.tolist() == [label(("srp", "ASD", "primary")), "special/ASD/primary"]


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (say.children(0.0), "0"),
        (say.children(0.01), "under 0.1"),
        (say.children(19.94), "19.9"),
        (say.children(19.96), "20"),
        (say.children(1234.5), "1,234"),
        (say.children(math.nan), "not known"),
        (say.minutes(29.6), "30"),
        (say.minutes(math.inf), "none open to them"),
        (say.minutes(math.nan), "–"),
        (say.share(0.001), "under 1%"),
        (say.share(0.998), "over 99%"),
        (say.share(1.0), "100%"),
        (say.share(math.nan), "–"),
        (say.pounds(2_031_595.0), "£2,032,000"),
        (say.pounds(math.nan), "not known"),
        (say.decimal(-0.104), "−0.10"),
        (say.decimal(math.inf), "–"),
        (say.place_words("X1", "X1, near Y"), "near Y"),
        (say.place_words("X1", "X1"), "X1"),
    ],
)
def test_figures_are_as_exact_as_they_are_known(told, words):
    assert told == words


def test_bars_lie_one_after_another():
    assert Bar("", (0.25, 0.5)).pieces == [(0, 0, 25), (1, 25, 50)]
    assert Bar("", (math.nan,)).pieces == [(0, 0, 0)]


def test_classes_end_at_the_limits_and_colours_have_an_order():
    assert edges(30, 45) == [15, 30, 45, 60]
    assert edges(40, 40) == [20, 40, 53.3]
    darker = [contrast(colour, "#ffffff") for colour in COLOURS]
    assert all(after > before * 1.15 for before, after in pairwise(darker))
    assert contrast("#46535a", LAND) > 3
