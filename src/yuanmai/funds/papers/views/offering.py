"""The cross-check of an offering file."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from yuanmai.core.figures import Query
from yuanmai.core.web import page
from yuanmai.funds.engine.crosscheck import COMPUTED, Compared, Missing
from yuanmai.funds.files import max_bytes
from yuanmai.funds.models import Reserve
from yuanmai.funds.papers.offering import Check, check_latest, check_offering, label, shown
from yuanmai.funds.permissions import KEEP_RESERVE, SEE_FUNDS
from yuanmai.projects.queries import states


def _reserve(request: HttpRequest, uid: UUID) -> Reserve:
    reserve = Reserve.objects.select_related("project", "org").filter(uid=uid, withdrawn_at=None).first()
    if reserve is None:
        raise Http404
    request.actor.require(SEE_FUNDS, reserve.org_id)  # type: ignore[attr-defined]
    return reserve


def _line(row: Compared) -> dict[str, Any]:
    code = row.stated.item.code
    return {
        "label": label(code),
        "year": row.stated.item.year or "",
        "cell": f"{row.stated.sheet}!{row.stated.cell}",
        "stated": shown(code, row.stated.value),
        "own": shown(code, row.own.value if row.own else None),
        "origin": (_("computed") if row.own.origin == COMPUTED else _("entered"))
        if row.own
        else _("not entered"),
        "difference": shown(code, row.difference) if row.difference is not None else "—",
        "tolerance": shown(code, row.tolerance),
        "same": row.same,
    }


def _missing(row: Missing) -> dict[str, Any]:
    return {"label": label(row.item.code), "year": row.item.year, "own": shown(row.item.code, row.own.value)}


@page(SEE_FUNDS)
@require_http_methods(["GET", "POST"])
def offering(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Choose the plan of an offering file, and see it beside what is entered: the differences first."""
    reserve = _reserve(request, uid)
    view = request.view  # type: ignore[attr-defined]
    query = Query((reserve.org_id,), view.as_of, view.known_at)
    here = f"{reverse('funds:offering', args=[uid])}?{urlencode(view.parameters)}"
    errors: list[str] = []
    if request.method == "POST":
        upload = request.FILES.get("file")
        if upload is None:
            errors.append(_("Choose the Excel file of the plan."))
        else:
            try:
                found = check_offering(request.actor, reserve, upload, view.as_of)  # type: ignore[attr-defined]
            except ValidationError as error:
                errors += error.messages
            else:
                _say(request, found)
                return redirect(here)
    kept = check_latest(reserve, query)
    state = states(query).filter(project_id=reserve.project_id).first()
    lines = [_line(row) for row in kept[1].rows] if kept else []
    context = {
        "reserve": reserve,
        "name": state.name if state else str(reserve),
        "file": kept[0] if kept else None,
        "lines": sorted(lines, key=lambda line: line["same"]),
        "different": sum(not line["same"] for line in lines),
        "missing": [_missing(row) for row in kept[1].missing] if kept else [],
        "errors": errors,
        "may_check": request.actor.why_not(KEEP_RESERVE, reserve.org_id) is None,  # type: ignore[attr-defined]
        "max_mb": max_bytes() // 1024**2,
        "breadcrumbs": [
            {
                "label": state.name if state else str(reserve),
                "url": f"{reverse('funds:papers_project', args=[reserve.project.uid])}?{urlencode(view.parameters)}",
            },
            {"label": _("Cross-check of the offering file"), "url": ""},
        ],
    }
    return render(request, "funds/papers/offering.html", context, status=422 if errors else 200)


def _say(request: HttpRequest, found: Check) -> None:
    count = len(found.different)
    if count:
        text = ngettext("%(n)s item differs.", "%(n)s items differ.", count) % {"n": count}
        messages.warning(request, text)
    else:
        messages.success(request, _("All %(n)s items agree.") % {"n": len(found.rows)})
