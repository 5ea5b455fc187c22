"""Disbursement and payment: the list of a place, the payment file, and their entry."""

from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from yuanmai.core.figures import Query, evaluate_many, get
from yuanmai.core.figures.display import display
from yuanmai.core.figures.links import figure_url
from yuanmai.core.search import matching
from yuanmai.core.web import page
from yuanmai.core.web.links import link
from yuanmai.funds.files import ACCEPT
from yuanmai.funds.models import Contract, Payment, Tranche
from yuanmai.funds.paying.actions import disburse, pay
from yuanmai.funds.paying.file import payment_files
from yuanmai.funds.paying.forms import DisbursementForm, PaymentForm
from yuanmai.funds.paying.loading import named_uses
from yuanmai.funds.paying.queries import (
    NOTHING,
    by_contract,
    certificates,
    invoices,
    pay_sums,
    payments,
    work_done,
    work_share,
)
from yuanmai.funds.paying.views.bars import ahead_of_work, contract_bars
from yuanmai.funds.paying.views.shared import (
    PAGE_SIZE,
    Aside,
    contract_or_404,
    contract_page,
    entry_page,
    findings_of,
    frame,
    names_of,
    paying_url,
    project_crumbs,
    state_of,
    tabs,
    uploads,
    yuan,
)
from yuanmai.funds.permissions import KEEP_CONTRACTS, PAY_BONDS, SEE_FUNDS
from yuanmai.projects.views.record import shown_project

FIGURES = ("bonds.issued", "bonds.paid_out", "bonds.spent", "bonds.idle")


@page(SEE_FUNDS)
def index(request: HttpRequest) -> HttpResponse:
    """The payments of a place, the newest first, with how complete their files are; `file=lacking` shows the others only."""
    view = request.view  # type: ignore[attr-defined]
    query: Query = view.query()
    rows = payments(query)
    if text := request.GET.get("q", "").strip():
        rows = rows.filter(
            matching(text, "contract__payee", "contract__number", "contract__name", "tranche__code")
        )
    related = ("contract", "tranche", "certificate", "invoice", "project")
    page_obj = Paginator(rows.select_related(*related).order_by("-effective_on", "-id"), PAGE_SIZE).get_page(
        request.GET.get("page")
    )
    shown = list(page_obj)
    names = names_of(query, (row.project_id for row in shown))
    files = payment_files(shown)
    results = evaluate_many(FIGURES, query)
    context = {
        "lines": [{"payment": row, "name": names.get(row.project_id, ""), "file": files[row.pk]} for row in shown],
        "figures": [
            {"label": get(c).name, "display": display(get(c), r), "url": figure_url(c, view)} for c, r in results.items()
        ],
        "page_obj": page_obj,
        "text": text,
        "tabs": tabs(request, "payments"),
    }  # fmt: skip
    return render(request, "funds/paying/payments.html", context)


@page(SEE_FUNDS)
def payment(request: HttpRequest, uid: UUID) -> HttpResponse:
    """The payment file on one page: what was paid, on the strength of what, and what is missing."""
    row = (
        Payment.objects.select_related(
            "project", "contract", "tranche", "certificate", "invoice", "use", "recorded_by", "batch"
        )
        .filter(uid=uid)
        .first()
    )
    if row is None:
        raise Http404
    view, actor = request.view, request.actor  # type: ignore[attr-defined]
    org_id = row.project.org_id
    query = Query((org_id,), view.as_of, view.known_at)
    state = state_of(query, row.project)
    name = state.name if state else str(row.project)
    works = by_contract(work_done(query, [row.project_id])).get(row.contract_id, [])
    sums = pay_sums(query, "contract", [row.project_id]).get(row.contract_id, NOTHING)
    file = payment_files([row])[row.pk]
    keys = [f"payment-{row.pk}", f"contract-{row.contract_id}", f"use-{row.use_id}"]
    keys += [f"invoice-{row.invoice_id}", f"certificate-{row.certificate_id}"]
    keys.append(f"project-{row.project_id}-{row.effective_on:%Y-%m}")
    context = {
        "payment": row,
        "name": name,
        "file": file,
        "photos": [f for part in file.parts if part.code == "photo" for f in part.files],
        "bars": contract_bars(sums, work_share(works), ahead=bool(ahead_of_work([row.contract]))),
        "works": works,
        "findings": findings_of(org_id, row.project_id, keys),
        "project_url": paying_url(request, row.project),
        "contract_url": contract_page(request, row.contract),
        "tranche_url": link("funds:tranche", row.tranche.uid),
        "accept": ACCEPT,
        "may_keep": actor.why_not(KEEP_CONTRACTS, org_id) is None and row.retracted_at is None,
        "may_pay": actor.why_not(PAY_BONDS, org_id) is None and row.retracted_at is None,
        "frame": frame(request),
        "breadcrumbs": [
            *({"label": label, "url": url} for label, url in project_crumbs(request, row.project, name)),
            {"label": str(row.contract), "url": contract_page(request, row.contract)},
            {"label": _("Payment file"), "url": ""},
        ],
    }
    return render(request, "funds/paying/payment.html", context)


def left_of(query: Query, project_id: int, name: str) -> tuple[Any, dict[int, str], list[Aside]]:
    """Return the tranches of a project, what is left of each for a choice, and the same for the card."""
    sums = {
        tranche_id: value
        for (_project, tranche_id), value in pay_sums(query, "project_tranche", [project_id]).items()
        if value.allotted > 0
    }
    tranches = Tranche.objects.filter(pk__in=sums, retracted_at=None).order_by("value_date", "code")
    rest = {pk: getattr(value, name) for pk, value in sums.items()}
    labels = {pk: _(" · left %(amount)s") % {"amount": yuan(amount)} for pk, amount in rest.items()}
    aside = [
        Aside(f"{t.code} {t.name}", _("left %(amount)s") % {"amount": yuan(rest[t.pk])}) for t in tranches
    ]
    return tranches, labels, aside


@page(PAY_BONDS)
def disburse_form(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Record what the treasury gave to the owner."""
    found = shown_project(request, uid, "paying")
    if isinstance(found, HttpResponse):
        return found
    project = found.state.project
    tranches, left, aside = left_of(found.context["query"], project.pk, "to_disburse")
    initial: dict[str, Any] = {"effective_on": request.view.as_of}  # type: ignore[attr-defined]
    if len(left) == 1:
        initial["tranche"] = tranches[0].uid
    form = DisbursementForm(request.POST or None, tranches=tranches, left=left, initial=initial)

    def save(_confirmed: bool) -> tuple[str, Any, str]:
        values = form.cleaned_data
        disburse(
            request.actor,  # type: ignore[attr-defined]
            project,
            values["tranche"],
            values["effective_on"],
            values["amount"],
            document=values["document"],
            files=uploads(request, "file", "voucher"),
        )
        return _("The disbursement was recorded."), (), paying_url(request, project)

    return entry_page(
        request, form, save, title=_("Record a disbursement"), subtitle=found.state.name,
        cancel_url=paying_url(request, project), crumbs=project_crumbs(request, project, found.state.name), aside=aside,
        aside_title=_("Allotted and still with the treasury"),
        drop={"name": "file", "label": _("Voucher of the treasury"), "multiple": True},
    )  # fmt: skip


@page(PAY_BONDS)
def pay_form(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Record a payment of a contract with its payment file."""
    contract = contract_or_404(uid)
    view = request.view  # type: ignore[attr-defined]
    project, query = contract.project, Query((contract.org_id,), view.as_of, view.known_at)
    state = state_of(query, project)
    name = state.name if state else str(project)
    tranches, left, aside = left_of(query, project.pk, "left")
    ids = [project.pk]
    sums = pay_sums(query, "contract", ids).get(contract.pk, NOTHING)
    papers = _papers(contract, query)
    initial: dict[str, Any] = {"effective_on": view.as_of, "use": contract.use_id}
    if len(left) == 1:
        initial["tranche"] = tranches[0].uid
    form = PaymentForm(
        request.POST or None, tranches=tranches, left=left, uses=named_uses(ids), initial=initial, **papers
    )

    def save(_confirmed: bool) -> tuple[str, Any, str]:
        values = form.cleaned_data
        row, flags = pay(
            request.actor,  # type: ignore[attr-defined]
            project,
            contract,
            values["tranche"],
            values["effective_on"],
            values["amount"],
            use=values["use"],
            certificate=values["certificate"],
            invoice=values["invoice"],
            document=values["document"],
            files=uploads(request, "file", "photo"),
        )
        return (
            _("The payment was recorded."),
            flags,
            f"{reverse('funds:payment', args=[row.uid])}?{frame(request)}",
        )

    aside += [
        Aside(_("Contract amount"), yuan(contract.amount)),
        Aside(_("Certified and confirmed"), yuan(sums.certified)),
        Aside(_("Paid"), yuan(sums.paid)),
        Aside(_("Left of the contract"), yuan(contract.amount - sums.paid)),
    ]
    crumbs = [*project_crumbs(request, project, name), (str(contract), contract_page(request, contract))]
    return entry_page(
        request, form, save, title=_("Record a payment"), subtitle=f"{contract} · {contract.payee}",
        cancel_url=contract_page(request, contract), crumbs=crumbs, aside=aside,
        aside_title=_("Money disbursed and still with the owner"),
        drop={"name": "file", "label": _("Site photographs"), "multiple": True,
              "hint": _("The other parts of the payment file come with the contract, certificate and invoice.")},
    )  # fmt: skip


def _papers(contract: Contract, query: Query) -> dict[str, Any]:
    """Return the certificates and invoices of a contract to choose from."""
    certs = certificates(query, [contract.project_id]).filter(contract=contract).exclude(confirmed_on=None)
    bills = invoices(query, [contract.project_id]).filter(contract=contract)
    return {"certificates": certs.order_by("-effective_on"), "invoices": bills.order_by("-effective_on")}
