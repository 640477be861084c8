"""Two rules that cannot both hold: a lock and a lock, a tie and a ban, a pin and a pin.

What ties two schools is followed from one to the other through the bonds of a problem, so that the
rules are named that do it, with the schools and with a line for the study file to mend either.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from clustering.problem import Bond, Part, Problem, merge_groups
from clustering.rules import Filled
from clustering.solve.model import Model
from clustering.solve.reasons import (
    Reason,
    Remedy,
    named,
    raised_reach,
    toml_list,
    toml_lists,
    toml_text,
)

BOND_WORDS = {
    "together": "[rules] together",
    "infant_junior": '[rules] keep_together = "infant_junior"',
    "same_site": '[rules] keep_together = "same_site"',
    "keep_together": "[rules] keep_together",
    "locked": "[existing] locked",
    "plan": "a lock in the plan",
}
FAULT_WORDS = {
    "schools": ("schools", "number of schools"),
    "pupils": ("pupils", "number of pupils"),
    "secondaries": ("secondaries", "secondaries"),
    "primaries": ("primaries", "primaries"),
    "least_need": ("min_need", "smallest need"),
    "minutes": ("max_minutes_to_hub", "longest journey to the hub"),
    "srp": ("max_minutes_to_srp", "minutes from the hub to an SRP"),
    "connected": ("connected", "clusters that hang together"),
}


def conflicts(problem: Problem, part: Part, model: Model) -> Iterator[Reason]:
    """Yield a reason for every two rules that name the same schools and cannot both hold."""
    yield from _tied_and_apart(problem, part, model)
    yield from _two_pins(problem, part, model)
    yield from _locks(problem, part, model)
    if problem.rules.areas == "never":
        yield from _over_a_border(problem, part)


# -- what ties two schools -------------------------------------------------------------------------


def path(problem: Problem, a: str, b: str) -> list[Bond]:
    """Return the bonds that tie one school to another, the fewest that do; empty for none."""
    came: dict[str, tuple[str, Bond] | None] = {a: None}
    queue = deque([a])
    while queue and b not in came:
        at = queue.popleft()
        for bond in problem.bonds:
            if at in bond.urns:
                for urn in bond.urns:
                    if urn not in came:
                        came[urn] = (at, bond)
                        queue.append(urn)
    found: list[Bond] = []
    step = came.get(b)
    while step is not None:
        at, bond = step
        found.append(bond)
        step = came[at]
    return found[::-1]


def _words(problem: Problem, bonds: Sequence[Bond]) -> str:
    told = []
    for bond in dict.fromkeys(bonds):
        schools = problem.positions(bond.urns)
        who = named(problem, schools) if len(schools) <= 3 else f"{len(schools)} schools"
        told.append(f"{BOND_WORDS[bond.rule]} ties {who}")
    return ", ".join(told) or "[rules] together ties them"


def _untied(problem: Problem, bonds: Iterable[Bond]) -> Iterator[Remedy]:
    """Yield a way to be rid of each bond."""
    rules = problem.rules
    for bond in dict.fromkeys(bonds):
        gone = {bond}
        if bond.rule == "keep_together":
            lines = "[rules]\nkeep_together = []"
            text = f"No longer keep {named(problem, problem.positions(bond.urns))} together."
        elif bond.rule == "together":
            left = [group for group in rules.together if set(group) != set(bond.urns)]
            lines = f"[rules]\ntogether = {toml_lists(left)}"
            text = f"No longer keep {named(problem, problem.positions(bond.urns))} together."
        elif bond.rule in ("infant_junior", "same_site"):
            gone = {other for other in problem.bonds if other.rule == bond.rule}
            kinds = [kind for kind in rules.keep_together if kind != bond.rule]
            lines = f"[rules]\nkeep_together = {toml_list(kinds)}"
            words = bond.rule.replace("_", " ")
            text = f"No longer keep schools together as {words}, here or anywhere."
        elif bond.rule == "locked":
            names = [own.name for own in problem.bonds if own.rule == "locked" and own != bond]
            lines = f"[existing]\nlocked = {toml_list(names)}"
            text = f'Unlock today\'s cluster "{bond.name}".'
        else:
            lines, text = "", f'Take the lock off in the plan: plan.unlock("{bond.name}").'
        yield Remedy(text, lines, mended=_without(problem, gone))


def _without(problem: Problem, gone: set[Bond]) -> Problem:
    bonds = tuple(bond for bond in problem.bonds if bond not in gone)
    closed = {tuple(sorted(bond.urns)) for bond in gone if bond.rule in ("locked", "plan")}
    return replace(
        problem,
        bonds=bonds,
        ties=merge_groups(bond.urns for bond in bonds),
        sealed=tuple(group for group in problem.sealed if group not in closed),
    )


def _atoms(model: Model, part: Part, places: Iterable[int]) -> dict[int, list[int]]:
    """Return the positions among `places` that are in the part, by their atom."""
    home = {position: k for k, position in enumerate(part.members)}
    found: dict[int, list[int]] = {}
    for i in places:
        if i in home:
            found.setdefault(int(model.atom_of[home[i]]), []).append(i)
    return found


# -- a tie and a ban -------------------------------------------------------------------------------


def _tied_and_apart(problem: Problem, part: Part, model: Model) -> Iterator[Reason]:
    rules = problem.rules
    for group in rules.apart:
        for tied in _atoms(model, part, problem.positions(group)).values():
            for a, b in list(combinations(tied, 2))[:1]:
                bonds = path(problem, problem.urns[a], problem.urns[b])
                text = (
                    f"{named(problem, (a, b))} must stay together ({_words(problem, bonds)}), but "
                    f"the study also keeps them apart ([rules] apart)."
                )
                rest = tuple(u for u in group if problem.position[u] not in tied[1:])
                left = [g for g in rules.apart if g is not group] + [rest][: len(rest) > 1]
                free = rules.model_copy(update={"apart": tuple(left)})
                ban = Remedy(
                    "No longer keep them apart.",
                    f"[rules]\napart = {toml_lists(left)}",
                    mended=problem.with_rules(free),
                )
                kinds = _rules_of(bonds)
                yield Reason(part.name, (*kinds, "apart"), text, (ban, *_untied(problem, bonds)))
    anchors = {own.contains: name for name, own in sorted(rules.cluster.items())}
    for tied in _atoms(model, part, problem.positions(anchors)).values():
        for a, b in list(combinations(tied, 2))[:1]:
            bonds = path(problem, problem.urns[a], problem.urns[b])
            names = [anchors[problem.urns[i]] for i in (a, b)]
            text = (
                f"{named(problem, (a, b))} must stay together ({_words(problem, bonds)}), but two "
                f'named clusters are to hold them: [rules.cluster."{names[0]}"] and '
                f'[rules.cluster."{names[1]}"].'
            )
            kinds = _rules_of(bonds)
            yield Reason(part.name, (*kinds, "cluster"), text, tuple(_untied(problem, bonds)))


def _rules_of(bonds: Sequence[Bond]) -> tuple[str, ...]:
    kept = ("infant_junior", "same_site")
    found = ["keep_together" if bond.rule in kept else bond.rule for bond in bonds]
    return tuple(dict.fromkeys(found)) or ("together",)


# -- a pin and a pin -------------------------------------------------------------------------------


def _two_pins(problem: Problem, part: Part, model: Model) -> Iterator[Reason]:
    for tied in _atoms(model, part, problem.positions(problem.pinned_hubs)).values():
        for a, b in list(combinations(tied, 2))[:1]:
            bonds = path(problem, problem.urns[a], problem.urns[b])
            text = (
                f"{named(problem, (a, b))} are both pinned as hubs ([rules] pinned_hubs, or the "
                f"hub of a locked cluster), but must share a cluster ({_words(problem, bonds)}), "
                f"which has one hub."
            )
            freed = (unpinned(problem, i) for i in (a, b))
            remedies = (*(r for r in freed if r), *_untied(problem, bonds))
            yield Reason(part.name, ("pinned_hubs", *_rules_of(bonds)), text, remedies)


def unpinned(problem: Problem, place: int) -> Remedy | None:
    """Return the way to take one pin off; None where it is no pin of the study."""
    urn = problem.urns[place]
    if urn not in problem.rules.pinned_hubs:
        return None
    left = [other for other in problem.rules.pinned_hubs if other != urn]
    rules = problem.rules.model_copy(update={"pinned_hubs": tuple(left)})
    pins = tuple(other for other in problem.pinned_hubs if other != urn)
    return Remedy(
        f"No longer pin {named(problem, (place,))}.",
        f"[rules]\npinned_hubs = {toml_list(left)}",
        mended=replace(problem, rules=rules, pinned_hubs=pins),
    )


# -- locks -----------------------------------------------------------------------------------------


def _locks(problem: Problem, part: Part, model: Model) -> Iterator[Reason]:
    """Yield a reason for each locked cluster that others are tied to, or that breaks a rule."""
    inside = {problem.urns[i] for i in part.members}
    for bond in problem.bonds:
        if not bond.closed or not set(bond.urns) <= inside:
            continue
        joined = sorted(_tied_to(problem, bond) - set(bond.urns))
        if joined:
            yield _joined(problem, part, bond, joined[0])
        else:
            yield from _broken(problem, part, model, bond)


def _tied_to(problem: Problem, bond: Bond) -> set[str]:
    return next((set(tie) for tie in problem.ties if bond.urns[0] in tie), set(bond.urns))


def _joined(problem: Problem, part: Part, bond: Bond, urn: str) -> Reason:
    bonds = [other for other in path(problem, bond.urns[0], urn) if other != bond]
    who = named(problem, problem.positions([urn]))
    text = (
        f"{_lock(bond)} is to stay as it is, but {who}, which is not in it, is tied to it: "
        f"{_words(problem, bonds)}."
    )
    kinds = tuple(dict.fromkeys((bond.rule, *_rules_of(bonds))))
    return Reason(part.name, kinds, text, tuple(_untied(problem, [*bonds, bond])))


def _broken(problem: Problem, part: Part, model: Model, bond: Bond) -> Iterator[Reason]:
    """Yield the rules that a locked cluster breaks by itself, whatever becomes of the others."""
    local = {position: k for k, position in enumerate(part.members)}
    places = problem.positions(bond.urns)
    atoms = sorted({int(model.atom_of[local[i]]) for i in places})
    faults = [
        set(model.faults(atoms, local[i], 1))
        - {"need", "hub", "apart"}
        - ({"secondaries"} if model.loans else set())
        for i in places
    ]
    always = sorted(set.intersection(*faults), key=list(FAULT_WORDS).index)
    if not always:
        return
    keys = [FAULT_WORDS[fault][0] for fault in always]
    words = " and ".join(FAULT_WORDS[fault][1] for fault in always)
    pupils, size = int(problem.pupils[places].sum()), len(places)
    text = (
        f"{_lock(bond)} is to stay as it is, with {size} schools and {pupils:,} pupils, but by "
        f"itself it breaks the rule on {words} ([rules] {', '.join(keys)})."
    )
    waiver = _waiver(problem, part, model, bond, always)
    remedies = (*([waiver] if waiver else []), *_untied(problem, [bond]))
    yield Reason(part.name, (bond.rule, *keys), text, remedies)


def _waiver(
    problem: Problem, part: Part, model: Model, bond: Bond, faults: Sequence[str]
) -> Remedy | None:
    """Return lines that let the locked cluster off what it breaks; None where no line can."""
    places = problem.positions(bond.urns)
    if "connected" in faults or any(
        own.contains in bond.urns for own in problem.rules.cluster.values()
    ):
        return None
    size, pupils = len(places), int(problem.pupils[places].sum())
    limits = problem.rules.for_area(part.name)
    minutes = problem.minutes[np.ix_(places, places)].max(axis=0).min()
    low, high = limits.schools
    lines = {
        "schools": f"schools = [{min(low, size)}, {max(high, size)}]",
        "pupils": f"pupils = [{pupils}, {pupils}]",
        "secondaries": f"secondaries = {int(problem.non_selective_secondary[places].sum())}",
        "primaries": f"primaries = {int(problem.primary[places].sum())}",
        "minutes": f"max_minutes_to_hub = {int(np.ceil(minutes))}",
    }
    if "srp" in faults:
        lines["srp"] = _nearest_reach(problem, places, limits)
    name = toml_text(bond.name or problem.names[places[0]])
    body = "\n".join(lines[fault] for fault in faults)
    return Remedy(
        f"Let this one cluster off: {', '.join(lines[fault] for fault in faults)}.",
        f'[rules.cluster."{name}"]\ncontains = "{bond.urns[0]}"\n{body}',
    )


def _nearest_reach(problem: Problem, places: Sequence[int], limits: Filled) -> str:
    """Return the line that lets the school of a cluster be its hub that is nearest to SRPs."""
    now, most = limits.max_minutes_to_srp, np.array(limits.reach_limits(problem.reach_names))
    hubs = [i for i in places if problem.secondary[i]] if problem.rules.hub == "secondary" else []
    pinned = [i for i in places if problem.urns[i] in problem.pinned_hubs]
    hub = min(pinned or hubs or places, key=lambda i: (float((problem.reach[i] - most).max()), i))
    needed = dict(zip(problem.reach_names, problem.reach[hub].tolist(), strict=True))
    return raised_reach(now or {}, needed)


def _lock(bond: Bond) -> str:
    where = "[existing] locked" if bond.rule == "locked" else "locked in the plan"
    return f'The locked cluster "{bond.name}" ({where})'


# -- borders ---------------------------------------------------------------------------------------


def _over_a_border(problem: Problem, part: Part) -> Iterator[Reason]:
    home = set(part.members)
    for tie in problem.ties:
        places = problem.positions(tie)
        outside = [i for i in places if i not in home]
        if places[0] not in home or not outside:
            continue
        where = ", ".join(
            f"{problem.names[i]} ({problem.urns[i]}) in {problem.area_names[problem.area[i]]}"
            for i in places
        )
        bonds = path(problem, tie[0], problem.urns[outside[0]])
        text = (
            f"Schools that must stay together stand in different areas: {where} "
            f"({_words(problem, bonds)}), but no cluster crosses a border ([rules] areas)."
        )
        opened = Remedy(
            "Let clusters cross the border of an area, at a price.", '[rules]\nareas = "price"'
        )
        first = (opened,) if may_open(problem) else ()
        kinds = (*_rules_of(bonds), "areas")
        yield Reason(part.name, kinds, text, (*_untied(problem, bonds), *first))


def may_open(problem: Problem) -> bool:
    """Can the borders of areas be opened as the rules stand? Not where an area counts its own."""
    fixed = any(own.clusters is not None for own in problem.rules.area.values())
    return problem.rules.areas == "never" and not fixed
