"""Objects of the register of devices for the access matrix: a template, a device, a change of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.utils import timezone

Found = Callable[[dict[str, Any]], dict[str, Any]]
PAGES, API = "/devices", "/api/v1/devices"
RECORD = (
    "", "history/", "history/data/", "history/export/", "alarms/", "commands/", "parts/", "oddities/", "timeline/", "access/", "access/new/",
    "access/revoke/", "place/", "map.json", "map.geojson", "edit/", "points/", "retire/", "restore/",
)  # fmt: skip


def add(objects: dict[str, Any], org: Any) -> None:
    """Add one of each kind to an organisation; called inside an open scope of everything."""
    from yuanmai.core.undo.models import UndoStep
    from yuanmai.devices.models import Command, Device, Point, ProductTemplate
    from yuanmai.devices.registry.actions.secrets import secret_hash

    template = objects["device_template"] = ProductTemplate.objects.create(
        org=org, code="kept", name="Meter", protocol="http"
    )
    device = objects["device"] = Device.objects.create(
        org=org, code="kept", name="Meter", template=template, protocol="http", key=f"kept-{org.pk}",
        secret_hash=secret_hash("secret"),
    )  # fmt: skip
    Point.objects.create(device=device, code="value", name="Value", address="value")
    now = timezone.now()
    objects["command"] = Command.objects.create(
        device=device, verb="write", created_at=now, expires_at=now + timedelta(hours=1)
    )
    objects["device_step"] = UndoStep.objects.create(
        org=org, action="devices.assign", created_at=timezone.now()
    )


def _pk(kind: str) -> Found:
    return lambda objects: {"pk": objects[kind].pk}


def _command(objects: dict[str, Any]) -> dict[str, Any]:
    return {"uid": objects["command"].uid}


# Address (without method) → the parameters that name the object of an organisation.
PARAMETERS: dict[str, Found] = {
    **{f"{PAGES}/{{pk}}/{part}": _pk("device") for part in RECORD},
    f"{PAGES}/commands/new/{{pk}}/": _pk("device"),
    f"{PAGES}/commands/{{uid}}/": _command,
    f"{PAGES}/commands/{{uid}}/cancel/": _command,
    f"{API}/commands/{{uid}}": _command,
    f"{API}/commands/{{uid}}/cancel": _command,
    **{
        f"{PAGES}/templates/{{pk}}/{part}": _pk("device_template")
        for part in ("", "edit/", "copy/", "retire/", "restore/")
    },
    f"{PAGES}/undo/{{token}}/": lambda objects: {"token": objects["device_step"].token},
    **{f"{API}/{{pk}}{part}": _pk("device") for part in ("", "/points", "/latest", "/history")},
    f"{API}/commands/offered/{{device}}": lambda objects: {"device": objects["device"].pk},
    f"{API}/templates/{{pk}}": _pk("device_template"),
}
