"""Makers of readings for the tests of the lake."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from yuanmai.devices.store import columns
from yuanmai.devices.store.lake import Lake
from yuanmai.devices.store.readings import Readings

START = int(datetime(2026, 3, 1, 16, tzinfo=UTC).timestamp()) * 1_000_000  # 2026-03-02 00:00 in Shanghai
MINUTE = 60_000_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
Row = tuple[int, int, float, int, int, int]  # point, time, value, quality, received, sequence


def make(rows: Iterable[Row]) -> Readings:
    """Return rows as readings."""
    listed = list(rows)
    if not listed:
        return columns.empty()
    point, time, value, quality, received, sequence = zip(*listed, strict=True)
    return Readings(
        np.array(point, np.int32), np.array(time, np.int64), np.array(value, np.float64),
        np.array(quality, np.int16), np.array(received, np.int64), np.array(sequence, np.int64),
    )  # fmt: skip


def series(point: int, count: int, begin: int = START, step: int = MINUTE, sequence: int = 1) -> Readings:
    """Return a point's readings: one each `step`, value = its number in the series."""
    index = np.arange(count, dtype=np.int64)
    time = begin + index * step
    return Readings(
        np.full(count, point, np.int32), time, index.astype(np.float64), np.zeros(count, np.int16), time + 1_000_000,
        np.full(count, sequence, np.int64),
    )  # fmt: skip


def rows(readings: Readings) -> list[Row]:
    """Return readings as rows (NaN as None, so that they can be compared)."""
    return [
        (int(p), int(t), None if v != v else float(v), int(q), int(r), int(s))  # type: ignore[misc]
        for p, t, v, q, r, s in zip(
            readings.point, readings.time, readings.value, readings.quality, readings.received, readings.sequence, strict=True
        )
    ]  # fmt: skip


def keys(readings: Readings) -> list[tuple[int, int]]:
    """Return the keys of readings."""
    return list(zip(readings.point.tolist(), readings.time.tolist(), strict=True))


def open_lake(folder: Path) -> Lake:
    """Return a lake in a test's folder."""
    return Lake(str(folder / "lake"))
