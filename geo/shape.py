"""From text cells, one row per establishment, to the columns of the schools table."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from geo.columns import NUMBERS, TABLE, laestabs, tidy
from geo.mainstream import Sorted, sort_out
from geo.places import Places, locate
from geo.symbols import parse_numbers, per_word

_SEX = {"mixed": "mixed", "coeducational": "mixed", "both": "mixed", "boys": "boys"}
_SEX |= {"girls": "girls", "": "", "notapplicable": "", "notrecorded": "", "boy": "boys"}
_SEX |= {"girl": "girls", "male": "boys", "female": "girls"}
_NO_FAITH = frozenset(("none", "does not apply", "unknown", "no religious character", ""))
_YES = ("yes", "true", "1", "y", "hasasixthform", "hasnurseryclasses", "selective", "grammar")
_NO = (
    *("no", "false", "0", "n", "doesnothaveasixthform", "nonurseryclasses", "nonselective"),
    *("comprehensive", "modern", "secondarymodern"),
)
_UNTOLD = ("", "notrecorded", "notapplicable", "unknown", "notknown", "nan", "none", "z", "x")
_SRP = {"resourced provision": "resourced provision", "sen unit": "sen unit", "both": "both"}
_SRP["resourced provision and sen unit"] = "both"


@dataclass(frozen=True)
class Shaped:
    """Every row of the file in the columns of the schools table, index urn (str, sorted).

    `table` the columns of TABLE; `why` str, the reason of every missing number; `raw` str, the
    cell as published; `unreadable` bool, cells that are neither; `words` list of (column, index)
    of words that could not be read; `sorted` and `places` say what became of type and place;
    `doubled` urns whose resourced provision and SEN unit give the same figures.
    """

    table: pd.DataFrame
    why: pd.DataFrame
    raw: pd.DataFrame
    unreadable: pd.DataFrame
    words: list[tuple[str, pd.Index]]
    sorted: Sorted
    places: Places
    doubled: pd.Index


def shape(frame: pd.DataFrame) -> Shaped:
    """Read every cell; judge nothing. `frame` str cells in our columns plus int `row`."""
    empty = pd.Series("", index=frame.index, dtype=str)
    values, why, unreadable, raw = {}, {}, {}, {}
    for column in NUMBERS:
        raw[column] = frame.get(column, empty)
        parsed = parse_numbers(raw[column])
        values[column], why[column] = parsed.values, parsed.reason
        unreadable[column] = parsed.unreadable
    number = pd.DataFrame(values)
    words: list[tuple[str, pd.Index]] = []
    aged = frame.drop(columns=["low_age", "high_age"], errors="ignore")
    sorted_ = sort_out(aged.join(number[["low_age", "high_age"]]))
    places = locate(number["easting"], number["northing"], number["latitude"], number["longitude"])
    table = number.drop(columns=[column for column in NUMBERS if column not in TABLE])
    table["easting"], table["northing"] = places.easting, places.northing
    for column in ("name", "la_code", "la", "district", "district_code", "ward", "lsoa"):
        table[column] = tidy(frame.get(column, empty))
    table["trust"], table["federation"] = (
        tidy(frame.get(column, empty)) for column in ("trust", "federation")
    )
    table["laestab"] = laestabs(frame)
    from_laestab = table["laestab"].str[:3]
    table["la_code"] = table["la_code"].where(table["la_code"] != "", from_laestab)
    table["postcode"] = tidy(frame.get("postcode", empty)).str.upper()
    table["phase"], table["type"], table["status"] = sorted_.phase, sorted_.type, sorted_.status
    table["sex"] = _words(frame.get("sex", empty), _SEX, "sex", words)
    faith = tidy(frame.get("faith", empty))
    table["faith"] = faith.where(~faith.str.lower().isin(_NO_FAITH), "")
    for column in ("selective", "nursery", "sixth_form"):
        table[column] = _yes_or_no(frame.get(column, empty), column, words)
    kind = tidy(frame.get("srp_kind", empty)).str.lower()
    table["srp_kind"] = _words(kind, {"": "", **_SRP}, "srp_kind", words)
    doubled = _srp_figures(table, number)
    table["need_types"] = _needs(frame)
    table["predecessors"] = _predecessors(frame)
    table["row"] = frame["row"].astype(int)
    return Shaped(
        table[list(TABLE)],
        pd.DataFrame(why),
        pd.DataFrame(raw),
        pd.DataFrame(unreadable),
        words,
        sorted_,
        places,
        doubled,
    )


def _key(cells: pd.Series) -> pd.Series:
    return per_word(cells, lambda word: re.sub(r"[^a-z0-9]", "", word.lower()))


def _words(
    cells: pd.Series, meaning: dict[str, str], column: str, unread: list[tuple[str, pd.Index]]
) -> pd.Series:
    keys = {key.replace(" ", ""): value for key, value in meaning.items()}
    read = _key(cells).map(keys)
    if read.isna().any():
        unread.append((column, cells.index[read.isna()]))
    return read.fillna("").astype(str)


def _yes_or_no(cells: pd.Series, column: str, unread: list[tuple[str, pd.Index]]) -> pd.Series:
    key = _key(cells)
    told = key.isin((*_YES, *_NO, *_UNTOLD))
    if not told.all():
        unread.append((column, cells.index[~told]))
    answer = pd.Series(pd.NA, index=cells.index, dtype="boolean")
    answer[key.isin(_YES)] = True
    answer[key.isin(_NO)] = False
    return answer


def _srp_figures(table: pd.DataFrame, number: pd.DataFrame) -> pd.Index:
    """Add up the places of resourced provision and SEN unit, in place; return doubled entries.

    A school with both often has the same places and the same roll typed in twice; then they are
    counted once and reported.
    """
    base = number[["rp_places", "rp_on_roll"]].to_numpy()
    unit = number[["unit_places", "unit_on_roll"]].to_numpy()
    doubled = ((base == unit) & (base > 0)).all(axis=1)
    for at, column in enumerate(("srp_places", "srp_on_roll")):
        both = np.stack([base[:, at], unit[:, at]])
        total = np.where(np.isnan(both).all(axis=0), np.nan, np.nansum(both, axis=0))
        total = np.where(doubled, base[:, at], total)
        table[column] = number[column].where(number[column].notna(), pd.Series(total, table.index))
    kind = table["srp_kind"]
    has_base, has_unit = (~np.isnan(part).all(axis=1) for part in (base, unit))
    inferred = np.select(
        [has_base & has_unit, has_base, has_unit], ["both", "resourced provision", "sen unit"], ""
    )
    table["srp_kind"] = kind.where(kind != "", pd.Series(inferred, table.index, dtype=str))
    return table.index[doubled]


def _needs(frame: pd.DataFrame) -> pd.Series:
    """Need types as "ASD;SLCN", from SEN1..SEN13 or a column of its own."""
    given = frame.get("need_types", pd.Series("", index=frame.index, dtype=str))
    given = given.str.upper().str.replace(r"[,;/ ]+", ";", regex=True).str.strip(";")
    columns = [f"sen{n}" for n in range(1, 14) if f"sen{n}" in frame]
    if not columns:
        return given
    told = pd.Series(False, index=frame.index)
    for column in columns:
        told |= frame[column] != ""
    some = frame.loc[told, columns].apply(tidy)
    found = {}
    for urn, row in zip(some.index, some.to_numpy(dtype=object), strict=True):
        codes = [cell.split(" - ")[0].strip().upper() for cell in row if cell]
        if codes:
            found[urn] = ";".join(dict.fromkeys(codes))
    return given.where(given != "", pd.Series(found, dtype=str).reindex(frame.index).fillna(""))


def _predecessors(frame: pd.DataFrame) -> pd.Series:
    given = frame.get("predecessors", pd.Series("", index=frame.index, dtype=str))
    found = given.str.findall(r"(?<!\d)\d{5,7}(?!\d)")
    return pd.Series(
        [";".join(sorted(set(olds) - {urn})) for urn, olds in found.items()],
        index=frame.index,
        dtype=str,
    )
