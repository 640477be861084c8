"""Where a school stands: published eastings and northings, or degrees, to metres once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from pyproj import Transformer

REMEDY = "Give its place in [schools.fix.{urn}] easting and northing, or leave it out with exclude."
# The National Grid ends at 700 km east and 1,300 km north.
_EAST, _NORTH = 700_000.0, 1_300_000.0
_LATITUDES, _LONGITUDES = (49.0, 61.0), (-9.0, 2.2)
_DISAGREE_METRES = 250.0
_FAR_METRES = 100_000.0


@dataclass(frozen=True)
class Places:
    """Position of every row, EPSG:27700 metres, NaN where there is none; Series share one index.

    `problem` str, what is wrong with a row's place ("" where nothing is); `apart` float, metres
    between the published grid reference and the published degrees, NaN where not both are given.
    """

    easting: pd.Series
    northing: pd.Series
    problem: pd.Series
    apart: pd.Series


def locate(easting: pd.Series, northing: pd.Series, lat: pd.Series, lon: pd.Series) -> Places:
    """Find a place in metres for every row and say what is wrong where there is none.

    Eastings and northings in metres, EPSG:27700; `lat` and `lon` in degrees, EPSG:4326; floats,
    NaN where missing. Metres go before degrees. 0 is a missing coordinate, never a place.
    """
    index = easting.index
    given = easting.notna() & northing.notna() & (easting != 0) & (northing != 0)
    degrees = given & (easting.abs() <= 180) & (northing.abs() <= 180)
    outside = given & ~degrees & ~(easting.between(0, _EAST) & northing.between(0, _NORTH))
    spoken = lat.notna() & lon.notna() & ~((lat == 0) & (lon == 0))
    sound = spoken & lat.between(*_LATITUDES) & lon.between(*_LONGITUDES)
    swapped = spoken & lat.between(*_LONGITUDES) & lon.between(*_LATITUDES)
    metres = spoken & ((lat.abs() > 90) | (lon.abs() > 180))
    use = sound & ~given

    problem = pd.Series("", index=index, dtype=str)
    problem[~given] = "It has no coordinates (blank or 0)."
    problem[~given & spoken & ~sound] = "Its latitude and longitude lie outside Great Britain."
    problem[~given & swapped] = "Latitude and longitude are in each other's columns."
    problem[~given & metres] = "Latitude and longitude hold metres; call them easting and northing."
    problem[use] = ""
    problem[outside] = "Its easting and northing lie outside the grid of Great Britain."
    problem[degrees] = "Easting and northing hold degrees; call them longitude and latitude."

    x, y = _metres(lat.where(sound), lon.where(sound))
    good = given & (problem == "")
    apart = pd.Series(np.hypot(x - easting, y - northing), index=index).where(good & sound)
    return Places(
        easting.where(good, x.where(use)), northing.where(good, y.where(use)), problem, apart
    )


def _metres(lat: pd.Series, lon: pd.Series) -> tuple[pd.Series, pd.Series]:
    x = pd.Series(np.nan, index=lat.index, dtype=float)
    y = x.copy()
    some = lat.notna() & lon.notna()
    if some.any():
        to_grid = Transformer.from_crs(4326, 27700, always_xy=True)
        x[some], y[some] = to_grid.transform(lon[some].to_numpy(), lat[some].to_numpy())
    return x, y


def disagreeing(places: Places, kept: pd.Series) -> pd.Index:
    """Return the rows whose grid reference and degrees lie more than 250 m apart."""
    return places.apart.index[kept & (places.apart > _DISAGREE_METRES)]


def strangers(table: pd.DataFrame, kept: pd.Series) -> tuple[pd.Index, pd.Index]:
    """Return rows over 100 km from the middle of their LA, and those that a swap would bring home.

    `table` holds la_code, easting and northing (EPSG:27700 metres). The middle is the median of
    the LA's own schools, so one misplaced school does not move it.
    """
    some = table[kept & table["easting"].notna()]
    nothing = table.index[:0]
    if some.empty:
        return nothing, nothing
    by_la = some.groupby("la_code")
    middle = by_la[["easting", "northing"]].transform("median")
    enough = by_la["easting"].transform("size") >= 5
    far = np.hypot(some["easting"] - middle["easting"], some["northing"] - middle["northing"])
    home = np.hypot(some["northing"] - middle["easting"], some["easting"] - middle["northing"])
    lost = enough & (far > _FAR_METRES)
    turned = lost & (home < _FAR_METRES / 2)
    return some.index[lost & ~turned], some.index[turned]
