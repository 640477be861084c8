"""Redrawing: locks hold, few schools move, reasons are true, alternatives differ."""

from __future__ import annotations

import pytest

from clustering.plan import Plan
from clustering.report import assess, moves
from clustering.run import redrawn
from clustering.solve.model import build_model
from clustering.solve.options import alternatives, trade_off
from clustering.solve.prices import rule_prices
from clustering.solve.whole import solve
from clustering.solve.why import reasons_of_schools
from geo.errors import PlanError
from tests.test_report import EAST, OBVIOUS, WEST, messy


def solved(problem, **options):
    solution = solve(problem, effort="quick", **options)
    assert solution.plan is not None, solution.reasons
    return solution.plan


def test_the_obvious_plan_is_found(town):
    solution = solve(town(), effort="quick")
    assert solution.plan == OBVIOUS
    assert solution.objective == pytest.approx(assess(OBVIOUS, town()).objective)


def test_a_locked_cluster_stays_as_it_is(town):
    odd = OBVIOUS.swap("900103", "900207").lock("Westby 1")
    problem = redrawn(town(rules={"connected": False, "need_tolerance": "off"}), odd, change=0.0)
    plan = solved(problem)
    assert set(plan[plan.cluster_of["900207"]].schools) == set(odd["Westby 1"].schools)
    assert plan[plan.cluster_of["900207"]].hub == "900100"
    assert assess(plan, problem).ok


def test_the_audit_sees_a_lock_broken(town):
    problem = redrawn(town(), OBVIOUS.lock("Westby 1"), change=0.0)
    joined = OBVIOUS.move("900204", "Westby 1")
    assert "locked" in {b.rule for b in assess(joined, problem).breaches}
    left = OBVIOUS.move("900101", "Eastby 1")
    assert "together" in {b.rule for b in assess(left, problem).breaches}


def test_a_locked_school_stays_with_its_hub(town):
    odd = OBVIOUS.move("900204", "Westby 1").lock("900204")
    problem = redrawn(town(), odd, change=0.0)
    plan = solved(problem)
    assert plan.cluster_of["900204"] == plan.cluster_of["900100"]


def test_a_lock_must_name_something():
    with pytest.raises(PlanError, match="Did you mean"):
        OBVIOUS.lock("Westbi 1")
    assert OBVIOUS.lock("Westby 1", "900201").unlock("900201").locked == {"Westby 1"}
    assert OBVIOUS.lock("Westby 1").unlock().locked == frozenset()


def test_locks_survive_a_move():
    assert OBVIOUS.lock("Westby 1").move("900201", "Westby 1").locked == {"Westby 1"}


def test_change_has_its_price(town):
    """A plan that is nearly as good stays where a move costs more than it saves."""
    odd = OBVIOUS.move("900204", "Westby 1")
    free = solved(redrawn(town(), odd, change=0.0))
    dear = solved(redrawn(town(), odd, change=500.0))
    assert len(moves(odd, free)) == 1
    assert moves(odd, dear).empty


def test_reasons_name_the_next_best_cluster_and_its_price(town):
    problem = town()
    table = reasons_of_schools(OBVIOUS, problem).set_index("urn")
    assert list(table.index) == sorted(WEST + EAST)
    row = table.loc["900204"]
    assert row["cluster"] == "Eastby 1"
    assert row["next_cluster"] == "Westby 1"
    moved = OBVIOUS.move("900204", "Westby 1")
    gain = assess(moved, problem).objective - assess(OBVIOUS, problem).objective
    assert row["price"] == pytest.approx(gain, abs=0.06)
    assert "its secondary" in table.loc["900100", "breaks"]


def test_prices_agree_with_the_audit_on_a_messy_town(town):
    problem = messy(town, 1)
    plan = OBVIOUS
    model = build_model(problem, problem.parts()[0])
    table = reasons_of_schools(plan, problem)
    assert len(table) == len(model.schools)
    for row in table.itertuples():
        moved = plan.move(row.urn, row.next_cluster)
        best = min(
            assess(with_hubs(moved, a, b), problem).objective
            for a in moved[row.cluster].schools
            for b in moved[row.next_cluster].schools
        )
        assert assess(plan, problem).objective + row.price >= best - 0.06


def with_hubs(plan: Plan, *hubs: str) -> Plan:
    from dataclasses import replace

    chosen = {plan.cluster_of[hub]: hub for hub in hubs}
    clusters = tuple(
        replace(cluster, hub=chosen.get(cluster.label, cluster.hub)) for cluster in plan.clusters
    )
    return replace(plan, clusters=clusters)


def test_alternatives_are_good_and_different(town):
    problem = messy(town, 2)
    best = solved(problem)
    found = alternatives(problem, best, count=2, within=0.5)
    base = assess(best, problem).objective
    assert found
    for option in found:
        report = assess(option.plan, problem)
        assert report.ok
        assert report.objective <= base * 1.5 + 0.01
        assert option.moved == min(
            len(moves(other, option.plan))
            for other in [best, *(o.plan for o in found if o is not option)][
                : found.index(option) + 1
            ]
        )
        assert option.moved > 0


def test_alternatives_refuse_nonsense(town):
    with pytest.raises(ValueError, match="count"):
        alternatives(town(), OBVIOUS, count=0)


def test_more_weight_on_a_goal_never_makes_it_worse(town):
    table = trade_off(messy(town, 2), "feeders", factors=(0.0, 4.0))
    assert table["factor"].tolist() == [0.0, 1.0, 4.0]
    assert table["feeders"].iloc[-1] <= table["feeders"].iloc[0]


def test_a_goal_that_is_none(town):
    with pytest.raises(ValueError, match="no goal happiness"):
        trade_off(town(), "happiness")


def test_a_rule_has_its_price(town):
    plan = OBVIOUS.swap("900103", "900207")
    problem = town(rules={"together": [["900103", "900200"], ["900207", "900100"]]})
    table = rule_prices(problem, plan, rules=("connected",)).set_index("rule")
    assert table.at["connected", "cost"] == pytest.approx(0, abs=1e-6)
