"""The reserve: a project that asks for bond money, its readiness, its plan, and its reviews."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from yuanmai.core.fields import MoneyField, RateField
from yuanmai.core.scope import M, Owned, OwnedManager


class Frequency(models.IntegerChoices):
    """Interest payments a year."""

    ANNUAL = 1, _("Annual")
    SEMI_ANNUAL = 2, _("Semi-annual")
    QUARTERLY = 4, _("Quarterly")


class Repayment(models.TextChoices):
    """How the principal is repaid."""

    BULLET = "bullet", _("Bullet")
    INSTALMENTS = "instalments", _("Instalments by year")
    EQUAL_PRINCIPAL = "equal_principal", _("Equal principal")
    LEVEL_PAYMENT = "level_payment", _("Level payment")


class Reserve(Owned):
    """A reserve project: one application for special bonds, from the reserve to the last repayment."""

    class State(models.TextChoices):
        RESERVE = "reserve", pgettext_lazy("reserve project", "In reserve")
        REVIEWED = "reviewed", _("Reviewed")
        REPORTED = "reported", pgettext_lazy("reserve project", "Reported")
        APPROVED = "approved", _("Approved")
        ISSUED = "issued", pgettext_lazy("reserve project", "Issued")
        DRAWN = "drawn", _("Drawn")
        COMPLETED = "completed", pgettext_lazy("reserve project", "Completed")
        REPAID = "repaid", _("Repaid")

    project = models.ForeignKey("projects.Project", models.PROTECT, related_name="reserves")
    uid = models.UUIDField(unique=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.RESERVE)
    year = models.PositiveSmallIntegerField(verbose_name=_("Year of the demand"))
    field = models.CharField(
        max_length=60, verbose_name=_("Field of use")
    )  # a code of bond_rules.yaml: fields
    sector = models.CharField(max_length=60, verbose_name=_("Sector"))  # decides the minimum project capital
    requested = MoneyField(verbose_name=_("Bonds requested"))
    approved = MoneyField(null=True, blank=True, verbose_name=_("Bonds approved"))
    bonds_as_capital = MoneyField(default=0, verbose_name=_("Of which as project capital"))
    capital = MoneyField(verbose_name=_("Project capital"))
    other_debt = MoneyField(default=0, verbose_name=_("Other debt"))
    total_investment = MoneyField(verbose_name=_("Total investment"))
    term_years = models.PositiveSmallIntegerField(verbose_name=_("Term (years)"))
    rate = RateField(verbose_name=_("Planned rate"))
    frequency = models.PositiveSmallIntegerField(
        choices=Frequency.choices, default=2, verbose_name=_("Interest is paid")
    )
    repayment = models.CharField(
        max_length=16, choices=Repayment.choices, default=Repayment.BULLET, verbose_name=_("Repayment")
    )
    construction_start = models.DateField(null=True, blank=True, verbose_name=_("Construction from"))
    construction_end = models.DateField(null=True, blank=True, verbose_name=_("Construction until"))
    operation_start = models.DateField(null=True, blank=True, verbose_name=_("Operation from"))
    joint_start = models.CharField(max_length=80, blank=True, verbose_name=_("Joint start batch"))
    deadline = models.DateField(null=True, blank=True, verbose_name=_("Needed by"))
    depends_on = models.ManyToManyField("self", symmetrical=False, blank=True, related_name="needed_by")
    public_benefit = models.TextField(blank=True, verbose_name=_("Public benefit"))
    # Infrastructure that closes a gap (补短板) may have less capital.
    gap_closing = models.BooleanField(default=False, verbose_name=_("Closes a gap in infrastructure"))
    # Handed in for review since then; None while it is being prepared, or was sent back.
    submitted_at = models.DateTimeField(null=True, blank=True)
    sent_back_at = models.DateTimeField(null=True, blank=True)  # None once it is handed in again
    editors = models.JSONField(default=list)  # ids of who entered or changed it: they may not review it
    recorded_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    synthetic = models.BooleanField(default=False, verbose_name=_("Demonstration record"))

    class Meta:
        indexes: ClassVar = [models.Index(fields=["org", "state", "year"], name="reserve_state")]
        verbose_name = _("reserve project")
        verbose_name_plural = _("reserve projects")


class ReserveManager(OwnedManager[M]):
    """Rows that belong to the reserve projects of the open scope."""

    path = "reserve__org_id"


class ReserveRow(models.Model):
    """Something that belongs to a reserve project."""

    reserve = models.ForeignKey(Reserve, models.PROTECT, related_name="%(class)ss")

    objects = ReserveManager()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.pk}"


class ReserveStep(ReserveRow):
    """One step of the life of a reserve project, append-only: what figures as of a day are counted from."""

    transition = models.CharField(max_length=20)
    state = models.CharField(max_length=10, choices=Reserve.State.choices)  # after the step
    effective_on = models.DateField()
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    approved = MoneyField(null=True, blank=True)  # the amount approved, as it stands after the step
    text = models.TextField(blank=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["reserve", "effective_on"], name="reserve_step_on")]
        verbose_name = _("step of a reserve project")


class ReserveItem(ReserveRow):
    """One line of the checklist: a permit, the land, the design, or a part of the offering file (一案两书)."""

    class State(models.TextChoices):
        MISSING = "missing", _("Missing")
        UNDER_WAY = "under_way", _("Under way")
        DONE = "done", pgettext_lazy("checklist", "Present")
        NOT_NEEDED = "not_needed", _("Not needed")

    code = models.CharField(max_length=40)  # of bond_rules.yaml: checklist
    state = models.CharField(
        max_length=10, choices=State.choices, default=State.MISSING, verbose_name=_("State")
    )
    document = models.CharField(max_length=120, blank=True, verbose_name=_("Document number"))
    dated_on = models.DateField(null=True, blank=True, verbose_name=_("Date"))
    note = models.CharField(max_length=300, blank=True, verbose_name=_("Note"))

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["reserve", "code"], name="reserve_item_once")
        ]
        verbose_name = _("line of the checklist")


class NamedUse(ReserveRow):
    """A use that the offering file names: only for these may bond money be paid."""

    name = models.CharField(max_length=160, verbose_name=_("Use"))
    amount = MoneyField(verbose_name=_("Amount"))
    capital_expenditure = models.BooleanField(default=True, verbose_name=_("Capital expenditure"))
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("named use")

    def __str__(self) -> str:
        return self.name


class PlanYear(ReserveRow):
    """One year of the financing and income plan, in one of three versions kept side by side; amounts in yuan."""

    class Version(models.TextChoices):
        PLAN = "plan", _("As planned")
        ISSUED = "issued", _("At issued rates")
        OPERATING = "operating", pgettext_lazy("plan version", "In operation")

    version = models.CharField(max_length=10, choices=Version.choices, default=Version.PLAN)
    year = models.PositiveSmallIntegerField()
    investment = MoneyField(default=0)
    capital = MoneyField(default=0)
    bonds = MoneyField(default=0)
    bonds_as_capital = MoneyField(default=0)
    other_debt = MoneyField(default=0)
    revenue = MoneyField(default=0)
    operating_cost = MoneyField(default=0)
    tax = MoneyField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["reserve", "version", "year"], name="plan_year_once")
        ]
        ordering: ClassVar = ["version", "year"]
        verbose_name = _("plan year")


class ReserveLoan(ReserveRow):
    """A market loan beside the bonds, as planned or concluded."""

    lender = models.CharField(max_length=120, verbose_name=_("Lender"))
    principal = MoneyField(verbose_name=_("Amount"))
    rate = RateField(verbose_name=_("Rate"))
    drawn_on = models.DateField(verbose_name=_("Drawn on"))
    periods = models.PositiveSmallIntegerField(verbose_name=_("Periods"))
    frequency = models.PositiveSmallIntegerField(
        choices=Frequency.choices, default=1, verbose_name=_("Interest is paid")
    )
    kind = models.CharField(max_length=16, choices=Repayment.choices, default=Repayment.LEVEL_PAYMENT)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("market loan")


class Review(ReserveRow):
    """A review by finance or development-reform: eight headings with score and opinion, and the verdict."""

    class Body(models.TextChoices):
        FINANCE = "finance", _("Finance")
        REFORM = "reform", _("Development and reform")

    class Verdict(models.TextChoices):
        PASS = "pass", _("Passed")
        SEND_BACK = "send_back", _("Sent back")

    body = models.CharField(max_length=8, choices=Body.choices, verbose_name=_("Reviewing body"))
    headings = models.JSONField(default=dict)  # heading code → {"score": 0–100, "opinion": text}
    score = models.DecimalField(max_digits=5, decimal_places=2, null=True)  # weighted, by engine/review.py
    verdict = models.CharField(max_length=10, choices=Verdict.choices, verbose_name=_("Verdict"))
    opinion = models.TextField(blank=True, verbose_name=_("Opinion"))
    reviewed_on = models.DateField(verbose_name=_("Reviewed on"))
    recorded_at = models.DateTimeField()
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    # What the gates said at the review: [{"code", "passed", "hard", "params"}].
    gates = models.JSONField(default=list)
    retracted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-recorded_at", "-id"]
        verbose_name = _("review")
