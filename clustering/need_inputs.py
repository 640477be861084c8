"""From a study's `[need]` to need units: which files are read, and in what order they count."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from clustering.feeders import some_schools
from clustering.idaci import Idaci, idaci_rates
from clustering.need import Need, need_units
from clustering.need_factors import Settings
from clustering.need_files import (
    FIGURES,
    LSOA_HEADINGS,
    URN_HEADINGS,
    YEARS,
    FiguresError,
    Parse,
    read_deprivation,
    read_figures,
    read_homes,
    with_figures,
)
from clustering.nff import UnitValues, unit_values
from clustering.study import Study
from geo.errors import Fault, StudyError, short_path


@dataclass(frozen=True)
class Reader:
    """How a file becomes text cells, and text cells numbers; handed in by the front desk."""

    sheet: Callable[[Path, tuple[str, ...]], pd.DataFrame]
    numbers: Parse

    def by_urn(self, path: Path) -> tuple[pd.DataFrame, str]:
        """Return the cells of a sheet with a URN, and the name of the file for people."""
        return self.sheet(path, URN_HEADINGS), short_path(path)


def figures_of_study(
    study: Study, urns: pd.Index, replaced: Mapping[str, str], reader: Reader
) -> pd.DataFrame:
    """Return the figures of all files of `[need] figures`, by URN; a later file goes before.

    `urns` are the schools of the study, of which each file must have one.
    """
    table = pd.DataFrame(index=pd.Index([], name="urn", dtype=object))
    for name in study.config.need.figures:
        table = _figures(study.resolve(name), urns, replaced, reader).combine_first(table)
    return table


def baseline_of_study(
    study: Study, urns: pd.Index, replaced: Mapping[str, str], reader: Reader
) -> pd.DataFrame | None:
    """Return what schools had before, by URN: `baseline` and perhaps `baseline_pupils`."""
    own = study.config.budget
    if own is None or not own.baseline:
        return None
    wanted = {key: FIGURES[key] for key in ("baseline", "baseline_pupils")}
    path = study.resolve(own.baseline)
    found = _figures(path, urns, replaced, reader, wanted, ("baseline",))
    if not found["baseline"].sum() > 0:
        what = "every baseline is 0, so there is nothing to protect or cap."
        raise FiguresError(Fault(what, "Leave out [budget] baseline.", short_path(path)))
    return found


def _figures(
    path: Path,
    urns: pd.Index,
    replaced: Mapping[str, str],
    reader: Reader,
    wanted: Mapping[str, tuple[str, ...]] = FIGURES,
    required: tuple[str, ...] = (),
) -> pd.DataFrame:
    """Read a file of figures; `FiguresError` where none of its schools is of the study."""
    sheet, file = reader.by_urn(path)
    found = read_figures(
        sheet, reader.numbers, file=file, wanted=wanted, required=required, replaced=replaced
    )
    _check_ours(found.index, urns, file)
    return found


def _check_ours(found: pd.Index, urns: pd.Index, file: str) -> None:
    if not found.isin(urns).any():
        what = "no URN of this file is that of a school of the study."
        raise FiguresError(Fault(what, "Is it the file of another council?", file))


def strangers(what: str, figures: pd.DataFrame | None, schools: pd.DataFrame) -> list[str]:
    """Return a note on schools of a file of figures that are not in the study, so not used.

    `what` the file gives of a school, such as "baseline".
    """
    if figures is None:
        return []
    lost = sorted(set(figures.index) - set(schools.index))
    if not lost:
        return []
    more = f" and {len(lost) - 5} more" if len(lost) > 5 else ""
    who = f"{some_schools(len(lost))} not in the study"
    return [f"Not used is the {what} of {who}: {', '.join(lost[:5])}{more}."]


def need_of_study(
    study: Study,
    schools: pd.DataFrame,
    figures: pd.DataFrame,
    replaced: Mapping[str, str],
    reader: Reader,
) -> Need:
    """Read the other files of `[need]` and return the need units of the schools.

    `replaced` maps older URNs to those in `schools`. Raises `FiguresError` for a file that cannot
    be used and `StudyError` for weights that cannot be.
    """
    own = study.config.need
    values = unit_values(study.resolve(own.nff) if own.nff else None)
    table = with_figures(schools, figures)
    warnings = {}
    if own.idaci:
        idaci = _idaci(study, table, values, reader)
        table = table.assign(idaci_rate=idaci.rate)
        if idaci.approximate:
            warnings["idaci"] = f"IDACI is approximate: {idaci.approximate}"
    years = [
        _figures(study.resolve(name), table.index, replaced, reader, YEARS, tuple(YEARS))
        for name in own.previous
    ]
    try:
        return need_units(
            table,
            own.weights,
            settings=Settings(own.ehc_weight, own.winsor),
            values=values,
            years=years,
            warnings=warnings,
        )
    except ValueError as error:
        raise StudyError(Fault(f"{error}.", "See [need] weights.", study.path.name)) from error


def _idaci(study: Study, table: pd.DataFrame, values: UnitValues, reader: Reader) -> Idaci:
    """Read the IDACI table and, if the study names it, where pupils live."""
    own = study.config.need
    path = study.resolve(str(own.idaci))
    deprivation = read_deprivation(
        reader.sheet(path, LSOA_HEADINGS), reader.numbers, file=short_path(path)
    )
    homes = None
    if own.homes:
        sheet, file = reader.by_urn(study.resolve(own.homes))
        homes = read_homes(sheet, reader.numbers, file=file)
        _check_ours(pd.Index(homes["urn"]), table.index, file)
    return idaci_rates(
        table, deprivation, values, homes=homes, match=own.idaci_match, file=short_path(path)
    )
