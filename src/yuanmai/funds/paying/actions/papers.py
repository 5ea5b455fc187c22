"""Contracts, progress certificates and their confirmation, invoices, use plans."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from yuanmai.core.actions import Act, action
from yuanmai.core.scope import everywhere
from yuanmai.core.workbooks.models import ImportBatch
from yuanmai.enterprises.models import Enterprise
from yuanmai.funds.engine.payments import (
    Verdict,
    check_amount,
    check_day,
    check_paper,
    check_use_plan,
)
from yuanmai.funds.files import attach
from yuanmai.funds.findings.paying import refresh_paying
from yuanmai.funds.models import Certificate, Contract, Invoice, NamedUse, UsePlan
from yuanmai.funds.paying.loading import (
    contract_facts,
    hold,
    month_of,
    named_uses,
    payment_rules,
    summed,
    today_of,
)
from yuanmai.funds.paying.names import invoice_number, seller_name
from yuanmai.funds.paying.wording import enforce, sentence
from yuanmai.funds.permissions import KEEP_CONTRACTS
from yuanmai.funds.reserve.rules import rule
from yuanmai.projects.models import Project

Files = Sequence[tuple[str, "UploadedFile[Any]"]]  # (kind, file): contract, certificate, invoice, photo …


def keep(act: Act, row: Any, files: Files) -> None:
    """Keep files with a row that was just stored."""
    for kind, upload in files:
        attach(act, row, kind, upload)


def fact(act: Act, day: date, batch: ImportBatch | None) -> dict[str, Any]:
    """Return the columns that every fact has."""
    return {
        "effective_on": day,
        "recorded_at": act.now,
        "recorded_by_id": act.actor.user_id,
        "batch": batch,
    }


def text_needed(values: Mapping[str, Any], **sentences: str) -> dict[str, str]:
    """Return the texts without blanks around them; raises `ValidationError` with the sentence of each that is empty."""
    texts = {name: " ".join(str(values.get(name) or "").split()) for name in sentences}
    if missing := {name: [sentences[name]] for name, text in texts.items() if not text}:
        raise ValidationError(missing)
    return texts


def refused(field: str, text: str) -> ValidationError:
    """Return a refusal at a field."""
    return ValidationError({field: [text]})


@action("funds.record_contract", permission=KEEP_CONTRACTS)
def record_contract(
    act: Act,
    project: Project,
    *,
    number: str,
    name: str,
    payee: str,
    amount: Decimal,
    signed_on: date,
    use: NamedUse | None = None,
    files: Files = (),
    batch: ImportBatch | None = None,
) -> Contract:
    """Record a contract of a project with a payee; `use` is the use of the offering file that it serves.

    An enterprise of the payee's name in the register is linked. Raises `ValidationError` for a number that the project has
    already, an amount that is not positive, a day in the future, and a use of another project.
    """
    act.require(project.org_id)
    texts = text_needed(
        {"number": number, "name": name, "payee": payee},
        number=_("State the number of the contract."),
        name=_("State what the contract is about."),
        payee=_("State who is paid."),
    )
    enforce([*check_amount(amount), *check_day(signed_on, today_of(act), name="signed_on")])
    if use is not None and not named_uses([project.pk]).filter(pk=use.pk).exists():
        raise refused("use", sentence(Verdict("use_not_named", field="use", params={"use": use.name})))
    if Contract.objects.filter(project=project, number=texts["number"], retracted_at=None).exists():
        raise refused("number", _("The project already has a contract “%(n)s”.") % {"n": texts["number"]})
    try:
        with transaction.atomic():
            contract = Contract.objects.create(
                org_id=project.org_id,
                project=project,
                uid=uuid.uuid4(),
                amount=amount,
                signed_on=signed_on,
                use=use,
                enterprise=_enterprise(texts["payee"], project.org_id),
                recorded_at=act.now,
                batch=batch,
                **texts,
            )
    except IntegrityError:
        raise refused(
            "number", _("The project already has a contract “%(n)s”.") % {"n": texts["number"]}
        ) from None
    after = {**texts, "amount": amount, "signed_on": signed_on, "use": use.name if use else ""}
    act.log(contract, after=after, name=str(contract))
    keep(act, contract, files)
    return contract


def _enterprise(name: str, org_id: int) -> Enterprise | None:
    known = Enterprise.objects.filter(name=name, retired_at=None)
    return known.filter(org_id=org_id).first() or known.first()


@action("funds.certify", permission=KEEP_CONTRACTS)
def certify(
    act: Act,
    contract: Contract,
    effective_on: date,
    *,
    number: str,
    amount: Decimal,
    supervisor: str = "",
    confirmed_on: date | None = None,
    files: Files = (),
    batch: ImportBatch | None = None,
) -> tuple[Certificate, list[Verdict]]:
    """Record a progress certificate: the value of the work done since the last one.

    It counts for payment once confirmed (:func:`confirm_certificate`). Only an import may bring `confirmed_on` along, since it
    brings what happened elsewhere.
    """
    act.require(contract.org_id)
    hold(contract.project_id)
    (text,) = text_needed({"number": number}, number=_("State the number of the certificate.")).values()
    today = today_of(act)
    facts = contract_facts(contract, contract.project, today)
    stated = summed(Certificate.objects.filter(contract=contract))
    code = "certified_above_contract"
    flags = enforce([*_stands(contract), *check_paper(amount, effective_on, today, facts, stated, code=code)])
    if Certificate.objects.filter(contract=contract, number=text, retracted_at=None).exists():
        raise refused("number", _("The contract already has a certificate “%(n)s”.") % {"n": text})
    if confirmed_on is not None:
        if batch is None:
            raise refused(
                "confirmed_on", _("A certificate is confirmed after it was recorded, by somebody else.")
            )
        _check_confirmation(supervisor, confirmed_on, effective_on, today)
    row = Certificate.objects.create(
        contract=contract,
        number=text,
        amount=amount,
        supervisor=supervisor.strip(),
        confirmed_on=confirmed_on,
        confirmed_at=act.now if confirmed_on else None,
        confirmed_by_id=act.actor.user_id if confirmed_on else None,
        **fact(act, effective_on, batch),
    )
    after = {"number": text, "amount": amount, "effective_on": effective_on, "confirmed_on": confirmed_on}
    act.log(row, org_id=contract.org_id, after=after, name=f"{contract.number} / {text}")
    keep(act, row, files)
    refresh_paying(act, [contract.project_id])
    return row, flags


@action("funds.confirm_certificate", permission=KEEP_CONTRACTS)
def confirm_certificate(
    act: Act, certificate: Certificate, supervisor: str, confirmed_on: date, *, files: Files = ()
) -> Certificate:
    """State that the supervisor confirmed a certificate. Whoever recorded it does not confirm it (a rule of the place)."""
    contract = certificate.contract
    act.require(contract.org_id)
    hold(contract.project_id)
    certificate.refresh_from_db()
    if certificate.retracted_at is not None:
        raise ValidationError(_("This certificate has been taken back."))
    if certificate.confirmed_on is not None:
        raise ValidationError(_("This certificate has already been confirmed."))
    today = today_of(act)
    own = act.actor.user_id is not None and certificate.recorded_by_id == act.actor.user_id
    if own and rule("certificate_four_eyes", contract.org_id, today) == "refuse":
        raise ValidationError(
            _("You recorded this certificate yourself; somebody else enters the supervisor's confirmation.")
        )
    _check_confirmation(supervisor, confirmed_on, certificate.effective_on, today)
    certificate.supervisor, certificate.confirmed_on = supervisor.strip()[:120], confirmed_on
    certificate.confirmed_at, certificate.confirmed_by_id = act.now, act.actor.user_id
    certificate.save(update_fields=["supervisor", "confirmed_on", "confirmed_at", "confirmed_by"])
    act.log(
        certificate,
        org_id=contract.org_id,
        after={"supervisor": certificate.supervisor, "confirmed_on": confirmed_on},
        name=f"{contract.number} / {certificate.number}",
    )
    keep(act, certificate, files)
    refresh_paying(act, [contract.project_id])
    return certificate


def _check_confirmation(supervisor: str, confirmed_on: date, effective_on: date, today: date) -> None:
    if not supervisor.strip():
        raise refused("supervisor", _("State who confirmed it for the supervising firm."))
    enforce(check_day(confirmed_on, today, name="confirmed_on"))
    if confirmed_on < effective_on:
        raise refused("confirmed_on", _("It cannot be confirmed before the day of the certificate."))


def _stands(contract: Contract) -> list[Verdict]:
    """Refuse papers of a contract that was taken back."""
    if contract.retracted_at is not None:
        raise ValidationError(_("This contract has been taken back."))
    return []


@action("funds.record_invoice", permission=KEEP_CONTRACTS)
def record_invoice(
    act: Act,
    contract: Contract,
    effective_on: date,
    *,
    number: str,
    amount: Decimal,
    seller: str = "",
    files: Files = (),
    batch: ImportBatch | None = None,
) -> tuple[Invoice, list[Verdict]]:
    """Record an invoice of a contract; the seller is the payee unless stated.

    A number that this seller has already used is refused in the whole installation; where the other invoice lies is only
    said to those who may see it.
    """
    act.require(contract.org_id)
    hold(contract.project_id)
    text = invoice_number(number)
    if not text:
        raise refused("number", _("State the number of the invoice."))
    name = seller_name(seller or contract.payee)
    today = today_of(act)
    facts = contract_facts(contract, contract.project, today)
    stated = summed(Invoice.objects.filter(contract=contract))
    flags = enforce(
        [
            *_stands(contract),
            *check_paper(amount, effective_on, today, facts, stated, code="invoiced_above_contract"),
        ]
    )
    _refuse_double(name, text)
    try:
        with transaction.atomic():
            row = Invoice.objects.create(
                contract=contract, seller=name, number=text, amount=amount, **fact(act, effective_on, batch)
            )
    except IntegrityError:
        _refuse_double(name, text)
        raise
    after = {"number": text, "seller": name, "amount": amount, "effective_on": effective_on}
    act.log(row, org_id=contract.org_id, after=after, name=f"{contract.number} / {text}")
    keep(act, row, files)
    refresh_paying(act, [contract.project_id])
    return row, flags


def _refuse_double(seller: str, number: str) -> None:
    """Refuse an invoice that stands somewhere in the installation, without telling strangers where."""
    with everywhere():
        taken = Invoice.objects.filter(seller=seller, number=number, retracted_at=None).values_list(
            "pk", flat=True
        )
        pk = taken.first()
    if pk is None:
        return
    mine = Invoice.objects.filter(pk=pk).select_related("contract").first()
    words = {"number": number, "seller": seller}
    if mine is not None:
        raise refused(
            "number",
            _(
                "Invoice %(number)s of %(seller)s was already entered on %(day)s for the contract “%(contract)s”."
            )
            % {**words, "day": mine.effective_on.isoformat(), "contract": mine.contract},
        )
    raise refused(
        "number",
        _("Invoice %(number)s of %(seller)s has already been used. Check the number, and ask the seller.")
        % words,
    )


@action("funds.file_use_plan", permission=KEEP_CONTRACTS)
def file_use_plan(
    act: Act,
    project: Project,
    month: date,
    amount: Decimal,
    filed_on: date,
    *,
    files: Files = (),
    batch: ImportBatch | None = None,
) -> tuple[UsePlan, list[Verdict]]:
    """File what a project means to spend in a month; a later filing for the same month takes the place of the earlier one.

    Filed later than the place's rule asks (a month before) it is stored and flagged.
    """
    act.require(project.org_id)
    hold(project.pk)
    today = today_of(act)
    rules = payment_rules(project.org_id, filed_on or today)
    first = month_of(month) if month else None
    flags = enforce(check_use_plan(amount, first, filed_on, today, rules.plan_months_before))
    assert first is not None
    same = UsePlan.objects.filter(project=project, month=first, amount=amount, effective_on=filed_on)
    if same.filter(retracted_at=None).exists():
        raise refused("amount", _("This plan has already been filed."))
    row = UsePlan.objects.create(project=project, month=first, amount=amount, **fact(act, filed_on, batch))
    after = {"month": first, "amount": amount, "filed_on": filed_on}
    act.log(row, org_id=project.org_id, after=after, name=f"{first:%Y-%m}")
    keep(act, row, files)
    refresh_paying(act, [project.pk])
    return row, flags
