"""The identities a bond project's figures must keep, and the bounds outside which they are suspicious (pure).

Every check that can be made of what is given is made and reported, passed or not; the words stand in `words.py`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from typing import Any

from yuanmai.funds.engine.bonds.coverage import Statement, operation_day
from yuanmai.funds.engine.bonds.horizon import fold_beyond
from yuanmai.funds.engine.bonds.terms import ONE, ZERO, Rules, exact
from yuanmai.projects.engine.checks import ERROR, WARNING

# How far sums may be apart that should be equal, in the unit of the plan.
TOLERANCE = Decimal("1e-6")


@dataclass(frozen=True, slots=True)
class Check:
    """One check: its code, what it looked at (id of a tranche or loan, a year, or nothing), whether it passed, and the numbers."""

    code: str
    subject: str
    passed: bool
    level: str
    params: Mapping[str, Any] = field(default_factory=dict)


def check_plan(found: Statement, rules: Rules) -> list[Check]:
    """Make every check that the plan of a statement allows."""
    with localcontext(exact()):
        return [
            *_principal(found),
            *_terms(found, rules),
            *_investment(found),
            *_construction(found),
            *_income(found, rules),
        ]


def _principal(found: Statement) -> Iterator[Check]:
    for tranche in found.plan.tranches:
        repaid = sum((row.principal for row in found.flows[tranche.id]), ZERO)
        yield _equal("principal_repaid", tranche.id, repaid, tranche.principal)
    for loan in found.plan.loans:
        repaid = sum((row.principal for row in found.loan_flows[loan.id]), ZERO)
        yield _equal("loan_repaid", loan.id, repaid, loan.principal)


def _equal(code: str, subject: str, left: Decimal, right: Decimal) -> Check:
    return Check(code, subject, abs(left - right) <= TOLERANCE, ERROR, {"value": left, "expected": right})


def _terms(found: Statement, rules: Rules) -> Iterator[Check]:
    for tranche in found.plan.tranches:
        yield Check(
            "term_in_use", tranche.id, tranche.term_years in rules.terms, WARNING,
            {"value": tranche.term_years, "allowed": rules.terms},
        )  # fmt: skip


def _investment(found: Statement) -> Iterator[Check]:
    plan = found.plan
    given = plan.investment
    issued = sum((tranche.principal for tranche in plan.tranches), ZERO)
    borrowed = sum((loan.principal for loan in plan.loans), ZERO)
    if given.total is not None and given.capital is not None:
        yield Check(
            "capital_within_estimate", "", given.capital <= given.total + TOLERANCE, ERROR,
            {"value": given.capital, "limit": given.total},
        )  # fmt: skip
        other = borrowed if given.other_debt is None else given.other_debt
        # Bonds used as project capital are in the capital as well as in the bonds; they count once.
        twice = sum(given.bonds_as_capital.values(), ZERO)
        yield _equal("sources_add_up", "", given.capital + issued + other - twice, given.total)
    if given.total is not None:
        yield Check(
            "bonds_within_estimate", "", issued <= given.total + TOLERANCE, ERROR,
            {"value": issued, "limit": given.total},
        )  # fmt: skip
    for year, amount in sorted(given.bonds_as_capital.items()):
        limit = sum((entry.principal for entry in plan.tranches if entry.value_date.year == year), ZERO)
        yield Check(
            "bonds_as_capital_within_issue", str(year), amount <= limit + TOLERANCE, ERROR,
            {"value": amount, "limit": limit},
        )  # fmt: skip


def _construction(found: Statement) -> Iterator[Check]:
    start = operation_day(found.plan)
    if start is None:
        return
    for tranche in found.plan.tranches:
        yield Check(
            "issued_during_construction", tranche.id, tranche.value_date < start, ERROR,
            {"value": tranche.value_date, "limit": start},
        )  # fmt: skip
    given = found.plan.investment
    outlay = sum(given.outlays.values(), ZERO) if given.outlays else given.total
    if outlay is not None:
        yield Check(
            "construction_interest_within_outlay", "", found.construction_interest <= outlay + TOLERANCE, ERROR,
            {"value": found.construction_interest, "limit": outlay},
        )  # fmt: skip


def _income(found: Statement, rules: Rules) -> Iterator[Check]:
    plan, coverage = found.plan, found.coverage
    if not plan.years:
        return
    revenue = sum((year.revenue for year in plan.years), ZERO)
    if revenue:
        share = sum((year.operating_cost for year in plan.years), ZERO) / revenue
        yield Check("cost_share_plausible", "", ZERO < share < ONE, WARNING, {"value": share})
    value = coverage.all_interest.value
    if value is not None:
        lower, upper = rules.coverage_lower, rules.coverage_upper
        yield Check("coverage_at_least", "", value >= lower, ERROR, {"value": value, "limit": lower})
        yield Check("coverage_at_most", "", value <= upper, WARNING, {"value": value, "limit": upper})
    of_all = coverage.all_debt.value
    if plan.loans and of_all is not None:
        limit = rules.all_debt_lower
        yield Check("all_debt_at_least", "", of_all >= limit, ERROR, {"value": of_all, "limit": limit})
    gaps = [row.year for row in found.rows if row.cumulative_balance < 0]
    lowest = min(found.rows, key=lambda row: row.cumulative_balance)
    yield Check(
        "no_gap_year", "", not gaps, WARNING,
        {"years": tuple(gaps), "value": lowest.cumulative_balance, "year": lowest.year, "coverage": value},
    )  # fmt: skip
    counted = sum((row.net_revenue for row in found.rows), ZERO)
    yield Check(
        "income_within_life", "", abs(counted - coverage.all_debt.numerator) <= TOLERANCE, WARNING,
        {"value": counted - coverage.all_debt.numerator},
    )  # fmt: skip
    beyond = fold_beyond(found.rows, rules.horizon).beyond
    yield Check("within_horizon", "", not beyond, WARNING, {"value": beyond, "limit": rules.horizon})
