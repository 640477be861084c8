"""`Plan`: which cluster each school is in and which school is the hub of each cluster.

A plan is only an assignment. Today's clusters, a hand-drawn map and a solved plan are one type and
meet the same audit. This is the one door back from positions to URNs.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import BadZipFile

import pandas as pd

from clustering.problem import Problem
from clustering.rules import OPTED_OUT, Filled
from geo.errors import Fault, Faults, PlanError, did_you_mean

if TYPE_CHECKING:
    from clustering.changes import Change

COLUMNS = ("urn", "cluster", "hub")
OUT = "opted_out"
"""Column of the reasons of schools that opted out; a plan without such schools has none."""


@dataclass(frozen=True)
class Cluster:
    """One cluster: its label, the URN of its hub and the URNs of its schools, sorted."""

    label: str
    hub: str
    schools: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """Clusters of schools, in the order of their labels; no school stands in two."""

    clusters: tuple[Cluster, ...]
    locked: frozenset[str] = frozenset()
    """Labels of clusters, and URNs of schools, that a new design must leave where they are."""
    opted_out: tuple[tuple[str, str], ...] = ()
    """URN and reason of each school that takes no part: it is in no cluster and in no count."""
    teller: Callable[[Plan], Change] | None = field(default=None, compare=False, repr=False)
    """Tells what is different from the plan this one was drawn from; the front desk gives it."""

    def __post_init__(self) -> None:
        seen = Counter(urn for cluster in self.clusters for urn in cluster.schools)
        seen.update(urn for urn, _ in self.opted_out)
        twice = sorted(urn for urn, times in seen.items() if times > 1)
        if twice:
            raise PlanError(
                Fault(
                    "has opted out and stands in a cluster."
                    if urn in dict(self.opted_out)
                    else "stands in two clusters.",
                    "Keep one of the two rows.",
                    urn=urn,
                )
                for urn in twice
            )

    def __len__(self) -> int:
        return len(self.clusters)

    @cached_property
    def cluster_of(self) -> Mapping[str, str]:
        """Label of the cluster of each school, by URN."""
        return {urn: c.label for c in self.clusters for urn in c.schools}

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Labels of the clusters, in order."""
        return tuple(cluster.label for cluster in self.clusters)

    def __getitem__(self, label: str) -> Cluster:
        for cluster in self.clusters:
            if cluster.label == label:
                return cluster
        hint = did_you_mean(label, self.labels)
        raise PlanError(Fault(f'there is no cluster "{label}".', hint))

    @property
    def changed(self) -> Change:
        """What is different from the plan of the result: minutes, need, feeders, rules broken.

        Raises a `ValueError` for a plan that was not drawn from a result or from today's clusters.
        """
        if self.teller is None:
            raise ValueError("This plan was drawn from no other; compare it with `compare_plans`.")
        return self.teller(self)

    def _repr_html_(self) -> str | None:
        """Show in a notebook what has changed."""
        return None if self.teller is None else self.changed._repr_html_()

    def to_frame(self) -> pd.DataFrame:
        """Return `urn, cluster, hub`, one row for each clustered school, sorted by URN.

        Where schools opted out they have a row too, without cluster and hub and with the reason in
        the column `opted_out`, which is there only then.
        """
        rows = [(urn, c.label, c.hub, "") for c in self.clusters for urn in c.schools]
        rows += [(urn, "", "", why) for urn, why in self.opted_out]
        table = pd.DataFrame(sorted(rows), columns=[*COLUMNS, OUT])
        return table if self.opted_out else table[list(COLUMNS)]

    def move(self, urn: str, to: str, *, hub: str | None = None) -> Plan:
        """Return the plan with one school in another cluster; a cluster left empty disappears.

        A hub that moves away leaves its place to `hub`, or to the first school that stays.
        """
        self._check_inside(urn)
        target = self[to]
        changed = []
        for cluster in self.clusters:
            stays = tuple(u for u in cluster.schools if u != urn)
            if cluster.label == target.label:
                stays = tuple(sorted({*stays, urn}))
            if stays:
                kept = cluster.hub if cluster.hub in stays else hub or stays[0]
                changed.append(replace(cluster, schools=stays, hub=kept))
        return replace(self, clusters=tuple(changed))

    def lock(self, *names: str) -> Plan:
        """Return the plan with clusters (by label) or schools (by URN) locked.

        A design that starts from the plan leaves a locked cluster exactly as it is, and a locked
        school in the cluster of its present hub.
        """
        for name in names:
            if name not in self.cluster_of:
                self[name]
        return replace(self, locked=self.locked | set(names))

    def unlock(self, *names: str) -> Plan:
        """Return the plan with locks taken off; all of them where none is named."""
        return replace(self, locked=self.locked - set(names) if names else frozenset())

    def swap(self, a: str, b: str) -> Plan:
        """Return the plan with two schools in each other's cluster."""
        self._check_inside(a, b)
        home_a, home_b = self.cluster_of[a], self.cluster_of[b]
        return self.move(a, home_b).move(b, home_a)

    def opt_out(self, urn: str, reason: str = OPTED_OUT, *, hub: str | None = None) -> Plan:
        """Return the plan without a school that takes no part; it stays on the map and on record.

        A hub that opts out leaves its place to `hub`, or to the first school that stays.
        """
        self._check_inside(urn)
        changed = []
        for cluster in self.clusters:
            stays = tuple(u for u in cluster.schools if u != urn)
            if stays:
                kept = cluster.hub if cluster.hub in stays else hub or stays[0]
                changed.append(replace(cluster, schools=stays, hub=kept))
        out = tuple(sorted([*self.opted_out, (urn, reason or OPTED_OUT)]))
        return replace(self, clusters=tuple(changed), opted_out=out, locked=self.locked - {urn})

    def opt_in(self, urn: str, to: str) -> Plan:
        """Return the plan with a school that had opted out in a cluster again."""
        if urn not in dict(self.opted_out):
            raise PlanError(Fault("has not opted out.", "Use move for a school inside.", urn=urn))
        target = self[to]
        changed = tuple(
            replace(c, schools=tuple(sorted((*c.schools, urn)))) if c is target else c
            for c in self.clusters
        )
        left = tuple((u, why) for u, why in self.opted_out if u != urn)
        return replace(self, clusters=changed, opted_out=left)

    def _check_inside(self, *urns: str) -> None:
        for urn in urns:
            if urn in dict(self.opted_out):
                raise PlanError(Fault("has opted out.", "Bring it back with opt_in.", urn=urn))
            if urn not in self.cluster_of:
                raise PlanError(Fault("is not in the plan.", "Check the URN.", urn=urn))

    def write_csv(self, path: Path) -> None:
        """Write the rows of `to_frame` as UTF-8 with plain newlines."""
        self.to_frame().to_csv(path, index=False, encoding="utf-8", lineterminator="\n")


def make_plan(problem: Problem, groups: Iterable[tuple[Iterable[int], int]]) -> Plan:
    """Return a plan from groups of positions and the position of each hub.

    Clusters are numbered within the area that holds most of their schools, in the order of their
    lowest URN ("Marshside 2"), so that the same partition always carries the same labels.
    """
    sorted_groups = sorted((tuple(sorted(members)), hub) for members, hub in groups)
    by_area: dict[str, int] = defaultdict(int)
    clusters = []
    for members, hub in sorted_groups:
        area = main_area(problem, members)
        by_area[area] += 1
        schools = tuple(problem.urns[i] for i in members)
        clusters.append(Cluster(f"{area} {by_area[area]}", problem.urns[hub], schools))
    return Plan(tuple(sorted(clusters, key=label_order)), opted_out=problem.opted_out)


def main_area(problem: Problem, members: Iterable[int]) -> str:
    """Return the area that holds most of the schools; of several, the first by name."""
    counts = Counter(problem.area_names[problem.area[i]] for i in members)
    return min(counts, key=lambda name: (-counts[name], name))


def limits_of(problem: Problem, members: Sequence[int]) -> Filled:
    """Return the limits that hold for a cluster: those of a named one, else of its main area."""
    area, urns = main_area(problem, members), {problem.urns[i] for i in members}
    for name, named in sorted(problem.rules.cluster.items()):
        if named.contains in urns:
            return problem.rules.for_cluster(name, area)
    return problem.rules.for_area(area)


def label_order(cluster: Cluster) -> tuple[str, int, str]:
    """Sort "Marshside 2" before "Marshside 10"."""
    stem, _, number = cluster.label.rpartition(" ")
    return (stem, int(number), "") if number.isdigit() else (cluster.label, 0, cluster.label)


def plan_from_frame(table: pd.DataFrame, problem: Problem, *, file: str = "") -> Plan:
    """Return the plan in a table with `urn, cluster` and, if it has one, `hub`.

    A planner who moves a school changes its `cluster` and leaves the column `hub`, so the hub of a
    cluster is the one of its own schools that most of its rows name; where they name none, the
    school with the fewest minutes in sum, so that a bare list of today's clusters can be judged
    too. Rows with an empty cluster are schools that are not in one; a reason in the column
    `opted_out` says that the school takes no part. What the study itself opts out is out of every
    plan, whatever its row says. Raises `PlanError` with every fault: columns, unknown or repeated
    URNs, hubs that are no school of the study.
    """
    faults = Faults(PlanError, file)
    table = table.rename(columns=lambda c: str(c).strip().lower())
    missing = [c for c in COLUMNS[:2] if c not in table.columns]
    if missing:
        faults.add(
            f"the columns {' and '.join(missing)} are missing; found {', '.join(table.columns)}.",
            "A plan has the columns urn, cluster and hub.",
        )
        faults.raise_if_any()
    members: dict[str, list[str]] = defaultdict(list)
    hubs: dict[str, dict[str, int]] = defaultdict(dict)
    votes: Counter[tuple[str, str]] = Counter()
    seen: dict[str, int] = {}
    out = dict(problem.opted_out)
    for row, record in enumerate(table.to_dict("records"), start=2):
        urn, label = (_text(record.get(key)) for key in COLUMNS[:2])
        reason = _text(record.get(OUT))
        if urn in dict(problem.opted_out) or not (label or reason):
            continue
        if label and reason:
            fix = "Empty the cell of its cluster, or that of the reason."
            faults.add("has opted out and stands in a cluster.", fix, row=row, urn=urn)
        elif urn not in problem.position:
            faults.add(
                "is not a school of this study.",
                "Check the URN; `clusters check` lists the schools set aside, and why.",
                row=row,
                urn=urn,
            )
        elif urn in seen:
            faults.add(f"stands in row {seen[urn]} already.", "Keep one row.", row=row, urn=urn)
        elif reason:
            seen[urn], out[urn] = row, reason
        else:
            seen[urn] = row
            members[label].append(urn)
            if hub := _text(record.get("hub")):
                hubs[label].setdefault(hub, row)
                votes[label, hub] += 1
    for label, named in sorted(hubs.items()):
        for hub, row in named.items():
            if hub not in problem.position and hub not in out:
                faults.add(
                    f'the hub {hub} of cluster "{label}" is not a school of this study.',
                    "Name one of the cluster's schools, or leave the hub empty.",
                    row=row,
                )
    if not members and not faults:
        faults.add("no school is in a cluster.", "Fill in the column cluster.")
    faults.raise_if_any()
    found = []
    for label, urns in members.items():
        voted = [(-votes[label, hub], hub) for hub in hubs[label] if hub in urns]
        hub = min(voted)[1] if voted else nearest_hub(problem, urns)
        found.append(Cluster(label, hub, tuple(sorted(urns))))
    return Plan(tuple(sorted(found, key=label_order)), opted_out=tuple(sorted(out.items())))


def nearest_hub(problem: Problem, urns: Iterable[str]) -> str:
    """Return the school that the others reach in the fewest minutes in sum, among allowed hubs."""
    places = problem.positions(urns)
    hubs = [i for i in places if problem.secondary[i]] if problem.rules.hub == "secondary" else []
    pinned = [i for i in places if problem.urns[i] in problem.pinned_hubs]
    limits = limits_of(problem, places).reach_limits(problem.reach_names)
    candidates = pinned or hubs or places
    candidates = [i for i in candidates if (problem.reach[i] <= limits).all()] or candidates
    return min(
        (float(problem.minutes[places, hub].sum()), problem.urns[hub]) for hub in candidates
    )[1]


def read_plan(path: Path | str, problem: Problem) -> Plan:
    """Read a plan from `plan.csv` or an edited `plan.xlsx` (its first sheet)."""
    path = Path(path)
    try:
        table = plan_table(path)
    except FileNotFoundError:
        raise PlanError(Fault("the file is not there.", "Check the path.", path.name)) from None
    except (UnicodeDecodeError, ValueError, KeyError, OSError, BadZipFile) as error:
        reason = f"the file cannot be read as a table ({type(error).__name__})."
        raise PlanError(
            Fault(reason, "Save it as CSV (UTF-8) or Excel workbook.", path.name)
        ) from error
    return plan_from_frame(table, problem, file=path.name)


def plan_names(paths: Sequence[Path]) -> list[str]:
    """Return a short name for each plan file: its own, else its folder's, else a number."""
    stems = Counter(path.stem for path in paths)
    names = [p.stem if stems[p.stem] == 1 else p.resolve().parent.name for p in paths]
    if len(set(names)) == len(names) and all(names):
        return names
    return [f"plan {k}" for k in range(1, len(paths) + 1)]


def plan_table(path: Path) -> pd.DataFrame:
    """Return the table of a plan as text: a CSV file, or the first sheet of a workbook."""
    if path.suffix.lower() in (".xlsx", ".xlsm"):
        return pd.read_excel(path, dtype=str, keep_default_na=False)
    return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")


def _text(value: object) -> str:
    text = "" if value is None or value != value else str(value).strip()
    return text.removesuffix(".0") if text.removesuffix(".0").isdigit() else text
