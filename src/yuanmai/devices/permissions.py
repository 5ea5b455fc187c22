"""Rights of the devices room."""

from django.utils.translation import gettext_lazy as _

from yuanmai.core.policy import permission

SEE_DEVICES = permission("devices.view", _("See devices, readings and alarms"))
KEEP_DEVICES = permission("devices.edit", _("Keep devices, templates and points"), writes=True)
SEND_READINGS = permission("devices.ingest", _("Send readings"), writes=True)
COMMAND_DEVICES = permission("devices.command", _("Send commands to devices"), writes=True)
HANDLE_ALARMS = permission("devices.alarms", _("Acknowledge, assign, comment and close alarms"), writes=True)
KEEP_RULES = permission("devices.rules", _("Keep alarm rules, channels and maintenance windows"), writes=True)
