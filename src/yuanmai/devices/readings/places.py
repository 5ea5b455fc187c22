"""Codes of devices and points to numbers of points, kept until the register changes."""

import threading
import time
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from django.utils.translation import gettext as _

from yuanmai.core.scope import everywhere
from yuanmai.devices.models import Device, Point
from yuanmai.devices.queries import registry_version
from yuanmai.devices.readings.rows import Rows
from yuanmai.devices.readings.senders import Sender, renew_connection

LOOK_EVERY = 1.0  # seconds: whether the register has changed
PIECE = 500  # codes in one query
MOST_DEVICES = 50_000
MOST_GRIDS = 64
LARGEST_GRID = 2_000_000
UNKNOWN, FOREIGN, AMBIGUOUS, NO_POINT = -1, -2, -3, -4


@dataclass(slots=True)
class Place:
    """A device by its code (or number): its organisation, and its points by code and by address."""

    number: int
    org: int
    points: dict[str, int] = field(default_factory=dict)


class Places:
    """The devices that were asked for since the register changed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._version = -1
        self._looked = float("-inf")
        self._by_code: dict[str, list[Place]] = {}
        self._by_number: dict[int, Place] = {}
        self._grids: OrderedDict[tuple[object, ...], npt.NDArray[np.int32]] = OrderedDict()

    def resolve(self, rows: Rows, sender: Sender) -> npt.NDArray[np.int32]:
        """Return the number of the point for each row; codes that lead nowhere become faults of the rows."""
        devices = rows.device.each if rows.device is not None else ("",)
        points = rows.point.each
        with self._lock:
            self._look()
            if len(devices) * len(points) <= LARGEST_GRID:
                names = (rows.device.key if rows.device is not None else None, rows.point.key)
                grid = self._grid(sender, names, devices, points)
                where = rows.device.index if rows.device is not None else np.zeros(len(rows), np.int32)
                number = grid[where, rows.point.index]
            else:
                number = self._one_by_one(sender, rows, devices, points)
        # What cannot be read as a name is a fault already.
        number[rows.point.index < 0] = 0
        if rows.device is not None:
            number[rows.device.index < 0] = 0
        for row in rows.first(np.flatnonzero(number < 0)):
            self._fault(rows, row, int(number[row]), devices, points)
        return number

    def _look(self) -> None:
        now = time.monotonic()
        if now - self._looked < LOOK_EVERY:
            return
        self._looked = now
        renew_connection()
        version = registry_version()
        if version != self._version:
            self._version = version
            self._by_code.clear()
            self._by_number.clear()
            self._grids.clear()

    def _grid(
        self, sender: Sender, names: tuple[Hashable, Hashable], devices: Sequence[str], points: Sequence[str]
    ) -> npt.NDArray[np.int32]:
        key = (sender.device or sender.orgs, names)
        grid = self._grids.get(key)
        if grid is not None:
            self._grids.move_to_end(key)
            return grid
        self._load(devices, sender)
        grid = np.array(
            [self._numbers(self._choose(device, sender), points) for device in devices], np.int32
        ).reshape(len(devices), len(points))
        self._grids[key] = grid
        while len(self._grids) > MOST_GRIDS:
            self._grids.popitem(last=False)
        return grid

    def _one_by_one(
        self, sender: Sender, rows: Rows, devices: Sequence[str], points: Sequence[str]
    ) -> npt.NDArray[np.int32]:
        self._load(devices, sender)
        chosen = [self._choose(device, sender) for device in devices]
        where = rows.device.index.tolist() if rows.device is not None else [0] * len(rows)
        what = rows.point.index.tolist()
        return np.array(
            [self._numbers(chosen[device], (points[point],))[0] for device, point in zip(where, what, strict=True)],
            np.int32,
        )  # fmt: skip

    @staticmethod
    def _numbers(chosen: Place | int, points: Iterable[str]) -> list[int]:
        if isinstance(chosen, int):
            return [chosen for _point in points]
        return [chosen.points.get(point, NO_POINT) for point in points]

    def _choose(self, code: str, sender: Sender) -> Place | int:
        """Return the device a code means to this sender, or why it means none."""
        if sender.device:
            own = self._by_number.get(sender.device)
            if own is None:
                return UNKNOWN
            return own if not code or any(place is own for place in self._by_code.get(code, ())) else FOREIGN
        found = self._by_code.get(code, [])
        mine = [place for place in found if place.org in sender.orgs]
        if len(mine) == 1:
            return mine[0]
        return AMBIGUOUS if mine else UNKNOWN  # of devices outside the scope nobody learns that they exist

    def _load(self, codes: Iterable[str], sender: Sender) -> None:
        """Read the devices that were not asked for before."""
        missing = [code for code in codes if code not in self._by_code]
        if len(self._by_code) + len(missing) > MOST_DEVICES:
            self._by_code.clear()
            self._by_number.clear()
            missing = list(codes)
        renew_connection()
        with everywhere():
            rows = Device.objects.filter(retired_at=None, enabled=True).values_list("pk", "org_id", "code")
            found: list[tuple[int, int, str]] = []
            for begin in range(0, len(missing), PIECE):
                found += rows.filter(code__in=missing[begin : begin + PIECE])
            if sender.device and sender.device not in self._by_number:
                found += [row for row in rows.filter(pk=sender.device) if row not in found]
            fresh: dict[int, Place] = {}
            for number, org, code in found:
                place = self._by_number.get(number) or fresh.get(number) or Place(number, org)
                fresh[number] = self._by_number[number] = place
                known = self._by_code.setdefault(code, [])
                if place not in known:
                    known.append(place)
            numbers = list(fresh)
            points = Point.objects.filter(retired_at=None).values_list("device_id", "code", "address", "pk")
            for begin in range(0, len(numbers), PIECE):
                for device, code, address, pk in points.filter(device_id__in=numbers[begin : begin + PIECE]):
                    fresh[device].points.setdefault(address, pk)
                    fresh[device].points[code] = pk
        for code in missing:
            self._by_code.setdefault(code, [])

    @staticmethod
    def _fault(rows: Rows, row: int, why: int, devices: Sequence[str], points: Sequence[str]) -> None:
        device = devices[int(rows.device.index[row])] if rows.device is not None else ""
        if why == NO_POINT:
            point = points[int(rows.point.index[row])]
            message = _("This device has no point “%(point)s”. Its points stand on its page in the register.")
            rows.fault(row, "point", point, "unknown_point", message % {"point": point})
            return
        said = {
            UNKNOWN: _("There is no device “%(device)s” in use to which you may send readings."),
            FOREIGN: _("This key sends for its own device only, and “%(device)s” is another."),
            AMBIGUOUS: _(
                "Several of your organisations have a device “%(device)s”: use a token for one of them."
            ),
        }
        rule = {UNKNOWN: "unknown_device", FOREIGN: "foreign_device", AMBIGUOUS: "ambiguous_device"}
        rows.fault(row, "device", device, rule[why], said[why] % {"device": device})


PLACES = Places()
