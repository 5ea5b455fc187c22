"""Application entry of the places room."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PlacesConfig(AppConfig):
    """Where things are."""

    name = "yuanmai.places"
    label = "places"
    verbose_name = _("Places")
