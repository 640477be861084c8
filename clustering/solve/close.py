"""Close the gap: column generation, subset rows, enumeration and a last small set partitioning.

1. The linear master is priced by the exact pricer until no cluster has a negative reduced cost;
   its duals give a bound on every plan (Dantzig & Wolfe 1960; in whole numbers, see `hubs`).
2. Violated subset rows are added and priced (Jepsen, Petersen, Spoorendonk & Pisinger 2008).
3. A better plan than the best one known holds only clusters whose reduced cost is less than what
   the gap leaves (Baldacci, Christofides & Mingozzi 2008): all of them are listed, the list is
   thinned (`thinning`), and the best choice of what is left is found by CP-SAT. If there is none,
   the plan is proved best.

In a part with more than `WIDEST` atoms an exact round is dear: the master is settled and given its
subset rows by rough searches first (`wide`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from clustering.solve.around import FAR_OFF, WIDEST
from clustering.solve.columns import Columns, Duals, Master, let_in
from clustering.solve.cuts import violated
from clustering.solve.halt import Halt
from clustering.solve.hubs import Priced, Pricer, fixed_part, without_cost
from clustering.solve.partition import best_choice
from clustering.solve.pricing import ROUGH
from clustering.solve.tables import CLUSTER, COUNT, Ints, Tables
from clustering.solve.thinning import thinned
from clustering.solve.wide import climb_up

NOTHING = 2**50
"""Cost of the best plan when none is known."""
BATCH = 300
"""Columns let into the master at once."""
KNOWN = 3000
"""Columns among which a better plan is looked for before the proof is done."""
FEW = 10
"""Columns of a round that was cut off below which the next may go further."""
TAIL = 0.01
"""Share of the master's value by which the bound of a large part may stay below it."""
NEAR = 0.02
"""Gap, as a share of the cost, from which listing all clusters that fit in it is worth a try."""
LARGE = 4 * WIDEST
"""Atoms of a part beyond which lists of clusters are hopeless unless the gap is very small."""
SMALL = 0.01
"""Such a gap, as a share of the cost."""


@dataclass
class Proof:
    """The state of one proof. Costs are without `Model.base`."""

    tables: Tables
    columns: Columns
    pricer: Pricer
    max_rounds: int
    max_cut_rounds: int
    max_nodes: int
    """Nodes of all searches for columns together; the proof ends where they are used up."""
    max_choice: float
    """Deterministic time of CP-SAT for all choices among columns together."""
    stop: Halt
    tell: Callable[[str, int | None, int | None, float | None], None]
    best: list[int] = field(default_factory=list)
    """Columns of the best plan."""
    best_cost: int = NOTHING
    bound: int = -NOTHING
    gap: float = 0.0
    """Share of the cost by which the bound may stay below it."""
    enough: int = NOTHING
    """Bound from which on nobody wants to know more."""
    dual_bound: int = -NOTHING
    """The part of the bound that the prices alone give; lists of clusters are cut by them."""
    too_wide: int = NOTHING
    """Distance from that bound to a target for which the list was too long."""
    infeasible: bool = False
    converged: bool = False
    choice_used: float = 0.0
    facts: dict[str, int] = field(default_factory=dict)
    duals: Duals | None = None
    priced: Priced | None = None

    @property
    def clusters(self) -> int:
        """The number of clusters K."""
        return int(self.tables.prices[COUNT])

    @property
    def closed(self) -> bool:
        """Whether nothing is left to prove."""
        left = self.best_cost - self.bound
        enough = self.best_cost < NOTHING and left <= self.gap * abs(self.best_cost)
        return self.infeasible or enough or self.bound >= self.enough

    @property
    def nodes_left(self) -> int:
        """How many nodes may still be searched."""
        return self.max_nodes - self.facts.get("nodes", 0)

    def over(self) -> bool:
        """Return whether to stop: asked to, or all nodes used up."""
        return self.stop() or self.nodes_left < 0

    def count(self, fact: str, more: int) -> None:
        """Add to a number of the log."""
        self.facts[fact] = self.facts.get(fact, 0) + more

    def offer(self, plan: Iterable[int]) -> None:
        """Take a plan, given as columns, if it is better than the best one."""
        chosen = sorted(plan)
        cost = int(self.columns.cost[chosen].sum())
        if cost < self.best_cost:
            self.best, self.best_cost = chosen, cost

    def learn(self, duals: Duals, triples: Ints, priced: Priced) -> bool:
        """Take the bound of a round of pricing; return whether it is the best so far."""
        least = priced.sum_of_least(self.clusters)
        if least >= FAR_OFF:
            self.infeasible = True
            return True
        found = fixed_part(duals, triples, self.tables.loan_count) + least
        if found <= self.dual_bound:
            return False
        self.dual_bound, self.duals, self.priced = found, duals, priced
        self.bound = max(self.bound, found)
        return True


def prove(proof: Proof) -> None:
    """Raise the bound of a proof and lower its best cost until they meet or the limits are hit.

    Should the linear master not be solved, the proof ends with what is known by then, and says so.
    """
    try:
        _prove(proof)
    except ArithmeticError:
        proof.count("masters given up", 1)


def _prove(proof: Proof) -> None:
    if not proof.best and not plausible(proof):
        return
    guess, reach = _guess(proof)
    if proof.columns.n > WIDEST:
        master = climb_up(proof, guess, reach)
        proof.facts["columns"] = proof.columns.size
        choose_known(proof, master.triples)
        left = proof.best_cost - proof.bound
        hopeless = proof.columns.n > LARGE and left > SMALL * abs(proof.best_cost)
        if proof.closed or proof.over() or hopeless:
            return
    else:
        master = Master(proof.tables, guess, reach)
        order = np.argsort(proof.columns.cost, kind="stable")
        master.add(proof.columns, [*proof.best, *order[: 4 * BATCH].tolist()])
    for cut_round in range(proof.max_cut_rounds + 1):
        generate(proof, master, guess)
        proof.facts.setdefault("root", proof.bound)
        proof.facts["columns"] = proof.columns.size
        if proof.closed or proof.over():
            return
        gap = (proof.best_cost - proof.bound) / max(abs(proof.best_cost), 1)
        if gap > NEAR:
            choose_known(proof, master.triples)
        deepen(proof, master.triples, [0.005, 0.02] if gap > 0.01 else [0.005])
        if proof.closed or proof.over():
            return
        if cut_round == proof.max_cut_rounds or not proof.converged:
            break
        triples = violated(proof.columns, master.weights(proof.columns), master.triples)
        if not len(triples):
            break
        master.cut(proof.columns, triples)
        proof.count("cuts", len(triples))
    deepen(proof, master.triples, (0.01, 0.02, 0.04, 0.08, 0.16, 0.5, 1.0, np.inf))


def plausible(proof: Proof) -> bool:
    """Return whether clusters exist that cover every atom once, at least in shares.

    The master with clusters that cost nothing: where even its bound is above zero, no plan exists,
    and that is proved (the duals are a certificate in the sense of Farkas 1902).
    """
    master = Master(proof.tables, np.zeros(proof.columns.n), 10_000.0, free=True)
    master.add(proof.columns, range(proof.columns.size))
    generate(proof, master)
    proof.count("existence", 1)
    proof.bound = proof.dual_bound = -NOTHING
    proof.duals = proof.priced = None
    return not proof.infeasible and not proof.over()


def choose_known(proof: Proof, triples: Ints) -> None:
    """Look for a plan among the columns generated so far, those of least reduced cost."""
    if proof.duals is None:
        return
    reduced = proof.columns.reduced(proof.duals, triples[: len(proof.duals.rows)])
    picked = np.argsort(reduced, kind="stable")[:KNOWN]
    answer = best_choice(proof, np.sort(picked), proof.best_cost, 3.0)
    if answer.plan is not None:
        proof.offer(answer.plan)


def _guess(proof: Proof) -> tuple[NDArray[np.float64], float]:
    """Return a first price for every atom and how far from it prices may stray at first.

    A cluster of the best plan is paid by its schools, but for a quarter that the number of
    clusters pays.
    """
    t, columns = proof.tables, proof.columns
    schools = float(t.size.sum())
    if not proof.best:
        even = float(np.median(t.travel) + t.out.sum() / len(t.size) + t.prices[CLUSTER])
        return np.full(columns.n, even) * t.size, 4.0 * even
    guess = np.zeros(columns.n)
    for k in proof.best:
        inside = np.flatnonzero(columns.holds[k])
        guess[inside] = 0.75 * columns.cost[k] * t.size[inside] / t.size[inside].sum()
    return guess, 1.5 * proof.best_cost / schools + 100.0


def generate(proof: Proof, master: Master, guess: NDArray[np.float64] | None = None) -> None:
    """Column generation until no cluster has a negative reduced cost, or the gap is closed.

    `guess` are prices to lean on while there are none that give a bound.
    """
    centre, nodes, widened = proof.duals, ROUGH, 0
    if centre is None and guess is not None:
        rows = len(master.triples)
        centre = Duals(guess, 0.0, np.zeros(len(master.lent)), np.zeros(rows))
    proof.converged = False
    wide = proof.columns.n > WIDEST and not master.free
    tables = without_cost(proof.tables) if master.free else proof.tables
    for _ in range(proof.max_rounds):
        if proof.over():
            return
        value, duals = master.solve()
        slack = value > 1e-6
        if master.free and not slack:
            return
        proof.count("rounds", 1)
        if let_in(proof.columns, master, duals, BATCH * max(1, proof.columns.n // 64)):
            continue
        tried = [duals] if centre is None else [duals.mixed(centre, 0.5), duals]
        fresh: list[int] = []
        for point in tried:
            whole = point.whole()
            limit = np.full(proof.columns.n, int(whole.clusters), np.int64)
            priced = proof.pricer.run(
                whole,
                master.triples,
                limit,
                False,
                proof.stop,
                node_limit=nodes,
                total=proof.nodes_left,
                tables=tables,
            )
            proof.count("priced", 1)
            proof.count("nodes", priced.nodes)
            if proof.over():
                return
            if master.free:
                least = priced.sum_of_least(proof.clusters)
                proof.infeasible = (
                    fixed_part(whole, master.triples, proof.tables.loan_count) + least > 0
                )
            elif proof.learn(whole, master.triples, priced) or centre is None:
                centre = whole
            proof.tell("proof", proof.best_cost, proof.bound, None)
            if proof.closed or (wide and _nearly(proof, value)):
                proof.converged = True
                return
            numbers = {proof.columns.add(atoms, loan) for atoms, loan in priced.clusters}
            fresh = sorted(numbers - {-1} - set(master.inside))
            if fresh:
                master.add(proof.columns, fresh)
                break
        if len(fresh) < FEW and not priced.complete and nodes < proof.pricer.node_limit:
            nodes *= 8
            continue
        if not fresh:
            if widened < 30 and not master.free and master.widen():
                widened += 1
                continue
            proof.converged = True
            return


def _nearly(proof: Proof, value: float) -> bool:
    """Is the bound of the prices so near the master's value that subset rows will raise it more?"""
    return value - proof.dual_bound <= TAIL * abs(value)


def deepen(proof: Proof, triples: Ints, steps: Iterable[float]) -> None:
    """List the clusters of all plans that cost at most a little more than the bound, then more.

    Each step either finds the best plan of all or raises the bound by a share of it; the last goes
    up to the best plan known. A step with too many clusters ends the attempt.
    """
    for step in steps:
        if proof.closed or proof.over():
            return
        target = proof.best_cost
        if step <= 1.0:
            target = min(target, proof.bound + int(step * abs(proof.bound)) + 1)
        if target - proof.dual_bound >= proof.too_wide:
            return
        if not list_and_choose(proof, triples, target):
            proof.too_wide = target - proof.dual_bound
            return


def list_and_choose(proof: Proof, triples: Ints, target: int) -> bool:
    """Find the best plan that costs less than `target`, or prove that there is none.

    Returns whether either was done. A cluster of such a plan pays, beside what every plan pays and
    the least that K − 1 others pay, less than what is left to the target.
    """
    duals, priced = proof.duals, proof.priced
    if duals is None or priced is None:
        return False
    # the rows that came after the best duals have no price in them
    triples = triples[: len(duals.rows)]
    left = target - fixed_part(duals, triples, proof.tables.loan_count)
    others = [priced.sum_of_least(proof.clusters - 1, i) for i in range(proof.columns.n)]
    limits = np.array([left - min(other, NOTHING) for other in others], np.int64)
    listed = proof.pricer.run(duals, triples, limits, True, proof.stop, total=proof.nodes_left)
    proof.count("nodes", listed.nodes)
    if not listed.complete:
        proof.count("lists too long", 1)
        return False
    found = set()
    for atoms, loan in listed.clusters:
        if proof.stop():
            return False
        found.add(proof.columns.add(atoms, loan))
    numbers = sorted(found - {-1})
    proof.count("listed", len(numbers))
    few, low = thinned(proof, np.array(numbers, np.int64), triples, target)
    proof.bound = max(proof.bound, min(low, proof.best_cost))
    if proof.closed:
        return True
    proof.count("left", len(few))
    answer = best_choice(proof, few, target)
    if answer.plan is not None:
        proof.offer(answer.plan)
    proof.bound = max(proof.bound, min(answer.bound, proof.best_cost))
    if proof.bound >= NOTHING:
        proof.infeasible = True
    return answer.complete
