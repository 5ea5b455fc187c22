"""The address of the first page of special bonds."""

from django.urls import URLPattern, path

from yuanmai.funds.overview import views

urlpatterns: list[URLPattern] = [path("", views.index, name="bonds")]
