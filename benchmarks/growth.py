"""How the engine grows: invented counties of 100 to 5,000 schools solved as one problem.

    python benchmarks/growth.py [100 300 560 ...] [--seed 1] [--effort quick]

Towns are scattered over a square, schools around towns; one school in five is a secondary, leavers
of a primary go to the nearest secondaries. Borders are ignored, so that the whole county is one
problem, with one cluster for eleven schools. Each size runs in a process of its own, so that the
peak of memory is its own.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import machine  # noqa: E402
from clustering.problem import Problem, build_problem  # noqa: E402
from clustering.rules import Goals, Rules  # noqa: E402
from clustering.solve.model import build_model  # noqa: E402
from clustering.solve.part import Effort, Progress, solve_part  # noqa: E402
from clustering.solve.whole import EFFORTS  # noqa: E402

SIZES = (100, 300, 560, 2000, 5000)
METRES_A_MINUTE = 500.0
COLUMNS = (
    "schools",
    "clusters",
    "build s",
    "first plan s",
    "whole s",
    "peak MB",
    "minutes",
    "bound",
    "status",
)
WORDS = """`quick` is search only: the bound is the one by counting. The moves grow with the county.
Seconds are on the clock, so a busy machine lengthens them."""


def county(schools: int, seed: int) -> Problem:
    """Return an invented county as one problem: `schools` schools, 80 % primaries."""
    rng = np.random.default_rng(seed)
    towns = max(2, schools // 20)
    side = 1_500.0 * np.sqrt(schools)
    middles = rng.uniform(0, side, (towns, 2))
    home = rng.integers(0, towns, schools)
    points = middles[home] + rng.normal(0, 2_500.0, (schools, 2))
    urns = [str(900_000 + i) for i in range(schools)]
    secondary = np.arange(schools) % 5 == 0
    pupils = np.where(secondary, rng.integers(700, 1400, schools), rng.integers(90, 500, schools))
    table = pd.DataFrame(
        {
            "name": [f"Invented School {i}" for i in range(schools)],
            "phase": np.where(secondary, "secondary", "primary"),
            "selective": pd.array([False] * schools, "boolean"),
            "pupils": pupils.astype(float),
            "area": "Inventedshire",
        },
        index=pd.Index(urns, name="urn"),
    )
    gaps = np.hypot(*(points[:, None] - points[None]).transpose(2, 0, 1))
    minutes = pd.DataFrame(np.round(1.3 * gaps / METRES_A_MINUTE, 1), index=urns, columns=urns)
    return build_problem(
        table,
        minutes,
        pd.Series(pupils * rng.uniform(0.9, 1.3, schools), index=urns).round(1),
        rules=Rules(areas="ignore"),
        goals=Goals(),
        feeders=_leavers(gaps, secondary, pupils, urns),
    )


def _leavers(
    gaps: np.ndarray, secondary: np.ndarray, pupils: np.ndarray, urns: Sequence[str]
) -> pd.DataFrame:
    places = np.flatnonzero(secondary)
    rows = []
    for i in np.flatnonzero(~secondary).tolist():
        nearest = places[np.argsort(gaps[i, places], kind="stable")[:3]]
        for share, j in zip((0.6, 0.25, 0.1), nearest.tolist(), strict=False):
            rows.append((urns[i], urns[j], round(pupils[i] / 7 * share, 1)))
    return pd.DataFrame(rows, columns=["from_urn", "to_urn", "pupils"])


def measured(schools: int, seed: int, effort: Effort) -> list[str]:
    """Solve a county and return the cells of its row."""
    warm = build_model(small := county(40, 0), small.parts()[0])
    solve_part(warm, 4, effort=Effort(moves=1000, restarts=1, prove=False))
    began = time.perf_counter()
    problem = county(schools, seed)
    model = build_model(problem, problem.parts()[0])
    built = time.perf_counter()
    first: list[float] = []

    def note(step: Progress) -> None:
        if step.objective is not None and not first:
            first.append(time.perf_counter() - built)

    clusters = round(schools / 11)
    answer = solve_part(model, clusters, seed=seed, effort=effort, progress=note)
    spent = time.perf_counter() - built
    return [
        f"{schools:,}",
        str(clusters),
        f"{built - began:.1f}",
        f"{first[0]:.1f}" if first else "none",
        f"{spent:.1f}",
        f"{machine.peak():.0f}",
        "none" if answer.objective is None else f"{answer.objective / 100:,.1f}",
        "none" if answer.bound is None else f"{answer.bound / 100:,.1f}",
        answer.status,
    ]


def main(words: Sequence[str] | None = None) -> int:
    """Run each size in a process of its own, print the table and write it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("schools", nargs="*", type=int, default=list(SIZES))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--effort", choices=sorted(EFFORTS), default="quick")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results" / "growth.md")
    parser.add_argument("--one", action="store_true", help="one size, printed as it is")
    asked = parser.parse_args(words)
    if asked.one:
        print("|".join(measured(asked.schools[0], asked.seed, EFFORTS[asked.effort])))
        return 0
    rows, loads = [], []
    for schools in asked.schools:
        own = [str(schools), "--one", "--seed", str(asked.seed), "--effort", asked.effort]
        run = [sys.executable, __file__, *own]
        out = subprocess.run(run, check=True, capture_output=True, encoding="utf-8").stdout
        rows.append(out.strip().splitlines()[-1].split("|"))
        loads.append(machine.busy())
        print(" | ".join(rows[-1]), flush=True)
    machine.page(
        asked.out,
        "Growth",
        COLUMNS,
        rows,
        WORDS,
        seed=asked.seed,
        effort=asked.effort,
        load_a_core=f"{max(loads)} at most",
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
