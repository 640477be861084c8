"""Every pound of a budget by hand: topslice, formula, protection, rounding, and what cannot be."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from clustering.budget import budgets
from clustering.budget_rules import BudgetRules, DeficitPlan
from clustering.outlook import outlook, way_to_balance
from clustering.plan import Cluster, Plan
from clustering.protection import apportion, protect


def schools(pupils: list[float], phases: list[str] | None = None) -> pd.DataFrame:
    n = len(pupils)
    return pd.DataFrame(
        {
            "name": [f"School {k}" for k in range(n)],
            "phase": phases or ["primary"] * n,
            "pupils": np.array(pupils, float),
        },
        index=pd.Index([f"9{k:05d}" for k in range(n)], name="urn"),
    )


def plan_of(labels: list[str]) -> Plan:
    """Put school k into the cluster labels[k]; "" is none."""
    members: dict[str, list[str]] = {}
    for k, label in enumerate(labels):
        if label:
            members.setdefault(label, []).append(f"9{k:05d}")
    return Plan(tuple(Cluster(x, urns[0], tuple(urns)) for x, urns in sorted(members.items())))


def shares_of(values: list[float]) -> pd.Series:
    total = np.nansum(values)
    return pd.Series(np.array(values) / total, index=schools([1.0] * len(values)).index)


def whole_pot(found) -> int:
    return sum(v for name, v in found.lines.items() if name != "pot")


def test_topslice_and_formula_by_hand():
    """£100,000 less 5 % less 2 × £12,000 leaves £71,000; shares 1/4, 1/4, 1/2."""
    table = schools([100.0, 100.0, 200.0])
    found = budgets(
        plan_of(["A", "A", "B"]), shares_of([1, 1, 2]), BudgetRules(pot=100_000), schools=table
    )
    assert found.ok
    assert found.lines["contingency"] == 5_000
    assert found.lines["running cost"] == 24_000
    assert found.table["budget"].to_dict() == {"A": 35_500, "B": 35_500}
    assert found.table["total"].to_dict() == {"A": 47_500, "B": 47_500}
    assert found.table["per_pupil"].to_dict() == {"A": 177.5, "B": 177.5}
    assert whole_pot(found) == 100_000


def test_what_cannot_be_shared_in_steps_stays_in_the_contingency():
    rules = BudgetRules(pot=100_050, contingency=0, running_cost=0)
    found = budgets(plan_of(["A", "B"]), shares_of([1, 1]), rules, schools=schools([1.0, 1.0]))
    assert found.lines["contingency"] == 50
    assert found.table["budget"].to_dict() == {"A": 50_000, "B": 50_000}


def test_largest_remainder_sums_and_prefers_the_larger_rest():
    rounded = apportion(np.array([149.0, 130.0, 121.0]), 400, 100)
    assert rounded.tolist() == [200, 100, 100]


def test_floor_is_paid_from_gains_in_proportion():
    """Baseline 50/50/100 of 200, formula 20/80/100: the first may lose 10 %, so 25 are missing."""
    found = protect(np.array([20.0, 80.0, 100.0]), np.array([50.0, 50.0, 100.0]), 0.1)
    assert found.gains_paid == pytest.approx(1 - 25 / 30)
    assert found.protected == pytest.approx([45.0, 55.0, 100.0])
    assert found.above_floor_paid == 1


def test_where_gains_are_not_enough_all_above_the_floor_is_scaled():
    """Money 170 against a baseline of 200; floors at 20 % loss are 160; kept is 40 + 95 + 50."""
    found = protect(np.array([15.0, 95.0, 60.0]), np.array([50.0, 100.0, 50.0]), 0.2)
    assert found.gains_paid == 0
    assert found.above_floor_paid == pytest.approx(1 - 15 / 25)
    assert found.protected.sum() == pytest.approx(170)
    assert (found.protected >= found.floor - 1e-9).all()


def test_cap_frees_money_that_is_held_and_said():
    rules = BudgetRules(pot=200_000, contingency=0, running_cost=0, floors=[0.5], cap=0.1)
    base = pd.DataFrame({"baseline": [50_000.0, 100_000.0]}, index=["900000", "900001"])
    found = budgets(
        plan_of(["A", "B"]),
        shares_of([1, 1]),
        rules,
        schools=schools([1.0, 1.0]),
        baseline=base,
    )
    assert found.table["budget"].to_dict() == {"A": 55_000, "B": 100_000}
    assert found.lines["held by the cap"] == 45_000
    assert whole_pot(found) == 200_000
    (said,) = [note for note in found.notes if "cap" in note]
    assert said == "The cap on gains over the baseline takes £45,000 from A: it is held."


def test_who_is_capped_is_not_told_to_pay_out_of_gains():
    """C falls to its floor; the cap takes £34,000 from A, which pays for that and more."""
    rules = BudgetRules(pot=300_000, contingency=0, running_cost=0, floors=[0.05], cap=0.1)
    urns = ["900000", "900001", "900002"]
    base = pd.DataFrame({"baseline": [100_000.0, 100_000.0, 100_000.0]}, index=urns)
    found = budgets(
        plan_of(["A", "B", "C"]),
        shares_of([144, 96, 60]),
        rules,
        schools=schools([1.0, 1.0, 1.0]),
        baseline=base,
    )
    assert found.table["budget"].to_dict() == {"A": 109_000, "B": 96_000, "C": 95_000}
    (said,) = [note for note in found.notes if "cap" in note]
    assert "£35,000 of protection against the baseline goes to C" in said
    assert "A pay for it: they keep 90.0% of every pound gained" in said
    assert "takes £34,000 from A: it pays for floors." in said


@pytest.mark.parametrize("cap", [None, 0.1])
def test_what_is_not_in_force_is_said(cap):
    def notes(rules: BudgetRules, base: pd.DataFrame | None, year: int = 0) -> str:
        plan, table = plan_of(["A", "B"]), schools([1.0, 1.0])
        found = budgets(plan, shares_of([1, 1]), rules, schools=table, baseline=base, year=year)
        return " ".join(found.notes)

    rules = BudgetRules(pot=200_000, floors=[0.05, "off"], cap=cap)
    base = pd.DataFrame({"baseline": [90_000.0, 90_000.0]}, index=["900000", "900001"])
    named = "no floor" if cap is None else "neither floor nor cap"
    assert f"No baseline is given, so {named} is in force." in notes(rules, None)
    assert ("the cap with them" in notes(rules, base, year=1)) == (cap is not None)
    assert "in force" not in notes(rules, base)
    assert "in force" not in notes(BudgetRules(pot=200_000, floors="off"), None)


def test_floors_beyond_the_pot_are_an_answer_not_a_budget():
    base = pd.DataFrame({"baseline": [90_000.0, 90_000.0]}, index=["900000", "900001"])
    rules = BudgetRules(pot=100_000, contingency=0, running_cost=0, floors=0.05)
    found = budgets(
        plan_of(["A", "B"]), shares_of([1, 1]), rules, schools=schools([1.0, 1.0]), baseline=base
    )
    assert not found.ok
    assert found.table["budget"].isna().all()
    assert "cannot pay the floors" in found.reasons[0]
    assert "£71,000 too little" in found.reasons[0]
    assert "loss of 44.4%" in found.reasons[0]


def test_pot_smaller_than_its_topslice_is_an_answer():
    found = budgets(
        plan_of(["A", "B"]),
        shares_of([1, 1]),
        BudgetRules(pot=20_000),
        schools=schools([1.0, 1.0]),
    )
    assert "cannot pay its topslice of £25,000" in found.reasons[0]
    assert found.table["budget"].isna().all()


def test_baseline_is_brought_to_todays_pupils_and_new_schools_have_their_formula():
    base = pd.DataFrame(
        {"baseline": [10_000.0], "baseline_pupils": [100.0]}, index=pd.Index(["900000"])
    )
    rules = BudgetRules(pot=100_000, contingency=0, running_cost=0)
    found = budgets(
        plan_of(["A", "B"]),
        shares_of([1, 1]),
        rules,
        schools=schools([200.0, 10.0]),
        baseline=base,
    )
    assert found.table["baseline"].to_dict() == {"A": 20_000, "B": 50_000}
    assert "Without a baseline: 1 school;" in found.notes[0]


def test_floors_end_after_their_years():
    rules = BudgetRules(pot=1e6, floors=[0.05, "off"])
    assert [rules.loss_of(y) for y in range(3)] == [0.05, None, None]
    assert [rules.label(y) for y in range(2)] == ["2025-26", "2026-27"]
    assert rules.model_copy(update={"growth": 0.02}).pot_of(1) == 1_020_000


def test_presets_of_a_devolved_share():
    rules = BudgetRules(high_needs_block=310e6, devolved_share="nottinghamshire")
    assert rules.pot_of() == 55_800_000
    assert BudgetRules(high_needs_block=310e6, devolved_share="hounslow").pot_of() == 3_100_000


def test_share_of_schools_in_no_cluster_is_held_or_shared():
    rules = BudgetRules(pot=100_000, contingency=0, running_cost=0)
    plan, table = plan_of(["A", "B", ""]), schools([1.0, 1.0, 1.0])
    held = budgets(plan, shares_of([1, 1, 2]), rules, schools=table)
    assert held.table["budget"].to_dict() == {"A": 25_000, "B": 25_000}
    assert held.lines["held for schools in no cluster"] == 50_000
    shared = budgets(
        plan,
        shares_of([1, 1, 2]),
        rules.model_copy(update={"outside": "shared"}),
        schools=table,
    )
    assert shared.table["budget"].to_dict() == {"A": 50_000, "B": 50_000}


def test_notional_sen_stands_beside_and_odd_figures_are_named():
    notional = pd.Series({"900000": 100_000.0, "900001": 1_000.0})
    rules = BudgetRules(pot=100_000, contingency=0, running_cost=0)
    plan, table, shares = plan_of(["A", "B"]), schools([1.0, 1.0]), shares_of([1, 1])
    plain = budgets(plan, shares, rules, schools=table)
    beside = budgets(plan, shares, rules, schools=table, notional=notional)
    pd.testing.assert_series_equal(plain.table["budget"], beside.table["budget"])
    assert beside.table["notional_sen"].to_dict() == {"A": 100_000, "B": 1_000}
    assert any("Kingston" in note and "900001" in note for note in beside.notes)


def test_project_and_individual_parts_sum():
    rules = BudgetRules(pot=100_000, contingency=0, running_cost=0, project_share=0.86)
    found = budgets(plan_of(["A"]), shares_of([1.0]), rules, schools=schools([10.0]))
    assert found.table.loc["A", ["project", "individual"]].tolist() == [86_000, 14_000]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "needs either pot"),
        ({"pot": 1, "high_needs_block": 2, "devolved_share": 0.1}, "needs either pot"),
        ({"high_needs_block": 2}, "needs either pot"),
        ({"pot": 1, "ring_fence": {"primary": 0.5, "secondary": 0.6}}, "sum to 1"),
        ({"pot": 1, "floors": []}, "floors is empty"),
        ({"pot": 1, "floors": ["off"], "cap": 0.1}, "only beside a floor"),
        ({"high_needs_block": 1, "devolved_share": "kent"}, "hounslow, nottinghamshire"),
        ({"pot": 1, "floors": [1.5]}, "less than or equal to 1"),
        ({"pot": -1}, "greater than or equal to 0"),
        ({"pot": float("nan")}, "greater than or equal to 0|finite"),
        ({"pot": 1, "phase_weights": {"primary": 0, "secondary": 0}}, "all zero"),
        ({"pot": 1, "devolved": 2}, "Extra inputs"),
    ],
)
def test_rules_that_cannot_be(values, words):
    with pytest.raises(ValidationError, match=words):
        BudgetRules(**values)


def test_ring_fence_for_a_phase_without_schools_is_refused():
    rules = BudgetRules(pot=1e5, ring_fence={"primary": 0.5, "secondary": 0.5})
    with pytest.raises(ValueError, match="ring-fenced for secondary"):
        budgets(plan_of(["A"]), shares_of([1.0]), rules, schools=schools([1.0]))


def test_way_to_balance_by_hand():
    plan = DeficitPlan(
        opening=140e6, spend=330e6, block=310e6, block_growth=0.1, contributions=[50e6]
    )
    table, notes = way_to_balance(plan.model_copy(update={"target_year": 2026}), rules_of(2))
    assert table["closing deficit"].tolist() == pytest.approx([110e6, 99e6])
    assert "deficit of £99,000,000 is left" in notes[0]


def rules_of(years: int) -> BudgetRules:
    return BudgetRules(pot=1e6, years=years)


def test_outlook_has_a_column_a_year_and_says_which_year_fails():
    base = pd.DataFrame({"baseline": [600_000.0, 600_000.0]}, index=["900000", "900001"])
    rules = BudgetRules(pot=1e6, floors=[0.05, "off"], years=2)

    def one(year: int):
        return budgets(
            plan_of(["A", "B"]),
            shares_of([1, 1]),
            rules,
            schools=schools([1.0, 1.0]),
            baseline=base,
            year=year,
        )

    found = outlook(one, rules)
    assert list(found.clusters.columns) == ["2025-26", "2026-27"]
    assert found.clusters["2025-26"].isna().all()
    assert found.clusters["2026-27"].sum() == found.lines.at["clusters", "2026-27"]
    assert found.notes[0].startswith("2025-26: The pot cannot pay the floors")


def test_years_that_fail_alike_are_told_in_one_sentence():
    rules = BudgetRules(pot=20_000, years=3)
    plan, shares, table = plan_of(["A", "B"]), shares_of([1, 1]), schools([1.0, 1.0])
    found = outlook(lambda year: budgets(plan, shares, rules, schools=table, year=year), rules)
    (said,) = found.notes
    assert said.startswith("2025-26, 2026-27, 2027-28: The pot of £20,000 cannot pay")


# -- properties ------------------------------------------------------------------------------------

PHASES = ["primary", "secondary", "all_through", "middle_primary", "middle_secondary"]


@st.composite
def counties(draw):
    """A county, a plan that leaves some schools out, and a baseline with gaps."""
    n = draw(st.integers(3, 14))
    pupils = draw(st.lists(st.integers(20, 1500), min_size=n, max_size=n))
    need = draw(st.lists(st.integers(1, 1000), min_size=n, max_size=n))
    phases = draw(st.lists(st.sampled_from(PHASES), min_size=n, max_size=n))
    labels = draw(st.lists(st.sampled_from(["A", "B", "C", ""]), min_size=n, max_size=n))
    labels[0], phases[0], phases[1], labels[1] = "A", "primary", "secondary", "B"
    past = draw(st.lists(st.one_of(st.none(), st.integers(0, 90_000)), min_size=n, max_size=n))
    table = schools([float(p) for p in pupils], phases)
    base = pd.DataFrame(
        {"baseline": [np.nan if b is None else float(b) for b in past]}, index=table.index
    )
    return table, plan_of(labels), shares_of([float(x) for x in need]), base


@st.composite
def rule_sets(draw):
    values = {
        "pot": draw(st.integers(100_000, 20_000_000)),
        "contingency": draw(st.sampled_from([0.0, 0.05, 0.173])),
        "running_cost": draw(st.sampled_from([0.0, 12_000.0])),
        "floors": draw(st.sampled_from([[0.03], [0.15], ["off"]])),
        "round_to": draw(st.sampled_from([1, 7, 100, 1000])),
        "outside": draw(st.sampled_from(["held", "shared"])),
        "project_share": draw(st.sampled_from([1.0, 0.86])),
    }
    if values["floors"] != ["off"]:
        values["cap"] = draw(st.sampled_from([None, 0.0, 0.25]))
    if draw(st.booleans()):
        values["phase_weights"] = {"primary": 1.0, "secondary": draw(st.sampled_from([0.5, 1.3]))}
    if draw(st.booleans()):
        values["ring_fence"] = {"primary": 0.45, "secondary": 0.55}
    return BudgetRules(**values)


@settings(max_examples=150, deadline=None)
@given(counties(), rule_sets())
def test_pot_is_conserved_floors_hold_and_rounding_sums(county, rules):
    table, plan, shares, base = county
    found = budgets(plan, shares, rules, schools=table, baseline=base)
    if not found.ok:
        assert found.table["budget"].isna().all()
        return
    assert whole_pot(found) == rules.pot_of()
    rows = found.table
    assert (rows["budget"] % rules.round_to == 0).all()
    assert rows["budget"].sum() == found.lines["clusters"]
    assert ((rows["budget"] - rows["protected"]).abs() < rules.round_to + 1e-6).all()
    assert (rows["project"] + rows["individual"] == rows["budget"]).all()
    if found.loss is not None:
        assert (rows["protected"] >= rows["floor"] - 1e-4).all()
        if rules.cap is not None:
            assert (rows["protected"] <= (1 + rules.cap) * rows["baseline"] + 1e-4).all()


@settings(max_examples=60, deadline=None)
@given(counties())
def test_order_of_schools_and_clusters_changes_nothing(county):
    table, plan, shares, base = county
    rules = BudgetRules(pot=3_000_000)
    found = budgets(plan, shares, rules, schools=table, baseline=base)
    mixed = table.sample(frac=1, random_state=7)
    turned = Plan(plan.clusters[::-1])
    again = budgets(
        turned,
        shares.sample(frac=1, random_state=3),
        rules,
        schools=mixed,
        baseline=base.sample(frac=1, random_state=5),
    )
    pd.testing.assert_frame_equal(found.table, again.table)
    pd.testing.assert_series_equal(found.table["budget"], again.table["budget"], check_exact=True)


@settings(max_examples=60, deadline=None)
@given(counties())
def test_moving_a_school_moves_exactly_its_own_share(county):
    table, plan, shares, _ = county
    rules = BudgetRules(pot=5_000_000, floors="off")
    before = budgets(plan, shares, rules, schools=table)
    urn = plan["A"].schools[-1]
    if len(plan["A"].schools) == 1:
        return
    after = budgets(plan.move(urn, "B"), shares, rules, schools=table)
    own = before.schools.at[urn, "formula"]
    change = after.table["formula"] - before.table["formula"]
    assert change["A"] == pytest.approx(-own)
    assert change["B"] == pytest.approx(own)
    assert change.drop(["A", "B"]).abs().max() < 1e-6 or len(change) == 2


@settings(max_examples=60, deadline=None)
@given(counties())
def test_ring_fence_holds(county):
    table, plan, shares, _ = county
    rules = BudgetRules(pot=5_000_000, floors="off", ring_fence={"primary": 0.3, "secondary": 0.7})
    found = budgets(plan, shares, rules, schools=table)
    by_group = found.schools.groupby("group")["formula"].sum()
    assert by_group["secondary"] == pytest.approx(0.7 * by_group.sum())


@given(
    st.lists(st.floats(0, 1e6), min_size=1, max_size=30),
    st.sampled_from([1, 10, 100]),
)
def test_rounded_amounts_sum_to_the_total(amounts, step):
    values = np.array(amounts)
    total = int(np.floor(values.sum() / step)) * step
    if values.sum() > 0:
        values = values * total / values.sum()
    rounded = apportion(values, total, step)
    assert rounded.sum() == total
    assert (np.abs(rounded - values) < step + 1e-3).all()
