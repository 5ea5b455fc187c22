"""Bring in what a device said before somebody put it into the register: its frames are still in the journals."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from yuanmai.devices.store.journal import Reader, journals
from yuanmai.devices.store.records import Kind
from yuanmai.gateway.ingest.batch import Columns
from yuanmai.gateway.ingest.decode import PROTOCOLS, Decoder
from yuanmai.gateway.ingest.refine import judge
from yuanmai.gateway.ingest.slots import Slots
from yuanmai.gateway.ingest.sparkplug import Nodes

logger = logging.getLogger(__name__)
MARK = "adopted-"
PIECE = 4 << 20  # bytes read in one step
FRAMES = frozenset(PROTOCOLS)


@dataclass(slots=True)
class Adoption:
    """Devices adopted together. `since` and `until`: by stream, the first record of interest and the last before the register knew.

    `mark` grows from one adoption to the next; the lake keeps it with the readings, so nothing is brought in twice.
    """

    devices: list[int]
    strangers: list[tuple[str, str]]
    since: dict[str, int]
    until: dict[str, int]
    mark: int
    left: list[str] = field(default_factory=list)  # streams still to be read
    after: int = -1
    decoder: Decoder | None = None
    found: list[Columns] = field(default_factory=list)
    reader: Reader | None = None

    def plain(self) -> dict[str, Any]:
        """Return what is needed to do it again from the beginning."""
        return {
            "devices": self.devices, "strangers": [list(key) for key in self.strangers],
            "since": self.since, "until": self.until, "mark": self.mark,
        }  # fmt: skip

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> "Adoption":
        """Return what `plain` returned."""
        keys = [(protocol, key) for protocol, key in plain["strangers"]]
        return cls(plain["devices"], keys, plain["since"], plain["until"], plain["mark"])

    def marks(self) -> dict[str, int]:
        """Return what the lake keeps of it."""
        return {f"{MARK}{device}": self.mark for device in self.devices}

    def begin(self, slots: Slots, nodes: Nodes) -> None:
        """Make ready to read."""
        self.decoder = Decoder(slots)
        self.decoder.only = frozenset(self.devices)
        self.decoder.nodes.restore(nodes.plain())
        self.left = sorted(self.until)
        self.after, self.reader, self.found = -1, None, []

    def step(self, root: Path, slots: Slots) -> bool:
        """Read one piece; return whether that was the last."""
        if self.decoder is None or self.decoder.slots is not slots:
            raise ValueError("the register has changed: begin again")
        if not self.left:
            return True
        stream = self.left[0]
        if self.reader is None:
            self.reader = _reader(root, stream)
            self.after = self.since.get(stream, 1) - 1
            if self.reader is None:
                self.left.pop(0)
                return not self.left
        records = self.reader.read(self.after, PIECE)
        until = self.until[stream]
        keys = {
            (plan.device.protocol, plan.device.key) for plan in map(slots.by_number.get, self.devices) if plan
        }
        names = {key for _protocol, key in keys}
        for record in records:
            if record.sequence > until:
                break
            # A message over MQTT may speak for a device that only its topic or body names.
            if record.kind in FRAMES and (record.key in names or record.kind in (Kind.MQTT, Kind.SPARKPLUG)):
                self.decoder.take(stream, record)
        self._collect(slots)
        if not records or records[-1].sequence >= until:
            self.reader.close()
            self.reader = None
            self.left.pop(0)
        else:
            self.after = records[-1].sequence
        return not self.left

    def _collect(self, slots: Slots) -> None:
        assert self.decoder is not None
        batch = self.decoder.batch
        if batch.slots:
            columns = batch.columns(slots, [])
            judge(columns, slots)
            self.found.append(columns)
        self.decoder.batch = type(batch)()

    def columns(self) -> Columns | None:
        """Return all readings found, nothing where there are none."""
        if not self.found:
            return None
        names = Columns.__slots__
        return Columns(*(np.concatenate([getattr(part, name) for part in self.found]) for name in names))


def _reader(root: Path, stream: str) -> Reader | None:
    for folder in journals(root):
        reader = Reader(folder)
        if reader.stream == stream:
            return reader
        reader.close()
    return None
