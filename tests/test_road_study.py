"""One line in a study gives minutes over roads: from tables or live, kept, and with faults."""

import json
import re
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import geo.roads
from clustering.inputs import Inputs, load_inputs
from clustering.outputs import write_plan
from clustering.plan import Plan
from clustering.publish.plan_map import plan_map
from clustering.publish.sources import manifest, sources_of
from clustering.publish.ways import hub_routes, long_ways
from clustering.report import Report
from clustering.run import design, judge
from clustering.show import long_ways_shown
from clustering.study import Study
from geo.errors import StudyError, TravelError
from geo.maps import save
from tests.studies import County, county
from tests.test_road_minutes import needs_real
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


PLAN_OF = "urn,cluster\n"


def judged(tmp_path: Path, lines: str = OVER_ROADS) -> tuple[Inputs, Plan, Report]:
    """Return a study over roads with a plan by hand: one cluster a district."""
    inputs = load_inputs(Study.load(gridded(lines).write(tmp_path)))
    rows = [f"{urn},{area} 1" for urn, area in inputs.table["area"].items()]
    (tmp_path / "hand.csv").write_text(PLAN_OF + "\n".join(rows), encoding="utf-8")
    plan, report = judge(inputs, tmp_path / "hand.csv")
    return inputs, plan, report


def test_every_output_says_where_its_minutes_come_from(tmp_path: Path) -> None:
    inputs, plan, report = judged(tmp_path)
    out = tmp_path / "out"
    write_plan(out, inputs, plan, report)
    source = inputs.minutes.source
    assert set(pd.read_csv(out / "clusters.csv")["minutes_from"]) == {source}
    notes = pd.read_excel(out / "plan.xlsx", sheet_name="notes")["note"]
    assert notes[0] == f"Minutes: {source}"
    for layer in ("schools", "clusters", "routes"):
        assert set(gpd.read_file(out / "plan.gpkg", layer=layer)["minutes_from"]) == {source}
    page = (out / "map.html").read_text("utf-8")
    assert source in page
    # Tables of one's own are not OpenStreetMap's, and nobody is credited for them.
    assert "OpenStreetMap" not in page
    assert manifest(inputs)["roads"]["attribution"] == ""
    assert manifest(inputs)["roads"]["digest"] == inputs.ways.roads.digest


def osm_lines(**described: str) -> str:
    extra = "".join(f'{key} = "{value}"\n' for key, value in described.items())
    return f'{OVER_ROADS}\n[[sources]]\nfile = "edges.csv"\n{extra}' if extra else OVER_ROADS


@pytest.mark.parametrize(
    ("described", "times"),
    [
        ({}, 1),
        ({"what": "Our roads", "licence": "ours"}, 1),
        ({"what": "Roads", "attribution": "© OpenStreetMap contributors"}, 1),
    ],
)
def test_openstreetmap_is_credited_by_itself(
    tmp_path: Path, described: dict[str, str], times: int
) -> None:
    made = gridded(osm_lines(**described))
    made.texts["edges.csv"] = str(made.texts["edges.csv"]).replace("maxspeed", "maxspeed,osmid", 1)
    made.texts["edges.csv"] = str(made.texts["edges.csv"]).replace(",60\n", ",60,7\n")
    inputs = load_inputs(Study.load(made.write(tmp_path)))
    assert inputs.ways is not None
    assert inputs.ways.roads.osm
    credits = [s for s in sources_of(inputs) if "OpenStreetMap contributors" in s.attribution]
    assert len(credits) == times
    if not described:
        assert credits[0].date == "May 2026"
        assert "ODbL" in credits[0].licence
        assert not [s for s in sources_of(inputs) if s.what in ("nodes.csv", "edges.csv")]
    assert manifest(inputs)["roads"]["attribution"] == "© OpenStreetMap contributors"
    assert "(© OpenStreetMap contributors)" in inputs.minutes.source


def test_the_way_of_every_school_follows_the_roads_to_its_hub(tmp_path: Path) -> None:
    inputs, plan, report = judged(tmp_path)
    routes = hub_routes(inputs, plan)
    assert routes is not None
    hubs = {cluster.hub for cluster in plan.clusters}
    assert set(routes["urn"]) == set(plan.cluster_of) - hubs
    spots = inputs.table[["easting", "northing"]]
    roads = shapely.union_all(inputs.ways.roads.lines).buffer(1.0)
    for row in routes.itertuples():
        assert row.geometry.coords[0] == tuple(spots.loc[row.urn])
        assert row.geometry.coords[-1] == tuple(spots.loc[row.hub])
        # All but the first and last piece, from gate to road, lies on the grid.
        assert shapely.LineString(row.geometry.coords[1:-1]).within(roads)
        crow = np.hypot(*(spots.loc[row.urn] - spots.loc[row.hub])) / 1000
        assert crow - 0.01 <= row.km
    data = plan_map(inputs, plan, report)
    assert data.routes is not None
    save(data, tmp_path / "map.html")
    page = (tmp_path / "map.html").read_text("utf-8")
    assert "along the roads" in page
    payload = json.loads(re.search(r'id="map-data">(.*?)</script>', page, re.S)[1])
    assert all(cluster["routes"] for cluster in payload["clusters"])


def test_without_roads_there_are_no_ways_to_draw(tmp_path: Path) -> None:
    inputs = load_inputs(Study.load(county().write(tmp_path)))
    assert inputs.ways is None
    assert "roads" not in manifest(inputs)


def test_a_long_way_round_is_told_by_name_in_check_and_in_the_report(tmp_path: Path) -> None:
    made = gridded(OVER_ROADS)
    path = made.write(tmp_path)
    study = Study.load(path)
    inputs = load_inputs(study)
    # Take the roads away between two neighbours of one district: the way leads round.
    first = inputs.table[inputs.table["area"] == inputs.table["area"].iloc[0]]
    spots = first[["easting", "northing"]].to_numpy(float)
    gaps = np.hypot(*(spots[:, None] - spots[None]).transpose(2, 0, 1))
    gaps[gaps < 2500] = np.inf
    a, b = np.unravel_index(gaps.argmin(), gaps.shape)
    east = (spots[a] + spots[b]) / 2
    along = spots[b] - spots[a]
    edges, nodes = (pd.read_csv(tmp_path / f"{n}.csv", dtype=str) for n in ("edges", "nodes"))
    xy = nodes.set_index("node")[["easting", "northing"]].astype(float)
    wall = shapely.LineString([east + 2400 * np.array([-along[1], along[0]]) / np.hypot(*along) * s
                               for s in (-1, 1)])  # fmt: skip
    lines = shapely.linestrings(np.stack([xy.loc[edges["u"]], xy.loc[edges["v"]]], axis=1))
    edges[~shapely.intersects(lines, wall)].to_csv(tmp_path / "edges.csv", index=False)
    inputs = load_inputs(study)
    found = long_ways(inputs)
    names = {frozenset((p.from_urn, p.to_urn)) for p in found.pairs.itertuples()}
    pair = frozenset((first.index[a], first.index[b]))
    assert pair in names
    shown = " ".join(long_ways_shown(found))
    assert "pairs of schools go more than twice the straight line" in shown
    rows = [f"{urn},{area} 1" for urn, area in inputs.table["area"].items()]
    (tmp_path / "hand.csv").write_text(PLAN_OF + "\n".join(rows), encoding="utf-8")
    plan, report = judge(inputs, tmp_path / "hand.csv")
    write_plan(tmp_path / "out", inputs, plan, report)
    sheet = pd.read_excel(tmp_path / "out" / "plan.xlsx", sheet_name="long ways", dtype=str)
    assert pair in {frozenset((p.from_urn, p.to_urn)) for p in sheet.itertuples()}


def test_a_run_reports_long_ways_and_progress_is_told(tmp_path: Path) -> None:
    ticks: list[tuple[int, int]] = []
    study = Study.load(gridded().write(tmp_path))
    inputs = load_inputs(study, progress=lambda *tick: ticks.append(tick))
    assert ticks[-1][0] == ticks[-1][1] > 10
    result = design(study, inputs=inputs, effort="quick", seconds=2)
    out = result.write(tmp_path / "out")
    told = json.loads((out / "report.json").read_text("utf-8"))["long_ways"]
    assert told["measure"] == "kilometres by road over the straight line"
    assert told["pairs_looked_at"] > 10
    assert {"roads"} <= set(json.loads((out / "manifest.json").read_text("utf-8")))


@pytest.mark.real
@needs_real
@pytest.mark.parametrize("name", ["rutland", "westminster"])
def test_real_counties_run_end_to_end_over_their_roads(tmp_path: Path, name: str) -> None:
    bench = Path(__file__).resolve().parents[1] / "benchmarks"
    text = (bench / f"{name}.toml").read_text("utf-8")
    text = text.replace("../../shared", (bench.parents[1] / "shared").as_posix())
    (tmp_path / "study.toml").write_text(text.replace("../outputs", "kept"), encoding="utf-8")
    result = design(tmp_path / "study.toml", effort="quick", seconds=4)
    assert result.status in ("optimal", "feasible", "interrupted")
    page = (result.write(tmp_path / "out") / "map.html").read_text("utf-8")
    assert "© OpenStreetMap contributors" in page
    payload = json.loads(re.search(r'id="map-data">(.*?)</script>', page, re.S)[1])
    points = [len(line) for c in payload["clusters"] for line in c["routes"]]
    assert 100 < sum(points) < 3_000
    routes = gpd.read_file(tmp_path / "out" / "plan.gpkg", layer="routes")
    assert len(routes) == len(result.plan.cluster_of) - len(result.plan.clusters)
    hubs = result.inputs.table.loc[routes["hub"], ["easting", "northing"]].to_numpy(float)
    schools = result.inputs.table.loc[routes["urn"], ["easting", "northing"]].to_numpy(float)
    assert (routes.length >= np.hypot(*(hubs - schools).T) - 1e-6).all()
