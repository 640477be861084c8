"""Two or more plans side by side: the figures of each, and every pair school by school."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import pandas as pd

from clustering.pairs import TOLERANCE, Pair, pair
from clustering.plan import Plan
from clustering.problem import Problem
from clustering.report import assess, compare

MOVES = ["urn", "name", "from_cluster", "to_cluster", "follows"]


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two or more plans side by side.

    `figures` has a column a plan; `moves` says who moves from the first plan to each other one;
    `pairs` holds every two plans, in the order in which they were given.
    """

    figures: pd.DataFrame
    moves: Mapping[str, pd.DataFrame]
    pairs: Mapping[tuple[str, str], Pair]

    def between(self, before: str, after: str) -> Pair:
        """Return one pair of plans by their names in the order given."""
        return self.pairs[before, after]

    @property
    def summary(self) -> pd.DataFrame:
        """One row a pair: who moves, who comes nearer, minutes, need, pupils, feeders split."""
        return self._joined(_rows(self.pairs))

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """What is written: figures, pairs, and schools, clusters and areas of every pair."""
        found = {"figures": self.figures.rename_axis("figure").reset_index(), "pairs": self.summary}
        for name in ("schools", "clusters", "areas"):
            found[name] = self._joined({k: getattr(p, name) for k, p in self.pairs.items()})
        return found

    @staticmethod
    def _joined(tables: Mapping[tuple[str, str], pd.DataFrame]) -> pd.DataFrame:
        parts = []
        for (before, after), table in tables.items():
            part = table.copy()
            part.insert(0, "plan_before", before)
            part.insert(1, "plan_after", after)
            parts.append(part)
        return pd.concat(parts, ignore_index=True)

    def write(self, folder: Path) -> list[Path]:
        """Write the tables as `compare_….csv` into a folder, UTF-8 with plain newlines."""
        folder.mkdir(parents=True, exist_ok=True)
        paths = []
        for name, table in self.tables.items():
            paths.append(folder / f"compare_{name}.csv")
            table.to_csv(paths[-1], index=False, encoding="utf-8", lineterminator="\n")
        return paths

    def sentences(self) -> Iterator[str]:
        """Yield a sentence on each pair, with the tolerance it was judged by."""
        for (before, after), found in self.pairs.items():
            f = found.figures
            yield (
                f"From {before} to {after}: {_schools(f['schools_moved'])} move "
                f"({f['pupils_moved']:,} pupils). Nearer to the hub: {_both(f, 'nearer')}; "
                f"unchanged (within {found.tolerance:g} min): {_both(f, 'unchanged')}; "
                f"farther: {_both(f, 'farther')}. Leavers split: "
                f"{f['leavers_split_before']:,.0f} → {f['leavers_split_after']:,.0f} a year."
            )

    def _repr_html_(self) -> str:
        """Show the figures and the pairs in a notebook."""
        tables = (self.figures, self.summary.set_index(["plan_before", "plan_after"]).T)
        return "".join(str(table.to_html(border=0)) for table in tables)


def _rows(pairs: Mapping[tuple[str, str], Pair]) -> dict[tuple[str, str], pd.DataFrame]:
    """Return the figures of each pair as a table of one row."""
    return {key: pd.DataFrame([dict(found.figures)]) for key, found in pairs.items()}


def _schools(number: float) -> str:
    return "1 school" if number == 1 else f"{number:,.0f} schools"


def _both(figures: Mapping[str, float], band: str) -> str:
    return f"{_schools(figures[f'schools_{band}'])} ({figures[f'pupils_{band}']:,.0f} pupils)"


def compare_all(
    plans: Mapping[str, Plan], problem: Problem, *, tolerance: float = TOLERANCE
) -> Comparison:
    """Compare two or more plans by name, each with each other one.

    Raises `ValueError` for fewer than two plans or a tolerance below 0.
    """
    if len(plans) < 2:
        raise ValueError("a comparison needs two plans or more")
    reports = {name: assess(plan, problem) for name, plan in plans.items()}
    pairs = {
        (a, b): pair(plans[a], plans[b], problem, tolerance=tolerance)
        for a, b in combinations(plans, 2)
    }
    first, *others = plans
    moved = {name: pairs[first, name].moves[MOVES] for name in others}
    return Comparison(compare(reports), moved, pairs)
