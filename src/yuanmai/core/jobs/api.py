"""Background work for programs."""

from datetime import datetime
from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from pydantic import Field

from yuanmai.core.api import (
    ApiRequest,
    CursorPage,
    CursorPaging,
    Path,
    Query,
    Router,
    Schema,
    paginate_by_key,
)
from yuanmai.core.jobs import actions
from yuanmai.core.jobs.models import Job
from yuanmai.core.jobs.queries import eta_seconds, visible_jobs
from yuanmai.core.permissions import SEE_JOBS

router = Router(tags=["jobs"])


class JobPath(Schema):
    """Which job."""

    id: int = Field(ge=1, le=2**62)


class JobFilter(Schema):
    """Which jobs."""

    state: Job.State | None = None
    kind: str | None = Field(None, max_length=60)


class JobOut(Schema):
    """A job."""

    id: int
    kind: str
    title: str
    state: Job.State
    organisation: str
    done: int
    total: int
    message: str
    error: str
    eta_seconds: int | None
    result: Any = Field(description="depends on the kind")
    url: str = Field(description="page of the result, empty before there is one")
    attempts: int
    created_at: datetime
    created_by: str | None
    started_at: datetime | None
    finished_at: datetime | None

    @classmethod
    def of(cls, job: Job) -> "JobOut":
        """Return a job's document."""
        return cls(
            id=job.pk,
            kind=job.kind,
            title=job.title,
            state=Job.State(job.state),
            organisation=job.org.code,
            done=job.done,
            total=job.total,
            message=job.message,
            error=job.error,
            eta_seconds=eta_seconds(job, timezone.now()),
            result=job.result,
            url=job.url,
            attempts=job.attempts,
            created_at=job.created_at,
            created_by=job.created_by.username if job.created_by else None,
            started_at=job.started_at,
            finished_at=job.finished_at,
        )


def _job(request: ApiRequest, pk: int) -> Job:
    return get_object_or_404(visible_jobs(request.actor), pk=pk)


@router.get("", permission=SEE_JOBS, response=CursorPage[JobOut])
def list_jobs(
    request: ApiRequest, filters: Query[JobFilter], paging: Query[CursorPaging]
) -> CursorPage[JobOut]:
    """List your background work, newest first."""
    rows = visible_jobs(request.actor)
    if filters.state is not None:
        rows = rows.filter(state=filters.state)
    if filters.kind is not None:
        rows = rows.filter(kind=filters.kind)
    return paginate_by_key(request, rows, paging, JobOut.of)


@router.get("/{id}", permission=SEE_JOBS, response=JobOut)
def get_job(request: ApiRequest, path: Path[JobPath]) -> JobOut:
    """Show one job."""
    return JobOut.of(_job(request, path.id))


@router.post("/{id}/cancel", permission=SEE_JOBS, response=JobOut)
def cancel_job(request: ApiRequest, path: Path[JobPath]) -> JobOut:
    """Ask a job to stop; one that waits is stopped at once."""
    job = _job(request, path.id)
    actions.cancel(request.actor, job)
    return JobOut.of(_job(request, path.id))


@router.post("/{id}/retry", permission=SEE_JOBS, response=JobOut)
def retry_job(request: ApiRequest, path: Path[JobPath]) -> JobOut:
    """Do a failed or cancelled job again from the start."""
    job = _job(request, path.id)
    actions.retry(request.actor, job)
    return JobOut.of(_job(request, path.id))
