"""What one round of decoding has found, in columns that are cheap to append to."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from yuanmai.devices.engine.quality import NOT_A_NUMBER
from yuanmai.gateway.ingest.slots import Slots

# More than this is no measurement of anything, whatever the point's range says.
HUGE = 1e30


@dataclass(slots=True)
class Table:
    """Readings that came as columns and in the unit of their points (HTTP)."""

    point: npt.NDArray[np.int32]
    time: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]
    quality: npt.NDArray[np.int16]
    received: int
    sequence: int
    fresh: bool


@dataclass(slots=True)
class Columns:
    """Readings of a round, raw: columns of equal length. `fresh`: not in the lake yet."""

    slot: npt.NDArray[np.int32]
    point: npt.NDArray[np.int32]
    time: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]
    quality: npt.NDArray[np.int16]
    received: npt.NDArray[np.int64]
    sequence: npt.NDArray[np.int64]
    fresh: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.slot)


@dataclass(slots=True)
class Batch:
    """Values by slot, in groups that share one time: a group is what one record (or one position in it) says."""

    slots: list[int] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    times: list[int] = field(default_factory=list)
    received: list[int] = field(default_factory=list)
    sequences: list[int] = field(default_factory=list)
    fresh: list[bool] = field(default_factory=list)
    flags: list[tuple[int, int]] = field(default_factory=list)  # position among the values, bits of quality
    tables: list[Table] = field(default_factory=list)

    def group(self, count: int, time: int, received: int, sequence: int, fresh: bool) -> None:
        """Say of the last `count` values when they were measured, and in which record they came."""
        if count:
            self.counts.append(count)
            self.times.append(time)
            self.received.append(received)
            self.sequences.append(sequence)
            self.fresh.append(fresh)

    def columns(self, slots: Slots, faults: list[tuple[int, Any]]) -> Columns:
        """Return all readings as numbers with scale and offset applied.

        What is no number becomes NaN with `NOT_A_NUMBER` and is appended to `faults` (slot, what was said).
        """
        slot = np.array(self.slots, np.int32)
        value, bad = self._numbers(slots, faults)
        if slots.scaled:
            with np.errstate(all="ignore"):
                value = value * slots.scale[slot] + slots.offset[slot]
        quality = np.zeros(len(slot), np.int16)
        for place, bits in self.flags:
            quality[place] |= bits
        for place in bad:
            quality[place] |= NOT_A_NUMBER
        counts = np.array(self.counts, np.int64)
        parts = [
            Columns(
                slot,
                slots.point[slot],
                np.repeat(np.array(self.times, np.int64), counts),
                value,
                quality,
                np.repeat(np.array(self.received, np.int64), counts),
                np.repeat(np.array(self.sequences, np.int64), counts),
                np.repeat(np.array(self.fresh, np.bool_), counts),
            )
        ]
        for table in self.tables:
            size = len(table.point)
            parts.append(
                Columns(
                    slots.of_points(table.point),
                    table.point,
                    table.time,
                    table.value.copy(),
                    table.quality.copy(),
                    np.full(size, table.received, np.int64),
                    np.full(size, table.sequence, np.int64),
                    np.full(size, table.fresh, np.bool_),
                )
            )
        joined = parts[0] if len(parts) == 1 else _join(parts)
        lost = ~np.isfinite(joined.value)
        if lost.any():
            joined.quality[lost] |= NOT_A_NUMBER
            joined.value[lost] = np.nan
        return joined

    def _numbers(
        self, slots: Slots, faults: list[tuple[int, Any]]
    ) -> tuple[npt.NDArray[np.float64], list[int]]:
        """Return the values as numbers, and the places of those that are none."""
        try:
            found = np.array(self.values, np.float64)
            if found.shape == (len(self.slots),):
                return found, []
        except (ValueError, TypeError, OverflowError):
            pass
        value = np.empty(len(self.slots), np.float64)
        bad: list[int] = []
        for place, given in enumerate(self.values):
            number = number_of(given, slots.states.get(self.slots[place]))
            if number is None:
                bad.append(place)
                faults.append((self.slots[place], given))
            value[place] = np.nan if number is None else number
        return value, bad


def number_of(given: Any, states: Any = None) -> float | None:
    """Return what a device said as a number: numbers, truth, digits in a text, or the name of a state; else nothing."""
    if isinstance(given, str) and states:
        code = states.get(given.strip().lower())
        if code is not None:
            given = code
    try:
        return float(given)
    except (TypeError, ValueError, OverflowError):
        return None


def _join(parts: list[Columns]) -> Columns:
    return Columns(*(np.concatenate([getattr(part, name) for part in parts]) for name in Columns.__slots__))
