"""The OC4IDS 0.9.5 document of one project (pure). What is not known is left out, never null."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from yuanmai.funds.papers.oc4ids.facts import (
    BondPart,
    ContractPart,
    LoanPart,
    Move,
    Party,
    ProjectFacts,
    Quantity,
    Source,
    Step,
)

CURRENCY = "CNY"
OFFSET = "+08:00"  # dates of the mainland are days there
GEOMETRIES = {"Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon"}
DAYS_A_YEAR = 365
DEBT, EQUITY = "debt", "equity"

Doc = dict[str, Any]


def at(day: date | None) -> str | None:
    """Return a day as the date-time that the standard asks for: midnight in the mainland's time."""
    return None if day is None else f"{day.isoformat()}T00:00:00{OFFSET}"


def number(value: Decimal) -> float | int:
    """Return an amount as a JSON number: whole yuan stay whole, cents are exact to 15 digits."""
    return int(value) if value == value.to_integral_value() else float(value)


def money(value: Decimal | None) -> Doc | None:
    """Return an amount of yuan."""
    return None if value is None else {"amount": number(value), "currency": CURRENCY}


def lean(document: Mapping[str, Any]) -> Doc:
    """Return a document without what is not known."""
    return {
        name: value
        for name, value in document.items()
        if value is not None and value != "" and value != [] and value != {}
    }


def ref(party: Party | None) -> Doc | None:
    """Return a reference to a party."""
    return None if party is None else {"id": party.id, "name": party.name}


def period(start: date | None, end: date | None) -> Doc | None:
    """Return a period; one that ends before it starts says nothing."""
    if start and end and end < start:
        return None
    days = (end - start).days if start and end else None
    return lean({"startDate": at(start), "endDate": at(end), "durationInDays": days}) or None


def project(facts: ProjectFacts) -> Doc:
    """Return the document of one project."""
    return lean(
        {
            "id": facts.id,
            "updated": facts.updated,
            "identifiers": [{"id": value, "scheme": scheme} for scheme, value in facts.identifiers],
            "title": facts.title,
            "description": facts.description,
            "status": facts.status,
            "type": "construction",
            "sector": list(facts.sectors),
            "purpose": facts.purpose,
            "period": period(facts.start, facts.finish),
            "implementationPeriod": period(facts.start, facts.finish),
            "locations": _locations(facts),
            "publicAuthority": ref(facts.authority),
            "budget": _budget(facts),
            "parties": _parties(facts),
            "contractingProcesses": [_process(facts, contract) for contract in facts.contracts],
            "transactions": [_transaction(move) for move in facts.moves],
            "forecasts": _forecasts(facts),
            "metrics": _metrics(facts),
            "milestones": [_milestone(step, facts.as_of) for step in facts.steps],
            "documents": [
                lean(
                    {
                        "id": paper.id, "documentType": paper.kind, "title": paper.title,
                        "description": paper.number, "datePublished": at(paper.day), "format": paper.format,
                    }
                )
                for paper in facts.papers
            ],
        }
    )  # fmt: skip


def _locations(facts: ProjectFacts) -> list[Doc]:
    geometry = None
    if facts.geometry and facts.geometry.get("type") in GEOMETRIES:
        geometry = {"type": facts.geometry["type"], "coordinates": facts.geometry["coordinates"]}
    address = lean(
        {
            "streetAddress": facts.address,
            "region": facts.region,
            "countryName": "China" if facts.region else None,
        }
    )
    if not geometry and not address:
        return []
    return [lean({"id": "site", "geometry": geometry, "address": address})]


def _budget(facts: ProjectFacts) -> Doc:
    finance = [
        *(_bond(bond) for bond in facts.bonds),
        *(_loan(loan) for loan in facts.loans),
        *(_source(source) for source in facts.sources),
    ]
    return lean(
        {
            "amount": money(facts.total),
            "requestDate": at(facts.requested_on),
            "approvalDate": at(facts.approved_on),
            "finance": finance,
        }
    )


def _bond(bond: BondPart) -> Doc:
    return lean(
        {
            "id": f"bond-{bond.code}",
            "title": bond.name,
            "description": bond.repayment,
            "value": money(bond.amount),
            "financingParty": ref(bond.issuer),
            "financingPartyType": "institutional",
            "source": "special bond of a local government",
            "assetClass": [DEBT],
            "type": "bond",
            "repaymentPriority": "senior",
            "period": period(bond.value_date, bond.maturity),
            "paymentPeriod": period(bond.first, bond.maturity),
            "paymentFrequency": _every(bond.frequency),
            "interestRate": {"margin": float(bond.rate), "fixed": True},
        }
    )


def _every(frequency: int) -> float | None:
    """Return the days between two payments of so many a year."""
    return round(DAYS_A_YEAR / frequency, 1) if frequency else None


def _loan(loan: LoanPart) -> Doc:
    return lean(
        {
            "id": loan.id, "title": loan.lender, "value": money(loan.principal), "financingPartyType": "commercial",
            "financingParty": ref(Party(f"lender-{loan.lender}", loan.lender)), "assetClass": [DEBT], "type": "loan",
            "period": {"startDate": at(loan.drawn_on)}, "paymentFrequency": _every(loan.frequency),
            "interestRate": {"margin": float(loan.rate), "fixed": True},
        }
    )  # fmt: skip


def _source(source: Source) -> Doc:
    kinds = {"fiscal": "grant", "loan": "loan", "special_bond": "bond"}
    return lean(
        {
            "id": source.id, "title": source.name, "value": money(source.amount),
            "type": kinds.get(source.kind), "assetClass": [DEBT if source.kind in ("loan", "special_bond") else EQUITY],
        }
    )  # fmt: skip


def _parties(facts: ProjectFacts) -> list[Doc]:
    roles: dict[str, tuple[Party, list[str]]] = {}

    def play(party: Party | None, *names: str) -> None:
        if party is None:
            return
        known = roles.setdefault(party.id, (party, []))[1]
        known.extend(name for name in names if name not in known)

    play(facts.authority, "publicAuthority")
    play(facts.owner, "buyer", "procuringEntity")
    play(facts.responsible, "administrativeEntity")
    for bond in facts.bonds:
        play(bond.issuer, "funder")
    for loan in facts.loans:
        play(Party(f"lender-{loan.lender}", loan.lender), "funder")
    for move in _moves(facts):
        play(move.payer, "payer")
        play(move.payee, "payee")
    for contract in facts.contracts:
        play(contract.supplier, "supplier")
    return [_party(party, names) for party, names in roles.values()]


def _moves(facts: ProjectFacts) -> Iterable[Move]:
    yield from facts.moves
    for contract in facts.contracts:
        yield from contract.payments


def _party(party: Party, roles: Sequence[str]) -> Doc:
    identifier = lean({"id": party.code, "legalName": party.name}) if party.code else None
    return lean(
        {
            "id": party.id, "name": party.name, "identifier": identifier,
            "address": {"streetAddress": party.address} if party.address else None, "roles": list(roles),
        }
    )  # fmt: skip


def _process(facts: ProjectFacts, contract: ContractPart) -> Doc:
    closed = bool(contract.amount) and contract.paid >= contract.amount
    certificates = [
        _milestone(
            Step(f"certificate-{name}", name, "payment", "", day, day if confirmed else None, amount),
            facts.as_of,
        )
        for name, day, amount, confirmed in contract.certificates
    ]
    summary = lean(
        {
            "externalReference": contract.number,
            "nature": [contract.nature],
            "title": contract.name,
            "status": "closed" if closed else "active",
            "tender": lean({"procuringEntity": ref(facts.owner)}),
            "suppliers": [ref(contract.supplier)],
            "contractValue": money(contract.amount),
            "contractPeriod": {"startDate": at(contract.signed_on)},
            "finalValue": money(contract.paid) if closed else None,
            "transactions": [_transaction(move) for move in contract.payments],
            "milestones": certificates,
        }
    )
    return {"id": f"{facts.id}-{contract.number}", "summary": summary}


def _transaction(move: Move) -> Doc:
    return lean(
        {
            "id": move.id,
            "date": at(move.day),
            "value": money(move.amount),
            "payer": ref(move.payer),
            "payee": ref(move.payee),
        }
    )


def _quantity(item: Quantity, measure: Decimal, end: date | None, name: str) -> Doc:
    unit = lean({"name": item.unit, "scheme": "UNCEFACT" if item.unit_code else None, "id": item.unit_code})
    return {
        "id": item.id,
        "title": item.name,
        "observations": [
            lean(
                {
                    "id": f"{item.id}-{name}",
                    "period": period(None, end),
                    "measure": number(measure),
                    "unit": unit,
                }
            )
        ],
    }


def _forecasts(facts: ProjectFacts) -> list[Doc]:
    planned = [_quantity(item, item.planned, facts.finish, "planned") for item in facts.quantities]
    due: dict[int, Decimal] = {}
    for bond in facts.bonds:
        for day, amount in bond.payments:
            due[day.year] = due.get(day.year, Decimal(0)) + amount
    service = [
        {
            "id": f"debtService-{year}",
            "period": {
                "startDate": f"{year}-01-01T00:00:00{OFFSET}",
                "endDate": f"{year}-12-31T00:00:00{OFFSET}",
            },
            "value": money(amount),
        }
        for year, amount in sorted(due.items())
    ]
    coverage = [
        {
            "id": f"debtServiceCoverage-{name}",
            "title": "Debt-service coverage ratio",
            "description": f"Income available for debt service divided by debt service ({name})",
            "observations": [{"id": name, "measure": round(float(value), 4), "unit": {"name": "times"}}],
        }
        for name, value in facts.coverage.items()
    ]
    rows: list[Doc] = [*planned, *coverage]
    if service:
        rows.append({"id": "debtService", "title": "Principal and interest due", "observations": service})
    return rows


def _metrics(facts: ProjectFacts) -> list[Doc]:
    rows: list[Doc] = []
    if facts.done is not None:
        observation = lean(
            {
                "id": f"financialProgress-{facts.as_of}",
                "period": period(facts.start, facts.reported_on),
                "value": money(facts.done),
            }
        )
        rows.append(
            {
                "id": "financialProgress",
                "title": "Investment done since the start",
                "observations": [observation],
            }
        )
    if facts.progress is not None:
        observation = lean(
            {
                "id": f"physicalProgress-{facts.as_of}", "period": period(facts.start, facts.reported_on),
                "measure": number(facts.progress), "unit": {"name": "percent", "scheme": "UNCEFACT", "id": "P1"},
            }
        )  # fmt: skip
        rows.append({"id": "physicalProgress", "title": "Physical progress", "observations": [observation]})
    rows += [
        _quantity(item, item.measured, item.measured_on, "measured")
        for item in facts.quantities
        if item.measured is not None
    ]
    return rows


def _milestone(step: Step, as_of: date) -> Doc:
    if step.met is not None and step.met <= as_of:
        status = "met"
    elif step.due is not None and step.due < as_of:
        status = "notMet"
    else:
        status = "scheduled"
    return lean(
        {
            "id": step.id, "title": step.title, "type": step.type, "code": step.code, "dueDate": at(step.due),
            "dateMet": at(step.met) if status == "met" else None, "dateModified": at(as_of), "status": status,
            "value": money(step.value),
        }
    )  # fmt: skip


def head(uri: str, publisher: str, published: str) -> Doc:
    """Return a package without its projects."""
    return {"uri": uri, "publishedDate": published, "version": "0.9", "publisher": {"name": publisher}}
