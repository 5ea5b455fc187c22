"""Disbursement (treasury → owner) and payment (owner → payee)."""

import uuid
from datetime import date
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from yuanmai.core.actions import Act, action
from yuanmai.core.workbooks.models import ImportBatch
from yuanmai.funds.engine.payments import Verdict, check_disbursement, check_payment
from yuanmai.funds.findings.bonds import refresh_bond_findings
from yuanmai.funds.findings.paying import refresh_paying
from yuanmai.funds.models import (
    Certificate,
    Contract,
    Disbursement,
    Invoice,
    NamedUse,
    Payment,
    Tranche,
)
from yuanmai.funds.paying.actions.papers import Files, fact, keep
from yuanmai.funds.paying.life import follow_payments
from yuanmai.funds.paying.loading import disbursement_facts, hold, payment_facts, payment_rules, today_of
from yuanmai.funds.paying.wording import enforce
from yuanmai.funds.permissions import PAY_BONDS
from yuanmai.projects.models import Project


def _known(tranche: Tranche | None) -> Tranche:
    if tranche is None or tranche.retracted_at is not None:
        raise ValidationError(
            {"tranche": [_("This tranche is not on record. Choose one of the project's tranches.")]}
        )
    return tranche


@action("funds.disburse", permission=PAY_BONDS)
def disburse(
    act: Act,
    project: Project,
    tranche: Tranche | None,
    effective_on: date,
    amount: Decimal,
    *,
    document: str = "",
    files: Files = (),
    batch: ImportBatch | None = None,
) -> Disbursement:
    """Record what the treasury gave to the owner of a project out of a tranche.

    Never more than the project's allotment of that tranche that is left on this and every later day; not before the
    tranche's value date.
    """
    act.require(project.org_id)
    known = _known(tranche)
    hold(project.pk)
    enforce(check_disbursement(disbursement_facts(project, known, effective_on, today_of(act), amount)))
    row = Disbursement.objects.create(
        project=project,
        tranche=known,
        amount=amount,
        document=document.strip()[:120],
        **fact(act, effective_on, batch),
    )
    after = {"tranche": known.code, "amount": amount, "effective_on": effective_on, "document": row.document}
    act.log(row, org_id=project.org_id, after=after, name=known.code)
    keep(act, row, files)
    refresh_bond_findings(act, [project.org_id], today_of(act), tranche_ids=[], project_ids=[project.pk])
    refresh_paying(act, [project.pk])
    return row


@action("funds.pay", permission=PAY_BONDS)
def pay(
    act: Act,
    project: Project,
    contract: Contract,
    tranche: Tranche | None,
    effective_on: date,
    amount: Decimal,
    *,
    use: NamedUse | None = None,
    certificate: Certificate | None = None,
    invoice: Invoice | None = None,
    document: str = "",
    files: Files = (),
    batch: ImportBatch | None = None,
) -> tuple[Payment, list[Verdict]]:
    """Record what the owner paid to the payee of a contract out of a tranche; the use is the contract's unless stated.

    Returns the payment and what was flagged (ahead of work, outside the use plan, above an invoice …). Refused, and nothing
    stored: more than is left of the contract or of the money disbursed of this tranche, a contract of another project, a
    tranche that was not allotted to the project, a use that is not named or no capital expenditure, a day before signing.
    """
    act.require(project.org_id)
    known = _known(tranche)
    hold(project.pk)
    use = use or contract.use
    facts = payment_facts(
        project,
        contract,
        known,
        effective_on,
        today_of(act),
        amount,
        use=use,
        certificate=certificate,
        invoice=invoice,
    )
    flags = enforce(check_payment(facts, payment_rules(project.org_id, effective_on)))
    row = Payment.objects.create(
        uid=uuid.uuid4(),
        project=project,
        tranche=known,
        contract=contract,
        certificate=certificate,
        invoice=invoice,
        use=use,
        amount=amount,
        document=document.strip()[:120],
        **fact(act, effective_on, batch),
    )
    after = {
        "contract": contract.number,
        "payee": contract.payee,
        "tranche": known.code,
        "amount": amount,
        "effective_on": effective_on,
        "use": use.name if use else "",
        "flags": [verdict.code for verdict in flags],
    }
    act.log(row, org_id=project.org_id, after=after, name=f"{contract.number} {contract.payee}")
    keep(act, row, files)
    follow_payments(act, project, effective_on)
    refresh_bond_findings(act, [project.org_id], today_of(act), tranche_ids=[], project_ids=[project.pk])
    refresh_paying(act, [project.pk])
    return row, flags
