"""Coordinates and geometry: conversion there and back, areas against known values, repairs and refusals."""

from __future__ import annotations

import math
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuanmai.common.coordinates import gcj02_to_wgs84, wgs84_to_gcj02
from yuanmai.common.geometry import (
    GeometryError,
    bounds,
    central_meridian,
    clean,
    geodesic_area,
    projected_area,
    to_mu,
)


def polygon(*points: tuple[float, ...]) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": [[list(p) for p in (*points, points[0])]]}


SQUARE = polygon((112.9, 27.8), (112.91, 27.8), (112.91, 27.81), (112.9, 27.81))
BOW = polygon((112.9, 27.8), (112.91, 27.81), (112.91, 27.8), (112.9, 27.81))


@given(st.floats(74, 134), st.floats(18, 53))
def test_gcj02_goes_there_and_back_to_a_millimetre(longitude: float, latitude: float) -> None:
    there = wgs84_to_gcj02(longitude, latitude)
    back = gcj02_to_wgs84(*there)
    assert back == pytest.approx((longitude, latitude), abs=1e-8)
    # The offset is known to lie between some 50 and 1,000 metres.
    metres = (
        math.hypot((there[0] - longitude) * math.cos(math.radians(latitude)), there[1] - latitude) * 111_320
    )
    assert 10 < metres < 1_500


def test_gcj02_of_a_known_point() -> None:
    """The pair that the public implementations of the formula test themselves with (Shanghai)."""
    assert wgs84_to_gcj02(121.5272106, 31.1774276) == pytest.approx(
        (121.531541859215, 31.17530398364597), abs=1e-9
    )


def test_outside_china_both_systems_are_the_same() -> None:
    assert wgs84_to_gcj02(2.35, 48.85) == (2.35, 48.85)
    assert gcj02_to_wgs84(2.35, 48.85) == (2.35, 48.85)


def test_geodesic_area_of_a_degree_cell_agrees_with_the_closed_formula() -> None:
    """Area between two parallels and meridians of the WGS84 ellipsoid (Snyder 1987, authalic latitude, eq. 3-12)."""
    a, f = 6378137.0, 1 / 298.257223563
    e = math.sqrt(f * (2 - f))

    def q(phi: float) -> float:
        s = math.sin(math.radians(phi))
        return (1 - e * e) * (s / (1 - e * e * s * s) - math.log((1 - e * s) / (1 + e * s)) / (2 * e))

    expected = a * a * math.radians(0.01) * (q(27.81) - q(27.80)) / 2
    # Parallels are not geodesics; over a hundredth of a degree the difference stays under a part in a million.
    assert float(geodesic_area(SQUARE)) == pytest.approx(expected, rel=1e-6)


def test_projected_area_exceeds_the_geodesic_one_by_the_scale_of_the_zone() -> None:
    """At 1.095° from the central meridian 114° the scale of Gauss–Krüger is 1 + y²/2R²: about 1.000143, squared in an area."""
    y = math.radians(114 - 112.905) * math.cos(math.radians(27.805)) * 6378137
    scale = 1 + y * y / (2 * 6_371_000**2)
    area = projected_area(SQUARE)
    assert area is not None
    assert float(area) / float(geodesic_area(SQUARE)) == pytest.approx(scale**2, abs=4e-6)


@pytest.mark.parametrize(
    ("longitude", "meridian"), [(112.4, 111), (112.5, 114), (112.9, 114), (75.0, 75), (134.9, 135)]
)
def test_central_meridian(longitude: float, meridian: int) -> None:
    assert central_meridian(longitude) == meridian


def test_one_mu() -> None:
    assert to_mu(Decimal(10_000)) == Decimal(15)


def test_a_hole_is_taken_off() -> None:
    ring = SQUARE["coordinates"][0]
    hole = [[112.904, 27.804], [112.906, 27.804], [112.906, 27.806], [112.904, 27.806], [112.904, 27.804]]
    with_hole = {"type": "Polygon", "coordinates": [ring, hole]}
    small = geodesic_area({"type": "Polygon", "coordinates": [hole]})
    assert abs(geodesic_area(with_hole) + small - geodesic_area(SQUARE)) <= Decimal("0.02")


def test_what_is_fine_stays_as_it_is() -> None:
    cleaned = clean(SQUARE)
    assert cleaned.notes == ()
    assert bounds(cleaned.geometry) == (112.9, 27.8, 112.91, 27.81)
    assert clean(cleaned.geometry).geometry == cleaned.geometry


def test_a_bow_is_repaired_and_said_so() -> None:
    cleaned = clean(BOW)
    assert cleaned.notes == ("repaired",)
    assert cleaned.geometry["type"] == "MultiPolygon"
    # Two triangles of a quarter each: half the square.
    assert float(geodesic_area(cleaned.geometry)) == pytest.approx(float(geodesic_area(SQUARE)) / 2, rel=1e-4)


def test_swapped_coordinates_are_put_right() -> None:
    swapped = polygon((27.8, 112.9), (27.8, 112.91), (27.81, 112.91))
    cleaned = clean(swapped)
    assert cleaned.notes == ("swapped",)
    assert bounds(cleaned.geometry) == (112.9, 27.8, 112.91, 27.81)


def test_clockwise_rings_are_turned_and_heights_dropped() -> None:
    clockwise = polygon((112.9, 27.8, 50.0), (112.9, 27.81, 50.0), (112.91, 27.81, 51.0))
    ring = clean(clockwise).geometry["coordinates"][0]
    assert all(len(point) == 2 for point in ring)
    turning = sum((b[0] - a[0]) * (b[1] + a[1]) for a, b in pairwise(ring))
    assert turning < 0  # counter-clockwise


def test_gcj02_input_is_converted() -> None:
    shifted = polygon(*(wgs84_to_gcj02(x, y) for x, y in ((112.9, 27.8), (112.91, 27.8), (112.91, 27.81))))
    cleaned = clean(shifted, system="gcj02")
    assert cleaned.notes == ("converted",)
    assert bounds(cleaned.geometry) == pytest.approx((112.9, 27.8, 112.91, 27.81), abs=1e-7)


@pytest.mark.parametrize(
    ("geometry", "rule"),
    [
        (None, "missing"),
        ("POLYGON((1 2))", "not_geojson"),
        ({"type": "Circle", "coordinates": [1, 2]}, "kind"),
        ({"type": "Point", "coordinates": [112.9, 27.8]}, "kind"),
        ({"type": "Polygon", "coordinates": []}, "empty"),
        ({"type": "Polygon", "coordinates": [[]]}, "empty"),
        ({"type": "Polygon"}, "empty"),
        ({"type": "Polygon", "coordinates": [[[112.9, "27.8"]]]}, "not_numbers"),
        ({"type": "Polygon", "coordinates": [[[112.9, float("nan")]]]}, "not_numbers"),
        ({"type": "Polygon", "coordinates": [[[112.9, 27.8], [112.91, 27.8]]]}, "not_geojson"),
        (polygon((502_000.0, 3_075_000.0), (503_000.0, 3_075_000.0), (503_000.0, 3_076_000.0)), "projected"),
        (polygon((2.3, 48.8), (2.4, 48.8), (2.4, 48.9)), "outside"),
        (polygon((112.9, 27.8), (112.91, 27.8), (2.4, 48.9)), "outside"),
        (polygon((112.9, 27.8), (112.9000001, 27.8), (112.9000001, 27.8000001)), "too_small"),
        (polygon((112.9, 27.8), (112.91, 27.81), (112.9, 27.8)), "too_small"),
    ],
)
def test_what_cannot_be_understood_is_refused(geometry: Any, rule: str) -> None:
    with pytest.raises(GeometryError) as refused:
        clean(geometry)
    assert refused.value.rule == rule
