"""How to answer a consultation: by e-mail with the questions filled in, on paper, by telephone.

Nothing is sent from a page: a link opens the reader's own e-mail program, and a sheet is printed
and filled in by hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from clustering.publish.consultation import Consultation
from clustering.publish.pack_pages import QUESTIONS
from clustering.publish.pages import page
from clustering.publish_settings import PublishTable

LONGEST_LINK = 1_900
"""Characters of an e-mail link that every common mail program takes."""
NO_CHILD = (
    "Please do not name a child, or say anything from which others could tell who a child is."
)
WHO = (
    "Parent or carer",
    "Young person",
    "Member of school staff",
    "Governor or trustee",
    "On behalf of a school or trust",
    "Other",
)
"""Kinds of people who answer."""


def pages(consultation: Consultation) -> Iterator[tuple[str, str]]:
    """Yield `respond.html` and `response-sheet.html`."""
    own = consultation.settings
    shared = {
        "own": own,
        "questions": questions_of(own),
        "no_child": NO_CHILD,
        "who": WHO,
        "reachable": bool(own.email or own.post or own.phone),
    }
    yield page(
        consultation,
        "respond.html",
        "How to respond",
        "page_respond.html",
        link=mail_link(consultation),
        letter=letter_of(consultation),
        **shared,
    )
    yield page(
        consultation, "response-sheet.html", "Response sheet", "page_response_sheet.html", **shared
    )


def questions_of(settings: PublishTable) -> tuple[str, ...]:
    """Return the questions of the council, or three plain ones."""
    return settings.questions or QUESTIONS


def letter_of(consultation: Consultation, *, short: bool = False) -> tuple[str, ...]:
    """Return the lines of an answer to be filled in; `short` names the questions by number only."""
    names = ", ".join(option.name for option in consultation.options)
    lines = [
        "Please write below each line.",
        NO_CHILD,
        "",
        f"I answer as ({', '.join(WHO).lower()}):",
        "",
        "School, with its URN if you know it:",
        "",
        f"Option ({names}, none):",
        "",
        "Cluster, if your answer is about one:",
        "",
    ]
    for number, question in enumerate(questions_of(consultation.settings), start=1):
        lines += [f"Question {number}" if short else f"{number}. {question}", ""]
    return tuple(lines)


def mail_link(consultation: Consultation) -> str:
    """Return the address of a pre-filled e-mail, "" where the study gives none.

    Questions that would make the address longer than mail programs take stand as numbers only.
    """
    email = consultation.settings.email
    if not email:
        return ""
    link = _link(email, consultation.title, letter_of(consultation))
    if len(link) > LONGEST_LINK:
        link = _link(email, consultation.title, letter_of(consultation, short=True))
    return link


def _link(email: str, title: str, lines: tuple[str, ...]) -> str:
    """Return a link as RFC 6068 wants it: everything escaped, lines ended by CR and LF."""
    # A line more in the subject would be a header of its own to careless mail programs.
    subject = quote(" ".join(f"Response: {title}".split()), safe="")
    body = quote("\r\n".join(lines), safe="")
    return f"mailto:{quote(email, safe='@')}?subject={subject}&body={body}"
