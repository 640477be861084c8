"""Why no set of sites keeps every rule, and what would make one possible, in words."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from clustering.provision.site_choice import Floor, Whole
from clustering.provision.site_model import OutOfEffortError, SiteModel, beyond_limit

Words = tuple[tuple[str, ...], tuple[str, ...]]
"""Reasons and remedies."""


def at_once(whole: Whole) -> Words:
    """Return what is impossible by counting alone; empty if nothing is."""
    why, remedy = [], []
    for candidate in sorted(set(whole.forced) - set(whole.allowed)):
        why.append(f"Candidate {candidate} is forced in and forced out.")
        remedy.append(f"Take candidate {candidate} off one of the two lists.")
    forced, pounds = len(whole.forced), sum(int(whole.pounds[c]) for c in whole.forced)
    if forced > whole.sites:
        why.append(f"{forced} candidates are forced in, but at most {whole.sites} may be chosen.")
        remedy.append(f"Allow {forced} sites, or force fewer in.")
    if whole.budget is not None and pounds > whole.budget:
        why.append(
            f"The sites forced in cost £{pounds:,}, more than the £{whole.budget:,} there is."
        )
        remedy.append(f"Raise the budget to £{pounds:,}, or force fewer in.")
    return tuple(why), tuple(remedy)


def reasons(whole: Whole, seed: int, effort: float) -> Words:
    """Return why no set keeps the floors, for a question that is known to have no answer."""
    every = replace(whole, sites=len(whole.allowed), budget=None)
    why, remedy = [], []
    for floor in whole.floors:
        best = _most(replace(every, floors=()), floor, seed, effort)
        if best is not None and best < floor.children - floor.allowance:
            share = best / floor.children
            why.append(
                f"Even with every candidate only {_percent(share)} of {_whom(floor)} come within "
                f"their limit; {_percent(floor.share)} are asked for."
            )
            remedy.append(
                f"Ask for at most {_percent(share)} of {_whom(floor)}, or offer candidates nearer "
                "to them or with more places."
            )
    if why:
        return tuple(why), tuple(remedy)
    asked = " and ".join(
        f"{_percent(floor.share)} of {_whom(floor)}" for floor in _told_once(whole.floors)
    )
    allowed = f"{whole.sites} site{'s' if whole.sites > 1 else ''}"
    money = "" if whole.budget is None else f" and £{whole.budget:,}"
    return (
        (f"No set of at most {allowed}{money} brings {asked} within their limit.",),
        (*_larger(whole, seed, effort), "Or ask for a lower share."),
    )


def _most(whole: Whole, floor: Floor, seed: int, effort: float) -> int | None:
    """Return the most units of a floor's children that can be within their limit."""
    beyond = beyond_limit(whole)
    model = SiteModel(whole, whole.allowed, [beyond])
    try:
        found = model.best(model.total(beyond, floor.rows), seed, effort)
    except OutOfEffortError:
        return None
    return None if found is None else floor.children - found.bound


def _larger(whole: Whole, seed: int, effort: float) -> Iterator[str]:
    """Yield how many sites, or how many pounds, would do."""
    free = replace(whole, sites=len(whole.allowed))
    for question, by_pounds in ((free, False), (replace(whole, budget=None), True)):
        if by_pounds and whole.budget is None:
            continue
        found = _least(question, seed, effort, by_pounds=by_pounds)
        if found is not None:
            yield f"Raise the budget to £{found:,}." if by_pounds else f"Allow {found} sites."
            return
    found = _least(replace(free, budget=None), seed, effort, by_pounds=True)
    if found is not None and whole.budget is not None:
        yield f"Allow more sites and a budget of £{found:,}."


def _least(whole: Whole, seed: int, effort: float, *, by_pounds: bool) -> int | None:
    """Return the fewest sites, or the least pounds, that keep the floors."""
    model = SiteModel(whole, whole.allowed, [beyond_limit(whole)])
    try:
        found = model.best(model.pounds() if by_pounds else 0, seed, effort)
    except OutOfEffortError:
        return None
    if found is None:
        return None
    return found.value if by_pounds else len(found.chosen)


def _told_once(floors: tuple[Floor, ...]) -> Iterator[Floor]:
    """Yield the floor on all children, and one that stands for every group."""
    yield from (floor for floor in floors if not floor.name)
    groups = [floor for floor in floors if floor.name]
    if groups:
        yield replace(groups[0], name="every group") if len(groups) > 1 else groups[0]


def _whom(floor: Floor) -> str:
    return f"the children of {floor.name}" if floor.name else "all children"


def _percent(share: float) -> str:
    """Return a share as a percentage, rounded down so that what is offered can be kept."""
    return f"{math.floor(share * 1000) / 10:g} %"
