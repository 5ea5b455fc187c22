"""The newest reading of each point, from the lake itself: kept in memory and carried forward by what is appended."""

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from yuanmai.devices.store import columns
from yuanmai.devices.store.columns import APART, as_number, day_number
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
            self._merge(look_back(self._reader, snapshot.files, missing, columns.LAST))
            self._asked.update(missing)
            self._version = snapshot.version
        if not len(self._rows):
            return self._rows
        wanted = np.unique(np.asarray(list(points), np.int32))
        at = np.minimum(np.searchsorted(self._rows.point, wanted), len(self._rows) - 1)
        return columns.take(self._rows, at[self._rows.point[at] == wanted])

    def _merge(self, rows: Readings) -> None:
        self._rows = columns.last_of_each(columns.join([self._rows, rows]))


def look_back(reader: "Reader", files: Sequence[DataFile], points: Sequence[int], before: int) -> Readings:
    """Return the newest reading before a moment of each point that has any: from the last days on, in growing steps."""
    usable = [f for f in files if f.level != APART and f.begin < before]
    if not usable:
        return columns.empty()
    newest = min(day_number(max(f.end for f in usable)), day_number(before - 1))
    oldest = min(as_number(f.day) if f.day else day_number(f.begin) for f in usable)
    found: list[Readings] = []
    missing = set(points)
    step = 1
    while missing and newest >= oldest:
        span = Span(
            (newest - step + 1) * columns.DAY - columns.EAST,
            min(before, (newest + 1) * columns.DAY - columns.EAST),
        )
        low, high = min(missing), max(missing)
        chosen = [
            f for f in usable
            if f.end >= span.begin and f.begin < span.end and f.first_point <= high and f.last_point >= low
        ]  # fmt: skip
        if chosen:
            rows = reader.last_rows(chosen, span, sorted(missing))
            found.append(rows)
            missing -= set(rows.point.tolist())
        newest -= step
        step *= 4
    return columns.last_of_each(columns.join(found))
