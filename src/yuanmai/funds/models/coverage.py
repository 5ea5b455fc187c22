"""What the bond engine found for a reserve project, kept so that coverage over many projects is one query."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from yuanmai.core.fields import MoneyField
from yuanmai.funds.models.reserve import PlanYear, ReserveRow


class CoverageRecord(ReserveRow):
    """Net income and debt service over the life of the bonds, by the four denominators; the newest one holds.

    Written by ``funds.coverage.record_coverage`` inside the action that changed what it depends on. Quotients are never
    stored: figures divide the sums.
    """

    version = models.CharField(max_length=10, choices=PlanYear.Version.choices)
    effective_on = models.DateField()
    recorded_at = models.DateTimeField()
    net_income = MoneyField()  # income − operating cost − tax over the life of the bonds
    service = MoneyField()  # principal and all interest of the bonds
    service_operating = MoneyField()  # principal, and the interest of the operating period only
    service_with_fees = MoneyField()  # principal, all interest, fees of issue, registration and redemption
    net_income_all_debt = MoneyField()  # net income over the life of all debt
    service_all_debt = MoneyField()  # principal and interest of bonds and market loans
    gap_years = models.PositiveSmallIntegerField(default=0)  # years with a negative cumulative balance

    class Meta:
        indexes: ClassVar = [models.Index(fields=["reserve", "effective_on"], name="coverage_on")]
        verbose_name = _("coverage record")
