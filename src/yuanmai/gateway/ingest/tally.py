"""Counts beside the readings: oddities per device and kind, and those who are in no register."""

from dataclasses import dataclass, field
from typing import Any

MOST_KINDS = 200  # per device
MOST_UNKNOWN = 20_000
LONGEST = 400
OddKey = tuple[int, str]  # device, kind
UnknownKey = tuple[str, str]  # protocol, what it calls itself


@dataclass(slots=True)
class Count:
    """How often something odd came, when first and last (µs), and how it looked."""

    count: int
    first: int
    last: int
    sample: str = ""


@dataclass(slots=True)
class Stranger:
    """Somebody who speaks and is in no register. `stream`, `first_sequence`: where the journal has its first frame."""

    stream: str
    first_sequence: int
    first: int
    last: int
    frames: int = 0
    address: str = ""
    sample: dict[str, Any] = field(default_factory=dict)
    sampled: int = 0


class Tally:
    """All counts, absolute: reading the same records again from the same beginning gives the same numbers."""

    def __init__(self) -> None:
        self.odd: dict[OddKey, Count] = {}
        self.strangers: dict[UnknownKey, Stranger] = {}
        self.changed_odd: set[OddKey] = set()
        self.changed_strangers: set[UnknownKey] = set()
        self.overflow = 0  # strangers and kinds that were not kept for want of room
        self._kinds: dict[int, int] = {}

    def add(self, device: int, kind: str, moment: int, sample: str = "", count: int = 1) -> None:
        """Count something odd of a device."""
        key = (device, kind[:40])
        found = self.odd.get(key)
        if found is None:
            kinds = self._kinds.get(device, 0)
            if kinds >= MOST_KINDS:
                self.overflow += 1
                return
            self._kinds[device] = kinds + 1
            found = self.odd[key] = Count(0, moment, moment)
        found.count += count
        found.last = max(found.last, moment)
        if sample:
            found.sample = sample[:LONGEST].replace("\0", "\\0")
        self.changed_odd.add(key)

    def put(self, device: int, kind: str, count: Count) -> None:
        """Take a count as it was kept."""
        self.odd[device, kind] = count
        self._kinds[device] = self._kinds.get(device, 0) + 1

    def stranger(self, key: UnknownKey, stream: str, sequence: int, moment: int) -> Stranger | None:
        """Count a frame of somebody unknown; nothing where there are too many of them."""
        found = self.strangers.get(key)
        if found is None:
            if len(self.strangers) >= MOST_UNKNOWN or not key[1] or len(key[1]) > 200:
                self.overflow += 1
                return None
            found = self.strangers[key] = Stranger(stream, sequence, moment, moment)
        found.frames += 1
        found.last = max(found.last, moment)
        self.changed_strangers.add(key)
        return found
