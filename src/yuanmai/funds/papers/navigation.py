"""Entries of this part on the left, and its tab on a project's page."""

from django.utils.translation import gettext_lazy as _

from yuanmai.core.web.navigation import NavItem, nav
from yuanmai.funds.papers import offering
from yuanmai.funds.permissions import SEE_FUNDS
from yuanmai.projects.views.panels import RecordTab, record_tab

nav(NavItem("fund", _("Forms and exports"), "funds:papers", "file-text", SEE_FUNDS, 80))
record_tab(RecordTab("papers", _("Forms"), "funds:papers_project", "file-text", SEE_FUNDS, 48))

assert offering  # declares a kind of finding
