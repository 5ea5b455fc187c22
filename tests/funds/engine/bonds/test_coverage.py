"""Rows, ratios and checks of a plan, worked by hand; what the order of things must not change."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal as D  # noqa: N817
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.funds.engine.bonds.test_schedule import tranches
from yuanmai.funds.engine.bonds.checks import Check, check_plan
from yuanmai.funds.engine.bonds.coverage import statement
from yuanmai.funds.engine.bonds.faults import plan_faults
from yuanmai.funds.engine.bonds.horizon import fold_beyond
from yuanmai.funds.engine.bonds.terms import (
    Fees,
    Instalment,
    Investment,
    Loan,
    Plan,
    Repayment,
    Rules,
    Tranche,
    Year,
)

RULES = Rules((1, 2, 3, 5, 7, 10, 15, 20, 30), 10, D("0.3"), D("1.1"), D("2.2"), D("1.2"), 30)
FIRST = Tranche("first", D(1000), D("0.03"), date(2024, 3, 1), 5, 1)
SECOND = Tranche("second", D(2000), D("0.04"), date(2025, 9, 30), 3, 2)


def years(first: int, *nets: int) -> tuple[Year, ...]:
    """Years with these net revenues; costs are a fifth of the revenue."""
    return tuple(Year(first + n, D(net) * 5 / 4, D(net) / 4, D(0)) for n, net in enumerate(nets))


def plan(**changes: Any) -> Plan:
    basis = Plan((FIRST, SECOND), years=years(2024, 0, 0, 500, 1500, 2000, 500), operation_start=2026)
    return replace(basis, **changes)


def test_rows_are_what_is_paid_in_the_year() -> None:
    rows = statement(plan()).rows
    #        first   second    principal
    # 2024   –
    # 2025   30
    # 2026   30      40 + 40
    # 2027   30      40 + 40
    # 2028   30      40 + 40   2000
    # 2029   30                1000
    assert [(row.year, row.interest, row.principal) for row in rows] == [
        (2024, 0, 0), (2025, 30, 0), (2026, 110, 0), (2027, 110, 0), (2028, 110, 2000), (2029, 30, 1000),
    ]  # fmt: skip
    assert [row.debt_service for row in rows] == [0, 30, 110, 110, 2110, 1030]
    assert [row.net_revenue for row in rows] == [0, 0, 500, 1500, 2000, 500]
    assert [row.cumulative_balance for row in rows] == [0, -30, 360, 1750, 1640, 1110]
    assert rows[0].year_coverage is None and rows[1].year_coverage == 0
    assert rows[3].year_coverage == D(1500) / 110
    assert (rows[3].revenue, rows[3].operating_cost, rows[3].tax) == (1875, 375, 0)


def test_the_same_income_over_four_denominators() -> None:
    loan = Loan("l", D(600), D("0.05"), 2, Repayment.EQUAL_PRINCIPAL)
    fees = Fees(D("0.0008"), D("0.000064"), D("0.00005"))
    found = statement(plan(loans=(loan,), fees=fees, investment=Investment(D(6000))))
    coverage = found.coverage
    service = 3000 + 390
    assert coverage.all_interest.value == D(4500) / service
    assert coverage.operating_period_interest_only.value == D(4500) / (service - 30)
    assert found.construction_interest == 30
    assert found.fees == D("0.000864") * 3000 + D("0.00005") * service
    assert coverage.with_issue_fees.value == D(4500) / (service + found.fees)
    assert coverage.all_debt.value == D(4500) / (service + 600 + 30 + 15)
    assert coverage.principal.value == D("1.5") and coverage.investment.value == D("0.75")
    # A loan of no date stands in no year.
    assert [row.debt_service for row in found.rows] == [row.bond_service for row in found.rows]


def test_a_loan_in_time_stands_in_the_rows_beside_the_bonds() -> None:
    loan = Loan("l", D(600), D("0.05"), 2, Repayment.EQUAL_PRINCIPAL, first_year=2026)
    rows = {row.year: row for row in statement(plan(loans=(loan,))).rows}
    assert (rows[2026].interest, rows[2026].principal, rows[2026].bond_service) == (140, 300, 110)
    assert rows[2029].cumulative_balance == 1110 - 645


def test_operation_that_starts_within_a_year_counts_from_its_day() -> None:
    coverage = statement(plan(operation_start=date(2026, 3, 31))).coverage
    # Of the construction: 30 in 2025, 30 on 1 March 2026, 40 on 30 March 2026
    assert coverage.operating_period_interest_only.denominator == 3390 - 30 - 30 - 40


def test_without_a_start_of_operation_all_interest_counts() -> None:
    coverage = statement(plan(operation_start=None)).coverage
    assert coverage.operating_period_interest_only == coverage.all_interest


def test_income_outside_the_life_of_the_debt_is_shown_and_not_counted() -> None:
    longer = statement(plan(years=years(2023, 70, 0, 0, 500, 1500, 2000, 500, 900)))
    assert longer.coverage.all_interest.numerator == 4500
    assert [longer.rows[0].year, longer.rows[-1].year] == [2023, 2030]
    assert longer.rows[-1].cumulative_balance == 70 + 1110 + 900
    loan = Loan("l", D(600), D("0.05"), 6, Repayment.BULLET, drawn_on=date(2024, 1, 1))
    of_all = statement(plan(years=years(2023, 70, 0, 0, 500, 1500, 2000, 500, 900), loans=(loan,))).coverage
    assert of_all.all_debt.numerator == 4500 + 900 and of_all.all_interest.numerator == 4500


def test_without_income_the_ratios_are_undefined() -> None:
    found = statement(plan(years=()))
    assert found.coverage.all_interest.value is None and found.coverage.all_interest.denominator == 3390
    assert {row.year_coverage for row in found.rows} == {None}


def test_three_tranches_over_thirty_two_years() -> None:
    parts = tuple(Instalment(2 * year, D(1500)) for year in range(21, 31))
    three = (
        Tranche("a", D(20000), D("0.0253"), date(2024, 6, 19), 30, 2),
        Tranche("b", D(15000), D("0.0231"), date(2025, 3, 31), 30, 2, Repayment.INSTALMENTS, parts),
        Tranche(
            "c", D(10000), D("0.0199"), date(2026, 8, 31), 30, 2, Repayment.EQUAL_PRINCIPAL, (), (), 10, 2
        ),
    )
    found = statement(Plan(three, years=years(2027, *[3000] * 30), operation_start=2027))
    service = found.coverage.all_interest.denominator
    interest_a = D(20000) * D("0.0253") * 30
    interest_b = D("0.0231") * (15000 * 21 + sum(1500 * n for n in range(1, 10)))
    # 400 less each year from the end of the sixth: 25 repayments of 400
    interest_c = D("0.0199") * (10000 * 6 + sum(400 * n for n in range(1, 25)))
    assert abs(service - (45000 + interest_a + interest_b + interest_c)) < D("1e-30")
    assert found.rows[0].year == 2024 and found.rows[-1].year == 2056
    columns = fold_beyond(found.rows, 30)
    assert columns.beyond == 3 and columns.later is not None
    assert sum(row.debt_service for row in columns.rows) + columns.later.debt_service == service
    assert columns.later.cumulative_balance == found.rows[-1].cumulative_balance
    assert fold_beyond(found.rows[:5], 30).later is None and fold_beyond((), 30).rows == ()


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.integers(0, 5), min_size=2, max_size=5).flatmap(
        lambda ns: st.tuples(*(tranches(f"t{i}") for i in range(len(ns))))
    ),
    st.randoms(),
)
def test_the_order_of_tranches_is_irrelevant(some: tuple[Tranche, ...], chance: Any) -> None:
    income = years(1990, *range(100, 200))
    shuffled = list(some)
    chance.shuffle(shuffled)
    one, other = statement(Plan(some, years=income)), statement(Plan(tuple(shuffled), years=income[::-1]))
    for left, right in zip(one.rows, other.rows, strict=True):
        assert left.year == right.year
        assert abs(left.debt_service - right.debt_service) < D("1e-30")
        assert abs(left.cumulative_balance - right.cumulative_balance) < D("1e-30")
    assert one.coverage.all_interest.value == pytest.approx(other.coverage.all_interest.value, abs=D("1e-30"))
    paid = sum(row.principal for row in one.rows)
    assert abs(paid - sum(tranche.principal for tranche in some)) < D("1e-30")


def checks(**changes: Any) -> dict[tuple[str, str], Check]:
    return {(check.code, check.subject): check for check in check_plan(statement(plan(**changes)), RULES)}


def test_a_sound_plan_passes_every_check_but_its_gap_in_construction() -> None:
    found = checks(investment=Investment(D(5000), D(2000)))
    assert [check.code for check in found.values() if not check.passed] == ["no_gap_year"]
    gap = found["no_gap_year", ""]
    assert gap.params["years"] == (2025,) and gap.params["value"] == -30 and gap.params["coverage"] > 1


@pytest.mark.parametrize(
    ("changes", "code", "subject"),
    [
        ({"investment": Investment(D(5000), D(1900))}, "sources_add_up", ""),
        ({"investment": Investment(D(5000), D(5001))}, "capital_within_estimate", ""),
        ({"investment": Investment(D(2999))}, "bonds_within_estimate", ""),
        ({"investment": Investment(D(5000), bonds_as_capital={2024: D(1001)})}, "bonds_as_capital_within_issue", "2024"),
        ({"investment": Investment(D(5000), outlays={2024: D(20), 2025: D(9)})}, "construction_interest_within_outlay", ""),
        ({"operation_start": 2025}, "issued_during_construction", "second"),
        ({"tranches": (FIRST, replace(SECOND, term_years=4))}, "term_in_use", "second"),
        ({"years": years(2024, 0, 0, 500, 1000, 1000, 500)}, "coverage_at_least", ""),
        ({"years": years(2024, 0, 0, 500, 5000, 2000, 500)}, "coverage_at_most", ""),
        ({"years": (Year(2026, D(5000), D(0), D(0)),)}, "cost_share_plausible", ""),
        ({"years": (Year(2026, D(5000), D(6000), D(0)),)}, "cost_share_plausible", ""),
        ({"loans": (Loan("l", D(2000), D("0.05"), 9, Repayment.BULLET),)}, "all_debt_at_least", ""),
        ({"years": years(2024, 0, 0, 500, 1500, 2000, 500, 9)}, "income_within_life", ""),
        ({"tranches": (replace(FIRST, term_years=30),)}, "within_horizon", ""),
    ],
)  # fmt: skip
def test_each_check_fails_where_it_should(changes: dict[str, Any], code: str, subject: str) -> None:
    assert not checks(**changes)[code, subject].passed


def test_bonds_used_as_capital_count_once() -> None:
    given_capital = Investment(D(5000), D(2500), bonds_as_capital={2024: D(500)})
    assert checks(investment=given_capital)["sources_add_up", ""].passed
    assert checks(investment=replace(given_capital, other_debt=D(1)))["sources_add_up", ""].passed is False


def test_what_only_the_whole_shows_is_a_fault() -> None:
    assert plan_faults(plan(loans=(Loan("l", D(5), D("0.05"), 2, Repayment.BULLET),)), D("0.3")) == []
    twice = plan(
        tranches=(FIRST, SECOND, replace(FIRST, rate=D("0.4"))), years=(*years(2024, 1, 2), *years(2025, 3))
    )
    assert [(fault.path, fault.rule) for fault in plan_faults(twice, D("0.3"))] == [
        ("tranches[2].id", "duplicate_id"), ("tranches[2].rate", "rate_too_high"), ("years[2].year", "duplicate_year"),
    ]  # fmt: skip
