"""The rules of disbursing and paying: worked cases, and what must hold for all of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from yuanmai.funds.engine.payments import (
    FLAG,
    REFUSE,
    ContractFacts,
    DisbursementFacts,
    Flow,
    PaperFacts,
    PaymentFacts,
    PaymentRules,
    UseFacts,
    check_disbursement,
    check_measurement,
    check_paper,
    check_payment,
    check_return,
    check_use_plan,
    least_balance,
    plan_due,
)

D = Decimal
SIGNED, DAY, TODAY = date(2022, 1, 20), date(2022, 3, 31), date(2022, 4, 30)
CONTRACT = ContractFacts(D(800), SIGNED, paid=D(100), certified=D(300))
FACTS = PaymentFacts(
    D(200), DAY, TODAY, CONTRACT, True, [Flow(date(2022, 2, 1), D(500))], [Flow(date(2022, 3, 1), D(100))],
    UseFacts("pipes", D(900)), PaperFacts(D(300), D(50)), PaperFacts(D(300)), planned=D(400), paid_in_month=D(100),
)  # fmt: skip


def codes(facts: PaymentFacts, rules: PaymentRules = PaymentRules()) -> list[tuple[str, str]]:  # noqa: B008
    return [(v.code, v.level) for v in check_payment(facts, rules)]


def test_a_payment_that_keeps_every_rule_is_neither_refused_nor_flagged() -> None:
    assert codes(FACTS) == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"amount": D(0)}, "not_positive"),
        ({"amount": D(-5)}, "not_positive"),
        ({"amount": D("NaN")}, "not_positive"),
        ({"amount": D("1.005")}, "below_cent"),
        ({"amount": D(401)}, "above_disbursed"),
        ({"day": date(2022, 1, 19)}, "before_signing"),
        ({"day": date(2022, 5, 1)}, "in_future"),
        ({"day": date(2022, 1, 31)}, "above_disbursed"),
        ({"allotted": False}, "not_allotted"),
        ({"use": None}, "no_use"),
        ({"use": UseFacts("x", D(900), named=False)}, "use_not_named"),
        ({"use": UseFacts("x", D(900), capital_expenditure=False)}, "not_capital"),
        ({"contract": replace(CONTRACT, same_project=False)}, "contract_elsewhere"),
        ({"contract": replace(CONTRACT, paid=D(601))}, "above_contract"),
        ({"invoice": PaperFacts(D(300), same_contract=False)}, "paper_elsewhere"),
        ({"certificate": PaperFacts(D(300), same_contract=False)}, "paper_elsewhere"),
    ],
)
def test_what_breaks_a_hard_rule_is_refused_and_nothing_is_flagged(change: dict[str, Any], code: str) -> None:
    found = codes(replace(FACTS, **change))
    assert (code, REFUSE) in found
    assert all(level == REFUSE for _code, level in found)


@pytest.mark.parametrize(
    ("change", "flags"),
    [
        ({"contract": replace(CONTRACT, certified=D(200))}, ["ahead_of_certified"]),  # 37.5 % > 25 % + 10 %
        ({"contract": replace(CONTRACT, certified=D(220))}, []),  # exactly at the tolerance
        ({"contract": replace(CONTRACT, work_share=D("0.27"))}, ["ahead_of_measured"]),
        ({"contract": replace(CONTRACT, work_share=D("0.275"))}, []),
        (
            {"contract": replace(CONTRACT, certified=D(0), work_share=D(0))},
            ["ahead_of_certified", "ahead_of_measured"],
        ),
        ({"planned": None}, ["not_planned"]),
        ({"planned": D(299)}, ["above_plan"]),
        ({"use": UseFacts("pipes", D(900), paid=D(701))}, ["above_use"]),
        ({"invoice": PaperFacts(D(199))}, ["above_invoice"]),
        ({"certificate": PaperFacts(D(300), D(101))}, ["above_certificate"]),
    ],
)
def test_what_runs_ahead_or_lies_outside_a_plan_is_flagged_and_stored(
    change: dict[str, Any], flags: list[str]
) -> None:
    assert codes(replace(FACTS, **change)) == [(code, FLAG) for code in flags]


def test_places_decide_how_strict_the_rules_are() -> None:
    unnamed = replace(FACTS, use=None, planned=None)
    assert codes(unnamed, PaymentRules(named_uses=FLAG, use_plan="")) == [("no_use", FLAG)]
    assert codes(unnamed, PaymentRules(named_uses="", use_plan="")) == []
    ahead = replace(FACTS, contract=replace(CONTRACT, certified=D(100)))
    assert codes(ahead, PaymentRules(tolerance=D("0.30"))) == []


def test_a_backdated_payment_may_not_use_what_a_later_one_has_spent() -> None:
    late = replace(FACTS, day=date(2022, 2, 10), paid=[Flow(date(2022, 3, 1), D(400))], amount=D(150))
    verdicts = check_payment(late)
    assert [(v.code, v.params["left"]) for v in verdicts] == [("above_disbursed", D(100))]


def test_a_disbursement_keeps_to_the_allotment_and_the_value_date() -> None:
    facts = DisbursementFacts(
        D(400), DAY, TODAY, date(2022, 1, 10), [Flow(date(2022, 1, 10), D(1000))], [Flow(DAY, D(600))]
    )
    assert check_disbursement(facts) == []
    assert [v.code for v in check_disbursement(replace(facts, amount=D("400.01")))] == ["above_allotment"]
    assert [v.code for v in check_disbursement(replace(facts, day=date(2022, 1, 9)))] == ["before_issue"]
    assert [v.code for v in check_disbursement(replace(facts, allotted=[]))] == ["not_allotted"]


def test_a_change_of_use_later_on_binds_a_backdated_disbursement() -> None:
    taken = [Flow(date(2022, 1, 10), D(1000)), Flow(date(2022, 4, 1), D(-700))]
    facts = DisbursementFacts(D(301), date(2022, 2, 1), TODAY, date(2022, 1, 10), taken)
    assert [v.params["left"] for v in check_disbursement(facts)] == [D(300)]


def test_a_disbursement_whose_money_is_spent_is_not_taken_back() -> None:
    given_ = [Flow(date(2022, 2, 1), D(500)), Flow(date(2022, 3, 1), D(200))]
    spent = [Flow(date(2022, 4, 1), D(550))]
    assert [v.params["missing"] for v in check_return(given_, spent, given_[1])] == [D(50)]
    assert check_return(given_, [Flow(date(2022, 4, 1), D(500))], given_[1]) == []


def test_papers_above_the_contract_are_flagged_and_before_signing_refused() -> None:
    def check(amount: str, stated: str, day: date = DAY) -> list[tuple[str, str]]:
        found = check_paper(D(amount), day, TODAY, CONTRACT, D(stated), code="over")
        return [(v.code, v.level) for v in found]

    assert check("300", "500") == []
    assert check("300.01", "500") == [("over", FLAG)]
    assert check("300", "0", date(2022, 1, 1)) == [("before_signing", REFUSE)]


@pytest.mark.parametrize(
    ("month", "months", "due"),
    [
        (date(2022, 5, 1), 1, date(2022, 4, 1)),
        (date(2022, 1, 1), 1, date(2021, 12, 1)),
        (date(2022, 1, 1), 0, date(2022, 1, 1)),
        (date(2022, 2, 1), 14, date(2020, 12, 1)),
    ],
)
def test_the_day_by_which_a_use_plan_is_due(month: date, months: int, due: date) -> None:
    assert plan_due(month, months) == due
    assert check_use_plan(D(1), month, due, TODAY, months) == []
    if due < TODAY:
        late = check_use_plan(D(1), month, due + timedelta(days=1), date(2030, 1, 1), months)
        assert [(v.code, v.level) for v in late] == [("plan_late", FLAG)]


def test_a_measurement_below_the_last_or_above_the_plan_asks_for_a_confirmation() -> None:
    def check(quantity: str, **more: Any) -> list[tuple[str, str]]:
        values: dict[str, Any] = {"planned": D(1200), "before": D(400), "after": None, **more}
        return [(v.code, v.level) for v in check_measurement(D(quantity), DAY, TODAY, **values)]

    assert check("400") == check("1200") == []
    assert check("399.99") == [("less_than_before", FLAG)]
    assert check("1200.01") == [("more_than_planned", FLAG)]
    assert check("700", after=D(600)) == [("more_than_after", FLAG)]
    assert check("-1") == [("negative_quantity", REFUSE)]


cents = st.decimals(0, 1_000_000, places=2)
days = st.dates(date(2022, 1, 1), date(2022, 12, 31))
flow = st.builds(Flow, days, cents)
flow_lists = st.lists(flow, max_size=6)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(flow_lists, flow_lists, days)
def test_the_least_balance_is_the_lowest_of_all_days_from_then_on(
    received: list[Flow], spent: list[Flow], since: date
) -> None:
    def balance(day: date) -> Decimal:
        return sum((f.amount for f in received if f.day <= day), D(0)) - sum(
            (f.amount for f in spent if f.day <= day), D(0)
        )

    every = [balance(since + timedelta(days=n)) for n in range(366)]
    assert least_balance(received, spent, since) == min(every)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(cents, days, flow_lists, flow_lists, cents, cents)
def test_whatever_is_stored_keeps_contract_and_disbursed_money(
    amount: Decimal, day: date, received: list[Flow], spent: list[Flow], contract: Decimal, already: Decimal
) -> None:
    """An accepted payment leaves no day on which more is spent than was received, and no contract overpaid."""
    spent = spent if least_balance(received, spent, date(2022, 1, 1)) >= 0 else []
    facts = replace(
        FACTS, amount=amount, day=day, today=date(2023, 1, 1), disbursed=received, paid=spent,
        contract=ContractFacts(contract, date(2021, 1, 1), paid=already),
    )  # fmt: skip
    refused = [v for v in check_payment(facts) if v.level == REFUSE]
    fits = (
        amount > 0
        and already + amount <= contract
        and least_balance(received, [*spent, Flow(day, amount)], day) >= 0
    )
    assert (not refused) == fits


@given(cents.filter(bool), cents, cents, st.none() | st.decimals(0, 1, places=4), st.decimals(0, 1, places=2))
def test_a_payment_is_flagged_exactly_where_it_runs_ahead_by_more_than_the_tolerance(
    contract: Decimal, paid: Decimal, certified: Decimal, share: Decimal | None, tolerance: Decimal
) -> None:
    from yuanmai.funds.engine.payments import ahead_of_work

    facts = ContractFacts(contract, SIGNED, certified=certified, work_share=share)
    found = {v.code for v in ahead_of_work(facts, paid, tolerance)}
    assert ("ahead_of_certified" in found) == (paid / contract > certified / contract + tolerance)
    assert ("ahead_of_measured" in found) == (share is not None and paid / contract > share + tolerance)
