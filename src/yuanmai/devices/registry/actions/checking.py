"""What a device and its points must be, whoever enters them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from yuanmai.core.scope import everywhere
from yuanmai.devices.engine.addresses import normal_key
from yuanmai.devices.engine.states import states_of
from yuanmai.devices.engine.units import unit_of
from yuanmai.devices.models import Device, Point, ProductTemplate
from yuanmai.devices.models.registry import PointKind
from yuanmai.devices.registry.queries import above
from yuanmai.devices.registry.wording import address_fault, code_fault, key_fault

FIELDS = (
    "code", "name", "name_en", "template", "key", "parent", "park", "building", "enterprise", "longitude", "latitude", "mobile",
    "silence_after", "installed_on", "note", "enabled",
)  # fmt: skip
RELATIONS = ("template", "parent", "park", "building", "enterprise")
POINT_FIELDS = (
    "code", "name", "name_en", "kind", "address", "unit", "scale", "offset", "low", "high", "deadband", "decimals", "states",
    "writable",
)  # fmt: skip
SILENCE = (10, 30 * 86_400)  # seconds


def shown(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values as the audit log keeps them: related rows by their names."""
    plain = (str, int, float, bool, dict, list, type(None))
    return {name: value if isinstance(value, plain) else str(value) for name, value in values.items()}


def silence_of(template: ProductTemplate) -> int:
    """Return after how many seconds a device of a template counts as offline, where nobody says otherwise."""
    asked = template.profile.get("silence_after", 600)
    return asked if isinstance(asked, int) and SILENCE[0] <= asked <= SILENCE[1] else 600


def checked_device(
    org_id: int, given: Mapping[str, Any], own: Device | None = None, present: "Present | None" = None
) -> dict[str, Any]:
    """Return the values of a device, complete and in their kept form; raises `ValidationError` with every fault at its field."""
    present = present or Present(org_id)
    values = {name: given[name] for name in FIELDS if name in given}
    faults: dict[str, Any] = {}
    for name in ("code", "name", "name_en", "note"):
        values[name] = str(values.get(name) or "").strip()
    template = values.get("template")
    if not isinstance(template, ProductTemplate) or template.org_id not in present.serving:
        raise ValidationError({"template": _("Choose a template that serves this organisation.")})
    if template.retired_at and (own is None or own.template_id != template.pk):
        faults["template"] = _("This template is retired.")
    if not values["name"]:
        faults["name"] = _("A device needs a name.")
    if (fault := code_fault(values["code"])) or (fault := present.code_fault(values["code"], own)):
        faults["code"] = fault
    key = normal_key(
        template.protocol,
        str(values.get("key") or "") or (values["code"] if template.protocol == "http" else ""),
    )
    values["key"] = key
    if fault := key_fault(template.protocol, key) or present.key_fault(template.protocol, key, own):
        faults["key"] = fault
    faults |= _place_faults(values)
    faults |= _relation_faults(org_id, values, own)
    silence = values.setdefault("silence_after", silence_of(template))
    if not isinstance(silence, int) or not SILENCE[0] <= silence <= SILENCE[1]:
        faults["silence_after"] = _("Between %(least)s seconds and %(most)s days.") % {
            "least": SILENCE[0],
            "most": SILENCE[1] // 86_400,
        }
    if faults:
        raise ValidationError(faults)
    building = values.get("building")
    if building is not None and not values.get("park"):
        values["park"] = building.park
    return {**values, "protocol": template.protocol}


class Present:
    """What stands in the register already: asked one by one, or, for `many` devices, read at once."""

    def __init__(self, org_id: int, *, many: bool = False) -> None:
        self.org_id = org_id
        self.serving = frozenset(above([org_id]))
        self.codes: dict[str, tuple[int, str, bool]] | None = None
        self.keys: dict[tuple[str, str], int] | None = None
        if many:
            rows = Device.objects.filter(org_id=org_id).values_list("code", "pk", "name", "retired_at")
            self.codes = {code: (pk, name, bool(retired)) for code, pk, name, retired in rows}
            with everywhere():
                every = Device.objects.filter(retired_at=None).order_by().values_list("protocol", "key", "pk")
                self.keys = {(protocol, key): pk for protocol, key, pk in every}

    def code_fault(self, code: str, own: Device | None) -> str:
        """Return what to say where another device of the organisation has this code."""
        if self.codes is None:
            rows = Device.objects.filter(org_id=self.org_id, code=code).values_list(
                "pk", "name", "retired_at"
            )
            found = next(((pk, name, bool(retired)) for pk, name, retired in rows), None)
        else:
            found = self.codes.get(code)
        if found is None or (own is not None and own.pk == found[0]):
            return ""
        if found[2]:
            text = _("The retired device “%(name)s” has this code: bring it back, or choose another code.")
        else:
            text = pgettext("device", "“%(name)s” already has this code.")
        return text % {"name": found[1]}

    def key_fault(self, protocol: str, key: str, own: Device | None) -> str:
        """Return what to say where another device of the installation has this identity."""
        if self.keys is None:
            return key_taken(protocol, key, own)
        pk = self.keys.get((protocol, key))
        return _key_taken() if pk is not None and (own is None or own.pk != pk) else ""


def key_taken(protocol: str, key: str, own: Device | None = None) -> str:
    """Return what to say where another device of the installation has this identity, "" where none has."""
    with everywhere():
        others = Device.objects.filter(protocol=protocol, key=key, retired_at=None)
        taken = (others.exclude(pk=own.pk) if own else others).exists()
    return _key_taken() if taken else ""


def _key_taken() -> str:
    return _(
        "Another device already speaks under this identity; an identity belongs to one device in the whole installation."
    )


def _place_faults(values: Mapping[str, Any]) -> dict[str, Any]:
    east, north = values.get("longitude"), values.get("latitude")
    faults: dict[str, Any] = {}
    if (east is None) != (north is None):
        faults["longitude" if east is None else "latitude"] = _("A place needs longitude and latitude.")
    if east is not None and not -180 <= east <= 180:
        faults["longitude"] = _("A longitude lies between −180 and 180 degrees.")
    if north is not None and not -90 <= north <= 90:
        faults["latitude"] = _("A latitude lies between −90 and 90 degrees.")
    return faults


def _relation_faults(org_id: int, values: Mapping[str, Any], own: Device | None) -> dict[str, Any]:
    faults: dict[str, Any] = {}
    for name in ("park", "building", "enterprise"):
        row = values.get(name)
        if row is not None and not type(row).objects.filter(pk=row.pk).exists():
            faults[name] = _("This lies outside your data scope.")
    building, park = values.get("building"), values.get("park")
    if building is not None and park is not None and building.park_id and building.park_id != park.pk:
        faults["building"] = _("This building stands in another park.")
    parent = values.get("parent")
    if parent is not None and parent.org_id != org_id:
        faults["parent"] = _("A device and what it is a part of belong to one organisation.")
    elif parent is not None and own is not None and _is_below(parent, own):
        faults["parent"] = _("A device cannot be a part of itself or of its own parts.")
    return faults


def _is_below(row: Device | None, top: Device) -> bool:
    for _step in range(32):
        if row is None:
            return False
        if row.pk == top.pk:
            return True
        row = Device.objects.filter(pk=row.parent_id).first() if row.parent_id else None
    return True


def checked_points(protocol: str, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return points in their kept form, in order; raises `ValidationError` with a message for every faulty row and field."""
    faults: list[str] = []
    found: list[dict[str, Any]] = []
    codes: set[str] = set()
    for number, row in enumerate(rows, 1):
        point, wrong = checked_point(protocol, row)
        if point["code"] in codes:
            wrong["code"] = _("The code “%(code)s” stands twice.") % {"code": point["code"]}
        codes.add(point["code"])
        label = point["name"] or point["code"] or "–"
        faults += [
            _("Row %(number)s (%(label)s): %(fault)s") % {"number": number, "label": label, "fault": text}
            for text in wrong.values()
        ]
        found.append(point)
    if faults:
        raise ValidationError({"points": faults})
    return found


def checked_point(protocol: str, row: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return one point in its kept form and what is wrong with it, by field."""
    wrong: dict[str, str] = {}
    point: dict[str, Any] = {
        name: str(row.get(name) or "").strip() for name in ("code", "name", "name_en", "address")
    }
    point["unit"] = unit_of(str(row.get("unit") or ""))
    point["kind"] = str(row.get("kind") or PointKind.GAUGE)
    if point["kind"] not in PointKind.values:
        wrong["kind"] = _("“%(kind)s” is no kind of point.") % {"kind": point["kind"]}
    if fault := code_fault(point["code"]):
        wrong["code"] = fault
    if not point["name"]:
        wrong["name"] = _("A point needs a name.")
    if fault := address_fault(protocol, point["address"]):
        wrong["address"] = fault
    for name, default in (("scale", 1.0), ("offset", 0.0), ("deadband", 0.0), ("low", None), ("high", None)):
        point[name] = _float(row.get(name), default, name, wrong)
    if not wrong.keys() & {"scale", "low", "high", "deadband"}:
        wrong |= _range_faults(point)
    decimals = row.get("decimals")
    try:
        point["decimals"] = 2 if decimals in (None, "") else int(str(decimals))
    except ValueError:
        point["decimals"] = -1
    if not 0 <= point["decimals"] <= 9:
        wrong["decimals"] = _("Decimals are 0 to 9.")
    states = row.get("states") or {}
    try:
        point["states"] = (
            states_of(states) if isinstance(states, str) else {str(k): str(v) for k, v in states.items()}
        )
    except ValueError as error:
        point["states"] = {}
        wrong["states"] = _("Names of states are written like 0=Off; 1=On; “%(part)s” is not.") % {
            "part": error
        }
    point["writable"] = row.get("writable") in (True, "1", "true", "on", 1)
    for name, most in (("name", 120), ("name_en", 160), ("address", 160), ("unit", 30)):
        if len(point[name]) > most:
            wrong[name] = _("At most %(most)s characters.") % {"most": most}
    return point, wrong


def _range_faults(point: Mapping[str, Any]) -> dict[str, str]:
    wrong = {}
    if point["scale"] == 0:
        wrong["scale"] = _("A scale of 0 would make every value 0.")
    if point["low"] is not None and point["high"] is not None and point["low"] >= point["high"]:
        wrong["low"] = _("The lowest plausible value is not below the highest.")
    if point["deadband"] < 0:
        wrong["deadband"] = _("A deadband is not negative.")
    return wrong


def _float(value: Any, default: float | None, name: str, wrong: dict[str, str]) -> Any:
    if value is None or value == "":
        return default
    try:
        number = float(str(value).replace("，", "").replace(",", "").strip())
    except ValueError:
        number = float("nan")
    if number != number or number in (float("inf"), float("-inf")):
        wrong[name] = _("“%(value)s” is not a number.") % {"value": value}
        return default
    return number


def points_from(points: Iterable[Any], device: Device) -> list[Point]:
    """Return new points of a device, made of those of its template (not saved)."""
    return [
        Point(device=device, order=number, **{name: getattr(row, name) for name in POINT_FIELDS})
        for number, row in enumerate(points)
    ]
