"""The engine against brute force: every rule and price switched on in turn."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numba
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clustering.solve import close
from clustering.solve.close import Proof
from clustering.solve.columns import Columns
from clustering.solve.halt import Halt
from clustering.solve.hubs import Pricer
from clustering.solve.kernels import lean
from clustering.solve.part import (
    QUICK,
    STANDARD,
    Effort,
    PartAnswer,
    Progress,
    at_least,
    impossible,
    never,
    solve_part,
)
from clustering.solve.tables import BROKEN, judge, make_tables
from clustering.solve.wide import climb_up
from tests.solve_factory import FEATURES, enumerate_best, random_model, recount

SMALL = Effort(moves=20_000, restarts=1)


def agree(seed: int, features: tuple[str, ...], n: int, clusters: int) -> PartAnswer:
    """Solve a random model and hold the answer to brute force."""
    model = random_model(seed, features, n)
    best = enumerate_best(model, clusters)
    answer = solve_part(model, clusters, effort=SMALL)
    assert (answer.status == "infeasible") == (best is None)
    assert answer.objective == best
    if best is not None:
        assert answer.status == "optimal"
        assert answer.bound == best
        assert recount(model, answer.chosen) == best
    return answer


@pytest.mark.parametrize("feature", FEATURES)
def test_best_plan_is_that_of_brute_force(feature: str) -> None:
    found = [agree(seed, (feature,), 9, 2).objective for seed in (10, 11)]
    assert any(objective is not None for objective in found)


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(
    st.integers(0, 10_000),
    st.sets(st.sampled_from(FEATURES), max_size=5),
    st.integers(8, 10),
    st.integers(1, 3),
)
def test_rules_and_prices_together(seed: int, features: set[str], n: int, clusters: int) -> None:
    agree(seed, tuple(sorted(features)), n, clusters)


def test_three_clusters_of_twelve() -> None:
    agree(3, (), 12, 3)


def test_a_search_without_proof_claims_no_more_than_counting_shows() -> None:
    model = random_model(3, (), 12)
    answer = solve_part(model, 3, effort=Effort(moves=20_000, restarts=1, prove=False))
    assert answer.status == "feasible"
    assert answer.bound == at_least(model, 3)
    assert 0 < answer.bound < enumerate_best(model, 3)
    assert answer.objective == recount(model, answer.chosen)
    assert QUICK.moves < STANDARD.moves


@pytest.mark.parametrize("nodes", [0, 100, 1000])
def test_a_proof_out_of_nodes_keeps_plan_and_bound(nodes: int) -> None:
    model = random_model(3, (), 12)
    best = enumerate_best(model, 3)
    effort = Effort(moves=20_000, restarts=1, max_nodes=nodes)
    answer = solve_part(model, 3, effort=effort)
    assert answer.objective == best
    assert answer.bound is None or answer.bound <= best
    assert answer.status == ("optimal" if answer.bound == best else "feasible")
    assert int(dict(answer.log)["nodes"]) <= nodes + 1
    assert answer == solve_part(model, 3, effort=effort)


def test_a_proof_that_may_not_choose_claims_no_more_than_it_knows() -> None:
    model = random_model(3, (), 12)
    best = enumerate_best(model, 3)
    answer = solve_part(model, 3, effort=Effort(moves=20_000, restarts=1, max_choice=0.0))
    assert answer.objective == best
    assert answer.bound is None or answer.bound <= best


def test_no_nodes_are_no_proof_that_there_is_no_plan() -> None:
    model = random_model(3, (), 12)
    answer = solve_part(model, 3, effort=Effort(moves=1, restarts=0, max_nodes=0))
    assert answer.status == "not_found"
    assert answer.bound == at_least(model, 3)


def test_counting_claims_nothing_where_moves_are_paid_for() -> None:
    model = replace(random_model(3, (), 12), change=-500)
    assert at_least(model, 3) is None


@pytest.mark.parametrize("features", [(), ("srp_price",), ("srp_price", "ties")])
@pytest.mark.parametrize("seed", range(4))
def test_counting_never_claims_too_much(seed: int, features: tuple[str, ...]) -> None:
    model = random_model(seed, features, 9)
    best = enumerate_best(model, 2)
    assert best is None or at_least(model, 2) <= best


def test_kernels_compile_in_the_ordinary_way_without_the_private_switch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real, asked = numba.njit, []

    def older(function=None, **options):
        if function is not None:
            return SimpleNamespace(targetdescr=SimpleNamespace(options=object()))
        asked.append(options)
        return real(**{**options, "cache": False})

    monkeypatch.setattr(numba, "njit", older)
    assert lean(lambda a: a.sum())(np.arange(4)) == 6
    assert [o.get("_nrt", "not asked") for o in asked] == ["not asked"]


@pytest.mark.parametrize("features", [(f,) for f in FEATURES])
def test_compiled_judge_agrees_with_the_model(features: tuple[str, ...]) -> None:
    rng = np.random.default_rng(1)
    for seed in range(2):
        model = random_model(seed, features)
        for clusters in (2, 3):
            tables = make_tables(model, clusters)
            for _ in range(60):
                atoms = np.sort(rng.choice(len(model), rng.integers(1, 7), replace=False))
                hub = int(rng.integers(len(model.schools)))
                loan = int(rng.integers(-1, len(model.loans)))
                cost = judge(tables, atoms.astype(np.int64), len(atoms), hub, loan)
                if model.faults(atoms.tolist(), hub, clusters, loan):
                    assert cost == BROKEN
                else:
                    assert cost == model.cost(atoms.tolist(), hub, clusters, loan)


def test_the_same_question_has_the_same_answer() -> None:
    model = random_model(12, ("change",), 12)
    first, second = (solve_part(model, 3, seed=4, effort=SMALL) for _ in range(2))
    assert first == second


def test_bound_and_objective_meet_while_work_is_reported() -> None:
    heard: list[Progress] = []
    model = random_model(3, (), 12)
    answer = solve_part(model, 3, effort=SMALL, progress=heard.append)
    assert {p.phase for p in heard} >= {"search"}
    assert all(p.bound is None or p.bound <= answer.objective for p in heard)
    assert all(p.objective is None or p.objective >= answer.objective for p in heard)


def test_stopping_keeps_the_best_plan() -> None:
    asked = iter(range(100))
    model = random_model(3, (), 12)
    answer = solve_part(
        model,
        3,
        effort=Effort(moves=100_000_000, restarts=1),
        stop=lambda: next(asked) >= 1,
    )
    assert answer.status == "interrupted"
    assert answer.objective == recount(model, answer.chosen)


def test_a_plan_to_start_from_is_never_made_worse() -> None:
    model = random_model(3, (), 12)
    best = solve_part(model, 3, effort=SMALL)
    tiny = Effort(moves=10, restarts=0, prove=False)
    again = solve_part(model, 3, effort=tiny, start=best.chosen)
    assert again.objective == best.objective
    assert again.chosen == best.chosen


def test_runs_that_go_on_from_the_best_plan_are_reproducible_and_never_worse() -> None:
    model = random_model(3, (), 12)
    once = Effort(moves=300, restarts=1, prove=False)
    first = solve_part(model, 3, effort=once)
    more = [solve_part(model, 3, effort=replace(once, restarts=6)) for _ in range(2)]
    assert more[0] == more[1]
    assert more[0].objective <= first.objective
    assert more[0].objective == recount(model, more[0].chosen)


@pytest.mark.parametrize("clusters", [0, 1, 5, 13])
def test_sums_that_rule_out_every_plan(clusters: int) -> None:
    model = random_model(0, (), 12)
    assert impossible(model, clusters)
    assert solve_part(model, clusters).status == "infeasible"


@pytest.mark.parametrize("feature", FEATURES)
def test_the_climb_of_a_large_part_claims_no_more_than_brute_force(
    feature: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(close, "WIDEST", 4)
    for seed in (10, 11):
        model = random_model(seed, (feature,), 9)
        best = enumerate_best(model, 2)
        with Halt(never) as halt:
            tables = make_tables(model, 2)
            columns = Columns(tables)
            proof = Proof(
                tables,
                columns,
                Pricer(tables, 10**6, 10_000),
                100,
                5,
                10**8,
                10.0,
                halt,
                lambda *step: None,
            )
            climb_up(proof, np.full(columns.n, 500.0), 5_000.0)
        assert proof.facts["priced"] > 0
        if best is None:
            continue
        assert 0 < proof.bound + model.base <= best
        assert proof.bound + model.base > 0.8 * best


@pytest.mark.parametrize("seed", range(3))
def test_a_large_part_is_proved_best_where_the_climb_comes_near(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(close, "WIDEST", 4)
    model = random_model(seed, ("loose",), 12)
    best = enumerate_best(model, 3)
    answer = solve_part(model, 3, effort=SMALL)
    assert answer.objective == best
    assert best is None or answer.bound == best
