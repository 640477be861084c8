"""The sums behind an audit: limits, prices and breaches of a plan, from the problem alone.

Nothing here knows how a plan came about. Prices are worked out again from schools, minutes and
flows in whole hundredths of a minute, by the definitions in `clustering.rules`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

from clustering.plan import Cluster, Plan, limits_of, main_area
from clustering.problem import NEED_STEPS, Problem, least_steps, neighbours_among
from clustering.rules import Filled, balance_price, cents, priced, srp_price


@dataclass(frozen=True)
class Breach:
    """One rule that a plan breaks: where, in words, and by how much (in the rule's own unit)."""

    rule: str
    cluster: str
    text: str
    amount: float = 0.0
    urns: tuple[str, ...] = ()


class Audit:
    """The sums that breaches, goals and rows share, worked out once for a plan."""

    def __init__(self, plan: Plan, problem: Problem) -> None:
        problem = problem.without(plan.opted_out)
        self.plan, self.problem = plan, problem
        self.members = {c.label: problem.positions(c.schools) for c in plan.clusters}
        self.hub = {c.label: problem.positions([c.hub])[0] for c in plan.clusters}
        self.area = {c.label: main_area(problem, self.members[c.label]) for c in plan.clusters}
        self.label = ["" for _ in problem.urns]
        for label, members in self.members.items():
            for i in members:
                self.label[i] = label
        self.part_of = {
            label: area if problem.rules.areas == "never" else problem.parts()[0].name
            for label, area in self.area.items()
        }
        self.count = Counter(self.part_of.values())
        self.total_need: dict[str, int] = {}
        self.total_pupils: dict[str, int] = {}
        for part in problem.parts():
            members = list(part.members)
            self.total_need[part.name] = int(problem.need_steps[members].sum())
            self.total_pupils[part.name] = int(problem.pupils[members].sum())
        self.lent = self._lend()

    # -- limits ---------------------------------------------------------------------------------

    def limits(self, label: str) -> Filled:
        """Return the limits that hold for a cluster: a named one's, else its main area's."""
        return limits_of(self.problem, self.members[label])

    def secondaries(self, label: str) -> int:
        """Return the non-selective secondaries of a cluster's own."""
        return int(self.problem.non_selective_secondary[self.members[label]].sum())

    def _lend(self) -> dict[str, int]:
        """Assign associates and waivers to clusters without enough secondaries, cheapest first.

        Returns the position of the lent secondary by cluster, −1 for a waiver.
        """
        problem = self.problem
        short = [
            label
            for label in self.members
            if self.secondaries(label) < self.limits(label).secondaries
        ]
        offers: list[tuple[str, int]] = []
        for area, own in sorted(problem.rules.area.items()):
            offers += [(area, i) for i in problem.positions(own.associates)]
            offers += [(area, -1)] * own.without_secondary
        if not short or not offers:
            return {}
        never = 10**12
        costs = np.full((len(short), len(offers) + len(short)), never, dtype=np.int64)
        costs[:, len(offers) :] = never // 10
        for s, label in enumerate(short):
            for o, (area, lent) in enumerate(offers):
                if area == self.area[label] and self._can_lend(label, lent):
                    costs[s, o] = self._lending_price(label, lent)
        rows, columns = linear_sum_assignment(costs)
        return {
            short[r]: offers[c][1]
            for r, c in zip(rows.tolist(), columns.tolist(), strict=True)
            if c < len(offers) and costs[r, c] < never
        }

    def _can_lend(self, label: str, lent: int) -> bool:
        if lent < 0:
            return True
        limits = self.limits(label)
        near = self.problem.minutes[lent, self.hub[label]] <= limits.max_minutes_to_hub
        enough = self.secondaries(label) + 1 >= limits.secondaries
        return bool(near) and enough and lent not in self.members[label]

    def _lending_price(self, label: str, lent: int) -> int:
        if lent < 0:
            return 0
        goals = self.problem.goals
        price = priced(float(self.problem.minutes[lent, self.hub[label]]), goals.minutes)
        return price - sum(
            priced(p, goals.feeders)
            for i, j, p in self.flows()
            if j == lent and self.label[i] == label
        )

    def flows(self) -> Iterable[tuple[int, int, float]]:
        """Yield the feeder links: from and to as positions, and pupils a year."""
        problem = self.problem
        return zip(
            problem.feeder_from.tolist(),
            problem.feeder_to.tolist(),
            problem.feeder_pupils.tolist(),
            strict=True,
        )

    @cached_property
    def moves(self) -> pd.DataFrame:
        """Everybody who changes school: `home` (cluster left, "" for none), `origin`, `goal`,
        `pupils`, `kept`; also the flows that are too small to be priced."""
        problem = self.problem
        origin = np.concatenate([problem.feeder_from, problem.small_from])
        goal = np.concatenate([problem.feeder_to, problem.small_to])
        label = np.array(self.label, dtype=object)
        lent = np.array([self.lent.get(home, -1) for home in self.label], np.int64)
        kept = (label[origin] != "") & ((label[origin] == label[goal]) | (lent[origin] == goal))
        return pd.DataFrame(
            {
                "home": label[origin],
                "origin": origin,
                "goal": goal,
                "pupils": np.concatenate([problem.feeder_pupils, problem.small_pupils]),
                "kept": kept.astype(bool),
            }
        )

    def kept(self, i: int, j: int) -> bool:
        """Does a leaver from school i to school j stay in the cluster (or with its associate)?"""
        home = self.label[i]
        return bool(home) and (self.label[j] == home or self.lent.get(home, -1) == j)

    # -- goals ----------------------------------------------------------------------------------

    def goals(self) -> dict[str, int]:
        """Return the price of each goal in hundredths of a minute, over the whole plan."""
        total = {"minutes": 0, "feeders": 0, "balance": 0, "size": 0}
        total |= {"crossing": 0, "change": 0, "cluster": 0}
        total |= {"srp": 0} if self.problem.reach_names else {}
        for label in self.members:
            for goal, price in self.prices(label).items():
                total[goal] += price
        total["feeders"] = sum(
            priced(p, self.problem.goals.feeders) for i, j, p in self.flows() if not self.kept(i, j)
        )
        return total

    def prices(self, label: str) -> dict[str, int]:
        """Return the price of each goal for one cluster, flows aside."""
        problem, goals, members = self.problem, self.problem.goals, self.members[label]
        part = self.part_of[label]
        hub, clusters = self.hub[label], self.count[part]
        travellers = [*members, *([self.lent[label]] if self.lent.get(label, -1) >= 0 else [])]
        in_area = Counter(problem.area[i] for i in members)
        old = Counter(int(problem.existing[i]) for i in members if problem.existing[i] >= 0)
        need = int(problem.need_steps[members].sum())
        pupils = int(problem.pupils[members].sum())
        crossing = cents(goals.crossing) if problem.rules.areas == "price" else 0
        return {
            "minutes": sum(
                priced(float(problem.minutes[i, hub]), goals.minutes) for i in travellers
            ),
            "balance": balance_price(goals.balance, need, self.total_need[part], clusters),
            "size": balance_price(goals.size, pupils, self.total_pupils[part], clusters),
            "crossing": crossing * (len(members) - max(in_area.values())),
            "change": cents(goals.change) * (sum(old.values()) - max(old.values(), default=0)),
            "cluster": cents(goals.cluster),
            **self._srp_price(hub),
        }

    def _srp_price(self, hub: int) -> dict[str, int]:
        """Return the price of the minutes from a hub to SRPs; nothing without provision."""
        minutes, goal = self.problem.reach[hub].tolist(), self.problem.goals.srp
        return {"srp": sum(srp_price(goal, one) for one in minutes)} if minutes else {}

    def parts(self) -> dict[str, int]:
        """Return the objective of each part in hundredths of a minute."""
        totals: dict[str, int] = {part.name: 0 for part in self.problem.parts()}
        home = {i: part.name for part in self.problem.parts() for i in part.members}
        for label in self.members:
            totals[self.part_of[label]] += sum(self.prices(label).values())
        for i, j, p in self.flows():
            if not self.kept(i, j):
                totals[home[i]] += priced(p, self.problem.goals.feeders)
        return totals

    # -- rules ----------------------------------------------------------------------------------

    def breaches(self) -> Iterable[Breach]:
        """Yield every rule that is broken, cluster by cluster, then plan-wide."""
        for cluster in self.plan.clusters:
            yield from self._size_breaches(cluster)
            yield from self._phase_breaches(cluster)
            yield from self._need_breaches(cluster)
            yield from self._travel_breaches(cluster)
            yield from self._srp_breaches(cluster)
            yield from self._area_breaches(cluster)
        yield from self._together_breaches()
        yield from self._sealed_breaches()
        yield from self._count_breaches()

    def _names(self, positions: Iterable[int]) -> str:
        return ", ".join(f"{self.problem.names[i]} ({self.problem.urns[i]})" for i in positions)

    def _size_breaches(self, cluster: Cluster) -> Iterable[Breach]:
        label, limits = cluster.label, self.limits(cluster.label)
        for rule, value, bounds in (
            ("schools", len(cluster.schools), limits.schools),
            ("pupils", int(self.problem.pupils[self.members[label]].sum()), limits.pupils),
        ):
            if bounds is None or bounds[0] <= value <= bounds[1]:
                continue
            text = f"{label} has {value:,} {rule}; the rule is {bounds[0]:,} to {bounds[1]:,}."
            yield Breach(rule, label, text, max(bounds[0] - value, value - bounds[1]))

    def _phase_breaches(self, cluster: Cluster) -> Iterable[Breach]:
        label, limits = cluster.label, self.limits(cluster.label)
        own = self.secondaries(label)
        if own < limits.secondaries and label not in self.lent:
            text = (
                f"{label} has {own} non-selective secondaries; the rule is at least "
                f"{limits.secondaries}."
            )
            yield Breach("secondaries", label, text, limits.secondaries - own)
        primaries = int(self.problem.primary[self.members[label]].sum())
        if primaries < limits.primaries:
            text = f"{label} has {primaries} primaries; the rule is at least {limits.primaries}."
            yield Breach("primaries", label, text, limits.primaries - primaries)

    def _need_breaches(self, cluster: Cluster) -> Iterable[Breach]:
        label, limits = cluster.label, self.limits(cluster.label)
        need = int(self.problem.need_steps[self.members[label]].sum())
        yield from self._far_from_the_mean(label, limits, need)
        units, worth = need / NEED_STEPS, self.problem.pounds_a_unit
        if limits.min_need and need < least_steps(limits.min_need):
            text = (
                f"{label} has {units:,.1f} need units; the rule is at least {limits.min_need:,g}."
            )
            yield Breach("min_need", label, text, limits.min_need - units)
        if limits.min_budget and need < least_steps(limits.min_budget / worth):
            text = (
                f"{label} has £{units * worth:,.0f} by formula, with as many clusters as the rules "
                f"allow; the rule is at least £{limits.min_budget:,.0f}."
            )
            yield Breach("min_budget", label, text, limits.min_budget - units * worth)

    def _far_from_the_mean(self, label: str, limits: Filled, need: int) -> Iterable[Breach]:
        """Yield the breach of the tolerance on need and of the spread, each by itself."""
        part = self.part_of[label]
        total, clusters = self.total_need[part], self.count[part]
        if not total:
            return
        share = need * clusters / total - 1
        start = (
            f"{label} has {need / NEED_STEPS:,.0f} need units, {share:+.0%} against the mean "
            f"of {part}; the rule is within "
        )
        spread = limits.spread
        for rule, allowed, words in (
            ("need_tolerance", limits.need_tolerance, "{:.0%}."),
            (
                "spread",
                None if spread is None else spread / 2,
                "{:.0%}, so that the largest and the smallest are never more than a spread apart.",
            ),
        ):
            if allowed is None:
                continue
            if abs(need * clusters - total) * 1000 > round(allowed * 1000) * total:
                text = start + words.format(allowed)
                yield Breach(rule, label, text, abs(share) - allowed)

    def _travel_breaches(self, cluster: Cluster) -> Iterable[Breach]:
        label, problem = cluster.label, self.problem
        members, hub = self.members[label], self.hub[label]
        limit = self.limits(label).max_minutes_to_hub
        far = [i for i in members if problem.minutes[i, hub] > limit]
        for i in far:
            minutes = float(problem.minutes[i, hub])
            text = (
                f"{self._names([i])} is {minutes:.0f} minutes from its hub "
                f"{problem.names[hub]}; the rule is at most {limit:g}."
            )
            urns = (problem.urns[i],)
            yield Breach("max_minutes_to_hub", label, text, minutes - limit, urns)
        pinned = [i for i in members if problem.urns[i] in problem.pinned_hubs and i != hub]
        for i in pinned:
            text = f"{self._names([i])} is pinned as a hub but is not the hub of {label}."
            yield Breach("hub", label, text, urns=(problem.urns[i],))
        if (
            problem.rules.hub == "secondary"
            and not problem.secondary[hub]
            and problem.urns[hub] not in problem.pinned_hubs
        ):
            text = f"The hub of {label}, {problem.names[hub]}, is not a secondary."
            yield Breach("hub", label, text, urns=(problem.urns[hub],))

    def _srp_breaches(self, cluster: Cluster) -> Iterable[Breach]:
        """Yield a breach for every type of SRP that is too far from a hub."""
        label, problem, hub = cluster.label, self.problem, self.hub[cluster.label]
        limits = self.limits(label).reach_limits(problem.reach_names)
        for name, minutes, limit in zip(
            problem.reach_names, problem.reach[hub].tolist(), limits, strict=True
        ):
            if minutes > limit:
                text = (
                    f"The hub of {label}, {self._names([hub])}, is {minutes:g} minutes from the "
                    f"nearest SRP for {name}; the rule is at most {limit:g}."
                )
                urns = (problem.urns[hub],)
                yield Breach("max_minutes_to_srp", label, text, minutes - limit, urns)

    def _area_breaches(self, cluster: Cluster) -> Iterable[Breach]:
        label, problem = cluster.label, self.problem
        members = self.members[label]
        if problem.rules.areas == "never":
            out = [i for i in members if problem.area_names[problem.area[i]] != self.area[label]]
            if out:
                text = f"{label} crosses the border of {self.area[label]}: {self._names(out)}."
                yield Breach("areas", label, text, len(out), tuple(problem.urns[i] for i in out))
        if problem.rules.connected:
            pieces = self._pieces(members)
            if len(pieces) > 1:
                cut_off = sorted(i for piece in pieces[1:] for i in piece)
                text = f"{label} is not connected: {self._names(cut_off)} lie apart from the rest."
                urns = tuple(problem.urns[i] for i in cut_off)
                yield Breach("connected", label, text, len(pieces) - 1, urns)

    def _pieces(self, members: list[int]) -> list[list[int]]:
        """Return the connected pieces of a cluster, largest first; tied schools are neighbours."""
        part = self._around(members)
        index = {p: k for k, p in enumerate(part)}
        linked = neighbours_among(self.problem, tuple(part))
        tied: dict[int, set[int]] = defaultdict(set)
        for group in self.problem.ties:
            places = self.problem.positions(group)
            for i in places:
                tied[i] |= set(places)
        # A tie joins schools and whatever stands next to any of them.
        left, pieces = set(members), []
        while left:
            frontier = [min(left)]
            piece = set(frontier)
            while frontier:
                i = frontier.pop()
                near = {part[k] for k in np.flatnonzero(linked[index[i]])} | tied[i]
                fresh = (near & left) - piece
                piece |= fresh
                frontier += sorted(fresh)
            pieces.append(sorted(piece))
            left -= piece
        return sorted(pieces, key=lambda piece: (-len(piece), piece))

    def _around(self, members: list[int]) -> list[int]:
        """Return the schools among which a cluster must be connected: its part's."""
        if self.problem.rules.areas != "never":
            return list(range(len(self.problem)))
        areas = {int(self.problem.area[i]) for i in members}
        return [i for i in range(len(self.problem)) if int(self.problem.area[i]) in areas]

    def _together_breaches(self) -> Iterable[Breach]:
        problem = self.problem
        for group in problem.ties:
            places = problem.positions(group)
            if len({self.label[i] for i in places}) > 1:
                text = f"{self._names(places)} must stay together."
                yield Breach("together", self.label[places[0]], text, urns=tuple(group))
        named = [rules.contains for _, rules in sorted(problem.rules.cluster.items())]
        for group in (*problem.rules.apart, tuple(named)):
            by_label: dict[str, list[int]] = defaultdict(list)
            for i in problem.positions(group):
                by_label[self.label[i]].append(i)
            for label, places in sorted(by_label.items()):
                if label and len(places) > 1:
                    text = f"{self._names(places)} must not share a cluster."
                    urns = tuple(problem.urns[i] for i in places)
                    yield Breach("apart", label, text, urns=urns)

    def _sealed_breaches(self) -> Iterable[Breach]:
        for group in self.problem.sealed:
            places = self.problem.positions(group)
            label = self.label[places[0]]
            joined = sorted(set(self.members.get(label, ())) - set(places))
            if joined:
                text = f"{label} is locked, but {self._names(joined)} joined it."
                yield Breach(
                    "locked", label, text, urns=tuple(self.problem.urns[i] for i in joined)
                )

    def _count_breaches(self) -> Iterable[Breach]:
        problem, rules = self.problem, self.problem.rules
        out = [i for i, label in enumerate(self.label) if not label]
        if out:
            text = f"{len(out)} schools are in no cluster: {self._names(out[:10])}"
            text += "." if len(out) <= 10 else " and others."
            yield Breach("assigned", "", text, len(out), tuple(problem.urns[i] for i in out))
        wanted = [("", rules.clusters, len(self.plan))] if rules.clusters != "free" else []
        by_area = Counter(self.area.values())
        wanted += [
            (name, own.clusters, by_area[name])
            for name, own in sorted(rules.area.items())
            if own.clusters is not None
        ]
        for place, (low, high), found in wanted:
            if not low <= found <= high:
                where = f" in {place}" if place else ""
                rule = f"{low}" if low == high else f"{low} to {high}"
                text = f"There are {found} clusters{where}; the rule is {rule}."
                yield Breach("clusters", "", text, max(low - found, found - high))

    # -- figures --------------------------------------------------------------------------------

    def row(self, cluster: Cluster, breaches: tuple[Breach, ...]) -> dict[str, object]:
        """Return the figures of one cluster, as in `clusters.csv`."""
        problem, label = self.problem, cluster.label
        members, hub = self.members[label], self.hub[label]
        others = [i for i in members if i != hub]
        minutes = problem.minutes[others, hub] if others else np.zeros(1)
        own = self.moves[self.moves["home"] == label]
        free = own[~problem.selective[own["goal"].to_numpy(np.int64)]]
        return {
            "cluster": label,
            "name": f"{label}: {problem.names[hub]}",
            "hub": cluster.hub,
            "schools": len(members),
            "primaries": int(problem.primary[members].sum()),
            "secondaries": int(problem.secondary[members].sum()),
            "non_selective_secondaries": self.secondaries(label),
            "pupils": int(problem.pupils[members].sum()),
            "need": round(int(problem.need_steps[members].sum()) / NEED_STEPS, 1),
            "mean_minutes": round(float(minutes.mean()), 1),
            "max_minutes": round(float(minutes.max()), 1),
            "feeder_pupils_kept": _pupils(own, kept=True),
            "feeder_pupils_lost": _pupils(own, kept=False),
            "non_selective_kept": _pupils(free, kept=True),
            "non_selective_lost": _pupils(free, kept=False),
            "breaches": sum(breach.cluster == label for breach in breaches),
            **self._farthest_srp(hub),
        }

    def _farthest_srp(self, hub: int) -> dict[str, object]:
        """Return the farthest type of SRP from a hub; nothing without provision."""
        if not self.problem.reach_names:
            return {}
        minutes = self.problem.reach[hub]
        k = int(minutes.argmax())
        return {"srp_minutes": float(minutes[k]), "srp_farthest": self.problem.reach_names[k]}

    def summary(self, rows: list[dict[str, object]]) -> dict[str, float]:
        """Return county-wide figures: spread of need, travel, feeders kept (also non-selective)."""
        problem = self.problem
        need = [float(row["need"]) for row in rows]  # type: ignore[arg-type]
        travel = [
            float(problem.minutes[i, self.hub[label]])
            for label, members in self.members.items()
            for i in members
            if i != self.hub[label]
        ]
        everybody = self.moves
        open_to_all = everybody[~problem.selective[everybody["goal"].to_numpy(np.int64)]]
        figures = {
            "clusters": float(len(rows)),
            "mean_minutes": round(float(np.mean(travel)), 1) if travel else 0.0,
            "max_minutes": round(float(np.max(travel)), 1) if travel else 0.0,
        }
        if self.problem.reach_names and rows:
            figures["max_srp_minutes"] = max(float(row["srp_minutes"]) for row in rows)  # type: ignore[arg-type]
        if need and min(need) > 0:
            figures["largest_to_smallest_need"] = round(max(need) / min(need), 2)
        for kind, moves in (("all", everybody), ("non_selective", open_to_all)):
            if moves["pupils"].sum() > 0:
                kept = moves.loc[moves["kept"], "pupils"].sum() / moves["pupils"].sum()
                figures[f"feeders_kept_{kind}"] = round(float(kept), 3)
        return figures


def _pupils(moves: pd.DataFrame, *, kept: bool) -> float:
    """Return the pupils a year of the moves that a plan keeps, or splits, to a tenth."""
    return round(float(moves.loc[moves["kept"] == kept, "pupils"].sum()), 1)
