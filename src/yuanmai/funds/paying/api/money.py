"""Disbursements, payments and the sums of a project for programs."""

from datetime import date
from uuid import UUID

from django.http import Http404
from pydantic import Field

from yuanmai.core.api import Amount, ApiRequest, Page, Paging, Query, Schema, paginate
from yuanmai.core.figures import Query as Question
from yuanmai.funds.models import Certificate, Disbursement, Invoice, NamedUse, Payment
from yuanmai.funds.paying import actions
from yuanmai.funds.paying.api.base import (
    FlagOut,
    contract_of,
    flags_of,
    project_of,
    router,
    row_of,
    tranche_of,
)
from yuanmai.funds.paying.file import payment_files
from yuanmai.funds.paying.queries import disbursements, pay_totals, payments
from yuanmai.funds.permissions import PAY_BONDS, SEE_FUNDS


class SumsOut(Schema):
    """The bond money of a project on its way, as of the day asked for."""

    project: UUID
    allotted: Amount
    contracted: Amount
    certified: Amount
    uncertified: Amount
    invoiced: Amount
    disbursed: Amount
    paid: Amount
    left: Amount = Field(description="disbursed and still with the owner")


@router.get("/projects/{uuid:uid}", permission=SEE_FUNDS, response=SumsOut)
def get_sums(request: ApiRequest, uid: UUID) -> SumsOut:
    """Show what became of a project's bond money."""
    project = project_of(uid)
    query = Question((project.org_id,), request.view.as_of, request.view.known_at)
    sums = pay_totals(query, [project.pk])
    names = [name for name in SumsOut.model_fields if name != "project"]
    return SumsOut(project=uid, **{name: getattr(sums, name) for name in names})


class DisbursementOut(Schema):
    """Treasury → owner."""

    id: int
    project: UUID
    tranche: str = Field(description="bond code")
    amount: Amount = Field(description="negative where a change of use sent it back")
    effective_on: date
    document: str


def _disbursement(row: Disbursement) -> DisbursementOut:
    return DisbursementOut(
        id=row.pk,
        project=row.project.uid,
        tranche=row.tranche.code,
        amount=row.amount,
        effective_on=row.effective_on,
        document=row.document,
    )


@router.get("/disbursements", permission=SEE_FUNDS, response=Page[DisbursementOut])
def list_disbursements(request: ApiRequest, paging: Query[Paging]) -> Page[DisbursementOut]:
    """List what the treasury gave to owners, the newest first."""
    rows = disbursements(request.view.query()).select_related("project", "tranche")
    return paginate(request, rows.order_by("-effective_on", "-id"), paging, _disbursement)


class DisbursementIn(Schema):
    """Treasury → owner."""

    tranche: UUID
    amount: Amount
    effective_on: date
    document: str = Field("", max_length=120)


@router.post("/projects/{uuid:uid}/disbursements", permission=PAY_BONDS, response={201: DisbursementOut})
def disburse(request: ApiRequest, uid: UUID, body: DisbursementIn) -> tuple[int, DisbursementOut]:
    """Record a disbursement; never more than is allotted and left."""
    row = actions.disburse(
        request.actor,
        project_of(uid),
        tranche_of(body.tranche),
        body.effective_on,
        body.amount,
        document=body.document,
    )
    return 201, _disbursement(row)


class PaperOut(Schema):
    """One part of a payment file."""

    code: str = Field(description="use_plan, contract, certificate, invoice, photo")
    state: str = Field(description="present, no_file, unconfirmed, missing")
    files: list[str]


class PaymentOut(Schema):
    """Owner → payee."""

    uid: UUID
    id: int
    project: UUID
    contract: UUID
    contract_number: str
    payee: str
    tranche: str = Field(description="bond code")
    amount: Amount
    effective_on: date
    use: str
    certificate: int | None
    invoice: int | None
    document: str
    flags: list[FlagOut] = Field(default_factory=list)


class PaymentFileOut(PaymentOut):
    """A payment with its file."""

    parts: list[PaperOut]
    complete: bool


RELATED = ("project", "contract", "tranche", "use", "certificate", "invoice")


def _values(row: Payment) -> dict[str, object]:
    return {
        "uid": row.uid,
        "id": row.pk,
        "project": row.project.uid,
        "contract": row.contract.uid,
        "contract_number": row.contract.number,
        "payee": row.contract.payee,
        "tranche": row.tranche.code,
        "amount": row.amount,
        "effective_on": row.effective_on,
        "use": row.use.name if row.use else "",
        "certificate": row.certificate_id,
        "invoice": row.invoice_id,
        "document": row.document,
    }


def _payment(row: Payment) -> PaymentOut:
    return PaymentOut.model_validate(_values(row))


class PaymentFilter(Schema):
    """Which payments."""

    project: UUID | None = None
    contract: UUID | None = None


@router.get("/payments", permission=SEE_FUNDS, response=Page[PaymentOut])
def list_payments(
    request: ApiRequest, filters: Query[PaymentFilter], paging: Query[Paging]
) -> Page[PaymentOut]:
    """List payments, the newest first."""
    rows = payments(request.view.query()).select_related(*RELATED)
    if filters.project is not None:
        rows = rows.filter(project__uid=filters.project)
    if filters.contract is not None:
        rows = rows.filter(contract__uid=filters.contract)
    return paginate(request, rows.order_by("-effective_on", "-id"), paging, _payment)


@router.get("/payments/{uuid:uid}", permission=SEE_FUNDS, response=PaymentFileOut)
def get_payment(request: ApiRequest, uid: UUID) -> PaymentFileOut:
    """Show a payment with its file: which parts are there, and what is missing."""
    row = Payment.objects.select_related(*RELATED).filter(uid=uid, retracted_at=None).first()
    if row is None:
        raise Http404
    file = payment_files([row])[row.pk]
    parts = [PaperOut(code=p.code, state=p.state, files=[f.name for f in p.files]) for p in file.parts]
    return PaymentFileOut.model_validate({**_values(row), "parts": parts, "complete": file.complete})


class PaymentIn(Schema):
    """Owner → payee; the use is the contract's unless stated."""

    tranche: UUID
    amount: Amount
    effective_on: date
    use: int | None = Field(None, description="id of a named use")
    certificate: int | None = None
    invoice: int | None = None
    document: str = Field("", max_length=120, description="voucher number")


@router.post("/contracts/{uuid:uid}/payments", permission=PAY_BONDS, response={201: PaymentOut})
def pay(request: ApiRequest, uid: UUID, body: PaymentIn) -> tuple[int, PaymentOut]:
    """Record a payment of a contract; refused above the contract or the disbursed money, flagged where it runs ahead."""
    contract = contract_of(uid)
    row, flags = actions.pay(
        request.actor,
        contract.project,
        contract,
        tranche_of(body.tranche),
        body.effective_on,
        body.amount,
        use=row_of(NamedUse, body.use, "reserve") if body.use is not None else None,
        certificate=row_of(Certificate, body.certificate) if body.certificate is not None else None,
        invoice=row_of(Invoice, body.invoice) if body.invoice is not None else None,
        document=body.document,
    )
    return 201, PaymentOut.model_validate({**_values(row), "flags": flags_of(flags)})
