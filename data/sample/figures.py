"""The figures of the schools of Sandmere: neighbourhoods, deprivation, SEN, provisions, numbers.

Every figure is drawn from a seeded generator and then brought to the rates of a typical English
county (EHC plans 2.9 %, SEN support 12.7 %, FSM6 24 % of pupils).
"""

from __future__ import annotations

import numpy as np
import shapely
from ground import Ground, metres
from names import SRPS
from numpy.random import Generator
from people import RURAL, Row, make_rows, place_of
from shapely.geometry import Point

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
    stray = next(r for r in rows if r.get("town") == "Wrenmead" and r["name"] not in used)
    stray |= {"srp_kind": "sen unit", "srp_places": 8, "srp_on_roll": 7, "need_types": "MLD"}
    return given


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


def make_schools(ground: Ground, rng: Generator) -> tuple[list[Row], list[Row], list[Row]]:
    """(schools in order of URN, provisions, neighbourhoods)."""
    rows = make_rows(ground, rng)
    lsoas = neighbourhoods(ground, rows, rng)
    srps = give_srps(rows)
    fill_in(rows, lsoas, rng)
    number(rows, rng)
    return rows, srps, lsoas
