"""The register: product templates, devices, points."""

from typing import ClassVar

from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from yuanmai.core.scope import Owned, OwnedManager


class Protocol(models.TextChoices):
    """What a device speaks; decides what its `key` is."""

    HJ212 = "hj212", _("HJ 212 (pollution monitoring)")  # key: MN
    JT808 = "jt808", _("JT/T 808 (vehicles)")  # key: phone number without leading zeros
    MQTT = "mqtt", _("MQTT with JSON")  # key: client identifier, or what the mapping of the topic names
    SPARKPLUG = "sparkplug", _("MQTT with Sparkplug B")  # key: group/node or group/node/device
    MODBUS = "modbus", _("Modbus TCP")  # key: host:port/unit
    DLT645 = "dlt645", _("DL/T 645 (electricity meter)")  # key: host:port/address
    CJT188 = "cjt188", _("CJ/T 188 (water, gas, heat meter)")  # key: host:port/address
    HTTP = "http", _("HTTP")  # key: code of the device


class PointKind(models.TextChoices):
    """What the value of a point means."""

    GAUGE = "gauge", _("Measured value")
    COUNTER = "counter", _("Meter count")  # only grows, until it rolls over or the meter is changed
    STATE = "state", _("State")  # a whole number; `states` names it


class ProductTemplate(Owned):
    """What devices of one make have in common. Templates of an organisation serve it and everything below it."""

    code = models.CharField(max_length=60, verbose_name=_("Code"))
    name = models.CharField(max_length=120, verbose_name=_("Name"))
    name_en = models.CharField(max_length=160, blank=True, verbose_name=_("English name"))
    protocol = models.CharField(max_length=12, choices=Protocol.choices, verbose_name=_("Protocol"))
    maker = models.CharField(max_length=120, blank=True, verbose_name=_("Maker"))
    icon = models.CharField(max_length=40, blank=True, default="cpu", verbose_name=_("Icon"))
    # How it speaks: per-station tolerance (hj212: crc, encoding, max_length, ack), poll interval, JSON mapping, word order.
    profile = models.JSONField(default=dict, blank=True, verbose_name=_("Communication profile"))
    source = models.CharField(max_length=200, blank=True, verbose_name=_("Source"))
    retired_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["code"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["org", "code"], name="device_template_code_once")
        ]
        verbose_name = _("product template")
        verbose_name_plural = _("product templates")

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """The name in the active language."""
        return self.name_en if self.name_en and (get_language() or "").startswith("en") else self.name


class PointDefinition(models.Model):
    """What is known of a point: what it means, where it stands in the device's language, what is plausible.

    The value kept is raw × `scale` + `offset`, in `unit`. `address` is the factor code and field (HJ 212: `w01018-Rtd`), the
    name of the item (JT/T 808: `speed`), the dotted path in the JSON, the metric (Sparkplug), table and register (Modbus:
    `holding:100:float32`), or the data identifier (DL/T 645: `00010000`).
    """

    code = models.CharField(max_length=60, verbose_name=_("Code"))
    name = models.CharField(max_length=120, verbose_name=_("Name"))
    name_en = models.CharField(max_length=160, blank=True, verbose_name=_("English name"))
    kind = models.CharField(
        max_length=8, choices=PointKind.choices, default=PointKind.GAUGE, verbose_name=_("Kind")
    )
    address = models.CharField(max_length=160, verbose_name=_("Address in the protocol"))
    unit = models.CharField(max_length=30, blank=True, verbose_name=_("Unit"))
    scale = models.FloatField(default=1.0, verbose_name=_("Scale"))
    offset = models.FloatField(default=0.0, verbose_name=_("Offset"))
    low = models.FloatField(null=True, blank=True, verbose_name=_("Lowest plausible value"))
    high = models.FloatField(null=True, blank=True, verbose_name=_("Highest plausible value"))
    deadband = models.FloatField(default=0.0, verbose_name=_("Deadband"))
    decimals = models.PositiveSmallIntegerField(default=2, verbose_name=_("Decimals"))
    states = models.JSONField(default=dict, blank=True, verbose_name=_("Names of states"))  # {"0": "关", …}
    writable = models.BooleanField(default=False, verbose_name=_("Can be set"))
    order = models.PositiveSmallIntegerField(default=0, verbose_name=_("Order"))

    class Meta:
        abstract = True
        ordering = ["order", "code"]

    @property
    def label(self) -> str:
        """The name in the active language."""
        return self.name_en if self.name_en and (get_language() or "").startswith("en") else self.name


class TemplateManager(OwnedManager["TemplatePoint"]):
    """Points of the templates of the open scope."""

    path = "template__org_id"


class TemplatePoint(PointDefinition):
    """A point that every device of a template has."""

    template = models.ForeignKey(ProductTemplate, models.CASCADE, related_name="points")

    objects = TemplateManager()

    class Meta(PointDefinition.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["template", "code"], name="template_point_code_once"),
        ]

    def __str__(self) -> str:
        return self.label


class Device(Owned):
    """A device, or a part of one (`parent`). `key` is what it calls itself in its protocol."""

    code = models.CharField(max_length=60, verbose_name=_("Code"))
    name = models.CharField(max_length=120, verbose_name=_("Name"))
    name_en = models.CharField(max_length=160, blank=True, verbose_name=_("English name"))
    template = models.ForeignKey(
        ProductTemplate, models.PROTECT, related_name="devices", verbose_name=_("Template")
    )
    protocol = models.CharField(max_length=12, choices=Protocol.choices, verbose_name=_("Protocol"))
    key = models.CharField(max_length=200, verbose_name=_("Identity in the protocol"))
    profile = models.JSONField(
        default=dict, blank=True, verbose_name=_("Communication profile")
    )  # overrides the template's
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children", verbose_name=_("Part of")
    )
    park = models.ForeignKey(
        "places.Park", models.PROTECT, null=True, blank=True, related_name="devices", verbose_name=_("Park")
    )
    building = models.ForeignKey(
        "places.Building",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="devices",
        verbose_name=_("Building"),
    )
    enterprise = models.ForeignKey(
        "enterprises.Enterprise",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="devices",
        verbose_name=_("Enterprise"),
    )
    longitude = models.FloatField(null=True, blank=True, verbose_name=_("Longitude (WGS84)"))
    latitude = models.FloatField(null=True, blank=True, verbose_name=_("Latitude (WGS84)"))
    mobile = models.BooleanField(default=False, verbose_name=_("Moves"))  # its place is its last position
    # sha256 of the secret the device shows (MQTT password, HTTP key, JT/T 808 code); the secret itself is shown once.
    secret_hash = models.CharField(max_length=64, blank=True, editable=False)
    silence_after = models.PositiveIntegerField(
        default=600, verbose_name=_("Counts as offline after (s) of silence")
    )
    installed_on = models.DateField(null=True, blank=True, verbose_name=_("Installed on"))
    note = models.TextField(blank=True, verbose_name=_("Note"))
    enabled = models.BooleanField(default=True, verbose_name=_("In use"))
    retired_at = models.DateTimeField(null=True, blank=True, editable=False)
    synthetic = models.BooleanField(default=False, verbose_name=_("Demonstration record"))
    batch = models.ForeignKey("core.ImportBatch", models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["code"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["org", "code"], name="device_code_once"),
            # The wire knows no organisations: an identity speaks for one device in the whole installation.
            models.UniqueConstraint(
                fields=["protocol", "key"], condition=models.Q(retired_at=None), name="device_key_once"
            ),
        ]
        verbose_name = _("device")
        verbose_name_plural = _("devices")

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """The name in the active language."""
        return self.name_en if self.name_en and (get_language() or "").startswith("en") else self.name


class PointManager(OwnedManager["Point"]):
    """Points of the devices of the open scope."""

    path = "device__org_id"


class Point(PointDefinition):
    """One quantity of one device. Its primary key is the number under which the lake keeps its readings."""

    device = models.ForeignKey(Device, models.CASCADE, related_name="points")
    retired_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = PointManager()

    class Meta(PointDefinition.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["device", "code"], name="point_code_once"),
        ]
        verbose_name = _("point")
        verbose_name_plural = _("points")

    def __str__(self) -> str:
        return self.label
