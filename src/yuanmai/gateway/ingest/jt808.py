"""JT/T 808: positions with their items, batches of them, answers with one; drivers and media are counted.

Addresses: `lat lng altitude speed direction alarm status load`, `status.acc` (also `acc`, `fixed`) and `alarm.sos` for single
bits, items by name (`mileage fuel recorder_speed cargo_temperature signal_strength satellites analog_0 …`), unknown ones as
`item.e3` (a whole number, high byte first).
"""

from typing import Any, NamedTuple

from yuanmai.gateway.ingest.told import Odd, Place, Told, beijing
from yuanmai.protocols.faults import Fault
from yuanmai.protocols.jt808.bodies import decode_body
from yuanmai.protocols.jt808.frame import Frame, decode
from yuanmai.protocols.jt808.items import ITEMS, meaning
from yuanmai.protocols.jt808.location import Extra, Location
from yuanmai.protocols.jt808.packages import Assembler
from yuanmai.protocols.jt808.signals import ALARMS, STATUS

SHORT = {
    "mileage_km": "mileage",
    "fuel_l": "fuel",
    "recorder_speed_kmh": "recorder_speed",
    "cargo_temperature_c": "cargo_temperature",
}
WHERE = ("lat", "lng", "altitude", "speed", "direction")
BITS = {f"alarm.{name}": (0, bit) for bit, name in ALARMS.items()} | {
    f"status.{name}": (1, bit) for bit, name in STATUS.items()
}
BITS |= {"acc": (1, 0), "fixed": (1, 1)}
BASIC = frozenset({*WHERE, "alarm", "status", "load", *BITS})
POSITIONS = frozenset({0x0200, 0x0201, 0x0500})
JOINED = frozenset({0x0200, 0x0704, 0x0201, 0x0500, 0x0702})  # messages whose packages are worth waiting for
SILENT = frozenset({0x0001, 0x0002, 0x0003, 0x0004, 0x0100, 0x0102, 0x0104, 0x0107, 0x0005, 0x0805, 0x0802})
NOT_FIXED = frozenset(WHERE)


class Heard(NamedTuple):
    """What a record says: values, the newest place, oddities."""

    told: list[Told]
    place: Place | None
    odd: list[Odd]


def tell(raw: bytes, wanted: Any, parts: Assembler) -> Heard:
    """Return what a frame says. `wanted` holds the addresses that some point has; of basic fields only these are told."""
    frame = decode(raw, tolerant=True)
    if isinstance(frame, Fault):
        return Heard([], None, [Odd(frame.reason, raw[:120].hex())])
    header = frame.header
    if header.encryption:
        return Heard([], None, [Odd("encrypted", raw[:120].hex())])
    number, body = header.msg_id, frame.body
    if header.packaged:
        if number not in JOINED:
            # Of media and files the first package says what it is; the rest is content.
            return _event(frame, body) if header.number == 1 else Heard([], None, [])
        whole = parts.add(frame)
        if whole is None:
            return Heard([], None, [])
        body = whole.body
    if number in POSITIONS or number == 0x0704:
        return _positions(number, body, header.standard, wanted)
    if number in SILENT:
        return Heard([], None, [])
    return _event(frame, body)


def _positions(number: int, body: bytes, standard: int, wanted: Any) -> Heard:
    found = decode_body(number, body, standard)
    odd: list[Odd] = []
    if isinstance(found, Fault):
        odd.append(Odd(found.reason, body[:120].hex()))
        found = found.details.get("body") or {}
    locations: list[Location] = found.get("items") or ([found["location"]] if "location" in found else [])
    if number == 0x0704 and len(locations) != found.get("count", len(locations)):
        odd.append(Odd("batch_incomplete", f"{len(locations)} of {found.get('count')}"))
    told: list[Told] = []
    place: Place | None = None
    for location in locations:
        said, here, strange = position(location, wanted)
        told.append(said)
        odd += strange
        if here is not None and (place is None or here.time > place.time):
            place = here
    return Heard(told, place, odd)


def position(location: Location, wanted: Any) -> tuple[Told, Place | None, list[Odd]]:
    """Return the values of one position, the place if it is one, and oddities."""
    odd: list[Odd] = []
    text = location.time
    time = beijing(text[:4] + text[5:7] + text[8:10] + text[11:13] + text[14:16] + text[17:19])
    if time is None:
        odd.append(Odd("clock_unreadable", text))
    status, alarm = location.status, location.alarm
    basic: dict[str, Any] = {
        "lat": location.latitude,
        "lng": location.longitude,
        "altitude": location.altitude,
        "speed": location.speed / 10,
        "direction": location.direction,
        "alarm": alarm,
        "status": status,
        "load": status >> 8 & 3,
    }
    values = {name: value for name, value in basic.items() if name in wanted}
    for name in wanted:
        if name in BITS:
            word, bit = BITS[name]
            values[name] = (status if word else alarm) >> bit & 1
    items(location.extras, values)
    fixed = bool(status & 2) and bool(location.lat_raw or location.lng_raw) and location.plausible
    if not fixed and status & 2:
        odd.append(Odd("position_implausible", f"{location.latitude} {location.longitude}"))
    place = None
    if fixed and time is not None:
        place = Place(time, basic["lng"], basic["lat"], float(location.direction), basic["speed"])
    return Told(time, values, () if fixed else NOT_FIXED), place, odd


def items(extras: list[Extra], values: dict[str, Any]) -> None:
    """Add the values of additional items under their addresses; items without a meaning as whole numbers."""
    for name, value in meaning(extras).items():
        name = SHORT.get(name, name)
        if isinstance(value, dict):
            values.update({f"{name}.{part}": number for part, number in value.items()})
        elif isinstance(value, list):
            if all(isinstance(part, str) for part in value):
                values.update({f"{name}.{part}": 1 for part in value})
            else:
                values.update(
                    {f"{name}.{place}": part for place, part in enumerate(value) if part is not None}
                )
        else:
            values[name] = value
    for number, length, content in extras:
        if number not in ITEMS and length == len(content) and 0 < length <= 8:
            values[f"item.{number:02x}"] = int.from_bytes(content, "big")
        elif number not in ITEMS and content:
            values[f"item.{number:02x}"] = content[:40].hex()


def _event(frame: Frame, body: bytes) -> Heard:
    """Count what happens: a driver comes or goes, a picture is taken, something is passed through."""
    number = frame.header.msg_id
    found = decode_body(number, body, frame.header.standard)
    values = found if isinstance(found, dict) else {}
    if number == 0x0702:
        came = values.get("status") == 1
        text = str(values.get("time", ""))
        time = beijing("".join(sign for sign in text if sign.isdigit())) if text else None
        sample = f"{'in' if came else 'out'}, card {values.get('ic_result', '-')}"
        return Heard([Told(time, {"driver": 1 if came else 0})], None, [Odd("event_driver", sample)])
    if number in (0x0800, 0x0801):
        names = ("media_id", "media_type", "format", "event", "channel")
        sample = ", ".join(f"{name} {values[name]}" for name in names if name in values)
        return Heard([], None, [Odd("event_media", sample)])
    return Heard([], None, [Odd(f"message_{number:04x}", body[:60].hex())])
