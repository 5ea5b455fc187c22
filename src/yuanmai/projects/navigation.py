"""Entries of the projects room on the left."""

from django.utils.translation import gettext_lazy as _

from yuanmai.core.web.navigation import NavItem, nav
from yuanmai.projects.permissions import IMPORT_PROJECTS, REPORT_PROGRESS, SEE_PROJECTS

nav(NavItem("build", _("Project library"), "projects:library", "folder", SEE_PROJECTS, 10))
nav(NavItem("build", _("Report progress"), "projects:progress", "clipboard-list", REPORT_PROGRESS, 20))
nav(NavItem("build", _("Imports"), "imports:list", "file-import", IMPORT_PROJECTS, 30))
nav(NavItem("build", _("Blockers"), "projects:blockers", "octagon", SEE_PROJECTS, 40))
nav(NavItem("build", _("Rules of lights"), "projects:lights", "traffic-lights", SEE_PROJECTS, 90))
