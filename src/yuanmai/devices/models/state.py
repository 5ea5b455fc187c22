"""What is known of devices at this moment. Written by the ingest process in bulk, read by pages; not audited, not facts.

All of it can be made again from the journal and the lake.
"""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from yuanmai.core.scope import OwnedManager
from yuanmai.devices.models.registry import Device, Point, Protocol


class LatestManager(OwnedManager["Latest"]):
    """Latest values of the open scope."""

    path = "point__device__org_id"


class Latest(models.Model):
    """The newest value of a point, by the time of the reading."""

    point = models.OneToOneField(Point, models.CASCADE, primary_key=True, related_name="latest")
    time = models.DateTimeField()
    value = models.FloatField(null=True)
    quality = models.PositiveSmallIntegerField(default=0)  # bits: engine/quality.py
    received = models.DateTimeField()
    # Grows with every write of the ingest process: "what has changed since I last looked".
    revision = models.BigIntegerField(default=0, db_index=True)

    objects = LatestManager()

    def __str__(self) -> str:
        return f"{self.point_id} {self.value}"


class StateManager(OwnedManager["DeviceState"]):
    """States of the devices of the open scope."""

    path = "device__org_id"


class DeviceState(models.Model):
    """Whether a device is heard, and where it was last."""

    device = models.OneToOneField(Device, models.CASCADE, primary_key=True, related_name="state")
    online = models.BooleanField(default=False, db_index=True)
    changed_at = models.DateTimeField(null=True)  # since when it is online or offline
    last_seen = models.DateTimeField(null=True)
    address = models.CharField(max_length=80, blank=True)  # host:port it spoke from
    gateway = models.CharField(max_length=60, blank=True)
    longitude = models.FloatField(null=True)  # of devices that move
    latitude = models.FloatField(null=True)
    direction = models.FloatField(null=True)
    speed = models.FloatField(null=True)  # km/h
    positioned_at = models.DateTimeField(null=True)
    frames = models.BigIntegerField(default=0)
    readings = models.BigIntegerField(default=0)
    revision = models.BigIntegerField(default=0, db_index=True)

    objects = StateManager()

    def __str__(self) -> str:
        return f"{self.device_id} {'online' if self.online else 'offline'}"


class OddityManager(OwnedManager["Oddity"]):
    """Oddities of the devices of the open scope."""

    path = "device__org_id"


class Oddity(models.Model):
    """How often something odd came from a device (bad_crc, clock, out_of_range, unmapped …), with the last sample."""

    device = models.ForeignKey(Device, models.CASCADE, related_name="oddities")
    kind = models.CharField(max_length=40)
    count = models.BigIntegerField(default=0)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    sample = models.TextField(blank=True)

    objects = OddityManager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["device", "kind"], name="oddity_kind_once"),
        ]

    def __str__(self) -> str:
        return f"{self.device_id} {self.kind} {self.count}"


class UnknownDevice(models.Model):
    """Somebody who speaks to the gateway and is in no register. Seen by those who keep devices, adopted with one click.

    Its frames are in the journal: what it has said since `first_sequence` is replayed when it is adopted.
    """

    protocol = models.CharField(max_length=12, choices=Protocol.choices, verbose_name=_("Protocol"))
    key = models.CharField(max_length=200, verbose_name=_("Identity in the protocol"))
    address = models.CharField(max_length=80, blank=True, verbose_name=_("Network address"))
    frames = models.BigIntegerField(default=0, verbose_name=_("Frames"))
    first_seen = models.DateTimeField(verbose_name=_("First heard"))
    last_seen = models.DateTimeField(verbose_name=_("Last heard"))
    stream = models.CharField(max_length=80, blank=True)  # journal and
    first_sequence = models.BigIntegerField(default=0)  # sequence of its first frame
    sample = models.JSONField(default=dict)  # what the last frame says: {"addresses": {…: value}, "text": …}
    dismissed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["protocol", "key"], name="unknown_device_once"),
        ]

    def __str__(self) -> str:
        return f"{self.protocol} {self.key}"
