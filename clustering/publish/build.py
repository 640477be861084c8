"""From a study and plans to a `Consultation`: what may be consulted on, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from clustering.inputs import Inputs
from clustering.plan import Plan, read_plan
from clustering.publish.consultation import Consultation, options_of
from clustering.publish.pack_numbers import release_of
from geo.errors import Faults, PlanError, StudyError, did_you_mean

MOST = 10
"""Options of one pack: they are called A to J."""
PLAN = "plan.csv"


def consultation(inputs: Inputs, plans: Mapping[str, Plan]) -> Consultation:
    """Return what a pack says of a study and of plans, by the name of their file or folder.

    A plan that breaks rules may be consulted on: pages name what it breaks. Raises `PlanError` for
    no plan, for more than ten, for two that are the same, and `StudyError` where `[publish]`
    speaks of a plan that is not there.
    """
    settings = inputs.study.config.publish
    faults = Faults(PlanError)
    if not plans:
        faults.add("there is no plan to consult on.", "Name one plan or more.")
    _refuse_too_many(len(plans), faults)
    seen: dict[tuple[tuple[str, ...], ...], str] = {}
    for name, plan in plans.items():
        key = tuple(sorted((cluster.hub, *cluster.schools) for cluster in plan.clusters))
        if key in seen:
            faults.add(f'"{name}" is the same plan as "{seen[key]}".', "Name each plan once.")
        if not len(plan):
            faults.add(f'"{name}" has no cluster.', "Name a plan with clusters.")
        seen.setdefault(key, name)
    faults.raise_if_any()
    study = Faults(StudyError, inputs.study.path.name)
    for name in sorted(set(settings.options) - set(plans)):
        what = f'[publish.options] speaks of "{name}", which is none of the plans.'
        study.add(what, did_you_mean(name, plans) or f"The plans are {', '.join(plans)}.")
    study.raise_if_any()
    options = options_of(inputs, plans, settings)
    return Consultation(inputs, settings, options, release_of(inputs, options, settings))


def read_plans(inputs: Inputs, paths: Sequence[Path]) -> dict[str, Plan]:
    """Return plans by name: of a `plan.csv`, of a `plan.xlsx`, or of the folder of a run.

    Raises `PlanError` where two have one name, by which `[publish.options]` could not tell them,
    and for more than ten.
    """
    files = [path / PLAN if path.is_dir() else path for path in paths]
    names = [_name(path) for path in paths]
    faults = Faults(PlanError)
    _refuse_too_many(len(paths), faults)
    for name in sorted({name for name in names if names.count(name) > 1}):
        what = f'two plans are called "{name}".'
        faults.add(what, "Rename a file or a folder, so that each plan has a name of its own.")
    faults.raise_if_any()
    return {n: read_plan(file, inputs.problem) for n, file in zip(names, files, strict=True)}


def _refuse_too_many(plans: int, faults: Faults) -> None:
    if plans > MOST:
        faults.add(f"{plans} plans are more than people can weigh.", f"Name up to {MOST}.")


def _name(path: Path) -> str:
    """Return the name of a plan: that of a folder, or of a file unless it is just "plan"."""
    path = path.resolve()
    return path.name if path.is_dir() else path.parent.name if path.stem == "plan" else path.stem
