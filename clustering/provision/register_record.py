"""The provisions that the schools' record and the census speak of, beside the council's own list.

`sites` as in `clustering.provision.register_files`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from clustering.need_files import Parse, bare
from clustering.provision.register import CENSUS, RECORD, ProvisionError, joined
from clustering.provision.register_files import codes_in, is_yes, numbered, school_ages
from clustering.provision.settings import NEED_TYPES
from geo.errors import Faults

SEN_UNIT_FLAG, RP_FLAG = "senunit", "rpunit"


def from_record(sites: pd.DataFrame) -> pd.DataFrame:
    """Return the provisions of the schools' record: resourced ones, units, special schools, AP."""
    rows = sites[(sites["setting"] != "mainstream") | (sites["srp_kind"] != "")]
    rows = rows[rows["easting"].notna() & rows["northing"].notna()]
    base = rows["setting"] == "mainstream"
    ages = [school_ages(row) for _, row in rows.iterrows()]
    kind = rows["setting"].where(~base, np.where(rows["srp_kind"] == "sen unit", "sen_unit", "srp"))
    table = pd.DataFrame(
        {
            "urn": rows.index.astype(str),
            "name": rows["name"].to_numpy(),
            "kind": kind.to_numpy(),
            "need_types": [joined(codes_in(text)[0]) for text in rows["need_types"]],
            "low_age": [low for low, _ in ages],
            "high_age": [high for _, high in ages],
            "places": rows["srp_places"].where(base, rows["capacity"]).to_numpy(float),
            "on_roll": rows["srp_on_roll"].where(base, rows["pupils"]).to_numpy(float),
            "sex": rows["sex"].to_numpy(),
            "selective": [is_yes(value) for value in rows["selective"]],
            "faith": rows["faith"].to_numpy(),
            "opened": "",
            "closes": "",
            "easting": rows["easting"].to_numpy(float),
            "northing": rows["northing"].to_numpy(float),
            "area": rows["area"].to_numpy(),
            "source": RECORD,
        }
    )
    return numbered(table)


def from_census(
    sheet: pd.DataFrame, sites: pd.DataFrame, parse: Parse, *, file: str
) -> pd.DataFrame:
    """Return the schools that the census flags: `RP_Unit`, `SEN_Unit`, and `Prov_…` for types.

    A flag has no number of places. Raises `ProvisionError` where the file has neither flag, or a
    school on two rows.
    """
    tray = Faults(ProvisionError, file)
    names = {bare(name): str(name) for name in reversed(sheet.columns)}
    if "urn" not in names or not {SEN_UNIT_FLAG, RP_FLAG} & set(names):
        tray.add("has no columns URN, RP_Unit and SEN_Unit.", "Take the DfE's SEN file by school.")
        tray.raise_if_any()
    urns = sheet[names["urn"]].str.strip().str.replace(r"\.0+$", "", regex=True)
    for at in urns.index[urns.isin(sites.index) & urns.duplicated()]:
        tray.add("stands on two rows.", "Keep one year.", row=int(at), urn=urns[at])
    tray.raise_if_any()
    flags = {
        flag: parse(sheet[names[flag]]).values > 0
        for flag in (RP_FLAG, SEN_UNIT_FLAG)
        if flag in names
    }
    any_flag = pd.concat(flags, axis=1).any(axis=1) & urns.isin(sites.index)
    types = {
        code: parse(sheet[names[f"prov{code.lower()}"]]).values > 0
        for code in NEED_TYPES
        if f"prov{code.lower()}" in names
    }
    at = any_flag[any_flag].index
    rows = sites.loc[urns[at]]
    table = from_record(rows.assign(setting="mainstream", srp_kind="resourced provision"))
    by_urn = dict(zip(urns[at], at, strict=True))
    table["need_types"] = [
        joined(code for code, told in types.items() if told[by_urn[urn]]) for urn in table["urn"]
    ]
    resourced = flags.get(RP_FLAG)
    table["kind"] = [
        "sen_unit" if resourced is None or not resourced[by_urn[urn]] else "srp"
        for urn in table["urn"]
    ]
    return table.assign(places=np.nan, on_roll=np.nan, source=CENSUS)
