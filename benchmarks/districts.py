"""Every district of a study with every number of clusters it allows: found, and proved how far.

    python benchmarks/districts.py [STUDY] [--effort thorough] [--seconds 600] [--only Swale ...]

One core, one case after another. "plan s" is when the plan of the answer was first held, "proof s"
the whole, both in seconds of the processor, so that other work on the machine does not count; the
"root gap" is that of the linear master before any subset row.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import machine  # noqa: E402
from clustering.inputs import load_inputs  # noqa: E402
from clustering.solve.checks import possible_counts  # noqa: E402
from clustering.solve.model import Model, build_model  # noqa: E402
from clustering.solve.part import Effort, PartAnswer, Progress, solve_part  # noqa: E402
from clustering.solve.whole import EFFORTS  # noqa: E402
from clustering.study import Study  # noqa: E402

KENT = ROOT / "benchmarks" / "kent.toml"
COLUMNS = (
    "district",
    "schools",
    "clusters",
    "status",
    "minutes",
    "bound",
    "gap %",
    "root gap %",
    "clusters priced",
    "subset rows",
    "plan s",
    "proof s",
)


class Watch:
    """Stops a solve after a time, and remembers when the best plan was first held."""

    def __init__(self, seconds: float) -> None:
        self.began, self.seconds = time.process_time(), seconds
        self.best, self.at = float("inf"), float("nan")

    def spent(self) -> float:
        """Return the processor's seconds since the start."""
        return time.process_time() - self.began

    def stop(self) -> bool:
        """Return whether the time is up."""
        return self.spent() >= self.seconds

    def note(self, step: Progress) -> None:
        """Take note of a better plan."""
        if step.objective is not None and step.objective < self.best:
            self.best, self.at = step.objective, self.spent()


def row(name: str, model: Model, answer: PartAnswer, watch: Watch) -> list[str]:
    """Return the cells of one case."""
    facts = dict(answer.log)
    cells = ["", "", ""]
    if answer.objective is not None:
        cells = [f"{answer.objective / 100:,.2f}", "none", "none"]
        if answer.bound is not None:
            gap = 1 - answer.bound / answer.objective
            cells = [cells[0], f"{answer.bound / 100:,.2f}", f"{100 * gap:.2f}"]
    root = "none"
    if answer.objective is not None and "root" in facts:
        root = f"{100 * max(0.0, 1 - int(facts['root']) / answer.objective):.2f}"
    return [
        name,
        str(len(model.schools)),
        str(answer.clusters),
        answer.status,
        *cells,
        root,
        f"{int(facts.get('columns', 0)):,}",
        facts.get("cuts", "0"),
        f"{watch.at:.1f}" if answer.chosen else "none",
        f"{watch.spent():.1f}",
    ]


def measured(
    study: Path, effort: Effort, seconds: float, seed: int, only: Sequence[str]
) -> list[list[str]]:
    """Return a row for every district and number of clusters."""
    problem = load_inputs(Study.load(study)).problem
    rows: list[list[str]] = []
    quick = replace(effort, moves=1000, restarts=1)
    for part in problem.parts():
        if only and part.name not in only:
            continue
        model = build_model(problem, part)
        counts, reasons = possible_counts(problem, part, model)
        if not rows and counts:  # kernels are compiled before the clock starts
            warm = Watch(5.0)
            solve_part(model, counts[0], effort=quick, stop=warm.stop)
        for clusters in counts:
            watch = Watch(seconds)
            answer = solve_part(
                model, clusters, seed=seed, effort=effort, stop=watch.stop, progress=watch.note
            )
            rows.append(row(part.name, model, answer, watch))
            print(" | ".join(rows[-1]), flush=True)
        if not counts:
            rows.append([part.name, str(len(model.schools)), "", "infeasible by counting"])
            rows[-1] += [""] * (len(COLUMNS) - 4)
            print(" | ".join(rows[-1]), reasons[0].text, flush=True)
    return rows


def summary(rows: Sequence[Sequence[str]]) -> str:
    """Return one sentence on how many cases were proved and how long it took."""
    with_plan = [row for row in rows if row[4]]
    proved = sum(row[3] == "optimal" for row in with_plan)
    none = sum(row[3].startswith("infeasible") for row in rows)
    times = sorted(float(row[-1]) for row in rows if row[-1])
    return (
        f"{proved} of {len(with_plan)} cases with a plan proved best, {none} proved to have none; "
        f"seconds: median {statistics.median(times):.1f}, most {times[-1]:.1f}, "
        f"in all {sum(times):.0f}."
    )


def main(words: Sequence[str] | None = None) -> int:
    """Solve all cases, print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("study", nargs="?", type=Path, default=KENT)
    parser.add_argument("--effort", choices=sorted(EFFORTS), default="thorough")
    parser.add_argument("--seconds", type=float, default=600.0, help="for each case")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="*", default=[], help="names of districts")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks/results/districts.md")
    asked = parser.parse_args(words)
    effort = EFFORTS[asked.effort]
    rows = measured(asked.study, effort, asked.seconds, asked.seed, asked.only)
    facts = {"study": asked.study.name, "seed": asked.seed, "effort": asked.effort}
    told = summary(rows)
    machine.page(asked.out, "Districts", COLUMNS, rows, told, **facts, load_a_core=machine.busy())
    print(told)
    return 0


if __name__ == "__main__":
    sys.exit(main())
