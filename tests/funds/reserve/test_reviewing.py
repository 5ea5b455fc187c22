"""Reviews of a reserve project: passes, send-backs, scores, gates, and who may review what."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from tests.funds.reserve.conftest import DAY, WAN, scores
from tests.funds.reserve.kit import codes, review
from yuanmai.core.audit.models import AuditEntry
from yuanmai.core.figures import Query
from yuanmai.core.policy import SYSTEM, Denied
from yuanmai.core.scope import everywhere
from yuanmai.funds.models import (
    Review,
)
from yuanmai.funds.reserve import actions
from yuanmai.funds.reserve.queries import awaiting, lines

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]


def test_two_passes_make_it_reviewed(handed_in: Any, make_user: Any, orgs: Any, actor_of: Any) -> None:
    reserve = handed_in()
    finance = actor_of(make_user("finance_officer", orgs.city))
    reform = actor_of(make_user("reform_officer", orgs.city))
    with everywhere():
        assert list(awaiting("finance")) == [reserve] == list(awaiting("reform"))
        first = review(finance, reserve, "finance")
        assert first.score == 80 and not awaiting("finance").exists()
        reserve.refresh_from_db()
        assert reserve.state == "reserve"
        with pytest.raises(ValidationError):
            review(finance, reserve, "finance")
        review(reform, reserve, "reform", scores=scores(70))
        reserve.refresh_from_db()
        assert reserve.state == "reviewed" and codes(reserve)[-3:] == ["review", "review", "pass"]
        (line,) = lines(Query((reserve.org_id,), DAY))
        assert line.score == 75 and line.readiness == 1
        assert {gate["code"] for gate in first.gates} >= {"coverage", "checklist", "minimum_capital"}


def test_a_send_back_needs_its_reason_and_its_answer(
    handed_in: Any, make_user: Any, orgs: Any, actor_of: Any
) -> None:
    reserve = handed_in()
    finance, reform = (actor_of(make_user(f"{role}_officer", orgs.city)) for role in ("finance", "reform"))
    with everywhere():
        review(reform, reserve, "reform")
        with pytest.raises(ValidationError) as caught:
            review(finance, reserve, "finance", "send_back")
        assert "opinion" in caught.value.message_dict
        review(finance, reserve, "finance", "send_back", opinion="收入预测无依据")
        reserve.refresh_from_db()
        assert (reserve.state, reserve.submitted_at) == ("reserve", None) and reserve.sent_back_at
        with pytest.raises(ValidationError) as caught:
            actions.move_reserve(SYSTEM, reserve, "submit", DAY, {})
        assert "text" in caught.value.message_dict
        actions.set_plan(
            SYSTEM, reserve, DAY, "plan", {2030: {"revenue": WAN * 1400, "operating_cost": WAN * 300}}
        )
        actions.move_reserve(SYSTEM, reserve, "submit", DAY, {"text": "已补充租赁意向书"})
        reserve.refresh_from_db()
        assert reserve.sent_back_at is None
        assert {r.body for r in Review.objects.filter(reserve=reserve)} == {"finance", "reform"}
        assert list(awaiting("reform")) == [reserve]  # what was passed before the change is reviewed again
        review(finance, reserve, "finance")
        review(reform, reserve, "reform")
        reserve.refresh_from_db()
        assert reserve.state == "reviewed"


def test_nobody_reviews_what_he_entered_himself(
    project: Any, handed_in: Any, make_user: Any, orgs: Any, actor_of: Any
) -> None:
    keeper = actor_of(make_user("finance_officer", orgs.city, posts=[("reform_officer", orgs.city)]))
    other = actor_of(make_user("finance_officer", orgs.city, posts=[("reform_officer", orgs.city)]))
    reserve = handed_in()
    with everywhere():
        actions.move_reserve(keeper, reserve, "recall", DAY, {"text": "one more change"})
        actions.change_reserve(keeper, reserve, DAY, {"joint_start": "2022年第一批"})
        actions.move_reserve(keeper, reserve, "submit", DAY, {})
        reserve.refresh_from_db()
        with pytest.raises(Denied, match="yourself"):
            review(keeper, reserve, "finance")
        review(other, reserve, "finance")
        with pytest.raises(Denied, match="other body"):
            review(other, reserve, "reform")
        assert AuditEntry.objects.filter(action="funds.review_reserve", result="refused").count() == 2


@pytest.mark.parametrize(
    ("role", "place", "body"),
    [
        ("project_officer", "city", "finance"),
        ("finance_officer", "city", "reform"),
        ("finance_officer", "foreign", "finance"),
    ],
)
def test_reviews_are_for_their_body_and_place(
    handed_in: Any, make_user: Any, orgs: Any, actor_of: Any, role: str, place: str, body: str
) -> None:
    reserve = handed_in()
    actor = actor_of(make_user(role, getattr(orgs, place)))
    with everywhere(), pytest.raises(Denied):
        review(actor, reserve, body)
    with everywhere():
        assert not Review.objects.exists()


def test_a_failed_gate_stops_a_pass_but_not_a_send_back(handed_in: Any) -> None:
    reserve = handed_in(revenue=700)
    with everywhere():
        with pytest.raises(ValidationError) as caught:
            review(SYSTEM, reserve, "finance")
        assert "at least 1.10" in caught.value.message_dict["verdict"][0]
        review(SYSTEM, reserve, "finance", "send_back", opinion="覆盖倍数不足")


@pytest.mark.parametrize(
    ("given", "where"),
    [
        (scores(101), "score_income"),
        (scores(-1), "score_income"),
        ({k: v for k, v in scores().items() if k != "income"}, "score_income"),
        (scores(59), "verdict"),
    ],
)
def test_scores_are_complete_and_in_range(handed_in: Any, given: Any, where: str) -> None:
    reserve = handed_in()
    with everywhere(), pytest.raises(ValidationError) as caught:
        review(SYSTEM, reserve, "finance", scores=given)
    assert where in caught.value.message_dict
    with everywhere():
        assert not Review.objects.exists()


def test_a_review_is_taken_back_by_its_reviewer(
    handed_in: Any, make_user: Any, orgs: Any, actor_of: Any
) -> None:
    reserve = handed_in()
    one, two = (actor_of(make_user("finance_officer", orgs.city)) for _ in range(2))
    with everywhere():
        row = review(one, reserve, "finance")
        review(SYSTEM, reserve, "reform")
        with pytest.raises(Denied):
            actions.take_back_review(two, row, DAY, "not mine")
        actions.take_back_review(one, row, DAY, "wrong scores")
        reserve.refresh_from_db()
        assert reserve.state == "reserve" and list(awaiting("finance")) == [reserve]
        with pytest.raises(ValidationError):
            actions.take_back_review(one, row, DAY, "again")
        review(one, reserve, "finance", scores=scores(90))
        reserve.refresh_from_db()
        assert reserve.state == "reviewed"
