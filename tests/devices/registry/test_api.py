"""The register for programs: what is listed, entered, changed, refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from tests.conftest import Orgs
from yuanmai.core.scope import everywhere
from yuanmai.devices.models import Device, UnknownDevice
from yuanmai.people.models import User

pytestmark = pytest.mark.django_db
Make = Callable[..., Device]
BASE = "/api/v1/devices"


@pytest.fixture
def client(client_as: Callable[..., Client], make_user: Callable[..., User], orgs: Orgs) -> Client:
    """An operator of the northern park."""
    return client_as(make_user("operator", orgs.north))


def post(client: Client, url: str, body: dict[str, Any], method: str = "post") -> Any:
    return getattr(client, method)(url, body, content_type="application/json")


def test_devices_are_listed_within_the_scope_and_filtered(
    client: Client, make_device: Make, orgs: Orgs
) -> None:
    make_device(orgs.north, code="a-1", online=True)
    make_device(orgs.north, "jt808-vehicle", code="a-2", key="13800000001")
    make_device(orgs.foreign, code="f-1")
    assert [row["code"] for row in client.get(BASE).json()["items"]] == ["a-1", "a-2"]
    assert [row["code"] for row in client.get(BASE, {"state": "online"}).json()["items"]] == ["a-1"]
    assert [row["code"] for row in client.get(BASE, {"protocol": "jt808"}).json()["items"]] == ["a-2"]
    assert client.get(BASE, {"state": "asleep"}).status_code == 422


def test_a_device_is_entered_changed_and_retired(client: Client, library: Any, orgs: Orgs) -> None:
    body = {
        "organisation": "north",
        "template": library["mqtt-gate"].pk,
        "code": "g-1",
        "name": "道闸",
        "key": "gate-1",
    }
    made = post(client, BASE, body)
    assert made.status_code == 201, made.content
    url = f"{BASE}/{made.json()['id']}"
    assert made.json()["silence_after"] == 900
    again = post(client, BASE, {**body, "key": "in valid"})
    assert again.status_code == 422
    assert {fault["pointer"].rpartition("/")[2] for fault in again.json()["errors"]} >= {"code", "key"}
    changed = post(client, url, {"name": "北门道闸", "longitude": 112.9, "latitude": 27.8}, "patch").json()
    assert (changed["name"], changed["longitude"], changed["key"]) == ("北门道闸", 112.9, "gate-1")
    points = client.get(f"{url}/points").json()
    assert {point["code"] for point in points} == {"gate", "passages_in", "passages_out", "loop", "fault"}
    points[0]["name"] = "杆"
    points.append({"code": "extra", "name": "附加", "address": "x.y"})
    assert len(post(client, f"{url}/points", {"points": points}, "put").json()) == 6
    points[-1]["address"] = "no good path"
    assert post(client, f"{url}/points", {"points": points}, "put").status_code == 422
    assert client.delete(url).status_code == 204
    assert client.get(url).json()["state"] == "retired"
    assert client.get(BASE).json()["items"] == []


def test_newest_values_say_what_is_wrong_with_them(client: Client, make_device: Make, orgs: Orgs) -> None:
    device = make_device(orgs.north, values={"power": 61.5})
    rows = {row["point"]: row for row in client.get(f"{BASE}/{device.pk}/latest").json()}
    assert (rows["power"]["value"], rows["power"]["unit"], rows["power"]["words"]) == (61.5, "W", [])
    assert rows["tilt"]["time"] is None


def test_templates_of_the_organisations_above_serve_and_only_own_ones_are_changed(
    client: Client, library: Any, orgs: Orgs
) -> None:
    rows = {row["code"]: row for row in client.get(f"{BASE}/templates").json()}
    assert rows["mqtt-gate"]["organisation"] == "jiangnan"
    assert (
        post(client, f"{BASE}/templates/{rows['mqtt-gate']['id']}", {"name": "x"}, "patch").status_code == 403
    )
    body = {
        "organisation": "north",
        "code": "own",
        "name": "自有",
        "protocol": "http",
        "points": [{"code": "v", "name": "值", "address": "v"}],
    }
    made = post(client, f"{BASE}/templates", body)
    assert made.status_code == 201, made.content
    url = f"{BASE}/templates/{made.json()['id']}"
    assert (
        post(client, url, {"points": [{"code": "w", "name": "值", "address": "w"}]}, "patch").json()[
            "points"
        ][0]["code"]
        == "w"
    )
    assert client.delete(url).status_code == 204


def test_somebody_unknown_is_adopted(
    client: Client, library: Any, orgs: Orgs, knocking: Callable[..., UnknownDevice]
) -> None:
    row = knocking("mqtt", "env-77", {"temperature": 21.5, "humidity": 60, "radon": 12})
    listed = client.get(f"{BASE}/unknown").json()["items"]
    assert listed[0]["template"] == library["mqtt-environment"].pk
    made = post(client, f"{BASE}/unknown/{row.pk}/adopt", {"organisation": "north"})
    assert made.status_code == 201, made.content
    with everywhere():
        device = Device.objects.get(key="env-77")
        assert device.points.get(address="radon").code == "radon"
    assert client.get(f"{BASE}/unknown").json()["items"] == []
    assert post(client, f"{BASE}/unknown/{row.pk}/adopt", {"organisation": "north"}).status_code == 404


def test_who_may_only_look_changes_nothing(
    client_as: Callable[..., Client], make_user: Callable[..., User], make_device: Make, orgs: Orgs
) -> None:
    leader = client_as(make_user("leader", orgs.north))
    own, foreign = make_device(orgs.north), make_device(orgs.foreign)
    assert leader.get(f"{BASE}/{own.pk}").status_code == 200
    assert leader.get(f"{BASE}/{foreign.pk}").status_code == 404
    assert post(leader, f"{BASE}/{own.pk}", {"name": "x"}, "patch").status_code == 403
    assert leader.delete(f"{BASE}/{own.pk}").status_code == 403
    assert leader.get(f"{BASE}/unknown").status_code == 403
