"""Stress, versions, head-room, rates of return."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal as D  # noqa: N817

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.funds.engine.bonds.test_coverage import FIRST, SECOND, plan, years
from yuanmai.funds.engine.bonds.coverage import statement
from yuanmai.funds.engine.bonds.returns import irr, irr_all, npv, root, xirr, xirr_all, xnpv
from yuanmai.funds.engine.bonds.stress import Factor, break_even, changed, delayed, grid, scenarios, single
from yuanmai.funds.engine.bonds.terms import EarlyRedemption, Instalment, Loan, Plan, Repayment, Tranche, Year
from yuanmai.funds.engine.bonds.versions import Version, compare, head_room, re_estimate, with_actuals

TINY = D("1e-30")
MIXED = plan(
    tranches=(
        FIRST,
        SECOND,
        Tranche("level", D(3000), D("0.035"), date(2024, 5, 31), 5, 2, Repayment.LEVEL_PAYMENT),
        Tranche(
            "parts", D(1000), D("0.02"), date(2024, 1, 1), 3, 1, Repayment.INSTALMENTS, (Instalment(2, D(400)), Instalment(3, D(600))),
            (EarlyRedemption(date(2024, 9, 9), D(100)),),
        ),
    ),
    loans=(Loan("dated", D(500), D("0.05"), 4, Repayment.LEVEL_PAYMENT, first_year=2026), Loan("free", D(90), D("0.05"), 4, Repayment.BULLET)),
)  # fmt: skip
SHARES = st.sampled_from([D(n) / 20 for n in range(-10, 11)])


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(st.sampled_from(list(Factor)), SHARES), st.booleans())
def test_a_scenario_is_the_statement_of_the_changed_plan(scenario: dict[Factor, D], all_debt: bool) -> None:
    outcome = scenarios(MIXED, [scenario], all_debt=all_debt)[0]
    found = statement(changed(MIXED, scenario))
    ratio = found.coverage.all_debt if all_debt else found.coverage.all_interest
    assert outcome.coverage is not None and ratio.value is not None
    assert abs(outcome.coverage - ratio.value) < TINY
    lowest = min(found.rows, key=lambda row: row.cumulative_balance)
    assert abs(outcome.lowest_balance - lowest.cumulative_balance) < TINY
    assert outcome.lowest_year == lowest.year
    assert outcome.gap_years == sum(1 for row in found.rows if row.cumulative_balance < 0)


def test_a_grid_lays_out_both_factors() -> None:
    steps = [D("-0.2"), D(0), D("0.2")]
    found = grid(plan(), Factor.REVENUE, steps, Factor.RATE, [D("0.5"), D(0)])
    assert [[round(entry.coverage or 0, 6) for entry in row] for row in found.outcomes] == [
        [round(D(4500 - 1125) / (3000 + D("1.5") * 390), 6), round(D(4500 - 1125) / 3390, 6)],
        [round(D(4500) / (3000 + D("1.5") * 390), 6), round(D(4500) / 3390, 6)],
        [round(D(4500 + 1125) / (3000 + D("1.5") * 390), 6), round(D(4500 + 1125) / 3390, 6)],
    ]
    assert found.outcomes[1][1] == single(plan(), Factor.RATE, [D(0)])[0]


def test_break_even_is_where_the_coverage_is_one() -> None:
    # 5,625 of revenue less 1,125 of costs meet 3,390: revenue may fall by 1,110.
    # The costs may rise by as much, and so may the interest of 390.
    for factor, exactly in (
        (Factor.REVENUE, -D(1110) / 5625),
        (Factor.OPERATING_COST, D(1110) / 1125),
        (Factor.RATE, D(1110) / 390),
    ):
        found = break_even(plan(), factor)
        assert found is not None and abs(found - exactly) < TINY
    assert break_even(plan(), Factor.TAX) is None
    for factor in (Factor.REVENUE, Factor.RATE, Factor.PRINCIPAL):
        change = break_even(MIXED, factor, D("0.5"), all_debt=True, highest=D(100))
        assert change is not None
        value = statement(changed(MIXED, {factor: change})).coverage.all_debt.value
        assert value is not None and abs(value - D("0.5")) < D("1e-15")


def test_an_opening_that_is_late_costs_the_last_years_of_income() -> None:
    late = statement(delayed(plan(), 1))
    assert late.coverage.all_interest.numerator == 4000  # the 500 of 2029 come after the last payment
    assert [row.net_revenue for row in late.rows] == [0, 0, 500, 1500, 2000, 500]
    assert min(row.cumulative_balance for row in late.rows) == -360


def test_without_income_or_service_there_is_no_coverage() -> None:
    assert scenarios(plan(years=()), [{}])[0].coverage is None
    nothing = scenarios(Plan(()), [{}])[0]
    assert (nothing.coverage, nothing.lowest_year, nothing.gap_years) == (None, None, 0)


def test_issued_rates_leave_head_room() -> None:
    found = re_estimate(plan(), {"first": D("0.02")}, D("1.2"))
    assert found.before.coverage.all_interest.denominator == 3390
    assert found.after.coverage.all_interest.denominator == 3340
    room = found.head_room
    # 4,500 ÷ 1.2 = 3,750 of service; 3,100 are the first tranche and the second's principal; 2,000 × 3 × rate is left
    assert room.holds and room.movable == ("second",) and room.rate == D(650) / 6000
    assert room.income_fall is not None
    assert abs(room.income_fall - (4500 - D("1.2") * 3340) / 5625) < TINY
    at_limit = statement(
        replace(plan(), tranches=(replace(FIRST, rate=D("0.02")), replace(SECOND, rate=room.rate)))
    ).coverage
    assert at_limit.all_interest.value is not None and abs(at_limit.all_interest.value - D("1.2")) < D(
        "1e-15"
    )
    both = re_estimate(plan(), {"first": D("0.02"), "second": D("0.025")}, D("1.2")).head_room
    assert both.movable == ("first", "second")


def test_head_room_that_is_not_there() -> None:
    broken = head_room(plan(), D("1.6"))
    assert (
        not broken.holds and broken.rate is None and broken.income_fall is not None and broken.income_fall < 0
    )
    assert head_room(plan(), D("0.1"), ceiling=D("0.2")).rate is None
    assert head_room(plan(years=()), D("1.1")).income_fall is None
    assert head_room(plan(), D("1.1"), movable=()).rate is None


def test_versions_stand_side_by_side() -> None:
    issued = plan(tranches=(replace(FIRST, rate=D("0.02")), replace(SECOND, value_date=date(2026, 9, 30))))
    operating = with_actuals(issued, [Year(2026, D(400), D(100), D(20)), Year(2031, D(1), D(0), D(0))])
    found = compare({Version.PLAN: plan(), Version.ISSUED: issued, Version.OPERATING: operating})
    lines = {line.year: line for line in found.years}
    assert list(lines) == [*range(2024, 2030), 2031]
    assert lines[2026].net_revenue == {Version.PLAN: 500, Version.ISSUED: 500, Version.OPERATING: 280}
    assert lines[2026].debt_service == {Version.PLAN: 110, Version.ISSUED: 20, Version.OPERATING: 20}
    assert lines[2031].net_revenue == {Version.PLAN: None, Version.ISSUED: None, Version.OPERATING: 1}
    assert found.statements[Version.PLAN].coverage.all_interest.value == D(4500) / 3390


def test_internal_rates_of_return() -> None:
    assert irr([D(-100), D(110)]) == D("0.1")
    # 1,000 for 1,295.0457… over ten years is 5 %
    level = [D(-10000)] + [D(500) / (1 - D("1.05") ** -10)] * 10
    rate = irr(level)
    assert rate is not None and abs(rate - D("0.05")) < D("1e-17")
    assert irr([D(1), D(2)]) is None and irr([]) is None
    # −100 + 230/(1+r) − 132/(1+r)²: 10 % and 20 %; no single rate can be told
    both = irr_all([D(-100), D(230), D(-132)])
    assert [round(found, 12) for found in both] == [D("0.1"), D("0.2")]
    assert irr([D(-100), D(230), D(-132)]) is None
    assert irr([D(-100), D(20)]) is not None and irr([D(-100), D(20)]) == D("-0.8")
    assert npv(D("0.1"), [D(-100), D(110)]) == 0


def test_dated_rates_of_return() -> None:
    amounts = [(date(2023, 1, 1), D(-1000)), (date(2024, 1, 1), D(1080))]
    assert xirr(amounts) is not None and abs((xirr(amounts) or 0) - D("0.08")) < D("1e-15")
    # The example of the spreadsheet function XIRR: 0.373362535
    known = [
        (date(2008, 1, 1), D(-10000)), (date(2008, 3, 1), D(2750)), (date(2008, 10, 30), D(4250)), (date(2009, 2, 15), D(3250)),
        (date(2009, 4, 1), D(2750)),
    ]  # fmt: skip
    rate = xirr(known)
    assert rate is not None and abs(rate - D("0.373362535")) < D("2e-9")
    assert abs(xnpv(rate, known)) < D("1e-10")
    assert xirr_all([(date(2024, 1, 1), D(5))]) == ()


def test_a_root_stays_between_its_bounds() -> None:
    assert root(lambda x: x * x * x - 8, D(0), D(10)) == pytest.approx(D(2), abs=D("1e-17"))
    assert root(lambda x: x, D(0), D(1)) == 0 and root(lambda x: x - 1, D(0), D(1)) == 1
    assert abs(root(lambda x: (x - 1) ** 9, D(0), D(3)) - 1) < D("0.01")  # as flat as a function gets
    with pytest.raises(ValueError, match="sign"):
        root(lambda x: x * x + 1, D(-1), D(1))


def test_years_of_a_plan_may_come_in_any_order() -> None:
    backwards = replace(MIXED, years=years(2024, 0, 0, 500, 1500, 2000, 500)[::-1])
    assert scenarios(backwards, [{}]) == scenarios(MIXED, [{}])
