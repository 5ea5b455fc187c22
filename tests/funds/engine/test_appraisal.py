"""Rates of return of a plan: worked cases, and flows for which no rate is said."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from yuanmai.funds.engine.appraisal import mean_rate, returns
from yuanmai.funds.engine.bonds.coverage import statement
from yuanmai.funds.engine.bonds.terms import Investment, Plan, Repayment, Tranche, Year

ZERO = Decimal(0)


def tranche(name: str, principal: int, rate: str, day: date = date(2022, 1, 1), term: int = 1) -> Tranche:
    return Tranche(name, Decimal(principal), Decimal(rate), day, term, 1, Repayment.BULLET)


def plan(
    *tranches: Tranche, years: dict[int, int], outlays: dict[int, int], total: int | None = None
) -> Plan:
    return Plan(
        tranches=tranches,
        years=tuple(Year(year, Decimal(net), ZERO, ZERO) for year, net in years.items()),
        investment=Investment(
            total=None if total is None else Decimal(total),
            outlays={year: Decimal(amount) for year, amount in outlays.items()},
        ),
    )


def test_the_mean_rate_is_weighted() -> None:
    both = plan(tranche("a", 100, "0.02"), tranche("b", 300, "0.04"), years={}, outlays={})
    assert mean_rate(both) == Decimal("0.035")
    assert mean_rate(plan(years={}, outlays={})) is None


def test_one_year_by_hand() -> None:
    """100 are built in 2022, half from a bond at 4 %; 2023 brings 110: 10 % on the whole, (110 − 52) ÷ 50 on the capital."""
    found = returns(statement(plan(tranche("a", 50, "0.04"), years={2023: 110}, outlays={2022: 100})))
    assert found.project is not None and abs(found.project - Decimal("0.10")) < Decimal("1e-12")
    assert found.capital is not None and abs(found.capital - Decimal("0.16")) < Decimal("1e-12")


def test_flows_that_turn_twice_have_no_rate() -> None:
    bond = tranche("a", 50, "0.04", term=3)
    found = returns(statement(plan(bond, years={2023: 60, 2024: 60, 2025: 10}, outlays={2022: 100})))
    assert found.project is not None and found.capital is None  # the bullet takes money out again at the end


def test_the_investment_falls_in_the_building_year_where_nothing_else_is_known() -> None:
    stated = statement(plan(tranche("a", 50, "0.04"), years={2023: 110}, outlays={}, total=100))
    assert returns(stated).project is None
    found = returns(stated, 2022)
    assert found.project is not None and abs(found.project - Decimal("0.10")) < Decimal("1e-12")
