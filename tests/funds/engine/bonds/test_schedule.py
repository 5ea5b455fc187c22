"""Dates and flows of a tranche: worked cases and what holds for every bond."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal as D  # noqa: N817
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuanmai.funds.engine.bonds.faults import tranche_faults
from yuanmai.funds.engine.bonds.schedule import (
    Flow,
    accrued_interest,
    add_months,
    coupon_dates,
    flows,
    maturity,
    total_interest,
)
from yuanmai.funds.engine.bonds.service import by_year, loan_by_year, loan_flows
from yuanmai.funds.engine.bonds.terms import EarlyRedemption, Instalment, Loan, Repayment, Tranche

TINY = D("1e-30")
BOND = Tranche("b", D(10000), D("0.0253"), date(2024, 6, 19), 10, 2)


def bond(**changes: Any) -> Tranche:
    return replace(BOND, **changes)


def amounts(rows: tuple[Flow, ...]) -> list[tuple[str, D, D]]:
    return [(row.date.isoformat(), row.interest, row.principal) for row in rows]


def test_a_bullet_pays_equal_coupons_and_all_principal_at_the_end() -> None:
    rows = flows(BOND)
    assert {row.interest for row in rows} == {D("126.5")}
    assert [row.principal for row in rows] == [0] * 19 + [10000]
    assert (rows[0].date, rows[-1].date, len(rows)) == (date(2024, 12, 19), date(2034, 6, 19), 20)
    assert total_interest(rows) == 2530
    years = by_year(rows)
    assert years[2024] == (D("126.5"), 0) and years[2025] == (253, 0) and years[2034] == (D("126.5"), 10000)


def test_the_end_of_a_month_is_kept_as_far_as_the_month_has_it() -> None:
    days = coupon_dates(bond(value_date=date(2023, 8, 31), term_years=2))
    assert [day.isoformat() for day in days] == ["2024-02-29", "2024-08-31", "2025-02-28", "2025-08-31"]
    leap = coupon_dates(bond(value_date=date(2024, 2, 29), term_years=5, frequency=1))
    assert [day.isoformat() for day in leap] == [
        "2025-02-28",
        "2026-02-28",
        "2027-02-28",
        "2028-02-29",
        "2029-02-28",
    ]
    assert maturity(bond(value_date=date(2024, 2, 29), term_years=4)) == date(2028, 2, 29)
    assert add_months(date(2024, 12, 31), 2) == date(2025, 2, 28)
    assert add_months(date(2024, 1, 15), 12) == date(2025, 1, 15)


def test_instalments_of_the_last_years_lessen_the_interest() -> None:
    # The usual 15-year bond: interest for ten years, then a fifth each year; half-yearly coupons.
    parts = tuple(Instalment(2 * year, D(2000)) for year in range(11, 16))
    rows = flows(bond(term_years=15, rate=D("0.03"), repayment=Repayment.INSTALMENTS, instalments=parts))
    assert [row.interest for row in rows[:22]] == [150] * 22
    assert [row.interest for row in rows[22:]] == [120, 120, 90, 90, 60, 60, 30, 30]
    assert [row.principal for row in rows[20:]] == [0, 2000] * 5
    # 10,000 for 11 years, then 8,000, 6,000, 4,000, 2,000 for one each
    assert total_interest(rows) == D("0.03") * (10000 * 11 + 8000 + 6000 + 4000 + 2000)


def test_a_bond_repaid_before_its_maturity_has_no_flows_after_that() -> None:
    rows = flows(
        bond(repayment=Repayment.INSTALMENTS, instalments=(Instalment(4, D(4000)), Instalment(6, D(6000))))
    )
    assert len(rows) == 6 and rows[-1].outstanding == 0


def test_equal_principal_falls_by_the_same_amount() -> None:
    rows = flows(bond(term_years=5, frequency=1, rate=D("0.04"), repayment=Repayment.EQUAL_PRINCIPAL))
    assert amounts(rows) == [
        ("2025-06-19", 400, 2000), ("2026-06-19", 320, 2000), ("2027-06-19", 240, 2000), ("2028-06-19", 160, 2000),
        ("2029-06-19", 80, 2000),
    ]  # fmt: skip


def test_equal_principal_once_a_year_after_years_of_grace() -> None:
    rows = flows(bond(term_years=5, repayment=Repayment.EQUAL_PRINCIPAL, principal_every=2, grace_periods=4))
    assert [row.principal for row in rows][:5] == [0] * 5
    assert [round(row.principal, 20) for row in rows][5:] == [
        round(D(10000) / 3, 20), 0, round(D(10000) / 3, 20), 0, round(D(10000) / 3, 20),
    ]  # fmt: skip
    assert rows[-1].outstanding == 0 and sum(row.principal for row in rows) == 10000


def test_a_level_payment_is_the_annuity() -> None:
    rows = flows(bond(term_years=10, frequency=1, rate=D("0.05"), repayment=Repayment.LEVEL_PAYMENT))
    payments = [row.interest + row.principal for row in rows]
    # P·i ÷ (1 − (1 + i)^−n) as a fraction of whole numbers, 1,295.05 in every table of annuities
    annuity = Fraction(500) / (1 - Fraction(20, 21) ** 10)
    assert round(float(annuity), 2) == 1295.05
    assert all(abs(Fraction(payment) - annuity) < Fraction(1, 10**40) for payment in payments)
    assert rows[0].interest == 500


def test_a_level_payment_without_interest_is_a_share() -> None:
    rows = flows(bond(term_years=5, frequency=1, rate=D(0), repayment=Repayment.LEVEL_PAYMENT))
    assert amounts(rows)[-1] == ("2029-06-19", 0, 2000)


def test_all_interest_at_maturity() -> None:
    rows = flows(bond(term_years=3, frequency=0, rate=D("0.03")))
    assert amounts(rows) == [("2027-06-19", 900, 10000)]


def test_early_redemption_on_a_coupon_date() -> None:
    early = (EarlyRedemption(date(2026, 6, 19), D(4000)),)
    rows = flows(bond(term_years=3, rate=D("0.03"), early_redemptions=early))
    assert amounts(rows) == [
        ("2024-12-19", 150, 0), ("2025-06-19", 150, 0), ("2025-12-19", 150, 0), ("2026-06-19", 150, 4000),
        ("2026-12-19", 90, 0), ("2027-06-19", 90, 6000),
    ]  # fmt: skip


def test_early_redemption_between_coupon_dates_pays_the_accrued_interest_of_that_part() -> None:
    # 2026-06-19 … 2026-12-19 are 183 days, 61 of them to 2026-08-19: a third.
    early = (EarlyRedemption(date(2026, 8, 19), D(4000)),)
    rows = flows(bond(term_years=3, rate=D("0.03"), early_redemptions=early))
    assert amounts(rows)[3:] == [
        ("2026-06-19", 150, 0), ("2026-08-19", 20, 4000), ("2026-12-19", 90, 0), ("2027-06-19", 90, 6000),
    ]  # fmt: skip


def test_early_redemption_of_all_ends_the_bond() -> None:
    rows = flows(bond(term_years=3, rate=D("0.03"), early_redemptions=(EarlyRedemption(date(2026, 8, 19)),)))
    assert amounts(rows)[-1] == ("2026-08-19", 50, 10000)
    rows = flows(bond(term_years=3, rate=D("0.03"), early_redemptions=(EarlyRedemption(date(2026, 6, 19)),)))
    assert amounts(rows)[-1] == ("2026-06-19", 150, 10000)


def test_after_an_early_redemption_every_later_repayment_shrinks_in_proportion() -> None:
    half = (EarlyRedemption(date(2025, 6, 19), D(5000)),)
    parts = (Instalment(2, D(2500)), Instalment(3, D(7500)))
    rows = flows(
        bond(
            term_years=3,
            frequency=1,
            repayment=Repayment.INSTALMENTS,
            instalments=parts,
            early_redemptions=half,
        )
    )
    assert [row.principal for row in rows] == [5000, 1250, 3750]
    level = bond(term_years=10, frequency=1, rate=D("0.05"), repayment=Repayment.LEVEL_PAYMENT)
    before = flows(level)
    left = before[3].outstanding
    after = flows(replace(level, early_redemptions=(EarlyRedemption(before[3].date, left / 2),)))
    # The annuity of what is left over the years that are left
    anew = flows(
        bond(principal=left / 2, term_years=6, frequency=1, rate=D("0.05"), repayment=Repayment.LEVEL_PAYMENT)
    )
    assert all(abs(a.principal - b.principal) < TINY for a, b in zip(after[4:], anew, strict=True))


def test_two_early_redemptions_in_one_period_and_on_one_day() -> None:
    early = tuple(
        EarlyRedemption(day, D(1000)) for day in (date(2026, 7, 19), date(2026, 8, 19), date(2026, 8, 19))
    )
    rows = flows(bond(term_years=3, rate=D("0.03"), early_redemptions=early))
    middle = [row for row in rows if row.date in (date(2026, 7, 19), date(2026, 8, 19))]
    assert [row.principal for row in middle] == [1000, 2000]
    assert [row.interest for row in middle] == [D(15) * 30 / 183, D(10)]
    assert rows[-1].principal == 7000


def test_accrued_interest_counts_days_of_the_coupon_period() -> None:
    assert round(accrued_interest(BOND, date(2024, 12, 31)), 6) == D("8.340659")
    assert round(accrued_interest(BOND, date(2028, 2, 29)), 6) == D("49.770492")
    assert accrued_interest(BOND, date(2024, 12, 19)) == 0
    assert accrued_interest(BOND, BOND.value_date) == 0
    assert accrued_interest(BOND, maturity(BOND)) == 0
    early = bond(
        term_years=3, rate=D("0.03"), early_redemptions=(EarlyRedemption(date(2026, 8, 19), D(4000)),)
    )
    assert accrued_interest(early, date(2026, 9, 19)) == D(90) * 92 / 183


def test_a_loan_in_time_and_out_of_time() -> None:
    loan = Loan("l", D(6000), D("0.06"), 24, Repayment.EQUAL_PRINCIPAL, 12, drawn_on=date(2024, 10, 31))
    rows = loan_flows(loan)
    assert rows[0].date == date(2024, 11, 30) and rows[3].date == date(2025, 2, 28)
    assert rows[0].interest == 30 and rows[-1].interest == D("1.25")
    assert loan_by_year(rows)[2024].principal == 500
    dated = loan_flows(Loan("l", D(100), D("0.05"), 4, Repayment.LEVEL_PAYMENT, 2, first_year=2026))
    assert [row.year for row in dated] == [2026, 2026, 2027, 2027]
    assert loan_by_year(loan_flows(Loan("l", D(100), D("0.05"), 2, Repayment.BULLET))) == {}


@st.composite
def tranches(draw: st.DrawFn, name: str = "b") -> Tranche:
    """Any tranche the engine calls possible."""
    kind = draw(st.sampled_from(list(Repayment)))
    term = draw(st.integers(1, 30))
    frequency = draw(st.sampled_from([1, 2, 4, 12, 0]))
    periods = term * frequency if frequency else 1
    principal = draw(st.decimals("0.01", "99999999", places=2))
    first = draw(st.dates(date(1990, 1, 1), date(2040, 12, 31)))
    rate = draw(st.decimals("0", "0.3", places=6))
    instalments: tuple[Instalment, ...] = ()
    if kind is Repayment.INSTALMENTS:
        places = draw(st.lists(st.integers(1, periods), min_size=1, max_size=6, unique=True))
        cents = int(principal * 100)
        part = cents // len(places)
        values = [part] * (len(places) - 1) + [cents - part * (len(places) - 1)]
        instalments = tuple(Instalment(p, D(v) / 100) for p, v in zip(places, values, strict=True))
    grace = (
        draw(st.integers(0, periods - 1))
        if kind in (Repayment.EQUAL_PRINCIPAL, Repayment.LEVEL_PAYMENT)
        else 0
    )
    every = draw(st.sampled_from([1, 2])) if kind is Repayment.EQUAL_PRINCIPAL and periods > 1 else 1
    tranche = Tranche(name, principal, rate, first, term, frequency, kind, instalments, (), grace, every)
    if draw(st.booleans()):
        last = flows(tranche)[-1].date
        day = draw(st.dates(first + timedelta(days=1), last - timedelta(days=1)))
        share = draw(st.sampled_from([D("0.1"), D("0.5"), D("0.99")]))
        left = [row.outstanding for row in flows(tranche) if row.date <= day]
        tranche = replace(
            tranche, early_redemptions=(EarlyRedemption(day, (left[-1] if left else principal) * share),)
        )
    return tranche


@given(tranches())
def test_principal_repaid_is_what_was_issued_and_interest_is_never_negative(tranche: Tranche) -> None:
    if any(entry.principal == 0 for entry in tranche.early_redemptions):
        return  # a redemption of nothing is refused
    assert tranche_faults(tranche, D("0.3")) == []
    rows = flows(tranche)
    assert abs(sum(row.principal for row in rows) - tranche.principal) < D("1e-35")
    assert rows[-1].outstanding == 0
    assert all(row.interest >= 0 and row.principal >= 0 and row.outstanding >= 0 for row in rows)
    assert [row.date for row in rows] == sorted({row.date for row in rows})
    assert tranche.value_date < rows[0].date and rows[-1].date <= maturity(tranche)
    years = by_year(rows)
    assert sum(service.principal for service in years.values()) == pytest.approx(tranche.principal)
    assert abs(sum(service.interest for service in years.values()) - total_interest(rows)) < TINY


@given(
    st.integers(1, 30),
    st.sampled_from([1, 2, 4, 12]),
    st.decimals("1", "1e8", places=2),
    st.decimals("0", "0.3", places=4),
)
def test_level_payments_are_equal(term: int, frequency: int, principal: D, rate: D) -> None:
    rows = flows(
        bond(
            term_years=term,
            frequency=frequency,
            principal=principal,
            rate=rate,
            repayment=Repayment.LEVEL_PAYMENT,
        )
    )
    payments = [row.interest + row.principal for row in rows]
    assert max(payments) - min(payments) < TINY
    loan = loan_flows(Loan("l", principal, rate, term * frequency, Repayment.LEVEL_PAYMENT, frequency))
    assert [row.interest + row.principal for row in loan] == pytest.approx(payments)


@given(tranches(), st.integers(0, 11000))
def test_interest_accrued_is_below_the_next_coupon(tranche: Tranche, days: int) -> None:
    day = tranche.value_date + timedelta(days=days)
    accrued = accrued_interest(tranche, day)
    coming = [row for row in flows(tranche) if row.date > day]
    assert accrued >= 0
    # What is redeemed before its coupon takes its own interest with it.
    assert accrued <= sum(row.interest for row in coming) + TINY
