"""What a run writes: columns, order, figures that can be worked out again, and no half measures."""

from __future__ import annotations

import hashlib
import json
import math
import re
import tomllib
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pyogrio
import pytest

from clustering import outputs
from tests.studies import DETOUR, FLOOR, KMH, clusters, county, hurry, shuffled

FILES = {
    *("study.toml", "plan.csv", "clusters.csv", "plan.xlsx", "plan.gpkg", "report.json"),
    *("manifest.json", "map.html", "need.csv", "need.html", "feeders.csv"),
}
SAME = (
    *("plan.csv", "clusters.csv", "need.csv", "need.html", "feeders.csv", "map.html"),
    "plan.xlsx",
)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of the invented county; its study stands in the folder above."""
    folder = tmp_path_factory.mktemp("moorshire")
    study = county().write(folder)
    with pytest.MonkeyPatch.context() as patch:
        hurry(patch)
        assert clusters("design", study, "--out", folder / "run") == 0
    return folder / "run"


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)


def table(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def report(run: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((run / "report.json").read_text(encoding="utf-8"))
    return found


def test_every_file_is_written_and_nothing_else(run: Path) -> None:
    assert {path.name for path in run.iterdir()} == FILES
    assert not [p.name for p in run.parent.iterdir() if p.name.startswith(".")]


def test_plan_has_a_row_for_each_school_sorted_by_urn(run: Path) -> None:
    plan = table(run / "plan.csv")
    assert list(plan.columns) == ["urn", "cluster", "hub"]
    assert list(plan["urn"]) == sorted(county().schools["urn"])
    of = dict(zip(plan["urn"], plan["cluster"], strict=True))
    assert all(of[hub] == label for hub, label in zip(plan["hub"], plan["cluster"], strict=True))
    assert b"\r" not in (run / "plan.csv").read_bytes()


def test_clusters_have_their_columns_and_order(run: Path) -> None:
    found = table(run / "clusters.csv")
    assert tuple(found.columns) == (
        *outputs.CLUSTER_COLUMNS,
        *("largest_trust", "trust_share", "minutes_from", "feeders_from"),
    )
    assert found["minutes_from"].nunique() == 1
    labels = list(found["cluster"])
    keys = [(label.rpartition(" ")[0], int(label.rpartition(" ")[2])) for label in labels]
    assert keys == sorted(keys)
    sizes = table(run / "plan.csv").groupby("cluster").size()
    assert [int(n) for n in found["schools"]] == [sizes[label] for label in labels]
    assert set(found["breaches"]) == {"0"}


def test_clusters_are_numbered_by_their_lowest_urn(run: Path) -> None:
    lowest = table(run / "plan.csv").groupby("cluster")["urn"].min()
    for _, group in lowest.groupby([label.rpartition(" ")[0] for label in lowest.index]):
        by_number = sorted(group.index, key=lambda label: int(label.rpartition(" ")[2]))
        assert list(group[by_number]) == sorted(group)


def test_report_has_its_keys(run: Path) -> None:
    found = report(run)
    wanted = {"status", "objective", "bound", "gap", "seed", "seconds", "breaches"}
    wanted |= {"reasons", "remedies", "parts"}
    assert wanted <= set(found)
    for part in found["parts"]:
        keys = {"name", "status", "clusters", "objective", "bound", "gap", "breaches"}
        assert keys | {"reasons", "remedies"} <= set(part)
    assert [part["name"] for part in found["parts"]] == ["Eastmoor", "Westmoor"]
    assert found["status"] in ("feasible", "optimal")
    assert found["seed"] == 1


def test_objective_is_the_sum_of_its_parts_and_of_its_goals(run: Path) -> None:
    found = report(run)
    assert sum(part["objective"] for part in found["parts"]) == pytest.approx(found["objective"])
    assert sum(found["goals"].values()) == pytest.approx(found["objective"])


def test_no_bound_is_above_the_objective(run: Path) -> None:
    found = report(run)
    for one in (found, *found["parts"]):
        assert one["bound"] is None or one["bound"] <= one["objective"] + 1e-9
        assert one["gap"] is None or 0 <= one["gap"] <= 1


def test_objective_can_be_worked_out_again_from_the_files(run: Path) -> None:
    """The README's formula, on plan.csv and the county's own files, without the package."""
    plan = table(run / "plan.csv").set_index("urn")
    whole = county()
    spots = whole.schools.set_index("urn")[["easting", "northing"]].astype(float)
    cents = 0
    for urn, hub in plan["hub"].items():
        metres = math.dist(spots.loc[urn], spots.loc[hub])
        minutes = 0.0 if urn == hub else max(FLOOR, round(metres * DETOUR / (KMH * 1000 / 60), 1))
        cents += math.floor(minutes * 100 + 0.5)
    flows = whole.flows[whole.flows["to_urn"] != "OUT"]
    for a, b, text in zip(flows["from_urn"], flows["to_urn"], flows["pupils"], strict=True):
        if plan.at[a, "cluster"] != plan.at[b, "cluster"]:
            cents += math.floor((2.5 if text == "c" else float(text)) * 100 + 0.5)
    book = pd.read_excel(run / "plan.xlsx", sheet_name="plan", dtype={"urn": str})
    steps = (book["need"] * 10).round().astype(int).groupby(book["cluster"]).sum()
    district = steps.groupby([label.rpartition(" ")[0] for label in steps.index])
    for total, count, need in zip(
        district.transform("sum"), district.transform("size"), steps, strict=True
    ):
        cents += int(70 * 100 * abs(need * count - total) // total)
        cents += 3000
    assert cents / 100 == pytest.approx(report(run)["objective"], abs=1e-9)


@pytest.mark.parametrize("seed", [1, 2])
def test_order_of_rows_is_not_information(run: Path, tmp_path: Path, seed: int) -> None:
    study = shuffled(county(), seed).write(tmp_path)
    assert clusters("design", study, "--out", tmp_path / "run") == 0
    for name in SAME:
        assert (tmp_path / "run" / name).read_bytes() == (run / name).read_bytes(), name
    assert _without_clock(tmp_path / "run") == _without_clock(run)


def test_running_twice_gives_the_same_bytes(run: Path, tmp_path: Path) -> None:
    assert clusters("design", run.parent / "study.toml", "--out", tmp_path / "run") == 0
    for name in SAME:
        assert (tmp_path / "run" / name).read_bytes() == (run / name).read_bytes(), name
    assert _without_clock(tmp_path / "run") == _without_clock(run)


def _without_clock(run: Path) -> str:
    """The text of report.json without its one line that the clock may change."""
    text = (run / "report.json").read_text(encoding="utf-8")
    kept, changed = re.subn(r'^  "seconds": [0-9.]+,\n', "", text, flags=re.M)
    assert changed == 1
    return kept


def test_geopackage_opens_in_a_gis(run: Path) -> None:
    layers = {str(name): kind for name, kind in pyogrio.list_layers(run / "plan.gpkg")}
    assert set(layers) == {"schools", "clusters", "feeders"}
    for layer in layers:
        frame = gpd.read_file(run / "plan.gpkg", layer=layer)
        assert frame.crs.to_epsg() == 27700, layer
        assert len(frame), layer
    schools = gpd.read_file(run / "plan.gpkg", layer="schools")
    assert sorted(schools["urn"]) == sorted(county().schools["urn"])


def test_outlines_do_not_overlap_and_hold_their_schools(run: Path) -> None:
    shapes = gpd.read_file(run / "plan.gpkg", layer="clusters").set_index("cluster").geometry
    for k, one in enumerate(shapes):
        assert one.is_valid
        for other in shapes.iloc[k + 1 :]:
            assert one.intersection(other).area < 1.0
    schools = gpd.read_file(run / "plan.gpkg", layer="schools")
    for label, spot in zip(schools["cluster"], schools.geometry, strict=True):
        assert shapes[label].distance(spot) < 1.0


def test_moved_school_is_read_back_from_the_workbook(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    book = openpyxl.load_workbook(run / "plan.xlsx")
    sheet = book.worksheets[0]
    heading = [cell.value for cell in sheet[1]]
    urn, cluster = heading.index("urn"), heading.index("cluster")
    plan = table(run / "plan.csv")
    lone = plan[(plan["urn"] != plan["hub"]) & (plan["cluster"] == "Westmoor 1")]["urn"].iloc[0]
    row = next(row for row in sheet.iter_rows(min_row=2) if row[urn].value == lone)
    row[cluster].value = "Westmoor 2"
    book.save(tmp_path / "edited.xlsx")
    study = run.parent / "study.toml"
    status = clusters("assess", study, tmp_path / "edited.xlsx", "--out", tmp_path / "judged")
    assert status in (0, 1)
    after = table(tmp_path / "judged" / "plan.csv").set_index("urn")["cluster"]
    before = plan.set_index("urn")["cluster"]
    assert after[lone] == "Westmoor 2"
    assert (after.drop(lone) == before.drop(lone)).all()
    capsys.readouterr()
    assert clusters("compare", study, run / "plan.csv", tmp_path / "edited.xlsx") == 0
    told = capsys.readouterr().out
    assert lone in told
    assert "1 schools move" in told or "1 school moves" in told


def test_name_that_looks_like_a_formula_stays_text(tmp_path: Path) -> None:
    whole = county()
    whole.cell("910003", "name", "=1+1 School")
    study = whole.write(tmp_path)
    assert clusters("design", study, "--out", tmp_path / "run") == 0
    sheet = openpyxl.load_workbook(tmp_path / "run" / "plan.xlsx").worksheets[0]
    cells = [cell for row in sheet.iter_rows() for cell in row if cell.value == "=1+1 School"]
    assert [cell.data_type for cell in cells] == ["s"]


def test_urns_in_the_workbook_are_text(run: Path) -> None:
    sheet = openpyxl.load_workbook(run / "plan.xlsx").worksheets[0]
    assert {row[0].data_type for row in sheet.iter_rows(min_row=2)} == {"s"}


def test_manifest_names_every_input_with_its_hash(run: Path) -> None:
    found = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    folder = run.parent
    wanted = {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest()
        for name in ("schools.csv", "areas.geojson", "flows.csv", "existing.csv")
    }
    assert {one["file"]: one["sha256"] for one in found["files"]} == wanted
    study = hashlib.sha256((folder / "study.toml").read_bytes()).hexdigest()
    assert found["study_sha256"] == study
    text = (run / "manifest.json").read_text(encoding="utf-8")
    assert str(Path.home()) not in text
    assert not Path(found["study_path"]).is_absolute()


def test_study_is_copied_byte_for_byte(run: Path) -> None:
    copied = (run / "study.toml").read_bytes()
    assert copied == (run.parent / "study.toml").read_bytes()
    assert tomllib.loads(copied.decode())["name"] == "moorshire"


class _Page(HTMLParser):
    """Collects what a page asks for, its policy and its markers."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.urns: list[str] = []
        self.requests: list[str] = []
        self.policy = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        own = dict(attrs)
        if "data-urn" in own:
            self.urns.append(str(own["data-urn"]))
        if own.get("http-equiv") == "Content-Security-Policy":
            self.policy = str(own["content"])
        source = own.get("src") or (own.get("href") if tag == "link" else None)
        if source and not source.startswith(("data:", "#")):
            self.requests.append(source)


def test_map_holds_every_school_once_and_asks_for_nothing(run: Path) -> None:
    text = (run / "map.html").read_text(encoding="utf-8")
    page = _Page(text)
    assert sorted(page.urns) == list(table(run / "plan.csv")["urn"])
    assert page.requests == []
    assert "default-src 'none'" in page.policy
    assert not re.search(r"""(src=|@import|url\()["']?\s*(https?:)?//""", text)
    assert not re.search(r"\b(fetch|XMLHttpRequest|WebSocket|sendBeacon)\b\s*\(", text)


def test_out_is_written_into_directly_and_foreign_files_stay(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "here"
    out.mkdir(parents=True)
    (out / "notes.txt").write_text("mine", encoding="utf-8")
    (out / "map.html").write_text("old", encoding="utf-8")
    assert clusters("design", run.parent / "study.toml", "--out", out) == 0
    assert {path.name for path in out.iterdir()} == FILES | {"notes.txt"}
    assert (out / "notes.txt").read_text(encoding="utf-8") == "mine"
    assert "<html" in (out / "map.html").read_text(encoding="utf-8")
    assert [path.name for path in out.parent.iterdir()] == ["here"]


def test_plan_of_an_earlier_run_does_not_outlive_it(tmp_path: Path) -> None:
    study = county().write(tmp_path)
    assert clusters("design", study, "--out", tmp_path / "run") == 0
    whole = county()
    whole.study["rules"]["schools"] = [5, 5]
    study = whole.write(tmp_path)
    assert clusters("design", study, "--out", tmp_path / "run") == 1
    assert {p.name for p in (tmp_path / "run").iterdir()} == {
        *("study.toml", "report.json", "manifest.json"),
    }


def test_failure_while_writing_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = county().write(tmp_path)
    before = {path.name for path in tmp_path.iterdir()}

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(outputs, "_write_geopackage", full)
    assert clusters("design", study, "--out", tmp_path / "run") == 2
    assert {path.name for path in tmp_path.iterdir()} == before


def test_failure_while_redrawing_keeps_what_was_there(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, study = tmp_path / "judged", run.parent / "study.toml"
    assert clusters("assess", study, run / "plan.csv", "--out", out) == 0
    before = {path.name: path.read_bytes() for path in out.iterdir()}

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(outputs, "save", full)
    assert clusters("assess", study, study.parent / "existing.csv", "--out", out) == 2
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["judged"]


def test_school_without_cluster_is_drawn_and_exported(run: Path, tmp_path: Path) -> None:
    """A head may opt out: the school leaves its cluster and stays on the map."""
    plan = table(run / "plan.csv")
    lone = plan[plan["urn"] != plan["hub"]]["urn"].iloc[0]
    plan.loc[plan["urn"] == lone, ["cluster", "hub"]] = ""
    plan.to_csv(tmp_path / "edited.csv", index=False)
    out = tmp_path / "judged"
    study = run.parent / "study.toml"
    assert clusters("assess", study, tmp_path / "edited.csv", "--out", out) == 1
    page = _Page((out / "map.html").read_text(encoding="utf-8"))
    assert len(page.urns) == len(plan)
    shown = gpd.read_file(out / "plan.gpkg", layer="schools").set_index("urn")["cluster"]
    assert not shown[lone]
    assert np.isnan(
        pd.read_excel(out / "plan.xlsx", dtype={"urn": str})
        .set_index("urn")
        .at[lone, "minutes_to_hub"]
    )
