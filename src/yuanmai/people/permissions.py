"""Rights of the people room."""

from django.utils.translation import gettext_lazy as _

from yuanmai.core.policy import permission

SEE_ORGANISATIONS = permission("people.view", _("See organisations and colleagues"))
MANAGE_ORGANISATIONS = permission("people.organise", _("Add and change organisations"), writes=True)
MANAGE_USERS = permission("people.manage_users", _("Add and lock users, give passwords"), writes=True)
GRANT_ROLES = permission("people.grant", _("Give and take roles, set security rules"), writes=True)
USE_API = permission("people.api", _("Use the interface (API) with tokens of one's own"), writes=True)
