"""Reads of commands that pages and interface share."""

from collections.abc import Collection
from typing import Any

from django.db.models import Q, QuerySet

from yuanmai.devices.models import Command, Device
from yuanmai.devices.models.command import CommandState

ENDED = (CommandState.DONE, CommandState.FAILED, CommandState.TIMED_OUT, CommandState.CANCELLED)


def commands(org_ids: Collection[int]) -> QuerySet[Command]:
    """Return the commands to the devices of these organisations, newest first, with device and author."""
    return (
        Command.objects.filter(device__org_id__in=org_ids)
        .select_related("device", "device__org", "created_by")
        .order_by("-created_at", "-pk")
    )


def narrowed(rows: QuerySet[Command], asked: dict[str, Any]) -> QuerySet[Command]:
    """Return those that the filters let through: q (device), state (or `open`), protocol, verb, device (primary key)."""
    if asked.get("q"):
        text = asked["q"]
        rows = rows.filter(
            Q(device__name__icontains=text) | Q(device__code__icontains=text) | Q(device__key=text)
        )
    if asked.get("state") == "open":
        rows = rows.exclude(state__in=ENDED)
    elif asked.get("state"):
        rows = rows.filter(state=asked["state"])
    if asked.get("protocol"):
        rows = rows.filter(device__protocol=asked["protocol"])
    if asked.get("verb"):
        rows = rows.filter(verb=asked["verb"])
    if asked.get("device"):
        rows = rows.filter(device_id=asked["device"])
    return rows


def devices_to_command(org_ids: Collection[int]) -> QuerySet[Device]:
    """Return the devices in use of these organisations."""
    return Device.objects.filter(org_id__in=org_ids, retired_at=None, enabled=True).select_related(
        "template", "org", "state"
    )
