"""The page of one device and its tabs."""

from typing import Any

from django.apps import apps
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.template import TemplateDoesNotExist
from django.template.loader import get_template
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from yuanmai.core.audit.models import AuditEntry
from yuanmai.core.audit.queries import differences
from yuanmai.core.audit.words import Values, action_name
from yuanmai.core.web import page
from yuanmai.devices.engine.quality import EXCLUDED
from yuanmai.devices.models import Command, Device, Oddity
from yuanmai.devices.permissions import COMMAND_DEVICES, KEEP_DEVICES, SEE_DEVICES
from yuanmai.devices.registry import actions
from yuanmai.devices.registry.oddity_words import oddity_word
from yuanmai.devices.registry.queries import PointNow, open_alarms, register, values_of, with_state
from yuanmai.devices.registry.secret_words import SHOWN, how_shown, without_one
from yuanmai.devices.registry.tables import (
    SHORT,
    TONES,
    age,
    local,
    quality_words,
    span_text,
    standing,
    standing_word,
    value_text,
)
from yuanmai.devices.registry.views.shared import crumbs, device_or_404, devices_seen, may_keep, tell

TABS: tuple[tuple[str, Any, str, str], ...] = (
    ("record", gettext_lazy("Values"), "devices:record", "gauge"),
    ("history", gettext_lazy("History chart"), "devices:history", "chart-line"),
    ("alarms", gettext_lazy("Alarms"), "devices:record_alarms", "bell"),
    ("commands", gettext_lazy("Commands"), "devices:record_commands", "send"),
    ("parts", gettext_lazy("Parts"), "devices:record_parts", "hierarchy-2"),
    ("oddities", gettext_lazy("Oddities"), "devices:record_oddities", "alert-triangle"),
    ("timeline", gettext_lazy("Timeline"), "devices:record_timeline", "history"),
    ("access", gettext_lazy("Access"), "devices:record_access", "key"),
)
ALARMS = "devices/rules/_device_alarms.html"
COMMANDS = "devices/commands/_device_commands.html"


def link(name: str, *args: Any) -> str:
    """Return an address of another subject, "" where the program does not have it."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""


def has_template(name: str) -> bool:
    """Whether another subject brings this part of the page."""
    try:
        get_template(name)
    except TemplateDoesNotExist:
        return False
    return True


def frame(request: HttpRequest, device: Device, tab: str) -> dict[str, Any]:
    """Return what every tab shows (a constant number of queries)."""
    actor = request.actor  # type: ignore[attr-defined]
    state = getattr(device, "state", None)
    alarms = open_alarms()
    counts = {
        "parts": register([device.org_id]).filter(parent=device).count() or "",
        "oddities": Oddity.objects.filter(device=device).count() or "",
        "alarms": (alarms.filter(device=device).count() if alarms is not None else 0) or "",
    }
    hidden = {
        code
        for code, there in (("alarms", alarms is not None), ("access", may_keep(request, device.org_id)))
        if not there
    }
    code = standing(device)
    return {
        "device": device,
        "state": state,
        "standing": standing_word(code),
        "tone": TONES[code],
        "since": local(state.changed_at) if state and state.changed_at else "",
        "last_seen": local(state.last_seen) if state else "–",
        "last_age": age(state.last_seen) if state and state.last_seen else "",
        "protocol": SHORT[device.protocol],
        "silence": span_text(device.silence_after),
        "tabs": [
            {
                "label": label,
                "url": reverse(url, args=[device.pk]),
                "active": name == tab,
                "count": counts.get(name),
                "icon": icon,
            }
            for name, label, url, icon in TABS
            if name not in hidden
        ],
        "may_edit": may_keep(request, device.org_id),
        "command_url": link("devices:command_new", device.pk)
        if actor.why_not(COMMAND_DEVICES, device.org_id) is None and device.retired_at is None
        else "",
        "breadcrumbs": crumbs((device.label, "")),
    }


def value_rows(points: list[PointNow]) -> list[dict[str, Any]]:
    """Return the points as the table of newest values shows them."""
    now = timezone.now()
    rows = []
    for each in points:
        latest, point = each.latest, each.point
        rows.append(
            {
                "point": point,
                "value": value_text(point, latest.value) if latest else "–",
                "time": local(latest.time) if latest else "–",
                "iso": latest.time.isoformat() if latest else "",
                "age": age(latest.time, now) if latest else "",
                "words": quality_words(latest.quality) if latest else [],
                "excluded": bool(latest and latest.quality & EXCLUDED),
            }
        )
    return rows


@page(SEE_DEVICES)
@require_GET
def values(request: HttpRequest, pk: int) -> HttpResponse:
    """The newest values of a device and what it is linked to; with ``part=1`` the values alone, for the page that moves."""
    device = device_or_404(request, pk)
    rows = value_rows(values_of(device))
    if request.GET.get("part"):
        return render(request, "devices/registry/_values.html", {"device": device, "rows": rows})
    context = {
        **frame(request, device, "record"),
        "rows": rows,
        "map_url": reverse("devices:map_layers", args=[pk]) if _position(device) else "",
        "building_url": reverse("places:record", args=["building", device.building_id])
        if device.building_id
        else "",
        "park_url": reverse("places:record", args=["park", device.park_id]) if device.park_id else "",
        "enterprise_url": reverse("enterprises:record", args=[device.enterprise_id])
        if device.enterprise_id
        else "",
        "template_url": reverse("devices:template", args=[device.template_id]),
    }
    return render(request, "devices/registry/record.html", context)


@page(SEE_DEVICES)
@require_GET
def alarms(request: HttpRequest, pk: int) -> HttpResponse:
    """The alarms of a device."""
    device = device_or_404(request, pk)
    context = {**frame(request, device, "alarms"), "template": ALARMS if has_template(ALARMS) else ""}
    if open_alarms() is not None:
        rows = apps.get_model("devices", "Alarm").objects.filter(device=device).order_by("-pk")
        context |= {"alarms": rows[:50]}
    return render(request, "devices/registry/record_alarms.html", context)


@page(SEE_DEVICES)
@require_GET
def commands(request: HttpRequest, pk: int) -> HttpResponse:
    """The commands to a device, the newest first."""
    device = device_or_404(request, pk)
    rows = (
        Command.objects.filter(device=device)
        .select_related("created_by", "device")
        .order_by("-created_at", "-pk")
    )
    page_obj = Paginator(rows, 30).get_page(request.GET.get("page"))
    lines = [
        (row, link("devices:command", row.uid), local(row.created_at), local(row.ended_at))
        for row in page_obj
    ]
    context = {
        **frame(request, device, "commands"),
        "lines": lines,
        "page_obj": page_obj,
        "template": COMMANDS if has_template(COMMANDS) else "",
    }
    return render(request, "devices/registry/record_commands.html", context)


@page(SEE_DEVICES)
@require_GET
def parts(request: HttpRequest, pk: int) -> HttpResponse:
    """What a device is a part of, and its own parts."""
    device = device_or_404(request, pk)
    rows = (
        with_state(register([device.org_id]))
        .filter(parent=device)
        .annotate(part_count=Count("children"))
        .order_by("code")
    )
    lines = [(row, standing(row), standing_word(standing(row)), TONES[standing(row)]) for row in rows[:500]]
    return render(
        request, "devices/registry/record_parts.html", {**frame(request, device, "parts"), "lines": lines}
    )


@page(SEE_DEVICES)
@require_GET
def oddities(request: HttpRequest, pk: int) -> HttpResponse:
    """How often something odd came from a device."""
    device = device_or_404(request, pk)
    rows = [
        (row, oddity_word(row.kind), local(row.first_at), local(row.last_at))
        for row in Oddity.objects.filter(device=device).order_by("-last_at")
    ]
    return render(
        request, "devices/registry/record_oddities.html", {**frame(request, device, "oddities"), "rows": rows}
    )


@page(SEE_DEVICES)
@require_GET
def timeline(request: HttpRequest, pk: int) -> HttpResponse:
    """What was done to a device, and by whom, the newest first."""
    device = device_or_404(request, pk)
    rows = AuditEntry.objects.filter(target_type=Device._meta.label_lower, target_id=str(pk), result="done")
    page_obj = Paginator(rows.order_by("-sequence"), 30).get_page(request.GET.get("page"))
    words = Values()
    entries = [
        {
            "title": action_name(row.action),
            "who": row.actor,
            "when": local(row.at),
            "iso": row.at.isoformat(),
            "icon": "check",
            "changes": [change for change in differences(row, words) if change["changed"]],
        }
        for row in page_obj
    ]
    context = {**frame(request, device, "timeline"), "entries": entries, "page_obj": page_obj}
    return render(request, "devices/registry/record_timeline.html", context)


@page(KEEP_DEVICES)
@require_GET
def access(request: HttpRequest, pk: int) -> HttpResponse:
    """Whether a device has a secret, and since when."""
    device = device_or_404(request, pk)
    request.actor.require(KEEP_DEVICES, device.org_id)  # type: ignore[attr-defined]
    return _access(request, device)


def _access(request: HttpRequest, device: Device, secret: str = "") -> HttpResponse:
    last = (
        AuditEntry.objects.filter(
            target_type=Device._meta.label_lower,
            target_id=str(device.pk),
            action="devices.new_secret",
            result="done",
        )
        .order_by("-sequence")
        .first()
    )
    context = {
        **frame(request, device, "access"),
        "secret": secret,
        "how": how_shown(device),
        "without": without_one(device),
        "may_have": device.protocol in SHOWN,
        "made": local(last.at) if last else "",
        "maker": last.actor if last else "",
    }
    response = render(request, "devices/registry/record_access.html", context)
    response["Cache-Control"] = "no-store"
    return response


@page(KEEP_DEVICES)
@require_POST
def make_secret(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a device a new secret and show it, this once: it is kept nowhere."""
    device = device_or_404(request, pk)
    return _access(request, device, actions.new_secret(request.actor, device))  # type: ignore[attr-defined]


@page(KEEP_DEVICES)
@require_POST
def take_secret(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a device's secret away."""
    device = device_or_404(request, pk)
    try:
        actions.revoke_secret(request.actor, device)  # type: ignore[attr-defined]
    except ValidationError as error:
        tell(request, error)
    else:
        messages.success(request, _("The secret is good no more."))
    return redirect("devices:record_access", pk=pk)


def _position(device: Device) -> tuple[float, float] | None:
    """Where a device is: of one that moves the last position heard, else its own."""
    state = getattr(device, "state", None)
    if device.mobile and state is not None and state.longitude is not None and state.latitude is not None:
        return state.longitude, state.latitude
    if device.longitude is None or device.latitude is None:
        return None
    return device.longitude, device.latitude


@page(SEE_DEVICES)
@require_GET
def map_layers(request: HttpRequest, pk: int) -> HttpResponse:
    """The layers of a device's map: itself, its park and buildings, and with ``around`` the devices beside it."""
    device = device_or_404(request, pk)
    url = reverse("devices:map_features", args=[pk])
    around = "&around=1" if request.GET.get("around") else ""
    layers = [
        {"id": "park", "label": _("Park"), "url": f"{url}?what=park", "kind": "area", "tone": "secondary", "visible": True, "label_field": "name"},
        {"id": "buildings", "label": _("Buildings"), "url": f"{url}?what=building", "kind": "building", "tone": "secondary", "visible": True, "label_field": "name", "height_field": "height"},
    ]  # fmt: skip
    if around:
        layers.append({"id": "around", "label": _("Other devices"), "url": f"{url}?what=around", "kind": "point", "tone": "secondary", "visible": True, "label_field": "name"})  # fmt: skip
    layers.append({"id": "device", "label": _("Device"), "url": f"{url}?what=device", "kind": "point", "tone": "primary", "visible": True, "label_field": "name"})  # fmt: skip
    return JsonResponse({"layers": layers, "tiles": None, "bounds": _bounds(device)})


def _bounds(device: Device) -> list[float] | None:
    place = _position(device)
    if place is not None:
        east, north = place
        return [east - 0.004, north - 0.003, east + 0.004, north + 0.003]
    area = device.building or device.park
    edges = [area.west, area.south, area.east, area.north] if area is not None else []
    found = [edge for edge in edges if edge is not None]
    return found if len(found) == 4 else None


@page(SEE_DEVICES)
@require_GET
def map_features(request: HttpRequest, pk: int) -> HttpResponse:
    """One layer of a device's map as GeoJSON."""
    device = device_or_404(request, pk)
    what = request.GET.get("what", "device")
    features: list[dict[str, Any]] = []

    def add(uid: str, name: str, geometry: Any, url: str = "", **more: Any) -> None:
        if geometry:
            properties = {"name": name, "key": uid, "url": url, "detail": "", **more}
            features.append({"type": "Feature", "id": uid, "geometry": geometry, "properties": properties})

    def point(place: tuple[float, float] | None) -> Any:
        return {"type": "Point", "coordinates": list(place)} if place else None

    if what == "device":
        add(f"device-{pk}", device.label, point(_position(device)), detail=device.code)
    elif what == "park" and device.park is not None:
        add(f"park-{device.park_id}", device.park.label, device.park.geometry)
    elif what == "building" and device.park_id:
        for building in apps.get_model("places", "Building").objects.filter(park_id=device.park_id)[:500]:
            height = float(building.floors * building.storey_height)
            add(f"building-{building.pk}", building.label, building.geometry, height=height)
    elif what == "around":
        near = devices_seen(request).filter(
            org_id=device.org_id, retired_at=None, park=device.park, mobile=False
        )
        for other in near.exclude(pk=pk).exclude(longitude=None)[:1000]:
            add(
                f"device-{other.pk}",
                other.label,
                point((other.longitude or 0.0, other.latitude or 0.0)),
                reverse("devices:record", args=[other.pk]),
            )
    return JsonResponse({"type": "FeatureCollection", "features": features})
