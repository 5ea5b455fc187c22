"""What is done to the rows picked in the library: lists, leader, responsible organisation, export."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from yuanmai.core.figures import Query
from yuanmai.core.temporal import Fact
from yuanmai.core.web import page
from yuanmai.projects.actions.bulk import MOST, assign_many, set_list_of_many
from yuanmai.projects.models import Project
from yuanmai.projects.permissions import EDIT_PROJECTS, SEE_PROJECTS
from yuanmai.projects.queries import states
from yuanmai.projects.queries.lights import with_light
from yuanmai.projects.views.edit import back_to, offer_undo
from yuanmai.projects.views.library import columns_of, workbook_of

RELATED = ("project", "org", "park", "owner", "version")


def _picked(request: HttpRequest) -> list[Project]:
    """Return the picked projects of the data scope in the order of the list; what is no id counts for nothing."""
    ids: list[UUID] = []
    for text in request.POST.getlist("project")[: MOST + 1]:
        try:
            ids.append(UUID(text))
        except ValueError:
            continue
    found = {project.uid: project for project in Project.objects.filter(uid__in=ids)}
    return [found[uid] for uid in dict.fromkeys(ids) if uid in found]


def _meant(request: HttpRequest) -> str:
    """What the Enter key in one of the fields means: the field that alone is filled."""
    buttons = {"list": "list_on", "leader": "leader", "responsible": "responsible"}
    filled = [button for name, button in buttons.items() if request.POST.get(name, "").strip()]
    return filled[0] if len(filled) == 1 else ""


@page(EDIT_PROJECTS)
@require_POST
def change(request: HttpRequest) -> HttpResponse:
    """Change the picked projects from the day of the page on, and offer to take it back."""
    view, actor = request.view, request.actor  # type: ignore[attr-defined]
    projects, what = _picked(request), request.POST.get("do") or _meant(request)
    back = reverse("projects:library")
    try:
        facts: list[Fact]
        if what in ("list_on", "list_off"):
            value = request.POST.get("list", "")
            facts = set_list_of_many(actor, projects, view.as_of, value, on=what == "list_on")
        elif what in ("leader", "responsible"):
            facts = assign_many(actor, projects, view.as_of, {what: request.POST.get(what, "")})
        else:
            raise ValidationError(_("Choose what shall be done."))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return back_to(request, back)
    if facts:
        text = ngettext("%(n)s project was changed.", "%(n)s projects were changed.", len(facts))
        offer_undo(request, text % {"n": len(facts)}, facts)
    else:
        messages.info(request, _("Nothing to change: the picked projects are so already."))
    return back_to(request, back)


@page(SEE_PROJECTS)
@require_POST
def export(request: HttpRequest) -> HttpResponse:
    """The picked projects as a workbook, with the columns of the list."""
    view = request.view  # type: ignore[attr-defined]
    projects = _picked(request)
    if not projects:
        messages.error(request, _("Choose at least one project."))
        return back_to(request, reverse("projects:library"))
    query = Query(view.org_ids, view.as_of, view.known_at)
    rows = with_light(states(query), query).filter(project__in=projects).select_related(*RELATED)
    place = {project.pk: number for number, project in enumerate(projects)}
    picked = sorted(rows, key=lambda state: place[state.project_id])
    return workbook_of(request, picked, columns_of(request))
