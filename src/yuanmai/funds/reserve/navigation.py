"""Entries of the reserve on the left, and its tab on a project's page."""

from django.utils.translation import gettext_lazy as _

from yuanmai.core.web.navigation import NavItem, nav
from yuanmai.funds.permissions import SEE_FUNDS
from yuanmai.projects.views.panels import RecordTab, record_tab

nav(NavItem("fund", _("Bond reserve"), "funds:reserve", "inbox", SEE_FUNDS, 20))
nav(NavItem("fund", _("Rules of special bonds"), "funds:rules", "scale", SEE_FUNDS, 95))
record_tab(RecordTab("reserve", _("Bond reserve"), "funds:project_reserve", "inbox", SEE_FUNDS, 41))
