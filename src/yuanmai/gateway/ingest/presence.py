"""Who is there, where, and how much it has said: columns by device."""

from typing import Any

import numpy as np

from yuanmai.gateway.ingest.refine import NEVER
from yuanmai.gateway.ingest.slots import Slots
from yuanmai.gateway.ingest.told import Place

NUMBERS = (("seen", np.int64, NEVER), ("changed", np.int64, NEVER), ("online", np.bool_, False),
           ("frames", np.int64, 0), ("readings", np.int64, 0), ("positioned", np.int64, NEVER),
           ("longitude", np.float64, np.nan), ("latitude", np.float64, np.nan),
           ("direction", np.float64, np.nan), ("speed", np.float64, np.nan))  # fmt: skip


class Presence:
    """The state of all devices. `urgent` has those whose change pages wait for, `dirty` all that have changed."""

    def __init__(self, slots: Slots) -> None:
        self.slots = slots
        size = len(slots.device)
        for name, kind, empty in NUMBERS:
            setattr(self, name, np.full(size, empty, kind))
        self.address: list[str] = [""] * size
        self.gateway: list[str] = [""] * size
        self.dirty = np.zeros(size, np.bool_)
        self.urgent = np.zeros(size, np.bool_)
        self._heard: list[int] = []
        self._when: list[int] = []

    seen: Any
    changed: Any
    online: Any
    frames: Any
    readings: Any
    positioned: Any
    longitude: Any
    latitude: Any
    direction: Any
    speed: Any

    def moved(self, slots: Slots) -> "Presence":
        """Return the same for another version of the register."""
        self.settle()
        moved = Presence(slots)
        places = {number: index for index, number in enumerate(self.slots.device.tolist())}
        pairs = [
            (places[number], index) for index, number in enumerate(slots.device.tolist()) if number in places
        ]
        if pairs:
            old, new = (np.array(side) for side in zip(*pairs, strict=True))
            for name in (*(entry[0] for entry in NUMBERS), "dirty", "urgent"):
                getattr(moved, name)[new] = getattr(self, name)[old]
            for before, after in pairs:
                moved.address[after], moved.gateway[after] = self.address[before], self.gateway[before]
        return moved

    def heard(self, index: int, received: int) -> None:
        """Note a frame of a device; `settle` counts what was noted."""
        self._heard.append(index)
        self._when.append(received)

    def settle(self) -> None:
        """Count what was noted. Who is heard is there."""
        if not self._heard:
            return
        index, when = np.array(self._heard), np.array(self._when, np.int64)
        self._heard, self._when = [], []
        np.add.at(self.frames, index, 1)
        np.maximum.at(self.seen, index, when)
        here = np.unique(index)
        self.dirty[here] = True
        for one in here[~self.online[here]].tolist():
            # A frame that is older than the silence that ended the presence does not begin a new one.
            if self.seen[one] >= self.changed[one]:
                self.turn(one, True, int(when[index == one].min()))

    def turn(self, index: int, online: bool, moment: int) -> None:
        """Note that a device comes or goes."""
        if bool(self.online[index]) != online:
            self.online[index] = online
            self.changed[index] = max(moment, int(self.changed[index]))
            self.urgent[index] = self.dirty[index] = True

    def connected(self, index: int, moment: int, address: str, gateway: str) -> None:
        """Note a connection."""
        self.settle()
        self.address[index], self.gateway[index] = address[:80], gateway[:60]
        self.seen[index] = max(int(self.seen[index]), moment)
        self.urgent[index] = self.dirty[index] = True
        self.turn(index, True, moment)

    def disconnected(self, index: int, moment: int, address: str, gateway: str) -> None:
        """Note the end of a connection; that of one which another has replaced says nothing."""
        self.settle()
        if (not address or address[:80] == self.address[index]) and gateway[:60] == self.gateway[index]:
            self.turn(index, False, moment)

    def placed(self, index: int, place: Place) -> None:
        """Note where a device is; older places are left out."""
        if place.time > self.positioned[index]:
            self.positioned[index] = place.time
            self.longitude[index], self.latitude[index] = place.longitude, place.latitude
            self.direction[index], self.speed[index] = place.direction, place.speed
            self.urgent[index] = self.dirty[index] = True

    def said(self, owner: Any) -> None:
        """Count readings by their owners."""
        if len(owner):
            counts = np.bincount(owner, minlength=len(self.readings))
            self.readings += counts
            self.dirty |= counts > 0

    def silences(self, now: int) -> int:
        """Let go who has been silent for too long; return how many."""
        self.settle()
        silent = np.flatnonzero(self.online & (now - self.seen > self.slots.silence))
        for index in silent.tolist():
            self.turn(index, False, int(self.seen[index] + self.slots.silence[index]))
        return len(silent)
