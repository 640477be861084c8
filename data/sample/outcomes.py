"""Outcomes of Sandmere for the District Dashboard: attendance and suspensions by district and year.

Invented like everything here. Attendance is near the 93 % of an English county, suspensions near 9
for every 100 pupils a year; both are worse where children are poorer, and better year by year.
"""

from __future__ import annotations

from collections.abc import Sequence

from figures import BASE_IDACI
from numpy.random import Generator
from people import Row

FIELDS = (*("group_type", "group", "year", "measure", "value", "numerator", "denominator", "unit"),)
YEARS = ("2022/23", "2023/24", "2024/25")
SESSIONS = 380
"""Half-days of a school year."""


def make_outcomes(rows: Sequence[Row], rng: Generator) -> list[Row]:
    """Rows of `outcomes.csv`: each measure by district and for the county, which is their sum."""
    pupils = dict.fromkeys(sorted(BASE_IDACI), 0)
    for row in rows:
        if not row.get("set_aside"):
            pupils[row["district"]] += int(row["pupils"] or 0)
    found: list[Row] = []
    for measure, unit in (("attendance", "%"), ("suspensions", "per 100")):
        for at, year in enumerate(YEARS):
            over = under = 0
            for name, roll in pupils.items():
                poor = BASE_IDACI[name] - 0.12
                drift = float(rng.normal(0, 0.15))
                if measure == "attendance":
                    of = roll * SESSIONS
                    count = round(of * (0.926 + 0.004 * at - 0.1 * poor + 0.01 * drift))
                else:
                    of = roll
                    count = round(of * (0.098 - 0.004 * at + 0.3 * poor + 0.03 * drift))
                over, under = over + count, under + of
                found.append(_row("area", name, year, measure, count, of, unit))
            found.append(_row("county", "", year, measure, over, under, unit))
    return found


def _row(kind: str, name: str, year: str, measure: str, count: int, of: int, unit: str) -> Row:
    value = f"{100 * count / of:.1f}"
    return dict(zip(FIELDS, (kind, name, year, measure, value, count, of, unit), strict=True))
