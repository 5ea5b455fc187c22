"""Rights of the projects room."""

from django.utils.translation import gettext_lazy as _

from yuanmai.core.policy import permission

SEE_PROJECTS = permission("projects.view", _("See projects"))
EDIT_PROJECTS = permission("projects.edit", _("Add and change projects and plans"), writes=True)
REPORT_PROGRESS = permission("projects.report", _("Report progress"), writes=True)
IMPORT_PROJECTS = permission("projects.import", _("Import project ledgers and undo imports"), writes=True)
DISPATCH_PROJECTS = permission("projects.dispatch", _("Hand over and close blockers"), writes=True)
