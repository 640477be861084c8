"""Small helps for workbooks with live formulas: columns by name, plain text, styles."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from openpyxl.cell import Cell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

POUNDS, PENCE, PART, COUNT = "#,##0", "#,##0.00", "0.000000", "#,##0.##"
INPUT = PatternFill("solid", fgColor="FFF4D6")
"""Fill of cells that a finance officer may change."""
HEAD = Font(bold=True)


def put(cell: Cell, value: object, style: str = "", *, given: bool = False) -> Cell:
    """Write a value or a formula that this program made; NaN and None leave the cell empty."""
    if value is None or value != value:
        return cell
    cell.value = value
    if style == COUNT and isinstance(value, int | float) and float(value).is_integer():
        style = POUNDS  # a spreadsheet would show the point of "#,##0.##" with nothing behind it
    if style:
        cell.number_format = style
    if given:
        cell.fill = INPUT
    return cell


def text(cell: Cell, value: object) -> Cell:
    """Write text that comes from outside; a name that begins with "=" stays a name."""
    cell.value = str(value)
    cell.data_type = "s"
    if str(value)[:1] in "=+-@":
        cell.quotePrefix = True
    return cell


def without_clock(path: Path) -> None:
    """Take the time of writing out of a workbook, so that the same contents are the same bytes."""
    path.write_bytes(clockless(path.read_bytes()))


def clockless(workbook: bytes) -> bytes:
    """Return a workbook without the time of writing."""
    with zipfile.ZipFile(io.BytesIO(workbook)) as book:
        parts = [(info.filename, book.read(info)) for info in book.infolist()]
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w", zipfile.ZIP_DEFLATED) as book:
        for name, contents in parts:
            if name == "docProps/core.xml":
                contents = re.sub(rb">[0-9-]{10}T[0-9:.]+Z<", b">2000-01-01T00:00:00Z<", contents)
            whole = zipfile.ZipInfo(name)  # dated 1980, the first year a zip file knows
            whole.compress_type = zipfile.ZIP_DEFLATED
            book.writestr(whole, contents)
    return found.getvalue()


class Columns:
    """The columns of a sheet by name: where each stands, and its range over the sheet's rows."""

    def __init__(self, sheet: Worksheet, names: Sequence[str], *, head: int, rows: int) -> None:
        self.sheet, self.names = sheet, list(names)
        self.first, self.last = head + 1, head + rows
        for number, name in enumerate(names, start=1):
            cell = sheet.cell(head, number, name)
            cell.font = HEAD
            cell.alignment = Alignment(wrap_text=True, vertical="top")
            sheet.column_dimensions[get_column_letter(number)].width = 13
        sheet.row_dimensions[head].height = 48  # three lines of a wrapped heading
        sheet.freeze_panes = sheet.cell(head + 1, 3)

    def letter(self, name: str) -> str:
        """Return the letter of a column."""
        return get_column_letter(self.names.index(name) + 1)

    def at(self, name: str, row: int) -> str:
        """Return the address of a cell within the sheet."""
        return f"{self.letter(name)}{row}"

    def cell(self, name: str, row: int) -> Any:
        """Return a cell."""
        return self.sheet.cell(row, self.names.index(name) + 1)

    def all(self, name: str) -> str:
        """Return the range of a column over all rows, for a formula of any sheet."""
        letter = self.letter(name)
        return f"{self.sheet.title}!${letter}${self.first}:${letter}${self.last}"

    def widen(self, names: Iterable[str], width: int) -> None:
        """Make columns wide enough for names."""
        for name in names:
            self.sheet.column_dimensions[self.letter(name)].width = width


class Labelled:
    """A sheet of one labelled cell below another, which formulas of all sheets refer to."""

    def __init__(self, sheet: Worksheet) -> None:
        self.sheet, self.row, self.place = sheet, 0, dict[str, str]()
        sheet.column_dimensions["A"].width = 44
        sheet.column_dimensions["B"].width = 20
        sheet.column_dimensions["C"].width = 70

    def head(self, words: str) -> None:
        """Write a heading above the next cells."""
        self.row += 2 if self.row else 1
        self.sheet.cell(self.row, 1, words).font = HEAD

    def add(
        self, name: str, value: object, style: str = "", *, given: bool = False, why: str = ""
    ) -> str:
        """Write a labelled cell and return its address for formulas of any sheet."""
        self.row += 1
        self.sheet.cell(self.row, 1, name)
        put(self.sheet.cell(self.row, 2), value, style, given=given)
        self.sheet.cell(self.row, 3, why).alignment = Alignment(indent=1)
        self.place[name] = f"{self.sheet.title}!$B${self.row}"
        return self.place[name]

    def __getitem__(self, name: str) -> str:
        return self.place[name]
