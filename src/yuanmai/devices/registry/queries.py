"""Reads of the register for pages, interface, import and figures."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.http import Http404

from yuanmai.core.scope import everywhere
from yuanmai.core.search import matching
from yuanmai.devices.engine.quality import EXCLUDED
from yuanmai.devices.models import Device, Latest, Point, ProductTemplate, TemplatePoint, UnknownDevice
from yuanmai.enterprises.models import Enterprise
from yuanmai.people.models import Organisation
from yuanmai.places.models import Building, Park

STATES = ("online", "offline", "never")


def above(org_ids: Collection[int]) -> list[int]:
    """Return these organisations and all above them: whose templates serve them."""
    paths = list(Organisation.objects.filter(pk__in=org_ids).values_list("path", flat=True))
    step = Organisation.steplen
    wanted = {path[:end] for path in paths for end in range(step, len(path) + 1, step)}
    return list(Organisation.objects.filter(path__in=wanted).values_list("pk", flat=True))


def templates_for(
    org_ids: Collection[int], *, retired: bool = False, counted: bool = False
) -> list[ProductTemplate]:
    """Return the templates that serve these organisations: their own and those of the organisations above, by code.

    With `counted` each carries `point_count`, and `device_count` of the devices in these organisations.
    """
    with everywhere():
        rows = ProductTemplate.objects.filter(org_id__in=above(org_ids)).select_related("org")
        if not retired:
            rows = rows.filter(retired_at=None)
        found = list(rows.order_by("protocol", "code", "pk"))
        if counted:
            points = TemplatePoint.objects.filter(template__in=found).order_by().values_list("template")
            devices = register(org_ids).order_by().values_list("template")
            point_counts = dict(points.annotate(n=Count("pk")))
            device_counts = dict(devices.annotate(n=Count("pk")))
            for row in found:
                row.point_count = point_counts.get(row.pk, 0)  # type: ignore[attr-defined]
                row.device_count = device_counts.get(row.pk, 0)  # type: ignore[attr-defined]
        return found


def template_or_404(pk: int, org_ids: Collection[int]) -> ProductTemplate:
    """Return a template that serves one of these organisations; raises `Http404`."""
    with everywhere():
        row = (
            ProductTemplate.objects.filter(pk=pk, org_id__in=above(org_ids)).select_related("org").first()
            if pk < 2**62
            else None
        )
        if row is None:
            raise Http404
        return row


def template_points(template: ProductTemplate) -> list[Any]:
    """Return the points of a template that serves the reader, also where it belongs to an organisation above."""
    with everywhere():
        return list(template.points.order_by("order", "pk"))


def register(org_ids: Collection[int], *, retired: bool = False) -> QuerySet[Device]:
    """Return the devices of these organisations that are in the register."""
    return Device.objects.filter(org_id__in=list(org_ids), retired_at__isnull=not retired)


def with_state(rows: QuerySet[Device]) -> QuerySet[Device]:
    """Join what a list shows of a device, in one query."""
    return rows.select_related("org", "template", "park", "building", "enterprise", "state", "parent")


@dataclass(frozen=True)
class Asked:
    """What the register is narrowed by; every part may be empty."""

    q: str = ""
    protocol: str = ""
    template: str = ""
    park: str = ""
    building: str = ""
    enterprise: str = ""
    state: str = ""
    alarm: str = ""
    placed: str = ""
    use: str = ""  # "" in use or paused, "yes", "no", "retired"

    @classmethod
    def of(cls, values: Mapping[str, str]) -> "Asked":
        """Read the filters of an address; what is unknown or empty is left out."""
        names = cls.__dataclass_fields__
        return cls(**{name: values[name].strip()[:120] for name in names if values.get(name, "").strip()})

    @property
    def any(self) -> bool:
        """Whether something is asked at all."""
        return any(getattr(self, name) for name in self.__dataclass_fields__)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else 0


def narrowed(rows: QuerySet[Device], asked: Asked) -> QuerySet[Device]:
    """Apply the filters of a list."""
    if asked.q:
        words = matching(asked.q, "name", "name_en", "code", "key")
        rows = rows.filter(words)
    if asked.protocol:
        rows = rows.filter(protocol=asked.protocol)
    for name in ("template", "park", "building", "enterprise"):
        if text := getattr(asked, name):
            rows = rows.filter(**{f"{name}_id": _number(text)})
    if asked.state == "online":
        rows = rows.filter(state__online=True)
    elif asked.state == "offline":
        rows = rows.filter(state__online=False, state__last_seen__isnull=False)
    elif asked.state == "never":
        rows = rows.filter(Q(state=None) | Q(state__last_seen=None))
    if asked.placed:
        rows = rows.filter(
            longitude__isnull=asked.placed == "no", **({"mobile": False} if asked.placed == "no" else {})
        )
    if asked.use in ("yes", "no"):
        rows = rows.filter(enabled=asked.use == "yes")
    if asked.alarm:
        rows = alarmed(rows, asked.alarm)
    return rows


def alarmed(rows: QuerySet[Device], wanted: str) -> QuerySet[Device]:
    """Narrow to devices with open alarms (`open`) or without (`none`)."""
    alarm = open_alarms()
    if alarm is None:
        return rows
    there = Exists(alarm.filter(device=OuterRef("pk")))
    return rows.filter(there) if wanted == "open" else rows.filter(~there)


def open_alarms() -> QuerySet[Any] | None:
    """Return the alarms that are not closed; None where the program has no alarms."""
    from django.apps import apps

    try:
        model = apps.get_model("devices", "Alarm")
    except LookupError:
        return None
    return model.objects.exclude(state="closed")


def ordered(rows: QuerySet[Device], sort: str, fields: Mapping[str, Any]) -> QuerySet[Device]:
    """Order by the key of a column, undefined values last."""
    field = fields.get(sort.lstrip("-"), "code")
    column = F(field) if isinstance(field, str) else field
    order = column.desc(nulls_last=True) if sort.startswith("-") else column.asc(nulls_last=True)
    return rows.order_by(order, "code", "pk")


def choices(org_ids: Collection[int]) -> dict[str, list[tuple[str, str]]]:
    """Return what the list can be narrowed to: what its devices have (a constant number of queries)."""
    rows = register(org_ids).order_by()
    found: dict[str, list[tuple[str, str]]] = {}
    for name in ("template", "park", "building", "enterprise"):
        pairs = rows.exclude(**{name: None}).values_list(f"{name}_id", f"{name}__name").distinct()[:500]
        found[name] = sorted(((str(pk), label) for pk, label in pairs), key=lambda pair: pair[1])
    return found


def destinations(org_ids: Collection[int], most: int = 500) -> dict[str, list[tuple[int, str]]]:
    """Return the parks, buildings and enterprises that devices of these organisations can be moved to."""
    ids = list(org_ids)
    return {
        "park": list(Park.objects.filter(org_id__in=ids).order_by("name").values_list("pk", "name")[:most]),
        "building": list(
            Building.objects.filter(org_id__in=ids).order_by("name").values_list("pk", "name")[:most]
        ),
        "enterprise": list(
            Enterprise.objects.filter(org_id__in=ids, retired_at=None)
            .order_by("name")
            .values_list("pk", "name")[:most]
        ),
    }


@dataclass(frozen=True)
class PointNow:
    """A point with its newest value."""

    point: Point
    latest: Latest | None


def values_of(device: Device) -> list[PointNow]:
    """Return the points in use of a device with their newest values (one query)."""
    rows = (
        Point.objects.filter(device=device, retired_at=None)
        .select_related("latest")
        .order_by("order", "code")
    )
    return [PointNow(row, getattr(row, "latest", None)) for row in rows]


def excluded_now(org_ids: Collection[int]) -> QuerySet[Latest]:
    """Return the newest values that do not enter means and sums."""
    rows = Latest.objects.filter(point__device__org_id__in=list(org_ids), point__device__retired_at=None)
    return rows.annotate(excluded=F("quality").bitand(EXCLUDED)).exclude(excluded=0)


def unknown_devices(*, dismissed: bool = False) -> QuerySet[UnknownDevice]:
    """Return who knocks and is in no register, the latest first.

    An adopted one stays in the table until the ingest process has replayed what it said since `first_sequence`; it is not
    unknown any more, and left out here.
    """
    known = _devices_of_all().filter(protocol=OuterRef("protocol"), key=OuterRef("key"))
    rows = UnknownDevice.objects.filter(~Exists(known), dismissed_at__isnull=not dismissed)
    return rows.order_by("-last_seen", "pk")


def _devices_of_all() -> QuerySet[Device]:
    # The wire knows no organisations; whether somebody has this identity says nothing of whom.
    with everywhere():
        return Device.objects.filter(retired_at=None)
