"""Application entry of the people room."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PeopleConfig(AppConfig):
    """Organisations and users."""

    name = "yuanmai.people"
    label = "people"
    verbose_name = _("Organisations and users")

    def ready(self) -> None:
        from yuanmai.people import receivers  # noqa: F401  (connects them)
