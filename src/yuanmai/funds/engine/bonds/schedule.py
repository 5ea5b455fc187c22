"""Dates and flows of a tranche (pure)."""

import calendar
from collections.abc import Callable
from datetime import date
from decimal import Decimal, localcontext
from functools import lru_cache, partial
from typing import NamedTuple

from yuanmai.funds.engine.bonds.terms import ONE, ZERO, EarlyRedemption, Repayment, Tranche, exact


class Flow(NamedTuple):
    """What is due on a day: `date` is not shifted by holidays (`payment_day` of `common.working_days` does that).

    `outstanding` is the principal left after it.
    """

    date: date
    interest: Decimal
    principal: Decimal
    outstanding: Decimal


# A flow of its four values, at half the price of the call by names: tables of all projects have millions of them.
make_flow: Callable[[tuple[date, Decimal, Decimal, Decimal]], Flow] = partial(tuple.__new__, Flow)


def add_months(day: date, months: int) -> date:
    """Return the day `months` later, capped at the end of its month: 31 August + 6 months is 28 or 29 February."""
    index = day.year * 12 + day.month - 1 + months
    year, month = index // 12, index % 12 + 1
    if day.day <= 28:
        return date(year, month, day.day)
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


@lru_cache(maxsize=2048)
def due_dates(value_date: date, months: int, periods: int) -> tuple[date, ...]:
    """Return the `periods` dates that end the coupon periods of `months` months, each counted from the value date."""
    return tuple(add_months(value_date, months * k) for k in range(1, periods + 1))


def coupon_dates(tranche: Tranche) -> tuple[date, ...]:
    """Return the coupon dates of a tranche; the last one is its maturity."""
    return due_dates(tranche.value_date, tranche.months, tranche.periods)


def maturity(tranche: Tranche) -> date:
    """Return value date + term."""
    return add_months(tranche.value_date, 12 * tranche.term_years)


def period_rate(tranche: Tranche) -> Decimal:
    """Return the interest of one coupon period on 1 of principal (ACT/ACT ICMA: rate ÷ frequency, whatever its days)."""
    with localcontext(exact()):
        return tranche.rate * tranche.months / 12


def repayments(
    kind: Repayment, principal: Decimal, rate: Decimal, periods: int, grace: int, every: int
) -> list[Decimal]:
    """Return the principal due at the end of each period, before any early redemption; `rate` is the rate of a period.

    Level payment: A = P·i ÷ (1 − (1 + i)^−n), interest first. Whoever lays it out in time lets the last repayment take what is left.
    """
    plan = [ZERO] * periods
    if kind is Repayment.LEVEL_PAYMENT:
        growth = (ONE + rate) ** (periods - grace)
        part = principal * rate / (growth - 1) if rate else principal / (periods - grace)
        for index in range(grace, periods - 1):
            plan[index] = part
            part *= ONE + rate
    elif kind is Repayment.EQUAL_PRINCIPAL:
        count = -(-(periods - grace) // every)
        part = principal / count
        # Counted back from maturity, so that the last one falls on it.
        for index in range(periods - 1 - every, grace - 1, -every):
            plan[index] = part
    plan[-1] = principal - sum(plan)
    return plan


def last_repayment(plan: list[Decimal]) -> int:
    """Return the index of the last period with a repayment, after which there is nothing to pay interest on."""
    return max((index for index, part in enumerate(plan) if part), default=len(plan) - 1)


def planned_principal(tranche: Tranche) -> list[Decimal]:
    """Return the principal due at each coupon date before any early redemption."""
    with localcontext(exact()):
        if tranche.repayment is Repayment.INSTALMENTS:
            plan = [ZERO] * tranche.periods
            for instalment in tranche.instalments:
                plan[instalment.period - 1] += instalment.principal
            return plan
        return repayments(
            tranche.repayment,
            tranche.principal,
            period_rate(tranche),
            tranche.periods,
            tranche.grace_periods,
            tranche.principal_every,
        )


def flows(tranche: Tranche) -> tuple[Flow, ...]:
    """Return all payments of a tranche in the order of their dates: one for each coupon date, and the early redemptions."""
    with localcontext(exact()):
        return _flows(tranche)


def _flows(tranche: Tranche) -> tuple[Flow, ...]:
    rate, outstanding = period_rate(tranche), tranche.principal
    dates = coupon_dates(tranche)
    if tranche.early_redemptions and outstanding:  # a scenario may leave nothing to redeem
        return _with_redemptions(tranche, rate, dates)
    if tranche.repayment is Repayment.BULLET:
        coupon = outstanding * rate
        rows = [make_flow((day, coupon, ZERO, outstanding)) for day in dates[:-1]]
        rows.append(make_flow((dates[-1], coupon, outstanding, ZERO)))
        return tuple(rows)
    rows = []
    plan = planned_principal(tranche)
    last = last_repayment(plan)
    for day, part in zip(dates[:last], plan, strict=False):
        interest = outstanding * rate
        outstanding -= part
        rows.append(make_flow((day, interest, part, outstanding)))
    rows.append(Flow(dates[last], outstanding * rate, outstanding, ZERO))
    return tuple(rows)


def _with_redemptions(tranche: Tranche, rate: Decimal, dates: tuple[date, ...]) -> tuple[Flow, ...]:
    outstanding, scale = tranche.principal, ONE
    waiting = sorted(tranche.early_redemptions, key=lambda redemption: redemption.date)
    rows: list[Flow] = []
    start = tranche.value_date
    plan = planned_principal(tranche)
    last = last_repayment(plan)
    for index, (end, planned) in enumerate(zip(dates, plan, strict=True)):
        while waiting and waiting[0].date < end:
            day, part = waiting[0].date, _part(waiting.pop(0), outstanding)
            interest = part * rate * (day - start).days / (end - start).days
            scale *= (outstanding - part) / outstanding
            outstanding -= part
            if rows and rows[-1].date == day:
                before = rows.pop()
                interest, part = interest + before.interest, part + before.principal
            rows.append(Flow(day, interest, part, outstanding))
            if not outstanding:
                return tuple(rows)
        interest = outstanding * rate
        part = outstanding if index == last else planned * scale
        outstanding -= part
        while waiting and waiting[0].date == end and outstanding:
            redeemed = _part(waiting.pop(0), outstanding)
            scale *= (outstanding - redeemed) / outstanding
            outstanding -= redeemed
            part += redeemed
        rows.append(Flow(end, interest, part, outstanding))
        if not outstanding:
            return tuple(rows)
        start = end
    return tuple(rows)


def _part(redemption: EarlyRedemption, outstanding: Decimal) -> Decimal:
    return outstanding if redemption.principal is None else redemption.principal


def total_interest(rows: tuple[Flow, ...]) -> Decimal:
    """Return Σ interest."""
    with localcontext(exact()):
        return sum((row.interest for row in rows), ZERO)


def accrued_interest(tranche: Tranche, day: date) -> Decimal:
    """Return the interest earned and not yet paid at the start of a day (ACT/ACT ICMA); 0 on a coupon date and outside the life.

    outstanding principal × rate of the period × days since the last coupon date ÷ days of the period.
    """
    dates = coupon_dates(tranche)
    if not tranche.value_date < day < dates[-1]:
        return ZERO
    start = max((entry for entry in dates if entry <= day), default=tranche.value_date)
    end = min(entry for entry in dates if entry > day)
    with localcontext(exact()):
        left = [row.outstanding for row in _flows(tranche) if row.date <= day]
        outstanding = left[-1] if left else tranche.principal
        return outstanding * period_rate(tranche) * (day - start).days / (end - start).days
