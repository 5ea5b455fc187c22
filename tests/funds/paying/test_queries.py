"""The sums of paying: as of a day, as known at a moment, in a number of queries that does not grow."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from tests.funds.paying.conftest import DAY, World, wan
from yuanmai.core.figures import Query
from yuanmai.core.policy import SYSTEM
from yuanmai.funds.models import Certificate, Payment
from yuanmai.funds.paying import actions
from yuanmai.funds.paying.queries import (
    NOTHING,
    WorkDone,
    paid_by_month,
    pay_sums,
    pay_totals,
    work_done,
    work_share,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def paid(world: World) -> World:
    """500 disbursed in February; 100 and 50 paid in March and April; 120 certified, 80 of it confirmed in April."""
    world.disburse(500)
    world.pay(100)
    world.pay(50, date(2022, 4, 20))
    for number, amount in (("1", 80), ("2", 40)):
        actions.certify(SYSTEM, world.contract, DAY, number=number, amount=wan(amount))
    actions.confirm_certificate(SYSTEM, Certificate.objects.get(number="1"), "Firm", date(2022, 4, 10))
    return world


def ask(world: World, day: date, **more: Any) -> Query:
    return Query(world.orgs.below(world.orgs.city), day, **more)


def test_sums_follow_the_day_that_is_asked_for(paid: World) -> None:
    def sums(day: date) -> list[int]:
        found = pay_sums(ask(paid, day), "project").get(paid.project.pk, NOTHING)
        names = (
            "allotted",
            "contracted",
            "certified",
            "uncertified",
            "disbursed",
            "paid",
            "left",
            "to_disburse",
        )
        return [int(getattr(found, name) / 10_000) for name in names]

    assert sums(date(2022, 1, 1)) == [0] * 8
    assert sums(date(2022, 2, 1)) == [1000, 800, 0, 0, 500, 0, 500, 500]
    assert sums(DAY) == [1000, 800, 0, 120, 500, 100, 400, 500]
    assert sums(date(2022, 4, 30)) == [1000, 800, 80, 40, 500, 150, 350, 500]
    assert pay_totals(ask(paid, DAY)) == pay_sums(ask(paid, DAY), "project")[paid.project.pk]
    assert paid_by_month(ask(paid, date(2022, 12, 31))) == {
        date(2022, 3, 1): wan(100),
        date(2022, 4, 1): wan(50),
    }


def test_what_was_taken_back_still_counts_for_who_asks_what_was_known(paid: World) -> None:
    before = timezone.now()
    actions.take_back(SYSTEM, Payment.objects.latest("effective_on"), "Mistake")
    late = date(2022, 12, 31)
    assert pay_totals(ask(paid, late)).paid == wan(100)
    assert pay_totals(ask(paid, late, known_at=before)).paid == wan(150)
    assert pay_totals(ask(paid, late, known_at=before - timedelta(days=1))) == NOTHING


def test_keys_hold_what_they_can_know(paid: World) -> None:
    late = ask(paid, date(2022, 12, 31))
    contract = pay_sums(late, "contract")[paid.contract.pk]
    assert (contract.contracted, contract.paid, contract.allotted) == (wan(800), wan(150), 0)
    assert contract.paid_share == Decimal("0.1875") and contract.unpaid == wan(650)
    assert pay_sums(late, "tranche")[paid.tranche.pk].paid == wan(150)
    assert pay_sums(late, "project_tranche")[paid.project.pk, paid.tranche.pk].movable == wan(850)
    assert pay_sums(late, "use")[paid.use.pk].paid == wan(150)
    assert pay_sums(late, "project", [paid.other.pk]) == {}
    assert pay_sums(Query((paid.orgs.foreign.pk,), late.as_of), "project") == {}


def test_the_number_of_queries_does_not_grow_with_the_rows(
    paid: World, django_assert_num_queries: Any
) -> None:
    query = ask(paid, DAY)
    with django_assert_num_queries(7):
        pay_sums(query, "project")
    with django_assert_num_queries(1):
        work_done(query)


def test_the_newest_measurement_of_the_day_counts(world: World) -> None:
    item = actions.plan_work(
        SYSTEM, world.project, name="Pipe", unit="m", planned=Decimal(200), contract=world.contract
    )
    for day, quantity in ((date(2022, 2, 1), 50), (date(2022, 4, 1), 120), (date(2022, 3, 1), 90)):
        actions.measure(SYSTEM, item, day, Decimal(quantity))
    (found,) = work_done(ask(world, date(2022, 3, 15)))[world.project.pk]
    assert (found.measured, found.measured_on, found.share) == (90, date(2022, 3, 1), Decimal("0.45"))
    (found,) = work_done(ask(world, date(2022, 1, 1)))[world.project.pk]
    assert (found.measured, found.measured_on) == (0, None)


def test_the_share_of_work_of_different_units_is_the_mean_of_their_shares() -> None:
    def item(planned: int, measured: int) -> WorkDone:
        return WorkDone(1, 1, None, None, "x", "m", Decimal(planned), Decimal(measured))

    assert work_share([]) is None
    assert work_share([item(100, 50), item(4, 1)]) == Decimal("0.375")
    assert work_share([item(100, 250), item(4, 0)]) == Decimal("0.5"), (
        "more than planned does not make up for less"
    )
