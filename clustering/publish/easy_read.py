"""The Easy Read page: short sentences, one idea each, in large type, each with a plain picture.

The council's own sentences stand where the study has some; what does not change and how to answer
always stands at the end.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from clustering.publish.consultation import Consultation
from clustering.publish.pages import counted, day, page

PICTURES: tuple[tuple[str, str], ...] = (
    ("calendar", r"\b(until|from|days?|weeks?|months?|years?|when|opens?|closes?|by \d)\b"),
    ("letter", r"\b(e-?mails?|letters?|write|post|send)\b"),
    ("phone", r"\b(phone|telephone|ring)\b"),
    ("money", r"\b(money|pounds?|pay|funding|budget)\b|£"),
    ("question", r"\b(think|tell us|ask|questions?|views?|say|answer|choose)\b"),
    ("map", r"\b(maps?|where|travel|miles|minutes|near|district|county|area)\b"),
    ("group", r"\b(clusters?|groups?|together|share|options?|plans?)\b"),
    ("school", r"\b(schools?|places?|pupils?|teachers?|admissions?)\b"),
)
"""Pictures by the words of a sentence; the first that fits is taken, else two people."""


@dataclass(frozen=True)
class Sentence:
    """One idea: its words, its picture, and where a link of it leads, "" for none."""

    words: str
    picture: str
    link: str = ""


@dataclass(frozen=True)
class Part:
    """A heading and its sentences."""

    heading: str
    sentences: tuple[Sentence, ...]


def pages(consultation: Consultation) -> Iterator[tuple[str, str]]:
    """Yield `easy-read.html`."""
    parts = parts_of(consultation)
    yield page(consultation, "easy-read.html", "Easy Read", "page_easy_read.html", parts=parts)


def parts_of(consultation: Consultation) -> tuple[Part, ...]:
    """Return what the page says, part by part."""
    own = consultation.settings.easy_read
    about = (
        [Part("What this is about", _drawn(own))]
        if own
        else [
            Part("What this is about", _drawn(_about(consultation))),
            Part("The options", _drawn(_options(consultation))),
        ]
    )
    same = Part("What stays the same", _drawn(SAME))
    return (*about, same, Part("How to tell us what you think", tuple(_answers(consultation))))


SAME = (
    "Your child stays at the same school.",
    "How you ask for a school place stays the same.",
    "If your child has an EHC plan, the plan stays the same.",
)
ABOUT = (
    "This is about schools.",
    "Some children need more help to learn.",
    "Schools get money to help them.",
    "We want schools to share some of this money.",
    "Schools would do this in groups.",
    "We call a group of schools a cluster.",
)


def picture_of(words: str) -> str:
    """Return the name of the picture that goes with a sentence."""
    low = words.lower()
    return next((name for name, pattern in PICTURES if re.search(pattern, low)), "people")


def _drawn(sentences: Iterable[str]) -> tuple[Sentence, ...]:
    return tuple(Sentence(words, picture_of(words)) for words in sentences)


def _about(consultation: Consultation) -> Iterator[str]:
    council = consultation.settings.council
    yield f"{council} wants to know what you think." if council else "We ask what you think."
    yield from ABOUT


def _options(consultation: Consultation) -> Iterator[str]:
    today, proposals = consultation.today, consultation.proposals
    if today is not None:
        yield f"Now there are {counted(len(today.report.clusters), 'cluster')}."
    if len(proposals) == 1:
        yield "There is one new plan."
    else:
        yield f"There are {len(proposals)} new plans. We call them options."
    for option in proposals:
        yield f"{option.name} has {counted(len(option.report.clusters), 'cluster')}."
    yield "Nothing is decided yet."


def _answers(consultation: Consultation) -> Iterator[Sentence]:
    own = consultation.settings
    yield Sentence("Find your school here.", "school", "schools.html")
    yield Sentence("Look at the map here.", "map", "consultation.html")
    if own.opens:
        yield Sentence(f"You can answer from {day(own.opens)}.", "calendar")
    if own.closes:
        yield Sentence(f"You can answer until {day(own.closes)}.", "calendar")
    yield Sentence("The questions are here.", "question", "respond.html")
    if own.email:
        yield Sentence(f"Send us an e-mail: {own.email}", "letter", f"mailto:{own.email}")
    if own.post:
        yield Sentence(f"Write us a letter: {own.post}", "letter")
    if own.phone:
        yield Sentence(f"Phone us: {own.phone}", "phone")
    yield Sentence("You can ask somebody you trust to help you.", "people")
