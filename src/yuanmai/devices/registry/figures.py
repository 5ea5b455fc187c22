"""The figures of the register: what stands there, what is heard, what is doubtful. They speak of the present moment."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.core.cache import cache
from django.db.models import Case, Q, QuerySet, Value, When
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from yuanmai.core.figures import Calendar, Dimension, Facts, Query, Result, Unit, register
from yuanmai.core.figures.model import RowView
from yuanmai.core.figures.sums import question
from yuanmai.devices.models import Device, Latest, Point
from yuanmai.devices.permissions import SEE_DEVICES
from yuanmai.devices.registry.lake import queries
from yuanmai.devices.registry.queries import excluded_now
from yuanmai.devices.registry.tables import SHORT, local, quality_words, standing, standing_word, value_text

NOT_STATED = _("Not stated")
REGISTER = _("The register of devices; whether a device is heard comes from the gateway")
ONE = Value(1)


def _named(value: Any) -> Any:
    return value or NOT_STATED


def _dimensions(prefix: str) -> tuple[Dimension, ...]:
    return (
        Dimension("organisation", _("Organisation"), f"{prefix}org__name", _named),
        Dimension("park", _("Park"), f"{prefix}park__name", _named),
        Dimension("template", _("Template"), f"{prefix}template__name", _named),
        Dimension("protocol", _("Protocol"), f"{prefix}protocol", lambda value: SHORT.get(value, value)),
    )


def devices_in_use(query: Query) -> QuerySet[Device]:
    """Return the devices that stand in the register and are in use."""
    rows = Device.objects.filter(org_id__in=query.org_ids, retired_at=None, enabled=True)
    return rows.select_related("state", "template", "park").order_by("org", "code")


def silent_devices(query: Query) -> QuerySet[Device]:
    """Return the devices in use that were never heard."""
    return devices_in_use(query).filter(Q(state=None) | Q(state__last_seen=None))


def points_in_use(query: Query) -> QuerySet[Point]:
    """Return the points of the devices in use."""
    rows = Point.objects.filter(
        device__org_id__in=query.org_ids, device__retired_at=None, device__enabled=True, retired_at=None
    )
    return rows.select_related("device").order_by("device__code", "order")


def doubtful(query: Query) -> QuerySet[Latest]:
    """Return the newest values that are excluded from means and sums."""
    rows = excluded_now(query.org_ids).filter(point__retired_at=None, point__device__enabled=True)
    return rows.select_related("point__device").order_by("point__device__code", "point__order")


def _device(device: Any) -> RowView:
    state = getattr(device, "state", None)
    columns = {
        "code": device.code,
        "state": standing_word(standing(device)),
        "last_heard": local(state.last_seen) if state else "–",
    }
    return RowView(device.label, reverse("devices:record", args=[device.pk]), columns)


def _point(point: Any) -> RowView:
    columns = {"device": point.device.label, "unit": point.unit, "address": point.address}
    return RowView(point.label, reverse("devices:record", args=[point.device_id]), columns)


def _latest(latest: Any) -> RowView:
    point = latest.point
    columns = {
        "point": point.label,
        "value": f"{value_text(point, latest.value)} {point.unit}".strip(),
        "time": local(latest.time),
        "reason": "; ".join(quality_words(latest.quality)),
    }
    return RowView(point.device.label, reverse("devices:record", args=[point.device_id]), columns)


register(
    Facts(
        code="devices.in_use",
        name=_("Devices in use"),
        unit=Unit.COUNT,
        definition=_("Number of the devices of the register that are in use, at this moment."),
        source=REGISTER,
        grain=_("one device"),
        dimensions=_dimensions(""),
        permission=SEE_DEVICES,
        facts=devices_in_use,
        numerator=ONE,
        row=_device,
        org_path="org_id",
        rooms=("places",),
    )
)
register(
    Facts(
        code="devices.online_rate",
        name=_("Online rate"),
        unit=Unit.RATIO,
        definition=_(
            "Devices that are online ÷ devices in use, at this moment. A device is online until it has been silent for longer "
            "than its own limit, or its connection has ended."
        ),
        source=REGISTER,
        grain=_("one device"),
        dimensions=_dimensions(""),
        permission=SEE_DEVICES,
        facts=devices_in_use,
        numerator=Case(When(state__online=True, then=ONE), default=Value(0)),
        denominator=ONE,
        row=_device,
        higher_is_better=True,
        live=True,
    )
)
register(
    Facts(
        code="devices.never_heard",
        name=_("Never heard"),
        unit=Unit.COUNT,
        definition=_("Number of the devices in use from which nothing has come yet, at this moment."),
        source=REGISTER,
        grain=_("one device"),
        dimensions=_dimensions(""),
        permission=SEE_DEVICES,
        facts=silent_devices,
        numerator=ONE,
        row=_device,
        higher_is_better=False,
        live=True,
    )
)
register(
    Facts(
        code="devices.points",
        name=_("Points in use"),
        unit=Unit.COUNT,
        definition=_("Number of the points of the devices in use, at this moment."),
        source=REGISTER,
        grain=_("one point"),
        dimensions=_dimensions("device__"),
        permission=SEE_DEVICES,
        facts=points_in_use,
        numerator=ONE,
        row=_point,
        org_path="device__org_id",
        rooms=("places",),
    )
)
register(
    Facts(
        code="devices.excluded_points",
        name=_("Points with excluded values"),
        unit=Unit.COUNT,
        definition=_(
            "Number of points whose newest value enters no mean and no sum: marked invalid by the device, outside the plausible "
            "range, with an impossible time, not a number, or changed too fast."
        ),
        source=_("The newest values of all points"),
        grain=_("one point"),
        dimensions=_dimensions("point__device__"),
        permission=SEE_DEVICES,
        facts=doubtful,
        numerator=ONE,
        row=_latest,
        higher_is_better=False,
        live=True,
    )
)


KEPT = 3600  # seconds that the number of a day that is over is kept; late readings still come


def readings_yesterday(query: Query) -> Result:
    """Return how many readings of the day before today (local time) the lake holds of these organisations."""
    today = timezone.make_aware(datetime.combine(timezone.localdate(), datetime.min.time()))
    key = f"devices.readings:{today.date()}:{question(query)}"
    number: int | None = cache.get(key)
    if number is None:
        points = list(points_in_use(query).order_by().values_list("pk", flat=True))
        day = queries().days(points, today - timedelta(days=1), today) if points else None
        number = int(day.n.sum() + day.excluded.sum()) if day is not None else 0
        cache.set(key, number, KEPT)
    return Result(Decimal(number), Decimal(number))


register(
    Calendar(
        code="devices.readings_yesterday",
        name=_("Readings yesterday"),
        unit=Unit.COUNT,
        definition=_(
            "Number of the readings of the points in use whose time lies in the day before today; those that are excluded from means "
            "count, too."
        ),
        source=_("The store of readings"),
        grain=_("one reading"),
        permission=SEE_DEVICES,
        compute=readings_yesterday,
        live=True,
    )
)
