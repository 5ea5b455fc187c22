"""Alarms among the to-dos: those given to me, and new urgent ones for whoever handles alarms."""

from collections.abc import Sequence
from datetime import date

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from yuanmai.core.policy import Actor
from yuanmai.core.todo import LIMIT, Todo, TodoSource, register_todo
from yuanmai.devices.models import Alarm, AlarmState, Severity
from yuanmai.devices.permissions import HANDLE_ALARMS
from yuanmai.devices.rules.wording import TONES, alarm_title, local


def _todo(alarm: Alarm, reason: str, action: str) -> Todo:
    return Todo(
        title=alarm_title(alarm), reason=reason, url=reverse("devices:alarm", args=[alarm.uid]), action=action,
        due=timezone.localdate(alarm.raised_at) if alarm.severity >= Severity.IMPORTANT else None,
        tone=TONES[alarm.severity] if alarm.severity >= Severity.IMPORTANT else "", icon="bell", detail=local(alarm.raised_at),
    )  # fmt: skip


def assigned(actor: Actor, today: date) -> Sequence[Todo]:
    """Alarms that were given to the person."""
    rows = Alarm.objects.filter(assignee_id=actor.user_id or 0).exclude(state=AlarmState.CLOSED)
    return [
        _todo(row, gettext("This alarm was assigned to you."), gettext("Handle"))
        for row in rows.select_related("device", "rule").order_by("-severity", "raised_at")[:LIMIT]
    ]


def urgent(actor: Actor, today: date) -> Sequence[Todo]:
    """New urgent alarms that nobody has acknowledged."""
    rows = Alarm.objects.filter(
        org_id__in=actor.org_ids(HANDLE_ALARMS), state=AlarmState.RAISED, severity=Severity.URGENT, maintenance=None, assignee=None
    )  # fmt: skip
    return [
        _todo(row, gettext("Urgent, and nobody has acknowledged it."), gettext("Acknowledge"))
        for row in rows.select_related("device", "rule").order_by("raised_at")[:LIMIT]
    ]


register_todo(
    TodoSource(
        "alarms_assigned", _("Alarms assigned to me"), assigned, HANDLE_ALARMS, order=8, rooms=("alarms",)
    )
)
register_todo(
    TodoSource("alarms_urgent", _("Urgent alarms"), urgent, HANDLE_ALARMS, order=9, rooms=("alarms",))
)
