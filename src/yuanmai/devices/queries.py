"""Reads of the register that more than one face needs."""

from collections import defaultdict

from yuanmai.core.audit.models import RoomVersion
from yuanmai.core.scope import everywhere
from yuanmai.devices.engine.registry import DeviceSpec, PointSpec, Registry
from yuanmai.devices.models import Device, Point


def registry_version() -> int:
    """Return the version of the devices room: it grows with every action of it."""
    return RoomVersion.objects.filter(room="devices").values_list("sequence", flat=True).first() or 0


def load_registry() -> Registry:
    """Return all devices in use with their points; two queries. For the gateway and the ingest process."""
    version = registry_version()
    points: dict[int, dict[str, list[PointSpec]]] = defaultdict(lambda: defaultdict(list))
    with everywhere():
        for row in Point.objects.filter(
            retired_at=None, device__retired_at=None, device__enabled=True
        ).iterator():
            points[row.device_id][row.address].append(
                PointSpec(
                    number=row.pk, code=row.code, address=row.address, kind=row.kind, unit=row.unit,
                    scale=row.scale, offset=row.offset, low=row.low, high=row.high, deadband=row.deadband,
                    states=row.states,
                )
            )  # fmt: skip
        devices = [
            DeviceSpec(
                number=row.pk, org=row.org_id, code=row.code, protocol=row.protocol, key=row.key,
                profile={**row.template.profile, **row.profile},
                points={address: tuple(specs) for address, specs in points[row.pk].items()},
                secret_hash=row.secret_hash, mobile=row.mobile, silence_after=row.silence_after,
            )
            for row in Device.objects.filter(retired_at=None, enabled=True).select_related("template").order_by("pk")
        ]  # fmt: skip
    return Registry(devices, version)
