"""Workbooks of devices and points against the register: whom a row means, what differs, what cannot be.

Reads only, and a constant number of queries whatever the number of rows.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rapidfuzz import fuzz, process

from yuanmai.core.scope import everywhere
from yuanmai.core.workbooks.engine.faults import Fault
from yuanmai.core.workbooks.engine.result import Parsed, Row, SheetReading
from yuanmai.core.workbooks.engine.text import a1, key
from yuanmai.core.workbooks.engine.values import as_written
from yuanmai.core.workbooks.kinds import Change, Plan
from yuanmai.devices.engine.addresses import address_example, address_fits, key_example, key_fits, normal_key
from yuanmai.devices.engine.states import states_of
from yuanmai.devices.engine.units import unit_of
from yuanmai.devices.models import Device, Point, ProductTemplate
from yuanmai.devices.registry.actions.checking import POINT_FIELDS, SILENCE, silence_of
from yuanmai.devices.registry.queries import above, templates_for
from yuanmai.devices.registry.tables import SHORT
from yuanmai.enterprises.models import Enterprise
from yuanmai.people.models import Organisation
from yuanmai.places.models import Building, Park

TEXTS = ("name", "name_en", "note")
NUMBERS = ("longitude", "latitude")
RELATED = ("park", "building", "enterprise")


@dataclass(frozen=True)
class Wanted:
    """What a row says: the stored row's key, or None, and the values that differ, related rows by their keys."""

    pk: int | None
    values: dict[str, Any]
    template: ProductTemplate | None = None
    parent: str = ""  # code of the device it is a part of, which may stand in the same file


class Register:
    """The register of one organisation: devices by code, templates by name and code, and what they can belong to."""

    def __init__(self, org_id: int) -> None:
        self.org_id = org_id
        rows = (
            Device.objects.filter(org_id=org_id).select_related("template", "parent", *RELATED).order_by("pk")
        )
        self.devices = {key(row.code): row for row in rows}
        self.templates: dict[str, ProductTemplate] = {}
        for template in templates_for([org_id]):
            for word in (template.code, template.name, template.name_en):
                if word:
                    self.templates.setdefault(key(word), template)
        orgs = [org_id, *below(org_id), *above([org_id])]
        with everywhere():
            every = Device.objects.filter(retired_at=None).order_by().values_list("protocol", "key", "pk")
            self.keys = {(protocol, name): pk for protocol, name, pk in every}
        self.related: dict[str, dict[str, Any]] = {
            "park": _words(Park.objects.filter(org_id__in=orgs).defer("geometry"), "name", "code"),
            "building": _words(Building.objects.filter(org_id__in=orgs).defer("geometry"), "name", "code"),
            "enterprise": _words(
                Enterprise.objects.filter(org_id__in=orgs, retired_at=None), "name", "credit_code"
            ),
        }

    def find(self, row: Row) -> Device | None:
        """Return the stored device that a row means, a retired one too."""
        return self.devices.get(key(str(row.get("code") or "")))

    def template_of(self, row: Row) -> ProductTemplate | None:
        """Return the template that a row names."""
        return self.templates.get(key(str(row.get("template") or "")))

    def key_of(self, row: Row, protocol: str) -> str | None:
        """Return the identity that a row says; of HTTP the code where it says none."""
        told = row.get("key") or (row.get("code") if protocol == "http" else None)
        return normal_key(protocol, str(told)) if told else None


def below(org_id: int) -> list[int]:
    """Return the organisations below one."""
    path = Organisation.objects.values_list("path", flat=True).get(pk=org_id)
    return list(Organisation.objects.filter(path__startswith=path).values_list("pk", flat=True))


def _words(rows: Iterable[Any], *names: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for row in rows:
        for name in names:
            if word := getattr(row, name):
                found.setdefault(key(word), row)
    return found


def nearest(text: Any, known: Iterable[str]) -> str:
    """Return what comes nearest to a word that is unknown."""
    names = sorted(set(known))
    near = process.extractOne(str(text), names, scorer=fuzz.ratio)
    return near[0] if near and near[1] >= 40 else names[0] if names else "–"


def fault(
    sheet: SheetReading, row: Row, field: str, rule: str, anchor: str = "code", **params: object
) -> Fault:
    """Return a fault at the cell of a field, or at `anchor` where the sheet has no such column."""
    named = {column.field: column for column in sheet.columns if column.field}
    column = named.get(field) or named.get(anchor) or named["name"]
    cell = a1(row.line, column.index)
    return Fault(
        rule,
        sheet.sheet,
        cell,
        column.header,
        as_written(row.get(field)),
        row.line + 1,
        field,
        "error",
        params,
    )


def _missing(sheet: SheetReading, row: Row, field: str, rule: str, anchor: str = "code") -> Iterator[Fault]:
    """Yield the fault of an empty cell; one whose content could not be read has a fault of its own already."""
    if row.get(field) is None:
        made = fault(sheet, row, field, rule, anchor)
        if all(other.cell != made.cell for other in sheet.faults):
            yield made


def device_faults(parsed: Parsed, org_id: int) -> Iterator[Fault]:
    """Yield what only the register shows to be wrong in a workbook of devices."""
    stored = Register(org_id)
    said = {key(str(row.get("code") or "")) for row in parsed.rows}
    keys: dict[tuple[str, str], str] = {}
    for sheet in parsed.sheets:
        for row in sheet.rows:
            yield from _device(sheet, row, stored, said, keys)


def _device(
    sheet: SheetReading, row: Row, stored: Register, said: set[str], keys: dict[tuple[str, str], str]
) -> Iterator[Fault]:
    found = stored.find(row)
    template = stored.template_of(row)
    yield from _missing(sheet, row, "code", "code.missing", anchor="name")
    if found is None:
        yield from _missing(sheet, row, "template", "template.missing")
    if row.get("template") and template is None:
        names = {t.name for t in stored.templates.values()}
        yield fault(sheet, row, "template", "template.unknown", nearest=nearest(row.get("template"), names))
    template = template or (found.template if found else None)
    if template is not None and found is not None and template.protocol != found.protocol:
        yield fault(sheet, row, "template", "template.protocol", protocol=SHORT[found.protocol])
    elif template is not None:
        yield from _identity(sheet, row, stored, found, template.protocol, keys)
    for name in RELATED:
        if row.get(name) is not None and key(str(row.get(name))) not in stored.related[name]:
            known = {other.name for other in stored.related[name].values()}
            yield fault(sheet, row, name, f"{name}.not_here", nearest=nearest(row.get(name), known))
    parent = row.get("parent")
    if parent is not None and (
        key(parent) == key(str(row.get("code")))
        or (key(parent) not in stored.devices and key(parent) not in said)
    ):
        yield fault(
            sheet,
            row,
            "parent",
            "device.unknown",
            nearest=nearest(parent, [d.code for d in stored.devices.values()]),
        )
    yield from _place(sheet, row)
    silence = row.get("silence_after")
    if silence is not None and not SILENCE[0] <= silence <= SILENCE[1]:
        yield fault(sheet, row, "silence_after", "silence.range", least=SILENCE[0], most=SILENCE[1])


def _identity(
    sheet: SheetReading,
    row: Row,
    stored: Register,
    found: Device | None,
    protocol: str,
    keys: dict[tuple[str, str], str],
) -> Iterator[Fault]:
    identity = stored.key_of(row, protocol)
    if identity is None:
        if found is None:
            yield fault(
                sheet, row, "key", "key.missing", example=key_example(protocol), protocol=SHORT[protocol]
            )
        return
    if not key_fits(protocol, identity):
        yield fault(sheet, row, "key", "key.form", example=key_example(protocol), protocol=SHORT[protocol])
        return
    owner = stored.keys.get((protocol, identity))
    if owner is not None and (found is None or owner != found.pk):
        yield fault(sheet, row, "key", "key.taken")
    first = keys.setdefault((protocol, identity), str(row.get("code")))
    if first != str(row.get("code")):
        yield fault(sheet, row, "key", "key.twice", code=first)


def _place(sheet: SheetReading, row: Row) -> Iterator[Fault]:
    for name, limit in (("longitude", 180), ("latitude", 90)):
        value = row.get(name)
        if value is not None and not -limit <= value <= limit:
            yield fault(sheet, row, name, "place.range", limit=limit)
    if (row.get("longitude") is None) != (row.get("latitude") is None):
        missing = "longitude" if row.get("longitude") is None else "latitude"
        yield fault(sheet, row, missing, "place.half")


def compare_devices(parsed: Parsed, org_id: int) -> Plan:
    """Return what taking over a workbook of devices would change; empty cells say nothing and change nothing."""
    stored = Register(org_id)
    return Plan([_device_change(sheet, row, stored) for sheet in parsed.sheets for row in sheet.rows])


def _device_change(sheet: SheetReading, row: Row, stored: Register) -> Change:
    found, template = stored.find(row), stored.template_of(row)
    said: dict[str, Any] = {name: row.get(name) for name in TEXTS if row.get(name) is not None}
    said |= {name: float(row.get(name)) for name in NUMBERS if row.get(name) is not None}
    if row.get("silence_after") is not None:
        said["silence_after"] = int(row.get("silence_after"))
    elif found is None and template is not None:
        said["silence_after"] = silence_of(template)
    if row.get("installed_on") is not None:
        said["installed_on"] = row.get("installed_on")
    protocol = found.protocol if found else template.protocol if template else ""
    if (
        protocol
        and (identity := stored.key_of(row, protocol)) is not None
        and (row.get("key") or found is None)
    ):
        said["key"] = identity
    values: dict[str, Any] = {}
    diff: list[tuple[str, Any, Any]] = []

    def note(name: str, column: str, old: Any, new: Any, before: Any, after: Any) -> None:
        if old != new:
            values[column] = new
            diff.append((name, before, after))

    for name, new in said.items():
        old = getattr(found, name) if found else None
        note(name, name, old, new, None if old == "" else old, new)
    for name in RELATED:
        other = stored.related[name].get(key(str(row.get(name) or "")))
        if other is not None:
            old = getattr(found, name) if found else None
            note(
                name,
                f"{name}_id",
                getattr(found, f"{name}_id", None),
                other.pk,
                old.name if old else None,
                other.name,
            )
    if template is not None:
        old_name = found.template.name if found else None
        note(
            "template",
            "template_id",
            found.template_id if found else None,
            template.pk,
            old_name,
            template.name,
        )
    parent = str(row.get("parent") or "")
    former = found.parent.code if found and found.parent else ""
    if parent and key(parent) != key(former):
        diff.append(("parent", former or None, parent))
    else:
        parent = ""
    back = found is not None and found.retired_at is not None
    action = "created" if found is None or back else "updated" if diff else "unchanged"
    pk = found.pk if found else None
    return Change(
        row, sheet.sheet, action, f"{row.get('code')} {row.get('name') or ''}".strip(), pk, str(pk or ""),
        tuple(diff) if action == "updated" else (), Wanted(pk, values, template, parent),
    )  # fmt: skip


POINT_NUMBERS = ("low", "high", "scale", "offset", "deadband")


def point_faults(parsed: Parsed, org_id: int) -> Iterator[Fault]:
    """Yield what only the register shows to be wrong in a workbook of points."""
    devices, points = _devices(org_id), _points(org_id)
    for sheet in parsed.sheets:
        for row in sheet.rows:
            device = devices.get(key(str(row.get("device") or "")))
            yield from _missing(sheet, row, "code", "code.missing", anchor="name")
            if device is None:
                known = [d.code for d in devices.values()]
                yield fault(sheet, row, "device", "device.unknown", nearest=nearest(row.get("device"), known))
                continue
            found = points.get((device.pk, key(str(row.get("code") or ""))))
            address = row.get("address")
            if address is None and found is None:
                yield fault(
                    sheet,
                    row,
                    "address",
                    "address.missing",
                    example=address_example(device.protocol),
                    protocol=SHORT[device.protocol],
                )
            elif address is not None and not address_fits(device.protocol, str(address)):
                yield fault(
                    sheet,
                    row,
                    "address",
                    "address.form",
                    example=address_example(device.protocol),
                    protocol=SHORT[device.protocol],
                )
            low = row.get("low") if row.get("low") is not None else found.low if found else None
            high = row.get("high") if row.get("high") is not None else found.high if found else None
            if low is not None and high is not None and float(low) >= float(high):
                yield fault(sheet, row, "low", "point.range")
            if row.get("scale") == 0:
                yield fault(sheet, row, "scale", "point.scale")
            decimals = row.get("decimals")
            if decimals is not None and (decimals != int(decimals) or not 0 <= decimals <= 9):
                yield fault(sheet, row, "decimals", "point.decimals")
            if row.get("deadband") is not None and row.get("deadband") < 0:
                yield fault(sheet, row, "deadband", "point.deadband")


def _devices(org_id: int) -> dict[str, Device]:
    return {key(row.code): row for row in Device.objects.filter(org_id=org_id, retired_at=None)}


def _points(org_id: int) -> dict[tuple[int, str], Point]:
    return {(row.device_id, key(row.code)): row for row in Point.objects.filter(device__org_id=org_id)}


CASTS: Mapping[str, Callable[[Any], Any]] = {
    **dict.fromkeys(POINT_NUMBERS, float), "decimals": int, "unit": unit_of, "states": lambda text: states_of(str(text)),
}  # fmt: skip


def compare_points(parsed: Parsed, org_id: int) -> Plan:
    """Return what taking over a workbook of points would change."""
    devices, points = _devices(org_id), _points(org_id)
    plan = Plan([])
    for sheet in parsed.sheets:
        for row in sheet.rows:
            device = devices.get(key(str(row.get("device") or "")))
            if device is not None:
                plan.changes.append(_point_change(sheet, row, device, points))
    return plan


def _point_change(
    sheet: SheetReading, row: Row, device: Device, points: Mapping[tuple[int, str], Point]
) -> Change:
    found = points.get((device.pk, key(str(row.get("code") or ""))))
    values: dict[str, Any] = {}
    diff: list[tuple[str, Any, Any]] = []
    for name in POINT_FIELDS:
        if name in ("code", "writable") or row.get(name) is None:
            continue
        new = CASTS.get(name, str)(row.get(name))
        old = getattr(found, name) if found else None
        if new != old:
            values[name] = new
            diff.append((name, old if old != "" else None, new))
    back = found is not None and found.retired_at is not None
    action = "created" if found is None or back else "updated" if values else "unchanged"
    values |= {"device_id": device.pk, "code": str(row.get("code"))} if found is None else {}
    label = f"{device.code} · {row.get('name') or row.get('code')}"
    return Change(
        row, sheet.sheet, action, label, found.pk if found else None, str(device.pk), tuple(diff) if action == "updated" else (),
        Wanted(found.pk if found else None, values),
    )  # fmt: skip
