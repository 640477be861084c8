"""A scenario: a few lines that close, open, expand, redesignate or merge provisions.

A scenario is not a proposal. SRP changes are statutory proposals with a consultation of their own,
and a school named as closed in a public file is an incident; so a scenario is private until it is
marked `public = true`.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError, model_validator

from clustering.provision.reach import Outreach
from clustering.provision.settings import Codes, GrowthByType, Limits
from clustering.rules import Frozen
from geo.errors import Faults, StudyError, did_you_mean

Year = Annotated[int, Field(ge=2000, le=2100)]
Pounds = Annotated[float, Field(ge=0)]
Phase = Literal["primary", "secondary", "all_through"]


class Close(Frozen):
    """`[[close]]`: the last day is 31 August of the year."""

    provision: str
    year: Year | None = None


class Open(Frozen):
    """`[[open]]`: a new provision at a school, or at a point."""

    urn: str
    need_types: Codes
    places: float = Field(gt=0)
    phase: Phase | None = None
    kind: Literal["srp", "sen_unit", "special", "alternative"] = "srp"
    name: str = ""
    easting: float | None = None
    northing: float | None = None
    capital: Pounds | None = None
    """Pounds to build it; without it, places at the study's cost of one."""
    year: Year | None = None


class Resize(Frozen):
    """`[[resize]]`: to `places`, or by so many (`by = -4`)."""

    provision: str
    places: float | None = Field(None, ge=0)
    by: float | None = None
    capital: Pounds | None = None
    year: Year | None = None

    @model_validator(mode="after")
    def _one(self) -> Resize:
        if (self.places is None) == (self.by is None):
            raise ValueError("give either places or by")
        return self


class Redesignate(Frozen):
    """`[[redesignate]]`: other need types, or other years, from a year on."""

    provision: str
    need_types: Codes | None = None
    phase: Phase | None = None
    year: Year | None = None

    @model_validator(mode="after")
    def _something(self) -> Redesignate:
        if self.need_types is None and self.phase is None:
            raise ValueError("give need_types or phase")
        return self


class Merge(Frozen):
    """`[[merge]]`: provisions close, and their places and need types move into another."""

    provisions: tuple[str, ...] = Field(min_length=1)
    into: str
    year: Year | None = None


class OutreachTable(Frozen):
    """`[[outreach]]`: children of these types are visited at their own schools."""

    need_types: Codes
    phase: Phase | None = None
    cost: Pounds = 0.0
    """Pounds a year for the visiting teachers."""
    year: Year | None = None


class Scenario(Frozen):
    """A whole scenario file."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=40)]
    title: str = ""
    year: Year | None = None
    """The autumn that is looked at; without it, that of the last change."""
    public: bool = False
    close: tuple[Close, ...] = ()
    open: tuple[Open, ...] = ()
    resize: tuple[Resize, ...] = ()
    redesignate: tuple[Redesignate, ...] = ()
    merge: tuple[Merge, ...] = ()
    outreach: tuple[OutreachTable, ...] = ()
    shut: tuple[str, ...] = ()
    """Names of crossings of the study that are closed: a bridge, a ferry."""
    growth: GrowthByType = {}
    """Growth of the demand a year by type, in place of the study's."""
    limits: Limits | None = None

    @property
    def heading(self) -> str:
        """What people call it."""
        return self.title or self.name

    def looked_at(self, first: int) -> int:
        """Return the year the scenario is looked at in; `first` is the study's."""
        dated = [
            *(one.year for one in self.close),
            *(one.year for one in self.open),
            *(one.year for one in self.resize),
            *(one.year for one in self.redesignate),
            *(one.year for one in self.merge),
            *(one.year for one in self.outreach),
        ]
        return self.year or max([first, *(year for year in dated if year is not None)])

    def visits(self, year: int, first: int) -> tuple[Outreach, ...]:
        """Return who is visited at their own school in a year."""
        return tuple(
            Outreach(one.need_types, phases_named(one.phase))
            for one in self.outreach
            if (one.year or first) <= year
        )


def phases_named(phase: str | None) -> tuple[str, ...]:
    """Return the phases that a word of a scenario names; both for none and for all-through."""
    return ("primary", "secondary") if phase in (None, "all_through") else (str(phase),)


def read_scenario(path: Path) -> Scenario:
    """Read a scenario file; a `StudyError` names every key and value that is wrong."""
    faults = Faults(StudyError, path.name)
    data: dict[str, object] = {}
    try:
        data = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except FileNotFoundError:
        near = [p.name for p in path.parent.glob("*.toml")] if path.parent.is_dir() else []
        faults.add("the scenario is not there.", did_you_mean(path.name, near) or "Check the path.")
    except (UnicodeDecodeError, OSError):
        faults.add("the scenario cannot be read as text.", "Save it as UTF-8 plain text.")
    except tomllib.TOMLDecodeError as error:
        faults.add(f"is not valid TOML: {error}.", 'Texts stand in "quotes"; lists in [brackets].')
    faults.raise_if_any()
    try:
        return Scenario.model_validate(data)
    except ValidationError as error:
        for problem in error.errors():
            place = ".".join(str(part) for part in problem["loc"])
            key = str(problem["loc"][-1]) if problem["loc"] else ""
            if problem["type"] == "extra_forbidden":
                faults.add(f'unknown key "{place}".', did_you_mean(key, _known(problem["loc"])))
            else:
                faults.add(f"{place}: {problem['msg'].removeprefix('Value error, ')}.")
        faults.raise_if_any()
        raise


def _known(place: tuple[int | str, ...]) -> list[str]:
    tables: dict[str, type[Frozen]] = {
        "close": Close, "open": Open, "resize": Resize, "redesignate": Redesignate,
        "merge": Merge, "outreach": OutreachTable, "limits": Limits,
    }  # fmt: skip
    model = tables.get(str(place[0]), Scenario) if len(place) > 1 else Scenario
    return list(model.model_fields)
