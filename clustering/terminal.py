"""What every verb shares: the command line itself, where it speaks, and its common arguments."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from clustering.inputs import Inputs, load_inputs
from clustering.show import Searching
from clustering.study import Study

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


StudyFile = Annotated[Path, typer.Argument(metavar="STUDY", help="The study file (TOML).")]
PlanFile = Annotated[Path, typer.Argument(metavar="PLAN", help="plan.csv or an edited plan.xlsx.")]


def read_study(study: Study) -> Inputs:
    """Read what a study names and show how far the search for minutes is."""
    return load_inputs(study, progress=Searching(err).tick)
