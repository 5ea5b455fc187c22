"""A bond project with everything: reserve, plan, tranche, money, contract, work, papers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from tests.funds.issuing.conftest import new_reserve, new_tranche
from yuanmai.core.policy import SYSTEM
from yuanmai.core.scope import everywhere
from yuanmai.funds.issuing.actions import Line, allot
from yuanmai.funds.models import (
    Certificate,
    Contract,
    Disbursement,
    Invoice,
    Measurement,
    Payment,
    PlanYear,
    Reserve,
    ReserveItem,
    ReserveLoan,
    ReserveStep,
    Tranche,
    WorkItem,
)
from yuanmai.projects.models import Project

NOW = datetime(2022, 6, 1, tzinfo=UTC)
DAY = date(2022, 12, 31)
WAN = Decimal(10_000)
SITE = {
    "type": "Polygon",
    "coordinates": [[[113.38, 22.42], [113.39, 22.42], [113.39, 22.43], [113.38, 22.42]]],
}


@dataclass(frozen=True)
class Whole:
    """The rows of the project."""

    project: Project
    reserve: Reserve
    tranche: Tranche
    contract: Contract


@pytest.fixture(autouse=True)
def _home(settings: Any, tmp_path: Any) -> None:
    settings.HOME, settings.MEDIA_ROOT = tmp_path, tmp_path / "files"


def make_whole(orgs: Any, make_project: Any, name: str = "北园污水管网", code: str = "2205001") -> Whole:
    """Make one; amounts in 万元: 7000 approved, 4000 issued, 3000 disbursed, 1500 paid of a contract of 2000."""
    project = make_project(
        orgs.north, name, total=100_000_000, started=True, done=30_000_000, as_of=date(2022, 5, 31),
        version={
            "code": f"2022-{code}", "content": "污水管网 12 公里", "address": "北园一路", "site": SITE,
            "start_on": date(2022, 5, 1), "finish_on": date(2024, 4, 30), "responsible": "住建局", "category": "市政",
        },
        report={"visible_percent": Decimal(25)},
    )  # fmt: skip
    reserve = new_reserve(
        project, approved=WAN * 7000, capital=WAN * 3000, total_investment=WAN * 10_000, term_years=15,
        construction_start=date(2022, 5, 1), construction_end=date(2024, 4, 30), operation_start=date(2024, 5, 1),
        other_debt=0, public_benefit="改善水环境",
    )  # fmt: skip
    with everywhere():
        for year in range(2022, 2040):
            PlanYear.objects.create(
                reserve=reserve, year=year,
                investment=WAN * 5000 if year < 2024 else 0, capital=WAN * 1500 if year < 2024 else 0,
                bonds={2022: WAN * 4000, 2023: WAN * 3000}.get(year, 0),
                revenue=WAN * 1500 if year > 2023 else 0, operating_cost=WAN * 300 if year > 2023 else 0,
                tax=WAN * 20 if year > 2023 else 0,
            )  # fmt: skip
        for state, day in (("reserve", 5), ("reported", 10), ("approved", 20)):
            ReserveStep.objects.create(
                reserve=reserve, transition=state, state=state, effective_on=date(2022, 1, day), recorded_at=NOW,
                approved=WAN * 7000 if state == "approved" else None,
            )  # fmt: skip
    tranche = new_tranche(
        orgs.city,
        code=code,
        name="2022年江南省专项债券(一期)",
        amount=WAN * 10_000,
        rate=Decimal("0.0325"),
        term_years=15,
    )
    with everywhere():
        allot(SYSTEM, tranche, date(2022, 3, 1), [Line(project, WAN * 4000)])
        fact = {"recorded_at": NOW}
        common = {"project": project, "tranche": tranche, **fact}
        Disbursement.objects.create(amount=WAN * 3000, effective_on=date(2022, 4, 1), **common)
        contract = Contract.objects.create(
            org_id=project.org_id, project=project, uid=uuid4(), number="HT-01", name="管网施工", payee="大江建设公司",
            amount=WAN * 2000, signed_on=date(2022, 5, 10), **fact,
        )  # fmt: skip
        certificate = Certificate.objects.create(
            contract=contract, number="1", amount=WAN * 1600, effective_on=date(2022, 7, 1), confirmed_on=date(2022, 7, 5),
            supervisor="监理公司", **fact,
        )  # fmt: skip
        invoice = Invoice.objects.create(
            contract=contract,
            number=f"F{code}",
            seller="大江建设公司",
            amount=WAN * 1500,
            effective_on=date(2022, 7, 8),
            **fact,
        )
        Payment.objects.create(
            amount=WAN * 1500, uid=uuid4(), contract=contract, certificate=certificate, invoice=invoice,
            effective_on=date(2022, 7, 10), **common,
        )  # fmt: skip
        item = WorkItem.objects.create(
            org_id=project.org_id,
            project=project,
            contract=contract,
            name="污水管",
            unit="m",
            planned=Decimal(12_000),
            **fact,
        )
        Measurement.objects.create(item=item, quantity=Decimal(3_000), effective_on=date(2022, 7, 1), **fact)
        ReserveLoan.objects.create(
            reserve=reserve,
            lender="某银行",
            principal=WAN * 500,
            rate=Decimal("0.045"),
            drawn_on=date(2022, 6, 1),
            periods=10,
        )
        ReserveItem.objects.update_or_create(
            reserve=reserve, code="feasibility",
            defaults={"state": "done", "document": "北发改〔2022〕1号", "dated_on": date(2022, 1, 3)},
        )  # fmt: skip
    reserve.refresh_from_db()
    return Whole(project, reserve, tranche, contract)


@pytest.fixture
def whole(orgs: Any, make_project: Any) -> Whole:
    """A bond project with everything."""
    return make_whole(orgs, make_project)
