"""Heshan's made-up contracts, certificates, invoices, payments, work on the ground and tenants."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from yuanmai.demo.scripts.common import moment, named, yuan
from yuanmai.demo.scripts.papers import keep
from yuanmai.enterprises.models import Enterprise, Tenancy
from yuanmai.funds.models import (
    Certificate,
    Contract,
    Disbursement,
    Invoice,
    Measurement,
    NamedUse,
    Payment,
    Reserve,
    Tranche,
    UsePlan,
    WorkItem,
)
from yuanmai.places.models import Building, Unit
from yuanmai.projects.models import Project

OPENED = date(2022, 7, 1)


def pay(data: dict[str, Any], tranches: dict[str, Tranche], reserves: list[Reserve]) -> None:
    """Record how the money of Heshan's tranches was paid out and spent, and what was built for it."""
    codes = {code for amounts in data["allotted"].values() for code in amounts}
    mine = [r for r in reserves if r.org_id == next(tranches[code].org_id for code in codes)]
    by_key = {"main": mine[0], "finished": mine[1]}
    for key, rows in data["disbursed"].items():
        Disbursement.objects.bulk_create(
            [
                Disbursement(project=by_key[key].project, tranche=tranches[code], amount=yuan(amount), effective_on=day, recorded_at=moment(day), document=f"示例〔{day.year}〕拨付")
                for day, code, amount in rows
            ]
        )  # fmt: skip
    buildings = list(Building.objects.filter(org=mine[0].org, kind="standard_factory").order_by("code"))
    for row in data["contracts"]:
        _contract(row, by_key[row["project"]], tranches, buildings)
    _tenants(mine[0].org_id, buildings)


def _contract(
    row: dict[str, Any], reserve: Reserve, tranches: dict[str, Tranche], buildings: list[Building]
) -> None:
    project = reserve.project
    use = list(NamedUse.objects.filter(reserve=reserve).order_by("id"))[row["use"]]
    contract = Contract.objects.create(
        org_id=project.org_id,
        project=project,
        uid=uuid5(NAMESPACE_URL, f"demo-contract-{row['number']}"),
        number=row["number"],
        name=row["name"],
        payee=row["payee"],
        amount=yuan(row["amount"]),
        signed_on=row["signed"],
        use=use,
        recorded_at=moment(row["signed"]),
    )
    certificates = Certificate.objects.bulk_create(
        [
            Certificate(contract=contract, number=f"{row['number']}-JL{n}", amount=yuan(amount), effective_on=day, recorded_at=moment(day), supervisor=named("监理单位"), confirmed_on=day)
            for n, (day, amount) in enumerate(row["certified"], start=1)
        ]
    )  # fmt: skip
    for number, (day, code, amount) in enumerate(row["paid"], start=1):
        invoice = Invoice.objects.create(
            contract=contract, number=f"{row['number']}-FP{number}", amount=yuan(amount), effective_on=day, recorded_at=moment(day), seller=row["payee"]
        )  # fmt: skip
        Payment.objects.create(
            project=project,
            tranche=tranches[code],
            amount=yuan(amount),
            effective_on=day,
            recorded_at=moment(day),
            uid=uuid5(contract.uid, f"payment-{number}"),
            contract=contract,
            certificate=certificates[min(number, len(certificates)) - 1],
            invoice=invoice,
            use=use,
        )
    measured = _work(row["work"], project, contract, buildings, row)
    _papers(contract, certificates, measured if row.get("photos", True) else [])
    _use_plans(project, row["paid"])


def _work(
    work: dict[str, Any], project: Project, contract: Contract, buildings: list[Building], row: dict[str, Any]
) -> list[Measurement]:
    """Record the work of a contract; work on several buildings is split evenly, one item for each."""
    sites: list[Building | None] = list(buildings[: work.get("buildings", 0)]) or [None]
    measured = []
    for index, building in enumerate(sites, start=1):
        item = WorkItem.objects.create(
            org_id=project.org_id,
            project=project,
            contract=contract,
            building=building,
            name=work["name"] if building is None else f"{work['name']}({building.name})",
            unit=work["unit"],
            planned=(Decimal(work["planned"]) / len(sites)).quantize(Decimal("0.01")),
            recorded_at=moment(row["signed"]),
        )
        whole = (Decimal(work["measured"]) / len(sites)).quantize(Decimal("0.01"))
        certified = sum(amount for _day, amount in row["certified"])
        done = 0
        for day, amount in row["certified"]:
            done += amount
            measured.append(
                Measurement(
                    item=item,
                    quantity=whole * done // certified,
                    effective_on=day,
                    recorded_at=moment(day),
                    note=f"示例测量{index}",
                )
            )
        measured[-1].quantity = whole
    return Measurement.objects.bulk_create(measured)


def _papers(contract: Contract, certificates: list[Certificate], measured: list[Measurement]) -> None:
    """Keep a sample scan with every paper, and a photograph with every measurement."""
    invoices = Invoice.objects.filter(contract=contract)
    keep(
        [
            (contract, "contract", "施工合同(示例).pdf", contract.recorded_at),
            *((paper, "certificate", f"{paper.number}.pdf", paper.recorded_at) for paper in certificates),
            *((paper, "invoice", f"{paper.number}.pdf", paper.recorded_at) for paper in invoices),
        ]
    )
    if measured:
        keep([(row, "photo", "现场照片(示例).png", row.recorded_at) for row in measured], photo=True)


def _use_plans(project: Project, paid: list[list[Any]]) -> None:
    """File the use plan of every month with a payment two months before; several contracts share a plan."""
    for day, _code, amount in paid:
        month = day.replace(day=1)
        filed = month - timedelta(days=45)
        plan = UsePlan.objects.filter(project=project, month=month).first()
        if plan is None:
            UsePlan.objects.create(
                project=project,
                month=month,
                amount=yuan(amount),
                effective_on=filed,
                recorded_at=moment(filed),
            )
        else:
            UsePlan.objects.filter(pk=plan.pk).update(amount=plan.amount + yuan(amount))


def _tenants(org_id: int, buildings: list[Building]) -> None:
    """Let the units that the places' script calls let, to the enterprises of the register in turn."""
    enterprises = list(Enterprise.objects.filter(org_id=org_id).order_by("id"))
    units = Unit.objects.filter(building__in=buildings, state="let").order_by("building__code", "floor")
    Tenancy.objects.bulk_create(
        [
            Tenancy(org_id=org_id, enterprise=enterprises[index % len(enterprises)], unit=unit, since=OPENED, recorded_at=moment(OPENED), synthetic=True)
            for index, unit in enumerate(units)
        ]
    )  # fmt: skip
