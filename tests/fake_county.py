"""An invented county of sixty schools for the tests of the map; nothing in it exists."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.maps import MapData, Source

NASTY = '<script>alert(1)</script> & "Sons\'" Primary \u2028'
TOWNS = ("Marshside", "Fernhollow", "Quillbury", "Otterwick", "Pebblecombe", "Thistleford")
LEFT, BOTTOM = 500_000, 200_000


def _outlines(points: np.ndarray, labels: list[str], land: shapely.Polygon) -> gpd.GeoDataFrame:
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(points)))
    tree = shapely.STRtree(cells)
    at, cell = tree.query(shapely.points(points), predicate="within")
    frame = gpd.GeoDataFrame(
        {"label": [labels[i] for i in at]}, geometry=cells[cell], crs="EPSG:27700"
    ).dissolve("label")
    frame["geometry"] = frame.intersection(land)
    return frame


def fake_county(**changes: object) -> MapData:
    """Return sixty schools in six clusters, two of them in none, one with a nasty name."""
    rng = np.random.default_rng(7)
    middles = np.array([[8, 8], [22, 9], [36, 8], [9, 23], [23, 24], [37, 22]]) * 1000.0
    middles += [LEFT, BOTTOM]
    points = np.vstack([middle + rng.normal(0, 3200, (10, 2)) for middle in middles])
    town = np.repeat(np.arange(6), 10)
    labels = [f"{TOWNS[i]} 1" for i in town]
    land = shapely.box(LEFT, BOTTOM, LEFT + 45_000, BOTTOM + 31_000).buffer(2500)
    kind = np.tile(["secondary", "secondary", "all_through"] + ["primary"] * 7, 6)
    schools = pd.DataFrame(
        {
            "name": [f"{TOWNS[t]} {word}" for t, word in zip(town, _names(), strict=True)],
            "phase": kind,
            "area": np.where(points[:, 0] < LEFT + 22_500, "Westshire", "Eastshire"),
            "easting": points[:, 0].round(),
            "northing": points[:, 1].round(),
            "cluster": labels,
            "is_hub": np.arange(60) % 10 == 0,
            "selective": pd.array([True if i % 20 == 1 else None for i in range(60)], "boolean"),
        },
        index=pd.Index([str(900_001 + i) for i in range(60)], name="urn"),
    )
    schools["details"] = [
        (("Pupils", str(180 + 11 * i)), ("Minutes to hub", str(4 + i % 15))) for i in range(60)
    ]
    schools.iloc[25, schools.columns.get_loc("name")] = NASTY
    schools.iloc[[38, 59], schools.columns.get_loc("cluster")] = ""
    clusters = _outlines(points, labels, land)
    clusters["number"] = range(1, 7)
    clusters["name"] = clusters.index
    clusters["summary"] = "Ten schools; every one is within 18 minutes of the hub."
    clusters["details"] = [(("Pupils", "3,120"), ("Need share", "1.1 %"))] * 6
    parts: dict[str, object] = {
        "title": "Invented county: clusters of schools",
        "subtitle": "Option A",
        "schools": schools,
        "clusters": clusters,
        "areas": _outlines(points, list(schools["area"]), land),
        "feeders": _feeders(schools),
        "existing": clusters.dissolve(np.repeat(["Old North", "Old South"], 3))[["geometry"]],
        "context": gpd.GeoDataFrame(
            {"kind": ["place", "road"], "name": ["Marshside", "A999"]},
            geometry=[
                shapely.Point(508_000, 208_000),
                shapely.LineString([(500_000, 216_000), (520_000, 214_000), (545_000, 217_000)]),
            ],
            crs="EPSG:27700",
        ),
        "set_aside": pd.DataFrame(
            {
                "name": ["Lantern Special School"],
                "reason": ["Special school"],
                "easting": [515_000.0],
                "northing": [215_000.0],
            }
        ),
        "sources": (
            Source(
                "Invented schools", "May 2031", "none needed", "Nobody’s data.", "https://x.test"
            ),
        ),
        "travel_source": "Minutes are invented.",
        "notes": ("Two schools opened late.",),
        "banner": "DRAFT",
    }
    return MapData(**{**parts, **changes})  # type: ignore[arg-type]


def _names() -> list[str]:
    trees = ["Alder", "Birch", "Cedar", "Damson", "Elm", "Fig", "Gorse", "Hazel", "Ivy", "Juniper"]
    return [f"{tree} School" for _ in range(6) for tree in trees]


def _feeders(schools: pd.DataFrame) -> pd.DataFrame:
    rows = []
    secondary = schools[schools["phase"] != "primary"]
    for urn, school in schools[schools["phase"] == "primary"].iterrows():
        away = np.hypot(
            secondary["easting"] - school["easting"], secondary["northing"] - school["northing"]
        )
        for rank, near in enumerate(away.nsmallest(3).index):
            kept = school["cluster"] == secondary.loc[near, "cluster"]
            rows.append((urn, near, (31.0, 12.0, 4.0)[rank], kept, rank == 1))
    rows.append((rows[0][0], "OUT", 40.0, False, False))
    return pd.DataFrame(rows, columns=["from_urn", "to_urn", "pupils", "kept", "estimated"])
