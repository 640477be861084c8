"""Files of flows: both shapes, every way to name a school, and every fault with row and URN."""

from pathlib import Path

import pandas as pd
import pytest

from clustering.feeders import FlowsError, filled, flow_table, no_feeders
from clustering.flows_file import read_flows
from clustering.flows_shapes import HEADINGS, code
from clustering.gravity import SOURCE
from clustering.inputs import load_inputs
from clustering.study import Study
from geo.errors import PersonalDataError
from geo.sheets import read_sheet

SAMPLE = Path(__file__).resolve().parents[1] / "data" / "sample"
SCHOOLS = pd.DataFrame(
    {
        "name": ["Gorse Lane Primary", "Plover Primary", "Saltpan School", "Mudlark School"],
        "laestab": ["9902001", "9902002", "9904001", "9904002"],
    },
    index=pd.Index(["900001", "900002", "900003", "900004"], name="urn"),
)


def sheet(text: str) -> pd.DataFrame:
    """Rows of text cells with the line numbers of a file, from lines with commas."""
    lines = [[cell.strip() for cell in line.split(",")] for line in text.strip().splitlines()]
    index = pd.RangeIndex(2, 2 + len(lines) - 1, name="row")
    return pd.DataFrame(lines[1:], columns=lines[0], index=index)


def read(text: str, **settings: object):
    """The flows of a text for the four schools."""
    return read_flows(sheet(text), SCHOOLS, file="flows.csv", **settings)


def pupils(flows: pd.DataFrame) -> dict[tuple[str, str], float]:
    ends = zip(flows["from_urn"], flows["to_urn"], strict=True)
    return dict(zip(ends, flows["pupils"], strict=True))


def refused(text: str) -> str:
    """What is said of a file that cannot be used."""
    with pytest.raises(FlowsError) as caught:
        read(text)
    assert all(fault.file == "flows.csv" and fault.fix for fault in caught.value.faults)
    return str(caught.value)


LONG = """from_urn,to_urn,year,pupils,kind,source
900001,900003,2024,20,actual,moves
900001,900003,2025,10,actual,moves
900001,900004,2025,8,actual,moves
900001,OUT,2025,2,actual,moves
900002,900004,2025,30,actual,moves"""


def test_a_flow_is_the_mean_of_the_years_in_which_its_school_reports() -> None:
    feeders = read(LONG)
    assert pupils(feeders.links) == {
        ("900001", "900003"): 15.0,
        ("900001", "900004"): 4.0,
        ("900002", "900004"): 30.0,
    }
    assert pupils(feeders.elsewhere) == {("900001", "OUT"): 1.0}
    assert not feeders.estimated
    assert feeders.source == "feeder flows counted by the council, mean of 2024 to 2025"
    assert feeders.reporting == {"900001", "900002"}


def test_rows_in_another_order_say_the_same() -> None:
    table = sheet(LONG)
    shuffled = read_flows(table.sample(frac=1, random_state=2), SCHOOLS, file="flows.csv")
    pd.testing.assert_frame_equal(shuffled.links, read(LONG).links)


def test_only_the_latest_three_years_count_and_schools_without_them_are_named() -> None:
    feeders = read(
        """from_urn,to_urn,year,pupils
        900001,900003,2021/22,99
        900001,900003,202324,3
        900001,900003,2024-25,6
        900001,900003,2025.0,9
        900002,900003,2021,50"""
    )
    assert pupils(feeders.links) == {("900001", "900003"): 6.0}
    assert any("900002" in note and "2023" in note for note in feeders.notes)


@pytest.mark.parametrize(
    "name", ["900001", "900001.0", "9902001", "990/2001", "112233", "900001 Gorse Lane"]
)
def test_a_school_may_be_named_in_many_ways(name: str) -> None:
    text = f"from_urn,to_urn,year,pupils\n{name},990/4001,2025,7"
    feeders = read(text, replaced={"112233": "900001"})
    assert pupils(feeders.links) == {("900001", "900003"): 7.0}


def test_two_old_schools_that_became_one_are_added_up() -> None:
    text = "from_urn,to_urn,year,pupils\n112233,900003,2025,7\n900001,900003,2025,5"
    assert pupils(read(text, replaced={"112233": "900001"}).links) == {("900001", "900003"): 12.0}


@pytest.mark.parametrize("cell", ["c", "C", "<5", "< 5", "*", "1-4", "low", "suppressed"])
def test_suppressed_cells_count_as_declared_and_are_told(cell: str) -> None:
    text = f"from_urn,to_urn,year,pupils\n900001,900003,2025,{cell}"
    assert pupils(read(text).links) == {("900001", "900003"): 2.5}
    feeders = read(text, suppressed=3.0)
    assert pupils(feeders.links) == {("900001", "900003"): 3.0}
    assert any("1 suppressed" in note and "3 pupils" in note for note in feeders.notes)


def test_a_school_outside_the_study_is_elsewhere_and_named() -> None:
    feeders = read(
        """from_urn,to_urn,year,pupils
        900001,900003,2025,7
        900001,811111,2025,4
        822222,900003,2025,6"""
    )
    assert pupils(feeders.elsewhere) == {("900001", "811111"): 4.0}
    assert any("811111" in note and "elsewhere" in note for note in feeders.notes)
    assert any("822222" in note and "left out" in note for note in feeders.notes)


def test_of_each_school_only_its_best_kind_counts() -> None:
    feeders = read(
        """from_urn,to_urn,year,pupils,kind
        900001,900003,2025,7,offer
        900001,900003,2024,9,Actual
        900001,900004,2025,5,named feeder
        900002,900003,2025,6,offer
        900002,900004,2025,3,estimated"""
    )
    assert pupils(feeders.links) == {("900001", "900003"): 9.0, ("900002", "900003"): 6.0}
    assert not feeders.estimated
    assert any("several kinds" in note and "2 schools" in note for note in feeders.notes)
    assert "counted by the council and as offered" in feeders.source


def test_estimated_rows_are_labelled_link_by_link() -> None:
    feeders = read(
        """from_urn,to_urn,year,pupils,kind
        900001,900003,2025,7,estimated
        900002,900003,2025,6,actual"""
    )
    assert feeders.links["estimated"].tolist() == [True, False]
    assert feeders.estimated


def test_a_matrix_says_the_same_as_a_list() -> None:
    wide = read(
        """LAESTAB,990/4001 Saltpan School,900004,OUT,Total
        9902001 Gorse Lane,12,c,,15
        900002,,30,3,33
        Total,12,33,3,48"""
    )
    long = read(
        """from_urn,to_urn,pupils
        900001,900003,12
        900001,900004,c
        900002,900004,30
        900002,OUT,3"""
    )
    pd.testing.assert_frame_equal(wide.links, long.links)
    pd.testing.assert_frame_equal(wide.elsewhere, long.elsewhere)
    assert any("totals" in note for note in wide.notes)
    assert any("Blank cells" in note for note in wide.notes)


def test_a_move_to_the_same_school_is_no_move() -> None:
    text = "from_urn,to_urn,pupils\n900001,900001,40\n900001,900003,5"
    assert pupils(read(text).links) == {("900001", "900003"): 5.0}


def test_every_fault_is_told_at_once_with_row_and_school() -> None:
    said = refused(
        """from_urn,to_urn,year,pupils,kind
        900001,900003,2025,many,actual
        900001,900004,2025,-3,actual
        900001,OUT,2025,,actual
        900001,IND,soon,4,actual
        900001,SPEC,,4,actual
        900001,OUTT,2025,4,actual
        900001,UNK,2025,4,actul
        Gorse,900003,2025,4,actual
        900002,900003,2025,4,actual
        900002,900003,2025,5,actual"""
    ).splitlines()
    assert len(said) == 9
    for row, words in (
        (2, 'is "many"'),
        (3, 'is "-3"'),
        (4, 'is ""'),
        (5, 'year is "soon"'),
        (6, "year is missing"),
        (7, 'Did you mean "OUT"'),
        (8, 'Did you mean "actual"'),
        (9, "no URN"),
        (11, "stands twice"),
    ):
        assert any(f"row {row}:" in line and words in line for line in said), (row, words)
    assert "Gorse Lane Primary (900001)" in said[0] + said[1]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("from_urn,year,pupils\n900001,2025,4", "to_urn is missing"),
        ("from_urn,to_urn,year\n900001,900003,2025", "pupils is missing"),
        ("to_urn,pupils\n900003,4", "from_urn is missing"),
        ("urn,name\n900001,Gorse Lane", "no list of flows"),
        ("from_urn,to_urn,pupils", "no flow"),
        ("from_urn,to_urn,pupils\n800001,800002,4", "another council"),
        ("urn,900003,900003 Saltpan\n900001,4,5", "two columns"),
        ("from_urn,to_urn,pupils\n900001,900003,z", "no count"),
        ("from_urn,to_urn,pupils\nOUT,900003,4", "no URN"),
        ("from_urn,to_urn,pupils\n900001,900003,0\n900002,OUT,0", "every flow is 0"),
    ],
)
def test_files_that_are_no_flows(text: str, words: str) -> None:
    assert words in refused(text)


@pytest.mark.parametrize(
    ("cell", "found"),
    [("886/2345", "8862345"), ("900001 Ivy", "900001"), ("Ivy", ""), ("9", ""), ("1234567890", "")],
)
def test_codes(cell: str, found: str) -> None:
    assert code(cell) == found


def test_estimates_fill_in_only_for_schools_that_report_nothing() -> None:
    counted = read(LONG)
    estimate = read(
        "from_urn,to_urn,pupils,kind\n900002,900003,1,estimated\n900003,900004,6,estimated"
    )
    both = filled(counted, estimate)
    assert pupils(both.links)[("900002", "900004")] == 30.0
    assert ("900002", "900003") not in pupils(both.links)
    assert both.links.set_index("from_urn")["estimated"].to_dict()["900003"]
    assert both.links["estimated"].sum() == 1
    assert any("1 school" in note for note in both.notes)
    assert filled(counted, counted).source == counted.source


def test_no_feeders_is_an_honest_nothing() -> None:
    assert no_feeders().links.empty
    assert not no_feeders().estimated
    assert pd.api.types.is_bool_dtype(flow_table()["estimated"])


# -- through the study -----------------------------------------------------------------------------


def study_with(folder: Path, feeders: str) -> Study:
    """The sample study with another table of feeders; paths made absolute."""
    text = (SAMPLE / "study.toml").read_text(encoding="utf-8")
    for path in SAMPLE.glob("*.csv"):
        if path.name != "flows.csv":
            text = text.replace(f'"{path.name}"', f'"{path.as_posix()}"')
    text = text.replace('"../boundaries', f'"{(SAMPLE.parent / "boundaries").as_posix()}')
    text = text.replace('[feeders]\nfile = "flows.csv"', f"[feeders]\n{feeders}")
    (folder / "study.toml").write_text(text, encoding="utf-8")
    return Study.load(folder / "study.toml")


@pytest.mark.parametrize("ending", ["csv", "cp1252.csv", "xlsx"])
def test_csv_windows_csv_and_excel_are_read_alike(tmp_path: Path, ending: str) -> None:
    table = pd.read_csv(SAMPLE / "flows.csv", dtype=str, keep_default_na=False)
    path = tmp_path / f"flows.{ending}"
    if ending == "xlsx":
        table.to_excel(path, index=False)
    else:
        table["source"] = "Zoë’s list"
        table.to_csv(path, index=False, encoding="utf-8" if ending == "csv" else "cp1252")
    found = read_sheet(path, HEADINGS)
    assert found.index[0] == 2
    schools = pd.read_csv(SAMPLE / "schools.csv", dtype=str, keep_default_na=False).set_index("urn")
    feeders = read_flows(found, schools, file=path.name)
    assert len(feeders.links) > 1000


@pytest.mark.parametrize(
    "heading", ["from_urn,to_urn,UPN", "from_urn,to_urn,date of birth", "from_urn,surname,pupils"]
)
def test_a_file_about_pupils_is_refused(tmp_path: Path, heading: str) -> None:
    (tmp_path / "moves.csv").write_text(f"{heading}\n900002,900003,x\n", encoding="utf-8")
    with pytest.raises(PersonalDataError):
        load_inputs(study_with(tmp_path, 'file = "moves.csv"'))


def test_a_file_without_a_heading_is_told_what_a_file_of_flows_is(tmp_path: Path) -> None:
    (tmp_path / "moves.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(FlowsError, match="from_urn, to_urn, year and pupils"):
        load_inputs(study_with(tmp_path, 'file = "moves.csv"'))


def test_a_study_may_estimate_what_its_file_leaves_out(tmp_path: Path) -> None:
    table = pd.read_csv(SAMPLE / "flows.csv", dtype=str, keep_default_na=False)
    half = table[table["from_urn"].str[-1].isin(list("02468"))]
    half.to_csv(tmp_path / "half.csv", index=False)
    inputs = load_inputs(study_with(tmp_path, 'file = "half.csv"\nestimate = true'))
    links = inputs.feeders.links
    by_file = links["from_urn"].str[-1].isin(list("02468"))
    assert (links["estimated"] != by_file).all()
    assert links["estimated"].any()
    assert SOURCE in inputs.feeders.source
    assert any("calibrated" in note for note in inputs.notes)


def test_a_setting_out_of_range_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="tau_urban"):
        study_with(tmp_path, "estimate = true\ntau_urban = 0")
