"""Entries of this part of the funds room on the left."""

from django.utils.translation import gettext_lazy as _

from yuanmai.core.web.navigation import NavItem, nav
from yuanmai.funds.permissions import SEE_FUNDS

nav(NavItem("fund", _("Quota optimiser"), "funds:optimiser", "adjustments", SEE_FUNDS, 35))
nav(NavItem("fund", _("Repayment calendar"), "funds:calendar", "calendar-time", SEE_FUNDS, 50))
nav(NavItem("fund", _("Follow the yuan"), "funds:follow", "route", SEE_FUNDS, 70))
