"""Blockers: the list of a place, one blocker with its life, raising and moving it."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from yuanmai.core.figures import Query
from yuanmai.core.web import page
from yuanmai.core.workflow import offers
from yuanmai.projects.actions import move_blocker, raise_blocker
from yuanmai.projects.forms import BlockerForm, TransitionForm
from yuanmai.projects.models import Blocker
from yuanmai.projects.permissions import REPORT_PROGRESS, SEE_PROJECTS
from yuanmai.projects.queries import states
from yuanmai.projects.views.record import moment, shown_project
from yuanmai.projects.workflows import BLOCKERS, LEVELS

TONES = {"open": "danger", "handed": "warning", "answered": "info", "closed": "success"}
STEP_NAMES = {t.code: t.name for t in BLOCKERS.transitions}


@page(SEE_PROJECTS)
def index(request: HttpRequest) -> HttpResponse:
    """The blockers of the chosen organisation, those nearest their deadline first."""
    view = request.view  # type: ignore[attr-defined]
    rows = Blocker.objects.filter(org_id__in=view.org_ids, opened_on__lte=view.as_of)
    counts = dict(rows.order_by().values_list("state").annotate(n=Count("id")))
    state = request.GET.get("state", "")
    chosen = rows.filter(state=state) if state in BLOCKERS.states else rows.exclude(state="closed")
    if kind := request.GET.get("kind", ""):
        chosen = chosen.filter(kind=kind)
    late = chosen.filter(due_on__lt=view.as_of).exclude(state="closed").count()
    page_obj = Paginator(chosen.select_related("project", "org"), 50).get_page(request.GET.get("page"))
    names = dict(
        states(Query(view.org_ids, view.as_of, view.known_at))
        .filter(project_id__in=[b.project_id for b in page_obj])
        .values_list("project_id", "name")
    )
    frame = urlencode(view.parameters)
    everything = sum(number for code, number in counts.items() if code != "closed")
    tabs = [
        {
            "label": _("Not closed"),
            "url": f"?{frame}",
            "active": state not in BLOCKERS.states,
            "count": everything,
        }
    ]
    tabs += [
        {
            "label": label,
            "url": f"?state={code}&{frame}",
            "active": state == code,
            "count": counts.get(code, 0),
        }
        for code, label in BLOCKERS.states.items()
    ]
    lines = [
        {
            "blocker": b,
            "name": names.get(b.project_id, ""),
            "tone": TONES[b.state],
            "level": LEVELS[b.level],
            "late": b.due_on is not None and b.due_on < view.as_of and b.state != "closed",
        }
        for b in page_obj
    ]
    context = {"lines": lines, "page_obj": page_obj, "tabs": tabs, "late": late}
    return render(request, "projects/blockers.html", context)


@page(REPORT_PROGRESS)
def create(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Say what stops a project."""
    found = shown_project(request, uid, "blockers")
    if isinstance(found, HttpResponse):
        return found
    view, project = request.view, found.state.project  # type: ignore[attr-defined]
    form = BlockerForm(request.POST or None, initial={"opened_on": view.as_of})
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        blocker = form.carry_out(
            lambda _ok: raise_blocker(request.actor, project, values["opened_on"], values)  # type: ignore[attr-defined]
        )
        if blocker is not None:
            messages.success(request, _("The blocker was recorded."))
            return HttpResponseRedirect(reverse("projects:blocker", args=[blocker.pk]))
    context = {**found.context, "form": form, "cancel_url": reverse("projects:record_blockers", args=[uid])}
    return render(request, "projects/form_blocker.html", context, status=422 if form.errors else 200)


def _blocker(pk: int) -> Blocker:
    blocker = Blocker.objects.select_related("project", "org").filter(pk=pk).first()
    if blocker is None:
        raise Http404
    return blocker


@page(SEE_PROJECTS)
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One blocker: its state, what can be done with it, and what was done so far."""
    return _detail(request, _blocker(pk))


@page(SEE_PROJECTS)
def move(request: HttpRequest, pk: int, code: str) -> HttpResponse:
    """Carry out a step of the workflow."""
    blocker = _blocker(pk)
    try:
        transition = BLOCKERS.transition(code)
    except KeyError:
        raise Http404 from None
    if request.method != "POST":
        return HttpResponseRedirect(reverse("projects:blocker", args=[pk]))
    form = TransitionForm(transition, request.POST, auto_id=f"{code}_%s")
    if form.is_valid():
        view = request.view  # type: ignore[attr-defined]
        on = max(view.as_of, blocker.opened_on)
        moved = form.carry_out(lambda _ok: move_blocker(request.actor, blocker, code, on, form.cleaned_data))  # type: ignore[attr-defined]
        if moved is not None:
            messages.success(request, _("“%(step)s” was recorded.") % {"step": transition.name})
            return HttpResponseRedirect(reverse("projects:blocker", args=[pk]))
    return _detail(request, _blocker(pk), {code: form}, status=422)


def _detail(
    request: HttpRequest, blocker: Blocker, forms: dict[str, TransitionForm] | None = None, status: int = 200
) -> HttpResponse:
    view = request.view  # type: ignore[attr-defined]
    query = Query((blocker.org_id,), view.as_of, view.known_at)
    state = states(query).filter(project_id=blocker.project_id).select_related("project").first()
    steps: list[dict[str, Any]] = [
        {"offer": offer, "form": (forms or {}).get(offer.transition.code) or _form(offer.transition)}
        for offer in offers(BLOCKERS, blocker, request.actor)  # type: ignore[attr-defined]
        if not (offer.transition.code == "escalate" and blocker.level + 1 >= len(LEVELS))
    ]
    late = blocker.due_on is not None and blocker.due_on < view.as_of and blocker.state != "closed"
    project_url = reverse("projects:record", args=[blocker.project.uid])
    context: dict[str, Any] = {
        "blocker": blocker,
        "state": state,
        "tone": TONES[blocker.state],
        "level": LEVELS[blocker.level],
        "late": late,
        "steps": steps,
        "next_step": next((str(s["offer"].transition.name) for s in steps if s["offer"].why_not is None), ""),
        "entries": [
            _entry(step)
            for step in blocker.steps.select_related("recorded_by").order_by("-recorded_at", "-id")
        ],
        "project_url": project_url,
        "breadcrumbs": [
            {"label": _("Blockers"), "url": reverse("projects:blockers")},
            {"label": state.name if state else str(blocker.project), "url": project_url},
            {"label": blocker.title, "url": ""},
        ],
    }
    return render(request, "projects/blocker.html", context, status=status)


def _form(transition: Any) -> TransitionForm:
    return TransitionForm(transition, auto_id=f"{transition.code}_%s")


def _entry(step: Any) -> dict[str, Any]:
    details = []
    if step.transition in {"hand", "send_back"}:
        details.append(_("Handed to %(body)s, due %(day)s") % {"body": step.body, "day": step.due_on})
    if step.transition == "escalate":
        details.append(_("Now with: %(level)s") % {"level": LEVELS[step.level]})
    if step.text:
        details.append(step.text)
    return {
        "title": STEP_NAMES.get(step.transition, _("Raised")),
        "when": moment(step.recorded_at),
        "iso": step.recorded_at.isoformat(),
        "who": str(step.recorded_by) if step.recorded_by else _("System"),
        "text": "\n".join(details),
        "tone": TONES[step.state],
        "icon": "circle-dot",
    }
