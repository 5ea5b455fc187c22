"""The newest reading of each point, from the lake itself: kept in memory and carried forward by what is appended."""

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from yuanmai.devices.store import columns, rolled
from yuanmai.devices.store.columns import DAY, EAST, day_number
from yuanmai.devices.store.entries import DataFile
from yuanmai.devices.store.plan import Span
from yuanmai.devices.store.readings import Readings

if TYPE_CHECKING:
    from yuanmai.devices.store.reader import Reader

_FORGET = 200_000  # points remembered


class Newest:
    """Answers "the last reading of these points". Thread-safe.

    The first question about a point looks back day by day; after that only what has arrived since is read.
    """

    def __init__(self, reader: "Reader") -> None:
        self._reader = reader
        self._mutex = threading.Lock()
        self._forget()

    def _forget(self) -> None:
        self._version = -1
        self._rows = columns.empty()
        self._asked: set[int] = set()

    def of(self, points: Sequence[int]) -> Readings:
        """Return the newest reading of each point that has any, sorted by point."""
        with self._mutex:
            try:
                return self._of(points)
            except BaseException:
                self._forget()
                raise

    def _of(self, points: Sequence[int]) -> Readings:
        table = self._reader.lake.readings
        if len(self._asked) > _FORGET:
            self._forget()
        if self._asked:
            version, files = table.arrived(self._version)
            if files is None:
                self._forget()
            elif files:
                found = self._reader.last_rows(files, Span(columns.FIRST, columns.LAST + 1), None)
                self._merge(columns.take(found, np.isin(found.point, np.fromiter(self._asked, np.int32))))
            self._version = version
        missing = sorted(set(points) - self._asked)
        if missing:
            snapshot = table.snapshot()
            if snapshot.version != self._version and self._asked:
                return self._of(
                    points
                )  # something has come in between: those asked before have to hear of it, too
            self._merge(look_back(self._reader, missing, columns.LAST))
            self._asked.update(missing)
            self._version = snapshot.version
        if not len(self._rows):
            return self._rows
        wanted = np.unique(np.asarray(list(points), np.int32))
        at = np.minimum(np.searchsorted(self._rows.point, wanted), len(self._rows) - 1)
        return columns.take(self._rows, at[self._rows.point[at] == wanted])

    def _merge(self, rows: Readings) -> None:
        self._rows = columns.last_of_each(columns.join([self._rows, rows]))


def look_back(reader: "Reader", points: Sequence[int], before: int) -> Readings:
    """Return the newest reading before a moment of each point that has any, sorted by point.

    What has arrived, the last two days and days that are not rolled up are read, latest files first, until nothing later can
    come; for all other days the daily roll-ups say on which day a point was heard last, and only that one is read.
    """
    lake = reader.lake
    raw = lake.readings.snapshot()
    daily = rolled.held(lake.daily.snapshot(), daily=True)
    recent = sorted(day for day in raw.days if day <= day_number(before - 1))[-2:]
    known = {
        day for day, files in raw.days.items()
        if day not in recent and day in daily and daily[day].mark == rolled.of_raw(files)
    }  # fmt: skip
    direct = [file for day, files in raw.days.items() if day not in known for file in files] + list(raw.loose)
    found = _latest_first(reader, direct, points, before)
    limit = before
    for _ in range(2):  # the second time for points that were heard on the day of `before`, but not before it
        later = {day for day in known if day * DAY - EAST < limit}
        if not later:
            break
        newest = (max(later) + 1) * DAY - EAST
        settled = found.point[found.time >= newest]
        pending = np.setdiff1d(np.asarray(list(points), np.int32), settled)
        if not len(pending):
            break
        days = _last_days(reader, pending.tolist(), limit, later)
        for day, heard in days.items():
            chosen = [file for file in raw.days[day] if file.begin < before]
            rows = reader.last_rows(chosen, Span(columns.FIRST, before), heard) if chosen else columns.empty()
            found = columns.last_of_each(columns.join([found, rows]))
        limit = day_number(before - 1) * DAY - EAST
    return found


def _latest_first(
    reader: "Reader", files: Sequence[DataFile], points: Sequence[int], before: int
) -> Readings:
    """Return the newest readings in files, reading as few of them as possible."""
    low, high = min(points), max(points)
    rest = sorted(
        (f for f in files if f.begin < before and f.first_point <= high and f.last_point >= low),
        key=lambda file: -file.end,
    )
    found, size, wanted = columns.empty(), 1, len(set(points))
    while rest:
        rows = reader.last_rows(rest[:size], Span(columns.FIRST, before), sorted(set(points)))
        found = columns.last_of_each(columns.join([found, rows]))
        rest, size = rest[size:], size * 2
        if len(found) == wanted:
            rest = [file for file in rest if file.end >= int(found.time.min())]
    return found


def _last_days(reader: "Reader", points: Sequence[int], before: int, days: set[int]) -> dict[int, list[int]]:
    """Return on which of these days each point was heard last, by day."""
    table = reader.lake.daily
    holds = rolled.held(table.snapshot(), daily=True)
    files = {file.path: file for day in days if day in holds for file in holds[day].files}
    if not files:
        return {}
    rows = reader.read(table, list(files.values()), "point, time", Span(columns.FIRST, before), points)
    numbers, point = columns.day_numbers(columns.numbers(rows["time"])), np.asarray(rows["point"])
    usable = np.isin(numbers, np.fromiter(days, np.int64))
    order = np.lexsort((numbers[usable], point[usable]))
    point, numbers = point[usable][order], numbers[usable][order]
    last = np.append(np.diff(point) != 0, True) if len(point) else np.empty(0, np.bool_)
    found: dict[int, list[int]] = {}
    for number, day in zip(point[last].tolist(), numbers[last].tolist(), strict=True):
        found.setdefault(day, []).append(number)
    return found
