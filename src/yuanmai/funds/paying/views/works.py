"""Physical work: planning it, and measuring it on the site with a phone."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from yuanmai.core.figures import Query
from yuanmai.core.figures.display import chinese
from yuanmai.core.web import page
from yuanmai.funds.models import WorkItem
from yuanmai.funds.paying.actions import measure, plan_work
from yuanmai.funds.paying.forms import MeasureForm, WorkForm
from yuanmai.funds.paying.queries import contracts, work_items
from yuanmai.funds.paying.views.shared import entry_page, paying_url, project_crumbs, state_of, uploads
from yuanmai.funds.permissions import KEEP_CONTRACTS
from yuanmai.places.models import Building
from yuanmai.projects.views.record import shown_project

UNITS = ("m", "m²", "m³", "km", "set", "pcs")
UNITS_ZH = ("米", "平方米", "立方米", "公里", "套", "台", "座", "亩")


@page(KEEP_CONTRACTS)
def create(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Plan a physical work quantity."""
    found = shown_project(request, uid, "paying")
    if isinstance(found, HttpResponse):
        return found
    project, query = found.state.project, found.context["query"]
    form = WorkForm(
        request.POST or None,
        contracts=contracts(query, [project.pk]).order_by("number"),
        buildings=Building.objects.filter(org_id=project.org_id).order_by("name"),
    )

    def save(_confirmed: bool) -> tuple[str, Any, str]:
        plan_work(request.actor, project, **form.cleaned_data)  # type: ignore[attr-defined]
        return _("The work was recorded."), (), paying_url(request, project)

    return entry_page(
        request, form, save, title=_("Plan a physical work quantity"), subtitle=found.state.name,
        cancel_url=paying_url(request, project), crumbs=project_crumbs(request, project, found.state.name),
        units=UNITS_ZH if chinese() else UNITS,
    )  # fmt: skip


@page(KEEP_CONTRACTS)
def measure_form(request: HttpRequest, pk: int) -> HttpResponse:
    """Enter how much stands on the ground, with a photograph; made for the phone."""
    item = (
        WorkItem.objects.select_related("project", "contract", "building")
        .filter(pk=pk, retracted_at=None)
        .first()
    )
    if item is None:
        raise Http404
    view = request.view  # type: ignore[attr-defined]
    query = Query((item.org_id,), view.as_of, view.known_at)
    state = state_of(query, item.project)
    name = state.name if state else str(item.project)
    last: Any = work_items(query, [item.project_id]).filter(pk=item.pk).first()
    form = MeasureForm(request.POST or None, initial={"effective_on": view.as_of})

    def save(confirmed: bool) -> tuple[str, Any, str]:
        values = form.cleaned_data
        _row, flags = measure(
            request.actor,  # type: ignore[attr-defined]
            item,
            values["effective_on"],
            values["quantity"],
            note=values["note"],
            confirmed=confirmed,
            files=uploads(request, "file", "photo"),
        )
        return _("The measurement was recorded."), flags, paying_url(request, item.project)

    return entry_page(
        request, form, save, title=_("Measure on site"), subtitle=f"{item.name} · {name}", submit=_("Save the measurement"),
        cancel_url=paying_url(request, item.project), crumbs=project_crumbs(request, item.project, name),
        template="funds/paying/measure.html", item=item,
        measured=last.measured if last else None, measured_on=last.measured_on if last else None,
        drop={"name": "file", "label": _("Take a photograph"), "multiple": True, "accept": "image/*"},
    )  # fmt: skip
