"""Plans of a year and reports of progress for programs; amounts in yuan."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from yuanmai.core.api import (
    Amount,
    ApiRequest,
    Exact,
    Page,
    Paging,
    Query,
    Schema,
    paginate,
)
from yuanmai.projects import actions
from yuanmai.projects.api.library import project_of, question_of, router
from yuanmai.projects.models import Kind, YearPlan
from yuanmai.projects.permissions import EDIT_PROJECTS, REPORT_PROGRESS, SEE_PROJECTS
from yuanmai.projects.queries.record import known, reports_of


class PlanDoc(Schema):
    """The plan of a year."""

    year: int = Field(ge=1990, le=2100)
    kind: Kind | Literal[""] = ""
    planned_investment: Amount | None = None
    monthly: list[Amount | None] | None = Field(
        None, min_length=12, max_length=12, description="twelve amounts"
    )
    effective_on: date | None = None


@router.get("/{uuid:uid}/plans", permission=SEE_PROJECTS, response=list[PlanDoc])
def list_plans(request: ApiRequest, uid: UUID) -> list[PlanDoc]:
    """List what was planned for each year, in the order of recording; the last one of a year holds."""
    rows = known(YearPlan.objects.filter(project=project_of(uid)), request.view.known_at).order_by(
        "year", "recorded_at", "id"
    )
    return [
        PlanDoc(
            year=row.year,
            kind=row.kind,
            planned_investment=row.planned_investment,
            monthly=[None if m is None else Decimal(m) for m in row.monthly] if row.monthly else None,
            effective_on=row.effective_on,
        )
        for row in rows
    ]


@router.post("/{uuid:uid}/plans", permission=EDIT_PROJECTS, response={201: PlanDoc})
def plan_year(request: ApiRequest, uid: UUID, body: PlanDoc) -> tuple[int, PlanDoc]:
    """Set the plan of a year; the months, where stated, add up to it."""
    day = body.effective_on or request.view.as_of
    plan = body.model_dump(exclude={"effective_on"})
    actions.plan_year(request.actor, project_of(uid), day, plan)
    return 201, body.model_copy(update={"effective_on": day})


class ReportIn(Schema):
    """How far a project is; what is left out is not said, and the value before it stands."""

    effective_on: date
    investment_done: Amount | None = Field(None, description="of the year, cumulative")
    done_total: Amount | None = Field(None, description="since the start")
    visible_progress: str = Field("", max_length=5000)
    visible_percent: Decimal | None = Field(None, ge=0, le=100, max_digits=5, decimal_places=2)
    started: bool | None = None
    resumed: bool | None = None
    completed: bool | None = None
    problems: str = Field("", max_length=5000)


class ReportOut(Schema):
    """A progress report."""

    effective_on: date
    investment_done: Amount | None
    done_total: Amount | None
    visible_progress: str
    visible_percent: Exact | None
    started: bool | None
    resumed: bool | None
    completed: bool | None
    problems: str
    recorded_at: datetime


def _report(row: Any) -> ReportOut:
    return ReportOut(**{name: getattr(row, name) for name in ReportOut.model_fields})


@router.get("/{uuid:uid}/reports", permission=SEE_PROJECTS, response=Page[ReportOut])
def list_reports(request: ApiRequest, uid: UUID, paging: Query[Paging]) -> Page[ReportOut]:
    """List the reports up to the day asked for, the newest first."""
    project = project_of(uid)
    rows: Sequence[Any] = reports_of(project, question_of(request, project))
    return paginate(request, rows, paging, _report)


class ConfirmedReport(ReportIn):
    """A report; what looks wrong but may be right needs `confirmed`."""

    confirmed: bool = Field(False, description="save although a value is smaller than last time")


@router.post("/{uuid:uid}/reports", permission=REPORT_PROGRESS, response={201: ReportOut})
def report_progress(request: ApiRequest, uid: UUID, body: ConfirmedReport) -> tuple[int, ReportOut]:
    """Report progress; a smaller value than last time is refused unless `confirmed`."""
    values = body.model_dump(exclude={"effective_on", "confirmed"})
    report = [(project_of(uid), values)]
    facts = actions.report_progress(request.actor, body.effective_on, report, confirmed=body.confirmed)
    return 201, _report(facts[0])
