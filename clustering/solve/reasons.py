"""Why a part has no plan, and ways out: the values, and how they are put into words and TOML."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from clustering.problem import Part, Problem


@dataclass(frozen=True)
class Remedy:
    """One way out: in words, and as lines for the study file ("" for a lock in a plan by hand).

    `cost` is the objective in minutes of the best plan of the place that a quick search finds with
    the remedy; None where that is not known.
    """

    text: str
    toml: str
    cost: float | None = None
    mended: Problem | None = field(default=None, compare=False, repr=False)
    """The problem with the remedy, where the rules alone do not say it."""


@dataclass(frozen=True)
class Reason:
    """Why a part has no plan: the place, the rules that clash, in words, and the ways out."""

    place: str
    rules: tuple[str, ...]
    text: str
    remedies: tuple[Remedy, ...]


def named(problem: Problem, positions: Iterable[int]) -> str:
    """Return schools with their URNs: `Ivy Lane School (900123) and Oak School (900124)`."""
    words = [f"{problem.names[i]} ({problem.urns[i]})" for i in positions]
    return " and ".join(words) if len(words) < 3 else f"{', '.join(words[:-1])} and {words[-1]}"


def toml_text(text: str) -> str:
    """Return a text as it may stand between quotes in TOML."""
    return text.replace("\\", "\\\\").replace('"', '\\"')


def toml_list(texts: Iterable[str]) -> str:
    """Return a list of texts in TOML."""
    return "[" + ", ".join(f'"{toml_text(text)}"' for text in texts) + "]"


def toml_lists(groups: Iterable[Iterable[str]]) -> str:
    """Return a list of lists of texts in TOML."""
    return "[" + ", ".join(toml_list(group) for group in groups) + "]"


def raised_reach(now: float | Mapping[str, float], needed: Mapping[str, float]) -> str:
    """Return the line that raises a limit on minutes to SRPs to what each type needs; "" for none.

    `now` is the limit as it stands, for all types or by type: the line has the same form.
    """
    if isinstance(now, Mapping):
        more = {name: max(most, math.ceil(needed.get(name, 0))) for name, most in now.items()}
        cells = ", ".join(f'"{toml_text(name)}" = {most:g}' for name, most in more.items())
        return f"max_minutes_to_srp = {{ {cells} }}" if more != dict(now) else ""
    most = math.ceil(max(needed.values(), default=0))
    return f"max_minutes_to_srp = {most}" if most > now else ""


def area_lines(part: Part, line: str) -> str:
    """Return a line under the heading of its area; the whole county has none of its own."""
    if part.name == "all areas":
        return f"[rules]\n{line}"
    return f'[rules.area."{toml_text(part.name)}"]\n{line}'
