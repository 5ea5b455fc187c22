"""The register as the gateway and the ingest process hold it: plain data, looked up by what devices call themselves."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class PointSpec:
    """A point: its number in the lake, its address in the protocol, and how a raw value becomes a plausible one."""

    number: int
    code: str
    address: str
    kind: str = "gauge"
    unit: str = ""
    scale: float = 1.0
    offset: float = 0.0
    low: float | None = None
    high: float | None = None
    deadband: float = 0.0
    states: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DeviceSpec:
    """A device in use, with its points by address. `profile` is the template's, overridden by its own."""

    number: int
    org: int
    code: str
    protocol: str
    key: str
    profile: Mapping[str, Any]
    points: Mapping[str, tuple[PointSpec, ...]]
    secret_hash: str = ""
    mobile: bool = False
    silence_after: int = 600


class Registry:
    """All devices in use at one version of the register."""

    def __init__(self, devices: Iterable[DeviceSpec], version: int = 0) -> None:
        self.version = version
        self.devices: dict[int, DeviceSpec] = {}
        self.by_key: dict[tuple[str, str], DeviceSpec] = {}
        self.by_code: dict[str, DeviceSpec | None] = {}  # None: the code stands in several organisations
        self.points: dict[int, tuple[DeviceSpec, PointSpec]] = {}
        for device in devices:
            self.devices[device.number] = device
            self.by_key[device.protocol, device.key] = device
            self.by_code[device.code] = None if device.code in self.by_code else device
            for specs in device.points.values():
                for spec in specs:
                    self.points[spec.number] = (device, spec)

    def find(self, protocol: str, key: str) -> DeviceSpec | None:
        """Return the device that calls itself so in this protocol."""
        return self.by_key.get((protocol, key))
