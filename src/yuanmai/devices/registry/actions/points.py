"""The points of one device beyond its template: range, scale, deadband, points of its own."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from yuanmai.core.actions import Act, action
from yuanmai.devices.models import Device, Point
from yuanmai.devices.permissions import KEEP_DEVICES
from yuanmai.devices.registry.actions.checking import POINT_FIELDS, checked_points


@action("devices.adjust_points", permission=KEEP_DEVICES, local=True)
def adjust_points(act: Act, device: Device, rows: Sequence[Mapping[str, Any]]) -> int:
    """Make the points of a device these; a row with `pk` is the stored point, one without is new.

    A point that is left out is retired: its readings stay under its number, and a new row with its code brings it back.
    Raises `ValidationError` with a message for every faulty row. Returns the number of changed points.
    """
    act.require(device.org_id)
    wanted = checked_points(device.protocol, rows)
    stored = {point.pk: point for point in Point.objects.filter(device=device)}
    by_code = {point.code: point for point in stored.values()}
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    kept: set[int] = set()
    changed: list[Point] = []
    for number, (row, values) in enumerate(zip(rows, wanted, strict=True)):
        point = stored.get(int(row.get("pk") or 0)) or by_code.get(values["code"])
        if row.get("pk") and (point is None or point.pk != int(row["pk"])):
            raise ValidationError(
                {"points": [_("A point of this device is not there any more; load the page again.")]}
            )
        if point is None:
            Point.objects.create(device=device, order=number, **values)
            after[values["code"]] = _told(values)
            continue
        kept.add(point.pk)
        if set_point(point, values, number, before, after):
            changed.append(point)
    gone = [point for point in stored.values() if point.pk not in kept and point.retired_at is None]
    for point in gone:
        point.retired_at = act.now
        before[point.code], after[point.code] = {"retired_at": None}, {"retired_at": act.now}
    fields = [*POINT_FIELDS, "order", "retired_at"]
    Point.objects.bulk_update([*changed, *gone], fields, batch_size=200)
    if not after:
        raise ValidationError({"points": [_("Nothing was changed.")]})
    act.log(device, before={"points": before}, after={"points": after}, name=device.name)
    return len(after)


def set_point(
    point: Point, values: Mapping[str, Any], order: int, before: dict[str, Any], after: dict[str, Any]
) -> bool:
    """Give a stored point its values (not saved) and note the differences by code; returns whether there is anything to save."""
    differing = [name for name in POINT_FIELDS if getattr(point, name) != values[name]]
    back, moved = point.retired_at is not None, point.order != order
    if differing or back:
        before[values["code"]] = {name: getattr(point, name) for name in differing}
        after[values["code"]] = {name: values[name] for name in differing} or {"retired_at": None}
    for name in differing:
        setattr(point, name, values[name])
    point.retired_at, point.order = None, order
    return bool(differing or back or moved)


def _told(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in (None, "", {})}
