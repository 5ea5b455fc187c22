"""The single conditions of a rule at one device: what they remember, and whether they hold after a reading.

`truth` is None as long as nothing is known. All times are microseconds since 1970 (UTC). A reading that is excluded from means (flagged,
out of range, wrong clock, not a number, jump) says nothing about a value; only :class:`DoubtfulLeaf` looks at it.
"""

import math
from collections import deque
from typing import Any

from yuanmai.devices.engine.quality import EXCLUDED
from yuanmai.devices.engine.rules import conditions as c

SECOND = 1_000_000
SAMPLES = 60  # of a rate's stretch: readings closer together than a sixtieth of it are not kept apart
LATITUDE, LONGITUDE = "lat", "lng"


class LeafState:
    """What a condition remembers. `last` is (time, value) of the reading that it was decided by."""

    __slots__ = ("last", "truth")

    def __init__(self) -> None:
        self.truth: bool | None = None
        self.last: tuple[int, float] | None = None

    def update(self, moment: int, value: float, quality: int, code: str) -> None:
        """Take a reading. A condition that hears of no readings, as silence does, takes nothing."""

    def excess(self) -> float | None:
        """How bad it is, for the worst reading of an alarm; None where that means nothing."""
        return None

    def state(self) -> Any:
        """Return what must be kept, as JSON."""
        return [self.truth, list(self.last) if self.last else None]

    def restore(self, state: Any) -> None:
        """Take up what was kept."""
        self.truth, last = state[0], state[1]
        self.last = (int(last[0]), float(last[1])) if last else None


class ThresholdLeaf(LeafState):
    """A value beyond its limits."""

    __slots__ = ("spec",)

    def __init__(self, spec: c.Threshold) -> None:
        super().__init__()
        self.spec = spec

    def update(self, moment: int, value: float, quality: int, code: str) -> None:
        """Take a reading."""
        if quality & EXCLUDED or math.isnan(value):
            return
        self.truth = self.spec.bounds.holds(value, self.truth is True)
        self.last = (moment, value)

    def excess(self) -> float | None:
        """How far beyond the limit the last value is."""
        return None if self.last is None else self.spec.bounds.excess(self.last[1])


class AmongLeaf(LeafState):
    """A state among some."""

    __slots__ = ("spec",)

    def __init__(self, spec: c.Among) -> None:
        super().__init__()
        self.spec = spec

    def update(self, moment: int, value: float, quality: int, code: str) -> None:
        """Take a reading."""
        if quality & EXCLUDED or math.isnan(value):
            return
        self.truth = value in self.spec.values
        self.last = (moment, value)


class DoubtfulLeaf(LeafState):
    """A reading with a flag."""

    __slots__ = ("spec",)

    def __init__(self, spec: c.Doubtful) -> None:
        super().__init__()
        self.spec = spec

    def update(self, moment: int, value: float, quality: int, code: str) -> None:
        """Take a reading."""
        self.truth = bool(quality & self.spec.mask)
        self.last = (moment, 0.0 if math.isnan(value) else value)


class RateLeaf(LeafState):
    """A change per unit of time, against the newest reading that is at least `over` seconds older.

    A counter that falls has rolled over or was exchanged: what was before says nothing about what comes after.
    """

    __slots__ = ("_over", "_per", "kept", "spec")

    def __init__(self, spec: c.Rate) -> None:
        super().__init__()
        self.spec = spec
        self.kept: deque[tuple[int, float]] = deque()
        self._over, self._per = int(spec.over * SECOND), c.PER[spec.per] * SECOND

    def update(self, moment: int, value: float, quality: int, code: str) -> None:
        """Take a reading."""
        if quality & EXCLUDED or math.isnan(value):
            return
        kept = self.kept
        if kept and self.spec.counter and value < kept[-1][1]:
            kept.clear()
            self.truth, self.last = None, None
        while len(kept) > 1 and kept[1][0] <= moment - self._over:
            kept.popleft()
        if kept and kept[0][0] <= moment - self._over:
            rate = (value - kept[0][1]) / (moment - kept[0][0]) * self._per
            self.truth = self.spec.bounds.holds(rate, self.truth is True)
            self.last = (moment, rate)
        # The newest is always kept, so that a fall of a counter is seen; the one before goes when it is too close.
        if len(kept) > 1 and kept[-1][0] - kept[-2][0] < self._over // SAMPLES:
            kept.pop()
        if not kept or moment > kept[-1][0]:
            kept.append((moment, value))
        else:
            kept[-1] = (moment, value)

    def excess(self) -> float | None:
        """How far beyond the limit the last rate is."""
        return None if self.last is None else self.spec.bounds.excess(self.last[1])

    def state(self) -> Any:
        """Return what must be kept, as JSON."""
        return [*super().state(), [list(pair) for pair in self.kept]]

    def restore(self, state: Any) -> None:
        """Take up what was kept."""
        super().restore(state)
        self.kept = deque((int(m), float(v)) for m, v in state[2])


class FenceLeaf(LeafState):
    """A position inside or outside a figure; latitude and longitude come as two readings of one moment."""

    __slots__ = ("latitude", "longitude", "spec")

    def __init__(self, spec: c.Fence) -> None:
        super().__init__()
        self.spec = spec
        self.latitude: tuple[int, float] | None = None
        self.longitude: tuple[int, float] | None = None

    def update(self, moment: int, value: float, quality: int, code: str) -> None:
        """Take one half of a position; decided when both halves of a moment are there."""
        if quality & EXCLUDED or math.isnan(value):
            return
        if code == LATITUDE:
            self.latitude = (moment, value)
        else:
            self.longitude = (moment, value)
        if self.latitude is None or self.longitude is None or self.latitude[0] != self.longitude[0]:
            return
        depth = self.spec.shape.depth(self.longitude[1], self.latitude[1])
        slack = self.spec.margin if self.truth else 0.0
        self.truth = depth >= -slack if self.spec.inside else depth < slack
        self.last = (moment, depth)

    def state(self) -> Any:
        """Return what must be kept, as JSON."""
        return [*super().state(), self.latitude, self.longitude]

    def restore(self, state: Any) -> None:
        """Take up what was kept."""
        super().restore(state)
        self.latitude = (int(state[2][0]), float(state[2][1])) if state[2] else None
        self.longitude = (int(state[3][0]), float(state[3][1])) if state[3] else None


class MissingLeaf(LeafState):
    """Silence. The evaluator watches the times of arrival of many points at once and says when it begins and ends."""

    __slots__ = ("spec",)

    def __init__(self, spec: c.Missing) -> None:
        super().__init__()
        self.spec = spec
        self.truth = False

    def set(self, silent: bool, since: int) -> None:
        """Take the word of the evaluator; `since` is when it was last heard."""
        self.truth = silent
        self.last = (since, 0.0)


def state_of(spec: c.Leaf) -> LeafState:
    """Return a fresh state for a condition."""
    if isinstance(spec, c.Threshold):
        return ThresholdLeaf(spec)
    if isinstance(spec, c.Rate):
        return RateLeaf(spec)
    if isinstance(spec, c.Among):
        return AmongLeaf(spec)
    if isinstance(spec, c.Doubtful):
        return DoubtfulLeaf(spec)
    if isinstance(spec, c.Fence):
        return FenceLeaf(spec)
    return MissingLeaf(spec)
