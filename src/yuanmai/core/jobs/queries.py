"""Reads of jobs that pages and API share."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from yuanmai.core.jobs.models import Job
from yuanmai.core.permissions import SEE_SYSTEM
from yuanmai.core.policy import Actor


def visible_jobs(actor: Actor) -> QuerySet[Job]:
    """Return the jobs that the actor started; whoever looks after the system sees those of others, too."""
    jobs = Job.objects.select_related("created_by", "org")
    if actor.why_not(SEE_SYSTEM) is None:
        return jobs
    return jobs.filter(created_by_id=actor.user_id)


def eta_seconds(job: Job, now: datetime) -> int | None:
    """Return the seconds that a running job will still need at its speed so far; None before it can be told."""
    if job.state != Job.State.RUNNING or job.started_at is None or not job.total or not job.done:
        return None
    seconds = (now - job.started_at).total_seconds()
    if seconds < 1 or job.done >= job.total:
        return None
    return round(seconds * (job.total - job.done) / job.done)


def state_document(job: Job) -> dict[str, Any]:
    """Return what `<ym-job>` shows."""
    return {
        "state": job.state,
        "done": job.done,
        "total": job.total,
        "text": job.error or job.message,
        "eta_seconds": eta_seconds(job, timezone.now()),
        "url": job.url or None,
        "cancellable": not job.over and not job.cancel_requested,
        "page": reverse("jobs:record", args=[job.pk]),
    }
