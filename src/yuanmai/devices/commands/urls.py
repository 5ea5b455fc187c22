"""Addresses of commands."""

from django.urls import URLPattern, path

from yuanmai.devices.commands import views

urlpatterns: list[URLPattern] = [
    path("", views.index, name="commands"),
    path("new/<int:pk>/", views.create, name="command_new"),
    path("<uuid:uid>/", views.record, name="command"),
    path("<uuid:uid>/cancel/", views.cancel, name="command_cancel"),
]
