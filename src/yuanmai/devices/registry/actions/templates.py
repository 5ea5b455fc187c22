"""Product templates: entering, changing, copying, retiring, and the library that the program brings."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from yuanmai.core.actions import Act, action
from yuanmai.devices.models import Device, Point, ProductTemplate, Protocol, TemplatePoint
from yuanmai.devices.permissions import KEEP_DEVICES
from yuanmai.devices.registry.actions.checking import POINT_FIELDS, checked_points
from yuanmai.devices.registry.presets import Preset, missing
from yuanmai.devices.registry.queries import template_points
from yuanmai.devices.registry.wording import code_fault

FIELDS = ("code", "name", "name_en", "protocol", "maker", "icon", "profile", "source")
Rows = Sequence[Mapping[str, Any]]


def _checked(org_id: int, given: Mapping[str, Any], own: ProductTemplate | None) -> dict[str, Any]:
    values = {name: given[name] for name in FIELDS if name in given}
    faults: dict[str, Any] = {}
    for name in ("code", "name", "name_en", "maker", "source"):
        values[name] = str(values.get(name) or "").strip()
    values["icon"] = str(values.get("icon") or "cpu")
    values["profile"] = values.get("profile") or {}
    if not isinstance(values["profile"], dict):
        faults["profile"] = _('A profile is a JSON object, such as {"interval": 60}.')
    if values.get("protocol") not in Protocol.values:
        faults["protocol"] = _("Choose a protocol.")
    if not values["name"]:
        faults["name"] = _("A template needs a name.")
    if fault := code_fault(values["code"]):
        faults["code"] = fault
    else:
        others = ProductTemplate.objects.filter(org_id=org_id, code=values["code"])
        if (others.exclude(pk=own.pk) if own else others).exists():
            faults["code"] = _("This organisation already has a template of this code.")
    if own is not None and values["protocol"] != own.protocol and own.devices.exists():
        faults["protocol"] = _(
            "Devices of this template speak %(protocol)s; copy it for another protocol."
        ) % {"protocol": Protocol(own.protocol).label}
    if faults:
        raise ValidationError(faults)
    return values


def _faults(
    org_id: int, given: Mapping[str, Any], points: Rows | None, own: ProductTemplate | None
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Check a template and its points together, so that every fault is told at once."""
    faults: dict[str, Any] = {}
    values: dict[str, Any] = {}
    rows: list[dict[str, Any]] = []
    try:
        values = _checked(org_id, given, own)
    except ValidationError as error:
        faults.update(error.message_dict)
    protocol = given.get("protocol") or (own.protocol if own else "")
    if points is not None and protocol in Protocol.values:
        try:
            rows = checked_points(str(protocol), points)
        except ValidationError as error:
            faults.update(error.message_dict)
    if faults:
        raise ValidationError(faults)
    return values, rows


@action("devices.add_template", permission=KEEP_DEVICES)
def add_template(act: Act, /, org_id: int, points: Rows = (), **given: Any) -> ProductTemplate:
    """Enter a template with its points; raises `ValidationError` with the faults by field."""
    act.require(org_id)
    values, rows = _faults(org_id, given, points, None)
    template = ProductTemplate.objects.create(org_id=org_id, **values)
    TemplatePoint.objects.bulk_create(
        TemplatePoint(template=template, order=number, **row) for number, row in enumerate(rows)
    )
    act.log(template, after={**values, "points": [row["code"] for row in rows]}, name=template.name)
    return template


@action("devices.revise_template", permission=KEEP_DEVICES)
def revise_template(
    act: Act, /, template: ProductTemplate, points: Rows | None = None, *, pass_on: bool = False, **given: Any
) -> int:
    """Change a template; with `points` its points become these.

    With `pass_on` its devices follow: points that they do not have are added, and what a device has as the template had it
    becomes what the template has now; what was adjusted on a device stays. Returns the number of devices that changed.
    """
    act.require(template.org_id)
    former = {name: getattr(template, name) for name in FIELDS}
    values, rows = _faults(template.org_id, {**former, **given}, points, template)
    for name, value in values.items():
        setattr(template, name, value)
    template.save()
    before: dict[str, Any] = {name: former[name] for name in FIELDS if former[name] != values[name]}
    after: dict[str, Any] = {name: values[name] for name in before}
    reached = 0
    if points is not None:
        old = {
            point.code: {name: getattr(point, name) for name in POINT_FIELDS}
            for point in template.points.all()
        }
        new = {row["code"]: row for row in rows}
        if list(old.items()) != list(new.items()):
            template.points.all().delete()
            TemplatePoint.objects.bulk_create(
                TemplatePoint(template=template, order=number, **row) for number, row in enumerate(rows)
            )
            before["points"] = {code: point for code, point in old.items() if new.get(code) != point}
            after["points"] = {code: row for code, row in new.items() if old.get(code) != row}
        if pass_on:
            reached = _pass_on(template, old, new)
            after["devices"] = reached
    if not after and not before:
        raise ValidationError(_("Nothing was changed."))
    act.log(template, before=before, after=after, name=template.name)
    return reached


def _pass_on(template: ProductTemplate, old: Mapping[str, Any], new: Mapping[str, Any]) -> int:
    """Bring what changed in a template to its devices; returns how many changed."""
    order = {code: number for number, code in enumerate(new)}
    devices = list(Device.objects.filter(template=template, retired_at=None).values_list("pk", flat=True))
    stored: dict[int, dict[str, Point]] = {pk: {} for pk in devices}
    for each in Point.objects.filter(device_id__in=devices).iterator():
        stored[each.device_id][each.code] = each
    changed: list[Point] = []
    fresh: list[Point] = []
    reached: set[int] = set()
    for pk, points in stored.items():
        for code, row in new.items():
            point = points.get(code)
            if point is None:
                fresh.append(Point(device_id=pk, order=order[code], **row))
                reached.add(pk)
                continue
            was = old.get(code, {})
            names = [n for n in POINT_FIELDS if was.get(n) != row[n] and getattr(point, n) == was.get(n)]
            for name in names:
                setattr(point, name, row[name])
            if names:
                changed.append(point)
                reached.add(pk)
    Point.objects.bulk_create(fresh, batch_size=500)
    Point.objects.bulk_update(changed, POINT_FIELDS, batch_size=200)
    return len(reached)


@action("devices.copy_template", permission=KEEP_DEVICES)
def copy_template(act: Act, template: ProductTemplate, org_id: int, code: str, name: str) -> ProductTemplate:
    """Copy a template with its points into the register of an organisation, under another code."""
    act.require(org_id)
    given = {field: getattr(template, field) for field in FIELDS}
    values = _checked(org_id, {**given, "code": code, "name": name}, None)
    if name.strip() != template.name:
        values["name_en"] = ""
    copy = ProductTemplate.objects.create(org_id=org_id, **values)
    TemplatePoint.objects.bulk_create(
        TemplatePoint(template=copy, order=number, **{field: getattr(point, field) for field in POINT_FIELDS})
        for number, point in enumerate(template_points(template))
    )
    act.log(copy, after={"code": copy.code, "copy_of": template.code}, name=copy.name)
    return copy


@action("devices.retire_template", permission=KEEP_DEVICES)
def retire_template(act: Act, template: ProductTemplate) -> None:
    """Offer a template no more; devices that have it keep it."""
    act.require(template.org_id)
    before, template.retired_at = template.retired_at, act.now
    template.save(update_fields=["retired_at"])
    act.log(template, before={"retired_at": before}, after={"retired_at": act.now}, name=template.name)


@action("devices.restore_template", permission=KEEP_DEVICES)
def restore_template(act: Act, template: ProductTemplate) -> None:
    """Offer a retired template again."""
    act.require(template.org_id)
    before, template.retired_at = template.retired_at, None
    template.save(update_fields=["retired_at"])
    act.log(template, before={"retired_at": before}, after={"retired_at": None}, name=template.name)


def _template_of(preset: Preset, org_id: int) -> ProductTemplate:
    return ProductTemplate(
        org_id=org_id, code=preset.code, name=preset.name, name_en=preset.name_en, protocol=preset.protocol, icon=preset.icon,
        profile=preset.profile, source=f"{preset.source} ({preset.dated})"[:200],
    )  # fmt: skip


@action("devices.load_templates", permission=KEEP_DEVICES)
def load_templates(act: Act, org_id: int, codes: Sequence[str] | None = None) -> int:
    """Take the templates of the library that an organisation does not have into its register; returns their number.

    One that stands there, edited or retired, is never changed.
    """
    act.require(org_id)
    presets = [preset for preset in missing(org_id) if codes is None or preset.code in codes]
    for preset in presets:
        template = _template_of(preset, org_id)
        template.save()
        rows = checked_points(preset.protocol, preset.points)
        TemplatePoint.objects.bulk_create(
            TemplatePoint(template=template, order=number, **row) for number, row in enumerate(rows)
        )
    after = {"templates": [preset.code for preset in presets]}
    act.log(None, org_id=org_id, after=after, name=_("Library of templates"))
    return len(presets)
