"""Random small models for the tests of the solver, and the best plan by trying every one.

`enumerate_best` knows nothing of the kernels: it asks `Model.cost` and `Model.faults` alone.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from clustering.problem import Problem, build_problem
from clustering.rules import Goals, Rules
from clustering.solve.model import Model, build_model
from clustering.solve.part import Chosen

FEATURES = (
    "plain",
    "tight_need",
    "least_need",
    "ties",
    "pupils",
    "size_goal",
    "change",
    "crossing",
    "area_limits",
    "named_cluster",
    "apart",
    "pins",
    "waiver",
    "associate",
    "secondary_hub",
    "loose",
    "far",
    "all_through",
    "infant_junior",
    "srp_limit",
    "srp_price",
    "srp_by_area",
    "srp_by_name",
)


def random_problem(seed: int, features: tuple[str, ...] = (), n: int = 10) -> Problem:
    """Return a problem of n invented schools with the named features switched on."""
    rng = np.random.default_rng(seed)
    urns = [str(900100 + k) for k in range(n)]
    seconds = max(3, n // 3)
    phase = np.array(["primary"] * n, dtype=object)
    phase[rng.choice(n, seconds, replace=False)] = "secondary"
    if "all_through" in features:
        phase[rng.integers(n)] = "all_through"
    pupils = rng.integers(60, 500, n).astype(float)
    xy = rng.uniform(0, 20, (n, 2))
    minutes = np.sqrt(((xy[:, None] - xy[None]) ** 2).sum(axis=2)) * rng.uniform(0.9, 1.1, (n, n))
    two = bool({"crossing", "area_limits", "srp_by_area"} & set(features))
    table = pd.DataFrame(
        {
            "name": [f"Invented {k}" for k in range(n)],
            "phase": phase,
            "pupils": pupils,
            "selective": pd.array(rng.random(n) < 0.1, dtype="boolean"),
            "area": np.where(xy[:, 0] > 10, "East", "West") if two else "Mere",
        },
        index=urns,
    )
    links = []
    late = np.flatnonzero(phase != "primary")
    for i in range(n):
        if phase[i] == "primary":
            goes = rng.choice(late, min(2, len(late)), replace=False).tolist()
            links += [(urns[i], urns[j], float(rng.integers(2, 30))) for j in goes]
    first = np.flatnonzero(phase == "primary")
    if "infant_junior" in features:
        for _ in range(4):
            i, j = rng.choice(first, 2, replace=False).tolist()
            links.append((urns[i], urns[j], float(rng.integers(5, 40))))
    feeders = pd.DataFrame(links, columns=["from_urn", "to_urn", "pupils"])
    rules: dict = {"schools": (3, 6), "primaries": 1, "need_tolerance": 0.6}
    goals: dict = {"minutes": 1.0, "feeders": 0.5, "balance": 0.7, "cluster": 30.0}
    ties: list[list[str]] = []
    if "tight_need" in features:
        rules["need_tolerance"] = 0.12
    if "least_need" in features:
        rules["min_need"] = float(pupils.sum()) / 3
    if "ties" in features:
        near = minutes.copy()
        np.fill_diagonal(near, np.inf)
        i = int(rng.integers(n))
        ties = [[urns[i], urns[int(near[i].argmin())]]]
    if "pupils" in features:
        rules["pupils"] = (int(pupils.sum() / 5), int(pupils.sum() / 1.6))
    if "size_goal" in features:
        goals["size"] = 0.5
    if "change" in features:
        goals["change"] = 12.0
    if "crossing" in features:
        rules["areas"] = "price"
        goals["crossing"] = 7.0
    if "area_limits" in features:
        rules["areas"] = "ignore" if "crossing" not in features else "price"
        rules["area"] = {"East": {"schools": (4, 7), "need_tolerance": "off"}}
    if "named_cluster" in features:
        rules["cluster"] = {"Special": {"contains": urns[int(rng.integers(n))], "schools": (2, 4)}}
    if "apart" in features:
        rules["apart"] = [rng.choice(urns, 2, replace=False).tolist()]
    if "waiver" in features or "associate" in features:
        area: dict = {}
        rules["secondaries"] = 2
        if "waiver" in features:
            area["without_secondary"] = 1
        if "associate" in features:
            lendable = np.flatnonzero((phase != "primary") & ~table["selective"].to_numpy(bool))
            area["associates"] = [urns[int(k)] for k in lendable[:2]]
        rules["area"] = {**rules.get("area", {}), table["area"].iloc[0]: area}
    if "secondary_hub" in features:
        rules["hub"] = "secondary"
    if "loose" in features:
        rules["connected"] = False
    if "far" in features:
        rules["max_minutes_to_hub"] = 9.0
    # Drawn from a stream of its own, so that other features keep the schools they had.
    srp = np.random.default_rng(seed + 1)
    reach = pd.DataFrame(
        srp.uniform(0, 40, (n, 2)).round(1), index=urns, columns=["ASD primary", "SLCN secondary"]
    )
    if "srp_limit" in features:
        rules["max_minutes_to_srp"] = 26.0
    if "srp_price" in features:
        goals["srp"] = 1.5
    if "srp_by_area" in features:
        rules["areas"] = "price" if "crossing" in features else "ignore"
        area = rules.setdefault("area", {}).setdefault("West", {})
        area["max_minutes_to_srp"] = {"ASD primary": 15.0}
    if "srp_by_name" in features:
        named = rules.setdefault("cluster", {}).setdefault("Special", {})
        named.setdefault("contains", urns[int(srp.integers(n))])
        named["max_minutes_to_srp"] = 18.0
    existing = None
    if "change" in features:
        existing = pd.Series(rng.choice(["A", "B", ""], n), index=urns)
    return build_problem(
        table,
        pd.DataFrame(minutes, index=urns, columns=urns),
        pd.Series(pupils + rng.integers(0, 90, n), index=urns),
        rules=Rules.model_validate(rules),
        goals=Goals.model_validate(goals),
        feeders=feeders,
        existing=existing,
        ties=ties,
        pinned_hubs=[urns[int(rng.integers(n))]] if "pins" in features else [],
        reach=reach if any(feature.startswith("srp") for feature in features) else None,
    )


def random_model(seed: int, features: tuple[str, ...] = (), n: int = 10) -> Model:
    """Return the first part of a random problem as a model."""
    problem = random_problem(seed, features, n)
    return build_model(problem, problem.parts()[0])


def partitions(items: list[int], count: int) -> Iterator[list[list[int]]]:
    """Yield every way to split items into `count` groups that are not empty."""
    if count == 0 or len(items) < count:
        if count == 0 and not items:
            yield []
        return
    first, rest = items[0], items[1:]
    for split in partitions(rest, count - 1):
        yield [[first], *split]
    for split in partitions(rest, count):
        for k in range(len(split)):
            yield [*split[:k], [first, *split[k]], *split[k + 1 :]]


def enumerate_best(model: Model, clusters: int) -> int | None:
    """Return the least objective of all plans, by trying every one; None if there is none."""
    known: dict[tuple[int, ...], list[tuple[int, int]]] = {}

    def options(atoms: tuple[int, ...]) -> list[tuple[int, int]]:
        """The cheapest (cost, loan) of a cluster for each loan."""
        if atoms not in known:
            least: dict[int, int] = {}
            for hub in range(len(model.schools)):
                for loan in range(-1, len(model.loans)):
                    if not model.faults(atoms, hub, clusters, loan):
                        cost = model.cost(atoms, hub, clusters, loan)
                        least[loan] = min(cost, least.get(loan, cost))
            known[atoms] = [(cost, loan) for loan, cost in least.items()]
        return known[atoms]

    def cheapest(groups: list[tuple[int, ...]], left: tuple[int, ...]) -> int | None:
        if not groups:
            return 0
        best = None
        for cost, loan in options(groups[0]):
            if loan >= 0 and left[loan] == 0:
                continue
            after = tuple(c - (k == loan) for k, c in enumerate(left))
            rest = cheapest(groups[1:], after)
            if rest is not None and (best is None or cost + rest < best):
                best = cost + rest
        return best

    counts = tuple(loan.count for loan in model.loans)
    totals = [
        total
        for split in partitions(list(range(len(model))), clusters)
        if all(options(tuple(sorted(g))) for g in split)
        and (total := cheapest([tuple(sorted(g)) for g in split], counts)) is not None
    ]
    return min(totals) + model.base if totals else None


def recount(model: Model, chosen: tuple[Chosen, ...]) -> int:
    """Return the objective of a plan from the model alone, after checking every rule."""
    used = [0] * len(model.loans)
    assert sorted(i for c in chosen for i in c.atoms) == list(range(len(model)))
    for c in chosen:
        assert model.faults(c.atoms, c.hub, len(chosen), c.loan) == []
        if c.loan >= 0:
            used[c.loan] += 1
    assert all(u <= loan.count for u, loan in zip(used, model.loans, strict=True))
    return model.base + sum(model.cost(c.atoms, c.hub, len(chosen), c.loan) for c in chosen)
