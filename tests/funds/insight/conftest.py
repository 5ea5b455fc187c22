"""A tranche of the city on its way to tenants in the north park, and whoever looks at it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests.funds.paying.conftest import DAY, VALUE_DATE, World, add_allotment, add_reserve, build, wan
from yuanmai.core.scope import everywhere
from yuanmai.enterprises.models import Enterprise, Tenancy
from yuanmai.funds.models import Measurement, OnLending, Payment, ReserveStep, WorkItem
from yuanmai.places.models import Building, Unit

FRAME = {"as_of": DAY.isoformat(), "org": "linzhou"}
NOW = timezone.now()


@dataclass
class Flowing:
    """The world of paying with money that has reached the ground: 500 disbursed, 400 paid of 1,000 万元."""

    world: World
    pipe: WorkItem
    hall: WorkItem
    building: Building
    tenants: list[Enterprise]

    @property
    def payment(self) -> Payment:
        """The one payment."""
        return Payment.objects.get()


def pay_directly(world: World, amount: int, **more: Any) -> Payment:
    """A payment as a row: what may be paid is not the subject here."""
    import uuid

    values = {
        "project": world.project, "contract": world.contract, "tranche": world.tranche, "effective_on": DAY, **more,
    }  # fmt: skip
    return Payment.objects.create(uid=uuid.uuid4(), amount=wan(amount), recorded_at=timezone.now(), **values)


def add_work(
    world: World, name: str, planned: int, measured: int, building: Building | None = None
) -> WorkItem:
    item = WorkItem.objects.create(
        org=world.orgs.north, project=world.project, contract=world.contract, building=building, name=name, unit="m²",
        planned=planned, recorded_at=timezone.now(),
    )  # fmt: skip
    Measurement.objects.create(item=item, quantity=measured, effective_on=DAY, recorded_at=timezone.now())
    return item


@pytest.fixture
def flowing(orgs: Any, make_project: Any) -> Iterator[Flowing]:
    """The flowing world, with the scope of everything open."""
    with everywhere():
        world = build(orgs, make_project)
        world.disburse(500, date(2022, 2, 1))
        pay_directly(world, 400)
        building = Building.objects.create(org=orgs.north, code="B1", name="Hall 1", floor_area=1000)
        hall = add_work(world, "Hall floor", 300, 300, building)
        pipe = add_work(world, "Pipe", 100, 20)
        tenants = []
        for number, area in ((1, 60), (2, 30)):
            unit = Unit.objects.create(org=orgs.north, building=building, code=f"U{number}", area=area)
            tenant = Enterprise.objects.create(org=orgs.north, name=f"Tenant {number}")
            Tenancy.objects.create(
                org=orgs.north,
                enterprise=tenant,
                unit=unit,
                since=date(2022, 3, 1),
                recorded_at=timezone.now(),
            )
            tenants.append(tenant)
        Unit.objects.create(org=orgs.north, building=building, code="U3", area=10)
        yield Flowing(world, pipe, hall, building, tenants)


@pytest.fixture
def finance(make_user: Any, orgs: Any, client_as: Any) -> Client:
    """A signed-in finance officer of the city."""
    return client_as(make_user("finance_officer", orgs.city))


def lend(world: World, amount: int, lender: Any, borrower: Any) -> OnLending:
    return OnLending.objects.create(
        tranche=world.tranche, lender=lender, org=borrower, amount=wan(amount), effective_on=VALUE_DATE,
        recorded_at=timezone.now(),
    )  # fmt: skip


__all__ = [
    "DAY",
    "FRAME",
    "Decimal",
    "Flowing",
    "add_allotment",
    "add_reserve",
    "lend",
    "pay_directly",
    "wan",
]


def stepped(reserve: Any) -> Any:
    """The reserve project with the step that its state came from."""
    ReserveStep.objects.create(
        reserve=reserve, transition="enter", state=reserve.state, effective_on=VALUE_DATE, recorded_at=timezone.now(),
        approved=reserve.approved,
    )  # fmt: skip
    return reserve
