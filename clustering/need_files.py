"""Reads what the need formula may use beyond the schools table: figures, earlier years, IDACI.

The sheets come in as text cells (index: line of the file) with a function that reads numbers, so
that nothing here knows of files or of the spellings of missing cells.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import pandas as pd

from geo.errors import Faults, InputError, did_you_mean


class FiguresError(InputError):
    """A file of figures for the need formula or the budget cannot be used as it stands."""


class Numbers(Protocol):
    """A column read as numbers: `values` (NaN where missing), `reason` and `unreadable` cells."""

    @property
    def values(self) -> pd.Series:
        """The numbers, NaN where missing."""

    @property
    def reason(self) -> pd.Series:
        """Why a cell is missing, in words; "" for a number."""

    @property
    def unreadable(self) -> pd.Series:
        """True where a cell is neither a number nor a symbol for a missing one."""


Parse = Callable[[pd.Series], Numbers]

URN_HEADINGS = ("urn", "schoolurn", "urnmatched", "uniquereferencenumber")
LSOA_HEADINGS = tuple(
    f"lsoa{middle}{end}"
    for middle in ("", "11", "21", "code", "code2011", "code2021", "2011", "2021")
    for end in ("", "cd", "code")
)
SUPPRESSED = 2.5
"""Pupils that a suppressed count of 1 to 4 stands for."""
FIGURES: Mapping[str, tuple[str, ...]] = {
    "pupils_r11": ("pupilsr11", "headcountr11", "numberonrollr11", "totalnumberofpupils"),
    "nursery_pupils": ("nurserypupils", "totalnurseryn1andn2", "nurseryheadcount"),
    "early_years_pupils": ("totalearlyyearse1ande2",),
    "sixth_form_pupils": ("sixthformpupils", "ks5total", "post16pupils"),
    "idaci": ("idacipupils", "idaciweighted", "idacifunding"),
    "low_prior_attainment": ("lowpriorattainment", "lpapupils", "lowpriorattainmentpupils"),
    "prior_attainment_funding": ("priorattainmenttotalfunding", "priorattainmentfunding"),
    "notional_sen": ("notionalsen", "notionalsenbudget"),
    "baseline": ("baseline", "baselinepounds", "pounds"),
    "baseline_pupils": ("baselinepupils", "pupilsthen"),
    "srp_places": ("srpplaces", "commissionedplaces"),
}
"""Our names of figures -> published spellings without case and punctuation."""
YEARS: Mapping[str, tuple[str, ...]] = {
    "pupils": ("nor", "totalpupils", "pupils", "numberofpupils"),
    "sen_support": ("tsenelk", "sensupport", "sensupportpupils"),
    "ehc_plans": ("tsenelse", "ehcplan", "ehcplans", "ehcplanpupils"),
}


def bare(heading: object) -> str:
    """Return a heading without case, spaces and punctuation."""
    return re.sub(r"[^a-z0-9]", "", str(heading).lower())


def read_figures(
    sheet: pd.DataFrame,
    parse: Parse,
    *,
    file: str,
    wanted: Mapping[str, tuple[str, ...]] = FIGURES,
    required: tuple[str, ...] = (),
    replaced: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Return figures per school: float columns named as in `wanted`, index urn, NaN where missing.

    `replaced` maps URNs of closed schools to their successors, whose figures are added up.
    Raises `FiguresError` for a sheet without a URN or any wanted column, a cell that is no number,
    a negative figure, or a URN on two rows.
    """
    faults = Faults(FiguresError, file)
    by_bare = {bare(name): name for name in reversed(sheet.columns)}
    urn = next((by_bare[one] for one in URN_HEADINGS if one in by_bare), None)
    found = {
        ours: by_bare[next(one for one in spellings if one in by_bare)]
        for ours, spellings in wanted.items()
        if any(one in by_bare for one in spellings)
    }
    _check_headings(sheet, urn, found, wanted, required, faults)
    faults.raise_if_any()
    urns = sheet[urn].str.strip().str.replace(r"^(\d+)\.0+$", r"\1", regex=True)
    rows = sheet[urns != ""]
    urns = urns[urns != ""]
    for row in urns.index[urns.duplicated()]:
        faults.add("stands on two rows.", "Keep one.", row=int(row), urn=urns[row])
    columns = {}
    for ours, heading in found.items():
        numbers = parse(rows[heading].str.replace(r"^\s*£\s*", "", regex=True))
        for row in rows.index[numbers.unreadable | (numbers.values < 0)][:20]:
            faults.add(
                f'{heading} is "{rows.at[row, heading]}", which is no count or sum of money.',
                "Give a number; leave the cell empty, or c or z, where there is none.",
                row=int(row),
                urn=urns[row],
            )
        columns[ours] = numbers.values.to_numpy(float)
    faults.raise_if_any()
    heirs = urns.replace(dict(replaced or {})).to_numpy()
    table = pd.DataFrame(columns, index=pd.Index(heirs, name="urn", dtype=object))
    return table.groupby(level="urn").sum(min_count=1).sort_index()


def _check_headings(
    sheet: pd.DataFrame,
    urn: str | None,
    found: Mapping[str, str],
    wanted: Mapping[str, tuple[str, ...]],
    required: tuple[str, ...],
    faults: Faults,
) -> None:
    names = [str(name) for name in sheet.columns]
    if urn is None:
        faults.add(f"has no column URN; found {', '.join(names[:12])}.", "Add it.")
    missing = [ours for ours in required if ours not in found]
    if missing or not found:
        spellings = ", ".join(missing or wanted)
        near = did_you_mean((missing or [*wanted])[0], names)
        faults.add(f"has no column {spellings}; found {', '.join(names[:12])}.", near)


def with_figures(schools: pd.DataFrame, figures: pd.DataFrame) -> pd.DataFrame:
    """Return the schools table with figures added; a figure given goes before one in the table."""
    table = schools.copy()
    for column in figures.columns:
        given = figures[column].reindex(table.index)
        before = table[column].astype(float) if column in table else given
        table[column] = given.fillna(before)
    return table


def read_homes(sheet: pd.DataFrame, parse: Parse, *, file: str) -> pd.DataFrame:
    """Return where pupils live: `urn, lsoa, pupils`, one row a school and neighbourhood.

    A suppressed count (1 to 4 pupils) is taken as 2.5. Raises `FiguresError` for missing columns
    and cells that are neither a count nor a symbol.
    """
    faults = Faults(FiguresError, file)
    names = {bare(name): str(name) for name in reversed(sheet.columns)}
    urn = next((names[one] for one in URN_HEADINGS if one in names), None)
    lsoa = next((n for b, n in names.items() if b.startswith("lsoa")), None)
    pupils = next((names[b] for b in ("pupils", "count", "headcount") if b in names), None)
    if not (urn and lsoa and pupils):
        found = ", ".join(map(str, sheet.columns))
        faults.add(f"needs the columns urn, lsoa and pupils; found {found}.")
        faults.raise_if_any()
    assert urn is not None
    assert lsoa is not None
    assert pupils is not None
    numbers = parse(sheet[pupils])
    for row in sheet.index[numbers.unreadable | (numbers.values < 0)][:20]:
        faults.add(f'pupils is "{sheet.at[row, pupils]}".', "Give a count, or c.", row=int(row))
    faults.raise_if_any()
    return pd.DataFrame(
        {
            "urn": sheet[urn].str.strip(),
            "lsoa": sheet[lsoa].str.strip().str.upper(),
            "pupils": numbers.values.fillna(SUPPRESSED).astype(float),
        }
    )


# -- IDACI -----------------------------------------------------------------------------------------

LSOAS_OF_ENGLAND = {"2011": 32_844, "2021": 33_755}
"""How many neighbourhoods England has, by the census they were drawn for."""
WHOLE_ENGLAND = 32_000
"""A table with more rows than this is of all England, so that scores can be ranked."""


@dataclass(frozen=True, eq=False)
class Deprivation:
    """Income deprivation of children by neighbourhood.

    `position` is the place in England, 0 most deprived, 1 least (NaN where only scores are known);
    `score` the share of children in income deprivation (NaN where only ranks are known); both
    indexed by LSOA code. `vintage` is "2011", "2021" or "" where the heading does not say;
    `basis` says in words what was read; `proxy` whether it stands in for IDACI.
    """

    position: pd.Series
    score: pd.Series
    vintage: str
    basis: str
    proxy: bool = False


def read_deprivation(sheet: pd.DataFrame, parse: Parse, *, file: str) -> Deprivation:
    """Read an IDACI table by neighbourhood, in whichever of the published shapes it comes.

    Wanted is the rank in England; else a score in a table of all England, which is ranked; else
    a score; else children in income deprivation over children; else, as a stand-in and said so,
    the rank of income deprivation of all ages. Raises `FiguresError` where there is none of these,
    no LSOA column, a code on two rows, or an unreadable cell.
    """
    faults = Faults(FiguresError, file)
    names = {bare(name): str(name) for name in reversed(sheet.columns)}
    code = next((n for b, n in names.items() if re.match(r"lsoa(code)?(20)?(11|21)?(cd|code)?$", b)
                 and not b.endswith("nm")), None)  # fmt: skip
    if code is None:
        faults.add("has no column of LSOA codes.", "Wanted is for instance LSOA21CD.")
        faults.raise_if_any()
    assert code is not None
    rows = sheet[sheet[code].str.strip() != ""]
    codes = rows[code].str.strip().str.upper()
    for row in codes.index[codes.duplicated()][:20]:
        faults.add(f"{codes[row]} stands on two rows.", "Keep one.", row=int(row))

    def numbers(heading: str) -> pd.Series:
        read = parse(rows[heading])
        for row in rows.index[read.unreadable][:20]:
            faults.add(f'{heading} is "{rows.at[row, heading]}".', "Give a number.", row=int(row))
        return pd.Series(read.values.to_numpy(float), index=codes.to_numpy())

    vintage = next((y for y in ("2011", "2021") if y in code or f"{y[2:]}CD" in code.upper()), "")
    found = _measure(names, numbers, len(rows), vintage)
    if found is None:
        faults.add(
            f"has no IDACI rank or score; found {', '.join(list(names.values())[:30])}.",
            "Take File 7 of the English indices of deprivation, which has both.",
        )
    faults.raise_if_any()
    assert found is not None
    return found


def _measure(
    names: Mapping[str, str], numbers: Callable[[str], pd.Series], rows: int, vintage: str
) -> Deprivation | None:
    def heading(*words: str, without: tuple[str, ...] = ("decile", "numerator")) -> str | None:
        return next(
            (n for b, n in names.items() if all(w in b for w in words)
             and not any(w in b for w in without)), None)  # fmt: skip

    def ranked(rank: pd.Series) -> pd.Series:
        total = LSOAS_OF_ENGLAND.get(vintage, max(LSOAS_OF_ENGLAND.values()))
        return rank / max(total, rank.max())

    if rank := heading("idaci", "rank"):
        of_england = numbers(rank)
        none = of_england * float("nan")
        return Deprivation(ranked(of_england), none, vintage, f"IDACI rank in England ({rank})")
    score = heading("idaci", without=("decile", "numerator", "rank"))
    children = heading("015") or heading("children", without=("idaci",))
    if score:
        values = numbers(score)
    elif (poor := heading("idaci", "numerator", without=())) and children:
        values, score = numbers(poor) / numbers(children), f"{poor} / {children}"
    else:
        income = next(
            (n for b, n in names.items() if b in ("incomerank", "incomedomainrank")), None
        )
        if income is None:
            return None
        rank_of_income = numbers(income)
        basis = f"rank of income deprivation of all ages ({income}), as the file has no IDACI rate"
        none = rank_of_income * float("nan")
        return Deprivation(ranked(rank_of_income), none, vintage, basis, proxy=True)
    if rows >= WHOLE_ENGLAND:
        position = values.rank(ascending=False, method="first") / values.notna().sum()
        return Deprivation(position, values, vintage, f"IDACI score ranked in England ({score})")
    return Deprivation(values * float("nan"), values, vintage, f"IDACI score ({score})")
