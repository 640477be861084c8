"""A study is one file and one question: frozen, checked on reading, known by its digest."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pandas as pd
import pydantic
import pytest

from clustering.gravity_settings import BY_DISTANCE_TAUS
from clustering.inputs import load_inputs
from clustering.run import compare_plans, design
from clustering.study import Study
from geo.errors import InputError, StudyError
from tests.studies import clusters, county, hurry, shuffled, toml

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)


def loaded(folder: Path, **tables: object) -> Study:
    whole = county()
    whole.study |= tables
    return Study.load(whole.write(folder))


def test_estimated_pupils_travel_as_far_when_far_schools_are_fewer_minutes_away(
    tmp_path: Path,
) -> None:
    def links(name: str, kmh: float | str, **taus: float) -> pd.DataFrame:
        feeders = {"file": None, "estimate": True, **taus}
        whole = county()
        whole.study["travel"]["kmh"] = kmh
        whole.study["feeders"] = {key: v for key, v in feeders.items() if v is not None}
        return load_inputs(Study.load(whole.write(tmp_path / name))).feeders.links

    grows = links("grows", "by_distance")
    said = links("said", "by_distance", **BY_DISTANCE_TAUS)
    pd.testing.assert_frame_equal(grows, said)
    # One tau given: the other keeps the usual one of this speed; at one speed it is another.
    one = links("one", "by_distance", tau_urban=BY_DISTANCE_TAUS["tau_urban"])
    pd.testing.assert_frame_equal(one, said)
    even = links("even", 40)
    pd.testing.assert_frame_equal(even, links("even_said", 40, tau_urban=5, tau_rural=8))
    assert not grows.equals(links("as_even", "by_distance", tau_urban=5, tau_rural=8))


def test_what_is_not_said_has_its_default(tmp_path: Path) -> None:
    whole = county()
    whole.study = {
        "name": "bare",
        "schools": {"file": "schools.csv"},
        "areas": {"column": "district"},
    }
    config = Study.load(whole.write(tmp_path)).config
    assert config.rules.schools == (8, 14)
    assert config.rules.areas == "never"
    assert config.goals.cluster == 30.0
    assert config.solve.seed == 1
    assert config.travel.source == "straight_line"
    assert config.travel.kmh == "by_distance"


def test_study_cannot_be_changed(tmp_path: Path) -> None:
    study = loaded(tmp_path)
    with pytest.raises(pydantic.ValidationError):
        study.config.solve.seed = 2
    with pytest.raises(AttributeError):
        study.text = ""  # type: ignore[misc]


def test_paths_are_relative_to_the_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    county().write(tmp_path / "here")
    (tmp_path / "there").mkdir()
    monkeypatch.chdir(tmp_path / "there")
    study = Study.load("../here/study.toml")
    assert study.files()["schools.file"] == (tmp_path / "here" / "schools.csv").resolve()


def test_every_file_is_known_by_its_key(tmp_path: Path) -> None:
    files = loaded(tmp_path).files()
    assert set(files) == {"schools.file", "areas.file", "feeders.file", "existing.file"}


def test_digest_changes_with_study_files_and_settings_only(tmp_path: Path) -> None:
    first, again = loaded(tmp_path / "a"), loaded(tmp_path / "b")
    assert first.digest(1) == again.digest(1)
    assert len(first.digest()) == 10
    others = {first.digest(1), first.digest(2), first.digest(1, "quick")}
    others.add(loaded(tmp_path / "c", title="Another title").digest(1))
    (tmp_path / "b" / "flows.csv").write_text("from_urn,to_urn,pupils\n", encoding="utf-8")
    others.add(again.digest(1))
    assert len(others) == 5


def test_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    path = county().write(tmp_path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert Study.load(path).name == "moorshire"


def test_all_faults_of_a_study_are_told_with_their_lines(tmp_path: Path) -> None:
    path = county().write(tmp_path)
    text = path.read_text(encoding="utf-8")
    text = text.replace('"secondaries" = 1', '"secondarys" = 1')
    text = text.replace('"detour" = 1.3', '"detour" = 0.5')
    path.write_text(text, encoding="utf-8")
    with pytest.raises(StudyError) as caught:
        Study.load(path)
    faults = {fault.row: str(fault) for fault in caught.value.faults}
    lines = text.splitlines()
    assert 'Did you mean "secondaries"?' in faults[lines.index('"secondarys" = 1') + 1]
    assert "detour" in faults[lines.index('"detour" = 0.5') + 1]


def test_area_or_column_but_not_both(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="either"):
        loaded(tmp_path, areas={"file": "areas.geojson", "column": "district"})


def test_matrix_needs_its_file(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="matrix"):
        loaded(tmp_path, travel={"source": "matrix"})


def test_number_of_clusters_of_an_area_needs_its_borders(tmp_path: Path) -> None:
    whole = county()
    whole.study["rules"] |= {"areas": "price", "area": {"Westmoor": {"clusters": 2}}}
    with pytest.raises(InputError, match="Set clusters in"):
        load_inputs(Study.load(whole.write(tmp_path)))


def test_inputs_do_not_depend_on_the_order_of_rows(tmp_path: Path) -> None:
    one = load_inputs(Study.load(county().write(tmp_path / "a"))).problem
    two = load_inputs(Study.load(shuffled(county(), 5).write(tmp_path / "b"))).problem
    assert one.urns == two.urns
    assert (one.minutes == two.minutes).all()
    assert (one.need == two.need).all()
    assert one.existing_names == two.existing_names
    assert (one.existing == two.existing).all()
    assert (one.feeder_pupils == two.feeder_pupils).all()


def test_notebook_reads_like_the_readme(tmp_path: Path) -> None:
    study = loaded(tmp_path)
    result = design(study, seed=1)
    assert result.status in ("feasible", "optimal")
    assert result.report is not None
    assert result.report.ok
    assert "moor" in result.map().get_root().render()
    lone = next(u for c in result.plan.clusters for u in c.schools if u != c.hub)
    home = result.plan.cluster_of[lone]
    other = next(label for label in result.plan.labels if label != home)
    changed = result.plan.move(lone, to=other)
    compared = compare_plans(result.inputs, {"designed": result.plan, "by hand": changed})
    assert list(compared.moves["by hand"]["urn"]) == [lone]
    assert list(compared.figures.columns) == ["designed", "by hand"]


@pytest.mark.parametrize("name", ["study.toml", "study_brief.toml"])
def test_shipped_studies_load(name: str) -> None:
    assert Study.load(ROOT / "data" / "sample" / name).config.rules.schools == (8, 14)


def test_brief_sample_has_no_plan_and_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    assert clusters("check", ROOT / "data" / "sample" / "study_brief.toml") == 1
    told = capsys.readouterr().out
    assert "Highwold has 29 schools and 2 non-selective secondaries" in told
    assert "schools = [8, 15]" in told


def test_study_of_the_tests_is_toml_as_it_should_be() -> None:
    study = county().study
    study["rules"]["area"] = {"West moor": {"schools": [4, 8]}}
    study["travel"]["crossing"] = [{"name": "Ford", "start": [1, 2], "end": [3, 4]}]
    assert tomllib.loads(toml(study)) == study


@pytest.mark.parametrize("value", [0, -3, 131, "fast", True])
def test_a_speed_is_a_number_or_the_word_for_a_law(tmp_path: Path, value: object) -> None:
    with pytest.raises(StudyError, match=r'\[travel\] kmh.*"by_distance"'):
        loaded(tmp_path, travel={"kmh": value})


def test_a_speed_may_grow_with_distance(tmp_path: Path) -> None:
    study = loaded(tmp_path, travel={"kmh": "by_distance"})
    said = load_inputs(study).minutes
    assert "grows with distance" in said.source
    whole = county()
    del whole.study["travel"]["kmh"]
    unsaid = load_inputs(Study.load(whole.write(tmp_path / "unsaid"))).minutes
    assert unsaid.source == said.source
    pd.testing.assert_frame_equal(unsaid.table, said.table)
    even = load_inputs(loaded(tmp_path / "even", travel={"kmh": 40})).minutes
    assert even.source == "straight line round water × 1.3 at 40 km/h; not road times"
