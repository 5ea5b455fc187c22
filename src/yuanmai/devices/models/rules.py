"""Alarm rules and what surrounds them: versions, maintenance windows, escalation, channels, the state of the evaluation."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from yuanmai.core.scope import Owned, OwnedManager
from yuanmai.devices.models.registry import ProductTemplate


class Severity(models.IntegerChoices):
    """How severe an alarm is."""

    URGENT = 4, pgettext_lazy("severity", "Urgent")
    IMPORTANT = 3, pgettext_lazy("severity", "Important")
    MINOR = 2, pgettext_lazy("severity", "Minor")
    HINT = 1, pgettext_lazy("severity", "Hint")


class AlarmRule(Owned):
    """A rule of an organisation for its devices and those of everything below it. What it says stands in its versions."""

    uid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    code = models.CharField(max_length=60, verbose_name=_("Code"))
    name = models.CharField(max_length=120, verbose_name=_("Name"))
    name_en = models.CharField(max_length=160, blank=True, verbose_name=_("English name"))
    enabled = models.BooleanField(default=True, verbose_name=_("In use"))
    preset = models.CharField(max_length=60, blank=True, editable=False)  # where it was taken from
    created_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True, blank=True, editable=False)
    current = models.ForeignKey(
        "devices.AlarmRuleVersion", models.PROTECT, null=True, related_name="+", editable=False
    )

    class Meta:
        ordering = ["code"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["org", "code"], name="alarm_rule_code_once"),
        ]
        verbose_name = _("alarm rule")
        verbose_name_plural = _("alarm rules")

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """The name in the active language."""
        return self.name_en if self.name_en and (get_language() or "").startswith("en") else self.name


class VersionManager(OwnedManager["AlarmRuleVersion"]):
    """Versions of the rules of the open scope."""

    path = "rule__org_id"


class AlarmRuleVersion(models.Model):
    """What a rule says from a moment on. Never edited: a change is a new version.

    `definition` is the form of `engine/rules/definition.py`. It is applied to the devices of `template`, in `park`, or to those of
    `device_ids`; to every device of the organisation that has the points it needs where all three are left out.
    """

    rule = models.ForeignKey(AlarmRule, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    definition = models.JSONField()
    severity = models.PositiveSmallIntegerField(choices=Severity.choices, verbose_name=_("Severity"))
    template = models.ForeignKey(
        ProductTemplate, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("Template")
    )
    park = models.ForeignKey(
        "places.Park", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("Park")
    )
    device_ids = models.JSONField(default=list, blank=True)
    advice = models.TextField(blank=True, verbose_name=_("What to do"))
    source = models.CharField(max_length=300, verbose_name=pgettext_lazy("rule", "Source"))
    since = models.DateTimeField(verbose_name=_("Valid from"))
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )

    objects = VersionManager()

    class Meta:
        ordering = ["-number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["rule", "number"], name="alarm_rule_version_once"),
        ]
        verbose_name = _("version of an alarm rule")
        verbose_name_plural = _("versions of alarm rules")

    def __str__(self) -> str:
        return f"{self.rule} v{self.number}"


class MaintenanceWindow(Owned):
    """A time in which alarms of some devices are expected: they are marked, and nobody is notified."""

    name = models.CharField(max_length=120, verbose_name=_("Name"))
    begins_at = models.DateTimeField(verbose_name=pgettext_lazy("maintenance", "From"))
    ends_at = models.DateTimeField(verbose_name=pgettext_lazy("maintenance", "Until"))
    reason = models.TextField(verbose_name=_("Reason"))
    park = models.ForeignKey(
        "places.Park", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("Park")
    )
    device_ids = models.JSONField(default=list, blank=True)  # empty, and no park: the whole organisation
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True, editable=False)  # ended early

    class Meta:
        ordering = ["-begins_at"]
        verbose_name = _("maintenance window")
        verbose_name_plural = _("maintenance windows")

    def __str__(self) -> str:
        return self.name


class Escalation(Owned):
    """What happens to an alarm that nobody has acknowledged after so many minutes."""

    name = models.CharField(max_length=120, verbose_name=_("Name"))
    severity = models.PositiveSmallIntegerField(
        choices=Severity.choices, default=Severity.IMPORTANT, verbose_name=_("From severity")
    )
    after_minutes = models.PositiveIntegerField(verbose_name=_("Not acknowledged after (minutes)"))
    raise_severity = models.BooleanField(default=False, verbose_name=_("One severity higher"))
    assign_to = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("Assign to"),
    )
    channel = models.ForeignKey(
        "devices.NotificationChannel",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("Notify through"),
    )
    enabled = models.BooleanField(default=True, verbose_name=_("In use"))

    class Meta:
        ordering = ["after_minutes", "id"]
        verbose_name = _("escalation")
        verbose_name_plural = _("escalations")

    def __str__(self) -> str:
        return self.name


class ChannelKind(models.TextChoices):
    """What kind of program a channel speaks to."""

    WECOM = "wecom", _("WeCom group robot")
    DINGTALK = "dingtalk", _("DingTalk group robot")
    FEISHU = "feishu", _("Feishu group robot")
    WEBHOOK = "webhook", _("Webhook (JSON, signed)")
    MAIL = "mail", pgettext_lazy("channel", "E-mail")


class NotificationChannel(Owned):
    """Where alarms are told: which ones, when, and how often at most."""

    name = models.CharField(max_length=120, verbose_name=_("Name"))
    kind = models.CharField(max_length=10, choices=ChannelKind.choices, verbose_name=_("Kind"))
    url = models.CharField(max_length=500, blank=True, verbose_name=_("Address"))
    secret = models.TextField(blank=True, editable=False)  # encrypted with the installation's key
    recipients = models.TextField(blank=True, verbose_name=_("Recipients"))  # of mail, one a line
    severity = models.PositiveSmallIntegerField(
        choices=Severity.choices, default=Severity.IMPORTANT, verbose_name=_("From severity")
    )
    park = models.ForeignKey(
        "places.Park", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("Park")
    )
    hours = models.JSONField(default=list, blank=True)  # windows as in a rule; empty: always
    tells_cleared = models.BooleanField(default=True, verbose_name=_("Also when an alarm is cleared"))
    per_minute = models.PositiveSmallIntegerField(default=3, verbose_name=_("Messages a minute at most"))
    language = models.CharField(
        max_length=10,
        default="zh-hans",
        verbose_name=_("Language"),
        choices=[("zh-hans", "简体中文"), ("en", "English")],
    )
    enabled = models.BooleanField(default=True, verbose_name=_("In use"))
    delivered_at = models.DateTimeField(null=True, blank=True, editable=False)
    fault = models.CharField(max_length=300, blank=True, editable=False)  # of the last attempt

    class Meta:
        ordering = ["name"]
        verbose_name = _("channel")
        verbose_name_plural = _("channels")

    def __str__(self) -> str:
        return self.name


class RuleState(models.Model):
    """What the evaluation of rules remembers, so that a restart neither raises again nor forgets. Written by the ingest process."""

    key = models.CharField(max_length=60, primary_key=True)  # "rule:device", or "" for the times of arrival
    data = models.JSONField()
    saved_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.key
