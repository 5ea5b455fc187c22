"""The debt service of one tranche: its payment dates and what is due in each year."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from yuanmai.common.working_days import china
from yuanmai.core.web import page
from yuanmai.funds.engine.bonds.schedule import flows
from yuanmai.funds.engine.bonds.service import by_year, total
from yuanmai.funds.issuing.debt import merge_redemptions
from yuanmai.funds.issuing.service import engine_terms
from yuanmai.funds.issuing.views.shared import header, query_of, tranche_or_404, yi
from yuanmai.funds.models import EarlyRedemption
from yuanmai.funds.permissions import SEE_FUNDS


@page(SEE_FUNDS)
def service(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Every payment of a tranche: the day it is due, the working day it is made on, interest, principal, what is left."""
    tranche, query, calendar = tranche_or_404(uid), query_of(request), china()
    early = EarlyRedemption.objects.filter(tranche=tranche, retracted_at=None)
    redemptions = merge_redemptions(early.values_list("effective_on", "amount"))
    rows = flows(engine_terms(tranche, tranche.amount, redemptions))
    years = by_year(rows)
    coming = next((row for row in rows if row.date >= query.as_of), None)
    context: dict[str, Any] = {
        **header(request, tranche, "service"),
        "rows": [
            {
                "row": row,
                "pay": calendar.on_or_after(row.date),
                "shifted": calendar.on_or_after(row.date) != row.date,
                "known": calendar.known(row.date),
                "past": row.date < query.as_of,
                "next": row is coming,
            }
            for row in rows
        ],
        "whole": total(years),
        "chart": {
            "type": "bar",
            "stack": True,
            "axis": _("Year"),
            "unit": _("100 million yuan"),
            "categories": [str(year) for year in years],
            "series": [
                {"name": _("Interest"), "tone": "warning", "data": [yi(s.interest) for s in years.values()]},
                {
                    "name": _("Principal"),
                    "tone": "primary",
                    "data": [yi(s.principal) for s in years.values()],
                },
            ],
        },
        "last_known": calendar.last_year,
    }
    return render(request, "funds/issuing/tranche_service.html", context)
