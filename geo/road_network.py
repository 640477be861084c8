"""From streets as read to a network: the part that hangs together, chains joined, order fixed."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, reverse_cuthill_mckee

from geo.road_raw import RawRoads
from geo.road_rules import Mode


def compact(raw: RawRoads) -> RawRoads:
    """Drop nodes without a street; number the rest from south-west by coordinates.

    Row order of the file is no information, so nothing may depend on it.
    """
    used = np.unique(np.concatenate([raw.a, raw.b]))
    order = used[np.lexsort((raw.xy[used, 1], raw.xy[used, 0]))]
    return renumbered(raw, order)


def renumbered(raw: RawRoads, order: np.ndarray) -> RawRoads:
    """Put nodes in the given order (positions), and streets in the order of their ends."""
    place = np.full(len(raw.xy), -1)
    place[order] = np.arange(len(order))
    moved = RawRoads(**{**vars(raw), "xy": raw.xy[order], "a": place[raw.a], "b": place[raw.b]})
    return moved.taken(np.lexsort((moved.metres, moved.b, moved.a)))


def main_part(raw: RawRoads, mode: Mode) -> tuple[RawRoads, float]:
    """Keep the largest part in which every place is reached from every other.

    Returns it and the share of street length left out. Walking has no one-way streets, so there the
    part only needs to hang together.
    """
    size = len(raw.xy)
    tails = np.concatenate([raw.a[raw.forward], raw.b[raw.backward]])
    heads = np.concatenate([raw.b[raw.forward], raw.a[raw.backward]])
    graph = coo_array((np.ones(len(tails), dtype=np.int8), (tails, heads)), shape=(size, size))
    _, label = connected_components(
        graph.tocsr(), directed=True, connection="strong" if mode == "drive" else "weak"
    )
    inside = label[raw.a] == label[raw.b]
    length = np.bincount(label[raw.a[inside]], weights=raw.metres[inside])
    keep = inside & (label[raw.a] == length.argmax())
    total = float(raw.metres.sum())
    return raw.taken(keep), 1.0 - float(raw.metres[keep].sum()) / total if total else 0.0


def simplified(raw: RawRoads) -> RawRoads:
    """Join streets of one class, limit and direction that meet at a node nothing else meets."""
    chains = _chains(raw)
    if not chains:
        return raw
    part_of = np.concatenate([[k for k, _ in chain] for chain in chains])
    single = np.setdiff1d(np.arange(len(raw.a)), part_of)
    heads = np.array([chain[0][0] for chain in chains])
    turned = np.array([chain[0][1] for chain in chains])
    tails = np.array([chain[-1][0] for chain in chains])
    tail_turned = np.array([chain[-1][1] for chain in chains])
    lines = [_joined_line(raw, chain) for chain in chains]
    alone = raw.taken(single)
    line_at = np.concatenate(
        [alone.line_at, alone.line_at[-1] + np.cumsum([len(line) for line in lines])]
    )
    forward = np.where(turned, raw.backward[heads], raw.forward[heads])
    backward = np.where(turned, raw.forward[heads], raw.backward[heads])
    own: dict[str, Any] = {
        "a": np.where(turned, raw.b[heads], raw.a[heads]),
        "b": np.where(tail_turned, raw.a[tails], raw.b[tails]),
        "metres": np.array([sum(raw.metres[k] for k, _ in chain) for chain in chains]),
        "road_class": raw.road_class[heads],
        "signed_kmh": raw.signed_kmh[heads],
        "forward": forward,
        "backward": backward,
    }
    both: dict[str, Any] = {
        key: np.concatenate([getattr(alone, key), values]) for key, values in own.items()
    }
    return RawRoads(
        **{
            **vars(raw),
            **both,
            "line_at": line_at,
            "line_xy": np.vstack([alone.line_xy, *lines]),
        }
    )


def _chains(raw: RawRoads) -> list[list[tuple[int, bool]]]:
    """Return the streets to join, in order, each with whether it is run against its drawing."""
    count = len(raw.a)
    ends = np.concatenate([raw.a, raw.b])
    street = np.tile(np.arange(count), 2)
    order = np.argsort(ends, kind="stable")
    degree = np.bincount(ends, minlength=len(raw.xy))
    at = np.concatenate([[0], np.cumsum(degree)])
    two = np.flatnonzero(degree == 2)
    first, second = order[at[two]], order[at[two] + 1]
    s, t = street[first], street[second]
    same = (s != t) & (raw.road_class[s] == raw.road_class[t])
    signed = raw.signed_kmh
    same &= (signed[s] == signed[t]) | (np.isnan(signed[s]) & np.isnan(signed[t]))
    # Leaving the node along a street is its own direction if the node is its start.
    s_out = np.where(first < count, raw.forward[s], raw.backward[s])
    s_in = np.where(first < count, raw.backward[s], raw.forward[s])
    t_out = np.where(second < count, raw.forward[t], raw.backward[t])
    t_in = np.where(second < count, raw.backward[t], raw.forward[t])
    same &= (s_in == t_out) & (s_out == t_in)
    # The other end of the joint, by end (street k has the ends k and k + count); -1 where none.
    joint = np.full(2 * count, -1)
    joint[first[same]], joint[second[same]] = second[same], first[same]
    links, done, found = joint.tolist(), bytearray(count), []
    for begin in range(2 * count):
        k = begin % count
        if links[begin] >= 0 or done[k]:
            continue
        leave = begin + count if begin < count else begin - count
        if links[leave] < 0:
            continue
        chain = [(k, begin >= count)]
        done[k] = 1
        while links[leave] >= 0:
            enter = links[leave]
            k = enter % count
            chain.append((k, enter >= count))
            done[k] = 1
            leave = enter + count if enter < count else enter - count
        found.append(chain)
    return found


def _joined_line(raw: RawRoads, chain: list[tuple[int, bool]]) -> np.ndarray:
    pieces = []
    for k, turned in chain:
        piece = raw.line_xy[raw.line_at[k] : raw.line_at[k + 1]]
        pieces.append(piece[::-1] if turned else piece)
    return np.vstack([pieces[0], *(after[1:] for _, after in pairwise(pieces))])


def near_numbers(raw: RawRoads) -> RawRoads:
    """Number neighbouring nodes alike (reverse Cuthill–McKee): searches then stay in the cache."""
    size = len(raw.xy)
    ones = np.ones(len(raw.a), dtype=np.int8)
    graph = coo_array((ones, (raw.a, raw.b)), shape=(size, size)).tocsr()
    order = reverse_cuthill_mckee((graph + graph.T).tocsr(), symmetric_mode=True)
    return renumbered(raw, np.asarray(order))


def junctions(raw: RawRoads) -> np.ndarray:
    """Whether three or more streets meet at a node; drives and yards (service roads) do not count.

    A farm gate on a main road slows nobody; a side street does.
    """
    streets = raw.road_class != "service"
    meeting = np.bincount(np.concatenate([raw.a[streets], raw.b[streets]]), minlength=len(raw.xy))
    return np.asarray(meeting >= 3)
