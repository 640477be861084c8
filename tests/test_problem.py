"""Problems: labels to positions, neighbours, and the whole-number model."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from clustering.problem import build_problem, merge_groups, neighbours
from clustering.rules import Goals, Rules, balance_price
from clustering.solve.model import build_model
from geo.errors import PlanError
from tests.conftest import crow_minutes, town_flows, town_schools


def test_row_order_is_not_information(town):
    table = town_schools()
    shuffled = table.sample(frac=1, random_state=3)
    flows = town_flows(table)
    a = build_problem(table, crow_minutes(table), table["pupils"], feeders=flows)
    b = build_problem(
        shuffled,
        crow_minutes(table).sample(frac=1, random_state=4),
        table["pupils"].sample(frac=1, random_state=5),
        feeders=flows.sample(frac=1, random_state=6),
    )
    assert a.urns == b.urns
    for name in ("minutes", "need", "pupils", "area", "feeder_from", "feeder_to", "feeder_pupils"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))


def test_neighbours_have_nobody_between_them():
    x = np.array([0.0, 10.0, 20.0, 40.0])
    linked = neighbours(np.abs(x[:, None] - x[None, :]))
    assert np.argwhere(np.triu(linked)).tolist() == [[0, 1], [1, 2], [2, 3]]


@pytest.mark.parametrize("n", [3, 33, 300])
def test_neighbours_are_those_of_the_definition_however_many_schools(n):
    rng = np.random.default_rng(n)
    xy = rng.uniform(0, 60, (n, 2))
    minutes = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1)) * rng.uniform(1, 1.2, (n, n))
    minutes[rng.random((n, n)) < 0.05] = np.inf
    np.fill_diagonal(minutes, 0.0)
    way = np.maximum(minutes, minutes.T)
    wanted = np.zeros((n, n), bool)
    for i in range(n):
        for j in range(i):
            through = np.sqrt(way[i] ** 2 + way[j] ** 2)
            through[[i, j]] = np.inf
            wanted[i, j] = wanted[j, i] = not (through < way[i, j] - 1.0).any()
    np.testing.assert_array_equal(neighbours(minutes), wanted)


def test_neighbours_join_everything_that_can_be_reached():
    rng = np.random.default_rng(1)
    xy = rng.uniform(0, 100, (60, 2))
    minutes = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))
    linked = neighbours(minutes)
    seen, frontier = {0}, [0]
    while frontier:
        fresh = set(np.flatnonzero(linked[frontier.pop()]).tolist()) - seen
        seen |= fresh
        frontier += fresh
    assert len(seen) == 60


def test_the_long_way_counts_when_a_road_is_one_way():
    minutes = np.array([[0, 4, 9.0], [4, 0, 4], [5, 4, 0]])
    assert not neighbours(minutes)[0, 2]


def test_a_school_without_a_roll_counts_as_a_school_only(town, schools):
    schools.loc["900101", "pupils"] = np.nan
    problem = town(schools=schools, need=schools["pupils"])
    assert problem.no_roll == ("900101",)
    assert problem.pupils[problem.position["900101"]] == 0


def test_ties_that_overlap_become_one_group():
    assert merge_groups([("a", "b"), ("c", "d"), ("b", "c"), ("e",)]) == (("a", "b", "c", "d"),)


def test_unknown_schools_are_named_all_at_once(town):
    with pytest.raises(PlanError) as caught:
        town().positions(["900100", "1", "2"])
    assert [fault.urn for fault in caught.value.faults] == ["1", "2"]


def test_parts_are_areas_only_where_borders_hold(town):
    assert [p.name for p in town(rules={"areas": "never"}).parts()] == ["Eastby", "Westby"]
    assert [p.name for p in town(rules={"areas": "price"}).parts()] == ["all areas"]


def test_flows_that_leave_a_part_are_its_base(town):
    problem = town(rules={"areas": "never"})
    model = build_model(problem, problem.parts()[0])
    assert model.base == 8 * 8 * 100


def test_tied_schools_are_one_atom(town):
    problem = town(ties=[("900101", "900102"), ("900201", "900208")])
    model = build_model(problem, problem.parts()[0])
    assert len(model) == 16
    assert sorted(model.size.tolist())[-2:] == [2, 2]
    assert model.size.sum() == 18
    assert model.need.sum() == problem.need_steps.sum()


def test_balance_price_is_exact_and_symmetric():
    # 10 % over a mean of 100 at 0.7 a per cent: 7 minutes.
    assert balance_price(0.7, 110, 300, 3) == 700
    assert balance_price(0.7, 90, 300, 3) == 700
    assert balance_price(0.7, 100, 300, 3) == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"schools": [14, 8]},
        {"schools": [0, 0]},
        {"pupils": [9, 1]},
        {"secondaries": -1},
        {"need_tolerance": 0},
        {"areas": "sometimes"},
        {"together": [["900100"]]},
        {"clusters": [5, 2]},
        {"scholls": [8, 14]},
    ],
)
def test_rules_are_checked_on_construction(wrong):
    with pytest.raises(ValueError, match=r".+"):
        Rules(**wrong)


def test_goals_cannot_be_negative():
    with pytest.raises(ValueError, match="greater than or equal to 0"):
        Goals(minutes=-1)


def test_an_area_sets_only_what_it_names():
    rules = Rules(schools=(8, 14), primaries=4, area={"Westby": {"schools": [8, 15]}})
    assert rules.for_area("Westby").schools == (8, 15)
    assert rules.for_area("Westby").primaries == 4
    assert rules.for_area("Eastby").schools == (8, 14)


def test_an_area_can_switch_the_tolerance_off():
    rules = Rules(area={"Westby": {"need_tolerance": "off"}})
    assert rules.for_area("Westby").need_tolerance is None
    assert rules.for_area("Eastby").need_tolerance == 0.20


def test_a_frozen_value_cannot_be_changed():
    with pytest.raises(ValueError, match="frozen"):
        Rules().schools = (1, 2)


def test_existing_clusters_by_name(town):
    old = pd.Series({"900100": "B", "900101": "A", "900102": ""})
    problem = town(existing=old)
    assert problem.existing_names == ("A", "B")
    assert problem.existing[:4].tolist() == [1, 0, -1, -1]
