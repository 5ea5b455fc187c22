"""One project's bonds as planned, as issued and as they run, side by side; the head-room that is left (pure)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, localcontext
from enum import StrEnum

from yuanmai.funds.engine.bonds.coverage import Ratio, Statement, statement
from yuanmai.funds.engine.bonds.returns import root
from yuanmai.funds.engine.bonds.stress import Factor, break_even
from yuanmai.funds.engine.bonds.terms import ONE, ZERO, Plan, Year, exact


class Version(StrEnum):
    """Which state of knowledge a plan speaks of."""

    PLAN = "plan"  # the offering file: planned rates and dates
    ISSUED = "issued"  # issued tranches with their rates and dates, the rest as planned
    OPERATING = "operating"  # and what has been earned and spent so far in place of the forecast


@dataclass(frozen=True, slots=True)
class YearLine:
    """One year of one version beside the others; None where the version has no such year."""

    year: int
    net_revenue: Mapping[Version, Decimal | None]
    debt_service: Mapping[Version, Decimal | None]
    year_coverage: Mapping[Version, Decimal | None]
    cumulative_balance: Mapping[Version, Decimal | None]


@dataclass(frozen=True, slots=True)
class Comparison:
    """The versions side by side: each one's statement, and every year of any of them."""

    statements: Mapping[Version, Statement]
    years: tuple[YearLine, ...]


@dataclass(frozen=True, slots=True)
class HeadRoom:
    """What may still happen before a coverage falls below `threshold`.

    `rate`: the greatest rate that the tranches `movable` may be issued at (the same for all of them); None where no rate up to
    `ceiling` breaks the threshold, or where it is broken even at 0 % (`holds` tells which).
    `income_fall`: the share by which revenue may fall, costs staying (negative: it must rise by so much); None without revenue.
    """

    threshold: Decimal
    coverage: Decimal | None
    holds: bool
    movable: tuple[str, ...]
    rate: Decimal | None
    ceiling: Decimal
    income_fall: Decimal | None


@dataclass(frozen=True, slots=True)
class ReEstimate:
    """A plan before and after tranches were issued at other rates, with the head-room that is left."""

    before: Statement
    after: Statement
    head_room: HeadRoom


def with_rates(plan: Plan, rates: Mapping[str, Decimal]) -> Plan:
    """Return the plan with tranches (by id) at other rates."""
    return replace(
        plan,
        tranches=tuple(replace(entry, rate=rates.get(entry.id, entry.rate)) for entry in plan.tranches),
    )


def with_actuals(plan: Plan, actuals: Sequence[Year]) -> Plan:
    """Return the plan with what was earned and spent in some years in place of the forecast."""
    known = {year.year: year for year in (*plan.years, *actuals)}
    return replace(plan, years=tuple(known[year] for year in sorted(known)))


def compare(plans: Mapping[Version, Plan]) -> Comparison:
    """Compute every version and lay them side by side, year by year."""
    statements = {version: statement(plan) for version, plan in plans.items()}
    rows = {version: {row.year: row for row in entry.rows} for version, entry in statements.items()}
    lines = []
    for year in sorted({row.year for entry in statements.values() for row in entry.rows}):
        found = {version: entry.get(year) for version, entry in rows.items()}
        lines.append(
            YearLine(
                year,
                {version: row.net_revenue if row else None for version, row in found.items()},
                {version: row.debt_service if row else None for version, row in found.items()},
                {version: row.year_coverage if row else None for version, row in found.items()},
                {version: row.cumulative_balance if row else None for version, row in found.items()},
            )
        )
    return Comparison(statements, tuple(lines))


def _ratio(found: Statement, *, all_debt: bool) -> Ratio:
    return found.coverage.all_debt if all_debt else found.coverage.all_interest


def head_room(
    plan: Plan,
    threshold: Decimal,
    *,
    movable: Sequence[str] | None = None,
    all_debt: bool = False,
    ceiling: Decimal = ONE,
) -> HeadRoom:
    """Return how far rates and income may move while the coverage stays at or above `threshold`.

    `movable` are the ids of the tranches whose rate is still open; all of them unless said.
    """
    names = tuple(movable) if movable is not None else tuple(entry.id for entry in plan.tranches)
    now = _ratio(statement(plan), all_debt=all_debt).value

    def distance(rate: Decimal) -> Decimal:
        found = _ratio(statement(with_rates(plan, dict.fromkeys(names, rate))), all_debt=all_debt)
        return found.numerator - threshold * found.denominator

    with localcontext(exact()):
        greatest = None
        if names and plan.years and distance(ZERO) >= 0 and distance(ceiling) < 0:
            greatest = root(distance, ZERO, ceiling)
        change = break_even(plan, Factor.REVENUE, threshold, all_debt=all_debt, highest=Decimal(10_000))
        return HeadRoom(
            threshold, now, now is not None and now >= threshold, names, greatest, ceiling,
            None if change is None else -change,
        )  # fmt: skip


def re_estimate(
    plan: Plan, issued_rates: Mapping[str, Decimal], threshold: Decimal, *, all_debt: bool = False
) -> ReEstimate:
    """Compute a plan again at the issued rates; the head-room in rate is that of the tranches not yet issued, all if none is left."""
    after = with_rates(plan, issued_rates)
    open_ones = [entry.id for entry in plan.tranches if entry.id not in issued_rates]
    return ReEstimate(
        statement(plan),
        statement(after),
        head_room(after, threshold, movable=open_ones or None, all_debt=all_debt),
    )
