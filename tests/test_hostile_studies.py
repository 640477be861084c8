"""Studies as they come in life: whatever is wrong is a sentence, and nothing is written.

Each test breaks one thing in the invented county. Bad input ends with 2; a question that has no
answer ends with 1, with reasons and remedies, and each remedy is shown to work.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from pyproj import Transformer

from tests.studies import DISTRICTS, LEFT, County, clusters, county, hurry, too_few_secondaries

Told = pytest.CaptureFixture[str]
Break = Callable[[County], None]
TO_DEGREES = Transformer.from_crs(27700, 4326, always_xy=True)


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)


def refused(folder: Path, whole: County, told: Told) -> str:
    """Design the county, see that it is refused and nothing is written; return what was said."""
    study = whole.write(folder / "study")
    before = sorted(path.name for path in (folder / "study").iterdir())
    assert clusters("design", study, "--out", folder / "run") == 2
    said = told.readouterr()
    assert "Traceback" not in said.out + said.err
    assert "✗" in said.err
    assert not (folder / "run").exists()
    assert sorted(path.name for path in (folder / "study").iterdir()) == before
    return said.err


def _set(*path: str, value: object) -> Break:
    def change(whole: County) -> None:
        table = whole.study
        for key in path[:-1]:
            table = table.setdefault(key, {})
        table[path[-1]] = value

    return change


def _text(name: str, text: str | bytes) -> Break:
    def change(whole: County) -> None:
        whole.texts[name] = text

    return change


def _degrees(whole: County) -> tuple[list[float], list[float]]:
    east, north = whole.schools.pop("easting"), whole.schools.pop("northing")
    lon, lat = TO_DEGREES.transform(east.to_numpy(float), north.to_numpy(float))
    return list(lat.round(6)), list(lon.round(6))


def _swapped_degrees(whole: County) -> None:
    lat, lon = _degrees(whole)
    whole.schools["latitude"], whole.schools["longitude"] = lon, lat


def _metres_called_degrees(whole: County) -> None:
    whole.schools = whole.schools.rename(columns={"northing": "latitude", "easting": "longitude"})


def _degrees_called_metres(whole: County) -> None:
    lat, lon = _degrees(whole)
    whole.schools["easting"], whole.schools["northing"] = lon, lat


def _swapped_metres(whole: County) -> None:
    names = {"northing": "easting", "easting": "northing"}
    whole.schools = whole.schools.rename(columns=names)


def _twice(column: str, value: object) -> Break:
    def change(whole: County) -> None:
        again = whole.schools.iloc[[4]].copy()
        again[column] = value
        whole.schools = pd.concat([whole.schools, again], ignore_index=True)

    return change


def _half_the_areas(whole: County) -> None:
    whole.areas = whole.areas[whole.areas["name"] == "Westmoor"]


def _cell(urn: str, column: str, value: object) -> Break:
    return lambda whole: whole.cell(urn, column, value)


def _pupils(whole: County) -> None:
    whole.schools["UPN"] = "H999123456789"


BAD: dict[str, tuple[Break, tuple[str, ...]]] = {
    "schools are empty": (_text("schools.csv", ""), ("schools.csv", "empty")),
    "schools are a heading": (_text("schools.csv", "urn,name\n"), ("schools.csv", "no rows")),
    "schools are noise": (_text("schools.csv", b"\x00\x01\x02\xff" * 50), ("not a text file",)),
    "schools are a letter": (_text("schools.csv", "Dear all,\n\nPlease find\n"), ("URN",)),
    "schools are an old workbook": (
        _text("schools.csv", b"\xd0\xcf\x11\xe0" + b"\x00" * 99),
        ("old Excel file", ".xlsx"),
    ),
    "flows are empty": (_text("flows.csv", ""), ("flows.csv",)),
    "flows are noise": (_text("flows.csv", b"\x00\xff\xfe\x01" * 9), ("flows.csv",)),
    "existing is empty": (_text("existing.csv", ""), ("existing.csv",)),
    "existing is utf-16": (
        _text("existing.csv", "urn,cluster\n910001,A\n".encode("utf-16")),
        ("existing.csv", "UTF-8"),
    ),
    "existing has other columns": (
        _text("existing.csv", "school,group\n1,2\n"),
        ("existing.csv", "urn", "school"),
    ),
    "areas are empty": (_text("areas.geojson", ""), ("areas.geojson",)),
    "areas are a table": (_text("areas.geojson", "a,b\n1,2\n"), ("areas.geojson",)),
    "areas hold nothing": (
        _text("areas.geojson", '{"type": "FeatureCollection", "features": []}'),
        ("areas.geojson", "no area"),
    ),
    "urn twice, other place": (_twice("easting", 501_111), ("910005", "rows 6 and 26")),
    "latitude and longitude swapped": (_swapped_degrees, ("each other's columns",)),
    "metres called degrees": (_metres_called_degrees, ("hold metres",)),
    "degrees called metres": (_degrees_called_metres, ("hold degrees",)),
    "easting and northing swapped": (_swapped_metres, ("swapped",)),
    "school without place": (_cell("910003", "easting", ""), ("West Cedar", "910003", "row 4")),
    "school at zero": (_cell("910003", "easting", 0), ("West Cedar", "910003")),
    "school in the sea": (
        _cell("910003", "easting", LEFT - 9000),
        ("West Cedar", "sea", "exclude"),
    ),
    "areas cover half the schools": (_half_the_areas, ("East Alder", "East Larch", "910112")),
    "school without roll": (_cell("910003", "pupils", ""), ("910003", "no roll", "fix.910003")),
    "roll is a word": (_cell("910003", "pupils", "lots"), ("lots", "910003", "row 4")),
    "pupil-level file": (_pupils, ("UPN", "pupils")),
    "misspelt key": (_set("rules", "schols", value=[4, 7]), ("schols", 'mean "schools"', "row")),
    "misspelt table": (_set("ruels", value={"schools": [4, 7]}), ("ruels", 'mean "rules"')),
    "range the wrong way round": (
        _set("rules", "schools", value=[9, 4]),
        ("9", "4", "low to high"),
    ),
    "range is a word": (_set("rules", "schools", value="some"), ("schools", "some")),
    "count is a text": (_set("rules", "secondaries", value="one"), ("secondaries", "one")),
    "negative price": (_set("goals", "feeders", value=-1), ("feeders", "-1")),
    "unknown effort": (_set("solve", "effort", value="warp"), ("effort", "warp")),
    "tolerance is a word": (_set("rules", "need_tolerance", value="wide"), ("need_tolerance",)),
    "name for no folder": (_set("name", value="../My Study"), ("name",)),
    "table is a number": (_set("rules", value=4), ("rules",)),
    "unknown area": (
        _set("rules", "area", value={"Westmor": {"schools": [4, 8]}}),
        ("Westmor", 'mean "Westmoor"'),
    ),
    "unknown school together": (
        _set("rules", "together", value=[["910001", "999999"]]),
        ("together", "999999"),
    ),
    "unknown school apart": (
        _set("rules", "apart", value=[["910001", "999999"]]),
        ("apart", "999999"),
    ),
    "unknown associate": (
        _set("rules", "area", value={"Westmoor": {"associates": ["999999"]}}),
        ("associates", "999999"),
    ),
    "unknown named cluster": (
        _set("rules", "cluster", value={"North": {"contains": "999999"}}),
        ("contains", "999999"),
    ),
    "group of one": (_set("rules", "together", value=[["910001"]]), ("fewer than two",)),
    "unknown exclude": (_set("schools", "exclude", value={"999999": "?"}), ("999999", "exclude")),
    "missing file": (
        _set("schools", "file", value="school.csv"),
        ("school.csv", 'mean "schools.csv"'),
    ),
    "missing folder": (_set("flows", value={"file": "x.csv"}), ("flows", "unknown key")),
    "no areas": (_set("areas", value={}), ("[areas] needs",)),
    "unknown field of areas": (
        _set("areas", "name_field", value="district"),
        ("areas.geojson", "district"),
    ),
    "unknown need factor": (_set("need", "weights", value={"wealth": 1.0}), ("wealth", "weights")),
    "no school of the council": (_set("schools", "la", value=["998"]), ("998",)),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_input_is_a_sentence_and_writes_nothing(
    tmp_path: Path, capsys: Told, what: str
) -> None:
    whole = county()
    change, words = BAD[what]
    change(whole)
    said = refused(tmp_path, whole, capsys)
    for word in words:
        assert word in said, said


def test_all_faults_are_told_at_once(tmp_path: Path, capsys: Told) -> None:
    whole = county()
    whole.cell("910003", "easting", "")
    whole.cell("910104", "pupils", "lots")
    whole.texts["areas.geojson"] = '{"type": "FeatureCollection", "features": []}'
    said = refused(tmp_path, whole, capsys)
    for word in ("910003", "910104", "areas.geojson"):
        assert word in said


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[schools\nfile = 1", ("not valid TOML", "line 1")),
        ("name = 'x'\nname = 'y'", ("not valid TOML",)),
        ("", ('"name" is missing', '"schools" is missing')),
        (b"\xff\xfen\x00", ("UTF-8",)),
    ],
)
def test_study_that_is_no_study(
    tmp_path: Path, capsys: Told, text: str | bytes, words: tuple[str, ...]
) -> None:
    whole = county()
    whole.texts["study.toml"] = text
    said = refused(tmp_path, whole, capsys)
    for word in ("study.toml", *words):
        assert word in said, said


def test_study_that_is_a_folder(tmp_path: Path, capsys: Told) -> None:
    assert clusters("check", tmp_path) == 2
    assert "folder" in capsys.readouterr().err


def test_study_that_is_not_there(tmp_path: Path, capsys: Told) -> None:
    county().write(tmp_path)
    assert clusters("check", tmp_path / "studdy.toml") == 2
    said = capsys.readouterr().err
    assert "not there" in said
    assert "study.toml" in said


def test_personal_data_are_never_repeated(tmp_path: Path, capsys: Told) -> None:
    whole = county()
    _pupils(whole)
    assert "H999123456789" not in refused(tmp_path, whole, capsys)


# -- what looks odd and works ---------------------------------------------------------------------


def test_schools_in_utf16_are_read(tmp_path: Path, capsys: Told) -> None:
    """Excel's "Unicode text" is no reason to send a planner away."""
    whole = county()
    whole.texts["schools.csv"] = whole.schools.to_csv(index=False, sep="\t").encode("utf-16")
    assert clusters("check", whole.write(tmp_path)) == 0
    assert "24 schools are in" in capsys.readouterr().out


def test_same_row_twice_is_kept_once(tmp_path: Path, capsys: Told) -> None:
    whole = county()
    whole.schools = pd.concat([whole.schools, whole.schools.iloc[[4]]], ignore_index=True)
    assert clusters("check", whole.write(tmp_path)) == 0
    assert "24 schools are in" in capsys.readouterr().out


def test_name_that_is_a_script_stays_text(tmp_path: Path, capsys: Told) -> None:
    nasty = '<script>alert(1)</script> & "[bold]Sons[/bold]" School'
    whole = county()
    whole.cell("910003", "name", nasty)
    whole.study["title"] = "</title><script>alert(2)</script>"
    whole.study["schools"]["exclude"] = {"910004": "[red]<b>why</b>"}
    study = whole.write(tmp_path)
    assert clusters("design", study, "--out", tmp_path / "run") == 0
    page = (tmp_path / "run" / "map.html").read_text(encoding="utf-8")
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    capsys.readouterr()
    assert clusters("check", study) == 0
    assert "[red]<b>why</b>" in capsys.readouterr().out


def test_fifty_thousand_rows_of_england(tmp_path: Path, capsys: Told) -> None:
    """A national extract is read whole and one council kept; the others are never placed."""
    whole = county()
    many = pd.concat([whole.schools] * 2084, ignore_index=True)
    many["urn"] = [str(100_000 + i) for i in range(len(many))]
    many["la_code"], many["la"] = "998", "Elsewhere"
    many["easting"] = ""
    whole.schools = pd.concat([many, whole.schools], ignore_index=True)
    assert len(whole.schools) > 50_000
    whole.study["schools"]["la"] = ["Moorshire"]
    assert clusters("design", whole.write(tmp_path), "--out", tmp_path / "run") == 0
    assert "4 clusters" in capsys.readouterr().out


def test_areas_from_a_column_need_no_polygons(tmp_path: Path) -> None:
    whole = county()
    whole.study["areas"] = {"column": "district"}
    assert clusters("design", whole.write(tmp_path), "--out", tmp_path / "run") == 0
    assert (tmp_path / "run" / "map.html").exists()


def test_bare_study_needs_neither_flows_nor_existing(tmp_path: Path) -> None:
    whole = county()
    del whole.study["feeders"], whole.study["existing"], whole.study["solve"]
    whole.study["solve"] = {"effort": "quick"}
    assert clusters("design", whole.write(tmp_path), "--out", tmp_path / "run") == 0


def test_excluded_and_renumbered_rows_do_not_matter_to_todays_clusters(tmp_path: Path) -> None:
    """Today's list still names a school that is left out, and one that has closed."""
    whole = county()
    whole.study["schools"]["exclude"] = {"910003": "opted out"}
    extra = pd.DataFrame({"urn": ["999999"], "cluster": ["Community 1"]})
    whole.existing = pd.concat([whole.existing, extra], ignore_index=True)
    study = whole.write(tmp_path)
    assert clusters("design", study, "--out", tmp_path / "run") == 0
    plan = pd.read_csv(tmp_path / "run" / "plan.csv", dtype=str)
    assert "910003" not in set(plan["urn"])


# -- questions without an answer -------------------------------------------------------------------


def unanswered(folder: Path, whole: County) -> dict[str, object]:
    """Design the county, see that there is no plan; return the report."""
    study = whole.write(folder / "study")
    assert clusters("design", study, "--out", folder / "run") == 1
    found: dict[str, object] = json.loads((folder / "run/report.json").read_text(encoding="utf-8"))
    assert found["status"] in ("infeasible", "not_found")
    assert found["reasons"]
    assert not (folder / "run" / "plan.csv").exists()
    return found


def remedied(folder: Path, whole: County, lines: list[str]) -> None:
    """Put a remedy's lines into the study and see that a plan comes of it, without breach."""
    for text in lines:
        whole.merge(text)
    study = whole.write(folder / "mended")
    assert clusters("design", study, "--out", folder / "new") == 0, lines
    assert clusters("assess", study, folder / "new" / "plan.csv") == 0, lines
    found = json.loads((folder / "new" / "report.json").read_text(encoding="utf-8"))
    assert found["breaches"] == []


def _three_schools() -> County:
    whole = county()
    whole.schools = whole.schools[whole.schools["urn"].isin(["910002", "910001", "910003"])]
    return whole


def _one_place() -> County:
    whole = county()
    whole.schools["easting"], whole.schools["northing"] = LEFT + 3000, 203_000
    return whole


def _tied_and_apart() -> County:
    whole = county()
    whole.study["rules"] |= {
        "together": [["910001", "910003"]],
        "apart": [["910001", "910003"], ["910005", "910006"]],
    }
    return whole


def _tied_over_a_border() -> County:
    whole = county()
    whole.study["rules"]["together"] = [["910004", "910101"]]
    return whole


def _too_many_clusters() -> County:
    whole = county()
    whole.study["rules"]["area"] = {"Westmoor": {"clusters": 6}}
    return whole


def _too_many_in_all() -> County:
    whole = county()
    whole.study["rules"]["clusters"] = 11
    return whole


def _too_far() -> County:
    whole = county()
    whole.study["rules"]["max_minutes_to_hub"] = 7
    return whole


def _too_even() -> County:
    whole = county()
    whole.study["rules"]["need_tolerance"] = 0.001
    return whole


CASES: dict[str, tuple[Callable[[], County], int]] = {
    "too few secondaries": (too_few_secondaries, 4),
    "three schools": (_three_schools, 1),
    "one place": (_one_place, 1),
    "together and apart": (_tied_and_apart, 1),
    "together over a border": (_tied_over_a_border, 1),
    "too many clusters in an area": (_too_many_clusters, 1),
    "too many clusters in all": (_too_many_in_all, 1),
    "hub too far": (_too_far, 1),
    "need too even": (_too_even, 1),
}


@pytest.mark.parametrize("case", CASES)
def test_each_remedy_that_is_offered_works(tmp_path: Path, case: str) -> None:
    make, least = CASES[case]
    found = unanswered(tmp_path, make())
    remedies = found["remedies"]
    assert isinstance(remedies, list)
    assert len(remedies) >= least, found["reasons"]
    first = {remedy["place"]: remedy["study"] for remedy in reversed(remedies)}
    for number, remedy in enumerate(remedies):
        # Every place needs one remedy; the others take their first.
        lines = [text for place, text in first.items() if place != remedy["place"]]
        remedied(tmp_path / str(number), make(), [*lines, remedy["study"]])


def test_reason_names_place_figures_and_rule(tmp_path: Path) -> None:
    found = unanswered(tmp_path, too_few_secondaries())
    (reason,) = found["reasons"]  # type: ignore[misc]
    assert reason == (
        "Westmoor has 12 schools and 1 non-selective secondary (West Birch Academy): at most 7 "
        "schools a cluster makes at least 2 clusters, but 1 non-selective secondary, one a "
        "cluster, makes at most 1 cluster."
    )


def test_conflict_of_two_rules_names_both_schools(tmp_path: Path) -> None:
    found = unanswered(tmp_path, _tied_and_apart())
    (reason,) = found["reasons"]  # type: ignore[misc]
    for word in ("West Alder Primary School (910001)", "West Cedar", "together", "apart"):
        assert word in reason


def test_areas_are_named_in_the_order_of_the_alphabet() -> None:
    assert list(DISTRICTS) == sorted(DISTRICTS)
