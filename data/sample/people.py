"""The schools, neighbourhoods and provisions of the invented county of Sandmere.

One dict per row of a file; every figure is drawn from a seeded generator and then brought to the
rates of a typical English county (EHC plans 2.9 %, SEN support 12.7 %, FSM6 24 % of pupils).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from ground import PLACES, Ground, Place, metres
from names import FIELDS, PLACE_SAINTS, SET_ASIDE, SRPS, STREETS, TRUSTS, village_names
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
BASE_IDACI = {
    "Highwold": 0.10, "Larkdown": 0.055, "Marshside": 0.14, "Merechester": 0.12,
    "Ousemouth": 0.16, "Saltby": 0.20,
}  # fmt: skip
# Where children are poorer than the district around them: km, km, extra score, reach in km.
POORER = (
    (61.6, 10.8, 0.22, 2.8), (51.0, 31.9, 0.14, 2.0), (20.5, 23.2, 0.14, 1.4),
    (56.0, 42.0, 0.07, 1.5), (60.6, 16.6, 0.10, 1.5), (53.4, 23.4, 0.09, 1.2),
)  # fmt: skip
DECILE_FLOORS = (0.36, 0.28, 0.225, 0.185, 0.15, 0.12, 0.095, 0.07, 0.045)


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


def neighbourhoods(ground: Ground, rows: list[Row], rng: Generator) -> list[Row]:
    """350 small areas (LSOAs) scattered where the primary pupils are, with IDACI and children."""
    hosts = [r for r in rows if r["phase"] == "primary" and not r.get("set_aside")]
    weight = np.array([r["pupils"] + 60.0 for r in hosts])
    found: list[Row] = []
    rooms = {name: shape.buffer(-120) for name, shape in ground.districts.items()}
    while len(found) < 350:
        host = hosts[int(rng.choice(len(hosts), p=weight / weight.sum()))]
        at = np.round(host["at"] + rng.normal(0, 650 if host["town"] else 1500, 2))
        near = any(np.hypot(*(at - f["at"])) < 280 for f in found)
        if near or not rooms[host["district"]].covers(Point(at)):
            continue
        x, y = (at - metres([(0, 0)])[0]) / 1000
        score = BASE_IDACI[host["district"]] * float(np.exp(rng.normal(0, 0.35)))
        score += sum(
            extra * float(np.exp(-((x - px) ** 2 + (y - py) ** 2) / (2 * reach**2)))
            for px, py, extra, reach in POORER
        )
        score = round(min(score, 0.62), 3)
        decile = 1 + sum(score < floor for floor in DECILE_FLOORS)
        found.append(
            {
                "at": at,
                "area": host["district"],
                "idaci_score": score,
                "idaci_decile": decile,
                "children_0_15": int(np.clip(rng.normal(312, 55), 170, 480)),
            }
        )
    found.sort(key=lambda f: (f["area"], f["at"][0], f["at"][1]))
    for i, row in enumerate(found, start=1):
        row["lsoa"] = f"X01000{i:04d}"
    return found


def fill_in(rows: list[Row], lsoas: list[Row], rng: Generator) -> None:
    """Deprivation, SEN, language, nursery class and LSOA of every school, brought to the rates."""
    spots = shapely.points(np.array([f["at"] for f in lsoas]))
    score = np.array([f["idaci_score"] for f in lsoas])
    for row in rows:
        away = shapely.distance(spots, Point(row["at"]))
        row["lsoa"] = lsoas[int(np.argmin(away))]["lsoa"]
        near = np.argsort(away, kind="stable")[: 4 if row["phase"] == "primary" else 16]
        row["poverty"] = float(score[near].mean())
        if not row["nursery"]:
            row["nursery"] = "yes" if row["low_age"] == 3 else "no"
        row["sixth_form"] = row["sixth_form"] or "no"
    main = [r for r in rows if not r.get("set_aside")]
    pupils = np.array([r["pupils"] for r in main], dtype=float)
    poverty = np.array([r["poverty"] for r in main])
    chosen = np.array([r["selective"] == "yes" for r in main])
    tilt = 0.6 + 0.4 * poverty / poverty.mean()
    units = np.array([r.get("srp_roll", 0) for r in main], dtype=float)
    for column, rate, relative, grammar in (
        ("fsm6", 0.24, 0.25 + 0.75 * poverty / poverty.mean(), 0.075),
        ("sen_support", 0.127, tilt, 0.048),
        ("ehc_plans", 0.029, tilt, 0.006),
    ):
        spread = {"fsm6": 0.16, "sen_support": 0.24, "ehc_plans": 0.42}[column]
        share = relative * np.exp(rng.normal(0, spread, len(main)))
        extra = units if column == "ehc_plans" else units * 0
        wanted = rate * pupils.sum() - grammar * pupils[chosen].sum() - extra.sum()
        share *= wanted / (share * pupils)[~chosen].sum()
        share[chosen] = grammar * np.exp(rng.normal(0, 0.2, int(chosen.sum())))
        count = np.minimum(np.round(share * pupils + extra), np.floor(0.78 * pupils))
        for row, value in zip(main, count, strict=True):
            row[column] = int(value)
    for row in main:
        row["fsm"] = round(row["fsm6"] * float(np.clip(rng.normal(0.87, 0.04), 0.7, 0.97)))
        city = place_of(row["town"]).kind == "city" if row["town"] else False
        row["eal"] = round(row["pupils"] * float(rng.beta(2, 10 if city else 34)))
    for row in (r for r in rows if r.get("set_aside") and r["pupils"]):
        special = "pecial" in row["type"]
        row["ehc_plans"] = row["pupils"] if special else round(0.04 * row["pupils"])
        row["sen_support"] = 0 if special else round(0.2 * row["pupils"])


def give_srps(rows: list[Row]) -> list[Row]:
    """Places the provisions in schools and tells the schools of them; three records disagree."""
    given: list[Row] = []
    used: set[str] = set()
    for spec in SRPS:
        hosts = [
            r for r in rows
            if (r.get("town"), r["phase"]) == (spec["town"], spec["phase"])
            and not r.get("set_aside") and r["name"] not in used and r["high_age"] != 7
            and r["low_age"] in (3, 4, 11) and spec.get("host", "") in r["name"]
            and (r["selective"] != "yes" or "host" in spec)
        ]  # fmt: skip
        host = max(hosts, key=lambda r: (r["pupils"], r["name"]))
        used.add(host["name"])
        host["srp_roll"] = spec["on_roll"]
        if not spec.get("untold"):
            host |= {
                "srp_kind": spec["kind"],
                "srp_places": spec.get("told_places", spec["places"]),
                "srp_on_roll": spec["on_roll"],
                "need_types": spec["need_types"],
            }
        given.append({"school": host} | spec | {"sex": host["sex"], "name": host["name"]})
    stray = next(r for r in rows if r.get("town") == "Fairmead" and r["name"] not in used)
    stray |= {"srp_kind": "sen unit", "srp_places": 8, "srp_on_roll": 7, "need_types": "MLD"}
    return given


def make_schools(ground: Ground, rng: Generator) -> tuple[list[Row], list[Row], list[Row]]:
    """(schools sorted by URN, provisions, neighbourhoods)."""
    names = village_names(rng)
    rows = secondary_rows(ground, rng)
    for town in PLACES:
        rows += town_primaries(ground, town, rows, rng)
    taken = [metres([(p.x, p.y)])[0] for p in PLACES]
    for district in sorted(RURAL):
        rows += rural_primaries(ground, district, taken, names, rng)
    share_sites(rows)
    rows += set_aside_rows(ground, rows, rng)
    lsoas = neighbourhoods(ground, rows, rng)
    srps = give_srps(rows)
    fill_in(rows, lsoas, rng)
    number(rows, rng)
    return rows, srps, lsoas


def number(rows: list[Row], rng: Generator) -> None:
    """URNs in no geographical order, LAESTABs, postcodes (one per site), predecessors."""
    order = rng.permutation(len(rows))
    rows[:] = [rows[int(i)] for i in order]
    codes: dict[str, str] = {}
    counts: dict[str, int] = {}
    for i, row in enumerate(rows, start=1):
        row["urn"] = str(900000 + i)
        row["easting"], row["northing"] = (round(float(v)) for v in row["at"])
        series = {"primary": "2", "secondary": "4", "all_through": "6"}.get(row["phase"], "7")
        counts[series] = counts.get(series, 0) + 1
        row["laestab"] = f"990{series}{counts[series]:03d}"
        out = 1 + sorted(RURAL).index(row["district"])
        site = row.get("site", row["urn"])
        codes.setdefault(
            site, f"ZZ{out} {1 + i % 9}{'ABDEFGHJ'[i // 36 % 8]}{'LNPQRSTU'[i // 9 % 8]}"
        )
        row["postcode"] = codes[site]
    closed = sorted(r["urn"] for r in rows if r["status"] == "Closed")
    heirs = [r for r in rows if r["type"] == "Academy sponsor led" and not r.get("set_aside")]
    heirs[0]["predecessors"] = closed[0]
    heirs[1]["predecessors"] = f"{closed[1]};899107"
    heirs[2]["predecessors"] = "899031"
    plain = [
        r for r in rows if r["phase"] == "primary" and not r.get("set_aside") and not r["srp_kind"]
    ]
    min(plain, key=lambda r: r["pupils"])["ehc_plans"] = "c"
    min(plain, key=lambda r: (r["ehc_plans"] == "c", r["fsm6"], r["urn"]))["fsm6"] = "c"
