"""From the contract to the work on the ground: disbursement, payment, physical work, and change of use."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from yuanmai.core.fields import MoneyField
from yuanmai.core.scope import M, Owned, OwnedManager
from yuanmai.core.temporal import Fact
from yuanmai.funds.models.issue import Tranche, TrancheFact
from yuanmai.funds.models.reserve import NamedUse
from yuanmai.projects.models import ProjectFactManager


class Contract(Owned):
    """A contract of a project with a payee."""

    project = models.ForeignKey("projects.Project", models.PROTECT, related_name="contracts")
    uid = models.UUIDField(unique=True)
    number = models.CharField(max_length=80, verbose_name=_("Contract number"))
    name = models.CharField(max_length=200, verbose_name=_("Contract name"))
    payee = models.CharField(max_length=160, verbose_name=_("Payee"))
    enterprise = models.ForeignKey(
        "enterprises.Enterprise", models.PROTECT, null=True, blank=True, related_name="+"
    )
    amount = MoneyField(verbose_name=_("Contract amount"))
    signed_on = models.DateField(verbose_name=_("Signed on"))
    use = models.ForeignKey(
        NamedUse, models.PROTECT, null=True, blank=True, related_name="contracts", verbose_name=_("Use")
    )
    recorded_at = models.DateTimeField()
    batch = models.ForeignKey("core.ImportBatch", models.PROTECT, null=True, blank=True, related_name="+")
    retracted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["project", "number"],
                condition=models.Q(retracted_at=None),
                name="contract_number_once",
            )
        ]
        verbose_name = _("contract")
        verbose_name_plural = _("contracts")

    def __str__(self) -> str:
        return f"{self.number} {self.name}"


class ContractManager(OwnedManager[M]):
    """Rows of the contracts of the open scope."""

    path = "contract__org_id"


class ContractFact(Fact):
    """Something stated about a contract. `effective_on` is the day of the paper."""

    contract = models.ForeignKey(Contract, models.PROTECT, related_name="%(class)s_facts")
    number = models.CharField(max_length=80, verbose_name=_("Number"))
    amount = MoneyField(verbose_name=_("Amount"))

    objects = ContractManager()

    class Meta:
        abstract = True


class Certificate(ContractFact):
    """A progress certificate: work done since the last one; counts for payment once the supervisor confirmed it."""

    supervisor = models.CharField(max_length=120, blank=True, verbose_name=_("Supervisor"))
    confirmed_on = models.DateField(null=True, blank=True, verbose_name=_("Confirmed on"))
    confirmed_at = models.DateTimeField(
        null=True, blank=True
    )  # the moment at which the confirmation was entered
    confirmed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["contract", "number"], condition=models.Q(retracted_at=None), name="certificate_once"
            )
        ]
        verbose_name = _("progress certificate")


class Invoice(ContractFact):
    """An invoice; its number may be used once in the whole installation of a seller."""

    seller = models.CharField(max_length=160, verbose_name=_("Seller"))

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["seller", "number"], condition=models.Q(retracted_at=None), name="invoice_once"
            )
        ]
        verbose_name = _("invoice")


class UsePlan(Fact):
    """What a project means to spend in a month: filed a month before (用款计划)."""

    project = models.ForeignKey("projects.Project", models.PROTECT, related_name="use_plans")
    month = models.DateField(verbose_name=_("Month"))  # its first day
    amount = MoneyField(verbose_name=_("Amount"))

    objects = ProjectFactManager()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["project", "month"], name="use_plan_month")]
        verbose_name = _("use plan")
        verbose_name_plural = _("use plans")


class Disbursement(TrancheFact):
    """Treasury → owner."""

    class Meta(TrancheFact.Meta):
        verbose_name = _("disbursement")


class Payment(TrancheFact):
    """Owner → payee, out of one tranche, for one contract."""

    uid = models.UUIDField(unique=True)
    contract = models.ForeignKey(
        Contract, models.PROTECT, related_name="payments", verbose_name=_("Contract")
    )
    certificate = models.ForeignKey(
        Certificate,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="payments",
        verbose_name=_("Certificate"),
    )
    invoice = models.ForeignKey(
        Invoice, models.PROTECT, null=True, blank=True, related_name="payments", verbose_name=_("Invoice")
    )
    use = models.ForeignKey(NamedUse, models.PROTECT, null=True, blank=True, related_name="payments")

    class Meta(TrancheFact.Meta):
        verbose_name = _("payment")
        verbose_name_plural = _("payments")


class WorkItem(Owned):
    """A physical work quantity as planned: so many metres of pipe, m² of floor, sets."""

    project = models.ForeignKey("projects.Project", models.PROTECT, related_name="work_items")
    contract = models.ForeignKey(Contract, models.PROTECT, null=True, blank=True, related_name="work_items")
    building = models.ForeignKey("places.Building", models.PROTECT, null=True, blank=True, related_name="+")
    name = models.CharField(max_length=160, verbose_name=_("Work"))
    unit = models.CharField(max_length=20, verbose_name=_("Unit"))  # m, m², set …
    planned = models.DecimalField(max_digits=14, decimal_places=2, verbose_name=_("Planned quantity"))
    recorded_at = models.DateTimeField()
    retracted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("physical work quantity")
        verbose_name_plural = _("physical work quantities")

    def __str__(self) -> str:
        return self.name


class WorkItemManager(OwnedManager[M]):
    """Rows of the work items of the open scope."""

    path = "item__org_id"


class Measurement(Fact):
    """How much of a work item stands on the ground on `effective_on`, cumulative."""

    item = models.ForeignKey(WorkItem, models.PROTECT, related_name="measurements")
    quantity = models.DecimalField(max_digits=14, decimal_places=2, verbose_name=_("Measured quantity"))
    note = models.CharField(max_length=200, blank=True, verbose_name=_("Note"))

    objects = WorkItemManager()

    class Meta:
        verbose_name = _("measurement")


class ChangeOfUse(Owned):
    """Money of a tranche moved from one project to another, in one of the four permitted cases (财预〔2021〕110号)."""

    class Case(models.TextChoices):
        NEED_CHANGED = "need_changed", _("The need changed or fell")
        SURPLUS = "surplus", _("Surplus at completion")
        AUDIT = "audit", _("Audit or inspection asks for it")
        OTHER = "other", pgettext_lazy("change of use", "Other")

    class State(models.TextChoices):
        DRAFT = "draft", pgettext_lazy("change of use", "Requested")
        REVIEWED = "reviewed", _("Reviewed")
        APPROVED = "approved", _("Approved")
        REJECTED = "rejected", _("Rejected")

    uid = models.UUIDField(unique=True)
    tranche = models.ForeignKey(Tranche, models.PROTECT, related_name="changes", verbose_name=_("Tranche"))
    giver = models.ForeignKey(
        "projects.Project", models.PROTECT, related_name="+", verbose_name=_("From project")
    )
    receiver = models.ForeignKey(
        "projects.Project", models.PROTECT, related_name="+", verbose_name=_("To project")
    )
    amount = MoneyField(verbose_name=_("Amount"))
    case = models.CharField(max_length=14, choices=Case.choices, verbose_name=_("Case"))
    reason = models.TextField(verbose_name=_("Reason"))
    requested_on = models.DateField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    decided_on = models.DateField(null=True, blank=True)
    document = models.CharField(max_length=120, blank=True, verbose_name=_("Document of approval"))
    recorded_at = models.DateTimeField()

    class Meta:
        verbose_name = _("change of use")
        verbose_name_plural = _("changes of use")


class ChangeStepManager(OwnedManager[M]):
    """Steps of the changes of the open scope."""

    path = "change__org_id"


class ChangeStep(models.Model):
    """One step of a change of use, append-only."""

    change = models.ForeignKey(ChangeOfUse, models.PROTECT, related_name="steps")
    transition = models.CharField(max_length=20)
    state = models.CharField(max_length=10, choices=ChangeOfUse.State.choices)
    effective_on = models.DateField()
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    text = models.TextField(blank=True)

    objects = ChangeStepManager()

    class Meta:
        verbose_name = _("step of a change of use")

    def __str__(self) -> str:
        return f"{self.change_id} {self.transition}"


class Attachment(Owned):
    """A file kept with a row: offering file, certificate, photograph. The bytes lie under YUANMAI_HOME/files by digest."""

    target = models.CharField(max_length=60)  # "reserve_item:12", "payment:5" …
    kind = models.CharField(max_length=30)  # use_plan, contract, certificate, invoice, photo, offering …
    name = models.CharField(max_length=200, verbose_name=_("File name"))
    media_type = models.CharField(max_length=100)
    size = models.PositiveBigIntegerField()
    digest = models.CharField(max_length=64, db_index=True)
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    retracted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["target"], name="attachment_target")]
        verbose_name = _("attachment")
