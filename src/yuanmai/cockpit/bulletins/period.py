"""The period of a bulletin (pure): parsing, bounds, names."""

import calendar
import re
from dataclasses import dataclass
from datetime import date

KINDS = ("month", "quarter", "year")
_PATTERNS = {
    "month": re.compile(r"(\d{4})-?(0?[1-9]|1[0-2])"),
    "quarter": re.compile(r"(\d{4})-?[Qq]([1-4])"),
    "year": re.compile(r"(\d{4})"),
}
EXAMPLES = {"month": "2022-03", "quarter": "2022Q1", "year": "2022"}


@dataclass(frozen=True)
class Period:
    """A calendar month, quarter or year; `number` is the month or quarter, 1 for a year."""

    kind: str
    year: int
    number: int = 1

    @property
    def last_month(self) -> int:
        """The month in which the period ends."""
        return {"month": self.number, "quarter": self.number * 3, "year": 12}[self.kind]

    @property
    def first_month(self) -> int:
        """The month in which the period begins."""
        return {"month": self.number, "quarter": self.number * 3 - 2, "year": 1}[self.kind]

    @property
    def start(self) -> date:
        """The first day."""
        return date(self.year, self.first_month, 1)

    @property
    def end(self) -> date:
        """The last day."""
        return date(self.year, self.last_month, calendar.monthrange(self.year, self.last_month)[1])

    @property
    def before(self) -> date | None:
        """The last day before the period, within the same year; None where the period begins the year."""
        if self.first_month == 1:
            return None
        month = self.first_month - 1
        return date(self.year, month, calendar.monthrange(self.year, month)[1])

    @property
    def text(self) -> str:
        """The spelling that :func:`parse` reads: 2022-03, 2022Q1, 2022."""
        if self.kind == "month":
            return f"{self.year}-{self.number:02}"
        return f"{self.year}Q{self.number}" if self.kind == "quarter" else str(self.year)


def parse(kind: str, text: str) -> Period:
    """Read a period (2022-03, 2022Q1, 2022); raises `ValueError` saying what was expected."""
    match = _PATTERNS[kind].fullmatch(text.strip())
    if match is None or not 1900 <= int(match[1]) <= 9998:
        raise ValueError(f"{text!r} is not a {kind}; expected {EXAMPLES[kind]}")
    return Period(kind, int(match[1]), int(match[2]) if kind != "year" else 1)


def period_of(kind: str, day: date) -> Period:
    """Return the period of a kind that holds a day."""
    return Period(kind, day.year, {"month": day.month, "quarter": (day.month + 2) // 3, "year": 1}[kind])
