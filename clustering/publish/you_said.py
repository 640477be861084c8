"""You said, we did: answers counted by option, question, school, cluster, theme and respondent.

`you_said.csv` and `you_said.xlsx` hold exact numbers and are the council's own; its words in the
column `we_did` are kept when answers are counted again. `you_said.html` may be published: small
numbers stand in words, others are rounded so that no small one can be worked out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import pandas as pd

from clustering.inputs import Inputs
from clustering.outputs import all_or_nothing
from clustering.publish.answer_cells import EMPTY, IN_WORDS, SCALE
from clustering.publish.consultation import Consultation, Option
from clustering.publish.disclosed import few_words
from clustering.publish.disclosure import Release
from clustering.publish.pack_tables import csv_bytes, workbook_bytes
from clustering.publish.pages import counted, pack_of, page
from clustering.publish.respond import questions_of
from clustering.responses import Answers
from geo.sheets import read_sheet

NAMES = ("you_said.csv", "you_said.xlsx", "you_said.html")
KEY = ["by", "group", "option", "question"]
BY: Mapping[str, str] = {
    "option": "By option and question",
    "question": "By question",
    "cluster": "By cluster",
    "school": "By school",
    "theme": "By theme",
    "respondent": "By who answered",
}
"""How answers are counted, in order, with the heading of each table."""
NO_OPTION, NO_QUESTION = "No option named", "No question named"
STEP = 5
"""Public numbers of answers are rounded to this."""
FILES_WORDS = (
    f"{NAMES[0]} and {NAMES[1]} hold exact numbers: keep them private.",
    "Fill in their column we_did and count again: the words go onto the page.",
    f"{NAMES[2]} may be published: small numbers are words, others are rounded to {STEP}.",
)


@dataclass(frozen=True)
class PublicRow:
    """A row of the public page, in words."""

    cells: tuple[str, ...]
    answers: str
    said: str
    did: str


def you_said(
    answers: Answers,
    options: Sequence[Option],
    inputs: Inputs,
    did: Mapping[tuple[str, ...], str] = MappingProxyType({}),
) -> pd.DataFrame:
    """Return the exact table: a row a group with the answers counted by their words.

    `did` is what the council wrote by `KEY`; a row that has such words and no answer any more
    stays, with 0. Columns `KEY`, `urn`, `answers`, `comments`, one a word, `you_said`, `we_did`.
    """
    long = pd.DataFrame(_groups(answers.table, options, inputs.table), columns=[*KEY, "urn", "row"])
    own = answers.table[["answer", "commented"]]
    long = long.join(own, on="row")
    words = _words(answers.table["answer"])
    index = [*KEY, "urn"]
    found = long.groupby(index, sort=False).agg(
        answers=("row", "size"), comments=("commented", "sum")
    )
    for word in words:
        found[word] = (long["answer"] == word).groupby([long[k] for k in index]).sum()
    found = found.reset_index()
    missing = [key for key in did if key not in set(found[KEY].itertuples(index=False, name=None))]
    gone = pd.DataFrame([(*key, "") for key in missing], columns=index)
    found = pd.concat([found, gone], ignore_index=True).fillna(
        dict.fromkeys(("answers", "comments", *words), 0)
    )
    found = found.astype(dict.fromkeys(("answers", "comments", *words), int))
    found["you_said"] = [_exact(row, words) for _, row in found.iterrows()]
    found["we_did"] = [did.get(key, "") for key in found[KEY].itertuples(index=False, name=None)]
    return _sorted(
        found, [*(option.name for option in options), *questions_of(inputs.study.config.publish)]
    )


def _groups(
    table: pd.DataFrame, options: Sequence[Option], schools: pd.DataFrame
) -> Iterator[tuple[str, str, str, str, str, int]]:
    """Yield where each answer counts: how, group, option, question, URN, and the answer's row."""
    by_key = {option.key: option for option in options}
    for row in table.itertuples():
        at = int(row.Index)
        option = by_key.get(row.option)
        name = option.name if option else NO_OPTION
        question = row.question or NO_QUESTION
        yield "option", name, "", question, "", at
        yield "question", question, "", "", "", at
        if row.urn:
            yield "school", str(schools.at[row.urn, "name"]), name, "", row.urn, at
            if option and option.label_of(row.urn):
                yield "cluster", option.label_of(row.urn), name, "", "", at
        for theme in row.themes:
            yield "theme", theme, name, "", "", at
        if row.respondent:
            yield "respondent", row.respondent, "", "", "", at


def _words(answers: pd.Series) -> list[str]:
    """Return the words that were given: those of scales in their order, then others, then none."""
    last = [IN_WORDS, EMPTY]
    given = set(answers)
    others = sorted(given - {*SCALE, *last})
    return [*(w for w in SCALE if w in given), *others, *(w for w in last if w in given)]


def _exact(row: pd.Series, words: Sequence[str]) -> str:
    parts = [f"{row[word]} {word.lower()}" for word in words if row[word]]
    told = f"{counted(row['answers'], 'answer')}: {', '.join(parts)}" if parts else "No answers"
    return f"{told}; {counted(row['comments'], 'comment')}." if row["comments"] else f"{told}."


def _sorted(table: pd.DataFrame, first: Sequence[str]) -> pd.DataFrame:
    """Sort by `KEY`: the names `first` in their order, then others, then none."""
    order = {name: f"{at:03d}" for at, name in enumerate(first)}
    order |= {NO_OPTION: "~~", NO_QUESTION: "~~"}
    keys = table[[*KEY, "urn"]].copy()
    keys["by"] = keys["by"].map({name: f"{at}" for at, name in enumerate(BY)}).fillna("9")
    for column in ("group", "option", "question"):
        keys[column] = [order.get(value, f"~{value}") for value in keys[column]]
    return table.loc[keys.sort_values([*KEY, "urn"]).index].reset_index(drop=True)


def public_rows(
    table: pd.DataFrame, by: str, threshold: int, known: Sequence[str]
) -> tuple[list[PublicRow], int]:
    """Return the rows of one table as they may be public, and how many groups are left out.

    Schools, and what the file names but not the council (a theme, a kind of respondent, a question
    of its own), stand there from `threshold` answers on; `known` are the names that always do.
    """
    words = [c for c in table.columns if c not in {*KEY, "urn", "answers", "comments"}]
    words = [word for word in words if word not in ("you_said", "we_did")]
    rows, left = [], 0
    for _, row in table[table["by"] == by].iterrows():
        free = {row["group"], row["question"]} - {"", *known}
        if free and row["answers"] < threshold:
            left += 1
            continue
        about = tuple(str(row[k]) for k in ("group", "option", "question") if row[k])
        said = ""
        if row["answers"] >= threshold:
            said = ", ".join(f"{w.lower()}: {_public(row[w], threshold)}" for w in words if row[w])
        rows.append(PublicRow(about, _public(row["answers"], threshold), said, row["we_did"]))
    return rows, left


def _public(number: int, threshold: int) -> str:
    """Return a number of answers as it may be public: in words if small, else to five."""
    rounded = STEP * int(number / STEP + 0.5)
    return few_words(threshold) if number < threshold else f"about {rounded:,}"


def words_so_far(folder: Path) -> dict[tuple[str, ...], str]:
    """Return what the council wrote into `we_did` of an earlier count, by `KEY`.

    The workbook counts before the CSV file. A file that cannot be read is a fault: its words would
    be lost.
    """
    found: dict[tuple[str, ...], str] = {}
    for name in NAMES[:2]:
        if not (folder / name).exists():
            continue
        sheet = read_sheet(folder / name, ("wedid",), remedy="Wanted is the column we_did.")
        sheet = sheet.reindex(columns=[*KEY, "we_did"], fill_value="")
        sheet = sheet.map(lambda text: text[1:] if text[:2] in ("'=", "'+", "'-", "'@") else text)
        for *key, words in sheet.itertuples(index=False, name=None):
            if words:
                found.setdefault(tuple(key), words)
    return found


def write_you_said(
    folder: Path, answers: Answers, inputs: Inputs, options: Sequence[Option]
) -> pd.DataFrame:
    """Write the three files beside whatever else is in a folder; return the exact table."""
    table = you_said(answers, options, inputs, words_so_far(folder))
    notes = pd.DataFrame({"note": ["Exact numbers: for the council, not for publication."]})
    _, html = public_page(table, inputs, options)
    with all_or_nothing(folder, beside=True) as new:
        (new / NAMES[0]).write_bytes(csv_bytes(table))
        (new / NAMES[1]).write_bytes(workbook_bytes({"you said": table, "notes": notes}))
        (new / NAMES[2]).write_text(html, encoding="utf-8", newline="\n")
    return table


def public_page(table: pd.DataFrame, inputs: Inputs, options: Sequence[Option]) -> tuple[str, str]:
    """Return `you_said.html` and its text."""
    own = inputs.study.config.publish
    known = [*questions_of(own), NO_QUESTION, NO_OPTION]
    for option in options:
        known += [option.name, *option.plan.labels]
    parts = []
    for by, heading in BY.items():
        rows, left = public_rows(table, by, own.threshold, () if by == "school" else known)
        if rows or left:
            parts.append((by, heading, _columns(by), rows, left))
    # No number of this page is of pupils, so its consultation has none.
    said = Consultation(inputs, own, tuple(options), Release(own.threshold).protect())
    return page(
        said,
        NAMES[2],
        "You said, we did",
        "page_you_said.html",
        pack=pack_of(said, nav=False),
        parts=parts,
        few=few_words(own.threshold),
        step=STEP,
    )


def _columns(by: str) -> list[str]:
    second = {"option": ["Question"], "question": [], "respondent": []}.get(by, ["Option"])
    first = {"respondent": "Who"}.get(by, by.capitalize())
    return [first, *second, "Answers", "You said", "We did"]


def notes_on(table: pd.DataFrame, answers: Answers) -> Iterator[str]:
    """Yield sentences on what was counted, for whoever counts it."""
    yield f"{counted(len(answers.table), 'answer')} counted."
    named = answers.table["urn"] != ""
    yield f"{counted(int(named.sum()), 'answer')} name a school of the study."
    yield from answers.notes
    kept = table[(table["answers"] == 0) & (table["we_did"] != "")]
    if len(kept):
        yield f"{counted(len(kept), 'row')} of an earlier count kept: words, but no answers now."
