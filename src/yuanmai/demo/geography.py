"""Made-up but plausible geometry around a real centre (pure): parks, zones, cells, parcels, buildings, sites."""

import math
from collections.abc import Iterator
from typing import Any

Point = tuple[float, float]
METRES_PER_DEGREE = 111_320.0


def move(origin: Point, east: float, north: float) -> Point:
    """Return the point `east` and `north` metres away, in degrees (flat-earth, good for a few kilometres)."""
    longitude, latitude = origin
    return (
        round(longitude + east / (METRES_PER_DEGREE * math.cos(math.radians(latitude))), 6),
        round(latitude + north / METRES_PER_DEGREE, 6),
    )


def rectangle(
    origin: Point, east: float, north: float, width: float, height: float, turn: float = 0.0
) -> dict[str, Any]:
    """Return a rectangle as a GeoJSON polygon: its lower left corner, size in metres, turned by `turn` radians."""
    ring = []
    for x, y in ((0.0, 0.0), (width, 0.0), (width, height), (0.0, height), (0.0, 0.0)):
        dx = x * math.cos(turn) - y * math.sin(turn)
        dy = x * math.sin(turn) + y * math.cos(turn)
        ring.append(list(move(origin, east + dx, north + dy)))
    return {"type": "Polygon", "coordinates": [ring]}


def outline(centre: Point, radius: float, corners: int = 9) -> dict[str, Any]:
    """Return an uneven polygon around a centre, like a park on a plan."""
    ring = []
    for index in range(corners):
        angle = 2 * math.pi * index / corners
        reach = radius * (0.86 + 0.14 * math.cos(3 * angle) + 0.05 * math.sin(5 * angle))
        ring.append(list(move(centre, reach * math.cos(angle), reach * math.sin(angle))))
    ring.append(ring[0])
    return {"type": "Polygon", "coordinates": [ring]}


def blocks(centre: Point, count: int, pitch: float = 260.0) -> Iterator[tuple[float, float]]:
    """Yield the lower left corners (metres from the centre) of `count` blocks of a street grid, from the middle out."""
    side = math.ceil(math.sqrt(count)) + 1
    cells = [(x - side / 2, y - side / 2) for x in range(side) for y in range(side)]
    cells.sort(key=lambda cell: (max(abs(cell[0] + 0.5), abs(cell[1] + 0.5)), cell))
    for x, y in cells[:count]:
        yield x * pitch, y * pitch


def bounds(geometry: dict[str, Any]) -> tuple[float, float, float, float]:
    """Return west, south, east, north of a GeoJSON geometry."""

    def points(value: Any) -> Iterator[Point]:
        if isinstance(value[0], int | float):
            yield float(value[0]), float(value[1])
        else:
            for item in value:
                yield from points(item)

    xs, ys = zip(*points(geometry["coordinates"]), strict=True)
    return min(xs), min(ys), max(xs), max(ys)
