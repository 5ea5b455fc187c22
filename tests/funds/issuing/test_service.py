"""From the tables to the engine: plans in each version, set-based, and the debt service of a place."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from yuanmai.core.figures import Query
from yuanmai.core.policy import SYSTEM
from yuanmai.core.scope import everywhere
from yuanmai.funds.issuing.actions import redeem_early
from yuanmai.funds.issuing.debt import payments_due, place_service
from yuanmai.funds.issuing.queries import money, tranches_of
from yuanmai.funds.issuing.service import issued_tranches, plan_of, plans_of, statement_of
from yuanmai.funds.models import PlanYear, Repayment, ReserveLoan

DAY = date(2022, 9, 30)
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _everything() -> Any:
    with everywhere():
        yield


def test_the_plan_gives_way_to_what_is_issued(
    orgs: Any, make_project: Any, make_reserve: Any, make_tranche: Any, give: Any
) -> None:
    project = make_project(orgs.north)
    reserve = make_reserve(project, approved=50_000_000)
    for year, bonds in ((2022, 30_000_000), (2023, 20_000_000)):
        PlanYear.objects.create(reserve=reserve, year=year, bonds=bonds, revenue=1_000_000)
    PlanYear.objects.create(reserve=reserve, year=2023, version="operating", revenue=700_000)
    ReserveLoan.objects.create(
        reserve=reserve, lender="Bank", principal=9_000_000, rate=Decimal("0.04"), drawn_on=date(2022, 5, 1), periods=5,
    )  # fmt: skip
    give(make_tranche(orgs.city, code="A", registration_fee_rate=Decimal(0)), project, 35_000_000)
    query = Query((orgs.north.pk,), DAY)
    plan = plan_of(reserve, "plan", query)
    assert [(t.id, t.principal, t.rate) for t in plan.tranches] == [
        ("plan-2022", 30_000_000, Decimal("0.035")),
        ("plan-2023", 20_000_000, Decimal("0.035")),
    ]
    issued = plan_of(reserve, "issued", query)
    assert [(t.id, t.principal) for t in issued.tranches] == [("A", 35_000_000), ("plan-2023", 15_000_000)]
    # Issued at its own fees, what is still planned at those of the rules: 15 of 50 m.
    assert issued.fees.issue == Decimal("0.0008")
    assert issued.fees.registration == Decimal("0.000064") * 15 / 50
    assert plan.fees.redemption == Decimal("0.00005")
    assert [year.revenue for year in issued.years] == [1_000_000, 1_000_000]
    operating = plan_of(reserve, "operating", query)
    assert [year.revenue for year in operating.years] == [1_000_000, 700_000]
    assert len(operating.loans) == 1
    # Before the allotment counted, everything was as planned.
    assert plan_of(reserve, "issued", query.on(date(2022, 2, 1))).tranches == plan.tranches


def test_instalments_take_a_share_of_every_project_and_lose_no_cent(
    orgs: Any, make_project: Any, make_reserve: Any, make_tranche: Any, give: Any
) -> None:
    project = make_project(orgs.north)
    make_reserve(project)
    parts = [{"year": year, "share": "0.33333"} for year in (8, 9)] + [{"year": 10, "share": "0.33334"}]
    tranche = make_tranche(orgs.city, repayment=Repayment.INSTALMENTS, instalments=parts)
    give(tranche, project, "10000000.01")
    (part,) = issued_tranches(project, Query((orgs.north.pk,), DAY))
    assert [entry.period for entry in part.instalments] == [16, 18, 20]
    assert sum(entry.principal for entry in part.instalments) == Decimal("10000000.01")


def test_an_early_redemption_ahead_shapes_the_flows(
    orgs: Any, make_project: Any, make_reserve: Any, make_tranche: Any, give: Any
) -> None:
    project = make_project(orgs.north)
    reserve = make_reserve(project)
    tranche = make_tranche(orgs.city, code="A")
    give(tranche, project, 10_000_000)
    redeem_early(SYSTEM, tranche, date(2027, 2, 23), [(project, Decimal(4_000_000))])
    query = Query((orgs.north.pk,), DAY)
    flows = statement_of(reserve, "issued", query).flows["A"]
    assert [(row.date, row.principal) for row in flows if row.principal] == [
        (date(2027, 2, 23), 4_000_000),
        (date(2032, 2, 23), 6_000_000),
    ]
    place = place_service(query)
    # 5 years on 10 m and 5 years on 6 m, at 2.53 %.
    assert place.whole.interest == Decimal("0.0253") * 5 * (10_000_000 + 6_000_000)
    issue = Decimal("0.000864") * 10_000_000
    assert place.fees == issue + Decimal("0.00005") * place.whole.total


def test_many_projects_cost_as_many_queries_as_one(
    orgs: Any,
    make_project: Any,
    make_reserve: Any,
    make_tranche: Any,
    give: Any,
    django_assert_num_queries: Any,
) -> None:
    tranche = make_tranche(orgs.city)
    reserves = []
    for _turn in range(4):
        project = make_project(orgs.north)
        reserves.append(make_reserve(project, income=1_000_000))
        give(tranche, project, 10_000_000)
    query = Query((orgs.north.pk,), DAY)
    plans_of(reserves, "operating", query)  # the rules are kept between questions
    for some in (reserves[:1], reserves):
        with django_assert_num_queries(6):
            assert len(plans_of(some, "operating", query)) == len(some)
    ids = [reserve.project_id for reserve in reserves]
    with django_assert_num_queries(3):
        money(query, ids)
    with django_assert_num_queries(3):
        tranches_of(query, ids)
    with django_assert_num_queries(5):
        assert len(payments_due(query, date(2023, 1, 1), date(2023, 12, 31))) == 8
