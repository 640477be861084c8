"""Which numbers to hide: as little as possible, so that no small one can be worked out.

Each reason that a quantity is not safe names rows of which one must say less. The choice is the
cheapest that answers every reason heard so far; it is audited again, which gives new reasons, until
there are none. As a reason holds whatever else is hidden, the first choice without reasons costs
least (but for reasons of whole numbers alone, which name rows near by). After `PATIENCE` rounds
what is hidden stays hidden, so that the end is near on any pack, and at the end each hidden number
is shown again where the rest protects without it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array, vstack

from clustering.publish.disclosure_system import SILENT, System
from clustering.publish.disclosure_worlds import EXACT, Reason, Worlds, blocks

PATIENCE = 60
"""Rounds in which anything hidden may be shown again."""
SILENCE = 0.25
"""What a word that tells nothing costs on top of hiding the number, against hiding it at all."""


class Unsafe(Exception):
    """A quantity stays too narrow with everything hidden: what is public gives it away."""


def choose(system: System) -> NDArray[np.int64]:
    """Return the level of each row; `Unsafe` where hiding everything would not do."""
    level = system.least.copy()
    for block, rows in blocks(system):
        level[rows] = _choose(block)
    return level


def _choose(block: System) -> NDArray[np.int64]:
    worlds, heard = Worlds(block), list[Reason]()
    level = block.least.copy()
    floor = level.copy()
    for turn in range(PATIENCE + 2 * len(level)):
        reasons = worlds.reasons(level)
        if not reasons:
            return level if turn <= PATIENCE else _shown_again(worlds, level)
        if not all(reasons):
            break
        heard += reasons
        if turn >= PATIENCE:
            floor = level
        level = _cheapest(block, floor, heard)
    raise Unsafe


def _shown_again(worlds: Worlds, level: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the levels without those that nothing needs, the dearest tried first."""
    block = worlds.system
    above = np.flatnonzero(level > block.least)
    for row in above[np.argsort(-block.cost[above], kind="stable")]:
        trial = level.copy()
        trial[row] = block.least[row]
        if not worlds.reasons(trial, first=True):
            level = trial
    return level


def _cheapest(block: System, floor: NDArray[np.int64], heard: list[Reason]) -> NDArray[np.int64]:
    """Return the cheapest levels of at least `floor` that answer every reason."""
    number = len(floor)
    cost = np.concatenate([block.cost, SILENCE * block.cost])
    lower = np.concatenate([floor >= 1, floor >= SILENT]).astype(float)
    steps = csr_array(
        (
            np.concatenate([np.ones(number), -np.ones(number)]),
            (np.tile(np.arange(number), 2), np.arange(2 * number)),
        )
    )
    columns = [row + number * (least - 1) for reason in heard for row, least in reason]
    at = [k for k, reason in enumerate(heard) for _ in reason]
    answers = csr_array((np.ones(len(at)), (at, columns)), shape=(len(heard), 2 * number))
    low = np.concatenate([np.zeros(number), np.ones(len(heard))])
    found = milp(
        cost,
        integrality=np.ones(2 * number),
        bounds=Bounds(lower, np.ones(2 * number)),
        constraints=LinearConstraint(vstack([steps, answers]), low, np.inf),
        options={"mip_rel_gap": 0.0, "node_limit": 2000},
    )
    if found.x is None:  # not reached so far: hiding everything named always answers
        lower[columns] = 1.0
        return np.maximum(lower[:number], 2 * lower[number:]).astype(int)
    return (found.x[:number] > 1 - EXACT).astype(int) + (found.x[number:] > 1 - EXACT)
