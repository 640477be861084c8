"""Writes the invented county of Sandmere: `python data/sample/generate.py` rewrites every file.

The same seed gives the same bytes. `--to FOLDER` writes a second copy (FOLDER/sample,
FOLDER/boundaries) and leaves the project's own files alone.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from figures import make_schools
from flows import make_existing, make_flows
from ground import CODES, PLACES, Crossing, Ground, make_ground, metres, to_degrees
from names import FIELDS
from outcomes import FIELDS as OUTCOME_FIELDS
from outcomes import make_outcomes
from people import Row
from provision import HISTORY_FIELDS, RATE_FIELDS, make_history, make_rates, scenario_texts
from shapely.geometry import Point, mapping
from shapely.geometry.base import BaseGeometry

HERE = Path(__file__).resolve().parent
SEED = 20260907
SRP_FIELDS = (
    *("urn", "name", "phase", "kind", "need_types", "places", "on_roll"),
    *("opened", "closes", "sex", "notes"),
)
LSOA_FIELDS = (
    *("lsoa", "easting", "northing", "area"),
    *("idaci_score", "idaci_decile", "children_0_15"),
)
STUDY = """\
# {headline}
# Paths are relative to this file. Every key is explained in the README of this folder.
name = "{name}"
title = "Sandmere: proposed clusters"

[schools]
file = "schools.csv"
exclude = {{}}                # URN = "reason": a school left out by decision, not by rule

[areas]
file = "../boundaries/sandmere_districts.geojson"

[travel]
source = "straight_line"    # goes round water; no road network is needed for the sample
detour = 1.3                # road length divided by straight length
kmh = 40.0                  # leave out for a speed that grows with distance
floor_minutes = 2.0         # neighbours on one site still need a moment
{crossings}
[feeders]
file = "flows.csv"

[existing]
file = "existing.csv"

[rules]
schools = [8, 14]
secondaries = 1             # non-selective ones; grammar schools are extra members
primaries = 4
areas = "never"             # no cluster crosses a district border
max_minutes_to_hub = 45
connected = true
need_tolerance = 0.20       # of the district's mean need per cluster
keep_together = ["infant_junior", "same_site"]
clusters = "free"
{override}
[goals]
minutes = 1.0
feeders = 1.0
balance = 0.7
crossing = 10.0
change = 0.0
cluster = 30.0

[budget]
pot = 4_000_000             # pounds a year for all clusters together

[provision]
file = "srps.csv"           # the council's own list goes before the schools' record
history = "srp_history.csv"
not_by_srp = ["SEMH"]       # no SRPs for this need, by decision of the council

[provision.demand]
rates = "primary_need.csv"  # nobody counted them where they live: an estimate
places = "lsoa.csv"
year = 2026
growth = {{ ASD = 0.03, SLCN = 0.01 }}
# Which part of the children with a need should have a place: the council's own assumption.
share = {{ ASD = 0.10, SLCN = 0.025, HI = 0.22, VI = 0.12, PD = 0.06, MLD = 0.01 }}

[map]
roads = "../boundaries/sandmere_main_roads.geojson"
places = "../boundaries/sandmere_places.geojson"
banner = "EXAMPLE: Sandmere is an invented county"

# What the council says in its consultation; shown on the pages as it stands.
[publish]
council = "Sandmere Council (an invented council)"
title = "Working together for children with special educational needs"
intro = [
    "We propose to put the schools of Sandmere into clusters.",
    "A cluster shares money for children with special educational needs and decides on its use.",
    "Today's clusters grew by chance: some are large, some small, some cross a district border.",
    "We ask you which arrangement is better.",
]
opens = 2027-01-11
closes = 2027-03-05
email = "clusters@sandmere.example"
post = "Clusters, Sandmere Council, ZZ1 1ZZ"
questions = [
    "Which option do you think is best, and why?",
    "Is there a school that should be in another cluster? Please say which, and why.",
    "How should a cluster work with parents and carers?",
]
fixed = [
    "How much money there is for all clusters together.",
    "How large a cluster may be, and that there is a secondary in each.",
    "No cluster crosses the border of a district.",
]
may_change = [
    "Which school is in which cluster.",
    "Where a cluster meets.",
    "When the clusters begin.",
]
outcomes = "outcomes.csv"

[[publish.rejected]]
name = "One cluster for each district"
why = "Clusters of 29 to 52 schools are too large for their schools to know one another."

[[publish.rejected]]
name = "Leave the clusters as they are"
why = "Some have no secondary, so nobody can plan for children who move on to one."

# What each file is, for the foot of the map. The first entry that fits a file counts.
[[sources]]
file = "*.csv"
what = "Schools, flows and today's clusters of the invented county of Sandmere"
date = "2026"
licence = "MIT, part of this project"

[[sources]]
file = "*.geojson"
what = "Districts, roads and places of the invented county of Sandmere"
date = "2026"
licence = "MIT, part of this project"
"""
OVERRIDE = """
# 29 schools need three clusters of at most 14, but Highwold has secondaries for two.
[rules.area."Highwold"]
schools = [8, 15]
"""


def write_rows(path: Path, fields: Sequence[str], rows: Iterable[Row]) -> None:
    """A CSV in utf-8 with LF line ends on every system."""
    with path.open("w", encoding="utf-8", newline="") as handle:
        table = csv.DictWriter(handle, fields, extrasaction="ignore", lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


def write_text(path: Path, text: str) -> None:
    """Text in utf-8 with LF line ends on every system."""
    path.write_bytes(text.encode("utf-8"))


def write_layer(path: Path, features: list[tuple[dict[str, Any], BaseGeometry]]) -> None:
    """GeoJSON in degrees (EPSG:4326), one feature per line."""
    lines = [
        json.dumps({"type": "Feature", "properties": p, "geometry": mapping(to_degrees(shape))})
        for p, shape in features
    ]
    body = ",\n".join(lines)
    name = json.dumps(path.stem)
    write_text(path, f'{{"type": "FeatureCollection", "name": {name}, "features": [\n{body}\n]}}\n')


def crossing_text(crossings: Iterable[Crossing]) -> str:
    """The bridges as TOML."""
    return "".join(
        f'\n[[travel.crossing]]\nname = "{c.name}"\nstart = [{c.start[0]}, {c.start[1]}]\n'
        f"end = [{c.end[0]}, {c.end[1]}]\nminutes = {c.minutes}\n"
        for c in crossings
    )


def write_boundaries(folder: Path, ground: Ground) -> None:
    """Districts, main roads and place names."""
    write_layer(
        folder / "sandmere_districts.geojson",
        [({"LAD25CD": CODES[n], "LAD25NM": n}, shape) for n, shape in ground.districts.items()],
    )
    write_layer(
        folder / "sandmere_main_roads.geojson",
        [({"name": name}, line) for name, line in ground.roads.items()],
    )
    write_layer(
        folder / "sandmere_places.geojson",
        [({"name": p.name, "kind": p.kind}, Point(metres([(p.x, p.y)])[0])) for p in PLACES],
    )


def generate(root: Path) -> None:
    """Write every file of the sample under `root` (sample/ and boundaries/)."""
    sample, boundaries = root / "sample", root / "boundaries"
    for folder in (sample, boundaries):
        folder.mkdir(parents=True, exist_ok=True)
    # One stream per subject: a change to the schools leaves the coast as it is. The fourth was
    # chosen among several because its blobs have every fault one meets in today's clusters.
    coast, people, moves, blobs, needs, outcomes = (
        np.random.default_rng([SEED, i]) for i in (0, 1, 2, 14, 3, 4)
    )
    ground = make_ground(coast)
    rows, srps, lsoas = make_schools(ground, people)
    write_boundaries(boundaries, ground)
    write_rows(sample / "schools.csv", FIELDS, rows)
    write_rows(
        sample / "flows.csv",
        ("from_urn", "to_urn", "year", "pupils", "kind", "source"),
        make_flows(ground, rows, moves),
    )
    write_rows(sample / "existing.csv", ("urn", "cluster"), make_existing(rows, blobs))
    write_rows(
        sample / "srps.csv",
        SRP_FIELDS,
        sorted(({**s, "urn": s["school"]["urn"]} for s in srps), key=lambda s: s["urn"]),
    )
    for row in lsoas:
        row["easting"], row["northing"] = (round(float(v)) for v in row["at"])
    write_rows(
        sample / "lsoa.csv",
        LSOA_FIELDS,
        lsoas,
    )
    write_rows(sample / "primary_need.csv", RATE_FIELDS, make_rates(rows, needs))
    write_rows(sample / "srp_history.csv", HISTORY_FIELDS, make_history(srps, needs))
    write_rows(sample / "outcomes.csv", OUTCOME_FIELDS, make_outcomes(rows, outcomes))
    (sample / "scenarios").mkdir(exist_ok=True)
    for name, text in scenario_texts(rows, srps).items():
        write_text(sample / "scenarios" / f"{name}.toml", text)
    bridges = crossing_text(ground.crossings)
    for file, name, headline, override in (
        (
            "study.toml",
            "sandmere",
            "One question: clusters of 8 to 14; Highwold may go to 15.",
            OVERRIDE,
        ),
        (
            "study_brief.toml",
            "sandmere_brief",
            "The rules as first given: no plan can keep them all.",
            "",
        ),
    ):
        text = STUDY.format(name=name, headline=headline, crossings=bridges, override=override)
        write_text(sample / file, text)


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and write the files."""
    reader = argparse.ArgumentParser(description="Write the invented county of Sandmere.")
    reader.add_argument("--to", type=Path, default=HERE.parent, help="folder (default: data)")
    generate(reader.parse_args(arguments).to)


if __name__ == "__main__":
    main()
