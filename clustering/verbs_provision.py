"""The verbs of provision: `clusters provision | sites`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from clustering.provision_desk import review
from clustering.provision_show import PRIVATE, review_shown, sites_shown
from clustering.provision_sites import where_next
from clustering.publish.provision_files import write_provision
from clustering.run import judge
from clustering.study import Study
from clustering.terminal import UNWELCOME, StudyFile, err, out, read_study


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
    inputs = read_study(Study.load(study))
    within = judge(inputs, plan)[0] if plan is not None else None
    found = review(
        inputs,
        *(files or ()),
        cluster_of=within.cluster_of if within else None,
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
        review(read_study(Study.load(study))),
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
