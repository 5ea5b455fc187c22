"""Allotting a tranche to several projects at once, early redemption, and taking either back."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core import signing
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from yuanmai.core.web import page
from yuanmai.funds.issuing.actions import (
    Line,
    allot,
    redeem_early,
    take_back_allotments,
    take_back_redemption,
)
from yuanmai.funds.issuing.ceilings import ceilings
from yuanmai.funds.issuing.forms import AllotForm, LineForm, RedeemForm
from yuanmai.funds.issuing.queries import tranches_of
from yuanmai.funds.issuing.sheet import Candidate, candidates
from yuanmai.funds.issuing.views.shared import answer, framed, names_of, query_of, tranche_or_404
from yuanmai.funds.models import Allotment, EarlyRedemption, Tranche
from yuanmai.funds.permissions import ISSUE_BONDS
from yuanmai.funds.queries import ZERO
from yuanmai.projects.models import Project

SALT, UNDO_SECONDS = "funds.allotment", 30 * 24 * 3600


def _lines(request: HttpRequest, rows: list[Candidate]) -> list[tuple[Candidate, LineForm]]:
    data = (
        request.POST if request.method == "POST" else (request.GET if "effective_on" in request.GET else None)
    )
    return [(row, LineForm(data, prefix=f"p{row.state.project_id}", name=row.state.name)) for row in rows]


@page(ISSUE_BONDS)
def sheet(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Allot a tranche: every approved project is a line, what is left is shown while one types."""
    tranche = tranche_or_404(uid)
    request.actor.require(ISSUE_BONDS, tranche.org_id)  # type: ignore[attr-defined]
    view, text = request.view, request.GET.get("q", "").strip()  # type: ignore[attr-defined]
    query = query_of(request)
    rows = candidates(tranche, query, text)
    form = AllotForm(request.POST or None, initial={"effective_on": max(view.as_of, tranche.value_date)})
    lines = _lines(request, rows)
    if request.method == "POST" and form.is_valid() and all(each.is_valid() for _row, each in lines):
        made = _carry_out(request, tranche, form, lines)
        if made is not None:
            token = signing.dumps([row.pk for row in made], salt=SALT)
            undo = reverse("funds:allotments_undo", args=[token])
            text = ngettext(
                "%(n)s project was given money of the tranche.",
                "%(n)s projects were given money of the tranche.",
                len(made),
            ) % {"n": len(made)}
            messages.success(request, text, extra_tags=f"undo={undo}")
            return HttpResponseRedirect(reverse("funds:tranche", args=[uid]))
    wrong = bool(form.errors) or (request.method == "POST" and any(each.errors for _row, each in lines))
    context = {
        "tranche": tranche,
        "form": form,
        "lines": lines,
        "text": text,
        "left": _left(tranche, lines, wrong),
        "left_url": reverse("funds:tranche_left", args=[uid]),
        "cancel_url": framed(request, "funds:tranche", uid),
        "breadcrumbs": [
            {"label": _("Bonds and tranches"), "url": framed(request, "funds:tranches")},
            {"label": tranche.code, "url": framed(request, "funds:tranche", uid)},
            {"label": _("Allot"), "url": ""},
        ],
    }
    return render(request, "funds/issuing/allot.html", context, status=422 if wrong else 200)


def _carry_out(
    request: HttpRequest, tranche: Tranche, form: AllotForm, lines: list[tuple[Candidate, LineForm]]
) -> list[Allotment] | None:
    """Run the action; a fault of a line is shown at that line."""
    stated = [(row, each) for row, each in lines if each.cleaned_data.get("amount")]
    values = form.cleaned_data

    def call(confirmed: bool) -> list[Allotment]:
        try:
            return allot(
                request.actor,  # type: ignore[attr-defined]
                tranche,
                values["effective_on"],
                [
                    Line(row.state.project, each.cleaned_data["amount"], each.cleaned_data["replace"])
                    for row, each in stated
                ],
                document=values["document"],
                beyond_quota=values["beyond_quota"],
                confirmed=confirmed,
            )
        except ValidationError as error:
            if not hasattr(error, "error_dict"):
                raise
            faults = error.error_dict
            named = {name: texts for name, texts in faults.items() if name.startswith("line_")}
            if not named:
                raise
            rest: dict[str, Any] = {name: texts for name, texts in faults.items() if name not in named}
            for name, texts in named.items():
                row, each = stated[int(name.removeprefix("line_"))]
                each.add_error("amount", texts)
                rest.setdefault("__all__", []).extend(
                    [f"{row.state.name}: {message}" for fault in texts for message in fault.messages]
                )
            raise type(error)(rest) from None

    return form.carry_out(call)


def _left(tranche: Tranche, lines: list[tuple[Candidate, LineForm]], checked: bool) -> dict[str, Any]:
    """Return what is left of the tranche, and of the quotas above the projects, with what is typed taken off."""
    wanted: dict[str, Decimal] = {}
    for row, each in lines:
        if each.is_bound and each.is_valid() and each.cleaned_data.get("amount"):
            path = row.state.org.path
            wanted[path] = wanted.get(path, ZERO) + each.cleaned_data["amount"]
    typed = sum(wanted.values(), ZERO)
    left = tranche.amount - tranche.allotted
    quotas = [
        {
            "place": ceiling.org.label,
            "left": ceiling.left,
            "after": ceiling.left
            - sum((amount for below, amount in wanted.items() if below.startswith(path)), ZERO),
        }
        for path, ceiling in sorted(
            ceilings({row.state.org.path for row, _each in lines}, tranche.value_date.year).items()
        )
    ]
    return {"left": left, "typed": typed, "after": left - typed, "quotas": quotas, "checked": checked}


@page(ISSUE_BONDS)
def left(request: HttpRequest, uid: UUID) -> HttpResponse:
    """What would be left after what is typed: a fragment of the sheet."""
    tranche = tranche_or_404(uid)
    lines = _lines(request, candidates(tranche, query_of(request)))
    return render(request, "funds/issuing/_left.html", {"left": _left(tranche, lines, False)})


@page(ISSUE_BONDS)
@require_POST
def undo(request: HttpRequest, token: str) -> HttpResponse:
    """Take back the allotments that a message offered to undo."""
    try:
        ids = signing.loads(token, salt=SALT, max_age=UNDO_SECONDS)
    except signing.BadSignature:
        raise Http404 from None
    rows = list(Allotment.objects.select_related("tranche").filter(pk__in=ids))
    if not rows:
        raise Http404
    target = reverse("funds:tranche", args=[rows[0].tranche.uid])
    return _take_back(request, rows, _("Undone right after saving"), target)


@page(ISSUE_BONDS)
@require_POST
def take_back(request: HttpRequest, uid: UUID, pk: int) -> HttpResponse:
    """Take back one allotment, with a reason."""
    rows = list(Allotment.objects.select_related("tranche").filter(pk=pk, tranche__uid=uid))
    if not rows:
        raise Http404
    reason = request.POST.get("reason", "")
    return _take_back(request, rows, reason, reverse("funds:tranche", args=[uid]))


def _take_back(request: HttpRequest, rows: list[Allotment], reason: str, target: str) -> HttpResponse:
    actor = request.actor  # type: ignore[attr-defined]
    done = _("Taken back. It stays in the history, struck out.")
    return answer(request, done, target, lambda: take_back_allotments(actor, rows, reason))


@page(ISSUE_BONDS)
def redeem(request: HttpRequest, uid: UUID) -> HttpResponse:
    """State that a project redeems a part of its share before its time."""
    tranche = tranche_or_404(uid)
    actor, view = request.actor, request.view  # type: ignore[attr-defined]
    actor.require(ISSUE_BONDS, tranche.org_id)
    query = query_of(request)
    shares = {
        project_id: share
        for project_id, mine in tranches_of(query).items()
        for share in mine
        if share.tranche.pk == tranche.pk
    }
    names = names_of(query, shares)
    choices = [(pk, names[pk].name) for pk in shares if pk in names]
    form = RedeemForm(request.POST or None, projects=choices, initial={"effective_on": view.as_of})
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        project = Project.objects.get(pk=values["project"])
        made = form.carry_out(
            lambda _ok: _redeem(actor, tranche, project, values["amount"], values["effective_on"], values)
        )
        if made is not None:
            messages.success(request, _("The early redemption was recorded; the debt service follows it."))
            return HttpResponseRedirect(reverse("funds:tranche", args=[uid]))
    context = {
        "tranche": tranche,
        "form": form,
        "choices": choices,
        "cancel_url": framed(request, "funds:tranche", uid),
        "breadcrumbs": [
            {"label": _("Bonds and tranches"), "url": framed(request, "funds:tranches")},
            {"label": tranche.code, "url": framed(request, "funds:tranche", uid)},
            {"label": _("Early redemption"), "url": ""},
        ],
    }
    return render(request, "funds/issuing/redeem.html", context, status=422 if form.errors else 200)


def _redeem(
    actor: Any, tranche: Tranche, project: Project, amount: Decimal, on: date, values: dict[str, Any]
) -> list[EarlyRedemption]:
    try:
        return redeem_early(actor, tranche, on, [(project, amount)], document=values["document"])
    except ValidationError as error:
        if hasattr(error, "error_dict") and "line_0" in error.error_dict:
            error.error_dict.setdefault("amount", []).extend(error.error_dict.pop("line_0"))
        raise


@page(ISSUE_BONDS)
@require_POST
def take_back_redeemed(request: HttpRequest, uid: UUID, pk: int) -> HttpResponse:
    """Take back an early redemption, with a reason."""
    row = EarlyRedemption.objects.select_related("tranche", "project").filter(pk=pk, tranche__uid=uid).first()
    if row is None:
        raise Http404
    reason, actor = request.POST.get("reason", ""), request.actor  # type: ignore[attr-defined]
    return answer(
        request,
        _("Taken back. It stays in the history, struck out."),
        reverse("funds:tranche", args=[uid]),
        lambda: take_back_redemption(actor, row, reason),
    )
