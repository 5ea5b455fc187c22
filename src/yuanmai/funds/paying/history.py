"""The entries of paying in a project's history."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from yuanmai.common.money import yuan_text
from yuanmai.core.figures.display import chinese
from yuanmai.funds.models import Certificate, Contract, Disbursement, Invoice, Measurement, Payment, UsePlan
from yuanmai.funds.permissions import SEE_FUNDS
from yuanmai.projects.models import Project
from yuanmai.projects.views.panels import Said

LIMIT = 200  # of each kind; the lists of paying show the rest


def _yuan(row: Any) -> str:
    return yuan_text(row.amount, chinese=chinese())


def _contract(row: Any) -> str:
    words = {"name": row, "payee": row.payee, "amount": _yuan(row)}
    return _("Contract “%(name)s” with %(payee)s: %(amount)s") % words


def _certificate(row: Any) -> str:
    words = {"number": row.number, "contract": row.contract.number, "amount": _yuan(row)}
    return _("Certificate %(number)s of contract %(contract)s: %(amount)s") % words


def _invoice(row: Any) -> str:
    words = {"number": row.number, "contract": row.contract.number, "amount": _yuan(row)}
    return _("Invoice %(number)s of contract %(contract)s: %(amount)s") % words


def _payment(row: Any) -> str:
    words = {"payee": row.contract.payee, "tranche": row.tranche.code, "amount": _yuan(row)}
    return _("Paid to %(payee)s out of %(tranche)s: %(amount)s") % words


def _measurement(row: Any) -> str:
    words = {"name": row.item.name, "quantity": f"{row.quantity.normalize():f}", "unit": row.item.unit}
    return _("Measured %(name)s: %(quantity)s %(unit)s") % words


# Model, path to its project, what is read along, how it is told, icon.
TOLD: tuple[tuple[type[Any], str, tuple[str, ...], Callable[[Any], str], str], ...] = (
    (Contract, "project", (), _contract, "file-certificate"),
    (Certificate, "contract__project", ("contract", "recorded_by"), _certificate, "clipboard-check"),
    (Invoice, "contract__project", ("contract", "recorded_by"), _invoice, "file-invoice"),
    (UsePlan, "project", ("recorded_by",),
     lambda r: _("Use plan of %(month)s: %(amount)s") % {"month": f"{r.month:%Y-%m}", "amount": _yuan(r)}, "calendar-stats"),
    (Disbursement, "project", ("tranche", "recorded_by"),
     lambda r: _("Disbursed out of %(tranche)s: %(amount)s") % {"tranche": r.tranche.code, "amount": _yuan(r)}, "building-bank"),
    (Payment, "project", ("contract", "tranche", "recorded_by"), _payment, "cash"),
    (Measurement, "item__project", ("item", "recorded_by"), _measurement, "ruler-measure"),
)  # fmt: skip


def said(request: HttpRequest, project: Project) -> list[Said]:
    """Return contracts, papers, disbursements, payments and measurements of a project, to those who may see funds.

    They are taken back on the pages of paying, where it is said what rests on an entry.
    """
    if request.actor.why_not(SEE_FUNDS, project.org_id):  # type: ignore[attr-defined]
        return []
    known_at = request.view.known_at  # type: ignore[attr-defined]
    entries = []
    for model, path, related, tell, icon in TOLD:
        rows = model._default_manager.filter(**{path: project})
        if known_at is not None:
            rows = rows.filter(recorded_at__lte=known_at)
        for row in rows.select_related(*related).order_by("-recorded_at", "-id")[:LIMIT]:
            day = getattr(row, "effective_on", None) or row.signed_on
            who = str(getattr(row, "recorded_by", None) or _("System"))
            entries.append(Said(tell(row), row.recorded_at, day, who, (), row.retracted_at, "", icon))
    return entries
