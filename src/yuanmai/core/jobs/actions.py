"""The verbs of background work."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from yuanmai.core.actions import Act, action
from yuanmai.core.jobs.models import Job
from yuanmai.core.jobs.registry import KINDS
from yuanmai.core.jobs.runner import put_in_queue
from yuanmai.core.permissions import SEE_JOBS, SEE_SYSTEM
from yuanmai.core.policy import Denied
from yuanmai.core.scope import everywhere


@action("core.enqueue_job", permission=SEE_JOBS)
def enqueue(act: Act, kind: str, title: str, arguments: Mapping[str, Any], org_id: int) -> Job:
    """Start background work of a declared `kind` for an organisation; `arguments` are JSON and go to the function.

    Raises `KeyError` for an undeclared kind. The rights that the work itself needs are checked by the actions it calls.
    """
    if kind not in KINDS:
        raise KeyError(f"job {kind} is not declared")
    act.require(org_id)
    job = Job.objects.create(
        org_id=org_id,
        kind=kind,
        title=str(title)[:200],
        arguments=dict(arguments),
        created_at=act.now,
        created_by_id=act.actor.user_id,
        language=get_language() or "zh-hans",
    )
    act.log(job, after={"kind": kind, "title": job.title})
    put_in_queue(job)
    with everywhere():
        job.refresh_from_db()
    return job


def _check_may_touch(act: Act, job: Job) -> None:
    if job.created_by_id != act.actor.user_id and (reason := act.actor.why_not(SEE_SYSTEM, job.org_id)):
        raise Denied(_("This work was started by somebody else.") + " " + reason)


@action("core.cancel_job", permission=SEE_JOBS)
def cancel(act: Act, job: Job) -> None:
    """Ask a job to stop; one that waits is stopped at once. Raises `Denied` for another person's or a finished job."""
    _check_may_touch(act, job)
    if job.over:
        raise Denied(_("This work is over already."))
    waiting = Job.objects.filter(pk=job.pk, state=Job.State.WAITING)
    if not waiting.update(state=Job.State.CANCELLED, cancel_requested=True, finished_at=act.now):
        Job.objects.filter(pk=job.pk, state=Job.State.RUNNING).update(cancel_requested=True)
    act.log(job, before={"state": job.state}, after={"cancel": True})


@action("core.retry_job", permission=SEE_JOBS)
def retry(act: Act, job: Job) -> None:
    """Do a failed or cancelled job again from the start. Raises `Denied` for another person's job or one that runs."""
    _check_may_touch(act, job)
    ended = Job.objects.filter(pk=job.pk, state__in=[Job.State.FAILED, Job.State.CANCELLED])
    again = ended.update(
        state=Job.State.WAITING, cancel_requested=False, attempts=0, run=None, error="", message="", done=0, total=0,
        started_at=None, finished_at=None,
    )  # fmt: skip
    if not again:
        raise Denied(_("Only work that failed or was cancelled can be done again."))
    act.log(job, before={"state": job.state}, after={"state": Job.State.WAITING})
    put_in_queue(job)
