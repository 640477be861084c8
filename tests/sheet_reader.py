"""A little spreadsheet: works out the formulas of a workbook, so that tests need no office suite.

It knows the functions and operators that the budget workbook uses and nothing else; every formula
is read anew from the file.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
from openpyxl.formula import Tokenizer
from openpyxl.worksheet.formula import ArrayFormula


class Blank(float):
    """An empty cell: 0 in a sum, "" in a comparison, no number."""

    def __eq__(self, other: object) -> bool:
        return other == "" or float(self) == other

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = float.__hash__


def numbers(values: tuple[Any, ...]) -> np.ndarray:
    """Return the numbers among cells and ranges; text and blanks are left out."""
    flat = [x for v in values for x in (v.ravel() if isinstance(v, np.ndarray) else [v])]
    return np.array([float(x) for x in flat if is_number(x)])


def is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, Blank | bool)


def choose(test: Any, yes: Callable[[], Any], no: Callable[[], Any] = lambda: "") -> Any:
    if isinstance(test, np.ndarray):
        return np.where(test.astype(bool), yes(), no())
    return yes() if test else no()


def product_sum(*columns: Any) -> float:
    def clean(column: np.ndarray) -> np.ndarray:
        return np.array([float(x) if isinstance(x, bool | np.bool_) or is_number(x) else 0.0
                         for x in np.asarray(column, dtype=object).ravel()])  # fmt: skip

    return float(reduce(operator.mul, [clean(c) for c in columns]).sum())


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "IF": lambda test, *branches: choose(test(), *branches),
    "AND": lambda *t: all(bool(x()) for x in t),
    "OR": lambda *t: any(bool(x()) for x in t),
    "SUM": lambda *v: float(numbers(tuple(x() for x in v)).sum()),
    "MAX": lambda *v: float(numbers(tuple(x() for x in v)).max()),
    "MIN": lambda *v: float(numbers(tuple(x() for x in v)).min()),
    "AVERAGE": lambda *v: float(numbers(tuple(x() for x in v)).mean()),
    "PERCENTILE": lambda v, k: float(np.quantile(numbers((v(),)), k())),
    "SUMPRODUCT": lambda *v: product_sum(*(x() for x in v)),
    "COUNTA": lambda v: sum(not isinstance(x, Blank) for x in v().ravel()),
    "ISNUMBER": lambda v: is_number(v()),
    "INT": lambda v: math.floor(v()),
    "MOD": lambda a, b: a() - b() * math.floor(a() / b()),
    "INDEX": lambda v, k: v()[int(k()) - 1][0] if isinstance(v(), np.ndarray) else v(),
    "ROUND": lambda v, n: round(float(v()), int(n())),
}
OPERATORS = {"=": "==", "<>": "!=", "^": "**"}


class Book:
    """A workbook whose formulas are worked out when a cell is asked for."""

    def __init__(self, path: Path) -> None:
        self.book = openpyxl.load_workbook(path)
        self.known: dict[tuple[str, str], Any] = {}

    def value(self, sheet: str, at: str) -> Any:
        """Return the value of a cell."""
        at = at.replace("$", "")
        key = (sheet, at)
        if key not in self.known:
            raw = self.book[sheet][at].value
            raw = raw.text if isinstance(raw, ArrayFormula) else raw
            formula = isinstance(raw, str) and self.book[sheet][at].data_type == "f"
            self.known[key] = self._run(raw, sheet) if formula else Blank() if raw is None else raw
        return self.known[key]

    def column(self, sheet: str, heading: str, head: int = 1) -> dict[str, Any]:
        """Return a column by the first cell of its rows."""
        heads = {c.value: c.column_letter for c in self.book[sheet][head]}
        rows = range(head + 1, self.book[sheet].max_row + 1)
        return {self.value(sheet, f"A{r}"): self.value(sheet, f"{heads[heading]}{r}") for r in rows}

    def _range(self, words: str, here: str) -> Any:
        sheet, _, at = words.rpartition("!")
        sheet = sheet or here
        if ":" not in at:
            return self.value(sheet, at)
        cells = self.book[sheet][at.replace("$", "")]
        return np.array(
            [[self.value(sheet, c.coordinate) for c in row] for row in cells], dtype=object
        )

    def _run(self, formula: str, here: str) -> Any:
        words: list[str] = []
        for token in Tokenizer(formula).items:
            if token.type == "FUNC":
                name = token.value.rstrip("(")
                words.append(f'F["{name}"](lambda: (' if token.subtype == "OPEN" else "))")
            elif token.type == "SEP":
                words.append("), lambda: (")
            elif token.type == "OPERAND" and token.subtype == "RANGE":
                words.append(f"R({token.value!r})")
            elif token.type == "OPERAND" and token.subtype == "TEXT":
                words.append(repr(token.value[1:-1]))
            elif token.type == "OPERATOR-INFIX":
                words.append(OPERATORS.get(token.value, token.value))
            elif token.type != "WHITE-SPACE":
                words.append(token.value)
        code = "".join(words).replace("--(", "1*(")
        return eval(code, {"F": FUNCTIONS, "R": lambda w: self._range(w, here)})
