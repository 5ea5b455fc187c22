"""The map of one project: its site as areas or points."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from yuanmai.core.figures import Query
from yuanmai.core.web import page
from yuanmai.projects.permissions import SEE_PROJECTS
from yuanmai.projects.queries import states
from yuanmai.projects.views.record import project_or_404


@page(SEE_PROJECTS)
def map_layers(request: HttpRequest, uid: UUID) -> HttpResponse:
    """The layers of the project's map: its site and its park."""
    project_or_404(request, uid)
    urls = reverse("projects:map_features", args=[uid])
    return JsonResponse(
        {
            "layers": [
                {"id": "site", "label": _("Site"), "url": urls, "kind": "area", "tone": "primary", "visible": True, "label_field": "name"},
                {"id": "points", "label": _("Position"), "url": f"{urls}?points=1", "kind": "point", "tone": "primary", "visible": True, "label_field": "name"},
            ],
            "tiles": None,
        }
    )  # fmt: skip


@page(SEE_PROJECTS)
def map_features(request: HttpRequest, uid: UUID) -> HttpResponse:
    """The project's site as GeoJSON: areas, or with ``points=1`` points."""
    view = request.view  # type: ignore[attr-defined]
    project = project_or_404(request, uid)
    state = (
        states(Query((project.org_id,), view.as_of, view.known_at))
        .filter(project=project)
        .select_related("version")
        .first()
    )
    site = state.version.site if state else None
    features = []
    if state and isinstance(site, dict):
        is_point = site.get("type") in {"Point", "MultiPoint"}
        if is_point == bool(request.GET.get("points")):
            properties = {
                "name": state.name,
                "detail": state.version.address,
                "url": reverse("projects:record", args=[uid]),
            }
            features.append(
                {"type": "Feature", "id": f"project-{project.pk}", "geometry": site, "properties": properties}
            )
    return JsonResponse({"type": "FeatureCollection", "features": features})
