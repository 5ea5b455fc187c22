"""Application entry of the devices room."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DevicesConfig(AppConfig):
    """What hangs on poles, stands in pits and drives through the park."""

    name = "yuanmai.devices"
    label = "devices"
    verbose_name = _("Devices")
