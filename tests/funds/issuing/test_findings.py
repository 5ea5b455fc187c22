"""Contradictions of what was issued: found on entry, gone when cured; idle money found by the day."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from yuanmai.core.figures import Query, evaluate
from yuanmai.core.findings import Finding
from yuanmai.core.jobs.schedule import PERIODIC
from yuanmai.core.policy import SYSTEM
from yuanmai.core.scope import everywhere
from yuanmai.core.temporal import KNOWN_FOREVER
from yuanmai.funds.findings import bond_kinds as kinds
from yuanmai.funds.issuing.actions import correct_tranche, look_for_idle, take_back_allotments
from yuanmai.funds.issuing.idle import batches, idle
from yuanmai.funds.models import PlanYear, Tranche

pytestmark = pytest.mark.django_db


def present(*wanted: str) -> dict[str, Finding]:
    """The findings that stand, by kind (only those of `wanted`, if any are named)."""
    with everywhere():
        rows = Finding.objects.filter(gone_until=KNOWN_FOREVER)
        return {row.kind: row for row in rows if not wanted or row.kind in wanted}


def test_life_and_coverage_of_a_project(
    orgs: Any, make_project: Any, make_reserve: Any, make_tranche: Any, give: Any, english: None
) -> None:
    project = make_project(orgs.north, "管网")
    reserve = make_reserve(
        project, approved=50_000_000, income=4_000_000, construction_end=date(2021, 12, 31)
    )
    tranche = make_tranche(orgs.city, code="2205001", term_years=15)
    row = give(tranche, project, 40_000_000)
    found = present()
    assert "2032 only" in found[kinds.TERM_OVER_PROJECT].sentence
    assert "2037-02-23" in found[kinds.TERM_OVER_PROJECT].sentence
    assert "after the end of construction on 2021-12-31" in found[kinds.AFTER_CONSTRUCTION].sentence
    low = found[kinds.COVERAGE_LOW]
    assert "at least 1.1" in low.sentence and low.severity == "error" and low.evidence
    assert all(finding.org_id == orgs.north.pk for finding in found.values())
    with everywhere():
        PlanYear.objects.filter(reserve=reserve).update(revenue=Decimal(80_000_000))
        same = {name: getattr(tranche, name) for name in ("code", "name", "amount", "rate", "repayment")}
        changes = {**same, "term_years": 10, "tendered_on": tranche.tendered_on}
        correct_tranche(SYSTEM, tranche, changes)
    found = present()
    assert kinds.TERM_OVER_PROJECT not in found and kinds.COVERAGE_LOW not in found
    assert "income is suspicious" in found[kinds.COVERAGE_HIGH].sentence
    with everywhere():
        take_back_allotments(SYSTEM, [row], "typo")
    assert kinds.AFTER_CONSTRUCTION not in present()


def test_gap_years_are_found_although_the_total_covers(
    orgs: Any, make_project: Any, make_reserve: Any, make_tranche: Any, give: Any, english: None
) -> None:
    project = make_project(orgs.north, "管网")
    make_reserve(project, approved=50_000_000, income=8_000_000)
    give(make_tranche(orgs.city), project, 50_000_000)
    (finding,) = present(kinds.GAP_YEARS).values()
    assert "negative in 2022" in finding.sentence
    assert kinds.COVERAGE_LOW not in present()


def test_what_an_import_brought_is_found(orgs: Any, make_tranche: Any, english: None) -> None:
    """Rows that went past the form: a value date before the tender, a rate of 253 %, more allotted than the amount."""
    tranche = make_tranche(orgs.city)
    with everywhere():
        Tranche.objects.filter(pk=tranche.pk).update(value_date=date(2022, 2, 20), rate=Decimal("2.53"))
        make_tranche(orgs.city)  # looks at itself only
        assert kinds.BEFORE_TENDER not in present()
        from tests.funds.issuing.conftest import NOW
        from yuanmai.core.actions import Act, acting
        from yuanmai.funds.findings.bonds import refresh_bond_findings

        act = Act(SYSTEM, "funds.create_tranche", "funds.issue", NOW)
        token = acting.set(act)
        refresh_bond_findings(act, [orgs.city.pk], date(2022, 3, 1), project_ids=[])
        acting.reset(token)
    found = present()
    assert "2022-02-20 lies before the tender on 2022-02-22" in found[kinds.BEFORE_TENDER].sentence
    assert "30 %" in found[kinds.UNUSUAL_TERMS].sentence


def test_idle_money_is_found_by_the_day(
    orgs: Any, make_project: Any, make_reserve: Any, make_tranche: Any, give: Any, spend: Any, english: None
) -> None:
    """Value date 23 February: the time is over on 31 August, and a year on 28 February."""
    project = make_project(orgs.north, "管网")
    make_reserve(project)
    tranche = make_tranche(orgs.city, code="2205001")
    give(tranche, project, 30_000_000)
    spend(tranche, project, disbursed=20_000_000, paid=12_000_000)
    with everywhere():
        look_for_idle(SYSTEM, date(2022, 8, 31))
        assert kinds.IDLE not in present()
        look_for_idle(SYSTEM, date(2022, 9, 1))
    finding = present()[kinds.IDLE]
    assert "CNY 18.00 m" in finding.sentence and "CNY 8.00 m" in finding.sentence
    with everywhere():
        query = Query(orgs.below(orgs.city), date(2022, 9, 1))
        (lying,) = idle(query)
        assert (lying.standing.unspent, lying.at_owner) == (18_000_000, 8_000_000)
        assert evaluate("bonds.idle", query).value == lying.at_owner
        assert idle(query.on(date(2022, 8, 31))) == [] and len(batches(query.on(date(2022, 8, 31)))) == 1
        look_for_idle(SYSTEM, date(2023, 3, 1))
    assert set(present(*kinds.OF_THE_DAY)) == {kinds.TAKE_BACK}
    spend(tranche, project, disbursed=10_000_000, paid=18_000_000)
    with everywhere():
        look_for_idle(SYSTEM, date(2023, 3, 1))
    assert not present(*kinds.OF_THE_DAY)


def test_the_night_looks_for_idle_money(orgs: Any) -> None:
    with everywhere():
        assert "0" in PERIODIC["funds.look_for_idle"].function()
