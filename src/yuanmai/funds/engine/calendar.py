"""The repayment calendar: what to set aside each month so that every payment is covered, and the months in which income is too late.

Pure. Money is counted by month. What is due in a month must lie ready at the end of the month before; income of a month can be set
aside at its end; an operating loss is covered like a payment. With D(t) the needs and C(t) the income added up to the end of month t:

- the gap B(t) = max over s ≤ t of D(s) − C(s), at least 0: what must come from elsewhere although later income may cover it;
- the reserve S(t) runs between D(t) and C(t) + B(t) and is the shortest such line (the taut string): no plan has a smaller largest
  month, and the sum set aside changes only where a payment or the income forces it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from itertools import accumulate
from typing import NamedTuple

from yuanmai.common.working_days import WorkingDays
from yuanmai.funds.engine.bonds.coverage import Statement
from yuanmai.funds.engine.bonds.terms import ZERO

CENT = Decimal("0.01")
Month = tuple[int, int]


class Due(NamedTuple):
    """A payment of a bond: the day by its terms, the working day on which it is made, and the amounts."""

    bond: str
    due_on: date
    payment_day: date
    interest: Decimal
    principal: Decimal

    @property
    def amount(self) -> Decimal:
        """Interest and principal."""
        return self.interest + self.principal


class MonthRow(NamedTuple):
    """One month of the plan: income, what is due in it, what to set aside, what comes from elsewhere, the reserve at its end.

    `set_aside` is of income, `bridged` from elsewhere; `reserve` is what lies ready after the payments of the month.
    """

    month: Month
    income: Decimal
    due: Decimal
    set_aside: Decimal
    bridged: Decimal
    reserve: Decimal


class YearRow(NamedTuple):
    """One year: net income and debt service of the coverage table, and the plan's months added up.

    `gap`: the cumulative balance of the coverage table is negative: income up to then does not cover what was due up to then.
    """

    year: int
    income: Decimal
    due: Decimal
    balance: Decimal
    set_aside: Decimal
    bridged: Decimal
    gap: bool


@dataclass(frozen=True, slots=True)
class Calendar:
    """Payments in the order of their days, months without a hole, years; `hidden`: a gap although the total covers."""

    dues: tuple[Due, ...]
    months: tuple[MonthRow, ...]
    years: tuple[YearRow, ...]
    coverage: Decimal | None

    @property
    def gap_years(self) -> tuple[int, ...]:
        """Years with a gap."""
        return tuple(row.year for row in self.years if row.gap)

    @property
    def hidden(self) -> bool:
        """Does the total cover, and yet not every year?"""
        return self.coverage is not None and self.coverage >= 1 and bool(self.gap_years)

    def month(self, day: date) -> MonthRow | None:
        """Return the row of the month of a day."""
        return next((row for row in self.months if row.month == (day.year, day.month)), None)


def dues(found: Statement, days: WorkingDays) -> tuple[Due, ...]:
    """Return the payments of the bonds and of the loans that lie in time, in the order of their days; whole cents.

    A holiday moves only the day on which a payment is made. Of the payments of one bond each is rounded so that their sums stay right.
    """
    rows: list[Due] = []
    for bond, flows in found.flows.items():
        rows += _rounded(bond, [(flow.date, flow.interest, flow.principal) for flow in flows], days)
    for loan, paid in found.loan_flows.items():
        rows += _rounded(
            loan, [(flow.date, flow.interest, flow.principal) for flow in paid if flow.date], days
        )
    return tuple(sorted(rows, key=lambda due: (due.payment_day, due.bond, due.due_on)))


def _rounded(bond: str, flows: Iterable[tuple[date, Decimal, Decimal]], days: WorkingDays) -> list[Due]:
    rows = []
    owed = [ZERO, ZERO]
    for day, interest, principal in flows:
        parts = []
        for index, amount in enumerate((interest, principal)):
            owed[index] += amount
            part = owed[index].quantize(CENT, ROUND_HALF_EVEN)
            owed[index] -= part
            parts.append(part)
        rows.append(Due(bond, day, days.on_or_after(day), *parts))
    return rows


def next_month(month: Month) -> Month:
    """Return the month after."""
    return (month[0] + 1, 1) if month[1] == 12 else (month[0], month[1] + 1)


def month_before(month: Month) -> Month:
    """Return the month before."""
    return (month[0] - 1, 12) if month[1] == 1 else (month[0], month[1] - 1)


def monthly_income(years: Mapping[int, Decimal], start: date | None) -> dict[Month, Decimal]:
    """Spread the net income of each year over its months, in the year of `start` over those from `start` on; whole cents."""
    income: dict[Month, Decimal] = {}
    for year, amount in years.items():
        first = start.month if start and start.year == year else 1
        count = 13 - first
        known = ZERO
        for number in range(1, count + 1):
            until = (amount * number / count).quantize(CENT, ROUND_HALF_EVEN)
            income[year, first + number - 1] = until - known
            known = until
    return income


def plan_months(income: Mapping[Month, Decimal], due: Mapping[Month, Decimal]) -> tuple[MonthRow, ...]:
    """Return the plan up to the last payment, from the first income on, or from the month before the first payment or loss."""
    if not due:
        return ()
    last = max(due)
    month = min([month_before(min(due)), *(m for m in income if m <= last)])
    if income.get(month, ZERO) < 0:
        month = month_before(month)
    months = []
    while month <= last:
        months.append(month)
        month = next_month(month)
    needs = {month: due.get(month, ZERO) + max(-income.get(month, ZERO), ZERO) for month in months}
    # What is needed in a month must lie ready at the end of the month before.
    wanted = list(accumulate(needs[next_month(month)] for month in months[:-1]))
    wanted.append(wanted[-1] if wanted else ZERO)
    earned = list(accumulate(max(income.get(month, ZERO), ZERO) for month in months))
    bridge = list(accumulate((max(d - c, ZERO) for d, c in zip(wanted, earned, strict=True)), max))
    # Nothing is set aside beyond the last payment.
    free = [min(c + b, wanted[-1]) for c, b in zip(earned, bridge, strict=True)]
    line = taut_string([ZERO, *wanted], [ZERO, *free])
    rows = []
    paid = ZERO
    for index, month in enumerate(months):
        paid += needs[month]
        bridged = bridge[index] - (bridge[index - 1] if index else ZERO)
        step = line[index + 1] - line[index]
        rows.append(
            MonthRow(
                month,
                income.get(month, ZERO),
                due.get(month, ZERO),
                step - bridged,
                bridged,
                line[index + 1] - paid,
            )
        )
    return tuple(rows)


def taut_string(lower: Sequence[Decimal], upper: Sequence[Decimal]) -> list[Decimal]:
    """Return the shortest line between two rising lines of whole cents that meet at both ends, in whole cents at every point.

    From each corner on, the funnel of slopes that stay between the bounds narrows; where it closes, the line turns at the bound
    that closed it. All bounds are whole cents, so the rounded line stays between them.
    """
    low, high = ([int(value * 100) for value in bound] for bound in (lower, upper))
    line = [low[0]]
    end = len(low) - 1
    at = 0
    while at < end:
        start = line[-1]
        turn, goal = end, low[end]
        steep_at = flat_at = (
            at  # where the least slope to the upper bound lies, and the greatest to the lower one
        )
        for index in range(at + 1, end + 1):
            width, down, up = index - at, low[index] - start, high[index] - start
            # Slopes are compared crosswise: a / b < c / d is a · d < c · b.
            if flat_at > at and up * (flat_at - at) < (low[flat_at] - start) * width:
                turn, goal = flat_at, low[flat_at]
                break
            if steep_at > at and down * (steep_at - at) > (high[steep_at] - start) * width:
                turn, goal = steep_at, high[steep_at]
                break
            if steep_at == at or up * (steep_at - at) <= (high[steep_at] - start) * width:
                steep_at = index
            if flat_at == at or down * (flat_at - at) >= (low[flat_at] - start) * width:
                flat_at = index
        rise, run = goal - start, turn - at
        line += [start + (2 * rise * step + run) // (2 * run) for step in range(1, run)]
        line.append(goal)
        at = turn
    return [Decimal(value) / 100 for value in line]


def calendar(found: Statement, days: WorkingDays, start: date | None) -> Calendar:
    """Return the calendar of a statement; `start` is the first day of operation, from which on income comes.

    Years and their cumulative balance are those of the coverage table; the payments stand in the year in which they are due.
    """
    rows = dues(found, days)
    due: dict[Month, Decimal] = {}
    for row in rows:
        month = (row.payment_day.year, row.payment_day.month)
        due[month] = due.get(month, ZERO) + row.amount
    months = plan_months(monthly_income({row.year: row.net_revenue for row in found.rows}, start), due)
    years = []
    for year in found.rows:
        mine = [row for row in months if row.month[0] == year.year]
        bridged = sum((row.bridged for row in mine), ZERO)
        years.append(
            YearRow(
                year.year, year.net_revenue, year.debt_service, year.cumulative_balance,
                sum((row.set_aside for row in mine), ZERO), bridged,
                year.cumulative_balance < 0,
            )
        )  # fmt: skip
    return Calendar(rows, months, tuple(years), found.coverage.all_interest.value)


def together(calendars: Iterable[Calendar]) -> tuple[MonthRow, ...]:
    """Return the months of several calendars added up. Each project covers itself: what one has left does not fill another's gap."""
    sums: dict[Month, list[Decimal]] = {}
    for found in calendars:
        for month, *values in found.months:
            known = sums.setdefault(month, [ZERO] * len(values))
            for index, value in enumerate(values):
                known[index] += value
    return tuple(MonthRow(month, *sums[month]) for month in sorted(sums))
