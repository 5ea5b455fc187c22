"""The entry of the enterprises room on the left."""

from django.utils.translation import gettext_lazy as _

from yuanmai.core.web.navigation import NavItem, nav
from yuanmai.enterprises.permissions import SEE_ENTERPRISES

nav(NavItem("serve", _("Enterprises"), "enterprises:index", "building", SEE_ENTERPRISES, 10))
