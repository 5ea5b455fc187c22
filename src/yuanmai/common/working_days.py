"""The working calendar of the mainland: weekends, days off by notice, and weekends worked instead.

It is also that of the interbank bond market, which trades on the Saturdays and Sundays worked instead.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from yuanmai.common.yaml_file import load_yaml

PRESET = Path(__file__).parent / "presets" / "working_days_cn.yaml"
DAY = timedelta(days=1)


@dataclass(frozen=True)
class WorkingDays:
    """Which days are worked.

    The years `first_year` … `last_year` are known by their notices; in all others only weekends and the `fixed` feasts
    (month, day) are off, and `known` says so. `off` are days not worked on weekdays, `worked` weekends that are. The file calls them ``holidays`` and ``workdays``.
    """

    off: frozenset[date]
    worked: frozenset[date]
    fixed: frozenset[tuple[int, int]]
    first_year: int
    last_year: int

    def known(self, day: date) -> bool:
        """Is the notice of the day's year known?"""
        return self.first_year <= day.year <= self.last_year

    def is_working(self, day: date) -> bool:
        """Is the day worked?"""
        if self.known(day):
            return day in self.worked or (day.weekday() < 5 and day not in self.off)
        return day.weekday() < 5 and (day.month, day.day) not in self.fixed

    def on_or_after(self, day: date) -> date:
        """Return the day itself when it is worked, else the next one that is: the day on which a payment due then is made."""
        while not self.is_working(day):
            day += DAY
        return day

    def after(self, day: date) -> date:
        """Return the next day worked after a day: the value date of a bond tendered on it."""
        return self.on_or_after(day + DAY)


def from_document(document: Mapping[str, Any]) -> WorkingDays:
    """Read a calendar of the form of `presets/working_days_cn.yaml`: ``years`` → year → ``holidays`` and ``workdays``, each a list of MM-DD."""

    def days(key: str) -> frozenset[date]:
        return frozenset(
            date.fromisoformat(f"{year}-{entry}")
            for year, lists in document["years"].items()
            for entry in lists[key]
        )

    years = sorted(int(year) for year in document["years"])
    fixed = frozenset((int(entry[:2]), int(entry[3:])) for entry in document["fixed"])
    return WorkingDays(days("holidays"), days("workdays"), fixed, years[0], years[-1])


@lru_cache(maxsize=1)
def china() -> WorkingDays:
    """Return the calendar that comes with the program."""
    return from_document(load_yaml(PRESET))
