"""Writes a run to its folder: all of it or nothing, so that no half-written plan is ever mailed."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from openpyxl.utils import get_column_letter

from clustering.inputs import Inputs
from clustering.opting import opted_out_table, opted_out_words
from clustering.panel import largest_trusts
from clustering.plan import OUT, Plan
from clustering.publish.feeder_table import FEEDERS, feeder_table
from clustering.publish.money import (
    BUDGET_FILES,
    Money,
    budget_json,
    panel_table,
    plain_budgets,
    write_money,
)
from clustering.publish.need_page import NEED_FILES, need_of_schools, write_need
from clustering.publish.plan_map import cluster_outlines, feeder_links, plan_map
from clustering.publish.sources import manifest
from clustering.publish.ways import hub_routes, long_ways
from clustering.report import Report, moves
from clustering.sheet_cells import without_clock
from clustering.solve.prices import price_words
from clustering.solve.whole import Solution
from clustering.study import Study
from geo.areas import NATIONAL_GRID
from geo.errors import Faults, StudyError
from geo.maps import save
from geo.road_quality import Quality

CLUSTER_COLUMNS = (
    *("cluster", "name", "hub", "schools", "primaries", "secondaries"),
    *("non_selective_secondaries", "pupils", "need", "mean_minutes", "max_minutes"),
    *("feeder_pupils_kept", "feeder_pupils_lost", "non_selective_kept", "non_selective_lost"),
    "breaches",
)
SRP_COLUMNS = ("srp_minutes", "srp_farthest")
"""Columns that are there with provision only."""
PRICES = "prices.csv"
WALL_CLOCK = "seconds"
"""The one key of `report.json` that may differ between two runs of the same study."""


def write_run(
    out: Path,
    inputs: Inputs,
    solution: Solution,
    report: Report | None,
    prices: pd.DataFrame | None = None,
    long: Quality | None = None,
) -> Path:
    """Write every file of a run into `out`, which appears complete or not at all.

    `prices` is what each rule costs, where somebody asked for it; `long` the plan's long ways round
    (`long_ways`), looked for where they are not given.
    Files of an earlier run of the same names are replaced; other files in `out` are left alone.
    """
    with all_or_nothing(out) as folder:
        (folder / "study.toml").write_bytes(inputs.study.path.read_bytes())
        made_from = {**manifest(inputs), "study_path": _way_to(inputs.study.path, out)}
        write_json(folder / "manifest.json", made_from)
        if solution.plan is not None and long is None:
            long = long_ways(inputs, solution.plan.cluster_of)
        write_json(folder / "report.json", report_json(inputs, solution, report, prices, long))
        if solution.plan is not None and report is not None and long is not None:
            banner = _banner(solution)
            _write_plan(folder, inputs, solution.plan, report, long, banner, prices)
    return out


def write_plan(
    out: Path, inputs: Inputs, plan: Plan, report: Report, long: Quality | None = None
) -> None:
    """Write a plan as CSV, Excel, GeoPackage and map into `out`: all of them or none."""
    with all_or_nothing(out) as folder:
        _write_plan(folder, inputs, plan, report, long or long_ways(inputs, plan.cluster_of))


@contextmanager
def all_or_nothing(out: Path, *, beside: bool = False, whole: bool = False) -> Iterator[Path]:
    """Lend a folder beside `out`; what is written there moves to `out` when all went well.

    Files of an earlier run that were not written again disappear, unless `beside`; with `whole`,
    everything that stood in `out` does.
    """
    out = out.resolve()
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}-") as name:
        folder = Path(name) / "run"
        folder.mkdir()
        yield folder
        if whole and out.exists():
            out.rename(Path(name) / "before")
        _publish(folder, out, beside=beside)


def _write_plan(
    folder: Path,
    inputs: Inputs,
    plan: Plan,
    report: Report,
    long: Quality,
    banner: str = "",
    prices: pd.DataFrame | None = None,
) -> None:
    routes, pounds = hub_routes(inputs, plan), plain_budgets(inputs, plan)
    plan.write_csv(folder / "plan.csv")
    if prices is not None:
        prices.to_csv(folder / PRICES, index=False, encoding="utf-8", lineterminator="\n")
    rows = clusters_table(report, pounds)
    trusts = largest_trusts(panel_table(inputs, plan)).reindex(rows["cluster"])
    rows = rows.assign(
        **{name: trusts[name].to_numpy() for name in trusts},
        minutes_from=inputs.minutes.source,
        feeders_from=inputs.feeders.source,
    )
    rows.to_csv(folder / "clusters.csv", index=False, encoding="utf-8", lineterminator="\n")
    _write_excel(folder / "plan.xlsx", inputs, plan, rows, report, long, prices)
    _write_geopackage(folder / "plan.gpkg", inputs, plan, rows, report, routes)
    write_need(folder, inputs, plan)
    write_money(folder, inputs, plan)
    links = feeder_table(inputs, plan, report)
    if len(links):
        links.to_csv(folder / FEEDERS, index=False, encoding="utf-8", lineterminator="\n")
    words = () if prices is None else price_sentences(prices)
    drawn = plan_map(inputs, plan, report, banner=banner, routes=routes, notes=words)
    save(drawn, folder / "map.html")


def write_budget(out: Path, inputs: Inputs, plan: Plan, money: Money) -> None:
    """Write budget, need and panel into `out`, beside whatever else is there."""
    with all_or_nothing(out, beside=True) as folder:
        write_need(folder, inputs, plan, money.need)
        write_money(folder, inputs, plan, money)


def clusters_table(report: Report, pounds: pd.Series | None = None) -> pd.DataFrame:
    """Return the table of clusters; `clusters.csv` also says where minutes and flows come from.

    `pounds` are their budgets, by label, where the study has a pot.
    """
    srp = [name for name in SRP_COLUMNS if name in report.clusters]
    table = report.clusters[[*CLUSTER_COLUMNS, *srp]]
    return table if pounds is None else table.assign(budget=pounds.reindex(table["cluster"]).values)


def price_sentences(prices: pd.DataFrame) -> tuple[str, ...]:
    """Return what each binding rule costs in sentences, the dearest first."""
    head = "What rules cost, against the best plan found without each"
    return tuple(f"{head}: {text}" for text in price_words(prices)) or (
        "No rule costs anything, as far as plans without it were found.",
    )


def report_json(
    inputs: Inputs,
    solution: Solution,
    report: Report | None,
    prices: pd.DataFrame | None = None,
    long: Quality | None = None,
) -> dict[str, Any]:
    """Return the contents of `report.json`; only the key `seconds` depends on the clock."""
    budget = budget_json(inputs, solution.plan) if solution.plan is not None else None
    return {
        "study": inputs.study.name,
        "status": solution.status,
        "objective": solution.objective,
        "bound": solution.bound,
        "gap": _rounded(solution.gap),
        "seed": solution.seed,
        WALL_CLOCK: round(solution.seconds, 1),
        "breaches": [asdict(b) for b in report.breaches] if report else [],
        "reasons": [reason.text for reason in solution.reasons],
        "remedies": [
            {
                "place": reason.place,
                "text": remedy.text,
                "study": remedy.toml,
                "objective": remedy.cost,
            }
            for reason in solution.reasons
            for remedy in reason.remedies
        ],
        "parts": [
            {
                "name": part.name,
                "status": part.status,
                "clusters": part.clusters,
                "objective": part.objective,
                "bound": part.bound,
                "gap": _rounded(part.gap),
                "tried": {str(k): status for k, status in part.tried.items()},
                "breaches": _part_breaches(report, part.name),
                "reasons": [reason.text for reason in part.reasons],
                "remedies": [r.toml for reason in part.reasons for r in reason.remedies],
            }
            for part in solution.parts
        ],
        "goals": dict(report.goals) if report else {},
        "summary": dict(report.summary) if report else {},
        "minutes": inputs.minutes.source,
        **({"long_ways": _long_ways_json(long)} if long else {}),
        "feeders": inputs.feeders.source,
        "need": inputs.need.banner,
        **({"budget": budget} if budget is not None else {}),
        **({} if prices is None else {"prices": _price_records(prices)}),
        "opted_out": opted_out_told(inputs, solution.plan) if solution.plan else [],
        "notes": list(inputs.notes),
    }


def _long_ways_json(long: Quality) -> dict[str, Any]:
    """Return the long ways round for `report.json`; a number that is not known is null."""
    rows = long.pairs.astype(object).where(np.isfinite(long.pairs["ratio"]), None)
    records = rows.where(rows.notna(), None).to_dict("records")
    return {"measure": long.basis, "pairs_looked_at": long.looked_at, "pairs": records}


def _price_records(prices: pd.DataFrame) -> list[dict[str, Any]]:
    rows = prices.astype(object).where(prices.notna(), None).to_dict("records")
    return [{str(key): value for key, value in row.items()} for row in rows]


def _part_breaches(report: Report | None, part: str) -> int:
    if report is None:
        return 0
    return sum(b.cluster.rpartition(" ")[0] == part for b in report.breaches)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


def _banner(solution: Solution) -> str:
    return "Interrupted: the best plan so far" if solution.status == "interrupted" else ""


def write_json(path: Path, contents: dict[str, Any]) -> None:
    """Write JSON as this project does everywhere: UTF-8, two blanks, LF, no NaN."""
    text = json.dumps(contents, ensure_ascii=False, indent=2, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")


def school_table(inputs: Inputs, plan: Plan) -> pd.DataFrame:
    """Return a row for each school of the study: what a planner needs beside its cluster."""
    table = inputs.table
    hub_of = {urn: c.hub for c in plan.clusters for urn in c.schools}
    minutes = [
        round(float(inputs.minutes.table.at[urn, hub_of[urn]]), 1) if urn in hub_of else None
        for urn in table.index
    ]
    old = inputs.existing_labels
    out = dict(plan.opted_out)
    found = pd.DataFrame(
        {
            "urn": table.index,
            "cluster": [plan.cluster_of.get(urn, "") for urn in table.index],
            "hub": [hub_of.get(urn, "") for urn in table.index],
            "name": table["name"].to_numpy(),
            "phase": table["phase"].to_numpy(),
            "area": table["area"].to_numpy(),
            "pupils": table["pupils"].to_numpy(),
            "need": inputs.need.units.reindex(table.index).round(1).to_numpy(),
            "minutes_to_hub": minutes,
            "existing_cluster": [old.get(urn, "") for urn in table.index],
        }
    )
    if out:
        found.insert(3, OUT, [out.get(urn, "") for urn in table.index])
    return found


def opted_out_told(inputs: Inputs, plan: Plan) -> list[str]:
    """Return a sentence on each school that opted out of a plan, with the flows it takes along."""
    links = inputs.feeders.links
    return list(opted_out_words(opted_out_table(plan.opted_out, inputs.table, links)))


def _write_excel(
    path: Path,
    inputs: Inputs,
    plan: Plan,
    clusters: pd.DataFrame,
    report: Report,
    long: Quality,
    prices: pd.DataFrame | None = None,
) -> None:
    """Write the workbook planners edit: first the schools, with the cluster to change."""
    sheets = {
        "plan": school_table(inputs, plan),
        "clusters": clusters,
        "need": need_of_schools(inputs.need, plan, inputs.table).round(2).reset_index(),
        "breaches": pd.DataFrame(
            [(b.cluster, b.rule, b.text) for b in report.breaches],
            columns=["cluster", "rule", "what is broken"],
        ),
        "notes": pd.DataFrame(
            {
                "note": [
                    f"Minutes: {inputs.minutes.source}",
                    *opted_out_told(inputs, plan),
                    *inputs.notes,
                ]
            }
        ),
    }
    if len(long.pairs):
        renamed = long.pairs.rename(columns={"group": "cluster"})
        sheets["long ways"] = renamed.assign(measure=long.basis)
    if prices is not None:
        sheets["prices"] = prices
    if inputs.existing is not None:
        sheets["moves"] = _named_moves(inputs, moves(inputs.existing, plan))
    with pd.ExcelWriter(path, engine="openpyxl") as writer:
        for name, sheet in sheets.items():
            sheet.to_excel(writer, sheet_name=name, index=False, freeze_panes=(1, 0))
            fit_sheet(writer.sheets[name], sheet)
    without_clock(path)


def fit_sheet(sheet: Any, table: pd.DataFrame) -> None:
    """Make columns as wide as their contents and keep text that looks like a formula as text."""
    for k, column in enumerate(table.columns, start=1):
        longest = max([len(str(column)), *(len(str(v)) for v in table[column].head(500))])
        sheet.column_dimensions[get_column_letter(k)].width = min(longest + 2, 60)
    sheet.auto_filter.ref = sheet.dimensions
    for row in sheet.iter_rows(min_row=2):
        for cell in row:
            if isinstance(cell.value, str) and cell.data_type == "f":
                cell.data_type = "s"


def _named_moves(inputs: Inputs, table: pd.DataFrame) -> pd.DataFrame:
    names = inputs.table["name"]
    return table.assign(name=[names.get(urn, "") for urn in table["urn"]])


def _write_geopackage(
    path: Path,
    inputs: Inputs,
    plan: Plan,
    clusters: pd.DataFrame,
    report: Report,
    routes: gpd.GeoDataFrame | None,
) -> None:
    """Write the layers schools, clusters, feeders and, with roads, routes in EPSG:27700."""
    source = inputs.minutes.source
    table = school_table(inputs, plan).assign(minutes_from=source)
    points = gpd.points_from_xy(inputs.table["easting"], inputs.table["northing"])
    frames = {"schools": gpd.GeoDataFrame(table, geometry=points, crs=NATIONAL_GRID)}
    shapes = cluster_outlines(inputs, plan.cluster_of)
    frames["clusters"] = gpd.GeoDataFrame(
        clusters, geometry=shapes.reindex(clusters["cluster"]).to_numpy(), crs=NATIONAL_GRID
    )
    at = dict(zip(table["urn"], points, strict=True))
    links = feeder_links(inputs, plan, report)
    frames["feeders"] = gpd.GeoDataFrame(
        links,
        geometry=[
            shapely.LineString([at[a], at[b]])
            for a, b in zip(links["from_urn"], links["to_urn"], strict=True)
        ],
        crs=NATIONAL_GRID,
    )
    if routes is not None:
        frames["routes"] = routes.assign(minutes_from=source)
    for layer, frame in frames.items():
        geometry_type = "LineString" if layer in ("feeders", "routes") else None
        frame.to_file(
            path, layer=layer, driver="GPKG", engine="pyogrio", geometry_type=geometry_type
        )


def _publish(folder: Path, out: Path, *, beside: bool) -> None:
    """Move a finished folder into place: at once where it is new, else file by file."""
    if not out.exists():
        folder.rename(out)
        return
    for old in () if beside else _ours(out):
        if not (folder / old.name).exists():
            old.unlink()
    for path in sorted(folder.iterdir()):
        if path.is_dir() and (out / path.name).is_dir():
            shutil.rmtree(out / path.name)
        path.replace(out / path.name)
    shutil.rmtree(folder)


def _ours(out: Path) -> Iterable[Path]:
    """Yield the files of an earlier run in a folder, so that none of them outlives its run."""
    names: tuple[str, ...] = ("plan.csv", "clusters.csv", "plan.xlsx", "plan.gpkg", "map.html")
    names = (*names, PRICES, FEEDERS, *NEED_FILES, *BUDGET_FILES)
    return (out / name for name in names if (out / name).exists())


def study_of_run(run: Path) -> Study:
    """Return the study of a run folder, with its paths as they were when the run was made."""
    faults = Faults(StudyError, run.name)
    try:
        origin = json.loads((run / "manifest.json").read_text(encoding="utf-8"))["study_path"]
    except (OSError, ValueError, KeyError):
        faults.add("is not the folder of a run.", "Name a folder that `clusters design` wrote.")
        faults.raise_if_any()
    path = run / origin
    if not origin or not path.is_file():
        faults.add(
            f"the study it was made from, {Path(origin).name or 'study.toml'}, has moved.",
            "Use `clusters assess STUDY PLAN --out DIR` with the study where it is now.",
        )
        faults.raise_if_any()
    return Study.load(path)


def _way_to(study: Path, out: Path) -> str:
    """Return the way from a run's folder to its study; "" where there is none (another drive)."""
    try:
        return Path(os.path.relpath(study.resolve(), out.resolve())).as_posix()
    except ValueError:
        return ""
