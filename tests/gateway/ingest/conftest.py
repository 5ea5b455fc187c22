"""A register and a journal in the database of a test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Orgs
from tests.gateway.ingest.kit import touch
from yuanmai.core.scope import everywhere
from yuanmai.devices.models import Device, Point, ProductTemplate
from yuanmai.devices.store.journal import Journal


@pytest.fixture
def make_device(orgs: Orgs) -> Callable[..., Device]:
    """``make_device("mqtt", "lamp-1", ["temp", "power"])``: a device in the register of the north park."""

    def make(protocol: str, key: str, addresses: list[str], code: str = "", **fields: Any) -> Device:
        points = fields.pop("points", {})
        with everywhere():
            template, _new = ProductTemplate.objects.get_or_create(
                org=orgs.north, code=f"t-{protocol}", defaults={"name": protocol, "protocol": protocol}
            )
            made = Device.objects.create(
                org=fields.pop("org", orgs.north), code=code or key, name=key, template=template, protocol=protocol,
                key=key, **fields,
            )  # fmt: skip
            for address in addresses:
                Point.objects.create(
                    device=made, code=address, name=address, address=address, **points.get(address, {})
                )
        touch()
        return made

    return make


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """A journal as a gateway writes it."""
    with Journal.open(tmp_path / "journal", "gateway") as made:
        yield made
