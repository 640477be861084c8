"""What stands in the cells of a file of answers: dates, options, questions, schools, words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime

import pandas as pd

from clustering.inputs import Inputs
from clustering.publish.consultation import Option
from geo.errors import Faults, did_you_mean
from geo.sheets import plain

NO_SCHOOL = {"", "none", "other", "na", "noschool", "several", "all"}
NO_OPTION = {"", "none", "neither", "noneofthem", "noneofthese", "na", "all"}
SCALE = (
    *("Strongly agree", "Agree", "Neither agree nor disagree", "Disagree", "Strongly disagree"),
    *("Yes", "No", "Don’t know", "Not sure", "Prefer not to say"),
)
IN_WORDS, EMPTY = "In words", "No answer"
LONGEST_ANSWER = 40
"""A longer answer is a comment."""


class Refused(Exception):
    """A cell that cannot be understood: what is wrong and what would mend it."""


def each(cells: pd.Series, door: Callable[[str], str], faults: Faults) -> list[str]:
    """Return what a door makes of every cell, "" where it refused; its faults by row."""
    found = []
    for row, text in cells.items():
        try:
            found.append(door(text))
        except Refused as refused:
            what, fix = refused.args
            faults.add(what, fix, row=int(str(row)))
            found.append("")
    return found


def day_of(text: str) -> str:
    """Return a date as ISO, "" for none; `Refused` where it is none."""
    for read in (
        lambda: date.fromisoformat(text[:10]),
        lambda: datetime.strptime(text.split()[0], "%d/%m/%Y").date(),
        lambda: datetime.strptime(text, "%d %B %Y").date(),
    ):
        try:
            return read().isoformat()
        except (ValueError, IndexError):
            continue
    if not text:
        return ""
    raise Refused(f'"{text[:30]}" is no date.', "Write it as 2027-03-31 or 31/03/2027.")


def option_of(options: Mapping[str, Option]) -> Callable[[str], str]:
    """Return a door that knows options by every name and returns their keys."""
    names = sorted({option.name for option in options.values()})
    fix = f"Options are {', '.join(names)}; name the plans that were published, in their order."

    def door(text: str) -> str:
        if plain(text) in NO_OPTION:
            return ""
        if plain(text) in options:
            return options[plain(text)].key
        raise Refused(f'"{text[:40]}" is none of the options.', did_you_mean(text, names) or fix)

    return door


def question_of(questions: Sequence[str]) -> Callable[[str], str]:
    """Return a door that knows questions by number or words; other words stay as they are."""
    whole = {plain(question): question for question in questions}

    def door(text: str) -> str:
        number = re.fullmatch(r"(?:q|question)?(\d+)", plain(text.removesuffix(".0")))
        if number is None:
            return whole.get(plain(text), tidy(text))
        if 1 <= int(number[1]) <= len(questions):
            return questions[int(number[1]) - 1]
        raise Refused(f"There is no question {number[1]}.", f"There are {len(questions)}.")

    return door


class SchoolFinder:
    """Finds a school by its URN or its name, however it is spelt."""

    def __init__(self, inputs: Inputs) -> None:
        """Learn the names of all schools, also of those that take no part."""
        aside = inputs.schools.set_aside
        self.names = {str(u): str(n) for u, n in inputs.table["name"].items()}
        self.aside = {str(u): str(n) for u, n in zip(aside["urn"], aside["name"], strict=True)}
        self.by_name: dict[str, list[str]] = {}
        for urn, name in self.names.items():
            self.by_name.setdefault(plain(name), []).append(urn)
        for name in self.aside.values():
            self.by_name.setdefault(plain(name), [])

    def find(self, urn: str, name: str, row: int, faults: Faults) -> str:
        """Return the URN; "" for none, or for a school that takes no part."""
        urn = urn.removesuffix(".0")
        if re.fullmatch(r"\d{6}", name):
            urn, name = urn or name, ""
        named = self.by_name.get(plain(name))
        if urn in self.names:
            if named and urn not in named:
                what = f"The URN is that of {self.names[urn]}, not of {name}."
                faults.add(what, "Correct one of them.", row=row, urn=urn)
            return urn
        if urn and urn not in self.aside:
            near = did_you_mean(urn, self.names)
            faults.add("No school of the study has this URN.", near, row=row, urn=urn)
            return ""
        if plain(name) in NO_SCHOOL or named == [] or urn:
            return ""
        if named is None:
            near = did_you_mean(name, self.names.values()) or "Give its URN, or write: other."
            faults.add(f'No school of the study is called "{name[:60]}".', near, row=row)
            return ""
        if len(named) > 1:
            fix = f"Give the URN: {' or '.join(sorted(named))}."
            faults.add(f"{len(named)} schools are called {name}.", fix, row=row)
        return named[0]


def answer_words(cells: pd.Series, options: Mapping[str, Option], least: int) -> list[str]:
    """Return answers as words of a scale; another word must have been given by `least` people."""
    words = {plain(word): word for word in SCALE}
    words |= {spelt: option.name for spelt, option in options.items() if len(spelt) > 1}
    given = Counter(plain(text) for text in cells if len(text) <= LONGEST_ANSWER)
    for text in sorted(set(cells)):
        if given[plain(text)] >= least and len(text) <= LONGEST_ANSWER:
            words.setdefault(plain(text), tidy(text))
    return [EMPTY if not text else words.get(plain(text), IN_WORDS) for text in cells]


def tidy(text: str) -> str:
    """Return a text without needless spaces."""
    return " ".join(text.split())
