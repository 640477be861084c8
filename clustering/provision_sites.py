"""Where next? The best schools for new or larger provision, by name, and as a scenario."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

import numpy as np
import pandas as pd

from clustering.inputs import crossings_of, land_of
from clustering.problem import SECONDARY_PHASES
from clustering.provision.reach import admits_all, door_to_door
from clustering.provision.register import for_type, serves
from clustering.provision.settings import NEED_TYPES, SERVES, need_type
from clustering.provision.site_choice import Objective, SiteChoice
from clustering.provision.sites import Figures, Sites, choose
from clustering.provision_desk import Review
from clustering.provision_inputs import minutes_to
from geo.errors import Fault, Faults, StudyError, did_you_mean

WORDS: dict[str, str] = {
    "coverage": "the most children newly within the last limit",
    "minutes": "the fewest minutes of all children together",
    "worst_off": "the shortest way for the child with the longest",
    "cost": "the fewest pounds that bring the wanted share within the last limit",
}
LARGER = "larger"
USUAL_PLACES = 10.0
"""Places that a site costs, and that a scenario's lines give it, where nobody has said how many."""


NOBODY_LEFT = Sites(
    "infeasible",
    reasons=("Every child with this need has a place already.",),
    remedies=("Leave out places: then provision is sought that is nearer.",),
)
"""The answer where only children without a place count, and there is none."""


@dataclass(frozen=True, eq=False)
class WhereNext:
    """The best sites and others nearly as good.

    `table` one row a set: set ("best", "alternative 1" …), schools (names), newly_within
    (children), within (share of all), least_area_within (share in the area where it is least; NaN
    without `fair_share`), mean_minutes
    and greatest_minutes (door to door; NaN = nobody), without (children without any provision) and
    pounds (a year's funding of filled places, with what they cost to build where the study says so;
    of `USUAL_PLACES` a site unless places were given). `scenario` the best set as
    lines for a scenario file. `answer` is the solver's.
    """

    question: str
    table: pd.DataFrame
    scenario: str
    answer: Sites

    @property
    def proof(self) -> str:
        """How good the best set is known to be, in words."""
        if self.answer.status == "optimal":
            return "proven best"
        if self.answer.status == "feasible":
            return f"not proven best: no set does better than {self.answer.bound:,.1f}"
        return " ".join((*self.answer.reasons, *self.answer.remedies))


def where_next(
    review: Review,
    need: str,
    phase: str,
    *,
    sites: int = 1,
    objective: Objective = "coverage",
    places: float | None = None,
    larger: bool = False,
    areas: Sequence[str] = (),
    schools: Sequence[str] = (),
    fair_share: float | None = None,
    target: float | None = None,
    budget: float | None = None,
    alternatives: int = 3,
    within: float = 0.05,
    seed: int = 1,
) -> WhereNext:
    """Return the best schools for provision of a need type and phase, with others nearly as good.

    Candidates are the mainstream schools of the phase that take every child and have no such
    provision yet, with `larger` also the provisions there are; only those in `areas` or among
    `schools` (URNs) if given. Without `places`, children go to the nearest, full or not; with, each
    candidate offers so many places and only children whom today's provision leaves without count.
    `fair_share` is the least share of the children of every area within the last limit. Raises
    `StudyError` for words that are not known, a need that nobody has, and the objective cost
    without a `target`.
    """
    code = _checked(review, need, phase, areas, schools)
    asked = f"{NEED_TYPES[code]}, {phase}: {WORDS[objective]}"
    if objective == "cost" and target is None:
        _refuse(review, "the fewest pounds for what share within the limit?", "Give a target.")
    rows, points = _rows(review, code, phase, only_unmet=places is not None)
    if rows.empty:
        return WhereNext(asked, pd.DataFrame(), "", NOBODY_LEFT)
    candidates = _candidates(review, code, phase, larger, areas, schools)
    inputs = review.inputs
    driving = minutes_to(
        inputs.study,
        points,
        candidates,
        land=land_of(inputs.study, inputs.areas),
        crossings=crossings_of(inputs.study),
        ways=inputs.ways,
        urn_of=lambda label: label.split("/")[0],
    )
    settings = review.provision.settings
    minutes = door_to_door(driving, settings).loc[rows["point"]].to_numpy(float)
    each = settings.costs.filled + (settings.costs.capital or 0.0)
    size = USUAL_PLACES if places is None else places
    choice = SiteChoice(
        objective=objective,
        children=rows["children"].to_numpy(float),
        minutes_now=rows["minutes"].to_numpy(float),
        minutes=minutes,
        limit=np.full(len(rows), settings.limits.of(phase)[1]),
        sites=sites,
        places=None if places is None else np.full(len(candidates), places),
        cost=np.full(len(candidates), size * each),
        budget=budget,
        target=target,
        groups=rows["area"].to_numpy(object) if fair_share is not None else None,
        fair_share=fair_share,
    )
    answer = choose(choice, alternatives=alternatives, within=within, seed=seed)
    named = [(answer.chosen, answer.figures)] + [(s.chosen, s.figures) for s in answer.alternatives]
    told = [
        {"set": "best" if k == 0 else f"alternative {k}", **_told(candidates, chosen, figures)}
        for k, (chosen, figures) in enumerate(named)
        if figures is not None
    ]
    lines = _scenario(candidates.iloc[list(answer.chosen)], code, phase, size, review)
    return WhereNext(asked, pd.DataFrame(told), lines, answer)


def _refuse(review: Review, what: str, fix: str) -> NoReturn:
    raise StudyError(Fault(what, fix, review.inputs.study.path.name))


def _checked(
    review: Review, need: str, phase: str, areas: Sequence[str], schools: Sequence[str]
) -> str:
    """Check the words of the question and return the code of the need type."""
    faults = Faults(StudyError, review.inputs.study.path.name)
    code = ""
    try:
        code = need_type(need)
    except ValueError as error:
        faults.add(f"{error}.")
    if phase not in ("primary", "secondary"):
        faults.add(f'the phase is "{phase}".', "Give primary or secondary.")
    table = review.inputs.table
    for area in areas:
        if area not in set(table["area"]):
            faults.add(f'"{area}" is no area.', did_you_mean(area, set(table["area"])))
    for urn in schools:
        if urn not in table.index:
            faults.add("is no school of the study.", did_you_mean(urn, table.index), urn=urn)
    if review.today.reach is None:
        faults.add(
            "[provision] says nothing of demand.", "Add [provision.demand]: file, schools or rates."
        )
    faults.raise_if_any()
    return code


def _rows(
    review: Review, code: str, phase: str, *, only_unmet: bool
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the children of a type and phase by point, and where the points are."""
    found = review.today.reach
    assert found is not None
    assert review.provision.demand is not None
    rows = found.rows
    rows = rows[(rows["kind"] == "srp") & (rows["need_type"] == code) & (rows["phase"] == phase)]
    if not (rows["children"] > 0).any():
        known = sorted(set(found.rows.loc[found.rows["kind"] == "srp", "need_type"]))
        _refuse(
            review,
            f"no child of {phase} age needs a place in an SRP for {code}.",
            f"There is demand for: {', '.join(known) or 'nothing'}.",
        )
    if only_unmet:
        rows = rows[rows["unmet"] > 0]
        rows = rows.assign(children=rows["unmet"], minutes=np.inf)
    rows = rows[rows["children"] > 0].reset_index(drop=True)
    return rows, review.provision.demand.points.loc[sorted(set(rows["point"]))]


def _candidates(
    review: Review,
    code: str,
    phase: str,
    larger: bool,
    areas: Sequence[str],
    schools: Sequence[str],
) -> pd.DataFrame:
    """Return where provision could be: index label; name, easting, northing, area, what."""
    table = review.inputs.table
    fits = table["phase"].isin(
        SECONDARY_PHASES if phase == "secondary" else ("primary", "middle_primary", "all_through")
    )
    if phase == "primary":
        fits &= ~(table["high_age"] <= 7) & ~(table["low_age"] >= 7)
    settings = review.provision.settings
    fits &= admits_all(table.assign(selective=table["selective"].fillna(False)), settings)
    fits &= ~table["sex"].isin(["boys", "girls"])
    now = review.today.register.open_in(review.today.year).table
    own = now[(now["kind"].map(SERVES) == "srp") & serves(now, phase) & for_type(now, code)]
    fits &= ~table.index.isin(own["urn"])
    columns = ["name", "easting", "northing", "area"]
    found = table.loc[fits, columns].assign(what="new")
    if larger:
        open_ = own[admits_all(own, settings) & ~own["sex"].isin(["boys", "girls"])]
        found = pd.concat([found, open_[columns].assign(what=LARGER)])
    if areas:
        found = found[found["area"].isin(areas)]
    if schools:
        found = found[[label.split("/")[0] in schools for label in found.index]]
    if found.empty:
        _refuse(review, "no school could take it.", "Name other areas or schools.")
    return found.sort_index()


def _told(candidates: pd.DataFrame, chosen: Sequence[int], figures: Figures) -> dict[str, object]:
    best = candidates.iloc[list(chosen)]
    names = [
        f"{name} ({label}){', larger' if what == LARGER else ''}"
        for label, name, what in zip(best.index, best["name"], best["what"], strict=True)
    ]
    return {
        "schools": "; ".join(names),
        "newly_within": figures.newly_within,
        "within": figures.share_within,
        "least_area_within": figures.least_group_share,
        "mean_minutes": figures.mean_minutes,
        "greatest_minutes": figures.greatest_minutes,
        "without": figures.without,
        "pounds": figures.pounds,
    }


def _scenario(best: pd.DataFrame, code: str, phase: str, places: float, review: Review) -> str:
    """Return the best set as lines for a scenario file."""
    lines = []
    for label, row in best.iterrows():
        if row["what"] == LARGER:
            lines += ["[[resize]]", f'provision = "{label}"', f"by = {places:g}"]
        else:
            lines += [
                "[[open]]",
                f'urn = "{label}"',
                f'need_types = ["{code}"]',
                f'phase = "{phase}"',
                f"places = {places:g}",
            ]
        lines += [f"year = {review.today.year + 1}", ""]
    return "\n".join(lines).strip()
