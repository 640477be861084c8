"""All of England's schools to every school within 45 minutes, on a network of England's size.

    python benchmarks/england.py [--spacing 200] [--minutes 45] [--schools N]

No road extract of England is at hand, so the roads are invented: a jittered grid over the real land
of the country, as dense as the real roads are on the whole, one street in ten missing and a main
road on every twelfth line. The schools and their places are real. Time and memory are what is
measured here, not minutes.
"""

from __future__ import annotations

import argparse
import sys
import time
from importlib.metadata import version
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.spatial import cKDTree

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import machine  # noqa: E402
from benchmarks.routing import grid, peak_mb  # noqa: E402
from geo.road_raw import RawRoads  # noqa: E402
from geo.road_within import minutes_within  # noqa: E402
from geo.roads import build  # noqa: E402

DATA = ROOT.parent / "shared" / "data" / "england"
RESULT = Path(__file__).with_name("results") / "england.md"
OFF_METRES = 1_500.0
"""Schools farther from the invented roads (islands, a coarse coast) are left out and counted."""


def over_land(spacing: float) -> RawRoads:
    """Return the invented grid, kept where it stands on England."""
    land = gpd.read_file(DATA / "lad24_bsc.geojson").to_crs("EPSG:27700").union_all()
    west, south, east, north = land.bounds
    raw = grid(
        int(max(east - west, north - south) / spacing) + 1, metres=spacing, origin=(west, south)
    )
    shapely.prepare(land)
    dry = shapely.contains_xy(land, raw.xy[:, 0], raw.xy[:, 1])
    return raw.taken(dry[raw.a] & dry[raw.b])


def schools_near(nodes: np.ndarray) -> tuple[pd.DataFrame, int]:
    """Return England's schools near the roads by URN, and how many are not."""
    table = pd.read_csv(DATA / "schools_composite.csv.gz", dtype={"URN": str}).set_index("URN")
    table = table[["Easting", "Northing"]].astype(float).dropna()
    table.columns = ["easting", "northing"]
    near = cKDTree(nodes).query(table.to_numpy())[0] < OFF_METRES
    return table[near].sort_index(), int((~near).sum())


def told(done: int, of: int) -> None:
    """Show progress in one line, as a planner would see it."""
    print(f"\r{done:,} of {of:,} schools", end="", file=sys.stderr, flush=True)


def measure(spacing: float, limit: float, few: int | None) -> str:
    """Search, and return the Markdown of what it took."""
    begin = time.process_time()
    roads = build(over_land(spacing), "drive", "generated")
    ready = time.process_time() - begin
    schools, away = schools_near(roads.xy)
    if few:
        schools = schools.iloc[np.linspace(0, len(schools) - 1, few).astype(int)]
    begin, clock = time.process_time(), time.monotonic()
    found = minutes_within(schools, roads, limit=limit, progress=told)
    seconds, clock = time.process_time() - begin, time.monotonic() - clock
    rows = [
        [
            f"{len(roads.xy):,}",
            f"{len(roads.a):,}",
            f"{len(schools):,}",
            f"{len(found):,}",
            f"{ready:.0f}",
            f"{seconds / 60:.1f}",
            f"{clock / 60:.1f}",
            f"{seconds / len(schools) * 1000:.0f}",
            f"{peak_mb() / 1024:.1f}",
        ]
    ]
    columns = ["nodes", "streets", "schools", f"journeys within {limit:g} min", "network ready s",
               "minutes of one processor", "on the clock", "ms a school", "peak GB"]  # fmt: skip
    return (
        "# England: every school to its neighbours\n\n"
        + machine.header(scipy=version("scipy"), busy=machine.busy())
        + "\n"
        + machine.table(columns, rows)
        + f"\nThe schools are England's own ({away:,} left out: islands and a coarse coast). The "
        f"roads are invented: a grid of {spacing:g} m over the real land, since no extract of "
        "England is at hand; minutes themselves mean nothing here. One process; the search is "
        "`geo.road_within.minutes_within`, which tells its progress and keeps only what it finds.\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spacing", type=float, default=200.0)
    parser.add_argument("--minutes", type=float, default=45.0)
    parser.add_argument("--schools", type=int)
    chosen = parser.parse_args()
    text = measure(chosen.spacing, chosen.minutes, chosen.schools)
    if not chosen.schools:
        RESULT.write_text(text, encoding="utf-8")
    print("\n" + text)


if __name__ == "__main__":
    main()
