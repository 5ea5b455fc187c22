"""The repayment calendar: payment days, what to set aside, gaps although the total covers."""

from datetime import date
from decimal import Decimal
from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yuanmai.common.working_days import china
from yuanmai.funds.engine import calendar
from yuanmai.funds.engine.bonds.coverage import statement
from yuanmai.funds.engine.bonds.terms import Loan, Plan, Repayment, Tranche, Year

D = Decimal


def bullet(principal="1000", term=3, frequency=1, rate="0.03", value_date=date(2021, 5, 1), **more):
    """A bullet bond."""
    return Tranche("b", D(principal), D(rate), value_date, term, frequency, **more)


def plan(*nets, first=2022, tranches=None, start=None, **more):
    """A plan of these net incomes from a year on."""
    years = tuple(Year(first + n, D(net), D(0), D(0)) for n, net in enumerate(nets))
    return statement(Plan(tranches or (bullet(),), years=years, operation_start=start, **more))


def test_a_payment_due_on_a_holiday_is_made_on_the_next_working_day():
    rows = calendar.dues(plan(0, 0, 0), china())
    assert [(row.due_on, row.payment_day) for row in rows] == [
        (date(2022, 5, 1), date(2022, 5, 5)),  # Labour Day of 2022: 30 April to 4 May
        (date(2023, 5, 1), date(2023, 5, 4)),
        (date(2024, 5, 1), date(2024, 5, 6)),
    ]
    assert [(row.interest, row.principal, row.amount) for row in rows] == [
        (30, 0, 30),
        (30, 0, 30),
        (30, 1000, 1030),
    ]


def test_payments_are_whole_cents_that_add_up():
    rows = calendar.dues(plan(0, tranches=(bullet("100", 3, 2, "0.0333"),)), china())
    assert [row.interest for row in rows] == [
        D("1.66"),
        D("1.67"),
        D("1.66"),
        D("1.67"),
        D("1.66"),
        D("1.67"),
    ]


def test_loans_that_lie_in_time_stand_in_the_calendar():
    loan = Loan("l", D(200), D("0.05"), 2, Repayment.EQUAL_PRINCIPAL, drawn_on=date(2021, 3, 15))
    rows = calendar.dues(plan(0, 0, loans=(loan,)), china())
    assert [(row.bond, row.payment_day, row.amount) for row in rows][:2] == [
        ("l", date(2022, 3, 15), D(110)),
        ("b", date(2022, 5, 5), D(30)),
    ]


def test_enough_income_every_year_is_set_aside_evenly():
    found = calendar.calendar(plan(500, 500, 500), china(), None)
    assert round(found.coverage, 6) == D("1.376147")
    assert not found.gap_years
    assert not found.hidden
    assert sum(row.set_aside for row in found.months) == 1090
    assert all(row.bridged == 0 for row in found.months)
    # From January 2022 to the end of April 2024 are 28 months, and 1,090 ÷ 28 = 38.93 a month reaches every payment in time.
    assert {row.set_aside for row in found.months[:28]} == {D("38.93"), D("38.92")}
    assert [row.set_aside for row in found.months[28:]] == [0]
    assert found.months[-1].reserve == 0


def test_income_that_comes_too_late_is_a_gap_although_the_total_covers():
    found = calendar.calendar(plan(0, 0, 100, 1300, tranches=(bullet(term=3),)), china(), None)
    assert found.coverage is not None
    assert found.coverage < 1  # income after the last payment does not count
    early = calendar.calendar(plan(0, 10, 1300, tranches=(bullet(term=3),)), china(), None)
    assert early.coverage > 1
    assert early.hidden
    assert early.gap_years == (2022, 2023)
    assert early.years[1].balance == D(-50)
    bridged = {row.month: row.bridged for row in early.months if row.bridged}
    assert list(bridged) == [
        (2022, 4),
        (2023, 4),
        (2024, 4),
    ]  # ready at the end of the month before each payment in May
    assert bridged[2022, 4] == 30
    assert all(row.reserve >= 0 for row in early.months)


def test_income_begins_in_the_month_of_operation():
    income = calendar.monthly_income({2023: D(100), 2024: D(120)}, date(2023, 11, 20))
    assert income[2023, 11] == income[2023, 12] == 50
    assert (2023, 10) not in income
    assert [income[2024, month] for month in range(1, 13)] == [10] * 12


def test_a_loss_is_covered_like_a_payment():
    rows = calendar.plan_months({(2022, 1): D(100), (2022, 2): D(-40)}, {(2022, 3): D(60)})
    assert [row.set_aside for row in rows] == [D(50), D(50), D(0)]
    assert [row.reserve for row in rows] == [D(50), D(60), D(0)]
    assert sum(row.bridged for row in rows) == 0
    first = calendar.plan_months({(2022, 1): D(-40), (2022, 2): D(60)}, {(2022, 3): D(60)})
    assert [(row.month, row.bridged) for row in first if row.bridged] == [((2021, 12), D(40))]


def test_nothing_due_needs_no_plan():
    assert calendar.plan_months({(2022, 1): D(100)}, {}) == ()


def test_the_calendars_of_several_projects_are_added_not_netted():
    rich = calendar.calendar(plan(900, 900, 900), china(), None)
    poor = calendar.calendar(plan(0, 0, 0), china(), None)
    both = calendar.together([rich, poor])
    assert sum(row.bridged for row in both) == 1090
    assert sum(row.due for row in both) == 2180
    assert both[0].month == (2022, 1)


amounts = st.integers(-(10**7), 10**8).map(lambda n: D(n) / 100)


@given(
    st.lists(amounts, max_size=12),
    st.dictionaries(
        st.integers(1, 14), st.integers(1, 10**8).map(lambda n: D(n) / 100), min_size=1, max_size=8
    ),
    st.integers(0, 5),
)
@settings(max_examples=400, deadline=None)
def test_every_payment_is_covered_by_the_least_possible_largest_month(nets, dues_, late):
    index = {n: (2020 + (n - 1) // 12, (n - 1) % 12 + 1) for n in range(1, 30)}
    income = {index[n + 1 + late]: net for n, net in enumerate(nets)}
    due = {index[n]: amount for n, amount in dues_.items()}
    rows = calendar.plan_months(income, due)
    paid = kept = given_ = used = earned = D(0)
    before = D(0)
    for row in rows:
        loss = max(-row.income, D(0))
        assert before >= row.due + loss  # it lay ready at the end of the month before
        assert row.set_aside >= 0
        assert row.bridged >= 0
        paid += row.due
        used += loss
        earned += max(row.income, D(0))
        kept += row.set_aside
        given_ += row.bridged
        assert kept <= earned  # only what was earned is set aside
        assert row.reserve == kept + given_ - paid - used
        assert row.set_aside == row.set_aside.quantize(D("0.01"))
        before = row.reserve
    assert paid == sum(due.values())
    assert rows[-1].reserve == 0
    # Elsewhere pays no more than what the books force: the deepest shortfall.
    needs = [row.due + max(-row.income, D(0)) for row in rows]
    wanted = list(accumulate([*needs[1:], D(0)]))
    had = list(accumulate(max(row.income, D(0)) for row in rows))
    assert given_ == max(0, *(w - h for w, h in zip(wanted, had, strict=True)))
    # Nobody can do with a smaller largest month.
    bridge = list(accumulate((max(w - h, D(0)) for w, h in zip(wanted, had, strict=True)), max))
    top = max(row.set_aside + row.bridged for row in rows) - D("0.02")
    level, possible = D(0), True
    for w, h, b in zip(wanted, had, bridge, strict=True):
        level = min(level + top, h + b, wanted[-1])
        possible = possible and level >= w
    assert not possible or top < 0


@pytest.mark.parametrize("net", ["0", "50", "400"])
def test_years_are_those_of_the_coverage_table(net):
    found = plan(net, net, net)
    rows = calendar.calendar(found, china(), None).years
    assert [(row.year, row.income, row.due, row.balance, row.gap) for row in rows] == [
        (row.year, row.net_revenue, row.debt_service, row.cumulative_balance, row.cumulative_balance < 0)
        for row in found.rows
    ]
