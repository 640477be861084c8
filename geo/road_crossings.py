"""Declared crossings on a road network: added where the roads lack them, cut where closed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from shapely import STRtree
from shapely.ops import substring

from geo.errors import Fault, TravelError
from geo.road_raw import RawRoads, lines_of
from geo.water import Crossing

if TYPE_CHECKING:
    from geo.roads import Roads

CLASS = "crossing"
BESIDE_METRES = 100.0
"""A road that runs this near to most of a declared crossing is that crossing."""
REACH_METRES = 1_000.0
"""An added crossing joins the nearest node within this distance of each end."""
CUT_METRES = 60.0
"""Roads are cut where they pass this near to the middle of a closed crossing."""
ALONG = 0.7
"""Only roads that run with the crossing are cut (cosine), not the one beneath the bridge."""
CROSSING_KMH = 40.0


def added(raw: RawRoads, crossings: Sequence[Crossing]) -> tuple[RawRoads, list[str]]:
    """Add the open crossings that the roads do not have yet; say what was done with each."""
    if not crossings:
        return raw, []
    lines = lines_of(raw.line_at, raw.line_xy)
    tree = STRtree(lines)
    there, new, faults = [], [], []
    for crossing in crossings:
        if _runs_along(crossing, lines, tree):
            there.append(crossing)
            continue
        ends = [np.hypot(*(raw.xy - np.array(end)).T) for end in (crossing.start, crossing.end)]
        nodes = [int(gap.argmin()) for gap in ends]
        if max(gap.min() for gap in ends) > REACH_METRES or nodes[0] == nodes[1]:
            faults.append(
                Fault(
                    f'The crossing "{crossing.name}" does not lead from one road to another: '
                    f"the nearest are {ends[0].min():.0f} m and {ends[1].min():.0f} m off.",
                    "Give easting and northing of a road at each end, in metres.",
                )
            )
        new.append((crossing, nodes))
    if faults:
        raise TravelError(faults)
    notes = []
    if there:
        names = ", ".join(sorted(c.name for c in there))
        notes.append(f"Declared crossings that the roads have already: {names}.")
    if new:
        names = ", ".join(sorted(c.name for c, _ in new))
        notes.append(f"Declared crossings added to the roads: {names}.")
        raw = _with_streets(raw, new)
    return raw, notes


def _runs_along(crossing: Crossing, lines: np.ndarray, tree: STRtree) -> bool:
    """Whether one road after another runs beside at least six tenths of the crossing."""
    way = shapely.LineString([crossing.start, crossing.end])
    corridor = way.buffer(BESIDE_METRES, cap_style="flat")
    near = lines[tree.query(corridor, predicate="intersects")]
    if not len(near):
        return False
    spots = shapely.get_coordinates(shapely.segmentize(shapely.intersection(near, corridor), 10.0))
    share = shapely.line_locate_point(way, shapely.points(spots), normalized=True)
    tenths = np.unique(np.clip((share * 10).astype(int), 0, 9))
    # A road that only crosses the line touches one or two tenths of it.
    return len(tenths) >= 6 and _hangs_together(near, way)


def _hangs_together(lines: np.ndarray, way: shapely.LineString) -> bool:
    """Whether the middle of the crossing has a road beside it: both shores alone are no bridge."""
    middle = way.interpolate(0.5, normalized=True)
    return float(shapely.distance(shapely.union_all(lines), middle)) <= BESIDE_METRES


def _with_streets(raw: RawRoads, new: list[tuple[Crossing, list[int]]]) -> RawRoads:
    """Append one two-way street for each crossing; its minutes become a speed."""
    a, b = np.array([nodes for _, nodes in new]).T
    metres = np.array([max(c.metres, 1.0) for c, _ in new])
    kmh = [
        CROSSING_KMH if c.minutes is None else m / 1000 * 60 / max(c.minutes, 1e-3)
        for (c, _), m in zip(new, metres, strict=True)
    ]
    yes = np.ones(len(new), dtype=bool)
    line_xy = np.stack([raw.xy[a], raw.xy[b]], axis=1).reshape(-1, 2)
    joined = {
        "a": a,
        "b": b,
        "metres": metres,
        "road_class": np.array([CLASS] * len(new), dtype=object),
        "signed_kmh": np.array(kmh),
        "forward": yes,
        "backward": yes,
        "line_xy": line_xy,
        "line_at": raw.line_at[-1] + 2 * np.arange(1, len(new) + 1),
    }
    fields = {key: np.concatenate([getattr(raw, key), value]) for key, value in joined.items()}
    return RawRoads(**{**vars(raw), **fields})


def cut(roads: Roads, crossing: Crossing) -> tuple[dict[str, Any], str]:
    """Cut every road that runs with a closed crossing, at its middle; both ends stay as stubs.

    Returns the arrays of the new network and a note. Raises TravelError where no road runs there.
    """
    start, end = np.array(crossing.start), np.array(crossing.end)
    middle = shapely.Point((start + end) / 2)
    disc = middle.buffer(min(CUT_METRES, max(crossing.metres / 2, 10.0)))
    hit = np.sort(STRtree(roads.lines).query(disc, predicate="intersects"))
    along = (end - start) / max(crossing.metres, 1e-9)
    pieces, gone = [], []
    for k in hit:
        line = roads.lines[k]
        inside = shapely.get_coordinates(shapely.intersection(line, disc))
        way = inside[-1] - inside[0]
        if abs(way @ along) < ALONG * np.hypot(*way) or np.hypot(*way) == 0:
            continue
        share = np.sort(shapely.line_locate_point(line, shapely.points(inside), normalized=True))
        gone.append(k)
        pieces += [(k, 0.0, share[0]), (k, share[-1], 1.0)]
    if not gone:
        raise TravelError(
            Fault(
                f'No road runs where the crossing "{crossing.name}" is declared closed.',
                "Give start and end on the road itself, in metres.",
            )
        )
    note = f"Declared closed, so cut: {crossing.name}."
    return _split(roads, np.array(gone), [p for p in pieces if p[2] > p[1]]), note


def _split(
    roads: Roads, gone: np.ndarray, pieces: list[tuple[int, float, float]]
) -> dict[str, Any]:
    """Replace the streets `gone` by pieces (street, from share, to share), each with a new end."""
    keep = np.setdiff1d(np.arange(len(roads.a)), gone)
    xy, a, b, lines, origin, metres = list(roads.xy), [], [], [], [], []
    for k, low, high in pieces:
        line = substring(roads.lines[k], low, high, normalized=True)
        spots = shapely.get_coordinates(line)
        fresh = len(xy)
        xy.append(spots[-1] if low == 0.0 else spots[0])
        a.append(int(roads.a[k]) if low == 0.0 else fresh)
        b.append(fresh if low == 0.0 else int(roads.b[k]))
        lines.append(spots)
        origin.append(k)
        metres.append(float(roads.metres[k]) * (high - low))
    every = np.concatenate([keep, np.array(origin, dtype=int)])
    drawn = [*(roads.line_xy[roads.line_at[k] : roads.line_at[k + 1]] for k in keep), *lines]
    return {
        "xy": np.array(xy),
        "a": np.concatenate([roads.a[keep], np.array(a, dtype=np.int32)]),
        "b": np.concatenate([roads.b[keep], np.array(b, dtype=np.int32)]),
        "metres": np.concatenate([roads.metres[keep], metres]),
        "line_at": np.concatenate([[0], np.cumsum([len(line) for line in drawn])]),
        "line_xy": np.vstack(drawn),
        "junction": np.concatenate([roads.junction, np.zeros(len(xy) - len(roads.xy), bool)]),
        **{
            key: getattr(roads, key)[every]
            for key in ("road_class", "signed_kmh", "forward", "backward")
        },
    }
