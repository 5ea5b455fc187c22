"""The points of a device in a grid: range, scale, deadband, points of its own."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from yuanmai.core.web import page
from yuanmai.devices.engine.addresses import address_example
from yuanmai.devices.engine.states import states_text
from yuanmai.devices.engine.units import UNITS
from yuanmai.devices.models import Point
from yuanmai.devices.models.registry import PointKind
from yuanmai.devices.permissions import KEEP_DEVICES
from yuanmai.devices.registry import actions
from yuanmai.devices.registry.views.shared import crumbs, device_or_404

FIELDS = (
    "pk", "code", "name", "name_en", "kind", "address", "unit", "scale", "offset", "low", "high", "deadband", "decimals", "states",
    "writable",
)  # fmt: skip
SPARE = 4  # empty rows at the end of the grid
MOST = 500


def rows_of(points: Iterable[Any]) -> list[dict[str, Any]]:
    """Return stored points as the grid shows them."""
    return [
        {
            **{
                name: getattr(point, name)
                for name in FIELDS
                if name not in ("pk", "states", "scale", "offset", "deadband", "low", "high")
            },
            **{name: _plain(getattr(point, name)) for name in ("scale", "offset", "deadband", "low", "high")},
            "pk": point.pk or "",
            "states": states_text(point.states),
        }
        for point in points
    ]


def _plain(value: float | None) -> str:
    return "" if value is None else f"{value:.12g}"


def posted(values: QueryDict) -> list[dict[str, Any]]:
    """Return the rows of a grid as they were sent; rows without code, name and address are left out."""
    columns = {name: values.getlist(f"point_{name}") for name in FIELDS}
    number = min(max((len(column) for column in columns.values()), default=0), MOST)
    rows = [
        {name: column[place].strip() if place < len(column) else "" for name, column in columns.items()}
        for place in range(number)
    ]
    # One that shall go has its mark set; a check box says nothing when it is empty, so it carries the number of its row.
    gone = set(values.getlist("point_gone"))
    writable = set(values.getlist("point_writable"))
    return [
        {**row, "writable": str(place) in writable}
        for place, row in enumerate(rows)
        if str(place) not in gone and (row["code"] or row["name"] or row["address"])
    ]


def grid(rows: Sequence[dict[str, Any]], protocol: str, *, fixed: bool = False) -> dict[str, Any]:
    """Return what the grid's template needs; `fixed`: rows that are stored keep their codes."""
    lines = [
        *rows,
        *(
            {"scale": "1", "offset": "0", "deadband": "0", "decimals": "2", "kind": "gauge"}
            for _row in range(SPARE)
        ),
    ]
    return {
        "rows": list(enumerate(lines)),
        "kinds": PointKind.choices,
        "units": sorted(UNITS - {""}),
        "example": address_example(protocol) if protocol else "",
        "fixed": fixed,
    }


@page(KEEP_DEVICES)
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change the points of a device."""
    device = device_or_404(request, pk)
    request.actor.require(KEEP_DEVICES, device.org_id)  # type: ignore[attr-defined]
    faults: list[str] = []
    if request.method == "POST":
        rows = posted(request.POST)
        try:
            actions.adjust_points(request.actor, device, rows)  # type: ignore[attr-defined]
        except ValidationError as error:
            faults = list(error.messages)
        else:
            messages.success(
                request, _("The points were saved; the gateway reads the register again within seconds.")
            )
            return redirect("devices:record", pk=pk)
    else:
        stored = Point.objects.filter(device=device, retired_at=None).order_by("order", "code")
        rows = rows_of(stored)
    context = {
        "device": device,
        "grid": grid(rows, device.protocol, fixed=True),
        "faults": faults,
        "breadcrumbs": crumbs((device.name, reverse("devices:record", args=[pk])), (_("Points"), "")),
    }
    return render(request, "devices/registry/points.html", context, status=422 if faults else 200)
