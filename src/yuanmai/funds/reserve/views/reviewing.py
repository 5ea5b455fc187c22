"""The review of a reserve project by finance or development-reform."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from yuanmai.core.web import page
from yuanmai.funds.models import Review
from yuanmai.funds.permissions import SEE_FUNDS
from yuanmai.funds.reserve.actions import review_reserve, take_back_review
from yuanmai.funds.reserve.actions.reviewing import BODIES, why_no_review
from yuanmai.funds.reserve.forms import ReviewForm
from yuanmai.funds.reserve.queries import examine
from yuanmai.funds.reserve.rules import name_of
from yuanmai.funds.reserve.views.analysis import check_lines, coverage_cards, coverage_chart
from yuanmai.funds.reserve.views.record import readiness_bars
from yuanmai.funds.reserve.views.shared import shown
from yuanmai.funds.reserve.wording import gate_lines


@page(SEE_FUNDS)
def review(request: HttpRequest, uid: UUID, body: str) -> HttpResponse:
    """Eight headings with score and opinion, the gates beside them, and the verdict."""
    if body not in Review.Body.values:
        raise Http404
    which = Review.Body(body)
    found = shown(request, uid, "reviews")
    view, actor = request.view, request.actor  # type: ignore[attr-defined]
    actor.require(BODIES[which], found.reserve.org_id)
    if reason := why_no_review(found.reserve, body, actor):
        messages.error(request, reason)
        return HttpResponseRedirect(reverse("funds:reserve_reviews", args=[uid]))
    seen = examine(found.reserve, found.query)
    form = ReviewForm(request.POST or None, weights=seen.rules["review_headings"])
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        done = form.carry_out(
            lambda _ok: review_reserve(
                actor, found.reserve, body, view.as_of, form.headings(), values["verdict"], values["opinion"]
            )
        )
        if done is not None:
            messages.success(
                request,
                _("The review was recorded: %(verdict)s.") % {"verdict": done.get_verdict_display()},
            )
            return HttpResponseRedirect(reverse("funds:reserve_record", args=[uid]))
    gates = gate_lines(seen.gates)
    context = {
        **found.context,
        "body_label": which.label,
        "form": form,
        "gates": gates,
        "stops": [gate for gate in gates if gate["hard"] and not gate["passed"]],
        "cards": coverage_cards(seen)[:4],
        "chart": coverage_chart(seen.statement) if seen.statement.plan.years else None,
        "checks": check_lines(seen.checks, every=False),
        "bars": readiness_bars(seen),
        "least": seen.rules["review_pass_score"],
        "field_name": name_of("fields", found.reserve.field),
        "cancel_url": reverse("funds:reserve_record", args=[uid]),
    }
    return render(request, "funds/reserve/review.html", context, status=422 if form.errors else 200)


@page(SEE_FUNDS)
@require_POST
def take_back(request: HttpRequest, uid: UUID, pk: int) -> HttpResponse:
    """Take one's own review back, with a reason."""
    row = (
        Review.objects.select_related("reserve__org", "reserve__project")
        .filter(pk=pk, reserve__uid=uid)
        .first()
    )
    if row is None:
        raise Http404
    try:
        take_back_review(request.actor, row, request.view.as_of, request.POST.get("reason", ""))  # type: ignore[attr-defined]
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("The review was taken back."))
    return HttpResponseRedirect(reverse("funds:reserve_reviews", args=[uid]))
