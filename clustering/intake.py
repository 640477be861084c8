"""How many pupils leave each school and how many places each offers, from roll and ages."""

from __future__ import annotations

import numpy as np
import pandas as pd

from clustering.gravity_settings import GravitySettings

RECEPTION, LAST_PRIMARY, LAST_SECONDARY = 4, 11, 16
"""Ages at which primary school begins and ends, and at which the sixth form begins."""
_ALIKE = {"catholic": "roman catholic", "anglican": "church of england"}
_VAGUE = frozenset(
    ("", "none", "does not apply", "christian", "inter- / non- denominational", "multi-faith")
)


def intake(schools: pd.DataFrame, settings: GravitySettings) -> pd.DataFrame:
    """Return who leaves and who can come, a row a school (index urn, sorted).

    `leave_age` (NaN: leaves to no other school) and `leavers` (a year); `entry_age` (NaN: takes
    nobody from another school) and `places` (a year); `stays` own leavers who stay (all-through);
    `fsm6` share of the roll (NaN: not known); `selective` bool; `girls` share of girls (0, 0.5,
    1). Year groups have equal shares of the roll, save that sixth form and nursery are taken off;
    a column `pan` (published admission number), where there is one, goes before the roll. A school
    without a roll has 0 leavers and, without `pan`, 0 places.
    """
    table = schools.sort_index()
    phase, roll = table["phase"], table["pupils"].astype(float)
    low, high = table["low_age"].astype(float), table["high_age"].astype(float)
    through = phase == "all_through"
    junior_side = phase.isin(["primary", "middle_primary"]) | through
    selective = table["selective"].astype("boolean").fillna(False).astype(bool)

    start = low.fillna(RECEPTION).where(junior_side, low.fillna(LAST_PRIMARY)).clip(lower=RECEPTION)
    start = start.mask(junior_side & (start <= 5), RECEPTION)
    end = high.fillna(LAST_PRIMARY).where(junior_side & ~through, high.fillna(LAST_SECONDARY))
    end = end.mask(junior_side & ~through & end.between(10, LAST_PRIMARY), LAST_PRIMARY)
    nursery = np.where(junior_side & (low <= 3), settings.nursery_years, 0.0)

    sixth = _sixth_form_share(table, selective, settings)
    young = settings.all_through_primary
    years = (end.clip(upper=LAST_SECONDARY) - start).clip(lower=1) + nursery
    a_year = roll * (1 - sixth) / years
    leavers = a_year.mask(through, roll * young / (LAST_PRIMARY - RECEPTION + nursery))
    places = a_year.mask(through, roll * (1 - young) * (1 - sixth) / 5)
    if "pan" in table:
        takes = ~junior_side | through
        places = table["pan"].astype(float).where(takes).fillna(places)
    leave_age = end.mask(through, LAST_PRIMARY).where(junior_side | (end <= 14))
    entry_age = start.mask(through, LAST_PRIMARY).where(start > 5)
    entry_age = entry_age.mask(through, LAST_PRIMARY)
    absent = table.index.isin(settings.no_local_intake)
    girls = table["sex"].map({"girls": 1.0, "boys": 0.0}).fillna(settings.sexes)
    return pd.DataFrame(
        {
            "leave_age": leave_age,
            "leavers": leavers.where(leave_age.notna()).fillna(0.0),
            "stays": (leavers * settings.stay_share).where(through).fillna(0.0),
            "entry_age": entry_age,
            "places": places.where(entry_age.notna() & ~absent).fillna(0.0),
            "fsm6": (table["fsm6"].astype(float) / roll.where(roll > 0)).clip(0, 1),
            "selective": selective,
            "girls": girls,
        }
    )


def _sixth_form_share(
    table: pd.DataFrame, selective: pd.Series, settings: GravitySettings
) -> pd.Series:
    """Return the part of the roll above 16; by age where the record does not say."""
    has = table["sixth_form"].astype("boolean") & (table["high_age"] > LAST_SECONDARY)
    has = has.fillna(table["high_age"] > LAST_SECONDARY).astype(bool)
    share = selective.map({True: settings.sixth_form_selective, False: settings.sixth_form})
    return share.where(has, 0.0).astype(float)


def faith_factor(leaving: pd.Series, joining: pd.Series, settings: GravitySettings) -> np.ndarray:
    """Return the factor (r, c) on the pull of schools of faith `joining` on schools `leaving`.

    Names as in the register, "" none; "Church of England/Methodist" is of both. A faith without a
    denomination ("Christian") neither draws nor repels.
    """
    kinds = [sorted(set(faith)) for faith in (leaving, joining)]
    small = np.ones((len(kinds[0]), len(kinds[1])))
    for i, home in enumerate(map(_denominations, kinds[0])):
        for j, goal in enumerate(map(_denominations, kinds[1])):
            if home & goal:
                small[i, j] = settings.same_faith
            elif goal and (home or "roman catholic" in goal):
                small[i, j] = settings.other_faith
    at = [
        np.array([names.index(faith) for faith in column], dtype=int)
        for names, column in zip(kinds, (leaving, joining), strict=True)
    ]
    return small[np.ix_(*at)]


def _denominations(faith: str) -> frozenset[str]:
    names = {part.strip().lower() for part in str(faith).split("/")}
    return frozenset(_ALIKE.get(name, name) for name in names - _VAGUE)


def is_urban(minutes: np.ndarray, settings: GravitySettings) -> np.ndarray:
    """Return which schools have many others near; `minutes` square, from row to column."""
    near = (minutes <= settings.urban_minutes).sum(axis=1) - 1  # not itself
    urban: np.ndarray = near >= settings.urban_schools
    return urban
