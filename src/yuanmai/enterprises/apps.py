"""Application entry of the enterprises room."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class EnterprisesConfig(AppConfig):
    """Who works in the park."""

    name = "yuanmai.enterprises"
    label = "enterprises"
    verbose_name = _("Enterprises")
