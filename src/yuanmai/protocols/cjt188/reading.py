"""Readings of CJ/T 188 meters (DI 901F): totals, clock, state; makers differ, and what is not available reads FF."""

from dataclasses import dataclass, field

from yuanmai.protocols.cjt188.frame import Frame
from yuanmai.protocols.moments import exists

# Appendix: code of the unit → name.
UNITS = {
    0x01: "J",
    0x02: "Wh",
    0x05: "kWh",
    0x08: "MWh",
    0x0A: "100MWh",
    0x0B: "kJ",
    0x0E: "MJ",
    0x11: "GJ",
    0x13: "100GJ",
    0x14: "W",
    0x17: "kW",
    0x1A: "MW",
    0x29: "L",
    0x2C: "m3",
    0x32: "L/h",
    0x35: "m3/h",
}
# Highest bytes of the data items of the standard: which of two bytes is the high one.
HIGH = frozenset({0x90, 0x81, 0xA0, 0xD1, 0xD2})
VALVES = ("open", "closed", "reserved", "fault")
WATER, FLOW, HEAT = (
    22,
    29,
    46,
)  # bytes of data in the reply to 901F; FLOW: of meters with radio, with a state of four bytes
EARLIEST, LATEST = 1990, 2105  # years a clock may tell


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with its unit; nothing where the meter does not have it."""

    value: float | None
    unit: str


class Stateful:
    """What has the two bytes of state; makers differ in all but the lowest three bits of the first."""

    __slots__ = ()
    status: bytes

    @property
    def valve(self) -> str:
        """State of the valve by the lowest two bits of the first status byte."""
        return VALVES[self.status[0] & 3]

    @property
    def battery_low(self) -> bool:
        """Whether bit 2 of the first status byte says that the battery is low."""
        return bool(self.status[0] & 4)


@dataclass(frozen=True, slots=True)
class Reading(Stateful):
    """What a meter tells. `time` is empty for a clock that was never set; `quantities` by name: total, settlement …"""

    quantities: dict[str, Quantity]
    time_raw: str
    time: str
    status: bytes
    extra: dict[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class State(Stateful):
    """What a meter answers to a command for its valve."""

    status: bytes


def data_item(frame: Frame) -> tuple[str, str, int] | None:
    """Return the DI as sent, the DI high byte first, and the serial number; nothing in a frame without them."""
    if len(frame.data) < 3:
        return None
    first, second, serial = frame.data[:3]
    high_first = first in HIGH and (second not in HIGH or first == 0x90)
    wire = frame.data[:2]
    return wire.hex(), (wire if high_first else wire[::-1]).hex(), serial


def number(packed: bytes, decimals: int) -> float | None:
    """Return a BCD number, low byte first; nothing where a digit is none (FF: not available)."""
    digits = packed[::-1].hex()
    return int(digits) / 10**decimals if digits.isdigit() else None


def quantities(packed: bytes, names: tuple[str, ...]) -> dict[str, Quantity]:
    """Return quantities of five bytes each: four of BCD with two decimals, and the unit behind them.

    Some meters send the unit first: so it is where every first byte is a unit and not every last one.
    """
    parts = [packed[place * 5 : place * 5 + 5] for place in range(len(names))]
    first = all(part[0] in UNITS for part in parts) and not all(part[4] in UNITS for part in parts)
    found = {}
    for name, part in zip(names, parts, strict=True):
        digits, unit = (part[1:], part[0]) if first else (part[:4], part[4])
        found[name] = Quantity(number(digits, 2), UNITS.get(unit, f"0x{unit:02X}"))
    return found


def clock(packed: bytes) -> tuple[str, str]:
    """Return the seven bytes of a clock, high first, as digits and, where they are a time, as `YYYY-MM-DD hh:mm:ss`.

    A year before 1990 is none: meters that send the century elsewhere or the clock high byte first would tell such.
    """
    raw = packed[::-1].hex()
    if not raw.isdigit():
        return raw, ""
    year, month, day, hour, minute, second = (raw[:4], raw[4:6], raw[6:8], raw[8:10], raw[10:12], raw[12:])
    parts = [int(part) for part in (year, month, day, hour, minute, second)]
    if not EARLIEST <= parts[0] <= LATEST or not exists(*parts):
        return raw, ""
    return raw, f"{year}-{month}-{day} {hour}:{minute}:{second}"


def reading_of(frame: Frame) -> Reading | None:
    """Return the reading in a reply to 901F, of water and gas meters or of heat meters; nothing in other frames."""
    named = data_item(frame)
    if named is None or named[1] != "901f" or not frame.reply or frame.abnormal:
        return None
    content = frame.data[3:]
    if len(frame.data) == HEAT:
        found = quantities(content, ("settlement", "total", "power", "flow", "volume"))
        rest = content[25:]
        extra = {
            "supply_c": number(rest[:3], 2),
            "return_c": number(rest[3:6], 2),
            "working_hours": number(rest[6:9], 0),
        }
        raw, time = clock(rest[9:16])
        return Reading(found, raw, time, rest[16:18], extra)
    names = ("total", "reverse", "flow") if len(frame.data) == FLOW else ("total", "settlement")
    after = len(names) * 5
    if len(content) < after + 9:
        return None
    raw, time = clock(content[after : after + 7])
    return Reading(quantities(content, names), raw, time, content[after + 7 : after + 9])


def state_of(frame: Frame) -> State | None:
    """Return the state in the answer to a command for the valve (A017); nothing in other frames."""
    named = data_item(frame)
    if named is None or named[1] != "a017" or not frame.reply or frame.abnormal or len(frame.data) < 5:
        return None
    return State(frame.data[3:5])
