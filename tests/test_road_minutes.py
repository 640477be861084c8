"""Minutes over roads: worked out by hand on a toy town, and against networkx on random graphs."""

from dataclasses import replace
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import road_quality, road_within
from geo.errors import TravelError
from geo.road_minutes import minutes_between, road_minutes
from geo.road_quality import quality
from geo.road_reach import reach_area
from geo.road_routes import route, routes
from geo.road_search import dijkstra_search, hierarchy_search
from geo.road_within import minutes_within
from geo.roads import read_roads
from geo.speeds import read_speeds
from geo.travel import Minutes
from geo.water import Crossing
from tests.test_roads import BASE, RING, SPOTS, at, network, streets, tables

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
needs_real = pytest.mark.skipif(
    not SHARED.exists(), reason="the real open data is not beside the project"
)

# Signed 60 km/h everywhere: a kilometre is a minute. A junction costs six seconds, 0.1 minutes.
SPEEDS = replace(read_speeds(), junction_seconds=6.0, factor=1.0, signed_share=1.0, walk_kmh=6.0)
PLAIN = replace(SPEEDS, junction_seconds=0.0)


def school_table(*spots) -> pd.DataFrame:
    urns = [f"9{number:05d}" for number in range(1, len(spots) + 1)]
    return pd.DataFrame(
        {
            "name": [f"School {urn}" for urn in urns],
            "easting": [BASE[0] + float(x) for x, _ in spots],
            "northing": [BASE[1] + float(y) for _, y in spots],
        },
        index=pd.Index(urns, name="urn"),
    )


def one_way(roads, start, end, speeds=SPEEDS, **options) -> float:
    table = minutes_between([at(*start)], [at(*end)], roads, speeds=speeds, **options)
    return float(table.iloc[0, 0])


class Spy:
    """A search that counts from how many places it was asked."""

    def __init__(self) -> None:
        self.searches = 0

    def __call__(self, net, sources, targets, limit):
        self.searches += len(sources)
        return dijkstra_search(net, sources, targets, limit)


def test_from_the_middle_of_one_street_to_the_middle_of_another(tmp_path):
    roads = network(tmp_path)
    # Half of A-B (0.5 km), junction B (0.1 min), a quarter of the tail (0.5 km).
    assert one_way(roads, (500, 0), (1500, 0)) == pytest.approx(1.1)
    # Round the ring the shorter way: 0.5 + 1 + 0.5 km; no junction is passed on A, D.
    assert one_way(roads, (500, 0), (500, 1000)) == pytest.approx(2.0)


def test_two_places_on_one_street_go_straight(tmp_path):
    roads = network(tmp_path)
    assert one_way(roads, (1200, 0), (2800, 0)) == pytest.approx(1.6)


def test_a_one_way_street_is_asymmetric(tmp_path):
    edges = streets(RING[:4], oneway="yes") + streets(RING[4:])
    roads = network(tmp_path, edges=edges)
    # A to B as drawn: 0.8 km and the junction does not count between. Back: round C, D, A and B.
    assert one_way(roads, (100, 0), (900, 0)) == pytest.approx(0.8)
    assert one_way(roads, (900, 0), (100, 0)) == pytest.approx(0.1 + 0.1 + 3.0 + 0.1)


def test_a_place_at_a_corner_may_set_off_either_way(tmp_path):
    edges = streets(RING[:4], oneway="yes") + streets(RING[4:])
    roads = network(tmp_path, edges=edges)
    assert one_way(roads, (1000, 0), (2000, 0)) == pytest.approx(1.0, abs=0.11)
    assert one_way(roads, (1000, 0), (1000, 500)) == pytest.approx(0.5, abs=0.11)


def test_the_way_from_gate_to_road_counts(tmp_path):
    roads = network(tmp_path)
    # 100 m off the road at 15 km/h are 0.4 minutes.
    assert one_way(roads, (1500, 100), (2500, 0)) == pytest.approx(1.4)


def test_peak_and_factor_multiply_and_limits_cut_off(tmp_path):
    roads = network(tmp_path)
    assert one_way(roads, (500, 0), (1500, 0), peak=1.5) == pytest.approx(1.65)
    twice = replace(SPEEDS, factor=2.0)
    assert one_way(roads, (500, 0), (1500, 0), speeds=twice) == pytest.approx(2.2)
    assert np.isnan(one_way(roads, (500, 0), (2900, 0), limit=2.0))


def test_walking_knows_no_one_way_streets_junctions_or_peaks(tmp_path):
    edges = streets(RING[:4], oneway="yes") + streets(RING[4:])
    roads = network(tmp_path, edges=edges, mode="walk")
    assert one_way(roads, (900, 0), (100, 0)) == pytest.approx(8.0)
    assert one_way(roads, (500, 0), (1500, 0), peak=2.0) == pytest.approx(10.0)


def test_nobody_is_joined_to_an_island(tmp_path):
    spots = {**SPOTS, "X": (1200, 300), "Y": (1400, 300)}
    roads = network(tmp_path, spots, streets([*RING, ("X", "Y")]))
    # 20 m from the island, 280 m from the tail: joined to the tail, and told.
    schools = school_table((1300, 280), (2300, 0))
    minutes = road_minutes(schools, roads, speeds=PLAIN, floor_minutes=0)
    assert minutes.table.iloc[0, 1] == pytest.approx(1.0 + 0.28 / 15 * 60, abs=0.05)
    assert any("School 900001 (900001) (280 m)" in note for note in minutes.notes)


def test_a_school_without_a_road_near_is_a_fault_by_name(tmp_path):
    roads = network(tmp_path)
    schools = school_table((0, 0), (8000, 0), (0, 9000))
    with pytest.raises(TravelError) as caught:
        road_minutes(schools, roads)
    assert len(caught.value.faults) == 2
    assert "School 900002 (900002): stands 5.0 km from the nearest road" in str(caught.value)


def test_nobody_is_joined_to_a_road_over_water(tmp_path):
    spots = {**SPOTS, "F": (3000, 900), "G": (1800, 900)}
    roads = network(tmp_path, spots, streets([*RING, ("E", "F"), ("F", "G")]))
    river = shapely.box(*at(1100, 400), *at(2900, 600))
    land = shapely.box(*at(-9000, -9000), *at(9000, 9000)).difference(river)
    # North bank, nearer to the south road (380 m beyond the water) than to the north one at G.
    places = [at(1900, 620)], [at(2500, 0)]
    over = minutes_between(*places, roads, speeds=PLAIN)
    round_it = minutes_between(*places, roads, speeds=PLAIN, land=land)
    assert over.iloc[0, 0] > 2.0  # snapped to G-F already: 280 m against 620
    near_south = [at(1500, 380)], [at(1900, 900)]
    dry = minutes_between(*near_south, roads, speeds=PLAIN, land=land)
    assert dry.iloc[0, 0] == pytest.approx(0.38 / 15 * 60 + 1.5 + 0.9 + 1.1)
    wet = minutes_between([at(1850, 480)], [at(1900, 900)], roads, speeds=PLAIN)
    assert wet.iloc[0, 0] == pytest.approx(0.42 / 15 * 60 + 0.05)
    shore = shapely.box(*at(-9000, -9000), *at(9000, 500))
    kept = minutes_between([at(1850, 480)], [at(2900, 0)], roads, speeds=PLAIN, land=shore)
    assert kept.iloc[0, 0] == pytest.approx(0.48 / 15 * 60 + 1.05)
    assert round_it.iloc[0, 0] == pytest.approx(over.iloc[0, 0])


def test_schools_get_a_labelled_table_with_floor_and_source(tmp_path):
    roads = network(tmp_path, date="2026-01-01")
    schools = school_table((0, 0), (2500, 0), (2500, 0))
    minutes = road_minutes(schools.iloc[::-1], roads, speeds=SPEEDS, peak=1.3)
    assert list(minutes.table.index) == ["900001", "900002", "900003"]
    assert np.diag(minutes.table).tolist() == [0.0, 0.0, 0.0]
    assert minutes.table.loc["900002", "900003"] == 2.0  # one site: the floor
    assert minutes.table.loc["900001", "900002"] == pytest.approx((2.5 + 0.1) * 1.3, abs=0.05)
    assert minutes.kind == "roads"
    assert minutes.source.startswith("driving over the roads in town_nodes.csv and town_edges.csv")
    assert "of 2026-01-01 at speeds by class of 2026-11-21, peak × 1.3" in minutes.source


def test_a_journey_beyond_the_limit_stands_as_the_limit_and_is_counted(tmp_path):
    roads = network(tmp_path)
    schools = school_table((0, 0), (1000, 0), (3000, 0))
    minutes = road_minutes(schools, roads, speeds=PLAIN, limit=2.5, floor_minutes=0)
    assert minutes.table.loc["900001", "900003"] == 2.5
    assert minutes.table.loc["900002", "900003"] == 2.0
    assert any("2 journeys of more than 2.5 minutes" in note for note in minutes.notes)


@pytest.mark.parametrize(
    "wrong", [{"peak": 0.0}, {"peak": np.nan}, {"floor_minutes": -1.0}, {"limit": 0.0}]
)
def test_numbers_that_cannot_be_right_are_told(tmp_path, wrong):
    with pytest.raises(TravelError):
        road_minutes(school_table((0, 0)), network(tmp_path), **wrong)


def test_a_shut_bridge_cuts_schools_off_by_name(tmp_path):
    spots = {"A": (0, 0), "B": (2000, 0), "C": (0, 400), "D": (2000, 400)}
    edges = streets([("A", "B"), ("C", "D"), ("A", "C")])
    schools = school_table((500, 0), (1500, 0), (1500, 400))
    paths = tables(tmp_path, spots, edges)
    shut = Crossing("Toy Bridge", at(0, 0), at(0, 400), closed=True)
    assert road_minutes(schools, read_roads(paths), speeds=PLAIN).table.iloc[0, 2] == 2.4
    roads = read_roads(paths, crossings=[shut])
    with pytest.raises(TravelError) as caught:
        road_minutes(schools, roads)
    assert "1 school to the rest, both ways: School 900003 (900003)." in str(caught.value)
    assert "Declared closed, so cut: Toy Bridge." in str(caught.value)
    ferry = Crossing("Toy Ferry", at(2000, 0), at(2000, 400), minutes=10.0)
    roads = read_roads(paths, crossings=[shut, ferry])
    minutes = road_minutes(schools, roads, speeds=PLAIN, peak=2.0)
    assert minutes.table.iloc[0, 2] == pytest.approx(1.5 * 2 + 10.0 + 0.5 * 2)


def test_the_cache_searches_new_and_moved_schools_only(tmp_path):
    roads = network(tmp_path)
    spots = [(100 * k, 0) for k in range(10)]
    spy = Spy()
    first = road_minutes(school_table(*spots), roads, cache=tmp_path / "kept", search=spy)
    assert spy.searches == 10
    spy.searches = 0
    road_minutes(school_table(*spots), roads, cache=tmp_path / "kept", search=spy)
    assert spy.searches == 0
    spots[3] = (2500, 0)
    moved = road_minutes(school_table(*spots), roads, cache=tmp_path / "kept", search=spy)
    assert spy.searches == 2  # its row, and its column from the far end
    fresh = road_minutes(school_table(*spots), roads)
    pd.testing.assert_frame_equal(moved.table, fresh.table)
    assert moved.table.drop(index="900004", columns="900004").equals(
        first.table.drop(index="900004", columns="900004")
    )
    spy.searches = 0
    road_minutes(school_table(*spots), roads, cache=tmp_path / "kept", search=spy, peak=1.2)
    assert spy.searches == 10


def test_a_broken_cache_is_made_anew(tmp_path):
    roads = network(tmp_path)
    schools = school_table((0, 0), (2500, 0))
    first = road_minutes(schools, roads, cache=tmp_path / "kept")
    (file,) = (tmp_path / "kept").iterdir()
    file.write_bytes(b"half a file")
    again = road_minutes(schools, roads, cache=tmp_path / "kept")
    pd.testing.assert_frame_equal(first.table, again.table)


def test_fewer_targets_are_searched_from_the_far_end(tmp_path):
    edges = streets(RING[:4], oneway="yes") + streets(RING[4:])
    roads = network(tmp_path, edges=edges)
    spy = Spy()
    many = [at(100 * k, 0) for k in range(20)]
    ways = minutes_between(many, [at(500, 1000)], roads, speeds=SPEEDS, search=spy)
    assert spy.searches == 1
    singly = [one_way(roads, (100 * k, 0), (500, 1000)) for k in range(20)]
    assert ways.iloc[:, 0].tolist() == pytest.approx(singly)


def test_minutes_between_keeps_labels_and_tells_progress(tmp_path):
    roads = network(tmp_path)
    homes = pd.DataFrame({"easting": [BASE[0] + 500.0], "northing": [BASE[1] + 0.0]}, index=["E01"])
    told = []
    table = minutes_between(homes, school_table((0, 0), (2000, 0)), roads, progress=told.append
                            if False else lambda done, of: told.append((done, of)))  # fmt: skip
    assert list(table.index) == ["E01"]
    assert list(table.columns) == ["900001", "900002"]
    assert told == [(1, 1)]


# Nodes on a parabola: no three stand in line, so that no node lies on the street of two others.
SIZE = 7
PARABOLA = {f"N{k}": (1000.0 * k, 100.0 * k * k) for k in range(SIZE)}
ONE_EDGE = st.tuples(
    st.integers(0, SIZE - 1), st.integers(0, SIZE - 1), st.booleans(), st.integers(1, 9)
)


@settings(max_examples=60, deadline=None)
@given(st.lists(ONE_EDGE, min_size=6, max_size=24), st.floats(1.0, 100.0))
def test_ways_agree_with_networkx(tmp_path_factory, chosen, limit):
    """A different program on the same graph, before it was simplified, finds the same minutes."""
    edges, graph = [], nx.DiGraph()
    for u, v, both, tens in chosen:
        if u == v:
            continue
        a, b = f"N{u}", f"N{v}"
        kmh = 10 * tens
        edges += streets([(a, b)], oneway=str(int(not both)), maxspeed=str(kmh))
        length = float(np.hypot(*np.subtract(PARABOLA[a], PARABOLA[b])))
        for x, y in [(a, b), (b, a)][: 1 + both]:
            minutes = min(length / kmh * 0.06, graph.get_edge_data(x, y, {"m": np.inf})["m"])
            graph.add_edge(x, y, m=minutes)
    parts = [p for p in nx.strongly_connected_components(graph) if len(p) > 1]
    if not parts:
        return
    roads = network(tmp_path_factory.mktemp("town"), PARABOLA, edges)
    inside = [
        name
        for name in PARABOLA
        if np.hypot(*(roads.line_xy - np.add(BASE, PARABOLA[name])).T).min() < 1e-6
    ]
    assert set(inside) in [part & set(inside) for part in parts]
    places = [[at(*PARABOLA[n]) for n in inside]] * 2
    found = minutes_between(*places, roads, speeds=PLAIN)
    bounded = minutes_between(*places, roads, speeds=PLAIN, limit=limit)
    pd.testing.assert_frame_equal(bounded, found.where(found <= limit))
    for i, a in enumerate(inside):
        expected = nx.single_source_dijkstra_path_length(graph, a, weight="m")
        for j, b in enumerate(inside):
            assert found.iloc[i, j] == pytest.approx(expected[b], abs=1e-6)


def test_the_accelerator_agrees_to_a_tenth_of_a_second(tmp_path):
    pytest.importorskip("pyroutingkit", reason="the accelerator is optional")
    edges = streets(RING[:4], oneway="yes") + streets(RING[4:])
    roads = network(tmp_path, edges=edges)
    places = [at(250 * k, 0) for k in range(13)] + [at(0, 300), at(700, 1000)]
    one = minutes_between(places, places, roads, speeds=SPEEDS)
    two = minutes_between(places, places, roads, speeds=SPEEDS, search=hierarchy_search)
    assert np.abs(one - two).to_numpy().max() * 60 < 0.1


def test_without_the_accelerator_it_is_told(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyroutingkit", None)
    with pytest.raises(TravelError, match="pyroutingkit"):
        one_way(network(tmp_path), (0, 0), (1, 0), search=hierarchy_search)


def test_reach_follows_the_roads_and_knows_one_way_streets(tmp_path):
    roads = network(tmp_path)
    area = reach_area(at(2000, 0), 1.0, roads, speeds=PLAIN)
    # One kilometre to either side along the tail; nothing beside the road.
    west, south, east, north = area.bounds
    assert west == pytest.approx(BASE[0] + 1000, abs=150)
    assert east == pytest.approx(BASE[0] + 3000, abs=150)
    assert north - south == pytest.approx(150)
    assert south <= BASE[1] < north
    edges = streets(RING[:4], oneway="yes") + streets(RING[4:])
    (tmp_path / "one").mkdir()
    roads = network(tmp_path / "one", edges=edges)
    out = reach_area(at(500, 0), 0.4, roads, speeds=PLAIN)
    back = reach_area(at(500, 0), 0.4, roads, speeds=PLAIN, towards=True)
    assert out.bounds[2] > BASE[0] + 850 > back.bounds[2] + 100
    assert back.bounds[0] < BASE[0] + 150 < out.bounds[0] + 300


def test_a_route_follows_the_streets_from_gate_to_gate(tmp_path):
    roads = network(tmp_path)
    way = route(at(500, 50), at(500, 1000), roads, speeds=PLAIN)
    assert way.coords[0] == at(500, 50)
    assert way.coords[-1] == at(500, 1000)
    assert way.length == pytest.approx(50 + 500 + 1000 + 500)
    tail = route(at(500, 0), at(2500, 0), roads, speeds=PLAIN)
    assert tail.length == pytest.approx(2000)
    assert route(at(1200, 0), at(2800, 0), roads, speeds=PLAIN).length == pytest.approx(1600)


def test_a_route_goes_round_a_one_way_street(tmp_path):
    edges = streets(RING[:4], oneway="yes") + streets(RING[4:])
    roads = network(tmp_path, edges=edges)
    there = route(at(200, 0), at(800, 0), roads, speeds=PLAIN)
    back = route(at(800, 0), at(200, 0), roads, speeds=PLAIN)
    assert there.length == pytest.approx(600)
    assert back.length == pytest.approx(200 + 3000 + 200)


def test_quality_names_the_slow_pairs_of_one_cluster():
    spots = [(3000 * k, 0) for k in range(5)]
    schools = school_table(*spots)
    gaps = np.abs(np.subtract.outer(np.arange(5), np.arange(5))) * 3.0 * 1.3 / 40 * 60
    gaps[0, 1] = gaps[1, 0] = 3 * gaps[0, 1]
    gaps[3, 4] = gaps[4, 3] = 3 * gaps[3, 4]
    table = pd.DataFrame(gaps, index=schools.index, columns=schools.index)
    cluster = pd.Series(["East", "East", "East", "East", "West"], index=schools.index)
    told = quality(Minutes(table, "by hand", "roads", ("a note",)), schools, cluster)
    assert told.pairs[["group", "from_name", "to_name"]].to_numpy().tolist() == [
        ["East", "School 900001", "School 900002"]
    ]
    assert told.pairs.at[0, "ratio"] == pytest.approx(3.9)
    assert told.basis == "minutes at 40 km/h over the straight line"
    assert told.looked_at == 6
    assert told.sentences() == (
        "School 900001 (900001) and School 900002 (900002), East: 3 km apart, 17.6 minutes",
    )


def test_quality_measures_the_road_where_it_is_given(tmp_path, monkeypatch):
    roads = network(tmp_path)
    # Over the ring: 500 m apart at the shared end of two streets, and 1,000 m apart across it.
    schools = school_table((500, 0), (500, 1000), (1000, 500), (2000, 0))
    minutes = road_minutes(schools, roads, speeds=SPEEDS, floor_minutes=0)
    cluster = pd.Series("East", index=schools.index)
    told = quality(minutes, schools, cluster, roads=roads, above=1.9, beyond_km=0.9)
    assert told.basis == "kilometres by road over the straight line"
    assert told.pairs[["from_urn", "to_urn"]].to_numpy().tolist() == [["900001", "900002"]]
    assert told.pairs.at[0, "road_km"] == pytest.approx(2.0)
    assert told.pairs.at[0, "ratio"] == pytest.approx(2.0)
    assert "1 km apart, 2 km by road" in told.sentences()[0]
    # However near the bound of the first look, the answer is the same.
    monkeypatch.setattr(road_quality, "FIRST_LOOK", 0.5)
    again = quality(minutes, schools, cluster, roads=roads, above=1.9, beyond_km=0.9)
    assert again.pairs.equals(told.pairs)
    near = quality(minutes, schools, cluster, roads=roads, above=1.9, within_km=0.9)
    assert near.pairs.empty
    assert quality(minutes, schools, cluster.iloc[:1], roads=roads).looked_at == 0


@pytest.mark.real
@needs_real
@pytest.mark.parametrize(
    ("name", "county"), [("rutland_2022", "rutland"), ("westminster_2024", "westminster")]
)
def test_real_schools_over_real_roads(name, county, tmp_path):
    from geo.schools import read_schools

    folder = SHARED / "roads"
    schools = read_schools(folder / f"{county}_schools.csv").table
    roads = read_roads((folder / f"{name}_nodes.csv.gz", folder / f"{name}_edges.csv.gz"))
    minutes = road_minutes(schools, roads, cache=tmp_path)
    values = minutes.table.to_numpy()
    assert np.isfinite(values).all()
    off = ~np.eye(len(values), dtype=bool)
    assert values[off].min() >= 2.0
    places = schools[["easting", "northing"]].to_numpy(float)
    km = np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1))[off] / 1000
    # Nobody flies: 30 mph streets and 60 mph lanes against the straight line.
    assert 60 * np.median(km / values[off]) < (60 if county == "rutland" else 25)
    way = route(tuple(places[0]), tuple(places[1]), roads)
    assert way.length > np.hypot(*(places[0] - places[1]))


@pytest.mark.real
@needs_real
def test_real_one_way_streets_make_westminster_asymmetric():
    from geo.schools import read_schools

    folder = SHARED / "roads"
    schools = read_schools(folder / "westminster_schools.csv").table
    stem = str(folder / "westminster_2024")
    minutes = road_minutes(schools, read_roads((f"{stem}_nodes.csv.gz", f"{stem}_edges.csv.gz")))
    values = minutes.table.to_numpy()
    assert (np.abs(values - values.T) > 1.0).mean() > 0.05


@pytest.mark.real
@needs_real
def test_real_bridges_of_newport_are_shut_one_by_one():
    pytest.importorskip("osmium", reason="osmium reads OpenStreetMap extracts")
    extract = SHARED / "roads" / "newport-2023-06-13.osm.pbf"
    bridges = [
        Crossing("Newport Bridge", (331190, 188413), (331309, 188443), closed=True),
        Crossing("George Street Bridge", (331827, 187665), (331945, 187758), closed=True),
        Crossing("City Bridge", (332488, 186888), (332683, 186899), closed=True),
    ]
    west, east = [(331250, 188150)], [(331950, 188350)]
    taken = []
    for count in range(4):
        roads = read_roads(extract, crossings=bridges[:count])
        taken.append(float(minutes_between(west, east, roads).iloc[0, 0]))
    assert taken[0] < taken[1] - 0.3 < taken[2] - 2.0
    assert np.isnan(taken[3])  # both carriageways of the last one are cut
    standing = [replace(bridge, closed=False) for bridge in bridges]
    roads = read_roads(extract, crossings=standing)
    assert "City Bridge, George Street Bridge, Newport Bridge" in " ".join(roads.notes)
    assert "crossing" not in roads.classes


@pytest.mark.real
@needs_real
def test_real_routes_are_as_long_as_the_minutes_say():
    """At one speed everywhere, minutes and the length of the drawn way are the same number."""
    stem = str(SHARED / "roads" / "westminster_2024")
    roads = read_roads((f"{stem}_nodes.csv.gz", f"{stem}_edges.csv.gz"))
    roads = replace(
        roads,
        metres=shapely.length(roads.lines),
        signed_kmh=np.full(len(roads.a), 60.0),
    )
    even = replace(PLAIN, access_kmh=60.0)
    rng = np.random.default_rng(3)
    spots = roads.xy[rng.choice(len(roads.xy), 12)] + rng.uniform(-80, 80, (12, 2))
    found = minutes_between(spots, spots, roads, speeds=even).to_numpy()
    pairs = [(a, b) for a in range(12) for b in range(12) if a != b]
    for (i, j), way in zip(pairs, routes(spots, pairs, roads, speeds=even), strict=True):
        assert way is not None
        assert way.length / 1000 == pytest.approx(found[i, j], abs=1e-6)
    assert routes(spots, pairs[:1], roads, speeds=even, limit=0.01) == [None]


@pytest.mark.parametrize("metres", [500.0, 25_000.0])
def test_minutes_within_are_those_of_the_square_table(tmp_path, monkeypatch, metres):
    monkeypatch.setattr(road_within, "TILE_METRES", metres)
    edges = [*streets(RING[1:]), *streets(RING[:1], oneway="yes")]
    roads = network(tmp_path, edges=edges)
    spots = np.array(BASE) + np.random.default_rng(3).uniform(-100, (2100, 1100), (30, 2))
    names = [f"p{k}" for k in range(30)]
    points = pd.DataFrame(spots, columns=["easting", "northing"], index=names)
    whole = minutes_between(points, points, roads, speeds=SPEEDS)
    expected = whole.where(whole <= 4).rename_axis(index="from", columns="to").stack().dropna()
    expected = expected[[a != b for a, b in expected.index]].sort_index()
    assert 100 < len(expected) < 800
    assert not np.allclose(whole, whole.T)
    ticks: list[tuple[int, int]] = []
    found = minutes_within(
        points, roads, limit=4, speeds=SPEEDS, progress=lambda *tick: ticks.append(tick)
    )
    found = found.set_index(["from", "to"])["minutes"].sort_index()
    assert found.index.equals(expected.index)
    assert found.to_numpy() == pytest.approx(expected.to_numpy(), abs=1e-4)
    assert ticks[-1] == (30, 30)
    assert ticks == sorted(ticks)


@pytest.mark.parametrize("limit", [0, -1, np.nan, np.inf])
def test_minutes_within_need_a_limit(tmp_path, limit):
    with pytest.raises(TravelError, match="limit"):
        minutes_within([at(0, 0)], network(tmp_path), limit=limit)


def test_minutes_within_of_nothing_are_none(tmp_path):
    assert minutes_within([], network(tmp_path), limit=5).empty
