"""The control room's home: what is wrong at this moment, where it is, and what waits. It moves by itself."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import F
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from yuanmai.cockpit import home_leader
from yuanmai.core.todo import todos
from yuanmai.core.workflow import offers
from yuanmai.devices.commands import views as command_views
from yuanmai.devices.commands.queries import commands
from yuanmai.devices.models import Severity
from yuanmai.devices.models.command import CommandState
from yuanmai.devices.permissions import HANDLE_ALARMS, KEEP_DEVICES, SEE_DEVICES
from yuanmai.devices.registry.queries import Asked, narrowed, register, unknown_devices
from yuanmai.devices.registry.tables import age
from yuanmai.devices.rules.queries import AlarmsAsked, alarms, by_severity, ordered, windows
from yuanmai.devices.rules.queries import narrowed as narrowed_alarms
from yuanmai.devices.rules.views.alarms import lines_of
from yuanmai.devices.rules.wording import TONES
from yuanmai.devices.rules.workflow import ALARM
from yuanmai.people.view_context import ViewContext
from yuanmai.places.permissions import SEE_PLACES

SHOWN = 8
BESIDE = 5
CARDS = (
    "devices.in_use",
    "devices.online_rate",
    "devices.open_alarms",
    "devices.answered_in_time",
    "devices.minutes_to_answer",
)
LATELY = timedelta(hours=24)
WITHOUT_SUCCESS = (CommandState.FAILED, CommandState.TIMED_OUT)
LAYERS = ("parks", "buildings", "devices", "vehicles")  # of the map; the others can be switched on
SHOWN_ABOVE = ("alarms_urgent",)  # to-dos that the list of alarms says already


def home(request: HttpRequest) -> dict[str, Any]:
    """Return what the home of the control room shows."""
    view, actor = request.view, request.actor  # type: ignore[attr-defined]
    items = todos(actor, view.as_of, without=SHOWN_ABOVE)
    return {
        **now(request),
        "items": [
            {"item": item, "days": None if item.due is None else (item.due - view.as_of).days}
            for item in items[:SHOWN]
        ],
        "more": max(0, len(items) - SHOWN),
        "map_url": ""
        if actor.why_not(SEE_PLACES)
        else f"{reverse('places:map_layers')}?show={','.join(LAYERS)}",
        # The page shows this moment, whatever day is chosen.
        "of_the_moment": True,
    }


def now(request: HttpRequest) -> dict[str, Any]:
    """Return the part of the home that is asked for again whenever devices or alarms change."""
    view, actor = request.view, request.actor  # type: ignore[attr-defined]
    mine = actor.org_ids(SEE_DEVICES)
    orgs = [pk for pk in view.org_ids if pk in mine]
    rows = narrowed_alarms(alarms(orgs), AlarmsAsked())
    counts = by_severity(rows)
    lines = lines_of(ordered(rows, "")[:SHOWN])
    for line in lines:
        offered = offers(ALARM, line["alarm"], actor)
        line["may_acknowledge"] = any(
            o.transition.code == "acknowledge" and o.why_not is None for o in offered
        )
    today = ViewContext(actor, view.orgs, view.org, timezone.localdate(), None)
    asked = {**request.GET.dict(), "home": "operator", "part": "1"}
    return {
        "part_url": f"{request.path}?{urlencode(asked)}",
        "cards": home_leader.cards(actor, today, CARDS),
        "card_columns": len(CARDS),
        "lines": lines,
        "more_alarms": sum(counts.values()) - len(lines),
        "counts": [
            {"label": Severity(code).label, "tone": TONES[code], "count": counts[code],
             "url": f"{reverse('devices:alarms')}?severity={code}"}
            for code in sorted(counts, reverse=True)
        ],
        "may_handle": not actor.why_not(HANDLE_ALARMS),
        **_silent(orgs),
        **_beside(request, orgs),
    }  # fmt: skip


def _silent(orgs: list[int]) -> dict[str, Any]:
    """Return the devices that were heard once and are silent, the latest to fall silent first."""
    rows = narrowed(register(orgs), Asked(state="offline", use="yes")).select_related("state", "park", "org")
    found = list(rows.order_by(F("state__changed_at").desc(nulls_last=True), "pk")[: BESIDE + 1])
    return {
        "silent": [
            {"device": row, "url": reverse("devices:record", args=[row.pk]), "age": age(row.state.last_seen)}
            for row in found[:BESIDE]
        ],
        "more_silent": len(found) > BESIDE,
        "silent_url": f"{reverse('devices:index')}?state=offline&use=yes",
    }


def _beside(request: HttpRequest, orgs: list[int]) -> dict[str, Any]:
    """Return how many unknown devices knock, commands without success, and the maintenance of the next hours."""
    moment = timezone.now()
    failed = commands(orgs).filter(state__in=WITHOUT_SUCCESS, created_at__gte=moment - LATELY)
    announced = windows(orgs).filter(ended_at=None, ends_at__gt=moment, begins_at__lt=moment + LATELY)
    keeps = not request.actor.why_not(KEEP_DEVICES)  # type: ignore[attr-defined]
    return {
        "unknown": unknown_devices().count() if keeps else 0,
        "failed": [command_views.line(row) for row in failed[:BESIDE]],
        "windows": [
            {"window": row, "where": row.park.label if row.park else row.org.label, "running": row.begins_at <= moment}
            for row in announced.order_by("begins_at", "pk")[:BESIDE]
        ],
    }  # fmt: skip
