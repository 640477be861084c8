"""Minutes from hubs to SRPs: the rule kept, broken, impossible and mended; the price."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from clustering.outputs import SRP_COLUMNS, clusters_table
from clustering.plan import plan_from_frame
from clustering.problem import build_problem
from clustering.report import assess
from clustering.rules import Rules, srp_price
from clustering.run import redrawn
from clustering.solve.checks import eased, possible_counts
from clustering.solve.explain import explain
from clustering.solve.model import build_model
from clustering.solve.options import trade_off
from clustering.solve.prices import cannot_bind, is_set, rule_prices
from clustering.solve.whole import solve
from clustering.solve.why import reasons_of_schools
from geo.errors import StudyError
from tests.conftest import crow_minutes, town_schools
from tests.studies import clusters, county, hurry
from tests.test_report import EAST, OBVIOUS, WEST, rules_broken

PRIMARY, SECONDARY = "ASD primary", "SLCN secondary"


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)


def table(far: float = 60.0, **minutes: float) -> pd.DataFrame:
    """Return a reach table of the town: `far` from everywhere but the schools given (`u900101`)."""
    urns = town_schools().index
    near = {name[1:]: value for name, value in minutes.items()}
    return pd.DataFrame({PRIMARY: [near.get(urn, far) for urn in urns]}, index=urns)


def reasons(problem):
    return [
        reason
        for part in problem.parts()
        for reason in possible_counts(problem, part, build_model(problem, part))[1]
    ]


def only(problem):
    (reason,) = reasons(problem)
    return reason


def mended(problem, remedy):
    """Return the problem with the lines of a remedy in its study; it has no contradiction left."""
    after = remedy.mended or problem.with_rules(eased(problem.rules, remedy.toml))
    assert reasons(after) == []
    return after


# -- the rule ----------------------------------------------------------------------------------


def test_the_rule_moves_the_hub(town):
    reach = table(30.0, u900100=50.0)
    free = solve(town(reach=reach), effort="quick")
    held = town(reach=reach, rules={"max_minutes_to_srp": 45})
    found = solve(held, effort="quick")
    assert {c.hub for c in free.plan.clusters} == {"900100", "900200"}
    west = next(c.hub for c in found.plan.clusters if c.hub < "900200")
    assert west != "900100"
    report = assess(found.plan, held)
    assert report.ok
    assert found.objective == pytest.approx(report.objective)
    assert found.objective > free.objective


def test_a_breach_names_cluster_hub_type_minutes_and_limit(town):
    reach = table(30.0, u900100=51.26)
    report = assess(OBVIOUS, town(reach=reach, rules={"max_minutes_to_srp": {PRIMARY: 45}}))
    (breach,) = report.breaches
    assert breach.text == (
        "The hub of Westby 1, WS Academy (900100), is 51.3 minutes from the nearest SRP for ASD "
        "primary; the rule is at most 45."
    )
    assert (breach.rule, breach.cluster) == ("max_minutes_to_srp", "Westby 1")
    assert breach.urns == ("900100",)
    assert breach.amount == pytest.approx(6.3)
    for kept in (51.3, "off", {PRIMARY: 52}):
        assert assess(OBVIOUS, town(reach=reach, rules={"max_minutes_to_srp": kept})).ok


def test_each_type_has_its_own_limit_and_no_limit_is_none(town):
    reach = table(30.0).assign(**{SECONDARY: 70.0})
    assert assess(OBVIOUS, town(reach=reach, rules={"max_minutes_to_srp": {PRIMARY: 30}})).ok
    both = {PRIMARY: 29, SECONDARY: 60}
    texts = [b.text for b in assess(OBVIOUS, town(reach=reach, rules=_rule(both))).breaches]
    assert len(texts) == 4
    assert sum("SLCN secondary; the rule is at most 60" in text for text in texts) == 2


def _rule(limit, **rules):
    return {"max_minutes_to_srp": limit, **rules}


def test_an_area_and_a_named_cluster_set_it_for_themselves(town):
    reach = table(50.0)
    west = {"Westby": {"max_minutes_to_srp": {PRIMARY: 55}}}
    report = assess(OBVIOUS, town(reach=reach, rules=_rule(45, area=west)))
    assert [b.cluster for b in report.breaches] == ["Eastby 1"]
    named = {"Far": {"contains": "900205", "max_minutes_to_srp": "off"}}
    assert assess(OBVIOUS, town(reach=reach, rules=_rule(45, area=west, cluster=named))).ok


@pytest.mark.parametrize("wrong", [0, -5, True, "often", {}, {PRIMARY: 0}, float("inf"), [45]])
def test_limits_are_minutes_above_nothing(wrong):
    with pytest.raises(ValueError, match="give minutes above 0"):
        Rules(max_minutes_to_srp=wrong)


# -- too few hubs, and what mends it ---------------------------------------------------------------


@pytest.mark.parametrize(("limit", "line"), [(45, "52"), ({PRIMARY: 45}, '{ "ASD primary" = 52 }')])
def test_no_hub_in_an_area(town, limit, line):
    reach = table(60.0, u900103=51.2, **{f"u{urn}": 40.0 for urn in EAST})
    problem = town(reach=reach, rules=_rule(limit, areas="never"))
    reason = only(problem)
    assert reason.place == "Westby"
    assert "max_minutes_to_srp" in reason.rules
    assert "no school is near enough to every type of SRP to be a hub" in reason.text
    assert "W3 Primary School (900103), is 51.2 minutes from the nearest SRP" in reason.text
    assert "ASD primary, and the rule is at most 45" in reason.text
    (remedy,) = [r for r in reason.remedies if "max_minutes_to_srp" in r.toml]
    assert remedy.toml == f'[rules.area."Westby"]\nmax_minutes_to_srp = {line}'
    after = mended(problem, remedy)
    solution = solve(after, effort="quick")
    assert assess(solution.plan, after).ok
    assert "900103" in {c.hub for c in solution.plan.clusters}
    assert solve(problem, effort="quick").status == "infeasible"


def test_fewer_hubs_than_clusters(town):
    reach = table(60.0, u900103=30.0, u900203=50.5)
    problem = town(reach=reach, rules=_rule(45))
    reason = only(problem)
    assert "only one of its schools is near enough" in reason.text
    assert "E3 Primary School (900203), is 50.5 minutes" in reason.text
    assert "makes at most 1 cluster" in reason.text
    line = "[rules]\nmax_minutes_to_srp = 51"
    (remedy,) = [r for r in reason.remedies if r.toml == line]
    assert solve(mended(problem, remedy), effort="quick").plan is not None


def test_two_hubs_that_share_a_cluster_are_one(town):
    reach = table(60.0, u900101=30.0, u900102=30.0)
    problem = town(reach=reach, rules=_rule(45, together=[["900101", "900102"]]))
    assert "makes at most 1 cluster" in only(problem).text


def test_a_remedy_raises_the_limit_where_it_is_set(town):
    """Over open borders an area's own limit counts too: both lines are offered together."""
    west = {"Westby": {"max_minutes_to_srp": 20}}
    problem = town(reach=table(52.0), rules=_rule(45, area=west))
    (remedy,) = [r for r in only(problem).remedies if "max_minutes_to_srp" in r.toml]
    found = tomllib.loads(remedy.toml)["rules"]
    assert found == {"max_minutes_to_srp": 52, "area": {"Westby": {"max_minutes_to_srp": 52}}}
    mended(problem, remedy)


def test_secondaries_as_hubs_may_be_what_stands_in_the_way(town):
    reach = table(30.0, u900100=90.0, u900200=90.0)
    problem = town(reach=reach, rules=_rule(45, hub="secondary"))
    lines = [r.toml for r in only(problem).remedies]
    assert '[rules]\nhub = "any"' in lines
    assert "[rules]\nmax_minutes_to_srp = 90" in lines


def test_schools_without_a_hub_in_reach(town):
    """Two hubs in the west would do for two clusters, but the east is too far from both."""
    reach = table(60.0, u900103=30.0, u900107=30.0, u900205=47.0)
    problem = town(reach=reach, rules=_rule(45, max_minutes_to_hub=10))
    reason = only(problem)
    assert reason.rules == ("max_minutes_to_srp", "max_minutes_to_hub")
    assert "and 4 others: no school within 10 minutes is near enough" in reason.text
    assert "E5 Primary School (900205), is 47 minutes" in reason.text
    nearer, farther = reason.remedies
    assert nearer.toml == "[rules]\nmax_minutes_to_srp = 47"
    assert farther.toml.startswith("[rules]\nmax_minutes_to_hub = ")
    for remedy in (nearer, farther):
        mended(problem, remedy)


def test_a_named_cluster_without_a_hub_in_reach(town):
    named = {"Far": {"contains": "900105", "max_minutes_to_srp": 20}}
    problem = town(reach=table(30.0), rules=_rule(45, cluster=named))
    reason = only(problem)
    assert reason.text.startswith("W5 Primary School (900105): no school within 45 minutes")
    assert "is 30 minutes from the nearest SRP for ASD primary, and the rule is at most 20" in (
        reason.text
    )
    assert reason.remedies[0].toml == '[rules.cluster."Far"]\nmax_minutes_to_srp = 30'
    mended(problem, reason.remedies[0])


def test_a_named_cluster_may_also_reach_farther(town):
    far = {"contains": "900105", "max_minutes_to_srp": 20, "max_minutes_to_hub": 10}
    reach = table(30.0, u900201=15.0)
    problem = town(reach=reach, rules=_rule(45, cluster={"Far": far}))
    farther = only(problem).remedies[1]
    way = problem.minutes[problem.position["900105"], problem.position["900201"]]
    assert farther.toml == f'[rules.cluster."Far"]\nmax_minutes_to_hub = {int(np.ceil(way))}'
    mended(problem, farther)


def test_a_pinned_hub_beyond_the_rule(town):
    problem = town(reach=table(30.0, u900100=51.2), rules=_rule(45, pinned_hubs=["900100"]))
    reason = only(problem)
    assert reason.rules == ("pinned_hubs", "max_minutes_to_srp")
    assert "WS Academy (900100) is pinned as a hub" in reason.text
    assert "51.2 minutes from the nearest SRP for ASD primary" in reason.text
    lines = [r.toml for r in reason.remedies]
    assert lines == ["[rules]\npinned_hubs = []", "[rules]\nmax_minutes_to_srp = 52"]
    for remedy in reason.remedies:
        mended(problem, remedy)


def test_a_pinned_hub_within_the_rule_of_its_own_area(town):
    rules = _rule(45, areas="never", pinned_hubs=["900100"], hub="secondary")
    rules["area"] = {"Westby": {"max_minutes_to_srp": 60}}
    assert reasons(town(reach=table(40.0, u900100=51.2), rules=rules)) == []


def test_the_hub_of_a_lock_beyond_the_rule(town):
    problem = town(reach=table(30.0, u900100=51.2), rules=_rule(45))
    (reason,) = reasons(redrawn(problem, OBVIOUS.lock("Westby 1"), change=0.0))
    assert [r.toml for r in reason.remedies] == ["[rules]\nmax_minutes_to_srp = 52"]


def test_a_locked_cluster_in_which_no_school_can_be_the_hub(town):
    reach = table(60.0, u900103=51.2, **{f"u{urn}": 40.0 for urn in EAST})
    problem = town(reach=reach, rules=_rule({PRIMARY: 45}), sealed={"Mill": WEST})
    (reason,) = [r for r in reasons(problem) if "locked" in r.rules]
    assert "minutes from the hub to an SRP ([rules] max_minutes_to_srp)" in reason.text
    waiver = '[rules.cluster."Mill"]\ncontains = "900100"\nmax_minutes_to_srp = '
    (remedy,) = [r for r in reason.remedies if r.toml.startswith(waiver)]
    assert remedy.toml == waiver + '{ "ASD primary" = 52 }'
    mended(problem, remedy)


def test_easing_the_rule_is_tried_where_no_count_forbids_a_plan(town):
    problem = town(reach=table(55.0), rules=_rule({PRIMARY: 45}))
    (reason,) = explain(problem, problem.parts()[0], proven=True, seed=1)
    assert "max_minutes_to_srp" in reason.rules
    assert "the minutes from hubs to SRPs" in reason.text
    line = '[rules]\nmax_minutes_to_srp = { "ASD primary" = 57 }'
    assert line in [remedy.toml for remedy in reason.remedies]


def test_the_price_of_the_rule(town):
    problem = town(reach=table(30.0, u900100=50.0), rules=_rule(45))
    plan = solve(problem, effort="quick").plan
    row = rule_prices(problem, plan, rules=["max_minutes_to_srp"]).iloc[0]
    gain = assess(plan, problem).objective - assess(OBVIOUS, problem).objective
    assert row["cost"] == pytest.approx(gain, abs=0.01)
    assert gain > 1
    assert is_set(problem, "max_minutes_to_srp")
    assert not is_set(town(), "max_minutes_to_srp")
    assert not cannot_bind(problem, "max_minutes_to_srp")
    assert cannot_bind(town(reach=table(30.0), rules=_rule(45)), "max_minutes_to_srp")


def test_a_move_that_leaves_no_hub_in_reach_says_so(town):
    problem = town(reach=table(60.0, u900103=30.0, u900203=30.0), rules=_rule(45, schools=[8, 10]))
    plan = solve(problem, effort="quick").plan
    why = reasons_of_schools(plan, problem).set_index("urn")
    assert "minutes from the hub to an SRP" in why.at["900103", "breaks"]


def test_a_plan_without_hubs_gets_hubs_in_reach(town):
    rows = OBVIOUS.to_frame()[["urn", "cluster"]]
    problem = town(reach=table(30.0, u900100=50.0), rules=_rule(45))
    hubs = {c.label: c.hub for c in plan_from_frame(rows, problem).clusters}
    assert hubs["Westby 1"] != "900100"
    assert hubs["Eastby 1"] == "900200"
    nowhere = town(reach=table(50.0), rules=_rule(45))
    assert plan_from_frame(rows, nowhere)["Westby 1"].hub == "900100"


# -- the price -------------------------------------------------------------------------------------


def test_twice_as_far_is_four_times_as_dear():
    assert srp_price(1.0, 10.0) == 100
    assert srp_price(1.0, 20.0) == 400
    assert srp_price(0.5, 33.3) == 554  # 0.5 · 11.0889 = 5.544 minutes
    assert srp_price(1.0, 0.0) == 0
    assert srp_price(0.0, 90.0) == 0


def test_the_audit_sums_the_price_over_types_and_clusters(town):
    reach = table(10.0, u900100=20.0).assign(**{SECONDARY: 30.0})
    report = assess(OBVIOUS, town(reach=reach, goals={"srp": 0.5}))
    assert report.goals["srp"] == pytest.approx(0.5 * (4 + 9 + 1 + 9))
    assert sum(report.goals.values()) == pytest.approx(report.objective)
    assert sum(report.parts.values()) == pytest.approx(report.objective)
    assert assess(OBVIOUS, town(reach=reach)).goals["srp"] == 0


def test_the_worst_cluster_is_mended_first(town):
    """A hub at the edge brings either cluster ten minutes nearer; the farther one gains more."""
    reach = table(99.0, u900100=40.0, u900101=30.0, u900200=20.0, u900201=10.0)
    minutes = town().minutes.round(1)
    edge = minutes[:9, 1].sum() - minutes[:9, 0].sum()
    goal = edge / 5.0  # the west gains 16 − 9 = 7 of it, the east 4 − 1 = 3
    problem = town(reach=reach, goals={"srp": goal})
    solution = solve(problem, effort="standard")
    assert {c.hub for c in solution.plan.clusters} == {"900101", "900200"}
    assert solution.status == "optimal"
    assert solution.objective == pytest.approx(assess(solution.plan, problem).objective)
    both = solve(town(reach=reach, goals={"srp": 2.5 * goal}), effort="quick")
    assert {c.hub for c in both.plan.clusters} == {"900101", "900201"}


def test_where_minutes_have_no_price_the_hub_is_the_nearest_to_srps(town):
    reach = table(40.0, u900104=10.0, u900206=10.0)
    solution = solve(town(reach=reach, goals={"minutes": 0, "srp": 1}), effort="quick")
    assert {c.hub for c in solution.plan.clusters} == {"900104", "900206"}


# -- the table -------------------------------------------------------------------------------------


def test_rules_and_goals_without_provision_are_faults(town):
    rules = {
        "max_minutes_to_srp": 45,
        "area": {"Westby": {"max_minutes_to_srp": {PRIMARY: 30}}},
        "cluster": {"Far": {"contains": "900101", "max_minutes_to_srp": 20}},
    }
    with pytest.raises(StudyError) as caught:
        town(rules=rules, goals={"srp": 1})
    assert [fault.what.partition(" needs [provision]")[0] for fault in caught.value.faults] == [
        "[rules] max_minutes_to_srp",
        '[rules.area."Westby"] max_minutes_to_srp',
        '[rules.cluster."Far"] max_minutes_to_srp',
        "[goals] srp",
    ]
    assert all(fault.fix for fault in caught.value.faults)
    assert town(rules={"max_minutes_to_srp": "off"}, goals={"srp": 0}).reach.shape == (18, 0)


def test_a_type_that_there_is_not_is_a_fault(town):
    with pytest.raises(StudyError, match=r'"ASD primry".*Did you mean "ASD primary"'):
        town(reach=table(), rules=_rule({"ASD primry": 45}))
    with pytest.raises(StudyError, match="Types: ASD primary"):
        town(reach=table(), rules=_rule({"VI": 45}))


def test_a_type_that_stands_nowhere_is_left_out_with_a_note(town):
    reach = table(20.0).assign(**{SECONDARY: np.nan})
    problem = town(reach=reach, rules=_rule({PRIMARY: 45, SECONDARY: 45}))
    assert problem.reach_names == (PRIMARY,)
    assert problem.reach.shape == (18, 1)
    (note,) = problem.notes
    assert note == "No SRP for SLCN secondary is open: no rule or price counts it."
    assert assess(OBVIOUS, problem).ok


def test_a_hole_in_the_rowsis_not_nothing(town):
    reach = table(20.0)
    reach.loc["900103"] = np.nan
    with pytest.raises(ValueError, match="missing for some schools"):
        town(reach=reach)
    with pytest.raises(ValueError, match="missing for some schools"):
        town(reach=table(20.0).drop(index="900103"))


def test_the_order_of_the_rowsis_not_information():
    schools = town_schools()
    rng = np.random.default_rng(1)
    reach = pd.DataFrame(
        rng.uniform(0, 60, (18, 2)), index=schools.index, columns=[SECONDARY, PRIMARY]
    )
    problems = [
        build_problem(schools, crow_minutes(schools), schools["pupils"], reach=one)
        for one in (reach, reach.sample(frac=1, random_state=2)[[PRIMARY, SECONDARY]])
    ]
    assert problems[0].reach_names == problems[1].reach_names == (PRIMARY, SECONDARY)
    np.testing.assert_array_equal(problems[0].reach, problems[1].reach)
    assert problems[0].reach[0, 1] == round(reach.iloc[0, 0], 1)


def test_who_opts_out_takes_their_minutes_along(town):
    problem = town(reach=table(20.0, u900105=7.0)).without([("900101", "declined")])
    assert len(problem.reach) == 17
    assert problem.reach[problem.position["900105"], 0] == 7.0
    assert town().without([("900101", "declined")]).reach_names == ()


def test_columns_are_there_with_provision_only(town):
    plain = clusters_table(assess(OBVIOUS, town()))
    assert not set(SRP_COLUMNS) & set(plain.columns)
    reach = table(30.0, u900100=41.26).assign(**{SECONDARY: 35.0})
    report = assess(OBVIOUS, town(reach=reach))
    rows = clusters_table(report).set_index("cluster")
    assert rows["srp_minutes"].to_dict() == {"Eastby 1": 35.0, "Westby 1": 41.3}
    assert rows["srp_farthest"].to_dict() == {"Eastby 1": SECONDARY, "Westby 1": PRIMARY}
    assert report.summary["max_srp_minutes"] == 41.3
    assert "srp" not in assess(OBVIOUS, town()).goals


def test_the_rule_and_the_price_are_in_the_model_of_a_plan(town):
    """Tied schools are one atom: what the hub costs is paid once, whichever of them it is."""
    problem = town(reach=table(10.0, u900101=30.0), goals={"srp": 1}, ties=[("900101", "900102")])
    model = build_model(problem, problem.parts()[0])
    plain = build_model(replace(problem, reach=problem.reach * 0), problem.parts()[0])
    more = model.travel - plain.travel
    assert more[model.atom_of, np.arange(18)].tolist() == [100, 900, *[100] * 16]
    assert more.sum() == 100 * 17 + 900


def test_broken_rules_are_told_apart(town):
    reach = table(30.0, u900100=50.0)
    report = assess(OBVIOUS, town(reach=reach, rules=_rule(45, max_minutes_to_hub=2)))
    assert rules_broken(report) == {"max_minutes_to_srp", "max_minutes_to_hub"}


def test_a_run_with_provision_from_study_to_map(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The goal moves hubs; map and tables tell the farthest type; the audit agrees on the way."""
    whole = county()
    urns = whole.schools["urn"]
    far = pd.DataFrame({PRIMARY: 12.0 + np.arange(len(urns)) % 7, SECONDARY: 9.26}, index=urns)
    monkeypatch.setattr("clustering.inputs._reach", lambda *_: far)
    whole.study["goals"] = {"srp": 20}
    whole.study["rules"] |= {"max_minutes_to_srp": 17}
    run = tmp_path / "run"
    study = whole.write(tmp_path / "study")
    assert clusters("design", study, "--effort", "quick", "--prices", "--out", run) == 0
    found = pd.read_csv(run / "clusters.csv", dtype={"hub": str}).set_index("hub")
    assert (found["srp_minutes"] == far.loc[found.index, PRIMARY]).all()
    assert set(found["srp_farthest"]) == {PRIMARY}
    assert found["srp_minutes"].max() <= 17
    text = (run / "map.html").read_text(encoding="utf-8")
    assert "Farthest SRP" in text
    told = json.loads((run / "report.json").read_text(encoding="utf-8"))
    assert told["goals"]["srp"] == pytest.approx(
        sum(srp_price(20, m) + srp_price(20, 9.3) for m in found["srp_minutes"]) / 100
    )
    assert "max_minutes_to_srp" in [row["rule"] for row in told["prices"]]


def test_a_curve_over_a_goal_that_nobody_pays_is_flat(town):
    rows = trade_off(town(), "srp", factors=(1.0, 2.0), effort="quick")
    assert rows["srp"].tolist() == [0.0, 0.0]
    paid = trade_off(
        town(reach=table(40.0, u900104=10.0), goals={"srp": 1}), "srp", factors=(0.0, 1.0)
    )
    assert paid["srp"].iloc[0] > paid["srp"].iloc[1]
