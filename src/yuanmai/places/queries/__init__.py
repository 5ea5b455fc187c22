"""Reads of the places room: the kinds of places, lists, and the layers of the map."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, Model, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.text import capfirst

from yuanmai.core.search import matching
from yuanmai.places.models import Building, GridCell, Parcel, Park, Unit, Zone


@dataclass(frozen=True)
class PlaceKind:
    """A kind of place as lists and addresses know it; `code` is the name of the model."""

    code: str
    model: type[Any]
    icon: str
    tone: str
    parents: tuple[str, ...] = ()  # relations that a list joins, outermost first

    @property
    def one(self) -> str:
        """What one of them is called, in the active language."""
        return capfirst(str(self.model._meta.verbose_name))

    @property
    def many(self) -> str:
        """What several of them are called, in the active language."""
        return capfirst(str(self.model._meta.verbose_name_plural))


KINDS: dict[str, PlaceKind] = {
    kind.code: kind
    for kind in (
        PlaceKind("park", Park, "building-factory-2", "primary"),
        PlaceKind("zone", Zone, "layout-grid", "info", ("park",)),
        PlaceKind("gridcell", GridCell, "grid-dots", "warning", ("park",)),
        PlaceKind("parcel", Parcel, "polygon", "success", ("park", "zone")),
        PlaceKind("building", Building, "building", "secondary", ("park", "parcel")),
    )
}

# How a list can be sorted: key in the address → fields.
SORTS = {
    "code": ("code",),
    "name": ("name", "code"),
    "area": ("list_area", "code"),
    "org": ("org__path", "code"),
}


def places(kind: PlaceKind, org_ids: Collection[int]) -> QuerySet[Any]:
    """Return the places of a kind that belong to these organisations, with what a list shows of them (one query)."""
    rows = (
        kind.model.objects.filter(org_id__in=org_ids).select_related("org", *kind.parents).defer("geometry")
    )
    rows = rows.annotate(list_area=Coalesce("area_certificate", "area_projected", "area_geodesic"))
    if kind.code == "gridcell":
        rows = rows.select_related("officer")
    if kind.code == "building":
        units = Unit.objects.filter(building=OuterRef("pk")).order_by().values("building")
        rows = rows.annotate(
            unit_count=Coalesce(Subquery(units.annotate(n=Count("pk")).values("n")), 0),
            vacant_count=Coalesce(
                Subquery(units.filter(state="vacant").annotate(n=Count("pk")).values("n")), 0
            ),
        )
    return rows


def filtered(
    rows: QuerySet[Any], text: str = "", park: str = "", placed: str = "", sort: str = ""
) -> QuerySet[Any]:
    """Apply the filters of a list: words in name or code, a park, with or without a position."""
    if text:
        rows = rows.filter(matching(text, "name", "name_en", "code"))
    if park:
        rows = rows.filter(park_id=int(park)) if park.isdigit() and rows.model is not Park else rows.none()
    if placed:
        rows = rows.filter(west__isnull=placed == "no")
    fields = SORTS.get(sort.lstrip("-"), ("code",))
    order = [
        F(name).desc(nulls_last=True) if sort.startswith("-") else F(name).asc(nulls_last=True)
        for name in fields
    ]
    return rows.order_by(*order, "pk")


def counts(org_ids: Collection[int]) -> dict[str, int]:
    """Return the number of places of each kind."""
    return {code: kind.model.objects.filter(org_id__in=org_ids).count() for code, kind in KINDS.items()}


def parks(org_ids: Collection[int]) -> QuerySet[Park]:
    """Return the parks of these organisations, for a choice."""
    return Park.objects.filter(org_id__in=org_ids).defer("geometry").order_by("name")


def inside(place: Model) -> list[tuple[PlaceKind, QuerySet[Any], int]]:
    """Return what lies in a place, by kind: rows (without geometry) and their number; kinds with nothing are left out."""
    relation = {"Park": "park", "Zone": "zone", "Parcel": "parcel"}.get(type(place).__name__)
    found = []
    for kind in KINDS.values() if relation else ():
        if relation not in {field.name for field in kind.model._meta.get_fields() if field.many_to_one}:
            continue
        rows = kind.model.objects.filter(Q(**{f"{relation}_id": place.pk})).defer("geometry").order_by("code")
        if number := rows.count():
            found.append((kind, rows, number))
    return found
