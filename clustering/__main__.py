"""The verbs: `clusters check | design | assess | compare | budget | provision | sites | map`, and
`clusters publish | verify | responses` for consultation packs.

Exit status: 0 done; 1 a true but unwelcome answer (no plan exists, rules are broken); 2 bad input
or usage. Errors are sentences, never tracebacks.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from clustering.inputs import Inputs, load_inputs
from clustering.outputs import (
    opted_out_told,
    price_sentences,
    study_of_run,
    write_budget,
    write_plan,
)
from clustering.pack_desk import count_answers, publish_pack, verify_pack
from clustering.pairs import TOLERANCE
from clustering.panel import trust_sentences
from clustering.plan import Plan, plan_names
from clustering.provision_desk import review
from clustering.provision_show import PRIVATE, review_shown, sites_shown
from clustering.provision_sites import where_next
from clustering.publish.money import (
    floor_of,
    money_of,
    panel_table,
    parts_of,
    plain_budgets,
    sentences_on,
    years_of,
)
from clustering.publish.options import (
    FOLDER,
    alternatives_table,
    forget_alternatives,
    write_alternatives,
)
from clustering.publish.provision_files import write_provision
from clustering.publish.ways import long_ways
from clustering.report import Report, leavers_kept
from clustering.run import REDRAW_PRICE, Result, compare_plans, design, judge
from clustering.show import (
    Searching,
    Watcher,
    budget_shown,
    clusters_shown,
    comparison_shown,
    long_ways_shown,
    reasons_shown,
    schools_shown,
    table_shown,
    years_shown,
)
from clustering.solve.checks import possible_counts
from clustering.solve.model import build_model
from clustering.study import Study
from geo.errors import Fault, InputError, PlanError, StudyError
from geo.road_quality import Quality

UNWELCOME, BAD_INPUT = 1, 2
INTERRUPTED = 130
"""What Typer makes of Ctrl-C."""

app = typer.Typer(
    help="Design clusters of schools that can be explained, audited and published.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
WIDTH = 160
"""Columns of a table where nobody watches a terminal."""


def _console(*, errors: bool = False) -> Console:
    console = Console(stderr=errors, soft_wrap=True)
    return console if console.is_terminal else Console(stderr=errors, soft_wrap=True, width=WIDTH)


out, err = _console(), _console(errors=True)


class Effort(StrEnum):
    """How hard to look; the words of `[solve] effort`."""

    quick = "quick"
    standard = "standard"
    thorough = "thorough"


class Phase(StrEnum):
    """Phases of provision."""

    primary = "primary"
    secondary = "secondary"


class Objective(StrEnum):
    """What the best sites are best for."""

    coverage = "coverage"
    minutes = "minutes"
    worst_off = "worst_off"
    cost = "cost"


StudyFile = Annotated[Path, typer.Argument(metavar="STUDY", help="The study file (TOML).")]
PlanFile = Annotated[Path, typer.Argument(metavar="PLAN", help="plan.csv or an edited plan.xlsx.")]


def _loaded(study: Study) -> Inputs:
    """Read what a study names and show how far the search for minutes is."""
    return load_inputs(study, progress=Searching(err).tick)


def _tell_minutes(inputs: Inputs, long: Quality | None) -> None:
    """Say where the minutes come from, and which pairs of schools go a long way round."""
    for sentence in long_ways_shown(long):
        out.print(escape(sentence))
    out.print(f"Minutes: {escape(inputs.minutes.source)}")


def _tell_leavers(inputs: Inputs, report: Report) -> None:
    kept = leavers_kept(report, estimated=inputs.feeders.estimated)
    if kept:
        out.print(f"{kept}: {escape(inputs.feeders.source)}.")


@app.command()
def check(study: StudyFile) -> None:
    """Read every file of a study and say what is in, what is out and why; solve nothing."""
    inputs = _loaded(Study.load(study))
    for table in schools_shown(inputs):
        out.print(table)
    for note in inputs.notes:
        out.print(f"• {escape(note)}")
    out.print(escape(inputs.need.banner))
    _tell_minutes(inputs, long_ways(inputs))
    reasons = _counted(inputs)
    if reasons:
        raise typer.Exit(UNWELCOME)


def _counted(inputs: Inputs) -> bool:
    """Show what counting alone forbids; return whether it forbids anything."""
    problem = inputs.problem
    reasons = []
    for part in problem.parts():
        reasons += possible_counts(problem, part, build_model(problem, part))[1]
    reasons_shown(out, reasons)
    return bool(reasons)


@app.command("design")
def design_command(
    study: StudyFile,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of the search.")] = None,
    seconds: Annotated[
        float | None, typer.Option(min=0, help="Stop after this long with the best plan so far.")
    ] = None,
    gap: Annotated[
        float | None,
        typer.Option(min=0, help="Stop a part once its proven gap is this small (0.01)."),
    ] = None,
    effort: Annotated[Effort | None, typer.Option(help="How hard to look.")] = None,
    folder: Annotated[
        Path | None, typer.Option("--out", help="Folder to write into, complete or not at all.")
    ] = None,
    start: Annotated[
        Path | None,
        typer.Option(help="Redraw this plan: plan.csv, an edited plan.xlsx, today's clusters."),
    ] = None,
    change: Annotated[
        float, typer.Option(min=0, help="With --start: minutes a school's move must save.")
    ] = REDRAW_PRICE,
    prices: Annotated[
        bool, typer.Option("--prices", help="Also say what each rule costs: solves without it.")
    ] = False,
    options: Annotated[
        int, typer.Option("--alternatives", min=0, help="Also write so many other good plans.")
    ] = 0,
    within: Annotated[
        float, typer.Option(min=0, help="How much worse than the best an alternative may be.")
    ] = 0.05,
) -> None:
    """Design clusters and write plan, tables, report and map."""
    if folder is not None and folder.exists() and not folder.is_dir():
        raise StudyError(Fault("is a file, not a folder.", "Name a folder.", folder.name))
    loaded = Study.load(study)
    inputs = _loaded(loaded)
    origin = judge(inputs, start)[0] if start is not None else None
    with _interruptible() as stop, Watcher(err) as watcher:
        result = design(
            loaded,
            seed=seed,
            seconds=seconds,
            gap=gap,
            effort=effort,
            start=origin,
            change=change,
            progress=watcher.tick,
            stop=stop.is_set,
            inputs=inputs,
        )
    if folder is None:
        redrawn = () if start is None else (start.read_bytes(), change)
        digest = loaded.digest(result.solution.seed, effort and effort.value, gap, *redrawn)
        folder = Path("outputs") / f"{loaded.name}-{digest}"
    result.write(folder)
    forget_alternatives(folder)
    _tell(result, folder)
    if prices:
        _price(result, folder)
    if options:
        _offer(result, folder, options, within)


def _price(result: Result, folder: Path) -> None:
    """Say what each rule costs, and write the run again with it."""
    err.print("What does each rule cost? Solving without one after another…")
    with _interruptible() as stop, Watcher(err) as watcher:
        found = result.prices(progress=watcher.tick, stop=stop.is_set)
    result.write(folder, prices=found)
    out.print(table_shown(found.drop(columns=["objective", "without"]), "What rules cost"))
    for sentence in price_sentences(found):
        out.print(f"• {escape(sentence)}")


def _offer(result: Result, folder: Path, count: int, within: float) -> None:
    """Look for plans nearly as good that differ, and write each as a run of its own."""
    err.print("Looking for other good plans…")
    with _interruptible() as stop, Watcher(err) as watcher:
        found = result.alternatives(count, within, progress=watcher.tick, stop=stop.is_set)
    compared = write_alternatives(folder, result.inputs, result.solution, found)
    out.print(table_shown(alternatives_table(result.solution, found), "Alternatives"))
    for sentence in compared.sentences() if compared else ():
        out.print(f"• {escape(sentence)}")
    if len(found) < count:
        out.print(f"No more than {len(found)} were found within {within:.1%} of the best.")
    out.print(f"Written to {escape(str(folder / FOLDER))}")


def _tell(result: Result, folder: Path) -> None:
    if result.report is None:
        out.print(f"No plan: {result.status}.")
        reasons_shown(out, result.reasons)
        out.print(f"Written to {escape(str(folder))}")
        raise typer.Exit(UNWELCOME)
    pounds = plain_budgets(result.inputs, result.plan)
    out.print(clusters_shown(result.report, result.inputs, pounds))
    if result.start is not None:
        for line in result.changed.lines():
            out.print(f"• {escape(line)}")
    _tell_schools(result.inputs, result.plan)
    _tell_minutes(result.inputs, result.long_ways)
    _tell_leavers(result.inputs, result.report)
    solution = result.solution
    proof = (
        "proven best"
        if result.status == "optimal"
        else f"no plan has less than {solution.bound:,.1f} (gap {solution.gap:.1%})"
        if solution.bound is not None and solution.gap is not None
        else "no bound is proven"
    )
    out.print(
        f"{result.status}: objective {solution.objective:,.1f} minutes, {proof}; "
        f"every rule is kept; {solution.seconds:.0f} s."
    )
    out.print(f"Open {escape(str(folder / 'map.html'))}")


def _tell_schools(inputs: Inputs, plan: Plan) -> None:
    """Say which schools opted out, and where one trust has most of the seats."""
    seats = panel_table(inputs, plan)
    for sentence in (*opted_out_told(inputs, plan), *trust_sentences(seats)):
        out.print(f"• {escape(sentence)}")


@app.command("assess")
def assess_command(
    study: StudyFile,
    plan: PlanFile,
    folder: Annotated[
        Path | None, typer.Option("--out", help="Also write tables and map into this folder.")
    ] = None,
) -> None:
    """Judge any plan: today's, hand-drawn or solved."""
    inputs = _loaded(Study.load(study))
    loaded, report = judge(inputs, plan)
    out.print(clusters_shown(report, inputs, plain_budgets(inputs, loaded)))
    _tell_schools(inputs, loaded)
    long = long_ways(inputs, loaded.cluster_of)
    _tell_minutes(inputs, long)
    _tell_leavers(inputs, report)
    for breach in report.breaches:
        out.print(f"✗ {escape(breach.text)}")
    out.print(f"Objective {report.objective:,.1f} minutes; {len(report.breaches)} rules broken.")
    if folder is not None:
        write_plan(folder, inputs, loaded, report, long)
    if not report.ok:
        raise typer.Exit(UNWELCOME)


@app.command("compare")
def compare_command(
    study: StudyFile,
    files: Annotated[list[Path], typer.Argument(metavar="PLAN PLAN…", help="Two plans or more.")],
    tolerance: Annotated[
        float, typer.Option(min=0, help="Minutes within which a journey counts as unchanged.")
    ] = TOLERANCE,
    folder: Annotated[
        Path | None, typer.Option("--out", help="Also write the tables as CSV into this folder.")
    ] = None,
) -> None:
    """Put two plans or more side by side: figures, who moves, who comes nearer or farther."""
    if len(files) < 2:
        raise PlanError(Fault("one plan is no comparison.", "Name two plans or more."))
    inputs = _loaded(Study.load(study))
    plans = {n: judge(inputs, p)[0] for n, p in zip(plan_names(files), files, strict=True)}
    found = compare_plans(inputs, plans, tolerance=tolerance)
    for table in comparison_shown(found):
        out.print(table)
    for sentence in found.sentences():
        out.print(f"• {escape(sentence)}")
    out.print(f"Minutes: {escape(inputs.minutes.source)}")
    if folder is not None:
        found.write(folder)
        out.print(f"Written to {escape(str(folder))}")


@app.command("budget")
def budget_command(
    study: StudyFile,
    plan: PlanFile,
    weights: Annotated[
        str, typer.Option(help="Other weights of need: pupils=0.5,fsm6=0.2,ehc_plans=0.3")
    ] = "",
    floor: Annotated[
        str, typer.Option(help="No cluster loses more than this part: 0.03, 3% or off")
    ] = "",
    cap: Annotated[
        float | None, typer.Option(min=0, help="No cluster gains more than this part: 0.05")
    ] = None,
    pot: Annotated[float | None, typer.Option(min=0, help="Another pot, in pounds.")] = None,
    year: Annotated[int, typer.Option(min=0, max=9, help="Years after the first.")] = 0,
    folder: Annotated[
        Path | None, typer.Option("--out", help="Also write budget.csv, budget.xlsx, panel.csv.")
    ] = None,
) -> None:
    """Share the pot among the clusters of a plan, by the study's rules or by others."""
    inputs = _loaded(Study.load(study))
    loaded, _ = judge(inputs, plan)
    rules = {name: value for name, value in (("pot", pot), ("cap", cap)) if value is not None}
    asked = parts_of(weights) if weights else None
    loss = floor_of(floor) if floor else None
    money = money_of(inputs, loaded, weights=asked, floor=loss, year=year, **rules)
    for table in budget_shown(money):
        out.print(table)
    if money.budget.rules.years > 1:
        out.print(years_shown(years_of(inputs, loaded, money)))
    for sentence in trust_sentences(panel_table(inputs, loaded)):
        out.print(f"• {escape(sentence)}")
    for sentence in sentences_on(inputs, loaded, money):
        out.print(f"• {escape(sentence)}")
    if folder is not None:
        write_budget(folder, inputs, loaded, money)
        out.print(f"Written to {escape(str(folder))}")
    for reason in money.budget.reasons:
        out.print(f"✗ {escape(reason)}")
    if not money.budget.ok:
        raise typer.Exit(UNWELCOME)


@app.command("provision")
def provision_command(
    study: StudyFile,
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="SCENARIO…", help="Scenario files (TOML).")
    ] = None,
    plan: Annotated[
        Path | None, typer.Option(help="A plan: pathways are then also told within clusters.")
    ] = None,
    year: Annotated[
        int | None, typer.Option(min=2000, max=2100, help="Look at the autumn of this year.")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option("--out", help="Write tables, layers and page into this folder.")
    ] = None,
) -> None:
    """Say who can reach which SRP, where pathways break, and what scenarios would change."""
    inputs = _loaded(Study.load(study))
    loaded = judge(inputs, plan)[0] if plan is not None else None
    found = review(
        inputs,
        *(files or ()),
        cluster_of=loaded.cluster_of if loaded else None,
        year=year,
        tell=lambda words: err.print(f"{escape(words)}…", highlight=False),
    )
    for table in review_shown(found):
        out.print(table)
    for state in found.states:
        for sentence in (*state.told, *(state.reach.notes if state.reach else ())):
            out.print(f"• {escape(state.heading)}: {escape(sentence)}")
    own = found.provision
    for sentence in (*own.register.notes, *(own.demand.notes if own.demand else ())):
        out.print(f"• {escape(sentence)}")
    if not all(state.public for state in found.scenarios):
        out.print(PRIVATE)
    if folder is not None:
        write_provision(folder, found)
        out.print(f"Open {escape(str(folder / 'provision.html'))}")


@app.command("sites")
def sites_command(
    study: StudyFile,
    need: Annotated[str, typer.Argument(metavar="NEED", help="A need type, such as ASD.")],
    phase: Annotated[Phase, typer.Argument(metavar="PHASE", help="primary or secondary.")],
    sites: Annotated[int, typer.Option(min=1, help="At most so many.")] = 1,
    best: Annotated[
        Objective, typer.Option("--for", help="What is to be best.")
    ] = Objective.coverage,
    places: Annotated[
        float | None,
        typer.Option(min=1, help="Places of each; then only children without a place count."),
    ] = None,
    larger: Annotated[
        bool, typer.Option("--larger", help="Provisions there are may also grow.")
    ] = False,
    areas: Annotated[list[str] | None, typer.Option("--area", help="Only in this area.")] = None,
    fair: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Least share of every area's children within the limit."),
    ] = None,
    target: Annotated[
        float | None, typer.Option(min=0, max=1, help="For cost: the share to be within the limit.")
    ] = None,
    budget: Annotated[float | None, typer.Option(min=0, help="Most pounds in all.")] = None,
) -> None:
    """Say where the next SRPs would do most good: proven best, with others nearly as good."""
    found = where_next(
        review(_loaded(Study.load(study))),
        need,
        phase.value,
        sites=sites,
        objective=best.value,
        places=places,
        larger=larger,
        areas=areas or (),
        fair_share=fair,
        target=target,
        budget=budget,
    )
    out.print(sites_shown(found))
    out.print(escape(f"{found.proof[:1].upper()}{found.proof[1:].rstrip('.')}."))
    if found.answer.figures is None:
        raise typer.Exit(UNWELCOME)
    out.print("The best as lines of a scenario:")
    out.print(escape(found.scenario))
    out.print(PRIVATE)


@app.command("map")
def map_command(run: Annotated[Path, typer.Argument(metavar="RUN_DIR")]) -> None:
    """Draw the map of a run folder again, for instance after plan.csv was edited."""
    inputs = _loaded(study_of_run(run))
    loaded, report = judge(inputs, run / "plan.csv")
    write_plan(run, inputs, loaded, report)
    out.print(f"Open {escape(str(run / 'map.html'))}")


@app.command("publish")
def publish_command(
    study: StudyFile,
    plans: Annotated[
        list[Path], typer.Argument(metavar="PLAN…", help="plan.csv, plan.xlsx or a run's folder.")
    ],
    folder: Annotated[Path, typer.Option("--out", help="Folder of the pack.")],
    archive: Annotated[
        bool, typer.Option("--zip", help="Also keep a copy beside that nobody can change.")
    ] = False,
) -> None:
    """Publish plans for consultation: pages and tables for everybody, with no child in them."""
    inputs = _loaded(Study.load(study))
    found = publish_pack(inputs, plans, folder, archive=archive)
    for sentence in found.sentences():
        out.print(f"• {escape(sentence)}")
    if found.copy is not None:
        out.print(f"A copy that stays: {escape(str(found.copy))}")
    out.print(f"Open {escape(str(folder / 'index.html'))}")


@app.command("verify")
def verify_command(
    pack: Annotated[Path, typer.Argument(metavar="PACK", help="A pack's folder or its copy.")],
    study: Annotated[Path | None, typer.Argument(metavar="STUDY", help="Its study.")] = None,
    plans: Annotated[
        list[Path] | None, typer.Argument(metavar="PLAN…", help="Its plans, in their order.")
    ] = None,
) -> None:
    """Check a pack: unchanged, whole, asks nobody, gives no child away; also against its study."""
    if study is not None and not plans:
        raise PlanError(Fault("a study without plans is no pack.", "Name its plans, too."))
    inputs = _loaded(Study.load(study)) if study is not None else None
    found = verify_pack(pack, inputs, plans or ())
    for sentence in found.checked:
        out.print(f"• Checked: {escape(sentence)}.")
    for sentence in found.faults:
        out.print(f"✗ {escape(sentence)}")
    out.print("The pack is as it should be." if found.ok else f"{len(found.faults)} faults.")
    if not found.ok:
        raise typer.Exit(UNWELCOME)


@app.command("responses")
def responses_command(
    study: StudyFile,
    answers: Annotated[Path, typer.Argument(metavar="FILE", help="Answers: CSV or Excel.")],
    plans: Annotated[
        list[Path] | None, typer.Argument(metavar="PLAN…", help="The pack's plans, in their order.")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option("--out", help="Write you_said.csv, .xlsx and .html here.")
    ] = None,
) -> None:
    """Count the answers to a consultation: what people said, and room for what was done."""
    found = count_answers(_loaded(Study.load(study)), answers, plans or (), folder)
    out.print(table_shown(found.shown, "What people said"))
    for sentence in found.sentences:
        out.print(f"• {escape(sentence)}")


@contextmanager
def _interruptible() -> Iterator[threading.Event]:
    """Turn the first Ctrl-C into a wish to stop with the best plan so far; the second is final."""
    stop = threading.Event()

    def wish(signum: int, frame: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        err.print("Stopping with the best plan so far… (Ctrl-C again to give up)")

    before = signal.signal(signal.SIGINT, wish)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


def main() -> None:
    """Run the command line and turn every expected error into a sentence and an exit status."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8")
    try:
        app()
    except InputError as error:
        for fault in error.faults:
            err.print(f"✗ {escape(str(fault))}")
        sys.exit(BAD_INPUT)
    except SystemExit as end:
        if end.code != INTERRUPTED:
            raise
        err.print("Stopped; nothing was written.")
        sys.exit(UNWELCOME)
    except OSError as error:
        err.print(f"✗ {escape(error.strerror or str(error))}: {escape(str(error.filename or ''))}")
        sys.exit(BAD_INPUT)


if __name__ == "__main__":
    main()
