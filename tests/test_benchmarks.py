"""The benchmarks read, solve and score: on mini instances that can be checked by hand."""

from __future__ import annotations

import json
import math
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from ortools.sat.python import cp_model

from benchmarks import growth, machine, peer_methods, peer_models, peers, public, scoring
from clustering.problem import Problem
from clustering.solve.model import build_model
from clustering.solve.part import QUICK, solve_part
from tests.solve_factory import enumerate_best, random_problem

SHARED = Path(__file__).resolve().parents[2] / "shared" / "bench"
needs_real = pytest.mark.skipif(
    not SHARED.exists(), reason="the public instances are not beside the project"
)

CCP = "4 2 ds 2 2 2 2 W 1 1 1 1\n0 1 5.5\n0 2 1.0\n0 3 0.0\n1 2 0.0\n1 3 1.0\n2 3 7.25\n"
PMEDCAP = " 1 2\n 4 2 5\n 1 0 0 2\n 2 1 1 2\n 3 10 10 2\n 4 11 11 2\n"
CPMP = "4 2\n0 0 5 2\n1 1 5 2\n10 10 5 2\n11 11 5 2\n"


def _file(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [("ccplib", CCP, 12.75), ("pmedcap", PMEDCAP, 2.0), ("cpmp", CPMP, 2 * math.sqrt(2))],
)
def test_model_and_checker_agree(tmp_path: Path, kind: str, text: str, value: float) -> None:
    path = _file(tmp_path, "mini.txt", text)
    assert scoring.score(kind, path, [0, 0, 1, 1]) == pytest.approx(value)
    instance = public.read(kind, path)
    cost = instance.model.cost([0, 1], 0, 2) + instance.model.cost([2, 3], 2, 2)
    assert instance.value(cost) == pytest.approx(value, abs=0.01)
    assert instance.clusters == 2
    assert instance.model.faults([0, 1], 0, 2) == []


@pytest.mark.parametrize(
    ("kind", "text", "labels", "why"),
    [
        ("ccplib", CCP, [0, 1, 1, 1], "weighs"),
        ("ccplib", CCP, [0, 0, 0, 0], "1 clusters"),
        ("ccplib", CCP, [0, 1], "2 labels"),
        ("pmedcap", PMEDCAP, [0, 0, 0, 1], "demand of 6"),
        ("cpmp", CPMP, [0, 0, 0, 1], "demand of 6"),
    ],
)
def test_checker_refuses(tmp_path: Path, kind: str, text: str, labels: list[int], why: str) -> None:
    with pytest.raises(scoring.Unfit, match=why):
        scoring.score(kind, _file(tmp_path, "mini.txt", text), labels)


def _state(folder: Path) -> Path:
    """Write ten counties in a row, two make a district; each weighs half of what is allowed."""
    nodes = [
        {"P0010001": 396_000, "INTPTLAT20": "+35.0", "INTPTLON20": f"-{99 - k / 10}"}
        for k in range(10)
    ]
    links = [
        [{"id": j, "shared_perim": 0.5} for j in (k - 1, k + 1) if 0 <= j < 10] for k in range(10)
    ]
    return _file(folder, "state.json", json.dumps({"nodes": nodes, "adjacency": links}))


def test_districts(tmp_path: Path) -> None:
    path = _state(tmp_path)
    labels = [k // 2 for k in range(10)]
    assert scoring.score("districting edges", path, labels) == 4
    assert scoring.score("districting perimeter", path, labels) == pytest.approx(2.0)
    inertia = scoring.score("districting inertia", path, labels)
    instance = public.read("districting inertia", path)
    pairs = [instance.model.cost([k, k + 1], k, 5) for k in range(0, 10, 2)]
    assert instance.value(sum(pairs)) == pytest.approx(inertia, rel=1e-9)
    edges = public.read("districting edges", path)
    cut = [edges.model.cost([k, k + 1], k, 5) for k in range(0, 10, 2)]
    assert edges.value(sum(cut)) == pytest.approx(4)
    with pytest.raises(scoring.Unfit, match="one piece"):
        scoring.score("districting edges", path, [0, 1, 1, 0, 2, 2, 3, 3, 4, 4])
    with pytest.raises(scoring.Unfit, match="people"):
        scoring.score("districting edges", path, [0, 0, 0, 1, 2, 2, 3, 3, 4, 4])


def test_gap_has_the_sense_of_its_family() -> None:
    most = public.Row("a", "ccplib", True, 2, 200.0, "best known")
    least = public.Row("b", "cpmp", False, 2, 200.0, "optimal")
    assert public.Outcome(most, 1.0, 190.0, None, "yes").gap == pytest.approx(5.0)
    assert public.Outcome(least, 1.0, 210.0, None, "yes").gap == pytest.approx(5.0)
    assert public.Outcome(least, 1.0, None, None, "no plan").gap is None


def test_county_is_seeded() -> None:
    one, two = growth.county(60, 3), growth.county(60, 3)
    assert (one.minutes == two.minutes).all()
    assert (one.need == two.need).all()
    assert len(one) == 60
    assert len(one.parts()) == 1


def test_table_is_markdown() -> None:
    assert machine.table(("a", "b"), [("1", "2")]) == "| a | b |\n|---|---|\n| 1 | 2 |\n"
    assert "Python" in machine.header(seed=1)


def _given(problem: Problem, clusters: int = 3) -> peer_methods.Given:
    """Hand over the only part of a problem."""
    settings = {"seed": 1, "steps": 100, "seconds": 30.0, "workers": 1}
    return peers.given(problem, problem.parts()[0], clusters, **settings)


def test_what_peers_get_survives_the_file(tmp_path: Path) -> None:
    given = _given(random_problem(1, ("ties", "named_cluster")))
    given.write(tmp_path / "given.npz")
    again = peer_methods.Given.read(tmp_path / "given.npz")
    for own in fields(given):
        np.testing.assert_array_equal(getattr(given, own.name), getattr(again, own.name))


def test_points_keep_the_minutes() -> None:
    places = np.array([[0.0, 0.0], [3.0, 0.0], [3.0, 4.0]])
    minutes = np.linalg.norm(places[:, None] - places[None], axis=2)
    points = peers.laid_out(minutes)
    assert points.shape == (3, 2)
    assert np.linalg.norm(points[:, None] - points[None], axis=2) == pytest.approx(minutes)


@pytest.mark.parametrize("features", [(), ("ties",), ("size_goal",), ("crossing",)])
def test_chain_and_audit_agree_on_a_plan_that_keeps_the_rules(features: tuple[str, ...]) -> None:
    problem = random_problem(2, features)
    part = problem.parts()[0]
    found = solve_part(build_model(problem, part), 3, effort=QUICK)
    given, score = _given(problem), peer_methods.scorer(_given(problem))
    labels = np.zeros(len(given), int)
    for number, cluster in enumerate(found.chosen):
        labels[list(cluster.atoms)] = number
    schools = peer_methods.schools_of(given, labels)
    value, broken = peers.judged(problem, part, schools, [])
    assert not broken
    price = sum(score(frozenset(c.atoms)) for c in found.chosen) + given.base
    assert value == pytest.approx(price / 100)
    assert value == pytest.approx((found.objective or 0) / 100)


def test_chain_pays_for_every_rule_it_breaks() -> None:
    score = peer_methods.scorer(_given(random_problem(2)))
    assert score(frozenset({0})) > 2 * peer_methods.BROKEN  # two schools short, and more


@pytest.mark.parametrize(
    "name", ["nearest secondary, merged by hand", "scikit-learn agglomerative"]
)
def test_peer_is_asked_and_judged(name: str) -> None:
    problem = random_problem(3, ("ties",), n=14)
    answer = peer_methods.answer(name, _given(problem))
    assert answer.failed == ""
    assert len(set(answer.labels)) == 3
    value, broken = peers.judged(problem, problem.parts()[0], answer.labels, [])
    assert value > 0
    assert "together" not in broken
    assert "assigned" not in broken


def test_judge_counts_what_is_broken() -> None:
    problem = random_problem(3, ("ties",), n=14)
    tie = problem.positions(problem.ties[0])
    labels = [0] * 14
    labels[tie[0]] = 1
    _, broken = peers.judged(problem, problem.parts()[0], labels, [])
    assert broken["together"] == 1
    assert broken["schools"] == 2


def test_missing_or_failing_peer_is_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    given = _given(random_problem(1))
    monkeypatch.setitem(peer_methods.METHODS, "absent", ("greedy", "no_such_module", "nothing"))
    assert "nothing is not installed" in peer_methods.answer("absent", given).failed
    monkeypatch.setattr(peer_methods, "greedy", lambda given: 1 / 0)
    said = peer_methods.answer("nearest secondary, merged by hand", given)
    assert said.failed.startswith("ZeroDivisionError")
    assert said.labels == []


LOOSE = [
    ("loose",),
    ("loose", "tight_need"),
    ("loose", "ties"),
    ("loose", "size_goal", "pupils"),
    ("loose", "named_cluster"),
    ("loose", "apart"),
    ("loose", "pins"),
    ("loose", "secondary_hub"),
]


@pytest.mark.parametrize("features", LOOSE)
def test_plain_model_is_the_problem(features: tuple[str, ...]) -> None:
    """Where any clusters may be formed, the plain model's optimum is that of trying every plan."""
    problem = random_problem(5, features, n=8)
    best = enumerate_best(build_model(problem, problem.parts()[0]), 2)
    for kept in (True, False):
        plain = peer_models.Plain(_given(problem, 2), kept=kept)
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        status = solver.solve(peer_models.as_cp(plain)[0])
        if best is None:
            assert status == cp_model.INFEASIBLE
        else:  # the plain model does not round the price of balance down to a hundredth
            assert solver.objective_value + plain.offset == pytest.approx(best, abs=5)


def test_cp_sat_answers_with_plan_and_bound() -> None:
    problem = random_problem(5)
    answer = peer_methods.answer("plain model, CP-SAT", _given(problem))
    best = enumerate_best(build_model(problem, problem.parts()[0]), 3)
    value, broken = peers.judged(problem, problem.parts()[0], answer.labels, [])
    assert not broken
    assert best is not None
    assert value >= best / 100 - 0.001
    assert peers.within(answer, 0.05) is not None
    assert answer.objective == pytest.approx(answer.bound, abs=1)


def test_time_to_a_gap_is_read_from_the_way() -> None:
    way = [(1.0, None, 50.0), (2.0, 110.0, None), (3.0, 100.0, 80.0), (4.0, 100.0, 96.0)]
    answer = peer_methods.Answer(trace=way)
    assert peers.first_plan(answer) == 2.0
    assert peers.within(answer, 0.2) == 3.0
    assert peers.within(answer, 0.05) == 4.0
    assert peers.within(answer, 0.0) is None


def test_page_of_peers_is_written() -> None:
    ours = peer_methods.Answer([0], 9_000.0, 10_000.0, [(1.0, 10_000.0, 9_000.0)], 1.0, 1.0, 5.0)
    rows = [
        peers.Row("Mere", 1, 1, peers.ENGINE, ours, 100.0, peers.Counter()),
        peers.Row("Mere", 1, 1, "spopt AZP", ours, 110.0, peers.Counter(schools=2)),
        peers.Row("Mere", 1, 1, peers.PLAIN[0], peer_methods.Answer(failed="not there"), None, {}),
    ]
    page = peers.written(rows, rows[:1], "header\n")
    assert "| Mere | 1 | 1 | spopt AZP | 110.0 | +10.0 | schools 2 |" in page
    assert "none: not there" in page
    assert "The way to a proof" in page


@pytest.mark.real
@needs_real
def test_every_known_instance_is_read() -> None:
    rows = public.known(SHARED)
    assert len(rows) == 24
    for row in rows:
        assert public.read(row.kind, SHARED / row.file).clusters == row.clusters
