"""Adding papers to what was recorded, and taking back what was entered by mistake."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from yuanmai.core.web import page
from yuanmai.funds.files import attach_file
from yuanmai.funds.models import (
    Certificate,
    Contract,
    Disbursement,
    Invoice,
    Measurement,
    Payment,
    UsePlan,
    WorkItem,
)
from yuanmai.funds.paying.actions import take_back
from yuanmai.funds.paying.actions.undo import project_of
from yuanmai.funds.paying.file import PARTS
from yuanmai.funds.paying.targets import TARGETS
from yuanmai.funds.paying.views.shared import (
    contract_page,
    entry_page,
    paying_url,
    project_crumbs,
    yuan,
)
from yuanmai.funds.permissions import SEE_FUNDS
from yuanmai.projects.forms import ReasonForm

KINDS = {*PARTS, "voucher", "audit"}
TAKEN: dict[str, type[Any]] = {
    "contract": Contract,
    "certificate": Certificate,
    "invoice": Invoice,
    "use_plan": UsePlan,
    "disbursement": Disbursement,
    "payment": Payment,
    "work_item": WorkItem,
    "measurement": Measurement,
}


def _row(models: dict[str, type[Any]], kind: str, pk: int) -> Any:
    model = models.get(kind.replace("-", "_"))
    row = model._default_manager.filter(pk=pk).first() if model is not None else None
    if row is None:
        raise Http404
    return row


@page(SEE_FUNDS)
@require_POST
def attach(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
    """Add files to a contract, paper, payment, measurement or change of use; `part` says what they are."""
    row = _row(TARGETS, kind, pk)
    part = request.POST.get("part", "")
    known = part in KINDS
    added = 0
    for upload in request.FILES.getlist("file") if known else ():
        try:
            attach_file(request.actor, row, part, upload)  # type: ignore[attr-defined]
            added += 1
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
    if added:
        messages.success(
            request, ngettext("%(n)d file was added.", "%(n)d files were added.", added) % {"n": added}
        )
    elif not known or not request.FILES:
        messages.error(request, _("Choose a file first."))
    return HttpResponseRedirect(_back(request, reverse("funds:payments")))


def _back(request: HttpRequest, default: str) -> str:
    target = request.POST.get("next", "") or request.GET.get("next", "")
    safe = target and url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()})
    return target if safe else default


@page(SEE_FUNDS)
def take_back_form(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
    """Take back an entry with a reason."""
    row = _row(TAKEN, kind, pk)
    project = project_of(row)
    form = ReasonForm(request.POST or None)
    back = paying_url(request, project)
    if isinstance(row, Certificate | Invoice | Payment):
        back = contract_page(request, row.contract)

    def save(_confirmed: bool) -> tuple[str, Any, str]:
        take_back(request.actor, row, form.cleaned_data["reason"])  # type: ignore[attr-defined]
        return _("Taken back. It stays in the history, struck out."), (), back

    return entry_page(
        request, form, save, title=_("Take back"), subtitle=f"{row._meta.verbose_name}: {said(row)}", cancel_url=back,
        crumbs=project_crumbs(request, project, _("Paying")), submit=_("Take back"),
    )  # fmt: skip


def said(row: Any) -> str:
    """Return an entry in a few words."""
    tellers: dict[type[Any], Callable[[Any], str]] = {
        Contract: str,
        Certificate: lambda r: f"{r.number} · {yuan(r.amount)}",
        Invoice: lambda r: f"{r.number} · {yuan(r.amount)}",
        UsePlan: lambda r: f"{r.month:%Y-%m} · {yuan(r.amount)}",
        Disbursement: lambda r: f"{r.effective_on.isoformat()} · {yuan(r.amount)}",
        Payment: lambda r: f"{r.effective_on.isoformat()} · {yuan(r.amount)}",
        WorkItem: lambda r: f"{r.name} · {r.planned.normalize():f} {r.unit}",
        Measurement: lambda r: f"{r.effective_on.isoformat()} · {r.quantity.normalize():f}",
    }
    return tellers[type(row)](row)
