"""Everything that can be wrong with an input, as one small tree.

A door (a reader, the study loader) gathers every fault it finds and raises once, so that a planner
mends a file in one go. "No plan exists" is not an error: it is an answer, and lives elsewhere.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong: where it stands, what is wrong, and what would mend it.

    `row` is the line in the file as a spreadsheet numbers it (the heading is row 1).
    """

    what: str
    fix: str = ""
    file: str = ""
    row: int | None = None
    urn: str = ""
    name: str = ""

    def __str__(self) -> str:
        place = self.file
        if self.row is not None:
            place += f", row {self.row}" if place else f"row {self.row}"
        school = " ".join(part for part in (self.name, f"({self.urn})" if self.urn else "") if part)
        head = ": ".join(part for part in (place, school) if part)
        text = f"{head}: {self.what}" if head else self.what
        return f"{text} {self.fix}".rstrip() if self.fix else text


class InputError(Exception):
    """Bad input: every fault found at one door, each naming file, row, school and remedy."""

    def __init__(self, faults: Fault | Iterable[Fault]) -> None:
        self.faults: tuple[Fault, ...] = (faults,) if isinstance(faults, Fault) else tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class StudyError(InputError):
    """The study file cannot be understood or contradicts itself."""


class SchoolsError(InputError):
    """A file of schools, census figures or links cannot be used as it stands."""


class PersonalDataError(SchoolsError):
    """The file holds one row per pupil, or columns that identify a child; it is not read."""


class AreasError(InputError):
    """A boundary layer cannot be used, or a school stands in no area."""


class TravelError(InputError):
    """Minutes between schools are missing or cannot be right."""


class PlanError(InputError):
    """A plan file does not fit the schools of the study."""


@dataclass
class Faults:
    """A tray in which a door gathers faults before it raises them all at once."""

    kind: type[InputError] = InputError
    file: str = ""
    found: list[Fault] = field(default_factory=list)

    def add(
        self, what: str, fix: str = "", *, row: int | None = None, urn: str = "", name: str = ""
    ) -> None:
        """Put one fault on the tray."""
        self.found.append(Fault(what, fix, self.file, row, urn, name))

    def __iter__(self) -> Iterator[Fault]:
        return iter(self.found)

    def __bool__(self) -> bool:
        return bool(self.found)

    def raise_if_any(self) -> None:
        """Raise everything gathered so far, if there is anything."""
        if self.found:
            raise self.kind(self.found)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `Did you mean "…"?` for the known word nearest to a misspelt one, or an empty text."""
    near = difflib.get_close_matches(word, sorted(known), n=1, cutoff=0.6)
    return f'Did you mean "{near[0]}"?' if near else ""


def short_path(path: Path | str) -> str:
    """Return the file name a person would recognise: its last two parts, never a home folder."""
    return "/".join(Path(path).parts[-2:])
