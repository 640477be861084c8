"""Why a school is in its cluster, in plain words and without a small count."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from clustering.publish.consultation import TODAY, Consultation, Option
from clustering.publish.pack_words import cost_of_move, plain_rules
from clustering.publish.pages import cluster_page, counted, whole_minutes

MOST_REASONS = 3
NAMED = 4
"""So many schools that stay together with one are named."""


@dataclass(frozen=True)
class Place:
    """Where a school is in one option: label and address of its cluster, and why, in sentences.

    `label` is "" and `address` is "" for a school in no cluster.
    """

    option: str
    label: str
    address: str
    reasons: tuple[str, ...]
    elsewhere: str
    change: str


@dataclass(frozen=True, eq=False)
class Why:
    """Says of schools where they are in each option, why, and what changes from today."""

    consultation: Consultation

    @cached_property
    def _changes(self) -> Mapping[str, Mapping[str, Mapping[str, Any]]]:
        """What changes for each school from today, by option key and URN."""
        pairs = self.consultation.pairs
        return {new: rows_by_urn(pairs[old, new].schools) for old, new in pairs if old == TODAY}

    @cached_property
    def _rows(self) -> Mapping[str, Mapping[str, Mapping[str, Any]]]:
        """Why each school is where it is, by option key and URN."""
        reasons = self.consultation.reasons
        return {key: rows_by_urn(table.reset_index()) for key, table in reasons.items()}

    def places(self, urn: str) -> tuple[Place, ...]:
        """Return where a school is in each option, today's first where there is one."""
        return tuple(self._place(option, urn) for option in self.consultation.options)

    def _place(self, option: Option, urn: str) -> Place:
        label = option.label_of(urn)
        if not label:
            why = "It takes no part." if urn in dict(option.plan.opted_out) else ""
            return Place(option.name, "", "", (why,) if why else (), "", "")
        address = cluster_page(option, label)
        if option.is_today:
            return Place(option.name, label, address, (), "", "")
        row = self._rows[option.key].get(urn)
        reasons = tuple(self._reasons(option, urn, row))[:MOST_REASONS]
        pupil = self.consultation.inputs.study.config.goals.feeders
        elsewhere = "" if row is None else _elsewhere(row, pupil)
        return Place(option.name, label, address, reasons, elsewhere, self.change(option, urn))

    def _reasons(self, option: Option, urn: str, row: Mapping[str, Any] | None) -> Iterator[str]:
        inputs, plan = self.consultation.inputs, option.plan
        label = option.label_of(urn)
        hub = plan[label].hub
        names, minutes = inputs.table["name"], inputs.minutes.table
        if urn == hub:
            yield f"It is the hub of {label}, where its schools meet."
        else:
            here = f"It is {whole_minutes(minutes.at[urn, hub])} from the hub, {names[hub]}"
            other = row and row["next_cluster"]
            if other:
                there = plan[other].hub
                far = whole_minutes(minutes.at[urn, there])
                yield f"{here}; the hub of {other}, {names[there]}, is {far} away."
            else:
                yield f"{here}."
        if row is None:
            return
        if row["together"]:
            tied = [str(names[other]) for other in row["together"].split()]
            more = f" and {counted(len(tied) - NAMED, 'more school')}" if tied[NAMED:] else ""
            yield f"It stays together with {', '.join(tied[:NAMED])}{more}."
        going = row["leavers_kept"] + row["leavers_lost"]
        if row["leavers_kept"] >= self.consultation.settings.least_flow:
            part = "Most" if row["leavers_kept"] > going / 2 else "Some"
            said = " (estimated)" if inputs.feeders.estimated else ""
            yield f"{part} of its leavers go on to a secondary of this cluster{said}."

    def change(self, option: Option, urn: str) -> str:
        """Say what changes for a school from today; "" where nobody names clusters of today."""
        if self.consultation.today is None or option.is_today:
            return ""
        row = self._changes[option.key].get(urn)
        if row is None or not row["from_cluster"]:
            return "It is in no cluster today."
        if not row["to_cluster"]:
            return f"Today it is in {row['from_cluster']}."
        if row["moves"]:
            said = f"It leaves {row['from_cluster']}"
            said += f" and joins most schools of {row['follows']}" if row["follows"] else ""
        else:
            said = f"It stays with most schools of {row['from_cluster']}"
        if row["band"] == "unchanged":
            return f"{said}; the way to the hub stays as long as it is, give or take a minute."
        if not row["band"]:
            return f"{said}."
        apart = counted(max(1, round(abs(row["difference"]))), "minute")
        return f"{said}; the hub is about {apart} {row['band']}."


def _elsewhere(row: Mapping[str, Any], pupil: float) -> str:
    """Say what the next-best cluster is and what moving the school there would cost.

    `pupil`: minutes that one leaver is worth.
    """
    if not row["next_cluster"]:
        return "There is no other cluster that it could be in."
    with_ = " together with the schools it stays with" if row["together"] else ""
    cost = cost_of_move(row["price"], pupil)
    next_best = f"The next-best cluster is {row['next_cluster']}: moving it there{with_}"
    if row["breaks"]:
        broken = f"would break a rule ({plain_rules(row['breaks'])}) and {cost}"
        return f"In any other cluster a rule would be broken. {next_best} {broken}."
    return f"{next_best} {cost}."


def rows_by_urn(table: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Return the rows of a table with a column `urn`, by URN."""
    return {
        str(row["urn"]): {str(k): v for k, v in row.items()} for row in table.to_dict("records")
    }
