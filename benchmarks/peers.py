"""What a user would pick instead: the same schools and minutes, every answer scored by the audit.

    python benchmarks/peers.py --python PATH [--parts Swale ...] [--exact Swale ...] [--county]

Each part of a study is written as plain arrays; every peer (see `peer_methods`, `peer_models`)
reads them in a process of its own, run by the interpreter `PATH` that holds the peers' packages,
and so does the engine in this one. One process at a time. What comes back is the label of each
school: this makes a `Plan` of them, with the best hub of each cluster, and the audit judges it.
"""

from __future__ import annotations

import argparse
import hashlib
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import growth, machine  # noqa: E402
from benchmarks.peer_methods import METHODS, PLAIN, Answer, Given  # noqa: E402
from clustering.audit import Audit  # noqa: E402
from clustering.inputs import load_inputs  # noqa: E402
from clustering.plan import Plan, make_plan, nearest_hub  # noqa: E402
from clustering.problem import Part, Problem  # noqa: E402
from clustering.report import assess  # noqa: E402
from clustering.rules import CENTS, cents  # noqa: E402
from clustering.solve.model import build_model  # noqa: E402
from clustering.solve.part import STANDARD, solve_part  # noqa: E402
from clustering.solve.runs import Desk, PartRun, Tick, Work  # noqa: E402
from clustering.solve.whole import solve  # noqa: E402
from clustering.study import Study  # noqa: E402

ENGINE = "this engine"
NEAR = 0.05
"""The proven gap that a plain model is asked to come within."""
EXACT = ("Sevenoaks", "Gravesham", "Maidstone", "Swale")
"""Parts on which the plain models are run unless others are named."""

Groups = list[tuple[list[int], int]]
"""Positions of the schools of each cluster, and of its hub."""


@dataclass(frozen=True)
class Row:
    """One answer to one part, as the audit judges it; minutes throughout."""

    part: str
    schools: int
    clusters: int
    peer: str
    answer: Answer
    objective: float | None
    breaches: Counter[str]

    @property
    def gap(self) -> float | None:
        """Share of the objective that the method itself leaves unproven."""
        if self.objective is None or self.answer.bound is None:
            return None
        return max(0.0, 1 - self.answer.bound / CENTS / self.objective)


# -- handing over -----------------------------------------------------------------------------


def given(problem: Problem, part: Part, clusters: int, **settings: float) -> Given:
    """Return a part as the arrays that every peer gets."""
    model = build_model(problem, part)
    if model.loans or model.change or not model.in_reach.all():
        raise ValueError(
            f"{part.name}: no peer knows lent secondaries, a price of change or a limit on SRPs"
        )
    limits = [
        (*c.schools, *c.pupils, c.secondaries, c.primaries, c.need_permille, c.max_minutes)
        for c in model.classes
    ]
    same = {name for name in Given.__annotations__ if hasattr(model, name)}
    arrays = {name: getattr(model, name) for name in same}
    arrays |= {
        "minutes": model.school_minutes,
        "points": laid_out(model.school_minutes),
        "apart": np.array(model.apart, np.int64).reshape(-1, 2),
        "limits": np.array(limits, float),
        "balance": cents(model.balance),
        "size_balance": cents(model.size_balance),
        "clusters": clusters,
    }
    return Given(**arrays | settings)


def laid_out(minutes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return points whose distances are nearest to the minutes: classical scaling (Torgerson)."""
    way = np.maximum(minutes, minutes.T) ** 2
    centred = -0.5 * (way - way.mean(axis=0) - way.mean(axis=1)[:, None] + way.mean())
    values, vectors = np.linalg.eigh(centred)
    kept = values > 0.01 * values[-1]
    points: NDArray[np.float64] = (vectors[:, kept] * np.sqrt(values[kept]))[:, ::-1]
    return points


def asked(peer: str, words: argparse.Namespace, folder: Path) -> Answer:
    """Let another interpreter ask a peer; one that takes too long has given no answer.

    An answer to the very same arrays that an earlier run kept is taken as it stands.
    """
    digest = hashlib.sha256((folder / "given.npz").read_bytes() + peer.encode()).hexdigest()
    out = (words.keep or folder) / f"{digest}.json"
    if out.exists():
        return Answer.read(out)
    task = [str(words.python), "-m", "benchmarks.peer_methods", peer]
    task += [str(folder / "given.npz"), str(out.absolute())]
    try:
        run = subprocess.run(task, cwd=ROOT, capture_output=True, text=True, timeout=words.patience)
    except subprocess.TimeoutExpired:
        return Answer(failed=f"no answer after {words.patience:.0f} s", seconds=words.patience)
    if not out.exists():
        return Answer(failed=(run.stderr.strip().splitlines() or ["no answer"])[-1])
    return Answer.read(out)


# -- the engine, asked in the same way --------------------------------------------------------


def engine(problem: Problem, part: Part, clusters: int, seed: int) -> Answer:
    """Solve a part as `design` does, at standard effort; kernels are compiled before."""
    toy = growth.county(40, 0)
    short = replace(STANDARD, moves=1000, restarts=1, max_nodes=10_000, max_choice=1.0)
    solve_part(build_model(toy, toy.parts()[0]), 4, effort=short)
    began, busy = time.perf_counter(), time.process_time()
    trace: list[tuple[float, float | None, float | None]] = []

    def note(step: Tick) -> None:
        now = [None if v is None else v * CENTS for v in (step.objective, step.bound)]
        trace.append((time.perf_counter() - began, now[0], now[1]))

    model = build_model(problem, part)
    work = Work(part, model, [clusters])
    PartRun(work, seed, STANDARD, 0.0, (), threading.Event(), Desk(1, note)).best_count()
    spent, used = time.perf_counter() - began, time.process_time() - busy
    found = work.answers[clusters]
    trace.append((spent, found.objective, found.bound))
    labels = [-1] * len(model.schools)
    for number, cluster in enumerate(found.chosen):
        for school in np.flatnonzero(np.isin(model.atom_of, cluster.atoms)).tolist():
            labels[school] = number
    return Answer(
        labels if found.chosen else [],
        found.bound,
        found.objective,
        trace,
        spent,
        used,
        machine.peak(),
        failed="" if found.chosen else found.status,
    )


# -- scoring ----------------------------------------------------------------------------------


def judged(
    problem: Problem, part: Part, labels: Sequence[int], rest: Groups
) -> tuple[float, Counter[str]]:
    """Return the audit's objective of a part in minutes and the rules that are broken, counted.

    `rest` are the clusters of the other parts, which keep every rule.
    """
    groups: dict[int, list[int]] = defaultdict(list)
    for place, label in zip(part.members, labels, strict=True):
        groups[int(label)].append(place)
    report = assess(with_best_hubs(problem, groups.values(), rest), problem)
    return report.parts[part.name], Counter(b.rule for b in report.breaches)


def with_best_hubs(problem: Problem, groups: Iterable[list[int]], rest: Groups) -> Plan:
    """Return a plan where each group has the hub that keeps most in reach, in fewest minutes."""

    def nearest(group: list[int]) -> int:
        return problem.position[nearest_hub(problem, [problem.urns[i] for i in group])]

    found = [(group, nearest(group)) for group in groups]
    plan = make_plan(problem, [*found, *rest])
    audit = Audit(plan, problem)
    hubs = []
    for group, hub in found:
        limit = audit.limits(audit.label[hub]).max_minutes_to_hub
        pinned = problem.urns[hub] in problem.pinned_hubs
        keys = [
            (int((problem.minutes[group, h] > limit).sum()), problem.minutes[group, h].sum(), h)
            for h in group
            if h == hub or (not pinned and (problem.rules.hub == "any" or problem.secondary[h]))
        ]
        hubs.append((group, min(keys)[2]))
    return make_plan(problem, [*hubs, *rest])


def within(answer: Answer, share: float) -> float | None:
    """Return after how many seconds a method had a plan and a bound within a share of it."""
    best, bound = np.inf, -np.inf
    for seconds, value, low in answer.trace:
        best, bound = min(best, np.inf if value is None else value), max(bound, low or -np.inf)
        if best < np.inf and best - bound <= share * best + 1e-6:
            return seconds
    return None


def first_plan(answer: Answer) -> float | None:
    """Return after how many seconds a method first had a plan."""
    return next((seconds for seconds, value, _ in answer.trace if value is not None), None)


# -- the run ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Contest:
    """One run of the comparison."""

    words: argparse.Namespace
    problem: Problem

    def answers(self, part: Part, clusters: int, peers: Sequence[str], rest: Groups) -> list[Row]:
        """Ask the engine and the peers for one part, one after the other."""
        words, rows = self.words, []
        settings = {name: getattr(words, name) for name in ("seed", "steps", "seconds", "workers")}
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            given(self.problem, part, clusters, **settings).write(folder / "given.npz")
            for peer in (ENGINE, *peers):
                if peer == ENGINE:
                    answer = self.engine(part, clusters, folder)
                else:
                    answer = asked(peer, words, folder)
                rows.append(self.row(part, clusters, peer, answer, rest))
                print(" | ".join(cells(rows[-1], rows[0])), f"| load {machine.busy()}", flush=True)
        return rows

    def engine(self, part: Part, clusters: int, folder: Path) -> Answer:
        """Ask the engine, in a process of its own so that its memory is its own."""
        out = folder / "engine.json"
        own = ["--study", str(self.words.study), "--seed", str(self.words.seed)]
        own += ["--engine", part.name, str(clusters), str(out)]
        own += ["--county"] if self.problem.rules.areas == "price" else []
        subprocess.run([sys.executable, __file__, *own], check=True)
        return Answer.read(out)

    def row(self, part: Part, clusters: int, peer: str, answer: Answer, rest: Groups) -> Row:
        """Have an answer judged; a model that prices its own answer too low is an error here."""
        if not answer.labels:
            return Row(part.name, len(part.members), clusters, peer, answer, None, Counter())
        value, broken = judged(self.problem, part, answer.labels, rest)
        if answer.objective is not None and value > answer.objective / CENTS + 0.01:
            raise AssertionError(f"{peer}, {part.name}: {answer.objective / CENTS}, audit {value}")
        return Row(part.name, len(part.members), clusters, peer, answer, value, broken)


def crossable(problem: Problem) -> Problem:
    """Return the problem with borders that may be crossed at a price."""
    return problem.with_rules(problem.rules.model_copy(update={"areas": "price"}))


def run(
    words: argparse.Namespace, problem: Problem, keep: Callable[[list[Row], list[Row]], None]
) -> None:
    """Find the rows of the parts and, if asked for, of the county as one part; keep each time."""
    began = time.perf_counter()
    first = solve(problem, seed=words.seed, effort="quick")
    if first.plan is None:
        raise SystemExit("There is no plan to compare with.")
    print(f"a quick plan of {len(first.plan)} clusters in {time.perf_counter() - began:.0f} s")
    clusters = {part.name: part.clusters for part in first.parts}
    audit = Audit(first.plan, problem)
    contest, rows = Contest(words, problem), []
    quick = [name for name in METHODS if name not in PLAIN]
    for part in problem.parts():
        if words.parts and part.name not in words.parts:
            continue
        rest = [
            (audit.members[label], audit.hub[label])
            for label in audit.members
            if audit.part_of[label] != part.name
        ]
        peers = [*quick, *(PLAIN if part.name in words.exact else ())]
        rows += contest.answers(part, clusters[part.name], peers, rest)
        keep(rows, [])
    if words.county:
        whole = crossable(problem)
        total = sum(clusters.values())
        keep(rows, Contest(words, whole).answers(whole.parts()[0], total, quick, []))


# -- the tables -------------------------------------------------------------------------------

COLUMNS = (
    "part",
    "schools",
    "clusters",
    "method",
    "objective",
    "to ours %",
    "rules broken",
    "proven gap %",
    "seconds",
    "CPU s",
    "peak MB",
)
READING = """Every answer has the same schools, minutes, neighbours and number of clusters, and one
seed. Objectives are the audit's; "to ours" is the distance to this engine's, + is worse; an answer
that breaks rules can be cheaper than any plan. Seconds are on the clock, without imports and
compilation; CPU s tells how much of a shared machine they were. Only GerryChain and the plain
models were given the objective and the rules; the others know places, neighbours and at most sizes.
"""
PROOFS = """Gap = 1 − bound / objective, each method's own. The plain models connect a cluster along
shortest ways in the neighbour graph, which forbids some shapes the rules allow: their bounds and
proofs are of the remaining shapes, the engine's are of all.
"""
SUMMARY = (
    "method",
    "parts without a breach",
    "of those, objective to ours %",
    "all, objective to ours %: least / median / most",
    "rules broken, all parts",
    "seconds: median / most",
    "peak MB",
)
MODELS = (
    "part",
    "method",
    "first plan s",
    f"within {NEAR:.0%} s",
    "proved s",
    "end s",
    "CPU s",
    "gap at the end %",
    "to ours %",
)


def to_ours(row: Row, ours: Row) -> str:
    """Return by how many per cent an objective misses the engine's; + is worse."""
    if row.objective is None or ours.objective is None:
        return ""
    return f"{100 * (row.objective / ours.objective - 1):+.1f}".replace("-0.0", "+0.0")


def told(broken: Counter[str]) -> str:
    """Return the rules broken, with how often."""
    names = [f"{rule.replace('_', ' ')} {times}" for rule, times in sorted(broken.items())]
    return ", ".join(names) or "none"


def shown(value: float | None, places: int = 0, none: str = "") -> str:
    """Return a number or, where there is none, a word."""
    return none if value is None or value != value else f"{value:,.{places}f}"


def cells(row: Row, ours: Row) -> list[str]:
    """Return a row of the long table."""
    answer = row.answer
    return [
        row.part,
        str(row.schools),
        str(row.clusters),
        row.peer,
        shown(row.objective, 1, f"none: {answer.failed}"),
        to_ours(row, ours),
        told(row.breaches) if row.objective is not None else "",
        shown(None if row.gap is None else 100 * row.gap, 1, "none"),
        shown(answer.seconds, 1),
        shown(answer.cpu, 1),
        shown(answer.peak),
    ]


def summary(rows: Sequence[Row]) -> list[list[str]]:
    """Return one line a method over all parts."""
    ours = {row.part: row for row in rows if row.peer == ENGINE}
    lines = []
    for peer in (ENGINE, *METHODS):
        own = [row for row in rows if row.peer == peer]
        with_plan = [row for row in own if row.objective is not None]
        if not own:
            continue
        off = sorted(float(to_ours(row, ours[row.part])) for row in with_plan)
        kept = sorted(float(to_ours(row, ours[row.part])) for row in with_plan if not row.breaches)
        broken = sum((row.breaches for row in with_plan), Counter())
        spent = [row.answer.seconds for row in own]
        spread = f"{off[0]:+.1f} / {statistics.median(off):+.1f} / {off[-1]:+.1f}" if off else ""
        lines.append(
            [
                f"{peer} {max(row.answer.version for row in own)}".strip(),
                f"{len(kept)} of {len(own)}",
                f"{kept[0]:+.1f} to {kept[-1]:+.1f}" if kept else "",
                spread,
                told(broken) if with_plan else own[0].answer.failed,
                f"{shown(statistics.median(spent), 1)} / {shown(max(spent), 1)}",
                shown(max(row.answer.peak for row in own)),
            ]
        )
    return lines


def models(rows: Sequence[Row]) -> list[list[str]]:
    """Return the way of the engine and of the plain models to their proofs."""
    exact = {row.part for row in rows if row.peer in PLAIN}
    ours = {row.part: row for row in rows if row.peer == ENGINE}
    return [
        [
            row.part,
            row.peer,
            shown(first_plan(row.answer), 1, "never"),
            shown(within(row.answer, NEAR), 1, "never"),
            shown(within(row.answer, 0.0), 1, "never"),
            shown(row.answer.seconds, 1),
            shown(row.answer.cpu, 1),
            shown(None if row.gap is None else 100 * row.gap, 1, "none"),
            to_ours(row, ours[row.part]),
        ]
        for row in rows
        if row.part in exact and row.peer in (ENGINE, *PLAIN)
    ]


def written(rows: Sequence[Row], county: Sequence[Row], header: str) -> str:
    """Return the page of results."""
    ours = {row.part: row for row in rows if row.peer == ENGINE}
    text = [
        f"# Peers\n\n{header}\n{READING}\n## By method\n\n{machine.table(SUMMARY, summary(rows))}"
    ]
    if paths := models(rows):
        text.append(f"## The way to a proof\n\n{PROOFS}\n{machine.table(MODELS, paths)}")
    if county:
        lines = [cells(row, county[0]) for row in county]
        text.append(f"## The county, borders crossable\n\n{machine.table(COLUMNS, lines)}")
    lines = [cells(row, ours[row.part]) for row in rows]
    text.append(f"## Every part\n\n{machine.table(COLUMNS, lines)}")
    return "\n".join(text)


def main(words: Sequence[str] | None = None) -> int:
    """Run the comparison, print each row and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--study", type=Path, default=ROOT / "benchmarks" / "kent.toml")
    parser.add_argument("--python", type=Path, default=Path(sys.executable), help="has the peers")
    parser.add_argument("--parts", nargs="*", default=[], help="all of them where none is named")
    parser.add_argument("--exact", nargs="*", default=list(EXACT), help="parts for plain models")
    parser.add_argument("--county", action="store_true", help="also one run across all borders")
    parser.add_argument("--seconds", type=float, default=60.0, help="limit of a plain model")
    parser.add_argument("--steps", type=int, default=20_000, help="steps of GerryChain")
    parser.add_argument("--workers", type=int, default=2, help="threads of a plain model")
    parser.add_argument("--patience", type=float, default=600.0, help="limit of a peer's process")
    parser.add_argument("--keep", type=Path, help="folder of answers, so as not to ask again")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results" / "peers.md")
    parser.add_argument("--engine", nargs=3, metavar=("PART", "CLUSTERS", "FILE"), help="one part")
    given_words = parser.parse_args(words)
    problem = load_inputs(Study.load(given_words.study)).problem
    if given_words.engine:
        name, clusters, out = given_words.engine
        problem = crossable(problem) if given_words.county else problem
        part = next(part for part in problem.parts() if part.name == name)
        engine(problem, part, int(clusters), given_words.seed).write(Path(out))
        return 0
    loads: list[str] = []

    def keep(rows: list[Row], county: list[Row]) -> None:
        loads.append(machine.busy())
        header = machine.header(
            study=given_words.study.stem,
            seed=given_words.seed,
            steps_of_a_chain=f"{given_words.steps:,}",
            plain_models=f"{given_words.seconds:.0f} s, {given_words.workers} threads",
            load_a_core=f"{min(loads)} to {max(loads)}",
        )
        given_words.out.write_text(written(rows, county, header), encoding="utf-8")

    for folder in (given_words.out.parent, given_words.keep or given_words.out.parent):
        folder.mkdir(parents=True, exist_ok=True)
    run(given_words, problem, keep)
    return 0


if __name__ == "__main__":
    sys.exit(main())
