"""Entries of this part on the left, and its tab on a project's page."""

from django.utils.translation import gettext_lazy as _

from yuanmai.core.web.navigation import NavItem, nav
from yuanmai.funds.permissions import SEE_FUNDS
from yuanmai.projects.views.panels import RecordTab, record_tab

nav(NavItem("fund", _("Bonds and tranches"), "funds:tranches", "file-certificate", SEE_FUNDS, 30))
nav(NavItem("fund", _("Debt service"), "funds:debt_service", "calendar-stats", SEE_FUNDS, 40))
record_tab(
    RecordTab("bonds", _("Special bonds"), "funds:debt_service_project", "file-certificate", SEE_FUNDS, 42)
)
