"""What an investment returns: before financing, and to the project capital after bonds and loans (pure)."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from itertools import pairwise

from yuanmai.funds.engine.bonds.coverage import Statement
from yuanmai.funds.engine.bonds.returns import irr
from yuanmai.funds.engine.bonds.terms import ZERO, Plan, exact


@dataclass(frozen=True, slots=True)
class Returns:
    """Internal rates of return a year; None where there is none, or where the flows turn more than once and it would mislead."""

    project: Decimal | None
    capital: Decimal | None


def mean_rate(plan: Plan) -> Decimal | None:
    """Return the rate of the tranches, weighted by their principal; None without tranches."""
    whole = sum((tranche.principal for tranche in plan.tranches), ZERO)
    with localcontext(exact()):
        return sum((t.rate * t.principal for t in plan.tranches), ZERO) / whole if whole else None


def returns(found: Statement, building_year: int | None = None) -> Returns:
    """Return the rates of return of a statement's yearly flows; without outlays by year the investment falls in `building_year`."""
    plan = found.plan
    outlays = dict(plan.investment.outlays)
    if not outlays and building_year is not None and plan.investment.total is not None:
        outlays = {building_year: plan.investment.total}
    net = {row.year: row.net_revenue for row in found.rows}
    due = {row.year: row.debt_service for row in found.rows}
    drawn: dict[int, Decimal] = {}
    for tranche in plan.tranches:
        drawn[tranche.value_date.year] = drawn.get(tranche.value_date.year, ZERO) + tranche.principal
    for loan in plan.loans:
        if loan.drawn_on:
            drawn[loan.drawn_on.year] = drawn.get(loan.drawn_on.year, ZERO) + loan.principal
    known = {*outlays, *net}
    if not outlays or not net:
        return Returns(None, None)
    years = range(min(known), max(known) + 1)
    whole = [net.get(year, ZERO) - outlays.get(year, ZERO) for year in years]
    own = [
        flow + drawn.get(year, ZERO) - due.get(year, ZERO) for flow, year in zip(whole, years, strict=True)
    ]
    return Returns(_rate(whole), _rate(own))


def _rate(flows: Sequence[Decimal]) -> Decimal | None:
    """The rate of flows that turn once, from money put in to money taken out."""
    signs = [flow > 0 for flow in flows if flow]
    turns = sum(1 for left, right in pairwise(signs) if left != right)
    return irr(flows) if turns == 1 and not signs[0] else None
