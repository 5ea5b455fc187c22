"""Reporting periods (pure): half months ``2022-03-1``, ``2022-03-2`` and months ``2022-03``."""

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True)
class Period:
    """A reporting period; `half` is 1, 2, or 0 for a whole month. A report of the period counts for its last day."""

    year: int
    month: int
    half: int = 0

    @property
    def first(self) -> date:
        """The first day."""
        return date(self.year, self.month, 16 if self.half == 2 else 1)

    @property
    def last(self) -> date:
        """The last day, which reports of the period are effective on."""
        if self.half == 1:
            return date(self.year, self.month, 15)
        return date(self.year, self.month, calendar.monthrange(self.year, self.month)[1])

    @property
    def code(self) -> str:
        """The period as it stands in addresses."""
        return f"{self.year:04d}-{self.month:02d}" + (f"-{self.half}" if self.half else "")

    def next(self) -> "Period":
        """The period after this one, of the same length."""
        return period_of(self.last + timedelta(days=1), halves=bool(self.half))

    def previous(self) -> "Period":
        """The period before this one, of the same length."""
        return period_of(self.first - timedelta(days=1), halves=bool(self.half))


def period_of(day: date, *, halves: bool = True) -> Period:
    """Return the period that a day lies in."""
    return Period(day.year, day.month, (1 if day.day <= 15 else 2) if halves else 0)


def parse_period(text: str) -> Period | None:
    """Return the period of a code, None for anything else."""
    match = re.fullmatch(r"(\d{4})-(\d{2})(?:-([12]))?", text.strip())
    if not match:
        return None
    year, month, half = int(match[1]), int(match[2]), int(match[3] or 0)
    return Period(year, month, half) if 1990 <= year <= 2100 and 1 <= month <= 12 else None


def status(reported: bool, period: Period, today: date, grace_days: int) -> str:
    """Return ``reported``, ``overdue`` (the days of grace after the period are over), ``due`` or ``early``."""
    if reported:
        return "reported"
    if today > period.last + timedelta(days=grace_days):
        return "overdue"
    return "due" if today >= period.first else "early"
