"""What one pupil of a school counts for in the IDACI factor, from the neighbourhoods of pupils."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from clustering.need_files import Deprivation, FiguresError
from clustering.nff import UnitValues
from geo.errors import Fault

MATCH = 0.98
"""Least share of schools whose neighbourhood must be in the IDACI table."""


@dataclass(frozen=True, eq=False)
class Idaci:
    """`rate` by URN: what a pupil counts (pounds of the band, or the score); NaN = unknown."""

    rate: pd.Series
    approximate: str
    """Why the figures are approximate, in words; "" where pupils' own homes are known."""


def idaci_rates(
    schools: pd.DataFrame,
    table: Deprivation,
    values: UnitValues,
    *,
    homes: pd.DataFrame | None = None,
    match: float = MATCH,
    file: str = "",
) -> Idaci:
    """Return what a pupil of each school counts for, by NFF band where ranks are known.

    `homes` has `urn, lsoa, pupils` of pupils' homes; without it, the neighbourhood of the school
    stands for all its pupils, which is approximate. Raises `FiguresError` where fewer than `match`
    of the codes are in the table: then the two are of different years and must not be mixed.
    """
    if homes is None:
        homes = pd.DataFrame(
            {"urn": schools.index, "lsoa": schools["lsoa"].to_numpy(), "pupils": 1.0}
        )
        approximate = ["the neighbourhood of the school stands for the homes of its pupils"]
    else:
        approximate = []
    homes = homes[homes["lsoa"].ne("") & homes["urn"].isin(schools.index)]
    _refuse_mixture(homes["lsoa"], table, match, file)
    lost = 1 - float(homes["lsoa"].isin(table.position.index).mean())
    if lost > 0:
        vintage = f" of {table.vintage}" if table.vintage else ""
        approximate.append(
            f"{lost:.1%} of the neighbourhoods are not among the LSOAs{vintage} of its table"
        )
    phase = schools["phase"].reindex(homes["urn"]).set_axis(homes.index)
    position = homes["lsoa"].map(table.position)
    if table.position.notna().any():
        each = values.idaci.pounds(values.idaci.band(position), phase)
    else:
        each = homes["lsoa"].map(table.score)
    known = each.notna()
    weight = homes["pupils"].where(known, 0.0)
    total = (each.fillna(0.0) * weight).groupby(homes["urn"]).sum()
    rate = (total / weight.groupby(homes["urn"]).sum()).reindex(schools.index)
    if table.proxy:
        approximate.append(f"it is the {table.basis}")
    return Idaci(rate.rename("idaci_rate"), "; ".join(approximate))


def _refuse_mixture(codes: pd.Series, table: Deprivation, match: float, file: str) -> None:
    ours = sorted(set(codes))
    lost = [code for code in ours if code not in table.position.index]
    share = float(codes.isin(table.position.index).mean()) if len(codes) else 0.0
    if len(codes) and share >= match:
        return
    if not len(codes):
        what, fix = (
            "the schools have no LSOA codes to look up.",
            "Add a column lsoa to the schools.",
        )
    else:
        other = {"2011": "2021", "2021": "2011"}.get(table.vintage, "another year")
        own = f"of {table.vintage}" if table.vintage else "of one year"
        what = (
            f"only {share:.1%} of the schools' neighbourhoods are in this table: its LSOA codes "
            f"are {own}, those of the schools seem to be of {other}. Not found: "
            f"{', '.join(lost[:5])}{' …' if len(lost) > 5 else ''}."
        )
        fix = (
            f"Use an IDACI table on the LSOAs of {other}. If you accept estimates for the rest, "
            f"say so on record: [need] idaci_match = {max(0.0, int(share * 100) / 100)}."
        )
    raise FiguresError(Fault(what, fix, file))
