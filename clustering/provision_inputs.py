"""Reads what `[provision]` names: sites, register, demand, earlier rolls; and minutes to them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy.spatial import cKDTree
from shapely.geometry.base import BaseGeometry

from clustering.need_files import LSOA_HEADINGS, URN_HEADINGS
from clustering.need_inputs import Reader
from clustering.provision.demand import (
    POINTS,
    ROWS,
    Demand,
    estimated_counts,
    needing_a_place,
    sent_home,
    unshared,
)
from clustering.provision.demand_files import read_counts, read_school_needs
from clustering.provision.demand_rates import read_places, read_rates
from clustering.provision.reach import admits_all, door_to_door
from clustering.provision.register import Register, for_type, reconcile, serves
from clustering.provision.register_files import read_council
from clustering.provision.register_record import from_census, from_record
from clustering.provision.settings import NEED_TYPES, PHASES, SERVES, ProvisionTable
from clustering.provision.viability import read_history
from clustering.study import Study
from geo.areas import NATIONAL_GRID, Areas
from geo.errors import Fault, StudyError, short_path
from geo.mainstream import ALTERNATIVE
from geo.matrix import read_rectangle
from geo.places import locate
from geo.road_minutes import minutes_between
from geo.road_routes import Ways
from geo.schools import Schools
from geo.travel import Crossing, straight_between


@dataclass(frozen=True, eq=False)
class Provision:
    """What `[provision]` of a study names, read and joined.

    `sites` every school at which a provision may stand (index urn), as in
    `clustering.provision.register_files`. `history` columns urn, year, on_roll, places.
    """

    settings: ProvisionTable
    sites: pd.DataFrame
    register: Register
    demand: Demand | None
    """None where the study says nothing of demand."""
    history: pd.DataFrame | None


def sites_of(schools: Schools, area: pd.Series, areas: Areas | None) -> pd.DataFrame:
    """Return mainstream schools, special schools and alternative provision in one table.

    `area` of the mainstream schools; the others are placed by their coordinates, or by the district
    of their record where there are no polygons; "" outside every area.
    """
    others = schools.others
    reason = schools.set_aside.set_index("urn")["reason"].reindex(others.index)
    setting = reason.eq(ALTERNATIVE).map({True: "alternative", False: "special"})
    mainstream = schools.table.assign(area=area, setting="mainstream")
    if others.empty:
        return mainstream
    where = _areas_of(others, areas) if areas is not None else others["district"].fillna("")
    return pd.concat([mainstream, others.assign(area=where, setting=setting)]).sort_index()


def _areas_of(places: pd.DataFrame, areas: Areas) -> pd.Series:
    """Return the area each place stands in, "" for none; places without coordinates are in none."""
    spots = gpd.GeoDataFrame(
        {"place": places.index},
        geometry=gpd.points_from_xy(places["easting"], places["northing"]),
        crs=NATIONAL_GRID,
    )
    found = spots[places["easting"].notna().to_numpy()].sjoin(
        areas.table[["geometry"]], predicate="within"
    )
    named = found.drop_duplicates("place").set_index("place")[areas.table.index.name or "area"]
    return named.reindex(places.index).fillna("").astype(str)


def provision_of(
    study: Study, schools: Schools, area: pd.Series, areas: Areas | None, reader: Reader
) -> Provision | None:
    """Read everything `[provision]` names; None where the study has no such table."""
    own = study.config.provision
    if own is None:
        return None
    sites = sites_of(schools, area, areas)
    register = _register(study, own, sites, schools, reader)
    history = None
    if own.history:
        sheet, file = reader.by_urn(study.resolve(own.history))
        history = read_history(sheet, reader.numbers, file=file)
    demand = _demand(study, own, schools, sites, register, areas, reader)
    return Provision(own, sites, register, demand, history)


def _register(
    study: Study, own: ProvisionTable, sites: pd.DataFrame, schools: Schools, reader: Reader
) -> Register:
    council = census = None
    if own.file:
        sheet, file = reader.by_urn(study.resolve(own.file))
        council = read_council(sheet, sites, reader.numbers, file=file, replaced=schools.replaced)
    if own.census:
        sheet, file = reader.by_urn(study.resolve(own.census))
        census = from_census(sheet, sites, reader.numbers, file=file)
    return reconcile(council, from_record(sites), census, count_unlisted=own.unlisted == "count")


def srp_places(provision: Provision | None) -> pd.Series | None:
    """Return the places in SRPs and SEN units of each mainstream school that are open now.

    As the register has it, in the autumn of the study's year: 0 where it has none, though the
    schools' record may; NaN where it does not say how many. None without a list of the council, as
    the record then speaks for itself.
    """
    if provision is None or provision.settings.file is None:
        return None
    table = provision.register.open_in(provision.settings.demand.year).table
    base = table[table["kind"].isin(["srp", "sen_unit"])]
    places = base.groupby("urn")["places"].sum(min_count=1)
    mainstream = provision.sites.index[provision.sites["setting"] == "mainstream"]
    none = ~mainstream.isin(base["urn"])
    return places.reindex(mainstream).mask(none, 0.0).rename("srp_places")


def _demand(
    study: Study,
    own: ProvisionTable,
    schools: Schools,
    sites: pd.DataFrame,
    register: Register,
    areas: Areas | None,
    reader: Reader,
) -> Demand | None:
    """Read or estimate the demand; None where the study names no file for it."""
    asked = own.demand
    if not (asked.file or asked.schools or asked.rates):
        return None
    notes: list[str] = []
    boys: dict[tuple[str, str], float] = {}
    mainstream = sites[sites["setting"] == "mainstream"]
    homes = _places(study, asked.places, mainstream, areas, reader) if asked.places else None
    known = {
        "suppressed": asked.suppressed,
        "replaced": schools.replaced,
    }
    if asked.file:
        sheet = reader.sheet(study.resolve(asked.file), (*URN_HEADINGS, *LSOA_HEADINGS))
        counts, told = read_counts(
            sheet,
            reader.numbers,
            file=short_path(study.resolve(asked.file)),
            schools=mainstream.index,
            places=() if homes is None else homes.index,
            **known,  # type: ignore[arg-type]
        )
        source = f"children counted by the council ({Path(asked.file).name})"
    elif asked.schools:
        sheet, file = reader.by_urn(study.resolve(asked.schools))
        counts, told = read_school_needs(
            sheet,
            reader.numbers,
            mainstream,
            file=file,
            **known,  # type: ignore[arg-type]
        )
        counts, moved = sent_home(counts, register, mainstream["area"], asked.year)
        told += moved
        source = "primary need by school (DfE), where pupils learn, not where they live"
    else:
        assert asked.rates is not None
        assert homes is not None
        path = study.resolve(asked.rates)
        sheet = reader.sheet(path, ("primaryneed", "needtype", "primary_need", "need_type"))
        rates, boys, told = read_rates(sheet, reader.numbers, file=short_path(path), la=asked.la)
        counts, moved = estimated_counts(rates, homes, asked.gradient)
        told += moved
        source = "estimated from the council's rates by need type, children and IDACI"
    notes += told
    _refuse_unshared(counts, own, study)
    rows, told = needing_a_place(counts, asked, own.not_by_srp)
    notes += told
    points = homes if homes is not None and set(rows["point"]) <= set(homes.index) else mainstream
    points = points.assign(idaci=points.get("idaci", np.nan))
    points = points.loc[sorted(set(rows["point"])), POINTS]
    return Demand(
        rows=rows[ROWS].reset_index(drop=True),
        points=points,
        source=source,
        year=asked.year,
        estimated=bool(asked.rates),
        growth=dict(asked.growth),
        boys=boys,
        notes=tuple(notes),
    )


def _refuse_unshared(counts: pd.DataFrame, own: ProvisionTable, study: Study) -> None:
    """Ask for the share of children who need a place, where the counts do not say it."""
    whole = bool((counts["kind"] == "").any())
    if not whole or any(own.demand.shares().values()):
        return
    types = [t for t in unshared(counts, own.demand) if t not in own.not_by_srp]
    lines = ", ".join(f"{code} = 0.05" for code in types[:3])
    raise StudyError(
        Fault(
            "[provision.demand] counts all children with a need type, and nothing says which part "
            "of them needs a place.",
            f"Give the council's planning assumption by type: share = {{ {lines} }}.",
            study.path.name,
        )
    )


def _places(
    study: Study, name: str, schools: pd.DataFrame, areas: Areas | None, reader: Reader
) -> pd.DataFrame:
    """Read neighbourhoods and place them: index LSOA; `POINTS` and children.

    Only those count that lie in an area with a school of the study.
    A code tells nobody where it is, so the nearest school is added to the name.
    """
    path = study.resolve(name)
    sheet = reader.sheet(path, LSOA_HEADINGS)
    table = read_places(sheet, reader.numbers, file=short_path(path))
    found = locate(table["easting"], table["northing"], table["latitude"], table["longitude"])
    bad = found.problem[found.problem != ""]
    if len(bad):
        more = f" and {len(bad) - 5} more" if len(bad) > 5 else ""
        raise StudyError(
            Fault(
                f"{len(bad)} neighbourhoods have no place: {', '.join(bad.index[:5])}{more}. "
                f"{bad.iloc[0]}",
                "Give easting and northing in metres, or latitude and longitude.",
                short_path(path),
            )
        )
    table = table.assign(easting=found.easting, northing=found.northing)
    spots = ["easting", "northing"]
    nearest = cKDTree(schools[spots].to_numpy(float)).query(table[spots].to_numpy(float))[1]
    table["name"] += ", near " + schools["name"].iloc[nearest].to_numpy()
    if areas is None:
        return table.assign(area="")[[*POINTS, "children"]]
    # A layer may hold the neighbours of the county too; their children are not its own.
    table = table.assign(area=_areas_of(table, areas))
    return table.loc[table["area"].isin(schools["area"]), [*POINTS, "children"]]


def minutes_to(
    study: Study,
    starts: pd.DataFrame,
    ends: pd.DataFrame,
    *,
    land: BaseGeometry | None,
    crossings: Sequence[Crossing],
    ways: Ways | None,
    urn_of: Callable[[str], str] = lambda label: label,
) -> pd.DataFrame:
    """Return driving minutes from places to places, rows `starts`, columns `ends`; NaN = no way.

    Both tables: index label; name, easting, northing. From the source that the study names; a
    supplied table is `[provision] minutes`, whose columns are URNs (`urn_of` a label).
    """
    travel = study.config.travel
    if travel.source == "matrix":
        own = study.config.provision
        if own is None or not own.minutes:
            raise StudyError(
                Fault(
                    "[travel] is a table of minutes between schools; provisions need one too.",
                    "Give [provision] minutes: from_urn (or LSOA), to_urn, minutes.",
                    study.path.name,
                )
            )
        urns = [urn_of(str(label)) for label in ends.index]
        # A school may be a place of demand and have two provisions; the table names it once.
        found = read_rectangle(
            study.resolve(own.minutes), dict.fromkeys(starts.index), dict.fromkeys(urns)
        )
        return found.loc[starts.index, urns].set_axis(ends.index, axis=1)
    if ways is not None:
        found = minutes_between(
            starts, ends, ways.roads, speeds=ways.speeds, peak=ways.peak, land=ways.land
        )
        return found.round(1).clip(lower=travel.floor_minutes)
    return straight_between(
        starts,
        ends,
        land=land,
        crossings=crossings,
        detour=travel.detour,
        kmh=travel.kmh,
        floor_minutes=travel.floor_minutes,
    )


def srps_open(provision: Provision) -> pd.DataFrame:
    """Return the SRPs and SEN units that are open in the study's year and take every child."""
    own = provision.settings
    table = provision.register.open_in(own.demand.year).table
    base = table[(table["kind"].map(SERVES) == "srp") & admits_all(table, own)]
    return base[~base["sex"].isin(["boys", "girls"])]


def srp_reach(provision: Provision, minutes: pd.DataFrame) -> pd.DataFrame:
    """Return door-to-door minutes from each school to the nearest SRP, by need type and phase.

    `minutes` driving, schools × `srps_open` by label, NaN = no way. Columns such as "ASD primary",
    only those of which there is an open SRP or SEN unit; the types that the council does not
    provide by SRP are left out. The table by which clusters are designed.
    """
    own, base = provision.settings, srps_open(provision)
    way = door_to_door(minutes, own)
    found = {}
    for code in NEED_TYPES:
        for phase in PHASES:
            fits = base.index[for_type(base, code) & serves(base, phase)]
            if len(fits) and code not in own.not_by_srp:
                found[f"{code} {phase}"] = way[fits].min(axis=1).round(1)
    return pd.DataFrame(found, index=minutes.index).replace(np.inf, np.nan)
