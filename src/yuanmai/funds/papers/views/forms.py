"""The forms of a place and of a project: shown as pages, handed out as files, long ones in the background."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header, urlencode
from django.utils.translation import gettext as _

from yuanmai.core.documents import Align, Column, Kind, RowKind, Table, Value
from yuanmai.core.documents.model import head_grid
from yuanmai.core.documents.text import shown
from yuanmai.core.jobs.actions import enqueue
from yuanmai.core.jobs.queries import visible_jobs
from yuanmai.core.web import page
from yuanmai.funds.models import Allotment
from yuanmai.funds.papers.api import answer
from yuanmai.funds.papers.sheets import budget, coverage, publication, service, use
from yuanmai.funds.papers.sheets.model import FORMS, MEDIA, WIDE, Asked, Form, Sheet, forms, written
from yuanmai.funds.papers.sheets.writing import WRITE, file_of
from yuanmai.funds.permissions import SEE_FUNDS
from yuanmai.projects.queries import states
from yuanmai.projects.views.record import shown_project

assert all((budget, coverage, publication, service, use))  # they declare their forms
MANY = 400  # allotments from which a file of a place is written in the background
MOST_ROWS = 400  # rows of a table that a page shows
KINDS = {
    RowKind.TOTAL: "is-total",
    RowKind.SUBTOTAL: "is-subtotal",
    RowKind.GROUP: "is-group",
    RowKind.ROW: "",
}


def _form(code: str, *, of_project: bool) -> Form:
    found = FORMS.get(code)
    if found is None or found.of_project is not of_project:
        raise Http404
    return found


def _asked(request: HttpRequest) -> Asked:
    view = request.view  # type: ignore[attr-defined]
    if view.org is None:
        raise Http404
    return Asked(view.query(), view.org)


def _address(request: HttpRequest, name: str, *args: Any) -> str:
    return f"{reverse(name, args=args)}?{urlencode(request.view.parameters)}"  # type: ignore[attr-defined]


def _files(request: HttpRequest, name: str, *args: Any) -> list[dict[str, str]]:
    labels = {"xlsx": "Excel", "docx": "Word", "pdf": "PDF"}
    return [{"label": labels[ending], "url": _address(request, name, *args, ending)} for ending in MEDIA]


def shown_tables(sheet: Sheet) -> list[dict[str, Any]]:
    """Return the tables of a form as a page shows them: texts with their alignment, long ones cut."""
    return [_shown(table) for table in sheet.tables]


def _text(value: Value, column: Column) -> str:
    """Return a cell as pages show it: thousands separated, unlike in official documents."""
    if isinstance(value, Decimal) and column.kind is Kind.DECIMAL:
        return f"{value:,.{column.digits}f}"
    return shown(value, column)


def _css(column: Column, number: int, width: int) -> str:
    """Return the classes of a cell: figures and dates stay on one line, as do the first two columns of a wide table."""
    if column.alignment == Align.RIGHT:
        return "num text-nowrap"
    if column.kind is Kind.DATE:
        return "text-nowrap"
    return "text-nowrap" if number < 2 and width > WIDE else ""


def _shown(table: Table) -> dict[str, Any]:
    width = len(table.columns)
    css = [_css(column, number, width) for number, column in enumerate(table.columns)]
    lines: list[dict[str, Any]] = []
    for row in table.rows[:MOST_ROWS]:
        if row.kind is RowKind.GROUP:
            lines.append({"css": KINDS[row.kind], "group": str(row.cells[0])})
            continue
        cells = [
            {"text": _text(value, column), "css": name}
            for value, column, name in zip(row.cells, table.columns, css, strict=True)
        ]
        lines.append({"css": KINDS[row.kind], "cells": cells})
    head = [
        [
            {
                "cell": place[0],
                "css": "text-center" if place[0].colspan > 1 else css[number],
            }
            for number, place in enumerate(places)
            if place is not None and place[1]
        ]
        for places in head_grid(table)
    ]
    more = max(0, len(table.rows) - MOST_ROWS)
    return {"table": table, "head": head, "lines": lines, "width": width, "more": more}


@page(SEE_FUNDS)
def index(request: HttpRequest) -> HttpResponse:
    """All forms of a place, and what is handed out in open formats."""
    asked = _asked(request)
    lines = [
        {
            "form": item,
            "url": _address(request, "funds:paper", item.code),
            "files": _files(request, "funds:paper_file", item.code),
        }
        for item in forms(of_project=False)
    ]
    context = {
        "lines": lines,
        "org": asked.org,
        "oc4ids_url": _address(request, "funds:oc4ids"),
        "breadcrumbs": [{"label": _("Forms and exports"), "url": ""}],
    }
    return render(request, "funds/papers/index.html", context)


@page(SEE_FUNDS)
def show(request: HttpRequest, code: str) -> HttpResponse:
    """One form of a place."""
    item, asked = _form(code, of_project=False), _asked(request)
    sheet = item.fill(asked)
    context = {
        "form": item,
        "sheet": sheet,
        "tables": shown_tables(sheet),
        "files": _files(request, "funds:paper_file", item.code),
        "breadcrumbs": [
            {"label": _("Forms and exports"), "url": _address(request, "funds:papers")},
            {"label": item.name, "url": ""},
        ],
    }
    return render(request, "funds/papers/show.html", context)


@page(SEE_FUNDS)
def download(request: HttpRequest, code: str, ending: str) -> HttpResponse:
    """A form of a place as a file; that of a large place is written in the background."""
    item, asked = _form(code, of_project=False), _asked(request)
    if ending not in MEDIA:
        raise Http404
    rows = Allotment.objects.filter(project__org_id__in=asked.query.org_ids, retracted_at=None)
    if rows.count() > MANY:
        known = asked.query.known_at
        arguments = {
            "form": code, "ending": ending, "org": asked.org.id, "as_of": asked.query.as_of.isoformat(),
            "known_at": known.isoformat() if known else None,
        }  # fmt: skip
        title = f"{item.name} · {asked.org.name}"
        job = enqueue(request.actor, WRITE, title, arguments, asked.org.id)  # type: ignore[attr-defined]
        return redirect("jobs:record", job.pk)
    return _answer(item.fill(asked), asked, ending)


def _answer(sheet: Sheet, asked: Asked, ending: str) -> HttpResponse:
    response = HttpResponse(written(sheet, asked, ending), content_type=MEDIA[ending])
    name = f"{sheet.title} {asked.query.as_of}.{ending}"
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name) or ""
    return response


@page(SEE_FUNDS)
def finished(request: HttpRequest, pk: int) -> Any:
    """Hand out what a job wrote, to whoever may see the job."""
    job = visible_jobs(request.actor).filter(pk=pk, kind=WRITE, state="done").first()  # type: ignore[attr-defined]
    request.actor.require(SEE_FUNDS, job.org_id if job else None)  # type: ignore[attr-defined]
    result = (job.result or {}) if job else {}
    file = file_of(str(result.get("digest", "")))
    if file is None or not file.is_file():
        raise Http404
    return FileResponse(
        file.open("rb"), as_attachment=True, filename=result["name"], content_type=MEDIA[result["ending"]]
    )


@page(SEE_FUNDS)
def of_project(request: HttpRequest, uid: UUID) -> HttpResponse:
    """The forms of one project, one of them shown."""
    found = shown_project(request, uid, "papers")
    if isinstance(found, HttpResponse):
        return found
    known = forms(of_project=True)
    chosen = next((item for item in known if item.code == request.GET.get("form")), known[0])
    asked = Asked(found.context["query"], request.view.org, found.state)  # type: ignore[attr-defined]
    sheet = chosen.fill(asked)
    here = _address(request, "funds:papers_project", uid)
    context = {
        **found.context,
        "form": chosen,
        "forms": [
            {
                "label": item.name,
                "url": f"{here}&form={item.code}",
                "active": item is chosen,
                "icon": item.icon,
            }
            for item in known
        ],
        "sheet": sheet,
        "offering_url": _offering(request, asked),
        "tables": shown_tables(sheet),
        "files": _files(request, "funds:paper_project_file", uid, chosen.code),
    }
    return render(request, "funds/papers/project.html", context)


def _offering(request: HttpRequest, asked: Asked) -> str:
    reserve = coverage.reserve_of(asked)
    return _address(request, "funds:offering", reserve.uid) if reserve else ""


@page(SEE_FUNDS)
def download_project(request: HttpRequest, uid: UUID, code: str, ending: str) -> HttpResponse:
    """A form of a project as a file."""
    item, asked = _form(code, of_project=True), _asked(request)
    state = states(asked.query).filter(project__uid=uid).select_related("project", "org").first()
    if state is None or ending not in MEDIA:
        raise Http404
    asked = Asked(asked.query, asked.org, state)
    return _answer(item.fill(asked), asked, ending)


@page(SEE_FUNDS)
def oc4ids(request: HttpRequest) -> Any:
    """The projects of a place as an OC4IDS package."""
    from yuanmai.core.api.problems import Problem

    try:
        return answer(request)  # type: ignore[arg-type]
    except Problem:
        raise Http404 from None
