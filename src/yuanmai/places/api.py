"""The places room for programs."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal

from django.http import Http404
from pydantic import Field

from yuanmai.core.api import ApiRequest, Page, Paging, Query, Router, Schema, order_field, paginate
from yuanmai.places.permissions import SEE_PLACES
from yuanmai.places.queries import KINDS, filtered, places

router = Router(tags=["places"])
KindCode = Literal["park", "zone", "gridcell", "parcel", "building"]


class Areas(Schema):
    """Areas in square metres by kind: as registered, in the 3° Gauss–Krüger zone, on the ellipsoid."""

    certificate: Decimal | None
    projected: Decimal | None
    geodesic: Decimal | None


class PlaceOut(Schema):
    """A place. `geometry` is GeoJSON in WGS84 and only given where one place is asked for."""

    id: int
    kind: str
    code: str
    name: str
    name_en: str
    organisation: str = Field(description="code")
    park: str | None = Field(description="code")
    areas: Areas
    bounds: list[float] | None = Field(description="west, south, east, north in degrees")
    floors: int | None = None
    height: float | None = Field(None, description="metres: floors × storey height")
    geometry: dict[str, Any] | None = None


class PlaceFilter(Schema):
    """Which places, in which order."""

    q: str = Field("", max_length=60, description="words in name or code")
    park: int | None = Field(None, ge=1, description="id of a park")
    order: str = order_field("code", "name", "area")


def _document(kind: str, place: Any, *, geometry: bool = False) -> PlaceOut:
    building = kind == "building"
    park = getattr(place, "park", None)
    return PlaceOut(
        id=place.pk,
        kind=kind,
        code=place.code,
        name=place.name,
        name_en=place.name_en,
        organisation=place.org.code,
        park=park.code if park else None,
        areas=Areas(
            certificate=place.area_certificate, projected=place.area_projected, geodesic=place.area_geodesic
        ),
        bounds=None if place.west is None else [place.west, place.south, place.east, place.north],
        floors=place.floors if building else None,
        height=float(place.floors * place.storey_height) if building else None,
        geometry=place.geometry if geometry else None,
    )


def _orgs(request: ApiRequest) -> list[int]:
    held = request.actor.org_ids(SEE_PLACES)
    return [pk for pk in request.view.org_ids if pk in held]


@router.get("/{kind}", permission=SEE_PLACES, response=Page[PlaceOut])
def list_places(
    request: ApiRequest, kind: KindCode, filters: Query[PlaceFilter], paging: Query[Paging]
) -> Page[PlaceOut]:
    """List the places of one kind in the chosen organisation and all below it."""
    park = str(filters.park) if filters.park else ""
    rows = filtered(places(KINDS[kind], _orgs(request)), filters.q, park, sort=filters.order)
    return paginate(request, rows, paging, lambda place: _document(kind, place))


@router.get("/{kind}/{pk}", permission=SEE_PLACES, response=PlaceOut)
def get_place(request: ApiRequest, kind: KindCode, pk: int) -> PlaceOut:
    """Show one place with its geometry."""
    rows = places(KINDS[kind], request.actor.org_ids(SEE_PLACES)).defer(None)
    place = rows.filter(pk=pk).first() if pk < 2**63 else None
    if place is None:
        raise Http404
    return _document(kind, place, geometry=True)
