"""The history of a device: chart, its data, and files."""

import io
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import orjson
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header, urlencode
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from yuanmai.core.web import page
from yuanmai.devices.models import Device, Point
from yuanmai.devices.permissions import SEE_DEVICES
from yuanmai.devices.registry.series import (
    MOST_POINTS,
    STEPS,
    Span,
    behind,
    range_of,
    series,
    span_of,
    tables,
)
from yuanmai.devices.registry.tables import span_text
from yuanmai.devices.registry.views.record import frame
from yuanmai.devices.registry.views.shared import device_or_404

RANGE_NAMES = (
    ("24h", gettext_lazy("24 hours")),
    ("7d", gettext_lazy("7 days")),
    ("30d", gettext_lazy("30 days")),
    ("365d", gettext_lazy("One year")),
)
STEP_NAMES = {"raw": gettext_lazy("Readings"), "hour": gettext_lazy("Hours"), "day": gettext_lazy("Days")}


def chosen_points(request: HttpRequest, device: Device) -> tuple[list[Point], list[Point]]:
    """Return all points of a device and those that the address chooses; the first measured one where it chooses none."""
    every = list(Point.objects.filter(device=device, retired_at=None).order_by("order", "code"))
    asked = request.GET.getlist("point")
    chosen = [point for point in every if point.code in asked or str(point.pk) in asked][:MOST_POINTS]
    if not chosen:
        chosen = [p for p in every if p.kind == "gauge"][:1] or every[:1]
    return every, chosen


def _query(points: list[Point], request: HttpRequest, **more: str) -> str:
    """Return the address of the same points with another range or step; the rest stays as it is."""
    name = range_of(request.GET)
    kept = {"range": name} if name else {key: request.GET.get(key, "") for key in ("from", "to")}
    kept |= {"step": request.GET.get("step", "")} | more
    return urlencode([*(("point", p.code) for p in points), *((k, v) for k, v in kept.items() if v)])


@page(SEE_DEVICES)
@require_GET
def chart(request: HttpRequest, pk: int) -> HttpResponse:
    """The chart with what it shows in the address: points, range, step."""
    device = device_or_404(request, pk)
    every, chosen = chosen_points(request, device)
    fault = ""
    try:
        span = span_of(request.GET)
    except ValidationError as error:
        fault = " ".join(error.messages)
        span = span_of({})
    told = series(chosen, span) if chosen else []
    name = range_of(request.GET)
    data_url = reverse("devices:history_data", args=[pk])
    export_url = reverse("devices:history_export", args=[pk])
    wanted = "" if fault else _query(chosen, request)
    context = {
        **frame(request, device, "history"),
        "points": [(point, point in chosen) for point in every],
        "chosen": chosen,
        "fault": fault,
        "most": MOST_POINTS,
        "ranges": [
            {
                "label": label,
                "url": f"?{_query(chosen, request, **{'range': code, 'from': '', 'to': '', 'step': ''})}",
                "active": code == name,
            }
            for code, label in RANGE_NAMES
        ],
        "steps": [
            {
                "label": STEP_NAMES[code],
                "url": f"?{_query(chosen, request, step=code)}",
                "active": code == span.step,
            }
            for code in STEPS
        ],
        "span": span,
        "range": name,
        "step": request.GET.get("step", ""),
        "first_day": timezone.localtime(span.begin).date().isoformat(),
        "last_day": timezone.localtime(span.end - timedelta(seconds=2)).date().isoformat(),
        "chart": document(span, told),
        "heads": [f"{p.label}（{p.unit}）" if p.unit else p.label for p in chosen],
        "rows": behind(chosen, told),
        "facts": [_facts(point, one) for point, one in zip(chosen, told, strict=True)],
        "data_url": f"{data_url}?{wanted}",
        "csv_url": f"{export_url}?{wanted}&format=csv",
        "parquet_url": f"{export_url}?{wanted}&format=parquet",
    }
    return render(request, "devices/registry/history.html", context)


def _english(one: dict[str, Any]) -> dict[str, Any]:
    """Return a series with the names of states in the reader's language only."""
    from yuanmai.devices.engine.states import state_word
    from yuanmai.devices.registry.wording import english

    states = {n: state_word(one["states"], float(n), english=english()) for n in one["states"]}
    return {**one, "states": states}


def document(span: Span, told: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what the chart draws; moments are milliseconds since 1970 (UTC), `offset` is how far the local clock is ahead."""
    ahead = timezone.localtime(span.end).utcoffset() or timedelta()
    return {
        "step": span.step,
        "begin": int(span.begin.timestamp() * 1000),
        "end": int(span.end.timestamp() * 1000),
        "offset": int(ahead.total_seconds() * 1000),
        "series": [_english(one) for one in told],
    }


def _facts(point: Point, one: dict[str, Any]) -> dict[str, Any]:
    return {
        "point": point,
        "count": one["count"],
        "left_out": one["left_out"],
        "gaps": len(one["gaps"]),
        "interval": span_text(max(1, round(one["interval"]))) if one["interval"] else "",
        "thinned": one["thinned"],
    }


@page(SEE_DEVICES)
@require_GET
def data(request: HttpRequest, pk: int) -> HttpResponse:
    """What the chart draws, as JSON."""
    device = device_or_404(request, pk)
    _every, chosen = chosen_points(request, device)
    try:
        span = span_of(request.GET)
    except ValidationError as error:
        return HttpResponse(
            orjson.dumps({"detail": " ".join(error.messages)}), content_type="application/json", status=422
        )
    told = series(chosen, span) if chosen else []
    return HttpResponse(orjson.dumps(document(span, told)), content_type="application/json")


@page(SEE_DEVICES)
@require_GET
def export(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The history as a file, streamed: CSV for Excel, or Parquet for programs."""
    device = device_or_404(request, pk)
    _every, chosen = chosen_points(request, device)
    kind = request.GET.get("format", "csv")
    if kind not in ("csv", "parquet") or not chosen:
        raise Http404
    try:
        span = span_of(request.GET)
    except ValidationError as error:
        return HttpResponse(" ".join(error.messages), content_type="text/plain; charset=utf-8", status=422)
    name = f"{device.code}-{timezone.localtime(span.begin):%Y%m%d}-{timezone.localtime(span.end):%Y%m%d}-{span.step}.{kind}"
    content = csv_of(chosen, span, device) if kind == "csv" else parquet_of(chosen, span, device)
    types = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}
    response = StreamingHttpResponse(content, content_type=types[kind])
    response["Content-Disposition"] = content_disposition_header(True, name)
    return response


def csv_of(points: list[Point], span: Span, device: Device) -> Iterator[bytes]:
    """Yield the history as CSV with local times, in the form that Excel opens with a double click."""
    import pyarrow
    from pyarrow import compute, csv

    here = pyarrow.timestamp("s", timezone.get_current_timezone_name())
    yield b"\xef\xbb\xbf"
    first = True
    for table in tables(points, span, device.code):
        local = compute.strftime(table["time"].cast(here, safe=False), format="%Y-%m-%d %H:%M:%S")
        out = io.BytesIO()
        place = table.schema.get_field_index("time")
        csv.write_csv(table.set_column(place, "time", local), out, csv.WriteOptions(include_header=first))
        first = False
        yield out.getvalue()


class Sent(io.RawIOBase):
    """A file that keeps nothing: what is written is taken away and sent."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[bytes] = []
        self.length = 0

    def writable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """Return how much was written in all."""
        return self.length

    def write(self, content: Any) -> int:
        """Take some bytes."""
        part = bytes(content)
        self.parts.append(part)
        self.length += len(part)
        return len(part)

    def take(self) -> bytes:
        """Return what was written since the last time."""
        whole = b"".join(self.parts)
        self.parts.clear()
        return whole


def parquet_of(points: list[Point], span: Span, device: Device) -> Iterator[bytes]:
    """Yield the history as Parquet (zstd), one row group for each stretch of days."""
    from pyarrow import parquet

    out = Sent()
    writer = None
    for table in tables(points, span, device.code):
        if writer is None:
            writer = parquet.ParquetWriter(out, table.schema, compression="zstd")
        writer.write_table(table)
        yield out.take()
    if writer is not None:
        writer.close()
        yield out.take()
