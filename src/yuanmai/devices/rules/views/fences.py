"""The geofence of a rule on the map."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.views.decorators.http import require_GET

from yuanmai.core.web import page
from yuanmai.devices.engine.rules.shapes import corners_of
from yuanmai.devices.models import AlarmRuleVersion
from yuanmai.devices.permissions import SEE_DEVICES
from yuanmai.devices.rules.views.shared import rule_or_404


def shape_of(version: AlarmRuleVersion) -> Any:
    """Return the figure of the first geofence of a version, as it was written; None without one."""

    def look(part: Any) -> Any:
        if isinstance(part, dict):
            if part.get("kind") == "geofence":
                return part.get("shape")
            return next((found for value in part.values() if (found := look(value))), None)
        if isinstance(part, list):
            return next((found for value in part if (found := look(value))), None)
        return None

    return look(version.definition.get("when"))


@page(SEE_DEVICES)
@require_GET
def layers(request: HttpRequest, uid: UUID) -> HttpResponse:
    """The layers of the map that shows a rule's geofence."""
    rule = rule_or_404(request, uid)
    return JsonResponse(
        {"layers": [{"id": "fence", "label": rule.label, "url": reverse("devices:rule_fence", args=[uid]), "kind": "area",
                     "tone": "warning", "visible": True, "label_field": "name", "height_field": None, "color_field": None}],
         "tiles": None}
    )  # fmt: skip


@page(SEE_DEVICES)
@require_GET
def fence(request: HttpRequest, uid: UUID) -> HttpResponse:
    """The geofence of a rule as GeoJSON; a circle as a polygon of 64 corners."""
    rule = rule_or_404(request, uid)
    shape = shape_of(rule.current) if rule.current else None
    features = []
    if shape:
        features.append(
            {
                "type": "Feature",
                "id": 1,
                "geometry": drawn(shape),
                "properties": {"name": rule.label, "detail": ""},
            }
        )
    return JsonResponse({"type": "FeatureCollection", "features": features})


def drawn(shape: dict[str, Any]) -> dict[str, Any]:
    """Return a figure as closed GeoJSON."""
    if shape["type"] == "Circle":
        return {
            "type": "Polygon",
            "coordinates": [corners_of(shape["center"][0], shape["center"][1], shape["radius"])],
        }
    polygons = shape["coordinates"] if shape["type"] == "MultiPolygon" else [shape["coordinates"]]
    closed = [[ring if ring[0] == ring[-1] else [*ring, ring[0]] for ring in rings] for rings in polygons]
    return {"type": "MultiPolygon", "coordinates": closed}
