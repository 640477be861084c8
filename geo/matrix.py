"""Reads a supplied table of minutes: wide or long, CSV, Excel or Parquet, labelled by URN.

Wide: the first column holds the URN a journey starts from, the heading of each other column the
URN it ends at. Long: one row per journey with columns such as from_urn, to_urn, minutes.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import pandas as pd

from geo.errors import Faults, TravelError, short_path
from geo.travel import DECIMALS, FLOOR_MINUTES, Minutes, as_table, counted

FROM_NAMES = ("from_urn", "from", "origin", "origin_urn", "start", "urn_from")
TO_NAMES = ("to_urn", "to", "destination", "destination_urn", "end", "urn_to")
MINUTES_NAMES = ("minutes", "mins", "min", "travel_minutes", "time_minutes", "duration_minutes")
SECONDS_MEDIAN = 300.0
"""A median above this many "minutes" is taken for seconds, and asked about."""
LISTED = 10


def read_matrix(
    path: Path | str, urns: Iterable[str], *, floor_minutes: float = FLOOR_MINUTES
) -> Minutes:
    """Read minutes from a file for exactly the schools `urns` (text), in sorted order.

    Both directions are kept as given. Zero minutes between two schools (a shared site) become
    `floor_minutes`, schools of the file that are not asked for are left out; both are noted.
    Raises TravelError with every fault: pairs or schools missing, text or negative numbers, a pair
    given twice differently, seconds where minutes should be.
    """
    path = Path(path)
    wanted = pd.Index(sorted({str(urn) for urn in urns}))
    tray = Faults(TravelError, short_path(path))
    notes: list[str] = []
    frame = _open(path, tray, notes)
    tray.raise_if_any()
    pairs = _pairs(frame, tray)
    tray.raise_if_any()
    pairs = _only_wanted(pairs, wanted, tray, notes)
    pairs["number"] = _numbers(pairs, tray)
    values = _square(_once_each(pairs.dropna(subset=["number"]), tray, notes), wanted)
    _check_complete(values, wanted, pairs, tray)
    given = values[np.isfinite(values) & ~np.eye(len(wanted), dtype=bool)]
    if len(given) and np.median(given) > SECONDS_MEDIAN:
        tray.add(
            f"Half of the journeys take more than {np.median(given):.0f} minutes; "
            "these look like seconds.",
            "Divide them by 60 and read the file again.",
        )
    tray.raise_if_any()
    zero = (values == 0) & ~np.eye(len(wanted), dtype=bool)
    if zero.any():
        values[zero] = floor_minutes
        notes.append(
            f"{counted(int(zero.sum()), 'journey')} of zero minutes between two schools set to "
            f"{floor_minutes:g} minutes."
        )
    table = as_table(values.round(DECIMALS), wanted)
    return Minutes(table, f"minutes supplied in {path.name}", "matrix", tuple(notes))


def read_rectangle(path: Path | str, starts: Iterable[str], ends: Iterable[str]) -> pd.DataFrame:
    """Read minutes from some places to others, such as neighbourhoods to provisions.

    Rows `starts`, columns `ends`, as given in the file (nothing rounded up); a place that is both
    is 0 minutes from itself where the file does not say. Raises TravelError with every fault;
    journeys that are missing are named.
    """
    path = Path(path)
    rows, columns = pd.Index([*starts]), pd.Index([*ends])
    tray = Faults(TravelError, short_path(path))
    notes: list[str] = []
    frame = _open(path, tray, notes)
    tray.raise_if_any()
    pairs = _pairs(frame, tray)
    tray.raise_if_any()
    pairs = pairs[pairs["from"].isin(rows) & pairs["to"].isin(columns)].copy()
    pairs["number"] = _numbers(pairs, tray)
    pairs = _once_each(pairs.dropna(subset=["number"]), tray, notes)
    values = (rows.to_numpy()[:, None] == columns.to_numpy()[None, :]) * 1.0
    values = np.where(values > 0, 0.0, np.nan)
    values[rows.get_indexer(pairs["from"]), columns.get_indexer(pairs["to"])] = pairs["number"]
    missing = [f"{rows[i]} to {columns[j]}" for i, j in np.argwhere(np.isnan(values))]
    if missing:
        tray.add(
            f"{counted(len(missing), 'journey')} without minutes: {_listed(missing)}.",
            "Add them; each row of demand needs its minutes to each provision.",
        )
    tray.raise_if_any()
    return pd.DataFrame(values.round(DECIMALS), index=rows, columns=columns)


def _open(path: Path, tray: Faults, notes: list[str]) -> pd.DataFrame:
    """Read the file as text, or put on the tray why it cannot be read."""
    kind = path.suffix.lower()
    if not path.exists():
        tray.add("There is no such file.", "Check the path of the table of minutes.")
        return pd.DataFrame()
    if kind not in (".csv", ".txt", ".tsv", ".xlsx", ".parquet"):
        tray.add(f'Files ending in "{path.suffix}" cannot be read.', "Use CSV, Excel or Parquet.")
        return pd.DataFrame()
    try:
        if kind == ".parquet":
            return _with_index(pd.read_parquet(path))
        if kind == ".xlsx":
            return pd.read_excel(path, dtype=str, keep_default_na=False)
        return _csv(path, "\t" if kind == ".tsv" else ",", tray.file, notes)
    except (ValueError, OSError, BadZipFile, pd.errors.ParserWarning) as error:
        reason = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        tray.add(f"The table cannot be read ({reason}).", "Save it again as CSV with headings.")
        return pd.DataFrame()


def _csv(path: Path, separator: str, file: str, notes: list[str]) -> pd.DataFrame:
    """Read text as UTF-8, else as Windows text; a row longer than the heading is an error."""
    text = path.read_bytes()
    encoding = "utf-8-sig"
    try:
        text.decode(encoding)
    except UnicodeDecodeError:
        encoding = "cp1252"
        notes.append(f"{file} is not UTF-8; it was read as Windows text.")
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)
        return pd.read_csv(
            path,
            sep=separator,
            dtype=str,
            keep_default_na=False,
            encoding=encoding,
            index_col=False,
        )


def _with_index(frame: pd.DataFrame) -> pd.DataFrame:
    """Bring labels kept as an index back into the table, as the other formats have them."""
    return frame if isinstance(frame.index, pd.RangeIndex) else frame.reset_index()


def _urn(value: object) -> str:
    """Return a URN as text; a spreadsheet may have made 100001 into 100001.0."""
    return str(value).strip().removesuffix(".0")


def _pairs(frame: pd.DataFrame, tray: Faults) -> pd.DataFrame:
    """Return columns from, to, minutes (as found), row (line in the file), from either layout."""
    if frame.empty or len(frame.columns) < 2:
        tray.add("The table is empty.")
        return frame
    heads = {str(column).strip().lower(): column for column in frame.columns}
    chosen = [
        next((heads[n] for n in names if n in heads), None)
        for names in (FROM_NAMES, TO_NAMES, MINUTES_NAMES)
    ]
    rows = np.arange(len(frame)) + 2
    if None not in chosen:
        return pd.DataFrame(
            {
                "from": frame[chosen[0]].map(_urn).to_numpy(),
                "to": frame[chosen[1]].map(_urn).to_numpy(),
                "minutes": frame[chosen[2]].astype(object).to_numpy(),
                "row": rows,
            }
        )
    ends = [_urn(column) for column in frame.columns[1:]]
    if not any(end.isdigit() for end in ends):
        tray.add(
            f"This is neither a wide nor a long table of minutes. Columns: "
            f"{', '.join(map(str, frame.columns[:12]))}.",
            "Give columns from_urn, to_urn, minutes; or one row and one column per URN.",
        )
        return frame
    for end in ends:
        # The reader of tables writes a heading that stands twice as 100001 and 100001.1.
        if (twin := re.fullmatch(r"(\d+)\.\d+", end)) and twin[1] in ends:
            tray.add(f"The column {twin[1]} stands twice.", "Keep one.", urn=twin[1])
    body = frame.iloc[:, 1:].astype(object).to_numpy()
    return pd.DataFrame(
        {
            "from": np.repeat(frame.iloc[:, 0].map(_urn).to_numpy(), len(ends)),
            "to": np.tile(np.array(ends, dtype=object), len(frame)),
            "minutes": body.ravel(),
            "row": np.repeat(rows, len(ends)),
        }
    )


def _only_wanted(
    pairs: pd.DataFrame, wanted: pd.Index, tray: Faults, notes: list[str]
) -> pd.DataFrame:
    """Leave the pairs of two wanted schools; fault wanted schools the file does not know."""
    starts, ends = set(pairs["from"]), set(pairs["to"])
    for urn in wanted:
        if urn not in starts or urn not in ends:
            where = "in any row of" if urn in ends else "in any column of"
            where = where if urn in starts | ends else "in"
            tray.add(
                f"The school does not occur {where} the table of minutes.",
                "Add its journeys both ways, or leave the school out with exclude.",
                urn=urn,
            )
    unknown = sorted((starts | ends) - set(wanted) - {""})
    if unknown:
        notes.append(
            f"{counted(len(unknown), 'school')} of the table left out, not in the study: "
            f"{_listed(unknown)}."
        )
    own = pairs["from"] != pairs["to"]
    return pairs[own & pairs["from"].isin(wanted) & pairs["to"].isin(wanted)].copy()


def _numbers(pairs: pd.DataFrame, tray: Faults) -> pd.Series:
    """Return minutes as numbers (blank = NaN); fault text, endless and negative values."""
    text = pairs["minutes"].astype("string").str.strip()
    blank = text.isna() | (text == "")
    numbers = pd.to_numeric(text.where(~blank), errors="coerce").astype(float)
    bad = ~blank & (numbers.isna() | np.isinf(numbers.fillna(0.0)))
    negative = (numbers < 0).fillna(False)
    for wrong, what in ((bad, "is not a number of minutes"), (negative, "is negative")):
        found = pairs[wrong.to_numpy()]
        for place, pair in found.head(LISTED).iterrows():
            tray.add(
                f'"{text[place]}" from {pair["from"]} to {pair["to"]} {what}.',
                "Leave the cell blank only if the journey is unknown.",
                row=int(pair["row"]),
            )
        if len(found) > LISTED:
            tray.add(f"{counted(len(found) - LISTED, 'more cell')}: the value {what}.")
    return numbers


def _once_each(pairs: pd.DataFrame, tray: Faults, notes: list[str]) -> pd.DataFrame:
    """Fault a pair given twice with different minutes; note one given twice alike."""
    spread = pairs.groupby(["from", "to"])["number"].agg(["min", "max", "size"])
    differing = spread[spread["max"] > spread["min"]]
    for (start, end), pair in differing.head(LISTED).iterrows():
        tray.add(
            f"The journey from {start} to {end} is given {int(pair['size'])} times, from "
            f"{pair['min']:g} to {pair['max']:g} minutes.",
            "Keep one row.",
        )
    if len(differing) > LISTED:
        tray.add(f"{counted(len(differing) - LISTED, 'more journey')} given twice differently.")
    repeated = int((spread["size"] > 1).sum()) - len(differing)
    if repeated:
        notes.append(f"{counted(repeated, 'journey')} given twice with the same minutes.")
    return pairs.drop_duplicates(["from", "to"])


def _square(pairs: pd.DataFrame, wanted: pd.Index) -> np.ndarray:
    """Return minutes as (n, n) in the order of `wanted`; NaN where the file has none."""
    values = np.full((len(wanted), len(wanted)), np.nan)
    values[wanted.get_indexer(pairs["from"]), wanted.get_indexer(pairs["to"])] = pairs["number"]
    np.fill_diagonal(values, 0.0)
    return values


def _check_complete(
    values: np.ndarray, wanted: pd.Index, pairs: pd.DataFrame, tray: Faults
) -> None:
    """Fault the pairs without minutes, by count and the first few.

    Schools the file does not know and cells that are no number were faulted before.
    """
    known = ~np.isin(wanted, [fault.urn for fault in tray])
    empty = np.isnan(values) & known[:, None] & known[None, :]
    text = pairs["minutes"].astype("string").str.strip().fillna("")
    wrong = pairs[(text != "").to_numpy() & pairs["number"].isna().to_numpy()]
    empty[wanted.get_indexer(wrong["from"]), wanted.get_indexer(wrong["to"])] = False
    missing = [f"{wanted[i]} to {wanted[j]}" for i, j in np.argwhere(empty)]
    if missing:
        tray.add(
            f"{counted(len(missing), 'journey')} without minutes: {_listed(missing)}.",
            "Add them; a missing journey is not taken from the way back.",
        )


def _listed(words: list[str]) -> str:
    more = f" and {len(words) - LISTED} more" if len(words) > LISTED else ""
    return ", ".join(words[:LISTED]) + more
