"""The conditions of a change of use, and the restraint of places that change often or much."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuanmai.funds.engine.change_of_use import (
    ChangeFacts,
    Restraint,
    check_change,
    movable,
    to_return,
)

D = Decimal
FACTS = ChangeFacts(
    amount=D(300), case="need_changed", requested_on=date(2022, 5, 1), allotted=D(1000), disbursed=D(600), paid=D(400),
    giver_completed=False, document="", receiver_state="Approved", receiver_reviewed=True, receiver_ready=True,
    receiver_missing=0, coverage=D("1.25"), threshold=D("1.1"), maturity=date(2032, 1, 10), income_until=2040,
)  # fmt: skip


def unmet(facts: ChangeFacts) -> list[str]:
    return [check.code for check in check_change(facts) if not check.met]


def test_a_change_that_meets_every_condition() -> None:
    assert unmet(FACTS) == []
    assert (movable(FACTS), to_return(FACTS)) == (D(600), D(0))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"case": "we like it better"}, "case"),
        ({"same_project": True}, "two_projects"),
        ({"receiver_in_reach": False}, "in_reach"),
        ({"amount": D(601)}, "not_paid"),
        ({"amount": D(0)}, "not_paid"),
        ({"case": "surplus"}, "giver_completed"),
        ({"case": "audit"}, "audit_document"),
        ({"receiver_reviewed": False}, "receiver_reviewed"),
        ({"coverage": D("1.0999")}, "receiver_balanced"),
        ({"coverage": None}, "receiver_balanced"),
        ({"receiver_ready": False}, "receiver_ready"),
        ({"receiver_ready": None}, "receiver_ready"),
        ({"income_until": 2031}, "term_fits"),
        ({"income_until": None}, "term_fits"),
    ],
)
def test_each_condition_stops_it_alone(change: dict[str, Any], code: str) -> None:
    assert unmet(replace(FACTS, **change)) == [code]


def test_a_surplus_needs_a_completed_project_and_an_audit_its_document() -> None:
    assert unmet(replace(FACTS, case="surplus", giver_completed=True)) == []
    assert unmet(replace(FACTS, case="audit", document="审财〔2022〕7号")) == []


cents = st.decimals(0, 10_000, places=2)


@given(cents, cents, cents, cents)
def test_what_is_moved_was_not_paid_and_what_is_returned_lies_with_the_owner(
    allotted: Decimal, disbursed: Decimal, paid: Decimal, amount: Decimal
) -> None:
    allotted, disbursed, paid = sorted((allotted, disbursed, paid), reverse=True)
    facts = replace(FACTS, allotted=allotted, disbursed=disbursed, paid=paid, amount=amount)
    if "not_paid" in unmet(facts):
        assert amount == 0 or amount > allotted - paid
        return
    back = to_return(facts)
    assert 0 <= back <= disbursed - paid
    assert paid <= disbursed - back <= allotted - amount


@pytest.mark.parametrize(
    ("number", "amount", "allotted", "often", "much"),
    [(3, 100, 1000, False, False), (4, 100, 1000, True, False), (1, "100.01", 1000, False, True),
     (0, 0, 0, False, False), (1, 5, 0, False, True)],
)  # fmt: skip
def test_places_that_change_often_or_much_lose_quota(
    number: int, amount: Any, allotted: Any, often: bool, much: bool
) -> None:
    restraint = Restraint(number, D(amount), D(allotted), 3, D("0.10"))
    assert (restraint.too_often, restraint.too_much) == (often, much)
    assert restraint.loses_quota == (often or much)
