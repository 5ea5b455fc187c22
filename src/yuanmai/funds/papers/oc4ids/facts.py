"""What the document of one project is made of (pure)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True)
class Party:
    """An organisation: `id` is local to the project, `code` its unified social credit code, if known."""

    id: str
    name: str
    code: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class BondPart:
    """A project's part of a bond; `first` and `last` are its first and last payment, `frequency` payments a year."""

    code: str
    name: str
    amount: Decimal
    rate: Decimal
    value_date: date
    maturity: date
    first: date
    frequency: int
    repayment: str
    issuer: Party
    payments: Sequence[tuple[date, Decimal]] = ()  # principal and interest due, by date


@dataclass(frozen=True, slots=True)
class Source:
    """Money of another kind: `kind` is fiscal, loan, own or other."""

    id: str
    kind: str
    name: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class LoanPart:
    """A market loan beside the bonds."""

    id: str
    lender: str
    principal: Decimal
    rate: Decimal
    drawn_on: date
    frequency: int


@dataclass(frozen=True, slots=True)
class Move:
    """A movement of money: a payment, or a disbursement of the treasury."""

    id: str
    day: date
    amount: Decimal
    payer: Party
    payee: Party


@dataclass(frozen=True, slots=True)
class ContractPart:
    """A contract with what was paid under it."""

    number: str
    name: str
    nature: str
    amount: Decimal
    signed_on: date
    supplier: Party
    payments: Sequence[Move]
    certificates: Sequence[tuple[str, date, Decimal, bool]] = ()  # number, day, amount, confirmed

    @property
    def paid(self) -> Decimal:
        """What was paid under it."""
        return sum((move.amount for move in self.payments), Decimal(0))


@dataclass(frozen=True, slots=True)
class Quantity:
    """Physical work: so much planned, so much measured."""

    id: str
    name: str
    unit: str
    unit_code: str
    planned: Decimal
    measured: Decimal | None
    measured_on: date | None


@dataclass(frozen=True, slots=True)
class Paper:
    """A document of the project, as the checklist of the offering file names it."""

    id: str
    kind: str
    title: str
    number: str = ""
    day: date | None = None
    format: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the project's life that is a milestone: `code` and `type` of the codelists, planned and met."""

    id: str
    title: str
    type: str
    code: str = ""
    due: date | None = None
    met: date | None = None
    value: Decimal | None = None


@dataclass(frozen=True, slots=True)
class ProjectFacts:
    """One project as of a day. Amounts are yuan, rates fractions, geometries GeoJSON in WGS84."""

    id: str
    title: str
    as_of: date
    status: str
    updated: str  # moment, with its offset
    description: str = ""
    purpose: str = ""
    identifiers: Sequence[tuple[str, str]] = ()  # scheme, id
    sectors: Sequence[str] = ()
    start: date | None = None
    finish: date | None = None
    geometry: Mapping[str, Any] | None = None
    address: str = ""
    region: str = ""
    total: Decimal | None = None
    requested_on: date | None = None
    approved_on: date | None = None
    authority: Party | None = None
    owner: Party | None = None
    responsible: Party | None = None
    bonds: Sequence[BondPart] = ()
    loans: Sequence[LoanPart] = ()
    sources: Sequence[Source] = ()
    contracts: Sequence[ContractPart] = ()
    moves: Sequence[Move] = ()
    quantities: Sequence[Quantity] = ()
    papers: Sequence[Paper] = ()
    steps: Sequence[Step] = ()
    coverage: Mapping[str, Decimal] = field(default_factory=dict)  # name of the denominator → value
    done: Decimal | None = None  # investment done since the start
    progress: Decimal | None = None  # visible progress in percent
    reported_on: date | None = None
