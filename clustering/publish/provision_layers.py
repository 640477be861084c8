"""The map of provision: what `geo.provision_map` draws, in plain tables made from a review."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from clustering.provision.before_after import by_point
from clustering.provision.reach import KEY, VISITED, Reach, admits_all
from clustering.provision.register import serves, types_of
from clustering.provision.settings import PHASES, SERVES
from clustering.provision.tables import ALL, reach_table, worst_served
from clustering.provision_desk import Review, State
from clustering.publish import provision_words as say

Key = tuple[str, str, str]
"""Kind, need type and phase, as in `KEY`."""


def keys_of(review: Review) -> list[Key]:
    """Return the kinds, need types and phases for which there is demand: most children first."""
    reach = review.today.reach
    if reach is None:
        return []
    sums = reach.rows.groupby(["kind", "need_type"])["children"].sum()
    order = {
        key: at for at, key in enumerate(sums.sort_values(ascending=False, kind="stable").index)
    }
    there = reach.rows.drop_duplicates(KEY)[KEY].itertuples(index=False, name=None)
    return sorted(there, key=lambda key: (order[key[:2]], PHASES.index(key[2])))  # fmt: skip


def choices(keys: list[Key], kinds: Mapping[str, str]) -> pd.DataFrame:
    """Return what readers choose from; the kind is named where there is more than one."""
    several = len({kind for kind, _, _ in keys}) > 1
    rows = [
        {
            "type": f"{kind}/{code}",
            "phase": phase,
            "type_words": say.type_words(code) + (f": {kinds[kind]}" if several else ""),
            "phase_words": say.PHASE_WORDS[phase],
        }
        for kind, code, phase in keys
    ]
    index = pd.Index([label(key) for key in keys], dtype=object)
    return pd.DataFrame(rows, index=index, columns=["type", "phase", "type_words", "phase_words"])


def label(key: Key) -> str:
    """Return one text for a kind, need type and phase."""
    return "/".join(key)


def numbers(review: Review) -> dict[str, int]:
    """Return the number of each provision on the map: by area, then name, over all states."""
    tables = [now(state) for state in review.states]
    every = pd.concat(tables)[["area", "name"]]
    every = every[~every.index.duplicated()].rename_axis("provision").reset_index()
    every = every.sort_values(["area", "name", "provision"])
    return {str(name): at for at, name in enumerate(every["provision"], start=1)}


def now(state: State) -> pd.DataFrame:
    """Return the provisions open in a state's year."""
    return state.register.open_in(state.year).table


def provisions(review: Review, keys: list[Key], kinds: Mapping[str, str]) -> pd.DataFrame:
    """Return a row a state and provision; those a scenario has closed stay, unless their site has
    another one."""
    number, viability = numbers(review), review.viability().set_index("provision")
    before = now(review.today)
    rows = []
    for at, state in enumerate(review.states):
        table = now(state)
        sites = set(zip(table["easting"], table["northing"], strict=True))
        gone = before[~before.index.isin(table.index)]
        alone = [pair not in sites for pair in zip(gone["easting"], gone["northing"], strict=True)]
        free = admits_all(table, review.provision.settings)
        taken = pd.DataFrame({phase: serves(table, phase) for phase in PHASES})
        for name, base in pd.concat([table, gone[alone]]).iterrows():
            closed = name not in table.index
            own = viability.loc[name] if name in viability.index else None
            fits = [] if closed or not free[name] else _choices_of(base, taken.loc[name], keys)
            rows.append(
                {
                    "state": str(at),
                    "provision": str(name),
                    "number": number[str(name)],
                    "name": base["name"],
                    "kind": base["kind"],
                    "kind_words": kinds[base["kind"]],
                    "status": "closed" if closed else "open" if name in before.index else "new",
                    "easting": base["easting"],
                    "northing": base["northing"],
                    "choices": tuple(fits),
                    "types": tuple(
                        f"{SERVES[base['kind']]}/{code}" for code in types_of(base["need_types"])
                    ),
                    "details": details(base, own),
                }
            )
    columns = [
        *("state", "provision", "number", "name", "kind", "kind_words", "status", "easting"),
        *("northing", "choices", "types", "details"),
    ]
    return pd.DataFrame(rows, columns=columns)


def _choices_of(base: pd.Series, taken: pd.Series, keys: list[Key]) -> list[str]:
    """Return the choices a provision is for; `taken` says whether it takes each phase."""
    codes, kind = types_of(base["need_types"]), SERVES[base["kind"]]
    return [label(k) for k in keys if k[0] == kind and k[1] in codes and taken[k[2]]]


def details(base: pd.Series, viability: pd.Series | None) -> tuple[tuple[str, str], ...]:
    """Return the facts about one provision for its card on the map."""
    rows = [
        ("Need types", say.types_words(base["need_types"])),
        ("Ages", f"{base['low_age']:.0f} to {base['high_age']:.0f}"),
        ("Area", base["area"] or "outside"),
        ("Places", say.whole(base["places"])),
        ("On roll", say.whole(base["on_roll"])),
    ]
    if viability is not None and viability["occupancy"] == viability["occupancy"]:
        rows.append(("Filled", say.share(viability["occupancy"])))
    if viability is not None and viability["words"]:
        rows.append(("Flag", viability["words"]))
    if base["sex"] in ("boys", "girls"):
        rows.append(("Open to", base["sex"]))
    if base["selective"]:
        rows.append(("School", "selects its pupils"))
    if base["closes"]:
        rows.append(("Closes", base["closes"]))
    return tuple((name, str(value)) for name, value in rows)


def reached(review: Review) -> pd.DataFrame:
    """Return a row a state, choice and point with demand: minutes, what is nearest, change."""
    parts = []
    for at, state in enumerate(review.states):
        if state.reach is None:
            continue
        table = _by_point(state.reach)
        if not state.differences.empty:
            change = state.differences.set_index(["point", *KEY])["change"]
            table["change"] = change.reindex(table.index).replace("unchanged", np.nan).fillna("")
        table = table.reset_index()
        table["choice"] = [label(key) for key in table[KEY].itertuples(index=False, name=None)]
        parts.append(table.drop(columns=KEY).assign(state=str(at)))
    columns = ["state", "choice", "point", "children", "minutes", "sign", "nearest", "change"]
    return pd.concat(parts)[columns] if parts else pd.DataFrame(columns=columns)


def _by_point(found: Reach) -> pd.DataFrame:
    """Return children, minutes, sign and name of the nearest by point and KEY."""
    keys = ["point", *KEY]
    table = by_point(found)[["children", "minutes"]]
    rows = found.rows.assign(
        some=np.isfinite(found.rows["minutes"]), visited=found.rows["nearest"] == VISITED
    )
    sums = rows.groupby(keys)[["some", "visited"]].any()
    endless = np.isinf(table["minutes"])
    table["sign"] = np.select(
        [sums["visited"], endless & sums["some"], endless], ["visited", "part", "none"], ""
    )
    names = found.provisions["name"]
    nearest = rows.sort_values("children", ascending=False, kind="stable").groupby(keys)
    own = nearest["nearest"].first().map(names)
    table["nearest"] = own.reindex(table.index).where(table["sign"] == "", "").fillna("")
    table["change"] = ""
    return table


def limits(review: Review) -> pd.DataFrame:
    """Return both limits in minutes by state and phase; a scenario may have its own."""
    rows = []
    for at, state in enumerate(review.states):
        own = state.rules(review.provision.settings).limits
        for phase in PHASES:
            first, second = own.of(phase)
            rows.append({"state": str(at), "phase": phase, "first": first, "second": second})
    return pd.DataFrame(rows)


def pathway_lines(review: Review) -> pd.DataFrame:
    """Return the way on from each primary provision and need type, in words too."""
    rows = [
        {
            "state": str(at),
            "type": f"{row.kind}/{row.need_type}",
            "provision": row.provision,
            "next": row.next_provision,
            "broken": not row.within,
            "words": way_on(row),
        }
        for at, state in enumerate(review.states)
        for row in review.pathways(state).itertuples()
    ]
    return pd.DataFrame(rows, columns=["state", "type", "provision", "next", "broken", "words"])


def way_on(row: object) -> str:
    """Return where the children of one primary provision and need type go on to."""
    code, next_, far = row.need_type, row.next, row.minutes  # type: ignore[attr-defined]
    if not next_:
        return f"{code}: broken, there is no secondary provision to go on to"
    text = f"{code}: on to {next_}, {say.minutes(far)} minutes"
    return text if row.within else f"{text}: broken, beyond the last limit"  # type: ignore[attr-defined]


def sentences(review: Review) -> pd.DataFrame:
    """Return the sentences about each choice in each state."""
    rows = []
    demand = review.provision.demand
    for at, state in enumerate(review.states):
        if state.reach is None or demand is None:
            continue
        worst = worst_served(state.reach, review.names)
        table = reach_table(state.reach)
        for _, row in table[table["need_type"] != ALL].iterrows():
            key = tuple(row[name] for name in KEY)
            far = worst[(worst[KEY] == list(key)).all(axis=1)]
            words = say.headline(state.reach, row, far, demand.estimated)
            rows.append({"state": str(at), "choice": "/".join(key), "words": words})
    return pd.DataFrame(rows, columns=["state", "choice", "words"])
