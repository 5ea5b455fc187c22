"""Running a job in the worker: claim, act with present rights, end, and take over from workers that died."""

import logging
import os
import socket
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import BadRequest, ValidationError
from django.db import OperationalError, transaction
from django.db.models import F, Q
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django_tasks import task

from yuanmai.core.actions import request_id
from yuanmai.core.console import Refused
from yuanmai.core.jobs.models import Job
from yuanmai.core.jobs.registry import KINDS, End, JobCancelled, Run, TakenOver
from yuanmai.core.policy import SYSTEM, Actor, Denied
from yuanmai.core.scope import everywhere, open_scope

logger = logging.getLogger(__name__)
ActorResolver = Callable[[int], Actor]
_resolver: list[ActorResolver] = []
# The run that goes on in this process, for the worker's pulse.
current: list[Run] = []


def resolve_actors_with(resolver: ActorResolver) -> None:
    """Say how a user's id becomes an actor with present rights; called once by the room that knows users."""
    _resolver[:] = [resolver]


def actor_of(job: Job) -> Actor:
    """Return whoever asked for the job, with the rights of this moment; raises `Denied` for a locked account."""
    return SYSTEM if job.created_by_id is None else _resolver[0](job.created_by_id)


def worker_name() -> str:
    """Return host and process id, so that a worker started again here knows that its forerunner is dead."""
    return f"{socket.gethostname()[:150]}:{os.getpid()}"


@task()
def run_job(job_id: int) -> None:
    """Run a job by its id, unless it was cancelled or is running already."""
    run = _claim(job_id)
    if run is None:
        return
    token = request_id.set(f"job-{job_id}-{run.job.attempts}")
    current[:] = [run]
    try:
        with translation.override(run.job.language):
            _run(run)
    finally:
        current.clear()
        request_id.reset(token)


def _claim(job_id: int) -> Run | None:
    run_id, now = uuid.uuid4(), timezone.now()
    with everywhere():
        waiting = Job.objects.filter(pk=job_id, state=Job.State.WAITING)
        if waiting.filter(cancel_requested=True).update(state=Job.State.CANCELLED, finished_at=now):
            return None
        claimed = waiting.update(
            state=Job.State.RUNNING, run=run_id, attempts=F("attempts") + 1, started_at=now, beat_at=now,
            finished_at=None, done=0, total=0, message="", error="", worker=worker_name(),
        )  # fmt: skip
        if not claimed:
            return None
        job = Job.objects.get(pk=job_id)
    return Run(job, run_id, SYSTEM)


def _scope(actor: Actor) -> AbstractContextManager[None]:
    return everywhere() if actor.user_id is None else open_scope(actor.org_ids())


def _run(run: Run) -> None:
    """Call the kind's function and write how it ended."""
    kind = KINDS.get(run.job.kind)
    try:
        if kind is None:
            raise Refused(
                _("This version of the program does not know the work “%(kind)s”.") % {"kind": run.job.kind}
            )
        run.actor = actor_of(run.job)
        with _scope(run.actor):
            result = kind.function(run, **run.job.arguments)
        if not run.finished:
            run.end(Job.State.DONE, End(result=result))
    except TakenOver:
        logger.warning("job %s: this run was given up and another has begun", run.job.pk)
    except JobCancelled:
        run.end(Job.State.CANCELLED, End())
    except OperationalError as error:
        logger.warning("job %s: %s", run.job.pk, error)
        _again_or_fail(run, _("The database did not answer in time."))
    except Exception as error:
        run.end(Job.State.FAILED, End(), reason_of(error, run.job))
    except BaseException:  # the worker is being stopped by force
        _again_or_fail(run, _("The worker was stopped."))
        raise


def reason_of(error: Exception, job: Job) -> str:
    """Return why a job failed, in words for whoever asked; a mistake of ours is logged and only referred to."""
    if isinstance(error, Denied):
        return error.reason
    if isinstance(error, Refused):
        return error.message
    if isinstance(error, ValidationError):
        return "; ".join(error.messages)
    if isinstance(error, BadRequest):
        return str(error)
    logger.exception("job %s (%s) failed", job.pk, job.kind, exc_info=error)
    return _("The server made a mistake. Reference for the administrator: %(reference)s") % {
        "reference": request_id.get()
    }


def _again_or_fail(run: Run, reason: str) -> None:
    job = run.job
    if job.attempts >= attempts_of(job):
        run.end(Job.State.FAILED, End(), reason)
        return
    with everywhere(), transaction.atomic():
        mine = Job.objects.filter(pk=job.pk, run=run.run_id, state=Job.State.RUNNING)
        if mine.update(state=Job.State.WAITING, run=None, message=reason[:300]):
            put_in_queue(job)


def attempts_of(job: Job) -> int:
    """Return how often a job may be started by itself."""
    kind = KINDS.get(job.kind)
    return kind.attempts if kind else 1


def put_in_queue(job: Job) -> None:
    """Hand a waiting job to the workers; in the caller's transaction, so that neither is lost."""
    result = run_job.enqueue(job.pk)
    # Without a queue (tests) the job has run by now: only the reference is written, nothing else of the row.
    with everywhere():
        Job.objects.filter(pk=job.pk).update(task=uuid.UUID(str(result.id)) if _is_uuid(result.id) else None)


def _is_uuid(text: Any) -> bool:
    try:
        uuid.UUID(str(text))
    except ValueError:
        return False
    return True


def recover(*, at_start: bool = False) -> int:
    """Start again, or give up, the jobs whose worker shows no sign of life; return how many.

    A run that still lives in spite of its silence cannot end the job any more (`TakenOver`). At the start of a worker,
    jobs of dead processes on the same machine are taken over at once.
    """
    silent = Q(beat_at__lt=timezone.now() - timedelta(seconds=settings.JOB_DEAD_AFTER))
    with everywhere():
        candidates = list(Job.objects.filter(state=Job.State.RUNNING))
        stale = set(Job.objects.filter(silent, state=Job.State.RUNNING).values_list("pk", flat=True))
    count = 0
    for job in candidates:
        if job.pk in stale or (at_start and _process_is_gone(job.worker)):
            count += _take_over(job)
    return count


def _process_is_gone(worker: str) -> bool:
    host, _colon, process = worker.rpartition(":")
    if host != socket.gethostname()[:150] or not process.isdigit() or int(process) == os.getpid():
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def _take_over(job: Job) -> int:
    """Compare-and-swap a silent job out of RUNNING; returns 1 where this worker was the one to do it."""
    with everywhere(), transaction.atomic():
        mine = Job.objects.filter(pk=job.pk, run=job.run, beat_at=job.beat_at, state=Job.State.RUNNING)
        now = timezone.now()
        with translation.override(job.language):
            reason = _("The worker stopped in the middle of the work.")
        if job.cancel_requested:
            return mine.update(state=Job.State.CANCELLED, finished_at=now, run=None)
        if job.attempts >= attempts_of(job):
            return mine.update(state=Job.State.FAILED, finished_at=now, run=None, error=reason)
        if not mine.update(state=Job.State.WAITING, run=None, message=reason):
            return 0
        _close_task(job)
        put_in_queue(job)
    logger.warning("job %s: its worker (%s) is gone; started again", job.pk, job.worker)
    return 1


def _close_task(job: Job) -> None:
    """Mark the dead run's row in the queue as failed, so that it does not look as if it ran for ever."""
    from django_tasks_db.models import DBTaskResult

    if job.task is None:
        return
    DBTaskResult.objects.filter(pk=job.task, status="RUNNING").update(
        status="FAILED", finished_at=timezone.now()
    )
