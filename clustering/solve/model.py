"""One part of a problem as whole numbers, ready for search and proof.

Symbols
-------
A part holds *atoms* i = 0..n−1: schools that are tied together are one atom. A cluster is a set of
atoms C with a hub h (a school of C) and, if it lacks a secondary, a loan l (a secondary of another
cluster that serves this one too, or a waiver). For a fixed number of clusters K the cost of a
cluster, in hundredths of a minute, is

    cost(C, h, l) = price_cluster
                  + Σ_{i∈C} travel[i, h]                     minutes to the hub
                  + Σ_{(i→j): i∈C, j∉C} cut(i→j)             leavers who leave the cluster
                  + balance(need(C)) + size(pupils(C))       deviation from the part's mean
                  + crossing · (schools(C) − most schools of C in one area)
                  + change · (placed schools(C) − most schools of C in one existing cluster)
                  + travel of l to h − Σ_{i∈C} cut(i→l)            a lent secondary takes part
                  + Σ_types srp(minutes from h to the nearest SRP)  held in the travel of h's atom

and the objective of a part is `base` (flows that leave the part, which no plan can keep) plus the
sum over its clusters. `Model.cost` below is the one definition; the compiled kernels are tested
against it, and the audit (`clustering.report`) computes the same sum again from the problem.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from clustering.problem import Part, Problem, least_steps, neighbours_among
from clustering.rules import AreaRules, Filled, balance_price, cents, priced, srp_price

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
NO_LIMIT = 2**40


@dataclass(frozen=True)
class LimitClass:
    """Whole-number limits on a cluster; which class holds for a cluster says `Model.class_of`."""

    schools: tuple[int, int]
    pupils: tuple[int, int]
    secondaries: int
    primaries: int
    need_permille: int
    """Widest deviation from the mean in thousandths; `NO_LIMIT` for none."""
    max_minutes: float
    least_need: int = 0
    """Least need in tenths of a unit."""
    reach: tuple[float, ...] = ()
    """Widest minutes from the hub to an SRP of each type; infinite for none."""


@dataclass(frozen=True)
class Loan:
    """A way for a cluster to do without a secondary of its own."""

    school: int
    """Position in the part's schools of the associate secondary; −1 for a waiver."""
    atom: int
    """Atom of that school; −1 for a waiver."""
    area: int
    """Area whose clusters may use it; −1 for any."""
    count: int
    """How many clusters may use it."""


@dataclass(frozen=True, eq=False)
class Model:
    """A part in whole numbers. Arrays over atoms (n), hub schools (m), areas (A), old clusters (O).

    Money-like numbers are hundredths of a minute; need is in tenths of a unit.
    """

    name: str
    schools: tuple[int, ...]
    """Positions in the problem of the part's schools, in order; a hub is an index into these."""
    atom_of: Ints
    """Atom of each school of the part."""
    size: Ints
    primaries: Ints
    secondaries: Ints
    """Non-selective secondaries in each atom."""
    pupils: Ints
    need: Ints
    area_count: Ints
    """(n, A) schools of each atom in each area."""
    old_count: Ints
    """(n, O) schools of each atom in each existing cluster."""
    travel: Ints
    """(n, m) price of an atom's minutes to each hub school; that of a hub's own atom holds what the
    hub costs by its minutes to SRPs. A hub is never without its atom: so both are paid once."""
    far: NDArray[np.float64]
    """(n, m) minutes from the farthest school of an atom to each hub school."""
    hub_allowed: Bools
    """(m,) schools that can be a hub."""
    pin: Ints
    """(n,) hub school that a cluster with this atom must have; −1 for none."""
    cut: Ints
    """(n, n) price of the leavers from atom i to atom j when they are in different clusters."""
    adjacent: Bools
    """(n, n) atoms that are neighbours; all of them where clusters need not be connected."""
    apart: tuple[tuple[int, int], ...]
    anchor_class: Ints
    """(n,) limit class that an atom brings to its cluster; −1 for none."""
    area_class: Ints
    """(A,) limit class of a cluster whose schools stand mostly in this area."""
    classes: tuple[LimitClass, ...]
    loans: tuple[Loan, ...]
    loan_cut: Ints
    """(loans, n) price of the leavers from each atom to the school of a loan; 0 for a waiver."""
    school_travel: Ints
    """(m, m) price of the minutes from each school of the part to each hub school."""
    school_minutes: NDArray[np.float64]
    """(m, m) minutes from each school of the part to each hub school."""
    crossing: int
    change: int
    price_cluster: int
    balance: float
    size_balance: float
    base: int
    reach: NDArray[np.float64]
    """(m, types) minutes from each hub school to the nearest SRP of each type."""

    def __len__(self) -> int:
        return len(self.size)

    @cached_property
    def total_need(self) -> int:
        """Sum of need over the part, in tenths."""
        return int(self.need.sum())

    @cached_property
    def total_pupils(self) -> int:
        """Sum of pupils over the part."""
        return int(self.pupils.sum())

    @cached_property
    def in_reach(self) -> Bools:
        """(classes, m) hub schools near enough to an SRP of every type for a limit class."""
        return np.array([(self.reach <= np.array(c.reach)).all(axis=1) for c in self.classes])

    def class_of(self, atoms: Sequence[int]) -> int:
        """Return the limit class of a cluster: its anchor's, else its main area's.

        The first (lowest) anchor decides; the main area is the one with most schools, the first of
        several.
        """
        anchors = [int(self.anchor_class[i]) for i in sorted(atoms) if self.anchor_class[i] >= 0]
        if anchors:
            return anchors[0]
        return int(self.area_class[int(self.area_count[list(atoms)].sum(axis=0).argmax())])

    def cost(self, atoms: Sequence[int], hub: int, clusters: int, loan: int = -1) -> int:
        """Return the cost of a cluster when the part has `clusters` of them; see the module's head.

        `hub` is an index into `schools`, `loan` into `loans` (−1: none). Rules are not checked.
        """
        members = list(atoms)
        inside = np.zeros(len(self), bool)
        inside[members] = True
        cost = self.price_cluster + int(self.travel[members, hub].sum())
        cost += int(self.cut[members][:, ~inside].sum())
        need, pupils = int(self.need[members].sum()), int(self.pupils[members].sum())
        cost += balance_price(self.balance, need, self.total_need, clusters)
        cost += balance_price(self.size_balance, pupils, self.total_pupils, clusters)
        schools = int(self.size[members].sum())
        cost += self.crossing * (schools - int(self.area_count[members].sum(axis=0).max()))
        if self.old_count.shape[1]:
            old = self.old_count[members].sum(axis=0)
            cost += self.change * int(old.sum() - old.max())
        if loan >= 0 and self.loans[loan].school >= 0:
            lent = self.loans[loan]
            cost += int(self.school_travel[lent.school, hub])
            cost -= int(self.loan_cut[loan, members].sum())
        return cost

    def faults(self, atoms: Sequence[int], hub: int, clusters: int, loan: int = -1) -> list[str]:
        """Return the names of the rules that a cluster breaks; empty if it keeps all of them."""
        members = sorted(atoms)
        kind = self.class_of(members)
        limits = self.classes[kind]
        schools, pupils = int(self.size[members].sum()), int(self.pupils[members].sum())
        need = int(self.need[members].sum())
        checks = {
            "schools": limits.schools[0] <= schools <= limits.schools[1],
            "pupils": limits.pupils[0] <= pupils <= limits.pupils[1],
            "secondaries": self._secondaries_kept(members, hub, loan, limits),
            "primaries": int(self.primaries[members].sum()) >= limits.primaries,
            "need": abs(need * clusters - self.total_need) * 1000
            <= limits.need_permille * self.total_need,
            "least_need": need >= limits.least_need,
            "minutes": float(self.far[members, hub].max()) <= limits.max_minutes,
            "hub": bool(self.hub_allowed[hub])
            and self.atom_of[hub] in members
            and all(self.pin[i] in (-1, hub) for i in members),
            "srp": bool(self.in_reach[kind, hub]),
            "apart": not any(a in members and b in members for a, b in self.apart),
            "connected": self._connected(members),
        }
        return [rule for rule, kept in checks.items() if not kept]

    def _secondaries_kept(
        self, members: list[int], hub: int, loan: int, limits: LimitClass
    ) -> bool:
        own = int(self.secondaries[members].sum())
        if own >= limits.secondaries:
            return loan < 0
        if loan < 0:
            return False
        lent = self.loans[loan]
        area = int(self.area_count[members].sum(axis=0).argmax())
        if lent.area not in (-1, area):
            return False
        if lent.school < 0:
            return True
        near = float(self.school_minutes[lent.school, hub]) <= limits.max_minutes
        return near and lent.atom not in members and own + 1 >= limits.secondaries

    def _connected(self, members: list[int]) -> bool:
        seen, frontier, wanted = {members[0]}, [members[0]], set(members)
        while frontier:
            near = np.flatnonzero(self.adjacent[frontier.pop()]).tolist()
            fresh = (set(near) & wanted) - seen
            seen |= fresh
            frontier += sorted(fresh)
        return seen == wanted


def build_model(problem: Problem, part: Part) -> Model:
    """Return one part of a problem in whole numbers; ties become atoms, rules become limits."""
    schools = np.array(part.members, dtype=np.int64)
    local = {int(p): i for i, p in enumerate(schools)}
    atom_of, n = _atoms(problem, local)
    goals, rules = problem.goals, problem.rules
    m = len(schools)

    def gather(values: NDArray) -> Ints:
        out = np.zeros((n, *values.shape[1:]), np.int64)
        np.add.at(out, atom_of, values.astype(np.int64))
        return out

    minutes = problem.minutes[np.ix_(schools, schools)]
    price = np.floor(minutes * cents(goals.minutes) + 0.5).astype(np.int64)
    travel = gather(price)
    travel[atom_of, np.arange(m)] += [
        sum(srp_price(goals.srp, one) for one in row) for row in problem.reach[schools].tolist()
    ]
    far = np.full((n, m), 0.0)
    np.maximum.at(far, atom_of, minutes)
    areas = sorted({int(a) for a in problem.area[schools]})
    old = sorted({int(c) for c in problem.existing[schools]} - {-1})
    anchor_class, area_class, classes, loans = _limits(problem, local, atom_of, n, areas)
    cut, loan_cut, base = _cuts(problem, local, atom_of, n, loans)
    hubs = np.ones(m, bool) if rules.hub == "any" else problem.secondary[schools].copy()
    pin = np.full(n, -1, np.int64)
    for urn in problem.pinned_hubs:
        if problem.position[urn] in local:
            place = local[problem.position[urn]]
            pin[atom_of[place]] = place
            hubs[place] = True
    return Model(
        name=part.name,
        schools=tuple(part.members),
        atom_of=atom_of,
        size=np.bincount(atom_of, minlength=n).astype(np.int64),
        primaries=gather(problem.primary[schools]),
        secondaries=gather(problem.non_selective_secondary[schools]),
        pupils=gather(problem.pupils[schools]),
        need=gather(problem.need_steps[schools]),
        area_count=gather(problem.area[schools][:, None] == np.array(areas)[None, :]),
        old_count=gather(problem.existing[schools][:, None] == np.array(old, np.int64)[None, :]),
        travel=travel,
        far=far,
        hub_allowed=hubs,
        pin=pin,
        cut=cut,
        adjacent=_adjacent(problem, part, atom_of, n),
        apart=_apart(problem, local, atom_of),
        anchor_class=anchor_class,
        area_class=area_class,
        classes=classes,
        loans=loans,
        loan_cut=loan_cut,
        crossing=cents(goals.crossing) if rules.areas == "price" else 0,
        change=cents(goals.change),
        price_cluster=cents(goals.cluster),
        balance=goals.balance,
        size_balance=goals.size,
        base=base,
        school_travel=price,
        school_minutes=minutes,
        reach=problem.reach[schools],
    )


def _atoms(problem: Problem, local: dict[int, int]) -> tuple[Ints, int]:
    """Number the atoms in the order of their first school; schools that are tied share one."""
    leader = list(range(len(local)))
    for group in problem.ties:
        inside = sorted(local[problem.position[u]] for u in group if problem.position[u] in local)
        for place in inside[1:]:
            leader[place] = inside[0]
    number = {first: k for k, first in enumerate(sorted(set(leader)))}
    return np.array([number[first] for first in leader], np.int64), len(number)


def _cuts(
    problem: Problem, local: dict[int, int], atom_of: Ints, n: int, loans: tuple[Loan, ...]
) -> tuple[Ints, Ints, int]:
    cut, base = np.zeros((n, n), np.int64), 0
    loan_cut = np.zeros((len(loans), n), np.int64)
    lent = {loan.school: index for index, loan in enumerate(loans) if loan.school >= 0}
    for i, j, pupils in zip(
        problem.feeder_from.tolist(),
        problem.feeder_to.tolist(),
        problem.feeder_pupils.tolist(),
        strict=True,
    ):
        if i not in local:
            continue
        cost = priced(pupils, problem.goals.feeders)
        if j not in local:
            base += cost
        elif atom_of[local[i]] != atom_of[local[j]]:
            cut[atom_of[local[i]], atom_of[local[j]]] += cost
            if local[j] in lent:
                loan_cut[lent[local[j]], atom_of[local[i]]] += cost
    return cut, loan_cut, base


def _adjacent(problem: Problem, part: Part, atom_of: Ints, n: int) -> Bools:
    if not problem.rules.connected:
        return ~np.eye(n, dtype=bool)
    rows, columns = np.nonzero(neighbours_among(problem, part.members))
    linked = np.zeros((n, n), bool)
    linked[atom_of[rows], atom_of[columns]] = True
    np.fill_diagonal(linked, False)
    return linked


def _apart(problem: Problem, local: dict[int, int], atom_of: Ints) -> tuple[tuple[int, int], ...]:
    pairs = set()
    named = tuple(rules.contains for _, rules in sorted(problem.rules.cluster.items()))
    # Two named clusters are two clusters: their schools never share one.
    for group in (*problem.rules.apart, named):
        inside = [local[p] for p in problem.positions(group) if p in local]
        atoms = sorted({int(atom_of[place]) for place in inside})
        pairs |= {(a, b) for k, a in enumerate(atoms) for b in atoms[k + 1 :]}
    for group in problem.sealed:
        closed = {int(atom_of[local[p]]) for p in problem.positions(group) if p in local}
        others = set(atom_of.tolist()) - closed
        pairs |= {(min(a, b), max(a, b)) for a in closed for b in others}
    return tuple(sorted(pairs))


def _limits(
    problem: Problem, local: dict[int, int], atom_of: Ints, n: int, areas: list[int]
) -> tuple[Ints, Ints, tuple[LimitClass, ...], tuple[Loan, ...]]:
    rules = problem.rules
    names = [problem.area_names[area] for area in areas]
    classes = [_limit_class(rules.for_area(name), problem) for name in names]
    loans: list[Loan] = []
    for index, name in enumerate(names):
        own = rules.area.get(name, AreaRules())
        lent = [local[p] for p in problem.positions(own.associates) if p in local]
        loans += [Loan(place, int(atom_of[place]), index, 1) for place in lent]
        if own.without_secondary:
            loans.append(Loan(-1, -1, index, own.without_secondary))
    anchor_class = np.full(n, -1, np.int64)
    for name, named in sorted(rules.cluster.items()):
        place = local.get(problem.positions([named.contains])[0], -1)
        if place >= 0:
            area_name = problem.area_names[int(problem.area[problem.position[named.contains]])]
            anchor_class[atom_of[place]] = len(classes)
            classes.append(_limit_class(rules.for_cluster(name, area_name), problem))
    return anchor_class, np.arange(len(areas), dtype=np.int64), tuple(classes), tuple(loans)


def _limit_class(limits: Filled, problem: Problem) -> LimitClass:
    permille = limits.need_permille
    return LimitClass(
        schools=limits.schools,
        pupils=limits.pupils or (0, NO_LIMIT),
        secondaries=limits.secondaries,
        primaries=limits.primaries,
        need_permille=NO_LIMIT if permille is None else permille,
        max_minutes=limits.max_minutes_to_hub,
        least_need=least_steps(limits.least_need(problem.pounds_a_unit)),
        reach=limits.reach_limits(problem.reach_names),
    )
