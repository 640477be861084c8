"""Outlines of clusters: they cover the land, never overlap, and hold their schools."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.areas import Areas, read_areas
from geo.errors import AreasError
from geo.outlines import outlines
from geo.placing import place

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
needs_real = pytest.mark.skipif(
    not SHARED.exists(), reason="the real open data is not beside the project"
)

FIELD = shapely.box(0, 0, 10_000, 10_000)


def school_table(rows) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["easting", "northing", "cluster"])
    table.index = pd.Index([f"9{number:05d}" for number in range(len(rows))], name="urn")
    return table.astype({"easting": float, "northing": float})


def check(drawn: gpd.GeoDataFrame, schools: pd.DataFrame, land) -> None:
    assert drawn.crs.to_epsg() == 27700
    assert drawn.index.name == "cluster"
    assert drawn.index.is_monotonic_increasing
    assert (drawn.geom_type == "MultiPolygon").all()
    assert drawn.geometry.is_valid.all()
    assert drawn.area.sum() == pytest.approx(land.area, rel=1e-3)
    left, right = drawn.sindex.query(drawn.geometry, predicate="intersects")
    shapes = drawn.geometry.to_numpy()
    shared = shapely.intersection(shapes[left[left < right]], shapes[right[left < right]])
    assert shapely.area(shared).max(initial=0.0) < 1.0
    points = shapely.points(schools[["easting", "northing"]].to_numpy())
    homes = drawn.geometry.loc[schools["cluster"]].to_numpy()
    assert shapely.distance(homes, points).max() < 0.01


def test_two_schools_halve_a_field():
    schools = school_table([(2_000, 5_000, "A"), (8_000, 5_000, "B")])
    drawn = outlines(schools, FIELD)
    check(drawn, schools, FIELD)
    assert drawn.geometry["A"].symmetric_difference(shapely.box(0, 0, 5_000, 10_000)).area < 1


def test_schools_of_one_cluster_are_joined_and_may_share_a_spot():
    schools = school_table([(2_000, 5_000, 1), (2_000, 5_000, 1), (3_000, 9_000, 1)])
    drawn = outlines(schools, FIELD)
    check(drawn, schools, FIELD)
    assert drawn.index.tolist() == [1]


def test_schools_of_different_clusters_on_one_spot_split_it():
    rows = [(5_000, 5_000, "A"), (5_000, 5_000, "B"), (5_000, 5_000, "C"), (9_000, 9_000, "B")]
    schools = school_table(rows)
    check(outlines(schools, FIELD), schools, FIELD)


def test_outline_does_not_reach_over_water_to_an_island_with_its_own_school():
    island = shapely.box(0, 10_500, 10_000, 12_000)
    land = shapely.union(FIELD, island)
    rows = [(1_000, 9_900, "A"), (9_000, 9_000, "A"), (9_000, 11_000, "B")]
    schools = school_table(rows)
    drawn = outlines(schools, land)
    check(drawn, schools, land)
    assert drawn.geometry["B"].equals(shapely.MultiPolygon([island]))


def test_islet_without_a_school_goes_whole_to_the_nearest():
    islet = shapely.box(4_000, 10_100, 5_200, 10_300)
    land = shapely.union(FIELD, islet)
    schools = school_table([(4_000, 9_000, "A"), (7_000, 9_000, "B")])
    drawn = outlines(schools, land)
    check(drawn, schools, land)
    assert drawn.geometry["A"].contains(islet.centroid)
    assert drawn.geometry["B"].intersection(islet).area == 0


def test_scrap_beyond_a_creek_goes_to_the_cluster_it_touches():
    # A creek runs up the middle; B's corner beyond it is nearer to A by air only.
    creek = shapely.box(4_700, 500, 4_800, 10_000)
    land = FIELD.difference(creek)
    schools = school_table([(4_000, 9_000, "A"), (5_400, 9_000, "B"), (5_000, 200, "A")])
    drawn = outlines(schools, land)
    check(drawn, schools, land)
    assert drawn.geometry["A"].contains(shapely.Point(4_690, 9_900))


def test_outlines_inside_areas_follow_their_border():
    west, east = shapely.box(0, 0, 3_000, 10_000), shapely.box(3_000, 0, 10_000, 10_000)
    table = gpd.GeoDataFrame(
        {"code": ["", ""]},
        geometry=[east, west],
        index=pd.Index(["East", "West"], name="area"),
        crs="EPSG:27700",
    )
    schools = school_table([(2_900, 5_000, "A"), (9_000, 5_000, "B")])
    schools["area"] = ["West", "East"]
    drawn = outlines(schools, Areas(table), inside_areas=True)
    check(drawn, schools, FIELD)
    assert drawn.geometry["A"].symmetric_difference(west).area < 1
    free = outlines(schools, Areas(table))
    assert free.geometry["A"].area > west.area
    schools["area"] = ["West", "West"]  # nobody stands in East: it goes to the nearest
    check(
        outlines(schools.assign(easting=[500.0, 2_500.0]), Areas(table), inside_areas=True),
        schools.assign(easting=[500.0, 2_500.0]),
        FIELD,
    )


def test_what_cannot_be_drawn_is_gathered():
    schools = school_table([(float("nan"), 5_000, "A"), (8_000, 5_000, None)])
    with pytest.raises(AreasError) as caught:
        outlines(schools, FIELD, inside_areas=True)
    text = str(caught.value)
    assert "900000" in text
    assert "no coordinates" in text
    assert "in no cluster" in text
    assert "need the layer of areas" in text
    with pytest.raises(AreasError, match="no schools"):
        outlines(schools.iloc[:0], FIELD)


spots = st.tuples(st.integers(1, 99), st.integers(1, 99), st.sampled_from("ABCD"))


@settings(max_examples=40, deadline=None)
@given(st.lists(spots, min_size=1, max_size=25), st.randoms())
def test_any_schools_share_out_the_land_whatever_their_order(rows, random):
    land = FIELD.difference(shapely.box(4_970, 1_500, 5_030, 10_000))
    rows = [(x * 100.0, y * 100.0, cluster) for x, y, cluster in rows if x != 50]
    if not rows:
        return
    schools = school_table(rows)
    drawn = outlines(schools, land)
    check(drawn, schools, land)
    order = list(schools.index)
    random.shuffle(order)
    again = outlines(schools.loc[order], land)
    assert shapely.equals_exact(drawn.geometry.to_numpy(), again.geometry.to_numpy()).all()


@pytest.mark.real
@needs_real
@pytest.mark.parametrize("inside_areas", [False, True])
def test_kent_is_covered_once(inside_areas):
    areas = read_areas(SHARED / "kent" / "districts.geojson")
    raw = pd.read_csv(SHARED / "kent" / "schools_composite.csv", dtype=str, keep_default_na=False)
    raw = raw[(raw["LA (code)"] == "886") & (raw["Easting"] != "")].set_index("URN")
    schools = pd.DataFrame(
        {
            "name": raw["EstablishmentName"],
            "easting": pd.to_numeric(raw["Easting"]),
            "northing": pd.to_numeric(raw["Northing"]),
        }
    )
    schools["area"] = place(schools, areas).area
    strip = (schools["easting"] // 6_000).astype(int).astype(str)
    schools["cluster"] = schools["area"] + " " + strip
    drawn = outlines(schools, areas, inside_areas=inside_areas)
    inland = areas.land.covers(shapely.points(schools[["easting", "northing"]].to_numpy()))
    check(drawn, schools[np.asarray(inland)], areas.land)
