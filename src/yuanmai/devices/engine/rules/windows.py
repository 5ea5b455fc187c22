"""When a rule is active: hours of days, by the working calendar. Times are microseconds since 1970 (UTC)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from yuanmai.common.working_days import WorkingDays

SECOND = 1_000_000
DAY = 86_400 * SECOND
# The mainland has one time without summer time since 1992: a day begins at 16:00 UTC of the day before.
SHIFT = 8 * 3600 * SECOND
EPOCH = date(1970, 1, 1)
KINDS = ("all", "working", "off")
TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00")


class WindowFault(ValueError):  # noqa: N818  (a fault of the input, collected with others)
    """A window that cannot be used: `part` says where in it, `rule` why."""

    def __init__(self, part: str, rule: str, value: Any = "") -> None:
        super().__init__(rule)
        self.part, self.rule, self.value = part, rule, str(value)[:40]


@dataclass(frozen=True)
class Window:
    """From `begin` to `end` (minutes of the day) on some days; an end not after the begin lies on the next day.

    `days` is ``all``, ``working``, ``off``, or the days of the week (1 Monday … 7 Sunday) on which the window begins.
    """

    days: str | tuple[int, ...]
    begin: int
    end: int

    def on(self, day: date, calendar: WorkingDays) -> bool:
        """Whether the window begins on a day."""
        if isinstance(self.days, tuple):
            return day.isoweekday() in self.days
        if self.days == "all":
            return True
        return calendar.is_working(day) == (self.days == "working")

    def span(self, day: date) -> tuple[int, int]:
        """Return begin and end of the window that begins on a day."""
        midnight = (day - EPOCH).days * DAY - SHIFT
        end = self.end if self.end > self.begin else self.end + 1440
        return midnight + self.begin * 60 * SECOND, midnight + end * 60 * SECOND


def read_window(source: Any) -> Window:
    """Return a window of ``{"days", "from", "until"}``; raises `WindowFault`."""
    if not isinstance(source, Mapping):
        raise WindowFault("", "object")
    for key in source:
        if key not in {"days", "from", "until"}:
            raise WindowFault(f".{key}", "unknown")
    days = source.get("days", "all")
    if isinstance(days, list):
        if not days or any(isinstance(d, bool) or d not in range(1, 8) for d in days):
            raise WindowFault(".days", "weekdays", days)
        chosen: str | tuple[int, ...] = tuple(sorted(set(days)))
    elif days in KINDS:
        chosen = days
    else:
        raise WindowFault(".days", "weekdays", days)
    begin, end = (_minutes(source, key) for key in ("from", "until"))
    if begin == end:
        raise WindowFault(".until", "empty", source.get("until"))
    if begin == 1440:
        raise WindowFault(".from", "time", source.get("from"))
    return Window(chosen, begin, end)


def _minutes(source: Mapping[str, Any], key: str) -> int:
    text = source.get(key)
    if not isinstance(text, str) or not TIME.fullmatch(text):
        raise WindowFault(f".{key}", "time", text)
    return int(text[:2]) * 60 + int(text[3:])


class Activity:
    """Whether a rule with these windows is active at a moment, and when that changes next."""

    HORIZON = 40  # days that are looked ahead for the next change

    def __init__(self, windows: tuple[Window, ...], calendar: WorkingDays) -> None:
        self.windows, self.calendar = windows, calendar
        self._known = (0, 0, True)  # from, until, active: where the last question was answered

    def at(self, moment: int) -> tuple[bool, int | None]:
        """Return (active, moment of the next change or None where there is none in sight)."""
        if not self.windows:
            return True, None
        since, until, active = self._known
        if not since <= moment < until:
            since, until, active = self._look(moment)
            self._known = (since, until, active)
        return active, until

    def _look(self, moment: int) -> tuple[int, int, bool]:
        day = EPOCH + timedelta(days=(moment + SHIFT) // DAY)
        spans: list[tuple[int, int]] = []
        for ahead in range(-2, self.HORIZON):
            there = day + timedelta(days=ahead)
            spans += [w.span(there) for w in self.windows if w.on(there, self.calendar)]
        spans.sort()
        joined: list[list[int]] = []
        for begin, end in spans:
            if joined and begin <= joined[-1][1]:
                joined[-1][1] = max(joined[-1][1], end)
            else:
                joined.append([begin, end])
        before = moment
        for begin, end in joined:
            if moment < begin:
                return before, begin, False
            if moment < end:
                return max(begin, moment - DAY), end, True
            before = end
        return before, moment + DAY, False
