"""Lights of a project (pure): how far behind the time it is, and what that means under a rule.

All comparisons are made with integers, so that the same bound gives the same light here and in SQL (`projects/queries.py`
builds its conditions from :meth:`Rule.bound`). The sources of the rules stand in ``presets/lights.yaml``.
"""

import calendar
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from yuanmai.projects.engine.rates import COMPLETION

GREY, GREEN, YELLOW, RED = "grey", "green", "yellow", "red"
RANK = {GREY: 0, GREEN: 1, YELLOW: 2, RED: 3}
STATISTICS_FROM = Decimal(5_000_000)  # yuan: smaller projects are not in the statistics


def year_passed(day: date) -> Fraction:
    """Return the share of the year that has passed: (full months + share of the running month by days) ÷ 12."""
    length = calendar.monthrange(day.year, day.month)[1]
    return (day.month - 1 + Fraction(day.day, length)) / 12


@dataclass(frozen=True)
class Rule:
    """Bounds of the lights, as a place decided them.

    `measure`: ``points`` compares time progress − completion rate; ``ratio`` compares the shortfall 1 − completion ÷ time
    progress. Both bounds are thousandths (100 = 10 points or 10 %). With `yellow_included` a project exactly at
    `yellow_from` is yellow; exactly at `red_above` it is always still yellow. `start_red_months`: months overdue from which a
    start that has not happened is red (in the month it is due it is yellow). `statistics_yellow_months` and `…_red_months`:
    months since the start without entry into the statistics; 0 switches the check off.
    """

    name: str = ""
    measure: str = "points"
    yellow_from: int = 100
    yellow_included: bool = True
    red_above: int = 300
    start_red_months: int = 3
    statistics_yellow_months: int = 1
    statistics_red_months: int = 2

    def bound(self, passed: Fraction, thousandths: int) -> Fraction:
        """Return the completion rate that lies exactly `thousandths` behind when `passed` of the year is over."""
        share = Fraction(thousandths, 1000)
        return passed - share if self.measure == "points" else passed * (1 - share)


@dataclass(frozen=True)
class Facts:
    """What a light depends on; amounts in yuan."""

    kind: str = ""
    planned: Decimal | None = None
    done: Decimal | None = None
    started: bool = False
    completed: bool = False
    start_on: date | None = None
    total: Decimal | None = None
    in_statistics: bool | None = None


@dataclass(frozen=True)
class Cause:
    """One reason for a light: ``progress``, ``start`` or ``statistics`` with its number.

    `lag` is time progress − completion rate as an exact fraction (negative: ahead); `months` are months overdue.
    """

    code: str
    light: str
    lag: Fraction | None = None
    months: int | None = None


@dataclass(frozen=True)
class Light:
    """The light of a project: the worst of its causes."""

    value: str
    causes: tuple[Cause, ...] = ()

    @property
    def lag(self) -> Fraction | None:
        """How far behind the time progress, where a plan says so."""
        return next((cause.lag for cause in self.causes if cause.code == "progress"), None)


def completion(facts: Facts) -> Fraction | None:
    """Return the completion rate of one project, exact; None without a plan."""
    return COMPLETION.of(facts.done, facts.planned)


def months_between(first: date, last: date) -> int:
    """Return how many months the month of `last` lies after that of `first`."""
    return (last.year - first.year) * 12 + last.month - first.month


def light(facts: Facts, day: date, rule: Rule) -> Light:
    """Return a project's light on a day: grey without anything to measure, green when completed, else the worst cause."""
    if facts.kind == "reserve":
        return Light(GREY)
    if facts.completed:
        return Light(GREEN, (Cause("completed", GREEN),))
    causes = [
        c for c in (_progress(facts, day, rule), _start(facts, day, rule), _statistics(facts, day, rule)) if c
    ]
    if not causes:
        return Light(GREY)
    causes.sort(key=lambda cause: -RANK[cause.light])
    return Light(causes[0].light, tuple(causes))


def _progress(facts: Facts, day: date, rule: Rule) -> Cause | None:
    rate = completion(facts)
    if rate is None or (facts.planned or 0) < 0:
        return None
    passed = year_passed(day)
    yellow, red = rule.bound(passed, rule.yellow_from), rule.bound(passed, rule.red_above)
    if rate < red:
        value = RED
    elif rate < yellow or (rate == yellow and rule.yellow_included):
        value = YELLOW
    else:
        value = GREEN
    return Cause("progress", value, lag=passed - rate)


def _start(facts: Facts, day: date, rule: Rule) -> Cause | None:
    if facts.kind != "new_start" or facts.started or facts.start_on is None:
        return None
    overdue = months_between(facts.start_on, day)
    if overdue < 0:
        return Cause("start", GREEN, months=overdue)
    return Cause("start", RED if overdue >= rule.start_red_months else YELLOW, months=overdue)


def _statistics(facts: Facts, day: date, rule: Rule) -> Cause | None:
    relevant = facts.started and facts.in_statistics is False and facts.start_on is not None
    if not relevant or not rule.statistics_yellow_months or (facts.total or Decimal(0)) < STATISTICS_FROM:
        return None
    assert facts.start_on is not None
    months = months_between(facts.start_on, day)
    if months < rule.statistics_yellow_months:
        return None
    red = bool(rule.statistics_red_months) and months >= rule.statistics_red_months
    return Cause("statistics", RED if red else YELLOW, months=months)
