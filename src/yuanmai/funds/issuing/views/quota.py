"""Quota by place and year: what is stated, used and left, and the statements behind it."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from yuanmai.core.web import page
from yuanmai.funds.issuing.actions import state_quota, take_back_quota
from yuanmai.funds.issuing.forms import QuotaForm
from yuanmai.funds.issuing.queries import quotas
from yuanmai.funds.issuing.quota_use import Used, used_quotas
from yuanmai.funds.issuing.views.shared import answer, framed, issuing_orgs, query_of, yi
from yuanmai.funds.models import Quota
from yuanmai.funds.permissions import ISSUE_BONDS, SEE_FUNDS
from yuanmai.people.models import Organisation


@page(SEE_FUNDS)
def index(request: HttpRequest) -> HttpResponse:
    """The quota of every place of the chosen organisation for a year, with what is used and left."""
    view, actor = request.view, request.actor  # type: ignore[attr-defined]
    query = query_of(request)
    rows = used_quotas(query)
    years = sorted({row.quota.year for row in rows} | {view.as_of.year}, reverse=True)
    asked = request.GET.get("year", "")
    year = int(asked) if asked.isdigit() and len(asked) == 4 else years[0]
    orgs = issuing_orgs(request)
    form = None
    if orgs:
        initial = {
            "year": view.as_of.year,
            "effective_on": view.as_of,
            "org": view.org.id if view.org else None,
        }
        form = QuotaForm(request.POST or None, orgs=orgs, initial=initial)
    if request.method == "POST":
        actor.require(ISSUE_BONDS)
        if form is None:
            raise Http404
        if form.is_valid() and (saved := form.carry_out(lambda ok: _state(actor, form.cleaned_data, ok))):
            messages.success(request, _("The quota was saved."))
            return HttpResponseRedirect(framed(request, "funds:quotas", year=str(saved.year)))
    shown = [row for row in rows if row.quota.year == year]
    top = min((row.depth for row in shown), default=0)
    allowed = actor.org_ids(ISSUE_BONDS)
    context = {
        "rows": [(row, row.depth - top) for row in shown],
        "year": year,
        "tabs": [
            {"label": str(y), "url": framed(request, "funds:quotas", year=str(y)), "active": y == year}
            for y in years
        ],
        "chart": _chart(shown) if shown else None,
        "statements": [
            (row, row.org_id in allowed)
            for row in quotas(query).filter(year=year).select_related("org", "recorded_by")
        ],
        "form": form,
        "breadcrumbs": [
            {"label": _("Bonds and tranches"), "url": framed(request, "funds:tranches")},
            {"label": _("Quota"), "url": ""},
        ],
    }
    wrong = form is not None and bool(form.errors)
    return render(request, "funds/issuing/quotas.html", context, status=422 if wrong else 200)


def _state(actor: Any, values: dict[str, Any], confirmed: bool) -> Quota:
    org = Organisation.objects.get(pk=values["org"])
    return state_quota(
        actor,
        org,
        values["year"],
        values["amount"],
        values["effective_on"],
        document=values["document"],
        confirmed=confirmed,
    )


def _chart(rows: list[Used]) -> dict[str, Any]:
    return {
        "type": "bar",
        "stack": True,
        "horizontal": True,
        "axis": _("Place"),
        "unit": _("100 million yuan"),
        "categories": [row.quota.org.label for row in rows],
        "series": [
            {"name": _("Used"), "tone": "primary", "data": [yi(row.used) for row in rows]},
            {
                "name": _("Left"),
                "tone": "secondary",
                "data": [yi(max(row.left, 0 * row.left)) for row in rows],
            },
        ],
    }


@page(ISSUE_BONDS)
@require_POST
def take_back(request: HttpRequest, pk: int) -> HttpResponse:
    """Take back a statement of quota, with a reason."""
    quota = Quota.objects.select_related("org").filter(pk=pk).first()
    if quota is None:
        raise Http404
    reason, actor = request.POST.get("reason", ""), request.actor  # type: ignore[attr-defined]
    return answer(
        request,
        _("Taken back. It stays in the history, struck out."),
        f"{reverse('funds:quotas')}?year={quota.year}",
        lambda: take_back_quota(actor, quota, reason),
    )
