"""Provision from study to folder: on the sample county as an analyst works, and on real Kent."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyogrio
import pytest

from clustering import Review, Study, review, where_next
from clustering.inputs import load_inputs
from clustering.provision.register import Register
from clustering.provision.scenario import Scenario
from clustering.provision_inputs import srp_places
from clustering.provision_minutes import ProvisionMinutes
from geo.errors import InputError, StudyError
from tests.studies import clusters

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = ROOT / "data" / "sample"
SCENARIOS = SAMPLE / "scenarios"
SHARED = ROOT.parent / "shared" / "data" / "kent"
needs_real = pytest.mark.skipif(
    not SHARED.exists(), reason="the real open data is not beside the project"
)
Told = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def story() -> Review:
    """The sample county with two scenarios."""
    return review(
        SAMPLE / "study.toml", SCENARIOS / "close_and_open.toml", SCENARIOS / "bridge_shut.toml"
    )


def changed(folder: Path, old: str, new: str) -> Path:
    """Return the sample study in a folder of its own with one text replaced."""
    shutil.copytree(SAMPLE, folder / "sample", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    shutil.copytree(ROOT / "data" / "boundaries", folder / "boundaries")
    path = folder / "sample" / "study.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


# -- the story of the sample county ------------------------------------------------------------


def test_the_three_disagreements_of_the_sample_are_told(story: Review) -> None:
    told = story.provision.register.disagreements
    assert set(zip(told["urn"], told["what"], told["used"], strict=True)) == {
        ("900026", "listed", "counted"),
        ("900177", "places", "12"),
        ("900212", "listed", "left out"),
    }


def test_close_one_and_open_another(story: Review) -> None:
    state = story.scenarios[0]
    whole = state.by_area[state.by_area["area"] == ""].set_index("need_type")
    assert whole.at["ASD", "better"] > 20
    assert whole.at["ASD", "worse"] == 0
    assert whole.at["SLCN", "worse"] > 0, "children near Upper Larrick travel farther"
    saltby = state.by_area[state.by_area["area"] == "Saltby"].set_index("need_type")
    assert saltby.at["ASD", "within_before"] < 0.5
    assert saltby.at["ASD", "within_after"] == pytest.approx(1.0)


def test_a_shut_bridge_cuts_the_island_off(story: Review) -> None:
    state = story.scenarios[1]
    assert state.reach is not None
    lost = state.differences
    island = lost[lost["change"] == "worse"]
    assert set(island["area"]) <= {"Marshside", "Ousemouth", "Saltby"}
    assert island["minutes_after"].max() == float("inf")
    assert state.reach.rows["unmet"].sum() > story.today.reach.rows["unmet"].sum()  # type: ignore[union-attr]


def test_flags_and_broken_pathways_of_the_sample(story: Review) -> None:
    flags = story.viability().set_index("provision")["flag"]
    assert flags["900056"] == "red"
    broken = story.pathways().query("not within")
    assert broken["need_type"].tolist() == ["VI"]


def test_everything_is_looked_at_in_one_year() -> None:
    later = review(SAMPLE / "study.toml", SCENARIOS / "visiting_vision.toml")
    assert [state.year for state in later.states] == [2027, 2027]
    told = later.side_by_side
    assert told.iloc[0].nunique() == 1, "the same children in both"
    costs = later.scenarios[0].costs.set_index("year")["visiting"]
    assert costs.to_dict() == {2026: 0, 2027: 90_000, 2028: 90_000, 2029: 90_000}


def test_the_register_says_how_many_srp_places_are_netted_off(tmp_path: Path) -> None:
    inputs = load_inputs(Study.load(SAMPLE / "study.toml"))
    assert any(note.startswith("320 SRP places are netted off") for note in inputs.notes)
    without = changed(tmp_path, 'file = "srps.csv"', "# none")
    assert any(
        note.startswith("314 SRP places") for note in load_inputs(Study.load(without)).notes
    ), "the record alone: one provision missing, two places fewer, one more unit"


def test_where_next_finds_the_corner_without_provision(story: Review) -> None:
    found = where_next(story, "ASD", "primary", sites=1)
    assert found.answer.status == "optimal"
    urn = found.table.at[0, "schools"].rpartition("(")[2].rstrip(")")
    assert story.inputs.table.at[urn, "area"] == "Saltby"
    assert 'need_types = ["ASD"]' in found.scenario
    only = where_next(story, "asc", "primary", areas=["Highwold"], alternatives=0)
    urn = only.table.at[0, "schools"].rpartition("(")[2].rstrip(")")
    assert story.inputs.table.at[urn, "area"] == "Highwold"
    assert only.table.at[0, "pounds"] == 10 * 6_000, "as many places as the lines open"
    assert 'phase = "primary"\nplaces = 10\n' in only.scenario
    none = where_next(story, "ASD", "primary", fair_share=0.99, alternatives=0)
    assert none.answer.status == "infeasible"
    assert "99 %" in none.proof


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"need": "AUT", "phase": "primary"}, "no need type"),
        ({"need": "ASD", "phase": "infant"}, 'the phase is "infant"'),
        ({"need": "ASD", "phase": "primary", "areas": ["Saltbey"]}, 'Did you mean "Saltby"'),
        ({"need": "ASD", "phase": "primary", "schools": ["1"]}, "is no school of the study"),
        ({"need": "PMLD", "phase": "primary"}, "no child of primary age needs a place"),
        ({"need": "ASD", "phase": "primary", "objective": "cost"}, "Give a target"),
    ],
)
def test_questions_that_cannot_be_asked(story: Review, asked: dict, told: str) -> None:
    with pytest.raises(StudyError, match=told):
        where_next(story, **asked)


def test_where_next_offers_only_what_takes_every_child(story: Review) -> None:
    secular = story.provision.settings.model_copy(update={"open_to_all": ()})
    own = replace(story, provision=replace(story.provision, settings=secular))
    faith = story.inputs.table.index[story.inputs.table["faith"] != ""]
    asked = {"alternatives": 0, "schools": [faith[0]]}
    with pytest.raises(StudyError, match="no school could take it"):
        where_next(own, "ASD", "primary", **asked)
    single = story.today.register.table.assign(sex="girls")
    there = single.index[single["need_types"].str.contains("ASD") & (single["low_age"] < 11)][0]
    girls = replace(story, today=replace(story.today, register=Register(single, pd.DataFrame())))
    assert not single.at[there, "selective"]
    with pytest.raises(StudyError, match="no school could take it"):
        where_next(girls, "ASD", "primary", larger=True, schools=[there.split("/")[0]])


def test_every_child_placed_is_an_answer(story: Review) -> None:
    reach = story.today.reach
    assert reach is not None
    placed = replace(reach, rows=reach.rows.assign(unmet=0.0))
    found = where_next(
        replace(story, today=replace(story.today, reach=placed)), "ASD", "primary", places=8
    )
    assert found.answer.status == "infeasible"
    assert "has a place already" in found.proof


def test_states_that_cannot_be_told_apart(story: Review) -> None:
    one = Scenario(name="one", title="Plan")
    for other in (
        Scenario(name="one", title="Other"),
        Scenario(name="two", title="Plan"),
        Scenario(name="today", title="Other"),
    ):
        with pytest.raises(StudyError, match="two states are called"):
            review(story.inputs, one, other)


def test_years_before_the_study_are_refused(story: Review) -> None:
    for scenarios, year in (((), 2020), ((Scenario(name="one", year=2020),), None)):
        with pytest.raises(StudyError, match="2020 is before the 2026 of the study"):
            review(story.inputs, *scenarios, year=year)


def test_two_scenarios_cannot_put_one_provision_at_two_places(story: Review) -> None:
    both = [
        Scenario.model_validate(
            {"name": name, "open": [{"urn": "new", "need_types": "ASD", "places": 4,
             "phase": "primary", "easting": east, "northing": 5000}]}
        )
        for name, east in (("one", 4000), ("two", 9000))
    ]  # fmt: skip
    with pytest.raises(StudyError, match="put new at different places"):
        review(story.inputs, *both)


def test_a_table_of_minutes_names_schools_not_labels(story: Review, tmp_path: Path) -> None:
    own, demand = story.provision, story.provision.demand
    assert demand is not None
    table = own.register.table.iloc[:2]
    near, far = table["urn"]
    annexe = table.iloc[[0]].assign(easting=table["easting"].iloc[0] + 50)
    later = pd.concat([table, annexe.set_axis([f"{near}+2027"])])
    points = demand.points.iloc[:2]
    points = points.set_axis([points.index[0], near])  # children counted at a school
    lines = [f"{points.index[0]},{near},7", f"{points.index[0]},{far},9", f"{near},{far},3",
             f"{far},{near},4"]  # fmt: skip
    (tmp_path / "m.csv").write_text(
        "\n".join(["from_urn,to_urn,minutes", *lines]) + "\n", encoding="utf-8"
    )
    config = story.inputs.study.config
    update = {
        "travel": config.travel.model_copy(update={"source": "matrix"}),
        "provision": own.settings.model_copy(update={"minutes": str(tmp_path / "m.csv")}),
    }
    study = replace(story.inputs.study, config=config.model_copy(update=update))
    ways = ProvisionMinutes(
        replace(story.inputs, study=study),
        replace(own, register=replace(own.register, table=table),
                demand=replace(demand, points=points)),
        [later],
        lambda words: None,
    ).over(())  # fmt: skip
    columns = [table.index[0], f"{near}+2027", table.index[1]]
    assert ways.loc[points.index[0], columns].tolist() == [7, 7, 9]
    assert ways.loc[near, columns].tolist() == [0, 0, 3]
    assert ways.loc[f"{near}+2027", columns].tolist() == [0, 0, 3]
    assert ways.loc[table.index[1], columns].tolist() == [4, 4, 0]


def test_pathways_keep_the_limits_of_a_scenario(story: Review) -> None:
    near = Scenario.model_validate({"name": "near", "limits": {"secondary": [10, 20]}})
    found = review(story.inputs, near)
    ways, nearer = found.pathways(), found.pathways(found.scenarios[0])
    assert nearer["within"].tolist() == (ways["minutes"] <= 20).tolist()
    assert nearer["within"].sum() < ways["within"].sum()


def test_only_provision_of_today_is_netted_off(story: Review) -> None:
    own = story.provision
    table = own.register.table
    told = srp_places(own)
    assert told is not None
    gone = table.assign(closes="2024-08-31")
    shut = srp_places(replace(own, register=replace(own.register, table=gone)))
    assert shut is not None
    assert (told.sum(), shut.sum()) == (320, 0)


def test_a_county_that_needs_no_place_is_written(tmp_path: Path) -> None:
    path = changed(tmp_path, "share = {", "share = { ASD = 0.0 }\n# {")
    assert clusters("provision", path, "--out", tmp_path / "out") == 0
    assert (tmp_path / "out" / "provision.html").exists()


# -- studies that say too little or nonsense ---------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("share = {", "growth_ = {", 'unknown key "growth_"'),
        ("share = { ASD", "share = { AUT", '"AUT" is no need type'),
        ("share = {", "special_share = {}\n#", "nothing says which part"),
        ('file = "srps.csv"', 'file = "srp.csv"', 'Did you mean "srps.csv"'),
        ('places = "lsoa.csv"', "", "demand from rates needs places"),
        ('rates = "primary_need.csv"', 'rates = "primary_need.csv"\nla = "Sandmre"', "Sandmere"),
    ],
)
def test_a_study_that_cannot_be_read(tmp_path: Path, old: str, new: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        load_inputs(Study.load(changed(tmp_path, old, new)))


def test_a_study_without_demand_still_has_its_register(tmp_path: Path) -> None:
    path = changed(tmp_path, 'rates = "primary_need.csv"', "# no rates")
    found = review(path)
    assert found.today.reach is None
    assert found.side_by_side.empty
    assert {"provisions", "viability", "pathways", "reconciliation"} <= set(found.tables())
    with pytest.raises(StudyError, match="says nothing of demand"):
        where_next(found, "ASD", "primary")


def test_a_study_without_provision_says_so(tmp_path: Path, capsys: Told) -> None:
    path = changed(tmp_path, "[provision]", "[provision.costs]\nfilled = 1\n[provision_]")
    assert clusters("provision", path) == 2
    assert 'unknown key "provision_"' in capsys.readouterr().err


# -- the verbs ---------------------------------------------------------------------------------


def test_the_verb_writes_every_table_or_nothing(tmp_path: Path, capsys: Told) -> None:
    out = tmp_path / "out"
    scenario = SCENARIOS / "close_and_open.toml"
    assert clusters("provision", SAMPLE / "study.toml", scenario, "--out", out) == 0
    told = capsys.readouterr().out
    assert "Private: a scenario is not a proposal" in told
    assert "Upper Larrick Rope Walk Primary School closes in 2026." in told
    tables = {p.name for p in out.glob("*.csv")}
    assert {"reach.csv", "viability.csv", "side_by_side.csv", "reconciliation.csv"} <= tables
    own = out / "scenarios" / "close_and_open"
    assert {"before_after.csv", "who_changes.csv"} <= {p.name for p in own.glob("*.csv")}
    layers = {str(name) for name in pyogrio.list_layers(out / "provision.gpkg")[:, 0]}
    assert layers == {
        f"{what} {state}"
        for what in ("provisions", "demand")
        for state in ("today", "close_and_open")
    }
    frame = gpd.read_file(out / "provision.gpkg", layer="provisions close_and_open")
    assert frame.crs.to_epsg() == 27700
    assert "900056" not in set(frame["provision"])
    assert "PRIVATE" in (out / "provision.html").read_text(encoding="utf-8").upper()
    made_from = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert made_from["scenarios"][0]["public"] is False
    assert "srps.csv" in {file["file"] for file in made_from["files"]}


def test_a_second_review_takes_the_place_of_the_first(tmp_path: Path) -> None:
    out, study = tmp_path / "out", SAMPLE / "study.toml"
    (tmp_path / "out").mkdir()
    (out / "notes.txt").write_text("mine", encoding="utf-8")
    for scenarios in (["close_and_open", "open_only"], ["open_only"], []):
        paths = [SCENARIOS / f"{name}.toml" for name in scenarios]
        assert clusters("provision", study, *paths, "--out", out) == 0
        left = sorted(p.name for p in (out / "scenarios").glob("*"))
        assert left == scenarios
    assert (out / "notes.txt").read_text(encoding="utf-8") == "mine"


def test_the_same_inputs_give_the_same_bytes(tmp_path: Path) -> None:
    shuffled = changed(tmp_path, "[provision]", "[provision]")
    for name in ("srps.csv", "lsoa.csv", "primary_need.csv", "schools.csv"):
        path = shuffled.parent / name
        head, *rows = path.read_text(encoding="utf-8").splitlines()
        path.write_text("\n".join([head, *reversed(rows)]) + "\n", encoding="utf-8")
    outs = []
    for k, study in enumerate((SAMPLE / "study.toml", shuffled)):
        outs.append(tmp_path / f"out{k}")
        scenario = SCENARIOS / "close_and_open.toml"
        assert clusters("provision", study, scenario, "--out", outs[-1]) == 0
    names = sorted(p.relative_to(outs[0]) for p in outs[0].rglob("*.csv"))
    assert len(names) > 20
    for name in names:
        assert (outs[0] / name).read_bytes() == (outs[1] / name).read_bytes(), name


def test_the_verb_for_sites_gives_lines_to_paste(capsys: Told) -> None:
    study = SAMPLE / "study.toml"
    assert clusters("sites", study, "ASD", "primary", "--area", "Saltby") == 0
    told = capsys.readouterr().out
    assert "Proven best." in told
    assert "[[open]]" in told
    assert clusters("sites", study, "ASD", "primary", "--fair", "0.99") == 1


# -- real Kent ---------------------------------------------------------------------------------


def _kent(folder: Path) -> Path:
    """Write a Kent study with a small SRP table of our own: no list of Kent's SRPs is public."""
    with (SHARED / "schools_composite.csv").open(encoding="utf-8") as file:
        rows = [
            row for row in csv.DictReader(file)
            if row["LA (name)"] == "Kent" and row["EstablishmentStatus (name)"] == "Open"
        ]  # fmt: skip
    lines = ["urn,phase,need_types,places,on_roll"]
    for phase, places in (("Primary", 15), ("Secondary", 22)):
        urns = sorted(r["URN"] for r in rows if r["PhaseOfEducation (name)"] == phase)
        for k, urn in enumerate(urns[:: len(urns) // 14]):
            types = ("ASD", "SLCN", "ASD;SLCN", "PD", "HI")[k % 5]
            lines.append(f"{urn},{phase.lower()},{types},{places},{places - 2}")
    (folder / "srps.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    base = (ROOT / "benchmarks" / "kent.toml").read_text(encoding="utf-8")
    base = base.replace("../../shared", (ROOT.parent / "shared").as_posix())
    path = folder / "kent.toml"
    path.write_text(
        base
        + f"""
[provision]
file = "srps.csv"
not_by_srp = ["SEMH", "VI"]
[provision.demand]
rates = "{(SHARED / "sen_primary_need_la_phase.csv").as_posix()}"
la = "Kent"
places = "{(SHARED / "idaci.csv").as_posix()}"
share = {{ ASD = 0.06, SLCN = 0.01, PD = 0.06, HI = 0.15 }}
""",
        encoding="utf-8",
    )
    return path


@pytest.mark.real
@needs_real
def test_kent_with_estimated_demand_end_to_end(tmp_path: Path) -> None:
    study = _kent(tmp_path)
    scenario = tmp_path / "open.toml"
    scenario.write_text(
        'name = "open"\n[[open]]\nurn = "118308"\nneed_types = ["ASD"]\nplaces = 16\n',
        encoding="utf-8",
    )
    found = review(study, scenario)
    demand = found.provision.demand
    assert demand is not None
    assert demand.estimated
    assert set(demand.points["area"]) == set(found.inputs.table["area"]), "no child of Medway's"
    asd = demand.rows[demand.rows["need_type"] == "ASD"].groupby("phase")["children"].sum()
    # Rows of special schools and alternative provision are split seven to five.
    special = 3369 + 40 + 1
    assert asd["primary"] == pytest.approx(0.06 * (2886 + special * 7 / 12), rel=1e-6)
    assert asd["secondary"] == pytest.approx(0.06 * (2364 + special * 5 / 12), rel=1e-6)
    reach = found.today.reach
    assert reach is not None
    assert (reach.filled <= reach.provisions["places"].reindex(reach.filled.index) + 1e-6).all()
    lost = reach.rows["placed"].sum() + reach.rows["unmet"].sum()
    assert lost == pytest.approx(reach.rows["children"].sum(), rel=1e-6)
    told = found.side_by_side
    assert told.loc["children without a place"].is_monotonic_decreasing
    assert told.loc["children worse off"].max() == 0
    assert len(pd.DataFrame(found.pathways())) >= 15
