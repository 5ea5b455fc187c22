"""Registers, decoders and payloads for the tests of ingest."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from typing import Any

from yuanmai.core.scope import everywhere
from yuanmai.devices.engine.registry import DeviceSpec, PointSpec, Registry
from yuanmai.devices.models import Device, Point
from yuanmai.devices.store.records import Kind, Record
from yuanmai.gateway.ingest.batch import Columns
from yuanmai.gateway.ingest.decode import Decoder
from yuanmai.gateway.ingest.refine import judge
from yuanmai.gateway.ingest.slots import Slots

NOW = 1_700_000_000_000_000  # 2023-11-14 22:13:20 UTC


def point(number: int, address: str, **fields: Any) -> PointSpec:
    """A point whose code is its address with other signs."""
    fields.setdefault("code", address.replace("-", "_").replace(".", "_").replace("@", "_"))
    return PointSpec(number=number, address=address, **fields)


def device(
    number: int,
    protocol: str,
    key: str,
    points: list[PointSpec],
    profile: Mapping[str, Any] | None = None,
    **more: Any,
) -> DeviceSpec:
    """A device with its points by address."""
    by_address: dict[str, tuple[PointSpec, ...]] = {}
    for one in points:
        by_address[one.address] = (*by_address.get(one.address, ()), one)
    return DeviceSpec(
        number=number, org=1, code=f"{protocol}-{number}", protocol=protocol, key=key, profile=profile or {},
        points=by_address, **more,
    )  # fmt: skip


class Bench:
    """A decoder with a register, and what it made of records."""

    def __init__(self, *devices: DeviceSpec) -> None:
        self.slots = Slots(Registry(devices))
        self.decoder = Decoder(self.slots)
        self.sequence = 0

    def take(self, kind: Kind, key: str, payload: bytes, received: int = NOW) -> None:
        """Read one record."""
        self.sequence += 1
        self.decoder.take("stream", Record(self.sequence, received, kind, key, payload))

    def columns(self) -> Columns:
        """The readings since the last call, judged."""
        batch, self.decoder.batch = self.decoder.batch, type(self.decoder.batch)()
        found = batch.columns(self.slots, [])
        judge(found, self.slots)
        return found

    def rows(self) -> list[tuple[int, int, float, int]]:
        """The readings since the last call: point, time, value, quality."""
        found = self.columns()
        return list(
            zip(
                found.point.tolist(), found.time.tolist(), found.value.tolist(), found.quality.tolist(), strict=True
            )
        )  # fmt: skip

    def values(self) -> dict[int, float]:
        """The readings since the last call: point → value."""
        return {number: value for number, _time, value, _quality in self.rows()}

    def odd(self) -> dict[str, int]:
        """Counts of oddities by kind."""
        return {kind: one.count for (_device, kind), one in self.decoder.tally.odd.items()}

    def sample(self, kind: str) -> str:
        """Sample of an oddity."""
        return next(one.sample for (_device, known), one in self.decoder.tally.odd.items() if known == kind)


def touch() -> None:
    """Raise the version of the register, as its actions do."""
    from yuanmai.core.audit.models import RoomVersion

    row, _new = RoomVersion.objects.get_or_create(room="devices", defaults={"sequence": 0})
    RoomVersion.objects.filter(pk=row.pk).update(sequence=row.sequence + 1)


def numbers(made: Device) -> dict[str, int]:
    """Numbers of a device's points by address."""
    with everywhere():
        return dict(Point.objects.filter(device=made).values_list("address", "pk"))


def mqtt(topic: str, body: str | bytes) -> bytes:
    """A payload of kind MQTT or SPARKPLUG."""
    name = topic.encode()
    return len(name).to_bytes(2, "big") + name + (body.encode() if isinstance(body, str) else body)


def now() -> int:
    """The present moment in µs."""
    return time.time_ns() // 1000


def digest(secret: str) -> str:
    """How a device's secret is kept."""
    return hashlib.sha256(secret.encode()).hexdigest()
