"""Addresses of the ground floor."""

from django.conf import settings
from django.urls import include, path

from yuanmai.core.saved import views as saved
from yuanmai.core.web import views

app_name = "core"
urlpatterns = [
    path("context/", views.change_context, name="context"),
    path("views/save/", saved.save, name="save_view"),
    path("views/<int:pk>/delete/", saved.delete, name="delete_view"),
    path("manage/audit/", include("yuanmai.core.audit.urls")),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("metrics", views.metrics, name="metrics"),
]

if settings.DEBUG:
    from yuanmai.core.web.styleguide import styleguide

    urlpatterns += [path("styleguide/", styleguide, name="styleguide")]
