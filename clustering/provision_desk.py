"""The front desk of provision: a study, perhaps scenarios, to everything an analyst looks at."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from clustering.inputs import Inputs, load_inputs
from clustering.provision.applying import Changed, apply
from clustering.provision.before_after import by_area, cost_of_year, differences, side_by_side
from clustering.provision.demand import Demand
from clustering.provision.pathways import pathway_years, pathways
from clustering.provision.reach import Reach, reach
from clustering.provision.register import Register
from clustering.provision.scenario import Scenario, read_scenario
from clustering.provision.settings import ProvisionTable
from clustering.provision.tables import (
    inequality,
    places_per_pupils,
    reach_table,
    without_a_place,
    worst_served,
)
from clustering.provision.viability import occupancy_by_year, viability
from clustering.provision_inputs import Provision
from clustering.provision_minutes import ProvisionMinutes
from clustering.study import Study
from geo.errors import Fault, Faults, StudyError, did_you_mean

if TYPE_CHECKING:
    import folium

TODAY, AS_IT_IS = "today", "Provision as it is"
YEARS = 4
"""Years told in tables by year, if no scenario looks farther."""
Tell = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class State:
    """Provision in one year, as it is or under a scenario.

    `register` every provision with its dates; `reach` None where the study has no demand; `before`
    what is reached in the same year without the scenario (None for today's); `costs` a row a year,
    as from `cost_of_year`; `minutes` driving, points and provisions × provisions.
    """

    scenario: Scenario | None
    year: int
    register: Register
    minutes: pd.DataFrame
    reach: Reach | None
    before: Reach | None
    costs: pd.DataFrame
    told: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Short name: that of the scenario, or "today"."""
        return self.scenario.name if self.scenario else TODAY

    @property
    def heading(self) -> str:
        """What people call it."""
        return self.scenario.heading if self.scenario else AS_IT_IS

    def rules(self, settings: ProvisionTable) -> ProvisionTable:
        """Return the study's settings with the limits of the scenario, where it has its own."""
        return _ruled(settings, self.scenario)

    @property
    def public(self) -> bool:
        """Whether it may be shown to the public; today's provision is the council's to publish."""
        return self.scenario.public if self.scenario else True

    @property
    def cost(self) -> dict[str, float]:
        """Pounds of the year that is looked at, with the capital of all years up to it."""
        told = self.costs.set_index("year")
        capital = told["capital"].loc[: self.year].sum(skipna=False)
        return {**told.loc[self.year].to_dict(), "capital": float(capital)}

    @cached_property
    def differences(self) -> pd.DataFrame:
        """Who is better and who is worse off, point by point; empty for today's."""
        if self.reach is None or self.before is None:
            return pd.DataFrame()
        return differences(self.before, self.reach)

    @cached_property
    def by_area(self) -> pd.DataFrame:
        """Before and after, by area and in all; empty for today's."""
        if self.reach is None or self.before is None:
            return pd.DataFrame()
        return by_area(self.before, self.reach)


@dataclass(frozen=True, eq=False)
class Review:
    """Today's provision and its scenarios, with the tables an analyst reads."""

    inputs: Inputs
    provision: Provision
    today: State
    scenarios: tuple[State, ...] = ()
    cluster_of: Mapping[str, str] = field(default_factory=dict)

    @property
    def states(self) -> tuple[State, ...]:
        """Today's provision first, then the scenarios."""
        return (self.today, *self.scenarios)

    @cached_property
    def names(self) -> pd.Series:
        """What the points of demand are called."""
        demand = self.provision.demand
        return pd.Series(dtype=object) if demand is None else demand.points["name"]

    @cached_property
    def side_by_side(self) -> pd.DataFrame:
        """A column for today and each scenario, a row a figure; empty without demand."""
        return side_by_side(
            {
                state.heading: (state.reach, state.before, state.cost)
                for state in self.states
                if state.reach is not None
            }
        )

    def map(self) -> folium.Map:
        """Return the page with map and tables, for a notebook cell or for `geo.maps.save`."""
        # The drawing room is entered only when somebody wants to look; it knows this class.
        from clustering.publish.provision_page import provision_page

        return provision_page(self)

    def viability(self) -> pd.DataFrame:
        """Return how full and how large each provision of today is."""
        own = self.provision.settings
        open_now = self.today.register.open_in(self.today.year).table
        return viability(open_now, own.viability, own.costs, self.provision.history)

    def pathways(self, state: State | None = None) -> pd.DataFrame:
        """Return where the children of each primary provision can go on to."""
        state = state or self.today
        table = state.register.open_in(state.year).table
        own = state.rules(self.provision.settings)
        return pathways(table, state.minutes, own, self.cluster_of)

    def pathway_years(self, state: State | None = None) -> pd.DataFrame:
        """Return leavers, intake and leavers without a place by area, type and year."""
        state = state or self.today
        years = [int(year) for year in state.costs["year"]]
        own = state.rules(self.provision.settings)
        return pathway_years(state.register.table, state.minutes, own, years)

    def tables(self, state: State | None = None) -> dict[str, pd.DataFrame]:
        """Return every table of one state by name; only those that it has."""
        state = state or self.today
        found_now = state.register.open_in(state.year).table
        found = {
            "provisions": found_now.reset_index(),
            "pathways": self.pathways(state),
            "pathway_years": self.pathway_years(state),
            "costs": state.costs,
        }
        if state is self.today:
            found["reconciliation"] = self.provision.register.disagreements
            found["viability"] = self.viability()
            found["occupancy"] = occupancy_by_year(found_now, self.provision.history)
        if state.reach is not None:
            pupils = self.inputs.table[["area", "pupils"]]
            plans = self.inputs.table.groupby("area")["ehc_plans"].sum(min_count=1)
            found |= {
                "reach": reach_table(state.reach),
                "reach_areas": reach_table(state.reach, ["area"]),
                "reach_fifths": reach_table(state.reach, ["fifth"]),
                "inequality": inequality(state.reach),
                "worst_served": worst_served(state.reach, self.names),
                "without_a_place": without_a_place(state.reach, self.names),
                "places_per_pupils": places_per_pupils(state.reach.provisions, pupils, plans),
            }
        if state.before is not None:
            found["before_after"] = state.by_area
            found["who_changes"] = state.differences.assign(
                name=state.differences["point"].map(self.names)
            )
        return found


def review(
    study: Study | Inputs | Path | str,
    *scenarios: Scenario | Path | str,
    cluster_of: Mapping[str, str] | None = None,
    year: int | None = None,
    tell: Tell = lambda words: None,
) -> Review:
    """Look at the provision of a study and at scenarios, each against the same year without it.

    A study, or its inputs where they are read already; scenarios or their files.

    All are looked at in the autumn of one year: `year`, else the latest that a scenario names, else
    the study's year of demand. `cluster_of` a plan, for pathways within clusters. `tell` hears what
    is being worked on. Raises `StudyError` where the study has no `[provision]`, a scenario cannot
    be made or is called as another one, or a year is before the study's.
    """
    inputs = _inputs(study)
    asked = [s if isinstance(s, Scenario) else read_scenario(Path(s)) for s in scenarios]
    provision = inputs.provision
    if provision is None:
        raise StudyError(
            Fault(
                "the study has no [provision].",
                'Add at least: [provision] file = "srps.csv", the council\'s list.',
                inputs.study.path.name,
            )
        )
    first = provision.settings.demand.year
    _refuse_confusion(inputs, asked, first, year)
    at = year or max([first, *(s.looked_at(first) for s in asked)])
    changed = {s.name: _applied(inputs, provision, s, first) for s in asked}
    ways = ProvisionMinutes(inputs, provision, [c.register.table for c in changed.values()], tell)
    desk = _Desk(provision, ways, range(first, max(at, first + YEARS - 1) + 1), tell)
    today = desk.state(None, None, at)
    found = [desk.state(s, changed[s.name], at) for s in asked]
    return Review(inputs, provision, today, tuple(found), dict(cluster_of or {}))


def _inputs(study: Study | Inputs | Path | str) -> Inputs:
    if isinstance(study, Inputs):
        return study
    return load_inputs(study if isinstance(study, Study) else Study.load(study))


def _refuse_confusion(
    inputs: Inputs, asked: Sequence[Scenario], first: int, year: int | None
) -> None:
    """Refuse scenarios that cannot be told apart, and years of which nothing is known."""
    faults = Faults(StudyError, inputs.study.path.name)
    seen = {TODAY, AS_IT_IS}
    for one in asked:
        own = {one.name, one.heading}
        if twice := sorted(own & seen):
            faults.add(
                f'two states are called "{twice[0]}".', "Give each scenario its own name and title."
            )
        seen |= own
    for each in sorted({n for n in (year, *(s.year for s in asked)) if n and n < first}):
        faults.add(
            f"{each} is before the {first} of the study, and nothing is known of it.",
            "Look at a later year, or give [provision.demand] year.",
        )
    faults.raise_if_any()


def _ruled(settings: ProvisionTable, scenario: Scenario | None) -> ProvisionTable:
    own = scenario.limits if scenario else None
    return settings if own is None else settings.model_copy(update={"limits": own})


def _applied(inputs: Inputs, provision: Provision, scenario: Scenario, first: int) -> Changed:
    known = [crossing.name for crossing in inputs.study.config.travel.crossing]
    for name in scenario.shut:
        if name not in known:
            hint = did_you_mean(name, known) or f"Declared are: {', '.join(known) or 'none'}."
            raise StudyError(
                Fault(f'shut names "{name}", which is no crossing of the study.', hint,
                      scenario.name)
            )  # fmt: skip
    cost = provision.settings.costs.capital
    return apply(scenario, provision.register, provision.sites, first, cost, scenario.name)


class _Desk:
    """Makes the states, one after another, from the same minutes."""

    def __init__(
        self, provision: Provision, ways: ProvisionMinutes, years: range, tell: Tell
    ) -> None:
        self.provision, self.ways, self.years, self.tell = provision, ways, years, tell
        self.unchanged: dict[int, Reach] = {}

    def state(self, scenario: Scenario | None, changed: Changed | None, year: int) -> State:
        """Return one state: what is reached in a year, and what the years cost."""
        register = changed.register if changed else self.provision.register
        minutes = self.ways.over(scenario.shut if scenario else ())
        demand = self.provision.demand
        own_rows = minutes.loc[self.ways.ends.index]
        empty = pd.DataFrame({"year": list(self.years)})
        if demand is None:
            return State(scenario, year, register, own_rows, None, None, empty)
        capital = changed.capital if changed else None
        found: dict[int, Reach] = {}
        costs = []
        for each in self.years:
            self.tell(f"{scenario.heading if scenario else AS_IT_IS}: {each}")
            found[each] = self._reach(scenario, register, minutes, demand, each)
            visiting = sum(
                one.cost for one in (scenario.outreach if scenario else ())
                if (one.year or self.years[0]) <= each
            )  # fmt: skip
            costs.append(
                cost_of_year(found[each], self.provision.settings.costs, each, capital, visiting)
            )
        if scenario is None:
            self.unchanged = found
        return State(
            scenario,
            year,
            register,
            own_rows,
            found[year],
            None if scenario is None else self.unchanged[year],
            pd.DataFrame(costs).astype({"year": int}),
            changed.told if changed else (),
        )

    def _reach(
        self,
        scenario: Scenario | None,
        register: Register,
        minutes: pd.DataFrame,
        demand: Demand,
        year: int,
    ) -> Reach:
        settings = _ruled(self.provision.settings, scenario)
        if scenario is None:
            return reach(register.open_in(year), demand.in_year(year), minutes, settings)
        grown = demand.in_year(year, scenario.growth)
        visits = scenario.visits(year, self.years[0])
        return reach(register.open_in(year), grown, minutes, settings, visits)
