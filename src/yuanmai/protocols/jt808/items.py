"""What the additional items of a position mean. An item that is unknown or of an unusual length stays as it is."""

from collections.abc import Callable
from typing import Any

from yuanmai.protocols.jt808.location import Extra

Meaning = dict[str, Any]
AREA_KINDS = {0: "nowhere", 1: "circle", 2: "rectangle", 3: "polygon", 4: "route"}
SIGNALS = (
    "low_beam",
    "high_beam",
    "right_indicator",
    "left_indicator",
    "brake",
    "reverse",
    "fog_lamp",
    "marker_lamp",
    "horn",
    "air_conditioning",
    "neutral",
    "retarder",
    "abs",
    "heater",
    "clutch",
)


def _tyres(content: bytes) -> Meaning:
    """One byte a tyre as the maker scales it; FF says that there is none or it does not answer."""
    return {"tyre_pressure": [None if value == 0xFF else value for value in content]}


def _temperature(content: bytes) -> Meaning:
    """Sign and magnitude: the top bit is the sign."""
    value = int.from_bytes(content, "big")
    return {"cargo_temperature_c": -(value & 0x7FFF) if value & 0x8000 else value}


def _overspeed(content: bytes) -> Meaning:
    found: Meaning = {"overspeed_in": AREA_KINDS.get(content[0], str(content[0]))}
    if content[0] and len(content) >= 5:
        found["overspeed_area"] = int.from_bytes(content[1:5], "big")
    return found


def _crossing(content: bytes) -> Meaning:
    return {
        "crossed": AREA_KINDS.get(content[0], str(content[0])),
        "crossed_area": int.from_bytes(content[1:5], "big"),
        "crossed_out": content[5] == 1,
    }


def _section(content: bytes) -> Meaning:
    return {
        "section": int.from_bytes(content[:4], "big"),
        "section_seconds": int.from_bytes(content[4:6], "big"),
        "section_too_long": content[6] == 1,
    }


def _signals(content: bytes) -> Meaning:
    word = int.from_bytes(content, "big")
    return {"signals": [name for bit, name in enumerate(SIGNALS) if word >> bit & 1] if word else []}


def _inputs(content: bytes) -> Meaning:
    word = int.from_bytes(content, "big")
    return {"deep_sleep": bool(word & 1), "sleep": bool(word & 2)}


def _analog(content: bytes) -> Meaning:
    word = int.from_bytes(content, "big")
    return {"analog_0": word & 0xFFFF, "analog_1": word >> 16}


def _assistance(name: str) -> Callable[[bytes], Meaning]:
    """Items 64 to 67 (active safety): number of the alarm, mark of begin or end, kind, level."""

    def read(content: bytes) -> Meaning:
        found: Meaning = {"id": int.from_bytes(content[:4], "big"), "state": content[4]}
        if len(content) >= 7:
            found |= {"kind": content[5], "level": content[6]}
        return {name: found}

    return read


def _exactly(size: int) -> Callable[[int], bool]:
    return lambda length: length == size


def _at_least(size: int) -> Callable[[int], bool]:
    return lambda length: length >= size


# Number of an item → name, bytes, and by what its number is divided.
NUMBERS: dict[int, tuple[str, int, int]] = {
    0x01: ("mileage_km", 4, 10),
    0x02: ("fuel_l", 2, 10),
    0x03: ("recorder_speed_kmh", 2, 10),
    0x04: ("event_to_confirm", 2, 1),
    0x14: ("video_alarms", 4, 1),
    0x15: ("video_loss", 4, 1),
    0x16: ("video_cover", 4, 1),
    0x17: ("storage_fault", 2, 1),
    0x18: ("abnormal_driving", 2, 1),
    0x30: ("signal_strength", 1, 1),
    0x31: ("satellites", 1, 1),
}
# The same by number and length in one.
SIMPLE = {number << 8 | size: (name, divisor) for number, (name, size, divisor) in NUMBERS.items()}
READERS: dict[int, tuple[Callable[[int], bool], Callable[[bytes], Meaning]]] = {
    0x05: (_exactly(30), _tyres),
    0x06: (_exactly(2), _temperature),
    0x11: (_at_least(1), _overspeed),
    0x12: (_exactly(6), _crossing),
    0x13: (_exactly(7), _section),
    0x25: (_exactly(4), _signals),
    0x2A: (_exactly(2), _inputs),
    0x2B: (_exactly(4), _analog),
    0x64: (_at_least(5), _assistance("adas")),
    0x65: (_at_least(5), _assistance("driver_state")),
    0x66: (_at_least(5), _assistance("tyres")),
    0x67: (_at_least(5), _assistance("blind_spot")),
}
# Numbers of all items that are understood.
ITEMS = frozenset({*NUMBERS, *READERS})


def meaning(extras: list[Extra]) -> Meaning:
    """Return what is known of the items of a position, by name; of an item that comes twice the last."""
    found: Meaning = {}
    for number, length, content in extras:
        if len(content) != length:
            continue
        simple = SIMPLE.get(number << 8 | length)
        if simple is not None:
            name, divisor = simple
            value = int.from_bytes(content, "big")
            found[name] = value if divisor == 1 else value / divisor
        elif number in READERS:
            fits, read = READERS[number]
            if fits(length):
                found |= read(content)
    return found


def imei_of(extras: list[Extra]) -> str:
    """Return the IMEI that trackers with an all-zero phone send in item F6 (eight BCD bytes), or an empty text."""
    for number, _length, content in extras:
        digits = content.hex()
        if number == 0xF6 and len(digits) == 16 and digits.isdigit():
            return digits[1:]
    return ""
