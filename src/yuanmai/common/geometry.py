"""Geometry of places (pure): what is wrong with a GeoJSON geometry, its repair, its areas.

Everything inside is a GeoJSON geometry in WGS84, longitude before latitude, seven decimals (a centimetre). Areas are m².
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any

import numpy as np
from pyproj import Geod, Transformer
from shapely import make_valid, transform
from shapely.errors import ShapelyError
from shapely.geometry import GeometryCollection, MultiPolygon, Polygon, mapping, shape
from shapely.geometry.base import BaseGeometry
from shapely.geometry.polygon import orient

from yuanmai.common.coordinates import gcj02_to_wgs84, in_china

SQUARE_METRES_PER_MU = Decimal(10_000) / 15
GEOD = Geod(ellps="WGS84")
KINDS = {"Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon"}
AREAS = {"Polygon", "MultiPolygon"}
DEPTH = {"Point": 0, "MultiPoint": 1, "LineString": 1, "MultiLineString": 2, "Polygon": 2, "MultiPolygon": 3}
SMALLEST_AREA = 1.0  # m²: below it a polygon is a slip of the pen
MOST_POINTS = 200_000
Bounds = tuple[float, float, float, float]


class GeometryError(ValueError):
    """A geometry that cannot be taken over: `rule` names why, `values` what the message needs."""

    def __init__(self, rule: str, **values: Any) -> None:
        super().__init__(rule)
        self.rule = rule
        self.values = values


@dataclass(frozen=True)
class Cleaned:
    """A geometry fit to be stored, and the rules by which it was repaired (`swapped`, `repaired`, `converted` …)."""

    geometry: dict[str, Any]
    notes: tuple[str, ...] = field(default=())


def clean(geometry: Any, *, system: str = "wgs84", areas_only: bool = True) -> Cleaned:
    """Check a GeoJSON geometry, repair what can be repaired without guessing, convert it to WGS84.

    `system` is ``wgs84`` (also CGCS2000) or ``gcj02``. Raises `GeometryError` with the rule: ``missing``, ``not_geojson``,
    ``kind``, ``not_numbers``, ``projected``, ``outside``, ``too_many``, ``empty``, ``too_small``.
    """
    kind, coordinates = _check_shape(geometry, areas_only)
    points = list(_points(coordinates, DEPTH[kind]))
    if not points:
        raise GeometryError("empty")
    if len(points) > MOST_POINTS:
        raise GeometryError("too_many", count=len(points), most=MOST_POINTS)
    notes: list[str] = []
    swapped = _orientation(points)
    if swapped:
        notes.append("swapped")
    plain = _flat({"type": kind, "coordinates": coordinates})
    try:
        figure = shape(plain)
    except (ValueError, TypeError, IndexError, ShapelyError) as error:
        raise GeometryError("not_geojson", detail=str(error)) from error
    if swapped:
        figure = transform(figure, lambda x, y: (y, x), interleaved=False)
    if system == "gcj02":
        figure = transform(figure, _each(gcj02_to_wgs84), interleaved=False)
        notes.append("converted")
    if figure.is_empty:
        raise GeometryError("empty")
    if not figure.is_valid:
        figure = _repair(figure, areas_only)
        notes.append("repaired")
    if figure.geom_type in AREAS:
        figure = _oriented(figure)
        if float(geodesic_area(figure)) < SMALLEST_AREA:
            raise GeometryError("too_small")
    return Cleaned(_document(figure), tuple(notes))


def _check_shape(geometry: Any, areas_only: bool) -> tuple[str, Any]:
    if geometry is None:
        raise GeometryError("missing")
    if not isinstance(geometry, Mapping):
        raise GeometryError("not_geojson", detail=type(geometry).__name__)
    kind = geometry.get("type")
    if kind not in KINDS:
        raise GeometryError(
            "kind", kind=str(kind), wanted="Polygon, MultiPolygon" if areas_only else ", ".join(sorted(KINDS))
        )
    if areas_only and kind not in AREAS:
        raise GeometryError("kind", kind=kind, wanted="Polygon, MultiPolygon")
    coordinates = geometry.get("coordinates")
    if not isinstance(coordinates, list | tuple):
        raise GeometryError("empty")
    return str(kind), coordinates


def _points(value: Any, depth: int) -> Iterator[tuple[float, float]]:
    """Yield every position; raises where the nesting or a number is wrong."""
    if depth == 0:
        if len(value) == 0:
            return
        numbers = value[:2]
        if len(numbers) < 2 or any(isinstance(n, bool) or not isinstance(n, int | float) for n in numbers):
            raise GeometryError("not_numbers", value=str(value)[:60])
        if not all(math.isfinite(n) for n in numbers):
            raise GeometryError("not_numbers", value=str(value)[:60])
        yield float(numbers[0]), float(numbers[1])
        return
    for part in value:
        if not isinstance(part, list | tuple):
            raise GeometryError("not_geojson", detail=str(part)[:60])
        yield from _points(part, depth - 1)


def _orientation(points: list[tuple[float, float]]) -> bool:
    """Whether longitude and latitude are the wrong way round; raises where the points lie outside China either way."""
    if any(abs(x) > 180 or abs(y) > 180 for x, y in points):
        raise GeometryError("projected", x=points[0][0], y=points[0][1])
    if all(in_china(x, y) for x, y in points):
        return False
    if all(in_china(y, x) for x, y in points):
        return True
    x, y = next((x, y) for x, y in points if not in_china(x, y))
    raise GeometryError("outside", x=x, y=y)


def _flat(geometry: dict[str, Any]) -> dict[str, Any]:
    """The geometry without heights."""

    def plain(value: Any) -> Any:
        return tuple(value[:2]) if value and isinstance(value[0], int | float) else [plain(v) for v in value]

    return {"type": geometry["type"], "coordinates": plain(geometry["coordinates"])}


def _each(convert: Callable[[float, float], tuple[float, float]]) -> Callable[[Any, Any], tuple[Any, Any]]:
    def run(xs: Any, ys: Any) -> tuple[Any, Any]:
        pairs = [convert(x, y) for x, y in zip(xs, ys, strict=True)]
        return np.array([x for x, _ in pairs]), np.array([y for _, y in pairs])

    return run


def _repair(figure: BaseGeometry, areas_only: bool) -> BaseGeometry:
    """Make a self-crossing figure valid; of an area only the areas are kept, not the lines that fall out of it."""
    mended = make_valid(figure)
    if not areas_only and figure.geom_type not in AREAS:
        return mended
    parts: list[Polygon] = []
    for part in mended.geoms if isinstance(mended, GeometryCollection | MultiPolygon) else [mended]:
        if isinstance(part, Polygon):
            parts.append(part)
        elif isinstance(part, MultiPolygon):
            parts.extend(part.geoms)
    if not parts:
        raise GeometryError("too_small")
    return parts[0] if len(parts) == 1 else MultiPolygon(parts)


def _oriented(figure: BaseGeometry) -> BaseGeometry:
    """Outer rings counter-clockwise, as RFC 7946 wants them."""
    if isinstance(figure, MultiPolygon):
        return MultiPolygon([orient(part) for part in figure.geoms])
    return orient(figure)


def _document(figure: BaseGeometry) -> dict[str, Any]:
    def rounded(value: Any) -> Any:
        if value and isinstance(value[0], int | float):
            return [round(float(n), 7) for n in value]
        return [rounded(part) for part in value]

    plain = mapping(figure)
    return {"type": plain["type"], "coordinates": rounded(plain["coordinates"])}


def inner_point(geometry: Mapping[str, Any]) -> dict[str, Any]:
    """Return a point that lies in (or on) a figure, as GeoJSON: where a mark stands for the whole."""
    point = shape(geometry).representative_point()
    return {"type": "Point", "coordinates": [round(point.x, 7), round(point.y, 7)]}


def bounds(geometry: Mapping[str, Any]) -> Bounds:
    """Return west, south, east, north in degrees."""
    west, south, east, north = shape(geometry).bounds
    return west, south, east, north


def _square_metres(value: float) -> Decimal:
    return Decimal(repr(abs(value))).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)


def geodesic_area(geometry: Mapping[str, Any] | BaseGeometry) -> Decimal:
    """Return the area on the WGS84 ellipsoid in m² (Karney 2013, as PROJ computes it), holes taken off."""
    figure = geometry if isinstance(geometry, BaseGeometry) else shape(geometry)
    return _square_metres(GEOD.geometry_area_perimeter(_oriented(figure))[0])


def central_meridian(longitude: float) -> int:
    """Return the central meridian of the 3° Gauss–Krüger zone of a longitude (GB/T 33175; multiples of 3°)."""
    return math.floor(longitude / 3 + 0.5) * 3


@lru_cache(maxsize=32)
def _gauss_krueger(meridian: int) -> Transformer:
    # CGCS2000 / 3-degree Gauss-Kruger CM 75E … 135E are EPSG 4534 … 4554; 4490 is CGCS2000 itself.
    return Transformer.from_crs(4490, 4534 + (meridian - 75) // 3, always_xy=True)


def projected_area(geometry: Mapping[str, Any]) -> Decimal | None:
    """Return the area in the 3° Gauss–Krüger zone of the figure's middle in m²; None outside the zones of China."""
    figure = shape(geometry)
    meridian = central_meridian((figure.bounds[0] + figure.bounds[2]) / 2)
    if not 75 <= meridian <= 135:
        return None
    return _square_metres(transform(figure, _gauss_krueger(meridian).transform, interleaved=False).area)


def to_mu(square_metres: Decimal) -> Decimal:
    """Return an area in 亩 (1 亩 = 10000/15 m²), unrounded."""
    return square_metres * 15 / 10_000
