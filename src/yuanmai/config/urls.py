"""Addresses of the whole program; each room brings its own."""

from django.urls import include, path
from django.views.i18n import set_language

from yuanmai.config.api import api
from yuanmai.core.web import errors

urlpatterns = [
    path("language/", set_language, name="set_language"),
    path("", include("yuanmai.core.urls")),
    path("", include("yuanmai.cockpit.urls")),
    path("", include("yuanmai.people.urls")),
    path("places/", include("yuanmai.places.urls")),
    path("enterprises/", include("yuanmai.enterprises.urls")),
    path("projects/", include("yuanmai.projects.urls")),
    path("funds/", include("yuanmai.funds.urls")),
    path("api/v1/", api.urls),
]

handler400 = errors.bad_request
handler403 = errors.denied
handler404 = errors.not_found
handler500 = errors.broken
