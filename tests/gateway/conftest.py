"""Devices in the database, and a quick server, for tests of the gateway."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Orgs
from yuanmai.core.scope import everywhere
from yuanmai.devices.models import Device, Point, ProductTemplate
from yuanmai.gateway import server as framework


@pytest.fixture
def quick_sweeps(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server looks at its connections every twentieth of a second, so that short limits are noticed in time."""
    monkeypatch.setattr(framework, "SWEEP", 0.05)


@pytest.fixture
def make_device(orgs: Orgs) -> Callable[..., Device]:
    """``make_device("hj212", "MN0001", points=[{…}], profile={…})``: a registered device of the north park."""

    def make(
        protocol: str, key: str, *, org: Any = None, points: list[dict[str, Any]] | None = None, **fields: Any
    ) -> Device:
        where = org or orgs.north
        with everywhere():
            template, _new = ProductTemplate.objects.get_or_create(
                org=where, code=f"T-{protocol}", defaults={"name": f"模板{protocol}", "protocol": protocol}
            )
            device = Device.objects.create(
                org=where,
                code=f"D-{protocol}-{key}"[:60],
                name=f"设备{key}",
                template=template,
                protocol=protocol,
                key=key,
                **fields,
            )
            Point.objects.bulk_create(
                Point(device=device, **{"name": point["code"], "address": point["code"], **point})
                for point in points or ()
            )
        return device

    return make
