"""Two requests at once for the same rest of a tranche or a quota: one is refused, and nothing is allotted twice.

The requests run in threads of a real installation: a database file (or PostgreSQL) and a connection each, as in the web process.
"""

from __future__ import annotations

from typing import Any

import pytest

CODE = """
from tests.funds.issuing import race
answer = race.run()
"""


@pytest.fixture(scope="module")
def found(installations: Any) -> Any:
    """What came of every race."""
    return installations.migrated().python(CODE)


def test_of_two_allotments_beyond_the_tranche_one_is_refused(found: Any) -> None:
    assert found["beyond_tranche"] == {
        "answers": ["done", "refused"],
        "allotted": 60_000_000,
        "facts": 60_000_000,
        "sources": 1,
    }


def test_two_that_fit_both_go_through(found: Any) -> None:
    assert found["both_fit"] == {"answers": ["done", "done"], "allotted": 100_000_000}


def test_the_rest_of_a_quota_is_given_once_though_the_tranches_differ(found: Any) -> None:
    assert found["quota"] == {"answers": ["done", "refused"], "facts": 60_000_000}


def test_what_was_received_is_passed_on_once(found: Any) -> None:
    assert found["lending"] == {"answers": ["done", "refused"], "rows": 1}


def test_what_is_outstanding_is_redeemed_once(found: Any) -> None:
    assert found["redemption"] == {"answers": ["done", "refused"], "rows": 1}
