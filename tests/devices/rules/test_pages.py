"""The pages of rules and alarms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.conftest import Orgs
from tests.devices.rules.conftest import alarms, point
from tests.devices.rules.kit import SECOND, START, readings
from yuanmai.devices.models import Alarm, AlarmRule, Device
from yuanmai.devices.rules.runtime import Evaluation
from yuanmai.people.models import User

NOW = START / SECOND


@pytest.fixture
def raised(device: Device, make_rule: Callable[..., AlarmRule]) -> Alarm:
    """An alarm of the north."""
    make_rule(advice="Look after it.")
    evaluation = Evaluation()
    evaluation.feed(readings((0, point(device), 60.0)), NOW)
    evaluation.flush()
    (alarm,) = alarms()
    return alarm


@pytest.fixture
def client(client_as: Callable[..., Client], make_user: Callable[..., User], orgs: Orgs) -> Client:
    """An operator of the north."""
    return client_as(make_user("operator", orgs.north))


PAGES = (
    "alarms",
    "rules",
    "rule_new",
    "rule_presets",
    "windows",
    "window_new",
    "channels",
    "channel_new",
    "escalation_new",
    "outbox",
)


@pytest.mark.parametrize("name", PAGES)
def test_every_page_opens_empty(client: Client, name: str) -> None:
    answer = client.get(reverse(f"devices:{name}"))
    assert answer.status_code == 200, answer.content[:300]


@pytest.mark.parametrize(
    "kind", ["threshold", "rate", "missing", "state", "quality", "geofence", "combined", "expert"]
)
def test_the_editor_of_each_kind(client: Client, kind: str) -> None:
    answer = client.get(reverse("devices:rule_new"), {"kind": kind})
    assert answer.status_code == 200
    assert b"rule-preview" in answer.content


def test_the_list_and_the_record(client: Client, raised: Alarm, django_assert_max_num_queries: Any) -> None:
    answer = client.get(reverse("devices:alarms"))
    assert raised.device.name_en in answer.content.decode()
    assert 'data-live="alarms"' in answer.content.decode()
    part = client.get(reverse("devices:alarms"), {"part": "1"}).content.decode()
    assert "<html" not in part and raised.device.name_en in part
    page = client.get(reverse("devices:alarm", args=[raised.uid])).content.decode()
    assert "60.00 mg/L" in page and "Look after it." in page and "above 50 mg/L" in page
    assert (
        "<html" not in client.get(reverse("devices:alarm", args=[raised.uid]), {"part": "1"}).content.decode()
    )
    assert client.get(reverse("devices:record_alarms", args=[raised.device_id])).status_code == 200
