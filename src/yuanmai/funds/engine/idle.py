"""Whether issued money is being spent in time (pure).

A batch must be spent within N months counted from the month after issue: issued on 19 June with N = 6, its time runs from 1 July to
31 December. On the way a linear expectation is held against what is spent: on or above it green, short of it by no more than a
share yellow, more red. What is unspent when a year has gone by is taken back. N and the share are rules of places
(``idle_months``, ``idle_take_back_months``, ``light_short``), never constants here. Issue is the value date, the day the money is there.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

ZERO = Decimal(0)


class Light(StrEnum):
    """How spending stands."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"
    GREY = "grey"  # nothing to spend, or its time has not begun


class Stage(StrEnum):
    """Where a batch is in its time."""

    SPENT = "spent"  # nothing is left
    RUNNING = "running"
    IDLE = "idle"  # its time is over and something is left
    TAKE_BACK = "take_back"  # idle for so long that it is to be taken back


@dataclass(frozen=True, slots=True)
class Standing:
    """How a batch stands on a day: its time, what should be and what is spent, what is left, its light and stage."""

    begins: date
    deadline: date
    take_back: date
    expected: Fraction  # share of the batch that should be spent by the day, 0 … 1
    spent: Decimal
    unspent: Decimal
    light: Light
    stage: Stage

    def expected_of(self, amount: Decimal) -> Decimal:
        """Return how much of an amount (yuan) should be spent by the day."""
        return amount * self.expected.numerator / self.expected.denominator


def month_later(day: date, months: int) -> date:
    """Return the first day of the month `months` after that of `day` (may be negative)."""
    index = day.year * 12 + day.month - 1 + months
    return date(index // 12, index % 12 + 1, 1)


def begins(issued_on: date) -> date:
    """Return the day on which the time of a batch begins: the first of the month after issue."""
    return month_later(issued_on, 1)


def deadline(issued_on: date, months: int) -> date:
    """Return the last day on which a batch issued on a day may be unspent: the end of the month `months` after that of issue."""
    return month_later(issued_on, months + 1) - timedelta(days=1)


def issued_until(as_of: date, months: int) -> date:
    """Return the latest day of issue whose deadline lies before `as_of`: a batch issued after it still has time.

    With it a database finds what is idle by comparing one column: ``deadline(d, n) < as_of`` exactly when ``d <= issued_until(as_of, n)``.
    """
    return month_later(as_of, -months) - timedelta(days=1)


def expected(issued_on: date, months: int, as_of: date) -> Fraction:
    """Return the share that should be spent at the end of a day: days passed ÷ days of the batch's time, from 0 to 1."""
    start, end = begins(issued_on), deadline(issued_on, months)
    whole = (end - start).days + 1
    passed = (as_of - start).days + 1
    if passed <= 0:
        return Fraction(0)
    return Fraction(1) if whole <= 0 else min(Fraction(passed, whole), Fraction(1))


def standing(
    amount: Decimal,
    spent: Decimal,
    issued_on: date,
    as_of: date,
    *,
    months: int,
    take_back_months: int,
    short: Decimal,
) -> Standing:
    """Return how a batch of `amount` stands on `as_of`, of which `spent` is spent.

    `short` is the share of the expectation by which spending may fall behind and still be yellow. More spent than there is counts
    as spent.
    """
    share = expected(issued_on, months, as_of)
    unspent = max(amount - spent, ZERO)
    end = deadline(issued_on, months)
    back = deadline(issued_on, take_back_months)
    if not unspent:
        stage = Stage.SPENT
    elif as_of > back:
        stage = Stage.TAKE_BACK
    elif as_of > end:
        stage = Stage.IDLE
    else:
        stage = Stage.RUNNING
    return Standing(
        begins(issued_on), end, back, share, spent, unspent, _light(amount, spent, share, short), stage
    )


def _light(amount: Decimal, spent: Decimal, share: Fraction, short: Decimal) -> Light:
    if amount <= 0 or not share:
        return Light.GREY
    wanted = share * Fraction(amount)
    if Fraction(spent) >= wanted:
        return Light.GREEN
    bound = wanted * (1 - Fraction(short))
    return Light.YELLOW if Fraction(spent) >= bound else Light.RED


def worst(lights: list[Light]) -> Light:
    """Return the worst of several lights, grey where there is none."""
    for light in (Light.RED, Light.YELLOW, Light.GREEN):
        if light in lights:
            return light
    return Light.GREY
