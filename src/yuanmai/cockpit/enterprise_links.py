"""What the rooms above know of an enterprise, shown on its page: the projects that it owns."""

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from yuanmai.enterprises.models import Enterprise
from yuanmai.enterprises.relations import Linked, Section, enterprise_links
from yuanmai.projects.permissions import SEE_PROJECTS
from yuanmai.projects.queries import states

SHOWN = 100


@enterprise_links
def projects_of(request: HttpRequest, row: Enterprise) -> Section | None:
    """Return the projects that the enterprise owns on the page's day (one query)."""
    view, actor = request.view, request.actor  # type: ignore[attr-defined]
    if actor.why_not(SEE_PROJECTS):
        return None
    owned = states(view.query()).filter(owner=row, org_id__in=actor.org_ids(SEE_PROJECTS))
    items = [
        Linked(state.name, reverse("projects:record", args=[state.project.uid]),
               " · ".join(filter(None, [state.get_kind_display(), state.get_stage_display(), state.responsible])))
        for state in owned.select_related("project").order_by("name", "pk")[:SHOWN]
    ]  # fmt: skip
    return Section(_("Its projects"), "crane", items)
