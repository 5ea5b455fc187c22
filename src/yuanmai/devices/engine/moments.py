"""Times as devices write them: numbers since 1970 in any unit, ISO 8601, digits one after the other."""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

LATEST = 1 << 62
_SCALE = {"s": 1_000_000, "ms": 1_000, "us": 1}
# Numbers below the limit are of this unit: seconds until the year 5138.
_SIZES = ((100_000_000_000, "s"), (100_000_000_000_000, "ms"), (100_000_000_000_000_000, "us"))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER = re.compile(r"[+-]?(?:\d{1,20}\.?\d{0,20})(?:[eE][+-]?\d{1,2})?")
_COMPACT = re.compile(r"\d{14}|\d{17}")


def microseconds(told: Any, unit: str = "auto", zone: float = 8.0) -> int | None:
    """Return microseconds since 1970 (UTC), or nothing for what is no time.

    `unit` is `s`, `ms`, `us`, `ns`, `text`, or `auto` (by the size of the number); `zone` the hours ahead of UTC of a time that names none.
    """
    if isinstance(told, str):
        text = told.strip()
        if unit == "text" or _COMPACT.fullmatch(text) or not _NUMBER.fullmatch(text):
            return _moment(text, zone)
        told = int(text) if text.lstrip("+-").isdigit() else float(text)
    if isinstance(told, bool) or not isinstance(told, int | float) or told != told or abs(told) > 1e21:
        return None
    if unit in ("auto", "text"):
        unit = next((name for limit, name in _SIZES if abs(told) < limit), "ns")
    time = int(told) // 1000 if unit == "ns" else round(told * _SCALE[unit])
    return time if abs(time) < LATEST else None


def _moment(text: str, zone: float) -> int | None:
    try:
        if _COMPACT.fullmatch(text):
            text = f"{text[:8]}T{text[8:14]}" + (f".{text[14:]}" if len(text) > 14 else "")
        moment = datetime.fromisoformat(text.replace("/", "-"))
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone(timedelta(hours=zone)))
    return (moment - _EPOCH) // timedelta(microseconds=1)
