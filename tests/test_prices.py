"""What each rule costs, other good plans, and the curve between two goals."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest

from clustering.publish.options import alternatives_table
from clustering.report import assess, moves
from clustering.run import Result, design
from clustering.solve.prices import cannot_bind, is_set, price_words, rule_prices, without_rule
from clustering.solve.whole import solve
from clustering.study import Study
from clustering.trade_off import TradeOff
from tests.studies import clusters, county, hurry
from tests.test_report import OBVIOUS

ODD = {"together": [["900103", "900207"]]}
"""A primary of the west tied to one of the east: a rule that costs something."""


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)
    monkeypatch.setattr("clustering.solve.options.REWARDS", (5.0,))


def priced(problem, *rules, proven=()):
    plan = solve(problem, effort="quick").plan
    assert plan is not None
    return plan, rule_prices(problem, plan, rules=rules or None, proven=proven).set_index("rule")


LOOSE = {"connected": False, "need_tolerance": "off"}


def test_a_rule_that_binds_costs_what_a_pencil_gives(town):
    """Untied, the obvious plan is best: the tie costs the difference."""
    problem = town(rules={**LOOSE, **ODD})
    plan, table = priced(problem, "together")
    gain = assess(plan, problem).objective - assess(OBVIOUS, town(rules=LOOSE)).objective
    row = table.loc["together"]
    assert gain > 10
    assert row["cost"] == pytest.approx(gain, abs=0.01)
    assert row["cost_percent"] == pytest.approx(100 * gain / row["without"], abs=0.01)
    assert row["minutes_percent"] > 0
    assert row["leavers_kept"] == 12
    assert row["schools_moved"] == 1
    (text,) = price_words(table.reset_index())
    assert text.startswith("together (schools kept together): +")
    assert "about +" in text


def test_proof_decides_how_a_price_is_told(town, monkeypatch):
    problem = town(rules={**LOOSE, **ODD})
    solution = solve(problem, effort="quick")
    told = {}
    for status in ("feasible", "optimal"):
        answer = replace(solution, parts=tuple(replace(p, status=status) for p in solution.parts))
        monkeypatch.setattr("clustering.solve.prices.solve", lambda *a, answer=answer, **k: answer)
        for proven in ((), ("all areas",)):
            table = rule_prices(problem, solution.plan, rules=["together"], proven=proven)
            told[status, bool(proven)] = table["proven"][0]
    assert told == {
        ("feasible", False): "found",
        ("feasible", True): "at least",
        ("optimal", False): "at most",
        ("optimal", True): "exact",
    }


def test_a_rule_without_effect_costs_nothing(town):
    _, table = priced(town(), "connected", "schools")
    assert table["cost"].tolist() == [0, 0]
    assert list(price_words(table.reset_index())) == []


@pytest.mark.parametrize(
    ("rules", "rule", "asked"),
    [
        ({"areas": "price"}, "areas", False),
        ({"areas": "never"}, "areas", True),
        ({"connected": False}, "connected", False),
        ({"need_tolerance": "off"}, "need_tolerance", False),
        ({"need_tolerance": "off", "area": {"Westby": {"need_tolerance": 0.1}}}, None, None),
        ({"secondaries": 0}, "secondaries", False),
        ({"pupils": [0, 9000]}, "pupils", True),
        ({}, "pupils", False),
        ({"apart": [["900101", "900102"]]}, "apart", True),
        ({}, "apart", False),
        ({}, "together", False),
        (ODD, "together", True),
        ({"pinned_hubs": ["900101"]}, "pinned_hubs", True),
        ({"clusters": 2}, "clusters", True),
        ({"area": {"Westby": {"clusters": 1}}}, "clusters", True),
        ({}, "locked", False),
        ({"hub": "secondary"}, "hub", True),
    ],
)
def test_only_rules_that_are_set_have_a_price(town, rules, rule, asked):
    if rule is None:
        assert is_set(town(rules=rules), "need_tolerance")
    else:
        assert is_set(town(rules=rules), rule) == asked


def test_what_no_cluster_can_break_is_not_solved_for(town, monkeypatch):
    """45 minutes are farther than any two schools; 8 of 18 schools are 6 primaries at least."""
    problem = town(rules={"max_minutes_to_hub": 120, "primaries": 6})
    assert cannot_bind(problem, "max_minutes_to_hub")
    assert cannot_bind(problem, "primaries")
    assert not cannot_bind(town(rules={"primaries": 7}), "primaries")
    assert not cannot_bind(town(rules={"max_minutes_to_hub": 20}), "max_minutes_to_hub")
    assert not cannot_bind(problem, "secondaries")
    monkeypatch.setattr("clustering.solve.prices.solve", None)
    table = rule_prices(problem, OBVIOUS, rules=["max_minutes_to_hub", "primaries"])
    assert table["proven"].tolist() == ["exact", "exact"]
    assert table["cost"].tolist() == [0, 0]


def test_areas_keep_what_is_their_own_when_a_rule_goes(town):
    """Taking away one rule must not take away an area's other limits, nor its shared secondary."""
    rules = {
        "areas": "never",
        "primaries": 3,
        "area": {"Westby": {"schools": [4, 6], "associates": ["900100"], "primaries": 2}},
    }
    eased = without_rule(town(rules=rules), OBVIOUS, "primaries").rules
    own = eased.area["Westby"]
    assert (eased.primaries, own.primaries) == (0, None)
    assert (own.schools, own.associates, own.clusters) == ((4, 6), ("900100",), (1, 1))
    assert eased.area["Eastby"].clusters == (1, 1)
    open_ = without_rule(town(rules=rules), OBVIOUS, "areas").rules
    assert (open_.areas, open_.clusters) == ("ignore", (2, 2))
    assert open_.area["Westby"].clusters is None


def test_borders_have_a_price(town, schools):
    """Two schools of the west counted to the east's district: the border makes them travel."""
    schools.loc[["900104", "900105"], "area"] = "Eastby"
    rules = {"areas": "never", "connected": False, "need_tolerance": "off", "schools": [7, 11]}
    plan, table = priced(town(schools=schools, rules=rules), "areas")
    row = table.loc["areas"]
    assert plan.cluster_of["900104"] == plan.cluster_of["900200"]
    assert row["cost"] > 50
    assert row["minutes_percent"] > 50
    assert row["schools_moved"] == 2


def test_a_lock_has_a_price(town):
    from clustering.run import redrawn

    odd = OBVIOUS.swap("900103", "900207").lock("Westby 1")
    problem = redrawn(town(rules=LOOSE), odd, change=0.0)
    _, table = priced(problem, "locked")
    assert table.at["locked", "cost"] > 10
    assert table.at["locked", "schools_moved"] == 2


def test_stopped_work_says_so(town):
    table = rule_prices(town(), OBVIOUS, rules=["schools"], stop=lambda: True)
    assert table["proven"].tolist() == ["not looked at"]
    assert table["cost"].isna().all()
    with pytest.raises(ValueError, match="no rule happiness"):
        rule_prices(town(), OBVIOUS, rules=["happiness"])


# -- a result and the command line -----------------------------------------------------------------


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """A design of the invented county."""
    with pytest.MonkeyPatch.context() as patch:
        hurry(patch)
        return design(Study.load(county().write(tmp_path_factory.mktemp("county"))))


def test_alternatives_of_a_result_differ_and_tell_what_changed(result: Result) -> None:
    found = result.alternatives(k=2, within=0.3)
    assert found
    plans = [result.plan, *(option.plan for option in found)]
    for a, b in itertools.combinations(plans, 2):
        assert len(moves(a, b)) > 0
    for option in found:
        assert assess(option.plan, result.inputs.problem).ok
        assert option.objective <= 1.3 * result.solution.objective + 0.01
    assert str(found[0].plan.changed).startswith("No school moves.")
    table = alternatives_table(result.solution, found)
    assert table["above_best_percent"].max() <= 30


def test_the_curve_between_two_goals_is_drawn(result: Result) -> None:
    curve = result.trade_off("minutes", "balance", factors=(0.0, 4.0))
    assert curve.table["factor"].tolist() == [0.0, 1.0, 4.0]
    root = ElementTree.fromstring(curve.svg())
    circles = root.findall("{http://www.w3.org/2000/svg}circle")
    assert len(circles) == 3
    assert "balance against minutes" in curve.svg()
    assert "<table" in curve._repr_html_()


def test_only_plans_that_nothing_beats_are_on_the_curve() -> None:
    table = pd.DataFrame(
        {"factor": [0.5, 1, 2], "minutes": [10.0, 20.0, 30.0], "balance": [9.0, 9.5, 1.0]}
    )
    curve = TradeOff("minutes", "balance", table)
    assert curve.best["factor"].tolist() == [0.5, 2.0]
    same = TradeOff("minutes", "balance", table.assign(minutes=5.0))
    assert same.best["factor"].tolist() == [2.0]
    ElementTree.fromstring(same.svg())


def test_design_with_prices_and_alternatives(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study, run = county().write(tmp_path / "study"), tmp_path / "run"
    extra = ("--prices", "--alternatives", 2, "--within", 0.3)
    assert clusters("design", study, "--out", run, *extra) == 0
    told = capsys.readouterr().out
    assert "What rules cost" in told
    assert "Alternatives" in told
    prices = pd.read_csv(run / "prices.csv")
    assert {"areas", "schools", "need_tolerance"} <= set(prices["rule"])
    dear = prices[(prices["place"] == "all areas") & (prices["cost"] > 0)]
    page = (run / "map.html").read_text(encoding="utf-8")
    for rule in dear["rule"]:
        assert f"What rules cost, against the best plan found without each: {rule} (" in page
    assert len(json.loads((run / "report.json").read_text("utf-8"))["prices"]) == len(prices)
    assert "prices" in pd.read_excel(run / "plan.xlsx", sheet_name=None)
    table = pd.read_csv(run / "alternatives" / "alternatives.csv")
    assert table["above_best_percent"].max() <= 30
    bound = json.loads((run / "report.json").read_text("utf-8"))["bound"]
    for number in range(1, len(table)):
        folder = run / "alternatives" / str(number)
        found = json.loads((folder / "report.json").read_text(encoding="utf-8"))
        assert found["objective"] == pytest.approx(table["objective"][number], abs=0.01)
        assert found["bound"] == bound
        assert sum(p["objective"] for p in found["parts"]) == pytest.approx(found["objective"])
        assert clusters("assess", study, folder / "plan.csv") == 0
        assert clusters("map", folder) == 0
    compared = pd.read_csv(run / "alternatives" / "compare_pairs.csv")
    assert len(compared) == len(table) * (len(table) - 1) / 2
    # A run without them leaves none of an earlier one.
    assert clusters("design", study, "--out", run) == 0
    assert not (run / "prices.csv").exists()
    assert not (run / "alternatives").exists()


def test_design_starts_from_a_plan_and_moves_few(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], result: Result
) -> None:
    study = county().write(tmp_path)
    away = next(
        urn
        for urn in result.plan["Westmoor 2"].schools
        if assess(result.plan.move(urn, to="Westmoor 1"), result.inputs.problem).ok
    )
    result.plan.move(away, to="Westmoor 1").write_csv(tmp_path / "mine.csv")
    args = ("--start", tmp_path / "mine.csv", "--change", 500, "--out", tmp_path / "run")
    assert clusters("design", study, *args) == 0
    assert "No school moves" in capsys.readouterr().out
    cheap = ("--start", tmp_path / "mine.csv", "--change", 0, "--out", tmp_path / "run")
    assert clusters("design", study, *cheap) == 0
    told = capsys.readouterr().out
    assert f"({away}) moves from Westmoor 1 to Westmoor 2" in told


def test_a_result_tells_what_it_changed(town) -> None:
    start = OBVIOUS.move("900204", "Westby 1")
    problem = town()
    from clustering.run import redrawn

    solution = solve(redrawn(problem, start, change=0.0), start=start, effort="quick")
    result = Result(_Only(problem), solution, None, start)  # type: ignore[arg-type]
    assert "E4 Primary School (900204) moves from Westby 1 to Eastby 1" in str(result.changed)
    with pytest.raises(ValueError, match="started from no plan"):
        replace(result, start=None).changed  # noqa: B018


class _Only:
    """Inputs of which only the problem is asked for."""

    existing = None

    def __init__(self, problem: object) -> None:
        self.problem = problem
