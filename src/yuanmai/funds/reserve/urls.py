"""Addresses of this part of the funds room."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
