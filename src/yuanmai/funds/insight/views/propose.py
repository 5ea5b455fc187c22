"""The quota optimiser: a proposal that is computed again with every slider and every project dragged in or out.

Nothing is stored here. What is taken over leads to the allotment sheet, which has its own right and its own checks.
"""

from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from yuanmai.common.money import WAN
from yuanmai.core.web import page
from yuanmai.funds.engine.optimise import Aim
from yuanmai.funds.forms import percent_text
from yuanmai.funds.insight import pool, proposing
from yuanmai.funds.insight.forms import FREE, IN, OUT, PREFIX, WishForm
from yuanmai.funds.insight.proposing import LEAST, LOT, WEIGHTS, Answer
from yuanmai.funds.models import Reserve
from yuanmai.funds.permissions import ISSUE_BONDS, SEE_FUNDS
from yuanmai.funds.queries import ZERO
from yuanmai.funds.reserve.rules import rules_for


@page(SEE_FUNDS)
def optimiser(request: HttpRequest) -> HttpResponse:
    """The page with its first proposal; a POST answers with a new one (the fragment alone to a script)."""
    view = request.view  # type: ignore[attr-defined]
    query = view.query()
    rules = rules_for(view.org.id, view.as_of, view.known_at)
    offers = pool.offers(query)
    batches = [
        (offer.batch.id, f"{offer.name} · {proposing.money(offer.batch.available)}") for offer in offers
    ]
    asked = {"batches": batches, "terms": rules["permitted_terms"]}
    if request.method == "POST":
        form = WishForm(request.POST, **asked)
    else:
        form = WishForm(first_wish(query, view.org.id, [code for code, _name in batches]), **asked)
    valid = form.is_valid()
    context: dict[str, Any] = {"form": form, "aims": sliders(form), "weights_names": proposing.aim_names()}
    # What is fixed stays fixed while a field is being put right.
    context["fixes"] = (
        [] if valid else [(n, v) for n, v in form.data.items() if n.startswith(PREFIX) and v != FREE]
    )
    if valid:
        context |= shown(request, proposing.answer(query, view.org.id, form.wish()))
    fragment = request.headers.get("HX-Request") == "true"
    status = 200 if valid or fragment else 422
    template = "funds/insight/_proposal.html" if fragment else "funds/insight/propose.html"
    context["action"] = f"{reverse('funds:optimiser')}?{urlencode(view.parameters)}"
    context["breadcrumbs"] = [{"label": _("Quota optimiser"), "url": ""}]
    return render(request, template, context, status=status)


def first_wish(query: Any, org_id: int, batches: list[str]) -> dict[str, Any]:
    """Return what the form holds at first: all batches with something left, else an issue to come for half of the demand."""
    entrants = pool.entrants(query, "reviewed", (), LEAST)
    chosen = "reviewed" if entrants else "all"
    if not entrants:
        entrants = pool.entrants(query, "all", (), LEAST)
    demand = sum((entrant.candidate.limit for entrant in entrants), ZERO)
    amount, term, rate, day = proposing.usual_issue(query, org_id, demand)
    return {
        "pool": chosen,
        "quota": "",
        "lot": f"{LOT / WAN:f}",
        "least": percent_text(LEAST),
        "batch": batches,
        "amount": "" if batches else f"{(amount / WAN).normalize():f}",
        "term": term,
        "rate": percent_text(rate),
        "day": day.isoformat(),
        **{f"weight_{aim.value}": weight for aim, weight in WEIGHTS.items()},
    }


def sliders(form: WishForm) -> list[dict[str, Any]]:
    """Return the sliders of the aims."""
    names = proposing.aim_names()
    return [{"name": names[aim], "field": form[f"weight_{aim.value}"]} for aim in Aim]


def shown(request: HttpRequest, found: Answer) -> dict[str, Any]:
    """Return what the proposal's part of the page shows."""
    proposal = found.proposal
    names = proposing.aim_names()
    parts = proposing.parts_of(found)
    left = {row.candidate: row for row in proposal.left_out}
    entrants = sorted(
        found.entrants.values(), key=lambda e: (-proposal.amounts.get(e.uid, ZERO), e.reserve.name)
    )
    cards = [card(request, found, entrant.uid, parts, left) for entrant in entrants]
    allow = request.actor.why_not(ISSUE_BONDS)  # type: ignore[attr-defined]
    return {
        "answer": found,
        "summary": proposing.summary(found),
        "proven": proposal.proven,
        "chosen": [c for c in cards if c["amount"]],
        "others": [c for c in cards if not c["amount"]],
        "reached": [{"name": names[aim], "value": value} for aim, value in proposal.reached.items()],
        "refused": [
            {"name": found.name(row.candidate), "why": proposing.why_not(found, row)}
            for row in proposal.refused
        ],
        "conflict": sorted(found.name(uid) for uid in proposal.conflict),
        "take_over": [
            {
                "name": offer.name,
                "total": total,
                "waiting": waiting,
                "url": f"{reverse('funds:tranche_allot', args=[offer.batch.id])}?{urlencode({'effective_on': found.task.as_of.isoformat(), **values})}"
                if values
                else "",
                "count": len(values),
            }
            for offer, values, total, waiting in proposing.take_over(found)
        ],
        "why_no_take_over": allow or "",
        "choices": [(FREE, _("as it comes")), (IN, _("fixed in")), (OUT, _("fixed out"))],
    }


def card(request: HttpRequest, found: Answer, uid: str, parts: Any, left: Any) -> dict[str, Any]:
    """Return one project: what it gets or why not, and how it is fixed."""
    entrant, wish = found.entrants[uid], found.wish
    candidate = entrant.candidate
    row = left.get(uid)
    amount: Decimal = found.proposal.amounts.get(uid, ZERO)
    return {
        "uid": uid,
        "field": f"{PREFIX}{uid}",
        "name": entrant.reserve.name,
        "org": entrant.reserve.org.label,
        "state": Reserve.State(entrant.reserve.state_then).label,
        "url": f"{reverse('funds:reserve_record', args=[uid])}?{urlencode(request.view.parameters)}",  # type: ignore[attr-defined]
        "amount": amount,
        "limit": candidate.limit,
        "parts": [(offer.name, part) for offer, part in parts.get(uid, ())],
        "readiness": candidate.readiness,
        "coverage": candidate.coverage,
        "score": candidate.score,
        "deadline": candidate.deadline,
        "why": proposing.why_not(found, row) if row and not found.proposal.conflict else "",
        "why_code": row.why.value if row else "",
        "fix": IN if uid in wish.fixed_in else OUT if uid in wish.fixed_out else FREE,
    }
