"""The list of tranches, one tranche with its allotments, and the form of its terms."""

from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from yuanmai.common.working_days import china
from yuanmai.core.figures import evaluate_many, get
from yuanmai.core.figures.display import display
from yuanmai.core.figures.links import figure_url
from yuanmai.core.findings import Finding
from yuanmai.core.search import matching
from yuanmai.core.temporal import KNOWN_FOREVER
from yuanmai.core.web import page
from yuanmai.funds.engine.bonds.schedule import coupon_dates, maturity
from yuanmai.funds.engine.idle import Light, worst
from yuanmai.funds.forms import percent_text
from yuanmai.funds.issuing.actions import correct_tranche, create_tranche, remove_tranche
from yuanmai.funds.issuing.actions.tranches import FEES, complete
from yuanmai.funds.issuing.forms import InstalmentFormSet, TrancheForm
from yuanmai.funds.issuing.idle import Lying, batches
from yuanmai.funds.issuing.queries import Money, facts_of, total, tranches
from yuanmai.funds.issuing.service import engine_terms
from yuanmai.funds.issuing.views.shared import (
    TONES,
    amount_text,
    answer,
    framed,
    header,
    issuing_orgs,
    light_of,
    light_text,
    names_of,
    query_of,
    tranche_or_404,
    word_of,
    yi,
)
from yuanmai.funds.models import Allotment, EarlyRedemption, Tranche
from yuanmai.funds.permissions import ISSUE_BONDS, SEE_FUNDS
from yuanmai.funds.queries import ZERO
from yuanmai.people.models import Organisation

PAGE_SIZE = 50
FIGURES = ("bonds.quota", "bonds.issued", "bonds.paid_out", "bonds.spent", "bonds.idle")


@page(SEE_FUNDS)
def index(request: HttpRequest) -> HttpResponse:
    """The tranches that concern the chosen organisation, the newest first, with what was done with them."""
    query = query_of(request)
    results = evaluate_many(FIGURES, query)
    rows = tranches(query).select_related("org")
    years = sorted({day.year for day in rows.order_by().values_list("value_date", flat=True)}, reverse=True)
    text, year = request.GET.get("q", "").strip(), request.GET.get("year", "")
    if text:
        rows = rows.filter(matching(text, "code", "name", "batch_name", "issuer"))
    if year.isdigit():
        rows = rows.filter(value_date__year=int(year))
    lying: dict[int, list[Lying]] = {}
    for part in batches(query):
        lying.setdefault(part.tranche.pk, []).append(part)
    only_late = request.GET.get("late") == "yes"
    if only_late:
        late = [pk for pk, parts in lying.items() if _worst(parts) in {Light.YELLOW, Light.RED}]
        rows = rows.filter(pk__in=late)
    page_obj = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "figures": [
            {"label": get(c).name, "display": display(get(c), r), "url": figure_url(c, request.view)}  # type: ignore[attr-defined]
            for c, r in results.items()
        ],
        "lines": [_line(request, tranche, lying.get(tranche.pk, [])) for tranche in page_obj],
        "page_obj": page_obj,
        "chart": _by_year(lying, years) if lying else None,
        "years": years,
        "text": text,
        "year": year,
        "only_late": only_late,
        "may_issue": bool(request.actor.org_ids(ISSUE_BONDS)),  # type: ignore[attr-defined]
    }
    return render(request, "funds/issuing/tranches.html", context)


def _worst(parts: list[Lying]) -> Light:
    return worst([Light(light_of(part.standing)) for part in parts])


def _line(request: HttpRequest, tranche: Tranche, parts: list[Lying]) -> dict[str, Any]:
    return {
        "tranche": tranche,
        "url": framed(request, "funds:tranche", tranche.uid),
        "money": total(part.money for part in parts),
        "light": _worst(parts).value if parts else "",
        "projects": len(parts),
    }


def _by_year(lying: dict[int, list[Lying]], years: list[int]) -> dict[str, Any]:
    sums: dict[int, Money] = {
        year: total(p.money for parts in lying.values() for p in parts if p.tranche.value_date.year == year)
        for year in sorted(years)
    }
    series = (
        (_("Allotted"), "allotted", "primary"),
        (_("Disbursed"), "disbursed", "info"),
        (_("Paid"), "paid", "success"),
    )
    return {
        "type": "bar",
        "axis": _("Year of issue"),
        "unit": _("100 million yuan"),
        "categories": [str(year) for year in sums],
        "series": [
            {"name": name, "tone": tone, "data": [yi(getattr(part, field)) for part in sums.values()]}
            for name, field, tone in series
        ],
    }


@page(SEE_FUNDS)
def record(request: HttpRequest, uid: UUID) -> HttpResponse:
    """One tranche: its terms, what was allotted to whom, disbursed and paid, and whether it lies idle."""
    tranche, query = tranche_or_404(uid), query_of(request)
    # The page of one tranche shows whatever the reader may see of it, not only what lies below the chosen organisation.
    query = replace(query, org_ids=tuple(request.actor.org_ids(SEE_FUNDS)))  # type: ignore[attr-defined]
    rows = facts_of(Allotment, query).filter(tranche=tranche)
    parts = [
        part
        for part in batches(query, rows.values_list("project_id", flat=True))
        if part.tranche.pk == tranche.pk
    ]
    names = names_of(query, [part.project_id for part in parts])
    whole = total(part.money for part in parts)
    allotments = list(
        rows.select_related("project", "recorded_by").order_by("-effective_on", "-recorded_at", "-id")
    )
    redemptions = list(
        EarlyRedemption.objects.filter(
            tranche=tranche, retracted_at=None, project__org_id__in=query.org_ids
        ).order_by("effective_on")
    )
    names |= names_of(query, {row.project_id for row in (*allotments, *redemptions)} - set(names))
    context = {
        **header(request, tranche, "overview"),
        "whole": whole,
        "shown": {
            "allotted": amount_text(tranche.allotted),
            "left": amount_text(tranche.amount - tranche.allotted),
            "disbursed": amount_text(whole.disbursed),
            "paid": amount_text(whole.paid),
        },
        "elsewhere": tranche.allotted - whole.allotted,
        "light": _worst(parts).value if parts else "",
        "light_text": word_of(_worst(parts)),
        "lines": [_part(request, part, names.get(part.project_id)) for part in parts],
        "allotments": [(row, names.get(row.project_id)) for row in allotments],
        "redemptions": [(row, names.get(row.project_id)) for row in redemptions],
        "findings": list(
            Finding.objects.filter(
                org_id=tranche.org_id, key=f"tranche-{tranche.pk}", gone_until=KNOWN_FOREVER
            ).exclude(state="resolved")
        ),
        "fees": [
            (_("Issue fee"), percent_text(tranche.issue_fee_rate)),
            (_("Registration fee"), percent_text(tranche.registration_fee_rate)),
            (_("Redemption fee"), percent_text(tranche.redemption_fee_rate)),
        ],
    }
    return render(request, "funds/issuing/tranche.html", context)


def _part(request: HttpRequest, part: Lying, state: Any) -> dict[str, Any]:
    return {
        "part": part,
        "state": state,
        "url": framed(request, "funds:debt_service_project", state.project.uid) if state else "",
        "light": light_of(part.standing),
        "light_text": light_text(part.standing),
        "tone": TONES[Light(light_of(part.standing))],
        "expected": part.standing.expected_of(part.money.allotted),
    }


@page(ISSUE_BONDS)
def create(request: HttpRequest) -> HttpResponse:
    """Record an issue of bonds."""
    return _form(request, None)


@page(ISSUE_BONDS)
def edit(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Correct the terms of a tranche."""
    tranche = tranche_or_404(uid)
    request.actor.require(ISSUE_BONDS, tranche.org_id)  # type: ignore[attr-defined]
    return _form(request, tranche)


def _form(request: HttpRequest, tranche: Tranche | None) -> HttpResponse:
    orgs = issuing_orgs(request)
    chosen = request.view.org  # type: ignore[attr-defined]
    initial: dict[str, Any] = {"repayment": "bullet", "org": chosen.id if chosen else None}
    parts: list[dict[str, Any]] = []
    if tranche is not None:
        names = ("code", "name", "batch_name", "issuer", "amount", "rate", "term_years", "tendered_on", "value_date", "frequency", "repayment", *FEES)  # fmt: skip
        initial = {name: getattr(tranche, name) for name in names}
        initial["org"] = tranche.org_id
        orgs = [(tranche.org_id, tranche.org.label)]
        parts = [{"year": row["year"], "share": Decimal(row["share"])} for row in tranche.instalments]
    form = TrancheForm(request.POST or None, initial=initial, orgs=orgs)
    formset = InstalmentFormSet(request.POST or None, initial=parts, prefix="part")
    if request.method == "POST" and form.is_valid() and formset.is_valid():
        values = dict(form.cleaned_data)
        values["instalments"] = [part for each in formset.forms if (part := each.part())]
        org = Organisation.objects.get(pk=values.pop("org"))

        def save(confirmed: bool) -> Tranche:
            actor = request.actor  # type: ignore[attr-defined]
            if tranche is None:
                return create_tranche(actor, org, values, confirmed=confirmed)
            return correct_tranche(actor, tranche, values, confirmed=confirmed)

        saved = form.carry_out(save)
        if saved is not None:
            messages.success(request, _("The tranche was saved."))
            return HttpResponseRedirect(reverse("funds:tranche", args=[saved.uid]))
    wrong = bool(form.errors) or (formset.is_bound and not formset.is_valid())
    back = reverse("funds:tranche", args=[tranche.uid]) if tranche else reverse("funds:tranches")
    context = {
        "form": form,
        "formset": formset,
        "tranche": tranche,
        "cancel_url": back,
        "breadcrumbs": [
            {"label": _("Bonds and tranches"), "url": framed(request, "funds:tranches")},
            {"label": _("Correct the terms") if tranche else _("New tranche"), "url": ""},
        ],
    }
    return render(request, "funds/issuing/form_tranche.html", context, status=422 if wrong else 200)


@page(ISSUE_BONDS)
def hint(request: HttpRequest) -> HttpResponse:
    """What follows from the terms typed so far: value date, frequency, maturity, first payment. A fragment of the form."""
    form = TrancheForm(request.GET, orgs=issuing_orgs(request))
    form.is_valid()
    given = form.cleaned_data
    context: dict[str, Any] = {}
    org = Organisation.objects.filter(pk=given.get("org") or 0).first()
    if org is not None and given.get("tendered_on"):
        found = complete(org, {name: given.get(name) for name in TrancheForm.base_fields})
        context["value_date"] = found["value_date"]
        context["known"] = china().known(found["value_date"])
        if given.get("term_years") and found.get("frequency") and 1 <= given["term_years"] <= 100:
            sketch = Tranche(
                code="", rate=given.get("rate") or 0, term_years=given["term_years"],
                value_date=found["value_date"], frequency=found["frequency"], repayment="bullet",
            )  # fmt: skip
            terms = engine_terms(sketch, given.get("amount") or ZERO)
            context |= {
                "frequency": sketch.get_frequency_display(),
                "maturity": maturity(terms),
                "first": china().on_or_after(coupon_dates(terms)[0]),
            }
    return render(request, "funds/issuing/_hint.html", context)


@page(ISSUE_BONDS)
@require_POST
def remove(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Take back a tranche that was entered by mistake."""
    tranche = tranche_or_404(uid)
    target = reverse("funds:tranches")
    if Tranche.objects.filter(Q(pk=tranche.pk), ~Q(allotted=0)).exists():
        target = reverse("funds:tranche", args=[uid])
    reason = request.POST.get("reason", "")
    return answer(
        request,
        _("Taken back. It stays in the log."),
        target,
        lambda: remove_tranche(request.actor, tranche, reason),  # type: ignore[attr-defined]
    )
