"""Entries of the ground floor on the left."""

from django.utils.translation import gettext_lazy as _

from yuanmai.core.permissions import SEE_AUDIT, SEE_JOBS
from yuanmai.core.web.navigation import NavItem, nav

nav(NavItem("manage", _("Background work"), "jobs:list", "clock", SEE_JOBS, 60))
nav(NavItem("manage", _("Audit log"), "core:audit_log", "history", SEE_AUDIT, 40))
