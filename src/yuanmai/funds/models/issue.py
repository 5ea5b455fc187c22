"""Quota, tranches, their allotment to projects, and the on-lending chain."""

from typing import ClassVar, Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from yuanmai.core.fields import MoneyField, RateField
from yuanmai.core.scope import M, Owned, OwnedManager, active_org_ids
from yuanmai.core.temporal import Fact
from yuanmai.funds.models.reserve import Frequency, Repayment
from yuanmai.projects.models import ProjectFactManager


class Quota(Owned, Fact):
    """The bond quota of a place in a year, from a day on; the newest statement holds."""

    year = models.PositiveSmallIntegerField(verbose_name=_("Year"))
    amount = MoneyField(verbose_name=_("Quota"))
    document = models.CharField(max_length=200, blank=True, verbose_name=_("Document"))

    class Meta:
        indexes: ClassVar = [models.Index(fields=["org", "year", "effective_on"], name="quota_on")]
        verbose_name = _("quota")


class TrancheManager(OwnedManager[M]):
    """Tranches kept by an organisation of the open scope, drawn on by one of its projects, or on-lent to it.

    A county sees the province's tranche that its own project draws on; changing it is the keeper's right alone.
    """

    def get_queryset(self) -> models.QuerySet[M]:
        """Return the tranches that concern the open scope."""
        org_ids = active_org_ids()
        if org_ids is None:
            return super().get_queryset()
        drawn = Allotment.objects.order_by().values("tranche_id")
        lent = OnLending.objects.order_by().values("tranche_id")
        every: models.QuerySet[M] = models.QuerySet(self.model, using=self._db)
        return every.filter(models.Q(org_id__in=org_ids) | models.Q(pk__in=drawn) | models.Q(pk__in=lent))


class Tranche(Owned):
    """One issue of bonds. `org` is the organisation that keeps it; projects below it draw on it.

    `allotted` is the sum of the allotments in force, kept by compare-and-swap so that two requests at once cannot allot
    more than there is.
    """

    uid = models.UUIDField(unique=True)
    code = models.CharField(max_length=40, verbose_name=_("Bond code"))
    name = models.CharField(max_length=160, verbose_name=_("Bond name"))
    batch_name = models.CharField(max_length=80, blank=True, verbose_name=_("Batch"))
    issuer = models.CharField(max_length=80, blank=True, verbose_name=_("Issuer"))
    amount = MoneyField(verbose_name=_("Amount"))
    allotted = MoneyField(default=0)
    rate = RateField(verbose_name=_("Rate"))
    term_years = models.PositiveSmallIntegerField(verbose_name=_("Term (years)"))
    tendered_on = models.DateField(verbose_name=_("Tender"))
    value_date = models.DateField(verbose_name=_("Value date"))
    frequency = models.PositiveSmallIntegerField(choices=Frequency.choices, verbose_name=_("Interest"))
    repayment = models.CharField(
        max_length=16, choices=Repayment.choices, default=Repayment.BULLET, verbose_name=_("Repayment")
    )
    instalments = models.JSONField(default=list, blank=True)  # [{"year": 6, "share": "0.05"}] of the term
    issue_fee_rate = RateField(default=0, verbose_name=_("Issue fee"))
    registration_fee_rate = RateField(default=0, verbose_name=_("Registration fee"))
    redemption_fee_rate = RateField(default=0, verbose_name=_("Redemption fee"))
    recorded_at = models.DateTimeField()
    batch = models.ForeignKey("core.ImportBatch", models.PROTECT, null=True, blank=True, related_name="+")
    retracted_at = models.DateTimeField(null=True, blank=True)
    synthetic = models.BooleanField(default=False)

    objects: ClassVar[TrancheManager[Self]] = TrancheManager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["org", "code"], condition=models.Q(retracted_at=None), name="tranche_code_once"
            )
        ]
        ordering: ClassVar = ["-value_date", "code"]
        verbose_name = _("tranche")
        verbose_name_plural = _("tranches")

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class TrancheFact(Fact):
    """A movement of a project's bond money. What is corrected is retracted and entered again."""

    project = models.ForeignKey("projects.Project", models.PROTECT, related_name="%(class)s_facts")
    tranche = models.ForeignKey(Tranche, models.PROTECT, related_name="%(class)s_facts")
    amount = MoneyField(verbose_name=_("Amount"))
    document = models.CharField(max_length=120, blank=True, verbose_name=_("Document"))

    objects = ProjectFactManager()

    class Meta:
        abstract = True
        indexes: ClassVar = [models.Index(fields=["project", "tranche", "effective_on"], name="%(class)s_on")]


class Allotment(TrancheFact):
    """Bond money of a tranche given to a project; negative where a change of use takes it away."""

    change = models.ForeignKey(
        "funds.ChangeOfUse", models.PROTECT, null=True, blank=True, related_name="allotments"
    )

    class Meta(TrancheFact.Meta):
        verbose_name = _("allotment")


class EarlyRedemption(TrancheFact):
    """A project's part of a tranche that is redeemed before its time, on `effective_on`."""

    class Meta(TrancheFact.Meta):
        verbose_name = _("early redemption")


class OnLending(Owned, Fact):
    """A tranche passed on down the chain province → city → county (转贷); `org` is the borrower."""

    tranche = models.ForeignKey(Tranche, models.PROTECT, related_name="on_lendings")
    lender = models.ForeignKey(
        "people.Organisation", models.PROTECT, related_name="+", verbose_name=_("From")
    )
    amount = MoneyField(verbose_name=_("Amount"))
    agreement = models.CharField(max_length=120, blank=True, verbose_name=_("Agreement"))

    class Meta:
        verbose_name = _("on-lending")
