"""Adding, changing and removing a project; its plan and lists; taking entries back."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core import signing
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from yuanmai.core.figures import Query
from yuanmai.core.temporal import Fact
from yuanmai.core.web import page
from yuanmai.projects.actions import (
    create_project,
    plan_year,
    remove_project,
    restore_project,
    revise_project,
    set_list,
    undo_facts,
)
from yuanmai.projects.forms import ListForm, PlanForm, ProjectForm, ReasonForm, attach
from yuanmai.projects.models import ProjectState, YearPlan
from yuanmai.projects.permissions import EDIT_PROJECTS, REPORT_PROGRESS
from yuanmai.projects.queries import states
from yuanmai.projects.queries.library import choices
from yuanmai.projects.queries.record import known
from yuanmai.projects.recording import FACT_MODELS
from yuanmai.projects.views.record import project_or_404, shown_project

SALT = "projects.undo"
UNDO_DAYS = 30
BY_NAME = {str(model._meta.model_name): model for model in FACT_MODELS}


def undo_token(facts: Iterable[Fact]) -> str:
    """Return a signed name of entries, so that a message can offer to take exactly these back."""
    return signing.dumps([[str(fact._meta.model_name), fact.pk] for fact in facts], salt=SALT)


def offer_undo(request: HttpRequest, text: str, facts: Iterable[Fact]) -> None:
    """Say that something was saved, with a button that takes it back."""
    messages.success(request, text, extra_tags=f"undo={reverse('projects:undo', args=[undo_token(facts)])}")


def back_to(request: HttpRequest, default: str) -> HttpResponse:
    """Go back to where the form says, if that is one of our pages."""
    target = request.POST.get("next", "")
    safe = target and url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()})
    return HttpResponseRedirect(target if safe else default)


def writable_orgs(request: HttpRequest, right: str) -> list[tuple[int, str]]:
    """Return the organisations of the chosen scope in which the user holds a right, as choices."""
    view, allowed = request.view, request.actor.org_ids(right)  # type: ignore[attr-defined]
    inside = set(view.org_ids)
    return [
        (o.id, "\u3000" * (o.depth - 1) + o.name) for o in view.orgs if o.id in allowed and o.id in inside
    ]


@page(EDIT_PROJECTS)
def create(request: HttpRequest) -> HttpResponse:
    """Add a project, or with ``?parent=`` a sub-project."""
    view = request.view  # type: ignore[attr-defined]
    orgs = writable_orgs(request, EDIT_PROJECTS)
    parent = _parent(request)
    fixed = parent.org_id if parent else None
    initial = {
        "effective_on": view.as_of,
        "org": view.org.id if view.org else None,
        "parent": str(parent.project.uid) if parent else "",
    }
    if parent:
        same = ("responsible", "leader", "park", "category")
        initial |= {name: getattr(parent, name) for name in same}
    form = ProjectForm(request.POST or None, initial=initial, orgs=orgs, fixed_org=fixed)
    if request.method == "POST" and form.is_valid():
        org_id = fixed or form.cleaned_data["org"]

        def save(confirmed: bool) -> Any:
            version = form.version(org_id)
            if parent:
                version["parent"] = parent.project
            return create_project(
                request.actor,  # type: ignore[attr-defined]
                org_id,
                form.cleaned_data["effective_on"],
                version,
                confirmed=confirmed,
            )

        project = form.carry_out(save)
        if project is not None:
            messages.success(request, _("The project was added."))
            return HttpResponseRedirect(reverse("projects:plan", args=[project.uid]))
    context = {
        "form": form,
        "parent": parent,
        "title": _("New sub-project") if parent else _("New project"),
        "cancel_url": reverse("projects:record_subprojects", args=[parent.project.uid]) if parent else reverse("projects:library"),
        "offered": choices(view.query()),
    }  # fmt: skip
    return render(request, "projects/form_project.html", context, status=422 if form.errors else 200)


def _parent(request: HttpRequest) -> ProjectState | None:
    uid = request.GET.get("parent") or request.POST.get("parent")
    if not uid:
        return None
    view = request.view  # type: ignore[attr-defined]
    try:
        project = project_or_404(request, UUID(uid))
    except ValueError:
        raise Http404 from None
    query = Query((project.org_id,), view.as_of, view.known_at)
    state = states(query).filter(project=project).select_related("project", "park").first()
    if state is None:
        raise Http404
    return state


@page(EDIT_PROJECTS)
def revise(request: HttpRequest, uid: UUID) -> HttpResponse:
    """State the attributes of a project anew."""
    found = shown_project(request, uid, "overview")
    if isinstance(found, HttpResponse):
        return found
    view, state = request.view, found.state  # type: ignore[attr-defined]
    version = state.version
    initial = {
        name: getattr(version, name)
        for name in (
            "name", "code", "category", "stage", "responsible", "leader", "park", "total_investment", "in_statistics",
            "start_on", "finish_on", "address", "content",
        )
    }  # fmt: skip
    initial |= {"owner": state.owner.name if state.owner else "", "effective_on": view.as_of}
    form = ProjectForm(request.POST or None, initial=initial, orgs=(), fixed_org=state.org_id)
    if request.method == "POST" and form.is_valid():

        def save(confirmed: bool) -> Any:
            values = {**form.version(state.org_id, state), "parent": state.parent}
            day = form.cleaned_data["effective_on"]
            return revise_project(request.actor, state.project, day, values, confirmed=confirmed)  # type: ignore[attr-defined]

        fact = form.carry_out(save)
        if fact is not None:
            offer_undo(request, _("The attributes were saved."), [fact])
            return HttpResponseRedirect(reverse("projects:record", args=[uid]))
    context = {
        "form": form,
        "title": _("Edit %(name)s") % {"name": state.name},
        "cancel_url": reverse("projects:record", args=[uid]),
        "offered": choices(view.query()),
        "state": state,
    }
    return render(request, "projects/form_project.html", context, status=422 if form.errors else 200)


@page(EDIT_PROJECTS)
def plan(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Set the plan of a year with its split by month."""
    found = shown_project(request, uid, "overview")
    if isinstance(found, HttpResponse):
        return found
    view, state = request.view, found.state  # type: ignore[attr-defined]
    text = request.GET.get("year", "")
    year = int(text) if text.isdigit() and 1990 <= int(text) <= 2100 else view.as_of.year
    rows = known(YearPlan.objects.filter(project=state.project, year=year), view.known_at)
    present = rows.order_by("effective_on", "recorded_at", "id").last()
    initial: dict[str, Any] = {"year": year, "effective_on": max(view.as_of, date(year, 1, 1))}
    if present is not None:
        initial |= {"kind": present.kind, "planned_investment": present.planned_investment}
        for index, amount in enumerate(present.monthly or [], start=1):
            initial[f"month_{index}"] = None if amount is None else Decimal(amount)
    elif state.kind:
        initial["kind"] = state.kind
    form = PlanForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        day = form.cleaned_data["effective_on"]
        fact = form.carry_out(lambda _ok: plan_year(request.actor, state.project, day, form.plan()))  # type: ignore[attr-defined]
        if fact is not None:
            offer_undo(request, _("The plan was saved."), [fact])
            return HttpResponseRedirect(reverse("projects:record", args=[uid]))
    context = {
        "form": form,
        "state": state,
        "year": year,
        "title": _("Plan of %(year)s: %(name)s") % {"year": year, "name": state.name},
        "cancel_url": reverse("projects:record", args=[uid]),
    }
    return render(request, "projects/form_plan.html", context, status=422 if form.errors else 200)


@page(EDIT_PROJECTS)
@require_POST
def change_list(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Put the project on a list, or take it off."""
    project = project_or_404(request, uid)
    url = reverse("projects:record_lists", args=[uid])
    form = ListForm(request.POST)
    if not form.is_valid():
        messages.error(request, " ".join(str(text) for texts in form.errors.values() for text in texts))
        return HttpResponseRedirect(url)
    on = request.POST.get("on") != "0"
    try:
        fact = set_list(
            request.actor,  # type: ignore[attr-defined]
            project,
            form.cleaned_data["effective_on"],
            form.cleaned_data["list_code"],
            on=on,
        )
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return HttpResponseRedirect(url)
    text = _("The project was put on the list.") if on else _("The project was taken off the list.")
    offer_undo(request, text, [fact])
    return HttpResponseRedirect(url)


@page(EDIT_PROJECTS)
def remove(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Take a project out of the library, with a reason."""
    found = shown_project(request, uid, "overview")
    if isinstance(found, HttpResponse):
        return found
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            remove_project(request.actor, found.state.project, form.cleaned_data["reason"])  # type: ignore[attr-defined]
        except ValidationError as error:
            attach(form, error)
        else:
            text = _("“%(name)s” was removed.") % {"name": found.state.name}
            messages.success(request, text, extra_tags=f"undo={reverse('projects:restore', args=[uid])}")
            return HttpResponseRedirect(reverse("projects:library"))
    context = {**found.context, "form": form, "cancel_url": reverse("projects:record", args=[uid])}
    return render(request, "projects/form_remove.html", context, status=422 if form.errors else 200)


@page(EDIT_PROJECTS)
@require_POST
def restore(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Bring a removed project back."""
    project = project_or_404(request, uid)
    try:
        restore_project(request.actor, project)  # type: ignore[attr-defined]
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("The project is back as it was."))
    return HttpResponseRedirect(reverse("projects:record", args=[uid]))


@page(REPORT_PROGRESS)
@require_POST
def undo(request: HttpRequest, token: str) -> HttpResponse:
    """Take back the entries that a message offered to undo."""
    try:
        named = signing.loads(token, salt=SALT, max_age=UNDO_DAYS * 24 * 3600)
    except signing.BadSignature:
        raise Http404 from None
    facts = [
        fact
        for name, pk in named
        if (fact := BY_NAME[name].objects.select_related("project").filter(pk=pk).first())
    ]
    _take_back(request, facts, _("Undone right after saving"))
    return back_to(request, reverse("projects:library"))


@page(REPORT_PROGRESS)
@require_POST
def undo_fact(request: HttpRequest, uid: UUID, kind: str, pk: int) -> HttpResponse:
    """Take back one entry from the history, with a reason."""
    project = project_or_404(request, uid)
    model = BY_NAME.get(kind)
    fact = model.objects.select_related("project").filter(pk=pk, project=project).first() if model else None
    if fact is None:
        raise Http404
    _take_back(request, [fact], request.POST.get("reason", ""))
    return back_to(request, reverse("projects:record_history", args=[uid]))


def _take_back(request: HttpRequest, facts: list[Any], reason: str) -> None:
    try:
        undo_facts(request.actor, facts, reason)  # type: ignore[attr-defined]
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("Taken back. It stays in the history, struck out."))
