"""The pages of the register: who sees what, what the list narrows to, what the record shows, how many queries it costs."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

from tests.conftest import Orgs
from tests.devices.registry.conftest import NOW
from yuanmai.core.scope import everywhere
from yuanmai.devices.engine.quality import RANGE
from yuanmai.devices.models import Device, DeviceState, Latest, Oddity, UnknownDevice
from yuanmai.people.models import User
from yuanmai.places.models import Building, Park

pytestmark = pytest.mark.django_db
Make = Callable[..., Device]


@pytest.fixture
def operator(make_user: Callable[..., User], orgs: Orgs) -> User:
    """An operator of the northern park."""
    return make_user("operator", orgs.north)


@pytest.fixture
def client(client_as: Callable[..., Client], operator: User) -> Client:
    """The operator's browser."""
    return client_as(operator)


def text(response: Any) -> str:
    return response.content.decode()


def test_an_empty_register_says_what_to_do_first(client: Client) -> None:
    page = text(client.get(reverse("devices:index")))
    assert "No devices yet" in page
    assert reverse("devices:unknown") in page


def test_the_list_shows_own_devices_with_their_state_and_no_foreign_ones(
    client: Client, make_device: Make, orgs: Orgs
) -> None:
    make_device(orgs.north, name="北灯", online=True)
    make_device(orgs.north, name="哑灯")
    make_device(orgs.foreign, name="外灯", online=True)
    page = text(client.get(reverse("devices:index")))
    assert "北灯" in page
    assert "哑灯" in page
    assert "外灯" not in page
    assert "Online" in page
    assert "Never heard" in page


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"state": "online"}, {"a"}), ({"state": "offline"}, {"b"}), ({"state": "never"}, {"c", "d"}), ({"q": "dev-b"}, {"b"}),
        ({"protocol": "jt808"}, {"d"}), ({"use": "no"}, {"c"}), ({"use": "retired"}, {"e"}), ({"placed": "yes"}, {"a"}),
        ({"q": "13800000009"}, {"d"}), ({"template": "x"}, set()), ({"sort": "-name"}, {"a", "b", "c", "d"}),
    ],
)  # fmt: skip
def test_the_filters_stand_in_the_address(
    client: Client, make_device: Make, orgs: Orgs, query: dict[str, str], expected: set[str]
) -> None:
    make_device(orgs.north, code="a", name="a", key="dev-a", online=True, longitude=112.9, latitude=27.8)
    make_device(orgs.north, code="b", name="b", key="dev-b", online=False)
    make_device(orgs.north, code="c", name="c", key="dev-c", enabled=False)
    make_device(orgs.north, "jt808-vehicle", code="d", name="d", key="13800000009")
    gone = make_device(orgs.north, code="e", name="e", key="dev-e")
    with everywhere():
        Device.objects.filter(pk=gone.pk).update(retired_at=NOW)
    response = client.get(reverse("devices:index"), query)
    assert {device.code for device, _cells in response.context["lines"]} == expected


def test_the_list_costs_the_same_for_few_and_many(client: Client, make_device: Make, orgs: Orgs) -> None:
    make_device(orgs.north, online=True)
    client.get(reverse("devices:index"))
    with CaptureQueriesContext(
        connection,
    ) as few:
        client.get(reverse("devices:index"), {"q": "dev"})
    for _n in range(12):
        make_device(orgs.north, online=True)
    client.get(reverse("devices:index"))
    with CaptureQueriesContext(connection) as many:
        client.get(reverse("devices:index"), {"q": "de"})
    assert len(many) <= len(few) + 1


def test_the_export_holds_what_the_list_shows(client: Client, make_device: Make, orgs: Orgs) -> None:
    make_device(orgs.north, code="a-1", name="=1+1", key="ident-1", online=True)
    make_device(orgs.foreign, code="f-1", name="外")
    response = client.get(reverse("devices:export"))
    sheet = load_workbook(io.BytesIO(response.content)).active
    cells = [[cell.value for cell in row] for row in sheet.iter_rows()]  # type: ignore[union-attr]
    flat = [value for row in cells for value in row]
    assert "=1+1" in flat
    assert "ident-1" in flat
    assert "f-1" not in flat


def test_the_record_shows_values_with_their_quality_in_words(
    client: Client, make_device: Make, orgs: Orgs
) -> None:
    device = make_device(
        orgs.north, name="灯一", online=True, values={"power": 61.04, "lamp": 1.0, "brightness": 400.0}
    )
    with everywhere():
        Latest.objects.filter(point__code="brightness").update(quality=RANGE)
    page = text(client.get(reverse("devices:record", args=[device.pk])))
    assert "61.0" in page
    assert ">On<" in page
    assert "outside the plausible range" in page
    assert "10.1.2.3:4711" in page
    part = text(client.get(reverse("devices:record", args=[device.pk]), {"part": "1"}))
    assert part.lstrip().startswith("<div")
    assert "61.0" in part


TABS = (
    "record",
    "history",
    "record_commands",
    "record_parts",
    "record_oddities",
    "record_timeline",
    "record_access",
    "points",
    "place",
    "revise",
)


@pytest.mark.parametrize("name", TABS)
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_every_tab_opens_for_its_keeper_and_does_not_exist_for_others(
    client_as: Callable[..., Client], operator: User, make_device: Make, orgs: Orgs, name: str, language: str
) -> None:
    client = client_as(operator, language=language)
    own, foreign = make_device(orgs.north, online=True), make_device(orgs.foreign)
    with everywhere():
        Oddity.objects.create(device=own, kind="bad_crc", count=3, first_at=NOW, last_at=NOW, sample="##0012")
    assert client.get(reverse(f"devices:{name}", args=[own.pk])).status_code == 200
    assert client.get(reverse(f"devices:{name}", args=[foreign.pk])).status_code == 404


def test_who_may_only_look_gets_no_buttons_and_no_access(
    client_as: Callable[..., Client], make_user: Callable[..., User], make_device: Make, orgs: Orgs
) -> None:
    client = client_as(make_user("leader", orgs.north))
    device = make_device(orgs.north)
    page = text(client.get(reverse("devices:record", args=[device.pk])))
    assert reverse("devices:revise", args=[device.pk]) not in page
    assert client.get(reverse("devices:record_access", args=[device.pk])).status_code == 403
    assert client.get(reverse("devices:unknown")).status_code == 403
    assert client.post(reverse("devices:retire", args=[device.pk])).status_code == 403


def test_a_device_is_entered_changed_retired_and_brought_back_on_pages(
    client: Client, library: Any, orgs: Orgs
) -> None:
    given = {
        "org": orgs.north.pk,
        "template": library["mqtt-street-lamp"].pk,
        "code": "L-1",
        "name": "灯杆一",
        "key": "lamp-1",
        "enabled": "on",
    }
    assert client.post(reverse("devices:create"), {**given, "longitude": "112.9"}).status_code == 422
    response = client.post(reverse("devices:create"), given)
    with everywhere():
        device = Device.objects.get(code="L-1")
        assert device.points.count() == library["mqtt-street-lamp"].points.count()
    assert device.silence_after == 900
    assert response["Location"] == reverse("devices:record", args=[device.pk])
    again = client.post(reverse("devices:create"), {**given, "code": "L-2"})
    assert again.status_code == 422
    assert "already speaks under this identity" in text(again)
    client.post(
        reverse("devices:revise", args=[device.pk]), {**given, "name": "灯杆二", "profile": '{"qos": 1}'}
    )
    device.refresh_from_db()
    assert (device.name, device.profile) == ("灯杆二", {"qos": 1})
    client.post(reverse("devices:retire", args=[device.pk]))
    device.refresh_from_db()
    assert device.retired_at is not None
    client.post(reverse("devices:restore", args=[device.pk]))
    device.refresh_from_db()
    assert device.retired_at is None
    timeline = text(client.get(reverse("devices:record_timeline", args=[device.pk])))
    assert "灯杆二" in timeline


def test_a_row_of_devices_is_numbered(client: Client, library: Any, orgs: Orgs) -> None:
    given = {
        "org": orgs.north.pk, "template": library["jt808-hazmat"].pk, "count": 12, "first": 1, "code": "T-{n:03}", "name": "罐车",
        "key": "13900000001",
    }  # fmt: skip
    assert client.post(reverse("devices:batch"), given).status_code == 302
    with everywhere():
        rows = list(Device.objects.order_by("code"))
    assert [row.code for row in rows][:2] == ["T-001", "T-002"]
    assert rows[11].key == "13900000012"
    assert rows[11].name == "罐车 12"
    assert all(row.mobile for row in rows)


def test_the_place_is_typed_and_shown_on_the_map(client: Client, make_device: Make, orgs: Orgs) -> None:
    device = make_device(orgs.north)
    url = reverse("devices:place", args=[device.pk])
    assert client.post(url, {"longitude": "112,9", "latitude": "27.8"}).status_code == 422
    assert client.post(url, {"longitude": "212.9", "latitude": "27.8"}).status_code == 422
    assert client.post(url, {"longitude": "112.934", "latitude": "27.829"}).status_code == 302
    layers = client.get(reverse("devices:map_layers", args=[device.pk])).json()
    found = client.get(next(layer["url"] for layer in layers["layers"] if layer["id"] == "device")).json()
    assert found["features"][0]["geometry"]["coordinates"] == [112.934, 27.829]


def test_picked_devices_move_and_the_move_is_taken_back(
    client: Client, make_device: Make, orgs: Orgs
) -> None:
    devices = [make_device(orgs.north) for _n in range(3)]
    with everywhere():
        park = Park.objects.create(org=orgs.north, code="p", name="北区")
        building = Building.objects.create(org=orgs.north, code="b", name="一号厂房", park=park)
    ids = [device.pk for device in devices]
    response = client.post(
        reverse("devices:bulk"), {"device": ids, "do": "building", "building": building.pk}, follow=True
    )
    assert "3 devices were changed" in text(response)
    with everywhere():
        assert Device.objects.filter(building=building).count() == 3
    undo = next(str(m.extra_tags) for m in response.context["messages"]).partition("undo=")[2]
    client.post(undo)
    with everywhere():
        assert Device.objects.filter(building=None).count() == 3
    client.post(reverse("devices:bulk"), {"device": ids, "do": "pause"})
    client.post(reverse("devices:bulk"), {"device": ids[:1], "do": "retire"})
    with everywhere():
        assert Device.objects.filter(enabled=False, retired_at=None).count() == 2


def test_labels_are_a_pdf_of_the_picked_devices(client: Client, make_device: Make, orgs: Orgs) -> None:
    devices = [make_device(orgs.north, name=f"井盖 #{n} [x] $a$") for n in range(26)]
    foreign = make_device(orgs.foreign)
    response = client.post(reverse("devices:labels"), {"device": [d.pk for d in devices], "layout": "sheet"})
    assert response["Content-Type"] == "application/pdf"
    assert response.content.startswith(b"%PDF")
    assert re.findall(rb"/Count (\d+)", response.content) == [b"2"]  # 24 on a sheet
    assert client.get(reverse("devices:labels"), {"device": foreign.pk}).status_code == 302
    single = client.get(reverse("devices:labels"), {"device": devices[0].pk, "layout": "single"})
    assert single.content.startswith(b"%PDF")


def test_a_secret_is_shown_once_and_kept_as_a_hash(client: Client, make_device: Make, orgs: Orgs) -> None:
    device = make_device(orgs.north)
    page = text(client.post(reverse("devices:new_secret", args=[device.pk])))
    secret = page.partition('<code class="ym-secret">')[2].partition("</code>")[0]
    device.refresh_from_db()
    from yuanmai.devices.registry.actions.secrets import secret_hash

    assert len(secret) >= 30
    assert device.secret_hash == secret_hash(secret)
    assert secret not in text(client.get(reverse("devices:record_access", args=[device.pk])))
    client.post(reverse("devices:revoke_secret", args=[device.pk]))
    device.refresh_from_db()
    assert device.secret_hash == ""


def test_search_finds_devices_of_the_scope_only(client: Client, make_device: Make, orgs: Orgs) -> None:
    make_device(orgs.north, name="北门道闸", code="GATE-7")
    make_device(orgs.foreign, name="外门道闸", code="GATE-8")
    found = client.get("/search", {"q": "gate-", "format": "json"}).json()["results"]
    assert [hit["title"] for hit in found if "GATE" in hit["detail"]] == ["北门道闸"]


def test_the_states_of_the_figures_are_fresh(
    client: Client, make_device: Make, orgs: Orgs, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = make_device(orgs.north, online=True)
    make_device(orgs.north)

    def rate() -> str:
        return next(
            s["display"]
            for s in client.get(reverse("devices:index")).context["summary"]
            if "rate" in str(s["label"])
        )

    assert "50" in rate()
    with everywhere():
        DeviceState.objects.filter(device=device).update(online=False, changed_at=NOW + timedelta(minutes=1))
    monkeypatch.setattr("yuanmai.core.figures.sums.time.time", lambda: 4_000_000_000.0)
    assert rate().startswith("0")


def test_a_row_of_devices_is_shown_before_it_is_entered(
    client: Client, make_device: Make, orgs: Orgs
) -> None:
    there = make_device(orgs.north, code="lamp-02")
    given = {
        "org": orgs.north.pk, "template": there.template_id, "count": "5", "first": "1", "code": "lamp-{n:02}", "name": "路灯",
        "key": "", "preview": "1",
    }  # fmt: skip
    with everywhere():
        before = Device.objects.count()
    page = text(client.post(reverse("devices:batch"), given))
    assert "lamp-01" in page and "lamp-03" in page and "lamp-05" in page and "lamp-04" not in page
    assert "路灯 5" in page and "lamp-02</p>" in page  # the one that is there already
    assert "lamp-01" not in text(client.post(reverse("devices:batch"), {**given, "count": "many"}))
    with everywhere():
        assert Device.objects.count() == before


def test_the_password_of_a_station_is_not_shown_to_those_who_adopt_it(client: Client, orgs: Orgs) -> None:
    frame = "##0100QN=20260101000000000;ST=32;CN=2011;PW=123456;MN=A1;Flag=5;CP=&&w01018-Rtd=12.5&&"
    row = UnknownDevice.objects.create(
        protocol="hj212", key="A1", sample={"addresses": {"w01018-Rtd": 12.5}, "text": frame}, first_seen=NOW, last_seen=NOW
    )  # fmt: skip
    for page in (client.get(reverse("devices:unknown")), client.get(reverse("devices:adopt", args=[row.pk]))):
        assert "MN=A1" in text(page) and "123456" not in text(page)


@pytest.mark.parametrize(
    ("template", "key", "offered"),
    [
        ("mqtt-environment", "env-9", True),
        ("hj212-wastewater", "010000A8900016F000169DC0", True),
        ("modbus-power-meter", "10.0.0.1:502/1", False),
    ],
)
def test_a_secret_is_offered_where_the_protocol_knows_one(
    client: Client, make_device: Make, orgs: Orgs, template: str, key: str, offered: bool
) -> None:
    device = make_device(orgs.north, template, key=key)
    assert (
        'data-ym-dialog="new-secret"' in text(client.get(reverse("devices:record_access", args=[device.pk])))
    ) is offered
