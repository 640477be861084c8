"""The verbs of consultation packs: `clusters publish | verify | responses`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from clustering.pack_desk import count_answers, publish_pack, verify_pack
from clustering.show import table_shown
from clustering.study import Study
from clustering.terminal import UNWELCOME, StudyFile, out, read_study
from geo.errors import Fault, PlanError


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
    inputs = read_study(Study.load(study))
    found = publish_pack(inputs, plans, folder, archive=archive)
    for sentence in found.sentences():
        out.print(f"• {escape(sentence)}")
    if found.copy is not None:
        out.print(f"A copy that stays: {escape(str(found.copy))}")
    out.print(f"Open {escape(str(folder / 'index.html'))}")


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
    inputs = read_study(Study.load(study)) if study is not None else None
    found = verify_pack(pack, inputs, plans or ())
    for sentence in found.checked:
        out.print(f"• Checked: {escape(sentence)}.")
    for sentence in found.faults:
        out.print(f"✗ {escape(sentence)}")
    out.print("The pack is as it should be." if found.ok else f"{len(found.faults)} faults.")
    if not found.ok:
        raise typer.Exit(UNWELCOME)


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
    found = count_answers(read_study(Study.load(study)), answers, plans or (), folder)
    out.print(table_shown(found.shown, "What people said"))
    for sentence in found.sentences:
        out.print(f"• {escape(sentence)}")
