"""Rules that contradict each other: both are named, with the schools and a line to mend either."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from clustering.rules import Rules
from clustering.run import redrawn
from clustering.solve.checks import possible_counts
from clustering.solve.conflicts import path
from clustering.solve.model import build_model
from clustering.solve.remedies import ranked
from clustering.solve.whole import solve
from tests.studies import County, clusters, county, hurry
from tests.test_report import EAST, OBVIOUS, WEST


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)


def reasons(problem):
    found = []
    for part in problem.parts():
        found += possible_counts(problem, part, build_model(problem, part))[1]
    return found


def only(problem):
    (reason,) = reasons(problem)
    return reason


def says(reason, *words):
    for word in words:
        assert word in reason.text, reason.text


def test_no_rules_no_conflict(town):
    assert reasons(town()) == []
    assert reasons(redrawn(town(), OBVIOUS.lock("Westby 1", "900201"), change=0.0)) == []


def test_a_tie_and_a_ban(town):
    rules = {"together": [["900101", "900102"], ["900102", "900103"]], "apart": [WEST[1:4]]}
    reason = only(town(rules=rules))
    says(reason, "W1 Primary School (900101) and W2 Primary School (900102)")
    says(reason, "[rules] together ties", "[rules] apart")
    assert reason.rules == ("together", "apart")
    lines = [remedy.toml for remedy in reason.remedies]
    assert '[rules]\ntogether = [["900102", "900103"]]' in lines
    assert any(line.startswith("[rules]\napart = ") for line in lines)


def test_a_tie_of_its_own_accord_and_a_ban(town):
    from clustering.problem import Bond

    problem = town(
        rules={"apart": [["900101", "900102"]]}, ties=[Bond(("900101", "900102"), "infant_junior")]
    )
    reason = only(problem)
    says(reason, '[rules] keep_together = "infant_junior"', "[rules] apart")
    assert reason.rules == ("keep_together", "apart")
    assert '[rules]\nkeep_together = ["same_site"]' in [r.toml for r in reason.remedies]


def test_a_lock_and_a_ban(town):
    problem = town(rules={"apart": [["900101", "900105"]]}, sealed={"Mill": WEST})
    reason = only(problem)
    says(reason, "W1 Primary School (900101) and W5 Primary School (900105)")
    says(reason, "[existing] locked ties 9 schools", "[rules] apart")
    assert "[existing]\nlocked = []" in [r.toml for r in reason.remedies]


def test_a_lock_and_a_tie_out_of_it(town):
    problem = town(rules={"together": [["900101", "900201"]]}, sealed={"Mill": WEST})
    reason = only(problem)
    says(reason, 'The locked cluster "Mill" ([existing] locked)', "E1 Primary School (900201)")
    says(reason, "[rules] together ties W1 Primary School (900101) and E1 Primary School")
    assert set(reason.rules) == {"locked", "together"}
    assert {r.toml for r in reason.remedies} == {
        "[rules]\ntogether = []",
        "[existing]\nlocked = []",
    }


def test_two_locks_of_one_school(town):
    """The study locks today's cluster, the plan another that shares a school with it."""
    plan = OBVIOUS.move("900204", "Westby 1").lock("Westby 1")
    problem = redrawn(town(sealed={"Mill": EAST}), plan, change=0.0)
    found = reasons(problem)
    assert found
    text = " ".join(reason.text for reason in found)
    for word in ('"Mill" ([existing] locked)', '"Westby 1" (locked in the plan)'):
        assert word in text
    remedies = {(r.text, r.toml) for reason in found for r in reason.remedies}
    assert ('Take the lock off in the plan: plan.unlock("Westby 1").', "") in remedies
    assert ('Unlock today\'s cluster "Mill".', "[existing]\nlocked = []") in remedies


def test_two_pins_in_one_cluster(town):
    rules = {"together": [["900101", "900105"]], "pinned_hubs": ["900101", "900105"]}
    reason = only(town(rules=rules))
    says(reason, "W1 Primary School (900101) and W5 Primary School (900105) are both pinned")
    says(reason, "[rules] pinned_hubs", "[rules] together ties")
    lines = [remedy.toml for remedy in reason.remedies]
    assert '[rules]\npinned_hubs = ["900105"]' in lines
    assert '[rules]\npinned_hubs = ["900101"]' in lines
    assert "[rules]\ntogether = []" in lines


def test_the_hub_of_a_lock_and_a_pin(town):
    problem = redrawn(town(rules={"pinned_hubs": ["900105"]}), OBVIOUS.lock("Westby 1"), change=0.0)
    reason = only(problem)
    says(reason, "WS Academy (900100) and W5 Primary School (900105)", "a lock in the plan ties")
    assert [r.toml for r in reason.remedies if r.toml] == ["[rules]\npinned_hubs = []"]


def test_more_pins_than_clusters(town):
    rules = {"pinned_hubs": ["900101", "900105", "900201"]}
    reason = only(town(rules=rules))
    says(reason, "3 pinned hubs make at least 3 clusters", "at most 2 clusters")
    (line,) = [r.toml for r in reason.remedies if "pinned_hubs" in r.toml]
    left = Rules.model_validate({"pinned_hubs": json.loads(line.split(" = ")[1])}).pinned_hubs
    assert len(left) == 2
    assert "900201" in left


def test_more_apart_than_clusters(town):
    rules = {"apart": [["900101", "900105", "900201"], ["900102", "900202"]]}
    reason = only(town(rules=rules))
    says(reason, "3 schools kept apart (W1 Primary School, W5", "at most 2 clusters")
    assert '[rules]\napart = [["900102", "900202"]]' in [r.toml for r in reason.remedies]


def test_a_lock_that_breaks_a_rule_by_itself(town):
    problem = town(sealed={"Mill": WEST}, rules={"schools": [4, 8], "connected": False})
    reason = only(problem)
    says(reason, 'The locked cluster "Mill" ([existing] locked)', "9 schools and 2,400 pupils")
    says(reason, "number of schools ([rules] schools)")
    waiver = '[rules.cluster."Mill"]\ncontains = "900100"\nschools = [4, 9]'
    assert waiver in [r.toml for r in reason.remedies]


def test_the_path_is_the_shortest(town):
    rules = {"together": [["900101", "900102"], ["900102", "900103"], ["900101", "900103"]]}
    problem = town(rules=rules)
    assert [bond.urns for bond in path(problem, "900101", "900103")] == [("900101", "900103")]
    assert path(problem, "900101", "900201") == []


def test_remedies_stand_in_the_order_of_their_cost(town):
    """Letting the two part is nearly free; keeping W1 with E1 takes half an hour."""
    rules = {
        "together": [["900101", "900201"]],
        "apart": [["900101", "900201"]],
        "connected": False,
        "need_tolerance": "off",
    }
    problem = town(rules=rules)
    (reason,) = ranked(problem, reasons(problem), seed=1)
    costs = [remedy.cost for remedy in reason.remedies]
    assert None not in costs
    assert costs == sorted(costs)
    assert reason.remedies[0].toml == "[rules]\ntogether = []"
    assert costs[1] > costs[0] + 10
    solution = solve(problem, effort="quick")
    assert solution.status == "infeasible"
    assert [r.toml for r in solution.reasons[0].remedies] == [r.toml for r in reason.remedies]


# -- from the study file ---------------------------------------------------------------------------


def _locked_and_apart() -> County:
    whole = county()
    whole.study["existing"]["locked"] = ["Community 1"]
    first = whole.existing.loc[whole.existing["cluster"] == "Community 1", "urn"].tolist()
    whole.study["rules"]["apart"] = [first[:2]]
    return whole


def _locked_and_tied() -> County:
    whole = county()
    whole.study["existing"]["locked"] = ["Community 1"]
    of = whole.existing.groupby("cluster")["urn"].first()
    whole.study["rules"]["together"] = [[of["Community 1"], of["Community 2"]]]
    return whole


def _pinned_twice() -> County:
    whole = county()
    whole.study["rules"] |= {
        "together": [["910001", "910005"]],
        "pinned_hubs": ["910001", "910005"],
    }
    return whole


def _pinned_too_often() -> County:
    whole = county()
    whole.study["rules"]["pinned_hubs"] = ["910001", "910003", "910005", "910012"]
    return whole


def _lock_too_large() -> County:
    whole = county()
    whole.study["rules"]["schools"] = [4, 6]
    whole.existing["cluster"] = whole.existing["cluster"].replace("Community 2", "Community 1")
    moved = whole.existing.index[whole.existing["cluster"] == "Community 1"][7:]
    whole.existing.loc[moved, "cluster"] = "Community 2"
    whole.study["existing"]["locked"] = ["Community 1"]
    return whole


CASES = (_locked_and_apart, _locked_and_tied, _pinned_twice, _pinned_too_often, _lock_too_large)


@pytest.mark.parametrize("make", CASES, ids=lambda make: make.__name__.strip("_"))
def test_each_line_offered_mends_the_study(tmp_path: Path, make) -> None:
    study = make().write(tmp_path / "study")
    assert clusters("design", study, "--out", tmp_path / "run") == 1
    found = json.loads((tmp_path / "run" / "report.json").read_text(encoding="utf-8"))
    assert found["status"] == "infeasible"
    assert len(found["remedies"]) >= 2 - (make is _pinned_too_often)
    costs = [r["objective"] for r in found["remedies"]]
    known = [cost for cost in costs if cost is not None]
    assert known == sorted(known) == costs[: len(known)]
    for number, remedy in enumerate(found["remedies"]):
        whole = make()
        whole.merge(remedy["study"])
        mended = whole.write(tmp_path / str(number))
        # A line may leave another rule that counting does not forbid; it ends this contradiction.
        assert clusters("check", mended) == 0, remedy
