"""Why each school is where it is, and what its next-best cluster would cost.

Every school (with the schools it is tied to) is tried in every other cluster of its part, each of
the two clusters with its best hub. The price of the move is the change of the objective; what the
move would break is named.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from clustering.plan import Plan
from clustering.problem import Part, Problem
from clustering.rules import CENTS
from clustering.solve.model import Model, build_model

RULE_WORDS = {
    "schools": "the number of schools",
    "pupils": "the number of pupils",
    "secondaries": "its secondary",
    "primaries": "its primaries",
    "need": "the tolerance on need",
    "minutes": "minutes to the hub",
    "hub": "the hub",
    "srp": "minutes from the hub to an SRP",
    "least_need": "the smallest need or budget",
    "apart": "schools kept apart",
    "connected": "clusters that hang together",
}
COLUMNS = (
    *("urn", "cluster", "minutes", "leavers_kept", "leavers_lost", "next_cluster", "price"),
    *("breaks", "together"),
)


@dataclass(frozen=True)
class _Place:
    """One cluster of a part: its label, atoms, hub and loan."""

    label: str
    atoms: tuple[int, ...]
    hub: int
    loan: int


def reasons_of_schools(plan: Plan, problem: Problem) -> pd.DataFrame:
    """Return for each school why it is where it is, one row a URN.

    Columns: `urn, cluster, minutes` (to its hub), `leavers_kept, leavers_lost` (pupils a year),
    `next_cluster` (the one with the lowest price among moves that break nothing, else among all),
    `price` (minutes by which the objective would grow; negative: the move would be better),
    `breaks` (rules in the way, in words; "" for none), `together` (URNs that would move too).
    Schools outside the plan, and parts the plan does not cover wholly, are left out.
    """
    problem = problem.without(plan.opted_out)
    rows: list[dict[str, object]] = []
    for part in problem.parts():
        model = build_model(problem, part)
        places = _places(plan, problem, part, model)
        if places is not None:
            rows += _part_rows(plan, problem, model, places)
    return pd.DataFrame(rows, columns=list(COLUMNS)).sort_values("urn").reset_index(drop=True)


def _places(plan: Plan, problem: Problem, part: Part, model: Model) -> list[_Place] | None:
    """Return the clusters of a part in the model's terms; None where the plan does not fit it."""
    local = {position: k for k, position in enumerate(part.members)}
    places, used = [], [0] * len(model.loans)
    for cluster in plan.clusters:
        inside = [local[p] for p in problem.positions(cluster.schools) if p in local]
        if not inside:
            continue
        hub = problem.position[cluster.hub]
        if len(inside) < len(cluster.schools) or hub not in local:
            return None
        atoms = tuple(sorted({int(model.atom_of[k]) for k in inside}))
        loan = _loan(model, atoms, local[hub], used)
        places.append(_Place(cluster.label, atoms, local[hub], loan))
    covered = sorted(a for place in places for a in place.atoms)
    return places if covered == list(range(len(model))) else None


def _loan(model: Model, atoms: tuple[int, ...], hub: int, used: list[int]) -> int:
    """Return the first loan left that a cluster without enough secondaries can use, or −1."""
    if (
        int(model.secondaries[list(atoms)].sum())
        >= model.classes[model.class_of(atoms)].secondaries
    ):
        return -1
    for index, loan in enumerate(model.loans):
        if used[index] < loan.count and "secondaries" not in model.faults(atoms, hub, 1, index):
            used[index] += 1
            return index
    return -1


def _part_rows(
    plan: Plan, problem: Problem, model: Model, places: Sequence[_Place]
) -> Iterator[dict[str, object]]:
    clusters = len(places)
    cost = {p.label: model.cost(p.atoms, p.hub, clusters, p.loan) for p in places}
    for home in places:
        for atom in home.atoms:
            tries = _tries(model, atom, home, places, cost)
            inside = [model.schools[k] for k in np.flatnonzero(model.atom_of == atom)]
            for position in inside:
                yield _row(plan, problem, position, inside, home, tries)


def _tries(
    model: Model, atom: int, home: _Place, places: Sequence[_Place], cost: dict[str, int]
) -> list[tuple[bool, int, str, tuple[str, ...]]]:
    """Return (breaks any rule, price, cluster, rules broken) of every other cluster, best first."""
    left = tuple(a for a in home.atoms if a != atom)
    if not left:
        return []
    left_cost, left_faults = _best(model, left, home, len(places))
    found = []
    for other in places:
        if other.label == home.label:
            continue
        joined = tuple(sorted((*other.atoms, atom)))
        joined_cost, joined_faults = _best(model, joined, other, len(places))
        price = left_cost + joined_cost - cost[home.label] - cost[other.label]
        broken = tuple(dict.fromkeys((*left_faults, *joined_faults)))
        found.append((bool(broken), price, other.label, broken))
    return sorted(found)


def _best(
    model: Model, atoms: tuple[int, ...], place: _Place, clusters: int
) -> tuple[int, tuple[str, ...]]:
    """Return the least cost of a set of atoms over its hubs, those that break least first."""
    hubs = [k for k in range(len(model.schools)) if int(model.atom_of[k]) in atoms]
    ranked = []
    for hub in hubs:
        faults = tuple(model.faults(atoms, hub, clusters, place.loan))
        ranked.append((len(faults), model.cost(atoms, hub, clusters, place.loan), hub, faults))
    _, cost, _, faults = min(ranked)
    return cost, faults


def _row(
    plan: Plan,
    problem: Problem,
    position: int,
    inside: Sequence[int],
    home: _Place,
    tries: Sequence[tuple[bool, int, str, tuple[str, ...]]],
) -> dict[str, object]:
    urn = problem.urns[position]
    hub = problem.position[plan[home.label].hub]
    going = problem.feeder_from == position
    stays = np.array(
        [plan.cluster_of.get(problem.urns[j]) == home.label for j in problem.feeder_to], dtype=bool
    )
    _, price, cluster, broken = tries[0] if tries else (False, 0, "", ())
    return {
        "urn": urn,
        "cluster": home.label,
        "minutes": round(float(problem.minutes[position, hub]), 1),
        "leavers_kept": round(float(problem.feeder_pupils[going & stays].sum()), 1),
        "leavers_lost": round(float(problem.feeder_pupils[going & ~stays].sum()), 1),
        "next_cluster": cluster,
        "price": round(price / CENTS, 1),
        "breaks": ", ".join(RULE_WORDS[rule] for rule in broken),
        "together": " ".join(problem.urns[i] for i in inside if i != position),
    }
