"""A school that opts out: on the map and in the lists, in no cluster, size, mean or flow."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from clustering.inputs import load_inputs
from clustering.opting import opted_out_table, opted_out_words
from clustering.plan import Plan, plan_from_frame, read_plan
from clustering.report import assess
from clustering.run import design, redrawn
from clustering.solve.whole import solve
from clustering.solve.why import reasons_of_schools
from clustering.study import Study
from geo.errors import PlanError
from tests.conftest import town_flows
from tests.studies import clusters, county, hurry
from tests.test_report import EAST, OBVIOUS, WEST

GONE = "900105"


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)


def test_it_leaves_every_count(town):
    report = assess(OBVIOUS.opt_out(GONE), town())
    assert report.ok
    row = report.clusters.set_index("cluster").loc["Westby 1"]
    assert (row["schools"], row["pupils"], row["need"]) == (8, 2200, 2200)
    assert (row["feeder_pupils_kept"], row["feeder_pupils_lost"]) == (140, 56)
    # The mean is that of 17 schools: 2,300; each cluster misses it by 100/2300 = 4.3 %.
    assert report.goals["balance"] == pytest.approx(2 * 0.7 * 100 * 100 / 2300, abs=0.02)


def test_a_plan_and_a_study_that_opt_it_out_agree(town):
    by_plan = assess(OBVIOUS.opt_out(GONE), town())
    problem = town(rules={"opt_out": [GONE]})
    by_study = assess(solve(problem, effort="quick").plan, problem)
    assert by_study.objective == by_plan.objective
    pd.testing.assert_frame_equal(by_study.clusters, by_plan.clusters)


def test_without_it_the_rest_is_solved_as_if_it_were_not_there(town, schools):
    fewer = schools.drop(index=GONE)
    alone = solve(town(schools=fewer), effort="quick")
    out = solve(town(rules={"opt_out": {GONE: "declined"}}), effort="quick")
    assert out.plan.clusters == alone.plan.clusters
    assert out.objective == alone.objective
    assert out.plan.opted_out == ((GONE, "declined"),)


def test_rules_that_name_it_no_longer_do(town):
    rules = {
        "together": [[GONE, "900201"], ["900101", "900102"]],
        "apart": [[GONE, "900100"]],
        "pinned_hubs": [GONE],
        "cluster": {"Mill": {"contains": GONE, "primaries": 30}},
        "area": {"Westby": {"associates": [GONE]}},
    }
    assert not assess(OBVIOUS, town(rules=rules)).ok
    assert assess(OBVIOUS.opt_out(GONE), town(rules=rules)).ok


def test_out_and_in_again(town):
    out = OBVIOUS.lock(GONE).opt_out(GONE, "declined in May")
    assert out.opted_out == ((GONE, "declined in May"),)
    assert out.locked == frozenset()
    assert out.opt_in(GONE, to="Westby 1") == OBVIOUS
    with pytest.raises(PlanError, match="has opted out"):
        out.move(GONE, "Eastby 1")
    with pytest.raises(PlanError, match="has not opted out"):
        OBVIOUS.opt_in(GONE, to="Westby 1")
    with pytest.raises(PlanError, match="not in the plan"):
        OBVIOUS.opt_out("123456")
    with pytest.raises(PlanError, match="opted out and stands in a cluster"):
        Plan(OBVIOUS.clusters, opted_out=((GONE, "?"),))


def test_a_hub_that_opts_out_leaves_another_behind():
    assert OBVIOUS.opt_out("900100")["Westby 1"].hub == "900101"
    assert OBVIOUS.opt_out("900100", hub="900104")["Westby 1"].hub == "900104"


def test_its_row_survives_the_file(town, tmp_path):
    out = OBVIOUS.opt_out(GONE, "declined in May")
    out.write_csv(tmp_path / "plan.csv")
    lines = (tmp_path / "plan.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "urn,cluster,hub,opted_out"
    assert f"{GONE},,,declined in May" in lines
    assert read_plan(tmp_path / "plan.csv", town()) == out
    assert len(lines) == 1 + len(WEST) + len(EAST)


def test_a_row_cannot_say_both(town):
    table = OBVIOUS.to_frame().assign(opted_out="")
    table.loc[table["urn"] == GONE, "opted_out"] = "declined"
    with pytest.raises(PlanError, match=r"row 7.*opted out and stands in a cluster"):
        plan_from_frame(table, town(), file="plan.csv")


def test_what_the_study_opts_out_is_out_of_every_plan(town):
    problem = town(rules={"opt_out": {GONE: "declined", "900100": "new head"}})
    plan = plan_from_frame(OBVIOUS.to_frame(), problem)
    assert dict(plan.opted_out) == {GONE: "declined", "900100": "new head"}
    assert plan["Westby 1"].hub in set(WEST) - {GONE, "900100"}
    with pytest.raises(PlanError, match=r"has opted out.*\[rules\] opt_out"):
        problem.positions([GONE])


def test_a_redrawn_plan_keeps_it_out(town):
    start = OBVIOUS.opt_out(GONE)
    problem = redrawn(town(), start, change=15.0)
    solution = solve(problem, start=start, effort="quick")
    assert solution.plan.opted_out == start.opted_out
    assert len(reasons_of_schools(solution.plan, town())) == 17


def test_its_flows_are_named_and_small_numbers_are_not(town, schools):
    links = town_flows(schools).assign(estimated=False)
    table = opted_out_table(OBVIOUS.opt_out("900100", "new head").opted_out, schools, links)
    assert table.iloc[0][["leavers_come", "leavers_go", "from_schools"]].tolist() == [224, 0, 16]
    (text,) = opted_out_words(table)
    assert "WS Academy (900100) has opted out (new head)" in text
    assert "About 224 leavers a year come to it from 16 schools" in text
    assert "neither as kept nor as lost" in text
    (few,) = opted_out_words(table.assign(leavers_come=3.0))
    assert "ewer than 5 leavers" in few


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """The invented county, of which one primary declined."""
    whole = county()
    whole.study["rules"]["opt_out"] = {"910003": "governors declined in May"}
    return whole.write(tmp_path)


def test_a_run_lists_it_with_its_reason(study: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert clusters("design", study, "--out", run) == 0
    plan = pd.read_csv(run / "plan.csv", dtype=str, keep_default_na=False).set_index("urn")
    assert len(plan) == 24
    row = plan.loc["910003"]
    assert (row["cluster"], row["hub"]) == ("", "")
    assert row["opted_out"] == "governors declined in May"
    sheet = pd.read_excel(run / "plan.xlsx", dtype=str, keep_default_na=False).set_index("urn")
    assert sheet.at["910003", "opted_out"] == "governors declined in May"
    assert sheet.at["910003", "existing_cluster"].startswith("Community")
    found = json.loads((run / "report.json").read_text(encoding="utf-8"))
    assert "West Cedar Primary School (910003) has opted out" in found["opted_out"][0]
    rows = pd.read_csv(run / "clusters.csv")
    assert rows["schools"].sum() == 23
    assert clusters("assess", study, run / "plan.csv") == 0
    assert clusters("assess", study, run / "plan.xlsx") == 0


def test_the_map_shows_it_apart_and_keeps_the_reason_back(study: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert clusters("design", study, "--out", run) == 0
    page = (run / "map.html").read_text(encoding="utf-8")
    assert "Grey: opted out: in no cluster" in page
    assert page.count('data-urn="910003"') == 1
    assert "governors declined" not in page
    apart = page.index("data-alone")
    assert page.index('data-urn="910003"') > apart


def test_check_and_assess_say_it(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert clusters("check", study) == 0
    told = capsys.readouterr().out
    assert "23 schools are in" in told
    assert "1 opted out" in told
    assert "governors declined in May" in told
    # Today's list still has it; it is scored without.
    assert clusters("assess", study, study.parent / "existing.csv") in (0, 1)
    assert "West Cedar Primary School (910003) has opted out" in capsys.readouterr().out


def test_a_rule_that_names_it_is_a_contradiction(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = county()
    whole.study["rules"] |= {
        "opt_out": ["910003", "999999"],
        "together": [["910003", "910004"]],
        "pinned_hubs": ["910003"],
    }
    assert clusters("check", whole.write(tmp_path)) == 2
    told = capsys.readouterr().err
    assert "[rules] together names it, and [rules] opt_out takes it out" in told
    assert "[rules] pinned_hubs names it" in told
    assert "opt_out names 999999" in told


def test_the_budget_of_no_cluster_holds_its_share(tmp_path: Path) -> None:
    whole = county()
    whole.study["budget"] = {"pot": 1_000_000}
    whole.study["rules"]["opt_out"] = ["910003"]
    study = Study.load(whole.write(tmp_path))
    result = design(study, inputs=load_inputs(study))
    table = result.money().table
    assert table["schools"].sum() == 23
    assert table["budget"].sum() < 1_000_000


def test_an_edited_workbook_can_be_todays_clusters(study: Path, tmp_path: Path) -> None:
    """The planner's own plan.xlsx becomes the clusters of today, scored and kept as a start."""
    run = tmp_path / "run"
    assert clusters("design", study, "--out", run) == 0
    text = study.read_text(encoding="utf-8").replace("existing.csv", "run/plan.xlsx")
    study.write_text(text, encoding="utf-8")
    inputs = load_inputs(Study.load(study))
    assert inputs.existing == read_plan(run / "plan.csv", inputs.problem)
    assert assess(inputs.existing, inputs.problem).ok
