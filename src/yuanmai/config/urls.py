"""Addresses of the whole program; each room brings its own."""

from django.urls import include, path
from django.views.i18n import set_language

from yuanmai.config.api import api, openapi, reference
from yuanmai.core.api.problems import for_programs
from yuanmai.core.web import errors

urlpatterns = [
    path("language/", set_language, name="set_language"),
    path("", include("yuanmai.core.urls")),
    path("", include("yuanmai.cockpit.urls")),
    path("", include("yuanmai.people.urls")),
    path("jobs/", include("yuanmai.core.jobs.urls")),
    path("import/", include("yuanmai.core.workbooks.urls")),
    path("places/", include("yuanmai.places.urls")),
    path("enterprises/", include("yuanmai.enterprises.urls")),
    path("projects/", include("yuanmai.projects.urls")),
    path("funds/", include("yuanmai.funds.urls")),
    path("devices/", include("yuanmai.devices.urls")),
    path("api/v1/openapi.json", openapi, name="openapi"),
    path("api/v1/docs/", reference, name="api_reference"),
    path("api/v1/", api.urls),
]

handler400 = for_programs(errors.bad_request)
handler403 = for_programs(errors.denied)
handler404 = for_programs(errors.not_found)
handler500 = for_programs(errors.broken)
