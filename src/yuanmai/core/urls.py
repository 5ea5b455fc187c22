"""Addresses of the ground floor."""

from django.urls import path

from yuanmai.core.web import views

app_name = "core"
urlpatterns = [
    path("context/", views.change_context, name="context"),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
]
