"""Application entry of the devices room."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DevicesConfig(AppConfig):
    """What hangs on poles, stands in pits and drives through the park."""

    name = "yuanmai.devices"
    label = "devices"
    verbose_name = _("Devices")

    def ready(self) -> None:
        from yuanmai.devices.registry import starting  # noqa: F401  (a new installation begins with the library)
