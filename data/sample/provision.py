"""Demand and history of the provisions of Sandmere: rates by need type, rolls of earlier years.

Rates are those of a typical English county, in pupils with that primary need per thousand, SEN
support and EHC plans together; a part of boys for each type.
"""

from __future__ import annotations

from collections.abc import Sequence

from numpy.random import Generator
from people import Row

# Need type: primary and secondary pupils a thousand, part of boys, in special schools.
RATES = {
    "Autistic Spectrum Disorder": (22, 23, 0.73, 0.45),
    "Hearing Impairment": (1.4, 1.4, 0.52, 0.01),
    "Moderate Learning Difficulty": (15, 16, 0.60, 0.06),
    "Multi- Sensory Impairment": (0.5, 0.4, 0.62, 0.0),
    "Other Difficulty/Disability": (5, 8, 0.58, 0.01),
    "Physical Disability": (3.7, 4.4, 0.57, 0.05),
    "Profound & Multiple Learning Difficulty": (0.4, 0.1, 0.55, 0.10),
    "SEN support but no specialist assessment of type of need": (5.9, 4.6, 0.6, 0.01),
    "Severe Learning Difficulty": (0.7, 0.3, 0.63, 0.17),
    "Social, Emotional and Mental Health": (30, 36, 0.66, 0.10),
    "Specific Learning Difficulty": (13, 24, 0.57, 0.0),
    "Speech, Language and Communications needs": (50, 23, 0.68, 0.05),
    "Visual Impairment": (0.9, 1.1, 0.53, 0.0),
}
RATE_FIELDS = (
    *("la_name", "phase_type_grouping", "primary_need", "number_of_pupils"),
    *("pupil_gender_boys", "pupil_gender_girls"),
)
HISTORY_FIELDS = ("urn", "year", "places", "on_roll")
YEARS = (2022, 2023, 2024, 2025)


def make_rates(rows: Sequence[Row], rng: Generator) -> list[Row]:
    """Pupils by primary need, phase and sex, as the DfE publishes them for a whole council."""
    open_rows = [r for r in rows if not r.get("set_aside")]
    pupils = {
        "State-funded primary": sum(r["pupils"] for r in open_rows if r["phase"] == "primary"),
        "State-funded secondary": sum(r["pupils"] for r in open_rows if r["phase"] != "primary"),
        "State-funded special school": sum(
            r["pupils"] for r in rows if r.get("set_aside") and "pecial" in r["type"]
        ),
    }
    found = []
    for phase, roll in pupils.items():
        for need, (primary, secondary, boys, special) in RATES.items():
            rate = {"State-funded primary": primary / 1000, "State-funded secondary":
                    secondary / 1000}.get(phase, special)  # fmt: skip
            count = round(roll * rate * float(rng.normal(1, 0.04)))
            male = round(count * boys)
            if count:
                found.append(
                    dict(zip(RATE_FIELDS, ("Sandmere", phase, need, count, male, count - male),
                             strict=True))
                )  # fmt: skip
    return found


def make_history(srps: Sequence[Row], rng: Generator) -> list[Row]:
    """Children on roll at the last four Januaries; Upper Larrick empties year by year."""
    falling = {2022: 11, 2023: 9, 2024: 7, 2025: 5}
    found = []
    for srp in srps:
        for year in YEARS:
            if int(srp["opened"][:4]) >= year:
                continue
            drift = int(rng.integers(-2, 2))
            roll = max(min(srp["on_roll"] + drift, srp["places"] + 1), 3)
            if srp["town"] == "Upper Larrick":
                roll = falling[year]
            found.append({"urn": srp["school"]["urn"], "year": year, "places": srp["places"],
                          "on_roll": roll})  # fmt: skip
    return sorted(found, key=lambda row: (row["urn"], row["year"]))


def scenario_texts(rows: Sequence[Row], srps: Sequence[Row]) -> dict[str, str]:
    """Scenario files by name: close one and open another, a bridge shut, a visiting service."""
    by_town = {(srp["town"], srp["phase"]): srp["school"]["urn"] for srp in srps}
    hosts = sorted(
        (r["pupils"], r["urn"])
        for r in rows
        if r.get("town") == "Coldsands" and r["phase"] == "primary"
        and not r.get("set_aside") and r["low_age"] in (3, 4) and r["high_age"] == 11
    )  # fmt: skip
    larrick, vision = by_town["Upper Larrick", "primary"], by_town["Dovebridge", "primary"]
    return {
        "close_and_open": f"""\
# Four children are left at Upper Larrick; the south-east corner has no primary provision.
name = "close_and_open"
title = "Close Upper Larrick, open Coldsands"

[[close]]
provision = "{larrick}"
year = 2026

[[open]]
urn = "{hosts[-1][1]}"
need_types = ["ASD", "SLCN"]
places = 14
year = 2026
""",
        "open_only": f"""\
# The same new provision, without closing anything.
name = "open_only"
title = "Open Coldsands, keep Upper Larrick"

[[open]]
urn = "{hosts[-1][1]}"
need_types = ["ASD", "SLCN"]
places = 14
year = 2026
""",
        "visiting_vision": f"""\
# Teachers of children with vision impairment visit schools; the base for hearing stays.
name = "visiting_vision"
title = "A visiting service for vision impairment"

[[redesignate]]
provision = "{vision}"
need_types = ["HI"]
year = 2027

[[outreach]]
need_types = ["VI"]
cost = 90000
year = 2027
""",
        "bridge_shut": """\
# Both lanes of the only bridge to the island are closed for a year.
name = "bridge_shut"
title = "Gannet Bridge closed"
shut = ["Gannet Bridge"]
""",
    }
