"""Rights of the places room."""

from django.utils.translation import gettext_lazy as _

from yuanmai.core.policy import permission

SEE_PLACES = permission("places.view", _("See places and the map"))
EDIT_PLACES = permission("places.edit", _("Add, change and import places"), writes=True)
