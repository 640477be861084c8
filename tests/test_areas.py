"""Reading any polygon layer, and placing schools in it."""

import json
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from geo.areas import Areas, read_areas, read_land
from geo.errors import AreasError
from geo.placing import place, place_by_column

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
needs_real = pytest.mark.skipif(
    not SHARED.exists(), reason="the real open data is not beside the project"
)

WEST = shapely.box(600_000, 150_000, 610_000, 160_000)
EAST = shapely.box(610_000, 150_000, 620_000, 160_000)


def layer(shapes, names=("Westmarsh", "Eastmarsh"), field="LAD24NM", crs="EPSG:27700", **columns):
    return gpd.GeoDataFrame({field: list(names), **columns}, geometry=list(shapes), crs=crs)


def saved(frame: gpd.GeoDataFrame, path: Path) -> Path:
    frame.to_file(path, engine="pyogrio")
    return path


def school_table(**spots) -> pd.DataFrame:
    rows = {
        urn: {"name": f"School {urn[1:]}", "easting": float(e), "northing": float(n), "row": i + 2}
        for i, (urn, (e, n)) in enumerate(spots.items())
    }
    table = pd.DataFrame.from_dict(rows, orient="index")
    return table.rename_axis("urn").rename(index=lambda urn: urn.removeprefix("u"))


@pytest.fixture
def marsh() -> Areas:
    table = layer([WEST, EAST]).rename(columns={"LAD24NM": "area"}).set_index("area").sort_index()
    table["code"] = ""
    return Areas(table)


@pytest.mark.parametrize("ending", ["geojson", "gpkg", "shp"])
def test_layer_is_read_sorted_and_in_metres_from_every_format(tmp_path, ending):
    frame = layer([WEST, EAST], LAD24CD=["E2", "E1"])
    if ending == "geojson":
        frame = frame.to_crs("EPSG:4326")
    areas = read_areas(saved(frame, tmp_path / f"marsh.{ending}"))
    assert list(areas.table.index) == ["Eastmarsh", "Westmarsh"]
    assert list(areas.table["code"]) == ["E1", "E2"]
    assert areas.table.crs.to_epsg() == 27700
    assert areas.table.geometry["Westmarsh"].area == pytest.approx(1e8, rel=1e-4)
    assert areas.land.area == pytest.approx(2e8, rel=1e-4)
    assert areas.notes == ()


@pytest.mark.parametrize("field", ["LSOA21NM", "WD24NM", "PCN24NM", "CTYUA23NM", "name", "Name"])
def test_name_field_is_recognised(tmp_path, field):
    areas = read_areas(saved(layer([WEST, EAST], field=field), tmp_path / "marsh.gpkg"))
    assert list(areas.table.index) == ["Eastmarsh", "Westmarsh"]


def test_unknown_name_field_lists_the_fields(tmp_path):
    path = saved(layer([WEST, EAST], field="label"), tmp_path / "marsh.gpkg")
    with pytest.raises(AreasError, match=r"No field holds the names.*label"):
        read_areas(path)
    with pytest.raises(AreasError, match='Did you mean "label"'):
        read_areas(path, name_field="labell")
    assert "Westmarsh" in read_areas(path, name_field="label").table.index


def test_two_possible_name_fields_are_asked_about(tmp_path):
    frame = layer([WEST, EAST], WD24NM=["Ferry", "Quay"])
    with pytest.raises(AreasError, match=r"More than one field.*LAD24NM, WD24NM"):
        read_areas(saved(frame, tmp_path / "wards.gpkg"))


def test_keep_leaves_the_areas_named_and_refuses_others(tmp_path):
    path = saved(layer([WEST, EAST]), tmp_path / "marsh.gpkg")
    assert list(read_areas(path, keep=["Eastmarsh"]).table.index) == ["Eastmarsh"]
    with pytest.raises(AreasError, match='Did you mean "Eastmarsh"'):
        read_areas(path, keep=["Eastmash"])


def geojson(path: Path, shape, crs: str | None = None) -> Path:
    record = {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "properties": {"name": "Westmarsh"},
                "geometry": shapely.geometry.mapping(shape),
            }
        ],
    }
    if crs:
        record["crs"] = {"type": "name", "properties": {"name": crs}}
    path.write_text(json.dumps(record), encoding="utf-8")
    return path


def test_metres_labelled_as_degrees_are_read_as_metres_and_noted(tmp_path):
    areas = read_areas(geojson(tmp_path / "m.geojson", WEST))
    assert areas.table.total_bounds.tolist() == [600_000, 150_000, 610_000, 160_000]
    assert "read as British National Grid metres" in areas.notes[0]


def test_degrees_labelled_as_metres_are_read_as_degrees_and_noted(tmp_path):
    shape = shapely.box(0.5, 51.2, 0.6, 51.3)
    areas = read_areas(geojson(tmp_path / "d.geojson", shape, "EPSG:27700"))
    assert areas.table.total_bounds[0] > 500_000
    assert "holds degrees" in areas.notes[0]


def test_missing_crs_is_guessed_only_where_unmistakable(tmp_path):
    frame = layer([WEST, EAST], crs=None)
    with pytest.warns(UserWarning, match="crs"):
        path = saved(frame, tmp_path / "marsh.shp")
    assert "names no coordinate system" in read_areas(path).notes[0]
    nowhere = layer([shapely.box(5e6, 5e6, 6e6, 6e6)], ["Nowhere"], crs=None)
    with pytest.warns(UserWarning, match="crs"):
        path = saved(nowhere, tmp_path / "nowhere.shp")
    with pytest.raises(AreasError, match="fit neither British metres nor degrees"):
        read_areas(path)


def test_swapped_degrees_are_named(tmp_path):
    shape = shapely.box(51.2, 0.5, 51.3, 0.6)
    with pytest.raises(AreasError, match="latitude and longitude are swapped"):
        read_areas(geojson(tmp_path / "s.geojson", shape))


def test_crossed_outline_is_repaired_and_noted(tmp_path):
    bow = shapely.Polygon(
        [(600_000, 150_000), (610_000, 160_000), (610_000, 150_000), (600_000, 160_000)]
    )
    areas = read_areas(saved(layer([bow, EAST]), tmp_path / "bow.gpkg"))
    assert areas.table.geometry.is_valid.all()
    assert "repaired: Westmarsh" in areas.notes[0]


def test_overlap_is_noted_and_drawing_error_is_not(tmp_path):
    much = shapely.box(609_000, 150_000, 620_000, 160_000)
    little = shapely.box(609_990, 150_000, 620_000, 160_000)
    note = read_areas(saved(layer([WEST, much]), tmp_path / "a.gpkg")).notes[0]
    assert note.startswith("Eastmarsh and Westmarsh overlap by 10%")
    assert read_areas(saved(layer([WEST, little]), tmp_path / "b.gpkg")).notes == ()


def test_rows_of_one_name_are_joined_but_namesakes_kept_apart(tmp_path):
    joined = read_areas(saved(layer([WEST, EAST], ["Marsh", "Marsh"]), tmp_path / "a.gpkg"))
    assert list(joined.table.index) == ["Marsh"]
    assert joined.table.geometry["Marsh"].area == pytest.approx(2e8)
    assert "joined into one: Marsh" in joined.notes[0]
    frame = layer([WEST, EAST], ["Abbey", "Abbey"], "WD24NM", WD24CD=["E1", "E2"])
    apart = read_areas(saved(frame, tmp_path / "b.gpkg"))
    assert list(apart.table.index) == ["Abbey (E1)", "Abbey (E2)"]
    assert "carry their code: Abbey" in apart.notes[0]


def test_faults_of_a_layer_are_gathered(tmp_path):
    shapes = [shapely.Point(600_000, 150_000), EAST, shapely.LineString([(6e5, 1e5), (6e5, 2e5)])]
    frame = layer(shapes, ["A", "B", "C"])
    path = tmp_path / "mixed.geojson"
    frame.to_crs("EPSG:4326").to_file(path, engine="pyogrio")
    with pytest.raises(AreasError) as caught:
        read_areas(path)
    assert [fault.row for fault in caught.value.faults] == [1, 3]


def test_absent_empty_and_unreadable_files_are_faults(tmp_path):
    with pytest.raises(AreasError, match="no such file"):
        read_areas(tmp_path / "absent.geojson")
    empty = tmp_path / "empty.geojson"
    empty.write_text('{"type": "FeatureCollection", "features": []}', encoding="utf-8")
    with pytest.raises(AreasError, match="holds no area"):
        read_areas(empty)
    broken = tmp_path / "broken.geojson"
    broken.write_text("not a map", encoding="utf-8")
    with pytest.raises(AreasError, match="cannot be read as a boundary layer"):
        read_areas(broken)


def test_blank_name_is_a_fault_with_its_row(tmp_path):
    with pytest.raises(AreasError, match=r"row 2.*blank"):
        read_areas(saved(layer([WEST, EAST], ["Westmarsh", " "]), tmp_path / "a.gpkg"))


def test_layers_of_a_geopackage_are_asked_for(tmp_path):
    path = tmp_path / "two.gpkg"
    layer([WEST, EAST]).to_file(path, layer="districts", engine="pyogrio")
    layer([WEST], ["Whole"]).to_file(path, layer="county", engine="pyogrio")
    with pytest.raises(AreasError, match="several layers: districts, county"):
        read_areas(path)
    with pytest.raises(AreasError, match='Did you mean "county"'):
        read_areas(path, layer="countty")
    assert list(read_areas(path, layer="county").table.index) == ["Whole"]


def test_land_needs_no_names(tmp_path):
    path = saved(layer([WEST, EAST], field="label"), tmp_path / "land.gpkg")
    land, notes = read_land(path)
    assert land.area == pytest.approx(2e8)
    assert notes == ()


def test_school_is_placed_where_it_stands_and_on_a_border_with_the_first(marsh):
    schools = school_table(
        u900003=(605_000, 155_000), u900001=(615_000, 155_000), u900002=(610_000, 155_000)
    )
    placing = place(schools, marsh)
    assert placing.area.to_dict() == {
        "900001": "Eastmarsh",
        "900002": "Eastmarsh",
        "900003": "Westmarsh",
    }
    assert placing.notes == ()


def test_school_just_off_the_coast_is_placed_and_noted(marsh):
    placing = place(school_table(u900001=(599_900, 155_000)), marsh)
    assert placing.area["900001"] == "Westmarsh"
    assert "School 900001 (900001), 100 m from Westmarsh" in placing.notes[0]


def test_every_school_that_cannot_be_placed_is_named_with_its_remedy(marsh):
    schools = school_table(
        u900001=(float("nan"), 155_000),
        u900002=(0, 0),
        u900003=(0.5, 51.3),
        u900004=(155_000, 605_000),
        u900005=(596_800, 155_000),
        u900006=(605_000, 155_000),
    )
    with pytest.raises(AreasError) as caught:
        place(schools, marsh, file="schools.csv")
    said = {fault.urn: fault for fault in caught.value.faults}
    assert sorted(said) == ["900001", "900002", "900003", "900004", "900005"]
    assert "no coordinates" in said["900001"].what
    assert "zero" in said["900002"].what
    assert "degrees where metres" in said["900003"].what
    assert "swapped" in said["900004"].what
    assert "easting = 605000, northing = 155000" in said["900004"].fix
    assert "3.2 km from Westmarsh" in said["900005"].what
    assert "[schools.fix.900005]" in said["900005"].fix
    assert "exclude" in said["900005"].fix
    assert str(said["900002"]).startswith("schools.csv, row 3: School 900002 (900002)")


def test_district_that_differs_from_the_polygon_is_noted(marsh):
    schools = school_table(u900001=(615_000, 155_000), u900002=(605_000, 155_000))
    schools["district"] = ["Westmarsh", "westmarsh"]
    placing = place(schools, marsh)
    assert placing.area["900001"] == "Eastmarsh"
    assert placing.notes == (
        "The district in the file differs from the boundary: "
        "School 900001 (900001) says Westmarsh, stands in Eastmarsh.",
    )


def test_districts_are_not_compared_with_a_layer_of_other_things(marsh):
    schools = school_table(u900001=(615_000, 155_000), u900002=(605_000, 155_000))
    schools["district"] = ["Upper Fenshire", "Lower Fenshire"]
    assert place(schools, marsh).notes == ()


def test_areas_may_come_from_a_column():
    schools = school_table(u900002=(1, 1), u900001=(2, 2))
    schools["network"] = ["North", " South "]
    assert place_by_column(schools, "network").area.to_dict() == {
        "900001": "South",
        "900002": "North",
    }
    schools.loc["900002", "network"] = " "
    with pytest.raises(AreasError, match=r"row 2: School 900002.*blank"):
        place_by_column(schools, "network")
    with pytest.raises(AreasError, match='no column "netwrok"'):
        place_by_column(schools, "netwrok")


@pytest.mark.real
@needs_real
def test_kent_and_its_schools():
    areas = read_areas(SHARED / "kent" / "districts.geojson")
    assert len(areas.table) == 13
    assert areas.notes == ()
    assert areas.land.area == pytest.approx(3.746e9, rel=0.01)
    raw = pd.read_csv(SHARED / "kent" / "schools_composite.csv", dtype=str, keep_default_na=False)
    schools = pd.DataFrame(
        {
            "name": raw["EstablishmentName"],
            "easting": pd.to_numeric(raw["Easting"]),
            "northing": pd.to_numeric(raw["Northing"]),
            "district": raw["DistrictAdministrative (name)"],
            "row": range(2, len(raw) + 2),
        }
    ).set_index(raw["URN"])
    located = schools[schools["easting"].notna()]
    placing = place(located, areas)
    assert (placing.area == located["district"].sort_index())[
        located["district"].sort_index() != ""
    ].mean() > 0.99
    with pytest.raises(AreasError, match="no coordinates"):
        place(schools, areas)
