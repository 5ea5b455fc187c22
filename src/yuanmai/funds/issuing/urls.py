"""Addresses of quota, tranches, allotment, on-lending and debt service."""

from django.urls import URLPattern, path

from yuanmai.funds.issuing.views import allotment, chain, debt, project, quota, service, tranches

urlpatterns: list[URLPattern] = [
    path("", tranches.index, name="tranches"),
    path("new/", tranches.create, name="tranche_new"),
    path("hint/", tranches.hint, name="tranche_hint"),
    path("quota/", quota.index, name="quotas"),
    path("quota/<int:pk>/take-back/", quota.take_back, name="quota_take_back"),
    path("service/", debt.years, name="debt_service"),
    path("service/dates/", debt.dates, name="payment_dates"),
    path("service/coverage/", debt.coverage, name="coverage"),
    path("projects/<uuid:uid>/", project.bonds, name="debt_service_project"),
    path("undo/<str:token>/", allotment.undo, name="allotments_undo"),
    path("<uuid:uid>/", tranches.record, name="tranche"),
    path("<uuid:uid>/edit/", tranches.edit, name="tranche_edit"),
    path("<uuid:uid>/remove/", tranches.remove, name="tranche_remove"),
    path("<uuid:uid>/service/", service.service, name="tranche_service"),
    path("<uuid:uid>/chain/", chain.chain, name="tranche_chain"),
    path("<uuid:uid>/chain/<int:pk>/take-back/", chain.take_back, name="on_lending_take_back"),
    path("<uuid:uid>/allot/", allotment.sheet, name="tranche_allot"),
    path("<uuid:uid>/left/", allotment.left, name="tranche_left"),
    path("<uuid:uid>/allotments/<int:pk>/take-back/", allotment.take_back, name="allotment_take_back"),
    path("<uuid:uid>/redeem/", allotment.redeem, name="tranche_redeem"),
    path(
        "<uuid:uid>/redemptions/<int:pk>/take-back/",
        allotment.take_back_redeemed,
        name="redemption_take_back",
    ),
]
