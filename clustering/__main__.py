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
from rich.markup import escape

from clustering import verbs_provision, verbs_publish
from clustering.inputs import Inputs
from clustering.outputs import (
    opted_out_told,
    price_sentences,
    study_of_run,
    write_budget,
    write_plan,
)
from clustering.pairs import TOLERANCE
from clustering.panel import trust_sentences
from clustering.plan import Plan, plan_names
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
from clustering.publish.ways import long_ways
from clustering.report import Report, leavers_kept
from clustering.run import REDRAW_PRICE, Result, compare_plans, design, judge
from clustering.show import (
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
from clustering.terminal import (
    BAD_INPUT,
    INTERRUPTED,
    UNWELCOME,
    PlanFile,
    StudyFile,
    app,
    err,
    out,
    read_study,
)
from geo.errors import Fault, InputError, PlanError, StudyError
from geo.road_quality import Quality


class Effort(StrEnum):
    """How hard to look; the words of `[solve] effort`."""

    quick = "quick"
    standard = "standard"
    thorough = "thorough"


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
    inputs = read_study(Study.load(study))
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
    inputs = read_study(loaded)
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
    inputs = read_study(Study.load(study))
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
    inputs = read_study(Study.load(study))
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
    inputs = read_study(Study.load(study))
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


@app.command("map")
def map_command(run: Annotated[Path, typer.Argument(metavar="RUN_DIR")]) -> None:
    """Draw the map of a run folder again, for instance after plan.csv was edited."""
    inputs = read_study(study_of_run(run))
    loaded, report = judge(inputs, run / "plan.csv")
    write_plan(run, inputs, loaded, report)
    out.print(f"Open {escape(str(run / 'map.html'))}")


app.command("provision")(verbs_provision.provision_command)
app.command("sites")(verbs_provision.sites_command)
app.command("publish")(verbs_publish.publish_command)
app.command("verify")(verbs_publish.verify_command)
app.command("responses")(verbs_publish.responses_command)


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
