"""Rights of the cockpit."""

from django.utils.translation import gettext_lazy as _

from yuanmai.core.policy import permission

SEE_COCKPIT = permission("cockpit.view", _("See home, wall chart and bulletins"))
ISSUE_BULLETINS = permission("cockpit.bulletin", _("Issue bulletins"), writes=True)
