"""What stops a project, for programs: the list and the steps."""

from datetime import date
from typing import Literal
from uuid import UUID

from django.http import Http404
from pydantic import Field

from yuanmai.core.api import (
    ApiRequest,
    Conflict,
    Page,
    Paging,
    Query,
    Schema,
    paginate,
)
from yuanmai.core.workflow import Conflict as StateConflict
from yuanmai.core.workflow import offers
from yuanmai.projects import actions
from yuanmai.projects.api.library import project_of, router
from yuanmai.projects.models import Blocker
from yuanmai.projects.permissions import REPORT_PROGRESS, SEE_PROJECTS
from yuanmai.projects.workflows import BLOCKERS


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
    blocker = actions.raise_blocker(
        request.actor, project_of(uid), day, body.model_dump(exclude={"opened_on"})
    )
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
