"""Coordinates (pure): GCJ-02, the encrypted system of Chinese map services, and WGS84.

The offset formula of GCJ-02 is not published by the state; it is known from its use and gives the offset to about a
metre. The way back has no closed form: it is found by iteration, to better than a centimetre of the forward formula.
CGCS2000, the national system of surveys, agrees with WGS84 to a few centimetres and needs no conversion here.
"""

from __future__ import annotations

from math import cos, fabs, pi, sin, sqrt

# Krasovsky 1940, the ellipsoid of the formula: semi-major axis in metres and squared eccentricity.
SEMI_MAJOR = 6378245.0
ECCENTRICITY_2 = 0.00669342162296594323
# Where the formula applies: the mainland's bounding box, degrees west, south, east, north.
CHINA = (72.004, 0.8293, 137.8347, 55.8271)


def in_china(longitude: float, latitude: float) -> bool:
    """Whether a point lies in the box in which GCJ-02 differs from WGS84."""
    west, south, east, north = CHINA
    return west <= longitude <= east and south <= latitude <= north


def _shift(longitude: float, latitude: float) -> tuple[float, float]:
    """Return the offset of GCJ-02 at a point, in degrees east and north."""
    x, y = longitude - 105.0, latitude - 35.0
    waves = (20.0 * sin(6.0 * x * pi) + 20.0 * sin(2.0 * x * pi)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * sqrt(fabs(x)) + waves
    east += (20.0 * sin(x * pi) + 40.0 * sin(x / 3.0 * pi)) * 2.0 / 3.0
    east += (150.0 * sin(x / 12.0 * pi) + 300.0 * sin(x / 30.0 * pi)) * 2.0 / 3.0
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * sqrt(fabs(x)) + waves
    north += (20.0 * sin(y * pi) + 40.0 * sin(y / 3.0 * pi)) * 2.0 / 3.0
    north += (160.0 * sin(y / 12.0 * pi) + 320.0 * sin(y * pi / 30.0)) * 2.0 / 3.0
    angle = latitude / 180.0 * pi
    magic = 1 - ECCENTRICITY_2 * sin(angle) ** 2
    root = sqrt(magic)
    metres_north = SEMI_MAJOR * (1 - ECCENTRICITY_2) / (magic * root) * pi / 180.0
    metres_east = SEMI_MAJOR / root * cos(angle) * pi / 180.0
    return east / metres_east, north / metres_north


def wgs84_to_gcj02(longitude: float, latitude: float) -> tuple[float, float]:
    """Return a WGS84 point (degrees) in GCJ-02; outside China both are the same."""
    if not in_china(longitude, latitude):
        return longitude, latitude
    east, north = _shift(longitude, latitude)
    return longitude + east, latitude + north


def gcj02_to_wgs84(longitude: float, latitude: float) -> tuple[float, float]:
    """Return a GCJ-02 point (degrees) in WGS84: the point whose GCJ-02 position is the given one."""
    if not in_china(longitude, latitude):
        return longitude, latitude
    x, y = longitude, latitude
    for _ in range(30):
        there_x, there_y = wgs84_to_gcj02(x, y)
        dx, dy = there_x - longitude, there_y - latitude
        x, y = x - dx, y - dy
        if fabs(dx) < 1e-10 and fabs(dy) < 1e-10:
            break
    return x, y
