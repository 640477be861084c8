"""Published symbols: what a cell that is not a number means, so that missing never becomes 0."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

# Keys are compared in lower case with spaces removed. The meanings of c, z, x, low, u, k and : are
# those of the DfE statistics and GSS symbol lists; SUPP, NE, NP, NEW, SP and LOWCOV those of the
# school performance tables.
SYMBOLS: dict[str, str] = {
    "": "blank in the file",
    "-": "a dash in the file",
    "–": "a dash in the file",
    "—": "a dash in the file",
    ".": "not applicable (.)",
    "..": "not available (..)",
    ":": "not available (:)",
    "*": "suppressed to protect pupils (*)",
    "~": "suppressed to protect pupils (~)",
    "#": "suppressed to protect pupils (#)",
    "<5": "suppressed to protect pupils (<5)",
    "c": "suppressed to protect pupils (c)",
    "x": "not available (x)",
    "z": "not applicable (z)",
    "low": "rounds to zero, number not published (low)",
    "k": "rounds to zero, number not published (k)",
    "u": "too unreliable to publish (u)",
    "supp": "suppressed to protect pupils (SUPP)",
    "ne": "no entries or not eligible (NE)",
    "na": "not available (NA)",
    "n/a": "not available (n/a)",
    "#n/a": "not available (#N/A)",
    "np": "not published (NP)",
    "new": "new school, nothing published yet (NEW)",
    "sp": "special school, not published (SP)",
    "lowcov": "too few pupils covered (LOWCOV)",
    "nan": "blank in the file (nan)",
    "none": "blank in the file (none)",
    "null": "blank in the file (null)",
    "notrecorded": "not recorded",
    "notapplicable": "not applicable",
    "notavailable": "not available",
    "suppressed": "suppressed to protect pupils",
}


def per_word(cells: pd.Series, read: Callable[[str], str]) -> pd.Series:
    """Apply a function of one text to a column of str, once per distinct text; index kept."""
    codes, words = pd.factorize(cells.to_numpy(dtype=object))
    read_words = np.array([read(word) for word in words], dtype=object)
    return pd.Series(read_words[codes] if len(words) else [], index=cells.index, dtype=str)


_NUMBER = (
    r"[+-]?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]*)?(?:[eE][+-]?[0-9]{1,2})?"
    r"|[+-]?\.[0-9]+"
)


@dataclass(frozen=True)
class Parsed:
    """One column read as numbers; all three are aligned with the column they came from.

    `values` float, NaN where missing; `reason` str, why a cell is missing and "" for a number;
    `unreadable` bool, True where the cell is neither a number nor a known symbol.
    """

    values: pd.Series
    reason: pd.Series
    unreadable: pd.Series


def parse_numbers(cells: pd.Series) -> Parsed:
    """Read a column of text as numbers: "1,204" is 1204, "24.88%" is 24.88, "c" is missing.

    `cells` str, any index. Percentages stay on their 0-100 scale. A symbol is never a number.
    """
    codes, words = pd.factorize(cells.to_numpy(dtype=object))
    once = _parse_words(pd.Series(words, dtype=str))
    index = cells.index
    return Parsed(
        pd.Series(once.values.to_numpy()[codes], index=index),
        pd.Series(once.reason.to_numpy(dtype=object)[codes], index=index, dtype=str),
        pd.Series(once.unreadable.to_numpy(dtype=bool)[codes], index=index),
    )


def _parse_words(cells: pd.Series) -> Parsed:
    text = cells.str.strip()
    bare = text.str.removesuffix("%").str.rstrip()
    number = bare.str.fullmatch(_NUMBER).astype(bool)
    values = pd.Series(np.nan, index=cells.index, dtype=float)
    values[number] = bare[number].str.replace(",", "", regex=False).astype(float)
    finite = pd.Series(np.isfinite(values.to_numpy()), index=cells.index)
    values = values.where(finite)
    meaning = per_word(text, lambda word: SYMBOLS.get("".join(word.lower().split()), ""))
    reason = meaning.where(~number, "")
    return Parsed(values, reason, ~finite & (reason == ""))
