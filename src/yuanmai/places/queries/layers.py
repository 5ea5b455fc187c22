"""The layers of the map. A room that has something on the map registers it in its `layers.py`; own data only."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

from django.db.models import Max, Min
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from yuanmai.common.geometry import to_mu
from yuanmai.common.money import trimmed
from yuanmai.core.policy import Text
from yuanmai.places.models import Building, Park
from yuanmai.places.permissions import SEE_PLACES
from yuanmai.places.queries import KINDS, PlaceKind

MOST_FEATURES = 10_000  # of one layer; a map of more is unreadable and the page slow


class Frame(Protocol):
    """What governs the page: organisations, day, moment of knowledge."""

    org_ids: tuple[int, ...]
    as_of: date
    known_at: datetime | None


@dataclass(frozen=True)
class Feature:
    """One thing on the map: GeoJSON geometry in WGS84, name, a line about it, its page."""

    key: str
    name: str
    geometry: dict[str, Any]
    url: str = ""
    detail: str = ""
    light: str = ""
    height: float | None = None
    moves: bool = False


Source = Callable[[Frame, Collection[int]], Iterable[Feature]]


@dataclass(frozen=True)
class Layer:
    """A layer as declared. `features` gets the frame and the organisations in which the reader holds `permission`."""

    code: str
    name: Text
    kind: str  # area, line, point, building
    features: Source
    permission: str
    tone: str = "primary"
    visible: bool = True
    lights: bool = False
    order: int = 100
    live: str = ""  # topics of live events that move or recolour its features

    def description(self) -> dict[str, Any]:
        """Return what ``<ym-map>`` needs to know of the layer, without its address."""
        return {
            "id": self.code,
            "label": str(self.name),
            "kind": self.kind,
            "tone": self.tone,
            "visible": self.visible,
            "label_field": "name",
            "height_field": "height" if self.kind == "building" else None,
            "color_field": "light" if self.lights else None,
            "live": self.live or None,
        }


LAYERS: dict[str, Layer] = {}


def register_layer(layer: Layer) -> Layer:
    """Declare a layer; raises `ValueError` for a code declared twice."""
    if layer.code in LAYERS:
        raise ValueError(f"map layer {layer.code} is declared twice")
    LAYERS[layer.code] = layer
    return layer


def collection(features: Iterable[Feature]) -> dict[str, Any]:
    """Return features as a GeoJSON FeatureCollection (RFC 7946)."""
    made = []
    for feature in features:
        properties: dict[str, Any] = {
            "key": feature.key,
            "name": feature.name,
            "detail": feature.detail,
            "url": feature.url,
        }
        if feature.light:
            properties["light"] = feature.light
        if feature.moves:
            properties["moves"] = True
        if feature.height is not None:
            properties["height"] = feature.height
        made.append({"type": "Feature", "geometry": feature.geometry, "properties": properties})
    return {"type": "FeatureCollection", "features": made}


def extent(org_ids: Collection[int]) -> list[float] | None:
    """Return west, south, east, north of the parks of these organisations; None where none has a position."""
    box = Park.objects.filter(org_id__in=org_ids).aggregate(
        w=Min("west"), s=Min("south"), e=Max("east"), n=Max("north")
    )
    return None if box["w"] is None else [box["w"], box["s"], box["e"], box["n"]]


def _detail(kind: PlaceKind, place: Any) -> str:
    parts = [place.code]
    if isinstance(place, Building):
        parts.append(str(place.get_kind_display()))
        parts.append(_("%(n)s floors") % {"n": place.floors})
    elif place.list_area is not None:
        parts.append(_("%(area)s mu") % {"area": trimmed(to_mu(place.list_area), 1)})
    return " · ".join(parts)


def _places(kind: PlaceKind) -> Source:
    def features(frame: Frame, org_ids: Collection[int]) -> Iterable[Feature]:
        from django.db.models.functions import Coalesce

        rows = kind.model.objects.filter(org_id__in=org_ids, west__isnull=False)
        rows = rows.annotate(list_area=Coalesce("area_certificate", "area_projected", "area_geodesic"))
        for place in rows.order_by("code", "pk")[:MOST_FEATURES]:
            height = float(place.floors * place.storey_height) if isinstance(place, Building) else None
            url = reverse("places:record", args=[kind.code, place.pk])
            yield Feature(
                f"{kind.code}-{place.pk}",
                place.label,
                place.geometry,
                url,
                _detail(kind, place),
                height=height,
            )

    return features


# parks first: the list beside the map follows this order
register_layer(
    Layer("parks", gettext_lazy("Parks"), "area", _places(KINDS["park"]), SEE_PLACES, "primary", order=10)
)
register_layer(
    Layer("zones", gettext_lazy("Zones"), "area", _places(KINDS["zone"]), SEE_PLACES, "info", order=20)
)
register_layer(
    Layer(
        "cells",
        gettext_lazy("Grid cells"),
        "area",
        _places(KINDS["gridcell"]),
        SEE_PLACES,
        "warning",
        visible=False,
        order=30,
    )
)
register_layer(
    Layer(
        "parcels", gettext_lazy("Parcels"), "area", _places(KINDS["parcel"]), SEE_PLACES, "success", order=40
    )
)
register_layer(
    Layer(
        "buildings",
        gettext_lazy("Buildings"),
        "building",
        _places(KINDS["building"]),
        SEE_PLACES,
        "secondary",
        order=50,
    )
)
