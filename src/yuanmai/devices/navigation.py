"""The entries of the devices room on the left."""

from django.utils.translation import gettext_lazy as _

from yuanmai.core.web.navigation import NavItem, nav
from yuanmai.devices.permissions import KEEP_DEVICES, SEE_DEVICES
from yuanmai.devices.registry import words  # noqa: F401  (names what the log notes)
from yuanmai.devices.rules import navigation as rules_and_alarms  # noqa: F401  (importing it declares its entries)

nav(NavItem("run", _("Devices"), "devices:index", "server", SEE_DEVICES, 20))
nav(NavItem("run", _("Unknown devices"), "devices:unknown", "zoom-question", KEEP_DEVICES, 24))
nav(NavItem("run", _("Product templates"), "devices:templates", "template", SEE_DEVICES, 28))
nav(NavItem("run", _("Commands"), "devices:commands", "send", SEE_DEVICES, 26))
