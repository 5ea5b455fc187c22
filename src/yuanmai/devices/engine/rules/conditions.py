"""What a rule can ask for: limits, rates, states, silence, doubtful readings, geofences, and their combinations."""

from collections.abc import Iterator
from dataclasses import dataclass

from yuanmai.devices.engine import quality
from yuanmai.devices.engine.rules.shapes import Shape

COMPARE = ("above", "below", "outside", "inside")
PER = {"minute": 60.0, "hour": 3600.0, "day": 86400.0}
FLAGS = {
    "flagged": quality.FLAGGED, "range": quality.RANGE, "clock": quality.CLOCK, "not_a_number": quality.NOT_A_NUMBER,
    "jump": quality.JUMP, "late": quality.LATE, "ahead": quality.AHEAD, "substituted": quality.SUBSTITUTED,
}  # fmt: skip


@dataclass(frozen=True)
class Bounds:
    """True when a value lies above `high` or below `low` (inside: between them); left again past the hysteresis."""

    compare: str
    low: float
    high: float
    hysteresis: float = 0.0

    def holds(self, value: float, held: bool) -> bool:
        """Whether the condition holds for a value, given whether it held before."""
        slack = self.hysteresis if held else 0.0
        if self.compare == "inside":
            return self.low - slack <= value <= self.high + slack
        return value > self.high - slack or value < self.low + slack

    def excess(self, value: float) -> float:
        """How far beyond the bounds a value is (inside: how deep between them): the larger, the worse."""
        if self.compare == "inside":
            return min(value - self.low, self.high - value)
        return max(value - self.high, self.low - value)


@dataclass(frozen=True)
class Threshold:
    """A value beyond its limits."""

    point: str
    bounds: Bounds
    device: str = ""


@dataclass(frozen=True)
class Rate:
    """A change per minute, hour or day beyond its limits, measured over at least `over` seconds; counters: their increase."""

    point: str
    bounds: Bounds
    per: str
    over: float
    counter: bool = False
    device: str = ""


@dataclass(frozen=True)
class Among:
    """A state (or value) among these."""

    point: str
    values: frozenset[float]
    device: str = ""


@dataclass(frozen=True)
class Missing:
    """Nothing heard of a point, or (`point` empty) of the device, for longer than `after` seconds."""

    after: float
    point: str = ""
    device: str = ""


@dataclass(frozen=True)
class Doubtful:
    """A reading that carries one of the flags `mask`."""

    point: str
    mask: int
    device: str = ""


@dataclass(frozen=True)
class Fence:
    """The position lies inside (or outside) a figure; left again `margin` metres past its edge."""

    shape: Shape
    inside: bool
    margin: float = 0.0
    device: str = ""


@dataclass(frozen=True)
class All:
    """Every one of these holds."""

    conditions: tuple["Condition", ...]


@dataclass(frozen=True)
class AnyOf:
    """At least one of these holds."""

    conditions: tuple["Condition", ...]


@dataclass(frozen=True)
class Not:
    """This does not hold."""

    condition: "Condition"


Leaf = Threshold | Rate | Among | Missing | Doubtful | Fence
Condition = Leaf | All | AnyOf | Not


def leaves(condition: Condition) -> Iterator[Leaf]:
    """Yield the single conditions from left to right."""
    if isinstance(condition, All | AnyOf):
        for part in condition.conditions:
            yield from leaves(part)
    elif isinstance(condition, Not):
        yield from leaves(condition.condition)
    else:
        yield condition
