"""Entries of the funds room on the left, and what it adds to a project's page."""

from django.utils.translation import gettext_lazy as _

from yuanmai.core.web.navigation import NavItem, nav
from yuanmai.funds.insight import navigation as insight
from yuanmai.funds.issuing import navigation as issuing
from yuanmai.funds.overview import navigation as overview
from yuanmai.funds.papers import navigation as papers
from yuanmai.funds.paying import navigation as paying
from yuanmai.funds.permissions import SEE_FUNDS
from yuanmai.funds.reserve import navigation as reserve
from yuanmai.funds.views import project_panel, said
from yuanmai.projects.views.panels import RecordTab, history_source, overview_panel, record_tab

nav(NavItem("fund", _("Funding of projects"), "funds:index", "coins", SEE_FUNDS, 10))
record_tab(RecordTab("funding", _("Funding"), "funds:project", "coins", SEE_FUNDS, 40))
overview_panel(project_panel)
history_source(said)

__all__ = ["insight", "issuing", "overview", "papers", "paying", "reserve"]
