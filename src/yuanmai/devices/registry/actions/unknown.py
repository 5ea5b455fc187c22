"""Who knocks and is in no register: adopting, dismissing, recalling."""

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from yuanmai.core.actions import Act, action
from yuanmai.devices.engine.adoption import Guess
from yuanmai.devices.models import Device, Point, UnknownDevice
from yuanmai.devices.permissions import KEEP_DEVICES
from yuanmai.devices.registry.actions.checking import (
    checked_device,
    checked_points,
    points_from,
)
from yuanmai.devices.registry.actions.devices import stored
from yuanmai.devices.registry.queries import template_points


@action("devices.adopt", permission=KEEP_DEVICES, local=True)
def adopt_device(
    act: Act, /, unknown: UnknownDevice, org_id: int, *, extra: Sequence[Guess] = (), **given: Any
) -> Device:
    """Take somebody unknown into the register: a device under the identity that is heard, with the points of its template and
    those of `extra`, what it says beyond them.

    The row of `UnknownDevice` stays: the ingest process sees by the version of the register that its identity is known now,
    replays the journal `stream` from `first_sequence` on, and removes the row. Raises `ValidationError` by field.
    """
    act.require(org_id)
    values = checked_device(org_id, {**given, "key": unknown.key})
    if values["protocol"] != unknown.protocol:
        raise ValidationError({"template": _("This template speaks another protocol than the device.")})
    values.setdefault("mobile", bool(values["template"].profile.get("mobile")))
    device = Device.objects.create(org_id=org_id, **values)
    points = points_from(template_points(device.template), device)
    present = {point.code for point in points}
    heard = checked_points(device.protocol, [guess.values() for guess in extra if guess.code not in present])
    points += [Point(device=device, order=len(points) + number, **row) for number, row in enumerate(heard)]
    Point.objects.bulk_create(points)
    after = {**stored(values), "unknown_since": unknown.first_seen, "points": len(points)}
    act.log(device, after=after, name=device.name)
    return device


@action("devices.dismiss_unknown", permission=KEEP_DEVICES, local=True)
def dismiss_unknown(act: Act, row: UnknownDevice) -> None:
    """Show somebody unknown no more until recalled; what they say is still not taken."""
    row.dismissed_at = act.now
    row.save(update_fields=["dismissed_at"])
    act.log(row, after={"dismissed_at": act.now}, name=str(row))


@action("devices.recall_unknown", permission=KEEP_DEVICES, local=True)
def recall_unknown(act: Act, row: UnknownDevice) -> None:
    """Show a dismissed one again."""
    before, row.dismissed_at = row.dismissed_at, None
    row.save(update_fields=["dismissed_at"])
    act.log(row, before={"dismissed_at": before}, after={"dismissed_at": None}, name=str(row))
