"""Rights of the ground floor."""

from django.utils.translation import gettext_lazy as _

from yuanmai.core.policy import permission

SEE_AUDIT = permission("core.audit", _("Read the audit log"))
SEE_SYSTEM = permission("core.system", _("See the state of the system"))
SEE_FINDINGS = permission("core.findings", _("See findings"))
ANSWER_FINDINGS = permission("core.answer_findings", _("Answer findings"), writes=True)
IMPORT_WORKBOOKS = permission("core.import", _("Import workbooks and undo imports"), writes=True)
SEE_JOBS = permission("core.jobs", _("See own background work"))
SEE_FIGURES = permission("core.figures", _("See figures, their definitions and rows"))
