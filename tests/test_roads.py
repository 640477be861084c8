"""Road networks read from tables, extracts and graphs; islands, ferries, tolls and crossings."""

import json
from dataclasses import replace
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
import pytest
import shapely
from pyproj import Transformer

from geo.errors import TravelError
from geo.road_rules import Tags, directions, judge, limit_kmh
from geo.roads import live_roads, read_roads
from geo.speeds import read_speeds
from geo.water import Crossing

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
needs_real = pytest.mark.skipif(
    not SHARED.exists(), reason="the real open data is not beside the project"
)
BASE = (500_000, 200_000)

# A ring of four streets of 1 km, and a tail of 2 km to the east from the corner B:
#   D---C
#   |   |
#   A---B-------E
SPOTS = {"A": (0, 0), "B": (1000, 0), "C": (1000, 1000), "D": (0, 1000), "E": (3000, 0)}
RING = [("A", "B"), ("B", "C"), ("C", "D"), ("D", "A"), ("B", "E")]


def tables(folder: Path, spots: dict, edges: list[dict]) -> tuple[Path, Path]:
    """Write tables of nodes and edges as a planner would have them."""
    nodes = pd.DataFrame(
        [(name, BASE[0] + x, BASE[1] + y) for name, (x, y) in spots.items()],
        columns=["node", "easting", "northing"],
    )
    paths = folder / "town_nodes.csv", folder / "town_edges.csv"
    nodes.to_csv(paths[0], index=False)
    pd.DataFrame(edges).to_csv(paths[1], index=False)
    return paths


def streets(pairs, **tags) -> list[dict]:
    return [{"u": u, "v": v, "highway": "residential", "maxspeed": "60", **tags} for u, v in pairs]


def at(x: float, y: float) -> tuple[float, float]:
    return BASE[0] + x, BASE[1] + y


def network(folder: Path, spots=SPOTS, edges=None, **options):
    return read_roads(tables(folder, spots, edges or streets(RING)), **options)


def test_tables_become_streets_in_metres(tmp_path):
    roads = network(tmp_path)
    assert roads.metres.sum() == pytest.approx(6_000)
    assert roads.classes == ("residential",)
    assert roads.signed_kmh.tolist() == [60.0] * len(roads.a)
    assert roads.forward.all()
    assert roads.backward.all()
    assert shapely.length(roads.lines).sum() == pytest.approx(6_000)


def test_chains_are_joined_and_only_b_is_a_junction(tmp_path):
    roads = network(tmp_path)
    # The ring from B back to B is one street, the tail another: B and E are left.
    assert sorted(roads.metres.round().tolist()) == [2_000, 4_000]
    assert len(roads.xy) == 2
    assert roads.xy[roads.junction].tolist() == [list(at(1000, 0))]


def test_streets_of_different_limits_are_not_joined(tmp_path):
    edges = streets(RING[:4]) + streets(RING[4:], maxspeed="30 mph")
    edges[0]["maxspeed"] = "20 mph"
    roads = network(tmp_path, edges=edges)
    assert sorted(set(roads.signed_kmh.round(2))) == [32.19, 48.28, 60.0]
    assert len(roads.a) == 3


def test_row_order_and_direction_of_drawing_are_no_information(tmp_path):
    edges = streets(RING)
    first = network(tmp_path, edges=edges)
    turned = [{**e, "u": e["v"], "v": e["u"]} for e in edges[::-1]]
    (tmp_path / "again").mkdir()
    spots = dict(reversed(SPOTS.items()))
    again = network(tmp_path / "again", spots, turned)
    assert first.metres.tolist() == again.metres.tolist()
    assert first.xy.tolist() == again.xy.tolist()


def test_a_two_way_street_may_stand_once_or_twice(tmp_path):
    once = network(tmp_path)
    (tmp_path / "twice").mkdir()
    twice = network(tmp_path / "twice", edges=streets(RING + [(v, u) for u, v in RING]))
    assert twice.digest == once.digest


def test_one_way_streets_keep_their_direction(tmp_path):
    edges = streets(RING[:4], oneway="1") + streets(RING[4:])
    roads = network(tmp_path, edges=edges)
    ring = int(roads.metres.argmax())
    assert bool(roads.forward[ring]) != bool(roads.backward[ring])
    assert len(roads.directed[2]) == 3


def test_a_one_way_dead_end_is_left_out_for_driving_and_kept_for_walking(tmp_path):
    edges = streets(RING[:4]) + streets(RING[4:], oneway="yes")
    roads = network(tmp_path, edges=edges)
    assert roads.metres.sum() == pytest.approx(4_000)
    assert "33.3% of the length" in " ".join(roads.notes)
    walk = network(tmp_path, edges=edges, mode="walk")
    assert walk.metres.sum() == pytest.approx(6_000)


def test_an_island_is_left_out(tmp_path):
    spots = {**SPOTS, "X": (9000, 0), "Y": (9500, 0)}
    roads = network(tmp_path, spots, streets([*RING, ("X", "Y")]))
    assert roads.xy[:, 0].max() == BASE[0] + 3000
    assert any("hangs together" in note for note in roads.notes)


def test_ferries_tolls_and_private_roads_are_left_out_and_counted(tmp_path):
    spots = {**SPOTS, "F": (5000, 0), "G": (0, -500), "H": (0, -900)}
    edges = [
        *streets(RING),
        {"u": "E", "v": "F", "route": "ferry"},
        {"u": "A", "v": "G", "highway": "residential", "toll": "yes"},
        {"u": "A", "v": "H", "highway": "service", "access": "private"},
    ]
    roads = network(tmp_path, spots, edges)
    assert roads.metres.sum() == pytest.approx(6_000)
    assert "1 ferries, 1 toll roads, 1 closed to the public" in roads.notes[0]
    wide = network(tmp_path, spots, edges, ferries=True, tolls=True)
    assert wide.metres.sum() == pytest.approx(6_000 + 2_000 + 500)
    assert "ferry" in wide.classes


@pytest.mark.parametrize(
    ("tags", "drive", "walk"),
    [
        ({"highway": "residential"}, True, True),
        ({"highway": "footway"}, False, True),
        ({"highway": "motorway"}, True, False),
        ({"highway": "service", "access": "private"}, False, False),
        ({"highway": "service", "access": "private", "foot": "yes"}, False, True),
        ({"highway": "residential", "access": "no", "motor_vehicle": "destination"}, True, False),
        ({"highway": "service", "service": "parking_aisle"}, False, True),
        ({"highway": "residential", "motor_vehicle": "no"}, False, True),
        ({"highway": "proposed"}, False, False),
    ],
)
def test_who_may_use_a_way(tags, drive, walk):
    for mode, expected in (("drive", drive), ("walk", walk)):
        assert (not judge(Tags(**tags), mode, False, False).reason) is expected


@pytest.mark.parametrize(
    ("tags", "ways"),
    [
        ({"oneway": "yes"}, (True, False)),
        ({"oneway": "-1"}, (False, True)),
        ({"junction": "roundabout"}, (True, False)),
        ({"highway": "motorway"}, (True, False)),
        ({"highway": "motorway", "oneway": "no"}, (True, True)),
        ({}, (True, True)),
    ],
)
def test_directions(tags, ways):
    assert directions(Tags(**tags)) == ways


@pytest.mark.parametrize(
    ("text", "kmh"),
    [
        ("30 mph", 48.28),
        ("30mph", 48.28),
        ("50", 50.0),
        ("['40 mph', '20 mph']", 32.19),
        ("GB:nsl_single", 96.56),
        ("GB:motorway", 112.65),
        ("signals", np.nan),
        ("", np.nan),
        ("0", np.nan),
    ],
)
def test_limits_are_read_with_their_unit(text, kmh):
    assert limit_kmh(text) == pytest.approx(kmh, abs=0.01, nan_ok=True)


# Two towns, north and south of a river, with one bridge of 400 m at x = 0 and none at x = 2,000.
TWO_TOWNS = {
    "A": (0, 0),
    "B": (2000, 0),
    "C": (0, 400),
    "D": (2000, 400),
    "A2": (-500, 0),
    "C2": (-500, 400),
}
SHORES = [("A", "B"), ("C", "D"), ("A2", "A"), ("C2", "C")]
BRIDGE = ("A", "C")


def test_a_declared_crossing_is_added_where_the_roads_have_none(tmp_path):
    edges = streets(SHORES)
    crossing = Crossing("Toy Bridge", at(2000, 0), at(2000, 400), minutes=2.0)
    roads = network(tmp_path, TWO_TOWNS, edges, crossings=[crossing])
    assert roads.metres.sum() == pytest.approx(5_400)
    assert "added to the roads: Toy Bridge" in " ".join(roads.notes)
    k = roads.classes.index("crossing")
    along, _ = read_speeds().minutes(roads, peak=2.0)
    # Its minutes were given, so neither peak nor factor touches them.
    assert along[roads.road_class == k].tolist() == pytest.approx([2.0])


def test_a_declared_crossing_that_the_roads_have_is_not_doubled(tmp_path):
    crossing = Crossing("Toy Bridge", at(0, 20), at(0, 380), minutes=0.1)
    roads = network(tmp_path, TWO_TOWNS, streets([*SHORES, BRIDGE]), crossings=[crossing])
    assert "crossing" not in roads.classes
    assert "have already: Toy Bridge" in " ".join(roads.notes)


def test_a_closed_crossing_is_cut_and_leaves_stubs(tmp_path):
    edges = streets([*SHORES, BRIDGE, ("B", "D")])
    open_roads = network(tmp_path, TWO_TOWNS, edges)
    shut = Crossing("Toy Bridge", at(0, 0), at(0, 400), closed=True)
    roads = network(tmp_path, TWO_TOWNS, edges, crossings=[shut])
    assert roads.metres.sum() == pytest.approx(open_roads.metres.sum() - 120, abs=1)
    assert "Declared closed, so cut: Toy Bridge." in roads.notes
    assert roads.digest != open_roads.digest


def test_a_road_under_a_closed_bridge_stays_open(tmp_path):
    spots = {**TWO_TOWNS, "W": (-400, 200), "E": (400, 200), "S": (-500, -10)}
    edges = streets([*SHORES, BRIDGE, ("W", "E"), ("W", "A2"), ("E", "B")])
    shut = Crossing("Toy Bridge", at(0, 0), at(0, 400), closed=True)
    roads = network(tmp_path, spots, edges, crossings=[shut])
    under = shapely.LineString([at(-400, 200), at(400, 200)])
    assert shapely.union_all(roads.lines).buffer(1).covers(under)


def test_closing_what_is_not_there_is_a_fault(tmp_path):
    shut = Crossing("Nowhere Bridge", at(1000, 50), at(1000, 350), closed=True)
    with pytest.raises(TravelError, match="No road runs where the crossing"):
        network(tmp_path, TWO_TOWNS, streets([*SHORES, BRIDGE]), crossings=[shut])


def test_an_added_crossing_in_open_country_is_a_fault(tmp_path):
    far = Crossing("Lost Bridge", at(50_000, 0), at(50_000, 400))
    with pytest.raises(TravelError, match="does not lead from one road to another"):
        network(tmp_path, TWO_TOWNS, streets([*SHORES, BRIDGE]), crossings=[far])


def test_the_cache_gives_the_same_network_and_a_manifest(tmp_path):
    paths = tables(tmp_path, SPOTS, streets(RING))
    first = read_roads(paths, cache=tmp_path / "kept", date="2026-01-01")
    kept = sorted((tmp_path / "kept").iterdir())
    assert [p.suffix for p in kept] == [".json", ".npz"]
    manifest = json.loads(kept[0].read_text("utf-8"))
    assert manifest["date"] == "2026-01-01"
    assert manifest["digest"] == first.digest
    again = read_roads(paths, cache=tmp_path / "kept", date="2026-01-01")
    assert again.digest == first.digest
    assert again.notes == first.notes
    kept[1].write_bytes(b"half a file")
    assert read_roads(paths, cache=tmp_path / "kept", date="2026-01-01").digest == first.digest


def test_the_cache_knows_a_changed_file(tmp_path):
    paths = tables(tmp_path, SPOTS, streets(RING))
    first = read_roads(paths, cache=tmp_path / "kept")
    tables(tmp_path, SPOTS, streets(RING, maxspeed="20 mph"))
    assert read_roads(paths, cache=tmp_path / "kept").digest != first.digest


def osmnx_like(spots=SPOTS, pairs=RING) -> nx.MultiDiGraph:
    """Return a graph as OSMnx hands it on, made by hand."""
    turn = Transformer.from_crs("EPSG:27700", "EPSG:4326", always_xy=True)
    graph = nx.MultiDiGraph(crs="epsg:4326", created_date="2026-10-01 08:00:00")
    numbers = {name: 100 + k for k, name in enumerate(spots)}
    for name, spot in spots.items():
        lon, lat = turn.transform(*at(*spot))
        graph.add_node(numbers[name], x=lon, y=lat)
    for u, v in pairs:
        length = float(np.hypot(*(np.subtract(spots[u], spots[v]))))
        tags = {
            "highway": "residential",
            "maxspeed": "60",
            "oneway": False,
            "length": length,
            "osmid": 7,
        }
        graph.add_edge(numbers[u], numbers[v], **tags)
        graph.add_edge(numbers[v], numbers[u], **{**tags, "highway": ["residential", "road"]})
    return graph


def test_live_roads_ask_once_with_a_buffer_and_keep_the_answer(tmp_path):
    asked = []

    def fetch(polygon, mode):
        asked.append((polygon, mode))
        return osmnx_like()

    area = shapely.box(*at(0, 0), *at(3000, 1000))
    roads = live_roads(area, fetch=fetch, cache=tmp_path)
    assert roads.metres.sum() == pytest.approx(6_000, abs=5)
    assert roads.called == "OpenStreetMap roads of 2026-10-01"
    assert asked[0][1] == "drive"
    west, _, east, _ = asked[0][0].bounds
    assert 0.55 < east - west < 0.75  # 43 km in degrees of longitude at 51.7 north
    again = live_roads(area, fetch=fetch, cache=tmp_path)
    assert len(asked) == 1
    assert again.digest == roads.digest


def test_graphml_and_geopackage_as_osmnx_saves_them(tmp_path):
    import osmnx

    graph = osmnx_like()
    osmnx.save_graphml(graph, tmp_path / "town.graphml")
    osmnx.save_graph_geopackage(graph, tmp_path / "town.gpkg", directed=True)
    one = read_roads(tmp_path / "town.graphml")
    two = read_roads(tmp_path / "town.gpkg")
    for roads in (one, two):
        assert roads.metres.sum() == pytest.approx(6_000, abs=5)
        assert roads.backward.all()
        # OSMnx saves no tag of tolls unless asked, so that nobody can tell.
        assert "say nothing of tolls" in " ".join(roads.notes)
    assert one.metres.tolist() == pytest.approx(two.metres.tolist())


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda e: [{**r, "v": "Z"} for r in e[:1]] + e[1:], "row 2.*nodes lack"),
        (lambda e: [{k: v for k, v in r.items() if k != "highway"} for r in e], "column highway"),
        (lambda e: [{**r, "highway": "footway"} for r in e], "no road that can be used"),
    ],
)
def test_broken_tables_are_told(tmp_path, change, told):
    with pytest.raises(TravelError, match=told):
        network(tmp_path, edges=change(streets(RING)))


def test_broken_files_are_told(tmp_path):
    with pytest.raises(TravelError, match="not there"):
        read_roads(tmp_path / "lost.osm.pbf")
    odd = tmp_path / "roads.xls"
    odd.write_text("x", encoding="utf-8")
    with pytest.raises(TravelError, match="no kind of road file"):
        read_roads(odd)
    with pytest.raises(TravelError, match="mode"):
        read_roads(odd, mode="fly")
    bad = tmp_path / "roads.graphml"
    bad.write_text("<nothing", encoding="utf-8")
    with pytest.raises(TravelError, match="GraphML"):
        read_roads(bad)


def test_roads_of_another_country_are_told(tmp_path):
    paths = tables(tmp_path, SPOTS, streets(RING))
    nodes = pd.read_csv(paths[0]).assign(lon=26.9, lat=60.5).drop(columns=["easting", "northing"])
    nodes.to_csv(paths[0], index=False)
    with pytest.raises(TravelError, match="outside Great Britain"):
        read_roads(paths)


def test_speeds_are_a_table_that_can_be_edited(tmp_path):
    own = tmp_path / "speeds.toml"
    text = Path(read_speeds.__code__.co_filename).with_name("speeds.toml").read_text("utf-8")
    own.write_text(text.replace("residential = 32", "residential = 20"), encoding="utf-8")
    assert dict(read_speeds(own).drive)["residential"] == 20.0
    assert read_speeds(own).digest != read_speeds().digest
    own.write_text(
        text.replace("walk_kmh", "walk_kph").replace("trunk = 90", "trunk = -1"), "utf-8"
    )
    with pytest.raises(TravelError) as caught:
        read_speeds(own)
    assert "walk_kph" in str(caught.value)
    assert "walk_kmh" in str(caught.value)
    assert "trunk = -1" in str(caught.value)


def test_a_limit_goes_before_the_class_and_an_unknown_class_is_a_road(tmp_path):
    edges = streets(RING[:4], maxspeed="") + streets(RING[4:], maxspeed="20 mph")
    roads = network(tmp_path, edges=edges)
    speeds = read_speeds()
    kmh = dict(zip(roads.metres.round(), speeds.kmh(roads), strict=True))
    assert kmh[4000] == 32.0
    assert kmh[2000] == pytest.approx(32.187, abs=0.001)
    odd = replace(roads, classes=("byway",), signed_kmh=np.full(len(roads.a), np.nan))
    assert set(speeds.kmh(odd)) == {40.0}


OSM = """<?xml version="1.0" encoding="UTF-8"?>
<osm version="0.6">
 <node id="1" lat="51.5000" lon="-0.1000" version="1"/>
 <node id="2" lat="51.5010" lon="-0.1000" version="1"/>
 <node id="3" lat="51.5020" lon="-0.1000" version="1"/>
 <node id="4" lat="51.5010" lon="-0.0980" version="1"><tag k="barrier" v="bollard"/></node>
 <node id="5" lat="51.5010" lon="-0.0960" version="1"/>
 <way id="10" version="1"><nd ref="1"/><nd ref="2"/><nd ref="3"/>
  <tag k="highway" v="residential"/><tag k="maxspeed" v="20 mph"/></way>
 <way id="11" version="1"><nd ref="2"/><nd ref="4"/><nd ref="5"/>
  <tag k="highway" v="residential"/></way>
</osm>
"""


def test_an_extract_is_cut_where_ways_meet_and_at_a_bollard(tmp_path):
    pytest.importorskip("osmium", reason="osmium reads OpenStreetMap extracts")
    path = tmp_path / "corner.osm"
    path.write_text(OSM, encoding="utf-8")
    roads = read_roads(path)
    # Two halves of way 10, and way 11 up to the bollard; beyond it no car comes.
    assert len(roads.a) == 3
    assert roads.metres.sum() == pytest.approx(111.2 * 2 + 138.8, abs=1.5)
    walk = read_roads(path, mode="walk")
    assert walk.metres.sum() == pytest.approx(111.2 * 2 + 138.8 * 2, abs=2)


def test_without_osmium_an_extract_is_told_in_words(tmp_path, monkeypatch):
    path = tmp_path / "corner.osm"
    path.write_text(OSM, encoding="utf-8")
    monkeypatch.setitem(__import__("sys").modules, "osmium", None)
    with pytest.raises(TravelError, match="package `osmium`"):
        read_roads(path)


@pytest.mark.real
@needs_real
@pytest.mark.parametrize("name", ["rutland_2018", "rutland_2022", "westminster_2024"])
def test_real_tables(name):
    folder = SHARED / "roads"
    paths = (folder / f"{name}_nodes.csv.gz", folder / f"{name}_edges.csv.gz")
    roads = read_roads(paths, date=name[-4:])
    assert 340_000 < roads.metres.sum() < 900_000
    assert roads.called == f"OpenStreetMap roads of {name[-4:]}"
    share = (roads.forward & roads.backward).mean()
    assert share < 0.7 if name.startswith("west") else share > 0.9
    # The drawn line and the length given agree; Westminster's table draws straight lines.
    drawn = shapely.length(roads.lines)
    assert abs(drawn.sum() / roads.metres.sum() - 1) < (0.04 if name.startswith("west") else 0.005)


@pytest.mark.real
@needs_real
def test_real_extract_and_table_of_one_county_agree():
    pytest.importorskip("osmium", reason="osmium reads OpenStreetMap extracts")
    folder = SHARED / "roads"
    table = read_roads((folder / "rutland_2022_nodes.csv.gz", folder / "rutland_2022_edges.csv.gz"))
    extract = read_roads(folder / "rutland_2022.osm.pbf")
    assert extract.date == "2022-07-20"
    assert extract.metres.sum() == pytest.approx(table.metres.sum(), rel=0.05)
    with pytest.raises(TravelError, match="outside Great Britain"):
        read_roads(folder / "pyrosm-test.osm.pbf")
