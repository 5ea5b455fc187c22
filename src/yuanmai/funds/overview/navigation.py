"""The entry of special bonds on the left."""

from django.utils.translation import gettext_lazy as _

from yuanmai.core.web.navigation import NavItem, nav
from yuanmai.funds.permissions import SEE_FUNDS

nav(NavItem("fund", _("Special bonds"), "funds:bonds", "chart-bar", SEE_FUNDS, 15))
