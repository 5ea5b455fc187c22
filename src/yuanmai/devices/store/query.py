"""Questions to the lake: DuckDB over the files that the log names, pruned by day, moment and point.

Where (point, time) may stand in several files (days with arrivals not yet compacted), rows are read whole and the same rule as in
compaction chooses among them; all other days are aggregated in DuckDB, or come from the roll-ups.
"""

import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal

import duckdb
import numpy as np
import pyarrow as pa

from yuanmai.devices.store import columns, rollup
from yuanmai.devices.store.columns import HOUR, SECOND
from yuanmai.devices.store.lake import Lake
from yuanmai.devices.store.log import DataFile
from yuanmai.devices.store.plan import Plan, Planner, Span
from yuanmai.devices.store.readings import Readings

Moment = int | datetime
Step = Literal["raw", "hour", "day"]
_BARE = "point, time, value, quality"
_WHOLE = "point, time, value, quality, received, sequence"


def micros(moment: Moment) -> int:
    """Return µs since 1970 of an aware moment. Raises `ValueError` for a naive one."""
    if isinstance(moment, int):
        return moment
    if moment.tzinfo is None:
        raise ValueError("a moment without time zone")
    return round((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * SECOND)


class Queries:
    """Questions to one lake. Thread-safe; keep one for the life of a process."""

    def __init__(self, lake: Lake, *, threads: int = 2, memory: str = "1GB") -> None:
        self.lake = lake
        self._planner = Planner(lake.readings)
        self._mutex = threading.Lock()
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._settings: dict[str, str | bool | int | float | list[str]] = {
            "threads": threads,
            "memory_limit": memory,
        }

    def _sql(self, query: str, values: Sequence[object] = ()) -> pa.Table:
        with self._mutex:
            if self._connection is None:
                self._connection = duckdb.connect(":memory:", config=self._settings)
                self._connection.execute("SET GLOBAL TimeZone='UTC'; SET GLOBAL parquet_metadata_cache=true")
            cursor = self._connection.cursor()
        with cursor:
            return cursor.sql(query, params=list(values)).to_arrow_table()

    # Rows

    def _where(self, span: Span, points: Sequence[int] | None) -> str:
        where = f"time >= make_timestamptz({span.begin}) AND time < make_timestamptz({span.end})"
        if points is not None:
            numbers = sorted({int(p) for p in points})
            where += f" AND point BETWEEN {numbers[0]} AND {numbers[-1]}"
            if len(numbers) > 1:
                where += f" AND point IN ({','.join(map(str, numbers))})"
        return where

    def _read(
        self, files: Sequence[DataFile], what: str, span: Span, points: Sequence[int] | None
    ) -> pa.Table:
        paths = [self.lake.readings.files.uri(file.path) for file in files]
        return self._sql(f"SELECT {what} FROM read_parquet($1, hive_partitioning=false) WHERE {self._where(span, points)}", [paths])  # noqa: S608  # fmt: skip

    def _plan(self, span: Span, points: Sequence[int] | None) -> Plan:
        return self._planner.plan(self.lake.readings.snapshot().files, span, points)

    def _mixed(self, plan: Plan, span: Span, points: Sequence[int] | None) -> Readings:
        """Return the rows of the days with doubles, those that count, sorted."""
        if not plan.mixed:
            return columns.empty()
        rows = columns.from_table(self._read(plan.mixed, _WHOLE, span, points))
        return columns.settle(rows)

    def raw(self, points: Sequence[int] | None, begin: Moment, end: Moment) -> Readings:
        """Return the readings of points (None: all) from `begin` to before `end`, sorted by (point, time), unique in it.

        Of readings that come from compacted days `received` and `sequence` are 0. Readings with a wrong clock are left out.
        """
        span = Span(micros(begin), micros(end))
        if (points is not None and not len(points)) or span.begin >= span.end:
            return columns.empty()
        plan = self._plan(span, points)
        parts = [self._mixed(plan, span, points)]
        if plan.clean:
            parts.append(bare(self._read(plan.clean, _BARE, span, points)))
        rows = columns.join([part for part in parts if len(part)] or [columns.empty()])
        return columns.settle(rows)

    def misdated(self, points: Sequence[int]) -> Readings:
        """Return the readings of points whose clock cannot be right, sorted by (point, time)."""
        files = [f for f in self.lake.readings.snapshot().files if f.level == columns.APART]
        if not files or not points:
            return columns.empty()
        found = self._read(files, _WHOLE, Span(columns.FIRST, columns.LAST + 1), points)
        return columns.settle(columns.from_table(found))

    # Answers

    def history(self, points: Sequence[int], begin: Moment, end: Moment, step: Step = "raw") -> pa.Table:
        """Return what points did from `begin` to before `end`, sorted by (point, time).

        raw: point, time, value, quality. hour, day: see `hours`/`days`; a span that cuts an hour or a day takes it whole.
        """
        if step == "raw":
            return columns.to_table(self.raw(points, begin, end)).select(
                ["point", "time", "value", "quality"]
            )
        rows = self.hours(points, begin, end) if step == "hour" else self.days(points, begin, end)
        return rollup_answer(rows)

    def hours(self, points: Sequence[int] | None, begin: Moment, end: Moment) -> rollup.Rollup:
        """Return the hours of points that touch the span."""
        first, last = micros(begin) // HOUR * HOUR, -(-micros(end) // HOUR) * HOUR
        return rollup.hourly(self.raw(points, first, last))

    def days(self, points: Sequence[int] | None, begin: Moment, end: Moment) -> rollup.Rollup:
        """Return the local days of points that touch the span."""
        span = Span(micros(begin), micros(end))
        first, _ = columns.day_bounds(columns.as_date(span.days[0]))
        _, last = columns.day_bounds(columns.as_date(span.days[-1]))
        return rollup.daily(self.hours(points, first, last))


def bare(table: pa.Table) -> Readings:
    """Return rows without `received` and `sequence`; both are 0."""
    nothing = np.zeros(len(table), np.int64)
    return Readings(
        np.asarray(table["point"]).astype(np.int32, copy=False), columns.numbers(table["time"]),
        np.asarray(table["value"].cast(pa.float64())), np.asarray(table["quality"]).astype(np.int16, copy=False),
        nothing, nothing,
    )  # fmt: skip


def rollup_answer(rows: rollup.Rollup) -> pa.Table:
    """Return roll-ups as a table with `mean`, and with `increase` from the row before."""
    table = rollup.to_table(rows)
    mean, increase = rows.mean, rollup.linked(rows)
    table = table.append_column("mean", pa.array(mean, pa.float64(), mask=np.isnan(mean)))
    at = table.schema.get_field_index("increase")
    return table.set_column(at, "increase", pa.array(increase, pa.float64(), mask=np.isnan(increase)))
