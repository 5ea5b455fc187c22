"""Bars on an axis of time (pure): from dates to percentages of the width, which a drawing takes as they are."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

WIDTH = 100
MAX_TICKS = 14


@dataclass(frozen=True)
class Axis:
    """An axis from the first day of a month to the last of another."""

    first: date
    last: date

    @property
    def days(self) -> int:
        """Length of the axis."""
        return max(1, (self.last - self.first).days)

    def at(self, day: date) -> float:
        """Return where a day lies, 0 … 100, held inside the axis."""
        share = (day - self.first).days / self.days
        return round(min(1.0, max(0.0, share)) * WIDTH, 2)


@dataclass(frozen=True)
class Bar:
    """A bar: where it begins, how long it is, how much of it is done, and whether it runs out of the axis."""

    x: float
    width: float
    done: float
    open_end: bool = False


@dataclass(frozen=True)
class Tick:
    """A mark of the axis with its label; `major` begins a year."""

    x: float
    label: str
    major: bool = False


def axis_for(spans: Iterable[tuple[date | None, date | None]], as_of: date, *, years_max: int = 8) -> Axis:
    """Return the axis that shows all spans, never longer than `years_max` around `as_of`, at least the year of it."""
    days = [day for span in spans for day in span if day is not None]
    first = min([*days, as_of.replace(month=1, day=1)])
    last = max([*days, as_of.replace(month=12, day=31)])
    first = max(first, date(as_of.year - years_max // 2, 1, 1))
    last = min(last, date(as_of.year + years_max // 2, 12, 31))
    return Axis(first.replace(day=1), _month_end(last))


def _month_end(day: date) -> date:
    following = (day.replace(day=28) + timedelta(days=4)).replace(day=1)
    return following - timedelta(days=1)


def ticks(axis: Axis) -> list[Tick]:
    """Return the marks of an axis: months, quarters, half years or years, as many as fit."""
    months = (axis.last.year - axis.first.year) * 12 + axis.last.month - axis.first.month + 1
    step = next((n for n in (1, 3, 6) if months / n <= MAX_TICKS), 12)
    marks = []
    year, month = axis.first.year, axis.first.month
    while (day := date(year, month, 1)) <= axis.last:
        if (month - 1) % step == 0:
            major = month == 1
            label = str(year) if major or step == 12 else f"{month:02d}"
            marks.append(Tick(axis.at(day), label, major))
        month += 1
        if month > 12:
            year, month = year + 1, 1
    return marks


def bar(axis: Axis, start: date | None, finish: date | None, done: float | None) -> Bar | None:
    """Return the bar of a project; None without a start. Without a completion date it runs to the end of the axis."""
    if start is None or start > axis.last or (finish is not None and finish < axis.first):
        return None
    x = axis.at(start)
    end = axis.at(finish) if finish is not None else float(WIDTH)
    width = max(0.6, round(end - x, 2))
    share = min(1.0, max(0.0, done or 0.0))
    return Bar(x, width, round(width * share, 2), finish is None or finish > axis.last)
