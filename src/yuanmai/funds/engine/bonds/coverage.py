"""Debt-service coverage: the rows by year and the ratios in every denominator met in practice (pure).

coverage = Σ income available for debt service ÷ Σ (principal + interest) over the life of the debt: from the year of the first value
date to the year of the last payment. Income of years outside that life stands in the rows and is not counted in the ratios.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext
from itertools import takewhile
from typing import NamedTuple

from yuanmai.funds.engine.bonds.schedule import Flow, flows
from yuanmai.funds.engine.bonds.service import (
    NOTHING,
    LoanFlow,
    Service,
    by_year,
    loan_by_year,
    loan_flows,
    merge,
    total,
)
from yuanmai.funds.engine.bonds.terms import ZERO, Plan, exact


class Row(NamedTuple):
    """One year of the coverage table.

    `interest`, `principal` and `debt_service` are of the bonds and of the loans that lie in time; `bond_service` of the bonds alone.
    `year_coverage` is None where nothing is due, or no year's income is known. `cumulative_balance` is Σ (net revenue − debt service) up to the year.
    """

    year: int
    revenue: Decimal
    operating_cost: Decimal
    tax: Decimal
    net_revenue: Decimal
    interest: Decimal
    principal: Decimal
    debt_service: Decimal
    bond_service: Decimal
    year_coverage: Decimal | None
    cumulative_balance: Decimal


@dataclass(frozen=True, slots=True)
class Ratio:
    """A ratio with what it is made of; `value` is None where the denominator is 0 or the income unknown."""

    numerator: Decimal
    denominator: Decimal
    value: Decimal | None


@dataclass(frozen=True, slots=True)
class Coverage:
    """The same income over each denominator.

    `all_interest`: principal and all interest of the bonds; the default. `operating_period_interest_only`: interest paid before
    operation starts left out (all counts where nobody has said when it starts). `with_issue_fees`: plus fees of issue,
    registration and redemption. `all_debt`: bonds and loans. `principal`, `investment`: over the bonds' principal, over the
    total investment.
    """

    all_interest: Ratio
    operating_period_interest_only: Ratio
    with_issue_fees: Ratio
    all_debt: Ratio
    principal: Ratio
    investment: Ratio


@dataclass(frozen=True, slots=True)
class Statement:
    """Everything that follows from a plan."""

    plan: Plan
    flows: Mapping[str, tuple[Flow, ...]]  # by id of the tranche
    by_year: Mapping[str, Mapping[int, Service]]
    loan_flows: Mapping[str, tuple[LoanFlow, ...]]  # by id of the loan
    bonds: Mapping[int, Service]  # all tranches
    debt: Mapping[int, Service]  # all tranches and the loans that lie in time
    fees: Decimal
    construction_interest: Decimal  # bond interest paid before operation starts
    rows: tuple[Row, ...]
    coverage: Coverage


def ratio(numerator: Decimal, denominator: Decimal) -> Ratio:
    """Return numerator ÷ denominator, undefined where the denominator is 0."""
    with localcontext(exact()):
        return Ratio(numerator, denominator, numerator / denominator if denominator else None)


def operation_day(plan: Plan) -> date | None:
    """Return the first day of operation, None where nobody has said."""
    start = plan.operation_start
    return date(start, 1, 1) if isinstance(start, int) else start


def statement(plan: Plan) -> Statement:
    """Compute flows, yearly service, rows and coverage of a valid plan. The order of tranches, loans and years is irrelevant."""
    with localcontext(exact()):
        tranche_flows = {tranche.id: flows(tranche) for tranche in plan.tranches}
        yearly = {key: by_year(rows) for key, rows in tranche_flows.items()}
        loans = {loan.id: loan_flows(loan) for loan in plan.loans}
        bonds = merge(yearly.values())
        debt = merge([bonds, *(loan_by_year(rows) for rows in loans.values())]) if loans else bonds
        start = operation_day(plan)
        before = ZERO
        if start:
            for rows in tranche_flows.values():
                before += sum((row.interest for row in takewhile(lambda row: row.date < start, rows)), ZERO)
        service = total(bonds)
        fees = _fees(plan, service)
        return Statement(
            plan, tranche_flows, yearly, loans, bonds, debt, fees, before,
            table(plan, bonds, debt),
            _coverage(plan, bonds, debt, loans, service, fees, before),
        )  # fmt: skip


def table(plan: Plan, bonds: Mapping[int, Service], debt: Mapping[int, Service]) -> tuple[Row, ...]:
    """Return a row for every year that has income or debt service."""
    given = {year.year: year for year in plan.years}
    rows = []
    balance = ZERO
    with localcontext(exact()):
        for number in sorted(given.keys() | debt.keys()):
            year = given.get(number)
            revenue, cost, tax = (year.revenue, year.operating_cost, year.tax) if year else (ZERO, ZERO, ZERO)
            net = revenue - cost - tax
            interest, principal = debt.get(number, NOTHING)
            due = interest + principal
            balance += net - due
            bond = due if debt is bonds else bonds.get(number, NOTHING).total
            rows.append(
                Row(
                    number, revenue, cost, tax, net, interest, principal, due, bond,
                    net / due if due and given else None,
                    balance,
                )
            )  # fmt: skip
    return tuple(rows)


def bond_life(plan: Plan, bonds: Mapping[int, Service]) -> range:
    """Return the years from the first value date to the last payment of the bonds."""
    return _life([tranche.value_date.year for tranche in plan.tranches], bonds)


def debt_life(plan: Plan, debt: Mapping[int, Service]) -> range:
    """Return the years from the first money to the last payment of bonds and loans; loans that lie in no year add none."""
    drawn = [loan.drawn_on.year for loan in plan.loans if loan.drawn_on]
    return _life([*drawn, *(tranche.value_date.year for tranche in plan.tranches)], debt)


def _life(first: Sequence[int], service: Mapping[int, Service]) -> range:
    known = [*first, *service]
    return range(min(known), max(known) + 1) if known else range(0)


def income(plan: Plan, years: range) -> Decimal:
    """Return Σ net revenue of the years of `years`."""
    with localcontext(exact()):
        return sum((year.net_revenue for year in plan.years if year.year in years), ZERO)


def _fees(plan: Plan, service: Service) -> Decimal:
    fees = plan.fees
    issued = sum((tranche.principal for tranche in plan.tranches), ZERO)
    return (fees.issue + fees.registration) * issued + fees.redemption * service.total


def _coverage(
    plan: Plan,
    bonds: Mapping[int, Service],
    debt: Mapping[int, Service],
    loans: Mapping[str, tuple[LoanFlow, ...]],
    service: Service,
    fees: Decimal,
    before: Decimal,
) -> Coverage:
    net = income(plan, bond_life(plan, bonds))
    net_of_all = income(plan, debt_life(plan, debt)) if loans else net
    borrowed = sum((row.interest + row.principal for rows in loans.values() for row in rows), ZERO)

    def over(income: Decimal, due: Decimal) -> Ratio:
        # Nobody has said what the project earns: that is not the same as nothing.
        return ratio(income, due) if plan.years else Ratio(ZERO, due, None)

    return Coverage(
        all_interest=over(net, service.total),
        operating_period_interest_only=over(net, service.total - before),
        with_issue_fees=over(net, service.total + fees),
        all_debt=over(net_of_all, service.total + borrowed),
        principal=over(net, service.principal),
        investment=over(net, plan.investment.total or ZERO),
    )
