"""The entry of paying on the left, its tab and its part of the history of a project."""

from django.utils.translation import gettext_lazy as _

from yuanmai.core.web.navigation import NavItem, nav
from yuanmai.funds.paying.history import said
from yuanmai.funds.paying.targets import TARGETS
from yuanmai.funds.permissions import SEE_FUNDS
from yuanmai.projects.views.panels import RecordTab, history_source, record_tab

nav(NavItem("fund", _("Paying"), "funds:payments", "cash", SEE_FUNDS, 60))
record_tab(RecordTab("paying", _("Paying"), "funds:paying", "cash", SEE_FUNDS, 43))
history_source(said)
assert TARGETS  # declares which rows take files
