"""What if: sensitivity of the coverage to one factor, a grid of two, and where it breaks even (pure).

A scenario changes factors by a share of themselves (−0.1: 10 % less). Changed plans go through the same flows and the same sums as
`coverage.statement`; only what a scenario leaves as it was is not computed again.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, localcontext
from enum import StrEnum
from itertools import accumulate
from operator import sub
from typing import NamedTuple

from yuanmai.funds.engine.bonds.coverage import bond_life, debt_life
from yuanmai.funds.engine.bonds.returns import root
from yuanmai.funds.engine.bonds.service import (
    NOTHING,
    Service,
    bond_service,
    loan_by_year,
    loan_flows,
    merge,
    total,
)
from yuanmai.funds.engine.bonds.terms import (
    ONE,
    ZERO,
    EarlyRedemption,
    Instalment,
    Loan,
    Plan,
    Tranche,
    exact,
)


class Factor(StrEnum):
    """What may come out otherwise than planned."""

    REVENUE = "revenue"
    OPERATING_COST = "operating_cost"
    TAX = "tax"
    RATE = "rate"  # the rate of every tranche and loan
    PRINCIPAL = "principal"  # the amount of every tranche and loan


Scenario = Mapping[Factor, Decimal]


class Outcome(NamedTuple):
    """What a scenario comes to: coverage (None where nothing is due), the lowest cumulative balance and its year, the gap years."""

    coverage: Decimal | None
    lowest_balance: Decimal
    lowest_year: int | None
    gap_years: int


@dataclass(frozen=True, slots=True)
class Grid:
    """Two factors changed together: `outcomes[i][j]` belongs to `rows[i]` of `row_factor` and `columns[j]` of `column_factor`."""

    row_factor: Factor
    rows: tuple[Decimal, ...]
    column_factor: Factor
    columns: tuple[Decimal, ...]
    outcomes: tuple[tuple[Outcome, ...], ...]


def changed(plan: Plan, scenario: Scenario) -> Plan:
    """Return the plan as it would be in a scenario."""

    def times(factor: Factor) -> Decimal:
        return ONE + scenario.get(factor, ZERO)

    with localcontext(exact()):
        revenue, cost, tax = times(Factor.REVENUE), times(Factor.OPERATING_COST), times(Factor.TAX)
        years = plan.years
        if not revenue == cost == tax == ONE:
            years = tuple(
                replace(
                    year,
                    revenue=year.revenue * revenue,
                    operating_cost=year.operating_cost * cost,
                    tax=year.tax * tax,
                )
                for year in years
            )
        rate, principal = times(Factor.RATE), times(Factor.PRINCIPAL)
        return replace(
            plan,
            years=years,
            tranches=tuple(_tranche(entry, rate, principal) for entry in plan.tranches),
            loans=tuple(_loan(entry, rate, principal) for entry in plan.loans),
        )


def delayed(plan: Plan, years: int) -> Plan:
    """Return the plan with its income `years` later: the opening is late, and the debt falls due as before."""
    return replace(plan, years=tuple(replace(year, year=year.year + years) for year in plan.years))


def _tranche(tranche: Tranche, rate: Decimal, principal: Decimal) -> Tranche:
    if rate == ONE and principal == ONE:
        return tranche
    return replace(
        tranche,
        rate=tranche.rate * rate,
        principal=tranche.principal * principal,
        instalments=tuple(Instalment(e.period, e.principal * principal) for e in tranche.instalments),
        early_redemptions=tuple(
            EarlyRedemption(e.date, None if e.principal is None else e.principal * principal)
            for e in tranche.early_redemptions
        ),
    )


def _loan(loan: Loan, rate: Decimal, principal: Decimal) -> Loan:
    return replace(loan, rate=loan.rate * rate, principal=loan.principal * principal)


def scenarios(plan: Plan, cases: Sequence[Scenario], *, all_debt: bool = False) -> list[Outcome]:
    """Return the outcome of every case, in their order.

    The coverage is that of all interest of the bonds, or of all debt. The balance counts bonds and the loans that lie in time.
    """
    return _Stress(plan, all_debt=all_debt).run(cases)


def single(
    plan: Plan, factor: Factor, changes: Sequence[Decimal], *, all_debt: bool = False
) -> list[Outcome]:
    """Return the outcomes of changing one factor by each of `changes`."""
    return scenarios(plan, [{factor: change} for change in changes], all_debt=all_debt)


def grid(
    plan: Plan,
    row_factor: Factor,
    rows: Sequence[Decimal],
    column_factor: Factor,
    columns: Sequence[Decimal],
    *,
    all_debt: bool = False,
) -> Grid:
    """Return the outcomes of changing two different factors together."""
    cases = [{row_factor: left, column_factor: right} for left in rows for right in columns]
    found = scenarios(plan, cases, all_debt=all_debt)
    width = len(columns)
    table = tuple(tuple(found[index * width : (index + 1) * width]) for index in range(len(rows)))
    return Grid(row_factor, tuple(rows), column_factor, tuple(columns), table)


def break_even(
    plan: Plan,
    factor: Factor,
    threshold: Decimal = ONE,
    *,
    all_debt: bool = False,
    lowest: Decimal = Decimal(-1),
    highest: Decimal = Decimal(10),
) -> Decimal | None:
    """Return the change of a factor at which the coverage is exactly `threshold`; None where none between the bounds does that.

    −0.2 for revenue reads: the income may fall by 20 %.
    """
    stress = _Stress(plan, all_debt=all_debt)

    def distance(change: Decimal) -> Decimal:
        net, due = stress.sums({factor: change})
        return net - threshold * due

    with localcontext(exact()):
        if (distance(lowest) > 0) == (distance(highest) > 0):
            return None
        return root(distance, lowest, highest)


class _Stress:
    """A plan with what its scenarios share: each distinct income, and each distinct debt service, is computed once."""

    def __init__(self, plan: Plan, *, all_debt: bool) -> None:
        self.plan, self.all_debt = plan, all_debt
        given = {year.year: year for year in plan.years}
        debt = _service(plan, all_debt=all_debt)
        self.numbers = sorted(given.keys() | debt.years.keys())
        entries = [given.get(number) for number in self.numbers]
        self.base = {
            Factor.REVENUE: [entry.revenue if entry else ZERO for entry in entries],
            Factor.OPERATING_COST: [entry.operating_cost if entry else ZERO for entry in entries],
            Factor.TAX: [entry.tax if entry else ZERO for entry in entries],
        }
        self.counted = slice(
            bisect_left(self.numbers, debt.life.start), bisect_left(self.numbers, debt.life.stop)
        )
        self.series: dict[tuple[Factor, Decimal], list[Decimal]] = {}
        self.dues: dict[Decimal, tuple[list[Decimal], Decimal]] = {}

    def run(self, cases: Sequence[Scenario]) -> list[Outcome]:
        """Return the outcome of each case."""
        outcomes = []
        with localcontext(exact()):
            for case in cases:
                nets, (dues, whole) = self.nets(case), self.due(case)
                balances = list(accumulate(map(sub, nets, dues)))
                lowest = min(balances, default=ZERO)
                outcomes.append(
                    Outcome(
                        sum(nets[self.counted], ZERO) / whole if whole and self.plan.years else None,
                        lowest,
                        self.numbers[balances.index(lowest)] if balances else None,
                        sum(1 for balance in balances if balance < 0),
                    )
                )
        return outcomes

    def sums(self, case: Scenario) -> tuple[Decimal, Decimal]:
        """Return numerator and denominator of the coverage in a case."""
        with localcontext(exact()):
            return sum(self.nets(case)[self.counted], ZERO), self.due(case)[1]

    def nets(self, case: Scenario) -> list[Decimal]:
        """Return the net revenue by year in a case."""
        costs = map(sub, self.times(Factor.REVENUE, case), self.times(Factor.OPERATING_COST, case))
        return list(map(sub, costs, self.times(Factor.TAX, case)))

    def times(self, factor: Factor, case: Scenario) -> list[Decimal]:
        """Return a series of the plan changed by the case's share."""
        change = case.get(factor, ZERO)
        if not change:
            return self.base[factor]
        key = (factor, change)
        if key not in self.series:
            by = ONE + change
            self.series[key] = [amount * by for amount in self.base[factor]]
        return self.series[key]

    def due(self, case: Scenario) -> tuple[list[Decimal], Decimal]:
        """Return the debt service by year in a case, and what the coverage divides by."""
        rate = case.get(Factor.RATE, ZERO)
        if rate not in self.dues:
            debt = _service(changed(self.plan, {Factor.RATE: rate}), all_debt=self.all_debt)
            self.dues[rate] = ([debt.years.get(year, NOTHING).total for year in self.numbers], debt.whole)
        dues, whole = self.dues[rate]
        by = ONE + case.get(Factor.PRINCIPAL, ZERO)
        # Twice the principal is twice every payment, whatever the kind of repayment.
        return (dues, whole) if by == ONE else ([due * by for due in dues], whole * by)


class _Debt(NamedTuple):
    years: dict[int, Service]
    whole: Decimal
    life: range


def _service(plan: Plan, *, all_debt: bool) -> _Debt:
    """Return the debt service that balances are made of, and what the coverage asked for divides by."""
    bonds = debt = bond_service(plan.tranches)
    whole = total(bonds).total
    if plan.loans:
        loans = [loan_flows(loan) for loan in plan.loans]
        debt = merge([bonds, *(loan_by_year(rows) for rows in loans)])
        if all_debt:
            with localcontext(exact()):
                whole += sum((row.interest + row.principal for rows in loans for row in rows), ZERO)
    return _Debt(debt, whole, debt_life(plan, debt) if all_debt else bond_life(plan, bonds))
