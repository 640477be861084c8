"""Who needs a place: children by where they live or learn, need type, phase and kind of place.

Three ways in, the best first: the council's own counts, published primary need by school, an
estimate from rates of the whole council. Which part of a need type needs a place is an assumption
of the council (`[provision.demand] share`); nothing here infers it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from clustering.provision.register import ProvisionError, Register, types_of, years_taken
from clustering.provision.settings import NEED_TYPES, PHASES, DemandTable
from geo.errors import Fault

ROWS = ["point", "kind", "need_type", "phase", "children"]
POINTS = ["name", "easting", "northing", "area", "idaci"]
EVEN_SEXES = 0.5


@dataclass(frozen=True, eq=False)
class Demand:
    """Children who need a place.

    `rows` columns point, kind (srp, special, alternative), need_type, phase, children (a float:
    estimates and shares are not whole); sorted, one row each. `points` index point (URN or LSOA);
    name, easting, northing (EPSG:27700), area ("" = outside) and idaci (score, NaN = not known).
    `boys` share of boys by need type and phase where it is known. `estimated` says that nobody
    counted them where they live.
    """

    rows: pd.DataFrame
    points: pd.DataFrame
    source: str
    year: int
    estimated: bool
    growth: Mapping[str, float] = field(default_factory=dict)
    boys: Mapping[tuple[str, str], float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def in_year(self, year: int, more: Mapping[str, float] | None = None) -> Demand:
        """Return the demand in the autumn of a year; `more` is growth in place of the study's."""
        growth = {**self.growth, **(more or {})}
        years = year - self.year
        factor = self.rows["need_type"].map(lambda code: (1 + growth.get(code, 0.0)) ** years)
        rows = self.rows.assign(children=self.rows["children"] * factor.astype(float))
        return replace(self, rows=rows, year=year, growth=growth)

    def boys_share(self, need_type: str, phase: str) -> float:
        """Return the share of boys among the children of a type and phase; half unless known."""
        return self.boys.get((need_type, phase), EVEN_SEXES)


def needing_a_place(
    counts: pd.DataFrame, settings: DemandTable, not_by_srp: tuple[str, ...]
) -> tuple[pd.DataFrame, list[str]]:
    """Turn children with a need type into children who need a place of each kind, with notes.

    `counts` columns point, need_type, phase, children, and `kind` ("" where the count is of all
    children with that need; then the study's share applies). Types that this council does not
    serve by SRP are left out of that demand and told, and so are types without a share.
    """
    parts, notes = [], []
    direct = counts[counts["kind"] != ""]
    parts.append(direct)
    whole = counts[counts["kind"] == ""]
    for kind, shares in settings.shares().items():
        share = whole["need_type"].map(shares).fillna(0.0)
        parts.append(whole.assign(kind=kind, children=whole["children"] * share))
    missing = [code for code in unshared(counts, settings) if code not in not_by_srp]
    if missing:
        notes.append(
            f"No share is given for {', '.join(missing)}: none of these children counts as "
            "needing a place."
        )
    rows = pd.concat(parts)
    shut = (rows["kind"] == "srp") & rows["need_type"].isin(not_by_srp)
    gone = rows[shut].groupby("need_type")["children"].sum()
    for code, children in gone.items():
        if children > 0:
            notes.append(
                f"{children:,.0f} children with {NEED_TYPES[str(code)]} would need a place, but "
                "this council does not provide for that need by SRP."
            )
    rows = rows[~shut & (rows["children"] > 0)]
    told = rows.groupby(ROWS[:4], as_index=False, sort=True)["children"].sum()
    return told[ROWS], notes


def unshared(counts: pd.DataFrame, settings: DemandTable) -> list[str]:
    """Return the need types for which no share is given, so that their children count nowhere."""
    given = {code for shares in settings.shares().values() for code in shares}
    return [
        code for code in NEED_TYPES
        if code not in given and (counts["need_type"][counts["kind"] == ""] == code).any()
    ]  # fmt: skip


def estimated_counts(
    rates: pd.DataFrame, places: pd.DataFrame, gradient: float
) -> tuple[pd.DataFrame, list[str]]:
    """Spread the children of a whole council over its neighbourhoods.

    `rates` columns need_type, phase, children (of the council); `places` index LSOA, columns
    children and idaci. A neighbourhood has children in proportion to its children and to
    1 + gradient × IDACI score. The default gradient of 1.08 is what follows if of the children with
    a plan 41 % are eligible for free meals and of all children 25 %: a poor child is then
    0.41/0.25 ÷ 0.59/0.75 = 2.08 times as likely to have one. Raises `ProvisionError` where no
    neighbourhood has children.
    """
    notes = []
    score = places["idaci"]
    if score.isna().any():
        notes.append(
            f"IDACI is not known for {int(score.isna().sum())} of {len(places)} neighbourhoods; "
            "they are taken to be as poor as the others are on average."
        )
    unknown = int(places["children"].isna().sum())
    if unknown:
        notes.append(
            f"The children of {unknown} of {len(places)} neighbourhoods are not known; no demand "
            "is put there."
        )
    weight = places["children"].fillna(0.0) * (
        1 + gradient * score.fillna(score.mean() if score.notna().any() else 0.0)
    )
    if not weight.sum() > 0:
        raise ProvisionError(
            Fault(
                "[provision.demand] places: no neighbourhood of the study has children.",
                "Give the children of each.",
            )
        )
    weight = weight / weight.sum()
    table = rates.merge(
        pd.DataFrame({"point": places.index, "weight": weight.to_numpy()}), how="cross"
    )
    table["children"] = table["children"] * table["weight"]
    notes.append(
        "Demand is estimated: the council's children by need type and phase, spread over its "
        f"neighbourhoods by children and IDACI (gradient {gradient:g})."
    )
    return table.assign(kind="")[ROWS], notes


def sent_home(
    counts: pd.DataFrame, register: Register, areas: pd.Series, year: int
) -> tuple[pd.DataFrame, list[str]]:
    """Take the children of SRPs out of the schools that host them and spread them over the area.

    `counts` as in `needing_a_place`, by school, of the autumn of `year`, in which only the SRPs
    that are open hold children; `areas` area of each school. Children who already
    hold a place are counted at their SRP's school, though they live elsewhere: left there, every
    SRP would seem to stand where its children are. They are spread over the schools of the phase
    in the area in proportion to the children of that type at schools without an SRP.
    """
    counts = counts.copy()
    area = counts["point"].map(areas)
    moved = 0.0
    bases = register.open_in(year).table
    bases = bases[bases["kind"].isin(["srp", "sen_unit"])]
    hosts = counts["point"].isin(bases["urn"])
    for _, base in bases.iterrows():
        types = types_of(base["need_types"])
        own = base["on_roll"] if base["on_roll"] == base["on_roll"] else base["places"]
        if not types or own != own:
            continue
        here = (
            (counts["point"] == base["urn"])
            & counts["need_type"].isin(types)
            & counts["phase"].isin([p for p in PHASES if years_taken(base, p) > 0])
        )
        there = counts.loc[here, "children"].sum()
        taken = min(float(own), there)
        if taken <= 0:
            continue
        for at in counts.index[here]:
            part = counts.at[at, "children"] * taken / there
            same = (
                ~hosts
                & (counts["need_type"] == counts.at[at, "need_type"])
                & (counts["phase"] == counts.at[at, "phase"])
            )
            near = same & (area == area[at])
            goal = near if counts.loc[near, "children"].sum() > 0 else same
            total = counts.loc[goal, "children"].sum()
            if total <= 0:
                continue
            counts.loc[goal, "children"] *= 1 + part / total
            counts.at[at, "children"] -= part
            moved += part
    notes = []
    if moved:
        notes.append(
            f"{moved:,.0f} children counted at a school with an SRP of their need type are taken "
            "to live as the other children of that type in the area do."
        )
    return counts, notes


def fifths(points: pd.DataFrame, children: pd.Series) -> pd.Series:
    """Return the IDACI fifth of each point: 1 the poorest fifth of `children`, NaN not known.

    Points are ranked by their score and cut where the running sum of children passes a fifth.
    """
    score = points["idaci"]
    known = score.notna()
    order = points.index[known][np.lexsort((points.index[known], -score[known].to_numpy(float)))]
    weight = children.reindex(order).fillna(0.0)
    total = weight.sum()
    if total <= 0:
        return pd.Series(np.nan, index=points.index)
    middle = (weight.cumsum() - weight / 2) / total
    fifth = np.minimum(np.floor(middle * 5).astype(int) + 1, 5)
    return fifth.reindex(points.index).astype(float)
