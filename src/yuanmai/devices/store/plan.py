"""Which files a question needs: by day, by moments, by points, and whether (point, time) may stand in several of them."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from yuanmai.devices.store import parquet
from yuanmai.devices.store.columns import DAY, EAST, as_number, day_number, day_numbers, numbers
from yuanmai.devices.store.entries import DataFile
from yuanmai.devices.store.table import Snapshot, Table


@dataclass(frozen=True, slots=True)
class Span:
    """Half-open span of moments, µs."""

    begin: int
    end: int

    @property
    def days(self) -> range:
        """The local days it touches."""
        return range(day_number(self.begin), day_number(max(self.begin, self.end - 1)) + 1)


@dataclass(frozen=True, slots=True)
class Plan:
    """`clean`: files in which every (point, time) is unique; `mixed`: the files of all other days (`dirty`)."""

    clean: tuple[DataFile, ...]
    mixed: tuple[DataFile, ...]
    dirty: frozenset[int]


class Planner:
    """Plans over a table of readings; remembers which days files of arrival hold."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._days: dict[str, frozenset[int]] = {}

    def days_of(self, file: DataFile) -> frozenset[int]:
        """Return the local days of which a file has rows; a file that spans long is looked into, once."""
        if file.day is not None:
            return frozenset([as_number(file.day)])
        first, last = day_number(file.begin), day_number(file.end)
        if last - first < 3:
            return frozenset(range(first, last + 1))
        known = self._days.get(file.path)
        if known is None:
            [rows] = parquet.read_rows(self._table.files, [file], ["time"])
            known = frozenset(np.unique(day_numbers(numbers(rows["time"]))).tolist())
            if len(self._days) > 4096:
                self._days.clear()
            self._days[file.path] = known
        return known

    def plan(self, snapshot: Snapshot, span: Span, points: Sequence[int] | None) -> Plan:
        """Return what to read for these points (None: all) in this span. Misdated readings are left out."""
        low, high = (min(points), max(points)) if points is not None else (-(2**31), 2**31)

        def wanted(file: DataFile) -> bool:
            return (
                file.end >= span.begin
                and file.begin < span.end
                and file.first_point <= high
                and file.last_point >= low
            )

        loose = []
        dirty: set[int] = set()
        for file in snapshot.loose:
            if wanted(file):
                held = self.days_of(file)
                if any(day in span.days for day in held):
                    loose.append(file)
                    dirty |= held
        clean: list[DataFile] = []
        mixed: list[DataFile] = []
        for day in common(snapshot.days, span.days):
            (mixed if day in dirty else clean).extend(filter(wanted, snapshot.days[day]))
        return Plan(tuple(clean), (*mixed, *loose), frozenset(day for day in dirty if day in span.days))


def common(known: Collection[int], days: range) -> list[int]:
    """Return which of the days are known, in order; either may be very many."""
    if len(known) < len(days):
        return sorted(day for day in known if day in days)
    return [day for day in days if day in known]


def spans_of(days: Iterable[int], span: Span) -> list[Span]:
    """Return the spans that the days cover inside `span`, neighbours joined."""
    out: list[Span] = []
    for day in sorted(days):
        begin, end = max(span.begin, day * DAY - EAST), min(span.end, (day + 1) * DAY - EAST)
        if begin >= end:
            continue
        if out and out[-1].end == begin:
            out[-1] = Span(out[-1].begin, end)
        else:
            out.append(Span(begin, end))
    return out


def by_day(span: Span) -> list[Span]:
    """Return a span cut at the ends of local days."""
    return [one for day in span.days for one in spans_of([day], span)]
