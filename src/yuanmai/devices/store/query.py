"""Questions to the lake: history, curves, means, the newest reading.

Hours and days come from the roll-ups where these fit the readings, else from the readings: both give the same bits.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from yuanmai.devices.store import chart, columns, rolled, rollup, scan
from yuanmai.devices.store.columns import HOUR, as_date, as_number, day_bounds
from yuanmai.devices.store.compaction import kept_from
from yuanmai.devices.store.entries import DataFile
from yuanmai.devices.store.lake import Lake
from yuanmai.devices.store.newest import Newest, look_back
from yuanmai.devices.store.plan import Plan, Span, by_day, common, spans_of
from yuanmai.devices.store.reader import FEW, Moment, Reader, answering, micros
from yuanmai.devices.store.readings import Readings
from yuanmai.devices.store.table import Table

T = TypeVar("T")
Step = Literal["raw", "hour", "day"]


@dataclass(frozen=True, slots=True)
class Choice:
    """How roll-ups are answered: from which stored ones, and for which days (`rest`) from the readings of `plan`.

    `folded` files hold the days of a month, of which those in `without` do not count; `marks`: the days used.
    """

    plan: Plan
    single: list[DataFile]
    folded: list[DataFile]
    without: list[Span]
    marks: dict[int, int]
    rest: frozenset[int]


class Queries(Reader):
    """Questions to one lake. Thread-safe; keep one for the life of a process."""

    def __init__(self, lake: Lake, *, threads: int = 2, memory: str = "1GB") -> None:
        super().__init__(lake, threads=threads, memory=memory)
        self._newest = Newest(self)
        self._holds: dict[int, tuple[int, dict[int, rolled.Held]]] = {}

    @answering
    def latest(self, points: Sequence[int], at: Moment | None = None) -> Readings:
        """Return the newest reading of each point that has one (at or before `at`), sorted by point.

        Without `at` the answer is kept in memory and carried forward by what is new. Wrong clocks are left out.
        """
        if not len(points):
            return columns.empty()
        if at is None:
            return self._newest.of(points)
        return look_back(self, points, micros(at) + 1)

    def chart(
        self, point: int, begin: Moment, end: Moment, width: int = 1000, gap: int | None = None
    ) -> chart.Curve:
        """Return a point's curve from `begin` to before `end`; see `chart.curve`."""
        return chart.curve(self.raw([point], begin, end), width, gap)

    def history(self, points: Sequence[int], begin: Moment, end: Moment, step: Step = "raw") -> pa.Table:
        """Return what points did from `begin` to before `end`, sorted by (point, time).

        raw: point, time, value, quality. hour, day: the columns of `rollup.Rollup` and `mean`, with `increase` counted from
        the row before; a span that cuts an hour or a day takes it whole.
        """
        if step == "raw":
            return columns.to_table(self.raw(points, begin, end)).select(
                ["point", "time", "value", "quality"]
            )
        before = (
            micros(begin) - (2 if step == "hour" else 31) * columns.DAY
        )  # for the rise from the row before
        rows = self.hours(points, before, end) if step == "hour" else self.days(points, before, end)
        size = HOUR if step == "hour" else columns.DAY
        return rollup_answer(rows, rows.time > micros(begin) - size)

    def export(
        self, points: Sequence[int], begin: Moment, end: Moment, step: Step = "raw"
    ) -> Iterator[pa.Table]:
        """Yield `history` day by day (hours and days: by ten and hundred days), for `export.stream`."""
        days = {"raw": 1, "hour": 10, "day": 100}[step]
        span = Span(micros(begin), micros(end))
        parts = by_day(span) if span.begin < span.end else []
        for at in range(0, len(parts), days):
            yield self.history(points, parts[at].begin, parts[min(at + days, len(parts)) - 1].end, step)

    @answering
    def hours(self, points: Sequence[int] | None, begin: Moment, end: Moment) -> rollup.Rollup:
        """Return the hours of points (None: all) that touch the span, sorted by (point, time)."""
        span = Span(micros(begin) // HOUR * HOUR, -(-micros(end) // HOUR) * HOUR)
        if (points is not None and not len(points)) or span.begin >= span.end:
            return rollup.hourly(columns.empty())
        use = self._choose(span, points)
        parts = self._rollups(self.lake.hourly, use, span, points)
        parts += self._computed(use, span, points, rollup.hourly)
        return rollup.join([part for part in parts if len(part)])

    @answering
    def days(self, points: Sequence[int] | None, begin: Moment, end: Moment) -> rollup.Rollup:
        """Return the local days of points (None: all) that touch the span, sorted by (point, time)."""
        span = Span(micros(begin), micros(end))
        if (points is not None and not len(points)) or span.begin >= span.end:
            return rollup.hourly(columns.empty())
        whole = Span(day_bounds(as_date(span.days[0]))[0], day_bounds(as_date(span.days[-1]))[1])
        use = self._choose(whole, points)
        stored = self._held(self.lake.daily)
        first = kept_from(self.lake)
        # Of days without raw readings there may be no hours any more: those are kept for another time.
        fit = [
            day for day in common(stored, whole.days)
            if (stored[day].mark == use.marks[day] if day in use.marks else day < first)
        ]  # fmt: skip
        chosen = self._pick(use.plan, stored, fit, whole, use.rest)
        parts = self._rollups(self.lake.daily, chosen, whole, points)
        rest = spans_of((set(use.marks) | use.rest).difference(fit), whole)
        parts += [rollup.daily(self.hours(points, part.begin, part.end)) for part in rest]
        return rollup.join([part for part in parts if len(part)])

    @answering
    def hourly_mean(
        self,
        points: Sequence[int] | None,
        begin: Moment,
        end: Moment,
        *,
        source: Literal["auto", "raw"] = "auto",
    ) -> pa.Table:
        """Return point, time (begin of the hour), n, mean of points (None: all), in no order.

        The mean is empty for hours in which nothing counts. `source="raw"` reads the readings whatever is rolled up.
        """
        span = Span(micros(begin) // HOUR * HOUR, -(-micros(end) // HOUR) * HOUR)
        nothing = _means(*rollup.sums(columns.empty()))
        if (points is not None and not len(points)) or span.begin >= span.end:
            return nothing
        use = self._choose(span, points, stored=source == "auto")
        tables = [nothing]
        what = "point, time, n, sum / nullif(n, 0) AS mean"
        for files, without in ((use.single, []), (use.folded, use.without)):
            if files:
                found = self.read(self.lake.hourly, files, what, span, points, without)
                tables.append(found.cast(nothing.schema))
        tables += [_means(*part) for part in self._computed(use, span, points, rollup.sums)]
        return pa.concat_tables(tables)

    def _choose(self, span: Span, points: Sequence[int] | None, *, stored: bool = True) -> Choice:
        """Return which files of roll-ups to use and which days to compute."""
        raw = self.lake.readings.snapshot()  # before the roll-ups: these then fit to it or are left aside
        hours = self._held(self.lake.hourly) if stored else {}
        first = kept_from(self.lake)
        plan = self._planner.plan(raw, span, points)

        def fits(day: int) -> bool:
            files = raw.days.get(day)
            return day < first or (day not in plan.dirty and (files is None or hours[day].mark == rolled.of_raw(files)))  # fmt: skip

        use = [day for day in common(hours, span.days) if fits(day)]
        there = {day for file in (*plan.clean, *plan.mixed) for day in self._planner.days_of(file)}
        rest = frozenset(day for day in there if day in span.days) - frozenset(use)
        return self._pick(plan, hours, use, span, rest)

    def _held(self, table: Table) -> dict[int, rolled.Held]:
        """Return what a table of roll-ups holds by day; computed once for each version."""
        snapshot = table.snapshot()
        known = self._holds.get(id(table))
        if known is None or known[0] != snapshot.version:
            known = (snapshot.version, rolled.held(snapshot, daily=table is self.lake.daily))
            self._holds[id(table)] = known
        return known[1]

    @staticmethod
    def _pick(
        plan: Plan, holds: Mapping[int, rolled.Held], use: Sequence[int], span: Span, rest: frozenset[int]
    ) -> Choice:
        """Return the files of these days, and which other days the folded ones hold."""
        single = [file for day in use if not holds[day].folded for file in holds[day].files]
        folded = {file.path: file for day in use if holds[day].folded for file in holds[day].files}
        inside = {
            day
            for file in folded.values()
            for day in range(columns.day_number(file.begin), columns.day_number(file.end) + 1)
        }
        skip = spans_of(inside - {day for day in use if holds[day].folded}, span)
        marks = {day: holds[day].mark for day in use}
        return Choice(plan, single, list(folded.values()), skip, marks, rest)

    def _computed(
        self, use: Choice, span: Span, points: Sequence[int] | None, work: Callable[[Readings], T]
    ) -> list[T]:
        """Return what `work` makes of the readings of the days for which no roll-up is used; hours are whole in each part."""
        if points is not None and len(points) <= FEW:
            return [work(self.raw(points, part.begin, part.end)) for part in spans_of(use.rest, span)]
        table = self.lake.readings
        files = [file for file in use.plan.clean if file.day and as_number(file.day) in use.rest]
        parts = self.guard(
            table, files, lambda: scan.over_files(table.files, files, span, points, work, self._threads)
        )
        mixed = spans_of(use.rest & use.plan.dirty, span)
        return parts + [work(self.raw(points, one.begin, one.end)) for part in mixed for one in by_day(part)]

    def _rollups(
        self, table: Table, use: Choice, span: Span, points: Sequence[int] | None
    ) -> list[rollup.Rollup]:
        """Return the stored rows, each part sorted."""
        parts = []
        for files, without in ((use.single, []), (use.folded, use.without)):
            if files:
                rows = rollup.from_table(self.read(table, files, "*", span, points, without))
                parts.append(rows.take(np.lexsort((rows.time, rows.point))))
        return parts


def rollup_answer(rows: rollup.Rollup, which: npt.NDArray[np.bool_]) -> pa.Table:
    """Return some of the rows as a table with `mean`, and with `increase` counted from the row before."""
    mean, increase = rows.mean[which], rollup.linked(rows)[which]
    table = rollup.to_table(rows.take(which))
    table = table.append_column("mean", pa.array(mean, pa.float64(), mask=np.isnan(mean)))
    at = table.schema.get_field_index("increase")
    return table.set_column(at, "increase", pa.array(increase, pa.float64(), mask=np.isnan(increase)))


def _means(
    point: npt.NDArray[np.int32],
    time: npt.NDArray[np.int64],
    n: npt.NDArray[np.int64],
    total: npt.NDArray[np.float64],
) -> pa.Table:
    with np.errstate(all="ignore"):
        mean = np.where(n > 0, total / n, np.nan)
    return pa.table(
        {
            "point": pa.array(point, pa.int32()), "time": pa.array(time, pa.int64()).view(columns.MOMENT),
            "n": pa.array(n, pa.int64()), "mean": pa.array(mean, pa.float64(), mask=np.isnan(mean)),
        }
    )  # fmt: skip
