"""All the rules on: what each further rule costs in minutes, proof and time.

    python benchmarks/rules.py [STUDY] [--effort thorough] [--seconds 300] [--only Swale ...]

Every district of a study, with the number of clusters that suits its schools best (one for eleven),
is solved again and again while rules and goals are switched on one after another. "Today" is the
plan of the first step, as if it were the council's. Times are seconds of the processor.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import machine  # noqa: E402
from benchmarks.districts import KENT, Watch  # noqa: E402
from clustering.inputs import load_inputs  # noqa: E402
from clustering.problem import Part, Problem  # noqa: E402
from clustering.solve.checks import possible_counts  # noqa: E402
from clustering.solve.model import Model, build_model  # noqa: E402
from clustering.solve.part import Effort, PartAnswer, solve_part  # noqa: E402
from clustering.solve.whole import EFFORTS  # noqa: E402
from clustering.study import Study  # noqa: E402

COLUMNS = (
    "rules and goals so far",
    "plans",
    "proved best",
    "no plan, proved",
    "minutes to hubs",
    "leavers cut",
    "widest gap %",
    "median s",
    "most s",
)


REACH = {"ASD primary": 28.0, "ASD secondary": 70.0}
"""Widest minutes from a hub to an SRP of the last step, by type."""


@dataclass(frozen=True)
class State:
    """A problem, and the plan of its first step as cluster labels by URN."""

    problem: Problem
    today: Mapping[str, str]


def _plain(state: State) -> Problem:
    """Return the problem with sizes, need and connection only."""
    rules = state.problem.rules.model_copy(
        update={"together": (), "apart": (), "keep_together": (), "clusters": "free"}
    )
    goals = state.problem.goals.model_copy(update={"feeders": 0.0})
    return replace(state.problem, rules=rules, goals=goals, ties=(), bonds=(), sealed=())


def _feeders(before: Problem, state: State) -> Problem:
    goals = before.goals.model_copy(update={"feeders": state.problem.goals.feeders})
    return replace(before, goals=goals)


def _together(before: Problem, state: State) -> Problem:
    return replace(before, ties=state.problem.ties, bonds=state.problem.bonds)


def _apart(before: Problem, _: State) -> Problem:
    """Keep the two largest non-selective secondaries of every district apart."""
    pairs = []
    for part in before.parts():
        members = np.array(part.members)
        late = members[before.non_selective_secondary[members]]
        largest = late[np.argsort(-before.pupils[late], kind="stable")][:2]
        if len(largest) == 2:
            pairs.append(tuple(before.urns[i] for i in largest))
    return before.with_rules(before.rules.model_copy(update={"apart": tuple(pairs)}))


def _pinned(before: Problem, _: State) -> Problem:
    """Make the largest non-selective secondary of every district a hub."""
    hubs = []
    for part in before.parts():
        members = np.array(part.members)
        late = members[before.non_selective_secondary[members]]
        hubs.append(before.urns[late[before.pupils[late].argmax()]])
    return replace(before, pinned_hubs=tuple(sorted(hubs)))


def _stable(before: Problem, state: State) -> Problem:
    return before.redrawn_from(state.today, change=5.0)


def _near(before: Problem, _: State) -> Problem:
    rules = before.rules.model_copy(update={"max_minutes_to_hub": 30.0})
    return before.with_rules(rules)


def _reach(before: Problem, _: State) -> Problem:
    """Ask for hubs near an SRP of either phase, and price those that are far.

    No list of Kent's SRPs is public. Here the largest primary of every district has one, and the
    largest non-selective secondary of every second district by name.
    """
    at: dict[str, list[int]] = {name: [] for name in REACH}
    for name, kind, places in (
        ("ASD primary", before.primary & ~before.secondary, range(len(before.area_names))),
        ("ASD secondary", before.non_selective_secondary, range(1, len(before.area_names), 2)),
    ):
        for area in places:
            inside = np.flatnonzero(kind & (before.area == area))
            at[name] += inside[before.pupils[inside].argsort(kind="stable")[-1:]].tolist()
    names = tuple(name for name, schools in at.items() if schools)
    reach = np.stack([before.minutes[:, at[name]].min(axis=1) for name in names], axis=1)
    rules = before.rules.model_copy(update={"max_minutes_to_srp": REACH})
    goals = before.goals.model_copy(update={"srp": 5.0})
    return replace(before, rules=rules, goals=goals, reach=reach, reach_names=names)


STEPS: tuple[tuple[str, Callable[[Problem, State], Problem]], ...] = (
    ("+ feeders, a minute a leaver", _feeders),
    ("+ must-link: infant and junior, same site, the study's own", _together),
    ("+ cannot-link: the two largest secondaries of a district", _apart),
    ("+ pinned hub: the largest secondary", _pinned),
    ("+ stability: five minutes a school that moves from the first plan", _stable),
    ("+ at most 30 minutes to the hub", _near),
    (
        "+ SRP reach: hubs within 28 minutes of a primary, 70 of a secondary one",
        _reach,
    ),
)


def solved(
    problem: Problem, part: Part, clusters: int, effort: Effort, seconds: float, seed: int
) -> tuple[Model, PartAnswer, float]:
    """Return the model and the answer of one district, and the time it took."""
    model = build_model(problem, part)
    watch = Watch(seconds)
    answer = solve_part(model, clusters, seed=seed, effort=effort, stop=watch.stop)
    return model, answer, watch.spent()


def step_row(
    name: str, answers: Sequence[tuple[Model, PartAnswer, float]], problem: Problem
) -> list[str]:
    """Return the cells of one step, all districts together."""
    plans = [(m, a) for m, a, _ in answers if a.chosen]
    travel = sum(
        int(m.school_travel[np.isin(m.atom_of, c.atoms), c.hub].sum())
        for m, a in plans
        for c in a.chosen
    )
    gaps = [1 - (a.bound or 0) / a.objective for _, a in plans if a.objective]
    spent = sorted(s for _, _, s in answers)
    return [
        name,
        str(len(plans)),
        str(sum(a.status == "optimal" for _, a in plans)),
        str(sum(a.status == "infeasible" for _, a, _ in answers)),
        f"{travel / 100:,.0f}",
        f"{leavers_cut(problem, plans):,.0f}",
        f"{100 * max(gaps, default=0.0):.2f}",
        f"{float(np.median(spent)):.1f}",
        f"{spent[-1]:.1f}",
    ]


def leavers_cut(problem: Problem, plans: Sequence[tuple[Model, PartAnswer]]) -> float:
    """Return the leavers a year whose secondary is in another cluster of their district."""
    label = np.full(len(problem), -1)
    number = 0
    for model, answer in plans:
        for cluster in answer.chosen:
            inside = np.isin(model.atom_of, cluster.atoms)
            label[np.array(model.schools)[inside]] = number
            number += 1
    a, b = label[problem.feeder_from], label[problem.feeder_to]
    same_area = problem.area[problem.feeder_from] == problem.area[problem.feeder_to]
    cut = (a != b) & (a >= 0) & (b >= 0) & same_area
    return float(problem.feeder_pupils[cut].sum())


def labels_of(answers: Sequence[tuple[Model, PartAnswer, float]], urns: Sequence[str]) -> dict:
    """Return the cluster of every school as a label by URN."""
    return {
        urns[s]: f"{model.name} {k + 1}"
        for model, answer, _ in answers
        for k, cluster in enumerate(answer.chosen)
        for s in np.array(model.schools)[np.isin(model.atom_of, cluster.atoms)].tolist()
    }


def measured(
    study: Path, effort: Effort, seconds: float, seed: int, only: Sequence[str]
) -> list[list[str]]:
    """Return a row for every step."""
    original = load_inputs(Study.load(study)).problem
    state = State(original, {})
    now = _plain(state)
    parts = [p for p in original.parts() if not only or p.name in only]
    wanted = {p.name: _clusters(original, p) for p in parts}
    parts = [p for p in parts if wanted[p.name]]
    rows: list[list[str]] = []
    quick = replace(effort, moves=1000, restarts=1)
    solve_part(build_model(now, parts[0]), wanted[parts[0].name], effort=quick, stop=Watch(5).stop)
    for name, change in (("minutes, need, size", None), *STEPS):
        if change is not None:
            now = change(now, state)
        answers = [solved(now, p, wanted[p.name], effort, seconds, seed) for p in parts]
        if change is None:
            state = replace(state, today=labels_of(answers, original.urns))
        rows.append(step_row(name, answers, now))
        print(" | ".join(rows[-1]), flush=True)
    return rows


def _clusters(problem: Problem, part: Part) -> int:
    counts, _ = possible_counts(problem, part, build_model(problem, part))
    return min(counts, key=lambda k: (abs(k - len(part.members) / 11), k), default=0)


def main(words: Sequence[str] | None = None) -> int:
    """Solve all steps, print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("study", nargs="?", type=Path, default=KENT)
    parser.add_argument("--effort", choices=sorted(EFFORTS), default="thorough")
    parser.add_argument("--seconds", type=float, default=300.0, help="for each district and step")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="*", default=[], help="names of districts")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks/results/rules.md")
    asked = parser.parse_args(words)
    rows = measured(asked.study, EFFORTS[asked.effort], asked.seconds, asked.seed, asked.only)
    facts = {"study": asked.study.name, "seed": asked.seed, "effort": asked.effort}
    machine.page(asked.out, "All the rules on", COLUMNS, rows, **facts, load_a_core=machine.busy())
    return 0


if __name__ == "__main__":
    sys.exit(main())
