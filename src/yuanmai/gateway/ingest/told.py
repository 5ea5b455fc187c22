"""What a record says, before anybody looks at what the register makes of it."""

from collections.abc import Collection
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import Any, NamedTuple

BEIJING = timezone(timedelta(hours=8))
_EPOCH = datetime(1970, 1, 1, tzinfo=BEIJING) - timedelta(hours=-8)


class Told(NamedTuple):
    """Values by address at one time (µs since 1970 UTC; nothing: when it was received).

    `flagged`: the addresses whose values the device itself calls doubtful.
    """

    time: int | None
    values: dict[str, Any]
    flagged: Collection[str] = ()


class Place(NamedTuple):
    """Where a device was: degrees WGS 84, degrees from north, km/h, at a time (µs since 1970 UTC)."""

    time: int
    longitude: float
    latitude: float
    direction: float
    speed: float


class Odd(NamedTuple):
    """Something worth counting: a kind (never changes) and a sample."""

    kind: str
    sample: str = ""


@lru_cache(maxsize=65536)
def beijing(digits: str) -> int | None:
    """Return the moment of `YYYYMMDDhhmmss` (and milliseconds) in Beijing time as µs since 1970 UTC; nothing for what is none."""
    if len(digits) not in (14, 17) or not (digits.isascii() and digits.isdigit()):
        return None
    try:
        moment = datetime(
            int(digits[:4]), int(digits[4:6]), int(digits[6:8]),
            int(digits[8:10]), int(digits[10:12]), int(digits[12:14]), tzinfo=BEIJING,
        )  # fmt: skip
    except ValueError:
        return None
    return (moment - _EPOCH) // timedelta(microseconds=1) + (
        int(digits[14:]) * 1000 if len(digits) == 17 else 0
    )
