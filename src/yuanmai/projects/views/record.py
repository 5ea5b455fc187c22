"""The page of one project and its tabs."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from hashlib import blake2b
from typing import Any
from uuid import UUID

from django.core.cache import caches
from django.db.models import Case, IntegerField, Value, When
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.http import urlencode
from django.utils.safestring import mark_safe
from django.utils.timezone import localtime
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from yuanmai.common.money import WAN
from yuanmai.core.audit.log import version_for
from yuanmai.core.figures import Query, evaluate_many, get
from yuanmai.core.figures.display import display_value
from yuanmai.core.figures.links import figure_url
from yuanmai.core.figures.model import Unit
from yuanmai.core.findings import Finding
from yuanmai.core.policy import PERMISSIONS
from yuanmai.core.temporal import KNOWN_FOREVER
from yuanmai.core.web import page
from yuanmai.projects.engine.lights import Light, year_passed
from yuanmai.projects.engine.periods import period_of
from yuanmai.projects.forms import ListForm
from yuanmai.projects.models import Blocker, Project, ProjectState
from yuanmai.projects.permissions import DISPATCH_PROJECTS, EDIT_PROJECTS, REPORT_PROGRESS, SEE_PROJECTS
from yuanmai.projects.queries import states
from yuanmai.projects.queries.library import children
from yuanmai.projects.queries.lights import light_of, rule_for, words
from yuanmai.projects.queries.record import facts_of_project, reports_of, year_by_months
from yuanmai.projects.tables import TONES, completion_rate, light_html
from yuanmai.projects.views.chain import chain_of
from yuanmai.projects.views.panels import EXTENSIONS, RecordTab

TABS = (
    RecordTab("overview", gettext_lazy("Overview"), "projects:record", "layout-grid", order=10),
    RecordTab("progress", gettext_lazy("Progress"), "projects:record_progress", "progress", order=20),
    RecordTab(
        "subprojects", gettext_lazy("Sub-projects"), "projects:record_subprojects", "hierarchy-2", order=30
    ),
    RecordTab("blockers", gettext_lazy("Blockers"), "projects:record_blockers", "octagon", order=50),
    RecordTab("lists", gettext_lazy("Lists"), "projects:record_lists", "tag", order=60),
    RecordTab("history", gettext_lazy("History"), "projects:record_history", "history", order=90),
)
# What an overview may show belongs to one of these rooms.
SHOWN_ROOMS = ("core", "enterprises", "funds", "people", "places", "projects")
SPLIT = "<!-- content -->"
RELATED = ("project", "org", "park", "owner", "parent", "version", "plan", "report")


@dataclass(frozen=True)
class Shown:
    """The project of a page: its state, light and what every tab of it shares."""

    state: ProjectState
    light: Light
    context: dict[str, Any]


def project_or_404(request: HttpRequest, uid: UUID) -> Project:
    """Return a project inside the user's data scope."""
    project = Project.objects.filter(uid=uid).first()
    if project is None:
        raise Http404
    return project


def shown_project(request: HttpRequest, uid: UUID, tab: str) -> Shown | HttpResponse:
    """Return what every tab shows, or the page that says why there is nothing to show on this day."""
    view = request.view  # type: ignore[attr-defined]
    project = project_or_404(request, uid)
    query = Query((project.org_id,), view.as_of, view.known_at)
    state = states(query).filter(project=project).select_related(*RELATED).order_by().first()
    if state is None:
        return _absent(request, project)
    light = light_of(state, query)
    open_blockers = Blocker.objects.filter(project=project).exclude(state="closed").count()
    parts = states(query).filter(parent=project).count()
    counts = {"blockers": open_blockers or "", "subprojects": parts or ""}
    actor = request.actor  # type: ignore[attr-defined]
    tabs = [
        {
            "label": each.label,
            "url": f"{reverse(each.url_name, args=[uid])}?{urlencode(view.parameters)}",
            "active": each.code == tab,
            "count": counts.get(each.code),
            "icon": each.icon,
        }
        for each in sorted((*TABS, *EXTENSIONS.tabs), key=lambda t: t.order)
        if not each.permission or actor.why_not(each.permission, project.org_id) is None
    ]
    step, step_url, due = next_step(state, view.as_of, open_blockers)
    main = None
    if state.parent_id:
        main = states(query).filter(project_id=state.parent_id).select_related("project").first()
    context = {
        "state": state,
        "project": project,
        "query": query,
        "light": light.value,
        "light_text": words(light),
        "rule": rule_for(query, project.org_id),
        "stage_tone": TONES.get(state.stage, "secondary"),
        "tabs": tabs,
        "tab": tab,
        "next_step": step,
        "next_url": step_url,
        "next_due": due,
        "main": main,
        "lists": [code for code in state.lists.split("|") if code],
        "may_edit": actor.why_not(EDIT_PROJECTS, project.org_id) is None,
        "may_report": actor.why_not(REPORT_PROGRESS, project.org_id) is None,
        "may_dispatch": actor.why_not(DISPATCH_PROJECTS, project.org_id) is None,
        "why_no_edit": actor.why_not(EDIT_PROJECTS, project.org_id) or "",
        "findings": list(
            Finding.objects.filter(
                org_id=project.org_id, key=f"project-{project.pk}", gone_until=KNOWN_FOREVER
            ).exclude(state="resolved")
        ),
        "breadcrumbs": [
            {
                "label": _("Project library"),
                "url": f"{reverse('projects:library')}?{urlencode(view.parameters)}",
            },
            *(
                [{"label": main.name, "url": reverse("projects:record", args=[main.project.uid])}]
                if main
                else []
            ),
            {"label": state.name, "url": ""},
        ],
    }
    return Shown(state, light, context)


def _absent(request: HttpRequest, project: Project) -> HttpResponse:
    """Say that the project does not stand on this day by this knowledge: not yet entered, or removed."""
    last = ProjectState.objects.filter(project=project).order_by("-known_until", "-effective_from").first()
    current = (
        ProjectState.objects.filter(project=project, known_until=KNOWN_FOREVER)
        .order_by("effective_from")
        .first()
    )
    actor = request.actor  # type: ignore[attr-defined]
    context = {
        "project": project,
        "name": last.name if last else str(project.uid),
        "since": current.effective_from if current else None,
        "removed": current is None,
        "may_restore": current is None and actor.why_not(EDIT_PROJECTS, project.org_id) is None,
    }
    return render(request, "projects/absent.html", context, status=404)


def next_step(state: ProjectState, day: date, blockers: int) -> tuple[str, str, str]:
    """Return what should be done next for a project, where, and until when."""
    uid = state.project.uid
    if state.stage in {"completed", "operating"}:
        return _("Nothing: the project is completed"), "", ""
    period = period_of(day)
    due = state.plan_year == day.year and state.kind != "reserve"
    if due and (state.reported_on is None or state.reported_on < period.previous().last):
        url = f"{reverse('projects:report', args=[uid])}?period={period.previous().code}"
        return _("Report progress"), url, period.previous().last.isoformat()
    if blockers:
        return _("Solve the blockers"), reverse("projects:record_blockers", args=[uid]), ""
    if state.plan_year != day.year and state.kind != "reserve":
        return _("Enter the year's plan"), f"{reverse('projects:plan', args=[uid])}", ""
    return (
        _("Report progress"),
        f"{reverse('projects:report', args=[uid])}?period={period.code}",
        period.last.isoformat(),
    )


def _figures(state: ProjectState, view: Any) -> list[dict[str, Any]]:
    """Return the figure cards of a project; a main project's are the registry's, narrowed to it."""
    filters = {"project": str(state.project.uid)}
    codes = (
        "projects.library_investment", "projects.planned_investment", "projects.investment_done",
        "projects.completion_rate", "projects.time_progress", "projects.ahead_points",
    )  # fmt: skip
    query = Query((state.org_id,), view.as_of, view.known_at, tuple(filters.items()))
    if state.main and state.kind != "reserve" and state.plan_year == view.as_of.year:
        results = evaluate_many(codes, query)
        return [
            {
                "label": _("Total investment") if code.endswith("library_investment") else get(code).name,
                "display": display_value(results[code].value, get(code).unit),
                "url": figure_url(code, view, **filters),
            }
            for code in codes
        ]
    rate = completion_rate(state)
    return [
        {"label": _("Total investment"), "display": display_value(state.total_investment, Unit.YUAN), "url": ""},
        {"label": _("Planned investment of the year"), "display": display_value(state.planned_investment, Unit.YUAN), "url": ""},
        {"label": _("Investment done this year"), "display": display_value(state.investment_done, Unit.YUAN), "url": ""},
        {"label": _("Completion rate"), "display": display_value(rate, Unit.RATIO), "url": ""},
    ]  # fmt: skip


def _in_wan(value: Decimal | None) -> Decimal | None:
    return None if value is None else (value / WAN).quantize(Decimal("0.01"))


def year_chart(state: ProjectState, query: Query) -> dict[str, Any]:
    """Return the year by months as a chart: planned, time-proportional, done; cumulative, in 万元."""
    months = year_by_months(state, query)
    series: list[dict[str, Any]] = [
        {"name": _("Done"), "type": "bar", "data": [_in_wan(m.done) for m in months], "tone": "primary"},
    ]
    if any(m.planned is not None for m in months):
        series.append({"name": _("Planned"), "type": "line", "data": [_in_wan(m.planned) for m in months]})
    series.append(
        {
            "name": _("Time-proportional"),
            "type": "line",
            "data": [_in_wan(m.time) for m in months],
            "tone": "secondary",
        }
    )
    return {
        "type": "bar",
        "axis": _("Month"),
        "unit": _("10,000 yuan"),
        "categories": [f"{query.as_of.year}-{m.month:02d}" for m in months],
        "series": series,
    }


@page(SEE_PROJECTS)
def overview(request: HttpRequest, uid: UUID) -> HttpResponse:
    """What the project is, where it stands, and what it is linked to along the chain.

    Written once for each frame, set of rights and language, until something changes that it may show; the frame around it is
    the reader's own. It holds no form.
    """
    store, key = caches["fragments"], _kept_key(request, project_or_404(request, uid))
    written = store.get(key)
    if written is None:
        found = shown_project(request, uid, "overview")
        if isinstance(found, HttpResponse):
            return found
        written = _written(request, found, uid)
        store.set(key, written)
    return render(request, "projects/record_kept.html", written)


def _kept_key(request: HttpRequest, project: Project) -> str:
    view, actor = request.view, request.actor  # type: ignore[attr-defined]
    rights = sorted(code for code in PERMISSIONS if project.org_id in actor.org_ids(code))
    version = version_for(SHOWN_ROOMS, [project.org_id])
    asked = f"{project.pk}|{view.parameters}|{get_language()}|{rights}"
    return f"record:{version}:{blake2b(asked.encode(), digest_size=16).hexdigest()}"


def _written(request: HttpRequest, found: Shown, uid: UUID) -> dict[str, Any]:
    view, state = request.view, found.state  # type: ignore[attr-defined]
    query: Query = found.context["query"]
    passed = year_passed(view.as_of)
    context = {
        **found.context,
        "figures": _figures(state, view),
        "chart": year_chart(state, query) if state.plan_year else None,
        "rate": completion_rate(state),
        "time": Decimal(passed.numerator) / Decimal(passed.denominator),
        "panels": [panel for make in EXTENSIONS.panels if (panel := make(request, state)) is not None],
        "blockers": _blockers(state.project)[:5],
        "chain": chain_of(request, state, found.context["main"]),
        "map_url": reverse("projects:map_layers", args=[uid]) if state.has_site else "",
        "layout": "core/bare.html",
    }
    head, body = render_to_string("projects/record_overview.html", context, request).split(SPLIT)
    return {
        "title": state.name,
        "breadcrumbs": found.context["breadcrumbs"],
        "head": mark_safe(head),
        "body": mark_safe(body),
    }


@page(SEE_PROJECTS)
def progress(request: HttpRequest, uid: UUID) -> HttpResponse:
    """The reports of a project as a timeline, and its year as a chart."""
    found = shown_project(request, uid, "progress")
    if isinstance(found, HttpResponse):
        return found
    query: Query = found.context["query"]
    reports = reports_of(found.state.project, query)
    context = {
        **found.context,
        "chart": year_chart(found.state, query) if found.state.plan_year else None,
        "reports": reports,
        "entries": [
            {
                "title": report.effective_on.isoformat(),
                "when": moment(report.recorded_at),
                "iso": report.recorded_at.isoformat(),
                "who": who(report),
                "text": "\n".join(text for text in (report.visible_progress, report.problems) if text),
                "icon": "clipboard-check",
                "tone": "warning" if report.problems else "primary",
            }
            for report in reports
        ],
    }
    return render(request, "projects/record_progress.html", context)


@page(SEE_PROJECTS)
def subprojects(request: HttpRequest, uid: UUID) -> HttpResponse:
    """The sub-projects with what they add up to."""
    found = shown_project(request, uid, "subprojects")
    if isinstance(found, HttpResponse):
        return found
    query: Query = found.context["query"]
    rows = children(query, [found.state.project_id]).get(found.state.project_id, [])
    names = ("total_investment", "planned_investment", "investment_done")
    totals = {name: sum((getattr(r, name) or Decimal(0) for r in rows), Decimal(0)) for name in names}
    lights = [(row, light_html(row.light)) for row in rows]  # type: ignore[attr-defined]
    return render(
        request, "projects/record_subprojects.html", {**found.context, "rows": lights, "totals": totals}
    )


def _blockers(project: Project) -> Any:
    closed_last = Case(When(state="closed", then=Value(1)), default=Value(0), output_field=IntegerField())
    return Blocker.objects.filter(project=project).order_by(closed_last, "due_on", "-opened_on")


@page(SEE_PROJECTS)
def blockers(request: HttpRequest, uid: UUID) -> HttpResponse:
    """What stops the project."""
    found = shown_project(request, uid, "blockers")
    if isinstance(found, HttpResponse):
        return found
    rows = list(_blockers(found.state.project))
    return render(request, "projects/record_blockers.html", {**found.context, "blockers": rows})


@page(SEE_PROJECTS)
def lists(request: HttpRequest, uid: UUID) -> HttpResponse:
    """The lists that the project is or was on."""
    found = shown_project(request, uid, "lists")
    if isinstance(found, HttpResponse):
        return found
    view = request.view  # type: ignore[attr-defined]
    told = [t for t in facts_of_project(found.state.project, view.known_at) if t.kind == "listmembership"]
    form = ListForm(initial={"effective_on": view.as_of}, auto_id="list_%s")
    context = {**found.context, "memberships": [t.fact for t in told], "form": form}
    return render(request, "projects/record_lists.html", context)


def moment(value: Any) -> str:
    """Return a moment as people read it, in local time."""
    return date_format(localtime(value), "Y-m-d H:i")


def who(fact: Any) -> str:
    """Return who recorded a fact, and that it came with an import, if so."""
    name = str(fact.recorded_by) if fact.recorded_by else _("System")
    return f"{name} · {_('Import')}" if fact.batch_id else name
