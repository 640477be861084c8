"""What a consultation pack says: options side by side, reasons, and numbers that may be public.

This is the one door from plans to public pages. Pages are drawn from a `Consultation` and from
nothing else, and every count of pupils on them comes from `Consultation.numbers`, which has passed
disclosure control for all options, areas and files together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from clustering.inputs import Inputs
from clustering.pairs import Pair, pair
from clustering.plan import Plan
from clustering.publish.disclosed import Cell, Released
from clustering.publish_settings import PublishTable
from clustering.report import Report, assess, moves
from clustering.solve.why import reasons_of_schools

TODAY = "today"
BUDGET = "budget"
AREA, COUNTY = "area", "county"
"""Names of the groupings beside the options."""


@dataclass(frozen=True, eq=False)
class Option:
    """One arrangement that is consulted on, or today's.

    `key` is short and safe in addresses ("a", "b", "today"); `name` is what people call it
    ("Option A", "Today’s clusters"); `summary` a sentence by the council or made from its figures.
    `numbers` gives each cluster's label the number that stands on maps and in addresses.
    """

    key: str
    name: str
    summary: str
    plan: Plan
    report: Report
    numbers: Mapping[str, int]

    @property
    def is_today(self) -> bool:
        """Whether these are today's clusters."""
        return self.key == TODAY

    def label_of(self, urn: str) -> str:
        """Return the label of a school's cluster, "" for none."""
        return str(self.plan.cluster_of.get(urn, ""))

    def page_of(self, label: str) -> str:
        """Return the end of the address of a cluster's page: `a-7`."""
        return f"{self.key}-{self.numbers[label]}"


@dataclass(frozen=True, eq=False)
class Consultation:
    """Everything a pack says.

    `options` today's first where there is one, then the proposals in order. `numbers` holds the
    groupings `option.key` of each option, `AREA` and `COUNTY`, each with `pupils` and the measures
    of `settings.measures`, rates against pupils, and the pounds of each option, under
    `budget_name(option.key)`, where there is a pot.
    """

    inputs: Inputs
    settings: PublishTable
    options: tuple[Option, ...]
    numbers: Released

    @property
    def title(self) -> str:
        """Heading of the pack."""
        config = self.inputs.study.config
        return self.settings.title or config.title or config.name

    @property
    def proposals(self) -> tuple[Option, ...]:
        """The options that are proposed, without today's."""
        return tuple(option for option in self.options if not option.is_today)

    @property
    def today(self) -> Option | None:
        """Today's clusters, where the study names them."""
        return next((option for option in self.options if option.is_today), None)

    def cell(self, option: Option, label: str, measure: str) -> Cell:
        """Return what may be said of a cluster; `measure` may be "budget" (see `has_budget`)."""
        name = budget_name(option.key) if measure == BUDGET else measure
        return self.numbers.shown(option.key, label, name)

    @property
    def has_budget(self) -> bool:
        """Are pounds published?"""
        return bool(self.numbers.asked.money)

    @cached_property
    def reasons(self) -> Mapping[str, pd.DataFrame]:
        """Why each school is where it is, by option key; columns as in `reasons_of_schools`."""
        return {
            option.key: reasons_of_schools(option.plan, self.inputs.problem).set_index("urn")
            for option in self.proposals
        }

    @cached_property
    def pairs(self) -> Mapping[tuple[str, str], Pair]:
        """What is different between any two options, by their keys in the order of `options`."""
        found = {}
        for at, one in enumerate(self.options):
            for other in self.options[at + 1 :]:
                found[one.key, other.key] = pair(one.plan, other.plan, self.inputs.problem)
        return found


def budget_name(key: str) -> str:
    """Return the name of an option's pounds in `Consultation.numbers`.

    Each option has its own, as the number of clusters changes what is left to share.
    """
    return f"{BUDGET} {key}"


def options_of(
    inputs: Inputs, plans: Mapping[str, Plan], settings: PublishTable
) -> tuple[Option, ...]:
    """Return today's clusters, where the study names them, and the plans in order, as options.

    `plans` by the name of their file or folder; they become Option A, B, C …
    """
    found: list[Option] = []
    if inputs.existing is not None:
        words = "The clusters as they are today."
        found.append(_option(TODAY, "Today’s clusters", words, inputs.existing, inputs))
    for letter, (name, plan) in zip("ABCDEFGHIJ", plans.items(), strict=False):
        words = settings.options.get(name, "")
        found.append(_option(letter.lower(), f"Option {letter}", words, plan, inputs))
    return tuple(found)


def _option(key: str, name: str, words: str, plan: Plan, inputs: Inputs) -> Option:
    report = assess(plan, inputs.problem)
    numbers = {label: at for at, label in enumerate(plan.labels, start=1)}
    words = words or _summary(plan, report, inputs)
    return Option(key, name, words, plan, report, numbers)


def _summary(plan: Plan, report: Report, inputs: Inputs) -> str:
    """Return what sets a plan apart, where the council has no words for it."""
    figures = report.summary
    told = [
        f"{len(report.clusters)} clusters; schools are {figures['mean_minutes']:.1f} minutes from "
        f"the hub on average, {figures['max_minutes']:.0f} at most."
    ]
    if inputs.existing is not None:
        changed = len(moves(inputs.existing, plan))
        told.append(f"{changed} of {len(plan.cluster_of)} schools change their cluster.")
    return " ".join(told)
