"""The places of a park. Geometry is GeoJSON in WGS84; areas say what kind of area they are."""

from typing import Any, ClassVar

from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django_scopes.manager import DisabledQuerySet

from yuanmai.core.fields import AreaField
from yuanmai.core.scope import Owned, OwnedManager


class Place(Owned):
    """What all places have: a code unique in the organisation, a name, a geometry, and areas by kind.

    `geometry` is a GeoJSON geometry in WGS84 (longitude, latitude). `west … north` are its bounds, kept for map queries.
    """

    code = models.CharField(max_length=60, verbose_name=_("Code"))
    name = models.CharField(max_length=120, verbose_name=_("Name"))
    name_en = models.CharField(max_length=160, blank=True, verbose_name=_("English name"))
    geometry = models.JSONField(null=True, blank=True)
    west = models.FloatField(null=True, blank=True, editable=False)
    south = models.FloatField(null=True, blank=True, editable=False)
    east = models.FloatField(null=True, blank=True, editable=False)
    north = models.FloatField(null=True, blank=True, editable=False)
    area_certificate = AreaField(null=True, blank=True, verbose_name=_("Area by certificate (m²)"))
    area_projected = AreaField(null=True, blank=True, verbose_name=_("Projected area (m²)"))
    area_geodesic = AreaField(null=True, blank=True, verbose_name=_("Geodesic area (m²)"))
    note = models.TextField(blank=True, verbose_name=_("Note"))
    synthetic = models.BooleanField(default=False, verbose_name=_("Demonstration record"))

    class Meta:
        abstract = True
        ordering = ["code"]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """The name in the active language."""
        return self.name_en if self.name_en and (get_language() or "").startswith("en") else self.name

    @staticmethod
    def unique(prefix: str) -> list[Any]:
        """Return the constraint that a code stands once in an organisation."""
        return [models.UniqueConstraint(fields=["org", "code"], name=f"{prefix}_code_once")]


class ParksInUse(OwnedManager["Park"]):
    """The parks of the register: those in use."""

    def get_queryset(self) -> models.QuerySet["Park"]:
        """Return the parks of the open scope that are not retired."""
        rows = super().get_queryset()
        return rows if isinstance(rows, DisabledQuerySet) else rows.filter(retired_at=None)


class Park(Place):
    """A development zone with one management committee.

    A park that came with an import which was undone is `retired_at` that moment: it leaves the register, and what was known
    before still names it.
    """

    level = models.CharField(max_length=60, blank=True, verbose_name=_("Level"))
    leading_industries = models.JSONField(default=list, blank=True, verbose_name=_("Leading industries"))
    retired_at = models.DateTimeField(null=True, editable=False)

    objects: ClassVar[OwnedManager["Park"]] = ParksInUse()
    everything = OwnedManager["Park"]()

    class Meta(Place.Meta):
        constraints = Place.unique("park")
        verbose_name = _("park")
        verbose_name_plural = _("parks")


class Zone(Place):
    """A part of a park that is planned and built as one."""

    park = models.ForeignKey(
        Park, models.PROTECT, null=True, blank=True, related_name="zones", verbose_name=_("Park")
    )

    class Meta(Place.Meta):
        constraints = Place.unique("zone")
        verbose_name = _("zone")
        verbose_name_plural = _("zones")


class GridCell(Place):
    """The smallest managed area, with a named officer."""

    park = models.ForeignKey(
        Park, models.PROTECT, null=True, blank=True, related_name="grid_cells", verbose_name=_("Park")
    )
    officer = models.ForeignKey(
        "people.User",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("Grid officer"),
    )

    class Meta(Place.Meta):
        constraints = Place.unique("grid_cell")
        verbose_name = _("grid cell")
        verbose_name_plural = _("grid cells")


class Parcel(Place):
    """A piece of land with one right holder."""

    park = models.ForeignKey(
        Park, models.PROTECT, null=True, blank=True, related_name="parcels", verbose_name=_("Park")
    )
    zone = models.ForeignKey(
        Zone, models.PROTECT, null=True, blank=True, related_name="parcels", verbose_name=_("Zone")
    )
    holder = models.CharField(max_length=120, blank=True, verbose_name=_("Right holder"))
    use = models.CharField(max_length=60, blank=True, verbose_name=_("Land use"))

    class Meta(Place.Meta):
        constraints = Place.unique("parcel")
        verbose_name = _("parcel")
        verbose_name_plural = _("parcels")


class Building(Place):
    """A building; its height on the map is floors × storey height."""

    class Kind(models.TextChoices):
        STANDARD_FACTORY = "standard_factory", _("Standard factory")
        FACTORY = "factory", _("Factory")
        OFFICE = "office", _("Office")
        DORMITORY = "dormitory", _("Dormitory")
        PUBLIC = "public", _("Public facility")
        UTILITY = "utility", _("Utility")

    parcel = models.ForeignKey(
        Parcel, models.PROTECT, null=True, blank=True, related_name="buildings", verbose_name=_("Parcel")
    )
    park = models.ForeignKey(
        Park, models.PROTECT, null=True, blank=True, related_name="buildings", verbose_name=_("Park")
    )
    kind = models.CharField(max_length=20, choices=Kind.choices, default=Kind.FACTORY, verbose_name=_("Kind"))
    floors = models.PositiveSmallIntegerField(default=1, verbose_name=_("Floors"))
    storey_height = models.DecimalField(
        max_digits=4, decimal_places=1, default=4, verbose_name=_("Storey height (m)")
    )
    floor_area = AreaField(null=True, blank=True, verbose_name=_("Floor area (m²)"))
    built_on = models.DateField(null=True, blank=True, verbose_name=_("Built on"))

    class Meta(Place.Meta):
        constraints = Place.unique("building")
        verbose_name = _("building")
        verbose_name_plural = _("buildings")


class Unit(Owned):
    """A lettable part of a building."""

    building = models.ForeignKey(Building, models.PROTECT, related_name="units", verbose_name=_("Building"))
    code = models.CharField(max_length=60, verbose_name=_("Code"))
    floor = models.SmallIntegerField(default=1, verbose_name=_("Floor"))
    area = AreaField(verbose_name=_("Area (m²)"))
    state = models.CharField(
        max_length=10,
        choices=[("vacant", _("Vacant")), ("let", _("Let")), ("reserved", _("Reserved"))],
        default="vacant",
        verbose_name=_("State"),
    )
    synthetic = models.BooleanField(default=False)

    class Meta:
        ordering = ["building", "floor", "code"]
        constraints = [models.UniqueConstraint(fields=["building", "code"], name="unit_code_once")]
        verbose_name = _("space unit")
        verbose_name_plural = _("space units")

    def __str__(self) -> str:
        return self.code
