"""The entries of rules and alarms on the left."""

from django.utils.translation import gettext_lazy as _

from yuanmai.core.web.navigation import NavItem, nav
from yuanmai.devices.permissions import SEE_DEVICES

nav(NavItem("run", _("Alarms"), "devices:alarms", "bell", SEE_DEVICES, 10))
nav(NavItem("run", _("Alarm rules"), "devices:rules", "adjustments", SEE_DEVICES, 30))
