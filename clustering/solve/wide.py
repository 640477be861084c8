"""The bound of a large part: rough searches and subset rows first, exact searches last.

Where many hubs have more atoms around them than a word has bits, pricing all of them exactly takes
a minute. Rough searches among the nearest atoms take seconds and find nearly every cluster that
matters. So the linear master is settled by rough searches alone, is tightened by subset rows as
long as they raise its value, and only then are its prices made a bound by exact searches.

The box around the prices (see `Master`) is what held the bound down most: where it binds it is
widened before every round of rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from clustering.solve.columns import Duals, Master, let_in
from clustering.solve.cuts import violated
from clustering.solve.hubs import Priced, fixed_part
from clustering.solve.pricing import ROUGH

if TYPE_CHECKING:
    from clustering.solve.close import Proof

BATCH = 2500
"""Known columns let into the master at once."""
SETTLED = 0.002
"""Share of the master's value to which rough searches settle it."""
ROWS = 30
"""Subset rows added at once, for each 64 atoms."""
LITTLE = 0.003
"""Share of its value that a round of subset rows must add for the next one to be worth it."""
SHARP = 0.003
"""Share of the master's value by which the bound may stay below it in the end."""
WIDER = 4.0
"""Factor by which the box around the prices grows where it binds."""
EXACT = 5
"""Rounds of exact searches."""


@dataclass
class Climb:
    """The linear master of a large part, and the prices that search leans on.

    `level` is the bound that these prices would give if the rough searches had missed nothing.
    """

    proof: Proof
    master: Master
    centre: Duals
    level: float = -np.inf

    def search(self, prices: Duals, nodes: int, spare: int = 0) -> tuple[Priced, list[int]]:
        """Search around every hub; return what was found and the columns new to the master.

        Clusters whose reduced cost is not below zero by more than `spare` are not looked for.
        """
        proof, columns = self.proof, self.proof.columns
        limit = np.full(columns.n, int(prices.clusters) - spare, np.int64)
        priced = proof.pricer.run(
            prices,
            self.master.triples,
            limit,
            False,
            proof.stop,
            node_limit=nodes,
            total=proof.nodes_left,
        )
        proof.count("priced", 1)
        proof.count("nodes", priced.nodes)
        numbers = {columns.add(atoms, loan) for atoms, loan in priced.clusters} - {-1}
        return priced, sorted(numbers)

    def supposed(self, prices: Duals, numbers: list[int]) -> int:
        """Return the bound of these prices if no cluster is cheaper than the columns given."""
        columns, t = self.proof.columns, self.proof.tables
        least = np.full(columns.n, int(prices.clusters), np.int64)
        reduced = columns.reduced(prices, self.master.triples)[numbers]
        np.minimum.at(least, t.atom_of[columns.hub[numbers]], reduced)
        fixed = fixed_part(prices, self.master.triples, t.loan_count)
        return fixed + int(np.sort(least)[: self.proof.clusters].sum())


def settle(climb: Climb) -> float:
    """Add columns by rough searches until the master's value hardly falls; return the value."""
    proof, master = climb.proof, climb.master
    for _ in range(proof.max_rounds):
        value, duals = master.solve()
        if proof.over():
            return value
        if let_in(proof.columns, master, duals, BATCH):
            continue
        fresh: list[int] = []
        for share in (0.5, 0.0):
            prices = duals.mixed(climb.centre, share).whole()
            _, numbers = climb.search(prices, ROUGH)
            if proof.over():
                return value
            level = climb.supposed(prices, numbers)
            if level > climb.level:
                climb.centre, climb.level = prices, level
            fresh = sorted(set(numbers) - set(master.inside))
            if fresh:
                break
        proof.tell("proof", proof.best_cost, proof.bound, None)
        if not fresh or value - climb.level <= SETTLED * abs(value):
            return value
        master.add(proof.columns, fresh)
    return value


def sharpen(climb: Climb) -> None:
    """Make the prices of the master a bound, by searches that miss nothing."""
    proof, master = climb.proof, climb.master
    for _ in range(EXACT):
        value, duals = master.solve()
        spare = int(SHARP * abs(value)) // (2 * proof.clusters)
        fresh: list[int] = []
        for share in (0.5, 0.0):
            prices = duals.mixed(climb.centre, share).whole()
            priced, numbers = climb.search(prices, proof.pricer.node_limit, spare)
            if proof.learn(prices, master.triples, priced):
                climb.centre = prices
            proof.tell("proof", proof.best_cost, proof.bound, None)
            if proof.over() or proof.closed or value - proof.dual_bound <= SHARP * abs(value):
                return
            fresh = sorted(set(numbers) - set(master.inside))
            if fresh:
                break
        if not fresh:
            return
        master.add(proof.columns, fresh)
        settle(climb)


def climb_up(proof: Proof, guess: NDArray[np.float64], reach: float) -> Master:
    """Raise the bound of a large part: subset rows as long as they help, then exact searches.

    Returns the master. Rows are left off once the bound would be high enough, or half of the nodes
    are used up.
    """
    columns, cost = proof.columns, proof.best_cost
    goal = min(proof.enough, cost - proof.gap * abs(cost))
    master = Master(proof.tables, guess, reach)
    order = np.argsort(columns.cost, kind="stable")
    master.add(columns, [*proof.best, *order[:BATCH].tolist()])
    start = Duals(guess, 0.0, np.zeros(len(master.lent)), np.zeros(0))
    climb = Climb(proof, master, start)
    value = settle(climb)
    proof.facts["root"] = int(min(value, climb.level))
    for _ in range(proof.max_cut_rounds):
        if proof.over() or climb.level >= goal or 2 * proof.nodes_left < proof.max_nodes:
            break
        rows = violated(columns, master.weights(columns), master.triples, ROWS)
        if not len(rows):
            break
        # a box that binds is what keeps the bound low; prices move anyway while rows come in
        master.widen(WIDER)
        master.cut(columns, rows)
        proof.count("cuts", len(rows))
        before, value = value, settle(climb)
        if value - before < LITTLE * abs(value):
            break
    sharpen(climb)
    return master
