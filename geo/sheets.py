"""One file of text cells, whatever its spelling: CSV in any common encoding, gzip or Excel."""

from __future__ import annotations

import csv
import gzip
import io
import re
import warnings
import zlib
from collections.abc import Callable, Collection
from pathlib import Path

import pandas as pd

from geo.errors import Faults, PersonalDataError, SchoolsError, short_path

DELIMITERS = ",;\t|"
_SEARCH_ROWS = 40  # a heading may stand below a few lines of title, not further down

# A unique pupil number: a letter, eleven digits, a digit or letter. The digits stand first in the
# pattern, because searching for them is several times faster than for any letter.
_UPN = re.compile(
    r"[0-9]{11}(?<=[A-Za-z][0-9]{11})(?<![A-Za-z0-9][A-Za-z][0-9]{11})[A-Za-z0-9](?![A-Za-z0-9])"
)
_PERSONAL_WORDS = """
    upn uniquepupilnumber formerupn dob dateofbirth birthdate birthday forename forenames surname
    firstname lastname middlename familyname givenname pupilname pupilsname childname childsname
    studentname homeaddress homepostcode pupilpostcode pupiladdress childpostcode
    pupilid pupilnumber pupilreference pupilref pupilkey studentid studentnumber childid
    candidatenumber admissionnumber nhsnumber anonpupilid anonymisedpupilid
    pupilmatchingreference pupilforename pupilsurname legalsurname legalforename
"""
REMEDY = (
    "Wanted are a URN column and the columns name, phase, easting, northing (or a GIAS extract as "
    "downloaded)."
)
"""What a file of schools holds, for somebody whose file has none of its headings."""
_PERSONAL = frozenset(_PERSONAL_WORDS.split())


def plain(heading: str) -> str:
    """Return a heading without case, spaces and punctuation, so that spellings can be compared."""
    return re.sub(r"[^a-z0-9%+]", "", heading.lower())


def read_sheet(
    path: Path | str,
    key: Collection[str] = ("urn",),
    wanted: Callable[[str], bool] = lambda _: True,
    *,
    remedy: str = REMEDY,
) -> pd.DataFrame:
    """Read one file into text cells: index `row` (as a spreadsheet numbers it), headings as given.

    `key` names (in `plain` spelling) of which one must stand in the heading; `wanted` says of a
    heading in that spelling whether its column is kept. Blank rows are left out; headings are
    made unique by a suffix; every cell is a trimmed str, "" where empty. Where no heading fits,
    `remedy` says what the file should hold.
    Raises SchoolsError when the file cannot be read and PersonalDataError when it is about pupils.
    """
    path = Path(path)
    tray = Faults(SchoolsError, short_path(path))
    raw = _bytes(path, tray)
    if raw.startswith(b"PK"):
        records = _excel(raw, tray)
        heading, cells = _split(records, key, remedy, tray)
        _refuse_pupils(heading, records.to_csv(index=False, header=False), path)
    else:
        text = _text(raw, tray)
        heading, start, delimiter, first_row = _heading(text, key, remedy, tray)
        _refuse_pupils(heading, text, path)
        cells = _body(text[start:], heading, delimiter, first_row, wanted, tray)
    tray.raise_if_any()
    names = _unique(heading)
    cells = cells[[at for at, name in enumerate(heading) if wanted(plain(name))]]
    cells = cells.rename(columns=dict(enumerate(names)))
    cells = cells.apply(lambda column: column.str.strip())
    full = pd.Series(False, index=cells.index)
    for name in cells.columns:
        full |= cells[name] != ""
    return cells[full]


def _bytes(path: Path, tray: Faults) -> bytes:
    try:
        raw = path.read_bytes()
        if raw.startswith(b"\x1f\x8b"):
            raw = gzip.decompress(raw)
    except FileNotFoundError:
        tray.add("There is no such file.", "Check the folder and the spelling of its name.")
    except (OSError, EOFError, zlib.error) as problem:
        tray.add(f"The file cannot be opened ({type(problem).__name__}).", "Download it again.")
    else:
        if not raw.strip():
            tray.add("The file is empty.", "Download it again.")
        elif raw.startswith(b"\xd0\xcf\x11\xe0"):
            tray.add("This is an old Excel file (.xls).", "Save it as .xlsx or CSV.")
    tray.raise_if_any()
    return raw


def _text(raw: bytes, tray: Faults) -> str:
    """Decode strictly as utf-8 first, so that cp1252 never garbles an apostrophe."""
    codings = ["utf-16"] if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else ["utf-8-sig", "cp1252"]
    for coding in codings:
        try:
            text = raw.decode(coding)
        except UnicodeError:
            continue
        if "\0" not in text:
            return text.replace("\r\n", "\n").replace("\r", "\n")
    tray.add("This is not a text file.", "Save the sheet as CSV (UTF-8) or .xlsx and try again.")
    tray.raise_if_any()
    raise AssertionError  # the tray has raised


def _excel(raw: bytes, tray: Faults) -> pd.DataFrame:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl remarks on styles we do not read
            sheet = pd.read_excel(
                io.BytesIO(raw), header=None, dtype=str, keep_default_na=False, engine="openpyxl"
            )
    except Exception as problem:  # openpyxl raises whatever the broken archive provokes
        tray.add(
            f"The Excel file cannot be read ({type(problem).__name__}).",
            "Open it in Excel and save it again as .xlsx or CSV.",
        )
        tray.raise_if_any()
    return sheet.fillna("").astype(str)


def _split(
    records: pd.DataFrame, key: Collection[str], remedy: str, tray: Faults
) -> tuple[list[str], pd.DataFrame]:
    first = [[str(cell) for cell in line] for line in records.head(_SEARCH_ROWS).to_numpy()]
    at = _heading_at(first, key)
    if at is None:
        _no_heading(first, key, remedy, tray)
        tray.raise_if_any()
        raise AssertionError
    cells = records.iloc[at + 1 :].astype(str)
    cells.index = pd.RangeIndex(at + 2, at + 2 + len(cells), name="row")
    return first[at], cells


def _heading(
    text: str, key: Collection[str], remedy: str, tray: Faults
) -> tuple[list[str], int, str, int]:
    """Return the heading, where the rows below it begin, the delimiter, the first row's number."""
    seen: list[list[str]] = []
    for delimiter in DELIMITERS:
        reader = csv.reader(io.StringIO(text), delimiter=delimiter)
        records, lines = _first_records(reader)
        at = _heading_at(records, key)
        if at is not None:
            start = 0
            for _ in range(lines[at]):
                start = text.find("\n", start) + 1 or len(text)
            return records[at], start, delimiter, at + 2
        if not seen or max(map(len, records), default=0) > max(map(len, seen)):
            seen = records
    _no_heading(seen, key, remedy, tray)
    tray.raise_if_any()
    raise AssertionError


def _first_records(reader: object) -> tuple[list[list[str]], list[int]]:
    records: list[list[str]] = []
    lines: list[int] = []
    try:
        for record in reader:  # type: ignore[attr-defined]
            records.append(record)
            lines.append(reader.line_num)  # type: ignore[attr-defined]
            if len(records) == _SEARCH_ROWS:
                break
    except csv.Error:
        pass  # what was read so far decides; a table would have shown its heading by now
    return records, lines


def _heading_at(records: list[list[str]], key: Collection[str]) -> int | None:
    for at, record in enumerate(records):
        names = {plain(cell) for cell in record}
        if names & _PERSONAL or (names & set(key) and len(record) > 1):
            return at
    return None


def _no_heading(records: list[list[str]], key: Collection[str], remedy: str, tray: Faults) -> None:
    first = next((record for record in records if any(cell.strip() for cell in record)), [])
    found = ", ".join(f'"{cell.strip()[:40]}"' for cell in first[:12] if cell.strip()) or "nothing"
    tray.add(
        f"No heading with a column of {' or '.join(sorted(key)).upper()} was found. "
        f"The first row holds: {found}.",
        remedy,
    )


def _body(
    body: str,
    heading: list[str],
    delimiter: str,
    first_row: int,
    wanted: Callable[[str], bool],
    tray: Faults,
) -> pd.DataFrame:
    # One column more than the heading has, so that a row with too many cells shows itself.
    names = list(range(len(heading) + 1))
    if not body.strip():
        return pd.DataFrame("", index=pd.RangeIndex(0, name="row"), columns=names, dtype=str)
    used = [at for at in names if at == len(heading) or wanted(plain(heading[at]))]
    try:
        cells = pd.read_csv(
            io.StringIO(delimiter * len(heading) + "\n" + body),  # the first line sets the width
            sep=delimiter,
            header=None,
            usecols=used,
            index_col=False,
            dtype=str,
            keep_default_na=False,
            na_filter=False,
            skip_blank_lines=False,
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError, csv.Error, ValueError):
        _name_crooked_rows(body, heading, delimiter, first_row, tray)
        tray.raise_if_any()
    cells = cells.iloc[1:].fillna("").astype(str)
    cells.index = pd.RangeIndex(first_row, first_row + len(cells), name="row")
    crooked = set(cells.index[cells[names[-1]].str.strip() != ""])
    for row in sorted(crooked | _wide_rows(body, heading, delimiter, first_row))[:20]:
        _crooked(int(row), len(heading), tray)
    return cells


def _wide_rows(body: str, heading: list[str], delimiter: str, first_row: int) -> set[int]:
    """Rows with a cell too many at an empty end; if all rows have one, it is only their style."""
    lines = body.rstrip("\n").split("\n")
    wide = {
        first_row + at
        for at, text in enumerate(lines)
        if text.count(delimiter) >= len(heading)
        and ('"' not in text or _cells_in(text, delimiter) > len(heading))
    }
    return wide if len(wide) < sum(1 for text in lines if text.strip(delimiter + " ")) else set()


def _cells_in(text: str, delimiter: str) -> int:
    try:
        return len(next(csv.reader([text], delimiter=delimiter)))
    except csv.Error:  # a cell beyond the module's limit; pandas has read the row all the same
        return 0


def _crooked(row: int, wide: int, tray: Faults) -> None:
    tray.add(
        f"This row has more cells than the heading, which has {wide}.",
        "A comma inside a name must stand within quotation marks.",
        row=row,
    )


def _name_crooked_rows(
    body: str, heading: list[str], delimiter: str, first_row: int, tray: Faults
) -> None:
    try:
        for at, record in enumerate(csv.reader(io.StringIO(body), delimiter=delimiter)):
            if len(record) > len(heading) and len(tray.found) < 20:
                _crooked(first_row + at, len(heading), tray)
    except csv.Error:
        pass  # falls through to the general sentence below
    if not tray:
        tray.add("The rows cannot be told apart.", "A quotation mark is probably left open.")


def _unique(heading: list[str]) -> list[str]:
    seen: dict[str, int] = {}
    names = []
    for cell in heading:
        name = cell.strip()
        seen[name] = seen.get(name, 0) + 1
        names.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return names


def _refuse_pupils(heading: list[str], text: str, path: Path) -> None:
    """Refuse a file about children without repeating any of its values."""
    tray = Faults(PersonalDataError, short_path(path))
    remedy = "Delete the file from this folder and use figures per school instead."
    for name in heading:
        if plain(name) in _PERSONAL:
            tray.add(
                f'The column "{name.strip()}" identifies pupils; the file was not read.', remedy
            )
    hit = _UPN.search(text)
    if hit:
        row = text.count("\n", 0, hit.start()) + 1
        tray.add(
            "The file holds what look like unique pupil numbers; it was not read.", remedy, row=row
        )
    tray.raise_if_any()
