"""Rights of the funds room."""

from django.utils.translation import gettext_lazy as _

from yuanmai.core.policy import permission

SEE_FUNDS = permission("funds.view", _("See funds"))
EDIT_FUNDS = permission("funds.edit", _("Record funding"), writes=True)
