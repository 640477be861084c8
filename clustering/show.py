"""What the command line shows: tables of schools and clusters, reasons, and progress."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from types import TracebackType

import pandas as pd
from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from clustering.comparing import Comparison
from clustering.inputs import Inputs
from clustering.outlook import LOSS, PART_OF_BLOCK, Outlook
from clustering.publish.money import Money
from clustering.report import Report
from clustering.solve.checks import Reason
from clustering.solve.whole import Tick, gap
from geo.road_quality import Quality

LISTED = 10
QUIET_SECONDS = 5.0
"""Where nobody watches a terminal, a line of progress is written this often."""


def table_shown(table: pd.DataFrame, title: str) -> Table:
    """Return any table for the terminal."""
    shown = Table(title=title, title_justify="left")
    for column in table.columns:
        numeric = pd.api.types.is_numeric_dtype(table[column])
        shown.add_column(escape(str(column)), justify="right" if numeric else "left")
    for row in table.itertuples(index=False):
        shown.add_row(*(escape(_cell(value)) for value in row))
    return shown


def _cell(value: object) -> str:
    if value is None or value != value:
        return "–"
    return f"{value:,.10g}" if isinstance(value, float) else str(value)


def schools_shown(inputs: Inputs) -> Iterator[Table]:
    """Yield the schools that are in, by area and phase, and those that are out, by reason."""
    out = dict(inputs.problem.opted_out)
    table = inputs.table.drop(index=list(out))
    phases = table.assign(one=1).pivot_table(
        index="area", columns="phase", values="one", aggfunc="sum", fill_value=0
    )
    secondary = table["phase"].isin(["secondary", "middle_secondary", "all_through"])
    free = table[secondary & ~table["selective"].fillna(False).astype(bool)]
    phases["non-selective secondaries"] = free.groupby("area").size()
    phases = phases.fillna(0).astype(int)
    phases["schools"] = table.groupby("area").size()
    phases["pupils"] = table.groupby("area")["pupils"].sum().astype(int)
    phases.loc["all"] = phases.sum()
    yield table_shown(phases.reset_index(), f"{len(table):,} schools are in")
    if out:
        rows = inputs.table.loc[list(out), ["name", "area"]].rename_axis("urn").reset_index()
        yield table_shown(rows.assign(reason=list(out.values())), f"{len(out):,} opted out")
    aside = inputs.schools.set_aside
    if len(aside):
        counts = aside.groupby("reason").size().rename("schools").reset_index()
        yield table_shown(counts, f"{len(aside):,} are set aside")
        yield table_shown(aside[["urn", "name", "reason", "detail"]], "Set aside, one by one")


def clusters_shown(report: Report, inputs: Inputs, pounds: pd.Series | None = None) -> Table:
    """Return the clusters of a plan, one row each; `pounds` are their budgets, by label."""
    rows = report.clusters.copy()
    rows["hub"] = [inputs.table.at[urn, "name"] for urn in rows["hub"]]
    rows["need"] = rows["need"].round().astype(int)
    moved = rows["feeder_pupils_kept"] + rows["feeder_pupils_lost"]
    rows["leavers kept %"] = (100 * rows["feeder_pupils_kept"] / moved.where(moved > 0)).round()
    columns = ["cluster", "hub", "schools", "primaries", "secondaries", "pupils", "need"]
    if pounds is not None:
        rows["budget £"] = _pounds(pounds.reindex(rows["cluster"])).to_numpy()
        columns += ["budget £"]
    columns += ["mean_minutes", "max_minutes"]
    columns += [name for name in ("srp_minutes", "srp_farthest") if name in rows]
    columns += ["leavers kept %", "breaches"]
    return table_shown(rows[columns], f"{len(rows)} clusters")


def comparison_shown(found: Comparison) -> Iterator[Table]:
    """Yield plans side by side, who moves from the first, and each pair by cluster and by area."""
    yield table_shown(found.figures.reset_index(names=""), "Side by side")
    for name, table in found.moves.items():
        who = "1 school moves" if len(table) == 1 else f"{len(table)} schools move"
        yield table_shown(table, f"{who} in {name}")
    for (before, after), one in found.pairs.items():
        title = f"{before} → {after}: nearer, unchanged (within {one.tolerance:g} min), farther"
        counts = [c for c in one.areas if c.startswith(("schools_", "pupils_"))]
        for places in (one.areas, one.clusters[one.clusters["cluster"] != ""]):
            columns = [places.columns[0], *counts, "leavers_split_before", "leavers_split_after"]
            columns += [c for c in ("budget_before", "budget_after") if c in places]
            shown = places[columns].rename(columns=lambda c: c.replace("_", " "))
            yield table_shown(shown, title)


def budget_shown(money: Money) -> Iterator[Table]:
    """Yield the budgets of a plan, a row a cluster, and the lines that sum to the pot."""
    budget, table = money.budget, money.table
    rows = pd.DataFrame(
        {
            "cluster": table.index,
            "schools": table["schools"],
            "pupils": _pounds(table["pupils"]),
            "need %": (100 * table["share"]).round(2),
            "formula £": _pounds(table["formula"]),
        }
    )
    if budget.loss is not None:
        rows["baseline £"] = _pounds(table["baseline"])
        rows["floor £"] = _pounds(table["floor"])
        rows["gained or paid £"] = _pounds(table["difference"], sign="+")
    rows["budget £"] = _pounds(table["budget"])
    if budget.rules.project_share < 1:
        rows["projects £"] = _pounds(table["project"])
        rows["single pupils £"] = _pounds(table["individual"])
    rows["with running cost £"] = _pounds(table["total"])
    rows["£ per pupil"] = table["per_pupil"].map("{:,.2f}".format)
    if table["notional_sen"].notna().any():
        rows["notional SEN £ (beside)"] = _pounds(table["notional_sen"])
    if "against_study" in table:
        rows["against the study £"] = _pounds(table["against_study"], sign="+")
        rows["%"] = (100 * table["against_study"] / table["study_budget"]).map("{:+.1f}".format)
    if "against_today" in table:
        rows["against today £"] = _pounds(table["against_today"], sign="+")
    yield table_shown(rows, f"Budgets {budget.label}")
    lines = pd.DataFrame({"line": list(budget.lines), "£": _pounds(pd.Series(budget.lines))})
    yield table_shown(lines, "The pot, to the pound")


def years_shown(found: Outlook) -> Table:
    """Return the lines of the pot, and the way of the deficit, over the years."""
    tables = [found.lines] if found.deficit is None else [found.lines, found.deficit.T]
    rows = pd.concat(tables)
    parts = rows.index.isin([LOSS, PART_OF_BLOCK])
    words = rows.apply(_pounds)
    words[parts] = rows[parts].map(lambda v: "–" if v != v else f"{v:.1%}")
    return table_shown(words.rename_axis("£").reset_index(), "Over the years")


def _pounds(values: pd.Series, sign: str = "") -> pd.Series:
    words = values.map(lambda v: "–" if v != v else format(round(v), f"{sign},"))
    return words.replace({"+0": "0", "-0": "0"})


def reasons_shown(console: Console, reasons: Iterable[Reason]) -> None:
    """Say why there is no plan and what would help, with lines to paste into the study."""
    shown = tuple(reasons)
    for reason in shown:
        console.print(f"\n[bold]{escape(reason.text)}[/bold]")
        for number, remedy in enumerate(reason.remedies, start=1):
            cost = "" if remedy.cost is None else f" (objective there {remedy.cost:,.0f} minutes)"
            console.print(f"  {number}. {escape(remedy.text)}{cost}")
            for line in remedy.toml.splitlines():
                console.print(f"       {escape(line)}")
    if any(reason.remedies for reason in shown):
        console.print("Put the lines into the study; where the heading is there already, under it.")


def long_ways_shown(long: Quality | None) -> Iterator[str]:
    """Yield sentences on pairs of schools that go a long way round, by their names."""
    if long is None or long.pairs.empty:
        return
    count = len(long.pairs)
    pairs = "1 pair of schools goes" if count == 1 else f"{count:,} pairs of schools go"
    yield f"{pairs} more than twice the straight line ({long.basis}):"
    yield from (f"  {sentence}" for sentence in long.sentences(LISTED))
    if count > LISTED:
        yield f"  and {count - LISTED:,} more."


class Searching:
    """Shows how far the search for minutes over roads is, on one line."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.told = time.monotonic()

    def tick(self, done: int, of: int) -> None:
        """Show that so many of the schools have been searched from."""
        line = f"Minutes over roads: {done:,} of {of:,} schools"
        if self.console.is_terminal:
            self.console.print(line, end="\n" if done == of else "\r", highlight=False)
        elif time.monotonic() - self.told >= QUIET_SECONDS:
            self.told = time.monotonic()
            self.console.print(line, highlight=False)


class Watcher:
    """Shows how far a design is: live in a terminal, else a line now and then."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.latest: dict[str, Tick] = {}
        self.live = Live(console=console, refresh_per_second=4, transient=True)
        self.watched = console.is_terminal
        self.told = time.monotonic()

    def __enter__(self) -> Watcher:
        if self.watched:
            self.live.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.watched:
            self.live.__exit__(kind, error, trace)

    def tick(self, tick: Tick) -> None:
        """Take note of a step and show it."""
        self.latest[tick.part] = tick
        if self.watched:
            self.live.update(self._table(tick))
        elif time.monotonic() - self.told >= QUIET_SECONDS:
            self.told = time.monotonic()
            self.console.print(_line(tick))

    def _table(self, tick: Tick) -> Table:
        table = Table(title=f"Designing: {tick.done:.0%} done", title_justify="left")
        for heading in ("area", "clusters", "step", "best plan", "bound", "gap"):
            table.add_column(heading, justify="left" if heading in ("area", "step") else "right")
        for name in sorted(self.latest):
            table.add_row(*_cells(self.latest[name]))
        return table


def _cells(tick: Tick) -> tuple[str, ...]:
    open_gap = gap(tick.objective, tick.bound)
    return (
        escape(tick.part),
        str(tick.clusters),
        escape(tick.phase),
        "–" if tick.objective is None else f"{tick.objective:,.0f}",
        "–" if tick.bound is None else f"{tick.bound:,.0f}",
        "–" if open_gap is None else f"{open_gap:.1%}",
    )


def _line(tick: Tick) -> str:
    area, clusters, step, best, bound, open_gap = _cells(tick)
    return (
        f"{tick.done:4.0%} {area}, {clusters} clusters: {step}; best {best}, bound {bound}, "
        f"gap {open_gap}"
    )
