"""Progress certificates with their confirmation, invoices, use plans."""

from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from yuanmai.core.figures import Query
from yuanmai.core.web import page
from yuanmai.funds.files import attachments, target_of
from yuanmai.funds.models import Certificate, Contract
from yuanmai.funds.paying.actions import certify, confirm_certificate, file_use_plan, record_invoice
from yuanmai.funds.paying.forms import CertificateForm, ConfirmationForm, InvoiceForm, UsePlanForm
from yuanmai.funds.paying.loading import next_month
from yuanmai.funds.paying.queries import NOTHING, certificates, confirmed, pay_sums
from yuanmai.funds.paying.views.shared import (
    PAGE_SIZE,
    Aside,
    contract_or_404,
    contract_page,
    entry_page,
    names_of,
    paying_url,
    project_crumbs,
    state_of,
    tabs,
    uploads,
    yuan,
)
from yuanmai.funds.permissions import KEEP_CONTRACTS, SEE_FUNDS
from yuanmai.projects.views.record import shown_project


@page(SEE_FUNDS)
def index(request: HttpRequest) -> HttpResponse:
    """The certificates that wait for the supervisor's confirmation, the oldest first; `state=all` shows all."""
    query: Query = request.view.query()  # type: ignore[attr-defined]
    rows = certificates(query).select_related("contract__project", "recorded_by")
    everything = request.GET.get("state") == "all"
    rows = (
        rows.order_by("-effective_on", "-id")
        if everything
        else rows.exclude(confirmed(query)).order_by("effective_on", "id")
    )
    page_obj = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    shown = list(page_obj)
    names = names_of(query, (row.contract.project_id for row in shown))
    kept = attachments(shown)
    actor = request.actor  # type: ignore[attr-defined]
    lines = [
        {
            "row": row,
            "name": names.get(row.contract.project_id, ""),
            "files": kept.get(target_of(row), []),
            "may": actor.why_not(KEEP_CONTRACTS, row.contract.org_id) is None,
            "own": row.recorded_by_id is not None and row.recorded_by_id == actor.user_id,
        }
        for row in shown
    ]
    context = {
        "lines": lines,
        "page_obj": page_obj,
        "everything": everything,
        "tabs": tabs(request, "certificates"),
    }
    return render(request, "funds/paying/certificates.html", context)


def _of_contract(request: HttpRequest, uid: UUID) -> tuple[Contract, str, list[tuple[str, str]]]:
    """Return a contract, its project's name, and the way to it."""
    contract = contract_or_404(uid)
    view = request.view  # type: ignore[attr-defined]
    state = state_of(Query((contract.org_id,), view.as_of, view.known_at), contract.project)
    name = state.name if state else str(contract.project)
    crumbs = [
        *project_crumbs(request, contract.project, name),
        (str(contract), contract_page(request, contract)),
    ]
    return contract, name, crumbs


def _sums(request: HttpRequest, contract: Contract) -> list[Aside]:
    query = Query((contract.org_id,), request.view.as_of)  # type: ignore[attr-defined]
    sums = pay_sums(query, "contract", [contract.project_id]).get(contract.pk, NOTHING)
    return [
        Aside(_("Contract amount"), yuan(contract.amount)),
        Aside(_("Signed on"), contract.signed_on.isoformat()),
        Aside(_("Certified and confirmed"), yuan(sums.certified)),
        Aside(_("Waiting for confirmation"), yuan(sums.uncertified)),
        Aside(_("Invoiced"), yuan(sums.invoiced)),
        Aside(_("Paid"), yuan(sums.paid)),
    ]


@page(KEEP_CONTRACTS)
def certificate(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Record a progress certificate."""
    contract, _name, crumbs = _of_contract(request, uid)
    number = Certificate.objects.filter(contract=contract, retracted_at=None).count() + 1
    initial = {"effective_on": request.view.as_of, "number": str(number)}  # type: ignore[attr-defined]
    form = CertificateForm(request.POST or None, initial=initial)

    def save(_confirmed: bool) -> tuple[str, Any, str]:
        _row, flags = certify(
            request.actor,  # type: ignore[attr-defined]
            contract,
            **form.cleaned_data,
            files=uploads(request, "file", "certificate"),
        )
        return (
            _("The certificate was recorded. It counts once the supervisor has confirmed it."),
            flags,
            crumbs[-1][1],
        )

    return entry_page(
        request, form, save, title=_("Record a progress certificate"), subtitle=str(contract), cancel_url=crumbs[-1][1],
        crumbs=crumbs, aside=_sums(request, contract),
        drop={"name": "file", "label": _("Scan of the certificate"), "multiple": True},
    )  # fmt: skip


@page(KEEP_CONTRACTS)
def confirm(request: HttpRequest, pk: int) -> HttpResponse:
    """Enter the supervisor's confirmation of a certificate."""
    row = Certificate.objects.select_related("contract__project", "recorded_by").filter(pk=pk).first()
    if row is None:
        raise Http404
    contract, _name, crumbs = _of_contract(request, row.contract.uid)
    last = (
        Certificate.objects.filter(contract=contract).exclude(supervisor="").order_by("-confirmed_at").first()
    )
    day = max(request.view.as_of, row.effective_on)  # type: ignore[attr-defined]
    initial = {"supervisor": last.supervisor if last else "", "confirmed_on": day}
    form = ConfirmationForm(request.POST or None, initial=initial)

    def save(_confirmed: bool) -> tuple[str, Any, str]:
        values = form.cleaned_data
        confirm_certificate(
            request.actor,  # type: ignore[attr-defined]
            row,
            values["supervisor"],
            values["confirmed_on"],
            files=uploads(request, "file", "certificate"),
        )
        return _("The confirmation was recorded."), (), crumbs[-1][1]

    return entry_page(
        request, form, save, title=_("Confirm a progress certificate"), subtitle=f"{contract} · {row.number}",
        cancel_url=crumbs[-1][1], crumbs=crumbs, submit=_("Confirm"),
        aside=[
            Aside(_("Certificate"), row.number), Aside(_("Work done"), yuan(row.amount)),
            Aside(_("Date"), row.effective_on.isoformat()), Aside(_("Entered by"), str(row.recorded_by or _("System"))),
            *_sums(request, contract),
        ],
        drop={"name": "file", "label": _("Signed sheet of the supervisor"), "multiple": True},
    )  # fmt: skip


@page(KEEP_CONTRACTS)
def invoice(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Record an invoice."""
    contract, _name, crumbs = _of_contract(request, uid)
    initial = {"effective_on": request.view.as_of, "seller": contract.payee}  # type: ignore[attr-defined]
    form = InvoiceForm(request.POST or None, initial=initial)

    def save(_confirmed: bool) -> tuple[str, Any, str]:
        _row, flags = record_invoice(
            request.actor,  # type: ignore[attr-defined]
            contract,
            **form.cleaned_data,
            files=uploads(request, "file", "invoice"),
        )
        return _("The invoice was recorded."), flags, crumbs[-1][1]

    return entry_page(
        request, form, save, title=_("Record an invoice"), subtitle=str(contract), cancel_url=crumbs[-1][1],
        crumbs=crumbs, aside=_sums(request, contract),
        drop={"name": "file", "label": _("The invoice as PDF, OFD or picture"), "multiple": True},
    )  # fmt: skip


@page(KEEP_CONTRACTS)
def plan(request: HttpRequest, uid: UUID) -> HttpResponse:
    """File what is meant to be spent in a month."""
    found = shown_project(request, uid, "paying")
    if isinstance(found, HttpResponse):
        return found
    project, as_of = found.state.project, request.view.as_of  # type: ignore[attr-defined]
    after_next = next_month(next_month(as_of.replace(day=1)))
    form = UsePlanForm(request.POST or None, initial={"filed_on": as_of, "month": after_next})

    def save(_confirmed: bool) -> tuple[str, Any, str]:
        values = form.cleaned_data
        _row, flags = file_use_plan(
            request.actor,  # type: ignore[attr-defined]
            project,
            values["month"],
            values["amount"],
            values["filed_on"],
            files=uploads(request, "file", "use_plan"),
        )
        return _("The use plan was filed."), flags, paying_url(request, project)

    sums = pay_sums(found.context["query"], "project", [project.pk]).get(project.pk, NOTHING)
    return entry_page(
        request, form, save, title=_("File a use plan"), subtitle=found.state.name, cancel_url=paying_url(request, project),
        crumbs=project_crumbs(request, project, found.state.name),
        aside=[
            Aside(_("Allotted"), yuan(sums.allotted)), Aside(_("Disbursed"), yuan(sums.disbursed)), Aside(_("Paid"), yuan(sums.paid)),
            Aside(_("Left with the owner"), yuan(sums.left)),
        ],
        drop={"name": "file", "label": _("Scan of the use plan"), "multiple": True},
    )  # fmt: skip
