"""Contracts: the list of a place, one contract with everything that rests on it, and its entry."""

from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from yuanmai.core.figures import Query
from yuanmai.core.search import matching
from yuanmai.core.web import page
from yuanmai.core.web.links import link
from yuanmai.funds.files import ACCEPT, attachments, target_of
from yuanmai.funds.models import Contract
from yuanmai.funds.paying.actions import record_contract
from yuanmai.funds.paying.file import payment_files
from yuanmai.funds.paying.forms import ContractForm
from yuanmai.funds.paying.loading import named_uses
from yuanmai.funds.paying.queries import (
    NOTHING,
    certificates,
    contracts,
    invoices,
    pay_sums,
    payments,
    work_done,
    work_share,
)
from yuanmai.funds.paying.views.bars import ahead_of_work, contract_bars
from yuanmai.funds.paying.views.project import contract_lines
from yuanmai.funds.paying.views.shared import (
    PAGE_SIZE,
    Aside,
    contract_or_404,
    contract_page,
    entry_page,
    findings_of,
    names_of,
    paying_url,
    project_crumbs,
    state_of,
    tabs,
    uploads,
    yuan,
)
from yuanmai.funds.permissions import KEEP_CONTRACTS, PAY_BONDS, SEE_FUNDS
from yuanmai.projects.views.record import project_or_404, shown_project


@page(SEE_FUNDS)
def index(request: HttpRequest) -> HttpResponse:
    """The contracts of a place, the newest first, with paid, certified and built shares side by side."""
    query: Query = request.view.query()  # type: ignore[attr-defined]
    rows = contracts(query)
    if text := request.GET.get("q", "").strip():
        rows = rows.filter(matching(text, "name", "number", "payee"))
    page_obj = Paginator(
        rows.select_related("project", "use").order_by("-signed_on", "-id"), PAGE_SIZE
    ).get_page(request.GET.get("page"))
    shown = list(page_obj)
    names = names_of(query, (row.project_id for row in shown))
    lines = [
        {**line, "name": names.get(line["contract"].project_id, "")} for line in contract_lines(shown, query)
    ]
    context = {"lines": lines, "page_obj": page_obj, "text": text, "tabs": tabs(request, "contracts")}
    return render(request, "funds/paying/contracts.html", context)


@page(SEE_FUNDS)
def record(request: HttpRequest, uid: UUID) -> HttpResponse:
    """One contract: its shares, certificates, invoices, payments, work, files."""
    contract = contract_or_404(uid)
    view, actor = request.view, request.actor  # type: ignore[attr-defined]
    query = Query((contract.org_id,), view.as_of, view.known_at)
    state = state_of(query, contract.project)
    name = state.name if state else str(contract.project)
    ids = [contract.project_id]
    works = [i for i in work_done(query, ids).get(contract.project_id, []) if i.contract_id == contract.pk]
    certs = list(
        certificates(query, ids)
        .filter(contract=contract)
        .select_related("confirmed_by")
        .order_by("-effective_on", "-id")
    )
    bills = list(invoices(query, ids).filter(contract=contract).order_by("-effective_on", "-id"))
    paid = list(
        payments(query, ids)
        .filter(contract=contract)
        .select_related("contract", "tranche", "certificate", "invoice")
        .order_by("-effective_on", "-id")
    )
    kept = attachments([contract, *certs, *bills])
    files = payment_files(paid)
    keys = [f"contract-{contract.pk}"]
    keys += [f"payment-{row.pk}" for row in paid] + [f"invoice-{row.pk}" for row in bills]
    keys += [f"certificate-{row.pk}" for row in certs]
    sums = pay_sums(query, "contract", ids).get(contract.pk, NOTHING)
    may_keep = actor.why_not(KEEP_CONTRACTS, contract.org_id) is None and contract.retracted_at is None
    context: dict[str, Any] = {
        "contract": contract,
        "name": name,
        "project_url": paying_url(request, contract.project),
        "sums": sums,
        "bars": contract_bars(sums, work_share(works), ahead=bool(ahead_of_work([contract]))),
        "works": works,
        "certificates": [{"row": row, "files": kept.get(target_of(row), [])} for row in certs],
        "invoices": [{"row": row, "files": kept.get(target_of(row), [])} for row in bills],
        "payments": [{"payment": row, "file": files[row.pk]} for row in paid],
        "files": kept.get(target_of(contract), []),
        "accept": ACCEPT,
        "findings": findings_of(contract.org_id, contract.project_id, keys),
        "enterprise_url": link("enterprises:record", contract.enterprise_id)
        if contract.enterprise_id
        else "",
        "may_keep": may_keep,
        "may_pay": actor.why_not(PAY_BONDS, contract.org_id) is None and contract.retracted_at is None,
        "breadcrumbs": [
            *({"label": label, "url": url} for label, url in project_crumbs(request, contract.project, name)),
            {"label": str(contract), "url": ""},
        ],
    }
    return render(request, "funds/paying/contract.html", context)


@page(KEEP_CONTRACTS)
def create(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Record a contract of a project."""
    found = shown_project(request, uid, "paying")
    if isinstance(found, HttpResponse):
        return found
    project, uses = found.state.project, named_uses([project_or_404(request, uid).pk])
    form = ContractForm(request.POST or None, uses=uses, initial={"signed_on": request.view.as_of})  # type: ignore[attr-defined]

    def save(_confirmed: bool) -> tuple[str, list[Any], str]:
        contract: Contract = record_contract(
            request.actor,  # type: ignore[attr-defined]
            project,
            **form.cleaned_data,
            files=uploads(request, "file", "contract"),
        )
        return _("The contract was recorded."), [], contract_page(request, contract)

    sums = pay_sums(found.context["query"], "use", [project.pk])
    return entry_page(
        request,
        form,
        save,
        title=_("Record a contract"),
        subtitle=found.state.name,
        cancel_url=paying_url(request, project),
        crumbs=project_crumbs(request, project, found.state.name),
        aside=[
            Aside(
                use.name,
                _("%(amount)s named, %(contracted)s contracted")
                % {
                    "amount": yuan(use.amount),
                    "contracted": yuan(sums.get(use.pk, NOTHING).contracted),
                },
            )
            for use in uses
        ],
        aside_title=_("Uses that the offering file names"),
        drop={"name": "file", "label": _("Scan of the contract"), "multiple": True},
        new_url=reverse("funds:contract_new", args=[uid]),
    )
