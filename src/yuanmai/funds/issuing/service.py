"""From the tables to the bond engine: the plan of a reserve project in each of its versions, and what follows from it.

The engine computes; this module only asks the database and says what its rows mean. Everything is set-based: as many queries for a
thousand reserve projects as for one.

Versions (`PlanYear.Version`): *plan* is the offering file, with the planned rate; *issued* has the tranches that were issued, with
their rates and dates, and what is not issued yet as planned; *operating* has what was earned and spent in place of the forecast.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal, localcontext

from django.db.models import Q

from yuanmai.core.figures import Query
from yuanmai.funds.engine.bonds import terms
from yuanmai.funds.engine.bonds.coverage import Statement, statement
from yuanmai.funds.engine.bonds.terms import exact
from yuanmai.funds.issuing.queries import Share, tranches_of
from yuanmai.funds.models import PlanYear, Repayment, Reserve, ReserveLoan, Tranche
from yuanmai.funds.queries import ZERO
from yuanmai.funds.reserve.rules import Rules, rules_of
from yuanmai.projects.models import Project

PLAN, ISSUED, OPERATING = PlanYear.Version.PLAN, PlanYear.Version.ISSUED, PlanYear.Version.OPERATING
# The day in its year on which an issue that is only planned is taken to happen.
PLANNED_MONTH, PLANNED_DAY = 7, 1
PLANNED = "plan-"  # the ids of tranches that are only planned begin so


def engine_tranche(share: Share) -> terms.Tranche:
    """Return a project's part of an issued tranche as the engine takes it; its id is the tranche's code."""
    tranche = share.tranche
    return engine_terms(tranche, share.amount, share.redemptions)


def engine_terms(
    tranche: Tranche, principal: Decimal, redemptions: Iterable[tuple[date, Decimal]] = ()
) -> terms.Tranche:
    """Return `principal` yuan of a tranche as the engine takes it (the whole tranche: its own amount).

    Its instalments, stored as (year of the term, share of the principal), fall on the last coupon date of that year; the last one
    takes what is left to the principal.
    """
    return terms.Tranche(
        id=tranche.code,
        principal=principal,
        rate=tranche.rate,
        value_date=tranche.value_date,
        term_years=tranche.term_years,
        frequency=tranche.frequency,
        repayment=terms.Repayment(tranche.repayment),
        instalments=instalments(tranche.instalments, principal, tranche.frequency)
        if tranche.repayment == Repayment.INSTALMENTS
        else (),
        early_redemptions=tuple(terms.EarlyRedemption(day, amount) for day, amount in redemptions),
    )


def instalments(
    rows: Sequence[Mapping[str, object]], principal: Decimal, frequency: int
) -> tuple[terms.Instalment, ...]:
    """Return stored instalments (`year` of the term, `share`) of `principal`; the last one takes what is left."""
    parts: list[terms.Instalment] = []
    left = principal
    ordered = sorted(rows, key=lambda row: int(str(row["year"])))
    with localcontext(exact()):
        for index, row in enumerate(ordered):
            part = left if index == len(ordered) - 1 else principal * Decimal(str(row["share"]))
            left -= part
            parts.append(terms.Instalment(int(str(row["year"])) * frequency, part))
    return tuple(parts)


def issued_tranches(project: Project, query: Query) -> tuple[terms.Tranche, ...]:
    """Return what was allotted to a project as the engine takes it: one tranche for each issue, of the project's part."""
    return issued_of(query, [project.pk]).get(project.pk, ())


def issued_of(query: Query, project_ids: Iterable[int] | None = None) -> dict[int, tuple[terms.Tranche, ...]]:
    """Return the issued tranches of several projects as the engine takes them; three queries."""
    parts = tranches_of(query, project_ids)
    return {
        project_id: tuple(engine_tranche(share) for share in shares) for project_id, shares in parts.items()
    }


def plan_of(reserve: Reserve, version: str, query: Query) -> terms.Plan:
    """Return the plan of one reserve project in a version (`PlanYear.Version`), as of a query."""
    return plans_of([reserve], version, query)[reserve.pk]


def statement_of(reserve: Reserve, version: str, query: Query) -> Statement:
    """Return flows, yearly service, rows and coverage of one reserve project in a version."""
    return statement(plan_of(reserve, version, query))


def statements_of(reserves: Iterable[Reserve], version: str, query: Query) -> dict[int, Statement]:
    """Return the statements of several reserve projects, by id of the reserve project."""
    return {pk: statement(plan) for pk, plan in plans_of(reserves, version, query).items()}


def plans_of(reserves: Iterable[Reserve], version: str, query: Query) -> dict[int, terms.Plan]:
    """Return the plans of several reserve projects in a version, by id of the reserve project; eight queries at most.

    What is issued is charged its own fees, what is still planned those that the rules of its place name.
    """
    rows = list(reserves)
    ids = [row.pk for row in rows]
    years: dict[tuple[int, str], list[PlanYear]] = defaultdict(list)
    for year in PlanYear.objects.filter(reserve_id__in=ids).order_by("year"):
        years[year.reserve_id, year.version].append(year)
    loans: dict[int, list[ReserveLoan]] = defaultdict(list)
    for loan in _loans(ids, query):
        loans[loan.reserve_id].append(loan)
    shares = {} if version == PLAN else tranches_of(query, [row.project_id for row in rows])
    rules = rules_of({row.org_id for row in rows}, query.as_of, query.known_at)
    return {
        row.pk: _plan(
            row,
            {code: years[row.pk, code] for code in PlanYear.Version.values},
            version,
            shares.get(row.project_id, []),
            loans[row.pk],
            rules[row.org_id],
        )
        for row in rows
    }


def _loans(ids: list[int], query: Query) -> Iterable[ReserveLoan]:
    rows = ReserveLoan.objects.filter(reserve_id__in=ids).order_by("drawn_on", "id")
    if query.known_at is None:
        return rows.filter(retired_at=None)
    return rows.filter(Q(retired_at=None) | Q(retired_at__gt=query.known_at))


def _plan(
    reserve: Reserve,
    years: Mapping[str, list[PlanYear]],
    version: str,
    shares: list[Share],
    loans: list[ReserveLoan],
    rules: Rules,
) -> terms.Plan:
    # A version that nobody has entered stands on the one before it.
    financing = years[version] or years[ISSUED if version == OPERATING else PLAN] or years[PLAN]
    planned = _planned(reserve, years[PLAN], sum((share.amount for share in shares), ZERO))
    return terms.Plan(
        tranches=(*(engine_tranche(share) for share in shares), *planned),
        loans=tuple(_loan(loan) for loan in loans),
        years=_income(years, version),
        fees=_fees(shares, planned, rules),
        operation_start=operation_start(reserve),
        investment=terms.Investment(
            total=reserve.total_investment,
            capital=reserve.capital,
            other_debt=reserve.other_debt,
            outlays={row.year: row.investment for row in financing if row.investment},
            bonds_as_capital={row.year: row.bonds_as_capital for row in financing if row.bonds_as_capital},
        ),
    )


def operation_start(reserve: Reserve) -> date | None:
    """Return the first day of operation: as stated, else the day after construction ends, else None."""
    if reserve.operation_start or not reserve.construction_end:
        return reserve.operation_start
    return reserve.construction_end + timedelta(days=1)


def _income(years: Mapping[str, list[PlanYear]], version: str) -> tuple[terms.Year, ...]:
    """The plan, year by year overruled by the versions after it up to `version`."""
    chosen: dict[int, PlanYear] = {}
    for code in (PLAN, ISSUED, OPERATING):
        chosen |= {row.year: row for row in years[code]}
        if code == version:
            break
    return tuple(
        terms.Year(row.year, row.revenue, row.operating_cost, row.tax)
        for _year, row in sorted(chosen.items())
    )


def _planned(reserve: Reserve, years: list[PlanYear], issued: Decimal) -> list[terms.Tranche]:
    """The issues that are still to come: the plan's bonds by year, the earliest ones taken as done by what was issued."""
    wanted = [(row.year, row.bonds) for row in years if row.bonds > 0]
    if not wanted:
        wanted = [(reserve.year, reserve.requested if reserve.approved is None else reserve.approved)]
    rest: list[terms.Tranche] = []
    for year, amount in wanted:
        done = min(amount, issued)
        issued -= done
        if amount > done:
            rest.append(
                terms.Tranche(
                    id=f"{PLANNED}{year}",
                    principal=amount - done,
                    rate=reserve.rate,
                    value_date=date(year, PLANNED_MONTH, PLANNED_DAY),
                    term_years=reserve.term_years,
                    frequency=reserve.frequency,
                    repayment=terms.Repayment(reserve.repayment),
                    instalments=_even(reserve, amount - done),
                )
            )
    return rest


def _even(reserve: Reserve, principal: Decimal) -> tuple[terms.Instalment, ...]:
    """Planned instalments are not laid down in the plan: equal parts at the end of every year of the second half of the term."""
    if reserve.repayment != Repayment.INSTALMENTS:
        return ()
    first = reserve.term_years // 2 + 1
    count = reserve.term_years - first + 1
    with localcontext(exact()):
        share = Decimal(1) / count
    rows = [{"year": year, "share": share} for year in range(first, reserve.term_years + 1)]
    return instalments(rows, principal, reserve.frequency)


def _loan(loan: ReserveLoan) -> terms.Loan:
    return terms.Loan(
        id=f"{loan.lender}-{loan.pk}",
        principal=loan.principal,
        rate=loan.rate,
        periods=loan.periods,
        kind=terms.Repayment(loan.kind),
        frequency=loan.frequency,
        drawn_on=loan.drawn_on,
    )


def _fees(shares: list[Share], planned: list[terms.Tranche], rules: Rules) -> terms.Fees:
    """Fees of several issues as one set of rates, each weighted by its amount: issued ones have their own, planned ones the rules'."""
    amounts = [(share.amount, share.tranche) for share in shares]
    still = sum((tranche.principal for tranche in planned), ZERO)
    whole = sum((amount for amount, _tranche in amounts), still)
    if not whole:
        return terms.Fees()

    def mean(name: str) -> Decimal:
        charged = sum((amount * getattr(tranche, name) for amount, tranche in amounts), still * rules[name])
        return charged / whole

    with localcontext(exact()):
        return terms.Fees(mean("issue_fee_rate"), mean("registration_fee_rate"), mean("redemption_fee_rate"))
