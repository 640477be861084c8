"""The numbers of a pack: everything that is counted, through one gate, for all pages and files.

What a pupil adds to a cluster's money, as anybody can work out from the published formula, is what
the gate must know to round money safely (`pounds_a_pupil`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from clustering.budget import Budget
from clustering.inputs import Inputs
from clustering.need import Need
from clustering.publish.consultation import AREA, COUNTY, Option, budget_name
from clustering.publish.dashboard_groups import ask
from clustering.publish.disclosed import NOT_KNOWN, Released
from clustering.publish.disclosure import Release
from clustering.publish.money import money_of
from clustering.publish_settings import PublishTable

SCHOOL = "school"
"""The grouping in which every school stands alone: its roll, rounded as it is published."""
ROLL_STEP = 10
KEEP: Mapping[str, float] = {COUNTY: 3.0, AREA: 2.0}
"""How much dearer than a cluster's the numbers of a district and of the county are to lose."""
PARTS = ("ehc_plans", "sen_support")
"""Parts of the roll that no pupil is in twice."""


def release_of(inputs: Inputs, options: Iterable[Option], settings: PublishTable) -> Released:
    """Return what may be public of pupils and pounds, for all options, districts and the county.

    `pupils` and `settings.measures` by every grouping, with their rates against pupils (the county
    is one group, named `COUNTY` like its grouping); the pounds of each option's formula, before any
    protection against losses, under `budget_name(option.key)`; rolls by `SCHOOL` to ten; and what
    the dashboard asks for. A figure that a school did not publish is not known, save that a school
    which the study counts "as a school without pupils" has none. There are no pounds where a count
    of the county is hidden: what a pupil adds to them holds the county's count, so that who knows
    the formula could work it out. Raises `DisclosureError`.
    """
    options = tuple(options)
    wanted = settings.budget and inputs.study.config.budget is not None
    found = _release(inputs, options, settings, money=wanted).protect()
    added = {name for money in found.asked.money.values() for name in money.rates}
    county = [found.shown(COUNTY, COUNTY, name) for name in sorted(added)]
    if any(cell.value is None and cell.text != NOT_KNOWN for cell in county):
        return _release(inputs, options, settings, money=False).protect()
    return found


def _release(
    inputs: Inputs, options: tuple[Option, ...], settings: PublishTable, *, money: bool
) -> Release:
    """Return everything that is asked of the gate, not yet protected."""
    release = Release(settings.threshold, show_zeros=settings.show_zeros)
    counts = counts_of(inputs, settings.measures)
    release.measure("pupils", counts["pupils"], public=True)
    imputed = inputs.need.measures.imputed
    for measure in settings.measures:
        estimated = set(imputed.loc[imputed["column"] == measure, "urn"])
        estimated -= set(_without_pupils(inputs))
        release.measure(measure, counts[measure], imputed=estimated)
    parts = [str(m) for m in settings.measures if m in PARTS]
    for inside in (parts, [str(m) for m in settings.measures if m not in PARTS]):
        if inside:
            release.whole("pupils", inside)
    for name, groups in _groupings(inputs, options).items():
        release.grouping(name, groups, keep=KEEP.get(name, 1.0))
        release.table(name, "pupils")
        for part in settings.measures:
            release.table(name, part)
            release.rate(name, part, "pupils")
    release.grouping(SCHOOL, {urn: urn for urn in inputs.table.index})
    release.table(SCHOOL, "pupils", step=ROLL_STEP)
    ask(release, inputs, settings.measures)
    if money:
        _add_money(release, inputs, options, settings)
    return release


def counts_of(inputs: Inputs, measures: Iterable[str]) -> pd.DataFrame:
    """Return the counts of pupils by URN, NaN where nothing is known."""
    table = inputs.table.reindex(columns=["pupils", *measures]).astype(float)
    table.loc[_without_pupils(inputs)] = 0.0
    return table


def _without_pupils(inputs: Inputs) -> list[str]:
    """Return the schools that count as schools without pupils, because the study says so."""
    if inputs.study.config.schools.no_roll != "count":
        return []
    return [str(urn) for urn in inputs.table.index[inputs.table["pupils"].isna()]]


def _groupings(inputs: Inputs, options: tuple[Option, ...]) -> dict[str, dict[str, str]]:
    table = inputs.table
    return {
        **{option.key: dict(option.plan.cluster_of) for option in options},
        AREA: table["area"].to_dict(),
        COUNTY: dict.fromkeys(table.index, COUNTY),
    }


def _add_money(
    release: Release, inputs: Inputs, options: tuple[Option, ...], settings: PublishTable
) -> None:
    """Add the pounds of each option; none where a pot cannot pay the topslice of one of them."""
    found = {option.key: money_of(inputs, option.plan).budget for option in options}
    if not all(budget.schools["formula"].sum() > 0 for budget in found.values()):
        return
    for key, budget in found.items():
        rates = pounds_a_pupil(inputs.need, budget, settings.measures)
        name = budget_name(key)
        # In no cluster: its pounds stand in no table, and it must not be taken as not known.
        pounds = budget.schools["formula"].reindex(inputs.table.index)
        release.amount(name, pounds, rates=rates, step=settings.round_pounds)
        release.table(key, name)


def pounds_a_pupil(need: Need, budget: Budget, measures: Iterable[str]) -> dict[str, float]:
    """Return the pounds that one more pupil of each measure adds to a school's formula.

    Everything in it is published: with weight w_f, total X_f of a factor and P pupils in all, one
    more pupil in factor f is w_f · P / X_f need units, and a need unit is worth the school's pounds
    over its need. It is exact for one pupil more or less, save for what changes the totals, where
    all schools are worth the same. It is a bound from above, so that the gate takes readers for no
    weaker than they are, where

    - phases have weights or a ring-fence: the dearest phase counts for all;
    - a rate of recorded SEN is drawn in (winsorised): there a pupil adds nothing, elsewhere this;
    - plans are no more than SRP places, which are netted off: there a plan adds nothing;
    - recorded SEN is a mean of censuses and a school is not in all: the least number counts.
    """
    units = need.units.where(need.units > 0)
    worth = float((budget.schools["formula"].reindex(units.index) / units).max())
    table, total = need.measures.table, float(need.measures.table["pupils"].sum())
    unit = {f: w * total / float(table[f].sum()) for f, w in need.weights.items()}
    earlier = need.measures.raw.filter(like="recorded SEN rate, earlier census")
    censuses = 1 + int(earlier[need.units.notna()].notna().sum(axis=1).min() if len(earlier) else 0)
    recorded = unit.get("recorded_sen", 0.0) / censuses
    found = {
        "ehc_plans": unit.get("ehc_plans", 0.0) + need.measures.settings.ehc_weight * recorded,
        "sen_support": unit.get("sen_support", 0.0) + recorded,
        "fsm6": unit.get("fsm6", 0.0),
    }
    # To a tenth of a penny: what is published of it, and the same on every machine.
    return {m: float(np.round(found[m] * worth, 3)) for m in measures if found[m] > 0}
