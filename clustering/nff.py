"""Unit values of the national funding formula: a dated table that a planner can replace."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from geo.errors import Faults, StudyError

SHIPPED = "nff_2025_26.toml"
BANDS = "ABCDEF"
Pounds = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(gt=0, lt=1)]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class ByPhase(_Table):
    """One value for primary and one for secondary pupils, in pounds."""

    primary: Pounds
    secondary: Pounds

    def of(self, phase: pd.Series) -> pd.Series:
        """Return the value for each school; an all-through school has the mean of both."""
        mean = (self.primary + self.secondary) / 2
        values = {"primary": self.primary, "middle_primary": self.primary, "all_through": mean}
        return phase.astype(str).map(values).fillna(self.secondary).astype(float)


class Bands(_Table):
    """IDACI bands A (most deprived) to F: pounds by phase, and the share of England in each."""

    primary: dict[str, Pounds]
    secondary: dict[str, Pounds]
    shares: dict[str, Share]

    @cached_property
    def limits(self) -> tuple[float, ...]:
        """Share of England's neighbourhoods, from the most deprived down, where each band ends."""
        return tuple(np.cumsum([self.shares[band] for band in BANDS]).tolist())

    def band(self, position: pd.Series) -> pd.Series:
        """Return the band of neighbourhoods by their place in England, 0 (most deprived) to 1."""
        at = np.searchsorted(np.array(self.limits) + 1e-12, position.to_numpy(float), side="left")
        letters = np.array([*BANDS, "G"])[at]
        return pd.Series(letters, index=position.index).where(position.notna(), "")

    def pounds(self, band: pd.Series, phase: pd.Series) -> pd.Series:
        """Return pounds a pupil by band and phase, 0 in band G, NaN where the band is ""."""
        primary = band.map({**self.primary, "G": 0.0})
        secondary = band.map({**self.secondary, "G": 0.0})
        mean = (primary + secondary) / 2
        kind = phase.astype(str)
        value = secondary.where(~kind.isin(["primary", "middle_primary"]), primary)
        return value.where(kind != "all_through", mean).astype(float)


class UnitValues(_Table):
    """A whole table of unit values: its year, where it is from, and whether anyone checked it."""

    year: str
    source: str = ""
    checked: bool = False
    low_prior_attainment: ByPhase
    idaci: Bands

    @property
    def note(self) -> str:
        """Say which values were used, and that they want checking where nobody has."""
        warning = "" if self.checked else ", which nobody has checked in full yet"
        return f"Unit values of the national funding formula {self.year}{warning} ({self.source})."


def unit_values(path: Path | None = None) -> UnitValues:
    """Read a table of unit values: a planner's own file, or the one that is shipped.

    Raises `StudyError` with every fault of the file.
    """
    name = path.name if path else SHIPPED
    faults = Faults(StudyError, name)
    data: Mapping[str, object] = {}
    try:
        where = path or files("clustering").joinpath("tables", SHIPPED)
        data = tomllib.loads(where.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        faults.add(f"cannot be read as a table of unit values: {error}.", f"Start from {SHIPPED}.")
    faults.raise_if_any()
    try:
        values = UnitValues.model_validate(data)
        for table in (values.idaci.primary, values.idaci.secondary, values.idaci.shares):
            if missing := [band for band in BANDS if band not in table]:
                faults.add(f"has no value for IDACI band {', '.join(missing)}.", "Add it.")
    except ValidationError as error:
        for one in error.errors():
            key = ".".join(str(part) for part in one["loc"])
            faults.add(f"{key}: {one['msg'].lower()}.", f"Start from {SHIPPED}.")
    faults.raise_if_any()
    return values
