"""Application entry of the demo room."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DemoConfig(AppConfig):
    """The demonstration places."""

    name = "yuanmai.demo"
    label = "demo"
    verbose_name = _("Demonstration")
