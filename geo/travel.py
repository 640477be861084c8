"""Minutes between schools as a table labelled at both sides, whatever they were made from.

Here: the straight line that goes round water, for when there is no road network. A supplied table
is read in `geo.matrix`. The result says what it is, and every output repeats it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
import shapely
from shapely import STRtree
from shapely.geometry.base import BaseGeometry

from geo.errors import Faults, TravelError
from geo.pace import BY_DISTANCE, Kmh, Pace, over_crossings, pace_at
from geo.water import CREEK_METRES, Crossing, Ground, metres_off, ready_ground, ways

__all__ = [
    "Crossing",
    "Kind",
    "Minutes",
    "straight_between",
    "straight_line",
    "straightline_ratio",
]

Kind = Literal["straight_line", "matrix", "roads"]

OFF_LAND_METRES = 500.0
"""A school or the end of a crossing farther than this from land is a fault."""
DECIMALS = 1
"""Minutes are kept to a tenth: more is not known."""
FLOOR_MINUTES = 2.0
"""No journey between two schools is shorter: out of one gate and in at the other."""
LISTED = 10


@dataclass(frozen=True, eq=False)
class Minutes:
    """Minutes from each school (row) to each school (column).

    `table`: float DataFrame, urn × urn, both sorted alike; diagonal 0, nothing missing; it need not
    be symmetric. `source` is a sentence for every output, `kind` what it was made from, `notes`
    what was done on the way, `pace` minutes by length where they were made from a length.
    """

    table: pd.DataFrame
    source: str
    kind: Kind
    notes: tuple[str, ...] = ()
    pace: Pace | None = None


def straight_line(
    schools: pd.DataFrame,
    *,
    land: BaseGeometry | None = None,
    crossings: Sequence[Crossing] = (),
    detour: float = 1.3,
    kmh: Kmh = BY_DISTANCE,
    floor_minutes: float = FLOOR_MINUTES,
    creek_metres: float = CREEK_METRES,
) -> Minutes:
    """Estimate minutes as distance × `detour` at `kmh`, going round water where `land` is given.

    `schools`: index urn; columns name, easting, northing (EPSG:27700, metres). `land`: dry ground
    in EPSG:27700, best with the neighbours of the county, for ways never leave it; water narrower
    than `creek_metres` counts as bridged, wider water only where one of `crossings` is. `kmh` is
    one speed for all, or "by_distance": the speed grows with the length of the whole way, all its
    legs together, as `geo/straight.toml` says. Minutes are kept to 0.1, never below
    `floor_minutes`. A crossing's minutes are added in full; without any its own length counts as
    road, without detour. Raises TravelError naming schools that no way reaches.
    """
    schools = schools.sort_index()
    _check(schools, crossings, detour, kmh, floor_minutes)
    pace = pace_at(kmh)
    notes: list[str] = []
    if land is None or len(schools) < 2:
        places = schools[["easting", "northing"]].to_numpy(float)
        gaps = places[:, None, :] - places[None, :, :]
        minutes = pace.minutes(np.hypot(gaps[..., 0], gaps[..., 1]) * detour / 1000.0)
        line = "straight line"
        if land is None:
            notes.append("No land was given, so the straight line runs over water too.")
        if land is None and crossings:
            notes.append("The declared crossings were not used: without land there is no water.")
    else:
        minutes = _round_water(schools, land, crossings, creek_metres, detour, pace, notes)
        line = "straight line round water"
    if pace.note:
        notes.append(pace.note)
    table = as_table(np.maximum(minutes.round(DECIMALS), floor_minutes), schools.index.astype(str))
    source = f"{line} × {detour:g} {pace.words}; not road times"
    return Minutes(table, source, "straight_line", tuple(notes), pace)


def as_table(minutes: np.ndarray, urns: pd.Index) -> pd.DataFrame:
    """Label a square array of minutes with URNs at both sides and set its diagonal to 0."""
    minutes = minutes.copy()
    np.fill_diagonal(minutes, 0.0)
    return pd.DataFrame(
        minutes, index=pd.Index(urns, name="from_urn"), columns=pd.Index(urns, name="to_urn")
    )


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: `1 school`, `2 schools`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def straightline_ratio(
    minutes: Minutes,
    schools: pd.DataFrame,
    *,
    above: float = 2.0,
    kmh: Kmh | None = None,
    beyond_km: float = 1.0,
) -> pd.DataFrame:
    """List the pairs whose journey is more than `above` times the straight line, worst first.

    The ratio is the road driven in those minutes at `kmh` over straight kilometres (both ways
    averaged); without `kmh` at the table's own pace, or 40 km/h where it has none. Pairs nearer
    than `beyond_km` are left out, as a floor of minutes says nothing about the way. Columns:
    from_urn, from_name, to_urn, to_name, km, minutes, ratio. `schools` as in `straight_line`.
    """
    pace = pace_at(kmh) if kmh is not None else minutes.pace or pace_at(40.0)
    schools = schools.loc[minutes.table.index]
    places = schools[["easting", "northing"]].to_numpy(float)
    i, j = np.triu_indices(len(schools), 1)
    km = np.hypot(*(places[i] - places[j]).T) / 1000.0
    both = minutes.table.to_numpy(float)
    mean = (both[i, j] + both[j, i]) / 2
    ratio = np.divide(pace.road_km(mean), km, out=np.zeros_like(km), where=km > beyond_km)
    chosen = np.flatnonzero(ratio > above)
    chosen = chosen[np.argsort(-ratio[chosen], kind="stable")]
    i, j = i[chosen], j[chosen]
    names = schools["name"].to_numpy()
    return pd.DataFrame(
        {
            "from_urn": schools.index[i],
            "from_name": names[i],
            "to_urn": schools.index[j],
            "to_name": names[j],
            "km": km[chosen].round(1),
            "minutes": mean[chosen].round(DECIMALS),
            "ratio": ratio[chosen].round(2),
        }
    )


def _check(
    schools: pd.DataFrame,
    crossings: Sequence[Crossing],
    detour: float,
    kmh: Kmh,
    floor_minutes: float,
) -> None:
    """Fault numbers that cannot be right, all at once."""
    tray = Faults(TravelError)
    if not (np.isfinite(detour) and detour >= 1):
        tray.add(f"The detour factor is {detour:g}; a road is never shorter than a straight line.")
    good = kmh == BY_DISTANCE if isinstance(kmh, str) else np.isfinite(kmh) and kmh > 0
    if not good:
        tray.add(f"The speed is {kmh} km/h.", 'Give a speed above 0, such as 40, or "by_distance".')
    if not (np.isfinite(floor_minutes) and floor_minutes >= 0):
        tray.add(f"The shortest journey is {floor_minutes:g} minutes.", "Give 0 or more.")
    spots = schools[["easting", "northing"]].to_numpy(float)
    for urn, name in schools.loc[~np.isfinite(spots).all(axis=1), "name"].items():
        tray.add(
            "The school has no coordinates.",
            f"Mend it in [schools.fix.{urn}] or leave it out with exclude.",
            urn=str(urn),
            name=str(name),
        )
    for crossing in crossings:
        if not np.isfinite([*crossing.start, *crossing.end]).all():
            tray.add(f'The crossing "{crossing.name}" lacks a coordinate.')
        if crossing.minutes is not None and not 0 <= crossing.minutes < np.inf:
            tray.add(f'The crossing "{crossing.name}" takes {crossing.minutes:g} minutes.')
    tray.raise_if_any()


def _round_water(
    schools: pd.DataFrame,
    land: BaseGeometry,
    crossings: Sequence[Crossing],
    creek_metres: float,
    detour: float,
    pace: Pace,
    notes: list[str],
) -> np.ndarray:
    """Return minutes between all schools over land and crossings; fault what lies off it."""
    spots = schools[["easting", "northing"]].to_numpy(float)
    minutes, ground = over_land(schools, land, crossings, creek_metres, detour, pace)
    if np.isinf(minutes).any():
        _cut_off(schools, spots, np.isfinite(minutes), ground, crossings)
    notes.append("Ways keep to the land given and never leave it, not even over an inland border.")
    if creek_metres > 0:
        notes.append(f"Water narrower than {creek_metres:g} m counts as bridged everywhere.")
    used = [c.name for c in crossings if not c.closed]
    if used:
        notes.append(f"Declared crossings: {', '.join(sorted(used))}.")
    shut = [c.name for c in crossings if c.closed]
    if shut:
        notes.append(f"Declared closed, so not used: {', '.join(sorted(shut))}.")
    off = int((metres_off(ground, spots) > 0).sum())
    if off:
        notes.append(
            f"{counted(off, 'school')} just off the simplified shore: the way begins there."
        )
    return minutes


def over_land(
    places: pd.DataFrame,
    land: BaseGeometry,
    crossings: Sequence[Crossing],
    creek_metres: float,
    detour: float,
    pace: Pace,
) -> tuple[np.ndarray, Ground]:
    """Return minutes between all places over land and open crossings, inf = no way, and the ground.

    `places`: index label; name, easting, northing (EPSG:27700). Raises TravelError for places and
    ends of crossings that stand in the sea.
    """
    spots = places[["easting", "northing"]].to_numpy(float)
    ends = np.array([end for c in crossings for end in (c.start, c.end)]).reshape(-1, 2)
    _check_ashore(places, land, spots, crossings, ends)
    ground = ready_ground(land, np.vstack([spots, ends]), creek_metres=creek_metres)
    timed = [c for c in crossings if c.minutes is not None and not c.closed]
    stops = np.array([end for c in timed for end in (c.start, c.end)]).reshape(-1, 2)
    untimed = [c for c in crossings if c.minutes is None and not c.closed]
    metres = ways(ground, np.vstack([spots, stops]), untimed, detour=detour)
    declared = [float(c.minutes) for c in timed if c.minutes is not None]
    return over_crossings(metres / 1000.0, declared, pace), ground


def straight_between(
    starts: pd.DataFrame,
    ends: pd.DataFrame,
    *,
    land: BaseGeometry | None = None,
    crossings: Sequence[Crossing] = (),
    detour: float = 1.3,
    kmh: Kmh = BY_DISTANCE,
    floor_minutes: float = FLOOR_MINUTES,
) -> pd.DataFrame:
    """Estimate minutes from any places to any places: rows `starts`, columns `ends`, to a tenth.

    As `straight_line`, but a place that no way reaches is an answer (NaN), as when a bridge is
    closed. Both tables: index label; name, easting, northing (EPSG:27700).
    """
    both = pd.concat([starts, ends])
    _check(both, crossings, detour, kmh, floor_minutes)
    pace = pace_at(kmh)
    if land is None:
        one, other = (t[["easting", "northing"]].to_numpy(float) for t in (starts, ends))
        gaps = one[:, None, :] - other[None, :, :]
        minutes = pace.minutes(np.hypot(gaps[..., 0], gaps[..., 1]) * detour / 1000.0)
    else:
        every, _ = over_land(both, land, crossings, CREEK_METRES, detour, pace)
        minutes = every[: len(starts), len(starts) :]
    minutes = np.where(
        np.isinf(minutes), np.nan, np.maximum(minutes.round(DECIMALS), floor_minutes)
    )
    return pd.DataFrame(minutes, index=starts.index, columns=ends.index)


def _check_ashore(
    schools: pd.DataFrame,
    land: BaseGeometry,
    spots: np.ndarray,
    crossings: Sequence[Crossing],
    ends: np.ndarray,
) -> None:
    """Fault schools and ends of crossings that stand in the sea."""
    tray = Faults(TravelError)
    if land.is_empty:
        tray.add("The land layer is empty.")
        tray.raise_if_any()
    metres = shapely.distance(land, shapely.points(spots))
    for place in np.flatnonzero(metres > OFF_LAND_METRES):
        urn = str(schools.index[place])
        tray.add(
            f"The school stands {metres[place] / 1000:.1f} km off the land.",
            f"Mend it in [schools.fix.{urn}], or give a land layer that holds it.",
            urn=urn,
            name=str(schools["name"].iloc[place]),
        )
    off = shapely.distance(land, shapely.points(ends))
    for number in np.flatnonzero(off > OFF_LAND_METRES):
        which = "end" if number % 2 else "start"
        tray.add(
            f'The {which} of the crossing "{crossings[int(number) // 2].name}" stands '
            f"{off[number] / 1000:.1f} km off the land.",
            "Give easting and northing of a point on the shore, in metres.",
        )
    tray.raise_if_any()


def _cut_off(
    schools: pd.DataFrame,
    spots: np.ndarray,
    reached: np.ndarray,
    ground: Ground,
    crossings: Sequence[Crossing],
) -> None:
    """Raise TravelError: which schools no way reaches, and the crossing that would mend it."""
    tray = Faults(TravelError)
    first = reached.argmax(axis=1)  # the first school of each connected group
    main = int(np.bincount(first).argmax())
    parts = shapely.get_parts(ground.land)
    tree = STRtree(parts)
    part_of = tree.query_nearest(shapely.points(spots), all_matches=False)[1]
    for group in np.unique(first[first != main]):
        inside = first == group
        here = shapely.union_all(parts[np.unique(part_of[inside])])
        mainland = shapely.union_all(parts[np.unique(part_of[first == main])])
        start, end = shapely.get_coordinates(shapely.shortest_line(here, mainland)).round()
        names = [f"{n} ({urn})" for urn, n in schools.loc[inside, "name"].items()]
        shut = [
            f'"{c.name}" is declared closed. '
            for c in crossings
            if c.closed and here.distance(shapely.MultiPoint([c.start, c.end])) < OFF_LAND_METRES
        ]
        more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
        tray.add(
            f"Water cuts {counted(len(names), 'school')} off from the rest: "
            f"{', '.join(names[:LISTED])}{more}. {''.join(shut)}".rstrip(),
            "Declare the bridge, tunnel or ferry that leads there, for instance where the water is "
            "narrowest:\n[[travel.crossing]]\n"
            'name = "name of the bridge"\n'
            f"start = [{start[0]:.0f}, {start[1]:.0f}]\n"
            f"end = [{end[0]:.0f}, {end[1]:.0f}]",
        )
    tray.raise_if_any()
