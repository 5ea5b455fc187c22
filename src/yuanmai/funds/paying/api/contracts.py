"""Contracts, progress certificates, invoices, use plans for programs."""

from datetime import date
from typing import Literal
from uuid import UUID

from django.http import Http404
from pydantic import Field

from yuanmai.core.api import Amount, ApiRequest, Exact, Page, Paging, Query, Schema, paginate
from yuanmai.core.figures import Query as Question
from yuanmai.funds.models import (
    Certificate,
    Contract,
    Disbursement,
    Invoice,
    Measurement,
    NamedUse,
    Payment,
    UsePlan,
    WorkItem,
)
from yuanmai.funds.paying import actions
from yuanmai.funds.paying.api.base import (
    FlagOut,
    TakeBackIn,
    contract_of,
    flags_of,
    project_of,
    router,
    row_of,
)
from yuanmai.funds.paying.queries import (
    NOTHING,
    PaySums,
    certificates,
    contracts,
    invoices,
    pay_sums,
)
from yuanmai.funds.permissions import KEEP_CONTRACTS, SEE_FUNDS


class ContractOut(Schema):
    """A contract and what became of it, as of the day asked for."""

    uid: UUID
    project: UUID
    number: str
    name: str
    payee: str
    amount: Amount
    signed_on: date
    use: str = Field(description="the use of the offering file that it serves")
    certified: Amount = Field(description="by progress certificates that the supervisor confirmed")
    uncertified: Amount = Field(description="by certificates that wait for the confirmation")
    invoiced: Amount
    paid: Amount
    paid_share: Exact | None = Field(description="paid ÷ contract amount, unrounded")


def _contract(row: Contract, sums: PaySums) -> ContractOut:
    return ContractOut(
        uid=row.uid,
        project=row.project.uid,
        number=row.number,
        name=row.name,
        payee=row.payee,
        amount=row.amount,
        signed_on=row.signed_on,
        use=row.use.name if row.use else "",
        certified=sums.certified,
        uncertified=sums.uncertified,
        invoiced=sums.invoiced,
        paid=sums.paid,
        paid_share=sums.paid_share,
    )


class ContractFilter(Schema):
    """Which contracts."""

    project: UUID | None = None


@router.get("/contracts", permission=SEE_FUNDS, response=Page[ContractOut])
def list_contracts(
    request: ApiRequest, filters: Query[ContractFilter], paging: Query[Paging]
) -> Page[ContractOut]:
    """List the contracts of the chosen organisation, the newest first."""
    query = request.view.query()
    rows = contracts(query).select_related("project", "use").order_by("-signed_on", "-id")
    if filters.project is not None:
        rows = rows.filter(project__uid=filters.project)
    sums = pay_sums(query, "contract")
    return paginate(request, rows, paging, lambda row: _contract(row, sums.get(row.pk, NOTHING)))


def _shown(request: ApiRequest, row: Contract) -> ContractOut:
    query = Question((row.org_id,), request.view.as_of, request.view.known_at)
    return _contract(row, pay_sums(query, "contract", [row.project_id]).get(row.pk, NOTHING))


@router.get("/contracts/{uuid:uid}", permission=SEE_FUNDS, response=ContractOut)
def get_contract(request: ApiRequest, uid: UUID) -> ContractOut:
    """Show a contract."""
    row = contract_of(uid)
    if row.retracted_at is not None:
        raise Http404
    return _shown(request, row)


class ContractIn(Schema):
    """A contract."""

    number: str = Field(max_length=80)
    name: str = Field(max_length=200)
    payee: str = Field(max_length=160)
    amount: Amount
    signed_on: date
    use: int | None = Field(None, description="id of a use that the project's offering file names")


@router.post("/projects/{uuid:uid}/contracts", permission=KEEP_CONTRACTS, response={201: ContractOut})
def record_contract(request: ApiRequest, uid: UUID, body: ContractIn) -> tuple[int, ContractOut]:
    """Record a contract of a project."""
    use = row_of(NamedUse, body.use, "reserve") if body.use is not None else None
    # Attribute by attribute: dumping the document would turn the amount into a JSON number.
    values = {name: getattr(body, name) for name in ("number", "name", "payee", "amount", "signed_on")}
    row = actions.record_contract(request.actor, project_of(uid), **values, use=use)
    return 201, _shown(request, row)


class CertificateOut(Schema):
    """A progress certificate."""

    id: int
    contract: UUID
    number: str
    amount: Amount = Field(description="work done since the last one")
    effective_on: date
    supervisor: str
    confirmed_on: date | None
    flags: list[FlagOut] = Field(default_factory=list)


def _certificate(row: Certificate, flags: list[FlagOut] | None = None) -> CertificateOut:
    names = ("id", "number", "amount", "effective_on", "supervisor", "confirmed_on")
    return CertificateOut(
        contract=row.contract.uid, flags=flags or [], **{name: getattr(row, name) for name in names}
    )


class CertificateFilter(Schema):
    """Which certificates."""

    contract: UUID | None = None
    confirmed: bool | None = None


@router.get("/certificates", permission=SEE_FUNDS, response=Page[CertificateOut])
def list_certificates(
    request: ApiRequest, filters: Query[CertificateFilter], paging: Query[Paging]
) -> Page[CertificateOut]:
    """List progress certificates, the oldest first."""
    rows = certificates(request.view.query()).select_related("contract").order_by("effective_on", "id")
    if filters.contract is not None:
        rows = rows.filter(contract__uid=filters.contract)
    if filters.confirmed is not None:
        rows = rows.filter(confirmed_on__isnull=not filters.confirmed)
    return paginate(request, rows, paging, _certificate)


class CertificateIn(Schema):
    """A progress certificate."""

    number: str = Field(max_length=80)
    amount: Amount
    effective_on: date


@router.post("/contracts/{uuid:uid}/certificates", permission=KEEP_CONTRACTS, response={201: CertificateOut})
def certify(request: ApiRequest, uid: UUID, body: CertificateIn) -> tuple[int, CertificateOut]:
    """Record a progress certificate; it counts once confirmed."""
    row, flags = actions.certify(
        request.actor, contract_of(uid), body.effective_on, number=body.number, amount=body.amount
    )
    return 201, _certificate(row, flags_of(flags))


class ConfirmationIn(Schema):
    """The supervisor's confirmation."""

    supervisor: str = Field(max_length=120)
    confirmed_on: date


@router.post("/certificates/{int:pk}/confirm", permission=KEEP_CONTRACTS, response=CertificateOut)
def confirm_certificate(request: ApiRequest, pk: int, body: ConfirmationIn) -> CertificateOut:
    """Enter the supervisor's confirmation of a certificate that somebody else recorded."""
    row = row_of(Certificate, pk, "contract__project")
    return _certificate(actions.confirm_certificate(request.actor, row, body.supervisor, body.confirmed_on))


class InvoiceOut(Schema):
    """An invoice."""

    id: int
    contract: UUID
    number: str
    seller: str
    amount: Amount
    effective_on: date
    flags: list[FlagOut] = Field(default_factory=list)


def _invoice(row: Invoice, flags: list[FlagOut] | None = None) -> InvoiceOut:
    names = ("id", "number", "seller", "amount", "effective_on")
    return InvoiceOut(
        contract=row.contract.uid, flags=flags or [], **{name: getattr(row, name) for name in names}
    )


@router.get("/contracts/{uuid:uid}/invoices", permission=SEE_FUNDS, response=list[InvoiceOut])
def list_invoices(request: ApiRequest, uid: UUID) -> list[InvoiceOut]:
    """List the invoices of a contract."""
    contract = contract_of(uid)
    query = Question((contract.org_id,), request.view.as_of, request.view.known_at)
    rows = invoices(query, [contract.project_id]).filter(contract=contract).select_related("contract")
    return [_invoice(row) for row in rows.order_by("effective_on", "id")]


class InvoiceIn(Schema):
    """An invoice; the seller is the contract's payee unless stated."""

    number: str = Field(max_length=80)
    seller: str = Field("", max_length=160)
    amount: Amount
    effective_on: date


@router.post("/contracts/{uuid:uid}/invoices", permission=KEEP_CONTRACTS, response={201: InvoiceOut})
def record_invoice(request: ApiRequest, uid: UUID, body: InvoiceIn) -> tuple[int, InvoiceOut]:
    """Record an invoice; a number that its seller has used before is refused."""
    row, flags = actions.record_invoice(
        request.actor,
        contract_of(uid),
        body.effective_on,
        number=body.number,
        amount=body.amount,
        seller=body.seller,
    )
    return 201, _invoice(row, flags_of(flags))


class UsePlanOut(Schema):
    """A use plan."""

    id: int
    project: UUID
    month: date = Field(description="its first day")
    amount: Amount
    filed_on: date
    flags: list[FlagOut] = Field(default_factory=list)


class UsePlanIn(Schema):
    """What is meant to be spent in a month; a later filing takes the place of the earlier one."""

    month: date
    amount: Amount
    filed_on: date


@router.post("/projects/{uuid:uid}/use-plans", permission=KEEP_CONTRACTS, response={201: UsePlanOut})
def file_use_plan(request: ApiRequest, uid: UUID, body: UsePlanIn) -> tuple[int, UsePlanOut]:
    """File the use plan of a month; filed late it is flagged."""
    project = project_of(uid)
    row, flags = actions.file_use_plan(request.actor, project, body.month, body.amount, body.filed_on)
    return 201, UsePlanOut(
        id=row.pk, project=project.uid, month=row.month, amount=row.amount, filed_on=row.effective_on,
        flags=flags_of(flags),
    )  # fmt: skip


Kind = Literal[
    "contract", "certificate", "invoice", "use_plan", "disbursement", "payment", "work_item", "measurement"
]
MODELS = {
    "contract": Contract,
    "certificate": Certificate,
    "invoice": Invoice,
    "use_plan": UsePlan,
    "disbursement": Disbursement,
    "payment": Payment,
    "work_item": WorkItem,
    "measurement": Measurement,
}


@router.post("/take-back/{kind}/{int:pk}", permission=SEE_FUNDS, response={204: None})
def take_back(request: ApiRequest, kind: Kind, pk: int, body: TakeBackIn) -> tuple[int, None]:
    """Take back an entry with a reason; refused while something else rests on it. Contracts and payments by their `id`."""
    actions.take_back(request.actor, row_of(MODELS[kind], pk), body.reason)
    return 204, None
