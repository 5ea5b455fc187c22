"""Application entry of the cockpit room."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CockpitConfig(AppConfig):
    """Reads everything, owns only layouts."""

    name = "yuanmai.cockpit"
    label = "cockpit"
    verbose_name = _("Cockpit")

    def ready(self) -> None:
        from yuanmai.cockpit import enterprise_links  # noqa: F401  (registers what an enterprise's page shows)
