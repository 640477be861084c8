"""The whole county as one problem, borders crossed at a price: the plan, and how far it is proved.

    python benchmarks/county.py [STUDY] [--clusters 46] [--seconds 3600] [--moves 20] [--seed 1]

No district stands alone here, so the need of a cluster is measured from the mean of the county. The
table shows how plan and bound came closer: annealing first, then the linear master over clusters,
by rough searches and subset rows, exact searches last. Times are seconds of the processor, so that
other work on the machine does not count.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import machine  # noqa: E402
from benchmarks.districts import KENT  # noqa: E402
from clustering.inputs import load_inputs  # noqa: E402
from clustering.solve.model import build_model  # noqa: E402
from clustering.solve.part import THOROUGH, PartAnswer, Progress, solve_part  # noqa: E402
from clustering.study import Study  # noqa: E402

COLUMNS = ("seconds", "phase", "plan", "bound", "gap %")
NOTES = """
The need of a cluster is measured here from the mean of the county, so the districts' own plans
break the tolerance in 16 clusters: this is another problem than the sum of the districts, not a
relaxation.

What was tried, and what came of it:

- **A box around the prices that gives way.** Slack columns keep the price of each school near a
  first guess. With the box as it was first set the master ended at 8,136, and after 240, 480 and
  720 subset rows at 8,361, 8,502 and 8,580; widened wherever it bound, once before each round of
  rows, at 8,737 after 240 rows and 8,946 after 480. The box, not the rows, had held the bound down.
- **Rough searches for everything but the last rounds** (the 64 schools nearest to a hub, 20,000
  nodes): 2 to 3 s a round against 40 s or more for an exact one.
- **Known columns priced by their members**, in place of a dense product over all subset rows.
- **Arcs of feeders shared out by subgradient steps, and a price on the way to each school**: of
  about 7,000 pairs of hub and main district, 5,800 are ruled out at once; the 400 with more than 64
  schools left are split by the school that is hardest to reach.
- In vain: **redrawing each cluster with the 6 or the 13 around it** from the known columns, with
  those of the master among them: not one better plan of one that annealing had found.
- In vain: **redrawing five neighbouring clusters exactly**, as a problem of their own: of four such
  regions one became better, by 0.4 %.
- In vain: **annealing from the master's solution**, rounded: no better than annealing from scratch,
  neither from a master still held down by its box (30 million moves: 9,191) nor from the last one
  (105 million moves; part of the run above, gone from the code since).
- Not tried: splitting by Lagrange prices into districts solved in whole numbers; masks of 128 bits
  in place of splitting.
"""


class Diary:
    """Notes plan and bound whenever a minute has gone by and one of them is better."""

    def __init__(self, seconds: float) -> None:
        self.began, self.seconds = time.process_time(), seconds
        self.rows: list[list[str]] = []
        self._last, self._next = ("", ""), 0.0

    def stop(self) -> bool:
        """Return whether the time is up."""
        return time.process_time() - self.began >= self.seconds

    def note(self, step: Progress, last: bool = False) -> None:
        """Write a row if it is time for one."""
        spent = time.process_time() - self.began
        plan = "none" if step.objective is None else f"{step.objective / 100:,.1f}"
        bound = "none" if step.bound is None else f"{step.bound / 100:,.1f}"
        if (spent < self._next or (plan, bound) == self._last) and not last:
            return
        self._last, self._next = (plan, bound), spent + 30.0
        gap = "none"
        if step.objective and step.bound is not None:
            gap = f"{100 * (1 - step.bound / step.objective):.2f}"
        self.rows.append([f"{spent:.0f}", step.phase, plan, bound, gap])
        print(" | ".join(self.rows[-1]), flush=True)


def summary(answer: PartAnswer) -> str:
    """Return what is known in the end."""
    facts = dict(answer.log)
    if answer.objective is None or answer.bound is None:
        return f"{answer.status}: no plan or no bound."
    gap = 100 * (1 - answer.bound / answer.objective)
    return (
        f"{answer.clusters} clusters, objective {answer.objective / 100:,.1f}, bound "
        f"{answer.bound / 100:,.1f}, gap {gap:.2f} %. The linear master in its first box "
        f"stood at {int(facts.get('root', 0)) / 100:,.1f}; {facts.get('cuts', '0')} subset rows, "
        f"{int(facts.get('columns', 0)):,} clusters priced."
    )


def main(words: Sequence[str] | None = None) -> int:
    """Solve the county, print and write the diary."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("study", nargs="?", type=Path, default=KENT)
    parser.add_argument("--clusters", type=int, default=46)
    parser.add_argument("--seconds", type=float, default=3600.0)
    parser.add_argument("--moves", type=float, default=20.0, help="millions for 100 schools")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks/results/county.md")
    asked = parser.parse_args(words)
    problem = load_inputs(Study.load(asked.study)).problem
    rules = problem.rules.model_copy(
        update={"areas": "price", "clusters": (asked.clusters, asked.clusters)}
    )
    problem = problem.with_rules(rules)
    model = build_model(problem, problem.parts()[0])
    diary = Diary(asked.seconds)
    answer = solve_part(
        model,
        asked.clusters,
        seed=asked.seed,
        effort=replace(THOROUGH, moves=int(asked.moves * 1e6), restarts=2, max_nodes=2**60),
        stop=diary.stop,
        progress=diary.note,
    )
    diary.note(Progress("end", answer.objective, answer.bound, None), last=True)
    facts = {"study": asked.study.name, "schools": len(model.schools), "seed": asked.seed}
    machine.page(
        asked.out,
        "One county, one problem",
        COLUMNS,
        diary.rows,
        summary(answer) + "\n" + NOTES.rstrip(),
        **facts,
        load_a_core=machine.busy(),
    )
    print(summary(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main())
