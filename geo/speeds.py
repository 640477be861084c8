"""How fast each class of road is driven or walked: one editable, dated table and one factor."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np

from geo.errors import Faults, TravelError, did_you_mean
from geo.roads import Roads

NUMBERS = ("factor", "signed_share", "junction_seconds", "access_kmh", "walk_kmh")
TEXTS = ("date", "source", "evidence")


@dataclass(frozen=True)
class Speeds:
    """Speeds in km/h by road class, and what else makes minutes of metres.

    `factor` multiplies all driving minutes and is backed by `evidence`. `signed_share`: a road with
    a limit is driven at this share of it; its class only speaks where no limit is signed.
    `junction_seconds` are lost wherever three or more streets meet; walkers lose none.
    `access_kmh`: from gate to road.
    """

    drive: tuple[tuple[str, float], ...]
    factor: float
    signed_share: float
    junction_seconds: float
    access_kmh: float
    walk_kmh: float
    date: str
    source: str
    evidence: str

    @property
    def digest(self) -> str:
        """Ten hex digits over every number."""
        numbers = (self.drive, *(getattr(self, key) for key in NUMBERS))
        return hashlib.sha256(repr(numbers).encode()).hexdigest()[:10]

    def gate_kmh(self, roads: Roads) -> float:
        """Speed between a gate and the road, km/h."""
        return self.access_kmh if roads.mode == "drive" else self.walk_kmh

    def kmh(self, roads: Roads) -> np.ndarray:
        """Speed on every street of a network, km/h; (streets,)."""
        if roads.mode == "walk":
            kmh = np.full(len(roads.a), self.walk_kmh)
        else:
            known = dict(self.drive)
            of_class = np.array([known.get(name, known["road"]) for name in roads.classes])
            kmh = of_class[roads.road_class]
            signed = roads.signed_kmh * self.signed_share
            kmh = np.where(np.isnan(signed), kmh, signed)
        # The minutes of a declared crossing were given, not guessed.
        if "crossing" in roads.classes:
            given = roads.road_class == roads.classes.index("crossing")
            kmh = np.where(given, roads.signed_kmh, kmh)
        return np.asarray(kmh, dtype=float)

    def minutes(self, roads: Roads, peak: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
        """Return minutes along every street (streets,), and minutes lost at every node (n,).

        `peak` multiplies both; walking knows neither peak nor factor.
        """
        along = roads.metres / self.kmh(roads) * 0.06
        if roads.mode == "walk":
            return along, np.zeros(len(roads.xy))
        slow = self.factor * peak
        if "crossing" in roads.classes:
            given = roads.road_class == roads.classes.index("crossing")
            slow_streets = np.where(given, 1.0, slow)
        else:
            slow_streets = np.full(len(along), slow)
        return along * slow_streets, roads.junction * (self.junction_seconds / 60.0 * slow)


def read_speeds(path: Path | str | None = None) -> Speeds:
    """Read a table of speeds; without a path the one that comes with the project.

    Raises TravelError naming every key that is missing, unknown or no positive number.
    """
    text = (
        files("geo").joinpath("speeds.toml").read_text(encoding="utf-8")
        if path is None
        else Path(path).read_text(encoding="utf-8-sig")
    )
    tray = Faults(TravelError, Path(path or "speeds.toml").name)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        tray.add(f"is not valid TOML: {error}.")
        tray.raise_if_any()
    known = (*NUMBERS, *TEXTS, "drive")
    for key in sorted(set(data) - set(known)):
        tray.add(f'unknown key "{key}".', did_you_mean(key, known))
    for key in sorted(set(known) - set(data)):
        tray.add(f'the key "{key}" is missing.')
    drive = data.get("drive", {})
    if "road" not in drive:
        tray.add("[drive] needs `road`, the speed of a road without a class.")
    for key, value in {**{k: data.get(k, 1) for k in NUMBERS}, **drive}.items():
        low = 0 if key == "junction_seconds" else 1e-6
        if isinstance(value, bool) or not isinstance(value, int | float) or not value >= low:
            tray.add(f"{key} = {value!r} is not a number above 0.")
    tray.raise_if_any()
    numbers = {key: float(data[key]) for key in NUMBERS}
    return Speeds(
        drive=tuple(sorted((str(k), float(v)) for k, v in drive.items())),
        factor=numbers["factor"],
        signed_share=numbers["signed_share"],
        junction_seconds=numbers["junction_seconds"],
        access_kmh=numbers["access_kmh"],
        walk_kmh=numbers["walk_kmh"],
        date=str(data["date"]),
        source=str(data["source"]),
        evidence=str(data["evidence"]),
    )
