"""Rights of the enterprises room."""

from django.utils.translation import gettext_lazy as _

from yuanmai.core.policy import permission

SEE_ENTERPRISES = permission("enterprises.view", _("See enterprises"))
EDIT_ENTERPRISES = permission("enterprises.edit", _("Add and change enterprises"), writes=True)
IMPORT_ENTERPRISES = permission(
    "enterprises.import", _("Import registers of enterprises and undo imports"), writes=True
)
