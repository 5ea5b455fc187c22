"""The figures of alarms: how many are open, how quickly somebody answers."""

from datetime import datetime, time, timedelta
from typing import Any

from django.db.models import Case, F, FloatField, Q, QuerySet, Value, When
from django.db.models.functions import Cast
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from yuanmai.core.figures import Dimension, Facts, Query, Unit, register
from yuanmai.core.figures.model import RowView
from yuanmai.devices.models import Alarm, Severity
from yuanmai.devices.permissions import SEE_DEVICES
from yuanmai.devices.rules.wording import duration, local

IN_TIME = 15 * 60  # seconds
DAYS = 30
SOURCE = _("The alarms that the rules raised, and what was done with them")
GRAIN = _("one alarm")
NOT_STATED = _("Not stated")


def _end(query: Query) -> datetime:
    return timezone.make_aware(datetime.combine(query.as_of, time.min)) + timedelta(days=1)


def open_alarms(query: Query) -> QuerySet[Alarm]:
    """Return the alarms that were raised and not closed at the end of the day."""
    end = _end(query)
    rows = Alarm.objects.filter(org_id__in=query.org_ids, raised_at__lt=end)
    return (
        rows.filter(Q(closed_at=None) | Q(closed_at__gte=end))
        .select_related("rule", "device")
        .order_by("-severity", "-raised_at")
    )


def month_alarms(query: Query) -> QuerySet[Alarm]:
    """Return the alarms of the 30 days up to the day, those during maintenance left out."""
    end = _end(query)
    rows = Alarm.objects.filter(
        org_id__in=query.org_ids, raised_at__lt=end, raised_at__gte=end - timedelta(days=DAYS)
    )
    return rows.filter(maintenance=None).select_related("rule", "device").order_by("-raised_at")


def answered(query: Query) -> QuerySet[Alarm]:
    """Return those of them that somebody acknowledged."""
    return month_alarms(query).exclude(answered_after=None)


def _row(alarm: Any) -> RowView:
    columns = {
        "rule": alarm.rule.label, "severity": Severity(alarm.severity).label, "raised": local(alarm.raised_at),
        "answered": duration(alarm.answered_after) if alarm.answered_after is not None else "–",
    }  # fmt: skip
    return RowView(alarm.device.label, reverse("devices:alarm", args=[alarm.uid]), columns)


DIMENSIONS = (
    Dimension("organisation", _("Organisation"), "org__name", lambda value: value or NOT_STATED),
    Dimension("park", _("Park"), "device__park__name", lambda value: value or NOT_STATED),
    Dimension("severity", _("Severity"), "severity", lambda value: Severity(int(value)).label),
    Dimension("rule", _("Rule"), "rule__name", lambda value: value or NOT_STATED),
)
register(
    Facts(
        code="devices.open_alarms", name=_("Open alarms"), unit=Unit.COUNT, grain=GRAIN, source=SOURCE,
        definition=_("Number of alarms that were raised and not closed by the end of the day."),
        dimensions=DIMENSIONS, permission=SEE_DEVICES, rooms=("alarms",), facts=open_alarms, numerator=Value(1), row=_row,
        higher_is_better=False,
    )
)  # fmt: skip
register(
    Facts(
        code="devices.answered_in_time", name=_("Alarms acknowledged in time"), unit=Unit.RATIO, grain=GRAIN, source=SOURCE,
        definition=_("Alarms acknowledged within 15 minutes ÷ all alarms of the 30 days up to the day; those during maintenance are left out."),
        dimensions=DIMENSIONS, permission=SEE_DEVICES, rooms=("alarms",), facts=month_alarms, row=_row,
        numerator=Case(When(answered_after__lte=IN_TIME, then=Value(1)), default=Value(0)), denominator=Value(1),
        higher_is_better=True,
    )
)  # fmt: skip
register(
    Facts(
        code="devices.minutes_to_answer", name=_("Minutes to acknowledgement"), unit=Unit.NUMBER, grain=GRAIN, source=SOURCE,
        definition=_("Mean time in minutes from the moment an alarm became known to its acknowledgement, over the acknowledged alarms of the 30 days up to the day."),
        dimensions=DIMENSIONS, permission=SEE_DEVICES, rooms=("alarms",), facts=answered, row=_row, places=4,
        numerator=Cast(F("answered_after"), FloatField()) / Value(60.0), denominator=Value(1),
        higher_is_better=False,
    )
)  # fmt: skip
