"""Devices, rules and alarms in the database."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Orgs
from yuanmai.core.policy import SYSTEM
from yuanmai.core.scope import everywhere
from yuanmai.devices.models import Alarm, AlarmRule, Device, Point, ProductTemplate
from yuanmai.places.models import Park

_number = itertools.count(1)
POINTS = {"cod": ("化学需氧量", "COD", "mg/L"), "ph": ("酸碱度", "pH", ""), "flow": ("流量", "Flow", "m³/h"),
          "lat": ("纬度", "Latitude", "°"), "lng": ("经度", "Longitude", "°"), "fault": ("故障", "Fault", "")}  # fmt: skip


@pytest.fixture
def template(orgs: Orgs) -> ProductTemplate:
    """A template of the province."""
    with everywhere():
        return ProductTemplate.objects.create(
            org=orgs.province, code="station", name="废水站", name_en="Waste water station", protocol="hj212"
        )


@pytest.fixture
def park(orgs: Orgs) -> Park:
    """A park in the north."""
    with everywhere():
        return Park.objects.create(org=orgs.north, code="np", name="北园区", name_en="North Park")


@pytest.fixture
def make_device(orgs: Orgs, template: ProductTemplate) -> Callable[..., Device]:
    """``make_device(org, park=…)``: a device with the points above."""

    def make(org: Any = None, **fields: Any) -> Device:
        n = next(_number)
        with everywhere():
            device = Device.objects.create(
                org=org or orgs.north, code=fields.pop("code", f"S{n}"), name=f"排口{n}", name_en=f"Outfall {n}",
                template=template, protocol="hj212", key=f"MN{n}", **fields,
            )  # fmt: skip
            Point.objects.bulk_create(
                Point(
                    device=device, code=code, name=zh, name_en=en, unit=unit, address=f"{code}-Rtd", order=i
                )
                for i, (code, (zh, en, unit)) in enumerate(POINTS.items())
            )
        return device

    return make


@pytest.fixture
def device(make_device: Callable[..., Device]) -> Device:
    """A device in the north."""
    return make_device()


@pytest.fixture
def make_rule(orgs: Orgs) -> Callable[..., AlarmRule]:
    """``make_rule(org, when, severity=…)``: a rule kept by the system; a limit of 50 mg/L COD where nothing is said."""
    from yuanmai.devices.rules.actions import save_rule

    def make(org: Any = None, when: Any = None, *, severity: int = 3, **more: Any) -> AlarmRule:
        condition = when or {"kind": "threshold", "point": "cod", "compare": "above", "limit": 50}
        definition = {"when": condition, **more.pop("definition", {})}
        values = {
            "code": f"r{next(_number)}",
            "name": "超标",
            "name_en": "Over the limit",
            "source": "GB 8978-1996",
            **more,
        }
        with everywhere():
            return save_rule(
                SYSTEM, None, (org or orgs.north).pk, definition=definition, severity=severity, **values
            )

    return make


def point(device: Device, code: str = "cod") -> int:
    """The number of a device's point."""
    with everywhere():
        return Point.objects.get(device=device, code=code).pk


def alarms() -> list[Alarm]:
    """All alarms, the oldest first."""
    with everywhere():
        return list(
            Alarm.objects.order_by("raised_at", "id").select_related("rule", "device", "group", "version")
        )
