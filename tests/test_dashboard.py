"""The District Dashboard: only released numbers, outcomes that hide who is few, charts that are
tables, and files that say what the pages say."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustering.pack_desk import Published
from clustering.publish import dashboard_files, dashboard_page
from clustering.publish.consultation import AREA, COUNTY, Consultation
from clustering.publish.dashboard import GROUPS, dashboard_of
from clustering.publish.dashboard_charts import Chart
from clustering.publish.dashboard_groups import (
    AREA_PHASE,
    PHASE,
    area_phases_of,
    phases_of,
    special_areas,
)
from clustering.publish.dashboard_reach import _Told
from clustering.publish.dashboard_trends import families_of, protect
from clustering.publish.disclosed import EITHER, NOT_KNOWN, NOT_SHOWN, Released
from clustering.publish.outcomes_file import CLUSTER, Outcomes, OutcomesError, read_outcomes
from clustering.publish.pages import root_of
from geo.errors import PersonalDataError, SchoolsError
from tests.packs import pack_county, told
from tests.studies import County, shuffled

AREAS = ("Eastmoor", "Westmoor")
TODAY = tuple(f"Community {k}" for k in range(1, 5))
HEAD = "group_type,group,year,measure,value,numerator,denominator,unit\n"
OUTCOMES = (
    HEAD
    + """\
area,Eastmoor,2029/30,attendance,93.0,930000,1000000,%
area,Westmoor,2029/30,attendance,91.5,915000,1000000,%
county,,2029/30,attendance,92.2,1845000,2000000,%
area,Eastmoor,2030/31,attendance,93.4,934000,1000000,%
area,Westmoor,2030/31,attendance,,,,%
county,,2030/31,attendance,92.9,1858000,2000000,%
area,Eastmoor,2030/31,exclusions,0.1,3,4200,per 100
area,Westmoor,2030/31,exclusions,0.2,8,4100,per 100
county,,2030/31,exclusions,0.1,11,8300,per 100
cluster,Community 1,2030/31,exclusions,c,,,per 100
school_group,primary,2030/31,moved on <i>fast</i>,60,12,20,%
"""
)


def with_demand() -> County:
    """Return the county of the packs with children who need a place, counted at their schools."""
    whole = pack_county()
    whole.texts["demand.csv"] = "urn,need_type,phase,children\n" + "".join(
        f"{urn},ASD,primary,{30 + k}\n{urn},SLCN,primary,1\n"
        for k, urn in enumerate(whole.schools["urn"])
    )
    share = "share = { ASD = 0.5, SLCN = 0.5 }"
    whole.merge(f'[provision.demand]\nfile = "demand.csv"\n{share}')
    return whole


def with_outcomes(whole: County | None = None) -> County:
    whole = whole or with_demand()
    whole.texts["outcomes.csv"] = OUTCOMES
    whole.merge('[publish]\noutcomes = "outcomes.csv"')
    return whole


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Consultation:
    """A consultation with money, demand and outcomes."""
    return told(tmp_path_factory.mktemp("full"), with_outcomes())


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Consultation:
    """A consultation without demand and without outcomes."""
    return told(tmp_path_factory.mktemp("bare"))


class Tables(HTMLParser):
    """The cells of a page's tables, as text, by row; and every piece of text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.words: list[str] = []
        self.tags: list[str] = []
        self.released: dict[str, str] = {}
        self.inside, self.key = False, ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
            self.inside = True
        self.key = dict(attrs).get("data-cell") or ""

    def handle_endtag(self, tag: str) -> None:
        self.inside = self.inside and tag not in ("td", "th")
        self.key = ""

    def handle_data(self, data: str) -> None:
        self.words.append(data)
        if self.inside:
            self.rows[-1][-1] += data.strip()
        if self.key:
            self.released[self.key] = data


def pages_of(consultation: Consultation) -> dict[str, str]:
    return dict(dashboard_page.pages(consultation))


def charts(consultation: Consultation, page: str, part: str) -> list[Chart]:
    return [c for c in dashboard_of(consultation).charts if (c.page, c.part) == (page, part)]


# -- the reader ------------------------------------------------------------------------------------


def read(folder: Path, text: str, groups: Mapping[str, tuple[str, ...]] | None = None) -> Outcomes:
    path = folder / "outcomes.csv"
    path.write_text(text, encoding="utf-8")
    return read_outcomes(path, groups or {AREA: AREAS, CLUSTER: TODAY})


def test_reader_takes_what_councils_write(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "Group Type;Group;Year;Measure;Value;Numerator;Denominator\n"
        'District;eastmoor;2030-31;Attendance;93.0%;"930,000";"1,000,000"\n'
        "County;;2030;Permanent exclusions;<5;;\n"
        "school group;All-through;2029/2030;Time to plan;x;;\n",
    )
    rows = found.rows.set_index("measure")
    assert rows.loc["attendance", ["group_type", "group", "year", "value"]].tolist() == [
        "area",
        "Eastmoor",
        "2030/31",
        93.0,
    ]
    assert rows.at["exclusions", "group"] == COUNTY
    assert rows.at["exclusions", "hidden"]
    assert not rows.at["time to plan", "hidden"]
    assert rows["value"].isna().tolist() == [False, True, True]
    assert list(found.measures.values()) == ["Attendance", "Permanent exclusions", "Time to plan"]
    assert found.notes == ()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("area,Eastmoore,2030,attendance,93,,,", 'Did you mean "Eastmoor"?'),
        ("aera,Eastmoor,2030,attendance,93,,,", 'Did you mean "area"?'),
        ("cluster,Community 9,2030,attendance,93,,,", "no cluster of this study"),
        ("county,Surrey,2030,attendance,93,,,", "Leave the cell empty"),
        ("school_group,nursery,2030,attendance,93,,,", "primary, secondary"),
        ("area,Eastmoor,summer,attendance,93,,,", "2024/25"),
        ("area,Eastmoor,2024/27,attendance,93,,,", "2024/25"),
        ("area,Eastmoor,2030,,93,,,", "no measure is named"),
        ("area,Eastmoor,2030,attendance,ninety,,,", '"ninety", which is no number'),
        ("area,Eastmoor,2030,attendance,-1,,,", "less than 0"),
        ("area,Eastmoor,2030,attendance,930,,,", "more than all"),
        ("area,Eastmoor,2030,attendance,93,40,,", "no denominator"),
        ("area,Eastmoor,2030,attendance,93,,40,", "no numerator"),
        ("area,Eastmoor,2030,attendance,93,0,0,", "rate of nobody"),
        ("area,Eastmoor,2030,attendance,93,39,100,", "39 of 100 make 39.0"),
        ("area,Eastmoor,2030,attendance,93,,,percent of all", "One of %, per 100, pupils"),
        ("area,Eastmoor,2030,taught at home,6.5,,,pupils", "no count"),
    ],
)
def test_reader_names_row_and_remedy(tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(OutcomesError) as caught:
        read(tmp_path, f"{HEAD}area,Westmoor,2030,attendance,91,,,\n{line}\n")
    (fault,) = caught.value.faults
    assert said in str(fault)
    assert fault.row == 3


def test_reader_tells_all_faults_at_once(tmp_path: Path) -> None:
    lines = (
        "area,Eastmoor,2030,attendance,93,,,\n"
        "area,Eastmoor,2030,Attendance,94,,,\n"  # the same figure twice
        "area,Nowhere,20x0,attendance,many,,,\n"  # three faults of one row
        "area,Westmoor,2030,attendance,6,,,per 100\n"  # a measure in two units
    )
    with pytest.raises(OutcomesError) as caught:
        read(tmp_path, HEAD + lines)
    assert len(caught.value.faults) == 5
    assert "stands in row 2 already" in str(caught.value)
    assert "is given in % and per 100" in str(caught.value)


def test_misspelt_column_is_not_overlooked(tmp_path: Path) -> None:
    """Without its denominators a table would be protected less, and nobody would know."""
    with pytest.raises(OutcomesError, match='Did you mean "denominator"'):
        read(tmp_path, HEAD.replace("denominator", "denominater") + "county,,2030,a,1,,,\n")
    with pytest.raises(OutcomesError, match="the column value is missing"):
        read(tmp_path, "group_type,group,year,measure\ncounty,,2030,a\n")


def test_figures_of_schools_and_of_pupils_are_refused(tmp_path: Path) -> None:
    with pytest.raises(OutcomesError, match="single schools"):
        read(tmp_path, "urn," + HEAD + "910001,county,,2030,attendance,93,,,\n")
    with pytest.raises(PersonalDataError):
        read(tmp_path, "upn," + HEAD + "A123456789012,county,,2030,attendance,93,,,\n")
    with pytest.raises(PersonalDataError):
        read(tmp_path, HEAD + "area,A123456789012,2030,attendance,93,,,\n")
    with pytest.raises(SchoolsError):
        read(tmp_path, "nothing of the kind\n")


def test_clusters_of_outcomes_are_those_of_today(tmp_path: Path) -> None:
    with pytest.raises(OutcomesError, match="the study names none"):
        read(tmp_path, f"{HEAD}cluster,Community 1,2030,attendance,93,,,\n", {AREA: AREAS})


def test_rates_that_nobody_can_check_are_noted(tmp_path: Path) -> None:
    found = read(tmp_path, f"{HEAD}area,Eastmoor,2030,attendance,93,,,\ncounty,,2030,a,c,,,\n")
    assert found.notes[0].startswith("1 rates of outcomes come without")


def test_whoever_publishes_is_told_of_them(tmp_path: Path) -> None:
    bare = HEAD + "area,Eastmoor,2030,attendance,93,,,\n"
    whole = with_outcomes()
    whole.texts["outcomes.csv"] = bare
    found = Published(told(tmp_path, whole), tmp_path, None)
    assert found.sentences()[-1].startswith("1 rates of outcomes come without")


# -- outcomes stay protected -----------------------------------------------------------------------


def shown(folder: Path, lines: str, clusters: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    rows = read(folder, HEAD + lines).rows
    figures = protect(rows, families_of(list(AREAS), clusters), 5)
    return {g: f.text for g, f in zip(rows["group"], figures, strict=True)}


def test_rates_of_few_are_hidden_and_what_gives_them_away(tmp_path: Path) -> None:
    four = "area,Eastmoor,2030,x,0.1,4,4200,\narea,Westmoor,2030,x,0.2,8,4100,\n"
    assert shown(tmp_path, f"{four}county,,2030,x,0.1,12,8300,\n", {}) == {
        "Eastmoor": EITHER,
        "Westmoor": EITHER,
        COUNTY: "0.1%",
    }
    # Without the county nothing can be taken from it.
    assert shown(tmp_path, four, {})["Westmoor"] == "0.2%"
    five = four.replace("0.1,4,", "0.1,5,")
    assert shown(tmp_path, f"{five}county,,2030,x,0.2,13,8300,\n", {})["Eastmoor"] == "0.1%"
    assert shown(tmp_path, "county,,2030,x,66.7,6,9,\n", {}) == {COUNTY: EITHER}
    assert shown(tmp_path, "county,,2030,x,3,,,pupils\n", {}) == {COUNTY: EITHER}


def test_rates_of_all_but_few_are_hidden_and_what_gives_them_away(tmp_path: Path) -> None:
    four = "area,Eastmoor,2030,x,92.0,46,50,\narea,Westmoor,2030,x,80.0,40,50,\n"
    assert shown(tmp_path, f"{four}county,,2030,x,86.0,86,100,\n", {}) == {
        "Eastmoor": EITHER,
        "Westmoor": EITHER,
        COUNTY: "86.0%",
    }
    five = four.replace("92.0,46", "90.0,45")
    assert shown(tmp_path, five, {})["Eastmoor"] == "90.0%"
    # Two and two are four; that they are hidden together does not help them.
    both = "area,Eastmoor,2030,x,96.0,48,50,\narea,Westmoor,2030,x,96.0,48,50,\n"
    assert shown(tmp_path, f"{both}county,,2030,x,96.0,96,100,\n", {})[COUNTY] == EITHER
    # Events may be more than pupils: what is left of a hundred means nothing.
    events = "county,,2030,x,98.0,49,50,per 100\n"
    assert shown(tmp_path, events, {}) == {COUNTY: "98.0"}


def test_whole_is_hidden_where_its_parts_are_all_of_few(tmp_path: Path) -> None:
    lines = "area,Eastmoor,2030,x,c,,,\narea,Westmoor,2030,x,0.5,2,400,\n"
    told = shown(tmp_path, f"{lines}county,,2030,x,0.8,6,800,\n", {})
    assert told == {"Eastmoor": EITHER, "Westmoor": EITHER, COUNTY: EITHER}
    # What is not in the file cannot be taken from the whole.
    lines = "area,Eastmoor,2030,x,c,,,\ncounty,,2030,x,10.0,50,500,\n"
    assert shown(tmp_path, lines, {}) == {"Eastmoor": EITHER, COUNTY: "10.0%"}


def test_clusters_are_parts_of_their_district_and_of_the_county(tmp_path: Path) -> None:
    inside = {"Community 1": ("Westmoor",), "Community 2": ("Westmoor",)}
    lines = (
        "cluster,Community 1,2030,x,1.0,2,200,\ncluster,Community 2,2030,x,10.0,20,200,\n"
        "area,Westmoor,2030,x,5.5,22,400,\n"
    )
    told = shown(tmp_path, lines, inside)
    assert told == {"Community 1": EITHER, "Community 2": EITHER, "Westmoor": "5.5%"}
    across = {**inside, "Community 2": ("Eastmoor", "Westmoor")}
    assert shown(tmp_path, lines, across)["Community 2"] == "10.0%"


def test_missing_outcomes_are_not_nought(tmp_path: Path) -> None:
    told = shown(tmp_path, "area,Eastmoor,2030,x,,,,\narea,Westmoor,2030,x,0,0,400,\n", {})
    assert told == {"Eastmoor": NOT_KNOWN, "Westmoor": EITHER}


@given(st.lists(st.integers(0, 30), min_size=2, max_size=6))
def test_no_difference_of_outcomes_is_of_few(parts: list[int]) -> None:
    """Whatever the parts, what is hidden beside a shown county is of the threshold or more."""
    names = [f"District {k}" for k in range(len(parts))]
    rows = pd.DataFrame(
        [(AREA, n, 100 * p / 500, p, 500) for n, p in zip(names, parts, strict=True)]
        + [(COUNTY, COUNTY, 100 * sum(parts) / (500 * len(parts)), sum(parts), 500 * len(parts))],
        columns=["group_type", "group", "value", "numerator", "denominator"],
    ).assign(measure="x", year="2030", unit="%", hidden=False)
    rows = rows.astype({"numerator": float, "denominator": float})
    figures = protect(rows, families_of(names, {}), 5)
    dark = [p for p, f in zip(parts, figures, strict=False) if f.text == EITHER]
    assert all(p in dark for p in parts if p < 5)
    if figures.iloc[-1].text != EITHER and dark:
        assert len(dark) > 1
        assert sum(dark) >= 5


# -- groups asked of the gate ----------------------------------------------------------------------


def test_school_groups_are_never_of_one_or_two_schools() -> None:
    def table(**phases: int) -> pd.DataFrame:
        rows = [phase for phase, count in phases.items() for _ in range(count)]
        urns = [str(900001 + k) for k in range(len(rows))]
        return pd.DataFrame({"phase": rows, "area": "A"}, index=urns)

    assert phases_of(table(primary=9, secondary=2)) == {}
    assert set(phases_of(table(primary=9, secondary=3)).values()) == {"primary", "secondary"}
    joined = phases_of(table(primary=9, secondary=2, all_through=1))
    assert set(joined.values()) == {"primary", "secondary and all-through"}
    assert len(set(phases_of(table(primary=9, secondary=3, all_through=3)).values())) == 3
    assert phases_of(table(primary=9)) == {}
    two = pd.concat([table(primary=9, secondary=3), table(primary=9, secondary=2)])
    two["area"] = ["A"] * 12 + ["B"] * 11
    two.index = pd.Index([str(k) for k in range(23)])
    assert set(area_phases_of(two).values()) == {"A: primary", "A: secondary"}


def test_special_schools_are_told_by_three() -> None:
    def areas(*names: str) -> dict[str, str]:
        return special_areas(
            pd.DataFrame({"area": names}, index=[str(k) for k in range(9)][: len(names)])
        )

    assert set(areas("A", "A", "A", "B", "B", "B").values()) == {"A", "B"}
    assert areas("A", "A", "A", "B") == {}  # the county less A would be the school in B
    assert set(areas("A", "A", "A", "B", "B", "C").values()) == {"A"}


# -- pages -----------------------------------------------------------------------------------------


def test_there_is_a_page_for_the_county_and_for_each_district(full: Consultation) -> None:
    found = pages_of(full)
    assert list(found) == [
        "dashboard/index.html",
        "dashboard/eastmoor.html",
        "dashboard/westmoor.html",
    ]
    for address, text in found.items():
        page = Tables(text)
        assert "script" not in page.tags
        assert root_of(address) + "index.html" in text
        for part in ("districts", "groups", "clusters", "reach", "outcomes", "files", "words"):
            assert f'id="{part}"' in text


def test_every_count_on_the_pages_is_released(full: Consultation) -> None:
    """Whatever the gate says stands on the page, and it stands there in the gate's words."""
    published = full.numbers.published()
    known = {f"{c['grouping']}|{c['group']}|{c['name']}": c["text"] for c in published["cells"]}
    for c in published["rates"]:
        known[f"{c['grouping']}|{c['group']}|{c['part']} of {c['total']}"] = c["text"]
    seen: dict[str, str] = {}
    for text in pages_of(full).values():
        seen |= Tables(text).released
    assert {key: known[key] for key in seen} == seen
    groupings = {key.split("|")[0] for key in seen}
    keys = {option.key for option in full.options}
    assert groupings == {AREA, COUNTY, PHASE, AREA_PHASE, *keys}
    assert {"fewer than 5", NOT_SHOWN} & set(seen.values())


def test_counts_come_from_the_gate_and_from_nowhere_else(full: Consultation) -> None:
    """With a gate that says nothing the pages say nothing of pupils, though schools are known."""
    shut = Released(
        full.numbers.asked,
        {key: replace(cell, text="shut", value=None) for key, cell in full.numbers._cells.items()},
        {key: replace(cell, text="shut", value=None) for key, cell in full.numbers._rates.items()},
    )
    silent = replace(full, numbers=shut)
    for text in pages_of(silent).values():
        page = Tables(text)
        assert set(page.released.values()) == {"shut"}
        assert not [word for word in page.words if "£" in word]
    measures = {"ehc_plans", "sen_support", "fsm6"}
    drawn = [
        c for c in dashboard_of(silent).charts if c.measure in measures or "budget" in c.measure
    ]
    assert drawn
    assert not [value for chart in drawn for value in chart.values()]


def test_bars_share_a_scale_and_marks_are_in_words(full: Consultation) -> None:
    found = dashboard_of(full)
    for chart in found.charts:
        if chart.measure:
            assert all(value <= found.tops[chart.measure] for value in chart.values())
    clusters = [c for c in charts(full, "Eastmoor", "today") if c.measure == "sen_support"]
    assert [mark.name for mark in clusters[0].marks] == ["county", "district"]
    text = pages_of(full)["dashboard/eastmoor.html"]
    assert "County: <span data-cell=" in text


def test_groups_stand_in_the_order_of_their_names(full: Consultation) -> None:
    """Nothing is ranked."""
    for chart in dashboard_of(full).charts:
        kinds = {kind: [b.group for b in chart.bars if b.kind == kind] for kind in (AREA, CLUSTER)}
        for kind, names in kinds.items():
            assert names == sorted(names), kind
    words = " ".join(word for text in pages_of(full).values() for word in Tables(text).words)
    for word in ("best", "worst", "Ofsted", "rank", "league"):
        assert word not in words


def test_hidden_and_unknown_keep_their_words(full: Consultation, tmp_path: Path) -> None:
    whole = pack_county()
    whole.cell("910002", "fsm6", "")
    found = told(tmp_path, whole)
    for text in pages_of(found).values():
        assert NOT_KNOWN in text
        assert ">nan<" not in text
        assert "None" not in text
    west = next(c for c in charts(found, "", "district") if c.measure == "fsm6")
    assert {bar.group: bar.figures[0].text for bar in west.bars}["Westmoor"] == NOT_KNOWN
    assert all(bar.figures[0].value != 0 for bar in west.bars)
    sentences = pages_of(found)["dashboard/westmoor.html"]
    assert "free school meals in the last six years is not known" in sentences


def test_headline_is_in_plain_words(full: Consultation) -> None:
    text = pages_of(full)["dashboard/westmoor.html"]
    assert "12 schools of Westmoor take part: 9 primary and 3 secondary." in text
    own = full.numbers.rate(AREA, "Westmoor", "sen_support", "pupils").text
    assert f"{own} of pupils have SEN support, about as many as in the county" in text
    assert "Option A: schools are about" in text


def test_names_are_escaped(tmp_path: Path) -> None:
    whole = with_outcomes(pack_county())
    nasty = "West<b>moor & Co"
    whole.areas["name"] = whole.areas["name"].replace("Westmoor", nasty)
    whole.texts["outcomes.csv"] = OUTCOMES.replace("Westmoor", nasty)
    whole.existing["cluster"] = whole.existing["cluster"].replace("Community 1", "<u>One")
    whole.texts["outcomes.csv"] = str(whole.texts["outcomes.csv"]).replace("Community 1", "<u>One")
    found = told(tmp_path, whole)
    joined = "".join(pages_of(found).values())
    for tag in ("<b>", "<u>", "<i>fast"):
        assert tag not in joined
    assert "West&lt;b&gt;moor &amp; Co" in joined
    assert "dashboard/west-b-moor-and-co.html" in pages_of(found)


def test_small_school_groups_say_why_they_are_silent(tmp_path: Path) -> None:
    whole = pack_county()
    whole.cell("910107", "phase", "primary")
    whole.cell("910107", "low_age", 4)
    whole.cell("910107", "high_age", 11)
    whole.cell("910107", "selective", "")
    found = told(tmp_path, whole)
    assert not charts(found, "Eastmoor", GROUPS)
    assert charts(found, "Westmoor", GROUPS)
    assert "would tell of single schools" in pages_of(found)["dashboard/eastmoor.html"]


# -- money, ways, leavers, reach -------------------------------------------------------------------


def test_money_stands_beside_the_mean_to_five_per_cent(full: Consultation) -> None:
    for option in full.options:
        pounds = [full.cell(option, label, "budget").value for label in option.plan.labels]
        found = [
            (bar.group, bar.figures)
            for area in AREAS
            for chart in charts(full, area, option.key)
            if chart.measure.startswith("budget")
            for bar in chart.bars
        ]
        assert found
        mean = sum(v for v in pounds if v is not None) / len(pounds)
        for label, (own, against) in found:
            assert own.text == full.cell(option, label, "budget").text
            if None in pounds or own.value is None:
                assert against.text == NOT_SHOWN
            else:
                assert against.value is not None
                assert abs(against.value - (100 * own.value / mean - 100)) <= 2.5


def test_ways_are_whole_minutes_of_schools_that_are_no_hub(full: Consultation) -> None:
    option = full.options[1]
    (chart,) = [c for c in charts(full, "", option.key) if c.measure == "minutes"]
    for bar in chart.bars[:-1]:
        far = [
            float(full.inputs.minutes.table.at[urn, option.plan[label].hub])
            for urn, label in option.plan.cluster_of.items()
            if full.inputs.table.at[urn, "area"] == bar.group and option.plan[label].hub != urn
        ]
        mean, longest = (figure.value for figure in bar.figures)
        assert mean == pytest.approx(sum(far) / len(far), abs=0.56)
        assert longest == pytest.approx(max(far), abs=0.51)
    assert chart.bars[-1].figures[0].text == f"{option.report.summary['mean_minutes']:.0f}"


def test_leavers_are_told_to_five_per_cent_and_not_of_few(full: Consultation) -> None:
    shares = [
        bar.figures[0]
        for chart in dashboard_of(full).charts
        if chart.measure == "leavers"
        for bar in chart.bars
    ]
    assert shares
    for figure in shares:
        assert figure.text == NOT_SHOWN or (figure.value is not None and figure.value % 5 == 0)


def test_reach_hides_few_children() -> None:
    def share(children: float, part: float, *, estimated: bool) -> str:
        row = pd.Series({"children": children, "within_first": part})
        return _Told(5, estimated=estimated).share(row, "within_first").text

    assert share(9.9, 0.5, estimated=True) == NOT_SHOWN
    assert share(float("nan"), float("nan"), estimated=True) == NOT_SHOWN
    assert share(10, 0.333, estimated=True) == "33%"
    assert share(100, 0.333, estimated=False) == "about 35%"
    assert share(100, 0.97, estimated=False) == NOT_SHOWN  # three children are out of reach
    assert share(12, 0.25, estimated=False) == NOT_SHOWN


@pytest.mark.parametrize(
    ("second", "said"),
    [(0.5, "about 50%"), (0.55, NOT_SHOWN), (0.7, NOT_SHOWN), (0.75, "about 75%")],
)
def test_reach_hides_few_children_between_its_limits(second: float, said: str) -> None:
    row = {"children": 20.0, "within_first": 0.5, "within_second": second}
    rows = pd.DataFrame([row], index=["ASD"])
    counted = _Told(5, estimated=False).pair(rows, "ASD")
    assert [figure.text for figure in counted] == ["about 50%", said]
    guessed = _Told(5, estimated=True).pair(rows, "ASD")
    assert guessed[1].text == f"{100 * second:.0f}%"


def test_reach_is_of_provision_as_it_is(full: Consultation, bare: Consultation) -> None:
    found = charts(full, "", "reach")
    assert [chart.title[:24] for chart in found] == ["Children of primary age "]
    assert {bar.group for bar in found[0].bars} == {*AREAS, COUNTY}
    types = [bar.group for bar in charts(full, "Westmoor", "reach")[0].bars]
    assert types[0] == "all need types"
    assert not charts(bare, "", "reach")
    for text in pages_of(bare).values():
        assert "does not say how many children need a place in an SRP" in text


# -- outcomes on pages, files ----------------------------------------------------------------------


def test_outcomes_that_nobody_supplied_are_named(bare: Consultation, full: Consultation) -> None:
    for text in pages_of(bare).values():
        for name in ("Attendance", "Suspensions", "Permanent exclusions", "Outcomes of support"):
            assert f"<li>{name}: not supplied.</li>" in text
        assert 'class="scroll trend"' not in text
    text = pages_of(full)["dashboard/index.html"]
    assert "Suspensions: not supplied" in text
    assert "Attendance: not supplied" not in text


def test_outcomes_stand_by_year_with_gaps(full: Consultation) -> None:
    found = {(t.page, t.measure): t for t in dashboard_of(full).trends}
    county = found["", "attendance"]
    assert county.years == ("2029/30", "2030/31")
    lines = {line.group: [f.text for f in line.figures] for line in county.lines}
    assert lines["Westmoor"] == ["91.5%", NOT_KNOWN]
    exclusions = {line.group: line.figures[0].text for line in found["", "exclusions"].lines}
    assert exclusions == {"Eastmoor": EITHER, "Westmoor": EITHER, COUNTY: "0.1"}
    west = found["Westmoor", "exclusions"]
    assert [line.group for line in west.lines] == ["Westmoor", COUNTY, "Community 1"]
    rows = Tables(pages_of(full)["dashboard/index.html"]).rows
    assert ["Westmoor", "", "91.5%", NOT_KNOWN] in rows


def test_files_say_what_the_pages_say(full: Consultation) -> None:
    found = dict(dashboard_files.files(full))
    assert list(found) == [*dashboard_files.CSV_FILES, dashboard_files.WORKBOOK]
    pages = {address: Tables(text) for address, text in pages_of(full).items()}
    home = {"all districts": "index", "Eastmoor": "eastmoor", "Westmoor": "westmoor"}
    for name in dashboard_files.CSV_FILES:
        text = found[name].decode("utf-8")
        listed = list(csv.DictReader(io.StringIO(text)))
        assert listed
        for row in listed:
            cells = pages[f"dashboard/{home[row['page']]}.html"].rows
            group = row["group"][:1].upper() + row["group"][1:]
            assert any(cell[0] == group and row["shown"] in cell[1:] for cell in cells), row
    count = sum(len(bar.figures) for chart in dashboard_of(full).charts for bar in chart.bars)
    figures = list(csv.reader(io.StringIO(found[dashboard_files.CSV_FILES[0]].decode("utf-8"))))
    assert len(figures) == 1 + count
    book = openpyxl.load_workbook(io.BytesIO(found[dashboard_files.WORKBOOK]))
    assert book.sheetnames == ["figures", "trends"]
    sheet = [[str(c or "") for c in row] for row in book["figures"].iter_rows(values_only=True)]
    assert [row[:-1] for row in sheet] == [row[:-1] for row in figures]


def test_no_small_count_stands_in_a_file(full: Consultation) -> None:
    text = dict(dashboard_files.files(full))[dashboard_files.CSV_FILES[0]].decode("utf-8")
    pupils = [row for row in csv.DictReader(io.StringIO(text)) if row["what"] == "Pupils"]
    assert pupils
    assert not [row for row in pupils if row["number"] and float(row["number"]) < 5]


def test_same_bytes_whatever_the_order_of_rows(full: Consultation, tmp_path: Path) -> None:
    other = shuffled(with_outcomes(), 3)
    lines = OUTCOMES.splitlines()
    other.texts["outcomes.csv"] = "\n".join([lines[0], *reversed(lines[1:])]) + "\n"
    again = told(tmp_path, other)
    assert pages_of(again) == pages_of(full)
    assert dict(dashboard_files.files(again)) == dict(dashboard_files.files(full))


# -- studies unlike others -------------------------------------------------------------------------


def test_study_without_flows_today_and_most_measures(tmp_path: Path) -> None:
    whole = pack_county()
    for key in ("feeders", "existing", "provision"):
        del whole.study[key]
    whole.merge('[publish]\nmeasures = ["fsm6"]\nbudget = false')
    found = told(tmp_path, whole)
    drawn = {chart.measure for chart in dashboard_of(found).charts}
    assert drawn == {"", "fsm6", "minutes"}
    pages = pages_of(found)
    assert "the study holds no list of SRPs" in pages["dashboard/index.html"]
    assert "Today’s clusters" not in pages["dashboard/westmoor.html"]
    assert dict(dashboard_files.files(found))[dashboard_files.CSV_FILES[1]].count(b"\n") == 1


def test_clusters_across_a_border_stand_on_both_pages(tmp_path: Path) -> None:
    whole = pack_county()
    whole.existing.loc[whole.existing["urn"] == "910001", "cluster"] = "Community 3"
    found = told(tmp_path, whole)
    option = found.today
    assert option is not None
    across = option.plan.cluster_of["910001"]
    for area in AREAS:
        chart = next(c for c in charts(found, area, "today") if c.measure == "minutes")
        assert across in [bar.group for bar in chart.bars]


def test_district_without_any_cluster_says_so(tmp_path: Path) -> None:
    whole = pack_county()
    east = whole.schools["district"] == "Eastmoor"
    for urn in whole.schools.loc[east, "urn"]:
        whole.existing.loc[whole.existing["urn"] == urn, "cluster"] = ""
    found = told(tmp_path, whole)
    text = pages_of(found)["dashboard/eastmoor.html"]
    assert "Today’s clusters: no school of the district is in a cluster." in text
    assert "<p>No school of the district is in a cluster.</p>" in text
