"""The figures of the places room."""

from decimal import Decimal
from typing import Any

from django.db.models import Case, DecimalField, F, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from yuanmai.core.figures import Dimension, Facts, Query, Unit, register
from yuanmai.core.figures.model import RowView
from yuanmai.places.models import Building
from yuanmai.places.models import Unit as SpaceUnit

AREA: DecimalField[Any, Any] = DecimalField(max_digits=16, decimal_places=2)
NOT_STATED = _("Not stated")
REGISTER = _("The register of buildings and space units")


def standard_factories(query: Query) -> QuerySet[Building]:
    """Return the standard factories that stand on the query's day; an undated building counts as standing."""
    return (
        Building.objects.filter(org_id__in=query.org_ids, kind=Building.Kind.STANDARD_FACTORY)
        .filter(Q(built_on=None) | Q(built_on__lte=query.as_of))
        .order_by("org", "code")
    )


def space_units(query: Query) -> QuerySet[SpaceUnit]:
    """Return the lettable units of the query's organisations."""
    return (
        SpaceUnit.objects.filter(org_id__in=query.org_ids)
        .select_related("building")
        .order_by("building", "code")
    )


def _building(building: Any) -> RowView:
    url = reverse("places:record", args=["building", building.pk])
    return RowView(building.label, url, {"floors": building.floors, "floor_area": building.floor_area})


def _unit(unit: Any) -> RowView:
    url = reverse("places:record", args=["building", unit.building_id])
    return RowView(
        f"{unit.building.label} {unit.code}", url, {"floor": unit.floor, "state": unit.get_state_display()}
    )


BY_ORGANISATION = Dimension("organisation", _("Organisation"), "org__name", lambda value: value or NOT_STATED)

register(
    Facts(
        code="places.standard_factory_area",
        name=_("Standard factory area"),
        unit=Unit.SQUARE_METRES,
        definition=_("Sum of the floor area of the standard factories that stand on the day."),
        source=REGISTER,
        grain=_("one building"),
        dimensions=(
            BY_ORGANISATION,
            Dimension("park", _("Park"), "park__name", lambda value: value or NOT_STATED),
        ),
        permission="places.view",
        facts=standard_factories,
        numerator=Coalesce(F("floor_area"), Value(Decimal(0)), output_field=AREA),
        row=_building,
        higher_is_better=True,
    )
)
register(
    Facts(
        code="places.let_rate",
        name=_("Let rate"),
        unit=Unit.RATIO,
        definition=_("Area of the let space units ÷ area of all space units, by today's register."),
        source=REGISTER,
        grain=_("one space unit"),
        dimensions=(BY_ORGANISATION,),
        permission="places.view",
        facts=space_units,
        numerator=Case(When(state="let", then=F("area")), default=Value(Decimal(0)), output_field=AREA),
        denominator=F("area"),
        row=_unit,
        higher_is_better=True,
    )
)
