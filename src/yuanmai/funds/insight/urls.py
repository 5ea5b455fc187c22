"""Addresses of following the yuan, the repayment calendar and the quota optimiser."""

from django.urls import URLPattern, path

from yuanmai.funds.insight.views import follow

urlpatterns: list[URLPattern] = [
    path("follow/", follow.follow, name="follow"),
]
