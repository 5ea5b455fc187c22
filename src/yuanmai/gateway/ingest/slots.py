"""The register as columns: one slot for each point and each device, and for each device a plan of what it sends where."""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
import numpy.typing as npt

from yuanmai.devices.engine.registry import DeviceSpec, PointSpec, Registry

KEEP_EVERY = 600  # seconds after which an unchanged value within its deadband is kept all the same
NOWHERE: tuple[int, ...] = ()


class Plan:
    """How the values of one device find their points: slots by address, whatever the case it is written in."""

    __slots__ = ("_folded", "_ignored", "device", "index", "notes", "slots", "strange")

    def __init__(self, device: DeviceSpec, index: int, slots: dict[str, tuple[int, ...]]) -> None:
        self.device = device
        self.index = index
        self.slots = slots
        self._folded = {address.lower(): found for address, found in slots.items()}
        ignored = device.profile.get("ignore", ())
        self._ignored = tuple(map(str, ignored)) if isinstance(ignored, list | tuple) else ()
        self.notes: dict[Any, Any] = {}  # what a decoder has found out about this device and wants to keep
        self.strange: dict[str, Any] = {}  # addresses that no point has, with what was said last

    def find(self, address: str) -> tuple[int, ...] | None:
        """Return the slots of an address; none at all for one that the profile ignores, nothing for an unmapped one."""
        found = self.slots.get(address)
        if found is not None:
            return found
        found = self._folded.get(address.lower())
        if found is None and any(fnmatchcase(address, pattern) for pattern in self._ignored):
            found = NOWHERE
        if found is not None:
            self.slots[address] = found
        return found


class Slots:
    """All points and devices of one version of the register, in columns.

    The last slot of points stands for numbers that are in no register any more: nothing is applied to their values.
    """

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.version = registry.version
        devices = sorted(registry.devices.values(), key=lambda device: device.number)
        self.device = np.array([device.number for device in devices], np.int64)
        self.silence = np.array([device.silence_after for device in devices], np.int64) * 1_000_000
        self.plans: list[Plan] = []
        self.states: dict[int, Mapping[str, str]] = {}
        specs: list[tuple[PointSpec, int]] = []
        for index, device in enumerate(devices):
            slots: dict[str, tuple[int, ...]] = {}
            for address, points in device.points.items():
                slots[address] = tuple(range(len(specs), len(specs) + len(points)))
                specs += [(point, index) for point in points]
            self.plans.append(Plan(device, index, slots))
        self.by_key = {(plan.device.protocol, plan.device.key): plan for plan in self.plans}
        self.by_number = {plan.device.number: plan for plan in self.plans}
        self._columns(specs)

    def _columns(self, specs: list[tuple[PointSpec, int]]) -> None:
        def column(values: Iterable[Any], end: Any, kind: Any) -> npt.NDArray[Any]:
            return np.array([*values, end], kind)

        points = [spec for spec, _index in specs]
        owners = [self.plans[index].device for _spec, index in specs]
        self.count = len(points)
        self.point = column((spec.number for spec in points), -1, np.int32)
        self.owner = column((index for _spec, index in specs), -1, np.int32)
        self.scale = column((spec.scale for spec in points), 1.0, np.float64)
        self.offset = column((spec.offset for spec in points), 0.0, np.float64)
        self.low = column((_or(spec.low, -np.inf) for spec in points), -np.inf, np.float64)
        self.high = column((_or(spec.high, np.inf) for spec in points), np.inf, np.float64)
        gauges = (max(spec.deadband, 0.0) if spec.kind == "gauge" else 0.0 for spec in points)
        self.deadband = column(gauges, 0.0, np.float64)
        self.counter = column((spec.kind == "counter" for spec in points), False, np.bool_)
        pairs = list(zip(points, owners, strict=True))
        self.jump = column((_jump(spec, owner) for spec, owner in pairs), np.inf, np.float64)
        self.keep_every = column((_seconds(owner) for owner in owners), KEEP_EVERY, np.int64) * 1_000_000
        self.states = {slot: _names(spec.states) for slot, spec in enumerate(points) if spec.states}
        self.scaled = bool((self.scale != 1.0).any() or self.offset.any())
        self.watched = self.counter | np.isfinite(self.jump) | (self.deadband > 0)
        highest = int(self.point.max(initial=0))
        self._slot_of = np.full(highest + 2, self.count, np.int32)
        self._slot_of[self.point[: self.count]] = np.arange(self.count, dtype=np.int32)

    def of_points(self, numbers: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
        """Return the slots of point numbers; the last slot for those in no register."""
        inside = np.clip(numbers, 0, len(self._slot_of) - 1)
        found = self._slot_of[inside]
        found[inside != numbers] = self.count
        return found


def _names(states: Mapping[str, str]) -> dict[str, str]:
    """Return the number of each state by the names it has in either language, in small letters."""
    found = {}
    for code, name in states.items():
        for word in (str(code), *str(name).split("|")):
            found[word.strip().lower()] = str(code)
    return found


def _or(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value


def _jump(spec: PointSpec, device: DeviceSpec) -> float:
    """The largest plausible change per second: `jump` in the profile, by code of the point."""
    named = device.profile.get("jump")
    value = named.get(spec.code) if isinstance(named, Mapping) else None
    return float(value) if isinstance(value, int | float) and value > 0 else float("inf")


def _seconds(device: DeviceSpec) -> int:
    value = device.profile.get("keep_every", KEEP_EVERY)
    return value if isinstance(value, int) and value > 0 else KEEP_EVERY
