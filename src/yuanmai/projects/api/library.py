"""The library for programs: projects, their parts and attributes; amounts in yuan."""

from datetime import date
from typing import Any, Literal
from uuid import UUID

from django.http import Http404
from pydantic import Field

from yuanmai.core.api import (
    Amount,
    ApiRequest,
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
from yuanmai.people.models import Organisation
from yuanmai.projects import actions
from yuanmai.projects.models import Kind, Project, ProjectState, Stage
from yuanmai.projects.permissions import EDIT_PROJECTS, SEE_PROJECTS
from yuanmai.projects.queries import states
from yuanmai.projects.queries.library import library
from yuanmai.projects.queries.lights import light_of, with_light, words
from yuanmai.projects.tables import completion_rate

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


def question_of(request: ApiRequest, project: Project) -> Question:
    return Question((project.org_id,), request.view.as_of, request.view.known_at)


def project_of(uid: UUID) -> Project:
    project = Project.objects.filter(uid=uid).first()
    if project is None:
        raise Http404
    return project


def _state(request: ApiRequest, uid: UUID) -> ProjectState:
    project = project_of(uid)
    question = question_of(request, project)
    rows = with_light(states(question), question).filter(project=project).select_related(*RELATED)
    state = rows.first()
    if state is None:
        raise Http404
    return state


def _detail(request: ApiRequest, uid: UUID) -> ProjectDetail:
    state = _state(request, uid)
    light = light_of(state, question_of(request, state.project))
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
    project = project_of(uid)
    question = question_of(request, project)
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
        return {**values, "parent": project_of(self.main) if self.main else None}


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
