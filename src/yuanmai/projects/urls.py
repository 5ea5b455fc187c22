"""Addresses of the projects room."""

from django.urls import path

from yuanmai.projects import views

app_name = "projects"
urlpatterns = [
    path("", views.library, name="library"),
    path("<uuid:uid>/", views.record, name="record"),
]
