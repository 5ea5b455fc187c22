"""The on-lending chain of a tranche: a picture, a table, passing on, taking back."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from yuanmai.common.money import yuan_text
from yuanmai.core.figures.display import chinese
from yuanmai.core.web import page
from yuanmai.funds.issuing.actions import lend_on, take_back_on_lending
from yuanmai.funds.issuing.chain import Link, chain_of
from yuanmai.funds.issuing.forms import LendForm
from yuanmai.funds.issuing.picture import Node, Picture, picture
from yuanmai.funds.issuing.views.shared import answer, header, issuing_orgs, query_of, tranche_or_404
from yuanmai.funds.models import OnLending
from yuanmai.funds.permissions import ISSUE_BONDS, SEE_FUNDS
from yuanmai.funds.queries import standing
from yuanmai.people.models import Organisation


def drawn(links: list[Link]) -> Picture | None:
    """Return the chain as a picture, None where nothing was passed on."""
    if len(links) < 2:
        return None
    nodes = [
        Node(
            link.org.pk,
            link.lender.pk if link.lender else None,
            link.org.label,
            link.received,
            yuan_text(link.received, chinese=chinese()),
        )
        for link in links
    ]
    return picture(nodes)


@page(SEE_FUNDS)
def chain(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Who received what of a tranche from whom, passed it on, and gave it to projects; and the form to pass it on."""
    tranche = tranche_or_404(uid)
    actor, view = request.actor, request.view  # type: ignore[attr-defined]
    query = replace(query_of(request), org_ids=tuple(actor.org_ids(SEE_FUNDS)))
    links = chain_of(tranche, query)
    orgs = issuing_orgs(request)
    lenders = [(link.org.pk, link.org.label) for link in links if link.org.pk in dict(orgs)]
    form = None
    if lenders:
        form = LendForm(
            request.POST or None,
            lenders=lenders,
            borrowers=orgs,
            initial={"effective_on": max(view.as_of, tranche.value_date)},
        )
    if request.method == "POST":
        actor.require(ISSUE_BONDS)
        if form is None:
            raise Http404
        saved = None
        if form.is_valid():
            values = form.cleaned_data
            saved = form.carry_out(lambda _ok: _lend(actor, tranche, values))
        if saved is not None:
            messages.success(request, _("The on-lending was recorded."))
            return HttpResponseRedirect(reverse("funds:tranche_chain", args=[uid]))
    rows = OnLending.objects.filter(standing(query), tranche=tranche)
    context = {
        **header(request, tranche, "chain"),
        "links": links,
        "picture": drawn(links),
        "form": form,
        "rows": [
            (row, actor.why_not(ISSUE_BONDS, row.lender_id) is None)
            for row in rows.select_related("org", "lender", "recorded_by").order_by("effective_on", "id")
        ],
    }
    wrong = form is not None and bool(form.errors)
    return render(request, "funds/issuing/chain.html", context, status=422 if wrong else 200)


def _lend(actor: Any, tranche: Any, values: dict[str, Any]) -> OnLending:
    bodies = Organisation.objects.in_bulk([values["lender"], values["borrower"]])
    return lend_on(
        actor,
        tranche,
        bodies[values["lender"]],
        bodies[values["borrower"]],
        values["amount"],
        values["effective_on"],
        agreement=values["agreement"],
    )


@page(ISSUE_BONDS)
@require_POST
def take_back(request: HttpRequest, uid: UUID, pk: int) -> HttpResponse:
    """Take back an on-lending, with a reason."""
    row = OnLending.objects.select_related("tranche", "org").filter(pk=pk, tranche__uid=uid).first()
    if row is None:
        raise Http404
    reason, actor = request.POST.get("reason", ""), request.actor  # type: ignore[attr-defined]
    return answer(
        request,
        _("Taken back. It stays in the history, struck out."),
        reverse("funds:tranche_chain", args=[uid]),
        lambda: take_back_on_lending(actor, row, reason),
    )
