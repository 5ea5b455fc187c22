"""A small register: a template of the library, parks, buildings, devices, points, states."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.conftest import Orgs
from yuanmai.core.policy import SYSTEM
from yuanmai.core.scope import everywhere
from yuanmai.devices.models import Device, DeviceState, Latest, ProductTemplate, UnknownDevice
from yuanmai.devices.registry import actions
from yuanmai.people.models import Organisation

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
_number = itertools.count(1)


@pytest.fixture
def library(orgs: Orgs) -> dict[str, ProductTemplate]:
    """The templates of the library in the register of the province, by code."""
    with everywhere():
        actions.load_templates(SYSTEM, orgs.province.pk)
        return {row.code: row for row in ProductTemplate.objects.all()}


@pytest.fixture
def make_device(library: dict[str, ProductTemplate]) -> Callable[..., Device]:
    """``make_device(org, "mqtt-street-lamp", name=…, online=True)``: a device with the points of its template."""

    def make(
        org: Organisation,
        template: str = "mqtt-street-lamp",
        *,
        online: bool | None = None,
        values: dict[str, float] | None = None,
        **given: Any,
    ) -> Device:
        number = next(_number)
        given.setdefault("code", f"dev-{number:04}")
        given.setdefault("name", f"设备 {number}")
        given.setdefault("key", f"dev-{number:04}")
        with everywhere():
            device = actions.add_device(SYSTEM, org.pk, template=library[template], **given)
            if online is not None:
                DeviceState.objects.create(
                    device=device,
                    online=online,
                    last_seen=NOW,
                    changed_at=NOW,
                    address="10.1.2.3:4711",
                    readings=12,
                    frames=3,
                )
            for point in device.points.all():
                if values and point.code in values:
                    Latest.objects.create(
                        point=point, time=NOW, received=NOW, value=values[point.code], revision=1
                    )
        return device

    return make


@pytest.fixture
def knocking(db: None) -> Callable[..., UnknownDevice]:
    """``knocking("mqtt", "lamp-77", {"power": 60})``: somebody in no register."""

    def make(protocol: str, key: str, addresses: dict[str, Any] | None = None, **given: Any) -> UnknownDevice:
        return UnknownDevice.objects.create(
            protocol=protocol, key=key, address="10.9.8.7:5000", frames=3, first_seen=NOW, last_seen=NOW, stream="s1",
            first_sequence=41, sample={"addresses": addresses or {}, "text": ""}, **given,
        )  # fmt: skip

    return make
