"""Who knocks: list, proposal, adopting, dismissing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.conftest import Orgs
from yuanmai.core.audit.models import AuditEntry
from yuanmai.core.scope import everywhere
from yuanmai.devices.models import Device, Point, UnknownDevice
from yuanmai.devices.queries import load_registry, registry_version
from yuanmai.people.models import User

pytestmark = pytest.mark.django_db
Knock = Callable[..., UnknownDevice]
STATION = {
    "w01018-Rtd": 38.1,
    "w01001-Rtd": 7.2,
    "w21003-Rtd": 2.4,
    "w21016-Rtd": 0.01,
    "i13001-Info": "text",
    "w00000-Rtd": 12.5,
}


@pytest.fixture
def client(client_as: Callable[..., Client], make_user: Callable[..., User], orgs: Orgs) -> Client:
    """An operator of the northern park."""
    return client_as(make_user("operator", orgs.north))


def test_the_proposal_is_the_template_that_names_most_of_what_is_heard(
    client: Client, library: Any, knocking: Knock
) -> None:
    knocking("hj212", "YM4400000000000000000099", STATION)
    page = client.get(reverse("devices:unknown"))
    proposal = page.context["lines"][0]["proposal"]
    assert proposal.template == library["hj212-wastewater"]
    assert (proposal.heard, proposal.hits) == (5, 4)
    assert [(guess.address, guess.name, guess.unit) for guess in proposal.extra] == [
        ("w21016-Rtd", "氰化物 Rtd", "mg/L")
    ]


def test_one_click_takes_it_in_with_what_it_says_and_the_gateway_hears_of_it(
    client: Client, library: Any, orgs: Orgs, knocking: Knock
) -> None:
    row = knocking("hj212", "YM4400000000000000000099", STATION)
    before = registry_version()
    response = client.post(reverse("devices:adopt_now", args=[row.pk]))
    with everywhere():
        device = Device.objects.get(key=row.key)
        assert device.org == orgs.north
        assert Point.objects.get(device=device, address="w21016-Rtd").unit == "mg/L"
        # The row stays: the ingest process replays the journal from its first frame on, and takes it away.
        assert UnknownDevice.objects.get(pk=row.pk).first_sequence == 41
    assert response["Location"] == reverse("devices:record", args=[device.pk])
    assert registry_version() > before
    assert load_registry().find("hj212", row.key) is not None
    assert client.get(reverse("devices:unknown")).context["lines"] == []
    assert AuditEntry.objects.filter(action="devices.adopt", target_id=str(device.pk)).count() == 1
    assert client.post(reverse("devices:adopt_now", args=[row.pk])).status_code == 404


def test_a_look_first_changes_template_name_and_points(
    client: Client, library: Any, orgs: Orgs, knocking: Knock
) -> None:
    row = knocking("mqtt", "thing-9", {"power": 40, "radon": 3, "ozone": 4})
    url = reverse("devices:adopt", args=[row.pk])
    page = client.get(url)
    assert page.context["proposal"].template == library["mqtt-street-lamp"]
    given = {
        "org": orgs.north.pk,
        "template": library["mqtt-environment"].pk,
        "code": "thing",
        "name": "测试仪",
        "extra": ["radon"],
    }
    assert client.post(url, {**given, "code": "中文"}).status_code == 422
    assert client.post(url, given).status_code == 302
    with everywhere():
        device = Device.objects.get(code="thing")
        assert device.template == library["mqtt-environment"]
        assert set(device.points.values_list("address", flat=True)) >= {"radon", "temperature"}
        assert not device.points.filter(address="ozone").exists()


def test_dismissing_hides_and_recalling_shows(client: Client, library: Any, knocking: Knock) -> None:
    row = knocking("jt808", "13800000001")
    client.post(reverse("devices:dismiss_unknown", args=[row.pk]))
    page = client.get(reverse("devices:unknown"))
    assert page.context["lines"] == []
    assert page.context["dismissed_count"] == 1
    shown = client.get(reverse("devices:unknown"), {"dismissed": "1"})
    assert [line["row"].pk for line in shown.context["lines"]] == [row.pk]
    client.post(reverse("devices:recall_unknown", args=[row.pk]))
    assert len(client.get(reverse("devices:unknown")).context["lines"]) == 1


def test_what_they_say_is_only_text_on_the_page(client: Client, library: Any, knocking: Knock) -> None:
    knocking("mqtt", "<script>alert(1)</script>"[:40], {"<b>x</b>": "<i>"})
    page = client.get(reverse("devices:unknown")).content.decode()
    assert "<script>alert" not in page
    assert "<b>x</b>" not in page


def test_the_list_costs_the_same_for_few_and_many(client: Client, library: Any, knocking: Knock) -> None:
    knocking("mqtt", "m-0", {"power": 1, "own_0": 2})
    client.get(reverse("devices:unknown"))
    with CaptureQueriesContext(connection) as few:
        client.get(reverse("devices:unknown"))
    for number in range(1, 20):
        knocking("mqtt", f"m-{number}", {"power": 1, f"own_{number}": 2})
    with CaptureQueriesContext(connection) as many:
        client.get(reverse("devices:unknown"))
    assert len(many) == len(few)
