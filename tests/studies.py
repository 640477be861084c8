"""A tiny invented county on two square districts, written to a folder so that tests can break it.

Twelve schools stand in each of Westmoor and Eastmoor: three secondaries and nine primaries, on a
grid of three kilometres that is shaken a little so that no two journeys are equal. Nothing in it
exists.
"""

from __future__ import annotations

import copy
import json
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from clustering.__main__ import main
from clustering.solve import explain, whole

LEFT, BOTTOM, SIDE = 500_000, 200_000, 12_000
MIDDLE = BOTTOM + SIDE / 2
DISTRICTS = ("Eastmoor", "Westmoor")
KMH, DETOUR, FLOOR = 40.0, 1.3, 2.0
SECONDARY_AT = (1, 6, 8)
"""Places on the grid of a district, of 12, at which a secondary stands."""
TREES = (
    *("Alder", "Birch", "Cedar", "Damson", "Elder", "Fir", "Gorse", "Hazel", "Ivy", "Juniper"),
    *("Kelp", "Larch"),
)


@dataclass
class County:
    """Tables and study of an invented county; a test changes one thing and writes it."""

    schools: pd.DataFrame
    flows: pd.DataFrame
    existing: pd.DataFrame
    areas: gpd.GeoDataFrame
    study: dict[str, Any]
    texts: dict[str, str | bytes] = field(default_factory=dict)
    """Files written as they stand, in place of a table, by name."""

    def write(self, folder: Path) -> Path:
        """Write all files into a folder and return the path of the study."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, table in (
            ("schools.csv", self.schools),
            ("flows.csv", self.flows),
            ("existing.csv", self.existing),
        ):
            table.to_csv(folder / name, index=False, encoding="utf-8", lineterminator="\n")
        self.areas.to_file(folder / "areas.geojson", driver="GeoJSON", engine="pyogrio")
        path = folder / "study.toml"
        path.write_text(toml(self.study), encoding="utf-8", newline="\n")
        for name, text in self.texts.items():
            data = text.encode() if isinstance(text, str) else text
            (folder / name).write_bytes(data)
        return path

    def cell(self, urn: str, column: str, value: object) -> None:
        """Change one cell of the schools table."""
        if column not in self.schools:
            self.schools[column] = ""
        self.schools[column] = self.schools[column].astype(object)
        self.schools.loc[self.schools["urn"] == urn, column] = value

    def merge(self, lines: str) -> None:
        """Merge lines for the study file into the study, as a planner would."""
        _merge(self.study, tomllib.loads(lines))


def county() -> County:
    """Return the county as it should be: every rule can be kept."""
    schools = pd.DataFrame([row for d in (0, 1) for row in _district(d)])
    boxes = [
        shapely.box(LEFT + d * SIDE, BOTTOM, LEFT + (d + 1) * SIDE, BOTTOM + SIDE) for d in (1, 0)
    ]
    areas = gpd.GeoDataFrame({"name": DISTRICTS}, geometry=boxes, crs=27700).to_crs(4326)
    existing = pd.DataFrame(
        {
            "urn": schools["urn"],
            "cluster": [
                f"Community {1 + (n > MIDDLE) + 2 * (d == 'Eastmoor')}"
                for n, d in zip(schools["northing"], schools["district"], strict=True)
            ],
        }
    )
    return County(schools, _flows(schools), existing, areas, _study())


def _district(d: int) -> Iterator[dict[str, object]]:
    shake = np.random.default_rng(11 + d).integers(-400, 400, (12, 2))
    for k in range(12):
        secondary = k in SECONDARY_AT
        pupils = (900 if secondary else 210) + 10 * ((7 * k + 3 * d) % 12)
        name = f"{('West', 'East')[d]} {TREES[k]} {'Academy' if secondary else 'Primary School'}"
        yield {
            "urn": str(910001 + 100 * d + k),
            "name": name,
            "la_code": "999",
            "la": "Moorshire",
            "phase": "secondary" if secondary else "primary",
            "low_age": 11 if secondary else 4,
            "high_age": 16 if secondary else 11,
            "selective": "no" if secondary else "",
            "district": ("Westmoor", "Eastmoor")[d],
            "easting": LEFT + d * SIDE + 1500 + 3000 * (k % 4) + int(shake[k, 0]),
            "northing": BOTTOM + 2000 + 4000 * (k // 4) + int(shake[k, 1]),
            "pupils": pupils,
            "ehc_plans": 6 + k % 3 + 20 * secondary,
            "sen_support": pupils // 8,
            "fsm6": pupils // 5 + k,
        }


def _flows(schools: pd.DataFrame) -> pd.DataFrame:
    rows = []
    secondary = schools[schools["phase"] == "secondary"]
    for _, s in schools[schools["phase"] == "primary"].iterrows():
        away = np.hypot(secondary["easting"] - s["easting"], secondary["northing"] - s["northing"])
        near = list(secondary.loc[away.nsmallest(3).index, "urn"])
        rows += [(s["urn"], to, 2031, n) for to, n in zip(near, ("17", "8", "c"), strict=True)]
        rows.append((s["urn"], "OUT", 2031, "3"))
    return pd.DataFrame(rows, columns=["from_urn", "to_urn", "year", "pupils"])


def _study() -> dict[str, Any]:
    return {
        "name": "moorshire",
        "title": "Moorshire: an invented county",
        "schools": {"file": "schools.csv"},
        "areas": {"file": "areas.geojson"},
        "travel": {
            "source": "straight_line",
            "detour": DETOUR,
            "kmh": KMH,
            "floor_minutes": FLOOR,
        },
        "feeders": {"file": "flows.csv"},
        "existing": {"file": "existing.csv"},
        "rules": {
            "schools": [4, 7],
            "secondaries": 1,
            "primaries": 2,
            "areas": "never",
            "max_minutes_to_hub": 45,
            "need_tolerance": 0.5,
        },
        "goals": {"minutes": 1.0, "feeders": 1.0, "balance": 0.7, "cluster": 30.0},
        "solve": {"effort": "quick"},
    }


def too_few_secondaries() -> County:
    """Return the county with one secondary left in Westmoor, which then needs two clusters."""
    broken = county()
    for urn in ("910007", "910009"):
        broken.cell(urn, "phase", "primary")
        broken.cell(urn, "low_age", 4)
        broken.cell(urn, "high_age", 11)
        broken.cell(urn, "selective", "")
        broken.cell(urn, "pupils", 240)
        broken.cell(urn, "ehc_plans", 7)
        broken.cell(urn, "sen_support", 30)
        broken.cell(urn, "fsm6", 48)
    broken.flows = _flows(broken.schools)
    return broken


def shuffled(whole: County, seed: int) -> County:
    """Return the county with the rows of every file in another order."""
    other = copy.deepcopy(whole)
    other.schools = other.schools.sample(frac=1, random_state=seed)
    other.flows = other.flows.sample(frac=1, random_state=seed + 1)
    other.existing = other.existing.sample(frac=1, random_state=seed + 2)
    other.areas = other.areas.iloc[::-1]
    return other


def clusters(*arguments: object) -> int:
    """Run the command line in this process and return its exit status."""
    before = sys.argv
    sys.argv = ["clusters", *map(str, arguments)]
    try:
        main()
    except SystemExit as stop:
        return int(stop.code or 0)
    finally:
        sys.argv = before
    return 0


def hurry(monkeypatch: pytest.MonkeyPatch, moves: int = 15_000) -> None:
    """Let the quick effort be content with few moves: a tiny county needs no more."""
    quick = replace(whole.EFFORTS["quick"], moves=moves)
    monkeypatch.setitem(whole.EFFORTS, "quick", quick)
    monkeypatch.setattr(explain, "QUICK", quick)


def toml(study: Mapping[str, Any]) -> str:
    """Return a study as TOML; texts, numbers, lists and tables within tables."""
    return "\n".join(_lines(study, ())) + "\n"


def _lines(table: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    inner = {k: v for k, v in table.items() if isinstance(v, Mapping)}
    arrays = {k: v for k, v in table.items() if _is_array(v)}
    if path:
        yield f"[{'.'.join(map(json.dumps, path))}]"
    for key, value in table.items():
        if key not in inner and key not in arrays:
            yield f"{json.dumps(key)} = {json.dumps(value, ensure_ascii=False)}"
    for key, value in inner.items():
        yield from _lines(value, (*path, key))
    for key, value in arrays.items():
        for entry in value:
            yield f"[[{'.'.join(map(json.dumps, (*path, key)))}]]"
            yield from (f"{json.dumps(k)} = {json.dumps(v)}" for k, v in entry.items())


def _is_array(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(v, Mapping) for v in value)


def _merge(into: dict[str, Any], new: Mapping[str, Any]) -> None:
    for key, value in new.items():
        if isinstance(value, Mapping) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = dict(value) if isinstance(value, Mapping) else value
