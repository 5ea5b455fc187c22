"""The engine beside QuantLib: dates, flows, accrued interest and payment days of 1,000 random bonds."""

from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import Decimal

import pytest
import QuantLib as ql  # noqa: N813  (the name everyone knows it by)

from yuanmai.common.working_days import china
from yuanmai.funds.engine.bonds.schedule import accrued_interest, flows, planned_principal
from yuanmai.funds.engine.bonds.terms import Instalment, Repayment, Tranche

CLOSE = 1e-9
TENOR = {1: ql.Annual, 2: ql.Semiannual, 4: ql.Quarterly, 12: ql.Monthly}


def quant_day(day: date) -> ql.Date:
    return ql.Date(day.day, day.month, day.year)


def plain_day(day: ql.Date) -> date:
    return date(day.year(), day.month(), day.dayOfMonth())


def schedule_of(tranche: Tranche) -> ql.Schedule:
    """Dates counted forward from the value date, never adjusted, no end-of-month rule."""
    first = quant_day(tranche.value_date)
    return ql.Schedule(
        first, first + ql.Period(tranche.term_years, ql.Years), ql.Period(TENOR[tranche.frequency]), ql.NullCalendar(),
        ql.Unadjusted, ql.Unadjusted, ql.DateGeneration.Forward, False,
    )  # fmt: skip


def peer_bond(tranche: Tranche, notionals: list[float]) -> ql.Bond:
    schedule = schedule_of(tranche)
    count = ql.ActualActual(ql.ActualActual.ISMA, schedule)
    if tranche.repayment is Repayment.BULLET:
        return ql.FixedRateBond(0, notionals[0], schedule, [float(tranche.rate)], count)
    return ql.AmortizingFixedRateBond(0, notionals, schedule, [float(tranche.rate)], count)


def peer_flows(bond: ql.Bond) -> dict[date, tuple[float, float]]:
    """Interest and principal by date."""
    found: dict[date, list[float]] = {}
    for flow in bond.cashflows():
        entry = found.setdefault(plain_day(flow.date()), [0.0, 0.0])
        entry[0 if ql.as_fixed_rate_coupon(flow) else 1] += flow.amount()
    return {day: (interest, principal) for day, (interest, principal) in found.items()}


def random_tranche(chance: random.Random, kind: Repayment) -> Tranche:
    term = chance.choice([1, 2, 3, 5, 7, 10, 15, 20, 30])
    frequency = chance.choice([1, 1, 2, 2, 2, 4, 12])
    principal = Decimal(
        chance.randrange(100, 50_000)
    )  # 万元; QuantLib counts in doubles, which leave nine decimals of this
    if kind is Repayment.LEVEL_PAYMENT:
        principal /= 10  # its level payment of many months at a low rate loses more of them than ours
    rate = Decimal(chance.randrange(50, 600)) / 10_000
    value_date = date(2015, 1, 1) + timedelta(days=chance.randrange(365 * 15))
    if chance.random() < 0.2:  # the ends of months are where dates go wrong
        value_date = chance.choice(
            [date(2024, 2, 29), date(2025, 8, 31), date(2023, 1, 30), date(2022, 12, 31), date(2020, 2, 28)]
        )
    instalments: tuple[Instalment, ...] = ()
    if kind is Repayment.INSTALMENTS:
        periods = sorted(
            chance.sample(range(1, term * frequency + 1), min(term * frequency, chance.randrange(1, 6)))
        )
        cents = int(principal * 100)
        parts = [cents // len(periods)] * len(periods)
        parts[-1] += cents - sum(parts)
        instalments = tuple(Instalment(p, Decimal(c) / 100) for p, c in zip(periods, parts, strict=True))
        principal = Decimal(cents) / 100
    return Tranche("b", principal, rate, value_date, term, frequency, kind, instalments)


@pytest.mark.parametrize("kind", list(Repayment))
def test_250_random_bonds_of_each_kind_are_those_of_quantlib(kind: Repayment) -> None:
    chance = random.Random(f"bonds {kind}")
    for _number in range(250):
        tranche = random_tranche(chance, kind)
        rows = flows(tranche)
        if kind is Repayment.LEVEL_PAYMENT:
            # Its own level-payment notionals, not ours.
            notionals = list(
                ql.sinkingNotionals(
                    ql.Period(tranche.term_years, ql.Years), TENOR[tranche.frequency], float(tranche.rate), float(tranche.principal)
                )
            )[:-1]  # fmt: skip
        else:
            notionals, left = [], tranche.principal
            for part in planned_principal(tranche):
                notionals.append(float(left))
                left -= part
        bond = peer_bond(tranche, notionals)
        peer = {
            day: entry for day, entry in peer_flows(bond).items() if abs(entry[0]) + abs(entry[1]) > 1e-12
        }
        assert [row.date for row in rows] == list(peer), tranche
        for row in rows:
            interest, principal = peer[row.date]
            assert float(row.interest) == pytest.approx(interest, rel=0, abs=CLOSE), tranche
            assert float(row.principal) == pytest.approx(principal, rel=0, abs=CLOSE), tranche


def test_interest_accrued_on_any_day_is_that_of_quantlib() -> None:
    chance = random.Random(7)
    for _number in range(100):
        tranche = random_tranche(chance, Repayment.BULLET)
        bond = peer_bond(tranche, [float(tranche.principal)])
        for _day in range(10):
            day = tranche.value_date + timedelta(days=chance.randrange(1, 365 * tranche.term_years - 1))
            peer = bond.accruedAmount(quant_day(day)) / 100 * float(tranche.principal)
            # QuantLib gives the interest up to a coupon date on that date, which is paid and so not accrued any more.
            assert float(accrued_interest(tranche, day)) == pytest.approx(peer, rel=1e-12, abs=1e-9), (
                tranche,
                day,
            )


def test_working_days_are_those_of_the_interbank_market() -> None:
    peer, ours = ql.China(ql.China.IB), china()
    day = date(ours.first_year, 1, 1)
    while day.year <= ours.last_year:
        assert ours.is_working(day) == peer.isBusinessDay(quant_day(day)), day
        day += timedelta(days=1)


def test_value_and_payment_days_are_those_of_quantlib() -> None:
    peer, ours = ql.China(ql.China.IB), china()
    for number in range(0, 365 * 6, 3):
        day = date(2020, 1, 1) + timedelta(days=number)
        assert quant_day(ours.on_or_after(day)) == peer.adjust(quant_day(day), ql.Following)
        assert quant_day(ours.after(day)) == peer.advance(quant_day(day), 1, ql.Days)
