"""Lights: the published rules, the words, and the engine against SQL."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import Orgs, run_recording
from yuanmai.core.figures import Query, breakdown, evaluate
from yuanmai.projects.engine.lights import Facts, Rule, light, months_between, year_passed
from yuanmai.projects.models import LightRule
from yuanmai.projects.queries import states
from yuanmai.projects.queries.lights import default_rule, light_of, presets, rule_for, with_light, words
from yuanmai.projects.recording import Entry

OCTOBER = date(2022, 10, 31)
YINCHUAN = Rule()
TIANJIN = Rule(measure="ratio", yellow_from=0, yellow_included=False, red_above=300)
XINHUANG = Rule(measure="ratio", yellow_from=200, yellow_included=False, red_above=400)


def planned(done: str, plan: str = "1200") -> Facts:
    return Facts(kind="continuing", planned=Decimal(plan), done=Decimal(done))


@pytest.mark.parametrize(
    ("rule", "done", "expected"),
    [
        # 1,000 of 1,200 are expected at the end of October.
        (YINCHUAN, "1000", "green"),
        (YINCHUAN, "880.01", "green"),  # less than 10 points behind: the band the text leaves open
        (YINCHUAN, "880", "yellow"),  # exactly 10 points: included
        (YINCHUAN, "640", "yellow"),  # exactly 30 points: included
        (YINCHUAN, "639.99", "red"),
        (TIANJIN, "1000", "green"),
        (TIANJIN, "999.99", "yellow"),
        (TIANJIN, "700", "yellow"),  # exactly 30 % below
        (TIANJIN, "699.99", "red"),
        (XINHUANG, "800", "green"),
        (XINHUANG, "799.99", "yellow"),
        (XINHUANG, "600", "yellow"),
        (XINHUANG, "599.99", "red"),
    ],
)
def test_the_published_bounds(rule: Rule, done: str, expected: str) -> None:
    assert light(planned(done), OCTOBER, rule).value == expected


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2022, 1, 31), "green"),
        (date(2022, 2, 1), "yellow"),  # due this month
        (date(2022, 4, 30), "yellow"),
        (date(2022, 5, 1), "red"),  # three months overdue
    ],
)
def test_a_start_that_does_not_come(day: date, expected: str) -> None:
    facts = Facts(kind="new_start", start_on=date(2022, 2, 20))
    assert light(facts, day, YINCHUAN).value == expected


@pytest.mark.parametrize(("month", "total", "expected"), [(5, 5_000_000, "grey"), (6, 5_000_000, "yellow"), (7, 5_000_000, "red"), (7, 4_999_999, "grey")])  # fmt: skip
def test_entry_into_the_statistics(month: int, total: int, expected: str) -> None:
    facts = Facts(
        kind="continuing", started=True, start_on=date(2022, 5, 3), total=Decimal(total), in_statistics=False
    )
    assert light(facts, date(2022, month, 28), YINCHUAN).value == expected
    assert light(facts, date(2022, month, 28), TIANJIN.__class__(statistics_yellow_months=0)).value == "grey"


def test_nothing_to_measure_is_grey_and_a_completed_project_green() -> None:
    assert light(Facts(kind="continuing"), OCTOBER, YINCHUAN).value == "grey"
    assert light(Facts(kind="reserve", planned=Decimal(1)), OCTOBER, YINCHUAN).value == "grey"
    assert (
        light(Facts(kind="continuing", planned=Decimal(1), completed=True), OCTOBER, YINCHUAN).value
        == "green"
    )


def test_the_worst_cause_decides_and_is_said(english: None) -> None:
    late = Facts(kind="new_start", planned=Decimal(1000), done=Decimal(709), start_on=date(2022, 1, 1))
    found = light(late, OCTOBER, YINCHUAN)
    assert found.value == "red" and words(found) == "The start is 9 months overdue"
    behind = light(planned("851.2"), OCTOBER, YINCHUAN)
    assert behind.value == "yellow" and words(behind) == "12.4 points behind the time progress"
    ahead = light(planned("647.4", "629.0"), OCTOBER, YINCHUAN)
    assert words(ahead) == "19.6 points ahead of the time progress"


def test_time_progress_is_exact() -> None:
    assert year_passed(OCTOBER) == Fraction(10, 12)
    assert year_passed(date(2022, 3, 31)) == Fraction(1, 4)
    assert year_passed(date(2022, 12, 31)) == 1
    assert year_passed(date(2022, 2, 14)) == Fraction(3, 24)
    assert months_between(date(2021, 11, 30), date(2022, 2, 1)) == 3


def test_the_presets_load_and_state_their_source() -> None:
    known = presets()
    assert [preset.code for preset in known] == ["yinchuan", "tianjin", "xinhuang"]
    assert all(preset.source for preset in known)
    rule = default_rule()
    assert (rule.measure, rule.yellow_from, rule.red_above, rule.start_red_months) == ("points", 100, 300, 3)


amounts = st.integers(0, 4_000).map(lambda n: Decimal(n) * Decimal("25.25"))
rules = st.builds(
    Rule,
    measure=st.sampled_from(["points", "ratio"]),
    yellow_from=st.sampled_from([0, 50, 100, 125, 200]),
    yellow_included=st.booleans(),
    red_above=st.sampled_from([200, 300, 333, 400]),
    start_red_months=st.integers(1, 4),
    statistics_yellow_months=st.integers(0, 2),
    statistics_red_months=st.integers(0, 3),
)
facts = st.builds(
    Facts,
    kind=st.sampled_from(["new_start", "continuing", "reserve", ""]),
    planned=st.one_of(st.none(), st.just(Decimal(0)), st.just(Decimal("101000.00")), amounts),
    done=st.one_of(
        st.none(), amounts, st.sampled_from([Decimal("15150.00"), Decimal("25250.00"), Decimal("75750.00")])
    ),
    started=st.booleans(),
    completed=st.booleans(),
    start_on=st.one_of(st.none(), st.dates(date(2021, 10, 1), date(2022, 12, 31))),
    total=st.sampled_from([None, Decimal("4999999.99"), Decimal("5000000.00"), Decimal("90000000.00")]),
    in_statistics=st.sampled_from([None, True, False]),
)


def entry_of(org: Any, number: int, given: Facts) -> Entry:
    version = {
        "name": f"P{number}",
        "total_investment": given.total,
        "start_on": given.start_on,
        "in_statistics": given.in_statistics,
        "effective_on": date(2022, 1, 1),
    }
    plan = {
        "year": 2022,
        "kind": given.kind,
        "planned_investment": given.planned,
        "effective_on": date(2022, 1, 1),
    }
    report = {
        "investment_done": given.done,
        "started": given.started,
        "completed": given.completed,
        "effective_on": date(2022, 1, 1),
    }
    return Entry(org.pk, version=version, plans=[plan], reports=[report])


@pytest.mark.django_db
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    given=st.lists(facts, min_size=1, max_size=12),
    rule=rules,
    day=st.dates(date(2022, 1, 1), date(2022, 12, 31)),
)
def test_sql_and_engine_give_the_same_light(
    orgs: Orgs, in_scope: Any, given: list[Facts], rule: Rule, day: date
) -> None:
    from django.core.cache import cache
    from django.db import transaction

    with transaction.atomic():
        run_recording(orgs.north, [entry_of(orgs.north, n, f) for n, f in enumerate(given)], date(2022, 1, 1))
        names = ("measure", "yellow_from", "yellow_included", "red_above", "start_red_months")
        names += ("statistics_yellow_months", "statistics_red_months")
        LightRule.objects.create(
            org=orgs.city,
            effective_on=date(2022, 1, 1),
            name="drawn",
            source="test",
            recorded_at="2022-01-01T00:00Z",
            **{name: getattr(rule, name) for name in names},
        )
        cache.clear()
        with in_scope(orgs.city):
            query = Query(orgs.below(orgs.city), day)
            assert rule_for(query, orgs.north.pk).yellow_from == rule.yellow_from
            rows = list(with_light(states(query), query))
            assert len(rows) == len(given)
            for state in rows:
                assert state.light == light_of(state, query).value, state
                assert state.light == light(given[int(state.name[1:])], day, rule).value
            groups = {g.value: g.result.value for g in breakdown("projects.library_count", query, "light")}
            counted = {value: sum(1 for s in rows if s.light == value) for value in groups}
            assert groups == counted
        transaction.set_rollback(True)
    cache.clear()


@pytest.mark.django_db
def test_the_nearest_rule_wins_and_the_past_keeps_its_rule(
    orgs: Orgs, make_project: Any, in_scope: Any
) -> None:
    make_project(orgs.north, "A", plan=1200, done=250)  # 25 − 20.8 = 4.2 points behind
    make_project(orgs.south, "B", plan=1200, done=250)
    strict = {"measure": "points", "yellow_from": 10, "red_above": 30, "start_red_months": 3, "source": "s"}
    for org, since, name in ((orgs.city, date(2022, 1, 1), "city"), (orgs.north, date(2022, 3, 20), "north")):
        bounds = {**strict, "red_above": 900} if name == "north" else strict
        LightRule.objects.create(
            org=org, effective_on=since, name=name, recorded_at="2022-01-01T00:00Z", **bounds
        )
    with in_scope(orgs.city):
        query = Query(orgs.below(orgs.city), date(2022, 3, 31))
        shown = {s.name: s.light for s in with_light(states(query), query)}
        assert shown == {"A": "yellow", "B": "red"}
        assert evaluate("projects.red_count", query).value == 1
        assert rule_for(query.on(date(2022, 3, 1)), orgs.north.pk).name == "city"
