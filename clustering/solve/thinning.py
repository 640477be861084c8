"""Fewer clusters to choose from: those of a complete list that a better plan can hold.

Once a list holds every cluster of every plan below a target, the master over that list alone can
be tightened at will, since nothing is priced any more: subset rows are added while they help, and
a cluster goes when even with the cheapest others it costs the target (Baldacci, Christofides &
Mingozzi 2008). All sums are whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from clustering.solve.columns import Duals, Master
from clustering.solve.cuts import violated
from clustering.solve.hubs import fixed_part
from clustering.solve.tables import Ints

if TYPE_CHECKING:
    from clustering.solve.close import Proof

FEW = 1_500
"""Clusters that are few enough to choose from."""
ROUNDS = 40
"""Rounds of subset rows."""
SMALL = 0.01
"""Share of the list that must go in a round for the next one to be worth it."""
WIDENINGS = 6
"""How often the prices of slack are doubled before the list is taken not to cover every atom."""
BATCH = 500
"""Columns let into the master at once."""


def thinned(proof: Proof, numbers: Ints, rows: Ints, target: int) -> tuple[Ints, int]:
    """Return the columns of a complete list that plans below `target` can hold, and their bound.

    `rows` are the subset rows known so far. No plan made of the list costs less than the bound,
    which is at most the target.
    """
    columns, duals = proof.columns, proof.duals
    bound = proof.dual_bound
    if len(numbers) <= FEW or duals is None:
        return numbers, bound
    master = Master(proof.tables, duals.atoms.astype(float), float(abs(target)))
    if len(rows):
        master.cut(columns, rows)
    for round_ in range(ROUNDS):
        prices = converge(proof, master, numbers)
        if prices is None:
            return numbers, bound
        whole = prices.whole()
        reduced = columns.reduced(whole, master.triples)[numbers]
        fixed = fixed_part(whole, master.triples, proof.tables.loan_count)
        least = int(reduced.min())
        bound = max(bound, min(fixed + proof.clusters * least, target))
        kept = numbers[reduced < target - fixed - (proof.clusters - 1) * least]
        gone = len(numbers) - len(kept)
        numbers = kept
        if not len(numbers):
            return numbers, target
        if len(numbers) <= FEW or (round_ > 3 and gone < SMALL * len(numbers)):
            return numbers, bound
        rows = violated(columns, master.weights(columns), master.triples, most=40)
        if not len(rows):
            return numbers, bound
        master.cut(columns, rows)
        proof.count("rows on lists", len(rows))
    return numbers, bound


def converge(proof: Proof, master: Master, numbers: Ints) -> Duals | None:
    """Let columns of the list in until none has a negative reduced cost; return the prices.

    Any prices give a bound. Where the list cannot cover every atom the slack stays in, and its
    price alone shows that no plan is below the target. None if the work was stopped or the master
    cannot be solved, which is counted.
    """
    columns, widened = proof.columns, 0
    while not proof.stop():
        try:
            _, duals = master.solve()
        except ArithmeticError:
            proof.count("masters given up", 1)
            return None
        reduced = columns.reduced(duals, master.triples)[numbers] - duals.clusters
        order = np.argsort(reduced, kind="stable")[:BATCH]
        fresh = numbers[order[reduced[order] < -1e-3]].tolist()
        before = len(master.inside)
        master.add(columns, fresh)
        if len(master.inside) > before:
            continue
        if widened == WIDENINGS or not master.widen():
            return duals
        widened += 1
    return None
