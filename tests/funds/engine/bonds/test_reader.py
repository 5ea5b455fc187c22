"""JSON in, plan out: the spellings that are understood, and every fault at once."""

from __future__ import annotations

from datetime import date
from decimal import Decimal as D  # noqa: N817
from typing import Any

import pytest

from tests.funds.engine.bonds.test_coverage import RULES
from yuanmai.funds.engine.bonds.reader import Document, read
from yuanmai.funds.engine.bonds.schedule import flows
from yuanmai.funds.engine.bonds.terms import Fault, Repayment, Tranche
from yuanmai.funds.engine.bonds.words import CHECKS, FAULTS, NOTES, fault_message, note_message, written

BOND: dict[str, Any] = {
    "id": "b", "principal": 10000, "rate": 0.03, "value_date": "2024-06-19", "term_years": 10, "frequency": 2, "repayment": "bullet",
}  # fmt: skip


def document(source: Any) -> Document:
    found, faults = read(source, RULES)
    assert faults == [] and found is not None, faults
    return found


def tranche(**changes: Any) -> Tranche:
    return document({"tranches": [{**BOND, **changes}]}).plan.tranches[0]


def faults(source: Any) -> list[tuple[str, str]]:
    found, wrong = read(source, RULES)
    assert found is None and wrong
    for fault in wrong:
        assert fault_message(str, fault)
    return [(fault.path, fault.rule) for fault in wrong]


def of_tranche(**changes: Any) -> list[tuple[str, str]]:
    return [
        (path.removeprefix("tranches[0]."), rule)
        for path, rule in faults({"tranches": [{**BOND, **changes}]})
    ]


def test_one_bond_at_the_top_and_under_inputs() -> None:
    top = document(BOND)
    assert top.single and top.plan.tranches[0] == tranche()
    assert document({"id": "b", "title": "x", "inputs": {**BOND}}).plan == top.plan
    assert document({"inputs": {k: v for k, v in BOND.items() if k != "id"}}).plan.tranches[0].id == "bond"
    assert top.notes == ()


def test_a_project_by_lists_and_by_names() -> None:
    whole = document(
        {
            "unit": "万元",
            "tranches": {"A": {**BOND, "id": None}, "B": {**BOND, "id": "second"}},
            "loans": [{"id": "L", "principal": 5, "rate": "4.2%", "term_years": 3, "kind": "等额本金", "start": "2025-01-31", "freq": 12}],
            "years": {"2027": {"revenue": 5, "operating_cost": 1, "tax": 1}, "2028": {"income": "1,000", "opex": 2}, "2029": {"net_revenue": 7}},
            "investment": {"total": 30000, "capital": 6000, "outlays": {"2024": 1}, "bonds_as_capital": {"2024": 2}},
            "operation_start": "2027-07",
            "fees": {"issue": "0.08%", "registration": 0.000064},
        }
    )  # fmt: skip
    plan = whole.plan
    assert not whole.single and whole.unit == "万元"
    assert [entry.id for entry in plan.tranches] == ["A", "second"]
    loan = plan.loans[0]
    assert (loan.rate, loan.periods, loan.frequency, loan.drawn_on) == (D("0.042"), 36, 12, date(2025, 1, 31))
    assert [year.net_revenue for year in plan.years] == [3, 998, 7]
    assert plan.operation_start == date(2027, 7, 1)
    assert (plan.fees.issue, plan.fees.redemption) == (D("0.0008"), 0)
    assert plan.investment.total == 30000 and plan.investment.outlays == {2024: 1}
    assert document({"tranches": [BOND], "investment": 5}).plan.investment.total == 5
    assert document({"tranches": [BOND], "fees": 0.0008}).plan.fees.issue == D("0.0008")


def test_numbers_are_taken_as_they_are_written() -> None:
    assert tranche(rate=0.0253).rate == D("0.0253")
    assert tranche(rate="2.53%").rate == tranche(rate="２.53％").rate == D("0.0253")
    assert tranche(principal="10,000.5").principal == D("10000.5")
    for day in ("2024/6/19", "2024年6月19日", "20240619", 20240619, date(2024, 6, 19), "2024-06-19T00:00:00"):
        assert tranche(value_date=day).value_date == date(2024, 6, 19)
    for term in (10, 10.0, "10", "10年", "10Y", "10 years"):
        assert tranche(term_years=term).term_years == 10


@pytest.mark.parametrize(
    ("spelling", "kind"),
    [
        ("bullet", Repayment.BULLET), ("到期一次还本", Repayment.BULLET), ("equal_principal", Repayment.EQUAL_PRINCIPAL),
        ("等额本金", Repayment.EQUAL_PRINCIPAL), ("Equal Principal", Repayment.EQUAL_PRINCIPAL),
        ("level", Repayment.LEVEL_PAYMENT), ("level-payment", Repayment.LEVEL_PAYMENT), ("annuity", Repayment.LEVEL_PAYMENT),
        ("等额本息", Repayment.LEVEL_PAYMENT),
    ],
)  # fmt: skip
def test_kinds_of_repayment(spelling: str, kind: Repayment) -> None:
    assert tranche(repayment=spelling).repayment is kind


@pytest.mark.parametrize(
    ("spelling", "number"),
    [
        (1, 1),
        ("2", 2),
        ("annual", 1),
        ("semi-annual", 2),
        ("Semiannual", 2),
        ("每半年", 2),
        ("quarterly", 4),
        ("monthly", 12),
        (0, 0),
    ],
)
def test_frequencies(spelling: Any, number: int) -> None:
    assert tranche(frequency=spelling).frequency == number


def test_what_is_not_said_follows_custom_and_is_told() -> None:
    bare = {key: value for key, value in BOND.items() if key not in ("frequency", "repayment")}
    ten, seven = document(bare), document({**bare, "term_years": 7})
    assert (ten.plan.tranches[0].frequency, seven.plan.tranches[0].frequency) == (2, 1)
    assert [note.rule for note in ten.notes] == ["bullet_assumed", "frequency_by_term"]
    assert all(note_message(str, note) for note in ten.notes)
    assert document({**bare, "repayment": "到期一次还本付息"}).plan.tranches[0].frequency == 0
    typo = document({**BOND, "early_redemptoin": []})
    assert [(note.path, note.rule) for note in typo.notes] == [("early_redemptoin", "not_understood")]


EVEN = {16: D(5000), 20: D(5000)}


@pytest.mark.parametrize(
    "instalments",
    [
        [{"year": 8, "principal": 5000}, {"year": 10, "principal": 5000}],
        [{"after_years": 8, "amount": "5,000"}, {"after_years": 10, "amount": 5000}],
        [{"year": 2032, "share": 0.5}, {"year": 2034, "share": 0.5}],
        [{"year": 2032, "share": 50}, {"year": 2034, "share": 50}],
        [{"year": 2032, "percent": 50}, {"year": 2034, "percent": "50"}],
        [{"year": "2032", "amount": "50%"}, {"year": 10, "amount": "50％"}],
        [{"date": "2032-06-19", "principal": 5000}, {"date": "2034-06-19", "principal": 5000}],
        [{"period": 16, "principal": 5000}, {"period": 20, "principal": 5000}],
        {"years": [8, 10], "principal": [5000, 5000]},
        {"years": [8, 10], "share": 0.5},
        {"8": 5000, "10": 5000},
        {"2032": 5000, "2034": 5000},
        {"2032-06-19": 0.5, "2034-06-19": 0.5},
        {"8": 50, "10": 50},
        [0, 0, 0, 0, 0, 0, 0, 5000, 0, 5000],
        [5000, 0, 5000],
        [0.5, 0, 0.5],
        ["50%", 0, "50%"],
        [0] * 15 + [5000, 0, 0, 0, 5000],
    ],
)
def test_instalments_as_people_write_them(instalments: Any) -> None:
    found = tranche(repayment="instalments", instalments=instalments)
    assert {entry.period: entry.principal for entry in found.instalments} == EVEN
    # The kind may be left out, or be an object, or the list itself.
    assert (
        document(
            {key: v for key, v in BOND.items() if key != "repayment"} | {"instalments": instalments}
        ).plan.tranches[0]
        == found
    )
    assert tranche(repayment={"kind": "instalments", "schedule": instalments}) == found
    if isinstance(instalments, list):
        assert tranche(repayment=instalments) == found


@pytest.mark.parametrize(
    "instalments",
    [
        2,
        "2",
        {"last_years": 2},
        {"from_year": 9},
        {"from_year": 2033},
        {"first_year": 9, "amount": 5000},
        {"from_year": 9, "to_year": 10, "share": 0.5},
        [5000, 5000],
        [1, 1],
    ],
)
def test_equal_instalments_of_the_last_years(instalments: Any) -> None:
    if instalments == [1, 1]:
        assert of_tranche(repayment="instalments", instalments=instalments) == [
            ("instalments", "instalments_do_not_add_up")
        ]
        return
    found = tranche(repayment="分期还本", instalments=instalments)
    assert [(entry.period, entry.principal) for entry in found.instalments] == [(18, 5000), (20, 5000)]


@pytest.mark.parametrize(
    "early",
    [
        {"date": "2029-06-19", "principal": 2500},
        [{"date": "2029-06-19", "amount": "2,500"}],
        {"on": "2029-06-19", "share": 0.25},
        {"year": 2029, "percent": 25},
        {"after_years": 5, "amount": "25%"},
        {"period": 10, "amount": 2500},
        {"2029-06-19": 2500},
        {"2029": 2500},
    ],
)
def test_early_redemptions_as_people_write_them(early: Any) -> None:
    found = tranche(early_redemption=early).early_redemptions
    assert [(entry.date, entry.principal) for entry in found] == [(date(2029, 6, 19), 2500)]


@pytest.mark.parametrize("amount", [None, "all", "全部"])
def test_early_redemption_of_all(amount: Any) -> None:
    found = tranche(early_redemption={"date": "2029-01-02", "amount": amount})
    assert flows(found)[-1].principal == 10000


def test_one_instalment_may_stand_alone() -> None:
    found = tranche(repayment="instalments", instalments={"year": 8, "principal": 10000})
    assert [row.principal for row in flows(found)] == [0] * 15 + [10000]


def test_grace_and_principal_once_a_year() -> None:
    found = tranche(repayment="equal_principal", grace_years=5, principal_frequency=1)
    assert (found.grace_periods, found.principal_every) == (10, 2)
    assert [row.principal for row in flows(found)] == [0] * 11 + [2000, 0] * 4 + [2000]


def test_term_from_the_maturity() -> None:
    bare = {key: value for key, value in BOND.items() if key != "term_years"}
    assert document({**bare, "maturity": "2034-06-19"}).plan.tranches[0].term_years == 10
    assert tranche(maturity="2034-06-19").term_years == 10
    assert of_tranche(maturity="2034-06-20") == [("maturity", "maturity_disagrees")]
    assert faults({**bare, "maturity": "2034-07-19"}) == [("maturity", "maturity_disagrees")]
    assert ("value_date", "value_date_after_maturity") in faults({**bare, "maturity": "2024-06-19"})


def test_a_loan_says_where_it_lies_in_time() -> None:
    def loan(**changes: Any) -> Any:
        return document(
            {
                "loans": [
                    {"id": "l", "principal": 5, "rate": 0.04, "periods": 3, "kind": "等额本息", **changes}
                ]
            }
        )

    assert loan(first_year=2026).plan.loans[0].first_year == 2026
    assert loan(start_year=2025).plan.loans[0].first_year == loan(start=2025).plan.loans[0].first_year == 2026
    assert loan(value_date="2025-03-01").plan.loans[0].drawn_on == date(2025, 3, 1)
    assert [note.rule for note in loan().notes] == ["loan_outside_years"]
    assert (
        document({"loans": [{"principal": 5, "rate": 0.04, "years": 4, "freq": 2, "kind": "等额本息"}]})
        .plan.loans[0]
        .periods
        == 8
    )
    assert loan(grace_years=1).plan.loans[0].grace_periods == 1


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (2027, 2027),
        ("2027", 2027),
        ("2027-07-01", date(2027, 7, 1)),
        ("2027年7月", date(2027, 7, 1)),
        (None, None),
    ],
)
def test_start_of_operation(value: Any, expected: Any) -> None:
    assert document({"tranches": [BOND], "operation_start": value}).plan.operation_start == expected


def test_start_of_operation_from_the_end_of_construction() -> None:
    for value, expected in ((2026, 2027), ("2026-12", date(2027, 1, 1)), ("2026-06-30", date(2026, 7, 1))):
        assert document({"tranches": [BOND], "construction_end": value}).plan.operation_start == expected


def test_dates_alone() -> None:
    found = document({"term_years": 1, "frequency": 2, "value_dates": ["2024-02-29", "2025-08-31"]})
    assert found.schedules == {
        "2024-02-29": (date(2024, 8, 29), date(2025, 2, 28)), "2025-08-31": (date(2026, 2, 28), date(2026, 8, 31)),
    }  # fmt: skip
    alone = document({"term_years": 1, "frequency": 1, "value_date": "2024-02-29"})
    assert alone.schedules == {"2024-02-29": (date(2025, 2, 28),)}
    assert faults({"term_years": 0, "frequency": 5, "value_dates": ["x"]}) == [
        ("value_dates[0]", "not_a_date"), ("frequency", "unknown_frequency"), ("term_years", "term_out_of_range"),
    ]  # fmt: skip


def test_values_in_sentences() -> None:
    assert [written(value) for value in (D("1.50"), D("-0.0000001"), D("1e30"), None, (2024, 2025), date(2024, 1, 2))] == [
        "1.5", "0", "1E+30", "–", "2024, 2025", "2024-01-02",
    ]  # fmt: skip
    assert len({**FAULTS, **NOTES, **CHECKS}) == len(FAULTS) + len(NOTES) + len(CHECKS)
    assert fault_message(str, Fault("rate", D(5), "rate_too_high", {"percent": D("30.0")})).startswith(
        "The rate is above 30 %."
    )
