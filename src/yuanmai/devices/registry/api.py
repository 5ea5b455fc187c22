"""The register of devices for programs: devices, points, newest values, history, who knocks."""

from typing import Any

from django.http import Http404

from yuanmai.core.api import ApiRequest, Page, Paging, Query, Router, paginate
from yuanmai.devices.models import Device, Point, UnknownDevice
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
from yuanmai.devices.registry.schemas import (
    Adoption,
    DeviceChange,
    DeviceFilter,
    DeviceIn,
    DeviceOut,
    HistoryFilter,
    LatestOut,
    PointDoc,
    PointsIn,
    SeriesOut,
    UnknownOut,
    device_out,
    unknown_out,
)
from yuanmai.devices.registry.series import series, span_of
from yuanmai.devices.registry.tables import quality_words
from yuanmai.enterprises.models import Enterprise
from yuanmai.people.models import Organisation
from yuanmai.places.models import Building, Park

router = Router(tags=["devices"])


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
    return paginate(request, with_state(rows).order_by("code", "pk"), paging, device_out)


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
    return 201, device_out(_one(request, row.pk))


@router.get("/unknown", permission=KEEP_DEVICES, response=Page[UnknownOut])
def list_unknown(request: ApiRequest, paging: Query[Paging]) -> Page[UnknownOut]:
    """List who knocks, the latest first, with the template that fits best."""
    templates = templates_for(list(request.actor.org_ids(KEEP_DEVICES)))
    fitting: dict[int, int | None] = {}

    def out(row: UnknownDevice) -> UnknownOut:
        if row.pk not in fitting:
            proposal = propose_all([row], templates)[row.pk]
            fitting[row.pk] = proposal.template.pk if proposal.template else None
        return unknown_out(row, fitting[row.pk])

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
    return 201, device_out(_one(request, device.pk))


@router.get("/{int:pk}", permission=SEE_DEVICES, response=DeviceOut)
def get_device(request: ApiRequest, pk: int) -> DeviceOut:
    """Show one device, a retired one too."""
    return device_out(_one(request, pk))


@router.patch("/{int:pk}", permission=KEEP_DEVICES, response=DeviceOut)
def change_device(request: ApiRequest, pk: int, change: DeviceChange) -> DeviceOut:
    """Change what is known of a device."""
    row = _one(request, pk)
    values = _related(change.dict(exclude_unset=True), list(request.actor.org_ids()))
    actions.revise_device(request.actor, row, **values)
    return device_out(_one(request, pk))


@router.delete("/{int:pk}", permission=KEEP_DEVICES, response={204: None})
def retire_device(request: ApiRequest, pk: int) -> tuple[int, None]:
    """Take a device out of the register; its readings stay."""
    actions.retire_devices(request.actor, [_one(request, pk)])
    return 204, None


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
