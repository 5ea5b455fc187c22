"""What may be wrong with readings, what is not worth keeping, and which is the newest: all in columns, in the order they came.

What must be remembered from one round to the next (the last value of points that are watched) is a `Carry`. It depends on
nothing but the records read so far, so reading the same journal again says the same of every reading.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from yuanmai.devices.engine.quality import AHEAD, CLOCK, EXCLUDED, JUMP, LATE, NOT_A_NUMBER, RANGE
from yuanmai.devices.store.readings import Readings
from yuanmai.gateway.ingest.batch import HUGE, Columns
from yuanmai.gateway.ingest.slots import Slots

DAY = 86_400_000_000
EARLIEST = 946_684_800_000_000  # 2000-01-01
TOLERATED_AHEAD = 300_000_000  # clocks of devices are set to minutes, not to the second
NEVER = -(1 << 62)  # before any time, and far enough from the end of the range for differences
FEW = 8  # readings of one point in a round up to which they are looked at in columns
Whole = npt.NDArray[np.int32]
Times = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64]
Truth = npt.NDArray[np.bool_]


class Carry:
    """The last good value of each point and the last one kept, with their times. Columns by slot."""

    def __init__(self, size: int) -> None:
        self.time = np.full(size + 1, NEVER, np.int64)
        self.value = np.full(size + 1, np.nan)
        self.kept_time = np.full(size + 1, NEVER, np.int64)
        self.kept_value = np.full(size + 1, np.nan)

    def moved(self, old: Slots, new: Slots) -> "Carry":
        """Return the same for another version of the register."""
        moved = Carry(new.count)
        places = new.of_points(old.point[: old.count])
        here = places < new.count
        for name in ("time", "value", "kept_time", "kept_value"):
            getattr(moved, name)[places[here]] = getattr(self, name)[: old.count][here]
        return moved


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest reading of each point in a round. `time` is that of the device, or of arrival where its clock is wrong."""

    slot: npt.NDArray[np.int32]
    time: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]
    quality: npt.NDArray[np.int16]
    received: npt.NDArray[np.int64]


def judge(columns: Columns, slots: Slots) -> None:
    """Set the bits for range and clock."""
    value, quality, slot = columns.value, columns.quality, columns.slot
    with np.errstate(invalid="ignore"):
        outside = (value < slots.low[slot]) | (value > slots.high[slot]) | (np.abs(value) > HUGE)
    quality[outside] |= RANGE
    behind = columns.received - columns.time
    quality[(columns.time < EARLIEST) | (behind < -DAY)] |= CLOCK
    quality[(behind < -TOLERATED_AHEAD) & (behind >= -DAY)] |= AHEAD
    quality[(behind > DAY) & (columns.time >= EARLIEST)] |= LATE


def watch(columns: Columns, slots: Slots, carry: Carry) -> npt.NDArray[np.bool_]:
    """Set the bits for jumps and counts that go back; return which readings are worth keeping.

    A gauge with a deadband drops a reading that differs from the last one kept by no more than that, unless a fault is
    marked on it, it is older, or the last one kept is `keep_every` old. Readings are looked at in the order they came.
    """
    keep = np.ones(len(columns), np.bool_)
    rows = np.flatnonzero(slots.watched[columns.slot] & ((columns.quality & (EXCLUDED | AHEAD)) == 0))
    if not len(rows):
        return keep
    rows = rows[np.argsort(columns.slot[rows], kind="stable")]
    slot = columns.slot[rows]
    begins = np.flatnonzero(np.r_[True, slot[1:] != slot[:-1]])
    rank = np.arange(len(rows)) - np.repeat(begins, np.diff(np.r_[begins, len(rows)]))
    most = int(rank.max()) + 1
    if most <= FEW:
        for turn in range(most):
            here = rows[rank == turn]
            jumped, kept = step(columns.slot[here], columns.time[here], columns.value[here], slots, carry)
            columns.quality[here[jumped]] |= JUMP
            keep[here] = kept
    else:
        jumped, kept = walk(slot, columns.time[rows], columns.value[rows], slots, carry)
        columns.quality[rows[jumped]] |= JUMP
        keep[rows] = kept
    return keep


def step(slot: Whole, time: Times, value: Numbers, slots: Slots, carry: Carry) -> tuple[Truth, Truth]:
    """Return which readings jump and which are kept, and remember the last ones. No slot comes twice."""
    before, last = carry.time[slot], carry.value[slot]
    since, deadband = carry.kept_time[slot], slots.deadband[slot]
    later = time > before
    with np.errstate(invalid="ignore", over="ignore"):
        fast = np.abs(value - last) > slots.jump[slot] * ((time - before) / 1e6)
        jumped = later & (before != NEVER) & (fast | (slots.counter[slot] & (value < last)))
        moved = ~(np.abs(value - carry.kept_value[slot]) <= deadband)
        stale = (since == NEVER) | (time < since) | (time - since >= slots.keep_every[slot])
    kept = jumped | (deadband <= 0) | moved | stale
    carry.time[slot[later]], carry.value[slot[later]] = time[later], value[later]
    newer = kept & (time > since)
    carry.kept_time[slot[newer]], carry.kept_value[slot[newer]] = time[newer], value[newer]
    return jumped, kept


def walk(slot: Whole, time: Times, value: Numbers, slots: Slots, carry: Carry) -> tuple[Truth, Truth]:
    """As `step`, for slots that come many times, grouped by slot."""
    jumped, kept = np.zeros(len(slot), np.bool_), np.ones(len(slot), np.bool_)
    ends = [*np.flatnonzero(np.diff(slot)).tolist(), len(slot) - 1]
    begin = 0
    for end in ends:
        one = int(slot[begin])
        before, last = int(carry.time[one]), float(carry.value[one])
        since, held = int(carry.kept_time[one]), float(carry.kept_value[one])
        rate, counter = float(slots.jump[one]), bool(slots.counter[one])
        deadband, every = float(slots.deadband[one]), int(slots.keep_every[one])
        times, values = time[begin : end + 1].tolist(), value[begin : end + 1].tolist()
        for place, (when, number) in enumerate(zip(times, values, strict=True), begin):
            jump = False
            if when > before:
                if before != NEVER:
                    jump = abs(number - last) > rate * ((when - before) / 1e6) or (counter and number < last)
                before, last = when, number
            near = abs(number - held) <= deadband and since != NEVER and since <= when < since + every
            if jump:
                jumped[place] = True
            elif deadband > 0 and near:
                kept[place] = False
                continue
            if when > since:
                since, held = when, number
        carry.time[one], carry.value[one] = before, last
        carry.kept_time[one], carry.kept_value[one] = since, held
        begin = end + 1
    return jumped, kept


def readings(columns: Columns, chosen: npt.NDArray[np.bool_]) -> Readings:
    """Return the chosen rows as the lake takes them."""
    if chosen.all():
        return Readings(
            columns.point, columns.time, columns.value, columns.quality, columns.received, columns.sequence
        )
    return Readings(
        columns.point[chosen],
        columns.time[chosen],
        columns.value[chosen],
        columns.quality[chosen],
        columns.received[chosen],
        columns.sequence[chosen],
    )


def newest(columns: Columns, slots: Slots) -> Newest:
    """Return the newest reading of each point in the register; of two with one time the one that came last."""
    clock = (columns.quality & (CLOCK | AHEAD)) != 0
    time = np.where(clock, columns.received, columns.time)
    known = np.flatnonzero(columns.slot < slots.count)
    order = known[np.lexsort((columns.received[known], time[known], columns.slot[known]))]
    slot = columns.slot[order]
    last = np.ones(len(order), np.bool_)
    last[:-1] = slot[1:] != slot[:-1]
    rows = order[last]
    value = np.where(columns.quality[rows] & NOT_A_NUMBER, np.nan, columns.value[rows])
    return Newest(columns.slot[rows], time[rows], value, columns.quality[rows], columns.received[rows])
