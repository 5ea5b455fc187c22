"""The cockpit's entries of the navigation."""

from django.utils.translation import gettext_lazy as _

from yuanmai.cockpit.permissions import SEE_COCKPIT
from yuanmai.core.permissions import SEE_FIGURES, SEE_FINDINGS
from yuanmai.core.web.navigation import NavItem, nav

nav(NavItem("home", _("Home"), "cockpit:home", "home", order=10))
nav(NavItem("home", _("To do"), "cockpit:todo", "checklist", order=20))
nav(NavItem("home", _("Wall chart"), "cockpit:wall", "layout-kanban", SEE_COCKPIT, order=30))
nav(NavItem("home", _("Figures"), "cockpit:figures", "chart-bar", SEE_FIGURES, order=40))
nav(NavItem("home", _("Findings"), "cockpit:findings", "alert-triangle", SEE_FINDINGS, order=50))
nav(NavItem("home", _("Bulletins"), "cockpit:bulletins", "file-text", SEE_COCKPIT, order=45))
