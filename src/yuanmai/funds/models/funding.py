"""Funding of projects by source: facts, and the projection that figures read."""

from typing import ClassVar, Self

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from yuanmai.core.fields import MoneyField
from yuanmai.core.scope import Owned
from yuanmai.core.temporal import Bitemporal, BitemporalManager, Fact
from yuanmai.projects.models import ProjectFactManager


class Source(models.TextChoices):
    """Where money comes from."""

    FISCAL = "fiscal", _("Fiscal funds")
    SPECIAL_BOND = "special_bond", _("Special bond")
    LOAN = "loan", _("Bank loan")
    OWN = "own", _("Own funds")
    OTHER = "other", _("Other")


class Security(models.TextChoices):
    """How sure the money is."""

    SECURED = "secured", _("Secured")
    ISSUED = "issued", pgettext_lazy("funding", "Issued")
    PLANNED = "planned", _("Planned")


class FundingFact(Fact):
    """From a day on, this source of a project amounts to this much. The key is (project, source, security, year, tranche)."""

    project = models.ForeignKey("projects.Project", models.PROTECT, related_name="funding_facts")
    source = models.CharField(max_length=14, choices=Source.choices, verbose_name=_("Source"))
    security = models.CharField(max_length=10, choices=Security.choices, verbose_name=_("State"))
    year = models.PositiveSmallIntegerField(null=True, blank=True, verbose_name=_("Year"))
    tranche = models.CharField(max_length=80, blank=True, verbose_name=_("Tranche"))
    amount = MoneyField(verbose_name=_("Amount"))

    objects = ProjectFactManager()

    class Meta:
        indexes = [models.Index(fields=["project", "effective_on"], name="funding_fact_on")]
        verbose_name = _("funding")


class FundingState(Owned, Bitemporal):
    """The projection of funding: one row per project and key, span and knowledge. Zero amounts have no row."""

    project = models.ForeignKey("projects.Project", models.CASCADE, related_name="funding_states")
    source = models.CharField(max_length=14, choices=Source.choices)
    security = models.CharField(max_length=10, choices=Security.choices)
    year = models.PositiveSmallIntegerField(null=True)
    tranche = models.CharField(max_length=80, blank=True)
    amount = MoneyField()
    fact = models.ForeignKey(FundingFact, models.CASCADE, related_name="+")

    objects: ClassVar[BitemporalManager[Self]] = BitemporalManager()

    class Meta:
        indexes = [
            models.Index(
                fields=["org", "known_until", "effective_until", "effective_from"], name="funding_at"
            ),
            models.Index(fields=["project", "known_until"], name="funding_project"),
        ]
        verbose_name = _("funding state")
