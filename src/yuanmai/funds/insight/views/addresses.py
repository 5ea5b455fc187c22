"""Private addresses of the repayment calendar, and the document behind them."""

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from yuanmai.core.api.problems import Problem
from yuanmai.core.api.throttle import check_rate
from yuanmai.core.figures import Query
from yuanmai.core.scope import open_scope
from yuanmai.core.web import page, public_page
from yuanmai.funds.insight import actions, feed, repayment
from yuanmai.funds.models import CalendarFeed
from yuanmai.funds.permissions import SEE_FUNDS
from yuanmai.people.addresses import client_address
from yuanmai.people.forms import take_errors


class AddressForm(forms.Form):
    """Who uses the address."""

    name = forms.CharField(
        max_length=80,
        label=gettext_lazy("Program or phone"),
        help_text=gettext_lazy(
            "The program or phone, so that you know which one to end later: my phone, Outlook at the office …"
        ),
    )


@page(SEE_FUNDS)
@never_cache
def addresses(request: HttpRequest) -> HttpResponse:
    """My private addresses; a new one is shown once."""
    form = AddressForm(request.POST or None)
    text = ""
    if request.method == "POST" and form.is_valid():
        try:
            _row, secret = actions.open_calendar(request.actor, **form.cleaned_data)  # type: ignore[attr-defined]
            text = request.build_absolute_uri(reverse("funds:calendar_feed", args=[secret]))
            form = AddressForm()
        except ValidationError as error:
            take_errors(form, error)
    context = {
        "form": form,
        "text": text,
        "rows": CalendarFeed.objects.filter(user_id=request.actor.user_id).order_by("-created_at"),  # type: ignore[attr-defined]
        "breadcrumbs": [
            {"label": _("Repayment calendar"), "url": reverse("funds:calendar")},
            {"label": _("In your own calendar"), "url": ""},
        ],
    }
    return render(request, "funds/insight/addresses.html", context, status=422 if form.errors else 200)


@page(SEE_FUNDS)
@require_POST
def end_address(request: HttpRequest, pk: int) -> HttpResponse:
    """End an address."""
    row = get_object_or_404(CalendarFeed, pk=pk, user_id=request.actor.user_id)  # type: ignore[attr-defined]
    actions.close_calendar(request.actor, row)  # type: ignore[attr-defined]
    messages.success(request, _("The address no longer works."))
    return redirect("funds:calendar_addresses")


@public_page(
    "a calendar program cannot sign in; the address carries a secret, and rights are checked at each fetch"
)
@require_GET
def calendar_feed(request: HttpRequest, text: str) -> HttpResponse:
    """The payments of the bonds that the owner of the address may see, as iCalendar."""
    address = client_address(request)
    actor = feed.actor_of(text, address)
    try:
        if actor is None:
            check_rate(f"bad-calendar:{address}", settings.API_BAD_TOKENS_PER_MINUTE)
            return _plain(404, _("There is no calendar at this address, or its owner has ended it."))
        check_rate(f"calendar:{text}", settings.API_RATE_PER_MINUTE)
    except Problem as problem:
        answer = _plain(429, problem.detail)
        answer.headers["Retry-After"] = problem.headers["Retry-After"]
        return answer
    if reason := actor.why_not(SEE_FUNDS):
        return _plain(403, reason)
    ids = tuple(sorted(actor.org_ids(SEE_FUNDS)))
    today = timezone.localdate()
    with open_scope(ids):
        found = repayment.repayers(Query(ids, today))
    site = request.build_absolute_uri(reverse("funds:calendar")) + "?year=%(year)s"
    body = feed.calendar_of(repayment.payments(found, planned=False), today, site)
    answer = HttpResponse(body, content_type="text/calendar; charset=utf-8")
    answer.headers["Content-Disposition"] = 'inline; filename="yuanmai.ics"'
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def _plain(status: int, text: str) -> HttpResponse:
    answer = HttpResponse(f"{text}\n", status=status, content_type="text/plain; charset=utf-8")
    answer.headers["Cache-Control"] = "private, no-store"
    return answer
