"""Payments, disbursements, invoices at once: together they never exceed what there is.

The requests run in threads of a real installation: a database file (or PostgreSQL) and a connection each, as in the web process.
"""

from __future__ import annotations

from typing import Any

import pytest

CODE = """
from tests.funds.paying import race
answer = race.run()
"""


@pytest.fixture(scope="module")
def found(installations: Any) -> Any:
    """What came of every race."""
    return installations.migrated().python(CODE)


def test_payments_at_once_never_exceed_what_was_disbursed(found: Any) -> None:
    assert found["beyond_disbursed"] == {"answers": ["done", "done", "refused", "refused"], "paid": 400}


def test_payments_at_once_never_exceed_the_contract(found: Any) -> None:
    assert found["beyond_contract"] == {"answers": ["done", "refused"], "paid": 500}


def test_disbursements_at_once_never_exceed_the_allotment(found: Any) -> None:
    assert found["beyond_allotment"] == {"answers": ["done", "done", "refused", "refused"], "disbursed": 800}


def test_one_invoice_entered_at_once_in_two_places_is_stored_once(found: Any) -> None:
    assert found["double_invoice"] == {"answers": ["done", "refused", "refused"], "rows": 1}


def test_a_payment_and_the_taking_back_of_its_money_do_not_both_go_through(found: Any) -> None:
    assert found["paid_or_taken_back"] == {"answers": ["done", "refused"], "fine": True}
