"""The nouns of the enterprises room."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from yuanmai.core.scope import Owned


class Enterprise(Owned):
    """An enterprise or other legal person known to the park."""

    name = models.CharField(max_length=160, verbose_name=_("Name"))
    pinyin = models.CharField(max_length=200, blank=True, editable=False)
    credit_code = models.CharField(max_length=18, blank=True, verbose_name=_("Unified social credit code"))
    industry = models.CharField(max_length=120, blank=True, verbose_name=_("Industry"))
    chain = models.CharField(max_length=80, blank=True, verbose_name=_("Industry chain"))
    chain_role = models.CharField(max_length=40, blank=True, verbose_name=_("Role in the chain"))
    park = models.ForeignKey(
        "places.Park",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="enterprises",
        verbose_name=_("Park"),
    )
    address = models.CharField(max_length=200, blank=True, verbose_name=_("Address"))
    contact = models.CharField(max_length=80, blank=True, verbose_name=_("Contact"))
    phone = models.CharField(max_length=40, blank=True, verbose_name=_("Phone"))
    note = models.TextField(blank=True, verbose_name=_("Note"))
    synthetic = models.BooleanField(default=False, verbose_name=_("Demonstration record"))
    created_at = models.DateTimeField(auto_now_add=True)
    # The import that first named it, so that its undo can take back an enterprise that nobody else uses.
    batch = models.ForeignKey("core.ImportBatch", models.PROTECT, null=True, blank=True, related_name="+")
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["org", "name"], name="enterprise_name_once")]
        verbose_name = _("enterprise")
        verbose_name_plural = _("enterprises")

    def __str__(self) -> str:
        return self.name


class Tenancy(Owned):
    """An enterprise uses a space unit from a day on; until is the first day on which it no longer does."""

    enterprise = models.ForeignKey(
        Enterprise, models.PROTECT, related_name="tenancies", verbose_name=_("Enterprise")
    )
    unit = models.ForeignKey(
        "places.Unit", models.PROTECT, related_name="tenancies", verbose_name=_("Space unit")
    )
    since = models.DateField(verbose_name=_("From"))
    until = models.DateField(null=True, blank=True, verbose_name=_("Until"))
    recorded_at = models.DateTimeField()
    synthetic = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["unit"], condition=models.Q(until=None), name="tenancy_open_once")
        ]
        verbose_name = _("tenancy")
        verbose_name_plural = _("tenancies")

    def __str__(self) -> str:
        return f"{self.enterprise_id} {self.unit_id}"
