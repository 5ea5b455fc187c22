"""Objects of rules and alarms for the access matrix: a device with a rule, an alarm, and what surrounds them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.utils import timezone

Found = Callable[[dict[str, Any]], dict[str, Any]]
PAGES = "/devices/rules"
API = "/api/v1/devices"


def add(objects: dict[str, Any], org: Any) -> None:
    """Add one of each kind to an organisation; called inside an open scope of everything."""
    from yuanmai.core.jobs.models import Job
    from yuanmai.devices.models import (
        Alarm,
        AlarmRule,
        AlarmRuleVersion,
        Device,
        Escalation,
        MaintenanceWindow,
        Notification,
        NotificationChannel,
        Point,
        ProductTemplate,
    )

    now = timezone.now()
    template = ProductTemplate.objects.create(org=org, code="alarmed", name="Station", protocol="http")
    device = Device.objects.create(
        org=org, code="alarmed", name="Station", template=template, protocol="http", key=f"alarmed-{org.pk}"
    )
    point = Point.objects.create(device=device, code="cod", name="COD", address="cod")
    rule = objects["alarm_rule"] = AlarmRule.objects.create(org=org, code="cod", name="COD", created_at=now)
    definition = {"when": {"kind": "threshold", "point": "cod", "compare": "above", "limit": 50}}
    version = AlarmRuleVersion.objects.create(
        rule=rule, number=1, definition=definition, severity=3, source="Test", since=now
    )
    rule.current = version
    rule.save()
    objects["alarm"] = Alarm.objects.create(
        org=org, rule=rule, version=version, device=device, point=point, raised_at=now, cause="value", severity=3, worst=3,
        recorded_at=now,
    )  # fmt: skip
    objects["window"] = MaintenanceWindow.objects.create(
        org=org, name="Work", begins_at=now, ends_at=now + timedelta(hours=1), reason="Work", created_at=now
    )
    channel = objects["channel"] = NotificationChannel.objects.create(
        org=org, name="Mail", kind="mail", recipients="a@example.org"
    )
    objects["escalation"] = Escalation.objects.create(
        org=org, name="Second line", after_minutes=30, raise_severity=True
    )
    objects["notification"] = Notification.objects.create(
        channel=channel, key="k", subject="Alarm", state="dead", created_at=now, due_at=now
    )
    objects["rule_job"] = Job.objects.create(
        org=org, kind="devices.try_rule", title="Trying", created_at=now, arguments={}
    )


def _uid(kind: str) -> Found:
    return lambda objects: {"uid": objects[kind].uid, "code": "acknowledge", "step": "acknowledge"}


def _pk(kind: str) -> Found:
    return lambda objects: {"pk": objects[kind].pk}


# Address (without method) → the parameters that name the object of an organisation.
PARAMETERS: dict[str, Found] = {
    **{f"{PAGES}/{{uid}}/{part}": _uid("alarm_rule") for part in ("", "edit/", "switch/", "retire/", "map.json", "fence.geojson")},
    **{f"{PAGES}/alarms/{{uid}}/{part}": _uid("alarm") for part in ("", "comment/", "{code}/")},
    **{f"{PAGES}/windows/{{pk}}/{part}": _pk("window") for part in ("", "end/")},
    **{f"{PAGES}/channels/{{pk}}/{part}": _pk("channel") for part in ("", "test/")},
    f"{PAGES}/escalations/{{pk}}/": _pk("escalation"),
    f"{PAGES}/outbox/{{pk}}/retry/": _pk("notification"),
    f"{PAGES}/tries/{{pk}}/": _pk("rule_job"),
    **{f"{API}/alarms/{{uid}}{part}": _uid("alarm") for part in ("", "/comments", "/steps/{step}")},
    **{f"{API}/rules/{{uid}}{part}": _uid("alarm_rule") for part in ("", "/switch", "/try")},
}  # fmt: skip
