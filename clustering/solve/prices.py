"""What each binding rule costs: the plan beside the best one that is found without that rule.

The price of a rule is the objective with it less the objective without it, both at their best and
with the plan's own number of clusters, so that like is compared with like. Where the plan is proven
best, what is found without the rule shows that it costs *at least* so much; where both are proven
the price is *exact*; where neither is, it is only what the search found.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from clustering.pairs import journeys, leavers_split
from clustering.plan import Plan, main_area
from clustering.problem import Part, Problem, merge_groups
from clustering.report import Report, assess, moves
from clustering.rules import AreaRules, ClusterRules, Rules
from clustering.solve.whole import Solution, Tick, solve

L = TypeVar("L", Rules, AreaRules, ClusterRules)
WHOLE = "all areas"
COLUMNS = (
    *("rule", "place", "objective", "without", "cost", "cost_percent", "minutes_percent"),
    *("leavers_kept", "schools_moved", "proven"),
)
EASED: Mapping[str, object] = {
    "areas": "ignore",
    "schools": (1, 10_000),
    "pupils": None,
    "need_tolerance": None,
    "spread": None,
    "min_need": None,
    "min_budget": None,
    "max_minutes_to_hub": 10_000.0,
    "max_minutes_to_srp": None,
    "secondaries": 0,
    "primaries": 0,
    "connected": False,
    "hub": "any",
    "clusters": "free",
}
"""What a rule of the study becomes when it is taken away."""
RULE_WORDS: Mapping[str, str] = {
    "areas": "no cluster crosses a border",
    "schools": "number of schools",
    "pupils": "number of pupils",
    "need_tolerance": "tolerance on need",
    "spread": "spread of need",
    "min_need": "smallest need",
    "min_budget": "smallest budget",
    "max_minutes_to_hub": "longest journey to the hub",
    "max_minutes_to_srp": "minutes from hubs to SRPs",
    "secondaries": "secondaries in each cluster",
    "primaries": "primaries in each cluster",
    "connected": "clusters hang together",
    "hub": "which schools can be hubs",
    "clusters": "number of clusters",
    "together": "schools kept together",
    "apart": "schools kept apart",
    "pinned_hubs": "pinned hubs",
    "locked": "locked clusters",
}


def rule_prices(
    problem: Problem,
    plan: Plan,
    *,
    proven: Collection[str] = (),
    rules: Sequence[str] | None = None,
    seed: int = 1,
    effort: str = "quick",
    progress: Callable[[Tick], None] = lambda tick: None,
    stop: Callable[[], bool] = lambda: False,
) -> pd.DataFrame:
    """Return what each rule costs, for all areas and for each area where it costs anything.

    `proven` names the parts in which the plan is proven best. Columns: `rule`, `place`,
    `objective` of the plan (for the rule on borders: measured as without borders), the best found
    `without` the rule, `cost` (minutes of the objective) and `cost_percent` of what is found
    without, `minutes_percent` (minutes to the hub with the rule against without), `leavers_kept`
    (pupils a year more that would stay without it), `schools_moved`, and `proven`: "exact", "at
    least", "at most", "found", or "not looked at" where the work was stopped. A rule that is not
    set has no row; one that no cluster could break costs nothing, exactly, and is not solved for.
    Raises `ValueError` for a rule that there is not.
    """
    problem = problem.without(plan.opted_out)
    wanted = [rule for rule in RULE_WORDS if is_set(problem, rule)]
    chosen = [rule for rule in wanted if rules is None or rule in rules]
    if unknown := set(rules or ()) - set(RULE_WORDS):
        known = ", ".join(RULE_WORDS)
        raise ValueError(f"there is no rule {sorted(unknown)[0]}; rules are {known}")
    own = assess(plan, problem)
    rows: list[dict[str, object]] = []
    for number, rule in enumerate(chosen):
        if cannot_bind(problem, rule):
            rows.append(_row(rule, WHOLE, own.objective, own.objective, proven="exact"))
            continue
        if stop():
            rows.append(_row(rule, WHOLE, own.objective, np.nan, proven="not looked at"))
            continue

        def tell(tick: Tick, rule: str = rule, number: int = number) -> None:
            share = (number + tick.done) / len(chosen)
            progress(replace(tick, part=f"without {rule}: {tick.part}", done=share))

        eased = without_rule(problem, plan, rule)
        # Without borders need is measured from the mean of all areas: so is the plan's, then.
        with_rule = assess(plan, eased) if rule == "areas" else own
        best = set() if rule == "areas" else set(proven)
        found = solve(eased, seed=seed, effort=effort, progress=tell, stop=stop, start=plan)
        rows += _Priced(rule, problem, plan, with_rule, best, eased, found).rows()
    return pd.DataFrame(rows, columns=list(COLUMNS))


def price_words(table: pd.DataFrame) -> Iterator[str]:
    """Yield a sentence on each rule that costs something, the dearest first."""
    dear = table[(table["place"] == WHOLE) & (table["cost"] > 0)]
    how = {"exact": "", "at least": "at least ", "at most": "at most ", "found": "about "}
    for row in dear.sort_values(["cost", "rule"], ascending=[False, True]).itertuples():
        where = table[(table["rule"] == row.rule) & (table["place"] != WHOLE) & (table["cost"] > 0)]
        most = where.sort_values(["cost", "place"], ascending=[False, True])["place"].head(3)
        places = f", most in {', '.join(most)}" if len(most) else ""
        yield (
            f"{row.rule} ({RULE_WORDS[row.rule]}): {row.minutes_percent:+.1f} % minutes to the "
            f"hub, {how[row.proven]}{row.cost_percent:+.1f} % of the objective{places}."
        )


def is_set(problem: Problem, rule: str) -> bool:
    """Does the problem ask for a rule at all?"""
    rules = problem.rules
    if rule in ("together", "apart", "pinned_hubs", "locked"):
        own = {"together": set(problem.ties) - set(problem.sealed), "apart": rules.apart}
        return bool(own.get(rule, problem.pinned_hubs if rule == "pinned_hubs" else problem.sealed))
    if rule == "areas":
        return rules.areas == "never"
    tables = (*rules.area.values(), *rules.cluster.values())
    own_set = any(getattr(t, rule, None) not in (None, 0) for t in tables)
    return getattr(rules, rule) not in (EASED[rule], None) or own_set


def cannot_bind(problem: Problem, rule: str) -> bool:
    """Can no cluster whatever break the rule? Only what counting tells at once."""
    if rule == "areas":
        return len(problem.parts()) == 1
    return all(_loose(problem, part, rule) for part in problem.parts())


def _loose(problem: Problem, part: Part, rule: str) -> bool:
    limits = [problem.rules.for_area(problem.area_names[a]) for a in problem.area[[*part.members]]]
    if rule == "max_minutes_to_hub":
        farthest = problem.minutes[np.ix_(part.members, part.members)].max()
        return not problem.rules.cluster and farthest <= min(o.max_minutes_to_hub for o in limits)
    if rule == "max_minutes_to_srp":
        far = problem.reach[[*part.members]]
        most = np.min([own.reach_limits(problem.reach_names) for own in limits], axis=0)
        return not problem.rules.cluster and bool((far <= most).all())
    if rule in ("primaries", "secondaries"):
        have = problem.primary if rule == "primaries" else problem.non_selective_secondary
        others = len(part.members) - int(have[[*part.members]].sum())
        wanted = max(getattr(own, rule) for own in limits)
        least = min(own.schools[0] for own in limits)
        return not problem.rules.cluster and least - others >= wanted
    return False


def without_rule(problem: Problem, plan: Plan, rule: str) -> Problem:
    """Return a problem without one rule and with the plan's own number of clusters."""
    changes: dict[str, object] = {}
    if rule == "together":
        kept = [bond.urns for bond in problem.bonds if bond.closed]
        changes["ties"] = merge_groups(kept)
    elif rule == "locked":
        kept = [bond.urns for bond in problem.bonds if not bond.closed]
        changes = {"sealed": (), "ties": merge_groups(kept)}
    elif rule == "pinned_hubs":
        changes["pinned_hubs"] = ()
    eased = replace(problem, rules=_eased(problem, plan, rule), **changes)  # type: ignore[arg-type]
    return _widened(eased, plan) if rule == "areas" else eased


def _widened(problem: Problem, plan: Plan) -> Problem:
    """Widen the tolerance on need, and its spread, so far that the plan itself stays within it.

    Without borders need is measured from the mean of all areas. That must not forbid a plan that
    was measured from the mean of each area: then nothing could be compared.
    """
    breaches = assess(plan, problem).breaches
    amounts = [b.amount for b in breaches if b.rule in ("need_tolerance", "spread")]
    if not amounts:
        return problem
    more = math.ceil(1000 * max(amounts)) / 1000

    def wider(limits: L) -> L:
        changed = {}
        if limits.need_tolerance is not None:
            changed["need_tolerance"] = limits.need_tolerance + more
        if limits.spread is not None:
            changed["spread"] = limits.spread + 2 * more
        return limits.model_copy(update=changed) if changed else limits

    rules = problem.rules
    areas = {name: wider(own) for name, own in rules.area.items()}
    clusters = {name: wider(own) for name, own in rules.cluster.items()}
    changed = {"area": areas, "cluster": clusters}
    return problem.with_rules(wider(rules).model_copy(update=changed))


def _eased(problem: Problem, plan: Plan, rule: str) -> Rules:
    own: dict[str, Any] = problem.rules.model_dump(exclude_unset=True)
    if rule in EASED:
        own[rule] = EASED[rule]
    elif rule in ("apart", "pinned_hubs"):
        own[rule] = ()
    for name in ("area", "cluster"):
        tables = own.get(name, {})
        own[name] = {k: {a: b for a, b in t.items() if a != rule} for k, t in tables.items()}
    if rule != "clusters":
        _count(own, problem, plan, total=rule == "areas" or problem.rules.areas != "never")
    return Rules.model_validate(own)


def _count(own: dict[str, Any], problem: Problem, plan: Plan, *, total: bool) -> None:
    """Ask for as many clusters as the plan has: in all, or in each area of its own."""
    areas = own.setdefault("area", {})
    for table in areas.values():
        table.pop("clusters", None)
    own["clusters"] = (len(plan), len(plan)) if total else "free"
    if total:
        return
    counts = Counter(main_area(problem, problem.positions(c.schools)) for c in plan.clusters)
    for name, count in counts.items():
        areas.setdefault(name, AreaRules().model_dump(exclude_unset=True))["clusters"] = count


@dataclass(frozen=True, eq=False)
class _Priced:
    """One rule with the plan under it and what was found without it."""

    rule: str
    problem: Problem
    plan: Plan
    own: Report
    proven: set[str]
    eased: Problem
    found: Solution

    def rows(self) -> Iterator[dict[str, object]]:
        """Yield the row for all areas, and one for each area in which the rule costs something."""
        parts = [part.name for part in self.problem.parts()]
        if self.found.plan is None:
            yield _row(self.rule, WHOLE, self.own.objective, np.nan, proven="not looked at")
            return
        report = assess(self.found.plan, self.eased)
        if report.objective > self.own.objective:  # the search lost its start: nothing is gained
            yield _row(self.rule, WHOLE, self.own.objective, self.own.objective, proven="found")
            return
        bests = {p.name for p in self.found.parts if p.status == "optimal"}
        without_best = bests == {p.name for p in self.found.parts}
        moved = set(moves(self.plan, self.found.plan)["urn"])
        yield self._priced(
            WHOLE,
            self.problem.urns,
            (self.own.objective, report.objective),
            self.proven >= set(parts),
            without_best,
            moved,
        )
        same = [part.name for part in self.eased.parts()] == parts and len(parts) > 1
        for part in self.problem.parts() if same else ():
            pair = self.own.parts[part.name], report.parts[part.name]
            if round(pair[0] - pair[1], 2) > 0:
                urns = [self.problem.urns[i] for i in part.members]
                best = part.name in self.proven, part.name in bests
                yield self._priced(part.name, urns, pair, *best, moved & set(urns))

    def _priced(
        self,
        place: str,
        urns: Iterable[str],
        pair: tuple[float, float],
        with_best: bool,
        without_best: bool,
        moved: set[str],
    ) -> dict[str, object]:
        assert self.found.plan is not None
        own, free = (
            float(journeys(plan, self.problem).reindex(list(urns)).sum())
            for plan in (self.plan, self.found.plan)
        )
        lost = [
            float(leavers_split(plan, problem).reindex(list(urns)).sum())
            for plan, problem in ((self.plan, self.problem), (self.found.plan, self.eased))
        ]
        proven = {
            (True, True): "exact",
            (True, False): "at least",
            (False, True): "at most",
            (False, False): "found",
        }[with_best, without_best]
        row = _row(self.rule, place, *pair, proven=proven)
        row["minutes_percent"] = round(100 * (own / free - 1), 2) if free else np.nan
        return row | {"leavers_kept": round(lost[0] - lost[1], 1), "schools_moved": len(moved)}


def _row(rule: str, place: str, own: float, free: float, *, proven: str) -> dict[str, object]:
    cost = round(own - free, 2)
    unknown = bool(np.isnan(free))
    return {
        "rule": rule,
        "place": place,
        "objective": round(own, 2),
        "without": round(free, 2),
        "cost": cost,
        "cost_percent": round(100 * cost / free, 2) if free else np.nan,
        "minutes_percent": np.nan if unknown else 0.0,
        "leavers_kept": np.nan if unknown else 0.0,
        "schools_moved": np.nan if unknown else 0,
        "proven": proven,
    }
