"""The funds room for programs: the sources of projects and what is missing; amounts in yuan."""

from datetime import date
from typing import Any
from uuid import UUID

from django.http import Http404
from pydantic import Field

from yuanmai.core.api import Amount, ApiRequest, Page, Paging, Query, Router, Schema, paginate
from yuanmai.core.figures import Query as Question
from yuanmai.funds import actions
from yuanmai.funds.models import FundingState, Security, Source
from yuanmai.funds.permissions import EDIT_FUNDS, SEE_FUNDS
from yuanmai.funds.queries import Sums, lines_of, with_gap
from yuanmai.projects.models import Project, ProjectState
from yuanmai.projects.queries import states

router = Router(tags=["funds"])


class GapOut(Schema):
    """A project with what is there for it and what is missing."""

    uid: UUID
    name: str
    total_investment: Amount
    funded: Amount
    gap: Amount


class GapFilter(Schema):
    """Which projects."""

    missing: bool = Field(False, description="only those with a gap")


def _gap(state: Any) -> GapOut:
    names = ("name", "total_investment", "funded", "gap")
    return GapOut(uid=state.project.uid, **{name: getattr(state, name) for name in names})


@router.get("/projects", permission=SEE_FUNDS, response=Page[GapOut])
def list_gaps(request: ApiRequest, filters: Query[GapFilter], paging: Query[Paging]) -> Page[GapOut]:
    """List the main projects of known total investment, the largest gap first."""
    rows = with_gap(request.view.query())
    return paginate(request, rows.filter(gap__gt=0) if filters.missing else rows, paging, _gap)


class SourceDoc(Schema):
    """One source of a project."""

    source: Source
    security: Security
    year: int | None = Field(None, ge=1990, le=2100)
    tranche: str = Field("", max_length=80)
    amount: Amount = Field(ge=0)


class FundingOut(Schema):
    """The sources of a project on the day asked for."""

    uid: UUID
    name: str
    sources: list[SourceDoc]
    secured: Amount
    issued: Amount
    planned: Amount
    gap: Amount | None = Field(description="null where the total investment is not known")


class FundingIn(Schema):
    """The sources of a project from a day on, complete: one that is not named any more ends."""

    sources: list[SourceDoc] = Field(max_length=200)
    effective_on: date | None = Field(None, description="the day of the frame where left out")
    confirmed: bool = Field(False, description="save although the sources exceed the total investment")


def _project(uid: UUID) -> Project:
    project = Project.objects.filter(uid=uid).first()
    if project is None:
        raise Http404
    return project


def _line(row: FundingState) -> SourceDoc:
    return SourceDoc(
        source=Source(row.source),
        security=Security(row.security),
        year=row.year,
        tranche=row.tranche,
        amount=row.amount,
    )


def _funding(request: ApiRequest, project: Project, day: date) -> FundingOut:
    question = Question((project.org_id,), day, request.view.known_at)
    state: ProjectState | None = states(question).filter(project=project).first()
    if state is None:
        raise Http404
    lines = lines_of(question, project.pk)
    sums = Sums()
    for line in lines:
        setattr(sums, line.security, getattr(sums, line.security) + line.amount)
    return FundingOut(
        uid=project.uid,
        name=state.name,
        sources=[_line(line) for line in lines],
        secured=sums.secured,
        issued=sums.issued,
        planned=sums.planned,
        gap=sums.gap(state.total_investment),
    )


@router.get("/projects/{uuid:uid}", permission=SEE_FUNDS, response=FundingOut)
def get_funding(request: ApiRequest, uid: UUID) -> FundingOut:
    """Show the sources of one project."""
    return _funding(request, _project(uid), request.view.as_of)


@router.put("/projects/{uuid:uid}", permission=EDIT_FUNDS, response=FundingOut)
def set_funding(request: ApiRequest, uid: UUID, body: FundingIn) -> FundingOut:
    """State the sources of a project anew."""
    project, day = _project(uid), body.effective_on or request.view.as_of
    lines = [line.model_dump(mode="python") for line in body.sources]
    actions.set_funding(request.actor, project, day, lines, confirmed=body.confirmed)
    return _funding(request, project, max(day, request.view.as_of))
