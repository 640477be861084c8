"""The schools of the invented county of Sandmere: which there are, where, how large.

One dict per school; the names of its keys are the columns of schools.csv and a few more that stay
behind. Their figures (SEN, deprivation, numbers) are added by `figures`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from ground import PLACES, Ground, Place, metres
from names import FIELDS, PLACE_SAINTS, SET_ASIDE, STREETS, TRUSTS, village_names
from numpy.random import Generator
from secondaries import PAIRS, SECONDARIES
from shapely.geometry import Point

Row = dict[str, Any]
LA = {"la_code": "990", "la": "Sandmere"}
RURAL = {
    "Highwold": 11, "Larkdown": 11, "Marshside": 4, "Merechester": 4, "Ousemouth": 5, "Saltby": 4,
}  # fmt: skip
ADJOINING = ("Marshside", "Saltby")
SEATS = {  # places of a primary by the kind of place it stands in
    "rural": (42, 56, 70, 84, 105, 105, 140),
    "village": (105, 140, 175, 210),
    "town": (140, 175, 210, 210, 210, 315, 420),
    "city": (210, 210, 210, 315, 420, 420, 420, 630),
}


def place_of(name: str) -> Place:
    """The place of that name."""
    return next(p for p in PLACES if p.name == name)


def scatter(
    ground: Ground, town: Place, rng: Generator, rows: list[Row], narrow: float = 1.0
) -> np.ndarray:
    """A point in or near a town, 200 m inside its district and 350 m from `rows`; whole metres.

    One school in four stands in the outskirts, twice as far out.
    """
    room = ground.districts[town.district].buffer(-200)
    centre = metres([(town.x, town.y)])[0]
    for _ in range(4000):
        reach = town.spread * narrow * (1600 if rng.random() < 0.25 else 800)
        at = np.round(centre + rng.normal(0, reach, 2))
        free = all(np.hypot(*(at - r["at"])) >= 350 for r in rows)
        if free and room.covers(Point(at)):
            return at
    raise RuntimeError(f"no room in {town.name}")


def apart(
    ground: Ground, district: str, taken: list[np.ndarray], gap: float, rng: Generator
) -> np.ndarray:
    """A point anywhere in the mainland part of a district, at least `gap` metres from others."""
    room = ground.districts[district].intersection(ground.mainland).buffer(-700)
    west, south, east, north = room.bounds
    for _ in range(4000):
        at = np.round(np.array([rng.uniform(west, east), rng.uniform(south, north)]))
        free = all(np.hypot(*(at - other)) >= gap for other in taken)
        if free and room.covers(Point(at)):
            return at
        gap *= 0.9995
    raise RuntimeError(f"no room in {district}")


def blank(**known: Any) -> Row:
    """A row with every column, empty where nothing is known."""
    row: Row = dict.fromkeys(FIELDS, "")
    return row | LA | {"status": "Open", "sex": "mixed"} | known


def primary(name: str, district: str, at: np.ndarray, seats: int, rng: Generator) -> Row:
    """One primary school, with faith, type and roll drawn."""
    fill = float(np.clip(rng.normal(0.93, 0.08), 0.62, 1.04))
    draw, kind = float(rng.random()), "Community school"
    faith = "Church of England" if draw < (0.5 if seats < 150 else 0.17) else ""
    faith = "Roman Catholic" if seats >= 175 and draw > 0.90 else faith
    kind = (
        ("Voluntary controlled school" if seats < 150 else "Voluntary aided school")
        if faith
        else kind
    )
    academy = rng.random() < 0.42
    if academy:
        kind = "Academy converter" if rng.random() < 0.7 else "Academy sponsor led"
    trust = TRUSTS[int(rng.integers(0, 5))] if academy else ""
    if academy and faith:
        trust = TRUSTS[5] if faith == "Church of England" else TRUSTS[6]
    return blank(
        name=name,
        type=kind,
        phase="primary",
        low_age=4 - int(rng.random() < 0.35),
        high_age=11,
        faith=faith,
        district=district,
        at=at,
        pupils=round(seats * fill),
        capacity=seats,
        trust=trust,
    )


def town_primaries(ground: Ground, town: Place, others: list[Row], rng: Generator) -> list[Row]:
    """The primaries of one place, infant and junior schools among them; `others` stand already."""
    streets = list(rng.permutation(np.array(STREETS)))
    rows: list[Row] = []
    for _ in range(town.primaries - 2 * PAIRS.get(town.name, 0)):
        seats = int(rng.choice(np.array(SEATS[town.kind])))
        at = scatter(ground, town, rng, others + rows)
        row = primary("", town.district, at, seats, rng)
        saint = PLACE_SAINTS[int(rng.integers(0, len(PLACE_SAINTS)))]
        stem = f"{town.name} {streets.pop()}"
        if row["faith"] == "Roman Catholic":
            row["name"] = f"{stem} Catholic Primary School"
        elif row["faith"]:
            row["name"] = f"{stem} {saint} C of E Primary School"
        else:
            row["name"] = f"{stem} {'Primary Academy' if row['trust'] else 'Primary School'}"
        rows.append(row | {"town": town.name})
    for _ in range(PAIRS.get(town.name, 0)):
        at = scatter(ground, town, rng, others + rows, 0.8)
        rows += infant_and_junior(at, town, f"{town.name} {streets.pop()}", rng)
    return rows


def infant_and_junior(at: np.ndarray, town: Place, stem: str, rng: Generator) -> list[Row]:
    """Two schools on one site, or on adjoining ones (in two of the towns)."""
    beside = at + (np.array([70.0, 40.0]) if town.name in ADJOINING else 0)
    infant = primary(f"{stem} Infant School", town.district, at, 180, rng)
    junior = primary(f"{stem} Junior School", town.district, beside, 240, rng)
    plain = {"faith": "", "type": "Community school", "trust": "", "town": town.name, "site": stem}
    return [infant | plain | {"high_age": 7}, junior | plain | {"low_age": 7}]


def rural_primaries(ground: Ground, district: str, taken: list[np.ndarray], names: list[str],
                    rng: Generator) -> list[Row]:  # fmt: skip
    """Small village schools, well apart; neighbours often share a head (a federation)."""
    rows: list[Row] = []
    for _ in range(RURAL[district]):
        at = apart(ground, district, taken, 3600, rng)
        taken.append(at)
        row = primary("", district, at, int(rng.choice(np.array(SEATS["rural"]))), rng)
        stem, church = names.pop(), " C of E" if row["faith"] else ""
        rows.append(row | {"name": f"{stem}{church} Primary School", "town": ""})
    first = rows[0]
    mates = sorted(rows[1:], key=lambda r: float(np.hypot(*(r["at"] - first["at"]))))
    for row in [first, *mates[: 2 if district == "Highwold" else 1]]:
        row["federation"] = f"The {first['name'].split()[0]} Federation"
        row["trust"] = ""
        row["type"] = "Voluntary controlled school" if row["faith"] else "Community school"
    return rows


def secondary_rows(ground: Ground, rng: Generator) -> list[Row]:
    """The secondaries, the all-through school and the university technical college."""
    rows: list[Row] = []
    for s in SECONDARIES:
        town = place_of(s.town)
        at = scatter(ground, town, rng, rows)
        years = 4 if s.low == 14 else 5 if not s.sixth_form else 5.9
        roll = s.pan * years * float(np.clip(rng.normal(0.95, 0.05), 0.78, 1.03))
        if s.low == 4:
            roll += 7 * 58
        rows.append(
            blank(
                name=s.name,
                type=s.type,
                phase="all_through" if s.low == 4 else "secondary",
                low_age=s.low,
                high_age=18 if s.sixth_form else 16,
                sex=s.sex,
                faith=s.faith,
                selective="yes" if s.selective else "no",
                nursery="no",
                sixth_form="yes" if s.sixth_form else "no",
                district=town.district,
                at=at,
                pupils=round(roll),
                capacity=round(s.pan * years + (420 if s.low == 4 else 0)),
                trust=s.trust,
                town=town.name,
                pan=s.pan,
            )
        )
    return rows


def set_aside_rows(ground: Ground, others: list[Row], rng: Generator) -> list[Row]:
    """Schools the door must set aside: special, alternative, nursery, independent, closed, new."""
    rows: list[Row] = []
    for name, kind, status, phase, ages, town_name, pupils in SET_ASIDE:
        town = place_of(town_name)
        at = scatter(ground, town, rng, others + rows)
        rows.append(
            blank(
                name=name,
                type=kind,
                status=status,
                phase=phase,
                low_age=ages[0],
                high_age=ages[1],
                district=town.district,
                at=at,
                pupils=pupils,
                capacity=pupils,
                nursery="yes" if ages[0] < 4 else "no",
                set_aside=True,
            )
        )
    return rows


def share_sites(rows: list[Row]) -> None:
    """Two campuses beyond the infant and junior pairs: a secondary and a primary; two churches."""
    academy = next(r for r in rows if r["name"] == "Southferry Lock Academy")
    guest = next(r for r in rows if r.get("town") == "Southferry" and r["high_age"] == 11)
    guest |= {
        "at": academy["at"],
        "site": "Southferry Lock",
        "trust": academy["trust"],
        "type": "Academy converter",
        "faith": "",
    }
    guest["name"] = "Southferry Lock Primary Academy"
    academy["site"] = "Southferry Lock"
    pair = [r for r in rows if r.get("town") == "Larkford" and r["high_age"] == 11][:2]
    for row, faith, title in zip(
        pair,
        ("Church of England", "Roman Catholic"),
        ("St Brannoc C of E", "St Brannoc Catholic"),
        strict=True,
    ):
        row |= {
            "at": pair[0]["at"],
            "site": "St Brannoc",
            "faith": faith,
            "trust": "",
            "type": "Voluntary aided school",
            "name": f"Larkford {title} Primary School",
        }


def make_rows(ground: Ground, rng: Generator) -> list[Row]:
    """Every school, with place, name, kind and roll, in the order in which they were drawn."""
    names = village_names(rng)
    rows = secondary_rows(ground, rng)
    for town in PLACES:
        rows += town_primaries(ground, town, rows, rng)
    taken = [metres([(p.x, p.y)])[0] for p in PLACES]
    for district in sorted(RURAL):
        rows += rural_primaries(ground, district, taken, names, rng)
    share_sites(rows)
    return rows + set_aside_rows(ground, rows, rng)
