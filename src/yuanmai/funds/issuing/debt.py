"""Debt service of a place: what falls due when, by tranche and year, and who owes it to whom.

The bond engine computes each project's part of each tranche; here the parts are added up along the tree and the on-lending chain.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext

from yuanmai.common.working_days import china
from yuanmai.core.figures import Query
from yuanmai.funds.engine.bonds.coverage import statement
from yuanmai.funds.engine.bonds.schedule import Flow, flows
from yuanmai.funds.engine.bonds.service import NOTHING, Service, by_year, merge, total
from yuanmai.funds.engine.bonds.terms import Fees, Plan, exact
from yuanmai.funds.issuing.queries import Share, on_lendings, tranches_of
from yuanmai.funds.issuing.service import engine_terms, engine_tranche
from yuanmai.funds.models import Tranche
from yuanmai.funds.queries import ZERO

ISSUER, PLACE, PROJECT = "issuer", "place", "project"


@dataclass(frozen=True)
class TrancheService:
    """What a place owes on one tranche: its projects' part, by year, in all, and the fees that go with it."""

    tranche: Tranche
    principal: Decimal
    years: Mapping[int, Service]
    whole: Service
    fees: Decimal


@dataclass(frozen=True)
class PlaceService:
    """What a place owes on all its tranches."""

    tranches: tuple[TrancheService, ...]
    years: Mapping[int, Service]
    whole: Service
    fees: Decimal


def parts_of(query: Query) -> list[tuple[int, Share, tuple[Flow, ...]]]:
    """Return (project id, part of a tranche, its flows) for every allotted part of the query's organisations."""
    return [
        (project_id, share, flows(engine_tranche(share)))
        for project_id, shares in tranches_of(query).items()
        for share in shares
    ]


def place_service(query: Query) -> PlaceService:
    """Return the debt service of the query's organisations by tranche and year, on a cash basis; three queries."""
    years: dict[int, list[Mapping[int, Service]]] = defaultdict(list)
    tranches: dict[int, Tranche] = {}
    principal: dict[int, Decimal] = defaultdict(Decimal)
    fees: dict[int, Decimal] = defaultdict(Decimal)
    for _project, share, rows in parts_of(query):
        pk = share.tranche.pk
        tranches[pk] = share.tranche
        principal[pk] += share.amount
        years[pk].append(by_year(rows))
        fees[pk] += fees_of(share)
    lines = []
    for pk, tranche in sorted(tranches.items(), key=lambda pair: (pair[1].value_date, pair[1].code)):
        merged = merge(years[pk])
        lines.append(TrancheService(tranche, principal[pk], merged, total(merged), fees[pk]))
    whole = merge(line.years for line in lines)
    return PlaceService(tuple(lines), whole, total(whole), sum((line.fees for line in lines), ZERO))


def fees_of(share: Share) -> Decimal:
    """Return the fees of a part of a tranche over its life: issue, registration, and redemption of every payment."""
    tranche = share.tranche
    fees = Fees(tranche.issue_fee_rate, tranche.registration_fee_rate, tranche.redemption_fee_rate)
    return statement(Plan(tranches=(engine_tranche(share),), fees=fees)).fees


@dataclass(frozen=True)
class Due:
    """One payment: the day by the terms, the day it is made (next working day), who owes whom; yuan.

    `debtor` and `creditor` are ids: of organisations, of a project (debtor at level *project*), None for the bondholders.
    """

    due_on: date
    pay_on: date
    tranche: Tranche
    level: str
    debtor: int
    creditor: int | None
    interest: Decimal
    principal: Decimal

    @property
    def amount(self) -> Decimal:
        """Interest + principal."""
        return self.interest + self.principal


def payments_due(
    query: Query, since: date, until: date, orgs_of: Mapping[int, int] | None = None
) -> list[Due]:
    """Return the payments with a due day from `since` to `until`, by day, tranche and level.

    Level *project*: a project owes its place the service of its part. Level *place*: a borrower of the on-lending chain owes its
    lender the service of what it received. Level *issuer*: the keeper owes the bondholders the service of the whole tranche.
    `orgs_of` maps projects to the organisations they belong to.
    """
    places = orgs_of or {}
    found: list[Due] = []
    tranches: dict[int, Tranche] = {}
    redeemed: dict[int, list[tuple[date, Decimal]]] = defaultdict(list)
    for project_id, share, rows in parts_of(query):
        tranches[share.tranche.pk] = share.tranche
        redeemed[share.tranche.pk] += share.redemptions
        found += _dues(rows, share.tranche, PROJECT, project_id, places.get(project_id), since, until)
    received: dict[tuple[int, int, int], Decimal] = defaultdict(Decimal)
    for row in on_lendings(query).select_related("tranche"):
        tranches[row.tranche_id] = row.tranche
        received[row.tranche_id, row.org_id, row.lender_id] += row.amount
    for (tranche_id, org_id, lender_id), amount in received.items():
        tranche = tranches[tranche_id]
        found += _dues(flows(engine_terms(tranche, amount)), tranche, PLACE, org_id, lender_id, since, until)
    keepers = set(query.org_ids)
    own = Tranche.objects.filter(org_id__in=keepers, retracted_at=None, tendered_on__lte=query.as_of)
    for tranche in own:
        early = merge_redemptions(redeemed[tranche.pk])
        rows = flows(engine_terms(tranche, tranche.amount, early))
        found += _dues(rows, tranche, ISSUER, tranche.org_id, None, since, until)
    order = {ISSUER: 0, PLACE: 1, PROJECT: 2}
    return sorted(found, key=lambda due: (due.due_on, due.tranche.code, order[due.level], due.debtor))


def merge_redemptions(rows: Iterable[tuple[date, Decimal]]) -> list[tuple[date, Decimal]]:
    """Return early redemptions of several projects as redemptions of the tranche, one a day."""
    days: dict[date, Decimal] = defaultdict(Decimal)
    for day, amount in rows:
        days[day] += amount
    return sorted(days.items())


def _dues(
    rows: Iterable[Flow],
    tranche: Tranche,
    level: str,
    debtor: int,
    creditor: int | None,
    since: date,
    until: date,
) -> list[Due]:
    calendar = china()
    return [
        Due(
            row.date,
            calendar.on_or_after(row.date),
            tranche,
            level,
            debtor,
            creditor,
            row.interest,
            row.principal,
        )
        for row in rows
        if since <= row.date <= until
    ]


def sum_of(rows: Iterable[Due]) -> Service:
    """Return the sum of several payments."""
    whole = NOTHING
    with localcontext(exact()):
        for row in rows:
            whole = Service(whole.interest + row.interest, whole.principal + row.principal)
    return whole
