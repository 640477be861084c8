"""How well minutes are known: straight lines and roads against three sets of others' minutes.

    python benchmarks/travel.py [--router FOLDER]

1. Real calibrated car minutes between 122 hospitals of England and Wales: what a straight line with
   a detour and a speed can and cannot do, and which speed fits at which distance; the default and
   the old one on pairs that had no part in the fit.
2. Real walk-and-bus minutes from Brighton's postcodes to its secondary schools: walking.
3. With --router, a folder of minutes by an independent router (Valhalla) on the very extracts that
   lie beside the project: `<place>.json` (longitude, latitude), `<place>_<costing>.npy` (seconds).
"""

from __future__ import annotations

import argparse
import json
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import holdout, machine  # noqa: E402
from geo.pace import BY_DISTANCE, pace_at  # noqa: E402
from geo.road_minutes import minutes_between  # noqa: E402
from geo.road_raw import to_grid  # noqa: E402
from geo.roads import read_roads  # noqa: E402
from geo.speeds import read_speeds  # noqa: E402

DATA = ROOT.parent / "shared" / "data"
RESULT = Path(__file__).with_name("results") / "travel.md"
BANDS = ((0, 5), (5, 10), (10, 20), (20, 40), (40, 80), (80, 200))
DETOUR, OLD_KMH = 1.3, 40.0
"""The detour of the default straight line, and the even speed that was its default before."""
DEFAULT = pace_at(BY_DISTANCE)
PLACES = {"newport": "newport-2023-06-13.osm.pbf", "rutland": "rutland_2022.osm.pbf"}
SCHOOLS = {
    "varndean": "114579",
    "ds": "114580",
    "longhill": "114581",
    "blatchington": "114606",
    "hove_park": "114607",
    "patcham": "114608",
    "cardinal_n": "114611",
    "baca": "136164",
    "paca": "137063",
    "kings": "139409",
}
"""Brighton's schools by the names of that table and their URNs."""


def errors(guess: np.ndarray, truth: np.ndarray) -> list[str]:
    """Return bias, mean absolute error, its share of the mean, and the 95th percentile."""
    gap = guess - truth
    absolute = np.abs(gap)
    return [
        f"{gap.mean():+.1f}",
        f"{absolute.mean():.1f}",
        f"{absolute.mean() / truth.mean():.0%}",
        f"{np.quantile(absolute, 0.95):.1f}",
    ]


def hospitals() -> str:
    """Straight line against calibrated car minutes, by distance."""
    pairs = pd.read_csv(DATA / "travel" / "inter_hospital_pairs_ew.csv")
    pairs = pairs[(pairs["straight_km"] > 0.5) & (pairs["car_minutes"] > 0)]
    km, truth = pairs["straight_km"].to_numpy(), pairs["car_minutes"].to_numpy()
    default, old = DEFAULT.minutes(km * DETOUR), km * DETOUR / OLD_KMH * 60
    rows = []
    for low, high in BANDS:
        inside = (km >= low) & (km < high)
        if inside.sum() < 5:
            continue
        speed = float(np.median(km[inside] / truth[inside]) * 60)
        rows.append(
            [
                f"{low}–{high}",
                f"{inside.sum():,}",
                f"{np.median(truth[inside]):.0f}",
                f"{speed:.0f}",
                f"{speed * DETOUR:.0f}",
                "yes" if high <= holdout.NEAR_KM else "no",
                *errors(default[inside], truth[inside]),
                *errors(old[inside], truth[inside])[:2],
            ]
        )
    near = km < holdout.NEAR_KM
    fitted, law = fit(km[near], truth[near])
    columns = ["km", "pairs", "median minutes", "km/h by straight line",
               f"km/h that fits a detour of {DETOUR}", "in the fit", "default's bias, min",
               "mean abs. error", "share", "95th percentile", f"bias at {OLD_KMH:g} km/h",
               "mean abs. error"]  # fmt: skip
    parts = []
    for words, chosen in (
        (f"All pairs under {holdout.NEAR_KM:g} km, which had a part in its fit", near),
        ("Of these the pairs under 20 km, where it is too quick for daytime traffic", km < 20),
        (f"All pairs of {holdout.NEAR_KM:g} km and more, which had none (held out)", ~near),
    ):
        parts.append(
            f"\n{words}:\n\n- the default ({DETOUR} × the straight line {DEFAULT.words}): "
            + told(errors(default[chosen], truth[chosen]))
            + f"- the old default ({OLD_KMH:g} km/h throughout): "
            + told(errors(old[chosen], truth[chosen]))
        )
    return (
        "## Straight lines against car minutes between hospitals\n\n"
        + machine.table(columns, rows)
        + "".join(parts)
        + f"\nAnother law, fitted on the pairs under {holdout.NEAR_KM:g} km: {law}: "
        + told(errors(fitted, truth[near]))
        + "\nThese minutes are a health service's planning minutes between large towns, in daytime "
        "traffic, gate to gate; a school run of 3 km is in none of them.\n"
    )


def fit(km: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, str]:
    """Fit minutes = start + straight km × pace by least absolute error (iterated weights)."""
    design = np.column_stack([np.ones_like(km), km])
    weight = np.ones_like(km)
    for _ in range(50):
        scale = np.sqrt(weight)[:, None]
        answer, *_ = np.linalg.lstsq(design * scale, truth * scale[:, 0], rcond=None)
        weight = 1.0 / np.maximum(np.abs(design @ answer - truth), 0.1)
    law = (
        f"{answer[0]:.1f} minutes to set off and arrive, then "
        f"{60 / answer[1] * DETOUR:.0f} km/h over {DETOUR} × the straight line"
    )
    return design @ answer, law


def told(parts: list[str]) -> str:
    bias, mean, share, most = parts
    return f"bias {bias} min, mean absolute error {mean} min ({share}), 95th percentile {most}.\n"


def brighton() -> str:
    """Walking by straight line against walk-and-bus minutes of ten schools."""
    table = pd.read_csv(DATA / "travel" / "brighton_postcode_school_minutes.csv")
    homes = to_grid(table[["long", "lat"]].to_numpy(float))
    schools = pd.read_csv(DATA / "england" / "schools_composite.csv.gz", dtype={"URN": str})
    schools = schools.set_index("URN")[["Easting", "Northing"]].astype(float)
    km = np.column_stack(
        [np.hypot(*(homes - schools.loc[u].to_numpy()).T) for u in SCHOOLS.values()]
    )
    km /= 1000
    truth = table[[f"time_{name}" for name in SCHOOLS]].to_numpy(float)
    speed = read_speeds().walk_kmh
    rows = []
    for low, high in ((0.1, 0.5), (0.5, 1.0), (1.0, 2.0), (2.0, 4.0), (4.0, 8.0)):
        inside = (km >= low) & (km < high) & (truth > 0)
        walked = km[inside] * DETOUR / speed * 60
        pace = float(np.median(km[inside] * DETOUR / truth[inside]) * 60)
        rows.append(
            [
                f"{low:g}–{high:g}",
                f"{inside.sum():,}",
                f"{np.median(truth[inside]):.0f}",
                f"{pace:.1f}",
                *errors(walked, truth[inside]),
            ]
        )
    near = (km > 0.1) & (km < 1.0) & (truth > 0)
    fitted, law = fit(km[near], truth[near])
    columns = ["km", "journeys", "median minutes", f"km/h at a detour of {DETOUR}",
               "bias of walking, min", "mean abs. error", "share", "95th percentile"]  # fmt: skip
    return (
        "## Walking against Brighton's walk-and-bus minutes\n\n"
        + machine.table(columns, rows)
        + f"\nFitted under 1 km: {law}: {told(errors(fitted, truth[near]))}"
        + "\nThese minutes are planned door-to-door journeys by whichever is quicker, walking or "
        "the bus, over hills and with a time to set off. Even below a kilometre they are longer "
        f"than {speed:g} km/h over 1.3 × the straight line says; farther out pupils ride: "
        "walking alone is a different question. So they do not calibrate walking; they show that "
        "walking minutes are an optimist's. No roads of Brighton are at hand: this is the "
        "straight line, not the network.\n"
    )


def routers(folder: Path) -> str:
    """Minutes over roads against an independent router on the same extract."""
    rows = []
    speeds = read_speeds()
    for place, file in PLACES.items():
        points = to_grid(np.array(json.loads((folder / f"{place}.json").read_text("utf-8"))))
        for costing, mode in (("auto", "drive"), ("pedestrian", "walk")):
            truth = np.load(folder / f"{place}_{costing}.npy") / 60
            roads = read_roads(DATA / "roads" / file, mode=mode)
            found = minutes_between(points, points, roads, speeds=speeds).to_numpy()
            km = np.hypot(*(points[:, None] - points[None]).transpose(2, 0, 1)) / 1000
            # Its tiles end a walk of hours; and nobody walks farther than an hour to a school.
            good = np.isfinite(truth) & np.isfinite(found) & (km > 0)
            good &= truth < (60 if mode == "walk" else np.inf)
            guess, line, sure = found[good], km[good], truth[good]
            best = float((guess * sure).sum() / (guess**2).sum())
            slope = float((line * sure).sum() / (line**2).sum())
            scaled = np.abs(guess * best - sure).mean()
            rows.append([place, mode, f"{good.sum():,}", f"{np.median(sure):.1f}",
                         *two(guess - sure), f"{best:.3f}", f"{scaled:.2f}",
                         f"{np.abs(line * slope - sure).mean():.2f}"])  # fmt: skip
    columns = ["place", "mode", "journeys", "median minutes", "bias", "mean abs. error",
               "best factor", "error with it", "error of the best straight line"]  # fmt: skip
    return (
        "## Roads against an independent router (Valhalla 3, same extracts)\n\n"
        + machine.table(columns, rows)
        + "\nThe router drives at signed limits as this project does, so the agreement shows that "
        "the network, its directions and its junctions are read alike; it does not show that "
        "either knows the traffic at half past eight. For that there is `peak`. That a signed "
        "limit is driven at in full was chosen on these same journeys, among some thirty settings, "
        "so this is a fit and no independent test: with limits only as a cap on the class the "
        "errors were 0.64 "
        "(Newport) and 1.19 minutes (Rutland).\n"
    )


def two(gap: np.ndarray) -> list[str]:
    return [f"{gap.mean():+.2f}", f"{np.abs(gap).mean():.2f}"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--router", type=Path)
    chosen = parser.parse_args()
    speeds = read_speeds()
    parts = [
        "# How well the minutes are known\n",
        machine.header(scipy=version("scipy")),
        f"Speeds of {speeds.date}, factor {speeds.factor:g}: {speeds.evidence}.\n",
    ]
    if chosen.router:
        parts.append(routers(chosen.router))
        files = {place: DATA / "roads" / file for place, file in PLACES.items()}
        points = {
            place: to_grid(
                np.array(json.loads((chosen.router / f"{place}.json").read_text("utf-8")))
            )
            for place in PLACES
        }
        places = holdout.places_of(chosen.router, files, points)
        pairs = pd.read_csv(DATA / "travel" / "inter_hospital_pairs_ew.csv")
        pairs = pairs[(pairs["straight_km"] > 0.5) & (pairs["car_minutes"] > 0)]
        parts.append(holdout.driving(places))
    parts.append(hospitals())
    if chosen.router:
        parts.append(holdout.straight(pairs, places, DETOUR, OLD_KMH))
    parts.append(brighton())
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text("\n".join(parts), encoding="utf-8")
    print(RESULT.read_text("utf-8"))


if __name__ == "__main__":
    main()
