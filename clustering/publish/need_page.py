"""Need by factor, in tables and stacked bars: `need.csv` by cluster, `need.html` also by school.

The page is a council's working paper: from a school's need by factor the number of its pupils with
SEN can be read. It needs no network and no script, and every bar stands beside its numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import jinja2
import pandas as pd

from clustering.inputs import Inputs
from clustering.need import Need
from clustering.need_factors import LABELS
from clustering.plan import Plan
from clustering.sensitivity import Sensitivity, rank_sentence, sensitivity
from geo.colours import PALETTE

NEED_FILES = ("need.csv", "need.html")
NO_CLUSTER = "In no cluster"
FROM = "need_from_"
"""Beginning of the columns that say what each factor adds to the need."""


@dataclass(frozen=True)
class Bar:
    """One row of a table with its bar: where each part begins and how wide it is, in per cent."""

    name: str
    cells: tuple[str, ...]
    parts: tuple[tuple[int, float, float], ...]
    """Number of the factor, start and width."""
    words: str


def need_of_clusters(
    need: Need, plan: Plan, schools: pd.DataFrame, found: Sensitivity
) -> pd.DataFrame:
    """Return a row a cluster: pupils, need and what each factor adds to it, and its rank.

    `need_rate` is need over pupils on roll (1 is the county's mean); `rank` by need, 1 the most,
    `rank_from` and `rank_to` the ends it reaches under other weights; `share_p5`, `share_p95` where
    nine in ten draws of the share lie.
    """
    label = pd.Series(dict(plan.cluster_of), dtype=object).reindex(schools.index)
    by_factor = need.by_cluster(plan)
    table = pd.DataFrame(
        {
            "schools": schools.groupby(label).size(),
            "pupils": schools["pupils"].groupby(label).sum(),
            "need": by_factor["need"],
        }
    ).reindex(list(plan.labels))
    table["share"] = table["need"] / need.units.sum()
    table["need_rate"] = table["need"] / table["pupils"].where(table["pupils"] > 0)
    for factor in need.factors:
        table[FROM + factor] = by_factor[factor]
    columns = ["rank", "rank_from", "rank_to", "share_p5", "share_p95"]
    return table.join(found.table[columns]).rename_axis("cluster")


def need_of_schools(need: Need, plan: Plan, schools: pd.DataFrame) -> pd.DataFrame:
    """Return a row a school: cluster, pupils, need and what each factor adds to it; NaN without a
    roll. By cluster, the most need first; schools in no cluster last, under ""."""
    label = pd.Series(dict(plan.cluster_of), dtype=object).reindex(schools.index).fillna("")
    table = pd.DataFrame(
        {
            "cluster": label,
            "name": schools["name"],
            "phase": schools["phase"],
            "pupils": schools["pupils"],
            "need": need.units,
            "need_rate": need.units / schools["pupils"].where(schools["pupils"] > 0),
        }
    )
    for factor in need.factors:
        table[FROM + factor] = need.factors[factor]
    order = {name: k for k, name in enumerate((*plan.labels, ""))}
    table["order"] = table["cluster"].map(order)
    table = table.rename_axis("urn").reset_index()
    table = table.sort_values(["order", "need", "urn"], ascending=[True, False, True])
    return table.drop(columns="order").set_index("urn")


def write_need(folder: Path, inputs: Inputs, plan: Plan, need: Need | None = None) -> None:
    """Write `need.csv` and `need.html` into a folder, by the study's weights or those of `need`."""
    need = need or inputs.need
    found = sensitivity(need, plan, seed=inputs.study.config.solve.seed)
    clusters = need_of_clusters(need, plan, inputs.table, found)
    shares = ("share", "need_rate", "share_p5", "share_p95")
    digits = {c: 6 if c in shares else 2 for c in clusters.columns}
    clusters.round(digits).reset_index().to_csv(
        folder / NEED_FILES[0], index=False, encoding="utf-8", lineterminator="\n"
    )
    page = need_page(inputs, plan, need, clusters, found)
    (folder / NEED_FILES[1]).write_text(page, encoding="utf-8", newline="\n")


def need_page(
    inputs: Inputs, plan: Plan, need: Need, clusters: pd.DataFrame, found: Sensitivity
) -> str:
    """Return the page: clusters with their bars and ranks, then the schools of each."""
    config = inputs.study.config
    schools = need_of_schools(need, plan, inputs.table)
    factors = list(need.factors)
    groups = [
        (name or NO_CLUSTER, list(_school_bars(rows, factors, float(schools["need"].max()))))
        for name, rows in schools.groupby("cluster", sort=False)
    ]
    tongue = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    template = files("clustering.publish").joinpath("need_page.html").read_text(encoding="utf-8")
    return tongue.from_string(template).render(
        title=config.title or config.name,
        banner=need.banner,
        notes=need.notes,
        ranks=rank_sentence(found),
        factors=[
            (LABELS[f], f"{100 * need.weights[f]:.3g}%", PALETTE[k]) for k, f in enumerate(factors)
        ],
        clusters=list(_cluster_bars(clusters, factors)),
        groups=groups,
    )


def _cluster_bars(table: pd.DataFrame, factors: list[str]) -> Iterator[Bar]:
    widest = float(table["need"].max())
    for label, row in table.iterrows():
        ranks = f"{row['rank_from']:.0f} to {row['rank_to']:.0f}"
        cells = (
            f"{row['need']:,.0f}",
            f"{row['need_rate']:.2f}",
            *(f"{row[FROM + f]:,.0f}" for f in factors),
            f"{row['rank']:.0f}",
            ranks,
        )
        yield _bar(str(label), row, factors, widest, cells)


def _school_bars(rows: pd.DataFrame, factors: list[str], widest: float) -> Iterator[Bar]:
    for urn, row in rows.iterrows():
        numbers = (row["need"], row["need_rate"], *(row[FROM + f] for f in factors))
        cells = tuple(
            "not known" if v != v else f"{v:,.2f}" if k == 1 else f"{v:,.0f}"
            for k, v in enumerate(numbers)
        )
        yield _bar(f"{row['name']} ({urn})", row, factors, widest, cells)


def _bar(
    name: str, row: Mapping[str, float], factors: list[str], widest: float, cells: tuple[str, ...]
) -> Bar:
    start, parts = 0.0, []
    for k, factor in enumerate(factors):
        amount = row[FROM + factor]
        if amount == amount and widest > 0:
            width = 100 * amount / widest
            parts.append((k, round(start, 3), round(width, 3)))
            start += width
    words = ", ".join(f"{LABELS[f]} {row[FROM + f]:,.0f}" for f in factors if row[FROM + f] > 0)
    return Bar(name, cells, tuple(parts), words)
