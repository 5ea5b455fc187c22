"""Cells that came as texts or as values of JSON: read one by one, where reading them together has failed.

This is the slow way: it is gone only to say everything that is wrong.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from yuanmai.devices.readings.rows import (
    LATEST,
    Names,
    name_message,
    quality_message,
    scaled,
    time_message,
    value_message,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LONGEST_NAME = 200
EMPTY = frozenset({"", "null", "NULL", "NaN", "nan", "NA", "N/A"})
INFINITE = frozenset({"inf", "+inf", "-inf", "infinity", "+infinity", "-infinity"})


def names(column: Sequence[Any], what: str, fault: Callable[..., None]) -> Names:
    """Return a column of names; empty, overlong and other things than texts are faults."""
    places: dict[str, int] = {}
    index = np.full(len(column), -1, np.int32)
    for row, cell in enumerate(column):
        if not isinstance(cell, str) or not 1 <= len(cell) <= LONGEST_NAME or "\0" in cell:
            fault(row, what, cell, "name", name_message())
            continue
        index[row] = places.setdefault(cell, len(places))
    return Names(list(places) or [""], index)


def moment(cell: Any) -> int | None:
    """Return µs since 1970 of a time as text or number, nothing for what is none (or has no zone)."""
    if isinstance(cell, bool) or cell is None:
        return None
    if isinstance(cell, str):
        text = cell.strip()
        if text.lstrip("+-").isdigit() and text.isascii() and len(text) <= 20:
            cell = int(text)
        else:
            try:
                cell = float(text) if not any(sign in text for sign in ":TZ") and text.isascii() else None
            except ValueError:
                cell = None
            if cell is None:
                return _iso(text)
    if isinstance(cell, int):
        return int(scaled(np.array([cell], np.int64))[0]) if abs(cell) < 1 << 62 else LATEST + 1
    if isinstance(cell, float):
        return int(scaled(np.array([cell], np.float64))[0]) if cell == cell else None
    return None


def _iso(text: str) -> int | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    if found.tzinfo is None:
        return None
    try:
        passed = found - _EPOCH
    except OverflowError:
        return None
    return passed.days * 86_400_000_000 + passed.seconds * 1_000_000 + passed.microseconds


def times(column: Sequence[Any], fault: Callable[..., None]) -> npt.NDArray[np.int64]:
    """Return a column of times."""
    found = np.zeros(len(column), np.int64)
    for row, cell in enumerate(column):
        told = moment(cell)
        if told is None:
            fault(row, "time", cell, "time", time_message())
        else:
            found[row] = told
    return found


def values(column: Sequence[Any], fault: Callable[..., None], *, texts: bool) -> npt.NDArray[np.float64]:
    """Return a column of numbers; nothing becomes NaN. `texts`: numbers stand in texts (CSV)."""
    found = np.full(len(column), np.nan)
    for row, cell in enumerate(column):
        if cell is None or (texts and isinstance(cell, str) and cell.strip() in EMPTY):
            continue
        number = _number(cell, texts)
        if number is None:
            fault(row, "value", cell, "number", value_message())
        else:
            found[row] = number
    return found


def _number(cell: Any, texts: bool) -> float | None:
    if isinstance(cell, bool) or (isinstance(cell, str) and (not texts or "_" in cell)):
        return None
    try:
        number = float(cell)
    except (TypeError, ValueError, OverflowError):
        return float("inf") if isinstance(cell, int) else None
    if isinstance(cell, str) and number - number != 0 and cell.strip().lower() not in INFINITE | {"nan"}:
        return float("inf")  # 1e999: a number, only too large
    return number


def qualities(column: Sequence[Any], fault: Callable[..., None], *, texts: bool) -> npt.NDArray[np.int16]:
    """Return a column of qualities; an empty one is good."""
    found = np.zeros(len(column), np.int16)
    for row, cell in enumerate(column):
        if cell is None or (texts and isinstance(cell, str) and not cell.strip()):
            continue
        whole = isinstance(cell, int) and not isinstance(cell, bool)
        if texts and isinstance(cell, str) and cell.strip().isdigit() and cell.isascii():
            cell, whole = int(cell), True
        if not whole or not 0 <= cell <= 255:
            fault(row, "quality", cell, "quality", quality_message())
        else:
            found[row] = cell
    return found
