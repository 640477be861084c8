"""What was chosen on one place or half, tested on another: driving speeds and the straight line.

Called by benchmarks/travel.py. Nothing here changes the shipped figures; it says how much of their
accuracy is left where they were not chosen.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks import machine
from geo.pace import BY_DISTANCE, pace_at
from geo.road_minutes import minutes_between
from geo.roads import Roads
from geo.speeds import read_speeds

RULES = ("in full", "as a cap")
SHARES = (0.8, 0.9, 1.0)
JUNCTIONS = (0.0, 1.0, 2.0, 3.0)
SHIPPED = ("in full", 1.0, 1.0)
BANDS = ((0.3, 2), (2, 5), (5, 10), (10, 20), (20, 40))
NEAR_KM = 40.0
SEED = 1


def settings() -> Iterator[tuple[str, float, float]]:
    """Yield every setting: how a signed limit is used, at which share, seconds at a junction."""
    yield from product(RULES, SHARES, JUNCTIONS)


def driven(roads: Roads, points: np.ndarray, setting: tuple[str, float, float]) -> np.ndarray:
    """Return minutes between points under a setting."""
    rule, share, junction = setting
    speeds = replace(read_speeds(), signed_share=share, junction_seconds=junction, factor=1.0)
    if rule == "as a cap":
        of_class = dict(speeds.drive)
        by_class = np.array([of_class.get(c, of_class["road"]) for c in roads.classes])
        capped = np.fmin(roads.signed_kmh * share, by_class[roads.road_class])
        signed = np.where(np.isnan(roads.signed_kmh), np.nan, capped)
        roads, speeds = replace(roads, signed_kmh=signed), replace(speeds, signed_share=1.0)
    return minutes_between(points, points, roads, speeds=speeds).to_numpy()


Place = tuple[Roads, np.ndarray, np.ndarray]
"""Roads, points (p, 2), and the independent router's minutes between them (p, p)."""


def driving(places: dict[str, Place]) -> str:
    """Choose the setting and the factor on one part, and test them on another."""
    found = {
        (name, setting): driven(roads, points, setting)
        for name, (roads, points, _) in places.items()
        for setting in settings()
    }
    one, two = list(places)
    half = {}
    for name, (_, points, _) in places.items():
        order = np.random.default_rng(SEED).permutation(len(points))
        half[name] = (np.sort(order[: len(order) // 2]), np.sort(order[len(order) // 2 :]))
    every = {name: np.arange(len(points)) for name, (_, points, _) in places.items()}
    folds = [
        (one, every[one], two, every[two]),
        (two, every[two], one, every[one]),
        *((name, *(half[name][0],), name, half[name][1]) for name in places),
    ]

    def error(name: str, rows: np.ndarray, setting: tuple, factor: float | None) -> tuple:
        guess, truth = found[name, setting][np.ix_(rows, rows)], places[name][2][np.ix_(rows, rows)]
        good = np.isfinite(truth) & np.isfinite(guess) & ~np.eye(len(rows), dtype=bool)
        if factor is None:
            factor = float((guess[good] * truth[good]).sum() / (guess[good] ** 2).sum())
        return np.abs(guess[good] * factor - truth[good]).mean(), factor

    rows = []
    for train, inside, test, outside in folds:
        scored = {setting: error(train, inside, setting, None) for setting in settings()}
        best = min(scored, key=lambda setting: scored[setting][0])
        fitted, factor = scored[best]
        rule, share, junction = best
        there = error(test, outside, best, factor)[0]
        shipped = error(test, outside, SHIPPED, read_speeds().factor)[0]
        half_word = "half" if train == test else "whole"
        rows.append([f"{train}, {half_word}", f"{test}, {'other ' * (train == test)}{half_word}",
                     f"{rule}, × {share:g}, {junction:g} s", f"{factor:.3f}", f"{fitted:.2f}",
                     f"{there:.2f}", f"{shipped:.2f}"])  # fmt: skip
    columns = ["chosen on", "tested on", "limits and junctions chosen", "factor",
               "error there, min", "error where tested", "shipped, where tested"]  # fmt: skip
    return (
        "## Driving speeds, chosen on one part and tested on another\n\n"
        + machine.table(columns, rows)
        + f"\n{len(list(settings()))} settings and a free factor, mean absolute error in minutes "
        "against the independent router. The shipped row (limits in full, 1 s, factor 1) was "
        "chosen on all of these journeys together, so its last column is no test; the column "
        "before it is. Two places, one router: neither knows real traffic.\n"
    )


def power(km: np.ndarray, minutes: np.ndarray, weight: np.ndarray) -> tuple[float, float]:
    """Fit minutes = a × km ** b by least absolute error of the logarithm (iterated weights)."""
    design, truth = np.column_stack([np.ones_like(km), np.log(km)]), np.log(minutes)
    now = weight.copy()
    answer = np.zeros(2)
    for _ in range(60):
        scale = np.sqrt(now)
        answer, *_ = np.linalg.lstsq(design * scale[:, None], truth * scale, rcond=None)
        now = weight / np.maximum(np.abs(design @ answer - truth), 0.01)
    return float(np.exp(answer[0])), float(answer[1])


def hospital_halves(pairs: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return two sets of pairs that share no hospital."""
    names = np.array(sorted(set(pairs["from"]) | set(pairs["to"])))
    chosen = set(np.random.default_rng(SEED).permutation(names)[: len(names) // 2])
    start, end = pairs["from"].isin(chosen), pairs["to"].isin(chosen)
    return pairs[start & end], pairs[~start & ~end]


def straight(pairs: pd.DataFrame, places: dict[str, Place], detour: float, kmh: float) -> str:
    """Fit a speed that grows with distance on one half, and test it on what it never saw.

    The rows "all" are the default as it is shipped; `kmh` is the even speed it took the place of.
    """
    shipped = pace_at(BY_DISTANCE)
    near = pairs[pairs["straight_km"] < NEAR_KM]
    one, two = hospital_halves(near)
    sets = {
        "hospitals, one half": (one["straight_km"].to_numpy(), one["car_minutes"].to_numpy()),
        "hospitals, other half": (two["straight_km"].to_numpy(), two["car_minutes"].to_numpy()),
    }
    for name, (_, points, truth) in places.items():
        km = np.hypot(*(points[:, None] - points[None]).transpose(2, 0, 1)) / 1000
        good = np.isfinite(truth) & (km > BANDS[0][0]) & (km < NEAR_KM)
        sets[name] = km[good], truth[good]
    first, last = list(places)
    rows = []
    for train, test in ((("hospitals, one half", first), ("hospitals, other half", last)),
                        (("hospitals, other half", last), ("hospitals, one half", first)),
                        (tuple(sets), tuple(sets))):  # fmt: skip
        km, minutes = (np.concatenate([sets[name][k] for name in train]) for k in (0, 1))
        # Each set weighs alike, however many journeys it has.
        weight = np.concatenate([np.full(len(sets[n][0]), 1.0 / len(sets[n][0])) for n in train])
        a, b = power(km, minutes, weight * len(km))
        pace = float(np.median(np.repeat(minutes / km, np.ceil(weight / weight.min()).astype(int))))
        law, fitted_on = f"{a:.2f} × km^{b:.2f}", " + ".join(train)
        if train == test:
            law = f"{shipped.minutes_at_1_km * detour**shipped.power:.2f} × km^{shipped.power:.2f}"
            fitted_on = "all (no hold-out): the default as shipped"
        for name in test:
            far, truth = sets[name]
            guess = shipped.minutes(far * detour) if train == test else a * far**b
            gap, even = guess - truth, np.abs(pace * far - truth)
            old = np.abs(far * detour / kmh * 60 - truth)
            rows.append([fitted_on, name, law, f"{gap.mean():+.1f}", f"{np.abs(gap).mean():.1f}",
                         f"{even.mean():.1f}", f"{old.mean():.1f}"])  # fmt: skip
    columns = ["fitted on", "tested on", "minutes by straight km", "its bias", "its error, min",
               "best even speed", f"old default ({kmh:g} km/h)"]  # fmt: skip
    shown = []
    for low, high in BANDS:
        middle = (low * high) ** 0.5
        speeds = []
        for far, truth in sets.values():
            inside = (far >= low) & (far < high)
            fits = (
                np.median(far[inside] / truth[inside]) * 60 * detour if inside.sum() > 9 else None
            )
            speeds.append("–" if fits is None else f"{fits:.0f}")
        shown.append(
            [f"{low:g}–{high:g}", *speeds, f"{middle * detour / (a * middle**b) * 60:.0f}"]
        )
    return (
        "## The default straight line, whose speed grows with distance, and the old one\n\n"
        "The first four rows are the test: a law of the same shape, fitted on half of the hospital "
        "pairs and one town, judged on the other half and the other town. No hospital is in both "
        "halves.\n\n"
        + machine.table(columns, rows)
        + f"\nA fit on all of it gives {a:.2f} × km^{b:.2f}.\n"
        + f"\nSpeeds that fit a detour of {detour:g}, km/h, and the law fitted on all:\n\n"
        + machine.table(["km", *sets, "law"], shown)
        + "\nThe router's minutes are "
        "of light traffic, the hospitals' of a working day. All of them drive faster the farther "
        "they go: an even speed that is right for neighbours is too slow for the far side of a "
        "district, and the reverse.\n"
    )


def places_of(
    folder: Path, files: dict[str, Path], points: dict[str, np.ndarray]
) -> dict[str, Place]:
    """Return the places with the router's minutes (`<place>_auto.npy`, seconds)."""
    from geo.roads import read_roads

    return {
        name: (read_roads(file), points[name], np.load(folder / f"{name}_auto.npy") / 60)
        for name, file in files.items()
    }
