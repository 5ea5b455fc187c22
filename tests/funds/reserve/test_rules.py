"""The rules of special bonds: defaults by day, overridden by the nearest organisation."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import cache
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from yuanmai.core.scope import everywhere, open_scope
from yuanmai.funds.engine.rules import DEFAULT, Statement, in_force
from yuanmai.funds.models import BondRule
from yuanmai.funds.reserve.rules import parameters, rule, rules_for, rules_of, typed

pytestmark = pytest.mark.django_db
NOW = datetime(2022, 1, 5, tzinfo=UTC)


def decide(org: Any, code: str, value: Any, on: date = date(2022, 1, 1), **more: Any) -> BondRule:
    with everywhere():
        row = BondRule.objects.create(
            org=org, code=code, value=value, effective_on=on, source="test", **{"recorded_at": NOW, **more}
        )
    cache.clear()
    return row


def test_every_parameter_has_a_source_and_a_readable_value() -> None:
    for parameter in parameters().values():
        assert parameter.defaults and set(parameter.name) == set(parameter.note) == {"en", "zh"}
        for entry in parameter.defaults:
            assert len(entry.source) > 5 and typed(parameter.kind, entry.value) is not None


@pytest.mark.parametrize(
    ("code", "on", "value"),
    [
        ("coverage_threshold", date(2022, 3, 31), Decimal("1.1")),
        ("coverage_all_debt", date(2022, 3, 31), Decimal("1.2")),
        ("capital_share_cap", date(2020, 1, 1), Decimal("0.20")),
        ("capital_share_cap", date(2024, 12, 24), Decimal("0.25")),
        ("capital_share_cap", date(2024, 12, 25), Decimal("0.30")),
        ("idle_months", date(2022, 3, 31), 6),
        ("permitted_terms", date(2018, 1, 1), (1, 2, 3, 5, 7, 10)),
        ("permitted_terms", date(2022, 1, 1), (1, 2, 3, 5, 7, 10, 15, 20, 30)),
    ],
)
def test_defaults_follow_the_day(orgs: Any, code: str, on: date, value: Any) -> None:
    with open_scope([]):
        assert rule(code, orgs.north.pk, on) == value


@pytest.mark.parametrize(
    ("on", "port"), [(date(2014, 1, 1), "0.30"), (date(2018, 1, 1), "0.25"), (date(2022, 1, 1), "0.20")]
)
def test_minimum_capital_of_ports_fell_twice(orgs: Any, on: date, port: str) -> None:
    with open_scope([]):
        assert rule("minimum_capital", orgs.north.pk, on)["port"] == Decimal(port)


def test_a_provincial_park_may_use_bonds_as_capital_since_the_end_of_2024(orgs: Any) -> None:
    with open_scope([]):
        before = rule("fields", orgs.north.pk, date(2024, 12, 24))["park_infrastructure"]
        after = rule("fields", orgs.north.pk, date(2024, 12, 25))["park_infrastructure"]
    assert "capital" not in before and after == {"capital": "park", "levels": ["national", "provincial"]}


def test_the_nearest_organisation_wins_and_is_read_from_outside_its_scope(orgs: Any) -> None:
    decide(orgs.province, "coverage_threshold", "1.15")
    decide(orgs.city, "coverage_threshold", "1.2", date(2022, 2, 1))
    with open_scope([orgs.north.pk]):  # the park's officer sees nothing of the province's rows
        assert not BondRule.objects.exists()
        assert rule("coverage_threshold", orgs.north.pk, date(2022, 1, 15)) == Decimal("1.15")
        assert rule("coverage_threshold", orgs.north.pk, date(2022, 2, 1)) == Decimal("1.2")
        assert rule("coverage_threshold", orgs.foreign.pk, date(2022, 2, 1)) == Decimal("1.15")
        held = rules_for(orgs.north.pk, date(2022, 2, 1)).held["coverage_threshold"]
    assert (held.org_id, held.distance) == (orgs.city.pk, 1)


def test_what_was_known_and_what_was_taken_back(orgs: Any) -> None:
    row = decide(orgs.city, "idle_months", 4)
    with everywhere():
        BondRule.objects.filter(pk=row.pk).update(retracted_at=datetime(2022, 3, 1, tzinfo=UTC))
    cache.clear()
    with open_scope([]):
        day = date(2022, 2, 1)
        assert rule("idle_months", orgs.city.pk, day) == 6
        assert rule("idle_months", orgs.city.pk, day, datetime(2022, 2, 1, tzinfo=UTC)) == 4
        assert rule("idle_months", orgs.city.pk, day, datetime(2022, 1, 1, tzinfo=UTC)) == 6


def test_many_organisations_cost_two_queries(orgs: Any, django_assert_max_num_queries: Any) -> None:
    decide(orgs.city, "idle_months", 4)
    ids = [org.pk for org in (orgs.province, orgs.city, orgs.north, orgs.south, orgs.foreign)]
    with open_scope([]), django_assert_max_num_queries(3):  # and one for the versions under which it is kept
        found = rules_of(ids, date(2022, 2, 1))
    assert [found[pk]["idle_months"] for pk in ids] == [6, 4, 4, 4, 6]


statements = st.lists(
    st.builds(
        Statement,
        st.sampled_from(["a", "b"]),
        st.dates(date(2020, 1, 1), date(2025, 1, 1)),
        st.integers(),
        st.just("x"),
        st.sampled_from([0, 1, 2, DEFAULT]),
        st.integers(0, 1000),
    ),
    max_size=12,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(statements, st.dates(date(2019, 1, 1), date(2026, 1, 1)))
def test_the_rule_in_force_is_never_later_nor_farther_than_another(
    entries: list[Statement], on: date
) -> None:
    found = in_force(entries, on)
    assert set(found) == {entry.code for entry in entries if entry.effective_on <= on}
    for code, held in found.items():
        assert held.effective_on <= on
        for other in entries:
            if other.code == code and other.effective_on <= on:
                assert (other.distance, -other.effective_on.toordinal(), -other.order) >= (
                    held.distance,
                    -held.effective_on.toordinal(),
                    -held.order,
                )
