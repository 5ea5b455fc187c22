"""Readings on their way into the lake, with the positions that go with them."""

from typing import Any

import numpy as np

from yuanmai.devices.store.lake import Lake
from yuanmai.devices.store.readings import Readings
from yuanmai.gateway.ingest.adoption import MARK


class Rewound(Exception):  # noqa: N818  (a state, not an error)
    """The lake has lost files to damage and let its positions go back: the journals must be read again from there."""


class Buffer:
    """What is decoded and not in the lake yet. Exactly once, because the positions go in the same commit."""

    def __init__(self, lake: Lake) -> None:
        self.lake = lake
        self.positions: dict[str, int] = {}  # in the lake
        self.rows = 0
        self._parts: list[Readings] = []
        self._reached: dict[str, int] = {}

    def start(self) -> None:
        """Learn what the lake has."""
        self.positions = self.lake.positions()

    def journals(self) -> dict[str, int]:
        """Return the positions of journals, without what else the lake remembers."""
        return {name: position for name, position in self.positions.items() if not name.startswith(MARK)}

    def add(self, readings: Readings) -> None:
        """Take readings that are not in the lake."""
        if len(readings):
            self._parts.append(readings)
            self.rows += len(readings)

    def reached(self, positions: dict[str, int]) -> None:
        """Say how far the journals are decoded."""
        self._reached = {
            stream: sequence
            for stream, sequence in positions.items()
            if sequence > self.positions.get(stream, 0)
        }

    def commit(self) -> None:
        """Put everything into the lake. Raises what the lake raises; then everything is kept, unless it did get in.

        Raises `Rewound` where the lake stands before what it had.
        """
        if not self._reached:
            return
        now = self.lake.positions()
        if any(now.get(stream, 0) < sequence for stream, sequence in self.journals().items()):
            raise Rewound("the lake has gone back behind what was committed")
        readings = join(self._parts)
        try:
            self.lake.append(readings, self._reached)
        except Exception:
            # Whether it got in before something went wrong, the lake says.
            found = self.lake.positions()
            if any(found.get(stream, 0) != sequence for stream, sequence in self._reached.items()):
                raise
        self.positions |= self._reached
        self._parts, self.rows, self._reached = [], 0, {}

    def append_now(self, readings: Readings | None, marks: dict[str, int]) -> None:
        """Put readings of adopted devices into the lake with their marks. Raises what the lake raises."""
        self.lake.append(join([]) if readings is None else readings, marks)
        self.positions |= marks


def join(parts: list[Readings]) -> Readings:
    """Return readings one after the other."""
    if len(parts) == 1:
        return parts[0]

    def column(name: str, kind: type) -> Any:
        return np.concatenate([getattr(part, name) for part in parts]) if parts else np.empty(0, kind)

    return Readings(
        column("point", np.int32),
        column("time", np.int64),
        column("value", np.float64),
        column("quality", np.int16),
        column("received", np.int64),
        column("sequence", np.int64),
    )
