"""The ground of the invented county of Sandmere: coast, districts, bridges, towns and main roads.

Everything is drawn from a few dozen hand-placed points, made rough by a seeded generator. The
frame is 70 x 55 km of open North Sea, so no real place lies beneath. Units: metres, EPSG:27700.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.random import Generator
from pyproj import Transformer
from shapely.geometry import LineString, MultiPolygon, Point, Polygon
from shapely.geometry.base import BaseGeometry
from shapely.ops import nearest_points, polygonize, unary_union

ORIGIN = np.array([590_000.0, 395_000.0])
DISTRICTS = ("Highwold", "Larkdown", "Marshside", "Merechester", "Ousemouth", "Saltby")
CODES = {name: f"X070000{i:02d}" for i, name in enumerate(DISTRICTS, start=1)}

# Kilometres from ORIGIN. Clockwise: west border, north coast, estuary mouth, east coast, south.
OUTLINE = [
    (6, 4.5), (3.4, 10), (5.2, 15), (3.6, 21), (6.8, 27), (6, 33), (3.6, 38), (5.6, 44), (10, 49),
    (15, 49.6), (18.5, 51.4), (21.5, 47), (26, 45.4), (29.5, 48.6), (34, 49.4), (36.4, 45.6),
    (41, 43.8), (45.4, 45), (49.6, 42.4), (51.2, 38.6), (55.6, 37), (59.6, 33.6), (61, 29),
    (61.5, 24.5), (65.4, 21.5), (62.2, 17.6), (65, 12.5), (66.2, 7.5), (62.8, 6.2), (58.5, 7.4),
    (54, 3.6), (49, 4.4), (46.4, 8.4), (42, 8), (39.5, 4), (33, 3), (27.5, 5.6), (23, 8), (18, 5.6),
    (12.5, 2.8),
]  # fmt: skip
ISLAND = [
    (52.6, 41.2), (53.6, 44.6), (56.4, 46.6), (59.6, 45.4), (62, 47.4), (65.4, 46.6), (66.2, 44),
    (62.8, 43), (60.4, 40.6), (56.4, 39.4), (54, 39.6),
]  # fmt: skip
# Middle line of the estuary with its half width.
ESTUARY = [
    (71, 28.6, 5.5), (62, 28.6, 3.2), (56, 27.2, 2.5), (50, 28.8, 1.7), (44, 26.8, 1.5),
    (38, 26.2, 0.85), (32, 27.6, 0.65), (26, 24.9, 0.32), (21.3, 26.6, 0.09),
]  # fmt: skip
# Every line ends at a junction or beyond the coast, so that the pieces close.
BORDERS = [
    [(-1, 30), (7, 29), (11, 32), (16, 30), (21.5, 32)],
    [(21.5, 32), (25, 34.6), (29, 31.8), (32.5, 33)],
    [(21.5, 32), (25, 37), (22.6, 40.5), (18.6, 43.5), (20.6, 48), (19, 54)],
    [(32.5, 33), (37, 36.4), (42, 33.6), (47.5, 35.6), (52, 35), (57, 39)],
    [(32.5, 33), (33.2, 29), (31, 26), (34.6, 23), (34, 19.5)],
    [(-1, 16.6), (8, 18.8), (14, 15.6), (22, 19.4), (29, 17.6), (34, 19.5)],
    [(34, 19.5), (38.5, 19.6)],
    [(38.5, 19.6), (44, 17), (50, 20.6), (57, 18.8), (62, 20.6), (70, 18.6)],
    [(38.5, 19.6), (35.6, 15), (39.4, 10.5), (36, 0)],
]
LABELS = {
    "Highwold": [(13, 40)],
    "Larkdown": [(20, 12)],
    "Marshside": [(34, 40), (58, 43)],
    "Merechester": [(14, 24)],
    "Ousemouth": [(48, 32.4), (48, 23)],
    "Saltby": [(52, 13)],
}


@dataclass(frozen=True)
class Place:
    """A town or village: centre in km from ORIGIN, spread in km, and how many primaries it has."""

    name: str
    district: str
    x: float
    y: float
    spread: float
    primaries: int
    kind: str


PLACES = (
    Place("Thornwold", "Highwold", 11.5, 36, 1.3, 8, "town"),
    Place("Upper Larrick", "Highwold", 14.5, 45, 1.2, 6, "town"),
    Place("Larrick Fold", "Highwold", 8, 41.5, 0.9, 2, "village"),
    Place("Marshside", "Marshside", 44.5, 39.3, 1.5, 11, "town"),
    Place("Ternhaven", "Marshside", 32.6, 46.4, 1.3, 7, "town"),
    Place("Reedholme", "Marshside", 27.5, 37.6, 1.2, 5, "town"),
    Place("Gannet Quay", "Marshside", 56.2, 42.2, 1.0, 6, "town"),
    Place("Eastness", "Marshside", 61.6, 44.6, 0.9, 3, "village"),
    Place("Merechester", "Merechester", 18.5, 24.6, 2.3, 27, "city"),
    Place("Abbotsmere", "Merechester", 8.8, 23.4, 1.1, 6, "town"),
    Place("Millwater", "Merechester", 28, 29.8, 1.0, 5, "town"),
    Place("Ousemouth", "Ousemouth", 51.4, 32.6, 1.6, 13, "city"),
    Place("Tidewell", "Ousemouth", 38.4, 30.4, 1.1, 8, "town"),
    Place("Southferry", "Ousemouth", 53.4, 23.2, 1.5, 13, "town"),
    Place("Saltby", "Saltby", 61.6, 10.8, 1.9, 18, "city"),
    Place("Coldsands", "Saltby", 60.6, 16.6, 1.0, 6, "town"),
    Place("Whin Cross", "Saltby", 46.6, 12.4, 1.2, 5, "town"),
    Place("Larkford", "Larkdown", 19, 12, 1.5, 9, "town"),
    Place("Wrenmead", "Larkdown", 30.5, 14, 1.2, 6, "town"),
    Place("Dovebridge", "Larkdown", 9.4, 9.6, 1.2, 6, "town"),
)

# Names of places and, in brackets of two numbers, bends; "island" and "estuary" are the bridges.
ROADS: dict[str, list[str | tuple[float, float]]] = {
    "X1": ["Dovebridge", "Larkford", (18, 18), "Merechester", (16, 29.5), "Thornwold",
           (14, 40.5), "Upper Larrick"],
    "X2": [(5.4, 22.5), "Abbotsmere", "Merechester", (23, 28.6), "Millwater", (33.5, 31.2),
           "Tidewell", (44.5, 32.6), "Ousemouth", (49, 36.2), "Marshside"],
    "X3": ["Larkford", (25, 14), "Wrenmead", (38, 13), "Whin Cross", (54, 11), "Saltby"],
    "X4": ["Merechester", (25, 22.5), (34, 22), "estuary-south", (45, 22.6), "Southferry",
           (58, 19.6), "Coldsands", (61.4, 14.5), "Saltby"],
    "X5": ["Tidewell", "estuary-north", "estuary-south"],
    "X6": ["Millwater", "Reedholme", (29.5, 42), "Ternhaven", (39, 42.6), "Marshside",
           "island-mainland", "island-island", "Gannet Quay", "Eastness"],
    "X7": ["Thornwold", (20, 36.4), "Reedholme"],
}  # fmt: skip


@dataclass(frozen=True)
class Crossing:
    """A bridge: its two abutments on dry land (metres) and the minutes it takes."""

    name: str
    start: tuple[int, int]
    end: tuple[int, int]
    minutes: float


@dataclass(frozen=True)
class Ground:
    """The finished ground in EPSG:27700 metres: district polygons, their union, bridges, roads."""

    districts: dict[str, MultiPolygon]
    land: MultiPolygon
    mainland: Polygon
    island: Polygon
    crossings: tuple[Crossing, Crossing]
    roads: dict[str, LineString]

    def district_of(self, point: Point) -> str:
        """Name of the district that covers the point; "" at sea."""
        return next((n for n, shape in self.districts.items() if shape.covers(point)), "")


def metres(points: list[tuple[float, ...]]) -> np.ndarray:
    """Kilometres from ORIGIN to EPSG:27700 metres, shape (n, 2)."""
    return np.array([p[:2] for p in points], dtype=float) * 1000 + ORIGIN


def smooth(line: np.ndarray, closed: bool, rounds: int = 2) -> np.ndarray:
    """Chaikin's corner cutting; the ends of an open line stay where they are."""
    for _ in range(rounds):
        nxt = np.roll(line, -1, axis=0) if closed else line[1:]
        here = line if closed else line[:-1]
        cut = np.stack([0.75 * here + 0.25 * nxt, 0.25 * here + 0.75 * nxt], axis=1).reshape(-1, 2)
        line = cut if closed else np.vstack([line[:1], cut[1:-1], line[-1:]])
    return line


def roughen(line: np.ndarray, rng: Generator, rough: float, step: float = 260.0) -> np.ndarray:
    """Midpoint displacement until no segment is longer than `step` metres; ends stay fixed."""
    while np.hypot(*np.diff(line, axis=0).T).max() > step:
        parts = [line[:1]]
        for a, b in itertools.pairwise(line):
            length = float(np.hypot(*(b - a)))
            if length > step:
                normal = np.array([a[1] - b[1], b[0] - a[0]])
                shift = float(np.clip(rng.normal(0, rough), -2 * rough, 2 * rough))
                parts.append(((a + b) / 2 + normal * shift)[None])
            parts.append(b[None])
        line = np.vstack(parts)
    return line


def ring(points: list[tuple[float, ...]], rng: Generator, rough: float) -> Polygon:
    """A closed natural coast through (about) the given points."""
    line = smooth(metres(points), closed=True, rounds=1)
    shape = Polygon(roughen(np.vstack([line, line[:1]]), rng, rough)).buffer(0)
    return largest(shape)


def largest(shape: BaseGeometry) -> Polygon:
    """The largest polygon of a geometry."""
    return max(getattr(shape, "geoms", [shape]), key=lambda part: part.area)


def estuary(rng: Generator) -> Polygon:
    """The water that cuts into the land, mouth to head, with two rough banks."""
    middle = metres(ESTUARY)
    half = np.array([p[2] for p in ESTUARY])[:, None] * 1000
    along = np.gradient(middle, axis=0)
    normal = np.column_stack([-along[:, 1], along[:, 0]]) / np.hypot(*along.T)[:, None]
    banks = [roughen(smooth(middle + s * half * normal, False), rng, 0.09) for s in (1, -1)]
    return largest(Polygon(np.vstack([banks[0], banks[1][::-1]])).buffer(0))


def cut_districts(land: MultiPolygon, rng: Generator) -> dict[str, MultiPolygon]:
    """Cut the land along rough borders, each drawn once, so that neighbours share every vertex."""
    lines: list[BaseGeometry] = [land.boundary]
    for border in BORDERS:
        line = LineString(roughen(smooth(metres(border), False), rng, 0.14))
        lines.append(shapely.set_precision(line.simplify(25), 1.0))
    noded = shapely.union_all(np.array(lines, dtype=object), grid_size=1.0)
    faces = [f for f in polygonize(noded) if land.covers(f.representative_point())]
    found: dict[str, list[Polygon]] = {name: [] for name in DISTRICTS}
    left = []
    for face in faces:
        name = next(
            (n for n, at in LABELS.items() if any(face.covers(Point(p)) for p in metres(at))), ""
        )
        (found[name] if name else left).append(face)
    for face in sorted(left, key=lambda f: f.area):  # slivers where a border brushes the coast
        shared = {
            n: sum(face.boundary.intersection(f.boundary).length for f in parts)
            for n, parts in found.items()
        }
        found[max(DISTRICTS, key=lambda n: shared[n])].append(face)
    shapes = {n: shapely.union_all(parts, grid_size=1.0) for n, parts in found.items()}
    return {n: s if isinstance(s, MultiPolygon) else MultiPolygon([s]) for n, s in shapes.items()}


def whole(point: np.ndarray) -> tuple[int, int]:
    """A coordinate pair in whole metres."""
    return round(float(point[0])), round(float(point[1]))


def bridges(mainland: Polygon, island: Polygon) -> tuple[Crossing, Crossing]:
    """The island bridge over the narrowest water, and the estuary bridge half-way up."""
    a, b = (np.array(p.coords[0]) for p in nearest_points(mainland, island))
    along = (b - a) / np.hypot(*(b - a))
    over_sound = Crossing("Gannet Bridge", whole(a - along * 180), whole(b + along * 180), 3.0)
    x = metres([(38, 0)])[0, 0]
    south, north = metres([(38, 23)])[0, 1], metres([(38, 29.6)])[0, 1]
    wet = LineString([(x, south), (x, north)]).difference(mainland).bounds
    over_estuary = Crossing(
        "Tidewell Bridge",
        whole(np.array([x, wet[3] + 180])),
        whole(np.array([x, wet[1] - 180])),
        4.0,
    )
    return over_sound, over_estuary


def draw_roads(crossings: tuple[Crossing, Crossing], rng: Generator) -> dict[str, LineString]:
    """Main roads between the towns, only for the look of the map."""
    known = {p.name: metres([(p.x, p.y)])[0] for p in PLACES}
    known["island-mainland"], known["island-island"] = map(
        np.array, (crossings[0].start, crossings[0].end)
    )
    known["estuary-north"], known["estuary-south"] = map(
        np.array, (crossings[1].start, crossings[1].end)
    )
    roads = {}
    for name, stops in ROADS.items():
        points = [known[s] if isinstance(s, str) else metres([s])[0] for s in stops]
        pieces = []
        for start, end, a, b in zip(stops, stops[1:], points, points[1:], strict=False):
            bridge = str(start)[:4] == str(end)[:4] and isinstance(start, str) and "-" in start
            piece = np.vstack([a, b]).astype(float)
            pieces.append(piece if bridge else roughen(piece, rng, 0.05, 900))
        line = np.vstack([pieces[0], *[p[1:] for p in pieces[1:]]])
        roads[name] = shapely.set_precision(LineString(line), 1.0)
    return roads


def make_ground(rng: Generator) -> Ground:
    """Draw the whole county; the same generator state gives the same ground."""
    body = ring(OUTLINE, rng, 0.13)
    isle = ring(ISLAND, rng, 0.12)
    body = largest(body.difference(estuary(rng)).difference(isle.buffer(900)))
    parts = [largest(shapely.set_precision(p.simplify(30), 1.0)) for p in (body, isle)]
    districts = cut_districts(MultiPolygon(parts), rng)
    land = unary_union(list(districts.values()))
    mainland = largest(land)
    island = min(land.geoms, key=lambda part: part.area)
    crossings = bridges(mainland, island)
    return Ground(districts, land, mainland, island, crossings, draw_roads(crossings, rng))


def to_degrees(shape: BaseGeometry) -> BaseGeometry:
    """EPSG:27700 to EPSG:4326, longitude first, six decimals (about 10 cm)."""
    change = Transformer.from_crs(27700, 4326, always_xy=True)

    def turn(xy: np.ndarray) -> np.ndarray:
        return np.round(np.column_stack(change.transform(xy[:, 0], xy[:, 1])), 6)

    return shapely.transform(shape, turn)
