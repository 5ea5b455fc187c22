"""From readings to alarms in the database: once, whatever happens in between."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.devices.rules.conftest import alarms, point
from tests.devices.rules.kit import SECOND, START, readings
from yuanmai.core.policy import SYSTEM
from yuanmai.core.scope import everywhere
from yuanmai.devices.models import AlarmRule, AlarmStep, Device, RuleState
from yuanmai.devices.rules.actions import save_rule, switch_rule
from yuanmai.devices.rules.runtime import Evaluation

NOW = START / SECOND


def run(evaluation: Evaluation, *rows: tuple[Any, ...], tick: float | None = None) -> None:
    evaluation.feed(readings(*rows), NOW)
    if tick is not None:
        evaluation.tick(NOW + tick)
    evaluation.flush()


def test_an_alarm_is_raised_and_cleared(device: Device, make_rule: Callable[..., AlarmRule]) -> None:
    rule, cod = make_rule(), point(device)
    evaluation = Evaluation()
    run(evaluation, (0, cod, 60.0))
    (alarm,) = alarms()
    assert (alarm.rule_id, alarm.device_id, alarm.point_id, alarm.org_id) == (
        rule.pk,
        device.pk,
        cod,
        device.org_id,
    )
    assert (alarm.severity, alarm.state, alarm.cleared_at, alarm.evidence[0]["value"]) == (
        3,
        "raised",
        None,
        60,
    )
    assert alarm.group is not None and alarm.group.alarms == 1
    before = alarm.revision
    run(evaluation, (10, cod, 80.0), (20, cod, 40.0))
    (alarm,) = alarms()
    assert alarm.cleared_at is not None and (alarm.cleared_at - alarm.raised_at).total_seconds() == 20
    assert alarm.peak is not None and alarm.peak["value"] == 80
    assert alarm.revision > before
    with everywhere():
        assert list(AlarmStep.objects.values_list("kind", flat=True)) == ["raised", "cleared"]


def test_a_crash_between_alarm_and_state_doubles_nothing(
    device: Device, make_rule: Callable[..., AlarmRule]
) -> None:
    make_rule()
    cod = point(device)
    rows = [(0, cod, 60.0), (10, cod, 40.0), (20, cod, 70.0)]
    run(Evaluation(), *rows)
    first = alarms()
    with everywhere():
        RuleState.objects.all().delete()  # killed before the state was written
    run(Evaluation(), *rows)
    again = alarms()
    assert [(a.pk, a.raised_at, a.cleared_at) for a in again] == [
        (a.pk, a.raised_at, a.cleared_at) for a in first
    ]
    with everywhere():
        assert AlarmStep.objects.count() == 3
    # Killed after the state was written, before the lake's commit: all of it is fed again.
    run(Evaluation(), *rows)
    assert [(a.pk, a.cleared_at) for a in alarms()] == [(a.pk, a.cleared_at) for a in first]


def test_a_restart_forgets_no_duration(device: Device, make_rule: Callable[..., AlarmRule]) -> None:
    make_rule(definition={"hold": {"for": 60}})
    run(Evaluation(), (0, point(device), 60.0))
    assert alarms() == []
    evaluation = Evaluation()
    run(evaluation, tick=30)
    assert alarms() == []
    run(evaluation, tick=70)
    assert [int(a.raised_at.timestamp() - NOW) for a in alarms()] == [60]


def test_a_changed_rule_is_taken_up_and_a_switched_off_one_clears(
    device: Device, make_rule: Callable[..., AlarmRule]
) -> None:
    rule, cod = make_rule(), point(device)
    evaluation = Evaluation()
    run(evaluation, (0, cod, 60.0))
    with everywhere():
        save_rule(
            SYSTEM, rule, rule.org_id, code=rule.code, name=rule.name, severity=4, source="x",
            definition={"when": {"kind": "threshold", "point": "cod", "compare": "above", "limit": 100}},
        )  # fmt: skip
    evaluation._at.clear()  # a second has passed
    run(evaluation, tick=5)
    run(evaluation, (10, cod, 90.0))
    (alarm,) = alarms()
    assert alarm.cleared_at is not None
    run(evaluation, (20, cod, 120.0))
    assert [(a.severity, a.version.number) for a in alarms()] == [(3, 1), (4, 2)]
    with everywhere():
        switch_rule(SYSTEM, rule, enabled=False)
    evaluation._at.clear()
    run(evaluation, tick=30)
    assert alarms()[-1].cleared_at is not None
    assert alarms()[-1].cause == "withdrawn"


def test_a_rule_of_the_city_holds_below_it_and_nowhere_else(
    orgs: Any, make_device: Callable[..., Device], make_rule: Callable[..., AlarmRule], park: Any
) -> None:
    north, south, foreign = (
        make_device(orgs.north, park=park),
        make_device(orgs.south),
        make_device(orgs.foreign),
    )
    make_rule(orgs.city)
    make_rule(orgs.north, park=park, severity=1)
    make_rule(orgs.city, device_ids=[south.pk], severity=2)
    run(Evaluation(), *((0, point(d), 60.0) for d in (north, south, foreign)))
    assert sorted((a.device_id, a.severity) for a in alarms()) == [
        (north.pk, 1), (north.pk, 3), (south.pk, 2), (south.pk, 3),
    ]  # fmt: skip


def test_a_storm_is_one_group_and_few_queries(
    make_device: Callable[..., Device],
    make_rule: Callable[..., AlarmRule],
    django_assert_max_num_queries: Any,
) -> None:
    make_rule()
    points = [point(make_device()) for _ in range(40)]
    evaluation = Evaluation()
    run(evaluation, (0, points[0], 60.0))
    evaluation.feed(readings(*((5, p, 60.0) for p in points[1:])), NOW)
    with django_assert_max_num_queries(45):
        evaluation.flush()
    assert {a.group_id for a in alarms()} == {alarms()[0].group_id}
    group = alarms()[0].group
    assert group is not None and group.alarms == 40


def test_a_fault_in_the_evaluation_does_not_stop_the_readings(
    device: Device, make_rule: Callable[..., AlarmRule], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_rule()
    evaluation = Evaluation()

    def broken(*_args: Any) -> None:
        raise RuntimeError("broken")

    run(evaluation, (0, point(device), 1.0))
    assert evaluation._evaluator is not None
    monkeypatch.setattr(evaluation._evaluator, "feed", broken)
    evaluation.feed(readings((1, point(device), 99.0)), time.time())
    assert evaluation.faults == 1
