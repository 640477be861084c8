"""The exact pricer against trying every cluster, with more schools than a word has bits."""

from __future__ import annotations

import numba
import numpy as np
import pandas as pd
import pytest

from clustering.problem import build_problem
from clustering.rules import Goals, Rules
from clustering.solve import close, thinning
from clustering.solve.around import WIDEST
from clustering.solve.columns import WIDTH, Columns, Duals
from clustering.solve.halt import Halt
from clustering.solve.hubs import Pricer
from clustering.solve.model import Model, build_model
from clustering.solve.part import Effort, Progress, never, solve_part
from clustering.solve.tables import BROKEN, Tables, judge, make_tables
from tests.solve_factory import enumerate_best, random_model, recount

MANY = WIDEST + 6


def wide_model(seed: int, areas: str, *, srp: bool = False) -> Model:
    """Return a model of more schools than a word has bits, all within reach of one another.

    With `srp` far SRPs are dear, and in the east half of the schools cannot be a hub.
    """
    rng = np.random.default_rng(seed)
    urns = [str(900_100 + k) for k in range(MANY)]
    xy = rng.uniform(0, 6, (MANY, 2))
    minutes = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))
    phase = np.where(np.arange(MANY) % 4 == 0, "secondary", "primary")
    table = pd.DataFrame(
        {
            "name": urns,
            "phase": phase,
            "pupils": rng.integers(60, 500, MANY).astype(float),
            "selective": pd.array([False] * MANY, dtype="boolean"),
            "area": np.where(xy[:, 0] > 3, "East", "West"),
        },
        index=urns,
    )
    late = np.flatnonzero(phase == "secondary")
    links = [
        (urns[i], urns[int(j)], float(rng.integers(2, 30)))
        for i in np.flatnonzero(phase == "primary")
        for j in rng.choice(late, 2, replace=False)
    ]
    problem = build_problem(
        table,
        pd.DataFrame(minutes, index=urns, columns=urns),
        table["pupils"],
        rules=Rules.model_validate(
            {
                "schools": (2, 3),
                "areas": areas,
                "need_tolerance": "off",
                "connected": False,
                "secondaries": 0,
                "area": {"East": {"max_minutes_to_srp": 20}} if srp else {},
            }
        ),
        goals=Goals(crossing=2.0, srp=0.9 if srp else 0.0),
        feeders=pd.DataFrame(links, columns=["from_urn", "to_urn", "pupils"]),
        reach=pd.DataFrame({"ASD": rng.uniform(0, 40, MANY)}, index=urns) if srp else None,
    )
    return build_model(problem, problem.parts()[0])


def some_prices(t: Tables, seed: int) -> tuple[Duals, np.ndarray]:
    """Return invented prices around what a school costs, with subset rows among them."""
    rng = np.random.default_rng(seed)
    n = len(t.size)
    rows = np.full((30, WIDTH), -1, np.int64)
    for r in range(30):
        rows[r, : 3 + 2 * (r % 2)] = np.sort(rng.choice(n, 3 + 2 * (r % 2), replace=False))
    fair = np.rint(t.out + rng.uniform(300, 1500, n)).astype(np.int64)
    return Duals(fair, -2_000.0, np.zeros(0, np.int64), rng.integers(0, 900, 30)), rows


@numba.njit
def try_all(t, pi, rows, rho):
    """Return (n, n, n) the least reduced cost of i < j < k (k = j: only two), and each hub's."""
    n = len(pi)
    out = np.full((n, n, n), BROKEN)
    least = np.full(n, BROKEN)
    members = np.empty(3, np.int64)
    for i in range(n):
        for j in range(i + 1, n):
            for k in range(j, n):
                members[0], members[1], members[2] = i, j, k
                count = 2 if k == j else 3
                rest = 0
                for x in range(count):
                    rest -= pi[members[x]]
                for r in range(len(rho)):
                    held = 0
                    for x in range(count):
                        held += (rows[r] == members[x]).sum()
                    rest += (held // 2) * rho[r]
                for x in range(count):
                    cost = judge(t, members, count, members[x], -1)
                    if cost < BROKEN:
                        least[members[x]] = min(least[members[x]], cost + rest)
                        out[i, j, k] = min(out[i, j, k], cost + rest)
    return out, least


@pytest.mark.parametrize("srp", [False, True])
@pytest.mark.parametrize("areas", ["ignore", "price"])
def test_the_least_cluster_around_every_hub_is_found_among_many_schools(
    areas: str, srp: bool
) -> None:
    t = make_tables(wide_model(1, areas, srp=srp), 30)
    duals, rows = some_prices(t, 2)
    rows, duals = rows[:6], Duals(duals.atoms, duals.clusters, duals.loans, duals.rows[:6])
    _, wanted = try_all(t, duals.atoms, rows, duals.rows)
    line = np.full(len(t.size), int(np.sort(wanted)[40]), np.int64)
    found = Pricer(t, 10**9, 100_000).run(duals, rows, line, False, Halt(never))
    assert found.complete
    assert np.array_equal(np.minimum(found.minima, line), np.minimum(wanted, line))


def test_a_rough_search_among_many_schools_claims_no_more_than_is_true() -> None:
    t = make_tables(wide_model(1, "ignore"), 30)
    duals, rows = some_prices(t, 2)
    rows, duals = rows[:6], Duals(duals.atoms, duals.clusters, duals.loans, duals.rows[:6])
    high = np.full(len(t.size), 10**6, np.int64)
    true = Pricer(t, 10**9, 400_000).run(duals, rows, high, False, Halt(never))
    rough = Pricer(t, 10**9, 400_000).run(duals, rows, high, False, Halt(never), node_limit=500)
    assert true.complete
    assert not rough.complete
    assert (rough.minima <= true.minima).all()
    assert rough.clusters


def test_every_second_school_of_a_row_pays_its_price() -> None:
    t = make_tables(wide_model(1, "ignore"), 30)
    duals, rows = some_prices(t, 2)
    columns = Columns(t)
    # the first two schools of each row, and all three where it has no more
    numbers = [columns.add(row[:2], -1) for row in rows]
    numbers += [columns.add(row[:3], -1) for row in rows if row[3] < 0]
    assert min(numbers) >= 0
    found = columns.reduced(duals, rows)
    for k in numbers:
        held = columns.holds[k]
        paid = sum(
            int(price) * (sum(int(held[i]) for i in row if i >= 0) // 2)
            for row, price in zip(rows.tolist(), duals.rows.tolist(), strict=True)
        )
        assert found[k] == columns.cost[k] - int(duals.atoms[held == 1].sum()) + paid
        assert paid > 0


def test_a_list_holds_every_cluster_below_the_line_once() -> None:
    t = make_tables(wide_model(3, "ignore"), 30)
    duals, rows = some_prices(t, 4)
    rows, duals = rows[:0], Duals(duals.atoms, duals.clusters, duals.loans, duals.rows[:0])
    every, least = try_all(t, duals.atoms, rows, duals.rows)
    line = int(np.sort(least)[10]) + 300
    listed = Pricer(t, 10**9, 100_000).run(
        duals, rows, np.full(len(t.size), line, np.int64), True, Halt(never)
    )
    wanted = {tuple(sorted(set(atoms))) for atoms in np.argwhere(every < line).tolist()}
    assert {tuple(sorted(atoms.tolist())) for atoms, _ in listed.clusters} == wanted


@pytest.mark.parametrize("feature", ["loose", "tight_need"])
@pytest.mark.parametrize("seed", range(3))
def test_thinned_lists_lose_no_best_plan(
    seed: int, feature: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thinning, "FEW", 3)
    model = random_model(seed, (feature,), 12)
    best = enumerate_best(model, 3)
    # an annealing of one move leaves a poor plan, so that the list is long
    answer = solve_part(model, 3, effort=Effort(moves=1, restarts=1))
    assert answer.objective == best
    assert best is None or answer.bound == best


def test_a_proof_ends_where_its_bound_is_enough() -> None:
    model = random_model(3, (), 12)
    best = enumerate_best(model, 3)
    poor = Effort(moves=1, restarts=1)
    assert solve_part(model, 3, effort=poor).bound == best
    answer = solve_part(model, 3, effort=poor, enough=best // 2)
    assert best // 2 <= answer.bound <= best


def test_a_stop_reaches_into_compiled_work() -> None:
    model = wide_model(1, "ignore")
    proving = []

    def note(step: Progress) -> None:
        proving.append(step.phase != "search")

    answer = solve_part(
        model,
        25,
        effort=Effort(moves=20_000, restarts=1, node_limit=2**60, max_nodes=2**61),
        stop=lambda: any(proving),
        progress=note,
    )
    assert answer.status == "interrupted"
    assert answer.objective is not None
    assert answer.bound is None or answer.bound <= answer.objective


def test_a_master_that_cannot_be_solved_ends_the_proof_and_keeps_the_plan(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(master: object) -> None:
        raise ArithmeticError("the linear master ended with status 4")

    monkeypatch.setattr(close.Master, "solve", fail)
    model = random_model(3, (), 12)
    answer = solve_part(model, 3, effort=Effort(moves=20_000, restarts=1))
    assert answer.status == "feasible"
    assert dict(answer.log)["masters given up"] == "1"
    assert answer.objective == recount(model, answer.chosen)
    assert answer.bound < answer.objective
