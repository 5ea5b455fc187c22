"""Alarms, their groups and steps, and the outbox of what is told about them."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from yuanmai.core.scope import Owned, OwnedManager
from yuanmai.devices.models.registry import Device, Point
from yuanmai.devices.models.rules import (
    AlarmRule,
    AlarmRuleVersion,
    MaintenanceWindow,
    NotificationChannel,
    Severity,
)


class AlarmState(models.TextChoices):
    """How far the handling of an alarm has come. Whether its cause is over is another question: `cleared_at`."""

    RAISED = "raised", pgettext_lazy("alarm", "New")
    ACKNOWLEDGED = "acknowledged", pgettext_lazy("alarm", "Acknowledged")
    ASSIGNED = "assigned", pgettext_lazy("alarm", "Assigned")
    CLOSED = "closed", pgettext_lazy("alarm", "Closed")


class AlarmGroup(Owned):
    """Alarms of one rule at one place that came close together: one cause, one message."""

    rule = models.ForeignKey(AlarmRule, models.CASCADE, related_name="+")
    park = models.ForeignKey("places.Park", models.PROTECT, null=True, related_name="+")
    began_at = models.DateTimeField()
    last_at = models.DateTimeField()
    alarms = models.PositiveIntegerField(default=0)
    told = models.PositiveIntegerField(default=0)  # how many of them have been told

    class Meta:
        indexes: ClassVar = [models.Index(fields=["rule", "park", "-last_at"], name="alarm_group_last")]

    def __str__(self) -> str:
        return f"{self.rule_id} {self.began_at:%Y-%m-%d %H:%M}"


class Alarm(Owned):
    """A rule that held at a device, from `raised_at` to `cleared_at`. Owned by the organisation of the device."""

    uid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    rule = models.ForeignKey(AlarmRule, models.PROTECT, related_name="alarms", verbose_name=_("Rule"))
    version = models.ForeignKey(AlarmRuleVersion, models.PROTECT, related_name="+")
    device = models.ForeignKey(Device, models.PROTECT, related_name="alarms", verbose_name=_("Device"))
    point = models.ForeignKey(Point, models.PROTECT, null=True, related_name="+", verbose_name=_("Point"))
    group = models.ForeignKey(AlarmGroup, models.PROTECT, null=True, related_name="members")
    raised_at = models.DateTimeField(verbose_name=pgettext_lazy("alarm", "Raised"))
    cleared_at = models.DateTimeField(null=True, verbose_name=_("Cleared"))
    cause = models.CharField(max_length=10)  # why it was raised, later why it was cleared
    severity = models.PositiveSmallIntegerField(choices=Severity.choices, verbose_name=_("Severity"))
    worst = models.PositiveSmallIntegerField(choices=Severity.choices)  # the highest it had
    state = models.CharField(
        max_length=12, choices=AlarmState.choices, default=AlarmState.RAISED, verbose_name=_("State")
    )
    evidence = models.JSONField(default=list)  # [{"point", "time", "value"}]: what raised it
    peak = models.JSONField(null=True)  # the worst reading, as above
    recorded_at = models.DateTimeField()  # when the program came to know of it
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    answered_after = models.PositiveIntegerField(
        null=True
    )  # seconds from `recorded_at` to the acknowledgement
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("Assigned to"),
    )
    closed_at = models.DateTimeField(null=True)
    maintenance = models.ForeignKey(MaintenanceWindow, models.PROTECT, null=True, related_name="alarms")
    escalated = models.JSONField(default=list)  # ids of the escalations that have been carried out
    revision = models.BigIntegerField(default=0, db_index=True)

    class Meta:
        ordering = ["-raised_at", "-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["rule", "device", "raised_at"], name="alarm_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["org", "state", "-raised_at"], name="alarm_open"),
            models.Index(fields=["device", "-raised_at"], name="alarm_device"),
        ]
        verbose_name = _("alarm")
        verbose_name_plural = _("alarms")

    def __str__(self) -> str:
        return f"{self.rule_id}:{self.device_id}"


class AlarmChild(OwnedManager["AlarmStep"]):
    """What belongs to alarms of the open scope."""

    path = "alarm__org_id"


class StepKind(models.TextChoices):
    """What happened to an alarm."""

    RAISED = "raised", pgettext_lazy("alarm step", "Raised")
    SEVERITY = "severity", pgettext_lazy("alarm step", "Severity changed")
    CLEARED = "cleared", pgettext_lazy("alarm step", "Cleared")
    ACKNOWLEDGE = "acknowledge", pgettext_lazy("alarm step", "Acknowledged")
    ASSIGN = "assign", pgettext_lazy("alarm step", "Assigned")
    COMMENT = "comment", pgettext_lazy("alarm step", "Comment")
    ESCALATE = "escalate", pgettext_lazy("alarm step", "Escalated")
    CLOSE = "close", pgettext_lazy("alarm step", "Closed")
    REOPEN = "reopen", pgettext_lazy("alarm step", "Opened again")


class AlarmStep(models.Model):
    """One thing that happened to an alarm. Only added to."""

    alarm = models.ForeignKey(Alarm, models.PROTECT, related_name="steps")
    kind = models.CharField(max_length=12, choices=StepKind.choices)
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    text = models.TextField(blank=True)
    data = models.JSONField(default=dict)  # severity before and after, value, whom it was given to

    objects = AlarmChild()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.kind} {self.at:%Y-%m-%d %H:%M}"


class NotificationState(models.TextChoices):
    """How far a message has come."""

    WAITING = "waiting", pgettext_lazy("notification", "Waiting")
    SENDING = "sending", pgettext_lazy("notification", "Being sent")
    SENT = "sent", pgettext_lazy("notification", "Sent")
    DEAD = "dead", pgettext_lazy("notification", "Given up")
    CANCELLED = "cancelled", pgettext_lazy("notification", "Cancelled")


class NotificationManager(OwnedManager["Notification"]):
    """Messages of the channels of the open scope."""

    path = "channel__org_id"


class Notification(models.Model):
    """One message in the outbox. Its `uid` goes with it, so that a receiver can tell a repetition."""

    uid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    channel = models.ForeignKey(NotificationChannel, models.CASCADE, related_name="messages")
    key = models.CharField(max_length=120)  # what it is about: the same thing is not told twice
    alarm = models.ForeignKey(Alarm, models.PROTECT, null=True, related_name="messages")
    subject = models.CharField(max_length=300)
    body = models.JSONField(default=dict)  # what is told, for programs; `text` for people
    state = models.CharField(
        max_length=10, choices=NotificationState.choices, default=NotificationState.WAITING
    )
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()  # of the next attempt
    lease_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    fault = models.CharField(max_length=300, blank=True)

    objects = NotificationManager()

    class Meta:
        ordering = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["channel", "key"], name="notification_once"),
        ]
        indexes: ClassVar = [models.Index(fields=["state", "due_at"], name="notification_due")]
        verbose_name = _("message")
        verbose_name_plural = _("messages")

    def __str__(self) -> str:
        return self.subject
