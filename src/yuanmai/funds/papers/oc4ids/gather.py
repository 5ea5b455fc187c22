"""The facts of bond projects from the database, some hundred projects at a time; a constant number of queries for each chunk."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from importlib import resources
from typing import Any

import yaml
from django.db.models import Q, prefetch_related_objects
from django.utils.translation import gettext as _

from yuanmai.core.figures import Query
from yuanmai.funds.engine.bonds.coverage import ratio
from yuanmai.funds.engine.bonds.schedule import coupon_dates, flows, maturity
from yuanmai.funds.figures.facts import coverage as coverage_records
from yuanmai.funds.figures.facts import reserves
from yuanmai.funds.files import attachments, target_of
from yuanmai.funds.issuing.queries import Share, tranches_of
from yuanmai.funds.issuing.service import engine_tranche
from yuanmai.funds.models import Reserve, ReserveItem, ReserveLoan, ReserveStep, Security, Source, Tranche
from yuanmai.funds.papers.bond_ledger import CARRIED
from yuanmai.funds.papers.oc4ids import facts as f
from yuanmai.funds.paying.queries import (
    WorkDone,
    certificates,
    confirmed,
    contracts,
    disbursements,
    payments,
    work_done,
)
from yuanmai.funds.queries import funding
from yuanmai.funds.reserve.rules import name_of
from yuanmai.projects.models import ProjectState, Stage
from yuanmai.projects.queries import main_projects

CHUNK = 200
PLATFORM = "CN-TZXM"  # 投资项目在线审批监管平台: who gives project codes
BUILT = {Stage.COMPLETED, Stage.OPERATING}


@lru_cache(maxsize=1)
def lists() -> Mapping[str, Any]:
    """Return the preset that maps our words to the codelists."""
    path = resources.files("yuanmai.funds").joinpath("papers/presets/oc4ids.yaml")
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


@dataclass
class Chunk:
    """What was read for some projects, by project id."""

    reserve: dict[int, Any] = field(default_factory=dict)
    steps: dict[int, list[ReserveStep]] = field(default_factory=lambda: defaultdict(list))
    items: dict[int, list[ReserveItem]] = field(default_factory=lambda: defaultdict(list))
    files: dict[str, list[Any]] = field(default_factory=dict)
    loans: dict[int, list[ReserveLoan]] = field(default_factory=lambda: defaultdict(list))
    shares: dict[int, list[Share]] = field(default_factory=dict)
    funding: dict[int, list[Any]] = field(default_factory=lambda: defaultdict(list))
    contracts: dict[int, list[Any]] = field(default_factory=lambda: defaultdict(list))
    certificates: dict[int, list[tuple[Any, bool]]] = field(default_factory=lambda: defaultdict(list))
    payments: dict[int, list[Any]] = field(default_factory=lambda: defaultdict(list))
    disbursements: dict[int, list[Any]] = field(default_factory=lambda: defaultdict(list))
    work: dict[int, list[WorkDone]] = field(default_factory=dict)
    coverage: dict[int, Any] = field(default_factory=dict)


def project_ids(query: Query) -> list[int]:
    """Return the main projects of a question, in a settled order."""
    return list(main_projects(query).order_by("project_id").values_list("project_id", flat=True))


def chunks(ids: list[int]) -> Iterator[list[int]]:
    """Divide ids into chunks."""
    for start in range(0, len(ids), CHUNK):
        yield ids[start : start + CHUNK]


def facts_of(query: Query, ids: list[int], prefix: str, moment: datetime) -> list[f.ProjectFacts]:
    """Return the facts of these projects, in the order of `ids`; a constant number of queries."""
    rows = main_projects(query).filter(project_id__in=ids)
    states = {
        row.project_id: row for row in rows.select_related("project", "version", "owner", "park", "org")
    }
    known = _read(query, ids)
    return [_facts(states[pk], known, query, prefix, moment) for pk in ids if pk in states]


def _read(query: Query, ids: list[int]) -> Chunk:
    found = Chunk()
    for row in reserves(query).filter(project_id__in=ids).order_by("id"):
        found.reserve[row.project_id] = row
    owners = {row.pk: pk for pk, row in found.reserve.items()}
    steps = ReserveStep.objects.filter(reserve_id__in=owners, effective_on__lte=query.as_of)
    if query.known_at is not None:
        steps = steps.filter(recorded_at__lte=query.known_at)
    for step in steps.order_by("effective_on", "id"):
        found.steps[owners[step.reserve_id]].append(step)
    items = list(
        ReserveItem.objects.filter(reserve_id__in=owners, state=ReserveItem.State.DONE).order_by("id")
    )
    for item in items:
        found.items[owners[item.reserve_id]].append(item)
    found.files = attachments(items)
    loans = ReserveLoan.objects.filter(reserve_id__in=owners, drawn_on__lte=query.as_of)
    standing = (
        Q(retired_at=None)
        if query.known_at is None
        else Q(retired_at=None) | Q(retired_at__gt=query.known_at)
    )
    for loan in loans.filter(standing).order_by("id"):
        found.loans[owners[loan.reserve_id]].append(loan)
    found.shares = tranches_of(query, ids)
    prefetch_related_objects([share.tranche for shares in found.shares.values() for share in shares], "org")
    for source in funding(query).filter(project_id__in=ids).order_by("id"):
        found.funding[source.project_id].append(source)
    _paying(found, query, ids)
    found.work = work_done(query, ids)
    for record in coverage_records(query).filter(reserve__project_id__in=ids).order_by("id"):
        found.coverage[record.reserve.project_id] = record
    return found


def _paying(found: Chunk, query: Query, ids: list[int]) -> None:
    for contract in contracts(query, ids).select_related("enterprise").order_by("signed_on", "id"):
        found.contracts[contract.project_id].append(contract)
    sure = set(certificates(query, ids).filter(confirmed(query)).values_list("id", flat=True))
    for certificate in certificates(query, ids).order_by("effective_on", "id"):
        found.certificates[certificate.contract_id].append((certificate, certificate.pk in sure))
    for payment in payments(query, ids).order_by("effective_on", "id"):
        found.payments[payment.contract_id].append(payment)
    for row in disbursements(query, ids).select_related("tranche__org").order_by("effective_on", "id"):
        found.disbursements[row.project_id].append(row)


def _facts(state: ProjectState, known: Chunk, query: Query, prefix: str, moment: datetime) -> f.ProjectFacts:
    pk = state.project_id
    reserve = known.reserve.get(pk)
    steps = {step.state: step for step in reversed(known.steps.get(pk, []))}
    authority = f.Party(f"org-{state.org.code}", state.org.name)
    owner = _enterprise(state.owner) if state.owner else authority
    version = state.version
    responsible = f.Party(f"body-{state.responsible}", state.responsible) if state.responsible else None
    approved = steps.get(Reserve.State.APPROVED)
    reported = steps.get(Reserve.State.REPORTED)
    bonds = [_bond(share) for share in known.shares.get(pk, [])]
    return f.ProjectFacts(
        id=f"{prefix}-{state.project.uid}",
        title=state.name,
        as_of=query.as_of,
        status=status(state, reserve, query.as_of),
        updated=moment.isoformat(timespec="seconds"),
        description=version.content,
        purpose=(reserve.public_benefit if reserve else "") or "",
        identifiers=[(PLATFORM, state.code)] if state.code else [],
        sectors=sectors(reserve.field if reserve else "", f"{state.category} {state.name}"),
        start=state.start_on,
        finish=state.finish_on,
        geometry=version.site,
        address=version.address,
        region=state.org.name,
        total=state.total_investment,
        requested_on=reported.effective_on if reported else None,
        approved_on=approved.effective_on if approved else None,
        authority=authority,
        owner=owner,
        responsible=responsible,
        bonds=bonds,
        loans=[_loan(loan) for loan in known.loans.get(pk, [])],
        sources=[_source(row) for row in known.funding.get(pk, []) if row.security != Security.ISSUED],
        contracts=[
            _contract(row, known, owner) for row in known.contracts.get(pk, []) if row.number != CARRIED
        ],
        moves=[*_disbursed(known.disbursements.get(pk, []), owner), *_carried(pk, known, owner)],
        quantities=[_quantity(item) for item in known.work.get(pk, [])],
        papers=list(_papers(known.items.get(pk, []), known)),
        steps=list(_milestones(state, bonds, approved)),
        coverage=_coverage(known.coverage.get(pk)),
        done=state.done_total,
        progress=state.visible_percent,
        reported_on=state.reported_on,
    )


def status(state: Any, reserve: Any, as_of: date) -> str:
    """Return where a project stands in the words of the codelist `projectStatus`."""
    if state.completed or state.stage in BUILT:
        begins = reserve.operation_start if reserve else None
        running = state.stage == Stage.OPERATING or (begins is not None and begins <= as_of)
        return "maintenance" if running else "completion"
    if state.started or state.resumed or state.stage == Stage.CONSTRUCTION:
        return "implementation"
    return "identification" if state.stage == Stage.RESERVE and reserve is None else "preparation"


def sectors(use: str, text: str) -> list[str]:
    """Return the project sectors: what the name says first, then the field of use, then the default."""
    known = lists()["sectors"]
    for rule in known["words"]:
        if any(word in text for word in rule["words"]):
            return list(rule["sectors"])
    return list(known["fields"].get(use) or known["default"])


def _enterprise(row: Any) -> f.Party:
    return f.Party(f"enterprise-{row.pk}", row.name, row.credit_code, row.address)


def _bond(share: Share) -> f.BondPart:
    tranche, part = share.tranche, engine_tranche(share)
    return f.BondPart(
        code=tranche.code,
        name=tranche.name,
        amount=share.amount,
        rate=tranche.rate,
        value_date=tranche.value_date,
        maturity=maturity(part),
        first=coupon_dates(part)[0],
        frequency=tranche.frequency,
        repayment=str(tranche.get_repayment_display()),
        issuer=_issuer(tranche),
        payments=[(row.date, row.interest + row.principal) for row in flows(part)],
    )


def _issuer(tranche: Tranche) -> f.Party:
    if tranche.issuer and tranche.issuer != tranche.org.name:
        return f.Party(f"issuer-{tranche.issuer}", tranche.issuer)
    return f.Party(f"org-{tranche.org.code}", tranche.org.name)


def _loan(loan: ReserveLoan) -> f.LoanPart:
    return f.LoanPart(
        f"loan-{loan.pk}", loan.lender, loan.principal, loan.rate, loan.drawn_on, loan.frequency
    )


def _source(row: Any) -> f.Source:
    mark = "-".join(
        str(part) for part in ("source", row.source, row.security, row.year or "", row.tranche) if part
    )
    name = f"{row.get_source_display()} · {row.get_security_display()}"
    return f.Source(mark, Source(row.source).value, name, row.amount)


def _contract(row: Any, known: Chunk, owner: f.Party) -> f.ContractPart:
    supplier = _enterprise(row.enterprise) if row.enterprise else f.Party(f"payee-{row.payee}", row.payee)
    return f.ContractPart(
        number=row.number,
        name=row.name,
        nature=next(
            (r["nature"] for r in lists()["natures"] if any(w in row.name for w in r["words"])),
            "construction",
        ),
        amount=row.amount,
        signed_on=row.signed_on,
        supplier=supplier,
        payments=[
            f.Move(f"payment-{p.uid}", p.effective_on, p.amount, owner, supplier)
            for p in known.payments.get(row.pk, [])
        ],
        certificates=[
            (c.number, c.effective_on, c.amount, sure) for c, sure in known.certificates.get(row.pk, [])
        ],
    )


def _carried(pk: int, known: Chunk, owner: f.Party) -> list[f.Move]:
    """Payments that a bond ledger states without naming contracts."""
    rows = [row for row in known.contracts.get(pk, []) if row.number == CARRIED]
    return [
        f.Move(f"payment-{p.uid}", p.effective_on, p.amount, owner, f.Party("payee-unnamed", row.payee))
        for row in rows
        for p in known.payments.get(row.pk, [])
    ]


def _disbursed(rows: Iterable[Any], owner: f.Party) -> list[f.Move]:
    return [
        f.Move(
            f"disbursement-{row.pk}", row.effective_on, row.amount,
            f.Party(f"org-{row.tranche.org.code}", row.tranche.org.name), owner,
        )
        for row in rows
    ]  # fmt: skip


def _quantity(item: WorkDone) -> f.Quantity:
    measured = item.measured if item.measured_on else None
    code = lists()["units"].get(item.unit, "")
    return f.Quantity(
        f"work-{item.item_id}", item.name, item.unit, code, item.planned, measured, item.measured_on
    )


def _papers(items: Iterable[ReserveItem], known: Chunk) -> Iterator[f.Paper]:
    kinds = lists()["documents"]
    for item in items:
        kind, title = kinds.get(item.code, ""), name_of("checklist", item.code)
        files = known.files.get(target_of(item), [])
        if not files:
            yield f.Paper(f"paper-{item.pk}", kind, title, item.document, item.dated_on)
        for file in files:
            yield f.Paper(
                f"file-{file.pk}", kind, f"{title} {file.name}", item.document, item.dated_on, file.media_type
            )


def _milestones(
    state: ProjectState, bonds: list[f.BondPart], approved: ReserveStep | None
) -> Iterator[f.Step]:
    if approved is not None:
        day = approved.effective_on
        yield f.Step(
            "approval", _("Approval of the bonds"), "approval", "projectApproval", day, day, approved.approved
        )
    if bonds:
        first = min(bonds, key=lambda bond: bond.value_date).value_date
        yield f.Step("financing", _("First bonds issued"), "financing", "financialClose", first, first)
    if state.start_on or state.started:
        met = (state.start_on or state.reported_on) if state.started or state.completed else None
        yield f.Step("start", _("Start of construction"), "delivery", "commencement", state.start_on, met)
    if state.finish_on or state.completed:
        met = (state.reported_on or state.finish_on) if state.completed else None
        yield f.Step(
            "completion", _("Completion of construction"), "delivery", "completion", state.finish_on, met
        )
    for bond in bonds:
        yield f.Step(
            f"repayment-{bond.code}",
            _("Last repayment of bond %(code)s") % {"code": bond.code},
            "payment",
            "",
            bond.maturity,
        )


def _coverage(record: Any) -> dict[str, Decimal]:
    if record is None:
        return {}
    ratios = {
        "allInterest": ratio(record.net_income, record.service),
        "operatingPeriodInterestOnly": ratio(record.net_income, record.service_operating),
        "withIssueFees": ratio(record.net_income, record.service_with_fees),
        "allDebt": ratio(record.net_income_all_debt, record.service_all_debt),
    }
    return {name: found.value for name, found in ratios.items() if found.value is not None}
