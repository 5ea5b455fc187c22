"""The control room's home: what it shows, that it follows alarms and devices, and that it costs the same with more of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.conftest import Orgs
from tests.devices.rules.conftest import alarms, point
from tests.devices.rules.kit import SECOND, START, readings
from yuanmai.core.scope import everywhere
from yuanmai.devices.models import AlarmRule, Command, Device, DeviceState, MaintenanceWindow, UnknownDevice
from yuanmai.devices.models.command import CommandState
from yuanmai.devices.rules.runtime import Evaluation
from yuanmai.people.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(client_as: Callable[..., Client], make_user: Callable[..., User], orgs: Orgs) -> Client:
    """An operator of the north."""
    return client_as(make_user("operator", orgs.north))


def heard(device: Device, ago: timedelta, *, online: bool) -> None:
    moment = timezone.now() - ago
    with everywhere():
        DeviceState.objects.create(device=device, online=online, changed_at=moment, last_seen=moment)


def breach(rule: AlarmRule, *devices: Device) -> None:
    """Let a rule be broken at devices, now."""
    now = timezone.now().timestamp()
    offset = int(now - START / SECOND) - 5
    evaluation = Evaluation()
    evaluation.feed(readings(*((offset, point(device), 60.0) for device in devices)), now)
    evaluation.flush()


def test_it_shows_this_moment(
    client: Client, make_device: Callable[..., Device], make_rule: Callable[..., AlarmRule], orgs: Orgs
) -> None:
    here, gone, foreign = make_device(), make_device(), make_device(orgs.foreign)
    heard(here, timedelta(seconds=2), online=True)
    heard(gone, timedelta(minutes=7), online=False)
    heard(foreign, timedelta(minutes=7), online=False)
    breach(make_rule(), here)
    now = timezone.now()
    with everywhere():
        UnknownDevice.objects.create(protocol="hj212", key="X", frames=1, first_seen=now, last_seen=now)
        for device, state in (
            (here, CommandState.TIMED_OUT),
            (here, CommandState.DONE),
            (foreign, CommandState.FAILED),
        ):
            Command.objects.create(device=device, verb="clock", state=state, created_at=now, expires_at=now)
        MaintenanceWindow.objects.create(
            org=orgs.north, name="Pump exchange", begins_at=now, ends_at=now + timedelta(hours=1), reason="worn", created_at=now
        )  # fmt: skip
    # Whatever day is asked for: a control room looks at the present one.
    answer = client.get("/", {"as_of": "2022-04-03"})
    context, page = answer.context, answer.content.decode()
    assert context["shown"] == "operator"
    shown = {card["url"].split("?")[0].split(".")[-1].strip("/"): card for card in context["cards"]}
    assert {name: card["display"] for name, card in shown.items()} == {
        "in_use": "2", "online_rate": "50.0 %", "open_alarms": "1", "answered_in_time": "0.0 %", "minutes_to_answer": "–",
    }  # fmt: skip
    assert shown["online_rate"]["change"] == ""
    for card in context["cards"]:
        assert client.get(card["url"]).context["display"] == card["display"], card["label"]
    assert [line["alarm"].device_id for line in context["lines"]] == [here.pk]
    assert [row["device"].pk for row in context["silent"]] == [gone.pk]
    assert "7 min ago" in page
    assert context["unknown"] == 1
    assert [line["row"].state for line in context["failed"]] == [CommandState.TIMED_OUT]
    assert "Pump exchange" in page and "running" in page


def test_an_alarm_is_acknowledged_with_one_tap_and_the_page_follows(
    client: Client, make_device: Callable[..., Device], make_rule: Callable[..., AlarmRule]
) -> None:
    rule, device = make_rule(), make_device()
    part = client.get("/").context["part_url"]
    assert "No alarm is open." in client.get(part).content.decode()
    breach(rule, device)
    answer = client.get(part).content.decode()
    assert "<html" not in answer and device.name_en in answer
    (alarm,) = alarms()
    values = {"alarm": alarm.pk, "step": "acknowledge", "next": "/?home=operator"}
    done = client.post(reverse("devices:alarms_bulk"), values)
    assert done.headers["Location"] == "/?home=operator"
    after = client.get(part)
    assert 'value="acknowledge"' not in after.content.decode() and "Acknowledged" in after.content.decode()
    assert {str(card["label"]): card["display"] for card in after.context["cards"]}["Open alarms"] == "1"


def test_it_costs_the_same_with_more_alarms_and_devices(
    client: Client, make_device: Callable[..., Device], make_rule: Callable[..., AlarmRule]
) -> None:
    rule = make_rule()

    def cost() -> int:
        client.get("/")
        with CaptureQueriesContext(
            connection,
        ) as queries:
            client.get("/", {"part": "1"})
        return len(queries)

    first = make_device()
    heard(first, timedelta(minutes=1), online=False)
    breach(rule, first)
    before = cost()
    more = [make_device() for _number in range(8)]
    for device in more:
        heard(device, timedelta(minutes=1), online=False)
    breach(rule, *more)
    assert cost() <= before


def test_what_is_urgent_stands_among_the_alarms_and_not_twice(
    client: Client, make_device: Callable[..., Device], make_rule: Callable[..., AlarmRule]
) -> None:
    breach(make_rule(severity=4), make_device())
    for _look in range(2):  # the second time the to-dos are the kept ones
        context = client.get("/").context
        assert [line["alarm"].severity for line in context["lines"]] == [4]
        assert context["items"] == []
    assert len(client.get(reverse("cockpit:todo")).context["items"]) == 1


def test_only_who_may_handle_an_alarm_of_its_organisation_is_offered_to(
    client_as: Callable[..., Client], make_user: Callable[..., User], make_device: Callable[..., Device],
    make_rule: Callable[..., AlarmRule], orgs: Orgs,
) -> None:  # fmt: skip
    breach(make_rule(orgs.city), make_device(orgs.north), make_device(orgs.south))
    seer = make_user("operator", orgs.north, posts=[("leader", orgs.city)])
    lines = client_as(seer).get("/", {"home": "operator", "org": "linzhou"}).context["lines"]
    assert {line["alarm"].org_id: line["may_acknowledge"] for line in lines} == {
        orgs.north.pk: True, orgs.south.pk: False,
    }  # fmt: skip


def test_others_do_not_get_it(
    client_as: Callable[..., Client], make_user: Callable[..., Any], orgs: Orgs
) -> None:
    answer = client_as(make_user("leader", orgs.north)).get("/", {"home": "operator", "part": "1"})
    assert answer.context["shown"] == "leader"
