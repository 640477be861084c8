"""Writes the alternatives of a run: a run folder each, beside a table that compares them all."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from clustering.comparing import Comparison, compare_all
from clustering.inputs import Inputs
from clustering.outputs import write_run
from clustering.pairs import TOLERANCE
from clustering.plan import Plan
from clustering.report import assess
from clustering.solve.options import Alternative
from clustering.solve.whole import Solution

FOLDER, TABLE = "alternatives", "alternatives.csv"


def write_alternatives(
    out: Path,
    inputs: Inputs,
    solution: Solution,
    options: Sequence[Alternative],
    *,
    tolerance: float = TOLERANCE,
) -> Comparison | None:
    """Write each alternative as a run of its own into `out/alternatives/1`, `2` …

    Beside them stand `alternatives.csv` and the tables that compare every two of the plans. What an
    earlier run wrote there goes. Returns the comparison; None where there is no alternative.
    """
    forget_alternatives(out)
    assert solution.plan is not None
    folder = out / FOLDER
    plans: dict[str, Plan] = {"best": solution.plan}
    for number, option in enumerate(options, start=1):
        plans[f"alternative {number}"] = option.plan
        found = _solution(inputs, solution, option)
        write_run(folder / str(number), inputs, found, assess(option.plan, inputs.problem))
    folder.mkdir(exist_ok=True)
    alternatives_table(solution, options).to_csv(
        folder / TABLE, index=False, encoding="utf-8", lineterminator="\n"
    )
    if not options:
        return None
    compared = compare_all(plans, inputs.problem, tolerance=tolerance)
    compared.write(folder)
    return compared


def alternatives_table(solution: Solution, options: Sequence[Alternative]) -> pd.DataFrame:
    """Return a row a plan: `plan, objective, above_best_percent, schools_that_differ`.

    The last is the least number of schools by which a plan differs from any before it.
    """
    rows = [("best", round(solution.objective or 0.0, 2), 0.0, 0)]
    for number, option in enumerate(options, start=1):
        price = round(100 * option.price, 2)
        rows.append((f"alternative {number}", round(option.objective, 2), price, option.moved))
    columns = ["plan", "objective", "above_best_percent", "schools_that_differ"]
    return pd.DataFrame(rows, columns=columns)


def forget_alternatives(out: Path) -> None:
    """Take away the alternatives of an earlier run: they would stand beside another plan."""
    if (out / FOLDER / TABLE).is_file():
        shutil.rmtree(out / FOLDER)


def _solution(inputs: Inputs, best: Solution, option: Alternative) -> Solution:
    """Return an alternative as a solution: its own objective beside the bound of the best."""
    report = assess(option.plan, inputs.problem)
    counts = report.clusters["cluster"].str.rpartition(" ")[0].value_counts()
    only = len(best.parts) == 1
    parts = tuple(
        replace(
            part,
            status="feasible",
            clusters=len(option.plan) if only else int(counts.get(part.name, 0)),
            objective=report.parts[part.name],
        )
        for part in best.parts
    )
    return replace(
        best, status="feasible", plan=option.plan, objective=report.objective, parts=parts
    )
