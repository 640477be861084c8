"""The page of a plan: every school once, nothing from outside, no name that acts as a tag."""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import replace
from html import unescape
from pathlib import Path

import folium
import folium.plugins
import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo import map_ground as ground
from geo.colours import LAND, PALETTE, contrast, neighbour_colours, neighbours
from geo.errors import InputError
from geo.map_data import SENTENCE, MapData, Source
from geo.map_ground import LEAST_PUPILS, to_degrees
from geo.maps import draw, embedded, save
from geo.offline import NeedsNetworkError, OfflineMap
from tests.fake_county import NASTY, fake_county

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
needs_real = pytest.mark.skipif(
    not SHARED.exists(), reason="the real open data is not beside the project"
)


@pytest.fixture(scope="module")
def county() -> MapData:
    return fake_county()


@pytest.fixture(scope="module")
def page(county: MapData) -> str:
    return draw(county).get_root().render()


def payload(page: str) -> dict:
    return json.loads(re.search(r'id="map-data">(.*?)</script>', page, re.S)[1])


def test_every_school_stands_on_the_page_exactly_once(county: MapData, page: str) -> None:
    for urn in county.schools.index:
        assert page.count(f'data-urn="{urn}"') == 1
        assert page.count(urn) == 1
    assert page.count("data-urn=") == len(county.schools)


def test_the_page_asks_nobody_for_anything(page: str) -> None:
    assert "default-src 'none'" in page
    assert not re.search(r"<(script|img|iframe)[^>]*\ssrc=|<link\b", page)
    assert not re.search(r"url\((?!data:|#)", page.split("<body>")[0].split("<script>")[0])
    assert "@import" not in page
    assert "jquery" not in page.lower()
    assert "bootstrap" not in page.lower()


def test_the_page_is_written_for_people(page: str) -> None:
    assert '<html lang="en-GB">' in page
    assert "<title>Invented county: clusters of schools – Option A</title>" in page
    assert "user-scalable" not in page
    assert page.count("<h1>") == 1
    assert page.count(SENTENCE) == 2
    for text in ("DRAFT", "Minutes are invented.", "Nobody’s data.", "Two schools opened late."):
        assert text in page


def test_a_name_never_acts_as_a_tag(page: str) -> None:
    assert "<script>alert" not in page
    assert NASTY in unescape(page)


def test_small_feeder_links_never_enter_the_page(county: MapData, page: str) -> None:
    links = payload(page)["links"]
    assert links
    assert min(link[2] for link in links) >= LEAST_PUPILS
    assert (county.feeders["pupils"] < LEAST_PUPILS).any()
    assert "lead to schools that are not on this map (1 in all)" in page


def test_links_name_schools_by_their_place_on_the_page(county: MapData, page: str) -> None:
    order = re.findall(r'data-urn="(\d+)"', page)
    drawn = {(order[a], order[b]) for a, b, *_ in payload(page)["links"]}
    wanted = county.feeders[county.feeders["pupils"] >= 5].query("to_urn != 'OUT'")
    assert drawn == set(zip(wanted["from_urn"], wanted["to_urn"], strict=True))


def test_hubs_come_first_and_the_unclustered_last(page: str) -> None:
    rows = re.findall(r'<tr data-urn="(\d+)"[^>]*?( data-hub)?(?: data-selective)?>', page)
    assert [urn for urn, _ in rows][-2:] == ["900039", "900060"]
    assert len([hub for _, hub in rows if hub]) == 6
    assert rows[0][1]


def test_same_data_same_bytes_whatever_the_order_of_rows(county: MapData, page: str) -> None:
    shuffled = replace(
        county,
        schools=county.schools.sample(frac=1, random_state=3),
        clusters=county.clusters.sample(frac=1, random_state=3),
        areas=county.areas.sample(frac=1, random_state=3),
        feeders=county.feeders.sample(frac=1, random_state=3),
    )
    assert draw(shuffled).get_root().render() == page


def test_an_empty_map_is_still_a_page(county: MapData) -> None:
    bare = replace(
        county,
        schools=county.schools.iloc[:0],
        clusters=county.clusters.iloc[:0],
        feeders=county.feeders.iloc[:0],
        areas=county.areas.iloc[:0],
        existing=None,
        context=None,
        set_aside=None,
        banner="",
    )
    page = draw(bare).get_root().render()
    assert "data-urn=" not in page
    assert 'class="banner"' not in page


def test_other_words_reach_the_reader(county: MapData) -> None:
    page = draw(replace(county, words={"cluster": "community", "clusters": "communities"}))
    text = page.get_root().render()
    assert "Communities and their schools" in text
    assert "In no community" in text


def test_unknown_word_is_refused_with_a_guess(county: MapData) -> None:
    with pytest.raises(InputError, match='Did you mean "cluster"'):
        replace(county, words={"clutser": "community"})


def test_all_faults_of_the_schools_are_told_at_once(county: MapData) -> None:
    schools = county.schools.copy()
    schools.loc["900003", "easting"] = np.nan
    schools.loc["900004", "cluster"] = "Marshside 9"
    schools = pd.concat([schools, schools.loc[["900005"]]])
    with pytest.raises(InputError) as caught:
        replace(county, schools=schools)
    text = str(caught.value)
    assert len(caught.value.faults) == 3
    assert "900003" in text
    assert 'Did you mean "Marshside 1"' in text
    assert "900005" in text


def test_missing_columns_and_degrees_are_refused(county: MapData) -> None:
    with pytest.raises(InputError, match="schools lacks the column phase"):
        replace(county, schools=county.schools.drop(columns="phase"))
    with pytest.raises(InputError, match="EPSG:27700"):
        replace(county, areas=county.areas.to_crs("EPSG:4326"))


def test_save_writes_whole_or_not_at_all(
    county: MapData, page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save(county, tmp_path / "new" / "map.html")
    assert path.read_text(encoding="utf-8") == page
    assert [found.name for found in path.parent.iterdir()] == ["map.html"]

    def full(*_: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="full"):
        save(draw(replace(county, banner="LATER")), path)
    assert path.read_text(encoding="utf-8") == page
    assert [found.name for found in path.parent.iterdir()] == ["map.html"]


def test_in_a_notebook_the_cell_holds_the_same_page(county: MapData, page: str) -> None:
    drawn = draw(county)
    assert isinstance(drawn, folium.Map)
    cell = drawn._repr_html_()
    assert unescape(re.search(r'srcdoc="(.*?)"', cell, re.S)[1]) == page


def test_a_plain_folium_layer_may_be_added_and_a_linked_one_may_not(county: MapData) -> None:
    drawn = draw(county)
    folium.Circle([52, 0], radius=500).add_to(drawn)
    assert "L.circle(" in drawn.get_root().render()
    folium.plugins.MarkerCluster().add_to(drawn)
    with pytest.raises(NeedsNetworkError, match="markercluster"):
        drawn.get_root().render()
    other = OfflineMap("Bare", (52.0, 0.0))
    folium.Circle([52, 0], radius=500, popup="Hello").add_to(other)
    with pytest.raises(NeedsNetworkError, match="jQuery"):
        other.get_root().render()


def test_degrees_agree_with_the_ordnance_survey() -> None:
    # The Survey's own worked example point near Caister, to the accuracy of the small grid shift.
    latitude, longitude = to_degrees([651_409.903], [313_177.270])
    assert latitude[0] == pytest.approx(52.65800, abs=5e-5)
    assert longitude[0] == pytest.approx(1.71605, abs=5e-5)


@given(st.text())
def test_embedded_json_cannot_leave_its_element(text: str) -> None:
    written = embedded({"name": text})
    assert not set("<>&\u2028\u2029") & set(written)
    assert json.loads(written) == {"name": text}


def squares(rows: int, columns: int, gap: float = 0) -> gpd.GeoSeries:
    found = {
        f"{row:02d}-{column:02d}": shapely.box(
            column * 1000, row * 1000, column * 1000 + 1000 - gap, row * 1000 + 1000 - gap
        )
        for row in range(rows)
        for column in range(columns)
    }
    return gpd.GeoSeries(found, crs="EPSG:27700")


@pytest.mark.parametrize("gap", [0, 30])
def test_neighbours_never_share_a_colour(gap: float) -> None:
    shapes = squares(6, 7, gap)
    colours = neighbour_colours(shapes)
    graph = neighbours(shapes)
    assert graph.number_of_edges() > 100
    assert all(colours[a] != colours[b] for a, b in graph.edges)
    assert max(colours.values()) < len(PALETTE)
    assert neighbour_colours(shapes.sample(frac=1, random_state=1)) == colours


def test_far_and_empty_outlines_are_nobodys_neighbours() -> None:
    shapes = squares(2, 2, gap=200)
    shapes["none"] = None
    shapes["empty"] = shapely.Polygon()
    assert neighbours(shapes).number_of_edges() == 0
    assert set(neighbour_colours(shapes).values()) == {0}


def test_too_many_neighbours_are_told_not_hidden(county: MapData) -> None:
    pile = county.clusters.iloc[[0] * 9].copy()
    pile.index = [f"Pile {i}" for i in range(9)]
    pile["number"] = range(1, 10)
    schools = county.schools.assign(cluster="Pile 1")
    page = draw(replace(county, clusters=pile, schools=schools)).get_root().render()
    assert "Some neighbouring clusters share a colour; go by their numbers." in page


def test_the_palette_stands_out_from_the_land() -> None:
    assert len(set(PALETTE)) == 8
    for colour in PALETTE:
        assert contrast(colour, LAND) >= 3
        assert contrast(colour, "#ffffff") >= 3
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


# Machado, Oliveira and Fernandes (2009), severity 1.0, in linear RGB.
SIGHT = {
    "full": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
LMS = [
    [0.4122214708, 0.5363325363, 0.0514459929],
    [0.2119034982, 0.6806995451, 0.1073969566],
    [0.0883024619, 0.2817188376, 0.6299787005],
]
LAB = [
    [0.2104542553, 0.7936177850, -0.0040720468],
    [1.9779984951, -2.4285922050, 0.4505937099],
    [0.0259040371, 0.7827717662, -0.8086757660],
]


@pytest.mark.parametrize("sight", SIGHT)
def test_the_palette_stays_apart_for_every_eye(sight: str) -> None:
    rgb = np.array([[int(c[i : i + 2], 16) / 255 for i in (1, 3, 5)] for c in PALETTE])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ np.array(SIGHT[sight]).T, 0, 1)
    oklab = np.cbrt(seen @ np.array(LMS).T) @ np.array(LAB).T
    for a, b in itertools.combinations(range(8), 2):
        # 0.02 in Oklab is about the least difference seen side by side.
        assert np.linalg.norm(oklab[a] - oklab[b]) > 0.08, (PALETTE[a], PALETTE[b])


@pytest.mark.real
@needs_real
def test_a_real_county_stays_light_enough_to_send() -> None:
    raw = pd.read_csv(SHARED / "kent" / "schools_composite.csv", dtype=str)
    raw = raw[
        raw["SchoolType (census 2024-25)"].isin(["State-funded primary", "State-funded secondary"])
    ]
    raw = raw.dropna(subset=["Easting", "Northing", "EstablishmentName"]).drop_duplicates("URN")
    districts = gpd.read_file(SHARED / "kent" / "districts.geojson").to_crs("EPSG:27700")
    names = next(column for column in districts.columns if column.endswith("NM"))
    districts = districts.set_index(names)
    schools = pd.DataFrame(
        {
            "name": raw["EstablishmentName"].to_numpy(),
            "phase": raw["SchoolType (census 2024-25)"].str.split().str[-1].to_numpy(),
            "area": "",
            "easting": raw["Easting"].astype(float).to_numpy(),
            "northing": raw["Northing"].astype(float).to_numpy(),
            "cluster": "",
            "is_hub": False,
            "selective": pd.array([pd.NA] * len(raw), "boolean"),
            "details": [()] * len(raw),
        },
        index=pd.Index(raw["URN"], name="urn"),
    )
    clusters = districts[["geometry"]].assign(
        number=range(1, len(districts) + 1), name=districts.index, details=[()] * len(districts),
        summary="",
    )  # fmt: skip
    none = pd.DataFrame(columns=["from_urn", "to_urn", "pupils", "kept", "estimated"])
    data = MapData("Kent", schools, clusters, districts, none, sources=(Source("DfE"),))
    page = draw(data).get_root().render()
    assert page.count("data-urn=") == len(schools) > 600
    assert len(page.encode()) < 1_000_000


def test_our_scripts_write_text_never_markup() -> None:
    for script in sorted((Path(__file__).resolve().parents[1] / "geo").glob("map_*.js")):
        text = script.read_text(encoding="utf-8")
        for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
            assert way not in text, script.name


def test_ways_along_the_roads_keep_their_budget_and_lie_once(monkeypatch) -> None:
    rng = np.random.default_rng(4)
    lines = [
        shapely.LineString(np.column_stack([np.arange(400) * 25.0, rng.uniform(0, 60, 400)]) + k)
        for k in range(12)
    ]
    ways = gpd.GeoSeries([*lines, lines[0]], index=[f"c{k}" for k in range(12)] + ["c0"])
    ways = ways.translate(500_000, 200_000)
    groups = [f"c{k}" for k in range(13)]
    fine = ground.bundles(ways, groups)
    assert fine[12] == []
    # The way that two schools share stands once.
    assert len(fine[0]) == 1
    points = sum(len(line) for bundle in fine for line in bundle)
    monkeypatch.setattr(ground, "ROUTE_POINTS", points // 3)
    coarse = ground.bundles(ways, groups)
    assert 24 <= sum(len(line) for bundle in coarse for line in bundle) <= points // 3
    assert [bundle[0][0] for bundle in coarse[:12]] == [bundle[0][0] for bundle in fine[:12]]
