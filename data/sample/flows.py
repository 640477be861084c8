"""Who moves where at 11 (and at 7), and today's clusters, for the invented county of Sandmere."""

from __future__ import annotations

import numpy as np
import shapely
from ground import ESTUARY, ORIGIN, Ground
from numpy.random import Generator
from people import Row

YEARS = (2024, 2025, 2026)
COUNTED = ("primary", "secondary", "all_through")


def mainstream(rows: list[Row]) -> list[Row]:
    """The schools that can be in a cluster."""
    return [r for r in rows if not r.get("set_aside")]


def road_km(ground: Ground, start: list[Row], end: list[Row]) -> np.ndarray:
    """Rough road kilometres (n, m): 1.3 x straight, but round water by the bridges or the head."""
    isle, estuary = ground.crossings
    gates = np.array([estuary.start, estuary.end, (610_900, 421_700)], dtype=float)
    a, b = (np.array([r["at"] for r in rows], dtype=float) for rows in (start, end))
    on_isle = [shapely.covers(ground.island, shapely.points(p)) for p in (a, b)]
    a, b = (
        np.where(i[:, None], np.array(isle.start, float), p)
        for i, p in zip(on_isle, (a, b), strict=True)
    )

    def gap(p: np.ndarray, q: np.ndarray) -> np.ndarray:
        return np.hypot(*(p[:, None] - q[None]).transpose(2, 0, 1))

    pairs = np.stack([np.repeat(a, len(b), 0), np.tile(b, (len(a), 1))], axis=1)
    wet = shapely.length(shapely.difference(shapely.linestrings(pairs), ground.mainland))
    plain = gap(a, b)
    bridge = np.minimum(
        gap(a, gates[:1]) + gap(gates[1:2], b), gap(a, gates[1:2]) + gap(gates[:1], b)
    )
    round_water = np.minimum(bridge, gap(a, gates[2:]) + gap(gates[2:], b))
    line = np.array(ESTUARY)[::-1, :2] * 1000 + ORIGIN
    north = [p[:, 1] > np.interp(p[:, 0], line[:, 0], line[:, 1]) for p in (a, b)]
    apart = (north[0][:, None] != north[1][None]) & (wet.reshape(plain.shape) > 500)
    metres = np.where(apart, round_water, plain)
    tails = [
        i * (3500 + np.hypot(*(np.array([r["at"] for r in rows]) - isle.end).T))
        for i, rows in zip(on_isle, (start, end), strict=True)
    ]
    both = on_isle[0][:, None] & on_isle[1][None]
    there = tails[0][:, None] + tails[1][None] + metres
    home = gap(*(np.array([r["at"] for r in rows], dtype=float) for rows in (start, end)))
    return 1.3 * np.where(both, home, there) / 1000 + 0.5


def expected(ground: Ground, leavers: list[Row], takers: list[Row]) -> np.ndarray:
    """Chance of each destination (n, m + 3): Huff model with faith and grammar shares, then PANs.

    The last three columns are out of the county, independent and special schools.
    """
    km = road_km(ground, leavers, takers)
    places = np.array([r["pan"] for r in takers], dtype=float)
    leave = np.array([r["leavers"] for r in leavers])
    poverty = np.array([r["poverty"] for r in leavers])
    grammar = np.array([r["selective"] == "yes" for r in takers])
    rural = np.array([not r["town"] for r in leavers])
    pull = np.exp(-km / np.where(rural, 8.0, 4.5)[:, None]) * ~grammar
    for j, taker in enumerate(takers):
        for i, leaver in enumerate(leavers):
            if taker["faith"] == "Roman Catholic":
                pull[i, j] *= 9 if leaver["faith"] == taker["faith"] else 0.2
            elif taker["faith"] and leaver["faith"] == taker["faith"]:
                pull[i, j] *= 2
    far = np.exp(-km / 11.0) * grammar
    nearest = np.where(grammar, km, np.inf).min(axis=1)
    bright = np.clip(0.36 - 0.9 * poverty, 0.03, 0.33) * np.exp(-nearest / 24)
    west = np.array([r["easting"] < 601_000 for r in leavers])
    away = np.column_stack(
        [
            np.where(west, 0.08, 0.02),
            0.07 - 0.2 * np.clip(poverty, 0, 0.3),
            np.full(len(leavers), 0.012),
        ]
    )
    stay = 1 - away.sum(axis=1)
    share = np.ones(len(takers))
    for _ in range(40):
        chance = pull * places * share
        chance *= ((1 - bright) * stay / chance.sum(axis=1))[:, None]
        top = far * places * share
        chance += top * (bright * stay / top.sum(axis=1))[:, None]
        share *= np.clip(places * 0.98 / (leave @ chance), 0.5, 1.15)
    chance = np.column_stack([np.where(chance < np.where(grammar, 0.008, 0.02), 0, chance), away])
    return chance / chance.sum(axis=1)[:, None]


def draw(
    chance: np.ndarray, leavers: list[Row], goals: list[str], source: str, rng: Generator
) -> list[Row]:
    """Three years of moves, each pupil drawn once; 1 to 4 pupils are written as `c`."""
    found = []
    for year in YEARS:
        for row, p in zip(leavers, chance, strict=True):
            size = max(2, round(row["leavers"] * float(np.clip(rng.normal(1, 0.06), 0.85, 1.15))))
            for goal, pupils in zip(goals, rng.multinomial(size, p), strict=True):
                if pupils and goal != row["urn"]:
                    found.append(
                        {
                            "from_urn": row["urn"],
                            "to_urn": goal,
                            "year": year,
                            "kind": "actual",
                            "pupils": "c" if pupils < 5 else int(pupils),
                            "source": source,
                        }
                    )
    return found


def make_flows(ground: Ground, rows: list[Row], rng: Generator) -> list[Row]:
    """Year 6 to Year 7 and Year 2 to Year 3, sorted by from, year and to."""
    schools = mainstream(rows)
    primaries = [r for r in schools if r["phase"] == "primary" and r["high_age"] == 11]
    for row in primaries:
        row["leavers"] = row["pupils"] / (4 if row["low_age"] == 7 else 7)
    takers = [r for r in schools if r["phase"] != "primary" and r["low_age"] != 14]
    goals = [r["urn"] for r in takers] + ["OUT", "IND", "SPEC"]
    found = draw(expected(ground, primaries, takers), primaries, goals, "transfer_y7", rng)
    infants = [r for r in schools if r["high_age"] == 7]
    others = [r for r in primaries if r["leavers"]]
    km = road_km(ground, infants, others)
    for i, row in enumerate(infants):
        row["leavers"] = row["pupils"] / 3
        chance = np.zeros(len(others) + 3)
        near = np.argsort(km[i], kind="stable")[:4]
        chance[near] = 0.02
        chance[next(j for j, o in enumerate(others) if o.get("site") == row["site"])] = 0.9
        chance[-3:] = (0.02, 0.02, 0.01)
        goals = [o["urn"] for o in others] + ["OUT", "IND", "SPEC"]
        found += draw((chance / chance.sum())[None], [row], goals, "transfer_y3", rng)
    return sorted(found, key=lambda f: (f["from_urn"], f["year"], f["to_urn"]))


def make_existing(rows: list[Row], rng: Generator) -> list[Row]:
    """Today's clusters: blobs drawn as the crow flies, blind to water, size and districts."""
    schools = mainstream(rows)
    at = np.array([r["at"] for r in schools], dtype=float)
    seeds = at[rng.choice(len(at), 22, replace=False)]
    pull = np.zeros(len(seeds))  # metres: a crowded blob gives way a little, as people would
    for _ in range(12):
        away = np.hypot(*(at[:, None] - seeds[None]).transpose(2, 0, 1)) - pull
        mine = away.argmin(axis=1)
        size = np.bincount(mine, minlength=len(seeds))
        pull -= 110.0 * (size - len(at) / len(seeds))
        seeds = np.array(
            [at[mine == k].mean(axis=0) if size[k] else seeds[k] for k in range(len(seeds))]
        )
    order = np.lexsort((seeds[:, 0], -np.round(seeds[:, 1], -4)))
    rank = {int(k): i for i, k in enumerate(order, start=1)}
    return [
        {"urn": r["urn"], "cluster": f"Community {rank[int(k)]}"}
        for r, k in zip(schools, mine, strict=True)
    ]
