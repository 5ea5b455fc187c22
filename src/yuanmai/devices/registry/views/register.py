"""The register: list with filters, columns, views; export."""

from collections.abc import Iterable
from typing import Any, cast

from django.core.paginator import Paginator
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header, urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from yuanmai.core.documents import Column, Row, Table, simple_head, to_excel
from yuanmai.core.figures import breakdown, evaluate_many, get
from yuanmai.core.figures.display import chinese, display
from yuanmai.core.figures.links import figure_url
from yuanmai.core.saved.actions import preference, remember
from yuanmai.core.saved.views import views_of
from yuanmai.core.web import page
from yuanmai.devices.models import Device
from yuanmai.devices.permissions import SEE_DEVICES
from yuanmai.devices.registry.forms import DeviceFilter
from yuanmai.devices.registry.queries import (
    Asked,
    choices,
    destinations,
    narrowed,
    open_alarms,
    ordered,
    register,
    with_state,
)
from yuanmai.devices.registry.tables import BY_KEY, COLUMNS, DEFAULT, ORDERS, DeviceColumn, chosen, heads
from yuanmai.devices.registry.views.shared import XLSX, may_keep, seen_orgs

PER_PAGE = 50
EXPORT_LIMIT = 50_000
COLUMNS_KEY = "devices.register.columns"
SUMMARY = (
    "devices.in_use",
    "devices.online_rate",
    "devices.never_heard",
    "devices.points",
    "devices.readings_yesterday",
    "devices.excluded_points",
)


def columns_of(request: HttpRequest) -> list[DeviceColumn]:
    """Return the chosen columns: from the address, else as the user chose last, else as the list opens."""
    user_id = cast(int, request.user.pk)
    asked = [key for key in request.GET.getlist("cols") if key in BY_KEY]
    if asked:
        remember(user_id, COLUMNS_KEY, asked)
        return chosen(asked)
    return chosen(preference(user_id, COLUMNS_KEY, list(DEFAULT)))


def listed(request: HttpRequest) -> tuple[QuerySet[Device], Asked]:
    """Return the rows of an address in its order, and what it asks for."""
    asked = Asked.of(request.GET.dict())
    rows = narrowed(register(seen_orgs(request), retired=asked.use == "retired"), asked)
    return ordered(rows, request.GET.get("sort", ""), ORDERS), asked


def with_alarms(rows: QuerySet[Device], columns: list[DeviceColumn]) -> QuerySet[Device]:
    """Add the number of open alarms where its column is shown."""
    alarms = open_alarms()
    if alarms is None or BY_KEY["alarms"] not in columns:
        return rows
    counted = (
        alarms.filter(device=OuterRef("pk")).order_by().values("device").annotate(n=Count("pk")).values("n")
    )
    return rows.annotate(alarm_count=Coalesce(Subquery(counted, output_field=IntegerField()), 0))


@page(SEE_DEVICES)
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """The register; filters, columns, order and page stand in the address."""
    view = request.view  # type: ignore[attr-defined]
    rows, asked = listed(request)
    columns = columns_of(request)
    page_obj = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    page_obj.object_list = with_alarms(with_state(page_obj.object_list), columns)  # type: ignore[arg-type]
    org_ids = seen_orgs(request)
    query = view.query()
    results = evaluate_many(SUMMARY, query)
    kept = {name: request.GET[name] for name in ("sort", "org") if request.GET.get(name)}
    export = [(k, v) for k, vs in request.GET.lists() for v in vs if k != "page"]
    offered = choices(org_ids)
    context = {
        "filter_form": DeviceFilter(request.GET.dict(), offered, kept),
        "movable": destinations(org_ids) if may_keep(request) else {},
        "heads": heads(columns, request.GET.get("sort", ""), request.GET),
        "lines": [(row, [(column, column.cell(row)) for column in columns]) for row in page_obj],
        "page_obj": page_obj,
        "total": page_obj.paginator.count,
        "filtered": asked.any,
        "summary": [
            {
                "label": get(code).name,
                "display": display(get(code), results[code]),
                "url": figure_url(code, view),
            }
            for code in SUMMARY
        ],
        "parts": parts_of(request),
        "columns": [{"key": c.key, "label": c.label, "visible": c in columns} for c in COLUMNS],
        "views": views_of(request),
        "save_view_url": reverse("core:save_view"),
        "export_url": f"{reverse('devices:export')}?{urlencode(export)}",
        "may_edit": may_keep(request),
    }
    return render(request, "devices/registry/index.html", context)


def parts_of(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the devices in use by template, each a filter of the list."""
    query = request.view.query()  # type: ignore[attr-defined]
    groups = breakdown("devices.in_use", query, "protocol")
    rates = {group.value: group.result for group in breakdown("devices.online_rate", query, "protocol")}
    return [
        {
            "label": group.label,
            "count": group.result.value,
            "rate": display(get("devices.online_rate"), rates[group.value]) if group.value in rates else "",
            "url": f"?{urlencode({'protocol': group.value})}",
            "active": request.GET.get("protocol") == group.value,
        }
        for group in groups
    ]


@page(SEE_DEVICES)
@require_GET
def export(request: HttpRequest) -> HttpResponse:
    """What the list shows as an Excel workbook: the same filters, columns and order, all rows."""
    rows, _asked = listed(request)
    columns = columns_of(request)
    return workbook_of(with_alarms(with_state(rows), columns)[:EXPORT_LIMIT], columns)


def workbook_of(devices: Iterable[Device], columns: list[DeviceColumn]) -> HttpResponse:
    """Return these devices as an Excel workbook; code and identity always stand in it."""
    wanted = chosen([*(column.key for column in columns), "code", "key"])
    table = Table(
        columns=tuple(Column(width=c.width, kind=c.kind) for c in wanted),
        head=simple_head(*(str(c.label) for c in wanted)),
        rows=tuple(Row(tuple(_plain(c.value(device)) for c in wanted)) for device in devices),
    )
    title = _("Register of devices")
    day = timezone.localdate().isoformat()
    response = HttpResponse(to_excel(table, title=title, sheet=title), content_type=XLSX)
    name = f"{'设备台账' if chinese() else 'devices'}-{day}.xlsx"
    response["Content-Disposition"] = content_disposition_header(True, name)
    return response


def _plain(value: Any) -> Any:
    return str(value) if value is not None and hasattr(value, "_proxy____cast") else value
