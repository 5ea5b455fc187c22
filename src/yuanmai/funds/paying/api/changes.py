"""Changes of use for programs."""

from datetime import date
from uuid import UUID

from django.http import Http404
from pydantic import Field

from yuanmai.core.api import (
    Amount,
    ApiRequest,
    Conflict,
    Exact,
    Page,
    Paging,
    Query,
    Schema,
    paginate,
)
from yuanmai.core.workflow import Conflict as StateConflict
from yuanmai.core.workflow import offers
from yuanmai.funds.engine.change_of_use import Check
from yuanmai.funds.models import ChangeOfUse
from yuanmai.funds.paying import actions
from yuanmai.funds.paying.api.base import project_of, router, tranche_of
from yuanmai.funds.paying.change_words import condition
from yuanmai.funds.paying.judging import judged, restraints
from yuanmai.funds.paying.workflow import CHANGE
from yuanmai.funds.permissions import KEEP_RESERVE, SEE_FUNDS


class ChangeOut(Schema):
    """A change of use."""

    uid: UUID
    tranche: str = Field(description="bond code")
    giver: UUID
    receiver: UUID
    amount: Amount
    case: ChangeOfUse.Case
    reason: str
    requested_on: date
    state: ChangeOfUse.State
    decided_on: date | None
    document: str
    possible: list[str] = Field(description="steps that you may take now")


def _values(request: ApiRequest, row: ChangeOfUse) -> dict[str, object]:
    names = ("uid", "amount", "case", "reason", "requested_on", "state", "decided_on", "document")
    return {
        **{name: getattr(row, name) for name in names},
        "tranche": row.tranche.code,
        "giver": row.giver.uid,
        "receiver": row.receiver.uid,
        "possible": [o.transition.code for o in offers(CHANGE, row, request.actor) if o.why_not is None],
    }


class ConditionOut(Schema):
    """A condition of the change."""

    code: str
    met: bool | None = Field(description="null where it cannot be told yet")
    text: str


class JudgedChangeOut(ChangeOut):
    """A change of use with its conditions as of the day asked for; none once it is decided."""

    conditions: list[ConditionOut]


def _change(request: ApiRequest, row: ChangeOfUse) -> ChangeOut:
    return ChangeOut.model_validate(_values(request, row))


RELATED = ("tranche__org", "giver__org", "receiver__org", "org")


def _judged(request: ApiRequest, row: ChangeOfUse) -> JudgedChangeOut:
    checks: list[Check] = []
    if row.state not in CHANGE.final:
        _facts, checks = judged(row, max(request.view.as_of, row.requested_on))
    conditions = [ConditionOut(code=c.code, met=c.met, text=condition(c)) for c in checks]
    return JudgedChangeOut.model_validate({**_values(request, row), "conditions": conditions})


class ChangeFilter(Schema):
    """Which changes."""

    state: ChangeOfUse.State | None = None


@router.get("/changes", permission=SEE_FUNDS, response=Page[ChangeOut])
def list_changes(request: ApiRequest, filters: Query[ChangeFilter], paging: Query[Paging]) -> Page[ChangeOut]:
    """List the changes of use of the chosen organisation, the newest first."""
    rows = ChangeOfUse.objects.filter(org_id__in=request.view.org_ids, requested_on__lte=request.view.as_of)
    if filters.state is not None:
        rows = rows.filter(state=filters.state)
    rows = rows.select_related("tranche", "giver", "receiver").order_by("-requested_on", "-id")
    return paginate(request, rows, paging, lambda row: _change(request, row))


class YearFilter(Schema):
    """Which year."""

    year: int = Field(ge=1990, le=2100)


class RestraintOut(Schema):
    """How often and how much a place changed the use of its bonds in a year."""

    organisation: str = Field(description="code")
    year: int
    changes: int
    changed: Amount
    allotted: Amount
    share: Exact | None = Field(description="changed ÷ allotted, unrounded")
    most_changes: int
    most_share: Exact
    loses_quota: bool


@router.get("/changes/statement", permission=SEE_FUNDS, response=list[RestraintOut])
def get_statement(request: ApiRequest, asked: Query[YearFilter]) -> list[RestraintOut]:
    """Show how often and how much places changed the use of their bonds in a year."""
    return [
        RestraintOut(
            organisation=row.org.code,
            year=row.year,
            changes=row.restraint.number,
            changed=row.restraint.amount,
            allotted=row.restraint.allotted,
            share=row.restraint.share,
            most_changes=row.restraint.most_number,
            most_share=row.restraint.most_share,
            loses_quota=row.restraint.loses_quota,
        )
        for row in restraints(request.view.query(), asked.year)
    ]


def _found(uid: UUID) -> ChangeOfUse:
    row = ChangeOfUse.objects.select_related(*RELATED).filter(uid=uid).first()
    if row is None:
        raise Http404
    return row


@router.get("/changes/{uuid:uid}", permission=SEE_FUNDS, response=JudgedChangeOut)
def get_change(request: ApiRequest, uid: UUID) -> JudgedChangeOut:
    """Show a change of use with its conditions."""
    return _judged(request, _found(uid))


class ChangeIn(Schema):
    """A request to change the use of a project's bond money."""

    tranche: UUID
    receiver: UUID
    amount: Amount
    case: ChangeOfUse.Case
    reason: str = Field(max_length=5000)
    requested_on: date
    document: str = Field("", max_length=120, description="of the audit or inspection that asks for it")


@router.post("/projects/{uuid:uid}/changes", permission=KEEP_RESERVE, response={201: JudgedChangeOut})
def request_change(request: ApiRequest, uid: UUID, body: ChangeIn) -> tuple[int, JudgedChangeOut]:
    """Ask for money of this project to be moved to another one; nothing moves before it is approved."""
    row = actions.request_change(
        request.actor,
        tranche_of(body.tranche),
        project_of(uid),
        project_of(body.receiver),
        body.amount,
        case=body.case,
        reason=body.reason,
        requested_on=body.requested_on,
        document=body.document,
    )
    return 201, _judged(request, row)


class ChangeStepIn(Schema):
    """What a step needs; which of it, the step says."""

    text: str = Field("", max_length=5000)
    document: str = Field("", max_length=120)
    on: date | None = Field(None, description="day of the step; the day of the frame where left out")


@router.post("/changes/{uuid:uid}/{slug:step}", permission=SEE_FUNDS, response=JudgedChangeOut)
def move_change(request: ApiRequest, uid: UUID, step: str, body: ChangeStepIn) -> JudgedChangeOut:
    """Take a step: review, approve, send_back, reject, withdraw. The step names the right it needs."""
    row = _found(uid)
    if step not in {t.code for t in CHANGE.transitions}:
        raise Http404
    try:
        actions.move_change(
            request.actor, row, step, body.on or request.view.as_of, body.model_dump(exclude={"on"})
        )
    except StateConflict as error:
        raise Conflict(" ".join(error.messages)) from error
    return _judged(request, row)
