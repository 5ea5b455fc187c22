"""Geofences: circles and polygons on the ground, and on which side of their edge a position lies.

Figures of a park are small: positions are put on a plane that touches the earth at the figure's middle (metres east and north of
it), which is right to better than a thousandth of the distance within 50 km.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

METRES = 111_194.9266  # of a degree of a great circle, mean radius 6 371 008.8 m (IUGG)
MOST_POINTS = 500
LARGEST = 500_000.0  # metres


class ShapeFault(ValueError):  # noqa: N818  (a fault of the input, collected with others)
    """A figure that cannot be used."""

    def __init__(self, rule: str, value: Any = "") -> None:
        super().__init__(rule)
        self.rule, self.value = rule, str(value)[:60]


class Shape(Protocol):
    """A figure on the ground."""

    def depth(self, longitude: float, latitude: float) -> float:
        """Return how many metres a position lies inside the figure; negative outside."""


@dataclass(frozen=True)
class Circle:
    """Everything within `radius` metres of a point."""

    longitude: float
    latitude: float
    radius: float

    def depth(self, longitude: float, latitude: float) -> float:
        """Return how many metres a position lies inside; negative outside (haversine)."""
        a, b = math.radians(self.latitude), math.radians(latitude)
        half = math.sin((b - a) / 2) ** 2
        half += math.cos(a) * math.cos(b) * math.sin(math.radians(longitude - self.longitude) / 2) ** 2
        return self.radius - math.degrees(2 * math.asin(min(1.0, math.sqrt(half)))) * METRES


class Polygon:
    """Outer ring and holes of one or more polygons (even-odd rule), in degrees."""

    def __init__(self, rings: Sequence[Sequence[tuple[float, float]]]) -> None:
        xs = [x for ring in rings for x, _ in ring]
        ys = [y for ring in rings for _, y in ring]
        self.longitude, self.latitude = (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2
        self._east = METRES * math.cos(math.radians(self.latitude))
        self.edges: list[tuple[float, float, float, float]] = []
        for ring in rings:
            flat = [self._flat(x, y) for x, y in ring]
            self.edges += [(*a, *b) for a, b in zip(flat, flat[1:] + flat[:1], strict=True) if a != b]
        self._box = (min(xs), min(ys), max(xs), max(ys))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Polygon) and self.edges == other.edges and self._box == other._box

    def __hash__(self) -> int:
        return hash((self._box, len(self.edges)))

    def _flat(self, longitude: float, latitude: float) -> tuple[float, float]:
        return (longitude - self.longitude) * self._east, (latitude - self.latitude) * METRES

    def depth(self, longitude: float, latitude: float) -> float:
        """Return how many metres a position lies inside (to the nearest edge); negative outside."""
        x, y = self._flat(longitude, latitude)
        inside, nearest = False, math.inf
        for ax, ay, bx, by in self.edges:
            if (ay > y) != (by > y) and x < (bx - ax) * (y - ay) / (by - ay) + ax:
                inside = not inside
            dx, dy = bx - ax, by - ay
            t = ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy)
            t = 0.0 if t < 0 else min(t, 1.0)
            ex, ey = ax + t * dx - x, ay + t * dy - y
            nearest = min(nearest, ex * ex + ey * ey)
        return math.sqrt(nearest) if inside else -math.sqrt(nearest)


def corners_of(longitude: float, latitude: float, radius: float, count: int = 64) -> list[list[float]]:
    """Return a circle as a closed ring of corners, for drawing."""
    east = METRES * math.cos(math.radians(latitude))
    angles = [2 * math.pi * i / count for i in range(count)]
    ring = [
        [
            round(longitude + radius * math.cos(a) / east, 7),
            round(latitude + radius * math.sin(a) / METRES, 7),
        ]
        for a in angles
    ]
    return [*ring, ring[0]]


def read_shape(source: Any) -> Shape:
    """Return the figure of GeoJSON (Polygon, MultiPolygon) or ``{"type": "Circle", "center": [lng, lat], "radius": m}``."""
    if not isinstance(source, Mapping):
        raise ShapeFault("missing" if source is None else "shape")
    kind = source.get("type")
    if kind == "Circle":
        radius = source.get("radius")
        if isinstance(radius, bool) or not isinstance(radius, int | float) or not 1 <= radius <= LARGEST:
            raise ShapeFault("radius", radius)
        return Circle(*_position(source.get("center")), float(radius))
    coordinates = source.get("coordinates")
    if (
        kind not in {"Polygon", "MultiPolygon"}
        or not isinstance(coordinates, list | tuple)
        or not coordinates
    ):
        raise ShapeFault("shape", kind)
    parts = coordinates if kind == "MultiPolygon" else [coordinates]
    rings = []
    for part in parts:
        if not isinstance(part, list | tuple) or not part:
            raise ShapeFault("shape", kind)
        for ring in part:
            if not isinstance(ring, list | tuple):
                raise ShapeFault("shape", kind)
            positions = [_position(p) for p in ring]
            if len(set(positions)) < 3:
                raise ShapeFault("corners", len(set(positions)))
            rings.append(positions)
    if sum(map(len, rings)) > MOST_POINTS:
        raise ShapeFault("too_many", MOST_POINTS)
    return Polygon(rings)


def _position(value: Any) -> tuple[float, float]:
    if not isinstance(value, list | tuple) or len(value) < 2:
        raise ShapeFault("position", value)
    x, y = value[0], value[1]
    for number in (x, y):
        if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
            raise ShapeFault("position", value)
    if abs(x) > 180 or abs(y) > 89:
        raise ShapeFault("position", value)
    return float(x), float(y)
