"""Pages of background work."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from yuanmai.core.jobs import actions
from yuanmai.core.jobs.models import Job, ScheduledRun
from yuanmai.core.jobs.queries import state_document, visible_jobs
from yuanmai.core.jobs.registry import KINDS
from yuanmai.core.jobs.schedule import PERIODIC
from yuanmai.core.permissions import SEE_JOBS, SEE_SYSTEM
from yuanmai.core.policy import Actor
from yuanmai.core.web import page

PER_PAGE = 30


def _actor(request: HttpRequest) -> Actor:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return actor


def _job(request: HttpRequest, pk: int) -> Job:
    return get_object_or_404(visible_jobs(_actor(request)), pk=pk)


@page(SEE_JOBS)
@require_safe
def job_list(request: HttpRequest) -> HttpResponse:
    """My background work, newest first."""
    jobs = visible_jobs(_actor(request))
    state = request.GET.get("state", "")
    if state in Job.State.values:
        jobs = jobs.filter(state=state)
    else:
        state = ""
    found = Paginator(jobs.order_by("-id"), PER_PAGE).get_page(request.GET.get("page"))
    sees_system = _actor(request).why_not(SEE_SYSTEM) is None
    context = {"page_obj": found, "state": state, "states": Job.State.choices, "sees_system": sees_system}
    return render(request, "core/jobs/list.html", context)


@page(SEE_JOBS)
@require_safe
def record(request: HttpRequest, pk: int) -> HttpResponse:
    """One job: how far, how long still, what came of it."""
    job = _job(request, pk)
    kind = KINDS.get(job.kind)
    mine = (
        job.created_by_id == _actor(request).user_id
        or _actor(request).why_not(SEE_SYSTEM, job.org_id) is None
    )
    context = {
        "job": job,
        "kind_name": kind.name if kind else job.kind,
        "can_retry": mine and job.state in {Job.State.FAILED, Job.State.CANCELLED} and kind is not None,
        "can_cancel": mine,
    }
    return render(request, "core/jobs/record.html", context)


@page(SEE_JOBS)
@require_safe
def state(request: HttpRequest, pk: int) -> HttpResponse:
    """How far a job is, for the bar on the page."""
    answer = JsonResponse(state_document(_job(request, pk)))
    answer["Cache-Control"] = "no-store"
    return answer


@page(SEE_JOBS)
@require_POST
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask a job to stop."""
    job = _job(request, pk)
    actions.cancel(_actor(request), job)
    if "application/json" in request.headers.get("Accept", ""):
        job.refresh_from_db()
        return JsonResponse(state_document(job))
    return HttpResponseRedirect(reverse("jobs:record", args=[pk]))


@page(SEE_JOBS)
@require_POST
def retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Do a failed or cancelled job again."""
    actions.retry(_actor(request), _job(request, pk))
    return HttpResponseRedirect(reverse("jobs:record", args=[pk]))


@page(SEE_SYSTEM)
@require_safe
def schedule(request: HttpRequest) -> HttpResponse:
    """The periodic work: when it is due, how the last run went."""
    rows = {row.name: row for row in ScheduledRun.objects.all()}
    work = [{"periodic": periodic, "row": rows.get(name)} for name, periodic in sorted(PERIODIC.items())]
    return render(request, "core/jobs/schedule.html", {"work": work})
