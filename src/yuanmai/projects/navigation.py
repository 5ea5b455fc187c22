"""Entries of the projects room on the left."""

from django.utils.translation import gettext_lazy as _

from yuanmai.core.audit.words import name_fields, note_of
from yuanmai.core.permissions import IMPORT_WORKBOOKS
from yuanmai.core.web.navigation import NavItem, nav
from yuanmai.projects.permissions import REPORT_PROGRESS, SEE_PROJECTS

nav(NavItem("build", _("Project library"), "projects:library", "folder", SEE_PROJECTS, 10))
nav(NavItem("build", _("Report progress"), "projects:progress", "clipboard-list", REPORT_PROGRESS, 20))
nav(NavItem("build", _("Imports"), "imports:list", "file-import", IMPORT_WORKBOOKS, 30))
nav(NavItem("build", _("Blockers"), "projects:blockers", "octagon", SEE_PROJECTS, 40))
nav(NavItem("build", _("Rules of lights"), "projects:lights", "traffic-lights", SEE_PROJECTS, 90))

# What was said of a project is kept in facts; the log notes it at the project.
note_of(
    "projects.project",
    (
        "projects.projectversion",
        "projects.yearplan",
        "projects.progressreport",
        "projects.listmembership",
        "projects.projectstate",
    ),
)
name_fields({"list": _("List"), "on": _("On the list"), "projects": _("Projects")})
