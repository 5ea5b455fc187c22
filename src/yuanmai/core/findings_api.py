"""Findings for programs: contradictions in the data, and answering for them."""

from datetime import date, datetime
from typing import Any

from django.shortcuts import get_object_or_404
from django.utils.functional import Promise
from pydantic import Field

from yuanmai.core.api import ApiRequest, Page, Paging, Path, Query, Router, Schema, order_field, paginate
from yuanmai.core.findings import KINDS, Finding
from yuanmai.core.findings_actions import explain_finding, reopen_finding, resolve_finding
from yuanmai.core.findings_queries import findings_at
from yuanmai.core.permissions import ANSWER_FINDINGS, SEE_FINDINGS
from yuanmai.core.temporal import KNOWN_FOREVER

router = Router(tags=["findings"])


class FindingPath(Schema):
    """Which finding."""

    id: int = Field(ge=1, le=2**62)


class FindingFilter(Schema):
    """Which findings, in which order."""

    state: Finding.State | None = None
    severity: Finding.Severity | None = None
    kind: str | None = Field(None, max_length=60)
    order: str = order_field("-effective_on", "effective_on", "found_at", "state", "severity")


class Answer(Schema):
    """What somebody says to a finding."""

    note: str = Field("", max_length=2000)


class FindingOut(Schema):
    """A contradiction in the data."""

    id: int
    kind: str
    kind_name: str
    sentence: str
    advice: str
    severity: Finding.Severity
    state: Finding.State
    organisation: str = Field(description="code")
    effective_on: date
    found_at: datetime
    gone_at: datetime | None = Field(description="when the data stopped contradicting themselves")
    owner: str | None = Field(description="account of whoever answers for it")
    note: str
    evidence: list[Any] = Field(description="the rows that contradict each other: label, url, value")

    @classmethod
    def of(cls, finding: Finding) -> "FindingOut":
        """Return a finding's document."""
        kind = KINDS.get(finding.kind)
        return cls(
            id=finding.pk,
            kind=finding.kind,
            kind_name=str(kind.name) if kind else finding.kind,
            sentence=finding.sentence,
            advice=_advice(kind.advice, finding) if kind else "",
            severity=Finding.Severity(finding.severity),
            state=Finding.State(finding.state),
            organisation=finding.org.code,
            effective_on=finding.effective_on,
            found_at=finding.found_at,
            gone_at=None if finding.gone_until == KNOWN_FOREVER else finding.gone_until,
            owner=finding.owner.username if finding.owner else None,
            note=finding.note,
            evidence=list(finding.evidence),
        )


def _advice(advice: Any, finding: Finding) -> str:
    if isinstance(advice, str | Promise):
        return str(advice)
    return str(advice(finding.params))


def _finding(request: ApiRequest, pk: int, permission: str = SEE_FINDINGS) -> Finding:
    rows = Finding.objects.filter(org_id__in=list(request.actor.org_ids(permission))).select_related(
        "org", "owner"
    )
    return get_object_or_404(rows, pk=pk)


@router.get("", permission=SEE_FINDINGS, response=Page[FindingOut])
def list_findings(
    request: ApiRequest, filters: Query[FindingFilter], paging: Query[Paging]
) -> Page[FindingOut]:
    """List the contradictions that concern days up to `as_of`, as known at `known_at`."""
    allowed = request.actor.org_ids(SEE_FINDINGS)
    ids = [pk for pk in request.view.org_ids if pk in allowed]
    rows = findings_at(ids, request.view.as_of, request.view.known_at)
    if filters.state is not None:
        rows = rows.filter(state=filters.state)
    if filters.severity is not None:
        rows = rows.filter(severity=filters.severity)
    if filters.kind is not None:
        rows = rows.filter(kind=filters.kind)
    rows = rows.select_related("org", "owner").order_by(filters.order)
    return paginate(request, rows, paging, FindingOut.of)


@router.get("/{id}", permission=SEE_FINDINGS, response=FindingOut)
def get_finding(request: ApiRequest, path: Path[FindingPath]) -> FindingOut:
    """Show one contradiction with its evidence."""
    return FindingOut.of(_finding(request, path.id))


@router.post("/{id}/explain", permission=ANSWER_FINDINGS, response=FindingOut)
def explain(request: ApiRequest, path: Path[FindingPath], answer: Answer) -> FindingOut:
    """Say why the contradiction is there and stays (a note is required)."""
    explain_finding(request.actor, _finding(request, path.id), answer.note)
    return FindingOut.of(_finding(request, path.id))


@router.post("/{id}/resolve", permission=ANSWER_FINDINGS, response=FindingOut)
def resolve(request: ApiRequest, path: Path[FindingPath], answer: Answer) -> FindingOut:
    """Say that the data were put right."""
    resolve_finding(request.actor, _finding(request, path.id), answer.note)
    return FindingOut.of(_finding(request, path.id))


@router.post("/{id}/reopen", permission=ANSWER_FINDINGS, response=FindingOut)
def reopen(request: ApiRequest, path: Path[FindingPath], answer: Answer) -> FindingOut:
    """Take an answer back."""
    reopen_finding(request.actor, _finding(request, path.id), answer.note)
    return FindingOut.of(_finding(request, path.id))
