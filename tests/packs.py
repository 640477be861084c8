"""A pack of the tiny county: two options, today's clusters, awkward names and small numbers."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pandas as pd

from clustering.inputs import Inputs, load_inputs
from clustering.publish.build import consultation, read_plans
from clustering.publish.consultation import Consultation
from clustering.study import Study
from tests.studies import County, county

SCRIPT = "<script>alert(1)</script> Primary"
FORMULA = '=HYPERLINK("https://example.org") Primary'
PUBLISH = """
[budget]
pot = 400_000

[provision]
file = "srps.csv"

[publish]
council = "Moorshire Council"
opens = "2031-02-01"
closes = "2031-04-30"
email = "clusters@example.org"
"""
SRPS = (
    "urn,kind,phase,need_types,places,on_roll\n"
    "910003,srp,primary,ASD,8,3\n910102,srp,secondary,SLCN,12,2\n"
)


def pack_county() -> County:
    """Return the tiny county with awkward names, small numbers, money and two SRPs."""
    found = county()
    found.cell("910003", "name", SCRIPT)
    found.cell("910004", "name", FORMULA)
    for k, urn in enumerate(found.schools["urn"]):
        found.cell(urn, "postcode", f"MR{k % 4 + 1} {k % 7 + 1}AB")
    for urn, plans in (("910001", 2), ("910005", 0), ("910101", 1), ("910104", 3)):
        found.cell(urn, "ehc_plans", plans)
    found.texts["srps.csv"] = SRPS
    found.merge(PUBLISH)
    return found


def moved(found: County, **to: str) -> pd.DataFrame:
    """Return today's clusters with schools moved: `moved(county, u910001="Community 2")`."""
    table = found.existing.copy()
    for urn, label in to.items():
        table.loc[table["urn"] == urn.removeprefix("u"), "cluster"] = label
    return table


def write_pack(folder: Path, found: County | None = None) -> tuple[Path, list[Path]]:
    """Write the study and two plans, "near" and "far"; return their paths."""
    found = found or pack_county()
    study = found.write(folder)
    plans = {
        "near": moved(found, u910001="Community 2"),
        "far": moved(found, u910001="Community 2", u910101="Community 4", u910104="Community 4"),
    }
    for name, table in plans.items():
        (folder / name).mkdir()
        table.to_csv(folder / name / "plan.csv", index=False, lineterminator="\n")
    return study, [folder / name for name in plans]


def told(folder: Path, found: County | None = None) -> Consultation:
    """Return the consultation of a study written into a folder."""
    study, plans = write_pack(folder, found)
    inputs = inputs_of(study)
    return consultation(inputs, read_plans(inputs, plans))


def inputs_of(study: Path) -> Inputs:
    """Return what a study names."""
    return load_inputs(Study.load(study))


def reseal(pack: Path) -> None:
    """Give a pack that was tampered with a manifest that fits, as a clever forger would."""
    path = pack / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    for entry in manifest["files"]:
        data = (pack / entry["file"]).read_bytes()
        entry |= {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    path.write_text(json.dumps(manifest), encoding="utf-8")
