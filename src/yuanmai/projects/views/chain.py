"""What a project is linked to along the chain, as its page shows it."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from yuanmai.core.web.links import link
from yuanmai.projects.models import ProjectState
from yuanmai.projects.views.panels import EXTENSIONS


def chain_of(request: HttpRequest, state: ProjectState, main: ProjectState | None) -> list[dict[str, Any]]:
    """Return the links along the chain: organisation → park → (main project →) project → owner → funding."""
    view, actor = request.view, request.actor  # type: ignore[attr-defined]
    frame = urlencode(view.parameters)
    links = [
        {
            "kind": _("Organisation"),
            "label": state.org.label,
            "url": f"{reverse('projects:library')}?{urlencode({**view.parameters, 'org': state.org.code})}",
            "icon": "sitemap",
        }
    ]
    if state.park:
        url = (
            link("places:park", state.park_id)
            or f"{reverse('projects:library')}?{frame}&{urlencode({'park': state.park.name})}"
        )
        links.append({"kind": _("Park"), "label": state.park.label, "url": url, "icon": "building-factory-2"})
    if main is not None:
        url = f"{reverse('projects:record', args=[main.project.uid])}?{frame}"
        links.append({"kind": _("Main project"), "label": main.name, "url": url, "icon": "hierarchy-2"})
    links.append({"kind": _("Project"), "label": state.name, "url": "", "icon": "crane"})
    if state.owner:
        url = link("enterprises:record", state.owner_id) or link("enterprises:detail", state.owner_id)
        links.append(
            {
                "kind": _("Owner enterprise"),
                "label": state.owner.name,
                "url": url,
                "icon": "building-skyscraper",
            }
        )
    for each in EXTENSIONS.tabs:
        if not each.permission or actor.why_not(each.permission, state.org_id) is None:
            url = f"{reverse(each.url_name, args=[state.project.uid])}?{frame}"
            links.append(
                {"kind": _("Next in the chain"), "label": str(each.label), "url": url, "icon": each.icon}
            )
    return links
