"""Broken school files: every fault is found, named with row, school and remedy, and raised once."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo.errors import InputError, PersonalDataError, SchoolsError
from geo.schools import Schools, read_schools

HEAD = "URN,name,type,status,phase,low_age,high_age,pupils,ehc_plans,sen_support,easting,northing"
GOOD = "900001,Whin Primary,Community school,Open,Primary,4,11,200,5,20,400000,300000"


def write(folder: Path, *lines: str, head: str = HEAD, name: str = "broken.csv") -> Path:
    path = folder / name
    path.write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")
    return path


def faults(path: Path, **options: object) -> str:
    with pytest.raises(SchoolsError) as caught:
        read_schools(path, **options)  # type: ignore[arg-type]
    return str(caught.value)


def row(urn: str = "900002", **cells: object) -> str:
    parts = dict(zip(HEAD.split(","), GOOD.split(","), strict=True))
    parts |= {"URN": urn, "name": "Fell Primary", "easting": "410000"}
    parts |= {key: str(value) for key, value in cells.items()}
    return ",".join(parts.values())


def test_the_good_line_is_good(tmp_path: Path) -> None:
    schools = read_schools(write(tmp_path, GOOD, row()))
    assert len(schools.table) == 2


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"URN,name\n900001," + b'"' + b"a," * 90_000 + b'"\n', "No mainstream"),
        (b"", "The file is empty"),
        (b" \n \n", "The file is empty"),
        (b"name,phase\nWhin,Primary\n", 'No heading with a column of .*"name", "phase"'),
        (b"hello", "No heading"),
        (b"URN,name\n1\x00,2\n", "not a text file"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "not a text file"),
        (b"PK\x03\x04 broken", "Excel file cannot be read"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", r"old Excel file"),
        (b"\x1f\x8b\x08broken", "cannot be opened"),
        (b"URN,name,phase\n", "a heading but no rows"),
        (b'URN,name\n900001,"open\n900002,b\n', "quotation|No mainstream"),
    ],
)
def test_files_that_are_no_table(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "broken.csv"
    path.write_bytes(content)
    with pytest.raises(SchoolsError, match=said):
        read_schools(path)


def test_no_such_file_and_a_folder(tmp_path: Path) -> None:
    assert "no such file" in faults(tmp_path / "absent.csv")
    assert "cannot be opened" in faults(tmp_path)


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({"urn": ""}, "has no URN"),
        ({"urn": "12"}, '"12" is not a URN'),
        ({"urn": "ABCDEF"}, "is not a URN"),
        ({"easting": "", "northing": ""}, r"no coordinates .* \[schools.fix.900002\]"),
        ({"easting": 0, "northing": 0}, "no coordinates"),
        ({"easting": -1.2, "northing": 51.3}, "hold degrees"),
        ({"easting": 9_000_000}, "outside the grid"),
        ({"low_age": 11, "high_age": 4}, "ages 11 to 4"),
        ({"pupils": -5}, "-5 in column"),
        ({"pupils": 20.5}, "20.5 in column"),
        ({"pupils": "many"}, '"many" in column "pupils" is neither'),
        ({"ehc_plans": "5 to 9"}, '"5 to 9" in column "ehc_plans"'),
        ({"phase": "", "low_age": "", "high_age": ""}, "phase is missing"),
    ],
)
def test_a_broken_row_is_named(tmp_path: Path, cells: dict, said: str) -> None:
    with pytest.raises(SchoolsError, match=said) as caught:
        read_schools(write(tmp_path, GOOD, row(**cells)))
    fault = caught.value.faults[0]
    assert len(caught.value.faults) == 1
    assert fault.row == 3
    assert fault.file.endswith("broken.csv")
    assert fault.name == "Fell Primary"
    assert fault.fix


@pytest.mark.parametrize(
    ("lat", "lon", "said"),
    [
        (-0.5, 51.3, "each other's columns"),
        (300000, 400000, "hold metres"),
        (48.8, 2.3, "outside Great Britain"),
        (0, 0, "no coordinates"),
    ],
)
def test_broken_degrees(tmp_path: Path, lat: float, lon: float, said: str) -> None:
    head = "urn,name,phase,latitude,longitude"
    path = write(tmp_path, "900001,A,primary,51.3,-0.5", f"900002,B,primary,{lat},{lon}", head=head)
    assert said in faults(path)


def test_a_whole_column_of_degrees_is_one_fault(tmp_path: Path) -> None:
    rows = [row(str(900000 + n), easting=0.5, northing=51.2 + n / 100) for n in range(1, 30)]
    with pytest.raises(SchoolsError, match="So have 28 other schools") as caught:
        read_schools(write(tmp_path, *rows))
    assert len(caught.value.faults) == 1


def test_easting_and_northing_swapped_in_one_row(tmp_path: Path) -> None:
    rows = [row(str(900000 + n), name=f"S{n}", easting=560000 + n * 900, northing=160000)
            for n in range(1, 9)]  # fmt: skip
    swapped = row("900010", easting=160000, northing=565000)
    assert "each other's columns" in faults(write(tmp_path, *rows, swapped))
    stray = row("900010", easting=300000, northing=500000)
    schools = read_schools(write(tmp_path, *rows, stray))
    assert any("over 100 km" in note.text for note in schools.notes)


def test_all_faults_are_raised_at_once(tmp_path: Path) -> None:
    text = faults(
        write(tmp_path, row("900002", pupils="many"), row("900003", easting=0), row("12"), GOOD),
        exclude={"900009": "gone"},
        fix={"900001": {"pupil": 3}, "999999": {"pupils": 1}},
        successors={"900001": "900008"},
    )
    assert '"many"' in text
    assert "no coordinates" in text
    assert '"12" is not a URN' in text
    assert "exclude names a school" in text
    assert 'Did you mean "pupils"?' in text
    assert "fix names a school" in text
    assert "successors names 900008" in text


def test_a_fault_of_a_school_set_aside_is_no_fault(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD, row(type="Community special school", pupils="many", easting=""))
    assert len(read_schools(path).set_aside) == 1


def test_fix_and_exclude_mend_what_is_broken(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD, row("900002", easting=""), row("900003", pupils="many"))
    schools = read_schools(
        path,
        fix={"900002": {"latitude": 52.5, "longitude": -1.5}},
        exclude={"900003": "roll in dispute"},
    )
    assert schools.table.at["900002", "easting"] == pytest.approx(434000, abs=1000)


def test_duplicates_identical_and_conflicting(tmp_path: Path) -> None:
    schools = read_schools(write(tmp_path, GOOD, GOOD))
    assert len(schools.table) == 1
    assert any(note.kind == "duplicate" for note in schools.notes)
    text = faults(write(tmp_path, GOOD, row("900001")))
    assert "rows 2 and 3 with different name, easting" in text


def test_a_comma_too_many_is_not_read_as_a_shift(tmp_path: Path) -> None:
    text = faults(write(tmp_path, GOOD, row(pupils="1,204")))
    assert "row 3" in text
    assert "more cells than the heading" in text
    head = f"{HEAD},predecessors"
    shifted = row(pupils="1,204") + ","  # the last cell is empty, so the shift hides
    assert "more cells" in faults(write(tmp_path, GOOD + ",", shifted, head=head))
    assert len(read_schools(write(tmp_path, GOOD + ",", row() + ",")).table) == 2


def test_unlikely_figures_are_noted(tmp_path: Path) -> None:
    schools = read_schools(write(tmp_path, GOOD, row(sen_support=198, ehc_plans=5)))
    said = [note for note in schools.notes if note.kind == "figures"]
    assert said[0].urns == ("900002",)
    assert "more pupils with SEN support" in said[0].text


def test_no_mainstream_school_left_says_what_was_found(tmp_path: Path) -> None:
    path = write(tmp_path, row(type="Community special school"), row("900003", status="Closed"))
    text = faults(path)
    assert "No mainstream school is left of 2 rows" in text
    assert "1 × special school" in text


def test_unknown_local_authority_and_policy(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD + ",Sandmere", head=f"{HEAD},la")
    text = faults(path, la=["Sandmeer"], twins="newest")
    assert 'Did you mean "Sandmere"?' in text
    assert 'Did you mean "newer"?' in text


@pytest.mark.parametrize(
    "head",
    ["UPN", "Date of Birth", "DOB", "Forename", "Pupil Name", "Home Address", "home_postcode",
     "Pupil ID", "Surname"],
)  # fmt: skip
def test_columns_about_pupils_are_refused(tmp_path: Path, head: str) -> None:
    path = write(tmp_path, GOOD + ",secret-value", head=f"{HEAD},{head}")
    with pytest.raises(PersonalDataError) as caught:
        read_schools(path)
    assert head in str(caught.value)
    assert "secret-value" not in str(caught.value)


def test_pupil_numbers_are_refused_wherever_they_stand(tmp_path: Path) -> None:
    number = "Z" + "9" * 11 + "B"
    path = write(tmp_path, GOOD + f",{number}", head=f"{HEAD},reference")
    with pytest.raises(PersonalDataError, match="row 2") as caught:
        read_schools(path)
    assert number not in str(caught.value)
    good = write(tmp_path, GOOD, name="good.csv")
    with pytest.raises(PersonalDataError):
        read_schools(good, census=[path])
    book = tmp_path / "pupils.xlsx"
    pd.read_csv(path, dtype=str).to_excel(book, index=False)
    with pytest.raises(PersonalDataError):
        read_schools(book)


def test_head_teachers_and_telephones_are_simply_not_read(tmp_path: Path) -> None:
    head = f"{HEAD},HeadFirstName,HeadLastName,TelephoneNum"
    schools = read_schools(write(tmp_path, GOOD + ",Ada,Invented,01234567890", head=head))
    assert "Ada" not in schools.table.to_csv()


def test_broken_census_and_links(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD)
    census = write(
        tmp_path,
        "900001,100,5",
        "900001,101,5",
        "900002,many,5",
        head="URN,NOR,TSENELSE",
        name="census.csv",
    )
    links = write(tmp_path, "900001,900002", head="URN,LinkURN", name="links.csv")
    text = faults(path, census=[census, tmp_path / "absent.csv"], links=links)
    assert "two different rows" in text
    assert '"many" in column "NOR"' in text
    assert "no such file" in text
    assert "LinkType is missing" in text
    empty = write(tmp_path, "900001,x", head="URN,other", name="other.csv")
    assert "No column of pupils" in faults(path, census=[empty])


_READ = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def either(path: Path) -> None:
    with contextlib.suppress(InputError):
        assert isinstance(read_schools(path), Schools)


@_READ
@given(st.binary(max_size=400), st.sampled_from([b"", b"PK\x03\x04", b"\x1f\x8b", b"\xff\xfe"]))
def test_any_bytes_give_a_table_or_a_fault(tmp_path: Path, body: bytes, start: bytes) -> None:
    path = tmp_path / "any.csv"
    path.write_bytes(start + body)
    either(path)


@_READ
@given(st.binary(max_size=200))
def test_any_bytes_below_a_heading(tmp_path: Path, body: bytes) -> None:
    path = tmp_path / "any.csv"
    path.write_bytes(HEAD.encode() + b"\n" + GOOD.encode() + b"\n" + body)
    either(path)


_CELL = st.one_of(
    st.sampled_from(["", "c", "900001", "900002", "Open", "Closed", "Primary", "0", "-3", "1e9"]),
    st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8),
    st.integers(-10, 10**6).map(str),
)


@_READ
@given(st.lists(st.lists(_CELL, min_size=12, max_size=12), max_size=5))
def test_any_cells_below_a_heading(tmp_path: Path, rows: list[list[str]]) -> None:
    path = tmp_path / "any.csv"
    frame = pd.DataFrame(rows, columns=HEAD.split(","), dtype=str)
    frame.to_csv(path, index=False, encoding="utf-8")
    either(path)
