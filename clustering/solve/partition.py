"""The last step: the best plan that can be made of a list of clusters, by CP-SAT.

One worker, a fixed seed and a limit in deterministic time (a count of operations) make the answer
the same on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from ortools.sat.python import cp_model

from clustering.solve.tables import Ints

NO_TARGET = 2**49
"""From this cost on there is no plan to beat."""

if TYPE_CHECKING:
    from clustering.solve.close import Proof


@dataclass(frozen=True)
class Choice:
    """Columns of the best plan found below the target, and a bound on all plans of the list.

    With no such plan the bound is the target: no plan on the list is cheaper. `complete` says
    whether the search ran to its end.
    """

    plan: list[int] | None
    bound: int
    complete: bool


def best_choice(
    proof: Proof,
    numbers: Ints,
    target: int,
    effort: float = 120.0,
) -> Choice:
    """Choose among the columns `numbers` a plan cheaper than `target`.

    `effort` is a limit in CP-SAT's deterministic time; what is used counts against the proof's own.
    """
    columns, tables = proof.columns, proof.tables
    effort = min(effort, proof.max_choice - proof.choice_used)
    if effort <= 0.0:
        return Choice(None, -NO_TARGET, False)
    holds = columns.holds[numbers]
    if (holds.sum(axis=0) == 0).any():
        return Choice(None, target, True)
    model = cp_model.CpModel()
    x = [model.new_bool_var("") for _ in numbers]
    for i in range(columns.n):
        model.add_exactly_one(x[k] for k in np.flatnonzero(holds[:, i]).tolist())
    model.add(sum(x) == proof.clusters)
    loans = columns.loan[numbers]
    for loan, count in enumerate(tables.loan_count.tolist()):
        users = [x[k] for k in np.flatnonzero(loans == loan).tolist()]
        if users:
            model.add(sum(users) <= count)
    total = cp_model.LinearExpr.weighted_sum(x, columns.cost[numbers].tolist())
    if target < NO_TARGET:
        model.add(total <= target - 1)
    model.minimize(total)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = 1
    solver.parameters.linearization_level = 2
    solver.parameters.max_deterministic_time = effort
    status = proof.stop.choose(solver, model)
    proof.choice_used += solver.response_proto.deterministic_time
    if status == cp_model.INFEASIBLE:
        return Choice(None, target, True)
    bound = min(int(np.ceil(solver.best_objective_bound - 1e-6)), target)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return Choice(None, bound, False)
    plan = [int(numbers[k]) for k, one in enumerate(x) if solver.boolean_value(one)]
    return Choice(plan, bound, status == cp_model.OPTIMAL)
