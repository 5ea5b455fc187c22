"""Rows of the lake: DuckDB over the files that the log names, pruned by day, moment and point.

Days with doubles (something has arrived and is not compacted) are read whole, and the same rule as in compaction chooses.
"""

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

import duckdb
import pyarrow as pa

from yuanmai.devices.engine.quality import CLOCK
from yuanmai.devices.store import columns, parquet, scan
from yuanmai.devices.store.columns import SECOND
from yuanmai.devices.store.entries import DataFile, LakeError
from yuanmai.devices.store.lake import Lake
from yuanmai.devices.store.plan import Plan, Planner, Span
from yuanmai.devices.store.readings import Readings
from yuanmai.devices.store.table import Table

T = TypeVar("T")
P = ParamSpec("P")
R = TypeVar("R", bound="Reader")
Moment = int | datetime
VERIFIED_BYTES = 64 << 20  # files are checked before their first use while they are no more than this
FEW = 50  # points whose rows are picked out by DuckDB; for more, whole files are read
_BARE = "point, time, value, quality"
_WHOLE = "point, time, value, quality, received, sequence"


class Damaged(LakeError):  # noqa: N818
    """Files were damaged or gone while they were read; they are out of the table now: ask again."""


def micros(moment: Moment) -> int:
    """Return µs since 1970 of an aware moment. Raises `ValueError` for a naive one."""
    if isinstance(moment, int):
        return moment
    if moment.tzinfo is None:
        raise ValueError("a moment without time zone")
    whole = moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return (whole.days * 86400 + whole.seconds) * SECOND + whole.microseconds


def answering(method: Callable[Concatenate[R, P], T]) -> Callable[Concatenate[R, P], T]:
    """Ask again when files turned out damaged or were replaced and deleted while they were read."""

    @wraps(method)
    def asked(self: R, /, *values: P.args, **named: P.kwargs) -> T:
        for _ in range(4):
            try:
                return method(self, *values, **named)
            except Damaged:
                continue
        return method(self, *values, **named)

    return asked


class Reader:
    """Reads rows of one lake. Thread-safe; keep one for the life of a process.

    `threads`, `memory`: what DuckDB may take for all questions of the process together.
    """

    def __init__(self, lake: Lake, *, threads: int = 2, memory: str = "1GB") -> None:
        self.lake = lake
        self._planner = Planner(lake.readings)
        self._mutex = threading.Lock()
        self._threads = threads
        self._verified: set[str] = set()
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._settings: dict[str, Any] = {"threads": threads, "memory_limit": memory}

    def sql(self, query: str, values: Sequence[object] = ()) -> pa.Table:
        """Return the rows of a query on a connection of its own, times in UTC."""
        with self._mutex:
            if self._connection is None:
                self._connection = duckdb.connect(":memory:", config=self._settings)
                self._connection.execute("SET GLOBAL TimeZone='UTC'; SET GLOBAL parquet_metadata_cache=true")
            cursor = self._connection.cursor()
        with cursor:
            return cursor.sql(query, params=list(values)).to_arrow_table()

    # Damage

    def guard(self, table: Table, files: Sequence[DataFile], work: Callable[[], T]) -> T:
        """Return what `work` makes of files, checked before where that costs little.

        The search for damage (`upkeep.scrub`) checks all files every night; whatever fails here is checked at once. Raises
        `Damaged` after quarantining.
        """
        self._verify(table, files)
        try:
            return work()
        except (OSError, pa.ArrowException, duckdb.Error) as error:
            if self._sort_out(table, files):
                raise Damaged(str(error)) from error
            raise

    def _verify(self, table: Table, files: Sequence[DataFile]) -> None:
        new = [file for file in files if file.path not in self._verified]
        if sum(file.size for file in new) > VERIFIED_BYTES:
            return
        if self._sort_out(table, new):
            raise Damaged("a file is damaged or gone")
        if len(self._verified) > 100_000:
            self._verified.clear()
        self._verified.update(file.path for file in new)

    def _sort_out(self, table: Table, files: Sequence[DataFile]) -> bool:
        """Quarantine the damaged ones of files; return whether any is damaged or has been replaced."""
        found = False
        for file in files:
            if reason := parquet.damage(table.files, file):
                found = True
                if any(file.path == now.path for now in table.snapshot().files):
                    table.quarantine(file, reason)
        return found

    # Rows

    def where(self, span: Span, points: Sequence[int] | None, without: Sequence[Span] = ()) -> str:
        """Return the condition that picks a span and points, `without` some spans."""
        where = f"time >= make_timestamptz({span.begin}) AND time < make_timestamptz({span.end})"
        if points is not None:
            numbers = sorted({int(p) for p in points})
            where += f" AND point BETWEEN {numbers[0]} AND {numbers[-1]}"
            if len(numbers) > 1:
                where += f" AND point IN ({','.join(map(str, numbers))})"
        for out in without:
            where += (
                f" AND NOT (time >= make_timestamptz({out.begin}) AND time < make_timestamptz({out.end}))"
            )
        return where

    def read(
        self,
        table: Table,
        files: Sequence[DataFile],
        what: str,
        span: Span,
        points: Sequence[int] | None,
        without: Sequence[Span] = (),
    ) -> pa.Table:
        """Return columns of the rows of a span and of points in files, in no order."""
        if not table.files.local:
            return self._read_remote(table, files, what, self.where(span, points, without), points)
        paths = [table.files.uri(file.path) for file in files]
        query = f"SELECT {what} FROM read_parquet($1, hive_partitioning=false) WHERE {self.where(span, points, without)}"  # noqa: S608
        return self.guard(table, files, lambda: self.sql(query, [paths]))

    def _read_remote(
        self, table: Table, files: Sequence[DataFile], what: str, where: str, points: Sequence[int] | None
    ) -> pa.Table:
        """See `read`: files of an object store come through pyarrow."""
        spread = (min(points), max(points)) if points else None
        rows = pa.concat_tables(parquet.read_rows(table.files, files, None, spread))
        with self._mutex:
            if self._connection is None:
                self._connection = duckdb.connect(":memory:", config=self._settings)
                self._connection.execute("SET GLOBAL TimeZone='UTC'")
            cursor = self._connection.cursor()
        with cursor:
            cursor.register("rows_read", rows)
            return cursor.sql(f"SELECT {what} FROM rows_read WHERE {where}").to_arrow_table()  # noqa: S608  # fmt: skip

    def plan(self, span: Span, points: Sequence[int] | None) -> Plan:
        """Return which files hold the readings."""
        return self._planner.plan(self.lake.readings.snapshot(), span, points)

    def _mixed(self, plan: Plan, span: Span, points: Sequence[int] | None) -> Readings:
        """Return the rows of the days with doubles, those that count, sorted."""
        if not plan.mixed:
            return columns.empty()
        return columns.settle(
            columns.from_table(self.read(self.lake.readings, plan.mixed, _WHOLE, span, points))
        )

    @answering
    def raw(self, points: Sequence[int] | None, begin: Moment, end: Moment) -> Readings:
        """Return the readings of points (None: all) from `begin` to before `end`, sorted by (point, time), unique in it.

        Of readings that come from compacted days `received` and `sequence` are 0. Readings with a wrong clock are left out.
        """
        span = Span(micros(begin), micros(end))
        if (points is not None and not len(points)) or span.begin >= span.end:
            return columns.empty()
        plan = self.plan(span, points)
        parts = [self._mixed(plan, span, points)]
        if plan.clean:
            parts.append(scan.bare(self.read(self.lake.readings, plan.clean, _BARE, span, points)))
        rows = columns.join([part for part in parts if len(part)] or [columns.empty()])
        return columns.settle(rows)

    @answering
    def misdated(self, points: Sequence[int]) -> Readings:
        """Return the readings of points whose clock cannot be right, sorted by (point, time)."""
        files = [f for f in self.lake.readings.snapshot().files if f.level == columns.APART]
        if not files or not points:
            return columns.empty()
        found = self.read(self.lake.readings, files, _WHOLE, Span(columns.FIRST, columns.LAST + 1), points)
        return columns.settle(columns.from_table(found))

    def last_rows(self, files: Sequence[DataFile], span: Span, points: Sequence[int] | None) -> Readings:
        """Return of each point (None: all in the files) the row with the greatest time, of several the one that counts."""
        table = self.lake.readings
        if points is None or len(points) > FEW:
            # Every file is sorted and unique by itself: the last row of each point is found without grouping.
            found = self.guard(
                table,
                files,
                lambda: scan.over_files(
                    table.files, files, span, points, columns.ends, self._threads, whole=True
                ),
            )
            return columns.last_of_each(columns.join(found))
        return self._last_of_few(files, span, points)

    def _last_of_few(self, files: Sequence[DataFile], span: Span, points: Sequence[int]) -> Readings:
        """See `last_rows`."""
        if not self.lake.readings.files.local:
            rows = columns.from_table(self.read(self.lake.readings, files, _WHOLE, span, points))
            return columns.last_of_each(columns.take(rows, ~columns.misdated(rows)))
        paths = [self.lake.readings.files.uri(file.path) for file in files]
        query = f"""SELECT point, max(row(time, received, sequence, quality, value)) AS best
            FROM read_parquet($1, hive_partitioning=false)
            WHERE {self.where(span, points)} AND quality & {CLOCK} = 0 GROUP BY point"""  # noqa: S608
        found = self.guard(self.lake.readings, files, lambda: self.sql(query, [paths]))
        if not len(found):
            return columns.empty()
        time, received, sequence, quality, value = found["best"].combine_chunks().flatten()
        return columns.from_table(
            pa.table([found["point"], time, value, quality, received, sequence], names=columns.SCHEMA.names)
        )
