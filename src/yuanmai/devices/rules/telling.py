"""Which alarms are told to whom: one cause, one message.

Of a group (one rule at one place) the first alarm is told, later ones when the severity rises or, together, once in `AGAIN`. Nothing is
told of alarms in a maintenance window.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.urls import reverse
from django.utils import translation

from yuanmai.common.working_days import china
from yuanmai.devices.engine.rules.windows import Activity, WindowFault, read_window
from yuanmai.devices.models import Alarm, Notification, NotificationChannel
from yuanmai.devices.rules.wording import alarm_text
from yuanmai.people.models import Organisation

AGAIN = timedelta(minutes=10)
PIECE = 500


class Channels:
    """The channels in use, and which of them an alarm concerns."""

    def __init__(self, now: datetime) -> None:
        rows = NotificationChannel.objects.filter(enabled=True).select_related("org")
        self.rows = [row for row in rows if open_at(row, now)]
        self.paths = dict(Organisation.objects.values_list("pk", "path")) if self.rows else {}

    def of(self, alarm: Alarm, severity: int | None = None) -> list[NotificationChannel]:
        """Return the channels that an alarm is told through."""
        return [
            row
            for row in self.rows
            if (severity or alarm.severity) >= row.severity
            and self.paths[alarm.org_id].startswith(self.paths[row.org_id])
            and (row.park_id is None or row.park_id == alarm.device.park_id)
        ]


def open_at(channel: NotificationChannel, now: datetime) -> bool:
    """Whether a channel is open at a moment."""
    try:
        windows = tuple(read_window(entry) for entry in channel.hours)
    except WindowFault:
        return True
    return Activity(windows, china()).at(int(now.timestamp() * 1_000_000))[0]


def tell(now: datetime, alarms: Iterable[Alarm], new: set[int]) -> None:
    """Put into the outbox what is to be told of alarms that were raised, changed or cleared."""
    loud = [alarm for alarm in alarms if alarm.maintenance_id is None]
    if not loud:
        return
    channels = Channels(now)
    if not channels.rows:
        return
    messages: dict[tuple[int, str], Notification] = {}
    with_groups = {alarm.group_id: alarm.group for alarm in loud if alarm.group is not None}
    for alarm in sorted(loud, key=lambda a: (a.raised_at, -a.severity)):
        for channel in channels.of(alarm, alarm.worst):
            key = _key(alarm, now, new, channel)
            if key and (channel.pk, key) not in messages:
                messages[channel.pk, key] = message(channel, key, alarm, now)
    for group in with_groups.values():
        group.told = group.alarms
    if with_groups:
        type(next(iter(with_groups.values()))).objects.bulk_update(
            with_groups.values(), ["told"], batch_size=PIECE
        )
    put(messages.values())


def _key(alarm: Alarm, now: datetime, new: set[int], channel: NotificationChannel) -> str:
    """Return what a message is about, or nothing where none is due. What has been told is not told again: keys are unique."""
    group = f"group:{alarm.group_id}"
    if alarm.cleared_at is not None:
        first = alarm.group is None or alarm.group.alarms == 1
        return f"cleared:{alarm.uid}" if channel.tells_cleared and first else ""
    if alarm.pk not in new:
        return f"severity:{alarm.uid}:{alarm.severity}" if alarm.severity == alarm.worst else ""
    if alarm.group is None or alarm.group.told == 0:
        return f"{group}:{alarm.severity}"
    return f"{group}:again:{int(now.timestamp() // AGAIN.total_seconds())}"


def message(channel: NotificationChannel, key: str, alarm: Alarm, now: datetime) -> Notification:
    """Return a message about an alarm, in the channel's language."""
    with translation.override(channel.language):
        subject, text = alarm_text(alarm, key.split(":", 1)[0])
    return Notification(
        channel=channel, key=key, alarm=alarm, subject=subject[:300], body=_body(alarm, subject, text, key),
        created_at=now, due_at=now,
    )  # fmt: skip


def _body(alarm: Alarm, subject: str, text: str, key: str) -> dict[str, Any]:
    return {
        "event": {"group": "raised"}.get(key.split(":", 1)[0], key.split(":", 1)[0]),
        "subject": subject,
        "text": text,
        "path": reverse("devices:alarm", args=[alarm.uid]),
        "alarm": {
            "uid": str(alarm.uid),
            "rule": alarm.rule.code,
            "name": alarm.rule.name,
            "device": alarm.device.code,
            "severity": alarm.severity,
            "raised_at": alarm.raised_at.isoformat(),
            "cleared_at": alarm.cleared_at.isoformat() if alarm.cleared_at else None,
            "evidence": alarm.evidence,
            "alarms_in_group": alarm.group.alarms if alarm.group else 1,
        },
    }


def put(messages: Iterable[Notification]) -> None:
    """Put messages into the outbox, each thing once for each channel, and wake a worker after the commit."""
    rows = list(messages)
    if not rows:
        return
    Notification.objects.bulk_create(rows, batch_size=PIECE, ignore_conflicts=True)
    transaction.on_commit(wake)


def wake() -> None:
    """Have a worker send what is due."""
    from yuanmai.devices.rules.delivery import deliver_now

    deliver_now.enqueue()
