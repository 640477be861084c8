"""The sample county with its scenarios, and a school whose name tries to be more than a name."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd

from clustering.inputs import load_inputs
from clustering.provision.scenario import read_scenario
from clustering.provision_desk import Review, review
from clustering.study import Study

DATA = Path(__file__).parents[1] / "data"
NASTY = '<script>alert(1)</script> & "Sons" Primary'
NASTY_URN = "900229"
SCENARIOS = ("bridge_shut", "close_and_open", "visiting_vision")


def provision_county(
    folder: Path,
    scenarios: tuple[str, ...] = SCENARIOS,
    *,
    backwards: bool = False,
    extra: str = "",
    without_demand: bool = False,
) -> Review:
    """Return the review of a copy of the sample county, written below `folder`.

    `backwards` turns the rows of every table round; `extra` stands at the end of the study.
    """
    sample = folder / "data" / "sample"
    shutil.copytree(DATA / "sample", sample, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    shutil.copytree(DATA / "boundaries", folder / "data" / "boundaries")
    for name in ("schools.csv", "srps.csv", "srp_history.csv", "lsoa.csv", "primary_need.csv"):
        table = pd.read_csv(sample / name, dtype=str, keep_default_na=False)
        if "name" in table:
            table.loc[table["urn"] == NASTY_URN, "name"] = NASTY
        (table[::-1] if backwards else table).to_csv(sample / name, index=False)
    study = sample / "study.toml"
    text = study.read_text(encoding="utf-8")
    if without_demand:
        start, end = text.index("[provision.demand]"), text.index("[map]")
        text = text[:start] + text[end:]
    study.write_text(f"{text}\n{extra}", encoding="utf-8")
    found = [read_scenario(sample / "scenarios" / f"{name}.toml") for name in scenarios]
    return review(load_inputs(Study.load(study)), *found)
