"""What the reader refuses: each fault with its place and rule, all of them at once, and nothing makes it stumble."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.funds.engine.bonds.test_coverage import RULES
from tests.funds.engine.bonds.test_reader import BOND, faults, of_tranche
from yuanmai.common.plain import plain
from yuanmai.common.working_days import china
from yuanmai.funds.engine.bonds.reader import read
from yuanmai.funds.engine.bonds.report import answer, fault_document


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"principal": 0}, ("principal", "not_positive")),
        ({"principal": -1}, ("principal", "not_positive")),
        ({"principal": 1e19}, ("principal", "too_large")),
        ({"principal": "1e999999"}, ("principal", "not_a_number")),
        ({"principal": float("nan")}, ("principal", "not_a_number")),
        ({"principal": True}, ("principal", "not_a_number")),
        ({"principal": "一万"}, ("principal", "not_a_number")),
        ({"principal": None}, ("principal", "missing")),
        ({"rate": 2.53}, ("rate", "rate_too_high")),
        ({"rate": 0.3001}, ("rate", "rate_too_high")),
        ({"rate": -0.01}, ("rate", "negative")),
        ({"value_date": "2024-02-30"}, ("value_date", "not_a_date")),
        ({"value_date": "1024-02-28"}, ("value_date", "date_out_of_range")),
        ({"value_date": 7}, ("value_date", "not_a_date")),
        ({"term_years": 0}, ("term_years", "term_out_of_range")),
        ({"term_years": 10**12}, ("term_years", "not_a_whole_number")),
        ({"term_years": 2.5}, ("term_years", "not_a_whole_number")),
        ({"frequency": 3}, ("frequency", "unknown_frequency")),
        ({"frequency": "now and then"}, ("frequency", "unknown_frequency")),
        ({"repayment": "balloon"}, ("repayment", "unknown_repayment")),
        ({"repayment": 5}, ("repayment", "unknown_repayment")),
        ({"repayment": "instalments"}, ("instalments", "missing")),
        ({"repayment": "instalments", "instalments": "x"}, ("instalments", "not_instalments")),
        ({"repayment": "instalments", "instalments": [1] * 21}, ("instalments", "too_many_instalments")),
        ({"repayment": "instalments", "instalments": 11}, ("instalments", "instalment_outside_life")),
        (
            {"repayment": "instalments", "instalments": {"11": 10000}},
            ("instalments[0]", "instalment_outside_life"),
        ),
        (
            {"repayment": "instalments", "instalments": {"2024": 10000}},
            ("instalments[0]", "instalment_outside_life"),
        ),
        (
            {"repayment": "instalments", "instalments": {"9": 9999}},
            ("instalments", "instalments_do_not_add_up"),
        ),
        (
            {"repayment": "instalments", "instalments": {"9": 10001, "10": -1}},
            ("instalments[1].principal", "negative"),
        ),
        (
            {"repayment": "instalments", "instalments": {"2030-06-20": 10000}},
            ("instalments.2030-06-20", "not_a_coupon_date"),
        ),
        ({"repayment": "instalments", "instalments": [{"principal": 1}]}, ("instalments[0].year", "missing")),
        ({"repayment": "instalments", "instalments": [{"year": 1}]}, ("instalments[0].principal", "missing")),
        ({"repayment": "instalments", "instalments": [{"year": 1}, 5]}, ("instalments[1]", "not_an_object")),
        (
            {"repayment": "instalments", "instalments": {"from_year": "x"}},
            ("instalments.from_year", "not_a_whole_number"),
        ),
        (
            {"repayment": "instalments", "instalments": {"from_year": 9, "to_year": 11}},
            ("instalments", "instalment_outside_life"),
        ),
        (
            {"repayment": "instalments", "instalments": {"from_year": 9, "amount": "x"}},
            ("instalments.amount", "not_a_number"),
        ),
        (
            {"repayment": "instalments", "instalments": {"from_year": 9, "amount": 1}},
            ("instalments", "instalments_do_not_add_up"),
        ),
        ({"instalments": [10000]}, ("instalments", "instalments_not_meant")),
        (
            {"early_redemption": {"date": "2034-06-19"}},
            ("early_redemption[0].date", "redemption_outside_life"),
        ),
        (
            {"early_redemption": {"date": "2024-06-19"}},
            ("early_redemption[0].date", "redemption_outside_life"),
        ),
        (
            {"early_redemption": {"date": "2030-01-01", "amount": 10001}},
            ("early_redemption[0].principal", "redemption_over_outstanding"),
        ),
        (
            {"early_redemption": [{"date": "2030-01-01"}, {"date": "2031-01-01"}]},
            ("early_redemption[1].principal", "redemption_over_outstanding"),
        ),
        (
            {"early_redemption": {"date": "2030-01-01", "amount": 0}},
            ("early_redemption[0].principal", "not_positive"),
        ),
        ({"early_redemption": {"date": "soon", "amount": 1}}, ("early_redemption[0].date", "not_a_date")),
        ({"early_redemption": 5}, ("early_redemption", "not_redemptions")),
        ({"grace_years": 10}, ("grace_periods", "grace_too_long")),
        ({"principal_frequency": 3}, ("principal_frequency", "principal_frequency")),
        ({"repayment": "level", "principal_frequency": 1}, ("principal_frequency", "principal_frequency")),
    ],
)
def test_a_fault_names_its_place_and_rule(changes: dict[str, Any], expected: tuple[str, str]) -> None:
    assert expected in of_tranche(**changes)


def test_all_faults_come_at_once() -> None:
    bad = {
        "id": "b",
        "principal": -5,
        "rate": 0.5,
        "value_date": "x",
        "term_years": "y",
        "frequency": 3,
        "repayment": "z",
    }
    found = faults(
        {
            "tranches": [bad, BOND, 7],
            "loans": [
                {"id": "l", "principal": 0, "rate": 0.9, "periods": 0, "kind": "instalments"},
                {"id": "l"},
                "x",
            ],
            "years": [
                {"year": 2024, "revenue": -1},
                {"year": 2024, "revenue": 1},
                {"revenue": "x"},
                5,
                {"year": 99999, "revenue": 1},
            ],
            "fees": {"issue": 0.08, "redemption": -1},
            "operation_start": "someday",
            "investment": {"total": "x", "outlays": {"2024": -1, "x": 1}, "bonds_as_capital": 5},
        }
    )
    assert set(found) == {
        ("tranches[0].principal", "not_positive"), ("tranches[0].rate", "rate_too_high"), ("tranches[0].value_date", "not_a_date"),
        ("tranches[0].term_years", "not_a_whole_number"), ("tranches[0].frequency", "unknown_frequency"),
        ("tranches[0].repayment", "unknown_repayment"), ("tranches[1].id", "duplicate_id"), ("tranches[2]", "not_an_object"),
        ("loans[0].kind", "unknown_repayment"), ("loans[0].principal", "not_positive"), ("loans[0].rate", "rate_too_high"),
        ("loans[1].id", "duplicate_id"), ("loans[1].principal", "missing"), ("loans[1].rate", "missing"),
        ("loans[1].periods", "missing"), ("loans[1].kind", "missing"), ("loans[2]", "not_an_object"),
        ("years[0].revenue", "negative"), ("years[2].year", "missing"), ("years[2].revenue", "not_a_number"),
        ("years[3]", "not_an_object"), ("years[4].year", "date_out_of_range"),
        ("fees.issue", "fee_too_high"), ("fees.redemption", "negative"), ("operation_start", "not_a_date"),
        ("investment.total", "not_a_number"), ("investment.outlays.2024", "negative"), ("investment.outlays.x", "not_a_number"),
        ("investment.bonds_as_capital", "not_an_object"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"periods": 0}, ("periods", "term_out_of_range")),
        ({"freq": 0}, ("frequency", "unknown_frequency")),
        ({"grace_periods": 3}, ("grace_periods", "grace_too_long")),
        ({"start": "then"}, ("start", "not_a_date")),
        ({"first_year": 12}, ("first_year", "date_out_of_range")),
        ({"value_date": "1800-01-01"}, ("value_date", "date_out_of_range")),
    ],
)
def test_faults_of_loans(changes: dict[str, Any], expected: tuple[str, str]) -> None:
    loan = {"id": "l", "principal": 5, "rate": 0.04, "periods": 3, "kind": "bullet", **changes}
    assert [(path.removeprefix("loans[0]."), rule) for path, rule in faults({"loans": [loan]})] == [expected]


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.floats() | st.text(max_size=5) | st.dates()
    | st.sampled_from(["2024-06-19", "2030", "5", "50%", "all", "1e99999999"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["year", "date", "amount", "principal", "share", "5", "2030", "kind", "total"]), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@settings(deadline=None, max_examples=300)
@given(
    st.dictionaries(
        st.sampled_from(
            [*BOND, "instalments", "early_redemption", "maturity", "grace_years", "principal_frequency"]
        ),
        ANYTHING,
    ),
    st.dictionaries(
        st.sampled_from(["loans", "years", "fees", "investment", "operation_start", "unit", "value_dates"]),
        ANYTHING,
    ),
)
def test_no_document_makes_the_reader_stumble(changes: dict[str, Any], more: dict[str, Any]) -> None:
    source = {**more, "tranches": [{**BOND, **changes}]}
    found, wrong = read(source, RULES)
    assert (found is None) == bool(wrong)
    for fault in wrong:
        shown = fault_document(fault, str)
        assert shown["message"] and len(json.dumps(plain(shown))) > 0
    if found and found.schedules is None:
        assert answer(found, RULES, china(), str)["rows"]


@pytest.mark.parametrize(
    "source",
    [[], 5, None, "x", {}, {"tranches": []}, {"tranches": 5}, {"tranches": {"a": 1}}, {"years": 5, **BOND}],
)
def test_documents_of_another_shape_are_refused(source: Any) -> None:
    faults(source)
