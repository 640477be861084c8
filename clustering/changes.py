"""What a move by hand has changed, told at once: minutes, need, feeders, rules broken."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

import pandas as pd

from clustering.pairs import TOLERANCE, Pair, pair
from clustering.plan import Plan
from clustering.problem import Problem
from clustering.report import assess, follows

FIGURES = {
    "objective": "objective",
    "minutes": "minutes to the hub, in sum",
    "leavers_split": "leavers a year who go on outside their cluster",
    "largest_to_smallest_need": "largest to smallest need",
    "rules_broken": "rules broken",
}
SHOWN = 8
"""Moves that are told one by one; of more, only how many."""


@dataclass(frozen=True, eq=False)
class Change:
    """A plan beside the one it was drawn from.

    `figures` has a row a figure and the columns before, after, difference; `broken` are rules that
    the new plan breaks and the old one kept, `mended` the reverse, `still` those that both break,
    each a sentence.
    """

    pair: Pair
    figures: pd.DataFrame
    broken: tuple[str, ...]
    mended: tuple[str, ...]
    still: tuple[str, ...]
    hubs: tuple[tuple[str, str, str], ...] = ()
    """Clusters that have another hub: label, the hub before and the hub after, by name."""
    locked: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """Return the change in sentences."""
        moved = self.pair.moves
        told = [_moved(row) for row in moved.to_dict("records")[:SHOWN]] or ["No school moves."]
        if len(moved) > SHOWN:
            told.append(f"and {len(moved) - SHOWN} more; {len(moved)} schools move in all.")
        differ = self.figures[self.figures["difference"].fillna(0) != 0]
        told += [
            f"{row.Index}: {row.before:,.10g} → {row.after:,.10g} ({row.difference:+,.10g})"
            for row in differ.itertuples()
        ]
        told += [_need(row) for row in self._touched().to_dict("records")]
        told += [f"{label}: the hub is now {new}, not {old}." for label, old, new in self.hubs]
        told += [f"Now broken: {text}" for text in self.broken]
        told += [f"Mended: {text}" for text in self.mended]
        told += [f"Still broken: {text}" for text in self.still]
        if not self.broken + self.still:
            told.append("Every rule is kept.")
        return told + ([f"Locked: {', '.join(self.locked)}."] if self.locked else [])

    def _touched(self) -> pd.DataFrame:
        """Return the clusters whose schools are not the same, as far as both plans have them."""
        table = self.pair.clusters
        changed = (table["joined"] + table["left"] > 0) & table["need_before"].notna()
        return table[changed & table["need_after"].notna()]

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def _repr_html_(self) -> str:
        """Show the change in a notebook."""
        return "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in self.lines()) + "</ul>"


def change(after: Plan, before: Plan, problem: Problem, *, tolerance: float = TOLERANCE) -> Change:
    """Tell what is different in a plan from the one it was drawn from."""
    found = pair(before, after, problem, tolerance=tolerance)
    rows = {
        words: (found.figures[f"{key}_before"], found.figures[f"{key}_after"])
        for key, words in FIGURES.items()
    }
    figures = pd.DataFrame.from_dict(rows, orient="index", columns=["before", "after"])
    figures["difference"] = (figures["after"] - figures["before"]).round(2)
    was, now = ([b.text for b in assess(plan, problem).breaches] for plan in (before, after))
    return Change(
        found,
        figures,
        tuple(text for text in now if text not in was),
        tuple(text for text in was if text not in now),
        tuple(text for text in now if text in was),
        tuple(_hubs(before, after, problem)),
        tuple(sorted(after.locked)),
    )


def _hubs(before: Plan, after: Plan, problem: Problem) -> Iterator[tuple[str, str, str]]:
    continued = follows(before, after)
    for cluster in after.clusters:
        old = continued.get(cluster.label)
        if old and before[old].hub != cluster.hub:
            names = [problem.names[i] for i in problem.positions([before[old].hub, cluster.hub])]
            yield cluster.label, names[0], names[1]


def _moved(row: dict) -> str:
    school = f"{row['name']} ({row['urn']})"
    if not row["to_cluster"]:
        return f"{school} leaves {row['from_cluster']} and is in no cluster."
    if not row["from_cluster"]:
        return f"{school} joins {row['to_cluster']}."
    minutes = row["minutes_before"], row["minutes_after"]
    return (
        f"{school} moves from {row['from_cluster']} to {row['to_cluster']}: "
        f"{minutes[0]:.1f} → {minutes[1]:.1f} minutes to its hub."
    )


def _need(row: dict) -> str:
    share = row["need_after"] / row["need_before"] - 1 if row["need_before"] else float("nan")
    return (
        f"{row['cluster']}: need {row['need_before']:,.0f} → {row['need_after']:,.0f} "
        f"({share:+.0%}), {row['schools_before']:.0f} → {row['schools_after']:.0f} schools."
    )
