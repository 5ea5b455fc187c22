"""Putting a project in reserve and changing what it asks for."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from yuanmai.core.figures import Query
from yuanmai.core.search import matching
from yuanmai.core.web import page
from yuanmai.funds.models import Reserve, Source
from yuanmai.funds.permissions import KEEP_RESERVE, SEE_FUNDS
from yuanmai.funds.queries import lines_of
from yuanmai.funds.reserve.actions import change_reserve, enter_reserve
from yuanmai.funds.reserve.actions.entering import FIELDS
from yuanmai.funds.reserve.forms import ReserveForm
from yuanmai.funds.reserve.queries import park_level
from yuanmai.funds.reserve.rules import rules_for
from yuanmai.funds.reserve.views.shared import shown, stage
from yuanmai.funds.reserve.workflow import TONES
from yuanmai.projects.models import ProjectState
from yuanmai.projects.queries import main_projects
from yuanmai.projects.views.record import shown_project

OFFERED = 30
TERM, RATE = 15, Decimal("0.03")


def defaults(state: ProjectState, query: Query, as_of: date) -> dict[str, Any]:
    """Return what an application starts from: the project's investment, dates and park, and the sources it has."""
    sums: dict[str, Decimal] = {}
    bonds = Decimal(0)
    for line in lines_of(query, state.project_id):
        sums[line.source] = sums.get(line.source, Decimal(0)) + line.amount
        if line.source == Source.SPECIAL_BOND:
            bonds += line.amount
    total = state.total_investment
    capital = (
        sums.get(Source.FISCAL, Decimal(0))
        + sums.get(Source.OWN, Decimal(0))
        + sums.get(Source.OTHER, Decimal(0))
    )
    loans = sums.get(Source.LOAN, Decimal(0))
    if total is not None and not bonds and capital:
        bonds = max(total - capital - loans, Decimal(0))
    return {
        "year": as_of.year,
        "field": "park_infrastructure" if park_level(state) else "",
        "sector": "infrastructure",
        "total_investment": total,
        "capital": capital or None,
        "requested": bonds or None,
        "other_debt": loans or None,
        "term_years": TERM,
        "rate": RATE,
        "construction_start": state.start_on,
        "construction_end": state.finish_on,
    }


def others(query: Query, reserve: Reserve | None = None) -> dict[int, str]:
    """Return the other reserve projects of a place by id, with their projects' names (one query)."""
    from yuanmai.funds.figures import facts

    rows: QuerySet[Any] = facts.reserves(query)
    if reserve is not None:
        rows = rows.exclude(pk=reserve.pk)
    return {row.pk: f"{row.name} ({row.year})" for row in rows}


def _batches(org_ids: Any) -> list[str]:
    rows = Reserve.objects.filter(org_id__in=org_ids, withdrawn_at=None).exclude(joint_start="")
    return list(rows.order_by("joint_start").values_list("joint_start", flat=True).distinct())


@page(KEEP_RESERVE)
def pick(request: HttpRequest) -> HttpResponse:
    """Which project to put in reserve: those that are not in it yet, by name."""
    view = request.view  # type: ignore[attr-defined]
    allowed = request.actor.org_ids(KEEP_RESERVE)  # type: ignore[attr-defined]
    query = Query(tuple(pk for pk in view.org_ids if pk in allowed), view.as_of, view.known_at)
    rows = main_projects(query).exclude(stage__in=("completed", "operating"))
    inside = Reserve.objects.filter(year=view.as_of.year, withdrawn_at=None, org_id__in=query.org_ids)
    rows = rows.exclude(project_id__in=inside.values("project_id")).select_related("project", "org")
    text = request.GET.get("q", "").strip()
    if text:
        rows = rows.filter(matching(text, "name", "code", pinyin="pinyin"))
    found = list(rows.order_by("name", "id")[: OFFERED + 1])
    context = {
        "rows": found[:OFFERED],
        "more": len(found) > OFFERED,
        "text": text,
        "breadcrumbs": [
            {"label": _("Bond reserve"), "url": reverse("funds:reserve")},
            {"label": _("Put a project in reserve"), "url": ""},
        ],
    }
    return render(request, "funds/reserve/pick.html", context)


@page(KEEP_RESERVE)
def enter(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Put a project in reserve, starting from what the project library knows of it."""
    found = shown_project(request, uid, "reserve")
    if isinstance(found, HttpResponse):
        return found
    view, actor = request.view, request.actor  # type: ignore[attr-defined]
    state, query = found.state, found.context["query"]
    actor.require(KEEP_RESERVE, state.org_id)
    form = ReserveForm(
        request.POST or None,
        initial=defaults(state, query, view.as_of),
        rules=rules_for(state.org_id, view.as_of, view.known_at),
        others=others(view.query()),
        batches=_batches(view.org_ids),
    )
    if request.method == "POST" and form.is_valid():
        waits = list(form.cleaned_data["depends_on"])
        reserve = form.carry_out(
            lambda confirmed: enter_reserve(
                actor, state.project, view.as_of, form.attributes(), depends_on=waits, confirmed=confirmed
            )
        )
        if reserve is not None:
            messages.success(request, _("The project stands in the reserve. Next: the plan by year."))
            return HttpResponseRedirect(reverse("funds:reserve_plan", args=[reserve.uid]))
    context = {
        **found.context,
        "form": form,
        "title": _("Put in reserve"),
        "name": state.name,
        "cancel_url": reverse("funds:project_reserve", args=[uid]),
    }
    wrong = bool(form.errors or form.warnings)
    return render(request, "funds/reserve/form.html", context, status=422 if wrong else 200)


@page(KEEP_RESERVE)
def edit(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Change what a reserve project asks for."""
    found = shown(request, uid, "overview")
    view, actor = request.view, request.actor  # type: ignore[attr-defined]
    reserve = found.reserve
    actor.require(KEEP_RESERVE, reserve.org_id)
    if not found.context["open"]:
        messages.error(request, _("The application can be changed only while it is being prepared."))
        return HttpResponseRedirect(reverse("funds:reserve_record", args=[uid]))
    initial = {name: getattr(reserve, name) for name in FIELDS}
    initial["depends_on"] = list(reserve.depends_on.values_list("pk", flat=True))
    form = ReserveForm(
        request.POST or None,
        initial=initial,
        rules=rules_for(reserve.org_id, view.as_of, view.known_at),
        others=others(view.query(), reserve),
        batches=_batches(view.org_ids),
    )
    if request.method == "POST" and form.is_valid():
        waits = list(form.cleaned_data["depends_on"])
        saved = form.carry_out(
            lambda confirmed: change_reserve(
                actor, reserve, view.as_of, form.attributes(), depends_on=waits, confirmed=confirmed
            )
        )
        if saved is not None:
            messages.success(request, _("The application was saved."))
            return HttpResponseRedirect(reverse("funds:reserve_record", args=[uid]))
    context = {
        **found.context,
        "form": form,
        "title": _("Change the application"),
        "cancel_url": reverse("funds:reserve_record", args=[uid]),
    }
    wrong = bool(form.errors or form.warnings)
    return render(request, "funds/reserve/form.html", context, status=422 if wrong else 200)


@page(SEE_FUNDS)
def project(request: HttpRequest, uid: UUID) -> HttpResponse:
    """The tab of a project's page: its applications for special bonds."""
    found = shown_project(request, uid, "reserve")
    if isinstance(found, HttpResponse):
        return found
    actor, state = request.actor, found.state  # type: ignore[attr-defined]
    rows = Reserve.objects.filter(project=state.project).order_by("-year", "-pk")
    lines = [
        {
            "reserve": row,
            "stage": stage(row),
            "tone": "secondary" if row.withdrawn_at else TONES[row.state],
            "url": reverse("funds:reserve_record", args=[row.uid]),
        }
        for row in rows
    ]
    context = {**found.context, "lines": lines, "may_keep": actor.why_not(KEEP_RESERVE, state.org_id) is None}
    return render(request, "funds/reserve/project.html", context)
