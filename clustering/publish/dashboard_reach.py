"""SRP reach on the dashboard: what part of children has one within the limits, as provision is.

No scenario is ever shown. Children who need a place are an estimate or the council's count; neither
their number nor the number of those out of reach is told.
"""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from clustering.inputs import Inputs
from clustering.provision.reach import Reach
from clustering.provision.settings import NEED_TYPES, PHASES
from clustering.provision.tables import ALL, reach_table
from clustering.provision_desk import review
from clustering.publish.consultation import AREA, COUNTY, Consultation
from clustering.publish.dashboard_charts import COUNTY_PAGE, Bar, Chart, Figure, Mark
from clustering.publish.disclosed import NOT_SHOWN

SRP = "srp"
PART = "reach"
FEWEST_CHILDREN = 10
"""Shares of fewer children than this are not told."""
COUNTED_STEP = 5
"""Shares of children who were counted, not estimated, are told to so many per cent."""


def reach_of(inputs: Inputs) -> Reach | None:
    """Return what children can reach today; None where the study does not say who needs a place."""
    if inputs.provision is None or inputs.provision.demand is None:
        return None
    return review(inputs).today.reach


def reach_charts(consultation: Consultation, found: Reach) -> Iterator[Chart]:
    """Yield the charts of reach: by district for the county, by need type for each district."""
    inputs = consultation.inputs
    assert inputs.provision is not None
    assert inputs.provision.demand is not None
    limits = inputs.provision.settings.limits
    told = _Told(consultation.settings.threshold, estimated=inputs.provision.demand.estimated)
    every, by_area = reach_table(found), reach_table(found, ["area"])
    areas = sorted(set(inputs.table["area"]))
    for phase in PHASES:
        first, last = (f"{limit:.0f} minutes" for limit in limits.of(phase))
        title = f"Children of {phase} age whose nearest SRP is within {first}"
        county = _rows(every, phase)
        if ALL not in county.index:
            continue
        mark = Mark("county", told.share(county.loc[ALL], "within_first"))
        bars = [Bar(AREA, area, told.pair(_rows(by_area, phase, area), ALL)) for area in areas] + [
            Bar(COUNTY, COUNTY, told.pair(county, ALL))
        ]
        heads = (f"Within {first}", f"Within {last}")
        yield Chart(COUNTY_PAGE, PART, PART, title, heads, tuple(bars), (mark,))
        for area in areas:
            own = _rows(by_area, phase, area)
            bars = [
                Bar("need type", words, (*told.pair(own, code), told.pair(county, code)[0]))
                for code, words in ((ALL, "all need types"), *NEED_TYPES.items())
                if code in own.index
            ]
            if bars:
                columns = (*heads, f"County, within {first}")
                yield Chart(area, PART, PART, title, columns, tuple(bars), (mark,))


def _rows(table: pd.DataFrame, phase: str, area: str | None = None) -> pd.DataFrame:
    """Return the rows of SRPs in a phase by need type."""
    own = table[(table["kind"] == SRP) & (table["phase"] == phase)]
    if area is not None:
        own = own[own["area"] == area]
    return own.set_index("need_type")


class _Told:
    """What may be told of a share of children."""

    def __init__(self, threshold: int, *, estimated: bool) -> None:
        self.threshold, self.estimated = threshold, estimated

    def pair(self, rows: pd.DataFrame, code: str) -> tuple[Figure, Figure]:
        """Return the shares within the first and the last limit, and no difference of few."""
        if code not in rows.index:
            return Figure(NOT_SHOWN), Figure(NOT_SHOWN)
        row = rows.loc[code]
        first, second = self.share(row, "within_first"), self.share(row, "within_second")
        between = float((row["within_second"] - row["within_first"]) * row["children"])
        # Half a child is the rounding of shares of whole children.
        if not self.estimated and 0.5 < between < self.threshold - 0.5:
            second = Figure(NOT_SHOWN)  # the few between both limits would follow from it
        return first, second

    def share(self, row: pd.Series, column: str) -> Figure:
        """Return a share in whole per cent; hidden where it, or its rest, is of few."""
        children, part = float(row["children"]), float(row[column])
        if not children >= FEWEST_CHILDREN:
            return Figure(NOT_SHOWN)
        if self.estimated:
            return Figure(f"{100 * part:.0f}%", round(100 * part))
        if min(part, 1 - part) * children < self.threshold:
            return Figure(NOT_SHOWN)
        per_cent = COUNTED_STEP * round(100 * part / COUNTED_STEP)
        return Figure(f"about {per_cent}%", per_cent)
