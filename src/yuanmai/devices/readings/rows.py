"""A batch of readings as columns, and what may be wrong with it."""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from django.utils.translation import gettext as _

from yuanmai.core.api.problems import Fault, Faulty, Problem

MOST_ROWS = 500_000
MOST_FAULTS = 200  # named one by one; how many there are in all is said besides
COLUMNS = ("device", "point", "time", "value", "quality")
MOST_QUALITY = 255
# 1900 to 9999: beyond, no database and no calendar follows.
EARLIEST, LATEST = -2_208_988_800_000_000, 253_402_300_799_999_999
# A number below is in seconds, in milliseconds, in microseconds; above in nanoseconds.
SECONDS, MILLISECONDS, MICROSECONDS = 100_000_000_000, 100_000_000_000_000, 100_000_000_000_000_000


@dataclass(frozen=True)
class RowFault(Fault):
    """A fault in one cell: `row` counts readings from 1."""

    row: int = 0
    column: str = ""
    value: str = ""


class Faults:
    """All faults of a batch; the first ones with their cells."""

    def __init__(self) -> None:
        self.found: list[RowFault] = []
        self.count = 0

    def add(self, row: int, column: str, value: Any, rule: str, message: str, pointer: str = "") -> None:
        """Note a fault in a cell; `row` counts from 0 here."""
        self.count += 1
        if len(self.found) < MOST_FAULTS:
            self.found.append(RowFault(message, rule, pointer, "", row + 1, column, str(value)[:120]))

    def settle(self) -> None:
        """Raise `Faulty` with everything that was found, if anything was."""
        if not self.count:
            return
        self.found.sort(key=lambda fault: (fault.row, fault.column))
        detail = _("Nothing of this batch was taken: %(count)s faults in it.") % {"count": self.count}
        raise Faulty(self.found, detail)


@dataclass(slots=True)
class Names:
    """A column of names: each name once, and for each row which (-1: none that can be read, which is a fault already)."""

    each: Sequence[str]
    index: npt.NDArray[np.int32]
    mark: Hashable = None  # the same for the same names in the same order; nothing: the names themselves

    @property
    def key(self) -> Hashable:
        """What names of one order are remembered by."""
        return self.mark if self.mark is not None else tuple(self.each)


@dataclass(slots=True)
class Rows:
    """A batch. Without `device` the sender is the device. `time` in µs since 1970 UTC, `value` NaN where there is none.

    `origin` says where a row stands in what was sent, for faults: a JSON pointer with {row} and {column} in it.
    """

    device: Names | None
    point: Names
    time: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]
    quality: npt.NDArray[np.int16] | None = None
    origin: str = ""
    lines: npt.NDArray[np.int64] | None = None  # which line each row stands in, where a line holds several
    faults: Faults = field(default_factory=Faults)

    def __len__(self) -> int:
        return len(self.time)

    def fault(self, row: int, column: str, value: Any, rule: str, message: str) -> None:
        """Note a fault in a cell; `row` counts from 0."""
        row = int(self.lines[row]) if self.lines is not None else row
        pointer = self.origin.format(row=row, column=column) if self.origin else ""
        self.faults.add(row, column, value, rule, message, pointer)

    def check(self) -> None:
        """Note times that no calendar has and qualities that are none."""
        outside = np.flatnonzero((self.time < EARLIEST) | (self.time > LATEST))
        for row in self.first(outside):
            self.fault(row, "time", int(self.time[row]), "time_range", outside_message())
        if self.quality is not None:
            for row in self.first(np.flatnonzero((self.quality < 0) | (self.quality > MOST_QUALITY))):
                self.fault(row, "quality", int(self.quality[row]), "quality", quality_message())

    def first(self, wrong: npt.NDArray[Any]) -> list[int]:
        """Return the rows whose faults are named one by one; the others are counted."""
        self.faults.count += max(len(wrong) - MOST_FAULTS, 0)
        named: list[int] = wrong[:MOST_FAULTS].tolist()
        return named


def outside_message() -> str:
    """Return what is said of a time outside of the calendar."""
    return _(
        "This time lies outside of the years 1900 to 9999. Look at the unit: s, ms, µs and ns are told by size."
    )


def time_message() -> str:
    """Return what is said of what is no time."""
    return _(
        "This is no time. Send ISO 8601 with its zone (2026-03-31T18:00:00+08:00) or a number since 1970 in UTC."
    )


def value_message() -> str:
    """Return what is said of what is no number."""
    return _("This is no number. Leave the value empty where there is none.")


def quality_message() -> str:
    """Return what is said of a quality that is none."""
    return _("A quality is a whole number from 0 (good) to 255.")


def name_message() -> str:
    """Return what is said of an empty or overlong name."""
    return _("A code of 1 to 200 characters is wanted here.")


def scaled(numbers: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Return microseconds of numbers since 1970 in whatever unit, told by their size."""
    size = np.abs(numbers)
    if numbers.dtype.kind == "f":
        with np.errstate(all="ignore"):
            found = np.select(
                [size < SECONDS, size < MILLISECONDS, size < MICROSECONDS],
                [np.round(numbers * 1e6), np.round(numbers * 1e3), np.round(numbers)],
                np.floor(numbers / 1e3),
            )
        return np.where(np.isfinite(found) & (np.abs(found) < 2**62), found, 2.0**62).astype(np.int64)
    if len(numbers):
        low, high = int(size.min()), int(size.max())
        if high < SECONDS:
            return numbers * 1_000_000
        if low >= SECONDS and high < MILLISECONDS:
            return numbers * 1_000
    return np.select(
        [size < SECONDS, size < MILLISECONDS, size < MICROSECONDS],
        [numbers * 1_000_000, numbers * 1_000, numbers],
        numbers // 1_000,
    ).astype(np.int64)


def too_many(count: int) -> Problem:
    """Return the refusal of a batch with too many rows."""
    return Problem(
        413,
        _("At most %(most)s readings in one request; this one has %(count)s. Send them in several.")
        % {"most": MOST_ROWS, "count": count},
        code="too_large",
    )


def unreadable(message: str, more: Iterable[Fault] = ()) -> Problem:
    """Return the refusal of a body that cannot be read at all."""
    return Problem(400, message, code="bad_request", faults=more)
