"""What the profile of a device says about how its station speaks HJ 212."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from yuanmai.protocols.hj212.crc import ALGORITHMS
from yuanmai.protocols.hj212.frame import STANDARD, Profile

ACKNOWLEDGE = ("flag", "always", "never")


def profile_of(given: Mapping[str, Any]) -> Profile:
    """Return the codec's profile: `crc`, `encoding`, `max_length`, `stray_items`, `ack`; what is missing or wrong is the standard's."""
    length = given.get("max_length")
    return _profile(
        _one_of(given.get("crc"), tuple(ALGORITHMS), STANDARD.crc),
        str(given.get("encoding") or STANDARD.encoding),
        length if isinstance(length, int) and 0 < length <= 9999 else STANDARD.max_length,
        _one_of(given.get("stray_items"), ("reject", "drop"), STANDARD.stray_items),
        _one_of(given.get("ack", given.get("acknowledge")), ACKNOWLEDGE, STANDARD.acknowledge),
    )


def _one_of(value: object, known: tuple[str, ...], otherwise: str) -> str:
    return value if isinstance(value, str) and value in known else otherwise


@lru_cache(maxsize=256)
def _profile(crc: str, encoding: str, max_length: int, stray_items: str, acknowledge: str) -> Profile:
    return Profile(crc, encoding, max_length, stray_items, acknowledge)
