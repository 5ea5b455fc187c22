"""Changes of use: asked for, judged, approved; the money moves with everything that follows, or nothing does."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from tests.funds.paying.conftest import World, add_reserve, refused, wan
from yuanmai.core.figures import Query
from yuanmai.core.findings import Finding
from yuanmai.core.policy import SYSTEM, Denied
from yuanmai.core.temporal import KNOWN_FOREVER
from yuanmai.core.workflow import Conflict
from yuanmai.funds.findings.paying_kinds import CHANGES_TOO_MANY
from yuanmai.funds.models import (
    Allotment,
    ChangeOfUse,
    CoverageRecord,
    FundingState,
    Reserve,
    ReserveItem,
)
from yuanmai.funds.paying import actions
from yuanmai.funds.paying.judging import judged, restraints
from yuanmai.funds.paying.queries import NOTHING, pay_sums
from yuanmai.people.actor import UserActor

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]
ASKED, DECIDED = date(2022, 5, 1), date(2022, 5, 20)


@pytest.fixture
def ready(world: World) -> World:
    """The other project stands approved in the reserve, ready, with income until 2032; 400 of 500 were paid by the first."""
    add_reserve(world.other, state="approved")
    world.disburse(500)
    world.pay(400)
    return world


def ask(world: World, amount: Any = 500, **more: Any) -> ChangeOfUse:
    values: dict[str, Any] = {
        "case": "need_changed",
        "reason": "Fewer pipes",
        "requested_on": ASKED,
        "tranche": world.tranche,
        "receiver": world.other,
        **more,
    }
    tranche, receiver = values.pop("tranche"), values.pop("receiver")
    return actions.request_change(SYSTEM, tranche, world.project, receiver, wan(amount), **values)


def decide(change: ChangeOfUse, *codes: str) -> ChangeOfUse:
    for code in codes:
        given = {"text": "Looked at", "document": "临财债〔2022〕9号"}
        actions.move_change(SYSTEM, change, code, DECIDED, given)
    return change


def money(world: World) -> list[Decimal]:
    query = Query(world.orgs.below(world.orgs.city), date(2022, 12, 31))
    sums = pay_sums(query, "project")
    return [sums.get(p.pk, NOTHING).allotted / 10_000 for p in (world.project, world.other)]


def test_approval_moves_the_money_and_everything_that_follows(ready: World) -> None:
    change = ask(ready, 550)
    _facts, checks = judged(change, ASKED)
    assert [c.code for c in checks if not c.met] == []
    decide(change, "review")
    assert money(ready) == [1000, 0] and not Allotment.objects.exclude(change=None).exists()
    decide(change, "approve")
    assert (change.state, change.decided_on) == ("approved", DECIDED)
    assert money(ready) == [450, 550]
    query = Query((ready.project.org_id,), DECIDED)
    sums = pay_sums(query, "project_tranche")[ready.project.pk, ready.tranche.pk]
    assert (sums.disbursed, sums.paid) == (wan(450), wan(400)), (
        "50 of the 500 disbursed go back to the treasury"
    )
    funding = FundingState.objects.at(DECIDED).filter(security="issued")
    assert {f.project_id: f.amount for f in funding} == {ready.project.pk: wan(450), ready.other.pk: wan(550)}
    assert CoverageRecord.objects.filter(reserve__project=ready.other, effective_on=DECIDED).exists()
    assert Reserve.objects.get(project=ready.other).state == Reserve.State.ISSUED
    ready.tranche.refresh_from_db()
    assert ready.tranche.allotted == wan(1000)
    assert list(change.steps.order_by("id").values_list("transition", flat=True)) == [
        "request",
        "review",
        "approve",
    ]


def test_money_that_was_paid_cannot_move(ready: World) -> None:
    with refused("amount"):
        ask(ready, 601)
    change = decide(ask(ready, 600), "review")
    ready.pay(1, date(2022, 5, 10))
    with pytest.raises(ValidationError, match="paid out"):
        decide(change, "approve")
    assert money(ready) == [1000, 0]
    change.refresh_from_db()
    assert change.state == "reviewed"


def test_what_can_never_be_right_is_refused_at_once(ready: World) -> None:
    for more, field in (
        ({"case": "other things"}, "case"),
        ({"receiver": ready.project}, "receiver"),
        ({"receiver": ready.foreign}, "receiver"),
        ({"reason": " "}, "reason"),
        ({"tranche": None}, "tranche"),
        ({"requested_on": date(2999, 1, 1)}, "requested_on"),
        ({"amount": 0}, "amount"),
    ):
        with refused(field):
            ask(ready, **more)
    assert not ChangeOfUse.objects.exists()


def test_the_receiver_must_be_reviewed_balanced_ready_and_fit_the_term(ready: World) -> None:
    change = ask(ready)
    reserve = Reserve.objects.get(project=ready.other)

    def stops(word: str) -> None:
        with pytest.raises(ValidationError, match=word):
            decide(change, "review")
        assert change.state == "draft"

    Reserve.objects.filter(pk=reserve.pk).update(state="reserve")
    stops("review")
    Reserve.objects.filter(pk=reserve.pk).update(state="approved")
    ReserveItem.objects.filter(reserve=reserve).update(state="missing")
    stops("checklist")
    ReserveItem.objects.filter(reserve=reserve).update(state="not_needed")
    reserve.planyears.filter(year__gt=2028).update(revenue=0)
    stops("2028")
    reserve.planyears.update(revenue=wan(100))
    stops("below")
    reserve.planyears.update(revenue=wan(600))
    decide(change, "review")
    assert change.state == "reviewed"


def test_a_rejected_change_moves_nothing_and_is_final(ready: World) -> None:
    change = ask(ready)
    with pytest.raises(ValidationError):
        actions.move_change(SYSTEM, change, "reject", DECIDED, {})
    decide(change, "reject")
    assert money(ready) == [1000, 0]
    with pytest.raises(Conflict):
        decide(change, "approve")
    with pytest.raises(ValidationError, match="last step"):
        actions.move_change(SYSTEM, ask(ready), "reject", date(2022, 4, 1), {"text": "x"})


def test_each_step_needs_its_right(ready: World, make_user: Any) -> None:
    officer = UserActor.of(make_user("project_officer", ready.orgs.city))
    change = ask(ready)
    for code in ("review", "reject"):
        with pytest.raises(Denied):
            actions.move_change(officer, change, code, DECIDED, {"text": "x"})
    actions.move_change(officer, change, "withdraw", DECIDED, {"text": "Not needed any more"})
    assert change.state == "rejected"


def test_a_place_that_changes_much_is_found_and_shown_in_the_statement(ready: World) -> None:
    query = Query(ready.orgs.below(ready.orgs.city), date(2022, 12, 31))
    decide(ask(ready, 100), "review", "approve")
    (row,) = [r for r in restraints(query, 2022) if r.org == ready.orgs.north]
    assert (row.restraint.number, row.restraint.share) == (1, Decimal("0.1"))
    assert not row.restraint.loses_quota
    decide(ask(ready, 1), "review", "approve")
    (row,) = [r for r in restraints(query, 2022) if r.org == ready.orgs.north]
    assert row.restraint.too_much and not row.restraint.too_often
    (finding,) = Finding.objects.filter(kind=CHANGES_TOO_MANY, gone_until=KNOWN_FOREVER)
    assert finding.org == ready.orgs.north and "10.1" in finding.sentence
    assert restraints(query, 2021) == []
