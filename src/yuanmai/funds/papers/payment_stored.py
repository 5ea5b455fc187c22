"""What a payment ledger is made of, and the contracts, invoices and payments that it is compared with."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from yuanmai.core.workbooks.engine.result import Row, SheetReading
from yuanmai.core.workbooks.engine.text import key
from yuanmai.funds.models import Certificate, Contract, Invoice, NamedUse, Payment, Tranche
from yuanmai.funds.papers.bond_ledger import CARRIED
from yuanmai.funds.papers.stored import Pair, ProjectRef, Stored
from yuanmai.funds.queries import ZERO

Place = tuple[SheetReading, Row]


@dataclass(slots=True)
class Deal:
    """A contract of the file: the stored one, or what is needed to enter it."""

    project: ProjectRef
    stored: Contract | None
    number: str
    name: str
    payee: str
    amount: Decimal | None = None
    signed_on: date | None = None
    first_paid: date | None = None
    total: Decimal = ZERO  # of the new payments

    @property
    def worth(self) -> Decimal:
        """The amount of the contract; where nobody states it, what is paid under it."""
        if self.stored is not None:
            return self.stored.amount
        return self.total if self.amount is None else self.amount


@dataclass(slots=True)
class Bill:
    """An invoice of the file."""

    number: str
    seller: str
    deal: Deal
    stored: Invoice | None
    amount: Decimal | None
    first: Place
    total: Decimal = ZERO

    @property
    def worth(self) -> Decimal:
        """The amount of the invoice; where nobody states it, what the first payment on it was."""
        if self.stored is not None:
            return self.stored.amount
        return self.total if self.amount is None else self.amount


@dataclass(slots=True)
class Paid:
    """What a row says: a payment, ready to be recorded; `old` is a stored one that it corrects or repeats."""

    project: ProjectRef
    tranche: Tranche
    deal: Deal
    bill: Bill | None
    day: date
    amount: Decimal
    voucher: str
    use: NamedUse | None
    certificate: Certificate | None
    old: Payment | None = None
    same: bool = False


class Register:
    """The contracts, invoices, certificates, uses and payments of an organisation; five queries."""

    def __init__(self, stored: Stored) -> None:
        ids = list(stored.org_ids)
        self.contracts: dict[tuple[int, str], Contract] = {}
        self.by_name: dict[tuple[int, str, str], Contract] = {}
        for row in Contract.objects.filter(org_id__in=ids, retracted_at=None).order_by("id"):
            self.contracts.setdefault((row.project_id, key(row.number)), row)
            self.by_name.setdefault((row.project_id, key(row.name), key(row.payee)), row)
        self.invoices: dict[tuple[str, str], Invoice] = {}
        for invoice in Invoice.objects.filter(retracted_at=None).select_related("contract").order_by("id"):
            self.invoices.setdefault((key(invoice.seller), key(invoice.number)), invoice)
        self.certificates: dict[tuple[int, str], Certificate] = {}
        for certificate in Certificate.objects.filter(contract__org_id__in=ids, retracted_at=None).order_by(
            "id"
        ):
            self.certificates.setdefault((certificate.contract_id, key(certificate.number)), certificate)
        self.uses: dict[int, dict[str, NamedUse]] = defaultdict(dict)
        named = NamedUse.objects.filter(reserve__org_id__in=ids, reserve__withdrawn_at=None, retired_at=None)
        for use in named.select_related("reserve").order_by("id"):
            self.uses[use.reserve.project_id].setdefault(key(use.name), use)
        self.paid: dict[int, Decimal] = defaultdict(lambda: ZERO)  # by contract
        self.on_invoice: dict[int, Decimal] = defaultdict(lambda: ZERO)
        self.payments: dict[tuple[Any, ...], Payment] = {}
        self.carried: dict[Pair, tuple[date, Decimal]] = {}
        several: set[tuple[Any, ...]] = set()
        rows = Payment.objects.filter(project__org_id__in=ids, retracted_at=None)
        for payment in rows.select_related("contract", "invoice").order_by("id"):
            self.paid[payment.contract_id] += payment.amount
            if payment.invoice_id:
                self.on_invoice[payment.invoice_id] += payment.amount
            if payment.contract.number == CARRIED:
                pair = (payment.project_id, payment.tranche_id)
                day, total = self.carried.get(pair, (date.min, ZERO))
                self.carried[pair] = (max(day, payment.effective_on), total + payment.amount)
                continue
            for mark in self._marks(payment):
                if mark[0] != "exact" and mark in self.payments:
                    several.add(mark)  # paid in parts: nothing tells which part is meant
                self.payments.setdefault(mark, payment)
        for mark in several:
            del self.payments[mark]

    @staticmethod
    def _marks(payment: Payment) -> Iterator[tuple[Any, ...]]:
        base = (payment.project_id, payment.tranche_id, payment.contract_id)
        number = key(payment.invoice.number) if payment.invoice else ""
        yield ("exact", *base, number, key(payment.document), payment.effective_on, payment.amount)
        if payment.document:
            yield ("voucher", *base, key(payment.document))
        elif number:
            yield ("invoice", *base, number)
