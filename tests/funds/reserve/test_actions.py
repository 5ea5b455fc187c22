"""The life of a reserve project: entering, planning, approval, and which buttons there are."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from tests.funds.reserve.conftest import DAY, WAN, application, plan
from tests.funds.reserve.kit import PAPER, approved, codes, review
from yuanmai.core.actions import Act, action
from yuanmai.core.figures import Query, evaluate
from yuanmai.core.findings import Finding
from yuanmai.core.policy import SYSTEM, Denied
from yuanmai.core.scope import everywhere
from yuanmai.core.temporal import KNOWN_FOREVER
from yuanmai.core.workflow import Conflict
from yuanmai.funds.models import (
    Contract,
    CoverageRecord,
    NamedUse,
    PlanYear,
    Reserve,
    ReserveItem,
    ReserveStep,
)
from yuanmai.funds.permissions import PAY_BONDS
from yuanmai.funds.reserve import actions
from yuanmai.funds.reserve.actions.reviewing import possible
from yuanmai.funds.reserve.moving import advance, fall_back
from yuanmai.funds.reserve.queries import examine
from yuanmai.projects.actions import NeedsConfirmation

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]


@action("test.reserve_moved", permission=PAY_BONDS)
def moved(act: Act, reserve: Reserve, to: str, back: bool, on: date) -> Reserve | None:
    act.log(reserve.project, after={"to": to})
    return (fall_back if back else advance)(act, reserve.project, to, on)


def test_entering_lays_out_the_checklist_and_counts(enter: Callable[..., Reserve], orgs: Any) -> None:
    reserve = enter()
    with everywhere():
        assert ReserveItem.objects.filter(reserve=reserve, state="missing").count() == 12
        assert codes(reserve) == ["enter"]
        assert reserve.frequency == 2  # 15 years: half-yearly by rule
        query = Query((orgs.north.pk,), DAY)
        assert evaluate("bonds.reserve_count", query).value == 1
        assert evaluate("bonds.requested", query).value == WAN * 7000
        assert evaluate("bonds.reserve_count", Query((orgs.north.pk,), date(2022, 3, 30))).value == 0
        assert CoverageRecord.objects.get(reserve=reserve).service > WAN * 7000


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ({"requested": Decimal(0)}, "requested"),
        ({"requested": Decimal(-1)}, "requested"),
        ({"capital": Decimal(-1)}, "capital"),
        ({"rate": Decimal("3.5")}, "rate"),
        ({"rate": Decimal("-0.01")}, "rate"),
        ({"term_years": 0}, "term_years"),
        ({"year": 1999}, "year"),
        ({"field": "casino"}, "field"),
        ({"sector": "moon"}, "sector"),
        ({"requested": WAN * 20_000}, "requested"),
        ({"bonds_as_capital": WAN * 4000}, "bonds_as_capital"),
        ({"operation_start": date(2023, 1, 1)}, "operation_start"),
        ({"total_investment": None}, "total_investment"),
    ],
)
def test_impossible_figures_are_refused_at_their_field(enter: Any, given: dict[str, Any], where: str) -> None:
    with pytest.raises(ValidationError) as caught:
        enter(**given)
    assert where in caught.value.message_dict
    with everywhere():
        assert not Reserve.objects.exists()


@pytest.mark.parametrize("given", [{"capital": WAN * 2000}, {"field": "office_building"}, {"term_years": 12}])
def test_doubts_must_be_confirmed(project: Any, given: dict[str, Any]) -> None:
    with everywhere():
        with pytest.raises(NeedsConfirmation):
            actions.enter_reserve(SYSTEM, project, DAY, application(**given), confirmed=False)
        assert actions.enter_reserve(SYSTEM, project, DAY, application(**given)).pk


def test_a_project_stands_once_in_the_reserve_of_a_year(enter: Any) -> None:
    first = enter()
    with pytest.raises(ValidationError):
        enter()
    assert enter(year=2023).pk != first.pk
    with everywhere():
        actions.withdraw_reserve(SYSTEM, first, DAY, "entered twice")
        with pytest.raises(ValidationError):
            actions.withdraw_reserve(SYSTEM, first, DAY, "again")
    again = enter()
    with everywhere(), pytest.raises(ValidationError):
        actions.restore_reserve(SYSTEM, first, DAY)
    assert again.state == "reserve"


def test_withdrawn_projects_do_not_count_any_more(enter: Any, orgs: Any) -> None:
    reserve = enter()
    query = Query((orgs.north.pk,), DAY)
    with everywhere():
        actions.withdraw_reserve(SYSTEM, reserve, DAY, "no longer wanted")
        assert evaluate("bonds.reserve_count", query).value == 0
        actions.restore_reserve(SYSTEM, reserve, DAY)
        assert evaluate("bonds.reserve_count", query).value == 1


def test_a_complete_project_passes_every_hard_gate(complete: Any) -> None:
    reserve = complete()
    with everywhere():
        seen = examine(reserve, Query((reserve.org_id,), DAY))
    assert [gate.code for gate in seen.gates if gate.hard and not gate.passed] == []
    assert seen.readiness.share == 1 and seen.offering.lines_done == 3
    # By hand: 15 years of (1500 − 300 − 10) over 7000 principal and 15 years of 3.5 % on it, value dates in 2022 and 2023.
    interest = Decimal(7000) * Decimal("0.035") * 15
    value = seen.statement.coverage.all_interest.value
    assert value is not None and round(value, 20) == round(Decimal(1190) * 15 / (7000 + interest), 20)


def test_reported_and_approved_with_an_amount(handed_in: Any, orgs: Any) -> None:
    reserve, query = handed_in(), Query((orgs.north.pk,), DAY)
    with everywhere():
        with pytest.raises(Conflict):
            actions.move_reserve(SYSTEM, reserve, "report", DAY, PAPER)
        review(SYSTEM, reserve, "finance")
        review(SYSTEM, reserve, "reform")
        with pytest.raises(ValidationError):
            actions.move_reserve(SYSTEM, reserve, "report", DAY, {})
        actions.move_reserve(SYSTEM, reserve, "report", DAY, PAPER)
        assert evaluate("bonds.applied_count", query).value == 1
        for amount in (Decimal(0), Decimal(-5), WAN * 7001):
            with pytest.raises(ValidationError) as caught:
                actions.move_reserve(SYSTEM, reserve, "approve", DAY, {"amount": amount, **PAPER})
            assert "amount" in caught.value.message_dict
        with pytest.raises(ValidationError, match="before"):
            actions.move_reserve(
                SYSTEM, reserve, "approve", date(2022, 3, 1), {"amount": WAN * 6000, **PAPER}
            )
        actions.move_reserve(SYSTEM, reserve, "approve", DAY, {"amount": WAN * 6000, **PAPER})
        assert evaluate("bonds.approved", query).value == WAN * 6000
        actions.move_reserve(SYSTEM, reserve, "revoke", DAY, {"text": "wrong document"})
        assert evaluate("bonds.approved", query).value == 0
        actions.move_reserve(SYSTEM, reserve, "send_back", DAY, {"text": "上级要求补充材料"})
        reserve.refresh_from_db()
        assert reserve.state == "reserve" and reserve.sent_back_at is not None


def test_approval_waits_for_the_papers_it_needs(handed_in: Any) -> None:
    reserve = handed_in(papers=True)
    with everywhere():
        actions.set_items(SYSTEM, reserve, DAY, {"land": {"state": "under_way"}})
        review(SYSTEM, reserve, "finance")
        review(SYSTEM, reserve, "reform")
        actions.move_reserve(SYSTEM, reserve, "report", DAY, PAPER)
        with pytest.raises(ValidationError, match="Land approval"):
            actions.move_reserve(SYSTEM, reserve, "approve", DAY, {"amount": WAN * 6000, **PAPER})
        actions.set_items(SYSTEM, reserve, DAY, {"land": {"state": "done", "document": "湘国土 1"}})
        actions.move_reserve(SYSTEM, reserve, "approve", DAY, {"amount": WAN * 6000, **PAPER})


def test_what_other_actions_move(handed_in: Any) -> None:
    reserve = handed_in()
    later = date(2022, 9, 1)
    with everywhere():
        assert moved(SYSTEM, reserve, "issued", False, later) is None  # nothing is approved yet
        approved(reserve)
        for state in ("issued", "drawn", "completed", "repaid"):
            found = moved(SYSTEM, reserve, state, False, later)
            assert found is not None and found.state == state
            assert moved(SYSTEM, reserve, state, False, later) is None  # as far already
        assert codes(reserve)[-4:] == ["issue", "draw", "finish", "pay_off"]
        found = moved(SYSTEM, reserve, "approved", True, date(2022, 1, 1))
        assert found is not None and found.state == "approved"
        last = ReserveStep.objects.filter(reserve=reserve).order_by("id").last()
        assert last is not None and (last.transition, last.effective_on) == ("fall_back", later)
        with pytest.raises(ValueError, match="advance"):
            moved(SYSTEM, reserve, "reviewed", False, later)


def test_figures_are_closed_while_they_are_reviewed(handed_in: Any) -> None:
    reserve = handed_in()
    with everywhere():
        for change in (
            lambda: actions.change_reserve(SYSTEM, reserve, DAY, {"rate": Decimal("0.03")}),
            lambda: actions.set_plan(SYSTEM, reserve, DAY, "plan", plan(2000)),
            lambda: actions.set_uses(SYSTEM, reserve, DAY, []),
            lambda: actions.set_loans(SYSTEM, reserve, DAY, []),
            lambda: actions.set_plan(SYSTEM, reserve, DAY, "issued", plan(2000)),
        ):
            with pytest.raises(ValidationError):
                change()
        approved(reserve)
        actions.set_plan(SYSTEM, reserve, DAY, "operating", {2024: {"revenue": WAN * 100}})
        assert CoverageRecord.objects.filter(reserve=reserve).order_by("id").last().version == "operating"  # type: ignore[union-attr]


def test_plan_years_are_checked_and_emptied(enter: Any) -> None:
    reserve = enter()
    with everywhere():
        with pytest.raises(ValidationError) as caught:
            actions.set_plan(SYSTEM, reserve, DAY, "plan", {2024: {"revenue": Decimal(-1)}, 1990: {}})
        assert set(caught.value.message_dict) == {"2024.revenue", "1990.year"}
        actions.set_plan(SYSTEM, reserve, DAY, "plan", plan())
        with pytest.raises(ValidationError, match="Nothing"):
            actions.set_plan(SYSTEM, reserve, DAY, "plan", plan())
        actions.set_plan(SYSTEM, reserve, DAY, "plan", {2038: {}})
        assert not PlanYear.objects.filter(reserve=reserve, year=2038).exists()
        assert PlanYear.objects.filter(reserve=reserve).count() == 16


def test_uses_stay_named_once_something_stands_on_them(enter: Any) -> None:
    reserve, on = enter(), DAY
    with everywhere():
        actions.set_uses(
            SYSTEM,
            reserve,
            on,
            [{"name": "管网", "amount": WAN * 5000}, {"name": "泵站", "amount": WAN * 2000}],
        )
        pipe, pump = NamedUse.objects.filter(reserve=reserve).order_by("id")
        Contract.objects.create(
            org_id=reserve.org_id, project=reserve.project, uid="8a3c0f1e-0000-4000-8000-000000000001", number="1", name="C",
            payee="P", amount=1, signed_on=on, use=pipe, recorded_at=reserve.recorded_at,
        )  # fmt: skip
        with pytest.raises(ValidationError, match="管网"):
            actions.set_uses(SYSTEM, reserve, on, [{"id": pump.pk, "name": "泵站", "amount": WAN * 7000}])
        actions.set_uses(SYSTEM, reserve, on, [{"id": pipe.pk, "name": "管网改造", "amount": WAN * 7000}])
        pump.refresh_from_db()
        pipe.refresh_from_db()
        assert pump.retired_at is not None and pipe.name == "管网改造"
        for bad in (
            [{"name": "", "amount": WAN}],
            [{"name": "a", "amount": Decimal(0)}],
            [{"name": "a", "amount": WAN}] * 2,
        ):
            with pytest.raises(ValidationError):
                actions.set_uses(SYSTEM, reserve, on, bad)


def test_loans_must_be_ones_that_the_engine_computes(enter: Any) -> None:
    reserve = enter(other_debt=WAN * 1000, requested=WAN * 6000)
    loan = {
        "lender": "江南银行", "principal": WAN * 1000, "rate": Decimal("0.045"), "drawn_on": date(2023, 1, 1),
        "periods": 10, "frequency": 1, "kind": "level_payment",
    }  # fmt: skip
    with everywhere():
        for bad in (
            {"principal": Decimal(-1)},
            {"rate": Decimal("0.5")},
            {"periods": 0},
            {"lender": ""},
            {"drawn_on": None},
        ):
            with pytest.raises(ValidationError) as caught:
                actions.set_loans(SYSTEM, reserve, DAY, [{**loan, **bad}])
            assert "line_0" in caught.value.message_dict
        actions.set_loans(SYSTEM, reserve, DAY, [loan])
        seen = examine(reserve, Query((reserve.org_id,), DAY))
        assert {gate.code for gate in seen.gates} >= {"coverage_all_debt"}


def test_a_total_that_differs_from_the_library_is_a_finding(enter: Any) -> None:
    reserve = enter(total_investment=WAN * 11_000, capital=WAN * 4000)
    with everywhere():
        found = Finding.objects.get(kind="funds.reserve_total", gone_until=KNOWN_FOREVER)
        assert "110" in found.sentence and found.key == f"reserve-{reserve.pk}"
        actions.change_reserve(
            SYSTEM, reserve, DAY, {"total_investment": WAN * 10_000, "capital": WAN * 3000}
        )
        assert not Finding.objects.filter(kind="funds.reserve_total", gone_until=KNOWN_FOREVER).exists()


def test_buttons_follow_the_state_and_the_rights(
    handed_in: Any, make_user: Any, orgs: Any, actor_of: Any
) -> None:
    reserve = handed_in()
    keeper = actor_of(make_user("project_officer", orgs.north))
    leader = actor_of(make_user("leader", orgs.city))
    with everywhere():
        assert [(o.transition.code, o.why_not is None) for o in possible(reserve, keeper)] == [
            ("recall", True)
        ]
        assert [(o.transition.code, o.why_not is None) for o in possible(reserve, leader)] == [
            ("recall", False)
        ]
        with pytest.raises(Denied):
            actions.move_reserve(leader, reserve, "recall", DAY, {"text": "x"})
        approved(reserve)
        reserve.refresh_from_db()
        steps = {o.transition.code: o.why_not for o in possible(reserve, keeper)}
        assert set(steps) == {"adjust", "revoke"} and all(steps.values())
