"""My subscriptions: what comes by mail, and my to-dos in a calendar program."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import Resolver404, resolve, reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from yuanmai.core.api.problems import Problem
from yuanmai.core.api.throttle import check_rate
from yuanmai.core.figures import FIGURES
from yuanmai.core.permissions import SEE_FIGURES
from yuanmai.core.saved.digests import DIGESTS
from yuanmai.core.saved.models import SavedView
from yuanmai.core.scope import open_scope
from yuanmai.core.todo import todos
from yuanmai.core.web import page, public_page
from yuanmai.people import actions
from yuanmai.people.addresses import client_address
from yuanmai.people.forms import take_errors
from yuanmai.people.models import Subscription
from yuanmai.people.subscription_documents import calendar_owner, todo_calendar


class CalendarForm(forms.Form):
    """Who uses the address."""

    name = forms.CharField(
        max_length=80,
        label=gettext_lazy("Name"),
        help_text=gettext_lazy("The program or phone, so that you know later which address to end."),
    )


class MailForm(forms.Form):
    """What shall be sent, how often, for which organisation."""

    what = forms.ChoiceField(label=gettext_lazy("Saved view or figure"))
    org = forms.ChoiceField(label=gettext_lazy("Organisation"))
    every = forms.ChoiceField(label=gettext_lazy("How often"), choices=Subscription.Every.choices)

    def __init__(self, data: Any, request: HttpRequest) -> None:
        super().__init__(data)
        actor, view = request.actor, request.view  # type: ignore[attr-defined]
        self.views = {f"view-{row.pk}": row for row in _views(request)}
        figures = [
            (f"figure-{code}", str(figure.name))
            for code, figure in FIGURES.items()
            if not figure.permission or actor.why_not(figure.permission) is None
        ]
        what, org = self.fields["what"], self.fields["org"]
        assert isinstance(what, forms.ChoiceField) and isinstance(org, forms.ChoiceField)
        own = [(key, row.name) for key, row in self.views.items()]
        what.choices = [(_("Saved views"), own)] * bool(own) + [(_("Figures"), figures)]
        org.choices = [(str(each.id), each.name) for each in view.orgs]
        if view.org:
            org.initial = str(view.org.id)


def _views(request: HttpRequest) -> list[SavedView]:
    """The saved views that can be told in a mail: one's own and the shared ones of the data scope."""
    visible = [org.id for org in request.view.orgs]  # type: ignore[attr-defined]
    rows = SavedView.objects.filter(Q(user_id=request.user.pk) | Q(shared=True, org_id__in=visible))
    return [row for row in rows if _told(row.path)]


def _told(path: str) -> bool:
    try:
        return resolve(path).view_name in DIGESTS
    except Resolver404:
        return False


@page(SEE_FIGURES)
@never_cache
def index(request: HttpRequest) -> HttpResponse:
    """My subscriptions; the address of a new calendar is shown once."""
    actor = request.actor  # type: ignore[attr-defined]
    wanted = request.POST.get("do", "") if request.method == "POST" else ""
    calendar_form = CalendarForm(request.POST if wanted == "calendar" else None)
    mail_form = MailForm(request.POST if wanted == "mail" else None, request)
    text = ""
    try:
        if wanted == "calendar" and calendar_form.is_valid():
            _row, secret = actions.subscribe_calendar(actor, **calendar_form.cleaned_data)
            text = request.build_absolute_uri(reverse("people:todo_calendar", args=[secret]))
            calendar_form = CalendarForm()
        elif wanted == "mail" and settings.EMAIL_HOST and mail_form.is_valid():
            data = mail_form.cleaned_data
            view = mail_form.views.get(data["what"])
            figure = data["what"].removeprefix("figure-") if view is None else ""
            actions.subscribe_by_mail(
                actor, every=data["every"], org_id=int(data["org"]), view=view, figure=figure
            )
            messages.success(
                request, _("Subscribed. The first mail comes tomorrow or on Monday, from seven.")
            )
            return redirect("people:subscriptions")
    except ValidationError as error:
        take_errors(calendar_form if wanted == "calendar" else mail_form, error)
    rows = Subscription.objects.filter(user_id=actor.user_id).select_related("org", "view")
    context = {
        "rows": rows,
        "text": text,
        "calendar_form": calendar_form,
        "mail_form": mail_form,
        "mail_works": bool(settings.EMAIL_HOST),
        "address": actor.user.email,
        "breadcrumbs": [
            {"label": _("My account"), "url": reverse("people:me")},
            {"label": _("Subscriptions"), "url": ""},
        ],
    }
    status = 422 if calendar_form.errors or mail_form.errors else 200
    return render(request, "people/subscriptions.html", context, status=status)


@page(SEE_FIGURES)
@require_POST
def end(request: HttpRequest, pk: int) -> HttpResponse:
    """End a subscription."""
    row = get_object_or_404(Subscription, pk=pk, user_id=request.user.pk)
    actions.end_subscription(request.actor, row)  # type: ignore[attr-defined]
    messages.success(request, _("The subscription has ended."))
    return redirect("people:subscriptions")


@public_page(
    "a calendar program cannot sign in; the address carries a secret, and rights are checked at each fetch"
)
@require_GET
def calendar(request: HttpRequest, text: str) -> HttpResponse:
    """The to-dos with a deadline of the owner of the address, as iCalendar."""
    address, now = client_address(request), timezone.now()
    found = calendar_owner(text, address, now)
    try:
        if found is None:
            check_rate(f"bad-calendar:{address}", settings.API_BAD_TOKENS_PER_MINUTE)
            return _plain(404, _("There is no calendar at this address, or its owner has ended it."))
        row, actor = found
        check_rate(f"calendar:{row.pk}", settings.API_RATE_PER_MINUTE)
    except Problem as problem:
        answer = _plain(429, problem.detail)
        answer.headers["Retry-After"] = "60"
        return answer
    with translation.override(row.language), open_scope(actor.org_ids()):
        items = todos(actor, timezone.localdate(now))
        body = todo_calendar(items, now, request.build_absolute_uri("/"))
    answer = HttpResponse(body, content_type="text/calendar; charset=utf-8")
    answer.headers["Content-Disposition"] = 'inline; filename="yuanmai.ics"'
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def _plain(status: int, text: str) -> HttpResponse:
    answer = HttpResponse(f"{text}\n", status=status, content_type="text/plain; charset=utf-8")
    answer.headers["Cache-Control"] = "private, no-store"
    return answer
