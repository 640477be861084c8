"""Arithmetic before any search: which numbers of clusters a part can have, and if none, why not.

What can be shown by counting is shown by counting, in words a planner can check with a pencil. Each
reason comes with remedies, and each remedy with the lines to paste into the study.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from clustering.problem import NEED_STEPS, Part, Problem
from clustering.rules import AreaRules, Rules
from clustering.solve.conflicts import conflicts, may_open
from clustering.solve.model import NO_LIMIT, Model, build_model
from clustering.solve.reaching import few_hubs, nearer_remedies, pins_beyond, stranded
from clustering.solve.reasons import (
    Reason,
    Remedy,
    area_lines,
    named,
    toml_list,
    toml_lists,
    toml_text,
)


@dataclass(frozen=True)
class _Range:
    """Numbers of clusters that one rule allows."""

    rule: str
    low: int
    high: int
    why_low: str = ""
    why_high: str = ""


def possible_counts(problem: Problem, part: Part, model: Model) -> tuple[list[int], list[Reason]]:
    """Return the numbers of clusters that no count rules out, and the reasons if there are none.

    A number in the list may still prove impossible; a number that is not in it is impossible.
    """
    counts, reasons = _counts(problem, part, model), list(_lumps(problem, part, model))
    if not counts and not reasons:
        reasons.append(_clash(problem, part, model, _ranges(problem, part, model)))
    elif not reasons:
        reasons += stranded(problem, part, model)
    return ([] if reasons else counts), reasons


def _counts(problem: Problem, part: Part, model: Model) -> list[int]:
    ranges = _ranges(problem, part, model)
    low, high = max(r.low for r in ranges), min(r.high for r in ranges)
    return [k for k in range(low, high + 1) if _room(model, k)]


def _helps(problem: Problem, part: Part, remedy: Remedy) -> bool:
    """Do counts allow a plan of the part once the lines of a remedy are in the study?"""
    changed = remedy.mended or problem.with_rules(eased(problem.rules, remedy.toml))
    for other in changed.parts():
        if set(part.members) <= set(other.members):
            model = build_model(changed, other)
            return bool(_counts(changed, other, model)) and not any(_lumps(changed, other, model))
    return False


def eased(rules: Rules, lines: str) -> Rules:
    """Return rules with the lines of a remedy put into them, as in the study file."""
    own, new = rules.model_dump(exclude_unset=True), tomllib.loads(lines)["rules"]
    for key, value in new.items():
        if key in ("area", "cluster"):
            tables = own.setdefault(key, {})
            for name, table in value.items():
                tables[name] = {**tables.get(name, {}), **table}
        else:
            own[key] = value
    return Rules.model_validate(own)


def _own(problem: Problem, part: Part) -> AreaRules:
    return problem.rules.area.get(part.name, AreaRules())


def _ranges(problem: Problem, part: Part, model: Model) -> list[_Range]:
    """Return, rule by rule, how many clusters a part can have."""
    schools = len(part.members)
    low = min(c.schools[0] for c in model.classes)
    high = max(c.schools[1] for c in model.classes)
    ranges = [
        _Range(
            "schools",
            math.ceil(schools / high),
            max(schools // max(low, 1), 0),
            f"at most {_some(high, 'school')} a cluster makes at least "
            f"{_some(math.ceil(schools / high), 'cluster')}",
            f"at least {_some(low, 'school')} a cluster makes at most "
            f"{_some(schools // max(low, 1), 'cluster')}",
        )
    ]
    for rule, have, words in (
        ("secondaries", int(model.secondaries.sum()), "non-selective secondary"),
        ("primaries", int(model.primaries.sum()), "primary"),
    ):
        wanted = min(getattr(c, rule) for c in model.classes[: len(model.area_class)])
        if not wanted:
            continue
        waived = _named_without(problem, part, rule, wanted)
        lent = sum(loan.count for loan in model.loans) if rule == "secondaries" else 0
        most = have // wanted + waived + lent
        each = f"at least {wanted} of them a cluster" if wanted > 1 else "one a cluster"
        make = "makes" if have == 1 else "make"
        why = f"{_some(have, words)}, {each}, {make} at most {_some(most, 'cluster')}"
        ranges.append(_Range(rule, 0, most, "", why))
    total = model.total_pupils
    least = min(c.pupils[0] for c in model.classes)
    most_pupils = max(c.pupils[1] for c in model.classes)
    if least > 0:
        why = (
            f"at least {least:,} pupils a cluster makes at most {_some(total // least, 'cluster')}"
        )
        ranges.append(_Range("pupils", 0, total // least, "", why))
    if most_pupils < NO_LIMIT:
        fewest = math.ceil(total / most_pupils)
        why = f"at most {most_pupils:,} pupils a cluster makes at least {_some(fewest, 'cluster')}"
        ranges.append(_Range("pupils", fewest, NO_LIMIT, why))
    need, lightest = model.total_need, min(c.least_need for c in model.classes)
    if lightest > 0:
        why = (
            f"{need / NEED_STEPS:,.0f} need units, at least {lightest / NEED_STEPS:,.0f} a "
            f"cluster, make at most {_some(need // lightest, 'cluster')}"
        )
        ranges.append(_Range("min_need", 0, need // lightest, "", why))
    pinned = _pinned(problem, part)
    if pinned:
        words = "pinned hubs make" if len(pinned) > 1 else "pinned hub makes"
        why = f"{len(pinned)} {words} at least {_some(len(pinned), 'cluster')}"
        ranges.append(_Range("pinned_hubs", len(pinned), NO_LIMIT, why))
    apart = _most_apart(problem, part)
    if len(apart) > 1:
        why = (
            f"{len(apart)} schools kept apart ({_names(problem, apart)}) make at least "
            f"{_some(len(apart), 'cluster')}"
        )
        ranges.append(_Range("apart", len(apart), NO_LIMIT, why))
    hubs = few_hubs(problem, part, model)
    if hubs:
        ranges.append(_Range("max_minutes_to_srp", 0, hubs[0], "", hubs[1]))
    fixed = _own(problem, part).clusters
    if fixed is None and problem.rules.areas != "never" and problem.rules.clusters != "free":
        fixed = problem.rules.clusters
    if fixed is not None:
        why = f"the study asks for {fixed[0]} to {fixed[1]} clusters"
        ranges.append(_Range("clusters", fixed[0], fixed[1], why, why))
    return ranges


def _pinned(problem: Problem, part: Part) -> list[int]:
    inside = set(part.members)
    return [i for i in problem.positions(problem.pinned_hubs) if i in inside]


def _most_apart(problem: Problem, part: Part) -> list[int]:
    """Return the schools of the part in the largest group that is kept apart."""
    inside = set(part.members)
    groups = [[i for i in problem.positions(group) if i in inside] for group in problem.rules.apart]
    return max(groups, key=len, default=[])


def _named_without(problem: Problem, part: Part, rule: str, wanted: int) -> int:
    """Return how many named clusters of the part are let off a rule on phases."""
    inside = {problem.urns[i] for i in part.members}
    return sum(
        own.contains in inside and rule in own.model_fields_set and getattr(own, rule) < wanted
        for own in problem.rules.cluster.values()
    )


def _room(model: Model, clusters: int) -> bool:
    """Can every school find a cluster light enough for the tolerance on need?

    The lightest cluster around an atom is the atom and the lightest others that make up the least
    size; if that is over the allowed need, no plan with this many clusters exists.
    """
    tolerance = max(c.need_permille for c in model.classes)
    if tolerance >= NO_LIMIT or not model.total_need:
        return True
    least = min(c.schools[0] for c in model.classes)
    by_school = np.repeat(model.need / np.maximum(model.size, 1), model.size)
    lightest = np.sort(by_school)
    for i in range(len(model)):
        others = max(least - int(model.size[i]), 0)
        weight = int(model.need[i]) + math.floor(lightest[:others].sum())
        if (weight * clusters - model.total_need) * 1000 > tolerance * model.total_need:
            return False
    return True


def _lumps(problem: Problem, part: Part, model: Model) -> Iterable[Reason]:
    """Yield a reason for rules that contradict each other, and for ties that no cluster can hold.

    A locked cluster is judged as a whole where the contradictions are, not here.
    """
    yield from conflicts(problem, part, model)
    yield from pins_beyond(problem, part, model)
    locked = {urn for bond in problem.bonds if bond.closed for urn in bond.urns}
    high = max(c.schools[1] for c in model.classes)
    for atom in np.flatnonzero(model.size > high).tolist():
        inside = [part.members[k] for k in np.flatnonzero(model.atom_of == atom)]
        if locked & {problem.urns[i] for i in inside}:
            continue
        names = _names(problem, inside)
        text = (
            f"{names} must stay together, which makes {len(inside)} schools; a cluster has at most "
            f"{high}."
        )
        yield Reason(
            part.name,
            ("together", "schools"),
            text,
            (
                Remedy(
                    f"Allow {len(inside)} schools a cluster in {part.name}.",
                    area_lines(part, f"schools = [{_least(model)}, {len(inside)}]"),
                ),
            ),
        )
    for atom in range(len(model)):
        reach = model.far[atom].min() if len(model.far[atom]) else 0.0
        limit = max(c.max_minutes for c in model.classes)
        inside = [part.members[k] for k in np.flatnonzero(model.atom_of == atom)]
        if reach > limit and not locked & {problem.urns[i] for i in inside}:
            names = _names(problem, inside)
            text = f"{names} have no hub within {limit:g} minutes of all of them."
            lines = area_lines(part, f"max_minutes_to_hub = {math.ceil(reach)}")
            remedy = Remedy(f"Allow {math.ceil(reach)} minutes to the hub.", lines)
            yield Reason(part.name, ("together", "max_minutes_to_hub"), text, (remedy,))


def _clash(problem: Problem, part: Part, model: Model, ranges: list[_Range]) -> Reason:
    """Return the reason when no number of clusters satisfies every count."""
    lowest, highest = max(ranges, key=lambda r: r.low), min(ranges, key=lambda r: r.high)
    schools = len(part.members)
    facts = f"{part.name} has {_some(schools, 'school')}"
    if "secondaries" in (lowest.rule, highest.rule):
        found = [i for i in part.members if problem.non_selective_secondary[i]]
        facts += f" and {_some(len(found), 'non-selective secondary')}"
        facts += f" ({_names(problem, found)})" if 0 < len(found) <= 6 else ""
    if lowest.low <= highest.high:
        text = (
            f"{facts}. By counting, {lowest.low} to {highest.high} clusters would do, but the "
            f"school with the most need is too large a share of any of them for the tolerance on "
            f"need."
        )
        return Reason(part.name, ("need_tolerance", "schools"), text, _need_remedies(part))
    text = f"{facts}: {lowest.why_low}, but {highest.why_high}."
    rules = tuple(dict.fromkeys((lowest.rule, highest.rule)))
    offered = _remedies(problem, part, model, ranges)
    helpful = tuple(remedy for remedy in offered if _helps(problem, part, remedy))
    return Reason(part.name, rules, text, helpful)


def _need_remedies(part: Part) -> tuple[Remedy, ...]:
    return (
        Remedy(
            f"Set no tolerance on need in {part.name}; balance stays a goal.",
            area_lines(part, 'need_tolerance = "off"'),
        ),
    )


def _remedies(problem: Problem, part: Part, model: Model, ranges: list[_Range]) -> Iterable[Remedy]:
    """Yield the ways out of a clash of counts, the mildest first."""
    lowest, highest = max(ranges, key=lambda r: r.low), min(ranges, key=lambda r: r.high)
    schools, least = len(part.members), _least(model)
    high = max(c.schools[1] for c in model.classes)
    clash = {lowest.rule, highest.rule}
    if "schools" in clash and highest.high >= 1 and lowest.rule == "schools":
        size = math.ceil(schools / highest.high)
        yield Remedy(
            f"Allow {_some(size, 'school')} a cluster in {part.name}: "
            f"{_some(highest.high, 'cluster')} will then do.",
            area_lines(part, f"schools = [{min(least, size)}, {max(size, high)}]"),
        )
    if highest.rule == "schools":
        size = schools // max(lowest.low, 1)
        if size >= 1:
            yield Remedy(
                f"Allow clusters of {_some(size, 'school')} in {part.name}.",
                area_lines(part, f"schools = [{size}, {high}]"),
            )
    if "secondaries" in clash:
        yield from _secondary_remedies(problem, part, lowest.low - highest.high)
    if "primaries" in clash:
        yield Remedy(
            f"Ask for fewer primaries a cluster in {part.name}.",
            area_lines(part, "primaries = 0"),
        )
    if "min_need" in clash:
        yield from _lighter(problem, part, max(lowest.low, 1))
    if "max_minutes_to_srp" in clash:
        yield from nearer_remedies(problem, part, model, max(lowest.low, 1))
    if "pinned_hubs" in clash:
        yield from _fewer_pins(problem, part, lowest.low - highest.high)
    if "apart" in clash:
        most = [problem.urns[i] for i in _most_apart(problem, part)]
        left = [group for group in problem.rules.apart if not set(most) <= set(group)]
        yield Remedy(
            f"No longer keep {_names(problem, problem.positions(most))} apart.",
            f"[rules]\napart = {toml_lists(left)}",
        )
    if "clusters" in clash:
        others = [r for r in ranges if r.rule != "clusters"]
        least_of, most_of = max(r.low for r in others), min(r.high for r in others)
        if least_of <= most_of:
            count = f"{least_of}" if least_of == most_of else f"{least_of} to {most_of}"
            yield Remedy(
                f"Ask for {count} clusters, which the other rules allow.",
                area_lines(part, f"clusters = [{least_of}, {most_of}]"),
            )
    if may_open(problem) and len(problem.area_names) > 1:
        yield Remedy(
            f"Let clusters cross the border of an area, at a price: schools of {part.name} can "
            "then join a neighbour's.",
            '[rules]\nareas = "price"',
        )


def _lighter(problem: Problem, part: Part, clusters: int) -> Iterable[Remedy]:
    """Yield the way to a least need, or a least budget, that so many clusters can meet."""
    limits = problem.rules.for_area(part.name)
    need = float(problem.need[list(part.members)].sum()) / clusters
    lines, words = [], []
    if (limits.min_need or 0) > need:
        lines.append(f"min_need = {math.floor(need)}")
        words.append(f"{math.floor(need):,} need units")
    pounds = need * problem.pounds_a_unit
    if limits.min_budget and limits.min_budget > pounds:
        lines.append(f"min_budget = {math.floor(pounds)}")
        words.append(f"£{math.floor(pounds):,}")
    if not lines:
        return
    yield Remedy(
        f"Let a cluster of {part.name} have as little as {' and '.join(words)}.",
        area_lines(part, "\n".join(lines)),
    )


def _fewer_pins(problem: Problem, part: Part, missing: int) -> Iterable[Remedy]:
    """Yield the way to pin fewer hubs: off go those that stand nearest to another pinned one."""
    pinned = [i for i in _pinned(problem, part) if problem.urns[i] in problem.rules.pinned_hubs]
    if len(pinned) < missing:
        return
    near = sorted(pinned, key=lambda i: (_to_next(problem, i, pinned), i))
    gone = {problem.urns[i] for i in near[:missing]}
    left = [urn for urn in problem.rules.pinned_hubs if urn not in gone]
    rules = problem.rules.model_copy(update={"pinned_hubs": tuple(left)})
    pins = tuple(urn for urn in problem.pinned_hubs if urn not in gone)
    yield Remedy(
        f"No longer pin {named(problem, near[:missing])}.",
        f"[rules]\npinned_hubs = {toml_list(left)}",
        mended=replace(problem, rules=rules, pinned_hubs=pins),
    )


def _to_next(problem: Problem, i: int, others: Iterable[int]) -> float:
    return min((float(problem.minutes[i, j]) for j in others if j != i), default=0.0)


def _secondary_remedies(problem: Problem, part: Part, missing: int) -> Iterable[Remedy]:
    """Yield the ways to do with too few secondaries: share one, or let one cluster off."""
    own = [i for i in part.members if problem.non_selective_secondary[i]]
    primaries = [i for i in part.members if problem.primary[i] and not problem.secondary[i]]
    if own:
        central = sorted(own, key=lambda i: (problem.minutes[list(part.members), i].sum(), i))
        shared = central[:missing]
        urns = ", ".join(f'"{problem.urns[i]}"' for i in shared)
        yield Remedy(
            f"Share {_names(problem, shared)}: a full member of one cluster and an associate of a "
            "second.",
            area_lines(part, f"associates = [{urns}]"),
        )
    if primaries:
        far = max(
            primaries,
            key=lambda i: (min((problem.minutes[i, s] for s in own), default=0.0), -i),
        )
        name = problem.names[far]
        yield Remedy(
            f"Waive the rule on secondaries for one named cluster, for instance the one around "
            f"{name}, which is farthest from a secondary.",
            f'[rules.cluster."Around {toml_text(name)}"]\n'
            f'contains = "{problem.urns[far]}"\nsecondaries = 0',
        )


def _least(model: Model) -> int:
    return min(c.schools[0] for c in model.classes)


def _names(problem: Problem, positions: Iterable[int]) -> str:
    return ", ".join(problem.names[i] for i in positions)


def _some(number: int, noun: str) -> str:
    """Return a number with its noun: `1 secondary`, `2 secondaries`."""
    if number == 1:
        return f"1 {noun}"
    return f"{number:,} {noun[:-1]}ies" if noun.endswith("y") else f"{number:,} {noun}s"
