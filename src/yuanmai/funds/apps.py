"""Application entry of the funds room."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class FundsConfig(AppConfig):
    """What it is paid from."""

    name = "yuanmai.funds"
    label = "funds"
    verbose_name = _("Funds")
