"""Reads the answers to a consultation: one row an answer, by school, option and question.

Who answered is nobody's business here: columns of names, addresses or telephone numbers are
refused, and of comments only whether there is one is kept.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from clustering.inputs import Inputs
from clustering.publish.answer_cells import (
    LONGEST_ANSWER,
    SchoolFinder,
    answer_words,
    day_of,
    each,
    option_of,
    question_of,
    tidy,
)
from clustering.publish.consultation import Option
from clustering.publish.pages import counted
from clustering.publish.respond import questions_of
from geo.errors import Faults, PersonalDataError, SchoolsError, short_path
from geo.sheets import plain, read_sheet

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "reference": ("reference", "ref", "responseid", "answerid", "id"),
    "received": ("received", "datereceived", "date"),
    "respondent": ("respondenttype", "typeofrespondent", "answeringas"),
    "urn": ("urn", "schoolurn"),
    "school": ("school", "schoolname"),
    "option": ("option", "preferredoption"),
    "question": ("question", "questionnumber"),
    "answer": ("answer", "agree", "answeragree"),
    "comment": ("comment", "comments"),
    "theme": ("theme", "themes"),
}
"""Columns of a file of answers and how they may be spelt."""
KNOWN = {spelling: name for name, spellings in COLUMNS.items() for spelling in spellings}
HEADING = (*COLUMNS["option"], *COLUMNS["question"])
"""One of these stands in the heading of every file of answers."""
WANTED = (
    "Wanted are the columns received, respondent_type, urn or school, option, question, answer "
    "and comment, perhaps theme and reference; each may be left out save option or question."
)
PEOPLE = re.compile(
    r"(?!school).*(e?mail|phone|mobile|postcode|postalcode|surname|forename|firstname|lastname"
    r"|fullname|yourname|ipaddress|homeaddress|birth).*|(respondents?|contacts?)?(name|address)"
    r"|respondent|contact"
)
"""Headings, in `plain` spelling, of columns that tell who somebody is."""
TRACES = re.compile(
    r"[^\s@]+@[^\s@]+\.\w|(?<!\d)(?:\+44|0)(?:[ ()-]?\d){9,10}(?!\d)"
    r"|\b[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}\b",
    re.IGNORECASE,
)
"""An e-mail address, a telephone number or a whole postcode, in a cell that is no comment."""


@dataclass(frozen=True, eq=False)
class Answers:
    """Answers, checked: a row each, by the row of the file, and what was remarked on the way.

    Columns of `table`: `received` (ISO date or ""), `respondent`, `urn`, `option` (key of an
    option), `question`, `answer` (a word that several gave, else `IN_WORDS` or `EMPTY`),
    `commented` (bool), `themes` (tuple). An empty text means none. No comment is kept.
    """

    table: pd.DataFrame
    notes: tuple[str, ...]


def read_answers(
    path: Path | str, inputs: Inputs, options: Mapping[str, Option], threshold: int
) -> Answers:
    """Read a file of answers (CSV in any common encoding, or Excel).

    `options` by every name people may call them (`spellings_of`). An answer that is no word of a
    scale counts as a word if `threshold` people gave it, else as one in words. Raises
    `SchoolsError` with every fault by row, `PersonalDataError` where a file tells who somebody is.
    """
    path = Path(path)
    file = short_path(path)
    cells = read_sheet(path, HEADING, _is_looked_at, remedy=WANTED)
    _refuse_people(cells, file)
    faults = Faults(SchoolsError, file)
    cells = _columns(cells, faults)
    _refuse_traces(cells, file)
    school, asked = SchoolFinder(inputs), questions_of(inputs.study.config.publish)
    table = pd.DataFrame(
        {
            "reference": cells["reference"],
            "received": each(cells["received"], day_of, faults),
            "respondent": cells["respondent"].map(tidy),
            "urn": [
                school.find(row.urn, row.school, int(row.Index), faults)
                for row in cells.itertuples()
            ],
            "option": each(cells["option"], option_of(options), faults),
            "question": each(cells["question"], question_of(asked), faults),
            "answer": answer_words(cells["answer"], options, threshold),
            "commented": (cells["comment"] != "") | (cells["answer"].str.len() > LONGEST_ANSWER),
            "themes": [
                tuple(sorted({tidy(part) for part in text.split(";")} - {""}))
                for text in cells["theme"]
            ],
        },
        index=cells.index,
    )
    notes = list(_doubles(cells, table, faults))
    faults.raise_if_any()
    table = table[~_repeated(table)]
    return Answers(table.drop(columns="reference"), (*notes, *_late(table, inputs)))


def spellings_of(options: Sequence[Option], plans: Sequence[str]) -> dict[str, Option]:
    """Return options by what people call them; `plans` are the proposals' files, in order."""
    found: dict[str, Option] = {}
    for option in options:
        found |= {plain(option.name): option, plain(option.key): option}
    proposals = [option for option in options if not option.is_today]
    found |= {plain(name): option for name, option in zip(plans, proposals, strict=True)}
    return found


def _is_looked_at(heading: str) -> bool:
    return heading in KNOWN or PEOPLE.fullmatch(heading) is not None


def _columns(cells: pd.DataFrame, faults: Faults) -> pd.DataFrame:
    """Name the columns as this module calls them; a column that is not there is empty."""
    names = {column: KNOWN[_plain(column)] for column in cells.columns}
    for name, count in Counter(names.values()).items():
        if count > 1:
            faults.add(f"Two columns hold the {name}.", "Keep one of them.")
    faults.raise_if_any()
    return cells.rename(columns=names).reindex(columns=list(COLUMNS), fill_value="")


def _plain(column: str) -> str:
    """Return a heading in `plain` spelling, without the number of a second one of its name."""
    return plain(re.sub(r" \(\d+\)$", "", column))


def _refuse_people(cells: pd.DataFrame, file: str) -> None:
    tray = Faults(PersonalDataError, file)
    for column in cells.columns:
        if _plain(column) not in KNOWN:
            what = f'The column "{column}" tells who answered; nothing was counted.'
            tray.add(what, "Take it out of the file. It is not needed to count answers.")
    tray.raise_if_any()


def _refuse_traces(cells: pd.DataFrame, file: str) -> None:
    """Refuse cells that tell who somebody is, without repeating them."""
    tray = Faults(PersonalDataError, file)
    for column in cells.columns.drop("comment"):
        pattern = "@" if column == "reference" else TRACES
        for row in cells.index[cells[column].str.contains(pattern)]:
            what = f"The {column} holds an e-mail address, a telephone number or a postcode."
            tray.add(what, "Take it out; nothing was counted.", row=int(row))
    tray.raise_if_any()


def _repeated(table: pd.DataFrame) -> pd.Series:
    """Return which rows say again what one of the same reference has said."""
    return (table["reference"] != "") & table.duplicated(keep="first")


def _doubles(cells: pd.DataFrame, table: pd.DataFrame, faults: Faults) -> Iterator[str]:
    repeated = _repeated(table)
    if repeated.any():
        yield f"Said twice under one reference and counted once: rows {_rows(table[repeated])}."
    rest = table[(table["reference"] != "") & ~repeated]
    asked = ["reference", "urn", "option", "question"]
    for row in rest.index[rest.duplicated(asked, keep="first")]:
        what = "This reference has answered the same question already, in another way."
        faults.add(what, "Keep one of the two answers.", row=int(row))
    alike = cells.duplicated(keep="first") & (cells["reference"] == "") & (cells["comment"] != "")
    if alike.any():
        yield (
            f"The same to the last letter as a row before, and counted all the same: rows "
            f"{_rows(cells[alike])}. A column reference would tell which are sent twice."
        )


def _rows(table: pd.DataFrame) -> str:
    rows = [str(row) for row in table.index]
    more = f" and {len(rows) - 20} more" if len(rows) > 20 else ""
    return ", ".join(rows[:20]) + more


def _late(table: pd.DataFrame, inputs: Inputs) -> Iterator[str]:
    own = inputs.study.config.publish
    days = table["received"][table["received"] != ""]
    for word, outside in (
        ("before the consultation opened", days[days < str(own.opens or "")]),
        ("after it closed", days[days > str(own.closes or "9999")]),
    ):
        if len(outside):
            yield f"{counted(len(outside), 'answer')} came {word}, and counted all the same."
