"""Areas on pages: m² and 亩, rounded half up, an unknown one shown as such."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from yuanmai.common.geometry import geodesic_area
from yuanmai.common.geometry import to_mu as in_mu
from yuanmai.common.money import grouped

register = template.Library()


@register.filter
def square_metres(area: Decimal | None) -> str:
    """An area in m² with two decimals."""
    return "–" if area is None else grouped(area, 2)


@register.filter
def mu(area: Decimal | None) -> str:
    """An area given in m², in 亩 with two decimals."""
    return "–" if area is None else grouped(in_mu(area), 2)


@register.filter
def geometry_mu(geometry: dict[str, Any]) -> str:
    """The geodesic area of a geometry in 亩."""
    return grouped(in_mu(geodesic_area(geometry)), 2)


@register.filter
def area_kind(place: Any) -> str:
    """Which kind of area a list shows for a place: the certificate's before the measured ones."""
    if place.area_certificate is not None:
        return _("By certificate")
    if place.area_projected is not None:
        return _("Projected")
    return _("Geodesic") if place.area_geodesic is not None else "–"


@register.simple_tag(takes_context=True)
def sort_head(context: template.Context, key: str, label: str, current: str, css: str = "") -> SafeString:
    """A head cell that sorts: a link to the other direction, and what holds now for screen readers."""
    query = context["request"].GET.copy()
    query.pop("page", None)
    query["sort"] = f"-{key}" if current == key else key
    state = {key: "ascending", f"-{key}": "descending"}.get(current, "none")
    return format_html(
        '<th scope="col" class="{}" aria-sort="{}"><a href="?{}">{}</a></th>',
        css,
        state,
        query.urlencode(),
        label,
    )
