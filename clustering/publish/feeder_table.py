"""Which school feeds which, and what a plan splits: `feeders.csv`."""

from __future__ import annotations

import numpy as np
import pandas as pd

from clustering.inputs import Inputs
from clustering.opting import FEW
from clustering.plan import Plan
from clustering.publish.plan_map import feeder_links
from clustering.report import Report

FEEDERS = "feeders.csv"
SUPPRESSED = "c"
"""Stands for fewer than five pupils a year, who could be told apart."""


def feeder_table(inputs: Inputs, plan: Plan, report: Report) -> pd.DataFrame:
    """Return a row a link: who leaves where, who joins where, pupils a year, kept or split.

    Columns: `from_urn, from_school, from_cluster, to_urn, to_school, to_cluster, pupils, flow,
    principal, in_plan`. `pupils` is text: a mean a year, or `SUPPRESSED`. `flow` is "counted" or
    "estimated"; `principal` is "yes" for the link to the school of the study that most leavers of a
    school join (of equal ones to the lowest URN). No part of all leavers is told, from which small
    counts could be worked out. `in_plan` is "kept", "split", "opted out", or "" for leavers to no
    school of the study (`to_urn` OUT, IND, SPEC, UNK or another URN).
    """
    links = feeder_links(inputs, plan, report)
    told = links["kept"].map({True: "kept", False: "split"}).mask(links["opted_out"], "opted out")
    both = [links.assign(in_plan=told), inputs.feeders.elsewhere.assign(in_plan="")]
    table = pd.concat([part for part in both if len(part)] or both[:1])
    names, home = inputs.table["name"], dict(plan.cluster_of)
    found = pd.DataFrame({"from_urn": table["from_urn"], "to_urn": table["to_urn"]})
    for end in ("from", "to"):
        found[f"{end}_school"] = found[f"{end}_urn"].map(names).fillna("")
        found[f"{end}_cluster"] = [home.get(urn, "") for urn in found[f"{end}_urn"]]
    found["pupils"] = [SUPPRESSED if p < FEW else f"{p:.1f}" for p in table["pupils"]]
    found["flow"] = ["estimated" if e else "counted" for e in table["estimated"]]
    inside = table[table["to_urn"].isin(inputs.table.index)]
    most = inside.sort_values(["pupils", "to_urn"], ascending=[False, True], kind="stable")
    first = most.drop_duplicates("from_urn").set_index(["from_urn", "to_urn"]).index
    ends = pd.MultiIndex.from_frame(table[["from_urn", "to_urn"]])
    found["principal"] = np.where(ends.isin(first), "yes", "")
    found["in_plan"] = table["in_plan"]
    order = [f"{end}_{what}" for end in ("from", "to") for what in ("urn", "school", "cluster")]
    found = found[[*order, "pupils", "flow", "principal", "in_plan"]]
    return found.sort_values(["from_urn", "to_urn"]).reset_index(drop=True)
