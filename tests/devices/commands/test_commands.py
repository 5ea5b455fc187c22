"""Asking for commands and taking them back: right, scope, log; pages; the interface."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from tests.conftest import Orgs
from yuanmai.core.audit.models import AuditEntry, RoomVersion
from yuanmai.core.policy import Denied
from yuanmai.core.scope import everywhere
from yuanmai.core.workflow import Conflict
from yuanmai.devices.commands import actions
from yuanmai.devices.models import Command, Device

pytestmark = pytest.mark.django_db
Made = Callable[..., Any]


@pytest.fixture
def operator(make_user: Made, orgs: Orgs) -> Any:
    return make_user("operator", orgs.north)


def ask(actor: Any, device: Device, verb: str = "realtime_interval_set", **parameters: Any) -> Command:
    with everywhere():
        return actions.send_command(actor, device, verb, parameters or {"seconds": 60})


def versions() -> dict[str, int]:
    return dict(RoomVersion.objects.values_list("room", "sequence"))


def test_asking_is_logged_and_leaves_the_register_alone(
    make_device: Made, operator: Any, actor_of: Made
) -> None:
    device = make_device("hj212", "MN0001")
    before = versions().get("devices")
    row = ask(actor_of(operator), device)
    assert (row.state, row.parameters, row.created_by_id) == ("queued", {"seconds": 60}, operator.pk)
    assert row.expires_at - row.created_at == timedelta(hours=1)
    entry = AuditEntry.objects.order_by("-sequence").first()
    assert entry is not None
    assert (entry.action, entry.org_id) == ("commands.send", device.org_id)
    assert entry.after["parameters"] == {"seconds": 60}
    assert versions().get("devices") == before  # the gateway does not read the register again


def test_secrets_do_not_enter_the_log(make_device: Made, operator: Any, actor_of: Made) -> None:
    ask(actor_of(operator), make_device("hj212", "MN0001"), "password_set", password="s3cr3t")
    entry = AuditEntry.objects.order_by("-sequence").first()
    assert entry is not None
    assert "s3cr3t" not in str(entry.after)


def test_only_who_may_and_only_in_their_own_parks(
    make_device: Made, make_user: Made, orgs: Orgs, actor_of: Made, operator: Any
) -> None:
    device = make_device("hj212", "MN0001")
    foreign = make_device("hj212", "MN0002", org=orgs.foreign)
    for actor, target in ((actor_of(operator), foreign), (actor_of(make_user("leader", orgs.north)), device)):
        with pytest.raises(Denied):
            ask(actor, target)
    row = ask(actor_of(operator), device)
    with pytest.raises(Denied), everywhere():
        actions.cancel_command(actor_of(make_user("operator", orgs.foreign)), row)
    assert Command._base_manager.count() == 1


@pytest.mark.parametrize(
    ("verb", "given", "wrong"),
    [("text", {"text": "x"}, "verb"), ("realtime_interval_set", {"seconds": 1}, "seconds")],
)
def test_what_the_device_cannot_do_is_refused(
    make_device: Made, operator: Any, actor_of: Made, verb: str, given: dict[str, Any], wrong: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        ask(actor_of(operator), make_device("hj212", "MN0001"), verb, **given)
    assert set(caught.value.message_dict) == {wrong}


def test_retired_devices_and_endless_queues_are_refused(
    make_device: Made, operator: Any, actor_of: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    actor = actor_of(operator)
    with pytest.raises(ValidationError):
        ask(actor, make_device("hj212", "MN0002", retired_at=datetime.now(UTC)))
    monkeypatch.setattr(actions, "MOST_WAITING", 2)
    device = make_device("hj212", "MN0001")
    ask(actor, device)
    ask(actor, device)
    with pytest.raises(ValidationError):
        ask(actor, device)


def test_a_command_that_waits_can_be_cancelled_once(make_device: Made, operator: Any, actor_of: Made) -> None:
    row = ask(actor_of(operator), make_device("hj212", "MN0001"))
    with everywhere():
        assert actions.cancel_command(actor_of(operator), row).state == "cancelled"
        with pytest.raises(Conflict):
            actions.cancel_command(actor_of(operator), row)
        sent = ask(actor_of(operator), row.device)
        Command.objects.filter(pk=sent.pk).update(state="sent")
        with pytest.raises(Conflict):
            actions.cancel_command(actor_of(operator), sent)


# --- pages ---


def test_pages(make_device: Made, operator: Any, client_as: Made) -> None:
    device = make_device("hj212", "MN0001")
    client: Client = client_as(operator)
    assert b"No command yet" in client.get("/devices/commands/").content
    chosen = client.get(f"/devices/commands/new/{device.pk}/")
    assert chosen.status_code == 200
    assert b"?verb=realtime_interval_set" in chosen.content
    form = client.get(f"/devices/commands/new/{device.pk}/?verb=realtime_interval_set")
    assert b'name="seconds"' in form.content
    wrong = client.post(
        f"/devices/commands/new/{device.pk}/?verb=realtime_interval_set", {"seconds": "5", "wait": "3600"}
    )
    assert wrong.status_code == 422
    assert b"Between 30 and 3600" in wrong.content
    sent = client.post(
        f"/devices/commands/new/{device.pk}/?verb=realtime_interval_set", {"seconds": "90", "wait": "600"}
    )
    assert sent.status_code == 302
    record = client.get(sent["Location"])
    assert b"Cancel the command" in record.content
    assert b"90" in record.content
    part = client.get(sent["Location"] + "?part=1")
    assert b"<html" not in part.content
    assert b'hx-trigger="every 1s"' in part.content
    again = client.get(
        f"/devices/commands/new/{device.pk}/?verb=realtime_interval_set&again={sent['Location'].split('/')[-2]}"
    )
    assert b'value="90"' in again.content
    assert client.post(sent["Location"] + "cancel/").status_code == 302
    assert b'hx-trigger="every 1s"' not in client.get(sent["Location"] + "?part=1").content
    assert b"MN0001" in client.get("/devices/commands/?state=cancelled").content
    assert b"No command matches" in client.get("/devices/commands/?state=open").content


def test_drastic_commands_want_a_confirmation(make_device: Made, operator: Any, client_as: Made) -> None:
    device = make_device("jt808", "13900000001")
    client: Client = client_as(operator)
    address = f"/devices/commands/new/{device.pk}/?verb=control"
    assert client.post(address, {"control": "4", "wait": "600"}).status_code == 422
    assert client.post(address, {"control": "4", "wait": "600", "sure": "on"}).status_code == 302


def test_writing_is_offered_where_a_point_can_be_set(
    make_device: Made, operator: Any, client_as: Made
) -> None:
    client: Client = client_as(operator)
    without = make_device("modbus", "10.0.0.1:502/1")
    assert b"Nothing can be sent" in client.get(f"/devices/commands/new/{without.pk}/").content
    device = make_device(
        "modbus", "10.0.0.2:502/1", points=[{"code": "level", "writable": True, "low": 0, "high": 100}]
    )
    form = client.get(f"/devices/commands/new/{device.pk}/?verb=write")
    assert b'value="level"' in form.content
    sent = client.post(
        f"/devices/commands/new/{device.pk}/?verb=write", {"point": "level", "value": "40", "wait": "60"}
    )
    assert sent.status_code == 302
    assert Command._base_manager.get().parameters == {"point": "level", "value": 40.0}


def test_foreign_commands_do_not_exist(
    make_device: Made, orgs: Orgs, make_user: Made, actor_of: Made, client_as: Made
) -> None:
    foreign = make_device("hj212", "MN0002", org=orgs.foreign)
    row = ask(actor_of(make_user("operator", orgs.foreign)), foreign)
    client: Client = client_as(make_user("operator", orgs.north))
    assert client.get(f"/devices/commands/{row.uid}/").status_code == 404
    assert client.get(f"/devices/commands/new/{foreign.pk}/").status_code == 404
    assert client.post(f"/devices/commands/{row.uid}/cancel/").status_code == 404
    leader: Client = client_as(make_user("leader", orgs.foreign))
    assert leader.get(f"/devices/commands/{row.uid}/").status_code == 200
    assert leader.get(f"/devices/commands/new/{foreign.pk}/").status_code == 403


def test_the_list_costs_the_same_for_many(
    make_device: Made, operator: Any, actor_of: Made, client_as: Made, django_assert_max_num_queries: Any
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client: Client = client_as(operator)
    counts = []
    for number in range(2):
        for each in range(1 + number * 8):
            ask(actor_of(operator), make_device("hj212", f"MN{number}{each:03}"))
        client.get("/devices/commands/")
        with CaptureQueriesContext(
            connection,
        ) as counted:
            client.get("/devices/commands/")
        counts.append(len(counted))
    assert counts[0] == counts[1]


# --- the interface ---


def test_the_interface(make_device: Made, operator: Any, client_as: Made) -> None:
    device = make_device("hj212", "MN0001")
    client: Client = client_as(operator)
    offered = client.get(f"/api/v1/devices/commands/offered/{device.pk}").json()
    assert {"realtime_interval_set", "clock_set"} <= {verb["verb"] for verb in offered}
    post = {"content_type": "application/json"}
    made = client.post(
        "/api/v1/devices/commands",
        {"device": device.pk, "verb": "realtime_interval_set", "parameters": {"seconds": 45}},
        **post,
    )
    assert made.status_code == 201, made.content
    uid = made.json()["uid"]
    wrong = client.post(
        "/api/v1/devices/commands",
        {"device": device.pk, "verb": "realtime_interval_set", "parameters": {"seconds": 5}},
        **post,
    )
    assert wrong.status_code == 422
    assert "/parameters/seconds" in wrong.content.decode()
    listed = client.get(f"/api/v1/devices/commands?device={device.pk}").json()
    assert [row["uid"] for row in listed["items"]] == [uid]
    assert client.get(f"/api/v1/devices/commands/{uid}").json()["state"] == "queued"
    assert client.post(f"/api/v1/devices/commands/{uid}/cancel", **post).json()["state"] == "cancelled"
    assert client.post(f"/api/v1/devices/commands/{uid}/cancel", **post).status_code == 409


def test_the_password_of_a_station_is_shown_nowhere(
    make_device: Made, operator: Any, actor_of: Made, client_as: Made
) -> None:
    row = ask(actor_of(operator), make_device("hj212", "MN0001"))
    said = "##0099QN=20261122101010001;ST=32;CN=1072;PW=123456;MN=MN0001;Flag=5;CP=&&NewPW=654321&&1C80"
    with everywhere():
        Command.objects.filter(pk=row.pk).update(
            trace=[{"at": "2026-11-22T10:10:10.001Z", "direction": "out", "text": said}]
        )
    client: Client = client_as(operator)
    for address in (f"/devices/commands/{row.uid}/", f"/api/v1/devices/commands/{row.uid}"):
        shown = client.get(address).content.decode()
        assert "MN=MN0001" in shown
        assert "123456" not in shown and "654321" not in shown, address
