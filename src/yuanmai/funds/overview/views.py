"""The first page of special bonds: its figures, the reserve by state, the way of the money by tranche, open findings."""

from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from yuanmai.common.money import YI
from yuanmai.core.figures import Group, Query, breakdown, evaluate_many, get
from yuanmai.core.figures.display import display
from yuanmai.core.figures.links import figure_url
from yuanmai.core.findings import KINDS, Finding
from yuanmai.core.web import page
from yuanmai.funds.models import Reserve
from yuanmai.funds.permissions import SEE_FUNDS

FIGURES = (
    "bonds.reserve_count", "bonds.applied_count", "bonds.approved", "bonds.issued",
    "bonds.paid_out", "bonds.payout_rate", "bonds.spent", "bonds.spending_rate", "bonds.idle", "bonds.coverage",
)  # fmt: skip
WAY = (("bonds.issued", "primary"), ("bonds.paid_out", "info"), ("bonds.spent", "success"))
FINDINGS = 6


def _yi(value: Decimal | None) -> Decimal:
    return ((value or Decimal(0)) / YI).quantize(Decimal("0.0001"))


@page(SEE_FUNDS)
def index(request: HttpRequest) -> HttpResponse:
    """Show the special bonds of the chosen organisation; every number opens to its rows."""
    view = request.view  # type: ignore[attr-defined]
    query = view.query()
    results = evaluate_many(FIGURES, query)
    frame = urlencode(view.parameters)
    findings = _findings(query)
    context = {
        "figures": [
            {"label": get(c).name, "display": display(get(c), r), "url": figure_url(c, view)}
            for c, r in results.items()
        ],
        "way": _way(query, view),
        "stages": _stages(query, view),
        "by_place": _by_place(query, view),
        "findings": findings,
        "findings_url": f"{reverse('cockpit:findings')}?{frame}",
        "empty": not results["bonds.issued"].value
        and not results["bonds.reserve_count"].value
        and not results["bonds.applied_count"].value,
        "frame": frame,
    }
    return render(request, "funds/overview/index.html", context)


def _values(groups: list[Group], order: list[str]) -> list[Decimal]:
    found = {group.value: _yi(group.result.value) for group in groups}
    return [found.get(value, Decimal(0)) for value in order]


def _way(query: Query, view: Any) -> dict[str, Any] | None:
    """Issued, paid out and spent of every tranche, side by side; the newest twelve."""
    split = {code: breakdown(code, query, "tranche") for code, _tone in WAY}
    tranches = [group.value for group in split["bonds.issued"]][-12:]
    if not tranches:
        return None
    return {
        "type": "bar",
        "horizontal": True,
        "axis": _("Tranche"),
        "unit": _("100 million yuan"),
        "categories": tranches,
        "series": [
            {"name": str(get(code).name), "tone": tone, "data": _values(split[code], tranches)}
            for code, tone in WAY
        ],
        "urls": [figure_url("bonds.issued", view, tranche=code) for code in tranches],
    }


def _stages(query: Query, view: Any) -> dict[str, Any] | None:
    """What reserve projects ask for, by where they stand in their life."""
    groups = breakdown("bonds.requested", query, "state")
    present = {group.value for group in groups}
    states = [state for state in Reserve.State.values if state in present]
    if not states:
        return None
    return {
        "type": "bar",
        "axis": _("State"),
        "unit": _("100 million yuan"),
        "categories": [str(Reserve.State(state).label) for state in states],
        "series": [
            {"name": str(get("bonds.requested").name), "tone": "primary", "data": _values(groups, states)}
        ],
        "urls": [figure_url("bonds.requested", view, state=state) for state in states],
    }


def _by_place(query: Query, view: Any) -> list[dict[str, Any]]:
    """One line for each organisation below, where there is more than one."""
    codes = ("bonds.approved", "bonds.issued", "bonds.paid_out", "bonds.payout_rate")
    split = {code: {group.value: group for group in breakdown(code, query, "organisation")} for code in codes}
    places = {value: group.label for groups in split.values() for value, group in groups.items()}
    if len(places) < 2:
        return []
    return [
        {
            "name": label,
            "cells": [
                {
                    "display": display(get(code), split[code][place].result) if place in split[code] else "–",
                    "url": figure_url(code, view, organisation=place),
                }
                for code in codes
            ],
        }
        for place, label in sorted(places.items(), key=lambda item: str(item[1]))
    ]


def _findings(query: Query) -> list[dict[str, Any]]:
    """The newest open findings of bonds and payments."""
    kinds = [code for code in KINDS if code.startswith(("funds.", "bonds."))]
    rows = Finding.objects.filter(
        org_id__in=query.org_ids, kind__in=kinds, state=Finding.State.OPEN, effective_on__lte=query.as_of
    ).select_related("org")
    return [
        {"finding": row, "url": reverse("cockpit:finding", args=[row.pk])}
        for row in rows.order_by("severity", "-effective_on", "-id")[:FINDINGS]
    ]
