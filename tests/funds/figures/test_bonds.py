"""The figures of special bonds: what counts on a day, as known at a moment, and never clamped."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from tests.conftest import Orgs
from yuanmai.core.figures import Query, breakdown, evaluate, get, rows
from yuanmai.core.figures.display import display
from yuanmai.core.policy import SYSTEM
from yuanmai.core.scope import everywhere
from yuanmai.funds.actions import set_funding
from yuanmai.funds.models import (
    Allotment,
    Contract,
    CoverageRecord,
    Disbursement,
    Payment,
    Quota,
    Reserve,
    ReserveStep,
    Tranche,
)

pytestmark = pytest.mark.django_db
MARCH, JULY = date(2022, 3, 31), date(2022, 7, 31)
THEN = datetime(2022, 1, 10, 4, tzinfo=UTC)
LATER = datetime(2022, 9, 1, 4, tzinfo=UTC)


@pytest.fixture
def bonds(orgs: Orgs, make_project: Any) -> Any:
    """Two tranches, three projects of two parks, one of them still in reserve."""

    class Bonds:
        first = make_project(orgs.north, "Pipes", total=1000)
        second = make_project(orgs.south, "Halls", total=2000)
        third = make_project(orgs.south, "Roads", total=3000)

        def __init__(self) -> None:
            with everywhere():
                self.old = self.tranche("old", date(2021, 6, 19))
                self.new = self.tranche("new", date(2022, 3, 16))
                self.reserve(self.first, "drawn", 600, approved=500)
                self.reserve(self.second, "approved", 700, approved=300)
                self.reserve(self.third, "reserve", 900)

        def tranche(self, code: str, day: date) -> Tranche:
            return Tranche.objects.create(
                org=orgs.city, uid=uuid4(), code=code, name=code, amount=1000, rate=Decimal("0.03"), term_years=10,
                tendered_on=day, value_date=day, frequency=2, recorded_at=THEN,
            )  # fmt: skip

        def reserve(self, project: Any, state: str, requested: int, approved: int | None = None) -> Reserve:
            reserve = Reserve.objects.create(
                org_id=project.org_id, project=project, uid=uuid4(), state=state, year=2022, field="park_infrastructure",
                sector="infrastructure", requested=requested, approved=approved, capital=0, total_investment=2000,
                term_years=10, rate=Decimal("0.03"), recorded_at=THEN,
            )  # fmt: skip
            ReserveStep.objects.create(
                reserve=reserve, transition="enter", state="reserve", effective_on=date(2022, 1, 5), recorded_at=THEN
            )  # fmt: skip
            if state != "reserve":
                ReserveStep.objects.create(
                    reserve=reserve, transition="go", state=state, effective_on=date(2022, 2, 1), recorded_at=THEN, approved=approved
                )  # fmt: skip
            return reserve

        def move(
            self, model: Any, project: Any, tranche: Tranche, amount: int, day: date, **more: Any
        ) -> Any:
            more.setdefault("recorded_at", THEN)
            with everywhere():
                return model.objects.create(
                    project=project, tranche=tranche, amount=amount, effective_on=day, **more
                )

        def contract(self, project: Any) -> Contract:
            with everywhere():
                return Contract.objects.create(
                    org_id=project.org_id, project=project, uid=uuid4(), number="c", name="c", payee="p", amount=900,
                    signed_on=date(2021, 7, 1), recorded_at=THEN,
                )  # fmt: skip

    return Bonds()


def ask(orgs: Orgs, day: date = MARCH, known_at: datetime | None = None, **filters: str) -> Query:
    return Query(orgs.below(orgs.city), day, known_at, tuple(sorted(filters.items())))


def test_the_reserve_is_counted_by_the_state_it_was_in(orgs: Orgs, bonds: Any, in_scope: Any) -> None:
    with in_scope(orgs.city):
        assert evaluate("bonds.reserve_count", ask(orgs)).value == 1
        assert evaluate("bonds.applied_count", ask(orgs)).value == 2
        assert evaluate("bonds.approved", ask(orgs)).value == 800
        assert evaluate("bonds.requested", ask(orgs)).value == 2200
        assert evaluate("bonds.reserve_count", ask(orgs, date(2022, 1, 31))).value == 3
        assert evaluate("bonds.applied_count", ask(orgs, date(2022, 1, 31))).value == 0
        assert evaluate("bonds.reserve_count", ask(orgs, date(2022, 1, 4))).value == 0
        before = datetime(2022, 1, 9, tzinfo=UTC)
        assert evaluate("bonds.reserve_count", ask(orgs, known_at=before)).value == 0
        states = {
            group.value: group.result.value for group in breakdown("bonds.requested", ask(orgs), "state")
        }
        assert states == {"approved": 700, "drawn": 600, "reserve": 900}


def test_a_step_back_counts_from_its_day(orgs: Orgs, bonds: Any, in_scope: Any) -> None:
    with everywhere():
        reserve = Reserve.objects.get(project=bonds.second)
        ReserveStep.objects.create(
            reserve=reserve, transition="send_back", state="reserve", effective_on=date(2022, 3, 1), recorded_at=LATER
        )  # fmt: skip
    with in_scope(orgs.city):
        assert evaluate("bonds.approved", ask(orgs)).value == 500
        assert evaluate("bonds.approved", ask(orgs, known_at=datetime(2022, 8, 1, tzinfo=UTC))).value == 800


def test_money_on_its_way(orgs: Orgs, bonds: Any, in_scope: Any) -> None:
    bonds.move(Allotment, bonds.first, bonds.old, 400, date(2021, 6, 19))
    bonds.move(Allotment, bonds.first, bonds.new, 100, date(2022, 3, 16))
    bonds.move(Allotment, bonds.second, bonds.new, 200, date(2022, 3, 16))
    bonds.move(Allotment, bonds.second, bonds.new, 70, date(2022, 3, 16), retracted_at=LATER)
    bonds.move(Disbursement, bonds.first, bonds.old, 300, date(2021, 8, 1))
    bonds.move(Disbursement, bonds.second, bonds.new, 50, date(2022, 5, 1))
    paper = bonds.contract(bonds.first)
    bonds.move(Payment, bonds.first, bonds.old, 120, date(2021, 9, 1), contract=paper, uid=uuid4())
    with in_scope(orgs.city):
        assert evaluate("bonds.issued", ask(orgs)).value == 700
        assert evaluate("bonds.issued", ask(orgs, date(2022, 1, 1))).value == 400
        assert evaluate("bonds.issued", ask(orgs, known_at=datetime(2022, 8, 1, tzinfo=UTC))).value == 770
        assert {g.value: g.result.value for g in breakdown("bonds.issued", ask(orgs), "tranche")} == {
            "new": 300,
            "old": 400,
        }
        assert {g.value: g.result.value for g in breakdown("bonds.issued", ask(orgs), "year")} == {
            "2021": 400,
            "2022": 300,
        }
        assert evaluate("bonds.paid_out", ask(orgs)).value == 300
        assert evaluate("bonds.spent", ask(orgs)).value == 120
        payout = evaluate("bonds.payout_rate", ask(orgs, JULY))
        assert (payout.numerator, payout.denominator) == (350, 800)
        assert display(get("bonds.payout_rate"), payout) == "43.8 %"
        one = ask(orgs, JULY, project=str(bonds.second.uid))
        assert evaluate("bonds.payout_rate", one).value == Decimal(50) / 300
        _figure, facts = rows("bonds.issued", ask(orgs))
        assert facts is not None and sorted(row.view.label for row in facts[:9]) == [
            "Halls",
            "Pipes",
            "Pipes",
        ]
    with in_scope(orgs.foreign):
        foreign = Query(orgs.below(orgs.foreign), MARCH)
        assert evaluate("bonds.issued", foreign).value == 0
        assert evaluate("bonds.payout_rate", foreign).value is None


@pytest.mark.parametrize(
    ("day", "idle"),
    [(date(2021, 12, 31), 0), (date(2022, 1, 1), 180), (date(2022, 9, 30), 180), (date(2022, 10, 1), 230)],
)
def test_idle_money_is_what_is_unspent_after_its_time(
    orgs: Orgs, bonds: Any, in_scope: Any, day: date, idle: int
) -> None:
    """Six months from the month after issue: 19 June 2021 → 31 December, 16 March 2022 → 30 September."""
    bonds.move(Disbursement, bonds.first, bonds.old, 200, date(2021, 8, 1))
    bonds.move(Disbursement, bonds.first, bonds.old, 100, date(2021, 9, 1))
    bonds.move(Disbursement, bonds.second, bonds.new, 50, date(2022, 5, 1))
    bonds.move(Payment, bonds.first, bonds.old, 120, date(2021, 9, 1), contract=bonds.contract(bonds.first), uid=uuid4())  # fmt: skip
    with in_scope(orgs.city):
        assert evaluate("bonds.idle", ask(orgs, day)).value == idle


def test_coverage_divides_the_sums_of_the_newest_records(
    orgs: Orgs, bonds: Any, in_scope: Any, english: None
) -> None:
    def record(project: Any, net: int, service: int, day: date, at: datetime = THEN) -> None:
        CoverageRecord.objects.create(
            reserve=Reserve.objects.get(project=project), version="plan", effective_on=day, recorded_at=at,
            net_income=net, service=service, service_operating=service - 10, service_with_fees=service + 1,
            net_income_all_debt=net, service_all_debt=service + 100,
        )  # fmt: skip

    with everywhere():
        record(bonds.first, 500, 1000, date(2022, 1, 1))
        record(bonds.first, 1120, 1000, date(2022, 2, 1))
        record(bonds.second, 300, 200, date(2022, 1, 1))
        record(bonds.second, 900, 200, date(2022, 3, 1), LATER)
        record(bonds.third, 77, 0, date(2022, 1, 1))  # nothing is due: it has no coverage
    with in_scope(orgs.city):
        one = evaluate("bonds.coverage", ask(orgs, project=str(bonds.first.uid)))
        assert one.value == Decimal("1.12") and display(get("bonds.coverage"), one) == "1.12"
        assert evaluate("bonds.coverage", ask(orgs)).value == Decimal(2020) / 1200
        early = ask(orgs, known_at=datetime(2022, 8, 1, tzinfo=UTC))
        assert evaluate("bonds.coverage", early).value == Decimal(1420) / 1200
        assert evaluate("bonds.coverage_all_debt", early).value == Decimal(1420) / 1400
        assert evaluate("bonds.coverage_operating", early).value == Decimal(1420) / 1180
        assert evaluate("bonds.coverage_with_fees", early).value == Decimal(1420) / 1202
        assert evaluate("bonds.coverage", ask(orgs, date(2021, 1, 1))).value is None


def test_the_quota_is_the_newest_statement_of_each_place_and_year(orgs: Orgs, in_scope: Any) -> None:
    with everywhere():
        for org, year, amount, day in (
            (orgs.north, 2022, 100, date(2022, 1, 1)),
            (orgs.north, 2022, 150, date(2022, 3, 1)),
            (orgs.north, 2021, 70, date(2021, 1, 1)),
            (orgs.south, 2022, 30, date(2022, 2, 1)),
        ):
            Quota.objects.create(org=org, year=year, amount=amount, effective_on=day, recorded_at=THEN)
    with in_scope(orgs.city):
        assert evaluate("bonds.quota", ask(orgs)).value == 250
        assert evaluate("bonds.quota", ask(orgs, year="2022")).value == 180
        assert evaluate("bonds.quota", ask(orgs, date(2022, 2, 1), year="2022")).value == 130


def test_the_arrival_rate_is_never_clamped(orgs: Orgs, make_project: Any, in_scope: Any) -> None:
    project = make_project(orgs.north, "Rich", total=1000)
    with everywhere():
        line = {"source": "fiscal", "security": "secured", "amount": Decimal(1300)}
        set_funding(SYSTEM, project, date(2022, 1, 1), [line])
    with in_scope(orgs.city):
        assert evaluate("funds.arrival_rate", ask(orgs, project=str(project.uid))).value == Decimal("1.3")
