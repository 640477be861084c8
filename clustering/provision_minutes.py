"""Minutes from the places of demand, and from provisions, to all provisions of all scenarios."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd

from clustering.inputs import Inputs, crossings_of, land_of, roads_of
from clustering.provision_inputs import Provision, minutes_to
from geo.errors import Fault, StudyError
from geo.road_routes import Ways


class ProvisionMinutes:
    """Driving minutes from points and provisions to all provisions, for each set of shut ways.

    Raises `StudyError` where two scenarios put a provision of one label at different places.
    """

    def __init__(
        self,
        inputs: Inputs,
        provision: Provision,
        registers: list[pd.DataFrame],
        tell: Callable[[str], None],
    ) -> None:
        self.inputs, self.tell = inputs, tell
        tables = [provision.register.table, *registers]
        ends = pd.concat(tables)[["name", "easting", "northing", "urn"]]
        spots = ends.drop_duplicates(["urn", "easting", "northing"])
        for label in spots.index[spots.index.duplicated()].unique():
            what = f"two scenarios put {label} at different places."
            fix = "Give them the same easting and northing, or look at one at a time."
            raise StudyError(Fault(what, fix, inputs.study.path.name))
        self.ends = ends[~ends.index.duplicated()].sort_index()
        points = provision.demand.points if provision.demand else self.ends.iloc[:0]
        self.points = points
        self.known: dict[tuple[str, ...], pd.DataFrame] = {}

    def over(self, shut: Sequence[str]) -> pd.DataFrame:
        """Return minutes with these crossings closed, rows points and provisions."""
        key = tuple(sorted(shut))
        if key not in self.known:
            self.tell("Minutes to provisions" + (f", {', '.join(key)} closed" if key else ""))
            self.known[key] = self._searched(key)
        return self.known[key]

    def _searched(self, shut: tuple[str, ...]) -> pd.DataFrame:
        inputs, study = self.inputs, self.inputs.study
        # Provisions of one site (a scenario's continues at it) are searched once.
        spot = self.ends.groupby(["easting", "northing"], sort=False).ngroup()
        sites = self.ends[~spot.duplicated()]
        starts = pd.concat(
            [
                self.points.rename(index="point:{}".format),
                sites.rename(index="site:{}".format),
            ]
        )[["name", "easting", "northing"]]
        if study.config.travel.source == "matrix":
            starts = starts.set_axis([*self.points.index, *sites["urn"]])
        ways = inputs.ways
        crossings = crossings_of(study, shut)
        if ways is not None and shut:
            ways = Ways(
                roads_of(study, inputs.table, inputs.areas, crossings),
                ways.speeds,
                ways.peak,
                ways.land,
            )
        urn_of = self.ends["urn"].to_dict()
        found = minutes_to(
            study,
            starts,
            sites,
            land=land_of(study, inputs.areas),
            crossings=crossings,
            ways=ways,
            urn_of=lambda label: str(urn_of[label]),
        )
        # Back to every provision, those that share a site included.
        first = dict(zip(spot[~spot.duplicated()], range(len(sites)), strict=True))
        at = [first[group] for group in spot]
        values = found.to_numpy(float)[:, at]
        n = len(self.points)
        rows = pd.concat(
            [
                pd.DataFrame(values[:n], index=self.points.index, columns=self.ends.index),
                pd.DataFrame(values[n:][at], index=self.ends.index, columns=self.ends.index),
            ]
        )
        # Children counted at a school that has a provision: point and provision are one place.
        return rows[~rows.index.duplicated()]
