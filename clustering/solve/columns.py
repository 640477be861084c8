"""Columns (clusters with their cost) and the linear master that prices the atoms.

The master is the linear relaxation of set partitioning (Garfinkel & Nemhauser 1970; Mehrotra,
Johnson & Nemhauser 1998 for districts): choose clusters x_C ≥ 0 of least cost so that each atom is
covered once, K are chosen, no loan is used more often than it may be, and for some sets T of three
or five atoms the chosen clusters hold at most one or two pairs of them (subset rows; Jepsen et al.
2008): Σ_C ⌊|C∩T|/2⌋ x_C ≤ ⌊|T|/2⌋.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from ortools.linear_solver import pywraplp

from clustering.solve.bits import rows_of
from clustering.solve.kernels import compiled
from clustering.solve.tables import BROKEN, COUNT, Ints, Tables, best_hub

WIDTH = 5
"""Most atoms in a subset row; shorter ones are filled up with −1."""


def pairs_in(holds: NDArray[np.uint8], rows: Ints, n: int) -> NDArray[np.uint8]:
    """Return (columns, rows) how many pairs of a subset row's atoms a cluster holds."""
    inside = np.zeros((n + 1, len(rows)), np.float32)
    for r, row in enumerate(rows):
        inside[row, r] = 1.0
    return (holds.astype(np.float32) @ inside[:n]).astype(np.uint8) // 2


def right_sides(rows: Ints) -> Ints:
    """Return how many pairs of the atoms of each subset row a plan can hold."""
    return (rows >= 0).sum(axis=1) // 2


@compiled
def paid_by(members, atoms, first, rows, price):
    """Return what each column gets from the prices of its atoms, less what it pays for rows.

    `members` are the atoms of each column, −1 beyond the last; `first` and `rows` the rows of each
    atom (`bits.rows_of`). Every second atom of a row pays its price.
    """
    out = np.zeros(len(members), atoms.dtype)
    held = np.zeros(len(price), np.int64)
    for c in range(len(members)):
        for i in members[c]:
            if i < 0:
                break
            out[c] += atoms[i]
            for place in range(first[i], first[i + 1]):
                r = rows[place]
                held[r] += 1
                if held[r] % 2 == 0:
                    out[c] -= price[r]
        for i in members[c]:
            if i < 0:
                break
            for place in range(first[i], first[i + 1]):
                held[rows[place]] = 0
    return out


@dataclass(frozen=True)
class Duals:
    """Prices of the rows: atoms (n,), number of clusters, loans (≥ 0), subset rows (≥ 0)."""

    atoms: NDArray
    clusters: float
    loans: NDArray
    rows: NDArray

    def mixed(self, other: Duals, share: float) -> Duals:
        """Return the point `share` of the way from these prices to others (Wentges 1997)."""
        longest = max(len(self.rows), len(other.rows))
        own, others = np.zeros(longest), np.zeros(longest)
        own[: len(self.rows)], others[: len(other.rows)] = self.rows, other.rows
        return Duals(
            self.atoms + share * (other.atoms - self.atoms),
            self.clusters + share * (other.clusters - self.clusters),
            self.loans + share * (other.loans - self.loans),
            own + share * (others - own),
        )

    def whole(self) -> Duals:
        """Return whole prices. Any prices give a valid bound, so rounding can only weaken it."""
        return Duals(
            np.rint(self.atoms).astype(np.int64),
            float(np.floor(self.clusters)),
            np.maximum(np.floor(self.loans), 0).astype(np.int64),
            np.maximum(np.floor(self.rows), 0).astype(np.int64),
        )


class Columns:
    """A growing set of clusters that keep all rules, one for each set of atoms and loan."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.n = len(tables.size)
        self._holds = np.zeros((1024, self.n), np.uint8)
        widest = min(self.n, int(tables.limits[:, 1].max()))
        self._members = np.full((1024, widest), -1, np.int64)
        self._cost = np.zeros(1024, np.int64)
        self._hub = np.zeros(1024, np.int64)
        self._loan = np.zeros(1024, np.int64)
        self._known: dict[tuple[bytes, int], int] = {}
        self.size = 0

    @property
    def holds(self) -> NDArray[np.uint8]:
        """(columns, n) 1 where a cluster holds an atom."""
        return self._holds[: self.size]

    @property
    def cost(self) -> Ints:
        """(columns,) cost in hundredths of a minute."""
        return self._cost[: self.size]

    @property
    def hub(self) -> Ints:
        """(columns,) hub with the least cost."""
        return self._hub[: self.size]

    @property
    def loan(self) -> Ints:
        """(columns,) loan or −1."""
        return self._loan[: self.size]

    def add(self, atoms: NDArray, loan: int) -> int:
        """Add a cluster with its best hub; return its number, or −1 if it breaks a rule."""
        members = np.sort(np.asarray(atoms, np.int64))
        row = np.zeros(self.n, np.uint8)
        row[members] = 1
        key = (np.packbits(row).tobytes(), loan)
        if key in self._known:
            return self._known[key]
        hub, cost = best_hub(self.tables, members, len(members), loan)
        if cost >= BROKEN:
            self._known[key] = -1
            return -1
        if self.size == len(self._cost):
            self._grow()
        at = self.size
        self._holds[at], self._cost[at] = row, cost
        self._members[at, : len(members)] = members
        self._hub[at], self._loan[at] = hub, loan
        self._known[key] = at
        self.size += 1
        return at

    def _grow(self) -> None:
        self._holds = np.concatenate([self._holds, np.zeros_like(self._holds)])
        self._members = np.concatenate([self._members, np.full_like(self._members, -1)])
        self._cost = np.concatenate([self._cost, np.zeros_like(self._cost)])
        self._hub = np.concatenate([self._hub, np.zeros_like(self._hub)])
        self._loan = np.concatenate([self._loan, np.zeros_like(self._loan)])

    def reduced(self, duals: Duals, triples: Ints, free: bool = False) -> NDArray:
        """Return the reduced cost of every column, the price of the number of clusters left out.

        With `free` the clusters themselves cost nothing.
        """
        priced = triples[: len(duals.rows)]
        first, rows = rows_of(self.n, priced, duals.rows)
        gained = paid_by(self._members[: self.size], duals.atoms, first, rows, duals.rows)
        out = self.cost * (not free) - gained
        lent = self.loan >= 0
        if lent.any():
            out = out + np.where(lent, duals.loans[np.maximum(self.loan, 0)], 0)
        return out


class Master:
    """The linear master over some of the columns, solved by GLOP from its last basis.

    Preprocessing is off: with it the basis, and hence the duals, would be thrown away each time.
    Slack columns keep the price of each atom within `reach` of a first guess, as in the boxstep
    method (Marsten, Hogan & Blankenship 1975), here softly: prices far from any sensible plan
    make pricing slow. Where the box binds at the end it is widened (`widen`): nothing is lost.

    With `free` clusters cost nothing: the master then asks whether any plan exists.
    """

    def __init__(self, tables: Tables, guess: NDArray, reach: float, *, free: bool = False) -> None:
        self.free = free
        self.n = len(tables.size)
        self.solver = pywraplp.Solver.CreateSolver("GLOP")
        self.solver.SetSolverSpecificParametersAsString("use_preprocessing:false")
        self.objective = self.solver.Objective()
        self.objective.SetMinimization()
        self.cover = [self.solver.Constraint(1.0, 1.0) for _ in range(self.n)]
        clusters = float(tables.prices[COUNT])
        self.count = self.solver.Constraint(clusters, clusters)
        self.lent = [self.solver.Constraint(0.0, float(c)) for c in tables.loan_count]
        self.rows: list[pywraplp.Constraint] = []
        self.triples = np.zeros((0, WIDTH), np.int64)
        self.inside: dict[int, pywraplp.Variable] = {}
        self.slacks = []
        box = [(row, float(g), reach) for row, g in zip(self.cover, guess, strict=True)]
        for row, middle, wide in [*box, (self.count, 0.0, reach * self.n)]:
            for sign in (1.0, -1.0):
                variable = self.solver.NumVar(0.0, self.solver.infinity(), "")
                row.SetCoefficient(variable, sign)
                self.objective.SetCoefficient(variable, wide + sign * middle)
                self.slacks.append(variable)

    def widen(self, factor: float = 2.0) -> bool:
        """Widen the box where it binds; return whether it bound anywhere."""
        bound = [v for v in self.slacks if v.solution_value() > 1e-7]
        for variable in bound:
            price = self.objective.GetCoefficient(variable)
            self.objective.SetCoefficient(variable, factor * abs(price) + 100.0)
        return bool(bound)

    def add(self, columns: Columns, numbers: Sequence[int]) -> None:
        """Let columns in."""
        fresh = [k for k in numbers if k not in self.inside]
        if not fresh:
            return
        pairs = pairs_in(columns.holds[np.array(fresh)], self.triples, self.n)
        for k, hit in zip(fresh, pairs, strict=True):
            variable = self.solver.NumVar(0.0, self.solver.infinity(), "")
            self.objective.SetCoefficient(variable, 0.0 if self.free else float(columns.cost[k]))
            for i in np.flatnonzero(columns.holds[k]).tolist():
                self.cover[i].SetCoefficient(variable, 1.0)
            self.count.SetCoefficient(variable, 1.0)
            if columns.loan[k] >= 0:
                self.lent[columns.loan[k]].SetCoefficient(variable, 1.0)
            for r in np.flatnonzero(hit).tolist():
                self.rows[r].SetCoefficient(variable, float(hit[r]))
            self.inside[k] = variable

    def cut(self, columns: Columns, triples: Ints) -> None:
        """Add subset rows."""
        numbers = np.array(list(self.inside), np.int64)
        pairs = pairs_in(columns.holds[numbers], triples, self.n)
        for r, most in enumerate(right_sides(triples)):
            row = self.solver.Constraint(-self.solver.infinity(), float(most))
            for place in np.flatnonzero(pairs[:, r]).tolist():
                variable = self.inside[int(numbers[place])]
                row.SetCoefficient(variable, float(pairs[place, r]))
            self.rows.append(row)
        self.triples = np.concatenate([self.triples, triples])

    def solve(self) -> tuple[float, Duals]:
        """Return the value and the prices of the rows."""
        status = self.solver.Solve()
        if status != pywraplp.Solver.OPTIMAL:
            raise ArithmeticError(f"the linear master ended with status {status}")
        duals = Duals(
            np.array([row.dual_value() for row in self.cover]),
            self.count.dual_value(),
            -np.array([row.dual_value() for row in self.lent]),
            -np.array([row.dual_value() for row in self.rows]),
        )
        return self.objective.Value(), duals

    def weights(self, columns: Columns) -> NDArray[np.float64]:
        """Return the share of each column in the last solution."""
        out = np.zeros(columns.size)
        for k, variable in self.inside.items():
            out[k] = variable.solution_value()
        return out


def let_in(columns: Columns, master: Master, duals: Duals, most: int) -> bool:
    """Let in at most `most` known columns with a negative reduced cost; return if any were."""
    reduced = columns.reduced(duals, master.triples, master.free) - duals.clusters
    reduced[list(master.inside)] = 0.0
    order = np.argsort(reduced, kind="stable")[:most]
    chosen = order[reduced[order] < -1e-3].tolist()
    master.add(columns, chosen)
    return bool(chosen)
