"""Makes a scenario's changes to the register: provisions end, begin and go on in another shape."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from clustering.provision.register import Register, joined, opens_by
from clustering.provision.scenario import Close, Merge, Open, Redesignate, Resize, Scenario
from clustering.provision.settings import AGES, PHASES, SERVES
from geo.errors import Faults, StudyError, did_you_mean

SCENARIO = "scenario"
"""The source of a provision that a scenario made."""
Change = Close | Resize | Redesignate | Merge | Open


@dataclass(frozen=True, eq=False)
class Changed:
    """The register under a scenario, and what the changes cost once.

    `register` holds provisions with the dates at which the scenario opens and closes them: take
    `register.open_in(year)`. `capital` columns year, provision, pounds (NaN = not known).
    """

    register: Register
    capital: pd.DataFrame
    told: tuple[str, ...]


def apply(
    scenario: Scenario,
    register: Register,
    sites: pd.DataFrame,
    first: int,
    place_cost: float | None,
    file: str = "",
) -> Changed:
    """Return the register under a scenario, `first` being the year of changes without one.

    Changes are made year by year, whatever the order of the lines; within a year provisions close,
    then change, open and merge. A changed provision ends on 31 August and goes on as another one,
    `LABEL→YEAR`, so that every year has its own state; later lines may call it by either label.
    Raises `StudyError` for a provision or school that is not there, for one that is closed already
    or does not open until later, and for a year before `first`.
    """
    desk = _Desk(register.table, sites, first, place_cost, Faults(StudyError, file))
    steps: list[tuple[Change, Callable[..., None]]] = [
        *((one, desk.close) for one in scenario.close),
        *((one, desk.resize) for one in scenario.resize),
        *((one, desk.redesignate) for one in scenario.redesignate),
        *((one, desk.open) for one in scenario.open),
        *((one, desk.merge) for one in scenario.merge),
    ]
    for asked, make in sorted(steps, key=lambda step: step[0].year or first):
        make(asked)
    for year in sorted({one.year for one in (*(s for s, _ in steps), *scenario.outreach)
                        if one.year is not None and one.year < first}):  # fmt: skip
        desk.tray.add(
            f"changes something in {year}, before the {first} of the study.",
            f"Give {first} or later, or change the list of provisions.",
        )
    for visits in scenario.outreach:
        types = ", ".join(visits.need_types)
        desk.told.append(
            f"Children with {types} are visited at their own schools from {visits.year or first}."
        )
    desk.tray.raise_if_any()
    capital = pd.DataFrame(desk.capital, columns=["year", "provision", "pounds"])
    table = desk.table.sort_index()
    return Changed(replace(register, table=table), capital, tuple(desk.told))


@dataclass
class _Desk:
    """Where a scenario's changes are made, one after another."""

    table: pd.DataFrame
    sites: pd.DataFrame
    first: int
    place_cost: float | None
    tray: Faults

    def __post_init__(self) -> None:
        self.table = self.table.copy()
        self.capital: list[tuple[int, str, float]] = []
        self.told: list[str] = []
        self.goes_on: dict[str, str] = {}

    def ending(self, label: str, year: int | None, verb: str) -> pd.Series | None:
        """Close a provision in a year and return it as it was; None where it cannot be."""
        if label not in self.table.index:
            near = did_you_mean(label, map(str, self.table.index))
            self.tray.add(
                f"{verb}: there is no provision {label}.",
                near or "`clusters provision` lists them in provisions.csv.",
                urn=label,
            )
            return None
        while label in self.goes_on:
            label = self.goes_on[label]
        base = self.table.loc[label].copy()
        day = f"{year or self.first}-08-31"
        if base["closes"] and base["closes"] <= day:
            self.tray.add(
                f"{verb}: it closes on {base['closes']} already.",
                "Take one of the two lines out, or give an earlier year.",
                urn=label,
                name=base["name"],
            )
            return None
        if verb != "close" and not opens_by(base["opened"], year or self.first):
            self.tray.add(
                f"{verb}: it does not open until {base['opened']}.",
                "Give a year in which it is open.",
                urn=label,
                name=base["name"],
            )
            return None
        self.table.loc[label, "closes"] = day
        return base

    def going_on(self, base: pd.Series, year: int | None, **changes: object) -> str:
        """Let a provision that has ended go on with changes, and return its new label."""
        at = year or self.first
        label = f"{str(base.name).split('→')[0]}→{at}"
        row = {**base.to_dict(), "opened": f"{at}-09-01", "source": SCENARIO, **changes}
        if label != base.name:
            self.goes_on[str(base.name)] = label
        self.table.loc[label] = pd.Series(row)
        return label

    def pay(self, year: int | None, label: str, places: float, capital: float | None) -> None:
        """Write down what new places cost once; NaN where nobody has said."""
        cost = capital
        if cost is None:
            cost = np.nan if self.place_cost is None else places * self.place_cost
        self.capital.append((year or self.first, label, float(cost)))

    def close(self, asked: Close) -> None:
        base = self.ending(asked.provision, asked.year, "close")
        if base is not None:
            self.told.append(f"{base['name']} closes in {asked.year or self.first}.")

    def resize(self, asked: Resize) -> None:
        base = self.ending(asked.provision, asked.year, "resize")
        if base is None:
            return
        before = float(base["places"])
        if asked.by is not None and before != before:
            self.tray.add(
                "resize: its places are not known.", "Give places.",
                urn=asked.provision, name=base["name"],
            )  # fmt: skip
            return
        places = float(asked.places) if asked.places is not None else before + float(asked.by or 0)
        if places < 0:
            self.tray.add(
                f"resize: {before:g} {asked.by:+g} places.", "Close it, or take fewer places.",
                urn=asked.provision, name=base["name"],
            )  # fmt: skip
            return
        label = self.going_on(base, asked.year, places=places)
        if places > before:
            self.pay(asked.year, label, places - before, asked.capital)
        was = "an unknown number" if before != before else f"{before:g}"
        self.told.append(
            f"{base['name']} has {places:g} places instead of {was} from "
            f"{asked.year or self.first}."
        )

    def redesignate(self, asked: Redesignate) -> None:
        base = self.ending(asked.provision, asked.year, "redesignate")
        if base is None:
            return
        changes: dict[str, object] = {}
        if asked.need_types is not None:
            changes["need_types"] = joined(asked.need_types)
        if asked.phase is not None:
            changes["low_age"], changes["high_age"] = _ages(asked.phase)
        self.going_on(base, asked.year, **changes)
        words = [f"for {', '.join(asked.need_types)}"] if asked.need_types else []
        words += [f"for {asked.phase.replace('_', '-')} age"] if asked.phase else []
        told = " and ".join(words)
        self.told.append(f"{base['name']} is designated {told} from {asked.year or self.first}.")

    def merge(self, asked: Merge) -> None:
        into = self.ending(asked.into, asked.year, "merge")
        parts = [self.ending(label, asked.year, "merge") for label in asked.provisions]
        known = [part for part in parts if part is not None]
        if into is None or len(known) < len(parts):
            return
        everyone = [into, *known]
        kinds = {SERVES[str(one["kind"])] for one in everyone}
        if len(kinds) > 1:
            self.tray.add(
                f"merge: places of different kinds ({', '.join(sorted(kinds))}) are no one's.",
                "Close the one, and resize the other.",
                urn=asked.into,
                name=into["name"],
            )
            return
        types = joined(code for one in everyone for code in str(one["need_types"]).split(";"))
        self.going_on(
            into,
            asked.year,
            places=float(sum(float(one["places"]) for one in everyone)),
            on_roll=float(sum(float(one["on_roll"]) for one in everyone)),
            need_types=types,
            low_age=min(float(one["low_age"]) for one in everyone),
            high_age=max(float(one["high_age"]) for one in everyone),
        )
        names = ", ".join(str(one["name"]) for one in known)
        self.told.append(f"{names} move into {into['name']} in {asked.year or self.first}.")

    def open(self, asked: Open) -> None:
        placed = asked.easting is not None and asked.northing is not None
        if asked.urn not in self.sites.index and not placed:
            near = did_you_mean(asked.urn, map(str, self.sites.index))
            self.tray.add(
                "open: is no school of the study.",
                f"{near} Or give easting and northing.".strip(),
                urn=asked.urn,
            )
            return
        at = asked.year or self.first
        site: Mapping[str, object] = (
            self.sites.loc[asked.urn].to_dict() if asked.urn in self.sites.index else {}
        )
        spot = (asked.easting, asked.northing) if placed else (site["easting"], site["northing"])
        if (asked.easting is None) != (asked.northing is None) or pd.isna(spot[0]):
            self.tray.add("open: its place is not known.", "Give easting and northing.",
                          urn=asked.urn)  # fmt: skip
            return
        phase = asked.phase or _phase_of(site)
        if not phase:
            self.tray.add("open: for which children?", "Give phase.", urn=asked.urn)
            return
        low, high = _ages(phase)
        first = max(low, float(site.get("low_age", np.nan)))  # type: ignore[arg-type]
        last = min(high, float(site.get("high_age", np.nan)))  # type: ignore[arg-type]
        if first < last:  # Of a junior school only its own years, as in the council's list.
            low, high = first, last
        taken = [x for x in self.table.index if str(x).split("/")[0].split("→")[0] == asked.urn]
        label = f"{asked.urn}+{at}" if taken or asked.urn in self.table.index else asked.urn
        selective = site.get("selective", False)
        self.table.loc[label] = pd.Series(
            {
                "urn": asked.urn,
                "name": asked.name or str(site.get("name", asked.urn)),
                "kind": asked.kind,
                "need_types": joined(asked.need_types),
                "low_age": low,
                "high_age": high,
                "places": asked.places,
                "on_roll": np.nan,
                "sex": str(site.get("sex", "")),
                "selective": selective is not pd.NA and bool(selective),
                "faith": str(site.get("faith", "")),
                "opened": f"{at}-09-01",
                "closes": "",
                "easting": float(spot[0]),  # type: ignore[arg-type]
                "northing": float(spot[1]),  # type: ignore[arg-type]
                "area": str(site.get("area", "")),
                "source": SCENARIO,
            }
        )
        self.pay(asked.year, label, asked.places, asked.capital)
        self.told.append(
            f"{self.table.at[label, 'name']} opens {asked.places:g} places for "
            f"{', '.join(asked.need_types)} in {at}."
        )


def _phase_of(site: Mapping[str, object]) -> str:
    """Return the phase of a school of the study; "" where it has none, or is no school."""
    phase = str(site.get("phase", "")).removeprefix("middle_")
    return phase if phase in (*PHASES, "all_through") else ""


def _ages(phase: str) -> tuple[float, float]:
    low = AGES["secondary" if phase == "secondary" else "primary"][0]
    high = AGES["primary" if phase == "primary" else "secondary"][1]
    return float(low), float(high)
