"""Roll-ups: what a point did in an hour or a day. Pure numpy; the same rows give the same bits, wherever they stand.

Rows of one (point, hour) are sorted by time and unique before anything is added up, and each segment is added up by itself
(`ufunc.reduceat` adds a segment pairwise, by its length alone). So it does not matter in which order readings came, how often,
or what was computed before: recomputing one hour gives what recomputing everything gives. Days are made of their hours.
"""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from yuanmai.devices.engine.quality import EXCLUDED
from yuanmai.devices.store.columns import DAY, EAST, HOUR, MOMENT, numbers
from yuanmai.devices.store.readings import Readings

SCHEMA = pa.schema(
    [
        pa.field("point", pa.int32(), nullable=False),
        pa.field("time", MOMENT, nullable=False),
        pa.field("n", pa.int64(), nullable=False),
        pa.field("excluded", pa.int64(), nullable=False),
        pa.field("sum", pa.float64()),
        pa.field("minimum", pa.float64()),
        pa.field("maximum", pa.float64()),
        pa.field("first", pa.float64()),
        pa.field("last", pa.float64()),
        pa.field("first_time", MOMENT),
        pa.field("last_time", MOMENT),
        pa.field("increase", pa.float64()),
        pa.field("resets", pa.int64(), nullable=False),
    ]
)
_NEVER = -(2**63)  # a moment that there is none of


@dataclass(frozen=True, slots=True)
class Rollup:
    """One row per (point, time), sorted by it; `time` is the begin (µs) of the hour or the local day.

    `n` readings count, `excluded` do not; `sum`, `minimum`, `maximum`, `first`, `last` are of those that count (NaN without
    any, `sum` also when it overflows). `increase` adds up the rises between neighbours inside, for meters; a fall adds nothing
    and is one of `resets` (roll-over, change of the meter). The rise from the row before is `first` minus its `last`.
    """

    point: npt.NDArray[np.int32]
    time: npt.NDArray[np.int64]
    n: npt.NDArray[np.int64]
    excluded: npt.NDArray[np.int64]
    sum: npt.NDArray[np.float64]
    minimum: npt.NDArray[np.float64]
    maximum: npt.NDArray[np.float64]
    first: npt.NDArray[np.float64]
    last: npt.NDArray[np.float64]
    first_time: npt.NDArray[np.int64]
    last_time: npt.NDArray[np.int64]
    increase: npt.NDArray[np.float64]
    resets: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.point)

    def take(self, which: npt.NDArray[np.generic] | slice) -> "Rollup":
        """Return the rows that an index, a mask or a slice names."""
        return Rollup(*(getattr(self, f.name)[which] for f in fields(Rollup)))

    @property
    def mean(self) -> npt.NDArray[np.float64]:
        """The arithmetic mean of the readings that count; NaN without any."""
        with np.errstate(all="ignore"):
            return np.where(self.n > 0, self.sum / self.n, np.nan)


def join(parts: list[Rollup]) -> Rollup:
    """Return the rows of all parts sorted by (point, time). Parts must not share a (point, time)."""
    if not parts:
        return hourly(_NOTHING)
    if len(parts) == 1:
        return parts[0]
    all_ = Rollup(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Rollup)))
    return all_.take(np.lexsort((all_.time, all_.point)))


def _starts(point: npt.NDArray[np.int32], span: npt.NDArray[np.int64]) -> npt.NDArray[np.intp]:
    if not len(point):
        return np.empty(0, np.intp)
    change = np.empty(len(point), np.bool_)
    change[0] = True
    np.not_equal(point[1:], point[:-1], out=change[1:])
    change[1:] |= span[1:] != span[:-1]
    return np.flatnonzero(change)


def _rises(
    before: npt.NDArray[np.float64], after: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Return what is gained from one value to the next, and whether it fell."""
    change = after - before
    return np.where(change > 0, change, 0.0), (change < 0).astype(np.int64)


def hourly(rows: Readings) -> Rollup:
    """Roll up readings that are sorted by (point, time) and unique in it, by hour."""
    hours = rows.time // HOUR
    starts = _starts(rows.point, hours)
    good = ((rows.quality & EXCLUDED) == 0) & ~np.isnan(rows.value)
    if len(starts):
        n = np.add.reduceat(good.astype(np.int64), starts)
        total = np.diff(np.append(starts, len(rows)))
    else:
        n = total = np.empty(0, np.int64)
    has = n > 0
    nothing = np.full(len(starts), np.nan)
    never = np.full(len(starts), _NEVER, np.int64)
    out = {name: nothing.copy() for name in ("sum", "minimum", "maximum", "first", "last", "increase")}
    first_time, last_time, resets = never.copy(), never.copy(), np.zeros(len(starts), np.int64)
    if has.any():
        every = bool(good.all())
        value = rows.value if every else rows.value[good]
        time = rows.time if every else rows.time[good]
        ends = np.cumsum(n)[has]
        begins = ends - n[has]
        with np.errstate(all="ignore"):
            sums = np.add.reduceat(value, begins)
            rises, falls = _rises(value[:-1], value[1:])
            rises, falls = np.append(0.0, rises), np.append(0, falls)
            rises[begins], falls[begins] = 0.0, 0
            out["sum"][has] = np.where(np.isfinite(sums), sums, np.nan)
            out["increase"][has] = np.add.reduceat(rises, begins)
        out["minimum"][has] = np.minimum.reduceat(value, begins)
        out["maximum"][has] = np.maximum.reduceat(value, begins)
        out["first"][has], out["last"][has] = value[begins], value[ends - 1]
        first_time[has], last_time[has] = time[begins], time[ends - 1]
        resets[has] = np.add.reduceat(falls, begins)
    return Rollup(
        rows.point[starts], hours[starts] * HOUR, n, total - n, out["sum"], out["minimum"], out["maximum"], out["first"],
        out["last"], first_time, last_time, out["increase"], resets,
    )  # fmt: skip


def sums(
    rows: Readings,
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Return point, time, n and sum of `hourly`, bit for bit, in less time."""
    hours = rows.time // HOUR
    starts = _starts(rows.point, hours)
    bad = (rows.quality & EXCLUDED) != 0
    if bad.any() or np.isnan(rows.value).any():
        full = hourly(rows)
        return full.point, full.time, full.n, full.sum
    with np.errstate(all="ignore"):
        total = np.add.reduceat(rows.value, starts) if len(starts) else np.empty(0)
    total = np.where(np.isfinite(total), total, np.nan)
    return rows.point[starts], hours[starts] * HOUR, np.diff(np.append(starts, len(rows))), total


def daily(hours: Rollup) -> Rollup:
    """Roll up hours (sorted by point and time) by local day."""
    days = (hours.time + EAST) // DAY
    starts = _starts(hours.point, days)
    if not len(starts):
        return hours
    n = np.add.reduceat(hours.n, starts)
    has = n > 0
    fill = {name: np.full(len(starts), np.nan) for name in ("sum", "minimum", "maximum", "first", "last", "increase")}  # fmt: skip
    first_time, last_time = np.full(len(starts), _NEVER, np.int64), np.full(len(starts), _NEVER, np.int64)
    resets = np.zeros(len(starts), np.int64)
    some = hours.take(hours.n > 0)
    if len(some):
        begins = _starts(some.point, (some.time + EAST) // DAY)
        ends = np.append(begins[1:], len(some))
        with np.errstate(all="ignore"):
            sums = np.add.reduceat(some.sum, begins)
            rises, falls = _rises(some.last[:-1], some.first[1:])
            rises, falls = np.append(0.0, rises), np.append(0, falls)
            rises[begins], falls[begins] = 0.0, 0
            fill["sum"][has] = np.where(np.isfinite(sums), sums, np.nan)
            fill["increase"][has] = np.add.reduceat(some.increase + rises, begins)
        fill["minimum"][has] = np.minimum.reduceat(some.minimum, begins)
        fill["maximum"][has] = np.maximum.reduceat(some.maximum, begins)
        fill["first"][has], fill["last"][has] = some.first[begins], some.last[ends - 1]
        first_time[has], last_time[has] = some.first_time[begins], some.last_time[ends - 1]
        resets[has] = np.add.reduceat(some.resets + falls, begins)
    return Rollup(
        hours.point[starts], days[starts] * DAY - EAST, n, np.add.reduceat(hours.excluded, starts), fill["sum"],
        fill["minimum"], fill["maximum"], fill["first"], fill["last"], first_time, last_time, fill["increase"], resets,
    )  # fmt: skip


def linked(rows: Rollup) -> npt.NDArray[np.float64]:
    """Return the increase of each row with the rise from the row before of the same point; NaN where nothing counts.

    It belongs to the later row: a meter read once an hour gains between its hours.
    """
    out = rows.increase.copy()
    at = np.flatnonzero(rows.n > 0)
    if len(at) > 1:
        same = rows.point[at[1:]] == rows.point[at[:-1]]
        with np.errstate(all="ignore"):
            rises, _falls = _rises(rows.last[at[:-1]], rows.first[at[1:]])
            out[at[1:]] += np.where(same, rises, 0.0)
    return out


def to_table(rows: Rollup) -> pa.Table:
    """Return the rows as an Arrow table; NaN and moments that are none become empty."""
    arrays = []
    for spec in SCHEMA:
        column = getattr(rows, spec.name)
        if spec.type == MOMENT:
            arrays.append(pa.array(column, pa.int64(), mask=column == _NEVER).view(MOMENT))
        elif spec.type == pa.float64():
            arrays.append(pa.array(column, pa.float64(), mask=np.isnan(column)))
        else:
            arrays.append(pa.array(column, spec.type))
    return pa.table(arrays, schema=SCHEMA)


def from_table(table: pa.Table) -> Rollup:
    """Return the rows of an Arrow table made by `to_table`."""
    columns: list[Any] = []
    for spec in SCHEMA:
        column = table[spec.name]
        if spec.type == MOMENT:
            columns.append(numbers(column.cast(pa.int64()).fill_null(_NEVER)))
        elif spec.type == pa.float64():
            columns.append(np.asarray(column.cast(pa.float64())))
        else:
            columns.append(np.asarray(column).astype(spec.type.to_pandas_dtype(), copy=False))
    return Rollup(*columns)


_NOTHING = Readings(
    np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0, np.float64),
    np.empty(0, np.int16), np.empty(0, np.int64), np.empty(0, np.int64),
)  # fmt: skip
