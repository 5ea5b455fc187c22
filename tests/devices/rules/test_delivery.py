"""The outbox: what is told once, tried again, given up; where it must not lead."""

from __future__ import annotations

import hashlib
import hmac
import http.server
import json
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from tests.conftest import Orgs
from tests.devices.rules.conftest import alarms, point
from tests.devices.rules.kit import SECOND, START, readings
from yuanmai.core.policy import SYSTEM
from yuanmai.core.scope import everywhere
from yuanmai.devices.models import (
    AlarmRule,
    AlarmStep,
    Device,
    Escalation,
    MaintenanceWindow,
    Notification,
    NotificationChannel,
)
from yuanmai.devices.rules.actions import retry_message, save_channel
from yuanmai.devices.rules.delivery import PAUSES, deliver
from yuanmai.devices.rules.escalating import due, escalate
from yuanmai.devices.rules.runtime import Evaluation
from yuanmai.devices.rules.webhooks import Undelivered, build, check, parse, resolve

NOW = START / SECOND


class Receiver(http.server.BaseHTTPRequestHandler):
    """Takes what is posted and answers what it is told to."""

    taken: list[tuple[dict[str, str], bytes]]
    answers: list[tuple[int, bytes]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status, answer = self.answers.pop(0) if self.answers else (200, b'{"errcode": 0}')
        self.taken.append(({k.lower(): v for k, v in self.headers.items()}, body))
        self.send_response(status)
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_args: Any) -> None:
        pass


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A program that listens on this machine, and is allowed by name."""
    handler = type("Mine", (Receiver,), {"taken": [], "answers": []})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    handler.url = f"http://127.0.0.1:{server.server_address[1]}/hook"  # type: ignore[attr-defined]
    monkeypatch.setenv("YUANMAI_WEBHOOK_HOSTS", "127.0.0.1")
    yield handler
    server.shutdown()
    server.server_close()


@pytest.fixture
def channel(orgs: Orgs, receiver: Any) -> NotificationChannel:
    """A signed webhook of the city."""
    with everywhere():
        return save_channel(
            SYSTEM, None, orgs.city.pk, name="Hook", kind="webhook", url=receiver.url, secret="s3cret", language="en",
            severity=2, per_minute=60,
        )  # fmt: skip


def raise_alarms(
    *devices: Device, at: float = 0, value: float = 60.0, evaluation: Evaluation | None = None
) -> Evaluation:
    evaluation = evaluation or Evaluation()
    evaluation.feed(readings(*((at, point(d), value) for d in devices)), NOW)
    evaluation.flush()
    return evaluation


def send(later: timedelta = timedelta(0)) -> int:
    with everywhere():
        return deliver(timezone.now() + later)


def outbox() -> list[Notification]:
    with everywhere():
        return list(Notification.objects.order_by("id"))


def test_an_alarm_is_told_once_and_signed(
    device: Device, make_rule: Callable[..., AlarmRule], channel: NotificationChannel, receiver: Any
) -> None:
    make_rule()
    evaluation = raise_alarms(device)
    send()
    send()
    ((headers, body),) = receiver.taken
    document = json.loads(body)
    assert document["event"] == "raised" and document["alarm"]["uid"] == str(alarms()[0].uid)
    assert "Over the limit" in document["subject"] and "60 mg/L" in document["text"]
    assert headers["x-yuanmai-delivery"] == document["id"] == str(outbox()[0].uid)
    wanted = hmac.new(
        b"s3cret", headers["x-yuanmai-timestamp"].encode() + b"." + body, hashlib.sha256
    ).hexdigest()
    assert headers["x-yuanmai-signature"] == f"sha256={wanted}"
    raise_alarms(device, at=10, value=40, evaluation=evaluation)
    send()
    assert json.loads(receiver.taken[-1][1])["event"] == "cleared"


def test_a_receiver_that_is_down_then_broken_then_slow_gets_it_once(
    device: Device, make_rule: Callable[..., AlarmRule], channel: NotificationChannel, receiver: Any
) -> None:
    make_rule()
    raise_alarms(device)
    receiver.answers[:] = [(503, b"")] * 3 + [(500, b"broken")]
    passed = timedelta(0)
    for attempt in range(4):
        assert send(passed) == 0
        (row,) = outbox()
        assert (row.state, row.attempts) == ("waiting", attempt + 1) and row.fault
        passed += timedelta(seconds=PAUSES[attempt])
    assert send(passed - timedelta(seconds=40)) == 0, "not before its time"
    assert send(passed + timedelta(seconds=5)) == 1
    assert outbox()[0].state == "sent"
    assert len({headers["x-yuanmai-delivery"] for headers, _body in receiver.taken}) == 1
    assert sum(PAUSES) > 3 * 3600, "an hour of trouble is survived"


def test_what_cannot_be_delivered_is_visible_and_can_be_tried_again(
    device: Device, make_rule: Callable[..., AlarmRule], channel: NotificationChannel, receiver: Any
) -> None:
    make_rule()
    raise_alarms(device)
    receiver.answers[:] = [(404, b"gone")]
    send()
    (row,) = outbox()
    assert row.state == "dead" and "404" in row.fault
    with everywhere():
        retry_message(SYSTEM, row)
    send()
    assert outbox()[0].state == "sent" and outbox()[0].uid == row.uid


def test_a_worker_that_died_in_the_middle_is_followed_by_another(
    device: Device, make_rule: Callable[..., AlarmRule], channel: NotificationChannel, receiver: Any
) -> None:
    make_rule()
    raise_alarms(device)
    with everywhere():
        Notification.objects.update(
            state="sending", attempts=1, lease_until=timezone.now() + timedelta(seconds=60)
        )
    assert send() == 0
    assert send(timedelta(seconds=61)) == 1


def test_a_storm_of_one_cause_is_one_message(
    make_device: Callable[..., Device],
    make_rule: Callable[..., AlarmRule],
    channel: NotificationChannel,
    receiver: Any,
) -> None:
    make_rule()
    raise_alarms(*(make_device() for _ in range(30)))
    assert len(outbox()) == 1
    send()
    assert "29 more of the same kind" in json.loads(receiver.taken[0][1])["text"]


def test_a_storm_of_many_causes_becomes_a_digest(
    device: Device, make_rule: Callable[..., AlarmRule], channel: NotificationChannel, receiver: Any
) -> None:
    for _ in range(30):
        make_rule()
    with everywhere():
        NotificationChannel.objects.update(per_minute=3)
    raise_alarms(device)
    assert len(outbox()) == 30
    send()
    assert len(receiver.taken) == 3
    digest = json.loads(receiver.taken[-1][1])
    assert digest["event"] == "digest" and digest["subject"].startswith("28 messages")
    assert [row.state for row in outbox()].count("cancelled") == 28
    assert send(timedelta(seconds=5)) == 0
    assert len(receiver.taken) == 3


def test_nothing_is_told_of_maintenance_and_of_what_a_channel_does_not_want(
    device: Device, make_rule: Callable[..., AlarmRule], channel: NotificationChannel, orgs: Orgs
) -> None:
    make_rule(severity=1)
    raise_alarms(device)
    assert outbox() == [], "below the channel's severity"
    rule = make_rule(severity=4)
    with everywhere():
        begin = timezone.datetime.fromtimestamp(NOW - 3600, tz=timezone.get_current_timezone())  # type: ignore[attr-defined]
        window = MaintenanceWindow.objects.create(
            org=orgs.north, name="Work", reason="Pump", begins_at=begin, ends_at=begin + timedelta(hours=2), created_at=begin,
            device_ids=[device.pk],
        )  # fmt: skip
    raise_alarms(device, at=5)
    (alarm,) = [a for a in alarms() if a.rule_id == rule.pk]
    assert alarm.maintenance_id == window.pk
    assert outbox() == []


def test_mail(device: Device, make_rule: Callable[..., AlarmRule], orgs: Orgs, settings: Any) -> None:
    settings.EMAIL_HOST = "localhost"
    with everywhere():
        save_channel(
            SYSTEM, None, orgs.north.pk, name="Mail", kind="mail", recipients="a@example.org b@example.org"
        )
    make_rule()
    raise_alarms(device)
    send()
    (message,) = mail.outbox
    assert message.to == ["a@example.org", "b@example.org"] and "超标" in message.subject


def test_an_unanswered_alarm_is_escalated_once(
    device: Device,
    make_rule: Callable[..., AlarmRule],
    channel: NotificationChannel,
    orgs: Orgs,
    make_user: Callable[..., Any],
) -> None:
    make_rule(severity=2)
    raise_alarms(device)
    person = make_user("operator", orgs.north)
    with everywhere():
        step = Escalation.objects.create(
            org=orgs.city,
            name="Second line",
            severity=2,
            after_minutes=30,
            raise_severity=True,
            assign_to=person,
            channel=channel,
        )
    assert due(timezone.now() + timedelta(minutes=29)) == []
    waiting = due(timezone.now() + timedelta(minutes=31))
    assert len(escalate(SYSTEM, waiting)) == 1
    (alarm,) = alarms()
    assert (alarm.severity, alarm.worst, alarm.assignee_id, alarm.escalated) == (3, 3, person.pk, [step.pk])
    assert due(timezone.now() + timedelta(minutes=61)) == []
    assert len(escalate(SYSTEM, waiting)) == 0, "the same again does nothing"
    with everywhere():
        assert AlarmStep.objects.filter(kind="escalate").count() == 1
    assert [row.key.split(":")[0] for row in outbox()] == ["group", "escalate"]


@pytest.mark.parametrize(
    "url", ["ftp://example.org/", "https://user:pw@example.org/", "nonsense", "http://[::1", "https://"]
)
def test_addresses_that_are_none(url: str) -> None:
    with pytest.raises(Undelivered) as refused:
        parse(url)
    assert refused.value.hopeless


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "10.1.2.3",
        "192.168.1.1",
        "169.254.169.254",
        "0.0.0.0",
        "::1",
        "::ffff:10.0.0.1",
        "100.64.0.1",
    ],
)
def test_no_message_leads_inside(host: str) -> None:
    with pytest.raises(Undelivered) as refused:
        resolve(host, 80)
    assert refused.value.hopeless


def test_networks_of_ones_own_can_be_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YUANMAI_WEBHOOK_HOSTS", "chat.example 10.20.0.0/16")
    assert resolve("10.20.3.4", 80) == "10.20.3.4"
    with pytest.raises(Undelivered):
        resolve("10.21.3.4", 80)


@pytest.mark.usefixtures("english")
def test_the_forms_of_the_chat_tools() -> None:
    body = {"text": "Head\nSeverity: Urgent"}
    wecom = build(
        "wecom", "https://qyapi.example/send?key=k", "", "id", "Subject", body, "https://park.example/a", 1
    )
    assert json.loads(wecom.body) == {
        "msgtype": "markdown", "markdown": {"content": "**Subject**\nSeverity: Urgent\n[Open](https://park.example/a)"},
    }  # fmt: skip
    ding = build(
        "dingtalk",
        "https://oapi.example/send?access_token=t",
        "SEC",
        "id",
        "Subject",
        body,
        "",
        1_700_000_000,
    )
    assert "timestamp=1700000000000&sign=" in ding.url
    feishu = json.loads(
        build("feishu", "https://open.example/hook", "SEC", "id", "Subject", body, "", 1_700_000_000).body
    )
    assert feishu["timestamp"] == "1700000000" and feishu["msg_type"] == "text"
    # base64(HMAC-SHA256(key="1700000000\nSEC", message="")), worked out apart from the program
    assert len(feishu["sign"]) == 44
    check("wecom", 200, b'{"errcode":0}')
    with pytest.raises(Undelivered):
        check("dingtalk", 200, b'{"errcode":310000,"errmsg":"sign not match"}')
    with pytest.raises(Undelivered):
        check("feishu", 200, b"<html>")


def test_a_secret_is_not_kept_in_clear(channel: NotificationChannel) -> None:
    with everywhere():
        row = NotificationChannel.objects.get(pk=channel.pk)
    assert "s3cret" not in row.secret and row.secret
