"""Answers to a consultation: hostile files, who is refused, what is counted, what is public."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from clustering.inputs import Inputs
from clustering.pack_desk import Counted, count_answers
from clustering.publish.answer_cells import SchoolFinder
from clustering.publish.you_said import FILES_WORDS, NAMES
from geo.errors import Faults, InputError, PersonalDataError, SchoolsError
from tests.html_rules import faults_of
from tests.page_checks import assert_accessible, chromium, needs_browser, offline
from tests.studies import clusters
from tests.talkative_pack import NASTY, talkative, write_talkative

HEAD = "received,respondent_type,school_urn,school,option,question,answer,comment,theme"
Count = Callable[..., Counted]


@pytest.fixture(scope="module")
def inputs() -> Inputs:
    return talkative().inputs


@pytest.fixture(scope="module")
def plans(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return write_talkative(tmp_path_factory.mktemp("plans"))[1]


@pytest.fixture
def count(inputs: Inputs, plans: list[Path], tmp_path: Path) -> Count:
    def counted(*rows: str, head: str = HEAD, out: str = "", data: bytes = b"") -> Counted:
        file = tmp_path / "answers.csv"
        file.write_bytes(data or "\n".join((head, *rows, "")).encode())
        return count_answers(inputs, file, plans, tmp_path / out if out else None)

    return counted


def told(count: Count, *rows: str, kind: type[InputError] = SchoolsError, head: str = HEAD) -> str:
    with pytest.raises(kind) as caught:
        count(*rows, head=head)
    return str(caught.value)


def of(found: Counted, by: str, group: str, option: str = "") -> pd.Series:
    table = found.table
    rows = table[(table["by"] == by) & (table["group"] == group) & (table["option"] == option)]
    assert len(rows) == 1
    return rows.iloc[0]


TWELVE = (
    *("2027-03-05,Parent,910001,,Option A,1,Agree,,travel; siblings",) * 7,
    *("06/03/2027,Governor,910002,,a,Q1,disagree,I said so.,travel",) * 3,
    "7 March 2027,Parent,,West Elder Primary School,Option B,2,Yes,,",
    "2027-03-08 00:00:00,Parent,,,none,1,Because the bus goes the other way round the hill,,",
)


def test_answers_are_counted_every_way(count: Count) -> None:
    found = count(*TWELVE)
    first = found.table.iloc[0]
    assert tuple(first[["by", "group", "question"]]) == (
        *("option", "Option A"),
        "Which option do you prefer, and why?",
    )
    assert first["you_said"] == "10 answers: 7 agree, 3 disagree; 3 comments."
    assert (first["Agree"], first["Disagree"], first["Yes"], first["In words"]) == (7, 3, 0, 0)
    assert of(found, "question", "Which option do you prefer, and why?")["answers"] == 11
    assert of(found, "theme", "siblings", "Option A")["answers"] == 7
    assert of(found, "theme", "travel", "Option A")["answers"] == 10
    assert of(found, "respondent", "Parent")["answers"] == 9
    none = found.table[found.table["group"] == "No option named"].iloc[0]
    assert (none["In words"], none["comments"]) == (1, 1)
    assert set(found.table["we_did"]) == {""}


def test_clusters_are_those_of_the_option_named(count: Count, inputs: Inputs) -> None:
    found = count(
        *("2027-03-05,,910001,,Option A,1,Agree,,",) * 2,
        "2027-03-05,,910001,,Option B,1,Agree,,",
        "2027-03-05,,910001,,today,1,Agree,,",
        "2027-03-05,,910001,,,1,Agree,,",
    )
    options = {o.name: o for o in talkative().options}
    here = {name: option.label_of("910001") for name, option in options.items()}
    assert here["Option A"] != here["Today’s clusters"]
    rows = found.table[found.table["by"] == "cluster"]
    got = {(row.option, row.group): row.answers for row in rows.itertuples()}
    assert got == {(name, label): 2 if name == "Option A" else 1 for name, label in here.items()}
    assert of(found, "school", "West Alder Primary School", "No option named")["answers"] == 1
    assert of(found, "school", "West Alder Primary School", "Option A")["urn"] == "910001"


@pytest.mark.parametrize("spelling", ["Option B", "option b", "B", "b", "far", "OPTION-B"])
def test_options_by_every_name(count: Count, spelling: str) -> None:
    found = count(f",,,,{spelling},1,Yes,,")
    assert found.table.iloc[0]["group"] == "Option B"


@pytest.mark.parametrize("coding", ["utf-8-sig", "cp1252", "utf-16"])
def test_files_of_any_coding(count: Count, coding: str) -> None:
    text = f"{HEAD}\n,,,,A,1,Don’t know,It’s far,café\n"
    found = count(data=text.replace(",", ";").encode(coding))
    assert of(found, "theme", "café", "Option A")["Don’t know"] == 1


def test_excel_is_read(inputs: Inputs, plans: list[Path], tmp_path: Path) -> None:
    file = tmp_path / "answers.xlsx"
    rows = [[pd.Timestamp("2027-03-05"), 910001, "A", 1, "Yes"], [None, None, "B", 2.0, "No"]]
    heads = ["Date received", "School URN", "Preferred option", "Question number", "Agree?"]
    pd.DataFrame(rows, columns=heads).to_excel(file, index=False)
    found = count_answers(inputs, file, plans)
    assert of(found, "school", "West Alder Primary School", "Option A")["Yes"] == 1
    assert of(found, "question", "Is 100% of what you need in a cluster?")["No"] == 1


def test_all_faults_at_once_each_by_its_row(count: Count) -> None:
    words = told(
        count,
        "yesterday,,,,A,1,Yes,,",
        ",,123456,,A,1,Yes,,",
        ",,,West Adler Primary School,A,1,Yes,,",
        ",,,Nowhere,A,1,Yes,,",
        ",,910001,West Birch Academy,A,1,Yes,,",
        ",,,,Option Z,9,Yes,,",
    )
    for row, piece in (
        (2, '"yesterday" is no date. Write it as 2027-03-31'),
        (3, "No school of the study has this URN."),
        (4, 'called "West Adler Primary School". Did you mean "West Alder Primary School"?'),
        (5, 'called "Nowhere". Give its URN, or write: other.'),
        (6, "The URN is that of West Alder Primary School, not of West Birch Academy."),
        (7, '"Option Z" is none of the options. Did you mean'),
        (7, "There is no question 9. There are 2."),
    ):
        assert re.search(rf"answers\.csv, row {row}: .*{re.escape(piece)}", words), piece


def test_two_schools_of_one_name_need_a_urn(inputs: Inputs) -> None:
    twins = inputs.table["name"].mask(
        inputs.table.index.isin(["910006"]), "West Alder Primary School"
    )

    finder = SchoolFinder(replace(inputs, table=inputs.table.assign(name=twins)))
    faults = Faults(SchoolsError)
    finder.find("", "west alder primary school", 2, faults)
    assert "Give the URN: 910001 or 910006." in str(next(iter(faults)))
    assert finder.find("910006", "West Alder Primary School", 3, faults) == "910006"
    assert len(faults.found) == 1


@pytest.mark.parametrize("school", ["", "other", "None", "n/a", "several"])
def test_no_school_is_no_fault(count: Count, school: str) -> None:
    assert "school" not in set(count(f",,,{school},A,1,Yes,,").table["by"])


@pytest.mark.parametrize(
    "column",
    [
        *("Name", "Your name", "Surname", "E-mail address", "Email of respondent", "Postcode"),
        *("Home postcode", "Telephone", "Mobile number", "Respondent", "UPN", "Date of birth"),
    ],
)
def test_columns_of_people_are_refused_unread(count: Count, column: str) -> None:
    row = ",,,,A,1,Yes,,,Secret Value"
    words = told(count, row, kind=PersonalDataError, head=f"{HEAD},{column}")
    assert f'The column "{column}"' in words
    assert "Secret" not in words


@pytest.mark.parametrize("column", ["School postcode", "Equality: age", "Internal note"])
def test_other_columns_are_left_aside(count: Count, column: str) -> None:
    assert len(count(",,,,A,1,Yes,,,ME14 1XQ", head=f"{HEAD},{column}").table) == 2


@pytest.mark.parametrize(
    "trace", ["a.person@example.org", "ME14 1XQ", "01622 960 123", "+44 7700 900123"]
)
def test_traces_of_people_are_refused_but_in_comments(count: Count, trace: str) -> None:
    words = told(count, f",Parent {trace},,,A,1,Yes,,", kind=PersonalDataError)
    assert "row 2: The respondent holds" in words
    assert trace not in words
    assert len(count(f",Parent,,,A,1,Yes,Write to me: {trace},").table) == 3


def test_one_reference_answers_once(count: Count) -> None:
    head = f"{HEAD},reference"
    same = ",,910001,,A,1,Yes,,,R1"
    found = count(same, same, ",,910001,,A,2,Yes,,,R1", ",,910001,,A,1,Yes,,,R2", head=head)
    assert of(found, "school", "West Alder Primary School", "Option A")["answers"] == 3
    assert "Said twice under one reference and counted once: rows 3." in found.sentences
    words = told(count, same, ",,910001,,A,1,No,,,R1", head=head)
    assert "row 3: This reference has answered the same question already" in words


def test_letters_that_are_alike_count_and_are_named(count: Count) -> None:
    found = count(*(",,,,A,1,Yes,We are many.,",) * 3, *(",,,,A,1,Yes,,",) * 2)
    assert found.table.iloc[0]["answers"] == 5
    assert "rows 3, 4. A column reference" in " ".join(found.sentences)


def test_answers_out_of_time_are_told(count: Count) -> None:
    words = " ".join(count("2027-02-28,,,,A,1,Yes,,", "2027-05-01,,,,A,1,Yes,,").sentences)
    assert "1 answer came before the consultation opened" in words
    assert "1 answer came after it closed" in words


def test_an_answer_in_own_words_is_never_repeated(count: Count, tmp_path: Path) -> None:
    rows = (
        *(",,,,A,1,Partly,,",) * 5,
        ",,,,A,1,My son Tom says no,,",
        *(",,,,A,What about Tom?,Yes,Tom again,Tom’s theme",) * 2,
        ",Mother of Tom,910001,,A,1,Yes,,",
    )
    found = count(*rows, out="out")
    assert found.table.iloc[0]["Partly"] == 5
    page = (tmp_path / "out" / "you_said.html").read_text(encoding="utf-8")
    assert "Tom" not in page
    assert "partly: about 5" in page
    assert "Tom again" not in "".join(found.table.astype(str).to_numpy().ravel())


def test_public_numbers_are_words_or_rounded(count: Count, tmp_path: Path) -> None:
    count(*TWELVE, out="out")
    page = (tmp_path / "out" / "you_said.html").read_text(encoding="utf-8")
    assert faults_of(page) == []
    body = page[page.index("<main") : page.index("</main>")]
    numbers = set(re.findall(r"<td>(about [\d,]+|fewer than \d+)</td>", body))
    assert numbers == {"about 10", "about 5", "fewer than 5"}
    assert "agree: about 5, disagree: fewer than 5" in body
    assert "West Alder Primary School" in body
    assert "West Birch Academy" not in body
    assert "keep them private" in FILES_WORDS[0]


def test_what_the_council_did_stays(count: Count, tmp_path: Path) -> None:
    count(*TWELVE, out="out")
    book = tmp_path / "out" / "you_said.xlsx"
    table = pd.read_excel(book, dtype=str, keep_default_na=False)
    assert set(table["we_did"]) == {""}
    table.loc[0, "we_did"] = "We moved <b>the bus</b> & the hub."
    siblings = table.index[table["group"] == "siblings"][0]
    table.loc[siblings, "we_did"] = "Siblings stay together."
    table.to_excel(book, index=False)
    found = count(*TWELVE[7:], out="out")
    assert found.table.iloc[0]["we_did"] == "We moved <b>the bus</b> & the hub."
    gone = of(found, "theme", "siblings", "Option A")
    assert (gone["answers"], gone["you_said"]) == (0, "No answers.")
    assert "1 row of an earlier count kept: words, but no answers now." in found.sentences
    page = (tmp_path / "out" / "you_said.html").read_text(encoding="utf-8")
    assert "&lt;b&gt;the bus&lt;/b&gt; &amp; the hub." in page
    again = [(tmp_path / "out" / name).read_bytes() for name in NAMES]
    count(*TWELVE[7:], out="out")
    assert [(tmp_path / "out" / name).read_bytes() for name in NAMES] == again


def test_row_order_does_not_matter(count: Count, tmp_path: Path) -> None:
    count(*TWELVE, out="one")
    count(*reversed(TWELVE), out="two")
    for name in NAMES:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_hostile_names_stay_text(count: Count, tmp_path: Path) -> None:
    row = f',,,"{NASTY}",A,1,Agree,,=1+1'
    count(*(row,) * 6, out="out")
    page = (tmp_path / "out" / "you_said.html").read_text(encoding="utf-8")
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "'=1+1" in (tmp_path / "out" / "you_said.csv").read_text(encoding="utf-8")


def test_the_verb(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study, plans = write_talkative(tmp_path)
    file = tmp_path / "answers.csv"
    file.write_text("\n".join((HEAD, *TWELVE, "")), encoding="utf-8")
    assert clusters("responses", study, file, *plans, "--out", tmp_path / "said") == 0
    said = capsys.readouterr().out
    assert "10 answers: 7 agree, 3 disagree" in said
    assert "keep them private" in said
    assert sorted(p.name for p in (tmp_path / "said").iterdir()) == sorted(NAMES)
    assert clusters("responses", study, file) == 2
    assert '"Option A" is none of the options.' in capsys.readouterr().err
    assert clusters("responses", study, file, *(tmp_path / f"{k}.csv" for k in range(11))) == 2
    assert "11 plans are more than people can weigh" in capsys.readouterr().err
    file.write_text("option,name\nA,Tom\n", encoding="utf-8")
    assert clusters("responses", study, file, *plans) == 2
    assert "tells who answered" in capsys.readouterr().err


class TestInTheBrowser:
    pytestmark = needs_browser

    def test_the_page_is_accessible(self, count: Count, tmp_path: Path) -> None:
        count(*TWELVE, out="out")
        with chromium() as browser, offline(browser) as open_page:
            assert_accessible(open_page(tmp_path / "out" / "you_said.html"))
