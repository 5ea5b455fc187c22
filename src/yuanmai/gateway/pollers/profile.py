"""What a profile says about asking a device, with what holds where it says nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

INTERVALS = {"modbus": 10.0, "dlt645": 60.0, "cjt188": 900.0}


@dataclass(frozen=True, slots=True)
class Asking:
    """`interval` between rounds, `timeout` of one request (seconds), `retries` after it, `echo`: the bus returns what was sent."""

    interval: float
    timeout: float = 2.0
    retries: int = 2
    echo: bool = False
    preamble: int = 4


def asking(protocol: str, profile: Mapping[str, Any]) -> Asking:
    """Return it; entries that make no sense count as missing."""
    return Asking(
        interval=number(profile, "interval", 0.1, 86_400, INTERVALS[protocol]),
        timeout=number(profile, "timeout", 0.05, 120, 2.0),
        retries=int(number(profile, "retries", 0, 10, 2)),
        echo=bool(profile.get("echo", False)),
        preamble=int(number(profile, "preamble", 0, 16, 4)),
    )


def number(profile: Mapping[str, Any], name: str, low: float, high: float, otherwise: float) -> float:
    """Return a number of a profile."""
    told = profile.get(name)
    good = isinstance(told, int | float) and not isinstance(told, bool) and low <= told <= high
    return float(told) if good and told is not None else otherwise


def place(key: str) -> tuple[str, int, str] | None:
    """Return host, port and what stands behind the slash of `host:port/unit`, or nothing."""
    address, slash, rest = key.rpartition("/")
    host, colon, port = address.rpartition(":")
    if not slash or not colon or not host or not rest or not port.isdigit() or not 0 < int(port) < 65536:
        return None
    return host, int(port), rest
