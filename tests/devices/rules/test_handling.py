"""What people do with alarms and rules: steps, rights, versions, trying on history, presets, the interface."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.conftest import Orgs
from tests.devices.rules.conftest import alarms, point
from tests.devices.rules.kit import SECOND, START, cut, readings
from yuanmai.core.figures import Query, evaluate
from yuanmai.core.jobs.models import Job
from yuanmai.core.policy import SYSTEM, Denied
from yuanmai.core.scope import everywhere
from yuanmai.core.todo import todos
from yuanmai.core.workflow import Conflict
from yuanmai.devices.engine.rules.definition import read
from yuanmai.devices.engine.rules.target import Rule
from yuanmai.devices.models import Alarm, AlarmRule, AlarmRuleVersion, AlarmStep, Device
from yuanmai.devices.queries import load_registry
from yuanmai.devices.rules.actions import comment, move_alarm, move_alarms, save_rule
from yuanmai.devices.rules.actions.handling import assignable
from yuanmai.devices.rules.history import replay
from yuanmai.devices.rules.presets import filled, presets
from yuanmai.devices.rules.runtime import Evaluation
from yuanmai.devices.rules.shown import kind_of
from yuanmai.people.models import User

NOW = START / SECOND


@pytest.fixture
def raised(device: Device, make_rule: Callable[..., AlarmRule]) -> Alarm:
    """An urgent alarm of the north, known a minute ago."""
    make_rule(severity=4)
    evaluation = Evaluation()
    evaluation.feed(readings((0, point(device), 60.0)), NOW)
    evaluation.flush()
    with everywhere():
        Alarm.objects.update(recorded_at=timezone.now() - timedelta(seconds=60))
    return alarms()[0]


@pytest.fixture
def operator(make_user: Callable[..., User], orgs: Orgs) -> User:
    """Who watches the north."""
    return make_user("operator", orgs.north)


def test_the_life_of_an_alarm(
    raised: Alarm, operator: User, actor_of: Any, in_scope: Any, make_user: Any, orgs: Orgs
) -> None:
    actor = actor_of(operator)
    officer = make_user("grid_officer", orgs.north)
    with in_scope(actor):
        assert [t.url for t in todos(actor, timezone.localdate())] == [
            reverse("devices:alarm", args=[raised.uid])
        ]
        move_alarm(actor, raised, "acknowledge", {})
        with pytest.raises(Conflict):
            move_alarm(actor, raised, "acknowledge", {})
        with pytest.raises(ValidationError):
            move_alarm(actor, raised, "assign", {})
        move_alarm(actor, raised, "assign", {"assignee": officer.pk, "text": "Please look."})
        comment(actor, raised, "The pump was off.")
        with pytest.raises(ValidationError):
            move_alarm(actor, raised, "close", {"text": " "})
    other = actor_of(officer)
    with in_scope(other):
        assert [str(t.reason) for t in todos(other, timezone.localdate())]
        move_alarm(other, raised, "close", {"text": "Pump repaired."})
        move_alarm(other, raised, "reopen", {"text": "Again."})
    with everywhere():
        raised.refresh_from_db()
        kinds = list(AlarmStep.objects.values_list("kind", flat=True))
    assert kinds == ["raised", "acknowledge", "assign", "comment", "close", "reopen"]
    assert (raised.state, raised.closed_at, raised.assignee_id, raised.acknowledged_by_id) == (
        "acknowledged", None, officer.pk, operator.pk,
    )  # fmt: skip
    assert raised.answered_after is not None and 60 <= raised.answered_after < 120


def test_rights(raised: Alarm, make_user: Any, orgs: Orgs, actor_of: Any, in_scope: Any) -> None:
    leader, stranger = (
        actor_of(make_user("leader", orgs.north)),
        actor_of(make_user("operator", orgs.foreign)),
    )
    for actor in (leader, stranger):
        with in_scope(None), pytest.raises(Denied):
            move_alarm(actor, raised, "acknowledge", {})
    with in_scope(None):
        abroad = make_user("operator", orgs.foreign)
        with pytest.raises(ValidationError):
            move_alarm(SYSTEM, raised, "assign", {"assignee": abroad.pk})
        names = {user.pk for user in assignable(orgs.north.pk)}
    assert abroad.pk not in names


def test_many_at_once(
    make_device: Callable[..., Device],
    make_rule: Callable[..., AlarmRule],
    operator: User,
    client_as: Callable[..., Client],
) -> None:
    make_rule()
    evaluation = Evaluation()
    evaluation.feed(readings(*((0, point(make_device()), 60.0) for _ in range(5))), NOW)
    evaluation.flush()
    client = client_as(operator)
    answer = client.post(
        reverse("devices:alarms_bulk"),
        {"step": "acknowledge", "alarm": [a.pk for a in alarms()[:3]]},
        follow=True,
    )
    assert "3 alarms: Acknowledge." in answer.content.decode()
    assert [a.state for a in alarms()].count("acknowledged") == 3
    with everywhere(), pytest.raises(ValidationError):
        move_alarms(SYSTEM, alarms()[:3], "acknowledge", {})


def test_the_list_asks_the_same_number_of_questions_for_one_and_for_many(
    make_device: Callable[..., Device],
    make_rule: Callable[..., AlarmRule],
    operator: User,
    client_as: Any,
    django_assert_num_queries: Any,
) -> None:
    make_rule()
    evaluation, client = Evaluation(), client_as(operator)

    def count() -> int:
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        client.get(reverse("devices:alarms"))
        with CaptureQueriesContext(
            connection,
        ) as found:
            client.get(reverse("devices:alarms"), {"part": "1"})
        return len(found)

    evaluation.feed(readings((0, point(make_device()), 60.0)), NOW)
    evaluation.flush()
    one = count()
    evaluation.reload(load_registry_now([make_device() for _ in range(10)]))
    evaluation.feed(readings(*((5, p, 60.0) for p in points_now())), NOW)
    evaluation.flush()
    assert len(alarms()) == 11
    assert count() <= one


def load_registry_now(_devices: list[Device]) -> Any:
    return load_registry()


def points_now() -> list[int]:
    with everywhere():
        return [point(device) for device in Device.objects.all()]


def test_a_change_is_a_new_version_and_a_name_is_none(
    make_rule: Callable[..., AlarmRule], orgs: Orgs
) -> None:
    rule = make_rule()
    assert rule.current is not None
    values = {
        "code": rule.code,
        "severity": 3,
        "source": "GB 8978-1996",
        "definition": rule.current.definition,
    }
    with everywhere():
        save_rule(SYSTEM, rule, orgs.north.pk, name="Renamed", **values)
        assert AlarmRuleVersion.objects.count() == 1
        save_rule(SYSTEM, rule, orgs.north.pk, name="Renamed", **{**values, "severity": 4})
        assert [v.number for v in AlarmRuleVersion.objects.all()] == [2, 1]
        for wrong in (
            {"source": " "},
            {"code": "Not a code"},
            {"definition": {}},
            {"severity": 9},
            {"device_ids": [999]},
        ):
            with pytest.raises(ValidationError):
                save_rule(SYSTEM, rule, orgs.north.pk, name="x", **{**values, **wrong})


def test_the_editor_saves_and_shows_a_rule_again(
    operator: User, client_as: Any, device: Device, orgs: Orgs
) -> None:
    client = client_as(operator)
    typed = {
        "kind": "threshold", "point": "cod", "compare": "above", "limit": "50", "hysteresis": "5", "second_limit": "100",
        "second_severity": "4", "hold": "minutes", "hold_minutes": "3", "hold_of": "5", "hours": "working 08:00-18:00",
        "name": "COD", "code": "cod", "severity": "3", "org": str(orgs.north.pk), "source": "Permit 12", "enabled": "on",
    }  # fmt: skip
    preview = client.post(reverse("devices:rule_preview") + "?kind=threshold", typed).content.decode()
    assert (
        "COD is above 50 mg/L, in at least 3 of 5 minutes" in preview and "It concerns 1 device." in preview
    )
    answer = client.post(reverse("devices:rule_new") + "?kind=threshold", typed)
    assert answer.status_code == 302, answer.content.decode()[:2000]
    with everywhere():
        rule = AlarmRule.objects.select_related("current").get()
    assert rule.current is not None
    assert rule.current.definition == {
        "when": {"kind": "threshold", "point": "cod", "compare": "above", "limit": 50, "hysteresis": 5},
        "grades": [{"severity": 4, "limit": 100}], "hold": {"minutes": 3, "of": 5},
        "active": [{"days": "working", "from": "08:00", "until": "18:00"}],
    }  # fmt: skip
    again = client.get(reverse("devices:rule_edit", args=[rule.uid])).content.decode()
    assert 'value="50' in again and "working 08:00-18:00" in again
    assert client.get(reverse("devices:rule", args=[rule.uid])).status_code == 200
    bad = client.post(reverse("devices:rule_new") + "?kind=threshold", {**typed, "code": "two", "limit": ""})
    assert bad.status_code == 422 and "Limit: must be stated" in bad.content.decode()


@pytest.mark.parametrize("code", sorted(presets()))
def test_every_preset_is_a_rule_and_the_editor_can_show_it(code: str) -> None:
    preset = presets()[code]
    circle = {"type": "Circle", "center": [113, 27.8], "radius": 500}
    definition = filled(preset.definition, circle)
    assert read(definition)
    assert preset.source and preset.name and preset.name_en and preset.severity in {1, 2, 3, 4}
    assert kind_of(definition) != "expert" or preset.park


def test_trying_on_history_says_what_live_says(device: Device, make_rule: Callable[..., AlarmRule]) -> None:
    """The same readings live, in rounds, and afterwards from the store, sorted by point and without times of arrival."""
    definition = {
        "when": {"kind": "threshold", "point": "cod", "compare": "above", "limit": 50},
        "hold": {"for": 90},
    }
    make_rule(definition={"hold": {"for": 90}})
    rng = np.random.default_rng(7)
    cod, ph = point(device), point(device, "ph")
    rows = []
    for minute in range(600):
        rows += [(60 * minute, cod, float(rng.integers(30, 75))), (60 * minute + 1, ph, 7.0)]
    whole = readings(*rows)
    evaluation = Evaluation()
    for begin in range(0, len(whole), 37):
        evaluation.feed(cut(whole, begin, begin + 37), NOW)
        evaluation.flush()
    end = START + 36_060 * SECOND
    evaluation.tick(end / SECOND)
    evaluation.flush()
    live = [(a.raised_at, a.cleared_at) for a in alarms()]
    order = np.lexsort((whole.time, whole.point))
    kept = type(whole)(*(getattr(whole, n)[order] for n in type(whole).__slots__))

    def stored(points: list[int], begin: datetime, until: datetime) -> Any:
        inside = (
            np.isin(kept.point, points)
            & (kept.time >= begin.timestamp() * 1e6)
            & (kept.time < until.timestamp() * 1e6)
        )
        part = [getattr(kept, n)[inside] for n in type(kept).__slots__]
        part[4] = np.zeros_like(part[4])
        return type(kept)(*part)

    tried = Rule(1, 1, 3, read(definition), (device.pk,))
    at = datetime.fromtimestamp(START / SECOND, UTC)
    outcome = replay([tried], load_registry(), at, datetime.fromtimestamp(end / SECOND, UTC), stored)[1]
    found = [(datetime.fromisoformat(a["raised"]), datetime.fromisoformat(a["cleared"]) if a["cleared"] else None)
             for a in outcome.alarms]  # fmt: skip
    assert len(live) > 10
    assert found == live


def test_the_figures(raised: Alarm, orgs: Orgs) -> None:
    from django.core.cache import cache

    day = timezone.localdate()
    with everywhere():
        Alarm.objects.update(raised_at=timezone.now() - timedelta(hours=1))
        alarm = Alarm.objects.get()
        query = Query((orgs.north.pk,), day)
        assert evaluate("devices.open_alarms", query).value == 1
        assert evaluate("devices.answered_in_time", query).value == 0
        assert evaluate("devices.minutes_to_answer", query).value is None
        move_alarm(SYSTEM, alarm, "close", {"text": "Done."})
        Alarm.objects.update(answered_after=90)
        cache.clear()
        assert evaluate("devices.open_alarms", query).value == 0
        assert evaluate("devices.answered_in_time", query).value == 1
        assert float(evaluate("devices.minutes_to_answer", query).value or 0) == 1.5


def test_the_interface(raised: Alarm, operator: User, client_as: Any, orgs: Orgs) -> None:
    client = client_as(operator)
    rows = client.get("/api/v1/devices/alarms").json()["items"]
    assert [row["uid"] for row in rows] == [str(raised.uid)] and rows[0]["evidence"][0]["value"] == 60
    assert client.get("/api/v1/devices/alarms", {"since": rows[0]["revision"]}).json()["items"] == []
    step = client.post(
        f"/api/v1/devices/alarms/{raised.uid}/steps/acknowledge", data="{}", content_type="application/json"
    )
    assert step.json()["state"] == "acknowledged" and "close" in step.json()["possible"]
    again = client.post(
        f"/api/v1/devices/alarms/{raised.uid}/steps/acknowledge", data="{}", content_type="application/json"
    )
    assert again.status_code == 409
    body = {"name": "pH", "code": "ph", "organisation": orgs.north.code, "severity": 2, "source": "Permit",
            "definition": {"when": {"kind": "threshold", "point": "ph", "compare": "outside", "low": 6, "high": 9}}}  # fmt: skip
    made = client.post("/api/v1/devices/rules", data=json.dumps(body), content_type="application/json")
    assert (
        made.status_code == 201
        and made.json()["version"] == 1
        and "outside 6 to 9" in made.json()["sentence"]
    )
    body["definition"] = {"when": {"kind": "threshold", "point": "ph", "compare": "sideways"}}
    bad = client.post(
        "/api/v1/devices/rules", data=json.dumps({**body, "code": "x"}), content_type="application/json"
    )
    assert bad.status_code == 422 and "sideways" in bad.content.decode()
    assert [row["code"] for row in client.get("/api/v1/devices/rules").json()["items"]][-1:] != []


def test_what_was_tried_is_edited_further(operator: User, client_as: Any, device: Device, orgs: Orgs) -> None:
    client = client_as(operator)
    assert 'value="threshold-1"' in client.get(reverse("devices:rule_new")).content.decode()
    typed = {
        "kind": "threshold", "point": "cod", "compare": "above", "limit": "37.5", "name": "COD", "code": "cod", "severity": "3",
        "org": str(orgs.north.pk), "source": "Permit 12", "days": "1",
    }  # fmt: skip
    answer = client.post(reverse("devices:rule_try"), typed)
    assert answer.status_code == 302
    with everywhere():
        job = Job.objects.get()
    page = client.get(f"{reverse('devices:rule_new')}?kind=threshold&tried={job.pk}").content.decode()
    assert 'value="37.5"' in page and "Permit 12" in page
    enabled = page.partition('name="enabled"')[2].partition(">")[0]
    assert "checked" not in enabled  # it had no tick
    foreign = (
        client_as(operator).get(f"{reverse('devices:rule_new')}?kind=threshold&tried=999999").content.decode()
    )
    assert "37.5" not in foreign
