"""Entering progress: the half-month routine as a table, as a sheet, and one project at a time on a phone."""

import json
from typing import Any
from uuid import UUID

from django.core.exceptions import BadRequest, ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from yuanmai.core.web import page
from yuanmai.projects.actions import report_progress
from yuanmai.projects.actions.progress import FaultyReports, check_reports
from yuanmai.projects.actions.wording import sentence
from yuanmai.projects.engine.checks import WARNING
from yuanmai.projects.engine.periods import Period, parse_period, status
from yuanmai.projects.forms import ReportForm, wan_text
from yuanmai.projects.models import Project, ProjectState
from yuanmai.projects.permissions import REPORT_PROGRESS
from yuanmai.projects.queries.lights import light_of, words
from yuanmai.projects.queries.reporting import (
    known_before,
    narrowed,
    period_asked,
    progress_of,
    reporting,
    routine,
)
from yuanmai.projects.views.edit import offer_undo
from yuanmai.projects.views.record import shown_project

PAGE_SIZE = 100
STATUS = {
    "reported": ("success", "circle-check"),
    "due": ("warning", "clock"),
    "overdue": ("danger", "alert-circle"),
    "early": ("secondary", "calendar-time"),
}


def status_word(code: str) -> str:
    """Return a status in words."""
    return {"reported": _("Reported"), "due": _("Due"), "overdue": _("Overdue"), "early": _("Not yet due")}[
        code
    ]


def period_name(period: Period) -> str:
    """Return a period in words: “2022-03, second half”."""
    text = f"{period.year}-{period.month:02d}"
    if not period.half:
        return text
    part = _("first half") if period.half == 1 else _("second half")
    return _("%(month)s, %(part)s") % {"month": text, "part": part}


def _mine(request: HttpRequest) -> tuple[int, ...]:
    """Return the organisations of the chosen scope in which the user may report."""
    allowed = request.actor.org_ids(REPORT_PROGRESS)  # type: ignore[attr-defined]
    return tuple(pk for pk in request.view.org_ids if pk in allowed)  # type: ignore[attr-defined]


@page(REPORT_PROGRESS)
def index(request: HttpRequest) -> HttpResponse:
    """Every project that reports in the period: what it said last, whether it has reported, and the sheet to fill in."""
    view = request.view  # type: ignore[attr-defined]
    period = period_asked(request.GET.get("period", ""), view.as_of)
    orgs = _mine(request)
    rows = reporting(orgs, period)
    counted = progress_of(rows, period, view.as_of)
    asked = {name: request.GET.get(name, "").strip() for name in ("status", "responsible", "leader", "q")}
    page_obj = Paginator(narrowed(rows, asked), PAGE_SIZE).get_page(request.GET.get("page"))
    shown = list(page_obj.object_list)
    before = known_before(orgs, period, [state.project_id for state in shown])
    as_sheet = request.GET.get("mode") == "sheet"
    frame = view.parameters
    link = {"period": period.code, **{k: v for k, v in asked.items() if v}, **frame}
    lines = [_line(state, before.get(state.project_id), period, view.as_of) for state in shown]

    def tab(label: str, number: int, value: str) -> dict[str, Any]:
        values = {**link, "status": value, **({"mode": "sheet"} if as_sheet else {})}
        return {
            "label": label,
            "url": f"?{urlencode(values)}",
            "active": asked["status"] == value,
            "count": number,
        }

    context = {
        "period": period,
        "period_name": period_name(period),
        "previous_url": f"?{urlencode({**frame, 'period': period.previous().code})}",
        "next_url": f"?{urlencode({**frame, 'period': period.next().code})}",
        "counted": counted,
        "status_word": status_word(counted.waiting),
        "status_tone": STATUS[counted.waiting][0],
        "tabs": [
            tab(_("All"), counted.total, ""),
            tab(_("Missing"), counted.missing, "missing"),
            tab(_("Reported"), counted.reported, "reported"),
        ],
        "list_url": f"?{urlencode(link)}",
        "sheet_url": f"?{urlencode({**link, 'mode': 'sheet'})}",
        "as_sheet": as_sheet,
        "lines": lines,
        "page_obj": page_obj,
        "asked": asked,
        "sheet": _sheet(shown, before) if as_sheet else None,
        "save_url": f"{reverse('projects:progress_save')}?{urlencode({'period': period.code})}",
        "back": f"{reverse('projects:progress')}?{urlencode({**frame, 'period': period.code})}",
        "months_url": f"?{urlencode({**frame, 'period': f'{period.year}-{period.month:02d}' if period.half else f'{period.year}-{period.month:02d}-2'})}",
    }  # fmt: skip
    return render(request, "projects/progress.html", context)


def _line(state: ProjectState, before: ProjectState | None, period: Period, today: Any) -> dict[str, Any]:
    said = bool(state.said)  # type: ignore[attr-defined]
    code = status(said, period, today, routine()["grace_days"])
    return {
        "state": state,
        "before": before,
        "said": said,
        "status": status_word(code),
        "tone": STATUS[code][0],
        "icon": STATUS[code][1],
        "url": f"{reverse('projects:report', args=[state.project.uid])}?period={period.code}",
    }


def _choice(value: bool | None) -> str:
    return "" if value is None else ("yes" if value else "no")


def _percent(state: ProjectState | None) -> str:
    return "" if state is None or state.visible_percent is None else f"{state.visible_percent.normalize():f}"


def _sheet(rows: list[ProjectState], before: dict[int, ProjectState]) -> dict[str, Any]:
    """Return the rows as ``<ym-sheet>`` takes them: what was said in the period, and beside it what was known before."""
    yes_no = [{"value": "yes", "label": _("Yes")}, {"value": "no", "label": _("No")}]
    unit = _("10,000 yuan")
    columns = [
        {"key": "name", "label": _("Project"), "readonly": True, "width": 260},
        {"key": "planned", "label": _("Planned this year"), "unit": unit, "readonly": True, "type": "number", "width": 110},
        {"key": "investment_done", "label": _("Done this year"), "unit": unit, "type": "number", "decimals": 6, "min": 0, "not_less": True, "width": 130},
        {"key": "done_total", "label": _("Done since the start"), "unit": unit, "type": "number", "decimals": 6, "min": 0, "not_less": True, "width": 130},
        {"key": "visible_percent", "label": _("Visible progress (%)"), "type": "percent", "max": 100, "not_less": True, "width": 110},
        {"key": "visible_progress", "label": _("Visible progress"), "type": "text", "width": 260},
        {"key": "started", "label": _("Started"), "type": "choice", "choices": yes_no, "width": 90},
        {"key": "resumed", "label": _("Resumed"), "type": "choice", "choices": yes_no, "width": 90},
        {"key": "completed", "label": _("Completed"), "type": "choice", "choices": yes_no, "width": 90},
        {"key": "problems", "label": _("Problems"), "type": "text", "width": 220},
    ]  # fmt: skip
    lines = []
    for state in rows:
        last = before.get(state.project_id)
        said = bool(state.said)  # type: ignore[attr-defined]
        now = state if said else None
        lines.append(
            {
                "id": state.project_id,
                "url": reverse("projects:record", args=[state.project.uid]),
                "values": {
                    "name": state.name,
                    "planned": wan_text(state.planned_investment),
                    "investment_done": wan_text(now.investment_done) if now else "",
                    "done_total": wan_text(now.done_total) if now else "",
                    "visible_percent": _percent(now),
                    "visible_progress": now.visible_progress if now else "",
                    "started": _choice(now.started) if now else "",
                    "resumed": _choice(now.resumed) if now else "",
                    "completed": _choice(now.completed) if now else "",
                    "problems": now.problems if now else "",
                },
                "previous": {
                    "investment_done": wan_text(last.investment_done),
                    "done_total": wan_text(last.done_total),
                    "visible_percent": _percent(last),
                    "visible_progress": last.visible_progress,
                    "started": _("Yes") if last.started else _("No"),
                    "resumed": _("Yes") if last.resumed else _("No"),
                }
                if last
                else {},
            }
        )
    return {"columns": columns, "rows": lines}


@page(REPORT_PROGRESS)
@require_POST
def save(request: HttpRequest) -> HttpResponse:
    """Save the changed rows of the sheet in one action, or none of them: every fault comes back with its cell."""
    period = parse_period(request.GET.get("period", ""))
    if period is None:
        raise BadRequest(_("Which period? Write it as 2022-03-2."))
    given = _rows(request)
    orgs = _mine(request)
    ids = [int(row["id"]) for row in given]
    projects = {p.pk: p for p in Project.objects.filter(pk__in=ids, org_id__in=orgs)}
    errors: list[dict[str, Any]] = []
    reports: list[tuple[Project, dict[str, Any]]] = []
    for row in given:
        project = projects.get(int(row["id"]))
        if project is None:
            message = _("This project is not one you may report on.")
            errors.append({"id": row["id"], "key": "name", "message": message})
            continue
        form = ReportForm(row["values"])
        if form.is_valid():
            reports.append((project, form.report()))
            continue
        for name, texts in form.errors.items():
            key = name if name in form.fields else "investment_done"
            errors += [{"id": row["id"], "key": key, "message": text} for text in texts]
    if not errors and not reports:
        return JsonResponse({"detail": _("Nothing was changed.")}, status=422)
    if errors:
        return JsonResponse({"errors": errors, "detail": _("Nothing was saved yet.")}, status=422)
    doubts = check_reports(reports, period.last)
    try:
        facts = report_progress(request.actor, period.last, reports)  # type: ignore[attr-defined]
    except FaultyReports as fault:
        errors = [
            {"id": pk, "key": name, "message": text}
            for pk, fields in fault.faults.items()
            for name, texts in fields.items()
            for text in texts
        ]
    except ValidationError as fault:
        fields = fault.message_dict if hasattr(fault, "error_dict") else {"investment_done": fault.messages}
        errors = [{"id": ids[0], "key": k, "message": text} for k, texts in fields.items() for text in texts]
    if errors:
        return JsonResponse({"errors": errors, "detail": _("Nothing was saved yet.")}, status=422)
    text = ngettext("%(n)s report was saved.", "%(n)s reports were saved.", len(reports)) % {
        "n": len(reports)
    }
    warned = [sentence(i) for issues in doubts.values() for i in issues if i.level == WARNING]
    if warned:
        text = f"{text} {_('Please check: %(doubts)s') % {'doubts': ' '.join(warned[:3])}}"
    offer_undo(request, text, facts)
    url = f"{reverse('projects:progress')}?{urlencode({'period': period.code})}"
    return JsonResponse({"saved": len(reports), "url": url, "message": text})


def _rows(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the rows of a posted sheet; raises `BadRequest` where the body is something else."""
    try:
        rows = json.loads(request.body)["rows"]
        for row in rows:
            int(row["id"])
            if not isinstance(row["values"], dict):
                raise TypeError
    except (ValueError, KeyError, TypeError):
        raise BadRequest(_("The body must be {“rows”: [{“id”, “values”}]}.")) from None
    if len(rows) > 1000:
        raise BadRequest(_("At most 1,000 rows at a time."))
    return list(rows)


@page(REPORT_PROGRESS)
def report(request: HttpRequest, uid: UUID) -> HttpResponse:
    """One project's report, made for a phone: the last value under every field."""
    view = request.view  # type: ignore[attr-defined]
    period = period_asked(request.GET.get("period", ""), view.as_of)
    found = shown_project(request, uid, "progress")
    if isinstance(found, HttpResponse):
        return found
    project = found.state.project
    request.actor.require(REPORT_PROGRESS, project.org_id)  # type: ignore[attr-defined]
    before = known_before([project.org_id], period, [project.pk]).get(project.pk)
    now = reporting([project.org_id], period).filter(project=project).first()
    said = bool(now is not None and now.said)
    initial = {}
    if said and now is not None:
        names = ("investment_done", "done_total", "visible_percent", "visible_progress", "problems")
        initial = {name: getattr(now, name) for name in names}
        initial |= {name: getattr(now, name) or None for name in ("started", "resumed", "completed")}
    elif before is not None:
        initial = {"visible_progress": "", "problems": before.problems}
    form = ReportForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        values = form.report()
        facts = form.carry_out(
            lambda confirmed: report_progress(
                request.actor,  # type: ignore[attr-defined]
                period.last,
                [(project, values)],
                confirmed=confirmed,
            )
        )
        if facts is not None:
            offer_undo(
                request, _("The report for %(period)s was saved.") % {"period": period_name(period)}, facts
            )
            target = request.GET.get("then") == "next" and _next_missing(request, period)
            return HttpResponseRedirect(target or reverse("projects:record_progress", args=[uid]))
    context = {
        **found.context,
        "form": form,
        "period": period,
        "period_name": period_name(period),
        "before": before,
        "said": said,
        "fields": [(form[name], _last(name, before)) for name in form.fields],
        "light_now": words(light_of(before, found.context["query"])) if before else "",
        "then_next": request.GET.get("then") == "next",
        "cancel_url": f"{reverse('projects:progress')}?{urlencode({'period': period.code})}",
    }
    return render(request, "projects/form_report.html", context, status=422 if form.errors else 200)


def _last(name: str, before: ProjectState | None) -> str:
    """Return the last value of a field in words; "" where nothing was said."""
    if before is None or before.reported_on is None:
        return ""
    value = getattr(before, name)
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if name in {"investment_done", "done_total"}:
        return wan_text(value)
    return _percent(before) if name == "visible_percent" else str(value)


def _next_missing(request: HttpRequest, period: Period) -> str:
    """Return the form of the next project whose report is missing, "" when all have reported."""
    state = narrowed(reporting(_mine(request), period), {"status": "missing"}).first()
    if state is None:
        return ""
    return f"{reverse('projects:report', args=[state.project.uid])}?{urlencode({'period': period.code, 'then': 'next'})}"
