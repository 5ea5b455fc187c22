"""Addresses of rules and alarms, under devices/rules/."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
