"""Debt service on a cash basis: what is paid in which year, by tranche, by loan, in all (pure)."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal, localcontext
from typing import NamedTuple

from yuanmai.funds.engine.bonds.schedule import Flow, add_months, flows, repayments
from yuanmai.funds.engine.bonds.terms import ZERO, Loan, Tranche, exact


class Service(NamedTuple):
    """Interest and principal paid in some span of time."""

    interest: Decimal
    principal: Decimal

    @property
    def total(self) -> Decimal:
        """Interest + principal."""
        return self.interest + self.principal


NOTHING = Service(ZERO, ZERO)


class LoanFlow(NamedTuple):
    """Payment number `period` of a loan; `date` and `year` are None where the loan does not lie in time."""

    period: int
    date: date | None
    year: int | None
    interest: Decimal
    principal: Decimal
    outstanding: Decimal


def loan_flows(loan: Loan) -> tuple[LoanFlow, ...]:
    """Return the payments of a loan: interest = outstanding × rate ÷ frequency at the end of each period."""
    with localcontext(exact()):
        rate, outstanding = loan.rate / loan.frequency, loan.principal
        parts = repayments(loan.kind, loan.principal, rate, loan.periods, loan.grace_periods, 1)
        months = 12 // loan.frequency
        rows = []
        for index, part in enumerate(parts):
            day = add_months(loan.drawn_on, months * (index + 1)) if loan.drawn_on else None
            if day:
                year: int | None = day.year
            else:
                year = loan.first_year + index // loan.frequency if loan.first_year else None
            interest = outstanding * rate
            part = outstanding if index == loan.periods - 1 else part
            outstanding -= part
            rows.append(LoanFlow(index + 1, day, year, interest, part, outstanding))
        return tuple(rows)


def by_year(rows: Iterable[Flow]) -> dict[int, Service]:
    """Return what is due in each calendar year, in the order of the years (years without a payment are left out)."""
    years: dict[int, Service] = {}
    current, interest, principal = 0, ZERO, ZERO
    with localcontext(exact()):
        for day, due, part, _left in rows:
            if day.year != current:
                _put(years, current, interest, principal)
                current, interest, principal = day.year, due, part
            else:
                interest += due
                principal += part
        _put(years, current, interest, principal)
    return dict(sorted(years.items()))


def _put(years: dict[int, Service], year: int, interest: Decimal, principal: Decimal) -> None:
    known = years.get(year)
    if known is not None:
        years[year] = Service(known[0] + interest, known[1] + principal)
    elif year:  # 0 is before the first
        years[year] = Service(interest, principal)


def loan_by_year(rows: Iterable[LoanFlow]) -> dict[int, Service]:
    """Return what a loan costs in each year; empty for a loan that does not lie in time."""
    years: dict[int, Service] = {}
    with localcontext(exact()):
        for row in rows:
            if row.year is not None:
                years[row.year] = add(years.get(row.year, NOTHING), Service(row.interest, row.principal))
    return years


def add(left: Service, right: Service) -> Service:
    """Return the sum of two."""
    return Service(left.interest + right.interest, left.principal + right.principal)


def merge(parts: Iterable[Mapping[int, Service]]) -> dict[int, Service]:
    """Return the sum of several services by year, in the order of the years; the order of `parts` does not matter."""
    merged: dict[int, Service] = {}
    with localcontext(exact()):
        for part in parts:
            for year, service in part.items():
                known = merged.get(year)
                merged[year] = (
                    service if known is None else Service(known[0] + service[0], known[1] + service[1])
                )
    return dict(sorted(merged.items()))


def bond_service(tranches: Iterable[Tranche]) -> dict[int, Service]:
    """Return the debt service of several tranches by year."""
    return merge(by_year(flows(tranche)) for tranche in tranches)


def total(years: Mapping[int, Service]) -> Service:
    """Return Σ over all years."""
    with localcontext(exact()):
        return Service(
            sum((service.interest for service in years.values()), ZERO),
            sum((service.principal for service in years.values()), ZERO),
        )
