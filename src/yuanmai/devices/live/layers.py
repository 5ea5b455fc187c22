"""The layers of devices on the map: those that stand, and those that drive, which move by themselves."""

from collections.abc import Collection, Iterable

from django.urls import NoReverseMatch, reverse
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from yuanmai.devices.models import Device
from yuanmai.devices.permissions import SEE_DEVICES
from yuanmai.places.queries.layers import MOST_FEATURES, Feature, Frame, Layer, register_layer


def _record(pk: int) -> str:
    try:
        return reverse("devices:record", args=[pk])
    except NoReverseMatch:
        return ""


def _features(org_ids: Collection[int], *, mobile: bool) -> Iterable[Feature]:
    """Yield devices that have a position: their own, or, of those that move, the last one heard."""
    rows = (
        Device.objects.filter(org_id__in=org_ids, retired_at=None, enabled=True, mobile=mobile)
        .select_related("template", "state")
        .order_by("code", "pk")[:MOST_FEATURES]
    )
    for device in rows:
        state = getattr(device, "state", None)
        longitude, latitude = device.longitude, device.latitude
        if mobile and state is not None and state.longitude is not None:
            longitude, latitude = state.longitude, state.latitude
        if longitude is None or latitude is None:
            continue
        online = state is not None and state.online
        heard = state.last_seen if state is not None else None
        words = [
            device.template.label,
            _("online") if online else _("offline"),
            _("heard %(time)s ago") % {"time": timesince(heard, depth=1)} if heard else _("never heard"),
        ]
        yield Feature(
            f"device-{device.pk}",
            device.label,
            {"type": "Point", "coordinates": [longitude, latitude]},
            _record(device.pk),
            " · ".join(words),
            light="green" if online else "grey",
            moves=mobile,
        )


def standing(frame: Frame, org_ids: Collection[int]) -> Iterable[Feature]:
    """Devices that stand where they are."""
    return _features(org_ids, mobile=False)


def driving(frame: Frame, org_ids: Collection[int]) -> Iterable[Feature]:
    """Vehicles and other devices that move."""
    return _features(org_ids, mobile=True)


register_layer(
    Layer(
        "devices",
        gettext_lazy("Devices"),
        "point",
        standing,
        SEE_DEVICES,
        lights=True,
        order=80,
        live="devices",
    )
)
register_layer(
    Layer(
        "vehicles",
        gettext_lazy("Vehicles"),
        "point",
        driving,
        SEE_DEVICES,
        lights=True,
        order=90,
        live="positions devices",
    )
)
