"""Alarms that nobody has acknowledged in time: another severity, another person, a channel."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from yuanmai.core.actions import Act, action
from yuanmai.core.scope import everywhere
from yuanmai.devices.models import (
    Alarm,
    AlarmState,
    AlarmStep,
    Escalation,
    Severity,
    StepKind,
)
from yuanmai.devices.permissions import HANDLE_ALARMS
from yuanmai.devices.rules.recording import next_revision
from yuanmai.devices.rules.telling import message, put
from yuanmai.people.models import Organisation

AT_ONCE = 500
Due = tuple[Alarm, Escalation]


def due(now: datetime) -> list[Due]:
    """Return the pairs of alarm and escalation that are due: not acknowledged, outside maintenance, not escalated so before."""
    with everywhere():
        steps = list(Escalation.objects.filter(enabled=True).select_related("channel", "assign_to"))
        if not steps:
            return []
        first = now - timedelta(minutes=min(step.after_minutes for step in steps))
        waiting = Alarm.objects.filter(
            state=AlarmState.RAISED, maintenance=None, recorded_at__lte=first
        ).select_related("rule", "version", "device", "point", "group")
        paths = dict(Organisation.objects.values_list("pk", "path"))
        return [
            (alarm, step)
            for alarm in waiting.order_by("recorded_at")[:AT_ONCE]
            for step in steps
            if alarm.severity >= step.severity
            and step.pk not in alarm.escalated
            and alarm.recorded_at + timedelta(minutes=step.after_minutes) <= now
            and paths[alarm.org_id].startswith(paths[step.org_id])
        ]


@action("alarms.escalate", permission=HANDLE_ALARMS, local=True)
def escalate(act: Act, waiting: Sequence[Due]) -> list[Alarm]:
    """Carry out escalations. An alarm that was acknowledged meanwhile is left alone (compare-and-swap)."""
    with everywhere():
        revision, done, messages = next_revision(), [], []
        for alarm, step in waiting:
            before = alarm.severity
            after = min(before + 1, int(Severity.URGENT)) if step.raise_severity else before
            changes = {"escalated": [*alarm.escalated, step.pk], "severity": after, "revision": revision}
            changes["worst"] = max(alarm.worst, after)
            if step.assign_to_id is not None:
                changes["assignee_id"] = step.assign_to_id
            mine = Alarm.objects.filter(pk=alarm.pk, state=AlarmState.RAISED, revision=alarm.revision)
            if step.pk in alarm.escalated or not mine.update(**changes):
                continue
            for name, value in changes.items():
                setattr(alarm, name, value)
            data = {
                "severity": after,
                "before": before,
                "escalation": step.name,
                "name": str(step.assign_to or ""),
            }
            AlarmStep.objects.create(
                alarm=alarm, kind=StepKind.ESCALATE, at=act.now, text=step.name, data=data
            )
            if step.channel is not None and step.channel.enabled:
                messages.append(message(step.channel, f"escalate:{alarm.uid}:{step.pk}", alarm, act.now))
            act.log(alarm, before={"severity": before}, after=data, name=str(alarm.uid))
            done.append(alarm)
        put(messages)
        if not done:
            act.log(None, after={"escalated": 0})
        return done
