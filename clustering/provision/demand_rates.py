"""Reads what an estimate of demand is made from: rates of a whole council, and its neighbourhoods.

Sheets come in as text cells (index: line of the file) with a function that reads numbers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import pandas as pd

from clustering.need_files import Parse, bare
from clustering.provision.demand_files import COUNT_WORDS, PHASE_KEYS, code_of
from clustering.provision.register import ProvisionError
from clustering.provision.settings import NEED_TYPES
from geo.errors import Faults, did_you_mean

BOTH_PHASES = {
    *("statefundedspecialschool", "statefundedspecial", "nonmaintainedspecialschool"),
    *("statefundedapschool", "special", "alternativeprovision", "all", "total"),
}
"""Rows of rates that hold both phases: split as the twelve year groups are, seven to five."""
WHOLE = {"all", "total"}
"""Those of them that hold every other row too."""
SPLIT = {"primary": 7 / 12, "secondary": 5 / 12}
_CHILDREN = ("children", "children015", "population015", "dependentchildrenaged015mid2012",
             "children0to15", "population0to15")  # fmt: skip
_SCORES = ("idaciscore", "idaci", "idaciscorerate",
           "incomedeprivationaffectingchildrenindexidaciscorerate")  # fmt: skip


def read_rates(
    sheet: pd.DataFrame, parse: Parse, *, file: str, la: str | None
) -> tuple[pd.DataFrame, dict[tuple[str, str], float], list[str]]:
    """Read children of a whole council by need type and phase, and the share of boys where given.

    Columns `phase_type_grouping`, `primary_need`, `number_of_pupils` as in the DfE's release, or
    `phase`, `need_type`, `children`; `la_name` where several councils stand in the file. Rows of
    special schools and alternative provision hold both phases and are split seven to five. Return
    a table of need_type, phase and children, the share of boys by need type and phase, and notes.
    Counts that are not known are left out and told. Raises `ProvisionError` with every fault: so
    for a total beside its parts, and for two rows that say the same, as those of two years do.
    """
    tray = Faults(ProvisionError, file)
    names = {bare(name): str(name) for name in reversed(sheet.columns)}
    phase = names.get("phasetypegrouping") or names.get("phase")
    need = names.get("primaryneed") or names.get("needtype")
    number = next((names[b] for b in ("numberofpupils", *COUNT_WORDS) if b in names), None)
    if not (phase and need and number):
        tray.add(f"needs phase, need_type and children; found {', '.join(names.values())}.")
        tray.raise_if_any()
    assert phase is not None
    assert need is not None
    assert number is not None
    rows = _of_council(sheet, names, la, tray)
    read = parse(rows[number])
    for at in rows.index[read.unreadable | (read.values < 0)]:
        tray.add(f'{number} is "{rows.at[at, number]}".', "Give a count.", row=int(at))
    boys_at = names.get("pupilgenderboys") or names.get("boys")
    boys = parse(rows[boys_at]).values if boys_at else read.values * np.nan
    found: dict[tuple[str, str], float] = {}
    of_boys: dict[tuple[str, str], float] = {}
    phases = rows[phase].map(bare)
    parts = set(rows.loc[phases.isin({*PHASE_KEYS, *BOTH_PHASES} - WHOLE), need].map(code_of))
    seen: set[tuple[str, str]] = set()
    unknown = 0
    for at in rows.index:
        code, word = code_of(rows.at[at, need]), phases[at]
        if not code:
            known = f"Known: {', '.join(NEED_TYPES)}."
            tray.add(f'"{rows.at[at, need]}" is no need type.', known, row=int(at))
            continue
        single = PHASE_KEYS.get(word)
        if single is None and word not in BOTH_PHASES:
            continue
        if (code, word) in seen:
            tray.add(f"{rows.at[at, phase]}, {code} stands twice.", "Keep one year.", row=int(at))
        seen.add((code, word))
        if word in WHOLE and code in parts:
            tray.add("is a total of other rows.", "Take the totals out.", row=int(at))
        if read.values[at] != read.values[at]:
            unknown += 1
            continue
        for one, part in {single: 1.0}.items() if single else SPLIT.items():
            key = (code, str(one))
            found[key] = found.get(key, 0.0) + part * float(read.values[at])
            of_boys[key] = of_boys.get(key, 0.0) + part * float(boys[at])
    tray.raise_if_any()
    table = pd.DataFrame(
        [(code, one, children) for (code, one), children in sorted(found.items()) if children > 0],
        columns=["need_type", "phase", "children"],
    )
    shares = {
        k: of_boys[k] / found[k] for k in sorted(found) if of_boys[k] == of_boys[k] and found[k] > 0
    }
    notes = [f"{unknown:,} counts of the council's rates are not known and left out."]
    return table, shares, notes if unknown else []


def _of_council(
    sheet: pd.DataFrame, names: Mapping[str, str], la: str | None, tray: Faults
) -> pd.DataFrame:
    """Return the rows of one council, where the file has several."""
    column = names.get("laname") or names.get("la")
    if column is None:
        return sheet
    councils = sorted(set(sheet[column].str.strip()))
    if la is None and len(councils) > 1:
        tray.add(
            f"holds {len(councils)} councils: {', '.join(councils[:6])}.",
            f'Say which: [provision.demand] la = "{councils[0]}".',
        )
    elif la is not None and la not in councils:
        tray.add(f'has no council "{la}".', did_you_mean(la, councils) or f"It has {councils[:6]}.")
    tray.raise_if_any()
    return sheet if la is None else sheet[sheet[column].str.strip() == la]


def read_places(sheet: pd.DataFrame, parse: Parse, *, file: str) -> pd.DataFrame:
    """Read neighbourhoods: index LSOA; name, coordinates, children and idaci.

    Coordinates are easting, northing, latitude and longitude as in the file, NaN where it has not
    got them; the caller makes metres of degrees. The name is the code where there is none; `idaci`
    is a score from 0 to 1, NaN where there is none. Raises `ProvisionError`.
    """
    tray = Faults(ProvisionError, file)
    names = {bare(name): str(name) for name in reversed(sheet.columns)}
    code = next(
        (n for b, n in names.items() if re.fullmatch(r"lsoa(code)?(20)?(11|21)?(cd|code)?", b)),
        None,
    )
    children = next((names[b] for b in _CHILDREN if b in names), None)
    if code is None or children is None:
        tray.add(
            f"needs LSOA codes and children; found {', '.join(list(names.values())[:20])}.",
            "Columns lsoa, easting, northing, children and, if known, idaci_score.",
        )
        tray.raise_if_any()
    assert code is not None
    assert children is not None
    codes = sheet[code].str.strip().str.upper()
    for at in codes.index[codes.duplicated() & (codes != "")]:
        tray.add(f"{codes[at]} stands on two rows.", "Keep one.", row=int(at))
    wanted = {
        "easting": names.get("easting"),
        "northing": names.get("northing"),
        "latitude": names.get("lat") or names.get("latitude"),
        "longitude": names.get("lon") or names.get("long") or names.get("longitude"),
        "children": children,
        "idaci": next((names[b] for b in _SCORES if b in names), None),
    }
    columns = {}
    for ours, heading in wanted.items():
        if heading is None:
            columns[ours] = np.full(len(sheet), np.nan)
            continue
        read = parse(sheet[heading])
        negative = (read.values < 0) if ours in ("children", "idaci") else read.unreadable
        for at in sheet.index[read.unreadable | negative]:
            tray.add(f'{heading} is "{sheet.at[at, heading]}".', "Give a number.", row=int(at))
        columns[ours] = read.values.to_numpy(float)
    tray.raise_if_any()
    label = next((n for b, n in names.items() if b.startswith("lsoa") and b.endswith("nm")), None)
    named = sheet[label or names.get("name", code)].str.strip()
    table = pd.DataFrame(columns, index=pd.Index(codes, name="point", dtype=object))
    table.insert(0, "name", named.where(named != "", codes).to_numpy())
    return table[table.index != ""].sort_index()
