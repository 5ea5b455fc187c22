"""Tranches and their allotments for programs."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

from django.core.exceptions import ValidationError
from django.http import Http404
from django.utils.translation import gettext as _
from pydantic import Field

from yuanmai.core.api import Amount, ApiRequest, Exact, Page, Paging, Query, Schema, paginate
from yuanmai.core.search import matching
from yuanmai.funds.engine.bonds.schedule import maturity
from yuanmai.funds.issuing import actions
from yuanmai.funds.issuing.api.base import organisation, router
from yuanmai.funds.issuing.idle import Lying, batches
from yuanmai.funds.issuing.queries import total, tranches
from yuanmai.funds.issuing.service import engine_terms
from yuanmai.funds.issuing.views.shared import light_of
from yuanmai.funds.models import Allotment, Frequency, Repayment, Tranche
from yuanmai.funds.permissions import ISSUE_BONDS, SEE_FUNDS
from yuanmai.projects.models import Project

R = TypeVar("R")


class InstalmentPart(Schema):
    """A part of the principal repaid at the end of a year of the term."""

    year: int = Field(ge=1, le=100)
    share: Decimal = Field(gt=0, le=1, max_digits=12, decimal_places=10)


class TrancheIn(Schema):
    """The terms of an issue. Value date, frequency and fees follow from custom where they are left out."""

    org: str = Field(max_length=60, description="code of the organisation that keeps it")
    code: str = Field(max_length=40)
    name: str = Field(max_length=160)
    batch_name: str = Field("", max_length=80)
    issuer: str = Field("", max_length=80)
    amount: Amount
    rate: Decimal = Field(max_digits=9, decimal_places=6)
    term_years: int
    tendered_on: date
    value_date: date | None = None
    matures_on: date | None = Field(None, description="checked against value date and term")
    frequency: Frequency | None = None
    repayment: Repayment = Repayment.BULLET
    instalments: list[InstalmentPart] = Field(default=[], max_length=100)
    issue_fee_rate: Decimal | None = Field(None, max_digits=9, decimal_places=6)
    registration_fee_rate: Decimal | None = Field(None, max_digits=9, decimal_places=6)
    redemption_fee_rate: Decimal | None = Field(None, max_digits=9, decimal_places=6)
    confirmed: bool = Field(False, description="save although something is unusual")


class TrancheOut(Schema):
    """A tranche with what the projects asked about were allotted, got disbursed and paid."""

    uid: UUID
    org: str
    code: str
    name: str
    batch_name: str
    issuer: str
    amount: Amount
    rate: Exact
    term_years: int
    tendered_on: date
    value_date: date
    matures_on: date
    frequency: int
    repayment: Repayment
    left_to_allot: Amount
    allotted: Amount = Field(description="to projects of the organisation asked about, as are the next two")
    disbursed: Amount
    paid: Amount


class AllottedOut(Schema):
    """A project's part of a tranche and how its spending stands."""

    project: UUID
    allotted: Amount
    disbursed: Amount
    paid: Amount
    unspent: Amount
    deadline: date
    light: str = Field(description="green, yellow, red, grey")
    stage: str = Field(description="spent, running, idle, take_back")


class TrancheDetail(TrancheOut):
    """A tranche with its parts."""

    projects: list[AllottedOut]


class TrancheFilter(Schema):
    """Which tranches."""

    q: str = Field("", max_length=60, description="part of code, name, batch or issuer")
    year: int | None = Field(None, ge=1990, le=2150, description="year of the value date")


def _out(tranche: Tranche, parts: list[Lying]) -> dict[str, Any]:
    money = total(part.money for part in parts)
    names = (
        "uid", "code", "name", "batch_name", "issuer", "amount", "rate", "term_years", "tendered_on",
        "value_date", "frequency", "repayment",
    )  # fmt: skip
    return {
        **{name: getattr(tranche, name) for name in names},
        "org": tranche.org.code,
        "matures_on": maturity(engine_terms(tranche, tranche.amount)),
        "left_to_allot": tranche.amount - tranche.allotted,
        "allotted": money.allotted,
        "disbursed": money.disbursed,
        "paid": money.paid,
    }


def _parts(request: ApiRequest) -> dict[int, list[Lying]]:
    found: dict[int, list[Lying]] = {}
    for part in batches(request.view.query()):
        found.setdefault(part.tranche.pk, []).append(part)
    return found


def _tranche(uid: UUID) -> Tranche:
    tranche = Tranche.objects.select_related("org").filter(uid=uid, retracted_at=None).first()
    if tranche is None:
        raise Http404
    return tranche


def _detail(request: ApiRequest, tranche: Tranche) -> TrancheDetail:
    parts = _parts(request).get(tranche.pk, [])
    uids = dict(Project.objects.filter(pk__in=[part.project_id for part in parts]).values_list("pk", "uid"))
    lines = [
        AllottedOut(
            project=uids[part.project_id],
            allotted=part.money.allotted,
            disbursed=part.money.disbursed,
            paid=part.money.paid,
            unspent=part.standing.unspent,
            deadline=part.standing.deadline,
            light=light_of(part.standing),
            stage=part.standing.stage.value,
        )
        for part in parts
    ]
    return TrancheDetail(**_out(tranche, parts), projects=lines)


@router.get("/tranches", permission=SEE_FUNDS, response=Page[TrancheOut])
def list_tranches(
    request: ApiRequest, filters: Query[TrancheFilter], paging: Query[Paging]
) -> Page[TrancheOut]:
    """List the tranches that concern the organisation: kept by it, drawn on by its projects, on-lent to it; the newest first."""
    rows = tranches(request.view.query()).select_related("org")
    if filters.q:
        rows = rows.filter(matching(filters.q, "code", "name", "batch_name", "issuer"))
    if filters.year:
        rows = rows.filter(value_date__year=filters.year)
    parts = _parts(request)
    return paginate(
        request, rows, paging, lambda tranche: TrancheOut(**_out(tranche, parts.get(tranche.pk, [])))
    )


@router.post("/tranches", permission=ISSUE_BONDS, response={201: TrancheDetail})
def create_tranche(request: ApiRequest, body: TrancheIn) -> tuple[int, TrancheDetail]:
    """Record an issue of bonds."""
    values = body.model_dump()
    org, confirmed = organisation(values.pop("org"), "org"), values.pop("confirmed")
    tranche = actions.create_tranche(request.actor, org, values, confirmed=confirmed)
    return 201, _detail(request, tranche)


@router.get("/tranches/{uuid:uid}", permission=SEE_FUNDS, response=TrancheDetail)
def get_tranche(request: ApiRequest, uid: UUID) -> TrancheDetail:
    """Show one tranche with its allotments."""
    return _detail(request, _tranche(uid))


@router.put("/tranches/{uuid:uid}", permission=ISSUE_BONDS, response=TrancheDetail)
def correct_tranche(request: ApiRequest, uid: UUID, body: TrancheIn) -> TrancheDetail:
    """Correct the terms of a tranche; its keeper stays."""
    tranche, values = _tranche(uid), body.model_dump()
    confirmed = values.pop("confirmed")
    if values.pop("org") != tranche.org.code:
        raise ValidationError({"org": [_("The keeper of a tranche cannot be changed.")]})
    return _detail(request, actions.correct_tranche(request.actor, tranche, values, confirmed=confirmed))


class AllotLine(Schema):
    """What one project gets."""

    project: UUID
    amount: Amount
    replace_planned: bool = Field(False, description="lower its planned special bonds of the year by as much")


class AllotIn(Schema):
    """An allotment to one or several projects: all of it, or nothing."""

    effective_on: date
    allotments: list[AllotLine] = Field(min_length=1, max_length=500)
    document: str = Field("", max_length=100)
    beyond_quota: str = Field("", max_length=100, description="the document that allows more than the quota")
    confirmed: bool = Field(False, description="save although a project gets more than was approved")


class AllotmentOut(Schema):
    """One allotment."""

    id: int
    project: UUID
    amount: Amount
    effective_on: date
    document: str


def _named(call: Callable[[], R]) -> R:
    """Run an action; a fault of line n is told at its place in the body."""
    try:
        return call()
    except ValidationError as error:
        if not hasattr(error, "error_dict"):
            raise
        faults = {
            f"allotments/{name.removeprefix('line_')}/amount" if name.startswith("line_") else name: texts
            for name, texts in error.error_dict.items()
        }
        raise ValidationError(faults) from None


@router.post("/tranches/{uuid:uid}/allotments", permission=ISSUE_BONDS, response={201: list[AllotmentOut]})
def allot(request: ApiRequest, uid: UUID, body: AllotIn) -> tuple[int, list[AllotmentOut]]:
    """Allot a tranche to projects; of two requests at once beyond what is left, one is refused."""
    tranche = _tranche(uid)
    known = {p.uid: p for p in Project.objects.filter(uid__in=[line.project for line in body.allotments])}
    missing = {
        f"allotments/{index}/project": [_("There is no such project.")]
        for index, line in enumerate(body.allotments)
        if line.project not in known
    }
    if missing:
        raise ValidationError(missing)
    lines = [actions.Line(known[line.project], line.amount, line.replace_planned) for line in body.allotments]
    made = _named(
        lambda: actions.allot(
            request.actor,
            tranche,
            body.effective_on,
            lines,
            document=body.document,
            beyond_quota=body.beyond_quota,
            confirmed=body.confirmed,
        )
    )
    return 201, [_allotment(row) for row in made]


def _allotment(row: Allotment) -> AllotmentOut:
    return AllotmentOut(
        id=row.pk,
        project=row.project.uid,
        amount=row.amount,
        effective_on=row.effective_on,
        document=row.document,
    )


class AllotmentReasonIn(Schema):
    """Why something is taken back."""

    reason: str = Field(max_length=500)


@router.post(
    "/tranches/{uuid:uid}/allotments/{int:id}/take-back", permission=ISSUE_BONDS, response={204: None}
)
def take_back_allotment(request: ApiRequest, uid: UUID, id: int, body: AllotmentReasonIn) -> tuple[int, None]:  # noqa: A002
    """Take back an allotment, as long as nothing is spent beyond what is left."""
    rows = list(Allotment.objects.filter(pk=id, tranche__uid=uid))
    if not rows:
        raise Http404
    actions.take_back_allotments(request.actor, rows, body.reason)
    return 204, None
