"""A consultation on the tiny county: today's clusters, two plans, SRPs, and a name with tags."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from clustering.inputs import load_inputs
from clustering.plan import plan_from_frame
from clustering.publish.build import consultation
from clustering.publish.consultation import Consultation
from clustering.study import Study
from tests.studies import County, county, shuffled

NASTY = '<script>alert(1)</script> & "Sons" School'
NASTY_URN = "910004"
MOVED = {"a": ("910006",), "b": ("910006", "910105")}
"""Schools that each option puts into the other cluster of their district."""
TEXT = """
[budget]
pot = 1_000_000

[provision]
file = "srps.csv"

[publish]
council = "Moorshire Council"
title = "Clusters of schools in Moorshire"
closes = "2027-03-03"
email = "clusters@moorshire.example"
post = "County Hall, Moorton"
intro = ["Schools are to work together in clusters."]
"""
SRPS = (
    "urn,name,phase,kind,need_types,places,on_roll,opened,closes\n"
    "910002,,secondary,resourced provision,ASD;SLCN,17,13,2014-09-01,\n"
    "910103,,primary,sen unit,HI,11,9,2014-09-01,\n"
)


def consultation_county(folder: Path, more: str = "", *, seed: int | None = None) -> Consultation:
    """Return the consultation, with its files written to `folder`; `seed` shuffles their rows."""
    return consult(whole_county(more), folder, seed=seed)


def whole_county(more: str = "") -> County:
    """Return the tables of the consultation; `more` are further lines of the study."""
    own = county()
    own.schools["postcode"] = [f"ZZ{1 + k // 6} {k % 3}AB" for k in range(24)]
    own.cell(NASTY_URN, "name", NASTY)
    own.texts["srps.csv"] = SRPS
    own.merge(TEXT)
    own.merge(more)
    return own


def consult(
    own: County, folder: Path, *, seed: int | None = None, only: Iterable[str] = MOVED
) -> Consultation:
    """Write a county and return the consultation on today's clusters and two plans."""
    existing = own.existing
    path = (own if seed is None else shuffled(own, seed)).write(folder)
    inputs = load_inputs(Study.load(path))
    plans = {}
    for key in only:
        table = pd.DataFrame(existing)
        turned = table["cluster"].replace(
            {f"Community {k}": f"Community {(2, 1, 4, 3)[k - 1]}" for k in (1, 2, 3, 4)}
        )
        table = table.assign(cluster=table["cluster"].where(~table["urn"].isin(MOVED[key]), turned))
        plans[key] = plan_from_frame(table, inputs.problem)
    return consultation(inputs, plans)
