"""Taking back what was entered by mistake; it stays in the history, struck out."""

from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from yuanmai.core.actions import Act, action
from yuanmai.funds.engine.payments import Flow, check_return
from yuanmai.funds.findings.bonds import refresh_bond_findings
from yuanmai.funds.findings.paying import refresh_paying
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
from yuanmai.funds.paying.life import follow_payments
from yuanmai.funds.paying.loading import flows, hold, today_of
from yuanmai.funds.paying.wording import enforce
from yuanmai.funds.permissions import KEEP_CONTRACTS, PAY_BONDS, SEE_FUNDS
from yuanmai.projects.actions.wording import reason_needed
from yuanmai.projects.models import Project

Taken = Contract | Certificate | Invoice | UsePlan | Disbursement | Payment | WorkItem | Measurement
NEEDS: dict[type, str] = {Disbursement: PAY_BONDS, Payment: PAY_BONDS}


def project_of(row: Taken) -> Project:
    """Return the project that an entry belongs to."""
    if isinstance(row, Certificate | Invoice):
        return row.contract.project
    return row.item.project if isinstance(row, Measurement) else row.project


@action("funds.take_back_paying", permission=SEE_FUNDS)
def take_back(act: Act, row: Taken, reason: str) -> None:
    """Take back a contract, certificate, invoice, use plan, disbursement, payment, work item or measurement.

    Refused while something else rests on it: a contract with papers or payments, a paper that was paid on, a disbursement
    whose money was spent. Money needs the right to pay, the rest the right to keep contracts.
    """
    project = project_of(row)
    act.require(project.org_id, NEEDS.get(type(row), KEEP_CONTRACTS))
    reason = reason_needed(reason)
    hold(project.pk)
    _rests_on(row)
    if not type(row)._default_manager.filter(pk=row.pk, retracted_at=None).update(retracted_at=act.now):
        raise ValidationError(_("This entry has already been taken back."))
    row.retracted_at = act.now
    amount: Any = (
        getattr(row, "amount", None) or getattr(row, "quantity", None) or getattr(row, "planned", None)
    )
    day: date | None = getattr(row, "effective_on", None) or getattr(row, "signed_on", None)
    act.log(
        row,
        org_id=project.org_id,
        before={"amount": amount, "effective_on": day},
        after={"reason": reason},
        name=str(getattr(row, "number", "") or row)[:200],
    )
    if isinstance(row, Payment):
        follow_payments(act, project, row.effective_on)
    if isinstance(row, Payment | Disbursement):
        refresh_bond_findings(act, [project.org_id], today_of(act), tranche_ids=[], project_ids=[project.pk])
    refresh_paying(act, [project.pk])


def _rests_on(row: Taken) -> None:
    """Raise `ValidationError` where another entry that stands rests on this one."""

    def refuse(text: str, **related: Any) -> None:
        for rows in related.values():
            if (number := rows.filter(retracted_at=None).count()) > 0:
                raise ValidationError(text % {"n": number})

    if isinstance(row, Contract):
        refuse(_("%(n)d payments rest on this contract. Take them back first."), payments=row.payments)
        refuse(
            _("%(n)d certificates rest on this contract. Take them back first."),
            certificates=Certificate.objects.filter(contract=row),
        )
        refuse(
            _("%(n)d invoices rest on this contract. Take them back first."),
            invoices=Invoice.objects.filter(contract=row),
        )
        refuse(_("%(n)d work quantities rest on this contract. Take them back first."), items=row.work_items)
    elif isinstance(row, Certificate | Invoice):
        refuse(_("%(n)d payments rest on this paper. Take them back first."), payments=row.payments)
    elif isinstance(row, WorkItem):
        refuse(_("%(n)d measurements rest on this work. Take them back first."), rows=row.measurements)
    elif isinstance(row, Disbursement):
        received = flows(Disbursement, row.project_id, row.tranche_id)
        spent = flows(Payment, row.project_id, row.tranche_id)
        enforce(check_return(received, spent, Flow(row.effective_on, row.amount)))
