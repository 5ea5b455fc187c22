"""Devices: entering, changing, retiring, many at once."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from yuanmai.core.actions import Act, action
from yuanmai.core.undo import Changed, keep, state_of, take_back
from yuanmai.core.undo.models import UndoStep
from yuanmai.devices.engine.addresses import counted
from yuanmai.devices.models import Device, Point, ProductTemplate
from yuanmai.devices.permissions import KEEP_DEVICES
from yuanmai.devices.registry.actions.checking import (
    FIELDS,
    RELATIONS,
    Present,
    checked_device,
    key_taken,
    points_from,
    shown,
)
from yuanmai.devices.registry.queries import template_points

MOST = 2_000  # devices in one step


def stored(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the audit log says of a device's values."""
    return shown({name: value for name, value in values.items() if value not in (None, "")})


@action("devices.add", permission=KEEP_DEVICES, local=True)
def add_device(act: Act, /, org_id: int, **given: Any) -> Device:
    """Enter a device with the points of its template; raises `ValidationError` with the faults by field."""
    act.require(org_id)
    values = checked_device(org_id, given)
    values.setdefault("mobile", bool(values["template"].profile.get("mobile")))
    row = Device.objects.create(
        org_id=org_id, profile=given.get("profile") or {}, batch=given.get("batch"), **values
    )
    Point.objects.bulk_create(points_from(template_points(row.template), row))
    act.log(row, after=stored(values), name=row.name)
    return row


@action("devices.add_many", permission=KEEP_DEVICES, local=True)
def add_many(
    act: Act,
    /,
    org_id: int,
    template: ProductTemplate,
    *,
    count: int,
    code: str,
    name: str,
    key: str,
    first: int = 1,
    **common: Any,
) -> list[Device]:
    """Enter a row of devices: `code`, `name` and `key` are patterns with a number in them (`engine.addresses.numbered`).

    `common` holds what all share (park, building, enterprise …). All or nothing: raises `ValidationError` naming the first
    device that cannot be.
    """
    act.require(org_id)
    if not 1 <= count <= MOST:
        raise ValidationError({"count": _("Between 1 and %(most)s devices at once.") % {"most": MOST}})
    present = Present(org_id, many=True)
    rows: list[Device] = []
    seen: set[tuple[str, str]] = set()
    for number in range(first, first + count):
        told = counted(number, first, code=code, name=name, key=key)
        try:
            values = checked_device(org_id, {**common, **told, "template": template}, present=present)
            for part in ("code", "key"):
                if (part, values[part]) in seen:
                    raise ValidationError(
                        {
                            part: _("The pattern gives “%(text)s” twice: put {n} into it.")
                            % {"text": values[part]}
                        }
                    )
                seen.add((part, values[part]))
        except ValidationError as error:
            faults = "; ".join(error.messages)
            raise ValidationError({next(iter(error.message_dict)) if hasattr(error, "error_dict") else "code":
                                   _("Device %(number)s (%(code)s): %(faults)s") % {"number": number, "code": told["code"], "faults": faults}}) from None  # fmt: skip
        values.setdefault("mobile", bool(template.profile.get("mobile")))
        rows.append(Device(org_id=org_id, **values))
    Device.objects.bulk_create(rows, batch_size=500)
    points = template_points(template)
    Point.objects.bulk_create((point for row in rows for point in points_from(points, row)), batch_size=500)
    for row in rows:
        act.log(row, after={"code": row.code, "key": row.key, "template": str(template)}, name=row.name)
    return rows


@action("devices.revise", permission=KEEP_DEVICES, local=True)
def revise_device(act: Act, /, row: Device, **given: Any) -> Device:
    """Change what is known of a device; fields that are not given stay as they are.

    Another template of the same protocol brings the points that the device does not have yet; none is taken away.
    """
    act.require(row.org_id)
    before = {name: getattr(row, name) for name in FIELDS}
    values = checked_device(row.org_id, {**before, **given}, row)
    if "profile" in given and isinstance(given["profile"], dict):
        before["profile"], values["profile"] = row.profile, given["profile"]
    if values["protocol"] != row.protocol:
        raise ValidationError(
            {
                "template": _(
                    "The template speaks another protocol; enter the device anew and retire this one."
                )
            }
        )
    former = row.template_id
    for name, value in values.items():
        setattr(row, name, value)
    row.save()
    if row.template_id != former:
        present = set(Point.objects.filter(device=row).values_list("code", flat=True))
        new = [
            point for point in points_from(template_points(row.template), row) if point.code not in present
        ]
        Point.objects.bulk_create(new)
    changed = [name for name in before if before[name] != getattr(row, name)]
    act.log(
        row,
        before=shown({name: before[name] for name in changed}),
        after=shown({name: getattr(row, name) for name in changed}),
        name=row.name,
    )
    return row


def _limited(rows: Sequence[Device]) -> list[Device]:
    rows = list(rows)
    if not rows:
        raise ValidationError(_("Choose at least one device."))
    if len(rows) > MOST:
        raise ValidationError(_("At most %(most)s devices at once.") % {"most": MOST})
    return rows


@action("devices.retire", permission=KEEP_DEVICES, local=True)
def retire_devices(act: Act, rows: Sequence[Device]) -> int:
    """Take devices out of the register; their readings and their history stay, and their identity is free again."""
    number = 0
    for row in _limited(rows):
        act.require(row.org_id)
        if row.retired_at is not None:
            continue
        row.retired_at = act.now
        row.save(update_fields=["retired_at"])
        act.log(row, before={"retired_at": None}, after={"retired_at": act.now}, name=row.name)
        number += 1
    if not number:
        raise ValidationError(_("These devices are retired already."))
    return number


@action("devices.restore", permission=KEEP_DEVICES, local=True)
def restore_devices(act: Act, rows: Sequence[Device]) -> int:
    """Bring retired devices back; raises `ValidationError` where another device has taken an identity since."""
    number = 0
    for row in _limited(rows):
        act.require(row.org_id)
        if row.retired_at is None:
            continue
        if fault := key_taken(row.protocol, row.key, row):
            raise ValidationError(f"{row.name}: {fault}")
        before, row.retired_at = row.retired_at, None
        row.save(update_fields=["retired_at"])
        act.log(row, before={"retired_at": before}, after={"retired_at": None}, name=row.name)
        number += 1
    if not number:
        raise ValidationError(_("These devices are in the register already."))
    return number


def _change(act: Act, rows: Sequence[Device], values: Mapping[str, Any]) -> tuple[int, UndoStep | None]:
    """Set the same values on many devices and keep what they were; rows that have them already are left alone."""
    changed: list[Changed] = []
    rows = _limited(rows)
    present = {org: Present(org, many=True) for org in {row.org_id for row in rows}}
    for row in rows:
        act.require(row.org_id)
        differing = [name for name, value in values.items() if getattr(row, name) != value]
        if not differing:
            continue
        before, old = state_of(row), {name: getattr(row, name) for name in differing}
        if row.template.protocol != row.protocol:
            raise ValidationError(_("“%(name)s” speaks another protocol.") % {"name": row.name})
        checked_device(
            row.org_id, {**{name: getattr(row, name) for name in FIELDS}, **values}, row, present[row.org_id]
        )
        for name in differing:
            setattr(row, name, values[name])
        row.save(update_fields=differing)
        changed.append(Changed(Device, row.pk, before, state_of(row)))
        act.log(
            row, before=shown(old), after=shown({name: values[name] for name in differing}), name=row.name
        )
    if not changed:
        raise ValidationError(_("Nothing to change: the chosen devices are so already."))
    return len(changed), keep(act, rows[0].org_id, changed, name=_("Devices"))


@action("devices.assign", permission=KEEP_DEVICES, local=True)
def assign_many(act: Act, rows: Sequence[Device], values: Mapping[str, Any]) -> tuple[int, UndoStep | None]:
    """Put devices into a park, a building, an enterprise or under another device; returns their number and the step to undo."""
    return _change(act, rows, {name: values[name] for name in RELATIONS[1:] if name in values})


@action("devices.enable", permission=KEEP_DEVICES, local=True)
def enable_many(act: Act, rows: Sequence[Device], enabled: bool) -> tuple[int, UndoStep | None]:
    """Take devices into use or pause them; a paused one is not listened to, and stays in the register."""
    return _change(act, rows, {"enabled": enabled})


@action("devices.undo", permission=KEEP_DEVICES)
def undo_change(act: Act, step: UndoStep) -> int:
    """Put every device of a step back as it was; raises `ValidationError` where one was changed since."""
    act.require(step.org_id)
    rows = Device.objects.in_bulk(list(step.changes.values_list("row_id", flat=True)))
    for row in rows.values():
        act.require(row.org_id)
    number = take_back(act, step)
    if not rows:
        act.log(None, org_id=step.org_id, after={"undone": step.action}, name=step.name)
    for row in rows.values():
        act.log(row, after={"undone": step.action}, name=row.name)
    return number
