"""How long a way takes by its length: at one speed throughout, or faster the farther it goes."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

import numpy as np

__all__ = ["BY_DISTANCE", "Kmh", "Pace", "over_crossings", "pace_at"]

BY_DISTANCE: Literal["by_distance"] = "by_distance"
Kmh = float | Literal["by_distance"]
_FIRST_KM, _STEP = 0.01, 1.1
"""Tangents touch the law here and then every tenth farther: at most 0.02 % above it, and below the
first less than a second."""


@dataclass(frozen=True)
class Pace:
    """Minutes of a way = `minutes_at_1_km` × road kilometres ** `power`.

    `power` 1 is one speed throughout; below 1 the speed grows with the length of the whole way.
    Either way a longer way never takes less time, and two halves never less than the whole.
    `words` say it in a sentence about a source; `note` says where it comes from, if not from the
    study.
    """

    minutes_at_1_km: float
    power: float
    words: str
    note: str = ""

    def minutes(self, road_km: np.ndarray) -> np.ndarray:
        """Return minutes of ways of so many kilometres by road (inf stays inf)."""
        return np.asarray(self.minutes_at_1_km * road_km**self.power)

    def road_km(self, minutes: np.ndarray) -> np.ndarray:
        """Return the kilometres by road that are driven in so many minutes."""
        return np.asarray((minutes / self.minutes_at_1_km) ** (1.0 / self.power))

    def tangents(self, longest_km: float) -> Iterator[tuple[float, float]]:
        """Yield pairs of minutes to set off and per kilometre; up to that length their least is it.

        The law bends downwards, so it is the least of its tangents; one speed is its own tangent.
        """
        if self.power == 1:
            yield 0.0, self.minutes_at_1_km
            return
        for k in range(1 + int(np.ceil(np.log(longest_km / _FIRST_KM) / np.log(_STEP)))):
            km = _FIRST_KM * _STEP**k
            there = self.minutes_at_1_km * km**self.power
            yield there * (1 - self.power), there * self.power / km


def pace_at(kmh: Kmh) -> Pace:
    """Return the pace of one speed, or the dated one of `geo/straight.toml` for "by_distance"."""
    return _by_distance() if isinstance(kmh, str) else Pace(60.0 / kmh, 1.0, f"at {kmh:g} km/h")


@cache
def _by_distance() -> Pace:
    law = tomllib.loads(files("geo").joinpath("straight.toml").read_text(encoding="utf-8"))
    return Pace(
        # The file speaks of straight kilometres under the usual detour.
        law["minutes_at_1_km"] / law["detour"] ** law["power"],
        law["power"],
        f"at a speed that grows with distance ({law['date']})",
        f"Speed by distance: {law['evidence']}.",
    )


def over_crossings(road_km: np.ndarray, declared: Sequence[float], pace: Pace) -> np.ndarray:
    """Return the least minutes between places by road and over crossings with declared minutes.

    `road_km`: (n + 2k, n + 2k), symmetric, between n places and then start and end of each of k
    crossings, inf = no road. `declared`: (k,) minutes. Minutes of a way = pace of all its road
    together + declared minutes of the crossings it takes, in full. (n, n), inf = no way.

    With a pace that depends on the whole way the shortest way is not the sum of its legs; under one
    tangent it is. The least over tangents of the shortest ways is the shortest way under the law
    (a concave function is the least of its tangents, and least of least may change places).
    """
    n = len(road_km) - 2 * len(declared)
    minutes = pace.minutes(road_km[:n, :n])
    if not len(declared):
        return minutes
    known = road_km[np.isfinite(road_km)].max()
    starts = n + 2 * np.arange(len(declared))
    for set_off, per_km in pace.tangents(max(known * (1 + len(declared)), 1.0)):
        legs = road_km * per_km
        legs[starts, starts + 1] = np.minimum(legs[starts, starts + 1], declared)
        legs[starts + 1, starts] = legs[starts, starts + 1]
        hops = legs[n:, n:]
        for end in range(len(hops)):  # Floyd and Warshall: any crossings, one after another
            hops = np.minimum(hops, hops[:, end, None] + hops[end])
        for end in range(len(hops)):
            arrived = (legs[:n, n:] + hops[end]).min(axis=1)
            np.minimum(minutes, set_off + arrived[:, None] + legs[n + end, :n], out=minutes)
    # Sums in opposite order differ in the last digit; a distance has no direction.
    return np.minimum(minutes, minutes.T)
