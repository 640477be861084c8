"""One line in a study gives minutes over roads: from tables or live, kept, and with faults."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import geo.roads
from clustering.inputs import load_inputs
from clustering.study import Study
from geo.errors import StudyError, TravelError
from tests.studies import County, county
from tests.test_roads import osmnx_like

STEP = 1000.0


def gridded(lines: str = "") -> County:
    """Return the invented county with a grid of roads over both districts."""
    made = county()
    spots = made.schools[["easting", "northing"]].to_numpy(float)
    low, high = spots.min(axis=0) - STEP, spots.max(axis=0) + STEP
    east, north = (np.arange(a, b, STEP) for a, b in zip(low, high, strict=True))
    nodes = [
        (f"{i}-{j}", float(x), float(y)) for i, x in enumerate(east) for j, y in enumerate(north)
    ]
    edges = [
        (f"{i}-{j}", f"{i + di}-{j + dj}", "tertiary", "60")
        for i in range(len(east))
        for j in range(len(north))
        for di, dj in ((1, 0), (0, 1))
        if i + di < len(east) and j + dj < len(north)
    ]
    tables = {
        "nodes.csv": pd.DataFrame(nodes, columns=["node", "easting", "northing"]),
        "edges.csv": pd.DataFrame(edges, columns=["u", "v", "highway", "maxspeed"]),
    }
    made.texts |= {name: table.to_csv(index=False) for name, table in tables.items()}
    made.merge(lines or OVER_ROADS)
    return made


OVER_ROADS = """
[travel]
source = "roads"
roads = ["nodes.csv", "edges.csv"]
roads_date = "May 2026"
peak = 1.5
cache = "kept"
"""


def test_a_study_gets_minutes_over_roads_and_keeps_them(tmp_path: Path) -> None:
    study = Study.load(gridded().write(tmp_path))
    inputs = load_inputs(study)
    minutes = inputs.minutes
    assert minutes.kind == "roads"
    assert "of May 2026" in minutes.source
    assert "peak × 1.5" in minutes.source
    schools = inputs.table.loc[minutes.table.index, ["easting", "northing"]].to_numpy(float)
    # On a grid at 60 km/h a kilometre east or north is a minute and a half at the peak, besides
    # a second and a half a junction and the way to the road.
    blocks = np.abs(schools[:, None] - schools[None]).sum(axis=2) / 1000 * 1.5
    off = ~np.eye(len(schools), dtype=bool)
    gap = (minutes.table.to_numpy() - blocks)[off]
    assert np.quantile(gap, 0.05) > -0.1
    assert np.quantile(gap, 0.95) < 6.0
    kept = {p.suffix for p in (tmp_path / "kept").iterdir()}
    assert kept == {".npz", ".json", ".parquet"}
    assert load_inputs(study).minutes.table.equals(minutes.table)


def test_the_roads_are_files_of_the_study(tmp_path: Path) -> None:
    path = gridded().write(tmp_path)
    study = Study.load(path)
    assert {"travel.roads 1", "travel.roads 2"} <= set(study.files())
    before = study.digest()
    edges = tmp_path / "edges.csv"
    edges.write_text(edges.read_text("utf-8").replace("tertiary", "primary", 1), encoding="utf-8")
    assert Study.load(path).digest() != before


def test_walking_is_slower(tmp_path: Path) -> None:
    drive = load_inputs(Study.load(gridded().write(tmp_path / "a"))).minutes
    walk = OVER_ROADS.replace("peak", 'mode = "walk"\npeak')
    found = load_inputs(Study.load(gridded(walk).write(tmp_path / "b"))).minutes
    assert found.source.startswith("walking over")
    assert (found.table.to_numpy() >= drive.table.to_numpy()).all()


def test_live_roads_stand_behind_one_seam(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def fetch(polygon: object, mode: str) -> object:
        asked.append(mode)
        made = gridded()
        rows = [line.split(",") for line in str(made.texts["nodes.csv"]).split()[1:]]
        spots = {n: (float(x) - 500_000, float(y) - 200_000) for n, x, y in rows}
        pairs = [line.split(",")[:2] for line in str(made.texts["edges.csv"]).split()[1:]]
        return osmnx_like(spots, pairs)

    monkeypatch.setattr(geo.roads, "osmnx_fetch", fetch)
    live = '[travel]\nsource = "roads"\nroads = "live"\ncache = "kept"\n'
    study = Study.load(gridded(live).write(tmp_path))
    minutes = load_inputs(study).minutes
    assert "OpenStreetMap roads of 2026-10-01 (© OpenStreetMap contributors)" in minutes.source
    load_inputs(study)
    assert asked == ["drive"]


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ('[travel]\nsource = "roads"', "needs `roads`"),
        ('[travel]\nsource = "roads"\nroads = "live"', "needs `cache`"),
        ('[travel]\nsource = "roads"\nroads = "lost.osm.pbf"', "the file is not there"),
        ('[travel]\nsource = "roads"\nroads = ["a.csv", "b.csv", "c.csv"]', "needs `roads`"),
        ('[travel]\nsource = "roads"\nroads = "schools.csv"\nmode = "fly"', "mode"),
    ],
)
def test_a_study_that_asks_for_no_roads_is_told(tmp_path: Path, lines: str, told: str) -> None:
    with pytest.raises(StudyError, match=told):
        Study.load(gridded(lines).write(tmp_path))


def test_a_file_that_is_no_road_file_is_told(tmp_path: Path) -> None:
    lines = '[travel]\nsource = "roads"\nroads = "schools.csv"'
    with pytest.raises(TravelError, match="no kind of road file"):
        load_inputs(Study.load(gridded(lines).write(tmp_path)))
