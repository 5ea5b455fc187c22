"""Entries of the places room on the left."""

from django.utils.translation import gettext_lazy as _

from yuanmai.core.web.navigation import NavItem, nav
from yuanmai.places.permissions import SEE_PLACES

nav(NavItem("home", _("Map"), "places:map", "map-2", SEE_PLACES, 40))
nav(
    NavItem(
        "run", _("Parks and space"), "places:index", "building-factory-2", SEE_PLACES, 10, "/places/list/"
    )
)
