"""What the simulated park is like at a moment: plausible values as functions of time and of the device's name. No clock."""

import hashlib
import math

DAY = 86_400.0
METRES_PER_DEGREE = 111_320.0
SINCE = 1_767_225_600.0  # when all meters began: their counts do not start anew with the program (2026-01-01, UTC)


def chance(*parts: object) -> float:
    """Return a number in [0, 1) that depends on nothing but the arguments: the same question has the same answer."""
    digest = hashlib.blake2b("|".join(map(str, parts)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def noise(name: str, at: float, step: float) -> float:
    """Return a smooth noise in [-1, 1] with changes about every `step` seconds."""
    index, part = divmod(at / step, 1.0)
    before, after = chance(name, int(index)), chance(name, int(index) + 1)
    eased = part * part * (3 - 2 * part)
    return 2 * (before + (after - before) * eased) - 1


def daily(at: float, peak_hour: float, zone_hours: float = 8.0) -> float:
    """Return a curve over the local day between 0 (twelve hours from the peak) and 1 (at the peak)."""
    hour = (at / 3600 + zone_hours) % 24
    return 0.5 + 0.5 * math.cos((hour - peak_hour) / 24 * 2 * math.pi)


def signal(name: str, at: float, base: float, swing: float = 0.2, peak_hour: float = 14.0) -> float:
    """Return a measured value around `base`: a daily curve and noise of `swing` × base."""
    return base * (
        1
        + swing * (daily(at, peak_hour) - 0.5)
        + swing * 0.5 * noise(name, at, 300)
        + swing * 0.1 * noise(name + "'", at, 20)
    )


def counted(name: str, at: float, per_second: float, since: float) -> float:
    """Return what a meter shows that began at `since` and runs at about `per_second`: never falls, and jumps nowhere."""
    elapsed = at - since
    start = 1000 + 9000 * chance(name)
    # The integral of a rate that follows the day; its derivative stays above a third of the mean.
    wave = (
        0.4
        * DAY
        / (2 * math.pi)
        * (math.sin(2 * math.pi * (at / DAY + 1 / 12)) - math.sin(2 * math.pi * (since / DAY + 1 / 12)))
    )
    return start + per_second * (elapsed + wave)


def drive(
    name: str, at: float, ring: list[tuple[float, float]], kmh: float, *, rests: bool = True
) -> tuple[float, float, float, float]:
    """Return longitude, latitude, direction (degrees from north) and speed (km/h) of a vehicle on its round along `ring`.

    `ring` holds (longitude, latitude); the way closes itself. Now and then the vehicle stands for a while if it `rests`.
    """
    legs = [_leg(ring[i], ring[(i + 1) % len(ring)]) for i in range(len(ring))]
    whole = sum(length for length, _direction in legs)
    # Of every 10 minutes it drives 8; the rest it stands. Its way is continuous all the same.
    cycle, moving = 600.0, 480.0 if rests else 600.0
    start = chance(name, "start") * whole
    shifted = at + chance(name, "phase") * cycle
    done, part = divmod(shifted, cycle)
    seconds = done * moving + min(part, moving)
    metres = (start + seconds * kmh / 3.6) % whole
    speed = kmh * (1 + 0.08 * noise(name, at, 15)) if part < moving else 0.0
    for (length, direction), origin, target in zip(legs, ring, [*ring[1:], ring[0]], strict=True):
        if metres <= length:
            share = metres / length if length else 0.0
            return (
                origin[0] + (target[0] - origin[0]) * share,
                origin[1] + (target[1] - origin[1]) * share,
                direction,
                speed,
            )
        metres -= length
    return (*ring[0], legs[0][1], speed)


def _leg(origin: tuple[float, float], target: tuple[float, float]) -> tuple[float, float]:
    """Return length in metres and direction in degrees of a straight way."""
    north = (target[1] - origin[1]) * METRES_PER_DEGREE
    east = (target[0] - origin[0]) * METRES_PER_DEGREE * math.cos(math.radians(origin[1]))
    return math.hypot(north, east), math.degrees(math.atan2(east, north)) % 360
