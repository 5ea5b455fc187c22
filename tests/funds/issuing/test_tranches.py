"""Recording and correcting tranches: what follows from custom, and what is refused."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from tests.funds.issuing.conftest import terms
from yuanmai.core.findings import Finding
from yuanmai.core.policy import Denied
from yuanmai.core.temporal import KNOWN_FOREVER
from yuanmai.funds.issuing.actions import correct_tranche, create_tranche, remove_tranche
from yuanmai.funds.models import FundingState, Tranche
from yuanmai.projects.actions import NeedsConfirmation

pytestmark = pytest.mark.django_db


@pytest.fixture
def officer(make_user: Any, actor_of: Any, orgs: Any, in_scope: Any) -> Any:
    actor = actor_of(make_user("finance_officer", orgs.city))
    with in_scope(actor):
        yield actor


def test_what_is_left_out_follows_from_custom(officer: Any, orgs: Any) -> None:
    """Tendered on the Friday before Spring Festival 2024, made-up Sunday 4 February 2024 is a working day."""
    tranche = create_tranche(officer, orgs.city, terms(tendered_on=date(2024, 2, 2)), confirmed=False)
    assert tranche.value_date == date(2024, 2, 4)
    assert tranche.frequency == 2
    assert tranche.issue_fee_rate == Decimal("0.0008")
    yearly = create_tranche(officer, orgs.city, terms(term_years=7, tendered_on=date(2024, 2, 9)))
    assert yearly.frequency == 1
    assert yearly.value_date == date(2024, 2, 18)  # after the feast, a Sunday worked instead


@pytest.mark.parametrize(
    ("field", "changes", "says"),
    [
        ("amount", {"amount": Decimal(0)}, "greater than 0"),
        ("amount", {"amount": Decimal(-5)}, "greater than 0"),
        ("amount", {"amount": None}, "must be stated"),
        ("rate", {"rate": Decimal("0.3001")}, "slip of the pen"),
        ("rate", {"rate": Decimal("-0.01")}, "negative"),
        ("value_date", {"value_date": date(2022, 2, 21)}, "before the tender"),
        ("value_date", {"matures_on": date(2022, 2, 23)}, "before the maturity"),
        ("matures_on", {"matures_on": date(2033, 2, 23)}, "2032-02-23"),
        ("term_years", {"term_years": 0}, "1 to 100"),
        ("instalments", {"repayment": "instalments"}, "which years"),
        (
            "instalments",
            {"repayment": "instalments", "instalments": [{"year": 5, "share": "0.5"}, {"year": 10, "share": "0.4"}]},
            "90 %",
        ),
        ("instalments", {"repayment": "instalments", "instalments": [{"year": 11, "share": "1"}]}, "outside"),
        ("instalments", {"instalments": [{"year": 10, "share": "1"}]}, "another one"),
        ("code", {"code": "  "}, "bond code"),
        ("repayment", {"repayment": "some day"}, "must be stated"),
        ("issue_fee_rate", {"issue_fee_rate": Decimal("0.08")}, "0.08"),
    ],
)  # fmt: skip
def test_bad_terms_are_refused_and_nothing_is_stored(
    officer: Any, orgs: Any, english: None, field: str, changes: dict[str, Any], says: str
) -> None:
    with pytest.raises(ValidationError) as refusal:
        create_tranche(officer, orgs.city, terms(**changes))
    assert says in " ".join(refusal.value.message_dict[field])
    assert not Tranche.objects.exists()


def test_a_code_stands_once(officer: Any, orgs: Any) -> None:
    create_tranche(officer, orgs.city, terms(code="2205001"))
    with pytest.raises(ValidationError) as refusal:
        create_tranche(officer, orgs.city, terms(code=" 2205001 "))
    assert "code" in refusal.value.message_dict
    assert Tranche.objects.count() == 1


def test_unusual_terms_are_confirmed_and_become_a_finding(officer: Any, orgs: Any, english: None) -> None:
    odd = terms(term_years=12, frequency=1, value_date=date(2022, 3, 1))
    with pytest.raises(NeedsConfirmation) as doubt:
        create_tranche(officer, orgs.city, odd, confirmed=False)
    assert set(doubt.value.message_dict) == {"term_years", "frequency", "value_date"}
    tranche = create_tranche(officer, orgs.city, odd)
    finding = Finding.objects.get(kind="funds.unusual_terms")
    assert "12 years" in finding.sentence and "2022-02-23" in finding.sentence
    correct_tranche(
        officer, tranche, {**odd, "term_years": 10, "frequency": 2, "value_date": date(2022, 2, 23)}
    )
    finding.refresh_from_db()
    assert finding.gone_until != KNOWN_FOREVER


def test_a_foreign_officer_is_refused(make_user: Any, actor_of: Any, orgs: Any, in_scope: Any) -> None:
    actor = actor_of(make_user("finance_officer", orgs.north))
    with in_scope(actor), pytest.raises(Denied):
        create_tranche(actor, orgs.city, terms())
    leader = actor_of(make_user("leader", orgs.city))
    with in_scope(leader), pytest.raises(Denied):
        create_tranche(leader, orgs.city, terms())


def test_a_correction_reaches_the_sources_of_projects(
    officer: Any, orgs: Any, make_project: Any, make_tranche: Any, make_reserve: Any, give: Any
) -> None:
    project = make_project(orgs.north)
    make_reserve(project)
    tranche = make_tranche(orgs.city, code="2205002")
    give(tranche, project, 30_000_000)
    same = {name: getattr(tranche, name) for name in terms()}
    with pytest.raises(ValidationError):
        correct_tranche(officer, tranche, same)
    with pytest.raises(ValidationError) as refusal:
        correct_tranche(officer, tranche, {**same, "amount": Decimal(29_000_000)})
    assert "amount" in refusal.value.message_dict
    correct_tranche(officer, tranche, {**same, "code": "2205003"})
    (state,) = FundingState.objects.at(date(2022, 4, 1)).filter(project=project)
    assert (state.tranche, state.amount) == ("2205003", Decimal(30_000_000))


def test_only_an_unused_tranche_is_taken_back(
    officer: Any, orgs: Any, make_project: Any, make_tranche: Any, make_reserve: Any, give: Any
) -> None:
    project = make_project(orgs.north)
    make_reserve(project)
    tranche = make_tranche(orgs.city)
    with pytest.raises(ValidationError):
        remove_tranche(officer, tranche, "")
    used = make_tranche(orgs.city)
    give(used, project, 1_000_000)
    with pytest.raises(ValidationError):
        remove_tranche(officer, used, "typo")
    remove_tranche(officer, tranche, "typo")
    tranche.refresh_from_db()
    assert tranche.retracted_at is not None
    create_tranche(officer, orgs.city, terms(code=tranche.code))  # the code is free again
