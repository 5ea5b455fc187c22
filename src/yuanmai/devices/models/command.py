"""Commands downwards: asked for by an audited action, sent and followed by the gateway."""

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from yuanmai.core.scope import OwnedManager
from yuanmai.devices.models.registry import Device


class CommandManager(OwnedManager["Command"]):
    """Commands to the devices of the open scope."""

    path = "device__org_id"


class CommandState(models.TextChoices):
    """How far a command has come. The gateway moves it by compare-and-swap."""

    QUEUED = "queued", _("Waiting for the device")
    SENT = "sent", _("Sent")
    ACCEPTED = "accepted", _("Accepted by the device")  # HJ 212: 9011 with QnRtn 1
    DONE = "done", _("Done")
    FAILED = "failed", _("Refused or failed")
    TIMED_OUT = "timed_out", _("No answer")
    CANCELLED = "cancelled", _("Cancelled")


class Command(models.Model):
    """One command to one device. `verb` and `parameters` are the device's language-neutral form (devices/commands/verbs)."""

    uid = models.UUIDField(unique=True, default=uuid.uuid4)
    device = models.ForeignKey(Device, models.PROTECT, related_name="commands")
    verb = models.CharField(max_length=40, verbose_name=_("Command"))
    parameters = models.JSONField(default=dict, verbose_name=_("Parameters"))
    state = models.CharField(
        max_length=10, choices=CommandState.choices, default=CommandState.QUEUED, db_index=True
    )
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    expires_at = models.DateTimeField()  # a queued command is not sent later than this
    gateway = models.CharField(max_length=60, blank=True)  # who has taken it
    lease_until = models.DateTimeField(
        null=True
    )  # a gateway that has not renewed it by then is dead: another takes over
    request = models.CharField(max_length=40, blank=True)  # what names the dialogue on the wire: QN, serial
    attempts = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    answer = models.JSONField(default=dict)  # code and meaning by the protocol, values read back
    trace = models.JSONField(default=list)  # [{"at", "direction", "hex" or "text"}]: what went over the wire
    revision = models.BigIntegerField(default=0, db_index=True)

    objects = CommandManager()

    class Meta:
        ordering = ["-created_at"]
        verbose_name = _("command")
        verbose_name_plural = _("commands")

    def __str__(self) -> str:
        return f"{self.verb} {self.uid}"
