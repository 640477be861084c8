"""Joins the ground and the decision: from a study to everything that a design needs."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TypeVar
from zipfile import BadZipFile

import pandas as pd
from shapely.geometry.base import BaseGeometry

from clustering import smallest
from clustering.budget import phase_group
from clustering.changes import change
from clustering.feeders import Feeders, FlowsError, filled, no_feeders
from clustering.flows_file import read_flows
from clustering.flows_shapes import HEADINGS, REMEDY
from clustering.gravity import calibrate, estimate_flows
from clustering.gravity_settings import BY_DISTANCE_TAUS, GravitySettings
from clustering.need import Need
from clustering.need_inputs import (
    Reader,
    baseline_of_study,
    figures_of_study,
    need_of_study,
    strangers,
)
from clustering.plan import Plan, plan_from_frame, plan_table
from clustering.problem import SECONDARY_PHASES, Bond, Problem, build_problem
from clustering.provision_inputs import (
    Provision,
    minutes_to,
    provision_of,
    srp_places,
    srp_reach,
    srps_open,
)
from clustering.rules import asks_for_budget
from clustering.study import Study
from clustering.together import ties
from geo.areas import Areas, read_areas, read_land
from geo.errors import (
    Fault,
    Faults,
    InputError,
    PersonalDataError,
    SchoolsError,
    StudyError,
    did_you_mean,
    short_path,
)
from geo.matrix import read_matrix
from geo.placing import Placing, place, place_by_column
from geo.road_minutes import road_minutes
from geo.road_routes import Ways
from geo.road_search import Progress
from geo.roads import Roads, hull_of, live_roads, read_roads
from geo.schools import Schools, read_schools
from geo.sheets import read_sheet
from geo.speeds import read_speeds
from geo.symbols import parse_numbers
from geo.travel import Crossing, Minutes, straight_line

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Inputs:
    """Everything a study reads, checked, and the problem it makes."""

    study: Study
    schools: Schools
    table: pd.DataFrame
    """The schools table with the column `area`."""
    areas: Areas | None
    placing: Placing
    minutes: Minutes
    ways: Ways | None
    """The roads behind the minutes, where they were made from roads."""
    need: Need
    feeders: Feeders
    existing_table: pd.DataFrame | None
    problem: Problem
    notes: tuple[str, ...]
    notional: pd.Series | None = None
    """Notional SEN of schools in pounds, by URN, where the study's figures have it."""
    baseline: pd.DataFrame | None = None
    """What schools had before, by URN: `baseline` in pounds, perhaps `baseline_pupils`."""
    provision: Provision | None = None
    """Provisions, demand and settings, where the study has `[provision]`."""

    @cached_property
    def existing(self) -> Plan | None:
        """Today's clusters as a plan, with the nearest school as hub where none is named."""
        if self.existing_table is None:
            return None
        plan = plan_from_frame(self.existing_table, self.problem)
        return replace(plan, teller=lambda after: change(after, plan, self.problem))

    @property
    def existing_labels(self) -> dict[str, str]:
        """Label of today's cluster of each school, also of schools that now opt out."""
        if self.existing_table is None:
            return {}
        named = self.existing_table["cluster"].str.strip()
        return {u: c for u, c in zip(self.existing_table["urn"], named, strict=True) if c}


class _Doors:
    """Opens one door after another and keeps the faults, so that all are told at once."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.first: type[InputError] | None = None

    def open(self, door: Callable[[], T]) -> T | None:
        try:
            return door()
        except InputError as error:
            self.faults += error.faults
            self.first = self.first or type(error)
            return None

    def check(self) -> None:
        if self.first:
            raise self.first(self.faults)


def load_inputs(study: Study, *, progress: Progress | None = None) -> Inputs:
    """Read every file of a study and build its problem.

    `progress(done, of)` is called while minutes over roads are searched. Raises an `InputError`
    with all faults that were found; a door that depends on another is only opened when that one
    stood open.
    """
    doors = _Doors()
    config = study.config
    schools = doors.open(lambda: _schools(study))
    areas = doors.open(lambda: _areas(study))
    doors.check()
    assert schools is not None
    file = Path(config.schools.file).name
    placing = doors.open(lambda: _place(study, schools, areas, file))
    existing = doors.open(lambda: _existing(study, schools))
    counted = doors.open(lambda: _feeders(study, schools))
    provision = doors.open(lambda: _provision(study, schools, placing, areas))
    urns, former = schools.table.index, schools.replaced
    figures = doors.open(lambda: figures_of_study(study, urns, former, READER))
    figures = _with_register(figures, provision)
    baseline = doors.open(lambda: baseline_of_study(study, urns, former, READER))
    need = doors.open(lambda: _need(study, schools, figures))
    doors.open(lambda: _check_budget(study, schools))
    doors.open(lambda: _check_roll(study, schools))
    doors.check()
    assert placing is not None
    assert need is not None
    table = schools.table.assign(area=placing.area)
    doors.open(lambda: _check_rules(study, table))
    travel = doors.open(lambda: _minutes(study, table, areas, progress))
    doors.check()
    assert travel is not None
    minutes, ways = travel
    feeders = doors.open(lambda: _estimated(study, table, minutes, counted))
    doors.check()
    assert feeders is not None
    reached = doors.open(lambda: _reach(study, table, areas, minutes, ways, provision))
    worth, told = doors.open(lambda: _worth(study, table, need)) or (float("nan"), ())
    doors.check()
    tied, dropped = _ties(study, table)
    problem = build_problem(
        table,
        minutes.table,
        need.units,
        rules=config.rules,
        goals=config.goals,
        feeders=feeders.links,
        small_feeders=feeders.small,
        existing=None if existing is None else existing.set_index("urn")["cluster"],
        ties=tied,
        sealed=_sealed(study, existing),
        feeders_estimated=feeders.estimated,
        pounds_a_unit=worth,
        reach=reached,
    )
    notes = (
        *(note.text for note in schools.notes),
        *(areas.notes if areas else ()),
        *placing.notes,
        *minutes.notes,
        *need.notes,
        *feeders.notes,
        *(provision.register.notes if provision else ()),
        *(provision.demand.notes if provision and provision.demand else ()),
        *dropped,
        *problem.notes,
        *told,
        *strangers("row of figures", figures, table),
        *strangers("baseline", baseline, table),
    )
    notional = (
        figures["notional_sen"] if figures is not None and "notional_sen" in figures else None
    )
    return Inputs(
        study,
        schools,
        table,
        areas,
        placing,
        minutes,
        ways,
        need,
        feeders,
        existing,
        problem,
        notes,
        notional,
        baseline,
        provision,
    )


def _schools(study: Study) -> Schools:
    own = study.config.schools
    return read_schools(
        study.resolve(own.file),
        la=own.la,
        census=[study.resolve(name) for name in own.census],
        links=study.resolve(own.links) if own.links else None,
        twins=own.twins,
        successors=own.successors,
        exclude=own.exclude,
        fix=own.fix,
    )


def _areas(study: Study) -> Areas | None:
    own = study.config.areas
    if not own.file:
        return None
    return read_areas(
        study.resolve(own.file),
        name_field=own.name_field,
        code_field=own.code_field,
        layer=own.layer,
    )


def _place(study: Study, schools: Schools, areas: Areas | None, file: str) -> Placing:
    if areas is not None:
        return place(schools.table, areas, file=file)
    return place_by_column(schools.table, str(study.config.areas.column), file=file)


def _check_roll(study: Study, schools: Schools) -> None:
    """Ask what to do with schools without a roll, unless the study says it."""
    if study.config.schools.no_roll != "ask":
        return
    faults = Faults(SchoolsError, Path(study.config.schools.file).name)
    for urn, school in schools.table[schools.table["pupils"].isna()].iterrows():
        faults.add(
            "has no roll, so its need and budget are not known.",
            f"Give the planned roll in [schools.fix.{urn}] pupils = …, or leave the school out "
            f'with exclude, or count it as a school without pupils: [schools] no_roll = "count".',
            row=int(school["row"]),
            urn=str(urn),
            name=str(school["name"]),
        )
    faults.raise_if_any()


def _provision(
    study: Study, schools: Schools, placing: Placing | None, areas: Areas | None
) -> Provision | None:
    """Read what `[provision]` names, once the schools have their areas."""
    if placing is None:
        return None
    return provision_of(study, schools, placing.area, areas, READER)


def _reach(
    study: Study,
    table: pd.DataFrame,
    areas: Areas | None,
    made: Minutes,
    ways: Ways | None,
    provision: Provision | None,
) -> pd.DataFrame | None:
    """Return minutes from each school to the nearest SRP of each type; None without provision."""
    if provision is None:
        return None
    bases = srps_open(provision)
    here = bases["urn"].isin(table.index)
    found = [made.table[bases.loc[here, "urn"]].set_axis(bases.index[here], axis=1)]
    if not here.all():
        found.append(
            minutes_to(
                study,
                table[["name", "easting", "northing"]],
                bases.loc[~here, ["name", "easting", "northing"]],
                land=land_of(study, areas),
                crossings=crossings_of(study),
                ways=ways,
                urn_of=lambda label: str(bases.at[label, "urn"]),
            )
        )
    return srp_reach(provision, pd.concat(found, axis=1))


def _with_register(
    figures: pd.DataFrame | None, provision: Provision | None
) -> pd.DataFrame | None:
    """Let the register's places in SRPs go before those of the record, for the need formula.

    A file of figures by hand, [need] figures, goes before both.
    """
    places = srp_places(provision)
    if figures is None or places is None:
        return figures
    return figures.combine_first(places.dropna().to_frame())


def _existing(study: Study, schools: Schools) -> pd.DataFrame | None:
    own = study.config.existing
    if own is None:
        return None
    path = study.resolve(own.file)
    faults = Faults(StudyError, path.name)
    try:
        table = plan_table(path)
    except (UnicodeDecodeError, ValueError, KeyError, BadZipFile):
        faults.add("cannot be read as CSV in UTF-8.", "Save it as CSV UTF-8 or Excel workbook.")
        faults.raise_if_any()
    table.columns = [str(c).strip().lower() for c in table.columns]
    if not {"urn", "cluster"} <= set(table.columns):
        found = ", ".join(table.columns)
        faults.add(f"needs the columns urn and cluster; found {found}.")
        faults.raise_if_any()
    table["urn"] = table["urn"].str.strip().replace(schools.replaced)
    twice = table.loc[table["urn"].duplicated(), "urn"]
    for urn in sorted(set(twice)):
        faults.add("stands twice in today's clusters.", "Keep one row.", urn=urn)
    known = sorted(set(table["cluster"]) - {""})
    for name in own.locked:
        if name not in known:
            faults.add(
                f'[existing] locked names "{name}", which is none of today\'s clusters.',
                did_you_mean(name, known),
            )
    faults.raise_if_any()
    return table[table["urn"].isin(schools.table.index)].reset_index(drop=True)


def _sealed(study: Study, existing: pd.DataFrame | None) -> dict[str, list[str]]:
    """Return the schools of every one of today's clusters that the study locks."""
    if existing is None or study.config.existing is None:
        return {}
    return {
        name: existing.loc[existing["cluster"] == name, "urn"].tolist()
        for name in study.config.existing.locked
    }


def _feeders(study: Study, schools: Schools) -> Feeders | None:
    """Read the file of flows; `None` where the study names none."""
    own = study.config.feeders
    if not own.file:
        return None
    path = study.resolve(own.file)
    try:
        sheet = read_sheet(path, HEADINGS, remedy=REMEDY)
    except PersonalDataError:
        raise
    except SchoolsError as error:
        raise FlowsError(error.faults) from error
    return read_flows(
        sheet,
        schools.table,
        file=short_path(path),
        suppressed=own.suppressed,
        replaced=schools.replaced,
    )


def _estimated(
    study: Study, table: pd.DataFrame, made: Minutes, counted: Feeders | None
) -> Feeders:
    """Estimate the flows nobody counted, if the study wants that."""
    own = study.config.feeders
    if not own.estimate:
        return counted or no_feeders()
    minutes = made.table
    grows = made.pace is not None and made.pace.power < 1
    said = {name: value for name, value in own.model_dump().items() if value is not None}
    try:
        settings = GravitySettings.given({**(BY_DISTANCE_TAUS if grows else {}), **said})
    except ValueError as error:
        raise StudyError(Fault(f"[feeders] {error}.", "", study.path.name)) from error
    if counted is None:
        return estimate_flows(table, minutes, settings=settings)
    if own.tau_urban is None and own.tau_rural is None:
        settings = calibrate(counted, table, minutes, settings)
        told = f"{settings.tau_urban:g} minutes in town, {settings.tau_rural:g} in the country"
        note = f"The estimate is calibrated on the counted flows: tau is {told}."
        counted = replace(counted, notes=(*counted.notes, note))
    estimate = estimate_flows(table, minutes, settings=settings, known=counted)
    return filled(counted, estimate)


READER = Reader(read_sheet, parse_numbers)


def _need(study: Study, schools: Schools, figures: pd.DataFrame | None) -> Need:
    known = pd.DataFrame() if figures is None else figures
    return need_of_study(study, schools.table, known, schools.replaced, READER)


def _check_budget(study: Study, schools: Schools) -> None:
    """Refuse money fenced for a phase of which the study has no school."""
    own = study.config.budget
    phases = set(phase_group(schools.table["phase"]))
    faults = Faults(StudyError, study.path.name)
    for phase, part in ((own.ring_fence if own else None) or {}).items():
        if part > 0 and phase not in phases:
            faults.add(f"[budget] ring_fence keeps {part:.0%} for {phase} schools; there are none.")
    faults.raise_if_any()


def _worth(study: Study, table: pd.DataFrame, need: Need) -> tuple[float, tuple[str, ...]]:
    """Return what a need unit is worth to a smallest budget, and a note where one is asked for."""
    rules, budget = study.config.rules, study.config.budget
    faults = Faults(StudyError, study.path.name)
    for what, fix in smallest.faults(rules, budget):
        faults.add(what, fix)
    faults.raise_if_any()
    if budget is None or not asks_for_budget(rules):
        return float("nan"), ()
    inside = table.drop(index=[urn for urn in rules.opt_out if urn in table.index])
    clusters = smallest.most_clusters(rules, inside.groupby("area").size().to_dict())
    worth = smallest.pounds_a_unit(budget, clusters, need.units)
    if worth <= 0:
        faults.add(
            f"[rules] min_budget: with {clusters} clusters the pot pays no more than contingency "
            "and running costs.",
            "Give a larger pot, or fewer clusters: [rules] clusters = …",
        )
    faults.raise_if_any()
    return worth, (
        f"A smallest budget is kept by need: a unit is £{worth:,.2f} by formula with {clusters} "
        "clusters, the most that the rules allow, before protection.",
    )


def _minutes(
    study: Study, table: pd.DataFrame, areas: Areas | None, progress: Progress | None
) -> tuple[Minutes, Ways | None]:
    """Return the minutes, and the roads they were made from if they were."""
    own = study.config.travel
    if own.source == "matrix":
        path = study.resolve(str(own.file))
        return read_matrix(path, list(table.index), floor_minutes=own.floor_minutes), None
    land, crossings = land_of(study, areas), crossings_of(study)
    if own.source == "roads":
        ways = Ways(
            roads_of(study, table, areas, crossings),
            read_speeds(study.resolve(own.speeds) if own.speeds else None),
            own.peak,
            land,
        )
        return _over_roads(study, table, ways, progress), ways
    made = straight_line(
        table,
        land=land,
        crossings=crossings,
        detour=own.detour,
        kmh=own.kmh,
        floor_minutes=own.floor_minutes,
    )
    return made, None


def land_of(study: Study, areas: Areas | None) -> BaseGeometry | None:
    """Return the dry land that ways keep to (EPSG:27700); None where water is not minded."""
    if not study.config.travel.water:
        return None
    if study.config.areas.land:
        return read_land(study.resolve(study.config.areas.land))[0]
    return areas.land if areas is not None else None


def crossings_of(study: Study, shut: Collection[str] = ()) -> list[Crossing]:
    """Return the declared crossings, those named in `shut` closed."""
    return [
        Crossing(
            name=c.name,
            start=c.start,
            end=c.end,
            minutes=c.minutes,
            closed=c.closed or c.name in shut,
        )
        for c in study.config.travel.crossing
    ]


def roads_of(
    study: Study, table: pd.DataFrame, areas: Areas | None, crossings: list[Crossing]
) -> Roads:
    """Read or fetch the roads; they are kept in the cache the study names."""
    own = study.config.travel
    cache = study.resolve(own.cache) if own.cache else None
    if own.roads == ("live",):
        ground = areas.land if areas else hull_of(table[["easting", "northing"]].to_numpy(float))
        return live_roads(
            ground,
            mode=own.mode,
            ferries=own.ferries,
            tolls=own.tolls,
            crossings=crossings,
            cache=cache,
        )
    paths = [study.resolve(name) for name in own.roads]
    return read_roads(
        (paths[0], paths[1]) if len(paths) == 2 else paths[0],
        mode=own.mode,
        ferries=own.ferries,
        tolls=own.tolls,
        crossings=crossings,
        date=own.roads_date,
        cache=cache,
    )


def _over_roads(
    study: Study, table: pd.DataFrame, ways: Ways, progress: Progress | None
) -> Minutes:
    """Search the roads; minutes are kept in the cache the study names."""
    own = study.config.travel
    return road_minutes(
        table,
        ways.roads,
        speeds=ways.speeds,
        peak=ways.peak,
        floor_minutes=own.floor_minutes,
        land=ways.land,
        progress=progress,
        cache=study.resolve(own.cache) if own.cache else None,
    )


def _ties(study: Study, table: pd.DataFrame) -> tuple[list[Bond], list[str]]:
    """Return the pairs to keep together, and a note on each that a border forbids."""
    rules = study.config.rules
    tied, notes = [], []
    kinds = [(kind, pair) for kind in rules.keep_together for pair in ties(table, (kind,))]
    for kind, (a, b) in kinds:
        if rules.areas == "never" and table.at[a, "area"] != table.at[b, "area"]:
            notes.append(
                f"{table.at[a, 'name']} ({a}) and {table.at[b, 'name']} ({b}) would be kept "
                "together but stand in different areas."
            )
        else:
            tied.append(Bond((a, b), kind))
    return tied, notes


def _check_rules(study: Study, table: pd.DataFrame) -> None:
    """Check every URN and area that the rules name."""
    rules = study.config.rules
    faults = Faults(StudyError, study.path.name)
    areas = sorted(set(table["area"]))
    for name in sorted(rules.area):
        if name not in areas:
            faults.add(
                f'[rules.area."{name}"]: no school stands in an area of that name.',
                did_you_mean(name, areas) or f"Areas: {', '.join(areas)}.",
            )
        if rules.areas != "never" and rules.area[name].clusters is not None:
            faults.add(
                f'[rules.area."{name}"] clusters = … needs areas = "never": where clusters may '
                "cross a border, no area has a number of its own.",
                "Set clusters in [rules] for all areas together.",
            )
    named = {
        "opt_out": list(rules.opt_out),
        "together": [u for group in rules.together for u in group],
        "apart": [u for group in rules.apart for u in group],
        "pinned_hubs": list(rules.pinned_hubs),
        **{f'area."{a}".associates': list(own.associates) for a, own in rules.area.items()},
        **{f'cluster."{c}".contains': [own.contains] for c, own in rules.cluster.items()},
    }
    for name, own in sorted(rules.area.items()):
        for urn in own.associates:
            if urn not in table.index:
                continue
            school = table.loc[urn]
            selective = bool(school["selective"]) if school["selective"] is not pd.NA else False
            if school["phase"] not in SECONDARY_PHASES or selective:
                faults.add(
                    f'[rules.area."{name}"] associates: only a non-selective secondary can be '
                    "shared with a second cluster.",
                    "Name a secondary that any child can go to.",
                    urn=urn,
                    name=str(school["name"]),
                )
    for key, urns in named.items():
        for urn in urns:
            if key != "opt_out" and urn in rules.opt_out:
                faults.add(
                    f"[rules] {key} names it, and [rules] opt_out takes it out of every cluster.",
                    "Take it out of one of the two.",
                    urn=urn,
                    name=str(table["name"].get(urn, "")),
                )
            if urn not in table.index:
                faults.add(
                    f"[rules] {key} names {urn}, which is not a school of this study.",
                    "Check the URN; `clusters check` lists the schools set aside, and why.",
                    urn=urn,
                )
    faults.raise_if_any()
