"""Addresses of what moves by itself."""

from django.urls import path

from yuanmai.devices.live import views

urlpatterns = [
    path("live/poll/", views.live_poll, name="live_poll"),
]
