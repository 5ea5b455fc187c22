"""The register of devices for programs: devices, points, newest values, history, who knocks."""

from datetime import date, datetime
from typing import Any

from django.http import Http404
from pydantic import Field

from yuanmai.core.api import ApiRequest, Page, Paging, Query, Router, Schema, paginate
from yuanmai.devices.models import Device, Point, UnknownDevice
from yuanmai.devices.models.registry import PointKind, Protocol
from yuanmai.devices.permissions import KEEP_DEVICES, SEE_DEVICES
from yuanmai.devices.registry import actions
from yuanmai.devices.registry.adopting import propose, propose_all
from yuanmai.devices.registry.queries import (
    Asked,
    narrowed,
    register,
    template_or_404,
    templates_for,
    unknown_devices,
    values_of,
    with_state,
)
from yuanmai.devices.registry.series import MOST_POINTS, series, span_of
from yuanmai.devices.registry.tables import quality_words, standing
from yuanmai.enterprises.models import Enterprise
from yuanmai.people.models import Organisation
from yuanmai.places.models import Building, Park

router = Router(tags=["devices"])


class DeviceOut(Schema):
    """A device of the register."""

    id: int
    organisation: str = Field(description="code of the organisation")
    code: str
    name: str
    template: int
    protocol: Protocol
    key: str = Field(description="what the device calls itself in its protocol")
    state: str = Field(description="online, offline, never, paused, retired")
    last_seen: datetime | None
    park: str | None = Field(description="code of the park")
    building: int | None
    enterprise: int | None
    parent: int | None
    longitude: float | None
    latitude: float | None
    mobile: bool
    enabled: bool
    silence_after: int
    installed_on: date | None
    note: str


def _device(row: Device) -> DeviceOut:
    state = getattr(row, "state", None)
    return DeviceOut(
        id=row.pk, organisation=row.org.code, code=row.code, name=row.name, template=row.template_id,
        protocol=Protocol(row.protocol), key=row.key, state=standing(row), last_seen=state.last_seen if state else None,
        park=row.park.code if row.park else None, building=row.building_id, enterprise=row.enterprise_id, parent=row.parent_id,
        longitude=row.longitude, latitude=row.latitude, mobile=row.mobile, enabled=row.enabled, silence_after=row.silence_after,
        installed_on=row.installed_on, note=row.note,
    )  # fmt: skip


class DeviceFilter(Schema):
    """Which devices."""

    q: str | None = Field(None, max_length=60, description="part of name, code or identity")
    protocol: Protocol | None = None
    template: int | None = None
    state: str | None = Field(None, pattern="^(online|offline|never)$")
    use: str | None = Field(
        None, pattern="^(yes|no|retired)$", description="in use, paused, or taken out of the register"
    )


class DeviceIn(Schema):
    """A device to be entered; the points of its template come with it."""

    organisation: str = Field(max_length=60)
    template: int
    code: str = Field(max_length=60)
    name: str = Field(max_length=120)
    name_en: str = Field("", max_length=160)
    key: str = Field("", max_length=200, description="of HTTP empty: the code")
    park: str | None = Field(None, max_length=60, description="code")
    building: int | None = None
    enterprise: int | None = None
    parent: int | None = None
    longitude: float | None = None
    latitude: float | None = None
    mobile: bool | None = None
    enabled: bool = True
    silence_after: int | None = None
    installed_on: date | None = None
    note: str = Field("", max_length=4000)


class DeviceChange(Schema):
    """What is to be changed; what is left out stays."""

    code: str | None = Field(None, max_length=60)
    name: str | None = Field(None, max_length=120)
    name_en: str | None = Field(None, max_length=160)
    key: str | None = Field(None, max_length=200)
    park: str | None = Field(None, max_length=60)
    building: int | None = None
    enterprise: int | None = None
    longitude: float | None = None
    latitude: float | None = None
    enabled: bool | None = None
    silence_after: int | None = None
    note: str | None = Field(None, max_length=4000)


def _one(request: ApiRequest, pk: int) -> Device:
    rows = with_state(Device.objects.filter(org_id__in=list(request.actor.org_ids(SEE_DEVICES))))
    row = rows.filter(pk=pk).first() if pk < 2**62 else None
    if row is None:
        raise Http404
    return row


def _related(values: dict[str, Any], actor_orgs: list[int]) -> dict[str, Any]:
    """Turn codes and keys into rows of the data scope; raises `Http404` for what is not there."""
    models: dict[str, tuple[Any, str]] = {
        "park": (Park, "code"), "building": (Building, "pk"), "enterprise": (Enterprise, "pk"), "parent": (Device, "pk"),
    }  # fmt: skip
    for name, (model, field) in models.items():
        if values.get(name) is not None:
            row = model.objects.filter(**{field: values[name]}, org_id__in=actor_orgs).first()
            if row is None:
                raise Http404
            values[name] = row
    return values


def _orgs(request: ApiRequest) -> list[int]:
    allowed = request.actor.org_ids(SEE_DEVICES)
    return [pk for pk in request.view.org_ids if pk in allowed]


def _own_org(request: ApiRequest, code: str) -> int:
    org = Organisation.objects.filter(code=code, pk__in=list(request.actor.org_ids())).first()
    if org is None:
        raise Http404
    return org.pk


@router.get("", permission=SEE_DEVICES, response=Page[DeviceOut])
def list_devices(request: ApiRequest, filters: Query[DeviceFilter], paging: Query[Paging]) -> Page[DeviceOut]:
    """List the devices of an organisation and all below it, by code."""
    told = {name: str(value) for name, value in filters.dict(exclude_none=True).items()}
    if filters.protocol is not None:
        told["protocol"] = filters.protocol.value
    rows = narrowed(register(_orgs(request), retired=filters.use == "retired"), Asked.of(told))
    return paginate(request, with_state(rows).order_by("code", "pk"), paging, _device)


@router.post("", permission=KEEP_DEVICES, response={201: DeviceOut})
def add_device(request: ApiRequest, device: DeviceIn) -> tuple[int, DeviceOut]:
    """Enter a device with the points of its template."""
    values = device.dict()
    org_id = _own_org(request, values.pop("organisation"))
    values = _related(values, list(request.actor.org_ids()))
    values["template"] = template_or_404(values["template"], [org_id])
    for name in ("silence_after", "mobile"):
        if values[name] is None:
            del values[name]
    row = actions.add_device(request.actor, org_id, **values)
    return 201, _device(_one(request, row.pk))


class UnknownOut(Schema):
    """Somebody who speaks to the gateway and is in no register."""

    id: int
    protocol: Protocol
    key: str
    address: str
    frames: int
    first_seen: datetime
    last_seen: datetime
    sample: dict[str, Any] = Field(description="what the last frame says: address and value")
    template: int | None = Field(description="the template that fits best")


def _unknown(row: UnknownDevice, template: int | None) -> UnknownOut:
    said = row.sample.get("addresses") if isinstance(row.sample, dict) else {}
    return UnknownOut(
        id=row.pk, protocol=Protocol(row.protocol), key=row.key, address=row.address, frames=row.frames, first_seen=row.first_seen,
        last_seen=row.last_seen, sample=said if isinstance(said, dict) else {}, template=template,
    )  # fmt: skip


class Adoption(Schema):
    """What somebody unknown is taken into the register as; what is left out is as proposed."""

    organisation: str = Field(max_length=60)
    template: int | None = None
    code: str | None = Field(None, max_length=60)
    name: str | None = Field(None, max_length=120)
    park: str | None = Field(None, max_length=60)
    extra: bool = Field(True, description="whether what it says beyond the template becomes points, too")


@router.get("/unknown", permission=KEEP_DEVICES, response=Page[UnknownOut])
def list_unknown(request: ApiRequest, paging: Query[Paging]) -> Page[UnknownOut]:
    """List who knocks, the latest first, with the template that fits best."""
    templates = templates_for(list(request.actor.org_ids(KEEP_DEVICES)))
    fitting: dict[int, int | None] = {}

    def out(row: UnknownDevice) -> UnknownOut:
        if row.pk not in fitting:
            proposal = propose_all([row], templates)[row.pk]
            fitting[row.pk] = proposal.template.pk if proposal.template else None
        return _unknown(row, fitting[row.pk])

    return paginate(request, unknown_devices(), paging, out)


@router.post("/unknown/{int:pk}/adopt", permission=KEEP_DEVICES, response={201: DeviceOut})
def adopt(request: ApiRequest, pk: int, adoption: Adoption) -> tuple[int, DeviceOut]:
    """Take somebody into the register; what they have said since they first knocked is taken over."""
    row = unknown_devices().filter(pk=pk).first() if pk < 2**62 else None
    if row is None:
        raise Http404
    org_id = _own_org(request, adoption.organisation)
    proposal = propose(row, templates_for([org_id]), adoption.template or 0)
    template = template_or_404(adoption.template, [org_id]) if adoption.template else proposal.template
    if template is None:
        raise Http404
    values = _related({"park": adoption.park}, list(request.actor.org_ids()))
    given = {
        "template": template,
        "code": adoption.code or proposal.code,
        "name": adoption.name or proposal.name,
        **values,
    }
    device = actions.adopt_device(
        request.actor, row, org_id, extra=proposal.extra if adoption.extra else (), **given
    )
    return 201, _device(_one(request, device.pk))


@router.get("/{int:pk}", permission=SEE_DEVICES, response=DeviceOut)
def get_device(request: ApiRequest, pk: int) -> DeviceOut:
    """Show one device, a retired one too."""
    return _device(_one(request, pk))


@router.patch("/{int:pk}", permission=KEEP_DEVICES, response=DeviceOut)
def change_device(request: ApiRequest, pk: int, change: DeviceChange) -> DeviceOut:
    """Change what is known of a device."""
    row = _one(request, pk)
    values = _related(change.dict(exclude_unset=True), list(request.actor.org_ids()))
    actions.revise_device(request.actor, row, **values)
    return _device(_one(request, pk))


@router.delete("/{int:pk}", permission=KEEP_DEVICES, response={204: None})
def retire_device(request: ApiRequest, pk: int) -> tuple[int, None]:
    """Take a device out of the register; its readings stay."""
    actions.retire_devices(request.actor, [_one(request, pk)])
    return 204, None


class PointDoc(Schema):
    """A point: what it means, where it stands in the device's language, what is plausible."""

    id: int | None = Field(None, description="of a stored point; its readings stand under this number")
    code: str = Field(max_length=60)
    name: str = Field(max_length=120)
    name_en: str = Field("", max_length=160)
    kind: PointKind = PointKind.GAUGE
    address: str = Field(max_length=160)
    unit: str = Field("", max_length=30)
    scale: float = 1.0
    offset: float = 0.0
    low: float | None = None
    high: float | None = None
    deadband: float = 0.0
    decimals: int = Field(2, ge=0, le=9)
    states: dict[str, str] = Field(default_factory=dict, description='names of states, {"0": "关|Off"}')
    writable: bool = False

    @classmethod
    def of(cls, row: Any, *, numbered: bool = True) -> "PointDoc":
        """Return a stored point as a document."""
        names = [name for name in cls.model_fields if name != "id"]
        return cls(id=row.pk if numbered else None, **{name: getattr(row, name) for name in names})

    def told(self) -> dict[str, Any]:
        """Return it as the actions take it."""
        values = self.dict()
        values["pk"] = values.pop("id")
        values["kind"] = self.kind.value
        return values


class PointsIn(Schema):
    """All points of a device; one that is left out is retired."""

    points: list[PointDoc] = Field(max_length=500)


@router.get("/{int:pk}/points", permission=SEE_DEVICES, response=list[PointDoc])
def list_points(request: ApiRequest, pk: int) -> list[PointDoc]:
    """List the points of a device."""
    rows = Point.objects.filter(device=_one(request, pk), retired_at=None).order_by("order", "code")
    return [PointDoc.of(row) for row in rows]


@router.put("/{int:pk}/points", permission=KEEP_DEVICES, response=list[PointDoc])
def set_points(request: ApiRequest, pk: int, body: PointsIn) -> list[PointDoc]:
    """Make the points of a device these."""
    actions.adjust_points(request.actor, _one(request, pk), [point.told() for point in body.points])
    return list_points(request, pk)


class LatestOut(Schema):
    """The newest value of a point."""

    point: str = Field(description="code of the point")
    id: int
    unit: str
    time: datetime | None
    value: float | None
    quality: int | None = Field(description="bits; 0 is good")
    words: list[str] = Field(description="what is wrong with it, in words")


@router.get("/{int:pk}/latest", permission=SEE_DEVICES, response=list[LatestOut])
def latest_values(request: ApiRequest, pk: int) -> list[LatestOut]:
    """Show the newest value of every point of a device."""
    found = []
    for each in values_of(_one(request, pk)):
        latest = each.latest
        found.append(
            LatestOut(
                point=each.point.code, id=each.point.pk, unit=each.point.unit, time=latest.time if latest else None,
                value=latest.value if latest else None, quality=latest.quality if latest else None,
                words=quality_words(latest.quality) if latest else [],
            )
        )  # fmt: skip
    return found


class HistoryFilter(Schema):
    """Which points and when."""

    point: list[str] = Field(
        default_factory=list, max_length=MOST_POINTS, description="codes; the first point where none is given"
    )
    range: str | None = Field(None, pattern="^(24h|7d|30d|365d)$")
    since: str | None = Field(None, alias="from", max_length=40, description="day, or moment with zone")
    until: str | None = Field(None, alias="to", max_length=40)
    step: str | None = Field(None, pattern="^(raw|hour|day)$")


class SeriesOut(Schema):
    """The history of a point: columns of equal length; a null is a gap."""

    point: int
    code: str
    name: str
    unit: str
    kind: PointKind
    time: list[int] = Field(description="milliseconds since 1970, UTC")
    value: list[float | None] = Field(
        description="readings, or means of hours or days; of meter counts what they grew by"
    )
    low: list[float | None] = Field(default_factory=list)
    high: list[float | None] = Field(default_factory=list)
    excluded: list[tuple[int, float | None, str]] = Field(
        description="time, value and reason of what enters no mean"
    )
    gaps: list[tuple[int, int]]
    interval: float = Field(description="usual distance of readings in seconds")
    thinned: bool


@router.get("/{int:pk}/history", permission=SEE_DEVICES, response=list[SeriesOut])
def history(request: ApiRequest, pk: int, filters: Query[HistoryFilter]) -> list[SeriesOut]:
    """Show what points of a device did: readings, hours or days."""
    device = _one(request, pk)
    every = list(Point.objects.filter(device=device, retired_at=None).order_by("order", "code"))
    chosen = [point for point in every if point.code in filters.point] if filters.point else every[:1]
    if not chosen:
        raise Http404
    told = {
        "range": filters.range or "",
        "from": filters.since or "",
        "to": filters.until or "",
        "step": filters.step or "",
    }
    return [
        SeriesOut(**{name: one[name] for name in SeriesOut.model_fields if name in one})
        for one in series(chosen, span_of(told))
    ]
