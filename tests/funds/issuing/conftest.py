"""Tranches, reserve projects and money for the tests of issuing."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from yuanmai.core.policy import SYSTEM
from yuanmai.core.scope import everywhere
from yuanmai.funds.issuing.actions import Line, allot, create_tranche
from yuanmai.funds.models import Contract, Disbursement, Payment, PlanYear, Reserve, Tranche
from yuanmai.projects.models import Project

NOW = datetime(2022, 1, 5, tzinfo=UTC)
_number = itertools.count(1)


def terms(**more: Any) -> dict[str, Any]:
    """The terms of a usual tranche: 10 years, semi-annual, 100 million."""
    return {
        "code": f"22{next(_number):05d}",
        "name": "2022年江南省专项债券（一期）",
        "amount": Decimal(100_000_000),
        "rate": Decimal("0.0253"),
        "term_years": 10,
        "tendered_on": date(2022, 2, 22),
        "repayment": "bullet",
        **more,
    }


def new_tranche(org: Any, **more: Any) -> Tranche:
    """Record a tranche as the system."""
    with everywhere():
        return create_tranche(SYSTEM, org, terms(**more))


@pytest.fixture
def make_tranche() -> Callable[..., Tranche]:
    """``make_tranche(org, amount=…)``: a tranche recorded by the system."""
    return new_tranche


def new_reserve(project: Project, approved: Any = 50_000_000, **more: Any) -> Reserve:
    """Enter a reserve project in state *approved*, with a plan of `income` a year if asked for."""
    income = more.pop("income", None)
    values: dict[str, Any] = {
        "state": "approved",
        "year": 2022,
        "field": "park_infrastructure",
        "sector": "infrastructure",
        "requested": Decimal(approved),
        "approved": Decimal(approved),
        "capital": Decimal(20_000_000),
        "total_investment": Decimal(approved) + 20_000_000,
        "term_years": 10,
        "rate": Decimal("0.0350"),
        "recorded_at": NOW,
        **more,
    }
    with everywhere():
        reserve = Reserve.objects.create(project=project, org_id=project.org_id, uid=uuid4(), **values)
        for year in range(2023, 2033) if income is not None else ():
            PlanYear.objects.create(reserve=reserve, year=year, revenue=Decimal(income))
    return reserve


@pytest.fixture
def make_reserve() -> Callable[..., Reserve]:
    """``make_reserve(project, approved=…)``, see `new_reserve`."""
    return new_reserve


@pytest.fixture
def give() -> Callable[..., Any]:
    """``give(tranche, project, amount, on)``: an allotment by the system, everything confirmed."""

    def make(tranche: Tranche, project: Project, amount: Any, on: date = date(2022, 3, 1)) -> Any:
        with everywhere():
            (row,) = allot(SYSTEM, tranche, on, [Line(project, Decimal(amount))])
        return row

    return make


@pytest.fixture
def spend() -> Callable[..., None]:
    """``spend(tranche, project, disbursed=…, paid=…)``: money moved on a day."""

    def make(
        tranche: Tranche, project: Project, disbursed: Any = 0, paid: Any = 0, on: date = date(2022, 3, 10)
    ) -> None:
        common: dict[str, Any] = {
            "project": project,
            "tranche": tranche,
            "effective_on": on,
            "recorded_at": NOW,
        }
        with everywhere():
            if disbursed:
                Disbursement.objects.create(amount=Decimal(disbursed), **common)
            if paid:
                contract = Contract.objects.create(
                    org_id=project.org_id,
                    project=project,
                    uid=uuid4(),
                    number=f"C-{next(_number)}",
                    name="Works",
                    payee="Builders",
                    amount=Decimal(paid),
                    signed_on=on,
                    recorded_at=NOW,
                )
                Payment.objects.create(amount=Decimal(paid), uid=uuid4(), contract=contract, **common)

    return make
