"""Times of the calendar without a clock: codecs only say whether digits can be one, and take one apart."""

from typing import Protocol

DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


class Moment(Protocol):
    """What codecs ask of a time; a `datetime` of the device's own zone has it."""

    @property
    def year(self) -> int: ...
    @property
    def month(self) -> int: ...
    @property
    def day(self) -> int: ...
    @property
    def hour(self) -> int: ...
    @property
    def minute(self) -> int: ...
    @property
    def second(self) -> int: ...


def exists(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> bool:
    """Return whether there is such a time in the Gregorian calendar."""
    if not (1 <= month <= 12 and hour < 24 and minute < 60 and second < 60):
        return False
    leap = month == 2 and year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return 1 <= day <= DAYS[month - 1] + leap
