"""The columns of the lake: Arrow schema, local days, order, and which of several readings of one moment counts."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from yuanmai.devices.engine.quality import CLOCK, NOT_A_NUMBER
from yuanmai.devices.store.readings import Readings

MOMENT = pa.timestamp("us", tz="UTC")
SCHEMA = pa.schema(
    [
        pa.field("point", pa.int32(), nullable=False),
        pa.field("time", MOMENT, nullable=False),
        pa.field("value", pa.float64()),
        pa.field("quality", pa.int16(), nullable=False),
        pa.field("received", MOMENT, nullable=False),
        pa.field("sequence", pa.int64(), nullable=False),
    ]
)
# Days are those of Asia/Shanghai, which has had no summer time since 1991: its hours are the hours of UTC.
EAST = 8 * 3600 * 1_000_000
SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR
ARRIVED, SORTED, COMPACTED, APART = 0, 1, 2, 9  # levels of files, see `lake`
MISDATED = date(1970, 1, 1)  # the day under which readings whose clock cannot be right stand apart
_EPOCH = date(1970, 1, 1)
# What Python, Delta and DuckDB can all write down: the years 1 and 9999 with a day to spare.
FIRST = int(datetime(1, 1, 3, tzinfo=UTC).timestamp()) * SECOND
LAST = int(datetime(9999, 12, 29, tzinfo=UTC).timestamp()) * SECOND


def day_number(time: int) -> int:
    """Return the local day of a moment (µs) as days since 1970-01-01."""
    return (time + EAST) // DAY


def day_numbers(times: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the local days of moments as days since 1970-01-01."""
    return (times + EAST) // DAY


def as_date(number: int) -> date:
    """Return the date of a day number."""
    return _EPOCH + timedelta(days=number)


def as_number(day: date) -> int:
    """Return the day number of a date."""
    return (day - _EPOCH).days


def day_bounds(day: date) -> tuple[int, int]:
    """Return begin and end (µs, UTC) of a local day."""
    begin = as_number(day) * DAY - EAST
    return begin, begin + DAY


def empty() -> Readings:
    """Return readings without rows."""
    return Readings(
        np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0, np.float64),
        np.empty(0, np.int16), np.empty(0, np.int64), np.empty(0, np.int64),
    )  # fmt: skip


def take(readings: Readings, which: npt.NDArray[np.generic] | slice) -> Readings:
    """Return the rows that an index, a mask or a slice names."""
    return Readings(
        readings.point[which], readings.time[which], readings.value[which],
        readings.quality[which], readings.received[which], readings.sequence[which],
    )  # fmt: skip


def join(parts: Sequence[Readings]) -> Readings:
    """Return all rows of all parts, one after the other."""
    if not parts:
        return empty()
    if len(parts) == 1:
        return parts[0]
    return Readings(
        np.concatenate([p.point for p in parts]), np.concatenate([p.time for p in parts]),
        np.concatenate([p.value for p in parts]), np.concatenate([p.quality for p in parts]),
        np.concatenate([p.received for p in parts]), np.concatenate([p.sequence for p in parts]),
    )  # fmt: skip


def clean(readings: Readings) -> Readings:
    """Bring columns to their types; a value that is no finite number is emptied and marked, an impossible time marked.

    Raises `ValueError` when the columns are of different lengths or a point's number does not fit.
    """
    lengths = {
        len(column)
        for column in (
            readings.point, readings.time, readings.value, readings.quality, readings.received, readings.sequence,
        )
    }  # fmt: skip
    if len(lengths) != 1:
        raise ValueError(f"columns of readings have different lengths: {sorted(lengths)}")
    point = np.asarray(readings.point)
    if len(point) and (int(point.min()) < -(2**31) or int(point.max()) >= 2**31):
        raise ValueError("the number of a point does not fit into 32 bits")
    value = np.ascontiguousarray(readings.value, np.float64)
    quality = np.ascontiguousarray(readings.quality, np.int16)
    time = np.ascontiguousarray(readings.time, np.int64)
    received = np.ascontiguousarray(readings.received, np.int64)
    broken = ~np.isfinite(value)
    if broken.any():
        value = np.where(broken, np.nan, value)
        quality = np.where(broken, quality | NOT_A_NUMBER, quality).astype(np.int16)
    outside = (time < FIRST) | (time > LAST)
    if outside.any():
        time = np.clip(time, FIRST, LAST)
        quality = np.where(outside, quality | CLOCK, quality).astype(np.int16)
    return Readings(
        np.ascontiguousarray(point, np.int32), time, value, quality,
        np.clip(received, FIRST, LAST), np.ascontiguousarray(readings.sequence, np.int64),
    )  # fmt: skip


def misdated(readings: Readings) -> npt.NDArray[np.bool_]:
    """Return which rows belong into the bucket of wrong clocks."""
    return (readings.quality & CLOCK) != 0


def _order(point: npt.NDArray[np.int32], time: npt.NDArray[np.int64]) -> npt.NDArray[np.intp]:
    """Return the order by (point, time): one sort of one 64-bit key where both fit into it."""
    low_point, low_time = int(point.min()), int(time.min())
    bits = (int(time.max()) - low_time).bit_length()
    if (int(point.max()) - low_point).bit_length() + bits > 63:
        return np.lexsort((time, point))
    key = ((point.astype(np.int64) - low_point) << bits) | (time - low_time)
    return np.argsort(key, kind="stable")  # merges what is already in order


def settle(readings: Readings) -> Readings:
    """Return the rows sorted by (point, time), of several with one key only the one that counts.

    The greatest (received, sequence) counts; rows equal in these too are told apart by their bits, so that the order in which
    rows come never shows. Rows with a wrong clock stand apart: they never replace a rightly dated one.
    """
    if len(readings) < 2:
        return readings
    point, time = readings.point, readings.time
    step = np.diff(point)
    forward = (step > 0) | ((step == 0) & (np.diff(time) > 0))
    if forward.all():
        return readings
    rows = take(readings, _order(point, time))
    same = (np.diff(rows.point) == 0) & (np.diff(rows.time) == 0)
    if not same.any():
        return rows
    return _choose(rows, same)


def _choose(rows: Readings, same: npt.NDArray[np.bool_]) -> Readings:
    """Drop the rows of sorted `rows` that another one of the same key outranks; only these groups are looked at again."""
    tied = np.zeros(len(rows), np.bool_)
    tied[1:] |= same
    tied[:-1] |= same
    at = np.flatnonzero(tied)
    some = take(rows, at)
    apart = misdated(some)
    bits = np.ascontiguousarray(some.value).view(np.int64)
    order = np.lexsort((bits, some.quality, some.sequence, some.received, apart, some.time, some.point))
    ranked = at[order]
    key_change = (
        (np.diff(some.point[order]) != 0) | (np.diff(some.time[order]) != 0) | (np.diff(apart[order].astype(np.int8)) != 0)
    )  # fmt: skip
    winner = np.append(key_change, True)
    index = np.arange(len(rows))
    index[at] = ranked
    keep = np.ones(len(rows), np.bool_)
    keep[at] = winner
    return take(rows, index[keep])


def last_of_each(readings: Readings) -> Readings:
    """Return of each point the row with the greatest time, of several the one that counts; sorted by point."""
    return ends(settle(readings))


def ends(readings: Readings) -> Readings:
    """Return the last row of each point; the rows are sorted by (point, time) and unique."""
    if not len(readings):
        return readings
    return take(readings, np.flatnonzero(np.append(readings.point[1:] != readings.point[:-1], True)))


def to_table(readings: Readings) -> pa.Table:
    """Return the rows as an Arrow table in the lake's schema, without copying where nothing is empty."""
    value = pa.array(readings.value, pa.float64(), mask=np.isnan(readings.value))
    return pa.table(
        [
            pa.array(readings.point, pa.int32()), pa.array(readings.time, pa.int64()).view(MOMENT), value,
            pa.array(readings.quality, pa.int16()), pa.array(readings.received, pa.int64()).view(MOMENT),
            pa.array(readings.sequence, pa.int64()),
        ],
        schema=SCHEMA,
    )  # fmt: skip


def numbers(column: pa.ChunkedArray | pa.Array) -> npt.NDArray[np.int64]:
    """Return a column of moments as µs since 1970."""
    return np.asarray(column.cast(pa.int64()))


def from_table(table: pa.Table) -> Readings:
    """Return the rows of an Arrow table in the lake's schema; empty values become NaN."""
    return Readings(
        np.asarray(table["point"]).astype(np.int32, copy=False), numbers(table["time"]),
        np.asarray(table["value"].cast(pa.float64())).astype(np.float64, copy=False),
        np.asarray(table["quality"]).astype(np.int16, copy=False), numbers(table["received"]),
        np.asarray(table["sequence"]).astype(np.int64, copy=False),
    )  # fmt: skip


def by_day(readings: Readings) -> Iterable[tuple[date, Readings]]:
    """Yield rows per local day, in the order they stand in."""
    days = day_numbers(readings.time)
    for number in np.unique(days):
        yield as_date(int(number)), take(readings, days == number)
