"""Addresses of following the yuan, the repayment calendar and the quota optimiser."""

from django.urls import URLPattern, path

from yuanmai.funds.insight.views import addresses, calendar, follow, propose

urlpatterns: list[URLPattern] = [
    path("follow/", follow.follow, name="follow"),
    path("optimiser/", propose.optimiser, name="optimiser"),
    path("calendar/", calendar.calendar, name="calendar"),
    path("calendar/addresses/", addresses.addresses, name="calendar_addresses"),
    path("calendar/addresses/<int:pk>/end/", addresses.end_address, name="calendar_address_end"),
    path("calendar/feed/<slug:text>.ics", addresses.calendar_feed, name="calendar_feed"),
]
