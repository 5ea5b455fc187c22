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

from yuanmai.devices.engine.quality import EXCLUDED
from yuanmai.devices.store import columns, rolled, rollup
from yuanmai.devices.store.columns import HOUR, SECOND, as_date, as_number, day_bounds
from yuanmai.devices.store.compaction import kept_from
from yuanmai.devices.store.lake import Lake
from yuanmai.devices.store.log import DataFile
from yuanmai.devices.store.plan import Plan, Planner, Span, by_day, spans_of
from yuanmai.devices.store.readings import Readings
from yuanmai.devices.store.table import Table

Moment = int | datetime
Step = Literal["raw", "hour", "day"]
FEW = 50  # points whose rows are read for all days at once
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
        self,
        files: Sequence[DataFile],
        what: str,
        span: Span,
        points: Sequence[int] | None,
        table: Table | None = None,
    ) -> pa.Table:
        paths = [(table or self.lake.readings).files.uri(file.path) for file in files]
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
        """Return the hours of points that touch the span: from the roll-ups where they fit, else from the readings."""
        span = Span(micros(begin) // HOUR * HOUR, -(-micros(end) // HOUR) * HOUR)
        if (points is not None and not len(points)) or span.begin >= span.end:
            return rollup.hourly(columns.empty())
        files = (
            self.lake.readings.snapshot().files
        )  # before the roll-ups: these then fit to it or are left aside
        rolled_files = rolled.by_day(self.lake.hourly.snapshot().files)
        first = kept_from(self.lake)
        plan = self._planner.plan(files, span, points)
        known = rolled.known_days(rolled.compacted(files), rolled_files, first)
        use = {day for day in known if day in span.days and (day not in plan.dirty or day < first)}
        chosen = [file for day in use for file in rolled_files[as_date(day)]]
        parts = [self._rollups(self.lake.hourly, chosen, span, points)] if chosen else []
        held = {day for file in (*plan.clean, *plan.mixed) for day in self._planner.days_of(file)}
        few = points is not None and len(points) <= FEW
        rest = spans_of((day for day in held if day in span.days and day not in use), span)
        parts += [
            rollup.hourly(self.raw(points, part.begin, part.end))
            for part in (rest if few else [one for part in rest for one in by_day(part)])
        ]
        return rollup.join([part for part in parts if len(part)])

    def _rollups(
        self, table: Table, files: Sequence[DataFile], span: Span, points: Sequence[int] | None
    ) -> rollup.Rollup:
        """Return the rows of files of roll-ups, sorted."""
        found = self._read(files, "*", span, points, table)
        rows = rollup.from_table(found)
        return rows.take(np.lexsort((rows.time, rows.point)))

    def days(self, points: Sequence[int] | None, begin: Moment, end: Moment) -> rollup.Rollup:
        """Return the local days of points that touch the span: from the roll-ups where they fit, else from the hours."""
        span = Span(micros(begin), micros(end))
        if (points is not None and not len(points)) or span.begin >= span.end:
            return rollup.hourly(columns.empty())
        files = self.lake.readings.snapshot().files
        hours, days = (rolled.by_day(table.snapshot().files) for table in (self.lake.hourly, self.lake.daily))
        first = kept_from(self.lake)
        whole = Span(day_bounds(as_date(span.days[0]))[0], day_bounds(as_date(span.days[-1]))[1])
        plan = self._planner.plan(files, whole, points)
        use = {
            day
            for day in rolled.known_days(rolled.compacted(files), hours, first)
            if day in span.days and (day not in plan.dirty or day < first)
            and [f.source for f in days.get(as_date(day), ())] == [rolled.mark(hours[as_date(day)])]
        }  # fmt: skip
        use |= {as_number(day) for day in days if day not in hours and as_number(day) < first and as_number(day) in span.days}  # fmt: skip
        chosen = [file for day in use for file in days[as_date(day)]]
        parts = [self._rollups(self.lake.daily, chosen, whole, points)] if chosen else []
        held = {day for file in (*plan.clean, *plan.mixed) for day in self._planner.days_of(file)}
        held |= {as_number(day) for day in hours}
        rest = spans_of((day for day in held if day in whole.days and day not in use), whole)
        parts += [rollup.daily(self.hours(points, part.begin, part.end)) for part in rest]
        return rollup.join([part for part in parts if len(part)])

    def hourly_mean(
        self,
        points: Sequence[int] | None,
        begin: Moment,
        end: Moment,
        *,
        source: Literal["auto", "raw"] = "auto",
    ) -> pa.Table:
        """Return point, time (begin of the hour), n, mean; `source="raw"` computes from the readings whatever is rolled up.

        The mean is empty for hours in which nothing counts. From raw, sums are DuckDB's: equal but for the last bits.
        """
        if source == "auto":
            rows = self.hours(points, begin, end)
            return _means(rows)
        span = Span(micros(begin) // HOUR * HOUR, -(-micros(end) // HOUR) * HOUR)
        plan = self._plan(span, points)
        mixed = _means(rollup.hourly(self._mixed(plan, span, points)))
        if not plan.clean:
            return mixed
        paths = [self.lake.readings.files.uri(file.path) for file in plan.clean]
        clean = self._sql(
            f"""SELECT point, make_timestamptz(hour * {HOUR}) AS time, n, total / nullif(n, 0) AS mean FROM (
                SELECT point, epoch_us(time) // {HOUR} AS hour,
                       count(value) FILTER (quality & {EXCLUDED} = 0) AS n, sum(value) FILTER (quality & {EXCLUDED} = 0) AS total
                FROM read_parquet($1, hive_partitioning=false) WHERE {self._where(span, points)} GROUP BY ALL)""",  # noqa: S608
            [paths],
        )  # fmt: skip
        return pa.concat_tables([clean.cast(mixed.schema), mixed]) if len(mixed) else clean


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


def _means(rows: rollup.Rollup) -> pa.Table:
    mean = rows.mean
    return pa.table(
        {
            "point": rows.point, "time": pa.array(rows.time).view(columns.MOMENT), "n": rows.n,
            "mean": pa.array(mean, mask=np.isnan(mean)),
        }
    )  # fmt: skip
