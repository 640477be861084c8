"""The invented county keeps its promises: same bytes, whole ground, schools of every kind."""

import math
import subprocess
import sys
import tomllib
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
from shapely.geometry import LineString, Point

DATA = Path(__file__).resolve().parents[1] / "data"
SAMPLE, BOUNDARIES = DATA / "sample", DATA / "boundaries"
SIZES = {
    "Highwold": 29,
    "Larkdown": 36,
    "Marshside": 41,
    "Merechester": 52,
    "Ousemouth": 45,
    "Saltby": 38,
}
SPECIAL = r"special school|special converter"
ASIDE = rf"{SPECIAL}|referral|alternative provision|nursery|independent"


def table(name: str) -> pd.DataFrame:
    """A file of the sample as text, nothing guessed."""
    return pd.read_csv(SAMPLE / name, dtype=str, keep_default_na=False)


@pytest.fixture(scope="module")
def every_row() -> pd.DataFrame:
    return table("schools.csv").set_index("urn")


@pytest.fixture(scope="module")
def schools(every_row: pd.DataFrame) -> pd.DataFrame:
    """The mainstream, open schools, with figures as numbers."""
    aside = every_row["type"].str.contains(ASIDE, case=False) | (every_row["status"] != "Open")
    kept = every_row[~aside].copy()
    figures = ["easting", "northing", "pupils", "ehc_plans", "sen_support", "fsm6", "low_age"]
    kept[figures] = kept[figures].apply(pd.to_numeric, errors="coerce")
    return kept


@pytest.fixture(scope="module")
def districts() -> gpd.GeoSeries:
    layer = gpd.read_file(BOUNDARIES / "sandmere_districts.geojson")
    return layer.to_crs(27700).set_index("LAD25NM").geometry


def points(frame: pd.DataFrame) -> gpd.GeoSeries:
    """The places of some rows in metres."""
    x, y = frame["easting"].astype(float), frame["northing"].astype(float)
    return gpd.GeoSeries(gpd.points_from_xy(x, y), index=frame.index, crs=27700)


def is_secondary(schools: pd.DataFrame) -> pd.Series:
    return (schools["phase"] != "primary") & (schools["selective"] != "yes")


def test_the_script_writes_the_same_bytes_again(tmp_path: Path) -> None:
    script = SAMPLE / "generate.py"
    subprocess.run([sys.executable, str(script), "--to", str(tmp_path)], check=True)
    written = sorted(p.relative_to(tmp_path) for p in tmp_path.rglob("*.*"))
    assert len(written) == 17
    for name in written:
        # Git may have given the project's copy the line ends of this system.
        there = (DATA / name).read_bytes().replace(b"\r\n", b"\n")
        assert (tmp_path / name).read_bytes() == there, name
    assert sum((DATA / name).stat().st_size for name in written) < 1_500_000


def test_counts(every_row: pd.DataFrame, schools: pd.DataFrame) -> None:
    assert every_row.index.is_unique
    assert every_row.index.is_monotonic_increasing
    assert schools["district"].value_counts().to_dict() == SIZES
    kinds = every_row["type"].str
    special = kinds.contains(SPECIAL, case=False) & ~kinds.contains("independent")
    assert special.sum() == 6
    assert kinds.contains("referral|alternative").sum() == 2
    assert kinds.contains("nursery").sum() == 1
    assert kinds.contains("independent").sum() == 4
    assert every_row["status"].value_counts().drop("Open").to_dict() == {
        "Closed": 2,
        "Proposed to open": 1,
    }


def test_rates_are_those_of_an_english_county(schools: pd.DataFrame) -> None:
    pupils = schools["pupils"].sum()
    assert schools["ehc_plans"].sum() / pupils == pytest.approx(0.029, abs=0.001)
    assert schools["sen_support"].sum() / pupils == pytest.approx(0.127, abs=0.002)
    assert schools["fsm6"].sum() / pupils == pytest.approx(0.24, abs=0.005)
    primary = schools["phase"] == "primary"
    assert 180 < schools.loc[primary, "pupils"].median() < 240
    assert 950 < schools.loc[~primary, "pupils"].median() < 1200
    assert (schools.loc[primary, "pupils"] < 100).sum() >= 20
    share = (schools["fsm6"] / schools["pupils"]).groupby(schools["district"]).mean()
    assert share.idxmax() == "Saltby"
    assert share.idxmin() == "Larkdown"


def test_only_highwold_has_too_few_secondaries(schools: pd.DataFrame) -> None:
    counts = is_secondary(schools).groupby(schools["district"]).sum()
    least = {name: math.ceil(size / 14) for name, size in SIZES.items()}
    assert counts["Highwold"] == 2 < least["Highwold"] == 3
    assert math.ceil(SIZES["Highwold"] / 15) == 2
    for name in set(SIZES) - {"Highwold"}:
        assert 1 <= counts[name] - least[name] <= 2, name


def test_kinds_of_schools(schools: pd.DataFrame) -> None:
    grammars = schools[schools["selective"] == "yes"]
    assert set(grammars["district"]) == {"Merechester"}
    assert grammars["sex"].value_counts().to_dict() == {"boys": 2, "girls": 2}
    assert (schools["phase"] == "all_through").sum() == 1
    assert (schools["low_age"] == 14).sum() == 1
    catholic = schools["faith"] == "Roman Catholic"
    assert (catholic & is_secondary(schools)).sum() == 1
    assert (schools["name"].str.contains("Infant")).sum() == 6
    assert (schools["name"].str.contains("Junior")).sum() == 6
    sites = schools.groupby(["easting", "northing"]).size()
    assert (sites == 2).sum() == 6  # four infant and junior pairs, two other sites
    assert schools["trust"].nunique() >= 6
    assert schools.loc[schools["federation"] != "", "federation"].nunique() >= 4


def test_infant_and_junior_stand_side_by_side(schools: pd.DataFrame) -> None:
    where = points(schools)
    for urn in schools.index[schools["name"].str.contains("Infant")]:
        twin = schools.at[urn, "name"].replace("Infant", "Junior")
        (other,) = schools.index[schools["name"] == twin]
        assert where[urn].distance(where[other]) < 100
        assert schools.at[urn, "postcode"] == schools.at[other, "postcode"]


def test_suppressed_figures_are_few_and_never_the_roll(every_row: pd.DataFrame) -> None:
    hidden = (every_row == "c").sum()
    assert 1 <= hidden.sum() <= 2
    assert hidden["pupils"] == 0


def test_districts_tile_the_land(districts: gpd.GeoSeries) -> None:
    assert districts.is_valid.all()
    land = districts.union_all()
    assert len(land.geoms) == 2  # mainland and island: no crack has come between neighbours
    assert all(len(part.interiors) == 0 for part in land.geoms)
    assert districts.area.sum() == pytest.approx(land.area, abs=1)
    west, south, east, north = land.bounds
    assert west > 590_000
    assert east < 660_000
    assert south > 395_000
    assert north < 450_000


def test_every_school_and_neighbourhood_stands_in_its_district(
    every_row: pd.DataFrame, districts: gpd.GeoSeries
) -> None:
    small = table("lsoa.csv").set_index("lsoa")
    assert len(small) == 350
    assert set(every_row["lsoa"]) <= set(small.index)
    for frame, column in ((every_row, "district"), (small, "area")):
        for at, name in zip(points(frame), frame[column], strict=True):
            assert districts[name].contains(at)


def test_the_island_has_ten_schools_and_one_secondary(
    schools: pd.DataFrame, districts: gpd.GeoSeries
) -> None:
    island = min(districts.union_all().geoms, key=lambda part: part.area)
    there = schools[points(schools).within(island)]
    assert set(there["district"]) == {"Marshside"}
    assert len(there) == 10
    assert is_secondary(there).sum() == 1
    mainland = districts.union_all().difference(island)
    assert island.distance(mainland) > 500


def test_the_estuary_cuts_ousemouth_in_two(districts: gpd.GeoSeries) -> None:
    assert len(districts["Ousemouth"].geoms) == 2
    places = gpd.read_file(BOUNDARIES / "sandmere_places.geojson").to_crs(27700).set_index("name")
    assert len(places) == 20
    crow = LineString([places.geometry["Ousemouth"], places.geometry["Southferry"]])
    assert crow.difference(districts.union_all()).length > 3000


def test_flows_refer_to_known_schools_and_hide_small_numbers(schools: pd.DataFrame) -> None:
    flows = table("flows.csv")
    assert set(flows["from_urn"]) <= set(schools.index)
    assert set(flows["to_urn"]) <= set(schools.index) | {"OUT", "IND", "SPEC"}
    assert set(flows["year"]) == {"2024", "2025", "2026"}
    assert set(flows["kind"]) == {"actual"}
    assert not flows.duplicated(["from_urn", "to_urn", "year"]).any()
    assert set(flows["pupils"]) & {"0", "1", "2", "3", "4"} == set()
    boys = schools.index[schools["sex"] == "boys"]
    assert flows["to_urn"].isin(boys).any()
    leavers = set(schools.index[schools["phase"] == "primary"])
    assert set(flows["from_urn"]) == leavers


def test_todays_clusters_are_mediocre(schools: pd.DataFrame) -> None:
    today = table("existing.csv").set_index("urn")["cluster"]
    assert list(today.index) == list(schools.index)
    size = today.value_counts()
    assert size.min() < 8
    assert size.max() > 14
    assert (is_secondary(schools).groupby(today).sum() == 0).any()
    assert (schools["district"].groupby(today).nunique() > 1).any()
    ousemouth = schools[schools["district"] == "Ousemouth"]
    north = ousemouth["northing"] > 421_500
    assert (north.groupby(today).nunique() == 2).any()  # a cluster with the estuary in it


def test_provisions(schools: pd.DataFrame) -> None:
    srps = table("srps.csv").set_index("urn")
    assert len(srps) == 22
    assert set(srps.index) <= set(schools.index)
    home = schools.loc[srps.index]
    assert list(srps["name"]) == list(home["name"])
    nearly_empty = srps[(srps["on_roll"] == "4") & (srps["places"] == "12")]
    assert list(nearly_empty["need_types"]) == ["SLCN"]
    secondary = srps["phase"] == "secondary"
    autism = srps["need_types"].str.contains("ASD")
    assert set(SIZES) - set(home.loc[secondary & autism, "district"]) == {"Ousemouth"}
    coast = Point(651_600, 405_800)  # Saltby
    assert points(home[~secondary]).distance(coast).min() > 10_000


def test_study_files_differ_only_in_the_exception(districts: gpd.GeoSeries) -> None:
    study, brief = (
        tomllib.loads((SAMPLE / name).read_text(encoding="utf-8"))
        for name in ("study.toml", "study_brief.toml")
    )
    assert study["rules"].pop("area") == {"Highwold": {"schools": [8, 15]}}
    assert (study.pop("name"), brief.pop("name")) == ("sandmere", "sandmere_brief")
    assert study == brief
    land = districts.union_all()
    crossings = study["travel"]["crossing"]
    assert len(crossings) == 2
    for bridge in crossings:
        ends = [Point(bridge["start"]), Point(bridge["end"])]
        assert all(land.contains(end) for end in ends)
        assert LineString(ends).difference(land).length > 500
    for part in ("schools", "areas", "feeders", "existing"):
        assert (SAMPLE / study[part]["file"]).exists()
