"""The reserve for programs: list, read, enter, move, review; amounts in yuan, rates as fractions."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import Http404
from pydantic import Field

from yuanmai.core.api import Amount, ApiRequest, Conflict, Page, Paging, Query, Router, Schema, paginate
from yuanmai.core.figures import Query as Question
from yuanmai.core.workflow import Conflict as StateConflict
from yuanmai.funds.engine.review import Gate
from yuanmai.funds.figures import facts
from yuanmai.funds.models import Frequency, Repayment, Reserve, Review
from yuanmai.funds.permissions import KEEP_RESERVE, SEE_FUNDS
from yuanmai.funds.reserve import actions
from yuanmai.funds.reserve.actions.reviewing import possible
from yuanmai.funds.reserve.queries import Examined, examine, lines, plan_years, state_of
from yuanmai.funds.reserve.wording import gate_reason
from yuanmai.funds.reserve.workflow import RESERVE
from yuanmai.projects.models import Project

router = Router(tags=["funds"])


class ReserveRow(Schema):
    """A reserve project as it stood on the day asked for."""

    uid: UUID
    project: UUID
    name: str
    organisation: str = Field(description="code")
    state: Reserve.State
    year: int
    field: str
    requested: Amount
    approved: Amount | None
    readiness: Decimal | None = Field(description="0 to 1")
    score: Decimal | None = Field(description="mean of the bodies' weighted scores, 0 to 100")
    coverage: Decimal | None = Field(description="net income ÷ (principal + all interest)")
    gap_years: int
    deadline: date | None
    joint_start: str


class ReserveFilter(Schema):
    """Which reserve projects."""

    state: Reserve.State | None = None
    year: int | None = None
    field: str | None = Field(None, max_length=60)
    project: UUID | None = None


@router.get("", permission=SEE_FUNDS, response=Page[ReserveRow])
def list_reserve(
    request: ApiRequest, filters: Query[ReserveFilter], paging: Query[Paging]
) -> Page[ReserveRow]:
    """List the reserve projects of the chosen organisation, by name."""
    query = request.view.query()
    rows = facts.reserves(query)
    if filters.state is not None:
        rows = rows.filter(state_then=filters.state)
    if filters.year is not None:
        rows = rows.filter(year=filters.year)
    if filters.field is not None:
        rows = rows.filter(field=filters.field)
    if filters.project is not None:
        rows = rows.filter(project__uid=filters.project)
    page = paginate(request, rows, paging, lambda row: row)
    made = {line.reserve.pk: line for line in lines(query, page.items)}
    page.items = [_row(made[row.pk]) for row in page.items]
    return page


def _row(line: Any) -> ReserveRow:
    row = line.reserve
    return ReserveRow(
        uid=row.uid,
        project=row.project.uid,
        name=row.name,
        organisation=row.org.code,
        state=Reserve.State(row.state_then),
        approved=row.approved_then,
        readiness=line.readiness,
        score=line.score,
        coverage=line.coverage,
        gap_years=line.gap_years,
        **{n: getattr(row, n) for n in ("year", "field", "requested", "deadline", "joint_start")},
    )


class GateOut(Schema):
    """One gate of the review."""

    code: str
    passed: bool
    hard: bool = Field(description="it stops a pass; otherwise it must be explained")
    reason: str


class PlanYearDoc(Schema):
    """One year of the plan."""

    year: int = Field(ge=2015, le=2100)
    investment: Amount = Decimal(0)
    capital: Amount = Decimal(0)
    bonds: Amount = Decimal(0)
    bonds_as_capital: Amount = Decimal(0)
    other_debt: Amount = Decimal(0)
    revenue: Amount = Decimal(0)
    operating_cost: Amount = Decimal(0)
    tax: Amount = Decimal(0)


class ReserveIn(Schema):
    """What a project asks for."""

    year: int
    field: str = Field(max_length=60, description="a code of the rule “fields”")
    sector: str = Field(max_length=60, description="a code of the rule “minimum_capital”")
    requested: Amount
    capital: Amount = Field(description="bonds used as capital included")
    total_investment: Amount
    bonds_as_capital: Amount = Decimal(0)
    other_debt: Amount = Decimal(0)
    term_years: int
    rate: Decimal = Field(description="0.035 is 3.5 %")
    frequency: Frequency | None = Field(None, description="payments a year; by the term where left out")
    repayment: Repayment = Repayment.BULLET
    construction_start: date | None = None
    construction_end: date | None = None
    operation_start: date | None = None
    deadline: date | None = None
    joint_start: str = Field("", max_length=80)
    public_benefit: str = Field("", max_length=5000)
    gap_closing: bool = False


class EnterIn(ReserveIn):
    """A project to be put in reserve, with its plan by year."""

    project: UUID
    on: date | None = Field(None, description="the day of the frame where left out")
    confirmed: bool = Field(False, description="save although there are doubts")
    plan: list[PlanYearDoc] = Field(default_factory=list, max_length=100)


class ReserveOut(ReserveIn):
    """A reserve project with what engine and rules say of it."""

    uid: UUID
    project: UUID
    name: str
    state: Reserve.State
    in_review: bool
    sent_back: bool
    approved: Amount | None
    readiness: Decimal | None
    coverage: Decimal | None
    coverage_operating: Decimal | None = Field(description="interest of the construction period left out")
    coverage_with_fees: Decimal | None
    coverage_all_debt: Decimal | None
    gap_years: list[int]
    gates: list[GateOut]
    possible: list[str] = Field(description="steps that you may take now")
    plan: list[PlanYearDoc]


def _reserve(uid: UUID) -> Reserve:
    reserve = Reserve.objects.select_related("project", "org").filter(uid=uid).first()
    if reserve is None:
        raise Http404
    return reserve


def _gate(gate: Gate) -> GateOut:
    return GateOut(code=gate.code, passed=gate.passed, hard=gate.hard, reason=gate_reason(gate))


def _out(request: ApiRequest, reserve: Reserve) -> ReserveOut:
    request.actor.require(SEE_FUNDS, reserve.org_id)
    query = Question((reserve.org_id,), request.view.as_of, request.view.known_at)
    seen: Examined = examine(reserve, query)
    state = state_of(reserve, query)
    ratios = seen.statement.coverage
    known = bool(seen.statement.plan.years)
    stored = plan_years(reserve)["plan"]
    return ReserveOut(
        **{name: getattr(reserve, name) for name in ReserveIn.model_fields},
        uid=reserve.uid,
        project=reserve.project.uid,
        name=state.name if state else "",
        state=Reserve.State(reserve.state),
        in_review=reserve.submitted_at is not None and reserve.state == Reserve.State.RESERVE,
        sent_back=reserve.sent_back_at is not None,
        approved=reserve.approved,
        readiness=seen.readiness.share,
        coverage=ratios.all_interest.value if known else None,
        coverage_operating=ratios.operating_period_interest_only.value if known else None,
        coverage_with_fees=ratios.with_issue_fees.value if known else None,
        coverage_all_debt=ratios.all_debt.value if known else None,
        gap_years=list(seen.application.gap_years),
        gates=[_gate(gate) for gate in seen.gates],
        possible=[o.transition.code for o in possible(reserve, request.actor) if o.why_not is None],
        plan=[
            PlanYearDoc(**{name: getattr(row, name) for name in PlanYearDoc.model_fields})
            for _year, row in sorted(stored.items())
        ],
    )


@router.get("/{uuid:uid}", permission=SEE_FUNDS, response=ReserveOut)
def get_reserve(request: ApiRequest, uid: UUID) -> ReserveOut:
    """Show one reserve project with its coverage, gates and possible steps."""
    return _out(request, _reserve(uid))


@router.post("", permission=KEEP_RESERVE, response={201: ReserveOut})
def enter_reserve(request: ApiRequest, body: EnterIn) -> tuple[int, ReserveOut]:
    """Put a project in reserve, with its plan by year where given."""
    project = Project.objects.filter(uid=body.project).first()
    if project is None:
        raise Http404
    day = body.on or request.view.as_of
    given = {name: getattr(body, name) for name in ReserveIn.model_fields}
    given["repayment"] = str(body.repayment.value)
    with transaction.atomic():
        reserve = actions.enter_reserve(request.actor, project, day, given, confirmed=body.confirmed)
        if body.plan:
            rows = {row.year: row.model_dump(exclude={"year"}) for row in body.plan}
            actions.set_plan(request.actor, reserve, day, "plan", rows)
    return 201, _out(request, _reserve(reserve.uid))


class PlanIn(Schema):
    """Years of the plan; years that are not named stay, a year of zeros is taken out."""

    version: str = Field("plan", pattern="^(plan|issued|operating)$")
    years: list[PlanYearDoc] = Field(min_length=1, max_length=100)
    on: date | None = None


@router.put("/{uuid:uid}/plan", permission=KEEP_RESERVE, response=ReserveOut)
def set_plan(request: ApiRequest, uid: UUID, body: PlanIn) -> ReserveOut:
    """State years of the plan."""
    rows = {row.year: row.model_dump(exclude={"year"}) for row in body.years}
    actions.set_plan(request.actor, _reserve(uid), body.on or request.view.as_of, body.version, rows)
    return _out(request, _reserve(uid))


class ReserveStepIn(Schema):
    """What a step needs; which of it, the step says."""

    text: str = Field("", max_length=5000)
    document: str = Field("", max_length=120)
    amount: Amount | None = None
    on: date | None = Field(None, description="the day of the frame where left out")


@router.post("/{uuid:uid}/steps/{slug:step}", permission=SEE_FUNDS, response=ReserveOut)
def move_reserve(request: ApiRequest, uid: UUID, step: str, body: ReserveStepIn) -> ReserveOut:
    """Take a step: submit, recall, report, approve, send_back, adjust, revoke, complete, reopen, repay. It names the right it needs."""
    reserve = _reserve(uid)
    if step not in {t.code for t in RESERVE.transitions}:
        raise Http404
    try:
        actions.move_reserve(
            request.actor, reserve, step, body.on or request.view.as_of, body.model_dump(exclude={"on"})
        )
    except StateConflict as error:
        raise Conflict(" ".join(error.messages)) from error
    return _out(request, _reserve(uid))


class HeadingDoc(Schema):
    """Score and opinion under one heading."""

    score: Decimal = Field(ge=0, le=100)
    opinion: str = Field("", max_length=5000)


class ReviewIn(Schema):
    """A review."""

    body: Review.Body
    verdict: Review.Verdict
    headings: dict[str, HeadingDoc]
    opinion: str = Field("", max_length=5000)
    on: date | None = None


@router.post("/{uuid:uid}/reviews", permission=SEE_FUNDS, response={201: ReserveOut})
def review_reserve(request: ApiRequest, uid: UUID, body: ReviewIn) -> tuple[int, ReserveOut]:
    """Review for finance or development-reform; the right is that of the body. A pass needs every hard gate."""
    reserve = _reserve(uid)
    headings = {code: entry.model_dump() for code, entry in body.headings.items()}
    actions.review_reserve(
        request.actor,
        reserve,
        body.body.value,
        body.on or request.view.as_of,
        headings,
        body.verdict.value,
        body.opinion,
    )
    return 201, _out(request, _reserve(uid))
