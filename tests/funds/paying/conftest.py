"""A project with an issued tranche, two named uses and a contract, and whoever works with them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from yuanmai.core.policy import SYSTEM
from yuanmai.core.scope import everywhere
from yuanmai.funds.models import Allotment, Contract, NamedUse, PlanYear, Reserve, ReserveItem, Tranche
from yuanmai.funds.paying import actions
from yuanmai.funds.reserve.rules import rule
from yuanmai.projects.models import Project

WAN = Decimal(10_000)
VALUE_DATE = date(2022, 1, 10)
SIGNED = date(2022, 1, 20)
DAY = date(2022, 3, 31)


def wan(amount: int | str) -> Decimal:
    """Yuan from 万元."""
    return Decimal(amount) * WAN


@dataclass
class World:
    """What the tests of paying work with; amounts: 1,000 万元 allotted, a contract of 800."""

    orgs: Any
    project: Project
    other: Project
    foreign: Project
    reserve: Reserve
    tranche: Tranche
    use: NamedUse
    current: NamedUse
    contract: Contract

    def disburse(
        self, amount: Any = 500, day: date = date(2022, 2, 1), project: Project | None = None
    ) -> Any:
        return actions.disburse(SYSTEM, project or self.project, self.tranche, day, wan(amount))

    def pay(self, amount: Any, day: date = DAY, **more: Any) -> Any:
        values = {"contract": self.contract, "tranche": self.tranche, **more}
        project = values.pop("project", self.project)
        contract, tranche = values.pop("contract"), values.pop("tranche")
        return actions.pay(SYSTEM, project, contract, tranche, day, wan(amount), **values)


def add_reserve(project: Project, *, state: str = "issued", income: int = 600, ready: bool = True) -> Reserve:
    """A reserve project of 2,000 万元 bonds at 3 % over 10 years; `income` is its yearly net income in 万元."""
    reserve = Reserve.objects.create(
        org_id=project.org_id, project=project, uid=uuid.uuid4(), state=state, year=2022, field="park_infrastructure",
        sector="infrastructure", requested=wan(2000), approved=wan(2000), capital=wan(1000), total_investment=wan(3000),
        term_years=10, rate=Decimal("0.03"), construction_end=date(2022, 12, 31), recorded_at=timezone.now(),
    )  # fmt: skip
    PlanYear.objects.bulk_create(
        PlanYear(reserve=reserve, year=year, revenue=wan(income), bonds=wan(2000) if year == 2022 else 0)
        for year in range(2022, 2033)
    )
    if ready:
        for code in rule("checklist", project.org_id, DAY):
            ReserveItem.objects.create(reserve=reserve, code=code, state="not_needed")
    return reserve


def add_allotment(project: Project, tranche: Tranche, amount: Any) -> Allotment:
    tranche.allotted += wan(amount)
    tranche.save(update_fields=["allotted"])
    return Allotment.objects.create(
        project=project,
        tranche=tranche,
        amount=wan(amount),
        effective_on=VALUE_DATE,
        recorded_at=timezone.now(),
    )


def build(orgs: Any, make_project: Any) -> World:
    """Make the world; call inside an open scope of everything."""
    project, other = make_project(orgs.north, "Pipes"), make_project(orgs.south, "Halls")
    foreign = make_project(orgs.foreign, "Foreign")
    tranche = Tranche.objects.create(
        org=orgs.city, uid=uuid.uuid4(), code="2205001", name="2022 Linzhou bonds 1", amount=wan(3000),
        rate=Decimal("0.03"), term_years=10, tendered_on=date(2022, 1, 8), value_date=VALUE_DATE, frequency=2,
        recorded_at=timezone.now(),
    )  # fmt: skip
    reserve = add_reserve(project)
    use = NamedUse.objects.create(reserve=reserve, name="Pipe network", amount=wan(1500))
    current = NamedUse.objects.create(
        reserve=reserve, name="Salaries", amount=wan(100), capital_expenditure=False
    )
    add_allotment(project, tranche, 1000)
    contract = actions.record_contract(
        SYSTEM, project, number="C-1", name="Pipes of the north", payee="江南管道有限公司", amount=wan(800),
        signed_on=SIGNED, use=use,
    )  # fmt: skip
    return World(orgs, project, other, foreign, reserve, tranche, use, current, contract)


@pytest.fixture
def world(orgs: Any, make_project: Any) -> Iterator[World]:
    """The world, with the scope of everything open."""
    with everywhere():
        yield build(orgs, make_project)


@contextmanager
def refused(*fields: str) -> Iterator[None]:
    """The block raises a `ValidationError` that names exactly these fields."""
    from django.core.exceptions import ValidationError

    with pytest.raises(ValidationError) as caught:
        yield
    assert set(caught.value.error_dict if hasattr(caught.value, "error_dict") else ()) == set(fields)
