"""The smallest budget of a cluster: kept by need, whatever the number of clusters."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from clustering.budget_rules import BudgetRules
from clustering.inputs import load_inputs
from clustering.publish.money import money_of
from clustering.rules import Rules
from clustering.run import design
from clustering.smallest import most_clusters, pounds_a_unit
from clustering.study import Study
from tests.studies import County, clusters, county, hurry


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)


def moorshire(lines: str) -> County:
    whole = county()
    whole.merge(lines)
    return whole


def test_most_clusters_by_sizes_and_by_fixed_numbers():
    schools = {"East": 45, "West": 20}
    assert most_clusters(Rules(), schools) == 5 + 2
    assert most_clusters(Rules(areas="price"), schools) == 8
    assert most_clusters(Rules(clusters=(3, 4)), schools) == 4
    assert most_clusters(Rules(area={"East": {"clusters": [4, 4]}}), schools) == 4 + 2
    assert most_clusters(Rules(area={"West": {"schools": [5, 14]}}), schools) == 5 + 4
    named = {"Marsh": {"contains": "1", "schools": [4, 8]}}
    assert most_clusters(Rules(cluster=named), schools) == 11 + 5


def test_worth_of_a_unit_by_hand():
    rules = BudgetRules(pot=1_000_000, contingency=0.05, running_cost=10_000, round_to=100)
    # 1,000,000 − 50,000 − 5 × 10,000 − at most 100 that cannot be shared in steps
    assert pounds_a_unit(rules, 5, pd.Series([4_000.0, 5_000.0])) == pytest.approx(899_900 / 9_000)


def test_a_design_keeps_the_smallest_budget(tmp_path: Path):
    pounds = 215_000
    lines = f"[budget]\npot = 1_000_000\n[rules]\nmin_budget = {pounds}\n"
    study = Study.load(moorshire(lines).write(tmp_path))
    result = design(study, seed=1)
    assert result.report is not None
    assert result.report.ok
    assert money_of(result.inputs, result.plan).budget.table["formula"].min() >= pounds
    assert any("A smallest budget is kept by need" in note for note in result.inputs.notes)


def test_a_smallest_budget_nobody_can_have_is_an_answer_with_a_remedy(tmp_path: Path, capsys):
    lines = "[budget]\npot = 1_000_000\n[rules]\nmin_budget = 600_000\n"
    study = moorshire(lines).write(tmp_path)
    assert clusters("check", study) == 1
    told = " ".join(capsys.readouterr().out.split())
    assert "make at most 0 clusters" in told
    assert "min_budget = " in told


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("[rules]\nmin_budget = 1000", "there is no [budget]"),
        (
            "[rules]\nmin_budget = 1000\n[budget]\npot = 1e6\n"
            "ring_fence = { primary = 0.5, secondary = 0.5 }",
            "in proportion to need",
        ),
        ("[rules]\nmin_budget = 1000\n[budget]\npot = 30_000", "no more than contingency"),
        ("[rules]\nmin_need = -1", "greater than or equal to 0"),
    ],
)
def test_smallest_budgets_that_cannot_be(tmp_path: Path, lines: str, said: str, capsys):
    assert clusters("check", moorshire(lines).write(tmp_path)) == 2
    assert said in " ".join(capsys.readouterr().err.split())


def test_phase_weights_that_are_equal_change_nothing(tmp_path: Path):
    lines = (
        "[rules]\nmin_budget = 1000\n[budget]\npot = 1e6\n"
        "phase_weights = { primary = 2, secondary = 2 }\n"
    )
    inputs = load_inputs(Study.load(moorshire(lines).write(tmp_path)))
    assert inputs.problem.pounds_a_unit > 0
