"""A consultation on the tiny county: two options, today's clusters, and hostile names.

No solver runs: option A is today's clusters with two schools exchanged, option B with two more, so
that a pack is at hand in a second.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from clustering.inputs import Inputs, load_inputs
from clustering.publish.build import consultation, read_plans
from clustering.publish.consultation import Consultation
from clustering.study import Study
from tests.studies import County, county

NASTY = "<script>alert(1)</script> & Sons’ School"
WORDS = """
[publish]
council = "Moorshire Council"
intro = ["We propose new clusters of schools.", "Less than 5 < 6 & more."]
opens = "2027-03-01"
closes = "2027-04-30"
email = "send.views+2027@moorshire.example"
post = "Freepost MOORSHIRE VIEWS"
phone = "01632 960 000"
questions = ["Which option do you prefer, and why?", "Is 100% of what you need in a cluster?"]
fixed = ["The sum for the county."]
may_change = ["Which school is in which cluster."]
accessibility = ["We will read it to you at any library."]
[[publish.rejected]]
name = "One cluster for each secondary"
why = "Some would have had two primaries."
[budget]
pot = 1200000
"""
SWAPS = (("910001", "910012"), ("910102", "910111"))
"""Pairs of primaries of one district that stand in different communities."""


def pack_county() -> County:
    """Return the county with a `[publish]` and a school of a hostile name."""
    whole = county()
    whole.merge(WORDS)
    whole.cell("910003", "name", NASTY)
    return whole


def write_pack_county(folder: Path, whole: County | None = None) -> tuple[Path, tuple[Path, Path]]:
    """Write study and two plans; return their paths."""
    whole = whole or pack_county()
    path = whole.write(folder)
    table = whole.existing.set_index("urn")["cluster"]
    plans = []
    for number, name in enumerate(("near", "nearer"), start=1):
        mine = table.copy()
        for one, other in SWAPS[:number]:
            mine[one], mine[other] = mine[other], mine[one]
        plans.append(folder / f"{name}.csv")
        mine.reset_index().to_csv(plans[-1], index=False, encoding="utf-8", lineterminator="\n")
    return path, (plans[0], plans[1])


@cache
def pack_inputs() -> tuple[Inputs, Consultation]:
    """Return the inputs of the county and the consultation on its two options."""
    with TemporaryDirectory() as folder:
        return consult(Path(folder))


def consult(folder: Path, whole: County | None = None) -> tuple[Inputs, Consultation]:
    """Write a county into a folder and return its inputs and the consultation."""
    study, plans = write_pack_county(folder, whole)
    inputs = load_inputs(Study.load(study))
    return inputs, consultation(inputs, read_plans(inputs, plans))
