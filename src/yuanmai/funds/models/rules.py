"""Rules of special bonds as data: dated parameters, each with its source, for an organisation and all below it."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from yuanmai.core.scope import Owned


class BondRule(Owned):
    """One parameter from a day on: what it is called, its value, and the document that decides it.

    The codes, their meaning, units and the defaults (with their sources) are in ``presets/bond_rules.yaml``; a row here
    overrides the default for its organisation and all below it.
    """

    code = models.CharField(max_length=60, verbose_name=_("Parameter"))
    value = models.JSONField(verbose_name=_("Value"))
    effective_on = models.DateField(verbose_name=_("From"))
    source = models.CharField(max_length=300, verbose_name=_("Source"))
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    retracted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["org", "code", "effective_on"], name="bond_rule_on")]
        verbose_name = _("bond rule")
        verbose_name_plural = _("bond rules")

    def __str__(self) -> str:
        return self.code
