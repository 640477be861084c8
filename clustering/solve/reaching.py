"""Which schools can be a hub at all under the rule on minutes to SRPs, and what would mend it.

The rule looks at the hub alone, so a pencil tells who can be one: too few hubs for the clusters, a
school without any of them within its minutes, or a pinned hub beyond the rule are contradictions
that no search need find.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from clustering.problem import Part, Problem
from clustering.solve.conflicts import unpinned
from clustering.solve.model import Ints, Model
from clustering.solve.reasons import Reason, Remedy, area_lines, named, raised_reach, toml_text

RULE = "max_minutes_to_srp"
NAMED = 5
"""Schools named one by one; of more, the rest are counted."""


def few_hubs(problem: Problem, part: Part, model: Model) -> tuple[int, str] | None:
    """Return the most clusters that have a hub near enough to SRPs, and why; None if all have.

    Two clusters never have their hub in one atom.
    """
    usable = model.hub_allowed & model.in_reach.any(axis=0)
    most = len(np.unique(model.atom_of[usable]))
    if most == len(np.unique(model.atom_of[model.hub_allowed])):
        return None
    near = _by_excess(model, np.flatnonzero(model.hub_allowed & ~usable))[0]
    start = {0: "no school is", 1: "only one of its schools is"}.get(
        most, f"only {most} of its schools are"
    )
    clusters = "1 cluster" if most == 1 else f"{most} clusters"
    every = np.arange(len(model.classes))
    return most, (
        f"{start} near enough to every type of SRP to be a hub (the nearest of the others, "
        f"{_beyond(problem, model, near, every)}), which makes at most {clusters}"
    )


def nearer_remedies(problem: Problem, part: Part, model: Model, clusters: int) -> Iterator[Remedy]:
    """Yield the ways to have hubs for so many clusters: more minutes, or other schools as hubs."""
    order = _by_excess(model, np.flatnonzero(model.hub_allowed))
    first = {int(model.atom_of[h]): h for h in order[::-1]}
    hubs = [h for h in order if first[int(model.atom_of[h])] == h][:clusters]
    if len(hubs) == clusters:
        yield _allowing(problem, part, model, hubs)
    if problem.rules.hub == "secondary":
        yield Remedy("Let any school be a hub.", '[rules]\nhub = "any"')


def pins_beyond(problem: Problem, part: Part, model: Model) -> Iterator[Reason]:
    """Yield a reason for every pinned hub that is too far from an SRP to be one."""
    local = {position: k for k, position in enumerate(part.members)}
    for place in problem.positions(problem.pinned_hubs):
        if place not in local:
            continue
        hub = local[place]
        kinds = _kinds(model, int(model.atom_of[hub]))
        if model.in_reach[kinds, hub].any():
            continue
        text = (
            f"{named(problem, (place,))} is pinned as a hub ([rules] pinned_hubs, or the hub of a "
            f"locked cluster), but is {_far(problem, model, hub, kinds)} ([rules] {RULE})."
        )
        free = unpinned(problem, place)
        name = _own_cluster(problem, part, model, int(model.atom_of[hub]))
        nearer = _allowing(problem, part, model, [hub], name)
        yield Reason(part.name, ("pinned_hubs", RULE), text, (*([free] if free else []), nearer))


def stranded(problem: Problem, part: Part, model: Model) -> Iterator[Reason]:
    """Yield a reason for schools that have hubs within their minutes, but none near enough to SRPs.

    Those of a named cluster with limits of its own stand by themselves.
    """
    if model.in_reach.all():
        return
    minutes = np.array([c.max_minutes for c in model.classes])
    locked = {urn for bond in problem.bonds if bond.closed for urn in bond.urns}
    groups: dict[str, list[tuple[int, int]]] = {}
    for atom in range(len(model)):
        kinds = _kinds(model, atom)
        near = model.hub_allowed & (model.far[atom] <= minutes[kinds].max())
        fits = near & model.in_reach[kinds] & (model.far[atom] <= minutes[kinds][:, None])
        inside = {problem.urns[part.members[k]] for k in np.flatnonzero(model.atom_of == atom)}
        if model.pin[atom] >= 0 or fits.any() or not near.any() or inside & locked:
            continue
        hub = _by_excess(model, np.flatnonzero(near), kinds)[0]
        groups.setdefault(_own_cluster(problem, part, model, atom), []).append((atom, hub))
    for name, found in sorted(groups.items()):
        yield _stranded(problem, part, model, name, found)


def _stranded(
    problem: Problem, part: Part, model: Model, name: str, found: Sequence[tuple[int, int]]
) -> Reason:
    atoms, hubs = [atom for atom, _ in found], [hub for _, hub in found]
    schools = [part.members[k] for k in np.flatnonzero(np.isin(model.atom_of, atoms))]
    others = f", and {len(schools) - NAMED} others" if len(schools) > NAMED else ""
    kinds = _kinds(model, atoms[0])
    widest = max(model.classes[k].max_minutes for k in kinds)
    worst = _by_excess(model, np.array(hubs), kinds)[-1]
    text = (
        f"{named(problem, schools[:NAMED])}{others}: no school within {widest:g} minutes is near "
        f"enough to every type of SRP to be their hub (the nearest, "
        f"{_beyond(problem, model, worst, kinds)})."
    )
    usable = model.hub_allowed & model.in_reach[kinds].any(axis=0)
    remedies = [_allowing(problem, part, model, hubs, name)]
    if usable.any():
        farther = int(np.ceil(model.far[atoms][:, usable].min(axis=1).max()))
        words = f"Allow {farther} minutes to the hub of {_place(part, name)}."
        lines = f"{_heading(part, name)}\nmax_minutes_to_hub = {farther}"
        remedies.append(Remedy(words, lines))
    return Reason(part.name, (RULE, "max_minutes_to_hub"), text, tuple(remedies))


def _kinds(model: Model, atom: int) -> Ints:
    """Return the limit classes that a cluster with an atom can have."""
    if model.anchor_class[atom] >= 0:
        return model.anchor_class[atom : atom + 1]
    anchors = model.anchor_class[model.anchor_class >= 0]
    return np.unique(np.concatenate([model.area_class, anchors]))


def _own_cluster(problem: Problem, part: Part, model: Model, atom: int) -> str:
    """Return the named cluster of an atom that sets the rule for itself; "" for none."""
    home = {problem.urns[part.members[k]] for k in np.flatnonzero(model.atom_of == atom)}
    for name, own in sorted(problem.rules.cluster.items()):
        if own.contains in home and RULE in own.model_fields_set:
            return name
    return ""


# -- how far beyond the rule -----------------------------------------------------------------------


def _excess(model: Model, kinds: Iterable[int] | None = None) -> NDArray[np.float64]:
    """Return (m,) by how many minutes each school misses the rule, in the class most lenient."""
    chosen = range(len(model.classes)) if kinds is None else kinds
    limits = [np.array(model.classes[k].reach) for k in chosen]
    return np.min([(model.reach - limit).max(axis=1) for limit in limits], axis=0)


def _by_excess(model: Model, hubs: NDArray, kinds: Iterable[int] | None = None) -> list[int]:
    """Return hubs in the order of the minutes by which they miss the rule."""
    excess = _excess(model, kinds)
    return sorted(hubs.tolist(), key=lambda h: (excess[h], h))


def _far(problem: Problem, model: Model, hub: int, kinds: Ints) -> str:
    """Say how far a school is from the type of SRP by which it misses the rule most."""
    limits = np.array([model.classes[k].reach for k in kinds])
    kind = int((model.reach[hub] - limits).max(axis=1).argmin())
    worst = int((model.reach[hub] - limits[kind]).argmax())
    return (
        f"{model.reach[hub, worst]:g} minutes from the nearest SRP for "
        f"{problem.reach_names[worst]}, and the rule is at most {limits[kind, worst]:g}"
    )


def _beyond(problem: Problem, model: Model, hub: int, kinds: Ints) -> str:
    return f"{named(problem, (model.schools[hub],))}, is {_far(problem, model, hub, kinds)}"


# -- lines that allow it ---------------------------------------------------------------------------


def _allowing(
    problem: Problem, part: Part, model: Model, hubs: Sequence[int], cluster: str = ""
) -> Remedy:
    """Return the way to let some schools be hubs: more minutes, where the limits are set."""
    needed = dict(zip(problem.reach_names, model.reach[list(hubs)].max(axis=0), strict=True))
    rules = problem.rules
    holders: list[tuple[str, float | Mapping[str, float] | None]]
    if cluster:
        holders = [(_heading(part, cluster), rules.cluster[cluster].max_minutes_to_srp)]
    elif part.name != "all areas":
        holders = [(_heading(part, ""), rules.for_area(part.name).max_minutes_to_srp)]
    else:
        own = {n: a for n, a in sorted(rules.area.items()) if RULE in a.model_fields_set}
        holders = [("[rules]", rules.max_minutes_to_srp)]
        holders += [
            (f'[rules.area."{toml_text(n)}"]', a.max_minutes_to_srp) for n, a in own.items()
        ]
    lines = [(head, raised_reach(now, needed)) for head, now in holders if now is not None]
    changed = [(head, line) for head, line in lines if line]
    words = " and ".join(dict.fromkeys(line for _, line in changed))
    return Remedy(
        f"Let hubs of {_place(part, cluster)} be farther from an SRP: {words}.",
        "\n".join(f"{head}\n{line}" for head, line in changed),
    )


def _heading(part: Part, cluster: str) -> str:
    """Return the heading under which the limits of a part, or of a named cluster in it, stand."""
    return f'[rules.cluster."{toml_text(cluster)}"]' if cluster else area_lines(part, "").strip()


def _place(part: Part, cluster: str) -> str:
    return f'the cluster "{cluster}"' if cluster else part.name
