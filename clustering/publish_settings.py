"""`[publish]` of a study: what a council says in its consultation, beside the plans themselves.

Everything is written by the council and shown as it stands, escaped. What is left out is left out
of the pack, save what the law asks for: that it is a draft, what it does not change, how numbers
are protected, where they are from.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Literal

from pydantic import Field, model_validator

from clustering.rules import Frozen

Line = Annotated[str, Field(max_length=600)]


class Rejected(Frozen):
    """`[[publish.rejected]]`: a realistic option that was discarded, and why."""

    name: Line
    why: Line


class PublishTable(Frozen):
    """`[publish]`: the words of a consultation and the protection of its numbers."""

    council: str = ""
    """Who consults."""
    title: str = ""
    """Heading of the pack; the study's title unless given."""
    intro: tuple[Line, ...] = ()
    """Paragraphs: what is proposed and why."""
    opens: date | None = None
    closes: date | None = None
    """First and last day of the consultation."""
    email: Annotated[str, Field(pattern=r"^[^@\s<>\"?&%#,;:]+@[^@\s<>\"?&%#,;:]+$")] | None = None
    """Where answers go by e-mail."""
    post: str = ""
    """Where answers go by letter."""
    phone: str = ""
    questions: tuple[Line, ...] = ()
    """What is asked; three plain questions unless given."""
    fixed: tuple[Line, ...] = ()
    """What is fixed already."""
    may_change: tuple[Line, ...] = ()
    """What may still change."""
    rejected: tuple[Rejected, ...] = ()
    easy_read: tuple[Line, ...] = ()
    """Sentences of the Easy Read page, one idea each; made from the pack unless given."""
    accessibility: tuple[Line, ...] = ()
    """The council's own words for the accessibility statement."""
    options: dict[str, Line] = {}
    """A sentence on each plan, by the name of its file or folder."""
    draft: bool = True
    version: str = "1"
    threshold: int = Field(5, ge=2, le=20)
    """Counts below this are small and not published."""
    show_zeros: bool = False
    measures: tuple[Literal["ehc_plans", "sen_support", "fsm6"], ...] = (
        "ehc_plans", "sen_support", "fsm6",
    )  # fmt: skip
    """Counts of pupils that are published by cluster, area and county, where large enough."""
    budget: bool = True
    """Publish what each cluster would have by formula, where the study has a pot."""
    round_pounds: int = Field(1_000, ge=100)
    least_flow: int = Field(10, ge=5)
    """Feeder links of fewer pupils a year are not drawn."""
    outcomes: str | None = None
    """Measures by school group and year for the District Dashboard."""
    tiles: str | None = None
    """Address of map tiles, `https://…/{z}/{x}/{y}.png`: then pages ask a third party for pictures.
    None keeps the pack free of every request."""
    tiles_credit: str = ""

    @model_validator(mode="after")
    def _ordered(self) -> PublishTable:
        if self.opens and self.closes and self.closes < self.opens:
            raise ValueError(f"closes on {self.closes}, before it opens on {self.opens}")
        if self.tiles and not re.match(r"https://[A-Za-z0-9.-]+(:[0-9]+)?/", self.tiles):
            raise ValueError("tiles must be an https address of one host, without {s}")
        return self
