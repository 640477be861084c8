"""Writes a review of provision to its folder: tables, layers and page, all of them or none."""

from __future__ import annotations

import shutil
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd

from clustering.outputs import all_or_nothing, write_json
from clustering.provision.before_after import by_point
from clustering.provision_desk import Review, State
from clustering.publish.provision_page import provision_page
from clustering.publish.sources import manifest
from geo.areas import NATIONAL_GRID
from geo.maps import save

SHARES = ("within", "placed", "occupancy", "earlier", "gini", "theil", "level", "concentration")
FOLDER = "scenarios"


def write_provision(out: Path, review: Review) -> Path:
    """Write every table of a review into `out`, which appears complete or not at all.

    Today's provision stands in `out` itself, each scenario in `scenarios/NAME`; beside them the
    page `provision.html`, `side_by_side.csv`, `provision.gpkg` and `manifest.json`. Cells are blank
    where something is not known or there is none. Scenarios of an earlier review go.
    """
    with all_or_nothing(out) as folder:
        if not review.side_by_side.empty:
            sided = review.side_by_side.round(1).rename_axis("figure").reset_index()
            _write(folder / "side_by_side.csv", sided)
        _write_state(folder, review, review.today)
        for state in review.scenarios:
            own = folder / FOLDER / state.name
            own.mkdir(parents=True)
            _write_state(own, review, state)
            (own / "changes.txt").write_text(
                "\n".join(state.told) + "\n", encoding="utf-8", newline="\n"
            )
        _write_layers(folder / "provision.gpkg", review)
        save(provision_page(review), folder / "provision.html")
        told = manifest(review.inputs)
        told["scenarios"] = [
            {"name": s.name, "title": s.heading, "public": s.public, "changes": list(s.told)}
            for s in review.scenarios
        ]
        write_json(folder / "manifest.json", told)
    if not review.scenarios and (out / FOLDER).is_dir():
        shutil.rmtree(out / FOLDER)
    return out


def _write_state(folder: Path, review: Review, state: State) -> None:
    for name, table in review.tables(state).items():
        _write(folder / f"{name}.csv", rounded(table))


def rounded(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with shares to a thousandth, all else to a tenth, and no infinite minutes."""
    out = table.copy()
    for column in out.columns:
        if pd.api.types.is_float_dtype(out[column]):
            share = any(word in str(column) for word in SHARES) and "minutes" not in str(column)
            out[column] = out[column].replace(np.inf, np.nan).round(3 if share else 1)
    return out


def _write(path: Path, table: pd.DataFrame) -> None:
    table.to_csv(path, index=False, encoding="utf-8", lineterminator="\n")


def _write_layers(path: Path, review: Review) -> None:
    """Write provisions of today and of each scenario, and the demand, as layers in metres."""
    for state in review.states:
        table = state.register.open_in(state.year).table.reset_index()
        _layer(path, table, f"provisions {state.name}")
        if state.reach is not None and review.provision.demand is not None:
            told = by_point(state.reach).reset_index()
            points = review.provision.demand.points
            told = told.join(points[["name", "area", "easting", "northing"]], on="point")
            _layer(path, rounded(told), f"demand {state.name}")


def _layer(path: Path, table: pd.DataFrame, name: str) -> None:
    spots = gpd.points_from_xy(table["easting"], table["northing"])
    frame = gpd.GeoDataFrame(
        table.drop(columns=["easting", "northing"]), geometry=spots, crs=NATIONAL_GRID
    )
    frame.to_file(path, layer=name, driver="GPKG", engine="pyogrio")
