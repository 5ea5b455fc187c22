"""The projects room for programs: the library, plans, reports, history, blockers; amounts in yuan."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal
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
    Router,
    Schema,
    order_field,
    paginate,
)
from yuanmai.core.figures import Query as Question
from yuanmai.core.workflow import Conflict as StateConflict
from yuanmai.core.workflow import offers
from yuanmai.people.models import Organisation
from yuanmai.projects import actions
from yuanmai.projects.models import Blocker, Kind, Project, ProjectState, Stage, YearPlan
from yuanmai.projects.permissions import EDIT_PROJECTS, REPORT_PROGRESS, SEE_PROJECTS
from yuanmai.projects.queries import states
from yuanmai.projects.queries.library import library
from yuanmai.projects.queries.lights import light_of, with_light, words
from yuanmai.projects.queries.record import known, reports_of
from yuanmai.projects.tables import completion_rate
from yuanmai.projects.workflows import BLOCKERS

router = Router(tags=["projects"])
Light = Literal["red", "yellow", "green", "grey"]


class ProjectOut(Schema):
    """A project as of the day asked for."""

    uid: UUID
    name: str
    code: str
    organisation: str = Field(description="code")
    main: UUID | None = Field(description="the main project that it is part of")
    kind: Kind | Literal[""]
    category: str
    stage: Stage
    light: Light
    responsible: str
    leader: str
    owner: str
    park: str
    lists: list[str]
    start_on: date | None
    finish_on: date | None
    total_investment: Amount | None
    planned_investment: Amount | None
    investment_done: Amount | None
    done_total: Amount | None
    completion_rate: Exact | None = Field(description="done ÷ planned, unrounded; null without a plan")
    started: bool
    resumed: bool
    completed: bool
    visible_progress: str
    visible_percent: Exact | None
    problems: str
    reported_on: date | None


class ProjectDetail(ProjectOut):
    """A project with what only its own page says."""

    light_reason: str
    address: str
    content: str
    site: dict[str, Any] | None = Field(description="GeoJSON geometry, WGS84")
    in_statistics: bool | None


RELATED = ("project", "org", "park", "owner", "parent", "version", "plan")


def _values(state: ProjectState) -> dict[str, Any]:
    names = (
        "name", "code", "kind", "category", "stage", "responsible", "leader", "start_on", "finish_on", "total_investment",
        "planned_investment", "investment_done", "done_total", "started", "resumed", "completed", "visible_progress",
        "visible_percent", "problems", "reported_on",
    )  # fmt: skip
    return {name: getattr(state, name) for name in names} | {
        "uid": state.project.uid,
        "organisation": state.org.code,
        "main": state.parent.uid if state.parent else None,
        "light": state.light,  # type: ignore[attr-defined]
        "owner": state.owner.name if state.owner else "",
        "park": state.park.name if state.park else "",
        "lists": [code for code in state.lists.split("|") if code],
        "completion_rate": completion_rate(state),
    }


class ProjectFilter(Schema):
    """Which main projects."""

    q: str = Field("", max_length=60, description="part of the name, the code, or pinyin initials")
    kind: Kind | None = None
    stage: Stage | None = None
    light: Light | None = None
    category: str = Field("", max_length=60)
    list: str = Field("", max_length=60, description="on this list")
    responsible: str = Field("", max_length=120)
    leader: str = Field("", max_length=80)
    park: str = Field("", max_length=120, description="name")
    order: str = order_field(
        "name", "name", "total_investment", "planned_investment", "investment_done", "reported_on"
    )


@router.get("", permission=SEE_PROJECTS, response=Page[ProjectOut])
def list_projects(
    request: ApiRequest, filters: Query[ProjectFilter], paging: Query[Paging]
) -> Page[ProjectOut]:
    """List the main projects of the chosen organisation on the day asked for."""
    given = filters.model_dump(exclude={"order"})
    asked = {name: str(getattr(value, "value", value)) for name, value in given.items() if value}
    rows = library(request.view.query(**asked)).select_related(*RELATED).order_by(filters.order)
    return paginate(request, rows, paging, lambda state: ProjectOut(**_values(state)))


def _question(request: ApiRequest, project: Project) -> Question:
    return Question((project.org_id,), request.view.as_of, request.view.known_at)


def _project(uid: UUID) -> Project:
    project = Project.objects.filter(uid=uid).first()
    if project is None:
        raise Http404
    return project


def _state(request: ApiRequest, uid: UUID) -> ProjectState:
    project = _project(uid)
    question = _question(request, project)
    rows = with_light(states(question), question).filter(project=project).select_related(*RELATED)
    state = rows.first()
    if state is None:
        raise Http404
    return state


def _detail(request: ApiRequest, uid: UUID) -> ProjectDetail:
    state = _state(request, uid)
    light = light_of(state, _question(request, state.project))
    return ProjectDetail(
        **_values(state),
        light_reason=words(light),
        address=state.version.address,
        content=state.version.content,
        site=state.version.site,
        in_statistics=state.in_statistics,
    )


@router.get("/{uuid:uid}", permission=SEE_PROJECTS, response=ProjectDetail)
def get_project(request: ApiRequest, uid: UUID) -> ProjectDetail:
    """Show one project on the day asked for."""
    return _detail(request, uid)


@router.get("/{uuid:uid}/subprojects", permission=SEE_PROJECTS, response=Page[ProjectOut])
def list_subprojects(request: ApiRequest, uid: UUID, paging: Query[Paging]) -> Page[ProjectOut]:
    """List the projects that are part of one."""
    project = _project(uid)
    question = _question(request, project)
    rows = (
        with_light(states(question), question)
        .filter(parent=project)
        .select_related(*RELATED)
        .order_by("name")
    )
    return paginate(request, rows, paging, lambda state: ProjectOut(**_values(state)))


class VersionIn(Schema):
    """The attributes of a project, complete; what is left out counts as not stated."""

    name: str = Field(min_length=1, max_length=200)
    code: str = Field("", max_length=80)
    main: UUID | None = None
    category: str = Field("", max_length=60)
    stage: Stage | Literal[""] = ""
    responsible: str = Field("", max_length=120)
    leader: str = Field("", max_length=80)
    start_on: date | None = None
    finish_on: date | None = None
    total_investment: Amount | None = None
    address: str = Field("", max_length=200)
    content: str = Field("", max_length=20_000)
    in_statistics: bool | None = None
    effective_on: date | None = Field(None, description="valid from; the day of the frame where left out")

    def version(self) -> dict[str, Any]:
        """Return the attributes as an action takes them."""
        values = self.model_dump(exclude={"main", "effective_on", "organisation"})
        return {**values, "parent": _project(self.main) if self.main else None}


class ProjectIn(VersionIn):
    """A new project."""

    organisation: str = Field(description="code", max_length=60)


@router.post("", permission=EDIT_PROJECTS, response={201: ProjectDetail})
def create_project(request: ApiRequest, body: ProjectIn) -> tuple[int, ProjectDetail]:
    """Add a project to the library."""
    org = Organisation.objects.filter(code=body.organisation, id__in=request.actor.org_ids()).first()
    if org is None:
        raise Http404
    day = body.effective_on or request.view.as_of
    project = actions.create_project(request.actor, org.pk, day, body.version())
    request.view.as_of = max(day, request.view.as_of)
    return 201, _detail(request, project.uid)


@router.put("/{uuid:uid}", permission=EDIT_PROJECTS, response=ProjectDetail)
def revise_project(request: ApiRequest, uid: UUID, body: VersionIn) -> ProjectDetail:
    """State the attributes anew; owner, park, site and foreign columns stay as they are."""
    state = _state(request, uid)
    old = state.version
    kept = {"owner": old.owner, "park": old.park, "site": old.site, "extra": old.extra}
    day = body.effective_on or request.view.as_of
    actions.revise_project(request.actor, state.project, day, {**kept, **body.version()})
    return _detail(request, uid)


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
    rows = known(YearPlan.objects.filter(project=_project(uid)), request.view.known_at).order_by(
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
    actions.plan_year(request.actor, _project(uid), day, plan)
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
    project = _project(uid)
    rows: Sequence[Any] = reports_of(project, _question(request, project))
    return paginate(request, rows, paging, _report)


class ConfirmedReport(ReportIn):
    """A report; what looks wrong but may be right needs `confirmed`."""

    confirmed: bool = Field(False, description="save although a value is smaller than last time")


@router.post("/{uuid:uid}/reports", permission=REPORT_PROGRESS, response={201: ReportOut})
def report_progress(request: ApiRequest, uid: UUID, body: ConfirmedReport) -> tuple[int, ReportOut]:
    """Report progress; a smaller value than last time is refused unless `confirmed`."""
    values = body.model_dump(exclude={"effective_on", "confirmed"})
    report = [(_project(uid), values)]
    facts = actions.report_progress(request.actor, body.effective_on, report, confirmed=body.confirmed)
    return 201, _report(facts[0])


class BlockerOut(Schema):
    """What stops a project."""

    id: int
    project: UUID
    title: str
    kind: Blocker.Kind
    way: Blocker.Way | Literal[""]
    state: Blocker.State
    level: int = Field(description="0 office, 1 deputy leader, 2 leader")
    body: str
    opened_on: date
    due_on: date | None
    closed_on: date | None
    detail: str
    answer: str
    possible: list[str] = Field(description="steps that you may take now")


def _blocker(request: ApiRequest, row: Blocker) -> BlockerOut:
    names = [name for name in BlockerOut.model_fields if name not in {"project", "possible"}]
    possible = [o.transition.code for o in offers(BLOCKERS, row, request.actor) if o.why_not is None]
    return BlockerOut(**{n: getattr(row, n) for n in names}, project=row.project.uid, possible=possible)


class BlockerFilter(Schema):
    """Which blockers."""

    state: Blocker.State | None = None
    kind: Blocker.Kind | None = None
    project: UUID | None = None


@router.get("/blockers", permission=SEE_PROJECTS, response=Page[BlockerOut])
def list_blockers(
    request: ApiRequest, filters: Query[BlockerFilter], paging: Query[Paging]
) -> Page[BlockerOut]:
    """List the blockers of the chosen organisation, those nearest their deadline first."""
    rows = Blocker.objects.filter(org_id__in=request.view.org_ids, opened_on__lte=request.view.as_of)
    given = {
        name: value for name, value in filters.model_dump(exclude={"project"}).items() if value is not None
    }
    rows = rows.filter(**given).select_related("project")
    if filters.project is not None:
        rows = rows.filter(project__uid=filters.project)
    return paginate(request, rows, paging, lambda row: _blocker(request, row))


class BlockerIn(Schema):
    """What stops a project."""

    title: str = Field(min_length=1, max_length=200)
    kind: Blocker.Kind
    way: Blocker.Way | Literal[""] = ""
    detail: str = Field("", max_length=5000)
    opened_on: date | None = None


@router.post("/{uuid:uid}/blockers", permission=REPORT_PROGRESS, response={201: BlockerOut})
def raise_blocker(request: ApiRequest, uid: UUID, body: BlockerIn) -> tuple[int, BlockerOut]:
    """Say what stops a project."""
    day = body.opened_on or request.view.as_of
    blocker = actions.raise_blocker(request.actor, _project(uid), day, body.model_dump(exclude={"opened_on"}))
    return 201, _blocker(request, blocker)


class StepIn(Schema):
    """What a step of the workflow needs; which of it, the step says."""

    body: str = Field("", max_length=120)
    due_on: date | None = None
    text: str = Field("", max_length=5000)
    on: date | None = Field(None, description="day of the step; the day of the frame where left out")


@router.post("/blockers/{int:pk}/{slug:step}", permission=SEE_PROJECTS, response=BlockerOut)
def move_blocker(request: ApiRequest, pk: int, step: str, body: StepIn) -> BlockerOut:
    """Take a step: hand, answer, send_back, close, escalate, reopen. The step names the right it needs."""
    blocker = Blocker.objects.select_related("project").filter(pk=pk).first()
    if blocker is None or step not in {t.code for t in BLOCKERS.transitions}:
        raise Http404
    day = body.on or max(request.view.as_of, blocker.opened_on)
    try:
        actions.move_blocker(request.actor, blocker, step, day, body.model_dump(exclude={"on"}))
    except StateConflict as error:
        raise Conflict(" ".join(error.messages)) from error
    return _blocker(request, blocker)
