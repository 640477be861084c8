"""The audit: every rule kept and broken on the toy town, and the objective worked out by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clustering.plan import Cluster, Plan, make_plan
from clustering.problem import Problem
from clustering.report import Report, assess, compare, leavers_kept, moves
from clustering.rules import CENTS
from clustering.solve.model import build_model
from tests.conftest import town_flows

WEST = tuple(f"9001{k:02d}" for k in range(9))
EAST = tuple(f"9002{k:02d}" for k in range(9))
OBVIOUS = Plan((Cluster("Eastby 1", "900200", EAST), Cluster("Westby 1", "900100", WEST)))


def rules_broken(report: Report) -> set[str]:
    return {breach.rule for breach in report.breaches}


def test_the_obvious_plan_keeps_every_rule(town):
    report = assess(OBVIOUS, town())
    assert report.ok
    assert list(report.clusters["schools"]) == [9, 9]
    assert list(report.clusters["non_selective_secondaries"]) == [1, 1]


def test_the_objective_is_what_a_pencil_gives(town):
    """Four neighbours at 2.0 minutes and four corners at 2.8 (√2 km, to a tenth), twice; 8 leavers
    of each of 16 primaries cross the gap; need is even; two clusters at 30 each."""
    report = assess(OBVIOUS, town())
    assert report.goals["minutes"] == pytest.approx(2 * (4 * 2.0 + 4 * 2.8))
    assert report.goals["feeders"] == pytest.approx(16 * 8)
    assert report.goals["balance"] == 0
    assert report.goals["cluster"] == 60
    assert report.objective == pytest.approx(38.4 + 128 + 60)
    assert sum(report.parts.values()) == pytest.approx(report.objective)


def test_figures_of_a_cluster(town):
    row = assess(OBVIOUS, town()).clusters.set_index("cluster").loc["Westby 1"]
    assert row["pupils"] == 2400
    assert row["need"] == 2400
    assert row["mean_minutes"] == 2.4
    assert row["max_minutes"] == 2.8
    assert row["feeder_pupils_kept"] == 160
    assert row["feeder_pupils_lost"] == 64
    assert row["hub"] == "900100"


def test_small_flows_count_as_kept_or_split_and_have_no_price(town):
    small = pd.DataFrame(
        {"from_urn": ["900101", "900101"], "to_urn": ["900100", "900200"], "pupils": [1.5, 4.0]}
    )
    plain, fuller = assess(OBVIOUS, town()), assess(OBVIOUS, town(small_feeders=small))
    assert fuller.objective == plain.objective
    before, after = (r.clusters.set_index("cluster").loc["Westby 1"] for r in (plain, fuller))
    assert after["feeder_pupils_kept"] == before["feeder_pupils_kept"] + 1.5
    assert after["feeder_pupils_lost"] == before["feeder_pupils_lost"] + 4.0
    assert fuller.summary["feeders_kept_all"] < plain.summary["feeders_kept_all"]
    out = town(small_feeders=small).without([("900100", "declined")])
    assert out.small_pupils.tolist() == [4.0]
    assert out.urns[out.small_to[0]] == "900200"


def test_leavers_kept_to_open_schools_stand_beside_those_of_all(town, schools):
    plain = assess(OBVIOUS, town())
    assert plain.summary["feeders_kept_all"] == pytest.approx(20 / 28, abs=5e-4)
    assert leavers_kept(plain, estimated=False) == "71% of leavers stay in their cluster"
    schools.loc["900200", "selective"] = True
    flows = town_flows(schools)
    flows.loc[(flows["from_urn"] > "900200") & (flows["to_urn"] == "900200"), "pupils"] = 40.0
    report = assess(OBVIOUS, town(schools=schools, feeders=flows))
    west = report.clusters.set_index("cluster").loc["Westby 1"]
    assert (west["non_selective_kept"], west["non_selective_lost"]) == (160, 0)
    east = report.clusters.set_index("cluster").loc["Eastby 1"]
    assert (east["non_selective_kept"], east["non_selective_lost"]) == (0, 64)
    told = leavers_kept(report, estimated=True)
    assert told.startswith("71% of leavers to non-selective schools stay in their cluster")
    assert told.endswith("79% of all leavers (flows estimated)")
    assert leavers_kept(assess(OBVIOUS, town(feeders=None)), estimated=False) == ""


def test_a_school_of_the_other_side_breaks_what_it_should(town):
    far = OBVIOUS.move("900207", "Westby 1")
    report = assess(far, town(rules={"max_minutes_to_hub": 20}))
    assert rules_broken(report) == {"max_minutes_to_hub", "connected"}
    assert "E7 Primary School (900207)" in report.breaches[0].text


@pytest.mark.parametrize(
    ("rules", "broken"),
    [
        ({"schools": [10, 14]}, "schools"),
        ({"schools": [4, 8]}, "schools"),
        ({"pupils": [2500, 9000]}, "pupils"),
        ({"pupils": [0, 2399]}, "pupils"),
        ({"secondaries": 2}, "secondaries"),
        ({"primaries": 9}, "primaries"),
        ({"max_minutes_to_hub": 2.5}, "max_minutes_to_hub"),
        ({"clusters": 3}, "clusters"),
        ({"area": {"Westby": {"clusters": 2}}}, "clusters"),
        ({"together": [["900101", "900201"]]}, "together"),
        ({"apart": [["900101", "900102"]]}, "apart"),
        ({"area": {"Westby": {"schools": [10, 14]}}}, "schools"),
        ({"cluster": {"Mill": {"contains": "900101", "primaries": 9}}}, "primaries"),
    ],
)
def test_each_rule_broken_is_named(town, rules, broken):
    assert rules_broken(assess(OBVIOUS, town(rules=rules))) == {broken}


@pytest.mark.parametrize(
    "rules",
    [
        {"schools": [9, 9]},
        {"pupils": [2400, 2400]},
        {"secondaries": 1},
        {"primaries": 8},
        {"max_minutes_to_hub": 2.8},
        {"clusters": 2},
        {"clusters": [1, 2]},
        {"together": [["900101", "900105"]]},
        {"apart": [["900101", "900201"]]},
        {"areas": "never"},
        {"hub": "secondary"},
        {"area": {"Westby": {"schools": [9, 14]}}},
    ],
)
def test_each_rule_kept_is_silent(town, rules):
    assert assess(OBVIOUS, town(rules=rules)).ok


def test_crossing_a_border_is_a_breach_or_a_price(town):
    mixed = OBVIOUS.move("900204", "Westby 1")
    assert "areas" in rules_broken(assess(mixed, town(rules={"areas": "never"})))
    priced = assess(mixed, town(rules={"areas": "price"}, goals={"crossing": 7}))
    assert priced.goals["crossing"] == 7
    assert assess(mixed, town(rules={"areas": "ignore"})).goals["crossing"] == 0


def test_a_grammar_never_counts_as_the_secondary(town, schools):
    schools.loc["900100", "selective"] = True
    report = assess(OBVIOUS, town(schools=schools))
    assert rules_broken(report) == {"secondaries"}
    assert report.clusters.set_index("cluster").at["Westby 1", "secondaries"] == 1


def test_an_all_through_counts_for_both_phases(town, schools):
    schools.loc["900100", "phase"] = "all_through"
    report = assess(OBVIOUS, town(schools=schools, rules={"areas": "price", "primaries": 9}))
    short = [breach for breach in report.breaches if breach.rule == "primaries"]
    assert [breach.cluster for breach in short] == ["Eastby 1"]


def test_need_tolerance_is_measured_from_the_mean(town, schools):
    need = schools["pupils"].copy()
    need["900101"] += 1200.0  # the west then has 3600 against a mean of 3000
    assert assess(OBVIOUS, town(need=need)).ok
    need["900101"] += 10.0
    report = assess(OBVIOUS, town(need=need))
    assert rules_broken(report) == {"need_tolerance"}
    assert assess(OBVIOUS, town(need=need, rules={"need_tolerance": "off"})).ok


def test_a_spread_holds_every_cluster_within_half_of_it(town, schools):
    need = schools["pupils"].copy()
    need["900101"] += 1200.0  # 3600 and 2400 against a mean of 3000: 40 % of it apart
    rules = {"need_tolerance": "off", "spread": 0.4}
    assert assess(OBVIOUS, town(need=need, rules=rules)).ok
    need["900101"] += 10.0
    report = assess(OBVIOUS, town(need=need, rules=rules))
    assert rules_broken(report) == {"spread"}
    assert assess(OBVIOUS, town(need=need, rules=rules | {"spread": "off"})).ok


def test_a_smallest_need_is_kept_to_the_tenth(town):
    assert assess(OBVIOUS, town(rules={"min_need": 2400})).ok
    report = assess(OBVIOUS, town(rules={"min_need": 2400.1}))
    assert rules_broken(report) == {"min_need"}
    assert "2,400.0 need units" in report.breaches[0].text
    east = {"min_need": 9_999, "area": {"Westby": {"min_need": 0}, "Eastby": {"min_need": 2_000}}}
    assert assess(OBVIOUS, town(rules=east)).ok


def test_a_smallest_budget_is_a_smallest_need_at_what_a_unit_is_worth(town):
    assert assess(OBVIOUS, town(rules={"min_budget": 60_000}, pounds_a_unit=25.0)).ok
    report = assess(OBVIOUS, town(rules={"min_budget": 60_000}, pounds_a_unit=24.9))
    assert rules_broken(report) == {"min_budget"}
    assert "£59,760" in report.breaches[0].text
    assert report.breaches[0].amount == pytest.approx(240)
    with pytest.raises(ValueError, match="worth"):
        town(rules={"min_budget": 60_000})


def test_a_pinned_hub_must_be_the_hub(town):
    report = assess(OBVIOUS, town(pinned_hubs=["900101"]))
    assert rules_broken(report) == {"hub"}


def test_a_hub_must_be_a_secondary_where_the_rule_says_so(town):
    plan = Plan((Cluster("Westby 1", "900101", WEST), Cluster("Eastby 1", "900200", EAST)))
    assert rules_broken(assess(plan, town(rules={"hub": "secondary"}))) == {"hub"}


def test_schools_left_out_are_named(town):
    plan = Plan((Cluster("Westby 1", "900100", WEST), Cluster("Eastby 1", "900200", EAST[:-1])))
    report = assess(plan, town())
    assert rules_broken(report) == {"assigned"}
    assert "E8 Primary School" in report.breaches[0].text


def test_change_is_counted_against_the_old_cluster_shared_most(town, schools):
    existing = pd.Series({urn: "Old West" if urn < "900200" else "Old East" for urn in WEST + EAST})
    existing["900101"] = "Old East"
    existing["900102"] = ""
    report = assess(OBVIOUS, town(existing=existing, goals={"change": 5}))
    assert report.goals["change"] == 5


def associates(town, schools, **more):
    schools.loc["900200", "phase"] = "primary"
    own = {"associates": ["900100"], **more}
    return town(schools=schools, rules={"area": {"Eastby": own}, "primaries": 1})


def test_an_associate_secondary_serves_a_second_cluster(town, schools):
    problem = associates(town, schools)
    report = assess(OBVIOUS, problem)
    assert report.ok
    assert report.lent == {"Eastby 1": "900100"}
    # It is a full member of one cluster: its pupils and need count once, and in neither twice.
    assert report.clusters["pupils"].sum() == problem.pupils.sum()
    assert report.clusters["need"].sum() == problem.need.sum()
    assert report.clusters["secondaries"].sum() == 1
    # It travels to the second hub too, and the leavers who go to it stay with their cluster.
    alone = assess(OBVIOUS, associates(town, schools, associates=[], without_secondary=1))
    assert alone.ok
    assert report.goals["minutes"] == pytest.approx(alone.goals["minutes"] + 40.0)
    assert report.goals["feeders"] == pytest.approx(alone.goals["feeders"] - 9 * 8)


def test_an_associate_too_far_away_serves_nobody(town, schools):
    schools.loc["900200", "phase"] = "primary"
    rules = {"area": {"Eastby": {"associates": ["900100"], "max_minutes_to_hub": 30}}}
    assert rules_broken(assess(OBVIOUS, town(schools=schools, rules=rules))) == {"secondaries"}


def test_one_waiver_lets_one_cluster_off(town, schools):
    schools.loc[["900100", "900200"], "phase"] = "primary"
    rules = {"area": {"Eastby": {"without_secondary": 1}}}
    report = assess(OBVIOUS, town(schools=schools, rules=rules))
    assert [b.cluster for b in report.breaches if b.rule == "secondaries"] == ["Westby 1"]


def test_two_named_clusters_are_two_clusters(town):
    rules = {"cluster": {"A": {"contains": "900101"}, "B": {"contains": "900102"}}}
    assert rules_broken(assess(OBVIOUS, town(rules=rules))) == {"apart"}


def test_moves_follow_the_overlap_not_the_label():
    renamed = Plan((Cluster("A", "900200", EAST), Cluster("B", "900100", WEST)))
    assert moves(OBVIOUS, renamed).empty
    moved = moves(OBVIOUS, renamed.move("900204", "B"))
    assert moved.to_dict("records") == [
        {"urn": "900204", "from_cluster": "Eastby 1", "to_cluster": "B", "follows": "Westby 1"}
    ]


def test_plans_compare_side_by_side(town):
    problem = town()
    table = compare(
        {"a": assess(OBVIOUS, problem), "b": assess(OBVIOUS.move("900207", "Westby 1"), problem)}
    )
    assert table.loc["rules broken"].tolist() == [0, 1]
    assert table.at["objective", "b"] > table.at["objective", "a"]


@st.composite
def partitions(draw) -> tuple[list[list[int]], list[int]]:
    """Draw any assignment of the 18 schools to 2–4 clusters and a hub in each."""
    k = draw(st.integers(2, 4))
    labels = draw(st.lists(st.integers(0, k - 1), min_size=18, max_size=18))
    groups = [[i for i, label in enumerate(labels) if label == c] for c in range(k)]
    groups = [group for group in groups if group]
    hubs = [draw(st.sampled_from(group)) for group in groups]
    return groups, hubs


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(partition=partitions(), seed=st.integers(0, 5))
def test_audit_and_solver_agree_on_cost_and_rules_of_any_plan(town, partition, seed):
    """The audit and the solver's model are written twice; they must never differ."""
    groups, hubs = partition
    problem = messy(town, seed)
    model = build_model(problem, problem.parts()[0])
    plan = make_plan(problem, zip(groups, hubs, strict=True))
    report = assess(plan, problem)
    cost = model.base + sum(
        model.cost(group, hub, len(groups)) for group, hub in zip(groups, hubs, strict=True)
    )
    assert round(report.objective * CENTS) == cost
    faults = {
        rule
        for group, hub in zip(groups, hubs, strict=True)
        for rule in model.faults(group, hub, len(groups))
    }
    words = {"need": "need_tolerance", "minutes": "max_minutes_to_hub", "least_need": "min_need"}
    words["srp"] = "max_minutes_to_srp"
    assert rules_broken(report) == {words.get(rule, rule) for rule in faults}


def messy(town, seed: int) -> Problem:
    """Return the toy town with uneven pupils, one-way minutes, odd flows and every goal on."""
    from tests.conftest import crow_minutes, town_schools

    rng = np.random.default_rng(seed)
    schools = town_schools()
    schools["pupils"] = rng.integers(40, 900, len(schools)).astype(float)
    minutes = crow_minutes(schools) * rng.uniform(0.8, 1.3, (len(schools), len(schools)))
    pairs = rng.integers(0, len(schools), (30, 2))
    flows = pd.DataFrame(
        {
            "from_urn": schools.index[pairs[:, 0]],
            "to_urn": schools.index[pairs[:, 1]],
            "pupils": rng.uniform(0.5, 40, 30).round(2),
        }
    )
    existing = pd.Series(rng.choice(["", "A", "B", "C"], len(schools)), index=schools.index)
    return town(
        schools=schools,
        minutes=minutes,
        need=schools["pupils"] * rng.uniform(0.5, 1.5, len(schools)),
        feeders=flows,
        existing=existing,
        reach=pd.DataFrame(
            rng.uniform(0, 60, (len(schools), 2)),
            index=schools.index,
            columns=["SLCN secondary", "ASD primary"],
        ),
        rules={
            "max_minutes_to_srp": {"ASD primary": 35.0},
            "schools": [4, 12],
            "apart": [["900101", "900102"]],
            "pupils": [900, 6000],
            "min_need": 1500.0,
        },
        goals={"change": 3, "size": 0.4, "crossing": 5, "srp": 0.8},
    )
