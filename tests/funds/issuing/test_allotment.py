"""Allotting tranches: what follows in the same moment, what is refused, what can be taken back."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from yuanmai.core.figures import Query, evaluate
from yuanmai.core.findings import Finding
from yuanmai.core.policy import Denied
from yuanmai.core.temporal import KNOWN_FOREVER
from yuanmai.funds.actions import set_funding
from yuanmai.funds.issuing.actions import Line, allot, state_quota, take_back_allotments, take_back_quota
from yuanmai.funds.models import Allotment, CoverageRecord, FundingState, Reserve, Tranche
from yuanmai.projects.actions import NeedsConfirmation

DAY = date(2022, 3, 1)
pytestmark = pytest.mark.django_db


@pytest.fixture
def officer(make_user: Any, actor_of: Any, orgs: Any, in_scope: Any) -> Any:
    actor = actor_of(make_user("finance_officer", orgs.city))
    with in_scope(actor):
        yield actor


@pytest.fixture
def two(orgs: Any, make_project: Any, make_reserve: Any) -> Any:
    """Two approved projects, in the north and in the south."""
    north, south = make_project(orgs.north, "北园管网"), make_project(orgs.south, "南镇厂房")
    make_reserve(north, income=9_000_000)
    make_reserve(south)
    return north, south


def open_findings(kind: str) -> list[Finding]:
    return list(Finding.objects.filter(kind=kind, gone_until=KNOWN_FOREVER))


def test_an_allotment_reaches_funding_reserve_and_coverage(
    officer: Any, orgs: Any, two: Any, make_tranche: Any
) -> None:
    north, south = two
    planned = {"source": "special_bond", "security": "planned", "year": 2022, "amount": Decimal(40_000_000)}
    set_funding(officer, north, date(2022, 1, 1), [planned])
    tranche = make_tranche(orgs.city, code="2205001")
    lines = [Line(north, Decimal(30_000_000), replace_planned=True), Line(south, Decimal(20_000_000))]
    allot(officer, tranche, DAY, lines, document="财债〔2022〕3号", confirmed=False)
    tranche.refresh_from_db()
    assert tranche.allotted == 50_000_000
    sources = {
        (row.security, row.year, row.tranche): row.amount
        for row in FundingState.objects.at(DAY).filter(project=north)
    }
    assert sources == {("planned", 2022, ""): 10_000_000, ("issued", 2022, "2205001"): 30_000_000}
    assert set(Reserve.objects.values_list("state", flat=True)) == {"issued"}
    record = CoverageRecord.objects.get(reserve__project=north)
    # 30 m × 2.53 % × 10 years issued, 20 m × 3.5 % × 10 years still planned, and 50 m of principal.
    assert record.service == Decimal("7590000") + Decimal("7000000") + Decimal("50000000")
    query = Query(orgs.below(orgs.city), DAY)
    assert evaluate("bonds.issued", query).value == 50_000_000
    assert evaluate("bonds.issued", query.on(date(2022, 2, 28))).value == 0


def test_taking_back_puts_everything_back(officer: Any, orgs: Any, two: Any, make_tranche: Any) -> None:
    north, _south = two
    planned = {"source": "special_bond", "security": "planned", "year": 2022, "amount": Decimal(40_000_000)}
    set_funding(officer, north, date(2022, 1, 1), [planned])
    tranche = make_tranche(orgs.city)
    rows = allot(officer, tranche, DAY, [Line(north, Decimal(30_000_000), replace_planned=True)])
    with pytest.raises(ValidationError):
        take_back_allotments(officer, rows, " ")
    take_back_allotments(officer, rows, "wrong project")
    tranche.refresh_from_db()
    assert tranche.allotted == 0
    (state,) = FundingState.objects.at(DAY).filter(project=north)
    assert (state.security, state.amount) == ("planned", 40_000_000)
    assert Reserve.objects.get(project=north).state == "approved"
    with pytest.raises(ValidationError):
        take_back_allotments(officer, rows, "again")


def test_what_is_spent_is_not_taken_back(
    officer: Any, orgs: Any, two: Any, make_tranche: Any, spend: Any
) -> None:
    north, _south = two
    tranche = make_tranche(orgs.city)
    first, second = (
        allot(officer, tranche, DAY, [Line(north, Decimal(amount))])[0] for amount in (20_000_000, 10_000_000)
    )
    spend(tranche, north, disbursed=15_000_000, paid=12_000_000)
    with pytest.raises(ValidationError):
        take_back_allotments(officer, [first], "typo")
    take_back_allotments(officer, [second], "typo")
    assert Tranche.objects.get(pk=tranche.pk).allotted == 20_000_000


@pytest.mark.parametrize("amount", [0, -1])
def test_amounts_are_positive(officer: Any, orgs: Any, two: Any, make_tranche: Any, amount: int) -> None:
    tranche = make_tranche(orgs.city)
    with pytest.raises(ValidationError) as refusal:
        allot(officer, tranche, DAY, [Line(two[0], Decimal(amount))])
    assert "line_0" in refusal.value.message_dict
    assert not Allotment.objects.exists()


def test_refusals_name_the_line_and_store_nothing(
    officer: Any, orgs: Any, two: Any, make_tranche: Any, make_project: Any, make_reserve: Any, english: None
) -> None:
    north, south = two
    unknown = make_project(orgs.north, "Not in the reserve")
    waiting = make_project(orgs.north, "Waiting")
    make_reserve(waiting, state="reviewed", approved=0)
    tranche = make_tranche(orgs.north)
    lines = [Line(project, Decimal(1_000_000)) for project in (north, north, south, unknown, waiting)]
    with pytest.raises(ValidationError) as refusal:
        allot(officer, tranche, DAY, lines)
    said = {name: " ".join(texts) for name, texts in refusal.value.message_dict.items()}
    assert "twice" in said["line_1"]
    assert "does not belong" in said["line_2"]
    assert "not in the reserve" in said["line_3"]
    assert "Reviewed" in said["line_4"]
    with pytest.raises(ValidationError) as early:
        allot(officer, tranche, date(2022, 2, 21), lines[:1])
    assert "effective_on" in early.value.message_dict
    with pytest.raises(ValidationError):
        allot(officer, tranche, DAY, [])
    assert not Allotment.objects.exists() and Tranche.objects.get(pk=tranche.pk).allotted == 0


def test_never_beyond_the_tranche(
    officer: Any, orgs: Any, two: Any, make_tranche: Any, english: None
) -> None:
    north, south = two
    tranche = make_tranche(orgs.city, amount=Decimal(40_000_000))
    allot(officer, tranche, DAY, [Line(north, Decimal(30_000_000))])
    with pytest.raises(ValidationError) as refusal:
        allot(officer, tranche, DAY, [Line(south, Decimal("10000000.01"))])
    assert "CNY 10.00 m of the tranche are left" in str(refusal.value)
    allot(officer, tranche, DAY, [Line(south, Decimal(10_000_000))])
    assert Tranche.objects.get(pk=tranche.pk).allotted == 40_000_000


def test_more_than_approved_is_confirmed_and_becomes_a_finding(
    officer: Any, orgs: Any, two: Any, make_tranche: Any
) -> None:
    north, _south = two
    tranche = make_tranche(orgs.city)
    line = [Line(north, Decimal(60_000_000))]
    with pytest.raises(NeedsConfirmation) as doubt:
        allot(officer, tranche, DAY, line, confirmed=False)
    assert "line_0" in doubt.value.message_dict
    assert not Allotment.objects.exists()
    rows = allot(officer, tranche, DAY, line)
    (finding,) = open_findings("funds.issued_over_approved")
    assert finding.org_id == orgs.north.pk and len(finding.evidence) == 2
    take_back_allotments(officer, rows, "typo")
    assert not open_findings("funds.issued_over_approved")


def test_the_quota_of_every_place_above_holds(
    officer: Any, orgs: Any, two: Any, make_tranche: Any, in_scope: Any, make_user: Any, actor_of: Any
) -> None:
    north, south = two
    province = actor_of(make_user("finance_officer", orgs.province))
    with in_scope(province):
        state_quota(province, orgs.province, 2022, Decimal(25_000_000), date(2022, 1, 1))
    state_quota(officer, orgs.north, 2022, Decimal(20_000_000), date(2022, 1, 1))
    tranche = make_tranche(orgs.city)
    with pytest.raises(ValidationError) as refusal:
        allot(officer, tranche, DAY, [Line(north, Decimal(21_000_000))])
    assert len(refusal.value.message_dict["beyond_quota"]) == 1  # north; the province has room
    allot(officer, tranche, DAY, [Line(north, Decimal(20_000_000))])
    with pytest.raises(ValidationError):
        allot(officer, tranche, DAY, [Line(south, Decimal(6_000_000))])  # the province has 5 m left
    state_quota(officer, orgs.north, 2022, Decimal(30_000_000), date(2022, 6, 1), document="raised")
    allot(officer, tranche, DAY, [Line(north, Decimal(10_000_000))], beyond_quota="国函〔2022〕1号")
    with in_scope(province):
        (finding,) = open_findings("funds.allotted_over_quota")
        assert finding.org_id == orgs.province.pk
        quota = state_quota(province, orgs.province, 2022, Decimal(50_000_000), date(2022, 7, 1))
        assert not open_findings("funds.allotted_over_quota")
        take_back_quota(province, quota, "typo")
        assert open_findings("funds.allotted_over_quota")


def test_a_quota_below_its_use_needs_a_yes(officer: Any, orgs: Any, two: Any, make_tranche: Any) -> None:
    allot(officer, make_tranche(orgs.city), DAY, [Line(two[0], Decimal(20_000_000))])
    with pytest.raises(NeedsConfirmation):
        state_quota(officer, orgs.city, 2022, Decimal(1), DAY, confirmed=False)
    for amount, year in ((Decimal(-1), 2022), (None, 2022), (Decimal(1), 1999), (Decimal(1), None)):
        with pytest.raises(ValidationError):
            state_quota(officer, orgs.city, year, amount, DAY)
    state_quota(officer, orgs.city, 2022, Decimal(30_000_000), DAY)
    with pytest.raises(ValidationError):  # nothing changed
        state_quota(officer, orgs.city, 2022, Decimal(30_000_000), DAY)


def test_rights_are_asked_at_tranche_and_project(
    orgs: Any, two: Any, make_tranche: Any, make_user: Any, actor_of: Any, in_scope: Any
) -> None:
    tranche = make_tranche(orgs.city)
    park = actor_of(make_user("finance_officer", orgs.north))
    with in_scope(park), pytest.raises(Denied):
        allot(park, tranche, DAY, [Line(two[0], Decimal(1_000_000))])
    project_officer = actor_of(make_user("project_officer", orgs.city))
    with in_scope(project_officer), pytest.raises(Denied):
        allot(project_officer, tranche, DAY, [Line(two[0], Decimal(1_000_000))])


def test_a_later_allotment_adds_to_the_source_from_its_day(
    officer: Any, orgs: Any, two: Any, make_tranche: Any
) -> None:
    north, _south = two
    tranche = make_tranche(orgs.city)
    allot(officer, tranche, date(2022, 5, 1), [Line(north, Decimal(5_000_000))])
    allot(officer, tranche, DAY, [Line(north, Decimal(1_000_000))])

    def source(day: date) -> Decimal:
        return FundingState.objects.at(day).get(project=north).amount

    assert source(date(2022, 4, 1)) == 1_000_000
    assert source(date(2022, 5, 1)) == 6_000_000
