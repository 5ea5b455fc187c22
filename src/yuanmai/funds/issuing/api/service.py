"""Quota and debt service for programs."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from pydantic import Field

from yuanmai.core.api import Amount, ApiRequest, Exact, Page, Paging, Query, Schema, paginate
from yuanmai.funds.issuing import actions
from yuanmai.funds.issuing.api.base import organisation, router
from yuanmai.funds.issuing.debt import payments_due, place_service
from yuanmai.funds.issuing.quota_use import Used, used_quotas
from yuanmai.funds.permissions import ISSUE_BONDS, SEE_FUNDS
from yuanmai.people.models import Organisation
from yuanmai.projects.models import Project


class QuotaOut(Schema):
    """The quota in force of a place and year with what is used of it."""

    org: str
    name: str
    year: int
    quota: Amount
    used: Amount
    left: Amount = Field(description="negative where the quota is exceeded")
    effective_on: date
    document: str


class QuotaIn(Schema):
    """The quota of a place in a year from a day on."""

    org: str = Field(max_length=60, description="code of the organisation")
    year: int
    amount: Amount
    effective_on: date
    document: str = Field("", max_length=200)
    confirmed: bool = Field(False, description="save although more is used already")


def _quota(row: Used) -> QuotaOut:
    return QuotaOut(
        org=row.quota.org.code,
        name=row.quota.org.label,
        year=row.quota.year,
        quota=row.quota.amount,
        used=row.used,
        left=row.left,
        effective_on=row.quota.effective_on,
        document=row.quota.document,
    )


@router.get("/quotas", permission=SEE_FUNDS, response=Page[QuotaOut])
def list_quotas(request: ApiRequest, paging: Query[Paging]) -> Page[QuotaOut]:
    """List the quotas in force by place and year, the newest year first."""
    return paginate(request, used_quotas(request.view.query()), paging, _quota)


@router.post("/quotas", permission=ISSUE_BONDS, response={201: QuotaOut})
def state_quota(request: ApiRequest, body: QuotaIn) -> tuple[int, QuotaOut]:
    """State, raise or correct a quota."""
    org = organisation(body.org, "org")
    quota = actions.state_quota(
        request.actor,
        org,
        body.year,
        body.amount,
        body.effective_on,
        document=body.document,
        confirmed=body.confirmed,
    )
    found = [row for row in used_quotas(request.view.query().on(date.max)) if row.quota.pk == quota.pk]
    return 201, _quota(found[0] if found else Used(quota, Decimal(0)))


class ServiceYear(Schema):
    """What falls due in a year."""

    year: int
    interest: Exact
    principal: Exact


class TrancheServiceOut(Schema):
    """Debt service on one tranche."""

    tranche: UUID
    code: str
    principal: Amount
    interest: Exact
    fees: Exact
    years: list[ServiceYear]


class DebtServiceOut(Schema):
    """Debt service of the organisation's projects, on a cash basis, unrounded."""

    interest: Exact
    principal: Exact
    fees: Exact
    years: list[ServiceYear]
    tranches: list[TrancheServiceOut]


def _years(found: Any) -> list[ServiceYear]:
    return [ServiceYear(year=year, interest=s.interest, principal=s.principal) for year, s in found.items()]


@router.get("/debt-service", permission=SEE_FUNDS, response=DebtServiceOut)
def debt_service(request: ApiRequest) -> DebtServiceOut:
    """Show interest and principal by year and tranche, of what is allotted to the organisation's projects."""
    found = place_service(request.view.query())
    lines = [
        TrancheServiceOut(
            tranche=line.tranche.uid,
            code=line.tranche.code,
            principal=line.principal,
            interest=line.whole.interest,
            fees=line.fees,
            years=_years(line.years),
        )
        for line in found.tranches
    ]
    return DebtServiceOut(
        interest=found.whole.interest,
        principal=found.whole.principal,
        fees=found.fees,
        years=_years(found.years),
        tranches=lines,
    )


class PaymentDueOut(Schema):
    """One payment: due by the terms, made on the next working day."""

    due_on: date
    pay_on: date
    tranche: UUID
    code: str
    level: str = Field(
        description="issuer (keeper to bondholders), place (borrower to lender), project (to its place)"
    )
    debtor: str = Field(description="code of the organisation; uid of the project at level project")
    creditor: str | None = Field(description="code of the organisation; null for the bondholders")
    interest: Exact
    principal: Exact


class DueFilter(Schema):
    """Which payments."""

    since: date | None = Field(None, description="first due day; the day of the frame where left out")
    until: date | None = Field(None, description="last due day; a year later where left out")
    level: str = Field("", pattern="^(issuer|place|project)?$")


@router.get("/payment-dates", permission=SEE_FUNDS, response=Page[PaymentDueOut])
def payment_dates(
    request: ApiRequest, filters: Query[DueFilter], paging: Query[Paging]
) -> Page[PaymentDueOut]:
    """List the payments of a stretch of time with who owes whom."""
    query = request.view.query()
    since = filters.since or query.as_of
    until = filters.until or date(min(since.year + 1, 9999), since.month, min(since.day, 28))
    projects = {
        pk: (uid, org_id)
        for pk, uid, org_id in Project.objects.filter(org_id__in=query.org_ids).values_list(
            "pk", "uid", "org_id"
        )
    }
    dues = payments_due(query, since, until, {pk: org_id for pk, (_uid, org_id) in projects.items()})
    if filters.level:
        dues = [due for due in dues if due.level == filters.level]
    bodies = {due.creditor for due in dues} | {due.debtor for due in dues if due.level != "project"}
    codes = dict(Organisation.objects.filter(pk__in=bodies - {None}).values_list("pk", "code"))

    def view(due: Any) -> PaymentDueOut:
        debtor = str(projects[due.debtor][0]) if due.level == "project" else codes[due.debtor]
        return PaymentDueOut(
            due_on=due.due_on,
            pay_on=due.pay_on,
            tranche=due.tranche.uid,
            code=due.tranche.code,
            level=due.level,
            debtor=debtor,
            creditor=None if due.creditor is None else codes[due.creditor],
            interest=due.interest,
            principal=due.principal,
        )

    return paginate(request, dues, paging, view)
