"""The lists of places as workbooks."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from yuanmai.common.geometry import to_mu
from yuanmai.core.documents import Column, Kind, Row, Table, Value, simple_head
from yuanmai.places.queries import PlaceKind

AREAS = ("area_certificate", "area_projected", "area_geodesic")


def _mu(area: Decimal | None) -> Decimal | None:
    return None if area is None else to_mu(area).quantize(Decimal("0.01"))


def list_workbook(kind: PlaceKind, rows: Iterable[Any]) -> bytes:
    """Return places of one kind as .xlsx: code, name, organisation, what they lie in, their areas by kind in m² and 亩."""
    from yuanmai.core.documents.excel import to_excel

    parents = list(kind.parents)
    heads = [
        _("Code"),
        _("Name"),
        _("Organisation"),
        *[str(kind.model._meta.get_field(p).verbose_name) for p in parents],
    ]
    columns = [Column(1.0), Column(2.0), Column(1.6), *[Column(1.4) for _p in parents]]
    if kind.code == "building":
        heads += [_("Kind"), _("Floors"), _("Floor area (m²)")]
        columns += [Column(1.2), Column(0.8, Kind.INTEGER), Column(1.2, Kind.DECIMAL, 2)]
    for name in AREAS:
        heads += [str(kind.model._meta.get_field(name).verbose_name), _("in mu")]
        columns += [Column(1.2, Kind.DECIMAL, 2), Column(1.0, Kind.DECIMAL, 2)]
    lines = []
    for place in rows:
        cells: list[Value] = [place.code, place.label, place.org.label]
        cells += [getattr(place, name).label if getattr(place, f"{name}_id") else "" for name in parents]
        if kind.code == "building":
            cells += [str(place.get_kind_display()), place.floors, place.floor_area]
        for name in AREAS:
            cells += [getattr(place, name), _mu(getattr(place, name))]
        lines.append(Row(tuple(cells)))
    table = Table(tuple(columns), simple_head(*heads), tuple(lines), caption=str(kind.many))
    return to_excel(table, language=(get_language() or "zh")[:2])
